// Parameters by name.
import { RuntimeError } from '../../core/errors.js';
import { Parameter } from '../../tensor/parameter.js';
import { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { getAttribute } from '../module_attributes.js';
import { tensorTypeName } from '../../ops/internal/type_names.js';
import { describeParameter, typeName } from '../printing.js';
import { defineLength, isIterable } from './list.js';
import { type Named, namedEntries } from './module_dict.js';

/**
 * Parameters that are registered under their keys, which are also properties of the container. Tensors become parameters; other
 * values are kept as they are. Iterating gives the keys.
 */
export class ParameterDict<T = Parameter> extends Module {
  /** How many values there are. */
  declare readonly length: number;
  /** @internal The keys in order: values that are no tensors are in no registry. */
  declare _keys: Set<string>;

  /**
   * @param parameters a plain object, a Map, `[key, value]` pairs or a ParameterDict (default null: none)
   * @throws TypeError for something else; RuntimeError for a key that is the name of something else.
   */
  constructor(parameters: Named<T | Tensor> | ParameterDict<T> | null = null) {
    super();
    this._keys = new Set();
    defineLength(this, (dict) => dict._keys.size);
    if (parameters !== null) this.update(parameters);
  }

  /** How many values there are. */
  get size(): number {
    return this._keys.size;
  }

  /**
   * The value under a key.
   * @param key its key
   * @param fallback what to return where there is none (default null)
   */
  get(key: string): T | null;
  get(key: string, fallback: T): T;
  get(key: string, fallback: T | null = null): T | null {
    return this._keys.has(key) ? (getAttribute(this, key) as T) : fallback;
  }

  /**
   * Registers a value under a key, in the place of one that is there.
   * @param key a string that no other attribute has for a name
   * @param value a parameter, a tensor, which becomes one, or any other value
   * @returns the container
   * @throws TypeError unless the key is a string, RuntimeError for a key that is the name of something else
   */
  set(key: string, value: T | Tensor): this {
    if (typeof key !== 'string') {
      throw new TypeError(
        `Index given to ParameterDict cannot be used as a key as it is not a string (type is '${typeName(key)}').`,
      );
    }
    const stored: unknown = value instanceof Tensor && !(value instanceof Parameter) ? new Parameter(value) : value;
    (this as unknown as Record<string, unknown>)[key] = stored;
    this._keys.add(key);
    return this;
  }

  /** Whether there is a value under a key. */
  has(key: string): boolean {
    return this._keys.has(key);
  }

  /**
   * Removes the value under a key.
   * @throws RuntimeError if there is none.
   */
  delete(key: string): void {
    if (!this._keys.delete(key)) throw new RuntimeError(`'ParameterDict' object has no attribute '${key}'`);
    Reflect.deleteProperty(this, key);
  }

  /** Removes all values. */
  clear(): void {
    for (const key of [...this._keys]) this.delete(key);
  }

  /**
   * Removes and returns the value under a key.
   * @param key its key
   * @throws RuntimeError if there is none
   */
  pop(key: string): T {
    const value = this.get(key);
    this.delete(key);
    return value as T;
  }

  /**
   * Removes and returns the last pair.
   * @returns [key, value]
   * @throws RuntimeError if there is none
   */
  popitem(): [string, T] {
    const key = [...this._keys].at(-1);
    if (key === undefined) throw new RuntimeError('popitem(): dictionary is empty');
    return [key, this.pop(key)];
  }

  /**
   * The value under a key, registered first if there is none.
   * @param key its key
   * @param fallback what is registered then (default null)
   */
  setdefault(key: string, fallback: T | Tensor | null = null): T {
    if (!this._keys.has(key)) this.set(key, fallback as T);
    return this.get(key) as T;
  }

  /** A new ParameterDict of the same parameters. */
  copy(): ParameterDict<T> {
    return new ParameterDict<T>([...this.items()]);
  }

  /**
   * A new ParameterDict that has one value under several keys.
   * @param keys the keys
   * @param value the value of each (default null)
   */
  fromkeys(keys: Iterable<string>, value: T | Tensor | null = null): ParameterDict<T> {
    return new ParameterDict<T>([...keys].map((key) => [key, value as T]));
  }

  /** The keys, in the order in which they were registered. */
  keys(): IterableIterator<string> {
    return this._keys.keys();
  }

  /** The values, in the order in which they were registered. */
  *values(): IterableIterator<T> {
    for (const key of this._keys) yield this.get(key) as T;
  }

  /** `[key, value]` pairs, in the order in which they were registered. */
  *items(): IterableIterator<[string, T]> {
    for (const key of this._keys) yield [key, this.get(key) as T];
  }

  /** The same as `items`, under the name that Map has. */
  entries(): IterableIterator<[string, T]> {
    return this.items();
  }

  /**
   * Registers values over those with the same keys.
   * @param parameters a plain object, whose values come sorted by key, or a Map, pairs or a ParameterDict, as they come
   * @throws TypeError for something else; RuntimeError for a pair that is none
   */
  update(parameters: Named<T | Tensor> | ParameterDict<T>): void {
    let entries: [string, T | Tensor][];
    if (parameters instanceof ParameterDict) entries = [...parameters.items()];
    else entries = namedEntries(parameters as Named<T | Tensor>, 'ParameterDict', 'ParametersDict');
    const plain = !(parameters instanceof Map) && !isIterable(parameters);
    if (plain) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of entries) this.set(key, value);
  }

  /** The keys. */
  [Symbol.iterator](): IterableIterator<string> {
    return this._keys.keys();
  }

  override extraRepr(): string {
    return [...this.items()]
      .map(([key, value]) => {
        const kind = value instanceof Tensor ? tensorTypeName(value.dtype, value.device.type) : '';
        return `  (${key}): ${describeParameter(value, kind, value instanceof Parameter)}`;
      })
      .join('\n');
  }

  /** @throws RuntimeError always. */
  override forward(): never {
    throw new RuntimeError('ParameterDict should not be called.');
  }
}
