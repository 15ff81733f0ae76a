// A checkpoint of a whole training: stopped, saved, loaded and gone on with as if nothing had happened.
import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { F, nn, optim, type Tensor } from 'flambeau';

interface Training {
  model: nn.Sequential;
  optimizer: optim.AdamW;
  scheduler: optim.lrScheduler.StepLR;
}

function start(): Training {
  const model = new nn.Sequential(
    new nn.Linear(4, 16),
    new nn.BatchNorm1d(16),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(16, 1),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
  return { model, optimizer, scheduler: new optim.lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.5 }) };
}

/** One epoch on data of its own; the loss of the last batch. */
function epoch({ model, optimizer, scheduler }: Training): number {
  model.train();
  let last = 0;
  for (let i = 0; i < 5; i++) {
    const x = torch.randn(32, 4);
    optimizer.zeroGrad();
    const loss = F.mseLoss(model(x) as Tensor, x.sum(1, true));
    loss.backward();
    optimizer.step();
    last = Number(loss.item());
  }
  scheduler.step();
  return last;
}

const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-'));
try {
  torch.manualSeed(0);
  const training = start();
  for (let e = 0; e < 3; e++) epoch(training);
  const file = path.join(folder, 'checkpoint.pt');
  torch.save(
    {
      epoch: 3,
      model_state_dict: training.model.stateDict(),
      optimizer_state_dict: training.optimizer.stateDict(),
      scheduler_state_dict: training.scheduler.stateDict(),
      rng_state: torch.getRngState(),
    },
    file,
  );
  const losses = [3, 4, 5].map(() => epoch(training));

  // Another process, another day.
  torch.manualSeed(12345);
  const resumed = start();
  const checkpoint = torch.load(file) as {
    epoch: number;
    model_state_dict: ReturnType<nn.Module['stateDict']>;
    optimizer_state_dict: optim.OptimizerStateDict;
    scheduler_state_dict: optim.lrScheduler.SchedulerStateDict;
    rng_state: Tensor;
  };
  resumed.model.loadStateDict(checkpoint.model_state_dict);
  resumed.optimizer.loadStateDict(checkpoint.optimizer_state_dict);
  resumed.scheduler.loadStateDict(checkpoint.scheduler_state_dict);
  torch.setRngState(checkpoint.rng_state);
  const again = [3, 4, 5].map(() => epoch(resumed));
  console.log(`from epoch ${checkpoint.epoch} on: ${losses.join(', ')}`);
  console.log(`resumed:            ${again.join(', ')}`);
  assert.deepEqual(again, losses);
  assert.deepEqual(resumed.scheduler.getLastLr(), training.scheduler.getLastLr());
  for (const [key, t] of training.model.stateDict()) assert(resumed.model.stateDict().get(key)!.equal(t), key);
} finally {
  rmSync(folder, { recursive: true });
}
