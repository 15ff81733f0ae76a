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
 * The Cholesky factor of Hermitian positive-definite matrices: L lower triangular with A = L L^H. By halves of the matrix,
 * without pivoting; the gradient is that of Murray (2016), https://arxiv.org/abs/1602.07527.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part; only one triangle is read, the other is taken as its conjugate
 * @param upper read the upper triangle and return U = L^H with A = U^H U (default false: the lower one)
 * @returns [.., n, n] of a's type, zeros in the other triangle
 * @throws RuntimeError if a matrix is not positive-definite (the order of the first minor that is not is named) or not square, or
 *   if the type is an integer or a half
 */
export const cholesky = fnOp('cholesky(Tensor a, bool upper=False)', (a: Tensor, upper: boolean): Tensor => {
  checkInput(a);
  const [l, info] = factorPositive(a, upper);
  checkPositive('linalg.cholesky', info);
  return l;
});
/**
 * As `cholesky`, but a matrix that is not positive-definite is reported instead of thrown.
 * @param a [.., n, n]
 * @param upper return U = L^H from the upper triangle (default false)
 * @param checkErrors throw as `cholesky` does (default false: do not look at `info`)
 * @returns `L` [.., n, n], and `info` int32 [..]: 0, or the order of the first leading minor that is not positive-definite, where
 *   `L` is of no use
 * @throws RuntimeError if matrices are not square or the type is an integer or a half; with `checkErrors`, as `cholesky`
 */
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
 * The factorization A = L D L^T of symmetric matrices that need not be positive-definite, with diagonal pivoting (Bunch and
 * Kaufman 1977): L is a product of exchanges and unit lower triangular matrices, D has blocks of one and of two. No gradient.
 * @param a [.., n, n]; only the lower triangle is read
 * @param hermitian complex matrices are Hermitian, A = L D L^H, instead of symmetric (default false; no matter for real ones)
 * @returns `LD` [.., n, n] (D on the diagonal and, for blocks of two, below it; the rest of L below; zeros above), and `pivots`
 *   int32 [.., n] as LAPACK's sytrf gives them: from 1, negative twice for a block of two
 * @throws RuntimeError if a block of D is zero, if matrices are not square, if the type is an integer or a half, or if the input
 *   requires a gradient
 */
export const ldlFactor = fnOp(
  'ldlFactor(Tensor a, bool hermitian=False)',
  (a: Tensor, hermitian: boolean): NamedTuple<readonly ['LD', 'pivots']> => {
    const [ld, pivots, info] = ldl('linalg_ldl_factor', a, hermitian);
    checkPivots('ldl_factor', info);
    return namedTuple(['LD', 'pivots'], [ld, pivots]);
  },
);
/**
 * As `ldlFactor`, but a zero pivot is reported instead of thrown.
 * @param a [.., n, n]
 * @param hermitian Hermitian instead of symmetric complex matrices (default false)
 * @param checkErrors throw as `ldlFactor` does (default false)
 * @returns `LD` [.., n, n], `pivots` int32 [.., n], and `info` int32 [..]: 0, or the place from 1 of the first zero on D's
 *   diagonal
 * @throws RuntimeError as `ldlFactor`, for a zero pivot only with `checkErrors`
 */
export const ldlFactorEx = fnOp(
  'ldlFactorEx(Tensor a, bool hermitian=False, bool checkErrors=False)',
  (a: Tensor, hermitian: boolean, checkErrors: boolean): NamedTuple<readonly ['LD', 'pivots', 'info']> => {
    const result = ldl('linalg_ldl_factor_ex', a, hermitian);
    if (checkErrors) checkPivots('ldl_factor_ex', result[2]);
    return namedTuple(['LD', 'pivots', 'info'], result);
  },
);
/**
 * The X with A X = B, by the factors of `ldlFactor`. It has no gradient.
 * @param ld [.., n, n] of `ldlFactor`
 * @param pivots [.., n] of `ldlFactor`, of any integer type
 * @param b [.., n, k]; batches broadcast
 * @param hermitian as it was for `ldlFactor` (default false)
 * @returns [.., n, k] of b's type
 * @throws RuntimeError if sizes or types disagree, or if an input requires a gradient
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
    if (pivots.dtype.isFloatingPoint || pivots.dtype.isComplex || pivots.dtype.name === 'bool')
      throw new RuntimeError(`${name}: Expected pivots to be integers. Got ${pivots.dtype.scalarName}`);
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
