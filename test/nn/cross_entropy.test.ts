// Cross-entropy with classes against the two operations that it is: values, gradients, and what the graph shows.
import torch, { F, type Tensor } from 'flambeau';

const i64 = { dtype: torch.int64 };
const NLL = torch.nn.functional.nllLoss;

interface Case {
  shape: number[];
  dtype?: torch.DType;
  /** The classes lie next to each other, whatever dimension they are. */
  last?: boolean;
  weighted?: boolean;
  ignoreIndex?: number;
  reduction?: string;
  scale?: number;
}

function given({ shape, dtype = torch.float32, last, weighted, ignoreIndex = -100, scale = 3 }: Case) {
  const [n, c, ...rest] = shape.length === 1 ? [null, shape[0]!] : [shape[0]!, shape[1]!, ...shape.slice(2)];
  const places = n === null ? [] : [n, ...rest];
  const scores = torch.randn(last ? [...places, c] : shape, { dtype: torch.float64 }).mul(scale);
  const x = (last ? scores.movedim(-1, 1) : scores).to(dtype).detach().requiresGrad_();
  const picked = torch.randint(0, c, places);
  const target = torch.where(torch.rand(places).lt(0.3), torch.full(places, ignoreIndex, i64), picked);
  const weight = weighted ? torch.rand(c).add(0.1).to(dtype) : null;
  return { x, target: ignoreIndex === -100 ? picked : target, weight };
}

function compare(c: Case, rtol: number, atol: number): void {
  torch.manualSeed(1);
  const { x, target, weight } = given(c);
  const options = { weight, ignoreIndex: c.ignoreIndex ?? -100, reduction: c.reduction ?? 'mean' };
  const found = F.crossEntropy(x, target, options);
  const expected = NLL(F.logSoftmax(x, x.ndim === 1 ? 0 : 1), target, options);
  const close = (a: Tensor, b: Tensor) =>
    expect([c, a.shape, a.dtype, torch.allclose(a, b, { rtol, atol, equalNan: true })]).toEqual([
      c,
      b.shape,
      b.dtype,
      true,
    ]);
  close(found, expected);
  const g = torch.randn(found.shape).to(found.dtype);
  const [gx] = torch.autograd.grad(found, [x], g, { retainGraph: true });
  const [again] = torch.autograd.grad(found, [x], g, { createGraph: true });
  const [want] = torch.autograd.grad(expected, [x], g);
  close(gx!, want!);
  close(again!, want!);
}

const REDUCTIONS = ['none', 'mean', 'sum'];

describe('as nllLoss of logSoftmax', () => {
  test('rows of every length', () => {
    for (let c = 1; c <= 70; c++) compare({ shape: [3, c] }, 1e-5, 1e-6);
    for (const c of [127, 128, 1000, 5000]) compare({ shape: [5, c] }, 1e-5, 1e-6);
    compare({ shape: [300, 33], dtype: torch.float64 }, 1e-12, 1e-13);
  });

  test('columns of every number', () => {
    for (let l = 1; l <= 70; l++) compare({ shape: [2, 3, l], ignoreIndex: 1 }, 1e-5, 1e-6);
    for (const shape of [
      [2, 3, 300],
      [1, 700, 270],
      [2, 5, 3, 4, 2],
    ]) {
      compare({ shape }, 1e-5, 1e-6);
      compare({ shape, dtype: torch.float64, weighted: true }, 1e-12, 1e-13);
    }
  });

  test('weights, ignored classes and reductions', () => {
    for (const reduction of REDUCTIONS) {
      for (const weighted of [false, true]) {
        for (const ignoreIndex of [-100, -1, 0, 2]) {
          for (const shape of [[6], [7, 6], [2, 6, 5], [2, 6, 3, 4]]) {
            compare({ shape, reduction, weighted, ignoreIndex }, 1e-5, 1e-6);
            if (shape.length > 2) compare({ shape, reduction, weighted, ignoreIndex, last: true }, 1e-5, 1e-6);
          }
        }
      }
    }
  });

  test('half types', () => {
    for (const reduction of REDUCTIONS) {
      compare({ shape: [9, 20], dtype: torch.float16, reduction }, 4e-3, 1e-3);
      compare({ shape: [9, 20], dtype: torch.bfloat16, reduction }, 3e-2, 1e-2);
      compare({ shape: [2, 7, 9], dtype: torch.float16, reduction, last: true }, 4e-3, 1e-3);
    }
  });

  test('results that are written past the caches', () => {
    compare({ shape: [4608, 1024], scale: 1 }, 1e-5, 1e-9);
    compare({ shape: [1, 72, 1 << 16], scale: 1 }, 1e-5, 1e-9);
  });

  test('what is not finite', () => {
    const x = torch.tensor([
      [-Infinity, 0, 1],
      [-Infinity, -Infinity, -Infinity],
      [0, Infinity, 1],
      [NaN, 0, 1],
      [3e38, -3e38, 0],
      [0, -Infinity, 1],
    ]);
    for (const y of [x, x.t().contiguous().t(), x.view(1, 6, 3).transpose(1, 2).contiguous()]) {
      const flat = (t: Tensor): Tensor => (y.ndim === 3 ? t.transpose(1, 2).reshape(6, 3) : t);
      const leaf = y.detach().requiresGrad_();
      const target = torch.tensor([1, 1, 1, 1, 1, 1], i64).view(y.ndim === 3 ? [1, 6] : [6]);
      const loss = F.crossEntropy(leaf, target, { reduction: 'none' });
      expect(loss.view(6).tolist()).toEqual([expect.closeTo(1.313262, 5), NaN, NaN, NaN, Infinity, Infinity]);
      loss.sum().backward();
      const rows = flat(leaf.grad!).tolist() as number[][];
      expect(rows[0]).toEqual([0, expect.closeTo(-0.731059, 5), expect.closeTo(0.731059, 5)]);
      for (const r of [1, 2, 3]) expect(rows[r]).toEqual([NaN, NaN, NaN]);
      expect(rows[4]).toEqual([1, -1, 0]);
      expect(rows[5]![1]).toBe(-1);
    }
  });

  test('nothing to sum', () => {
    const loss = (reduction: string) => F.crossEntropy(torch.zeros(0, 3), torch.zeros([0], i64), { reduction });
    expect([loss('mean').item(), loss('sum').item(), loss('none').shape]).toEqual([NaN, 0, [0]]);
    const x = torch.zeros(0, 3, { requiresGrad: true });
    F.crossEntropy(x, torch.zeros([0], i64)).backward();
    expect(x.grad!.shape).toEqual([0, 3]);
  });
});

describe('the graph', () => {
  const target = torch.tensor([1, 0, 3], i64);
  const scores = (): Tensor => torch.randn(3, 4, { dtype: torch.float64 }).requiresGrad_();

  test('shows both operations', () => {
    const x = scores();
    const node = F.crossEntropy(x, target).gradFn!;
    expect(node.name()).toBe('NllLossBackward0');
    const [[next]] = node.nextFunctions as [[torch.autograd.Node, number]];
    expect(next.name()).toBe('LogSoftmaxBackward0');
    expect(next.nextFunctions[0]![0]!.name()).toBe('torch::autograd::AccumulateGrad');
    const image = F.crossEntropy(torch.randn(1, 4, 2, 2).requiresGrad_(), torch.zeros([1, 2, 2], i64));
    expect(image.gradFn!.name()).toBe('NllLoss2DBackward0');
  });

  test('second derivatives', () => {
    for (const reduction of REDUCTIONS) {
      const weight = torch.rand(4, { dtype: torch.float64 });
      const run = (x: Tensor): Tensor => F.crossEntropy(x.mul(1.5), target, { weight, reduction, ignoreIndex: 3 });
      expect(torch.autograd.gradcheck(run, [scores()])).toBe(true);
      expect(torch.autograd.gradgradcheck(run, [scores()])).toBe(true);
    }
  });

  test('hooks on a node see the gradient that passes there', () => {
    const x = scores();
    const expected = torch.autograd.grad(F.crossEntropy(x, target), [x])[0]!;
    const loss = F.crossEntropy(x, target);
    const [[log]] = loss.gradFn!.nextFunctions as [[torch.autograd.Node, number]];
    let seen: Tensor | null = null;
    log.registerPrehook((grads) => {
      seen = grads[0]!.clone();
    });
    const [found] = torch.autograd.grad(loss, [x]);
    expect(torch.allclose(found!, expected)).toBe(true);
    const oneHot = torch.zeros(3, 4, { dtype: torch.float64 }).scatter_(1, target.unsqueeze(1), -1 / 3);
    expect(torch.allclose(seen!, oneHot)).toBe(true);
  });

  test('hooks of saved tensors', () => {
    const x = scores();
    const expected = torch.autograd.grad(F.crossEntropy(x, target), [x])[0]!;
    let [packed, unpacked] = [0, 0];
    const loss = torch.autograd.graph.savedTensorsHooks(
      (t) => (packed++, t.clone()),
      (t) => (unpacked++, t),
      () => F.crossEntropy(x, target),
    );
    const [found] = torch.autograd.grad(loss, [x]);
    expect([packed > 0, unpacked, torch.allclose(found!, expected)]).toEqual([true, packed, true]);
  });

  test('a second pass, and a change in place', () => {
    const x = scores();
    const y = x.mul(2);
    const loss = F.crossEntropy(y, target);
    loss.backward(null, { retainGraph: true });
    const first = x.grad!.clone();
    loss.backward(null, { retainGraph: true });
    expect(torch.allclose(x.grad!, first.mul(2))).toBe(true);
    torch.noGrad(() => y.add_(1));
    expect(() => loss.backward()).toThrow('has been modified by an inplace operation');
  });

  test('a large one frees what it kept', () => {
    const x = torch.randn(600, 500).requiresGrad_();
    const classes = torch.randint(0, 500, [600]);
    const loss = F.crossEntropy(x.mul(1), classes);
    loss.backward(null, { retainGraph: true });
    const first = x.grad!.clone();
    x.grad = null;
    loss.backward();
    expect(x.grad!.equal(first)).toBe(true);
    expect(() => loss.backward()).toThrow('Trying to backward through the graph a second time');
  });
});

test('the meta device', () => {
  const x = torch.empty(5, 7, 3, { device: 'meta' }).requiresGrad_();
  const target = torch.empty(5, 3, { ...i64, device: 'meta' });
  const loss = F.crossEntropy(x, target, { reduction: 'none' });
  expect([loss.shape, loss.device.type]).toEqual([[5, 3], 'meta']);
  loss.sum().backward();
  expect([x.grad!.shape, x.grad!.device.type]).toEqual([[5, 7, 3], 'meta']);
});
