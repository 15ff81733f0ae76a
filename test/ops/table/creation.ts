// Rows of fresh tensors.
import { type Arg, call, callWith, type Case, exactly, named, type Structured, whole } from './row';

const made = (op: string, ...cases: Case[]): Structured => ({ op, cases, grad: false, types: false, layouts: false });
const like = exactly([2, 3], [1, 2, 3, 4, 5, 6], 'float32');
const integer = whole([2], 0, 1, 1, 'int32');
const f64 = (v: Record<string, Arg> = {}): Record<string, Arg> => ({ dtype: named('float64'), ...v });

export const rows: readonly Structured[] = [
  made('zeros', call(2, 3), call([2, 0]), callWith({ dtype: named('int8') }, [3]), call([])),
  made(
    'ones',
    call(2, 3),
    call([2, 0]),
    callWith({ dtype: named('complex64') }, [3]),
    callWith({ dtype: named('bool') }, 2),
  ),
  made(
    'full',
    call([2, 2], 2.5),
    call([2], 3),
    call([], true),
    callWith({ dtype: named('uint8') }, [2], 7),
    call([2], { re: 1, im: -2 }),
    callWith({ dtype: named('float16') }, [1], 65504),
  ),
  made('zerosLike', call(like), callWith({ dtype: named('bool') }, like)),
  made('onesLike', call(like), call(integer)),
  made('fullLike', call(like, 2), callWith({ dtype: named('int16') }, like, -3)),
  made('newZeros', call(integer, 2, 2), callWith({ dtype: named('float64') }, integer, [2])),
  made('newOnes', call(integer, 2, 2), call(like, [3])),
  made('newFull', call(integer, [2], 5), callWith({ dtype: named('bool') }, like, [2], 1)),
  made('newTensor', call(integer, [1, 2]), callWith({ dtype: named('float64') }, integer, [[1.5], [2.5]])),
  made('scalarTensor', call(2), call(2.5), callWith({ dtype: named('int64') }, 3)),
  made(
    'arange',
    call(5),
    call(1, 4),
    call(1, 2, 0.25),
    call(5, 0, -2),
    call(0),
    callWith({ dtype: named('float16') }, 4),
    callWith({ step: 3 }, 0, 10),
    callWith(f64(), 0, 1, 0.1),
    call(1.5),
  ),
  made('range', callWith({}, 1, 4), callWith(f64(), 0, 1, 0.25), call(4, 1, -1.5)),
  made(
    'linspace',
    call(0, 1, 5),
    callWith(f64(), -3, 10, 7),
    call(2, 5, 1),
    call(2, 5, 0),
    callWith({ dtype: named('int64') }, 0, 10, 5),
    callWith({ dtype: named('complex64') }, 0, 1, 3),
  ),
  {
    ...made(
      'logspace',
      callWith(f64(), 0, 2, 5),
      callWith(f64({ base: 2 }), -2, 3, 6),
      callWith(f64(), 1, 5, 1),
      callWith(f64(), 1, 5, 0),
      callWith(f64({ base: -2 }), 0, 3, 4),
      callWith(f64({ base: -3 }), 2, -2, 5),
      callWith(f64({ base: -2 }), 0, 1, 3),
      callWith(f64({ base: 0 }), 0, 3, 4),
      callWith({ base: -2, dtype: named('complex128') }, 0, 1, 3),
    ),
    tolerance: 1e-14,
  },
  made('eye', call(3), call(2, 3), callWith({ dtype: named('int64') }, 3, 2), call(0)),
  made(
    'tensor',
    call([
      [1, 2],
      [3, 4.5],
    ]),
    callWith({ dtype: named('int8') }, [1, -2]),
    call([true, false]),
    call([]),
    call([[], []]),
    callWith({ dtype: named('complex64') }, [1, 2]),
    call(2.5),
  ),
  made('trilIndices', call(3, 4), call(3, 4, 1), callWith({ offset: -1, dtype: named('int32') }, 4, 2)),
  made('triuIndices', call(3, 4), call(3, 4, 1), callWith({ offset: -1, dtype: named('int32') }, 4, 2)),
];
