// What reductions and their gradients share.
import { type DType, int64 } from '../../core/dtype.js';
import { type Tensor, wrapDim } from '../../tensor/tensor.js';
import { sum } from '../reduce.js';
import { expand } from '../view.js';
import { reshaped } from './view.js';

/** The dimensions to reduce; null is all. */
export type Dims = readonly number[] | null;

/** The shape with reduced dimensions at size one. */
function keptShape(shape: readonly number[], dim: Dims): number[] {
  if (dim === null || dim.length === 0) return shape.map(() => 1);
  const reduced = new Set(dim.map((d) => wrapDim(d, shape.length)));
  return shape.map((n, d) => (reduced.has(d) ? 1 : n));
}
/** A reduced value or gradient spread over the shape it was reduced from. */
export function spreadOver(g: Tensor, shape: readonly number[], dim: Dims): Tensor {
  return expand(reshaped(g, keptShape(shape, dim)), shape);
}
/** The type that integers are summed in. */
export function sumType(input: Tensor, dtype: DType | null): DType {
  return dtype ?? (input.dtype.isFloatingPoint || input.dtype.isComplex ? input.dtype : int64);
}

/** Sums over broadcast dimensions until the sizes are `shape`. */
export function sumTo(t: Tensor, shape: readonly number[]): Tensor {
  const from = t.shape;
  const lead = from.length - shape.length;
  const dims: number[] = [];
  for (let d = 0; d < from.length; d++) if (d < lead || (shape[d - lead] === 1 && from[d] !== 1)) dims.push(d);
  if (dims.length === 0) return t;
  return reshaped(sum(t, dims, true), shape);
}
/** The gradient of picking one place along a dimension. */
export function putBack(g: Tensor, at: Tensor, shape: readonly number[], dim: number, keepdim: boolean): Tensor {
  if (shape.length === 0) return g;
  const [value, index] = keepdim ? [g, at] : [g.unsqueeze(dim), at.unsqueeze(dim)];
  return g.newZeros(shape).scatter_(dim, index, value);
}
