// Writes values as a pickle, in the shapes that PyTorch writes, so that its `torch.load` reads them; those of protocol 2 also
// with `weights_only=True`.
import { types } from 'node:util';
import { Device } from '../core/device.js';
import { DType } from '../core/dtype.js';
import { Size, StateDict, Tuple } from '../core/containers.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { nameOfFunction, reduce, type Reduction } from './class_codecs.js';
import { WholeFloat } from './nodes.js';
import { OP } from './pickle_output.js';
import { PickleTensors } from './pickle_tensors.js';
import { Complex, entriesOf, isPlainObject, markOf, PythonGlobal, PythonObject } from './python.js';
import { safeNameOf } from './safe_globals.js';

/** As deep as Python's own pickler goes by default; loading such a value needs no recursion, printing it does. */
const MAX_DEPTH = 1000;
/** Python's batches: an unpickler may keep a whole one on its stack. */
const BATCH = 1000;

type Floats = ReadonlyMap<unknown, number> | undefined;

/** Writes one value. */
export class PickleWriter extends PickleTensors {
  /** Where in the value the writer is, for error messages. */
  private readonly path: string[] = [];

  /**
   * The bytes of the pickle.
   * @throws TypeError, naming the place, for a value that has no Python form.
   */
  dump(value: unknown): Uint8Array {
    this.bytes(0x80, this.protocol);
    this.save(value);
    this.bytes(OP.stop);
    return this.written();
  }

  private fail(what: string): never {
    const where = this.path.length > 0 ? ` (at ${this.path.join('.')})` : '';
    throw new TypeError(`save(): cannot save ${what}${where}`);
  }

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

  protected save(value: unknown): void {
    switch (typeof value) {
      case 'number':
        this.number(value);
        break;
      case 'string':
        this.string(value);
        break;
      case 'boolean':
        this.boolean(value);
        break;
      case 'bigint':
        this.integer(value);
        break;
      case 'object':
        if (value === null) this.bytes(OP.none);
        else if (!this.get(value)) this.object(value);
        break;
      case 'function':
        if (!this.get(value)) this.callable(value);
        break;
      default:
        this.fail(`${String(value)}, which has no form in Python; use null`);
    }
  }

  private object(value: object): void {
    const reduction = this.reduction(value);
    if (reduction) this.reduced(value, reduction);
    else if (value instanceof Tensor) this.tensor(value);
    else if (value instanceof Size) this.size(value);
    else if (value instanceof Tuple) this.tuple(value);
    else if (Array.isArray(value)) this.list(value);
    else if (types.isMap(value)) this.map(value);
    else if (types.isSet(value)) this.set(value);
    else if (types.isUint8Array(value)) this.byteString(value, markOf(value)?.kind === 'bytearray');
    else if (value instanceof DType) this.global('torch', value.name);
    else if (value instanceof Device) this.device(value);
    else if (value instanceof Complex) this.complex(value);
    else if (value instanceof WholeFloat) this.float(value.value);
    else if (isPlainObject(value)) this.dict(value, entriesOf(value));
    else this.instance(value);
  }

  /** A module, or the class or function that a Python name stands for. */
  private callable(value: object): void {
    const reduction = this.reduction(value);
    if (reduction) {
      this.reduced(value, reduction);
      return;
    }
    const name = nameOfFunction(value) ?? safeNameOf(value);
    if (name === undefined) this.fail(`the function ${(value as { name?: string }).name || '(anonymous)'}`);
    this.fullName(name);
  }

  private reduction(value: object): Reduction | undefined {
    try {
      return reduce(value);
    } catch (error) {
      if (!(error instanceof TypeError) || error.message.startsWith('save()')) throw error;
      return this.fail(error.message);
    }
  }

  /** An object as the class or function that makes it, its arguments and its state. */
  private reduced(value: object, { name, args, isNew, state }: Reduction): void {
    this.fullName(name);
    this.openTuple(args.length);
    args.forEach((arg, i) => {
      this.child(String(i), arg);
    });
    this.closeTuple(args.length);
    this.bytes(isNew ? OP.newObject : OP.reduce);
    this.put(value);
    if (state === undefined) return;
    this.save(state);
    this.bytes(OP.build);
  }

  private complex(value: Complex): void {
    this.global('builtins', 'complex');
    this.float(value.re);
    this.float(value.im);
    this.bytes(0x86, OP.reduce);
    this.put(value);
  }

  private tuple(value: Tuple): void {
    this.openTuple(value.length);
    this.items(value, markOf(value)?.floats);
    // A list inside may contain this tuple; then the pickle has made it already, and the parts are dropped.
    if (this.has(value)) {
      if (value.length > 3) this.bytes(OP.popMark);
      else for (let i = 0; i < value.length; i++) this.bytes(OP.pop);
      this.get(value);
      return;
    }
    this.closeTuple(value.length);
    if (value.length > 0) this.put(value);
  }

  private items(values: readonly unknown[], floats: Floats): void {
    for (let i = 0; i < values.length; i++) this.item(String(i), i, values[i], floats);
  }

  /** A child, written as a float where it was one when it was loaded and has not changed since. */
  private item(name: string, key: unknown, value: unknown, floats: Floats): void {
    if (typeof value === 'number' && floats?.get(key) === value) this.float(value);
    else this.child(name, value);
  }

  private list(value: readonly unknown[]): void {
    const floats = markOf(value)?.floats;
    this.bytes(OP.emptyList);
    this.put(value);
    for (let from = 0; from < value.length; from += BATCH) {
      this.bytes(OP.mark);
      const end = Math.min(from + BATCH, value.length);
      for (let i = from; i < end; i++) this.item(String(i), i, value[i], floats);
      this.bytes(OP.appends);
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
    this.bytes(OP.emptyDict, OP.mark);
    for (const [name, attribute] of attributes) {
      this.string(name);
      this.path.push(name);
      if (name === '_metadata' && types.isMap(attribute)) this.orderedDict(attribute);
      else this.save(attribute);
      this.path.pop();
    }
    this.bytes(OP.setItems, OP.build);
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
      this.bytes(OP.emptyDict);
      this.entries(value, entries);
      this.bytes(0x85, OP.reduce);
      this.put(value);
      return;
    }
    if (mark?.kind === 'defaultdict') {
      this.global('collections', 'defaultdict');
      if (mark.factory) this.global('builtins', mark.factory);
      this.closeTuple(mark.factory ? 1 : 0);
      this.bytes(OP.reduce);
    } else {
      this.bytes(OP.emptyDict);
    }
    this.put(value);
    this.entries(value, entries);
  }

  private entries(container: object, entries: [unknown, unknown][]): void {
    const floats = markOf(container)?.floats;
    for (let from = 0; from < entries.length; from += BATCH) {
      this.bytes(OP.mark);
      for (const [key, value] of entries.slice(from, from + BATCH)) {
        const name = typeof key === 'object' ? kindOf(key) : String(key);
        this.child(name, key);
        this.item(name, key, value, floats);
      }
      this.bytes(OP.setItems);
    }
  }

  private set(value: ReadonlySet<unknown>): void {
    const mark = markOf(value);
    const frozen = mark?.kind === 'frozenset';
    const items = [...value];
    if (this.protocol < 4) {
      this.global('builtins', frozen ? 'frozenset' : 'set');
      this.bytes(OP.emptyList, OP.mark);
    } else if (!frozen) {
      this.bytes(OP.emptySet);
      this.put(value);
      this.bytes(OP.mark);
    } else {
      this.bytes(OP.mark);
    }
    for (const item of items) this.item('(set)', item, item, mark?.floats);
    if (this.protocol < 4) this.bytes(OP.appends, 0x85, OP.reduce);
    else this.bytes(frozen ? OP.frozenset : OP.addItems);
    if (this.protocol < 4 || frozen) this.put(value);
  }

  private device(value: Device): void {
    this.global('torch', 'device');
    this.string(value.type);
    if (value.index !== null) this.number(value.index);
    this.bytes(value.index === null ? 0x85 : 0x86, OP.reduce);
    this.put(value);
  }

  /** An object of a class that the caller allowed: an instance of the Python class with its own properties. */
  private instance(value: object): void {
    const name = safeNameOf(value.constructor);
    if (name === undefined) {
      if (value instanceof PythonObject || value instanceof PythonGlobal) {
        this.fail(`the inert object of the Python class ${value.className}`);
      }
      const advice = ArrayBuffer.isView(value)
        ? '; make it a tensor'
        : '; save plain objects, or name its Python class with torch.serialization.addSafeGlobals';
      this.fail(`an object of class ${kindOf(value)}${advice}`);
    }
    const { getState } = value as { getState?: unknown };
    const state: unknown = typeof getState === 'function' ? getState.call(value) : { ...value };
    this.reduced(value, { name, args: [], isNew: true, state });
  }
}
