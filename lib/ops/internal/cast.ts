// Conversion between types inside other ops.
import { needsGrad, record } from '../../autograd/graph.js';
import { type DType, dtypes, getDefaultDtype } from '../../core/dtype.js';
import { nativeOp } from '../../native/addon.js';
import { invoke, invokeNumbers, type Scalar } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';

const TO_DTYPE = nativeOp('to_dtype');
const RESULT_TYPE = nativeOp('result_type');

/** `input` itself, or converted to `dtype`. */
export function cast(input: Tensor, dtype: DType): Tensor {
  return input.dtype === dtype ? input : converted(input, dtype);
}
/** A copy of `input` in another type. */
export function converted(input: Tensor, dtype: DType): Tensor {
  const y = invoke(TO_DTYPE, input, dtype);
  const source = input.dtype;
  if ((dtype.isFloatingPoint || dtype.isComplex) && needsGrad(input)) {
    record('ToCopyBackward0', y, [input], [], (g) => [cast(g, source)]);
  }
  return y;
}
/** `input` with integers in the default type: what adding a float does, be it a whole number. */
export function floating(input: Tensor): Tensor {
  return input.dtype.isFloatingPoint || input.dtype.isComplex ? input : cast(input, getDefaultDtype());
}
/** The type that a tensor and numbers promote to. */
export function promotedType(input: Tensor, ...numbers: (Scalar | null)[]): DType {
  const given = numbers.filter((n): n is Scalar => n !== null);
  return dtypes[invokeNumbers(RESULT_TYPE, input, ...given)[0]!]!;
}
/** `input` in the type that it and these numbers promote to. */
export function promoted(input: Tensor, ...numbers: (Scalar | null)[]): Tensor {
  return cast(input, promotedType(input, ...numbers));
}
