// How losses are summed up.
import { anyNeedsGrad, record } from '../../autograd/graph.js';
import { unrecorded } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { div } from '../../ops/arithmetic.js';
import { mean, sum } from '../../ops/reduce.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';

/** What a loss gives: one value per element, their sum, or their mean. */
export type Reduction = 'none' | 'mean' | 'sum';

/**
 * The reduction that the arguments of a loss ask for; `sizeAverage` and `reduce` are its older spelling.
 * @throws RuntimeError for a name that is no reduction.
 */
export function reductionOf(sizeAverage: boolean | null, reduce: boolean | null, reduction: string): Reduction {
  if (sizeAverage !== null || reduce !== null) {
    const asked = (reduce ?? true) ? ((sizeAverage ?? true) ? 'mean' : 'sum') : 'none';
    warn(`sizeAverage and reduce args will be deprecated, please use reduction='${asked}' instead.`);
    return asked;
  }
  if (reduction === 'none' || reduction === 'mean' || reduction === 'sum') return reduction;
  throw new RuntimeError(`${reduction} is not a valid value for reduction`);
}

/** The loss of all elements from the loss of each. */
export function reduced(loss: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return loss;
  return reduction === 'mean' ? mean.impl(loss, null, false, null) : sum.impl(loss, null, false, null);
}

/** The gradient that each of n elements gets from that of the reduced loss; it broadcasts to them. */
export function elementGradient(g: Tensor, reduction: Reduction, n: number): Tensor {
  return reduction === 'mean' ? div.impl(g, n, null) : g;
}

/**
 * Runs `forward` as one node of the graph.
 * @param forward gives the result from the inputs, which it should not capture: closures of one function share what any of
 *   them captures, so that the backward function would hold them.
 * @param backward gives the inputs' gradients from that of the result and the inputs; written with recorded functions, it
 *   can be differentiated again.
 */
export function asNode<const I extends readonly (Tensor | null)[]>(
  name: string,
  inputs: I,
  forward: (inputs: I) => Tensor,
  backward: (g: Tensor, inputs: I, needs: readonly boolean[]) => (Tensor | null)[],
): Tensor {
  if (!anyNeedsGrad(inputs)) return forward(inputs);
  const y = unrecorded(forward, inputs);
  record(name, y, inputs, inputs, (g, saved, needs) => backward(g, saved as unknown as I, needs));
  return y;
}

const SIZES_DIFFER =
  'This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.';

/** Warns of a target whose sizes are not those of the input. */
export function warnSizes(input: Tensor, target: Tensor): void {
  if (sameShape(input, target)) return;
  warn(
    `Using a target size (${sizeText(target)}) that is different to the input size (${sizeText(input)}). ${SIZES_DIFFER}`,
  );
}

/** Whether two tensors have the same sizes. */
export function sameShape(a: Tensor, b: Tensor): boolean {
  const x = a.shape;
  const y = b.shape;
  return x.length === y.length && x.every((n, d) => n === y[d]);
}

/** A shape in an error message. */
export function sizeText(t: Tensor): string {
  return `torch.Size([${t.shape.join(', ')}])`;
}
