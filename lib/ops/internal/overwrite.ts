// In-place forms of ops that have no kernel for it.
import { needsGrad } from '../../autograd/graph.js';
import { checkInPlace } from '../../autograd/view.js';
import { RuntimeError } from '../../core/errors.js';
import { Tensor } from '../../tensor/tensor.js';
import { canCast } from '../convert.js';
import type { TensorOrScalar } from '../signature.js';

/**
 * Writes the result of an op over its first operand, which backward sees as it was.
 * @param compute the op as a function of that operand.
 * @param operands the others.
 * @throws RuntimeError if the result has other sizes or a type that the tensor's cannot hold.
 */
export function overwrite(self: Tensor, compute: (self: Tensor) => Tensor, ...operands: TensorOrScalar[]): Tensor {
  const recorded = needsGrad(self, ...operands.filter((v) => v instanceof Tensor));
  checkInPlace(self, recorded);
  const result = compute(recorded ? self.clone() : self);
  if (result.shape.join() !== self.shape.join()) {
    throw new RuntimeError(
      `output with shape [${self.shape.join(', ')}] doesn't match the broadcast shape [${result.shape.join(', ')}]`,
    );
  }
  if (!canCast.impl(result.dtype, self.dtype)) {
    throw new RuntimeError(
      `result type ${result.dtype.name} can't be cast to the desired output type ${self.dtype.name}`,
    );
  }
  return self.copy_(result);
}
