// That nothing is left out: every op that the library declares is named in a test.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { Tensor } from 'flambeau';
import { rows as activation } from './table/activation';
import { rows as binary } from './table/binary';
import { rows as unary } from './table/unary';

const tests = path.join(__dirname, '..');
const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
  // Tables of recorded values name their functions in JSON.
  .filter(
    (f) =>
      /\.ts$|^(nn|special)\/.*\.json$/.test(f.replaceAll('\\', '/')) &&
      f !== path.join('ops', path.basename(__filename)),
  )
  .map((f) => readFileSync(path.join(tests, f), 'utf8'));
const named = new Set(texts.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []));

const rowsInPlace = new Set(
  [...unary, ...activation, ...binary]
    .filter((row) => row.inPlace)
    .flatMap((row) => [row.op, ...(row.aliases ?? [])].map((name) => `${name}_`)),
);

/** A declared op carries its signature. */
const isOp = (v: unknown): boolean => typeof v === 'function' && 'signature' in v && 'impl' in v;

const { F, linalg, fft, special, signal, masked, nn } = torch;
const spaces = {
  torch,
  F,
  linalg,
  fft,
  special,
  windows: signal.windows,
  masked,
  init: nn.init,
  Tensor: Tensor.prototype,
};
const methods = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))
  .filter(([, d]) => typeof d.value === 'function')
  .map(([name]) => name);
const ops = Object.values(spaces)
  .flatMap((space) => Object.entries(space).filter(([, v]) => isOp(v)))
  .map(([name]) => name)
  .concat(methods)
  // PyTorch's own private forms, kept for programs that name them.
  .filter((name) => !name.startsWith('_'));

test('every op is named in a test', () => {
  expect(new Set(ops).size).toBeGreaterThan(800);
  // The in-place form of an elementwise row is tested with the row.
  const covered = (name: string): boolean => named.has(name) || rowsInPlace.has(name);
  expect(ops.filter((name) => !covered(name))).toEqual([]);
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
