// Functions of `torch` about the library itself: threads, memory formats, questions about tensors.
import { DType } from './core/dtype.js';
import { kindOf, RuntimeError } from './core/errors.js';
import { addon } from './native/addon.js';
import { Tensor } from './tensor/tensor.js';

/** The version of the package. */
export const __version__ = '0.1.0';
/** The version of the package, and of what it was built for: nothing but the CPU. */
export const version = Object.freeze({ __version__, debug: false, cuda: null, hip: null, xpu: null });

/** The ratio of a circle's circumference to its diameter. */
export const pi = Math.PI;
/** Euler's number. */
export const e = Math.E;
/** Infinity. */
export const inf = Number.POSITIVE_INFINITY;
/** Not a number. */
export const nan = Number.NaN;
/** What stands for a new axis in `index`. */
export const newaxis = null;

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

/** Limits of a type, printed as PyTorch prints them. */
class Limits {
  /** @internal */
  constructor(title: string, shown: readonly (readonly [name: string, value: number | bigint])[], dtype: string) {
    const values = [...shown.map(([name, value]) => `${name}=${sixDigits(Number(value))}`), `dtype=${dtype}`];
    const text = `${title}(${values.join(', ')})`;
    for (const name of ['toString', Symbol.for('nodejs.util.inspect.custom')]) {
      Object.defineProperty(this, name, { value: () => text });
    }
  }
}

/** A number as C++ streams write it: six digits, halves to even, and an exponent of at least two. */
function sixDigits(value: number): string {
  const seven = value.toExponential(6);
  const half = Number(seven) === value && /[02468]5e/.test(seven);
  const rounded = half ? seven.replace('5e', 'e') : value.toExponential(5);
  const [digits, exponent] = rounded.split('e') as [string, string];
  const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (Number(exponent) >= -4 && Number(exponent) < 6) return trimmed(Number(rounded).toPrecision(6));
  return `${trimmed(digits)}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

/** The limits of an integer type. */
interface IntegerInfo {
  bits: number;
  /** A bigint for the types of 64 bits. */
  min: number | bigint;
  max: number | bigint;
  dtype: string;
}

/**
 * The limits of an integer type.
 * @param dtype an integer type, signed or unsigned
 * @returns `bits`, `min` and `max` (bigints for int64 and uint64) and the type's name as `dtype`
 * @throws TypeError for other types and for anything but a type
 */
export function iinfo(dtype: DType): IntegerInfo {
  needDtype('iinfo', dtype);
  if (!/^u?int\d+$/.test(dtype.name)) {
    const fraction = dtype.isFloatingPoint || dtype.isComplex;
    throw new TypeError(
      fraction
        ? `torch.iinfo() requires an integer input type. Use torch.finfo to handle '${String(dtype)}'`
        : `${String(dtype)} is not supported by torch.iinfo`,
    );
  }
  const bits = 8 * dtype.itemsize;
  const [low, high] = dtype.isSigned ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1)] : [0n, 2n ** BigInt(bits)];
  const number = bits === 64 ? (v: bigint): bigint => v : Number;
  const [min, max] = [number(low), number(high - 1n)];
  const shown = new Limits('iinfo', Object.entries({ min, max }), dtype.name);
  return Object.assign(shown, { bits, min, max, dtype: dtype.name });
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
 * @throws RuntimeError for the types of 8 bits and less
 */
export function finfo(dtype: DType): FloatInfo {
  needDtype('finfo', dtype);
  if (!dtype.isFloatingPoint && !dtype.isComplex) {
    throw new TypeError(
      `torch.finfo() requires a floating point input type. Use torch.iinfo to handle '${String(dtype)}'`,
    );
  }
  const part = dtype.toReal();
  const format = FORMATS[part.name];
  if (format === undefined) throw new RuntimeError(`finfo(): tensors of type ${String(dtype)} are not supported`);
  const [fraction, exponent, digits] = format;
  const max = (2 - 2 ** -fraction) * 2 ** exponent;
  const tiny = 2 ** (1 - exponent);
  const eps = 2 ** -fraction;
  const resolution = 10 ** -digits;
  const shown = { resolution, min: -max, max, eps, smallest_normal: tiny, tiny };
  return Object.assign(new Limits('finfo', Object.entries(shown), part.name), {
    bits: 8 * part.itemsize,
    eps,
    max,
    min: -max,
    tiny,
    smallestNormal: tiny,
    resolution,
    dtype: part.name,
  });
}
