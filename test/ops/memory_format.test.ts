// Memory formats and orders: as PyTorch lays tensors out.
import torch, { type Tensor } from 'flambeau';

const x4 = (): Tensor =>
  torch
    .arange(2 * 3 * 4 * 5)
    .reshape(2, 3, 4, 5)
    .float();
const x5 = (): Tensor =>
  torch
    .arange(2 * 3 * 2 * 2 * 2)
    .reshape(2, 3, 2, 2, 2)
    .float();
const last = { memoryFormat: torch.channelsLast };
const last3d = { memoryFormat: torch.channelsLast3d };

// Strides that PyTorch 2.13 gives.
test.each<[string, () => Tensor, number[]]>([
  ['to', () => x4().to(last), [60, 1, 15, 3]],
  ['to by position', () => x4().to('cpu', null, false, false, torch.channelsLast), [60, 1, 15, 3]],
  ['to with a type', () => x4().to({ dtype: torch.float64, ...last }), [60, 1, 15, 3]],
  ['to of five dimensions', () => x5().to(last3d), [24, 1, 12, 6, 3]],
  ['clone', () => x4().clone(last), [60, 1, 15, 3]],
  ['contiguous', () => x4().contiguous(last), [60, 1, 15, 3]],
  ['back', () => x4().to(last).contiguous(), [60, 20, 5, 1]],
  ['back with to', () => x4().to(last).to({ memoryFormat: torch.contiguousFormat }), [60, 20, 5, 1]],
  ['double', () => x4().double(last), [60, 1, 15, 3]],
  ['a conversion keeps the order', () => x4().to(last).double(), [60, 1, 15, 3]],
  ['arithmetic keeps the order', () => x4().to(last).mul(2).add(1), [60, 1, 15, 3]],
  ['empty', () => torch.empty(2, 3, 4, 5, last), [60, 1, 15, 3]],
  ['emptyLike', () => torch.emptyLike(x4(), last), [60, 1, 15, 3]],
  ['onesLike keeps the order', () => torch.onesLike(x4().to(last)), [60, 1, 15, 3]],
  [
    'zerosLike without it',
    () => torch.zerosLike(x4().to(last), { memoryFormat: torch.contiguousFormat }),
    [60, 20, 5, 1],
  ],
  ['randLike keeps the order', () => torch.randLike(x4().to(last)), [60, 1, 15, 3]],
  ['clone of a matrix turned', () => torch.ones(2, 3).t().clone(), [1, 3]],
  [
    'clone of one with gaps',
    () =>
      torch
        .ones(4, 6)
        .index('...', torch.slice(null, null, 2))
        .t()
        .clone(),
    [1, 3],
  ],
  [
    'emptyLike of one with gaps',
    () =>
      torch.emptyLike(
        torch
          .ones(4, 6)
          .index('...', torch.slice(null, null, 2))
          .t(),
      ),
    [1, 3],
  ],
  ['emptyLike of one stretched', () => torch.emptyLike(torch.ones(4, 1, 2).expand(4, 3, 2)), [6, 2, 1]],
  [
    'emptyLike, stretched and turned',
    () => torch.emptyLike(torch.ones(1, 5, 2).expand(4, 5, 2).transpose(0, 2)),
    [4, 8, 1],
  ],
  [
    'a matrix turned is contiguous enough for to',
    () => torch.ones(2, 3).t().to({ memoryFormat: 'contiguousFormat' }),
    [1, 3],
  ],
])('%s', (_name, fn, strides) => {
  expect(fn().stride()).toEqual(strides);
});

test('values stay where they are', () => {
  for (const t of [x4().to(last), x4().clone(last), x4().contiguous(last)]) expect(torch.equal(t, x4())).toBe(true);
  const leaf = x4().requiresGrad_();
  leaf.to(last).mul(x4()).sum().backward();
  expect(torch.equal(leaf.grad!, x4())).toBe(true);
});
test('what has the format is returned as it is', () => {
  const t = x4().to(last);
  expect([t.contiguous(last) === t, t.to(last) === t, t.to({ memoryFormat: 'preserveFormat' }) === t]).toEqual([
    true,
    true,
    true,
  ]);
});
test('isContiguous', () => {
  const t = x4().to(last);
  expect([t.isContiguous(), t.isContiguous(last), t.isContiguous('channelsLast3d')]).toEqual([false, true, false]);
  expect([x4().isContiguous(), x4().isContiguous(last)]).toEqual([true, false]);
  expect(torch.ones(2, 1, 4, 4).isContiguous(last)).toBe(true);
  expect(x5().to(last3d).isContiguous(last3d)).toBe(true);
});
test('errors', () => {
  expect(() => x5().to(last)).toThrow('required rank 4 tensor to use channels_last format');
  expect(() => x4().contiguous(last3d)).toThrow('required rank 5 tensor to use channels_last_3d format');
  expect(() => torch.ones(2).clone(last)).toThrow('required rank 4 tensor');
  expect(() => x4().contiguous({ memoryFormat: 'nhwc' })).toThrow(TypeError);
  expect(() => x4().isContiguous('nhwc')).toThrow('memoryFormat must be a memory format of torch, not nhwc');
  expect(() => x4().isContiguous('preserveFormat')).toThrow('preserve memory format is unsupported');
});
test('type names and takes types', () => {
  const t = torch.tensor([1.5]);
  expect([t.type(), t.type('torch.LongTensor').tolist(), t.type(torch.int8).dtype]).toEqual([
    'torch.FloatTensor',
    [1],
    torch.int8,
  ]);
  expect([torch.ones(1).bfloat16().type(), torch.ones(1).bool().type()]).toEqual([
    'torch.BFloat16Tensor',
    'torch.BoolTensor',
  ]);
  expect(t.type('torch.FloatTensor')).toBe(t);
  expect(() => t.type('torch.cuda.FloatTensor')).toThrow("invalid type: 'torch.cuda.FloatTensor'");
  expect(() => t.type(3 as never)).toThrow(TypeError);
});
test('to takes what another tensor has', () => {
  const t = torch.ones(2);
  expect(t.to(torch.ones(1, { dtype: torch.float64 })).dtype).toBe(torch.float64);
  expect(t.to(torch.ones(1, { dtype: torch.int8, device: 'meta' }))).toMatchObject({ isMeta: true });
  expect(t.to({ dtype: torch.float64, device: 'meta', copy: true }).isMeta).toBe(true);
  expect([t.to('cpu') === t, t.to(torch.float32) === t, t.to(torch.float32, { copy: true }) === t]).toEqual([
    true,
    true,
    false,
  ]);
  expect(() => t.to('cuda')).toThrow("device 'cuda' is not available in this build; tensors live on the CPU");
});
