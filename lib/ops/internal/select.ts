// The choice between two operands by a mask.
import { needsGrad, record } from '../../autograd/graph.js';
import { bool } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import { Tensor } from '../../tensor/tensor.js';
import { ne } from '../comparison.js';
import type { TensorOrScalar } from '../signature.js';

const WHERE = nativeOp('where');

/** A bool mask for the native row; uint8 is taken as PyTorch takes it. */
function maskOf(condition: Tensor): Tensor {
  if (condition.dtype === bool) return condition;
  if (condition.dtype.name === 'uint8') return ne(condition, 0);
  throw new RuntimeError(
    `where expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype.scalarName}`,
  );
}

/** input where condition holds, other elsewhere. */
export function select3(condition: Tensor, input: TensorOrScalar, other: TensorOrScalar): Tensor {
  const mask = maskOf(condition);
  const a = input instanceof Tensor ? input : null;
  const b = other instanceof Tensor ? other : null;
  const y = invoke(WHERE, mask, input, other);
  if (needsGrad(a, b)) {
    record('WhereBackward0', y, [a, b], [mask], (g, [m], needs) => [
      needs[0] ? select3(m!, g, 0) : null,
      needs[1] ? select3(m!, 0, g) : null,
    ]);
  }
  return y;
}
