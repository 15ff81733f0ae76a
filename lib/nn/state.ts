// Reading and writing a module's state dict.
import { noGrad } from '../autograd/mode.js';
import { type ModuleMetadata, StateDict, Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { isLazy } from './parameter.js';
import { pyList, pySize, typeName } from './printing.js';
import { warn } from './warn.js';

/** What `loadStateDict` takes: a state dict, any map or plain object from names to tensors. */
export type StateDictLike = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

const EXTRA_STATE = '_extra_state';

/**
 * What `loadStateDict` found: `[missingKeys, unexpectedKeys]`, also by these names.
 * Prints `<All keys matched successfully>` when both are empty.
 */
export class IncompatibleKeys extends Tuple<string[]> {
  /** Names of the module that the state dict did not have. */
  declare readonly missingKeys: string[];
  /** Names of the state dict that the module does not have. */
  declare readonly unexpectedKeys: string[];

  constructor(missingKeys: string[], unexpectedKeys: string[]) {
    super();
    this.push(missingKeys, unexpectedKeys);
    // Not enumerable: the names are other ways to the two items.
    Object.defineProperties(this, { missingKeys: { value: missingKeys }, unexpectedKeys: { value: unexpectedKeys } });
  }

  override toString(): string {
    if (this.missingKeys.length === 0 && this.unexpectedKeys.length === 0) return '<All keys matched successfully>';
    return `_IncompatibleKeys(missing_keys=${pyList(this.missingKeys)}, unexpected_keys=${pyList(this.unexpectedKeys)})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Called before a state dict is made. */
export type StateDictPreHook<M = Module> = (module: M, prefix: string, keepVars: boolean) => void;
/** Called after; one registered through the private method may return another state dict. */
export type StateDictHook<M = Module> = (
  module: M,
  stateDict: StateDict,
  prefix: string,
  localMetadata: ModuleMetadata,
) => StateDict | null | void;
export interface StateDictEntry {
  hook: StateDictHook;
  mayReplace: boolean;
}
/** Called before a module takes its entries; may change the state dict and the lists of problems. */
export type LoadStateDictPreHook<M = Module> = (
  module: M,
  stateDict: StateDict,
  prefix: string,
  localMetadata: ModuleMetadata,
  strict: boolean,
  missingKeys: string[],
  unexpectedKeys: string[],
  errorMsgs: string[],
) => void;
/** Called after a module and its children took their entries; may change the lists of keys. */
export type LoadStateDictPostHook<M = Module> = (module: M, incompatibleKeys: IncompatibleKeys) => void;

/** How much of a state dict `stateDict` collects, and where. */
export interface StateDictOptions {
  /** A state dict to add to; default a new one. */
  destination?: StateDict | null;
  /** Put before every name; default ''. */
  prefix?: string;
  /** Whether parameters and buffers come as they are, with their history, not detached; default false. */
  keepVars?: boolean;
}

/** Whether a module's class has its own extra state, not Module's refusal. */
function hasExtraState(module: Module, method: 'getExtraState' | 'setExtraState', base: Module): boolean {
  return module[method] !== base[method];
}

/** `Module._saveToStateDict`: the entries of the module itself. `base` is Module.prototype. */
export function saveToStateDict(
  module: Module,
  base: Module,
  destination: StateDict,
  prefix: string,
  keepVars: boolean,
): void {
  for (const [name, param] of module._parameters) {
    if (param !== null) destination.set(prefix + name, keepVars || isLazy(param) ? param : param.detach());
  }
  for (const [name, buffer] of module._buffers) {
    if (buffer === null || module._nonPersistentBuffersSet.has(name)) continue;
    destination.set(prefix + name, keepVars || isLazy(buffer) ? buffer : buffer.detach());
  }
  if (hasExtraState(module, 'getExtraState', base)) destination.set(prefix + EXTRA_STATE, module.getExtraState());
}

/** `Module.stateDict`. */
export function collectStateDict(module: Module, version: number, options: StateDictOptions): StateDict {
  const { prefix = '', keepVars = false } = options;
  let destination = options.destination ?? null;
  if (destination === null) {
    destination = new StateDict();
    destination._metadata = new Map();
  }
  const localMetadata: ModuleMetadata = { version };
  destination._metadata?.set(prefix.slice(0, -1), localMetadata);
  for (const hook of [...module._stateDictPreHooks.values()]) hook(module, prefix, keepVars);
  module._saveToStateDict(destination, prefix, keepVars);
  for (const [name, child] of module._modules) {
    child?.stateDict({ destination, prefix: `${prefix}${name}.`, keepVars });
  }
  for (const { hook, mayReplace } of [...module._stateDictHooks.values()]) {
    const returned = hook(module, destination, prefix, localMetadata);
    if (returned === null || returned === undefined) continue;
    if (!mayReplace) throw new RuntimeError('state_dict post-hook must return None');
    destination = returned;
  }
  return destination;
}

/** `Module._loadFromStateDict`: takes the entries of the module itself. `base` is Module.prototype. */
export function loadFromStateDict(
  module: Module,
  base: Module,
  stateDict: StateDict,
  prefix: string,
  localMetadata: ModuleMetadata,
  strict: boolean,
  missingKeys: string[],
  unexpectedKeys: string[],
  errorMsgs: string[],
): void {
  for (const hook of [...module._loadStateDictPreHooks.values()]) {
    hook(module, stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMsgs);
  }
  const local = new Map<string, Tensor>();
  for (const [name, param] of module._parameters) if (param !== null) local.set(name, param);
  for (const [name, buffer] of module._buffers) {
    if (buffer !== null && !module._nonPersistentBuffersSet.has(name)) local.set(name, buffer);
  }
  const assign = localMetadata.assign_to_params_buffers === true;
  for (const [name, target] of local) {
    const key = prefix + name;
    if (stateDict.has(key)) {
      const problem = loadEntry(module, name, target, key, stateDict.get(key), assign);
      if (problem !== null) errorMsgs.push(problem);
    } else if (strict) {
      missingKeys.push(key);
    }
  }
  const extraKey = prefix + EXTRA_STATE;
  if (hasExtraState(module, 'setExtraState', base)) {
    if (stateDict.has(extraKey)) module.setExtraState(stateDict.get(extraKey));
    else if (strict) missingKeys.push(extraKey);
  } else if (strict && stateDict.has(extraKey)) {
    unexpectedKeys.push(extraKey);
  }
  if (!strict) return;
  for (const key of stateDict.keys()) {
    if (!key.startsWith(prefix) || key === extraKey) continue;
    const [first, ...rest] = key.slice(prefix.length).split('.');
    const known: { has(name: string): boolean } = rest.length > 0 ? module._modules : local;
    if (!known.has(first!)) unexpectedKeys.push(key);
  }
}

/** Copies one entry into a parameter or buffer, or puts it in its place; returns what is wrong, or null. */
function loadEntry(
  module: Module,
  name: string,
  target: Tensor,
  key: string,
  found: unknown,
  assign: boolean,
): string | null {
  if (!(found instanceof Tensor)) {
    return (
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but ` +
      `received ${typeName(found)}`
    );
  }
  const lazy = isLazy(target);
  let source: Tensor = found;
  if (!lazy) {
    // Files written before 0.4 have scalars as tensors of one element.
    if (target.ndim === 0 && source.ndim === 1 && source.shape[0] === 1) source = source.select(0, 0);
    if (source.ndim !== target.ndim || source.shape.some((n, d) => n !== target.shape[d])) {
      return (
        `size mismatch for ${key}: copying a param with shape ${pySize(source.shape)} from checkpoint, the shape in ` +
        `current model is ${pySize(target.shape)}.`
      );
    }
  }
  if (target.device.type === 'meta' && source.device.type !== 'meta' && !assign) {
    warn(
      `for ${key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, which is ` +
        'a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their corresponding key ' +
        'in the module instead of copying them in place?)',
    );
  }
  try {
    if (assign) assignEntry(module, name, target, source);
    else noGrad(() => target.copy_(source));
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const size = lazy ? 'unknown' : pySize(target.shape);
    return (
      `While copying the parameter named "${key}", whose dimensions in the model are ${size} and whose dimensions in the ` +
      `checkpoint are ${pySize(source.shape)}, an exception occurred : ('${message}',).`
    );
  }
}

function assignEntry(module: Module, name: string, target: Tensor, source: Tensor): void {
  let value = source;
  if (target instanceof Parameter) {
    if (value instanceof Parameter) value.requiresGrad_(target.requiresGrad);
    else value = new Parameter(value, target.requiresGrad);
  }
  (module as unknown as Record<string, unknown>)[name] = value;
}

/** A copy of a mapping that loading may change. */
function copyStateDict(state: unknown): StateDict {
  if (state instanceof Map) return copyEntries(state as Map<string, unknown>);
  const prototype: unknown = typeof state === 'object' && state !== null ? Object.getPrototypeOf(state) : undefined;
  if (prototype === Object.prototype || prototype === null) return copyEntries(Object.entries(state as object));
  throw new TypeError(`Expected state_dict to be dict-like, got ${typeName(state)}.`);
}

function copyEntries(entries: Iterable<readonly [string, unknown]>): StateDict {
  const copy = new StateDict();
  for (const [key, value] of entries) {
    if (typeof key !== 'string')
      throw new TypeError(`Expected the keys of state_dict to be strings, got ${typeName(key)}`);
    copy.set(key, value);
  }
  return copy;
}

/** `Module.loadStateDict`. */
export function loadStateDict(root: Module, state: StateDictLike, strict: boolean, assign: boolean): IncompatibleKeys {
  const full = copyStateDict(state);
  const metadata = state instanceof StateDict ? state._metadata : undefined;
  if (metadata !== undefined) full._metadata = metadata;
  const missingKeys: string[] = [];
  const unexpectedKeys: string[] = [];
  const errorMsgs: string[] = [];

  const load = (module: Module, local: StateDict, prefix: string): void => {
    const localMetadata: ModuleMetadata = { ...metadata?.get(prefix.slice(0, -1)) };
    if (assign) localMetadata.assign_to_params_buffers = true;
    module._loadFromStateDict(local, prefix, localMetadata, true, missingKeys, unexpectedKeys, errorMsgs);
    for (const [name, child] of module._modules) {
      if (child === null) continue;
      const childPrefix = `${prefix}${name}.`;
      const childState = new StateDict();
      for (const [key, value] of local) if (key.startsWith(childPrefix)) childState.set(key, value);
      load(child, childState, childPrefix);
    }
    const keys = new IncompatibleKeys(missingKeys, unexpectedKeys);
    for (const hook of [...module._loadStateDictPostHooks.values()]) {
      if ((hook(module, keys) as unknown) !== undefined) {
        throw new RuntimeError(
          'Hooks registered with `registerLoadStateDictPostHook` are not expected to return new values, if ' +
            'incompatibleKeys need to be modified, it should be done inplace.',
        );
      }
    }
  };
  load(root, full, '');

  const quoted = (keys: readonly string[]): string => keys.map((k) => `"${k}"`).join(', ');
  if (strict) {
    if (unexpectedKeys.length > 0) errorMsgs.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpectedKeys)}. `);
    if (missingKeys.length > 0) errorMsgs.unshift(`Missing key(s) in state_dict: ${quoted(missingKeys)}. `);
  }
  if (errorMsgs.length > 0) {
    throw new RuntimeError(`Error(s) in loading state_dict for ${root._getName()}:\n\t${errorMsgs.join('\n\t')}`);
  }
  return new IncompatibleKeys(missingKeys, unexpectedKeys);
}
