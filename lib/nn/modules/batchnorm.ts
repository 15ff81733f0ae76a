// Normalisation with running statistics: what batch and instance normalisation share, and batch normalisation.
import type { ModuleMetadata, StateDict } from '../../core/containers.js';
import { int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { ones, tensor as makeTensor, zeros } from '../../ops/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { batchNorm } from '../functional/normalization.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import { makeLazy } from '../module_lazy.js';
import { isLazy, type Parameter, UninitializedBuffer, UninitializedParameter } from '../parameter.js';
import { noGrad } from '../../autograd/mode.js';
import { pyBool, pyFloat, None } from '../printing.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

export type NormArguments = [
  numFeatures: number,
  eps: number,
  momentum: number | null,
  affine: boolean,
  trackRunningStats: boolean,
  device: DeviceSetting,
  dtype: DTypeSetting,
  bias: boolean,
];

/** What batch and instance normalisation share: parameters, running statistics, their state. */
export abstract class NormBase extends Module {
  static override readonly _version: number = 2;

  numFeatures: number;
  eps: number;
  /** How far running statistics move; null for the mean over all batches. */
  momentum: number | null;
  affine: boolean;
  trackRunningStats: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;
  declare running_mean: Tensor | null;
  declare running_var: Tensor | null;
  declare num_batches_tracked: Tensor | null;

  /** @param settings numFeatures, eps, momentum, affine, trackRunningStats, device, dtype, bias, all of them. */
  constructor([numFeatures, eps, momentum, affine, trackRunningStats, device, dtype, bias]: NormArguments) {
    super();
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = affine;
    this.trackRunningStats = trackRunningStats;
    if (affine) this.weight = newParameter([numFeatures], device, dtype);
    else this.registerParameter('weight', null);
    if (affine && bias) this.bias = newParameter([numFeatures], device, dtype);
    else this.registerParameter('bias', null);
    const track = trackRunningStats;
    this.registerBuffer('running_mean', track ? zeros([numFeatures], { device, dtype }) : null);
    this.registerBuffer('running_var', track ? ones([numFeatures], { device, dtype }) : null);
    this.registerBuffer('num_batches_tracked', track ? makeTensor(0, { dtype: int64, device }) : null);
    this.resetParameters();
  }

  /**
   * Sets the running mean to 0, the running variance to 1 and the count of batches to 0; without them it does nothing.
   */
  resetRunningStats(): void {
    if (!this.trackRunningStats) return;
    this.running_mean!.zero_();
    this.running_var!.fill_(1);
    this.num_batches_tracked!.zero_();
  }

  /** Sets weights to 1, biases to 0, and the running statistics as `resetRunningStats` does. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null && this.affine) ones_(this.weight);
    if (this.bias !== null && this.affine) zeros_(this.bias);
  }

  /** @internal Throws unless the input has a number of dimensions that the layer takes. */
  abstract _checkInputDim(input: Tensor): void;

  override extraRepr(): string {
    const momentum = this.momentum === null ? None : pyFloat(this.momentum);
    return `${this.numFeatures}, eps=${pyFloat(this.eps)}, momentum=${momentum}, affine=${pyBool(this.affine)}, bias=${pyBool(this.bias !== null)}, track_running_stats=${pyBool(this.trackRunningStats)}`;
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
    // The first version did not count batches.
    const key = `${prefix}num_batches_tracked`;
    if (versionOf(localMetadata) < 2 && this.trackRunningStats && !stateDict.has(key)) {
      // One of the meta device has no count to give.
      const own = this.num_batches_tracked;
      stateDict.set(key, own !== null && !own.isMeta ? own : makeTensor(0, { dtype: int64, device: 'cpu' }));
    }
    super._loadFromStateDict(stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs);
  }
}

/** The version that wrote a module's entries; 1 if it did not say. */
export function versionOf(metadata: ModuleMetadata): number {
  const { version } = metadata as { version?: unknown };
  return typeof version === 'number' ? version : 1;
}

/** Throws unless the input has one of these numbers of dimensions. */
export function checkDims(input: Tensor, ...allowed: number[]): void {
  if (allowed.includes(input.ndim)) return;
  throw new RuntimeError(`expected ${allowed.map((n) => `${n}D`).join(' or ')} input (got ${input.ndim}D input)`);
}

type BatchNormText =
  'BatchNorm(int numFeatures, float eps=1e-05, float? momentum=0.1, bool affine=True, bool trackRunningStats=True, Device? device=None, ScalarType? dtype=None, bool bias=True)';
const batchNormSettings = (name: string) =>
  settings<NormArguments>()(
    `${name}(int numFeatures, float eps=1e-05, float? momentum=0.1, bool affine=True, bool trackRunningStats=True, Device? device=None, ScalarType? dtype=None, bool bias=True)` as BatchNormText,
  );
export type BatchNormArgumentList = ArgumentsOf<ReturnType<typeof batchNormSettings>>;
const READ = {
  BatchNorm1d: batchNormSettings('BatchNorm1d'),
  BatchNorm2d: batchNormSettings('BatchNorm2d'),
  BatchNorm3d: batchNormSettings('BatchNorm3d'),
};

/** What batch normalisation over one to three dimensions shares. */
export abstract class BatchNormNd extends NormBase {
  override forward(input: Tensor): Tensor {
    this._checkInputDim(input);
    const { training, trackRunningStats, momentum } = this;
    let factor = momentum ?? 0;
    if (training && trackRunningStats && this.num_batches_tracked !== null) {
      this.num_batches_tracked.add_(1);
      if (momentum === null && !this.num_batches_tracked.isMeta) factor = 1 / Number(this.num_batches_tracked.item());
    }
    // Running statistics are passed on where they move or are used.
    const used = !training || trackRunningStats;
    const mean = used ? this.running_mean : null;
    const variance = used ? this.running_var : null;
    const byBatch = training || (this.running_mean === null && this.running_var === null);
    return batchNorm.impl(input, mean, variance, this.weight, this.bias, byBatch, factor, this.eps);
  }
}

/**
 * Normalises each feature over the batch: y = (x - mean) / sqrt(var + eps) weight + bias (https://arxiv.org/abs/1502.03167).
 * Input [N, C] or [N, C, L] to the same shape, C = numFeatures. Mean and (biased) variance are those of the batch in training and
 * without running statistics, else the running ones, which every training batch moves by
 * running = (1 - momentum) running + momentum batch (with the unbiased variance).
 * Parameters with `affine`: `weight`, `bias` [C], ones and zeros at first. Buffers with `trackRunningStats`: `running_mean`,
 * `running_var` [C], zeros and ones at first, and `num_batches_tracked` [], int64.
 */
export class BatchNorm1d extends BatchNormNd {
  /**
   * @param args numFeatures: C; eps (default 1e-5): added to the variance; momentum (default 0.1): how far running statistics
   *   move, null for the mean over all batches; affine (default true): whether there are weight and bias; trackRunningStats
   *   (default true); device, dtype (default null: the default ones): of parameters and buffers; bias (default true).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for other numbers of dimensions or features,
   *   and for one value per feature where the batch's statistics are used.
   */
  constructor(...args: BatchNormArgumentList) {
    super(READ.BatchNorm1d(args));
  }

  override _checkInputDim(input: Tensor): void {
    checkDims(input, 2, 3);
  }
}

/**
 * Normalises each channel over the batch and its places: [N, C, H, W] to the same shape; formula, parameters and buffers as for
 * `BatchNorm1d` (https://arxiv.org/abs/1502.03167).
 */
export class BatchNorm2d extends BatchNormNd {
  /**
   * @param args as for `BatchNorm1d`: numFeatures; eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats (true),
   *   device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError as `BatchNorm1d`'s.
   */
  constructor(...args: BatchNormArgumentList) {
    super(READ.BatchNorm2d(args));
  }

  override _checkInputDim(input: Tensor): void {
    checkDims(input, 4);
  }
}

/**
 * Normalises each channel over the batch and its places: [N, C, D, H, W] to the same shape; formula, parameters and buffers as
 * for `BatchNorm1d` (https://arxiv.org/abs/1502.03167).
 */
export class BatchNorm3d extends BatchNormNd {
  /**
   * @param args as for `BatchNorm1d`: numFeatures; eps (default 1e-5), momentum (0.1), affine (true), trackRunningStats (true),
   *   device, dtype (null), bias (true).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError as `BatchNorm1d`'s.
   */
  constructor(...args: BatchNormArgumentList) {
    super(READ.BatchNorm3d(args));
  }

  override _checkInputDim(input: Tensor): void {
    checkDims(input, 5);
  }
}

export type LazyNormArguments = [
  eps: number,
  momentum: number | null,
  affine: boolean,
  trackRunningStats: boolean,
  device: DeviceSetting,
  dtype: DTypeSetting,
  bias: boolean,
];

/** The arguments with which a lazy class calls its eager one: nothing to draw, nothing to count yet. */
export function withoutFeatures(args: LazyNormArguments): NormArguments {
  return [0, args[0], args[1], false, false, args[4], args[5], false];
}

/** Gives a lazy normalisation its parameters without a shape. */
export function makeLazyNorm(layer: NormBase, args: LazyNormArguments, becomes: { readonly prototype: Module }): void {
  const [, , affine, track, device, dtype, bias] = args;
  layer.affine = affine;
  layer.trackRunningStats = track;
  if (affine) {
    layer.weight = new UninitializedParameter({ device, dtype });
    if (bias) layer.bias = new UninitializedParameter({ device, dtype });
  }
  if (track) {
    layer.running_mean = new UninitializedBuffer({ device, dtype });
    layer.running_var = new UninitializedBuffer({ device, dtype });
    layer.num_batches_tracked = makeTensor(0, { dtype: int64, device });
  }
  makeLazy(layer as NormBase & { initializeParameters(input: unknown): void }, becomes);
}

/** Gives the parameters of a lazy normalisation their shapes. */
export function initializeNorm(layer: NormBase, input: unknown): void {
  const waiting = [layer.weight, layer.bias, layer.running_mean, layer.running_var].filter(isLazy);
  if (waiting.length === 0) return;
  layer.numFeatures = (input as Tensor).shape[1]!;
  noGrad(() => {
    for (const t of waiting) t.materialize([layer.numFeatures]);
    layer.resetParameters();
  });
}
