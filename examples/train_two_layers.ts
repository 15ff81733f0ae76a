// The first training loop: a network learns to answer zero, whatever it is given.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class MyLinear extends nn.Module {
  weight: nn.Parameter;
  bias: nn.Parameter;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    this.weight = new nn.Parameter(torch.randn(inFeatures, outFeatures));
    this.bias = new nn.Parameter(torch.randn(outFeatures));
  }

  override forward(x: Tensor): Tensor {
    return x.matmul(this.weight).add(this.bias);
  }
}

class Net extends nn.Module {
  l0 = new MyLinear(4, 3);
  l1 = new MyLinear(3, 1);

  override forward(x: Tensor): Tensor {
    return this.l1(F.relu(this.l0(x)));
  }
}

torch.manualSeed(0);
const net = new Net();
const before = net.l1.weight.detach().clone();
const optimizer = new optim.SGD(net.parameters(), { lr: 1e-4, weightDecay: 1e-2, momentum: 0.9 });
const started = Date.now();
for (let step = 0; step < 10_000; step++) {
  const loss = torch.abs(net(torch.randn(4)));
  net.zeroGrad();
  loss.backward();
  optimizer.step();
}
net.eval();
const seconds = (Date.now() - started) / 1000;
console.log(`10,000 steps in ${seconds.toFixed(2)} s; the last weights went from ${String(before.flatten().tolist())}`);
console.log('to', String(net.l1.weight));

// Training has made the answers small, and pulled the last layer's weights towards zero.
const answers = torch.noGrad(() => torch.stack(Array.from({ length: 200 }, () => net(torch.randn(4)).abs())));
console.log('mean size of an answer:', answers.mean().item());
assert(Number(answers.mean().item()) < 0.2);
assert(Number(net.l1.weight.abs().sum().item()) < Number(before.abs().sum().item()));
assert.equal(net.training, false);
