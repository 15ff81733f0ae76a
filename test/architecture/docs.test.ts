// What users call says what it does, takes, returns and throws, in a docstring before it.
import fs from 'node:fs';
import path from 'node:path';
import torch from 'flambeau';
import { undocumented } from './docstrings';

const lib = path.join(__dirname, '..', '..', 'lib');

// Rooms whose exports are the public names; files that only pass names on, or make forms of ops whose rows are documented.
const ROOMS =
  /^(autograd|core|data|fft|func|linalg|masked|nn|ops|optim|serialization|signal|special|tensor|utils)\/|^(settings|torch|utils|backends)\.ts$/;
const DERIVED = /(^|\/)(index|in_place_functions)\.ts$|(^|\/)internal\/|^linalg\/common|^autograd\/graph/;

const files = fs
  .readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => file.endsWith('.ts') && ROOMS.test(file) && !DERIVED.test(file));

/** Names in the library's namespaces. */
function namesIn(space: object, names = new Set<string>(), seen = new Set<object>()): Set<string> {
  if (seen.has(space)) return names;
  seen.add(space);
  for (const [name, value] of Object.entries(space)) {
    names.add(name);
    const plain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (plain) namesIn(value, names, seen);
  }
  return names;
}
const names = namesIn(torch);

test('there are files to look at, names to look for, and what is missing is seen', () => {
  expect(files.length).toBeGreaterThan(200);
  expect(['manualSeed', 'Conv2d', 'jacobian', 'StepLR', 'clipGradNorm_'].filter((name) => !names.has(name))).toEqual(
    [],
  );
  const text = `
export const silent = op('silent(Tensor input)', (x) => x);
/** One line. */
export const thin = op(
  'thin(Tensor input, int dim=0)',
  (x: Tensor) => x,
);
/**
 * Enough.
 * @param input any shape
 * @param dim where (default 0)
 * @returns input's shape
 */
export const enough = op('enough(Tensor input, int dim=0)', (x: Tensor) => x);
/** One line. @param a what */
export function called(a: number, b = 2): number {
  if (a > b) throw new RangeError('a');
  return a;
}
/** A class. */
export class Kept {
  constructor(size: number) {}
  /** Known. */
  known(): void {}
  unknown(): void {}
  private own(): void {}
}
`;
  expect(undocumented(text, () => true)).toEqual([
    'silent: a docstring',
    'thin: @param input, @param dim, @returns',
    'called: @param b, @returns, @throws',
    'Kept: @param of the constructor, a docstring of unknown',
  ]);
  expect(undocumented(text, () => false)).toEqual(['silent: a docstring', 'thin: @param input, @param dim, @returns']);
});

test.each(files)('%s', (file) => {
  expect(undocumented(fs.readFileSync(path.join(lib, file), 'utf8'), (name) => names.has(name))).toEqual([]);
});
