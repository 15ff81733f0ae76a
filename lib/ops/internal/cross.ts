// The cross product.
import { RuntimeError } from '../../core/errors.js';
import { type Tensor, wrapDim } from '../../tensor/tensor.js';
import { mul, sub } from '../arithmetic.js';
import { roll } from '../join.js';
import { broadcastTensors } from '../join_grid.js';

/** a x b along a dimension of size 3, the other dimensions broadcast. */
export function crossProduct(a: Tensor, b: Tensor, dim: number): Tensor {
  if (a.ndim !== b.ndim) throw new RuntimeError('linalg.cross: inputs must have the same number of dimensions.');
  const d = wrapDim(dim, a.ndim);
  if (a.shape[d] !== 3 || b.shape[d] !== 3) {
    throw new RuntimeError(
      `linalg.cross: inputs dimension ${dim} must have length 3. Got ${a.shape[d] ?? 1} and ${b.shape[d] ?? 1}`,
    );
  }
  const [x, y] = broadcastTensors(a, b) as [Tensor, Tensor];
  // (a x b)_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1}, places taken modulo 3.
  const at = (t: Tensor, k: number): Tensor => roll.impl(t, [-k], [d]);
  return sub.impl(mul.impl(at(x, 1), at(y, 2)), mul.impl(at(x, 2), at(y, 1)), 1);
}
