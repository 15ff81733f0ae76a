// Dropout's draw, for the function of torch and for that of nn.functional: they scale a little differently.
import { needsGrad, record } from '../../autograd/graph.js';
import { bfloat16, complex128, float16, float64 } from '../../core/dtype.js';
import { nativeOp } from '../../native/addon.js';
import { invoke, invokeMany } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { mul } from '../arithmetic.js';

const DROPOUT = nativeOp('dropout');
const FULL = nativeOp('full');

/** x * mask * scale with the mask, drawn from the default generator; `name` is what the operation is called in the graph. */
export function drawDropout(input: Tensor, p: number, scale: number, name: string): [y: Tensor, mask: Tensor] {
  const [y, mask] = invokeMany(DROPOUT, null, input, 1 - p, scale) as [Tensor, Tensor];
  if (needsGrad(input)) {
    const wide = input.dtype !== float16 && input.dtype !== bfloat16;
    // The same factor as in forward, which is of the input's type.
    const factor = wide ? scale : Number(invoke(FULL, [], scale, input.dtype).item());
    record(name, y, [input], [mask], (g, [m]) => [mul(mul(g, m), factor)]);
  }
  return [y, mask];
}

/** x * (mask / (1 - p)) with a mask of x's type: the division is one of that type. */
export function dropped(input: Tensor, p: number): Tensor {
  const keep = input.dtype === float64 || input.dtype === complex128 ? 1 - p : Math.fround(1 - p);
  return drawDropout(input, p, 1 / keep, 'MulBackward0')[0];
}
