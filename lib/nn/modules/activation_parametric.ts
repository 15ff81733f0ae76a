// Activations with settings or a parameter, and the softmax family.
import { RuntimeError } from '../../core/errors.js';
import * as ops from '../../ops/activation.js';
import * as soft from '../../ops/softmax.js';
import type { Tensor } from '../../tensor/tensor.js';
import { celu, elu, glu, hardtanh, implicitDim, leakyRelu, rrelu, threshold } from '../functional/activation.js';
import { constant_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { pyFloat, pyRepr, pyString } from '../printing.js';
import { warn } from '../warn.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

const inplaceText = (inplace: boolean): string => (inplace ? ', inplace=True' : '');

const thresholdSettings = settings<[threshold: number, value: number, inplace: boolean]>()(
  'Threshold(float threshold, float value, bool inplace=False)',
);
/** x where x > threshold, else value; elementwise, any shape. */
export class Threshold extends Module {
  threshold: number;
  value: number;
  inplace: boolean;
  /**
   * @param args threshold: what elements have to exceed; value: what the others become; inplace (default false): whether to
   *   overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof thresholdSettings>) {
    super();
    [this.threshold, this.value, this.inplace] = thresholdSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return threshold.impl(input, this.threshold, this.value, this.inplace);
  }
  override extraRepr(): string {
    return `threshold=${pyFloat(this.threshold)}, value=${pyFloat(this.value)}${inplaceText(this.inplace)}`;
  }
}

const rreluSettings = settings<[lower: number, upper: number, inplace: boolean]>()(
  'RReLU(float lower=0.125, float upper=0.3333333333333333, bool inplace=False)',
);
/**
 * Randomised leaky ReLU: x where x > 0, else a x, with a slope a for each element from U(lower, upper) in training and
 * a = (lower + upper) / 2 in evaluation (https://arxiv.org/abs/1505.00853). Elementwise, floating-point.
 */
export class RReLU extends Module {
  lower: number;
  upper: number;
  inplace: boolean;
  /**
   * @param args lower (default 1/8), upper (default 1/3): the slopes' range; inplace (default false):
   *   whether to overwrite the input.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError if lower is above upper.
   */
  constructor(...args: ArgumentsOf<typeof rreluSettings>) {
    super();
    [this.lower, this.upper, this.inplace] = rreluSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return rrelu.impl(input, this.lower, this.upper, this.training, this.inplace);
  }
  override extraRepr(): string {
    return `lower=${pyFloat(this.lower)}, upper=${pyFloat(this.upper)}${inplaceText(this.inplace)}`;
  }
}

const hardtanhSettings = settings<
  [minVal: number, maxVal: number, inplace: boolean, minValue: number | null, maxValue: number | null]
>()('Hardtanh(float minVal=-1, float maxVal=1, bool inplace=False, float? minValue=None, float? maxValue=None)');
/** x limited to [minVal, maxVal], elementwise, any shape. */
export class Hardtanh extends Module {
  minVal: number;
  maxVal: number;
  inplace: boolean;
  /**
   * @param args minVal (default -1), maxVal (default 1): the limits; inplace (default false): whether to overwrite the input;
   *   minValue, maxValue (default null): older names of the limits, which win, with a warning.
   * @throws TypeError for arguments that do not fit; RuntimeError unless maxVal is above minVal.
   */
  constructor(...args: ArgumentsOf<typeof hardtanhSettings>) {
    super();
    const [minVal, maxVal, inplace, minValue, maxValue] = hardtanhSettings(args);
    if (minValue !== null) warn('keyword argument `min_value` is deprecated and renamed to `min_val`');
    if (maxValue !== null) warn('keyword argument `max_value` is deprecated and renamed to `max_val`');
    this.minVal = minValue ?? minVal;
    this.maxVal = maxValue ?? maxVal;
    this.inplace = inplace;
    if (this.maxVal <= this.minVal) {
      throw new RuntimeError(
        `max_val (${pyFloat(this.maxVal)}) must be greater than min_val (${pyFloat(this.minVal)})`,
      );
    }
  }
  override forward(input: Tensor): Tensor {
    return hardtanh.impl(input, this.minVal, this.maxVal, this.inplace);
  }
  override extraRepr(): string {
    return `min_val=${pyFloat(this.minVal)}, max_val=${pyFloat(this.maxVal)}${inplaceText(this.inplace)}`;
  }
}

const relu6Settings = settings<[inplace: boolean]>()('ReLU6(bool inplace=False)');
/** x limited to [0, 6]: min(max(x, 0), 6), elementwise (Krizhevsky, 2010). */
export class ReLU6 extends Hardtanh {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof relu6Settings>) {
    super(0, 6, relu6Settings(args)[0]);
  }
  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

const alphaSettings = (name: string) =>
  settings<[alpha: number, inplace: boolean]>()(
    `${name}(float alpha=1, bool inplace=False)` as 'X(float alpha=1, bool inplace=False)',
  );
type AlphaArgumentList = ArgumentsOf<ReturnType<typeof alphaSettings>>;
/**
 * The exponential linear unit: x where x > 0, else alpha (exp(x) - 1); elementwise, floating-point
 * (https://arxiv.org/abs/1511.07289).
 */
export class ELU extends Module {
  alpha: number;
  inplace: boolean;
  /**
   * @param args alpha (default 1): minus the limit below; inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: AlphaArgumentList) {
    super();
    [this.alpha, this.inplace] = alphaSettings('ELU')(args);
  }
  override forward(input: Tensor): Tensor {
    return elu.impl(input, this.alpha, this.inplace);
  }
  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}${inplaceText(this.inplace)}`;
  }
}
/**
 * The exponential linear unit with a continuous slope: x where x > 0, else alpha (exp(x / alpha) - 1); elementwise,
 * floating-point (https://arxiv.org/abs/1704.07483).
 */
export class CELU extends Module {
  alpha: number;
  inplace: boolean;
  /**
   * @param args alpha (default 1, not 0): minus the limit below; inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for an alpha of 0.
   */
  constructor(...args: AlphaArgumentList) {
    super();
    [this.alpha, this.inplace] = alphaSettings('CELU')(args);
  }
  override forward(input: Tensor): Tensor {
    return celu.impl(input, this.alpha, this.inplace);
  }
  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}${inplaceText(this.inplace)}`;
  }
}

const leakySettings = settings<[negativeSlope: number, inplace: boolean]>()(
  'LeakyReLU(float negativeSlope=0.01, bool inplace=False)',
);
/** x where x > 0, else negativeSlope x; elementwise, floating-point. */
export class LeakyReLU extends Module {
  negativeSlope: number;
  inplace: boolean;
  /**
   * @param args negativeSlope (default 0.01): the slope below 0; inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof leakySettings>) {
    super();
    [this.negativeSlope, this.inplace] = leakySettings(args);
  }
  override forward(input: Tensor): Tensor {
    return leakyRelu.impl(input, this.negativeSlope, this.inplace);
  }
  override extraRepr(): string {
    return `negative_slope=${pyFloat(this.negativeSlope)}${inplaceText(this.inplace)}`;
  }
}

const gluSettings = settings<[dim: number]>()('GLU(int dim=-1)');
/**
 * The gated linear unit a sigmoid(b), where a and b are the first and the second half of a dimension
 * (https://arxiv.org/abs/1612.08083): [.., 2 n, ..] to [.., n, ..].
 */
export class GLU extends Module {
  dim: number;
  /**
   * @param args dim (default -1): the dimension that is halved.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for an odd size, RangeError for a dimension out
   *   of range.
   */
  constructor(...args: ArgumentsOf<typeof gluSettings>) {
    super();
    [this.dim] = gluSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return glu.impl(input, this.dim);
  }
  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

const geluSettings = settings<[approximate: string]>()("GELU(str approximate='none')");
/**
 * The Gaussian error linear unit x Phi(x), Phi the distribution function of N(0, 1); elementwise, floating-point
 * (https://arxiv.org/abs/1606.08415).
 */
export class GELU extends Module {
  approximate: string;
  /**
   * @param args approximate (default 'none'): 'tanh' computes x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another name.
   */
  constructor(...args: ArgumentsOf<typeof geluSettings>) {
    super();
    [this.approximate] = geluSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return ops.gelu.impl(input, this.approximate);
  }
  override extraRepr(): string {
    return `approximate=${pyString(this.approximate)}`;
  }
}

const lambdSettings = (name: string) => settings<[lambd: number]>()(`${name}(float lambd=0.5)` as 'X(float lambd=0.5)');
type LambdArgumentList = ArgumentsOf<ReturnType<typeof lambdSettings>>;
/** x where |x| > lambd, else 0; elementwise, floating-point. */
export class Hardshrink extends Module {
  lambd: number;
  /**
   * @param args lambd (default 0.5): the magnitude up to which elements become zero.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: LambdArgumentList) {
    super();
    [this.lambd] = lambdSettings('Hardshrink')(args);
  }
  override forward(input: Tensor): Tensor {
    return ops.hardshrink.impl(input, this.lambd);
  }
  override extraRepr(): string {
    return pyFloat(this.lambd);
  }
}
/** x moved towards 0 by lambd: x - lambd above lambd, x + lambd below -lambd, else 0; elementwise, floating-point. */
export class Softshrink extends Module {
  lambd: number;
  /**
   * @param args lambd (default 0.5), not negative.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for a negative lambd.
   */
  constructor(...args: LambdArgumentList) {
    super();
    [this.lambd] = lambdSettings('Softshrink')(args);
  }
  override forward(input: Tensor): Tensor {
    return ops.softshrink.impl(input, this.lambd);
  }
  override extraRepr(): string {
    return pyFloat(this.lambd);
  }
}

const softplusSettings = settings<[beta: number, threshold: number]>()('Softplus(float beta=1, float threshold=20)');
/**
 * A smooth ReLU, log(1 + exp(beta x)) / beta; x itself where beta x exceeds the threshold. Elementwise, floating-point.
 */
export class Softplus extends Module {
  beta: number;
  threshold: number;
  /**
   * @param args beta (default 1): how sharply it bends; threshold (default 20): from where on it is linear.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof softplusSettings>) {
    super();
    [this.beta, this.threshold] = softplusSettings(args);
  }
  override forward(input: Tensor): Tensor {
    return ops.softplus.impl(input, this.beta, this.threshold);
  }
  override extraRepr(): string {
    return `beta=${pyFloat(this.beta)}, threshold=${pyFloat(this.threshold)}`;
  }
}

const preluSettings = settings<[numParameters: number, init: number, device: DeviceSetting, dtype: DTypeSetting]>()(
  'PReLU(int numParameters=1, float init=0.25, Device? device=None, ScalarType? dtype=None)',
);
/**
 * The parametric ReLU: x where x > 0, else weight x, the slope being learned (https://arxiv.org/abs/1502.01852).
 * Input of any shape (floating-point) to the same; with several slopes it is [N, numParameters, ..].
 * Parameter: `weight` [numParameters], one slope for all or one for each channel (dimension 1).
 */
export class PReLU extends Module {
  numParameters: number;
  init: number;
  declare weight: Parameter;
  /**
   * @param args numParameters (default 1): how many slopes, 1 or the number of channels; init (default 0.25): their first value;
   *   device, dtype (default null: the default ones): of the parameter.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for another number of channels.
   */
  constructor(...args: ArgumentsOf<typeof preluSettings>) {
    super();
    const [n, init, device, dtype] = preluSettings(args);
    this.numParameters = n;
    this.init = init;
    this.weight = newParameter([n], device, dtype);
    this.resetParameters();
  }
  /** Sets all slopes to `init`. */
  resetParameters(): void {
    constant_(this.weight, this.init);
  }
  override forward(input: Tensor): Tensor {
    return ops.prelu.impl(input, this.weight);
  }
  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

const dimSettings = (name: string) => settings<[dim: number | null]>()(`${name}(int? dim=None)` as 'X(int? dim=None)');
type DimArgumentList = ArgumentsOf<ReturnType<typeof dimSettings>>;

/** What the softmax family shares: a dimension. Output of the input's shape; integers are refused. */
export abstract class SoftmaxBase extends Module {
  /** The dimension whose elements sum to one; null for PyTorch's older choice. */
  dim: number | null;
  /**
   * @param name the class, for error messages.
   * @param args the subclass's arguments: dim (default null).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    [this.dim] = dimSettings(name)(args);
  }
  override extraRepr(): string {
    return `dim=${pyRepr(this.dim)}`;
  }
}
/**
 * exp(x_i) / sum_j exp(x_j) along a dimension: elements from 0 to 1 that sum to one. Any shape to the same, floating-point.
 */
export class Softmax extends SoftmaxBase {
  /**
   * @param args dim (default null: 0 for inputs of 0, 1 and 3 dimensions, else 1, with a warning): the
   *   dimension that sums to one.
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a dimension out of range.
   */
  constructor(...args: DimArgumentList) {
    super('Softmax', args);
  }
  override forward(input: Tensor): Tensor {
    return soft.softmax.impl(input, this.dim ?? implicitDim('softmax', input.ndim), null);
  }
}
/** log(softmax(x)) along a dimension, computed as x_i - log(sum_j exp(x_j)). Any shape to the same, floating-point. */
export class LogSoftmax extends SoftmaxBase {
  /**
   * @param args dim (default null: 0 for inputs of 0, 1 and 3 dimensions, else 1, with a warning): the dimension of the softmax.
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a dimension out of range.
   */
  constructor(...args: DimArgumentList) {
    super('LogSoftmax', args);
  }
  override forward(input: Tensor): Tensor {
    return soft.logSoftmax.impl(input, this.dim ?? implicitDim('log_softmax', input.ndim), null);
  }
}
/** softmax(-x) along a dimension: small elements get much. Any shape to the same, floating-point. */
export class Softmin extends SoftmaxBase {
  /**
   * @param args dim (default null: 0 for inputs of 0, 1 and 3 dimensions, else 1, with a warning): the
   *   dimension that sums to one.
   * @throws TypeError for arguments that do not fit. The call throws RangeError for a dimension out of range.
   */
  constructor(...args: DimArgumentList) {
    super('Softmin', args);
  }
  override forward(input: Tensor): Tensor {
    return soft.softmax.impl(input.neg(), this.dim ?? implicitDim('softmin', input.ndim), null);
  }
}
/**
 * Softmax over the channels at every place: [N, C, H, W] or [C, H, W] to the same shape. The call throws RuntimeError for
 * other numbers of dimensions.
 */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    if (input.ndim !== 3 && input.ndim !== 4) {
      throw new RuntimeError(`Softmax2d: expected input to be 3D or 4D, got ${input.ndim}D instead`);
    }
    return soft.softmax.impl(input, -3, null);
  }
}
