// A schedule that follows a measurement.
import { RuntimeError } from '../../core/errors.js';
import { bind, signature } from '../../ops/signature.js';
import { Tensor } from '../../tensor/tensor.js';
import { check } from '../state.js';
import { type AnyOptimizer, checkOptimizer, groupsOf, LRScheduler, type SchedulerArguments } from './base.js';

const TEXT =
  "ReduceLROnPlateau(any optimizer, str mode='min', float factor=0.1, int patience=10, float threshold=0.0001, str thresholdMode='rel', int cooldown=0, float[]? minLr=None, float eps=1e-8)";
const SIGNATURE = signature(TEXT);
type Full = [
  optimizer: AnyOptimizer,
  mode: 'min' | 'max',
  factor: number,
  patience: number,
  threshold: number,
  thresholdMode: 'rel' | 'abs',
  cooldown: number,
  minLr: readonly number[] | null,
  eps: number,
];

/**
 * Lowers the rates by a factor when a measurement, such as the validation loss, has not improved for more than `patience` steps:
 * lr = max(lr factor, minLr). A measurement improves if it is below best (1 - threshold), or best - threshold with 'abs'
 * (above best (1 + threshold) and best + threshold with mode 'max').
 */
export class ReduceLROnPlateau extends LRScheduler {
  declare factor: number;
  /** The lower bound of groups that are added later; null if each group has its own. */
  declare defaultMinLr: number | null;
  declare minLrs: number[];
  declare patience: number;
  declare cooldown: number;
  declare eps: number;
  /** What every measurement improves on. */
  declare modeWorse: number;
  declare mode: 'min' | 'max';
  declare threshold: number;
  declare thresholdMode: 'rel' | 'abs';
  /** The best measurement so far. */
  declare best: number;
  declare cooldownCounter: number;
  declare numBadEpochs: number;

  /**
   * @param args optimizer; mode (default 'min': smaller is better; or 'max'); factor (default 0.1, below 1): of the rates;
   *   patience (default 10): steps without improvement that are still borne; threshold (default 1e-4): what counts as
   *   improvement; thresholdMode (default 'rel', or 'abs'); cooldown (default 0): steps after a reduction that do not count;
   *   minLr (default null: 0): a lower bound, or one per group; eps (default 1e-8): smaller changes are not made.
   * @throws RuntimeError for a factor of 1 or more, an unknown mode, and other than one bound per group; TypeError unless
   *   `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof TEXT, Full>) {
    const [optimizer, mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps] = bind(
      SIGNATURE,
      args,
    ) as Full;
    checkOptimizer(optimizer);
    check(factor < 1, 'Factor should be < 1.0.');
    check(mode === 'min' || mode === 'max', `mode ${mode} is unknown!`);
    check(thresholdMode === 'rel' || thresholdMode === 'abs', `threshold mode ${thresholdMode} is unknown!`);
    const n = optimizer.paramGroups.length;
    const bounds = minLr ?? [0];
    const single = bounds.length === 1;
    check(single || bounds.length === n, `expected ${n} min_lrs, got ${bounds.length}`);
    const worst = mode === 'min' ? Infinity : -Infinity;
    super(optimizer, null, {
      factor,
      defaultMinLr: single ? bounds[0]! : null,
      minLrs: single ? new Array<number>(n).fill(bounds[0]!) : [...bounds],
      patience,
      cooldown,
      eps,
      lastEpoch: 0,
      _lastLr: groupsOf(optimizer).map((g) => g.lr),
      modeWorse: worst,
      mode,
      threshold,
      thresholdMode,
      best: worst,
      cooldownCounter: 0,
      numBadEpochs: 0,
    });
  }

  /** Whether a reduction was made so recently that bad measurements do not count. */
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  private isBetter(a: number): boolean {
    const { best, threshold } = this;
    if (this.mode === 'min') return this.thresholdMode === 'rel' ? a < best * (1 - threshold) : a < best - threshold;
    return this.thresholdMode === 'rel' ? a > best * (threshold + 1) : a > best + threshold;
  }

  /**
   * Takes a measurement into account.
   * @param metrics the measurement: a number or a tensor with one element.
   * @param epoch deprecated: the number of this step (default null: the next).
   * @throws TypeError without a measurement.
   */
  override step(metrics?: number | Tensor | null, epoch?: number | null): void {
    const current = metrics instanceof Tensor ? Number(metrics.item()) : metrics;
    if (typeof current !== 'number') throw new TypeError("step() missing a required argument: 'metrics'");
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (this.isBetter(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this._lastLr = this.currentLr();
  }

  private reduce(): void {
    const n = this.groups.length;
    if (this.minLrs.length !== n) {
      if (this.defaultMinLr === null) {
        throw new RuntimeError(
          `The number of param groups in the \`optimizer\` (${n}) differs from when \`ReduceLROnPlateau\` was initialized ` +
            `(${this.minLrs.length}), usually due to a new param group being added to the optimizer. Please modify the ` +
            '`min_lrs` field to match the length of the `optimizer` param groups.',
        );
      }
      this.minLrs = new Array<number>(n).fill(this.defaultMinLr);
    }
    this.groups.forEach((group, i) => {
      const lower = Math.max(group.lr * this.factor, this.minLrs[i]!);
      if (group.lr - lower > this.eps) group.lr = lower;
    });
  }
}
