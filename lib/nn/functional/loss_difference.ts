// Losses of the difference of two tensors: each is one node, whose gradient is one slope of the difference.
import { RuntimeError } from '../../core/errors.js';
import { mul, sub } from '../../ops/arithmetic.js';
import { clamp } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { div } from '../../ops/arithmetic.js';
import { sum } from '../../ops/reduce.js';
import { abs, neg, sgn, square } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { asNode, elementGradient, reduced, reductionOf, sameShape, warnSizes, type Reduction } from './reduction.js';

/**
 * A loss f(d) of d = input - target.
 * @param slope f'(d), of recorded functions.
 */
function differenceLoss(
  name: string,
  input: Tensor,
  target: Tensor,
  reduction: Reduction,
  value: (d: Tensor) => Tensor,
  slope: (d: Tensor) => Tensor,
): Tensor {
  let count = 0;
  return asNode(
    name,
    [input, target],
    ([x, t]) => {
      const losses = value(sub.impl(x, t, 1));
      if (reduction === 'mean') count = losses.numel();
      return reduced(losses, reduction);
    },
    (g, [x, t], needs) => {
      const gx = mul.impl(slope(sub.impl(x, t, 1)), elementGradient(g, reduction, count));
      return [needs[0] ? gx : null, needs[1] ? neg.impl(gx) : null];
    },
  );
}

/** Losses times weights, with the mean weighted too. */
function weighted(losses: Tensor, weight: Tensor, input: Tensor, reduction: Reduction, meanByWeight: boolean): Tensor {
  if (!sameShape(weight, input)) throw new RuntimeError('Weights and input must have the same size.');
  const each = mul.impl(losses, weight);
  if (reduction !== 'mean' || !meanByWeight) return reduced(each, reduction);
  return div.impl(sum.impl(each, null, false, null), sum.impl(weight, null, false, null), null);
}

const twice = (d: Tensor): Tensor => mul.impl(d, 2);

/**
 * The squared error (input - target)^2.
 * @param input any shape, floating-point
 * @param target of the same shape (others broadcast, with a warning)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @param weight of input's shape (default null: ones); the mean is then divided by the sum of the weights
 * @returns [], or the shape of input - target with 'none'
 * @throws RuntimeError for sizes that do not fit and for another reduction
 */
export const mseLoss = fnOp(
  "mseLoss(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', Tensor? weight=None)",
  (
    input: Tensor,
    target: Tensor,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
    weight: Tensor | null,
  ): Tensor => {
    warnSizes(input, target);
    const how = reductionOf(sizeAverage, reduce, reduction);
    const of = (r: Reduction): Tensor => differenceLoss('MseLossBackward0', input, target, r, square.impl, twice);
    return weight === null ? of(how) : weighted(of('none'), weight, input, how, true);
  },
);

/**
 * The absolute error |input - target|.
 * @param input any shape, floating-point
 * @param target of the same shape (others broadcast, with a warning)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @param weight of input's shape (default null: ones); the mean is then divided by the sum of the weights
 * @returns [], or the shape of input - target with 'none'
 * @throws RuntimeError for sizes that do not fit and for another reduction
 */
export const l1Loss = fnOp(
  "l1Loss(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', Tensor? weight=None)",
  (
    input: Tensor,
    target: Tensor,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
    weight: Tensor | null,
  ): Tensor => {
    warnSizes(input, target);
    const how = reductionOf(sizeAverage, reduce, reduction);
    const of = (r: Reduction): Tensor => differenceLoss('L1LossBackward0', input, target, r, abs.impl, sgn.impl);
    return weight === null ? of(how) : weighted(of('none'), weight, input, how, true);
  },
);

/** delta^2-scaled Huber: with s = d limited to [-delta, delta] it is s (d - s / 2), and s is its slope. */
function huber(d: Tensor, delta: number): Tensor {
  const s = clamp.impl(d, -delta, delta);
  return mul.impl(s, sub.impl(d, mul.impl(s, 0.5), 1));
}

function huberOf(input: Tensor, target: Tensor, delta: number, reduction: Reduction): Tensor {
  const value = (d: Tensor): Tensor => huber(d, delta);
  const slope = (d: Tensor): Tensor => clamp.impl(d, -delta, delta);
  return differenceLoss('HuberLossBackward0', input, target, reduction, value, slope);
}

/**
 * Squared below `delta`, linear above: with d = input - target, d^2 / 2 where |d| < delta, else delta (|d| - delta / 2)
 * (Huber, 1964).
 * @param input any shape, floating-point
 * @param target of the same shape (others broadcast, with a warning)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @param delta where both pieces meet (default 1), positive
 * @param weight of input's shape (default null: ones); the mean is still over the elements
 * @returns [], or the shape of input - target with 'none'
 * @throws RuntimeError for a delta that is not positive, sizes that do not fit and another reduction
 */
export const huberLoss = fnOp(
  "huberLoss(Tensor input, Tensor target, str reduction='mean', float delta=1, Tensor? weight=None)",
  (input: Tensor, target: Tensor, reduction: string, delta: number, weight: Tensor | null): Tensor => {
    warnSizes(input, target);
    const how = reductionOf(null, null, reduction);
    if (!(delta > 0)) throw new RuntimeError('huber_loss does not support non-positive values for delta.');
    const loss = huberOf(input, target, delta, weight === null ? how : 'none');
    return weight === null ? loss : weighted(loss, weight, input, how, false);
  },
);

/**
 * With d = input - target: d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (https://arxiv.org/abs/1504.08083).
 * @param input any shape, floating-point
 * @param target of the same shape (others broadcast, with a warning)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @param beta where both pieces meet (default 1); 0 is `l1Loss`
 * @returns [], or the shape of input - target with 'none'
 * @throws RuntimeError for a negative beta, sizes that do not fit and another reduction
 */
export const smoothL1Loss = fnOp(
  "smoothL1Loss(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', float beta=1)",
  (
    input: Tensor,
    target: Tensor,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
    beta: number,
  ): Tensor => {
    warnSizes(input, target);
    const how = reductionOf(sizeAverage, reduce, reduction);
    if (beta < 0) throw new RuntimeError('smooth_l1_loss does not support negative values for beta.');
    if (beta === 0) return differenceLoss('L1LossBackward0', input, target, how, abs.impl, sgn.impl);
    return differenceLoss(
      'SmoothL1LossBackward0',
      input,
      target,
      how,
      (d) => div.impl(huber(d, beta), beta, null),
      (d) => clamp.impl(div.impl(d, beta, null), -1, 1),
    );
  },
);
