// Softmax and its logarithm.
import { needsGrad, record } from '../autograd/graph.js';
import type { DType } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul, sub } from './arithmetic.js';
import { op } from './define.js';
import { sum } from './reduce.js';
import { exp, neg } from './unary.js';
import { cast } from './internal/cast.js';

const SOFTMAX = nativeOp('softmax');
const LOG_SOFTMAX = nativeOp('log_softmax');
const SOFTMAX_BACKWARD = nativeOp('softmax_backward');
const LOG_SOFTMAX_BACKWARD = nativeOp('log_softmax_backward');

/** gx = y (g - sum(g y)). */
function softmaxGradient(g: Tensor, y: Tensor, dim: number): Tensor {
  const out = invoke(SOFTMAX_BACKWARD, g, y, dim);
  if (needsGrad(g, y)) {
    record('SoftmaxBackwardDataBackward0', out, [g, y], [g, y], (gg, [g0, y0], needs) => [
      needs[0] ? softmaxGradient(gg, y0, dim) : null,
      needs[1] ? sub(mul(gg, sub(g0, sum(mul(g0, y0), [dim], true))), mul(g0, sum(mul(gg, y0), [dim], true))) : null,
    ]);
  }
  return out;
}
/** gx = g - exp(y) sum(g). */
function logSoftmaxGradient(g: Tensor, y: Tensor, dim: number): Tensor {
  const out = invoke(LOG_SOFTMAX_BACKWARD, g, y, dim);
  if (needsGrad(g, y)) {
    record('LogSoftmaxBackwardDataBackward0', out, [g, y], [g, y], (gg, [g0, y0], needs) => [
      needs[0] ? sub(gg, sum(mul(gg, exp(y0)), [dim], true)) : null,
      needs[1] ? neg(mul(mul(gg, exp(y0)), sum(g0, [dim], true))) : null,
    ]);
  }
  return out;
}

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
