// Different learning rates for different parts of a network, and a schedule for all of them.
import assert from 'node:assert';
import torch, { nn, optim, type Tensor } from 'flambeau';

class Model extends nn.Module {
  encoder = new nn.Linear(6, 6);
  decoder = new nn.Linear(6, 2);

  override forward(x: Tensor): Tensor {
    return this.decoder(torch.tanh(this.encoder(x)));
  }
}

torch.manualSeed(0);
const model = new Model();
const optimizer = new optim.Adam(
  [{ params: model.encoder.parameters(), lr: 1e-4 }, { params: model.decoder.parameters() }],
  { lr: 1e-2 },
);
console.log(String(optimizer));

const before = [...model.parameters()].map((p) => p.detach().clone());
model(torch.randn(8, 6)).square().sum().backward();
optimizer.step();
const moved = [...model.parameters()].map((p, i) => Number(p.detach().sub(before[i]!).abs().max().item()));
// The first step of Adam moves every element by its learning rate.
console.log('largest changes:', moved.map((m) => m.toExponential(2)).join(', '));
assert(Math.abs(moved[0]! - 1e-4) < 1e-5 && Math.abs(moved[2]! - 1e-2) < 1e-4);

// Weight decay for weights, none for biases.
const named = [...model.namedParameters()];
const decayed = new optim.AdamW([
  { params: named.filter(([name]) => name.endsWith('weight')), weightDecay: 0.1 },
  { params: named.filter(([name]) => name.endsWith('bias')), weightDecay: 0 },
]);
assert.deepEqual(
  decayed.paramGroups.map((g) => g.paramNames),
  [
    ['encoder.weight', 'decoder.weight'],
    ['encoder.bias', 'decoder.bias'],
  ],
);

// A schedule scales the rates of all groups.
const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 4 });
const rates: number[][] = [];
for (let epoch = 0; epoch < 4; epoch++) {
  optimizer.step();
  schedule.step();
  rates.push(schedule.getLastLr());
}
console.log('rates:', rates.map(([a, b]) => `${a!.toExponential(1)}/${b!.toExponential(1)}`).join(' '));
for (const [a, b] of rates) assert(Math.abs(b! - 100 * a!) < 1e-12);
assert(rates[3]![1]! < 1e-12);
