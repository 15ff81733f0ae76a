// Tensors without elements: what they say of themselves, what they refuse, and how they mix with others.
import torch, { type Tensor } from 'flambeau';

const meta = (...shape: number[]): Tensor => torch.empty(shape, { device: 'meta' });
const messageOf = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return (e as Error).message;
  }
  return 'no error';
};

test('a tensor says where it is', () => {
  const t = meta(2, 3);
  expect([t.isMeta, t.isCpu, String(t.device), t.type(), t.dataPtr()]).toEqual([
    true,
    false,
    'meta',
    'torch.meta.FloatTensor',
    0,
  ]);
  expect(t.device).toBe(torch.empty(1, { device: torch.device('meta:0') }).device);
  expect([t.nbytes, t.storage().nbytes(), t.stride(), t.isContiguous()]).toEqual([24, 24, [3, 1], true]);
  expect(String(t)).toBe("tensor(..., device='meta', size=(2, 3))");
  expect(String(meta(2).requiresGrad_())).toBe("tensor(..., device='meta', size=(2,), requires_grad=True)");
});

test('it takes no memory', () => {
  const before = torch.memoryStats(true).bytes;
  const t = torch.zeros(1e6, 1e6, { device: 'meta' });
  const u = t.add(1).matmul(meta(1e6, 7)).sum(0);
  expect(u.shape).toEqual([7]);
  expect(torch.memoryStats().bytes).toBeLessThanOrEqual(before);
});

test.each<[string, () => unknown, string]>([
  ['item', () => meta(1).item(), 'Tensor.item() cannot be called on meta tensors'],
  ['item of several', () => meta(2).item(), 'a Tensor with 2 elements cannot be converted to Scalar'],
  ['tolist', () => meta(2).tolist(), 'Cannot copy out of meta tensor; no data!'],
  ['toTypedArray', () => meta(2).toTypedArray(), 'Cannot copy out of meta tensor; no data!'],
  ['cpu', () => meta(2).cpu(), 'Cannot copy out of meta tensor; no data!'],
  ['to', () => meta(2).to('cpu', torch.float64), 'Cannot copy out of meta tensor; no data!'],
  ['copy_', () => torch.ones(2).copy_(meta(2)), 'Cannot copy out of meta tensor; no data!'],
  ['storage', () => meta(2).storage().toTypedArray(), "Not available for 'meta' device type"],
  ['nonzero', () => meta(2).nonzero(), 'nonzero: not implemented for the meta device'],
  ['a mask', () => meta(2).index(meta(2).bool()), 'masked_select: not implemented for the meta device'],
  ['repeatInterleave', () => meta(2).repeatInterleave(meta(2).long()), 'repeat_interleave: not implemented'],
  ['equal', () => torch.equal(meta(2), meta(2)), 'Tensor.item() cannot be called on meta tensors'],
  [
    'data of another device',
    () => {
      torch.ones(2).data = meta(2);
    },
    'Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.',
  ],
  ['set_', () => torch.ones(2).set_(meta(2)), 'Attempted to set the storage of a tensor on device "cpu"'],
  [
    'shapes are checked',
    () => meta(2, 3).matmul(meta(2, 3)),
    'mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)',
  ],
])('%s throws', (_name, fn, message) => {
  expect(messageOf(fn)).toContain(message);
});
test('numpy throws a TypeError', () => {
  expect(() => meta(2).numpy()).toThrow(TypeError);
});

const ON_CPU = 'Tensor on device cpu is not on the expected device meta!';
const ON_META = 'Tensor on device meta is not on the expected device cpu!';
test.each<[string, () => unknown, string]>([
  ['add', () => meta(2).add(torch.ones(2)), ON_CPU],
  ['add the other way', () => torch.ones(2).add(meta(2)), ON_META],
  ['in place', () => torch.ones(2).add_(meta(2)), ON_META],
  ['in place, a number', () => torch.tensor(1).add_(meta()), ON_META],
  ['matmul', () => torch.ones(2, 2).matmul(meta(2, 2)), ON_META],
  ['cat', () => torch.cat([meta(2), torch.ones(2)]), ON_CPU],
  ['where', () => torch.where(meta(2).bool(), torch.ones(2), torch.ones(2)), ON_CPU],
  ['linear', () => torch.F.linear(meta(2, 3), meta(4, 3), torch.ones(4)), ON_CPU],
  ['conv2d', () => torch.F.conv2d(torch.ones(1, 3, 8, 8), meta(4, 3, 3, 3)), ON_META],
  ['layerNorm', () => torch.F.layerNorm(meta(2, 3), [3], torch.ones(3)), ON_CPU],
  ['embedding', () => torch.F.embedding(meta(2).long(), torch.ones(4, 3)), ON_META],
  ['bernoulli_', () => torch.ones(2).bernoulli_(meta(2)), ON_META],
])('%s of tensors on two devices throws', (_name, fn, message) => {
  expect(messageOf(fn)).toBe(message);
});
test('an error on the way leaves a tensor as it was', () => {
  const t = torch.tensor([1, 2]);
  expect(() => t.mul_(meta(2))).toThrow(ON_META);
  expect([t._version, t.tolist()]).toEqual([0, [1, 2]]);
});

test.each<[string, () => Tensor, number[]]>([
  ['a number on the CPU', () => meta(2).add(torch.tensor(1)), [2]],
  ['a number on the CPU first', () => torch.tensor(2).mul(meta(3)), [3]],
  ['positions on the CPU', () => meta(4, 3).index(torch.tensor([1n, 3n])), [2, 3]],
  ['rows on the CPU', () => torch.F.embedding(torch.tensor([1n, 3n]), meta(4, 3)), [2, 3]],
  ['values that are dropped', () => meta(2).copy_(torch.ones(2)), [2]],
  ['a generator', () => meta(2).normal_({ generator: new torch.Generator() }), [2]],
])('%s may stand next to meta tensors', (_name, fn, shape) => {
  const t = fn();
  expect([t.isMeta, t.shape]).toEqual([true, shape]);
});

test('factories take the device and draw nothing', () => {
  const state = torch.getRngState().tolist();
  const at = { device: 'meta' };
  const made: [Tensor, string, number[]][] = [
    [torch.zeros(2, 3, at), 'float32', [2, 3]],
    [torch.ones([2], { ...at, dtype: torch.int8 }), 'int8', [2]],
    [torch.full([2], 7, at), 'int64', [2]],
    [torch.eye(3, at), 'float32', [3, 3]],
    [torch.arange(5, at), 'int64', [5]],
    [torch.range(0, 4, at), 'float32', [5]],
    [torch.linspace(0, 1, 4, at), 'float32', [4]],
    [torch.logspace(0, 1, 4, at), 'float32', [4]],
    [torch.rand(2, at), 'float32', [2]],
    [torch.randn(2, at), 'float32', [2]],
    [torch.randint(5, [2, 2], at), 'int64', [2, 2]],
    [torch.randperm(4, at), 'int64', [4]],
    [torch.normal(0, 1, [3], at), 'float32', [3]],
    [torch.trilIndices(3, 3, at), 'int64', [2, 6]],
    [torch.emptyStrided([2, 3], [1, 2], at), 'float32', [2, 3]],
    [torch.tensor([1, 2], at), 'float32', [2]],
    [torch.asTensor(torch.ones(2), at), 'float32', [2]],
    [torch.scalarTensor(1, at), 'float32', []],
    [torch.hannWindow(4, at), 'float32', [4]],
    [torch.fft.fftfreq(4, at), 'float32', [4]],
    [torch.signal.windows.hann(4, at), 'float32', [4]],
    [torch.zerosLike(torch.ones(2), at), 'float32', [2]],
    [torch.randnLike(meta(2)), 'float32', [2]],
    [meta(2).newZeros(3), 'float32', [3]],
    [meta(2).newTensor([1, 2, 3]), 'float32', [3]],
    [meta(2).bernoulli(0.5), 'float32', [2]],
    [torch.multinomial(meta(3), 2), 'int64', [2]],
    [torch.dropout(meta(3), 0.5, true), 'float32', [3]],
  ];
  for (const [t, dtype, shape] of made) expect([t.isMeta, t.dtype.name, [...t.shape]]).toEqual([true, dtype, shape]);
  expect(torch.getRngState().tolist()).toEqual(state);
});

describe('the default device', () => {
  test('inside a function', () => {
    const [made, like, there, inner] = torch.device('meta', () => [
      torch.zeros(2),
      torch.zerosLike(torch.ones(1, { device: 'cpu' })),
      torch.ones(2, { device: 'cpu' }),
      torch.device('cpu', () => torch.ones(1)),
    ]) as [Tensor, Tensor, Tensor, Tensor];
    expect([made, like, there, inner].map((t) => t.isMeta)).toEqual([true, false, false, false]);
    expect(torch.ones(1).isMeta).toBe(false);
  });
  test('set for all', () => {
    torch.setDefaultDevice('meta');
    try {
      expect([torch.ones(2).isMeta, String(torch.getDefaultDevice())]).toEqual([true, 'meta']);
    } finally {
      torch.setDefaultDevice(null);
    }
    expect(torch.ones(2).isMeta).toBe(false);
  });
  test('is back after an error, and when a promise settles', async () => {
    const fail = (): never => {
      throw new Error('x');
    };
    expect(() => torch.device('meta', fail)).toThrow('x');
    expect(torch.ones(1).isMeta).toBe(false);
    const pending = torch.device('meta', async () => torch.ones(1));
    expect((await pending).isMeta).toBe(true);
    expect(torch.ones(1).isMeta).toBe(false);
  });
  test('of another kind is refused', () => {
    expect(() => torch.device('cuda', () => 1)).toThrow("device 'cuda' is not available");
    expect(() => torch.setDefaultDevice('cuda')).toThrow("device 'cuda' is not available");
  });
  test('does not reach tensors that ops make for themselves', () => {
    const x = torch.randn(4, 4);
    const q = torch.tensor([0.25, 0.5]);
    const results = torch.device('meta', () => [
      x.quantile(q, 0),
      torch.linalg.inv(x),
      torch.F.scaledDotProductAttention(x.unsqueeze(0), x.unsqueeze(0), x.unsqueeze(0), { isCausal: true }),
      x.index([0, 2]),
      torch.F.interpolate(x.reshape(1, 1, 4, 4), { scaleFactor: 2, mode: 'bilinear' }),
      torch.einsum('ij,jk->ik', x, x),
      x.diagonal().sum(),
    ]);
    expect(results.map((t) => (t as Tensor).isMeta)).toEqual(results.map(() => false));
  });
});

test('views, in-place changes and autograd go on without elements', () => {
  const x = meta(2, 3).requiresGrad_();
  const y = x.t().reshape(6).index(torch.slice(1, 5)).view(2, 2).unsqueeze(0).expand(3, 2, 2);
  y.mul(2).sum().backward();
  expect([x.grad!.isMeta, x.grad!.shape]).toEqual([true, [2, 3]]);
  const z = meta(4);
  z.add_(1).fill_(2).zero_().clamp_(0);
  z.resize_(2, 5);
  expect([z._version, z.shape, z.storage().nbytes()]).toEqual([5, [2, 5], 40]);
});
test('a gradient cannot come back from the meta device', () => {
  const x = torch.ones(2).requiresGrad_();
  expect(() => x.to('meta').sum().backward()).toThrow('Cannot copy out of meta tensor; no data!');
});
test('moving keeps the order in memory', () => {
  expect(torch.ones(2, 3).t().to('meta').stride()).toEqual([1, 3]);
  expect(torch.deepcopy(torch.ones(2, 3).t().to('meta')).stride()).toEqual([1, 3]);
});
test.each<[string, () => unknown]>([
  ['svd', () => torch.linalg.svd(meta(3, 2))],
  ['eigh', () => torch.linalg.eigh(meta(3, 3))],
  ['eig', () => torch.linalg.eig(meta(3, 3))],
  ['cholesky', () => torch.linalg.cholesky(meta(3, 3))],
  ['qr', () => torch.linalg.qr(meta(3, 2))],
  ['lu', () => torch.linalg.lu(meta(3, 3))],
  ['solve', () => torch.linalg.solve(meta(3, 3), meta(3, 2))],
  ['inv', () => torch.linalg.inv(meta(3, 3))],
  ['pinv', () => torch.linalg.pinv(meta(3, 2))],
  ['lstsq', () => torch.linalg.lstsq(meta(3, 2), meta(3, 1))],
  ['det', () => torch.linalg.det(meta(3, 3))],
  ['slogdet', () => torch.linalg.slogdet(meta(3, 3))],
  ['matrixExp', () => torch.linalg.matrixExp(meta(3, 3))],
  ['matrixNorm', () => torch.linalg.matrixNorm(meta(3, 3), 2)],
  ['cond', () => torch.linalg.cond(meta(3, 3), 1)],
  ['rfft', () => torch.fft.rfft(meta(8))],
  ['irfft', () => torch.fft.irfft(meta(5).to(torch.complex64))],
  ['fft2', () => torch.fft.fft2(meta(3, 4))],
  ['stft', () => torch.stft(meta(64), 16, { returnComplex: true })],
  ['cdist', () => torch.cdist(meta(3, 2), meta(4, 2))],
  ['ndtr', () => torch.special.ndtr(meta(3))],
])('%s has results without elements', (_name, fn) => {
  const found = fn();
  const list = (Array.isArray(found) ? found : [found]) as Tensor[];
  expect(list.filter((t) => !t.isMeta)).toEqual([]);
});
