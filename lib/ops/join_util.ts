// What the joining ops share.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { unsqueeze } from './view.js';
import { reshaped } from './internal/view.js';

/** A tensor with at least n dimensions, as atleast1d to atleast3d define it. */
export function atLeast(t: Tensor, n: 1 | 2 | 3): Tensor {
  const missing = n - t.ndim;
  if (missing <= 0) return t;
  if (t.ndim === 0) return reshaped(t, new Array<number>(n).fill(1));
  if (n === 2) return unsqueeze(t, 0);
  return t.ndim === 1 ? unsqueeze(unsqueeze(t, 0), -1) : unsqueeze(t, -1);
}

/** The shape that shapes broadcast to. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  for (const shape of shapes) {
    shape.forEach((n, i) => {
      const d = ndim - shape.length + i;
      if (n === 1 || n === out[d]) return;
      if (out[d] !== 1) {
        throw new RuntimeError(
          `The size of tensor a (${out[d]}) must match the size of tensor b (${n}) at non-singleton dimension ${d}`,
        );
      }
      out[d] = n;
    });
  }
  return out;
}

/**
 * The tensors of a call that takes them one by one or as a list.
 * @throws TypeError for anything else.
 */
export function tensorList(name: string, args: readonly unknown[]): Tensor[] {
  const list: readonly unknown[] = args.length === 1 && Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  return list.map((t, i) => {
    if (!(t instanceof Tensor))
      throw new TypeError(`${name}(): expected tensors, but argument ${i} is ${t === null ? 'null' : typeof t}`);
    return t;
  });
}
