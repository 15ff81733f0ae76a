// That nothing is left out: every op that the library declares is named in a test.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { Tensor } from 'flambeau';

const tests = path.join(__dirname, '..');
const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
  .filter((f) => f.endsWith('.ts') && path.basename(f) !== path.basename(__filename))
  .map((f) => readFileSync(path.join(tests, f), 'utf8'));
const named = new Set(texts.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []));

/** A declared op carries its signature. */
const isOp = (v: unknown): boolean => typeof v === 'function' && 'signature' in v && 'impl' in v;

test('every op of torch is named in a test', () => {
  const ops = Object.entries(torch)
    .filter(([, v]) => isOp(v))
    .map(([name]) => name);
  expect(ops.length).toBeGreaterThan(300);
  expect(ops.filter((name) => !named.has(name))).toEqual([]);
});
test('every in-place form of an elementwise op is derived from a row that says so', () => {
  const inPlace = Object.entries(torch).filter(([, v]) => isOp(v) && typeof v === 'function' && 'inPlace' in v);
  expect(inPlace.length).toBeGreaterThan(100);
  expect(
    inPlace
      .filter(([name]) => typeof (Tensor.prototype as unknown as Record<string, unknown>)[`${name}_`] !== 'function')
      .map(([name]) => name),
  ).toEqual([]);
});
