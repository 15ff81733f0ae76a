// torch.nn.utils.parametrize: tensors of a module that are computed from others by modules.
import { ModeGuard, noGrad } from '../../autograd/mode.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { bind, signature } from '../../ops/signature.js';
import { Parameter } from '../../tensor/parameter.js';
import { Tensor } from '../../tensor/tensor.js';
import { ModuleDict } from '../containers/module_dict.js';
import { ModuleList } from '../containers/module_list.js';
import type { Module } from '../module.js';
import { isModule } from '../module_attributes.js';
import { pySize } from '../printing.js';
import { attribute, deleteAttribute, setAttribute, tensorAttribute } from './named_tensor.js';

/** What a parametrization throws whose `rightInverse` exists but does not apply: registering goes on without it. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

/** One tensor, or the several that a parametrization computes its tensor from. */
type Originals = Tensor | readonly Tensor[];

/** A module that computes a tensor; `rightInverse`, if it has one, gives what it is computed from. */
export interface Parametrization extends Module {
  rightInverse?(value: Tensor): Originals;
}

function inverseOf(module: Module): ((value: Tensor) => unknown) | null {
  const { rightInverse } = module as Parametrization;
  return typeof rightInverse === 'function' ? (value) => rightInverse.call(module, value) : null;
}

function registerTensor(module: Module, name: string, value: Tensor): void {
  if (value instanceof Parameter) module.registerParameter(name, value);
  else module.registerBuffer(name, value);
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.ndim === b.ndim && a.shape.every((n, d) => n === b.shape[d]);
}

// ---- Caching

let cacheDepth = 0;
/** Parametrized tensors by the list that computes them. */
const cache = new Map<ParametrizationList, Tensor>();

/**
 * Computes every parametrized tensor once only while it holds, for models that read one several times in a forward.
 * @param fn what to run so; without it, caching holds until the returned guard is disposed: `using _ = cached()`.
 * @returns what `fn` returns. A promise keeps the cache until it settles.
 */
export function cached(): ModeGuard;
export function cached<T>(fn: () => T): T;
export function cached<T>(fn?: () => T): T | ModeGuard {
  if (fn !== undefined && typeof fn !== 'function') {
    throw new TypeError(`cached(): argument 'fn' must be a function, not ${kindOf(fn)}`);
  }
  cacheDepth++;
  const restore = (): void => {
    if (--cacheDepth === 0) cache.clear();
  };
  if (fn === undefined) return new ModeGuard(restore);
  let result: T;
  try {
    result = fn();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as T;
  restore();
  return result;
}

function compute(list: ParametrizationList): Tensor {
  if (cacheDepth === 0) return list();
  let value = cache.get(list);
  if (value === undefined) {
    value = list();
    cache.set(list, value);
  }
  return value;
}

// ---- The list

/**
 * The parametrizations of one tensor, in the order in which they are applied, and what the first of them takes: `original`,
 * or `original0`, `original1` ... when its `rightInverse` gives several tensors.
 */
export class ParametrizationList extends ModuleList {
  /** The tensor that the first parametrization takes, if it takes one. */
  declare original: Tensor;
  /** Whether there is one original, not several. */
  declare isTensor: boolean;
  /** How many originals there are. */
  declare ntensors: number;
  /** Whether the result may have another shape or type. */
  declare unsafe: boolean;

  /**
   * @param modules the parametrizations, at least one.
   * @param original the tensor before; it keeps its identity where it stays a single one.
   * @param unsafe whether the result is left unchecked; default false. Also as `{ unsafe }`.
   * @throws RuntimeError if there is no module, or if a module changes the shape or the type.
   */
  constructor(modules: readonly Module[], original: Tensor, unsafe: boolean | { unsafe?: boolean } = false) {
    if (modules.length === 0) throw new RuntimeError('ParametrizationList requires one or more modules.');
    super(modules);
    this.unsafe = typeof unsafe === 'boolean' ? unsafe : (unsafe.unsafe ?? false);
    const { shape, dtype } = original;
    const found = noGrad(() => this._invertAll(original));
    if (!(found instanceof Tensor) && !Array.isArray(found)) {
      throw new RuntimeError(
        `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got ${kindOf(found)}`,
      );
    }
    this.isTensor = found instanceof Tensor;
    this.ntensors = found instanceof Tensor ? 1 : found.length;
    if (found instanceof Tensor) this._keepOriginal(original, found);
    else this._keepOriginals(original, found as unknown[]);
    if (this.unsafe) return;
    const result: unknown = (this as unknown as () => unknown)();
    if (!(result instanceof Tensor)) {
      throw new RuntimeError(`A parametrization must return a tensor. Got ${kindOf(result)}.`);
    }
    const refuse = (what: string, before: string, after: string): never => {
      throw new RuntimeError(
        `Registering a parametrization may not change the ${what} of the tensor, unless \`unsafe\` flag is enabled.\n` +
          `unparametrized ${what}: ${before}\nparametrized ${what}: ${after}`,
      );
    };
    if (result.dtype !== dtype) refuse('dtype', String(dtype), String(result.dtype));
    if (result.ndim !== shape.length || result.shape.some((n, d) => n !== shape[d])) {
      refuse('shape', pySize(shape), pySize(result.shape));
    }
  }

  /** @internal The originals that give `value`; parametrizations without a `rightInverse` are passed over. */
  _invertAll(value: Tensor): unknown {
    let found: unknown = value;
    for (const module of [...this].reverse()) {
      try {
        found = inverseOf(module)?.(found as Tensor) ?? found;
      } catch (error) {
        if (!(error instanceof NotImplementedError)) throw error;
      }
    }
    return found;
  }

  /** @internal */
  _keepOriginal(original: Tensor, found: Tensor): void {
    const refuse = (what: string, before: string, after: string): never => {
      throw new RuntimeError(
        `When \`right_inverse\` outputs one tensor, it may not change the ${what}.\noriginal.${what}: ${before}\n` +
          `right_inverse(original).${what}: ${after}`,
      );
    };
    if (original.dtype !== found.dtype) refuse('dtype', String(original.dtype), String(found.dtype));
    if (String(original.device) !== String(found.device)) {
      refuse('device', String(original.device), String(found.device));
    }
    // The object stays, so that an optimizer made before goes on with it.
    noGrad(() => original.set_(found));
    registerTensor(this, 'original', original);
  }

  /** @internal */
  _keepOriginals(original: Tensor, found: readonly unknown[]): void {
    found.forEach((value, i) => {
      if (!(value instanceof Tensor)) {
        throw new RuntimeError(
          "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element " +
            `${i} of the sequence with type ${kindOf(value)}.`,
        );
      }
      const own = original instanceof Parameter ? new Parameter(value, original.requiresGrad) : value;
      own.requiresGrad_(original.requiresGrad);
      registerTensor(this, `original${i}`, own);
    });
  }

  /**
   * Sets the originals so that the parametrized tensor becomes `value`.
   * @throws RuntimeError for a parametrization without `rightInverse`, or one that gives other types or numbers of tensors.
   */
  rightInverse(value: Tensor): void {
    noGrad(() => {
      let found: unknown = value;
      for (const module of [...this].reverse()) {
        const inverse = inverseOf(module);
        if (inverse === null) {
          throw new RuntimeError(`parametrization ${module._getName()} does not implement right_inverse.`);
        }
        found = inverse(found as Tensor);
      }
      if (this.isTensor) this._takeOne(found);
      else this._takeSeveral(found);
    });
  }

  /** @internal */
  _takeOne(found: unknown): void {
    if (!(found instanceof Tensor)) {
      throw new RuntimeError(`\`right_inverse\` should return a tensor. Got ${kindOf(found)}`);
    }
    if (found.dtype !== this.original.dtype) {
      throw new RuntimeError(
        `The tensor returned by \`right_inverse\` has dtype ${found.dtype} while \`original\` has dtype ${this.original.dtype}`,
      );
    }
    this.original.set_(found);
  }

  /** @internal */
  _takeSeveral(found: unknown): void {
    if (!Array.isArray(found)) {
      throw new RuntimeError(`'right_inverse' must return a sequence of tensors. Got ${kindOf(found)}.`);
    }
    if (found.length !== this.ntensors) {
      throw new RuntimeError(
        `'right_inverse' must return a sequence of tensors of length ${this.ntensors}. Got a sequence of length ${found.length}.`,
      );
    }
    const values: unknown[] = found;
    // All are looked at before the first is taken: an error leaves the originals as they were.
    values.forEach((t, i) => {
      if (!(t instanceof Tensor)) {
        throw new RuntimeError(
          "'right_inverse' must return a sequence of tensors or reference-type opaques. Got element " +
            `${i} of type ${kindOf(t)}.`,
        );
      }
      const { dtype } = tensorAttribute(this, `original${i}`);
      if (t.dtype === dtype) return;
      throw new RuntimeError(
        `Tensor ${i} returned by \`right_inverse\` has dtype ${t.dtype} while \`original${i}\` has dtype ${dtype}`,
      );
    });
    values.forEach((t, i) => {
      tensorAttribute(this, `original${i}`).set_(t as Tensor);
    });
  }

  /** The parametrized tensor. */
  override forward(): Tensor {
    const [first, ...rest] = this;
    const originals = this.isTensor
      ? [this.original]
      : Array.from({ length: this.ntensors }, (_, i) => attribute(this, `original${i}`));
    return rest.reduce<Tensor>((x, module) => module(x) as Tensor, first!(...originals) as Tensor);
  }
}

// ---- Registering and removing

function dictOf(module: Module): ModuleDict<ParametrizationList> | null {
  const found = module._modules.get('parametrizations');
  return found instanceof ModuleDict ? (found as ModuleDict<ParametrizationList>) : null;
}

function listOf(module: Module, name: string): ParametrizationList {
  return dictOf(module)!._modules.get(name) as ParametrizationList;
}

/** Gives the module a class of its own that prints as `ParametrizedLinear` and is a `Linear` still. */
function giveClass(module: Module): void {
  const base = module.constructor as new () => Module;
  const parametrized = class extends base {};
  Object.defineProperty(parametrized, 'name', { value: `Parametrized${base.name}` });
  Object.setPrototypeOf(module, parametrized.prototype);
}

/** Puts an accessor in the place of the tensor: reading computes it, writing sets its originals. */
function giveAccessor(module: Module, name: string): void {
  // Both ask their receiver, so that a deep copy reads its own parametrizations.
  Object.defineProperty(module, name, {
    get(this: Module): Tensor {
      return compute(listOf(this, name));
    },
    set(this: Module, value: Tensor) {
      // A Parameter would have to be registered under the name, which is taken.
      if (value instanceof Parameter) throw new RuntimeError(`attribute '${name}' already exists`);
      listOf(this, name).rightInverse(value);
    },
    enumerable: true,
    configurable: true,
  });
}

/** Checks that one more parametrization keeps shape and type, and that its inverse does. */
function checkNext(module: Module, name: string, parametrization: Module): void {
  const before = tensorAttribute(module, name);
  const after: unknown = parametrization(before);
  if (!(after instanceof Tensor)) {
    throw new RuntimeError(`A parametrization must return a tensor. Got ${kindOf(after)}.`);
  }
  const refuse = (what: string, a: string, b: string): never => {
    throw new RuntimeError(
      `Registering a parametrization may not change the ${what} of the tensor, unless the \`unsafe\` flag is enabled.\n` +
        `module.${name}.${what}: ${a}\nparametrization(module.${name}).${what}: ${b}`,
    );
  };
  if (after.dtype !== before.dtype) refuse('dtype', String(before.dtype), String(after.dtype));
  if (!sameShape(after, before)) refuse('shape', pySize(before.shape), pySize(after.shape));
  let back: unknown;
  try {
    const inverse = inverseOf(parametrization);
    if (inverse === null) return;
    back = inverse(after);
  } catch (error) {
    if (error instanceof NotImplementedError) return;
    throw error;
  }
  if (!(back instanceof Tensor)) {
    throw new RuntimeError(`parametrization.right_inverse must return a tensor. Got: ${kindOf(back)}`);
  }
  const refuseInverse = (what: string, a: string, b: string): never => {
    throw new RuntimeError(
      `The tensor returned by parametrization.right_inverse must have the same ${what} as module.${name}, unless the ` +
        `\`unsafe\` flag is enabled.\nmodule.${name}.${what}: ${a}\nreturned ${what}: ${b}`,
    );
  };
  if (back.dtype !== before.dtype) refuseInverse('dtype', String(before.dtype), String(back.dtype));
  if (!sameShape(back, before)) refuseInverse('shape', pySize(before.shape), pySize(back.shape));
}

const registering = signature(
  'registerParametrization(any module, str tensorName, function parametrization, bool unsafe=False)',
);

/**
 * Computes a parameter or buffer of a module by another module from now on: `module[tensorName]` becomes
 * `parametrization(original)`. Registering again puts the new parametrization behind those that are there. The module's state
 * dict then has `parametrizations.<name>.original`.
 * @param module the module that has the tensor.
 * @param tensorName its name.
 * @param parametrization a module that takes the tensor and returns one of the same shape and type. With a method
 *   `rightInverse(value)` the tensor can be assigned to, and its value now is kept where that method gives one.
 * @param unsafe whether results of other shapes and types are allowed; default false. Also as `{ unsafe }`.
 * @returns the module.
 * @throws RuntimeError if there is no such tensor, or if the parametrization changes its shape or type.
 */
export function registerParametrization<M extends Module>(
  module: M,
  tensorName: string,
  parametrization: Module,
  ...unsafe: [unsafe?: boolean] | [options: { unsafe?: boolean }]
): M {
  const [, name, , anything] = bind(registering, [module, tensorName, parametrization, ...unsafe]) as [
    unknown,
    string,
    unknown,
    boolean,
  ];
  if (!isModule(parametrization)) throw new TypeError(`${kindOf(parametrization)} is not a Module subclass`);
  parametrization.train(module.training);
  if (isParametrized(module, name)) {
    if (!anything) checkNext(module, name, parametrization);
    const list = listOf(module, name);
    list.append(parametrization);
    list.unsafe ||= anything;
  } else if (module._buffers.has(name) || module._parameters.has(name)) {
    const list = new ParametrizationList([parametrization], tensorAttribute(module, name), anything);
    deleteAttribute(module, name);
    if (!isParametrized(module)) {
      giveClass(module);
      setAttribute(module, 'parametrizations', new ModuleDict());
    }
    giveAccessor(module, name);
    dictOf(module)!.set(name, list);
  } else {
    throw new RuntimeError(
      `Module '${String(module)}' does not have a parameter, a buffer, or a parametrized element with name '${name}'`,
    );
  }
  return module;
}

/**
 * Whether a module has parametrized tensors.
 * @param tensorName the tensor to ask about; default any.
 */
export function isParametrized(module: Module, tensorName: string | null = null): boolean {
  const dict = dictOf(module);
  if (dict === null) return false;
  return tensorName === null ? dict.size > 0 : dict.has(tensorName);
}

const removing = signature('removeParametrizations(any module, str tensorName, bool leaveParametrized=True)');

/**
 * Makes a parametrized tensor an ordinary parameter or buffer again.
 * @param leaveParametrized whether it keeps the value that the parametrizations gave it (default true), or goes back to its
 *   original. Also as `{ leaveParametrized }`.
 * @returns the module.
 * @throws RuntimeError if the tensor is not parametrized, or has several originals and `leaveParametrized` is false.
 */
export function removeParametrizations<M extends Module>(
  module: M,
  tensorName: string,
  ...args: [leaveParametrized?: boolean] | [options: { leaveParametrized?: boolean }]
): M {
  const [, name, leave] = bind(removing, [module, tensorName, ...args]) as [unknown, string, boolean];
  if (!isParametrized(module, name)) {
    throw new RuntimeError(`Module ${String(module)} does not have a parametrization on ${name}`);
  }
  const list = listOf(module, name);
  let original: Tensor;
  if (list.isTensor) {
    original = list.original;
    if (leave) noGrad(() => original.set_(tensorAttribute(module, name)));
  } else if (leave) {
    const value = tensorAttribute(module, name);
    original = value.requiresGrad ? new Parameter(value) : value;
  } else {
    throw new RuntimeError(
      'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
    );
  }
  deleteAttribute(module, name);
  dictOf(module)!.delete(name);
  cache.delete(list);
  registerTensor(module, name, original);
  if (!isParametrized(module)) {
    deleteAttribute(module, 'parametrizations');
    Object.setPrototypeOf(module, Object.getPrototypeOf(Object.getPrototypeOf(module) as object) as object);
  }
  return module;
}

/** The class that a module had before its first parametrization. */
export function typeBeforeParametrizations(module: Module): typeof Module {
  const type = module.constructor as typeof Module;
  return isParametrized(module) ? (Object.getPrototypeOf(type) as typeof Module) : type;
}

/**
 * Gives `toModule` the parametrizations of `fromModule` (the same modules) and their originals.
 * @param tensorName the tensor to transfer; default all parametrized ones.
 * @returns `toModule`.
 */
export function transferParametrizationsAndParams<M extends Module>(
  fromModule: Module,
  toModule: M,
  tensorName: string | null = null,
): M {
  const dict = dictOf(fromModule);
  if (dict === null || dict.size === 0) return toModule;
  for (const name of tensorName === null ? [...dict._modules.keys()] : [tensorName]) {
    if (attribute(toModule, name) === undefined) {
      setAttribute(toModule, name, new Parameter(tensorAttribute(fromModule, name)));
    }
    const from = dict.get(name);
    for (const parametrization of from) registerParametrization(toModule, name, parametrization);
    const to = listOf(toModule, name);
    for (const original of [...from._parameters.keys(), ...from._buffers.keys()]) {
      setAttribute(to, original, attribute(from, original));
    }
  }
  return toModule;
}
