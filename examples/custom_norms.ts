// Layer and batch normalisation written as modules, compared with the built-in ones.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

/** Normalises over the last dimension of each sample. */
class CustomLayerNorm extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(
    features: number,
    readonly eps = 1e-5,
  ) {
    super();
    this.weight = new nn.Parameter(torch.ones(features));
    this.bias = new nn.Parameter(torch.zeros(features));
  }

  override forward(x: Tensor): Tensor {
    const mean = x.mean(-1, true);
    const variance = x.var(-1, { unbiased: false, keepdim: true });
    return x.sub(mean).div(variance.add(this.eps).sqrt()).mul(this.weight).add(this.bias);
  }
}

/** Normalises each feature over the batch in training, and by what it has seen so far in evaluation. x: [N, C] */
class CustomBatchNorm extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;
  declare running_mean: Tensor;
  declare running_var: Tensor;
  declare num_batches_tracked: Tensor;

  constructor(
    features: number,
    readonly momentum = 0.1,
    readonly eps = 1e-5,
  ) {
    super();
    this.weight = new nn.Parameter(torch.ones(features));
    this.bias = new nn.Parameter(torch.zeros(features));
    this.registerBuffer('running_mean', torch.zeros(features));
    this.registerBuffer('running_var', torch.ones(features));
    this.registerBuffer('num_batches_tracked', torch.tensor(0n));
  }

  override forward(x: Tensor): Tensor {
    let [mean, variance] = [this.running_mean, this.running_var];
    if (this.training) {
      mean = x.mean(0);
      variance = x.var(0, { unbiased: false });
      const [m, v] = [mean.detach(), x.detach().var(0)];
      this.running_mean = this.running_mean.lerp(m, this.momentum);
      this.running_var = this.running_var.lerp(v, this.momentum);
      this.num_batches_tracked = this.num_batches_tracked.add(1);
    }
    return x.sub(mean).div(variance.add(this.eps).sqrt()).mul(this.weight).add(this.bias);
  }
}

torch.manualSeed(0);
const close = (a: Tensor, b: Tensor): boolean => torch.allclose(a, b, { atol: 1e-5 });
const x = torch.randn(32, 6).mul(2).add(5);
const [layer, builtInLayer] = [new CustomLayerNorm(6), new nn.LayerNorm(6)];
assert(close(layer(x), builtInLayer(x)));
console.log('a sample after layer norm has mean', Number(layer(x).select(0, 0).mean().item()).toFixed(6));

const [norm, builtIn] = [new CustomBatchNorm(6), new nn.BatchNorm1d(6)];
assert.deepEqual([...norm.stateDict().keys()], [...builtIn.stateDict().keys()]);
for (let i = 0; i < 20; i++) {
  const batch = torch.randn(16, 6).mul(2).add(5);
  assert(close(norm(batch), builtIn(batch)));
}
for (const [key, t] of builtIn.stateDict())
  assert(close(norm.stateDict().get(key)!.to(torch.float32), t.to(torch.float32)), key);
norm.eval();
builtIn.eval();
assert(close(norm(x), builtIn(x)));
console.log('running mean after 20 batches:', String(norm.running_mean));
// One sample is enough in evaluation; in training it has no variance.
assert.deepEqual([...norm(x.narrow(0, 0, 1)).shape], [1, 6]);
