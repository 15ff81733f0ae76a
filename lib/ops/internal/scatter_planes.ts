// Putting values at places of planes, as the gradient of max pooling does.
import { needsGrad, record } from '../../autograd/graph.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reshaped } from './view.js';

const MAX_POOL_BACKWARD = nativeOp('max_pool_backward');

/** Puts values at flat places of their planes; the gradient picks them up again. */
export function scatterPlanes(g: Tensor, indices: Tensor, shape: readonly number[], nd: number): Tensor {
  const y = invoke(MAX_POOL_BACKWARD, g, indices, shape, nd);
  if (needsGrad(g)) record('MaxPoolBackwardBackward0', y, [g], [indices], (gg, [at]) => [gatherPlanes(gg, at, nd)]);
  return y;
}
function gatherPlanes(x: Tensor, indices: Tensor, nd: number): Tensor {
  const lead = x.shape.slice(0, x.ndim - nd);
  return reshaped(
    reshaped(x, [...lead, planeSize(x, nd)]).gather(-1, reshaped(indices, [...lead, planeSize(indices, nd)])),
    indices.shape,
  );
}
function planeSize(x: Tensor, nd: number): number {
  return x.shape.slice(x.ndim - nd).reduce((a, b) => a * b, 1);
}
