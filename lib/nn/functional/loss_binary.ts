// Losses of yes-or-no targets, and of distributions given as they are.
import { RuntimeError } from '../../core/errors.js';
import { add, div, mul, sub, xlogy } from '../../ops/arithmetic.js';
import { logSigmoid, sigmoid, softplus } from '../../ops/activation.js';
import { clamp, ge, le, logicalAnd } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { sum } from '../../ops/reduce.js';
import { exp, log, log1p, neg, square } from '../../ops/unary.js';
import { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';
import { asNode, elementGradient, reduced, reductionOf, sameShape, sizeText, type Reduction } from './reduction.js';
import { select3 } from '../../ops/internal/select.js';
import { allTrue, anyTrue } from '../../ops/internal/truth.js';

/** Probabilities below this have no smaller logarithm, so that a wrong certain answer costs 100, not infinity. */
const LEAST_LOG = -100;
/** Keeps the slope of binary cross-entropy finite at 0 and 1. */
const EPSILON = 1e-12;

/**
 * Binary cross-entropy of probabilities: -weight (t log x + (1 - t) log(1 - x)), with logarithms not below -100.
 * @param input any shape, floating-point: probabilities
 * @param target of the same shape and type, from 0 to 1
 * @param weight broadcasts to them (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for shapes or types that differ, an input outside of [0, 1] or another reduction
 */
export const binaryCrossEntropy = fnOp(
  "binaryCrossEntropy(Tensor input, Tensor target, Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    if (!sameShape(input, target)) {
      throw new RuntimeError(
        `Using a target size (${sizeText(target)}) that is different to the input size (${sizeText(input)}) is deprecated. Please ensure they have the same size.`,
      );
    }
    if (input.dtype !== target.dtype) {
      throw new RuntimeError(`Found dtype ${target.dtype.name} but expected ${input.dtype.name}`);
    }
    if (!allTrue(logicalAnd.impl(ge.impl(input, 0), le.impl(input, 1)))) {
      throw new RuntimeError('all elements of input should be between 0 and 1');
    }
    const count = input.numel();
    return asNode(
      'BinaryCrossEntropyBackward0',
      [input, target, weight],
      ([x, t, w]) => {
        const yes = clamp.impl(log.impl(x), LEAST_LOG, null);
        const no = clamp.impl(log1p.impl(neg.impl(x)), LEAST_LOG, null);
        // (t - 1) log(1 - x) - t log x
        const each = sub.impl(mul.impl(sub.impl(t, 1, 1), no), mul.impl(t, yes), 1);
        return reduced(w === null ? each : mul.impl(each, w), how);
      },
      (g, [x, t, w], needs) => {
        const each = elementGradient(g, how, count);
        const scale = w === null ? each : mul.impl(each, w);
        const slope = (): Tensor =>
          div.impl(sub.impl(x, t, 1), clamp.impl(mul.impl(sub.impl(1, x, 1), x), EPSILON, null), null);
        const odds = (): Tensor => sub.impl(log1p.impl(neg.impl(x)), log.impl(x), 1);
        const loss = (): Tensor => {
          const yes = clamp.impl(log.impl(x), LEAST_LOG, null);
          const no = clamp.impl(log1p.impl(neg.impl(x)), LEAST_LOG, null);
          return sub.impl(mul.impl(sub.impl(t, 1, 1), no), mul.impl(t, yes), 1);
        };
        return [
          needs[0] ? mul.impl(slope(), scale) : null,
          needs[1] ? mul.impl(odds(), scale) : null,
          needs[2] ? mul.impl(loss(), each) : null,
        ];
      },
    );
  },
);

/** `binaryCrossEntropyWithLogits` with complete arguments, for layers. */
export function bceWithLogitsOf(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  posWeight: Tensor | null,
  reduction: Reduction,
): Tensor {
  if (!sameShape(input, target)) {
    throw new RuntimeError(`Target size (${sizeText(target)}) must be the same as input size (${sizeText(input)})`);
  }
  if (posWeight !== null || weight !== null) {
    // (1 - t) x - v log(sigmoid x), v = 1 + (p - 1) t
    const logs = logSigmoid.impl(input);
    const gain =
      posWeight === null ? logs : mul.impl(add.impl(mul.impl(sub.impl(posWeight, 1, 1), target), 1, 1), logs);
    const each = sub.impl(mul.impl(sub.impl(1, target, 1), input), gain, 1);
    return reduced(weight === null ? each : mul.impl(each, weight), reduction);
  }
  let count = 0;
  return asNode(
    'BinaryCrossEntropyWithLogitsBackward0',
    [input, target],
    ([x, t]) => {
      if (reduction === 'mean') count = x.numel();
      // softplus(x) - t x: the threshold of softplus is far enough that no digit is lost.
      return reduced(sub.impl(softplus.impl(x, 1, 40), mul.impl(t, x), 1), reduction);
    },
    (g, [x, t], needs) => {
      const each = elementGradient(g, reduction, count);
      return [
        needs[0] ? mul.impl(sub.impl(sigmoid.impl(x), t, 1), each) : null,
        needs[1] ? mul.impl(neg.impl(x), each) : null,
      ];
    },
  );
}

/**
 * Binary cross-entropy of p = sigmoid(input), computed without rounding p:
 * -weight (posWeight t log p + (1 - t) log(1 - p)).
 * @param input any shape, floating-point: logits
 * @param target of the same shape, from 0 to 1
 * @param weight broadcasts to them (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @param posWeight how much a positive target counts; broadcasts to them (default null: ones)
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for shapes that differ or another reduction
 */
export const binaryCrossEntropyWithLogits = fnOp(
  "binaryCrossEntropyWithLogits(Tensor input, Tensor target, Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', Tensor? posWeight=None)",
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
    posWeight: Tensor | null,
  ): Tensor => bceWithLogitsOf(input, target, weight, posWeight, reductionOf(sizeAverage, reduce, reduction)),
);

/**
 * The mean over the last dimension of binary cross-entropy with logits:
 * -1 / C sum_c weight_c (t_c log sigmoid(x_c) + (1 - t_c) log sigmoid(-x_c)).
 * @param input [.., C], floating-point
 * @param target [.., C], from 0 to 1
 * @param weight [C], or broadcasts to them (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape without the last dimension with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const multilabelSoftMarginLoss = fnOp(
  "multilabelSoftMarginLoss(Tensor input, Tensor target, Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    const yes = mul.impl(target, logSigmoid.impl(input));
    const no = mul.impl(sub.impl(1, target, 1), logSigmoid.impl(neg.impl(input)));
    let each = neg.impl(add.impl(yes, no, 1));
    if (weight !== null) each = mul.impl(each, weight);
    const classes = input.size(-1);
    return reduced(div.impl(sum.impl(each, [-1], false, null), classes, null), how);
  },
);

const MEAN_IS_NOT_BATCHMEAN =
  "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the " +
  "batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in " +
  'the next major release.';

/**
 * The Kullback-Leibler divergence from log probabilities x to a target distribution t: t (log t - x), elementwise; 0 where t is.
 * @param input any shape, floating-point: log probabilities
 * @param target of the same shape: probabilities
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default; by all elements, with a warning), 'batchmean' (the sum by the first size, which is the
 *   divergence), 'sum' or 'none'
 * @param logTarget whether the target holds logarithms (default false)
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const klDiv = fnOp(
  "klDiv(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', bool logTarget=False)",
  (
    input: Tensor,
    target: Tensor,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
    logTarget: boolean,
  ): Tensor => {
    const batchMean = reduction === 'batchmean';
    const older = sizeAverage !== null || reduce !== null;
    if (!older && reduction === 'mean') warn(MEAN_IS_NOT_BATCHMEAN);
    const how = reductionOf(sizeAverage, reduce, batchMean ? 'sum' : reduction);
    const each = logTarget
      ? mul.impl(exp.impl(target), sub.impl(target, input, 1))
      : sub.impl(xlogy.impl(target, target), mul.impl(target, input), 1);
    const total = reduced(each, how);
    return batchMean && input.ndim > 0 ? div.impl(total, input.shape[0]!, null) : total;
  },
);

/**
 * The negative log likelihood of a Poisson distribution: exp(x) - t x, or x - t log(x + eps) without `logInput`.
 * @param input any shape, floating-point: the rate, or its logarithm
 * @param target of the same shape: counts
 * @param logInput whether the input is a logarithm (default true)
 * @param full whether Stirling's t log t - t + log(2 pi t) / 2 is added for targets above 1 (default false)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param eps keeps the logarithm finite (default 1e-8)
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const poissonNllLoss = fnOp(
  "poissonNllLoss(Tensor input, Tensor target, bool logInput=True, bool full=False, bool? sizeAverage=None, float eps=1e-08, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    logInput: boolean,
    full: boolean,
    sizeAverage: boolean | null,
    eps: number,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    let each = logInput
      ? sub.impl(exp.impl(input), mul.impl(target, input), 1)
      : sub.impl(input, mul.impl(target, log.impl(add.impl(input, eps, 1))), 1);
    if (full) {
      const stirling = add.impl(
        sub.impl(mul.impl(target, log.impl(target)), target, 1),
        mul.impl(log.impl(mul.impl(target, 2 * Math.PI)), 0.5),
        1,
      );
      each = add.impl(each, select3(le.impl(target, 1), 0, stirling), 1);
    }
    return reduced(each, how);
  },
);

/** The variance for each element, as PyTorch lets it be given: per element, per row, or of size one somewhere. */
function spreadVariance(input: Tensor, variance: Tensor): Tensor {
  if (sameShape(variance, input)) return variance;
  const lead = input.shape.slice(0, -1);
  if (lead.join() === variance.shape.join() && input.ndim === variance.ndim + 1) return variance.unsqueeze(-1);
  // Of the same number of dimensions with one size different, and that of size one.
  let total = 0;
  input.shape.forEach((n, d) => {
    if (n !== variance.shape[d]) total += variance.shape[d] ?? Number.NaN;
  });
  if (input.ndim === variance.ndim && total === 1) return variance;
  throw new RuntimeError('var is of incorrect size');
}

/**
 * The negative log likelihood of a normal distribution: (log v + (x - t)^2 / v) / 2, v = max(var, eps).
 * @param input any shape, floating-point: the mean
 * @param target of the same shape
 * @param var the variance: a number, or a tensor of input's shape, without its last dimension, or with one of size one
 * @param full whether log(2 pi) / 2 is added (default false)
 * @param eps the least variance (default 1e-6); it changes the value, not the variance's gradient
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for a negative variance, one of another shape, or another reduction
 */
export const gaussianNllLoss = fnOp(
  "gaussianNllLoss(Tensor input, Tensor target, Tensor|Scalar var, bool full=False, float eps=1e-06, str reduction='mean')",
  (input: Tensor, target: Tensor, variance: Tensor | number, full: boolean, eps: number, reduction: string): Tensor => {
    const given = variance instanceof Tensor ? variance : input.detach().newFull([...input.shape], variance);
    if (anyTrue(given.lt(0))) throw new RuntimeError('var has negative entry/entries');
    const v = spreadVariance(input, given);
    if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
      throw new RuntimeError(`${reduction} is not valid`);
    }
    // The limit changes the value alone: a variance below eps still gets the gradient of the formula.
    const limited = v.detach().clampMin(eps);
    const kept = asNode(
      'CloneBackward0',
      [v],
      () => limited,
      (g) => [g],
    );
    const quotient = div.impl(square.impl(sub.impl(input, target, 1)), kept, null);
    let each = mul.impl(add.impl(log.impl(kept), quotient, 1), 0.5);
    if (full) each = add.impl(each, 0.5 * Math.log(2 * Math.PI), 1);
    return reduced(each, reduction);
  },
);

/**
 * log(1 + exp(-t x)), elementwise.
 * @param input any shape, floating-point
 * @param target of the same shape: 1 or -1
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default), 'sum' or 'none'
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const softMarginLoss = fnOp(
  "softMarginLoss(Tensor input, Tensor target, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  (input: Tensor, target: Tensor, sizeAverage: boolean | null, reduce: boolean | null, reduction: string): Tensor => {
    const how = reductionOf(sizeAverage, reduce, reduction);
    return reduced(softplus.impl(neg.impl(mul.impl(target, input)), 1, 40), how);
  },
);
