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

/**
 * What losses share: how they are summed up. With 'none' a loss is one value per element (or per sample), with 'mean' and 'sum'
 * a 0-d tensor.
 */
export abstract class Loss extends Module {
  /** 'mean', 'sum' or 'none'; some losses have more. */
  reduction: string;

  /**
   * @param sizeAverage deprecated: null, or whether 'mean' stands for `reduction`, not 'sum'
   * @param reduce deprecated: null, or whether anything but 'none' does
   * @param reduction 'mean', 'sum' or 'none'
   * @throws RuntimeError at the call for another name.
   */
  constructor(sizeAverage: boolean | null, reduce: boolean | null, reduction: string) {
    super();
    this.reduction = sizeAverage === null && reduce === null ? reduction : reductionOf(sizeAverage, reduce, reduction);
  }

  /** @internal */
  get _reduction(): Reduction {
    return reductionOf(null, null, this.reduction);
  }
}

/** What losses with a weight share: the buffer `weight`, or null. */
export abstract class WeightedLoss extends Loss {
  declare weight: Tensor | null;

  /**
   * @param weight what the losses are multiplied by; null for ones
   * @param sizeAverage deprecated, as for `Loss`
   * @param reduce deprecated, as for `Loss`
   * @param reduction 'mean', 'sum' or 'none'
   */
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

/**
 * The absolute error |input - target|. Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class L1Loss extends Loss {
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default null), its
   *   deprecated form, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction
   *   and shapes that do not fit.
   */
  constructor(...args: PlainLossArgumentList) {
    super(...plainSettings('L1Loss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss.impl(input, target, null, null, this.reduction, null);
  }
}

/**
 * The squared error (input - target)^2. Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class MSELoss extends Loss {
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default null), its
   *   deprecated form, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction
   *   and shapes that do not fit.
   */
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
/**
 * With d = input - target: d^2 / (2 beta) where |d| < beta, else |d| - beta / 2 (https://arxiv.org/abs/1504.08083).
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class SmoothL1Loss extends Loss {
  beta: number;
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'); beta (default 1): where both pieces meet, 0 for `L1Loss`. sizeAverage
   *   and reduce (default null), the deprecated form of reduction, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for a negative beta.
   */
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
/**
 * With d = input - target: d^2 / 2 where |d| < delta, else delta (|d| - delta / 2) (Huber, 1964).
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class HuberLoss extends Loss {
  delta: number;
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'); delta (default 1): where both pieces meet.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for a delta that is not positive.
   */
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
/**
 * Minus the log probability of the target class: -weight[t] x[n, t].
 * Input log probabilities [N, C], [C] or [N, C, d1, ..] and target classes [N], [] or [N, d1, ..] to [] (target's shape with
 * reduction 'none'). 'mean' divides by the sum of the targets' weights. Buffer: `weight` [C] or null.
 */
export class NLLLoss extends WeightedLoss {
  ignoreIndex: number;
  /**
   * @param args weight (default null: ones): [C], one for each class; ignoreIndex (default -100): targets of this value do not
   *   count; reduction (default 'mean'; 'sum', 'none'). By position sizeAverage follows weight and reduce ignoreIndex: its
   *   deprecated form (default null).
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a class out of range, RuntimeError for shapes
   *   that do not fit.
   */
  constructor(...args: ArgumentsOf<ReturnType<typeof nllSettings>>) {
    const [weight, sizeAverage, ignoreIndex, reduce, reduction] = nllSettings('NLLLoss')(args);
    super(weight, sizeAverage, reduce, reduction);
    this.ignoreIndex = ignoreIndex;
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss.impl(input, target, this.weight, null, this.ignoreIndex, null, this.reduction);
  }
}
/** The older name of `NLLLoss` for images: [N, C, H, W] and [N, H, W]; arguments as there. */
export class NLLLoss2d extends NLLLoss {}

const crossSettings = settings<[...ClassArguments, labelSmoothing: number]>()(
  "CrossEntropyLoss(Tensor? weight=None, bool? sizeAverage=None, int ignoreIndex=-100, bool? reduce=None, str reduction='mean', float labelSmoothing=0)",
);
/**
 * The cross-entropy of unnormalised scores: -weight[t] log(exp(x_t) / sum_c exp(x_c)); for targets p that are probabilities
 * -sum_c weight_c p_c log(softmax(x)_c). Labels are smoothed as in https://arxiv.org/abs/1512.00567.
 * Input [N, C], [C] or [N, C, d1, ..] and target [N], [] or [N, d1, ..] of classes (int64), or probabilities of the input's
 * shape, to [] (without the class dimension with reduction 'none'). 'mean' divides by the sum of the targets' weights, or for
 * probabilities by their number. Buffer: `weight` [C] or null.
 */
export class CrossEntropyLoss extends WeightedLoss {
  ignoreIndex: number;
  labelSmoothing: number;
  /**
   * @param args weight (default null: ones): [C], one for each class; ignoreIndex (default -100): targets of this class do not
   *   count; reduction (default 'mean'; 'sum', 'none'); labelSmoothing (default 0, up to 1): how much of a target is spread over
   *   all classes. By position sizeAverage follows weight and reduce ignoreIndex: the deprecated form
   *   of reduction (default null).
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a class out of range, RuntimeError for shapes
   *   or settings that do not fit.
   */
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
/**
 * Binary cross-entropy of probabilities: -weight (t log x + (1 - t) log(1 - x)), the logarithms being at least -100.
 * Input and target of the same shape, any, within [0, 1], to [] (that shape with reduction 'none'). Buffer: `weight` or null.
 */
export class BCELoss extends WeightedLoss {
  /**
   * @param args weight (default null: ones): broadcasts to the input; reduction (default 'mean'; 'sum', 'none'). sizeAverage and
   *   reduce (default null), its deprecated form, come between them.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes that
   *   differ or an input outside [0, 1].
   */
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
/**
 * Binary cross-entropy of p = sigmoid(x), computed without rounding p: -weight (posWeight t log p + (1 - t) log(1 - p)).
 * Input and target of the same shape, any, to [] (that shape with reduction 'none'). Buffers: `weight`, `pos_weight`, or null.
 */
export class BCEWithLogitsLoss extends Loss {
  declare weight: Tensor | null;
  declare pos_weight: Tensor | null;
  /**
   * @param args weight (default null: ones): broadcasts to the input; reduction (default 'mean'; 'sum', 'none'); posWeight
   *   (default null: ones): how much a positive target counts, broadcasts to the input. By position sizeAverage and reduce
   *   (default null), the deprecated form of reduction, follow weight.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes that differ.
   */
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

/**
 * The mean over the classes of binary cross-entropy with logits:
 * -1 / C sum_c weight_c (t_c log sigmoid(x_c) + (1 - t_c) log sigmoid(-x_c)).
 * Input and target [N, C] (or [.., C]) to [] ([N] with reduction 'none'). Buffer: `weight` [C] or null.
 */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  /**
   * @param args weight (default null: ones): [C]; reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default
   *   null), its deprecated form, come between them.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for shapes that do not broadcast.
   */
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
/**
 * The Kullback-Leibler divergence from log probabilities x to a target distribution t: t (log t - x), elementwise; 0 where t is.
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class KLDivLoss extends Loss {
  logTarget: boolean;
  /**
   * @param args reduction (default 'mean': by all elements, with a warning; 'batchmean': the sum by the first size, which is the
   *   divergence; 'sum', 'none'); logTarget (default false): whether the target holds logarithms. sizeAverage and reduce (default
   *   null), the deprecated form of reduction, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction
   *   and shapes that do not fit.
   */
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
/**
 * The negative log likelihood of a Poisson distribution: exp(x) - t x, or x - t log(x + eps) without `logInput`.
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class PoissonNLLLoss extends Loss {
  logInput: boolean;
  full: boolean;
  eps: number;
  /**
   * @param args logInput (default true): whether the input is the logarithm of the rate; full (default false): adds Stirling's
   *   t log t - t + log(2 pi t) / 2 for targets above 1; eps (default 1e-8); reduction (default 'mean'; 'sum', 'none'). By
   *   position sizeAverage follows full and reduce eps: the deprecated form of reduction (default null).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction.
   */
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
/**
 * The negative log likelihood of a normal distribution: (log v + (x - t)^2 / v) / 2, v = max(variance, eps).
 * Input (the mean) and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class GaussianNLLLoss extends Loss {
  full: boolean;
  eps: number;
  /**
   * @param args full (default false): adds log(2 pi) / 2; eps (default 1e-6): the least variance; reduction (default 'mean';
   *   'sum', 'none').
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof gaussianSettings>) {
    const [full, eps, reduction] = gaussianSettings(args);
    super(null, null, reduction);
    this.full = full;
    this.eps = eps;
  }

  /**
   * @param input the expected values, [N, ..]
   * @param target of input's shape
   * @param variance a number, or a tensor of input's shape, without its last dimension, or with one of size one
   * @returns [], or input's shape with reduction 'none'
   * @throws RuntimeError for a negative variance, one of another shape, or another reduction.
   */
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return gaussianNllLoss.impl(input, target, variance, this.full, this.eps, this.reduction);
  }
}

/**
 * log(1 + exp(-t x)), elementwise, for targets t of 1 or -1.
 * Input and target of the same shape, any, to [] (that shape with reduction 'none').
 */
export class SoftMarginLoss extends Loss {
  /**
   * @param args reduction (default 'mean'; 'sum', 'none'). sizeAverage and reduce (default null), its
   *   deprecated form, come first.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another reduction
   *   and shapes that do not fit.
   */
  constructor(...args: PlainLossArgumentList) {
    super(...plainSettings('SoftMarginLoss')(args));
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss.impl(input, target, null, null, this.reduction);
  }
}
