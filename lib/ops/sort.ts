// Sorting, and values chosen by their rank.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { div, mul } from './arithmetic.js';
import { eq } from './comparison.js';
import { op } from './define.js';
import { scatterAdd_ } from './gather.js';
import { overloadedMethod } from './index_methods.js';
import { sum } from './reduce.js';
import { type ValuesIndices, valuesIndices } from './results.js';
import { isOptions } from './signature.js';
import { flatten, unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { anyTrue } from './internal/truth.js';

const SORT = nativeOp('sort');
const TOPK = nativeOp('topk');
const KTHVALUE = nativeOp('kthvalue');
const MEDIAN = nativeOp('median');
const NANMEDIAN = nativeOp('nanmedian');
const MODE = nativeOp('mode');

/** Records values that were picked along a dimension: the gradient goes back to where they came from. */
function picked(node: string, input: Tensor, dim: number, results: Tensor[], reduced = false): ValuesIndices {
  const [values, indices] = results as [Tensor, Tensor];
  if (needsGrad(input)) {
    const shape = input.shape;
    record(node, values, [input], [indices], (g, [at]) => {
      const [source, places] = reduced && shape.length > 0 ? [unsqueeze(g, dim), unsqueeze(at!, dim)] : [g, at!];
      return [scatterAdd_.impl(g.newZeros(shape), dim, places, source)];
    });
  }
  return valuesIndices(values, indices);
}

function sorted(input: Tensor, dim: number, descending: boolean): ValuesIndices {
  return picked('SortBackward0', input, dim, invokeMany(SORT, input, dim, descending));
}
/**
 * Elements in order along a dimension, and where they were. NaN is greater than all numbers.
 * @param input a real tensor
 * @param dim the dimension (default -1)
 * @param descending whether the largest comes first (default false)
 * @param stable has no effect: equal elements always keep their order (default false)
 * @returns { values, indices } of input's shape: input's type and int64
 * @throws RuntimeError for complex tensors; RangeError if the dimension is out of range
 */
export const sort = op(
  'sort(Tensor input, int dim=-1, bool descending=False, bool stable=False)',
  (input: Tensor, dim: number, descending: boolean): ValuesIndices => sorted(input, dim, descending),
);
/**
 * The positions that sort along a dimension, as `sort` gives them.
 * @param input a real tensor
 * @param dim the dimension (default -1)
 * @param descending whether the largest comes first (default false)
 * @param stable has no effect: equal elements always keep their order (default false)
 * @returns input's shape, of int64
 * @throws RuntimeError for complex tensors; RangeError if the dimension is out of range
 */
export const argsort = op(
  'argsort(Tensor input, int dim=-1, bool descending=False, bool stable=False)',
  (input: Tensor, dim: number, descending: boolean): Tensor => invokeMany(SORT, input.detach(), dim, descending)[1]!,
);
/** Elements in ascending order along the first dimension: `sort(input, 0).values`. */
export const msort = op('msort(Tensor input)', (input: Tensor): Tensor => sorted(input, 0, false).values);

/**
 * The k largest (or smallest) elements along a dimension and where they are. NaN is greater than all numbers.
 * @param input a real tensor
 * @param k how many, at most the dimension's size
 * @param dim the dimension (default -1)
 * @param largest false for the smallest (default true)
 * @param sorted whether they must come in order (default true)
 * @returns { values, indices }: input's shape with k places in `dim`, input's type and int64
 * @throws RuntimeError if k is out of its range; RangeError if the dimension is
 */
export const topk = op(
  'topk(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True)',
  (input: Tensor, k: number, dim: number, largest: boolean, inOrder: boolean): ValuesIndices =>
    picked('TopkBackward0', input, dim, invokeMany(TOPK, input, k, dim, largest, inOrder)),
);
/**
 * The k-th smallest element along a dimension and where it is.
 * @param input a real tensor
 * @param k the rank, from 1
 * @param dim the dimension (default -1)
 * @param keepdim whether to keep it at size one (default false)
 * @returns { values, indices }: input's shape without `dim`, input's type and int64
 * @throws RuntimeError if k is out of its range; RangeError if the dimension is
 */
export const kthvalue = op(
  'kthvalue(Tensor input, int k, int dim=-1, bool keepdim=False)',
  (input: Tensor, k: number, dim: number, keepdim: boolean): ValuesIndices =>
    picked('KthvalueBackward0', input, dim, invokeMany(KTHVALUE, input, k, dim, keepdim), !keepdim),
);
/**
 * The commonest element along a dimension (the smallest of several) and where one of them is.
 * @param input a real tensor
 * @param dim the dimension (default -1)
 * @param keepdim whether to keep it at size one (default false)
 * @returns { values, indices }: input's shape without `dim`, input's type and int64
 * @throws RangeError if the dimension is out of range or empty
 */
export const mode = op(
  'mode(Tensor input, int dim=-1, bool keepdim=False)',
  (input: Tensor, dim: number, keepdim: boolean): ValuesIndices =>
    picked('ModeBackward0', input, dim, invokeMany(MODE, input, dim, keepdim), !keepdim),
);

/** `median` and `nanmedian`: of all elements, or along a dimension. */
function medianOp(name: string, id: number) {
  const node = `${name === 'median' ? 'Median' : 'Nanmedian'}Backward`;
  const along = op(
    `${name}(Tensor input, int dim=-1, bool keepdim=False)` as 'x(Tensor input, int dim=-1, bool keepdim=False)',
    (input: Tensor, dim: number, keepdim: boolean): ValuesIndices =>
      picked(`${node}1`, input, dim, invokeMany(id, input, dim, keepdim), !keepdim),
  );
  const whole = op(`${name}(Tensor input)` as 'x(Tensor input)', (input: Tensor): Tensor => {
    if (input.dtype.isComplex) throw new RuntimeError(`${name}() does not support complex input`);
    if (input.numel() === 0) return input.newFull([], Number.NaN);
    const value = invokeMany(id, flatten(input.detach()), 0, false)[0]!;
    if (needsGrad(input)) {
      // All elements that equal the median share its gradient.
      record(`${node}0`, value, [input], [input, value], (g, [x, y]) => {
        const same = cast(anyTrue(y!.isnan()) ? x!.isnan() : eq(x!, y!), g.dtype);
        return [mul(div(same, sum.impl(same, null, false, null)), g)];
      });
    }
    return value;
  });
  function median(input: Tensor): Tensor;
  function median(input: Tensor, dim: number, keepdim?: boolean | { keepdim?: boolean }): ValuesIndices;
  function median(input: Tensor, options: { dim: number; keepdim?: boolean }): ValuesIndices;
  function median(...args: [input: Tensor, ...rest: unknown[]]): Tensor | ValuesIndices {
    const second = args[1];
    const named = args.length === 2 && isOptions(second);
    if (args.length === 1 || (named && Object.keys(second).length === 0)) return whole(args[0]);
    if (named && second['dim'] === undefined && second['keepdim'] !== undefined) {
      throw new TypeError(`${name}() missing a required argument: 'dim'`);
    }
    return along(...(args as unknown as Parameters<typeof along>));
  }
  overloadedMethod(name, median);
  return Object.assign(median, { home: 'function' as const });
}
/**
 * The lower of the two middle elements; NaN if there is one. median(input) is that of all elements, which share its gradient
 * where they are equal; median(input, dim, keepdim = false) gives { values, indices } along one dimension.
 * @returns a 0-d tensor (NaN of no elements), or input's shape without `dim`, with places of int64
 * @throws RuntimeError for complex tensors; RangeError if the dimension is out of range or empty
 */
export const median = medianOp('median', MEDIAN);
/** As `median`, of the elements that are not NaN. */
export const nanmedian = medianOp('nanmedian', NANMEDIAN);
