// Orthogonal polynomials: p(x, n) for tensors or numbers x and n, broadcast. The degree n is truncated to an integer; a
// negative one gives 0, and one beyond 2^20 may give NaN. They have no gradients, as in PyTorch.
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { fnOp } from '../ops/define.js';
import type { TensorOrScalar } from '../ops/signature.js';

function polynomial(name: string, native: string) {
  const id = nativeOp(native);
  nativeOp(`${native}_`);
  return fnOp(
    `${name}(Tensor|Scalar x, Tensor|Scalar n)` as 'p(Tensor|Scalar x, Tensor|Scalar n)',
    (x: TensorOrScalar, n: TensorOrScalar): Tensor => invoke(id, x, n),
  );
}

/**
 * Chebyshev's polynomials of the first kind, elementwise with broadcasting: T_n(cos t) = cos(n t).
 * @param x a real tensor or a number
 * @param n the degree, a tensor or a number, truncated to an integer; a negative one gives 0
 * @returns the broadcast shape; integers give the default float type. No gradient
 * @throws TypeError if neither is a tensor; RuntimeError for complex tensors
 */
export const chebyshevPolynomialT = polynomial('chebyshevPolynomialT', 'chebyshev_polynomial_t');
/** Chebyshev's polynomials of the second kind: U_n(cos t) = sin((n + 1) t) / sin(t). Arguments as `chebyshevPolynomialT`. */
export const chebyshevPolynomialU = polynomial('chebyshevPolynomialU', 'chebyshev_polynomial_u');
/**
 * Chebyshev's polynomials of the third kind: V_n(cos t) = cos((n + 1/2) t) / cos(t / 2). Arguments as `chebyshevPolynomialT`.
 */
export const chebyshevPolynomialV = polynomial('chebyshevPolynomialV', 'chebyshev_polynomial_v');
/**
 * Chebyshev's polynomials of the fourth kind: W_n(cos t) = sin((n + 1/2) t) / sin(t / 2). Arguments as `chebyshevPolynomialT`.
 */
export const chebyshevPolynomialW = polynomial('chebyshevPolynomialW', 'chebyshev_polynomial_w');
/** The Chebyshev polynomial T_n of 2x - 1 (https://dlmf.nist.gov/18.7). Arguments as `chebyshevPolynomialT`. */
export const shiftedChebyshevPolynomialT = polynomial('shiftedChebyshevPolynomialT', 'shifted_chebyshev_polynomial_t');
/** The Chebyshev polynomial U_n of 2x - 1 (https://dlmf.nist.gov/18.7). Arguments as `chebyshevPolynomialT`. */
export const shiftedChebyshevPolynomialU = polynomial('shiftedChebyshevPolynomialU', 'shifted_chebyshev_polynomial_u');
/** The Chebyshev polynomial V_n of 2x - 1 (https://dlmf.nist.gov/18.7). Arguments as `chebyshevPolynomialT`. */
export const shiftedChebyshevPolynomialV = polynomial('shiftedChebyshevPolynomialV', 'shifted_chebyshev_polynomial_v');
/** The Chebyshev polynomial W_n of 2x - 1 (https://dlmf.nist.gov/18.7). Arguments as `chebyshevPolynomialT`. */
export const shiftedChebyshevPolynomialW = polynomial('shiftedChebyshevPolynomialW', 'shifted_chebyshev_polynomial_w');
/**
 * Hermite's polynomials as physicists define them, H_(n + 1)(x) = 2 x H_n(x) - 2 n H_(n - 1)(x); NaN beyond degree 128
 * (float32) or 512 (float64). Arguments as `chebyshevPolynomialT`.
 */
export const hermitePolynomialH = polynomial('hermitePolynomialH', 'hermite_polynomial_h');
/**
 * Hermite's polynomials as probabilists define them, He_(n + 1)(x) = x He_n(x) - n He_(n - 1)(x). Arguments as
 * `chebyshevPolynomialT`.
 */
export const hermitePolynomialHe = polynomial('hermitePolynomialHe', 'hermite_polynomial_he');
/**
 * Laguerre's polynomials, (n + 1) L_(n + 1)(x) = (2 n + 1 - x) L_n(x) - n L_(n - 1)(x). Arguments as `chebyshevPolynomialT`.
 */
export const laguerrePolynomialL = polynomial('laguerrePolynomialL', 'laguerre_polynomial_l');
/**
 * Legendre's polynomials, (n + 1) P_(n + 1)(x) = (2 n + 1) x P_n(x) - n P_(n - 1)(x). Arguments as `chebyshevPolynomialT`.
 */
export const legendrePolynomialP = polynomial('legendrePolynomialP', 'legendre_polynomial_p');
