// Padding layers.
import type { Tensor } from '../../tensor/tensor.js';
import { padOf } from '../functional/padding.js';
import { Module } from '../module.js';
import { pyFloat, pyTuple } from '../printing.js';
import { RuntimeError } from '../../core/errors.js';
import { type ArgumentsOf, settings } from './arguments.js';
import { checkDims } from './batchnorm.js';

type Size = number | readonly number[];

/** One number for every side, or one for each. */
function sides(v: Size, nd: number): number[] {
  if (typeof v === 'number') return new Array<number>(2 * nd).fill(v);
  if (v.length !== 2 * nd) throw new RuntimeError(`padding must be one number or ${2 * nd}, got [${v.join(', ')}]`);
  return [...v];
}

const padSettings = (name: string) =>
  settings<[padding: Size]>()(`${name}(int|int[] padding)` as 'Pad(int|int[] padding)');
type PadArgumentList = ArgumentsOf<ReturnType<typeof padSettings>>;

/** What padding layers share. Every padded size grows by both numbers of its pair. */
export abstract class PadNd extends Module {
  /** Pairs, the last dimension first: [left, right, top, bottom, front, back]. */
  padding: number[];

  /**
   * @param name the class, for error messages
   * @param nd how many dimensions are padded
   * @param args the subclass's argument: padding
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(name: string, nd: number, args: ArrayLike<unknown>) {
    super();
    this.padding = sides(padSettings(name)(args)[0], nd);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

const constantSettings = (name: string) =>
  settings<[padding: Size, value: number]>()(
    `${name}(int|int[] padding, float value)` as 'Pad(int|int[] padding, float value)',
  );
type ConstantArgumentList = ArgumentsOf<ReturnType<typeof constantSettings>>;

/** What padding with a value shares. Every padded size grows by both numbers of its pair. */
export abstract class ConstantPadNd extends Module {
  /** Pairs, the last dimension first. */
  padding: number[];
  value: number;

  /**
   * @param padding one number for all sides, or one for each
   * @param value what is added
   * @param nd how many dimensions are padded
   * @throws RuntimeError for another number of sides.
   */
  constructor(padding: Size, value: number, nd: number) {
    super();
    this.padding = sides(padding, nd);
    this.value = value;
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'constant', this.value);
  }

  override extraRepr(): string {
    return `padding=${pyTuple(this.padding)}, value=${this._valueText()}`;
  }

  /** @internal A value that was given as a whole number prints as PyTorch prints a float. */
  _valueText(): string {
    return pyFloat(this.value);
  }
}

/**
 * Pads the last dimension with a value: [.., L] to [.., L'],
 * L' = left + L + right.
 */
export class ConstantPad1d extends ConstantPadNd {
  /**
   * @param args padding: one number for all sides, or [left, right], negative ones cut; value: what is added.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad1d')(args);
    super(padding, value, 1);
  }
}

/**
 * Pads the last two dimensions with a value: [.., H, W] to [.., H', W'],
 * W' = left + W + right, H' = top + H + bottom.
 */
export class ConstantPad2d extends ConstantPadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom], negative ones cut; value: what is added.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad2d')(args);
    super(padding, value, 2);
  }
}

/**
 * Pads the last three dimensions with a value: [.., D, H, W] to [.., D', H', W'],
 * W' = left + W + right, H' = top + H + bottom, D' = front + D + back.
 */
export class ConstantPad3d extends ConstantPadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom, front, back], negative
   *   ones cut; value: what is added.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad3d')(args);
    super(padding, value, 3);
  }
}

/**
 * Pads the last dimension with zeros: [.., L] to [.., L'],
 * L' = left + L + right.
 */
export class ZeroPad1d extends ConstantPad1d {
  /**
   * @param args padding: one number for all sides, or [left, right], negative ones cut.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad1d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/**
 * Pads the last two dimensions with zeros: [.., H, W] to [.., H', W'],
 * W' = left + W + right, H' = top + H + bottom.
 */
export class ZeroPad2d extends ConstantPad2d {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom], negative ones cut.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad2d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/**
 * Pads the last three dimensions with zeros: [.., D, H, W] to [.., D', H', W'],
 * W' = left + W + right, H' = top + H + bottom, D' = front + D + back.
 */
export class ZeroPad3d extends ConstantPad3d {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom, front, back], negative ones cut.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit.
   */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad3d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/**
 * Pads the last dimension with elements mirrored at the edge, which is not repeated.
 * Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'],
 * L' = left + L + right.
 */
export class ReflectionPad1d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right]; less than the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/**
 * Pads the last two dimensions with elements mirrored at the edge, which is not repeated.
 * Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'],
 * W' = left + W + right, H' = top + H + bottom.
 */
export class ReflectionPad2d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom]; less than the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/**
 * Pads the last three dimensions with elements mirrored at the edge, which is not repeated.
 * Input [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'],
 * W' = left + W + right, H' = top + H + bottom, D' = front + D + back.
 */
export class ReflectionPad3d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom, front, back]; less than the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/**
 * Pads the last dimension with elements that repeat the edge.
 * Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'],
 * L' = left + L + right.
 */
export class ReplicationPad1d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right].
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions.
   */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/**
 * Pads the last two dimensions with elements that repeat the edge.
 * Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'],
 * W' = left + W + right, H' = top + H + bottom.
 */
export class ReplicationPad2d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom].
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions.
   */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/**
 * Pads the last three dimensions with elements that repeat the edge.
 * Input [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'],
 * W' = left + W + right, H' = top + H + bottom, D' = front + D + back.
 */
export class ReplicationPad3d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom, front, back].
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions.
   */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/**
 * Pads the last dimension with the elements of the opposite side.
 * Input [N, C, L] or [C, L] to [N, C, L'] or [C, L'],
 * L' = left + L + right.
 */
export class CircularPad1d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right]; at most the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('CircularPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 2, 3);
    return padOf(input, this.padding, 'circular', null);
  }
}

/**
 * Pads the last two dimensions with the elements of the opposite side.
 * Input [N, C, H, W] or [C, H, W] to [N, C, H', W'] or [C, H', W'],
 * W' = left + W + right, H' = top + H + bottom.
 */
export class CircularPad2d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom]; at most the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('CircularPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 3, 4);
    return padOf(input, this.padding, 'circular', null);
  }
}

/**
 * Pads the last three dimensions with the elements of the opposite side.
 * Input [N, C, D, H, W] or [C, D, H, W] to [N, C, D', H', W'] or [C, D', H', W'],
 * W' = left + W + right, H' = top + H + bottom, D' = front + D + back.
 */
export class CircularPad3d extends PadNd {
  /**
   * @param args padding: one number for all sides, or [left, right, top, bottom, front, back]; at most the size.
   * @throws RuntimeError for another number of sides; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions and a padding that is too large.
   */
  constructor(...args: PadArgumentList) {
    super('CircularPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 4, 5);
    return padOf(input, this.padding, 'circular', null);
  }
}
