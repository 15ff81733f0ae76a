// The recorded primitives behind `index` and `indexPut`: reading and writing at combined positions.
import { needsGrad, record } from '../autograd/graph.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { change } from './index_change.js';
import { sum } from './reduce.js';

const INDEX = nativeOp('index');
const INDEX_PUT_ = nativeOp('index_put_');
const ZEROS = nativeOp('zeros');

/**
 * The elements at combined positions.
 * @param dims the indexed dimensions, ascending.
 * @param at an index tensor for each, broadcast together. Neighbouring dimensions are replaced by the dimensions of the
 *   index; otherwise those come first.
 */
export function indexAt(x: Tensor, dims: readonly number[], at: readonly Tensor[]): Tensor {
  const y = invoke(INDEX, x, dims, at);
  if (needsGrad(x)) {
    const shape = x.shape;
    record('IndexBackward0', y, [x], at, (g, saved: readonly Tensor[]) => [spreadAt(g, shape, dims, saved)]);
  }
  return y;
}

/** Zeros of a shape to which values are added at positions. */
export function spreadAt(
  values: Tensor,
  shape: readonly number[],
  dims: readonly number[],
  at: readonly Tensor[],
): Tensor {
  const whole = invoke(ZEROS, shape, values.dtype, values);
  if (!needsGrad(values)) {
    invokeVoid(INDEX_PUT_, whole, dims, at, values, true);
    return whole;
  }
  return putAt(whole, false, dims, at, values, true);
}

/** Writes values (broadcast, converted) to combined positions, or adds them; in place or on a copy. */
export function putAt(
  self: Tensor,
  inPlace: boolean,
  dims: readonly number[],
  at: readonly Tensor[],
  values: Tensor,
  accumulate: boolean,
): Tensor {
  const shape = values.shape;
  return change(
    'IndexPutBackward0',
    self,
    inPlace,
    [values],
    at,
    (target) => invokeVoid(INDEX_PUT_, target, dims, at, values, accumulate),
    (g, saved: readonly Tensor[], needs) => [
      !needs[0] ? null : accumulate ? g : putAt(g, false, dims, saved, invoke(ZEROS, [], g.dtype, g), false),
      needs[1] ? trimmed(indexAt(g, dims, saved), shape) : null,
    ],
  );
}

/** The gradient of values that may have had more leading dimensions (of size one) than the positions. */
function trimmed(g: Tensor, shape: readonly number[]): Tensor {
  if (shape.length <= g.ndim) return g;
  const n = shape.reduce((a, b) => a * b, 1);
  if (g.numel() === n) return g.reshape(shape);
  return sum.impl(g, null, false, null).reshape(shape);
}
