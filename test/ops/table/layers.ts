// Rows of convolutions, pooling, normalisation and softmax.
import { type Case, call, callWith, exactly, grid, named, type Spec, type Structured } from './row';

const x = (...shape: number[]): Spec => grid(shape, -1, 1, { seed: 1 });
const w = (...shape: number[]): Spec => grid(shape, -1, 1, { seed: 2 });
const b = (...shape: number[]): Spec => grid(shape, -1, 1, { seed: 3 });
const F = (name: string): string => `torch.nn.functional.${name}`;

const conv1: Case[] = [
  call(x(2, 3, 7), w(4, 3, 3), b(4)),
  call(x(3, 7), w(4, 3, 2)),
  callWith({ stride: 2, padding: 1, dilation: 2 }, x(1, 2, 9), w(2, 2, 3)),
  callWith({ padding: 'same' }, x(1, 2, 6), w(2, 2, 4)),
  callWith({ groups: 2, padding: 'valid' }, x(1, 4, 5), w(2, 2, 2)),
  call(x(0, 3, 7), w(4, 3, 3)),
];
const conv2: Case[] = [
  call(x(2, 2, 4, 5), w(3, 2, 2, 3), b(3)),
  callWith({ stride: [2, 1], padding: [0, 2], dilation: [1, 2] }, x(1, 2, 5, 4), w(2, 2, 3, 2)),
  callWith({ groups: 3, padding: 1 }, x(1, 3, 4, 4), w(3, 1, 3, 3), b(3)),
  call(x(1, 4, 3, 3), w(2, 4, 1, 1)),
  callWith({ stride: 2, groups: 2 }, x(1, 2, 5, 5), w(4, 1, 3, 3)),
];

export const rows: readonly Structured[] = [
  { op: 'conv1d', python: F('conv1d'), cases: conv1 },
  { op: 'conv2d', python: F('conv2d'), cases: conv2 },
  {
    op: 'conv3d',
    python: F('conv3d'),
    cases: [
      call(x(1, 2, 3, 3, 3), w(2, 2, 2, 2, 2), b(2)),
      callWith({ stride: [1, 2, 1], padding: 1, groups: 2 }, x(1, 2, 2, 3, 2), w(2, 1, 2, 2, 2)),
    ],
  },
  {
    op: 'convTranspose1d',
    python: F('conv_transpose1d'),
    cases: [
      call(x(2, 3, 4), w(3, 2, 3), b(2)),
      callWith({ stride: 2, padding: 1, outputPadding: 1, dilation: 2 }, x(1, 2, 4), w(2, 2, 3)),
      callWith({ groups: 2 }, x(1, 4, 3), w(4, 1, 2)),
    ],
  },
  {
    op: 'convTranspose2d',
    python: F('conv_transpose2d'),
    cases: [
      call(x(1, 2, 3, 3), w(2, 3, 2, 2), b(3)),
      callWith({ stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], groups: 2 }, x(1, 2, 3, 2), w(2, 1, 3, 2)),
      call(x(2, 3, 3), w(2, 1, 2, 2)),
    ],
  },
  {
    op: 'convTranspose3d',
    python: F('conv_transpose3d'),
    cases: [callWith({ stride: [1, 2, 1] }, x(1, 2, 2, 2, 2), w(2, 1, 2, 1, 2), b(1))],
  },
  {
    op: 'maxPool1d',
    more: ['uint8', 'int8', 'int16', 'int32', 'int64'],
    python: F('max_pool1d'),
    cases: [
      call(x(2, 2, 7), 2),
      call(x(2, 7), 3, 1, 1),
      callWith({ dilation: 2, stride: 1 }, x(1, 1, 8), 3),
      callWith({ ceilMode: true }, x(1, 1, 8), 3),
      callWith({ returnIndices: true }, x(1, 2, 6), 2),
    ],
  },
  {
    op: 'maxPool2d',
    python: F('max_pool2d'),
    cases: [
      call(x(1, 2, 4, 4), 2),
      call(x(2, 5, 5), [2, 3], [1, 2], [1, 1]),
      callWith({ ceilMode: true, stride: 2 }, x(1, 1, 5, 6), 3),
      callWith({ returnIndices: true, padding: 1 }, x(1, 1, 4, 5), [3, 2]),
    ],
  },
  {
    op: 'maxPool3d',
    python: F('max_pool3d'),
    cases: [call(x(1, 2, 3, 4, 4), 2), callWith({ returnIndices: true, stride: 1 }, x(1, 1, 3, 3, 2), 2)],
  },
  { op: 'maxPool1dWithIndices', python: F('max_pool1d_with_indices'), cases: [call(x(1, 2, 6), 2)] },
  { op: 'maxPool2dWithIndices', python: F('max_pool2d_with_indices'), cases: [call(x(1, 2, 4, 4), 2)] },
  { op: 'maxPool3dWithIndices', python: F('max_pool3d_with_indices'), cases: [call(x(1, 1, 2, 4, 4), 2)] },
  {
    op: 'avgPool1d',
    python: F('avg_pool1d'),
    cases: [
      call(x(2, 2, 7), 2),
      call(x(2, 7), 3, 2, 1),
      callWith({ ceilMode: true, countIncludePad: false, padding: 1 }, x(1, 1, 8), 3),
    ],
  },
  {
    op: 'avgPool2d',
    python: F('avg_pool2d'),
    cases: [
      call(x(1, 2, 4, 4), 2),
      call(x(2, 5, 5), [2, 3], [1, 2], [1, 1]),
      callWith({ ceilMode: true, countIncludePad: false, padding: 1, stride: 2 }, x(1, 1, 5, 6), 3),
      callWith({ divisorOverride: 3 }, x(1, 1, 4, 4), 2),
    ],
  },
  {
    op: 'avgPool3d',
    more: ['float16', 'bfloat16'],
    python: F('avg_pool3d'),
    cases: [call(x(1, 2, 3, 4, 4), 2), callWith({ padding: 1, stride: 2, ceilMode: true }, x(1, 1, 3, 3, 3), 2)],
  },
  {
    op: 'adaptiveAvgPool1d',
    python: F('adaptive_avg_pool1d'),
    cases: [call(x(2, 2, 7), 3), call(x(2, 4), 6), call(x(1, 2, 3), 1)],
  },
  {
    op: 'adaptiveAvgPool2d',
    python: F('adaptive_avg_pool2d'),
    cases: [call(x(1, 2, 5, 4), [2, 3]), call(x(1, 5, 5), 2), call(x(1, 2, 5, 4), [null, 3]), call(x(1, 2, 3, 3), 1)],
  },
  { op: 'adaptiveAvgPool3d', python: F('adaptive_avg_pool3d'), cases: [call(x(1, 2, 3, 4, 5), [2, 2, 3])] },
  {
    op: 'adaptiveMaxPool1d',
    python: F('adaptive_max_pool1d'),
    cases: [call(x(2, 2, 7), 3), callWith({ returnIndices: true }, x(2, 4), 3)],
  },
  {
    op: 'adaptiveMaxPool2d',
    python: F('adaptive_max_pool2d'),
    cases: [call(x(1, 2, 5, 4), [2, 3]), callWith({ returnIndices: true }, x(1, 5, 5), 2)],
  },
  { op: 'adaptiveMaxPool3d', python: F('adaptive_max_pool3d'), cases: [call(x(1, 2, 3, 4, 5), [2, 2, 3])] },
  {
    op: 'layerNorm',
    python: F('layer_norm'),
    cases: [
      call(x(3, 4), [4], w(4), b(4)),
      call(x(2, 3, 4), [3, 4]),
      callWith({ weight: w(4), eps: 0.5 }, x(3, 4), [4]),
      callWith({ bias: b(4) }, x(3, 4), [4]),
      call(x(0, 4), [4], w(4), b(4)),
    ],
  },
  {
    op: 'groupNorm',
    python: F('group_norm'),
    cases: [call(x(2, 4, 3), 2, w(4), b(4)), call(x(2, 4), 2), callWith({ eps: 0.5 }, x(1, 6, 2, 2), 3)],
  },
  {
    op: 'batchNorm',
    python: F('batch_norm'),
    grad: [0, 3, 4],
    cases: [
      call(x(4, 3), null, null, w(3), b(3), true),
      call(x(2, 3, 4), exactly([3], [0.1, 0.2, -0.3]), exactly([3], [1, 0.5, 2]), w(3), b(3)),
      callWith({ training: true, eps: 0.25 }, x(2, 2, 3, 2), null, null),
      call(x(3, 2), exactly([2], [0.1, 0.2]), exactly([2], [1, 0.5])),
    ],
  },
  {
    op: 'instanceNorm',
    python: F('instance_norm'),
    cases: [call(x(2, 3, 4)), callWith({ weight: w(3), bias: b(3), eps: 0.25 }, x(2, 3, 2, 2))],
  },
  {
    op: 'softmax',
    cases: [
      call(x(3, 4), 1),
      call(x(3, 4), 0),
      call(x(2, 3, 2), -2),
      call(exactly([], [2]), 0),
      call(exactly([0, 3], []), 1),
    ],
  },
  {
    op: 'logSoftmax',
    cases: [
      call(x(3, 4), 1),
      call(x(3, 4), 0),
      call(x(2, 3, 2), -2),
      call(exactly([], [2]), 0),
      call(exactly([0, 3], []), 1),
    ],
  },
  {
    op: 'softmax',
    variant: 'extremes',
    grad: false,
    cases: [
      call(exactly([2, 3], [1000, 999, -Infinity, -1e300, -1e300, 1e300]), 1),
      call(exactly([3], [-Infinity, -Infinity, -Infinity]), 0),
      call(exactly([2], [Infinity, 1]), 0),
      call(exactly([2], [NaN, 1]), 0),
      callWith({ dtype: named('float64') }, exactly([2], [1, 2], 'int64'), 0),
    ],
  },
  {
    op: 'logSoftmax',
    variant: 'extremes',
    grad: false,
    cases: [
      call(exactly([2, 3], [1000, 999, -Infinity, -1e300, -1e300, 1e300]), 1),
      call(exactly([3], [-Infinity, -Infinity, -Infinity]), 0),
      call(exactly([2], [Infinity, 1]), 0),
    ],
  },
  {
    op: 'prelu',
    cases: [
      call(grid([2, 3, 2], -1, 1, { avoid: [0] }), w(3)),
      call(grid([2, 3], -1, 1, { avoid: [0] }), w(1)),
      call(grid([4], -1, 1, { avoid: [0] }), w(1)),
    ],
  },
  {
    op: 'glu',
    python: F('glu'),
    cases: [call(x(3, 4)), call(x(4, 3), 0), call(x(2, 2, 2), 1)],
  },
];
