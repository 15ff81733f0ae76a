// Writes values as a pickle of protocol 2, in the shapes that PyTorch writes, so that `torch.load(weights_only=True)`
// reads them.
import { types } from 'node:util';
import { Device } from '../core/device.js';
import { DType } from '../core/dtype.js';
import { Size, StateDict, Tuple } from '../core/containers.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';
import { PickleOutput } from './pickle_output.js';
import { Complex, entriesOf, isPlainObject, markOf, PythonGlobal, PythonObject } from './python.js';
import { safeNameOf } from './safe_globals.js';
import type { StorageTable } from './storage_table.js';
import { encodeUtf8, latin1 } from './text.js';

/** As deep as Python's own pickler goes by default; loading such a value needs no recursion, printing it does. */
const MAX_DEPTH = 1000;
/** Python's batches: an unpickler may keep a whole one on its stack. */
const BATCH = 1000;

const MARK = 0x28;
const REDUCE = 0x52;

/** What autograd adds to tensors; it lies above this layer. */
interface GradTensor {
  readonly requiresGrad?: boolean;
}

/** Writes one value; its tensors' storages are collected in a table. */
export class PickleWriter extends PickleOutput {
  private readonly memo = new Map<unknown, number>();
  /** Where in the value the writer is, for error messages. */
  private readonly path: string[] = [];

  constructor(private readonly storages: StorageTable) {
    super();
  }

  /**
   * The bytes of the pickle.
   * @throws TypeError, naming the place, for a value that has no Python form.
   */
  dump(value: unknown): Uint8Array {
    this.bytes(0x80, 2);
    this.save(value);
    this.bytes(0x2e);
    return this.written();
  }

  private fail(what: string): never {
    const where = this.path.length > 0 ? ` (at ${this.path.join('.')})` : '';
    throw new TypeError(`save(): cannot save ${what}${where}`);
  }

  /** Remembers the value on top of the stack. */
  private put(key: unknown): void {
    const index = this.memo.size;
    this.memo.set(key, index);
    if (index < 256) this.bytes(0x71, index);
    else this.u32(0x72, index);
  }

  /** Refers to a value written before; false if it was not. */
  private get(key: unknown): boolean {
    const index = this.memo.get(key);
    if (index === undefined) return false;
    if (index < 256) this.bytes(0x68, index);
    else this.u32(0x6a, index);
    return true;
  }

  private global(module: string, name: string): void {
    const key = `global ${module} ${name}`;
    const known = this.globals.get(key) ?? {};
    this.globals.set(key, known);
    if (this.get(known)) return;
    this.bytes(0x63);
    this.raw(encodeUtf8(`${module}\n${name}\n`));
    this.put(known);
  }
  /** Keys of globals in the memo: objects, so that no string of the value can be taken for one. */
  private readonly globals = new Map<string, object>();

  private child(name: string, value: unknown): void {
    this.path.push(name);
    if (this.path.length > MAX_DEPTH) {
      throw new RuntimeError(
        `save(): the value is nested more than ${MAX_DEPTH} deep, or a tuple or set contains itself`,
      );
    }
    this.save(value);
    this.path.pop();
  }

  private save(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.number(value);
        break;
      case 'string':
        this.string(value);
        break;
      case 'boolean':
        this.bytes(value ? 0x88 : 0x89);
        break;
      case 'bigint':
        this.integer(value);
        break;
      case 'object':
        if (value === null) this.bytes(0x4e);
        else if (!this.get(value)) this.object(value);
        break;
      case 'function':
        this.fail('a function, class or module; save the stateDict() of a module');
        break;
      default:
        this.fail(`${String(value)}, which has no form in Python; use null`);
    }
  }

  private string(value: string): void {
    if (this.get(value)) return;
    const bytes = encodeUtf8(value);
    this.u32(0x58, bytes.length);
    this.raw(bytes);
    this.put(value);
  }

  private object(value: object): void {
    if (value instanceof Tensor) this.tensor(value);
    else if (value instanceof Size) this.size(value);
    else if (value instanceof Tuple) this.tuple(value);
    else if (Array.isArray(value)) this.list(value);
    else if (types.isMap(value)) this.map(value);
    else if (types.isSet(value)) this.set(value);
    else if (types.isUint8Array(value)) this.byteString(value);
    else if (value instanceof DType) this.global('torch', value.name);
    else if (value instanceof Device) this.device(value);
    else if (value instanceof Complex) this.complex(value);
    else if (isPlainObject(value)) this.dict(value, entriesOf(value));
    else this.instance(value);
  }

  private complex(value: Complex): void {
    this.global('__builtin__', 'complex');
    this.float(value.re);
    this.float(value.im);
    this.bytes(0x86, REDUCE);
    this.put(value);
  }

  private size(value: Size): void {
    this.global('torch', 'Size');
    this.numbers(value);
    this.bytes(0x85, REDUCE);
    this.put(value);
  }

  private tensor(t: Tensor): void {
    if (t instanceof Parameter) {
      this.global('torch._utils', '_rebuild_parameter');
      this.bytes(MARK);
      this.geometry(t, false);
      this.bytes((t as GradTensor).requiresGrad ? 0x88 : 0x89);
      this.emptyOrderedDict();
      this.bytes(0x74, REDUCE);
    } else {
      this.geometry(t, (t as GradTensor).requiresGrad ?? false);
    }
    this.put(t);
  }

  /** A view of a storage: `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. */
  private geometry(t: Tensor, requiresGrad: boolean): void {
    const storage = this.storages.add(t);
    this.global('torch._utils', storage.untyped ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2');
    this.bytes(MARK, MARK);
    this.string('storage');
    if (storage.untyped) this.global('torch.storage', 'UntypedStorage');
    else this.global('torch', storage.className);
    this.string(storage.key);
    this.string(storage.location);
    this.number(storage.elements);
    this.bytes(0x74, 0x51);
    this.number(t.storageOffset());
    this.numbers(t.shape);
    this.numbers(t.stride());
    this.bytes(requiresGrad ? 0x88 : 0x89);
    this.emptyOrderedDict();
    if (storage.untyped) this.global('torch', t.dtype.name);
    this.bytes(0x74, REDUCE);
  }

  private numbers(values: readonly number[]): void {
    if (values.length > 3) this.bytes(MARK);
    for (const value of values) this.number(value);
    this.closeTuple(values.length);
  }

  private closeTuple(length: number): void {
    this.bytes(length === 0 ? 0x29 : length <= 3 ? 0x84 + length : 0x74);
  }

  private emptyOrderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.bytes(0x29, REDUCE);
  }

  private tuple(value: Tuple): void {
    if (value.length > 3) this.bytes(MARK);
    this.items(value, markOf(value)?.floats);
    // A list inside may contain this tuple; then the pickle has made it already, and the parts are dropped.
    if (this.memo.has(value)) {
      if (value.length > 3) this.bytes(0x31);
      else for (let i = 0; i < value.length; i++) this.bytes(0x30);
      this.get(value);
      return;
    }
    this.closeTuple(value.length);
    if (value.length > 0) this.put(value);
  }

  private items(values: readonly unknown[], floats: Map<unknown, number> | undefined): void {
    for (let i = 0; i < values.length; i++) this.item(String(i), i, values[i], floats);
  }

  /** A child, written as a float where it was one when it was loaded and has not changed since. */
  private item(name: string, key: unknown, value: unknown, floats: Map<unknown, number> | undefined): void {
    if (typeof value === 'number' && floats?.get(key) === value) this.float(value);
    else this.child(name, value);
  }

  private list(value: readonly unknown[]): void {
    const floats = markOf(value)?.floats;
    this.bytes(0x5d);
    this.put(value);
    for (let from = 0; from < value.length; from += BATCH) {
      this.bytes(MARK);
      const end = Math.min(from + BATCH, value.length);
      for (let i = from; i < end; i++) this.item(String(i), i, value[i], floats);
      this.bytes(0x65);
    }
  }

  private map(value: ReadonlyMap<unknown, unknown>): void {
    if (!(value instanceof StateDict)) {
      this.dict(value, [...value]);
      return;
    }
    this.emptyOrderedDict();
    this.put(value);
    this.entries(value, [...value]);
    const attributes = new Map<string, unknown>(markOf(value)?.attributes);
    if (value._metadata !== undefined) attributes.set('_metadata', value._metadata);
    if (attributes.size === 0) return;
    this.bytes(0x7d, MARK);
    for (const [name, attribute] of attributes) {
      this.string(name);
      this.path.push(name);
      if (name === '_metadata' && types.isMap(attribute)) this.orderedDict(attribute);
      else this.save(attribute);
      this.path.pop();
    }
    this.bytes(0x75, 0x62);
  }

  /** A Map as an OrderedDict: what PyTorch's `_metadata` is. */
  private orderedDict(value: Map<unknown, unknown>): void {
    if (this.get(value)) return;
    if (value instanceof StateDict) {
      this.map(value);
      return;
    }
    this.emptyOrderedDict();
    this.put(value);
    this.entries(value, [...value]);
  }

  private dict(value: object, entries: [unknown, unknown][]): void {
    const mark = markOf(value);
    if (mark?.kind === 'Counter') {
      this.global('collections', 'Counter');
      this.bytes(0x7d);
      this.entries(value, entries);
      this.bytes(0x85, REDUCE);
      this.put(value);
      return;
    }
    if (mark?.kind === 'defaultdict') {
      this.global('collections', 'defaultdict');
      if (mark.factory) this.global('__builtin__', mark.factory === 'str' ? 'unicode' : mark.factory);
      this.closeTuple(mark.factory ? 1 : 0);
      this.bytes(REDUCE);
    } else {
      this.bytes(0x7d);
    }
    this.put(value);
    this.entries(value, entries);
  }

  private entries(container: object, entries: [unknown, unknown][]): void {
    const floats = markOf(container)?.floats;
    for (let from = 0; from < entries.length; from += BATCH) {
      this.bytes(MARK);
      for (const [key, value] of entries.slice(from, from + BATCH)) {
        const name = typeof key === 'object' ? kindOf(key) : String(key);
        this.child(name, key);
        this.item(name, key, value, floats);
      }
      this.bytes(0x75);
    }
  }

  private set(value: ReadonlySet<unknown>): void {
    const mark = markOf(value);
    this.global('__builtin__', mark?.kind === 'frozenset' ? 'frozenset' : 'set');
    this.bytes(0x5d, MARK);
    for (const item of value) this.item('(set)', item, item, mark?.floats);
    this.bytes(0x65, 0x85, REDUCE);
    this.put(value);
  }

  private byteString(value: Uint8Array): void {
    if (markOf(value)?.kind === 'bytearray') this.global('__builtin__', 'bytearray');
    else this.global('_codecs', 'encode');
    const text = encodeUtf8(latin1(value));
    this.u32(0x58, text.length);
    this.raw(text);
    this.string('latin1');
    this.bytes(0x86, REDUCE);
    this.put(value);
  }

  private device(value: Device): void {
    this.global('torch', 'device');
    this.string(value.type);
    if (value.index !== null) this.number(value.index);
    this.bytes(value.index === null ? 0x85 : 0x86, REDUCE);
    this.put(value);
  }

  /** An object of a class that the caller allowed: an instance of the Python class with its own properties. */
  private instance(value: object): void {
    const name = safeNameOf(value);
    if (name === undefined) {
      if (value instanceof PythonObject || value instanceof PythonGlobal) {
        this.fail(`the inert object of the Python class ${value.className}`);
      }
      const advice = ArrayBuffer.isView(value)
        ? '; make it a tensor'
        : '; save plain objects, or name its Python class with torch.serialization.addSafeGlobals';
      this.fail(`an object of class ${kindOf(value)}${advice}`);
    }
    const dot = name.lastIndexOf('.');
    this.global(name.slice(0, dot), name.slice(dot + 1));
    this.bytes(0x29, 0x81);
    this.put(value);
    const { getState } = value as { getState?: unknown };
    const state: unknown = typeof getState === 'function' ? getState.call(value) : { ...value };
    this.save(state);
    this.bytes(0x62);
  }
}
