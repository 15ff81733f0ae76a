// What all optimizers share: groups, hooks, checkpoints, errors, and the layouts and types that a step takes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { nn, optim, type Tensor } from 'flambeau';

const values = (t: Tensor): number[] => Array.from(t.detach().reshape(-1).toTypedArray(), Number);
const parameter = (list: number[], grad?: number[]): nn.Parameter => {
  const p = new nn.Parameter(torch.tensor(list));
  if (grad) p.grad = torch.tensor(grad);
  return p;
};

describe('parameter groups', () => {
  test('options are given by position or by name, and groups override them', () => {
    const [a, b] = [parameter([1], [1]), parameter([1], [1])];
    const opt = new optim.SGD([{ params: [a], lr: 0.5 }, { params: b }], 0.1, { momentum: 0.9 });
    expect(opt.paramGroups.map((g) => [g.lr, g.momentum])).toEqual([
      [0.5, 0.9],
      [0.1, 0.9],
    ]);
    opt.step();
    expect(values(a)[0]).toBeCloseTo(0.5, 6);
    expect(values(b)[0]).toBeCloseTo(0.9, 6);
  });

  test('an option written to a group counts from the next step on', () => {
    const p = parameter([1], [1]);
    const opt = new optim.SGD([p], { lr: 0.1 });
    opt.paramGroups[0]!.lr = 0.25;
    opt.step();
    expect(values(p)[0]).toBeCloseTo(0.75, 6);
  });

  test('named parameters keep their names in the state dict', () => {
    const net = new nn.Linear(2, 1);
    const opt = new optim.Adam(net.namedParameters());
    expect(opt.stateDict().param_groups[0]!['param_names']).toEqual(['weight', 'bias']);
    expect(() => opt.addParamGroup({ params: [parameter([1])] })).toThrow(
      'all optimizer param groups should be with/without names',
    );
  });

  test('addParamGroup adds to a running optimizer', () => {
    const [a, b] = [parameter([1], [1]), parameter([1], [1])];
    const opt = new optim.SGD([a], { lr: 0.5 });
    opt.addParamGroup({ params: b, lr: 0.25 });
    opt.step();
    expect([values(a)[0], values(b)[0]]).toEqual([0.5, 0.75]);
    expect(opt.stateDict().param_groups.map((g) => g['params'])).toEqual([[0], [1]]);
  });

  test('an option in the spelling of state dicts is refused, an unknown one is kept', () => {
    const groups = (extra: object) => [{ params: [parameter([1])], ...extra }] as never;
    for (const [key, name] of [
      ['weight_decay', 'weightDecay'],
      ['initial_lr', 'initialLr'],
    ]) {
      expect(() => new optim.SGD(groups({ [key!]: 0 }))).toThrow(
        new TypeError(`a parameter group got an unexpected key '${key}': write '${name}'`),
      );
    }
    const opt = new optim.SGD(groups({ name: 'head', my_note: 3 }));
    expect(opt.paramGroups[0]).toMatchObject({ name: 'head', my_note: 3, weightDecay: 0 });
    opt.loadStateDict(opt.stateDict());
    expect(opt.paramGroups[0]!.weightDecay).toBe(0);
  });

  test('a learning rate that is a tensor counts as its number', () => {
    const rate = torch.tensor(0.5);
    const [a, b] = [parameter([1], [1]), parameter([1], [1])];
    const opt = new optim.SGD([{ params: [a], lr: rate as never }, { params: [b] }], { lr: rate as never });
    expect(opt.paramGroups.map((group) => group.lr)).toEqual([0.5, 0.5]);
    const state = opt.stateDict();
    state.param_groups[0]!['lr'] = torch.tensor(0.25);
    opt.loadStateDict(state);
    opt.step();
    expect([values(a)[0], values(b)[0]]).toEqual([0.75, 0.5]);
  });

  test('what cannot be optimized is refused', () => {
    const p = parameter([1]);
    expect(() => new optim.SGD([])).toThrow(new torch.RuntimeError('optimizer got an empty parameter list'));
    expect(() => new optim.SGD(p as never)).toThrow(TypeError);
    expect(() => new optim.SGD([1 as never])).toThrow(
      'optimizer can only optimize Tensors, but one of the params is number',
    );
    expect(() => new optim.SGD([p.mul(2)])).toThrow("can't optimize a non-leaf Tensor");
    expect(() => new optim.SGD([{ params: [p] }, { params: [p] }])).toThrow(
      'some parameters appear in more than one parameter group',
    );
    expect(() => new optim.SGD([{ params: new Set([p]) as never }])).toThrow('ordered collections');
    expect(() => new optim.SGD([p], { lr: -1 })).toThrow('Invalid learning rate: -1.0');
    expect(() => new optim.SGD([p], { nesterov: true })).toThrow(
      'Nesterov momentum requires a momentum and zero dampening',
    );
    expect(() => new optim.Adam([p], { betas: [1, 0.9] })).toThrow('Invalid beta parameter at index 0: 1');
    expect(() => new optim.Adam([p], { beta: 1 } as never)).toThrow("Adam() got an unexpected keyword argument 'beta'");
    expect(() => new optim.Adam([p], { lr: 'fast' } as never)).toThrow(TypeError);
    expect(() => new optim.SGD([p], { differentiable: true })).toThrow(torch.RuntimeError);
    expect(() => new optim.Muon([parameter([1, 2])])).toThrow('Muon only supports 2D parameters');
  });
});

describe('steps', () => {
  test('a parameter without gradient stays, also its state', () => {
    const [a, b] = [parameter([1], [1]), parameter([1])];
    const opt = new optim.Adam([a, b], { lr: 0.1, weightDecay: 0.5 });
    opt.step();
    expect(values(b)).toEqual([1]);
    expect(opt.state.has(b)).toBe(false);
  });

  test('the closure runs with gradients recorded, and step returns its value', () => {
    const p = parameter([2]);
    const opt = new optim.SGD([p], { lr: 0.25 });
    const loss = torch.noGrad(() =>
      opt.step(() => {
        opt.zeroGrad();
        const l = p.mul(p).sum();
        l.backward();
        return l;
      }),
    );
    expect(loss.item()).toBe(4);
    expect(values(p)).toEqual([1]);
    expect(opt.step()).toBeNull();
  });

  test('zeroGrad drops gradients, or fills them with zeros', () => {
    const p = parameter([1], [3]);
    const opt = new optim.SGD([p]);
    const grad = p.grad!;
    opt.zeroGrad(false);
    expect(values(p.grad!)).toEqual([0]);
    expect(values(grad)).toEqual([0]);
    opt.zeroGrad();
    expect(p.grad).toBeNull();
  });

  test('a step counts as a change in place', () => {
    const p = parameter([1], [1]);
    const y = p.mul(p).sum();
    new optim.SGD([p], { lr: 0.1 }).step();
    expect(() => y.backward()).toThrow('modified by an inplace operation');
  });

  const everyOptimizer = [
    'SGD',
    'Adam',
    'AdamW',
    'Adamax',
    'NAdam',
    'RAdam',
    'Adagrad',
    'Adadelta',
    'RMSprop',
    'Rprop',
    'ASGD',
    'Adafactor',
    'SparseAdam',
  ] as const;

  test.each(everyOptimizer)('%s gives a strided parameter the values of a row-major one', (name) => {
    const start = torch.arange(0, 12, { dtype: torch.float64 }).reshape(3, 4).div(7);
    const grad = torch.arange(0, 12, { dtype: torch.float64 }).reshape(3, 4).sub(5).div(3);
    const plain = new nn.Parameter(start.clone());
    const backing = torch.zeros(4, 6, { dtype: torch.float64 });
    const strided = new nn.Parameter(backing.narrow(1, 1, 3).t());
    torch.noGrad(() => strided.copy_(start));
    const Class = optim[name] as unknown as new (p: Tensor[], o: object) => optim.Optimizer<object>;
    const [a, b] = [new Class([plain], { lr: 0.1 }), new Class([strided], { lr: 0.1 })];
    for (let i = 0; i < 3; i++) {
      plain.grad = grad.clone();
      strided.grad = grad.t().contiguous().t();
      a.step();
      b.step();
    }
    values(plain).forEach((v, i) => expect(values(strided)[i]).toBeCloseTo(v, 12));
    // The elements between the rows of the view are not touched.
    expect(values(backing.select(1, 0))).toEqual([0, 0, 0, 0]);
    expect(values(backing.select(1, 4))).toEqual([0, 0, 0, 0]);
  });

  test.each(['float16', 'bfloat16'] as const)(
    'SGD and Adam compute %s parameters in float32 and round once',
    (dtype) => {
      for (const make of [
        (p: Tensor) => new optim.SGD([p], { lr: 0.1, momentum: 0.9 }),
        (p: Tensor) => new optim.AdamW([p], { lr: 0.1 }),
      ]) {
        const half = new nn.Parameter(torch.tensor([1, -2, 3.5]).to(torch[dtype]));
        const full = new nn.Parameter(torch.tensor([1, -2, 3.5]));
        half.grad = torch.tensor([0.5, 0.25, -1]).to(torch[dtype]);
        full.grad = torch.tensor([0.5, 0.25, -1]);
        make(half).step();
        make(full).step();
        expect(half.dtype).toBe(torch[dtype]);
        expect(half.detach().equal(full.detach().to(torch[dtype]))).toBe(true);
      }
    },
  );

  test('large tensors, which several threads share, and all lengths of a vector give the same as one by one', () => {
    for (const n of [0, 1, 7, 8, 15, 16, 17, 33, 100_003]) {
      const x = torch.arange(0, n, { dtype: torch.float32 }).mul(0.001).sin();
      const p = new nn.Parameter(x.clone());
      p.grad = x.cos();
      new optim.Adam([p], { lr: 0.01 }).step();
      // After one step from zero state, Adam moves by lr g / (|g| + eps).
      const g = x.cos();
      const wanted = x.sub(g.div(g.abs().add(1e-8)).mul(0.01));
      expect(torch.allclose(p.detach(), wanted, { rtol: 1e-5, atol: 1e-6 })).toBe(true);
    }
  });

  test('a gradient of another shape or type is refused before anything changes', () => {
    const [a, b] = [parameter([1], [1]), parameter([1, 2])];
    (b as unknown as { _ad: { grad: Tensor } })._ad.grad = torch.ones(3);
    expect(() => new optim.SGD([a, b], { lr: 0.1 }).step()).toThrow(
      'SGD: a parameter of shape [2] has a gradient of shape [3]',
    );
    expect(values(a)).toEqual([1]);
  });

  test('SparseAdam leaves rows without gradient alone', () => {
    const table = new nn.Parameter(torch.ones(4, 2));
    const opt = new optim.SparseAdam([table], { lr: 0.5 });
    const grad = torch.zeros(4, 2);
    grad.select(0, 2).fill_(3);
    table.grad = grad;
    opt.step();
    opt.step();
    expect(table.detach().tolist()).toEqual([
      [1, 1],
      [1, 1],
      [expect.closeTo(0, 5), expect.closeTo(0, 5)],
      [1, 1],
    ]);
    expect(opt.state.get(table)!['step']).toBe(2);
  });
});

describe('hooks', () => {
  test('run around the step, and a pre-hook may replace its arguments', () => {
    const seen: string[] = [];
    const opt = new optim.SGD([parameter([1], [1])]);
    const global = optim.registerOptimizerStepPreHook(() => void seen.push('global'));
    opt.registerStepPreHook((_, args) => {
      seen.push(`pre ${args.length}`);
      return [() => 5];
    });
    const post = opt.registerStepPostHook(() => void seen.push('post'));
    expect(opt.step()).toBe(5);
    post.remove();
    global.remove();
    opt.step();
    expect(seen).toEqual(['global', 'pre 0', 'post', 'pre 0']);
  });

  test('run for a class of the user that overrides step', () => {
    class Plain extends optim.Optimizer<{ lr: number }> {
      constructor(params: Tensor[]) {
        super(params, { lr: 0.5 });
      }
      override step(): null {
        torch.noGrad(() => {
          for (const g of this.paramGroups) for (const p of g.params) p.sub_(p.grad!, { alpha: g.lr });
        });
        return null;
      }
    }
    const p = parameter([1], [1]);
    const opt = new Plain([p]);
    let calls = 0;
    opt.registerStepPostHook(() => void calls++);
    opt.step();
    expect([values(p)[0], calls]).toEqual([0.5, 1]);
    expect(String(opt)).toBe('Plain (\nParameter Group 0\n    lr: 0.5\n)');
  });

  test('state dict hooks may replace what is saved and loaded', () => {
    const opt = new optim.SGD([parameter([1])], { lr: 0.1 });
    opt.registerStateDictPostHook((_, dict) => ({ ...dict, extra: 1 }));
    expect(opt.stateDict()).toHaveProperty('extra', 1);
    let loaded = 0;
    opt.registerLoadStateDictPreHook((_, dict) => {
      dict.param_groups[0]!['lr'] = 0.75;
    });
    opt.registerLoadStateDictPostHook(() => void loaded++);
    opt.loadStateDict(opt.stateDict());
    expect([opt.paramGroups[0]!.lr, loaded]).toEqual([0.75, 1]);
  });
});

describe('checkpoints', () => {
  test('a saved state dict loads from the file as it was', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-optim-'));
    try {
      const p = parameter([1, 2], [3, 4]);
      const opt = new optim.AdamW([p], { lr: 0.25 });
      opt.step();
      const file = path.join(folder, 'optimizer.pt');
      torch.save(opt.stateDict(), file);
      const other = new optim.AdamW([p], { lr: 0.5 });
      other.loadStateDict(torch.load(file) as optim.OptimizerStateDict);
      expect(other.paramGroups[0]!.lr).toBe(0.25);
      expect(other.paramGroups[0]!.betas).toEqual([0.9, 0.999]);
      expect(values(other.state.get(p)!['exp_avg'] as Tensor)).toEqual(values(opt.state.get(p)!['exp_avg'] as Tensor));
      expect(values(other.state.get(p)!['step'] as Tensor)).toEqual([1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('one that does not fit is refused and changes nothing', () => {
    const opt = new optim.SGD([parameter([1]), parameter([2])], { lr: 0.1, momentum: 0.5 });
    const one = new optim.SGD([parameter([1])], { lr: 0.7 }).stateDict();
    expect(() => opt.loadStateDict(one)).toThrow("parameter group that doesn't match the size of optimizer's group");
    expect(() => opt.loadStateDict({ state: new Map(), param_groups: [] })).toThrow(
      'different number of parameter groups',
    );
    expect(() => opt.loadStateDict({ groups: [] })).toThrow(TypeError);
    expect(opt.paramGroups[0]!.lr).toBe(0.1);
  });

  test('options that an older checkpoint lacks are filled in, and counters in plain numbers are read', () => {
    const p = parameter([1], [1]);
    const opt = new optim.Adam([p]);
    opt.step();
    const dict = opt.stateDict();
    delete dict.param_groups[0]!['decoupled_weight_decay'];
    dict.state.get(0)!['step'] = 1;
    opt.loadStateDict(dict);
    expect(opt.paramGroups[0]!.decoupledWeightDecay).toBe(false);
    opt.step();
    expect((opt.state.get(p)!['step'] as Tensor).item()).toBe(2);
  });

  test('state takes the type of its parameter, the counter keeps its own', () => {
    const p = parameter([1], [1]);
    const opt = new optim.Adam([p]);
    opt.step();
    const wide = new nn.Parameter(torch.ones(1, { dtype: torch.float64 }));
    const other = new optim.Adam([wide]);
    other.loadStateDict(opt.stateDict());
    expect((other.state.get(wide)!['exp_avg'] as Tensor).dtype).toBe(torch.float64);
    expect((other.state.get(wide)!['step'] as Tensor).dtype).toBe(torch.float32);
  });
});

describe('LBFGS', () => {
  const rosenbrock = (x: Tensor): Tensor => {
    const [a, b] = x.unbind(0) as [Tensor, Tensor];
    return a.rsub(1).square().add(b.sub(a.square()).square().mul(100));
  };

  test.each([null, 'strong_wolfe'] as const)(
    'finds the minimum of the Rosenbrock function (line search: %s)',
    (lineSearchFn) => {
      const x = new nn.Parameter(torch.tensor([-1.5, 2], { dtype: torch.float64 }));
      const opt = new optim.LBFGS([x], { lr: lineSearchFn ? 1 : 0.1, lineSearchFn, maxIter: lineSearchFn ? 20 : 100 });
      for (let i = 0; i < 10; i++) {
        opt.step(() => {
          opt.zeroGrad();
          const loss = rosenbrock(x);
          loss.backward();
          return loss;
        });
      }
      expect(values(x)[0]).toBeCloseTo(1, 3);
      expect(values(x)[1]).toBeCloseTo(1, 3);
    },
  );

  test('needs a closure and one group', () => {
    const opt = new optim.LBFGS([parameter([1])]);
    expect(() => (opt as { step(): unknown }).step()).toThrow(TypeError);
    expect(() => new optim.LBFGS([{ params: [parameter([1])] }, { params: [parameter([1])] }])).toThrow(
      "LBFGS doesn't support per-parameter options (parameter groups)",
    );
  });
});
