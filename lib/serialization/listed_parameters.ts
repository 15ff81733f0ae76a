// Scales and zero points of the oldest quantized files: lists of numbers where later ones have tensors.
import { RuntimeError } from '../core/errors.js';
import type { TensorBuilder } from './tensor_builder.js';
import { torchTypes } from './torch_types.js';

/** float64 scales and int64 zero points, or float32 both where zero points are floats. */
export function listedParameters(
  builder: TensorBuilder,
  values: readonly unknown[],
  scheme: string,
  scales: boolean,
): object {
  if (!values.every((v) => typeof v === 'number')) {
    throw new RuntimeError('a quantized tensor in the pickle has malformed parameters');
  }
  const numbers = values as readonly number[];
  const type = scheme !== 'per_channel_affine' ? 'float32' : scales ? 'float64' : 'int64';
  if (type === 'int64' && !numbers.every(Number.isSafeInteger)) {
    throw new RuntimeError('a quantized tensor in the pickle has a zero point that is no integer');
  }
  const { buffer } =
    type === 'float32'
      ? Float32Array.from(numbers)
      : type === 'float64'
        ? Float64Array.from(numbers)
        : BigInt64Array.from(numbers, BigInt);
  return builder.array(torchTypes.get(type)!, [numbers.length], new Uint8Array(buffer), false);
}
