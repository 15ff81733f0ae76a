// State dicts: what they hold, what loading takes and refuses. The programs are those of scripts/semantics/state.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, ramp } from '../nn/module_support';
import { error, kind, programs } from './support';

const keys = (m: nn.Module): string[] => [...m.stateDict().keys()];
/** A module with one parameter `s`. */
function single(value: Tensor): nn.Module & { s: nn.Parameter } {
  const m = new nn.Module() as nn.Module & { s: nn.Parameter };
  m.s = new nn.Parameter(value);
  return m;
}

programs('state', {
  live() {
    const m = fill(new nn.Linear(2, 1));
    const d = m.stateDict();
    torch.noGrad(() => m.bias!.add_(1));
    const kept = m.stateDict({ keepVars: true });
    return {
      shares: d.get('bias'),
      requires: d.get('bias')!.requiresGrad,
      kept: kept.get('bias')!.requiresGrad,
      same: kept.get('bias') === m.bias,
      metadata: [...d._metadata!],
    };
  },

  copiesInPlace() {
    const m = fill(new nn.Linear(2, 1));
    const p = m.weight;
    const source = torch.tensor([[5, 6]], { dtype: torch.float64 });
    const result = m.loadStateDict({ weight: source, bias: torch.tensor([7n]) });
    source.zero_();
    return {
      same: m.weight === p,
      weight: m.weight,
      bias: m.bias,
      requires: m.weight.requiresGrad,
      result: String(result),
    };
  },

  strictErrors() {
    const m = new nn.Sequential(new nn.Linear(2, 1), new nn.BatchNorm1d(1));
    const good = Object.fromEntries(m.stateDict());
    const changed = (changes: Record<string, Tensor | null>): Record<string, Tensor> =>
      Object.fromEntries(Object.entries({ ...good, ...changes }).filter(([, t]) => t !== null)) as Record<
        string,
        Tensor
      >;
    const load = (d: Record<string, Tensor>, strict = true) => error(() => m.loadStateDict(d, { strict }));
    const wide = torch.ones(2, 2);
    return {
      missing: load(changed({ '0.weight': null })),
      unexpected: load(changed({ '2.weight': torch.ones(1), x: torch.ones(1) })),
      renamed: load(Object.fromEntries(Object.entries(good).map(([k, t]) => [k.replace('0.', 'first.'), t]))),
      size: load(changed({ '0.weight': wide })),
      sizeLoose: load(changed({ '0.weight': wide }), false),
      several: load(changed({ '0.weight': torch.ones(3), '0.bias': null, y: torch.ones(1) })),
      insideTensor: load(changed({ '0.weight.x': torch.ones(1) })),
      empty: load({}),
      kind: kind(() => m.loadStateDict([1] as never)),
    };
  },

  loosely() {
    const first = new nn.Linear(2, 1);
    const m = fill(new nn.Sequential(first));
    const result = m.loadStateDict({ '0.weight': torch.zeros(1, 2), 'other.weight': torch.ones(3) }, { strict: false });
    return {
      missing: result.missingKeys,
      unexpected: result.unexpectedKeys,
      text: String(result),
      weight: first.weight,
      bias: first.bias,
    };
  },

  whatFitsIsLoaded() {
    const m = fill(new nn.Linear(2, 1));
    const failed = error(() => m.loadStateDict({ weight: torch.ones(5), bias: torch.tensor([9]) }));
    return { failed: failed !== null, bias: m.bias, weight: m.weight };
  },

  assigned() {
    const m = new nn.Linear(2, 1);
    m.bias!.requiresGrad_(false);
    const weight = torch.ones(1, 2, { dtype: torch.float64 });
    const bias = new nn.Parameter(torch.ones(1));
    m.loadStateDict({ weight, bias }, { assign: true });
    const n = new nn.BatchNorm1d(2);
    const mean = torch.ones(2).mul(3);
    n.loadStateDict({ ...Object.fromEntries(n.stateDict()), running_mean: mean }, { assign: true });
    mean.zero_();
    return {
      type: String(m.weight.dtype),
      parameter: m.weight instanceof nn.Parameter,
      requires: [m.weight.requiresGrad, m.bias!.requiresGrad],
      shares: m.weight.dataPtr() === weight.dataPtr(),
      sameBias: m.bias === bias,
      mean: n.running_mean,
      buffer: new Map(n.namedBuffers()).has('running_mean'),
      size: error(() => m.loadStateDict({ weight: torch.ones(3), bias }, { assign: true })),
    };
  },

  scalarsAndShapes() {
    const five = torch.tensor(5, { dtype: torch.float32 });
    const m = single(torch.tensor(1, { dtype: torch.float32 }));
    m.loadStateDict({ s: torch.tensor([5]) });
    return {
      s: m.s,
      error: error(() => single(torch.ones(1)).loadStateDict({ s: five })),
      broadcast: error(() => new nn.Linear(2, 1).loadStateDict({ weight: torch.ones(1), bias: torch.ones(1) })),
    };
  },

  oldBatchNorm() {
    const m = new nn.BatchNorm1d(2);
    m(ramp(3, 2));
    const d = m.stateDict();
    d.delete('num_batches_tracked');
    const failed = error(() => new nn.BatchNorm1d(2).loadStateDict(d));
    d._metadata!.get('')!.version = 1;
    const n = new nn.BatchNorm1d(2);
    n.loadStateDict(d);
    const bare = new nn.BatchNorm1d(2);
    bare.loadStateDict(Object.fromEntries(d));
    return { new: failed, count: n.num_batches_tracked, mean: n.running_mean, bare: bare.num_batches_tracked };
  },

  extraState() {
    class Counted extends nn.Module {
      constructor(public n: number) {
        super();
        this.n = n;
      }
      override getExtraState(): unknown {
        return { n: this.n };
      }
      override setExtraState(state: unknown): void {
        this.n = (state as { n: number }).n;
      }
    }
    const counted = new Counted(0);
    const a = new nn.Sequential(new Counted(3));
    const b = new nn.Sequential(counted);
    b.loadStateDict(a.stateDict());
    return {
      keys: keys(a),
      n: counted.n,
      missing: error(() => b.loadStateDict({})),
      unexpected: error(() => new nn.Identity().loadStateDict({ _extra_state: 1 })),
      loose: b.loadStateDict({}, { strict: false }).missingKeys,
    };
  },

  partialLoading() {
    const first = new nn.Linear(2, 2);
    const small = fill(new nn.Sequential(first, new nn.ReLU()));
    const target = new nn.Linear(2, 2);
    const head = new nn.Linear(2, 1);
    const large = fill(new nn.Sequential(target, new nn.ReLU(), head));
    torch.noGrad(() => first.weight.fill_(5));
    const own = large.stateDict();
    for (const [k, t] of small.stateDict()) if (own.get(k)!.shape.join() === t.shape.join()) own.set(k, t);
    large.loadStateDict(own);
    const result = large.loadStateDict(small.stateDict(), { strict: false });
    return { weight: target.weight, missing: result.missingKeys, head: head.bias };
  },

  destinationAndPrefix() {
    const d = new nn.Linear(1, 1).stateDict({ prefix: 'a.' });
    const out = new nn.Linear(1, 1).stateDict({ destination: d, prefix: 'b.' });
    return { same: out === d, keys: [...out.keys()], metadata: [...out._metadata!.keys()] };
  },

  sharedAndMissingParts() {
    const [a, b] = [new nn.Linear(1, 1, { bias: false }), new nn.Linear(1, 1, { bias: false })];
    const net = new nn.Sequential(a, b);
    b.weight = a.weight;
    net.loadStateDict({ '0.weight': torch.tensor([[1]]), '1.weight': torch.tensor([[2]]) });
    const m = new nn.Module() as nn.Module & { a: nn.Module | null };
    m.a = new nn.Linear(1, 1);
    m.a = null;
    return { tied: a.weight, keys: keys(m), loads: String(m.loadStateDict({})) };
  },

  nonPersistent() {
    const m = new nn.Module();
    m.registerBuffer('kept', torch.ones(1));
    m.registerBuffer('loose', torch.ones(1), { persistent: false });
    const first = keys(m);
    m.registerBuffer('loose', torch.ones(1));
    m.registerBuffer('kept', torch.ones(1), { persistent: false });
    return {
      first,
      later: keys(m),
      refused: error(() => m.loadStateDict({ loose: torch.zeros(1), kept: torch.zeros(1) })),
    };
  },
});
