// torch.utils.summary: sizes, counts and costs of models.
import torch, { F, nn, type Tensor } from 'flambeau';

const { summary } = torch.utils;

test('a model as a table', () => {
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.Sequential(new nn.ReLU(), new nn.Flatten()),
    new nn.Linear(8 * 32 * 32, 10),
  );
  (model[0] as nn.Conv2d).requiresGrad_(false);
  const found = summary(model, [2, 3, 32, 32]);
  expect(String(found)).toBe(`Layer              Output shape    Parameters  Multiply-adds    Bytes
-----------------------------------------------------------------------------------------
Sequential         [2, 10]                  -              -        -
├─ 0: Conv2d       [2, 8, 32, 32]         224        442,368      896
├─ 1: BatchNorm2d  [2, 8, 32, 32]          16              -      136
├─ 2: Sequential   [2, 8192]                -              -        -
│  ├─ 0: ReLU      [2, 8, 32, 32]           -              -        -
│  └─ 1: Flatten   [2, 8192]                -              -        -
└─ 3: Linear       [2, 10]             81,930        163,840  327,720
-----------------------------------------------------------------------------------------
Parameters: 82,170 (81,946 trainable, 224 not)
Multiply-adds: 606,208
Memory: 321.05 KiB parameters and buffers, 24.00 KiB inputs, 256.08 KiB outputs of layers`);
  expect(found.rows[1]).toEqual({
    name: '0',
    type: 'Conv2d',
    depth: 1,
    inputShape: [[2, 3, 32, 32]],
    outputShape: [2, 8, 32, 32],
    calls: 1,
    parameters: 224,
    trainable: 0,
    multiplyAdds: 442368,
    bytes: 896,
    outputBytes: 65536,
  });
  expect([found.parameters, found.trainable, found.multiplyAdds, found.bytes, found.inputBytes]).toEqual([
    82170, 81946, 606208, 328752, 24576,
  ]);
  expect(
    String(summary(model, [2, 3, 32, 32], { depth: 1 }))
      .split('\n')
      .slice(2, -4),
  ).toEqual([
    'Sequential         [2, 10]                  -              -        -',
    '├─ 0: Conv2d       [2, 8, 32, 32]         224        442,368      896',
    '├─ 1: BatchNorm2d  [2, 8, 32, 32]          16              -      136',
    '├─ 2: Sequential   [2, 8192]                -              -        -',
    '└─ 3: Linear       [2, 10]             81,930        163,840  327,720',
  ]);
  expect(String(summary(model, [2, 3, 32, 32], { depth: 0 })).split('\n')[2]).toBe(
    'Sequential  [2, 10]           82,170        606,208  328,752',
  );
});

// Half of the floating-point operations that torch.utils.flop_counter of PyTorch 2.13 counts; it leaves fused kernels out
// (attention, LSTM), for which the products are counted by hand.
const fused = (lengths: [number, number][], heads: number, width: number): number =>
  lengths.reduce((sum, [l, s]) => sum + 2 * heads * l * s * 2 * width, 0);
test.each<[string, () => nn.Module, number[][], number]>([
  [
    'ConvTranspose2d',
    () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2, groups: 2, padding: 1, outputPadding: 1 }),
    [[2, 4, 5, 5]],
    5400,
  ],
  ['Conv1d', () => new nn.Conv1d(4, 6, 3, { stride: 2, groups: 2, padding: 1, dilation: 2 }), [[2, 4, 15]], 504],
  ['Conv3d', () => new nn.Conv3d(2, 3, 2), [[1, 2, 4, 4, 4]], 1296],
  ['GRU', () => new nn.GRU(10, 20, { bidirectional: true }), [[5, 3, 10]], 54000],
  ['LSTM', () => new nn.LSTM(10, 20, 2), [[5, 3, 10]], 15 * 80 * (10 + 20 + 20 + 20)],
  [
    'MultiheadAttention',
    () => new nn.MultiheadAttention(16, 4),
    [
      [5, 3, 16],
      [6, 3, 16],
      [6, 3, 16],
    ],
    19776,
  ],
  [
    'Transformer',
    () => new nn.Transformer(64, 4, 1, 1, 128),
    [
      [10, 2, 64],
      [7, 2, 64],
    ],
    1392640 +
      fused(
        [
          [10, 10],
          [7, 7],
          [7, 10],
        ],
        4,
        16,
      ),
  ],
])('multiply-adds of %s', (_name, make, shapes, expected) => {
  expect(summary(make(), shapes).multiplyAdds).toBe(expected);
  expect(summary(make(), shapes, { device: 'cpu' }).multiplyAdds).toBe(expected);
  expect(summary(make(), shapes, { mode: 'train' }).multiplyAdds).toBe(expected);
});

class Shared extends nn.Module {
  a = new nn.Linear(4, 4, { bias: false });
  b = new nn.Linear(4, 4, { bias: false });
  unused = new nn.Linear(4, 2);
  extra = new nn.Parameter(torch.ones(4, 4));
  constructor() {
    super();
    this.b.weight = this.a.weight;
  }
  override forward(x: Tensor, options: { twice?: boolean } = {}): Record<string, Tensor> {
    let y = this.b(this.a(x));
    if (options.twice) y = this.a(y);
    return { sum: F.linear(y, this.extra), first: y };
  }
}

test('shared and unused parameters, functions, several outputs', () => {
  const found = summary(new Shared(), [[3, 4]]);
  expect(found.rows.map((r) => [r.name, r.parameters, r.multiplyAdds, r.calls])).toEqual([
    ['', 16, 48, 1],
    ['a', 16, 48, 1],
    ['b', 0, 48, 1],
    ['unused', 10, 0, 0],
  ]);
  expect(found.rows.map((r) => r.outputShape)).toEqual([{ sum: [3, 4], first: [3, 4] }, [3, 4], [3, 4], null]);
  expect([found.parameters, found.multiplyAdds]).toEqual([42, 144]);
  expect(summary(new Shared(), [3, 4], { kwargs: { twice: true } }).rows[1]).toMatchObject({
    calls: 2,
    multiplyAdds: 96,
  });
});

test('the model, the generator and the memory are as before', () => {
  const model = new nn.Sequential(new nn.Linear(4, 4), new nn.BatchNorm1d(4), new nn.Dropout()).train();
  (model[2] as nn.Module).eval();
  const tensors = [...model.stateDict({ keepVars: true }).values()];
  const values = tensors.map((t) => t.tolist());
  const rng = torch.getRngState().tolist();
  summary(model, [1, 4]);
  summary(model, [8, 4], { mode: 'train' });
  expect(() => summary(model, [8, 5])).toThrow('mat1 and mat2 shapes cannot be multiplied (8x5 and 4x4)');
  expect([...model.stateDict({ keepVars: true }).values()].every((t, i) => t === tensors[i])).toBe(true);
  expect(tensors.map((t) => t.tolist())).toEqual(values);
  expect([...model.modules()].map((m) => m.training)).toEqual([true, true, true, false]);
  expect(torch.getRngState().tolist()).toEqual(rng);
  expect([...model.modules()].every((m) => m._forwardHooks.size === 0 && m._forwardPreHooks.size === 0)).toBe(true);
  expect(torch.ones(1).isMeta).toBe(false);
});

test('a model that does not fit into memory', () => {
  const model = torch.device(
    'meta',
    () => new nn.Sequential(new nn.Linear(1 << 18, 1 << 18), new nn.Linear(1 << 18, 10)),
  );
  const found = summary(model, [4096, 1 << 18]);
  expect(found.parameters).toBe(2 ** 36 + 2 ** 18 + 10 * 2 ** 18 + 10);
  expect(found.multiplyAdds).toBe(4096 * (2 ** 36 + 10 * 2 ** 18));
});

test('inputs may be tensors, with types of their own', () => {
  const model = new nn.Embedding(10, 3);
  expect(summary(model, torch.zeros(2, 5, { dtype: torch.int64 })).rows[0]!.outputShape).toEqual([2, 5, 3]);
  expect(summary(model, [2, 5], { dtype: torch.int64 }).rows[0]!.outputShape).toEqual([2, 5, 3]);
  expect(summary(new nn.Bilinear(2, 3, 4), [[5, 2], torch.ones(5, 3)]).rows[0]!.outputShape).toEqual([5, 4]);
  expect(summary(new nn.Linear(2, 2).double(), [1, 2], { dtype: [torch.float64] }).inputBytes).toBe(16);
});

class Looks extends nn.Module {
  fc = new nn.Linear(2, 2);
  override forward(x: Tensor): Tensor {
    return Number(x.sum().item()) > 0 ? x : this.fc(x);
  }
}
test('a model that looks at values is computed where it is asked to be', () => {
  expect(() => summary(new Looks(), [1, 2])).toThrow(
    'summary(): the model looks at values, which the meta device does not have (Tensor.item() cannot be called on meta ' +
      "tensors). Compute it with { device: 'cpu' }.",
  );
  expect(summary(new Looks(), [1, 2], { device: 'cpu' }).multiplyAdds).toBe(4);
});

test('wrong arguments', () => {
  const model = new nn.Linear(2, 2);
  expect(() => summary({} as never, [1])).toThrow("summary(): argument 'model' must be a module, not Object");
  expect(() => summary(model, 3)).toThrow(TypeError);
  expect(() => summary(model, [1, 2], { devise: 'cpu' } as never)).toThrow("unexpected keyword argument 'devise'");
  expect(() => summary(model, [1, 2], { mode: 'fast' as never })).toThrow(
    "option 'mode' must be 'eval', 'train' or 'same'",
  );
  expect(() => summary(model, [1, 2], { depth: -1 })).toThrow(TypeError);
  expect(() => summary(model, [1, 2], { device: 'cuda' })).toThrow("device 'cuda' is not available");
  expect(() => summary(new nn.LazyLinear(3), [1, 2])).toThrow('a lazy module has parameters without a shape');
});

test('functionalCall puts back the tensors of a module that is there twice', () => {
  const layer = new nn.Linear(2, 2);
  const { weight } = layer;
  const model = new nn.Sequential(layer, layer);
  torch.func.functionalCall(model, { '0.weight': torch.zeros(2, 2) }, torch.ones(1, 2));
  expect(layer.weight).toBe(weight);
});
