// Signatures: names, kinds and defaults of arguments, stated once as text and used for checking at run time and for
// the types of positional and named calls.
import { Device } from '../core/device.js';
import { computable, DType, NO_CODE } from '../core/dtype.js';
import { kindOf } from '../core/errors.js';
import { isComplexNumber, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';

export interface Param {
  name: string;
  kind: string;
  nullable: boolean;
  required: boolean;
  fallback: unknown;
  /** The checked and normalised value, or WRONG. */
  read: (value: unknown) => unknown;
  /** Whether a value can be passed on as it is; a false answer only means that `read` must look. */
  quick: (value: unknown) => boolean;
}

export interface Signature {
  name: string;
  params: Param[];
  index: Map<string, number>;
  required: number;
  /** The position of an `int...` parameter, which collects numbers or takes one array; -1 if there is none. */
  rest: number;
}

const WRONG = Symbol('wrong');

function toInt(v: unknown): unknown {
  if (typeof v === 'number') return Number.isInteger(v) ? v : WRONG;
  if (typeof v === 'bigint') return Number.isSafeInteger(Number(v)) ? Number(v) : WRONG;
  if (v instanceof Tensor && v.ndim === 0 && !v.dtype.isFloatingPoint && !v.dtype.isComplex && v.dtype.name !== 'bool')
    return Number(v.item());
  return WRONG;
}

function toScalar(v: unknown): unknown {
  if (typeof v === 'number' || typeof v === 'bigint' || typeof v === 'boolean') return v;
  if (v instanceof Tensor && v.numel() === 1 && v.ndim === 0 && !v.dtype.isComplex) return v.item();
  return isComplexNumber(v) ? v : WRONG;
}

function listOf(read: (v: unknown) => unknown): (v: unknown) => unknown {
  return (v) => {
    if (!Array.isArray(v)) {
      const one = read(v);
      return one === WRONG ? WRONG : [one];
    }
    // A copy: what the caller does to the list later must not reach the gradient.
    const out = new Array<unknown>(v.length);
    for (let i = 0; i < v.length; i++) if ((out[i] = read(v[i])) === WRONG) return WRONG;
    return out;
  };
}

/** One value as it is, or a list of them: for settings that are printed as they were given. */
function oneOrList(read: (v: unknown) => unknown): (v: unknown) => unknown {
  const list = listOf(read);
  return (v) => (Array.isArray(v) ? list(v) : read(v));
}

const READERS: Record<string, (v: unknown) => unknown> = {
  Tensor: (v) => (v instanceof Tensor ? v : WRONG),
  'Tensor[]': (v) => (Array.isArray(v) ? listOf(READERS.Tensor!)(v) : WRONG),
  'Tensor|Tensor[]': (v) => {
    if (v instanceof Tensor) return [v];
    if (typeof v !== 'object' || typeof (v as Partial<Iterable<unknown>>)[Symbol.iterator] !== 'function') return WRONG;
    const list = [...(v as Iterable<unknown>)];
    return list.every((t) => t instanceof Tensor) ? list : WRONG;
  },
  'Tensor|Scalar': (v) => (v instanceof Tensor ? v : toScalar(v)),
  Scalar: toScalar,
  int: toInt,
  'int[]': listOf(toInt),
  'int...': listOf(toInt),
  float: (v) =>
    typeof v === 'number'
      ? v
      : v instanceof Tensor && v.ndim === 0 && !v.dtype.isComplex
        ? Number(v.item())
        : typeof v === 'bigint'
          ? Number(v)
          : WRONG,
  'float[]': listOf((v) => (typeof v === 'number' ? v : WRONG)),
  'int|int[]': oneOrList(toInt),
  'int|int?[]': oneOrList((v) => (v === null ? null : toInt(v))),
  'float|float[]': oneOrList((v) => (typeof v === 'number' ? v : WRONG)),
  bool: (v) => (typeof v === 'boolean' ? v : WRONG),
  str: (v) => (typeof v === 'string' ? v : WRONG),
  ScalarType: (v) => (v instanceof DType ? computable(v) : WRONG),
  Device: (v) => (v instanceof Device || typeof v === 'string' ? v : WRONG),
  function: (v) => (typeof v === 'function' ? v : WRONG),
  'function[]': listOf((v) => (typeof v === 'function' ? v : WRONG)),
  object: (v) => (typeof v === 'object' ? v : WRONG),
  'any[]': (v) => (Array.isArray(v) ? v : WRONG),
  any: (v) => v,
};

function isIntList(v: unknown): boolean {
  if (!Array.isArray(v)) return false;
  for (let i = 0; i < v.length; i++) if (!Number.isInteger(v[i])) return false;
  return true;
}
const never = (): boolean => false;
/** The commonest values of each kind, recognised without a second look. */
const QUICK: Record<string, (v: unknown) => boolean> = {
  Tensor: (v) => v instanceof Tensor,
  'Tensor|Scalar': (v) => v instanceof Tensor || typeof v === 'number',
  Scalar: (v) => typeof v === 'number',
  int: Number.isInteger,
  'int[]': isIntList,
  float: (v) => typeof v === 'number',
  bool: (v) => typeof v === 'boolean',
  ScalarType: (v) => v instanceof DType && v.code !== NO_CODE,
};
function quickOf(kind: string, nullable: boolean): (v: unknown) => boolean {
  const test = QUICK[kind] ?? never;
  return nullable ? (v) => v === null || test(v) : test;
}

function fallbackOf(text: string): unknown {
  if (text === 'None') return null;
  if (text === 'True' || text === 'False') return text === 'True';
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  if (text === '[]') return [];
  return Number(text);
}

/**
 * Reads a signature such as `sum(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)`.
 * Kinds: Tensor, Tensor[], Tensor|Tensor[] (one or any iterable of them, as a list), Tensor|Scalar, Scalar, int, int[], int... (numbers or one array), int|int[] (one or an array, as
 * given), int|int?[] (an array in which null is allowed), float, float[], bool, str, ScalarType, Device, function, any; a trailing
 * `?` also allows null. A default makes a parameter optional.
 */
export function signature(text: string): Signature {
  const match = /^(\w+)\((.*)\)$/s.exec(text);
  if (!match) throw new Error(`malformed signature: ${text}`);
  const params = match[2]!
    .split(/,\s+/)
    .filter(Boolean)
    .map((part): Param => {
      const m = /^(\S+) (\w+)(?:=(.*))?$/.exec(part);
      if (!m) throw new Error(`malformed parameter '${part}' in ${text}`);
      const nullable = m[1]!.endsWith('?');
      const kind = nullable ? m[1]!.slice(0, -1) : m[1]!;
      const read = READERS[kind];
      if (!read) throw new Error(`unknown kind '${kind}' in ${text}`);
      const required = m[3] === undefined;
      // A default is normalised as an argument would be: 1 to [1] for a list.
      const fallback = required || m[3] === 'None' ? (required ? undefined : null) : read(fallbackOf(m[3]!));
      return { name: m[2]!, kind, nullable, required, fallback, read, quick: quickOf(kind, nullable) };
    });
  return {
    name: match[1]!,
    params,
    index: new Map(params.map((p, i) => [p.name, i])),
    required: params.filter((p) => p.required).length,
    rest: params.findIndex((p) => p.kind === 'int...'),
  };
}

/** The signature of an op's in-place form: the first operand, which is written to, must be a tensor. */
export function inPlaceSignature(sig: Signature): Signature {
  const [first, ...rest] = sig.params;
  const self: Param = { ...first!, kind: 'Tensor', read: READERS.Tensor!, quick: quickOf('Tensor', false) };
  return { ...sig, name: `${sig.name}_`, params: [self, ...rest] };
}

/** Whether a trailing argument is an options object: a plain object that is no complex number. */
export function isOptions(v: unknown): v is Record<string, unknown> {
  if (typeof v !== 'object' || v === null) return false;
  const proto = Object.getPrototypeOf(v);
  if (proto !== Object.prototype && proto !== null) {
    // Objects of another realm (a test runner's, a vm context's) have another Object.prototype.
    if (Array.isArray(v) || Object.getPrototypeOf(proto) !== null || proto.constructor?.name !== 'Object') return false;
  }
  return !isComplexNumber(v);
}

function wrongKind(sig: Signature, param: Param, value: unknown): never {
  throw new TypeError(
    `${sig.name}(): argument '${param.name}' must be ${param.kind}${param.nullable ? ' or null' : ''}, not ${describe(value)}`,
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value))
    return `[${value
      .slice(0, 4)
      .map((v) => (typeof v === 'number' ? String(v) : kindOf(v)))
      .join(', ')}]`;
  return typeof value === 'number' ? `number (${value})` : kindOf(value);
}

function readValue(sig: Signature, param: Param, value: unknown): unknown {
  if (value === undefined) return param.required ? missing(sig, param) : param.fallback;
  if (value === null) {
    if (param.nullable || param.fallback === null) return null;
    return wrongKind(sig, param, value);
  }
  const read = param.read(value);
  return read === WRONG ? wrongKind(sig, param, value) : read;
}

function missing(sig: Signature, param: Param): never {
  throw new TypeError(`${sig.name}() missing a required argument: '${param.name}'`);
}

/** Gathers the numbers of an `int...` parameter into one array in its place. */
function gatherRest(sig: Signature, args: unknown[]): unknown[] {
  const at = sig.rest;
  if (args.length <= at) return sig.params[at]!.required ? [...args, []] : args;
  if (Array.isArray(args[at])) return args;
  let end = at;
  while (end < args.length && (typeof args[end] === 'number' || typeof args[end] === 'bigint')) end++;
  return [...args.slice(0, at), args.slice(at, end), ...args.slice(end)];
}

/** Whether an object in the place of a parameter that takes anything is meant as options: it names only parameters from there on. */
function namesParams(sig: Signature, value: object, from: number): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => (sig.index.get(key) ?? -1) >= from);
}

/**
 * Lines arguments up with parameters: positional ones in order, then those of a trailing options object; checks kinds
 * and fills in defaults.
 * @throws TypeError naming the function and the argument: too many, missing, twice, unknown or of a wrong kind.
 */
export function bind(sig: Signature, given: ArrayLike<unknown>): unknown[] {
  const params = sig.params;
  let n = given.length;
  let options: Record<string, unknown> | undefined;
  if (n > 0 && isOptions(given[n - 1])) {
    const last = params[n - 1];
    const positional = last !== undefined && last.kind === 'any' && sig.rest < 0 && n <= params.length;
    if (!positional || namesParams(sig, given[n - 1] as object, n - 1)) options = given[--n] as Record<string, unknown>;
  }
  let args: ArrayLike<unknown> = given;
  if (sig.rest >= 0) {
    const list = Array.prototype.slice.call(given, 0, n);
    const named = options !== undefined && params[sig.rest]!.name in options && n <= sig.rest;
    args = named ? list : gatherRest(sig, list);
    n = args.length;
  }
  if (n > params.length) {
    throw new TypeError(`${sig.name}() takes ${params.length} positional arguments but ${n} were given`);
  }
  const out = new Array<unknown>(params.length);
  if (options === undefined) {
    for (let i = 0; i < params.length; i++) out[i] = readValue(sig, params[i]!, i < n ? args[i] : undefined);
    return out;
  }
  for (const key of Object.keys(options)) {
    const i = sig.index.get(key);
    if (i === undefined) throw new TypeError(`${sig.name}() got an unexpected keyword argument '${key}'`);
    if (i < n && options[key] !== undefined)
      throw new TypeError(`${sig.name}() got multiple values for argument '${key}'`);
  }
  for (let i = 0; i < params.length; i++) {
    out[i] = readValue(sig, params[i]!, i < n ? args[i] : options[params[i]!.name]);
  }
  return out;
}

// ---------------------------------------------------------------------------------------------------------- types

type Inner<S extends string> = S extends `${string}(${infer P})` ? P : '';
type Split<P extends string> = P extends `${infer A}, ${infer R}` ? [A, ...Split<R>] : P extends '' ? [] : [P];
type NameOf<A extends string> = A extends `${infer L}=${string}` ? NameOf<L> : A extends `${string} ${infer N}` ? N : A;
type DropFirst<P extends readonly unknown[], K extends readonly unknown[]> = K extends [unknown, ...infer KR]
  ? P extends readonly [unknown?, ...infer R]
    ? DropFirst<R, KR>
    : []
  : P;
type DropLast<P extends readonly unknown[], K extends readonly unknown[]> = K extends [unknown, ...infer KR]
  ? P extends readonly [...infer H, unknown]
    ? DropLast<H, KR>
    : []
  : P;
/** The parameters without a default, which come first. */
type RequiredOf<A extends string[]> = A extends [infer H extends string, ...infer R extends string[]]
  ? H extends `${string}=${string}`
    ? []
    : [H, ...RequiredOf<R>]
  : [];
/** What callers may pass where the implementation gets a normalised value. */
type Loose<T> = T extends readonly number[] ? number | T : T;
type LooseAll<P extends readonly unknown[]> = { [I in keyof P]: Loose<P[I]> };
type OptionsFrom<P extends readonly unknown[], A extends string[]> = {
  [I in Exclude<keyof A, keyof unknown[]> as NameOf<A[I] & string>]?: I extends keyof P ? Loose<P[I]> : unknown;
};
/** Every way to give the first optional parameters by position and the others by name. */
type WithOptions<Req extends readonly unknown[], Opt extends readonly unknown[], O> = Opt extends readonly [
  infer H,
  ...infer R,
]
  ? [...args: Req, options: O] | WithOptions<[...Req, H], R, O>
  : [...args: Req, options: O];

type PlainArgs<P extends readonly unknown[], A extends string[]> =
  | [...LooseAll<First<P, RequiredOf<A>>>, ...Partial<LooseAll<DropFirst<P, RequiredOf<A>>>>]
  | WithOptions<LooseAll<First<P, RequiredOf<A>>>, LooseAll<DropFirst<P, RequiredOf<A>>>, OptionsFrom<P, A>>;
/** As many of P as K has, with their labels (an implementation may leave out trailing parameters that it ignores). */
type First<P extends readonly unknown[], K extends readonly unknown[]> = DropLast<P, DropFirst<P, K>>;

type BeforeRest<A extends string[]> = A extends [infer H extends string, ...infer R extends string[]]
  ? H extends `int...${string}`
    ? []
    : [H, ...BeforeRest<R>]
  : [];
type RestArgs<P extends readonly unknown[], A extends string[]> =
  | [...Before<P, A>, ...sizes: number[]]
  | [...Before<P, A>, ...sizes: number[], options: OptionsFrom<P, A>]
  | [...Before<P, A>, sizes: readonly number[]]
  | [...Before<P, A>, sizes: readonly number[], options: OptionsFrom<P, A>];
type Before<P extends readonly unknown[], A extends string[]> = First<P, BeforeRest<A>>;

/** The argument lists that a caller may use for an implementation with parameters P and the signature text S. */
export type CallArguments<S extends string, P extends readonly unknown[]> = S extends `${string}int...${string}`
  ? RestArgs<P, Split<Inner<S>>>
  : PlainArgs<P, Split<Inner<S>>>;

export type TensorOrScalar = Tensor | Scalar;

/** The first argument by position, all others by name: how constructors are called whose later arguments need their names. */
export type FirstThenNamed<S extends string, P extends readonly unknown[]> = P extends readonly [
  infer First,
  ...unknown[],
]
  ? [first: First, options: OptionsFrom<P, Split<Inner<S>>>]
  : never;
