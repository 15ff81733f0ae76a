// The base of all learning rate schedulers.
import { RuntimeError } from '../../core/errors.js';
import { typeName } from '../../nn/printing.js';
import { warn } from '../../nn/warn.js';
import type { CallArguments, FirstThenNamed } from '../../ops/signature.js';
import { dataKey, entriesOf, optionKey } from '../groups.js';
import { Optimizer } from '../optimizer.js';

/** A scheduler's arguments: PyTorch's order, or the optimizer and then names. */
export type SchedulerArguments<S extends string, P extends readonly unknown[]> =
  | CallArguments<S, P>
  | FirstThenNamed<S, P>;

/** Any optimizer. */
export type AnyOptimizer = Optimizer<object>;

/** What schedulers read and write in a parameter group. */
export interface ScheduledGroup {
  lr: number;
  momentum?: number;
  betas?: number[];
  initialLr?: number;
  maxLr?: number;
  minLr?: number;
  swaLr?: number;
  baseMomentum?: number;
  maxMomentum?: number;
}

/** The groups of an optimizer as schedulers see them. */
export function groupsOf(optimizer: AnyOptimizer): ScheduledGroup[] {
  return optimizer.paramGroups as unknown as ScheduledGroup[];
}

/** Checks a scheduler's first argument. */
export function checkOptimizer(optimizer: unknown): asserts optimizer is AnyOptimizer {
  if (!(optimizer instanceof Optimizer)) throw new TypeError(`${typeName(optimizer)} is not an Optimizer`);
}

/** A setting for each group: the list given, or its only value for all. */
export function perGroup(name: string, optimizer: AnyOptimizer, values: readonly number[]): number[] {
  const n = optimizer.paramGroups.length;
  if (values.length === n) return [...values];
  if (values.length === 1) return new Array<number>(n).fill(values[0]!);
  const key = dataKey(name);
  throw new RuntimeError(
    `${key} must have the same length as optimizer.param_groups. ${key} has ${values.length} values, param_groups has ${n}.`,
  );
}

/** PyTorch's keys that do not follow from the property's name. */
const KEYS: Readonly<Record<string, string>> = { tMax: 'T_max', t0: 'T_0', tI: 'T_i', tMult: 'T_mult', tCur: 'T_cur' };
const PROPERTIES = new Map(Object.entries(KEYS).map(([property, key]) => [key, property]));

/** A scheduler's state as plain data, with PyTorch's keys. */
export type SchedulerStateDict = Record<string, unknown>;

/**
 * The base of all learning rate schedulers. Making one sets the first rates; each `step()` sets the next ones. Call it
 * after the optimizer's step. A subclass overrides `getLr`, and hands the settings that `getLr` reads to `super`, since
 * the first rates are computed there.
 */
export class LRScheduler {
  /** The optimizer whose rates are set. Not part of the state dict. */
  declare readonly optimizer: AnyOptimizer;
  /** The rate that each group started with. */
  declare baseLrs: number[];
  /** How many steps were taken; -1 before the first rates are set. */
  declare lastEpoch: number;
  /** @internal */
  declare _stepCount: number;
  /** @internal Whether the first rates are being set. */
  declare _isInitial: boolean;
  /** @internal */
  declare _getLrCalledWithinStep: boolean;
  /** @internal */
  declare _lastLr: number[];

  /**
   * @param optimizer its groups get the rates.
   * @param lastEpoch the step to go on from, default -1: the start. Null for a scheduler that only drives others: no
   *   rates are set.
   * @param settings properties of the scheduler, set before the first rates are computed; they are part of its state.
   * @throws TypeError unless `optimizer` is one; RuntimeError to go on with groups that have no `initialLr`.
   */
  constructor(optimizer: AnyOptimizer, lastEpoch: number | null = -1, settings: object = {}) {
    checkOptimizer(optimizer);
    Object.defineProperty(this, 'optimizer', { value: optimizer, enumerable: false });
    Object.assign(this, settings);
    if (lastEpoch === null) return;
    groupsOf(optimizer).forEach((group, i) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        throw new RuntimeError(
          `param 'initial_lr' is not specified in param_groups[${i}] when resuming scheduler with last_epoch >= 0.\n` +
            'This typically happens when:\n' +
            "1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n" +
            "2. You're using last_epoch >= 0 for a fresh training run (not recommended)",
        );
      }
    });
    this.baseLrs = groupsOf(optimizer).map((g) => g.initialLr!);
    this.lastEpoch = lastEpoch;
    this._stepCount = 0;
    this._isInitial = false;
    this._getLrCalledWithinStep = false;
    this._initialStep();
  }

  /** @internal Sets the first rates. */
  _initialStep(): void {
    this._stepCount = 0;
    this._isInitial = true;
    try {
      this.step();
    } finally {
      this._isInitial = false;
    }
  }

  /**
   * The rates that the last step set.
   * @returns one per group
   */
  getLastLr(): number[] {
    return this._lastLr;
  }

  /**
   * Computes the rates of step `lastEpoch`. Called by `step`; elsewhere use `getLastLr`.
   * @returns one per group
   * @throws RuntimeError where a subclass does not override it
   */
  getLr(): number[] {
    throw new RuntimeError(`${this.constructor.name}.getLr() is not implemented`);
  }

  /**
   * The rates of step `lastEpoch` from the first ones alone, where there is a formula; null where there is none.
   * Used by `step(epoch)`.
   */
  protected closedFormLr(): number[] | null {
    return null;
  }

  /**
   * Sets the rates of the next step; it warns where the optimizer has not stepped yet.
   * @param epoch deprecated: the step to jump to (default null: the next).
   */
  step(epoch?: number | null): void {
    if (this._stepCount === 1 && !this.optimizer._stepped) {
      warn(
        'Detected call of `scheduler.step()` before `optimizer.step()`. You should call them in the opposite order: ' +
          '`optimizer.step()` before `scheduler.step()`. Failure to do this skips the first value of the schedule.',
      );
    }
    this._stepCount++;
    if (epoch !== undefined && epoch !== null) {
      warn('The epoch parameter of `scheduler.step()` is not necessary and deprecated. Please use `scheduler.step()`.');
    }
    this._updateLr(epoch ?? null);
  }

  /** @internal */
  _updateLr(epoch: number | null): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this.setRates((epoch === null ? null : this.closedFormLr()) ?? this.computeLr());
  }

  /** `getLr` as `step` may call it. */
  protected computeLr(): number[] {
    this._getLrCalledWithinStep = true;
    try {
      return this.getLr();
    } finally {
      this._getLrCalledWithinStep = false;
    }
  }

  protected setRates(rates: readonly number[]): void {
    const groups = this.groups;
    if (rates.length !== groups.length) {
      throw new RuntimeError(
        `${this.constructor.name} has ${rates.length} learning rates, but the optimizer ${groups.length} groups`,
      );
    }
    groups.forEach((group, i) => {
      group.lr = rates[i]!;
    });
    this._lastLr = [...rates];
  }

  /** @internal Warns when `getLr` is called by someone else than `step`. */
  protected checkCaller(): void {
    if (!this._getLrCalledWithinStep) {
      warn('To get the last learning rate computed by the scheduler, please use `getLastLr()`.');
    }
  }

  protected get groups(): ScheduledGroup[] {
    return groupsOf(this.optimizer);
  }

  /** The rates as they are now. */
  protected currentLr(): number[] {
    return this.groups.map((g) => g.lr);
  }

  /** The rates as they are now, times a factor. */
  protected scaledLr(factor: number): number[] {
    return this.groups.map((g) => g.lr * factor);
  }

  /** @internal A property as the state dict holds it; undefined leaves it out. */
  protected packValue(_property: string, value: unknown): unknown {
    return typeof value === 'function' ? undefined : value;
  }

  /** @internal A property's value from a state dict; undefined leaves the property as it is. */
  protected unpackValue(_property: string, value: unknown): unknown {
    return value;
  }

  /**
   * All properties but the optimizer, as plain data with PyTorch's keys. Functions are left out.
   * @returns an object to be saved
   */
  stateDict(): SchedulerStateDict {
    const dict: SchedulerStateDict = {};
    for (const [property, value] of Object.entries(this)) {
      const packed = this.packValue(property, value);
      if (packed !== undefined) dict[KEYS[property] ?? dataKey(property)] = packed;
    }
    return dict;
  }

  /**
   * Takes over what `stateDict` gave. The optimizer's rates are not touched: load its state dict, too.
   * @param stateDict from here or from a checkpoint, also one of PyTorch's.
   * @throws TypeError for what is no state dict.
   */
  loadStateDict(stateDict: SchedulerStateDict | Map<string, unknown>): void {
    for (const [key, value] of entriesOf(stateDict, 'the state dict of a scheduler')) {
      const property = PROPERTIES.get(key) ?? (key.startsWith('_') ? `_${optionKey(key.slice(1))}` : optionKey(key));
      if (property === 'optimizer' || typeof (this as Record<string, unknown>)[property] === 'function') continue;
      const unpacked = this.unpackValue(property, value);
      if (unpacked !== undefined) {
        // Defined, not set: a key such as __proto__ stays data.
        Object.defineProperty(this, property, {
          value: unpacked,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
  }
}
