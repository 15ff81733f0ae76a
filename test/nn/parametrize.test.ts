// Parametrizations. The values were recorded from PyTorch 2.13.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, ramp, thrown } from './module_support';

const { parametrize, parametrizations } = nn.utils;

class Symmetric extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).transpose(-1, -2));
  }
  rightInverse(a: Tensor): Tensor {
    return a.triu();
  }
}
class Twice extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}
class RankOne extends nn.Module {
  override forward(u: Tensor, v: Tensor): Tensor {
    return u.matmul(v);
  }
  rightInverse(w: Tensor): [Tensor, Tensor] {
    return [w.narrow(1, 0, 1).clone(), w.narrow(0, 0, 1).clone()];
  }
}
/** What the module's attribute is once parametrized: its list. */
const listOf = (module: nn.Module, name = 'weight') =>
  (
    module as unknown as { parametrizations: nn.ModuleDict<InstanceType<typeof parametrize.ParametrizationList>> }
  ).parametrizations.get(name);
const keys = (module: nn.Module) => [...module.stateDict().keys()];

describe('registerParametrization', () => {
  test('replaces a parameter by one that is computed', () => {
    const m = fill(new nn.Linear(3, 3));
    const before = m.weight;
    expect(parametrize.registerParametrization(m, 'weight', new Symmetric())).toBe(m);
    expect(String(m)).toBe(
      'ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n' +
        '    (weight): ParametrizationList(\n      (0): Symmetric()\n    )\n  )\n)',
    );
    expect(m).toBeInstanceOf(nn.Linear);
    expect(keys(m)).toEqual(['bias', 'parametrizations.weight.original']);
    expect(listOf(m).original).toBe(before);
    const w = [0.841471, 0.909297, 0.14112, 0.909297, -0.958924, -0.279415, 0.14112, -0.279415, 0.412118];
    expectTensor(m.weight, [3, 3], w);
    const x = ramp(2, 3);
    expectTensor(m(x), [2, 3], [...torch.addmm(m.bias!, x, m.weight.t()).toTypedArray()].map(Number));
    m(x).sum().backward();
    expect(before.grad).not.toBeNull();
    // The upper triangle takes the gradient of both.
    expectTensor(before.grad, [3, 3], [0.3, 0.8, 1.0, 0, 0.5, 1.2, 0, 0, 0.7]);
  });

  test('assigning goes through the inverses', () => {
    const m = fill(new nn.Linear(3, 3));
    parametrize.registerParametrization(m, 'weight', new Symmetric());
    (m as { weight: Tensor }).weight = torch.ones(3, 3).mul(2);
    expectTensor(m.weight, [3, 3], new Array<number>(9).fill(2));
    expectTensor(listOf(m).original, [3, 3], [2, 2, 2, 0, 2, 2, 0, 0, 2]);
    expect(thrown(() => (m.weight = new nn.Parameter(torch.ones(3, 3))))?.message).toBe(
      "attribute 'weight' already exists",
    );
    parametrize.registerParametrization(m, 'weight', new Twice());
    expectTensor(m.weight, [3, 3], new Array<number>(9).fill(4));
    expect(thrown(() => ((m as { weight: Tensor }).weight = torch.ones(3, 3)))).toEqual({
      type: 'RuntimeError',
      message: 'parametrization Twice does not implement right_inverse.',
    });
    expect(String(m)).toContain('(0): Symmetric()\n      (1): Twice()');
  });

  test('several originals', () => {
    const m = parametrize.registerParametrization(fill(new nn.Linear(3, 2)), 'weight', new RankOne());
    expect(keys(m)).toEqual(['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']);
    const w = [0.70807, 0.76515, 0.11875, -0.63683, -0.68816, -0.1068];
    expectTensor(m.weight, [2, 3], w, 4);
    expect(thrown(() => parametrize.removeParametrizations(m, 'weight', { leaveParametrized: false }))?.message).toBe(
      'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
    );
    parametrize.removeParametrizations(m, 'weight');
    expect(m.weight).toBeInstanceOf(nn.Parameter);
    expectTensor(m.weight, [2, 3], w, 4);
  });

  test('buffers stay buffers', () => {
    const m = new nn.BatchNorm1d(2);
    parametrize.registerParametrization(m, 'running_mean', new Twice());
    expect([...m.namedBuffers()].map(([name]) => name)).toContain('parametrizations.running_mean.original');
    parametrize.removeParametrizations(m, 'running_mean', false);
    expect(keys(m)).toContain('running_mean');
    expect(m._buffers.has('running_mean')).toBe(true);
  });

  test('refuses what does not fit, and leaves the module as it was', () => {
    class First extends nn.Module {
      override forward = (x: Tensor): Tensor => x.narrow(0, 0, 1);
    }
    class Double extends nn.Module {
      override forward = (x: Tensor): Tensor => x.double();
    }
    const m = new nn.Linear(3, 2);
    const message = (p: nn.Module, ...rest: [boolean?]) =>
      thrown(() => parametrize.registerParametrization(m, 'weight', p, ...rest))?.message;
    expect(message(new First())).toBe(
      'Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is enabled.\n' +
        'unparametrized shape: torch.Size([2, 3])\nparametrized shape: torch.Size([1, 3])',
    );
    expect(message(new Double())).toBe(
      'Registering a parametrization may not change the dtype of the tensor, unless `unsafe` flag is enabled.\n' +
        'unparametrized dtype: torch.float32\nparametrized dtype: torch.float64',
    );
    expect(keys(m)).toEqual(['weight', 'bias']);
    expect(String(m)).toBe('Linear(in_features=3, out_features=2, bias=True)');
    expect(thrown(() => parametrize.registerParametrization(m, 'nope', new Twice()))?.message).toBe(
      "Module 'Linear(in_features=3, out_features=2, bias=True)' does not have a parameter, a buffer, or a parametrized element with name 'nope'",
    );
    expect(thrown(() => parametrize.removeParametrizations(m, 'weight'))?.message).toBe(
      'Module Linear(in_features=3, out_features=2, bias=True) does not have a parametrization on weight',
    );
    expect(message(new First(), true)).toBeUndefined();
    expect([...m.weight.shape]).toEqual([1, 3]);
    expect(message(new Double())).toContain('parametrization(module.weight).dtype: torch.float64');
  });

  test('removing', () => {
    const m = fill(new nn.Linear(3, 3));
    const { weight } = m;
    parametrize.registerParametrization(m, 'weight', new Twice());
    parametrize.registerParametrization(m, 'bias', new Twice());
    expect([parametrize.isParametrized(m), parametrize.isParametrized(m, 'weight')]).toEqual([true, true]);
    expect(parametrize.typeBeforeParametrizations(m)).toBe(nn.Linear);
    parametrize.removeParametrizations(m, 'weight');
    expect([parametrize.isParametrized(m), parametrize.isParametrized(m, 'weight')]).toEqual([true, false]);
    parametrize.removeParametrizations(m, 'bias', false);
    expect(m.constructor).toBe(nn.Linear);
    expect(keys(m)).toEqual(['weight', 'bias']);
    expect(m.weight).toBe(weight);
    expectTensor(m.weight.select(0, 0), [3], [1.682942, 1.818595, 0.28224]);
  });

  test('copies, loading, training mode', () => {
    const m = fill(new nn.Linear(2, 2)).eval();
    const twice = new Twice();
    parametrize.registerParametrization(m, 'weight', twice);
    expect(twice.training).toBe(false);
    const copy = torch.deepcopy(m);
    torch.noGrad(() => listOf(m).original.zero_());
    expect(copy.weight.abs().sum().item()).toBeGreaterThan(1);
    copy.loadStateDict(m.stateDict());
    expect(copy.weight.abs().sum().item()).toBe(0);
  });

  test('transferring', () => {
    const from = parametrize.registerParametrization(fill(new nn.Linear(2, 2)), 'weight', new Twice());
    const to = parametrize.transferParametrizationsAndParams(from, new nn.Linear(2, 2));
    expect(to.weight.equal(from.weight)).toBe(true);
    expect(listOf(to).original).toBe(listOf(from).original);
  });

  test('transferring what is not there', () => {
    const from = parametrize.registerParametrization(fill(new nn.Linear(2, 2)), 'weight', new Twice());
    const to = new nn.Linear(2, 2);
    expect(() => parametrize.transferParametrizationsAndParams(from, to, 'scale')).toThrow(
      "'ParametrizedLinear' object has no attribute 'scale'",
    );
    expect(() => parametrize.transferParametrizationsAndParams(from, to, 'bias')).toThrow("'bias'");
    expect(parametrize.isParametrized(to)).toBe(false);
  });
});

describe('cached', () => {
  test('computes once while it holds', () => {
    let count = 0;
    class Counting extends nn.Module {
      override forward(x: Tensor): Tensor {
        count++;
        return x.mul(2);
      }
    }
    const m = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Counting());
    count = 0;
    const [a, b] = parametrize.cached(() => [m.weight, m.weight]);
    expect([count, a === b]).toEqual([1, true]);
    const [c, d] = [m.weight, m.weight];
    expect(c === d).toBe(false);
    expect(count).toBe(3);
    expect(
      thrown(() =>
        parametrize.cached(() => {
          throw new Error('no');
        }),
      )?.message,
    ).toBe('no');
    const guard = parametrize.cached();
    expect(m.weight).toBe(m.weight);
    guard[Symbol.dispose]();
    expect(count).toBe(4);
  });
});

describe('parametrizations', () => {
  const SHAPES: [rows: number, columns: number][] = [
    [3, 3],
    [3, 2],
    [2, 3],
  ];
  const MAPS = ['matrix_exp', 'cayley', 'householder'] as const;

  test.each(MAPS)('orthogonal by %s starts from the orthogonal part and stays orthogonal', (map) => {
    for (const [rows, columns] of SHAPES) {
      const m = parametrizations.orthogonal(fill(new nn.Linear(columns, rows)), 'weight', map);
      expect(keys(m)).toEqual(['bias', 'parametrizations.weight.original', 'parametrizations.weight.0.base']);
      if (rows === 3 && columns === 2) {
        expectTensor(m.weight, [3, 2], [0.655576, 0.445923, 0.109944, -0.854785, -0.747082, 0.26551]);
      }
      const n = Math.min(rows, columns);
      const gram = () => (rows >= columns ? m.weight.t().mm(m.weight) : m.weight.mm(m.weight.t()));
      expectTensor(gram(), [n, n], torch.eye(n).reshape(-1).tolist() as number[]);
      m(ramp(4, columns)).pow(2).sum().backward();
      torch.noGrad(() => listOf(m).original.sub_(listOf(m).original.grad!.mul(0.1)));
      expectTensor(gram(), [n, n], torch.eye(n).reshape(-1).tolist() as number[], 4);
      const target = m.weight.detach().clone();
      (m as { weight: Tensor }).weight = target;
      expectTensor(m.weight, [rows, columns], target.reshape(-1).tolist() as number[], 4);
    }
  });

  test.each([
    [
      'matrix_exp',
      [0.568778, -0.241364, -0.004611, 0.955022, -0.822478, -0.172268],
      [0, 0, 0.236033, 0, 0.190521, 0.610301],
    ],
    [
      'cayley',
      [0.625532, -0.219303, 0.005701, 0.960942, -0.780178, -0.168811],
      [0, 0, 0.216666, 0, 0.160199, 0.554819],
    ],
    [
      'householder',
      [0.655576, 0.445923, 0.109944, -0.854785, -0.747082, 0.26551],
      [0, 0, 0.345742, 0, 0.724831, -0.975747],
    ],
  ] as const)('orthogonal by %s without trivialization', (map, value, gradient) => {
    const m = parametrizations.orthogonal(fill(new nn.Linear(2, 3)), { orthogonalMap: map, useTrivialization: false });
    expect(keys(m)).toEqual(['bias', 'parametrizations.weight.original']);
    expectTensor(m.weight, [3, 2], [...value]);
    m.weight.mul(ramp(3, 2)).sum().backward();
    expectTensor(listOf(m).original.grad, [3, 2], [...gradient]);
    const assign = () => ((m as { weight: Tensor }).weight = torch.eye(3).narrow(1, 0, 2).contiguous());
    if (map === 'householder') {
      assign();
      expectTensor(m.weight, [3, 2], [1, 0, 0, 1, 0, 0]);
    } else {
      expect(thrown(assign)?.message).toContain('when use_trivialization=False.');
    }
  });

  test('orthogonal refuses', () => {
    const refused = (fn: () => unknown) => thrown(fn)?.message;
    expect(refused(() => parametrizations.orthogonal(new nn.Linear(2, 2), 'bias'))).toBe(
      'Expected a matrix or batch of matrices. Got a tensor of 1 dimensions.',
    );
    expect(refused(() => parametrizations.orthogonal(new nn.Linear(2, 2), 'nope'))).toContain(
      "has no parameter or buffer with name 'nope'",
    );
    expect(refused(() => parametrizations.orthogonal(new nn.Linear(2, 2), 'weight', 'qr' as 'cayley'))).toBe(
      'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: qr',
    );
  });

  test('weightNorm', () => {
    const m = parametrizations.weightNorm(fill(new nn.Conv1d(2, 3, 2)), { dim: 1 });
    const before = fill(new nn.Conv1d(2, 3, 2)).weight;
    expectTensor(
      listOf(m).get(0)(torch.ones(1, 2, 1), before),
      [3, 2, 2],
      before
        .div(torch.tensor([1.731561, 1.814116]).reshape(1, 2, 1))
        .reshape(-1)
        .tolist() as number[],
    );
    expectTensor(m._modules.get('parametrizations')!.getParameter('weight.original0'), [1, 2, 1], [1.731561, 1.814116]);
    expectTensor(m.weight, [3, 2, 2], before.reshape(-1).tolist() as number[]);
    expect(String(m)).toContain('(0): _WeightNorm()');
  });

  test('weightNorm loads the older form', () => {
    const old = nn.utils.weightNorm(fill(new nn.Linear(3, 2)));
    const m = parametrizations.weightNorm(new nn.Linear(3, 2));
    m.loadStateDict(old.stateDict());
    expectTensor(m.weight, [2, 3], [0.841471, 0.909297, 0.14112, -0.756802, -0.958924, -0.279415]);
  });

  test('spectralNorm', () => {
    torch.manualSeed(0);
    const m = parametrizations.spectralNorm(fill(new nn.Linear(3, 2)));
    expect(keys(m)).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0._u',
      'parametrizations.weight.0._v',
    ]);
    expectTensor(m.weight, [2, 3], [0.4771, 0.5155, 0.08, -0.4291, -0.5437, -0.1584], 4);
    expect(torch.linalg.matrixNorm(m.weight, 2).item()).toBeCloseTo(1, 5);
    const { _u: u } = listOf(m).get(0) as unknown as { _u: Tensor };
    torch.noGrad(() => listOf(m).original.copy_(ramp(2, 3)));
    const kept = u.clone();
    m.eval();
    m(ramp(1, 3));
    expect(u.equal(kept)).toBe(true);
    m.train();
    m(ramp(1, 3));
    expect(u.equal(kept)).toBe(false);
  });

  test('spectralNorm of a vector and of a transposed convolution', () => {
    const m = parametrizations.spectralNorm(fill(new nn.Linear(3, 2)), 'bias');
    expect(m.bias!.norm().item()).toBeCloseTo(1, 6);
    const t = parametrizations.spectralNorm(new nn.ConvTranspose1d(2, 3, 2));
    expect((listOf(t).get(0) as unknown as { _u: Tensor })._u.shape).toEqual([3]);
    expect(thrown(() => parametrizations.spectralNorm(new nn.Linear(2, 2), { dim: 2 }))).toEqual({
      type: 'RangeError',
      message: 'Dimension out of range (expected to be in range of [-2, 1] but got 2)',
    });
    expect(thrown(() => parametrizations.spectralNorm(new nn.Linear(2, 2), { nPowerIterations: 0 }))?.message).toBe(
      'Expected n_power_iterations to be positive, but got n_power_iterations=0',
    );
  });
});
