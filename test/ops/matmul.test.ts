// Matrix products: the rows of the table, and the fast kernels against the plain triple loop.
import torch, { F, type Tensor } from 'flambeau';
import { matmul } from './reference';
import { Draw, TOLERANCES } from './shapes';
import { checkFile } from './structured';
import { expectClose, expectSame, fromValues, numbers } from './support';
import { rows } from './table/matmul';

checkFile('matmul', rows);

/** Sizes around the edges of register tiles (up to 32 wide) and of cache blocks. */
const EDGES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65];

/** Leading sizes of both operands. */
const BATCHES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[3], [3]],
  [[2, 3], [3]],
  [[2, 1], [4]],
  [[], [2, 2]],
  [
    [5, 1, 2],
    [3, 1],
  ],
];

describe.each(TOLERANCES)('in %s', (type, relative) => {
  test('random products agree with the triple loop, whatever the layout', () => {
    const draw = new Draw(type === 'float64' ? 1 : 2);
    for (let round = 0; round < 80; round++) {
      const [m, k, n] = [draw.pick(EDGES), draw.pick(EDGES), draw.pick(EDGES)] as const;
      const a = draw.values(m * k);
      const b = draw.values(k * n);
      const x = draw.tensor(a, [m, k], type);
      const y = draw.chance(0.3) ? draw.tensor(transposed(b, k, n), [n, k], type).t() : draw.tensor(b, [k, n], type);
      expectClose(
        numbers(x.mm(y)),
        matmul(a, b, m, k, n),
        type,
        { relative },
        (i) => `[${m}, ${k}] @ [${k}, ${n}], element ${i}`,
      );
    }
  });
  test('every height and width of a tile, with rows of both operands close together and 4 KiB apart', () => {
    const draw = new Draw(8);
    const sizes = [...Array.from({ length: 30 }, (_, i) => [i + 1, 19, 83 - i]), [8, 300, 1024], [40, 1024, 33]];
    for (const [m, k, n] of sizes as [number, number, number][]) {
      const [a, b] = [draw.values(m * k), draw.values(k * n)];
      const expected = matmul(a, b, m, k, n);
      const bias = draw.values(n);
      const layouts = [
        [draw.tensor(a, [m, k], type), draw.tensor(transposed(a, m, k), [k, m], type).t()],
        [draw.tensor(b, [k, n], type), draw.tensor(transposed(b, k, n), [n, k], type).t()],
      ] as const;
      for (const x of layouts[0]) {
        for (const y of layouts[1]) {
          const message = (i: number) => `[${m}, ${k}] @ [${k}, ${n}], element ${i}`;
          const close = { absolute: relative * 4 * Math.sqrt(k) };
          expectClose(numbers(x.mm(y)), expected, type, close, message);
          const shifted = torch.addmm(draw.tensor(bias, [n], type), x, y);
          expectClose(
            numbers(shifted),
            expected.map((v, i) => v + bias[i % n]!),
            type,
            close,
            message,
          );
        }
      }
    }
  });
  test('a batch larger than the caches agrees with one product at a time', () => {
    const draw = new Draw(9);
    const x = draw.tensor(draw.values(24 * 70 * 100), [24, 70, 100], type);
    const y = draw.tensor(draw.values(24 * 100 * 72), [24, 100, 72], type);
    const pairs: (readonly [Tensor, Tensor])[] = [
      [x, y],
      [x.transpose(1, 2).contiguous().transpose(1, 2), y.transpose(1, 2).contiguous().transpose(1, 2)],
      [x.select(0, 3).expand(24, 70, 100), y],
    ];
    for (const [left, right] of pairs) {
      const found = left.matmul(right);
      for (let i = 0; i < 24; i++) {
        expect(torch.allclose(found.select(0, i), left.select(0, i).clone().mm(right.select(0, i).clone()))).toBe(true);
      }
    }
  });
  test('products that fill several cache blocks agree with sums taken row by row', () => {
    const draw = new Draw(3);
    for (const [m, k, n] of [
      [130, 520, 70],
      [7, 2100, 33],
      [260, 40, 300],
      [1, 3000, 50],
      [300, 3000, 1],
    ] as const) {
      const a = draw.values(m * k);
      const b = draw.values(k * n);
      const found = numbers(draw.tensor(a, [m, k], type).mm(draw.tensor(b, [k, n], type)));
      for (let probe = 0; probe < 400; probe++) {
        const i = draw.whole(0, m - 1);
        const j = draw.whole(0, n - 1);
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a[i * k + l]! * b[l * n + j]!;
        expectClose(
          [found[i * n + j]!],
          [sum],
          type,
          { absolute: relative * 4 * Math.sqrt(k) },
          () => `[${m}, ${k}] @ [${k}, ${n}] at ${i}, ${j}`,
        );
      }
    }
  });
  test('batches broadcast and agree with one product at a time', () => {
    const draw = new Draw(4);
    for (const [left, right] of BATCHES) {
      const [m, k, n] = draw.list(3, 1, 20) as [number, number, number];
      const x = draw.tensor(draw.values(left.reduce((p, q) => p * q, 1) * m * k), [...left, m, k], type);
      const y = draw.tensor(draw.values(right.reduce((p, q) => p * q, 1) * k * n), [...right, k, n], type);
      const found = x.matmul(y);
      const batch = torch.broadcastShapes([...left], [...right]);
      const [wideX, wideY] = [
        x.expand([...batch, m, k]).reshape(-1, m, k),
        y.expand([...batch, k, n]).reshape(-1, k, n),
      ];
      const one = torch.stack(
        Array.from({ length: wideX.size(0) }, (_, i) => wideX.select(0, i).mm(wideY.select(0, i))),
      );
      expectClose(
        numbers(found),
        numbers(one),
        type,
        { relative },
        (i) => `batch [${left.join()}] x [${right.join()}], element ${i}`,
      );
      expect(found.shape).toEqual([...batch, m, n]);
    }
  });
  test('beta and alpha, and a bias, are applied once', () => {
    const draw = new Draw(5);
    for (let round = 0; round < 30; round++) {
      const [m, k, n] = [draw.pick(EDGES), draw.whole(0, 20), draw.pick(EDGES)] as const;
      const [a, b, c] = [draw.values(m * k), draw.values(k * n), draw.values(m * n)];
      const product = matmul(a, b, m, k, n);
      const found = torch.addmm(
        draw.tensor(c, [m, n], type),
        draw.tensor(a, [m, k], type),
        draw.tensor(b, [k, n], type),
        { beta: 0.5, alpha: -2 },
      );
      expectClose(
        numbers(found),
        product.map((v, i) => 0.5 * c[i]! - 2 * v),
        type,
        { relative, absolute: relative },
      );
      const bias = draw.values(n);
      const linear = F.linear(
        draw.tensor(a, [m, k], type),
        draw.tensor(transposed(b, k, n), [n, k], type),
        draw.tensor(bias, [n], type),
      );
      expectClose(
        numbers(linear),
        product.map((v, i) => v + bias[i % n]!),
        type,
        { relative, absolute: relative },
      );
    }
  });
  test('NaN and infinity reach exactly the rows and columns that they should', () => {
    for (const [m, k, n] of [
      [3, 5, 4],
      [20, 30, 40],
      [1, 9, 9],
      [9, 9, 1],
    ] as const) {
      const a = new Array<number>(m * k).fill(1);
      const b = new Array<number>(k * n).fill(0);
      a[(m - 1) * k + 1] = NaN;
      b[n] = Infinity;
      a[1] = m === 1 ? NaN : 2;
      expectClose(
        numbers(fromValues(a, [m, k], type).mm(fromValues(b, [k, n], type))),
        matmul(a, b, m, k, n),
        type,
        {},
      );
    }
  });
});

test('integer and complex products agree with the triple loop', () => {
  const draw = new Draw(6);
  for (let round = 0; round < 40; round++) {
    const [m, k, n] = draw.list(3, 1, 18) as [number, number, number];
    const [a, b] = [draw.list(m * k, -9, 9), draw.list(k * n, -9, 9)];
    for (const type of ['int64', 'int32', 'int16']) {
      expectClose(
        numbers(draw.tensor(a, [m, k], type).mm(draw.tensor(b, [k, n], type))),
        matmul(a, b, m, k, n),
        type,
        {},
      );
    }
    const [p, q] = [draw.list(m * k, -9, 9), draw.list(k * n, -9, 9)];
    const interleave = (re: number[], im: number[]): number[] => re.flatMap((v, i) => [v, im[i]!]);
    const [rr, ii, ri, ir] = [
      matmul(a, b, m, k, n),
      matmul(p, q, m, k, n),
      matmul(a, q, m, k, n),
      matmul(p, b, m, k, n),
    ];
    const expected = interleave(
      rr.map((v, i) => v - ii[i]!),
      ri.map((v, i) => v + ir[i]!),
    );
    for (const type of ['complex64', 'complex128']) {
      const found = draw.tensor(interleave(a, p), [m, k], type).mm(draw.tensor(interleave(b, q), [k, n], type));
      expectClose(numbers(found), expected, type, {});
    }
  }
});
test('half types are summed in float32 and rounded once', () => {
  const draw = new Draw(7);
  for (const type of ['float16', 'bfloat16']) {
    for (const [m, k, n] of [
      [3, 200, 5],
      [33, 17, 40],
      [1, 64, 9],
    ] as const) {
      const [a, b] = [draw.list(m * k, -4, 4), draw.list(k * n, -4, 4)];
      const found = draw.tensor(a, [m, k], type).mm(draw.tensor(b, [k, n], type));
      expectSame(found, fromValues(matmul(a, b, m, k, n), [m, n], type));
    }
  }
});
test.each(['float16', 'bfloat16'] as const)('%s products of every layout are exact where the sums are', (type) => {
  // Eighths whose products add up to less than 2^24 sixty-fourths: any order of the sum gives the same float32.
  const draw = new Draw(8);
  const eighths = (n: number) => draw.list(n, -8, 8).map((v) => Math.round(v) / 8);
  for (const [m, k, n] of [
    [1, 33, 70],
    [4, 1001, 9],
    [13, 31, 33],
    [40, 1601, 45],
    [65, 64, 1030],
    [1030, 2, 30],
    [37, 2051, 45],
  ] as const) {
    const [a, b] = [eighths(m * k), eighths(k * n)];
    const expected = fromValues(matmul(a, b, m, k, n), [m, n], type);
    const left = [draw.tensor(a, [m, k], type), draw.tensor(transposed(a, m, k), [k, m], type).t()];
    const right = [draw.tensor(b, [k, n], type), draw.tensor(transposed(b, k, n), [n, k], type).t()];
    for (const x of left) for (const y of right) expectSame(x.mm(y), expected);
  }
});
test.each(['float16', 'bfloat16'] as const)('%s products are scaled and added to before they are rounded', (type) => {
  const draw = new Draw(9);
  const eighths = (n: number) => draw.list(n, -8, 8).map((v) => Math.round(v) / 8);
  for (const [m, k, n] of [
    [40, 100, 70],
    [64, 64, 64],
    [13, 2051, 33],
  ] as const) {
    const [a, b, c] = [eighths(m * k), eighths(k * n), eighths(m * n)];
    const [x, y] = [draw.tensor(a, [m, k], type), draw.tensor(b, [k, n], type)];
    const sums = matmul(a, b, m, k, n);
    const expected = fromValues(
      sums.map((v, i) => 2 * v + 0.5 * c[i]!),
      [m, n],
      type,
    );
    expectSame(torch.addmm(draw.tensor(c, [m, n], type), x, y, { alpha: 2, beta: 0.5 }), expected);
    const bias = c.slice(0, n);
    expectSame(
      F.linear(x, y.t().contiguous(), fromValues(bias, [n], type)),
      fromValues(
        sums.map((v, i) => v + bias[i % n]!),
        [m, n],
        type,
      ),
    );
  }
});

function transposed(v: readonly number[], rows: number, columns: number): number[] {
  return Array.from({ length: v.length }, (_, i) => v[(i % rows) * columns + Math.floor(i / rows)]!);
}

test.each(['float16', 'bfloat16'] as const)(
  '%s: pieces of all sizes and layouts have room for their blocks',
  (type) => {
    const dtype = torch[type];
    for (const [m, k, n] of [
      [1081, 40, 70],
      [541, 300, 1030],
      [70, 1030, 1081],
      [33, 520, 260],
    ] as const) {
      // Whole numbers whose sums a float32 holds exactly.
      const [a, b] = [torch.randint(-3, 4, [m, k]), torch.randint(-3, 4, [k, n])];
      const expected = a.to(torch.float32).mm(b.to(torch.float32)).to(dtype);
      const lying = (t: Tensor): Tensor[] => [t.to(dtype), t.to(dtype).t().contiguous().t()];
      for (const x of lying(a)) for (const y of lying(b)) expect(x.mm(y).equal(expected)).toBe(true);
    }
  },
);
