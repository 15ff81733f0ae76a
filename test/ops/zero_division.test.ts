// Integer division by zero is an error that leaves everything as it was.
import torch from 'flambeau';
import type { Tensor } from './support';

const whole = (...v: number[]): Tensor => torch.tensor(v, { dtype: torch.int64 });
const operations: [string, (a: Tensor, b: Tensor | number) => Tensor, (a: Tensor, b: Tensor | number) => Tensor][] = [
  ['floorDivide', (a, b) => a.floorDivide(b), (a, b) => a.floorDivide_(b)],
  ['div by trunc', (a, b) => a.div(b, { roundingMode: 'trunc' }), (a, b) => a.div_(b, { roundingMode: 'trunc' })],
  ['div by floor', (a, b) => a.div(b, { roundingMode: 'floor' }), (a, b) => a.div_(b, { roundingMode: 'floor' })],
  ['remainder', (a, b) => a.remainder(b), (a, b) => a.remainder_(b)],
  ['fmod', (a, b) => a.fmod(b), (a, b) => a.fmod_(b)],
];
const divisors: [string, () => Tensor | number][] = [
  ['a number', () => 0],
  ['a 0-d tensor', () => torch.tensor(0, { dtype: torch.int64 })],
  ['one element', () => whole(3, 2, 0)],
  ['a byte', () => whole(3, 0, 2).to(torch.uint8)],
  ['a truth value', () => torch.tensor([true, true, false])],
  ['a strided view', () => whole(1, 7, 0, 7, 2, 7).view(3, 2).select(1, 0)],
];
describe.each(operations)('%s', (_, f, inPlace) => {
  test.each(divisors)('by %s', (_name, divisor) => {
    const a = whole(7, -8, 9);
    expect(() => f(a, divisor())).toThrow('ZeroDivisionError');
    expect(() => inPlace(a, divisor())).toThrow('ZeroDivisionError');
    expect(a.tolist()).toEqual([7, -8, 9]);
  });
  test('the last of many', () => {
    const b = torch.ones(100_003, { dtype: torch.int64 });
    b.index(-1).fill_(0);
    const a = torch.full([100_003], 7, { dtype: torch.int64 });
    expect(() => f(a, b)).toThrow('ZeroDivisionError');
    expect(() => inPlace(a, b)).toThrow('ZeroDivisionError');
    expect(a.eq(7).all().item()).toBe(true);
  });
  test('no zero where nothing is divided, nor among floats', () => {
    expect(f(torch.zeros(0, 3, { dtype: torch.int64 }), whole(1, 0, 2)).shape).toEqual([0, 3]);
    expect(() => f(torch.tensor([1, 2]), 0)).not.toThrow();
    expect(() => f(whole(1, 2), torch.tensor([0, 1.5]))).not.toThrow();
    expect(f(whole(9), whole(-2)).numel()).toBe(1);
  });
});
