// Modules by name.
import { RuntimeError } from '../../core/errors.js';
import { Module } from '../module.js';
import { typeName } from '../printing.js';
import { defineLength, isIterable } from './list.js';

/** Names with values: a plain object, a Map, or pairs. */
export type Named<T> = Readonly<Record<string, T>> | ReadonlyMap<string, T> | Iterable<readonly [string, T]>;

/**
 * The pairs of a mapping.
 * @param owner the container's name and, for the error about pairs, the name that PyTorch has there.
 * @throws TypeError for something that is no mapping, RuntimeError for a pair that is none.
 */
export function namedEntries<T>(values: Named<T>, owner: string, errorOwner = owner): [string, T][] {
  if (values instanceof Map) return [...(values as ReadonlyMap<string, T>)];
  if (isIterable(values)) {
    return [...(values as Iterable<unknown>)].map((pair, i) => {
      const length = Array.isArray(pair) ? pair.length : -1;
      if (length < 0) {
        throw new TypeError(`${owner} update sequence element #${i} should be Iterable; is ${typeName(pair)}`);
      }
      if (length !== 2)
        throw new RuntimeError(`${owner} update sequence element #${i} has length ${length}; 2 is required`);
      return pair as [string, T];
    });
  }
  if (typeof values !== 'object' || values === null) {
    throw new TypeError(
      `${errorOwner}.update should be called with an iterable of key/value pairs, but got ${typeName(values)}`,
    );
  }
  return Object.entries(values as Record<string, T>);
}

/**
 * Modules that are registered under their keys, which are also properties of the container. Iterating gives the keys. It has no
 * `forward`: the model calls its members.
 */
export class ModuleDict<T extends Module = Module> extends Module {
  /** How many modules there are. */
  declare readonly length: number;

  /**
   * @param modules a plain object, a Map, `[key, module]` pairs or a ModuleDict (default null: none)
   * @throws TypeError for something else or what is no module; RuntimeError for a key that is taken by
   *   something else or has a dot.
   */
  constructor(modules: Named<T> | ModuleDict<T> | null = null) {
    super();
    defineLength(this, (list) => list._modules.size);
    if (modules !== null) this.update(modules);
  }

  /** How many modules there are. */
  get size(): number {
    return this._modules.size;
  }

  /**
   * The module under a key.
   * @param key its key
   * @throws RuntimeError if there is none
   */
  get(key: string): T {
    const module = this._modules.get(key);
    if (module === undefined) throw new RuntimeError(`ModuleDict has no module under the key '${key}'`);
    return module as T;
  }

  /**
   * Registers a module under a key, in the place of one that is there.
   * @param key a name without dots that no attribute has
   * @param module the module
   * @returns the container
   * @throws TypeError for something that is no module; RuntimeError for a key that cannot be used
   */
  set(key: string, module: T): this {
    this.addModule(key, module);
    return this;
  }

  /** Whether there is a module under a key. */
  has(key: string): boolean {
    return this._modules.has(key);
  }

  /**
   * Removes the module under a key.
   * @throws RuntimeError if there is none.
   */
  delete(key: string): void {
    this.get(key);
    this._modules.delete(key);
  }

  /** Removes all modules. */
  clear(): void {
    this._modules.clear();
  }

  /**
   * Removes and returns the module under a key.
   * @throws RuntimeError if there is none.
   */
  pop(key: string): T {
    const module = this.get(key);
    this._modules.delete(key);
    return module;
  }

  /** The keys, in the order in which they were registered. */
  keys(): IterableIterator<string> {
    return this._modules.keys();
  }

  /** The modules, in the order in which they were registered. */
  values(): IterableIterator<T> {
    return this._modules.values() as IterableIterator<T>;
  }

  /** `[key, module]` pairs, in the order in which they were registered. */
  items(): IterableIterator<[string, T]> {
    return this._modules.entries() as IterableIterator<[string, T]>;
  }

  /** The same as `items`, under the name that Map has. */
  entries(): IterableIterator<[string, T]> {
    return this.items();
  }

  /**
   * Registers modules in the order in which they come, over those with the same keys.
   * @param modules a plain object, a Map, `[key, module]` pairs or a ModuleDict
   * @throws TypeError for something that is no mapping; RuntimeError for a pair that is none
   */
  update(modules: Named<T> | ModuleDict<T>): void {
    const entries =
      modules instanceof ModuleDict ? [...modules.items()] : namedEntries(modules as Named<T>, 'ModuleDict');
    for (const [key, module] of entries) this.set(key, module);
  }

  /** The keys. */
  [Symbol.iterator](): IterableIterator<string> {
    return this._modules.keys();
  }
}
