// Batch normalisation over the processes that train together.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, settings } from './arguments.js';
import { BatchNormNd } from './batchnorm.js';

type SyncArguments = [
  numFeatures: number,
  eps: number,
  momentum: number | null,
  affine: boolean,
  trackRunningStats: boolean,
  processGroup: unknown,
  device: DeviceSetting,
  dtype: DTypeSetting,
  bias: boolean,
];
const syncSettings = settings<SyncArguments>()(
  'SyncBatchNorm(int numFeatures, float eps=1e-05, float? momentum=0.1, bool affine=True, bool trackRunningStats=True, any processGroup=None, Device? device=None, ScalarType? dtype=None, bool bias=True)',
);

/** @throws RuntimeError for a process group: there is no other process to share statistics with. */
function checkGroup(processGroup: unknown): null {
  if (processGroup !== null && processGroup !== undefined) {
    throw new RuntimeError(
      'Default process group has not been initialized, please make sure to call init_process_group.',
    );
  }
  return null;
}

/**
 * Normalises each channel over the batch and all processes that train together: [N, C, ..] to the same shape. A program here is
 * one process, for which it computes what `BatchNorm1d` to `BatchNorm3d` do; it is there for models that name it and for their
 * state dicts. Parameters and buffers as those of `BatchNorm1d`.
 */
export class SyncBatchNorm extends BatchNormNd {
  /** The processes that share statistics: null, all. */
  processGroup: null;

  /**
   * @param args numFeatures; eps (default 1e-5), momentum (0.1; null for the mean over all batches), affine (true),
   *   trackRunningStats (true), processGroup (null, the only one), device, dtype (null: the default ones), bias (true).
   * @throws TypeError for arguments that do not fit, RuntimeError for a process group. The call throws RuntimeError for fewer
   *   than two dimensions and for no channels.
   */
  constructor(...args: ArgumentsOf<typeof syncSettings>) {
    const [numFeatures, eps, momentum, affine, track, processGroup, device, dtype, bias] = syncSettings(args);
    checkGroup(processGroup);
    super([numFeatures, eps, momentum, affine, track, device, dtype, bias]);
    this.processGroup = null;
  }

  override _checkInputDim(input: Tensor): void {
    if (input.ndim < 2) throw new RuntimeError(`expected at least 2D input (got ${input.ndim}D input)`);
    if (input.shape[1] === 0) throw new RuntimeError('SyncBatchNorm number of input channels should be non-zero');
  }

  /**
   * Puts a SyncBatchNorm in the place of every batch normalisation in and below a module. They take over its parameters and
   * buffers themselves, not copies.
   * @param module what to look through. It is changed.
   * @param processGroup default null: all processes.
   * @returns the module, or what took its place if it is a batch normalisation itself.
   * @throws TypeError for something that is no module, RuntimeError for a process group.
   */
  static convertSyncBatchnorm(module: Module, processGroup: unknown = null): Module {
    if (!(module instanceof Module)) throw new TypeError('convertSyncBatchnorm(): expected a module');
    checkGroup(processGroup);
    const converted = module instanceof BatchNormNd ? SyncBatchNorm.from(module) : module;
    for (const [name, child] of module.namedChildren()) {
      converted.addModule(name, SyncBatchNorm.convertSyncBatchnorm(child, processGroup));
    }
    return converted;
  }

  private static from(layer: BatchNormNd): SyncBatchNorm {
    const { numFeatures, eps, momentum, affine, trackRunningStats } = layer;
    const made = new SyncBatchNorm(numFeatures, eps, momentum, affine, trackRunningStats, {
      bias: layer.bias !== null,
    });
    noGrad(() => {
      if (affine) {
        made.weight = layer.weight;
        made.bias = layer.bias;
      }
      made.running_mean = layer.running_mean;
      made.running_var = layer.running_var;
      made.num_batches_tracked = layer.num_batches_tracked;
    });
    made.training = layer.training;
    return made;
  }
}
