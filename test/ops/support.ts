// What the tests of the ops share: tensors from rows of the table, calls by name, comparison of values.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { type DType, Tensor } from 'flambeau';
import { type Arg, fingerprint, type Spec } from './table/row';

export type Callable = (...args: unknown[]) => unknown;

export const ALL_TYPES = [
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
  'complex128',
  'bool',
] as const;

const library = torch as unknown as Record<string, unknown>;

export function dtype(name: string): DType {
  return library[name] as DType;
}
export const isComplexName = (name: string): boolean => name.startsWith('complex');
export const isFloatName = (name: string): boolean => /^b?float/.test(name);

/** The op as a function of everything: of `torch`, a method, or a function of another namespace. */
export function functionOf(name: string): Callable {
  const isMethod = name in Tensor.prototype;
  const spaces = [torch, ...(isMethod ? [] : [torch.F, torch.special])] as unknown as Record<string, unknown>[];
  const found = spaces.map((space) => space[name]).find((value) => typeof value === 'function');
  if (found !== undefined) return found as Callable;
  return (self, ...rest) => methodOf(self, name)(...rest);
}
/** A method of a tensor. */
export function methodOf(self: unknown, name: string): Callable {
  const found = (self as Record<string, unknown>)[name];
  if (typeof found !== 'function') throw new Error(`neither torch nor Tensor has '${name}'`);
  return (found as Callable).bind(self);
}

/** Bytes of a tensor of a type from numbers (interleaved pairs for complex types). */
export function fromValues(values: readonly number[], shape: readonly number[], type: string): Tensor {
  if (isComplexName(type)) {
    if (values.length === 0) return torch.zeros([...shape], { dtype: dtype(type) });
    const wide = torch.tensor(Float64Array.from(values)).reshape([...shape, 2]);
    return torch.viewAsComplex(wide).to(dtype(type)).clone();
  }
  const flat =
    type === 'int64' && values.every(Number.isInteger)
      ? torch.tensor(BigInt64Array.from(values, (v) => BigInt(v)))
      : torch.tensor(Float64Array.from(values)).to(dtype(type));
  // Tests look at versions and leaves: the tensor is no view of another.
  return flat.reshape([...shape]).clone();
}
export function fromSpec(spec: Spec, type: string = spec.dtype): Tensor {
  const pairs = isComplexName(type) && !isComplexName(spec.dtype);
  return fromValues(pairs ? spec.values.flatMap((v) => [v, 0]) : spec.values, spec.shape, type);
}

export const isSpec = (v: unknown): v is Spec => typeof v === 'object' && v !== null && 'tensor' in v;

/** An argument of a row as the library takes it; `tensorOf` makes the tensors. */
export function argument(arg: Arg, tensorOf: (spec: Spec) => Tensor = fromSpec): unknown {
  if (Array.isArray(arg)) return arg.map((a: Arg) => argument(a, tensorOf));
  if (isSpec(arg)) return tensorOf(arg);
  if (typeof arg === 'object' && arg !== null && 'dtypeNamed' in arg) return dtype(arg.dtypeNamed);
  return arg;
}

const float32Bits = new Float32Array(1);
const half = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
};
const brain = (bits: number): number => {
  new Uint32Array(float32Bits.buffer)[0] = bits << 16;
  return float32Bits[0]!;
};

/** The elements as numbers, complex ones as interleaved parts. */
export function numbers(t: Tensor): number[] {
  const raw = t.detach().toTypedArray();
  if (t.dtype === torch.float16) return Array.from(raw as Uint16Array, half);
  if (t.dtype === torch.bfloat16) return Array.from(raw as Uint16Array, brain);
  return Array.from(raw as ArrayLike<number | bigint>, Number);
}

/** The spacing of a type's values near v. */
export function ulp(v: number, type: string): number {
  const [bits, least] = { float16: [10, -24], bfloat16: [7, -133], float32: [23, -149], complex64: [23, -149] }[
    type
  ] ?? [52, -1074];
  const size = Math.abs(v);
  const exponent = size === 0 || !Number.isFinite(size) ? -Infinity : Math.floor(Math.log2(size));
  return 2 ** Math.max(exponent - bits!, least!);
}
/** A float64 as the nearest value of another type. */
export function rounded(v: number, type: string): number {
  if (type === 'float64' || type === 'complex128' || !Number.isFinite(v) || v === 0) return v;
  if (type === 'float32' || type === 'complex64') return Math.fround(v);
  const step = ulp(v, type);
  const scaled = v / step;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const whole = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  const value = whole * step;
  const top = type === 'float16' ? 65504 : 3.3895313892515355e38;
  return Math.abs(value) > top ? Math.sign(v) * Infinity : value === 0 ? 0 * Math.sign(v) : value;
}

type Encoded = number | string;
export const decode = (v: Encoded): number =>
  typeof v === 'number' ? v : v === 'nan' ? NaN : v === 'inf' ? Infinity : v === '-inf' ? -Infinity : -0;

export interface Recorded {
  dtype: string;
  shape: number[];
  values: Encoded[];
}
export interface PointwiseRecord {
  fingerprint: string;
  values: Record<string, Encoded[]>;
  dtypes: Record<string, string | null>;
}
export type Outcome = Recorded | boolean | number | Outcome[];
export interface StructuredRecord {
  fingerprint: string;
  cases: Outcome[];
  dtypes?: Record<string, string[] | null>;
}

/** A file of recorded values. */
export function fixtures<T>(name: string): Record<string, T> {
  return JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'ops', `${name}.json`), 'utf8')) as Record<
    string,
    T
  >;
}
/** What was recorded for a row; a row that changed since then is an error. */
export function recordOf<T extends { fingerprint: string }>(file: Record<string, T>, title: string, row: unknown): T {
  const found = file[title];
  if (found === undefined || found.fingerprint !== fingerprint(row)) {
    throw new Error(`the recorded values of '${title}' are not of this row: run scripts/write_op_fixtures.py`);
  }
  return found;
}

/** Whether two numbers agree within `allowed`; NaN agrees with NaN, zeros must have one sign if `signed`. */
export function agrees(found: number, expected: number, allowed: number, signed = false): boolean {
  if (Object.is(found, expected)) return true;
  if (found === expected) return !signed;
  return Math.abs(found - expected) <= allowed;
}
interface Tolerance {
  /** Units of the last place of the expected value. */
  ulps?: number;
  /** Relative to the largest expected element. */
  relative?: number;
  absolute?: number;
  /** Whether zeros must have the expected sign. */
  signed?: boolean;
}
/** Compares elements, and says which one is off. `label` names element i. */
export function expectClose(
  found: readonly number[],
  expected: readonly number[],
  type: string,
  tolerance: Tolerance,
  label: (i: number) => string = (i) => `element ${i}`,
): void {
  if (found.length !== expected.length) expect(found.length).toBe(expected.length);
  const largest =
    tolerance.relative === undefined
      ? 0
      : expected.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
  const off: string[] = [];
  expected.forEach((v, i) => {
    const allowed =
      (tolerance.absolute ?? 0) + (tolerance.ulps ?? 0) * ulp(v, type) + (tolerance.relative ?? 0) * largest;
    if (!agrees(found[i]!, v, allowed, tolerance.signed))
      off.push(`${label(i)}: ${show(found[i]!)} instead of ${show(v)}`);
  });
  if (off.length > 0) expect(off.slice(0, 8)).toEqual([]);
}
export const show = (v: number): string => (Object.is(v, -0) ? '-0' : String(v));

function sameBytes(a: Tensor, b: Tensor): boolean {
  const x = a.detach().toTypedArray();
  const y = b.detach().toTypedArray();
  return (
    Buffer.compare(
      Buffer.from(x.buffer, x.byteOffset, x.byteLength),
      Buffer.from(y.buffer, y.byteOffset, y.byteLength),
    ) === 0
  );
}
/** The same elements and geometry, bit by bit (NaN equals NaN). */
export function expectSame(found: Tensor, expected: Tensor): void {
  // Most comparisons hold: those go without the machinery of `expect`.
  if (found.dtype !== expected.dtype || found.shape.join() !== expected.shape.join()) {
    expect([found.dtype.name, ...found.shape]).toEqual([expected.dtype.name, ...expected.shape]);
  }
  if (sameBytes(found, expected)) return;
  const a = numbers(found);
  const b = numbers(expected);
  const at = b.findIndex((v, i) => !Object.is(a[i], v));
  if (at >= 0) expect(`element ${at} is ${show(a[at]!)}`).toBe(`element ${at} is ${show(b[at]!)}`);
}

/** Numbers in [0, 1) that look random and are the same in every run. */
export function randomSource(seed: number): () => number {
  let state = (seed * 2654435761 + 97) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export { Tensor };
