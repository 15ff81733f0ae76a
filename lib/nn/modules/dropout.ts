// Dropout layers: active in training, nothing in evaluation.
import type { Tensor } from '../../tensor/tensor.js';
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  dropoutOf,
  featureAlphaDropout,
} from '../functional/dropout.js';
import { Module } from '../module.js';
import { pyBool, pyFloat } from '../printing.js';
import { RuntimeError } from '../../core/errors.js';
import { type ArgumentsOf, settings } from './arguments.js';

const dropoutSettings = (name: string) =>
  settings<[p: number, inplace: boolean]>()(
    `${name}(float p=0.5, bool inplace=False)` as 'Dropout(float p=0.5, bool inplace=False)',
  );
type DropoutArgumentList = ArgumentsOf<ReturnType<typeof dropoutSettings>>;

/** What dropout layers share. In evaluation they give back their input itself; shapes stay. */
export abstract class DropoutNd extends Module {
  /** The probability of being dropped. */
  p: number;
  inplace: boolean;

  /**
   * @param name the class, for error messages
   * @param args the subclass's arguments: p (default 0.5), inplace (default false)
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit.
   */
  constructor(name: string, args: ArrayLike<unknown>) {
    super();
    const [p, inplace] = dropoutSettings(name)(args);
    if (!(p >= 0 && p <= 1)) {
      throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${p}`);
    }
    this.p = p;
    this.inplace = inplace;
  }

  override extraRepr(): string {
    return `p=${pyFloat(this.p)}, inplace=${pyBool(this.inplace)}`;
  }
}

/**
 * In training, sets elements to zero with probability p and scales the others by 1 / (1 - p) (https://arxiv.org/abs/1207.0580);
 * in evaluation it does nothing. Any shape to the same.
 */
export class Dropout extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of an element being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit.
   */
  constructor(...args: DropoutArgumentList) {
    super('Dropout', args);
  }

  override forward(input: Tensor): Tensor {
    return this.inplace || !this.training || input.numel() === 0
      ? dropout.impl(input, this.p, this.training, this.inplace)
      : dropoutOf(input, this.p);
  }
}

/**
 * In training, sets whole channels to zero with probability p and scales the others by 1 / (1 - p)
 * (https://arxiv.org/abs/1411.4280). Input [N, C, L] or [C, L] to the same shape.
 */
export class Dropout1d extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of a channel being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   other numbers of dimensions.
   */
  constructor(...args: DropoutArgumentList) {
    super('Dropout1d', args);
  }

  override forward(input: Tensor): Tensor {
    return dropout1d.impl(input, this.p, this.training, this.inplace);
  }
}

/**
 * In training, sets whole channels to zero with probability p and scales the others by 1 / (1 - p)
 * (https://arxiv.org/abs/1411.4280). Input [N, C, H, W] to the same shape; other numbers of dimensions warn, three being taken as
 * [N, C, L].
 */
export class Dropout2d extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of a channel being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit.
   */
  constructor(...args: DropoutArgumentList) {
    super('Dropout2d', args);
  }

  override forward(input: Tensor): Tensor {
    return dropout2d.impl(input, this.p, this.training, this.inplace);
  }
}

/**
 * In training, sets whole channels to zero with probability p and scales the others by 1 / (1 - p)
 * (https://arxiv.org/abs/1411.4280). Input [N, C, D, H, W] or [C, D, H, W] to the same shape; other numbers of dimensions warn.
 */
export class Dropout3d extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of a channel being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit.
   */
  constructor(...args: DropoutArgumentList) {
    super('Dropout3d', args);
  }

  override forward(input: Tensor): Tensor {
    return dropout3d.impl(input, this.p, this.training, this.inplace);
  }
}

/**
 * Dropout for networks of SELU: in training, sets elements to the value that SELU saturates at, -1.7581, with probability p, and
 * maps all so that mean 0 and variance 1 stay (https://arxiv.org/abs/1706.02515). Any shape to the same.
 */
export class AlphaDropout extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of an element being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit.
   */
  constructor(...args: DropoutArgumentList) {
    super('AlphaDropout', args);
  }

  override forward(input: Tensor): Tensor {
    return alphaDropout.impl(input, this.p, this.training, this.inplace);
  }
}

/** `AlphaDropout` of whole channels (https://arxiv.org/abs/1706.02515): [N, C, ..] to the same shape. */
export class FeatureAlphaDropout extends DropoutNd {
  /**
   * @param args p (default 0.5): the probability of a channel being dropped; inplace (default false):
   *   whether to overwrite the input.
   * @throws RuntimeError unless p is between 0 and 1; TypeError for arguments that do not fit. The call throws RuntimeError for
   *   fewer than two dimensions.
   */
  constructor(...args: DropoutArgumentList) {
    super('FeatureAlphaDropout', args);
  }

  override forward(input: Tensor): Tensor {
    return featureAlphaDropout.impl(input, this.p, this.training, this.inplace);
  }
}
