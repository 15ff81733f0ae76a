// The gradients that wait at nodes: who owns them, how they are summed, and what they must look like.
import { dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { addon, FIRST, scratch } from '../native/addon.js';
import { release } from '../tensor/memory.js';
import { alive, SCOPED, type Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import type { Node } from './node.js';

/** @internal Adds a node to a heap that has the youngest node at its top. */
export function push(heap: Node[], node: Node): void {
  let i = heap.length;
  heap.push(node);
  while (i > 0) {
    const up = (i - 1) >> 1;
    const parent = heap[up]!;
    if (parent.seq >= node.seq) break;
    heap[i] = parent;
    i = up;
  }
  heap[i] = node;
}

/** @internal Takes the youngest node. */
export function pop(heap: Node[]): Node {
  const top = heap[0]!;
  const last = heap.pop()!;
  const n = heap.length;
  if (n === 0) return top;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && heap[child + 1]!.seq > heap[child]!.seq) child++;
    if (heap[child]!.seq <= last.seq) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = last;
  return top;
}

/** @internal Counts one more gradient buffer that holds `g`, if the library alone knows `g`. */
export function hold(g: Tensor): void {
  if (g._own === SCOPED) g._own = 1;
  else if (g._own > 0) g._own++;
}

/** @internal The opposite: the last buffer frees it. */
export function drop(g: Tensor): void {
  if (g._own > 0 && --g._own === 0) release(g);
}

/** @internal Lets go of the gradients that the node was given. */
export function dropBuffer(node: Node): void {
  if (node.grad !== null) drop(node.grad);
  node.grad = null;
  const grads = node.grads;
  if (grads === null) return;
  for (let i = 0; i < grads.length; i++) if (grads[i] !== null) drop(grads[i]!);
  node.grads = null;
}

/** @internal The sum of the gradient in a buffer and another, in place where the buffer alone owns a dense one. */
export function sum(createGraph: boolean, old: Tensor, g: Tensor): Tensor {
  if (!createGraph && old._own === 1 && ownsMemory(old)) {
    arithmetic.addInPlace(old, g);
    return old;
  }
  const total = arithmetic.add(old, g);
  hold(total);
  drop(old);
  return total;
}

/** Whether no other tensor shares the memory, and no element is there twice. */
function ownsMemory(t: Tensor): boolean {
  addon.describe(alive(t));
  const n = scratch[FIRST + 7]!;
  return (
    scratch[FIRST + 8 + 2 * n] === 1 && scratch[FIRST + 5] === scratch[FIRST + 3]! * dtypes[scratch[FIRST]!]!.itemsize
  );
}

/** Whether the sizes are `shape`; the type is left in `_dtype`. Reads the tensor in one crossing. */
function hasShape(g: Tensor, shape: readonly number[]): boolean {
  const known = g._shape;
  if (known !== undefined && g._dtype !== undefined) {
    if (known === shape) return true;
    if (known.length !== shape.length) return false;
    for (let i = 0; i < shape.length; i++) if (known[i] !== shape[i]) return false;
    return true;
  }
  addon.describe(alive(g));
  const s = scratch;
  g._dtype = dtypes[s[FIRST]!]!;
  if (s[FIRST + 7] !== shape.length) return false;
  for (let i = 0; i < shape.length; i++) if (s[FIRST + 8 + i] !== shape[i]) return false;
  g._shape = shape;
  return true;
}

/** @internal The gradient with the sizes and type of the tensor that it belongs to. */
export function validate(g: Tensor, next: Node, nr: number, from: Node | null, index: number): Tensor {
  const shape = next.many ? next.extra!.shapes[nr]! : next.shape;
  const dtype = next.many ? next.extra!.dtypes[nr]! : next.dtype;
  let valid = g;
  if (!hasShape(g, shape)) {
    const wanted = `[${shape.join(', ')}]`;
    if (!broadcastsTo(shape, g.shape)) {
      throw new RuntimeError(
        `Function ${from?.name() ?? 'GraphRoot'} returned an invalid gradient at index ${index} - got ` +
          `[${g.shape.join(', ')}] but expected shape compatible with ${wanted}`,
      );
    }
    valid = arithmetic.sumTo(g, shape);
  }
  if (valid.dtype !== dtype) valid = arithmetic.cast(valid, dtype);
  return valid;
}

function broadcastsTo(from: readonly number[], to: readonly number[]): boolean {
  if (from.length > to.length) return false;
  const skip = to.length - from.length;
  return from.every((size, i) => size === 1 || size === to[skip + i]);
}
