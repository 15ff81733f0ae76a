// Moving single elements by position along one dimension: gather, scatter and its reductions.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { methodOp, op } from './define.js';
import { placedIn, reduceInto } from './gather_reduce.js';
import { change } from './index_change.js';
import type { TensorOrScalar } from './signature.js';

const GATHER = nativeOp('gather');
const SCATTER_ = nativeOp('scatter_');
const ZEROS = nativeOp('zeros');

// How an element meets what is there: the native enum Meet.
const ASSIGN = 0;
const ADD = 1;
const MULTIPLY = 2;

/**
 * Elements by position along a dimension: for dim 0 out[i, j, k] = input[index[i, j, k], j, k], and so on.
 * @param input any shape
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, with as many dimensions as input and, except in `dim`, at most its sizes; not negative
 * @param sparseGrad has no effect: gradients are dense (default false)
 * @returns index's shape, input's type
 * @throws RuntimeError if the index has other dimensions, larger sizes or another type
 * @throws RangeError if `dim` or a position is out of range
 */
export const gather = op(
  'gather(Tensor input, int dim, Tensor index, bool sparseGrad=False)',
  (input: Tensor, dim: number, index: Tensor, _sparseGrad = false): Tensor => {
    const y = invoke(GATHER, input, dim, index);
    if (needsGrad(input)) {
      const shape = input.shape;
      record('GatherBackward0', y, [input], [index], (g, [at]) => [
        scatterAdd.impl(invoke(ZEROS, shape, g.dtype, g), dim, at, g),
      ]);
    }
    return y;
  },
);

/** What gather does to a gradient, with the sizes of a source that the index covers in part. */
function gathered(g: Tensor, dim: number, index: Tensor, shape: readonly number[]): Tensor {
  const part = gather.impl(g, dim, index, false);
  return placedIn(part, shape);
}
function scatterInto(
  self: Tensor,
  inPlace: boolean,
  dim: number,
  index: Tensor,
  src: TensorOrScalar,
  reduce: string | null,
): Tensor {
  if (reduce !== null && reduce !== 'add' && reduce !== 'multiply') {
    throw new RuntimeError('reduce argument must be either add or multiply.');
  }
  const mode = reduce === null ? ASSIGN : reduce === 'add' ? ADD : MULTIPLY;
  const t = src instanceof Tensor ? src : null;
  const run = (target: Tensor): void => invokeVoid(SCATTER_, target, dim, index, src, mode, false, true);
  if (reduce !== null && needsGrad(self, t)) {
    if (t !== null && reduce === 'add') return addInto(self, inPlace, dim, index, t);
    if (reduce === 'multiply' || t !== null) {
      throw new RuntimeError("scatter(): the derivative for reduce='multiply' is not implemented; use scatterReduce");
    }
    return change('ScatterBackward3', self, inPlace, [], [], run, (g) => [g]);
  }
  const shape = t?.shape;
  return change(
    t === null ? 'ScatterBackward1' : 'ScatterBackward0',
    self,
    inPlace,
    [t],
    [index],
    run,
    (g, [at], needs) => [
      needs[0] ? scatterInto(g, false, dim, at, 0, null) : null,
      needs[1] ? gathered(g, dim, at, shape!) : null,
    ],
  );
}
/** The arguments of `scatter` by name; `value` is `src` for a number. */
export type ScatterOptions = { reduce?: string; src?: TensorOrScalar; value?: Scalar };
/** `src` and `value` name the same argument, for tensors and for numbers. */
function scatterOp(name: string, inPlace: boolean) {
  const row = op(
    `${name}(Tensor input, int dim, Tensor index, Tensor|Scalar src, str? reduce=None)` as 'x(Tensor input, int dim, Tensor index, Tensor|Scalar src, str? reduce=None)',
    (input: Tensor, dim: number, index: Tensor, src: TensorOrScalar, reduce: string | null): Tensor =>
      scatterInto(input, inPlace, dim, index, src, reduce),
  );
  function scatter(
    ...args: [
      input: Tensor,
      dim: number,
      index: Tensor,
      src: TensorOrScalar | ScatterOptions,
      reduce?: string | ScatterOptions | null,
    ]
  ): Tensor {
    let given: unknown[] = args;
    const last = args.at(-1);
    if (typeof last === 'object' && last !== null && 'value' in last && !('src' in last) && !(last instanceof Tensor)) {
      const { value, ...rest } = last;
      given = [...args.slice(0, -1), { ...rest, src: value }];
    }
    return (row as unknown as (...a: unknown[]) => Tensor)(...given);
  }
  return scatter;
}
/**
 * Writes elements to positions along a dimension: for dim 0 self[index[i, j, k], j, k] = src[i, j, k], and so on. Of several
 * elements for one place the last in row-major order stays.
 * @param input the tensor itself
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, with self's number of dimensions and, except in `dim`, at most its sizes; not negative
 * @param src a tensor of self's type at least as large as the index, or a number, which may also be named `value`
 * @param reduce 'add' or 'multiply' to combine with what is there (default null: overwrite)
 * @returns the tensor itself
 * @throws RuntimeError if shapes or types do not fit, or a gradient of 'multiply' is needed
 * @throws RangeError if `dim` or a position is out of range
 */
export const scatter_ = Object.assign(scatterOp('scatter_', true), { home: 'method' as const });
/**
 * As `scatter_`, on a copy; the arguments are the same.
 * @returns a new tensor of input's shape and type
 */
export const scatter = Object.assign(scatterOp('scatter', false), { home: 'both' as const });

function addInto(self: Tensor, inPlace: boolean, dim: number, index: Tensor, src: Tensor): Tensor {
  const shape = src.shape;
  return change(
    'ScatterAddBackward0',
    self,
    inPlace,
    [src],
    [index],
    (target) => invokeVoid(SCATTER_, target, dim, index, src, ADD, false, true),
    (g, [at], needs) => [g, needs[1] ? gathered(g, dim, at, shape) : null],
  );
}
/**
 * Adds elements to positions along a dimension: for dim 0 self[index[i, j, k], j, k] += src[i, j, k], and so on. Places that
 * are hit twice get both.
 * @param self what is added to
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, as for `scatter_`
 * @param src a tensor of self's type at least as large as the index
 * @returns self
 * @throws RuntimeError if shapes or types do not fit; RangeError if `dim` or a position is out of range
 */
export const scatterAdd_ = methodOp(
  'scatterAdd_(Tensor self, int dim, Tensor index, Tensor src)',
  (self: Tensor, dim: number, index: Tensor, src: Tensor): Tensor => addInto(self, true, dim, index, src),
);
/**
 * As `scatterAdd_`, on a copy.
 * @param input what is copied
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, as for `scatter_`
 * @param src a tensor of input's type at least as large as the index
 * @returns input's shape and type
 * @throws RuntimeError if shapes or types do not fit; RangeError if `dim` or a position is out of range
 */
export const scatterAdd = op(
  'scatterAdd(Tensor input, int dim, Tensor index, Tensor src)',
  (input: Tensor, dim: number, index: Tensor, src: Tensor): Tensor => addInto(input, false, dim, index, src),
);

/**
 * Reduces the elements of `src` into the places of a dimension that the index names, together with what is there.
 * @param self what is written to
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, as for `scatter_`
 * @param src a tensor of self's type at least as large as the index
 * @param reduce 'sum', 'prod', 'mean', 'amax' or 'amin'
 * @param includeSelf whether what is there takes part; places that the index does not name stay in any case (default true)
 * @returns self
 * @throws RuntimeError for another reduction, or if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range
 */
export const scatterReduce_ = methodOp(
  'scatterReduce_(Tensor self, int dim, Tensor index, Tensor src, str reduce, bool includeSelf=True)',
  (self: Tensor, dim: number, index: Tensor, src: Tensor, reduce: string, includeSelf: boolean): Tensor =>
    reduceInto(self, true, dim, index, src, reduce, includeSelf),
);
/**
 * As `scatterReduce_`, on a copy.
 * @param input what is copied
 * @param dim the dimension in which the index says where
 * @param index int64 or int32, as for `scatter_`
 * @param src a tensor of input's type at least as large as the index
 * @param reduce 'sum', 'prod', 'mean', 'amax' or 'amin'
 * @param includeSelf whether input's own elements take part (default true)
 * @returns input's shape and type
 * @throws RuntimeError for another reduction, or if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range
 */
export const scatterReduce = op(
  'scatterReduce(Tensor input, int dim, Tensor index, Tensor src, str reduce, bool includeSelf=True)',
  (input: Tensor, dim: number, index: Tensor, src: Tensor, reduce: string, includeSelf: boolean): Tensor =>
    reduceInto(input, false, dim, index, src, reduce, includeSelf),
);
