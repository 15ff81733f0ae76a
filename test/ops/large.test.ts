// Large results take another way to memory than small ones: the same elements must arrive, at any alignment and from any
// layout.
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

const { functional: F } = torch.nn;
const SHAPE = [4200, 1024] as const;
const weight = torch.linspace(0.5, 2, SHAPE[1]);
const byRows: [string, (x: Tensor) => Tensor][] = [
  ['softmax', (x) => F.softmax(x, { dim: 1 })],
  ['log-softmax', (x) => F.logSoftmax(x, { dim: 1 })],
  ['layer norm', (x) => F.layerNorm(x, [x.shape[1]!], weight, weight)],
];
describe.each(byRows)('%s, row by row', (_, f) => {
  test.each([1, 2])('forward and backward on %d threads', (threads) => {
    const before = torch.getNumThreads();
    torch.setNumThreads(threads);
    try {
      const [x, g] = [torch.randn([...SHAPE]), torch.randn([...SHAPE])];
      const grads = (from: number, to: number): [Tensor, Tensor] => {
        const leaf = part(x, from, to).detach().requiresGrad_();
        const y = f(leaf);
        y.backward(part(g, from, to));
        return [y.detach(), leaf.grad!];
      };
      const [y, gx] = grads(0, SHAPE[0]);
      for (const begin of [0, 2003, SHAPE[0] - 3]) {
        const [small, gradient] = grads(begin, begin + 3);
        expect(torch.equal(part(y, begin, begin + 3), small)).toBe(true);
        expect(torch.equal(part(gx, begin, begin + 3), gradient)).toBe(true);
      }
    } finally {
      torch.setNumThreads(before);
    }
  });
});

const images: [string, (x: Tensor, w: Tensor, b: Tensor) => Tensor][] = [
  ['batch norm', (x, w, b) => F.batchNorm(x, null, null, w, b, true)],
  ['group norm', (x, w, b) => F.groupNorm(x, 4, w, b)],
];
test.each(images)('%s of images is what float64 gives, and the same on every thread count', (_, f) => {
  const [x, g] = [torch.randn(17, 64, 64, 64).add(3), torch.randn(17, 64, 64, 64)];
  const [w, b] = [torch.linspace(0.5, 2, 64), torch.linspace(-1, 1, 64)];
  const run = (dtype: typeof torch.float32): Tensor[] => {
    const leaves = [x, w, b].map((t) => t.to(dtype).clone().requiresGrad_());
    const y = f(leaves[0]!, leaves[1]!, leaves[2]!);
    y.backward(g.to(dtype));
    return [y.detach(), ...leaves.map((t) => t.grad!)];
  };
  const before = torch.getNumThreads();
  torch.setNumThreads(1);
  const one = run(torch.float32);
  torch.setNumThreads(2);
  const two = run(torch.float32);
  torch.setNumThreads(before);
  const exact = run(torch.float64);
  for (const [i, t] of one.entries()) {
    expect(torch.equal(t, two[i]!)).toBe(true);
    expect(torch.allclose(t.to(torch.float64), exact[i]!, 1e-4, 1e-3)).toBe(true);
  }
});

test('the first extreme of a row of many blocks, and the first NaN', () => {
  const y = source();
  const places = [N - 1, 200_001, 200_000, 3_000_000];
  for (const at of places) part(y, at, at + 1).fill_(1e6);
  expect(y.argmax().item()).toBe(200_000);
  expect(y.neg().argmin().item()).toBe(200_000);
  part(y, 2_500_000, 2_500_001).fill_(Number.NaN);
  expect(y.argmax().item()).toBe(2_500_000);
});

test('columns in wide rows, with a rest', () => {
  const x = torch
    .arange(1003 * 1031, { dtype: torch.float32 })
    .remainder(17)
    .view(1003, 1031);
  const columns = x.t().contiguous();
  expect(torch.equal(x.sum(0), columns.sum(1))).toBe(true);
  expect(torch.equal(x.amax(0), columns.amax(1))).toBe(true);
});
