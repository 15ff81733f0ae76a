// What autograd keeps about a tensor. Plain tensors have none of it (`_ad` is null).
import type { Tensor } from '../tensor/tensor.js';
import type { AccumulateGrad, Node } from './node.js';
import type { View } from './view.js';

/** Autograd's side of a tensor. */
export class Meta {
  /** The node that computed the tensor; null for a leaf. */
  gradFn: Node | null = null;
  /** Which of the node's results the tensor is. */
  outputNr = 0;
  /** True for leaves that want a gradient and for all tensors with a node. */
  requiresGrad = false;
  /** The accumulated gradient. */
  grad: Tensor | null = null;
  /** Whether user code may hold `grad`; if not, it can be freed as soon as it is dropped. */
  gradSeen = false;
  /** The node at the end of the graph that adds to `grad`; made when first needed. */
  accumulator: AccumulateGrad | null = null;
  /** Whether `grad` is kept for a tensor that is not a leaf. */
  retainsGrad = false;
  /** How the tensor views another one. */
  view: View | null = null;
  /** Counts the in-place operations recorded for this tensor or its views; views compare it with theirs. */
  generation = 0;
  /** Made in inference mode. */
  inference = false;
}

/** The one state that all inference tensors share until something else is said about them. */
export const INFERENCE = new Meta();
INFERENCE.inference = true;

/** The tensor's own state, made if there is none. */
export function metaOf(t: Tensor): Meta {
  const meta = t._ad;
  if (meta === null || meta === INFERENCE) {
    const own = new Meta();
    own.inference = meta === INFERENCE;
    t._ad = own;
    return own;
  }
  return meta;
}

declare module '../tensor/tensor.js' {
  interface AutogradMeta extends Meta {}
}
