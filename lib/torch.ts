// Functions of `torch` about the library itself: threads, memory formats, questions about tensors.
import { DType } from './core/dtype.js';
import { kindOf } from './core/errors.js';
import { addon } from './native/addon.js';
import { Tensor } from './tensor/tensor.js';

/** The version of the package. */
export const __version__ = '0.1.0';

/**
 * How many threads a kernel may use.
 * @returns FLAMBEAU_NUM_THREADS, or the processors that the process may use, unless `setNumThreads` said otherwise
 */
export function getNumThreads(): number {
  return addon.numThreads();
}

/**
 * Sets how many threads a kernel may use.
 * @param n 1 to 1024
 * @throws RuntimeError unless `n` is an integer between 1 and 1024
 * @throws TypeError unless `n` is a number
 */
export function setNumThreads(n: number): void {
  addon.setNumThreads(n);
}

/**
 * The instruction set whose kernels run, chosen by the processor at load (FLAMBEAU_ISA forces a lesser one).
 * @returns 'scalar', 'avx2', 'avx512' or 'neon'
 */
export function instructionSet(): string {
  return addon.instructionSet();
}

function needTensor(name: string, value: unknown): void {
  if (!(value instanceof Tensor))
    throw new TypeError(`${name}(): argument 'input' must be Tensor, not ${kindOf(value)}`);
}
function needDtype(name: string, value: unknown): void {
  if (!(value instanceof DType))
    throw new TypeError(`${name}(): argument 'dtype' must be a dtype, not ${kindOf(value)}`);
}

/**
 * Whether a value is a tensor, a parameter for one.
 * @param value anything
 * @returns true for a tensor
 */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}
/**
 * Whether the elements are floating-point numbers (complex ones are not).
 * @param input any tensor
 * @returns true for float16, bfloat16, float32 and float64
 * @throws TypeError unless `input` is a tensor
 */
export function isFloatingPoint(input: Tensor): boolean {
  needTensor('isFloatingPoint', input);
  return input.dtype.isFloatingPoint;
}
/**
 * Whether the elements are complex numbers.
 * @param input any tensor
 * @returns true for complex64 and complex128
 * @throws TypeError unless `input` is a tensor
 */
export function isComplex(input: Tensor): boolean {
  needTensor('isComplex', input);
  return input.dtype.isComplex;
}
/**
 * The number of elements.
 * @param input any tensor
 * @returns the product of its sizes, 1 for a scalar
 * @throws TypeError unless `input` is a tensor
 */
export function numel(input: Tensor): number {
  needTensor('numel', input);
  return input.numel();
}

/** Row-major, the last dimension fastest: a memory format, for `memoryFormat` options. */
export const contiguousFormat = 'contiguousFormat';
/** The memory order of the input: a memory format, for `memoryFormat` options. */
export const preserveFormat = 'preserveFormat';
/** Channels last in memory, of [N, C, H, W]. */
export const channelsLast = 'channelsLast';
/** Channels last in memory, of [N, C, D, H, W]. */
export const channelsLast3d = 'channelsLast3d';

/** The layout of every tensor. */
export const strided = 'strided';

/**
 * The limits of an integer type.
 * @param dtype uint8, int8, int16, int32 or int64
 * @returns `bits`, `min` and `max` (bigints for int64) and the type's name as `dtype`
 * @throws TypeError for other types and for anything but a type
 */
export function iinfo(dtype: DType): { bits: number; min: number | bigint; max: number | bigint; dtype: string } {
  needDtype('iinfo', dtype);
  if (dtype.isFloatingPoint || dtype.isComplex || dtype.name === 'bool') {
    throw new TypeError(
      `iinfo(): torch.iinfo() requires an integer input type. Use torch.finfo to handle '${dtype.name}'`,
    );
  }
  const bits = 8 * dtype.itemsize;
  if (bits === 64) return { bits, min: -(2n ** 63n), max: 2n ** 63n - 1n, dtype: dtype.name };
  const span = 2 ** bits;
  return dtype.isSigned
    ? { bits, min: -span / 2, max: span / 2 - 1, dtype: dtype.name }
    : { bits, min: 0, max: span - 1, dtype: dtype.name };
}

interface FloatInfo {
  bits: number;
  eps: number;
  max: number;
  min: number;
  tiny: number;
  smallestNormal: number;
  resolution: number;
  dtype: string;
}
/** [fraction bits, largest exponent, decimal digits] of the floating-point types. */
const FORMATS: Record<string, [number, number, number]> = {
  float16: [10, 15, 3],
  bfloat16: [7, 127, 2],
  float32: [23, 127, 6],
  float64: [52, 1023, 15],
};
/**
 * The limits of a floating-point type.
 * @param dtype a floating-point type, or a complex one, whose parts' limits are returned
 * @returns `bits`; `eps`, the distance from 1 to the next number; `max` and `min` = -max; `tiny` = `smallestNormal`, the least
 *   positive number of full precision; `resolution`, 10^-digits for the decimal digits that always survive; the type's name as
 *   `dtype`
 * @throws TypeError for other types and for anything but a type
 */
export function finfo(dtype: DType): FloatInfo {
  needDtype('finfo', dtype);
  const format = FORMATS[dtype.toReal().name];
  if (format === undefined) {
    throw new TypeError(
      `finfo(): torch.finfo() requires a floating point input type. Use torch.iinfo to handle '${dtype.name}'`,
    );
  }
  const [fraction, exponent, digits] = format;
  const max = (2 - 2 ** -fraction) * 2 ** exponent;
  const tiny = 2 ** (1 - exponent);
  return {
    bits: 8 * dtype.toReal().itemsize,
    eps: 2 ** -fraction,
    max,
    min: -max,
    tiny,
    smallestNormal: tiny,
    resolution: 10 ** -digits,
    dtype: dtype.toReal().name,
  };
}
