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
 * The discrete Fourier transform along several dimensions.
 * @param input real or complex; integers become the default float type
 * @param s points along each: the input is cut or followed by zeros, -1 keeps a size (default null: input's sizes)
 * @param dim the dimensions (default null: the last s.length, or all)
 * @param norm 'backward' (no factor), 'ortho' (1 / sqrt(n)) or 'forward' (1 / n), n the product of the sizes (default null:
 *   'backward')
 * @returns complex, input's shape with the sizes s
 * @throws RuntimeError for half types, another norm, sizes below 1, a dimension twice, or if s and dim differ in length
 * @throws RangeError if a dimension is out of range
 */
export const fftn = rowN('fftn', (input, s, dim, norm) => complexTransform(input, s, dim, norm, true));
/** The inverse of `fftn`: with exp(+2 pi i j k / n) and, under norm 'backward', the factor 1 / n. Arguments as of `fftn`. */
export const ifftn = rowN('ifftn', (input, s, dim, norm) => complexTransform(input, s, dim, norm, false));
/**
 * `fftn` of a real input: along the last of the dimensions elements 0 to n / 2, of which the others are conjugates.
 * @returns complex, with floor(n / 2) + 1 places in that dimension; arguments as of `fftn`
 * @throws RuntimeError for a complex input or no dimensions, and as `fftn`
 */
export const rfftn = rowN('rfftn', (input, s, dim, norm) => fromReal('rfftn', input, s, dim, norm, true));
/**
 * The inverse of `rfftn`; arguments as of `fftn`, but s has the sizes of the output, whose last is 2 (size - 1) by default.
 * @returns real
 * @throws RuntimeError as `fftn`, or for no dimensions
 */
export const irfftn = rowN('irfftn', (input, s, dim, norm) => toReal('irfftn', input, s, dim, norm, false));
/**
 * The transform of an input with conjugate symmetry along the last of the dimensions, given by half of it; arguments as of
 * `irfftn`.
 * @returns real
 * @throws RuntimeError as `fftn`, or for no dimensions
 */
export const hfftn = rowN('hfftn', (input, s, dim, norm) => toReal('hfftn', input, s, dim, norm, true));
/**
 * The inverse of `hfftn`, of a real input; arguments as of `rfftn`.
 * @returns complex, with floor(n / 2) + 1 places in the last of the dimensions
 * @throws RuntimeError for a complex input or no dimensions, and as `fftn`
 */
export const ihfftn = rowN('ihfftn', (input, s, dim, norm) => fromReal('ihfftn', input, s, dim, norm, false));

/** `fftn` along two dimensions, by default the last two; other arguments and errors as of `fftn`. */
export const fft2 = row2('fft2', (input, s, dim, norm) => complexTransform(input, s, dim, norm, true));
/** `ifftn` along two dimensions, by default the last two; other arguments and errors as of `fftn`. */
export const ifft2 = row2('ifft2', (input, s, dim, norm) => complexTransform(input, s, dim, norm, false));
/** `rfftn` along two dimensions, by default the last two; other arguments and errors as of `rfftn`. */
export const rfft2 = row2('rfft2', (input, s, dim, norm) => fromReal('rfft2', input, s, dim, norm, true));
/** `irfftn` along two dimensions, by default the last two; other arguments and errors as of `irfftn`. */
export const irfft2 = row2('irfft2', (input, s, dim, norm) => toReal('irfft2', input, s, dim, norm, false));
/** `hfftn` along two dimensions, by default the last two; other arguments and errors as of `hfftn`. */
export const hfft2 = row2('hfft2', (input, s, dim, norm) => toReal('hfft2', input, s, dim, norm, true));
/** `ihfftn` along two dimensions, by default the last two; other arguments and errors as of `ihfftn`. */
export const ihfft2 = row2('ihfft2', (input, s, dim, norm) => fromReal('ihfft2', input, s, dim, norm, false));
