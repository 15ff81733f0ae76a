// What the masked operations share: the mask brought to the input's sizes, and the values that stand for what it hides.
import { bool, type DType, float32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { expand } from '../ops/view.js';
import type { Scalar } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { cast } from '../ops/internal/cast.js';
import { select3 as where } from '../ops/internal/select.js';

/** The mask as bool, expanded to the sizes of the input. */
export function inputMask(input: Tensor, mask: Tensor): Tensor {
  if (mask.ndim > input.ndim) {
    throw new RangeError('_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)');
  }
  return cast(expand.impl(mask, input.shape), bool);
}

/** The dimensions, counted from the front and in order; all if none are given. */
export function reducedDims(input: Tensor, dim: readonly number[] | null): number[] {
  if (dim === null) return input.shape.map((_, d) => d);
  const dims = dim.map((d) => wrapDim(d, input.ndim));
  dims.forEach((d, i) => {
    if (dims.indexOf(d) !== i) throw new RuntimeError(`dim=${d} appears multiple times in the list of dims`);
  });
  return dims.sort((a, b) => a - b);
}

/** Which value leaves a reduction as it is: nothing added, nothing multiplied, below or above everything. */
export type Neutral = 'zero' | 'one' | 'lowest' | 'highest' | 'nan';

function neutralValue(op: string, neutral: Neutral, dtype: DType): Scalar {
  if (neutral === 'zero') return 0;
  if (neutral === 'one') return 1;
  if (neutral === 'nan') return NaN;
  if (dtype.isFloatingPoint) return neutral === 'lowest' ? -Infinity : Infinity;
  if (dtype.isComplex && op === 'logsumexp') return { re: -Infinity, im: 0 };
  if (dtype === bool || dtype.isComplex) throw new RuntimeError(`identity of ${op} on ${String(dtype)} input`);
  const bits = BigInt(8 * dtype.itemsize);
  if (!dtype.isSigned) return neutral === 'lowest' ? 0n : (1n << bits) - 1n;
  return neutral === 'lowest' ? -(1n << (bits - 1n)) : (1n << (bits - 1n)) - 1n;
}

/** The input with everything that the mask hides replaced by the neutral value. */
export function hidden(op: string, input: Tensor, mask: Tensor | null, neutral: Neutral): Tensor {
  if (mask === null) return input;
  const dtype = neutral === 'nan' && !input.dtype.isFloatingPoint ? float32 : input.dtype;
  const x = cast(input, dtype);
  return cast(where(inputMask(input, mask), x, neutralValue(op, neutral, dtype)), dtype);
}
