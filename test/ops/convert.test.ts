// Conversions between types, and the copies that go with them.
import torch from 'flambeau';
import { LAYOUTS } from './layouts';
import {
  ALL_TYPES,
  decode,
  dtype,
  expectClose,
  expectSame,
  fixtures,
  fromValues,
  isComplexName,
  isFloatName,
  numbers,
  type Tensor,
} from './support';

interface Conversions {
  samples: (number | string)[];
  values: Record<string, Record<string, (number | string)[]>>;
}
const recorded = fixtures<never>('conversions') as unknown as Conversions;

/** The samples of a type, as they were recorded; `narrow` leaves out what no integer holds. */
function source(from: string): Tensor {
  if (isFloatName(from)) return fromValues(recorded.samples.map(decode), [recorded.samples.length], from);
  if (isComplexName(from))
    return fromValues(
      recorded.samples.flatMap((v) => [decode(v), 0]),
      [recorded.samples.length],
      from,
    );
  const whole = from === 'uint8' ? [0, 1, 2, 127, 128, 255] : [0, 1, -1, 2, 127, -128];
  return fromValues(whole, [6], 'int64').to(dtype(from));
}
function converted(from: string, to: string): Tensor {
  const inexact = isFloatName(from) || isComplexName(from);
  if (!inexact || isFloatName(to) || isComplexName(to) || to === 'bool') return source(from).to(dtype(to));
  const whole = to === 'uint8' ? [0, 1, 3, 5, 6] : [0, 1, 2, 3, 4, 5, 6];
  return source(from)
    .indexSelect(0, torch.tensor(whole, { dtype: torch.int64 }))
    .to(dtype(to));
}

describe.each(ALL_TYPES)('%s', (from) => {
  test.each(ALL_TYPES)('becomes %s as in PyTorch', (to) => {
    const exact =
      to === 'float64' || to === 'complex128' || to === 'int64'
        ? decode
        : (v: number | string) => Math.fround(decode(v));
    expectClose(numbers(converted(from, to)), recorded.values[from]![to]!.map(exact), to, { signed: true });
  });
  test.each(LAYOUTS)('is converted from %s', (_name, layout) => {
    const plain = source(from).narrow(0, 0, 6).reshape([2, 3]);
    for (const to of ['float32', 'float64', 'bool', from]) expectSame(layout(plain).to(dtype(to)), plain.to(dtype(to)));
  });
  test('is converted alike at every length', () => {
    const whole = fromValues(
      Array.from({ length: 36 }, (_, i) => (i * 5) % 100),
      [36],
      'int64',
    ).to(dtype(from));
    for (const to of ['float32', 'float16', 'bfloat16', 'int64', 'uint8', 'complex64']) {
      const expected = whole.to(dtype(to));
      for (let n = 0; n <= 33; n++) expectSame(whole.narrow(0, n % 4, n).to(dtype(to)), expected.narrow(0, n % 4, n));
    }
  });
});

test('float32 is rounded to half types as IEEE 754 says, at every step between two neighbours', () => {
  for (const type of ['float16', 'bfloat16']) {
    const digits = type === 'float16' ? 10 : 7;
    for (const base of [1, 1 + 2 ** -digits, 1.5, 2 ** -14, 2 ** -15, 100]) {
      const step = base * 2 ** -digits;
      const given = Array.from({ length: 65 }, (_, i) => Math.fround(base + (step * i) / 32));
      const found = numbers(torch.tensor(Float32Array.from(given)).to(dtype(type)));
      const wide = numbers(torch.tensor(Float64Array.from(given)).to(dtype(type)));
      expect(found).toEqual(wide);
      for (let i = 0; i < given.length; i++) expect(Math.abs(found[i]! - given[i]!)).toBeLessThanOrEqual(step);
      expect(found.every((v, i) => i === 0 || v >= found[i - 1]!)).toBe(true);
    }
  }
});

test('all bit patterns of half types survive the way through float32', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  for (const type of [torch.float16, torch.bfloat16]) {
    const t = torch.frombuffer(bits, { dtype: type });
    const back = t.to(torch.float32).to(type).toTypedArray() as Uint16Array;
    const nan = numbers(t).map(Number.isNaN);
    const off = Array.from(bits).filter((v, i) => !nan[i] && back[i] !== v);
    expect(off).toEqual([]);
    expect(numbers(t.to(torch.float32)).map(Number.isNaN)).toEqual(nan);
  }
});

test('a type of its own name is the tensor itself, unless a copy is asked for', () => {
  const x = torch.rand(3);
  expect(x.to(torch.float32)).toBe(x);
  expect(x.float()).toBe(x);
  expect(x.to(torch.float32, { copy: true })).not.toBe(x);
  expect(x.to({ dtype: torch.float64 }).dtype).toBe(torch.float64);
  expect(x.to('cpu')).toBe(x);
  expect(x.to('cpu', torch.float16).dtype).toBe(torch.float16);
  expect(x.to(torch.zeros(1, { dtype: torch.int8 })).dtype).toBe(torch.int8);
  expect(() => x.to('cuda')).toThrow(torch.RuntimeError);
});

test('the short names convert', () => {
  const x = torch.tensor([1.5, 0, -2]);
  const pairs: [Tensor, string][] = [
    [x.double(), 'float64'],
    [x.half(), 'float16'],
    [x.bfloat16(), 'bfloat16'],
    [x.int(), 'int32'],
    [x.long(), 'int64'],
    [x.short(), 'int16'],
    [x.char(), 'int8'],
    [x.abs().byte(), 'uint8'],
    [x.bool(), 'bool'],
    [x.cfloat(), 'complex64'],
    [x.cdouble(), 'complex128'],
  ];
  expect(pairs.map(([t]) => t.dtype.name)).toEqual(pairs.map(([, name]) => name));
});

test('copy_ converts, broadcasts and writes nothing outside', () => {
  const room = torch.zeros([4, 6], { dtype: torch.int32 });
  room.narrow(1, 1, 3).copy_(torch.tensor([1.9, -2.9, 3]));
  expect(room.tolist()).toEqual(Array.from({ length: 4 }, () => [0, 1, -2, 3, 0, 0]));
  expect(() => room.copy_(torch.zeros(5))).toThrow(torch.RuntimeError);
  const x = torch.arange(6).reshape([2, 3]);
  x.copy_(x.flip([0, 1]));
  expect(x.tolist()).toEqual([
    [5, 4, 3],
    [2, 1, 0],
  ]);
});

test('a conversion passes the gradient back in the type of its source', () => {
  const x = torch.tensor([1, 2, 3], { requiresGrad: true });
  x.to(torch.float64).mul(2).sum().backward();
  expect([x.grad!.dtype.name, x.grad!.tolist()]).toEqual(['float32', [2, 2, 2]]);
  expect(x.to(torch.int64).requiresGrad).toBe(false);
});
