// Every example runs through, says something, and finds its own claims true.
import { readdirSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(__dirname, '..', '..', 'examples');
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

test('there are examples', () => {
  expect(files.length).toBeGreaterThan(20);
});

test.each(files)('%s', (name) => {
  const said: unknown[][] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((...args) => void said.push(args));
  try {
    // A failing assertion of the example fails the test.
    require(path.join(folder, name));
  } finally {
    log.mockRestore();
  }
  expect(said.length).toBeGreaterThan(0);
});
