// Rows of joining, splitting, indexing and sorting: what PyTorch gives for them, and their gradients.
import { call, callWith, exactly, grid, mask, type Structured, whole } from './row';

const cube = grid([2, 3, 4]);
const matrix = grid([3, 4], -2, 2, { seed: 2 });
const other = grid([3, 4], -2, 2, { seed: 3 });
const square = grid([3, 3], -2, 2, { seed: 3 });
const vector = grid([6], -2, 2, { seed: 4 });
const scalar = exactly([], [1.5]);
const some = exactly([3], [2, 0, 2], 'int64');
const places = exactly([2, 4], [0, 2, 1, 0, 1, 1, 2, 2], 'int64');
const truths = mask([3, 4]);
const sorted = exactly([4], [-1, 0, 0.5, 2]);

export const rows: readonly Structured[] = [
  {
    op: 'cat',
    grad: false,
    types: false,
    cases: [
      call([matrix, other]),
      call([matrix, square], 1),
      callWith({ dim: -2 }, [matrix, other, matrix]),
      call([exactly([0], []), matrix]),
      call([whole([2], 0, 3), vector]),
    ],
    aliases: ['concat', 'concatenate'],
  },
  {
    op: 'stack',
    grad: false,
    types: false,
    cases: [call([matrix, other]), call([matrix, other], -1), call([scalar, scalar])],
  },
  { op: 'hstack', grad: false, types: false, cases: [call([matrix, square]), call([vector, scalar])] },
  {
    op: 'vstack',
    grad: false,
    types: false,
    cases: [call([matrix, other]), call([vector, vector])],
    aliases: ['rowStack'],
  },
  { op: 'dstack', grad: false, types: false, cases: [call([matrix, other]), call([vector, vector])] },
  { op: 'columnStack', grad: false, types: false, cases: [call([matrix, square]), call([vector, vector])] },
  { op: 'split', cases: [call(matrix, 2), call(matrix, [1, 3], 1), callWith({ dim: -1 }, cube, 3)] },
  { op: 'splitWithSizes', cases: [call(matrix, [1, 2])] },
  { op: 'chunk', cases: [call(vector, 4), call(matrix, 2, 1), call(vector, 9)] },
  { op: 'tensorSplit', cases: [call(vector, 4), call(vector, [1, 1, 4]), call(matrix, 3, 1)] },
  { op: 'hsplit', cases: [call(matrix, 2), call(vector, [2])] },
  { op: 'vsplit', cases: [call(matrix, 3)] },
  { op: 'dsplit', cases: [call(cube, 2)] },
  { op: 'unbind', cases: [call(matrix), call(cube, -1)] },
  { op: 'repeat', cases: [call(vector, 2), call(matrix, 2, 1, 3), call(scalar, [2]), call(vector, 0)] },
  { op: 'tile', cases: [call(matrix, [2]), call(vector, [2, 2])] },
  { op: 'repeatInterleave', cases: [call(vector, 2), call(matrix, 2, 1), callWith({ dim: 0 }, matrix, some)] },
  { op: 'roll', cases: [call(vector, 2), call(matrix, -1, 0), call(matrix, [1, 2], [0, 1])] },
  { op: 'flip', cases: [call(matrix, [0]), call(cube, [0, -1])] },
  { op: 'fliplr', cases: [call(matrix)] },
  { op: 'flipud', cases: [call(matrix)] },
  { op: 'rot90', cases: [call(matrix), call(matrix, 2), call(cube, -1, [1, 2])] },
  { op: 'combinations', cases: [call(vector), call(vector, 3), callWith({ withReplacement: true }, vector)] },
  {
    op: 'gather',
    grad: [0],
    cases: [call(matrix, 0, places), call(cube, -1, exactly([2, 3, 1], [0, 3, 2, 1, 0, 2], 'int64'))],
  },
  { op: 'scatterAdd', grad: [0, 3], cases: [call(matrix, 0, places, grid([2, 4], -1, 1, { seed: 6 }))] },
  {
    op: 'scatterReduce',
    grad: [0, 3],
    cases: ['sum', 'mean', 'amax', 'amin', 'prod'].map((how) =>
      call(matrix, 0, places, grid([2, 4], -1, 1, { seed: 6, avoid: [0] }), how),
    ),
  },
  { op: 'indexSelect', grad: [0], cases: [call(matrix, 0, some), call(cube, -1, some)] },
  {
    op: 'indexAdd',
    grad: [0, 3],
    cases: [call(matrix, 0, some, other), callWith({ alpha: 2 }, matrix, 0, some, other)],
  },
  { op: 'indexCopy', grad: [0, 3], cases: [call(matrix, 0, exactly([3], [2, 0, 1], 'int64'), other)] },
  { op: 'indexFill', grad: [0], cases: [call(matrix, 1, some, 7)] },
  { op: 'take', grad: [0], cases: [call(matrix, places)] },
  { op: 'takeAlongDim', grad: [0], cases: [call(matrix, places, 0), call(matrix, some)] },
  { op: 'maskedSelect', grad: [0], cases: [call(matrix, truths)] },
  { op: 'maskedFill', grad: [0], cases: [call(matrix, truths, -1), call(matrix, mask([4]), 2)] },
  { op: 'maskedScatter', grad: [0, 2], cases: [call(matrix, truths, other)] },
  { op: 'argwhere', grad: false, cases: [call(truths), call(matrix)] },
  {
    op: 'searchsorted',
    more: ['bool'],
    grad: false,
    cases: [call(sorted, matrix), callWith({ right: true }, sorted, exactly([2], [0, 0.5]))],
  },
  {
    op: 'bucketize',
    more: ['bool'],
    grad: false,
    cases: [call(matrix, sorted), callWith({ right: true }, exactly([2], [0, 0.5]), sorted)],
  },
  {
    op: 'bincount',
    grad: false,
    types: false,
    cases: [call(some), callWith({ minlength: 5 }, some), call(some, exactly([3], [0.5, 1, 2]))],
  },
  {
    op: 'histc',
    grad: false,
    types: false,
    cases: [callWith({ bins: 4 }, matrix), callWith({ bins: 3, min: -1, max: 1 }, matrix)],
  },
  { op: 'tril', cases: [call(matrix), call(cube, -1), call(square, 1)] },
  { op: 'triu', cases: [call(matrix), call(cube, -1), call(square, 1)] },
  { op: 'diag', cases: [call(vector), call(matrix), call(matrix, 1), call(vector, -1)] },
  { op: 'diagEmbed', cases: [call(matrix), callWith({ offset: 1, dim1: 0, dim2: 2 }, matrix)] },
  { op: 'diagflat', cases: [call(matrix, 1)] },
  { op: 'trace', more: ['bool'], cases: [call(square), call(matrix)] },
  { op: 'diagonalScatter', cases: [call(matrix, grid([3], 2, 3)), call(matrix, grid([2], 2, 3), -1)] },
  { op: 'selectScatter', cases: [call(matrix, grid([4], 2, 3), 0, -1)] },
  { op: 'sliceScatter', cases: [callWith({ dim: 1, start: 1, end: 4, step: 2 }, matrix, grid([3, 2], 2, 3))] },
  {
    op: 'oneHot',
    python: 'torch.nn.functional.one_hot',
    grad: false,
    types: false,
    cases: [call(some), call(places, 4)],
  },
  {
    op: 'embedding',
    python: 'lambda weight, indices: torch.nn.functional.embedding(indices, weight)',
    grad: [0],
    types: false,
    cases: [call(matrix, places)],
  },
  { op: 'sort', cases: [call(matrix), call(matrix, 0, true), call(scalar)] },
  { op: 'argsort', grad: false, cases: [call(matrix), call(matrix, 0, true)] },
  { op: 'msort', cases: [call(matrix)] },
  { op: 'topk', more: ['bool'], cases: [call(matrix, 2), call(matrix, 2, 0, false)] },
  { op: 'kthvalue', more: ['bool'], cases: [call(matrix, 2), call(matrix, 1, 0, true)] },
  { op: 'median', more: ['bool'], cases: [call(matrix), call(matrix, 0), call(square, 1, true)] },
  { op: 'nanmedian', more: ['bool'], cases: [call(matrix), call(exactly([2, 3], [1, NaN, 2, 3, NaN, NaN]), 1)] },
  { op: 'mode', grad: false, cases: [call(whole([3, 5], 0, 2))] },
  {
    op: 'quantile',
    cases: [
      call(matrix, 0.3),
      callWith({ dim: 0, keepdim: true }, matrix, exactly([2], [0.25, 0.6])),
      callWith({ interpolation: 'nearest' }, matrix, 0.4),
    ],
    grad: [0],
  },
  { op: 'nanquantile', cases: [call(exactly([2, 3], [1, NaN, 2, 3, 5, 7]), 0.3, 1)], grad: false },
  { op: 'unique', grad: false, types: false, cases: [call(whole([6], 0, 3))] },
  {
    op: 'isin',
    grad: false,
    types: false,
    cases: [call(whole([2, 3], 0, 5), exactly([2], [1, 4], 'int64')), callWith({ invert: true }, matrix, vector)],
  },
];
