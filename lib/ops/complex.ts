// Complex tensors: their parts, and views as pairs of real numbers.
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke1 } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { zerosLike } from './creation.js';
import { fnOp, op } from './define.js';
import { stack } from './join.js';
import { select } from './view.js';
import { asView } from './internal/view.js';
import { checkParts } from './internal/complex.js';

const VIEW_AS_REAL = nativeOp('view_as_real');
const VIEW_AS_COMPLEX = nativeOp('view_as_complex');

/** A view of a complex tensor as pairs: [..] to [.., 2]. */
export const viewAsReal = op(
  'viewAsReal(Tensor input)',
  (input: Tensor): Tensor =>
    asView(
      'ViewAsRealBackward0',
      invoke1(VIEW_AS_REAL, input),
      input,
      (t) => viewAsReal(t),
      (g): Tensor => viewAsComplex(g.contiguous()),
    ),
);
/** A view of pairs as complex numbers: [.., 2] to [..]. */
export const viewAsComplex = op(
  'viewAsComplex(Tensor input)',
  (input: Tensor): Tensor =>
    asView(
      'ViewAsComplexBackward0',
      invoke1(VIEW_AS_COMPLEX, input),
      input,
      (t) => viewAsComplex(t),
      (g): Tensor => viewAsReal(g),
    ),
);
/** A view of the real parts; a real tensor itself. */
export const real = fnOp(
  'real(Tensor input)',
  (input: Tensor): Tensor => (input.dtype.isComplex ? select(viewAsReal(input), -1, 0) : input),
);
/** A view of the imaginary parts. */
export const imag = fnOp('imag(Tensor input)', (input: Tensor): Tensor => {
  if (!input.dtype.isComplex) throw new RuntimeError('imag is not implemented for tensors with non-complex dtypes.');
  return select(viewAsReal(input), -1, 1);
});
/** A complex tensor from its parts, which must have one type. */
export const complex = op('complex(Tensor real, Tensor imag)', (re: Tensor, im: Tensor): Tensor => {
  checkParts(re, im);
  const [a, b] = re.shape.join() === im.shape.join() ? [re, im] : [re.add(zerosLike(im)), im.add(zerosLike(re))];
  return viewAsComplex(stack([a, b], -1));
});
/** Whether conjugation is pending; it never is. */
export const isConj = op('isConj(Tensor input)', (_input: Tensor): boolean => false);
/** Whether the negative bit is set: never, since negation is computed at once. */
export const isNeg = op('isNeg(Tensor input)', (_input: Tensor): boolean => false);
