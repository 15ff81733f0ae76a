// Results of 16 MiB and more take another way to memory than small ones: the same elements must arrive, at any alignment
// and from any layout.
import torch from 'flambeau';
import type { Tensor } from './support';

const N = (1 << 22) + 37;
const source = (): Tensor => torch.arange(N, { dtype: torch.float32 }).remainder(1009).sub(504);
const part = (x: Tensor, begin: number, end: number): Tensor => x.narrow(0, begin, end - begin);
/** The elements of `large` that the same computation on a small piece gives, from both ends and the middle. */
function expectPieces(large: Tensor, piece: (begin: number, end: number) => Tensor): void {
  expect(large.numel()).toBe(N);
  for (const begin of [0, 1, 1021, N >> 1, N - 4099]) {
    const end = begin + 4099;
    expect(torch.equal(part(large, begin, end), piece(begin, end))).toBe(true);
  }
}

const forms: [string, (x: Tensor) => Tensor][] = [
  ['a sum', (x) => x.add(x)],
  ['a number added', (x) => x.add(0.5)],
  ['another type among the operands', (x) => x.add(x.to(torch.int32))],
  ['a comparison', (x) => x.gt(3)],
  ['bfloat16', (x) => x.to(torch.bfloat16).mul(3)],
  ['float64', (x) => x.to(torch.float64)],
  ['a copy', (x) => x.clone()],
  ['half of a wider tensor', (x) => torch.stack([x, x.neg()], 1).select(1, 1).abs()],
  ['a copy of every second element', (x) => torch.stack([x, x.neg()], 1).select(1, 1).contiguous()],
];
test.each(forms)('%s', (_, f) => {
  const x = source();
  expectPieces(f(x), (begin, end) => f(part(x, begin, end)));
});
test.each([1, 3, 7])('from an offset of %d elements, into one', (offset) => {
  const x = source();
  const wide = torch.zeros(N + offset);
  const view = part(wide, offset, N + offset);
  view.copy_(x);
  expectPieces(view, (begin, end) => part(x, begin, end));
  expectPieces(view.mul(2), (begin, end) => part(x, begin, end).mul(2));
  expect(part(wide, 0, offset).eq(0).all().item()).toBe(true);
});
test('in place, and with the result in a layout of its own', () => {
  const x = source();
  const y = x.clone();
  y.mul_(2).add_(1);
  expectPieces(y, (begin, end) => part(x, begin, end).mul(2).add(1));
  const columns = torch
    .arange(1 << 22, { dtype: torch.float32 })
    .view(2048, 2048)
    .t();
  const doubled = columns.mul(2);
  expect(doubled.stride()).toEqual(columns.stride());
  expect(torch.equal(part(doubled, 5, 9), part(columns, 5, 9).mul(2))).toBe(true);
  expect(torch.equal(part(columns.contiguous(), 5, 9), part(columns, 5, 9))).toBe(true);
});
