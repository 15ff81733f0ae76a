// What layers do beside computing: modes, dropout, lazy shapes, tables, packed sequences, older checkpoints.
import torch, { F, nn, type Tensor } from 'flambeau';
import { expectTensor, fill, ramp } from './module_support';

/** The share of zeros. */
function zeroShare(t: Tensor): number {
  return 1 - Number(t.ne(0).sum().item()) / t.numel();
}

describe('dropout', () => {
  test('scales what it keeps, and does nothing in evaluation', () => {
    torch.manualSeed(0);
    const layer = new nn.Dropout(0.25);
    const x = torch.ones(100, 100).requiresGrad_();
    const y = layer(x);
    expect(Math.abs(zeroShare(y) - 0.25)).toBeLessThan(0.02);
    expect(Number(y.max().item())).toBeCloseTo(1 / 0.75, 5);
    y.sum().backward();
    expect(x.grad!.eq(y).all().item()).toBe(true);
    expect(layer.eval()(x)).toBe(x);
  });

  test('the same seed drops the same elements', () => {
    const run = (): Tensor => {
      torch.manualSeed(7);
      return F.dropout(torch.ones(50), 0.5);
    };
    expect(torch.equal(run(), run())).toBe(true);
  });

  test('in place', () => {
    torch.manualSeed(0);
    const x = torch.ones(1000);
    expect(F.dropout(x, { p: 0.5, inplace: true })).toBe(x);
    expect(Math.abs(zeroShare(x) - 0.5)).toBeLessThan(0.06);
    expect(Number(x.max().item())).toBe(2);
  });

  test('p = 1 leaves nothing', () => {
    expect(zeroShare(new nn.Dropout(1)(torch.ones(8)))).toBe(1);
    expect(zeroShare(new nn.Dropout2d(1)(torch.ones(1, 2, 3, 3)))).toBe(1);
  });

  test('whole channels', () => {
    torch.manualSeed(1);
    const y = new nn.Dropout2d(0.5)(torch.ones(20, 10, 3, 3));
    const sums = y.sum([2, 3]);
    expect(sums.eq(0).logicalOr(sums.eq(18)).all().item()).toBe(true);
    expect(Math.abs(zeroShare(sums) - 0.5)).toBeLessThan(0.15);
    expect(() => new nn.Dropout1d()(torch.ones(3))).toThrow(
      'dropout1d: Expected 2D or 3D input, but received a 1D input.',
    );
  });

  test('alpha dropout keeps mean and variance', () => {
    torch.manualSeed(2);
    const y = new nn.AlphaDropout(0.3)(torch.randn(200, 200));
    expect(Math.abs(Number(y.mean().item()))).toBeLessThan(0.02);
    expect(Math.abs(Number(y.std().item()) - 1)).toBeLessThan(0.02);
  });
});

describe('normalisation', () => {
  test('running statistics move in training only', () => {
    const bn = new nn.BatchNorm1d(2);
    const x = torch.tensor([
      [1, 10],
      [3, 30],
    ]);
    bn(x);
    expectTensor(bn.running_mean, [2], [0.2, 2]);
    expectTensor(bn.running_var, [2], [0.9 + 0.2, 0.9 + 20]);
    expect(bn.num_batches_tracked!.item()).toBe(1);
    bn.eval();
    bn(x);
    expect(bn.num_batches_tracked!.item()).toBe(1);
    bn.resetRunningStats();
    expectTensor(bn.running_var, [2], [1, 1]);
  });

  test('a state dict of the first version lacks the number of batches', () => {
    const bn = new nn.BatchNorm1d(1);
    const state = bn.stateDict();
    state.delete('num_batches_tracked');
    expect(() => bn.loadStateDict(state)).toThrow('Missing key(s) in state_dict: "num_batches_tracked"');
    const old = new Map<string, unknown>([...state]);
    expect(bn.loadStateDict(old as never).missingKeys).toEqual([]);
  });

  test('batch statistics are differentiated twice', () => {
    torch.manualSeed(0);
    const x = torch.randn(4, 3, { dtype: torch.float64 }).requiresGrad_();
    const bn = new nn.BatchNorm1d(3, { dtype: torch.float64 });
    const rms = fill(new nn.RMSNorm(3, { dtype: torch.float64 }));
    expect(torch.autograd.gradgradcheck((v: Tensor) => bn(v), [x])).toBe(true);
    expect(torch.autograd.gradgradcheck((v: Tensor) => rms(v), [x])).toBe(true);
  });
});

test('parameters of other types: float32 beside half types, and for the root mean square any', () => {
  for (const type of [torch.float16, torch.bfloat16]) {
    const x = ramp(2, 4, 3).to(type);
    const w = torch.ones(4);
    for (const y of [
      F.layerNorm(x.reshape(2, 3, 4), [4], w, w),
      F.groupNorm(x, 2, w, w),
      F.batchNorm(x, w, w, w, w),
      F.rmsNorm(x.reshape(2, 3, 4), [4], w),
    ]) {
      expect(y.dtype).toBe(type);
    }
  }
  expect(F.rmsNorm(ramp(2, 3), [3], torch.ones(3, { dtype: torch.float64 })).dtype).toBe(torch.float32);
});

describe('lazy layers', () => {
  test.each([
    ['LazyLinear', () => new nn.LazyLinear(3), [2, 5], 'Linear(in_features=5, out_features=3, bias=True)'],
    [
      'LazyConv2d',
      () => new nn.LazyConv2d(6, 3, { groups: 2 }),
      [2, 4, 5, 5],
      'Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1), groups=2)',
    ],
    [
      'LazyConvTranspose1d',
      () => new nn.LazyConvTranspose1d(2, 3),
      [2, 4, 5],
      'ConvTranspose1d(4, 2, kernel_size=(3,), stride=(1,))',
    ],
    [
      'LazyBatchNorm2d',
      () => new nn.LazyBatchNorm2d({ momentum: 0.2 }),
      [2, 4, 5, 5],
      'BatchNorm2d(4, eps=1e-05, momentum=0.2, affine=True, bias=True, track_running_stats=True)',
    ],
    [
      'LazyInstanceNorm1d',
      () => new nn.LazyInstanceNorm1d(),
      [2, 4, 5],
      'InstanceNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)',
    ],
  ])('%s', (_name, make, shape, text) => {
    const layer = make() as nn.Module;
    const y = layer(torch.ones(shape)) as Tensor;
    expect(y.shape[0]).toBe(2);
    expect(String(layer)).toBe(text);
    expect([...layer.parameters()].every((p) => p.numel() > 0)).toBe(true);
  });

  test('the first input draws what the eager layer would have drawn', () => {
    const lazy = new nn.LazyConv1d(3, 2);
    torch.manualSeed(4);
    lazy(torch.zeros(1, 5, 4));
    torch.manualSeed(4);
    const eager = new nn.Conv1d(5, 3, 2);
    expect(torch.equal(lazy.weight, eager.weight)).toBe(true);
    expect(torch.equal(lazy.bias!, eager.bias!)).toBe(true);
  });
});

describe('sizes', () => {
  test('of adaptive pools: null in a list keeps one of the input', () => {
    const x = ramp(1, 2, 6, 8);
    expect(new nn.AdaptiveAvgPool2d([null, 2])(x).shape).toEqual([1, 2, 6, 2]);
    expect(torch.equal(new nn.AdaptiveMaxPool2d([null, null])(x), x)).toBe(true);
    const pool = new nn.AdaptiveMaxPool2d([3, null], { returnIndices: true });
    expect((pool(x) as unknown as Tensor[]).map((t) => t.shape)).toEqual([
      [1, 2, 3, 8],
      [1, 2, 3, 8],
    ]);
    expect(String(pool)).toBe('AdaptiveMaxPool2d(output_size=(3, None))');
    expect(F.adaptiveAvgPool3d(ramp(1, 2, 4, 6, 8), [null, 3, 2]).shape).toEqual([1, 2, 4, 3, 2]);
  });

  test('of adaptive pools: null alone is refused, and their number by the call', () => {
    expect(() => new nn.AdaptiveAvgPool2d(null as never)).toThrow(TypeError);
    const pool = new nn.AdaptiveMaxPool3d([2]);
    expect(() => pool(ramp(1, 2, 4, 4, 4))).toThrow('output_size must be 3');
    pool.outputSize = null as never;
    expect(() => pool(ramp(1, 2, 4, 4, 4))).toThrow(TypeError);
  });

  test('of a bilinear layer', () => {
    expect(() => new nn.Bilinear(0, 2, 3)).toThrow(
      new torch.RuntimeError('in1_features must be > 0, but got (in1_features=0)'),
    );
    expect(new nn.Bilinear(2, 0, 3).weight.shape).toEqual([3, 2, 0]);
  });
});

describe('tables', () => {
  test('the padding row is zero and gets no gradient', () => {
    const table = new nn.Embedding(4, 2, { paddingIdx: -1 });
    expect(table.paddingIdx).toBe(3);
    expectTensor(table.weight.select(0, 3), [2], [0, 0]);
    table(torch.tensor([3, 1, 3], { dtype: torch.int64 }))
      .sum()
      .backward();
    expectTensor(table.weight.grad, [4, 2], [0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test('given rows are shared and frozen', () => {
    const rows = ramp(3, 2);
    const table = nn.Embedding.fromPretrained(rows, { paddingIdx: 0 });
    expect(table.weight.requiresGrad).toBe(false);
    rows.fill_(5);
    expectTensor(table(torch.tensor([1], { dtype: torch.int64 })), [1, 2], [5, 5]);
    expect(nn.EmbeddingBag.fromPretrained(rows, { mode: 'sum', freeze: false }).weight.requiresGrad).toBe(true);
    expect(() => nn.Embedding.fromPretrained(ramp(3))).toThrow('Embeddings parameter is expected to be 2-dimensional');
  });

  test('an index out of range', () => {
    expect(() => new nn.Embedding(4, 2)(torch.tensor([4], { dtype: torch.int64 }))).toThrow(RangeError);
    expect(() => new nn.Embedding(4, 2)(torch.tensor([-1], { dtype: torch.int64 }))).toThrow(RangeError);
  });
});

describe('recurrent layers', () => {
  test.each([
    ['LSTM', () => fill(new nn.LSTM(2, 3, { bidirectional: true, numLayers: 2 }))],
    ['GRU', () => fill(new nn.GRU(2, 3, { bidirectional: true }))],
    ['RNN', () => fill(new nn.RNN(2, 3))],
  ])('%s: a packed batch gives what each sequence gives alone', (_name, make) => {
    const net = make() as nn.Module as unknown as (x: unknown) => [unknown, unknown];
    const long = ramp(4, 2);
    const short = ramp(2, 2).neg();
    const { packSequence, padPackedSequence } = nn.utils.rnn;
    const [packed, state] = net(packSequence([short, long], { enforceSorted: false }));
    const [padded, lengths] = padPackedSequence(packed as nn.utils.rnn.PackedSequence);
    expect(lengths.tolist()).toEqual([2, 4]);
    const finals = (s: unknown): Tensor[] => (Array.isArray(s) ? (s as Tensor[]) : [s as Tensor]);
    [short, long].forEach((x, b) => {
      const [alone, end] = net(x);
      expect(torch.allclose(padded.select(1, b).narrow(0, 0, x.shape[0]!), alone as Tensor, { atol: 1e-6 })).toBe(true);
      finals(end).forEach((s, k) =>
        expect(torch.allclose(finals(state)[k]!.select(1, b), s, { atol: 1e-6 })).toBe(true),
      );
    });
  });

  test('a cell over time is a layer', () => {
    const layer = fill(new nn.LSTM(2, 3));
    const cell = new nn.LSTMCell(2, 3);
    cell.loadStateDict(new Map([...layer.stateDict()].map(([k, v]) => [k.replace('_l0', ''), v])) as never);
    const x = ramp(4, 2);
    const [y] = layer(x);
    let state: [Tensor, Tensor] | null = null;
    for (let t = 0; t < 4; t++) state = cell(x.select(0, t), state);
    expect(torch.allclose(y.select(0, 3), state![0], { atol: 1e-6 })).toBe(true);
  });

  test('dropout between layers in training', () => {
    const net = new nn.GRU(2, 8, { numLayers: 2, dropout: 0.5 });
    const x = ramp(5, 1, 2);
    torch.manualSeed(0);
    const [a] = net(x);
    torch.manualSeed(1);
    const [b] = net(x);
    expect(torch.equal(a, b)).toBe(false);
    net.eval();
    expect(torch.equal(net(x)[0], net(x)[0])).toBe(true);
  });
});

describe('attention', () => {
  test('padding and causal masks', () => {
    const attention = fill(new nn.MultiheadAttention(4, 2, { batchFirst: true }));
    const x = ramp(1, 3, 4);
    const keyPaddingMask = torch.tensor([[false, false, true]]);
    const [, weights] = attention(x, x, x, { keyPaddingMask });
    expectTensor(weights!.select(2, 2), [1, 3], [0, 0, 0]);
    const attnMask = nn.Transformer.generateSquareSubsequentMask(3);
    const [causal, shown] = attention(x, x, x, { attnMask });
    expect(shown!.triu(1).eq(0).all().item()).toBe(true);
    const [fast, none] = attention(x, x, x, { attnMask, needWeights: false, isCausal: true });
    expect(none).toBeNull();
    expect(torch.allclose(causal, fast, { atol: 1e-6 })).toBe(true);
    expect(() => attention(x, x, x, { attnMask: torch.zeros(2, 3) })).toThrow(
      'The shape of the 2D attn_mask is torch.Size([2, 3]), but should be (3, 3).',
    );
  });

  test('layers of an encoder are copies', () => {
    const encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2, 8), 2, new nn.LayerNorm(4));
    const [first, second] = [...encoder.layers] as nn.TransformerEncoderLayer[];
    expect(first).not.toBe(second);
    expect(torch.equal(first!.linear1.weight, second!.linear1.weight)).toBe(true);
    first!.linear1.weight.data.zero_();
    expect(torch.equal(first!.linear1.weight, second!.linear1.weight)).toBe(false);
  });
});
