// How ops take their arguments: by position, by name, in every mixture, with errors that name the argument.
import torch, { type Tensor } from 'flambeau';
import { expectSame, functionOf } from './support';

const x = torch.arange(24).reshape([2, 3, 4]).float();
const call = (name: string, ...args: unknown[]): unknown => functionOf(name)(...args);

test('optional arguments go by position, by name, or from one on by name', () => {
  const expected = x.sum([0, 2], true);
  for (const found of [
    torch.sum(x, [0, 2], true),
    torch.sum(x, { dim: [0, 2], keepdim: true }),
    torch.sum(x, [0, 2], { keepdim: true }),
    x.sum({ keepdim: true, dim: [0, 2] }),
    x.sum([0, 2], { keepdim: true }),
  ]) {
    expectSame(found, expected);
  }
});
test('one number stands for a list of one', () => {
  expectSame(x.sum(1), x.sum([1]));
  expectSame(x.sum({ dim: 1 }), x.sum([1]));
});
test('undefined stands for the default, null for no value', () => {
  expectSame(x.sum(undefined, undefined, undefined), x.sum());
  expectSame(x.sum(null), x.sum());
  expectSame(x.sum({ dim: undefined, keepdim: undefined }), x.sum());
  expectSame(x.sum({ dim: null }), x.sum());
});
test('required arguments go by name too', () => {
  expectSame(call('transpose', x, { dim0: 0, dim1: 2 }) as Tensor, x.transpose(0, 2));
  expectSame(call('add', x, { other: 2, alpha: 3 }) as Tensor, x.add(6));
});
test('sizes go one by one or as an array', () => {
  for (const found of [x.view(6, 4), x.view([6, 4]), x.reshape(6, -1), torch.reshape(x, [6, 4])])
    expect(found.shape).toEqual([6, 4]);
  expect(torch.zeros(2, 3, { dtype: torch.int8 }).dtype).toBe(torch.int8);
  expect(torch.zeros([2, 3], { dtype: torch.int8 }).shape).toEqual([2, 3]);
  expect(torch.zeros([]).shape).toEqual([]);
});
test('whole numbers come as numbers, bigints and 0-d integer tensors', () => {
  expectSame(x.select(0, 1n as unknown as number), x.select(0, 1));
  expectSame(x.select(0, torch.tensor(1n) as unknown as number), x.select(0, 1));
});

describe('a TypeError names the function and the argument when', () => {
  const refusals: [title: string, make: () => unknown, message: string | RegExp][] = [
    ['one is missing', () => call('transpose', x, 0), "transpose() missing a required argument: 'dim1'"],
    ['all are missing', () => call('add'), "add() missing a required argument: 'input'"],
    ['there are too many', () => call('neg', x, 1), 'neg() takes 1 positional arguments but 2 were given'],
    ['a name is unknown', () => call('sum', x, { axis: 1 }), "sum() got an unexpected keyword argument 'axis'"],
    ['one is given twice', () => call('sum', x, 1, { dim: 1 }), "sum() got multiple values for argument 'dim'"],
    ['a tensor is a number', () => call('matmul', x, 3), "matmul(): argument 'other' must be Tensor, not number (3)"],
    ['a tensor is an array', () => call('exp', [1, 2]), /^exp\(\): argument 'input' must be Tensor, not /],
    [
      'an integer has a fraction',
      () => call('select', x, 0, 1.5),
      "select(): argument 'index' must be int, not number (1.5)",
    ],
    ['an integer is NaN', () => call('unsqueeze', x, NaN), "unsqueeze(): argument 'dim' must be int, not number (NaN)"],
    ['an integer is text', () => call('unsqueeze', x, '0'), /^unsqueeze\(\): argument 'dim' must be int, not str/],
    ['a flag is a number', () => call('sum', x, 0, 1), /^sum\(\): argument 'keepdim' must be bool, not number/],
    [
      'a dtype is text',
      () => call('zeros', 2, { dtype: 'float32' }),
      /^zeros\(\): argument 'dtype' must be ScalarType/,
    ],
    ['a list holds a fraction', () => call('permute', x, [0, 1, 1.5]), /^permute\(\): argument 'dims' must be int/],
    ['a list holds text', () => call('sum', x, [0, 'a']), /^sum\(\): argument 'dim' must be int\[\]/],
    ['null has no meaning', () => call('exp', null), /^exp\(\): argument 'input' must be Tensor, not null/],
    ['a bigint is no safe integer', () => call('select', x, 0, 2n ** 60n), /^select\(\): argument 'index' must be int/],
    ['text has no place', () => call('add', x, 'a'), /^add\(\): argument 'other' must be Tensor\|Scalar, not str/],
  ];
  test.each(refusals)('%s', (_title, make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
  test('an in-place form is called under its own name', () => {
    const method = (x.clone() as unknown as Record<string, (...a: unknown[]) => unknown>)['add_']!;
    expect(() => method.call(x, {} as never)).toThrow("add_() missing a required argument: 'other'");
  });
});

test('an options object is no complex number, and a complex number is no options object', () => {
  expect(torch.full([1], { re: 1, im: 2 }).dtype).toBe(torch.complex64);
  expect(x.add({ re: 0, im: 1 }).dtype).toBe(torch.complex64);
});
test('options that inherit from another realm or from null count', () => {
  const bare = Object.assign(Object.create(null) as object, { keepdim: true });
  expect((call('sum', x, 0, bare) as Tensor).shape).toEqual([1, 3, 4]);
  expect(() => call('sum', x, 0, new Date())).toThrow(TypeError);
});
test('functions and methods carry their names', () => {
  expect(torch.logSoftmax.name).toBe('logSoftmax');
  expect(x.logSoftmax.name).toBe('logSoftmax');
  expect(x.add_.name).toBe('add_');
});
