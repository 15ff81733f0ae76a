// What the random rows share.
import { needsGrad } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import type { Device, DeviceLike } from '../core/device.js';
import type { DType } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type NativeArgument } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { emptyLike } from './creation.js';

const EMPTY = nativeOp('empty');
const ZEROS = nativeOp('zeros');

/** A `generator` argument before it is checked. */
export type Source = unknown;

/** What random functions take by name beside their numbers. */
export interface RandomOptions {
  /** The `Generator` to draw from; the default one unless given. */
  generator?: unknown;
  /** The type of the result. */
  dtype?: DType | null;
  /** Where the result lives; the default device unless given. */
  device?: DeviceLike | null;
  /** Whether operations on the result are recorded; false unless given. */
  requiresGrad?: boolean;
}
/** The options at the end of the signatures of functions that make a random tensor of given sizes. */
export const TAIL =
  'any generator=None, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None, bool pinMemory=False';
/** The same for those that take the sizes of another tensor. */
export const LIKE =
  'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any memoryFormat=None, any generator=None, any layout=None';

/** Fills self with random values; what was there before gets no gradient. */
export function draw(node: string, self: Tensor, id: number, source: Tensor | null, ...args: NativeArgument[]): Tensor {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  invokeVoid(id, source, self, ...args);
  if (recorded) recordInPlace(node, self, [self], [], (g) => [invoke(ZEROS, g.shape, g.dtype, g)]);
  return self;
}
/** A fresh tensor with random values, at a place as `home` gives it or beside another one. */
export function fresh(
  id: number,
  source: Tensor | null,
  shape: readonly number[],
  dtype: DType,
  place: Tensor | Device | null,
  ...args: NativeArgument[]
): Tensor {
  const t = invoke(EMPTY, shape, dtype, place);
  invokeVoid(id, source, t, ...args);
  return t;
}
/** A fresh tensor with random values and the sizes, type and order in memory of another, unless they are given. */
export function freshLike(
  id: number,
  source: Tensor | null,
  input: Tensor,
  dtype: DType | null,
  device: DeviceLike | null,
  memoryFormat: unknown,
  ...args: NativeArgument[]
): Tensor {
  const t = emptyLike.impl(input, dtype, device, false, memoryFormat);
  invokeVoid(id, source, t, ...args);
  return t;
}
