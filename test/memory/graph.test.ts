// What a graph holds of large tensors: their memory until backward has used it, but not the objects that the program dropped.
// Those would grow old with the graph, and what is old is found dead late.
import torch, { F, nn, type Tensor } from 'flambeau';

const N = 512;
const w = torch.randn(N, N, { requiresGrad: true });
const b = torch.randn(N, { requiresGrad: true });
const probabilities = torch.rand(N, N);
const classes = torch.randint(0, N, [N]);
const places = torch.randint(0, N, [N, N]);
const image = (x: Tensor): Tensor => x.view(1, 8, 256, 128);
const layer = <M extends nn.Module>(module: M) => module as unknown as (...args: unknown[]) => Tensor;
const linear = layer(new nn.Linear(N, N));
const layerNorm = layer(new nn.LayerNorm(N));
const batchNorm = layer(new nn.BatchNorm2d(8));
const conv = layer(new nn.Conv2d(8, 8, 3, { padding: 1 }));
const lstm = new nn.LSTM(N, 16);
const gru = new nn.GRU(N, 16);
const encoder = layer(new nn.TransformerEncoderLayer(N, 8, { dimFeedforward: 128, batchFirst: true }));

const OPS: Record<string, (x: Tensor) => Tensor> = {
  mul: (x) => x.mul(w),
  div: (x) => x.div(w),
  pow: (x) => x.pow(2),
  exp: (x) => x.exp(),
  tanh: (x) => x.tanh(),
  matmul: (x) => x.matmul(w),
  addmm: (x) => torch.addmm(b, x, w),
  bmm: (x) => torch.bmm(x.view(2, 256, N), w.unsqueeze(0).expand(2, N, N)),
  einsum: (x) => torch.einsum('ij,jk->ik', x, w),
  linear: (x) => linear(x),
  'linear of a view': (x) => linear(x.view(2, 256, N)),
  conv2d: (x) => conv(image(x)),
  batchNorm: (x) => batchNorm(image(x)),
  layerNorm: (x) => layerNorm(x),
  groupNorm: (x) => F.groupNorm(image(x), 4),
  rmsNorm: (x) => F.rmsNorm(x, [N]),
  relu: (x) => F.relu(x),
  gelu: (x) => F.gelu(x),
  silu: (x) => F.silu(x),
  softmax: (x) => x.softmax(1),
  logSoftmax: (x) => F.logSoftmax(x, 1),
  dropout: (x) => F.dropout(x, 0.1, true),
  maxPool2d: (x) => F.maxPool2d(image(x), 2),
  avgPool2d: (x) => F.avgPool2d(image(x), 2),
  interpolate: (x) => F.interpolate(image(x), { scaleFactor: 2, mode: 'bilinear' }),
  unfold: (x) => F.unfold(image(x), 2),
  pad: (x) => F.pad(x, [1, 1]),
  attention: (x) => F.scaledDotProductAttention(image(x), image(x), image(x), { isCausal: true }),
  lstm: (x) => lstm(x.view(N, 1, N))[0],
  gru: (x) => gru(x.view(N, 1, N))[0],
  encoder: (x) => encoder(x.view(1, N, N)),
  crossEntropy: (x) => F.crossEntropy(x, classes),
  nllLoss: (x) => F.nllLoss(x, classes),
  mseLoss: (x) => F.mseLoss(x, w),
  l1Loss: (x) => F.l1Loss(x, w),
  smoothL1Loss: (x) => F.smoothL1Loss(x, w),
  huberLoss: (x) => F.huberLoss(x, w),
  binaryCrossEntropyWithLogits: (x) => F.binaryCrossEntropyWithLogits(x, probabilities),
  sum: (x) => x.sum(1),
  mean: (x) => x.mean(),
  var: (x) => x.var(1),
  max: (x) => x.max(1)[0],
  sort: (x) => x.sort(1)[0],
  cumsum: (x) => x.cumsum(0),
  gather: (x) => torch.gather(x, 1, places),
  index: (x) => x.index(classes),
  where: (x) => torch.where(probabilities.gt(0.5), x, w),
  maskedFill: (x) => x.maskedFill(probabilities.gt(0.5), 0),
  cat: (x) => torch.cat([x, w]),
  stack: (x) => torch.stack([x, w]),
  split: (x) => torch.cat(x.split(256, 1)),
  chunk: (x) => torch.cat(x.chunk(2)),
  unbind: (x) => torch.stack(x.unbind(0)),
  outer: (x) => torch.outer(x.view(-1).narrow(0, 0, N), b),
  transpose: (x) => x.t().reshape(-1),
  clone: (x) => x.clone(),
  to: (x) => x.to(torch.float64),
};

/** A weak reference holds its target until the turn ends, and so may the frames of a running function. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test('an op holds none of its inputs, whose memory lives on', async () => {
  const start = (op: (x: Tensor) => Tensor): [WeakRef<Tensor>, Tensor] => {
    const x = w.mul(1.5);
    return [new WeakRef(x), op(x).mul(2).sum()];
  };
  const started = Object.entries(OPS).map(([name, op]) => [name, ...start(op)] as const);
  await turn();
  torch.memoryStats(true);
  const held = started.filter(([, x]) => x.deref() !== undefined).map(([name]) => name);
  expect(held).toEqual([]);
  // The memory is still there: every gradient is that of the same op with its input at hand.
  for (const [name, , loss] of started) {
    if (name === 'dropout') continue;
    const x = w.mul(1.5);
    const [g] = torch.autograd.grad(loss, [w]);
    const [expected] = torch.autograd.grad(OPS[name]!(x).mul(2).sum(), [w]);
    expect([name, torch.allclose(g!, expected!, { rtol: 1e-5, atol: 1e-6, equalNan: true })]).toEqual([name, true]);
  }
});

describe('what a large tensor is saved as', () => {
  const large = (): Tensor => torch.rand(300, 300).add(0.5).requiresGrad_();

  test('goes with the backward pass that used it', async () => {
    const leaf = large();
    torch.memoryStats(true);
    await turn();
    const before = torch.memoryStats(true).bytes;
    let x = leaf;
    for (let i = 0; i < 8; i++) x = x.exp().mul(0.1);
    const loss = x.sum();
    x = leaf;
    // In whole saved tensors: what other tests left behind may go in between.
    const saved = () => Math.round((torch.memoryStats(true).bytes - before) / (4 * 300 * 300));
    expect(saved()).toBe(8);
    torch.autograd.grad(loss, [leaf], { retainGraph: true });
    expect(saved()).toBe(8);
    torch.autograd.grad(loss, [leaf]);
    expect(saved()).toBe(0);
    expect(loss.isLeaf).toBe(false);
  });

  test.each([
    ['a result', (x: Tensor) => x.exp().pow(2), (x: Tensor) => x.mul(2).exp()],
    ['an input that is a result', (x: Tensor) => x.mul(2).pow(3), (x: Tensor) => x.pow(3).mul(8)],
    [
      'a view',
      (x: Tensor) => x.mul(2).t().narrow(0, 0, 290).pow(3),
      (x: Tensor) => x.t().narrow(0, 0, 290).pow(3).mul(8),
    ],
  ])('leads to the derivatives of derivatives: %s', (_, f, same) => {
    const second = (g: (x: Tensor) => Tensor, x: Tensor): Tensor => {
      const [first] = torch.autograd.grad(g(x).sum(), [x], { createGraph: true });
      return torch.autograd.grad(first!.pow(2).sum(), [x])[0]!;
    };
    const x = large();
    expect(torch.allclose(second(f, x), second(same, x), { rtol: 1e-4 })).toBe(true);
  });

  test('knows of changes in place', () => {
    const x = large().mul(2);
    const y = x.pow(2);
    x.add_(1);
    expect(() => y.sum().backward()).toThrow(
      'one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [300, 300]], which is output 0 of Add, is at version 1; expected version 0 instead.',
    );
  });

  test('outlives the tensor itself', () => {
    const leaf = large();
    const x = leaf.mul(2);
    const loss = x.pow(2).sum();
    x.dispose();
    loss.backward();
    expect(torch.allclose(leaf.grad!, leaf.detach().mul(8))).toBe(true);
  });

  test('is what hooks are shown', () => {
    const leaf = large();
    const x = leaf.mul(2);
    const seen: Tensor[] = [];
    const pack = (t: Tensor): Tensor => {
      seen.push(t);
      return t;
    };
    const loss = torch.autograd.graph.savedTensorsHooks(
      pack,
      (t: Tensor) => t,
      () => x.pow(2).sum(),
    );
    expect(seen[0]).toBe(x);
    loss.backward();
    expect(torch.allclose(leaf.grad!, leaf.detach().mul(8))).toBe(true);
  });
});
