// Several results of one op: an array whose elements also have PyTorch's field names.
import type { Tensor } from '../tensor/tensor.js';

/** An array of tensors with a name for each. */
export type NamedTuple<N extends readonly string[]> = { -readonly [I in keyof N]: Tensor } & {
  readonly [K in N[number]]: Tensor;
};

/** Values and the places that they came from. */
export type ValuesIndices = NamedTuple<readonly ['values', 'indices']>;

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const classes = new Map<string, new () => Tensor[]>();

/** An array class with a getter for each name: one class per list of names keeps results small and their shape known. */
function classOf(names: readonly string[]): new () => Tensor[] {
  const key = names.join();
  const known = classes.get(key);
  if (known !== undefined) return known;
  class Named extends Array<Tensor> {
    static override get [Symbol.species](): ArrayConstructor {
      return Array;
    }
    override toString(): string {
      return `(\n${names.map((name, i) => `${name}=${String(this[i])}`).join(',\n')})`;
    }
    [INSPECT](): string {
      return this.toString();
    }
  }
  names.forEach((name, i) => {
    Object.defineProperty(Named.prototype, name, {
      get(this: Tensor[]): Tensor {
        return this[i]!;
      },
    });
  });
  classes.set(key, Named);
  return Named;
}

/**
 * Tensors as an array with named elements.
 * @param names one per tensor, in PyTorch's order.
 */
export function namedTuple<const N extends readonly string[]>(names: N, tensors: readonly Tensor[]): NamedTuple<N> {
  const out = new (classOf(names))();
  for (const t of tensors) out.push(t);
  return out as unknown as NamedTuple<N>;
}

const VALUES_INDICES = ['values', 'indices'] as const;

/** A pair that is also `{ values, indices }`. */
export function valuesIndices(values: Tensor, indices: Tensor): ValuesIndices {
  return namedTuple(VALUES_INDICES, [values, indices]);
}
