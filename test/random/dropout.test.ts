// Dropout against what PyTorch's CPU gives from the same seed: which elements are kept, their values to the last bit, how much
// of the stream is used up, and the gradient.
import fs from 'node:fs';
import path from 'node:path';
import torch, { F, nn, type Tensor } from 'flambeau';

interface FunctionCase {
  way: string;
  dtype: 'float32' | 'float64' | 'float16' | 'bfloat16';
  p: number;
  layout: string;
  values: (number | string)[];
  stride: number[];
  grad: (number | string)[];
  following: number[];
}
interface NetworkCase {
  kind: 'RNN' | 'GRU' | 'LSTM' | 'TransformerEncoderLayer';
  bidirectional?: boolean;
  form?: string;
  values: number[];
}
const { functions, networks } = JSON.parse(fs.readFileSync(path.join(__dirname, 'dropouts.json'), 'utf8')) as {
  functions: FunctionCase[];
  networks: NetworkCase[];
};

function ramp(shape: number[], dtype: torch.DType): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  return torch.arange(n, { dtype: torch.float64 }).mul(0.37).sub(3).reshape(shape).to(dtype);
}
const LAYOUTS: Record<string, (x: Tensor) => Tensor> = {
  'row-major': (x) => x,
  transposed: (x) => x.reshape([...x.shape].reverse()).t(),
  'with gaps': (x) => torch.stack([x, x], -1).select(-1, 1),
  broadcast: (x) => x.index(torch.slice(0, 1)).expand(x.shape),
};
const WAYS: Record<string, (x: Tensor, p: number) => Tensor> = {
  'F.dropout': (x, p) => F.dropout(x, p),
  'torch.dropout': (x, p) => torch.dropout(x, p, true),
  inplace: (x, p) => F.dropout(x.clone(), { p, inplace: true }),
  'nn.Dropout': (x, p) => new nn.Dropout(p)(x),
  native_dropout: (x, p) => torch.nativeDropout(x, p, true)[0]!,
  alpha_dropout: (x, p) => F.alphaDropout(x, { p, training: true }),
};
const numbers = (t: Tensor) => (t.detach().double().reshape(-1).tolist() as number[]).map(String);

test.each(functions.map((c) => [`${c.way} ${c.dtype} p ${c.p} ${c.layout}`, c] as const))('%s', (_, c) => {
  const x = LAYOUTS[c.layout]!(ramp([5, 7], torch[c.dtype]))
    .detach()
    .requiresGrad_();
  torch.manualSeed(3);
  const y = WAYS[c.way]!(x, c.p);
  expect(torch.rand(2).tolist()).toEqual(c.following);
  expect(numbers(y)).toEqual(c.values.map(String));
  expect(y.stride()).toEqual(c.stride);
  y.sum().backward();
  expect(numbers(x.grad!)).toEqual(c.grad.map(String));
});

function filled<M extends nn.Module>(module: M): M {
  torch.noGrad(() => {
    for (const p of module.parameters())
      p.copy_(
        ramp([...p.shape], torch.float64)
          .sin()
          .mul(0.5),
      );
  });
  return module;
}
test.each(networks.map((c) => [`${c.kind} ${c.form ?? ''} ${c.bidirectional ? 'both ways' : ''}`, c] as const))(
  '%s',
  (_, c) => {
    const x = ramp([4, 3, 6], torch.float32).cos();
    let y: Tensor;
    if (c.kind === 'TransformerEncoderLayer') {
      const layer = filled(new nn.TransformerEncoderLayer(6, 2, 8, { dropout: 0.4 }));
      // What attention drops is its own choice.
      layer.self_attn.dropout = 0;
      torch.manualSeed(5);
      y = layer(x);
    } else {
      const settings = { numLayers: 3, dropout: 0.4, bidirectional: c.bidirectional! };
      const layer = filled(new nn[c.kind](6, 4, settings)) as unknown as (
        given: unknown,
      ) => [Tensor & { data: Tensor }];
      torch.manualSeed(5);
      const packed = nn.utils.rnn.packPaddedSequence(x, [4, 2, 1]);
      y = c.form === 'packed' ? layer(packed)[0].data : layer(x)[0];
    }
    const got = y.detach().reshape(-1).tolist() as number[];
    expect(got).toHaveLength(c.values.length);
    got.forEach((value, i) => expect(Math.abs(value - c.values[i]!)).toBeLessThan(2e-6 * Math.max(1, Math.abs(value))));
  },
);
