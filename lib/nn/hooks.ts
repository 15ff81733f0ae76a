// Hooks of modules: their types, and the hooks that all modules share.
import { RemovableHandle } from '../autograd/handle.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { bound } from './module_options.js';

export { RemovableHandle };

/** The named arguments of a call: its trailing plain object. */
export type Kwargs = Record<string, unknown>;
/** One gradient per positional argument or output; null where there is none. */
export type Gradients = readonly (Tensor | null)[];

export type ForwardPreHook = (module: Module, args: unknown[]) => unknown;
export type ForwardPreHookWithKwargs = (module: Module, args: unknown[], kwargs: Kwargs) => unknown;
export type ForwardHook = (module: Module, args: unknown[], output: unknown) => unknown;
export type ForwardHookWithKwargs = (module: Module, args: unknown[], kwargs: Kwargs, output: unknown) => unknown;
/** May return the gradients that replace `gradOutput`. */
export type BackwardPreHook<M = Module> = (module: M, gradOutput: Gradients) => Gradients | Tensor | null | void;
/** May return the gradients that replace `gradInput`. */
export type BackwardHook<M = Module> = (
  module: M,
  gradInput: Gradients,
  gradOutput: Gradients,
) => Gradients | Tensor | null | void;

export interface ForwardPreEntry {
  hook: ForwardPreHook | ForwardPreHookWithKwargs;
  withKwargs: boolean;
}
export interface ForwardEntry {
  hook: ForwardHook | ForwardHookWithKwargs;
  withKwargs: boolean;
  alwaysCall: boolean;
}

/** Hooks of one kind by id, in the order in which they run. */
export type HookMap<Entry> = Map<number, Entry>;

/** Adds a hook behind the others, or before them with `prepend`. */
export function addHook<Entry>(hooks: HookMap<Entry>, entry: Entry, prepend = false): RemovableHandle {
  const handle = new RemovableHandle(hooks);
  if (!prepend) {
    hooks.set(handle.id, entry);
    return handle;
  }
  const others = [...hooks];
  hooks.clear();
  hooks.set(handle.id, entry);
  for (const [id, other] of others) hooks.set(id, other);
  return handle;
}

/**
 * Checks a hook for the functions that register it.
 * @throws TypeError unless `hook` is a function.
 */
export function checkHook(fn: string, hook: unknown): void {
  if (typeof hook !== 'function')
    throw new TypeError(`${fn}(): argument 'hook' must be a function, not ${typeof hook}`);
}

export const globalForwardPreHooks: HookMap<ForwardPreEntry> = new Map();
export const globalForwardHooks: HookMap<ForwardEntry> = new Map();
export const globalBackwardPreHooks: HookMap<BackwardPreHook> = new Map();
export const globalBackwardHooks: HookMap<BackwardHook> = new Map();

type BufferRegistrationHook = (module: Module, name: string, buffer: Tensor | null) => Tensor | null | void;
type ModuleRegistrationHook = (module: Module, name: string, submodule: Module | null) => Module | null | void;
type ParameterRegistrationHook = (module: Module, name: string, parameter: Tensor) => Tensor | null | void;

export const bufferRegistrationHooks: HookMap<BufferRegistrationHook> = new Map();
export const moduleRegistrationHooks: HookMap<ModuleRegistrationHook> = new Map();
export const parameterRegistrationHooks: HookMap<ParameterRegistrationHook> = new Map();

/**
 * Registers a forward pre-hook of all modules; it runs before those of the single module.
 * @param hook called as `hook(module, args)`; a value other than null or undefined replaces the arguments.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleForwardPreHook(hook: ForwardPreHook): RemovableHandle {
  checkHook('registerModuleForwardPreHook', hook);
  return addHook(globalForwardPreHooks, { hook, withKwargs: false });
}

/**
 * Registers a forward hook of all modules; it runs before those of the single module.
 * @param hook called as `hook(module, args, output)`; a value other than null or undefined replaces the output.
 * @param options `withKwargs` (default false): called as `hook(module, args, kwargs, output)`;
 *   `alwaysCall` (default false): runs also when forward throws.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleForwardHook(
  hook: ForwardHook | ForwardHookWithKwargs,
  options: { withKwargs?: boolean; alwaysCall?: boolean } = {},
): RemovableHandle {
  const [, withKwargs, alwaysCall] = bound.moduleForwardHook([hook, options]);
  return addHook(globalForwardHooks, { hook, withKwargs, alwaysCall });
}

/**
 * Registers a backward pre-hook of all modules: see `Module.registerFullBackwardPreHook`.
 * @param hook called as `hook(module, gradOutput)`; an array of as many gradients that it returns replaces `gradOutput`.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleFullBackwardPreHook(hook: BackwardPreHook): RemovableHandle {
  checkHook('registerModuleFullBackwardPreHook', hook);
  return addHook(globalBackwardPreHooks, hook);
}

/**
 * Registers a backward hook of all modules: see `Module.registerFullBackwardHook`.
 * @param hook called as `hook(module, gradInput, gradOutput)`; an array of as many gradients that it
 *   returns replaces `gradInput`.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleFullBackwardHook(hook: BackwardHook): RemovableHandle {
  checkHook('registerModuleFullBackwardHook', hook);
  return addHook(globalBackwardHooks, hook);
}

/**
 * Registers a hook that sees, and may replace, every buffer before it is registered.
 * @param hook called as `hook(module, name, buffer)`; a tensor that it returns is registered instead.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleBufferRegistrationHook(hook: BufferRegistrationHook): RemovableHandle {
  checkHook('registerModuleBufferRegistrationHook', hook);
  return addHook(bufferRegistrationHooks, hook);
}

/**
 * Registers a hook that sees, and may replace, every submodule before it is registered.
 * @param hook called as `hook(module, name, submodule)`; a module that it returns is registered instead.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleModuleRegistrationHook(hook: ModuleRegistrationHook): RemovableHandle {
  checkHook('registerModuleModuleRegistrationHook', hook);
  return addHook(moduleRegistrationHooks, hook);
}

/**
 * Registers a hook that sees, and may replace, every parameter before it is registered.
 * @param hook called as `hook(module, name, parameter)`; a parameter that it returns is registered instead.
 * @returns a handle whose `remove()` ends it
 * @throws TypeError unless the hook is a function
 */
export function registerModuleParameterRegistrationHook(hook: ParameterRegistrationHook): RemovableHandle {
  checkHook('registerModuleParameterRegistrationHook', hook);
  return addHook(parameterRegistrationHooks, hook);
}
