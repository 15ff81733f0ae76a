// Schedules with one rule: steps, ramps, powers and functions.
import { RuntimeError } from '../../core/errors.js';
import { bind, signature } from '../../ops/signature.js';
import { check } from '../state.js';
import { type AnyOptimizer, checkOptimizer, LRScheduler, type SchedulerArguments } from './base.js';

const STEP = 'StepLR(any optimizer, int stepSize, float gamma=0.1, int lastEpoch=-1)';
const STEP_SIGNATURE = signature(STEP);
type StepFull = [optimizer: AnyOptimizer, stepSize: number, gamma: number, lastEpoch: number];

/** Multiplies the rates by `gamma` every `stepSize` steps: lr_t = lr_0 gamma^floor(t / stepSize). */
export class StepLR extends LRScheduler {
  declare stepSize: number;
  declare gamma: number;

  /**
   * @param args optimizer; stepSize: how many steps; gamma (default 0.1): the factor; lastEpoch (default -1: the start): the step
   *   to go on from.
   * @throws RuntimeError unless stepSize is positive; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof STEP, StepFull>) {
    const [optimizer, stepSize, gamma, lastEpoch] = bind(STEP_SIGNATURE, args) as StepFull;
    check(stepSize > 0, `Expected positive integer step_size, but got ${stepSize}`);
    super(optimizer, lastEpoch, { stepSize, gamma });
  }

  override getLr(): number[] {
    this.checkCaller();
    return this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? this.currentLr() : this.scaledLr(this.gamma);
  }

  protected override closedFormLr(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

const MULTI_STEP = 'MultiStepLR(any optimizer, int[] milestones, float gamma=0.1, int lastEpoch=-1)';
const MULTI_STEP_SIGNATURE = signature(MULTI_STEP);
type MultiStepFull = [optimizer: AnyOptimizer, milestones: readonly number[], gamma: number, lastEpoch: number];

/**
 * Multiplies the rates by `gamma` at each milestone: lr_t = lr_0 gamma^(milestones up to t); one given twice counts twice.
 */
export class MultiStepLR extends LRScheduler {
  /** How often each milestone was given. */
  declare milestones: Map<number, number>;
  declare gamma: number;

  /**
   * @param args optimizer; milestones: steps, in any order; gamma (default 0.1): the factor; lastEpoch (default -1: the start): the
   *   step to go on from.
   * @throws TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof MULTI_STEP, MultiStepFull>) {
    const [optimizer, list, gamma, lastEpoch] = bind(MULTI_STEP_SIGNATURE, args) as MultiStepFull;
    const milestones = new Map<number, number>();
    for (const m of list) milestones.set(m, (milestones.get(m) ?? 0) + 1);
    super(optimizer, lastEpoch, { milestones, gamma });
  }

  override getLr(): number[] {
    this.checkCaller();
    const times = this.milestones.get(this.lastEpoch);
    return times === undefined ? this.currentLr() : this.scaledLr(this.gamma ** times);
  }

  protected override closedFormLr(): number[] {
    let passed = 0;
    for (const [milestone, times] of this.milestones) if (milestone <= this.lastEpoch) passed += times;
    return this.baseLrs.map((lr) => lr * this.gamma ** passed);
  }

  protected override unpackValue(property: string, value: unknown): unknown {
    if (property !== 'milestones' || typeof value !== 'object' || value === null) return value;
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return new Map(entries.map(([k, v]) => [Number(k), Number(v)]));
  }
}

const CONSTANT = 'ConstantLR(any optimizer, float factor=0.3333333333333333, int totalIters=5, int lastEpoch=-1)';
const CONSTANT_SIGNATURE = signature(CONSTANT);
type ConstantFull = [optimizer: AnyOptimizer, factor: number, totalIters: number, lastEpoch: number];

/** Multiplies the rates by `factor` for the first `totalIters` steps: lr_t = lr_0 factor before, lr_0 from there on. */
export class ConstantLR extends LRScheduler {
  declare factor: number;
  declare totalIters: number;

  /**
   * @param args optimizer; factor (default 1/3, 0 to 1); totalIters (default 5): how many steps; lastEpoch (default -1: the
   *   start): the step to go on from.
   * @throws RuntimeError for a factor out of range; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof CONSTANT, ConstantFull>) {
    const [optimizer, factor, totalIters, lastEpoch] = bind(CONSTANT_SIGNATURE, args) as ConstantFull;
    check(factor >= 0 && factor <= 1, 'Constant multiplicative factor expected to be between 0 and 1.');
    super(optimizer, lastEpoch, { factor, totalIters });
  }

  override getLr(): number[] {
    this.checkCaller();
    if (this.lastEpoch === 0) return this.scaledLr(this.factor);
    if (this.lastEpoch !== this.totalIters) return this.currentLr();
    if (this.factor === 0) throw new RuntimeError('float division by zero');
    return this.scaledLr(1 / this.factor);
  }

  protected override closedFormLr(): number[] {
    return this.baseLrs.map((lr) => lr * (this.lastEpoch >= this.totalIters ? 1 : this.factor));
  }
}

const LINEAR =
  'LinearLR(any optimizer, float startFactor=0.3333333333333333, float endFactor=1, int totalIters=5, int lastEpoch=-1)';
const LINEAR_SIGNATURE = signature(LINEAR);
type LinearFull = [
  optimizer: AnyOptimizer,
  startFactor: number,
  endFactor: number,
  totalIters: number,
  lastEpoch: number,
];

/**
 * A factor of the rates that goes in a straight line over `totalIters` steps and stays then:
 * lr_t = lr_0 (startFactor + (endFactor - startFactor) min(t, totalIters) / totalIters).
 */
export class LinearLR extends LRScheduler {
  declare startFactor: number;
  declare endFactor: number;
  declare totalIters: number;

  /**
   * @param args optimizer; startFactor (default 1/3, above 0, up to 1); endFactor (default 1, 0 to 1); totalIters (default 5):
   *   how many steps; lastEpoch (default -1: the start): the step to go on from.
   * @throws RuntimeError for a factor out of range; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof LINEAR, LinearFull>) {
    const [optimizer, startFactor, endFactor, totalIters, lastEpoch] = bind(LINEAR_SIGNATURE, args) as LinearFull;
    check(
      startFactor > 0 && startFactor <= 1,
      'Starting multiplicative factor expected to be greater than 0 and less or equal to 1.',
    );
    check(endFactor >= 0 && endFactor <= 1, 'Ending multiplicative factor expected to be between 0 and 1.');
    super(optimizer, lastEpoch, { startFactor, endFactor, totalIters });
  }

  override getLr(): number[] {
    this.checkCaller();
    const { lastEpoch, startFactor, totalIters } = this;
    if (lastEpoch === 0) return this.scaledLr(startFactor);
    if (this._isInitial || lastEpoch > totalIters) return this.currentLr();
    const rise = this.endFactor - startFactor;
    return this.scaledLr(1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }

  protected override closedFormLr(): number[] {
    const share = Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((lr) => lr * (this.startFactor + (this.endFactor - this.startFactor) * share));
  }
}

const EXPONENTIAL = 'ExponentialLR(any optimizer, float gamma, int lastEpoch=-1)';
const EXPONENTIAL_SIGNATURE = signature(EXPONENTIAL);
type ExponentialFull = [optimizer: AnyOptimizer, gamma: number, lastEpoch: number];

/** Multiplies the rates by `gamma` at every step: lr_t = lr_0 gamma^t. */
export class ExponentialLR extends LRScheduler {
  declare gamma: number;

  /**
   * @param args optimizer; gamma: the factor; lastEpoch (default -1: the start): the step to go on from.
   * @throws TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof EXPONENTIAL, ExponentialFull>) {
    const [optimizer, gamma, lastEpoch] = bind(EXPONENTIAL_SIGNATURE, args) as ExponentialFull;
    super(optimizer, lastEpoch, { gamma });
  }

  override getLr(): number[] {
    this.checkCaller();
    return this._isInitial ? this.currentLr() : this.scaledLr(this.gamma);
  }

  protected override closedFormLr(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}

const POLYNOMIAL = 'PolynomialLR(any optimizer, int totalIters=5, float power=1, int lastEpoch=-1)';
const POLYNOMIAL_SIGNATURE = signature(POLYNOMIAL);
type PolynomialFull = [optimizer: AnyOptimizer, totalIters: number, power: number, lastEpoch: number];

/** Lowers the rates to zero within `totalIters` steps: lr_t = lr_0 (1 - min(t, totalIters) / totalIters)^power. */
export class PolynomialLR extends LRScheduler {
  declare totalIters: number;
  declare power: number;

  /**
   * @param args optimizer; totalIters (default 5): how many steps; power (default 1); lastEpoch (default -1: the start): the step
   *   to go on from.
   * @throws TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof POLYNOMIAL, PolynomialFull>) {
    const [optimizer, totalIters, power, lastEpoch] = bind(POLYNOMIAL_SIGNATURE, args) as PolynomialFull;
    super(optimizer, lastEpoch, { totalIters, power });
  }

  override getLr(): number[] {
    this.checkCaller();
    const { lastEpoch, totalIters } = this;
    if (this._isInitial || lastEpoch > totalIters) return this.currentLr();
    return this.scaledLr(((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** this.power);
  }

  protected override closedFormLr(): number[] {
    const left = 1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((lr) => lr * left ** this.power);
  }
}

/** Gives the factor of a step. */
export type LrLambda = (epoch: number) => number;

function lambdasFor(optimizer: AnyOptimizer, given: LrLambda | readonly LrLambda[]): LrLambda[] {
  checkOptimizer(optimizer);
  const list = Array.isArray(given) ? (given as LrLambda[]) : [given as LrLambda];
  const n = optimizer.paramGroups.length;
  if (list.length === n) return [...list];
  if (list.length === 1) return new Array<LrLambda>(n).fill(list[0]!);
  throw new RuntimeError(`Expected ${n} lr_lambdas, but got ${list.length}`);
}

type LambdaFull = [optimizer: AnyOptimizer, lrLambda: LrLambda | readonly LrLambda[], lastEpoch: number];

/** The state of a schedule that is a function: the function is not part of it. */
abstract class FunctionLR extends LRScheduler {
  declare lrLambdas: LrLambda[];

  protected override packValue(property: string, value: unknown): unknown {
    return property === 'lrLambdas' ? this.lrLambdas.map(() => null) : super.packValue(property, value);
  }

  protected override unpackValue(property: string, value: unknown): unknown {
    return property === 'lrLambdas' ? undefined : value;
  }
}

const LAMBDA = 'LambdaLR(any optimizer, function[] lrLambda, int lastEpoch=-1)';
const LAMBDA_SIGNATURE = signature(LAMBDA);

/** The first rates times what a function says for the step: lr_t = lr_0 lrLambda(t). */
export class LambdaLR extends FunctionLR {
  /**
   * @param args optimizer; lrLambda: a function of the step, or one per group; lastEpoch (default -1: the start): the step to go
   *   on from.
   * @throws RuntimeError for other than one function per group; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof LAMBDA, LambdaFull>) {
    const [optimizer, lrLambda, lastEpoch] = bind(LAMBDA_SIGNATURE, args) as LambdaFull;
    super(optimizer, lastEpoch, { lrLambdas: lambdasFor(optimizer, lrLambda) });
  }

  override getLr(): number[] {
    this.checkCaller();
    return this.baseLrs.map((lr, i) => lr * this.lrLambdas[i]!(this.lastEpoch));
  }
}

const MULTIPLICATIVE = 'MultiplicativeLR(any optimizer, function[] lrLambda, int lastEpoch=-1)';
const MULTIPLICATIVE_SIGNATURE = signature(MULTIPLICATIVE);

/** At every step, the rates as they are times what a function says: lr_t = lr_(t-1) lrLambda(t). */
export class MultiplicativeLR extends FunctionLR {
  /**
   * @param args optimizer; lrLambda: a function of the step, or one per group; lastEpoch (default -1: the start): the step to go
   *   on from.
   * @throws RuntimeError for other than one function per group; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof MULTIPLICATIVE, LambdaFull>) {
    const [optimizer, lrLambda, lastEpoch] = bind(MULTIPLICATIVE_SIGNATURE, args) as LambdaFull;
    super(optimizer, lastEpoch, { lrLambdas: lambdasFor(optimizer, lrLambda) });
  }

  override getLr(): number[] {
    this.checkCaller();
    return this._isInitial ? this.currentLr() : this.groups.map((g, i) => g.lr * this.lrLambdas[i]!(this.lastEpoch));
  }
}
