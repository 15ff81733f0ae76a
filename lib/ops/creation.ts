// Fresh tensors. All take { dtype, device, requiresGrad } by name.
import { type Device, type DeviceLike, home } from '../core/device.js';
import * as D from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { formatStrides, keepsFormat } from '../core/memory_format.js';
import { nativeOp } from '../native/addon.js';
import { invoke, type Scalar } from '../tensor/invoke.js';
import { fromBytes } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp, methodOp } from './define.js';
import { fromNested } from './nested.js';
import { brought, finish } from './internal/finish.js';

const EMPTY = nativeOp('empty');
const EMPTY_STRIDED = nativeOp('empty_strided');
const ZEROS = nativeOp('zeros');
const FULL = nativeOp('full');
const ARANGE = nativeOp('arange');
const LINSPACE = nativeOp('linspace');
const LIKE_OP = nativeOp('like');

/** A tensor of the given sizes whose elements are whatever the memory holds. */
export const empty = fnOp(
  'empty(int... size, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any memoryFormat=None, any layout=None)',
  (
    size: readonly number[],
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
  ): Tensor => {
    const type = dtype ?? D.getDefaultDtype();
    const t = keepsFormat(format)
      ? invoke(EMPTY, size, type, home(device))
      : invoke(EMPTY_STRIDED, size, formatStrides(size, format), type, home(device));
    return finish(t, requiresGrad);
  },
);
/** Zeros. */
export const zeros = fnOp(
  'zeros(int... size, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (size: readonly number[], dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(ZEROS, size, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);
/** Ones. */
export const ones = fnOp(
  'ones(int... size, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (size: readonly number[], dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(FULL, size, 1, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);

/** The type of a number without a dtype. */
function dtypeOfScalar(v: Scalar): D.DType {
  if (typeof v === 'boolean') return D.bool;
  if (typeof v === 'bigint') return D.int64;
  return typeof v === 'object' ? D.getDefaultDtype().toComplex() : D.getDefaultDtype();
}
/** A tensor of the given sizes with one value; a whole number without a dtype is int64, as in PyTorch. */
export const full = fnOp(
  'full(int[] size, Scalar fillValue, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (
    size: readonly number[],
    fillValue: Scalar,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    const natural = typeof fillValue === 'number' && Number.isInteger(fillValue) ? D.int64 : dtypeOfScalar(fillValue);
    return finish(invoke(FULL, size, fillValue, dtype ?? natural, home(device)), requiresGrad);
  },
);
/** A tensor with the given strides. */
export const emptyStrided = fnOp(
  'emptyStrided(int[] size, int[] stride, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (
    size: readonly number[],
    stride: readonly number[],
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(invoke(EMPTY_STRIDED, size, stride, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);

/** Where a tensor made for another one goes: to its device, unless one is given. */
const beside = (input: Tensor, device: DeviceLike | null): Tensor | Device | null =>
  device === null ? input : home(device);

/** A tensor with the sizes and, unless a format says otherwise, the order in memory of another; null leaves it unset. */
function like(
  input: Tensor,
  dtype: D.DType | null,
  value: Scalar | null,
  device: DeviceLike | null,
  format: unknown,
): Tensor {
  const type = dtype ?? input.dtype;
  const own = keepsFormat(format);
  if (own && device === null) return invoke(LIKE_OP, input, type, value);
  const strides = own ? invoke(LIKE_OP, input, type, null).stride() : formatStrides(input.shape, format);
  const t = invoke(EMPTY_STRIDED, input.shape, strides, type, beside(input, device));
  return value === null ? t : t.fill_(value);
}

const LIKE =
  'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any memoryFormat=None, any layout=None';
/** As `empty`, with the sizes and type of another tensor. */
export const emptyLike = fnOp(
  `emptyLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, null, device, format), requiresGrad),
);
/** Zeros of the input's shape; type and device are the input's unless given. */
export const zerosLike = fnOp(
  `zerosLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, 0, device, format), requiresGrad),
);
/** Ones of the input's shape; type and device are the input's unless given. */
export const onesLike = fnOp(
  `onesLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, 1, device, format), requiresGrad),
);
/** One value in the input's shape; type and device are the input's unless given. */
export const fullLike = fnOp(
  `fullLike(Tensor input, Scalar fillValue, ${LIKE})`,
  (
    input: Tensor,
    fillValue: Scalar,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
  ): Tensor => finish(like(input, dtype, fillValue, device, format), requiresGrad),
);

const NEW = 'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None';
/** A fresh tensor with the type of this one, unless `dtype` says otherwise. */
export const newEmpty = methodOp(
  `newEmpty(Tensor input, int... size, ${NEW})`,
  (
    input: Tensor,
    size: readonly number[],
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(invoke(EMPTY, size, dtype ?? input.dtype, beside(input, device)), requiresGrad),
);
/** Zeros of a shape, of this tensor's type unless given. */
export const newZeros = methodOp(
  `newZeros(Tensor input, int... size, ${NEW})`,
  (
    input: Tensor,
    size: readonly number[],
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(invoke(ZEROS, size, dtype ?? input.dtype, beside(input, device)), requiresGrad),
);
/** Ones of a shape, of this tensor's type unless given. */
export const newOnes = methodOp(
  `newOnes(Tensor input, int... size, ${NEW})`,
  (
    input: Tensor,
    size: readonly number[],
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(invoke(FULL, size, 1, dtype ?? input.dtype, beside(input, device)), requiresGrad),
);
/** One value in a shape, of this tensor's type unless given. */
export const newFull = methodOp(
  `newFull(Tensor input, int[] size, Scalar fillValue, ${NEW})`,
  (
    input: Tensor,
    size: readonly number[],
    fillValue: Scalar,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(invoke(FULL, size, fillValue, dtype ?? input.dtype, beside(input, device)), requiresGrad),
);
/** A tensor of nested arrays or numbers, of this tensor's type unless given. */
export const newTensor = methodOp(
  'newTensor(Tensor input, any data, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (input: Tensor, data: unknown, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(brought(fromNested(data, dtype ?? input.dtype), home(device ?? input.device)), requiresGrad),
);

/**
 * A tensor with the values of nested arrays, a number or a typed array (copied).
 * @param data without a dtype: numbers become the default float type, bigints int64, booleans bool, typed arrays keep
 *   their own type.
 * @throws TypeError for values of another kind; RuntimeError for arrays of uneven lengths.
 */
export const tensor = fnOp(
  'tensor(any data, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, bool pinMemory=False)',
  (data: unknown, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(brought(fromNested(data, dtype), home(device)), requiresGrad),
);
/** As `tensor`, but a tensor that has the type already is returned as it is. */
export const asTensor = fnOp(
  'asTensor(any data, ScalarType? dtype=None, Device? device=None)',
  (data: unknown, dtype: D.DType | null, device: DeviceLike | null): Tensor => {
    if (data instanceof Tensor) return dtype === null && device === null ? data : data.to(device, dtype);
    return brought(fromNested(data, dtype), home(device));
  },
);
export { asTensor as asarray };

/** A 0-d tensor of a number. */
export const scalarTensor = fnOp(
  'scalarTensor(Scalar s, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (s: Scalar, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(FULL, [], s, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);

/**
 * A 1-D tensor on a copy of raw little-endian bytes.
 * @param buffer an ArrayBuffer, Buffer or typed array.
 * @param dtype the type of the elements; a typed array's own by default.
 * @param count how many elements; -1 takes all.
 * @param offset where to start, in bytes.
 * @throws RangeError if the bytes do not hold that many elements.
 */
export const frombuffer = fnOp(
  'frombuffer(any buffer, ScalarType? dtype=None, int count=-1, int offset=0, bool requiresGrad=False)',
  (buffer: unknown, dtype: D.DType | null, count: number, offset: number, requiresGrad: boolean): Tensor => {
    const view = ArrayBuffer.isView(buffer)
      ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      : buffer instanceof ArrayBuffer ||
          (typeof buffer === 'object' && Object.prototype.toString.call(buffer) === '[object ArrayBuffer]')
        ? new Uint8Array(buffer as ArrayBuffer)
        : null;
    if (view === null)
      throw new TypeError(`frombuffer(): argument 'buffer' must be a buffer or a typed array, not ${kindOf(buffer)}`);
    const type = dtype ?? D.getDefaultDtype();
    const room = view.byteLength - offset;
    if (view.byteLength === 0 || offset < 0 || offset >= view.byteLength) {
      throw new RangeError(
        `offset (${offset} bytes) must be non-negative and no greater than buffer length (${view.byteLength} bytes) minus 1`,
      );
    }
    const n = count < 0 ? Math.floor(room / type.itemsize) : count;
    if (count < 0 && room % type.itemsize !== 0) {
      throw new RangeError(
        `buffer length (${room} bytes) after offset (${offset} bytes) must be a multiple of element size (${type.itemsize})`,
      );
    }
    if (n * type.itemsize > room || n === 0) {
      throw new RangeError(
        `requested buffer length (${n} * ${type.itemsize} bytes) after offset (${offset} bytes) must not be greater than actual buffer length (${view.byteLength} bytes)`,
      );
    }
    return finish(fromBytes(type, [n], view.slice(offset, offset + n * type.itemsize)), requiresGrad);
  },
);

function isWhole(v: Scalar): boolean {
  return typeof v === 'bigint' || (typeof v === 'number' && Number.isInteger(v));
}
/** The number of points from start to end (excluded) in steps. */
function pointsBetween(name: string, start: number, end: number, step: number): number {
  if (step === 0) throw new RuntimeError('step must be nonzero');
  if (!Number.isFinite(start) || !Number.isFinite(end)) throw new RuntimeError(`unsupported range: ${start} -> ${end}`);
  if (step > 0 ? end < start : end > start) {
    throw new RuntimeError('upper bound and lower bound inconsistent with step sign');
  }
  const n = Math.ceil((end - start) / step);
  if (n > Number.MAX_SAFE_INTEGER) throw new RuntimeError(`${name}(): invalid size, possible overflow`);
  return n;
}
/** Values from start to end (excluded) in steps: arange(end), arange(start, end), arange(start, end, step). */
export const arange = fnOp(
  'arange(Scalar start, Scalar? end=None, Scalar step=1, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (
    first: Scalar,
    second: Scalar | null,
    step: Scalar,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    const [start, end] = second === null ? [0, first] : [first, second];
    const whole = isWhole(start) && isWhole(end) && isWhole(step);
    const n = pointsBetween('arange', Number(start), Number(end), Number(step));
    return finish(
      invoke(ARANGE, start, step, n, dtype ?? (whole ? D.int64 : D.getDefaultDtype()), home(device)),
      requiresGrad,
    );
  },
);
/** As `arange`, with the end included and float by default. */
export const range = fnOp(
  'range(Scalar start, Scalar end, Scalar step=1, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (
    start: Scalar,
    end: Scalar,
    step: Scalar,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    pointsBetween('range', Number(start), Number(end), Number(step));
    const n = Math.floor((Number(end) - Number(start)) / Number(step)) + 1;
    return finish(invoke(ARANGE, start, step, n, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad);
  },
);
/** `steps` values evenly spaced from start to end, both included. */
export const linspace = fnOp(
  'linspace(Tensor|Scalar start, Tensor|Scalar end, int steps, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (
    start: Tensor | Scalar,
    end: Tensor | Scalar,
    steps: number,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    if (steps < 0) throw new RuntimeError('number of steps must be non-negative');
    return finish(
      invoke(LINSPACE, numberOf(start), numberOf(end), steps, dtype ?? D.getDefaultDtype(), home(device)),
      requiresGrad,
    );
  },
);
function numberOf(v: Tensor | Scalar): number {
  return v instanceof Tensor ? Number(v.item()) : Number(v);
}
/** base to the power of `linspace(start, end, steps)`. */
export const logspace = fnOp(
  'logspace(Tensor|Scalar start, Tensor|Scalar end, int steps, float base=10, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (
    start: Tensor | Scalar,
    end: Tensor | Scalar,
    steps: number,
    base: number,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    if (steps < 0) throw new RuntimeError('number of steps must be non-negative');
    const exponents = invoke(LINSPACE, numberOf(start), numberOf(end), steps, D.float64, home(device));
    const powers =
      steps === 1
        ? tensor([base], { dtype: D.float64, device: exponents.device }).pow(exponents)
        : exponents.mul(Math.log(base)).exp();
    return finish(powers.to(dtype ?? D.getDefaultDtype()), requiresGrad);
  },
);
/** The identity matrix of n rows and m columns. */
export const eye = fnOp(
  'eye(int n, int? m=None, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (n: number, m: number | null, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor => {
    const columns = m ?? n;
    if (n < 0 || columns < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${Math.min(n, columns)}`);
    const t = invoke(ZEROS, [n, columns], dtype ?? D.getDefaultDtype(), home(device));
    t.diagonal().fill_(1);
    return finish(t, requiresGrad);
  },
);
