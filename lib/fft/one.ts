// Transforms along one dimension.
import { RuntimeError } from '../core/errors.js';
import { fnOp } from '../ops/define.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkPoints,
  complexToComplex,
  complexToReal,
  dimOf,
  promoted,
  realToComplex,
  resized,
  scaleOf,
} from './transform.js';

function complexTransform(input: Tensor, n: number | null, dim: number, norm: string | null, forward: boolean): Tensor {
  const d = dimOf(input, dim);
  const points = n ?? input.shape[d]!;
  checkPoints(points);
  const scale = scaleOf(norm, forward, points);
  if (input.dtype.isComplex) return complexToComplex(resized(input, d, points), [d], forward, scale);
  return realToComplex(resized(promoted(input, false), d, points), d, forward, false, scale);
}
function fromReal(
  name: string,
  input: Tensor,
  n: number | null,
  dim: number,
  norm: string | null,
  forward: boolean,
): Tensor {
  if (input.dtype.isComplex)
    throw new RuntimeError(`${name} expects a real input tensor, but got ${input.dtype.scalarName}`);
  const d = dimOf(input, dim);
  const points = n ?? input.shape[d]!;
  checkPoints(points);
  return realToComplex(resized(promoted(input, false), d, points), d, forward, true, scaleOf(norm, forward, points));
}
function toReal(input: Tensor, n: number | null, dim: number, norm: string | null, forward: boolean): Tensor {
  const d = dimOf(input, dim);
  const points = n ?? 2 * (input.shape[d]! - 1);
  checkPoints(points);
  const half = resized(promoted(input, true), d, Math.floor(points / 2) + 1);
  return complexToReal(half, d, points, forward, scaleOf(norm, forward, points));
}

const ARGS = 'Tensor input, int? n=None, int dim=-1, str? norm=None';
type Transform = (input: Tensor, n: number | null, dim: number, norm: string | null) => Tensor;
const row = (name: string, impl: Transform) => fnOp(`${name}(${ARGS})` as `x(${typeof ARGS})`, impl);

/**
 * The discrete Fourier transform along a dimension: X_k = sum over j of x_j exp(-2 pi i j k / n).
 * @param input real or complex; integers become the default float type
 * @param n points: the input is cut or followed by zeros (default null: its size)
 * @param dim the dimension (default -1)
 * @param norm 'backward' (no factor), 'ortho' (1 / sqrt(n)) or 'forward' (1 / n) (default null: 'backward')
 * @returns complex, input's shape with n places in `dim`
 * @throws RuntimeError for half types, another norm or n below 1; RangeError if the dimension is out of range
 */
export const fft = row('fft', (input, n, dim, norm) => complexTransform(input, n, dim, norm, true));
/**
 * The inverse of `fft`: sums of x_k exp(2 pi i j k / n), by default divided by n; arguments as of `fft`, whose norms
 * ('backward' divides by n, 'ortho' by sqrt(n), 'forward' not at all) undo those of `fft`.
 */
export const ifft = row('ifft', (input, n, dim, norm) => complexTransform(input, n, dim, norm, false));
/**
 * The transform of a real input: elements 0 to n / 2, of which the others are conjugates. Arguments as of `fft`.
 * @returns complex, with floor(n / 2) + 1 places in `dim`
 * @throws RuntimeError for a complex input, and as `fft`
 */
export const rfft = row('rfft', (input, n, dim, norm) => fromReal('rfft', input, n, dim, norm, true));
/**
 * The inverse of `rfft`, of elements 0 to n / 2; other arguments as of `ifft`.
 * @param n points of the output (default null: 2 (size - 1))
 * @returns real, with n places in `dim`
 * @throws RuntimeError and RangeError as `fft`
 */
export const irfft = row('irfft', (input, n, dim, norm) => toReal(input, n, dim, norm, false));
/**
 * The transform of an input with conjugate symmetry, given by its elements 0 to n / 2; other arguments as of `fft`.
 * @param n points of the output (default null: 2 (size - 1))
 * @returns real, with n places in `dim`
 * @throws RuntimeError and RangeError as `fft`
 */
export const hfft = row('hfft', (input, n, dim, norm) => toReal(input, n, dim, norm, true));
/**
 * The inverse of `hfft`, of a real input; arguments as of `ifft`.
 * @returns complex, with floor(n / 2) + 1 places in `dim`
 * @throws RuntimeError for a complex input, and as `fft`
 */
export const ihfft = row('ihfft', (input, n, dim, norm) => fromReal('ihfft', input, n, dim, norm, false));
