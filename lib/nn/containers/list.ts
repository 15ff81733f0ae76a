// What lists of modules and of parameters share: positions, ranges, and `length`, which a function has of its own.
import { inWords } from '../../core/errors.js';

/**
 * A position counted from the front.
 * @throws RangeError if it is out of range, TypeError unless it is an integer.
 */
export function wrapIndex(index: number, length: number): number {
  if (!Number.isInteger(index)) throw new TypeError(`an index must be an integer, got ${inWords(index)}`);
  if (index < -length || index >= length) throw new RangeError(`index ${index} is out of range`);
  return index < 0 ? index + length : index;
}

/**
 * The positions that a slice has, with Python's rules for negative and missing ends.
 * @param length how many positions there are
 * @param start the first (default null: the end that `step` starts from)
 * @param stop before which to end (default null: the other end)
 * @param step how far from one to the next (default 1), negative for backwards
 * @returns the positions, in order
 * @throws RangeError if `step` is zero or no integer
 */
export function range(length: number, start: number | null = null, stop: number | null = null, step = 1): number[] {
  if (!Number.isInteger(step) || step === 0) throw new RangeError('slice step cannot be zero');
  const clip = (value: number | null, fallback: number): number => {
    if (value === null) return fallback;
    const at = value < 0 ? value + length : value;
    return step > 0 ? Math.min(Math.max(at, 0), length) : Math.min(Math.max(at, -1), length - 1);
  };
  const from = clip(start, step > 0 ? 0 : length - 1);
  const to = clip(stop, step > 0 ? length : -1);
  const out: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) out.push(i);
  return out;
}

/** Whether a value can be iterated. A string can, but no container means it so. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function';
}

/** Gives a container a live `length`, in place of the function's own constant. */
export function defineLength<C extends object>(container: C, count: (container: C) => number): void {
  // The getter asks its receiver, so that a copy of the container counts its own values.
  Object.defineProperty(container, 'length', {
    get(this: C) {
      return count(this);
    },
    configurable: true,
  });
}
