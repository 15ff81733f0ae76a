// The gamma function's family, and the parts of floating-point numbers.
import { needsGrad, record } from '../autograd/graph.js';
import { bool, int32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke1 } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { add, mul, sub, xlogy } from './arithmetic.js';
import { arange } from './creation.js';
import { fnOp, methodOp, op } from './define.js';
import { sum } from './reduce.js';
import { namedTuple } from './results.js';
import { type Binary, binary, pointwise1, withInPlace } from './rows.js';
import { digamma, exp, lgamma } from './unary.js';
import { unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { overwrite } from './internal/overwrite.js';

const POLYGAMMA = nativeOp('polygamma');
nativeOp('polygamma_');

function polygammaOf(n: number, input: Tensor): Tensor {
  if (n < 0) throw new RuntimeError('polygamma(n, x) does not support negative n.');
  if (n === 0) return digamma.impl(input);
  return pointwise1(POLYGAMMA, 'PolygammaBackward0', input, [n], 'x', (g, x) => mul.impl(g, polygammaOf(n + 1, x)));
}
/**
 * The n-th derivative of digamma, elementwise, digamma itself for n = 0; for n > 0 it is
 * (-1)^(n + 1) n! zeta(n + 1, x) with the Hurwitz zeta function. The method has the tensor first: x.polygamma(n).
 * @param n which derivative, at least 0
 * @param input a real tensor
 * @returns input's shape; integers give the default float type
 * @throws RuntimeError if n is negative
 */
export const polygamma = fnOp('polygamma(int n, Tensor input)', polygammaOf);
// The method has the tensor first, the function second.
const method = methodOp('polygamma(Tensor input, int n)', (input: Tensor, n: number): Tensor => polygammaOf(n, input));
Object.defineProperty(Tensor.prototype, 'polygamma', {
  value(this: Tensor, ...rest: [n: number]) {
    return method(this, ...rest);
  },
  writable: true,
  configurable: true,
});
/**
 * The n-th derivative of digamma, in place.
 * @param self a floating-point tensor
 * @param n which derivative, at least 0
 * @returns self
 * @throws RuntimeError if n is negative, or self is not of floating point
 */
export const polygamma_ = methodOp(
  'polygamma_(Tensor self, int n)',
  (self: Tensor, n: number): Tensor => overwrite(self, (x) => polygammaOf(n, x)),
);

/** The gradient by x, x^(a - 1) e^-x / Gamma(a); there is none by a. */
function density(g: Tensor, a: Tensor, x: Tensor): Tensor {
  return mul.impl(g, exp.impl(sub.impl(sub.impl(xlogy.impl(sub.impl(a, 1, 1), x), x, 1), lgamma.impl(a), 1)));
}
function noGradient(name: string): () => Tensor {
  return () => {
    throw new RuntimeError(`the derivative for '${name}: input' is not implemented.`);
  };
}
/**
 * The regularised lower incomplete gamma function, elementwise, of floating-point tensors, which broadcast:
 * P(a, x) = (integral from 0 to x of t^(a - 1) e^-t dt) / Gamma(a) with a = input > 0 and x = other >= 0.
 * There is no gradient by `input`; asking for it is a RuntimeError.
 */
export const igamma: Binary = binary('igamma', [noGradient('igamma'), (g, a, x) => density(g, a, x)], {
  numbers: 'none',
  saves: ['', 'ab'],
});
/**
 * The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), elementwise; operands and gradient as for `igamma`.
 */
export const igammac: Binary = binary('igammac', [noGradient('igammac'), (g, a, x) => density(g, a, x).neg()], {
  numbers: 'none',
  saves: ['', 'ab'],
});

function mvlgammaOf(input: Tensor, p: number): Tensor {
  if (p < 1) throw new RuntimeError('p has to be greater than or equal to 1');
  if (input.dtype === bool) throw new RuntimeError('"mvlgamma" not implemented for \'Bool\'');
  const x = input.dtype.isFloatingPoint ? input : cast(input, lgamma.impl(input).dtype);
  // sum over j < p of lgamma(x - j / 2)
  const halves = arange(-(p - 1) / 2, 0.25, 0.5, { dtype: x.dtype, device: x.device });
  const terms = lgamma.impl(add.impl(unsqueeze.impl(x, -1), halves, 1));
  return add.impl(sum.impl(terms, [-1], false, null), (p * (p - 1) * Math.log(Math.PI)) / 4, 1);
}
/**
 * The logarithm of the multivariate gamma function, elementwise:
 * p (p - 1) / 4 log(pi) + sum over j < p of lgamma(x - j / 2), meant for x > (p - 1) / 2.
 * @param input a real tensor, not bool
 * @param p the dimension, at least 1
 * @returns input's shape; integers give the default float type
 * @throws RuntimeError if p is less than 1 or input is bool
 */
export const mvlgamma = withInPlace(
  op('mvlgamma(Tensor input, int p)', mvlgammaOf),
  (self: Tensor, p: number): Tensor => overwrite(self, (x) => mvlgammaOf(x, p)),
);

const MANTISSA = nativeOp('frexp_mantissa');
const EXPONENT = nativeOp('frexp_exponent');
nativeOp('frexp_mantissa_');
nativeOp('frexp_exponent_');
/**
 * Floating-point numbers taken apart, elementwise: input = mantissa * 2^exponent.
 * @returns { mantissa, exponent } in input's shape: mantissas of input's type, in (-1, 1) and at least 1/2 in size, or input
 *   itself where it is 0 or not finite, and int32 exponents
 * @throws RuntimeError if input is not of a floating-point type
 */
export const frexp = op('frexp(Tensor input)', (input: Tensor): Tensor[] & { mantissa: Tensor; exponent: Tensor } => {
  if (!input.dtype.isFloatingPoint) throw new RuntimeError('torch.frexp() only supports floating-point dtypes');
  const mantissa = invoke1(MANTISSA, input);
  const exponent = cast(invoke(EXPONENT, input), int32);
  if (needsGrad(input))
    record('FrexpBackward0', mantissa, [input], [exponent], (g, [e]) => [mul.impl(g, cast(e, g.dtype).neg().exp2())]);
  return namedTuple(['mantissa', 'exponent'], [mantissa, exponent]);
});

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** The n-th derivative of digamma, elementwise; integers give floats. @throws RuntimeError if n is negative */
    polygamma(n: number): Tensor;
  }
}
