// Rows of views and of what rearranges dimensions.
import { call, callWith, exactly, grid, named, type Structured, whole } from './row';

const cube = grid([2, 3, 4]);
const matrix = grid([3, 4], -2, 2, { seed: 2 });
const square = grid([3, 3], -2, 2, { seed: 3 });
const vector = grid([7], -2, 2, { seed: 4 });
const scalar = exactly([], [1.5]);
const none = exactly([0, 3], []);
const four = grid([2, 1, 3, 1], -2, 2, { seed: 5 });
const complex = grid([2, 3], -2, 2, { dtype: 'complex128' });
const pairs = grid([3, 2], -2, 2, { seed: 6 });

export const rows: readonly Structured[] = [
  {
    op: 'view',
    layouts: false,
    cases: [
      call(cube, 6, 4),
      call(cube, [4, -1]),
      call(cube, -1),
      call(scalar, 1, 1),
      call(none, 3, 0),
      call(none, [0, 5]),
    ],
  },
  { op: 'viewAs', layouts: false, grad: [0], cases: [call(cube, grid([4, 6]))] },
  {
    op: 'reshape',
    cases: [
      call(cube, 6, 4),
      call(cube, [4, -1]),
      call(cube, -1),
      call(scalar, 1, 1),
      call(exactly([1], [2]), []),
      call(none, 3, 0),
    ],
  },
  { op: 'reshapeAs', grad: [0], cases: [call(cube, grid([4, 6]))] },
  {
    op: 'flatten',
    cases: [call(cube), call(cube, 1), callWith({ startDim: 0, endDim: 1 }, cube), call(scalar), call(none)],
  },
  { op: 'ravel', cases: [call(cube), call(scalar)] },
  { op: 'unflatten', cases: [call(cube, 2, [2, 2]), call(cube, -1, [-1, 2]), call(matrix, 0, [1, 3])] },
  { op: 'expand', cases: [call(four, 2, 5, 3, 4), call(matrix, [2, -1, 4]), call(scalar, 3), call(vector, [2, 7])] },
  { op: 'expandAs', grad: [0], cases: [call(vector, grid([2, 7]))] },
  { op: 'broadcastTo', cases: [call(four, [2, 5, 3, 4]), call(scalar, [2, 2])] },
  { op: 'permute', cases: [call(cube, 2, 0, 1), call(cube, [-1, 1, 0]), call(scalar, []), call(matrix, 0, 1)] },
  {
    op: 'transpose',
    cases: [call(cube, 0, 2), call(cube, -1, 1), call(matrix, 1, 1), call(scalar, 0, -1)],
    aliases: ['swapaxes', 'swapdims'],
  },
  { op: 't', cases: [call(matrix), call(vector), call(scalar)] },
  { op: 'adjoint', cases: [call(cube), call(complex)] },
  {
    op: 'movedim',
    cases: [call(cube, 0, 2), call(cube, [0, 1], [-1, 0]), call(cube, [2], [0])],
    aliases: ['moveaxis'],
  },
  { op: 'select', cases: [call(cube, 0, 1), call(cube, -1, -2), call(vector, 0, 6)] },
  { op: 'narrow', cases: [call(cube, 2, 1, 2), call(cube, -2, -2, 2), call(vector, 0, 7, 0)] },
  { op: 'narrowCopy', cases: [call(cube, 2, 1, 2)] },
  { op: 'squeeze', cases: [call(four), call(four, 1), call(four, [1, -1]), call(four, 0), call(scalar)] },
  { op: 'unsqueeze', cases: [call(cube, 0), call(cube, -1), call(cube, 3), call(scalar, 0)] },
  {
    op: 'diagonal',
    cases: [
      call(square),
      call(matrix, 1),
      call(matrix, -2),
      callWith({ offset: 0, dim1: 0, dim2: 2 }, cube),
      call(matrix, 7),
    ],
  },
  {
    op: 'unfold',
    python: 'torch.Tensor.unfold',
    cases: [
      call(vector, 0, 3, 2),
      call(vector, 0, 3, 1),
      call(cube, 1, 2, 1),
      call(cube, -1, 4, 3),
      call(vector, 0, 0, 1),
    ],
  },
  {
    op: 'asStrided',
    layouts: false,
    cases: [
      call(matrix, [2, 2], [1, 2]),
      call(matrix, [2, 3], [2, 1], 1),
      call(vector, [3, 3], [1, 1], 0),
      call(vector, [], [], 3),
    ],
  },
  { op: 'viewAsReal', types: false, cases: [call(complex)] },
  { op: 'viewAsComplex', layouts: false, types: false, cases: [call(pairs)] },
  { op: 'clone', cases: [call(cube), call(scalar), call(none)] },
  { op: 'contiguous', cases: [call(cube)] },
  { op: 'isConj', grad: false, types: false, cases: [call(complex), call(cube)] },
  { op: 'isNeg', grad: false, types: false, cases: [call(complex), call(cube)] },
  {
    op: 'to',
    types: false,
    cases: [
      call(cube, named('float32')),
      callWith({ dtype: named('complex128') }, cube),
      call(whole([3], -3, 3), named('float64')),
      call(cube, named('int32')),
    ],
    tolerance: 1e-7,
    grad: 'float32 is too coarse for finite differences',
  },
  { op: 'typeAs', types: false, grad: false, cases: [call(cube, whole([1], 0, 1)), call(whole([3], -3, 3), cube)] },
];
