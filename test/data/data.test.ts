// Datasets, samplers and loaders: the same order as PyTorch's for the same seed.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { type Tensor } from 'flambeau';

const data = torch.utils.data;
const recorded = JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'samplers.json'), 'utf8')) as {
  loaders: {
    options: { batch_size: number; shuffle?: boolean; drop_last?: boolean };
    epochs: number[][][];
    after: number[];
  }[];
  given: number[][][];
  samplers: Record<string, unknown>;
};
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const lists = (batches: Iterable<Tensor>): unknown[] => [...batches].map((b) => b.tolist());

describe('order', () => {
  test.each(recorded.loaders)('of a loader with $options', ({ options, epochs, after }) => {
    torch.manualSeed(7);
    const loader = new data.DataLoader(range(11), {
      batchSize: options.batch_size,
      shuffle: options.shuffle ?? false,
      dropLast: options.drop_last ?? false,
    });
    expect(epochs.map(() => lists(loader))).toEqual(epochs);
    expect(loader.length).toBe(epochs[0]!.length);
    // The default generator has moved on as PyTorch's has.
    expect(torch.rand(2).tolist()).toEqual(after.map((v) => expect.closeTo(v, 6)));
  });

  test('of a loader with a generator of its own', () => {
    const generator = new torch.Generator().manualSeed(3);
    const loader = new data.DataLoader(range(7), 3, true, { generator });
    expect([lists(loader), lists(loader)]).toEqual(recorded.given);
  });

  test('of all samplers', () => {
    torch.manualSeed(5);
    const found = {
      replacement: [...new data.RandomSampler(range(9), { replacement: true, numSamples: 40 })],
      numSamples: [...new data.RandomSampler(range(5), { numSamples: 12 })],
      subset: [...new data.SubsetRandomSampler([3, 1, 4, 1, 5])],
      weighted: [...new data.WeightedRandomSampler([0.1, 0.4, 0, 2], 12)],
      split: data.randomSplit(range(10), [0.5, 0.25, 0.25]).map((s) => [...s.indices]),
      distributed: [0, 1, 2].map((r) => [...new data.DistributedSampler(range(10), 3, r, { seed: 4 })]),
      distributedDrop: [0, 1, 2].map((r) => [
        ...new data.DistributedSampler(range(10), 3, r, { shuffle: false, dropLast: true }),
      ]),
    };
    expect(found).toEqual(recorded.samplers);
  });

  test('of a sequential sampler and of batches', () => {
    expect([...new data.SequentialSampler(range(3))]).toEqual([0, 1, 2]);
    const batches = new data.BatchSampler(new data.SequentialSampler(range(5)), 2, false);
    expect([...batches]).toEqual([[0, 1], [2, 3], [4]]);
    expect([batches.length, new data.BatchSampler(range(5), 2, true).length]).toEqual([3, 2]);
  });
});

describe('datasets', () => {
  const x = torch.arange(0, 12, { dtype: torch.float32 }).reshape(6, 2);
  const y = torch.arange(0, 6);

  test('TensorDataset: samples, batches in one gather, subsets of subsets', () => {
    const all = new data.TensorDataset(x, y);
    expect(all.get(-1).map((t) => t.tolist())).toEqual([[10, 11], 5]);
    const part = new data.Subset(new data.Subset(all, [5, 3, 1, 0]), [2, 0, 1]);
    const [batch] = [...new data.DataLoader(part, { batchSize: 3 })];
    expect(batch!.map((t) => t.tolist())).toEqual([
      [
        [2, 3],
        [10, 11],
        [6, 7],
      ],
      [1, 5, 3],
    ]);
    // What stacking the samples gives.
    expect(data.defaultCollate([part.get(0), part.get(1), part.get(2)]).map((t) => t.tolist())).toEqual(
      batch!.map((t) => t.tolist()),
    );
    expect(batch![1]!.dtype).toBe(torch.int64);
    expect(() => all.get(6)).toThrow(RangeError);
    expect(() => part.get(3)).toThrow(RangeError);
    expect(() => new data.TensorDataset(x, y.narrow(0, 0, 3))).toThrow('Size mismatch between tensors');
  });

  test('ConcatDataset and StackDataset', () => {
    class Letters extends data.Dataset<string> {
      override get length(): number {
        return 2;
      }
      override get(i: number): string {
        return 'ab'[i]!;
      }
    }
    const joined = new Letters().concat([1, 2, 3]);
    expect(range(5).map((i) => joined.get(i))).toEqual(['a', 'b', 1, 2, 3]);
    expect(joined.get(-4)).toBe('b');
    expect(joined.cumulativeSizes).toEqual([2, 5]);
    expect(() => joined.get(5)).toThrow(RangeError);
    expect(new data.StackDataset(new Letters(), [5, 6]).get(1)).toEqual(['b', 6]);
    const named = new data.StackDataset<{ letter: string; n: number }>({ letter: new Letters(), n: [5, 6] });
    expect([named.length, named.get(0)]).toEqual([2, { letter: 'a', n: 5 }]);
    expect(() => new data.StackDataset([1], [1, 2])).toThrow('Size mismatch between datasets');
  });

  test('iterable datasets are read in order, chained and batched', () => {
    class Count extends data.IterableDataset<number> {
      constructor(readonly length: number) {
        super();
      }
      override [Symbol.iterator](): Iterator<number> {
        return range(this.length)[Symbol.iterator]();
      }
    }
    const chain = new Count(3).concat(new Count(2));
    const loader = new data.DataLoader(chain, { batchSize: 2 });
    expect(lists(loader)).toEqual([[0, 1], [2, 0], [1]]);
    expect(loader.length).toBe(3);
    expect(lists(new data.DataLoader(chain, { batchSize: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 0],
    ]);
    expect(() => new data.DataLoader(chain, { shuffle: true })).toThrow('expected unspecified shuffle option');
  });

  test('randomSplit takes sizes or fractions, and a generator', () => {
    const g = (): torch.Generator => new torch.Generator().manualSeed(42);
    const [a, b] = data.randomSplit(range(10), [7, 3], { generator: g() });
    expect([...a!.indices, ...b!.indices].sort((p, q) => p - q)).toEqual(range(10));
    expect(data.randomSplit(range(10), [0.7, 0.3], g())[1]!.indices).toEqual(b!.indices);
    expect(data.randomSplit(range(10), [0.33, 0.33, 0.34]).map((s) => s.length)).toEqual([4, 3, 3]);
    expect(() => data.randomSplit(range(10), [3, 3])).toThrow('Sum of input lengths does not equal');
  });
});

describe('collation', () => {
  test('joins samples by their kind', () => {
    const batch = data.defaultCollate([
      { image: torch.zeros(2), label: 3, flag: true, name: 'a', pair: [0.5, 2n] as [number, bigint] },
      { image: torch.ones(2), label: 4, flag: false, name: 'b', pair: [1, 3n] as [number, bigint] },
    ]);
    expect(batch.image.tolist()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect([batch.label.dtype, batch.label.tolist()]).toEqual([torch.int64, [3, 4]]);
    expect([batch.flag.dtype, batch.flag.tolist()]).toEqual([torch.bool, [true, false]]);
    expect(batch.name).toEqual(['a', 'b']);
    expect([batch.pair[0].dtype, batch.pair[0].tolist()]).toEqual([torch.float64, [0.5, 1]]);
    expect([batch.pair[1].dtype, batch.pair[1].tolist()]).toEqual([torch.int64, [2, 3]]);
    expect(
      data
        .defaultCollate([new Map([['k', 1]]), new Map([['k', 2]])])
        .get('k')!
        .tolist(),
    ).toEqual([1, 2]);
    expect((data.defaultCollate([Float32Array.of(1, 2), Float32Array.of(3, 4)]) as unknown as Tensor).shape).toEqual([
      2, 2,
    ]);
  });

  test('refuses what does not fit together', () => {
    expect(() => data.defaultCollate([[1, 2], [1]])).toThrow('each element in list of batch should be of equal size');
    expect(() => data.defaultCollate([{ a: 1 }, { b: 1 }])).toThrow("lacks the key 'a'");
    expect(() => data.defaultCollate([Symbol('x')])).toThrow(TypeError);
    expect(() => data.defaultCollate([torch.zeros(2), torch.zeros(3)])).toThrow(torch.RuntimeError);
  });

  test('a function of the caller replaces it; without batches it gets single samples', () => {
    const sums = new data.DataLoader<number, number>(range(5), {
      batchSize: 2,
      collateFn: (s: number[]) => s.reduce((a, b) => a + b, 0),
    });
    expect([...sums]).toEqual([1, 5, 4]);
    expect([...new data.DataLoader(range(3), { batchSize: null })]).toEqual([0, 1, 2]);
  });
});

test('options that exclude each other are refused', () => {
  const make = (options: object) => () => new data.DataLoader(range(4), options);
  expect(make({ shuffle: true, sampler: [0] })).toThrow('sampler option is mutually exclusive with shuffle');
  expect(make({ batchSampler: [[0]], batchSize: 2 })).toThrow('batchSampler option is mutually exclusive');
  expect(make({ batchSize: null, dropLast: true })).toThrow('mutually exclusive with dropLast');
  expect(make({ batchSize: 0 })).toThrow('batchSize should be a positive integer value');
  expect(make({ numWorkers: 2 })).toThrow('numWorkers must be 0');
  expect(make({ batch_size: 2 })).toThrow("DataLoader() got an unexpected keyword argument 'batch_size'");
  expect([...new data.DataLoader(range(4), { batchSampler: [[3, 0], [1]] })].map((b) => b.tolist())).toEqual([
    [3, 0],
    [1],
  ]);
  expect(() => new data.RandomSampler([])).toThrow('numSamples should be a positive integer value');
  expect(() => new data.WeightedRandomSampler([[1]] as never, 2)).toThrow('weights should be a 1d sequence');
  expect(() => new data.DistributedSampler(range(4), 2, 2)).toThrow('Invalid rank 2');
  expect(data.getWorkerInfo()).toBeNull();
});
