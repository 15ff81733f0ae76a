// Averaged models against PyTorch's, and batch statistics computed anew.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { nn, optim, type Tensor } from 'flambeau';

const { AveragedModel, getEmaAvgFn, getEmaMultiAvgFn, getSwaAvgFn, updateBn } = optim.swaUtils;
const recorded = JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'averages.json'), 'utf8')) as {
  swa: number[][];
  ema: number[][];
  keys: string[];
};

/** Sets the parameters of a Linear(2, 1) as the recording did at a step. */
function setParameters(model: nn.Module, step: number): void {
  torch.noGrad(() =>
    [...model.parameters()].forEach((p, which) => {
      p.copy_(
        torch
          .tensor(Float64Array.from({ length: p.numel() }, (_, i) => Math.sin(1.3 * step + 0.7 * i + which)))
          .reshape(p.shape),
      );
    }),
  );
}

test.each([
  ['the mean', 'swa', {}],
  ['the mean by a function', 'swa', { avgFn: getSwaAvgFn() }],
  ['a moving average', 'ema', { avgFn: getEmaAvgFn(0.9) }],
  ['a moving average of all at once', 'ema', { multiAvgFn: getEmaMultiAvgFn(0.9) }],
] as const)('%s', (_, key, options) => {
  const model = new nn.Linear(2, 1);
  const average = new AveragedModel(model, options);
  for (let step = 0; step < 4; step++) {
    setParameters(model, step);
    average.updateParameters(model);
  }
  [...average.module.parameters()].forEach((p, i) => {
    const found = Array.from(p.detach().reshape(-1).toTypedArray(), Number);
    found.forEach((v, k) => expect(v).toBeCloseTo(recorded[key][i]![k]!, 6));
  });
  expect([...average.stateDict().keys()]).toEqual(recorded.keys);
  expect(average.n_averaged.item()).toBe(4);
  const x = torch.ones(1, 2);
  expect((average(x) as Tensor).item()).toBeCloseTo(Number((average.module as nn.Linear)(x).item()), 6);
});

test('buffers are copied, or averaged on request', () => {
  for (const useBuffers of [false, true]) {
    const model = new nn.BatchNorm1d(1);
    const average = new AveragedModel(model, { useBuffers });
    for (const value of [1, 3]) {
      model.running_mean!.fill_(value);
      average.updateParameters(model);
    }
    expect((average.module as nn.BatchNorm1d).running_mean!.item()).toBe(useBuffers ? 2 : 3);
  }
});

test('updateBn computes the statistics over all batches and leaves modes and momenta as they were', () => {
  const norm = new nn.BatchNorm1d(2);
  const model = new nn.Sequential(norm).eval();
  norm.running_mean!.fill_(100);
  const batches = [
    torch.tensor([
      [0, 1],
      [2, 3],
    ]),
    torch.tensor([
      [4, 5],
      [6, 7],
    ]),
  ];
  updateBn(
    batches.map((b) => [b, 0]),
    model,
  );
  expect(norm.running_mean!.tolist()).toEqual([3, 4]);
  expect([norm.momentum, norm.training]).toEqual([0.1, false]);
});

test('wrong arguments are refused', () => {
  expect(() => new AveragedModel({} as never)).toThrow(TypeError);
  expect(
    () => new AveragedModel(new nn.Linear(1, 1), { avgFn: getSwaAvgFn(), multiAvgFn: getEmaMultiAvgFn() }),
  ).toThrow('Only one of avg_fn and multi_avg_fn should be provided');
  expect(() => getEmaAvgFn(2)).toThrow('Invalid decay value 2');
});
