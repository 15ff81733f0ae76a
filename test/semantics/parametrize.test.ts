// Parametrizations: a parameter computed from others. The programs are those of scripts/semantics/parametrize.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, names, ramp } from '../nn/module_support';
import { error, floats, kind, programs } from './support';

const P = nn.utils.parametrize;
const Z = nn.utils.parametrizations;

class _Symmetric extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).t());
  }
}
class _Scale extends nn.Module {
  constructor(readonly k: number) {
    super();
    this.k = k;
  }
  override forward(x: Tensor): Tensor {
    return x.mul(this.k);
  }
  rightInverse(y: Tensor): Tensor {
    return y.div(this.k);
  }
}

const linear = (): nn.Linear => fill(new nn.Linear(2, 2));
const parameters = (m: nn.Module): string[] => names(m.namedParameters());
const buffers = (m: nn.Module): string[] => names(m.namedBuffers());
/** A tensor or module by its path. */
const part = (m: nn.Module, path: string): Tensor =>
  path.split('.').reduce((at, name) => at[name] as never, m as unknown as Record<string, unknown>) as never;
const setWeight = (m: nn.Module, value: Tensor): void => {
  (m as unknown as { weight: Tensor }).weight = value;
};

programs('parametrize', {
  registering() {
    const m = linear();
    const before = m.weight;
    P.registerParametrization(m, 'weight', new _Symmetric());
    const found: Record<string, unknown> = {
      names: parameters(m),
      state: [...m.stateDict().keys()],
      class: m._getName(),
      is: [P.isParametrized(m), P.isParametrized(m, 'weight'), P.isParametrized(m, 'bias')],
      weight: m.weight.clone(),
      original: part(m, 'parametrizations.weight.original') === before,
      parameter: (m.weight as Tensor) instanceof nn.Parameter,
      text: String(m),
      instance: m instanceof nn.Linear,
      again: [m.weight].includes(m.weight),
      modules: names(m.namedModules()),
    };
    m(ramp(1, 2)).sum().backward();
    found.grad = part(m, 'parametrizations.weight.original').grad;
    P.removeParametrizations(m, 'weight');
    found.after = [parameters(m), m._getName(), String(m), m.weight === before];
    found.kept = m.weight;
    return found;
  },

  severalInARow() {
    const m = linear();
    P.registerParametrization(m, 'weight', new _Scale(2));
    P.registerParametrization(m, 'weight', new _Scale(5));
    const first = m.weight.clone();
    setWeight(m, torch.ones(2, 2));
    const all = part(m, 'parametrizations') as unknown as nn.ModuleDict;
    return {
      first,
      original: part(m, 'parametrizations.weight.original'),
      weight: m.weight,
      len: (all.get('weight') as unknown as nn.ModuleList).length,
      text: String(all),
      names: parameters(m),
    };
  },

  removing() {
    const make = (leaveParametrized: boolean): Tensor => {
      const m = linear();
      P.registerParametrization(m, 'weight', new _Symmetric());
      P.removeParametrizations(m, 'weight', { leaveParametrized });
      return m.weight;
    };
    const m = new nn.Linear(2, 2);
    P.registerParametrization(m, 'weight', new _Symmetric());
    P.registerParametrization(m, 'bias', new _Scale(2));
    P.removeParametrizations(m, 'weight');
    const oneLeft = [parameters(m), m._getName()];
    P.removeParametrizations(m, 'bias');
    return {
      left: make(true),
      original: make(false),
      requires: [make(true).requiresGrad, make(false).requiresGrad],
      oneLeft,
      noneLeft: [parameters(m), m._getName()],
      error: error(() => P.removeParametrizations(m, 'weight')),
      has: 'parametrizations' in m,
    };
  },

  refused() {
    class Shape extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.narrow(0, 0, 1);
      }
    }
    class Type extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.double();
      }
    }
    class Kind extends nn.Module {
      override forward(_x: Tensor): never {
        return 5 as never;
      }
    }
    class BadInverse extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x;
      }
      rightInverse(y: Tensor): Tensor {
        return y.narrow(0, 0, 1);
      }
    }
    const register = (p: nn.Module) => error(() => P.registerParametrization(new nn.Linear(2, 2), 'weight', p));
    const m = new nn.Linear(2, 2);
    const found: Record<string, unknown> = {
      shape: register(new Shape()),
      type: register(new Type()),
      badInverse: register(new BadInverse()),
      // PyTorch has a ValueError for what is a matter of types.
      kind: kind(() => P.registerParametrization(m, 'weight', new Kind())) && 'RuntimeError',
      missing: error(() => P.registerParametrization(m, 'other', new _Symmetric())),
      unchanged: [parameters(m), m._getName()],
    };
    P.registerParametrization(m, 'weight', new _Symmetric());
    found.noInverse = kind(() => setWeight(m, torch.ones(2, 2)));
    found.still = parameters(m);
    P.registerParametrization(new nn.Linear(2, 2), 'weight', new Shape(), { unsafe: true });
    return found;
  },

  unsafe() {
    class Grow extends nn.Module {
      override forward(x: Tensor): Tensor {
        return torch.cat([x, x]);
      }
    }
    const m = fill(new nn.Linear(2, 2, { bias: false }));
    P.registerParametrization(m, 'weight', new Grow(), { unsafe: true });
    return { shape: m.weight.shape, y: m(ramp(1, 2)) };
  },

  caching() {
    let calls = 0;
    class Counted extends nn.Module {
      override forward(x: Tensor): Tensor {
        calls++;
        return x.mul(2);
      }
    }
    const m = linear();
    P.registerParametrization(m, 'weight', new Counted());
    calls = 0;
    const read = (): Tensor => m.weight;
    read();
    read();
    const apart = calls;
    let same = false;
    P.cached(() => {
      const first = read();
      same = read() === first;
      m(ramp(1, 2));
      P.cached(() => read());
    });
    const inside = calls - apart;
    read();
    return { apart, same, inside, after: calls };
  },

  severalOriginals() {
    class Rank1 extends nn.Module {
      override forward(u: Tensor, v: Tensor): Tensor {
        return u.unsqueeze(1).mul(v);
      }
      rightInverse(w: Tensor): [Tensor, Tensor] {
        return [w.select(1, 0).clone(), w.select(0, 0).div(w.select(0, 0).select(0, 0))];
      }
    }
    const m = linear();
    P.registerParametrization(m, 'weight', new Rank1());
    setWeight(
      m,
      torch
        .tensor([
          [2, 4],
          [6, 12],
        ])
        .float(),
    );
    return {
      names: parameters(m),
      weight: m.weight,
      u: part(m, 'parametrizations.weight.original0'),
      state: [...m.stateDict().keys()],
      error: error(() => P.removeParametrizations(m, 'weight', { leaveParametrized: false })),
    };
  },

  buffersAndNewParts() {
    class Learned extends nn.Module {
      k = new nn.Parameter(torch.tensor(3, { dtype: torch.float32 }));
      override forward(x: Tensor): Tensor {
        return x.mul(this.k);
      }
    }
    const m = new nn.Module() as nn.Module & { b: Tensor };
    const learned = new Learned();
    m.registerBuffer('b', torch.ones(2));
    P.registerParametrization(m, 'b', learned);
    m.b.sum().backward();
    return { parameters: parameters(m), buffers: buffers(m), b: m.b, grad: learned.k.grad };
  },

  copiesAndState() {
    const m = linear();
    P.registerParametrization(m, 'weight', new _Scale(2));
    const c = torch.deepcopy(m);
    torch.noGrad(() => part(c, 'parametrizations.weight.original').zero_());
    const other = new nn.Linear(2, 2);
    P.registerParametrization(other, 'weight', new _Scale(2));
    other.loadStateDict(m.stateDict());
    const fresh = new nn.Linear(2, 2);
    P.transferParametrizationsAndParams(m, fresh);
    return {
      m: m.weight,
      c: c.weight,
      other: other.weight,
      fresh: fresh.weight,
      class: c._getName(),
      plain: error(() => new nn.Linear(2, 2).loadStateDict(m.stateDict())),
      counts: [P.typeBeforeParametrizations(m).name, m._getName()],
    };
  },

  weightNorm() {
    const wide = (): nn.Linear => fill(new nn.Linear(3, 2));
    const m = Z.weightNorm(wide());
    m(ramp(2, 3)).sum().backward();
    const n = Z.weightNorm(fill(new nn.Conv1d(2, 3, 2)), { dim: 1 });
    const w = Z.weightNorm(wide(), { dim: null });
    const magnitude = (of: nn.Module): Tensor => part(of, 'parametrizations.weight.original0');
    const found: Record<string, unknown> = {
      names: parameters(m),
      weight: m.weight,
      g: magnitude(m).clone(),
      grads: [...m.parameters()].map((p) => p.grad),
      dim1: magnitude(n),
      none: magnitude(w),
      text: String(m),
    };
    torch.noGrad(() => magnitude(m).mul_(2));
    found.scaled = m.weight;
    P.removeParametrizations(m, 'weight');
    found.after = parameters(m);
    return found;
  },

  spectralNorm() {
    const m = Z.spectralNorm(fill(new nn.Linear(3, 4)), { nPowerIterations: 30 });
    let w = m.weight as Tensor;
    for (let i = 0; i < 2; i++) w = m.weight;
    m.eval();
    const [a, b] = [m.weight, m.weight];
    return {
      largest: torch.linalg.svdvals(w.detach()).select(0, 0),
      same: torch.equal(a, b),
      buffers: buffers(m),
      parameters: parameters(m),
      weight: a,
      text: String(m),
    };
  },

  orthogonal() {
    const check = (orthogonalMap: string, rows: number, columns: number): unknown[] => {
      const m = Z.orthogonal(fill(new nn.Linear(columns, rows)), { orthogonalMap: orthogonalMap as 'cayley' });
      const w = m.weight.detach();
      const q = rows >= columns ? w.t().matmul(w) : w.matmul(w.t());
      return [torch.allclose(q, torch.eye(q.shape[0]!), { atol: 1e-5 }), parameters(m), buffers(m)];
    };
    const found: Record<string, unknown> = {
      cayley: check('cayley', 3, 3),
      exp: check('matrix_exp', 3, 3),
      householder: check('householder', 4, 2),
      wide: check('householder', 2, 4),
    };
    const m = Z.orthogonal(new nn.Linear(2, 2));
    setWeight(m, torch.stack([floats(0, 1), floats(-1, 0)]));
    found.set = m.weight;
    found.bad = kind(() => setWeight(m, torch.ones(2, 2)));
    found.vector = kind(() => Z.orthogonal(new nn.Linear(2, 2), { name: 'bias' }));
    return found;
  },
});
