// Schedulers that drive others.
import { RuntimeError } from '../../core/errors.js';
import { typeName } from '../../nn/printing.js';
import { bind, type CallArguments, signature } from '../../ops/signature.js';
import { type AnyOptimizer, groupsOf, LRScheduler, type SchedulerStateDict, type SchedulerArguments } from './base.js';
import { ReduceLROnPlateau } from './plateau.js';

function checkSchedulers(name: string, optimizer: AnyOptimizer, schedulers: readonly LRScheduler[]): void {
  schedulers.forEach((scheduler, i) => {
    if (!(scheduler instanceof LRScheduler)) {
      throw new TypeError(`${name} expects schedulers, but got ${typeName(scheduler)} at index ${i}`);
    }
    if (scheduler instanceof ReduceLROnPlateau) {
      throw new RuntimeError(
        `${name} does not support \`ReduceLROnPlateau\` scheduler as it requires additional arguments to be specified ` +
          `when calling \`step\`, but got one at index ${i} in the given schedulers sequence.`,
      );
    }
    if (scheduler.optimizer !== optimizer) {
      throw new RuntimeError(
        `${name} expects all schedulers to belong to the same optimizer, but got scheduler ` +
          `${scheduler.constructor.name} at index ${i}, whose optimizer is another one.`,
      );
    }
  });
}

/** A scheduler whose state holds those of others. */
abstract class CompositeLR extends LRScheduler {
  declare _schedulers: LRScheduler[];

  protected override packValue(property: string, value: unknown): unknown {
    return property === '_schedulers' ? undefined : super.packValue(property, value);
  }

  protected override unpackValue(property: string, value: unknown): unknown {
    if (property !== '_schedulers') return value;
    (value as SchedulerStateDict[]).forEach((s, i) => this._schedulers[i]?.loadStateDict(s));
    return undefined;
  }

  override stateDict(): SchedulerStateDict {
    const dict = super.stateDict();
    dict['_schedulers'] = this._schedulers.map((s) => s.stateDict());
    return dict;
  }
}

/** Takes back the step that making a scheduler took, for it and all that it drives. */
function undoFirstStep(scheduler: LRScheduler): void {
  if (scheduler instanceof CompositeLR) scheduler._schedulers.forEach(undoFirstStep);
  else scheduler.lastEpoch--;
}

const SEQUENTIAL = 'SequentialLR(any optimizer, any[] schedulers, int[] milestones, int lastEpoch=-1)';
const SEQUENTIAL_SIGNATURE = signature(SEQUENTIAL);
type SequentialFull = [
  optimizer: AnyOptimizer,
  schedulers: readonly LRScheduler[],
  milestones: readonly number[],
  lastEpoch: number,
];

/** One scheduler after the other, changing at milestones; each starts from its own first step. */
export class SequentialLR extends CompositeLR {
  declare _milestones: number[];

  /**
   * @param args optimizer; schedulers, all of that optimizer; milestones: the steps at which the next scheduler starts, one fewer
   *   than schedulers; lastEpoch (default -1: the start): the step to go on from.
   * @throws RuntimeError for no scheduler, one of another optimizer or a `ReduceLROnPlateau`, and another number of milestones;
   *   TypeError for what is no scheduler.
   */
  constructor(...args: SchedulerArguments<typeof SEQUENTIAL, SequentialFull>) {
    const [optimizer, schedulers, milestones, lastEpoch] = bind(SEQUENTIAL_SIGNATURE, args) as SequentialFull;
    if (schedulers.length < 1) {
      throw new RuntimeError('SequentialLR expects at least one scheduler, but got no scheduler.');
    }
    checkSchedulers('SequentialLR', optimizer, schedulers);
    if (milestones.length !== schedulers.length - 1) {
      throw new RuntimeError(
        'Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, ' +
          `but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    }
    super(optimizer, null, { _schedulers: [...schedulers], _milestones: [...milestones], lastEpoch: lastEpoch + 1 });
    // Making the schedulers has set rates already, each on top of the others: begin again with the first one.
    for (const group of groupsOf(optimizer)) group.lr = group.initialLr!;
    undoFirstStep(this);
    const first = this._schedulers[this.indexAt(0)]!;
    first._initialStep();
    this._lastLr = first.getLastLr();
  }

  private indexAt(epoch: number): number {
    return this._milestones.filter((m) => m <= epoch).length;
  }

  override step(): void {
    this.lastEpoch++;
    const i = this.indexAt(this.lastEpoch);
    const scheduler = this._schedulers[i]!;
    if (i > 0 && this._milestones[i - 1] === this.lastEpoch) scheduler._updateLr(0);
    else scheduler.step();
    this._lastLr = scheduler.getLastLr();
  }
}

const CHAINED = 'ChainedScheduler(any[] schedulers, object? optimizer=None)';
const CHAINED_SIGNATURE = signature(CHAINED);
type ChainedFull = [schedulers: readonly LRScheduler[], optimizer: AnyOptimizer | null];

/** Several schedulers at once: each changes the rates that the one before it set. */
export class ChainedScheduler extends CompositeLR {
  /**
   * @param args schedulers, all of one optimizer; optimizer (default null: that of the first scheduler).
   * @throws RuntimeError for no scheduler, one of another optimizer or a `ReduceLROnPlateau`; TypeError for what is no scheduler.
   */
  constructor(...args: CallArguments<typeof CHAINED, ChainedFull>) {
    const [schedulers, given] = bind(CHAINED_SIGNATURE, args) as ChainedFull;
    if (schedulers.length < 1) {
      throw new RuntimeError('ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.');
    }
    const optimizer = given ?? schedulers[0]!.optimizer;
    checkSchedulers('ChainedScheduler', optimizer, schedulers);
    super(optimizer, null, { _schedulers: [...schedulers], _lastLr: groupsOf(optimizer).map((g) => g.lr) });
  }

  override step(): void {
    for (const scheduler of this._schedulers) scheduler.step();
    this._lastLr = this.currentLr();
  }
}
