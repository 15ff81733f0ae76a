// Weights that products read in a layout of their own, kept while they do not change.
import torch, { F, type Tensor } from 'flambeau';
import { ask, worker } from './in_worker';

const packed = (collectFirst = false) => torch.memoryStats(collectFirst).packedBytes;

// What files before this one packed, and what their last frames still held, is gone after this.
beforeAll(async () => {
  packed(true);
  await new Promise(setImmediate);
  packed(true);
});

/** What `product` gives of a copy of `w` that was never multiplied before. */
const afresh = (product: (w: Tensor) => Tensor, w: Tensor) => product(w.clone());

const PRODUCTS: readonly (readonly [string, (x: Tensor, bias: Tensor, w: Tensor) => Tensor])[] = [
  ['linear', (x, bias, w) => F.linear(x, w.t(), bias)],
  ['matmul', (x, _bias, w) => x.matmul(w)],
  ['matmul of a batch', (x, _bias, w) => x.reshape(2, -1, x.shape[1]!).matmul(w)],
  ['addmm', (x, bias, w) => torch.addmm(bias, x, w)],
];
const SIZES = [
  [64, 96, 80],
  [33, 800, 70],
  [130, 520, 1100],
] as const;

describe.each(['float32', 'float64'] as const)('%s', (type) => {
  test.each(PRODUCTS)('%s is the same bit by bit when its weight was packed before', (_name, product) => {
    const kept: Tensor[] = []; // so that no collection frees forms between two counts
    for (const [m, k, n] of SIZES) {
      const rows = 2 * m;
      const [x, bias] = [torch.randn(rows, k).to(torch[type]), torch.randn(n).to(torch[type])];
      for (const w of [torch.randn(k, n).to(torch[type]), torch.randn(n, k).to(torch[type]).t()]) {
        kept.push(w);
        const before = packed(true);
        const first = product(x, bias, w);
        expect(packed()).toBe(before);
        for (let i = 0; i < 3; i++) expect(product(x, bias, w).equal(first)).toBe(true);
        // Few rows read a weight as it lies where its rows are contiguous.
        if (w.isContiguous()) expect(packed()).toBe(before);
        else expect(packed()).toBeGreaterThan(before);
        // Other rows read the same form.
        const part = x.narrow(0, 0, rows - 6);
        expect(product(part, bias, w).equal(afresh((v) => product(part, bias, v), w))).toBe(true);
      }
    }
  });
});

test.each([
  ['in place', (w: Tensor) => w.mul_(2)],
  ['through a view', (w: Tensor) => w.select(0, 3).fill_(7)],
  ['through data, which autograd does not see', (w: Tensor) => w.data.add_(1)],
  ['by copying', (w: Tensor) => w.copy_(torch.ones(1))],
  ['by an element', (w: Tensor) => w.indexPut_([torch.tensor([5], { dtype: torch.int64 })], torch.tensor(3))],
])('a weight that was written to %s is packed anew', (_name, write) => {
  const x = torch.randn(64, 100);
  const w = torch.randn(90, 100).t();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 3; i++) expect(x.mm(w).equal(afresh((v) => x.mm(v), w))).toBe(true);
    write(w);
  }
});

test('an optimizer step is seen', () => {
  const layer = new torch.nn.Linear(100, 90);
  const x = torch.randn(64, 100);
  const optimizer = new torch.optim.SGD(layer.parameters(), { lr: 0.1 });
  for (let i = 0; i < 4; i++) {
    const forward = () => torch.noGrad(() => layer(x));
    expect(
      [forward(), forward(), forward()].every((y) => y.equal(F.linear(x, layer.weight.clone(), layer.bias!))),
    ).toBe(true);
    optimizer.zeroGrad();
    layer(x).sum().backward();
    optimizer.step();
  }
});

test('parts of one weight have forms of their own, which are freed with it', () => {
  const x = torch.randn(64, 128);
  const w = torch.randn(3 * 96, 128);
  const parts = w.chunk(3);
  const before = packed(true);
  for (let i = 0; i < 3; i++) {
    for (const part of parts) expect(F.linear(x, part).equal(afresh((v) => F.linear(x, v), part))).toBe(true);
  }
  expect(packed() - before).toBeGreaterThanOrEqual(4 * w.numel());
  for (const t of [w, ...parts]) t.dispose();
  expect(packed()).toBe(before);
});

test('a form is dropped when its weight changed, and one that is never used again is not made soon', () => {
  const x = torch.randn(64, 128);
  const w = torch.randn(128, 128).t();
  const before = packed(true);
  const made: boolean[] = [];
  for (let step = 0; step < 6; step++) {
    x.mm(w);
    x.mm(w);
    made.push(packed() > before);
    w.mul_(0.5);
    x.mm(w);
    expect(packed()).toBe(before);
    w.mul_(2);
  }
  expect(made).toEqual([true, false, false, false, false, false]);
});

test('forms take no more than the tensors themselves, and those not used for long make room', () => {
  torch.memoryStats(true);
  const x = torch.randn(33, 4096);
  const w = torch.randn(4096, 4096);
  const expected = x.mm(w.t());
  const size = 4 * w.numel();
  x.mm(w);
  x.mm(w);
  expect(packed()).toBeGreaterThanOrEqual(size);
  for (let i = 0; i < 8; i++) {
    expect(x.mm(w.t()).equal(expected)).toBe(true);
    const { bytes, packedBytes } = torch.memoryStats();
    expect(packedBytes).toBeLessThanOrEqual(Math.max(bytes, 64 << 20));
  }
});

describe('what forms may take goes with the tensors', () => {
  const x = torch.randn(33, 2048);
  /** Weights of 16 MiB; both forms of each are asked for often enough to be made. */
  const weights = (n: number) => Array.from({ length: n }, () => torch.randn(2048, 2048));
  const use = (all: readonly Tensor[], rounds: number) =>
    torch.tidy(() => {
      for (let i = 0; i < rounds; i++) {
        for (const w of all) {
          x.mm(w);
          x.mm(w.t());
        }
      }
    });
  const within = () => {
    const { bytes, packedBytes } = torch.memoryStats();
    return packedBytes <= Math.max(bytes, 64 << 20);
  };

  test('those that are too many when tensors are freed go at once, and are not made again soon', () => {
    torch.memoryStats(true);
    const all = weights(5);
    const other = torch.empty(96 << 20, { dtype: torch.uint8 });
    const expected = all.map((w) => x.mm(w));
    use(all, 2);
    const most = packed();
    expect(most).toBeGreaterThanOrEqual(160 << 20);
    expect(within()).toBe(true);
    other.dispose();
    expect(packed()).toBeLessThan(most);
    expect(packed()).toBeGreaterThan(32 << 20); // not all
    expect(within()).toBe(true);
    const again = torch.empty(96 << 20, { dtype: torch.uint8 });
    const trimmed = packed();
    use(all, 2);
    expect(packed()).toBe(trimmed);
    use(all, 3);
    expect(packed()).toBeGreaterThan(trimmed);
    expect(all.every((w, i) => x.mm(w).equal(expected[i]!))).toBe(true);
    for (const t of [...all, again]) t.dispose();
  });

  test('all are given up when memory is refused, and the product goes on', () => {
    const [w] = weights(1);
    const expected = x.mm(w!);
    use([w!], 3);
    expect(packed()).toBeGreaterThan(0);
    // More than the address space has in one piece.
    expect(() => torch.empty(2 ** 47 - 2 ** 22, { dtype: torch.uint8 })).toThrow("can't allocate memory");
    expect(packed()).toBe(0);
    for (let i = 0; i < 5; i++) expect(x.mm(w!).equal(expected)).toBe(true);
    expect(packed()).toBeGreaterThan(0);
  });
});

test('a worker that writes to shared memory is seen, and so is one that multiplies by it', async () => {
  const other = worker(`
    parentPort.on('message', ({ x, w }) => {
      const [a, b] = [torch.openShared(x), torch.openShared(w)];
      const y = [a.mm(b), a.mm(b), a.mm(b)].map((t) => t.sum().item());
      torch.noGrad(() => b.mul_(2));
      parentPort.postMessage(y);
    });`);
  const [a, b] = [torch.randn(64, 100), torch.randn(100, 90)];
  const message = { x: torch.shareTensor(a), w: torch.shareTensor(b) };
  for (let round = 0; round < 3; round++) {
    const sum = afresh((v) => a.mm(v), b)
      .sum()
      .item();
    for (let i = 0; i < 3; i++) expect(a.mm(b).sum().item()).toBe(sum);
    expect(await ask(other, message)).toEqual([sum, sum, sum]);
  }
});

test('products on the meta device pack nothing', () => {
  const meta = torch.empty(100, 90, { device: 'meta' });
  const x = torch.empty(64, 100, { device: 'meta' });
  const before = packed(true);
  for (let i = 0; i < 3; i++) expect([...x.mm(meta).shape]).toEqual([64, 90]);
  expect(packed()).toBe(before);
});
