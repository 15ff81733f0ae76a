// Layers against what PyTorch computes: initial values from the same seed, results, gradients, statistics, printing.
import torch, { nn, type Tensor } from 'flambeau';
import { draw, drawAll, expectFlat, type Flat, gradients, tensorsOf } from './recorded';
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
  after: Record<string, Flat>;
}
type Layer = new (...args: unknown[]) => nn.Module;

const cases = recorded as unknown as Case[];
const layers = nn as unknown as Record<string, Layer>;

/** Makes the layer of a case; options come last, in one object. */
function make(c: Case): nn.Module {
  const given = Object.keys(c.options).length === 0 ? c.args : [...c.args, c.options];
  return new layers[c.class]!(...given);
}

describe('layers', () => {
  for (const [i, c] of cases.entries()) {
    test(`${i} ${c.class}(${JSON.stringify(c.args).slice(1, -1)} ${JSON.stringify(c.options)})`, () => {
      torch.manualSeed(3);
      const layer = make(c).train(c.training);
      const inputs = c.inputs.map(draw);
      expect(String(layer)).toBe(c.repr);
      const state = layer.stateDict();
      expect([...state.keys()]).toEqual(Object.keys(c.state));
      for (const [key, want] of Object.entries(c.state)) expectFlat(key, state.get(key) as Tensor, want);
      const options = drawAll(c.call);
      const call = layer as unknown as (...args: unknown[]) => unknown;
      const outputs = tensorsOf(options === undefined ? call(...inputs) : call(...inputs, options));
      expect(outputs).toHaveLength(c.outputs.length);
      outputs.forEach((t, k) => expectFlat(`output ${k}`, t, c.outputs[k]!));
      const leaves = [
        ...inputs.filter((x) => x instanceof torch.Tensor && x.requiresGrad),
        ...layer.parameters(),
      ] as Tensor[];
      const grads = gradients(outputs, leaves);
      expect(grads).toHaveLength(c.grads.length);
      grads.forEach((g, k) => expectFlat(`gradient ${k}`, g, c.grads[k]!, 1e-4));
      const after = layer.stateDict();
      for (const [key, want] of Object.entries(c.after)) expectFlat(`${key} after`, after.get(key) as Tensor, want);
    });
  }
});

describe('arguments of layers', () => {
  test('settings by position and by name are the same', () => {
    const a = new nn.Conv2d(3, 8, 3, 2, 1, 1, 1, false, 'reflect');
    const b = new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1, bias: false, paddingMode: 'reflect' });
    expect(String(a)).toBe(String(b));
    expect(a.kernelSize).toEqual([3, 3]);
    expect(b.bias).toBeNull();
    expect([...b.stateDict().keys()]).toEqual(['weight']);
  });

  test('settings that do not fit name the class and the argument', () => {
    const Linear = nn.Linear as unknown as new (...args: unknown[]) => nn.Module;
    expect(() => new Linear(3)).toThrow(new TypeError("Linear() missing a required argument: 'outFeatures'"));
    expect(() => new Linear(3, 4.5)).toThrow(TypeError);
    expect(() => new Linear(3, 4, { bais: false })).toThrow("Linear() got an unexpected keyword argument 'bais'");
    expect(() => new Linear(3, 4, true, { bias: false })).toThrow("Linear() got multiple values for argument 'bias'");
    const Conv = nn.Conv2d as unknown as new (...args: unknown[]) => nn.Module;
    expect(() => new Conv(4, 6, 3, { padding: {} })).toThrow(TypeError);
  });

  test.each([
    ['groups must be a positive integer', () => new nn.Conv1d(4, 4, 3, { groups: 0 })],
    ['in_channels must be divisible by groups', () => new nn.Conv1d(3, 4, 3, { groups: 2 })],
    ['out_channels must be divisible by groups', () => new nn.Conv1d(4, 3, 3, { groups: 2 })],
    [
      "padding='same' is not supported for strided convolutions",
      () => new nn.Conv2d(1, 1, 3, { stride: 2, padding: 'same' }),
    ],
    [
      'Only "zeros" padding mode is supported for ConvTranspose2d',
      () => new nn.ConvTranspose2d(1, 1, 3, { paddingMode: 'circular' }),
    ],
    ['num_channels (5) must be divisible by num_groups (2)', () => new nn.GroupNorm(2, 5)],
    ['dropout probability has to be between 0 and 1, but got 1.5', () => new nn.Dropout(1.5)],
    ['Padding_idx must be within num_embeddings', () => new nn.Embedding(4, 2, { paddingIdx: 4 })],
    ['embed_dim must be divisible by num_heads', () => new nn.MultiheadAttention(5, 2)],
    ['proj_size has to be smaller than hidden_size', () => new nn.LSTM(3, 4, { projSize: 4 })],
    [
      "Unknown nonlinearity 'sigmoid'. Select from 'tanh' or 'relu'.",
      () => new nn.RNN(3, 4, { nonlinearity: 'sigmoid' }),
    ],
    ['max_val (-1.0) must be greater than min_val (1.0)', () => new nn.Hardtanh(1, -1)],
    [
      'only one of output_size and output_ratio may be specified',
      () => new nn.FractionalMaxPool2d(2, { outputSize: 3, outputRatio: 0.5 }),
    ],
  ])('%s', (message, build) => {
    expect(build).toThrow(new torch.RuntimeError(message));
  });

  test('type and device', () => {
    const layer = new nn.LSTM(3, 4, { numLayers: 2, dtype: torch.float64, device: 'cpu' });
    expect([...layer.parameters()].every((p) => p.dtype === torch.float64)).toBe(true);
  });
});

describe('inputs of layers', () => {
  test.each([
    ['expected 4D input (got 3D input)', () => new nn.BatchNorm2d(3)(torch.zeros(1, 3, 4))],
    [
      'Expected more than 1 value per channel when training, got input size torch.Size([1, 3])',
      () => new nn.BatchNorm1d(3)(torch.zeros(1, 3)),
    ],
    ['expected 2D or 3D input (got 4D input)', () => new nn.InstanceNorm1d(3)(torch.zeros(1, 3, 4, 4))],
    [
      "expected input's size at dim=1 to match num_features (3), but got: 4.",
      () => new nn.InstanceNorm1d(3, { affine: true })(torch.zeros(1, 4, 4)),
    ],
    ['Softmax2d: expected input to be 3D or 4D, got 2D instead', () => new nn.Softmax2d()(torch.zeros(2, 2))],
    ['input.size(-1) must be equal to input_size. Expected 3, got 2', () => new nn.GRU(3, 4)(torch.zeros(5, 2))],
    [
      'Expected hidden size (1, 2, 4), got [1, 3, 4]',
      () => new nn.GRU(3, 4)(torch.zeros(5, 2, 3), torch.zeros(1, 3, 4)),
    ],
    [
      'the feature number of src and tgt must be equal to d_model',
      () => new nn.Transformer(4, 2, 1, 1, 8)(torch.zeros(2, 1, 4), torch.zeros(2, 1, 3)),
    ],
    [
      'was expecting embedding dimension of 6, but got 4',
      () => new nn.MultiheadAttention(6, 2)(torch.zeros(2, 1, 4), torch.zeros(2, 1, 4), torch.zeros(2, 1, 4)),
    ],
    [
      'requested an output size of [9], but valid sizes range from [5] to [6] (for an input of torch.Size([2]))',
      () => new nn.ConvTranspose1d(1, 1, 3, { stride: 2 })(torch.zeros(1, 1, 2), [9]),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(new torch.RuntimeError(message));
  });

  test('matrices that cannot be multiplied', () => {
    expect(() => new nn.Linear(4, 5)(torch.zeros(2, 3))).toThrow(
      'mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)',
    );
  });
});
