// Comparisons, logic, bits, and selection by a mask.
import { needsGrad, record } from '../autograd/graph.js';
import { noGrad } from '../autograd/mode.js';
import { bool, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import type { Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { maximum, minimum } from './arithmetic.js';
import { canCast } from './convert.js';
import { op } from './define.js';
import { type Binary, binary, pointwise1, pointwise1_, withInPlace } from './rows.js';
import type { TensorOrScalar } from './signature.js';
import { cast, promoted, promotedType } from './internal/cast.js';
import { overwrite } from './internal/overwrite.js';
import { select3 } from './internal/select.js';

/**
 * Whether input = other, elementwise with broadcasting; NaN equals nothing.
 * @returns a bool tensor
 */
export const eq: Binary = binary('eq', null, { numbers: 'other' });
/**
 * Whether input differs from other, elementwise with broadcasting; NaN differs from all.
 * @returns a bool tensor
 */
export const ne: Binary = binary('ne', null, { numbers: 'other' });
/**
 * Whether input < other, elementwise with broadcasting, of real tensors; false for NaN.
 * @returns a bool tensor
 */
export const lt: Binary = binary('lt', null, { numbers: 'other' });
/**
 * Whether input <= other, elementwise with broadcasting, of real tensors; false for NaN.
 * @returns a bool tensor
 */
export const le: Binary = binary('le', null, { numbers: 'other' });
/**
 * Whether input > other, elementwise with broadcasting, of real tensors; false for NaN.
 * @returns a bool tensor
 */
export const gt: Binary = binary('gt', null, { numbers: 'other' });
/**
 * Whether input >= other, elementwise with broadcasting, of real tensors; false for NaN.
 * @returns a bool tensor
 */
export const ge: Binary = binary('ge', null, { numbers: 'other' });
export { ge as greaterEqual, gt as greater, le as lessEqual, lt as less, ne as notEqual };

/** Whether both are not zero, elementwise with broadcasting, of tensors of any types; a bool tensor. */
export const logicalAnd: Binary = binary('logicalAnd', null, { numbers: 'none' });
/** Whether at least one is not zero, elementwise with broadcasting, of tensors of any types; a bool tensor. */
export const logicalOr: Binary = binary('logicalOr', null, { numbers: 'none' });
/** Whether exactly one is not zero, elementwise with broadcasting, of tensors of any types; a bool tensor. */
export const logicalXor: Binary = binary('logicalXor', null, { numbers: 'none' });
/** The bits set in both, elementwise with broadcasting, of integers or bools, in the promoted type. */
export const bitwiseAnd: Binary = binary('bitwiseAnd', null);
/** The bits set in either, elementwise with broadcasting, of integers or bools, in the promoted type. */
export const bitwiseOr: Binary = binary('bitwiseOr', null);
/** The bits set in exactly one, elementwise with broadcasting, of integers or bools, in the promoted type. */
export const bitwiseXor: Binary = binary('bitwiseXor', null);
/** input 2^other for integers, elementwise with broadcasting, by moving bits to the left. */
export const bitwiseLeftShift: Binary = binary('bitwiseLeftShift', null);
/**
 * input / 2^other for integers, rounded down, elementwise with broadcasting, by moving bits to the right; the sign stays.
 */
export const bitwiseRightShift: Binary = binary('bitwiseRightShift', null);

/**
 * Whether two tensors have the same sizes and the same elements, in the type that both promote to; NaN equals nothing.
 * @param input a tensor
 * @param other a tensor
 * @returns one boolean
 */
export const equal = op('equal(Tensor input, Tensor other)', (input: Tensor, other: Tensor): boolean => {
  return input.shape.join() === other.shape.join() && (eq(input, other).all().item() as boolean);
});

/**
 * Whether |input - other| <= atol + rtol |other|, elementwise with broadcasting; equal infinities are close.
 * @param input a tensor
 * @param other a tensor of the same type
 * @param rtol the tolerance relative to `other`, at least 0 (default 1e-5)
 * @param atol the absolute tolerance, at least 0 (default 1e-8)
 * @param equalNan whether NaN is close to NaN (default false)
 * @returns a bool tensor of the broadcast shape
 * @throws RuntimeError if the types differ or a tolerance is negative
 */
export const isclose = op(
  'isclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equalNan=False)',
  (input: Tensor, other: Tensor, rtol: number, atol: number, equalNan: boolean): Tensor => {
    if (input.dtype !== other.dtype) {
      throw new RuntimeError(`${input.dtype.name} did not match ${other.dtype.name}`);
    }
    if (rtol < 0) throw new RuntimeError(`rtol must be greater than or equal to zero, but got ${rtol}`);
    if (atol < 0) throw new RuntimeError(`atol must be greater than or equal to zero, but got ${atol}`);
    let close = eq(input, other);
    if (input.dtype === bool) return close;
    if (equalNan && (input.dtype.isFloatingPoint || input.dtype.isComplex)) {
      close = logicalOr(close, logicalAnd(input.isnan(), other.isnan()));
    }
    if (rtol === 0 && atol === 0) return close;
    const allowed = other.mul(rtol).abs().add(atol);
    // Narrow integers would wrap.
    const whole = !input.dtype.isFloatingPoint && !input.dtype.isComplex;
    const difference = (whole ? cast(input, int64) : input).sub(whole ? cast(other, int64) : other).abs();
    return logicalOr(close, logicalAnd(difference.isfinite(), le(difference, allowed)));
  },
);

/**
 * Whether all elements are close: |input - other| <= atol + rtol |other|, with broadcasting.
 * @param input a tensor
 * @param other a tensor of the same type
 * @param rtol the tolerance relative to `other` (default 1e-5)
 * @param atol the absolute tolerance (default 1e-8)
 * @param equalNan whether NaN is close to NaN (default false)
 * @returns one boolean
 * @throws RuntimeError if the types differ or a tolerance is negative
 */
export const allclose = op(
  'allclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equalNan=False)',
  (input: Tensor, other: Tensor, rtol: number, atol: number, equalNan: boolean): boolean =>
    isclose(input, other, { rtol, atol, equalNan }).all().item() as boolean,
);

const CLAMP = nativeOp('clamp');
const CLAMP_ = nativeOp('clamp_');
const CLAMP_MIN = nativeOp('clamp_min');
const CLAMP_MIN_ = nativeOp('clamp_min_');
const CLAMP_MAX = nativeOp('clamp_max');
const CLAMP_MAX_ = nativeOp('clamp_max_');

const NO_BOUNDS = "torch.clamp: At least one of 'min' or 'max' must not be None";

/** Whether the bounds are tensors; PyTorch takes no tensor together with a number. */
function boundsAreTensors(name: string, min: TensorOrScalar | null, max: TensorOrScalar | null): boolean {
  if (min === null && max === null) throw new RuntimeError(NO_BOUNDS);
  const tensors = [min, max].filter((bound) => bound instanceof Tensor).length;
  if (tensors === 1 && min !== null && max !== null)
    throw new TypeError(`${name}(): arguments 'min' and 'max' must both be Tensor, or both numbers`);
  return tensors > 0;
}

function inRange(g: Tensor, x: Tensor, min: TensorOrScalar | null, max: TensorOrScalar | null): Tensor {
  let inside = min === null ? null : ge(x, min);
  if (max !== null) inside = inside === null ? le(x, max) : logicalAnd(inside, le(x, max));
  return select3(inside!, g, 0);
}

/** The larger of x and min, then the smaller of that and max. Where x equals a limit its gradient passes whole. */
function between(name: string, x: Tensor, min: Tensor | null, max: Tensor | null): Tensor {
  const y = noGrad(() => {
    const low = min === null ? x : maximum(x, min);
    return max === null ? low : minimum(low, max);
  });
  if (!needsGrad(x, min, max)) return y;
  record(name, y, [x, min, max], [x, min, max], (g, [at, low, high], needs) => {
    const below = (): Tensor => (high === null ? lt(at, low!) : logicalAnd(lt(at, low!), lt(low!, high)));
    const above = (): Tensor => (low === null ? gt(at, high!) : logicalOr(gt(at, high!), lt(high!, low)));
    return [
      needs[0] ? inRange(g, at, low, high) : null,
      needs[1] ? select3(below(), g, 0) : null,
      needs[2] ? select3(above(), g, 0) : null,
    ];
  });
  return y;
}

/**
 * Elements limited to [min, max], elementwise: min(max(x, min), max). Where min exceeds max the result is max; NaN stays.
 * @param input a real tensor
 * @param min the least result: a number, a tensor that broadcasts, or null for no limit (default null)
 * @param max the largest result, likewise (default null)
 * @returns the broadcast shape in the type that input and the limits promote to
 * @throws RuntimeError if both limits are null, and in place if self's type cannot hold the result
 * @throws TypeError if one limit is a tensor and the other a number
 */
export const clamp = withInPlace(
  op(
    'clamp(Tensor input, Tensor|Scalar? min=None, Tensor|Scalar? max=None)',
    (input: Tensor, min: TensorOrScalar | null, max: TensorOrScalar | null): Tensor => {
      if (boundsAreTensors('clamp', min, max))
        return between('ClampBackward0', input, min as Tensor | null, max as Tensor | null);
      const [low, high] = [min, max] as [Scalar | null, Scalar | null];
      const x = promoted(input, low, high);
      const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, low, high);
      if (high === null) return pointwise1(CLAMP_MIN, 'ClampBackward1', x, [low!], 'x', gradient);
      if (low === null) return pointwise1(CLAMP_MAX, 'ClampBackward1', x, [high], 'x', gradient);
      return pointwise1(CLAMP, 'ClampBackward1', x, [low, high], 'x', gradient);
    },
  ),
  (self: Tensor, min: TensorOrScalar | null, max: TensorOrScalar | null): Tensor => {
    if (boundsAreTensors('clamp_', min, max)) {
      const bounds = [min, max].filter((bound): bound is Tensor => bound instanceof Tensor);
      const limited = (x: Tensor) => between('ClampBackward0', x, min as Tensor | null, max as Tensor | null);
      return overwrite(self, limited, ...bounds);
    }
    const [low, high] = [min, max] as [Scalar | null, Scalar | null];
    const result = promotedType(self, low, high);
    if (!canCast(result, self.dtype)) {
      throw new RuntimeError(
        `result type ${result.scalarName} can't be cast to the desired output type ${self.dtype.scalarName}`,
      );
    }
    const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, low, high);
    if (high === null) return pointwise1_(CLAMP_MIN_, 'ClampBackward1', self, [low!], 'x', gradient);
    if (low === null) return pointwise1_(CLAMP_MAX_, 'ClampBackward1', self, [high], 'x', gradient);
    return pointwise1_(CLAMP_, 'ClampBackward1', self, [low, high], 'x', gradient);
  },
);
export { clamp as clip };
/**
 * Elements raised to `min` where they are below it.
 * @param input a real tensor
 * @param min a number, or a tensor that broadcasts
 * @returns the broadcast shape in the promoted type
 */
export const clampMin = op(
  'clampMin(Tensor input, Tensor|Scalar min)',
  (input: Tensor, min: TensorOrScalar): Tensor => {
    if (min instanceof Tensor) return between('ClampMinBackward1', input, min, null);
    const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, min, null);
    return pointwise1(CLAMP_MIN, 'ClampMinBackward0', promoted(input, min), [min], 'x', gradient);
  },
);
/**
 * Elements lowered to `max` where they are above it.
 * @param input a real tensor
 * @param max a number, or a tensor that broadcasts
 * @returns the broadcast shape in the promoted type
 */
export const clampMax = op(
  'clampMax(Tensor input, Tensor|Scalar max)',
  (input: Tensor, max: TensorOrScalar): Tensor => {
    if (max instanceof Tensor) return between('ClampMaxBackward1', input, null, max);
    const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, null, max);
    return pointwise1(CLAMP_MAX, 'ClampMaxBackward0', promoted(input, max), [max], 'x', gradient);
  },
);
