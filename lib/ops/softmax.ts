// Softmax and its logarithm.
import { needsGrad, record } from '../autograd/graph.js';
import type { DType } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { op } from './define.js';
import { cast } from './internal/cast.js';
import { logSoftmaxGradient, softmaxGradient } from './internal/softmax_gradient.js';

const SOFTMAX = nativeOp('softmax');
const LOG_SOFTMAX = nativeOp('log_softmax');

/**
 * exp(x) over its sum along a dimension, computed without overflow.
 * @param input floating point, or of any real type if `dtype` is given
 * @param dim the dimension along which results sum to one
 * @param dtype the type to convert to first (default null: none)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range; RuntimeError for integers without `dtype`
 */
export const softmax = op(
  'softmax(Tensor input, int dim, ScalarType? dtype=None)',
  (input: Tensor, dim: number, dtype: DType | null): Tensor => {
    const x = dtype === null ? input : cast(input, dtype);
    const y = invoke(SOFTMAX, x, dim);
    if (needsGrad(x)) record('SoftmaxBackward0', y, [x], [y], (g, [s]) => [softmaxGradient(g, s, dim)]);
    return y;
  },
);
/**
 * x - log(sum(exp(x))) along a dimension: the logarithm of the softmax, computed without overflow.
 * @param input floating point, or of any real type if `dtype` is given
 * @param dim the dimension
 * @param dtype the type to convert to first (default null: none)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range; RuntimeError for integers without `dtype`
 */
export const logSoftmax = op(
  'logSoftmax(Tensor input, int dim, ScalarType? dtype=None)',
  (input: Tensor, dim: number, dtype: DType | null): Tensor => {
    const x = dtype === null ? input : cast(input, dtype);
    const y = invoke(LOG_SOFTMAX, x, dim);
    if (needsGrad(x)) record('LogSoftmaxBackward0', y, [x], [y], (g, [s]) => [logSoftmaxGradient(g, s, dim)]);
    return y;
  },
);
