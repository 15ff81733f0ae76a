// An auto-encoder: numbers squeezed through a bottleneck and restored.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class AutoEncoder extends nn.Module {
  encoder: nn.Sequential;
  decoder: nn.Sequential;

  constructor(inputs: number, latent: number) {
    super();
    this.encoder = new nn.Sequential(new nn.Linear(inputs, 32), new nn.Tanh(), new nn.Linear(32, latent));
    this.decoder = new nn.Sequential(new nn.Linear(latent, 32), new nn.Tanh(), new nn.Linear(32, inputs));
  }

  encode(x: Tensor): Tensor {
    return this.encoder(x) as Tensor;
  }

  override forward(x: Tensor): Tensor {
    return this.decoder(this.encode(x)) as Tensor;
  }
}

torch.manualSeed(0);
// Sixteen numbers that really are two: an angle and a height.
const angle = torch.rand(256, 1).mul(Math.PI);
const height = torch.rand(256, 1).add(0.5);
const data = torch.sin(angle.add(torch.linspace(0, 2, 16))).mul(height);

const model = new AutoEncoder(16, 2);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
let loss = 0;
for (let step = 0; step < 400; step++) {
  optimizer.zeroGrad();
  const error = F.mseLoss(model(data), data);
  error.backward();
  optimizer.step();
  loss = Number(error.item());
}
const variance = Number(data.var().item());
console.log(`16 numbers through 2: error ${loss.toFixed(5)} of a variance of ${variance.toFixed(3)}`);
assert.deepEqual([...model.encode(data).shape], [256, 2]);
assert(loss < 0.02 * variance);
