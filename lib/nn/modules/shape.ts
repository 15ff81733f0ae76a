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
/** Dimensions startDim to endDim as one: [N, d1, .., dk] to [N, d1 .. dk] by default. A view where memory allows it. */
export class Flatten extends Module {
  startDim: number;
  endDim: number;
  /**
   * @param args startDim (default 1), endDim (default -1): the first and the last of the dimensions.
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a dimension out of range, RuntimeError for a
   *   startDim behind endDim.
   */
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
/** One dimension as several: [.., n, ..] to [.., ...unflattenedSize, ..], a view. */
export class Unflatten extends Module {
  dim: number;
  unflattenedSize: number[];
  /**
   * @param args dim: the dimension; unflattenedSize: an array of sizes with the product n, one of which may be -1.
   * @throws TypeError unless the sizes are integers. The call throws RuntimeError for sizes that do not fit.
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
/**
 * Columns summed back into images, which undoes `Unfold` but for places in several windows: they add up.
 * Input [N, C kh kw, L] or [C kh kw, L] to [N, C, H, W] or [C, H, W], H and W being outputSize and L the number of windows, the
 * product over both dimensions of floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
 */
export class Fold extends Module {
  outputSize: Size;
  kernelSize: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  /**
   * @param args outputSize: H and W; kernelSize: kh and kw; dilation (default 1), padding (default 0), stride (default 1): of the
   *   windows, as for a convolution. Each is one number or [height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for sizes that do not fit.
   */
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
/**
 * The windows of images as columns. Input [N, C, H, W] or [C, H, W] to [N, C kh kw, L] or [C kh kw, L], L being the number of
 * windows, the product over both dimensions of floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
 */
export class Unfold extends Module {
  kernelSize: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  /**
   * @param args kernelSize: kh and kw; dilation (default 1), padding (default 0), stride (default 1): of the windows, as for a
   *   convolution. Each is one number or [height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError if no window fits.
   */
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
/**
 * Channels become pixels (https://arxiv.org/abs/1609.05158): [.., C r^2, H, W] to [.., C, H r, W r], r being upscaleFactor.
 */
export class PixelShuffle extends Module {
  upscaleFactor: number;
  /**
   * @param args upscaleFactor: r, positive.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError if r^2 does not divide the channels.
   */
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
/**
 * Pixels become channels, the reverse of `PixelShuffle`: [.., C, H r, W r] to [.., C r^2, H, W], r being downscaleFactor.
 */
export class PixelUnshuffle extends Module {
  downscaleFactor: number;
  /**
   * @param args downscaleFactor: r, positive.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError if r does not divide both sizes.
   */
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
/**
 * Interleaves the channels of groups (https://arxiv.org/abs/1707.01083): [N, C, ..] as [N, groups, C / groups, ..] with these
 * dimensions swapped, in the shape [N, C, ..].
 */
export class ChannelShuffle extends Module {
  groups: number;
  /**
   * @param args groups: how many.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError if groups does not divide the channels.
   */
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
/**
 * Images of another size, by interpolation: see `F.interpolate` for the modes.
 * Input [N, C, L], [N, C, H, W] or [N, C, D, H, W] to the same with new sizes, those given or floor(size scaleFactor).
 */
export class Upsample extends Module {
  size: Size | null;
  scaleFactor: Scale | null;
  mode: string;
  alignCorners: boolean | null;
  recomputeScaleFactor: boolean | null;
  /**
   * @param args size (default null) or scaleFactor (default null): the new sizes, or what the old ones are multiplied by, one
   *   number or one per dimension; mode (default 'nearest'; 'linear', 'bilinear', 'bicubic', 'trilinear' ..); alignCorners
   *   (default null: false): whether the corners' centres of both images are the same point; recomputeScaleFactor (default null:
   *   false): whether the quotient of the sizes is used in the place of scaleFactor.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError unless exactly one of size and scaleFactor is
   *   given, and for an input that the mode does not take.
   */
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
/** `Upsample` with mode 'nearest': [N, C, H, W] to [N, C, H', W']. */
export class UpsamplingNearest2d extends Upsample {
  /**
   * @param args size (default null) or scaleFactor (default null): the new sizes, or what the old ones are multiplied by.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError unless exactly one of them is given.
   */
  constructor(...args: Upsample2dArgumentList) {
    const [size, scaleFactor] = upsample2dSettings('UpsamplingNearest2d')(args);
    super(size, scaleFactor, 'nearest');
  }
}
/** `Upsample` with mode 'bilinear' and aligned corners: [N, C, H, W] to [N, C, H', W']. */
export class UpsamplingBilinear2d extends Upsample {
  /**
   * @param args size (default null) or scaleFactor (default null): the new sizes, or what the old ones are multiplied by.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError unless exactly one of them is given.
   */
  constructor(...args: Upsample2dArgumentList) {
    const [size, scaleFactor] = upsample2dSettings('UpsamplingBilinear2d')(args);
    super(size, scaleFactor, 'bilinear', true);
  }
}

const cosineSettings = settings<[dim: number, eps: number]>()('CosineSimilarity(int dim=1, float eps=1e-08)');
/**
 * The cosine of the angle between vectors along a dimension: x1 . x2 / (max(|x1|, eps) max(|x2|, eps)).
 * Inputs that broadcast together, floating-point, to their common shape without the dimension.
 */
export class CosineSimilarity extends Module {
  dim: number;
  eps: number;
  /**
   * @param args dim (default 1): the dimension of the vectors; eps (default 1e-8): the least length.
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a dimension out of range.
   */
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
/**
 * The distance of vectors, the p-norm of x1 - x2 + eps over the last dimension.
 * Inputs [N, D] or [D], which broadcast together, to [N] or [] ([N, 1] or [1] with `keepdim`).
 */
export class PairwiseDistance extends Module {
  norm: number;
  eps: number;
  keepdim: boolean;
  /**
   * @param args p (default 2): the norm; eps (default 1e-6): added to every difference; keepdim (default false): whether the last
   *   dimension stays, with size one.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes that do not broadcast.
   */
  constructor(...args: ArgumentsOf<typeof pairwiseSettings>) {
    super();
    [this.norm, this.eps, this.keepdim] = pairwiseSettings(args);
  }
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseNorm(x1, x2, this.norm, this.eps, this.keepdim);
  }
}
