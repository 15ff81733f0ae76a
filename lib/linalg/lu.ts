// LU factorizations with partial pivoting.
import { needsGrad, record } from '../autograd/graph.js';
import { int32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { add } from '../ops/arithmetic.js';
import { fnOp } from '../ops/define.js';
import { scatter } from '../ops/gather.js';
import { tril, triu } from '../ops/index_triangle.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { narrow, unsqueeze } from '../ops/view.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkMatrix,
  checkSameType,
  checkSquare,
  firstFailure,
  identityLike,
  matrixSizes,
  overBatch,
  sameSizes,
  turned,
  zerosOf,
} from './common.js';
import { checkSystem, solveTriangle } from './triangular.js';

const LU_FACTOR = nativeOp('linalg_lu_factor');
const LU_SOLVE = nativeOp('linalg_lu_solve');
const PIVOTS = nativeOp('linalg_pivots');

const rowsFrom = (a: Tensor, start: number, n: number): Tensor => narrow.impl(a, -2, start, n);
const columnsFrom = (a: Tensor, start: number, n: number): Tensor => narrow.impl(a, -1, start, n);

/** The factors in one matrix: the unit lower L [.., m, k] and the upper U [.., k, n]. */
function factorsOf(lu: Tensor): [l: Tensor, u: Tensor] {
  const [m, n] = matrixSizes(lu);
  const k = Math.min(m, n);
  const unit = m === k ? identityLike(lu, k) : cat.impl([identityLike(lu, k), zerosOf(lu, [m - k, k])], 0);
  return [add.impl(tril.impl(columnsFrom(lu, 0, k), -1), unit, 1), triu.impl(rowsFrom(lu, 0, k), 0)];
}
/** P of A = P L U: [.., m, m]. */
function permutation(lu: Tensor, pivots: Tensor): Tensor {
  const m = lu.shape[lu.ndim - 2]!;
  const order = invoke(PIVOTS, pivots, m);
  // Row i of P^T A is row order[i] of A.
  return turned(scatter(zerosOf(lu, [...batchSizes(lu), m, m]), -1, unsqueeze.impl(order, -1), 1));
}

/**
 * The gradient of A from those of L and U in A = P L U. Differentiating gives L^-1 P^T dA U^-1 = L^-1 dL + dU U^-1, whose
 * terms are strictly lower and upper triangular; A wide or tall matrix adds what its extra columns or rows say.
 */
function factorGradient(gLu: Tensor, lu: Tensor, pivots: Tensor): Tensor {
  const [m, n] = matrixSizes(lu);
  const k = Math.min(m, n);
  const [l, u] = factorsOf(lu);
  const gl = tril.impl(columnsFrom(gLu, 0, k), -1);
  const gu = triu.impl(rowsFrom(gLu, 0, k), 0);
  const product = (a: Tensor, b: Tensor): Tensor => matmul.impl(a, b);
  const [l1, gl1] = [rowsFrom(l, 0, k), rowsFrom(gl, 0, k)];
  const [u1, gu1] = [columnsFrom(u, 0, k), columnsFrom(gu, 0, k)];
  let lower = product(adjoint(l1), gl1);
  let upper = product(gu1, adjoint(u1));
  const parts: Tensor[] = [];
  if (n > k) {
    const [u2, gu2] = [columnsFrom(u, k, n - k), columnsFrom(gu, k, n - k)];
    lower = lower.sub(product(gu2, adjoint(u2)));
    parts.push(solveTriangle(adjoint(l1), gu2, true, true, true));
  }
  if (m > k) {
    const [l2, gl2] = [rowsFrom(l, k, m - k), rowsFrom(gl, k, m - k)];
    upper = upper.sub(product(adjoint(l2), gl2));
    parts.push(solveTriangle(adjoint(u1), gl2, false, false));
  }
  const middle = tril.impl(lower, -1).add(triu.impl(upper, 0));
  const half = solveTriangle(adjoint(l1), middle, true, true, true);
  const g1 = solveTriangle(adjoint(u1), half, false, false);
  const whole = parts.length === 0 ? g1 : cat.impl([g1, ...parts], n > k ? -1 : -2);
  return product(permutation(lu, pivots), whole);
}

/** @internal LU, pivots and info of matrices. */
export function factor(a: Tensor): [lu: Tensor, pivots: Tensor, info: Tensor] {
  const [lu, pivots, info] = invokeMany(LU_FACTOR, a) as [Tensor, Tensor, Tensor];
  if (needsGrad(a)) {
    record('LinalgLuFactorExBackward0', lu, [a], [lu, pivots], (g, [f, p]) => [factorGradient(g, f, p)]);
  }
  return [lu, pivots, info];
}
/** @internal A^-1 B or A^-H B from factors, without a gradient; batches must agree. */
export function solveFactored(lu: Tensor, pivots: Tensor, b: Tensor, adjointSystem: boolean): Tensor {
  return invoke(LU_SOLVE, lu, pivots, b, adjointSystem);
}

function checkFactor(name: string, a: Tensor, pivot: boolean): void {
  if (a.ndim < 2) {
    throw new RuntimeError(
      `${name}: Expected tensor with 2 or more dimensions. Got size: [${a.shape.join(', ')}] instead`,
    );
  }
  if (!pivot) throw new RuntimeError('linalg.lu_factor: LU without pivoting is not implemented on the CPU');
}
function checkZeroPivot(name: string, info: Tensor): void {
  const failure = firstFailure(info);
  if (failure === null) return;
  throw new RuntimeError(
    `torch.linalg.${name}: ${failure.where}U[${failure.code},${failure.code}] is zero and using it on lu_solve would result ` +
      'in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or ' +
      'linalg.lu_factor_ex(A, pivot)',
  );
}

/**
 * The LU factorization with partial pivoting, A = P L U, packed in one matrix; by halves of the columns (Toledo 1997).
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param pivot only true, the default: there is no factorization without pivoting
 * @returns `LU` [.., m, n] (U on and above the diagonal, L without its ones below), and `pivots` int32 [.., min(m, n)]: row i was
 *   exchanged with row pivots[i], counted from 1
 * @throws RuntimeError if a pivot is zero, `pivot` is false, or the input has fewer than two dimensions or another type
 */
export const luFactor = fnOp(
  'luFactor(Tensor a, bool pivot=True)',
  (a: Tensor, pivot: boolean): NamedTuple<readonly ['LU', 'pivots']> => {
    checkFactor('torch.lu_factor', a, pivot);
    const [lu, pivots, info] = factor(a);
    checkZeroPivot('lu_factor', info);
    return namedTuple(['LU', 'pivots'], [lu, pivots]);
  },
);
/**
 * As `luFactor`, but a zero pivot is reported instead of thrown.
 * @param a [.., m, n]
 * @param pivot only true, the default
 * @param checkErrors throw as `luFactor` does (default false)
 * @returns `LU` [.., m, n], `pivots` int32 [.., min(m, n)], and `info` int32 [..]: 0, or the place of the first zero pivot from 1
 * @throws RuntimeError as `luFactor`, for a zero pivot only with `checkErrors`
 */
export const luFactorEx = fnOp(
  'luFactorEx(Tensor a, bool pivot=True, bool checkErrors=False)',
  (a: Tensor, pivot: boolean, checkErrors: boolean): NamedTuple<readonly ['LU', 'pivots', 'info']> => {
    checkFactor('torch.lu_factor', a, pivot);
    const result = factor(a);
    if (checkErrors) checkZeroPivot('lu_factor_ex', result[2]);
    return namedTuple(['LU', 'pivots', 'info'], result);
  },
);
/**
 * The factors of A = P L U with partial pivoting; a singular matrix is no error.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part; k = min(m, n)
 * @param pivot only true, the default: there is no factorization without pivoting
 * @returns `P` [.., m, m], a permutation; `L` [.., m, k], lower triangular with ones on its diagonal; `U` [.., k, n]
 * @throws RuntimeError if `pivot` is false, or the input has fewer than two dimensions or another type
 */
export const lu = fnOp(
  'lu(Tensor a, bool pivot=True)',
  (a: Tensor, pivot: boolean): NamedTuple<readonly ['P', 'L', 'U']> => {
    checkFactor('linalg.lu', a, pivot);
    const [f, pivots] = factor(a);
    return namedTuple(['P', 'L', 'U'], [permutation(f, pivots), ...factorsOf(f)]);
  },
);

/** @internal P, L and U from what luFactor gives; without data or pivots their places are empty. */
export function unpack(lu: Tensor, pivots: Tensor, data: boolean, withPivots: boolean): Tensor[] {
  if (pivots.dtype !== int32) {
    throw new RuntimeError('torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.');
  }
  const p = withPivots ? permutation(lu, pivots) : zerosOf(lu, [0]);
  return [p, ...(data ? factorsOf(lu) : [zerosOf(lu, [0]), zerosOf(lu, [0])])];
}

/** @internal The solution of A X = B (or X A = B, A^H X = B) from factors, with gradients. */
function solveWith(lu: Tensor, pivots: Tensor, b: Tensor, left: boolean, adjointSystem: boolean): Tensor {
  // X A = B is A^H X^H = B^H.
  if (!left) return adjoint(solveWith(lu, pivots, adjoint(b), true, !adjointSystem));
  const batch = broadcastSizes(batchSizes(lu), batchSizes(b));
  if (needsGrad(lu)) {
    const [l, u] = factorsOf(lu);
    const p = permutation(lu, pivots);
    if (adjointSystem) {
      const y = solveTriangle(adjoint(u), overBatch(b, batch), false);
      return matmul.impl(p, solveTriangle(adjoint(l), y, true, true, true));
    }
    return solveTriangle(u, solveTriangle(l, matmul.impl(turned(p), overBatch(b, batch)), false, true, true), true);
  }
  const f = overBatch(lu, batch);
  const x = solveFactored(f, overBatch(pivots, batch, 1), overBatch(b, batch), adjointSystem);
  if (needsGrad(b)) {
    record('LinalgLuSolveBackward0', x, [b], [lu, pivots], (g, [s, q]) => [solveWith(s, q, g, true, !adjointSystem)]);
  }
  return x;
}

/**
 * The X with A X = B, by the factors of `luFactor`; gradients reach the factors and B.
 * @param lu [.., n, n] of `luFactor`
 * @param pivots int32 [.., n] of `luFactor`
 * @param b [.., n, k], or [.., k, n] for X A = B; batches broadcast
 * @param left solve A X = B (default true) or X A = B
 * @param adjoint take A^H for A (default false)
 * @returns of B's shape, with the broadcast batch
 * @throws RuntimeError if sizes or types disagree or pivots are not int32
 */
export const luSolve = fnOp(
  'luSolve(Tensor lu, Tensor pivots, Tensor b, bool left=True, bool adjoint=False)',
  (f: Tensor, pivots: Tensor, b: Tensor, left: boolean, adjointSystem: boolean): Tensor => {
    const name = 'linalg.lu_solve';
    checkSameType(name, f, b, ['LU', 'B']);
    if (pivots.dtype !== int32) throw new RuntimeError(`${name}: pivots should be a Tensor of scalar type torch.int32`);
    checkSquare(name, f);
    checkMatrix(name, b, 'B');
    checkSystem(name, f, b, left);
    if (pivots.shape[pivots.ndim - 1] !== f.shape[f.ndim - 1]) {
      throw new RuntimeError(`${name}: Number of pivots per batch should be same as the dimension of the matrix`);
    }
    if (!sameSizes(batchSizes(pivots, 1), batchSizes(f))) {
      throw new RuntimeError(
        `${name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.shape.join(', ')}] instead`,
      );
    }
    return solveWith(f, pivots, b, left, adjointSystem);
  },
);
