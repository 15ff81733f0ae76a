// A buffer: state that is saved with the module but not trained.
import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { nn, type Tensor } from 'flambeau';

class RunningMean extends nn.Module {
  declare mean: Tensor;

  constructor(
    features: number,
    readonly momentum = 0.9,
  ) {
    super();
    this.registerBuffer('mean', torch.zeros(features));
  }

  override forward(x: Tensor): Tensor {
    this.mean = this.mean.mul(this.momentum).add(x, { alpha: 1 - this.momentum });
    return this.mean;
  }
}

torch.manualSeed(0);
const m = new RunningMean(4);
for (let i = 0; i < 10; i++) m(torch.randn(4).add(5));
console.log(m.stateDict());
assert.deepEqual([...m.parameters()], []);
assert.deepEqual(
  [...m.namedBuffers()].map(([name]) => name),
  ['mean'],
);
// After 10 values around 5, 1 - 0.9^10 = 65% of the way from 0.
assert(Math.abs(Number(m.mean.mean().item()) - 5 * (1 - 0.9 ** 10)) < 0.6);

const folder = mkdtempSync(path.join(tmpdir(), 'flambeau-'));
try {
  const file = path.join(folder, 'mean.pt');
  torch.save(m.stateDict(), file);
  const loaded = new RunningMean(4);
  console.log(String(loaded.loadStateDict(torch.load(file) as ReturnType<typeof m.stateDict>)));
  assert(loaded.mean.equal(m.mean));
  // The type of all floating-point buffers follows the module's.
  assert.equal(loaded.double().mean.dtype, torch.float64);
} finally {
  rmSync(folder, { recursive: true });
}
