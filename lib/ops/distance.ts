// Distances between vectors, and vectors made shorter.
import { needsGrad, record } from '../autograd/graph.js';
import { float32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { add, div, mul, sub } from './arithmetic.js';
import { clampMin, eq, gt } from './comparison.js';
import { fnOp, op } from './define.js';
import { cat } from './join.js';
import { commonShape } from './join_util.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { withInPlace } from './rows.js';
import { square, sqrt } from './unary.js';
import { expand, transpose, unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { overwrite } from './internal/overwrite.js';
import { select3 as where } from './internal/select.js';
import { vectorNormOf } from './internal/vector_norm.js';

const MODES = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'];
/** From this many vectors on Euclidean distances go through a matrix product: faster, but less exact near zero. */
const MANY = 25;
/** How many differences are held in memory at once. */
const CHUNK = 1 << 22;

function checkPairs(x1: Tensor, x2: Tensor, p: number, mode: string): void {
  for (const [name, x] of [
    ['X1', x1],
    ['X2', x2],
  ] as const) {
    if (!x.dtype.isFloatingPoint)
      throw new RuntimeError(`cdist only supports floating-point dtypes, ${name} got: ${x.dtype.name}`);
    if (x.ndim < 2) throw new RuntimeError(`cdist only supports at least 2D tensors, ${name} got: ${x.ndim}D`);
  }
  const [m, k] = [x1.shape[x1.ndim - 1], x2.shape[x2.ndim - 1]];
  if (m !== k) throw new RuntimeError(`X1 and X2 must have the same number of columns. X1: ${m} X2: ${k}`);
  if (!(p >= 0)) throw new RuntimeError('cdist only supports non-negative p values');
  if (!MODES.includes(mode)) throw new RangeError(`${mode} is not a valid value for compute_mode`);
  if (x1.dtype !== x2.dtype) throw new RuntimeError(`expected scalar type ${x1.dtype.name} but found ${x2.dtype.name}`);
}

/** |a|^2 - 2 a.b + |b|^2 as one matrix product: [.., P, M + 2] @ [.., M + 2, R]. */
function euclideanByProduct(x1: Tensor, x2: Tensor): Tensor {
  const squares = (x: Tensor): Tensor => sum.impl(square.impl(x), [-1], true, null);
  const one = (x: Tensor): Tensor => x.newOnes([...x.shape.slice(0, -1), 1]);
  const left = cat.impl([mul.impl(x1, -2), squares(x1), one(x1)], -1);
  const right = cat.impl([x2, one(x2), squares(x2)], -1);
  return sqrt.impl(clampMin.impl(matmul.impl(left, transpose.impl(right, -2, -1)), 0));
}

/** By differences, so many rows of x1 at a time that the differences stay in a cache-sized block of memory. */
function byDifferences(x1: Tensor, x2: Tensor, p: number): Tensor {
  const rows = x1.shape[x1.ndim - 2]!;
  const perRow = Math.max(1, (x1.numel() / Math.max(1, rows)) * x2.shape[x2.ndim - 2]!);
  const step = Math.max(1, Math.floor(CHUNK / perRow));
  const parts: Tensor[] = [];
  for (let at = 0; at < rows; at += step) {
    const block = x1.narrow(-2, at, Math.min(step, rows - at));
    parts.push(vectorNormOf(sub.impl(unsqueeze.impl(block, -2), unsqueeze.impl(x2, -3), 1), p, [-1], false, null));
  }
  return parts.length === 1 ? parts[0]! : cat.impl(parts, -2);
}

/** The gradient of Euclidean distances d: (g / d summed over the other points) x1 - (g / d) @ x2. */
function euclideanGradient(g: Tensor, d: Tensor, x1: Tensor, x2: Tensor): Tensor {
  const ratio = where(eq(d, 0), 0, div.impl(g, d, null));
  return sub.impl(mul.impl(x1, sum.impl(ratio, [-1], true, null)), matmul.impl(ratio, x2), 1);
}

/** Distances that no small change changes, as the count of differences: with zero gradients. */
function flat(y: Tensor, a: Tensor, b: Tensor): Tensor {
  const [from, to] = [a.shape, b.shape];
  if (needsGrad(a, b)) {
    record('CdistBackward0', y, [a, b], [], (g) => [g.newZeros(from), g.newZeros(to)]);
  }
  return y;
}

/**
 * The p-norm distances between all vectors of two sets.
 * @param x1 [.., P, M] of floating point
 * @param x2 [.., R, M] of the same type; the leading dimensions broadcast
 * @param p the norm, at least 0: 0 counts the differences, Infinity takes the largest (default 2)
 * @param computeMode whether Euclidean distances may go through a matrix product, faster but less exact near zero: if a set
 *   has more than 25 vectors ('use_mm_for_euclid_dist_if_necessary', the default), always ('use_mm_for_euclid_dist') or never
 *   ('donot_use_mm_for_euclid_dist')
 * @returns [.., P, R]
 * @throws RuntimeError if types or sizes do not fit or p is negative; RangeError for another mode
 */
export const cdist = fnOp(
  "cdist(Tensor x1, Tensor x2, float p=2, str computeMode='use_mm_for_euclid_dist_if_necessary')",
  (x1: Tensor, x2: Tensor, p: number, computeMode: string): Tensor => {
    checkPairs(x1, x2, p, computeMode);
    const batch = commonShape([x1.shape.slice(0, -2), x2.shape.slice(0, -2)]);
    const [rows, columns, m] = [x1.shape[x1.ndim - 2]!, x2.shape[x2.ndim - 2]!, x1.shape[x1.ndim - 1]!];
    const a = expand.impl(x1, [...batch, rows, m]);
    const b = expand.impl(x2, [...batch, columns, m]);
    if (m === 0 || rows === 0 || columns === 0 || batch.includes(0))
      return flat(a.newZeros([...batch, rows, columns]), a, b);
    if (p === 0) return flat(byDifferences(a.detach(), b.detach(), 0), a, b);
    const product = computeMode === MODES[1] || (computeMode === MODES[0] && Math.max(rows, columns) > MANY);
    if (p !== 2 || !product) return byDifferences(a, b, p);
    const y = euclideanByProduct(a.detach(), b.detach());
    if (needsGrad(a, b)) {
      record('CdistBackward0', y, [a, b], [a, b, y], (g, [u, v, d], needs) => [
        needs[0] ? euclideanGradient(g, d, u, v) : null,
        needs[1] ? euclideanGradient(transpose.impl(g, -2, -1), transpose.impl(d, -2, -1), v, u) : null,
      ]);
    }
    return y;
  },
);

/**
 * The p-norm of input - other, over all elements.
 * @param input a floating-point or complex tensor
 * @param other a tensor that broadcasts with input
 * @param p the norm: 0 counts the differences, Infinity takes the largest (default 2)
 * @returns a 0-d tensor, real
 * @throws RuntimeError for integers and bools
 */
export const dist = op(
  'dist(Tensor input, Tensor other, float p=2)',
  (input: Tensor, other: Tensor, p: number): Tensor => vectorNormOf(sub.impl(input, other, 1), p, null, false, null),
);

function renormalised(input: Tensor, p: number, dim: number, maxnorm: number): Tensor {
  if (!(p > 0)) throw new RuntimeError('renorm: non-positive-norm not supported');
  if (!(maxnorm >= 0)) throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`);
  if (input.ndim < 2) throw new RuntimeError(`renorm: input needs at least 2 dimensions, got ${input.ndim} dimensions`);
  const d = wrapDim(dim, input.ndim);
  const others = input.shape.map((_, k) => k).filter((k) => k !== d);
  const wide = input.dtype.itemsize === 2 ? float32 : input.dtype;
  const norms = vectorNormOf(cast(input, wide), p, others, true, null);
  // The small number keeps the result within maxnorm in spite of rounding.
  const factor = where(gt(norms, maxnorm), div.impl(maxnorm, add.impl(norms, 1e-7, 1), null), 1);
  return cast(mul.impl(input, factor), input.dtype);
}
/**
 * Slices along a dimension, scaled down to the p-norm `maxnorm` if theirs is larger.
 * @param input at least two dimensions
 * @param p the norm, above 0
 * @param dim the dimension that numbers the slices
 * @param maxnorm the largest norm that is left as it is, at least 0
 * @returns input's shape and type
 * @throws RuntimeError if p is not positive, `maxnorm` is negative or input has fewer dimensions
 * @throws RangeError if `dim` is out of range
 */
export const renorm = withInPlace(
  op('renorm(Tensor input, float p, int dim, float maxnorm)', renormalised),
  (self: Tensor, p: number, dim: number, maxnorm: number): Tensor =>
    overwrite(self, (x) => renormalised(x, p, dim, maxnorm)),
);
