// NumPy's names of element types, as .npy headers and pickled arrays have them.
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { torchTypes, type TorchType } from './torch_types.js';

/** An element type and the order of its bytes. */
export interface NumpyType {
  readonly type: TorchType;
  readonly bigEndian: boolean;
}

const CODES: Record<string, string> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  c16: 'complex128',
};

/**
 * Reads a type as `'<f4'`, `'|b1'` or (in pickles, which add the byte order later) `'f4'`.
 * @throws RuntimeError for anything that is no number: objects, strings, dates, records.
 */
export function parseNumpyType(text: string): NumpyType {
  const match = /^([<>|=]?)([a-z]\d{1,2})$/.exec(text);
  const name = match ? CODES[match[2]!] : undefined;
  if (!match || name === undefined) {
    throw new RuntimeError(
      `NumPy arrays of type '${text.slice(0, 40)}' are not supported: only numbers and booleans are`,
    );
  }
  return { type: torchTypes.get(name)!, bigEndian: match[1] === '>' };
}

/**
 * NumPy's name of a type, as `'<f4'`.
 * @throws TypeError for bfloat16, which NumPy lacks.
 */
export function numpyTypeName(dtype: DType): string {
  const code = Object.keys(CODES).find((key) => CODES[key] === dtype.name);
  if (code === undefined) throw new TypeError(`toNumpy(): NumPy has no type for ${String(dtype)}`);
  return (dtype.itemsize === 1 ? '|' : '<') + code;
}

/** The width that byte order turns on: a complex number is two floats. */
export function swapWidth(type: TorchType): number {
  return type.name.startsWith('complex') ? type.itemsize / 2 : type.itemsize;
}
