// The gradient by the weight of convolutions of 3 x 3 with many channels, which is joined from transformed squares, against
// float64, where it is not.
import torch, { F, type Tensor } from 'flambeau';

type Shape = readonly [
  n: number,
  c: number,
  o: number,
  height: number,
  width: number,
  padding: readonly [number, number],
  groups: number,
];
const SHAPES: readonly Shape[] = [
  [1, 32, 32, 16, 16, [1, 1], 1],
  [2, 64, 64, 13, 11, [1, 1], 1],
  [3, 33, 47, 9, 12, [0, 0], 1],
  [2, 40, 65, 10, 7, [2, 1], 1],
  [4, 64, 96, 8, 8, [1, 2], 2],
  [32, 48, 40, 4, 4, [1, 1], 1],
  [40, 32, 35, 3, 3, [1, 1], 1],
  [70, 32, 32, 4, 4, [0, 0], 1],
  [9, 36, 80, 5, 3, [2, 2], 1],
  [2, 300, 270, 7, 9, [1, 1], 1],
  [1, 520, 36, 14, 14, [1, 1], 1],
  [1, 34, 32, 4, 1100, [1, 1], 1],
  [1, 32, 33, 70, 6, [0, 3], 1],
  [30, 32, 64, 16, 16, [1, 1], 1],
];

/** The gradient by the weight for these elements and gradients. */
function weightGradient(x: Tensor, g: Tensor, [, c, o, , , padding, groups]: Shape): Tensor {
  const w = torch.zeros([o, c / groups, 3, 3], { dtype: x.dtype, requiresGrad: true });
  const y = F.conv2d(x, w, null, { padding, groups });
  return torch.autograd.grad(y, [w], { gradOutputs: [g] })[0]!;
}

const make = ([n, c, o, height, width, padding, groups]: Shape, numbers = torch.randn): [Tensor, Tensor] => {
  torch.manualSeed(n + c + o + groups);
  return [numbers(n, c, height, width), numbers(n, o, height + 2 * padding[0] - 2, width + 2 * padding[1] - 2)];
};

/** The largest difference, in units of the largest value. */
const difference = (a: Tensor, b: Tensor): number =>
  Number(a.double().sub(b.double()).abs().max().item()) / Number(b.abs().max().item());

describe.each([1, 2, 5])('with %d threads', (threads) => {
  beforeAll(() => torch.setNumThreads(threads));
  afterAll(() => torch.setNumThreads(1));

  test.each(SHAPES)('%d images of %d to %d channels of %d x %d, padding %p, %d groups', (...shape) => {
    for (const numbers of [torch.randn, torch.rand]) {
      const [x, g] = make(shape, numbers);
      const gradient = weightGradient(x, g, shape);
      expect(difference(gradient, weightGradient(x.double(), g.double(), shape))).toBeLessThan(3e-6);
      expect(weightGradient(x, g, shape).equal(gradient)).toBe(true);
    }
  });
});

test('every tap of every pair of channels has its own place', () => {
  const [n, c, o, height, width] = [1, 36, 34, 17, 18];
  for (const [channel, output] of [
    [0, 0],
    [35, 33],
    [31, 32],
  ] as const) {
    const [x, g] = [torch.zeros(n, c, height, width), torch.zeros(n, o, height, width)];
    torch.noGrad(() => {
      x.index(0, channel, 7, 8).fill_(3);
      g.index(0, output, 6, 9).fill_(5);
    });
    const expected = torch.zeros(o, c, 3, 3);
    torch.noGrad(() => expected.index(output, channel, 2, 0).fill_(15));
    const w = torch.zeros([o, c, 3, 3], { requiresGrad: true });
    const y = F.conv2d(x, w, null, { padding: 1 });
    expect(torch.autograd.grad(y, [w], { gradOutputs: [g] })[0]!.equal(expected)).toBe(true);
  }
});

test('numbers of threads differ by rounding alone', () => {
  const shape = SHAPES[9]!;
  const [x, g] = make(shape);
  const one = weightGradient(x, g, shape);
  for (const threads of [2, 3, 8]) {
    torch.setNumThreads(threads);
    expect(difference(weightGradient(x, g, shape), one)).toBeLessThan(1e-6);
  }
  torch.setNumThreads(1);
});

describe.each(['an element', 'a gradient'])('%s', (which) => {
  const shape = SHAPES[0]!;

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])('of %p reaches its taps alone', (odd) => {
    const [x, g] = make(shape);
    // At a corner, which not every tap reads.
    torch.noGrad(() => (which === 'an element' ? x : g).index(0, 3, 0, 15).fill_(odd));
    const finite = (t: Tensor): unknown => t.isfinite().tolist();
    const expected = finite(weightGradient(x.double(), g.double(), shape));
    expect(finite(weightGradient(x, g, shape))).toEqual(expected);
    expect(JSON.stringify(expected)).toContain('true');
  });

  test.each([1e38, 1e30, 1e15])('of %p does not overflow', (large) => {
    const [x, g] = [torch.zeros(1, 32, 16, 16), torch.zeros(1, 32, 16, 16)];
    const [a, b] = which === 'an element' ? [x, g] : [g, x];
    torch.noGrad(() => {
      a.index(0, 2, 5, 5).fill_(large);
      a.index(0, 2, 5, 6).fill_(large);
      b.index(0, 4, 5, 5).fill_(0.5);
    });
    const expected = weightGradient(x.double(), g.double(), shape).float();
    expect(weightGradient(x, g, shape).equal(expected)).toBe(true);
  });
});
