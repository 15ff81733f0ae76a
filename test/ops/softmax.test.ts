// Softmax: the rows of the table, and the kernels against the formula.
import { size, softmax, unravel } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, functionOf, numbers, type Tensor } from './support';
import { rows } from './table/layers';

checkFile(
  'layers',
  rows.filter((row) => /softmax$/i.test(row.op)),
);

/** Applies a function of a row to every row of a tensor along a dimension. */
function along(
  values: readonly number[],
  shape: readonly number[],
  dim: number,
  f: (row: number[]) => number[],
): number[] {
  const out = new Array<number>(values.length);
  const rows = new Map<string, number[]>();
  values.forEach((_, i) => {
    const at = unravel(i, shape);
    at[dim] = 0;
    const key = at.join();
    rows.set(key, [...(rows.get(key) ?? []), i]);
  });
  for (const places of rows.values()) {
    f(places.map((i) => values[i]!)).forEach((v, k) => {
      out[places[k]!] = v;
    });
  }
  return out;
}

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test('random softmaxes and their gradients agree with the formula, over every dimension and length', () => {
    const draw = new Draw(8);
    for (let round = 0; round < 70; round++) {
      // Every length of a row up to twice the widest vector comes up.
      const shape = round < 34 ? [2, round] : draw.list(draw.whole(1, 4), 1, 6);
      const dim = round < 34 ? 1 : draw.whole(0, shape.length - 1);
      const xs = draw.values(size(shape)).map((v) => v * draw.pick([1, 20]));
      const gs = draw.values(size(shape));
      const ys = along(xs, shape, dim, softmax);
      const pairs = along(Array.from(xs.keys()), shape, dim, (row) => {
        const dot = row.reduce((a, i) => a + gs[i]! * ys[i]!, 0);
        return row.map((i) => ys[i]! * (gs[i]! - dot));
      });
      const logPairs = along(Array.from(xs.keys()), shape, dim, (row) => {
        const total = row.reduce((a, i) => a + gs[i]!, 0);
        return row.map((i) => gs[i]! - ys[i]! * total);
      });
      const label = (i: number): string => `[${shape.join(', ')}] along ${dim}, element ${i}`;
      for (const [op, expected, gx] of [
        ['softmax', ys, pairs],
        ['logSoftmax', along(xs, shape, dim, logSoftmax), logPairs],
      ] as const) {
        const x = draw.tensor(xs, shape, type).detach().requiresGrad_();
        const y = functionOf(op)(x, dim) as Tensor;
        expectClose(numbers(y), expected, type, { relative, absolute: relative / 10 }, label);
        y.backward(draw.tensor(gs, shape, type));
        expectClose(numbers(x.grad!), gx, type, { relative, absolute: relative }, label);
      }
    }
  });
});
function logSoftmax(row: number[]): number[] {
  const top = Math.max(...row);
  const total = Math.log(row.reduce((a, v) => a + Math.exp(v - top), 0));
  return row.map((v) => v - top - total);
}
