// Copies in another order of dimensions in memory.
import { keepsFormat, orderOf } from '../../core/memory_format.js';
import type { Tensor } from '../../tensor/tensor.js';

/** A copy with the elements in the order of a format; differentiable. */
export function inFormat(t: Tensor, format: unknown): Tensor {
  if (keepsFormat(format)) return t.clone();
  const order = orderOf(t.ndim, format);
  const back = new Array<number>(order.length);
  order.forEach((d, i) => {
    back[d] = i;
  });
  return format === 'contiguousFormat'
    ? t.clone('contiguousFormat')
    : t.permute(order).clone('contiguousFormat').permute(back);
}
