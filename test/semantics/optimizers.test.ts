// Optimizers and schedulers around the step. The programs are those of scripts/semantics/optimizers.py.
import torch, { nn, optim, type Tensor } from 'flambeau';
import { fill, ramp } from '../nn/module_support';
import { error, floats, kind, leaf, programs } from './support';

const L = optim.lrScheduler;
const wrong = (value: unknown): never => value as never;

function step(m: nn.Linear, o: optim.Optimizer, k: number): void {
  o.zeroGrad();
  m(ramp(3, 2).add(k)).pow(2).mean().backward();
  o.step();
}
const rateOf = (o: optim.Optimizer): number => o.paramGroups[0]!.lr as number;

programs('optimizers', {
  errors() {
    const p = new nn.Parameter(torch.ones(1));
    const sgd = () => new optim.SGD([p], { lr: 0.1 });
    return {
      empty: error(() => new optim.SGD([], { lr: 0.1 })),
      tensor: error(() => new optim.SGD(wrong(p), { lr: 0.1 })),
      negative: error(() => new optim.Adam([p], { lr: -1 })),
      betas: error(() => new optim.Adam([p], { betas: [1.5, 0.9] })),
      second: error(() => new optim.Adam([p], { betas: [0.5, 2.5] })),
      eps: error(() => new optim.Adam([p], { eps: -0.5 })),
      decay: error(() => new optim.AdamW([p], { weightDecay: -0.5 })),
      momentum: error(() => new optim.SGD([p], { lr: 0.1, momentum: -0.5 })),
      nesterov: error(() => new optim.SGD([p], { lr: 0.1, nesterov: true })),
      twice: error(() => new optim.SGD([{ params: [p] }, { params: [p] }], { lr: 0.1 })),
      nonLeaf: error(() => new optim.SGD([p.mul(2)], { lr: 0.1 })),
      notTensor: kind(() => new optim.SGD(wrong([3]), { lr: 0.1 })),
      loadGroups: error(() => sgd().loadStateDict(wrong({ state: {}, param_groups: [] }))),
      loadSizes: error(() => sgd().loadStateDict(wrong({ state: {}, param_groups: [{ params: [0, 1] }] }))),
      groupKind: kind(() => sgd().addParamGroup(wrong([p]))),
      groupSet: kind(() => sgd().addParamGroup(wrong({ params: new Set([p]) }))),
      again: error(() => sgd().addParamGroup({ params: [p] })),
      constant: new optim.SGD([torch.ones(1)], { lr: 0.1 }).paramGroups[0]!.params[0] instanceof torch.Tensor,
    };
  },

  groups() {
    const [a, b, c] = [leaf([1]), leaf([2]), leaf([3])];
    const o = new optim.SGD(
      [
        { params: [a], lr: 0.5 },
        { params: b, momentum: 0.9 },
      ],
      { lr: 0.1, weightDecay: 0.01 },
    );
    o.addParamGroup({ params: [c], lr: 1 });
    const rates = o.paramGroups.map((g) => [g.lr, g.momentum, g.weightDecay, g.params.length]);
    for (let i = 0; i < 2; i++) {
      for (const p of [a, b, c]) p.grad = torch.ones(1);
      o.step();
    }
    o.paramGroups[0]!.lr = 0;
    const before = a.detach().clone();
    o.step();
    return { rates, values: [a, b, c], stopped: torch.equal(before, a.detach()), text: String(o) };
  },

  stateDictRoundTrip() {
    const a = fill(new nn.Linear(2, 1));
    const oa = new optim.Adam(a.parameters(), { lr: 0.1 });
    for (let k = 0; k < 3; k++) step(a, oa, k);
    const b = fill(new nn.Linear(2, 1));
    b.loadStateDict(a.stateDict());
    const ob = new optim.Adam(b.parameters(), { lr: 0.5 });
    const d = torch.deepcopy(oa.stateDict());
    ob.loadStateDict(d);
    for (let k = 0; k < 3; k++) {
      step(a, oa, k);
      step(b, ob, k);
    }
    const [first] = d.param_groups;
    return {
      a: [...a.parameters()],
      b: [...b.parameters()],
      lr: rateOf(ob),
      keys: [Object.keys(d), [...d.state.keys()], Object.keys(d.state.get(0)!), Object.keys(first!)],
      step: oa.state.get([...a.parameters()][0]!)!.step,
      params: first!.params,
    };
  },

  gradientsAndSteps() {
    const [a, b] = [leaf([1]), leaf([2])];
    const o = new optim.SGD([a, b], { lr: 0.1, momentum: 0.9 });
    a.grad = torch.ones(1);
    o.step();
    const states = o.state.size;
    o.zeroGrad();
    const none = a.grad === null;
    a.grad = torch.ones(1);
    o.zeroGrad({ setToNone: false });
    const seen: boolean[] = [];
    const closure = (): Tensor => {
      seen.push(torch.isGradEnabled());
      o.zeroGrad();
      const loss = a.mul(3).sum();
      loss.backward();
      return loss;
    };
    const loss = torch.noGrad(() => o.step(closure));
    return { a: a.clone(), b, states, none, seen, loss, returns: o.step() ?? null };
  },

  hooks() {
    const log: unknown[] = [];
    const p = leaf([1]);
    const o = new optim.SGD([p], { lr: 0.1 });
    const handle = o.registerStepPreHook(() => void log.push('pre'));
    o.registerStepPostHook(() => void log.push(['post', p.detach().clone()]));
    o.registerStateDictPreHook(() => void log.push('state pre'));
    o.registerStateDictPostHook((_, d) => void log.push(['state post', Object.keys(d)]));
    o.registerLoadStateDictPreHook(() => void log.push('load pre'));
    o.registerLoadStateDictPostHook(() => void log.push('load post'));
    p.grad = torch.ones(1);
    o.step();
    handle.remove();
    o.step();
    o.loadStateDict(o.stateDict());
    return { log };
  },

  maximisedAndShared() {
    const [p, q] = [leaf([1]), leaf([1])];
    const g = floats(2);
    p.grad = g;
    q.grad = g;
    new optim.SGD([p], { lr: 0.5, maximize: true }).step();
    new optim.AdamW([q], { lr: 0.5, maximize: true }).step();
    return { p, q };
  },

  schedules() {
    const m = fill(new nn.Linear(2, 1));
    const o = new optim.SGD([{ params: [m.weight], lr: 0.4 }, { params: [m.bias!] }], { lr: 0.1 });
    const s = new L.StepLR(o, 2, { gamma: 0.5 });
    const rates = Array.from({ length: 5 }, (_, k) => {
      step(m, o, k);
      const now = [...s.getLastLr()];
      s.step();
      return now;
    });
    const d = s.stateDict();
    const t = new L.StepLR(new optim.SGD(fill(new nn.Linear(2, 1)).parameters(), { lr: 0.1 }), 7);
    t.loadStateDict(d);
    return {
      rates,
      initial: o.paramGroups.map((g) => g.initialLr),
      loaded: [t.stepSize, t.gamma, t.lastEpoch],
      keys: Object.keys(d).sort(),
      kind: kind(() => new L.StepLR(wrong(3), 1)),
      resumed: kind(() => new L.StepLR(new optim.SGD([leaf([1])], { lr: 0.1 }), 1, { lastEpoch: 3 })),
    };
  },

  composedSchedules() {
    const rates = (make: (o: optim.Optimizer) => { step(): void }, steps = 8): number[] => {
      const o = new optim.SGD([leaf([1])], { lr: 1 });
      const s = make(o);
      return Array.from({ length: steps }, () => {
        const now = rateOf(o);
        o.step();
        s.step();
        return now;
      });
    };
    const falling = (o: optim.Optimizer) => new L.ExponentialLR(o, 0.5);
    return {
      warmUp: rates((o) => new L.SequentialLR(o, [new L.LinearLR(o, 0.1, { totalIters: 3 }), falling(o)], [3])),
      chained: rates((o) => new L.ChainedScheduler([new L.ConstantLR(o, 0.5, 2), new L.ExponentialLR(o, 0.9)])),
      cosine: rates((o) => new L.CosineAnnealingLR(o, 4, 0.1)),
      restarts: rates((o) => new L.CosineAnnealingWarmRestarts(o, 3, 2)),
      cycle: rates((o) => new L.OneCycleLR(o, 2, { totalSteps: 9 })),
      milestones: error(() => rates((o) => new L.SequentialLR(o, [falling(o)], [3]))),
    };
  },

  plateau() {
    const o = new optim.SGD([leaf([1])], { lr: 1 });
    const s = new L.ReduceLROnPlateau(o, { factor: 0.5, patience: 1, threshold: 0.1, cooldown: 1, minLr: 0.2 });
    const rates = [1, 0.95, 0.94, 0.93, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5].map((v) => {
      s.step(v);
      return rateOf(o);
    });
    return {
      rates,
      bad: s.numBadEpochs,
      best: s.best,
      mode: error(() => new L.ReduceLROnPlateau(o, wrong('middle'))),
      factor: error(() => new L.ReduceLROnPlateau(o, { factor: 1.5 })),
    };
  },

  averages() {
    const m = fill(new nn.Sequential(new nn.Linear(2, 1), new nn.BatchNorm1d(1)));
    const ema = new optim.swaUtils.AveragedModel(m, { multiAvgFn: optim.swaUtils.getEmaMultiAvgFn(0.5) });
    const swa = new optim.swaUtils.AveragedModel(m);
    for (let k = 0; k < 3; k++) {
      torch.noGrad(() => {
        for (const p of m.parameters()) p.add_(k + 1);
      });
      ema.updateParameters(m);
      swa.updateParameters(m);
    }
    return {
      ema: [...ema.parameters()],
      swa: [...swa.parameters()],
      count: swa.n_averaged,
      keys: [...swa.stateDict().keys()],
    };
  },
});
