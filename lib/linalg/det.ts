// Determinants, from the LU factorization.
import { needsGrad, record } from '../autograd/graph.js';
import { nativeOp } from '../native/addon.js';
import { mul, remainder, sub } from '../ops/arithmetic.js';
import { eq } from '../ops/comparison.js';
import { complex, imag, real } from '../ops/complex.js';
import { fnOp } from '../ops/define.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { prod, sum } from '../ops/reduce.js';
import { cumprod } from '../ops/scan.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { abs, conj, log, neg, sgn } from '../ops/unary.js';
import { unsqueeze } from '../ops/view.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import { int64 } from '../core/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { adjoint, checkFloat, checkSquare, diagonals } from './common.js';
import { factor } from './lu.js';
import { inverseOf } from './solve.js';
import { cast } from '../ops/internal/cast.js';
import { anyTrue } from '../ops/internal/truth.js';

const SVD = nativeOp('linalg_svd');
const ARANGE = nativeOp('arange');

/** 1 or -1: the sign of the permutation that the pivots make. */
function parity(pivots: Tensor, like: Tensor): Tensor {
  const n = pivots.shape[pivots.ndim - 1]!;
  const moved = pivots.ne(invoke(ARANGE, 1, 1, n, int64, pivots));
  const odd = remainder.impl(sum.impl(moved, [-1], false, int64), 2);
  return cast(sub.impl(1, mul.impl(odd, 2), 1), like.dtype);
}
/** The determinant without a gradient, and the diagonal of U with its sign. */
function determinant(a: Tensor): { det: Tensor; diagonal: Tensor; sign: Tensor } {
  const [lu, pivots] = factor(a.detach());
  const diagonal = diagonals(lu);
  const sign = parity(pivots, lu);
  return { det: mul.impl(prod.impl(diagonal, -1, false, null), sign), diagonal, sign };
}
const matrixWise = (t: Tensor): Tensor => unsqueeze.impl(unsqueeze.impl(t, -1), -1);

/** The conjugate cofactors, which exist for singular matrices too: of A = U S V^H, det(U V^H) U diag(prod of the other s) V^H. */
function cofactors(a: Tensor): Tensor {
  const [u, s, vh] = invokeMany(SVD, a.detach(), true, true) as [Tensor, Tensor, Tensor];
  const n = a.shape[a.ndim - 1]!;
  const one = s.narrow(-1, 0, 1).mul(0).add(1);
  const before = cumprod.impl(cat.impl([one, s.narrow(-1, 0, n - 1)], -1), -1, null);
  const after = cumprod.impl(cat.impl([one, s.narrow(-1, 1, n - 1).flip([-1])], -1), -1, null).flip([-1]);
  const turn = conj.impl(mul.impl(determinant(u).det, determinant(vh).det));
  const rows = mul.impl(u, unsqueeze.impl(mul.impl(before, after), -2));
  return mul.impl(matmul.impl(rows, vh), matrixWise(turn));
}
/** d det = det tr(A^-1 dA): g conj(det) A^-H, or g times the cofactors where a matrix is singular. */
function detGradient(g: Tensor, a: Tensor, det: Tensor): Tensor {
  if (anyTrue(eq.impl(det, 0))) return mul.impl(cofactors(a), matrixWise(g));
  return mul.impl(adjoint(inverseOf(a)[0]), matrixWise(mul.impl(g, conj.impl(det))));
}

/** @internal The determinant, checked under the name of its caller. */
export function detOf(name: string, a: Tensor): Tensor {
  checkFloat(name, a);
  checkSquare(name, a);
  const { det: y } = determinant(a);
  // The gradient uses a determinant that is part of the graph, so that it can be differentiated.
  if (needsGrad(a)) record('LinalgDetBackward0', y, [a], [a, y], (g, [x, d]) => [detGradient(g, x, d)]);
  return y;
}
/**
 * The determinants of square matrices: the product of the diagonal of U in A = P L U, and the sign of P. The gradient conj(det)
 * A^-H g is taken from cofactors where a matrix is singular.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @returns [..] of a's type; 1 for an empty matrix
 * @throws RuntimeError if matrices are not square or the type is an integer or a half
 */
export const det = fnOp('det(Tensor a)', (a: Tensor): Tensor => detOf('linalg.det', a));

/** The gradient for sign and log|det|: h A^-H with h = g_log - i Im(conj(g_sign) sign). */
function slogdetGradient(a: Tensor, sign: Tensor, gSign: Tensor | null, gLog: Tensor | null): Tensor | null {
  let h: Tensor | null = gLog;
  if (a.dtype.isComplex && gSign !== null) {
    const turn = neg(imag.impl(mul.impl(conj.impl(gSign), sign)));
    h = complex.impl(gLog === null ? mul.impl(turn, 0) : real.impl(gLog), turn);
  }
  return h === null ? null : mul.impl(adjoint(inverseOf(a)[0]), matrixWise(h));
}
/** @internal Sign and logarithm of the absolute value of determinants, checked under the name of the caller. */
export function slogdetOf(name: string, a: Tensor): NamedTuple<readonly ['sign', 'logabsdet']> {
  checkFloat(name, a);
  checkSquare(name, a);
  const parts = determinant(a);
  const sign = mul.impl(prod.impl(sgn(parts.diagonal), -1, false, null), parts.sign);
  const logabsdet = sum.impl(log(abs(parts.diagonal)), [-1], false, null);
  if (needsGrad(a)) {
    record('LinalgSlogdetBackward0', [sign, logabsdet], [a], [a, sign], (g, [x, s]) => [
      slogdetGradient(x, s, g[0] ?? null, g[1] ?? null),
    ]);
  }
  return namedTuple(['sign', 'logabsdet'], [sign, logabsdet]);
}
/**
 * The determinant as sign * exp(logabsdet), which neither overflows nor underflows; from the LU factorization.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @returns `sign` [..] of a's type (1, -1, or a complex number of absolute value one; 0 for a singular matrix), and `logabsdet`
 *   [..], real (-Infinity for a singular matrix)
 * @throws RuntimeError if matrices are not square or the type is an integer or a half
 */
export const slogdet = fnOp(
  'slogdet(Tensor a)',
  (a: Tensor): NamedTuple<readonly ['sign', 'logabsdet']> => slogdetOf('linalg.slogdet', a),
);

/** @internal log det; NaN for a negative determinant, complex for a complex one. */
export function logdetOf(a: Tensor): Tensor {
  const [sign, logabsdet] = slogdetOf('logdet', a) as [Tensor, Tensor];
  if (a.dtype.isComplex) return log(sign).add(logabsdet);
  // log of the sign: 0 for 1, NaN for -1, and 0 for 0 so that -Infinity stays; no gradient passes through it.
  const extra = log(sign.detach().add(cast(eq.impl(sign.detach(), 0), sign.dtype)));
  return logabsdet.add(extra);
}
