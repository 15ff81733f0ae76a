// The gradients of softmax and its logarithm, from their results.
import { needsGrad, record } from '../../autograd/graph.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { mul, sub } from '../arithmetic.js';
import { sum } from '../reduce.js';
import { exp, neg } from '../unary.js';

const SOFTMAX_BACKWARD = nativeOp('softmax_backward');
const LOG_SOFTMAX_BACKWARD = nativeOp('log_softmax_backward');

/** gx = y (g - sum(g y)). */
export function softmaxGradient(g: Tensor, y: Tensor, dim: number): Tensor {
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
export function logSoftmaxGradient(g: Tensor, y: Tensor, dim: number): Tensor {
  const out = invoke(LOG_SOFTMAX_BACKWARD, g, y, dim);
  if (needsGrad(g, y)) {
    record('LogSoftmaxBackwardDataBackward0', out, [g, y], [g, y], (gg, [g0, y0], needs) => [
      needs[0] ? sub(gg, sum(mul(gg, exp(y0)), [dim], true)) : null,
      needs[1] ? neg(mul(mul(gg, exp(y0)), sum(g0, [dim], true))) : null,
    ]);
  }
  return out;
}
