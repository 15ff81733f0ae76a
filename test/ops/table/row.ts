// The rows that the tests of the ops are derived from: plain data, so that PyTorch's values can be recorded from the
// very same inputs (scripts/write_op_fixtures.py reads them through print.mjs). Nothing here imports the library.

/** A tensor as data. Complex values are interleaved pairs; bool values are 0 and 1. */
export interface Spec {
  readonly tensor: true;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
/** A dtype as an argument. */
export interface DTypeSpec {
  readonly dtypeNamed: string;
}
export type Arg = Spec | DTypeSpec | number | boolean | string | null | ComplexSpec | readonly Arg[];
export interface ComplexSpec {
  readonly re: number;
  readonly im: number;
}

/** What both kinds of rows say. */
interface Common {
  /** The name of the function of `torch` or of the method of Tensor. */
  readonly op: string;
  /** Tells several rows of one op apart. */
  readonly variant?: string;
  /** Where PyTorch has it, as `torch.special.ndtr`, if not under the same name in snake_case. */
  readonly python?: string;
}

/** An elementwise op: everything else is derived from samples of its operands. */
export interface Pointwise extends Common {
  readonly arity: 1 | 2 | 3;
  /** Further arguments after the operands. */
  readonly extra?: readonly Arg[];
  readonly options?: Readonly<Record<string, Arg>>;
  /** Real values of each operand; for several operands all combinations are tried. Left out: no real types. */
  readonly real?: readonly (readonly number[])[];
  readonly complex?: readonly (readonly ComplexSpec[])[];
  /** Integers that fit in int8 (in uint8 once the negative ones are left out). */
  readonly ints?: readonly (readonly number[])[];
  /** Where the gradient is checked: a range per operand, null for an operand without a gradient. */
  readonly slopes?: readonly (readonly [number, number] | null)[];
  /** Values of an operand at which the op has no derivative. */
  readonly kinks?: readonly number[];
  /** Whether the gradient is also checked on complex numbers (default: if there are complex samples and slopes). */
  readonly complexSlopes?: boolean;
  /** Whether `name_` exists. */
  readonly inPlace?: boolean;
  /** Which operands may be JavaScript numbers. */
  readonly numbers?: 'either' | 'other' | 'none';
  /** Whether the first operand is a mask of bool. */
  readonly masked?: boolean;
  /** Whether the result depends on the type beyond rounding, so that each type's values are recorded. */
  readonly perType?: boolean;
  /** Allowed error in units of the last place, where more than the usual few. */
  readonly ulps?: number;
  /** Allowed error in units of the last place of 1, where the formula loses digits near a zero (in PyTorch or here). */
  readonly absolute?: number;
  /** Whether the sign of a zero may differ from PyTorch's. */
  readonly anyZero?: boolean;
  /** Inputs for which PyTorch gives a wrong value, with the right one. */
  readonly instead?: readonly (readonly [input: number, right: number])[];
  /** Types that are taken beyond those of PyTorch, with the type of the result. */
  readonly more?: Readonly<Record<string, string>>;
  /** Other names of the same op. */
  readonly aliases?: readonly string[];
}

export interface Case {
  readonly args: readonly Arg[];
  readonly options?: Readonly<Record<string, Arg>>;
}
/** Any other op: its calls are listed. */
export interface Structured extends Common {
  readonly cases: readonly Case[];
  /**
   * Whether the result has a gradient by the floating-point arguments (default), or by which ones by position; checked either
   * way. Text says why it has one that finite differences cannot be asked for.
   */
  readonly grad?: boolean | readonly number[] | string;
  /** Tolerance of the comparison with PyTorch's float64 values, relative to the largest element; default 1e-13. */
  readonly tolerance?: number;
  /** Whether acceptance and result types are compared over all types in the place of float64 (default). */
  readonly types?: boolean;
  /** Types that are taken beyond those of PyTorch. */
  readonly more?: readonly string[];
  /** Whether other memory layouts of the arguments must give the same (default). */
  readonly layouts?: boolean;
  readonly aliases?: readonly string[];
}

export const title = (row: Common): string => (row.variant === undefined ? row.op : `${row.op} (${row.variant})`);

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
/** A rearrangement of 0 .. n - 1 that looks random. */
function shuffled(n: number, seed: number): number[] {
  let step = Math.max(1, Math.floor(n * 0.618) + seed);
  while (gcd(step, n) !== 1) step++;
  return Array.from({ length: n }, (_, i) => (i * step + seed) % Math.max(n, 1));
}

interface GridOptions {
  seed?: number;
  dtype?: string;
  /** Values to stay away from. */
  avoid?: readonly number[];
}
/** Distinct values spread over (low, high), exact in float32, at least 1/32 away from `avoid`. */
export function grid(
  shape: readonly number[],
  low = -2,
  high = 2,
  { seed = 1, dtype = 'float64', avoid = [] }: GridOptions = {},
): Spec {
  const n = product(shape) * (dtype.startsWith('complex') ? 2 : 1);
  const values = shuffled(n, seed).map((k) => {
    const v = Math.round((low + ((high - low) * (k + 0.5)) / n) * 4096) / 4096;
    const kink = avoid.find((a) => Math.abs(a - v) < 1 / 32);
    return kink === undefined ? v : kink + (v < kink ? -1 : 1) / 32;
  });
  return { tensor: true, dtype, shape, values };
}
/** Integers low .. high in a mixed order, with repetitions if there are more elements. */
export function whole(shape: readonly number[], low: number, high: number, seed = 1, dtype = 'int64'): Spec {
  const span = high - low + 1;
  const values = shuffled(product(shape), seed).map((k, i) => low + ((k + 3 * i + seed) % span));
  return { tensor: true, dtype, shape, values };
}
/** True and false in a mixed order. */
export function mask(shape: readonly number[], seed = 1): Spec {
  const values = shuffled(product(shape), seed).map((k) => (k % 3 === 0 ? 1 : 0));
  return { tensor: true, dtype: 'bool', shape, values };
}
/** The given values. */
export function exactly(shape: readonly number[], values: readonly number[], dtype = 'float64'): Spec {
  return { tensor: true, dtype, shape, values };
}
export const named = (dtype: string): DTypeSpec => ({ dtypeNamed: dtype });
export const call = (...args: Arg[]): Case => ({ args });
export const callWith = (options: Record<string, Arg>, ...args: Arg[]): Case => ({ args, options });

/** FNV-1a of a row as text: recorded values know the row that they belong to. */
export function fingerprint(row: unknown): string {
  const text = JSON.stringify(row, (_key, v) =>
    typeof v === 'number' && !Number.isFinite(v) ? String(v) : Object.is(v, -0) ? '-0' : v,
  );
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16);
}
