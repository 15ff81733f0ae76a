// Types and copies: conversion, cloning, promotion.
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { Device, device as deviceOf } from '../core/device.js';
import * as D from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke1, invokeNumbers, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { cast, converted } from './internal/cast.js';
import type { TensorOrScalar } from './signature.js';

const CLONE = nativeOp('clone');
const CONTIGUOUS = nativeOp('contiguous');
const COPY_ = nativeOp('copy_');
const RESULT_TYPE = nativeOp('result_type');
const PROMOTE = nativeOp('promote_types');
const SET_DEFAULT = nativeOp('set_default_dtype');

/** Sets the type of tensors made from numbers without a dtype; native type promotion follows it. */
export const setDefaultDtype = fnOp('setDefaultDtype(ScalarType d)', (d: D.DType): void => {
  D.setDefaultDtype(d);
  invokeVoid(SET_DEFAULT, d);
});

/** The type that an operation on these operands computes in. */
export const resultType = fnOp(
  'resultType(Tensor|Scalar tensor1, Tensor|Scalar tensor2)',
  (tensor1: TensorOrScalar, tensor2: TensorOrScalar): D.DType =>
    D.dtypes[invokeNumbers(RESULT_TYPE, tensor1, tensor2)[0]!]!,
);
/** The smallest type that holds both. */
export const promoteTypes = fnOp(
  'promoteTypes(ScalarType type1, ScalarType type2)',
  (type1: D.DType, type2: D.DType): D.DType => D.dtypes[invokeNumbers(PROMOTE, type1, type2)[0]!]!,
);
const category = (d: D.DType): number => (d.isComplex ? 3 : d.isFloatingPoint ? 2 : d === D.bool ? 0 : 1);
/** Whether a value of one type may be stored in place in another. */
export const canCast = fnOp(
  'canCast(ScalarType from_, ScalarType to)',
  (from: D.DType, to: D.DType): boolean => category(from) <= category(to),
);

/** A copy on memory of its own, in the layout of the source. */
export const clone = op(
  'clone(Tensor input, any memoryFormat=None)',
  (input: Tensor, memoryFormat: unknown): Tensor => {
    const y = invoke1(memoryFormat === null || memoryFormat === 'preserveFormat' ? CLONE : CONTIGUOUS, input);
    if (needsGrad(input)) record('CloneBackward0', y, [input], [], (g) => [g]);
    return y;
  },
);

/** The tensor itself if it is row-major without gaps, else such a copy. */
export const contiguous = methodOp('contiguous(Tensor input, any memoryFormat=None)', (input: Tensor): Tensor => {
  if (input.isContiguous()) return input;
  const y = invoke1(CONTIGUOUS, input);
  if (needsGrad(input)) record('CloneBackward0', y, [input], [], (g) => [g]);
  return y;
});

/** Overwrites the elements with those of `src`, broadcast and converted. */
export const copy_ = methodOp(
  'copy_(Tensor self, Tensor src, bool nonBlocking=False)',
  (self: Tensor, src: Tensor): Tensor => {
    const recorded = needsGrad(self, src);
    checkInPlace(self, recorded);
    invokeVoid(COPY_, self, src);
    if (recorded)
      recordInPlace('CopyBackwards', self, [self, src], [], (g, _s, needs) => [needs[0] ? g.mul(0) : null, g]);
    return self;
  },
);

const MEMORY_FORMATS = new Set(['contiguousFormat', 'preserveFormat', 'channelsLast', 'channelsLast3d']);
function checkDevice(device: string | Device): void {
  const d = deviceOf(device);
  if (d.type === 'cpu') return;
  throw new RuntimeError(`device '${String(d)}' is not available in this build; tensors live on the CPU`);
}

/**
 * The tensor with another type or on another device: to(dtype), to(device, dtype), to(other), or by name.
 * Returns the tensor itself when nothing changes, unless `copy`.
 */
export const to = methodOp(
  'to(Tensor input, any device=None, any dtype=None, any nonBlocking=None, any copy=None, any memoryFormat=None)',
  (input: Tensor, ...given: unknown[]): Tensor => {
    let dtype: D.DType | null = null;
    const flags: boolean[] = [];
    for (const arg of given) {
      if (arg instanceof D.DType) dtype = arg;
      else if (arg instanceof Tensor) dtype = arg.dtype;
      else if (typeof arg === 'boolean') flags.push(arg);
      else if (typeof arg === 'string' && MEMORY_FORMATS.has(arg)) continue;
      else if (typeof arg === 'string' || arg instanceof Device) checkDevice(arg);
      else if (arg !== null && arg !== undefined)
        throw new TypeError(`to(): expected a dtype, a device or a tensor, got ${String(arg)}`);
    }
    // By name, both flags have their places; by position they follow whatever came first.
    const copy = typeof given[3] === 'boolean' ? given[3] : (flags[1] ?? false);
    if (dtype !== null && dtype !== input.dtype) return converted(input, dtype);
    return copy ? clone(input) : input;
  },
);

const conversion = (name: string, dtype: D.DType) =>
  methodOp(
    `${name}(Tensor input, any memoryFormat=None)` as 'x(Tensor input, any memoryFormat=None)',
    (input: Tensor): Tensor => cast(input, dtype),
  );
export const float = conversion('float', D.float32);
export const double = conversion('double', D.float64);
export const half = conversion('half', D.float16);
export const bfloat16 = conversion('bfloat16', D.bfloat16);
export const int = conversion('int', D.int32);
export const long = conversion('long', D.int64);
export const short = conversion('short', D.int16);
export const char = conversion('char', D.int8);
export const byte = conversion('byte', D.uint8);
export const bool = conversion('bool', D.bool);
export const cfloat = conversion('cfloat', D.complex64);
export const cdouble = conversion('cdouble', D.complex128);
/** The tensor with the type of another one. */
export const typeAs = methodOp(
  'typeAs(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => cast(input, other.dtype),
);
/** The tensor on the CPU: itself. */
export const cpu = methodOp('cpu(Tensor input)', (input: Tensor): Tensor => input);

const FILL_ = nativeOp('fill_');
/** Sets all elements to a number, or to the value of a 0-d tensor. */
export const fill_ = methodOp(
  'fill_(Tensor self, Tensor|Scalar value)',
  (self: Tensor, value: TensorOrScalar): Tensor => {
    const source = value instanceof Tensor ? value : null;
    if (source !== null && source.ndim !== 0) {
      throw new RuntimeError(
        `fill_ only supports 0-dimension value tensor but got tensor with ${source.ndim} dimensions.`,
      );
    }
    const recorded = needsGrad(self, source);
    checkInPlace(self, recorded);
    if (source !== null) invokeVoid(COPY_, self, source);
    else invokeVoid(FILL_, self, value as Scalar);
    if (recorded) {
      recordInPlace('FillBackward0', self, [self, source], [], (g, _s, needs) => [
        needs[0] ? g.mul(0) : null,
        needs[1] ? g.sum() : null,
      ]);
    }
    return self;
  },
);
/** Sets all elements to zero. */
export const zero_ = methodOp('zero_(Tensor self)', (self: Tensor): Tensor => {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  invokeVoid(FILL_, self, 0);
  if (recorded) recordInPlace('ZeroBackward0', self, [self], [], (g) => [g.mul(0)]);
  return self;
});
