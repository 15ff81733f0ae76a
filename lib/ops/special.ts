// Special functions of PyTorch's torch.special that have native rows.
import type { Tensor } from '../tensor/tensor.js';
import { add, div, mul, sub } from './arithmetic.js';
import { eq, le, logicalAnd } from './comparison.js';
import { nativeOp } from '../native/addon.js';
import { type Unary, type Binary, binary, pointwise1, pointwise1_, unary, withInPlace } from './rows.js';
import { exp, i0, log, log1p, neg, sign, square } from './unary.js';
import { op } from './define.js';
import { select3 as where } from './internal/select.js';

const SQRT_PI = Math.sqrt(Math.PI);

/**
 * The Hurwitz zeta function, elementwise with broadcasting: the sum over k >= 0 of (k + other)^-input. Differentiable by
 * `other` alone; integers give the default float type.
 */
export const zeta: Binary = binary('zeta', [(g) => mul(g, NaN), (g, a, b) => mul(g, mul(neg(a), zeta(a.add(1), b)))], {
  saves: ['', 'ab'],
});
/** The modified Bessel function of the first kind and order 1, elementwise; integers give the default float type. */
export const i1: Unary = unary('i1', (g, x, y) => mul(g, sub(i0(x), besselQuotient(x, y))), { saves: 'xy' });
/** The scaled modified Bessel function i0(x) exp(-|x|), elementwise; integers give the default float type. */
export const i0e: Unary = unary('i0e', (g, x, y): Tensor => mul(g, sub(i1e(x), mul(sign(x), y))), { saves: 'xy' });
/** The scaled modified Bessel function i1(x) exp(-|x|), elementwise; integers give the default float type. */
export const i1e: Unary = unary('i1e', (g, x, y) => mul(g, sub(i0e(x), add(mul(sign(x), y), besselQuotient(x, y)))), {
  saves: 'xy',
});
/** I1(x) / x, which tends to 1/2 at 0. */
function besselQuotient(x: Tensor, y: Tensor): Tensor {
  // The divisor is kept away from 0, so that no derivative is 0 / 0 where the quotient is not taken.
  const zero = eq(x, 0);
  return where(zero, 0.5, div(y, where(zero, 1, x)));
}

/** The scaled complementary error function exp(x^2) erfc(x), elementwise; integers give the default float type. */
export const erfcx: Unary = unary('erfcx', (g, x, y) => mul(g, sub(mul(mul(x, y), 2), 2 / SQRT_PI)), { saves: 'xy' });
/** The distribution function of the standard normal, (1 + erf(x / sqrt(2))) / 2, elementwise; integers give floats. */
export const ndtr: Unary = unary('ndtr', (g, x) => mul(g, mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))), {
  saves: 'x',
});
/** The quantiles of the standard normal: the inverse of `ndtr`, elementwise, NaN outside [0, 1]; integers give floats. */
export const ndtri: Unary = unary(
  'ndtri',
  (g, _x, y) => mul(g, mul(exp(mul(square(y), 0.5)), Math.sqrt(2 * Math.PI))),
  { saves: 'y' },
);
/** log(ndtr(x)), elementwise, accurate far below zero too; integers give the default float type. */
export const logNdtr: Unary = unary(
  'logNdtr',
  (g, x) => div(g, mul(erfcx(mul(x, -Math.SQRT1_2)), Math.sqrt(Math.PI / 2))),
  { saves: 'x' },
);
/** -x log(x), elementwise: 0 at 0, -Infinity below; integers give the default float type. */
export const entr: Unary = unary('entr', (g, x) => mul(g, sub(neg(log(x)), 1)), { saves: 'x' });
/** input log(1 + other), elementwise with broadcasting, 0 where input is 0 unless other is NaN; integers give floats. */
export const xlog1py: Binary = binary(
  'xlog1py',
  [
    (g, a, b) => where(logicalAnd(eq(a, 0), le(b, -1)), 0, mul(g, typeof b === 'number' ? Math.log1p(b) : log1p(b))),
    (g, a, b) => div(mul(g, a), b.add(1)),
  ],
  { saves: ['ab', 'ab'] },
);

const LOGIT = nativeOp('logit');
const LOGIT_ = nativeOp('logit_');
/** 1 / (x (1 - x)), 0 where x was clamped. */
function logitGradient(eps: number): (g: Tensor, x: Tensor) => Tensor {
  return (g, x) => {
    const slope = div(g, mul(x, sub(1, x)));
    if (eps < 0) return where(logicalAnd(x.ge(0), x.le(1)), slope, NaN);
    return where(logicalAnd(x.ge(eps), x.le(1 - eps)), slope, 0);
  };
}
/**
 * log(x / (1 - x)), elementwise: the inverse of `sigmoid`.
 * @param input probabilities, real; integers give the default float type
 * @param eps to clamp x to [eps, 1 - eps] first (default null: no clamping, and NaN outside [0, 1])
 * @returns input's shape
 */
export const logit = withInPlace(
  op(
    'logit(Tensor input, float? eps=None)',
    (input: Tensor, eps: number | null): Tensor =>
      pointwise1(LOGIT, 'LogitBackward0', input, [eps ?? -1], 'x', logitGradient(eps ?? -1)),
  ),
  (self: Tensor, eps: number | null): Tensor =>
    pointwise1_(LOGIT_, 'LogitBackward0', self, [eps ?? -1], 'x', logitGradient(eps ?? -1)),
);
const NAN_TO_NUM = nativeOp('nan_to_num');
const NAN_TO_NUM_ = nativeOp('nan_to_num_');
/** The largest finite values by type. */
const LARGEST: Record<string, number> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};
function replacements(x: Tensor, nan: number | null, posinf: number | null, neginf: number | null): number[] {
  const top = LARGEST[x.dtype.toReal().name] ?? 0;
  return [nan ?? 0, posinf ?? top, neginf ?? -top];
}
/** Integers have nothing to replace; the change in place still counts as one. */
function unchanged(self: Tensor): Tensor {
  return self.copy_(self);
}
const finite = (g: Tensor, x: Tensor): Tensor => where(x.isfinite(), g, 0);
/**
 * NaN and infinities replaced by numbers, elementwise, with zero gradients there. Integers are copied as they are.
 * @param input any type
 * @param nan what stands for NaN (default null: 0)
 * @param posinf what stands for Infinity (default null: the type's largest number)
 * @param neginf what stands for -Infinity (default null: the type's lowest number)
 * @returns input's shape and type
 */
export const nanToNum = withInPlace(
  op(
    'nanToNum(Tensor input, float? nan=None, float? posinf=None, float? neginf=None)',
    (input: Tensor, nan: number | null, posinf: number | null, neginf: number | null): Tensor =>
      input.dtype.isFloatingPoint || input.dtype.isComplex
        ? pointwise1(NAN_TO_NUM, 'NanToNumBackward0', input, replacements(input, nan, posinf, neginf), 'x', finite)
        : input.clone(),
  ),
  (self: Tensor, nan: number | null, posinf: number | null, neginf: number | null): Tensor =>
    self.dtype.isFloatingPoint || self.dtype.isComplex
      ? pointwise1_(NAN_TO_NUM_, 'NanToNumBackward0', self, replacements(self, nan, posinf, neginf), 'x', finite)
      : unchanged(self),
);
