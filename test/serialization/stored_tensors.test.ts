// Sparse and quantized tensors, and those of element types without arithmetic: what can be asked of them, and what is refused.
import { inspect } from 'node:util';
import torch, { nn, type Tensor } from 'flambeau';
import { fixture } from './match';

const { OpaqueTensor, QuantizedTensor, SparseCompressedTensor, SparseTensor, StoredTensor, saveToBytes } =
  torch.serialization;
type Opaque = InstanceType<typeof OpaqueTensor>;
type Quantized = InstanceType<typeof QuantizedTensor>;
type Sparse = InstanceType<typeof SparseTensor>;

const again = <T>(value: T, zip = true): T => torch.load<T>(saveToBytes(value, { zip }));
const int64 = (values: unknown): Tensor => torch.tensor(values as number[], { dtype: torch.int64 });

describe('sparse tensors', () => {
  const make = (): Sparse =>
    new SparseTensor(
      int64([
        [0, 1, 0],
        [2, 0, 2],
      ]),
      torch.tensor([1, 2, 3]),
      [2, 3],
    ); // prettier-ignore

  test('are made of indices, values and a size', () => {
    const t = make();
    expect([t.shape, t.ndim, t.numel(), t._nnz(), t.sparseDim(), t.denseDim()]).toEqual([[2, 3], 2, 6, 3, 2, 0]);
    expect([t.isSparse, t.layout, t.dtype]).toEqual([true, 'torch.sparse_coo', torch.float32]);
    expect(t.toDense().tolist()).toEqual([
      [0, 0, 4],
      [2, 0, 0],
    ]);
    expect(t.tolist()).toEqual(t.toDense().tolist());
    expect(() => t.indices()).toThrow('Cannot get indices on an uncoalesced tensor, please call .coalesce() first');
    expect(() => t.values()).toThrow('Cannot get values on an uncoalesced tensor, please call .coalesce() first');
    expect(() => t.stride()).toThrow('Sparse tensors do not have strides');
    expect(() => t.crowIndices()).toThrow('crow_indices expected sparse row compressed tensor layout but got Sparse');
  });

  test('are coalesced by adding up what is at one place', () => {
    const t = make().coalesce();
    expect([t.isCoalesced(), t.indices().tolist(), t.values().tolist()]).toEqual([
      true,
      [
        [0, 1],
        [2, 0],
      ],
      [4, 2],
    ]);
    expect(t.coalesce()).toBe(t);
    const hybrid = new SparseTensor(int64([[1, 1]]), torch.ones(2, 2), [3, 2]).coalesce();
    expect([hybrid.values().tolist(), hybrid.toDense().tolist()]).toEqual([
      [[2, 2]],
      [
        [0, 0],
        [2, 2],
        [0, 0],
      ],
    ]);
    const scalar = new SparseTensor(torch.zeros([0, 2], { dtype: torch.int64 }), torch.tensor([1, 2]), []).coalesce();
    expect([scalar.values().tolist(), scalar.toDense().item()]).toEqual([[3], 3]);
  });

  test.each([true, false])('made here are saved and loaded (zip %p)', (zip) => {
    const csr = new SparseCompressedTensor('sparse_csr', int64([0, 1, 2]), int64([1, 0]), torch.tensor([5, 6]), [2, 2]);
    const found = again({ coo: make(), csr }, zip);
    expect(String(found.coo)).toBe(String(make()));
    expect(found.csr.toDense().tolist()).toEqual([
      [0, 5],
      [6, 0],
    ]);
    expect([found.csr.crowIndices().tolist(), found.csr.colIndices().tolist()]).toEqual([
      [0, 1, 2],
      [1, 0],
    ]);
    expect(() => found.csr.ccolIndices()).toThrow(
      'ccol_indices expected sparse column compressed tensor layout but got SparseCsr',
    );
    expect(() => found.csr.rowIndices()).toThrow(torch.RuntimeError);
  });

  test.each<[string, () => unknown]>([
    ['an index beyond the size', () => new SparseTensor(int64([[3]]), torch.ones(1), [3])],
    ['a negative index', () => new SparseTensor(int64([[-1]]), torch.ones(1), [3])],
    ['indices of another type', () => new SparseTensor(torch.zeros(1, 1), torch.ones(1), [3])],
    ['values of another number', () => new SparseTensor(int64([[0]]), torch.ones(2), [3])],
    ['values of another shape', () => new SparseTensor(int64([[0]]), torch.ones(1, 4), [3, 2])],
    ['more indices than sizes', () => new SparseTensor(int64([[0], [0]]), torch.ones(1), [3])],
    [
      'starts that go back',
      () => new SparseCompressedTensor('sparse_csr', int64([0, 2, 1]), int64([0]), torch.ones(1), [2, 2]),
    ],
    [
      'starts that end early',
      () => new SparseCompressedTensor('sparse_csr', int64([0, 0, 0]), int64([0]), torch.ones(1), [2, 2]),
    ],
    [
      'too few starts',
      () => new SparseCompressedTensor('sparse_csr', int64([0, 1]), int64([0]), torch.ones(1), [2, 2]),
    ],
    [
      'a column beyond',
      () => new SparseCompressedTensor('sparse_csr', int64([0, 1, 1]), int64([2]), torch.ones(1), [2, 2]),
    ],
    [
      'blocks that do not fit',
      () => new SparseCompressedTensor('sparse_bsr', int64([0, 1]), int64([0]), torch.ones(1, 2, 3), [2, 4]),
    ],
    ['one dimension', () => new SparseCompressedTensor('sparse_csc', int64([0, 1]), int64([0]), torch.ones(1), [1])],
  ])('with %s are refused', (_what, build) => {
    expect(build).toThrow(torch.RuntimeError);
  });
});

describe('quantized tensors', () => {
  const load = (): Record<string, Quantized> => torch.load(fixture('quantized.pt'));

  test('share the memory of views', () => {
    const { quint8, transposed } = load();
    quint8!.intRepr().fill_(30);
    expect(transposed!.dequantize().abs().sum().item()).toBe(0);
    expect([quint8!.isQuantized, quint8!.tolist()]).toEqual([true, quint8!.dequantize().tolist()]);
  });

  test('say which parameters they have', () => {
    const { quint8, channels } = load();
    expect(() => quint8!.qPerChannelScales()).toThrow(/q_per_channel_scales\(\) is for per-channel quantization/);
    expect(() => channels!.qScale()).toThrow(/q_scale\(\) is for per-tensor quantization/);
    expect(() => channels!.qZeroPoint()).toThrow(torch.RuntimeError);
  });
});

describe('tensors of other element types', () => {
  const load = (): Record<string, Opaque> =>
    torch.load<{ tensors: Map<string, Opaque> }>(fixture('element_types.pt')).tensors as unknown as Record<
      string,
      Opaque
    >; // prettier-ignore
  const get = (name: string): Opaque => (load() as unknown as Map<string, Opaque>).get(name)!;

  test('give their elements or bits', () => {
    expect(get('shared').tolist()).toEqual([
      [1, 2, 3],
      [4, 5, 65535],
    ]);
    expect(get('column').tolist()).toEqual([2, 5]);
    expect(get('uint32').toTypedArray()).toBeInstanceOf(Uint32Array);
    expect(Number(get('uint64').toTypedArray()[0])).toBe(Number(0x0706050403020100n));
    expect(get('uint64').tolist()).toEqual([0x0706050403020100n, 0x0f0e0d0c0b0a0908n, 0x1716151413121110n]);
    expect(get('complex32').shape).toEqual([6]);
    expect((get('complex32').tolist() as unknown[])[0]).toEqual([0x0100, 0x0302]);
    expect(get('float8_e5m2').bits().dtype).toBe(torch.uint8);
    expect([get('column').isContiguous(), get('column').contiguous().stride()]).toEqual([false, [1]]);
    expect(get('column').contiguous().tolist()).toEqual([2, 5]);
    expect([get('float8_e4m3fn').itemsize, get('uint64').nbytes, get('shared').isFloatingPoint()]).toEqual([
      1,
      24,
      false,
    ]);
    expect(String(get('column'))).toBe('tensor(..., size=(2,), dtype=torch.uint16)');
    expect(inspect(get('parameter'))).toBe('Parameter containing:\ntensor(..., size=(2, 3), dtype=torch.uint16)');
  });

  test('have types that are values', () => {
    const { types } = torch.load<{ types: InstanceType<typeof torch.DType>[] }>(fixture('element_types.pt'));
    expect(types.map(String)).toEqual(['torch.uint16', 'torch.float8_e4m3fn', 'torch.complex32']);
    expect(types[0]).toBe(get('shared').dtype);
    expect(again(types)).toEqual(types);
    for (const dtype of types) {
      expect(() => torch.zeros([2], { dtype })).toThrow(
        new torch.RuntimeError(`tensors of type ${dtype} are not supported`),
      );
      expect(() => torch.ones(2).to(dtype)).toThrow(torch.RuntimeError);
    }
  });

  test('share memory again', () => {
    const [a, b] = again([get('shared'), get('shared')]);
    expect(b).not.toBe(a);
    const found = load() as unknown as Map<string, Opaque>;
    found.get('shared')!.bits().zero_();
    expect(found.get('column')!.tolist()).toEqual([0, 0]);
    expect(found.get('again')).toBe(found.get('shared'));
  });
});

const stored = (): [string, Tensor][] => [
  ['sparse coo', new SparseTensor(int64([[0]]), torch.ones(1), [2])],
  ['sparse csr', new SparseCompressedTensor('sparse_csr', int64([0, 1]), int64([0]), torch.ones(1), [1, 2])],
  ['quantized', torch.load<Record<string, Quantized>>(fixture('quantized.pt'))['quint8']!],
  [
    'type torch.uint16',
    torch.load<{ tensors: Map<string, Opaque> }>(fixture('element_types.pt')).tensors.get('shared')!,
  ],
];

test.each(stored())('a tensor of %s computes nothing', (what, t) => {
  expect(t).toBeInstanceOf(StoredTensor);
  expect([t.requiresGrad, t.device.type, t.detach()]).toEqual([false, 'cpu', t]);
  const attempts: (() => unknown)[] = [
    () => t.add(1),
    () => torch.ones(2).mul(t),
    () => t.sum(),
    () => t.clone(),
    () => torch.cat([torch.ones(2), t]),
    () => torch.stack([t, t]),
    () => t.fill_(1),
    () => torch.ones(1).copy_(t),
    () => t.item(),
    () => new nn.Linear(2, 2)(t),
    () => nn.functional.relu(t),
    () => t.backward(),
    () => new nn.Parameter(t),
    () => t.index(0),
  ];
  for (const attempt of attempts) expect(attempt).toThrow(torch.RuntimeError);
  expect(() => t.add(1)).toThrow(new RegExp(`a (tensor of )?${what}( tensor)? cannot be computed with`));
  t.dispose();
  expect(t.shape.length).toBeGreaterThan(0);
});

test('a state dict with tensors that compute nothing is read, and refused where they do not belong', () => {
  const [, [, csr]] = stored() as [unknown, [string, Tensor]];
  const layer = new nn.Linear(2, 1, { bias: false });
  const before = layer.weight.tolist();
  expect(() => layer.loadStateDict(new Map([['weight', csr]]))).toThrow(torch.RuntimeError);
  expect(layer.weight.tolist()).toEqual(before);
});
