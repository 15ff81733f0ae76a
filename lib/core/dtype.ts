// Element types. The codes are the wire format between TypeScript and C++ (native/core/dtype.h).
import { RuntimeError } from './errors.js';

/** An element type, as `torch.float32`. Compare with `===`: there is one object per type. */
export class DType {
  /** @internal */
  constructor(
    /** PyTorch's name, as `'float32'`. */
    readonly name: string,
    /** @internal The number that native code knows this type by. */
    readonly code: number,
    /** Bytes per element. */
    readonly itemsize: number,
    /** Whether the elements are real numbers with a fraction; complex types are not floating-point. */
    readonly isFloatingPoint: boolean,
    /** Whether the elements are pairs of real and imaginary part. */
    readonly isComplex: boolean,
    /** Whether there are negative numbers: in all types but bool and the unsigned integers. */
    readonly isSigned: boolean,
  ) {}

  /** The real type of a complex one's parts; any other type itself. */
  toReal(): DType {
    if (!this.isComplex) return this;
    return this === complex64 ? float32 : this === complex128 ? float64 : float16;
  }

  /** The complex type whose parts have this type (float16 and below give complex64: no op computes with complex32). */
  toComplex(): DType {
    return this.isComplex ? this : this === float64 ? complex128 : complex64;
  }

  /** The name that error messages use: `'Float'`, `'Long'`. */
  get scalarName(): string {
    return SCALAR_NAMES[this.name] ?? this.name;
  }

  /** PyTorch's spelling: `torch.float32`. */
  toString(): string {
    return `torch.${this.name}`;
  }

  /** In JSON a string, as `toString`. */
  toJSON(): string {
    return this.toString();
  }

  /** How console.log shows the type: as `toString`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const SCALAR_NAMES: Record<string, string> = {
  uint8: 'Byte',
  int8: 'Char',
  int16: 'Short',
  int32: 'Int',
  int64: 'Long',
  float16: 'Half',
  float32: 'Float',
  float64: 'Double',
  complex64: 'ComplexFloat',
  complex128: 'ComplexDouble',
  bool: 'Bool',
  bfloat16: 'BFloat16',
};

/** @internal The code of types that files name and no op knows. */
export const NO_CODE = 255;

/** Integers from 0 to 255. */
export const uint8 = new DType('uint8', 0, 1, false, false, false);
/** Integers from -128 to 127. */
export const int8 = new DType('int8', 1, 1, false, false, true);
/** Integers of 16 bits, -32,768 to 32,767. */
export const int16 = new DType('int16', 2, 2, false, false, true);
/** Integers of 32 bits, -2^31 to 2^31 - 1. */
export const int32 = new DType('int32', 3, 4, false, false, true);
/** Integers of 64 bits, -2^63 to 2^63 - 1; what positions and indices are. In JavaScript a bigint beyond 2^53 - 1. */
export const int64 = new DType('int64', 4, 8, false, false, true);
/** IEEE half precision: 11 significant bits, to 65,504. */
export const float16 = new DType('float16', 5, 2, true, false, true);
/** IEEE single precision: 24 significant bits, to about 3.4e38. The default type. */
export const float32 = new DType('float32', 6, 4, true, false, true);
/** IEEE double precision: 53 significant bits, to about 1.8e308; what JavaScript numbers are. */
export const float64 = new DType('float64', 7, 8, true, false, true);
/** Pairs of float32: real and imaginary part. */
export const complex64 = new DType('complex64', 8, 8, false, true, true);
/** Pairs of float64: real and imaginary part. */
export const complex128 = new DType('complex128', 9, 16, false, true, true);
/** True or false, a byte each. */
export const bool = new DType('bool', 10, 1, false, false, false);
/** The upper half of a float32: 8 significant bits, to about 3.4e38. */
export const bfloat16 = new DType('bfloat16', 11, 2, true, false, true);

/** Every type, at the index of its code. */
export const dtypes: readonly DType[] = [
  uint8,
  int8,
  int16,
  int32,
  int64,
  float16,
  float32,
  float64,
  complex64,
  complex128,
  bool,
  bfloat16,
];

/**
 * @internal A type that ops compute with.
 * @throws RuntimeError for one that only files name.
 */
export function computable(dtype: DType): DType {
  if (dtype.code === NO_CODE) throw new RuntimeError(`tensors of type ${String(dtype)} are not supported`);
  return dtype;
}

let defaultDtype = float32;

/**
 * The type that JavaScript numbers become without a dtype, and that `torch.zeros` and the like have.
 * @returns float32, unless `setDefaultDtype` said otherwise
 */
export function getDefaultDtype(): DType {
  return defaultDtype;
}

/**
 * Sets the type of tensors made from JavaScript numbers, or without a dtype.
 * @param dtype float16, bfloat16, float32 or float64
 * @throws TypeError unless `dtype` is a floating-point type
 */
export function setDefaultDtype(dtype: DType): void {
  if (!(dtype instanceof DType) || !dtype.isFloatingPoint) {
    throw new TypeError(
      `setDefaultDtype(): only floating-point types are supported as the default type, got ${String(dtype)}`,
    );
  }
  defaultDtype = computable(dtype);
}
