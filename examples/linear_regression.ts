// The smallest module of one's own: a class around one linear layer, its parameters found by gradient descent.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class LinearRegression extends nn.Module {
  linear: nn.Linear;

  constructor(inFeatures: number, outFeatures: number) {
    super();
    // The layer makes its weight and bias itself.
    this.linear = new nn.Linear(inFeatures, outFeatures);
  }

  override forward(x: Tensor): Tensor {
    return this.linear(x);
  }
}

torch.manualSeed(0);
const model = new LinearRegression(10, 1);
const x = torch.randn(32, 10);
assert.deepEqual([...model(x).shape], [32, 1]);
assert.deepEqual(
  [...model.namedParameters()].map(([name, p]) => [name, [...p.shape]]),
  [
    ['linear.weight', [1, 10]],
    ['linear.bias', [1]],
  ],
);

// y = 0.5 x0 - 2 x1 + 3 is found from 32 examples.
const y = x
  .narrow(1, 0, 1)
  .mul(0.5)
  .sub(x.narrow(1, 1, 1).mul(2))
  .add(3);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
for (let step = 0; step < 500; step++) {
  optimizer.zeroGrad();
  F.mseLoss(model(x), y).backward();
  optimizer.step();
}
const found = model.linear.weight.detach().reshape(-1);
console.log(String(found), String(model.linear.bias!.detach()));
const wanted = torch.tensor([0.5, -2, 0, 0, 0, 0, 0, 0, 0, 0]);
assert(torch.allclose(found, wanted, { atol: 1e-3 }));
assert(torch.allclose(model.linear.bias!.detach(), torch.tensor([3]).float(), { atol: 1e-3 }));
