// What assigning to an attribute of a module means: parameters, submodules and buffers are registered, the rest is stored.
//
// A module is a Proxy over a function, so that `model(x)` works. The registries are the truth; every entry is also a plain
// property of the function, so that reading an attribute needs no trap. Only writing goes through the code below.
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';
import { bufferRegistrationHooks, moduleRegistrationHooks, parameterRegistrationHooks } from './hooks.js';
import { callModule } from './module_call.js';
import type { Module } from './module.js';
import { Buffer } from './parameter.js';
import { typeName } from './printing.js';

/** Marks Module.prototype: tells a module from a function without importing the class. */
export const IS_MODULE = Symbol('module');
/** A list container's own rule for `list[i] = value`; returns whether it took the value. */
export const SET_INDEX = Symbol('setIndex');
/** A list container's own rule for `delete list[i]`. */
export const DELETE_INDEX = Symbol('deleteIndex');

/** Whether a value is a module. */
export function isModule(value: unknown): value is Module {
  return typeof value === 'function' && IS_MODULE in value;
}

/**
 * Names that a class of ours has and PyTorch's does not (`toString`, `Sequential.at`): a child may have such a name, as
 * checkpoints from PyTorch do. It is then reached through `getSubmodule` and the registry, and the method stays.
 */
const NAMES_OF_JAVASCRIPT = new Set(
  'constructor toString toJSON name length size get set has delete at slice entries concat repeat'.split(' '),
);

/** Whether a name is a position in a container: then it is never a method's. */
function isPosition(name: string): boolean {
  return /^\d+$/.test(name);
}

/** A module's parameters, buffers or submodules by name, null for names that are reserved. */
export class Registry<V> extends Map<string, V | null> {
  readonly #owner: object;

  constructor(owner: object) {
    super();
    this.#owner = owner;
  }

  override set(name: string, value: V | null): this {
    super.set(name, value);
    const own = Object.getOwnPropertyDescriptor(this.#owner, name);
    // A method or accessor of the class wins over the child, as a class attribute does in Python.
    if (own ? own.get !== undefined : !isPosition(name) && name in Object.getPrototypeOf(this.#owner)) return this;
    Object.defineProperty(this.#owner, name, { value, writable: true, enumerable: true, configurable: true });
    return this;
  }

  override delete(name: string): boolean {
    const found = super.delete(name);
    if (found && Object.getOwnPropertyDescriptor(this.#owner, name)?.get === undefined) {
      Reflect.deleteProperty(this.#owner, name);
    }
    return found;
  }

  override clear(): void {
    for (const name of [...this.keys()]) this.delete(name);
  }

  /** Puts other entries in the place of all. */
  replace(entries: Iterable<readonly [string, V | null]>): void {
    const next = [...entries];
    this.clear();
    for (const [name, value] of next) this.set(name, value);
  }
}

/** Whether a module has an attribute, its methods included. */
export function hasAttribute(module: Module, name: string): boolean {
  if (module._parameters.has(name) || module._buffers.has(name) || module._modules.has(name)) return true;
  const own = Object.getOwnPropertyDescriptor(module, name);
  // A field that is declared without a value is undefined: there is no attribute yet. Every function has a `name` and a
  // `length` of its own; they are no attributes until somebody assigns them.
  const declared = own !== undefined && 'value' in own && own.value === undefined;
  if (own && !declared && (own.enumerable || !NAMES_OF_JAVASCRIPT.has(name))) return true;
  for (let p: object = Object.getPrototypeOf(module); p !== Function.prototype; p = Object.getPrototypeOf(p)) {
    if (Object.hasOwn(p, name)) return !NAMES_OF_JAVASCRIPT.has(name) && !isPosition(name);
  }
  return false;
}

/** The value of an attribute; a child is found under its name even where a method hides it. */
export function getAttribute(module: Module, name: string): unknown {
  for (const registry of [module._parameters, module._buffers, module._modules]) {
    if (registry.has(name)) return registry.get(name);
  }
  return (module as unknown as Record<string, unknown>)[name];
}

function checkName(kind: string, name: unknown, module: Module, registry: Map<string, unknown>): void {
  if (typeof name !== 'string') throw new TypeError(`${kind} name should be a string. Got ${typeName(name)}`);
  // PyTorch looks for a taken name before it looks at a submodule's name, and after it for the other kinds.
  const taken = hasAttribute(module, name) && !registry.has(name);
  if (kind === 'module' && taken) throw new RuntimeError(`attribute '${name}' already exists`);
  if (name.includes('.')) {
    throw new RuntimeError(`${kind} name can't contain "."${kind === 'module' ? `, got: ${name}` : ''}`);
  }
  if (name === '') throw new RuntimeError(`${kind} name can't be empty string ""`);
  if (taken) throw new RuntimeError(`attribute '${name}' already exists`);
}

/** `Module.registerParameter`. */
export function registerParameter(module: Module, name: string, value: Parameter | null): void {
  checkName('parameter', name, module, module._parameters);
  if (value === null) {
    module._parameters.set(name, null);
    return;
  }
  if (!(value instanceof Parameter)) {
    throw new TypeError(
      `cannot assign '${typeName(value)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
    );
  }
  if (value.gradFn !== null) {
    throw new RuntimeError(
      `Cannot assign non-leaf Tensor to parameter '${name}'. Model parameters must be created explicitly. To express ` +
        `'${name}' as a function of another Tensor, compute the value in the forward() method.`,
    );
  }
  let param: Tensor = value;
  for (const hook of [...parameterRegistrationHooks.values()]) param = hook(module, name, param) ?? param;
  module._parameters.set(name, param as Parameter);
}

/** `Module.registerBuffer`. */
export function registerBuffer(module: Module, name: string, value: Tensor | null, persistent: boolean): void {
  checkName('buffer', name, module, module._buffers);
  if (value !== null && !(value instanceof Tensor)) {
    throw new TypeError(
      `cannot assign '${typeName(value)}' object to buffer '${name}' (torch Tensor or None required)`,
    );
  }
  let buffer: Tensor | null = value;
  for (const hook of [...bufferRegistrationHooks.values()]) buffer = hook(module, name, buffer) ?? buffer;
  module._buffers.set(name, buffer);
  if (persistent) module._nonPersistentBuffersSet.delete(name);
  else module._nonPersistentBuffersSet.add(name);
}

/** `Module.addModule`. */
export function registerModule(module: Module, name: string, child: Module | null): void {
  if (child !== null && !isModule(child)) throw new TypeError(`${typeName(child)} is not a Module subclass`);
  checkName('module', name, module, module._modules);
  setModule(module, name, child);
}

function setModule(module: Module, name: string, child: Module | null): void {
  let value = child;
  for (const hook of [...moduleRegistrationHooks.values()]) value = hook(module, name, value) ?? value;
  module._modules.set(name, value);
}

/** The error for a value that a registered name cannot take. */
function refusal(value: unknown, name: string, kind: string, expected: string): TypeError {
  // The commonest cause in TypeScript is a field that a subclass declares again without a value.
  const hint = value === undefined ? `; write \`declare ${name}: ...\` to declare the type of a field only` : '';
  return new TypeError(`cannot assign '${typeName(value)}' as ${kind} '${name}' (${expected} or None expected)${hint}`);
}

/** Makes room for `name` in one registry: takes it out of the others. */
function claim(raw: Module, name: string, registry: Registry<unknown>): void {
  if (registry !== raw._parameters) raw._parameters.delete(name);
  if (registry !== raw._modules) raw._modules.delete(name);
  raw._buffers.delete(name);
  raw._nonPersistentBuffersSet.delete(name);
}

/** `module[name] = value` for a string name. */
function setAttribute(
  raw: Module,
  module: Module,
  name: string,
  value: unknown,
  descriptor: PropertyDescriptor,
): boolean {
  if (raw[SET_INDEX] !== undefined && isPosition(name) && module[SET_INDEX]!(name, value)) return true;
  if (value instanceof Parameter) {
    claim(raw, name, raw._parameters as Registry<unknown>);
    // Reserving the name first lets a plain attribute be replaced without deleting a property of the function.
    const reserved = Object.hasOwn(raw, name) && !raw._parameters.has(name);
    if (reserved) raw._parameters.set(name, null);
    module.registerParameter(name, value);
  } else if (raw._parameters.has(name)) {
    if (value !== null) throw refusal(value, name, 'parameter', 'torch.nn.Parameter');
    module.registerParameter(name, null);
  } else if (isModule(value)) {
    claim(raw, name, raw._modules as Registry<unknown>);
    setModule(module, name, value);
  } else if (raw._modules.has(name)) {
    if (value !== null) throw refusal(value, name, 'child module', 'torch.nn.Module');
    setModule(module, name, null);
  } else if (value instanceof Buffer || raw._buffers.has(name)) {
    if (value !== null && !(value instanceof Tensor))
      throw refusal(value, name, 'buffer', 'torch.nn.Buffer, torch.Tensor');
    const persistent = value instanceof Buffer ? value.persistent : !raw._nonPersistentBuffersSet.has(name);
    module.registerBuffer(name, value, persistent);
  } else if (value instanceof Map && (name === '_parameters' || name === '_buffers' || name === '_modules')) {
    (raw[name] as Registry<unknown>).replace(value as Map<string, unknown>);
  } else {
    return Reflect.defineProperty(raw, name, descriptor);
  }
  return true;
}

/** `delete module[name]`. */
function deleteAttribute(raw: Module, name: string): boolean {
  if (raw._parameters.delete(name) || raw._modules.delete(name)) return true;
  if (raw._buffers.delete(name)) {
    raw._nonPersistentBuffersSet.delete(name);
    return true;
  }
  return Reflect.deleteProperty(raw, name);
}

/** Which proxy belongs to a function; the traps know only the function. */
const proxies = new WeakMap<Module, Module>();

/** Whether `definePlain` is at work. */
let unregistered = false;

/** @internal Sets an attribute as it is: a parameter or module among such attributes is not registered. */
export function definePlain(module: Module, name: string, value: unknown): void {
  unregistered = true;
  try {
    Object.defineProperty(module, name, { value, writable: true, enumerable: true, configurable: true });
  } finally {
    unregistered = false;
  }
}

/** Whether `deleteNamed` is at work. */
let byName = false;

/** @internal Takes an attribute away by its name, also in a list container, where `delete` of a number means a position. */
export function deleteNamed(module: Module, name: string): void {
  byName = true;
  try {
    Reflect.deleteProperty(module, name);
  } finally {
    byName = false;
  }
}

const handler: ProxyHandler<Module> = {
  // Class fields and `this.x = value` both end here.
  defineProperty(raw, key, descriptor) {
    const plain = unregistered || typeof key === 'symbol' || !('value' in descriptor);
    if (plain) return Reflect.defineProperty(raw, key, descriptor);
    return setAttribute(raw, proxies.get(raw)!, key, descriptor.value, descriptor);
  },
  deleteProperty(raw, key) {
    if (typeof key === 'symbol') return Reflect.deleteProperty(raw, key);
    if (raw[DELETE_INDEX] === undefined || byName || !isPosition(key)) return deleteAttribute(raw, key);
    proxies.get(raw)![DELETE_INDEX]!(Number(key));
    return true;
  },
  // A function's own `name` and `length` are read-only, which ends an ordinary assignment before it is defined.
  set(raw, key, value, receiver) {
    if ((key !== 'name' && key !== 'length') || Object.getOwnPropertyDescriptor(raw, key)?.get !== undefined) {
      return Reflect.set(raw, key, value, receiver);
    }
    const descriptor = { value: value as unknown, writable: true, enumerable: true, configurable: true };
    return setAttribute(raw, proxies.get(raw)!, key, value, descriptor);
  },
};

/** What a new module starts with. */
function initialise(raw: Module): void {
  raw.training = true;
  raw._parameters = new Registry<Parameter>(raw);
  raw._buffers = new Registry<Tensor>(raw);
  raw._nonPersistentBuffersSet = new Set();
  raw._modules = new Registry<Module>(raw);
  raw._forwardPreHooks = new Map();
  raw._forwardHooks = new Map();
  raw._backwardPreHooks = new Map();
  raw._backwardHooks = new Map();
  raw._stateDictPreHooks = new Map();
  raw._stateDictHooks = new Map();
  raw._loadStateDictPreHooks = new Map();
  raw._loadStateDictPostHooks = new Map();
  raw._compiledCall = null;
}

/** A callable object with the given prototype and empty registries: what `new Module()` returns. */
export function createModule(prototype: object): Module {
  const raw = ((...args: unknown[]): unknown => callModule(raw, module, args)) as unknown as Module;
  Object.setPrototypeOf(raw, prototype);
  initialise(raw);
  const module = new Proxy(raw, handler);
  proxies.set(raw, module);
  return module;
}
