// A short run of the fuzzer of files, and that it would notice what it looks for.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

function fuzz(...args: string[]): { status: number | null; out: string } {
  const library = path.relative(path.join(__dirname, '..', '..'), require.resolve('flambeau'));
  const done = spawnSync(process.execPath, [path.join(__dirname, 'files.mjs'), '--library', library, ...args], {
    encoding: 'utf8',
  });
  return { status: done.status, out: done.stdout.trim() + done.stderr.trim() };
}

test('changed files give a value or an error of the library', () => {
  const { status, out } = fuzz('--cases', '3000', '--seed', '2');
  expect(out).toMatch(/^sound: 3000 cases, \d{3,} gave a value; at most \d+\.\d+ s and \d+\.\d MiB$/);
  expect(status).toBe(0);
}, 180_000);

test.each([
  ['crash', /^case 7 of seed 1: ended with SIGSEGV/],
  ['throw', /^case 7 of seed 1: .* threw TypeError: planted/],
  ['memory', /^case 7 of seed 1: .* took \d+\.\d MiB for \d+ bytes/],
  ['time', /^case 7 of seed 1: .* took \d\.\d+ s/],
  ['prototype', /^case 7 of seed 1: .* changed a prototype/],
])('a case with a fault (%s) is named', (plant, message) => {
  const { status, out } = fuzz('--cases', '20', '--plant', `${plant}@7`);
  expect(out).toMatch(message);
  expect(out).toMatch(/\n1 faults: 20 cases, \d+ gave a value/);
  expect(status).toBe(1);
});
