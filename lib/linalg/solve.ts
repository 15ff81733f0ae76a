// Linear systems, inverses and least squares.
import { needsGrad, record } from '../autograd/graph.js';
import { gradMode } from '../autograd/mode.js';
import { RuntimeError } from '../core/errors.js';
import { fnOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { neg } from '../ops/unary.js';
import { movedim, squeeze, unsqueeze } from '../ops/view.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkFloat,
  checkSameType,
  checkSquare,
  firstFailure,
  identityLike,
  overBatch,
  sameSizes,
  turned,
} from './common.js';
import { factor, solveFactored } from './lu.js';
import { checkSystem } from './triangular.js';
import { reshaped } from '../ops/internal/view.js';

/** A^-1 B and what the factorization reported; batches broadcast. */
function solveMatrices(a: Tensor, b: Tensor): [x: Tensor, info: Tensor] {
  const batch = broadcastSizes(batchSizes(a), batchSizes(b));
  const [lu, pivots, info] = factor(a.detach());
  const f = overBatch(lu, batch);
  const p = overBatch(pivots, batch, 1);
  const x = solveFactored(f, p, overBatch(b, batch), false);
  if (needsGrad(a, b)) {
    record('LinalgSolveExBackward0', x, [a, b], [a, x, f, p], (g, [m, y, f0, p0], needs) => {
      // gB = A^-H g, gA = -gB X^H; the factors serve unless the gradient is to be differentiated.
      const gb = gradMode ? solveMatrices(adjoint(m), g)[0] : solveFactored(f0, p0, g, true);
      return [needs[0] ? neg(matmul.impl(gb, adjoint(y))) : null, needs[1] ? gb : null];
    });
  }
  return [x, info];
}

function solveSystem(a: Tensor, b: Tensor, left: boolean): [x: Tensor, info: Tensor] {
  const name = 'linalg.solve';
  checkFloat(name, a);
  checkSameType(name, a, b);
  checkSquare(name, a);
  if (b.ndim === 0) throw new RuntimeError('linalg.solve: The input tensor B must have at least 1 dimension.');
  // One vector per matrix, told from a batch of matrices by its sizes.
  const vector = b.ndim === 1 || (a.ndim - 1 === b.ndim && sameSizes(b.shape, a.shape.slice(0, -1)));
  if (vector && !left)
    throw new RuntimeError(
      'linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)',
    );
  if (vector) {
    checkSystem(name, a, b, true, 1);
    const [x, info] = solveMatrices(a, unsqueeze.impl(b, -1));
    return [squeeze.impl(x, [-1]), info];
  }
  checkSystem(name, a, b, left);
  if (left) return solveMatrices(a, b);
  const [x, info] = solveMatrices(turned(a), turned(b));
  return [turned(x), info];
}
function checkSolved(name: string, info: Tensor): void {
  const failure = firstFailure(info);
  if (failure !== null)
    throw new RuntimeError(
      `torch.linalg.${name}: ${failure.where}The solver failed because the input matrix is singular.`,
    );
}

/**
 * The X with A X = B for square A, by LU with partial pivoting; its gradients solve with A^H.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @param b [.., n, k] with a batch that broadcasts, or vectors: [n], or [.., n] with exactly a's batch. [.., k, n] for X A = B
 * @param left solve A X = B (default true) or X A = B, which takes no vectors
 * @returns X: [.., n, k], [.., k, n] for X A = B, or [.., n] for vectors
 * @throws RuntimeError if a matrix is singular, sizes or types disagree, or the type is an integer or a half
 */
export const solve = fnOp(
  'solve(Tensor a, Tensor b, bool left=True)',
  (a: Tensor, b: Tensor, left: boolean): Tensor => {
    const [x, info] = solveSystem(a, b, left);
    checkSolved('solve', info);
    return x;
  },
);
/**
 * As `solve`, but a singular matrix is reported instead of thrown.
 * @param a [.., n, n]
 * @param b as for `solve`
 * @param left solve A X = B (default true) or X A = B
 * @param checkErrors throw as `solve` does (default false)
 * @returns `result` as of `solve`, and `info` int32, a's batch: 0, or the place of the zero pivot from 1, where `result` is of no
 *   use
 * @throws RuntimeError as `solve`, for a singular matrix only with `checkErrors`
 */
export const solveEx = fnOp(
  'solveEx(Tensor a, Tensor b, bool left=True, bool checkErrors=False)',
  (a: Tensor, b: Tensor, left: boolean, checkErrors: boolean): NamedTuple<readonly ['result', 'info']> => {
    const result = solveSystem(a, b, left);
    if (checkErrors) checkSolved('solve_ex', result[1]);
    return namedTuple(['result', 'info'], result);
  },
);

/** @internal The inverses of square matrices, and where a matrix has none its zero pivot's place. */
export function inverseOf(a: Tensor): [inverse: Tensor, info: Tensor] {
  const [lu, pivots, info] = factor(a.detach());
  const n = a.shape[a.ndim - 1]!;
  const y = solveFactored(lu, pivots, overBatch(identityLike(a, n), batchSizes(a)), false);
  if (needsGrad(a)) {
    // d A^-1 = -A^-1 dA A^-1
    record('LinalgInvExBackward0', y, [a], [y], (g, [x]) => {
      const h = adjoint(x);
      return [neg(matmul.impl(h, matmul.impl(g, h)))];
    });
  }
  return [y, info];
}
/** @internal The inverse, checked as linalg.inv does. */
export function checkedInverse(name: string, a: Tensor): Tensor {
  checkFloat('linalg.inv', a);
  checkSquare('linalg.inv', a);
  const [y, info] = inverseOf(a);
  checkInverted(name, info);
  return y;
}
function checkInverted(name: string, info: Tensor): void {
  const failure = firstFailure(info);
  if (failure === null) return;
  throw new RuntimeError(
    `${name}: ${failure.where}The diagonal element ${failure.code} is zero, the inversion could not be completed because ` +
      'the input matrix is singular.',
  );
}
/**
 * The inverses of square matrices, by LU with partial pivoting; `solve(a, b)` is faster and more accurate than `inv(a) @ b`.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part
 * @returns [.., n, n] of a's type
 * @throws RuntimeError if a matrix is singular or not square, or the type is an integer or a half
 */
export const inv = fnOp('inv(Tensor a)', (a: Tensor): Tensor => checkedInverse('linalg.inv', a));
/**
 * As `inv`, but a singular matrix is reported instead of thrown.
 * @param a [.., n, n]
 * @param checkErrors throw as `inv` does (default false)
 * @returns `inverse` [.., n, n], and `info` int32 [..]: 0, or the place of the zero pivot from 1, where `inverse` is of no use
 * @throws RuntimeError as `inv`, for a singular matrix only with `checkErrors`
 */
export const invEx = fnOp(
  'invEx(Tensor a, bool checkErrors=False)',
  (a: Tensor, checkErrors: boolean): NamedTuple<readonly ['inverse', 'info']> => {
    checkFloat('linalg.inv', a);
    checkSquare('linalg.inv', a);
    const result = inverseOf(a);
    if (checkErrors) checkInverted('linalg.inv_ex', result[1]);
    return namedTuple(['inverse', 'info'], result);
  },
);

const count = (sizes: readonly number[]): number => sizes.reduce((p, q) => p * q, 1);
/**
 * The inverse of a tensor as a map between the shapes of its dimensions: tensordot(tensorinv(a, ind), b, ind) solves tensordot(a,
 * x, a.ndim - ind) = b for b of a's first `ind` sizes.
 * @param a the product of the first `ind` sizes is that of the others; float or complex of 32 or 64 bits a part
 * @param ind how many dimensions make the rows, at least 1 (default 2)
 * @returns shape a.shape[ind:] + a.shape[:ind]
 * @throws RuntimeError if `ind` is not positive, the products differ, or the matrix is singular
 */
export const tensorinv = fnOp('tensorinv(Tensor a, int ind=2)', (a: Tensor, ind: number): Tensor => {
  if (ind <= 0) throw new RuntimeError(`Expected a strictly positive integer for 'ind', but got ${ind}`);
  const rows = a.shape.slice(0, ind);
  const columns = a.shape.slice(ind);
  if (count(columns) !== count(rows)) {
    throw new RuntimeError(
      `Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got ${count(columns)} != ${count(rows)}`,
    );
  }
  return reshaped(checkedInverse('linalg.inv', reshaped(a, [count(rows), count(columns)])), [...columns, ...rows]);
});
/**
 * The x with tensordot(a, x, x.ndim) = b, as one system of linear equations.
 * @param a shape b.shape + x.shape once `dims` are moved, both with the same product
 * @param b any shape, of a's type
 * @param dims dimensions of `a` that are moved to its end first, in this order (default null: none)
 * @returns x
 * @throws RuntimeError if the products differ or the system is singular
 */
export const tensorsolve = fnOp(
  'tensorsolve(Tensor a, Tensor b, int[]? dims=None)',
  (given: Tensor, b: Tensor, dims: readonly number[] | null): Tensor => {
    const a =
      dims === null
        ? given
        : movedim.impl(
            given,
            dims,
            dims.map((_, i) => given.ndim - dims.length + i),
          );
    const columns = a.shape.slice(b.ndim);
    const n = count(columns);
    if (n !== count(a.shape.slice(0, b.ndim))) {
      throw new RuntimeError(
        `Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got ${n} != ${count(a.shape.slice(0, b.ndim))}`,
      );
    }
    return reshaped(solve.impl(reshaped(a, [n, n]), reshaped(b, [n]), true), columns);
  },
);
