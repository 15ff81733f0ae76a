// Schedules that also turn the momentum. (Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, and
// "Super-Convergence", 2017)
import { bind, signature } from '../../ops/signature.js';
import { check } from '../state.js';
import {
  type AnyOptimizer,
  checkOptimizer,
  groupsOf,
  LRScheduler,
  perGroup,
  type ScheduledGroup,
  type SchedulerStateDict,
  type SchedulerArguments,
} from './base.js';
import { dataKey, optionKey } from '../groups.js';

/** Where an optimizer keeps its momentum: true for beta1, false for `momentum`. */
function usesBeta1(optimizer: AnyOptimizer): boolean {
  check(
    'momentum' in optimizer.defaults || 'betas' in optimizer.defaults,
    'optimizer must support momentum or beta1 with `cycle_momentum` option enabled',
  );
  return 'betas' in optimizer.defaults;
}

function setMomentum(group: ScheduledGroup, beta1: boolean, value: number): void {
  if (beta1) group.betas = [value, ...group.betas!.slice(1)];
  else group.momentum = value;
}

/** Starts the momentum of all groups at its upper end. */
function startMomentum(optimizer: AnyOptimizer, beta1: boolean, base: readonly number[], max: readonly number[]): void {
  groupsOf(optimizer).forEach((group, i) => {
    setMomentum(group, beta1, max[i]!);
    group.maxMomentum = max[i]!;
    group.baseMomentum = base[i]!;
  });
}

const CYCLIC =
  "CyclicLR(any optimizer, float[] baseLr, float[] maxLr, float stepSizeUp=2000, float? stepSizeDown=None, str mode='triangular', float gamma=1, function? scaleFn=None, str scaleMode='cycle', bool cycleMomentum=True, float[]? baseMomentum=None, float[]? maxMomentum=None, int lastEpoch=-1)";
const CYCLIC_SIGNATURE = signature(CYCLIC);

/** How the height of a cycle changes. */
export type CyclicMode = 'triangular' | 'triangular2' | 'exp_range';
type ScaleFn = (x: number) => number;
type CyclicFull = [
  optimizer: AnyOptimizer,
  baseLr: readonly number[],
  maxLr: readonly number[],
  stepSizeUp: number,
  stepSizeDown: number | null,
  mode: CyclicMode,
  gamma: number,
  scaleFn: ScaleFn | null,
  scaleMode: 'cycle' | 'iterations',
  cycleMomentum: boolean,
  baseMomentum: readonly number[] | null,
  maxMomentum: readonly number[] | null,
  lastEpoch: number,
];

/**
 * Rates that go up and down between two bounds in straight lines: lr = baseLr + (maxLr - baseLr) share height, share rising from
 * 0 to 1 over stepSizeUp steps and falling over stepSizeDown, height by mode. The momentum goes the other way. Step after every
 * batch. (Smith, https://arxiv.org/abs/1506.01186)
 */
export class CyclicLR extends LRScheduler {
  declare maxLrs: number[];
  /** Steps per cycle. */
  declare totalSize: number;
  declare stepRatio: number;
  declare mode: CyclicMode;
  declare gamma: number;
  declare scaleMode: 'cycle' | 'iterations';
  declare cycleMomentum: boolean;
  declare useBeta1: boolean;
  declare baseMomentums: number[];
  declare maxMomentums: number[];
  declare private _scaleFnCustom: ScaleFn | null;

  /**
   * @param args optimizer; baseLr and maxLr: the bounds, a number or one per group; stepSizeUp (default 2000): steps up;
   *   stepSizeDown (default null: as up); mode (default 'triangular': all cycles alike; 'triangular2': half the height each
   *   cycle; 'exp_range': gamma^step); gamma (default 1); scaleFn (default null): height by cycle or step, in place of mode;
   *   scaleMode (default 'cycle', or 'iterations'): what scaleFn gets; cycleMomentum (default true): whether the momentum turns
   *   too; baseMomentum (default null: 0.8), maxMomentum (default null: 0.9): its bounds, a number or one per group; lastEpoch
   *   (default -1: the start): the step to go on from.
   * @throws RuntimeError for an unknown mode without a scaleFn, other than one value per group, or an optimizer without momentum
   *   where it should turn; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof CYCLIC, CyclicFull>) {
    const [
      optimizer,
      baseLr,
      maxLr,
      up,
      down,
      mode,
      gamma,
      scaleFn,
      scaleMode,
      cycleMomentum,
      baseMomentum,
      maxMomentum,
      lastEpoch,
    ] = bind(CYCLIC_SIGNATURE, args) as CyclicFull;
    checkOptimizer(optimizer);
    check(
      mode === 'triangular' || mode === 'triangular2' || mode === 'exp_range' || scaleFn !== null,
      'mode is invalid and scale_fn is None',
    );
    const baseLrs = perGroup('baseLr', optimizer, baseLr);
    if (lastEpoch === -1) {
      groupsOf(optimizer).forEach((group, i) => {
        group.lr = baseLrs[i]!;
      });
    }
    const totalSize = up + (down ?? up);
    const settings: Record<string, unknown> = {
      maxLrs: perGroup('maxLr', optimizer, maxLr),
      totalSize,
      stepRatio: up / totalSize,
      mode,
      gamma,
      scaleMode: scaleFn !== null ? scaleMode : mode === 'exp_range' ? 'iterations' : 'cycle',
      cycleMomentum,
    };
    if (cycleMomentum) {
      const beta1 = usesBeta1(optimizer);
      const base = perGroup('baseMomentum', optimizer, baseMomentum ?? [0.8]);
      const max = perGroup('maxMomentum', optimizer, maxMomentum ?? [0.9]);
      Object.assign(settings, { useBeta1: beta1, baseMomentums: base, maxMomentums: max });
      if (lastEpoch === -1) startMomentum(optimizer, beta1, base, max);
    }
    super(optimizer, lastEpoch, { ...settings, _scaleFnCustom: scaleFn });
    this.baseLrs = baseLrs;
  }

  /**
   * The height of a cycle, 0 to 1.
   * @param x the cycle, counted from 1, or the step, by scaleMode
   * @returns 1, 1 / 2^(x - 1) or gamma^x by mode, or what the function given says
   */
  scaleFn(x: number): number {
    if (this._scaleFnCustom !== null) return this._scaleFnCustom(x);
    return this.mode === 'triangular' ? 1 : this.mode === 'triangular2' ? 1 / 2 ** (x - 1) : this.gamma ** x;
  }

  override getLr(): number[] {
    this.checkCaller();
    const cycle = Math.floor(1 + this.lastEpoch / this.totalSize);
    const x = 1 + this.lastEpoch / this.totalSize - cycle;
    const share = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    const height = share * this.scaleFn(this.scaleMode === 'cycle' ? cycle : this.lastEpoch);
    if (this.cycleMomentum) {
      this.groups.forEach((group, i) => {
        const max = this.maxMomentums[i]!;
        setMomentum(group, this.useBeta1, max - (max - this.baseMomentums[i]!) * height);
      });
    }
    return this.baseLrs.map((lr, i) => lr + (this.maxLrs[i]! - lr) * height);
  }

  protected override packValue(property: string, value: unknown): unknown {
    return property === '_scaleFnCustom' ? undefined : value;
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _scale_fn_custom: null };
  }

  protected override unpackValue(property: string, value: unknown): unknown {
    return property === '_scaleFnCustom' ? undefined : value;
  }
}

const ONE_CYCLE =
  "OneCycleLR(any optimizer, float[] maxLr, int? totalSteps=None, int? epochs=None, int? stepsPerEpoch=None, float pctStart=0.3, str annealStrategy='cos', bool cycleMomentum=True, float[]? baseMomentum=None, float[]? maxMomentum=None, float divFactor=25, float finalDivFactor=10000, bool threePhase=False, int lastEpoch=-1)";
const ONE_CYCLE_SIGNATURE = signature(ONE_CYCLE);
type OneCycleFull = [
  optimizer: AnyOptimizer,
  maxLr: readonly number[],
  totalSteps: number | null,
  epochs: number | null,
  stepsPerEpoch: number | null,
  pctStart: number,
  annealStrategy: 'cos' | 'linear',
  cycleMomentum: boolean,
  baseMomentum: readonly number[] | null,
  maxMomentum: readonly number[] | null,
  divFactor: number,
  finalDivFactor: number,
  threePhase: boolean,
  lastEpoch: number,
];

/** A part of the cycle, in the form that state dicts have: its last step, and the group's options at both ends. */
interface Phase {
  end_step: number;
  start_lr: string;
  end_lr: string;
  start_momentum: string;
  end_momentum: string;
}

type RateName = 'initialLr' | 'maxLr' | 'minLr';
type MomentumName = 'baseMomentum' | 'maxMomentum';

function phase(endStep: number, lr: [RateName, RateName], momentum: [MomentumName, MomentumName]): Phase {
  return {
    end_step: endStep,
    start_lr: dataKey(lr[0]),
    end_lr: dataKey(lr[1]),
    start_momentum: dataKey(momentum[0]),
    end_momentum: dataKey(momentum[1]),
  };
}

function totalOf(totalSteps: number | null, epochs: number | null, stepsPerEpoch: number | null): number {
  if (totalSteps !== null) {
    check(totalSteps > 0, `Expected positive integer total_steps, but got ${totalSteps}`);
    return totalSteps;
  }
  check(
    epochs !== null && stepsPerEpoch !== null,
    'You must define either total_steps OR (epochs AND steps_per_epoch)',
  );
  check(epochs! > 0, `Expected positive integer epochs, but got ${epochs}`);
  check(stepsPerEpoch! > 0, `Expected positive integer steps_per_epoch, but got ${stepsPerEpoch}`);
  return epochs! * stepsPerEpoch!;
}

/**
 * Up to `maxLr` once and down to almost nothing, over a training of known length: from maxLr / divFactor to maxLr, then to
 * maxLr / divFactor / finalDivFactor (in three phases by way of the first rate), along cosines or lines. The momentum goes the
 * other way. Step after every batch. (Smith and Topin, https://arxiv.org/abs/1708.07120)
 */
export class OneCycleLR extends LRScheduler {
  declare totalSteps: number;
  declare private _schedulePhases: Phase[];
  declare private _annealFuncType: 'cos' | 'linear';
  declare cycleMomentum: boolean;
  declare useBeta1: boolean;

  /**
   * @param args optimizer; maxLr: a number, or one per group; totalSteps (default null), or epochs and stepsPerEpoch (default
   *   null); pctStart (default 0.3): the share of the way up; annealStrategy (default 'cos', or 'linear'); cycleMomentum (default
   *   true): whether the momentum turns too; baseMomentum (default null: 0.85), maxMomentum (default null: 0.95): its bounds;
   *   divFactor (default 25): maxLr by the first rate; finalDivFactor (default 10000): the first rate by the last one; threePhase
   *   (default false): whether a way down mirrors the way up before the last; lastEpoch (default -1: the start): the step to go
   *   on from.
   * @throws RuntimeError without a length, for values out of range, or an optimizer without momentum where it should turn;
   *   TypeError unless `optimizer` is one. A step beyond the last throws RuntimeError.
   */
  constructor(...args: SchedulerArguments<typeof ONE_CYCLE, OneCycleFull>) {
    const [
      optimizer,
      maxLr,
      totalSteps,
      epochs,
      stepsPerEpoch,
      pctStart,
      annealStrategy,
      cycleMomentum,
      baseMomentum,
      maxMomentum,
      divFactor,
      finalDivFactor,
      threePhase,
      lastEpoch,
    ] = bind(ONE_CYCLE_SIGNATURE, args) as OneCycleFull;
    checkOptimizer(optimizer);
    const total = totalOf(totalSteps, epochs, stepsPerEpoch);
    check(pctStart >= 0 && pctStart <= 1, `Expected float between 0 and 1 pct_start, but got ${pctStart}`);
    check(
      annealStrategy === 'cos' || annealStrategy === 'linear',
      `anneal_strategy must be one of 'cos' or 'linear', instead got ${annealStrategy}`,
    );
    const up = phase(pctStart * total - 1, ['initialLr', 'maxLr'], ['maxMomentum', 'baseMomentum']);
    const phases = threePhase
      ? [
          up,
          phase(2 * pctStart * total - 2, ['maxLr', 'initialLr'], ['baseMomentum', 'maxMomentum']),
          phase(total - 1, ['initialLr', 'minLr'], ['maxMomentum', 'maxMomentum']),
        ]
      : [up, phase(total - 1, ['maxLr', 'minLr'], ['baseMomentum', 'maxMomentum'])];
    const maxLrs = perGroup('maxLr', optimizer, maxLr);
    if (lastEpoch === -1) {
      groupsOf(optimizer).forEach((group, i) => {
        group.initialLr = maxLrs[i]! / divFactor;
        group.maxLr = maxLrs[i]!;
        group.minLr = group.initialLr / finalDivFactor;
      });
    }
    const settings: Record<string, unknown> = {
      totalSteps: total,
      _schedulePhases: phases,
      _annealFuncType: annealStrategy,
      cycleMomentum,
    };
    if (cycleMomentum) {
      const beta1 = usesBeta1(optimizer);
      settings['useBeta1'] = beta1;
      const base = perGroup('baseMomentum', optimizer, baseMomentum ?? [0.85]);
      const max = perGroup('maxMomentum', optimizer, maxMomentum ?? [0.95]);
      if (lastEpoch === -1) startMomentum(optimizer, beta1, base, max);
    }
    super(optimizer, lastEpoch, settings);
  }

  private anneal(start: number, end: number, share: number): number {
    return this._annealFuncType === 'cos'
      ? end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1)
      : (end - start) * share + start;
  }

  override getLr(): number[] {
    this.checkCaller();
    const step = this.lastEpoch;
    check(
      step <= this.totalSteps,
      `Tried to step ${step} times. The specified number of total steps is ${this.totalSteps}`,
    );
    const phases = this._schedulePhases;
    let at = phases.findIndex((p) => step <= p.end_step);
    if (at < 0) at = phases.length - 1;
    const current = phases[at]!;
    const start = at === 0 ? 0 : phases[at - 1]!.end_step;
    const share = (step - start) / (current.end_step - start);
    return this.groups.map((group) => {
      const value = (key: string): number => (group as unknown as Record<string, number>)[optionKey(key)]!;
      if (this.cycleMomentum) {
        setMomentum(
          group,
          this.useBeta1,
          this.anneal(value(current.start_momentum), value(current.end_momentum), share),
        );
      }
      return this.anneal(value(current.start_lr), value(current.end_lr), share);
    });
  }
}
