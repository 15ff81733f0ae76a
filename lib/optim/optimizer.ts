// The base of all optimizers: parameter groups, state, hooks and checkpoints.
import { RuntimeError } from '../core/errors.js';
import { dropGrad, peekGrad } from '../autograd/accumulate.js';
import { RemovableHandle } from '../autograd/handle.js';
import { enableGrad, noGrad } from '../autograd/mode.js';
import { pyFloat, pyList, pyRepr } from '../nn/printing.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  completeGroup,
  dataKey,
  entriesOf,
  type Group,
  packGroup,
  type ParameterGroup,
  type Params,
  readParams,
  unpackGroup,
} from './groups.js';
import { castState } from './state.js';

/** What an optimizer remembers about one parameter, by PyTorch's keys (`exp_avg`, `momentum_buffer`). */
export type ParameterState = Record<string, unknown>;

/** PyTorch's layout: states by the number of their parameter, and the groups with numbers in place of parameters. */
export interface OptimizerStateDict {
  state: Map<number, ParameterState>;
  param_groups: Record<string, unknown>[];
}

/** What `loadStateDict` reads: a state dict from here, or from a file. */
export type OptimizerStateLike = OptimizerStateDict | Map<string, unknown> | Record<string, unknown>;

/** Evaluates the model again and returns the loss. */
export type Closure<T = unknown> = () => T;

/** Runs before `step`; a returned array replaces its arguments. */
export type StepPreHook = (optimizer: Optimizer<object>, args: readonly unknown[]) => readonly unknown[] | void;
/** Runs after `step`. */
export type StepPostHook = (optimizer: Optimizer<object>, args: readonly unknown[]) => void;
/** Runs before `stateDict`, or after `loadStateDict`. */
export type StateHook = (optimizer: Optimizer<object>) => void;
/** Gets a state dict and may return another in its place. */
export type StateDictHook = (optimizer: Optimizer<object>, stateDict: OptimizerStateDict) => OptimizerStateDict | void;

type Hooks<H> = Map<number, H>;

const globalPreHooks: Hooks<StepPreHook> = new Map();
const globalPostHooks: Hooks<StepPostHook> = new Map();

/**
 * Registers a hook that runs before the step of every optimizer.
 * @param hook called as `hook(optimizer, args)`; an array that it returns replaces the arguments of `step`.
 * @returns a handle whose `remove()` ends it
 */
export function registerOptimizerStepPreHook(hook: StepPreHook): RemovableHandle {
  return new RemovableHandle(globalPreHooks, hook);
}

/**
 * Registers a hook that runs after the step of every optimizer.
 * @param hook called as `hook(optimizer, args)`.
 * @returns a handle whose `remove()` ends it
 */
export function registerOptimizerStepPostHook(hook: StepPostHook): RemovableHandle {
  return new RemovableHandle(globalPostHooks, hook);
}

function register<H>(hooks: Hooks<H>, hook: H, prepend = false): RemovableHandle {
  const handle = new RemovableHandle(hooks, hook);
  if (prepend) {
    const rest = [...hooks].filter(([id]) => id !== handle.id);
    for (const [id] of rest) hooks.delete(id);
    for (const [id, other] of rest) hooks.set(id, other);
  }
  return handle;
}

type Step = (this: Optimizer<object>, ...args: unknown[]) => unknown;

/** Prototypes whose `step` runs hooks. */
const hooked = new WeakSet<object>();

/** Makes the `step` that a class defines run hooks, whoever wrote the class. */
function installHooks(prototype: object): void {
  for (let at = prototype; at !== Object.prototype && !hooked.has(at); at = Object.getPrototypeOf(at) as object) {
    hooked.add(at);
    if (!Object.hasOwn(at, 'step')) continue;
    const inner = (at as { step: Step }).step;
    Object.defineProperty(at, 'step', { value: withHooks(inner), writable: true, configurable: true });
  }
}

function withHooks(inner: Step): Step {
  return function step(this: Optimizer<object>, ...args: unknown[]): unknown {
    this._stepped = true;
    const hooks = this._stepHooks;
    if (hooks === null && globalPreHooks.size === 0 && globalPostHooks.size === 0) return inner.apply(this, args);
    let current: readonly unknown[] = args;
    for (const hook of [...globalPreHooks.values(), ...(hooks?.pre.values() ?? [])]) {
      const replaced = hook(this, current);
      if (replaced === undefined) continue;
      if (!Array.isArray(replaced))
        throw new TypeError('a step pre-hook must return nothing or the arguments of step as an array');
      current = replaced as readonly unknown[];
    }
    const result = inner.apply(this, current as unknown[]);
    for (const hook of [...(hooks?.post.values() ?? []), ...globalPostHooks.values()]) hook(this, current);
    return result;
  };
}

/**
 * The base of all optimizers. A subclass passes its options to `super` and overrides `step`, whose hooks run all the same.
 * @typeParam O the options of a group, camelCase, all with values.
 */
export class Optimizer<O extends object = Record<string, unknown>> {
  /** Values of the options that a group does not set itself. */
  readonly defaults: O;
  /** The groups: `params` and an option each. Writing an option takes effect at the next step. */
  paramGroups: Group<O>[] = [];
  /** What is remembered about each parameter; filled by the first step that sees its gradient. */
  state: Map<Tensor, ParameterState> = new Map();
  /** @internal */
  _stepHooks: { pre: Hooks<StepPreHook>; post: Hooks<StepPostHook> } | null = null;
  /** @internal Whether `step` was ever called; schedulers ask. */
  _stepped = false;
  private readonly statePre: Hooks<StateHook> = new Map();
  private readonly statePost: Hooks<StateDictHook> = new Map();
  private readonly loadPre: Hooks<StateDictHook> = new Map();
  private readonly loadPost: Hooks<StateHook> = new Map();

  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }`.
   * @param defaults the options of groups that do not set them.
   * @throws TypeError for what is no parameter; RuntimeError for an empty list, a tensor that is not a leaf or that is
   *   in two groups.
   */
  constructor(params: Params<O>, defaults: O) {
    installHooks(new.target.prototype as object);
    this.defaults = defaults;
    for (const group of readParams(params)) this.addParamGroup(group);
  }

  /**
   * Adds parameters to a running optimizer, such as a layer that was frozen until now.
   * @param group `{ params, ...options }`; options that are left out are the optimizer's.
   * @throws TypeError for what is no group or no tensor; RuntimeError for a tensor that is not a leaf or in a group already.
   */
  addParamGroup(group: ParameterGroup<O>): void {
    this.paramGroups.push(completeGroup(group, this.defaults, this.paramGroups));
  }

  /**
   * Drops the gradients of all parameters.
   * @param setToNone whether `.grad` becomes null (default true), or a tensor of zeros. Also as `{ setToNone }`.
   */
  zeroGrad(setToNone: boolean | { setToNone?: boolean } = true): void {
    const drop = typeof setToNone === 'boolean' ? setToNone : (setToNone.setToNone ?? true);
    const groups = this.paramGroups;
    for (let i = 0; i < groups.length; i++) {
      const params = groups[i]!.params;
      for (let k = 0; k < params.length; k++) {
        const p = params[k]!;
        if (drop) dropGrad(p);
        else if (peekGrad(p) !== null) {
          if (p.grad!.gradFn !== null) p.grad = p.grad!.detach();
          noGrad(() => p.grad!.zero_());
        }
      }
    }
  }

  /**
   * Updates the parameters from their gradients; a parameter without gradient stays as it is.
   * @param closure evaluates the model again and returns the loss; runs with gradients recorded.
   * @returns what the closure returned; null without one.
   */
  step(): null;
  step<T>(closure: Closure<T>): T;
  step<T>(closure?: Closure<T>): T | null;
  step(closure?: Closure): unknown {
    const loss = closure === undefined || closure === null ? null : enableGrad(closure);
    this._update();
    return loss;
  }

  /** @internal What `step` does to the parameters. */
  protected _update(): void {
    throw new RuntimeError(`${this.constructor.name}.step() is not implemented`);
  }

  /**
   * Registers a hook that runs before this optimizer's `step`, behind the hooks of all optimizers.
   * @param hook called as `hook(optimizer, args)`; an array that it returns replaces the arguments of `step`.
   * @returns a handle whose `remove()` ends it
   */
  registerStepPreHook(hook: StepPreHook): RemovableHandle {
    this._stepHooks ??= { pre: new Map(), post: new Map() };
    return register(this._stepHooks.pre, hook);
  }

  /**
   * Registers a hook that runs after this optimizer's `step`, before the hooks of all optimizers.
   * @param hook called as `hook(optimizer, args)`.
   * @returns a handle whose `remove()` ends it
   */
  registerStepPostHook(hook: StepPostHook): RemovableHandle {
    this._stepHooks ??= { pre: new Map(), post: new Map() };
    return register(this._stepHooks.post, hook);
  }

  /**
   * Registers a hook that runs before `stateDict`.
   * @param hook called as `hook(optimizer)`
   * @param prepend whether it runs before the other ones (default false)
   * @returns a handle whose `remove()` ends it
   */
  registerStateDictPreHook(hook: StateHook, prepend = false): RemovableHandle {
    return register(this.statePre, hook, prepend);
  }

  /**
   * Registers a hook that may change or replace what `stateDict` returns.
   * @param hook called as `hook(optimizer, stateDict)`; what it returns, if anything, takes the state dict's place
   * @param prepend whether it runs before the other ones (default false)
   * @returns a handle whose `remove()` ends it
   */
  registerStateDictPostHook(hook: StateDictHook, prepend = false): RemovableHandle {
    return register(this.statePost, hook, prepend);
  }

  /**
   * Registers a hook that may change or replace what `loadStateDict` loads.
   * @param hook called as `hook(optimizer, stateDict)`; what it returns, if anything, takes the state dict's place
   * @param prepend whether it runs before the other ones (default false)
   * @returns a handle whose `remove()` ends it
   */
  registerLoadStateDictPreHook(hook: StateDictHook, prepend = false): RemovableHandle {
    return register(this.loadPre, hook, prepend);
  }

  /**
   * Registers a hook that runs after `loadStateDict`.
   * @param hook called as `hook(optimizer)`
   * @param prepend whether it runs before the other ones (default false)
   * @returns a handle whose `remove()` ends it
   */
  registerLoadStateDictPostHook(hook: StateHook, prepend = false): RemovableHandle {
    return register(this.loadPost, hook, prepend);
  }

  /**
   * State and options as plain data, in PyTorch's layout and with its keys, to be saved in a checkpoint.
   * @returns `{ state, param_groups }`: parameters are numbered in the order of the groups. The tensors are the
   *   optimizer's own.
   */
  stateDict(): OptimizerStateDict {
    for (const hook of this.statePre.values()) hook(this);
    const numbers = new Map<Tensor, number>();
    let next = 0;
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        if (!numbers.has(p)) numbers.set(p, next);
        next++;
      }
    }
    const state = new Map<number, ParameterState>();
    for (const [p, s] of this.state) state.set(numbers.get(p)!, { ...s });
    let dict: OptimizerStateDict = { state, param_groups: this.paramGroups.map((g) => packGroup(g, numbers)) };
    for (const hook of this.statePost.values()) dict = hook(this, dict) ?? dict;
    return dict;
  }

  /**
   * Takes over state and options of an optimizer with the same groups. State tensors of floating-point type are
   * converted to their parameter's type; those that need no conversion are shared with `stateDict`.
   * @param stateDict from `stateDict()` or from a checkpoint, also one of PyTorch's.
   * @throws RuntimeError if the groups differ in number or size; TypeError for what is no state dict. Nothing is
   *   changed then.
   */
  loadStateDict(stateDict: OptimizerStateLike): void {
    let dict = readStateDict(stateDict);
    for (const hook of this.loadPre.values()) dict = hook(this, dict) ?? dict;
    const saved = dict.param_groups.map((g) => entriesOf(g, 'a parameter group of a state dict'));
    if (saved.length !== this.paramGroups.length) {
      throw new RuntimeError('loaded state dict has a different number of parameter groups');
    }
    const byNumber = new Map<unknown, Tensor>();
    for (const [i, entries] of saved.entries()) {
      const numbers = entries.find(([key]) => key === 'params')?.[1];
      const own = this.paramGroups[i]!.params;
      if (!Array.isArray(numbers) || numbers.length !== own.length) {
        throw new RuntimeError(
          "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
        );
      }
      for (const [k, number] of numbers.entries()) byNumber.set(Number(number), own[k]!);
    }
    const state = new Map<Tensor, ParameterState>();
    for (const [number, values] of dict.state) {
      const p = byNumber.get(Number(number));
      if (p !== undefined) state.set(p, castState(p, entriesOf(values, 'the state of a parameter')));
    }
    const groups = saved.map((entries, i) => unpackGroup(entries, this.paramGroups[i]!));
    for (const group of groups) {
      // A checkpoint of an older version may lack newer options.
      for (const [key, value] of Object.entries(this.defaults)) {
        if (!(key in group)) (group as Record<string, unknown>)[key] = value;
      }
    }
    this.state = state;
    this.paramGroups = groups;
    for (const hook of this.loadPost.values()) hook(this);
  }

  /** @internal Whether PyTorch prints a whole number of this option with a fraction. */
  protected floatOption(name: string): boolean {
    return FLOATS.has(name);
  }

  /** As PyTorch prints it: a block per group, options in alphabetical order. */
  toString(): string {
    let text = `${this.constructor.name} (`;
    this.paramGroups.forEach((group, i) => {
      const lines = Object.entries(group)
        .filter(([key]) => key !== 'params')
        .map(([key, value]) => ({ key: dataKey(key), text: this.printed(key, value) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      text += `\nParameter Group ${i}\n${lines.map((l) => `    ${l.key}: ${l.text}\n`).join('')}`;
    });
    return `${text})`;
  }

  private printed(key: string, value: unknown): string {
    if (key === 'paramNames') return pyList(value as string[]);
    if (typeof value === 'string') return value;
    return typeof value === 'number' && this.floatOption(key) ? pyFloat(value) : pyRepr(value);
  }

  /** What Node's console shows: the printed text. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Options that are floats in PyTorch; momentum and weight decay are not, their default there being the integer 0. */
const FLOATS: ReadonlySet<string> = new Set(
  (
    'lr eps rho alpha lambd t0 d beta2Decay momentumDecay initialLr maxLr minLr swaLr baseMomentum maxMomentum ' +
    'toleranceGrad toleranceChange'
  ).split(' '),
);

function readStateDict(value: OptimizerStateLike): OptimizerStateDict {
  const entries = new Map(entriesOf(value, 'an optimizer state dict'));
  const state = entries.get('state');
  const groups = entries.get('param_groups');
  if (!Array.isArray(groups) || state === null || typeof state !== 'object') {
    throw new TypeError("an optimizer state dict must have the entries 'state' and 'param_groups'");
  }
  const states = state instanceof Map ? [...state] : Object.entries(state);
  return {
    state: new Map(states.map(([k, v]) => [Number(k), v as ParameterState])),
    param_groups: groups as Record<string, unknown>[],
  };
}
