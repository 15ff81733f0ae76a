// Rows of reductions and scans.
import { type Arg, type Case, call, callWith, exactly, grid, mask, named, type Structured, whole } from './row';

const cube = grid([2, 3, 4]);
const matrix = grid([3, 4], -2, 2, { seed: 2 });
const tall = grid([4, 3], 0.25, 2, { seed: 3 });
const vector = grid([5], -2, 2, { seed: 4 });
const scalar = exactly([], [1.5]);
const gaps = exactly([2, 4], [1, NaN, -2, 0.5, 3, 0.25, NaN, -1]);
const complex = grid([2, 3], -2, 2, { dtype: 'complex128' });
const integers = whole([3, 4], -5, 6);
const truths = mask([3, 4]);
const none = exactly([0, 3], []);

/** Everything, one dimension, several, negative, kept, of a scalar and of no elements. */
const over = (...inputs: Arg[]): Case[] => [
  ...inputs.flatMap((x) => [call(x), call(x, 0), call(x, -1, true)]),
  call(cube, [0, 2]),
  callWith({ dim: [-1, 0], keepdim: true }, cube),
  call(cube, 1),
  call(scalar),
  call(scalar, 0),
];
const one = (x: Arg): Case[] => [call(x, 0), call(x, -1), callWith({ dim: 1 }, x)];

export const rows: readonly Structured[] = [
  {
    op: 'sum',
    cases: [
      ...over(matrix, complex),
      callWith({ dtype: named('float64') }, integers),
      call(none),
      call(none, 0),
      call(integers, 1),
      call(truths, 0),
    ],
  },
  {
    op: 'nansum',
    cases: [call(gaps), call(gaps, 1), call(gaps, 0, true), call(integers), call(none, 0)],
  },
  {
    op: 'mean',
    cases: [...over(matrix, complex), callWith({ dtype: named('float64') }, integers), call(none), call(none, 0)],
  },
  { op: 'nanmean', cases: [call(gaps), call(gaps, 1), call(gaps, 0, true)] },
  {
    op: 'prod',
    cases: [
      call(tall),
      call(tall, 0),
      call(cube, -1, true),
      call(scalar),
      call(integers),
      call(truths, 0),
      call(none),
      call(none, 0),
      call(complex, 1),
    ],
  },
  {
    op: 'prod',
    variant: 'with zeros',
    cases: [
      call(exactly([2, 3], [1, 0, 2, 3, 0.5, -1])),
      call(exactly([2, 3], [0, 0, 2, 3, 0.5, -1]), 1),
      call(exactly([3], [0, 2, 3])),
    ],
  },
  {
    op: 'any',
    grad: false,
    cases: [...over(matrix), call(truths), call(truths, 1), call(none), call(none, 0), call(complex), call(gaps, 0)],
  },
  {
    op: 'all',
    grad: false,
    cases: [...over(matrix), call(truths), call(truths, 1), call(none), call(none, 0), call(complex), call(gaps, 0)],
  },
  {
    op: 'countNonzero',
    grad: false,
    cases: [
      call(integers),
      call(integers, 0),
      call(cube, [0, 2]),
      call(gaps),
      call(none),
      call(truths, 1),
      call(complex),
    ],
  },
  { op: 'amax', cases: [...over(matrix), call(gaps, 1), call(integers, 0)] },
  { op: 'amin', cases: [...over(matrix), call(gaps, 1), call(integers, 0)] },
  {
    op: 'amax',
    variant: 'ties',
    grad: false,
    cases: [call(exactly([4], [1, 3, 3, -Infinity])), call(exactly([2], [-Infinity, -Infinity]))],
  },
  {
    op: 'aminmax',
    cases: [
      call(matrix),
      callWith({ dim: 0 }, matrix),
      callWith({ dim: -1, keepdim: true }, cube),
      callWith({ dim: 0 }, scalar),
    ],
  },
  {
    op: 'max',
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, -1, true),
      call(scalar),
      call(scalar, 0),
      call(gaps, 1),
      call(integers, 1),
      call(matrix, grid([3, 4], -2, 2, { seed: 5 })),
    ],
  },
  {
    op: 'min',
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, -1, true),
      call(scalar),
      call(scalar, 0),
      call(gaps, 1),
      call(integers, 1),
      call(matrix, grid([4], -1.9, 2.2, { seed: 5 })),
    ],
  },
  {
    op: 'argmax',
    more: ['bool'],
    grad: false,
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, -1, true),
      call(scalar),
      call(gaps, 1),
      call(gaps),
      call(exactly([4], [2, 3, 3, 1])),
    ],
  },
  {
    op: 'argmin',
    more: ['bool'],
    grad: false,
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, -1, true),
      call(scalar),
      call(gaps, 1),
      call(gaps),
      call(exactly([4], [2, 1, 1, 3])),
    ],
  },
  {
    op: 'var',
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, [0, 2]),
      callWith({ dim: 1, correction: 0, keepdim: true }, cube),
      callWith({ correction: 2 }, vector),
      callWith({ unbiased: false }, matrix),
      callWith({ dim: 1, unbiased: false }, matrix),
      call(complex, 1),
    ],
  },
  {
    op: 'std',
    cases: [
      call(matrix),
      call(matrix, 0),
      call(cube, [0, 2]),
      callWith({ dim: 1, correction: 0, keepdim: true }, cube),
      callWith({ unbiased: false }, matrix),
    ],
  },
  {
    op: 'varMean',
    cases: [call(matrix), call(cube, 1), callWith({ dim: [0, 1], correction: 0, keepdim: true }, cube)],
  },
  {
    op: 'stdMean',
    cases: [call(matrix), call(cube, 1), callWith({ dim: [0, 1], correction: 0, keepdim: true }, cube)],
  },
  {
    op: 'var',
    variant: 'of one element',
    grad: 'it is not a number',
    cases: [call(exactly([1], [2])), call(exactly([2, 1], [2, 3]), 1), call(none, 0)],
  },
  { op: 'logsumexp', cases: [call(matrix, 0), call(cube, [0, 2]), call(cube, -1, true), call(scalar, 0)] },
  {
    op: 'logsumexp',
    variant: 'extremes',
    grad: false,
    cases: [
      call(exactly([2, 2], [-Infinity, -Infinity, 1000, 1000]), 1),
      call(exactly([2, 2], [Infinity, 1, -1000, -1001]), 1),
      call(none, 0),
      call(integers, 0),
    ],
  },
  {
    op: 'norm',
    cases: [
      call(matrix),
      call(matrix, 1, 0),
      call(cube, 3, [0, 2]),
      callWith({ p: Infinity, dim: 1, keepdim: true }, cube),
      callWith({ p: -Infinity, dim: 0 }, matrix),
      call(tall, 0.5),
      call(complex),
    ],
  },
  {
    op: 'norm',
    variant: 'of zeros and counts',
    grad: 'a norm has a corner at zero, and a count has steps',
    cases: [
      call(exactly([3], [0, 0, 0])),
      call(exactly([3], [0, 2, 0]), 0),
      call(exactly([0], [])),
      call(exactly([2], [1e-200, 1e-200])),
    ],
  },
  {
    op: 'cumsum',
    cases: [
      ...one(matrix),
      call(cube, 1),
      call(scalar, 0),
      call(integers, 1),
      call(truths, 0),
      call(none, 0),
      call(complex, 0),
    ],
  },
  {
    op: 'cumprod',
    cases: [...one(tall), call(cube, 1), call(scalar, 0), call(integers, 1), call(none, 0), call(complex, 0)],
  },
  {
    op: 'cumprod',
    variant: 'with zeros',
    cases: [call(exactly([4], [2, 0, 3, 0.5]), 0), call(exactly([2, 3], [0, 1, 2, 3, 0, 0]), 1)],
  },
  { op: 'logcumsumexp', cases: [...one(matrix), call(cube, 1), call(scalar, 0)] },
  {
    op: 'logcumsumexp',
    variant: 'extremes',
    grad: false,
    cases: [
      call(exactly([4], [-Infinity, -Infinity, 1000, 999]), 0),
      call(exactly([3], [-1000, Infinity, 2]), 0),
      call(exactly([3], [1, NaN, 2]), 0),
    ],
  },
  { op: 'cummax', cases: [...one(matrix), call(cube, 1), call(scalar, 0), call(gaps, 1), call(integers, 0)] },
  { op: 'cummin', cases: [...one(matrix), call(cube, 1), call(scalar, 0), call(gaps, 1), call(integers, 0)] },
  { op: 'sumToSize', cases: [call(cube, [3, 1]), call(cube, [2, 1, 4]), call(cube, [1]), call(matrix, [3, 4])] },
  {
    op: 'equal',
    grad: false,
    types: false,
    cases: [call(matrix, matrix), call(matrix, tall), call(gaps, gaps), call(none, none)],
  },
  {
    op: 'allclose',
    grad: false,
    types: false,
    cases: [
      call(matrix, matrix),
      call(gaps, gaps),
      callWith({ equalNan: true }, gaps, gaps),
      call(vector, exactly([], [1])),
    ],
  },
];
