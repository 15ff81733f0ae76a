// Datasets: samples by number, or one after the other.
import { kindOf, RuntimeError } from '../core/errors.js';
import { warn } from '../nn/warn.js';
import { randperm } from '../ops/random.js';
import type { Generator } from '../ops/random_generator.js';
import { isOptions } from '../ops/signature.js';
import { tensor } from '../ops/creation.js';
import { int64 } from '../core/dtype.js';
import { Tensor } from '../tensor/tensor.js';

/** Samples by number. Arrays are such datasets, too. */
export interface MapDataset<T> {
  /** How many samples there are. */
  readonly length: number;
  /** The sample with a number; negative ones count from the end. */
  get(index: number): T;
  /** Several samples at once, where that is cheaper than one by one. */
  getItems?(indices: readonly number[]): T[];
}

/** What functions here take as a dataset of numbered samples. */
export type DatasetLike<T> = MapDataset<T> | readonly T[];

/** @internal The batch that default collation makes of samples, where a dataset can form it at once. */
const COLLATED: unique symbol = Symbol('collated');

interface Collating {
  [COLLATED]?(indices: readonly number[]): unknown;
}

/** @internal The batch of some samples if the dataset can form it at once; undefined if not. */
export function collatedBy(dataset: unknown, indices: readonly number[]): unknown {
  return typeof dataset === 'object' && dataset !== null ? (dataset as Collating)[COLLATED]?.(indices) : undefined;
}

/**
 * One sample of any dataset.
 * @throws RangeError if an array has no such element
 */
export function sampleOf<T>(dataset: DatasetLike<T>, index: number): T {
  if (!Array.isArray(dataset)) return (dataset as MapDataset<T>).get(index);
  return (dataset as readonly T[])[wrapIndex(index, dataset.length)]!;
}

/** Several samples of any dataset. */
export function samplesOf<T>(dataset: DatasetLike<T>, indices: readonly number[]): T[] {
  const get = (dataset as MapDataset<T>).getItems;
  if (typeof get === 'function') return get.call(dataset, indices) as T[];
  return indices.map((i) => sampleOf(dataset, i));
}

/** An index counted from the front; throws RangeError if there is no such sample. */
function wrapIndex(index: number, length: number): number {
  const i = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || i < 0 || i >= length) {
    throw new RangeError(`index ${index} is out of range for a dataset of ${length} samples`);
  }
  return i;
}

/**
 * The base of datasets with numbered samples: override `get` and `length`, and `getItems(indices)` where several samples at once
 * are cheaper than one by one.
 */
export abstract class Dataset<T = unknown> implements MapDataset<T> {
  /** How many samples there are. */
  abstract readonly length: number;
  /**
   * The sample with a number.
   * @param index 0 to length - 1; datasets here count negative ones from the end
   */
  abstract get(index: number): T;

  /**
   * This dataset's samples, then another's.
   * @param other with numbered samples, an array for one
   */
  concat<U>(other: DatasetLike<U>): ConcatDataset<T | U> {
    return new ConcatDataset<T | U>([this, other as DatasetLike<T | U>]);
  }
}

/** The base of datasets that are read from front to end: override `[Symbol.iterator]`, and `length` where it is known. */
export abstract class IterableDataset<T = unknown> implements Iterable<T> {
  /** The samples from front to end; called for every pass. */
  abstract [Symbol.iterator](): Iterator<T>;

  /**
   * This dataset's samples, then another's.
   * @param other read after this one
   */
  concat<U>(other: IterableDataset<U>): ChainDataset<T | U> {
    return new ChainDataset<T | U>([this, other]);
  }
}

/** Tensors of equal first size: sample i holds element i of each, as views [...]. */
export class TensorDataset<T extends readonly Tensor[] = Tensor[]> extends Dataset<{
  -readonly [K in keyof T]: Tensor;
}> {
  readonly tensors: T;

  /**
   * @param tensors each of [N, ...], at least one
   * @throws RuntimeError if their first sizes differ or one has no dimension
   * @throws TypeError for anything but tensors, and for none
   */
  constructor(...tensors: T) {
    super();
    if (tensors.length === 0) throw new TypeError('TensorDataset() needs at least one tensor');
    for (const t of tensors) {
      if (!(t instanceof Tensor)) throw new TypeError(`TensorDataset() takes tensors, not ${kindOf(t)}`);
      if (t.ndim === 0) throw new RuntimeError('TensorDataset(): a 0-d tensor has no samples');
      if (t.shape[0] !== tensors[0]!.shape[0]) throw new RuntimeError('Size mismatch between tensors');
    }
    this.tensors = tensors;
  }

  override get length(): number {
    return this.tensors[0]!.shape[0]!;
  }

  override get(index: number): { -readonly [K in keyof T]: Tensor } {
    const i = wrapIndex(index, this.length);
    return this.tensors.map((t) => t.select(0, i)) as { -readonly [K in keyof T]: Tensor };
  }

  /** One gather per tensor gives what stacking the samples would. */
  [COLLATED](indices: readonly number[]): Tensor[] {
    const n = this.length;
    const at = tensor(
      BigInt64Array.from(indices, (i) => BigInt(wrapIndex(i, n))),
      { dtype: int64 },
    );
    return this.tensors.map((t) => t.indexSelect(0, at));
  }
}

/** Several datasets side by side: sample i holds sample i of each, as an array or, by name, as an object. */
export class StackDataset<T = unknown> extends Dataset<T> {
  /** The datasets as they were given: an array, or an object by name. */
  readonly datasets: readonly DatasetLike<unknown>[] | Readonly<Record<string, DatasetLike<unknown>>>;
  private readonly list: readonly DatasetLike<unknown>[];
  private readonly names: readonly string[] | null;

  /**
   * @param datasets one after the other, or one object of datasets by name
   * @throws RuntimeError if they differ in length, or there are none
   */
  constructor(
    ...datasets: readonly DatasetLike<unknown>[] | readonly [Readonly<Record<string, DatasetLike<unknown>>>]
  ) {
    super();
    const only = datasets[0];
    if (datasets.length === 1 && isOptions(only) && typeof only['get'] !== 'function') {
      const named = only as Record<string, DatasetLike<unknown>>;
      this.datasets = named;
      this.names = Object.keys(named);
      this.list = Object.values(named);
    } else {
      this.list = datasets as readonly DatasetLike<unknown>[];
      this.datasets = this.list;
      this.names = null;
    }
    if (this.list.length === 0) throw new RuntimeError('At least one dataset should be passed');
    if (this.list.some((d) => d.length !== this.list[0]!.length))
      throw new RuntimeError('Size mismatch between datasets');
  }

  override get length(): number {
    return this.list[0]!.length;
  }

  override get(index: number): T {
    return this.combine(this.list.map((d) => sampleOf(d, index)));
  }

  /**
   * Several samples, each dataset asked once.
   * @param indices their numbers
   */
  getItems(indices: readonly number[]): T[] {
    const columns = this.list.map((d) => samplesOf(d, indices));
    return indices.map((_, i) => this.combine(columns.map((c) => c[i])));
  }

  private combine(values: unknown[]): T {
    if (this.names === null) return values as T;
    return Object.fromEntries(this.names.map((name, i) => [name, values[i]])) as T;
  }
}

/** Datasets one after the other, numbered through; a negative number counts from the end of the last. */
export class ConcatDataset<T = unknown> extends Dataset<T> {
  /** The datasets in their order. */
  readonly datasets: readonly DatasetLike<T>[];
  /** The number of samples up to the end of each dataset. */
  readonly cumulativeSizes: readonly number[];

  /**
   * @param datasets with numbered samples, at least one
   * @throws RuntimeError for an empty list
   * @throws TypeError for an iterable dataset
   */
  constructor(datasets: Iterable<DatasetLike<T>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0) throw new RuntimeError('datasets should not be an empty iterable');
    if (this.datasets.some((d) => d instanceof IterableDataset)) {
      throw new TypeError('ConcatDataset does not support IterableDataset');
    }
    let total = 0;
    this.cumulativeSizes = this.datasets.map((d) => (total += d.length));
  }

  override get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1]!;
  }

  override get(index: number): T {
    const i = wrapIndex(index, this.length);
    // The first dataset that ends after i.
    let low = 0;
    let high = this.datasets.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cumulativeSizes[middle]! > i) high = middle;
      else low = middle + 1;
    }
    return sampleOf(this.datasets[low]!, low === 0 ? i : i - this.cumulativeSizes[low - 1]!);
  }
}

/** Iterable datasets one after the other; each is asked for its samples when the one before has ended. */
export class ChainDataset<T = unknown> extends IterableDataset<T> {
  /** The datasets in their order. */
  readonly datasets: Iterable<IterableDataset<T>>;

  /** @param datasets IterableDatasets; anything else is a TypeError once it is reached */
  constructor(datasets: Iterable<IterableDataset<T>>) {
    super();
    this.datasets = datasets;
  }

  override *[Symbol.iterator](): Iteration<T> {
    for (const d of this.datasets) {
      if (!(d instanceof IterableDataset)) throw new TypeError('ChainDataset only supports IterableDataset');
      yield* d;
    }
  }

  /**
   * The sum of the lengths.
   * @throws TypeError if a dataset has none
   */
  get length(): number {
    let total = 0;
    for (const d of this.datasets) total += lengthOf(d);
    return total;
  }
}

type Iteration<T> = globalThis.Generator<T, void, undefined>;

/** The length of an iterable dataset that knows it. */
export function lengthOf(dataset: object): number {
  const n = (dataset as { length?: unknown }).length;
  if (typeof n !== 'number') throw new TypeError(`object of type '${kindOf(dataset)}' has no length`);
  return n;
}

/** Some samples of a dataset, in the order of their indices: sample i is the dataset's sample indices[i]. */
export class Subset<T = unknown> extends Dataset<T> {
  /**
   * @param dataset with numbered samples
   * @param indices numbers of its samples; they may repeat
   */
  constructor(
    readonly dataset: DatasetLike<T>,
    readonly indices: readonly number[],
  ) {
    super();
  }

  override get length(): number {
    return this.indices.length;
  }

  override get(index: number): T {
    return sampleOf(this.dataset, this.translate(index));
  }

  /**
   * Several samples, asked of the dataset at once.
   * @param indices numbers in this subset
   * @throws RangeError for a number out of range
   */
  getItems(indices: readonly number[]): T[] {
    return samplesOf(
      this.dataset,
      indices.map((i) => this.translate(i)),
    );
  }

  /** @internal The batch of several samples, if the dataset can form it at once. */
  [COLLATED](indices: readonly number[]): unknown {
    return collatedBy(
      this.dataset,
      indices.map((i) => this.translate(i)),
    );
  }

  private translate(index: number): number {
    return this.indices[wrapIndex(index, this.indices.length)]!;
  }
}

/** The sizes that fractions of a dataset come to; what rounding leaves goes to the first parts, one each. */
function sizesOf(length: number, fractions: readonly number[]): number[] {
  const sizes = fractions.map((f, i) => {
    if (!(f >= 0 && f <= 1)) throw new RuntimeError(`Fraction at index ${i} is not between 0 and 1`);
    return Math.floor(length * f);
  });
  const rest = length - sizes.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; i++) sizes[i % sizes.length]!++;
  sizes.forEach((n, i) => {
    if (n === 0) warn(`Length of split at index ${i} is 0. This might result in an empty dataset.`);
  });
  return sizes;
}

/**
 * Splits a dataset at random into parts that have no sample in common.
 * @param dataset with numbered samples
 * @param lengths sizes that add up to the dataset's, or fractions that add up to 1: sizes are rounded down then, and what is left
 *   goes to the first parts, one each
 * @param generator gives the order (default null: the global one). Also as `{ generator }`
 * @returns one Subset per length
 * @throws RuntimeError if the sizes do not add up, or a fraction is not between 0 and 1
 */
export function randomSplit<T>(
  dataset: DatasetLike<T>,
  lengths: readonly number[],
  generator: Generator | null | { generator?: Generator | null } = null,
): Subset<T>[] {
  const random = (isOptions(generator) ? generator.generator : (generator as Generator | null)) ?? null;
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const total = sum(lengths);
  const sizes = Math.abs(total - 1) <= 1e-9 && total <= 1 ? sizesOf(dataset.length, lengths) : [...lengths];
  if (sum(sizes) !== dataset.length) {
    throw new RuntimeError('Sum of input lengths does not equal the length of the input dataset!');
  }
  const order = randperm(dataset.length, { generator: random }).tolist() as number[];
  let end = 0;
  return sizes.map((n) => new Subset(dataset, order.slice(end, (end += n))));
}
