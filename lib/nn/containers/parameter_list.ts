// A list of parameters.
import { RuntimeError } from '../../core/errors.js';
import { Parameter } from '../../tensor/parameter.js';
import { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { DELETE_INDEX, SET_INDEX } from '../module_attributes.js';
import { describeParameter, typeName } from '../printing.js';
import { defineLength, isIterable, range, wrapIndex } from './list.js';

/**
 * A list of parameters that are registered under their positions. Tensors become parameters; other values are kept as they
 * are. Values are also the properties `list[0]`, `list[1]` ....
 */
export class ParameterList<T = Parameter> extends Module {
  /** The value at a position. */
  [index: number]: T;
  /** How many values there are. */
  declare readonly length: number;
  /** @internal */ declare _size: number;

  /**
   * @param values any iterable; default none.
   * @throws TypeError for something that is no iterable, or a tensor.
   */
  constructor(values: Iterable<T | Tensor> | null = null) {
    super();
    this._size = 0;
    defineLength(this, (list) => list._size);
    if (values !== null) this.extend(values);
  }

  /**
   * The value at a position.
   * @param index the position; negative ones count from the end
   * @throws RangeError if it is out of range, TypeError unless it is an integer.
   */
  get(index: number): T {
    return this[wrapIndex(index, this.length)] as T;
  }

  /** The value at a position, or undefined, as `Array.prototype.at`. */
  at(index: number): T | undefined {
    return [...this].at(index);
  }

  /**
   * Replaces the value at a position.
   * @param index the position; negative ones count from the end
   * @param value a parameter, a tensor, which becomes one, or any other value
   * @throws RangeError if the position is out of range, TypeError unless it is an integer.
   */
  set(index: number, value: T | Tensor): void {
    this[wrapIndex(index, this.length)] = value as T;
  }

  /**
   * Adds a value at the end.
   * @param value a parameter, a tensor, which becomes one, or any other value
   * @returns the list
   */
  append(value: T | Tensor): this {
    this._size++;
    try {
      this[this._size - 1] = value as T;
    } catch (error) {
      this._size--;
      throw error;
    }
    return this;
  }

  /**
   * Adds values at the end.
   * @param values any iterable of parameters, tensors or other values
   * @returns the list
   * @throws TypeError for something that is no iterable, or a tensor
   */
  extend(values: Iterable<T | Tensor>): this {
    if (!isIterable(values) || values instanceof Tensor) {
      throw new TypeError(`ParameterList.extend should be called with an iterable, but got ${typeName(values)}`);
    }
    for (const value of [...values]) this.append(value);
    return this;
  }

  /**
   * A new list of the values at some positions, with Python's rules for slices.
   * @param start the first position (default null: the end that `step` starts from)
   * @param stop before which to end (default null: the other end)
   * @param step how far from one to the next (default 1)
   * @throws RangeError if `step` is zero
   */
  slice(start: number | null = null, stop: number | null = null, step = 1): this {
    const out = new (this.constructor as new () => this)();
    for (const i of range(this.length, start, stop, step)) out.append(this[i]!);
    return out;
  }

  /** The values in order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this._size; i++) yield this[i]!;
  }

  /** @internal `list[i] = value`: the position must exist; tensors become parameters. */
  override [SET_INDEX](name: string, value: unknown): boolean {
    wrapIndex(Number(name), this.length);
    if (!(value instanceof Tensor) || value instanceof Parameter) return false;
    this[Number(name)] = new Parameter(value) as T;
    return true;
  }

  /** @internal `delete list[i]` would leave a hole; PyTorch has no such deletion either. */
  override [DELETE_INDEX](): never {
    throw new TypeError("'ParameterList' object doesn't support item deletion");
  }

  override extraRepr(): string {
    return [...this]
      .map((value, i) => {
        const kind = value instanceof Tensor ? String(value.dtype) : '';
        return `  (${i}): ${describeParameter(value, kind, value instanceof Parameter)}`;
      })
      .join('\n');
  }

  /** @throws RuntimeError always. */
  override forward(): never {
    throw new RuntimeError('ParameterList should not be called.');
  }
}
