// Types and copies: conversion, cloning, promotion.
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { cpu as cpuDevice, Device, home } from '../core/device.js';
import * as D from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { isMemoryFormat, keepsFormat } from '../core/memory_format.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke1, invokeNumbers, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { cast, converted } from './internal/cast.js';
import { inFormat } from './internal/memory_format.js';
import type { TensorOrScalar } from './signature.js';

const CLONE = nativeOp('clone');
const CONTIGUOUS = nativeOp('contiguous');
const COPY_ = nativeOp('copy_');
const TO_DEVICE = nativeOp('to_device');
const RESULT_TYPE = nativeOp('result_type');
const PROMOTE = nativeOp('promote_types');
const SET_DEFAULT = nativeOp('set_default_dtype');

/**
 * Sets the type of floats made without a dtype, which integers also become where an op needs floats.
 * @param d a floating-point type
 * @throws TypeError for another type
 */
export const setDefaultDtype = fnOp('setDefaultDtype(ScalarType d)', (d: D.DType): void => {
  D.setDefaultDtype(d);
  invokeVoid(SET_DEFAULT, d);
});

/**
 * The type that an operation on these operands computes in. Of several kinds (bool, integer, float, complex) the highest
 * counts; within it tensors with dimensions count before 0-d tensors, and these before numbers.
 * @param tensor1 a tensor or a number
 * @param tensor2 a tensor or a number
 * @returns the type
 */
export const resultType = fnOp(
  'resultType(Tensor|Scalar tensor1, Tensor|Scalar tensor2)',
  (tensor1: TensorOrScalar, tensor2: TensorOrScalar): D.DType =>
    D.dtypes[invokeNumbers(RESULT_TYPE, tensor1, tensor2)[0]!]!,
);
/**
 * The smallest type of the highest kind that holds the values of both types: int8 and uint8 give int16, float16 and
 * bfloat16 float32, int64 and float16 float16.
 * @param type1 a type
 * @param type2 a type
 * @returns the type
 */
export const promoteTypes = fnOp(
  'promoteTypes(ScalarType type1, ScalarType type2)',
  (type1: D.DType, type2: D.DType): D.DType => D.dtypes[invokeNumbers(PROMOTE, type1, type2)[0]!]!,
);
const category = (d: D.DType): number => (d.isComplex ? 3 : d.isFloatingPoint ? 2 : d === D.bool ? 0 : 1);
/**
 * Whether results of one type may be stored in place in another: to no lower kind, in the order bool, integer, float, complex.
 * @param from_ the type of the result
 * @param to the type of the destination
 * @returns true or false; precision and range do not matter
 */
export const canCast = fnOp(
  'canCast(ScalarType from_, ScalarType to)',
  (from: D.DType, to: D.DType): boolean => category(from) <= category(to),
);

/**
 * A copy on memory of its own, which passes gradients on.
 * @param input any tensor
 * @param memoryFormat the order in memory: `torch.preserveFormat`, that of a dense input (default), `torch.contiguousFormat`,
 *   `torch.channelsLast` or `torch.channelsLast3d`
 * @returns input's shape and type
 * @throws RuntimeError if the format has another number of dimensions
 * @throws TypeError if it is no memory format
 */
export const clone = op(
  'clone(Tensor input, any memoryFormat=None)',
  (input: Tensor, memoryFormat: unknown): Tensor => {
    const plain = keepsFormat(memoryFormat);
    if (!plain && memoryFormat !== 'contiguousFormat') return inFormat(input, memoryFormat);
    const y = invoke1(plain ? CLONE : CONTIGUOUS, input);
    if (needsGrad(input)) record('CloneBackward0', y, [input], [], (g) => [g]);
    return y;
  },
);

/**
 * The tensor itself if its elements fill memory without gaps in the order of a format, else such a copy.
 * @param input any tensor
 * @param memoryFormat the order: `torch.contiguousFormat`, row-major (default), `torch.channelsLast` or `torch.channelsLast3d`
 * @returns input's shape and type
 * @throws RuntimeError if the format has another number of dimensions
 * @throws TypeError if it is no memory format
 */
export const contiguous = methodOp(
  'contiguous(Tensor input, any memoryFormat=None)',
  (input: Tensor, memoryFormat: unknown): Tensor => {
    if (memoryFormat !== null && memoryFormat !== 'contiguousFormat')
      return input.isContiguous(memoryFormat) ? input : inFormat(input, memoryFormat);
    if (input.isContiguous()) return input;
    const y = invoke1(CONTIGUOUS, input);
    if (needsGrad(input)) record('CloneBackward0', y, [input], [], (g) => [g]);
    return y;
  },
);

/**
 * Overwrites the elements with those of `src`.
 * @param self what is written to
 * @param src a tensor that broadcasts to self's shape; it is converted to self's type, complex numbers to their real parts
 * @param nonBlocking has no effect (default false)
 * @returns self
 * @throws RuntimeError if the shape does not broadcast
 */
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

/** A copy on another device. */
function moved(input: Tensor, device: Device): Tensor {
  const y = invoke(TO_DEVICE, input, device);
  const source = input.device;
  if (needsGrad(input)) record('ToCopyBackward0', y, [input], [], (g) => [moved(g, source)]);
  return y;
}
/** Whether a copy is needed for a format: PyTorch tells channels last apart from everything else. */
function otherFormat(t: Tensor, format: unknown): boolean {
  if (keepsFormat(format)) return false;
  const last = t.ndim === 4 ? 'channelsLast' : 'channelsLast3d';
  const isLast = (t.ndim === 4 || t.ndim === 5) && t.isContiguous(last) && !t.isContiguous();
  return format !== (isLast ? last : 'contiguousFormat');
}

/**
 * The tensor with another type, on another device or in another order in memory: to(dtype), to(device, dtype), to(other),
 * or by name.
 * @param input the tensor
 * @param device a device, its name, or a tensor whose type and device are taken (default null: as it is)
 * @param dtype the type; floats become integers towards zero (default null: as it is)
 * @param nonBlocking has no effect (default false)
 * @param copy whether to copy even if nothing changes (default false)
 * @param memoryFormat the order in memory (default null: as it is)
 * @returns the tensor itself when nothing changes, unless `copy`, else a copy that passes gradients on
 * @throws RuntimeError for a device that this build does not have, and for leaving the meta device
 * @throws TypeError for an argument that is nothing of this
 */
export const to = methodOp(
  'to(Tensor input, any device=None, any dtype=None, any nonBlocking=None, any copy=None, any memoryFormat=None)',
  (input: Tensor, ...given: unknown[]): Tensor => {
    let dtype: D.DType | null = null;
    let device: Device | null = null;
    let format: string | null = null;
    const flags: boolean[] = [];
    for (const arg of given) {
      if (arg instanceof D.DType) dtype = arg;
      else if (arg instanceof Tensor) {
        dtype = arg.dtype;
        device = arg.device;
      } else if (typeof arg === 'boolean') flags.push(arg);
      else if (isMemoryFormat(arg)) format = arg;
      else if (typeof arg === 'string' || arg instanceof Device) device = home(arg) ?? cpuDevice;
      else if (arg !== null && arg !== undefined)
        throw new TypeError(`to(): expected a dtype, a device or a tensor, got ${kindOf(arg)}`);
    }
    // By name, both flags have their places; by position they follow whatever came first.
    const copy = typeof given[3] === 'boolean' ? given[3] : (flags[1] ?? false);
    let y = dtype !== null && dtype !== input.dtype ? converted(input, dtype) : input;
    if (device !== null && (device.type === 'meta') !== input.isMeta) y = moved(y, device);
    if (y === input ? otherFormat(y, format) : !keepsFormat(format) && !y.isContiguous(format)) y = inFormat(y, format);
    return y === input && copy ? clone(y) : y;
  },
);
/**
 * The tensor on the CPU, where it is unless it is of the meta device.
 * @param input the tensor
 * @param memoryFormat the order in memory (default null: as it is)
 * @returns the tensor itself when nothing changes
 * @throws RuntimeError for a tensor of the meta device, which has no elements
 */
export const cpu = methodOp(
  'cpu(Tensor input, any memoryFormat=None)',
  (input: Tensor, memoryFormat: unknown): Tensor => to(input, cpuDevice, { memoryFormat }),
);
const conversion = (name: string, dtype: D.DType) =>
  methodOp(
    `${name}(Tensor input, any memoryFormat=None)` as 'x(Tensor input, any memoryFormat=None)',
    (input: Tensor, memoryFormat: unknown): Tensor =>
      memoryFormat === null ? cast(input, dtype) : to(input, dtype, { memoryFormat }),
  );
/** The tensor as float32; itself if it is that. */
export const float = conversion('float', D.float32);
/** The tensor as float64; itself if it is that. */
export const double = conversion('double', D.float64);
/** The tensor as float16; itself if it is that. */
export const half = conversion('half', D.float16);
/** The tensor as bfloat16; itself if it is that. */
export const bfloat16 = conversion('bfloat16', D.bfloat16);
/** The tensor as int32, towards zero; itself if it is that. */
export const int = conversion('int', D.int32);
/** The tensor as int64, towards zero; itself if it is that. */
export const long = conversion('long', D.int64);
/** The tensor as int16, towards zero; itself if it is that. */
export const short = conversion('short', D.int16);
/** The tensor as int8, towards zero; itself if it is that. */
export const char = conversion('char', D.int8);
/** The tensor as uint8, towards zero; itself if it is that. */
export const byte = conversion('byte', D.uint8);
/** The tensor as bool: whether elements are not zero; itself if it is that. */
export const bool = conversion('bool', D.bool);
/** The tensor as complex64; itself if it is that. */
export const cfloat = conversion('cfloat', D.complex64);
/** The tensor as complex128; itself if it is that. */
export const cdouble = conversion('cdouble', D.complex128);
/**
 * The tensor with the type of another one.
 * @param input the tensor
 * @param other whose type is taken
 * @returns input itself if the types are the same, else a converted copy
 */
export const typeAs = methodOp(
  'typeAs(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => cast(input, other.dtype),
);
const FILL_ = nativeOp('fill_');
/**
 * Sets all elements to one value.
 * @param self what is written to
 * @param value a number, or a 0-d tensor, which then gets the summed gradient
 * @returns self
 * @throws RuntimeError if `value` has dimensions, or the number does not fit self's type
 */
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
/**
 * Sets all elements to zero.
 * @returns the tensor itself
 */
export const zero_ = methodOp('zero_(Tensor self)', (self: Tensor): Tensor => {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  invokeVoid(FILL_, self, 0);
  if (recorded) recordInPlace('ZeroBackward0', self, [self], [], (g) => [g.mul(0)]);
  return self;
});
