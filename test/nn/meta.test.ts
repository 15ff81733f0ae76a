// Modules on the meta device: sizes without elements, moving there and back, and making modules without initial values.
import torch, { F, nn, type Tensor } from 'flambeau';
import { draw, drawAll, type Flat, gradients, tensorsOf } from './recorded';
import functional from './functional.json';
import recorded from './layers.json';

interface Case {
  class: string;
  args: unknown[];
  options: Record<string, unknown>;
  training: boolean;
  inputs: unknown[];
  call: Record<string, unknown>;
  repr: string;
  state: Record<string, Flat>;
  outputs: Flat[];
  grads: (Flat | null)[];
}
const cases = recorded as unknown as Case[];
const layers = nn as unknown as Record<string, new (...args: unknown[]) => nn.Module>;

/** Layers that look at lengths or classes. */
const READ_LAYERS: readonly string[] = ['AdaptiveLogSoftmaxWithLoss', 'CTCLoss'];

function make(c: Case): nn.Module {
  const given = Object.keys(c.options).length === 0 ? c.args : [...c.args, c.options];
  return new layers[c.class]!(...given).train(c.training);
}
const moved = (value: unknown): unknown =>
  value instanceof torch.Tensor ? value.detach().to('meta').requiresGrad_(value.requiresGrad) : value;

describe('every recorded layer', () => {
  test.each(cases.map((c, i) => [`${i} ${c.class}`, c] as const))('%s', (_name, c) => {
    torch.manualSeed(3);
    const state = torch.getRngState().tolist();
    const layer = torch.device('meta', () => make(c));
    expect(torch.getRngState().tolist()).toEqual(state);
    expect(String(layer)).toBe(c.repr);
    for (const t of layer.stateDict().values()) expect(t.isMeta).toBe(true);
    const inputs = c.inputs.map(draw).map(moved);
    const options = drawAll(c.call);
    const call = layer as unknown as (...args: unknown[]) => unknown;
    if (READ_LAYERS.includes(c.class)) return expect(() => call(...inputs)).toThrow(/meta/);
    const given = options && Object.fromEntries(Object.entries(options).map(([k, v]) => [k, moved(v)]));
    const outputs = tensorsOf(given === undefined ? call(...inputs) : call(...inputs, given));
    expect(outputs.map((t) => [t.isMeta, ...t.shape])).toEqual(c.outputs.map((t) => [true, ...t.shape]));
    const leaves = [
      ...inputs.filter((x) => x instanceof torch.Tensor && x.requiresGrad),
      ...layer.parameters(),
    ] as Tensor[];
    const grads = gradients(outputs, leaves);
    expect(grads.map((g) => g && [...g.shape])).toEqual(c.grads.map((g) => g && g.shape));
  });
});

describe('every recorded layer with parameters', () => {
  const withState = cases.filter((c) => Object.keys(c.state).length > 0);
  test.each(withState.map((c, i) => [`${i} ${c.class}`, c] as const))('%s takes device and dtype', (_name, c) => {
    const options = { ...c.options, device: 'meta', dtype: torch.float64 };
    const layer = make({ ...c, options });
    for (const [name, t] of layer.stateDict())
      expect([name, t.isMeta, t.dtype.name]).toEqual([name, true, name.endsWith('tracked') ? 'int64' : 'float64']);
    const here = layer.toEmpty({ device: 'cpu' });
    for (const t of here.stateDict().values()) expect(t.isMeta).toBe(false);
    expect(String(here)).toBe(c.repr);
  });
});

interface Call {
  fn: string;
  args: unknown[];
  options: Record<string, unknown>;
  outputs: Flat[];
  grads: (Flat | null)[];
}
/** Recorded calls that read elements: of lengths, of places, of drawn numbers. */
const READ: readonly string[] = ['ctcLoss', 'oneHot'];

describe('every recorded function', () => {
  const functions = F as unknown as Record<string, (...args: unknown[]) => unknown>;
  test.each((functional as unknown as Call[]).map((c, i) => [`${i} ${c.fn}`, c] as const))('%s', (_name, c) => {
    const args = c.args.map(draw).map(moved);
    const options = drawAll(c.options);
    const given = options && Object.fromEntries(Object.entries(options).map(([k, v]) => [k, moved(v)]));
    const run = (): Tensor[] =>
      tensorsOf(given === undefined ? functions[c.fn]!(...args) : functions[c.fn]!(...args, given));
    if (READ.includes(c.fn)) return expect(run).toThrow(/meta/);
    const outputs = run();
    expect(outputs.map((t) => [t.isMeta, ...t.shape])).toEqual(c.outputs.map((t) => [true, ...t.shape]));
    const leaves = [...args, ...Object.values(given ?? {})].filter(
      (x) => x instanceof torch.Tensor && x.requiresGrad,
    ) as Tensor[];
    expect(gradients(outputs, leaves).map((g) => g && [...g.shape])).toEqual(c.grads.map((g) => g && g.shape));
  });
});

class Tied extends nn.Module {
  a = new nn.Linear(3, 3);
  b = new nn.Linear(3, 3);
  constructor() {
    super();
    this.b.weight = this.a.weight;
  }
  override forward(x: Tensor): Tensor {
    return this.b(this.a(x));
  }
}

describe('moving modules', () => {
  test('to meta and from it, parameters are new and those shared stay shared', () => {
    const m = new Tied();
    const { weight } = m.a;
    weight.requiresGrad_(false);
    m.to(torch.float64);
    expect([m.a.weight, m.b.weight]).toEqual([weight, weight]);
    m.to('meta');
    expect([m.a.weight === weight, m.b.weight === m.a.weight, m.a.weight.isMeta]).toEqual([false, true, true]);
    m.toEmpty({ device: 'cpu' });
    expect([m.b.weight === m.a.weight, m.a.weight.isMeta, m.a.weight.dtype.name]).toEqual([true, false, 'float64']);
    expect([m.a.weight.requiresGrad, m.a.bias!.requiresGrad, [...m.parameters()].length]).toEqual([false, true, 3]);
  });
  test('out of meta only without values', () => {
    const m = new nn.Linear(2, 2, { device: 'meta' });
    expect(() => m.to('cpu')).toThrow(
      'Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() ' +
        'when moving module from meta to a different device.',
    );
    expect(m.half().weight.dtype).toBe(torch.float16);
    expect(m.to({ dtype: torch.float64, device: 'meta' }).weight.dtype).toBe(torch.float64);
  });
  test('gradients move too', () => {
    const m = new nn.Linear(2, 2);
    m(torch.ones(1, 2)).sum().backward();
    m.to('meta');
    expect([m.weight.grad!.isMeta, m.weight.grad!.shape]).toEqual([true, [2, 2]]);
  });
  test('without what is below', () => {
    const m = torch.device('meta', () => new nn.Sequential(new nn.Linear(2, 2)));
    m.registerBuffer('own', torch.ones(1, { device: 'meta' }));
    m.toEmpty({ device: 'cpu', recurse: false });
    expect([...m.stateDict()].map(([k, t]) => [k, t.isMeta])).toEqual([
      ['own', false],
      ['0.weight', true],
      ['0.bias', true],
    ]);
  });
  test('a lazy layer stays lazy', () => {
    const m = new nn.LazyLinear(4).to('meta');
    expect(m.hasUninitializedParams()).toBe(true);
    expect(m(torch.ones(2, 3, { device: 'meta' })).shape).toEqual([2, 4]);
    expect([m.weight.isMeta, m.weight.shape]).toEqual([true, [4, 3]]);
    const bn = new nn.LazyBatchNorm1d().to('meta');
    expect(bn(torch.ones(2, 3, { device: 'meta' })).shape).toEqual([2, 3]);
    expect(bn.running_mean!.isMeta).toBe(true);
  });
  test('memory formats reach tensors of four dimensions', () => {
    const m = new nn.Sequential(new nn.Conv2d(2, 2, 3), new nn.Linear(2, 2)).to({ memoryFormat: 'channelsLast' });
    expect((m[0] as nn.Conv2d).weight.stride()).toEqual([18, 1, 6, 2]);
    expect((m[0] as nn.Conv2d).weight.isContiguous({ memoryFormat: 'channelsLast' })).toBe(true);
    expect(() => new nn.Conv3d(2, 2, 3).to({ memoryFormat: 'channelsLast' })).toThrow(
      'required rank 4 tensor to use channels_last format',
    );
  });
  test('type takes older names', () => {
    expect(new nn.Linear(2, 2).type('torch.DoubleTensor').weight.dtype).toBe(torch.float64);
    expect(new nn.BatchNorm1d(2).type(torch.float64).num_batches_tracked!.dtype).toBe(torch.float64);
    expect(() => new nn.Linear(2, 2).type('double')).toThrow("invalid type: 'double'");
  });
});

describe('loading onto meta', () => {
  const state = (): ReturnType<nn.Module['stateDict']> => new nn.Sequential(new nn.Linear(2, 3)).stateDict();
  const made = (): nn.Sequential => torch.device('meta', () => new nn.Sequential(new nn.Linear(2, 3)));

  test('with assign the values come in', () => {
    const m = made();
    const given = state();
    expect(String(m.loadStateDict(given, { assign: true }))).toBe('<All keys matched successfully>');
    expect(m(torch.ones(1, 2)).isMeta).toBe(false);
    expect([...m.parameters()].map((p) => [p instanceof nn.Parameter, p.requiresGrad])).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(torch.equal((m[0] as nn.Linear).weight, given.get('0.weight')!)).toBe(true);
  });
  test('without it nothing happens but a warning for each entry', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const m = made();
      m.loadStateDict(state());
      expect([...m.parameters()].every((p) => p.isMeta)).toBe(true);
      expect(warn.mock.calls.map(([text]) => String(text))).toEqual(
        ['0.weight', '0.bias'].map(
          (key) =>
            `for ${key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current model, ` +
            'which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary to their ' +
            'corresponding key in the module instead of copying them in place?)',
        ),
      );
    } finally {
      warn.mockRestore();
    }
  });
  test('sizes are checked all the same', () => {
    const m = torch.device('meta', () => new nn.Sequential(new nn.Linear(2, 4)));
    expect(() => m.loadStateDict(state(), { assign: true })).toThrow('size mismatch for 0.weight');
  });
  test('a state dict of meta tensors cannot fill a module', () => {
    const m = new nn.Sequential(new nn.Linear(2, 3));
    expect(() => m.loadStateDict(made().stateDict())).toThrow('Cannot copy out of meta tensor; no data!');
  });
});

describe('skipInit', () => {
  test('makes the module where its device says, and takes memory only there', () => {
    const state = torch.getRngState().tolist();
    const layer = nn.utils.skipInit(nn.Conv2d, 2, 3, 3, { bias: false, dtype: torch.float64 });
    expect([layer.weight.isMeta, layer.weight.dtype.name, layer.bias]).toEqual([false, 'float64', null]);
    expect(layer(torch.ones(1, 2, 4, 4, { dtype: torch.float64 })).shape).toEqual([1, 3, 2, 2]);
    const before = torch.memoryStats(true).bytes;
    const big = nn.utils.skipInit(nn.Linear, 1 << 20, 1 << 20, { device: 'meta' });
    expect([big.weight.isMeta, torch.memoryStats().bytes <= before]).toEqual([true, true]);
    expect(torch.getRngState().tolist()).toEqual(state);
  });
});

describe('old checkpoints', () => {
  test('instance normalisation of before version 1', () => {
    const m = new nn.InstanceNorm1d(2);
    const old = { running_mean: torch.zeros(2), running_var: torch.ones(2) };
    expect(() => m.loadStateDict(old)).toThrow(
      'Unexpected running stats buffer(s) "running_mean" and "running_var" for InstanceNorm1d with ' +
        'track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0',
    );
    expect(new nn.InstanceNorm1d(2, { trackRunningStats: true }).loadStateDict(old).missingKeys).toEqual([]);
  });
  test('batch normalisation without a count, onto meta', () => {
    const m = new nn.BatchNorm1d(2, { device: 'meta' });
    const old = new nn.BatchNorm1d(2).stateDict();
    old.delete('num_batches_tracked');
    m.loadStateDict(Object.fromEntries(old), { assign: true });
    expect([m.num_batches_tracked!.isMeta, m.num_batches_tracked!.item()]).toEqual([false, 0]);
  });
});
