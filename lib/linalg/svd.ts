// The singular value decomposition.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { div, mul, sub } from '../ops/arithmetic.js';
import { imag } from '../ops/complex.js';
import { fnOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { narrow, unsqueeze } from '../ops/view.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { adjoint, checkFloat, checkMatrix, diagonalMatrices, diagonals, identityLike, matrixSizes } from './common.js';
import { cast } from '../ops/internal/cast.js';

const SVD = nativeOp('linalg_svd');

const PHASE =
  'svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The specified ' +
  'loss function depends on this phase term, making it ill-defined.';

/** Singular vectors are given up to a common phase: a loss that depends on it has no gradient. */
function checkPhase(both: Tensor): void {
  if (both.numel() === 0 || both.isMeta) return;
  const d = diagonals(both.detach());
  if (Number(imag.impl(d).abs().amax().item()) > 1e-2 * Math.max(1, Number(d.abs().amax().item())))
    throw new RuntimeError(PHASE);
}

/**
 * The gradient of A = U diag(S) V^H with k columns (Townsend, Differentiating the singular value decomposition, 2016).
 * With skew(X) = X - X^H and E_ij = S_j^2 - S_i^2 (1 on the diagonal):
 * gA = U [(skew(U^H gU) S_j + S_i skew(V^H gV)) / E + diag(gS)] V^H + (what leaves the spaces of U and V).
 */
function svdGradient(
  gu: Tensor | null,
  gs: Tensor | null,
  gvh: Tensor | null,
  u: Tensor,
  s: Tensor,
  vh: Tensor,
): Tensor | null {
  const product = (a: Tensor, b: Tensor): Tensor => matmul.impl(a, b);
  const m = u.shape[u.ndim - 2]!;
  const n = vh.shape[vh.ndim - 1]!;
  const k = s.shape[s.ndim - 1]!;
  const columns = unsqueeze.impl(s, -2);
  const rows = unsqueeze.impl(s, -1);
  if (gu === null && gvh === null) {
    if (gs === null) return null;
    return product(mul.impl(u, unsqueeze.impl(gs, -2)), vh);
  }
  const skew = (x: Tensor): Tensor => sub.impl(x, adjoint(x), 1);
  const left = gu === null ? null : skew(product(adjoint(u), gu));
  const right = gvh === null ? null : skew(product(vh, adjoint(gvh)));
  if (u.dtype.isComplex) checkPhase(left === null ? right! : right === null ? left : left.add(right));
  const squares = mul.impl(s, s);
  const gaps = sub.impl(unsqueeze.impl(squares, -2), unsqueeze.impl(squares, -1), 1).add(identityLike(s, k));
  let inner: Tensor;
  if (left !== null && right !== null) inner = div.impl(mul.impl(left, columns).add(mul.impl(rows, right)), gaps, null);
  else if (left !== null) inner = mul.impl(div.impl(left, gaps, null), columns);
  else inner = mul.impl(rows, div.impl(right!, gaps, null));
  if (gs !== null) inner = inner.add(cast(diagonalMatrices(gs), inner.dtype));
  if (u.dtype.isComplex && left !== null && right !== null) {
    // The phases of U and V move against each other.
    inner = inner.add(diagonalMatrices(div.impl(diagonals(left), mul.impl(s, 2), null)));
  }
  let ga = product(u, inner);
  if (gu !== null && m > k) {
    const outside = div.impl(gu, columns, null);
    ga = ga.add(sub.impl(outside, product(u, product(adjoint(u), outside)), 1));
  }
  ga = product(ga, vh);
  if (gvh !== null && n > k) {
    const outside = div.impl(gvh, rows, null);
    ga = ga.add(product(u, sub.impl(outside, product(product(outside, adjoint(vh)), vh), 1)));
  }
  return ga;
}

/** @internal U, S and Vh; with only S asked for and no gradient, the vectors are not computed. */
export function decompose(
  a: Tensor,
  full: boolean,
  vectors: boolean,
): [u: Tensor | null, s: Tensor, vh: Tensor | null] {
  checkMatrix('linalg.svd', a);
  checkFloat('linalg.svd', a);
  const recorded = needsGrad(a);
  if (!vectors && !recorded) return [null, invoke(SVD, a, false, false), null];
  const [u, s, vh] = invokeMany(SVD, a, full, true) as [Tensor, Tensor, Tensor];
  if (recorded) {
    const k = Math.min(...matrixSizes(a));
    const first = (t: Tensor | null | undefined, dim: number): Tensor | null => (t ? narrow.impl(t, dim, 0, k) : null);
    record('LinalgSvdBackward0', [u, s, vh], [a], [u, s, vh], (g, [u0, s0, v0]) => [
      svdGradient(first(g[0], -1), g[1] ?? null, first(g[2], -2), first(u0, -1)!, s0, first(v0, -2)!),
    ]);
  }
  return [u, s, vh];
}
/**
 * The singular value decomposition A = U diag(S) Vh, by bidiagonal form and implicit QR (Golub and Kahan) in double precision.
 * Gradients through U and Vh exist where singular values differ (and, for m != n, are not zero), and reach only their first k
 * columns and rows (Townsend 2016).
 * @param a [.., m, n], float or complex of 32 or 64 bits a part; k = min(m, n)
 * @param fullMatrices return U [.., m, m] and Vh [.., n, n] (default true), or their first k columns and rows
 * @param driver only null, the default: there is one algorithm
 * @returns `U` with orthonormal columns, `S` [.., k], real, descending, not negative, and `Vh` with orthonormal rows
 * @throws RuntimeError if an element is not finite, the iteration does not converge, or the type is an integer or a half; in
 *   backward, if the loss depends on the phase of complex vectors
 */
export const svd = fnOp(
  'svd(Tensor a, bool fullMatrices=True, str? driver=None)',
  (a: Tensor, fullMatrices: boolean, driver: string | null): NamedTuple<readonly ['U', 'S', 'Vh']> => {
    checkDriver(driver);
    return namedTuple(['U', 'S', 'Vh'], decompose(a, fullMatrices, true) as [Tensor, Tensor, Tensor]);
  },
);
function checkDriver(driver: string | null): void {
  if (driver !== null) {
    throw new RuntimeError(
      'torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.',
    );
  }
}
/**
 * The singular values of matrices, as `svd` computes them, without vectors unless a gradient needs them.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param driver only null, the default: there is one algorithm
 * @returns [.., min(m, n)], real, descending
 * @throws RuntimeError as `svd`
 */
export const svdvals = fnOp('svdvals(Tensor a, str? driver=None)', (a: Tensor, driver: string | null): Tensor => {
  checkDriver(driver);
  return decompose(a, false, false)[1];
});
