// Samplers: in which order samples are taken.
import { float64, int64 } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { empty, tensor } from '../ops/creation.js';
import { randint, randperm } from '../ops/random.js';
import { multinomial } from '../ops/random_draw.js';
import { Generator } from '../ops/random_generator.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

type Iteration<T> = globalThis.Generator<T, void, undefined>;

/** What has a length: datasets and arrays. */
export interface Sized {
  readonly length: number;
}

/** The base of samplers: iterating gives indices of samples, once per epoch. Override `[Symbol.iterator]` and `length`. */
export abstract class Sampler<T = number> implements Iterable<T> {
  /** The indices of one pass. */
  abstract [Symbol.iterator](): Iterator<T>;
  /** How many indices an iteration gives. */
  abstract readonly length: number;
}

function positive(value: number, name: string): void {
  if (!Number.isInteger(value) || value <= 0) {
    throw new RuntimeError(`${name} should be a positive integer value, but got ${name}=${value}`);
  }
}

/** A seed from a generator, in PyTorch's way, so that later draws are the same. */
export function drawSeed(generator: Generator | null): bigint {
  return empty([], { dtype: int64 }).random_({ generator }).itemBigInt();
}

/** All samples in their order: 0 to length - 1. */
export class SequentialSampler extends Sampler {
  /** @param dataSource a dataset or anything else with a length */
  constructor(readonly dataSource: Sized) {
    super();
  }

  override get length(): number {
    return this.dataSource.length;
  }

  override *[Symbol.iterator](): Iteration<number> {
    const n = this.dataSource.length;
    for (let i = 0; i < n; i++) yield i;
  }
}

const RANDOM = 'RandomSampler(object dataSource, bool replacement=False, int? numSamples=None, object? generator=None)';
const RANDOM_SIGNATURE = signature(RANDOM);
type RandomFull = [dataSource: Sized, replacement: boolean, numSamples: number | null, generator: Generator | null];

/** All samples in random order, or samples drawn with replacement. The same seed gives the order that PyTorch gives. */
export class RandomSampler extends Sampler {
  /** What has the samples. */
  readonly dataSource: Sized;
  /** Whether indices are drawn independently of each other, so that they may repeat. */
  readonly replacement: boolean;
  /** Gives the order; null for a seed of the global one in each pass. */
  readonly generator: Generator | null;
  private readonly wanted: number | null;

  /**
   * @param args `dataSource`, anything with a length; `replacement` (default false); `numSamples` (default null: as many as the
   *   source has; more without replacement begin a further order); `generator` (default null: each pass draws a seed of the
   *   global one)
   * @throws RuntimeError if `numSamples`, or the source's length, is not positive
   */
  constructor(...args: CallArguments<typeof RANDOM, RandomFull>) {
    super();
    [this.dataSource, this.replacement, this.wanted, this.generator] = bind(RANDOM_SIGNATURE, args) as RandomFull;
    positive(this.numSamples, 'numSamples');
  }

  /** How many indices a pass gives. */
  get numSamples(): number {
    return this.wanted ?? this.dataSource.length;
  }

  override get length(): number {
    return this.numSamples;
  }

  override *[Symbol.iterator](): Iteration<number> {
    const n = this.dataSource.length;
    let generator = this.generator;
    if (generator === null) {
      generator = new Generator();
      generator.manualSeed(drawSeed(null));
    }
    const count = this.numSamples;
    if (this.replacement) {
      // In draws of 32, as PyTorch: other sizes would give other numbers.
      for (let i = 0; i < Math.floor(count / 32); i++) {
        yield* randint(0, n, [32], { dtype: int64, generator }).tolist() as number[];
      }
      yield* randint(0, n, [count % 32], { dtype: int64, generator }).tolist() as number[];
      return;
    }
    for (let i = 0; i < Math.floor(count / n); i++) yield* randperm(n, { generator }).tolist() as number[];
    // Also drawn where no sample is missing: the generator must end where PyTorch's does.
    yield* (randperm(n, { generator }).tolist() as number[]).slice(0, count % n);
  }
}

/** Given indices in random order, each once. */
export class SubsetRandomSampler extends Sampler {
  /**
   * @param indices numbers of samples
   * @param generator gives the order (default null: the global one)
   */
  constructor(
    readonly indices: readonly number[],
    readonly generator: Generator | null = null,
  ) {
    super();
  }

  override get length(): number {
    return this.indices.length;
  }

  override *[Symbol.iterator](): Iteration<number> {
    for (const i of randperm(this.indices.length, { generator: this.generator }).tolist() as number[]) {
      yield this.indices[i]!;
    }
  }
}

const WEIGHTED = 'WeightedRandomSampler(any weights, int numSamples, bool replacement=True, object? generator=None)';
const WEIGHTED_SIGNATURE = signature(WEIGHTED);
type WeightedFull = [
  weights: readonly number[] | Tensor,
  numSamples: number,
  replacement: boolean,
  generator: Generator | null,
];

/** Indices 0 to N - 1 drawn with given weights, which need not add up to one. */
export class WeightedRandomSampler extends Sampler {
  /** float64, [N] */
  readonly weights: Tensor;
  /** How many indices a pass gives. */
  readonly numSamples: number;
  /** Whether an index may be drawn again. */
  readonly replacement: boolean;
  /** Gives the indices; null for the global one. */
  readonly generator: Generator | null;

  /**
   * @param args `weights`, N numbers or a tensor [N]; `numSamples`; `replacement` (default true; false gives no index twice);
   *   `generator` (default null: the global one)
   * @throws RuntimeError if `numSamples` is not positive or `weights` has not one dimension; when iterating, if `multinomial`
   *   refuses the weights, or without replacement if there are fewer than `numSamples`
   */
  constructor(...args: CallArguments<typeof WEIGHTED, WeightedFull>) {
    super();
    const [weights, numSamples, replacement, generator] = bind(WEIGHTED_SIGNATURE, args) as WeightedFull;
    positive(numSamples, 'numSamples');
    this.weights = weights instanceof Tensor ? weights.detach().to(float64) : tensor(weights, { dtype: float64 });
    if (this.weights.ndim !== 1) {
      throw new RuntimeError(
        `weights should be a 1d sequence but given weights have shape [${this.weights.shape.join(', ')}]`,
      );
    }
    this.numSamples = numSamples;
    this.replacement = replacement;
    this.generator = generator;
  }

  override get length(): number {
    return this.numSamples;
  }

  override *[Symbol.iterator](): Iteration<number> {
    const { weights, numSamples, replacement, generator } = this;
    yield* multinomial(weights, numSamples, replacement, { generator }).tolist() as number[];
  }
}

/** Joins the indices of another sampler into batches: arrays of `batchSize`. */
export class BatchSampler<T = number> extends Sampler<T[]> {
  /**
   * @param sampler gives indices, or anything else to be put together
   * @param batchSize indices per batch, at least 1
   * @param dropLast whether a last, smaller batch is left out
   * @throws RuntimeError if `batchSize` is not positive
   * @throws TypeError unless `dropLast` is a boolean
   */
  constructor(
    readonly sampler: Iterable<T>,
    readonly batchSize: number,
    readonly dropLast: boolean,
  ) {
    super();
    positive(batchSize, 'batchSize');
    if (typeof dropLast !== 'boolean') {
      throw new TypeError(`dropLast should be a boolean value, but got dropLast=${inWords(dropLast)}`);
    }
  }

  override get length(): number {
    const n = (this.sampler as Partial<Sized>).length;
    if (typeof n !== 'number') throw new TypeError('the sampler has no length');
    return this.dropLast ? Math.floor(n / this.batchSize) : Math.ceil(n / this.batchSize);
  }

  override *[Symbol.iterator](): Iteration<T[]> {
    let batch: T[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}

const DISTRIBUTED =
  'DistributedSampler(object dataset, int? numReplicas=None, int? rank=None, bool shuffle=True, int seed=0, bool dropLast=False)';
const DISTRIBUTED_SIGNATURE = signature(DISTRIBUTED);
type DistributedFull = [
  dataset: Sized,
  numReplicas: number | null,
  rank: number | null,
  shuffle: boolean,
  seed: number,
  dropLast: boolean,
];

/**
 * One process's share of a dataset when several train together: process r of R gets places r, r + R, r + 2 R .. of an order that
 * all processes have in common.
 */
export class DistributedSampler extends Sampler {
  /** What has the samples. */
  readonly dataset: Sized;
  /** How many processes share the samples. */
  readonly numReplicas: number;
  /** Which of them this is, from 0. */
  readonly rank: number;
  /** Whether the common order is random. */
  readonly shuffle: boolean;
  /** What the order is drawn with, plus `epoch`. */
  readonly seed: number;
  /** Whether the rest that does not divide is left out. */
  readonly dropLast: boolean;
  /** Samples per process. */
  readonly numSamples: number;
  /** Samples of all processes together, those that come twice included. */
  readonly totalSize: number;
  /** What `setEpoch` was given last. */
  epoch = 0;

  /**
   * @param args `dataset`, anything with a length; `numReplicas` and `rank`, which must be given; `shuffle`
   *   (default true); `seed` (default 0; the same in all processes); `dropLast` (default false: some samples come twice where the
   *   length does not divide; true leaves the rest out)
   * @throws RuntimeError if `numReplicas` or `rank` is missing, and for a rank out of range
   */
  constructor(...args: CallArguments<typeof DISTRIBUTED, DistributedFull>) {
    super();
    const [dataset, numReplicas, rank, shuffle, seed, dropLast] = bind(DISTRIBUTED_SIGNATURE, args) as DistributedFull;
    if (numReplicas === null || rank === null) {
      throw new RuntimeError('DistributedSampler: without a process group, numReplicas and rank must be given');
    }
    this.dataset = dataset;
    this.numReplicas = numReplicas;
    this.rank = rank;
    if (this.rank < 0 || this.rank >= this.numReplicas) {
      throw new RuntimeError(`Invalid rank ${this.rank}, rank should be in the interval [0, ${this.numReplicas - 1}]`);
    }
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    this.numSamples = dropLast
      ? Math.floor(dataset.length / this.numReplicas)
      : Math.ceil(dataset.length / this.numReplicas);
    this.totalSize = this.numSamples * this.numReplicas;
  }

  override get length(): number {
    return this.numSamples;
  }

  /**
   * Gives the next iterations another order, drawn with seed + epoch; without it, all epochs have the same.
   * @param epoch the same in all processes
   */
  setEpoch(epoch: number): void {
    this.epoch = epoch;
  }

  override *[Symbol.iterator](): Iteration<number> {
    const n = this.dataset.length;
    let order: number[];
    if (this.shuffle) {
      const generator = new Generator();
      generator.manualSeed(this.seed + this.epoch);
      order = randperm(n, { generator }).tolist() as number[];
    } else {
      order = Array.from({ length: n }, (_, i) => i);
    }
    for (let i = this.rank; i < this.totalSize; i += this.numReplicas) yield order[i % n]!;
  }
}
