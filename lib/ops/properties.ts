// The properties of Tensor that are views.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { imag, real, viewAsReal } from './complex.js';
import { conj } from './unary.js';
import { permute, transpose } from './view.js';

function matrices(name: string, t: Tensor): Tensor {
  if (t.ndim === 1)
    throw new RuntimeError(`tensor.${name} is only supported on matrices or batches of matrices. Got 1-D tensor.`);
  return t.ndim === 0 ? t : transpose(t, -2, -1);
}
function reversedDims(t: Tensor): Tensor {
  return t.ndim === 2
    ? transpose(t, 0, 1)
    : t.ndim < 2
      ? t
      : permute(
          t,
          t.shape.map((_, d) => t.ndim - 1 - d),
        );
}

const getters: Record<string, (t: Tensor) => Tensor> = {
  T: reversedDims,
  mT: (t) => matrices('mT', t),
  H(t) {
    if (t.ndim !== 2 && t.ndim !== 0)
      throw new RuntimeError(`tensor.H is only supported on matrices (2-D tensors). Got ${t.ndim}-D tensor.`);
    return conj(reversedDims(t));
  },
  mH: (t) => conj(matrices('mH', t)),
  real: (t) => real(t),
  imag: (t) => imag(t),
};
const setters: Record<string, (t: Tensor, value: Tensor) => void> = {
  real: (t, value) => void (t.dtype.isComplex ? viewAsReal(t).select(-1, 0) : t).copy_(value),
  imag: (t, value) => void imag(t).copy_(value),
};

for (const [name, get] of Object.entries(getters)) {
  const set = setters[name];
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    get(this: Tensor) {
      return get(this);
    },
    ...(set && {
      set(this: Tensor, value: Tensor) {
        set(this, value);
      },
    }),
  });
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** A view with all dimensions reversed; the tensor itself if it has fewer than two. */
    readonly T: Tensor;
    /** A view with the last two dimensions swapped, a 0-d tensor itself. @throws RuntimeError for a vector */
    readonly mT: Tensor;
    /** The conjugate transpose of a matrix: a view if it is real. @throws RuntimeError unless it has two dimensions, or none */
    readonly H: Tensor;
    /** The conjugate transposes of matrices [.., n, m]: a view if they are real. @throws RuntimeError for a vector */
    readonly mH: Tensor;
    /** The real parts: a view of a complex tensor, a real tensor itself. What is assigned is copied into it. */
    real: Tensor;
    /** The imaginary parts of a complex tensor, as a view, which assigning copies into. @throws RuntimeError for a real one */
    imag: Tensor;
  }
}
