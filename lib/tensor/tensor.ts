// The tensor: a small JavaScript object that names a strided native tensor by its handle.
import { cpu, type Device, meta } from '../core/device.js';
import { type DType, bool, dtypes } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { fitsFormat } from '../core/memory_format.js';
import { addon, FIRST, scratch } from '../native/addon.js';

/** What autograd keeps about a tensor; its fields are declared in lib/autograd. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface AutogradMeta {}

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | BigInt64Array;

/** Numbers (booleans for bool, [re, im] pairs for complex types) nested as the shape says. */
export type NestedArray = number | boolean | bigint | [number, number] | NestedArray[];

/** More values than this, as JavaScript's own, do not fit into the memory that it has, which would end the process. */
const MAX_LIST = 2 ** 26;

/** Who frees a tensor: values of `_own`. Positive values count the gradient buffers that hold it. */
export const TRACKED = 0;
/** Made inside an internal scope: nobody frees it unless that scope does. */
export const SCOPED = -1;
export const DISPOSED = -2;

/** What `_ad` of new tensors is: null, except in inference mode. */
let freshMeta: AutogradMeta | null = null;

/** @internal */
export function setFreshMeta(meta: AutogradMeta | null): void {
  freshMeta = meta;
}

/**
 * A multi-dimensional array of elements of one type, on a storage that views share.
 * Made by the functions of `torch` (`torch.tensor`, `torch.zeros`, ...), never with `new`. Memory is freed when no
 * JavaScript value refers to the tensor any more; `dispose()`, `using` and `torch.tidy` free it earlier.
 */
export class Tensor {
  /** @internal The native handle; 0 after dispose(). */
  _h: number;
  /** @internal Cached by `shape`; reset by in-place ops that change the geometry. */
  _shape: readonly number[] | undefined;
  /** @internal */
  _dtype: DType | undefined;
  /** @internal Who frees it: TRACKED, SCOPED, DISPOSED or a count of gradient buffers. */
  _own: number;
  /** @internal Autograd's state; null for a plain tensor. */
  _ad: AutogradMeta | null;

  /** @internal Wraps a native handle. Use `wrap` in invoke.ts, which also says who frees it. */
  constructor(handle: number) {
    this._h = handle;
    this._shape = undefined;
    this._dtype = undefined;
    this._own = TRACKED;
    this._ad = freshMeta;
  }

  /** The sizes of all dimensions; [] for a scalar. Do not write to it. */
  get shape(): readonly number[] {
    return this._shape ?? (this._shape = this._describe(0));
  }

  /** The type of the elements. */
  get dtype(): DType {
    if (this._dtype === undefined) {
      addon.describe(alive(this));
      this._dtype = dtypes[scratch[FIRST]!]!;
    }
    return this._dtype;
  }

  /** Where the elements live: `cpu` or `meta`. */
  get device(): Device {
    return this.isMeta ? meta : cpu;
  }

  /** Whether the tensor has sizes and a type but no elements: it is of the meta device. */
  get isMeta(): boolean {
    addon.describe(alive(this));
    return scratch[FIRST + 1] !== 0;
  }

  /** The number of dimensions; 0 for a scalar. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of dimensions, as `ndim`. */
  dim(): number {
    return this.shape.length;
  }

  /** The number of elements: the product of all sizes, 1 for a scalar. */
  numel(): number {
    addon.describe(alive(this));
    return scratch[FIRST + 3]!;
  }

  /** The number of elements, as `numel`. */
  nelement(): number {
    return this.numel();
  }

  /**
   * All sizes, or that of one dimension.
   * @param dim a dimension; negative counts from the end (default: all)
   * @returns `shape`, or a number
   * @throws RangeError for a dimension out of range
   */
  size(): readonly number[];
  size(dim: number): number;
  size(dim?: number): number | readonly number[] {
    return dim === undefined ? this.shape : this.shape[wrapDim(dim, this.ndim)]!;
  }

  /**
   * The distance in elements between neighbours along each dimension, or along one.
   * @param dim a dimension; negative counts from the end (default: all)
   * @returns a fresh array, or a number
   * @throws RangeError for a dimension out of range
   */
  stride(): number[];
  stride(dim: number): number;
  stride(dim?: number): number | number[] {
    const strides = this._describe(1);
    return dim === undefined ? strides : strides[wrapDim(dim, strides.length)]!;
  }

  /** The position of the first element in the storage, in elements. */
  storageOffset(): number {
    addon.describe(alive(this));
    return scratch[FIRST + 2]!;
  }

  /** Bytes per element. */
  elementSize(): number {
    return this.dtype.itemsize;
  }

  /** Bytes per element, as `elementSize`. */
  get itemsize(): number {
    return this.dtype.itemsize;
  }

  /** Bytes of all elements, without those that a view skips. */
  get nbytes(): number {
    return this.numel() * this.dtype.itemsize;
  }

  /**
   * Whether the elements fill memory without gaps in the order of a format.
   * @param memoryFormat `torch.contiguousFormat` (default: row-major), `torch.channelsLast` (false unless [N, C, H, W]) or
   *   `torch.channelsLast3d` (false unless [N, C, D, H, W]). Also as `{ memoryFormat }`
   * @throws TypeError for something that is no memory format
   * @throws RuntimeError for `torch.preserveFormat`
   */
  isContiguous(memoryFormat?: string | { memoryFormat?: string | null } | null): boolean {
    const format = typeof memoryFormat === 'object' ? memoryFormat?.memoryFormat : memoryFormat;
    if (format != null && format !== 'contiguousFormat') return fitsFormat(this.shape, this._describe(1), format);
    const shape = this.shape;
    const strides = this._describe(1);
    let expected = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      if (shape[d] === 0) return true;
    }
    for (let d = shape.length - 1; d >= 0; d--) {
      if (shape[d] !== 1 && strides[d] !== expected) return false;
      expected *= shape[d]!;
    }
    return true;
  }

  /** Whether the elements are floating-point numbers: float16, bfloat16, float32 or float64; complex ones are not. */
  isFloatingPoint(): boolean {
    return this.dtype.isFloatingPoint;
  }

  /** Whether the elements are complex numbers: complex64 or complex128. */
  isComplex(): boolean {
    return this.dtype.isComplex;
  }

  /** Whether the type has negative numbers: all but uint8 and bool. */
  isSigned(): boolean {
    return this.dtype.isSigned;
  }

  /** The address-like identity of the first element: equal for tensors that start at the same place. */
  dataPtr(): number {
    if (this.isMeta) return 0;
    return scratch[FIRST + 4]! * 2 ** 24 + scratch[FIRST + 2]! * this.dtype.itemsize;
  }

  /**
   * The value of a tensor with one element, of any number of dimensions.
   * @returns a number, or a boolean for bool
   * @throws RuntimeError unless there is exactly one element, for a complex tensor, and on the meta device
   * @throws RangeError for an int64 beyond 2^53 - 1 (use `itemBigInt`)
   */
  item(): number | boolean {
    const value = this._single('item');
    if (typeof value === 'bigint') {
      const n = Number(value);
      if (!Number.isSafeInteger(n)) throw new RangeError(`item(): ${value} is beyond 2^53 - 1; use itemBigInt()`);
      return n;
    }
    return this.dtype === bool ? value !== 0 : value;
  }

  /**
   * The value of a tensor with one element as a whole number, exactly; a fraction is cut off.
   * @throws RuntimeError unless there is exactly one element and it is finite, for a complex tensor, and on the meta device
   */
  itemBigInt(): bigint {
    const value = this._single('itemBigInt');
    if (typeof value === 'bigint') return value;
    if (!Number.isFinite(value)) throw new RuntimeError(`cannot convert ${value} to an integer`);
    return BigInt(Math.trunc(value));
  }

  /** @internal */
  _single(name: string): number | bigint {
    const n = this.numel();
    if (n !== 1) {
      throw new RuntimeError(`a Tensor with ${n} elements cannot be converted to Scalar`);
    }
    if (this.isMeta) throw new RuntimeError('Tensor.item() cannot be called on meta tensors');
    if (this.dtype.isComplex)
      throw new RuntimeError(`${name}(): a complex tensor has no real value; use real and imag`);
    return asNumbers(this)[0]!;
  }

  /**
   * The elements as nested arrays: [[1, 2], [3, 4]] for shape [2, 2], a bare value for a scalar.
   * @returns numbers, booleans for bool, [re, im] for complex types, bigints for int64 beyond 2^53 - 1
   * @throws RuntimeError beyond 2^26 elements (use `toTypedArray`), and on the meta device
   */
  tolist(): NestedArray {
    const arrays = this.shape.includes(0) ? this.shape.slice(0, this.shape.indexOf(0)) : this.shape;
    if (arrays.reduce((a, b) => a * b, 1) > MAX_LIST)
      throw new RuntimeError(
        `tolist(): a tensor of shape [${this.shape.join(', ')}] is too large for arrays; use toTypedArray()`,
      );
    const flat = asNumbers(this);
    const complex = this.dtype.isComplex;
    const isBool = this.dtype === bool;
    const shape = this.shape;
    let at = 0;
    const element = (): NestedArray => {
      if (complex) {
        at += 2;
        return [Number(flat[at - 2]!), Number(flat[at - 1]!)];
      }
      const value = flat[at++]!;
      if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      return isBool ? value !== 0 : value;
    };
    const nest = (dim: number): NestedArray =>
      dim === shape.length ? element() : Array.from({ length: shape[dim]! }, () => nest(dim + 1));
    return nest(0);
  }

  /**
   * A copy of the elements in row-major order.
   * @returns the typed array of the element type; float16 and bfloat16 give their raw bits in a Uint16Array, complex types
   *   interleaved pairs, bool a Uint8Array, int64 a BigInt64Array
   * @throws RuntimeError on the meta device
   */
  toTypedArray(): TypedArray {
    const dtype = this.dtype;
    const bytes = new Uint8Array(this.numel() * dtype.itemsize);
    addon.read(alive(this), bytes);
    return typedView(dtype, bytes);
  }

  /** Frees the memory now (that of a shared storage when its last view goes). The tensor cannot be used afterwards. */
  dispose(): void {
    if (this._h !== 0) addon.free(this._h);
    this._h = 0;
    this._own = DISPOSED;
    this._ad = null;
  }

  /** Frees the memory, as `dispose`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal Sizes (0) or strides (1). */
  _describe(which: 0 | 1): number[] {
    addon.describe(alive(this));
    const n = scratch[FIRST + 7]!;
    const at = FIRST + 8 + which * n;
    const out = new Array<number>(n);
    for (let i = 0; i < n; i++) out[i] = scratch[at + i]!;
    return out;
  }
}

/** @internal The handle of a tensor that has not been disposed. */
export function alive(t: Tensor): number {
  if (t._h === 0) throw new RuntimeError('the tensor was disposed and cannot be used any more');
  return t._h;
}

/**
 * A dimension counted from the front.
 * @throws RangeError in PyTorch's words if it is out of range.
 */
export function wrapDim(dim: number, ndim: number): number {
  const n = ndim === 0 ? 1 : ndim;
  if (!Number.isInteger(dim)) throw new TypeError(`a dimension must be an integer, got ${inWords(dim)}`);
  if (dim < -n || dim >= n) {
    throw new RangeError(`Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`);
  }
  return dim < 0 ? dim + n : dim;
}

/** Bytes seen as the typed array of their dtype. */
export function typedView(dtype: DType, bytes: Uint8Array): TypedArray {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = byteLength / Math.min(dtype.itemsize, 8);
  switch (dtype.name) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length);
    case 'complex64':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'float64':
    case 'complex128':
      return new Float64Array(buffer, byteOffset, length);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'int32':
      return new Int32Array(buffer, byteOffset, length);
    case 'int16':
      return new Int16Array(buffer, byteOffset, length);
    case 'int8':
      return new Int8Array(buffer, byteOffset, length);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, length);
    default:
      return bytes;
  }
}

const word = new DataView(new ArrayBuffer(4));

/** The value of a float16's bits (IEEE 754 binary16). */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
}

/** The value of a bfloat16's bits: the upper half of a float32. */
function bfloat16Value(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** The elements as numbers (bigints for int64); complex types as interleaved parts. */
export function asNumbers(t: Tensor): ArrayLike<number | bigint> {
  const raw = t.toTypedArray();
  if (t.dtype.name === 'float16') return Float64Array.from(raw as Uint16Array, float16Value);
  if (t.dtype.name === 'bfloat16') return Float64Array.from(raw as Uint16Array, bfloat16Value);
  return raw;
}
