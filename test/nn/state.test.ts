// State dicts: what they hold, what loading accepts, and what it says about what it does not.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, thrown } from './module_support';

describe('stateDict', () => {
  test('the order and the prefix', () => {
    class Net extends nn.Module {
      b = new nn.Linear(2, 2);
      scale = new nn.Parameter(torch.ones(1));
      again = this.b;
      norm = new nn.BatchNorm1d(2);
      constructor() {
        super();
        this.registerBuffer('mean', torch.zeros(2));
        this.registerBuffer('temporary', torch.zeros(1), false);
        this.registerBuffer('nothing', null);
      }
    }
    const keys = [
      'scale',
      'mean',
      'b.weight',
      'b.bias',
      'again.weight',
      'again.bias',
      'norm.weight',
      'norm.bias',
      'norm.running_mean',
      'norm.running_var',
      'norm.num_batches_tracked',
    ];
    const state = new Net().stateDict();
    expect([...state.keys()]).toEqual(keys);
    expect([...new Net().stateDict({ prefix: 'p.' }).keys()]).toEqual(keys.map((k) => `p.${k}`));
    expect([...state._metadata!]).toEqual([
      ['', { version: 1 }],
      ['b', { version: 1 }],
      ['again', { version: 1 }],
      ['norm', { version: 2 }],
    ]);
  });

  test('its tensors share memory with the module; keepVars keeps the parameters', () => {
    const m = fill(new nn.Linear(2, 1));
    const state = m.stateDict();
    torch.noGrad(() => m.bias!.add_(1));
    expectTensor(state.get('bias')!, [1], [1.14112]);
    expect(state.get('bias')!.requiresGrad).toBe(false);
    expect(m.stateDict({ keepVars: true }).get('bias')).toBe(m.bias);
  });

  test('it can be added to another', () => {
    const destination = new nn.Linear(1, 1).stateDict({ prefix: 'a.' });
    const out = new nn.Linear(1, 1).stateDict({ destination, prefix: 'b.' });
    expect(out).toBe(destination);
    expect([...out.keys()]).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias']);
    expect([...out._metadata!.keys()]).toEqual(['a', 'b']);
  });
});

describe('loadStateDict', () => {
  test('copies values into the parameters that exist, converting the dtype', () => {
    const m = fill(new nn.Linear(2, 1));
    const { weight } = m;
    const source = torch.tensor([[5, 6]], { dtype: torch.float64 });
    const result = m.loadStateDict({ weight: source, bias: torch.tensor([7n]) });
    source.zero_();
    expect(m.weight).toBe(weight);
    expectTensor(weight, [1, 2], [5, 6]);
    expectTensor(m.bias, [1], [7]);
    expect([weight.dtype, weight.requiresGrad]).toEqual([torch.float32, true]);
    expect(String(result)).toBe('<All keys matched successfully>');
    const [missing, unexpected] = result;
    expect([missing, unexpected, result.missingKeys, result.unexpectedKeys]).toEqual([[], [], [], []]);
  });

  test('with assign the tensors themselves take the places', () => {
    const m = new nn.Linear(2, 1);
    const weight = torch.ones(1, 2, { dtype: torch.float64 });
    const bias = new nn.Parameter(torch.ones(1));
    m.bias!.requiresGrad_(false);
    const state = m.stateDict();
    state.set('weight', weight).set('bias', bias);
    m.loadStateDict(state, { assign: true });
    expect(m.weight).toBeInstanceOf(nn.Parameter);
    expect([m.weight.dtype, m.weight.requiresGrad]).toEqual([torch.float64, true]);
    weight.fill_(3);
    expectTensor(m.weight, [1, 2], [3, 3]);
    expect(m.bias).toBe(bias);
    expect(bias.requiresGrad).toBe(false);
    expect(state._metadata!.get('')).toEqual({ version: 1 });
  });

  test('without strict, what is missing and unexpected is told', () => {
    const m = new nn.Sequential(new nn.Linear(2, 1));
    const state = m.stateDict();
    state.set('extra', torch.ones(1));
    state.delete('0.bias');
    const { missingKeys, unexpectedKeys } = m.loadStateDict(state, false);
    expect([missingKeys, unexpectedKeys]).toEqual([['0.bias'], ['extra']]);
    expect(String(m.loadStateDict(state, { strict: false }))).toBe(
      "_IncompatibleKeys(missing_keys=['0.bias'], unexpected_keys=['extra'])",
    );
    expect(state.size).toBe(2);
  });

  test('all that is wrong comes in one error', () => {
    const m = new nn.Sequential(new nn.Linear(2, 1));
    const fails = (state: Record<string, unknown>): unknown => thrown(() => m.loadStateDict(state));
    expect(fails({ '0.weight': torch.ones(3), '0.bias': 5 })).toEqual({
      type: 'RuntimeError',
      message:
        'Error(s) in loading state_dict for Sequential:\n\tsize mismatch for 0.weight: copying a param with shape ' +
        'torch.Size([3]) from checkpoint, the shape in current model is torch.Size([1, 2]).\n\tWhile copying the parameter ' +
        'named "0.bias", expected torch.Tensor or Tensor-like object from checkpoint but received number',
    });
    expect(fails({ '0.weight': torch.ones(1, 2), '1.weight': torch.ones(1), other: torch.ones(1) })).toEqual({
      type: 'RuntimeError',
      message:
        'Error(s) in loading state_dict for Sequential:\n\tMissing key(s) in state_dict: "0.bias". \n\tUnexpected key(s) in ' +
        'state_dict: "1.weight", "other". ',
    });
  });

  test('what is no mapping is refused', () => {
    const m = new nn.Linear(1, 1);
    expect(() => m.loadStateDict(5 as never)).toThrow('Expected state_dict to be dict-like, got number.');
    expect(() => m.loadStateDict(null as never)).toThrow(TypeError);
    expect(() => m.loadStateDict([torch.ones(1)] as never)).toThrow(TypeError);
    expect(() => m.loadStateDict(new Map([[5, torch.ones(1)]]) as never)).toThrow(TypeError);
    expect(() => m.loadStateDict(m.stateDict(), { stric: false } as never)).toThrow(
      "loadStateDict() got an unexpected keyword argument 'stric'",
    );
  });

  test('a scalar may come as a tensor of one element', () => {
    class Temperature extends nn.Module {
      value = new nn.Parameter(torch.tensor(1));
    }
    const m = new Temperature();
    m.loadStateDict({ value: torch.tensor([4]) });
    expect(m.value.item()).toBe(4);
  });

  test('keys that look like prototypes are only keys', () => {
    const m = new nn.Linear(1, 1);
    const state = new Map<string, unknown>([
      ...m.stateDict(),
      ['__proto__', torch.ones(1)],
      ['constructor.weight', torch.ones(1)],
    ]);
    expect([...m.loadStateDict(state, false).unexpectedKeys]).toEqual(['__proto__', 'constructor.weight']);
    expect(({} as { weight?: unknown }).weight).toBeUndefined();
  });

  test('a class can read older versions', () => {
    class Renamed extends nn.Module {
      static override readonly _version = 2;
      gain = new nn.Parameter(torch.zeros(1));
      override _loadFromStateDict(...args: Parameters<nn.Module['_loadFromStateDict']>): void {
        const [state, prefix, metadata] = args;
        if ((metadata.version ?? 1) < 2) {
          state.set(`${prefix}gain`, state.get(`${prefix}scale`));
          state.delete(`${prefix}scale`);
        }
        super._loadFromStateDict(...args);
      }
    }
    const m = new nn.Sequential(new Renamed());
    expect(m.stateDict()._metadata!.get('0')).toEqual({ version: 2 });
    expect(String(m.loadStateDict({ '0.scale': torch.tensor([3]) }))).toBe('<All keys matched successfully>');
    expectTensor((m[0] as Renamed).gain, [1], [3]);
    expect(String(m.loadStateDict(m.stateDict()))).toBe('<All keys matched successfully>');
  });

  test('extra state travels along', () => {
    class Counter extends nn.Module {
      count = 0;
      override getExtraState(): unknown {
        return { count: this.count };
      }
      override setExtraState(state: unknown): void {
        this.count = (state as { count: number }).count;
      }
    }
    const a = new nn.Sequential(new Counter());
    (a[0] as Counter).count = 3;
    const state = a.stateDict();
    expect([...state]).toEqual([['0._extra_state', { count: 3 }]]);
    const b = new nn.Sequential(new Counter());
    b.loadStateDict(state);
    expect((b[0] as Counter).count).toBe(3);
    expect(() => b.loadStateDict({})).toThrow('Missing key(s) in state_dict: "0._extra_state". ');
    expect(() => new nn.Sequential(new nn.ReLU()).loadStateDict(state)).toThrow(
      'Unexpected key(s) in state_dict: "0._extra_state". ',
    );
    expect(() => new nn.ReLU().getExtraState()).toThrow(torch.RuntimeError);
  });
});

describe('hooks of state dicts', () => {
  test('each runs at its place', () => {
    const log: unknown[] = [];
    const m = fill(new nn.Sequential(new nn.Linear(2, 1)));
    const inner = m[0]!;
    inner._registerStateDictHook((_, state, prefix) => void log.push(['state', [...state.keys()], prefix]));
    inner.registerStateDictPreHook((_, prefix, keepVars) => void log.push(['before', prefix, keepVars]));
    inner._registerLoadStateDictPreHook((state, prefix) => void log.push(['pre', prefix, [...state.keys()]]));
    m.registerLoadStateDictPostHook(
      (_, keys) => void log.push(['post', [...keys.missingKeys], [...keys.unexpectedKeys]]),
    );
    const state = m.stateDict();
    state.set('extra', torch.ones(1));
    state.delete('0.bias');
    m.loadStateDict(state, false);
    expect(log).toEqual([
      ['before', '0.', false],
      ['state', ['0.weight', '0.bias'], '0.'],
      ['pre', '0.', ['0.weight']],
      ['post', ['0.bias'], ['extra']],
    ]);
  });

  test('a load pre-hook sees its module and may rename keys', () => {
    const m = fill(new nn.Linear(1, 1));
    const handle = m.registerLoadStateDictPreHook((module, state, prefix) => {
      expect(module).toBe(m);
      for (const name of ['weight', 'bias']) {
        const old = `${prefix}old_${name}`;
        if (state.has(old)) state.set(prefix + name, state.get(old));
        state.delete(old);
      }
    });
    m.loadStateDict({ old_weight: torch.tensor([[2]]), old_bias: torch.tensor([3]) });
    expectTensor(m.weight, [1, 1], [2]);
    handle.remove();
    expect(() => m.loadStateDict({ old_weight: torch.tensor([[2]]), old_bias: torch.tensor([3]) })).toThrow(
      'Missing key(s)',
    );
  });

  test('a load post-hook may forgive', () => {
    const m = new nn.Linear(1, 1);
    m.registerLoadStateDictPostHook((_, keys) => {
      keys.missingKeys.length = 0;
    });
    expect(String(m.loadStateDict({ weight: torch.ones(1, 1) }))).toBe('<All keys matched successfully>');
    m.registerLoadStateDictPostHook((() => 5) as never);
    expect(() => m.loadStateDict(m.stateDict())).toThrow('are not expected to return new values');
  });

  test('a public post-hook changes the state dict in place, a private one may replace it', () => {
    const m = new nn.Linear(1, 1);
    const handle = m.registerStateDictPostHook((_, state) => {
      state.delete('bias');
    });
    expect([...m.stateDict().keys()]).toEqual(['weight']);
    handle.remove();
    const refused = m.registerStateDictPostHook((() => new Map()) as never);
    expect(() => m.stateDict()).toThrow('state_dict post-hook must return None');
    refused.remove();
    m._registerStateDictHook((_, state) => {
      const renamed = new torch.StateDict<Tensor>();
      for (const [key, value] of state) renamed.set(`x_${key}`, value as Tensor);
      return renamed;
    });
    expect([...m.stateDict().keys()]).toEqual(['x_weight', 'x_bias']);
  });
});
