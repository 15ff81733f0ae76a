// Normalisations: the rows of the table, and the kernels against the formulas.
import torch, { type Tensor } from 'flambeau';
import { mean, size, variance } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, numbers } from './support';
import { rows } from './table/layers';

checkFile(
  'layers',
  rows.filter((row) => /Norm$/.test(row.op)),
);

/** Normalises each list of places; `scale` and `shift` are by element. */
function normalised(
  x: readonly number[],
  lists: readonly (readonly number[])[],
  eps: number,
  scale: (i: number) => number,
  shift: (i: number) => number,
): number[] {
  const y = new Array<number>(x.length).fill(NaN);
  for (const places of lists) {
    const values = places.map((i) => x[i]!);
    const m = mean(values);
    const s = 1 / Math.sqrt(variance(values, 0) + eps);
    for (const i of places) y[i] = (x[i]! - m) * s * scale(i) + shift(i);
  }
  return y;
}
/** The gradients of `normalised`: gx = s (g' - mean g' - xhat mean(g' xhat)) with g' = g scale. */
function gradients(
  x: readonly number[],
  g: readonly number[],
  lists: readonly (readonly number[])[],
  eps: number,
  scale: (i: number) => number,
): { gx: number[]; products: number[] } {
  const gx = new Array<number>(x.length).fill(NaN);
  const products = new Array<number>(x.length).fill(NaN);
  for (const places of lists) {
    const values = places.map((i) => x[i]!);
    const m = mean(values);
    const s = 1 / Math.sqrt(variance(values, 0) + eps);
    const hat = values.map((v) => (v - m) * s);
    const scaled = places.map((i) => g[i]! * scale(i));
    const a = mean(scaled);
    const b = mean(scaled.map((v, k) => v * hat[k]!));
    places.forEach((i, k) => {
      gx[i] = s * (scaled[k]! - a - hat[k]! * b);
      products[i] = g[i]! * hat[k]!;
    });
  }
  return { gx, products };
}
/** Sums elements by a key. */
function summed(values: readonly number[], n: number, key: (i: number) => number): number[] {
  const out = new Array<number>(n).fill(0);
  values.forEach((v, i) => {
    out[key(i)]! += v;
  });
  return out;
}
function grouped(n: number, key: (i: number) => number): number[][] {
  const out: number[][] = [];
  for (let i = 0; i < n; i++) (out[key(i)] ??= []).push(i);
  return out;
}

interface Setting {
  shape: number[];
  /** The list that an element is normalised in, and the parameter that scales it. */
  list: (i: number) => number;
  parameter: (i: number) => number;
  parameters: number[];
  run: (x: Tensor, w: Tensor | null, b: Tensor | null, eps: number) => Tensor;
}
const KINDS: Record<string, (draw: Draw) => Setting> = {
  layerNorm(draw) {
    const lead = draw.list(draw.whole(0, 2), 1, 5);
    const last = draw.list(draw.whole(1, 2), 1, 24);
    const n = size(last);
    return {
      shape: [...lead, ...last],
      list: (i) => Math.floor(i / n),
      parameter: (i) => i % n,
      parameters: last,
      run: (x, w, b, eps) => torch.layerNorm(x, last, w, b, eps),
    };
  },
  groupNorm(draw) {
    const groups = draw.whole(1, 3);
    const c = groups * draw.whole(1, 4);
    const rest = draw.list(draw.whole(0, 2), 1, 7);
    const inner = size(rest);
    return {
      shape: [draw.whole(1, 3), c, ...rest],
      list: (i) => Math.floor(i / ((c / groups) * inner)),
      parameter: (i) => Math.floor(i / inner) % c,
      parameters: [c],
      run: (x, w, b, eps) => torch.groupNorm(x, groups, w, b, eps),
    };
  },
  batchNorm(draw) {
    const c = draw.whole(1, 6);
    const rest = draw.list(draw.whole(0, 3), 1, 5);
    const inner = size(rest);
    const channel = (i: number): number => Math.floor(i / inner) % c;
    return {
      shape: [draw.whole(2, 5), c, ...rest],
      list: channel,
      parameter: channel,
      parameters: [c],
      run: (x, w, b, eps) => torch.batchNorm(x, null, null, w, b, true, 0.1, eps),
    };
  },
  instanceNorm(draw) {
    const c = draw.whole(1, 4);
    const rest = draw.list(draw.whole(1, 2), 2, 7);
    const inner = size(rest);
    return {
      shape: [draw.whole(1, 3), c, ...rest],
      list: (i) => Math.floor(i / inner),
      parameter: (i) => Math.floor(i / inner) % c,
      parameters: [c],
      run: (x, w, b, eps) => torch.instanceNorm(x, null, null, w, b, true, 0.1, eps),
    };
  },
};

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test.each(Object.keys(KINDS))('random %s and its gradients agree with the formula', (kind) => {
    const draw = new Draw(kind.length);
    for (let round = 0; round < 40; round++) {
      const at = KINDS[kind]!(draw);
      const n = size(at.shape);
      // A mean far from zero is where a careless variance loses its digits.
      const shift = draw.pick([0, 0, 30]);
      const xs = draw.values(n).map((v) => v + shift);
      const eps = draw.pick([1e-5, 0.25]);
      const affine = draw.chance(0.7);
      const [ws, bs] = [draw.values(size(at.parameters)), draw.values(size(at.parameters))];
      const scale = (i: number): number => (affine ? ws[at.parameter(i)]! : 1);
      const x = draw.tensor(xs, at.shape, type).detach().requiresGrad_();
      const w = affine ? draw.tensor(ws, at.parameters, type).detach().requiresGrad_() : null;
      const b = affine ? draw.tensor(bs, at.parameters, type).detach().requiresGrad_() : null;
      const lists = grouped(n, at.list);
      const y = at.run(x, w, b, eps);
      const label = (what: string) => (i: number) =>
        `${kind} of [${at.shape.join(', ')}], shift ${shift}, eps ${eps}: ${what}[${i}]`;
      // One list of equal elements has no spread: what is left of it is rounding error times 1 / sqrt(eps).
      const loose = { relative: relative * (shift ? 40 : 1), absolute: type === 'float32' ? 2e-4 : 1e-11 };
      expectClose(
        numbers(y),
        normalised(xs, lists, eps, scale, (i) => (affine ? bs[at.parameter(i)]! : 0)),
        type,
        loose,
        label('y'),
      );
      const gs = draw.values(n);
      y.backward(draw.tensor(gs, at.shape, type));
      const { gx, products } = gradients(xs, gs, lists, eps, scale);
      const spread = { relative: 100 * relative, absolute: type === 'float32' ? 2e-2 : 1e-9 };
      expectClose(numbers(x.grad!), gx, type, spread, label('gx'));
      if (w && b) {
        expectClose(
          numbers(w.grad!),
          summed(products, ws.length, at.parameter),
          type,
          { ...loose, absolute: 10 * loose.absolute },
          label('gw'),
        );
        expectClose(
          numbers(b.grad!),
          summed(gs, bs.length, at.parameter),
          type,
          { relative, absolute: relative },
          label('gb'),
        );
      }
    }
  });
});

test('batchNorm moves the running statistics by the unbiased variance and normalises with the biased one', () => {
  const draw = new Draw(5);
  const xs = draw.values(4 * 3 * 5);
  const x = draw.tensor(xs, [4, 3, 5], 'float64');
  const runningMean = torch.tensor([1, 2, 3], { dtype: torch.float64 });
  const runningVar = torch.tensor([1, 0.5, 2], { dtype: torch.float64 });
  torch.batchNorm(x, runningMean, runningVar, null, null, true, 0.25, 1e-5);
  const lists = grouped(60, (i) => Math.floor(i / 5) % 3).map((places) => places.map((i) => xs[i]!));
  expectClose(
    numbers(runningMean),
    lists.map((v, c) => 0.75 * (c + 1) + 0.25 * mean(v)),
    'float64',
    { relative: 1e-13 },
  );
  expectClose(
    numbers(runningVar),
    lists.map((v, c) => 0.75 * [1, 0.5, 2][c]! + 0.25 * variance(v, 1)),
    'float64',
    { relative: 1e-13 },
  );
});
test('a large mean does not swamp the variance', () => {
  const values = Array.from({ length: 64 }, (_, i) => 4096 + (i % 2));
  const x = torch.tensor(Float32Array.from(values)).reshape(1, 64);
  const y = numbers(torch.layerNorm(x, [64], null, null, 0));
  expectClose(
    y,
    values.map((v) => (v - 4096.5) * 2),
    'float32',
    { relative: 1e-3 },
  );
});
test('a row that begins unlike the rest', () => {
  // The first elements, whose mean all are taken relative to, tell nothing of the others.
  const starts = [
    [1000, 0],
    [-3, 1e4],
    [Infinity, 0],
  ];
  for (const n of [300, 1000, 5000, 40000]) {
    for (const [first, rest] of starts as [number, number][]) {
      const values = Float32Array.from({ length: n }, (_, i) => (i < n / 16 ? first : rest + (i % 7)));
      const y = numbers(torch.layerNorm(torch.tensor(values).reshape(1, n), [n], null, null, 1e-5));
      const plain = Array.from(values, Number);
      const [m, v] = [mean(plain), variance(plain, 0)];
      const expected = plain.map((x) => (x - m) / Math.sqrt(v + 1e-5));
      expectClose(y, expected, 'float32', { relative: 1e-5, absolute: 1e-5 });
    }
  }
});
