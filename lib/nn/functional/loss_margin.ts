// Losses with a margin that right answers must have over wrong ones.
import { int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, div, minimum, mul, sub } from '../../ops/arithmetic.js';
import { clampMin, eq, ne } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { gather, scatter, scatterAdd } from '../../ops/gather.js';
import { indexSelect } from '../../ops/index_along.js';
import { sum } from '../../ops/reduce.js';
import { cumprod } from '../../ops/scan.js';
import { neg, sqrt, square } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { pairwiseNorm } from './distance.js';
import { reduced, reductionOf, sizeText } from './reduction.js';
import { cast, floating } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';
import { reshaped } from '../../ops/internal/view.js';
import { anyTrue } from '../../ops/internal/truth.js';

const show = (t: Tensor): string => `[${t.shape.join(', ')}]`;

/**
 * max(0, -t (x1 - x2) + margin), elementwise: t = 1 wants x1 to be larger, t = -1 smaller.
 * @param input1 any shape, floating-point
 * @param input2 of as many dimensions, broadcast
 * @param target 1 or -1, of as many dimensions, broadcast
 * @param margin by how much (default 0)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or the common shape with 'none'
 * @throws RuntimeError for different numbers of dimensions or another reduction
 */
export const marginRankingLoss = fnOp(
  "marginRankingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: number,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    if (input1.ndim !== input2.ndim || input1.ndim !== target.ndim) {
      throw new RuntimeError(
        `margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: ${sizeText(input1)}, input2: ${sizeText(input2)}, target: ${sizeText(target)} `,
      );
    }
    const wrong = mul.impl(neg.impl(target), sub.impl(input1, input2, 1));
    return reduced(clampMin.impl(add.impl(floating(wrong), margin, 1), 0), how);
  },
);

/**
 * For distances x: x where t = 1, max(0, margin - x) where t = -1, elementwise.
 * @param input any shape, floating-point
 * @param target of the same shape: 1 or -1
 * @param margin the distance that is far enough (default 1)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const hingeEmbeddingLoss = fnOp(
  "hingeEmbeddingLoss(Tensor input, Tensor target, float margin=1, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    margin: number,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    const far = select3(eq.impl(target, 1), 0, clampMin.impl(sub.impl(margin, input, 1), 0));
    const near = select3(eq.impl(target, -1), 0, input);
    return reduced(add.impl(far, near, 1), how);
  },
);

/**
 * 1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1.
 * @param input1 [N, D] or [D], floating-point
 * @param input2 of the same shape
 * @param target [N] or []: 1 or -1
 * @param margin the cosine from which on different vectors are too alike (default 0)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or target's shape with 'none'
 * @throws RuntimeError for other numbers of dimensions or another reduction
 */
export const cosineEmbeddingLoss = fnOp(
  "cosineEmbeddingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: number,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    const n = target.ndim;
    if (n > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (n === 1 ? input1.ndim !== 2 : input1.ndim !== 1) {
      throw new RuntimeError(
        `${n}D target tensor expects ${n + 1}D input tensors, but found inputs with sizes ${show(input1)} and ${show(input2)}.`,
      );
    }
    const EPSILON = 1e-12;
    const dot = (a: Tensor, b: Tensor): Tensor => sum.impl(mul.impl(a, b), [n], false, null);
    const size1 = add.impl(dot(input1, input1), EPSILON, 1);
    const size2 = add.impl(dot(input2, input2), EPSILON, 1);
    const cos = div.impl(dot(input1, input2), sqrt.impl(mul.impl(size1, size2)), null);
    const near = select3(eq.impl(target, 1), sub.impl(1, cos, 1), 0);
    const far = select3(eq.impl(target, -1), clampMin.impl(sub.impl(cos, margin, 1), 0), 0);
    return reduced(add.impl(near, far, 1), how);
  },
);

/**
 * For a target class y: 1 / C sum over c != y of weight_y max(0, margin - x_y + x_c)^p.
 * @param input [N, C] or [C], floating-point
 * @param target [N] or [], int64
 * @param p 1 (default) or 2
 * @param margin by how much the target's score has to be larger (default 1)
 * @param weight [C] (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or target's shape with 'none'
 * @throws RangeError for a class out of range, RuntimeError for other arguments that do not fit
 */
export const multiMarginLoss = fnOp(
  "multiMarginLoss(Tensor input, Tensor target, int p=1, float margin=1, Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    p: number,
    margin: number,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    if (p !== 1 && p !== 2) throw new RuntimeError('only p == 1 and p == 2 supported');
    if (weight !== null && weight.ndim !== 1) throw new RuntimeError('weight must be one-dimensional');
    if (target.dtype !== int64)
      throw new RuntimeError(`expected scalar type Long but found ${target.dtype.scalarName}`);
    const x = input.ndim <= 1 ? reshaped(input, [1, -1]) : input;
    if (x.ndim !== 2 || x.shape[1] === 0) {
      throw new RuntimeError(
        `Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${show(input)}`,
      );
    }
    const [n, classes] = x.shape as [number, number];
    if (target.ndim > 1 || target.numel() !== n) {
      throw new RuntimeError(`inconsistent target size, expected ${n} but got ${show(target)}`);
    }
    if (weight !== null && weight.numel() !== classes) {
      throw new RuntimeError(`inconsistent weight size, expected ${classes} but got ${show(weight)}`);
    }
    if (n > 0 && anyTrue(target.lt(0).logicalOr(target.ge(classes)))) {
      throw new RangeError('target out of range');
    }
    const at = reshaped(target, [n, 1]);
    const right = gather.impl(x, 1, at, false);
    let each = clampMin.impl(add.impl(sub.impl(x, right, 1), margin, 1), 0);
    if (p === 2) each = square.impl(each);
    if (weight !== null) each = mul.impl(each, reshaped(indexSelect.impl(weight, 0, reshaped(target, [-1])), [n, 1]));
    const others = scatter(each, 1, at, 0);
    const rows = div.impl(sum.impl(others, [1], false, null), classes, null);
    return reduced(input.ndim <= 1 ? reshaped(rows, []) : rows, how);
  },
);

/**
 * For target classes y (a row up to its first -1): the sum over them and over all classes c that are none of them of
 * max(0, 1 - (x_y - x_c)), by the number of classes.
 * @param input [N, C] or [C], floating-point
 * @param target of the same shape, int64: classes, then -1
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or [N] ([] for [C]) with 'none'
 * @throws RuntimeError for sizes or types that do not fit, RangeError for a class out of range
 */
export const multilabelMarginLoss = fnOp(
  "multilabelMarginLoss(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, reduction: string): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    if (target.dtype !== int64)
      throw new RuntimeError(`expected scalar type Long but found ${target.dtype.scalarName}`);
    if (input.ndim > 2 || input.numel() === 0) {
      throw new RuntimeError(
        `Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${show(input)}`,
      );
    }
    const single = input.ndim <= 1;
    const fits = single ? target.ndim <= 1 && target.numel() === input.numel() : show(target) === show(input);
    if (!fits) throw new RuntimeError(`inconsistent target size: ${show(target)} for input of size: ${show(input)}`);
    const x = single ? reshaped(input, [1, -1]) : input;
    const given = single ? reshaped(target, [1, -1]) : target;
    const classes = x.shape[1]!;
    if (anyTrue(given.lt(-1).logicalOr(given.ge(classes)))) throw new RangeError('target out of range');
    // Targets count up to the first -1.
    const counts = cumprod.impl(cast(ne.impl(given, -1), int64), 1, null).bool();
    const at = select3(counts, given, 0);
    const isTarget = scatterAdd.impl(given.newZeros(given.shape), 1, at, cast(counts, int64)).bool();
    // [N, targets, classes]: the margin of each target over each class that is none.
    const margins = clampMin.impl(
      add.impl(sub.impl(x.unsqueeze(1), gather.impl(x, 1, at, false).unsqueeze(2), 1), 1, 1),
      0,
    );
    const matters = counts.unsqueeze(2).logicalAnd(isTarget.logicalNot().unsqueeze(1));
    const rows = div.impl(sum.impl(select3(matters, margins, 0), [1, 2], false, null), classes, null);
    return reduced(single ? reshaped(rows, []) : rows, how);
  },
);

function checkTriplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: number): void {
  if (!(margin > 0)) throw new RuntimeError(`margin must be greater than 0, got ${margin}`);
  if (anchor.ndim !== positive.ndim || anchor.ndim !== negative.ndim) {
    throw new RuntimeError(
      `The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${anchor.ndim}D, positive ${positive.ndim}D, and negative ${negative.ndim}D inputs`,
    );
  }
}

/** A distance of two batches of vectors: [N, D], [N, D] to [N]. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

/** max(0, d(a, p) - d(a, n) + margin); with `swap`, d(p, n) where that is smaller than d(a, n). */
function tripletOf(a: Tensor, p: Tensor, n: Tensor, distance: Distance, margin: number, swap: boolean): Tensor {
  const near = distance(a, p);
  const far = swap ? minimum.impl(distance(a, n), distance(p, n)) : distance(a, n);
  return clampMin.impl(add.impl(sub.impl(near, far, 1), margin, 1), 0);
}

/**
 * max(0, d(a, p) - d(a, n) + margin), d being `pairwiseDistance` (http://www.bmva.org/bmvc/2016/papers/paper119/).
 * @param anchor [N, D] or [D], floating-point
 * @param positive [N, D] or [D]: shall be near the anchor
 * @param negative [N, D] or [D]: shall be further away, by the margin
 * @param margin default 1, positive
 * @param p the norm (default 2)
 * @param eps added to the differences (default 1e-6)
 * @param swap whether d(p, n) counts where it is smaller than d(a, n) (default false)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or [N] ([] for [D]) with 'none'
 * @throws RuntimeError for a margin that is not positive, different numbers of dimensions or another reduction
 */
export const tripletMarginLoss = fnOp(
  "tripletMarginLoss(Tensor anchor, Tensor positive, Tensor negative, float margin=1, float p=2, float eps=1e-06, bool swap=False, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: number,
    p: number,
    eps: number,
    swap: boolean,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    checkTriplet(anchor, positive, negative, margin);
    const distance: Distance = (a, b) => pairwiseNorm(a, b, p, eps, false);
    return reduced(tripletOf(anchor, positive, negative, distance, margin, swap), how);
  },
);

/**
 * As `tripletMarginLoss`, max(0, d(a, p) - d(a, n) + margin), with any distance d.
 * @param anchor [N, D], or what d takes
 * @param positive alike: shall be near the anchor
 * @param negative alike: shall be further away, by the margin
 * @param distanceFunction d, a function of two tensors (default null: `pairwiseDistance`)
 * @param margin default 1, positive
 * @param swap whether d(p, n) counts where it is smaller than d(a, n) (default false)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or d's shape with 'none'
 * @throws RuntimeError for a margin that is not positive, different numbers of dimensions or another reduction
 */
export const tripletMarginWithDistanceLoss = fnOp(
  "tripletMarginWithDistanceLoss(Tensor anchor, Tensor positive, Tensor negative, function? distanceFunction=None, float margin=1, bool swap=False, str reduction='mean')",
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distanceFunction: Distance | null,
    margin: number,
    swap: boolean,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(null, null, reduction);
    checkTriplet(anchor, positive, negative, margin);
    const distance: Distance = distanceFunction ?? ((a, b) => pairwiseNorm(a, b, 2, 1e-6, false));
    return reduced(tripletOf(anchor, positive, negative, distance, margin, swap), how);
  },
);
