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

/**
 * A tensor whose elements are whatever the memory holds.
 * @param size numbers or one array of them, not negative
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded, of floats and complex numbers only (default false)
 * @param memoryFormat the order in memory (default row-major)
 * @param layout has no effect: all tensors are strided (default null)
 * @returns a tensor of `size`
 * @throws RuntimeError if a size is negative, the format has another number of dimensions or the type takes no gradient
 */
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
/**
 * A tensor of zeros.
 * @param size numbers or one array of them, not negative
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns a tensor of `size`
 * @throws RuntimeError if a size is negative
 */
export const zeros = fnOp(
  'zeros(int... size, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None)',
  (size: readonly number[], dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(ZEROS, size, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);
/**
 * A tensor of ones.
 * @param size numbers or one array of them, not negative
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns a tensor of `size`
 * @throws RuntimeError if a size is negative
 */
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
/**
 * A tensor with one value everywhere.
 * @param size an array of sizes, not negative
 * @param fillValue a number, bigint, boolean or { re, im }
 * @param dtype the type (default: the value's, int64 for whole numbers, bool for booleans, otherwise the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns a tensor of `size`
 * @throws RuntimeError if the value does not fit the type
 */
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
/**
 * A tensor whose elements are not set, with given distances in memory.
 * @param size the sizes
 * @param stride as many distances between neighbours, in elements, not negative
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 * @throws RuntimeError if sizes and strides differ in number or one is negative
 */
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

/**
 * The options of all functions named after a tensor: type and device default to the input's, requiresGrad to false,
 * memoryFormat to the input's own order if its elements fill memory without gaps; layout has no effect.
 */
const LIKE =
  'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any memoryFormat=None, any layout=None';
/**
 * A tensor with the shape of another, whose elements are not set.
 * @param input gives the shape and the defaults
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's, if its elements fill memory without gaps)
 * @returns input's shape
 */
export const emptyLike = fnOp(
  `emptyLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, null, device, format), requiresGrad),
);
/**
 * Zeros in the shape of another tensor.
 * @param input gives the shape and the defaults
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's, if its elements fill memory without gaps)
 * @returns input's shape
 */
export const zerosLike = fnOp(
  `zerosLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, 0, device, format), requiresGrad),
);
/**
 * Ones in the shape of another tensor.
 * @param input gives the shape and the defaults
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's, if its elements fill memory without gaps)
 * @returns input's shape
 */
export const onesLike = fnOp(
  `onesLike(Tensor input, ${LIKE})`,
  (input: Tensor, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean, format: unknown): Tensor =>
    finish(like(input, dtype, 1, device, format), requiresGrad),
);
/**
 * One value in the shape of another tensor.
 * @param input gives the shape and the defaults
 * @param fillValue a number, converted to the type
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's, if its elements fill memory without gaps)
 * @returns input's shape
 */
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

/**
 * The options of all methods that make a tensor beside another: type and device default to its own, requiresGrad to false;
 * layout has no effect.
 */
const NEW = 'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None';
/**
 * A tensor whose elements are not set, beside another one.
 * @param input gives type and device
 * @param size numbers or one array of them
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 */
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
/**
 * Zeros beside another tensor.
 * @param input gives type and device
 * @param size numbers or one array of them
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 */
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
/**
 * Ones beside another tensor.
 * @param input gives type and device
 * @param size numbers or one array of them
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 */
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
/**
 * One value everywhere, beside another tensor.
 * @param input gives type and device
 * @param size an array of sizes
 * @param fillValue a number that fits the type
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 */
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
/**
 * A tensor of values, as `tensor` makes it.
 * @param input gives type and device
 * @param data nested arrays, a number, a typed array or a tensor
 * @param dtype the type (default: input's)
 * @param device where it lives (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of the sizes that `data` has
 */
export const newTensor = methodOp(
  'newTensor(Tensor input, any data, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (input: Tensor, data: unknown, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(brought(fromNested(data, dtype ?? input.dtype), home(device ?? input.device)), requiresGrad),
);

/**
 * A tensor with the values of nested arrays, a number, a typed array or a tensor: always a copy without history.
 * @param data the values; arrays may hold numbers, bigints, booleans, { re, im }, tensors of one element and typed arrays
 * @param dtype the type (default: numbers give the default float type, bigints int64, booleans bool, complex numbers that of
 *   the default float type, typed arrays and tensors their own)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param pinMemory has no effect (default false)
 * @returns a tensor of the sizes that the arrays have; [] for a number
 * @throws TypeError for values of another kind; RuntimeError for arrays of uneven lengths
 */
export const tensor = fnOp(
  'tensor(any data, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, bool pinMemory=False)',
  (data: unknown, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(brought(fromNested(data, dtype), home(device)), requiresGrad),
);
/**
 * As `tensor`, but a tensor that has the type and device already is returned as it is, and others are converted with history.
 * @param data a tensor, nested arrays, a number or a typed array
 * @param dtype the type (default: as in `tensor`)
 * @param device where it lives (default: a tensor's own, else the default device)
 * @returns a tensor of the sizes that `data` has
 */
export const asTensor = fnOp(
  'asTensor(any data, ScalarType? dtype=None, Device? device=None)',
  (data: unknown, dtype: D.DType | null, device: DeviceLike | null): Tensor => {
    if (data instanceof Tensor) return dtype === null && device === null ? data : data.to(device, dtype);
    return brought(fromNested(data, dtype), home(device));
  },
);
export { asTensor as asarray };

/**
 * A tensor without dimensions that holds one number.
 * @param s the number
 * @param dtype the type (default: the default float type, whatever the number is)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a 0-d tensor
 */
export const scalarTensor = fnOp(
  'scalarTensor(Scalar s, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (s: Scalar, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(FULL, [], s, dtype ?? D.getDefaultDtype(), home(device)), requiresGrad),
);

/**
 * A 1-D tensor on a copy of raw little-endian bytes.
 * @param buffer an ArrayBuffer, Buffer or typed array
 * @param dtype the type to read the bytes as, a typed array's too (default: the default float type)
 * @param count how many elements (default -1: all that follow)
 * @param offset where to start, in bytes (default 0)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [count]
 * @throws RangeError if the bytes do not hold that many elements, or no whole number of them; TypeError for anything else
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
/**
 * Values start, start + step, ... before end: arange(end), arange(start, end) or arange(start, end, step).
 * @param start the first value; 0 where one number is given
 * @param end the bound, itself left out (default null: the one number given is the bound)
 * @param step the distance, not 0 (default 1)
 * @param dtype the type (default: int64 if all are whole numbers, else the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns [ceil((end - start) / step)]
 * @throws RuntimeError if `step` is 0 or leads away from the end, or a bound is not finite
 */
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
    const type = dtype ?? (whole ? D.int64 : D.getDefaultDtype());
    const given = [Number(start), Number(end), Number(step)] as const;
    pointsBetween('arange', ...given);
    // Integers start and step at whole numbers; those of 64 bits are counted by them, too.
    const integral = !type.isFloatingPoint && !type.isComplex && !whole;
    const [from, to, by] = integral ? (given.map(Math.trunc) as [number, number, number]) : given;
    const n = pointsBetween('arange', ...(type === D.int64 ? ([from, to, by] as const) : given));
    if (by === 0) throw new RuntimeError('step must be nonzero');
    return finish(
      integral ? invoke(ARANGE, from, by, n, type, home(device)) : invoke(ARANGE, start, step, n, type, home(device)),
      requiresGrad,
    );
  },
);
/**
 * As `arange`, with the end included and of floating point by default.
 * @param start the first value
 * @param end the last value, if a whole number of steps leads there
 * @param step the distance, not 0 (default 1)
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [floor((end - start) / step) + 1]
 * @throws RuntimeError as `arange`
 */
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
/**
 * Evenly spaced values from start to end, both included.
 * @param start a number or a tensor of one element
 * @param end a number or a tensor of one element
 * @param steps how many values, at least 0; one value is `start`
 * @param dtype the type; integers are rounded towards zero (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns [steps]
 * @throws RuntimeError if `steps` is negative
 */
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
    const type = dtype ?? D.getDefaultDtype();
    return finish(invoke(LINSPACE, endIn(type, start), endIn(type, end), steps, type, home(device)), requiresGrad);
  },
);
/** The first or last value as the result's type holds it: the values between are counted from there. */
function endIn(type: D.DType, v: Tensor | Scalar): number {
  const x = v instanceof Tensor ? Number(v.item()) : Number(v);
  if (type.isComplex || type === D.bool) return x;
  if (!type.isFloatingPoint) return Math.trunc(x);
  return type === D.float64 ? x : Number(tensor([x], { dtype: type, device: 'cpu' }).item());
}
/**
 * base to the power of evenly spaced exponents.
 * @param start the first exponent, a number or a tensor of one element
 * @param end the last exponent, likewise
 * @param steps how many values, at least 0
 * @param base a number (default 10); of a negative one fractional exponents give NaN, unless the type is complex
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns [steps]
 * @throws RuntimeError if `steps` is negative
 */
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
    const type = dtype ?? D.getDefaultDtype();
    const exponents = invoke(LINSPACE, endIn(type, start), endIn(type, end), steps, D.float64, home(device));
    // A negative number to the power of a fraction is complex, and NaN among real numbers.
    const bases = tensor([base], { dtype: type.isComplex ? D.complex128 : D.float64, device: exponents.device });
    return finish(bases.pow(exponents).to(type), requiresGrad);
  },
);
/**
 * The identity matrix: ones on the main diagonal, zeros elsewhere.
 * @param n how many rows
 * @param m how many columns (default null: as many)
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param layout has no effect (default null)
 * @returns [n, m]
 * @throws RuntimeError if a size is negative
 */
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
