// Nested arguments and results: arrays, maps and plain objects of tensors and other values.
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

/** A value taken apart: its leaves in order, and how to put others in their places. */
export interface Tree {
  readonly leaves: readonly unknown[];
  /** The structure as text: equal for values that are nested alike. */
  readonly shape: string;
  /** The same structure with other leaves. */
  build(leaves: readonly unknown[]): unknown;
}

/** The parts of a value that has some, with their keys; null for a leaf. */
function partsOf(
  value: unknown,
): [keys: readonly unknown[] | null, parts: readonly unknown[], open: string, close: string] | null {
  if (value instanceof Tensor) return null;
  if (Array.isArray(value)) return [null, value as unknown[], '[', ']'];
  if (value instanceof Map)
    return [[...(value.keys() as Iterable<unknown>)], [...(value.values() as Iterable<unknown>)], 'Map{', '}'];
  if (isOptions(value)) return [Object.keys(value), Object.values(value), '{', '}'];
  return null;
}

function rebuild(original: unknown, keys: readonly unknown[] | null, parts: readonly unknown[]): unknown {
  if (keys === null) return [...parts];
  if (original instanceof Map) {
    const prototype = Object.getPrototypeOf(original) as object;
    const copy = Object.setPrototypeOf(new Map(), prototype) as Map<unknown, unknown>;
    keys.forEach((key, i) => copy.set(key, parts[i]));
    return copy;
  }
  return Object.fromEntries(keys.map((key, i) => [key as string, parts[i]]));
}

/** @internal Takes a value apart: arrays, maps and plain objects. Everything else is a leaf, null too. */
export function flatten(value: unknown): Tree {
  const found = partsOf(value);
  if (found === null) return { leaves: [value], shape: '*', build: (leaves) => leaves[0] };
  const [keys, parts, open, close] = found;
  const trees = parts.map(flatten);
  const label = (i: number): string => (keys === null ? '' : `${String(keys[i])}: `);
  return {
    leaves: trees.flatMap((tree) => tree.leaves),
    shape: `${open}${trees.map((tree, i) => label(i) + tree.shape).join(', ')}${close}`,
    build: (leaves) => {
      let at = 0;
      const built = trees.map((tree) => tree.build(leaves.slice(at, (at += tree.leaves.length))));
      return rebuild(value, keys, built);
    },
  };
}

/** The value with every leaf replaced. */
export function mapTree(value: unknown, fn: (leaf: unknown) => unknown): unknown {
  const tree = flatten(value);
  return tree.build(tree.leaves.map(fn));
}

/** One leaf of `prefix` per leaf of `value`: a leaf of the prefix holds for all below its place. Null if they do not fit. */
export function spread(prefix: unknown, value: unknown): unknown[] | null {
  const own = partsOf(prefix);
  if (own === null) return flatten(value).leaves.map(() => prefix);
  const other = partsOf(value);
  if (other === null || own[2] !== other[2] || own[1].length !== other[1].length) return null;
  const out: unknown[] = [];
  for (let i = 0; i < other[1].length; i++) {
    // Keys may come in another order: the leaves go where the value has them.
    const at = own[0] === null ? i : own[0].indexOf(other[0]![i]);
    const part = at < 0 ? null : spread(own[1][at], other[1][i]);
    if (part === null) return null;
    out.push(...part);
  }
  return out;
}
