// A layer that learns how to normalise: (x - mean) / (std + eps), with mean and std as parameters.
import assert from 'node:assert';
import torch, { nn, optim, type Tensor } from 'flambeau';

class LearnedNorm extends nn.Module {
  learned_mean: nn.Parameter;
  learned_std: nn.Parameter;

  constructor(
    features: number,
    readonly eps = 1e-5,
  ) {
    super();
    this.learned_mean = new nn.Parameter(torch.zeros(features));
    this.learned_std = new nn.Parameter(torch.ones(features));
  }

  override forward(x: Tensor): Tensor {
    return x.sub(this.learned_mean).div(this.learned_std.add(this.eps));
  }
}

torch.manualSeed(0);
const layer = new LearnedNorm(10);
const data = torch.randn(512, 10).mul(2).add(3);
const before = layer(data);
assert(torch.allclose(before, data, { rtol: 1e-4 }), 'untrained, it changes nothing');

// Asked for mean 0 and variance 1, it finds the data's mean 3 and deviation 2.
const optimizer = new optim.Adam(layer.parameters(), { lr: 0.05 });
for (let step = 0; step < 300; step++) {
  optimizer.zeroGrad();
  const y = layer(data);
  y.mean(0).square().sum().add(y.var(0).sub(1).square().sum()).backward();
  optimizer.step();
}
const after = layer(data);
console.log(`mean ${Number(before.mean().item()).toFixed(3)} -> ${Number(after.mean().item()).toFixed(3)}`);
console.log(`std  ${Number(before.std().item()).toFixed(3)} -> ${Number(after.std().item()).toFixed(3)}`);
assert(Math.abs(Number(after.mean().item())) < 0.05);
assert(Math.abs(Number(after.std().item()) - 1) < 0.05);
assert(Number(layer.learned_mean.sub(data.mean(0)).abs().max().item()) < 0.1);
