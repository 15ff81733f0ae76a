// The names a pickle may use, and what each stands for. A name that is not here is refused: looking it up never reaches
// anything of JavaScript's or Python's own.
import { type Device, Device as DeviceClass } from '../core/device.js';
import { Size, StateDict, Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { Global, isList, plain, PyDict } from './nodes.js';
import { numpyGlobals } from './numpy_pickle.js';
import { addToSet, hashable, type PickleEnvironment } from './pickle_reader.js';
import { Complex, isPlainObject, marked, PythonGlobal, setOwn } from './python.js';
import { rebuildGlobals } from './rebuild.js';
import { findSafeGlobal, isClass, type SafeGlobal } from './safe_globals.js';
import { ForeignType, StorageClass, type TensorBuilder } from './tensor_builder.js';
import { fromLatin1 } from './text.js';
import { storageClasses, torchTypes } from './torch_types.js';

type Row = readonly [string, unknown];
const call = (name: string, fn: (args: readonly unknown[]) => unknown): Row => [name, new Global(name, fn)];
const token = (name: string): Row => [name, new Global(name, null)];

function pairs(value: unknown): [unknown, unknown][] {
  if (value instanceof PyDict) return [...value.map];
  if (!isList(value) && !(value instanceof Tuple))
    throw new RuntimeError('the pickle makes a dict of what is no list of pairs');
  return (value as unknown[]).map((item) => {
    if (!Array.isArray(item) || item.length !== 2)
      throw new RuntimeError('the pickle makes a dict of what is no list of pairs');
    return item as unknown as [unknown, unknown];
  });
}

function orderedDict(args: readonly unknown[]): StateDict {
  const dict = new StateDict() as Map<unknown, unknown>;
  if (args.length > 1) throw new RuntimeError('the pickle makes an OrderedDict of more than one argument');
  if (args.length === 1) for (const [key, value] of pairs(args[0])) dict.set(hashable(key), value);
  return dict as StateDict;
}

function counter(args: readonly unknown[]): PyDict {
  const dict = new PyDict();
  dict.kind = 'Counter';
  if (args.length > 0) for (const [key, value] of pairs(args[0])) dict.map.set(hashable(key), value);
  return dict;
}

const FACTORIES = ['list', 'dict', 'int', 'float', 'str', 'set', 'tuple', 'bool'];

function defaultDict(args: readonly unknown[]): PyDict {
  const dict = new PyDict();
  dict.kind = 'defaultdict';
  const factory = args[0] ?? null;
  if (factory !== null && !(factory instanceof Global && factory.name.startsWith('builtins.'))) {
    throw new RuntimeError('the pickle holds a defaultdict with a factory that is not allowed');
  }
  dict.factory = factory === null ? null : factory.name.slice('builtins.'.length);
  return dict;
}

function set(args: readonly unknown[], frozen: boolean): Set<unknown> {
  const out = new Set<unknown>();
  const items = args[0] ?? [];
  if (!Array.isArray(items) && !(items instanceof Set))
    throw new RuntimeError('the pickle makes a set of what is no list');
  for (const item of items as Iterable<unknown>) addToSet(out, item);
  if (frozen) marked(out).kind = 'frozenset';
  return out;
}

/** `_codecs.encode`: how protocol 2 writes bytes. */
function encode(args: readonly unknown[]): Uint8Array {
  const [text, encoding] = args;
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw new RuntimeError('the pickle encodes a string other than as latin1');
  }
  return fromLatin1(text);
}

function bytes(args: readonly unknown[]): Uint8Array {
  const [value] = args;
  if (value === undefined) return new Uint8Array(0);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value === 'string') return encode(args);
  throw new RuntimeError('the pickle makes bytes of what is neither bytes nor a string');
}

function complex(args: readonly unknown[]): Complex {
  const [re, im] = args.map(plain);
  if (typeof re !== 'number' || typeof im !== 'number')
    throw new RuntimeError('the pickle holds a malformed complex number');
  return new Complex(re, im);
}

function size(args: readonly unknown[]): unknown {
  const [items] = args;
  if (!Array.isArray(items) || !items.every((n) => typeof n === 'number' && Number.isSafeInteger(n))) {
    throw new RuntimeError('the pickle holds a malformed torch.Size');
  }
  return Size.from(items as number[]);
}

/** Devices PyTorch knows. One that the library lacks is still a value: a checkpoint may say where it was trained. */
const DEVICES = new Set([
  'cpu',
  'cuda',
  'meta',
  'mps',
  'xpu',
  'xla',
  'hpu',
  'ipu',
  'mtia',
  'vulkan',
  'hip',
  'mkldnn',
  'opengl',
  'opencl',
  'ideep',
  'fpga',
  'maia',
  'lazy',
  've',
  'privateuseone',
]); // prettier-ignore

function deviceOf(args: readonly unknown[]): Device {
  const match = typeof args[0] === 'string' ? /^([a-z]+)(?::(\d{1,3}))?$/.exec(args[0]) : null;
  const index = args[1] ?? (match?.[2] === undefined ? null : Number(match[2]));
  const valid = index === null || (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < 256);
  if (!match || !DEVICES.has(match[1]!) || !valid) {
    throw new RuntimeError(`the pickle holds an invalid device: ${String(args[0])}`);
  }
  return new DeviceClass(match[1] as Device['type'], index as number | null);
}

const STATIC: readonly Row[] = [
  call('collections.OrderedDict', orderedDict),
  call('collections.Counter', counter),
  call('collections.defaultdict', defaultDict),
  call('builtins.set', (args) => set(args, false)),
  call('builtins.frozenset', (args) => set(args, true)),
  call('builtins.bytes', bytes),
  call('builtins.bytearray', (args) => {
    const value = bytes(args);
    marked(value).kind = 'bytearray';
    return value;
  }),
  call('builtins.complex', complex),
  call('_codecs.encode', encode),
  call('torch.Size', size),
  call('torch.device', deviceOf),
  ...FACTORIES.filter((name) => name !== 'set').map((name) => token(`builtins.${name}`)),
  ...[...torchTypes.values()].map((type): Row => [`torch.${type.name}`, type.dtype ?? new ForeignType(type)]),
  ...[...storageClasses].flatMap(([name, type]): Row[] =>
    ['torch', 'torch.cuda', 'torch.storage'].map((module) => [`${module}.${name}`, new StorageClass(type)]),
  ),
  // Tensors' own classes, which the oldest format writes beside each tensor.
  ...[...storageClasses.keys()].flatMap((name): Row[] =>
    ['torch', 'torch.cuda'].map((module) => token(`${module}.${name.replace('Storage', 'Tensor')}`)),
  ),
  ...['torch.UntypedStorage', 'torch.storage.UntypedStorage', 'torch.storage._UntypedStorage'].map(
    (name): Row => [name, new StorageClass(null)],
  ),
];

/** Names of Python 2, which protocol 2 writes also under Python 3. */
const OLD_MODULES = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
]);

/** How names and storages of a pickle are looked up. */
export interface GlobalOptions {
  readonly builder: TensorBuilder;
  readonly persistent: (id: unknown) => unknown;
  /** Refuse unknown names (true), or keep what they stand for as inert data. */
  readonly weightsOnly: boolean;
  /** Whether names the caller allowed count; not where a file is only listed. */
  readonly userGlobals?: boolean;
}

/** The environment that pickles of tensors are read in. */
export function createEnvironment(options: GlobalOptions): PickleEnvironment {
  const { builder, persistent, weightsOnly, userGlobals = true } = options;
  const table = new Map<string, unknown>([...STATIC, ...rebuildGlobals(builder), ...numpyGlobals(builder)]);
  const made = new WeakSet<object>();

  const userGlobal = (name: string, fn: SafeGlobal): Global => {
    const invoke = (args: readonly unknown[]): unknown => {
      const value: unknown = isClass(fn) ? new fn(...(args as never[])) : fn(...(args as never[]));
      if (value !== null && typeof value === 'object') made.add(value);
      return value;
    };
    const make = (): object => {
      const value = Object.create(fn.prototype as object) as object;
      made.add(value);
      return value;
    };
    return new Global(name, invoke, isClass(fn) ? make : null, true);
  };

  return {
    persistent,
    resolve(module, name) {
      const full = `${OLD_MODULES.get(module) ?? module}.${name}`;
      const known = table.get(full);
      if (known !== undefined) return known;
      const user = userGlobals ? findSafeGlobal(full) : undefined;
      if (user) return userGlobal(full, user);
      if (!weightsOnly) return new PythonGlobal(full);
      throw new RuntimeError(
        `Weights only load failed. Unsupported global: ${full} was not an allowed global by default. Save a state dict ` +
          `instead of whole objects; or allow the name with torch.serialization.addSafeGlobals, or load with ` +
          `{ weightsOnly: false }, which gives objects of unknown classes as inert data`,
      );
    },
    stateSetter: (target) => (made.has(target) ? applyState : null),
  };
}

/** Python's default for `__setstate__`: the attributes become properties. */
function applyState(target: object, state: unknown): void {
  if ('setState' in target && typeof target.setState === 'function') {
    (target as { setState(state: unknown): void }).setState(state);
    return;
  }
  // Python pairs the attributes of a class with `__slots__` as (dict, slots).
  const parts = state instanceof Tuple && state.length === 2 ? [...state] : [state];
  for (const part of parts) {
    if (part === null) continue;
    if (typeof part !== 'object' || !isPlainObject(part as object)) {
      throw new RuntimeError(`the pickle holds a malformed state of ${target.constructor.name}`);
    }
    for (const [key, value] of Object.entries(part as object)) setOwn(target, key, value);
  }
}
