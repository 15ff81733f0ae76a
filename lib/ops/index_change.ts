// What the indexing ops share: one implementation for the in-place form and for the form that changes a copy.
import { anyNeedsGrad, record } from '../autograd/graph.js';
import type { Gradients, Needs, Saved } from '../autograd/node.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { nativeOp } from '../native/addon.js';
import { invoke1 } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';

const CLONE = nativeOp('clone');

/**
 * Changes `self`, or a copy of it, and records that.
 * @param others the further tensors that gradients go to.
 * @param saved what backward needs; a function is called before anything is changed, if backward will run.
 * @param run changes its argument.
 * @param backward gives the gradients of `self` and of `others`.
 * @returns the changed tensor.
 */
export function change<const S extends Saved>(
  node: string,
  self: Tensor,
  inPlace: boolean,
  others: readonly (Tensor | null)[],
  saved: S | (() => S),
  run: (target: Tensor) => void,
  backward: (g: Tensor, saved: S, needs: Needs) => Gradients,
): Tensor {
  const inputs = [self, ...others];
  const recorded = anyNeedsGrad(inputs);
  if (inPlace) checkInPlace(self, recorded);
  const kept = !recorded ? null : typeof saved === 'function' ? saved() : saved;
  const target = inPlace ? self : invoke1(CLONE, self);
  run(target);
  if (kept !== null) {
    if (inPlace) recordInPlace(node, self, inputs, kept, backward as never);
    else record(node, target, inputs, kept, backward as never);
  }
  return target;
}
