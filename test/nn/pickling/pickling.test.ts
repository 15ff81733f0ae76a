// Whole modules in files: those of PyTorch rebuilt (record.py), ours opened by PyTorch where it is at hand (FLAMBEAU_PYTHON).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import torch, { nn, type Tensor } from 'flambeau';
import { draw, drawAll, expectFlat, type Flat, tensorsOf } from '../recorded';
import layerCases from '../layers.json';
import recorded from './modules.json';

const { serialization } = torch;
const fixture = (name: string): string => path.join(__dirname, name);
const load = <T = nn.Module>(name: string): T => torch.load<T>(fixture(name), { weightsOnly: false });
const again = <T>(value: T, options = {}): T =>
  torch.load<T>(serialization.saveToBytes(value, options), { weightsOnly: false });

type Class = new (...args: unknown[]) => nn.Module;
const classes = nn as unknown as Record<string, Class>;
const isModuleClass = (value: unknown): value is Class =>
  typeof value === 'function' && (value === nn.Module || value.prototype instanceof nn.Module);

interface Case {
  class: string;
  args: unknown[];
  options: Record<string, unknown>;
  training: boolean;
  inputs: unknown[];
  call: Record<string, unknown>;
  outputs: Flat[];
}
const cases = layerCases as unknown as Case[];

function make(c: Case): nn.Module {
  torch.manualSeed(3);
  const given = Object.keys(c.options).length === 0 ? c.args : [...c.args, c.options];
  return new classes[c.class]!(...given).train(c.training);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-modules-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
afterEach(() => serialization.clearSafeGlobals());

describe('a module of every class', () => {
  const loaded = load<Record<string, nn.Module>>('classes.pt') as unknown as Map<string, nn.Module>;
  const rows = recorded['classes.pt'] as [name: string, pythonName: string, text: string][];

  test('is in the file', () => {
    const own = Object.entries(nn).filter(([, value]) => isModuleClass(value));
    expect(own.map(([name]) => name).sort()).toEqual(rows.map(([name]) => name).sort());
  });

  test.each(rows)('%s', (name, pythonName, text) => {
    const module = loaded.get(name)!;
    expect(Object.getPrototypeOf(module)).toBe(classes[name]!.prototype);
    expect(String(module)).toBe(text);
    const copy = again(module);
    expect(String(copy)).toBe(text);
    expect([...copy.stateDict().keys()]).toEqual([...module.stateDict().keys()]);
    for (const pickleProtocol of [2, 4]) {
      const bytes = Buffer.from(serialization.saveToBytes(module, { pickleProtocol }));
      const dot = pythonName.lastIndexOf('.');
      expect(bytes.includes(pythonName.slice(0, dot))).toBe(true);
      expect(bytes.includes(pythonName.slice(dot + 1))).toBe(true);
    }
  });

  test('has settings like those of one that is made here', () => {
    // A rebuilt module has no property more or less than one from its constructor.
    const layers = load<nn.Module[]>('layers.pt');
    for (const [i, c] of cases.entries()) {
      const made = make(c);
      const found = layers[i]!;
      for (const [name, module] of made.namedModules()) {
        const other = found.getSubmodule(name);
        expect([i, c.class, name, Object.keys(other).sort()]).toEqual([i, c.class, name, Object.keys(module).sort()]);
      }
    }
  });
});

describe('layers of PyTorch compute what they computed there', () => {
  const layers = load<nn.Module[]>('layers.pt');

  test.each(cases.map((c, i) => [i, c.class, c] as const))('%d %s', (i, _name, c) => {
    expect(String(layers[i])).toBe(recorded['layers.pt'][i]);
    // The inputs are drawn after the module was made.
    make(c);
    const inputs = c.inputs.map(draw);
    const options = drawAll(c.call);
    for (const module of [layers[i]!, again(layers[i]!)]) {
      const call = module as unknown as (...args: unknown[]) => unknown;
      const outputs = tensorsOf(options === undefined ? call(...inputs) : call(...inputs, options));
      outputs.forEach((t, k) => expectFlat(`output ${k}`, t, c.outputs[k]!));
      // Batch statistics have moved on.
      if (Object.keys(c.call).length > 0 || /Norm/.test(c.class)) break;
    }
  });
});

type Recorded = Record<string, { text: string; output: number[] }>;
const INPUT = (): Tensor => torch.tensor([[0.5, -1, 2]]);

function expectOutputs(modules: Record<string, nn.Module>, want: Recorded): void {
  for (const [name, { text, output }] of Object.entries(want)) {
    const module = modules[name]!;
    expect([name, String(module)]).toEqual([name, text]);
    const found = (module.eval() as unknown as (x: Tensor) => Tensor)(INPUT());
    expectFlat(name, found.flatten(), { shape: [output.length], values: output });
  }
}

describe('what is special', () => {
  test('hooks that torch.nn itself sets', () => {
    const modules = load<Record<string, nn.Linear>>('hooks.pt');
    expectOutputs(modules, recorded['hooks.pt']);
    const copies = again(modules);
    expectOutputs(copies, recorded['hooks.pt']);
    nn.utils.removeWeightNorm(copies['weight_norm']!);
    nn.utils.removeWeightNorm(copies['bias_norm']!, 'bias');
    nn.utils.removeSpectralNorm(copies['spectral_norm']!);
    nn.utils.prune.remove(copies['pruned']!, 'weight');
    nn.utils.prune.remove(copies['twice']!, 'weight');
    nn.utils.prune.remove(copies['mask']!, 'bias');
    for (const module of Object.values(copies)) {
      expect([...module._parameters.keys()].sort()).toEqual(['bias', 'weight']);
      expect(module._forwardPreHooks.size + module._stateDictHooks.size + module._loadStateDictPreHooks.size).toBe(0);
    }
    expectOutputs(copies, recorded['hooks.pt']);
  });

  test('a lazy layer is still lazy, and learns its shape', () => {
    const layer = again(new nn.LazyConv2d(3, 2));
    expect(layer.hasUninitializedParams()).toBe(true);
    expect(layer(torch.ones(1, 2, 4, 4)).shape).toEqual([1, 3, 3, 3]);
    expect(Object.getPrototypeOf(layer)).toBe(nn.Conv2d.prototype);
    expect(String(again(layer))).toBe(String(layer));
  });

  test.each(['protocol0.pt', 'protocol1.pt', 'protocol4.pt', 'protocol5.pt'])('%s', (file) => {
    const model = load<nn.Sequential>(file);
    expect(model).toBeInstanceOf(nn.Sequential);
    expect([model.length, model.get(1)]).toEqual([2, model[1]]);
    const bias = file === 'protocol0.pt' ? torch.zeros(3) : (model[0] as nn.Linear).bias!.detach();
    expect(model(torch.zeros(1, 3)).equal(bias.tanh().unsqueeze(0))).toBe(true);
  });

  test('the legacy format, which has sources beside the classes', () => {
    expect(String(load('legacy.pt'))).toBe('Softsign()');
    expect(serialization.inspectFile(fixture('legacy.pt')).format).toBe('pytorch (legacy)');
  });

  test('modules of older versions, whose attributes were fewer', () => {
    expectOutputs(load<Record<string, nn.Module>>('old.pt'), recorded['old.pt']);
    const [list, dict, lstm] = load<[nn.ParameterList, nn.ParameterDict, nn.LSTM]>('old_containers.pt');
    expect([list.length, [...dict.keys()], lstm.projSize]).toEqual([2, ['b'], 0]);
    expect(lstm(torch.ones(2, 3))[0].shape).toEqual([2, 2]);
  });

  test('one module in two places is one module', () => {
    const { model, layer, epoch, weight } = load<{
      model: nn.Sequential;
      layer: nn.Linear;
      epoch: number;
      weight: nn.Parameter;
    }>('shared.pt');
    expect([model[0], model[2], layer.weight, epoch]).toEqual([layer, layer, weight, 3]);
    const copy = again({ model, weight });
    expect(copy.model[0]).toBe(copy.model[2]);
    expect((copy.model[0] as nn.Linear).weight).toBe(copy.weight);
  });

  test("attributes that are not the class's own stay", () => {
    const layer = load<nn.Sequential & { note: string; rate: number; place: unknown }>('noted.pt');
    expect([layer.note, layer.rate, String(layer.place)]).toEqual(['kept', 1, 'cuda:1']);
    expect(again(layer).note).toBe('kept');
  });

  test('functions are those of torch and torch.nn.functional', () => {
    expect(load<nn.TransformerEncoderLayer>('tanh.pt').activation).toBe(torch.tanh);
    const layer = new nn.TransformerEncoderLayer(4, 1, { dimFeedforward: 2 });
    expect(layer.activation).toBe(nn.functional.relu);
    expect(again(layer).activation).toBe(nn.functional.relu);
    expect(again([nn.functional.gelu, torch.sigmoid])).toEqual([nn.functional.gelu, torch.sigmoid]);
  });

  test('slices', () => {
    const [a, b] = again([torch.slice(1, 3), torch.slice(null, null, 2)]);
    expect([String(a), String(b)]).toEqual([String(torch.slice(1, 3)), String(torch.slice(null, null, 2))]);
  });
});

describe('what may be loaded', () => {
  test('modules are refused with weightsOnly, and the error says what to do', () => {
    for (const name of ['protocol4.pt', 'classes.pt', 'net.pt', 'legacy.pt']) {
      expect(() => torch.load(fixture(name))).toThrow(torch.RuntimeError);
      expect(() => torch.load(fixture(name))).toThrow(
        /Weights only load failed.*Unsupported global: GLOBAL (torch\.nn\.modules|modules\.Net).*addSafeGlobals.*weightsOnly: false/,
      );
    }
  });

  test('modules whose classes are allowed are loaded with weightsOnly', () => {
    const entries = [nn.Sequential, nn.Linear, nn.Tanh];
    const model = serialization.safeGlobals(entries, () => torch.load<nn.Sequential>(fixture('protocol4.pt')));
    expect(model).toBeInstanceOf(nn.Sequential);
    serialization.addSafeGlobals(entries);
    expect(serialization.getSafeGlobals().map(([, name]) => name)).toEqual([
      'torch.nn.modules.container.Sequential',
      'torch.nn.modules.linear.Linear',
      'torch.nn.modules.activation.Tanh',
    ]);
    expect(() => torch.load(fixture('tanh.pt'))).toThrow(/TransformerEncoderLayer/);
    serialization.addSafeGlobals([nn.functional.relu, nn.TransformerEncoderLayer, nn.MultiheadAttention]);
    serialization.addSafeGlobals([nn.Dropout, nn.LayerNorm, nn.modules.NonDynamicallyQuantizableLinear]);
    const layer = new nn.TransformerEncoderLayer(4, 1, { dimFeedforward: 2 });
    const found = torch.load<nn.TransformerEncoderLayer>(serialization.saveToBytes(layer));
    expect([String(found), found.activation]).toEqual([String(layer), nn.functional.relu]);
  });

  class Net extends nn.Module {
    declare hidden: number;
    declare scale: number;
    declare names: unknown;
    declare extra: unknown;
    declare fc1: nn.Linear;
    declare fc2: nn.Linear;
    declare shift: Tensor;
    made = true;
    override forward(x: Tensor): Tensor {
      return this.fc2(nn.functional.relu(this.fc1(x)))
        .mul(this.scale)
        .add(this.shift);
    }
  }

  test("a program's own class needs a name", () => {
    expect(() => load('net.pt')).toThrow(/module of the Python class modules\.Net, which has no counterpart here/);
    serialization.addSafeGlobals([[Net, 'modules.Net']]);
    const { net } = load<{ net: Net }>('net.pt');
    expect(net).toBeInstanceOf(Net);
    // No constructor ran.
    expect([net.made, net.hidden, net.scale, net.names, net.extra]).toEqual([
      undefined,
      4,
      2,
      torch.Tuple.of('a', 'b'),
      [1, 2],
    ]);
    expect([...net.stateDict().keys()]).toEqual(['shift', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias']);
    const want = recorded['net.pt'].net.output;
    for (const model of [net, again(net), load<{ net: Net }>('net.pt').net]) {
      expectFlat('net', model(INPUT()).flatten(), { shape: [2], values: want });
      expect([...model._nonPersistentBuffersSet]).toEqual(['cache']);
    }
  });

  test('a class below one of torch.nn has its settings too', () => {
    class Wide extends nn.Linear {
      factor = 3;
    }
    expect(() => serialization.saveToBytes({ model: new Wide(1, 2) })).toThrow(
      'save(): cannot save a module of the class Wide, which PyTorch does not know: save its stateDict(), or name its class in ' +
        "Python with torch.serialization.addSafeGlobals([[Wide, 'module.Wide']]) (at model)",
    );
    serialization.addSafeGlobals([[Wide, 'layers.Wide']]);
    const found = again(new Wide(1, 2));
    expect([found instanceof Wide, found.inFeatures, found.outFeatures, found.factor]).toEqual([true, 1, 2, 3]);
    expect(Buffer.from(serialization.saveToBytes(found)).includes('in_features')).toBe(true);
  });

  test.each(recorded.refused as [string, string][])('%s is refused, naming %s', (file, message) => {
    expect(() => load(file)).toThrow(torch.RuntimeError);
    expect(() => load(file)).toThrow(message);
  });

  test('modules are listed by the names of their state dicts, with their settings', () => {
    const { tensors, values } = serialization.inspectFile(fixture('unknown.pt'));
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['1.fc.weight', [2, 2]],
      ['1.fc.bias', [2]],
    ]);
    expect(values).toContainEqual(['1.fc.in_features', '2']);
    expect(values.filter(([name]) => /_/.test(name)).map(([name]) => name)).toEqual([
      '1.fc.in_features',
      '1.fc.out_features',
    ]);
  });

  test('the names that would be refused can be listed', () => {
    const { getUnsafeGlobalsInCheckpoint } = serialization;
    const linear = 'torch.nn.modules.linear.Linear';
    expect(getUnsafeGlobalsInCheckpoint(fixture('unknown.pt'))).toEqual([
      'torch.nn.modules.container.Sequential',
      'torch.nn.modules.activation.ReLU',
      'models.Block',
      linear,
    ]);
    expect(getUnsafeGlobalsInCheckpoint(fixture('legacy.pt'))).toEqual(['torch.nn.modules.activation.Softsign']);
    const allowed = [nn.Sequential, nn.ReLU];
    serialization.safeGlobals(allowed, () => {
      expect(getUnsafeGlobalsInCheckpoint(fs.readFileSync(fixture('unknown.pt')))).toEqual(['models.Block', linear]);
    });
    expect(getUnsafeGlobalsInCheckpoint(fixture('protocol0.pt'))).toContain('copyreg._reconstructor');
    expect(getUnsafeGlobalsInCheckpoint(serialization.saveToBytes(new nn.Linear(1, 1).stateDict()))).toEqual([]);
  });
});

describe('what cannot be saved', () => {
  test('hooks that are functions, parametrizations, functions without a name', () => {
    const hooked = new nn.ReLU();
    hooked.registerForwardHook(() => null);
    const bad: [unknown, RegExp][] = [
      [{ model: hooked }, /cannot save a module with hooks, which are functions.*\(at model\)/],
      [
        nn.utils.parametrizations.weightNorm(new nn.Linear(2, 2)),
        /Serialization of parametrized modules is only supported/,
      ],
      [
        new nn.TransformerEncoderLayer(4, 1, { activation: (x: Tensor) => x }),
        /cannot save the function \(anonymous\)|activation/,
      ],
      [Object.assign(new nn.ReLU(), { note: Symbol('s') }), /cannot save Symbol\(s\)/],
    ];
    for (const [value, message] of bad) {
      expect(() => serialization.saveToBytes(value)).toThrow(TypeError);
      expect(() => serialization.saveToBytes(value)).toThrow(message);
    }
  });
});

describe('malformed states', () => {
  /** A file in which an object of a class of torch.nn has this state. */
  const file = (name: string, state: unknown): Uint8Array => {
    class Stand {
      getState(): unknown {
        return state;
      }
    }
    return serialization.safeGlobals([[Stand, `torch.nn.modules.${name}`]], () =>
      serialization.saveToBytes(new Stand()),
    );
  };
  const linear = { training: true, _parameters: {}, _buffers: {}, _modules: {}, in_features: 1, out_features: 1 };
  const conv = { ...linear, ...{ in_channels: 1, out_channels: 1, transposed: false, groups: 1 } };

  test.each<[string, string, unknown, RegExp]>([
    ['no dict', 'linear.Linear', [1], /malformed state/],
    ['no mode', 'linear.Linear', {}, /without its attribute 'training'/],
    ['a missing setting', 'linear.Linear', { ...linear, in_features: undefined }, /cannot save undefined|in_features/],
    [
      'a setting of another kind',
      'linear.Linear',
      { ...linear, in_features: 'two' },
      /malformed attribute 'in_features'/,
    ],
    [
      'a tuple with a word',
      'conv.Conv1d',
      { ...conv, kernel_size: torch.Tuple.of('a') },
      /malformed attribute 'kernel_size'/,
    ],
    ['a number for a tuple', 'conv.Conv1d', { ...conv, kernel_size: 3 }, /malformed attribute 'kernel_size'/],
    [
      'a parameter that is none',
      'linear.Linear',
      { ...linear, _parameters: { weight: 1 } },
      /'weight' in _parameters is a number/,
    ],
    [
      'a parameter that is a plain tensor',
      'linear.Linear',
      { ...linear, _parameters: { weight: torch.ones(1) } },
      /is a Tensor/,
    ],
    ['a submodule that is none', 'linear.Linear', { ...linear, _modules: { a: {} } }, /'a' in _modules is a Object/],
    ['a name with a dot', 'linear.Linear', { ...linear, _buffers: { 'a.b': null } }, /entry 'a.b' in _buffers/],
    [
      'a name of the module itself',
      'linear.Linear',
      { ...linear, _buffers: { _parameters: null } },
      /entry '_parameters'/,
    ],
    ['registries that are lists', 'linear.Linear', { ...linear, _buffers: [1] }, /malformed _buffers/],
    [
      'one name for two things',
      'linear.Linear',
      { ...linear, _buffers: { note: null }, note: 1 },
      /two attributes 'note'/,
    ],
    ['hooks', 'linear.Linear', { ...linear, _forward_hooks: { '0': 1 } }, /with a hook in _forward_hooks/],
    [
      'a recurrent layer without weights',
      'rnn.GRU',
      {
        ...linear,
        mode: 'GRU',
        input_size: 1,
        hidden_size: 1,
        num_layers: 2 ** 40,
        bias: true,
        batch_first: false,
        dropout: 0,
        bidirectional: false,
      },
      /without 'weight_ih_l0'/,
    ],
  ])('with %s are refused', (_what, name, state, message) => {
    const load = (): unknown => torch.load(file(name, state), { weightsOnly: false });
    expect(load).toThrow(message);
  });

  test('a module or parameter among plain attributes is not registered', () => {
    const value = torch.load<nn.Module & { hidden: nn.Module; w: Tensor }>(
      file('linear.Linear', { ...linear, hidden: new nn.Tanh(), w: new nn.Parameter(torch.ones(1)) }),
      { weightsOnly: false },
    );
    expect([value.hidden instanceof nn.Tanh, value.w.shape]).toEqual([true, [1]]);
    expect([[...value.children()], [...value.parameters()]]).toEqual([[], []]);
    const copy = again(value);
    expect([copy.hidden instanceof nn.Tanh, copy.w instanceof nn.Parameter, [...copy.children()]]).toEqual([
      true,
      true,
      [],
    ]);
  });

  test('names that JavaScript gives a meaning are names', () => {
    const value = torch.load<nn.Module>(
      file('linear.Linear', { ...linear, ['__proto__']: 1, constructor: 2, toString: 3, polluted: 4 }),
      { weightsOnly: false },
    );
    expect(value).toBeInstanceOf(nn.Linear);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(nn.Linear.prototype);
  });
});

const python = process.env['FLAMBEAU_PYTHON'];
if (python) {
  test('PyTorch opens what we saved as its own modules, with the same attributes and results', () => {
    serialization.addSafeGlobals([[class Net extends nn.Module {}, 'modules.Net']]);
    const files = fs
      .readdirSync(__dirname)
      .filter((f) => f.endsWith('.pt') && !/unknown|hook\.pt|activation|old/.test(f));
    const pairs = files.map((name) => {
      const copy = path.join(folder, name);
      torch.save(load<unknown>(name), copy, name === 'legacy.pt' ? { zip: false } : {});
      return [fixture(name), copy];
    });
    const made = path.join(folder, 'made');
    torch.save(cases.map(make), made);
    const request = JSON.stringify({ again: pairs, made });
    const script = path.join(__dirname, 'check_modules.py');
    const found = execFileSync(python, ['-B', script, request], { encoding: 'utf8' });
    expect(found.trim()).toBe(`${pairs.length + cases.length} equal`);
  });
} else {
  console.warn('FLAMBEAU_PYTHON is not set: PyTorch itself does not open the modules of this run');
}
