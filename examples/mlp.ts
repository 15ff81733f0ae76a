// A multi-layer perceptron as a class, and the same as nn.Sequential.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class MLP extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;

  constructor(inputs: number, hidden: number, outputs: number) {
    super();
    this.fc1 = new nn.Linear(inputs, hidden);
    this.fc2 = new nn.Linear(hidden, hidden);
    this.fc3 = new nn.Linear(hidden, outputs);
  }

  override forward(x: Tensor): Tensor {
    const h = F.relu(this.fc2(F.relu(this.fc1(x))));
    return this.fc3(h);
  }
}

torch.manualSeed(0);
const model = new MLP(784, 256, 10);
const count = [...model.parameters()].reduce((sum, p) => sum + p.numel(), 0);
console.log(String(model));
console.log(`${count.toLocaleString('en-US')} parameters`);
assert.equal(count, 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10);

// The same pipeline by names; layers are reached by name and by number.
const named = new nn.Sequential([
  ['fc1', new nn.Linear(784, 256)],
  ['relu1', new nn.ReLU()],
  ['fc2', new nn.Linear(256, 256)],
  ['relu2', new nn.ReLU()],
  ['fc3', new nn.Linear(256, 10)],
]);
// Its keys are those of the class, so that it takes the class's weights.
named.loadStateDict(model.stateDict());
const x = torch.randn(32, 784);
assert(torch.allclose(model(x), named(x) as Tensor, { atol: 1e-5 }));
assert.equal(named.get(0), named.getSubmodule('fc1'));

// A few steps of training on random classes: it learns them by heart.
const classes = torch.randint(0, 10, [32]);
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
let first = 0;
let last = 0;
for (let step = 0; step < 30; step++) {
  optimizer.zeroGrad();
  const loss = F.crossEntropy(model(x), classes);
  loss.backward();
  optimizer.step();
  last = Number(loss.item());
  if (step === 0) first = last;
}
console.log(`loss ${first.toFixed(3)} -> ${last.toFixed(3)}`);
assert(last < first / 10);
