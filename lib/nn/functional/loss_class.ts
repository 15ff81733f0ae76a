// Losses of classes: negative log likelihood and cross-entropy.
import { needsGrad, record } from '../../autograd/graph.js';
import { noGrad, unrecorded } from '../../autograd/mode.js';
import { int64, uint8 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, div, mul } from '../../ops/arithmetic.js';
import { eq } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { gather } from '../../ops/gather.js';
import { indexSelect } from '../../ops/index_along.js';
import { linear } from '../../ops/matmul.js';
import { sum } from '../../ops/reduce.js';
import { logSoftmax } from '../../ops/softmax.js';
import { neg } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkClassSizes, nllGradient, nllNode, outOfBounds, placesOf, totalOf, type Places } from './class_targets.js';
import { fusedCrossEntropy, fuses } from './cross_entropy.js';
import { reductionOf, sameShape, sizeText, type Reduction } from './reduction.js';
import { cast } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';
import { reshaped } from '../../ops/internal/view.js';

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Minus the log probability of each target, times its weight. */
function pick(input: Tensor, target: Tensor, { at, weights, ignored }: Places, ignoreIndex: number): Tensor {
  const dim = input.ndim === 1 ? 0 : 1;
  let picked: Tensor;
  try {
    picked = reshaped(gather.impl(input, dim, at, false), target.shape);
  } catch (error) {
    const bad = outOfBounds(target, input.shape[dim]!, ignoreIndex);
    throw bad === null ? error : new RangeError(`Target ${bad} is out of bounds.`);
  }
  if (weights === null) return neg.impl(picked);
  // An ignored position counts nothing, whatever is there: 0 times an infinity would be NaN.
  return neg.impl(mul.impl(ignored !== null ? select3(ignored, 0, picked) : picked, weights));
}

/** `nllLoss` with complete arguments. */
function nllOf(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
  reduction: Reduction,
): Tensor {
  if (target.dtype !== int64 && target.dtype !== uint8) {
    throw new RuntimeError(`expected target dtype to be Long or Byte, but got ${target.dtype.scalarName}`);
  }
  checkClassSizes(input, target, weight);
  const places = unrecorded(placesOf, target, weight?.detach() ?? null, ignoreIndex, input.ndim, input.dtype);
  const losses = unrecorded(pick, input, target, places, ignoreIndex);
  const total = totalOf(places.weights, reduction);
  const y = noGrad(() => {
    if (reduction === 'none') return losses;
    const all = sum.impl(losses, null, false, null);
    return reduction === 'sum' ? all : div.impl(all, total ?? target.numel(), null);
  });
  if (!needsGrad(input)) return y;
  const { shape } = input;
  const counts = target.shape;
  const { at, weights, ignored } = places;
  record(nllNode(input.ndim), y, [input], [at, weights, total, ignored], (g, [at0, w, sumW, out]) => [
    nllGradient(g, { at: at0!, weights: w!, ignored: out! }, sumW!, shape, counts, reduction),
  ]);
  return y;
}

/**
 * Minus the log probability of each target class: -weight[t] x[n, t].
 * @param input [N, C], [C] or [N, C, d1, ..], floating-point: log probabilities
 * @param target [N], [] or [N, d1, ..]: classes, int64 or uint8
 * @param weight [C]: a weight for each class (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param ignoreIndex targets of this value do not count (default -100)
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default; divided by the sum of the targets' weights), 'sum' or 'none'
 * @returns [], or target's shape with 'none'
 * @throws RangeError for a class out of range, RuntimeError for sizes or types that do not fit
 */
export const nllLoss = fnOp(
  "nllLoss(Tensor input, Tensor target, Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean')",
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    ignoreIndex: number,
    reduce: boolean | null,
    reduction: string,
  ): Tensor => nllOf(input, target, weight, ignoreIndex, reductionOf(sizeAverage, reduce, reduction)),
);

/** [C] so that it multiplies the class dimension of [N, C, ..]. */
function perClass(weight: Tensor, ndim: number): Tensor {
  return ndim === 1 ? weight : reshaped(weight, [1, -1, ...new Array<number>(ndim - 2).fill(1)]);
}

/** Targets that are probabilities: -sum_c w_c p_c log q_c; the mean is over the batch and the further dimensions. */
function probabilityLoss(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: Reduction,
  smoothing: number,
): Tensor {
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim]!;
  if (!target.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Expected floating point type for target with class probabilities, got ${target.dtype.name}`,
    );
  }
  const p = smoothing > 0 ? add.impl(mul.impl(target, 1 - smoothing), smoothing / classes, 1) : target;
  const logp = logSoftmax.impl(input, dim, null);
  const terms = weight === null ? mul.impl(logp, p) : mul.impl(mul.impl(logp, p), perClass(weight, input.ndim));
  if (reduction === 'none') return neg.impl(sum.impl(terms, [dim], false, null));
  const all = neg.impl(sum.impl(terms, null, false, null));
  return reduction === 'sum' ? all : div.impl(all, input.numel() / classes, null);
}

/** (1 - s) times the loss of the target plus s / C times the loss of all classes (https://arxiv.org/abs/1512.00567). */
function smoothedLoss(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
  reduction: Reduction,
  smoothing: number,
): Tensor {
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim]!;
  const logp = logSoftmax.impl(input, dim, null);
  const nll = nllOf(logp, target, weight, ignoreIndex, reduction);
  const terms = weight === null ? logp : mul.impl(logp, perClass(weight, input.ndim));
  const ignored = eq.impl(target, ignoreIndex);
  const smooth = select3(ignored, 0, neg.impl(sum.impl(terms, [dim], false, null)));
  let rest: Tensor;
  if (reduction === 'none') rest = smooth;
  else {
    rest = sum.impl(smooth, null, false, null);
    if (reduction === 'mean') {
      const counts =
        weight === null
          ? cast(ignored.logicalNot(), input.dtype)
          : reshaped(indexSelect.impl(weight, 0, reshaped(select3(ignored, 0, target), [-1])), target.shape).maskedFill(
              ignored,
              0,
            );
      rest = div.impl(rest, sum.impl(counts, null, false, null), null);
    }
  }
  return add.impl(mul.impl(nll, 1 - smoothing), mul.impl(rest, smoothing / classes), 1);
}

/** `crossEntropy` with complete arguments, for layers. */
export function crossEntropyOf(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
  reduction: Reduction,
  smoothing: number,
): Tensor {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`);
  }
  const dim = input.ndim === 1 ? 0 : 1;
  if (weight !== null && (weight.ndim !== 1 || weight.shape[0] !== input.shape[dim])) {
    throw new RuntimeError(
      `cross_entropy: weight tensor should be defined either for all ${input.shape[dim]} classes or no classes but got weight tensor of shape: ${show(weight.shape)}`,
    );
  }
  if (input.ndim > 0 && sameShape(input, target)) {
    if (ignoreIndex >= 0) throw new RuntimeError('ignore_index is not supported for floating point target');
    return probabilityLoss(input, target, weight, reduction, smoothing);
  }
  if (smoothing > 0) return smoothedLoss(input, target, weight, ignoreIndex, reduction, smoothing);
  if (input.ndim === 0) throw new RuntimeError('Expected 1 or more dimensions (got 0)');
  if (fuses(input, target, weight)) return fusedCrossEntropy(input, target, weight, ignoreIndex, reduction);
  return nllOf(logSoftmax.impl(input, dim, null), target, weight, ignoreIndex, reduction);
}

/**
 * The cross-entropy of unnormalised scores, `nllLoss` of their `logSoftmax`; for targets p that are probabilities
 * -sum_c weight_c p_c logSoftmax(x)_c. With classes backward reads the scores again, so that they must not be changed in
 * place before it.
 * @param input [N, C], [C] or [N, C, d1, ..], floating-point
 * @param target classes [N], [] or [N, d1, ..] (int64), or probabilities of input's shape
 * @param weight [C]: a weight for each class (default null: ones)
 * @param sizeAverage deprecated (default null): with `reduce` the older form of `reduction`
 * @param ignoreIndex targets of this class do not count (default -100); not for probabilities
 * @param reduce deprecated (default null)
 * @param reduction 'mean' (default; divided by the sum of the targets' weights, for probabilities by
 *   their number), 'sum' or 'none'
 * @param labelSmoothing how much of a target is spread over all classes (default 0, up to 1; https://arxiv.org/abs/1512.00567)
 * @returns [], or input's shape without the class dimension with 'none'
 * @throws RangeError for a class out of range, RuntimeError for sizes, types or settings that do not fit
 */
export const crossEntropy = fnOp(
  "crossEntropy(Tensor input, Tensor target, Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean', float labelSmoothing=0)",
  (
    input: Tensor,
    target: Tensor,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    ignoreIndex: number,
    reduce: boolean | null,
    reduction: string,
    labelSmoothing: number,
  ): Tensor =>
    crossEntropyOf(input, target, weight, ignoreIndex, reductionOf(sizeAverage, reduce, reduction), labelSmoothing),
);

/**
 * The cross-entropy of a linear layer's scores: `crossEntropy(linear(input, linearWeight, linearBias), target)`.
 * @param input [N, in] or [in]
 * @param linearWeight [C, in] or [C, d1, .., in]; further dimensions ask for a loss of each of their places
 * @param target classes [N], [] or [N, d1, ..] (int64), or probabilities of the scores' shape [N, C, d1, ..]
 * @param linearBias [C, d1, ..] (default null: none)
 * @param weight [C]: a weight for each class (default null: ones)
 * @param reduction 'mean' (default), 'sum' or 'none', as for `crossEntropy`
 * @param ignoreIndex targets of this class do not count (default null: -100); not for probabilities
 * @param labelSmoothing how much of a target is spread over all classes (default 0, up to 1)
 * @returns [], or the scores' shape without the class dimension with 'none'
 * @throws RangeError for a class out of range, RuntimeError for sizes that do not fit
 */
export const linearCrossEntropy = fnOp(
  "linearCrossEntropy(Tensor input, Tensor linearWeight, Tensor target, Tensor? linearBias=None, Tensor? weight=None, str reduction='mean', int? ignoreIndex=None, float labelSmoothing=0)",
  (
    input: Tensor,
    linearWeight: Tensor,
    target: Tensor,
    linearBias: Tensor | null,
    weight: Tensor | null,
    reduction: string,
    ignoreIndex: number | null,
    labelSmoothing: number,
  ): Tensor => {
    if (input.ndim < 1 || input.ndim > 2) {
      throw new RuntimeError(`expected input with dimensionality 1 or 2, got ${input.ndim}`);
    }
    if (linearWeight.ndim < 2) {
      throw new RuntimeError(`expected linear_weight with dimensionality at least 2, got ${linearWeight.ndim}`);
    }
    const inFeatures = input.shape.at(-1)!;
    if (inFeatures !== linearWeight.shape.at(-1)) {
      throw new RuntimeError(
        `expected equal input and linear_weight last dimensions (in_features), got ${inFeatures} and ${linearWeight.shape.at(-1)}, respectively`,
      );
    }
    const perPlace = linearWeight.shape.slice(0, -1);
    if (linearBias !== null && show(linearBias.shape) !== show(perPlace)) {
      throw new RuntimeError(
        `expected linear_bias shape (${perPlace.join(', ')}), got (${linearBias.shape.join(', ')})`,
      );
    }
    const batch = input.shape.slice(0, -1);
    if (perPlace.length > 1 && batch.length === 0) {
      throw new RuntimeError(
        `K-dimensional loss defined by linear_weight shape ${sizeText(linearWeight)} requires batched input, (N, ${inFeatures}), got unbatched input with shape ${sizeText(input)}`,
      );
    }
    const shape = [...batch, ...perPlace];
    if (show(target.shape) === show(shape) && ignoreIndex !== null) {
      throw new RuntimeError('ignore_index cannot be specified when target contains probabilities');
    }
    const w = perPlace.length > 1 ? reshaped(linearWeight, [-1, inFeatures]) : linearWeight;
    const b = perPlace.length > 1 && linearBias !== null ? reshaped(linearBias, [-1]) : linearBias;
    const scores = reshaped(linear.impl(input, w, b), shape);
    const how = reductionOf(null, null, reduction);
    return crossEntropyOf(scores, target, weight, ignoreIndex ?? -100, how, labelSmoothing);
  },
);
