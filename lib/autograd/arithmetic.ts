// The few operations that autograd itself computes with. It knows no op: lib/ops installs them at load.
import type { Device } from '../core/device.js';
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** Operations on gradients. "Recorded" ones are differentiable; the others never see gradient mode. */
export interface Arithmetic {
  /** a + b, recorded. */
  add(a: Tensor, b: Tensor): Tensor;
  /** a += b, not recorded. */
  addInPlace(a: Tensor, b: Tensor): void;
  /** A row-major copy, recorded. */
  clone(t: Tensor): Tensor;
  /** A copy with the strides of `like` if those are dense, else row-major; recorded. */
  cloneLike(t: Tensor, like: Tensor): Tensor;
  /** `target.copy_(source)`, recorded. */
  copyInPlace(target: Tensor, source: Tensor): void;
  /** Sums over broadcast dimensions until the sizes are `shape`; recorded. */
  sumTo(t: Tensor, shape: readonly number[]): Tensor;
  /** Converts the type, recorded; complex to real takes the real part. */
  cast(t: Tensor, dtype: DType): Tensor;
  onesLike(t: Tensor): Tensor;
  /** Zeros on a device, or on that of a tensor. */
  zeros(shape: readonly number[], dtype: DType, place: Tensor | Device): Tensor;
  /** A tensor on the same memory without history; with `shareVersion` in-place changes of one are seen by the other. */
  alias(t: Tensor, shareVersion: boolean): Tensor;
  /** Counts a change in place, so that what was saved of the tensor before is out of date. */
  bump(t: Tensor): void;
  /** Whether an element is not a number. */
  hasNan(t: Tensor): boolean;
  /** Tensors of equal sizes along a new first dimension; recorded. */
  stack(list: readonly Tensor[]): Tensor;
  /** The slices along the first dimension; recorded. */
  unbind(t: Tensor): Tensor[];
  /** The same elements with other sizes; recorded. */
  reshape(t: Tensor, shape: readonly number[]): Tensor;
  /** Row-major elements as a tensor, on the device of another one; complex types take interleaved pairs. */
  fromNumbers(values: ArrayLike<number>, shape: readonly number[], dtype: DType, beside: Tensor | null): Tensor;
}

/** The installed operations; null until lib/ops is loaded. */
export let arithmetic: Arithmetic;

/** @internal Called once by lib/ops. */
export function installArithmetic(operations: Arithmetic): void {
  if (arithmetic !== undefined) throw new RuntimeError('installArithmetic(): the operations are already there');
  arithmetic = operations;
}
