// All schedulers against the rates that PyTorch's gave.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { nn, optim } from 'flambeau';

const S = optim.lrScheduler;
interface Case {
  scheduler: string;
  options: Record<string, unknown>;
  optimizer: 'SGD' | 'Adam';
  rates: number[][];
  momenta: number[][];
  state: Record<string, unknown>;
}
const cases = JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'schedulers.json'), 'utf8')) as Case[];

interface Group {
  lr: number;
  momentum?: number;
  betas?: number[];
}
const STEPS = 14;

function makeOptimizer(kind: 'SGD' | 'Adam'): optim.SGD | optim.Adam {
  const groups = [0.1, 0.4].map((lr) => ({ params: [new nn.Parameter(torch.zeros(2))], lr }));
  return kind === 'SGD' ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups);
}

/** T_max is tMax, as in all options. */
const optionName = (key: string): string =>
  key.replace(/^[A-Z]+/, (c) => c.toLowerCase()).replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());

function makeScheduler(c: Case, opt: optim.SGD | optim.Adam): optim.lrScheduler.LRScheduler {
  const options = Object.fromEntries(Object.entries(c.options).map(([k, v]) => [optionName(k), v]));
  switch (c.scheduler) {
    case 'LambdaLR':
    case 'MultiplicativeLR':
      return new S[c.scheduler](opt, { lrLambda: (e: number) => 1 / (1 + e) });
    case 'SequentialLR':
      return new S.SequentialLR(opt, {
        schedulers: [new S.ConstantLR(opt, 0.1, 3), new S.CosineAnnealingLR(opt, 4), new S.ExponentialLR(opt, 0.7)],
        milestones: [3, 7],
      });
    case 'ChainedScheduler':
      return new S.ChainedScheduler([new S.ConstantLR(opt, 0.1, 3), new S.ExponentialLR(opt, 0.7)]);
    case 'SWALR':
      return new optim.swaUtils.SWALR(opt, options as never);
    default: {
      const Class = (S as unknown as Record<string, new (o: unknown, s: object) => optim.lrScheduler.LRScheduler>)[
        c.scheduler
      ]!;
      return new Class(opt, options);
    }
  }
}

function run(
  c: Case,
  opt: optim.SGD | optim.Adam,
  scheduler: optim.lrScheduler.LRScheduler,
  from: number,
  to: number,
): void {
  for (let step = from; step < to; step++) {
    const groups = opt.paramGroups as Group[];
    groups.forEach((g, i) => {
      expect(Math.abs(g.lr - c.rates[step]![i]!)).toBeLessThan(1e-12);
      expect(g.betas?.[0] ?? g.momentum).toBeCloseTo(c.momenta[step]![i]!, 12);
    });
    opt.step();
    if (scheduler instanceof S.ReduceLROnPlateau) scheduler.step(Math.sin(step));
    else scheduler.step();
  }
}

/** Numbers that JSON does not have are words in the recording; a Map is its object. */
const plain = (v: unknown): unknown =>
  v === Infinity
    ? 'inf'
    : v === -Infinity
      ? '-inf'
      : v instanceof Map
        ? Object.fromEntries([...v].map(([k, x]) => [String(k), plain(x)]))
        : Array.isArray(v)
          ? v.map(plain)
          : v !== null && typeof v === 'object'
            ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
            : v;

/** The same keys in the same order, and the same values but for rounding. */
function expectSame(found: unknown, wanted: unknown): void {
  if (typeof wanted === 'number') expect(found as number).toBeCloseTo(wanted, 10);
  else if (Array.isArray(wanted)) {
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((w, i) => expectSame((found as unknown[])[i], w));
  } else if (wanted !== null && typeof wanted === 'object') {
    expect(Object.keys(found as object)).toEqual(Object.keys(wanted));
    for (const [k, w] of Object.entries(wanted)) expectSame((found as Record<string, unknown>)[k], w);
  } else expect(found).toEqual(wanted);
}

describe.each(cases.map((c) => [`${c.scheduler} ${JSON.stringify(c.options)} on ${c.optimizer}`, c] as const))(
  '%s',
  (_, c) => {
    test('gives the same rates and momenta', () => {
      const opt = makeOptimizer(c.optimizer);
      const scheduler = makeScheduler(c, opt);
      run(c, opt, scheduler, 0, STEPS);
      expect(scheduler.getLastLr()).toEqual(opt.paramGroups.map((g) => g.lr));
    });

    test('has the same state dict', () => {
      const opt = makeOptimizer(c.optimizer);
      const scheduler = makeScheduler(c, opt);
      run(c, opt, scheduler, 0, STEPS);
      const state = plain(scheduler.stateDict()) as Record<string, unknown>;
      delete state['lr_lambdas'];
      expectSame(state, c.state);
    });

    test('goes on from a state dict', () => {
      const opt = makeOptimizer(c.optimizer);
      const scheduler = makeScheduler(c, opt);
      run(c, opt, scheduler, 0, 6);
      const other = makeOptimizer(c.optimizer);
      const resumed = makeScheduler(c, other);
      resumed.loadStateDict(scheduler.stateDict());
      other.loadStateDict(opt.stateDict());
      run(c, other, resumed, 6, STEPS);
    });
  },
);

test('a scheduler of the user computes its rates from getLr', () => {
  class Halving extends S.LRScheduler {
    override getLr(): number[] {
      return this.baseLrs.map((lr) => lr / 2 ** this.lastEpoch);
    }
  }
  const opt = makeOptimizer('SGD');
  const scheduler = new Halving(opt);
  opt.step();
  scheduler.step();
  expect(scheduler.getLastLr()).toEqual([0.05, 0.2]);
});

test('CyclicLR takes a function for its heights, which the state dict leaves out', () => {
  const opt = makeOptimizer('SGD');
  const scheduler = new S.CyclicLR(opt, 0.1, 0.5, {
    stepSizeUp: 1,
    scaleFn: (cycle) => 1 / cycle,
    cycleMomentum: false,
  });
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) {
    seen.push(opt.paramGroups[0]!.lr);
    opt.step();
    scheduler.step();
  }
  expect(seen.map((x) => Number(x.toFixed(6)))).toEqual([0.1, 0.5, 0.1, 0.3]);
  expect(scheduler.stateDict()['_scale_fn_custom']).toBeNull();
});

test('a factor of zero cannot be taken back', () => {
  const opt = makeOptimizer('SGD');
  const scheduler = new S.ConstantLR(opt, { factor: 0, totalIters: 2 });
  opt.step();
  scheduler.step();
  opt.step();
  expect(() => scheduler.step()).toThrow(new torch.RuntimeError('float division by zero'));
  expect(opt.paramGroups[0]!.lr).toBe(0);
});

test('wrong arguments are refused', () => {
  const opt = makeOptimizer('SGD');
  expect(() => new S.StepLR({} as never, 3)).toThrow(TypeError);
  expect(() => new S.StepLR(opt, { stepsize: 3 } as never)).toThrow(
    "StepLR() got an unexpected keyword argument 'stepsize'",
  );
  expect(() => new S.StepLR(...([opt] as never))).toThrow("StepLR() missing a required argument: 'stepSize'");
  expect(() => new S.LambdaLR(opt, [() => 1, () => 1, () => 1])).toThrow('Expected 2 lr_lambdas, but got 3');
  expect(() => new S.OneCycleLR(opt, 0.1)).toThrow(
    'You must define either total_steps OR (epochs AND steps_per_epoch)',
  );
  expect(() => new S.SequentialLR(opt, [new S.ConstantLR(opt)], [1])).toThrow('number of schedulers 1');
  expect(() => new S.ChainedScheduler([new S.ConstantLR(opt), new S.ConstantLR(makeOptimizer('SGD'))])).toThrow(
    'same optimizer',
  );
  expect(() => new S.ExponentialLR(opt, 0.9, 3)).not.toThrow();
  expect(() => new S.ExponentialLR(makeOptimizer('SGD'), 0.9, 3)).toThrow("param 'initial_lr' is not specified");
  const cycle = new S.OneCycleLR(opt, 0.1, { totalSteps: 2 });
  cycle.step();
  cycle.step();
  expect(() => cycle.step()).toThrow('Tried to step 3 times. The specified number of total steps is 2');
});
