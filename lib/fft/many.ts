// Transforms along several dimensions.
import { RuntimeError } from '../core/errors.js';
import { clone } from '../ops/convert.js';
import { fnOp } from '../ops/define.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkPoints,
  complexToComplex,
  complexToReal,
  dimsOf,
  product,
  promoted,
  realToComplex,
  resized,
  scaleOf,
} from './transform.js';

type Sizes = readonly number[] | null;

function resizedTo(x: Tensor, dims: readonly number[], sizes: readonly number[]): Tensor {
  sizes.forEach(checkPoints);
  return dims.reduce((t, d, i) => resized(t, d, sizes[i]!), x);
}
function complexTransform(input: Tensor, s: Sizes, dim: Sizes, norm: string | null, forward: boolean): Tensor {
  const { dims, sizes } = dimsOf(input, s, dim);
  const x = resizedTo(promoted(input, true), dims, sizes);
  const scale = scaleOf(norm, forward, product(sizes));
  return dims.length === 0 ? clone.impl(x, null) : complexToComplex(x, dims, forward, scale);
}
function checkAxes(name: string, dims: readonly number[]): void {
  if (dims.length === 0) throw new RuntimeError(`${name} must transform at least one axis`);
}
/** Real to complex along the last of the dimensions, then complex along the others. */
function fromReal(name: string, input: Tensor, s: Sizes, dim: Sizes, norm: string | null, forward: boolean): Tensor {
  if (input.dtype.isComplex)
    throw new RuntimeError(`${name} expects a real-valued input tensor, but got ${input.dtype.scalarName}`);
  const { dims, sizes } = dimsOf(input, s, dim);
  checkAxes(name, dims);
  const x = resizedTo(promoted(input, false), dims, sizes);
  const scale = scaleOf(norm, forward, product(sizes));
  const half = realToComplex(x, dims[dims.length - 1]!, forward, true, scale);
  return dims.length === 1 ? half : complexToComplex(half, dims.slice(0, -1), forward, 1);
}
/** Complex along all but the last of the dimensions, then complex to real. */
function toReal(name: string, input: Tensor, s: Sizes, dim: Sizes, norm: string | null, forward: boolean): Tensor {
  const { dims, sizes } = dimsOf(input, s, dim);
  checkAxes(name, dims);
  const last = dims.length - 1;
  const d = dims[last]!;
  // Without a size the output's is that of an even number of points.
  const points = s === null || s[last] === -1 ? 2 * (input.shape[d]! - 1) : s[last]!;
  checkPoints(points);
  const x = resizedTo(promoted(input, true), dims, [...sizes.slice(0, -1), Math.floor(points / 2) + 1]);
  const scale = scaleOf(norm, forward, product([...sizes.slice(0, -1), points]));
  const half = dims.length === 1 ? x : complexToComplex(x, dims.slice(0, -1), forward, 1);
  return complexToReal(half, d, points, forward, scale);
}

const ARGS = 'Tensor input, int[]? s=None, int[]? dim=None, str? norm=None';
const ARGS2 = 'Tensor input, int[]? s=None, int[] dim=[], str? norm=None';
type Transform = (input: Tensor, s: Sizes, dim: Sizes, norm: string | null) => Tensor;
const rowN = (name: string, impl: Transform) => fnOp(`${name}(${ARGS})` as `x(${typeof ARGS})`, impl);
/** The same over two dimensions, by default the last ones. */
const row2 = (name: string, impl: Transform) =>
  fnOp(
    `${name}(${ARGS2})` as `x(${typeof ARGS2})`,
    (input: Tensor, s: Sizes, dim: readonly number[], norm: string | null): Tensor =>
      impl(input, s, dim.length === 0 ? [-2, -1] : dim, norm),
  );

/**
 * The Fourier transform along dimensions.
 * @param s points along each: the input is cut or followed by zeros; -1 keeps a size.
 * @param dim all dimensions by default, or the last s.length.
 * @param norm 'backward' (default: no factor), 'ortho' (1 / sqrt(n)) or 'forward' (1 / n), n the product of the sizes.
 */
export const fftn = rowN('fftn', (input, s, dim, norm) => complexTransform(input, s, dim, norm, true));
/** The inverse of `fftn`. */
export const ifftn = rowN('ifftn', (input, s, dim, norm) => complexTransform(input, s, dim, norm, false));
/** `fftn` of a real input: half of the elements along the last of the dimensions. */
export const rfftn = rowN('rfftn', (input, s, dim, norm) => fromReal('rfftn', input, s, dim, norm, true));
/** The inverse of `rfftn`: real; s has the sizes of the output. */
export const irfftn = rowN('irfftn', (input, s, dim, norm) => toReal('irfftn', input, s, dim, norm, false));
/** The transform of an input with conjugate symmetry along the last of the dimensions, given by half of it: real. */
export const hfftn = rowN('hfftn', (input, s, dim, norm) => toReal('hfftn', input, s, dim, norm, true));
/** The inverse of `hfftn`. */
export const ihfftn = rowN('ihfftn', (input, s, dim, norm) => fromReal('ihfftn', input, s, dim, norm, false));

/** `fftn` along two dimensions. */
export const fft2 = row2('fft2', (input, s, dim, norm) => complexTransform(input, s, dim, norm, true));
/** `ifftn` along two dimensions. */
export const ifft2 = row2('ifft2', (input, s, dim, norm) => complexTransform(input, s, dim, norm, false));
/** `rfftn` along two dimensions. */
export const rfft2 = row2('rfft2', (input, s, dim, norm) => fromReal('rfft2', input, s, dim, norm, true));
/** `irfftn` along two dimensions. */
export const irfft2 = row2('irfft2', (input, s, dim, norm) => toReal('irfft2', input, s, dim, norm, false));
/** `hfftn` along two dimensions. */
export const hfft2 = row2('hfft2', (input, s, dim, norm) => toReal('hfft2', input, s, dim, norm, true));
/** `ihfftn` along two dimensions. */
export const ihfft2 = row2('ihfft2', (input, s, dim, norm) => fromReal('ihfft2', input, s, dim, norm, false));
