// Calling native ops: writes the tagged arguments, keeps memory bounded, wraps the results.
import { Device } from '../core/device.js';
import { computable, DType } from '../core/dtype.js';
import { kindOf } from '../core/errors.js';
import { addon, COUNT, FIRST, grow, PRESSURE, scratch } from '../native/addon.js';
import { collect, scope, tidyHandles } from './memory.js';
import { alive, SCOPED, Tensor } from './tensor.js';

/** A complex number as an argument. */
export interface ComplexNumber {
  re: number;
  im: number;
}
/** Whether a value is a complex number. */
export function isComplexNumber(v: unknown): v is ComplexNumber {
  return (
    typeof v === 'object' &&
    v !== null &&
    typeof (v as ComplexNumber).re === 'number' &&
    typeof (v as ComplexNumber).im === 'number'
  );
}
export type Scalar = number | bigint | boolean | ComplexNumber;
export type NativeArgument =
  | Tensor
  | Scalar
  | null
  | undefined
  | DType
  | Device
  | readonly number[]
  | readonly Tensor[];

// The tags that native/binding/arguments.h reads.
const NONE = 0;
const TENSOR = 1;
const INT = 2;
const FLOAT = 3;
const BOOL = 4;
const BIGINT = 5;
const COMPLEX = 6;
const INTS = 7;
const TENSORS = 8;
const DTYPE = 9;
const DEVICE = 10;

/** Writes one argument at `at`; returns where the next one goes. */
function put(at: number, arg: NativeArgument): number {
  const s = scratch;
  if (arg instanceof Tensor) {
    s[at] = TENSOR;
    s[at + 1] = arg._h === 0 ? alive(arg) : arg._h;
    return at + 2;
  }
  switch (typeof arg) {
    case 'number':
      s[at] = Number.isInteger(arg) && !Object.is(arg, -0) && Math.abs(arg) <= Number.MAX_SAFE_INTEGER ? INT : FLOAT;
      s[at + 1] = arg;
      return at + 2;
    case 'boolean':
      s[at] = BOOL;
      s[at + 1] = arg ? 1 : 0;
      return at + 2;
    case 'undefined':
      s[at] = NONE;
      return at + 1;
    case 'bigint':
      s[at] = BIGINT;
      s[at + 1] = Number(BigInt.asUintN(32, arg));
      s[at + 2] = Number(BigInt.asIntN(32, arg >> 32n));
      return at + 3;
  }
  return arg === null ? ((s[at] = NONE), at + 1) : putObject(at, arg as object);
}

function putObject(at: number, arg: object): number {
  if (arg instanceof DType) {
    scratch[at] = DTYPE;
    scratch[at + 1] = computable(arg).code;
    return at + 2;
  }
  if (arg instanceof Device) {
    scratch[at] = DEVICE;
    scratch[at + 1] = arg.type === 'meta' ? 1 : 0;
    return at + 2;
  }
  if (Array.isArray(arg)) {
    const n = arg.length;
    grow(at + n + 64);
    const s = scratch;
    const tensors = n > 0 && arg[0] instanceof Tensor;
    s[at] = tensors ? TENSORS : INTS;
    s[at + 1] = n;
    for (let i = 0; i < n; i++) s[at + 2 + i] = tensors ? alive(arg[i] as Tensor) : Number(arg[i]);
    return at + 2 + n;
  }
  if (isComplexNumber(arg)) {
    scratch[at] = COMPLEX;
    scratch[at + 1] = arg.re;
    scratch[at + 2] = arg.im;
    return at + 3;
  }
  throw new TypeError(`a native op takes no ${kindOf(arg)}`);
}

/** Decides who frees a new tensor. */
function adopt(t: Tensor): Tensor {
  if (scope !== null) {
    t._own = SCOPED;
    scope.push(t);
  } else {
    addon.track(t._h, t);
    if (tidyHandles !== null) tidyHandles.push(t._h);
  }
  return t;
}

/** A JavaScript tensor for a native handle that nothing refers to yet. */
export function wrap(handle: number): Tensor {
  return adopt(new Tensor(handle));
}

/** Runs an op with one tensor as its result. */
export function invoke(op: number, ...args: NativeArgument[]): Tensor {
  // Collecting comes first: between reading a handle and using it, it could free a tensor that only the handle names.
  if (scratch[PRESSURE] !== 0) collect();
  let at = FIRST;
  for (let i = 0; i < args.length; i++) at = put(at, args[i]);
  scratch[COUNT] = at;
  return wrap(addon.call(op));
}

/** `invoke` for one tensor argument, the commonest form. */
export function invoke1(op: number, x: Tensor): Tensor {
  if (scratch[PRESSURE] !== 0) collect();
  scratch[FIRST] = TENSOR;
  scratch[FIRST + 1] = alive(x);
  scratch[COUNT] = FIRST + 2;
  return wrap(addon.call(op));
}

/** `invoke` for two tensors. */
export function invoke2(op: number, x: Tensor, y: Tensor): Tensor {
  if (scratch[PRESSURE] !== 0) collect();
  const s = scratch;
  s[FIRST] = TENSOR;
  s[FIRST + 1] = alive(x);
  s[FIRST + 2] = TENSOR;
  s[FIRST + 3] = alive(y);
  s[COUNT] = FIRST + 4;
  return wrap(addon.call(op));
}

/** Runs an op with several tensors as its results. */
export function invokeMany(op: number, ...args: NativeArgument[]): Tensor[] {
  callNative(op, args);
  const n = scratch[COUNT]!;
  const handles = Array.from(scratch.subarray(FIRST, FIRST + n));
  return handles.map(wrap);
}

/** Runs an op for its effect: an in-place change. */
export function invokeVoid(op: number, ...args: NativeArgument[]): void {
  callNative(op, args);
}

/** Runs an op whose result is numbers. */
export function invokeNumbers(op: number, ...args: NativeArgument[]): number[] {
  callNative(op, args);
  return Array.from(scratch.subarray(FIRST, FIRST + scratch[COUNT]!));
}

function callNative(op: number, args: readonly NativeArgument[]): void {
  if (scratch[PRESSURE] !== 0) collect();
  let at = FIRST;
  for (let i = 0; i < args.length; i++) at = put(at, args[i]);
  scratch[COUNT] = at;
  addon.call(op);
}
