// Cross-entropy of scores with classes in one native call each way: the log-softmax is never in memory. What is recorded are
// the two operations, and each has its own gradient where somebody looks at the one between them or it is differentiated.
import { needsGrad, recordAfter, recordUnseen } from '../../autograd/graph.js';
import { gradMode, noGrad } from '../../autograd/mode.js';
import type { Node } from '../../autograd/node.js';
import { unpack } from '../../autograd/saved.js';
import { int64, uint8 } from '../../core/dtype.js';
import { nativeOp } from '../../native/addon.js';
import { logSoftmaxGradient } from '../../ops/internal/softmax_gradient.js';
import { logSoftmax } from '../../ops/softmax.js';
import { invoke, invokeMany } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkClassSizes, nllGradient, nllNode, placesOf, totalOf } from './class_targets.js';
import type { Reduction } from './reduction.js';

const CROSS_ENTROPY = nativeOp('cross_entropy');
const CROSS_ENTROPY_BACKWARD = nativeOp('cross_entropy_backward');
const CODES = { none: 0, mean: 1, sum: 2 };

/** Whether there is a kernel for these; what PyTorch refuses is left to the operations themselves, which say why. */
export function fuses(input: Tensor, target: Tensor, weight: Tensor | null): boolean {
  return (
    input.dtype.isFloatingPoint &&
    (target.dtype === int64 || target.dtype === uint8) &&
    (weight === null || weight.dtype === input.dtype) &&
    input.shape[input.ndim === 1 ? 0 : 1]! > 0
  );
}

/** Whether user code wants to see what passes the node, or keeps what it saved. */
const watched = ({ extra }: Node): boolean =>
  extra !== null && (extra.pre.size > 0 || extra.post.size > 0 || extra.packed !== null);

/** `nllLoss` of `logSoftmax`, for what `fuses`. */
export function fusedCrossEntropy(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
  reduction: Reduction,
): Tensor {
  checkClassSizes(input, target, weight);
  const code = CODES[reduction];
  const [y, statistics] = invokeMany(CROSS_ENTROPY, input, target, weight, ignoreIndex, code) as [Tensor, Tensor];
  if (!needsGrad(input)) return y;
  const { shape, dtype } = input;
  const dim = shape.length === 1 ? 0 : 1;
  /** Whether the gradient on its way to the first node is that of the scores already. */
  let passes = false;
  const first = recordUnseen('LogSoftmaxBackward0', shape, dtype, null, [input], [input], (g, [x]) => {
    if (passes) return [g];
    return [logSoftmaxGradient(g, logSoftmax.impl(x, dim, null), dim)];
  });
  const nll: Node = recordAfter(
    first,
    nllNode(shape.length),
    y,
    [target, weight, statistics],
    (g, [t, w, known]) => {
      passes = !gradMode && !watched(nll) && !watched(first);
      if (passes) {
        const [x] = unpack(first);
        return [invoke(CROSS_ENTROPY_BACKWARD, g, x!, t, w, known, ignoreIndex, code)];
      }
      const places = noGrad(() => placesOf(t, w, ignoreIndex, shape.length, dtype));
      return [nllGradient(g, places, totalOf(places.weights, reduction), shape, t.shape, reduction)];
    },
    { temporaries: [statistics] },
  );
  return y;
}
