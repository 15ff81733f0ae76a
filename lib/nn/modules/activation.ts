// Activations without parameters beside `inplace`.
import * as ops from '../../ops/activation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { hardsigmoid, hardswish, mish, relu, selu, silu } from '../functional/activation.js';
import { Module } from '../module.js';
import { type ArgumentsOf, settings } from './arguments.js';

const inplaceSettings = (name: string) =>
  settings<[inplace: boolean]>()(`${name}(bool inplace=False)` as 'X(bool inplace=False)');
type InplaceArgumentList = ArgumentsOf<ReturnType<typeof inplaceSettings>>;

/** What activations that may overwrite their input share. */
export abstract class InplaceActivation extends Module {
  inplace: boolean;

  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    this.inplace = inplaceSettings(name)(args)[0];
  }

  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** max(x, 0). */
export class ReLU extends InplaceActivation {
  /** @param args inplace (default false): whether to overwrite the input. */
  constructor(...args: InplaceArgumentList) {
    super('ReLU', args);
  }

  override forward(input: Tensor): Tensor {
    return this.inplace ? relu.impl(input, true) : ops.relu.impl(input);
  }
}

/** Self-normalising exponential unit (https://arxiv.org/abs/1706.02515). */
export class SELU extends InplaceActivation {
  /** @param args inplace (default false). */
  constructor(...args: InplaceArgumentList) {
    super('SELU', args);
  }

  override forward(input: Tensor): Tensor {
    return selu.impl(input, this.inplace);
  }
}

/** x sigmoid(x) (https://arxiv.org/abs/1606.08415). */
export class SiLU extends InplaceActivation {
  /** @param args inplace (default false). */
  constructor(...args: InplaceArgumentList) {
    super('SiLU', args);
  }

  override forward(input: Tensor): Tensor {
    return silu.impl(input, this.inplace);
  }
}

/** x tanh(softplus(x)) (https://arxiv.org/abs/1908.08681). */
export class Mish extends InplaceActivation {
  /** @param args inplace (default false). */
  constructor(...args: InplaceArgumentList) {
    super('Mish', args);
  }

  override forward(input: Tensor): Tensor {
    return mish.impl(input, this.inplace);
  }
}

/** x relu6(x + 3) / 6 (https://arxiv.org/abs/1905.02244). */
export class Hardswish extends InplaceActivation {
  /** @param args inplace (default false). */
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

/** relu6(x + 3) / 6. */
export class Hardsigmoid extends InplaceActivation {
  /** @param args inplace (default false). */
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

/** 1 / (1 + exp(-x)). */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return ops.sigmoid.impl(input);
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return ops.tanh.impl(input);
  }
}

/** log(sigmoid(x)). */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return ops.logSigmoid.impl(input);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    return ops.softsign.impl(input);
  }
}

/** x - tanh(x). */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    return ops.tanhshrink.impl(input);
  }
}
