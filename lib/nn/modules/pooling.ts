// Pooling layers with windows of a fixed size.
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from '../../ops/pool.js';
import { isOptions } from '../../ops/signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { lpPool1d, lpPool2d, lpPool3d, maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../functional/pooling.js';
import { Module } from '../module.js';
import { pyBool, pyFloat, pyRepr, pyTuple } from '../printing.js';
import { type ArgumentsOf, perDim, settings } from './arguments.js';

/** A setting as it was given: it prints so. */
export type Size = number | readonly number[];
export const sizes = (v: Size): readonly number[] => (typeof v === 'number' ? [v] : v);

const maxSettings = (name: string) =>
  settings<
    [kernelSize: Size, stride: Size | null, padding: Size, dilation: Size, returnIndices: boolean, ceilMode: boolean]
  >()(
    `${name}(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0, int|int[] dilation=1, bool returnIndices=False, bool ceilMode=False)` as 'Pool(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0, int|int[] dilation=1, bool returnIndices=False, bool ceilMode=False)',
  );
type MaxArgumentList = ArgumentsOf<ReturnType<typeof maxSettings>>;

/** What max pooling over one to three dimensions shares. */
export abstract class MaxPoolNd extends Module {
  kernelSize: Size;
  stride: Size;
  padding: Size;
  dilation: Size;
  returnIndices: boolean;
  ceilMode: boolean;

  /**
   * @param name the class, for error messages
   * @param args the subclass's arguments
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    const [kernel, stride, padding, dilation, returnIndices, ceilMode] = maxSettings(name)(args);
    this.kernelSize = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.dilation = dilation;
    this.returnIndices = returnIndices;
    this.ceilMode = ceilMode;
  }

  /** @internal */
  _pool(op: typeof maxPool1d, x: Tensor): Tensor {
    const { kernelSize, stride, padding, dilation } = this;
    return op.impl(
      x,
      sizes(kernelSize),
      sizes(stride),
      sizes(padding),
      sizes(dilation),
      this.ceilMode,
      this.returnIndices,
    );
  }

  override extraRepr(): string {
    return `kernel_size=${pyRepr(this.kernelSize)}, stride=${pyRepr(this.stride)}, padding=${pyRepr(this.padding)}, dilation=${pyRepr(this.dilation)}, ceil_mode=${pyBool(this.ceilMode)}`;
  }
}

/**
 * The largest element of each window. Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'],
 * L' = floor((L + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1 (rounded up with
 * `ceilMode`); padding is minus infinity.
 */
export class MaxPool1d extends MaxPoolNd {
  /**
   * @param args kernelSize: the window; stride (default null: the kernel): its step; padding (default 0, at most half the
   *   kernel): on both sides; dilation (default 1): the distance between the window's elements; returnIndices (default false):
   *   true gives [values, int64 places in the plane], which `MaxUnpool1d` takes; ceilMode (default false): keeps a last window
   *   that is not full.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('MaxPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(maxPool1d, input);
  }
}

/**
 * The largest element of each window. Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'], H' and W' as
 * `MaxPool1d`'s L'.
 */
export class MaxPool2d extends MaxPoolNd {
  /**
   * @param args as for `MaxPool1d`: kernelSize; stride (default null: the kernel), padding (0), dilation (1), returnIndices
   *   (false), ceilMode (false). Sizes are one number or [height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('MaxPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(maxPool2d, input);
  }
}

/**
 * The largest element of each window. Input [N, C, D, H, W] or without N to [N, C, D', H', W'] or without N, sizes as
 * `MaxPool1d`'s L'.
 */
export class MaxPool3d extends MaxPoolNd {
  /**
   * @param args as for `MaxPool1d`: kernelSize; stride (default null: the kernel), padding (0), dilation (1), returnIndices
   *   (false), ceilMode (false). Sizes are one number or [depth, height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('MaxPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(maxPool3d, input);
  }
}

const unpoolSettings = (name: string) =>
  settings<[kernelSize: Size, stride: Size | null, padding: Size]>()(
    `${name}(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0)` as 'Unpool(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0)',
  );
type UnpoolArgumentList = ArgumentsOf<ReturnType<typeof unpoolSettings>>;
/** The sizes before pooling, by position or as `{ outputSize }`. */
type UnpooledSize = readonly number[] | { outputSize?: readonly number[] | null } | null;

/** What unpooling over one to three dimensions shares. */
export abstract class MaxUnpoolNd extends Module {
  kernelSize: number[];
  stride: number[];
  padding: number[];

  /**
   * @param name the class, for error messages
   * @param nd the number of spatial dimensions
   * @param args the subclass's arguments
   * @throws TypeError for arguments that do not fit; RuntimeError for other numbers of sizes.
   */
  constructor(name: string, nd: number, args: ArrayLike<unknown>) {
    super();
    const [kernel, stride, padding] = unpoolSettings(name)(args);
    this.kernelSize = perDim('kernel_size', kernel, nd);
    this.stride = perDim('stride', stride ?? kernel, nd);
    this.padding = perDim('padding', padding, nd);
  }

  /** @internal */
  _unpool(op: typeof maxUnpool1d, x: Tensor, indices: Tensor, size: UnpooledSize): Tensor {
    const asked = isOptions(size) ? (size.outputSize ?? null) : (size as readonly number[] | null);
    return op.impl(x, indices, this.kernelSize, this.stride, this.padding, asked);
  }

  override extraRepr(): string {
    return `kernel_size=${pyTuple(this.kernelSize)}, stride=${pyTuple(this.stride)}, padding=${pyTuple(this.padding)}`;
  }
}

/**
 * Puts the maxima that `MaxPool1d` found back to their places, zeros elsewhere.
 * Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'], L' = (L - 1) stride - 2 padding + kernelSize, or as asked for.
 */
export class MaxUnpool1d extends MaxUnpoolNd {
  /**
   * @param args kernelSize; stride (default null: the kernel), padding (default 0): those of the pooling.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool1d', 1, args);
  }

  /**
   * @param input [N, C, L] or [C, L]
   * @param indices of input's shape, int64: what the pooling gave with returnIndices.
   * @param outputSize the sizes before pooling, [.., L'] or [L'], also as `{ outputSize }`; default null: L' as above.
   * @returns [N, C, L'] or [C, L']
   * @throws RuntimeError for shapes that do not fit, a size that is not possible, or places out of range.
   */
  override forward(input: Tensor, indices: Tensor, outputSize: UnpooledSize = null): Tensor {
    return this._unpool(maxUnpool1d, input, indices, outputSize);
  }
}

/**
 * Puts the maxima that `MaxPool2d` found back to their places, zeros elsewhere.
 * Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'], sizes as `MaxUnpool1d`'s L'.
 */
export class MaxUnpool2d extends MaxUnpoolNd {
  /**
   * @param args kernelSize; stride (default null: the kernel), padding (default 0): those of the pooling, one number or
   *   [height, width].
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool2d', 2, args);
  }

  /**
   * @param input [N, C, H, W] or [C, H, W]
   * @param indices of input's shape, int64: what the pooling gave with returnIndices.
   * @param outputSize the sizes before pooling, also as `{ outputSize }`; default null: the smallest possible.
   * @returns [N, C, H', W'] or [C, H', W']
   * @throws RuntimeError for shapes that do not fit, sizes that are not possible, or places out of range.
   */
  override forward(input: Tensor, indices: Tensor, outputSize: UnpooledSize = null): Tensor {
    return this._unpool(maxUnpool2d, input, indices, outputSize);
  }
}

/**
 * Puts the maxima that `MaxPool3d` found back to their places, zeros elsewhere.
 * Input [N, C, D, H, W] or without N to [N, C, D', H', W'] or without N, sizes as `MaxUnpool1d`'s L'.
 */
export class MaxUnpool3d extends MaxUnpoolNd {
  /**
   * @param args kernelSize; stride (default null: the kernel), padding (default 0): those of the pooling, one number or
   *   [depth, height, width].
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool3d', 3, args);
  }

  /**
   * @param input [N, C, D, H, W] or [C, D, H, W]
   * @param indices of input's shape, int64: what the pooling gave with returnIndices.
   * @param outputSize the sizes before pooling, also as `{ outputSize }`; default null: the smallest possible.
   * @returns [N, C, D', H', W'] or [C, D', H', W']
   * @throws RuntimeError for shapes that do not fit, sizes that are not possible, or places out of range.
   */
  override forward(input: Tensor, indices: Tensor, outputSize: UnpooledSize = null): Tensor {
    return this._unpool(maxUnpool3d, input, indices, outputSize);
  }
}

const avg1Settings = settings<
  [kernelSize: Size, stride: Size | null, padding: Size, ceilMode: boolean, countIncludePad: boolean]
>()(
  'AvgPool1d(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0, bool ceilMode=False, bool countIncludePad=True)',
);
const avgSettings = (name: string) =>
  settings<
    [
      kernelSize: Size,
      stride: Size | null,
      padding: Size,
      ceilMode: boolean,
      countIncludePad: boolean,
      divisorOverride: number | null,
    ]
  >()(
    `${name}(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0, bool ceilMode=False, bool countIncludePad=True, int? divisorOverride=None)` as 'Pool(int|int[] kernelSize, int|int[]? stride=None, int|int[] padding=0, bool ceilMode=False, bool countIncludePad=True, int? divisorOverride=None)',
  );
type AvgArgumentList = ArgumentsOf<ReturnType<typeof avgSettings>>;

/** What average pooling over one to three dimensions shares. */
export abstract class AvgPoolNd extends Module {
  kernelSize!: Size;
  stride!: Size;
  padding!: Size;
  ceilMode!: boolean;
  countIncludePad!: boolean;

  override extraRepr(): string {
    return `kernel_size=${pyRepr(this.kernelSize)}, stride=${pyRepr(this.stride)}, padding=${pyRepr(this.padding)}`;
  }
}

/**
 * The mean of each window. Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'],
 * L' = floor((L + 2 padding - kernelSize) / stride) + 1 (rounded up with `ceilMode`); padding is zeros.
 */
export class AvgPool1d extends AvgPoolNd {
  /**
   * @param args kernelSize: the window; stride (default null: the kernel): its step; padding (default 0, at most half the
   *   kernel): on both sides; ceilMode (default false): keeps a last window that is not full; countIncludePad (default true):
   *   whether the padding counts in the mean.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof avg1Settings>) {
    super();
    const [kernel, stride, padding, ceilMode, countIncludePad] = avg1Settings(args);
    this.kernelSize = perDim('kernel_size', kernel, 1);
    this.stride = perDim('stride', stride ?? kernel, 1);
    this.padding = perDim('padding', padding, 1);
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding } = this;
    return avgPool1d.impl(
      input,
      sizes(kernelSize),
      sizes(stride),
      sizes(padding),
      this.ceilMode,
      this.countIncludePad,
      null,
    );
  }
}

/** Average pooling over two and three dimensions: sums can be divided by another number than the window's size. */
abstract class DividedAvgPool extends AvgPoolNd {
  /** What a sum is divided by in the place of the window's size; null for that. */
  divisorOverride: number | null;

  constructor(name: string, args: AvgArgumentList) {
    super();
    const [kernel, stride, padding, ceilMode, countIncludePad, divisor] = avgSettings(name)(args);
    this.kernelSize = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    this.divisorOverride = divisor;
  }

  /** @internal */
  _average(op: typeof avgPool2d, input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    const [window, step, pad] = [kernelSize, stride, padding].map(sizes) as [number[], number[], number[]];
    return op.impl(input, window, step, pad, ceilMode, countIncludePad, divisorOverride);
  }
}

/**
 * The mean of each window. Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'], H' and W' as `AvgPool1d`'s L'.
 */
export class AvgPool2d extends DividedAvgPool {
  /**
   * @param args as for `AvgPool1d`: kernelSize; stride (default null: the kernel), padding (0), ceilMode (false), countIncludePad
   *   (true); divisorOverride (default null: the number of elements): what sums are divided by. Sizes are one number or
   *   [height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: AvgArgumentList) {
    super('AvgPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._average(avgPool2d, input);
  }
}

/**
 * The mean of each window. Input [N, C, D, H, W] or without N to [N, C, D', H', W'] or without N, sizes as `AvgPool1d`'s L'.
 */
export class AvgPool3d extends DividedAvgPool {
  /**
   * @param args as for `AvgPool1d`: kernelSize; stride (default null: the kernel), padding (0), ceilMode (false), countIncludePad
   *   (true); divisorOverride (default null: the number of elements): what sums are divided by. Sizes are one number or
   *   [depth, height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: AvgArgumentList) {
    super('AvgPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._average(avgPool3d, input);
  }
}

const lpSettings = (name: string) =>
  settings<[normType: number, kernelSize: Size, stride: Size | null, ceilMode: boolean]>()(
    `${name}(float normType, int|int[] kernelSize, int|int[]? stride=None, bool ceilMode=False)` as 'Pool(float normType, int|int[] kernelSize, int|int[]? stride=None, bool ceilMode=False)',
  );
type LpArgumentList = ArgumentsOf<ReturnType<typeof lpSettings>>;

/** What power-average pooling over one to three dimensions shares. */
export abstract class LPPoolNd extends Module {
  normType: number;
  kernelSize: Size;
  stride: Size | null;
  ceilMode: boolean;

  /**
   * @param name the class, for error messages
   * @param args the subclass's arguments
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    [this.normType, this.kernelSize, this.stride, this.ceilMode] = lpSettings(name)(args);
  }

  /** @internal */
  _pool(op: typeof lpPool1d, x: Tensor): Tensor {
    const stride = this.stride === null ? null : sizes(this.stride);
    return op.impl(x, this.normType, sizes(this.kernelSize), stride, this.ceilMode);
  }

  override extraRepr(): string {
    return `norm_type=${pyFloat(this.normType)}, kernel_size=${pyRepr(this.kernelSize)}, stride=${pyRepr(this.stride)}, ceil_mode=${pyBool(this.ceilMode)}`;
  }
}

/**
 * The power average (sum of x^p)^(1/p) of each window; NaN where the sum is negative, as that of an odd power may be.
 * Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'], L' = floor((L - kernelSize) / stride) + 1 (rounded up with `ceilMode`).
 */
export class LPPool1d extends LPPoolNd {
  /**
   * @param args normType: p, Infinity for the largest |x|; kernelSize: the window; stride (default null: the kernel): its step;
   *   ceilMode (default false): keeps a last window that is not full.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: LpArgumentList) {
    super('LPPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool1d, input);
  }
}

/**
 * The power average (sum of x^p)^(1/p) of each window; NaN where the sum is negative, as that of an odd power may be.
 * Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'], H' and W' as `LPPool1d`'s L'.
 */
export class LPPool2d extends LPPoolNd {
  /**
   * @param args as for `LPPool1d`: normType, kernelSize; stride (default null: the kernel), ceilMode (false). Sizes are one
   *   number or [height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: LpArgumentList) {
    super('LPPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool2d, input);
  }
}

/**
 * The power average (sum of x^p)^(1/p) of each window; NaN where the sum is negative, as that of an odd power may be.
 * Input [N, C, D, H, W] or without N to [N, C, D', H', W'] or without N, sizes as `LPPool1d`'s L'.
 */
export class LPPool3d extends LPPoolNd {
  /**
   * @param args as for `LPPool1d`: normType, kernelSize; stride (default null: the kernel), ceilMode (false). Sizes are one
   *   number or [depth, height, width].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: LpArgumentList) {
    super('LPPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool3d, input);
  }
}
