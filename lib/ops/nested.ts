// Tensors from JavaScript values.
import * as D from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeNumbers, isComplexNumber } from '../tensor/invoke.js';
import { fromBytes } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { cast } from './internal/cast.js';

const FULL = nativeOp('full');
const PROMOTE = nativeOp('promote_types');
const MAX_DIMS = 64;
/** More numbers than this as JavaScript values do not fit into the memory that it has, which would end the process. */
const MAX_VALUES = 2 ** 26;

const TYPED: readonly [string, D.DType][] = [
  ['Float32Array', D.float32],
  ['Float64Array', D.float64],
  ['Int8Array', D.int8],
  ['Int16Array', D.int16],
  ['Int32Array', D.int32],
  ['BigInt64Array', D.int64],
  ['Uint8Array', D.uint8],
  ['Uint8ClampedArray', D.uint8],
  ['Float16Array', D.float16],
  ['Buffer', D.uint8],
];

/** The natural type of a typed array; null for one that has none here (Uint16Array, Uint32Array, BigUint64Array). */
function typeOfArray(view: ArrayBufferView): D.DType | null {
  const name = view.constructor.name;
  return TYPED.find(([n]) => n === name)?.[1] ?? null;
}

interface Leaf {
  shape: number[];
  values: readonly unknown[];
  /** The types of the typed arrays among the rows, and of the rows that are none. */
  types: Set<D.DType>;
}

/** What has rows or elements: an array, or a typed array. */
function isRow(v: unknown): v is ArrayLike<unknown> {
  return Array.isArray(v) || (ArrayBuffer.isView(v) && !(v instanceof DataView));
}

/** The sizes that the first row of each dimension has. An array may hold itself, or one array many times. */
function nestedShape(data: unknown): number[] {
  const shape: number[] = [];
  for (let first = data; isRow(first); first = first[0]) {
    if (shape.length === MAX_DIMS) throw new RuntimeError(`a tensor has at most ${MAX_DIMS} dimensions`);
    shape.push(first.length);
    if (first.length === 0) break;
  }
  if (shape.reduce((a, b) => a * b, 1) > MAX_VALUES)
    throw new RuntimeError(`tensor(): ${shape.join(' x ')} values are too many for arrays; use a typed array`);
  return shape;
}

/**
 * Flattens nested arrays, checking that all rows of a dimension have one length.
 * @param data arrays, typed arrays and values, nested
 * @returns the sizes, the values in row-major order, and the types of typed arrays among the rows
 * @throws RuntimeError for rows of different lengths, and for more dimensions or values than fit
 */
export function flatten(data: readonly unknown[]): Leaf {
  const shape = nestedShape(data);
  const types = new Set<D.DType>();
  let current: readonly unknown[] = [data];
  shape.forEach((n, d) => {
    const next: unknown[] = [];
    const typed = current.some((row) => ArrayBuffer.isView(row));
    for (const row of current) {
      if (!isRow(row)) throw new RuntimeError(`expected a sequence of length ${n} at dim ${d}, got ${kindOf(row)}`);
      if (row.length !== n) throw new RuntimeError(`expected sequence of length ${n} at dim ${d} (got ${row.length})`);
      if (typed) types.add(Array.isArray(row) ? naturalType(row) : typeOfRow(row));
      for (let i = 0; i < n; i++) next.push(row[i]);
    }
    current = next;
  });
  return { shape, values: current, types };
}
const typeOfRow = (row: ArrayLike<unknown>): D.DType => typeOfArray(row as unknown as ArrayBufferView) ?? D.int64;

function naturalType(values: readonly unknown[]): D.DType {
  let big = false;
  let flag = values.length > 0;
  let complex = false;
  let number = false;
  for (const v of values) {
    if (typeof v === 'boolean') continue;
    flag = false;
    if (typeof v === 'bigint') big = true;
    else if (isComplexNumber(v)) complex = true;
    else number = true;
  }
  if (complex) return D.getDefaultDtype().toComplex();
  return flag ? D.bool : big && !number ? D.int64 : D.getDefaultDtype();
}

/** The value as a number, for float and complex parts. */
function toNumber(v: unknown): number {
  if (typeof v === 'number') return v;
  if (typeof v === 'boolean' || typeof v === 'bigint') return Number(v);
  throw new TypeError(`tensor(): expected numbers, booleans or bigints, got ${kindOf(v)}`);
}

function toBigInt(v: unknown): bigint {
  if (typeof v === 'bigint') return BigInt.asIntN(64, v);
  const n = toNumber(v);
  if (!Number.isFinite(n)) throw new RuntimeError(`cannot convert ${n} to an integer`);
  return BigInt.asIntN(64, BigInt(Math.trunc(n)));
}

/** A tensor of numbers written in float64 or int64 and then converted: one path for all types. */
function fromValues(values: readonly unknown[], shape: readonly number[], dtype: D.DType): Tensor {
  const n = values.length;
  if (dtype.isComplex) {
    const parts = new Float64Array(2 * n);
    values.forEach((v, i) => {
      parts[2 * i] = isComplexNumber(v) ? v.re : toNumber(v);
      parts[2 * i + 1] = isComplexNumber(v) ? v.im : 0;
    });
    return cast(fromBytes(D.complex128, shape, bytesOf(parts)), dtype);
  }
  if (dtype === D.float32) {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = toNumber(values[i]);
    return fromBytes(dtype, shape, bytesOf(out));
  }
  if (dtype.isFloatingPoint || dtype === D.bool) {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) out[i] = toNumber(values[i]);
    return cast(fromBytes(D.float64, shape, bytesOf(out)), dtype);
  }
  const out = new BigInt64Array(n);
  for (let i = 0; i < n; i++) out[i] = toBigInt(values[i]);
  return cast(fromBytes(D.int64, shape, bytesOf(out)), dtype);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A tensor from nested arrays, tensors of one element within them, a scalar, a tensor or a typed array. */
export function fromNested(data: unknown, dtype: D.DType | null): Tensor {
  if (data instanceof Tensor)
    return data
      .detach()
      .clone()
      .to(dtype ?? data.dtype);
  if (ArrayBuffer.isView(data)) {
    const natural = typeOfArray(data);
    if (natural === null || data instanceof DataView) {
      return fromValues(
        Array.from(data as unknown as ArrayLike<number>),
        [(data as unknown as ArrayLike<number>).length],
        dtype ?? D.int64,
      );
    }
    const n = (data as unknown as { length: number }).length;
    return cast(fromBytes(natural, [n], bytesOf(data)), dtype ?? natural);
  }
  if (Array.isArray(data)) {
    const { shape, values, types } = flatten(data);
    const plain = values.map((v) => (v instanceof Tensor ? v.item() : v));
    for (const v of plain) if (typeof v === 'object' && !isComplexNumber(v)) toNumber(v);
    const inner = values.find((v): v is Tensor => v instanceof Tensor);
    const common = [...types].reduce<D.DType | null>(
      (a, b) => (a === null ? b : D.dtypes[invokeNumbers(PROMOTE, a, b)[0]!]!),
      null,
    );
    return fromValues(plain, shape, dtype ?? common ?? inner?.dtype ?? naturalType(plain));
  }
  if (typeof data === 'number' || typeof data === 'boolean' || typeof data === 'bigint' || isComplexNumber(data)) {
    return invoke(FULL, [], data, dtype ?? naturalType([data]));
  }
  throw new TypeError(`tensor(): argument 'data' must be a number, an array or a typed array, not ${kindOf(data)}`);
}
