// The part of Module that registers hooks.
import type { ModuleMetadata, StateDict } from '../core/containers.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  addHook,
  type BackwardHook,
  type BackwardPreHook,
  checkHook,
  type ForwardEntry,
  type ForwardHook,
  type ForwardPreEntry,
  type ForwardPreHook,
  type Gradients,
  type HookMap,
  type Kwargs,
  type RemovableHandle,
} from './hooks.js';
import { bound } from './module_options.js';
import type {
  LoadStateDictPostHook,
  LoadStateDictPreHook,
  StateDictEntry,
  StateDictHook,
  StateDictPreHook,
} from './state.js';

/** What a hook may return: a value that takes another's place, or nothing. */
type Replacement<T> = T | null | void;

type DropFirst<F> = F extends (first: never, ...rest: infer Rest) => infer R ? (...rest: Rest) => R : never;

/**
 * What a module whose class is not known takes and returns. With `unknown`, no `forward(x: Tensor)` could stand for it, since
 * the parameters of a call are compared contravariantly; with `never`, it could not be called.
 */
// biome-ignore lint/suspicious/noExplicitAny: the one type that both accepts every forward and can be called
export type Unchecked = any;

/** What Module inherits: its hooks and the methods that register them. */
export abstract class HookedModule {
  /** @internal */ declare _forwardPreHooks: HookMap<ForwardPreEntry>;
  /** @internal */ declare _forwardHooks: HookMap<ForwardEntry>;
  /** @internal */ declare _backwardPreHooks: HookMap<BackwardPreHook>;
  /** @internal */ declare _backwardHooks: HookMap<BackwardHook>;
  /** @internal */ declare _stateDictPreHooks: HookMap<StateDictPreHook>;
  /** @internal */ declare _stateDictHooks: HookMap<StateDictEntry>;
  /** @internal */ declare _loadStateDictPreHooks: HookMap<LoadStateDictPreHook>;
  /** @internal */ declare _loadStateDictPostHooks: HookMap<LoadStateDictPostHook>;

  /** What the module computes. */
  abstract forward(...inputs: Unchecked[]): Unchecked;

  /**
   * Registers a hook that runs before `forward`.
   * @param hook called as `hook(module, args)`, or `hook(module, args, kwargs)` with `withKwargs`, where `kwargs` is the
   *   call's trailing plain object. An array it returns replaces the arguments, any other value is the one argument; with
   *   `withKwargs` it returns `[args, kwargs]`.
   * @param options `prepend` (default false): run before the module's other pre-hooks; `withKwargs` (default false).
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerForwardPreHook(
    hook: (module: this, args: Parameters<this['forward']>) => readonly unknown[] | Tensor | null | void,
    options?: { prepend?: boolean; withKwargs?: false },
  ): RemovableHandle;
  registerForwardPreHook(
    hook: (module: this, args: unknown[], kwargs: Kwargs) => Replacement<readonly [unknown[], Kwargs]>,
    options: { prepend?: boolean; withKwargs: boolean },
  ): RemovableHandle;
  registerForwardPreHook(hook: unknown, options: { prepend?: boolean; withKwargs?: boolean } = {}): RemovableHandle {
    const [, prepend, withKwargs] = bound.forwardPreHook([hook, options]);
    return addHook(this._forwardPreHooks, { hook: hook as ForwardPreHook, withKwargs }, prepend);
  }

  /**
   * Registers a hook that runs after `forward`.
   * @param hook called as `hook(module, args, output)`, or `hook(module, args, kwargs, output)` with `withKwargs`. What it
   *   returns (unless null or undefined) replaces the output.
   * @param options `prepend` (default false): run before the module's other forward hooks; `withKwargs` (default false);
   *   `alwaysCall` (default false): run also when `forward` or a hook throws.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerForwardHook(
    hook: (
      module: this,
      args: Parameters<this['forward']>,
      output: ReturnType<this['forward']>,
    ) => Replacement<ReturnType<this['forward']>>,
    options?: { prepend?: boolean; withKwargs?: false; alwaysCall?: boolean },
  ): RemovableHandle;
  registerForwardHook(
    hook: (
      module: this,
      args: unknown[],
      kwargs: Kwargs,
      output: ReturnType<this['forward']>,
    ) => Replacement<ReturnType<this['forward']>>,
    options: { prepend?: boolean; withKwargs: boolean; alwaysCall?: boolean },
  ): RemovableHandle;
  registerForwardHook(
    hook: unknown,
    options: { prepend?: boolean; withKwargs?: boolean; alwaysCall?: boolean } = {},
  ): RemovableHandle {
    const [, prepend, withKwargs, alwaysCall] = bound.forwardHook([hook, options]);
    return addHook(this._forwardHooks, { hook: hook as ForwardHook, withKwargs, alwaysCall }, prepend);
  }

  /**
   * Registers a hook that runs before the module's part of backward.
   * @param hook called as `hook(module, gradOutput)`; an array of as many gradients that it returns replaces `gradOutput`.
   * @param prepend whether it runs before the module's other ones; default false. Also as `{ prepend }`.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerFullBackwardPreHook(
    hook: (module: this, gradOutput: Gradients) => Replacement<Gradients | Tensor>,
    prepend?: boolean | { prepend?: boolean },
  ): RemovableHandle {
    const [, first] = bound.fullBackwardPreHook([hook, prepend]);
    return addHook(this._backwardPreHooks, hook as unknown as BackwardPreHook, first);
  }

  /**
   * Registers a hook that runs when the gradients with respect to the module's inputs are known. Inputs and outputs must not
   * be changed in place while it is registered.
   * @param hook called as `hook(module, gradInput, gradOutput)` with one gradient (or null) per positional argument; an array
   *   of as many that it returns replaces `gradInput`.
   * @param prepend whether it runs before the module's other ones; default false. Also as `{ prepend }`.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerFullBackwardHook(
    hook: (module: this, gradInput: Gradients, gradOutput: Gradients) => Replacement<Gradients | Tensor>,
    prepend?: boolean | { prepend?: boolean },
  ): RemovableHandle {
    const [, first] = bound.fullBackwardHook([hook, prepend]);
    return addHook(this._backwardHooks, hook as unknown as BackwardHook, first);
  }

  /**
   * Registers a hook that runs before `stateDict` collects.
   * @param hook called as `hook(module, prefix, keepVars)`
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerStateDictPreHook(hook: (module: this, prefix: string, keepVars: boolean) => void): RemovableHandle {
    checkHook('registerStateDictPreHook', hook);
    return addHook(this._stateDictPreHooks, hook as unknown as StateDictPreHook);
  }

  /**
   * Registers a hook that runs after `stateDict` collected the module's entries and those below.
   * @param hook called as `hook(module, stateDict, prefix, localMetadata)`. It may change the state dict and must return nothing.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerStateDictPostHook(
    hook: (module: this, stateDict: StateDict, prefix: string, localMetadata: ModuleMetadata) => null | void,
  ): RemovableHandle {
    checkHook('registerStateDictPostHook', hook);
    return addHook(this._stateDictHooks, { hook: hook as unknown as StateDictHook, mayReplace: false });
  }

  /** @internal As `registerStateDictPostHook`, for hooks that may return another state dict. */
  _registerStateDictHook(hook: StateDictHook): RemovableHandle {
    checkHook('_registerStateDictHook', hook);
    return addHook(this._stateDictHooks, { hook, mayReplace: true });
  }

  /**
   * Registers a hook that runs before the module takes its entries of a state dict.
   * @param hook called as `hook(module, stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs)`. It
   *   may change what it is given.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerLoadStateDictPreHook(hook: LoadStateDictPreHook<this>): RemovableHandle {
    checkHook('registerLoadStateDictPreHook', hook);
    return addHook(this._loadStateDictPreHooks, hook as unknown as LoadStateDictPreHook);
  }

  /** @internal As `registerLoadStateDictPreHook`; the hook does not get the module. */
  _registerLoadStateDictPreHook(hook: DropFirst<LoadStateDictPreHook>): RemovableHandle {
    checkHook('_registerLoadStateDictPreHook', hook);
    return addHook(this._loadStateDictPreHooks, (_module, ...rest) => hook(...rest));
  }

  /**
   * Registers a hook that runs after the module and those below took their entries.
   * @param hook called as `hook(module, incompatibleKeys)`. It may change the lists of keys and must return nothing.
   * @returns a handle whose `remove()` ends it
   * @throws TypeError unless the hook is a function
   */
  registerLoadStateDictPostHook(hook: LoadStateDictPostHook<this>): RemovableHandle {
    checkHook('registerLoadStateDictPostHook', hook);
    return addHook(this._loadStateDictPostHooks, hook as unknown as LoadStateDictPostHook);
  }
}

// Modules are functions: `call` and `bind` work on them. PyTorch's `apply` hides Function's.
Object.setPrototypeOf(HookedModule.prototype, Function.prototype);
