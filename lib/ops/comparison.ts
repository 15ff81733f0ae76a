// Comparisons, logic, bits, and selection by a mask.
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

/** Whether input = other, element by element with broadcasting; a bool tensor. */
export const eq: Binary = binary('eq', null, { numbers: 'other' });
/** Whether input differs from other, element by element with broadcasting; a bool tensor. */
export const ne: Binary = binary('ne', null, { numbers: 'other' });
/** Whether input < other, element by element with broadcasting; a bool tensor. */
export const lt: Binary = binary('lt', null, { numbers: 'other' });
/** Whether input <= other, element by element with broadcasting; a bool tensor. */
export const le: Binary = binary('le', null, { numbers: 'other' });
/** Whether input > other, element by element with broadcasting; a bool tensor. */
export const gt: Binary = binary('gt', null, { numbers: 'other' });
/** Whether input >= other, element by element with broadcasting; a bool tensor. */
export const ge: Binary = binary('ge', null, { numbers: 'other' });
export { ge as greaterEqual, gt as greater, le as lessEqual, lt as less, ne as notEqual };

/** Whether both are not zero; a bool tensor. */
export const logicalAnd: Binary = binary('logicalAnd', null, { numbers: 'none' });
/** Whether either is not zero; a bool tensor. */
export const logicalOr: Binary = binary('logicalOr', null, { numbers: 'none' });
/** Whether exactly one is not zero; a bool tensor. */
export const logicalXor: Binary = binary('logicalXor', null, { numbers: 'none' });
/** The bits set in both, of integers or bools. */
export const bitwiseAnd: Binary = binary('bitwiseAnd', null);
/** The bits set in either, of integers or bools. */
export const bitwiseOr: Binary = binary('bitwiseOr', null);
/** The bits set in exactly one, of integers or bools. */
export const bitwiseXor: Binary = binary('bitwiseXor', null);
/** input 2^other for integers, by moving bits. */
export const bitwiseLeftShift: Binary = binary('bitwiseLeftShift', null);
/** input / 2^other for integers, rounded down, by moving bits; the sign stays. */
export const bitwiseRightShift: Binary = binary('bitwiseRightShift', null);

/** Whether two tensors have the same sizes and elements. */
export const equal = op('equal(Tensor input, Tensor other)', (input: Tensor, other: Tensor): boolean => {
  if (input.dtype !== other.dtype)
    throw new RuntimeError(
      `Expected all tensors to have the same dtype, but got ${input.dtype.name} and ${other.dtype.name}`,
    );
  return input.shape.join() === other.shape.join() && (eq(input, other).all().item() as boolean);
});

/** Elementwise |input - other| <= atol + rtol |other|; NaN equals NaN if `equalNan`. */
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

/** Whether all elements are close (see `isclose`). */
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

function inRange(g: Tensor, x: Tensor, min: Scalar | null, max: Scalar | null): Tensor {
  let inside = min === null ? null : ge(x, min);
  if (max !== null) inside = inside === null ? le(x, max) : logicalAnd(inside, le(x, max));
  return select3(inside!, g, 0);
}

function between(x: Tensor, min: Tensor | null, max: Tensor | null): Tensor {
  const low = min === null ? x : maximum(x, min);
  return max === null ? low : minimum(low, max);
}

/** Elements limited to [min, max]; a bound that is null does not limit. Bounds may be tensors. */
export const clamp = withInPlace(
  op(
    'clamp(Tensor input, Tensor|Scalar? min=None, Tensor|Scalar? max=None)',
    (input: Tensor, min: TensorOrScalar | null, max: TensorOrScalar | null): Tensor => {
      if (boundsAreTensors('clamp', min, max)) return between(input, min as Tensor | null, max as Tensor | null);
      const [low, high] = [min, max] as [Scalar | null, Scalar | null];
      const x = promoted(input, low, high);
      const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, low, high);
      if (high === null) return pointwise1(CLAMP_MIN, 'ClampBackward0', x, [low!], 'x', gradient);
      if (low === null) return pointwise1(CLAMP_MAX, 'ClampBackward0', x, [high], 'x', gradient);
      return pointwise1(CLAMP, 'ClampBackward0', x, [low, high], 'x', gradient);
    },
  ),
  (self: Tensor, min: TensorOrScalar | null, max: TensorOrScalar | null): Tensor => {
    if (boundsAreTensors('clamp_', min, max)) {
      const bounds = [min, max].filter((bound): bound is Tensor => bound instanceof Tensor);
      return overwrite(self, (x) => between(x, min as Tensor | null, max as Tensor | null), ...bounds);
    }
    const [low, high] = [min, max] as [Scalar | null, Scalar | null];
    const result = promotedType(self, low, high);
    if (!canCast(result, self.dtype)) {
      throw new RuntimeError(
        `result type ${result.scalarName} can't be cast to the desired output type ${self.dtype.scalarName}`,
      );
    }
    const gradient = (g: Tensor, at: Tensor): Tensor => inRange(g, at, low, high);
    if (high === null) return pointwise1_(CLAMP_MIN_, 'ClampBackward0', self, [low!], 'x', gradient);
    if (low === null) return pointwise1_(CLAMP_MAX_, 'ClampBackward0', self, [high], 'x', gradient);
    return pointwise1_(CLAMP_, 'ClampBackward0', self, [low, high], 'x', gradient);
  },
);
export { clamp as clip };
/** Elements not below min. */
export const clampMin = op(
  'clampMin(Tensor input, Tensor|Scalar min)',
  (input: Tensor, min: TensorOrScalar): Tensor => clamp(input, min, null),
);
/** Elements not above max. */
export const clampMax = op(
  'clampMax(Tensor input, Tensor|Scalar max)',
  (input: Tensor, max: TensorOrScalar): Tensor => clamp(input, null, max),
);
