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

/** The determinants of matrices. */
export const det = op('det(Tensor input)', (input: Tensor): Tensor => detOf('linalg.det', input));
/** The logarithms of determinants: -Infinity for 0, NaN for a negative one. */
export const logdet = op('logdet(Tensor input)', (input: Tensor): Tensor => logdetOf(input));
/** Determinants as sign * exp(logabsdet). */
export const slogdet = op(
  'slogdet(Tensor input)',
  (input: Tensor): NamedTuple<readonly ['sign', 'logabsdet']> => slogdetOf('linalg.slogdet', input),
);
/** The inverses of matrices. */
export const inverse = op('inverse(Tensor input)', (input: Tensor): Tensor => checkedInverse('linalg.inv', input));
/** The pseudoinverses of matrices; singular values not above rcond times the largest count as zero. */
export const pinverse = op(
  'pinverse(Tensor input, float rcond=1e-15)',
  (input: Tensor, rcond: number): Tensor => pinvOf(input, 0, rcond, false),
);
/** The exponentials of matrices. */
export const matrixExp = op('matrixExp(Tensor input)', (input: Tensor): Tensor => matrixExpOf.impl(input));
/** Matrices to an integer power. */
export const matrixPower = op(
  'matrixPower(Tensor input, int n)',
  (input: Tensor, n: number): Tensor => matrixPowerOf.impl(input, n),
);

/**
 * The Cholesky factor of positive-definite matrices: L, or U = L^H.
 * @throws RuntimeError if a matrix is not positive-definite.
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
/**
 * Solves A X = B with the Cholesky factor of A.
 * @param input B: [.., n, k]; batches broadcast.
 * @param input2 the factor: [.., n, n].
 */
export const choleskySolve = op(
  'choleskySolve(Tensor input, Tensor input2, bool upper=False)',
  (input: Tensor, input2: Tensor, upper: boolean): Tensor => {
    if (input.ndim < 2)
      throw new RuntimeError(`b should have at least 2 dimensions, but has ${input.ndim} dimensions instead`);
    if (input2.ndim < 2)
      throw new RuntimeError(`u should have at least 2 dimensions, but has ${input2.ndim} dimensions instead`);
    checkSquare('cholesky_solve', input2);
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
/** A^-1 from the Cholesky factor of A. */
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

/** A = Q R; `some` gives the reduced form. */
export const qr = op(
  'qr(Tensor input, bool some=True)',
  (input: Tensor, some: boolean): NamedTuple<readonly ['Q', 'R']> => qrOf.impl(input, some ? 'reduced' : 'complete'),
);
/** R and Householder reflections in one matrix, as LAPACK's geqrf: a and tau. */
export const geqrf = op('geqrf(Tensor input)', (input: Tensor): NamedTuple<readonly ['a', 'tau']> => {
  if (input.ndim < 2) throw new RuntimeError('torch.geqrf: input must have at least 2 dimensions.');
  checkFloat('geqrf', input);
  if (needsGrad(input)) throw new RuntimeError("the derivative for 'geqrf' is not implemented.");
  return namedTuple(['a', 'tau'], reflections(input));
});
/** The first columns of the product of reflections. */
export const orgqr = op(
  'orgqr(Tensor input, Tensor tau)',
  (input: Tensor, tau: Tensor): Tensor => householderProduct.impl(input, tau),
);
/** Q C, C Q, and with `transpose` Q^H C, C Q^H, for the Q of geqrf's reflections. */
export const ormqr = op(
  'ormqr(Tensor input, Tensor tau, Tensor other, bool left=True, bool transpose=False)',
  (input: Tensor, tau: Tensor, other: Tensor, left: boolean, transpose: boolean): Tensor =>
    multiplyByQ(input, tau, other, left, transpose),
);

/**
 * The decomposition A = U diag(S) V^H.
 * @param some give min(m, n) columns of U and V (default) or all.
 * @param computeUv false leaves U and V zero.
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
/** The LU factorization in one matrix, and its pivots; with `getInfos` also where a pivot is zero. */
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
/** P, L and U from what `lu` gives. */
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
/** Solves A X = B with the factors of A: b, LU, pivots. */
export const luSolve = op(
  'luSolve(Tensor b, Tensor luData, Tensor luPivots)',
  (b: Tensor, luData: Tensor, luPivots: Tensor): Tensor => luSolveSystem.impl(luData, luPivots, b, true, false),
);
/**
 * Solves A X = b, or A^T X = b (`transpose`; A^H for complex matrices), for triangular A.
 * @returns the solution and a copy of A.
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

/** The sum of the singular values, of matrices in two dimensions (by default a matrix). */
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
/** Singular values and vectors of a matrix of low rank, about; of a - m if m is given. */
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
/** Principal components of a matrix whose rows are samples, about: U, S and V of the columns with their means removed. */
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
