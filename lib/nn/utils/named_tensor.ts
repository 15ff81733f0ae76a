// What the utilities that compute a module's tensor from others share: attributes by name, and hooks that belong to an object.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { Tensor } from '../../tensor/tensor.js';
import { addHook, type ForwardPreHook } from '../hooks.js';
import { Module } from '../module.js';
import { deleteNamed } from '../module_attributes.js';

/** The attribute `module[name]`. */
export function attribute(module: Module, name: string): unknown {
  return (module as unknown as Record<string, unknown>)[name];
}

/** @throws TypeError unless `module`, which the function `fn` was given, is a module. */
export function neededModule(fn: string, module: unknown, argument = 'module'): void {
  if (!(module instanceof Module))
    throw new TypeError(`${fn}(): argument '${argument}' must be a Module, not ${kindOf(module)}`);
}

/**
 * The tensor `module[name]` that a utility is asked to work on.
 * @throws TypeError unless `module` is a module; RuntimeError if it has no tensor of that name.
 */
export function neededTensor(fn: string, module: Module, name: string): Tensor {
  neededModule(fn, module);
  const found = attribute(module, name);
  if (found instanceof Tensor) return found;
  throw new RuntimeError(
    found === undefined
      ? `'${module._getName()}' object has no attribute '${name}'`
      : `the attribute '${name}' of ${module._getName()} is ${kindOf(found)}, not a Tensor`,
  );
}

/** The tensor `module[name]`, for names that were checked before. */
export function tensorAttribute(module: Module, name: string): Tensor {
  return attribute(module, name) as Tensor;
}

/** `module[name] = value`, with the rules of Module for what is registered. */
export function setAttribute(module: Module, name: string, value: unknown): void {
  (module as unknown as Record<string, unknown>)[name] = value;
}

/** `delattr(module, name)`. */
export function deleteAttribute(module: Module, name: string): void {
  deleteNamed(module, name);
}

/** An object that acts before every forward of the modules it was applied to. */
export interface PreForward {
  /** @internal Called with the module and the arguments of its call. */
  beforeForward(module: Module, inputs: unknown[]): void;
}

/** Whose hook a function is: hooks are functions, and the owner must be found again to be removed. */
const owners = new WeakMap<object, PreForward>();

/** Registers `owner.beforeForward` as a forward pre-hook of the module. */
export function addOwnedHook(module: Module, owner: PreForward): void {
  const hook: ForwardPreHook = (m, inputs) => owner.beforeForward(m, inputs);
  owners.set(hook, owner);
  addHook(module._forwardPreHooks, { hook, withKwargs: false });
}

/** The owners of a class among the module's forward pre-hooks, with the numbers of their hooks. */
export function ownedHooks<T extends PreForward>(
  module: Module,
  kind: abstract new (...args: never[]) => T,
): [id: number, owner: T][] {
  const found: [number, T][] = [];
  for (const [id, { hook }] of module._forwardPreHooks) {
    const owner = owners.get(hook);
    if (owner instanceof kind) found.push([id, owner]);
  }
  return found;
}
