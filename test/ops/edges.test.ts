// Where definitions have edges: ties, zeros, nothing at all, ends that a type cannot hold. What is expected, PyTorch 2.13 gives.
import torch, { F, type Tensor } from 'flambeau';

const { complex64, float16, bfloat16, int32, int64 } = torch;
/** A complex vector or matrix, its elements as pairs. */
const complex = (pairs: unknown): Tensor => torch.viewAsComplex(torch.tensor(pairs as number[][]));
const pairs = (t: Tensor | null): unknown => torch.viewAsReal(t!.resolveConj()).tolist();
const values = (gradients: readonly (Tensor | null)[]): unknown[] => gradients.map((g) => g?.tolist() ?? null);
const close = (found: unknown, expected: unknown): void => {
  const [a, b] = [found, expected].map((v) => (v as unknown[]).flat(4) as number[]);
  expect(a!.length).toBe(b!.length);
  a!.forEach((v, i) => void expect(v).toBeCloseTo(b![i]!, 5));
};

describe('norms', () => {
  test.each([
    [0.5, [0, 2.4142136573791504, 1.7071068286895752]],
    [1.5, [0, 0.6392339468002319, 0.9040132761001587]],
    [3, [0, 0.23112042248249054, 0.9244816899299622]],
    [-1, [0, 0, 0]],
  ])('of order %p have a slope of zero at zeros', (p, slopes) => {
    const slope = (v: readonly number[]): unknown => {
      const x = torch.tensor(v as number[], { requiresGrad: true });
      return torch.autograd.grad(torch.linalg.vectorNorm(x, p), [x])[0]!.tolist();
    };
    expect(slope([0, 0, 0])).toEqual([0, 0, 0]);
    close(slope([0, 1, 2]), slopes);
  });

  test('of order zero have no gradient, but distances that count have one of zeros', () => {
    const x = torch.tensor(
      [
        [1, 2],
        [0, 2],
      ],
      { dtype: torch.float32, requiresGrad: true },
    );
    for (const y of [torch.linalg.vectorNorm(x, 0), torch.norm(x, 0), torch.dist(x, x.detach(), 0)])
      expect(torch.autograd.grad(y, [x], { allowUnused: true })).toEqual([null]);
    for (const y of [F.pdist(x, 0).sum(), torch.cdist(x, x, 0).sum()])
      expect(values(torch.autograd.grad(y, [x]))).toEqual([
        [
          [0, 0],
          [0, 0],
        ],
      ]);
  });

  test('of float16 are summed in float32', () => {
    const x = torch.full([4], 100, { dtype: float16 });
    expect(torch.dist(x, torch.zerosLike(x), 3).item()).toBe(158.75);
  });
});

describe('limits that are tensors', () => {
  const leaf = (v: number[]): Tensor => torch.tensor(v, { dtype: torch.float32, requiresGrad: true });
  const [a, low, high] = [leaf([1, 2, 3]), leaf([1, 3, 1]), leaf([2, 2, 3])];
  test.each<[string, () => Tensor, Tensor[], number[][]]>([
    [
      'ClampBackward0',
      () => a.clamp(low, high),
      [a, low, high],
      [
        [1, 0, 1],
        [0, 0, 0],
        [0, 1, 0],
      ],
    ],
    [
      'ClampBackward0',
      () => a.clamp({ min: low }),
      [a, low],
      [
        [1, 0, 1],
        [0, 1, 0],
      ],
    ],
    [
      'ClampMinBackward1',
      () => a.clampMin(low),
      [a, low],
      [
        [1, 0, 1],
        [0, 1, 0],
      ],
    ],
    [
      'ClampMaxBackward1',
      () => a.clampMax(high),
      [a, high],
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
    ],
    ['ClampBackward1', () => a.clamp(1, 2), [a], [[1, 1, 0]]],
    ['ClampMinBackward0', () => a.clampMin(2), [a], [[0, 1, 1]]],
    ['ClampMaxBackward0', () => a.clampMax(2), [a], [[1, 1, 0]]],
  ])('leave the gradient whole to what equals them: %s', (name, f, inputs, expected) => {
    const y = f();
    expect(y.gradFn!.name()).toBe(name);
    expect(values(torch.autograd.grad(y.sum(), inputs))).toEqual(expected);
  });
});

describe('complex numbers', () => {
  test('a linear layer conjugates in its gradients', () => {
    const x = complex([
      [
        [1, 2],
        [3, -1],
      ],
    ]).requiresGrad_();
    const w = complex([
      [
        [0, 1],
        [2, 1],
      ],
      [
        [1, -1],
        [3, 0],
      ],
    ]).requiresGrad_();
    const b = complex([
      [0, 1],
      [1, 0],
    ]).requiresGrad_();
    const gradients = torch.autograd.grad(F.linear(x, w, b), [x, w, b], {
      gradOutputs: [
        complex([
          [
            [1, 1],
            [2, -1],
          ],
        ]),
      ],
    });
    expect(gradients.map(pairs)).toEqual([
      [
        [
          [4, 0],
          [9, -2],
        ],
      ],
      [
        [
          [3, -1],
          [2, 4],
        ],
        [
          [0, -5],
          [7, -1],
        ],
      ],
      [
        [1, 1],
        [2, -1],
      ],
    ]);
    const layer = (...t: Tensor[]): Tensor => F.linear(t[0]!, t[1]!, t[2]!);
    const double = [x, w, b].map((t) => t.detach().to(torch.complex128).requiresGrad_());
    expect(torch.autograd.gradcheck(layer, double)).toBe(true);
    expect(torch.autograd.gradgradcheck(layer, double)).toBe(true);
  });

  test('the logarithm of running sums stays on its branch, and keeps what is far below the largest', () => {
    const x = complex([
      [1, 3],
      [0.5, 3],
      [1.2, -3],
      [-300, 1],
    ]).requiresGrad_();
    const y = torch.logcumsumexp(x, 0);
    close(pairs(y.detach()), [
      [1, 3],
      [1.4740769863128662, 3],
      [2.029676675796509, 3.1221821308135986],
      [2.029676675796509, 3.1221821308135986],
    ]);
    const [g] = torch.autograd.grad(y, [x], { gradOutputs: [torch.onesLike(y)] });
    close(pairs(g!), [
      [2.3313796520233154, 0.087051160633564],
      [0.8075225353240967, 0.05279913172125816],
      [0.861098051071167, -0.1398502141237259],
      [0, 0],
    ]);
    expect(
      pairs(
        torch.logcumsumexp(
          complex([
            [-300, 1],
            [0, 0],
          ]),
          0,
        ),
      ),
    ).toEqual([
      [-300, 1],
      [0, 0],
    ]);
    const double = x.detach().narrow(0, 0, 3).to(torch.complex128).requiresGrad_();
    expect(torch.autograd.gradcheck((t: Tensor) => torch.logcumsumexp(t, 0), [double])).toBe(true);
  });

  test('a complex window is squared, not taken by its size', () => {
    const window = complex([
      [1, 1],
      [2, 0],
      [0, 1],
      [3, 0],
    ]);
    const spectrum = torch.arange(1, 9).reshape(4, 2).to(complex64);
    const y = torch.istft(spectrum, 4, { hopLength: 2, window, center: false, returnComplex: true, onesided: false });
    close(pairs(y), [
      [2, -2],
      [-0.5, -0.5],
      [0.6, -2.8],
      [-0.38461539, 0.07692308],
      [0, 1],
      [-0.33333334, 0.33333334],
    ]);
  });

  test('one is no filling for real elements', () => {
    expect(() => torch.ones(2, { dtype: int64 }).maskedFill(torch.tensor(true), complex([[1, 0]]).index(0))).toThrow(
      'value cannot be converted to type int64 without overflow',
    );
  });
});

describe('ranges', () => {
  test.each<[string, Tensor, number[]]>([
    ['linspace of int64', torch.linspace(4.3, -3, 5, { dtype: int64 }), [4, 2, 0, -1, -3]],
    [
      'linspace of bfloat16',
      torch.linspace(4.3, -3, 5, { dtype: bfloat16 }),
      [4.3125, 2.484375, 0.65625, -1.171875, -3],
    ],
    ['logspace of int64', torch.logspace(0, 1.2, 2, 5, { dtype: int64 }), [1, 5]],
    ['logspace of bfloat16', torch.logspace(4.3, 0, 3, { dtype: bfloat16 }), [20480, 143, 1]],
    ['arange of int64', torch.arange(0, -8.000001, -4, { dtype: int64 }), [0, -4]],
    ['arange of int32', torch.arange(0, -8.000001, -4, { dtype: int32 }), [0, -4, -8]],
    ['arange of int64 from fractions', torch.arange(1.9, 5.1, 1.5, { dtype: int64 }), [1, 2, 3, 4]],
    ['arange of int32 from fractions', torch.arange(1.9, 5.1, 1.5, { dtype: int32 }), [1, 2, 3]],
  ])('%s: begin and end at what the type can hold', (_, t, expected) => {
    expect(t.tolist()).toEqual(expected);
  });
  test('a step that is none in whole numbers is refused', () => {
    expect(() => torch.arange(0, 3, 0.5, { dtype: int32 })).toThrow('step must be nonzero');
  });
});

describe('nothing', () => {
  test.each([
    [[2, 3], [2, 3], 'int32'],
    [[2, 3], [1, 3], 'int64'],
    [[1, 3], [3], 'int64'],
    [[], [], 'int64'],
  ])('to sum leaves integers as they are: %p to %p', (from, to, type) => {
    expect(torch.ones(from, { dtype: int32 }).sumToSize(to).dtype.name).toBe(type);
  });
  test.each([
    ['iji->j', [[1, 3, 1]], 'int64'],
    ['ij->i', [[1, 1]], 'int64'],
    [
      'ij,jk->',
      [
        [1, 1],
        [1, 1],
      ],
      'int32',
    ],
  ] as const)('more than one element to sum over: einsum %s', (equation, shapes, type) => {
    const operands = shapes.map((shape) => torch.ones([...shape], { dtype: int32 }));
    expect(torch.einsum(equation, ...operands).dtype.name).toBe(type);
  });
  test('to subtract leaves the input alone', () => {
    const x = torch.tensor([[1, 2, 3]]);
    expect(torch.diff(x, 0, 1, torch.ones(1, 1)).tolist()).toEqual([[1, 2, 3]]);
  });
  test('to gather needs no index type', () => {
    expect(torch.gather(torch.ones(5), 0, torch.zeros(0, { dtype: torch.uint8 })).shape).toEqual([0]);
    expect(() => torch.gather(torch.ones(5), 0, torch.zeros(1, { dtype: torch.uint8 }))).toThrow('int32/int64');
  });
  test('to normalise gives a bias its gradient', () => {
    const b = torch.ones(1, { requiresGrad: true });
    const y = F.layerNorm(torch.ones(0, 1, { requiresGrad: true }), [1], null, b);
    expect(values(torch.autograd.grad(y.sum(), [b]))).toEqual([[0]]);
  });
  test.each(['float32', 'float64', 'float16', 'bfloat16', 'int64', 'complex64'] as const)('to multiply: %s', (type) => {
    const dtype = torch[type];
    const product = torch.mm(torch.ones(5, 0, { dtype }), torch.ones(0, 7, { dtype }));
    expect([product.shape, product.equal(torch.zeros(5, 7, { dtype }))]).toEqual([[5, 7], true]);
    expect(torch.mm(torch.ones(0, 5, { dtype }), torch.ones(5, 7, { dtype })).shape).toEqual([0, 7]);
    expect(
      torch
        .bmm(torch.ones(3, 40, 0, { dtype }), torch.ones(3, 0, 33, { dtype }))
        .eq(0)
        .all()
        .item(),
    ).toBe(true);
    const bias = torch.full([7], 2, { dtype });
    expect(
      torch
        .addmm(bias, torch.ones(5, 0, { dtype }), torch.ones(0, 7, { dtype }))
        .eq(2)
        .all()
        .item(),
    ).toBe(true);
  });
  test.each(['maxPool', 'avgPool'] as const)('no channel is pooled: %s', (name) => {
    const pool = (nd: 1 | 2 | 3, ...shape: number[]) => F[`${name}${nd}d`](torch.ones(shape), 2);
    for (const shape of [
      [0, 10],
      [2, 0, 10],
      [3, 2, 0],
    ])
      expect(() => pool(1, ...shape)).toThrow(
        `Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:[${shape.join(', ')}]`,
      );
    for (const shape of [
      [0, 4, 4],
      [1, 0, 4, 4],
      [1, 3, 2, 0],
    ])
      expect(() => pool(2, ...shape)).toThrow('Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size');
    for (const [shape, d] of [
      [[0, 4, 4, 4], 0],
      [[1, 2, 3, 4, 0], 3],
    ] as const)
      expect(() => pool(3, ...shape)).toThrow(`non-batch dimension ${d} has length zero!`);
    expect([pool(1, 0, 2, 10).shape, pool(2, 0, 2, 4, 4).shape]).toEqual([
      [0, 2, 5],
      [0, 2, 2, 2],
    ]);
  });
});

test('circular padding repeats only what is not cut off', () => {
  const x = torch.arange(6, { dtype: torch.float32 }).reshape(1, 1, 6);
  expect(F.pad(x, [-1, 2], 'circular').tolist()).toEqual([[[1, 2, 3, 4, 5, 1, 2]]]);
  expect(F.pad(x, [2, -2], 'circular').tolist()).toEqual([[[2, 3, 0, 1, 2, 3]]]);
  expect(() => F.pad(x, [-4, 3], 'circular')).toThrow('wrapping around more than once');
});

test('settings that are floats make floats of integers, whole as they may be', () => {
  const i = torch.tensor([1, 2, 3], { dtype: int64 });
  const target = torch.tensor([1, -1, 1], { dtype: int64 });
  expect(F.marginRankingLoss(i, i.add(1), target, { margin: 1 }).item()).toBeCloseTo(4 / 3, 6);
  expect(F.pairwiseDistance(i, i, { eps: 1 }).item()).toBeCloseTo(Math.sqrt(3), 6);
});

test('batch statistics come without running ones', () => {
  const x = torch.tensor(
    [
      [1, 2],
      [3, 6],
    ],
    { dtype: torch.float32 },
  );
  const all = torch._native_batch_norm_legit(x, null, null, true, 0.1, 0);
  expect(all.map((t) => t.tolist())).toEqual([
    [
      [-1, -1],
      [1, 1],
    ],
    [2, 4],
    [1, 0.5],
  ]);
});

describe('the numbers that fractional pooling draws its windows from', () => {
  const pool = (...shape: number[]): Tensor =>
    F.fractionalMaxPool2d(torch.rand(2, 2, 6, 6), 2, { outputSize: 3, RandomSamples: torch.full(shape, 0.5) });
  test.each([
    [[1, 2, 2], 'Expect _random_samples.size(0) no less then input batch size.'],
    [[2, 3, 2], 'Expect _random_samples.size(1) equals to input channel size.'],
    [[2, 2, 3], 'Expect _random_samples.size(2) equals to 2; got 3.'],
    [[2, 2], 'Expect _random_samples to have 3 dimensions, got 2'],
  ])('are enough: %p', (shape, message) => {
    expect(() => pool(...shape)).toThrow(message);
  });
  test('may be more than that', () => expect(pool(3, 2, 2).shape).toEqual([2, 2, 3, 3]));
});
