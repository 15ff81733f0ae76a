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

  constructor([margin, sizeAverage, reduce, reduction]: Margin) {
    super(sizeAverage, reduce, reduction);
    this.margin = margin;
  }
}

/** max(0, -t (x1 - x2) + margin): t = 1 wants x1 to be larger, -1 smaller. */
export class MarginRankingLoss extends MarginLoss {
  /** @param args margin (default 0), reduction ('mean'). */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('MarginRankingLoss', 0)(args));
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss.impl(input1, input2, target, this.margin, null, null, this.reduction);
  }
}

/** x where t = 1, max(0, margin - x) where t = -1. */
export class HingeEmbeddingLoss extends MarginLoss {
  /** @param args margin (default 1), reduction ('mean'). */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('HingeEmbeddingLoss', 1)(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss.impl(input, target, this.margin, null, null, this.reduction);
  }
}

/** 1 - cos(x1, x2) where t = 1, max(0, cos(x1, x2) - margin) where t = -1. */
export class CosineEmbeddingLoss extends MarginLoss {
  /** @param args margin (default 0), reduction ('mean'). */
  constructor(...args: MarginArgumentList) {
    super(marginSettings('CosineEmbeddingLoss', 0)(args));
  }

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss.impl(input1, input2, target, this.margin, null, null, this.reduction);
  }
}

/** For target classes up to the first -1 of a row: sum of max(0, 1 - (x_y - x_c)) over the others, by C: [N, C], [N, C]. */
export class MultiLabelMarginLoss extends Loss {
  /** @param args reduction (default 'mean'). */
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
/** The mean over other classes c of w_y max(0, margin - x_y + x_c)^p: [N, C], [N]. Buffer: `weight` [C]. */
export class MultiMarginLoss extends WeightedLoss {
  p: number;
  margin: number;
  /**
   * @param args p (1 by default, or 2), margin (1), weight (none), reduction ('mean').
   * @throws RuntimeError for another p or a weight that is no vector.
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
/** max(0, |a - p| - |a - n| + margin) (http://www.bmva.org/bmvc/2016/papers/paper119/). */
export class TripletMarginLoss extends Loss {
  margin: number;
  p: number;
  eps: number;
  swap: boolean;
  /**
   * @param args margin (default 1), p (2), eps (1e-6), swap (false), reduction ('mean').
   * @throws RuntimeError for a margin that is not positive.
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
/** As `TripletMarginLoss` with any distance. A distance that is a module is the submodule `distance_function`. */
export class TripletMarginWithDistanceLoss extends Loss {
  /** A module, which is registered, or any function of two tensors. */
  declare distance_function: Distance;
  margin: number;
  swap: boolean;
  /**
   * @param args distanceFunction (default a `PairwiseDistance`), margin (1), swap (false), reduction ('mean').
   * @throws RuntimeError for a margin that is not positive.
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
/** Connectionist temporal classification (Graves et al., 2006): log probabilities [T, N, C], targets [N, S] or 1-D. */
export class CTCLoss extends Loss {
  blank: number;
  zeroInfinity: boolean;
  /** @param args blank (default 0), reduction ('mean'), zeroInfinity (false). */
  constructor(...args: ArgumentsOf<typeof ctcSettings>) {
    const [blank, reduction, zeroInfinity] = ctcSettings(args);
    super(null, null, reduction);
    this.blank = blank;
    this.zeroInfinity = zeroInfinity;
  }

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
