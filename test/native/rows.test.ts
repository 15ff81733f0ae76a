// The two tables of elementwise rows name the same ops: a native row that nothing asks for is never run by a test.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './process';

const textsIn = (folder: string, ending: string): string[] =>
  fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => fs.readFileSync(path.join(root, folder, file), 'utf8'));

test('every native row is asked for by a row of lib/', () => {
  const rows = textsIn('native/kernels', '.def').flatMap((text) =>
    [...text.matchAll(/^ROW\((\w+)/gm)].map((match) => match[1]!),
  );
  const quoted = new Set(
    textsIn('lib', '.ts').flatMap((text) =>
      [...text.matchAll(/['"`]([A-Za-z]\w*?)_?['"`]/g)].map((match) => match[1]!),
    ),
  );
  const camel = (name: string) => name.replace(/_+([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((name) => !quoted.has(name) && !quoted.has(camel(name)))).toEqual([]);
});
