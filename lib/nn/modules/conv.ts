// Convolutions.
import { RuntimeError } from '../../core/errors.js';
import { conv1d, conv2d, conv3d } from '../../ops/conv.js';
import type { Tensor } from '../../tensor/tensor.js';
import { padOf } from '../functional/padding.js';
import { _calculateFanInAndFanOut, kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { pyTuple } from '../printing.js';
import {
  type ArgumentsOf,
  type DeviceSetting,
  type DTypeSetting,
  newParameter,
  perDim,
  settings,
} from './arguments.js';

export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';
type Size = number | readonly number[];
type Padding = Size | 'valid' | 'same';

/** The settings of a convolution, one number per spatial dimension. */
export interface ConvSettings {
  inChannels: number;
  outChannels: number;
  kernelSize: number[];
  stride: number[];
  padding: number[] | 'valid' | 'same';
  dilation: number[];
  transposed: boolean;
  outputPadding: number[];
  groups: number;
  bias: boolean;
  paddingMode: PaddingMode;
  device: DeviceSetting;
  dtype: DTypeSetting;
}

const PADDINGS: readonly unknown[] = ['same', 'valid'];
const MODES: readonly string[] = ['zeros', 'reflect', 'replicate', 'circular'];

/**
 * What convolutions and their transposes share: settings, parameters and printing.
 * Parameters: `weight` [outChannels, inChannels / groups, ...kernelSize] ([inChannels, outChannels / groups, ...kernelSize] of
 * transposed ones), `bias` [outChannels] or null.
 */
export abstract class ConvNd extends Module {
  inChannels: number;
  outChannels: number;
  /** One number per spatial dimension; so are stride, padding, dilation and outputPadding. */
  kernelSize: number[];
  stride: number[];
  padding: number[] | 'valid' | 'same';
  dilation: number[];
  transposed: boolean;
  outputPadding: number[];
  groups: number;
  paddingMode: PaddingMode;
  declare weight: Parameter;
  declare bias: Parameter | null;

  /**
   * @param s the settings, complete, with one number per spatial dimension.
   * @throws RuntimeError for groups that are not positive or do not divide both numbers of channels, for an unknown padding or
   *   padding mode, and for padding 'same' with a stride.
   */
  constructor(s: ConvSettings) {
    super();
    if (s.groups <= 0) throw new RuntimeError('groups must be a positive integer');
    if (s.inChannels % s.groups !== 0) throw new RuntimeError('in_channels must be divisible by groups');
    if (s.outChannels % s.groups !== 0) throw new RuntimeError('out_channels must be divisible by groups');
    if (typeof s.padding === 'string') {
      if (!PADDINGS.includes(s.padding)) {
        throw new RuntimeError(`Invalid padding string '${String(s.padding)}', should be one of {'same', 'valid'}`);
      }
      if (s.padding === 'same' && s.stride.some((n) => n !== 1)) {
        throw new RuntimeError("padding='same' is not supported for strided convolutions");
      }
    }
    if (!MODES.includes(s.paddingMode)) {
      throw new RuntimeError(
        `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${s.paddingMode}'`,
      );
    }
    this.inChannels = s.inChannels;
    this.outChannels = s.outChannels;
    this.kernelSize = s.kernelSize;
    this.stride = s.stride;
    this.padding = s.padding;
    this.dilation = s.dilation;
    this.transposed = s.transposed;
    this.outputPadding = s.outputPadding;
    this.groups = s.groups;
    this.paddingMode = s.paddingMode;
    const [first, second] = s.transposed ? [s.inChannels, s.outChannels] : [s.outChannels, s.inChannels];
    this.weight = newParameter([first, second / s.groups, ...s.kernelSize], s.device, s.dtype);
    if (s.bias) this.bias = newParameter([s.outChannels], s.device, s.dtype);
    else this.registerParameter('bias', null);
    this.resetParameters();
  }

  /**
   * Draws weight and bias anew from U(-k, k), k = 1 / sqrt(fan in), the fan in being weight.size(1) times the kernel's volume.
   */
  resetParameters(): void {
    kaimingUniform_(this.weight, Math.sqrt(5));
    if (this.bias === null) return;
    const [fanIn] = _calculateFanInAndFanOut(this.weight);
    if (fanIn === 0) return;
    const bound = 1 / Math.sqrt(fanIn);
    uniform_(this.bias, -bound, bound);
  }

  /** @internal The padding as `F.pad` takes it: pairs, the last dimension first. */
  get _padPairs(): number[] {
    const pairs: number[] = [];
    for (let d = this.kernelSize.length - 1; d >= 0; d--) {
      if (Array.isArray(this.padding)) pairs.push(this.padding[d]!, this.padding[d]!);
      else if (this.padding === 'valid') pairs.push(0, 0);
      else {
        const total = this.dilation[d]! * (this.kernelSize[d]! - 1);
        const left = Math.floor(total / 2);
        pairs.push(left, total - left);
      }
    }
    return pairs;
  }

  override extraRepr(): string {
    const same = (v: readonly number[], n: number): boolean => v.every((x) => x === n);
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${pyTuple(this.kernelSize)}, stride=${pyTuple(this.stride)}`;
    if (!Array.isArray(this.padding)) text += `, padding=${this.padding}`;
    else if (!same(this.padding, 0)) text += `, padding=${pyTuple(this.padding)}`;
    if (!same(this.dilation, 1)) text += `, dilation=${pyTuple(this.dilation)}`;
    if (!same(this.outputPadding, 0)) text += `, output_padding=${pyTuple(this.outputPadding)}`;
    if (this.groups !== 1) text += `, groups=${this.groups}`;
    if (this.bias === null) text += ', bias=False';
    if (this.paddingMode !== 'zeros') text += `, padding_mode=${this.paddingMode}`;
    return text;
  }
}

type ConvArguments = [
  inChannels: number,
  outChannels: number,
  kernelSize: Size,
  stride: Size,
  padding: Padding,
  dilation: Size,
  groups: number,
  bias: boolean,
  paddingMode: PaddingMode,
  device: DeviceSetting,
  dtype: DTypeSetting,
];
type ConvText =
  "Conv(int inChannels, int outChannels, int|int[] kernelSize, int|int[] stride=1, any padding=0, int|int[] dilation=1, int groups=1, bool bias=True, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)";
const convSettings = (name: string) =>
  settings<ConvArguments>()(
    `${name}(int inChannels, int outChannels, int|int[] kernelSize, int|int[] stride=1, any padding=0, int|int[] dilation=1, int groups=1, bool bias=True, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)` as ConvText,
  );
export type ConvArgumentList = ArgumentsOf<ReturnType<typeof convSettings>>;
const READERS = [convSettings('Conv1d'), convSettings('Conv2d'), convSettings('Conv3d')];

function readConv(nd: 1 | 2 | 3, args: ArrayLike<unknown>): ConvSettings {
  const [inChannels, outChannels, kernel, stride, padding, dilation, groups, bias, paddingMode, device, dtype] =
    READERS[nd - 1]!(args);
  const isSize = typeof padding === 'number' || Array.isArray(padding);
  if (!isSize && typeof padding !== 'string') {
    throw new TypeError(`Conv${nd}d(): argument 'padding' must be int, int[] or str, not ${typeof padding}`);
  }
  return {
    inChannels,
    outChannels,
    kernelSize: perDim('kernel_size', kernel, nd),
    stride: perDim('stride', stride, nd),
    padding: isSize ? perDim('padding', padding as Size, nd) : (padding as 'valid' | 'same'),
    dilation: perDim('dilation', dilation, nd),
    transposed: false,
    outputPadding: new Array<number>(nd).fill(0),
    groups,
    bias,
    paddingMode,
    device,
    dtype,
  };
}

const ZEROS: readonly (readonly number[])[] = [[0], [0, 0], [0, 0, 0]];

/** @internal A convolution layer's forward. */
function convolve(layer: ConvNd, op: typeof conv1d, input: Tensor): Tensor {
  const { weight, bias, stride, dilation, groups } = layer;
  if (layer.paddingMode === 'zeros') return op.impl(input, weight, bias, stride, layer.padding, dilation, groups);
  const padded = padOf(input, layer._padPairs, layer.paddingMode, null);
  return op.impl(padded, weight, bias, stride, ZEROS[layer.kernelSize.length - 1]!, dilation, groups);
}

/**
 * Cross-correlation over one dimension: y[n, o, t] = bias[o] + sum over c, k of weight[o, c, k] x[n, c, t stride + k dilation].
 * Input [N, inChannels, L] or [inChannels, L], to output [N, outChannels, L'] or [outChannels, L'],
 * L' = floor((L + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1.
 * Parameters: `weight` [outChannels, inChannels / groups, kernelSize], `bias` [outChannels] (null without); both start from
 * U(-k, k), k = 1 / sqrt(inChannels kernelSize / groups).
 */
export class Conv1d extends ConvNd {
  /**
   * @param args inChannels, outChannels: channels before and after; kernelSize: the window; stride (default 1): its step; padding
   *   (default 0): what is added at both ends, or 'valid' (none) or 'same' (so that L' = L); dilation (default 1): the distance
   *   between the window's elements; groups (default 1): into how many independent parts the channels fall; bias (default true);
   *   paddingMode (default 'zeros'; 'reflect', 'replicate', 'circular'): what is added; device, dtype (default null: the default
   *   ones): of the parameters. Sizes are numbers or arrays of one number.
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind. The call throws RuntimeError
   *   for an input with other channels or shorter than the kernel.
   */
  constructor(...args: ConvArgumentList) {
    super(readConv(1, args));
  }

  override forward(input: Tensor): Tensor {
    return convolve(this, conv1d, input);
  }
}

/**
 * Cross-correlation over two dimensions: `Conv1d`'s sum over the height and the width of the kernel.
 * Input [N, inChannels, H, W] or [inChannels, H, W], to output [N, outChannels, H', W'] or [outChannels, H', W'], H' and W' as
 * `Conv1d`'s L'.
 * Parameters: `weight` [outChannels, inChannels / groups, kh, kw], `bias` [outChannels] (null without);
 * both start from U(-k, k), k = 1 / sqrt(inChannels kh kw / groups).
 */
export class Conv2d extends ConvNd {
  /**
   * @param args as for `Conv1d`: inChannels, outChannels, kernelSize; stride (default 1), padding (0), dilation (1), groups (1),
   *   bias (true), paddingMode ('zeros'), device, dtype (null). Sizes are one number for both dimensions or [height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind. The call throws RuntimeError
   *   for an input with other channels or smaller than the kernel.
   */
  constructor(...args: ConvArgumentList) {
    super(readConv(2, args));
  }

  override forward(input: Tensor): Tensor {
    return convolve(this, conv2d, input);
  }
}

/**
 * Cross-correlation over three dimensions: `Conv1d`'s sum over depth, height and width of the kernel.
 * Input [N, inChannels, D, H, W] or without N, to output [N, outChannels, D', H', W'] or without N, sizes as `Conv1d`'s L'.
 * Parameters: `weight` [outChannels, inChannels / groups, kd, kh, kw], `bias` [outChannels] (null without);
 * both start from U(-k, k), k = 1 / sqrt(inChannels kd kh kw / groups).
 */
export class Conv3d extends ConvNd {
  /**
   * @param args as for `Conv1d`: inChannels, outChannels, kernelSize; stride (default 1), padding (0), dilation (1), groups (1),
   *   bias (true), paddingMode ('zeros'), device, dtype (null). Sizes are one number for all dimensions
   *   or [depth, height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind. The call throws RuntimeError
   *   for an input with other channels or smaller than the kernel.
   */
  constructor(...args: ConvArgumentList) {
    super(readConv(3, args));
  }

  override forward(input: Tensor): Tensor {
    return convolve(this, conv3d, input);
  }
}
