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

/** `F.binaryCrossEntropyWithLogits` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const binaryCrossEntropyWithLogits = fnOp(
  'binaryCrossEntropyWithLogits(Tensor input, Tensor target, Tensor? weight=None, Tensor? posWeight=None, any reduction=1)',
  (input: Tensor, target: Tensor, weight: Tensor | null, posWeight: Tensor | null, reduction: unknown): Tensor =>
    logitsLoss(input, target, weight, { posWeight, reduction: reductionOf(reduction) }),
);
/** `F.klDiv` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const klDiv = fnOp(
  'klDiv(Tensor input, Tensor target, any reduction=1, bool logTarget=False)',
  (input: Tensor, target: Tensor, reduction: unknown, logTarget: boolean): Tensor =>
    divergence(input, target, { reduction: reductionOf(reduction), logTarget }),
);
/** `F.poissonNllLoss` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const poissonNllLoss = fnOp(
  'poissonNllLoss(Tensor input, Tensor target, bool logInput, bool full, float eps, any reduction)',
  (input: Tensor, target: Tensor, logInput: boolean, full: boolean, eps: number, reduction: unknown): Tensor =>
    poissonLoss(input, target, { logInput, full, eps, reduction: reductionOf(reduction) }),
);
/** `F.cosineEmbeddingLoss` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const cosineEmbeddingLoss = fnOp(
  'cosineEmbeddingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, any reduction=1)',
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    cosineLoss(input1, input2, target, { margin, reduction: reductionOf(reduction) }),
);
/** `F.hingeEmbeddingLoss` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const hingeEmbeddingLoss = fnOp(
  'hingeEmbeddingLoss(Tensor input, Tensor target, float margin=1, any reduction=1)',
  (input: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    hingeLoss(input, target, { margin, reduction: reductionOf(reduction) }),
);
/** `F.marginRankingLoss` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
export const marginRankingLoss = fnOp(
  'marginRankingLoss(Tensor input1, Tensor input2, Tensor target, float margin=0, any reduction=1)',
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, reduction: unknown): Tensor =>
    rankingLoss(input1, input2, target, { margin, reduction: reductionOf(reduction) }),
);
/** `F.tripletMarginLoss` with the reduction as a number (0 none, 1 mean, 2 sum) or a name. */
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
