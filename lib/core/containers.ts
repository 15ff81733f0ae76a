// Values that PyTorch's files tell apart and JavaScript does not: tuples, and ordered dicts with attributes.

/**
 * An array that remembers it was a Python tuple (or a torch.Size), so that it is written as one again. `map`, `slice` and the
 * like give plain arrays.
 */
export class Tuple<T = unknown> extends Array<T> {
  /** map, slice and the like give plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  // Array.of and Array.from make an object of the class they are called on; only their types say otherwise.
  /** A tuple of the arguments. */
  static override of<T>(...items: T[]): Tuple<T> {
    return super.of(...items) as Tuple<T>;
  }

  /** A tuple of the elements of an iterable or array-like, each through `map` if that is given. */
  static override from<T>(items: Iterable<T> | ArrayLike<T>): Tuple<T>;
  static override from<T, U>(items: Iterable<T> | ArrayLike<T>, map: (value: T, index: number) => U): Tuple<U>;
  static override from<T>(items: Iterable<T>, map?: (value: T, index: number) => T): Tuple<T> {
    return super.from(items, map!) as Tuple<T>;
  }
}

/** A torch.Size: a tuple of sizes. */
export class Size extends Tuple<number> {}

/** What a module says about itself in a state dict's `_metadata`. */
export type ModuleMetadata = { version?: number; assign_to_params_buffers?: boolean } & Record<string, unknown>;

/** What files hold, as Python prints it; objects of other classes print themselves. */
function inPython(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    const items = value.map(inPython).join(', ');
    return value instanceof Tuple ? `(${items}${value.length === 1 ? ',' : ''})` : `[${items}]`;
  }
  const plain = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
  const entries = plain
    ? Object.entries(value)
    : value instanceof Map && !(value instanceof StateDict)
      ? [...value]
      : null;
  if (entries === null) return String(value);
  return `{${entries.map(([key, item]) => `${inPython(key)}: ${inPython(item)}`).join(', ')}}`;
}

/**
 * A Python OrderedDict: a Map in insertion order, with the `_metadata` that `Module.stateDict` leaves on it (undefined where
 * nothing did).
 */
export class StateDict<V = unknown> extends Map<string, V> {
  /** What each module says about itself (its version), by the module's path. */
  _metadata?: Map<string, ModuleMetadata>;

  /** As Python prints an OrderedDict: `OrderedDict([('weight', tensor([[1.]]))])`. */
  override toString(): string {
    const pairs = [...this].map(([key, value]) => `('${key}', ${inPython(value)})`);
    return pairs.length === 0 ? 'OrderedDict()' : `OrderedDict([${pairs.join(', ')}])`;
  }

  /** How console.log shows it: as `toString`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
