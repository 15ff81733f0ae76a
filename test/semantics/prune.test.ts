// Pruning: masks, their combination and removal. The programs are those of scripts/semantics/prune.py.
import torch, { nn, optim, type Tensor } from 'flambeau';
import { fill, names, ramp } from '../nn/module_support';
import { error, kind, programs } from './support';

const Q = nn.utils.prune;
type Pruned = nn.Linear & {
  weight_mask: Tensor;
  weight_orig: nn.Parameter;
  bias_mask: Tensor;
};
const linear = (inside = 4, outside = 3): Pruned => fill(new nn.Linear(inside, outside)) as Pruned;
const keys = (m: nn.Module): string[] => [...m.stateDict().keys()];
const parameters = (m: nn.Module): string[] => names(m.namedParameters());

class Every extends Q.BasePruningMethod {
  static override PRUNING_TYPE = 'unstructured' as const;
  constructor(readonly step: number) {
    super();
    this.step = step;
  }
  override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
    const mask = defaultMask.clone();
    mask
      .view(-1)
      .index(torch.slice(null, null, this.step))
      .fill_(0);
    return mask;
  }
}

programs('prune', {
  oneMethod() {
    const m = linear();
    const before = m.weight;
    const same = Q.l1Unstructured(m, 'weight', 0.4) === m;
    const found: Record<string, unknown> = {
      same,
      parameters: parameters(m),
      buffers: names(m.namedBuffers()),
      state: keys(m),
      mask: m.weight_mask.clone(),
      weight: m.weight.clone(),
      original: m.weight_orig === before,
      parameter: (m.weight as Tensor) instanceof nn.Parameter,
      hooks: m._forwardPreHooks.size,
      pruned: [Q.isPruned(m), Q.isPruned(new nn.Sequential(m)), Q.isPruned(linear())],
    };
    const y = m(ramp(2, 4));
    y.sum().backward();
    found.y = y;
    found.grad = m.weight_orig.grad;
    Q.remove(m, 'weight');
    found.after = [parameters(m), keys(m), m.weight === before, m._forwardPreHooks.size, Q.isPruned(m)];
    found.kept = m.weight;
    found.again = error(() => Q.remove(m, 'weight'));
    return found;
  },

  methods() {
    const mask = (prune: (m: Pruned) => unknown): Tensor => {
      const m = linear();
      prune(m);
      return m.weight_mask;
    };
    const conv = fill(new nn.Conv2d(2, 4, 2)) as nn.Conv2d & { weight_mask: Tensor };
    Q.lnStructured(conv, 'weight', 2, 1, 0);
    return {
      identity: mask((m) => Q.identity(m, 'weight')),
      l1: mask((m) => Q.l1Unstructured(m, 'weight', 5)),
      rows: mask((m) => Q.lnStructured(m, 'weight', 1, 2, 0)),
      columns: mask((m) => Q.lnStructured(m, 'weight', 0.5, Infinity, 1)),
      last: mask((m) => Q.lnStructured(m, 'weight', 1, 2, -1)),
      custom: mask((m) => Q.customFromMask(m, 'weight', torch.eye(3, 4))),
      scores: mask((m) => Q.l1Unstructured(m, 'weight', 9, { importanceScores: ramp(3, 4) })),
      none: mask((m) => Q.l1Unstructured(m, 'weight', 0)),
      all: mask((m) => Q.l1Unstructured(m, 'weight', 12)),
      rounded: mask((m) => Q.l1Unstructured(m, 'weight', 0.21)),
      conv: conv.weight_mask.sum([1, 2, 3]),
      random: mask((m) => Q.randomUnstructured(m, 'weight', 4)),
      randomRows: mask((m) => Q.randomStructured(m, 'weight', 2, 0)),
    };
  },

  combined() {
    const m = linear();
    Q.l1Unstructured(m, 'weight', 0.5);
    const first = m.weight_mask.clone();
    Q.l1Unstructured(m, 'weight', 0.5);
    const second = m.weight_mask.clone();
    const both = Q.LnStructured.apply(m, 'weight', 1, 2, 0) as InstanceType<typeof Q.PruningContainer>;
    const found: Record<string, unknown> = {
      first,
      second,
      third: m.weight_mask,
      container: both.constructor.name,
      len: both.length,
      types: [...both].map((method) => method.constructor.name),
      original: m.weight_orig.clone(),
    };
    Q.remove(m, 'weight');
    found.weight = m.weight;
    return found;
  },

  twoTensors() {
    const m = linear();
    Q.l1Unstructured(m, 'weight', 3);
    Q.l1Unstructured(m, 'bias', 1);
    const found: Record<string, unknown> = {
      state: keys(m),
      parameters: parameters(m),
      y: m(ramp(1, 4)),
      bias: m.bias,
    };
    Q.remove(m, 'weight');
    found.left = [keys(m), Q.isPruned(m)];
    return found;
  },

  everywhereAtOnce() {
    const [a, b] = [linear(2, 3), linear(3, 2)];
    const weights: [nn.Module, string][] = [
      [a, 'weight'],
      [b, 'weight'],
    ];
    Q.globalUnstructured([...weights, [b, 'bias']], Q.L1Unstructured, { amount: 0.5 });
    const first = [a.weight_mask.clone(), b.weight_mask.clone(), b.bias_mask.clone()];
    Q.globalUnstructured(weights, Q.L1Unstructured, { amount: 2 });
    return {
      first,
      second: [a.weight_mask, b.weight_mask],
      structured: kind(() => Q.globalUnstructured([[a, 'weight']], Q.LnStructured, { amount: 1, n: 2 })),
      kind: kind(() => Q.globalUnstructured(3 as never, Q.L1Unstructured, { amount: 1 })),
      amount: kind(() => Q.globalUnstructured([[a, 'bias']], Q.L1Unstructured, { amount: 9 })),
    };
  },

  ownMethod() {
    const m = linear();
    const method = Every.apply(m, 'weight', 2);
    const first = m.weight_mask.clone();
    const both = Every.apply(m, 'weight', 3);
    const some = ramp(4).add(1);
    return {
      first,
      second: m.weight_mask,
      classes: [method.constructor.name, both.constructor.name],
      tensor: new Every(2).prune(some),
      withMask: new Every(2).prune(some, torch.tensor([1, 1, 1, 0]).float()),
    };
  },

  refused() {
    const m = linear();
    const found: Record<string, unknown> = {
      missing: error(() => Q.l1Unstructured(m, 'other', 1)),
      negative: error(() => Q.l1Unstructured(m, 'weight', -1)),
      share: kind(() => Q.l1Unstructured(m, 'weight', 1.5)),
      many: error(() => Q.l1Unstructured(m, 'weight', 13)),
      kind: kind(() => Q.l1Unstructured(m, 'weight', 'x' as never)),
      dim: kind(() => Q.lnStructured(m, 'weight', 1, 2, 2)),
      vector: error(() => Q.lnStructured(m, 'bias', 1, 2, 0)),
      scores: kind(() => Q.l1Unstructured(m, 'weight', 1, torch.ones(2))),
    };
    found.unchanged = [keys(m), m._forwardPreHooks.size, m.weight instanceof nn.Parameter];
    return found;
  },

  withTheRest() {
    const m = linear();
    Q.l1Unstructured(m, 'weight', 6);
    const optimizer = new optim.SGD(m.parameters(), { lr: 0.1 });
    for (let step = 0; step < 2; step++) {
      optimizer.zeroGrad();
      m(ramp(2, 4)).pow(2).sum().backward();
      optimizer.step();
    }
    const y = m(ramp(2, 4)).detach();
    const other = linear();
    Q.identity(other, 'weight');
    other.loadStateDict(m.stateDict());
    const z = other(ramp(2, 4)).detach();
    m.double();
    return {
      y,
      z,
      type: String(m(ramp(2, 4).double()).dtype),
      plain: error(() => linear().loadStateDict(m.stateDict())),
      deepcopy: error(() => torch.deepcopy(m)) !== null,
    };
  },
});
