// Rows of matrix products.
import { call, callWith, exactly, grid, type Spec, type Structured, whole } from './row';

const m = (shape: readonly number[], seed = 1): Spec => grid(shape, -1, 1, { seed });
const c = (shape: readonly number[], seed = 1): Spec => grid(shape, -1, 1, { seed, dtype: 'complex128' });
const none = exactly([0, 3], []);

export const rows: readonly Structured[] = [
  {
    op: 'matmul',
    more: ['bool'],
    cases: [
      call(m([3, 4]), m([4, 2], 2)),
      call(m([4]), m([4], 2)),
      call(m([3, 4]), m([4], 2)),
      call(m([4]), m([4, 2], 2)),
      call(m([2, 3, 4]), m([4, 2], 2)),
      call(m([2, 3, 4]), m([2, 4, 2], 2)),
      call(m([2, 1, 3, 4]), m([3, 4, 2], 2)),
      call(m([4]), m([2, 4, 3], 2)),
      call(m([2, 3, 4]), m([4], 2)),
      call(m([3, 4]), m([2, 4, 2], 2)),
      call(c([2, 3]), c([3, 2], 2)),
      call(whole([3, 4], -5, 5), whole([4, 2], -5, 5, 2)),
      call(none, m([3, 2])),
      call(exactly([2, 0], []), exactly([0, 3], [])),
      call(exactly([2, 0, 3], []), m([3, 4])),
    ],
  },
  {
    op: 'mm',
    more: ['bool'],
    cases: [
      call(m([3, 4]), m([4, 2], 2)),
      call(m([1, 1]), m([1, 1], 2)),
      call(c([2, 3]), c([3, 2], 2)),
      call(none, m([3, 2])),
      call(exactly([2, 0], []), exactly([0, 3], [])),
    ],
  },
  {
    op: 'bmm',
    more: ['bool'],
    cases: [
      call(m([2, 3, 4]), m([2, 4, 2], 2)),
      call(c([2, 2, 3]), c([2, 3, 2], 2)),
      call(exactly([0, 2, 3], []), exactly([0, 3, 2], [])),
    ],
  },
  { op: 'mv', more: ['bool'], cases: [call(m([3, 4]), m([4], 2)), call(c([2, 3]), c([3], 2)), call(none, m([3]))] },
  {
    op: 'dot',
    more: ['bool'],
    cases: [
      call(m([5]), m([5], 2)),
      call(c([3]), c([3], 2)),
      call(exactly([0], []), exactly([0], [])),
      call(whole([4], -3, 3), whole([4], 1, 5)),
    ],
  },
  { op: 'vdot', more: ['bool'], cases: [call(m([5]), m([5], 2)), call(c([3]), c([3], 2))] },
  {
    op: 'inner',
    more: ['bool'],
    cases: [
      call(m([3]), m([3], 2)),
      call(m([2, 3]), m([4, 3], 2)),
      call(m([]), m([2, 3], 2)),
      call(m([2, 2, 3]), m([3], 2)),
    ],
  },
  {
    op: 'outer',
    cases: [call(m([3]), m([4], 2)), call(c([2]), c([3], 2)), call(exactly([0], []), m([2]))],
    aliases: ['ger'],
  },
  {
    op: 'addmm',
    more: ['bool'],
    cases: [
      call(m([3, 2]), m([3, 4]), m([4, 2], 2)),
      callWith({ beta: 0.5, alpha: -2 }, m([2]), m([3, 4]), m([4, 2], 2)),
      callWith({ beta: 0 }, m([3, 1]), m([3, 4]), m([4, 2], 2)),
      call(c([2, 2]), c([2, 3]), c([3, 2], 2)),
    ],
  },
  {
    op: 'addmm',
    variant: 'beta of zero',
    types: false,
    cases: [callWith({ beta: 0 }, exactly([2], [NaN, Infinity]), m([3, 4]), m([4, 2], 2))],
  },
  {
    op: 'baddbmm',
    more: ['bool'],
    cases: [
      call(m([2, 3, 2]), m([2, 3, 4]), m([2, 4, 2], 2)),
      callWith({ beta: 0.5, alpha: -2 }, m([3, 2]), m([2, 3, 4]), m([2, 4, 2], 2)),
    ],
  },
  {
    op: 'addbmm',
    more: ['bool'],
    cases: [
      call(m([3, 2]), m([2, 3, 4]), m([2, 4, 2], 2)),
      callWith({ beta: 0.5, alpha: -2 }, m([3, 2]), m([2, 3, 4]), m([2, 4, 2], 2)),
    ],
  },
  {
    op: 'addmv',
    more: ['bool'],
    cases: [
      call(m([3]), m([3, 4]), m([4], 2)),
      callWith({ beta: 0.5, alpha: -2 }, m([3]), m([3, 4]), m([4], 2)),
      call(m([]), m([3, 4]), m([4], 2)),
    ],
  },
  {
    op: 'addr',
    cases: [call(m([3, 2]), m([3]), m([2], 2)), callWith({ beta: 0.5, alpha: -2 }, m([3, 2]), m([3]), m([2], 2))],
  },
  {
    op: 'chainMatmul',
    python: 'lambda matrices: torch.linalg.multi_dot(matrices)',
    types: false,
    layouts: false,
    cases: [call([m([2, 5]), m([5, 3], 2), m([3, 4], 3), m([4, 1], 4)])],
  },
  {
    op: 'linear',
    more: ['bool'],
    python: 'torch.nn.functional.linear',
    cases: [
      call(m([2, 3]), m([4, 3], 2), m([4], 3)),
      call(m([3]), m([4, 3], 2), m([4], 3)),
      call(m([2, 2, 3]), m([4, 3], 2)),
      call(m([2, 3]), m([3], 2)),
      call(exactly([0, 3], []), m([4, 3], 2), m([4], 3)),
    ],
  },
];
