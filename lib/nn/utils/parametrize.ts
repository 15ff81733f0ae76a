// torch.nn.utils.parametrize: tensors of a module that are computed from others by modules.
import { noGrad } from '../../autograd/mode.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { bind, signature } from '../../ops/signature.js';
import { Parameter } from '../../tensor/parameter.js';
import { Tensor } from '../../tensor/tensor.js';
import { ModuleDict } from '../containers/module_dict.js';
import type { Module } from '../module.js';
import { isModule } from '../module_attributes.js';
import { pySize } from '../printing.js';
import {
  attribute,
  deleteAttribute,
  neededModule,
  neededTensor,
  setAttribute,
  tensorAttribute,
} from './named_tensor.js';
import {
  compute,
  forget,
  inverseOf,
  NotImplementedError,
  ParametrizationList,
  registerTensor,
} from './parametrization_list.js';

export { cached, NotImplementedError, type Parametrization, ParametrizationList } from './parametrization_list.js';

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.ndim === b.ndim && a.shape.every((n, d) => n === b.shape[d]);
}

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
  neededModule('registerParametrization', module);
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
 * @param module the module
 * @param tensorName the tensor to ask about (default null: any).
 * @returns whether it, or one, is parametrized
 */
export function isParametrized(module: Module, tensorName: string | null = null): boolean {
  neededModule('isParametrized', module);
  const dict = dictOf(module);
  if (dict === null) return false;
  return tensorName === null ? dict.size > 0 : dict.has(tensorName);
}

const removing = signature('removeParametrizations(any module, str tensorName, bool leaveParametrized=True)');

/**
 * Makes a parametrized tensor an ordinary parameter or buffer again.
 * @param module what has the tensor
 * @param tensorName its name
 * @param args leaveParametrized (default true): whether the tensor keeps the value that the parametrizations gave it, or goes
 *   back to its original. Also as `{ leaveParametrized }`.
 * @returns the module.
 * @throws RuntimeError if the tensor is not parametrized, or has several originals and `leaveParametrized` is false.
 */
export function removeParametrizations<M extends Module>(
  module: M,
  tensorName: string,
  ...args: [leaveParametrized?: boolean] | [options: { leaveParametrized?: boolean }]
): M {
  const [, name, leave] = bind(removing, [module, tensorName, ...args]) as [unknown, string, boolean];
  neededModule('removeParametrizations', module);
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
  forget(list);
  registerTensor(module, name, original);
  if (!isParametrized(module)) {
    deleteAttribute(module, 'parametrizations');
    Object.setPrototypeOf(module, Object.getPrototypeOf(Object.getPrototypeOf(module) as object) as object);
  }
  return module;
}

/**
 * The class that a module had before its first parametrization.
 * @param module the module, parametrized or not
 * @returns a Module class
 */
export function typeBeforeParametrizations(module: Module): typeof Module {
  neededModule('typeBeforeParametrizations', module);
  const type = module.constructor as typeof Module;
  return isParametrized(module) ? (Object.getPrototypeOf(type) as typeof Module) : type;
}

/**
 * Gives a module the parametrizations of another (the same modules, shared) and their originals.
 * @param fromModule what has parametrized tensors
 * @param toModule what gets them; tensors that it lacks are added
 * @param tensorName the tensor to transfer (default null: all parametrized ones).
 * @returns `toModule`.
 * @throws RuntimeError if `fromModule` has no such parametrized tensor.
 */
export function transferParametrizationsAndParams<M extends Module>(
  fromModule: Module,
  toModule: M,
  tensorName: string | null = null,
): M {
  neededModule('transferParametrizationsAndParams', fromModule, 'fromModule');
  neededModule('transferParametrizationsAndParams', toModule, 'toModule');
  const dict = dictOf(fromModule);
  if (dict === null || dict.size === 0) return toModule;
  for (const name of tensorName === null ? [...dict._modules.keys()] : [tensorName]) {
    if (!dict.has(name)) neededTensor('transferParametrizationsAndParams', fromModule, name);
    const from = dict.get(name);
    if (attribute(toModule, name) === undefined) {
      setAttribute(toModule, name, new Parameter(tensorAttribute(fromModule, name)));
    }
    for (const parametrization of from) registerParametrization(toModule, name, parametrization);
    const to = listOf(toModule, name);
    for (const original of [...from._parameters.keys(), ...from._buffers.keys()]) {
      setAttribute(to, original, attribute(from, original));
    }
  }
  return toModule;
}
