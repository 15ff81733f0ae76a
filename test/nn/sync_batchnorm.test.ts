// SyncBatchNorm in one process: batch normalisation under another name.
import torch, { nn, type Tensor } from 'flambeau';

const pairs = [
  ['BatchNorm1d', [6, 3]],
  ['BatchNorm1d', [4, 3, 5]],
  ['BatchNorm2d', [2, 3, 4, 4]],
  ['BatchNorm3d', [2, 3, 2, 2, 2]],
] as const;
const settings = [
  {},
  { momentum: null },
  { affine: false },
  { trackRunningStats: false },
  { bias: false, eps: 1e-3 },
] as const;

test.each(pairs.flatMap(([name, shape]) => settings.map((s) => [name, shape, s] as const)))(
  'computes what %s does on %j with %j',
  (name, shape, options) => {
    torch.manualSeed(1);
    const plain = new nn[name](3, options);
    const sync = nn.SyncBatchNorm.convertSyncBatchnorm(torch.deepcopy(plain));
    expect(sync).toBeInstanceOf(nn.SyncBatchNorm);
    for (const training of [true, true, false]) {
      const x = torch.randn([...shape]);
      const [a, b] = [x.clone().requiresGrad_(), x.clone().requiresGrad_()];
      const want = plain.train(training)(a);
      const found = (sync.train(training) as nn.SyncBatchNorm)(b);
      expect(torch.equal(found, want)).toBe(true);
      if (training) {
        want.square().sum().backward();
        found.square().sum().backward();
        expect(torch.equal(b.grad!, a.grad!)).toBe(true);
      }
    }
    const state = (m: nn.Module): [string, unknown][] =>
      [...m.stateDict()].map(([k, v]) => [k, (v as Tensor).tolist()]);
    expect(state(sync)).toEqual(state(plain));
  },
);

test('prints as PyTorch prints it', () => {
  expect(String(new nn.SyncBatchNorm(3))).toBe(
    'SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)',
  );
  expect(new nn.SyncBatchNorm(3).stateDict()._metadata!.get('')).toEqual({ version: 2 });
});

test('takes the place of every layer and keeps its tensors', () => {
  const model = new nn.Sequential(
    new nn.Conv2d(3, 4, 1),
    new nn.BatchNorm2d(4, 1e-3, 0.2),
    new nn.Sequential(new nn.BatchNorm1d(4, { affine: false, trackRunningStats: false })),
    new nn.InstanceNorm2d(4),
  );
  const before = model.get(1) as nn.BatchNorm2d;
  before.eval();
  expect(nn.SyncBatchNorm.convertSyncBatchnorm(model)).toBe(model);
  expect(String(model)).toBe(`Sequential(
  (0): Conv2d(3, 4, kernel_size=(1, 1), stride=(1, 1))
  (1): SyncBatchNorm(4, eps=0.001, momentum=0.2, affine=True, bias=True, track_running_stats=True)
  (2): Sequential(
    (0): SyncBatchNorm(4, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)
  )
  (3): InstanceNorm2d(4, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)
)`);
  const after = model.get(1) as nn.SyncBatchNorm;
  expect(after.training).toBe(false);
  for (const name of ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'] as const)
    expect(after[name]).toBe(before[name]);
});

test('says what it does not take', () => {
  expect(() => new nn.SyncBatchNorm(3)(torch.ones(3))).toThrow('expected at least 2D input (got 1D input)');
  expect(() => new nn.SyncBatchNorm(0)(torch.ones(2, 0))).toThrow(
    'SyncBatchNorm number of input channels should be non-zero',
  );
  expect(() => new nn.SyncBatchNorm(3)(torch.ones(1, 3))).toThrow(
    'Expected more than 1 value per channel when training, got input size torch.Size([1, 3])',
  );
  expect(() => new nn.SyncBatchNorm(3, { processGroup: {} })).toThrow('Default process group has not been initialized');
  expect(() => nn.SyncBatchNorm.convertSyncBatchnorm(3 as never)).toThrow(TypeError);
});
