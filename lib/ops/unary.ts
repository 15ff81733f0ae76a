// Unary pointwise ops: elementary functions, rounding, tests. The gradient of y = f(x) stands beside f.
import { needsGrad, record } from '../autograd/graph.js';
import { bool, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke1 } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, div, mul, pow, sub } from './arithmetic.js';
import { complex, imag, real } from './complex.js';
import { onesLike, zerosLike } from './creation.js';
import { op } from './define.js';
import { type Unary, unary, withInPlace } from './rows.js';
import { i1, zeta } from './special.js';
import { cast } from './internal/cast.js';
import { overwrite } from './internal/overwrite.js';
import { select3 as where } from './internal/select.js';
import { checkFloating } from './internal/type_names.js';

const LN2 = Math.LN2;
const LN10 = Math.LN10;
const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const CONJ = nativeOp('conj');
const LOGICAL_NOT = nativeOp('logical_not');

const none = (g: Tensor): Tensor => zerosLike(g);
const isZero = (x: Tensor): Tensor => invoke1(LOGICAL_NOT, x);

/** The complex conjugate, elementwise, computed at once; a real tensor is returned itself. */
export const conj = op('conj(Tensor input)', (input: Tensor): Tensor => {
  if (!input.dtype.isComplex) return input;
  const y = invoke1(CONJ, input);
  if (needsGrad(input)) record('ConjBackward0', y, [input], [], (g) => [conj(g)]);
  return y;
});
/** The conjugate written out; conjugation is never lazy here, so it is `conj`. */
export const conjPhysical = op('conjPhysical(Tensor input)', (input: Tensor): Tensor => conj(input));
/** The tensor itself: conjugation is computed at once here. */
export const resolveConj = op('resolveConj(Tensor input)', (input: Tensor): Tensor => input);
/** The tensor itself: negation is computed at once here. */
export const resolveNeg = op('resolveNeg(Tensor input)', (input: Tensor): Tensor => input);

/** -x. */
const NEG: Unary = unary('neg', (g): Tensor => neg(g));
const NEGATES_BOOL =
  'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.';
/**
 * -x, elementwise, in input's type.
 * @throws RuntimeError for bool, which `logicalNot` inverts
 */
export const neg = withInPlace(
  op('neg(Tensor input)', (input: Tensor): Tensor => {
    if (input.dtype === bool) throw new RuntimeError(NEGATES_BOOL);
    return NEG.impl(input);
  }),
  NEG.inPlace,
);
export { neg as negative };
/**
 * x itself: the tensor is returned.
 * @throws RuntimeError for bool
 */
export const positive = op('positive(Tensor input)', (input: Tensor): Tensor => {
  if (input.dtype === bool) throw new RuntimeError('The `+` operator, on a bool tensor is not supported.');
  return input;
});
/** x squared. */
const SQUARE: Unary = unary('square', (g, x) => mul(g, mul(conj(x), 2)), { saves: 'x' });
/**
 * x^2, elementwise, in input's type; bool gives int64.
 * @throws RuntimeError in place for bool, which cannot hold the result
 */
export const square = withInPlace(
  op('square(Tensor input)', (input: Tensor): Tensor => SQUARE.impl(input.dtype === bool ? cast(input, int64) : input)),
  (self: Tensor): Tensor => {
    if (self.dtype === bool) throw new RuntimeError("result type Long can't be cast to the desired output type Bool");
    return (SQUARE.inPlace as (t: Tensor) => Tensor)(self);
  },
);
/** The square root, elementwise; NaN below 0 for real numbers. Integers give the default float type. */
export const sqrt: Unary = unary('sqrt', (g, _x, y) => div(g, mul(conj(y), 2)), { saves: 'y' });
/** 1 / sqrt(x), elementwise: Infinity at 0, NaN below. Integers give the default float type. */
export const rsqrt: Unary = unary('rsqrt', (g, _x, y) => mul(mul(g, -0.5), conj(pow(y, 3))), { saves: 'y' });
/** 1 / x, elementwise; Infinity at 0. Integers give the default float type. */
export const reciprocal: Unary = unary('reciprocal', (g, _x, y) => mul(neg(g), conj(mul(y, y))), { saves: 'y' });
/** e^x, elementwise; integers give the default float type. */
export const exp: Unary = unary('exp', (g, _x, y) => mul(g, conj(y)), { saves: 'y' });
/** 2^x, elementwise; integers give the default float type. */
export const exp2: Unary = unary('exp2', (g, _x, y) => mul(mul(g, conj(y)), LN2), { saves: 'y' });
/** e^x - 1, elementwise, accurate near 0; integers give the default float type. */
export const expm1: Unary = unary('expm1', (g, _x, y) => mul(g, conj(add(y, 1))), { saves: 'y' });
/** The natural logarithm, elementwise: -Infinity at 0, NaN below. Integers give the default float type. */
export const log: Unary = unary('log', (g, x) => div(g, conj(x)), { saves: 'x' });
/** The logarithm to base 2, elementwise: -Infinity at 0, NaN below. Integers give the default float type. */
export const log2: Unary = unary('log2', (g, x) => div(g, mul(conj(x), LN2)), { saves: 'x' });
/** The logarithm to base 10, elementwise: -Infinity at 0, NaN below. Integers give the default float type. */
export const log10: Unary = unary('log10', (g, x) => div(g, mul(conj(x), LN10)), { saves: 'x' });
/** log(1 + x), elementwise, accurate near 0: -Infinity at -1, NaN below. Integers give the default float type. */
export const log1p: Unary = unary('log1p', (g, x) => div(g, conj(add(x, 1))), { saves: 'x' });
/** The sine of radians, elementwise; integers give the default float type. */
export const sin: Unary = unary('sin', (g, x): Tensor => mul(g, conj(cos(x))), { saves: 'x' });
/** The cosine of radians, elementwise; integers give the default float type. */
export const cos: Unary = unary('cos', (g, x): Tensor => mul(g, neg(conj(sin(x)))), { saves: 'x' });
/** The tangent of radians, elementwise; integers give the default float type. */
export const tan: Unary = unary('tan', (g, _x, y) => mul(g, conj(add(mul(y, y), 1))), { saves: 'y' });
/** The arcsine in radians, elementwise, in [-pi / 2, pi / 2]; NaN outside [-1, 1]. Integers give the default float type. */
export const asin: Unary = unary('asin', (g, x) => mul(g, conj(rsqrt(sub(1, mul(x, x))))), { saves: 'x' });
/** The arccosine in radians, elementwise, in [0, pi]; NaN outside [-1, 1]. Integers give the default float type. */
export const acos: Unary = unary('acos', (g, x) => mul(g, neg(conj(rsqrt(sub(1, mul(x, x)))))), { saves: 'x' });
/** The arctangent in radians, elementwise, in [-pi / 2, pi / 2]; integers give the default float type. */
export const atan: Unary = unary('atan', (g, x) => div(g, conj(add(mul(x, x), 1))), { saves: 'x' });
/** The hyperbolic sine, elementwise; integers give the default float type. */
export const sinh: Unary = unary('sinh', (g, x): Tensor => mul(g, conj(cosh(x))), { saves: 'x' });
/** The hyperbolic cosine, elementwise; integers give the default float type. */
export const cosh: Unary = unary('cosh', (g, x): Tensor => mul(g, conj(sinh(x))), { saves: 'x' });
/** The inverse hyperbolic sine, elementwise; integers give the default float type. */
export const asinh: Unary = unary('asinh', (g, x) => mul(g, conj(rsqrt(add(mul(x, x), 1)))), { saves: 'x' });
/** The inverse hyperbolic cosine, elementwise, not negative; NaN below 1. Integers give the default float type. */
export const acosh: Unary = unary('acosh', (g, x) => mul(g, conj(mul(rsqrt(sub(x, 1)), rsqrt(add(x, 1))))), {
  saves: 'x',
});
/** The inverse hyperbolic tangent, elementwise: infinite at -1 and 1, NaN outside. Integers give the default float type. */
export const atanh: Unary = unary('atanh', (g, x) => div(g, conj(sub(1, mul(x, x)))), { saves: 'x' });
export { acos as arccos, acosh as arccosh, asin as arcsin, asinh as arcsinh, atan as arctan, atanh as arctanh };
/** The error function 2 / sqrt(pi) times the integral from 0 to x of exp(-t^2), elementwise; integers give floats. */
export const erf: Unary = unary('erf', (g, x) => mul(g, mul(exp(neg(mul(x, x))), TWO_OVER_SQRT_PI)), { saves: 'x' });
/** 1 - erf(x), elementwise, accurate for large x; integers give the default float type. */
export const erfc: Unary = unary('erfc', (g, x) => mul(g, mul(exp(neg(mul(x, x))), -TWO_OVER_SQRT_PI)), { saves: 'x' });
/** The inverse of `erf`, elementwise: infinite at -1 and 1, NaN outside. Integers give the default float type. */
export const erfinv: Unary = unary(
  'erfinv',
  (g, x): Tensor => mul(g, mul(exp(erfinv(x).square()), Math.sqrt(Math.PI) / 2)),
  { saves: 'x' },
);
/** log(|Gamma(x)|), elementwise; Infinity at 0, -1, -2, ... Integers give the default float type. */
export const lgamma: Unary = unary('lgamma', (g, x): Tensor => mul(g, digamma(x)), { saves: 'x' });
/**
 * The logarithmic derivative of the gamma function, elementwise; its own is the Hurwitz zeta function of 2 and x. Integers
 * give the default float type.
 */
export const digamma: Unary = unary('digamma', (g, x) => mul(g, zeta(add(zerosLike(x), 2), x)), { saves: 'x' });
/** The modified Bessel function of the first kind and order 0, elementwise; integers give the default float type. */
export const i0: Unary = unary('i0', (g, x): Tensor => mul(g, i1(x)), { saves: 'x' });
/** -1, 0 or 1, elementwise, of real tensors in their own type. Gradient 0. */
export const sign: Unary = unary('sign', none);
/** x / |x|, 0 at 0, elementwise: the sign of a real number, the direction of a complex one. In input's type. */
export const sgn: Unary = unary('sgn', (g, x, y): Tensor => (x.dtype.isComplex ? sgnGradient(g, x, y) : zerosLike(g)), {
  saves: 'xy',
});
/** d sgn(x) = (dx - sgn(x) Re(conj(sgn(x)) dx)) / |x|. */
function sgnGradient(g: Tensor, x: Tensor, y: Tensor): Tensor {
  const size = abs(x);
  const radial = mul(y, real(mul(conj(y), g)));
  return where(isZero(size), 0, div(sub(g, radial), size));
}
/** The largest whole number not above x, elementwise, in input's type; integers stay. Gradient 0. */
export const floor: Unary = unary('floor', none);
/** The smallest whole number not below x, elementwise, in input's type; integers stay. Gradient 0. */
export const ceil: Unary = unary('ceil', none);
/** x without its fraction, elementwise, in input's type; integers stay. Gradient 0. */
export const trunc: Unary = unary('trunc', none);
export { trunc as fix };
/** x - trunc(x), elementwise, with the sign of x; of floating-point tensors. */
export const frac: Unary = unary('frac', (g) => g);
const ROUND: Unary = unary('round', none);
/**
 * To the nearest integer, elementwise, halves to the even one. Gradient 0.
 * @param input a real tensor
 * @param decimals how many places after the point to keep; negative ones count before it (default 0)
 * @returns input's shape and type
 * @throws RuntimeError for bool and complex tensors, and for integers to be rounded to places
 */
export const round = withInPlace(
  op('round(Tensor input, int decimals=0)', (input: Tensor, decimals: number): Tensor => {
    if (decimals === 0) return ROUND(input);
    checkFloating('round_cpu', input);
    const scale = 10 ** Math.abs(decimals);
    return decimals > 0 ? div(ROUND(mul(input, scale)), scale) : mul(ROUND(div(input, scale)), scale);
  }),
  (self: Tensor, decimals: number): Tensor =>
    decimals === 0 ? (ROUND.inPlace as (t: Tensor) => Tensor)(self) : overwrite(self, (x) => round.impl(x, decimals)),
);

/** |x|, elementwise, in input's type; the magnitude, of the parts' type, of a complex tensor. */
export const abs: Unary = unary('abs', (g, x): Tensor => mul(g, sgn(x)), { saves: 'x' });
export { abs as absolute };
/** The angle of a complex number in radians, elementwise; 0 or pi for a real one, NaN for NaN. Integers give floats. */
export const angle: Unary = unary('angle', (g, x) => (x.dtype.isComplex ? angleGradient(g, x) : zerosLike(g)), {
  saves: 'x',
});
function angleGradient(g: Tensor, x: Tensor): Tensor {
  const squared = square(abs(x));
  const turned = complex(div(neg(imag(x)), squared), div(real(x), squared));
  return where(isZero(squared), 0, mul(turned, g));
}

/** sin(pi x) / (pi x), elementwise, 1 at 0; integers give the default float type. */
export const sinc: Unary = unary('sinc', (g, x) => mul(g, conj(where(isZero(x), 0, sincSlope(x)))), { saves: 'x' });
function sincSlope(x: Tensor): Tensor {
  const px = mul(x, Math.PI);
  return div(sub(mul(px, cos(px)), sin(px)), mul(px, x));
}
function converted(name: string, angles: Tensor, factor: number): Tensor {
  if (angles.dtype.isComplex) throw new RuntimeError(`${name} is not supported for complex tensors.`);
  return mul(angles, factor);
}
/** Degrees to radians, elementwise: x pi / 180, of real tensors. Integers give the default float type. */
export const deg2rad = op(
  'deg2rad(Tensor input)',
  (input: Tensor): Tensor => converted('deg2rad', input, Math.PI / 180),
);
/** Radians to degrees, elementwise: x 180 / pi, of real tensors. Integers give the default float type. */
export const rad2deg = op(
  'rad2deg(Tensor input)',
  (input: Tensor): Tensor => converted('rad2deg', input, 180 / Math.PI),
);

/** Whether elements (of complex numbers a part) are NaN, elementwise; a bool tensor. */
export const isnan: Unary = unary('isnan', null);
/** Whether elements (of complex numbers a part) are infinite, elementwise; a bool tensor. */
export const isinf: Unary = unary('isinf', null);
/** Whether elements are neither infinite nor NaN, elementwise; a bool tensor. */
export const isfinite: Unary = unary('isfinite', null);
/** Whether elements of a real tensor are +Infinity, elementwise; a bool tensor. */
export const isposinf: Unary = unary('isposinf', null);
/** Whether elements of a real tensor are -Infinity, elementwise; a bool tensor. */
export const isneginf: Unary = unary('isneginf', null);
/** Whether the sign bit of a real number is set, that of -0 too, elementwise; a bool tensor. */
export const signbit: Unary = unary('signbit', null);
/** Whether elements are zero, elementwise; a bool tensor. */
export const logicalNot: Unary = unary('logicalNot', null);
/** Whether the imaginary part is zero, elementwise: always, for a real tensor. A bool tensor. */
export const isreal = op(
  'isreal(Tensor input)',
  (input: Tensor): Tensor => (input.dtype.isComplex ? isZero(imag(input)) : onesLike(input, { dtype: bool })),
);
const FLIP_BITS: Unary = unary('bitwiseNot', null);
/** All bits flipped, elementwise, of integers in their own type; of a bool tensor the negation. */
export const bitwiseNot = withInPlace(
  op(
    'bitwiseNot(Tensor input)',
    (input: Tensor): Tensor => (input.dtype === bool ? logicalNot(input) : FLIP_BITS(input)),
  ),
  (self: Tensor): Tensor => ((self.dtype === bool ? logicalNot : FLIP_BITS).inPlace as (t: Tensor) => Tensor)(self),
);
