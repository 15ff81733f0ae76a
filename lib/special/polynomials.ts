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

/** Chebyshev's polynomials of the first kind: T_n(cos t) = cos(n t). */
export const chebyshevPolynomialT = polynomial('chebyshevPolynomialT', 'chebyshev_polynomial_t');
/** Of the second kind: U_n(cos t) = sin((n + 1) t) / sin(t). */
export const chebyshevPolynomialU = polynomial('chebyshevPolynomialU', 'chebyshev_polynomial_u');
/** Of the third kind: V_n(cos t) = cos((n + 1/2) t) / cos(t / 2). */
export const chebyshevPolynomialV = polynomial('chebyshevPolynomialV', 'chebyshev_polynomial_v');
/** Of the fourth kind: W_n(cos t) = sin((n + 1/2) t) / sin(t / 2). */
export const chebyshevPolynomialW = polynomial('chebyshevPolynomialW', 'chebyshev_polynomial_w');
/** T_n(2 x - 1), and so on. */
export const shiftedChebyshevPolynomialT = polynomial('shiftedChebyshevPolynomialT', 'shifted_chebyshev_polynomial_t');
/** The Chebyshev polynomial U_n of 2x - 1 (https://dlmf.nist.gov/18.7). */
export const shiftedChebyshevPolynomialU = polynomial('shiftedChebyshevPolynomialU', 'shifted_chebyshev_polynomial_u');
/** The Chebyshev polynomial V_n of 2x - 1 (https://dlmf.nist.gov/18.7). */
export const shiftedChebyshevPolynomialV = polynomial('shiftedChebyshevPolynomialV', 'shifted_chebyshev_polynomial_v');
/** The Chebyshev polynomial W_n of 2x - 1 (https://dlmf.nist.gov/18.7). */
export const shiftedChebyshevPolynomialW = polynomial('shiftedChebyshevPolynomialW', 'shifted_chebyshev_polynomial_w');
/** Hermite's polynomials as physicists define them, H_n; NaN beyond degree 128 (float32) or 512 (float64). */
export const hermitePolynomialH = polynomial('hermitePolynomialH', 'hermite_polynomial_h');
/** As probabilists do, He_n. */
export const hermitePolynomialHe = polynomial('hermitePolynomialHe', 'hermite_polynomial_he');
/** Laguerre's polynomials. */
export const laguerrePolynomialL = polynomial('laguerrePolynomialL', 'laguerre_polynomial_l');
/** Legendre's polynomials. */
export const legendrePolynomialP = polynomial('legendrePolynomialP', 'legendre_polynomial_p');
