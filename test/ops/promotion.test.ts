// The types of results of operands of different types.
import torch, { type ComplexNumber } from 'flambeau';
import { dtype, expectSame, fixtures, type Tensor } from './support';

interface Promotion {
  types: string[];
  numbers: string[];
  table: Record<'tensors' | 'scalarTensor' | 'numbers' | 'zeroWithNumber' | 'inPlace', Record<string, string[]>>;
  canCast: Record<string, boolean[]>;
}
const recorded = fixtures<never>('promotion') as unknown as Promotion;
const { types, table } = recorded;
const NUMBERS: Record<string, number | boolean | ComplexNumber> = {
  bool: true,
  int: 3,
  float: 2.5,
  complex: { re: 1, im: 2 },
};

const some = (type: string): Tensor => torch.ones(2, { dtype: dtype(type) });
const zeroDim = (type: string): Tensor => torch.ones([], { dtype: dtype(type) });

describe.each(types)('%s', (a) => {
  test('with a tensor of every type gives the type of PyTorch', () => {
    expect(types.map((b) => some(a).mul(some(b)).dtype.name)).toEqual(table.tensors[a]);
    expect(types.map((b) => torch.resultType(some(a), some(b)).name)).toEqual(table.tensors[a]);
    expect(types.map((b) => torch.promoteTypes(dtype(a), dtype(b)).name)).toEqual(table.tensors[a]);
  });
  test('with a 0-d tensor of every type gives the type of PyTorch, on either side', () => {
    expect(types.map((b) => some(a).mul(zeroDim(b)).dtype.name)).toEqual(table.scalarTensor[a]);
    expect(types.map((b) => zeroDim(b).mul(some(a)).dtype.name)).toEqual(table.scalarTensor[a]);
  });
  test('with every kind of number gives the type of PyTorch, on either side', () => {
    expect(recorded.numbers.map((kind) => some(a).mul(NUMBERS[kind]!).dtype.name)).toEqual(table.numbers[a]);
    expect(recorded.numbers.map((kind) => torch.mul(NUMBERS[kind]!, some(a)).dtype.name)).toEqual(table.numbers[a]);
    expect(recorded.numbers.map((kind) => zeroDim(a).mul(NUMBERS[kind]!).dtype.name)).toEqual(table.zeroWithNumber[a]);
  });
  test('is changed in place by the types by which PyTorch changes it', () => {
    const found = types.map((b) => {
      try {
        some(a).mul_(some(b));
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(found).toEqual(table.inPlace[a]);
  });
  test('can be cast as in PyTorch', () => {
    expect(types.map((b) => torch.canCast(dtype(a), dtype(b)))).toEqual(recorded.canCast[a]);
  });
});

test('mixed operands give what converted operands give', () => {
  for (const a of types) {
    for (const b of types) {
      const x = torch.tensor([1, 0, 3, 2, 1]).to(dtype(a));
      const y = torch.tensor([[2], [1]]).to(dtype(b));
      const common = torch.promoteTypes(dtype(a), dtype(b));
      expectSame(x.add(y), x.to(common).add(y.to(common)));
    }
  }
});

test('an integer number beyond the type wraps around, as in PyTorch', () => {
  expect(torch.tensor([1, 100], { dtype: torch.int8 }).add(300).tolist()).toEqual([45, -112]);
  expect(torch.tensor([1], { dtype: torch.uint8 }).sub(2).tolist()).toEqual([255]);
});

test('equal compares in the type that both promote to', () => {
  const t = torch.tensor([1, 0]);
  for (const type of [torch.float64, torch.float16, torch.int64, torch.bool, torch.complex64]) {
    expect([type, torch.equal(t, t.to(type)), torch.equal(t, t.add(1).to(type))]).toEqual([type, true, false]);
    expect(torch.equal(t, torch.ones(3, { dtype: type }))).toBe(false);
  }
});

test('int64 keeps all its digits', () => {
  const big = 2n ** 62n + 3n;
  const t = torch.tensor([big, -big]);
  expect(Array.from(t.add(1).toTypedArray() as BigInt64Array)).toEqual([big + 1n, -big + 1n]);
  expect(Array.from(t.mul(1n).toTypedArray() as BigInt64Array)).toEqual([big, -big]);
  expect(Array.from(t.sub(torch.tensor([3n])).toTypedArray() as BigInt64Array)).toEqual([big - 3n, -big - 3n]);
  expect(Array.from(t.floorDivide(2).toTypedArray() as BigInt64Array)).toEqual([2n ** 61n + 1n, -(2n ** 61n) - 2n]);
  expect(Array.from(t.neg().toTypedArray() as BigInt64Array)).toEqual([-big, big]);
  expect(Array.from(t.maximum(torch.tensor([big - 1n, big])).toTypedArray() as BigInt64Array)).toEqual([big, big]);
  expect(t.eq(torch.tensor([big - 1n, -big])).tolist()).toEqual([false, true]);
  expect(Array.from(t.bitwiseXor(1).toTypedArray() as BigInt64Array)).toEqual([big ^ 1n, -big ^ 1n]);
  expect(t.sum().itemBigInt()).toBe(0n);
  expect(t.max().itemBigInt()).toBe(big);
});

test('the default type decides what numbers and integers become', () => {
  const before = torch.getDefaultDtype();
  try {
    torch.setDefaultDtype(torch.float64);
    expect(torch.tensor([1.5]).dtype).toBe(torch.float64);
    expect(torch.ones(2, { dtype: torch.int32 }).exp().dtype).toBe(torch.float64);
    expect(torch.ones(2, { dtype: torch.int32 }).mul(0.5).dtype).toBe(torch.float64);
    expect(torch.ones(2, { dtype: torch.int32 }).div(2).dtype).toBe(torch.float64);
  } finally {
    torch.setDefaultDtype(before);
  }
  expect(torch.ones(2, { dtype: torch.int32 }).exp().dtype).toBe(torch.float32);
});
