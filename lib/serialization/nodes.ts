// What lies on the unpickler's stack, and how it becomes JavaScript values at the end. A dict can only become an object or
// a Map when all its keys are known, and a pickle may refer to it long before.
import { StateDict, Tuple, type ModuleMetadata } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { marked, plainObject, PythonObject, setOwn } from './python.js';

/** A float without a fraction. */
export class WholeFloat {
  constructor(readonly value: number) {}
}

/** A dict that may still grow. */
export class PyDict {
  readonly map = new Map<unknown, unknown>();
  kind?: 'Counter' | 'defaultdict';
  factory?: string | null;
}

/** A class or function of the allowlist: `call` runs for opcode REDUCE, `make` for NEWOBJ. */
export class Global {
  constructor(
    readonly name: string,
    readonly call: ((args: readonly unknown[]) => unknown) | null,
    readonly make: ((args: readonly unknown[]) => unknown) | null = null,
    /** The caller's own: it is handed finished values, not nodes. */
    readonly user = false,
  ) {}
}

/** Something that only lives while a file is read, such as a storage, and has no JavaScript form. */
export abstract class Internal {
  abstract readonly description: string;
}

/** Something whose JavaScript form is known only when the pickle has been read. */
export abstract class Deferred {
  abstract resolve(): unknown;
}

/** A list that a pickle may append to (and no tuple). */
export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && !(value instanceof Tuple);
}

/** Whether a value can have a state: also a function, which modules are. */
export function isObject(value: unknown): value is object {
  return (value !== null && typeof value === 'object') || typeof value === 'function';
}

/** A number for a whole float, anything else as it is. */
export function plain(value: unknown): unknown {
  return value instanceof WholeFloat ? value.value : value;
}

/** State that `BUILD` left for an object of a class the caller allowed. */
export interface PendingState {
  readonly state: unknown;
  readonly apply: (target: object, state: unknown) => void;
}

/** Turns the graph of nodes below a value into JavaScript values, without recursion. */
export class Finisher {
  private readonly done = new Map<object, unknown>();
  private readonly work: (() => void)[] = [];
  private readonly states = new Map<object, unknown>();
  /** How much was looked at so far. */
  steps = 0;

  constructor(
    private readonly attributes: ReadonlyMap<object, PyDict>,
    private readonly pending: ReadonlyMap<object, PendingState>,
  ) {}

  /** The finished value. */
  finish(root: unknown): unknown {
    const result = this.convert(root);
    for (let next = this.work.pop(); next; next = this.work.pop()) next();
    this.steps += this.pending.size;
    // In the order of the file, which builds what an object contains before the object.
    for (const [target, { apply }] of this.pending) if (this.states.has(target)) apply(target, this.states.get(target));
    return result;
  }

  private convert(value: unknown): unknown {
    this.steps++;
    if (!isObject(value)) return value;
    if (value instanceof WholeFloat) return value.value;
    const known = this.done.get(value);
    if (known !== undefined) return known;
    if (value instanceof PyDict) return this.dict(value);
    if (value instanceof Global) throw new RuntimeError(`the pickle holds the class or function ${value.name} itself`);
    if (value instanceof Internal) {
      throw new RuntimeError(`the pickle holds ${value.description}, which has no form of its own here`);
    }
    if (value instanceof Deferred) {
      const resolved = value.resolve();
      this.done.set(value, resolved);
      return resolved;
    }
    this.done.set(value, value);
    const pending = this.pending.get(value);
    if (pending) this.work.push(() => this.states.set(value, this.convert(pending.state)));
    if (Array.isArray(value)) this.work.push(() => this.array(value));
    else if (value instanceof StateDict) this.orderedDict(value);
    else if (value instanceof Set) this.work.push(() => this.set(value));
    else if (value instanceof PythonObject) this.work.push(() => this.object(value));
    return value;
  }

  private array(list: unknown[]): void {
    for (let i = 0; i < list.length; i++) {
      const item = list[i];
      if (item instanceof WholeFloat) noteFloat(list, i, item);
      list[i] = this.convert(item);
    }
  }

  private dict(node: PyDict): object {
    const { map } = node;
    let object = true;
    for (const key of map.keys()) if (typeof key !== 'string') object = false;
    // Keys are set now, in order, and values when they are known: a dict may contain itself.
    const target = object
      ? plainObject([...map.keys()].map((key) => [key as string, undefined]))
      : new Map<unknown, unknown>();
    this.done.set(node, target);
    if (node.kind) Object.assign(marked(target), { kind: node.kind, factory: node.factory });
    if (target instanceof Map) for (const key of map.keys()) target.set(this.convert(key), undefined);
    this.work.push(() => {
      for (const [key, value] of map) {
        if (value instanceof WholeFloat) noteFloat(target, key, value);
        const final = this.convert(value);
        if (target instanceof Map) target.set(this.convert(key), final);
        else setOwn(target, key as string, final);
      }
    });
    return target;
  }

  private orderedDict(dict: StateDict): void {
    const attributes = this.attributes.get(dict);
    this.work.push(() => {
      for (const [key, value] of dict as Map<unknown, unknown>) {
        if (value instanceof WholeFloat) noteFloat(dict, key, value);
        this.convert(key);
        (dict as Map<unknown, unknown>).set(key, this.convert(value));
      }
      for (const [name, value] of attributes?.map ?? []) {
        const final = this.convert(value);
        if (name === '_metadata') setOwn(dict, name, final as Map<string, ModuleMetadata>);
        else if (typeof name === 'string') (marked(dict).attributes ??= new Map()).set(name, final);
      }
    });
  }

  private set(set: Set<unknown>): void {
    const items = [...set];
    set.clear();
    for (const item of items) {
      if (item instanceof WholeFloat) noteFloat(set, item.value, item);
      set.add(this.convert(item));
    }
  }

  private object(value: PythonObject): void {
    value.state = this.convert(value.state);
    this.convert(value.args);
    this.array(value.items);
    for (const [key, item] of value.entries) value.entries.set(this.convert(key), this.convert(item));
  }
}

function noteFloat(container: object, key: unknown, float: WholeFloat): void {
  const mark = marked(container);
  (mark.floats ??= new Map<unknown, number>()).set(key, float.value);
}
