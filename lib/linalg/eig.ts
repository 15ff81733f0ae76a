// Eigenvalues and eigenvectors.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { div, mul, sub } from '../ops/arithmetic.js';
import { imag, real } from '../ops/complex.js';
import { fnOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { conj } from '../ops/unary.js';
import { unsqueeze } from '../ops/view.js';
import { invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { adjoint, checkFloat, checkSquare, diagonalMatrices, diagonals, identityLike } from './common.js';
import { solve } from './solve.js';
import { cast } from '../ops/internal/cast.js';

const EIG = nativeOp('linalg_eig');
const EIGH = nativeOp('linalg_eigh');

type Eigen = NamedTuple<readonly ['eigenvalues', 'eigenvectors']>;

/** x without its main diagonal. */
function offDiagonal(x: Tensor): Tensor {
  return sub.impl(x, diagonalMatrices(diagonals(x)), 1);
}
/** l_j - l_i at [i, j], and 1 on the diagonal. */
function gaps(l: Tensor): Tensor {
  const between = sub.impl(unsqueeze.impl(l, -2), unsqueeze.impl(l, -1), 1);
  return between.add(identityLike(l, l.shape[l.ndim - 1]!));
}
/**
 * An eigenvector is given up to a factor of absolute value one: a loss that depends on it has no gradient.
 * @throws RuntimeError if the imaginary part of v_i^H g_i is not zero for some i.
 */
function checkPhase(node: string, what: string, d: Tensor): void {
  if (!d.dtype.isComplex || d.isMeta) return;
  const size = Number(d.detach().abs().amax().item());
  if (!(Number(imag.impl(d.detach()).abs().amax().item()) > 1e-2 * Math.max(size, 1))) return;
  throw new RuntimeError(
    `${node}: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. The specified loss ` +
      `function depends on this ${what}, so it is ill-defined.`,
  );
}

/** gA = V (diag(gL) + skew(V^H gV) / gaps off the diagonal) V^H. */
function hermitianGradient(gl: Tensor | null, gv: Tensor | null, l: Tensor, v: Tensor): Tensor {
  if (gv === null) return matmul.impl(mul.impl(v, unsqueeze.impl(gl!, -2)), adjoint(v));
  const inner = matmul.impl(adjoint(v), gv);
  if (inner.numel() > 0) checkPhase('linalg_eigh_backward', 'quantity', diagonals(inner));
  // Only turning the vectors against each other keeps them orthonormal: the skew part counts.
  const skew = mul.impl(sub.impl(inner, adjoint(inner), 1), 0.5);
  let middle = div.impl(offDiagonal(skew), gaps(l), null);
  if (gl !== null) middle = middle.add(diagonalMatrices(gl));
  return matmul.impl(v, matmul.impl(middle, adjoint(v)));
}
/** The same for vectors that are not orthogonal: gA = V^-H (diag(gL) + X / conj(gaps)) V^H with X = V^H gV - V^H V diag(Re(V^H gV)). */
function generalGradient(gl: Tensor | null, gv: Tensor | null, l: Tensor, v: Tensor): Tensor {
  const vh = adjoint(v);
  if (gv === null) return solve.impl(vh, mul.impl(unsqueeze.impl(gl!, -1), vh), true);
  const inner = matmul.impl(vh, gv);
  const d = diagonals(inner);
  if (inner.numel() > 0) checkPhase('linalg_eig_backward', 'quantity', d);
  // Vectors have length one: what would only stretch them does not count.
  const stretch = matmul.impl(vh, mul.impl(v, unsqueeze.impl(real.impl(d), -2)));
  let middle = div.impl(offDiagonal(sub.impl(inner, stretch, 1)), conj.impl(gaps(l)), null);
  if (gl !== null) middle = middle.add(diagonalMatrices(gl));
  return solve.impl(vh, matmul.impl(middle, vh), true);
}

function general(name: string, a: Tensor, vectors: boolean): Tensor[] {
  checkSquare(name, a);
  checkFloat(name, a);
  const recorded = needsGrad(a);
  const result = invokeMany(EIG, a, vectors || recorded);
  if (recorded) {
    const isReal = !a.dtype.isComplex;
    record('LinalgEigBackward0', result, [a], [result[0]!, result[1]!], (g, [l, v]) => {
      if (g[0] === null && g[1] === null) return [null];
      const ga = generalGradient(g[0] ?? null, g[1] ?? null, l, v);
      return [isReal ? real.impl(ga) : ga];
    });
  }
  return result;
}
function hermitian(a: Tensor, uplo: string, vectors: boolean): Tensor[] {
  checkSquare('linalg.eigh', a);
  checkFloat('linalg.eigh', a);
  const triangle = uplo.toUpperCase();
  if (triangle !== 'L' && triangle !== 'U')
    throw new RuntimeError(`Expected UPLO argument to be 'L' or 'U', but got ${uplo}`);
  const recorded = needsGrad(a);
  const result = invokeMany(EIGH, a, triangle === 'U', vectors || recorded);
  if (recorded) {
    record('LinalgEighBackward0', result, [a], [result[0]!, result[1]!], (g, [l, v]) => {
      if (g[0] === null && g[1] === null) return [null];
      // Real values belong to a complex matrix: their gradients join it.
      const gl = g[0] === null || g[0] === undefined ? null : cast(g[0], v.dtype);
      return [hermitianGradient(gl, g[1] ?? null, l, v)];
    });
  }
  return result;
}

/**
 * Eigenvalues and eigenvectors of general square matrices, A V = V diag(L), by balancing, Hessenberg and Schur form (Francis' QR)
 * in double precision. Gradients through the vectors exist where eigenvalues differ and the loss ignores the vectors' phase.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @returns `eigenvalues` [.., n] in no order that is promised, and `eigenvectors` [.., n, n], columns of length one; both complex
 * @throws RuntimeError if matrices are not square, an element is not finite, the iteration does not converge, or the type is an
 *   integer or a half; in backward, if the loss depends on the vectors' phase
 */
export const eig = fnOp(
  'eig(Tensor a)',
  (a: Tensor): Eigen => namedTuple(['eigenvalues', 'eigenvectors'], general('linalg.eig', a, true)),
);
/**
 * The eigenvalues of general square matrices, as `eig` computes them, without vectors unless a gradient needs them.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @returns [.., n], complex, in no order that is promised
 * @throws RuntimeError as `eig`
 */
export const eigvals = fnOp('eigvals(Tensor a)', (a: Tensor): Tensor => general('linalg.eigvals', a, false)[0]!);
/**
 * Eigenvalues and eigenvectors of symmetric or Hermitian matrices, A = V diag(L) V^H, by tridiagonal form and implicit QL in
 * double precision. Gradients through the vectors exist where eigenvalues differ and the loss ignores the vectors' phase.
 * @param a [.., n, n]; only one triangle is read
 * @param uplo the triangle that is read: 'L' (default) or 'U'
 * @returns `eigenvalues` [.., n], real and ascending, and `eigenvectors` [.., n, n] of a's type, orthonormal columns
 * @throws RuntimeError if `uplo` is another, matrices are not square, the iteration does not converge (elements that are not
 *   finite), or the type is an integer or a half; in backward, if the loss depends on the vectors' phase
 */
export const eigh = fnOp(
  "eigh(Tensor a, str uplo='L')",
  (a: Tensor, uplo: string): Eigen => namedTuple(['eigenvalues', 'eigenvectors'], hermitian(a, uplo, true)),
);
/**
 * The eigenvalues of symmetric or Hermitian matrices, as `eigh` computes them.
 * @param a [.., n, n]; only one triangle is read
 * @param uplo the triangle that is read: 'L' (default) or 'U'
 * @returns [.., n], real and ascending
 * @throws RuntimeError as `eigh`
 */
export const eigvalsh = fnOp(
  "eigvalsh(Tensor a, str uplo='L')",
  (a: Tensor, uplo: string): Tensor => hermitian(a, uplo, false)[0]!,
);
