// Losses with a margin, of sequences, and of hierarchies of classes.
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ctcLoss } from '../functional/ctc.js';
import {
  cosineEmbeddingLoss,
  type Distance,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../functional/loss_margin.js';
import { type ArgumentsOf, settings } from './arguments.js';
import { PairwiseDistance } from './shape.js';
import { Loss, type PlainLossArgumentList, plainLossSettings, WeightedLoss } from './loss.js';

type Margin = [margin: number, sizeAverage: boolean | null, reduce: boolean | null, reduction: string];
const marginSettings = (name: string, margin: 0 | 1) =>
  settings<Margin>()(
    `${name}(float margin=${margin}, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')` as "Loss(float margin=0, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  );
type MarginArgumentList = ArgumentsOf<ReturnType<typeof marginSettings>>;

/** What losses with a margin share. */
export abstract class MarginLoss extends Loss {
  margin: number;

  /** @param settings margin, sizeAverage, reduce and reduction, all of them */
  constructor([margin, sizeAverage, reduce, reduction]: Margin) {
    super(sizeAverage, reduce, reduction);
    this.margin = margin;
  }
}

/**
 * max(0, -t (x1 - x2) + margin), elementwise: t = 1 wants x1 to be larger, t = -1 smaller.
 * Inputs and target of as many dimensions, which broadcast, to [] (their shape with reduction 'none').
 */
export class MarginRankingLoss extends MarginLoss {
  /**
   * @param args margin (default 0): by how much; reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default
   *   null), its deprecated form, come between them.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for different numbers of dimensions.
   */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('MarginRankingLoss', 0)(args));
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss.impl(input1, input2, target, this.margin, null, null, this.reduction);
  }
}

/**
 * For distances x: x where t = 1, max(0, margin - x) where t = -1, elementwise.
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class HingeEmbeddingLoss extends MarginLoss {
  /**
   * @param args margin (default 1): the distance that is far enough; reduction (default 'mean'; 'sum', 'none'). sizeAverage and
   *   reduce (default null), its deprecated form, come between them.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction
   *   and shapes that do not fit.
   */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('HingeEmbeddingLoss', 1)(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss.impl(input, target, this.margin, null, null, this.reduction);
  }
}

/**
 * 1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1.
 * Inputs [N, D] (or [D]) and target [N] (or []) to [] (target's shape with reduction 'none').
 */
export class CosineEmbeddingLoss extends MarginLoss {
  /**
   * @param args margin (default 0): the cosine from which on different vectors are too alike; reduction (default 'mean'; 'sum',
   *   'none'). sizeAverage and reduce (default null), its deprecated form, come between them.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for other numbers of dimensions.
   */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('CosineEmbeddingLoss', 0)(args));
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss.impl(input1, input2, target, this.margin, null, null, this.reduction);
  }
}

/**
 * For target classes y (a row up to its first -1): the sum over them and over all classes c that are none of them of
 * max(0, 1 - (x_y - x_c)), by C. Input and target [N, C] (or [C]), target int64, to [] ([N] or [] with reduction 'none').
 */
export class MultiLabelMarginLoss extends Loss {
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default null), its
   *   deprecated form, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes that differ, RangeError for a class
   *   out of range.
   */
  constructor(...args: PlainLossArgumentList) {
    super(...plainLossSettings('MultiLabelMarginLoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss.impl(input, target, null, null, this.reduction);
  }
}

const multiMarginSettings = settings<
  [
    p: number,
    margin: number,
    weight: Tensor | null,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ]
>()(
  "MultiMarginLoss(int p=1, float margin=1, Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
);
/**
 * For a target class y: 1 / C sum over c != y of weight_y max(0, margin - x_y + x_c)^p.
 * Input [N, C] (or [C]) and target [N] (or []), int64, to [] (target's shape with reduction 'none').
 * Buffer: `weight` [C] or null.
 */
export class MultiMarginLoss extends WeightedLoss {
  p: number;
  margin: number;
  /**
   * @param args p (default 1, or 2); margin (default 1); weight (default null: ones): [C]; reduction (default 'mean'; 'sum',
   *   'none'). By position sizeAverage and reduce (default null), its deprecated form, come before it.
   * @throws RuntimeError for another p or a weight that is no vector; TypeError for arguments that do not fit. The call throws
   *   RuntimeError for shapes that do not fit, RangeError for a class out of range.
   */
  constructor(...args: ArgumentsOf<typeof multiMarginSettings>) {
    const [p, margin, weight, sizeAverage, reduce, reduction] = multiMarginSettings(args);
    super(weight, sizeAverage, reduce, reduction);
    if (p !== 1 && p !== 2) throw new RuntimeError('only p == 1 and p == 2 supported');
    if (weight !== null && weight.ndim !== 1) {
      throw new RuntimeError(`MultiMarginLoss: expected weight to be None or 1D tensor, got ${weight.ndim}D instead`);
    }
    this.p = p;
    this.margin = margin;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss.impl(input, target, this.p, this.margin, this.weight, null, null, this.reduction);
  }
}

const tripletSettings = settings<
  [
    margin: number,
    p: number,
    eps: number,
    swap: boolean,
    sizeAverage: boolean | null,
    reduce: boolean | null,
    reduction: string,
  ]
>()(
  "TripletMarginLoss(float margin=1, float p=2, float eps=1e-06, bool swap=False, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
);
/**
 * max(0, d(a, p) - d(a, n) + margin), d being the distance of `PairwiseDistance`: the anchor shall be nearer to the positive than
 * to the negative example (http://www.bmva.org/bmvc/2016/papers/paper119/).
 * Inputs [N, D] (or [D]) to [] ([N] or [] with reduction 'none').
 */
export class TripletMarginLoss extends Loss {
  margin: number;
  p: number;
  eps: number;
  swap: boolean;
  /**
   * @param args margin (default 1); p (default 2): the norm; eps (default 1e-6): added to the differences; swap (default false):
   *   whether d(p, n) counts where it is smaller than d(a, n); reduction (default 'mean'; 'sum', 'none'). By position sizeAverage
   *   and reduce (default null), its deprecated form, come before it.
   * @throws RuntimeError for a margin that is not positive; TypeError for arguments that do not fit. The call throws RuntimeError
   *   for different numbers of dimensions.
   */
  constructor(...args: ArgumentsOf<typeof tripletSettings>) {
    const [margin, p, eps, swap, sizeAverage, reduce, reduction] = tripletSettings(args);
    super(sizeAverage, reduce, reduction);
    if (margin <= 0) {
      throw new RuntimeError(`TripletMarginLoss: expected margin to be greater than 0, got ${margin} instead`);
    }
    this.margin = margin;
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss.impl(anchor, positive, negative, margin, p, eps, swap, null, null, reduction);
  }
}

const distanceSettings = settings<
  [distanceFunction: Distance | null, margin: number, swap: boolean, reduction: string]
>()(
  "TripletMarginWithDistanceLoss(function? distanceFunction=None, float margin=1, bool swap=False, str reduction='mean')",
);
/**
 * As `TripletMarginLoss`, max(0, d(a, p) - d(a, n) + margin), with any distance d.
 * Inputs [N, D] or what d takes, to [] (d's shape with reduction 'none'). A distance that is a module is the submodule
 * `distance_function`.
 */
export class TripletMarginWithDistanceLoss extends Loss {
  /** A module, which is registered, or any function of two tensors. */
  declare distance_function: Distance;
  margin: number;
  swap: boolean;
  /**
   * @param args distanceFunction (default null: a `PairwiseDistance`): takes two inputs; margin (default 1); swap (default
   *   false): whether d(p, n) counts where it is smaller than d(a, n); reduction (default 'mean'; 'sum', 'none').
   * @throws RuntimeError for a margin that is not positive; TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof distanceSettings>) {
    const [distance, margin, swap, reduction] = distanceSettings(args);
    super(null, null, reduction);
    if (margin <= 0) {
      throw new RuntimeError(
        `TripletMarginWithDistanceLoss: expected margin to be greater than 0, got ${margin} instead`,
      );
    }
    this.distance_function = distance ?? (new PairwiseDistance() as Distance);
    this.margin = margin;
    this.swap = swap;
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distance_function: distance, margin, swap, reduction } = this;
    return tripletMarginWithDistanceLoss.impl(anchor, positive, negative, distance, margin, swap, reduction);
  }
}

const ctcSettings = settings<[blank: number, reduction: string, zeroInfinity: boolean]>()(
  "CTCLoss(int blank=0, str reduction='mean', bool zeroInfinity=False)",
);
/**
 * Connectionist temporal classification (Graves et al., 2006): minus the log probability of a sequence of labels, summed over
 * all its alignments to the time steps, which may repeat labels and have blanks between them.
 * To [] ([N] or [] with reduction 'none'); 'mean' divides each loss by its target's length first.
 */
export class CTCLoss extends Loss {
  blank: number;
  zeroInfinity: boolean;
  /**
   * @param args blank (default 0): the class that stands for no label; reduction (default 'mean'; 'sum', 'none'); zeroInfinity
   *   (default false): whether infinite losses (targets that are too long) and their gradients become zero.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof ctcSettings>) {
    const [blank, reduction, zeroInfinity] = ctcSettings(args);
    super(null, null, reduction);
    this.blank = blank;
    this.zeroInfinity = zeroInfinity;
  }

  /**
   * @param logProbs [T, N, C] or [T, C]: log probabilities of the classes at each time
   * @param targets [N, S], or 1-D: the labels of all sequences one after the other; integers
   * @param inputLengths [N], at most T: a tensor, an array, or a number for one sequence
   * @param targetLengths [N]: likewise
   * @returns [], or [N] ([] without a batch) with reduction 'none'
   * @throws RuntimeError for sizes, lengths or labels that do not fit.
   */
  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[] | number,
    targetLengths: Tensor | readonly number[] | number,
  ): Tensor {
    const { blank, reduction, zeroInfinity } = this;
    return ctcLoss.impl(logProbs, targets, inputLengths, targetLengths, blank, reduction, zeroInfinity);
  }
}
