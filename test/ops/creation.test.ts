// Fresh tensors: the rows of the table, and what data may be made of.
import torch from 'flambeau';
import { checkFile } from './structured';
import { ALL_TYPES, dtype } from './support';
import { rows } from './table/creation';

checkFile('creation', rows);

test('empty tensors have the asked geometry, whatever their elements are', () => {
  const like = torch.zeros([2, 3], { dtype: torch.int16 });
  const made = [
    torch.empty(2, 3),
    torch.empty([0, 2], { dtype: torch.bool }),
    torch.emptyLike(like),
    torch.emptyLike(like, { dtype: torch.float64 }),
    like.newEmpty(4),
    like.newEmpty([1, 2], { dtype: torch.complex64 }),
    torch.emptyStrided([2, 3], [1, 2]),
  ];
  expect(made.map((t) => [t.dtype.name, t.shape, t.stride()])).toEqual([
    ['float32', [2, 3], [3, 1]],
    ['bool', [0, 2], [2, 1]],
    ['int16', [2, 3], [3, 1]],
    ['float64', [2, 3], [3, 1]],
    ['int16', [4], [1]],
    ['complex64', [1, 2], [2, 1]],
    ['float32', [2, 3], [1, 2]],
  ]);
  for (const t of made) expect(t.fill_(1).numel()).toBe(t.shape.reduce((a, b) => a * b, 1));
});
test.each(ALL_TYPES)('%s: elements are counted, and measured in bytes', (type) => {
  const x = torch.zeros([2, 3], { dtype: dtype(type) });
  const bytes = type === 'complex128' ? 16 : /64$/.test(type) ? 8 : /32$/.test(type) ? 4 : /16$/.test(type) ? 2 : 1;
  expect([x.nelement(), x.numel(), x.elementSize(), x.itemsize, x.nbytes]).toEqual([6, 6, bytes, bytes, 6 * bytes]);
  expect(x.expand([5, 2, 3]).nelement()).toBe(30);
});

test('a gradient is wanted only of floating-point and complex tensors', () => {
  expect(torch.zeros(2, { requiresGrad: true }).requiresGrad).toBe(true);
  expect(torch.ones([2], { dtype: torch.complex64, requiresGrad: true }).requiresGrad).toBe(true);
  expect(() => torch.zeros(2, { dtype: torch.int32, requiresGrad: true })).toThrow(
    'Only Tensors of floating point and complex dtype can require gradients',
  );
});
test('typed arrays keep their type and are copied', () => {
  const pairs: [ArrayBufferView, string][] = [
    [Float32Array.of(1, 2), 'float32'],
    [Float64Array.of(1, 2), 'float64'],
    [Int8Array.of(1, 2), 'int8'],
    [Int16Array.of(1, 2), 'int16'],
    [Int32Array.of(1, 2), 'int32'],
    [Uint8Array.of(1, 2), 'uint8'],
    [BigInt64Array.of(1n, 2n), 'int64'],
  ];
  for (const [data, name] of pairs) {
    const t = torch.tensor(data);
    expect([t.dtype.name, t.tolist()]).toEqual([name, [1, 2]]);
    new Uint8Array(data.buffer).fill(0);
    expect(t.tolist()).toEqual([1, 2]);
  }
  expect(torch.tensor([1n, 2n]).dtype).toBe(torch.int64);
});
test('ragged and foreign data is refused', () => {
  for (const data of [
    [[1], [1, 2]],
    [1, [2]],
    [[1], 2],
    ['a'],
    {},
    'text',
    undefined,
    [undefined],
    [null],
    () => 1,
    Symbol('s'),
    new Map(),
  ]) {
    expect(() => torch.tensor(data as never)).toThrow();
  }
});
test('asTensor and asarray give a tensor itself, and make one of anything else', () => {
  const x = torch.ones(2);
  expect(torch.asTensor(x)).toBe(x);
  expect(torch.asarray(x)).toBe(x);
  expect(torch.asTensor(x, { dtype: torch.float64 }).dtype).toBe(torch.float64);
  expect(torch.asTensor([1, 2]).tolist()).toEqual([1, 2]);
});
test('frombuffer reads raw bytes of every type', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 37) % 64);
  for (const name of ALL_TYPES) {
    const type = dtype(name);
    const t = torch.frombuffer(bytes, { dtype: type });
    expect([name, t.shape]).toEqual([name, [32 / type.itemsize]]);
    if (name !== 'bool') {
      const back = t.toTypedArray();
      expect([name, ...new Uint8Array(back.buffer, back.byteOffset, back.byteLength)]).toEqual([name, ...bytes]);
    }
  }
  expect(torch.frombuffer(Int16Array.of(1, 2, 3, 4), { dtype: torch.int16, count: 2, offset: 2 }).tolist()).toEqual([
    2, 3,
  ]);
  expect(() => torch.frombuffer(bytes, { dtype: torch.int64, offset: 30 })).toThrow(RangeError);
  expect(() => torch.frombuffer(bytes, { dtype: torch.int64, count: 5 })).toThrow(RangeError);
  expect(() => torch.frombuffer(bytes, { dtype: torch.int8, offset: -1 })).toThrow(RangeError);
  expect(() => torch.frombuffer('text' as never, { dtype: torch.int8 })).toThrow(TypeError);
});
