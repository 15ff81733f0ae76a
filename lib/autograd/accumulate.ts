// The end of the graph: adding a gradient to a leaf's `.grad`.
import { addon, FIRST, scratch } from '../native/addon.js';
import { keep, keepTensor, release } from '../tensor/memory.js';
import { alive, type Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import type { Meta } from './meta.js';
import type { AccumulateGrad } from './node.js';

/** Whether the leaf lies row-major in memory; remembered until its memory or its sizes change. */
function isRowMajor(node: AccumulateGrad, leaf: Tensor): boolean {
  if (node.rowMajorHandle === leaf._h && node.rowMajorShape === leaf._shape) return true;
  if (!leaf.isContiguous()) return false;
  node.rowMajorHandle = leaf._h;
  node.rowMajorShape = leaf._shape ?? null;
  return true;
}

/** Whether the gradient alone uses its memory and lies there as the leaf does. */
function canTakeOver(node: AccumulateGrad, leaf: Tensor, g: Tensor): boolean {
  const rowMajor = isRowMajor(node, leaf);
  const strides = rowMajor ? null : leaf.stride();
  addon.describe(alive(g));
  const s = scratch;
  const n = s[FIRST + 7]!;
  const sizeAt = FIRST + 8;
  const strideAt = sizeAt + n;
  if (s[strideAt + n] !== 1) return false;
  let expected = 1;
  for (let d = n - 1; d >= 0; d--) {
    const size = s[sizeAt + d]!;
    if (size !== 1 && s[strideAt + d] !== (strides === null ? expected : strides[d])) return false;
    expected *= size;
  }
  // A leaf with gaps (or that overlaps itself) gets a gradient without.
  return strides === null || s[FIRST + 5] === s[FIRST + 3]! * leaf.dtype.itemsize;
}

/**
 * @internal Adds `g` to the `.grad` of the node's leaf, or makes it the `.grad` if there is none: `g` itself where
 * backward alone owns it (its `_own` is 1), a copy otherwise. With `createGraph`, sums are recorded.
 * @returns whether `g` was taken over.
 */
export function accumulate(node: AccumulateGrad, g: Tensor, createGraph: boolean): boolean {
  const leaf = node.variable;
  const meta = leaf._ad as Meta;
  alive(leaf); // dispose() takes `_ad` away
  if (!meta.requiresGrad) return false;
  const old = meta.grad;
  if (old !== null) {
    if (!createGraph) arithmetic.addInPlace(old, g);
    else setGrad(meta, arithmetic.add(old, g), true);
    return false;
  }
  if (!createGraph && g._own === 1 && canTakeOver(node, leaf, g)) {
    g._ad = null;
    setGrad(meta, g, false);
    return true;
  }
  setGrad(meta, arithmetic.cloneLike(g, leaf), createGraph);
  return false;
}

/** Stores a gradient: from now on the garbage collector looks after it. `seen`: others may refer to it too. */
function setGrad(meta: Meta, g: Tensor, seen: boolean): void {
  keep(g);
  keepTensor(g);
  meta.grad = g;
  meta.gradSeen = seen;
}

/**
 * @internal Sets `.grad` to null, and frees its memory at once if user code never asked for it. For optimizers, which
 * drop gradients at every step.
 */
export function dropGrad(t: Tensor): void {
  const meta = t._ad;
  if (meta === null || meta.grad === null) return;
  const g = meta.grad;
  meta.grad = null;
  if (!meta.gradSeen) release(g);
}

/** @internal The `.grad` for library code that lets no user code see it. */
export function peekGrad(t: Tensor): Tensor | null {
  return t._ad === null ? null : t._ad.grad;
}
