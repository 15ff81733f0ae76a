// Cholesky and LDL factorizations.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { mul } from '../ops/arithmetic.js';
import { fnOp } from '../ops/define.js';
import { tril } from '../ops/index_triangle.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkFloat,
  checkMatrix,
  checkSameType,
  checkSquare,
  firstFailure,
  matrixSizes,
  overBatch,
} from './common.js';
import { solveTriangle } from './triangular.js';

const CHOLESKY = nativeOp('linalg_cholesky');
const LDL_FACTOR = nativeOp('linalg_ldl_factor');
const LDL_SOLVE = nativeOp('linalg_ldl_solve');

/** gA = L^-H sym(tril(L^H gL)) L^-1 / 2, sym(X) = X + X^H without doubling the diagonal (Murray 2016). */
function choleskyGradient(g: Tensor, l: Tensor): Tensor {
  const phi = tril.impl(matmul.impl(adjoint(l), g), 0);
  const both = phi.add(adjoint(tril.impl(phi, -1)));
  const half = solveTriangle(adjoint(l), both, true);
  return mul.impl(solveTriangle(l, half, false, false), 0.5);
}
/** @internal The factor L of A = L L^H (or U = L^H) and info; from that triangle of A. */
export function factorPositive(a: Tensor, upper: boolean): [factor: Tensor, info: Tensor] {
  const [l, info] = invokeMany(CHOLESKY, a, upper) as [Tensor, Tensor];
  if (needsGrad(a)) {
    record('LinalgCholeskyExBackward0', l, [a], [l], (g, [f]) => [
      upper ? choleskyGradient(adjoint(g), adjoint(f)) : choleskyGradient(g, f),
    ]);
  }
  return [l, info];
}
/** @internal @throws RuntimeError if a matrix was found not to be positive-definite. */
export function checkPositive(name: string, info: Tensor): void {
  const failure = firstFailure(info);
  if (failure === null) return;
  throw new RuntimeError(
    `${name}: ${failure.where}The factorization could not be completed because the input is not positive-definite ` +
      `(the leading minor of order ${failure.code} is not positive-definite).`,
  );
}
function checkInput(a: Tensor): void {
  checkFloat('linalg.cholesky', a);
  checkSquare('linalg.cholesky', a);
}

/**
 * The Cholesky factor L of A = L L^H.
 * @param a [.., n, n], Hermitian and positive-definite; only one triangle is read.
 * @param upper give U = L^H, from the upper triangle.
 * @throws RuntimeError if a matrix is not positive-definite.
 */
export const cholesky = fnOp('cholesky(Tensor a, bool upper=False)', (a: Tensor, upper: boolean): Tensor => {
  checkInput(a);
  const [l, info] = factorPositive(a, upper);
  checkPositive('linalg.cholesky', info);
  return l;
});
/** As `cholesky`; what is not positive-definite is told in `info` (the order of the minor, or 0) unless `checkErrors`. */
export const choleskyEx = fnOp(
  'choleskyEx(Tensor a, bool upper=False, bool checkErrors=False)',
  (a: Tensor, upper: boolean, checkErrors: boolean): NamedTuple<readonly ['L', 'info']> => {
    checkInput(a);
    const result = factorPositive(a, upper);
    if (checkErrors) checkPositive('linalg.cholesky_ex', result[1]);
    return namedTuple(['L', 'info'], result);
  },
);

function ldl(name: string, a: Tensor, hermitian: boolean): [ld: Tensor, pivots: Tensor, info: Tensor] {
  checkFloat('torch.linalg.ldl_factor_ex', a);
  checkSquare('torch.linalg.ldl_factor_ex', a);
  if (needsGrad(a)) throw new RuntimeError(`the derivative for '${name}' is not implemented.`);
  return invokeMany(LDL_FACTOR, a, hermitian && a.dtype.isComplex) as [Tensor, Tensor, Tensor];
}
function checkPivots(name: string, info: Tensor): void {
  const failure = firstFailure(info);
  if (failure !== null)
    throw new RuntimeError(`torch.linalg.${name}: ${failure.where}D[${failure.code},${failure.code}] is zero.`);
}
/**
 * The factorization A = L D L^T (or L D L^H) of symmetric matrices that need not be positive-definite.
 * @param a [.., n, n]; the lower triangle is read.
 * @param hermitian Hermitian instead of symmetric complex matrices.
 * @returns LD (D on the diagonal and, for blocks of two, beside it, L below), and pivots as LAPACK's.
 */
export const ldlFactor = fnOp(
  'ldlFactor(Tensor a, bool hermitian=False)',
  (a: Tensor, hermitian: boolean): NamedTuple<readonly ['LD', 'pivots']> => {
    const [ld, pivots, info] = ldl('linalg_ldl_factor', a, hermitian);
    checkPivots('ldl_factor', info);
    return namedTuple(['LD', 'pivots'], [ld, pivots]);
  },
);
/** As `ldlFactor`; a zero pivot is told in `info` unless `checkErrors`. */
export const ldlFactorEx = fnOp(
  'ldlFactorEx(Tensor a, bool hermitian=False, bool checkErrors=False)',
  (a: Tensor, hermitian: boolean, checkErrors: boolean): NamedTuple<readonly ['LD', 'pivots', 'info']> => {
    const result = ldl('linalg_ldl_factor_ex', a, hermitian);
    if (checkErrors) checkPivots('ldl_factor_ex', result[2]);
    return namedTuple(['LD', 'pivots', 'info'], result);
  },
);
/**
 * Solves A X = B with the factors of `ldlFactor`; batches broadcast.
 * @param ld [.., n, n]
 * @param pivots [.., n]
 * @param b [.., n, k]
 */
export const ldlSolve = fnOp(
  'ldlSolve(Tensor ld, Tensor pivots, Tensor b, bool hermitian=False)',
  (ld: Tensor, pivots: Tensor, b: Tensor, hermitian: boolean): Tensor => {
    const name = 'torch.linalg.ldl_solve';
    checkSquare(name, ld);
    checkMatrix(name, b, 'B');
    const [n, k] = matrixSizes(b);
    const size = ld.shape[ld.ndim - 1]!;
    if (n !== size) {
      throw new RuntimeError(
        `Incompatible matrix sizes for ${name}: each A matrix is ${size} by ${size} but each b matrix is ${n} by ${k}`,
      );
    }
    if (pivots.ndim !== ld.ndim - 1) {
      throw new RuntimeError(
        `${name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.shape.join(', ')}] instead`,
      );
    }
    checkSameType(name, ld, b, ['LD', 'B']);
    if (needsGrad(ld, b)) throw new RuntimeError("the derivative for 'linalg_ldl_solve' is not implemented.");
    const batch = broadcastSizes(batchSizes(ld), batchSizes(b));
    return invoke(
      LDL_SOLVE,
      overBatch(ld, batch),
      overBatch(pivots, batch, 1),
      overBatch(b, batch),
      hermitian && ld.dtype.isComplex,
    );
  },
);
