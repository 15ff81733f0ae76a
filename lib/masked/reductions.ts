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
/** The sum of the elements whose mask is true; 0 if there are none. */
export const sum = fnOp(`sum(Tensor input, int[]? dim=None, ${OPTIONS})`, masksum);

/** Their product; 1 if there are none. */
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
/** The largest of the elements whose mask is true; the type's lowest value if there are none. */
export const amax = extreme('amax', reduce.amax);
/** The smallest. */
export const amin = extreme('amin', reduce.amin);

const place = (name: 'argmax' | 'argmin', row: typeof reduce.argmax) =>
  fnOp(
    `${name}(Tensor input, int? dim=None, ${OPTIONS})` as 'x(Tensor input, int? dim=None, bool keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: number | null, keepdim: boolean, dtype: DType | null, mask: Tensor | null): Tensor => {
      const x = hidden(name, input, mask, name === 'argmax' ? 'lowest' : 'highest');
      return cast(row.impl(x, dim, keepdim), dtype ?? input.dtype);
    },
  );
/** Where the largest element is, in the input's type. */
export const argmax = place('argmax', reduce.argmax);
/** Where the smallest element is. */
export const argmin = place('argmin', reduce.argmin);

/** How many elements take part. */
function count(input: Tensor, dims: readonly number[], keepdim: boolean, mask: Tensor | null): Tensor | number {
  if (mask === null) return dims.reduce((n, d) => n * (input.shape[d] ?? 1), 1);
  return reduce.sum.impl(inputMask(input, mask), dims, keepdim, int64);
}

/** The mean of the elements whose mask is true; NaN if there are none. */
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
 * @throws RangeError if an integer input has none somewhere.
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

/** log(sum(exp(x))) of the elements whose mask is true. */
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
/** The p-norm of the elements whose mask is true. */
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
/** The variance of the elements whose mask is true. */
export { maskedVar as var };
/** Their standard deviation. */
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
