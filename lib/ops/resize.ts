// Changing a tensor's size or memory in place, and looking at the memory below it.
import { needsGrad } from '../autograd/graph.js';
import { checkInPlace } from '../autograd/view.js';
import type { DType } from '../core/dtype.js';
import { type DeviceLike, home } from '../core/device.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid } from '../tensor/invoke.js';
import { readStorage, storageBytes, storageId, viewStorage } from '../tensor/storage.js';
import { Tensor, type TypedArray, typedView } from '../tensor/tensor.js';
import { methodOp, op } from './define.js';
import { finish } from './internal/finish.js';
import { reshaped } from './internal/view.js';

const RESIZE_ = nativeOp('resize_');
const SET_SOURCE = nativeOp('set_source');
const EMPTY = nativeOp('empty');
const EMPTY_STRIDED = nativeOp('empty_strided');

function resizeTo(self: Tensor, size: readonly number[]): Tensor {
  if (self.requiresGrad) throw new RuntimeError('cannot resize variables that require grad');
  checkInPlace(self, false);
  invokeVoid(RESIZE_, self, size);
  self._shape = undefined;
  return self;
}
/**
 * Gives the tensor other sizes, row-major, in place. The first elements of its memory stay; new ones are not set.
 * @param self the tensor, without gradients; its storage grows if need be
 * @param size numbers or one array of them
 * @param memoryFormat has no effect (default null: row-major)
 * @returns self
 * @throws RuntimeError if it requires a gradient, its memory cannot grow or a size is negative
 */
export const resize_ = methodOp('resize_(Tensor self, int... size, any memoryFormat=None)', resizeTo);
/**
 * Gives the tensor the sizes of another, as `resize_`.
 * @param self the tensor, without gradients
 * @param theTemplate the other tensor
 * @param memoryFormat has no effect (default null: row-major)
 * @returns self
 * @throws RuntimeError if it requires a gradient or its memory cannot grow
 */
export const resizeAs_ = op(
  'resizeAs_(Tensor self, Tensor theTemplate, any memoryFormat=None)',
  (self: Tensor, like: Tensor): Tensor => resizeTo(self, like.shape),
);
function resized(input: Tensor, size: readonly number[]): Tensor {
  const n = size.reduce((a, b) => a * b, 1);
  if (n !== input.numel()) {
    throw new RuntimeError(
      `requested resize to ${size.join('x')} (${n} elements in total), but the given tensor has a size of ${input.shape.join('x')} (${input.numel()} elements). autograd's resize can only change the shape of a given tensor, while preserving the number of elements. `,
    );
  }
  return reshaped(input, size);
}
/**
 * The elements with other sizes of the same number; `reshape` is the modern name.
 * @param input any shape
 * @param sizes numbers or one array of them
 * @returns a tensor of `sizes`: a view if possible, else a copy
 * @throws RuntimeError if the number of elements differs
 */
export const resize = methodOp('resize(Tensor input, int... sizes)', resized);
/**
 * The elements in the shape of another tensor.
 * @param input any shape
 * @param tensor a tensor with as many elements
 * @returns its shape: a view if possible, else a copy
 * @throws RuntimeError if the number of elements differs
 */
export const resizeAs = methodOp(
  'resizeAs(Tensor input, Tensor tensor)',
  (input: Tensor, tensor: Tensor): Tensor => resized(input, tensor.shape),
);

/**
 * A tensor whose elements are not set, with given distances in memory, beside another one.
 * @param input gives type and device
 * @param size the sizes
 * @param stride as many distances between neighbours, in elements, not negative
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 * @throws RuntimeError if sizes and strides differ in number or one is negative
 */
export const newEmptyStrided = methodOp(
  'newEmptyStrided(Tensor input, int[] size, int[] stride, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (
    input: Tensor,
    size: readonly number[],
    stride: readonly number[],
    dtype: DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor =>
    finish(
      invoke(EMPTY_STRIDED, size, stride, dtype ?? input.dtype, device === null ? input : home(device)),
      requiresGrad,
    ),
);

/** The block of memory below one or more tensors, seen as elements of a type. */
export class Storage {
  /** @internal */
  constructor(
    /** @internal A tensor on the memory, which keeps it alive. */
    readonly _tensor: Tensor,
    /** The type of the elements. */
    readonly dtype: DType,
  ) {}

  /** The number of elements. */
  size(): number {
    return Math.floor(this.nbytes() / this.dtype.itemsize);
  }
  /** The number of elements, as `size()`. */
  get length(): number {
    return this.size();
  }
  /** The number of bytes. */
  nbytes(): number {
    return storageBytes(this._tensor);
  }
  /** The identity of the memory: equal for tensors that share it. */
  dataPtr(): number {
    return storageId(this._tensor);
  }
  /** A copy of the elements as a typed array; 16-bit floats as their raw bits. */
  toTypedArray(): TypedArray {
    const bytes = new Uint8Array(this.size() * this.dtype.itemsize);
    readStorage(this._tensor, 0, bytes);
    return typedView(this.dtype, bytes);
  }
  /** The elements as an array of JavaScript values. */
  tolist(): unknown[] {
    return viewStorage(this._tensor, this.dtype, [this.size()], [1], 0).tolist() as unknown[];
  }
}
/**
 * The memory below the tensor, from its first byte on, whatever part of it the tensor views.
 * @returns a `Storage` of the tensor's type
 */
export const storage = methodOp('storage(Tensor input)', (input: Tensor): Storage => new Storage(input, input.dtype));

function sourceOf(
  source: unknown,
  offset: number,
  size: readonly number[] | null,
  stride: readonly number[] | null,
  self: Tensor,
): Tensor {
  if (source === null) return invoke(EMPTY, [0], self.dtype, self);
  const t = source instanceof Storage ? source._tensor : source;
  if (!(t instanceof Tensor)) throw new TypeError("set_(): argument 'source' must be a Tensor, a storage or null");
  if (source instanceof Tensor && size === null) return t;
  const dtype = source instanceof Storage ? source.dtype : t.dtype;
  const all = Math.floor(storageBytes(t) / dtype.itemsize) - offset;
  const shape = size ?? [all];
  const rowMajor = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * Math.max(1, b), 1));
  return viewStorage(t, dtype, shape, stride ?? rowMajor, offset);
}
/**
 * Makes the tensor a view of other memory, in place.
 * @param self the tensor
 * @param source a tensor, or a tensor's `storage()`, of self's type (default null: an empty tensor)
 * @param storageOffset where in that memory, in elements (default 0)
 * @param size the sizes (default null: a tensor's own geometry, or all of a storage)
 * @param stride the distances in memory, in elements (default null: row-major)
 * @returns self
 * @throws RuntimeError if the memory is of another type or not large enough; TypeError for another source
 */
export const set_ = methodOp(
  'set_(Tensor self, any source=None, int storageOffset=0, int[]? size=None, int[]? stride=None)',
  (
    self: Tensor,
    source: unknown,
    offset: number,
    size: readonly number[] | null,
    stride: readonly number[] | null,
  ): Tensor => {
    const from = sourceOf(source, offset, size, stride, self);
    checkInPlace(self, needsGrad(self));
    invokeVoid(SET_SOURCE, self, from);
    self._shape = undefined;
    return self;
  },
);
