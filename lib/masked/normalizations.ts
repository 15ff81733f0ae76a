// Operations along a dimension that keep the sizes, on the elements whose mask is true. What a result holds at places
// whose mask is false means nothing.
import type { DType } from '../core/dtype.js';
import { div, logaddexp as logaddexpOf } from '../ops/arithmetic.js';
import { clampMin } from '../ops/comparison.js';
import { fnOp } from '../ops/define.js';
import * as scan from '../ops/scan.js';
import { logSoftmax as logSoftmaxOf, softmax as softmaxOf } from '../ops/softmax.js';
import { neg } from '../ops/unary.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { hidden } from './masks.js';
import { norm } from './reductions.js';
import { cast } from '../ops/internal/cast.js';

const OPTIONS = 'ScalarType? dtype=None, Tensor? mask=None';

/**
 * Running sums along a dimension of the elements whose mask is true.
 * @param input any shape
 * @param dim the dimension
 * @param dtype the type to sum in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range or the mask has more dimensions; RuntimeError if it does not broadcast
 */
export const cumsum = fnOp(
  `cumsum(Tensor input, int dim, ${OPTIONS})`,
  (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null): Tensor =>
    scan.cumsum.impl(hidden('cumsum', input, mask, 'zero'), wrapDim(dim, input.ndim), dtype ?? input.dtype),
);
/**
 * Running products along a dimension of the elements whose mask is true.
 * @param input any shape
 * @param dim the dimension
 * @param dtype the type to multiply in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range or the mask has more dimensions; RuntimeError if it does not broadcast
 */
export const cumprod = fnOp(
  `cumprod(Tensor input, int dim, ${OPTIONS})`,
  (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null): Tensor =>
    scan.cumprod.impl(hidden('cumprod', input, mask, 'one'), wrapDim(dim, input.ndim), dtype ?? input.dtype),
);
/**
 * exp(x) over its sum along a dimension, of the elements whose mask is true.
 * @param input floating point, or of another real type if `dtype` is given
 * @param dim the dimension
 * @param dtype the type to compute in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape; NaN where no element takes part
 * @throws RangeError if the dimension is out of range or the mask has more dimensions
 * @throws RuntimeError for integers without `dtype`, or if the mask does not broadcast
 */
export const softmax = fnOp(
  `softmax(Tensor input, int dim, ${OPTIONS})`,
  (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null): Tensor =>
    softmaxOf.impl(hidden('amax', input, mask, 'lowest'), wrapDim(dim, input.ndim), dtype ?? input.dtype),
);
/**
 * The logarithm of the softmax along a dimension, of the elements whose mask is true.
 * @param input floating point, or of another real type if `dtype` is given
 * @param dim the dimension
 * @param dtype the type to compute in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape; NaN where no element takes part
 * @throws RangeError if the dimension is out of range or the mask has more dimensions
 * @throws RuntimeError for integers without `dtype`, or if the mask does not broadcast
 */
export const logSoftmax = fnOp(
  `logSoftmax(Tensor input, int dim, ${OPTIONS})`,
  (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null): Tensor =>
    logSoftmaxOf.impl(hidden('amax', input, mask, 'lowest'), wrapDim(dim, input.ndim), dtype ?? input.dtype),
);
/**
 * softmax(-x) along a dimension, of the elements whose mask is true.
 * @param input floating point, or of another real type if `dtype` is given
 * @param dim the dimension
 * @param dtype the type to compute in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape; NaN where no element takes part
 * @throws RangeError if the dimension is out of range or the mask has more dimensions
 * @throws RuntimeError for integers without `dtype`, or if the mask does not broadcast
 */
export const softmin = fnOp(
  `softmin(Tensor input, int dim, ${OPTIONS})`,
  (input: Tensor, dim: number, dtype: DType | null, mask: Tensor | null): Tensor =>
    softmaxOf.impl(neg.impl(hidden('amin', input, mask, 'highest')), wrapDim(dim, input.ndim), dtype ?? input.dtype),
);
/**
 * The elements whose mask is true, divided by their p-norm along a dimension or by `eps` if that is larger.
 * @param input floating point or complex, or of another type if `dtype` is given
 * @param ord the norm's p
 * @param dim the dimension
 * @param eps the least divisor (default 1e-12)
 * @param dtype the type to compute in and return (default: input's)
 * @param mask true where an element takes part, broadcast to input (default null: everywhere)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range or the mask has more dimensions
 * @throws RuntimeError for integers without `dtype`, or if the mask does not broadcast
 */
export const normalize = fnOp(
  `normalize(Tensor input, float ord, int dim, float eps=1e-12, ${OPTIONS})`,
  (input: Tensor, ord: number, dim: number, eps: number, dtype: DType | null, mask: Tensor | null): Tensor => {
    const x = dtype === null ? input : cast(input, dtype);
    const size = clampMin.impl(norm.impl(x, ord, [dim], true, dtype, mask), eps);
    return div.impl(hidden('sum', x, mask, 'zero'), size, null);
  },
);
/**
 * log(exp(input) + exp(other)), elementwise, of the elements whose masks are true.
 * @param input floating point
 * @param other floating point, broadcast with input
 * @param dtype the type of the result (default: input's)
 * @param inputMask true where an element of input takes part, broadcast to it (default null: everywhere)
 * @param otherMask true where an element of other takes part, broadcast to it (default null: everywhere)
 * @returns the broadcast shape
 * @throws RuntimeError for integers, or if shapes do not broadcast; RangeError if a mask has more dimensions
 */
export const logaddexp = fnOp(
  'logaddexp(Tensor input, Tensor other, ScalarType? dtype=None, Tensor? inputMask=None, Tensor? otherMask=None)',
  (input: Tensor, other: Tensor, dtype: DType | null, inputMask: Tensor | null, otherMask: Tensor | null): Tensor =>
    cast(
      logaddexpOf.impl(
        hidden('logaddexp', input, inputMask, 'lowest'),
        hidden('logaddexp', other, otherMask, 'lowest'),
      ),
      dtype ?? input.dtype,
    ),
);
