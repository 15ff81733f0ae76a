// Module descriptions of layers in containers, as PyTorch prints them.
import { inspect } from 'node:util';
import torch, { nn } from 'flambeau';

test.each<[string, nn.Module, string]>([
  ['no bias', new nn.Linear(3, 4, { bias: false }), 'Linear(in_features=3, out_features=4, bias=False)'],
  [
    'mlp',
    new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2)),
    'Sequential(\n  (0): Linear(in_features=4, out_features=8, bias=True)\n  (1): ReLU()\n' +
      '  (2): Linear(in_features=8, out_features=2, bias=True)\n)',
  ],
  [
    'named',
    new nn.Sequential([
      ['fc', new nn.Linear(4, 8)],
      ['act', new nn.GELU()],
      ['drop', new nn.Dropout(0.1)],
    ]),
    "Sequential(\n  (fc): Linear(in_features=4, out_features=8, bias=True)\n  (act): GELU(approximate='none')\n" +
      '  (drop): Dropout(p=0.1, inplace=False)\n)',
  ],
  ['empty', new nn.Sequential(), 'Sequential()'],
  [
    'list',
    new nn.ModuleList<nn.Module>([new nn.Linear(1, 2), new nn.ReLU()]),
    'ModuleList(\n  (0): Linear(in_features=1, out_features=2, bias=True)\n  (1): ReLU()\n)',
  ],
  [
    'conv',
    new nn.Conv2d(4, 8, [3, 5], {
      stride: 2,
      padding: [1, 2],
      dilation: 2,
      groups: 2,
      bias: false,
      paddingMode: 'reflect',
    }),
    'Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 2), padding=(1, 2), dilation=(2, 2), groups=2, bias=False, padding_mode=reflect)',
  ],
  [
    'floats that are whole',
    new nn.Embedding(10, 3, { paddingIdx: 0, maxNorm: 1, normType: 1, scaleGradByFreq: true, sparse: true }),
    'Embedding(10, 3, padding_idx=0, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True, sparse=True)',
  ],
  ['small floats and tuples', new nn.LayerNorm([8]), 'LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)'],
  ['large floats', new nn.Threshold(1e16, -0.5), 'Threshold(threshold=1e+16, value=-0.5)'],
])('%s', (_, module, text) => {
  expect(String(module)).toBe(text);
});

test('what holds tensors prints as in PyTorch', () => {
  const state = new nn.BatchNorm1d(1).stateDict();
  const text =
    "OrderedDict([('weight', tensor([1.])), ('bias', tensor([0.])), ('running_mean', tensor([0.])), " +
    "('running_var', tensor([1.])), ('num_batches_tracked', tensor(0))])";
  expect([String(state), inspect(state)]).toEqual([text, text]);
  expect(String(new nn.Sequential().stateDict())).toBe('OrderedDict()');
  const mixed = new torch.StateDict<unknown>([
    ['a', [1, 'x', null, true]],
    ['b', new Map([['c', torch.Tuple.of(2)]])],
  ]);
  expect(String(mixed)).toBe("OrderedDict([('a', [1, 'x', None, True]), ('b', {'c': (2,)})])");
  const packed = nn.utils.rnn.packSequence([torch.ones(1), torch.ones(2)], { enforceSorted: false });
  expect(String(packed)).toBe(
    'PackedSequence(data=tensor([1., 1., 1.]), batch_sizes=tensor([2, 1]), sorted_indices=tensor([1, 0]), ' +
      'unsorted_indices=tensor([1, 0]))',
  );
});
