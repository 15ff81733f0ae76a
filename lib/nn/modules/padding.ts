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

/** What padding layers share. */
export abstract class PadNd extends Module {
  /** Pairs, the last dimension first: [left, right, top, bottom, front, back]. */
  padding: number[];

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

/** What padding with a value shares. */
export abstract class ConstantPadNd extends Module {
  /** Pairs, the last dimension first. */
  padding: number[];
  value: number;

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

/** Pads the last one dimension with a value. */
export class ConstantPad1d extends ConstantPadNd {
  /** @param args padding (one number, or [left, right]), value. */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad1d')(args);
    super(padding, value, 1);
  }
}

/** Pads the last two dimensions with a value. */
export class ConstantPad2d extends ConstantPadNd {
  /** @param args padding (one number, or [left, right, top, bottom]), value. */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad2d')(args);
    super(padding, value, 2);
  }
}

/** Pads the last three dimensions with a value. */
export class ConstantPad3d extends ConstantPadNd {
  /** @param args padding (one number, or [left, right, top, bottom, front, back]), value. */
  constructor(...args: ConstantArgumentList) {
    const [padding, value] = constantSettings('ConstantPad3d')(args);
    super(padding, value, 3);
  }
}

/** Pads the last one dimension with zeros. */
export class ZeroPad1d extends ConstantPad1d {
  /** @param args padding: one number, or [left, right]. */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad1d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/** Pads the last two dimensions with zeros. */
export class ZeroPad2d extends ConstantPad2d {
  /** @param args padding: one number, or [left, right, top, bottom]. */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad2d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/** Pads the last three dimensions with zeros. */
export class ZeroPad3d extends ConstantPad3d {
  /** @param args padding: one number, or [left, right, top, bottom, front, back]. */
  constructor(...args: PadArgumentList) {
    super(padSettings('ZeroPad3d')(args)[0], 0);
  }

  override extraRepr(): string {
    return pyTuple(this.padding);
  }
}

/** Pads [N, C, L] (or without N) with elements mirrored at the edge, which is not repeated. */
export class ReflectionPad1d extends PadNd {
  /** @param args padding: one number, or [left, right]. */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/** Pads [N, C, H, W] (or without N) with elements mirrored at the edge, which is not repeated. */
export class ReflectionPad2d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom]. */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/** Pads [N, C, D, H, W] (or without N) with elements mirrored at the edge, which is not repeated. */
export class ReflectionPad3d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom, front, back]. */
  constructor(...args: PadArgumentList) {
    super('ReflectionPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'reflect', null);
  }
}

/** Pads [N, C, L] (or without N) with elements that repeat the edge. */
export class ReplicationPad1d extends PadNd {
  /** @param args padding: one number, or [left, right]. */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/** Pads [N, C, H, W] (or without N) with elements that repeat the edge. */
export class ReplicationPad2d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom]. */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/** Pads [N, C, D, H, W] (or without N) with elements that repeat the edge. */
export class ReplicationPad3d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom, front, back]. */
  constructor(...args: PadArgumentList) {
    super('ReplicationPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    return padOf(input, this.padding, 'replicate', null);
  }
}

/** Pads [N, C, L] (or without N) with the elements of the opposite side. */
export class CircularPad1d extends PadNd {
  /** @param args padding: one number, or [left, right]. */
  constructor(...args: PadArgumentList) {
    super('CircularPad1d', 1, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 2, 3);
    return padOf(input, this.padding, 'circular', null);
  }
}

/** Pads [N, C, H, W] (or without N) with the elements of the opposite side. */
export class CircularPad2d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom]. */
  constructor(...args: PadArgumentList) {
    super('CircularPad2d', 2, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 3, 4);
    return padOf(input, this.padding, 'circular', null);
  }
}

/** Pads [N, C, D, H, W] (or without N) with the elements of the opposite side. */
export class CircularPad3d extends PadNd {
  /** @param args padding: one number, or [left, right, top, bottom, front, back]. */
  constructor(...args: PadArgumentList) {
    super('CircularPad3d', 3, args);
  }

  override forward(input: Tensor): Tensor {
    checkDims(input, 4, 5);
    return padOf(input, this.padding, 'circular', null);
  }
}
