// torch.optim.swaUtils: averages of a model's weights along its training.
// (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018)
import type { DeviceLike } from '../core/device.js';
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { noGrad } from '../autograd/mode.js';
import { Module } from '../nn/module.js';
import { deepcopy } from '../nn/module_copy.js';
import { BatchNormNd } from '../nn/modules/batchnorm.js';
import { zeros } from '../ops/creation.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { scoped } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';
import {
  type AnyOptimizer,
  checkOptimizer,
  groupsOf,
  LRScheduler,
  perGroup,
  type SchedulerArguments,
} from './lr_scheduler/base.js';
import { check } from './state.js';
import { pyFloat } from '../nn/printing.js';

/** The new average of one parameter; `count` models are in the old one. */
export type AverageFn = (average: Tensor, current: Tensor, count: number) => Tensor;
/** Updates all averages in place. */
export type MultiAverageFn = (averages: Tensor[], current: Tensor[], count: number) => void;

function checkDecay(decay: number): void {
  check(
    decay >= 0 && decay <= 1,
    `Invalid decay value ${pyFloat(decay)} provided. Please provide a value in [0,1] range.`,
  );
}

/**
 * The exponential moving average, as an `avgFn`: decay average + (1 - decay) current.
 * @param decay how much of the average stays (default 0.999), from 0 to 1
 * @returns a function `(average, current, count)` that gives the new average of one tensor
 * @throws RuntimeError for another decay
 */
export function getEmaAvgFn(decay = 0.999): AverageFn {
  checkDecay(decay);
  return (average, current) => noGrad(() => average.mul(decay).add(current, { alpha: 1 - decay }));
}

/**
 * The arithmetic mean of all models, as an `avgFn`: average + (current - average) / (count + 1)
 * (https://arxiv.org/abs/1803.05407).
 * @returns a function `(average, current, count)` that gives the new average of one tensor
 */
export function getSwaAvgFn(): AverageFn {
  return (average, current, count) => noGrad(() => average.add(current.sub(average).div(count + 1)));
}

/**
 * `getEmaAvgFn` for all parameters at once, as a `multiAvgFn`.
 * @param decay how much of the average stays (default 0.999), from 0 to 1
 * @returns a function `(averages, current, count)` that updates the averages in place
 * @throws RuntimeError for another decay
 */
export function getEmaMultiAvgFn(decay = 0.999): MultiAverageFn {
  checkDecay(decay);
  return (averages, current) => {
    noGrad(() => averages.forEach((a, i) => scoped(() => moveTowards(a, current[i]!, 1 - decay))));
  };
}

/**
 * `getSwaAvgFn` for all parameters at once, as a `multiAvgFn`.
 * @returns a function `(averages, current, count)` that updates the averages in place
 */
export function getSwaMultiAvgFn(): MultiAverageFn {
  return (averages, current, count) => {
    noGrad(() => averages.forEach((a, i) => scoped(() => moveTowards(a, current[i]!, 1 / (count + 1)))));
  };
}

function moveTowards(average: Tensor, current: Tensor, weight: number): void {
  if (average.dtype.isFloatingPoint || average.dtype.isComplex) average.lerp_(current, weight);
  else average.copy_(average.mul(1 - weight).add(current, { alpha: weight }));
}

const AVERAGED =
  'AveragedModel(any model, Device? device=None, function? avgFn=None, function? multiAvgFn=None, bool useBuffers=False)';
const AVERAGED_SIGNATURE = signature(AVERAGED);
type AveragedFull = [
  model: Module,
  device: DeviceLike | null,
  avgFn: AverageFn | null,
  multiAvgFn: MultiAverageFn | null,
  useBuffers: boolean,
];

/**
 * A copy of a model whose parameters are averages of the model's (https://arxiv.org/abs/1803.05407). Its call is the copy's.
 * Call `updateParameters` when the model's present values are to count. Module: `module`; buffer: `n_averaged` [], int64.
 */
export class AveragedModel extends Module {
  /** The copy. */
  module: Module;
  /** How many models are in the average: int64, 0-d. */
  declare n_averaged: Tensor;
  avgFn: AverageFn | null;
  multiAvgFn: MultiAverageFn | null;
  useBuffers: boolean;

  /**
   * @param args model: copied; device (default null: the model's): where the copy is; avgFn (default null: the mean of all) or
   *   multiAvgFn (default null): how averages are made; useBuffers (default false): whether buffers are averaged too, not copied.
   * @throws RuntimeError if both functions are given; TypeError for what is no module.
   */
  constructor(...args: CallArguments<typeof AVERAGED, AveragedFull>) {
    const [model, device, avgFn, multiAvgFn, useBuffers] = bind(AVERAGED_SIGNATURE, args) as AveragedFull;
    if (!(model instanceof Module)) throw new TypeError("AveragedModel(): argument 'model' must be a Module");
    check(avgFn === null || multiAvgFn === null, 'Only one of avg_fn and multi_avg_fn should be provided');
    super();
    this.module = deepcopy(model);
    if (device !== null) this.module.to(device);
    this.registerBuffer('n_averaged', zeros([], { dtype: int64 }));
    this.avgFn = avgFn;
    this.multiAvgFn = multiAvgFn;
    this.useBuffers = useBuffers;
  }

  override forward(...args: unknown[]): unknown {
    return (this.module as unknown as (...a: unknown[]) => unknown)(...args);
  }

  /**
   * Takes the model's parameters into the average; the first time they are copied.
   * @param model of the same structure as the one given first.
   * @throws RuntimeError for another number of tensors, or sizes that do not fit.
   */
  updateParameters(model: Module): void {
    const list = (m: Module): Tensor[] => (this.useBuffers ? [...m.parameters(), ...m.buffers()] : [...m.parameters()]);
    const averages = list(this.module).map((t) => t.detach());
    const current = list(model).map((t) => t.detach());
    if (averages.length !== current.length) {
      throw new RuntimeError(`the average has ${averages.length} tensors, but the model ${current.length}`);
    }
    const count = Number(this.n_averaged.item());
    noGrad(() => {
      if (count === 0) averages.forEach((a, i) => a.copy_(current[i]!));
      else if (this.avgFn !== null) {
        averages.forEach((a, i) => a.copy_(this.avgFn!(a, current[i]!, count)));
      } else {
        (this.multiAvgFn ?? getSwaMultiAvgFn())(averages, current, count);
      }
      if (!this.useBuffers) {
        const buffers = [...model.buffers()];
        [...this.module.buffers()].forEach((b, i) => b.copy_(buffers[i]!));
      }
      this.n_averaged.add_(1);
    });
  }
}

/**
 * Computes the running statistics of all batch normalisations anew, as means over one pass over the data in training mode.
 * @param loader gives batches: the model's input, or arrays that begin with it.
 * @param model left in the mode it was in; without batch normalisations nothing is run.
 * @param device where batches are moved to (default null: nowhere).
 */
export function updateBn(loader: Iterable<unknown>, model: Module, device: DeviceLike | null = null): void {
  const momenta = new Map<BatchNormNd, number | null>();
  for (const m of model.modules()) {
    if (!(m instanceof BatchNormNd)) continue;
    m.resetRunningStats();
    momenta.set(m, m.momentum);
  }
  if (momenta.size === 0) return;
  const wasTraining = model.training;
  model.train();
  // Without momentum, the statistics become the mean over all batches.
  for (const m of momenta.keys()) m.momentum = null;
  try {
    noGrad(() => {
      for (const batch of loader) {
        const first = Array.isArray(batch) ? (batch[0] as unknown) : batch;
        const input = device !== null && first instanceof Tensor ? first.to(device) : first;
        (model as unknown as (x: unknown) => unknown)(input);
      }
    });
  } finally {
    for (const [m, momentum] of momenta) m.momentum = momentum;
    model.train(wasTraining);
  }
}

const SWALR_TEXT =
  "SWALR(any optimizer, float[] swaLr, int annealEpochs=10, str annealStrategy='cos', int lastEpoch=-1)";
const SWALR_SIGNATURE = signature(SWALR_TEXT);
type SwalrFull = [
  optimizer: AnyOptimizer,
  swaLr: readonly number[],
  annealEpochs: number,
  annealStrategy: 'cos' | 'linear',
  lastEpoch: number,
];

/**
 * Takes the rates from where they are to fixed values within `annealEpochs` steps, and keeps them there: with the share s of the
 * way, s = t / annealEpochs or (1 - cos(pi t / annealEpochs)) / 2, lr = swaLr s + start (1 - s)
 * (https://arxiv.org/abs/1803.05407).
 */
export class SWALR extends LRScheduler {
  declare private _annealStrategy: 'cos' | 'linear';
  declare annealEpochs: number;

  /**
   * @param args optimizer; swaLr: a number, or one per group; annealEpochs (default 10): steps of the way; annealStrategy
   *   (default 'cos', or 'linear'); lastEpoch (default -1): the step to go on from.
   * @throws RuntimeError for another strategy, a negative number of steps, or other than one value per group; TypeError unless
   *   `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof SWALR_TEXT, SwalrFull>) {
    const [optimizer, swaLr, annealEpochs, annealStrategy, lastEpoch] = bind(SWALR_SIGNATURE, args) as SwalrFull;
    checkOptimizer(optimizer);
    const rates = perGroup('swaLr', optimizer, swaLr);
    check(
      annealStrategy === 'cos' || annealStrategy === 'linear',
      `anneal_strategy must be one of 'cos' or 'linear', instead got ${annealStrategy}`,
    );
    check(annealEpochs >= 0, `anneal_epochs must be equal or greater than 0, got ${annealEpochs}`);
    groupsOf(optimizer).forEach((group, i) => {
      group.swaLr = rates[i]!;
    });
    super(optimizer, lastEpoch, { _annealStrategy: annealStrategy, annealEpochs });
  }

  /** The share of the way that is done after `step` steps. */
  private share(step: number): number {
    const t = Math.max(0, Math.min(1, step / Math.max(1, this.annealEpochs)));
    return this._annealStrategy === 'cos' ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  }

  override getLr(): number[] {
    this.checkCaller();
    const step = this.annealEpochs === 0 ? Math.max(1, this._stepCount - 1) : this._stepCount - 1;
    const before = this.share(step - 1);
    const now = this.share(step);
    return this.groups.map((group) => {
      const target = group.swaLr!;
      // The rate that annealing started from, whatever it has been changed to meanwhile.
      const start = before === 1 ? target : (group.lr - before * target) / (1 - before);
      return target * now + start * (1 - now);
    });
  }
}
