// The data loader.
import { RuntimeError } from '../core/errors.js';
import type { Generator } from '../ops/random_generator.js';
import { isOptions } from '../ops/signature.js';
import { type Collated, defaultCollate, defaultConvert } from './collate.js';
import { collatedBy, type DatasetLike, IterableDataset, lengthOf, sampleOf, samplesOf } from './dataset.js';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler, type Sized } from './sampler.js';

/** The options of a DataLoader. */
export interface DataLoaderOptions<T, B = Collated<T>> {
  /** Samples per batch, default 1; null gives samples that are not batched. */
  batchSize?: number | null;
  /** Whether each pass has a random order, default false. */
  shuffle?: boolean | null;
  /** The order of samples, in place of `shuffle`. */
  sampler?: Iterable<number> | null;
  /** The batches of indices, in place of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Iterable<readonly number[]> | null;
  /** Only 0: samples are loaded in this thread. */
  numWorkers?: number;
  /** Makes a batch of samples (of one sample if `batchSize` is null), default `defaultCollate`. */
  collateFn?: ((samples: T[]) => B) | ((sample: T) => B) | null;
  /** Without effect: memory is not pinned on a CPU. */
  pinMemory?: boolean;
  /** Whether a last, smaller batch is left out, default false. */
  dropLast?: boolean;
  /** Gives the random order; default: the global one. */
  generator?: Generator | null;
}

const POSITIONS = [
  'batchSize',
  'shuffle',
  'sampler',
  'batchSampler',
  'numWorkers',
  'collateFn',
  'pinMemory',
  'dropLast',
] as const;
const KEYS: ReadonlySet<string> = new Set([...POSITIONS, 'generator']);

function readOptions<T, B>(args: readonly unknown[]): DataLoaderOptions<T, B> {
  const options: Record<string, unknown> = {};
  args.forEach((arg, i) => {
    if (i === args.length - 1 && isOptions(arg)) {
      for (const [key, value] of Object.entries(arg)) {
        if (!KEYS.has(key)) throw new TypeError(`DataLoader() got an unexpected keyword argument '${key}'`);
        if (key in options) throw new TypeError(`DataLoader() got multiple values for argument '${key}'`);
        if (value !== undefined) options[key] = value;
      }
    } else {
      const key = POSITIONS[i];
      if (key === undefined) throw new TypeError(`DataLoader() takes ${POSITIONS.length + 1} positional arguments`);
      if (arg !== undefined) options[key] = arg;
    }
  });
  return options;
}

function conflict(message: string): never {
  throw new RuntimeError(message);
}

/**
 * Batches of a dataset's samples; iterate over it once per epoch. The same seed gives the batches that PyTorch gives. Samples are
 * loaded in the thread that iterates.
 * @typeParam T a sample. @typeParam B a batch.
 */
export class DataLoader<T = unknown, B = Collated<T>> implements Iterable<B> {
  /** Where samples come from. */
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  /** Samples per batch; null if samples are not batched, or by `batchSampler`. */
  readonly batchSize: number | null;
  /** Whether a last, smaller batch is left out. */
  readonly dropLast: boolean;
  /** The order of samples; null for an iterable dataset. */
  readonly sampler: Iterable<number> | null;
  /** Null if samples are not batched, or the dataset is iterable. */
  readonly batchSampler: Iterable<readonly number[]> | null;
  /** Gives the random order; null for the global one. */
  readonly generator: Generator | null;
  /** Makes a batch of samples. */
  readonly collateFn: (samples: T[] & T) => B;
  /** Always 0. */
  readonly numWorkers = 0;

  /**
   * @param dataset with numbered samples (an array, for one) or iterable
   * @param args the options, by position in PyTorch's order or by name in a last object: `batchSize` (default 1; null: samples
   *   are not batched), `shuffle` (default false: in order), `sampler` (default null), `batchSampler` (default null),
   *   `numWorkers` (only 0), `collateFn` (default: defaultCollate, defaultConvert for samples that are not batched), `pinMemory`
   *   (no effect), `dropLast` (default false) and, by name only, `generator` (default null: the global one)
   * @throws RuntimeError for options that exclude each other, for an empty dataset with `shuffle`, a `batchSize` below 1, and
   *   workers
   * @throws TypeError for unknown options
   */
  constructor(dataset: DatasetLike<T> | IterableDataset<T>, options?: DataLoaderOptions<T, B>);
  constructor(
    dataset: DatasetLike<T> | IterableDataset<T>,
    batchSize?: number | null,
    options?: DataLoaderOptions<T, B>,
  );
  constructor(
    dataset: DatasetLike<T> | IterableDataset<T>,
    batchSize?: number | null,
    shuffle?: boolean | null,
    options?: DataLoaderOptions<T, B>,
  );
  constructor(dataset: DatasetLike<T> | IterableDataset<T>, ...args: unknown[]) {
    const o = readOptions<T, B>(args);
    const iterable = dataset instanceof IterableDataset;
    const { shuffle = false, sampler = null, batchSampler = null, dropLast = false, generator = null } = o;
    if ((o.numWorkers ?? 0) !== 0) conflict('DataLoader: samples are loaded in this thread; numWorkers must be 0');
    if (iterable) {
      if (shuffle)
        conflict(`DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle=${shuffle}`);
      if (sampler !== null) conflict('DataLoader with IterableDataset: expected unspecified sampler option');
      if (batchSampler !== null) conflict('DataLoader with IterableDataset: expected unspecified batchSampler option');
    }
    if (sampler !== null && shuffle) conflict('sampler option is mutually exclusive with shuffle');
    let batchSize = o.batchSize === undefined ? 1 : o.batchSize;
    if (batchSampler !== null) {
      if (batchSize !== 1 || shuffle || sampler !== null || dropLast) {
        conflict('batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast');
      }
      batchSize = null;
    } else if (batchSize === null && dropLast) {
      conflict('batchSize=null option disables auto-batching and is mutually exclusive with dropLast');
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.generator = generator;
    if (iterable) {
      this.sampler = null;
      this.batchSampler = null;
      if (batchSize !== null) new BatchSampler([], batchSize, dropLast);
    } else {
      this.sampler = sampler ?? (shuffle ? new RandomSampler(dataset, { generator }) : new SequentialSampler(dataset));
      this.batchSampler =
        batchSampler ?? (batchSize === null ? null : new BatchSampler(this.sampler, batchSize, dropLast));
    }
    const batched = batchSize !== null || batchSampler !== null;
    this.collateFn = (o.collateFn ?? (batched ? defaultCollate : defaultConvert)) as unknown as (samples: T[] & T) => B;
  }

  /**
   * The number of batches, or of samples if they are not batched.
   * @throws TypeError if the sampler, or an iterable dataset, has no length
   */
  get length(): number {
    if (this.dataset instanceof IterableDataset) {
      const n = lengthOf(this.dataset);
      if (this.batchSize === null) return n;
      return this.dropLast ? Math.floor(n / this.batchSize) : Math.ceil(n / this.batchSize);
    }
    const n = ((this.batchSampler ?? this.sampler) as Partial<Sized>).length;
    if (typeof n !== 'number') throw new TypeError('the sampler of this DataLoader has no length');
    return n;
  }

  /**
   * The batches of one pass. With `shuffle` each pass has an order of its own; every pass draws one number of the generator
   * besides.
   */
  [Symbol.iterator](): Iterator<B> & Iterable<B> {
    const batches = this.batches();
    // PyTorch draws a seed for its workers at the start of each pass: draw it too, or later numbers would differ.
    drawSeed(this.generator);
    return batches;
  }

  private *batches(): globalThis.Generator<B, void, undefined> {
    if (this.dataset instanceof IterableDataset) {
      yield* this.iterated(this.dataset);
    } else if (this.batchSampler === null) {
      for (const i of this.sampler!) yield this.collateFn(sampleOf(this.dataset, i) as T[] & T);
    } else {
      for (const indices of this.batchSampler) yield this.fetch(this.dataset, indices);
    }
  }

  private fetch(dataset: DatasetLike<T>, indices: readonly number[]): B {
    if ((this.collateFn as unknown) === defaultCollate) {
      const batch = collatedBy(dataset, indices);
      if (batch !== undefined) return batch as B;
    }
    return this.collateFn(samplesOf(dataset, indices) as T[] & T);
  }

  private *iterated(dataset: IterableDataset<T>): globalThis.Generator<B, void, undefined> {
    if (this.batchSize === null) {
      for (const sample of dataset) yield this.collateFn(sample as T[] & T);
      return;
    }
    for (const samples of new BatchSampler(dataset, this.batchSize, this.dropLast)) {
      yield this.collateFn(samples as T[] & T);
    }
  }
}

/**
 * Information on the worker that runs this code.
 * @returns always null, since samples are loaded in the main thread
 */
export function getWorkerInfo(): null {
  return null;
}
