// Distances and similarities of vectors, and vectors of length one.
import { needsGrad, record } from '../../autograd/graph.js';
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { add, div, mul, sub } from '../../ops/arithmetic.js';
import { clampMin } from '../../ops/comparison.js';
import { promoteTypes } from '../../ops/convert.js';
import { fnOp } from '../../ops/define.js';
import { triuIndices } from '../../ops/index_triangle.js';
import { norm, sum } from '../../ops/reduce.js';
import { indexSelect } from '../../ops/index_along.js';
import { type Tensor, wrapDim } from '../../tensor/tensor.js';
import { commonShape } from '../../ops/join_util.js';
import { cast, floating } from '../../ops/internal/cast.js';

/** The p-norm of x1 - x2 + eps over the last dimension, as a function of its arguments for the losses. */
export function pairwiseNorm(x1: Tensor, x2: Tensor, p: number, eps: number, keepdim: boolean): Tensor {
  return norm.impl(add.impl(floating(sub.impl(x1, x2, 1)), eps, 1), p, [-1], keepdim, null);
}

/**
 * The p-norm of x1 - x2 + eps over the last dimension.
 * @param x1 [N, D] or [D]
 * @param x2 of sizes that broadcast with x1's
 * @param p the norm (default 2)
 * @param eps added to every difference, for gradients at zero (default 1e-6)
 * @param keepdim whether the last dimension stays, with size one (default false)
 * @returns [N] or [], [N, 1] or [1] with `keepdim`
 * @throws RuntimeError for sizes that do not broadcast
 */
export const pairwiseDistance = fnOp(
  'pairwiseDistance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False)',
  pairwiseNorm,
);

/**
 * The cosine of the angle of vectors: x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along a dimension.
 * @param x1 any shape, floating-point
 * @param x2 of sizes that broadcast with x1's
 * @param dim the dimension of the vectors, in their common shape (default 1)
 * @param eps the least length (default 1e-8)
 * @returns the common shape without `dim`
 * @throws RangeError if the dimension is out of range; RuntimeError for integers and for sizes that do not broadcast
 */
export const cosineSimilarity = fnOp(
  'cosineSimilarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08)',
  (x1: Tensor, x2: Tensor, dim: number, eps: number): Tensor => {
    const dtype = promoteTypes(x1.dtype, x2.dtype);
    if (!dtype.isFloatingPoint) {
      throw new RuntimeError(`expected common dtype to be floating point, yet common dtype is ${dtype.name}`);
    }
    const shape = commonShape([[...x1.shape], [...x2.shape]]);
    const along = [wrapDim(dim, shape.length)];
    const spread = (x: Tensor): Tensor => cast(x, dtype).expand(shape);
    const unit = (x: Tensor): Tensor => div.impl(x, clampMin.impl(norm.impl(x, 2, along, true, null), eps), null);
    return sum.impl(mul.impl(unit(spread(x1)), unit(spread(x2))), along, false, null);
  },
);

/**
 * The p-norm distances of all pairs of rows.
 * @param input [N, M], floating-point
 * @param p the norm, at least 0 (default 2)
 * @returns [N (N - 1) / 2], the pairs in the order of the upper triangle: (0, 1), (0, 2) ..
 * @throws RuntimeError for a tensor that is no matrix, a negative p, or integers
 */
export const pdist = fnOp('pdist(Tensor input, float p=2)', (input: Tensor, p: number): Tensor => {
  if (input.ndim !== 2) throw new RuntimeError(`pdist only supports 2D tensors, got: ${input.ndim}D`);
  if (!input.dtype.isFloatingPoint) throw new RuntimeError('pdist only supports floating-point dtypes');
  if (!(p >= 0)) throw new RuntimeError('pdist only supports non-negative p values');
  const n = input.shape[0]!;
  const pairs = triuIndices(n, n, 1);
  const rows = (i: number): Tensor => indexSelect.impl(input, 0, pairs.select(0, i));
  if (p !== 0) return norm.impl(sub.impl(rows(0), rows(1), 1), p, [1], false, null);
  const counts = noGrad(() => norm.impl(sub.impl(rows(0), rows(1), 1), 0, [1], false, null));
  const shape = input.shape;
  if (needsGrad(input)) record('PdistBackward0', counts, [input], [], (g) => [g.newZeros(shape)]);
  return counts;
});

/**
 * Vectors divided by max(their p-norm, eps), along a dimension.
 * @param input any shape, floating-point or complex
 * @param p the norm (default 2)
 * @param dim the dimension of the vectors (default 1); several dimensions form one vector
 * @param eps the least norm that is divided by (default 1e-12)
 * @returns input's shape
 * @throws RuntimeError for integers; RangeError if a dimension is out of range
 */
export const normalize = fnOp(
  'normalize(Tensor input, float p=2, int[] dim=1, float eps=1e-12)',
  (input: Tensor, p: number, dim: readonly number[] | number, eps: number): Tensor => {
    const length = norm.impl(input, p, typeof dim === 'number' ? [dim] : dim, true, null);
    return div.impl(input, clampMin.impl(length, eps), null);
  },
);
