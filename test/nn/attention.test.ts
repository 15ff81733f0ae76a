// Attention by tiles against the definition, written out in float64, and against its own numerical derivatives.
import torch, { autograd, type DType, F, nn, type Tensor } from 'flambeau';
import { output, runCode } from '../native/process';
import { thrown } from './module_support';

interface Masks {
  mask?: Tensor | null;
  causal?: boolean;
}

/** softmax(q k^T / sqrt(E) + mask) v as a whole, heads of k and v repeated; an empty row gives zeros. */
function defined(q: Tensor, k: Tensor, v: Tensor, { mask = null, causal = false }: Masks): Tensor {
  const group = q.size(1) / k.size(1);
  const spread = (x: Tensor): Tensor => x.repeatInterleave(group, 1);
  let scores = q.matmul(spread(k).transpose(-2, -1)).div(Math.sqrt(Math.max(1, q.size(-1))));
  if (mask !== null) {
    scores = mask.dtype === torch.bool ? torch.where(mask, scores, -Infinity) : scores.add(mask.to(scores.dtype));
  }
  if (causal) scores = torch.where(torch.ones(q.size(2), k.size(2)).tril().to(torch.bool), scores, -Infinity);
  const open = scores.detach().ne(-Infinity).any(-1, true);
  const weights = torch.where(open, torch.softmax(torch.where(open, scores, 0), -1), 0);
  return weights.matmul(spread(v));
}

/** [B, H, L, S, E, Ev], the number of heads of key and value, and how the operands lie in memory. */
type Case = [size: [number, number, number, number, number, number], keyHeads: number, layout: number, mask: string];
const cases: Case[] = [
  [[1, 1, 1, 1, 1, 1], 1, 0, 'none'],
  [[2, 3, 5, 7, 8, 8], 3, 0, 'none'],
  [[2, 2, 13, 33, 16, 24], 2, 1, 'none'],
  [[1, 2, 97, 193, 33, 17], 2, 2, 'none'],
  [[1, 1, 150, 400, 64, 64], 1, 0, 'none'],
  [[1, 1, 20, 40, 300, 130], 1, 0, 'none'],
  [[2, 1, 4, 6, 0, 3], 1, 0, 'none'],
  [[1, 2, 130, 130, 16, 16], 2, 1, 'causal'],
  [[1, 2, 200, 97, 8, 8], 1, 0, 'causal'],
  [[1, 2, 40, 300, 8, 8], 2, 0, 'causal'],
  [[2, 4, 31, 65, 16, 16], 2, 1, 'bool'],
  [[2, 2, 31, 65, 16, 16], 2, 0, 'padding'],
  [[2, 6, 14, 200, 16, 12], 2, 0, 'added'],
  [[2, 2, 14, 200, 16, 12], 2, 2, 'turned'],
  [[1, 2, 14, 20, 16, 12], 2, 0, 'rows'],
  [[1, 2, 140, 140, 16, 12], 1, 0, 'causal and padding'],
];
const types: [DType, number][] = [
  [torch.float32, 3e-5],
  [torch.float64, 1e-12],
  [torch.float16, 4e-3],
  [torch.bfloat16, 3e-2],
];

function operand(layout: number, [b, h, rows, width]: [number, number, number, number], dtype: DType): Tensor {
  if (layout === 0) return torch.randn(b, h, rows, width, { dtype });
  if (layout === 1) return torch.randn(b, rows, h, width, { dtype }).transpose(1, 2);
  return torch
    .randn(rows, b, 2 * h, width, { dtype })
    .index('...', torch.slice(0, h), torch.slice(null))
    .permute(1, 2, 0, 3);
}
function masksOf(kind: string, [b, h, rows, keys]: number[], dtype: DType): Masks {
  switch (kind) {
    case 'none':
      return {};
    case 'causal':
      return { causal: true };
    case 'bool':
      return { mask: torch.rand(b!, 1, rows!, keys!).gt(0.6) };
    case 'padding':
      return { mask: torch.arange(keys!).lt(torch.tensor([keys! - 5, 3]).view(2, 1, 1, 1)) };
    case 'rows':
      return { mask: torch.arange(rows!).remainder(3).ne(0).view(rows!, 1) };
    case 'added':
      return { mask: torch.randn(h!, rows!, keys!).to(dtype) };
    case 'turned':
      return { mask: torch.randn(keys!, rows!).t() };
    default:
      return { causal: true, mask: torch.rand(b!, 1, 1, keys!).gt(0.3) };
  }
}
/** The largest difference, as a part of the largest value expected. */
function error(found: Tensor, expected: Tensor): number {
  expect([...found.shape]).toEqual([...expected.shape]);
  if (found.numel() === 0) return 0;
  const largest = Math.max(1, Number(expected.abs().max().item()));
  return Number(found.detach().to(torch.float64).sub(expected.detach()).abs().max().item()) / largest;
}

describe.each(types)('%s', (dtype, tolerance) => {
  test.each(cases)('%j, %d key heads, layout %d, mask %s', (size, keyHeads, layout, kind) => {
    torch.manualSeed(3);
    const [b, h, rows, keys, width, valueWidth] = size;
    const given = [
      operand(layout, [b, h, rows, width], dtype),
      operand(layout, [b, keyHeads, keys, width], dtype),
      operand(layout, [b, keyHeads, keys, valueWidth], dtype),
    ];
    const masks = masksOf(kind, size, dtype);
    const own = given.map((t) => t.detach().requiresGrad_());
    const wide = given.map((t) => t.detach().to(torch.float64).requiresGrad_());
    const options = { attnMask: masks.mask ?? null, isCausal: masks.causal ?? false, enableGqa: keyHeads !== h };
    const y = F.scaledDotProductAttention(own[0]!, own[1]!, own[2]!, options);
    const expected = defined(wide[0]!, wide[1]!, wide[2]!, masks);
    expect(y.dtype).toBe(dtype);
    expect(error(y, expected)).toBeLessThan(tolerance);
    const withoutGraph = torch.noGrad(() => F.scaledDotProductAttention(given[0]!, given[1]!, given[2]!, options));
    expect(torch.equal(withoutGraph, y.detach())).toBe(true);
    const g = torch.randn([...y.shape]).to(dtype);
    y.backward(g);
    expected.backward(g.to(torch.float64));
    own.forEach((t, i) => {
      expect(t.grad!.dtype).toBe(dtype);
      expect(error(t.grad!, wide[i]!.grad!)).toBeLessThan(tolerance);
    });
  });
});

describe('derivatives', () => {
  const f64 = { dtype: torch.float64 };
  const inputs = (h: number, keyHeads: number): Tensor[] =>
    [
      [1, h, 5, 3],
      [1, keyHeads, 4, 3],
      [1, keyHeads, 4, 2],
    ].map((shape) => torch.randn(shape, { ...f64, requiresGrad: true }));
  const forms: [string, number, number, Record<string, unknown>][] = [
    ['plain', 2, 2, {}],
    ['causal', 1, 1, { isCausal: true }],
    ['scaled', 1, 1, { scale: 0.7 }],
    ['bool mask with an empty row', 2, 2, { attnMask: torch.ones(5, 4).tril(-1).to(torch.bool) }],
    ['added mask', 1, 1, { attnMask: torch.ones(5, 4, f64).tril() }],
    ['shared heads', 4, 2, { enableGqa: true }],
    ['dropout', 2, 2, { dropoutP: 0.4 }],
    ['dropout, shared heads', 2, 1, { dropoutP: 0.4, enableGqa: true }],
  ];
  test.each(forms)('first and second: %s', (_name, h, keyHeads, options) => {
    torch.manualSeed(5);
    const given = inputs(h, keyHeads);
    const call = (...[q, k, v]: Tensor[]): Tensor => {
      torch.manualSeed(11);
      return F.scaledDotProductAttention(q!, k!, v!, options);
    };
    expect(autograd.gradcheck(call, given)).toBe(true);
    expect(autograd.gradgradcheck(call, given)).toBe(true);
  });
  test('a mask that wants a gradient gets one', () => {
    torch.manualSeed(6);
    const [q, k, v] = inputs(2, 2);
    const mask = torch.randn(5, 4, { ...f64, requiresGrad: true });
    const call = (m: Tensor): Tensor => F.scaledDotProductAttention(q!, k!, v!, { attnMask: m });
    expect(autograd.gradcheck(call, [mask])).toBe(true);
    const half = [q!, k!, v!].map((t) => t.detach().to(torch.bfloat16));
    const narrow = mask.detach().to(torch.bfloat16).requiresGrad_();
    F.scaledDotProductAttention(half[0]!, half[1]!, half[2]!, { attnMask: narrow }).sum().backward();
    expect(narrow.grad!.dtype).toBe(torch.bfloat16);
  });
  test('second derivatives of half types', () => {
    torch.manualSeed(7);
    const x = torch.randn(1, 1, 3, 4, { dtype: torch.bfloat16, requiresGrad: true });
    const y = F.scaledDotProductAttention(x, x, x);
    const [g] = autograd.grad(y.sum(), x, { createGraph: true });
    g!.pow(2).sum().backward();
    expect(x.grad!.dtype).toBe(torch.bfloat16);
    expect(x.grad!.isfinite().all().item()).toBe(true);
  });
  test('the node has its name in PyTorch', () => {
    const x = torch.randn(1, 1, 3, 4, { requiresGrad: true });
    expect(F.scaledDotProductAttention(x, x, x).gradFn!.name()).toBe('ScaledDotProductFlashAttentionForCpuBackward0');
  });
});

describe('leading dimensions', () => {
  const shapes: [number[], number[], number[], number[]][] = [
    [
      [4, 3],
      [5, 3],
      [5, 2],
      [4, 2],
    ],
    [
      [2, 4, 3],
      [2, 5, 3],
      [2, 5, 2],
      [2, 4, 2],
    ],
    [
      [2, 1, 4, 3],
      [1, 3, 5, 3],
      [5, 2],
      [2, 3, 4, 2],
    ],
    [
      [2, 2, 2, 4, 3],
      [2, 1, 2, 5, 3],
      [2, 2, 2, 5, 2],
      [2, 2, 2, 4, 2],
    ],
  ];
  test.each(shapes)('%j and %j and %j', (q, k, v, expected) => {
    torch.manualSeed(8);
    const given = [q, k, v].map((shape) => torch.randn(shape, { dtype: torch.float64, requiresGrad: true }));
    const y = F.scaledDotProductAttention(given[0]!, given[1]!, given[2]!);
    expect([...y.shape]).toEqual(expected);
    const weights = given[0]!.matmul(given[1]!.transpose(-2, -1)).div(Math.sqrt(3)).softmax(-1);
    expect(torch.allclose(y, weights.matmul(given[2]!), { rtol: 1e-12, atol: 1e-12 })).toBe(true);
    const call = (...t: Tensor[]): Tensor => F.scaledDotProductAttention(t[0]!, t[1]!, t[2]!);
    expect(autograd.gradcheck(call, given)).toBe(true);
  });
  test('masks of every number of dimensions', () => {
    const x = torch.randn(2, 3, 2, 4, 3, { dtype: torch.float64 });
    for (const shape of [[4], [4, 4], [2, 1, 4], [3, 1, 4, 4], [2, 1, 1, 4, 4], [1, 1, 1, 1, 4]]) {
      const attnMask = torch.rand(shape).gt(0.4);
      const found = F.scaledDotProductAttention(x, x, x, { attnMask });
      const expected = F.scaledDotProductAttention(x, x, x, { attnMask: attnMask.expand([2, 3, 2, 4, 4]) });
      expect(torch.allclose(found, expected)).toBe(true);
    }
  });
  test('key and value with different numbers of heads', () => {
    const [q, k, v] = [6, 3, 2].map((h) => torch.randn(1, h, 4, 3, { dtype: torch.float64 }));
    const found = F.scaledDotProductAttention(q!, k!, v!, { enableGqa: true });
    const whole = F.scaledDotProductAttention(q!, k!.repeatInterleave(2, 1), v!.repeatInterleave(3, 1));
    expect(torch.allclose(found, whole)).toBe(true);
  });
});

test('rows and sequences without anything to attend to give zeros', () => {
  const [q, k] = [torch.randn(1, 2, 4, 3), torch.randn(1, 2, 5, 3)];
  const none = torch.zeros(4, 5).to(torch.bool);
  const y = F.scaledDotProductAttention(q, k, k, { attnMask: none });
  expect(y.eq(0).all().item()).toBe(true);
  const added = torch.zeros(4, 5);
  added.index(1).fill_(-Infinity);
  const x = q.clone().requiresGrad_();
  const z = F.scaledDotProductAttention(x, k, k, { attnMask: added });
  z.sum().backward();
  expect(z.index('...', 1, torch.slice(null)).eq(0).all().item()).toBe(true);
  expect(x.grad!.isfinite().all().item()).toBe(true);
  const empty = torch.randn(1, 2, 0, 3, { requiresGrad: true });
  expect(F.scaledDotProductAttention(q, empty, empty).eq(0).all().item()).toBe(true);
  const nothing = F.scaledDotProductAttention(empty, k, k);
  expect([...nothing.shape]).toEqual([1, 2, 0, 3]);
  nothing.sum().backward();
  expect([...empty.grad!.shape]).toEqual([1, 2, 0, 3]);
  expect(
    F.scaledDotProductAttention(q, k, k, { attnMask: torch.full([4, 5], NaN) })
      .isnan()
      .all()
      .item(),
  ).toBe(true);
});

describe('dropout', () => {
  test('drops the share asked for and keeps the mean; the seed decides', () => {
    torch.manualSeed(1);
    // All weights are 1 / 500, so an element of the result is the share that was kept over (1 - p).
    const [q, k] = [torch.zeros(2, 4, 50, 8), torch.zeros(2, 4, 500, 8)];
    const run = (p: number): Tensor => F.scaledDotProductAttention(q, k, torch.ones(2, 4, 500, 1), { dropoutP: p });
    const y = run(0.3);
    expect(Math.abs(Number(y.mean().item()) - 1)).toBeLessThan(0.005);
    // Rows differ, as sums of 500 independent draws do: standard deviation sqrt(0.3 / 0.7 / 500).
    expect(Math.abs(Number(y.std().item()) / Math.sqrt(0.3 / 0.7 / 500) - 1)).toBeLessThan(0.1);
    expect(torch.equal(run(0.3), y)).toBe(false);
    torch.manualSeed(1);
    expect(torch.equal(run(0.3), y)).toBe(true);
    expect(run(1).eq(0).all().item()).toBe(true);
  });
  test('p out of range', () => {
    const x = torch.zeros(1, 1, 1, 1);
    expect(thrown(() => F.scaledDotProductAttention(x, x, x, { dropoutP: 1.5 }))?.message).toBe(
      'dropout probability has to be between 0 and 1, but got 1.5',
    );
  });
});

test('what cannot be refused in words of the operation', () => {
  const at = (...shape: number[]): Tensor => torch.zeros(shape);
  const refused: [() => unknown, string][] = [
    [
      () => F.scaledDotProductAttention(at(1, 2, 4, 8), at(1, 2, 5, 7), at(1, 2, 5, 8)),
      'Expected size for first two dimensions of batch2 tensor to be: [2, 8] but got: [2, 7].',
    ],
    [
      () => F.scaledDotProductAttention(at(1, 2, 4, 8), at(1, 2, 5, 8), at(1, 2, 6, 8)),
      'Expected size for first two dimensions of batch2 tensor to be: [2, 5] but got: [2, 6].',
    ],
    [
      () => F.scaledDotProductAttention(at(1, 2, 4, 8), at(1, 3, 5, 8), at(1, 3, 5, 8)),
      'The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1',
    ],
    [
      () => F.scaledDotProductAttention(at(1, 6, 4, 8), at(1, 4, 5, 8), at(1, 4, 5, 8), { enableGqa: true }),
      'Number of heads in key and value must divide the number of heads in query',
    ],
    [
      () => F.scaledDotProductAttention(at(2, 4, 8), at(2, 4, 8), at(2, 4, 8), { attnMask: at(3, 2, 4, 4) }),
      "output with shape [2, 4, 4] doesn't match the broadcast shape [3, 2, 4, 4]",
    ],
    [
      () => F.scaledDotProductAttention(at(1, 1).to(torch.int32), at(1, 1).to(torch.int32), at(1, 1).to(torch.int32)),
      'expected scalar type Float but found Int',
    ],
  ];
  for (const [call, message] of refused) expect(thrown(call)).toEqual({ type: 'RuntimeError', message });
});

describe('memory', () => {
  /** The most bytes held between two points: the allocator keeps what was freed. */
  const held = (length: number, options: string): number =>
    Number(
      output(`
        const t = torch();
        const [q, k, v] = [0, 1, 2].map(() => t.randn(1, 2, ${length}, 16, { requiresGrad: true }));
        const before = t.memoryStats().bytes;
        t.nn.functional.scaledDotProductAttention(q, k, v, ${options}).sum().backward();
        const { bytes, cachedBytes } = t.memoryStats();
        console.log(bytes + cachedBytes - before);
      `),
    );
  test.each(['{}', '{ isCausal: true }', '{ dropoutP: 0.1 }', '{ attnMask: t.ones(k.size(2)).to(t.bool) }'])(
    'grows with the length, not with its square: %s',
    (options) => {
      const [short, long] = [held(2048, options), held(8192, options)];
      expect(long).toBeLessThan(5 * short);
      expect(long).toBeLessThan((8192 * 8192 * 4) / 8);
    },
  );
});

test('every instruction set gives the same, on one thread and on several', () => {
  const code = `
    const t = torch(); const F = t.nn.functional;
    t.manualSeed(1);
    const sums = [];
    for (const [h, kh, rows, keys, e, ev] of [[4, 4, 130, 200, 32, 40], [4, 2, 13, 400, 65, 8], [1, 1, 300, 300, 16, 16]]) {
      for (const dtype of [t.float32, t.float64]) {
        for (const isCausal of [false, true]) {
          const q = t.randn(1, h, rows, e, { dtype, requiresGrad: true }), k = t.randn(1, kh, keys, e, { dtype, requiresGrad: true });
          const v = t.randn(1, kh, keys, ev, { dtype, requiresGrad: true });
          t.manualSeed(2);
          const y = F.scaledDotProductAttention(q, k, v, { isCausal, dropoutP: 0.2, enableGqa: h !== kh });
          y.mul(t.sin(t.arange(y.numel()).reshape(y.shape)).to(dtype)).sum().backward();
          for (const x of [y, q.grad, k.grad, v.grad]) sums.push(...x.detach().flatten().to(t.float64).tolist().filter((_, i) => i % 37 === 0));
        }
      }
    }
    console.log(JSON.stringify(sums));
  `;
  const run = (set: string, threads: string): number[] =>
    JSON.parse(output(code, { FLAMBEAU_ISA: set, FLAMBEAU_NUM_THREADS: threads }));
  const expected = run('scalar', '1');
  for (const set of ['scalar', 'avx2', 'avx512', 'neon']) {
    if (runCode('addon()', { FLAMBEAU_ISA: set }).status !== 0) continue;
    for (const threads of ['1', '3', '6']) {
      const found = run(set, threads);
      expect(found).toHaveLength(expected.length);
      const off = found.findIndex((x, i) => !(Math.abs(x - expected[i]!) <= 2e-4));
      expect([set, threads, off]).toEqual([set, threads, -1]);
    }
  }
});

describe('MultiheadAttention without weights', () => {
  test.each([false, true])('gives what it gives with them, batch first: %s', (batchFirst) => {
    torch.manualSeed(4);
    const layer = new nn.MultiheadAttention(8, 2, { batchFirst, dtype: torch.float64 });
    const x = torch.randn(3, 5, 8, { dtype: torch.float64 });
    const [batch, length] = batchFirst ? [3, 5] : [5, 3];
    const keyPaddingMask = torch.zeros(batch, length).to(torch.bool);
    keyPaddingMask.index(1).index(-1).fill_(true);
    const attnMask = torch.ones(length, length).triu(1).to(torch.bool);
    const each = torch.randn(batch * 2, length, length, { dtype: torch.float64 });
    for (const options of [
      {},
      { keyPaddingMask },
      { attnMask },
      { attnMask, keyPaddingMask },
      { attnMask, keyPaddingMask, isCausal: true },
      { attnMask: each },
    ]) {
      const whole = layer(x, x, x, options)[0];
      const tiled = layer(x, x, x, { ...options, needWeights: false });
      expect(tiled[1]).toBeNull();
      expect(torch.allclose(tiled[0], whole)).toBe(true);
      expect(
        torch.allclose(
          autograd.grad(tiled[0].sum(), layer.in_proj_weight!)[0]!,
          autograd.grad(whole.sum(), layer.in_proj_weight!)[0]!,
        ),
      ).toBe(true);
    }
  });
});
