// Deep copies of modules and of what they hold.
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';
import { createModule, isModule, Registry } from './module_attributes.js';
import type { Module } from './module.js';
import { Buffer, isLazy, UninitializedBuffer, UninitializedParameter } from './parameter.js';

/** Copies by original: what was met twice is copied once, so that ties stay ties. */
type Memo = Map<object, unknown>;

/**
 * An independent copy of a value: modules with all they hold, tensors, arrays, maps, sets and plain objects. What is met
 * twice inside (tied weights) is one object in the copy too. Functions, hooks among them, are shared. Private (`#`) fields of
 * a class cannot be copied.
 * @param value what to copy
 * @returns the copy, of value's class
 * @throws RuntimeError for a tensor that is not a leaf: its history cannot be copied.
 */
export function deepcopy<T>(value: T): T {
  return copyValue(value, new Map()) as T;
}

function copyValue(value: unknown, memo: Memo): unknown {
  if (value === null || (typeof value !== 'object' && !isModule(value))) return value;
  const known = memo.get(value);
  if (known !== undefined) return known;
  if (isModule(value)) return copyModule(value, memo);
  if (value instanceof Tensor) return remember(memo, value, copyTensor(value));
  return copyObject(value, memo);
}

function remember<T>(memo: Memo, original: object, copy: T): T {
  memo.set(original, copy);
  return copy;
}

function copyTensor(t: Tensor): Tensor {
  if (isLazy(t)) {
    const { device, dtype } = t;
    return t instanceof UninitializedParameter
      ? new UninitializedParameter({ requiresGrad: t.requiresGrad, device, dtype })
      : new UninitializedBuffer({ persistent: t.persistent, device, dtype });
  }
  if (!t.isLeaf) {
    throw new RuntimeError(
      'Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you ' +
        'were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see ' +
        'https://github.com/pytorch/pytorch/pull/103001',
    );
  }
  const copy = t.detach().clone();
  if (t instanceof Parameter) return new Parameter(copy, t.requiresGrad);
  copy.requiresGrad_(t.requiresGrad);
  return t instanceof Buffer ? new Buffer(copy, { persistent: t.persistent }) : copy;
}

function copyModule(module: Module, memo: Memo): Module {
  const copy = remember(memo, module, createModule(Object.getPrototypeOf(module) as object));
  for (const key of Reflect.ownKeys(module)) {
    const descriptor = Object.getOwnPropertyDescriptor(module, key)!;
    const value: unknown = descriptor.value;
    if (value instanceof Registry) {
      const own = (copy as unknown as Record<PropertyKey, Registry<unknown>>)[key]!;
      for (const [name, entry] of value as Registry<unknown>) own.set(name, copyValue(entry, memo));
    } else if (!('value' in descriptor)) {
      Object.defineProperty(copy, key, descriptor);
    } else if (descriptor.writable && !isRegistered(module, key)) {
      Reflect.set(copy, key, copyValue(value, memo));
    }
  }
  return copy;
}

/** Whether a property shows an entry of a registry. */
function isRegistered(module: Module, key: PropertyKey): boolean {
  if (typeof key !== 'string') return false;
  return module._parameters.has(key) || module._buffers.has(key) || module._modules.has(key);
}

function copyObject(value: object, memo: Memo): unknown {
  if (ArrayBuffer.isView(value)) return remember(memo, value, structuredClone(value));
  if (value instanceof Date) return remember(memo, value, new Date(value));
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (Array.isArray(value)) {
    const copy = remember(memo, value, Object.setPrototypeOf([], prototype) as unknown[]);
    for (const item of value as unknown[]) copy.push(copyValue(item, memo));
    return copy;
  }
  if (value instanceof Map) {
    const copy = remember(memo, value, Object.setPrototypeOf(new Map(), prototype) as Map<unknown, unknown>);
    for (const [k, v] of value as Map<unknown, unknown>) copy.set(copyValue(k, memo), copyValue(v, memo));
    return copyProperties(value, copy, memo);
  }
  if (value instanceof Set) {
    const copy = remember(memo, value, Object.setPrototypeOf(new Set(), prototype) as Set<unknown>);
    for (const item of value as Set<unknown>) copy.add(copyValue(item, memo));
    return copyProperties(value, copy, memo);
  }
  // Types, devices and the like never change: one object serves all.
  if (Object.isFrozen(value) || (prototype !== Object.prototype && prototype !== null && isConstant(value)))
    return value;
  return copyProperties(value, remember(memo, value, Object.create(prototype) as object), memo);
}

/** Values that are compared by identity or by their text, as dtypes and devices. */
function isConstant(value: object): boolean {
  return 'toJSON' in value || value instanceof WeakMap || value instanceof WeakRef || value instanceof Promise;
}

function copyProperties(from: object, to: object, memo: Memo): object {
  for (const key of Reflect.ownKeys(from)) {
    const descriptor = Object.getOwnPropertyDescriptor(from, key)!;
    if ('value' in descriptor) descriptor.value = copyValue(descriptor.value, memo);
    Object.defineProperty(to, key, descriptor);
  }
  return to;
}
