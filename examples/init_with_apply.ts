// Initial values: the functions of nn.init, a rule for every layer with apply, and layers made without any.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

const std = (t: Tensor): number => Number(t.std().item());

torch.manualSeed(0);
const linear = new nn.Linear(100, 50);
const schemes: [string, () => unknown, number][] = [
  ['xavierUniform_', () => nn.init.xavierUniform_(linear.weight), Math.sqrt(2 / 150)],
  ['xavierNormal_', () => nn.init.xavierNormal_(linear.weight), Math.sqrt(2 / 150)],
  ['kaimingUniform_', () => nn.init.kaimingUniform_(linear.weight, { nonlinearity: 'relu' }), Math.sqrt(2 / 100)],
  [
    'kaimingNormal_',
    () => nn.init.kaimingNormal_(linear.weight, { mode: 'fan_out', nonlinearity: 'relu' }),
    Math.sqrt(2 / 50),
  ],
  ['normal_', () => nn.init.normal_(linear.weight, 0, 0.02), 0.02],
  ['uniform_', () => nn.init.uniform_(linear.weight, -0.1, 0.1), 0.1 / Math.sqrt(3)],
];
for (const [name, fill, expected] of schemes) {
  fill();
  console.log(`${name.padEnd(16)} std ${std(linear.weight).toFixed(4)}, by its formula ${expected.toFixed(4)}`);
  assert(Math.abs(std(linear.weight) / expected - 1) < 0.05);
}
nn.init.orthogonal_(linear.weight);
assert(torch.allclose(linear.weight.matmul(linear.weight.t()), torch.eye(50), { atol: 1e-4 }));
nn.init.constant_(linear.bias!, 0.1);
assert(linear.bias!.eq(Math.fround(0.1)).all().item());

// A rule for all layers of a network.
const model = new nn.Sequential(
  new nn.Conv2d(3, 16, 3),
  new nn.BatchNorm2d(16),
  new nn.Flatten(),
  new nn.Linear(64, 5),
);
model.apply((m) => {
  if (m instanceof nn.Linear || m instanceof nn.Conv2d) {
    nn.init.kaimingNormal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
    if (m.bias) nn.init.zeros_(m.bias);
  } else if (m instanceof nn.BatchNorm2d) {
    nn.init.ones_(m.weight!);
    nn.init.zeros_(m.bias!);
  }
});
for (const [name, p] of model.namedParameters()) if (name.endsWith('bias')) assert(p.eq(0).all().item(), name);

// Without gradients, parameters can be written directly.
torch.noGrad(() => linear.weight.fill_(0.5));
assert.equal(linear.weight.mean().item(), 0.5);

// A layer whose own initialisation is skipped, to be filled by another; and one of another type from the start.
const orthogonal = nn.utils.skipInit(nn.Linear, 5, 3) as nn.Linear;
nn.init.orthogonal_(orthogonal.weight);
assert(torch.allclose(orthogonal.weight.matmul(orthogonal.weight.t()), torch.eye(3), { atol: 1e-5 }));
assert.equal(new nn.Linear(5, 3, { dtype: torch.float16 }).weight.dtype, torch.float16);
assert.equal(new nn.BatchNorm2d(3, { dtype: torch.float16 }).running_mean!.dtype, torch.float16);
