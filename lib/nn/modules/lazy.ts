// Layers that learn their number of input channels from their first input.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { makeLazy } from '../module_lazy.js';
import { isLazy, UninitializedParameter } from '../parameter.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, settings } from './arguments.js';
import {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  initializeNorm,
  type LazyNormArguments,
  makeLazyNorm,
  withoutFeatures,
} from './batchnorm.js';
import { Conv1d, Conv2d, Conv3d, type ConvNd, type PaddingMode } from './conv.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv_transpose.js';
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from './instancenorm.js';
import type { Module } from '../module.js';

type Size = number | readonly number[];
type LazyConvArguments = [
  outChannels: number,
  kernelSize: Size,
  stride: Size,
  padding: Size | 'valid' | 'same',
  dilation: Size,
  groups: number,
  bias: boolean,
  paddingMode: PaddingMode,
  device: DeviceSetting,
  dtype: DTypeSetting,
];
type LazyConvText =
  "Conv(int outChannels, int|int[] kernelSize, int|int[] stride=1, any padding=0, int|int[] dilation=1, int groups=1, bool bias=True, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)";
const convSettings = (name: string) =>
  settings<LazyConvArguments>()(
    `${name}(int outChannels, int|int[] kernelSize, int|int[] stride=1, any padding=0, int|int[] dilation=1, int groups=1, bool bias=True, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)` as LazyConvText,
  );
type LazyConvArgumentList = ArgumentsOf<ReturnType<typeof convSettings>>;

type LazyTransposeArguments = [
  outChannels: number,
  kernelSize: Size,
  stride: Size,
  padding: Size,
  outputPadding: Size,
  groups: number,
  bias: boolean,
  dilation: Size,
  paddingMode: PaddingMode,
  device: DeviceSetting,
  dtype: DTypeSetting,
];
type LazyTransposeText =
  "Conv(int outChannels, int|int[] kernelSize, int|int[] stride=1, int|int[] padding=0, int|int[] outputPadding=0, int groups=1, bool bias=True, int|int[] dilation=1, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)";
const transposeSettings = (name: string) =>
  settings<LazyTransposeArguments>()(
    `${name}(int outChannels, int|int[] kernelSize, int|int[] stride=1, int|int[] padding=0, int|int[] outputPadding=0, int groups=1, bool bias=True, int|int[] dilation=1, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)` as LazyTransposeText,
  );
type LazyTransposeArgumentList = ArgumentsOf<ReturnType<typeof transposeSettings>>;

interface LazyConv extends ConvNd {
  initializeParameters(input: unknown): void;
}

/** Replaces the parameters of a convolution without channels by ones without a shape. */
function makeLazyConv(
  layer: LazyConv,
  outChannels: number,
  bias: boolean,
  device: DeviceSetting,
  dtype: DTypeSetting,
  becomes: { readonly prototype: Module },
): void {
  layer.weight = new UninitializedParameter({ device, dtype });
  layer.outChannels = outChannels;
  if (bias) layer.bias = new UninitializedParameter({ device, dtype });
  makeLazy(layer, becomes);
}

/** The size of the channel dimension of the first input. */
function channelsOf(layer: ConvNd, input: Tensor): number {
  const nd = layer.kernelSize.length;
  if (input.ndim !== nd + 1 && input.ndim !== nd + 2) {
    throw new RuntimeError(
      `Expected ${nd + 1}D (unbatched) or ${nd + 2}D (batched) input to ${layer._getName()}, but got input of size: torch.Size([${input.shape.join(', ')}])`,
    );
  }
  return input.shape[input.ndim === nd + 2 ? 1 : 0]!;
}

function initializeConv(layer: ConvNd, input: unknown): void {
  const { weight, bias } = layer;
  if (!isLazy(weight)) {
    // A loaded state dict gave the shapes.
    if (layer.inChannels === 0)
      layer.inChannels = weight.size(layer.transposed ? 0 : 1) * (layer.transposed ? 1 : layer.groups);
    return;
  }
  const inChannels = channelsOf(layer, input as Tensor);
  if (inChannels % layer.groups !== 0) throw new RuntimeError('in_channels must be divisible by groups');
  layer.inChannels = inChannels;
  const [first, second] = layer.transposed ? [inChannels, layer.outChannels] : [layer.outChannels, inChannels];
  noGrad(() => {
    (weight as UninitializedParameter).materialize([first, second / layer.groups, ...layer.kernelSize]);
    if (isLazy(bias)) (bias as UninitializedParameter).materialize([layer.outChannels]);
    layer.resetParameters();
  });
}

/** Whether a lazy convolution has nothing to draw values for yet. */
function isWaiting(layer: ConvNd): boolean {
  return layer.inChannels === 0 || isLazy(layer.weight);
}

const lazyConv1d = convSettings('LazyConv1d');
/**
 * A `Conv1d` whose inChannels are those of its first input: with the first call its parameters get their shapes and values,
 * and it becomes a `Conv1d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConv1d extends Conv1d {
  /**
   * @param args as for `Conv1d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0; sizes, 'valid' or
   *   'same'), dilation (1), groups (1), bias (true), paddingMode ('zeros'), device, dtype (null). Sizes are numbers.
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyConvArgumentList) {
    const [out, kernel, stride, padding, dilation, groups, bias, mode, device, dtype] = lazyConv1d(args);
    super(0, 0, kernel, stride, padding, dilation, groups, false, mode);
    makeLazyConv(this, out, bias, device, dtype, Conv1d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

const lazyConv2d = convSettings('LazyConv2d');
/**
 * A `Conv2d` whose inChannels are those of its first input: with the first call its parameters get their shapes and values,
 * and it becomes a `Conv2d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConv2d extends Conv2d {
  /**
   * @param args as for `Conv2d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0; sizes, 'valid' or
   *   'same'), dilation (1), groups (1), bias (true), paddingMode ('zeros'), device, dtype (null). Sizes are one number or
   *   [height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyConvArgumentList) {
    const [out, kernel, stride, padding, dilation, groups, bias, mode, device, dtype] = lazyConv2d(args);
    super(0, 0, kernel, stride, padding, dilation, groups, false, mode);
    makeLazyConv(this, out, bias, device, dtype, Conv2d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

const lazyConv3d = convSettings('LazyConv3d');
/**
 * A `Conv3d` whose inChannels are those of its first input: with the first call its parameters get their shapes and values,
 * and it becomes a `Conv3d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConv3d extends Conv3d {
  /**
   * @param args as for `Conv3d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0; sizes, 'valid' or
   *   'same'), dilation (1), groups (1), bias (true), paddingMode ('zeros'), device, dtype (null). Sizes are one number or
   *   [depth, height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyConvArgumentList) {
    const [out, kernel, stride, padding, dilation, groups, bias, mode, device, dtype] = lazyConv3d(args);
    super(0, 0, kernel, stride, padding, dilation, groups, false, mode);
    makeLazyConv(this, out, bias, device, dtype, Conv3d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

const lazyTranspose1d = transposeSettings('LazyConvTranspose1d');
/**
 * A `ConvTranspose1d` whose inChannels are those of its first input: with the first call its parameters get their shapes and
 * values, and it becomes a `ConvTranspose1d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConvTranspose1d extends ConvTranspose1d {
  /**
   * @param args as for `ConvTranspose1d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0),
   *   outputPadding (0), groups (1), bias (true), dilation (1), paddingMode ('zeros'), device, dtype (null). Sizes are numbers.
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyTransposeArgumentList) {
    const [out, kernel, stride, padding, extra, groups, bias, dilation, mode, device, dtype] = lazyTranspose1d(args);
    super(0, 0, kernel, stride, padding, extra, groups, false, dilation, mode);
    makeLazyConv(this, out, bias, device, dtype, ConvTranspose1d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

const lazyTranspose2d = transposeSettings('LazyConvTranspose2d');
/**
 * A `ConvTranspose2d` whose inChannels are those of its first input: with the first call its parameters get their shapes and
 * values, and it becomes a `ConvTranspose2d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConvTranspose2d extends ConvTranspose2d {
  /**
   * @param args as for `ConvTranspose2d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0),
   *   outputPadding (0), groups (1), bias (true), dilation (1), paddingMode ('zeros'), device, dtype (null). Sizes are one number
   *   or [height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyTransposeArgumentList) {
    const [out, kernel, stride, padding, extra, groups, bias, dilation, mode, device, dtype] = lazyTranspose2d(args);
    super(0, 0, kernel, stride, padding, extra, groups, false, dilation, mode);
    makeLazyConv(this, out, bias, device, dtype, ConvTranspose2d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

const lazyTranspose3d = transposeSettings('LazyConvTranspose3d');
/**
 * A `ConvTranspose3d` whose inChannels are those of its first input: with the first call its parameters get their shapes and
 * values, and it becomes a `ConvTranspose3d`. Until then `weight` and `bias` are `UninitializedParameter`s.
 */
export class LazyConvTranspose3d extends ConvTranspose3d {
  /**
   * @param args as for `ConvTranspose3d` without inChannels: outChannels, kernelSize; stride (default 1), padding (0),
   *   outputPadding (0), groups (1), bias (true), dilation (1), paddingMode ('zeros'), device, dtype (null). Sizes are one number
   *   or [depth, height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: LazyTransposeArgumentList) {
    const [out, kernel, stride, padding, extra, groups, bias, dilation, mode, device, dtype] = lazyTranspose3d(args);
    super(0, 0, kernel, stride, padding, extra, groups, false, dilation, mode);
    makeLazyConv(this, out, bias, device, dtype, ConvTranspose3d);
  }
  override resetParameters(): void {
    if (!isWaiting(this)) super.resetParameters();
  }
  /**
   * Gives the parameters their shapes and values; the first call does it, and a loaded state dict makes it needless.
   * @param input the first call's input, batched or not; its channels become inChannels.
   * @throws RuntimeError for another number of dimensions, or if groups does not divide the channels.
   */
  initializeParameters(input: unknown): void {
    initializeConv(this, input);
  }
}

type LazyNormText =
  'Norm(float eps=1e-05, float? momentum=0.1, bool affine=True, bool trackRunningStats=True, Device? device=None, ScalarType? dtype=None, bool bias=True)';
const normSettings = (name: string) =>
  settings<LazyNormArguments>()(
    `${name}(float eps=1e-05, float? momentum=0.1, bool affine=True, bool trackRunningStats=True, Device? device=None, ScalarType? dtype=None, bool bias=True)` as LazyNormText,
  );
type LazyNormArgumentList = ArgumentsOf<ReturnType<typeof normSettings>>;

const lazyBatchNorm1d = normSettings('LazyBatchNorm1d');
/**
 * A `BatchNorm1d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get their
 * shapes, and it becomes a `BatchNorm1d`.
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  /**
   * @param args as for `BatchNorm1d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyBatchNorm1d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, BatchNorm1d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}

const lazyBatchNorm2d = normSettings('LazyBatchNorm2d');
/**
 * A `BatchNorm2d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get their
 * shapes, and it becomes a `BatchNorm2d`.
 */
export class LazyBatchNorm2d extends BatchNorm2d {
  /**
   * @param args as for `BatchNorm2d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyBatchNorm2d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, BatchNorm2d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}

const lazyBatchNorm3d = normSettings('LazyBatchNorm3d');
/**
 * A `BatchNorm3d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get their
 * shapes, and it becomes a `BatchNorm3d`.
 */
export class LazyBatchNorm3d extends BatchNorm3d {
  /**
   * @param args as for `BatchNorm3d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyBatchNorm3d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, BatchNorm3d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}

const lazyInstanceNorm1d = normSettings('LazyInstanceNorm1d');
/**
 * An `InstanceNorm1d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get
 * their shapes, and it becomes an `InstanceNorm1d`. Other than there, affine and trackRunningStats default to true.
 */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  /**
   * @param args as for `InstanceNorm1d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyInstanceNorm1d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, InstanceNorm1d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}

const lazyInstanceNorm2d = normSettings('LazyInstanceNorm2d');
/**
 * An `InstanceNorm2d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get
 * their shapes, and it becomes an `InstanceNorm2d`. Other than there, affine and trackRunningStats default to true.
 */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  /**
   * @param args as for `InstanceNorm2d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyInstanceNorm2d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, InstanceNorm2d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}

const lazyInstanceNorm3d = normSettings('LazyInstanceNorm3d');
/**
 * An `InstanceNorm3d` whose numFeatures are dimension 1 of its first input: with the first call its parameters and buffers get
 * their shapes, and it becomes an `InstanceNorm3d`. Other than there, affine and trackRunningStats default to true.
 */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  /**
   * @param args as for `InstanceNorm3d` without numFeatures: eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats
   *   (true), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LazyNormArgumentList) {
    const given = lazyInstanceNorm3d(args);
    super(...withoutFeatures(given));
    makeLazyNorm(this, given, InstanceNorm3d);
  }
  /**
   * Gives parameters and buffers their shapes and first values; the first call does it, and a loaded
   * state dict makes it needless.
   * @param input the first call's input: [N, numFeatures, ..].
   */
  initializeParameters(input: unknown): void {
    initializeNorm(this, input);
  }
}
