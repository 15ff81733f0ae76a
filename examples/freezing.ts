// Freezing layers: all but the head, by name, and thawing them again.
import assert from 'node:assert';
import torch, { nn, optim, type Tensor } from 'flambeau';

class Model extends nn.Module {
  encoder = new nn.Sequential(new nn.Linear(6, 8), new nn.Tanh(), new nn.Linear(8, 8));
  classifier = new nn.Linear(8, 2);

  override forward(x: Tensor): Tensor {
    return this.classifier(this.encoder(x) as Tensor);
  }
}

/** Freezes all parameters but those whose names match. */
function trainOnly(model: nn.Module, pattern: RegExp): void {
  for (const [name, p] of model.namedParameters()) p.requiresGrad_(pattern.test(name));
}

const trainable = (model: nn.Module): string[] =>
  [...model.namedParameters()].filter(([, p]) => p.requiresGrad).map(([name]) => name);

/** A step on data where every parameter that can learn does. */
function step(model: Model, optimizer: optim.Optimizer<object>): void {
  optimizer.zeroGrad();
  model(torch.randn(16, 6)).square().mean().backward();
  optimizer.step();
}

torch.manualSeed(0);
const model = new Model();
for (const p of model.parameters()) p.requiresGrad = false;
assert.deepEqual(trainable(model), []);
trainOnly(model, /^classifier\./);
console.log('learning:', trainable(model).join(', '));
assert.deepEqual(trainable(model), ['classifier.weight', 'classifier.bias']);

const before = new Map([...model.stateDict()].map(([name, t]) => [name, t.clone()]));
const changed = (): string[] =>
  [...model.stateDict()].filter(([name, t]) => !t.equal(before.get(name)!)).map(([name]) => name);
const optimizer = new optim.SGD(
  [...model.parameters()].filter((p) => p.requiresGrad),
  { lr: 0.1 },
);
step(model, optimizer);
assert.deepEqual(changed(), ['classifier.weight', 'classifier.bias']);

// Thaw the encoder: it joins the optimizer with a smaller rate.
model.encoder.requiresGrad_(true);
optimizer.addParamGroup({ params: model.encoder.parameters(), lr: 0.01 });
step(model, optimizer);
console.log('changed after thawing:', changed().join(', '));
assert.equal(changed().length, 6);
assert.deepEqual(
  optimizer.paramGroups.map((g) => g.lr),
  [0.1, 0.01],
);
