// Indexing along one dimension by a vector of positions, and by positions in the whole tensor.
import { tableOf } from '../core/table.js';
import { arithmetic } from '../autograd/arithmetic.js';
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { add, div, mul } from './arithmetic.js';
import { eq, lt } from './comparison.js';
import { fnOp, methodOp, op } from './define.js';
import { gather } from './gather.js';
import { reduceGradient } from './gather_reduce.js';
import { indexAt, spreadAt } from './index_at.js';
import { change } from './index_change.js';
import { maskedFill } from './index_mask.js';
import { bincount } from './index_search.js';
import { commonShape } from './join_util.js';
import { sum } from './reduce.js';
import { unique } from './sort_unique.js';
import type { TensorOrScalar } from './signature.js';
import { expand, flatten, unsqueeze } from './view.js';
import { select3 } from './internal/select.js';
import { reshaped } from './internal/view.js';

const INDEX_SELECT = nativeOp('index_select');
const INDEX_ADD_ = nativeOp('index_add_');
const INDEX_COPY_ = nativeOp('index_copy_');
const INDEX_FILL_ = nativeOp('index_fill_');
const INDEX_REDUCE_ = nativeOp('index_reduce_');
const EMBEDDING = nativeOp('embedding');
const TAKE = nativeOp('take');
const PUT_ = nativeOp('put_');
const ZEROS = nativeOp('zeros');

/**
 * The slices at positions along a dimension, in their order, in memory of their own.
 * @param input any shape
 * @param dim the dimension
 * @param index [n] or [] of int64 or int32, not negative
 * @returns input's shape with n places in `dim`
 * @throws RuntimeError for an index of another type
 * @throws RangeError if `dim` or a position is out of range, or the index has more dimensions
 */
export const indexSelect = op(
  'indexSelect(Tensor input, int dim, Tensor index)',
  (input: Tensor, dim: number, index: Tensor): Tensor => {
    const y = invoke(INDEX_SELECT, input, dim, index);
    if (needsGrad(input)) {
      const shape = input.shape;
      record('IndexSelectBackward0', y, [input], [index], (g, [at]) => [
        indexAdd.impl(invoke(ZEROS, shape, g.dtype, g), dim, at, g, 1),
      ]);
    }
    return y;
  },
);

/** A gradient given the sizes of a source that may have no dimensions. */
function like(g: Tensor, shape: readonly number[]): Tensor {
  return shape.length === g.ndim ? g : reshaped(g, shape);
}

function addAlong(self: Tensor, inPlace: boolean, dim: number, index: Tensor, source: Tensor, alpha: Scalar): Tensor {
  const shape = source.shape;
  return change(
    'IndexAddBackward0',
    self,
    inPlace,
    [source],
    [index],
    (target) => invokeVoid(INDEX_ADD_, target, dim, index, source, alpha),
    (g, [at], needs) => {
      if (!needs[1]) return [g, null];
      const part = like(indexSelect.impl(g, dim, at), shape);
      return [g, alpha === 1 ? part : mul(part, typeof alpha === 'object' ? { re: alpha.re, im: -alpha.im } : alpha)];
    },
  );
}
/**
 * Adds alpha times the slices of `source` to the slices at positions; a position that occurs twice gets both.
 * @param self what is added to
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source self's sizes with n places in `dim`, of self's type
 * @param alpha the factor of `source` (default 1)
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range, or the numbers of positions and slices differ
 */
export const indexAdd_ = methodOp(
  'indexAdd_(Tensor self, int dim, Tensor index, Tensor source, Scalar alpha=1)',
  (self: Tensor, dim: number, index: Tensor, source: Tensor, alpha: Scalar): Tensor =>
    addAlong(self, true, dim, index, source, alpha),
);
/**
 * As `indexAdd_`, on a copy.
 * @param input what is copied
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source input's sizes with n places in `dim`, of input's type
 * @param alpha the factor of `source` (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range, or the numbers of positions and slices differ
 */
export const indexAdd = op(
  'indexAdd(Tensor input, int dim, Tensor index, Tensor source, Scalar alpha=1)',
  (input: Tensor, dim: number, index: Tensor, source: Tensor, alpha: Scalar): Tensor =>
    addAlong(input, false, dim, index, source, alpha),
);

function copyAlong(self: Tensor, inPlace: boolean, dim: number, index: Tensor, source: Tensor): Tensor {
  const shape = source.shape;
  return change(
    'IndexCopyBackward0',
    self,
    inPlace,
    [source],
    [index],
    (target) => invokeVoid(INDEX_COPY_, target, dim, index, source),
    (g, [at], needs) => [
      needs[0] ? indexFill.impl(g, dim, at, 0) : null,
      needs[1] ? like(indexSelect.impl(g, dim, at), shape) : null,
    ],
  );
}
/**
 * Overwrites the slices at positions with those of `source`.
 * @param self what is written to
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source self's sizes with n places in `dim`, of self's type
 * @returns self
 * @throws RuntimeError if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range, or the numbers of positions and slices differ
 */
export const indexCopy_ = methodOp(
  'indexCopy_(Tensor self, int dim, Tensor index, Tensor source)',
  (self: Tensor, dim: number, index: Tensor, source: Tensor): Tensor => copyAlong(self, true, dim, index, source),
);
/**
 * As `indexCopy_`, on a copy.
 * @param input what is copied
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source input's sizes with n places in `dim`, of input's type
 * @returns input's shape and type
 * @throws RuntimeError if shapes or types do not fit
 * @throws RangeError if `dim` or a position is out of range, or the numbers of positions and slices differ
 */
export const indexCopy = op(
  'indexCopy(Tensor input, int dim, Tensor index, Tensor source)',
  (input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor => copyAlong(input, false, dim, index, source),
);

function fillAlong(self: Tensor, inPlace: boolean, dim: number, index: Tensor, value: TensorOrScalar): Tensor {
  return change(
    'IndexFillBackward0',
    self,
    inPlace,
    [value instanceof Tensor ? value : null],
    [index],
    (target) => invokeVoid(INDEX_FILL_, target, dim, index, value),
    (g, [at], needs) => [
      needs[0] ? indexFill.impl(g, dim, at, 0) : null,
      // A position that occurs twice is filled once.
      needs[1] ? sum.impl(indexSelect.impl(g, dim, unique(at)), null, false, null) : null,
    ],
  );
}
/**
 * One value in all slices at positions.
 * @param self what is written to
 * @param dim the dimension
 * @param index [n] of int64 or int32; negative positions count from the end
 * @param value a number or a 0-d tensor
 * @returns self
 * @throws RuntimeError if the value has dimensions; RangeError if `dim` or a position is out of range
 */
export const indexFill_ = methodOp(
  'indexFill_(Tensor self, int dim, Tensor index, Tensor|Scalar value)',
  (self: Tensor, dim: number, index: Tensor, value: TensorOrScalar): Tensor => fillAlong(self, true, dim, index, value),
);
/**
 * As `indexFill_`, on a copy.
 * @param input what is copied
 * @param dim the dimension
 * @param index [n] of int64 or int32; negative positions count from the end
 * @param value a number or a 0-d tensor
 * @returns input's shape and type
 * @throws RuntimeError if the value has dimensions; RangeError if `dim` or a position is out of range
 */
export const indexFill = op(
  'indexFill(Tensor input, int dim, Tensor index, Tensor|Scalar value)',
  (input: Tensor, dim: number, index: Tensor, value: TensorOrScalar): Tensor =>
    fillAlong(input, false, dim, index, value),
);

/** The native modes of reductions (enum Meet). */
const REDUCTIONS: Record<string, number> = tableOf({ prod: 2, mean: 1, amax: 3, amin: 4 });

function reduceAlong(
  self: Tensor,
  inPlace: boolean,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduce: string,
  includeSelf: boolean,
): Tensor {
  const mode = REDUCTIONS[reduce];
  if (mode === undefined) {
    throw new RuntimeError(`index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ${reduce}.`);
  }
  const shape = source.shape;
  const saved = (): Tensor[] => [inPlace ? arithmetic.clone(self) : self, index, source];
  return change(
    'IndexReduceBackward0',
    self,
    inPlace,
    [source],
    saved,
    (target) => invokeVoid(INDEX_REDUCE_, target, dim, index, source, mode, reduce === 'mean', includeSelf),
    (g, [x, at, s], needs) => {
      // Along one dimension a vector of positions is an index of the source's sizes.
      const d = wrapDim(dim, x!.ndim);
      const lifted = s!.ndim === 0 ? reshaped(s!, [1]) : s!;
      const own = x!.ndim === 0 ? reshaped(x!, [1]) : x!;
      const g1 = g.ndim === 0 ? reshaped(g, [1]) : g;
      const at1 = at!.ndim === 0 ? reshaped(at!, [1]) : at!;
      const places = expand.impl(
        reshaped(
          at1,
          lifted.shape.map((_, k) => (k === d ? at1.shape[0]! : 1)),
        ),
        lifted.shape,
      );
      const [gx, gs] = reduceGradient(g1, own, d, places, lifted, reduce, includeSelf, needs);
      return [gx === null ? null : like(gx, x!.shape), gs === null ? null : like(gs, shape)];
    },
  );
}
/**
 * Reduces the slices of `source` into those at positions, elementwise, together with what is there.
 * @param self what is written to
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source self's sizes with n places in `dim`, of self's type
 * @param reduce 'prod', 'mean', 'amax' or 'amin'
 * @param includeSelf whether what is there takes part (default true)
 * @returns self
 * @throws RuntimeError for another reduction, or if shapes or types do not fit; RangeError as `indexAdd_`
 */
export const indexReduce_ = methodOp(
  'indexReduce_(Tensor self, int dim, Tensor index, Tensor source, str reduce, bool includeSelf=True)',
  (self: Tensor, dim: number, index: Tensor, source: Tensor, reduce: string, includeSelf: boolean): Tensor =>
    reduceAlong(self, true, dim, index, source, reduce, includeSelf),
);
/**
 * As `indexReduce_`, on a copy.
 * @param input what is copied
 * @param dim the dimension
 * @param index [n] of int64 or int32, not negative
 * @param source input's sizes with n places in `dim`, of input's type
 * @param reduce 'prod', 'mean', 'amax' or 'amin'
 * @param includeSelf whether input's own elements take part (default true)
 * @returns input's shape and type
 * @throws RuntimeError for another reduction, or if shapes or types do not fit; RangeError as `indexAdd_`
 */
export const indexReduce = op(
  'indexReduce(Tensor input, int dim, Tensor index, Tensor source, str reduce, bool includeSelf=True)',
  (input: Tensor, dim: number, index: Tensor, source: Tensor, reduce: string, includeSelf: boolean): Tensor =>
    reduceAlong(input, false, dim, index, source, reduce, includeSelf),
);

/**
 * Rows of a table: out[.., d] = weight[indices[..], d].
 * @param weight [V, D]
 * @param indices [..] of int64 or int32, in [0, V)
 * @param paddingIdx the index whose rows get no gradient (default -1: none, as any negative one)
 * @param scaleGradByFreq whether the gradient of a row is divided by how often its index occurs (default false)
 * @param sparse has no effect: gradients are dense (default false)
 * @returns [.., D], of weight's type
 * @throws RuntimeError if the table is no matrix or the indices are of another type; RangeError if one is out of range
 */
export const embedding = fnOp(
  'embedding(Tensor weight, Tensor indices, int paddingIdx=-1, bool scaleGradByFreq=False, bool sparse=False)',
  (weight: Tensor, indices: Tensor, paddingIdx: number, scaleGradByFreq: boolean): Tensor => {
    const y = invoke(EMBEDDING, weight, indices);
    if (needsGrad(weight)) {
      const shape = weight.shape;
      record('EmbeddingBackward0', y, [weight], [indices], (g, [at]) => {
        let rows = g;
        if (paddingIdx >= 0) rows = maskedFill(rows, unsqueeze(eq(at, paddingIdx), -1), 0);
        if (scaleGradByFreq && !g.isMeta) {
          const counts = bincount(flatten(at), { minlength: shape[0]! });
          rows = div(rows, unsqueeze(indexAt(counts, [0], [at]), -1));
        }
        return [spreadAt(rows, shape, [0], [at])];
      });
    }
    return y;
  },
);

/**
 * The elements at positions in the flattened tensor.
 * @param input any shape, read in row-major order
 * @param index positions of int64; negative ones count from the end
 * @returns index's shape, input's type
 * @throws RuntimeError for an index of another type; RangeError if a position is out of range
 */
export const take = op('take(Tensor input, Tensor index)', (input: Tensor, index: Tensor): Tensor => {
  const y = invoke(TAKE, input, index);
  if (needsGrad(input)) {
    const shape = input.shape;
    record('TakeBackward0', y, [input], [index], (g, [at]) => [
      putFlat(invoke(ZEROS, shape, g.dtype, g), false, at, g, true),
    ]);
  }
  return y;
});

function putFlat(self: Tensor, inPlace: boolean, index: Tensor, source: Tensor, accumulate: boolean): Tensor {
  const shape = source.shape;
  return change(
    'PutBackward0',
    self,
    inPlace,
    [source],
    [index],
    (target) => invokeVoid(PUT_, target, index, source, accumulate),
    (g, [at], needs) => [
      !needs[0] ? null : accumulate ? g : putFlat(g, false, at, invoke(ZEROS, at.shape, g.dtype, g), false),
      needs[1] ? reshaped(take.impl(g, at), shape) : null,
    ],
  );
}
/**
 * Writes elements to positions in the flattened tensor, or adds them.
 * @param self what is written to, in row-major order
 * @param index positions of int64; negative ones count from the end
 * @param source as many elements, of self's type
 * @param accumulate whether to add instead of to overwrite (default false)
 * @returns self
 * @throws RuntimeError if the types do not fit
 * @throws RangeError if a position is out of range or the numbers of elements differ
 */
export const put_ = methodOp(
  'put_(Tensor self, Tensor index, Tensor source, bool accumulate=False)',
  (self: Tensor, index: Tensor, source: Tensor, accumulate: boolean): Tensor =>
    putFlat(self, true, index, source, accumulate),
);
/**
 * As `put_`, on a copy.
 * @param input what is copied
 * @param index positions of int64; negative ones count from the end
 * @param source as many elements, of input's type
 * @param accumulate whether to add instead of to overwrite (default false)
 * @returns input's shape and type
 * @throws RuntimeError if the types do not fit
 * @throws RangeError if a position is out of range or the numbers of elements differ
 */
export const put = op(
  'put(Tensor input, Tensor index, Tensor source, bool accumulate=False)',
  (input: Tensor, index: Tensor, source: Tensor, accumulate: boolean): Tensor =>
    putFlat(input, false, index, source, accumulate),
);

/** Positions that count from the end, counted from the start. */
function fromStart(at: Tensor, n: number): Tensor {
  return select3(lt(at, 0), add(at, n), at);
}
/**
 * `gather` with input and indices broadcast together in all other dimensions: what `argsort` or `argmax` found.
 * @param input any shape
 * @param indices int64, with input's number of dimensions; negative ones count from the end
 * @param dim the dimension (default null: both are flattened)
 * @returns the broadcast shape with indices' size in `dim`, or a vector
 * @throws RuntimeError if the indices have another type or number of dimensions; RangeError if one is out of range
 */
export const takeAlongDim = op(
  'takeAlongDim(Tensor input, Tensor indices, int? dim=None)',
  (input: Tensor, indices: Tensor, dim: number | null): Tensor => {
    if (indices.dtype.name !== 'int64') {
      throw new RuntimeError(`torch.take_along_dim(): dtype of indices should be Long but got ${indices.dtype.name}`);
    }
    if (dim === null) return gather.impl(flatten(input), 0, fromStart(flatten(indices), input.numel()), false);
    if (input.ndim !== indices.ndim) {
      throw new RuntimeError(
        `torch.take_along_dim(): input and indices should have the same number of dimensions, but got ${input.ndim} dimensions for input, and ${indices.ndim} dimensions for indices`,
      );
    }
    const d = wrapDim(dim, input.ndim);
    const others = (t: Tensor): number[] => t.shape.map((n, k) => (k === d ? 1 : n));
    const common = commonShape([others(input), others(indices)]);
    const sized = (t: Tensor): Tensor =>
      expand.impl(
        t,
        common.map((n, k) => (k === d ? t.shape[k]! : n)),
      );
    return gather.impl(sized(input), d, fromStart(sized(indices), input.shape[d] ?? 1), false);
  },
);
