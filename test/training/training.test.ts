// From the same seed and on the same data, training follows PyTorch's recorded losses at every step.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { type Tensor } from 'flambeau';
import { lstm, mlp, resnet, STEPS, transformer } from './models';

const recorded = JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'training.json'), 'utf8')) as {
  seed: number;
  losses: Record<string, number[]>;
};
const trainings: Record<string, () => Generator<Tensor>> = { mlp, resnet, lstm, transformer };

test('every recorded training has its counterpart', () => {
  expect(Object.keys(trainings)).toEqual(Object.keys(recorded.losses));
});

describe.each(Object.entries(trainings))('%s', (name, train) => {
  const want = recorded.losses[name]!;

  test('the loss stays within 1e-4 of PyTorch at each step', () => {
    torch.manualSeed(recorded.seed);
    const found = Array.from(train(), (loss) => Number(loss.item()));
    expect(found).toHaveLength(STEPS);
    const departures = found.flatMap((loss, step) => {
      const relative = Math.abs(loss - want[step]!) / want[step]!;
      return relative <= 1e-4 ? [] : [`step ${step}: ${loss}, PyTorch ${want[step]} (${relative.toExponential(1)})`];
    });
    expect(departures).toEqual([]);
  });
});
