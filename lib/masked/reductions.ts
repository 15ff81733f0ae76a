// Reductions that leave out the elements whose mask is false.
import { type DType, float32, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { div, mul, sub } from '../ops/arithmetic.js';
import { clampMin } from '../ops/comparison.js';
import { fnOp } from '../ops/define.js';
import { vectorNormOf } from '../ops/internal/vector_norm.js';
import * as reduce from '../ops/reduce.js';
import { nanmedian } from '../ops/sort.js';
import { conj, sqrt } from '../ops/unary.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { hidden, inputMask, reducedDims } from './masks.js';
import { cast } from '../ops/internal/cast.js';
import { reshaped } from '../ops/internal/view.js';
import { anyTrue } from '../ops/internal/truth.js';

type Dims = readonly number[] | null;
const OPTIONS = 'bool keepdim=False, ScalarType? dtype=None, Tensor? mask=None';

function isWhole(dtype: DType): boolean {
  return !dtype.isFloatingPoint && !dtype.isComplex;
}
/** Sums and products of integers are int64. */
function totalType(input: Tensor, dtype: DType | null): DType {
  return dtype ?? (isWhole(input.dtype) ? int64 : input.dtype);
}

function masksum(input: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor {
  return reduce.sum.impl(hidden('sum', input, mask, 'zero'), reducedDims(input, dim), keepdim, totalType(input, dtype));
}
/**
 * The sum over `dim` of the elements whose mask is true; 0 if there are none. Integers and bool are summed as int64.
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type to sum in and return (default: input's, int64 for integers and bool)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError if a dimension is out of range or the mask has more dimensions
 * @throws RuntimeError if a dimension occurs twice or the mask does not broadcast
 */
export const sum = fnOp(`sum(Tensor input, int[]? dim=None, ${OPTIONS})`, masksum);

/**
 * The product over `dim` of the elements whose mask is true; 1 if there are none. Integers and bool are multiplied as int64.
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type to multiply in and return (default: input's, int64 for integers and bool)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError and RuntimeError as `sum`
 */
export const prod = fnOp(
  `prod(Tensor input, int[]? dim=None, ${OPTIONS})`,
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
    let y = hidden('prod', input, mask, 'one');
    const type = totalType(input, dtype);
    // One dimension after the other, from the last, so that those to come keep their numbers.
    for (const d of reducedDims(input, dim).reverse()) y = reduce.prod.impl(y, d, keepdim, type);
    return cast(y, type);
  },
);

const extreme = (name: 'amax' | 'amin', row: typeof reduce.amax) =>
  fnOp(
    `${name}(Tensor input, int[]? dim=None, ${OPTIONS})` as 'x(Tensor input, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
      const x = hidden(name, input, mask, name === 'amax' ? 'lowest' : 'highest');
      return cast(row.impl(x, reducedDims(input, dim), keepdim), dtype ?? input.dtype);
    },
  );
/**
 * The largest over `dim` of the elements whose mask is true; the type's lowest value (-Infinity) if there are none.
 * @param input a real tensor; with a mask not bool
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type of the result (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RuntimeError for bool with a mask and complex tensors, else as `sum`; RangeError as `sum`
 */
export const amax = extreme('amax', reduce.amax);
/**
 * The smallest over `dim` of the elements whose mask is true; the type's highest value (Infinity) if there are none.
 * @param input a real tensor; with a mask not bool
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type of the result (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RuntimeError for bool with a mask and complex tensors, else as `sum`; RangeError as `sum`
 */
export const amin = extreme('amin', reduce.amin);

const place = (name: 'argmax' | 'argmin', row: typeof reduce.argmax) =>
  fnOp(
    `${name}(Tensor input, int? dim=None, ${OPTIONS})` as 'x(Tensor input, int? dim=None, bool keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: number | null, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
      const x = hidden(name, input, mask, name === 'argmax' ? 'lowest' : 'highest');
      return cast(row.impl(x, dim, keepdim), dtype ?? input.dtype);
    },
  );
/**
 * The place of the largest of the elements whose mask is true.
 * @param input a real tensor; with a mask not bool
 * @param dim the dimension to search (default null: the flattened tensor)
 * @param keepdim whether to keep it at size one (default false)
 * @param dtype the type of the result (default: input's, as in PyTorch)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError if the dimension is out of range or there are no elements; RuntimeError as `amax`
 */
export const argmax = place('argmax', reduce.argmax);
/**
 * The place of the smallest of the elements whose mask is true.
 * @param input a real tensor; with a mask not bool
 * @param dim the dimension to search (default null: the flattened tensor)
 * @param keepdim whether to keep it at size one (default false)
 * @param dtype the type of the result (default: input's, as in PyTorch)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError if the dimension is out of range or there are no elements; RuntimeError as `amin`
 */
export const argmin = place('argmin', reduce.argmin);

/** How many elements take part. */
function count(input: Tensor, dims: readonly number[], keepdim: boolean, mask: Tensor | null): Tensor | number {
  if (mask === null) return dims.reduce((n, d) => n * (input.shape[d] ?? 1), 1);
  return reduce.sum.impl(inputMask(input, mask), dims, keepdim, int64);
}

/**
 * The mean over `dim` of the elements whose mask is true; NaN if there are none.
 * @param input floating point or complex, or of another type if `dtype` is given
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype a floating-point or complex type to compute in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError for integers, else as `sum`; RuntimeError as `sum`
 */
export const mean = fnOp(
  `mean(Tensor input, int[]? dim=None, ${OPTIONS})`,
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
    const type = dtype ?? input.dtype;
    if (isWhole(type)) {
      const source = dtype === null ? 'Input' : 'Optional';
      throw new RangeError(
        `mean(): Could not infer output dtype. ${source} dtype must be either a floating point or complex dtype. Got: ${String(type)}`,
      );
    }
    const dims = reducedDims(input, dim);
    return div.impl(masksum(input, dims, keepdim, type, mask), count(input, dims, keepdim, mask), null);
  },
);

/**
 * The median along a dimension of the elements whose mask is true (the lower of two); NaN if there are none.
 * @param input a real tensor
 * @param dim the dimension (default -1)
 * @param keepdim whether to keep it at size one (default false)
 * @param dtype the type of the result of integers (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError if an integer input has none somewhere, the dimension is out of range or the mask has more dimensions
 */
export const median = fnOp(
  `median(Tensor input, int dim=-1, ${OPTIONS})`,
  (input: Tensor, dim: number, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
    const d = wrapDim(dim, input.ndim);
    const float = input.dtype.isFloatingPoint;
    const x = hidden('median', float ? input : cast(input, float32), mask, 'nan');
    const y = nanmedian(x, d, keepdim).values;
    if (float) return y;
    if (anyTrue(y.isnan())) {
      throw new RangeError('masked median expects no fully masked out rows if dtype is not floating point');
    }
    return cast(y, dtype ?? input.dtype);
  },
);

/**
 * log(sum(exp(x))) over `dim` of the elements whose mask is true; -Infinity if there are none.
 * @param input floating point or complex
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type of the result (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RangeError and RuntimeError as `sum`
 */
export const logsumexp = fnOp(
  `logsumexp(Tensor input, int[]? dim=None, ${OPTIONS})`,
  (input: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor =>
    cast(
      reduce.logsumexp.impl(hidden('logsumexp', input, mask, 'lowest'), reducedDims(input, dim), keepdim),
      dtype ?? input.dtype,
    ),
);

/** @internal The p-norm of the elements whose mask is true. */
function normOf(
  input: Tensor,
  ord: number | null,
  dim: Dims,
  keepdim: boolean,
  dtype: DType | null,
  mask: Tensor | null,
): Tensor {
  const x = hidden('norm', input, mask, ord === -Infinity ? 'highest' : 'zero');
  return vectorNormOf(x, ord ?? 2, reducedDims(input, dim), keepdim, dtype);
}
/**
 * The p-norm over `dim` of the elements whose mask is true: (sum of |x|^p)^(1 / p).
 * @param input floating point or complex, or of another type if `dtype` is given
 * @param ord p, also Infinity and -Infinity (default 2, which null means too)
 * @param dim the dimensions (default null: all)
 * @param keepdim whether to keep them at size one (default false)
 * @param dtype the type to compute in (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`, real
 * @throws RuntimeError for integers, else as `sum`; RangeError as `sum`
 */
export const norm = fnOp(`norm(Tensor input, float? ord=2, int[]? dim=None, ${OPTIONS})`, normOf);

/** The sum of squared deviations from the mean, over the count less the correction. */
function variance(
  input: Tensor,
  dim: Dims,
  correction: number,
  keepdim: boolean,
  dtype: DType | null,
  mask: Tensor | null,
): Tensor {
  const type = dtype ?? (isWhole(input.dtype) ? float32 : input.dtype);
  const wide = isWhole(type) ? float32 : type;
  const dims = reducedDims(input, dim);
  const average = div.impl(masksum(input, dims, true, type, mask), count(input, dims, true, mask), null);
  const centred = sub.impl(input, average, 1);
  const total = masksum(mul.impl(centred, conj.impl(centred)), dims, keepdim, wide, mask);
  const n = count(input, dims, true, mask);
  if (typeof n === 'number') return cast(div.impl(total, Math.max(0, n - correction), null), type);
  const freedom = clampMin.impl(sub.impl(cast(n, wide.toReal()), correction, 1), 0);
  return cast(div.impl(total, reshaped(freedom, total.shape), null), type);
}
const SPREAD = `int[]? dim=None, bool? unbiased=None, float? correction=None, ${OPTIONS}` as const;
function correctionOf(unbiased: boolean | null, correction: number | null): number {
  if (unbiased !== null && correction !== null)
    throw new RuntimeError('Only one of unbiased and correction may be given');
  return correction ?? (unbiased === false ? 0 : 1);
}
const maskedVar = fnOp(
  `var(Tensor input, ${SPREAD})`,
  (
    input: Tensor,
    dim: Dims,
    unbiased: boolean | null,
    correction: number | null,
    keepdim: boolean,
    dtype: DType | null,
    mask: Tensor | null,
  ): Tensor => variance(input, dim, correctionOf(unbiased, correction), keepdim, dtype, mask),
);
/**
 * The variance over `dim` of the elements whose mask is true: the sum of |x - mean|^2 over max(0, count - correction).
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @param unbiased the older name of correction 1 (true) or 0 (false) (default null)
 * @param correction what the count is lessened by (default 1)
 * @param keepdim whether to keep the dimensions at size one (default false)
 * @param dtype the type of the result (default: input's, float32 for integers)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`; NaN where too few elements take part
 * @throws RuntimeError if both `unbiased` and `correction` are given or the mask does not fit; RangeError as `sum`
 */
export { maskedVar as var };
/**
 * The standard deviation over `dim` of the elements whose mask is true: the square root of `var`.
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @param unbiased the older name of correction 1 (true) or 0 (false) (default null)
 * @param correction what the count is lessened by (default 1)
 * @param keepdim whether to keep the dimensions at size one (default false)
 * @param dtype the type to compute in (default: input's, float32 for integers)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape without `dim`
 * @throws RuntimeError if both `unbiased` and `correction` are given or the mask does not fit; RangeError as `sum`
 */
export const std = fnOp(
  `std(Tensor input, ${SPREAD})`,
  (
    input: Tensor,
    dim: Dims,
    unbiased: boolean | null,
    correction: number | null,
    keepdim: boolean,
    dtype: DType | null,
    mask: Tensor | null,
  ): Tensor => sqrt.impl(variance(input, dim, correctionOf(unbiased, correction), keepdim, dtype, mask)),
);
