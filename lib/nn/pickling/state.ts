// A module as PyTorch pickles it: its class, and its `__dict__` with registries, hooks and settings.
import { StateDict } from '../../core/containers.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { WholeFloat } from '../../serialization/nodes.js';
import { entriesOf, marked, markOf } from '../../serialization/python.js';
import { safeNameOf } from '../../serialization/safe_globals.js';
import { Tensor } from '../../tensor/tensor.js';
import { definePositions, Sequential } from '../containers/sequential.js';
import { Module } from '../module.js';
import { createModule, definePlain, isModule } from '../module_attributes.js';
import { Parameter } from '../parameter.js';
import { isParametrized } from '../utils/parametrize.js';
import { adopt, derived, isDerived, isPlainNull } from './derived.js';
import { isHooks, readHooks, writeHooks } from './hooks.js';
import { readAttribute } from './kinds.js';
import { rowOf, rowsByPrototype } from './table.js';

type Dict = ReadonlyMap<string, unknown>;

/** What every module has of its own: never a name of a parameter, buffer, submodule or attribute. */
let reserved: ReadonlySet<string> | undefined;

function isReserved(name: string): boolean {
  reserved ??= new Set(Object.keys(createModule(Module.prototype)));
  return reserved.has(name);
}

/** Attributes of PyTorch's modules that hold registries and hooks, not settings. */
const REGISTRIES = new Set([
  'training',
  '_parameters',
  '_buffers',
  '_modules',
  '_non_persistent_buffers_set',
  // Which backend, and what torch.compile made: of older versions, and never of use here.
  '_backend',
  '_compiled_call_impl',
]);

/** A dict with string keys as loaded: a plain object or an OrderedDict. */
function dictOf(value: unknown, what: string): Dict {
  if (value instanceof StateDict) return value as Dict;
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Map)) {
    return new Map(entriesOf(value as Record<string, unknown>));
  }
  throw new RuntimeError(`the file holds a module with a malformed ${what}`);
}

function register<V>(
  state: Dict,
  kind: '_parameters' | '_buffers' | '_modules',
  target: Map<string, V | null>,
  test: (value: unknown) => boolean,
): void {
  for (const [name, value] of dictOf(state.get(kind) ?? {}, kind)) {
    if (name === '' || name.includes('.') || isReserved(name)) {
      throw new RuntimeError(`the file holds a module with an entry '${name}' in ${kind}`);
    }
    if (value !== null && !test(value)) {
      throw new RuntimeError(`the file holds a module whose '${name}' in ${kind} is a ${kindOf(value)}`);
    }
    target.set(name, value as V | null);
  }
}

/** Sets an attribute as Python's `__dict__` has it: nothing is registered. */
function setPlain(module: Module, name: string, value: unknown): void {
  if (module._parameters.has(name) || module._buffers.has(name) || module._modules.has(name)) {
    throw new RuntimeError(`the file holds a module with two attributes '${name}'`);
  }
  definePlain(module, name, value);
}

/**
 * Gives a fresh module what a pickle says of it.
 * @throws RuntimeError for anything that PyTorch's class does not have, and for hooks, which are code.
 */
export function setModuleState(module: Module, given: unknown, name: string): void {
  const state = dictOf(given, 'state');
  const row = rowOf(Object.getPrototypeOf(module) as object);
  const { training } = Object.fromEntries(state) as { training?: unknown };
  if (typeof training !== 'boolean')
    throw new RuntimeError(`the file holds a ${name} without its attribute 'training'`);
  module.training = training;
  register<Parameter>(state, '_parameters', module._parameters, (value) => value instanceof Parameter);
  register<Tensor>(state, '_buffers', module._buffers, (value) => value instanceof Tensor);
  register<Module>(state, '_modules', module._modules, isModule);
  const transient = state.get('_non_persistent_buffers_set') ?? new Set();
  if (!(transient instanceof Set)) throw new RuntimeError(`the file holds a ${name} with malformed buffers`);
  for (const buffer of transient)
    if (module._buffers.has(buffer as string)) module._nonPersistentBuffersSet.add(buffer as string);
  if (module instanceof Sequential) definePositions(module.length);

  const settings = new Map(row.attributes.map((attribute) => [attribute.python, attribute]));
  const floats = markOf(given as object)?.floats;
  const ints = new Map<string, number>();
  for (const attribute of row.attributes) {
    const { python, property, isFloat } = attribute;
    // An activation that is a module is among the submodules.
    if (module._modules.has(python)) continue;
    const value = state.get(python);
    setPlain(module, property, readAttribute(name, attribute, value));
    if (isFloat && typeof value === 'number' && Number.isInteger(value) && !floats?.has(python))
      ints.set(python, value);
  }
  adopt(module, state);
  const isKnown = rowsByPrototype().has(Object.getPrototypeOf(module) as object);
  for (const [key, value] of state) {
    if (REGISTRIES.has(key) || settings.has(key) || isHooks(key) || isDerived(module, key)) continue;
    // What PyTorch's own classes keep under a private name can be computed again.
    if (isKnown && key.startsWith('_')) continue;
    if (isReserved(key)) throw new RuntimeError(`the file holds a ${name} with an attribute '${key}'`);
    setPlain(module, key, value);
  }
  if (floats) marked(module).floats = new Map(floats);
  if (ints.size > 0) marked(module).ints = ints;
  readHooks(module, state, name);
}

/**
 * A module's `__dict__` as PyTorch has it.
 * @throws TypeError for a module that PyTorch could not make: one with hooks, or with parametrizations.
 */
export function getModuleState(module: Module): Map<string, unknown> {
  if (isParametrized(module)) {
    throw new TypeError(
      'a parametrized module: Serialization of parametrized modules is only supported through stateDict()',
    );
  }
  const row = rowOf(Object.getPrototypeOf(module) as object);
  const state = new Map<string, unknown>([
    ['training', module.training],
    ['_parameters', new Map([...module._parameters].filter(([name]) => !isPlainNull(module, name)))],
    ['_buffers', new Map(module._buffers)],
    ['_non_persistent_buffers_set', new Set(module._nonPersistentBuffersSet)],
    ...writeHooks(module),
    ['_modules', new Map(module._modules)],
  ]);
  const { floats, ints } = markOf(module) ?? {};
  const asLoaded = (python: string, value: unknown): unknown =>
    typeof value === 'number' && floats?.get(python) === value ? new WholeFloat(value) : value;
  for (const { python, property, kind } of row.attributes) {
    if (module._modules.has(python)) continue;
    const value = (module as unknown as Record<string, unknown>)[property];
    const wasInt = typeof value === 'number' && ints?.get(python) === value;
    state.set(python, asLoaded(python, wasInt ? value : kind.write(value)));
  }
  for (const [name, value] of derived(module)) state.set(name, value);
  const properties = new Set(row.attributes.map(({ property }) => property));
  for (const [name, { value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
    const registered = module._parameters.has(name) || module._buffers.has(name) || module._modules.has(name);
    if (!enumerable || value === undefined || registered || properties.has(name)) continue;
    if (isReserved(name) || state.has(name) || name.startsWith('#')) continue;
    state.set(name, asLoaded(name, value));
  }
  return state;
}

/**
 * The name that a module's class has in Python.
 * @throws TypeError for a class of the caller's that was given none.
 */
export function pythonName(module: Module): string {
  const { constructor } = module as { constructor: object };
  const name = safeNameOf(constructor) ?? rowsByPrototype().get(Object.getPrototypeOf(module) as object)?.name;
  if (name !== undefined) return name;
  const own = (constructor as { name: string }).name;
  throw new TypeError(
    `a module of the class ${own}, which PyTorch does not know: save its stateDict(), or name its class in Python with ` +
      `torch.serialization.addSafeGlobals([[${own}, 'module.${own}']])`,
  );
}
