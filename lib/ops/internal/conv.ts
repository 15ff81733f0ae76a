// Convolutions without argument checks, and their gradients, which are convolutions again.
import { needsGrad, type Needs, record } from '../../autograd/graph.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { sum } from '../reduce.js';

const CONV = nativeOp('conv');
const CONV_INPUT = nativeOp('conv_input');
const CONV_WEIGHT = nativeOp('conv_weight');

/** Stride, padding and dilation (one number per spatial dimension) and groups. */
export interface Geometry {
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
  groups: number;
}

/** Sums over everything but the channels: the gradient of a bias. */
function channelSums(g: Tensor): Tensor {
  return sum(g, [0, ...g.shape.slice(2).map((_, i) => i + 2)]);
}

/** y = conv(x, w) + bias; x: [N, C, ..], w: [O, C / groups, ..], bias: [O]. */
export function forward(x: Tensor, w: Tensor, bias: Tensor | null, at: Geometry): Tensor {
  const y = invoke(CONV, x, w, bias, at.stride, at.padding, at.dilation, at.groups);
  if (needsGrad(x, w, bias)) {
    record('ConvolutionBackward0', y, [x, w, bias], [x, w], gradients(at));
  }
  return y;
}
/** The gradients of x, w and bias. */
export function gradients(
  at: Geometry,
): (g: Tensor, saved: readonly [Tensor, Tensor], needs: Needs) => readonly (Tensor | null)[] {
  return (g, [x, w], needs) => [
    needs[0] ? byInput(g, w, x.shape, null, at) : null,
    needs[1] ? byWeight(g, x, w.shape, at) : null,
    needs[2] ? channelSums(g) : null,
  ];
}
/** The transposed convolution of g: linear in g and w, so its gradients are the other two. */
export function byInput(g: Tensor, w: Tensor, shape: readonly number[], bias: Tensor | null, at: Geometry): Tensor {
  const y = invoke(CONV_INPUT, g, w, shape, bias, at.stride, at.padding, at.dilation, at.groups);
  if (needsGrad(g, w, bias)) {
    record('ConvolutionBackward0', y, [g, w, bias], [g, w], (gg, [g0, w0], needs) => [
      // With output padding the forward convolution reaches further than g did.
      needs[0] ? cropped(forward(gg, w0, null, at), g0.shape) : null,
      needs[1] ? byWeight(g0, gg, w0.shape, at) : null,
      needs[2] ? channelSums(gg) : null,
    ]);
  }
  return y;
}
function cropped(x: Tensor, shape: readonly number[]): Tensor {
  let out = x;
  shape.forEach((n, d) => {
    if (out.shape[d] !== n) out = out.narrow(d, 0, n);
  });
  return out;
}
/** The gradient of the weight: linear in g and x. */
function byWeight(g: Tensor, x: Tensor, shape: readonly number[], at: Geometry): Tensor {
  const y = invoke(CONV_WEIGHT, g, x, shape, at.stride, at.padding, at.dilation, at.groups);
  if (needsGrad(g, x)) {
    record('ConvolutionBackward0', y, [g, x], [g, x], (gw, [g0, x0], needs) => [
      needs[0] ? forward(x0, gw, null, at) : null,
      needs[1] ? byInput(g0, gw, x0.shape, null, at) : null,
    ]);
  }
  return y;
}
