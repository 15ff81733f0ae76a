// Hooks in pickled modules. A hook is code, which no file brings; but the hooks that torch.nn itself sets (lazy layers, weight
// and spectral normalisation, pruning) are objects of known classes with plain settings.
import { StateDict, Tuple } from '../../core/containers.js';
import { RuntimeError } from '../../core/errors.js';
import type { Reduction } from '../../serialization/class_codecs.js';
import { PythonObject } from '../../serialization/python.js';
import { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { isLazyModule } from '../module_lazy.js';
import { addOwnedHook, ownedHooks, type PreForward } from '../utils/named_tensor.js';
import * as prune from '../utils/prune.js';
import { attachSpectralNorm, SpectralNorm } from '../utils/spectral_norm.js';
import { WeightNorm } from '../utils/weight_norm.js';

/** A value that is written as an object of a Python class. */
export class PythonForm {
  constructor(readonly reduction: Reduction) {}
}

const form = (name: string, state: unknown): PythonForm => new PythonForm({ name, args: [], isNew: true, state });

/** The attributes of PyTorch's modules that hold hooks, in its order. */
const HOOKS = [
  '_backward_pre_hooks',
  '_backward_hooks',
  '_is_full_backward_hook',
  '_forward_hooks',
  '_forward_hooks_with_kwargs',
  '_forward_hooks_always_called',
  '_forward_pre_hooks',
  '_forward_pre_hooks_with_kwargs',
  '_state_dict_hooks',
  '_state_dict_pre_hooks',
  '_load_state_dict_pre_hooks',
  '_load_state_dict_post_hooks',
] as const;

/** Whether an attribute of a pickled module is about hooks. */
export function isHooks(name: string): boolean {
  return (HOOKS as readonly string[]).includes(name) || name === '_load_hook' || name === '_initialize_hook';
}

const isText = (v: unknown): boolean => typeof v === 'string';
const isInt = (v: unknown): boolean => Number.isSafeInteger(v);
const isNumber = (v: unknown): boolean => typeof v === 'number';

type Fields = readonly (readonly [python: string, property: string, test: (value: unknown) => boolean])[];
interface OwnerClass {
  readonly name: string;
  readonly Class: { readonly prototype: PreForward };
  readonly fields: Fields;
}

const PRUNED = ['_tensor_name', '_tensorName', isText] as const;
const AMOUNT = ['amount', 'amount', isNumber] as const;
const DIM = ['dim', 'dim', isInt] as const;

function owners(): OwnerClass[] {
  const pruning = (name: string, Class: OwnerClass['Class'], ...fields: Fields): OwnerClass => ({
    name: `torch.nn.utils.prune.${name}`,
    Class,
    fields: [...fields, PRUNED],
  });
  return [
    { name: 'torch.nn.utils.weight_norm.WeightNorm', Class: WeightNorm, fields: [['name', 'name', isText], DIM] },
    {
      name: 'torch.nn.utils.spectral_norm.SpectralNorm',
      Class: SpectralNorm,
      fields: [
        ['name', 'name', isText],
        DIM,
        ['n_power_iterations', 'nPowerIterations', isInt],
        ['eps', 'eps', isNumber],
      ],
    },
    pruning('Identity', prune.Identity),
    pruning('RandomUnstructured', prune.RandomUnstructured, AMOUNT),
    pruning('L1Unstructured', prune.L1Unstructured, AMOUNT),
    pruning('RandomStructured', prune.RandomStructured, AMOUNT, DIM),
    pruning('LnStructured', prune.LnStructured, AMOUNT, ['n', 'n', (v) => isNumber(v) || isText(v)], DIM),
    pruning('CustomFromMask', prune.CustomFromMask, ['mask', 'mask', (v) => v instanceof Tensor]),
  ];
}

const CONTAINER = 'torch.nn.utils.prune.PruningContainer';
let table: OwnerClass[] | undefined;

// ------------------------------------------------------------------------------------------------ writing

function writeOwner(owner: PreForward): PythonForm {
  if (owner instanceof prune.PruningContainer) {
    const methods = Tuple.from([...owner], writeOwner);
    return form(
      CONTAINER,
      new Map<string, unknown>([
        ['_pruning_methods', methods],
        ['_tensor_name', owner._tensorName],
      ]),
    );
  }
  const known = (table ??= owners()).find(({ Class }) => Object.getPrototypeOf(owner) === Class.prototype);
  if (!known) throw new TypeError(`a module with a hook of the class ${owner.constructor.name}; remove the hook first`);
  const values = owner as unknown as Record<string, unknown>;
  return form(known.name, new Map(known.fields.map(([python, property]) => [python, values[property]])));
}

/** A method of a module, as Python pickles it. */
function method(module: Module, name: string): PythonForm {
  return new PythonForm({ name: 'builtins.getattr', args: [module, name], isNew: false });
}

const hookDict = (): StateDict => new StateDict();
const setHook = (dict: StateDict, id: number, value: unknown): unknown =>
  (dict as unknown as Map<number, unknown>).set(id, value);

/**
 * The attributes of a module that hold hooks.
 * @throws TypeError for hooks that are functions of the caller's: they have no form in a file.
 */
export function writeHooks(module: Module): [string, unknown][] {
  const dicts = new Map(HOOKS.map((name) => [name, hookDict()]));
  const owned = ownedHooks(module, Object as unknown as abstract new () => PreForward);
  const lazy = isLazyModule(module);
  const spectral = owned.filter(([, owner]) => owner instanceof SpectralNorm).length;
  const expected: [ReadonlyMap<number, unknown>, number][] = [
    [module._forwardPreHooks, owned.length + (lazy ? 1 : 0)],
    [module._stateDictHooks, spectral],
    [module._loadStateDictPreHooks, spectral + (lazy ? 1 : 0)],
    [module._forwardHooks, 0],
    [module._backwardPreHooks, 0],
    [module._backwardHooks, 0],
    [module._stateDictPreHooks, 0],
    [module._loadStateDictPostHooks, 0],
  ];
  if (expected.some(([hooks, count]) => hooks.size !== count)) {
    throw new TypeError('a module with hooks, which are functions; remove them, or save its stateDict()');
  }
  const before = dicts.get('_forward_pre_hooks')!;
  const beforeLoad = dicts.get('_load_state_dict_pre_hooks')!;
  let next = 0;
  const wrapped = (hook: unknown): PythonForm =>
    form(
      'torch.nn.modules.module._WrappedHook',
      new Map([
        ['hook', hook],
        ['with_module', false as unknown],
      ]),
    );
  for (const [, owner] of owned) {
    const object = writeOwner(owner);
    setHook(before, next++, object);
    if (!(owner instanceof SpectralNorm)) continue;
    const part = (name: string): PythonForm => form(`torch.nn.utils.spectral_norm.${name}`, new Map([['fn', object]]));
    setHook(dicts.get('_state_dict_hooks')!, next++, part('SpectralNormStateDictHook'));
    setHook(beforeLoad, next++, wrapped(part('SpectralNormLoadStateDictPreHook')));
  }
  const out: [string, unknown][] = [...dicts].map(([name, dict]) => [name, name.startsWith('_is') ? null : dict]);
  if (!lazy) return out;
  const withKwargs = dicts.get('_forward_pre_hooks_with_kwargs')!;
  setHook(beforeLoad, next, wrapped(method(module, '_lazy_load_hook')));
  setHook(before, next + 1, method(module, '_infer_parameters'));
  setHook(withKwargs, next + 1, true);
  const handle = (...state: unknown[]): PythonForm => form('torch.utils.hooks.RemovableHandle', Tuple.from(state));
  out.push(['_load_hook', handle(beforeLoad, next, new Tuple())]);
  out.push(['_initialize_hook', handle(before, next + 1, Tuple.of(withKwargs))]);
  return out;
}

// ------------------------------------------------------------------------------------------------ reading

function fieldsOf(object: PythonObject): Record<string, unknown> {
  const { state } = object;
  return state !== null && typeof state === 'object' ? (state as Record<string, unknown>) : {};
}

function malformed(object: PythonObject): never {
  throw new RuntimeError(`the file holds a malformed ${object.className}`);
}

function readOwner(object: PythonObject): PreForward | null {
  const state = fieldsOf(object);
  if (object.className === CONTAINER) {
    const methods = state['_pruning_methods'];
    if (!Array.isArray(methods) || methods.length === 0) return malformed(object);
    const read = methods.map((item) => (item instanceof PythonObject ? readOwner(item) : null));
    if (!read.every((item) => item instanceof prune.BasePruningMethod)) return malformed(object);
    return new prune.PruningContainer(...(read as prune.BasePruningMethod[]));
  }
  const known = (table ??= owners()).find(({ name }) => name === object.className);
  if (!known) return null;
  const owner = Object.create(known.Class.prototype) as PreForward;
  for (const [python, property, test] of known.fields) {
    if (!test(state[python])) return malformed(object);
    Object.defineProperty(owner, property, {
      value: state[python],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return owner;
}

/** Whether a hook is one that PyTorch sets itself beside another: a lazy layer's, or spectral normalisation's for the state dict. */
function isCompanion(module: Module, hook: unknown): boolean {
  if (!(hook instanceof PythonObject)) return false;
  if (hook.className === 'torch.nn.modules.module._WrappedHook') return isCompanion(module, fieldsOf(hook)['hook']);
  if (hook.className === 'builtins.getattr') {
    const [owner, name] = hook.args;
    return isLazyModule(module) && owner === module && (name === '_infer_parameters' || name === '_lazy_load_hook');
  }
  return /^torch\.nn\.utils\.spectral_norm\.SpectralNorm\w+Hook$/.test(hook.className);
}

/**
 * Sets the hooks of a pickled module that torch.nn itself sets; a fresh lazy module has its own already.
 * @throws RuntimeError for any other hook.
 */
export function readHooks(module: Module, state: ReadonlyMap<string, unknown>, name: string): void {
  for (const key of HOOKS) {
    const hooks = state.get(key);
    if (key.startsWith('_is') || /_(with_kwargs|always_called)$/.test(key) || hooks === undefined || hooks === null)
      continue;
    const values =
      hooks instanceof Map ? [...hooks.values()] : typeof hooks === 'object' ? Object.values(hooks) : [hooks];
    for (const hook of values) {
      if (isCompanion(module, hook)) continue;
      const owner = key === '_forward_pre_hooks' && hook instanceof PythonObject ? readOwner(hook) : null;
      if (owner === null) {
        const what = hook instanceof PythonObject ? ` of the Python class ${hook.className}` : '';
        throw new RuntimeError(
          `the file holds a ${name} with a hook in ${key}${what}, which is code. Remove it in Python, or save the state_dict()`,
        );
      }
      if (owner instanceof SpectralNorm) attachSpectralNorm(module, owner);
      else addOwnedHook(module, owner);
    }
  }
}
