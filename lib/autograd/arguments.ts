// Optional arguments: positionally in PyTorch's order, or by name in one trailing object.
import { kindOf } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Sorts optional arguments by name.
 * @param name the function, for messages.
 * @param order the arguments' names in their order.
 * @param args what the caller gave.
 * @throws TypeError for an unknown name or too many arguments.
 */
export function named<K extends string>(
  name: string,
  order: readonly K[],
  args: readonly unknown[],
): { [key in K]?: unknown } {
  const found: { [key in K]?: unknown } = {};
  args.forEach((value, i) => {
    if (i === args.length - 1 && isOptions(value)) {
      for (const [key, given] of Object.entries(value)) {
        const known = order.find((k) => k === key);
        if (known === undefined) throw new TypeError(`${name}(): unknown argument '${key}'`);
        if (known in found) throw new TypeError(`${name}(): argument '${key}' is given twice`);
        found[known] = given;
      }
      return;
    }
    const key = order[i];
    if (key === undefined)
      throw new TypeError(`${name}(): expected at most ${order.length} arguments, got ${args.length}`);
    if (value !== undefined) found[key] = value;
  });
  return found;
}

function isOptions(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object' || value instanceof Tensor || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A boolean argument; absent ones get the default. */
export function flag<D extends boolean | null>(
  name: string,
  argument: string,
  value: unknown,
  otherwise: D,
): boolean | D {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${name}(): argument '${argument}' must be a boolean, not ${kindOf(value)}`);
}

/** A number argument; absent ones get the default. */
export function number(name: string, argument: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === 'number') return value;
  throw new TypeError(`${name}(): argument '${argument}' must be a number, not ${kindOf(value)}`);
}
