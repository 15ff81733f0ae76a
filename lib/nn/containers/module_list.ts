// A list of modules.
import { Module } from '../module.js';
import { DELETE_INDEX, isModule, SET_INDEX } from '../module_attributes.js';
import { describeList, typeName } from '../printing.js';
import { defineLength, isIterable, range, wrapIndex } from './list.js';

/**
 * A list of modules that are registered under their positions, `'0'`, `'1'` ..; they are also the properties `list[0]`,
 * `list[1]` ... It has no `forward`: the model calls its members.
 */
export class ModuleList<T extends Module = Module> extends Module {
  /** The module at a position. */
  [index: number]: T;
  /** How many modules there are. */
  declare readonly length: number;

  /**
   * @param modules any iterable of modules (default null: none)
   * @throws TypeError for something that is no iterable of modules.
   */
  constructor(modules: Iterable<T> | null = null) {
    super();
    defineLength(this, (list) => list._modules.size);
    if (modules !== null) this.extend(modules);
  }

  /**
   * The module at a position.
   * @param index the position; negative ones count from the end
   * @throws RangeError if it is out of range, TypeError unless it is an integer.
   */
  get(index: number): T {
    return this._modules.get(String(wrapIndex(index, this.length))) as T;
  }

  /** The module at a position, or undefined, as `Array.prototype.at`. */
  at(index: number): T | undefined {
    return [...this].at(index);
  }

  /**
   * Replaces the module at a position.
   * @param index the position; negative ones count from the end
   * @param module what is there from then on
   * @throws RangeError if the position is out of range, TypeError unless it is an integer.
   */
  set(index: number, module: T): void {
    this[wrapIndex(index, this.length)] = module;
  }

  /**
   * Removes the module at a position; those behind move up.
   * @param index the position; negative ones count from the end
   * @throws RangeError if the position is out of range, TypeError unless it is an integer.
   */
  delete(index: number): void {
    this._modules.delete(String(wrapIndex(index, this.length)));
    this._renumber();
  }

  /** @internal Numbers all modules anew. */
  _renumber(): void {
    this._modules.replace([...this].map((module, i) => [String(i), module]));
  }

  /**
   * A new list of the modules at some positions, with Python's rules for slices.
   * @param start the first position (default null: the end that `step` starts from)
   * @param stop before which to end (default null: the other end)
   * @param step how far from one to the next (default 1)
   * @throws RangeError if `step` is zero
   */
  slice(start: number | null = null, stop: number | null = null, step = 1): this {
    const modules = [...this];
    const chosen = range(modules.length, start, stop, step).map((i) => modules[i]!);
    return new (this.constructor as new (modules: T[]) => this)(chosen);
  }

  /**
   * Adds a module at the end.
   * @param module the module
   * @returns the list
   * @throws TypeError for something that is no module
   */
  append(module: T): this {
    this.addModule(String(this.length), module);
    return this;
  }

  /**
   * Inserts a module before a position; those behind move up.
   * @param index the position, negative from the end; one behind the end means the end
   * @param module the module
   * @throws TypeError for something that is no module
   */
  insert(index: number, module: T): void {
    if (!isModule(module)) throw new TypeError(`${typeName(module)} is not a Module subclass`);
    const modules = [...this];
    modules.splice(index, 0, module);
    this._modules.replace(modules.map((m, i) => [String(i), m]));
  }

  /**
   * Adds modules at the end.
   * @param modules any iterable of modules
   * @returns the list
   * @throws TypeError for something that is no iterable of modules
   */
  extend(modules: Iterable<T>): this {
    if (!isIterable(modules)) {
      throw new TypeError(`ModuleList.extend should be called with an iterable, but got ${typeName(modules)}`);
    }
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /**
   * Removes and returns the module at a position.
   * @param index the position; default -1, the last.
   * @throws RangeError if it is out of range.
   */
  pop(index = -1): T {
    const module = this.get(index);
    this.delete(index);
    return module;
  }

  /**
   * A new list of these modules and others: Python's `+`.
   * @param other any iterable of modules
   */
  concat<U extends Module>(other: Iterable<U>): ModuleList<T | U> {
    return new ModuleList<T | U>([...this, ...other]);
  }

  /** The modules in order. */
  *[Symbol.iterator](): IterableIterator<T> {
    yield* this._modules.values() as IterableIterator<T>;
  }

  /** @internal `list[i] = module`: the position must exist. */
  override [SET_INDEX](name: string, _value: unknown): boolean {
    wrapIndex(Number(name), this.length);
    return false;
  }

  /** @internal `delete list[i]`: the position must exist, and those behind move up. */
  override [DELETE_INDEX](index: number): void {
    this.delete(index);
  }

  override toString(): string {
    return describeList(this._getName(), this);
  }
}
