// Cosine schedules. (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2016)
import { bind, signature } from '../../ops/signature.js';
import { check } from '../state.js';
import { type AnyOptimizer, LRScheduler, type SchedulerArguments } from './base.js';

const ANNEALING = 'CosineAnnealingLR(any optimizer, int tMax, float etaMin=0, int lastEpoch=-1)';
const ANNEALING_SIGNATURE = signature(ANNEALING);
type AnnealingFull = [optimizer: AnyOptimizer, tMax: number, etaMin: number, lastEpoch: number];

/**
 * Half a cosine from the first rate down to `etaMin` within `tMax` steps, and up again after that:
 * lr_t = etaMin + (lr_0 - etaMin) (1 + cos(pi t / tMax)) / 2 (https://arxiv.org/abs/1608.03983, without restarts). It is computed
 * from the rate before, so that other schedulers may change rates too.
 */
export class CosineAnnealingLR extends LRScheduler {
  declare tMax: number;
  declare etaMin: number;

  /**
   * @param args optimizer; tMax: steps of the way down; etaMin (default 0): the lowest rate; lastEpoch (default -1: the start):
   *   the step to go on from.
   * @throws RuntimeError unless tMax is positive; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof ANNEALING, AnnealingFull>) {
    const [optimizer, tMax, etaMin, lastEpoch] = bind(ANNEALING_SIGNATURE, args) as AnnealingFull;
    check(tMax > 0, `Expected positive integer T_max, but got ${tMax}`);
    super(optimizer, lastEpoch, { tMax, etaMin });
  }

  override getLr(): number[] {
    this.checkCaller();
    const { lastEpoch, tMax, etaMin } = this;
    if (this._isInitial) return this.currentLr();
    if (this._stepCount === 1 && lastEpoch > 0) return this.closedFormLr();
    // The way up starts where the recursion below would divide by zero.
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return this.groups.map((g, i) => g.lr + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2);
    }
    const ratio = (1 + Math.cos((Math.PI * lastEpoch) / tMax)) / (1 + Math.cos((Math.PI * (lastEpoch - 1)) / tMax));
    return this.groups.map((g) => ratio * (g.lr - etaMin) + etaMin);
  }

  protected override closedFormLr(): number[] {
    const share = (1 + Math.cos((Math.PI * this.lastEpoch) / this.tMax)) / 2;
    return this.baseLrs.map((lr) => this.etaMin + (lr - this.etaMin) * share);
  }
}

const RESTARTS = 'CosineAnnealingWarmRestarts(any optimizer, int t0, int tMult=1, float etaMin=0, int lastEpoch=-1)';
const RESTARTS_SIGNATURE = signature(RESTARTS);
type RestartsFull = [optimizer: AnyOptimizer, t0: number, tMult: number, etaMin: number, lastEpoch: number];

/**
 * Half a cosine down to `etaMin`, over and over; each time `tMult` times as long as before:
 * lr = etaMin + (lr_0 - etaMin) (1 + cos(pi tCur / tI)) / 2, tCur steps into a run of tI (https://arxiv.org/abs/1608.03983).
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  declare t0: number;
  /** The length of the current run. */
  declare tI: number;
  declare tMult: number;
  declare etaMin: number;
  /** Steps since the last restart. */
  declare tCur: number;

  /**
   * @param args optimizer; t0: steps of the first run; tMult (default 1): how much longer each run is; etaMin (default 0): the
   *   lowest rate; lastEpoch (default -1: the start): the step to go on from.
   * @throws RuntimeError unless t0 is positive and tMult at least 1; TypeError unless `optimizer` is one.
   */
  constructor(...args: SchedulerArguments<typeof RESTARTS, RestartsFull>) {
    const [optimizer, t0, tMult, etaMin, lastEpoch] = bind(RESTARTS_SIGNATURE, args) as RestartsFull;
    check(t0 > 0, `Expected positive integer T_0, but got ${t0}`);
    check(tMult >= 1, `Expected integer T_mult >= 1, but got ${tMult}`);
    super(optimizer, lastEpoch, { t0, tI: t0, tMult, etaMin, tCur: lastEpoch });
  }

  override getLr(): number[] {
    this.checkCaller();
    const share = (1 + Math.cos((Math.PI * this.tCur) / this.tI)) / 2;
    return this.baseLrs.map((lr) => this.etaMin + (lr - this.etaMin) * share);
  }

  /**
   * Sets the rates of the next step.
   * @param epoch the step to jump to (default null: the next); may be a fraction, so that rates change within an epoch.
   * @throws RuntimeError for a negative one.
   */
  override step(epoch?: number | null): void {
    let at = epoch ?? null;
    if (at === null && this.lastEpoch < 0) at = 0;
    if (at === null) {
      at = this.lastEpoch + 1;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur %= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      check(at >= 0, `Expected non-negative epoch, but got ${at}`);
      this.jump(at);
    }
    this.lastEpoch = Math.floor(at);
    this.setRates(this.computeLr());
  }

  private jump(epoch: number): void {
    const { t0, tMult } = this;
    if (epoch < t0) {
      this.tI = t0;
      this.tCur = epoch;
    } else if (tMult === 1) {
      this.tCur = epoch % t0;
    } else {
      const run = Math.floor(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
      this.tCur = epoch - (t0 * (tMult ** run - 1)) / (tMult - 1);
      this.tI = t0 * tMult ** run;
    }
  }
}
