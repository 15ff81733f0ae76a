// Pooling layers with a fixed size of the result.
import { RuntimeError } from '../../core/errors.js';
import {
  type AdaptiveSize,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from '../../ops/pool.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fractionalMaxPool2d, fractionalMaxPool3d } from '../functional/pooling.js';
import { Module } from '../module.js';
import { pyRepr } from '../printing.js';
import { type ArgumentsOf, perDim, repeated, settings } from './arguments.js';
import type { Size } from './pooling.js';

/** The output's sizes: one number for all dimensions or one for each; null in their list keeps the input's. */
export type OutputSize = AdaptiveSize;

const avgSettings = (name: string) =>
  settings<[outputSize: OutputSize]>()(`${name}(int|int?[] outputSize)` as 'Pool(int|int?[] outputSize)');
type AvgArgumentList = ArgumentsOf<ReturnType<typeof avgSettings>>;

/** What adaptive average pooling over one to three dimensions shares. */
export abstract class AdaptiveAvgPoolNd extends Module {
  outputSize: OutputSize;

  /**
   * @param name the class, for error messages
   * @param args the subclass's argument
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    this.outputSize = avgSettings(name)(args)[0];
  }

  override extraRepr(): string {
    return `output_size=${pyRepr(this.outputSize)}`;
  }
}

/**
 * The means of as many windows as asked for: window i of n goes from floor(i L / n) to before ceil((i + 1) L / n).
 * Input [N, C, L] or [C, L] to [N, C, outputSize] or [C, outputSize].
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPoolNd {
  /**
   * @param args outputSize: the number of windows, or an array of it, in which null keeps the input's size.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: AvgArgumentList) {
    super('AdaptiveAvgPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveAvgPool1d(input, this.outputSize);
  }
}

/**
 * The means of as many windows as asked for, placed along each dimension as `AdaptiveAvgPool1d`'s.
 * Input [N, C, H, W] or [C, H, W] to [N, C, ...outputSize] or [C, ...outputSize].
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPoolNd {
  /**
   * @param args outputSize: one number for both dimensions or [height, width], in which null keeps the input's size.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: AvgArgumentList) {
    super('AdaptiveAvgPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveAvgPool2d(input, this.outputSize);
  }
}

/**
 * The means of as many windows as asked for, placed along each dimension as `AdaptiveAvgPool1d`'s.
 * Input [N, C, D, H, W] or [C, D, H, W] to [N, C, ...outputSize] or [C, ...outputSize].
 */
export class AdaptiveAvgPool3d extends AdaptiveAvgPoolNd {
  /**
   * @param args outputSize: one number for all dimensions or [depth, height, width], in which null keeps the input's size.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: AvgArgumentList) {
    super('AdaptiveAvgPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveAvgPool3d(input, this.outputSize);
  }
}

const maxSettings = (name: string) =>
  settings<[outputSize: OutputSize, returnIndices: boolean]>()(
    `${name}(int|int?[] outputSize, bool returnIndices=False)` as 'Pool(int|int?[] outputSize, bool returnIndices=False)',
  );
type MaxArgumentList = ArgumentsOf<ReturnType<typeof maxSettings>>;

/** What adaptive max pooling over one to three dimensions shares. */
export abstract class AdaptiveMaxPoolNd extends Module {
  outputSize: OutputSize;
  returnIndices: boolean;

  /**
   * @param name the class, for error messages
   * @param args the subclass's arguments
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    [this.outputSize, this.returnIndices] = maxSettings(name)(args);
  }

  override extraRepr(): string {
    return `output_size=${pyRepr(this.outputSize)}`;
  }
}

/**
 * The maxima of as many windows as asked for, which lie as `AdaptiveAvgPool1d`'s.
 * Input [N, C, L] or [C, L] to [N, C, outputSize] or [C, outputSize].
 */
export class AdaptiveMaxPool1d extends AdaptiveMaxPoolNd {
  /**
   * @param args outputSize: the number of windows, or an array of it, in which null keeps the input's size; returnIndices
   *   (default false): true gives [values, int64 places in the plane].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('AdaptiveMaxPool1d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveMaxPool1d(input, this.outputSize, this.returnIndices);
  }
}

/**
 * The maxima of as many windows as asked for, placed along each dimension as `AdaptiveAvgPool1d`'s.
 * Input [N, C, H, W] or [C, H, W] to [N, C, ...outputSize] or [C, ...outputSize].
 */
export class AdaptiveMaxPool2d extends AdaptiveMaxPoolNd {
  /**
   * @param args outputSize: one number or [height, width], in which null keeps the input's size; returnIndices (default false):
   *   true gives [values, int64 places in the plane].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('AdaptiveMaxPool2d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveMaxPool2d(input, this.outputSize, this.returnIndices);
  }
}

/**
 * The maxima of as many windows as asked for, placed along each dimension as `AdaptiveAvgPool1d`'s.
 * Input [N, C, D, H, W] or [C, D, H, W] to [N, C, ...outputSize] or [C, ...outputSize].
 */
export class AdaptiveMaxPool3d extends AdaptiveMaxPoolNd {
  /**
   * @param args outputSize: one number or [depth, height, width], in which null keeps the input's size; returnIndices (default
   *   false): true gives [values, int64 places in the plane].
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes or sizes that do not fit.
   */
  constructor(...args: MaxArgumentList) {
    super('AdaptiveMaxPool3d', args);
  }

  override forward(input: Tensor): Tensor {
    return adaptiveMaxPool3d(input, this.outputSize, this.returnIndices);
  }
}

const fractionalSettings = (name: string) =>
  settings<
    [
      kernelSize: Size,
      outputSize: Size | null,
      outputRatio: Size | null,
      returnIndices: boolean,
      randomSamples: Tensor | null,
    ]
  >()(
    `${name}(int|int[] kernelSize, int|int[]? outputSize=None, float|float[]? outputRatio=None, bool returnIndices=False, Tensor? RandomSamples=None)` as 'Pool(int|int[] kernelSize, int|int[]? outputSize=None, float|float[]? outputRatio=None, bool returnIndices=False, Tensor? RandomSamples=None)',
  );
type FractionalArgumentList = ArgumentsOf<ReturnType<typeof fractionalSettings>>;

/** What fractional max pooling over two and three dimensions shares. */
export abstract class FractionalMaxPoolNd extends Module {
  kernelSize: number[];
  returnIndices: boolean;
  outputSize: number[] | null;
  outputRatio: number[] | null;
  /** Numbers [N, C, dims] in [0, 1) in the place of drawn ones; null to draw. */
  declare _random_samples: Tensor | null;

  /**
   * @param name the class, for error messages
   * @param nd the number of spatial dimensions
   * @param args the subclass's arguments
   * @throws RuntimeError unless exactly one of outputSize and outputRatio is given, for ratios outside (0, 1) and for kernels
   *   that are not positive; TypeError for arguments that do not fit.
   */
  constructor(name: string, nd: number, args: ArrayLike<unknown>) {
    super();
    const [kernel, size, ratio, returnIndices, samples] = fractionalSettings(name)(args);
    this.kernelSize = perDim('kernel_size', kernel, nd);
    if (this.kernelSize.some((k) => k <= 0)) {
      throw new RuntimeError(`kernel_size must be greater than 0, but got ${pyRepr(kernel)}`);
    }
    this.returnIndices = returnIndices;
    this.registerBuffer('_random_samples', samples);
    this.outputSize = size === null ? null : perDim('output_size', size, nd);
    this.outputRatio = ratio === null ? null : repeated<number>(ratio, nd);
    if (size === null && ratio === null) {
      throw new RuntimeError(`${name} requires specifying either an output size, or a pooling ratio`);
    }
    if (size !== null && ratio !== null)
      throw new RuntimeError('only one of output_size and output_ratio may be specified');
    if (this.outputRatio !== null && !this.outputRatio.every((r) => r > 0 && r < 1)) {
      throw new RuntimeError(`output_ratio must be between 0 and 1 (got ${pyRepr(ratio)})`);
    }
  }
}

/**
 * The largest elements of windows that start at random places, whose steps average to a fraction
 * (https://arxiv.org/abs/1412.6071). Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'], the sizes as given or
 * floor(size ratio). Buffer: `_random_samples`, the numbers given, or null.
 */
export class FractionalMaxPool2d extends FractionalMaxPoolNd {
  /**
   * @param args kernelSize: the window, one number or [height, width]; outputSize (default null): the output's sizes, or
   *   outputRatio (default null): their share of the input's, between 0 and 1; returnIndices (default false): true gives [values,
   *   int64 places in the plane]; RandomSamples (default null: drawn at every call): [N, C, 2] of numbers in [0, 1).
   * @throws RuntimeError unless exactly one of outputSize and outputRatio is given, or for values out of range; TypeError for
   *   arguments that do not fit. The call throws RuntimeError for an input that is too small.
   */
  constructor(...args: FractionalArgumentList) {
    super('FractionalMaxPool2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, outputSize, outputRatio, returnIndices } = this;
    return fractionalMaxPool2d.impl(input, kernelSize, outputSize, outputRatio, returnIndices, this._random_samples);
  }
}

/**
 * The largest elements of windows that start at random places, whose steps average to a fraction
 * (https://arxiv.org/abs/1412.6071). Input [N, C, D, H, W] or without N to [N, C, D', H', W'] or without N, the sizes as given or
 * floor(size ratio). Buffer: `_random_samples`, the numbers given, or null.
 */
export class FractionalMaxPool3d extends FractionalMaxPoolNd {
  /**
   * @param args kernelSize: the window, one number or [depth, height, width]; outputSize (default null): the output's sizes, or
   *   outputRatio (default null): their share of the input's, between 0 and 1; returnIndices (default false): true gives [values,
   *   int64 places in the plane]; RandomSamples (default null: drawn at every call): [N, C, 3] of numbers in [0, 1).
   * @throws RuntimeError unless exactly one of outputSize and outputRatio is given, or for values out of range; TypeError for
   *   arguments that do not fit. The call throws RuntimeError for an input that is too small.
   */
  constructor(...args: FractionalArgumentList) {
    super('FractionalMaxPool3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    const { kernelSize, outputSize, outputRatio, returnIndices } = this;
    return fractionalMaxPool3d.impl(input, kernelSize, outputSize, outputRatio, returnIndices, this._random_samples);
  }
}
