// Folding batch normalization into the layer before it, and the order in memory of weights.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, ramp, thrown } from './module_support';

const {
  fuseConvBnEval,
  fuseConvBnWeights,
  fuseLinearBnEval,
  convertConv2dWeightMemoryFormat,
  convertConv3dWeightMemoryFormat,
} = nn.utils;

/** A batch normalization in evaluation mode with statistics of its own. */
function normalization<B extends nn.BatchNorm1d | nn.BatchNorm2d>(bn: B): B {
  fill(bn as nn.Module);
  const n = bn.numFeatures;
  bn.running_mean!.copy_(ramp(n));
  bn.running_var!.copy_(ramp(n).add(0.5));
  bn.eval();
  return bn;
}
const flat = (t: Tensor) => t.reshape(-1).tolist() as number[];

test('a convolution', () => {
  const conv = fill(new nn.Conv2d(2, 3, 2)).eval();
  const bn = normalization(new nn.BatchNorm2d(3));
  const fused = fuseConvBnEval(conv, bn);
  expect(fused).toBeInstanceOf(nn.Conv2d);
  expectTensor(fused.weight.sum([1, 2, 3]), [3], [1.83629, 0.122898, -0.265411]);
  expectTensor(fused.bias, [3], [-0.914302, -0.181155, -0.151838]);
  const x = ramp(1, 2, 4, 4);
  expectTensor(fused(x), [1, 3, 3, 3], flat(bn(conv(x))), 4);
  expect(conv.weight.equal(fill(new nn.Conv2d(2, 3, 2)).weight)).toBe(true);
});

test('a transposed convolution, without a bias, after a normalization without weights', () => {
  const conv = fill(new nn.ConvTranspose2d(2, 3, 2, { bias: false })).eval();
  const bn = normalization(new nn.BatchNorm2d(3, { affine: false }));
  const x = ramp(1, 2, 3, 3);
  expectTensor(fuseConvBnEval(conv, bn, true)(x), [1, 3, 4, 4], flat(bn(conv(x))), 4);
  const [weight, bias] = fuseConvBnWeights(conv.weight, null, bn.running_mean!, bn.running_var!, bn.eps, null, null, {
    transpose: true,
  });
  expect([weight instanceof nn.Parameter, [...weight.shape], weight.requiresGrad]).toEqual([true, [2, 3, 2, 2], true]);
  expect([[...bias.shape], bias.requiresGrad]).toEqual([[3], false]);
});

test('a linear layer', () => {
  const linear = fill(new nn.Linear(4, 3)).eval();
  const bn = normalization(new nn.BatchNorm1d(3));
  const x = ramp(2, 4);
  expectTensor(fuseLinearBnEval(linear, bn)(x), [2, 3], flat(bn(linear(x))));
  expect(thrown(() => fuseLinearBnEval(linear, normalization(new nn.BatchNorm1d(2))))?.message).toBe(
    'To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features=3 and bn.num_features=2',
  );
});

test('only in evaluation mode and with statistics', () => {
  const conv = new nn.Conv2d(2, 3, 2);
  const bn = new nn.BatchNorm2d(3);
  expect(thrown(() => fuseConvBnEval(conv.eval(), bn))?.message).toBe('Fusion only for eval!');
  expect(thrown(() => fuseConvBnEval(conv, new nn.BatchNorm2d(3, { trackRunningStats: false }).eval()))?.message).toBe(
    'bn.running_mean and bn.running_var must not be None',
  );
});

test('weights with their channels last in memory', () => {
  const m = new nn.Sequential(fill(new nn.Conv2d(2, 3, 2)), new nn.ReLU(), fill(new nn.Conv3d(2, 3, 2)));
  const [conv, , deep] = [...m] as [nn.Conv2d, nn.ReLU, nn.Conv3d];
  const x = ramp(1, 2, 4, 4);
  const before = conv(x);
  const { weight } = conv;
  expect(convertConv2dWeightMemoryFormat(m, torch.channelsLast)).toBe(m);
  expect([conv.weight === weight, conv.weight.stride(), deep.weight.stride()]).toEqual([
    true,
    [8, 1, 4, 2],
    [16, 8, 4, 2, 1],
  ]);
  expectTensor(conv(x), [1, 3, 3, 3], flat(before));
  convertConv3dWeightMemoryFormat(m, torch.channelsLast3d);
  expect(deep.weight.stride()).toEqual([16, 1, 8, 4, 2]);
  convertConv2dWeightMemoryFormat(m, torch.contiguousFormat);
  expect(conv.weight.stride()).toEqual([8, 4, 2, 1]);
  expect(thrown(() => convertConv2dWeightMemoryFormat(m, torch.channelsLast3d))?.message).toBe(
    'required rank 5 tensor to use channels_last_3d format',
  );
  expect(thrown(() => convertConv2dWeightMemoryFormat(m, 'last'))?.type).toBe('TypeError');
});
