// Convolutions of 3 x 3 with many channels, which take their products from transformed squares, against float64, which does not.
import torch, { F, type Tensor } from 'flambeau';

const SHAPES = [
  // [n, c, o, height, width, padding, groups]
  [1, 64, 64, 20, 30, [1, 1], 1],
  [1, 32, 33, 13, 13, [0, 0], 1],
  [2, 40, 24, 15, 9, [2, 0], 1],
  [3, 64, 64, 9, 11, [1, 2], 2],
  [32, 48, 48, 4, 4, [1, 1], 1],
  [40, 32, 40, 2, 2, [1, 1], 1],
  [30, 36, 32, 1, 3, [1, 1], 1],
  [8, 32, 64, 8, 8, [2, 2], 1],
  [1, 32, 20, 100, 7, [0, 3], 1],
  [1, 32, 96, 3, 130, [1, 0], 1],
  [2, 300, 32, 6, 12, [1, 1], 1],
] as const;

/** The largest difference, in units of the largest value. */
const difference = (a: Tensor, b: Tensor): number =>
  Number(a.double().sub(b).abs().max().item()) / Number(b.abs().max().item());

describe.each([1, 3])('with %d threads', (threads) => {
  const before = torch.getNumThreads();
  beforeAll(() => torch.setNumThreads(threads));
  afterAll(() => torch.setNumThreads(before));

  test.each(SHAPES)(
    '%d images of %d to %d channels of %d x %d, padding %p, %d groups: the result and its gradients',
    (n, c, o, height, width, padding, groups) => {
      torch.manualSeed(n + c + o);
      const make = (...shape: number[]): Tensor => torch.randn(shape).requiresGrad_();
      const single = [make(n, c, height, width), make(o, c / groups, 3, 3), make(o)] as const;
      const double = single.map((t) => t.detach().double().requiresGrad_()) as [Tensor, Tensor, Tensor];
      const y = F.conv2d(...single, { padding, groups });
      const expected = F.conv2d(...double, { padding, groups });
      expect(difference(y.detach(), expected.detach())).toBeLessThan(3e-6);
      const g = torch.randn(y.shape);
      const gradients = torch.autograd.grad(y, [...single], { gradOutputs: [g] });
      const all = torch.autograd.grad(expected, double, { gradOutputs: [g.double()] });
      for (let i = 0; i < 3; i++) expect(difference(gradients[i]!, all[i]!)).toBeLessThan(3e-6);
    },
  );

  test.each(SHAPES)('%d images of %d to %d channels of %d x %d, padding %p, %d groups: transposed', (...shape) => {
    const [n, c, o, height, width, padding, groups] = shape;
    torch.manualSeed(n + c + o);
    const [x, w, b] = [torch.randn(n, c, height, width), torch.randn(c, o / groups, 3, 3), torch.randn(o)];
    const y = F.convTranspose2d(x, w, b, { padding, groups });
    const expected = F.convTranspose2d(x.double(), w.double(), b.double(), { padding, groups });
    expect(difference(y, expected)).toBeLessThan(3e-6);
  });
});

test('a result does not depend on the number of threads', () => {
  const before = torch.getNumThreads();
  const [x, w] = [torch.randn(2, 64, 30, 22), torch.randn(80, 64, 3, 3)];
  const run = (threads: number): Tensor => {
    torch.setNumThreads(threads);
    return F.conv2d(x, w, null, { padding: 1 });
  };
  const one = run(1);
  for (const threads of [2, 3, 8]) expect(run(threads).equal(one)).toBe(true);
  torch.setNumThreads(before);
});

test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])('%p reaches what reads it alone', (odd) => {
  const x = torch.randn(1, 32, 16, 16);
  const w = torch.randn(32, 32, 3, 3);
  torch.noGrad(() => x.index(0, 3, 5, 8).fill_(odd));
  const finite = (t: Tensor): unknown => t.isfinite().tolist();
  const expected = finite(F.conv2d(x.double(), w.double(), null, { padding: 1 }));
  for (let i = 0; i < 3; i++) expect(finite(F.conv2d(x, w, null, { padding: 1 }))).toEqual(expected);
});

test.each([1e38, 1e30])('elements of %p whose sums might overflow are no infinities', (large) => {
  const x = torch.full([1, 32, 16, 16], large, { dtype: torch.float32 });
  const w = torch.zeros(32, 32, 3, 3);
  torch.noGrad(() => w.select(1, 0).select(1, 1).select(1, 1).fill_(0.5));
  expect(F.conv2d(x, w, null, { padding: 1 }).equal(x.mul(0.5))).toBe(true);
});

test.each([Number.POSITIVE_INFINITY, Number.NaN, 3e38])('a weight of %p gives what it gives by itself', (odd) => {
  const x = torch.rand(1, 32, 16, 16).add(1);
  const w = torch.randn(32, 32, 3, 3);
  torch.noGrad(() => w.index(5, 3, 1, 1).fill_(odd));
  const expected = F.conv2d(x.double(), w.double(), null, { padding: 1 }).float();
  for (let i = 0; i < 3; i++) {
    const y = F.conv2d(x, w, null, { padding: 1 });
    expect(torch.allclose(y, expected, { rtol: 1e-4, atol: 1e-4, equalNan: true })).toBe(true);
  }
});

test('a weight has a form for many places and one for few', () => {
  const w = torch.randn(48, 48, 3, 3);
  const [large, small] = [torch.randn(1, 48, 20, 20), torch.randn(1, 48, 7, 7)];
  const both = (weight: Tensor): [Tensor, Tensor] => [
    F.conv2d(large, weight, null, { padding: 1 }),
    F.conv2d(small, weight, null, { padding: 1 }),
  ];
  const [y, z] = both(w);
  for (let i = 0; i < 4; i++) {
    const [again, smaller] = both(w);
    expect([again.equal(y), smaller.equal(z)]).toEqual([true, true]);
  }
});
