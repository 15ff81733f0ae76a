// Layers that move elements: flattening, unfolding, shuffling, resizing; and distances.
import { flatten, unflatten } from '../../ops/view.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cosineSimilarity, pairwiseNorm } from '../functional/distance.js';
import { fold, unfold } from '../functional/fold.js';
import { interpolateOf } from '../functional/interpolate.js';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../functional/vision.js';
import { Module } from '../module.js';
import { pyFloat, pyRepr, pyString } from '../printing.js';
import { type ArgumentsOf, settings } from './arguments.js';

type Size = number | readonly number[];
const sizes = (v: Size): readonly number[] => (typeof v === 'number' ? [v] : v);

const flattenSettings = settings<[startDim: number, endDim: number]>()('Flatten(int startDim=1, int endDim=-1)');
/** Dimensions startDim to endDim as one. */
export class Flatten extends Module {
  startDim: number;
  endDim: number;
  /** @param args startDim (default 1), endDim (-1). */
  constructor(...args: ArgumentsOf<typeof flattenSettings>) {
    super();
    [this.startDim, this.endDim] = flattenSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return flatten.impl(input, this.startDim, this.endDim);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

const unflattenSettings = settings<[dim: number, unflattenedSize: readonly number[]]>()(
  'Unflatten(int dim, any unflattenedSize)',
);
/** One dimension as several. */
export class Unflatten extends Module {
  dim: number;
  unflattenedSize: number[];
  /**
   * @param args dim, unflattenedSize: an array; one size may be -1.
   * @throws TypeError unless the sizes are integers.
   */
  constructor(...args: ArgumentsOf<typeof unflattenSettings>) {
    super();
    const [dim, given] = unflattenSettings(args);
    if (!Array.isArray(given)) {
      throw new TypeError(`unflattened_size must be a tuple of ints, but found type ${typeof given}`);
    }
    given.forEach((n: unknown, i) => {
      if (!Number.isInteger(n)) {
        throw new TypeError(
          `unflattened_size must be tuple of ints, but found element of type ${typeof n} at pos ${i}`,
        );
      }
    });
    this.dim = dim;
    this.unflattenedSize = [...given];
  }
  override forward(input: Tensor): Tensor {
    return unflatten.impl(input, this.dim, this.unflattenedSize);
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${pyRepr(this.unflattenedSize)}`;
  }
}

const foldSettings = settings<[outputSize: Size, kernelSize: Size, dilation: Size, padding: Size, stride: Size]>()(
  'Fold(int|int[] outputSize, int|int[] kernelSize, int|int[] dilation=1, int|int[] padding=0, int|int[] stride=1)',
);
/** Columns summed back into images: [N, C kh kw, L] to [N, C, H, W] (or without N). */
export class Fold extends Module {
  outputSize: Size;
  kernelSize: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  /** @param args outputSize, kernelSize; dilation (default 1), padding (0), stride (1). */
  constructor(...args: ArgumentsOf<typeof foldSettings>) {
    super();
    [this.outputSize, this.kernelSize, this.dilation, this.padding, this.stride] = foldSettings(args);
  }
  override forward(input: Tensor): Tensor {
    const { outputSize, kernelSize, dilation, padding, stride } = this;
    return fold.impl(input, sizes(outputSize), sizes(kernelSize), sizes(dilation), sizes(padding), sizes(stride));
  }
  override extraRepr(): string {
    return `output_size=${pyRepr(this.outputSize)}, kernel_size=${pyRepr(this.kernelSize)}, dilation=${pyRepr(this.dilation)}, padding=${pyRepr(this.padding)}, stride=${pyRepr(this.stride)}`;
  }
}

const unfoldSettings = settings<[kernelSize: Size, dilation: Size, padding: Size, stride: Size]>()(
  'Unfold(int|int[] kernelSize, int|int[] dilation=1, int|int[] padding=0, int|int[] stride=1)',
);
/** The windows of images as columns: [N, C, H, W] to [N, C kh kw, L] (or without N). */
export class Unfold extends Module {
  kernelSize: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  /** @param args kernelSize; dilation (default 1), padding (0), stride (1). */
  constructor(...args: ArgumentsOf<typeof unfoldSettings>) {
    super();
    [this.kernelSize, this.dilation, this.padding, this.stride] = unfoldSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return unfold.impl(input, sizes(this.kernelSize), sizes(this.dilation), sizes(this.padding), sizes(this.stride));
  }
  override extraRepr(): string {
    return `kernel_size=${pyRepr(this.kernelSize)}, dilation=${pyRepr(this.dilation)}, padding=${pyRepr(this.padding)}, stride=${pyRepr(this.stride)}`;
  }
}

const upscaleSettings = settings<[upscaleFactor: number]>()('PixelShuffle(int upscaleFactor)');
/** Channels become pixels: [.., C r^2, H, W] to [.., C, H r, W r] (https://arxiv.org/abs/1609.05158). */
export class PixelShuffle extends Module {
  upscaleFactor: number;
  /** @param args upscaleFactor (r). */
  constructor(...args: ArgumentsOf<typeof upscaleSettings>) {
    super();
    [this.upscaleFactor] = upscaleSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return pixelShuffle.impl(input, this.upscaleFactor);
  }
  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

const downscaleSettings = settings<[downscaleFactor: number]>()('PixelUnshuffle(int downscaleFactor)');
/** Pixels become channels: [.., C, H r, W r] to [.., C r^2, H, W]. */
export class PixelUnshuffle extends Module {
  downscaleFactor: number;
  /** @param args downscaleFactor (r). */
  constructor(...args: ArgumentsOf<typeof downscaleSettings>) {
    super();
    [this.downscaleFactor] = downscaleSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return pixelUnshuffle.impl(input, this.downscaleFactor);
  }
  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

const channelSettings = settings<[groups: number]>()('ChannelShuffle(int groups)');
/** Interleaves the channels of groups: [N, C, ..] (https://arxiv.org/abs/1707.01083). */
export class ChannelShuffle extends Module {
  groups: number;
  /** @param args groups. */
  constructor(...args: ArgumentsOf<typeof channelSettings>) {
    super();
    [this.groups] = channelSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return channelShuffle.impl(input, this.groups);
  }
  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}

type Scale = number | readonly number[];
const upsampleSettings = settings<
  [
    size: Size | null,
    scaleFactor: Scale | null,
    mode: string,
    alignCorners: boolean | null,
    recomputeScaleFactor: boolean | null,
  ]
>()(
  "Upsample(int|int[]? size=None, float|float[]? scaleFactor=None, str mode='nearest', bool? alignCorners=None, bool? recomputeScaleFactor=None)",
);
/** Images of another size: see `F.interpolate`. */
export class Upsample extends Module {
  size: Size | null;
  scaleFactor: Scale | null;
  mode: string;
  alignCorners: boolean | null;
  recomputeScaleFactor: boolean | null;
  /** @param args size or scaleFactor; mode (default 'nearest'), alignCorners, recomputeScaleFactor. */
  constructor(...args: ArgumentsOf<typeof upsampleSettings>) {
    super();
    [this.size, this.scaleFactor, this.mode, this.alignCorners, this.recomputeScaleFactor] = upsampleSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return interpolateOf(
      input,
      this.size,
      this.scaleFactor,
      this.mode,
      this.alignCorners,
      this.recomputeScaleFactor,
      false,
    );
  }
  override extraRepr(): string {
    const { scaleFactor } = this;
    const by =
      scaleFactor === null
        ? `size=${pyRepr(this.size)}`
        : `scale_factor=${typeof scaleFactor === 'number' ? pyFloat(scaleFactor) : `(${scaleFactor.map(pyFloat).join(', ')}${scaleFactor.length === 1 ? ',' : ''})`}`;
    return `${by}, mode=${pyString(this.mode)}`;
  }
}

const upsample2dSettings = (name: string) =>
  settings<[size: Size | null, scaleFactor: Scale | null]>()(
    `${name}(int|int[]? size=None, float|float[]? scaleFactor=None)` as 'X(int|int[]? size=None, float|float[]? scaleFactor=None)',
  );
type Upsample2dArgumentList = ArgumentsOf<ReturnType<typeof upsample2dSettings>>;
/** `Upsample` of [N, C, H, W] with mode 'nearest'. */
export class UpsamplingNearest2d extends Upsample {
  /** @param args size or scaleFactor. */
  constructor(...args: Upsample2dArgumentList) {
    const [size, scaleFactor] = upsample2dSettings('UpsamplingNearest2d')(args);
    super(size, scaleFactor, 'nearest');
  }
}
/** `Upsample` of [N, C, H, W] with mode 'bilinear' and aligned corners. */
export class UpsamplingBilinear2d extends Upsample {
  /** @param args size or scaleFactor. */
  constructor(...args: Upsample2dArgumentList) {
    const [size, scaleFactor] = upsample2dSettings('UpsamplingBilinear2d')(args);
    super(size, scaleFactor, 'bilinear', true);
  }
}

const cosineSettings = settings<[dim: number, eps: number]>()('CosineSimilarity(int dim=1, float eps=1e-08)');
/** The cosine of the angle between vectors along a dimension. */
export class CosineSimilarity extends Module {
  dim: number;
  eps: number;
  /** @param args dim (default 1), eps (1e-8). */
  constructor(...args: ArgumentsOf<typeof cosineSettings>) {
    super();
    [this.dim, this.eps] = cosineSettings(args);
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity.impl(x1, x2, this.dim, this.eps);
  }
}

const pairwiseSettings = settings<[p: number, eps: number, keepdim: boolean]>()(
  'PairwiseDistance(float p=2, float eps=1e-06, bool keepdim=False)',
);
/** The p-norm of x1 - x2 over the last dimension. */
export class PairwiseDistance extends Module {
  norm: number;
  eps: number;
  keepdim: boolean;
  /** @param args p (default 2), eps (1e-6), keepdim (false). */
  constructor(...args: ArgumentsOf<typeof pairwiseSettings>) {
    super();
    [this.norm, this.eps, this.keepdim] = pairwiseSettings(args);
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseNorm(x1, x2, this.norm, this.eps, this.keepdim);
  }
}
