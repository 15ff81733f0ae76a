// Python's pickles, protocols 0 to 5, read by a machine that cannot run anything: a name in the file stands for one of a
// fixed list of functions here, or is refused. Format: CPython's Lib/pickletools.py.
import { StateDict, Tuple } from '../core/containers.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Deferred, Finisher, Global, isList, isObject, type PendingState, plain, PyDict, WholeFloat } from './nodes.js';
import { PickleBudget } from './pickle_budget.js';
import type { PickleInput } from './pickle_input.js';
import { marked, PythonGlobal, PythonObject } from './python.js';
import { decodeUtf8, latin1, parseDecimal, parseFloatText, parseLong, parseQuoted, parseRawUnicode } from './text.js';

/** What a pickle refers to outside itself. */
export interface PickleEnvironment {
  /** The value of a global name; throws for one that is not allowed. */
  resolve(module: string, name: string): unknown;
  /** The object of a persistent id: a storage. */
  persistent(id: unknown): unknown;
  /** How state is applied to an object that `resolve`'s functions made; null for one that takes none. */
  stateSetter(target: object): ((target: object, state: unknown) => void) | null;
  /** Throws where an object of an unknown class must not be kept as inert data. */
  inertState?(className: string, state: unknown): void;
}

/** An object made while reading that takes its state from opcode BUILD at once. */
export interface Buildable {
  build(state: unknown): void;
}

function isBuildable(value: object): value is Buildable {
  return 'build' in value && value instanceof Deferred;
}

const HIGHEST_PROTOCOL = 5;
/** No name of a class or function is longer; it goes into error messages. */
const MAX_NAME = 1000;

/** Reads one pickle after another from the same input. */
export class PickleReader {
  private stack: unknown[] = [];
  private marks: number[] = [];
  private memo = new Map<number, unknown>();
  private readonly attributes = new Map<object, PyDict>();
  private readonly pending = new Map<object, PendingState>();
  private readonly budget: PickleBudget;

  constructor(
    private readonly input: PickleInput,
    private readonly env: PickleEnvironment,
  ) {
    this.budget = new PickleBudget(input.remaining);
  }

  /**
   * Reads up to opcode STOP.
   * @throws RuntimeError for a pickle that is damaged or names what is not allowed.
   */
  load(): unknown {
    return this.finish(this.loadRaw());
  }

  /** As `load`, but with classes, storages and dicts as the machine knows them. */
  loadRaw(): unknown {
    this.stack = [];
    this.marks = [];
    this.memo = new Map();
    for (let op = this.input.u8(); op !== 0x2e; op = this.input.u8()) {
      if (!this.effect(op)) this.stack.push(this.produce(op));
    }
    return this.pop();
  }

  /** Opcodes that push nothing; false for one that does. */
  private effect(op: number): boolean {
    const { input } = this;
    switch (op) {
      case 0x80: {
        // PROTO
        const version = input.u8();
        if (version > HIGHEST_PROTOCOL) throw new RuntimeError(`unsupported pickle protocol: ${version}`);
        break;
      }
      case 0x95: // FRAME
        if (input.u64() > input.remaining) throw new RuntimeError('a frame of the pickle is longer than the file');
        break;
      case 0x28: // MARK
        this.marks.push(this.stack.length);
        break;
      case 0x30: // POP
        if (this.stack.length > this.floor()) this.stack.pop();
        else this.popMark();
        break;
      case 0x31: // POP_MARK
        this.popMark();
        break;
      case 0x61: {
        // APPEND
        const item = this.pop();
        this.append([item]);
        break;
      }
      case 0x65: // APPENDS
        this.append(this.popMark());
        break;
      case 0x73: // SETITEM
        this.setTop(this.popMany(2));
        break;
      case 0x75: // SETITEMS
        this.setTop(this.popMark());
        break;
      case 0x90: {
        // ADDITEMS
        const items = this.popMark();
        this.addItems(this.top(), items);
        break;
      }
      case 0x71: // BINPUT
        this.put(input.u8());
        break;
      case 0x72: // LONG_BINPUT
        this.put(input.u32());
        break;
      case 0x70: // PUT
        this.put(this.index());
        break;
      case 0x94: // MEMOIZE
        this.put(this.memo.size);
        break;
      case 0x62: // BUILD
        this.build();
        break;
      default:
        return false;
    }
    return true;
  }

  /** Opcodes that push what they take from the stack, the memo or outside. */
  private produce(op: number): unknown {
    const { input } = this;
    switch (op) {
      case 0x32: // DUP
        return this.top();
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x29: // EMPTY_TUPLE
        return new Tuple();
      case 0x5d: // EMPTY_LIST
        return [];
      case 0x7d: // EMPTY_DICT
        return new PyDict();
      case 0x8f: // EMPTY_SET
        return new Set();
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return Tuple.from(this.popMany(op - 0x84));
      case 0x74: // TUPLE
        return Tuple.from(this.popMark());
      case 0x6c: // LIST
        return this.popMark();
      case 0x64: {
        // DICT
        const dict = new PyDict();
        this.setItems(dict, this.popMark());
        return dict;
      }
      case 0x91: {
        // FROZENSET
        const set = new Set<unknown>();
        this.addItems(set, this.popMark());
        marked(set).kind = 'frozenset';
        return set;
      }
      case 0x68: // BINGET
        return this.get(input.u8());
      case 0x6a: // LONG_BINGET
        return this.get(input.u32());
      case 0x67: // GET
        return this.get(this.index());
      case 0x63: // GLOBAL
        return this.resolve(decodeUtf8(input.line()), decodeUtf8(input.line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') {
          throw new RuntimeError('a global of the pickle has no name');
        }
        return this.resolve(module, name);
      }
      case 0x52: {
        // REDUCE
        const [callee, args] = this.popMany(2);
        return this.call(callee, args, 'call');
      }
      case 0x81: {
        // NEWOBJ
        const [callee, args] = this.popMany(2);
        return this.call(callee, args, 'make');
      }
      case 0x51: // BINPERSID
        return this.env.persistent(this.pop());
      default:
        return this.literal(op);
    }
  }

  /** Opcodes that push a number, a string or bytes. */
  private literal(op: number): unknown {
    const { input } = this;
    switch (op) {
      case 0x4b: // BININT1
        return input.u8();
      case 0x4d: // BININT2
        return input.u16();
      case 0x4a: // BININT
        return input.i32();
      case 0x8a: // LONG1
        return this.budget.integer(parseLong(input.take(input.u8())));
      case 0x8b: // LONG4
        return this.budget.integer(parseLong(input.take(input.i32())));
      case 0x49: {
        // INT, which also spells the booleans of protocol 0
        const text = latin1(input.line());
        return text === '01' ? true : text === '00' ? false : this.budget.integer(parseDecimal(text));
      }
      case 0x4c: // LONG
        return this.budget.integer(parseDecimal(latin1(input.line()).replace(/L$/, '')));
      case 0x47: // BINFLOAT
        return float(input.f64());
      case 0x46: // FLOAT
        return float(parseFloatText(latin1(input.line())));
      case 0x58: // BINUNICODE
        return decodeUtf8(input.take(input.u32()));
      case 0x8c: // SHORT_BINUNICODE
        return decodeUtf8(input.take(input.u8()));
      case 0x8d: // BINUNICODE8
        return decodeUtf8(input.take(input.u64()));
      case 0x56: // UNICODE
        return parseRawUnicode(latin1(input.line()));
      case 0x55: // SHORT_BINSTRING: a Python 2 str, which PyTorch reads as UTF-8 too
        return decodeUtf8(input.take(input.u8()));
      case 0x54: // BINSTRING
        return decodeUtf8(input.take(input.i32()));
      case 0x53: // STRING
        return decodeUtf8(parseQuoted(latin1(input.line()).replace(/\r$/, '')));
      case 0x43: // SHORT_BINBYTES
        return input.take(input.u8());
      case 0x42: // BINBYTES
        return input.take(input.u32());
      case 0x8e: // BINBYTES8
        return input.take(input.u64());
      case 0x96: {
        // BYTEARRAY8
        const bytes = input.take(input.u64());
        marked(bytes).kind = 'bytearray';
        return bytes;
      }
      default:
        throw new RuntimeError(`the pickle holds an opcode that is not allowed: 0x${op.toString(16).padStart(2, '0')}`);
    }
  }

  private floor(): number {
    return this.marks.length > 0 ? this.marks[this.marks.length - 1]! : 0;
  }

  private top(): unknown {
    if (this.stack.length <= this.floor())
      throw new RuntimeError('the pickle takes more from its stack than it put there');
    return this.stack[this.stack.length - 1];
  }

  private pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popMany(n: number): unknown[] {
    if (this.stack.length - n < this.floor())
      throw new RuntimeError('the pickle takes more from its stack than it put there');
    return this.stack.splice(this.stack.length - n, n);
  }

  private popMark(): unknown[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw new RuntimeError('the pickle refers to a mark that is not there');
    return this.stack.splice(mark);
  }

  private index(): number {
    const value = parseDecimal(latin1(this.input.line()));
    if (typeof value !== 'number' || value < 0)
      throw new RuntimeError(`the pickle has a malformed memo index: ${value}`);
    return value;
  }

  private put(index: number): void {
    this.memo.set(index, this.top());
  }

  private get(index: number): unknown {
    if (!this.memo.has(index)) throw new RuntimeError(`the pickle refers to memo entry ${index}, which is not there`);
    return this.memo.get(index);
  }

  private append(items: readonly unknown[]): void {
    const list = this.top();
    const target = list instanceof PythonObject ? list.items : isList(list) ? list : null;
    if (!target) throw new RuntimeError(`the pickle appends to what is no list: ${nodeName(list)}`);
    for (const item of items) target.push(item);
  }

  private setTop(items: readonly unknown[]): void {
    this.setItems(this.top(), items);
  }

  private setItems(target: unknown, items: readonly unknown[]): void {
    const map =
      target instanceof PyDict
        ? target.map
        : target instanceof StateDict
          ? (target as Map<unknown, unknown>)
          : target instanceof PythonObject
            ? target.entries
            : null;
    if (!map) throw new RuntimeError(`the pickle sets items of what is no dict: ${nodeName(target)}`);
    if (items.length % 2 !== 0) throw new RuntimeError('the pickle sets a key without a value');
    for (let i = 0; i < items.length; i += 2) map.set(hashable(items[i]), items[i + 1]);
  }

  private addItems(target: unknown, items: readonly unknown[]): void {
    if (!(target instanceof Set)) throw new RuntimeError(`the pickle adds to what is no set: ${nodeName(target)}`);
    for (const item of items) addToSet(target, item);
  }

  private call(callee: unknown, args: unknown, how: 'call' | 'make'): unknown {
    if (!(args instanceof Tuple)) throw new RuntimeError(`the pickle calls ${nodeName(callee)} with what is no tuple`);
    if (callee instanceof PythonGlobal) return new PythonObject(callee.className, args);
    const fn = callee instanceof Global ? callee[how] : null;
    if (!fn) throw new RuntimeError(`the pickle calls what must not be called: ${nodeName(callee)}`);
    if (!(callee instanceof Global && callee.user)) {
      this.budget.call(args);
      return fn(args);
    }
    const finisher = new Finisher(this.attributes, this.pending);
    const finished = finisher.finish(args) as unknown[];
    this.budget.charge(finisher.steps);
    return fn(finished);
  }

  private resolve(module: string, name: string): unknown {
    const length = module.length + name.length;
    if (length > MAX_NAME) throw new RuntimeError(`the pickle names a class or function in ${length} characters`);
    return this.env.resolve(module, name);
  }

  private finish(value: unknown): unknown {
    return new Finisher(this.attributes, this.pending).finish(value);
  }

  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof StateDict) {
      if (!(state instanceof PyDict)) throw new RuntimeError('the pickle sets a malformed state of an OrderedDict');
      this.budget.state(state);
      this.attributes.set(target, state);
    } else if (target instanceof PythonObject) {
      target.state = state;
      this.env.inertState?.(target.className, state);
    } else if (target !== null && typeof target === 'object' && isBuildable(target)) {
      this.budget.call(state instanceof Tuple ? state : []);
      target.build(state);
    } else {
      const apply = isObject(target) ? this.env.stateSetter(target) : null;
      if (!apply) throw new RuntimeError(`the pickle sets the state of ${nodeName(target)}, which takes none`);
      this.budget.state(state);
      this.pending.set(target as object, { state, apply });
    }
  }
}

/** A float that JavaScript would take for an int is wrapped until its container is known. */
function float(value: number): number | WholeFloat {
  return Number.isInteger(value) && !Object.is(value, -0) ? new WholeFloat(value) : value;
}

function nodeName(value: unknown): string {
  if (value instanceof Global) return value.name;
  if (value instanceof PyDict) return 'a dict';
  return kindOf(value);
}

/**
 * A value as a dict's key or a set's item.
 * @throws RuntimeError for one that Python cannot hash.
 */
export function hashable(key: unknown): unknown {
  const unhashable =
    isList(key) || key instanceof PyDict || key instanceof StateDict || key instanceof Deferred || key instanceof Set;
  if (unhashable && !(key instanceof Set && marked(key).kind === 'frozenset')) {
    throw new RuntimeError(`unhashable type in the pickle: ${nodeName(key)}`);
  }
  return plain(key);
}

/** Adds an item to a set; a whole float stays wrapped until the end, as in other containers. */
export function addToSet(set: Set<unknown>, item: unknown): void {
  hashable(item);
  set.add(item);
}
