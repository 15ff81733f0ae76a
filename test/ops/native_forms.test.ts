// Functions of `torch` with argument lists of their own for what torch.nn.functional also does.
import torch, { F, type Tensor } from 'flambeau';

const x = torch.randn(2, 6, 5);
const [w, b] = [torch.rand(6), torch.rand(6)];

test('nativeLayerNorm returns the statistics of the rows', () => {
  const [y, mean, rstd] = torch.nativeLayerNorm(x, [6, 5], null, null, 1e-5) as [Tensor, Tensor, Tensor];
  expect(torch.allclose(y, F.layerNorm(x, [6, 5]))).toBe(true);
  expect(mean.shape).toEqual([2, 1, 1]);
  expect(torch.allclose(x.sub(mean).mul(rstd), y, { atol: 1e-5 })).toBe(true);
});

test('nativeGroupNorm returns the statistics of the groups, with gradients', () => {
  const leaf = x.double().requiresGrad_();
  const [y, mean, rstd] = torch.nativeGroupNorm(leaf, w.double(), b.double(), 2, 6, 5, 3, 1e-5) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  expect(torch.allclose(y, F.groupNorm(leaf, 3, w.double(), b.double()))).toBe(true);
  expect([mean.shape, rstd.shape]).toEqual([
    [2, 3],
    [2, 3],
  ]);
  expect(torch.allclose(mean, leaf.reshape(2, 3, 10).mean(2))).toBe(true);
  expect(
    torch.autograd.gradcheck((t) => torch.nativeGroupNorm(t as Tensor, null, null, 2, 6, 5, 3, 1e-5)[2]!, [leaf]),
  ).toBe(true);
  expect(() => torch.nativeGroupNorm(x, null, null, 2, 6, 4, 3, 1e-5)).toThrow(torch.RuntimeError);
});

test('nativeBatchNorm returns the statistics of the batch in training and moves the running ones', () => {
  const [m, v] = [torch.zeros(6), torch.ones(6)];
  const [y, mean, rstd] = torch.nativeBatchNorm(x, w, b, m, v, true, 0.1, 1e-5) as [Tensor, Tensor, Tensor];
  expect(torch.allclose(mean, x.mean([0, 2]), { atol: 1e-6 })).toBe(true);
  expect(torch.allclose(rstd, x.var([0, 2], { correction: 0 }).add(1e-5).rsqrt())).toBe(true);
  expect(torch.allclose(m, mean.mul(0.1), { atol: 1e-6 })).toBe(true);
  expect(torch.allclose(y, F.batchNorm(x, null, null, w, b, true), { atol: 1e-5 })).toBe(true);
  const evaluated = torch.nativeBatchNorm(x, w, b, m, v, false, 0.1, 1e-5);
  expect(evaluated.map((t) => t.numel())).toEqual([60, 0, 0]);
});

test('constantPadNd and gridSampler', () => {
  expect(torch.constantPadNd(torch.ones(1, 2), [1, 0, 0, 1], 3).tolist()).toEqual([
    [3, 1, 1],
    [3, 3, 3],
  ]);
  const [image, grid] = [torch.rand(1, 1, 3, 3), torch.rand(1, 2, 2, 2)];
  expect(
    torch.equal(torch.gridSampler2d(image, grid, 1, 2, true), F.gridSample(image, grid, 'nearest', 'reflection', true)),
  ).toBe(true);
  expect(() => torch.gridSampler2d(image, grid, 3, 0, true)).toThrow('unknown interpolation mode 3');
  expect(() => torch.gridSampler2d(image, grid, 0, 3, true)).toThrow('unknown padding mode 3');
  expect(() => torch.gridSampler3d(image, grid, 0, 0, true)).toThrow('expected a 5D input');
});

test('dropouts take whether to train third', () => {
  const ones = torch.ones(1000);
  expect(torch.dropout(ones, 0.5, false)).toBe(ones);
  torch.manualSeed(1);
  const y = torch.dropout(ones, 0.5, true);
  torch.manualSeed(1);
  expect(torch.equal(torch.dropout_(ones, 0.5, true), y)).toBe(true);
  expect(new Set(ones.tolist() as number[])).toEqual(new Set([0, 2]));
});

test('losses take the reduction as a number or a name', () => {
  const [p, q] = [torch.rand(4, 3), torch.rand(4, 3)];
  expect(torch.klDiv(p.log(), q, 2).item()).toBeCloseTo(F.klDiv(p.log(), q, { reduction: 'sum' }).item() as number, 6);
  expect(torch.binaryCrossEntropyWithLogits(p, q).item()).toBeCloseTo(
    F.binaryCrossEntropyWithLogits(p, q).item() as number,
    6,
  );
  expect(torch.poissonNllLoss(p, q, true, false, 1e-8, 0).shape).toEqual([4, 3]);
  const sign = torch.tensor([1, -1, 1, -1]);
  expect(torch.cosineEmbeddingLoss(p, q, sign, 0.2).item()).toBeCloseTo(
    F.cosineEmbeddingLoss(p, q, sign, { margin: 0.2 }).item() as number,
    6,
  );
  expect(torch.marginRankingLoss(p, q, sign.unsqueeze(1), 0.1, 'sum').item()).toBeCloseTo(
    F.marginRankingLoss(p, q, sign.unsqueeze(1), { margin: 0.1, reduction: 'sum' }).item() as number,
    6,
  );
  expect(torch.hingeEmbeddingLoss(p, sign.unsqueeze(1).expand(4, 3), { margin: 2 }).ndim).toBe(0);
  expect(torch.tripletMarginLoss(p, q, p.neg(), { reduction: 0 }).shape).toEqual([4]);
  expect(() => torch.klDiv(p, q, 7)).toThrow('7 is not a valid value for reduction');
});

test('embeddingBag names the bags and where maxima come from', () => {
  const weight = torch.tensor([
    [1, 9],
    [2, 8],
    [3, 7],
  ]);
  const [indices, offsets] = [torch.tensor([0n, 2n, 1n]), torch.tensor([0n, 2n])];
  const [sum, bags, sizes] = torch.embeddingBag(weight, indices, offsets) as [Tensor, Tensor, Tensor];
  expect([sum.tolist(), bags.tolist(), sizes.tolist()]).toEqual([
    [
      [4, 16],
      [2, 8],
    ],
    [0, 0, 1],
    [2, 1],
  ]);
  const [max, , , from] = torch.embeddingBag(weight, indices, offsets, { mode: 2 }) as [Tensor, Tensor, Tensor, Tensor];
  expect([max.tolist(), from.tolist()]).toEqual([
    [
      [3, 9],
      [2, 8],
    ],
    [
      [2, 0],
      [1, 1],
    ],
  ]);
});
