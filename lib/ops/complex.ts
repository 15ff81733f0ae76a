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

/**
 * A view of a complex tensor as pairs of real and imaginary parts.
 * @param input complex, any shape [..]
 * @returns [.., 2] of the parts' type
 * @throws RuntimeError if input is not complex
 */
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
/**
 * A view of pairs of real numbers as complex ones: the opposite of `viewAsReal`.
 * @param input [.., 2] of float32 or float64, the pairs side by side in memory
 * @returns [..], complex
 * @throws RuntimeError if the last dimension has another size or stride, another stride is odd, or the type has no complex one
 */
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
/** A view of the real parts, of the parts' type; a real tensor is returned itself. */
export const real = fnOp(
  'real(Tensor input)',
  (input: Tensor): Tensor => (input.dtype.isComplex ? select(viewAsReal(input), -1, 0) : input),
);
/**
 * A view of the imaginary parts of a complex tensor, of the parts' type.
 * @throws RuntimeError if input is not complex
 */
export const imag = fnOp('imag(Tensor input)', (input: Tensor): Tensor => {
  if (!input.dtype.isComplex) throw new RuntimeError('imag is not implemented for tensors with non-complex dtypes.');
  return select(viewAsReal(input), -1, 1);
});
/**
 * The complex numbers real + i imag, elementwise, in memory of their own.
 * @param real float32 or float64
 * @param imag of the same type, broadcast with `real`
 * @returns the broadcast shape, complex64 or complex128
 * @throws RuntimeError if the types differ or have no complex one
 */
export const complex = op('complex(Tensor real, Tensor imag)', (re: Tensor, im: Tensor): Tensor => {
  checkParts(re, im);
  const [a, b] = re.shape.join() === im.shape.join() ? [re, im] : [re.add(zerosLike(im)), im.add(zerosLike(re))];
  return viewAsComplex(stack([a, b], -1));
});
/** Whether a tensor's conjugation is still to be computed: always false, since `conj` computes at once. */
export const isConj = op('isConj(Tensor input)', (_input: Tensor): boolean => false);
/** Whether the negative bit is set: never, since negation is computed at once. */
export const isNeg = op('isNeg(Tensor input)', (_input: Tensor): boolean => false);
