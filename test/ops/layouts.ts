// Memory layouts in which a tensor may come: each gives the same elements from another place.
import torch, { type Tensor } from 'flambeau';

/** The whole memory that a view made here lies in, as one dimension. */
const rooms = new WeakMap<Tensor, Tensor>();
export function roomOf(view: Tensor): Tensor {
  return rooms.get(view)!;
}
function within(room: Tensor, view: Tensor): Tensor {
  rooms.set(view, room.asStrided([room.numel()], [1], 0));
  return view;
}

export type Layout = readonly [name: string, make: (t: Tensor) => Tensor];

/** On memory that begins in the middle of a storage. */
export function offset(t: Tensor): Tensor {
  const room = torch.zeros([t.numel() + 3], { dtype: t.dtype });
  const view = room.narrow(0, 3, t.numel()).view(...t.shape);
  view.copy_(t);
  return within(room, view);
}
/** Every second place of the last dimension of something larger. */
export function strided(t: Tensor): Tensor {
  if (t.ndim === 0) return offset(t);
  const shape = [...t.shape];
  const last = shape.length - 1;
  shape[last] = 2 * shape[last]! + 1;
  const room = torch.zeros(shape, { dtype: t.dtype });
  const view = room.unfold(last, 1, 2).squeeze(-1).narrow(last, 0, t.shape[last]!);
  view.copy_(t);
  return within(room, view);
}
/** With the dimensions in memory from last to first. */
export function columnMajor(t: Tensor): Tensor {
  if (t.ndim < 2) return offset(t);
  const back = t.shape.map((_, d) => t.ndim - 1 - d);
  const room = t.permute(...back).clone({ memoryFormat: 'contiguousFormat' });
  return within(room, room.permute(...back));
}

export const LAYOUTS: readonly Layout[] = [
  ['an offset', offset],
  ['gaps', strided],
  ['column-major memory', columnMajor],
];
