// Reductions: the rows of the table, and the kernels against loops over random shapes.
import torch, { type Tensor } from 'flambeau';
import { mean, ravel, size, unravel, variance } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, expectSame, fromValues, functionOf, numbers } from './support';
import { rows } from './table/reduce';

checkFile('reduce', rows);

/** The elements that fall together when `dims` are reduced, in row-major order of the rest. */
function buckets(values: readonly number[], shape: readonly number[], dims: readonly number[]): number[][] {
  const kept = shape.map((n, d) => (dims.includes(d) ? 1 : n));
  const out: number[][] = Array.from({ length: size(kept) }, () => []);
  values.forEach((v, i) => {
    out[
      ravel(
        unravel(i, shape).map((p, d) => (dims.includes(d) ? 0 : p)),
        kept,
      )
    ]!.push(v);
  });
  return out;
}
const FOLDS: Record<string, (v: number[]) => number> = {
  sum: (v) => v.reduce((a, b) => a + b, 0),
  mean,
  amax: (v) => Math.max(...v),
  amin: (v) => Math.min(...v),
  var: (v) => variance(v, 1),
  logsumexp: (v) => Math.log(v.reduce((a, b) => a + Math.exp(b), 0)),
  norm: (v) => Math.sqrt(v.reduce((a, b) => a + b * b, 0)),
  countNonzero: (v) => v.filter((x) => x !== 0).length,
  any: (v) => Number(v.some((x) => x !== 0)),
  all: (v) => Number(v.every((x) => x !== 0)),
};

function reduced(op: string, x: Tensor, dims: number[], keepdim: boolean): Tensor {
  if (op === 'countNonzero') return x.countNonzero(dims);
  if (op === 'norm') return x.norm(2, dims, keepdim);
  return functionOf(op)(x, dims, { keepdim }) as Tensor;
}

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test.each(Object.keys(FOLDS))(
    '%s of random shapes over random dimensions agrees with the loop, whatever the layout',
    (op) => {
      const draw = new Draw(op.length + op.charCodeAt(0));
      for (let round = 0; round < 60; round++) {
        const shape = draw.list(draw.whole(1, 5), 1, 6);
        const dims = shape.map((_, d) => d).filter(() => draw.chance(0.5));
        if (dims.length === 0) dims.push(draw.whole(0, shape.length - 1));
        const values = draw.values(size(shape)).map((v) => (draw.chance(0.2) ? 0 : v));
        const order = shape.map((_, d) => d).sort(() => (draw.chance(0.5) ? 1 : -1));
        const back = order.map((_, d) => order.indexOf(d));
        const plain = fromValues(values, shape, type);
        // In memory the dimensions lie in any order.
        const x = draw.layout(
          draw.chance(0.5)
            ? plain
                .permute(...order)
                .contiguous()
                .permute(...back)
            : plain,
        );
        const keepdim = op !== 'countNonzero' && draw.chance(0.5);
        const y = reduced(op, x, dims, keepdim);
        expect(y.shape).toEqual(
          keepdim ? shape.map((n, d) => (dims.includes(d) ? 1 : n)) : shape.filter((_, d) => !dims.includes(d)),
        );
        const expected = buckets(values, shape, dims).map(FOLDS[op]!);
        expectClose(
          numbers(y),
          expected,
          type,
          { relative },
          (i) => `${op} of [${shape.join(', ')}] over [${dims.join(', ')}], element ${i}`,
        );
      }
    },
  );
  test('rows of every length up to 33, and lengths around the blocks, give what a loop gives', () => {
    const lengths = [
      ...Array.from({ length: 34 }, (_, i) => i),
      63,
      64,
      65,
      127,
      129,
      1000,
      1023,
      4097,
      131073,
      200001,
    ];
    const draw = new Draw(3);
    for (const n of lengths) {
      const values = draw.values(n);
      const x = fromValues(values, [n], type);
      const total = values.reduce((a, b) => a + b, 0);
      expectClose(
        [Number(x.sum().item())],
        [total],
        type,
        { absolute: relative * (1 + Math.sqrt(n)) },
        () => `sum of ${n}`,
      );
      if (n === 0) continue;
      expectClose(
        [Number(x.amax().item()), Number(x.min().item())],
        [values.reduce((a, b) => Math.max(a, b)), values.reduce((a, b) => Math.min(a, b))],
        type,
        {},
        () => `extremes of ${n}`,
      );
      const [best, least] = [
        values.indexOf(values.reduce((a, b) => Math.max(a, b))),
        values.indexOf(values.reduce((a, b) => Math.min(a, b))),
      ];
      expect([n, x.argmax().item(), x.argmin().item()]).toEqual([n, best, least]);
      if (n < 5000) {
        const columns = x.reshape(n, 1).expand(n, 3).contiguous();
        expectClose(
          numbers(columns.sum(0)),
          [total, total, total],
          type,
          { absolute: relative * (1 + Math.sqrt(n)) },
          () => `columns of ${n}`,
        );
        expect([n, ...numbers(columns.argmax(0))]).toEqual([n, best, best, best]);
      }
    }
  });
  test('scans along every dimension agree with the loop', () => {
    const draw = new Draw(17);
    for (let round = 0; round < 50; round++) {
      const shape = round < 34 ? [2, round + 1] : draw.list(draw.whole(1, 4), 1, 6);
      const dim = round < 34 ? 1 : draw.whole(0, shape.length - 1);
      const values = draw.values(size(shape));
      const x = draw.tensor(values, shape, type);
      const scan = (step: (a: number, b: number) => number): number[] => {
        const out = values.slice();
        for (let i = 0; i < out.length; i++) {
          const at = unravel(i, shape);
          if (at[dim]! === 0) continue;
          at[dim]!--;
          out[i] = step(out[ravel(at, shape)]!, values[i]!);
        }
        return out;
      };
      const label = (i: number): string => `[${shape.join(', ')}] along ${dim}, element ${i}`;
      expectClose(
        numbers(x.cumsum(dim)),
        scan((a, b) => a + b),
        type,
        { relative },
        label,
      );
      expectClose(
        numbers(x.cumprod(dim)),
        scan((a, b) => a * b),
        type,
        { relative },
        label,
      );
      expectClose(numbers(x.cummax(dim).values), scan(Math.max), type, {}, label);
      expectClose(numbers(x.cummin(dim).values), scan(Math.min), type, {}, label);
      expectClose(
        numbers(x.logcumsumexp(dim)),
        scan((a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
        type,
        { relative: 10 * relative },
        label,
      );
    }
  });
});

test('NaN wins in extremes wherever it stands, and its first place is the index', () => {
  for (const n of [1, 2, 7, 16, 17, 33, 100]) {
    for (const at of [0, 1, 5, 15, 16, n - 1]) {
      if (at >= n) continue;
      for (const type of ['float32', 'float64', 'float16', 'bfloat16']) {
        const values = Array.from({ length: n }, (_, i) => (i * 7) % 11);
        values[at] = NaN;
        if (at + 3 < n) values[at + 3] = NaN;
        const x = fromValues(values, [n], type);
        expect([type, n, at, x.max().item(), x.amin().item(), x.argmax().item(), x.min(0).indices.item()]).toEqual([
          type,
          n,
          at,
          NaN,
          NaN,
          at,
          at,
        ]);
        const rowsOf = x.reshape(n, 1).expand(n, 5).contiguous();
        expect([n, at, ...numbers(rowsOf.argmin(0))]).toEqual([n, at, at, at, at, at, at]);
      }
    }
  }
});
test('a sum of many equal float32 numbers keeps its digits', () => {
  const n = 3_000_001;
  const x = torch.full([n], 0.1, { dtype: torch.float32 });
  expect(Number(x.sum().item()) / (n * Math.fround(0.1))).toBeCloseTo(1, 6);
  expect(Number(x.mean().item())).toBeCloseTo(0.1, 6);
});
test('half types are summed in float32', () => {
  for (const type of [torch.float16, torch.bfloat16]) {
    const x = torch.ones(3000, { dtype: type });
    expect(x.sum().item()).toBe(type === torch.float16 ? 3000 : 3008);
    expect(x.reshape(3000, 1).sum(0).item()).toBe(type === torch.float16 ? 3000 : 3008);
    expect(x.mul(40).mean().item()).toBe(40);
    expect(torch.full([100000], 1, { dtype: type }).mean().item()).toBe(1);
  }
});
test('the result does not depend on the number of threads', () => {
  const before = torch.getNumThreads();
  const x = torch.rand(400_003);
  const m = torch.rand(300, 701);
  const all = (): Tensor[] => [
    x.sum(),
    x.norm(),
    x.var(),
    x.mean(),
    m.sum(0),
    m.sum(1),
    m.logsumexp([0]),
    m.cumsum(0),
    m.softmax(1),
    m.mm(m.t()),
  ];
  try {
    torch.setNumThreads(1);
    const single = all();
    for (const n of [2, 3, 5]) {
      torch.setNumThreads(n);
      all().forEach((t, i) => expectSame(t, single[i]!));
    }
  } finally {
    torch.setNumThreads(before);
  }
});
