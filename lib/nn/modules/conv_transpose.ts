// Transposed convolutions.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { convTranspose1d, convTranspose2d, convTranspose3d } from '../../ops/conv.js';
import type { Tensor } from '../../tensor/tensor.js';
import { isOptions } from '../../ops/signature.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, perDim, settings } from './arguments.js';
import { ConvNd, type ConvSettings, type PaddingMode } from './conv.js';

type Size = number | readonly number[];
type TransposeArguments = [
  inChannels: number,
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
type TransposeText =
  "Conv(int inChannels, int outChannels, int|int[] kernelSize, int|int[] stride=1, int|int[] padding=0, int|int[] outputPadding=0, int groups=1, bool bias=True, int|int[] dilation=1, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)";
const transposeSettings = (name: string) =>
  settings<TransposeArguments>()(
    `${name}(int inChannels, int outChannels, int|int[] kernelSize, int|int[] stride=1, int|int[] padding=0, int|int[] outputPadding=0, int groups=1, bool bias=True, int|int[] dilation=1, str paddingMode='zeros', Device? device=None, ScalarType? dtype=None)` as TransposeText,
  );
export type ConvTransposeArgumentList = ArgumentsOf<ReturnType<typeof transposeSettings>>;
const READERS = [
  transposeSettings('ConvTranspose1d'),
  transposeSettings('ConvTranspose2d'),
  transposeSettings('ConvTranspose3d'),
];

function readTranspose(nd: 1 | 2 | 3, args: ArrayLike<unknown>): ConvSettings {
  const [
    inChannels,
    outChannels,
    kernel,
    stride,
    padding,
    outputPadding,
    groups,
    bias,
    dilation,
    paddingMode,
    device,
    dtype,
  ] = READERS[nd - 1]!(args);
  if (paddingMode !== 'zeros') {
    throw new RuntimeError(`Only "zeros" padding mode is supported for ConvTranspose${nd}d`);
  }
  return {
    inChannels,
    outChannels,
    kernelSize: perDim('kernel_size', kernel, nd),
    stride: perDim('stride', stride, nd),
    padding: perDim('padding', padding, nd),
    dilation: perDim('dilation', dilation, nd),
    transposed: true,
    outputPadding: perDim('output_padding', outputPadding, nd),
    groups,
    bias,
    paddingMode,
    device,
    dtype,
  };
}

/**
 * The output sizes asked for: [.., spatial] or the spatial ones alone, by position or as `{ outputSize }`; null for the smallest.
 */
export type OutputSize = readonly number[] | { outputSize?: readonly number[] | null } | null;

/** What transposed convolutions of all dimensions share. */
export abstract class ConvTransposeNd extends ConvNd {
  /** @internal What is added at the end so that the result has the sizes asked for. */
  _outputPadding(input: Tensor, outputSize: OutputSize): number[] {
    const asked = isOptions(outputSize) ? (outputSize.outputSize ?? null) : (outputSize as readonly number[] | null);
    if (asked === null) return this.outputPadding;
    if (!Array.isArray(asked)) throw new TypeError(`argument 'outputSize' must be a list, not ${kindOf(asked)}`);
    const nd = this.kernelSize.length;
    const lead = input.ndim === nd + 2 ? 2 : 1;
    const size = asked.length === lead + nd ? asked.slice(lead) : asked;
    if (size.length !== nd) {
      throw new RuntimeError(
        `ConvTranspose${nd}D: for ${input.ndim}D input, output_size must have ${nd} or ${lead + nd} elements (got ${size.length})`,
      );
    }
    const padding = this.padding as number[];
    const least = this.kernelSize.map(
      (k, d) => (input.size(d + lead) - 1) * this.stride[d]! - 2 * padding[d]! + this.dilation[d]! * (k - 1) + 1,
    );
    const most = least.map((n, d) => n + this.stride[d]! - 1);
    if (size.some((n, d) => n < least[d]! || n > most[d]!)) {
      throw new RuntimeError(
        `requested an output size of [${size.join(', ')}], but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of torch.Size([${input.shape.slice(2).join(', ')}]))`,
      );
    }
    return size.map((n, d) => n - least[d]!);
  }

  /** @internal */
  _transpose(op: typeof convTranspose1d, input: Tensor, outputSize: OutputSize): Tensor {
    const extra = this._outputPadding(input, outputSize);
    const { weight, bias, stride, groups, dilation } = this;
    return op.impl(input, weight, bias, stride, this.padding as number[], extra, groups, dilation);
  }
}

/**
 * The transpose of `Conv1d`, which is its gradient by the input; it scatters every element over a window.
 * Input [N, inChannels, L] or [inChannels, L], to output [N, outChannels, L'] or [outChannels, L'],
 * L' = (L - 1) stride - 2 padding + dilation (kernelSize - 1) + outputPadding + 1.
 * Parameters: `weight` [inChannels, outChannels / groups, kernelSize], `bias` [outChannels] (null without); both start from
 * U(-k, k), k = 1 / sqrt(outChannels kernelSize / groups).
 */
export class ConvTranspose1d extends ConvTransposeNd {
  /**
   * @param args inChannels, outChannels: channels before and after; kernelSize: the window; stride (default 1): its step in the
   *   output; padding (default 0): how much of both ends of the output is cut; outputPadding (default 0): what is added at its
   *   end; groups (default 1): into how many independent parts the channels fall; bias (default true); dilation (default 1): the
   *   distance between the window's elements; paddingMode ('zeros', the only one); device, dtype
   *   (default null: the default ones).
   * @throws RuntimeError for settings that do not fit together or another paddingMode, TypeError for one of a wrong kind.
   */
  constructor(...args: ConvTransposeArgumentList) {
    super(readTranspose(1, args));
  }

  /**
   * @param input [N, inChannels, L] or [inChannels, L]
   * @param outputSize which of the sizes that this stride allows; default null: the smallest, plus outputPadding.
   * @returns [N, outChannels, L'] or [outChannels, L']
   * @throws RuntimeError for other channels or a size that is not possible.
   */
  override forward(input: Tensor, outputSize: OutputSize = null): Tensor {
    return this._transpose(convTranspose1d, input, outputSize);
  }
}

/**
 * The transpose of `Conv2d`, which is its gradient by the input.
 * Input [N, inChannels, H, W] or without N, to output [N, outChannels, H', W'] or without N, sizes as `ConvTranspose1d`'s L'.
 * Parameters: `weight` [inChannels, outChannels / groups, kh, kw], `bias` [outChannels] (null without);
 * both start from U(-k, k), k = 1 / sqrt(outChannels kh kw / groups).
 */
export class ConvTranspose2d extends ConvTransposeNd {
  /**
   * @param args as for `ConvTranspose1d`: inChannels, outChannels, kernelSize; stride (default 1), padding (0), outputPadding
   *   (0), groups (1), bias (true), dilation (1), paddingMode ('zeros'), device, dtype (null). Sizes
   *   are one number or [height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: ConvTransposeArgumentList) {
    super(readTranspose(2, args));
  }

  override forward(input: Tensor, outputSize: OutputSize = null): Tensor {
    return this._transpose(convTranspose2d, input, outputSize);
  }
}

/**
 * The transpose of `Conv3d`, which is its gradient by the input.
 * Input [N, inChannels, D, H, W] or without N, to output [N, outChannels, D', H', W'] or without N, sizes as `ConvTranspose1d`'s
 * L'. Parameters: `weight` [inChannels, outChannels / groups, kd, kh, kw], `bias` [outChannels] (null without);
 * both start from U(-k, k), k = 1 / sqrt(outChannels kd kh kw / groups).
 */
export class ConvTranspose3d extends ConvTransposeNd {
  /**
   * @param args as for `ConvTranspose1d`: inChannels, outChannels, kernelSize; stride (default 1), padding (0), outputPadding
   *   (0), groups (1), bias (true), dilation (1), paddingMode ('zeros'), device, dtype (null). Sizes are one number or
   *   [depth, height, width].
   * @throws RuntimeError for settings that do not fit together, TypeError for one of a wrong kind.
   */
  constructor(...args: ConvTransposeArgumentList) {
    super(readTranspose(3, args));
  }

  override forward(input: Tensor, outputSize: OutputSize = null): Tensor {
    return this._transpose(convTranspose3d, input, outputSize);
  }
}
