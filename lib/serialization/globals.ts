// The names a pickle may use, and what each stands for. A name that is not here is refused: looking it up never reaches
// anything of JavaScript's or Python's own.
import { type Device, Device as DeviceClass } from '../core/device.js';
import { Size, StateDict, Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { type ClassCodec, codecOfClass, findKnown, type KnownCall, type KnownValue } from './class_codecs.js';
import { Global, isList, plain, PyDict } from './nodes.js';
import { numpyGlobals } from './numpy_pickle.js';
import { addToSet, hashable, type PickleEnvironment } from './pickle_reader.js';
import { Complex, isPlainObject, marked, PythonGlobal, PythonObject, setOwn } from './python.js';
import { rebuildGlobals } from './rebuild.js';
import { findSafeGlobal, isClass, type SafeGlobal } from './safe_globals.js';
import { StorageClass, type TensorBuilder } from './tensor_builder.js';
import { fromLatin1 } from './text.js';
import { dtypeOf, storageClasses, torchTypes } from './torch_types.js';

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
  ...[...torchTypes.values()].map((type): Row => [`torch.${type.name}`, dtypeOf(type)]),
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
  /** Refuse unknown names (true), or rebuild modules and keep what other names stand for as inert data. */
  readonly weightsOnly: boolean;
  /** Whether classes of the caller's and of the layers above count; not where a file is only listed. */
  readonly userGlobals?: boolean;
  /** Told of every name that loading with weightsOnly would refuse. */
  readonly onUnsafe?: ((name: string) => void) | undefined;
}

type Apply = (target: object, state: unknown) => void;

/** The names that a pickle of whole objects uses to say that one is made without its constructor, or is an attribute. */
function objectGlobals(): Row[] {
  return [
    token('builtins.object'),
    call('copyreg._reconstructor', ([cls, base, state]) => {
      const plainObject = base instanceof Global && base.name === 'builtins.object' && state === null;
      if (plainObject && cls instanceof Global && cls.make) return cls.make([]);
      if (cls instanceof PythonGlobal) return new PythonObject(cls.className, []);
      throw new RuntimeError('the pickle makes an object of what is no class');
    }),
    // What `torch.relu` is in a pickle: a method of a class of PyTorch's own. Anything else stays inert.
    call('builtins.getattr', (args) => {
      const [owner, name] = args;
      if (owner instanceof PythonGlobal && owner.className === 'torch._C._VariableFunctionsClass') {
        const known = typeof name === 'string' ? findKnown(`torch.${name}`) : undefined;
        if (known && 'value' in known) return known.value;
      }
      return new PythonObject('builtins.getattr', args);
    }),
  ];
}

/** The environment that pickles of tensors are read in. */
export function createEnvironment(options: GlobalOptions): PickleEnvironment {
  const { builder, persistent, weightsOnly, userGlobals = true, onUnsafe } = options;
  const table = new Map<string, unknown>([...STATIC, ...rebuildGlobals(builder), ...numpyGlobals(builder)]);
  const objects = new Map(weightsOnly ? [] : objectGlobals());
  const made = new WeakMap<object, Apply>();

  const userGlobal = (name: string, fn: SafeGlobal): Global => {
    const invoke = (args: readonly unknown[]): unknown => {
      const value: unknown = isClass(fn)
        ? Reflect.construct(fn as new () => object, args)
        : Reflect.apply(fn as () => unknown, undefined, args);
      if (value !== null && typeof value === 'object') made.set(value, applyState);
      return value;
    };
    const make = (): object => {
      const value = Object.create(fn.prototype as object) as object;
      made.set(value, applyState);
      return value;
    };
    return new Global(name, invoke, isClass(fn) ? make : null, true);
  };

  const codecGlobal = (name: string, codec: ClassCodec): Global => {
    const make = (args: readonly unknown[]): object => {
      if (args.length > 0) throw new RuntimeError(`the pickle makes a ${name} with arguments`);
      const value = codec.make();
      made.set(value, (target, state) => codec.setState(target, state));
      return value;
    };
    return new Global(name, null, make);
  };

  const layerGlobal = (name: string, known: ClassCodec | KnownValue | KnownCall): unknown => {
    if ('value' in known) return known.value;
    return 'make' in known ? codecGlobal(name, known) : new Global(name, (args) => known.call(args.map(plain)));
  };

  return {
    persistent,
    resolve(module, name) {
      const full = `${OLD_MODULES.get(module) ?? module}.${name}`;
      const listed = table.get(full);
      if (listed !== undefined) return listed;
      if (onUnsafe && !findSafeGlobal(full)) onUnsafe(full);
      const object = objects.get(full);
      if (object !== undefined) return object;
      const user = userGlobals ? findSafeGlobal(full) : undefined;
      const known = userGlobals && (user || !weightsOnly) ? findKnown(full) : undefined;
      if (user) {
        const codec = codecOfClass(user);
        if (codec) return codecGlobal(full, codec);
        return known && 'value' in known && known.value === user ? user : userGlobal(full, user);
      }
      if (known) return layerGlobal(full, known);
      if (!weightsOnly) return new PythonGlobal(full);
      throw new RuntimeError(
        `Weights only load failed. Unsupported global: GLOBAL ${full} was not an allowed global by default. Save a state ` +
          `dict instead of whole objects; or allow the name with torch.serialization.addSafeGlobals or safeGlobals; or load ` +
          `with { weightsOnly: false }, which rebuilds the modules of torch.nn and gives other objects as inert data`,
      );
    },
    stateSetter: (target) => made.get(target) ?? null,
    inertState(className, state) {
      const isModule = state instanceof PyDict && state.map.has('_modules') && state.map.has('_parameters');
      if (!isModule || !userGlobals) return;
      throw new RuntimeError(
        `the file holds a module of the Python class ${className}, which has no counterpart here. Save its state_dict() in ` +
          `Python, or name a class for it: torch.serialization.addSafeGlobals([[Class, '${className}']])`,
      );
    },
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
