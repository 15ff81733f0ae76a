// From a class to a saved model: define, initialise, train in batches, evaluate, save, load.
import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

const { DataLoader, randomSplit, TensorDataset } = torch.utils.data;

class Classifier extends nn.Module {
  layers = new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Dropout(0.1), new nn.Linear(32, 2));

  override forward(x: Tensor): Tensor {
    return this.layers(x) as Tensor;
  }
}

torch.manualSeed(0);
// Points inside and outside of a circle.
const points = torch.rand(600, 2).mul(2).sub(1);
const inside = points.square().sum(1).lt(0.5).to(torch.int64);
const [training, test] = randomSplit(new TensorDataset(points, inside), [0.8, 0.2]);

const model = new Classifier();
model.apply((m) => {
  if (m instanceof nn.Linear) nn.init.kaimingNormal_(m.weight, { nonlinearity: 'relu' });
});
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
const loader = new DataLoader(training!, { batchSize: 32, shuffle: true });

function accuracy(): number {
  model.eval();
  return torch.noGrad(() => {
    let right = 0;
    for (const [x, y] of new DataLoader(test!, { batchSize: 64 }) as Iterable<[Tensor, Tensor]>) {
      right += Number(model(x).argmax(1).eq(y).sum().item());
    }
    return right / test!.length;
  });
}

for (let epoch = 0; epoch < 15; epoch++) {
  model.train();
  for (const [x, y] of loader as Iterable<[Tensor, Tensor]>) {
    optimizer.zeroGrad();
    F.crossEntropy(model(x), y).backward();
    optimizer.step();
  }
}
const reached = accuracy();
console.log(`${(100 * reached).toFixed(1)}% of the points held back are told right`);
assert(reached > 0.9);

const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-'));
try {
  const file = path.join(folder, 'model.pt');
  torch.save(model.stateDict(), file);
  const loaded = new Classifier();
  loaded.loadStateDict(torch.load(file) as ReturnType<typeof model.stateDict>);
  loaded.eval();
  assert(loaded(points).equal(model(points)));
} finally {
  rmSync(folder, { recursive: true });
}
