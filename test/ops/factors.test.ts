// Factors of sums and products, which may be complex where the result is.
import torch, { type Tensor } from 'flambeau';
import { numbers } from './support';

const k = { re: 1, im: 2 };
const a = torch.complex(
  torch.tensor([1, 0], { dtype: torch.float64 }),
  torch.tensor([2, -0.5], { dtype: torch.float64 }),
);
const b = torch.tensor([2, 3], { dtype: torch.float64 });
const one = (...shape: number[]): Tensor => torch.ones(shape);

test.each<[string, () => Tensor, number[]]>([
  ['add', () => torch.add(a, b, { alpha: k }), [3, 6, 3, 5.5]],
  ['add_', () => a.clone().add_(b, { alpha: k }), [3, 6, 3, 5.5]],
  ['add of a number', () => torch.add(a, 2, { alpha: k }), [3, 6, 2, 3.5]],
  ['add of a complex number', () => torch.add(b, { re: 0, im: 3 }, { alpha: { re: 0, im: 2 } }), [-4, 0, -3, 0]],
  ['sub', () => torch.sub(a, b, { alpha: k }), [-1, -2, -3, -6.5]],
  ['rsub', () => torch.rsub(a, b, { alpha: k }), [5, -4, 2, 0.5]],
  ['addcmul', () => torch.addcmul(a, b, b, { value: k }), [5, 10, 9, 17.5]],
  ['addcmul_', () => a.clone().addcmul_(b, b, { value: k }), [5, 10, 9, 17.5]],
  ['addcdiv', () => torch.addcdiv(a, b, a, { value: k }), [3, 2, -12, 5.5]],
])('a complex factor of %s', (_name, compute, expected) => {
  expect(numbers(compute())).toEqual(expected);
});

test('a complex factor reaches the gradient', () => {
  const x = torch.tensor([1, 2], { dtype: torch.float64, requiresGrad: true });
  torch.add(a, x, { alpha: k }).abs().sum().backward();
  const [first, second] = numbers(x.grad!);
  expect(first).toBeCloseTo(2.23606797749979, 14);
  expect(second).toBeCloseTo(2.2326252226057526, 14);
});

test('a complex factor without an imaginary part is a real one', () => {
  const two = { re: 2, im: 0 };
  for (const y of [
    torch.addmm(one(1, 1), one(1, 1), one(1, 1), { alpha: two }),
    torch.addr(one(1, 1), one(1), one(1), { alpha: two }),
    torch.addmv(one(1), one(1, 1), one(1), { alpha: two }),
    torch.addbmm(one(1, 1), one(1, 1, 1), one(1, 1, 1), { alpha: two }),
    torch.addcmul(one(1), one(1), one(1), { value: two }),
    torch.zeros(1).fill_({ re: 3, im: 0 }),
  ]) {
    expect([y.dtype, numbers(y)]).toEqual([torch.float32, [3]]);
  }
});

test('a fraction is refused by the type of the result, not of the operands', () => {
  const i = torch.tensor([1n, 2n]);
  expect(torch.add(i, torch.tensor([1.5, 2.5]), { alpha: 0.5 }).tolist()).toEqual([1.75, 3.25]);
  expect(torch.add(i, 1.5, { alpha: 0.5 }).tolist()).toEqual([1.75, 2.75]);
  expect(torch.addr(i.reshape(2, 1), one(2), one(1), { alpha: 0.5, beta: 0.5 }).tolist()).toEqual([[1], [1.5]]);
  expect(torch.addr(i.reshape(2, 1), i, i.narrow(0, 1, 1), { alpha: 3n }).tolist()).toEqual([[7], [14]]);
});

test('matrix products cut the factors of integers to whole numbers, as PyTorch', () => {
  const m = torch.ones([1, 1], { dtype: torch.int64 });
  expect(torch.addmm(m, m, m, { alpha: 2.5, beta: 0.5 }).item()).toBe(2);
});
