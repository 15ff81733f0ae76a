// Random ops: PyTorch's values for a seed, generators and their states, distributions, and what is refused.
import * as torch from 'flambeau';

/** What PyTorch 2.13 draws after torch.manual_seed(42), in this order. */
const DRAWS: [name: string, draw: () => torch.Tensor, values: (number | bigint)[]][] = [
  ['rand', () => torch.rand(5), [0.882269263, 0.915003955, 0.38286376, 0.959305644, 0.390448213]],
  ['randn', () => torch.randn(5), [0.325751871, -0.867628157, 1.52313387, 0.664664865, -1.0324477]],
  [
    'randn of 16 and more',
    () => torch.randn(17),
    [
      -0.159597471, -0.223365918, 1.71736145, 0.31888032, -0.424518973, 0.305720925, -0.774592519, 0.0349123441,
      0.321103007, -0.879785836, -0.601142049, -1.27415121, 2.12278509, -1.23465312, -0.487913877, -1.41805995,
      0.896268308,
    ],
  ],
  ['randn in double', () => torch.randn([3], { dtype: torch.float64 }), [-0.27703322, 2.24398659, 0.581668692]],
  ['randint', () => torch.randint(-5, 100, [6]), [-4, -1, 50, 84, 33, 58]],
  ['randint of a wide range', () => torch.randint(0, 2 ** 40, [3]), [217670263430, 87834225480, 713021543697]],
  ['randperm', () => torch.randperm(10), [3, 2, 5, 0, 9, 4, 6, 8, 7, 1]],
  [
    'uniform_',
    () => torch.empty(2, 3).uniform_(-1, 1),
    [-0.782363772, -0.67268908, 0.405040145, 0.358075857, 0.830924392, -0.516425371],
  ],
  [
    'normal_ of a transposed tensor',
    () => torch.empty(3, 2).t().normal_(2, 0.5),
    [1.92874825, 3.00188875, 2.26661086, 2.48632693, 2.3310957, 3.37443662],
  ],
  [
    'randn of complex numbers',
    () => torch.viewAsReal(torch.randn(2, { dtype: torch.complex64 })),
    [-0.271584183, -1.38752604, -0.21849449, -0.301807553],
  ],
  [
    'randn in bfloat16',
    () => torch.randn(4, { dtype: torch.bfloat16 }),
    [0.451171875, -0.0022277832, -0.198242188, 1.7734375],
  ],
  [
    'random_',
    () => torch.empty(3, { dtype: torch.int64 }).random_(),
    [4192428348791583535n, 6023614040140902855n, 1299461997131984598n],
  ],
  ['normal', () => torch.normal(torch.tensor([1, 2]), torch.tensor([3, 4])), [-0.680417776, -1.99060583]],
  ['rand at the end', () => torch.rand(2), [0.200665712, 0.501385629]],
];

test('draws what PyTorch draws', () => {
  torch.manualSeed(42);
  for (const [name, draw, want] of DRAWS) {
    const got = draw().flatten().tolist() as (number | bigint)[];
    expect([name, got.length]).toEqual([name, want.length]);
    got.forEach((v, i) => {
      if (typeof want[i] === 'bigint') expect(v).toBe(want[i]);
      else expect(Math.abs(Number(v) - Number(want[i]))).toBeLessThanOrEqual(2e-6 * (1 + Math.abs(Number(want[i]))));
    });
  }
});

describe('seeds', () => {
  test('have 64 bits; negative ones count from 2^64', () => {
    torch.manualSeed(-1);
    expect(torch.initialSeed()).toBe(2n ** 64n - 1n);
    const value = torch.rand(1).item();
    expect(value).toBeCloseTo(0.9937993884086609, 6);
    torch.manualSeed(2n ** 64n - 1n);
    expect(torch.rand(1).item()).toBe(value);
    expect(torch.manualSeed(7)).toBe(torch.defaultGenerator);
    expect(torch.initialSeed()).toBe(7);
  });

  test('come from the system on request', () => {
    const seeds = [torch.seed(), torch.seed()];
    expect(seeds[0]).not.toBe(seeds[1]);
    expect(torch.initialSeed()).toBe(seeds[1]);
  });

  test('must be integers', () => {
    expect(() => torch.manualSeed(0.5)).toThrow(TypeError);
    expect(() => torch.manualSeed('1' as never)).toThrow("argument 'seed' must be an integer, not string");
    expect(() => torch.manualSeed(2n ** 64n)).toThrow('does not fit 64 bits');
  });
});

describe('generators', () => {
  test('have streams of their own', () => {
    torch.manualSeed(1);
    const before = torch.getRngState();
    const [a, b] = [new torch.Generator().manualSeed(9), new torch.Generator().manualSeed(9)];
    expect(torch.randn(20, { generator: a }).equal(torch.randn(20, { generator: b }))).toBe(true);
    expect(torch.randperm(9, { generator: a }).equal(torch.randperm(9, { generator: b }))).toBe(true);
    expect(torch.empty(3).exponential_({ generator: a }).equal(torch.empty(3).exponential_(1, b))).toBe(true);
    expect(torch.getRngState().equal(before)).toBe(true);
    expect(String(a.device)).toBe('cpu');
  });

  test('continue from a saved state, also in the middle of a pair of normal values', () => {
    torch.manualSeed(3);
    torch.randn(3, { dtype: torch.float64 });
    const state = torch.getRngState();
    const next = torch.randn(5, { dtype: torch.float64 });
    torch.setRngState(state);
    expect(torch.randn(5, { dtype: torch.float64 }).equal(next)).toBe(true);
    expect([state.dtype, [...state.shape]]).toEqual([torch.uint8, [5056]]);
    expect(new torch.Generator().setState(state).cloneState().getState().equal(state)).toBe(true);
  });

  test('refuse states that are none, and keep theirs', () => {
    const g = new torch.Generator().manualSeed(5);
    const state = g.getState();
    expect(() => g.setState(torch.zeros(5056, { dtype: torch.uint8 }))).toThrow('RNG state is wrong size or invalid');
    expect(() => g.setState(torch.zeros(10, { dtype: torch.uint8 }))).toThrow(torch.RuntimeError);
    expect(() => g.setState(torch.zeros(5056))).toThrow('RNG state must be a torch.ByteTensor');
    expect(() => g.setState(null as never)).toThrow(TypeError);
    expect(g.getState().equal(state)).toBe(true);
    expect(() => torch.rand(2, { generator: {} })).toThrow(
      "rand(): argument 'generator' must be a torch.Generator, not Object",
    );
    expect(() => new torch.Generator('cuda')).toThrow('Device type cuda is not supported');
  });
});

describe('distributions', () => {
  const n = 40000;
  const moments = (t: torch.Tensor): [number, number] => {
    const x = t.double();
    const mean = Number(x.mean().item());
    return [mean, Number(x.sub(mean).pow(2).mean().item())];
  };
  test.each([
    ['rand', () => torch.rand(n), 0.5, 1 / 12],
    ['randn', () => torch.randn(n), 0, 1],
    ['randint', () => torch.randint(10, [n]), 4.5, 8.25],
    ['normal_', () => torch.empty(n).normal_(3, 2), 3, 4],
    ['exponential_', () => torch.empty(n).exponential_(2), 0.5, 0.25],
    ['geometric_', () => torch.empty(n).geometric_(0.25), 4, 12],
    ['logNormal_', () => torch.empty(n).logNormal_(0, 0.5), Math.exp(0.125), (Math.exp(0.25) - 1) * Math.exp(0.25)],
    ['bernoulli_', () => torch.empty(n).bernoulli_(0.3), 0.3, 0.21],
    ['bernoulli', () => torch.bernoulli(torch.full([n], 0.7)), 0.7, 0.21],
    ['poisson, small rates', () => torch.poisson(torch.full([n], 2.5)), 2.5, 2.5],
    ['poisson, large rates', () => torch.poisson(torch.full([n], 30.5)), 30.5, 30.5],
    [
      'binomial by gaps',
      () => torch.binomial(torch.full([n], 20.0, { dtype: torch.float32 }), torch.full([n], 0.1)),
      2,
      1.8,
    ],
    [
      'binomial by rejection',
      () => torch.binomial(torch.full([n], 100.0, { dtype: torch.float32 }), torch.full([n], 0.7)),
      70,
      21,
    ],
    ['multinomial', () => torch.multinomial(torch.tensor([1, 2, 0, 1]), n, true), 1.25, 1.1875],
  ] as [string, () => torch.Tensor, number, number][])('%s has its mean and variance', (_, draw, mean, variance) => {
    torch.manualSeed(11);
    const [m, v] = moments(draw());
    const error = 6 * Math.sqrt(variance / n);
    expect(Math.abs(m - mean)).toBeLessThan(error);
    expect(Math.abs(v / variance - 1)).toBeLessThan(0.1);
  });

  test('cauchy_ has its median and quartiles', () => {
    torch.manualSeed(12);
    const q = torch
      .empty(n, { dtype: torch.float64 })
      .cauchy_(1, 2)
      .quantile(torch.tensor([0.25, 0.5, 0.75], { dtype: torch.float64 }));
    (q.tolist() as number[]).forEach((v, i) => {
      expect(Math.abs(v - [-1, 1, 3][i]!)).toBeLessThan(0.15);
    });
  });

  test('multinomial draws without replacement, and never what has no weight', () => {
    torch.manualSeed(13);
    const p = torch.tensor([
      [1, 0, 2, 3],
      [0, 1, 1, 1],
    ]);
    const drawn = torch.multinomial(p, 3);
    expect(drawn.sort(1).values.tolist()).toEqual([
      [0, 2, 3],
      [1, 2, 3],
    ]);
    expect(torch.multinomial(p, 1000, true).index(1).min().item()).toBe(1);
    expect([...torch.multinomial(p.index(0), 1).shape]).toEqual([1]);
  });

  test('randperm holds every number once; randint stays in its range', () => {
    expect(torch.randperm(1000).sort().values.equal(torch.arange(1000))).toBe(true);
    const x = torch.randint(-3, 4, [5000]);
    expect([x.min().item(), x.max().item()]).toEqual([-3, 3]);
    expect(torch.randint(5, [2, 2], { dtype: torch.float64 }).dtype).toBe(torch.float64);
  });

  test('dropout keeps a fraction, scaled, and its gradient has the same mask', () => {
    torch.manualSeed(14);
    for (const dtype of [torch.float32, torch.float64, torch.bfloat16]) {
      const x = torch.ones(n, { dtype }).requiresGrad_();
      const [y, mask] = torch.nativeDropout(x, 0.25, true) as [torch.Tensor, torch.Tensor];
      expect(Math.abs(Number(mask.float().mean().item()) - 0.75)).toBeLessThan(0.02);
      expect(y.ne(0).equal(mask)).toBe(true);
      expect(Number(y.max().item())).toBeCloseTo(4 / 3, 2);
      y.sum().backward();
      expect(x.grad!.equal(y)).toBe(true);
    }
    expect(torch.nativeDropout(torch.ones(3), 1, true)[0]!.tolist()).toEqual([0, 0, 0]);
    expect(torch.nativeDropout(torch.ones(3), 0.5, false)[0]!.tolist()).toEqual([1, 1, 1]);
  });
});

describe('what is drawn over', () => {
  test('gets no gradient, and leaves are protected', () => {
    const x = torch.ones(3).requiresGrad_();
    const y = x.mul(2);
    y.normal_();
    y.sum().backward();
    expect(x.grad!.tolist()).toEqual([0, 0, 0]);
    expect(() => x.uniform_()).toThrow('a leaf Variable that requires grad is being used in an in-place operation.');
    expect(() => torch.zeros(1).expand(3).normal_()).toThrow('more than one element of the written-to tensor');
  });

  test.each([
    [() => torch.rand(2, { dtype: torch.int64 }), `"check_uniform_bounds" not implemented for 'Long'`],
    [() => torch.empty(2, { dtype: torch.int64 }).normal_(), `"normal_kernel_cpu" not implemented for 'Long'`],
    [() => torch.empty(2).uniform_(2, 1), 'uniform_ expects to return a [from, to) range, but found from=2 > to=1'],
    [() => torch.empty(2).normal_(0, -1), 'normal expects std >= 0.0, but found std -1'],
    [() => torch.randint(5, 2, [2]), "random_ expects 'from' to be less than 'to', but got from=5 >= to=2"],
    [() => torch.empty(2, { dtype: torch.int8 }).random_(0, 1000), 'to - 1 is out of bounds for'],
    [() => torch.randperm(-1), 'Trying to create tensor with negative dimension -1: [-1]'],
    [() => torch.randperm(300, { dtype: torch.uint8 }), 'n is too large for result tensor type'],
    [() => torch.empty(2).bernoulli_(1.5), 'bernoulli_ expects p to be in [0, 1], but got p=1.5'],
    [() => torch.bernoulli(torch.tensor([2])), 'p_in >= 0 && p_in <= 1'],
    [() => torch.empty(2).exponential_(0), 'exponential_ expects lambda > 0.0, but found lambda=0'],
    [() => torch.empty(2).geometric_(1), 'geometric_ expects p to be in (0, 1), but got p=1'],
    [() => torch.empty(2).cauchy_(0, 0), 'cauchy_ expects sigma > 0.0, but found sigma=0'],
    [() => torch.empty(2).logNormal_(0, 0), 'log_normal_ expects std > 0.0, but found std=0'],
    [() => torch.poisson(torch.tensor([-1])), 'invalid Poisson rate'],
    [() => torch.multinomial(torch.zeros(3), 2), 'invalid multinomial distribution (sum of probabilities <= 0)'],
    [
      () => torch.multinomial(torch.ones(3), 4),
      'cannot sample n_sample > prob_dist.size(-1) samples without replacement',
    ],
    [
      () => torch.multinomial(torch.tensor([1, -1]), 1),
      'probability tensor contains either `inf`, `nan` or element < 0',
    ],
    [() => torch.normal(torch.zeros(2), torch.tensor([1, -1])), 'normal expects all elements of std >= 0.0'],
  ])('must fit the distribution (%#)', (call, message) => {
    expect(call).toThrow(message as string);
  });
});
