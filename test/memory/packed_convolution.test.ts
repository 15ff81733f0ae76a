// Weights that convolutions read in a layout of their own, kept while they do not change.
import torch, { F, type Tensor } from 'flambeau';

const packed = (collectFirst = false) => torch.memoryStats(collectFirst).packedBytes;

// What files before this one packed, and what their last frames still held, is gone after this.
beforeAll(async () => {
  packed(true);
  await new Promise(setImmediate);
  packed(true);
});

const SHAPES = [
  // [n, c, o, side, kernel, stride, groups]
  [1, 24, 48, 9, 3, 1, 1],
  [2, 32, 32, 8, 3, 2, 2],
  [6, 16, 40, 4, 3, 1, 1],
  [1, 64, 24, 10, 1, 2, 1],
] as const;

describe.each(['float32', 'float64'] as const)('%s', (type) => {
  test.each(SHAPES)(
    '%d images of %d to %d channels are the same bit by bit when the weight was packed before',
    (n, c, o, side, kernel, stride, groups) => {
      const x = torch.randn(n, c, side, side).to(torch[type]);
      const w = torch.randn(o, c / groups, kernel, kernel).to(torch[type]);
      const bias = torch.randn(o).to(torch[type]);
      const convolve = (weight: Tensor) => F.conv2d(x, weight, bias, { stride, padding: kernel >> 1, groups });
      const before = packed(true);
      const first = convolve(w);
      expect(packed()).toBe(before);
      for (let i = 0; i < 3; i++) expect(convolve(w).equal(first)).toBe(true);
      expect(packed()).toBeGreaterThan(before);
      w.mul_(2);
      for (let i = 0; i < 3; i++) expect(convolve(w).equal(convolve(w.clone()))).toBe(true);
      w.dispose();
      expect(packed()).toBe(before);
    },
  );
});

test('a weight has a form for convolutions and one for products', () => {
  const w = torch.randn(64, 64, 1, 1);
  const x = torch.randn(1, 64, 20, 20);
  const flat = torch.randn(64, 64);
  const strided = () => F.conv2d(x, w, null, { stride: 2 });
  const product = () => flat.mm(w.view(64, 64));
  const [y, p] = [strided(), product()];
  for (let i = 0; i < 3; i++) {
    expect(strided().equal(y)).toBe(true);
    expect(product().equal(p)).toBe(true);
  }
});
