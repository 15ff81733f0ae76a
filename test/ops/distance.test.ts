// Distances of all pairs, by definition and by matrix products, and slices scaled to a norm.
import torch, { type Tensor } from 'flambeau';

const { float64 } = torch;
const MODES = [
  'donot_use_mm_for_euclid_dist',
  'use_mm_for_euclid_dist',
  'use_mm_for_euclid_dist_if_necessary',
] as const;

/** The distances as the definition says, one pair at a time. */
function naive(a: Tensor, b: Tensor, p: number): number[][] {
  const [x, y] = [a.tolist() as number[][], b.tolist() as number[][]];
  return x.map((u) =>
    y.map((v) => {
      const d = u.map((w, i) => Math.abs(w - v[i]!));
      if (p === 0) return d.filter((w) => w !== 0).length;
      if (p === Infinity) return Math.max(...d);
      return d.reduce((s, w) => s + w ** p, 0) ** (1 / p);
    }),
  );
}
const off = (found: Tensor, expected: number[][], allowed: number): number[] =>
  (found.tolist() as number[][]).flatMap((r, i) => r.filter((v, j) => !(Math.abs(v - expected[i]![j]!) <= allowed)));

describe('cdist', () => {
  test.each([0, 0.5, 1, 1.5, 2, 3, Infinity])('p = %d', (p) => {
    for (const [rows, columns] of [
      [1, 1],
      [3, 5],
      [30, 7],
      [2, 40],
    ] as const) {
      const a = torch.randn(rows, 4, { dtype: float64 });
      const b = torch.randn(columns, 4, { dtype: float64 });
      for (const mode of MODES) expect(off(torch.cdist(a, b, p, mode), naive(a, b, p), 1e-6)).toEqual([]);
      expect(off(torch.cdist(a, b, { p, computeMode: MODES[0] }), naive(a, b, p), 1e-12 * 64)).toEqual([]);
    }
  });

  test('blocks of rows join without a seam', () => {
    // More differences than are held at once.
    const [a, b] = [torch.randn(3000, 3), torch.randn(700, 3)];
    const whole = torch.cdist(a, b, 1);
    for (const i of [0, 1996, 1997, 1998, 2999]) {
      expect(torch.allclose(whole.select(0, i), a.select(0, i).sub(b).abs().sum(1))).toBe(true);
    }
  });

  test('batches are broadcast', () => {
    const [a, b] = [torch.rand(2, 1, 3, 4), torch.rand(5, 2, 4)];
    const y = torch.cdist(a, b);
    expect(y.shape).toEqual([2, 5, 3, 2]);
    expect(torch.allclose(y.select(0, 1).select(0, 2), torch.cdist(a.select(0, 1).select(0, 0), b.select(0, 2)))).toBe(
      true,
    );
  });

  test('vectors without elements are at distance zero, and their gradients are zero', () => {
    const a = torch.rand(2, 0).requiresGrad_();
    const y = torch.cdist(a, torch.rand(3, 0));
    expect(y.tolist()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    y.sum().backward();
    expect(a.grad!.shape).toEqual([2, 0]);
    expect(torch.cdist(torch.rand(0, 2), torch.rand(3, 2)).shape).toEqual([0, 3]);
  });

  test.each([1.5, 2, 3])('gradients for p = %d in both ways', (p) => {
    const leaf = (n: number): Tensor => torch.randn(n, 3, { dtype: float64 }).requiresGrad_();
    for (const mode of MODES.slice(0, 2)) {
      const f = (a: unknown, b: unknown): Tensor => torch.cdist(a as Tensor, b as Tensor, p, mode);
      expect(torch.autograd.gradcheck(f, [leaf(3), leaf(2)])).toBe(true);
      expect(torch.autograd.gradgradcheck(f, [leaf(2), leaf(2)])).toBe(true);
    }
  });

  test('equal vectors give a gradient of zero', () => {
    for (const mode of MODES.slice(0, 2)) {
      const a = torch.ones(2, 3, { dtype: float64 }).requiresGrad_();
      torch
        .cdist(a, torch.ones(1, 3, { dtype: float64 }), 2, mode)
        .sum()
        .backward();
      expect(a.grad!.tolist()).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
    }
  });

  test('what does not fit is refused', () => {
    const x = torch.rand(2, 3);
    expect(() => torch.cdist(x, torch.rand(2, 4))).toThrow(
      'X1 and X2 must have the same number of columns. X1: 3 X2: 4',
    );
    expect(() => torch.cdist(torch.rand(3), x)).toThrow('cdist only supports at least 2D tensors, X1 got: 1D');
    expect(() => torch.cdist(x, x, -1)).toThrow('cdist only supports non-negative p values');
    expect(() => torch.cdist(x.to(torch.int64), x)).toThrow('cdist only supports floating-point dtypes');
    expect(() => torch.cdist(x, x, 2, 'fast')).toThrow('fast is not a valid value for compute_mode');
    expect(() => torch.cdist(x.double(), x)).toThrow(torch.RuntimeError);
  });
});

test('dist is the norm of the difference', () => {
  const [a, b] = [
    torch.tensor([1, 2, 2]),
    torch.tensor([
      [1, 2, 2],
      [0, 0, 0],
    ]),
  ];
  expect(torch.dist(a, b).item()).toBe(3);
  expect(a.dist(b, 1).item()).toBe(5);
  expect(a.dist(b, { p: Infinity }).item()).toBe(2);
  expect(() => torch.dist(torch.rand(2), torch.rand(3))).toThrow('must match the size of tensor b');
});

describe('renorm', () => {
  const x = torch.tensor(
    [
      [3, 4],
      [0.3, 0.4],
      [0, 0],
    ],
    { dtype: float64 },
  );
  test('shrinks slices that are too long and leaves the others', () => {
    const y = torch.renorm(x, 2, 0, 1);
    expect(y.norm(2, 1).tolist()).toEqual([expect.closeTo(1, 6), 0.5, 0]);
    expect(Number(y.norm(2, 1).max().item())).toBeLessThanOrEqual(1);
    expect(torch.equal(y.narrow(0, 1, 2), x.narrow(0, 1, 2))).toBe(true);
    expect(x.renorm(1, 1, 0.5).abs().sum(0).tolist()).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
  });
  test('in place and with half types', () => {
    const y = x.clone();
    expect(y.renorm_(2, 0, 1)).toBe(y);
    expect(torch.equal(y, x.renorm(2, 0, 1))).toBe(true);
    expect(x.to(torch.float16).renorm(2, 0, 1).dtype).toBe(torch.float16);
  });
  test('gradient', () => {
    const leaf = torch.tensor(
      [
        [3, 4],
        [0.3, 0.4],
      ],
      { dtype: float64, requiresGrad: true },
    );
    expect(torch.autograd.gradcheck((t) => torch.renorm(t as Tensor, 2, 0, 1), [leaf])).toBe(true);
    expect(torch.autograd.gradcheck((t) => (t as Tensor).clone().renorm_(3, 0, 1), [leaf])).toBe(true);
  });
  test('what has no norm is refused', () => {
    expect(() => torch.rand(3).renorm(2, 0, 1)).toThrow('renorm: input needs at least 2 dimensions, got 1 dimensions');
    expect(() => x.renorm(0, 0, 1)).toThrow('renorm: non-positive-norm not supported');
    expect(() => x.renorm(2, 0, -1)).toThrow('renorm: expected maxnorm to be >= 0 but got -1');
    expect(() => x.renorm(2, 5, 1)).toThrow(RangeError);
  });
});
