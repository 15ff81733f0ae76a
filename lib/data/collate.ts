// Joining samples into batches.
import { float64, int64 } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { tensor } from '../ops/creation.js';
import { stack } from '../ops/join.js';
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

/** What default collation makes of samples of type T. */
export type Collated<T> = T extends Tensor
  ? Tensor
  : T extends number | bigint | boolean
    ? Tensor
    : T extends string | Uint8Array
      ? T[]
      : T extends readonly unknown[]
        ? { -readonly [K in keyof T]: Collated<T[K]> }
        : T extends Map<infer K, infer V>
          ? Map<K, Collated<V>>
          : T extends object
            ? { -readonly [K in keyof T]: Collated<T[K]> }
            : unknown;

function isTypedArray(v: unknown): v is Float32Array {
  return ArrayBuffer.isView(v) && !(v instanceof DataView) && !(v instanceof Uint8Array);
}

/**
 * Joins samples into a batch: tensors [...] are stacked to [B, ...], typed arrays to [B, n]; numbers, bigints and booleans become
 * [B]; arrays, Maps and objects are joined item by item; strings and bytes (Uint8Array) stay a list.
 * @param batch B samples, at least one; all of one kind
 * @returns the batch, nested as a sample. Numbers are int64 if all of them are whole, as class labels are, and float64 if not;
 *   bigints are int64
 * @throws TypeError for other kinds of samples and for no samples
 * @throws RuntimeError for tensors of different shapes, arrays of different lengths, and a key of the first sample that another
 *   one lacks
 */
export function defaultCollate<T>(batch: readonly T[]): Collated<T> {
  return collate(batch) as Collated<T>;
}

function collate(batch: readonly unknown[]): unknown {
  const first = batch[0];
  if (first instanceof Tensor) return stack(batch as Tensor[], 0);
  switch (typeof first) {
    case 'number':
      return (batch as number[]).every(Number.isSafeInteger)
        ? tensor(BigInt64Array.from(batch as number[], BigInt), { dtype: int64 })
        : tensor(batch, { dtype: float64 });
    case 'bigint':
    case 'boolean':
      return tensor(batch);
    case 'string':
      return [...batch];
  }
  if (isTypedArray(first))
    return stack(
      (batch as Float32Array[]).map((a) => tensor(a)),
      0,
    );
  if (first instanceof Uint8Array) return [...batch];
  if (Array.isArray(first)) return collateArrays(batch as unknown[][]);
  if (first instanceof Map) {
    const maps = batch as Map<unknown, unknown>[];
    return new Map([...first.keys()].map((key) => [key, collate(maps.map((m) => entry(m.has(key), m.get(key), key)))]));
  }
  if (isOptions(first)) {
    const objects = batch as Record<string, unknown>[];
    return Object.fromEntries(
      Object.keys(first).map((key) => [key, collate(objects.map((o) => entry(Object.hasOwn(o, key), o[key], key)))]),
    );
  }
  throw new TypeError(
    `defaultCollate: batch must contain tensors, typed arrays, numbers, objects, Maps or arrays; found ${kindOf(first)}`,
  );
}

function entry(present: boolean, value: unknown, key: unknown): unknown {
  if (!present) throw new RuntimeError(`a sample of the batch lacks the key '${String(key)}' that the first one has`);
  return value;
}

function collateArrays(batch: unknown[][]): unknown[] {
  const size = batch[0]!.length;
  if (batch.some((sample) => !Array.isArray(sample) || sample.length !== size)) {
    throw new RuntimeError('each element in list of batch should be of equal size');
  }
  return Array.from({ length: size }, (_, i) => collate(batch.map((sample) => sample[i])));
}

/**
 * Makes tensors of the typed arrays in a sample that is not batched: what a DataLoader with `batchSize` null applies.
 * @param sample anything; arrays, Maps and plain objects are searched
 * @returns the same nesting with a tensor [n] for each typed array but Uint8Array; anything else as it is
 */
export function defaultConvert(sample: unknown): unknown {
  if (sample instanceof Tensor) return sample;
  if (isTypedArray(sample)) return tensor(sample);
  if (Array.isArray(sample)) return sample.map(defaultConvert);
  if (sample instanceof Map) return new Map([...sample].map(([k, v]) => [k, defaultConvert(v)]));
  if (isOptions(sample)) return Object.fromEntries(Object.entries(sample).map(([k, v]) => [k, defaultConvert(v)]));
  return sample;
}
