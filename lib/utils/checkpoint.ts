// torch.utils.checkpoint: forgetting what a part of a model computed, and computing it again in backward.
import { Function as AutogradFunction, type FunctionContext } from '../autograd/function.js';
import { backward } from '../autograd/backward.js';
import { currentTask, forAllLeaves } from '../autograd/engine.js';
import { enableGrad } from '../autograd/mode.js';
import { savedTensorsHooks } from '../autograd/saved.js';
import { inWords, kindOf, RuntimeError } from '../core/errors.js';
import { restoring } from '../core/restoring.js';
import type { Module } from '../nn/module.js';
import { Sequential } from '../nn/containers/sequential.js';
import { getRngState, setRngState } from '../ops/random_generator.js';
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

/** What recomputation found is not what forward had: other tensors were saved, or a saved one has another shape or type. */
export class CheckpointError extends RuntimeError {}

/** Runs its argument, perhaps with something around it, and returns what it returns. */
export type Around = <T>(run: () => T) => T;

export interface CheckpointOptions {
  /** Recompute inside a custom Function, as PyTorch's first implementation did; default false. */
  useReentrant?: boolean;
  /** Draw the same random numbers when computing again, dropout masks for one; default true. */
  preserveRngState?: boolean;
  /** Gives what to put around forward and around recomputation; not with `useReentrant`. */
  contextFn?: () => readonly [forward: Around, recompute: Around];
  /** 'default' compares sizes and types of what is computed again with those of forward, 'none' does not. */
  determinismCheck?: 'default' | 'none';
  /** Stop recomputing when all that backward needs is there; default true. */
  earlyStop?: boolean;
}

const OWN = ['useReentrant', 'preserveRngState', 'contextFn', 'determinismCheck', 'earlyStop'] as const;

let stopsEarly = true;

/**
 * Overrides the `earlyStop` of checkpoints made while a function runs: until it ends, or the promise that it returned settles.
 * @param enable whether recomputation may stop before the end of the function, once all that backward needs is there
 * @param fn what to run so
 * @returns what `fn` returns
 * @throws TypeError if `fn` is no function
 */
export function setCheckpointEarlyStop<T>(enable: boolean, fn: () => T): T {
  if (typeof fn !== 'function')
    throw new TypeError(`setCheckpointEarlyStop(): argument 'fn' must be function, not ${kindOf(fn)}`);
  const outer = stopsEarly;
  stopsEarly = enable;
  return restoring(fn, () => {
    stopsEarly = outer;
  });
}

/** Splits what the checkpoint is told from what goes to the function. */
function ownOptions(name: string, args: readonly unknown[]): { options: CheckpointOptions; rest: unknown[] } {
  const last = args.at(-1);
  if (!isOptions(last)) return { options: {}, rest: [...args] };
  const own: Record<string, unknown> = {};
  const others: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(last)) {
    (OWN.includes(key as never) ? own : others)[key] = value;
  }
  if ('debug' in others) throw new TypeError(`${name}(): argument 'debug' is not supported`);
  for (const key of ['useReentrant', 'preserveRngState', 'earlyStop']) {
    const value = own[key];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${name}(): argument '${key}' must be a boolean, not ${typeof value}`);
    }
  }
  const check = own.determinismCheck;
  if (check !== undefined && check !== 'default' && check !== 'none') {
    throw new RuntimeError(`determinism_check should be one of ('default', 'none') but got ${String(check)}`);
  }
  const rest = args.slice(0, -1);
  if (Object.keys(others).length > 0) rest.push(others);
  return { options: own as CheckpointOptions, rest };
}

/** Runs `fn` with the random numbers that followed a state, and puts back the state of now. */
function withRngState<T>(state: Tensor | null, fn: () => T): T {
  if (state === null) return fn();
  const now = getRngState();
  setRngState(state);
  try {
    return fn();
  } finally {
    setRngState(now);
  }
}

/** A saved tensor that was let go: what it was like, and in which pass it was computed again. */
interface Holder {
  readonly index: number;
  readonly shape: readonly number[];
  readonly dtype: string;
  pass: number;
  value: Tensor | null;
}

/** Thrown through the function when nothing more is needed of it. */
class Stop extends Error {}

/** Passes outside of backward, which have no number, get one each. */
let outside = -1;

/** One call of a checkpointed function. */
class Frame {
  private readonly holders: Holder[] = [];
  private failed = false;

  constructor(
    private readonly run: () => unknown,
    private readonly around: Around,
    private readonly state: Tensor | null,
    private readonly options: CheckpointOptions,
    private readonly stops: boolean,
  ) {}

  forward(around: Around): unknown {
    try {
      return savedTensorsHooks(
        (t: Tensor) => this.hold(t),
        (holder: Holder) => this.value(holder),
        () => around(this.run),
      );
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }

  private hold(t: Tensor): Holder {
    const holder = {
      index: this.holders.length,
      shape: [...t.shape],
      dtype: t.dtype.name,
      pass: Number.NaN,
      value: null,
    };
    this.holders.push(holder);
    return holder;
  }

  private value(holder: Holder): Tensor {
    const task = currentTask();
    const pass = task >= 0 ? task : outside--;
    if (holder.pass !== pass) this.recompute(pass);
    return holder.value!;
  }

  /** Runs the function again and gives each holder the tensor that is saved in its place. */
  private recompute(pass: number): void {
    if (this.failed) throw new CheckpointError('torch.utils.checkpoint: the checkpointed forward did not end');
    const { holders } = this;
    let count = 0;
    const take = (t: Tensor): null => {
      const holder = holders[count++];
      if (holder === undefined) {
        if (this.options.determinismCheck === 'none') return null;
        throw new CheckpointError(
          'torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass.',
        );
      }
      holder.value = t.detach();
      holder.pass = pass;
      if (this.stops && count === holders.length) throw new Stop();
      return null;
    };
    const refuse = (): never => {
      throw new CheckpointError('torch.utils.checkpoint: a graph of recomputation cannot run backward');
    };
    try {
      withRngState(this.state, () => enableGrad(() => savedTensorsHooks(take, refuse, () => this.around(this.run))));
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
    }
    if (count !== holders.length) {
      throw new CheckpointError(
        'torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n' +
          `Number of tensors saved during forward: ${holders.length}\n` +
          `Number of tensors saved during recomputation: ${count}.`,
      );
    }
    if (this.options.determinismCheck !== 'none') this.compare();
  }

  private compare(): void {
    const differ = this.holders.filter(({ value, shape, dtype }) => {
      return value!.dtype.name !== dtype || value!.shape.join() !== shape.join();
    });
    if (differ.length === 0) return;
    const lines = differ.map(
      ({ index, value, shape, dtype }) =>
        `tensor at position ${index}:\nsaved metadata: {shape: [${shape.join(', ')}], dtype: ${dtype}}\n` +
        `recomputed metadata: {shape: [${value!.shape.join(', ')}], dtype: ${value!.dtype.name}}`,
    );
    throw new CheckpointError(
      'torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the ' +
        `forward pass.\n${lines.join('\n')}.`,
    );
  }
}

/** The variant that recomputes inside a node of its own; arguments: the function, the random state, then its arguments. */
class CheckpointFunction extends AutogradFunction {
  static override forward(ctx: FunctionContext, fn: Callable, state: Tensor | null, ...args: unknown[]): unknown {
    ctx.fn = fn;
    ctx.state = state;
    ctx.args = args.map((arg) => (arg instanceof Tensor ? null : arg));
    ctx.at = args.flatMap((arg, i) => (arg instanceof Tensor ? [i] : []));
    ctx.saveForBackward(...args.filter((arg): arg is Tensor => arg instanceof Tensor));
    return fn(...args);
  }

  static override backward(ctx: FunctionContext, ...gradients: (Tensor | null)[]): (Tensor | null)[] {
    // The pass inside adds to the leaves that the function closes over, which a pass for given inputs must not.
    if (!forAllLeaves()) {
      throw new RuntimeError(
        'When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter ' +
          'to .backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without ' +
          'passing the `inputs` argument.',
      );
    }
    const args = [...(ctx.args as unknown[])];
    const { savedTensors } = ctx;
    (ctx.at as number[]).forEach((index, i) => {
      const t = savedTensors[i]!;
      args[index] = t.detach().requiresGrad_(t.requiresGrad);
    });
    const result = withRngState(ctx.state as Tensor | null, () => enableGrad(() => (ctx.fn as Callable)(...args)));
    const outputs: unknown[] = Array.isArray(result) ? result : [result];
    const roots: Tensor[] = [];
    const given: (Tensor | null)[] = [];
    outputs.forEach((out, i) => {
      if (!(out instanceof Tensor) || !out.requiresGrad) return;
      roots.push(out);
      given.push(gradients[i] ?? null);
    });
    if (roots.length === 0) {
      throw new RuntimeError('none of output has requires_grad=True, this checkpoint() is not necessary');
    }
    backward(roots, given);
    return [null, null, ...args.map((arg) => (arg instanceof Tensor ? arg.grad : null))];
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a checkpoint takes functions of every kind
type Callable = (...args: any[]) => any;

/**
 * Calls a function without keeping what its operations save for backward; backward calls it again to have that. Trades time for
 * memory: of the function's inside, nothing but the arguments is kept (Chen et al. 2016, https://arxiv.org/abs/1604.06174).
 * @param fn a function or module of tensors. Called again, it must compute the same
 * @param args its arguments. A last plain object may hold CheckpointOptions: `useReentrant` (default false; PyTorch's is true,
 *   with a warning), `preserveRngState` (default true), `contextFn` (default none), `determinismCheck` (default 'default'),
 *   `earlyStop` (default true); what else it holds goes to the function
 * @returns what the function returns
 * @throws CheckpointError in backward, if the function saves other tensors than before
 * @throws RuntimeError for options that exclude each other, another `determinismCheck`, and in `grad` or a `backward` with
 *   `inputs` after `useReentrant`
 * @throws TypeError if `fn` is no function, and for options of the wrong kind
 */
export function checkpoint<F extends Callable>(
  fn: F,
  ...args: [...Parameters<F>] | [...Parameters<F>, CheckpointOptions]
): ReturnType<F>;
export function checkpoint(fn: Callable, ...args: unknown[]): unknown {
  if (typeof fn !== 'function') {
    throw new TypeError(`checkpoint(): argument 'function' must be a function, not ${typeof fn}`);
  }
  const { options, rest } = ownOptions('checkpoint', args);
  const state = options.preserveRngState === false ? null : getRngState();
  if (options.useReentrant === true) {
    if (options.contextFn !== undefined) {
      throw new RuntimeError('Passing `context_fn` or `debug` is only supported when use_reentrant=False.');
    }
    if (!rest.some((arg) => arg instanceof Tensor && arg.requiresGrad)) {
      process.emitWarning('None of the inputs have requires_grad=True. Gradients will be None', 'UserWarning');
    }
    return CheckpointFunction.apply(fn, state, ...rest);
  }
  const plain: Around = (run) => run();
  const [forward, recompute] = options.contextFn?.() ?? [plain, plain];
  const stops = stopsEarly && options.earlyStop !== false;
  return new Frame(() => fn(...rest), recompute, state, options, stops).forward(forward);
}

/**
 * Runs modules one after another in segments, each but the last as a checkpoint.
 * @param functions a Sequential, or the modules or functions of one argument as a list
 * @param segments how many segments of equal length to make; the last takes what is left over
 * @param input the tensor that goes into the first one
 * @param options `useReentrant` (default false) and `preserveRngState` (default true), as for `checkpoint`
 * @returns what the last one returns
 * @throws RangeError unless `segments` is a whole number between 1 and the number of functions
 * @throws TypeError for unknown options
 */
export function checkpointSequential(
  functions: Sequential | readonly (Module | Callable)[],
  segments: number,
  input: Tensor,
  options: Pick<CheckpointOptions, 'useReentrant' | 'preserveRngState'> = {},
): Tensor {
  for (const key of Object.keys(options)) {
    if (key !== 'useReentrant' && key !== 'preserveRngState') {
      throw new TypeError(`checkpointSequential() got an unexpected keyword argument '${key}'`);
    }
  }
  const given: readonly unknown[] =
    functions instanceof Sequential ? [] : Array.isArray(functions) ? functions : [null];
  if (!given.every((fn) => typeof fn === 'function')) {
    throw new TypeError(
      `checkpointSequential(): argument 'functions' must be a Sequential or a list of functions, not ${kindOf(functions)}`,
    );
  }
  const list = (functions instanceof Sequential ? [...functions.children()] : [...functions]) as Callable[];
  const size = Math.floor(list.length / segments);
  if (!Number.isInteger(segments) || segments < 1 || size < 1) {
    throw new RangeError(
      `checkpointSequential(): ${inWords(segments)} segments cannot be made of ${list.length} functions`,
    );
  }
  const part =
    (from: number, to: number) =>
    (x: Tensor): Tensor =>
      list.slice(from, to).reduce((value, fn) => fn(value) as Tensor, x);
  let at = 0;
  let x = input;
  for (let i = 0; i < segments - 1; i++, at += size) x = checkpoint(part(at, at + size), x, options) as Tensor;
  return part(at, list.length)(x);
}
