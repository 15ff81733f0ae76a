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

/** The largest element of each window of [N, C, L] (or without N). */
export class MaxPool1d extends MaxPoolNd {
  /**
   * @param args kernelSize; stride (default the kernel), padding (0), dilation (1), returnIndices (false; true gives
   *   [values, places in the plane]), ceilMode (false; true keeps a last window that is not full).
   */
  constructor(...args: MaxArgumentList) {
    super('MaxPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(maxPool1d, input);
  }
}

/** The largest element of each window of [N, C, H, W] (or without N). */
export class MaxPool2d extends MaxPoolNd {
  /**
   * @param args as for `MaxPool1d`.
   */
  constructor(...args: MaxArgumentList) {
    super('MaxPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(maxPool2d, input);
  }
}

/** The largest element of each window of [N, C, D, H, W] (or without N). */
export class MaxPool3d extends MaxPoolNd {
  /**
   * @param args as for `MaxPool1d`.
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

/** Puts the maxima that `MaxPool1d` found back to their places, zeros elsewhere: [N, C, L] (or without N). */
export class MaxUnpool1d extends MaxUnpoolNd {
  /** @param args kernelSize; stride (default the kernel), padding (0), as in the pooling. */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool1d', 1, args);
  }

  /** @param indices what the pooling gave with returnIndices. @param outputSize the sizes before pooling; default the smallest. */
  override forward(input: Tensor, indices: Tensor, outputSize: UnpooledSize = null): Tensor {
    return this._unpool(maxUnpool1d, input, indices, outputSize);
  }
}

/** Puts the maxima that `MaxPool2d` found back to their places, zeros elsewhere: [N, C, H, W] (or without N). */
export class MaxUnpool2d extends MaxUnpoolNd {
  /** @param args kernelSize; stride (default the kernel), padding (0), as in the pooling. */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool2d', 2, args);
  }

  /** @param indices what the pooling gave with returnIndices. @param outputSize the sizes before pooling; default the smallest. */
  override forward(input: Tensor, indices: Tensor, outputSize: UnpooledSize = null): Tensor {
    return this._unpool(maxUnpool2d, input, indices, outputSize);
  }
}

/** Puts the maxima that `MaxPool3d` found back to their places, zeros elsewhere: [N, C, D, H, W] (or without N). */
export class MaxUnpool3d extends MaxUnpoolNd {
  /** @param args kernelSize; stride (default the kernel), padding (0), as in the pooling. */
  constructor(...args: UnpoolArgumentList) {
    super('MaxUnpool3d', 3, args);
  }

  /** @param indices what the pooling gave with returnIndices. @param outputSize the sizes before pooling; default the smallest. */
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

/** The mean of each window of [N, C, L] (or without N). */
export class AvgPool1d extends AvgPoolNd {
  /**
   * @param args kernelSize; stride (default the kernel), padding (0), ceilMode (false), countIncludePad (true: padding counts
   *   in the mean).
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

/** The mean of each window of [N, C, H, W] (or without N). */
export class AvgPool2d extends AvgPoolNd {
  /** What a sum is divided by in the place of the window's size; null for that. */
  divisorOverride: number | null;

  /** @param args as for `AvgPool1d`; divisorOverride (default none). */
  constructor(...args: AvgArgumentList) {
    super();
    const [kernel, stride, padding, ceilMode, countIncludePad, divisor] = avgSettings('AvgPool2d')(args);
    this.kernelSize = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    this.divisorOverride = divisor;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return avgPool2d.impl(
      input,
      sizes(kernelSize),
      sizes(stride),
      sizes(padding),
      ceilMode,
      countIncludePad,
      divisorOverride,
    );
  }
}

/** The mean of each window of [N, C, D, H, W] (or without N). */
export class AvgPool3d extends AvgPoolNd {
  /** What a sum is divided by in the place of the window's size; null for that. */
  divisorOverride: number | null;

  /** @param args as for `AvgPool1d`; divisorOverride (default none). */
  constructor(...args: AvgArgumentList) {
    super();
    const [kernel, stride, padding, ceilMode, countIncludePad, divisor] = avgSettings('AvgPool3d')(args);
    this.kernelSize = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
    this.divisorOverride = divisor;
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return avgPool3d.impl(
      input,
      sizes(kernelSize),
      sizes(stride),
      sizes(padding),
      ceilMode,
      countIncludePad,
      divisorOverride,
    );
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

/** (sum of x^p)^(1/p) over each window of [N, C, L] (or without N). */
export class LPPool1d extends LPPoolNd {
  /** @param args normType (p; infinite for the maximum), kernelSize; stride (default the kernel), ceilMode (false). */
  constructor(...args: LpArgumentList) {
    super('LPPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool1d, input);
  }
}

/** (sum of x^p)^(1/p) over each window of [N, C, H, W] (or without N). */
export class LPPool2d extends LPPoolNd {
  /** @param args normType (p; infinite for the maximum), kernelSize; stride (default the kernel), ceilMode (false). */
  constructor(...args: LpArgumentList) {
    super('LPPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool2d, input);
  }
}

/** (sum of x^p)^(1/p) over each window of [N, C, D, H, W] (or without N). */
export class LPPool3d extends LPPoolNd {
  /** @param args normType (p; infinite for the maximum), kernelSize; stride (default the kernel), ceilMode (false). */
  constructor(...args: LpArgumentList) {
    super('LPPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return this._pool(lpPool3d, input);
  }
}
