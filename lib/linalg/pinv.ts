// Pseudoinverses, ranks and least squares, from singular values.
import { needsGrad, record } from '../autograd/graph.js';
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { maximum, mul, sub } from '../ops/arithmetic.js';
import { gt } from '../ops/comparison.js';
import { fnOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { amax, sum } from '../ops/reduce.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { abs, reciprocal } from '../ops/unary.js';
import { narrow, squeeze, unsqueeze } from '../ops/view.js';
import { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkMatrix,
  checkSquare,
  epsilonOf,
  matrixSizes,
  overBatch,
  zerosOf,
} from './common.js';
import { eigh, eigvalsh } from './eig.js';
import { factorQr } from './qr.js';
import { decompose } from './svd.js';
import { solveTriangle } from './triangular.js';
import { cast } from '../ops/internal/cast.js';
import { select3 as where } from '../ops/internal/select.js';
import { allTrue } from '../ops/internal/truth.js';

type Tolerance = Tensor | number | null;

function tolerance(name: string, what: string, value: unknown): Tolerance {
  if (value === null || value === undefined || typeof value === 'number') return value ?? null;
  if (!(value instanceof Tensor)) throw new TypeError(`${name}(): argument '${what}' must be a number or a Tensor`);
  if (value.dtype.isComplex)
    throw new RuntimeError(`torch.linalg.${name}: ${what} tensor of complex type is not supported.`);
  return value;
}
/**
 * Below which size a singular value counts as zero: max(atol, rtol * the largest). Without rtol it is the rounding error
 * of a matrix of these sizes, unless atol is given and positive.
 * @param largest [.., 1]
 */
function threshold(a: Tensor, atol: Tolerance, rtol: Tolerance, largest: Tensor): Tensor {
  const rounding = epsilonOf(a.dtype) * Math.max(...matrixSizes(a));
  const column = (t: Tensor): Tensor => unsqueeze.impl(cast(t, largest.dtype), -1);
  const absolute = atol instanceof Tensor ? column(atol) : (atol ?? 0);
  let relative: Tensor | number;
  if (rtol !== null) relative = rtol instanceof Tensor ? column(rtol) : rtol;
  else if (absolute instanceof Tensor) relative = where(gt(absolute, 0), 0, mul.impl(absolute, 0).add(rounding));
  else relative = absolute > 0 ? 0 : rounding;
  const scaled = mul.impl(largest, relative);
  return maximum(scaled, absolute instanceof Tensor ? absolute : mul.impl(scaled, 0).add(absolute));
}
const first = (s: Tensor): Tensor => narrow.impl(s, -1, 0, 1);
/** 1 / s where s is above the threshold, else 0. */
function invertedAbove(s: Tensor, size: Tensor, bound: Tensor): Tensor {
  return where(gt(size, bound), reciprocal(s), 0);
}

/** d A^+ by Golub and Pereyra (1973); P = A^+, G = g^H. */
function pinvGradient(g: Tensor, p: Tensor, a: Tensor): Tensor {
  const product = (x: Tensor, y: Tensor): Tensor => matmul.impl(x, y);
  const ph = adjoint(p);
  const gh = adjoint(g);
  const [m, n] = matrixSizes(a);
  if (m <= n) {
    const k = product(gh, p);
    const kph = product(k, ph);
    const outside = sub.impl(kph, product(product(a, p), kph), 1);
    return sub.impl(outside, adjoint(product(p, k)), 1).add(product(product(ph, p), sub.impl(gh, product(k, a), 1)));
  }
  const k = product(p, gh);
  const phk = product(ph, k);
  const outside = sub.impl(phk, product(product(phk, p), a), 1);
  return sub.impl(outside, adjoint(product(k, p)), 1).add(product(sub.impl(gh, product(a, k), 1), product(p, ph)));
}
/** @internal The pseudoinverse. */
export function pinvOf(a: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  const { dtype } = a;
  if (a.ndim < 2 || !(dtype.isComplex || (dtype.isFloatingPoint && dtype.itemsize > 2))) {
    throw new RuntimeError(
      `linalg.pinv(${dtype.scalarName}{[${a.shape.join(', ')}]}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types`,
    );
  }
  if (hermitian) checkSquare('linalg.eigh', a);
  const [m, n] = matrixSizes(a);
  if (a.numel() === 0) return mul.impl(sum.impl(a, null, false, null), zerosOf(a, [...batchSizes(a), n, m]));
  const y = pinvValue(a.detach(), atol, rtol, hermitian);
  if (needsGrad(a)) record('LinalgPinvBackward0', y, [a], [a, y], (g, [x, p]) => [pinvGradient(g, p, x)]);
  return y;
}
function pinvValue(a: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  if (hermitian) {
    const [l, v] = eigh.impl(a, 'L') as [Tensor, Tensor];
    const size = abs(l);
    const inverted = invertedAbove(l, size, threshold(a, atol, rtol, amax.impl(size, [-1], true)));
    return matmul.impl(mul.impl(v, unsqueeze.impl(inverted, -2)), adjoint(v));
  }
  const [u, s, vh] = decompose(a, false, true) as [Tensor, Tensor, Tensor];
  const inverted = invertedAbove(s, s, threshold(a, atol, rtol, first(s)));
  return matmul.impl(mul.impl(adjoint(vh), unsqueeze.impl(inverted, -2)), adjoint(u));
}
/**
 * The pseudoinverse (Moore and Penrose) of matrices, from their singular values: V diag(1/s) U^H over those that are not
 * negligible. The gradient (Golub and Pereyra 1973) holds while the rank does not change.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param rcond an older name of `rtol`, which goes before it (default null)
 * @param hermitian matrices are Hermitian: eigenvalues of the lower triangle instead of singular values (default false)
 * @param atol singular values up to max(atol, rtol * the largest) count as zero: a number, or a real tensor [..] (default null:
 *   0)
 * @param rtol the same, relative (default null: max(m, n) * eps, or 0 where `atol` is positive)
 * @returns [.., n, m] of a's type
 * @throws RuntimeError for other types or fewer than two dimensions, complex tolerances, `hermitian` without square matrices, or
 *   if the decomposition does not converge
 * @throws TypeError if a tolerance is neither a number nor a tensor
 */
export const pinv = fnOp(
  'pinv(Tensor a, any rcond=None, bool hermitian=False, any atol=None, any rtol=None)',
  (a: Tensor, rcond: unknown, hermitian: boolean, atol: unknown, rtol: unknown): Tensor =>
    pinvOf(a, tolerance('pinv', 'atol', atol), tolerance('pinv', 'rtol', rtol ?? rcond), hermitian),
);

/**
 * The number of singular values above max(atol, rtol * the largest). It has no gradient.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param tol the older form, an absolute tolerance alone: goes before `atol`, with rtol 0 (default null)
 * @param hermitian matrices are Hermitian: absolute eigenvalues of the lower triangle are counted (default false)
 * @param atol a number, or a real tensor [..] (default null: 0)
 * @param rtol a number, or a real tensor [..] (default null: max(m, n) * eps, or 0 where `atol` is positive)
 * @returns int64 [..]
 * @throws RuntimeError for other types or fewer than two dimensions, complex tolerances, or `hermitian` without square matrices
 * @throws TypeError if a tolerance is neither a number nor a tensor
 */
export const matrixRank = fnOp(
  'matrixRank(Tensor a, any tol=None, bool hermitian=False, any atol=None, any rtol=None)',
  (a: Tensor, tol: unknown, hermitian: boolean, atol: unknown, rtol: unknown): Tensor => {
    const name = 'matrixRank';
    checkMatrix('torch.linalg.matrix_rank', a, 'input');
    if (hermitian) checkSquare('linalg.eigh', a);
    const absolute = tolerance(name, 'atol', tol ?? atol);
    const relative = tol === null ? tolerance(name, 'rtol', rtol) : 0;
    if (a.numel() === 0) return zerosOf(sum.impl(a.detach().ne(0), null, false, int64), batchSizes(a));
    const s = hermitian ? abs(eigvalsh.impl(a.detach(), 'L')) : decompose(a.detach(), false, false)[1];
    const largest = hermitian ? amax.impl(s, [-1], true) : first(s);
    return sum.impl(gt(s, threshold(a, absolute, relative, largest)), [-1], false, int64);
  },
);

const DRIVERS = ['gels', 'gelsy', 'gelsd', 'gelss'];

/** The least squares solution of smallest norm, its singular values and rank. */
function leastSquares(
  a: Tensor,
  b: Tensor,
  rcond: number,
  driver: string,
): { x: Tensor; s: Tensor | null; rank: Tensor | null } {
  const [m, n] = matrixSizes(a);
  if (driver === 'gels') {
    // A has full rank: by Q R = A, or Q R = A^H if it is wide.
    const [q, r] = factorQr(m >= n ? a : adjoint(a), false);
    if (m >= n) return { x: solveTriangle(r, matmul.impl(adjoint(q), b), true), s: null, rank: null };
    return { x: matmul.impl(q, solveTriangle(adjoint(r), b, false)), s: null, rank: null };
  }
  const [u, s, vh] = decompose(a, false, true) as [Tensor, Tensor, Tensor];
  if (Math.min(m, n) === 0) {
    return { x: matmul.impl(adjoint(vh), matmul.impl(adjoint(u), b)), s, rank: sum.impl(s.ne(0), [-1], false, int64) };
  }
  const bound = mul.impl(first(s), rcond);
  const part = mul.impl(matmul.impl(adjoint(u), b), unsqueeze.impl(invertedAbove(s, s, bound), -1));
  return { x: matmul.impl(adjoint(vh), part), s, rank: sum.impl(gt(s, bound), [-1], false, int64) };
}
function solution(a: Tensor, b: Tensor, x: Tensor): void {
  if (!needsGrad(a, b)) return;
  // x = A^+ b
  record('LinalgLstsqBackward0', x, [a, b], [a, b], (g, [m, y], needs) => {
    const p = pinvOf(m, null, null, false);
    return [
      needs[0] ? pinvGradient(matmul.impl(g, adjoint(y)), p, m) : null,
      needs[1] ? matmul.impl(adjoint(p), g) : null,
    ];
  });
}

/**
 * The X that minimizes the Frobenius norm of A X - B; of several, the one of smallest norm. All drivers but 'gels' use singular
 * values, 'gels' a QR factorization.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param b [.., m, k], or [.., m] (a vector per matrix); batches broadcast
 * @param rcond singular values up to rcond times the largest count as zero (default null, and negative: max(m, n) * eps)
 * @param driver 'gelsy' (default), 'gelsd', 'gelss', or 'gels' for matrices known to have full rank
 * @returns `solution` [.., n, k] or [.., n]; `residuals` [.., k], the sums of |A X - B|^2 (empty for 'gelsy', where m <= n, and
 *   where a rank is not full); `rank` int64 [..] (empty for 'gels'); `singularValues` [.., min(m, n)] (empty but for 'gelsd' and
 *   'gelss')
 * @throws RuntimeError if sizes or types disagree, `driver` is another, or the type is an integer or a half
 */
export const lstsq = fnOp(
  'lstsq(Tensor a, Tensor b, float? rcond=None, str? driver=None)',
  (
    a: Tensor,
    b: Tensor,
    rcond: number | null,
    driver: string | null,
  ): NamedTuple<readonly ['solution', 'residuals', 'rank', 'singularValues']> => {
    const name = 'torch.linalg.lstsq';
    if (a.ndim < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
    if (b.ndim < 1) throw new RuntimeError(`${name}: other must have at least 1 dimension.`);
    if (a.dtype !== b.dtype) {
      throw new RuntimeError(
        `${name}: Expected input and other to have the same dtype, but got input's dtype ${a.dtype.scalarName} and other's dtype ${b.dtype.scalarName}`,
      );
    }
    const gap = a.ndim - b.ndim;
    if (gap < 0 || gap > 1) {
      throw new RuntimeError(
        `${name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1`,
      );
    }
    const vector = gap === 1;
    const other = vector ? unsqueeze.impl(b, -1) : b;
    if (a.shape[a.ndim - 2] !== other.shape[other.ndim - 2]) {
      throw new RuntimeError(`${name}: input.size(-2) should match other.size(-${vector ? 1 : 2})`);
    }
    const method = driver ?? 'gelsy';
    if (!DRIVERS.includes(method))
      throw new RuntimeError(`${name}: parameter \`driver\` should be one of (gels, gelsy, gelsd, gelss)`);
    const [m, n] = matrixSizes(a);
    const batch = broadcastSizes(batchSizes(a), batchSizes(other));
    const wide = overBatch(a, batch);
    const right = overBatch(other, batch);
    const cut = rcond === null || rcond < 0 ? epsilonOf(a.dtype) * Math.max(m, n) : rcond;
    const { x, s, rank } = leastSquares(wide.detach(), right.detach(), cut, method);
    solution(wide, right, x);
    const noValues = zerosOf(x.real, [0]);
    let residuals = noValues;
    const full = rank === null || (method !== 'gelsy' && allTrue(rank.eq(n)));
    if (m > n && full) {
      const off = abs(sub.impl(right, matmul.impl(wide, x), 1));
      residuals = sum.impl(mul.impl(off, off), [-2], false, null);
    }
    const ranks = rank ?? zerosOf(sum.impl(x.detach().ne(0), null, false, int64), [0]);
    const values = method === 'gelsd' || method === 'gelss' ? s! : noValues;
    return namedTuple(
      ['solution', 'residuals', 'rank', 'singularValues'],
      [vector ? squeeze.impl(x, [-1]) : x, residuals, ranks, values],
    );
  },
);
