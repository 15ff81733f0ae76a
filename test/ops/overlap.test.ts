// Ops in place on tensors that share memory with what they read: as if it had been cloned, or PyTorch's error.
import torch, { type Tensor } from 'flambeau';

const MESSAGE =
  'unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. ' +
  'Please clone() the tensor before performing the operation.';
const square = (n = 3): Tensor => torch.arange(n * n, { dtype: torch.float32 }).view(n, n);
const line = (n: number): Tensor => torch.arange(n, { dtype: torch.float32 });

type Write = (out: Tensor, x: Tensor) => Tensor;
const WRITES: readonly (readonly [string, Write])[] = [
  ['add_', (out, x) => out.add_(x)],
  ['lerp_', (out, x) => out.lerp_(x, 0.5)],
  ['addcmul_', (out, x) => out.addcmul_(x, x)],
  ['copy_', (out, x) => out.copy_(x)],
];
type Pair = () => [out: Tensor, x: Tensor];

const REFUSED: readonly (readonly [string, Pair])[] = [
  ['its transpose', () => ((w) => [w, w.t()])(square())],
  ['its large transpose', () => ((w) => [w, w.t()])(square(700))],
  ['what it is the transpose of', () => ((w) => [w.t(), w])(square())],
  ['its dimensions in another order', () => ((x) => [x, x.permute(2, 0, 1)])(line(27).view(3, 3, 3))],
  ['one of its rows', () => ((w) => [w, w.select(0, 1)])(square())],
  ['one of its elements', () => ((x) => [x, x.select(0, 2)])(line(5))],
  ['rows that it shares in part', () => ((w) => [w.narrow(0, 0, 2), w.narrow(0, 1, 2)])(square())],
  ['elements that it shares in part', () => ((x) => [x.narrow(0, 1, 6), x.narrow(0, 0, 6)])(line(8))],
];

const TAKEN: readonly (readonly [string, Pair])[] = [
  ['itself', () => ((w) => [w, w])(square())],
  ['a view of all of it', () => ((w) => [w, w.view(3, 3)])(square())],
  ['the same transpose', () => ((w) => [w.t(), w.t()])(square())],
  ['one of its rows, expanded', () => ((w) => [w, w.narrow(0, 1, 1).expand(3, 3)])(square())],
  ['one of its columns', () => ((w) => [w, w.narrow(1, 0, 1)])(square())],
  ['the transpose of a part', () => ((w) => [w, w.t()])(square(4).narrow(0, 0, 3).narrow(1, 0, 3))],
  ['elements at other steps from the same place', () => ((x) => [x.asStrided([4], [2]), x.narrow(0, 0, 4)])(line(8))],
  ['the same turned around', () => ((x) => [x.narrow(0, 0, 4), x.asStrided([4], [2])])(line(8))],
  ['a step further', () => ((x) => [x.asStrided([4], [2], 2), x.asStrided([4], [2])])(line(10))],
  ['elements between its own', () => ((x) => [x.asStrided([4], [2]), x.asStrided([4], [2], 1)])(line(8))],
  ['the other half of the columns', () => ((w) => [w.narrow(1, 0, 2), w.narrow(1, 2, 2)])(square(4))],
  [
    'so many that threads share them',
    () => ((x) => [x.asStrided([300_000], [2]), x.narrow(0, 0, 300_000)])(line(600_000)),
  ],
];

describe.each(WRITES)('%s', (_name, write) => {
  test.each(REFUSED)('refuses %s, and writes nothing', (_what, pair) => {
    const [out, x] = pair();
    const before = out.clone();
    expect(() => write(out, x)).toThrow(new torch.RuntimeError(MESSAGE));
    expect(out.equal(before)).toBe(true);
  });
  test.each(TAKEN)('reads %s before it writes', (_what, pair) => {
    const [out, x] = pair();
    const expected = write(out.clone(), x.clone());
    expect(write(out, x)).toBe(out);
    expect(out.equal(expected)).toBe(true);
  });
});

test('the bytes of other types are told apart too', () => {
  const x = line(6);
  expect(x.view(torch.int32).copy_(x).tolist()).toEqual([0, 1, 2, 3, 4, 5]);
  const wide = line(8);
  expect(() => wide.view(torch.float64).copy_(wide.narrow(0, 4, 4))).toThrow(MESSAGE);
  const bytes = torch.arange(16, { dtype: torch.uint8 });
  const steps = bytes.view(torch.int32).asStrided([2], [2]); // bytes 0 to 3 and 8 to 11
  expect(steps.copy_(bytes.asStrided([2], [8], 4)).tolist()).toEqual([4, 12]);
  expect(steps.copy_(bytes.asStrided([2], [8], 3)).tolist()).toEqual([0, 0]);
});

/** The places of a view's elements in its storage. */
function places(sizes: readonly number[], strides: readonly number[], offset: number): number[] {
  let at = [offset];
  sizes.forEach((n, d) => {
    at = at.flatMap((p) => Array.from({ length: n }, (_, i) => p + i * strides[d]!));
  });
  return at;
}

test('any two views: what is computed does not depend on whether they share memory', () => {
  const MEMORY = 40;
  let state = 1;
  const below = (n: number): number => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  let [refused, shared, apart] = [0, 0, 0];
  for (let round = 0; round < 4000; round++) {
    const sizes = Array.from({ length: 1 + below(3) }, () => 1 + below(3));
    const layout = (): [number[], number[], number] => [sizes, sizes.map(() => below(8)), below(6)];
    const [out, x] = [layout(), layout()];
    const [to, from] = [places(...out), places(...x)];
    if (new Set(to).size < to.length || Math.max(...to, ...from) >= MEMORY) continue;
    const overlap = from.some((p) => to.includes(p));
    const memory = line(MEMORY);
    const expected = memory.asStrided(...out).add(memory.asStrided(...x));
    try {
      memory.asStrided(...out).add_(memory.asStrided(...x));
      expect(memory.asStrided(...out).tolist()).toEqual(expected.tolist());
      overlap ? shared++ : apart++;
    } catch (e) {
      if ((e as Error).message !== MESSAGE) throw e;
      expect(overlap).toBe(true);
      refused++;
    }
  }
  expect(Math.min(refused, shared, apart)).toBeGreaterThan(10);
});
