// The functions of linear algebra that `torch` and Tensor have under older names.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { fnOp, installMethods, type MethodsOf, op } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { mean } from '../ops/reduce.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { randn } from '../ops/random.js';
import { Tensor } from '../tensor/tensor.js';
import { checkPositive, factorPositive } from './cholesky.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkFloat,
  checkMatrix,
  checkSquare,
  identityLike,
  matrixSizes,
  overBatch,
  zerosOf,
} from './common.js';
import { detOf, logdetOf, slogdetOf } from './det.js';
import { factor, luSolve as luSolveSystem, unpack } from './lu.js';
import { matrixNorm } from './norm.js';
import { pinvOf } from './pinv.js';
import { matrixExp as matrixExpOf, matrixPower as matrixPowerOf } from './products.js';
import { factorQr, householderProduct, multiplyByQ, qr as qrOf, reflections } from './qr.js';
import { checkedInverse } from './solve.js';
import { decompose } from './svd.js';
import { solveTriangle } from './triangular.js';
import { installNuclearNorm } from '../ops/internal/vector_norm.js';

/**
 * The determinants of square matrices, as `linalg.det`.
 * @param input [.., n, n]
 * @returns [..] of input's type
 * @throws RuntimeError if matrices are not square or the type is an integer or a half
 */
export const det = op('det(Tensor input)', (input: Tensor): Tensor => detOf('linalg.det', input));
/**
 * The logarithms of determinants of square matrices [.., n, n], as [..]: of a real one -Infinity for 0 and NaN below 0, of a
 * complex one its principal value.
 * @throws RuntimeError if matrices are not square or the type is an integer or a half
 */
export const logdet = op('logdet(Tensor input)', (input: Tensor): Tensor => logdetOf(input));
/**
 * Determinants of matrices [.., n, n] as sign * exp(logabsdet): `sign` [..] and `logabsdet` [..], as `linalg.slogdet`.
 * @throws RuntimeError if matrices are not square or the type is an integer or a half
 */
export const slogdet = op(
  'slogdet(Tensor input)',
  (input: Tensor): NamedTuple<readonly ['sign', 'logabsdet']> => slogdetOf('linalg.slogdet', input),
);
/**
 * The inverses of square matrices [.., n, n], as `linalg.inv`.
 * @throws RuntimeError if a matrix is singular or not square, or the type is an integer or a half
 */
export const inverse = op('inverse(Tensor input)', (input: Tensor): Tensor => checkedInverse('linalg.inv', input));
/**
 * The pseudoinverses (Moore and Penrose) of matrices, as `linalg.pinv` with an atol of 0.
 * @param input [.., m, n], float or complex of 32 or 64 bits a part
 * @param rcond singular values up to rcond times the largest count as zero (default 1e-15)
 * @returns [.., n, m]
 * @throws RuntimeError for other types or fewer than two dimensions
 */
export const pinverse = op(
  'pinverse(Tensor input, float rcond=1e-15)',
  (input: Tensor, rcond: number): Tensor => pinvOf(input, 0, rcond, false),
);
/**
 * The exponentials of square matrices [.., n, n], as `linalg.matrixExp`.
 * @throws RuntimeError if matrices are not square or integers
 */
export const matrixExp = op('matrixExp(Tensor input)', (input: Tensor): Tensor => matrixExpOf.impl(input));
/**
 * Square matrices to an integer power, as `linalg.matrixPower`.
 * @param input [.., n, n]
 * @param n the power; a negative one inverts first
 * @returns [.., n, n] of input's type
 * @throws RuntimeError if matrices are not square, or if `n` is negative and a matrix is singular
 */
export const matrixPower = op(
  'matrixPower(Tensor input, int n)',
  (input: Tensor, n: number): Tensor => matrixPowerOf.impl(input, n),
);

/**
 * The Cholesky factor of Hermitian positive-definite matrices, A = L L^H, as `linalg.cholesky`.
 * @param input [.., n, n]; only one triangle is read
 * @param upper return U = L^H, from the upper triangle (default false)
 * @returns [.., n, n], zeros in the other triangle
 * @throws RuntimeError if a matrix is not positive-definite or not square, or the type is an integer or a half
 */
export const cholesky = op('cholesky(Tensor input, bool upper=False)', (input: Tensor, upper: boolean): Tensor => {
  checkFloat('cholesky', input);
  checkSquare('cholesky', input);
  const [l, info] = factorPositive(input, upper);
  checkPositive('cholesky', info);
  return l;
});
/**
 * A^-1 B for A = L L^H (or U^H U) from its factor, of which only that triangle is read. As PyTorch's, the gradient of the
 * factor is that of all of its elements: -(C + C^H) L with C = A^-H g X^H (or -U (C + C^H)).
 */
function solveWithFactor(node: string, b: Tensor, factorOf: Tensor, upper: boolean): Tensor {
  const f = factorOf.detach();
  const h = adjoint(f);
  const x = upper
    ? solveTriangle(f, solveTriangle(h, b.detach(), false), true)
    : solveTriangle(h, solveTriangle(f, b.detach(), false), true);
  if (needsGrad(b, factorOf)) {
    record(node, x, [b, factorOf], [factorOf, x], (g, [l, y], needs) => {
      const gb = solveWithFactor(node, g, l, upper);
      if (!needs[1]) return [gb, null];
      const c = matmul.impl(gb, adjoint(y));
      const both = c.add(adjoint(c));
      return [needs[0] ? gb : null, (upper ? matmul.impl(l, both) : matmul.impl(both, l)).neg()];
    });
  }
  return x;
}
function checkOneType(b: Tensor, a: Tensor): void {
  if (b.dtype === a.dtype) return;
  throw new RuntimeError(
    `Expected b and A to have the same dtype, but found b of type ${b.dtype.scalarName} and A of type ${a.dtype.scalarName} instead.`,
  );
}

/**
 * The X with A X = B, by the Cholesky factor of A.
 * @param input B: [.., n, k]; batches broadcast
 * @param input2 the factor L, or U, of A: [.., n, n], of which only that triangle is read
 * @param upper the factor is U with A = U^H U (default false: L with A = L L^H)
 * @returns X: [.., n, k]
 * @throws RuntimeError if sizes or types disagree or either input has fewer than two dimensions
 */
export const choleskySolve = op(
  'choleskySolve(Tensor input, Tensor input2, bool upper=False)',
  (input: Tensor, input2: Tensor, upper: boolean): Tensor => {
    if (input.ndim < 2)
      throw new RuntimeError(`b should have at least 2 dimensions, but has ${input.ndim} dimensions instead`);
    if (input2.ndim < 2)
      throw new RuntimeError(`u should have at least 2 dimensions, but has ${input2.ndim} dimensions instead`);
    checkSquare('cholesky_solve', input2);
    checkOneType(input, input2);
    const [m, k] = matrixSizes(input);
    const n = input2.shape[input2.ndim - 1]!;
    if (m !== n) {
      throw new RuntimeError(
        `Incompatible matrix sizes for cholesky_solve: each A matrix is ${n} by ${n} but each b matrix is ${m} by ${k}`,
      );
    }
    return solveWithFactor('CholeskySolveBackward0', input, input2, upper);
  },
);
/**
 * The inverses of matrices by their Cholesky factors.
 * @param input the factor L, or U: [.., n, n], of which only that triangle is read
 * @param upper the factor is U with A = U^H U (default false: L with A = L L^H)
 * @returns A^-1: [.., n, n]
 * @throws RuntimeError if the factors are not square
 */
export const choleskyInverse = op(
  'choleskyInverse(Tensor input, bool upper=False)',
  (input: Tensor, upper: boolean): Tensor => {
    checkSquare('cholesky_inverse', input);
    return solveWithFactor(
      'CholeskyInverseBackward0',
      overBatch(identityLike(input, input.shape[input.ndim - 1]!), batchSizes(input)),
      input,
      upper,
    );
  },
);

/**
 * The factorization A = Q R, as `linalg.qr` with mode 'reduced' or 'complete'.
 * @param input [.., m, n]; k = min(m, n)
 * @param some reduced factors (default true): Q [.., m, k] and R [.., k, n]; false: Q [.., m, m] and R [.., m, n]
 * @returns `Q` and `R`
 * @throws RuntimeError for fewer than two dimensions, integers and halves
 */
export const qr = op(
  'qr(Tensor input, bool some=True)',
  (input: Tensor, some: boolean): NamedTuple<readonly ['Q', 'R']> => qrOf.impl(input, some ? 'reduced' : 'complete'),
);
/**
 * R and the Householder reflections of Q in one matrix, as LAPACK's geqrf; `orgqr` and `ormqr` take them. It has no gradient.
 * @param input [.., m, n], float or complex of 32 or 64 bits a part
 * @returns `a` [.., m, n], R on and above the diagonal, the reflections' vectors below it, and `tau` [.., min(m, n)]
 * @throws RuntimeError for fewer than two dimensions, integers and halves, or if the input requires a gradient
 */
export const geqrf = op('geqrf(Tensor input)', (input: Tensor): NamedTuple<readonly ['a', 'tau']> => {
  if (input.ndim < 2) throw new RuntimeError('torch.geqrf: input must have at least 2 dimensions.');
  checkFloat('geqrf', input);
  if (needsGrad(input)) throw new RuntimeError("the derivative for 'geqrf' is not implemented.");
  return namedTuple(['a', 'tau'], reflections(input));
});
/**
 * The first n columns of Q out of `geqrf`'s reflections, as `linalg.householderProduct`.
 * @param input [.., m, n], m >= n
 * @param tau [.., k], k <= n
 * @returns [.., m, n]
 * @throws RuntimeError if sizes or types disagree
 */
export const orgqr = op(
  'orgqr(Tensor input, Tensor tau)',
  (input: Tensor, tau: Tensor): Tensor => householderProduct.impl(input, tau),
);
/**
 * The product Q C or C Q with the m by m matrix Q of `geqrf`'s reflections, which is not made.
 * @param input [.., m, n]: the reflections
 * @param tau [.., k], k <= min(m, n)
 * @param other C: [.., m, c], or [.., c, m] for C Q; of input's type and with its batch
 * @param left Q C (default true) or C Q
 * @param transpose take Q^H for Q (default false)
 * @returns of other's shape
 * @throws RuntimeError if sizes or types disagree
 */
export const ormqr = op(
  'ormqr(Tensor input, Tensor tau, Tensor other, bool left=True, bool transpose=False)',
  (input: Tensor, tau: Tensor, other: Tensor, left: boolean, transpose: boolean): Tensor =>
    multiplyByQ(input, tau, other, left, transpose),
);

/**
 * The decomposition A = U diag(S) V^H; `linalg.svd` returns V^H instead of V.
 * @param input [.., m, n], float or complex of 32 or 64 bits a part; k = min(m, n)
 * @param some return k columns of U [.., m, k] and V [.., n, k] (default true) or all of them
 * @param computeUv false leaves U [.., m, m] and V [.., n, n] zero (default true)
 * @returns `U`, `S` [.., k] (real, descending) and `V`
 * @throws RuntimeError as `linalg.svd`
 */
export const svd = op(
  'svd(Tensor input, bool some=True, bool computeUv=True)',
  (input: Tensor, some: boolean, computeUv: boolean): NamedTuple<readonly ['U', 'S', 'V']> => {
    const [u, s, vh] = decompose(input, !some, computeUv);
    if (computeUv) return namedTuple(['U', 'S', 'V'], [u!, s, adjoint(vh!)]);
    const [m, n] = matrixSizes(input);
    const batch = batchSizes(input);
    return namedTuple(['U', 'S', 'V'], [zerosOf(input, [...batch, m, m]), s, zerosOf(input, [...batch, n, n])]);
  },
);

const LU_NAMES = ['LU', 'pivots'] as const;
/**
 * The LU factorization with partial pivoting packed in one matrix, as `linalg.luFactorEx`; a zero pivot is no error.
 * @param input [.., m, n], float or complex of 32 or 64 bits a part
 * @param pivot only true, the default
 * @param getInfos return a third tensor, `info` (default false)
 * @returns [LU [.., m, n], pivots int32 [.., min(m, n)]], and info int32 [..]: 0, or the place of the first zero pivot from 1
 * @throws RuntimeError if `pivot` is false, or the input has fewer than two dimensions or another type
 */
export const lu = op(
  'lu(Tensor input, bool pivot=True, bool getInfos=False)',
  (input: Tensor, pivot: boolean, getInfos: boolean): Tensor[] => {
    if (input.ndim < 2) {
      throw new RuntimeError(
        `torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: [${input.shape.join(', ')}] instead`,
      );
    }
    if (!pivot) throw new RuntimeError('linalg.lu_factor: LU without pivoting is not implemented on the CPU');
    const [f, pivots, info] = factor(input);
    return getInfos
      ? [...namedTuple([...LU_NAMES, 'info'] as const, [f, pivots, info])]
      : [...namedTuple(LU_NAMES, [f, pivots])];
  },
);
/**
 * P, L and U with A = P L U from what `lu` or `linalg.luFactor` gives; k = min(m, n).
 * @param luData [.., m, n]
 * @param luPivots int32 [.., k]
 * @param unpackData make L and U (default true), else they are empty
 * @param unpackPivots make P (default true), else it is empty
 * @returns `P` [.., m, m], `L` [.., m, k] and `U` [.., k, n]
 * @throws RuntimeError if pivots are not int32
 */
export const luUnpack = fnOp(
  'luUnpack(Tensor luData, Tensor luPivots, bool unpackData=True, bool unpackPivots=True)',
  (
    luData: Tensor,
    luPivots: Tensor,
    unpackData: boolean,
    unpackPivots: boolean,
  ): NamedTuple<readonly ['P', 'L', 'U']> =>
    namedTuple(['P', 'L', 'U'], unpack(luData, luPivots, unpackData, unpackPivots)),
);
/**
 * The X with A X = B, by the factors of A; as `linalg.luSolve` with the arguments in another order.
 * @param b [.., n, k]; batches broadcast
 * @param luData [.., n, n]
 * @param luPivots int32 [.., n]
 * @returns X: [.., n, k]
 * @throws RuntimeError if sizes or types disagree or pivots are not int32
 */
export const luSolve = op(
  'luSolve(Tensor b, Tensor luData, Tensor luPivots)',
  (b: Tensor, luData: Tensor, luPivots: Tensor): Tensor => luSolveSystem.impl(luData, luPivots, b, true, false),
);
/**
 * The X with A X = B for triangular A, by substitution; `linalg.solveTriangular` takes the arguments in another order.
 * @param b [.., n, k]; batches broadcast
 * @param a [.., n, n], of which only one triangle is read
 * @param upper A is upper triangular (default true) or lower
 * @param transpose take A^T for A, A^H if it is complex (default false)
 * @param unitriangular take A's diagonal as ones (default false)
 * @returns `solution` [.., n, k], and `clonedCoefficient`, a copy of A with the broadcast batch
 * @throws RuntimeError if sizes or types disagree or either input has fewer than two dimensions
 */
export const triangularSolve = op(
  'triangularSolve(Tensor b, Tensor a, bool upper=True, bool transpose=False, bool unitriangular=False)',
  (
    b: Tensor,
    a: Tensor,
    upper: boolean,
    transpose: boolean,
    unitriangular: boolean,
  ): NamedTuple<readonly ['solution', 'clonedCoefficient']> => {
    if (b.ndim < 2)
      throw new RuntimeError(
        `torch.triangular_solve: Expected b to have at least 2 dimensions, but it has ${b.ndim} dimensions instead`,
      );
    if (a.ndim < 2)
      throw new RuntimeError(
        `torch.triangular_solve: Expected A to have at least 2 dimensions, but it has ${a.ndim} dimensions instead`,
      );
    checkSquare('triangular_solve', a);
    checkOneType(b, a);
    const [m, k] = matrixSizes(b);
    const n = a.shape[a.ndim - 1]!;
    if (m !== n) {
      throw new RuntimeError(
        `Incompatible matrix sizes for triangular_solve: each A matrix is ${n} by ${n} but each b matrix is ${m} by ${k}`,
      );
    }
    const batch = broadcastSizes(batchSizes(a), batchSizes(b));
    const x = solveTriangle(transpose ? adjoint(a) : a, b, transpose ? !upper : upper, true, unitriangular);
    return namedTuple(['solution', 'clonedCoefficient'], [x, overBatch(a, batch).clone()]);
  },
);

/**
 * The sum of the singular values of matrices, as `linalg.matrixNorm` with 'nuc'.
 * @param input [.., m, n], float or complex of 32 or 64 bits a part
 * @param dim the two dimensions of the matrices (default null: the last two)
 * @param keepdim keep those dimensions at size one (default false)
 * @returns input's shape without `dim`, real
 * @throws RuntimeError as `linalg.matrixNorm`
 */
export const nuclearNorm = fnOp(
  'nuclearNorm(Tensor input, int[]? dim=None, bool keepdim=False)',
  (input: Tensor, dim: readonly number[] | null, keepdim: boolean): Tensor =>
    matrixNorm.impl(input, 'nuc', dim ?? [-2, -1], keepdim, null),
);
installNuclearNorm(nuclearNorm.impl);
/** An orthonormal basis near the range of A, by subspace iteration on random vectors (Halko et al. 2009, algorithm 4.4). */
function rangeOf(a: Tensor, q: number, rounds: number): Tensor {
  const start = randn([a.shape[a.ndim - 1]!, q], { dtype: a.dtype, device: a.device });
  const h = adjoint(a);
  let basis = factorQr(matmul.impl(a, start), false)[0];
  for (let i = 0; i < rounds; i++) {
    basis = factorQr(matmul.impl(h, basis), false)[0];
    basis = factorQr(matmul.impl(a, basis), false)[0];
  }
  return basis;
}
const LOW_RANK = 'Tensor a, int? q=6, int niter=2, Tensor? m=None';
/**
 * The largest singular values and vectors of matrices of low rank, approximately, by subspace iteration on random vectors (Halko,
 * Martinsson and Tropp 2009, algorithms 4.4 and 5.1, https://arxiv.org/abs/0909.4061). Draws from the default generator.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part
 * @param q how many values to compute, somewhat more than the rank (default 6); no more than min(m, n) come back
 * @param niter rounds of iteration (default 2)
 * @param m subtracted from `a` first; broadcasts (default null)
 * @returns `U` [.., m, q], `S` [.., q], real and descending, and `V` [.., n, q], with a about U diag(S) V^H
 * @throws RuntimeError for fewer than two dimensions, integers and halves
 */
export const svdLowrank = fnOp(
  `svdLowrank(${LOW_RANK})`,
  (a: Tensor, q: number | null, niter: number, m: Tensor | null): NamedTuple<readonly ['U', 'S', 'V']> => {
    checkMatrix('svd_lowrank', a);
    const shifted = m === null ? a : a.sub(m);
    const [rows, columns] = matrixSizes(shifted);
    const wide = rows < columns;
    const x = wide ? adjoint(shifted) : shifted;
    const basis = rangeOf(x, q ?? 6, niter);
    const [u, s, vh] = decompose(matmul.impl(adjoint(basis), x), false, true) as [Tensor, Tensor, Tensor];
    const left = matmul.impl(basis, u);
    const right = adjoint(vh);
    return namedTuple(['U', 'S', 'V'], wide ? [right, s, left] : [left, s, right]);
  },
);
/**
 * Principal components of matrices whose rows are samples, approximately: `svdLowrank` of the columns less their means. Columns
 * of V are the principal directions, S^2 / (m - 1) their variances.
 * @param a [.., m, n]: m samples of n features; float or complex of 32 or 64 bits a part
 * @param q how many components (default null: min(6, m, n))
 * @param center subtract the means of the columns first (default true)
 * @param niter rounds of subspace iteration (default 2)
 * @returns `U` [.., m, q], `S` [.., q] and `V` [.., n, q]
 * @throws RangeError if `q` is negative or above min(m, n)
 * @throws RuntimeError for fewer than two dimensions, integers and halves
 */
export const pcaLowrank = fnOp(
  'pcaLowrank(Tensor a, int? q=None, bool center=True, int niter=2)',
  (a: Tensor, q: number | null, center: boolean, niter: number): NamedTuple<readonly ['U', 'S', 'V']> => {
    checkMatrix('pca_lowrank', a);
    const [m, n] = matrixSizes(a);
    const count = q ?? Math.min(6, m, n);
    if (count < 0 || count > Math.min(m, n)) {
      throw new RangeError(
        `q(=${count}) must be non-negative integer and not greater than min(m, n)=${Math.min(m, n)}`,
      );
    }
    return svdLowrank.impl(center ? a.sub(mean.impl(a, [-2], true, null)) : a, count, niter, null);
  },
);

const methods = {
  cholesky,
  choleskyInverse,
  choleskySolve,
  det,
  geqrf,
  inverse,
  logdet,
  lu,
  luSolve,
  matrixExp,
  matrixPower,
  orgqr,
  ormqr,
  pinverse,
  qr,
  slogdet,
  svd,
  triangularSolve,
};
installMethods(Tensor.prototype, methods);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsOf<typeof methods> {}
}
