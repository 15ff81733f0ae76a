// How whole modules are saved and loaded: what torch.save and torch.load ask torch.nn.
import { RuntimeError } from '../../core/errors.js';
import { slice, Slice } from '../../ops/indexing.js';
import { type ClassCodec, registerCodecs } from '../../serialization/class_codecs.js';
import { ModuleDict } from '../containers/module_dict.js';
import { ModuleList } from '../containers/module_list.js';
import { ParameterDict } from '../containers/parameter_dict.js';
import { ParameterList } from '../containers/parameter_list.js';
import { Sequential } from '../containers/sequential.js';
import { Module } from '../module.js';
import { createModule, isModule } from '../module_attributes.js';
import { isLazyModule, relazy } from '../module_lazy.js';
import { UninitializedBuffer, UninitializedParameter } from '../parameter.js';
import { functionNamed, nameOfFunction } from './functions.js';
import { PythonForm } from './hooks.js';
import { getModuleState, pythonName, setModuleState } from './state.js';
import { rowsByName, rowsByPrototype } from './table.js';

/** Containers have a live length, which their constructors define. */
const CONTAINERS: readonly (new () => Module)[] = [Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict];

/** A module without settings: its constructor, which draws parameters, is not run. */
function blank(prototype: object): Module {
  const Container = CONTAINERS.find((Class) => prototype === Class.prototype || prototype instanceof Class);
  if (!Container) {
    const module = createModule(prototype);
    if (isLazyModule(module)) relazy(module);
    return module;
  }
  return Object.setPrototypeOf(new Container(), prototype) as Module;
}

function codec(name: string, prototype: object): ClassCodec {
  return { make: () => blank(prototype), setState: (target, state) => setModuleState(target as Module, state, name) };
}

const UNINITIALIZED = {
  'torch.nn.parameter.UninitializedParameter': UninitializedParameter,
  'torch.nn.parameter.UninitializedBuffer': UninitializedBuffer,
};

function isOptionalInt(value: unknown): value is number | null {
  return value === null || Number.isSafeInteger(value);
}

registerCodecs({
  find(name) {
    const row = rowsByName().get(name);
    if (row) return codec(name, row.Class.prototype);
    if (Object.hasOwn(UNINITIALIZED, name)) {
      return {
        call([requiresGrad = false]) {
          if (typeof requiresGrad !== 'boolean') throw new RuntimeError(`the pickle makes a malformed ${name}`);
          return name.endsWith('Buffer') ? new UninitializedBuffer() : new UninitializedParameter({ requiresGrad });
        },
      };
    }
    if (name === 'builtins.slice') {
      return {
        call(args) {
          if (args.length > 3 || !args.every(isOptionalInt))
            throw new RuntimeError('the pickle makes a malformed slice');
          const [start = null, stop = null, step = null] = args;
          return slice(start, stop, step);
        },
      };
    }
    const value = functionNamed(name);
    return value === undefined ? undefined : { value };
  },

  ofClass(fn) {
    const { prototype } = fn as { prototype?: unknown };
    const isClass = fn === Module || prototype instanceof Module;
    return isClass ? codec((fn as { name: string }).name, prototype as object) : undefined;
  },

  reduce(value) {
    if (value instanceof PythonForm) return value.reduction;
    if (isModule(value)) {
      const state = getModuleState(value);
      return { name: pythonName(value), args: [], isNew: true, state };
    }
    if (value instanceof Slice) {
      return { name: 'builtins.slice', args: [value.start, value.stop, value.step], isNew: false };
    }
    for (const [name, Class] of Object.entries(UNINITIALIZED)) {
      if (value instanceof Class) return { name, args: [value.requiresGrad], isNew: false };
    }
    return undefined;
  },

  nameOf(fn) {
    const { prototype } = fn as { prototype?: object };
    const row = prototype && rowsByPrototype().get(prototype);
    return row && row.Class === fn ? row.name : nameOfFunction(fn);
  },
});
