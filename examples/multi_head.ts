// Several outputs from one network: two heads at once, a head chosen by name, and several kinds of input.
import assert from 'node:assert';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

class TwoHeads extends nn.Module {
  encoder = new nn.Sequential(new nn.Linear(10, 64), new nn.ReLU(), new nn.Linear(64, 64));
  classification = new nn.Linear(64, 3);
  regression = new nn.Linear(64, 1);

  override forward(x: Tensor): [Tensor, Tensor] {
    const features = this.encoder(x) as Tensor;
    return [this.classification(features), this.regression(features)];
  }
}

torch.manualSeed(0);
const model = new TwoHeads();
const x = torch.randn(64, 10);
const classes = x.narrow(1, 0, 3).argmax(1);
const values = x.sum(1, true);
const optimizer = new optim.Adam(model.parameters(), { lr: 5e-3 });
const losses: number[][] = [];
for (let step = 0; step < 120; step++) {
  const [logits, predicted] = model(x);
  const classLoss = F.crossEntropy(logits, classes);
  const valueLoss = F.mseLoss(predicted, values);
  optimizer.zeroGrad();
  classLoss.add(valueLoss).backward();
  optimizer.step();
  losses.push([Number(classLoss.item()), Number(valueLoss.item())]);
}
console.log('losses of both heads:', losses[0], '->', losses[losses.length - 1]);
assert(losses[losses.length - 1]![0]! < losses[0]![0]! / 4 && losses[losses.length - 1]![1]! < losses[0]![1]! / 4);

/** A head for each task, chosen by name at each call. */
class MultiTask extends nn.Module {
  shared = new nn.Linear(10, 20);
  heads = new nn.ModuleDict({ classify: new nn.Linear(20, 10), regress: new nn.Linear(20, 1) });

  override forward(input: Tensor, task: string): Tensor {
    return (this.heads.get(task) as nn.Linear)(F.relu(this.shared(input)));
  }
}
const tasks = new MultiTask();
assert.deepEqual(
  [tasks(x, 'classify').shape, tasks(x, 'regress').shape],
  [
    [64, 10],
    [64, 1],
  ],
);
// Only the head that was used gets a gradient.
tasks(x, 'regress').sum().backward();
assert(tasks.getParameter('heads.regress.weight').grad !== null);
assert(tasks.getParameter('heads.classify.weight').grad === null);

/** An encoder for each kind of input; what is there is averaged. */
class MultiModal extends nn.Module {
  encoders = new nn.ModuleDict({ tokens: new nn.Embedding(100, 16), audio: new nn.Linear(8, 16) });
  classifier = new nn.Linear(16, 5);

  override forward(inputs: Record<string, Tensor>): Tensor {
    const encoded = Object.entries(inputs)
      .filter(([kind]) => this.encoders.has(kind))
      .map(([kind, data]) => (this.encoders.get(kind) as nn.Linear)(data));
    return this.classifier(torch.stack(encoded).mean(0));
  }
}
const modal = new MultiModal();
const tokens = torch.randint(0, 100, [2]);
const audio = torch.randn(2, 8);
assert.deepEqual([...modal({ tokens, audio }).shape], [2, 5]);
assert.deepEqual([...modal({ audio, smell: audio }).shape], [2, 5]);
console.log('one kind or both:', String(modal({ audio }).argmax(1)), String(modal({ tokens, audio }).argmax(1)));
