// Instance normalisation.
import type { ModuleMetadata, StateDict } from '../../core/containers.js';
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { instanceNorm } from '../functional/normalization.js';
import { warn } from '../warn.js';
import { type ArgumentsOf, settings } from './arguments.js';
import { checkDims, NormBase, type NormArguments } from './batchnorm.js';

type InstanceNormText =
  'InstanceNorm(int numFeatures, float eps=1e-05, float? momentum=0.1, bool affine=False, bool trackRunningStats=False, Device? device=None, ScalarType? dtype=None, bool bias=True)';
const instanceNormSettings = (name: string) =>
  settings<NormArguments>()(
    `${name}(int numFeatures, float eps=1e-05, float? momentum=0.1, bool affine=False, bool trackRunningStats=False, Device? device=None, ScalarType? dtype=None, bool bias=True)` as InstanceNormText,
  );
export type InstanceNormArgumentList = ArgumentsOf<ReturnType<typeof instanceNormSettings>>;
const READ = {
  InstanceNorm1d: instanceNormSettings('InstanceNorm1d'),
  InstanceNorm2d: instanceNormSettings('InstanceNorm2d'),
  InstanceNorm3d: instanceNormSettings('InstanceNorm3d'),
};

/** What instance normalisation over one to three dimensions shares. */
export abstract class InstanceNormNd extends NormBase {
  /** @internal The number of dimensions of an input without a batch. */
  abstract get _noBatchDim(): number;

  override _checkInputDim(input: Tensor): void {
    checkDims(input, this._noBatchDim, this._noBatchDim + 1);
  }

  override forward(input: Tensor): Tensor {
    this._checkInputDim(input);
    const dim = input.ndim - this._noBatchDim;
    if (input.shape[dim] !== this.numFeatures) {
      if (this.affine) {
        throw new RuntimeError(
          `expected input's size at dim=${dim} to match num_features (${this.numFeatures}), but got: ${input.shape[dim]}.`,
        );
      }
      warn(
        `input's size at dim=${dim} does not match num_features. You can silence this warning by not passing in num_features, which is not used because affine=False`,
      );
    }
    const run = (x: Tensor): Tensor =>
      instanceNorm.impl(
        x,
        this.running_mean,
        this.running_var,
        this.weight,
        this.bias,
        this.training || !this.trackRunningStats,
        this.momentum ?? 0,
        this.eps,
      );
    return dim === 0 ? run(input.unsqueeze(0)).squeeze(0) : run(input);
  }

  override _loadFromStateDict(
    stateDict: StateDict,
    prefix: string,
    localMetadata: ModuleMetadata,
    strict: boolean,
    missingKeys: string[],
    unexpectedKeys: string[],
    errorMsgs: string[],
  ): void {
    // The first version always had running statistics.
    const isFirst = (localMetadata as { version?: unknown }).version === undefined;
    const found = ['running_mean', 'running_var'].map((n) => prefix + n).filter((key) => stateDict.has(key));
    if (isFirst && !this.trackRunningStats && found.length > 0) {
      const klass = this._getName();
      const names = found.map((k) => `"${k}"`).join(' and ');
      errorMsgs.push(
        `Unexpected running stats buffer(s) ${names} for ${klass} with track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, this may be expected because ${klass} does not track running stats by default since 0.4.0. Please remove these keys from state_dict. If the running stats are actually needed, instead set track_running_stats=True in ${klass} to enable them. See the documentation of ${klass} for details.`,
      );
      for (const key of found) stateDict.delete(key);
    }
    super._loadFromStateDict(stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs);
  }
}

/**
 * Normalises each channel of each sample by its own statistics: y = (x - mean) / sqrt(var + eps) weight + bias, with the biased
 * variance (https://arxiv.org/abs/1607.08022). Input [N, C, L] or [C, L] to the same shape.
 * With `trackRunningStats`, evaluation uses running statistics, which training moves as in `BatchNorm1d`.
 * Parameters with `affine`: `weight`, `bias` [C], ones and zeros at first. Buffers with `trackRunningStats`: `running_mean`,
 * `running_var` [C], `num_batches_tracked` [].
 */
export class InstanceNorm1d extends InstanceNormNd {
  /**
   * @param args numFeatures: C; eps (default 1e-5): added to the variance; momentum (default 0.1): how far running statistics
   *   move; affine (default false): whether there are weight and bias; trackRunningStats (default false); device, dtype (default
   *   null: the default ones); bias (default true): whether there is one, with affine.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for other numbers of dimensions, with affine
   *   for other channels (else it warns), and for a single place whose own statistics are to be used.
   */
  constructor(...args: InstanceNormArgumentList) {
    super(READ.InstanceNorm1d(args));
  }

  override get _noBatchDim(): number {
    return 2;
  }
}

/**
 * Normalises each channel of each sample: [N, C, H, W] or [C, H, W] to the same shape; formula, parameters and buffers as for
 * `InstanceNorm1d` (https://arxiv.org/abs/1607.08022).
 */
export class InstanceNorm2d extends InstanceNormNd {
  /**
   * @param args as for `InstanceNorm1d`: numFeatures; eps (default 1e-5), momentum (0.1), affine (false), trackRunningStats
   *   (false), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError as `InstanceNorm1d`'s.
   */
  constructor(...args: InstanceNormArgumentList) {
    super(READ.InstanceNorm2d(args));
  }

  override get _noBatchDim(): number {
    return 3;
  }
}

/**
 * Normalises each channel of each sample: [N, C, D, H, W] or [C, D, H, W] to the same shape; formula, parameters and buffers as
 * for `InstanceNorm1d` (https://arxiv.org/abs/1607.08022).
 */
export class InstanceNorm3d extends InstanceNormNd {
  /**
   * @param args as for `InstanceNorm1d`: numFeatures; eps (default 1e-5), momentum (0.1), affine (false), trackRunningStats
   *   (false), device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError as `InstanceNorm1d`'s.
   */
  constructor(...args: InstanceNormArgumentList) {
    super(READ.InstanceNorm3d(args));
  }

  override get _noBatchDim(): number {
    return 4;
  }
}
