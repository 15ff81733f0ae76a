// Calling a module with other parameters and buffers than its own.
import { inWords, kindOf, RuntimeError } from '../../core/errors.js';
import { restoring } from '../../core/restoring.js';
import { bind, signature } from '../../ops/signature.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { getAttribute, hasAttribute, isModule } from '../module_attributes.js';
import { pyString } from '../printing.js';
import { deleteAttribute, setAttribute } from './named_tensor.js';

/** Tensors by path: a plain object or a Map. */
export type TensorsByName = Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>;

/**
 * The pairs of a mapping of tensors.
 * @param tensors a plain object or a Map
 * @returns [path, tensor] pairs
 */
export function namedTensors(tensors: TensorsByName): [string, Tensor][] {
  return tensors instanceof Map ? [...(tensors as ReadonlyMap<string, Tensor>)] : Object.entries(tensors as object);
}

/** What stands for an attribute that does not exist. */
const MISSING = Symbol('missing');
type Slot = Tensor | null | typeof MISSING;

/** The module at a path. */
function moduleAt(root: Module, path: string): Module {
  let at = root;
  let done = '';
  for (const name of path === '' ? [] : path.split('.')) {
    if (!hasAttribute(at, name)) throw new RuntimeError(`${at._getName()} has no attribute \`${name}\``);
    const next = getAttribute(at, name);
    done = done === '' ? name : `${done}.${name}`;
    if (!isModule(next))
      throw new TypeError(`submodule \`${done}\`: ${inWords(next)} is not an instance of torch.nn.Module`);
    at = next;
  }
  return at;
}

/** Puts a tensor in the place of another one, registered or not; returns what was there. */
function swap(root: Module, path: string, value: Slot): Slot {
  const cut = path.lastIndexOf('.');
  const name = path.slice(cut + 1);
  if (name === '') throw new RuntimeError('tensor name can\'t be empty string ""');
  const module = moduleAt(root, cut < 0 ? '' : path.slice(0, cut));
  if (value !== MISSING && value !== null && !(value instanceof Tensor)) {
    throw new TypeError(`${inWords(value)} is not an instance of torch.Tensor`);
  }
  for (const registry of [module._parameters, module._buffers]) {
    if (!registry.has(name)) continue;
    const before = registry.get(name)!;
    // Not through the attribute: a parameter's place takes any tensor here.
    if (value === MISSING) registry.delete(name);
    else (registry as Map<string, Tensor | null>).set(name, value);
    return before;
  }
  const before: unknown = hasAttribute(module, name) ? getAttribute(module, name) : MISSING;
  if (before !== MISSING && before !== null && !(before instanceof Tensor)) {
    throw new TypeError(`attribute \`${name}\`: ${inWords(before)} is not an instance of torch.Tensor`);
  }
  if (value === MISSING) deleteAttribute(module, name);
  else setAttribute(module, name, value);
  return before as Slot;
}

/** Swaps many; an error puts back what was swapped before it. */
function swapAll(root: Module, values: Iterable<readonly [string, Slot]>): Map<string, Slot> {
  const before = new Map<string, Slot>();
  try {
    for (const [path, value] of values) before.set(path, swap(root, path, value));
  } catch (error) {
    for (const [path, value] of [...before].reverse()) swap(root, path, value);
    throw error;
  }
  return before;
}

function* allNamedTensors(module: Module): IterableIterator<[string, Tensor]> {
  yield* module.namedParameters({ removeDuplicate: false });
  yield* module.namedBuffers({ removeDuplicate: false });
}

/** Adds the other names of tied tensors to those of the given ones. */
function withTies(module: Module, given: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const names = new Map<Tensor, string[]>();
  for (const [name, t] of allNamedTensors(module)) names.set(t, [...(names.get(t) ?? []), name]);
  const all = new Map(given);
  for (const tied of names.values()) {
    if (tied.length < 2) continue;
    const values = new Set(tied.filter((name) => given.has(name)).map((name) => given.get(name)!));
    if (values.size > 1) {
      throw new RuntimeError(
        `functional_call got multiple values for keys [${[...tied].sort().map(pyString).join(', ')}], which are tied. ` +
          'Consider using tie_weights=False',
      );
    }
    for (const value of values) for (const name of tied) all.set(name, value);
  }
  return all;
}

function checkKeys(module: Module, given: ReadonlyMap<string, Tensor>): void {
  const valid = new Set([...allNamedTensors(module)].map(([name]) => name));
  const list = (keys: string[]): string => keys.sort().map(pyString).join(', ');
  const unexpected = [...given.keys()].filter((name) => !valid.has(name));
  const missing = [...valid].filter((name) => !given.has(name));
  const problems: string[] = [];
  if (unexpected.length > 0) problems.push(`Unexpected key(s): ${list(unexpected)}.`);
  if (missing.length > 0) problems.push(`Missing key(s): ${list(missing)}.`);
  if (problems.length > 0) {
    throw new RuntimeError(`Error(s) in reparametrizing for ${module._getName()}:\n\t${problems.join('\n\t')}`);
  }
}

/**
 * Calls a module with tensors in the places of its own, and puts everything back, whatever happens.
 * @param module the module
 * @param tensors by path; what forward assigns to a buffer is written back there
 * @param args the arguments of the call
 * @param tieWeights whether a value for one name of a tied tensor holds for its other names too
 * @param strict whether the tensors must be exactly those of the module
 * @returns what the call returns
 * @throws RuntimeError for a path that leads nowhere, different values of a tied tensor, and with `strict` for other names
 */
export function callWith(
  module: Module,
  tensors: TensorsByName,
  args: readonly unknown[],
  tieWeights: boolean,
  strict: boolean,
): unknown {
  const given = new Map(namedTensors(tensors));
  const values = tieWeights ? withTies(module, given) : given;
  if (strict) checkKeys(module, values);
  const before = swapAll(module, values);
  const restore = (): void => {
    // Backwards: a module that is there twice has been swapped twice.
    const after = swapAll(module, [...before].reverse());
    // What forward assigned to a buffer belongs to the caller.
    for (const name of given.keys()) {
      const value = after.get(name);
      if (value === undefined || value === MISSING || value === given.get(name)) continue;
      if (tensors instanceof Map) (tensors as Map<string, Slot>).set(name, value);
      else (tensors as Record<string, Slot>)[name] = value;
    }
  };
  return restoring(() => module(...args), restore);
}

const functionalCallArguments = signature(
  'functionalCall(any module, any parametersAndBuffers, any args=None, any kwargs=None, bool tieWeights=True, bool strict=False)',
);

/** Reads the arguments of both functional calls. */
export function readFunctionalCall(
  given: readonly unknown[],
): [module: Module, tensors: unknown, args: unknown[], tieWeights: boolean, strict: boolean] {
  const [module, tensors, args, kwargs, tieWeights, strict] = bind(functionalCallArguments, given) as [
    unknown,
    unknown,
    unknown,
    unknown,
    boolean,
    boolean,
  ];
  if (!isModule(module))
    throw new TypeError(`functionalCall(): argument 'module' must be a Module, not ${kindOf(module)}`);
  const positional: unknown[] = args === null ? [] : Array.isArray(args) ? args : [args];
  return [module, tensors, kwargs === null ? positional : [...positional, kwargs], tieWeights, strict];
}
