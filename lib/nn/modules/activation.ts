// Activations without parameters beside `inplace`.
import * as ops from '../../ops/activation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hardsigmoid, hardswish, mish, relu, selu, silu } from '../functional/activation.js';
import { Module } from '../module.js';
import { type ArgumentsOf, settings } from './arguments.js';

const inplaceSettings = (name: string) =>
  settings<[inplace: boolean]>()(`${name}(bool inplace=False)` as 'X(bool inplace=False)');
type InplaceArgumentList = ArgumentsOf<ReturnType<typeof inplaceSettings>>;

/** What activations that may overwrite their input share. Input and output have the same shape, which may be any. */
export abstract class InplaceActivation extends Module {
  inplace: boolean;

  /**
   * @param name the class, for error messages.
   * @param args the subclass's arguments: inplace (default false).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    this.inplace = inplaceSettings(name)(args)[0];
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** The rectifier max(x, 0), elementwise: any shape to the same, of any real type. */
export class ReLU extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('ReLU', args);
  }

  override forward(input: Tensor): Tensor {
    return this.inplace ? relu.impl(input, true) : ops.relu.impl(input);
  }
}

/**
 * The self-normalising exponential unit (https://arxiv.org/abs/1706.02515), elementwise, floating-point:
 * scale (max(x, 0) + min(0, alpha (exp(x) - 1))) with alpha = 1.67326.., scale = 1.05070...
 */
export class SELU extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('SELU', args);
  }

  override forward(input: Tensor): Tensor {
    return selu.impl(input, this.inplace);
  }
}

/**
 * The sigmoid-weighted linear unit x sigmoid(x), or swish (https://arxiv.org/abs/1606.08415, https://arxiv.org/abs/1710.05941),
 * elementwise, floating-point.
 */
export class SiLU extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('SiLU', args);
  }

  override forward(input: Tensor): Tensor {
    return silu.impl(input, this.inplace);
  }
}

/** x tanh(softplus(x)), elementwise, floating-point (https://arxiv.org/abs/1908.08681). */
export class Mish extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('Mish', args);
  }

  override forward(input: Tensor): Tensor {
    return mish.impl(input, this.inplace);
  }
}

/** x relu6(x + 3) / 6, elementwise, floating-point: swish of straight lines (https://arxiv.org/abs/1905.02244). */
export class Hardswish extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('Hardswish', args);
  }

  override forward(input: Tensor): Tensor {
    return hardswish.impl(input, this.inplace);
  }

  // PyTorch prints nothing here.
  override extraRepr(): string {
    return '';
  }
}

/** relu6(x + 3) / 6, elementwise, floating-point: a sigmoid of straight lines, 0 below -3 and 1 above 3. */
export class Hardsigmoid extends InplaceActivation {
  /**
   * @param args inplace (default false): whether to overwrite the input.
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: InplaceArgumentList) {
    super('Hardsigmoid', args);
  }

  override forward(input: Tensor): Tensor {
    return hardsigmoid.impl(input, this.inplace);
  }

  // PyTorch prints nothing here.
  override extraRepr(): string {
    return '';
  }
}

/** The logistic function 1 / (1 + exp(-x)), elementwise; integers and bool give floats. */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return ops.sigmoid.impl(input);
  }
}

/** The hyperbolic tangent (exp(x) - exp(-x)) / (exp(x) + exp(-x)), elementwise; integers and bool give floats. */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return ops.tanh.impl(input);
  }
}

/** log(1 / (1 + exp(-x))) without overflow, elementwise, floating-point. */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return ops.logSigmoid.impl(input);
  }
}

/** x / (1 + |x|), elementwise; integers give floats. */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    return ops.softsign.impl(input);
  }
}

/** x - tanh(x), elementwise; integers give floats. */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    return ops.tanhshrink.impl(input);
  }
}
