// Checks of the parts of complex numbers.
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Refuses parts that are not floating-point tensors of one type. */
export function checkParts(re: Tensor, im: Tensor): void {
  if (!re.dtype.isFloatingPoint || !im.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `Expected both inputs to be Half, Float or Double tensors but got ${re.dtype.scalarName} and ${im.dtype.scalarName}`,
    );
  }
  if (re.dtype !== im.dtype) {
    throw new RuntimeError(
      `Expected object of scalar type ${re.dtype.scalarName} but got scalar type ${im.dtype.scalarName} for second argument`,
    );
  }
}
