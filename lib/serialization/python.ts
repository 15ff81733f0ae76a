// What Python tells apart and JavaScript does not. Loaded containers keep the difference in a side table, so that a value
// that is loaded and saved again reads the same in PyTorch.
import { types } from 'node:util';

/** A Python complex number in a loaded value; it is saved as one again. */
export class Complex {
  /**
   * @param re the real part
   * @param im the imaginary part
   */
  constructor(
    readonly re: number,
    readonly im: number,
  ) {}

  /** As Python prints it: `(1-2j)`. */
  toString(): string {
    return `(${this.re}${this.im < 0 || Object.is(this.im, -0) ? '' : '+'}${this.im}j)`;
  }
}

/**
 * An object of a Python class that this library does not know, as inert data: `torch.load(path, { weightsOnly: false })`
 * gives these. Nothing of the class is ever run.
 */
export class PythonObject {
  /** What followed the object: items of a list subclass. */
  readonly items: unknown[] = [];
  /** What followed the object: entries of a dict subclass. */
  readonly entries = new Map<unknown, unknown>();
  /** What the pickle hands to `__setstate__` or the object's `__dict__`. */
  state: unknown = undefined;

  /**
   * @param className the full name, as `'argparse.Namespace'`
   * @param args the arguments of the class or of the function that rebuilds the object
   */
  constructor(
    /** The full name, as `'argparse.Namespace'`. */
    readonly className: string,
    /** The arguments of the class or of the function that rebuilds the object. */
    readonly args: readonly unknown[],
  ) {}
}

/** A Python class or function that is itself a value, with `weightsOnly: false`. */
export class PythonGlobal {
  /** @param className the full name, as `'collections.deque'` */
  constructor(readonly className: string) {}
}

/** What a JavaScript container was in Python, beyond what its own type says. */
export interface PythonMark {
  /** A dict subclass, a frozenset or a bytearray. */
  kind?: 'Counter' | 'defaultdict' | 'frozenset' | 'bytearray';
  /** The name of a defaultdict's factory in builtins; null for None. */
  factory?: string | null;
  /** Keys or indices whose value is a float without a fraction, which JavaScript cannot tell from an int. */
  floats?: Map<unknown, number>;
  /** Settings of a module that are floats and were ints in the file. */
  ints?: Map<string, number>;
  /** The order of a dict's keys, where a plain object has another one (keys like '10' come first). */
  order?: readonly string[];
  /** Attributes of an OrderedDict other than `_metadata`. */
  attributes?: Map<string, unknown>;
}

const marks = new WeakMap<object, PythonMark>();

/** The mark of a container, if it has one. */
export function markOf(container: object): PythonMark | undefined {
  return marks.get(container);
}

/** The mark of a container, made if need be. */
export function marked(container: object): PythonMark {
  let mark = marks.get(container);
  if (!mark) marks.set(container, (mark = {}));
  return mark;
}

/** Sets an own property, whatever its name: `__proto__` is a key like any other. */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A plain object with these entries, in their order as far as JavaScript keeps it. */
export function plainObject<V>(entries: Iterable<readonly [string, V]>): Record<string, V> {
  const out: Record<string, V> = {};
  const order: string[] = [];
  for (const [key, value] of entries) {
    if (!Object.hasOwn(out, key)) order.push(key);
    setOwn(out, key, value);
  }
  const real = Object.keys(out);
  if (order.some((key, i) => key !== real[i])) marked(out).order = order;
  return out;
}

/** Whether a value is an object literal or the like, also one of another context (a worker's, a test runner's). */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The entries of a plain object or Map, a loaded object's in the order that Python had. */
export function entriesOf<V>(value: Record<string, V> | ReadonlyMap<string, V>): [string, V][] {
  if (types.isMap(value)) return [...(value as ReadonlyMap<string, V>)];
  const object = value as Record<string, V>;
  const keys = Object.keys(object);
  const order = markOf(object)?.order;
  if (order?.length === keys.length && order.every((key) => Object.hasOwn(object, key))) {
    return order.map((key) => [key, object[key] as V]);
  }
  return keys.map((key) => [key, object[key] as V]);
}
