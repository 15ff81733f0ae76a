// Losses of the difference of two tensors and of distributions.
import type { Tensor } from '../../tensor/tensor.js';
import {
  bceWithLogitsOf,
  binaryCrossEntropy,
  gaussianNllLoss,
  klDiv,
  multilabelSoftMarginLoss,
  poissonNllLoss,
  softMarginLoss,
} from '../functional/loss_binary.js';
import { crossEntropyOf, nllLoss } from '../functional/loss_class.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../functional/loss_difference.js';
import { reductionOf, type Reduction } from '../functional/reduction.js';
import { Module } from '../module.js';
import { type ArgumentsOf, settings } from './arguments.js';

/** What losses share: how they are summed up. */
export abstract class Loss extends Module {
  /** 'mean', 'sum' or 'none'; some losses have more. */
  reduction: string;

  /** `sizeAverage` and `reduce` are the older form of `reduction`. */
  constructor(sizeAverage: boolean | null, reduce: boolean | null, reduction: string) {
    super();
    this.reduction = sizeAverage === null && reduce === null ? reduction : reductionOf(sizeAverage, reduce, reduction);
  }

  /** @internal */
  get _reduction(): Reduction {
    return reductionOf(null, null, this.reduction);
  }
}

/** What losses with a weight share: the buffer `weight`. */
export abstract class WeightedLoss extends Loss {
  declare weight: Tensor | null;

  constructor(weight: Tensor | null, sizeAverage: boolean | null, reduce: boolean | null, reduction: string) {
    super(sizeAverage, reduce, reduction);
    this.registerBuffer('weight', weight);
  }
}

type Older = [sizeAverage: boolean | null, reduce: boolean | null, reduction: string];
const plainSettings = (name: string) =>
  settings<Older>()(
    `${name}(bool? sizeAverage=None, bool? reduce=None, str reduction='mean')` as "Loss(bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  );
export type PlainLossArgumentList = ArgumentsOf<ReturnType<typeof plainSettings>>;
export { plainSettings as plainLossSettings };

/** |input - target|. */
export class L1Loss extends Loss {
  /** @param args reduction ('mean' by default, 'sum' or 'none'); sizeAverage and reduce, its older form, come first. */
  constructor(...args: PlainLossArgumentList) {
    super(...plainSettings('L1Loss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss.impl(input, target, null, null, this.reduction, null);
  }
}

/** (input - target)^2. */
export class MSELoss extends Loss {
  /** @param args reduction ('mean' by default, 'sum' or 'none'); sizeAverage and reduce, its older form, come first. */
  constructor(...args: PlainLossArgumentList) {
    super(...plainSettings('MSELoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss.impl(input, target, null, null, this.reduction, null);
  }
}

const smoothSettings = settings<[...Older, beta: number]>()(
  "SmoothL1Loss(bool? sizeAverage=None, bool? reduce=None, str reduction='mean', float beta=1)",
);
/** d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (https://arxiv.org/abs/1504.08083). */
export class SmoothL1Loss extends Loss {
  beta: number;
  /** @param args reduction (default 'mean'), beta (1). */
  constructor(...args: ArgumentsOf<typeof smoothSettings>) {
    const [sizeAverage, reduce, reduction, beta] = smoothSettings(args);
    super(sizeAverage, reduce, reduction);
    this.beta = beta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss.impl(input, target, null, null, this.reduction, this.beta);
  }
}

const huberSettings = settings<[reduction: string, delta: number]>()("HuberLoss(str reduction='mean', float delta=1)");
/** d^2 / 2 where |d| < delta, else delta (|d| - delta / 2) (Huber, 1964). */
export class HuberLoss extends Loss {
  delta: number;
  /** @param args reduction (default 'mean'), delta (1). */
  constructor(...args: ArgumentsOf<typeof huberSettings>) {
    const [reduction, delta] = huberSettings(args);
    super(null, null, reduction);
    this.delta = delta;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss.impl(input, target, this.reduction, this.delta, null);
  }
}

type ClassArguments = [
  weight: Tensor | null,
  sizeAverage: boolean | null,
  ignoreIndex: number,
  reduce: boolean | null,
  reduction: string,
];
const nllSettings = (name: string) =>
  settings<ClassArguments>()(
    `${name}(Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean')` as "Loss(Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean')",
  );
/** Minus the log probability of the target class: [N, C, ..], [N, ..]. Buffer: `weight` [C]. */
export class NLLLoss extends WeightedLoss {
  ignoreIndex: number;
  /** @param args weight (default none), ignoreIndex (-100), reduction ('mean'). */
  constructor(...args: ArgumentsOf<ReturnType<typeof nllSettings>>) {
    const [weight, sizeAverage, ignoreIndex, reduce, reduction] = nllSettings('NLLLoss')(args);
    super(weight, sizeAverage, reduce, reduction);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss.impl(input, target, this.weight, null, this.ignoreIndex, null, this.reduction);
  }
}
/** The older name of `NLLLoss` for images. */
export class NLLLoss2d extends NLLLoss {}

const crossSettings = settings<[...ClassArguments, labelSmoothing: number]>()(
  "CrossEntropyLoss(Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean', float labelSmoothing=0)",
);
/**
 * The cross-entropy of unnormalised scores [N, C, ..] (or [C]).
 * Targets are classes [N, ..] (or []), or probabilities of the scores' sizes. Buffer: `weight` [C].
 */
export class CrossEntropyLoss extends WeightedLoss {
  ignoreIndex: number;
  labelSmoothing: number;
  /** @param args weight (default none), ignoreIndex (-100), reduction ('mean'), labelSmoothing (0). */
  constructor(...args: ArgumentsOf<typeof crossSettings>) {
    const [weight, sizeAverage, ignoreIndex, reduce, reduction, labelSmoothing] = crossSettings(args);
    super(weight, sizeAverage, reduce, reduction);
    this.ignoreIndex = ignoreIndex;
    this.labelSmoothing = labelSmoothing;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropyOf(input, target, this.weight, this.ignoreIndex, this._reduction, this.labelSmoothing);
  }
}

type WeightArguments = [weight: Tensor | null, sizeAverage: boolean | null, reduce: boolean | null, reduction: string];
const weightSettings = (name: string) =>
  settings<WeightArguments>()(
    `${name}(Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')` as "Loss(Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean')",
  );
type WeightArgumentList = ArgumentsOf<ReturnType<typeof weightSettings>>;
/** Binary cross-entropy of probabilities: -(t log x + (1 - t) log(1 - x)). Buffer: `weight`. */
export class BCELoss extends WeightedLoss {
  /** @param args weight (default none), reduction ('mean'). */
  constructor(...args: WeightArgumentList) {
    super(...weightSettings('BCELoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy.impl(input, target, this.weight, null, null, this.reduction);
  }
}

const logitsSettings = settings<[...WeightArguments, posWeight: Tensor | null]>()(
  "BCEWithLogitsLoss(Tensor? weight=None, bool? sizeAverage=None, bool? reduce=None, str reduction='mean', Tensor? posWeight=None)",
);
/** Binary cross-entropy of sigmoid(x). Buffers: `weight`, `pos_weight`. */
export class BCEWithLogitsLoss extends Loss {
  declare weight: Tensor | null;
  declare pos_weight: Tensor | null;
  /** @param args weight (default none), reduction ('mean'), posWeight (none): how much a positive target counts. */
  constructor(...args: ArgumentsOf<typeof logitsSettings>) {
    const [weight, sizeAverage, reduce, reduction, posWeight] = logitsSettings(args);
    super(sizeAverage, reduce, reduction);
    this.registerBuffer('weight', weight);
    this.registerBuffer('pos_weight', posWeight);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return bceWithLogitsOf(input, target, this.weight, this.pos_weight, this._reduction);
  }
}

/** The mean over the classes of binary cross-entropy with logits: [N, C], [N, C]. Buffer: `weight` [C]. */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  /** @param args weight (default none), reduction ('mean'). */
  constructor(...args: WeightArgumentList) {
    super(...weightSettings('MultiLabelSoftMarginLoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss.impl(input, target, this.weight, null, null, this.reduction);
  }
}

const klSettings = settings<[...Older, logTarget: boolean]>()(
  "KLDivLoss(bool? sizeAverage=None, bool? reduce=None, str reduction='mean', bool logTarget=False)",
);
/** The Kullback-Leibler divergence t (log t - x) of log probabilities x. */
export class KLDivLoss extends Loss {
  logTarget: boolean;
  /** @param args reduction ('mean' by default, 'batchmean', 'sum' or 'none'), logTarget (false). */
  constructor(...args: ArgumentsOf<typeof klSettings>) {
    const [sizeAverage, reduce, reduction, logTarget] = klSettings(args);
    super(sizeAverage, reduce, reduction);
    this.logTarget = logTarget;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return klDiv.impl(input, target, null, null, this.reduction, this.logTarget);
  }
}

const poissonSettings = settings<
  [
    logInput: boolean,
    full: boolean,
    sizeAverage: boolean | null,
    eps: number,
    reduce: boolean | null,
    reduction: string,
  ]
>()(
  "PoissonNLLLoss(bool logInput=True, bool full=False, bool? sizeAverage=None, float eps=1e-08, bool? reduce=None, str reduction='mean')",
);
/** Poisson negative log likelihood: exp(x) - t x, or x - t log(x + eps). */
export class PoissonNLLLoss extends Loss {
  logInput: boolean;
  full: boolean;
  eps: number;
  /** @param args logInput (default true), full (false), eps (1e-8), reduction ('mean'). */
  constructor(...args: ArgumentsOf<typeof poissonSettings>) {
    const [logInput, full, sizeAverage, eps, reduce, reduction] = poissonSettings(args);
    super(sizeAverage, reduce, reduction);
    this.logInput = logInput;
    this.full = full;
    this.eps = eps;
  }

  override forward(logInput: Tensor, target: Tensor): Tensor {
    return poissonNllLoss.impl(logInput, target, this.logInput, this.full, null, this.eps, null, this.reduction);
  }
}

const gaussianSettings = settings<[full: boolean, eps: number, reduction: string]>()(
  "GaussianNLLLoss(bool full=False, float eps=1e-06, str reduction='mean')",
);
/** Gaussian negative log likelihood: (log v + (x - t)^2 / v) / 2. */
export class GaussianNLLLoss extends Loss {
  full: boolean;
  eps: number;
  /** @param args full (default false), eps (1e-6), reduction ('mean'). */
  constructor(...args: ArgumentsOf<typeof gaussianSettings>) {
    const [full, eps, reduction] = gaussianSettings(args);
    super(null, null, reduction);
    this.full = full;
    this.eps = eps;
  }

  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return gaussianNllLoss.impl(input, target, variance, this.full, this.eps, this.reduction);
  }
}

/** log(1 + exp(-t x)); targets are 1 or -1. */
export class SoftMarginLoss extends Loss {
  /** @param args reduction (default 'mean'). */
  constructor(...args: PlainLossArgumentList) {
    super(...plainSettings('SoftMarginLoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss.impl(input, target, null, null, this.reduction);
  }
}
