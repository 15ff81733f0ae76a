// Types that only files have: they are named, compared and printed, and every way to make a tensor of them is refused.
import fs from 'node:fs';
import path from 'node:path';
import torch, { nn } from 'flambeau';

const names = [
  ...['uint16', 'uint32', 'uint64', 'complex32', 'qint8', 'quint8', 'qint32', 'quint4x2', 'quint2x4'],
  ...['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu', 'float4_e2m1fn_x2'],
  ...['bits8', 'bits16', 'bits1x8', 'bits2x4', 'bits4x2', 'uint1', 'int7'],
];
const typeOf = (name: string) => (torch as unknown as Record<string, torch.DType>)[name]!;

test('every type that PyTorch names is a type here', () => {
  const file = path.join(__dirname, '..', 'fixtures', 'names.json');
  const [all] = Object.values((JSON.parse(fs.readFileSync(file, 'utf8')) as { names: object }).names) as [string];
  const types = all
    .split(' ')
    .filter((name) => /^(u?int\d+|float\d\w*|q?u?int\d+\w*|complex\d+|bits\d\w*)$/.test(name));
  expect(types.length).toBeGreaterThan(40);
  expect(types.filter((name) => !(typeOf(name) instanceof torch.DType))).toEqual([]);
  expect(types.map((name) => String(typeOf(name)))).toEqual(types.map((name) => `torch.${name}`));
  expect([torch.chalf, torch.float8E4m3fn]).toEqual([torch.complex32, torch.float8_e4m3fn]);
});

const ways: Record<string, (dtype: torch.DType) => unknown> = {
  zeros: (dtype) => torch.zeros(2, { dtype }),
  ones: (dtype) => torch.ones(2, { dtype }),
  randn: (dtype) => torch.randn(2, { dtype }),
  tensor: (dtype) => torch.tensor([1], { dtype }),
  zerosLike: (dtype) => torch.zerosLike(torch.ones(2), { dtype }),
  newOnes: (dtype) => torch.ones(2).newOnes(2, { dtype }),
  frombuffer: (dtype) => torch.frombuffer(new Uint8Array(8), { dtype }),
  'to(dtype)': (dtype) => torch.ones(2).to(dtype),
  'to({ dtype })': (dtype) => torch.ones(2).to({ dtype }),
  'to(device, dtype)': (dtype) => torch.ones(2).to('cpu', dtype),
  type: (dtype) => torch.ones(2).type(dtype),
  view: (dtype) => torch.ones(2).view(dtype),
  sum: (dtype) => torch.ones(2).sum({ dtype }),
  'a layer': (dtype) => new nn.Linear(2, 2, { dtype }),
  'Module.type': (dtype) => new nn.Linear(2, 2).type(dtype),
  'the meta device': (dtype) => torch.ones(2, { dtype, device: 'meta' }),
};
test.each(Object.keys(ways))('%s refuses them by name', (way) => {
  for (const name of names) {
    expect(() => ways[way]!(typeOf(name))).toThrow(
      new torch.RuntimeError(`tensors of type torch.${name} are not supported`),
    );
  }
});
test('nor are they a default, or a type of parameters', () => {
  expect(() => torch.setDefaultDtype(torch.float8_e5m2)).toThrow(/float8_e5m2 are not supported/);
  expect(() => new nn.Linear(2, 2).to(torch.complex32)).toThrow(/complex32 are not supported/);
  expect(() => new nn.Linear(2, 2).to(torch.uint16)).toThrow(/only accepts floating point or complex dtypes/);
  expect(torch.getDefaultDtype()).toBe(torch.float32);
});
test('an option that is undefined is not given', () => {
  expect(torch.ones(2, { dtype: undefined }).dtype).toBe(torch.float32);
});

// What PyTorch prints.
const LIMITS: [print: () => unknown, text: string][] = [
  [() => torch.iinfo(torch.int8), 'iinfo(min=-128, max=127, dtype=int8)'],
  [() => torch.iinfo(torch.int64), 'iinfo(min=-9.22337e+18, max=9.22337e+18, dtype=int64)'],
  [() => torch.iinfo(torch.uint16), 'iinfo(min=0, max=65535, dtype=uint16)'],
  [() => torch.iinfo(torch.uint64), 'iinfo(min=0, max=1.84467e+19, dtype=uint64)'],
  [
    () => torch.finfo(torch.float16),
    'finfo(resolution=0.001, min=-65504, max=65504, eps=0.000976562, smallest_normal=6.10352e-05, tiny=6.10352e-05, dtype=float16)',
  ],
  [
    () => torch.finfo(torch.complex128),
    'finfo(resolution=1e-15, min=-1.79769e+308, max=1.79769e+308, eps=2.22045e-16, smallest_normal=2.22507e-308, tiny=2.22507e-308, dtype=float64)',
  ],
];
test('limits print as in PyTorch', () => {
  expect(LIMITS.map(([print]) => String(print()))).toEqual(LIMITS.map(([, text]) => text));
});
test('limits of the integers that only files have', () => {
  expect(torch.iinfo(torch.uint64).max).toBe(2n ** 64n - 1n);
  expect(torch.iinfo(torch.uint32).max).toBe(2 ** 32 - 1);
  expect(() => torch.iinfo(torch.bool)).toThrow('torch.bool is not supported by torch.iinfo');
  expect(() => torch.iinfo(torch.float32)).toThrow(/requires an integer input type/);
  expect(() => torch.finfo(torch.int32)).toThrow(/requires a floating point input type/);
  expect(() => torch.finfo(torch.float8_e5m2)).toThrow(/float8_e5m2 are not supported/);
});
