// Modules in a row.
import { inWords, RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { DELETE_INDEX, isModule, SET_INDEX } from '../module_attributes.js';
import { typeName } from '../printing.js';
import { runJoined } from './joined.js';
import { defineLength, isIterable, range, wrapIndex } from './list.js';

/** What `new Sequential` takes beside modules one by one: names with modules. */
export type NamedModules = ReadonlyMap<string, Module> | Iterable<readonly [string, Module]>;

/** Tells the forms of the constructor's arguments apart. */
function entriesOf(args: readonly unknown[]): Iterable<readonly [string, unknown]> {
  const [only] = args;
  if (args.length !== 1 || isModule(only) || !isIterable(only)) return args.map((m, i) => [String(i), m] as const);
  return [...only].map((item, i) =>
    Array.isArray(item) ? (item as unknown as readonly [string, unknown]) : [String(i), item],
  );
}

/** How many positions the prototype answers for modules that have other names than their position. */
let positions = 0;

/** @internal Makes `seq[i]` work for named modules. A numbered module is a property of the container itself and is found first. */
export function definePositions(count: number): void {
  for (; positions < count; positions++) {
    const index = positions;
    Object.defineProperty(Sequential.prototype, index, {
      get(this: Sequential) {
        return this.at(index);
      },
      set(this: Sequential, module: Module) {
        this.set(index, module);
      },
      configurable: true,
    });
  }
}

/**
 * Modules that are called one after the other, each with the result of the one before: the container's call has one argument,
 * that of the first, and the result of the last. Without modules it gives back its input.
 * Modules are also the properties `seq[0]`, `seq[1]` ... and those of their names.
 */
export class Sequential<In = Tensor, Out = Tensor> extends Module {
  /** The module at a position. */
  [index: number]: Module;
  /** How many modules there are. */
  declare readonly length: number;

  /**
   * @param modules modules one by one, or one argument: `[name, module]` pairs, a Map, or an iterable of modules. Without names
   *   they are registered under their positions.
   * @throws TypeError for something that is no module.
   */
  constructor(...modules: Module[]);
  constructor(modules: NamedModules | Iterable<Module>);
  constructor(...args: unknown[]) {
    super();
    defineLength(this, (list) => list._modules.size);
    for (const [name, module] of entriesOf(args)) this.addModule(name, module as Module);
  }

  override forward(input: In): Out {
    let value: unknown = input;
    const modules = [...this._modules.values()] as Module[];
    for (let i = 0; i < modules.length; ) {
      const joined = runJoined(modules, i, value);
      value = joined === null ? modules[i]!(value) : joined.value;
      i += joined === null ? 1 : joined.count;
    }
    return value as Out;
  }

  override addModule(name: string, module: Module | null): void {
    super.addModule(name, module);
    definePositions(this.length);
  }

  /**
   * The module at a position.
   * @param index the position; negative ones count from the end
   * @throws RangeError if it is out of range, TypeError unless it is an integer.
   */
  get(index: number): Module {
    return [...this][wrapIndex(index, this.length)]!;
  }

  /** The module at a position, or undefined, as `Array.prototype.at`. */
  at(index: number): Module | undefined {
    return [...this].at(index);
  }

  /**
   * Replaces the module at a position; it keeps its name.
   * @param index the position; negative ones count from the end
   * @param module what is there from then on
   * @throws RangeError if the position is out of range, TypeError unless it is an integer.
   */
  set(index: number, module: Module): void {
    const name = this._nameAt(index);
    (this as unknown as Record<string, Module>)[name] = module;
  }

  /**
   * Removes the module at a position; those behind move up, and all are registered under their positions.
   * @param index the position; negative ones count from the end
   * @throws RangeError if the position is out of range, TypeError unless it is an integer.
   */
  delete(index: number): void {
    this._modules.delete(this._nameAt(index));
    this._renumber();
  }

  /** @internal */
  _nameAt(index: number): string {
    return [...this._modules.keys()][wrapIndex(index, this.length)]!;
  }

  /** @internal Numbers all modules anew. */
  _renumber(): void {
    this._modules.replace([...this].map((module, i) => [String(i), module]));
  }

  /**
   * A new Sequential of the modules at some positions, under the names they have here, with Python's rules for slices.
   * @param start the first position (default null: the end that `step` starts from)
   * @param stop before which to end (default null: the other end)
   * @param step how far from one to the next (default 1)
   * @throws RangeError if `step` is zero
   */
  slice(start: number | null = null, stop: number | null = null, step = 1): this {
    const entries = [...this._modules] as [string, Module][];
    const chosen = range(entries.length, start, stop, step).map((i) => entries[i]!);
    return new (this.constructor as new (modules: Map<string, Module>) => this)(new Map(chosen));
  }

  /**
   * Adds a module at the end.
   * @param module the module
   * @returns the container
   * @throws TypeError for something that is no module
   */
  append(module: Module): this {
    this.addModule(String(this.length), module);
    return this;
  }

  /**
   * Inserts a module before a position; all are then registered under their positions.
   * @param index the position, negative from the end; the length means the end
   * @param module the module
   * @returns the container
   * @throws RangeError if the position is out of range, TypeError for something that is no module
   */
  insert(index: number, module: Module): this {
    if (!isModule(module)) throw new TypeError(`module should be of type: Module, not ${typeName(module)}`);
    const n = this.length;
    if (!Number.isInteger(index) || index < -n || index > n) throw new RangeError(`Index out of range: ${index}`);
    const modules = [...this];
    modules.splice(index < 0 ? index + n : index, 0, module);
    this._modules.replace(modules.map((m, i) => [String(i), m]));
    return this;
  }

  /**
   * Adds modules at the end.
   * @param modules any iterable of modules
   * @returns the container
   * @throws TypeError for something that is no module
   */
  extend(modules: Iterable<Module>): this {
    for (const module of [...modules]) this.append(module);
    return this;
  }

  /**
   * Removes and returns the module at a position, as `delete` does.
   * @param index the position; default -1, the last.
   * @throws RangeError if it is out of range.
   */
  pop(index = -1): Module {
    const module = this.get(index);
    this.delete(index);
    return module;
  }

  /**
   * A new Sequential of these modules and the other's: Python's `+`.
   * @param other what follows
   * @throws TypeError for something that is no Sequential
   */
  concat(other: Sequential): Sequential {
    if (!(other instanceof Sequential)) {
      throw new TypeError(`add operator supports only objects of Sequential class, but ${typeName(other)} is given.`);
    }
    return new Sequential().extend(this).extend(other);
  }

  /**
   * A new Sequential that has these modules (the same, not copies) `times` times over: Python's `*`.
   * @param times how often, positive
   * @throws TypeError unless it is an integer, RuntimeError unless it is positive
   */
  repeat(times: number): Sequential {
    if (!Number.isInteger(times))
      throw new TypeError(`repeat(): argument 'times' must be an integer, not ${inWords(times)}`);
    if (times <= 0) throw new RuntimeError(`Non-positive multiplication factor ${times} for ${this._getName()}`);
    const out = new Sequential();
    for (let i = 0; i < times; i++) out.extend(this);
    return out;
  }

  /** @internal `seq[i] = module`: the position must exist. */
  override [SET_INDEX](name: string, value: unknown): boolean {
    if (this._modules.has(name)) return false;
    this.set(Number(name), value as Module);
    return true;
  }

  /** @internal `delete list[i]`: the position must exist, and those behind move up. */
  override [DELETE_INDEX](index: number): void {
    this.delete(index);
  }

  /** The modules in order. */
  *[Symbol.iterator](): IterableIterator<Module> {
    yield* this._modules.values() as IterableIterator<Module>;
  }
}

// Enough for children that are assigned as attributes; `addModule` adds more as they come.
definePositions(16);
