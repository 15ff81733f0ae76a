// Training and evaluation mode: layers that behave differently, and modules of one's own that do.
import assert from 'node:assert';
import torch, { nn, type Tensor } from 'flambeau';

/** Adds one in training only. */
class ModalModule extends nn.Module {
  override forward(x: Tensor): Tensor {
    return this.training ? x.add(1) : x;
  }
}

torch.manualSeed(0);
const modal = new ModalModule();
const x = torch.randn(4);
console.log('training:', String(modal(x)));
assert(modal(x).equal(x.add(1)));
modal.eval();
console.log('evaluation:', String(modal(x)));
assert(modal(x).equal(x));

// The mode of a module is that of all modules inside it.
const model = new nn.Sequential(
  new nn.Linear(10, 20),
  new nn.BatchNorm1d(20),
  new nn.Dropout(0.5),
  new nn.Linear(20, 5),
);
assert([...model.modules()].every((m) => m.training));
model.eval();
assert([...model.modules()].every((m) => !m.training));

// Dropout: half of the elements in training, scaled; nothing in evaluation.
const dropout = new nn.Dropout(0.5);
const ones = torch.ones(1000);
assert.deepEqual([...new Set(dropout(ones).tolist() as number[])].sort(), [0, 2]);
assert(dropout.eval()(ones).equal(ones));

// Batch norm: the batch's statistics in training, the running ones in evaluation.
const norm = new nn.BatchNorm1d(3);
for (let i = 0; i < 100; i++) norm(torch.randn(32, 3).mul(2).add(5));
console.log('running mean and variance:', String(norm.running_mean), String(norm.running_var));
assert(Number(norm.running_mean!.sub(5).abs().max().item()) < 0.5);
assert(Number(norm.running_var!.sub(4).abs().max().item()) < 1);
norm.eval();
const seen = norm.num_batches_tracked!.item();
norm(torch.zeros(1, 3));
assert.equal(norm.num_batches_tracked!.item(), seen);

/** Predictions in evaluation mode and without gradients; the mode is as before afterwards. */
function predict(m: nn.Module & ((input: Tensor) => unknown), input: Tensor): Tensor {
  const training = m.training;
  m.eval();
  try {
    return torch.noGrad(() => m(input)) as Tensor;
  } finally {
    m.train(training);
  }
}
model.train();
const batch = torch.randn(5, 10);
const first = predict(model as nn.Module & ((input: Tensor) => unknown), batch);
assert(first.equal(predict(model as nn.Module & ((input: Tensor) => unknown), batch)));
assert.equal(first.requiresGrad, false);
assert.equal(model.training, true);
