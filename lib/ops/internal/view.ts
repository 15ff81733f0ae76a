// Views without argument checks, which other ops are made of.
import { needsGrad, record } from '../../autograd/graph.js';
import { recordView } from '../../autograd/view.js';
import { nativeOp } from '../../native/addon.js';
import { invoke, invokeNumbers } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';

const VIEW = nativeOp('view');
const CAN_VIEW = nativeOp('can_view');
const TRANSPOSE = nativeOp('transpose');
const SLICE = nativeOp('slice');
const ZEROS = nativeOp('zeros');

/** Notes a view and its gradient. `replay` applies the view to another tensor of the input's geometry. */
export function asView(
  name: string,
  out: Tensor,
  input: Tensor,
  replay: (t: Tensor) => Tensor,
  backward: (g: Tensor) => Tensor,
): Tensor {
  if (needsGrad(input)) record(name, out, [input], [], (g) => [backward(g)]);
  recordView(out, input, replay);
  return out;
}

/** Zeros of a view's input, on which `place` (the view again) receives the gradient. */
export function placed(g: Tensor, shape: readonly number[], place: (t: Tensor) => Tensor): Tensor {
  const whole = invoke(ZEROS, shape, g.dtype, g);
  place(whole).copy_(g);
  return whole;
}

/** A view with other sizes; the layout must allow it. */
export function viewSizes(input: Tensor, shape: readonly number[]): Tensor {
  const from = input.shape;
  return asView(
    'ViewBackward0',
    invoke(VIEW, input, shape),
    input,
    (t) => viewSizes(t, shape),
    (g) => reshaped(g, from),
  );
}
/** The elements with other sizes: a view if the layout allows it, else a copy. */
export function reshaped(input: Tensor, shape: readonly number[]): Tensor {
  return viewSizes(invokeNumbers(CAN_VIEW, input, shape)[0] === 1 ? input : input.contiguous(), shape);
}

/** A view with two dimensions swapped. */
export function transposed(input: Tensor, dim0: number, dim1: number): Tensor {
  return asView(
    'TransposeBackward0',
    invoke(TRANSPOSE, input, dim0, dim1),
    input,
    (t) => transposed(t, dim0, dim1),
    (g) => transposed(g, dim0, dim1),
  );
}
/** The transpose of a matrix. */
export function t2(input: Tensor): Tensor {
  return asView('TBackward0', invoke(TRANSPOSE, input, 0, 1), input, t2, t2);
}

/** A view of places start, start + step, ... before stop along a dimension. */
export function sliceDim(input: Tensor, dim: number, start: number | null, stop: number | null, step: number): Tensor {
  const shape = input.shape;
  return asView(
    'SliceBackward0',
    invoke(SLICE, input, dim, start, stop, step),
    input,
    (x) => sliceDim(x, dim, start, stop, step),
    (g) => placed(g, shape, (whole) => sliceDim(whole, dim, start, stop, step)),
  );
}
