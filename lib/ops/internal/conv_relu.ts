// A convolution, ReLU and max pooling in one native call, while the convolution's sums are in the cache. What is recorded are
// the three operations, and results and gradients are those of the three bit by bit.
import { needsGrad, recordAfter, recordUnseen, versionOf } from '../../autograd/graph.js';
import { gradMode, noGrad } from '../../autograd/mode.js';
import type { Node } from '../../autograd/node.js';
import { unpack } from '../../autograd/saved.js';
import { RuntimeError } from '../../core/errors.js';
import { nativeOp } from '../../native/addon.js';
import { invoke, invokeMany } from '../../tensor/invoke.js';
import { keep } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { relu } from '../activation.js';
import { maxPool2dWithIndices } from '../pool.js';
import { forward, type Geometry, gradients } from './conv.js';
import { reluPass } from './gradient_pass.js';
import { scatterPlanes } from './scatter_planes.js';
import { windowCounts } from './window_counts.js';

const CONV_RELU = nativeOp('conv_relu');
const SCATTER_PLACES = nativeOp('scatter_places');
const NO_WINDOW: readonly number[] = [1, 1];

/** The convolution's sizes of [N, C, H, W]. */
const convolved = (x: readonly number[], w: readonly number[], at: Geometry): number[] => [
  x[0]!,
  w[0]!,
  ...windowCounts(x.slice(2), w.slice(2), at),
];

const hooked = (node: Node): boolean => node.extra !== null && (node.extra.pre.size > 0 || node.extra.post.size > 0);

/**
 * max(conv(x, w) + bias, 0), then the largest element of each window.
 * @param x [N, C, H, W]
 * @param w [O, C / groups, KH, KW]
 * @param window height and width of windows that lie side by side; null for no pooling
 * @returns null where the operations are to be called one by one
 */
export function convRelu(
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  at: Geometry,
  window: readonly number[] | null,
): Tensor | null {
  const recorded = needsGrad(x, w, bias);
  const found = invokeMany(
    CONV_RELU,
    x,
    w,
    bias,
    at.stride,
    at.padding,
    at.dilation,
    at.groups,
    window ?? NO_WINDOW,
    recorded && window !== null,
  );
  if (found.length === 0) return null;
  const [y, places] = found as [Tensor, Tensor];
  if (!recorded) return y;
  const shape = convolved(x.shape, w.shape, at);
  const conv = recordUnseen('ConvolutionBackward0', shape, x.dtype, null, [x, w, bias], [x, w], gradients(at));
  if (window === null) recordAfter(conv, 'ReluBackward0', y, [y], (g, [y0]) => [reluPass(g, y0)]);
  else recordPooled(conv, y, places, bias, at, window);
  return y;
}

/**
 * Records ReLU and pooling. The gradient that passes both is computed at once; where somebody looks at the one between them, or
 * the gradients are to be differentiated, ReLU's result is computed again and each has its own.
 */
function recordPooled(
  conv: Node,
  y: Tensor,
  places: Tensor,
  bias: Tensor | null,
  at: Geometry,
  window: readonly number[],
): void {
  const { shape, dtype } = conv;
  const biasVersion = bias === null ? 0 : versionOf(bias);
  let between: Tensor | null = null;
  const reluNode = recordUnseen('ReluBackward0', shape, dtype, conv, [], [], (g) => {
    if (between === null) return [g];
    const at0 = between;
    between = null;
    return [reluPass(g, at0)];
  });
  const pool: Node = recordAfter(
    reluNode,
    'MaxPool2DWithIndicesBackward0',
    y,
    [places],
    (g, [places0]) => {
      if (!gradMode && !hooked(pool) && !hooked(reluNode)) {
        between = null;
        return [invoke(SCATTER_PLACES, g, places0, shape, window)];
      }
      if (bias !== null && versionOf(bias) !== biasVersion) {
        throw new RuntimeError(
          'one of the variables needed for gradient computation has been modified by an inplace operation: the bias of a convolution',
        );
      }
      const [x, w] = unpack(conv) as readonly [Tensor, Tensor];
      const [indices, z] = noGrad(() => {
        const activated = relu.impl(forward(x, w, bias, at));
        return [maxPool2dWithIndices.impl(activated, window, window, [0, 0], [1, 1], false)[1], activated] as const;
      });
      keep(z); // longer than this node runs
      between = z;
      return [scatterPlanes(g, indices, shape, 2)];
    },
    { temporaries: [places] },
  );
}
