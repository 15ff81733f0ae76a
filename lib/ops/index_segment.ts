// Less common ways to index: unraveling, guarded positions, segments. Ops that PyTorch marks private by an underscore
// keep their exact names.
import { tableOf } from '../core/table.js';
import { int64 } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, type Scalar } from '../tensor/invoke.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { div, floorDivide, remainder, sub } from './arithmetic.js';
import { fnOp } from './define.js';
import { reduceInto } from './gather_reduce.js';
import { indexAt, putAt } from './index_at.js';
import { maskedFill } from './index_mask.js';
import { cat } from './join.js';
import { logicalNot } from './unary.js';
import { expand } from './view.js';
import { cast } from './internal/cast.js';
import { reshaped, sliceDim } from './internal/view.js';

const FULL = nativeOp('full');
const REPEAT_INTERLEAVE = nativeOp('repeat_interleave');

/**
 * Positions in a flattened tensor as positions along each dimension of `shape`.
 * @param indices integers of any shape
 * @param shape the sizes, not negative
 * @returns a tensor of int64 of indices' shape for each size
 * @throws TypeError if the indices are no integers; RangeError if a size is negative
 */
export const unravelIndex = fnOp(
  'unravelIndex(Tensor indices, int[] shape)',
  (indices: Tensor, shape: readonly number[]): Tensor[] => {
    const { isFloatingPoint, isComplex, name } = indices.dtype;
    if (isFloatingPoint || isComplex || name === 'bool') {
      throw new TypeError(`expected 'indices' to be integer dtype, but got ${String(indices.dtype)}`);
    }
    if (shape.some((n) => n < 0))
      throw new RangeError(`'shape' cannot have negative values, but got (${shape.join(', ')})`);
    let step = shape.reduce((a, b) => a * b, 1);
    return shape.map((n) => {
      step = n === 0 ? 0 : step / n;
      return remainder(floorDivide(cast(indices, int64), Math.max(step, 1)), Math.max(n, 1));
    });
  },
);

function isIndices(v: unknown): v is readonly (Tensor | null)[] {
  return Array.isArray(v) && v.every((t) => t === null || t instanceof Tensor);
}
/** Index tensors, null for whole dimensions, as the primitives take them: every position moved into the tensor. */
function guarded(name: string, input: Tensor, indices: unknown): { dims: number[]; at: Tensor[] } {
  if (!isIndices(indices))
    throw new TypeError(`${name}(): argument 'indices' must be a list of Tensor or null, not ${kindOf(indices)}`);
  if (indices.length > input.ndim) {
    throw new RangeError(`too many indices for tensor of dimension ${input.ndim} (got ${indices.length})`);
  }
  const dims = indices.flatMap((t, d) => (t === null ? [] : [d]));
  const at = dims.map((d) => cast(indices[d]!, int64).clamp(-input.shape[d]!, input.shape[d]! - 1));
  return { dims, at };
}
/**
 * input at combined positions, of which those without a true mask may lie anywhere and give `fill`.
 * @param input any shape
 * @param mask bool, of the shape that the positions broadcast to
 * @param indices a list with an integer tensor or null (all places) for each dimension
 * @param fill a number
 * @returns the positions' shape followed by the sizes of the other dimensions
 * @throws TypeError if `indices` is no such list; RangeError if it is longer than input has dimensions
 */
export const _unsafe_masked_index = fnOp(
  '_unsafe_masked_index(Tensor input, Tensor mask, any indices, Scalar fill)',
  (input: Tensor, mask: Tensor, indices: unknown, fill: Scalar): Tensor => {
    const { dims, at } = guarded('_unsafe_masked_index', input, indices);
    return maskedFill(indexAt(input, dims, at), logicalNot(mask), fill);
  },
);
/**
 * A copy of input to which values are added at the positions with a true mask; the others may lie anywhere.
 * @param input any shape
 * @param mask bool, of the shape that the positions broadcast to
 * @param indices a list with an integer tensor or null (all places) for each dimension
 * @param values what is added, of the positions' shape
 * @returns input's shape
 * @throws TypeError if `indices` is no such list; RangeError if it is longer than input has dimensions
 */
export const _unsafe_masked_index_put_accumulate = fnOp(
  '_unsafe_masked_index_put_accumulate(Tensor input, Tensor mask, any indices, Tensor values)',
  (input: Tensor, mask: Tensor, indices: unknown, values: Tensor): Tensor => {
    const { dims, at } = guarded('_unsafe_masked_index_put_accumulate', input, indices);
    return putAt(input, false, dims, at, maskedFill(values, logicalNot(mask), 0), true);
  },
);

/**
 * Cuts each tensor into chunks along a dimension (zeros fill up the last ones) and joins the flattened chunks.
 * @param tensors at least one, of one type and with the same sizes before `dim`
 * @param dim the dimension to cut
 * @param numChunks how many chunks, at least 1
 * @returns [.., numChunks, total size of a chunk]
 * @throws RuntimeError if types or sizes differ, a tensor is empty or there are none
 */
export const _chunk_cat = fnOp(
  '_chunk_cat(Tensor[] tensors, int dim, int numChunks)',
  (tensors: readonly Tensor[], dim: number, numChunks: number): Tensor => {
    if (tensors.length === 0) throw new RuntimeError('_chunk_cat expects a non-empty input tensor list');
    if (numChunks < 1) throw new RuntimeError(`_chunk_cat expects positive num_chunks, but got ${numChunks}`);
    const first = tensors[0]!;
    const d = wrapDim(dim, first.ndim);
    const parts = tensors.map((t) => {
      if (t.dtype !== first.dtype) throw new RuntimeError('_chunk_cat expects all input tensors with the same dtype');
      if (t.ndim <= d)
        throw new RuntimeError('_chunk_cat expects input tensors to have more dimensions than the given dim');
      if (t.numel() === 0) throw new RuntimeError('_chunk_cat expects non-empty tensor');
      for (let k = 0; k < d; k++) {
        if (t.shape[k] !== first.shape[k]) {
          throw new RuntimeError('_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors');
        }
      }
      const n = t.shape[d]!;
      const filled = Math.ceil(n / numChunks) * numChunks;
      const padding = t.newZeros(t.shape.map((size, k) => (k === d ? filled - n : size)));
      return reshaped(cat.impl([t, padding], d), [...t.shape.slice(0, d), numChunks, -1]);
    });
    return cat.impl(parts, d + 1);
  },
);

const SEGMENT_REDUCTIONS: Record<string, [reduce: string, identity: number]> = tableOf({
  sum: ['sum', 0],
  mean: ['sum', 0],
  prod: ['prod', 1],
  max: ['amax', Number.NEGATIVE_INFINITY],
  min: ['amin', Number.POSITIVE_INFINITY],
});
/**
 * Reduces consecutive segments along an axis.
 * @param data floating point
 * @param reduce 'sum', 'mean', 'prod', 'max' or 'min'
 * @param lengths the sizes of the segments: [.., segments], with the sizes of data before the axis (default null)
 * @param indices has no effect (default null)
 * @param offsets the segments' borders instead of `lengths`: [.., segments + 1] (default null)
 * @param axis the dimension (default 0)
 * @param unsafe whether the lengths may sum to less than there are elements (default false)
 * @param initial what each reduction starts with (default null: its neutral element; the mean of nothing is NaN)
 * @returns data's shape with the segments in place of the axis
 * @throws RuntimeError for another reduction, or if neither lengths nor offsets are given or they do not fit
 */
export const _segment_reduce = fnOp(
  '_segment_reduce(Tensor data, str reduce, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None)',
  (
    data: Tensor,
    reduce: string,
    lengths: Tensor | null,
    _indices: Tensor | null,
    offsets: Tensor | null,
    axis: number,
    unsafe: boolean,
    initial: Scalar | null,
  ): Tensor => {
    const known = SEGMENT_REDUCTIONS[reduce];
    if (known === undefined) throw new RuntimeError(`Unsupported reduction given! ${reduce}`);
    if (lengths === null && offsets === null)
      throw new RuntimeError('segment_reduce(): Either lengths or offsets must be defined.');
    const d = wrapDim(axis, data.ndim);
    const given = lengths ?? sub(sliceDim(offsets!, -1, 1, null, 1), sliceDim(offsets!, -1, 0, -1, 1));
    const outer = data.shape.slice(0, d);
    if (given.ndim !== d + 1 || outer.some((n, k) => n !== given.shape[k])) {
      throw new RuntimeError('segment_reduce(): expected lengths with the sizes of data before the axis');
    }
    const n = data.shape[d]!;
    // Unchecked lengths may leave elements over: they go to a last segment, which is dropped.
    const sizes = unsafe ? cat([given, sub(n, given.sum(-1, true))], -1) : given;
    if (sizes.numel() > 0 && (Number(sizes.min().item()) < 0 || sizes.sum(-1).ne(n).any().item() === true)) {
      throw new RuntimeError(
        'segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1)',
      );
    }
    const segments = sizes.shape[d]!;
    const owner = remainder(invoke(REPEAT_INTERLEAVE, reshaped(sizes, [-1])), Math.max(segments, 1));
    const inner = data.shape.slice(d + 1);
    const index = expand.impl(reshaped(owner, [...outer, n, ...inner.map(() => 1)]), data.shape);
    const start = invoke(FULL, [...outer, segments, ...inner], initial ?? known[1], data.dtype, data);
    const y = reduceInto(start, false, d, index, data, known[0], true);
    const wanted = (t: Tensor): Tensor => (unsafe ? t.narrow(d, 0, segments - 1) : t);
    if (reduce !== 'mean') return wanted(y);
    const counts = reshaped(cast(sizes, data.dtype), [...sizes.shape, ...inner.map(() => 1)]);
    // An empty segment without a start value has no mean; with one it keeps it.
    return wanted(div(y, initial === null ? counts : counts.clamp(1)));
  },
);
