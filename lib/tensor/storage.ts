// Raw access to the memory below tensors, for the file formats.
import { meta } from '../core/device.js';
import { type DType, uint8 } from '../core/dtype.js';
import { addon, FIRST, nativeOp, scratch } from '../native/addon.js';
import { invoke } from './invoke.js';
import { alive, type Tensor } from './tensor.js';

const EMPTY = nativeOp('empty');
const EMPTY_STRIDED = nativeOp('empty_strided');
const VIEW = nativeOp('view_storage');

/** A tensor of uint8 [nbytes] with whatever the memory holds: for callers that overwrite all of it. */
export function allocateStorageUninitialized(nbytes: number): Tensor {
  return invoke(EMPTY, [nbytes], uint8);
}

/** A tensor of the device meta: sizes, strides and a type without memory. */
export function metaTensor(dtype: DType, shape: readonly number[], stride: readonly number[]): Tensor {
  return invoke(EMPTY_STRIDED, shape, stride, dtype, meta);
}

/** The identity of the storage that `t` views: equal numbers share memory. */
export function storageId(t: Tensor): number {
  addon.describe(alive(t));
  return scratch[FIRST + 4]!;
}

/** The size in bytes of the storage that `t` views. */
export function storageBytes(t: Tensor): number {
  addon.describe(alive(t));
  return scratch[FIRST + 5]!;
}

/** Copies bytes [offset, offset + dst.length) of the storage of `t` into `dst`. */
export function readStorage(t: Tensor, offset: number, dst: Uint8Array): void {
  addon.readStorage(alive(t), offset, dst);
}

/** Copies `src` over bytes [offset, offset + src.length) of the storage of `t`. */
export function writeStorage(t: Tensor, offset: number, src: Uint8Array): void {
  addon.writeStorage(alive(t), offset, src);
}

/**
 * A view of the whole storage of `t` with a type, shape, strides and offset (in elements) of its own.
 * @throws RuntimeError unless all of it lies inside the storage and is aligned to its elements.
 */
export function viewStorage(
  t: Tensor,
  dtype: DType,
  shape: readonly number[],
  stride: readonly number[],
  offset: number,
): Tensor {
  return invoke(VIEW, t, dtype, shape, stride, offset);
}

/** A tensor of `shape` on a copy of `bytes` (row-major, little-endian). */
export function fromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  const t = invoke(EMPTY, shape, dtype);
  addon.write(t._h, bytes);
  return t;
}
