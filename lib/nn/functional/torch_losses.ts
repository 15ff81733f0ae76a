// Losses as functions of `torch`: those of torch.nn.functional with shorter argument lists, in which the reduction may
// also be PyTorch's number for it.
import { inWords, RuntimeError } from '../../core/errors.js';
import { fnOp } from '../../ops/define.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  binaryCrossEntropyWithLogits as logitsLoss,
  klDiv as divergence,
  poissonNllLoss as poissonLoss,
} from './loss_binary.js';
import {
  cosineEmbeddingLoss as cosineLoss,
  hingeEmbeddingLoss as hingeLoss,
  marginRankingLoss as rankingLoss,
  tripletMarginLoss as tripletLoss,
} from './loss_margin.js';

const REDUCTIONS = ['none', 'mean', 'sum'];
/** 'none', 'mean' or 'sum' for 0, 1 or 2. */
function reductionOf(given: unknown): string {
  const name = typeof given === 'number' ? REDUCTIONS[given] : given;
  if (typeof name !== 'string') throw new RuntimeError(`${inWords(given)} is not a valid value for reduction`);
  return name;
}

/**
 * `F.binaryCrossEntropyWithLogits`, -weight (posWeight t log sigmoid(x) + (1 - t) log(1 - sigmoid(x))),
 * with another order of arguments.
 * @param input any shape, floating-point: logits
 * @param target of the same shape, from 0 to 1
 * @param weight broadcasts to them (default null: ones)
 * @param posWeight how much a positive target counts; broadcasts to them (default null: ones)
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for shapes that differ or another reduction
 */
export const binaryCrossEntropyWithLogits = fnOp(
  'binaryCrossEntropyWithLogits(Tensor input, Tensor target, Tensor? weight=None, Tensor? posWeight=None, any reduction=1)',
  (input: Tensor, target: Tensor, weight: Tensor | null, posWeight: Tensor | null, reduction: unknown): Tensor =>
    logitsLoss(input, target, weight, { posWeight, reduction: reductionOf(reduction) }),
);
/**
 * `F.klDiv`, t (log t - x), elementwise, without its deprecated arguments.
 * @param input any shape, floating-point: log probabilities
 * @param target of the same shape: probabilities
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name, or 'batchmean'
 * @param logTarget whether the target holds logarithms (default false)
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const klDiv = fnOp(
  'klDiv(Tensor input, Tensor target, any reduction=1, bool logTarget=False)',
  (input: Tensor, target: Tensor, reduction: unknown, logTarget: boolean): Tensor =>
    divergence(input, target, { reduction: reductionOf(reduction), logTarget }),
);
/**
 * `F.poissonNllLoss`, exp(x) - t x or x - t log(x + eps), with all arguments given.
 * @param input any shape, floating-point: the rate, or its logarithm
 * @param target of the same shape: counts
 * @param logInput whether the input is a logarithm
 * @param full whether Stirling's approximation of log t! is added for targets above 1
 * @param eps keeps the logarithm finite
 * @param reduction 0 'none', 1 'mean' or 2 'sum', as a number or a name
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const poissonNllLoss = fnOp(
  'poissonNllLoss(Tensor input, Tensor target, bool logInput, bool full, float eps, any reduction)',
  (input: Tensor, target: Tensor, logInput: boolean, full: boolean, eps: number, reduction: unknown): Tensor =>
    poissonLoss(input, target, { logInput, full, eps, reduction: reductionOf(reduction) }),
);
/**
 * `F.cosineEmbeddingLoss`: 1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1.
 * @param input1 [N, D] or [D], floating-point
 * @param input2 of the same shape
 * @param target [N] or []: 1 or -1
 * @param margin the cosine from which on different vectors are too alike (default 0)
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name
 * @returns [], or target's shape with 'none'
 * @throws RuntimeError for other numbers of dimensions or another reduction
 */
export const cosineEmbeddingLoss = fnOp(
  'cosineEmbeddingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, any reduction=1)',
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    cosineLoss(input1, input2, target, { margin, reduction: reductionOf(reduction) }),
);
/**
 * `F.hingeEmbeddingLoss`: x where t = 1, max(0, margin - x) where t = -1, elementwise.
 * @param input any shape, floating-point: distances
 * @param target of the same shape: 1 or -1
 * @param margin the distance that is far enough (default 1)
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name
 * @returns [], or input's shape with 'none'
 * @throws RuntimeError for sizes that do not broadcast or another reduction
 */
export const hingeEmbeddingLoss = fnOp(
  'hingeEmbeddingLoss(Tensor input, Tensor target, float margin=1, any reduction=1)',
  (input: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    hingeLoss(input, target, { margin, reduction: reductionOf(reduction) }),
);
/**
 * `F.marginRankingLoss`: max(0, -t (x1 - x2) + margin), elementwise.
 * @param input1 any shape, floating-point
 * @param input2 of as many dimensions, broadcast
 * @param target 1 or -1, of as many dimensions, broadcast
 * @param margin by how much (default 0)
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name
 * @returns [], or the common shape with 'none'
 * @throws RuntimeError for different numbers of dimensions or another reduction
 */
export const marginRankingLoss = fnOp(
  'marginRankingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, any reduction=1)',
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    rankingLoss(input1, input2, target, { margin, reduction: reductionOf(reduction) }),
);
/**
 * `F.tripletMarginLoss`: max(0, d(a, p) - d(a, n) + margin), d being `pairwiseDistance`.
 * @param anchor [N, D] or [D], floating-point
 * @param positive [N, D] or [D]
 * @param negative [N, D] or [D]
 * @param margin default 1, positive
 * @param p the norm (default 2)
 * @param eps added to the differences (default 1e-6)
 * @param swap whether d(p, n) counts where it is smaller than d(a, n) (default false)
 * @param reduction 0 'none', 1 'mean' (default) or 2 'sum', as a number or a name
 * @returns [], or [N] ([] for [D]) with 'none'
 * @throws RuntimeError for a margin that is not positive, different numbers of dimensions or another reduction
 */
export const tripletMarginLoss = fnOp(
  'tripletMarginLoss(Tensor anchor, Tensor positive, Tensor negative, float margin=1, float p=2, float eps=1e-06, bool swap=False, any reduction=1)',
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: number,
    p: number,
    eps: number,
    swap: boolean,
    reduction: unknown,
  ): Tensor => tripletLoss(anchor, positive, negative, { margin, p, eps, swap, reduction: reductionOf(reduction) }),
);
