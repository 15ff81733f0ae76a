// Modules that learn the shapes of their parameters from their first input.
import { noGrad } from '../autograd/mode.js';
import { RuntimeError } from '../core/errors.js';
import { addHook } from './hooks.js';
import type { Module } from './module.js';
import { isLazy } from './parameter.js';

/** A module whose class can give its parameters a shape. */
export interface LazyModule extends Module {
  /** Gives the parameters their shapes from the first call's arguments, and their values. Does nothing the second time. */
  initializeParameters(...args: unknown[]): void;
}

/** Whether a module has parameters or buffers of its own that wait for their shape. */
export function hasUninitializedParams(module: Module): boolean {
  return [...module._parameters.values(), ...module._buffers.values()].some(isLazy);
}

/**
 * Makes a module lazy; called at the end of a lazy class's constructor. Its first call initialises it and turns it into an
 * ordinary module; loading a state dict gives it the shapes found there.
 * @param becomes the class that it has from then on.
 */
export function makeLazy(module: LazyModule, becomes: { readonly prototype: Module }): void {
  const load = addHook(module._loadStateDictPreHooks, (owner, state, prefix) => {
    for (const [name, value] of [...owner._parameters, ...owner._buffers]) {
      const found = state.get(prefix + name) as { shape: readonly number[] } | undefined;
      if (value === null || found === undefined || !isLazy(value) || isLazy(found)) continue;
      noGrad(() => value.materialize(found.shape));
    }
  });
  const hook = (owner: Module, args: unknown[]): void => {
    (owner as LazyModule).initializeParameters(...args);
    if (hasUninitializedParams(owner))
      throw new RuntimeError(`module ${owner._getName()} has not been fully initialized`);
    // By their numbers: a deep copy has the hooks under the same ones, in registries of its own.
    owner._forwardPreHooks.delete(initialize.id);
    owner._loadStateDictPreHooks.delete(load.id);
    Object.setPrototypeOf(owner, becomes.prototype);
  };
  const initialize = addHook(module._forwardPreHooks, { hook, withKwargs: false });
}

/** Whether a module's class is lazy: after its first call it has another one. */
export function isLazyModule(module: Module): module is LazyModule {
  return 'initializeParameters' in module;
}

/** @internal Makes a module lazy whose constructor was not run. */
export function relazy(module: LazyModule): void {
  let prototype = Object.getPrototypeOf(module) as object;
  while (!Object.hasOwn(prototype, 'initializeParameters')) prototype = Object.getPrototypeOf(prototype) as object;
  // Every lazy class extends the one that its modules become.
  makeLazy(module, { prototype: Object.getPrototypeOf(prototype) as Module });
}
