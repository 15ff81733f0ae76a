// The transforms along dimensions, with their gradients: complex to complex, real to complex, complex to real.
import { needsGrad, record } from '../autograd/graph.js';
import { type DType, getDefaultDtype } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { mul } from '../ops/arithmetic.js';
import { real } from '../ops/complex.js';
import { cat } from '../ops/join.js';
import { narrow } from '../ops/view.js';
import { invoke } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { cast } from '../ops/internal/cast.js';

const C2C = nativeOp('fft_c2c');
const R2C = nativeOp('fft_r2c');
const C2R = nativeOp('fft_c2r');
const ZEROS = nativeOp('zeros');

/** Sums over the dimensions without a factor of 1 / n: the inverse transform has the exponent's sign turned. */
export function complexToComplex(x: Tensor, dims: readonly number[], forward: boolean, scale: number): Tensor {
  const y = invoke(C2C, x, dims, forward, scale);
  if (needsGrad(x)) record('FftC2CBackward0', y, [x], [], (g) => [complexToComplex(g, dims, !forward, scale)]);
  return y;
}
/** A real tensor along one dimension; onesided gives elements 0 to n / 2, of which the others are conjugates. */
export function realToComplex(x: Tensor, dim: number, forward: boolean, onesided: boolean, scale: number): Tensor {
  const y = invoke(R2C, x, dim, forward, onesided, scale);
  if (needsGrad(x)) {
    const n = x.shape[dim]!;
    record('FftR2CBackward0', y, [x], [], (g) => {
      // The elements that are not there have no gradient.
      const whole = onesided ? resized(g, dim, n) : g;
      return [real.impl(complexToComplex(whole, [dim], !forward, scale))];
    });
  }
  return y;
}
/** n real numbers along one dimension from elements 0 to n / 2 of a transform with conjugate symmetry. */
export function complexToReal(x: Tensor, dim: number, n: number, forward: boolean, scale: number): Tensor {
  const y = invoke(C2R, x, dim, n, forward, scale);
  if (needsGrad(x)) {
    record('FftC2RBackward0', y, [x], [], (g) => {
      const half = realToComplex(g, dim, !forward, true, scale);
      // Elements that stand for two, themselves and their conjugates, count twice.
      const m = half.shape[dim]!;
      const both = n - m;
      const parts = [
        narrow.impl(half, dim, 0, 1),
        mul.impl(narrow.impl(half, dim, 1, both), 2),
        narrow.impl(half, dim, 1 + both, m - 1 - both),
      ];
      return [
        cat.impl(
          parts.filter((p) => p.shape[dim]! > 0),
          dim,
        ),
      ];
    });
  }
  return y;
}

/** The first n elements along a dimension, zeros after the last. */
export function resized(x: Tensor, dim: number, n: number): Tensor {
  const have = x.shape[dim]!;
  if (have === n) return x;
  if (have > n) return narrow.impl(x, dim, 0, n);
  const shape = [...x.shape];
  shape[dim] = n - have;
  return cat.impl([x, invoke(ZEROS, shape, x.dtype, x)], dim);
}

/** The input in a type that can be transformed: integers become floats, and with `complex` reals become complex. */
export function promoted(x: Tensor, complex: boolean): Tensor {
  const type: DType = x.dtype.isFloatingPoint || x.dtype.isComplex ? x.dtype : getDefaultDtype();
  if (type.itemsize === 2) throw new RuntimeError(`Unsupported dtype ${type.name === 'float16' ? 'Half' : 'BFloat16'}`);
  return cast(x, complex ? type.toComplex() : type);
}

/**
 * The factor of a transform of n points.
 * @param norm 'backward' (default; the inverse transform divides by n), 'forward', or 'ortho' (both divide by sqrt(n)).
 * @throws RuntimeError for another name.
 */
export function scaleOf(norm: string | null, forward: boolean, n: number): number {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  if (norm !== null && norm !== 'backward' && norm !== 'forward')
    throw new RuntimeError(`Invalid normalization mode: "${norm}"`);
  return (norm === 'forward') === forward ? 1 / n : 1;
}

/** @throws RuntimeError unless a transform has at least one point. */
export function checkPoints(n: number): void {
  if (n < 1) throw new RuntimeError(`Invalid number of data points (${n}) specified`);
}
/** @throws RangeError for a dimension that the tensor does not have. */
export function dimOf(x: Tensor, dim: number): number {
  if (x.ndim === 0) throw new RangeError(`Dimension specified as ${dim} but tensor has no dimensions`);
  return wrapDim(dim, x.ndim);
}

/**
 * The dimensions of a transform of several, and their sizes (-1 keeps a size).
 * @throws RuntimeError if both are given with different lengths, or a dimension comes twice.
 */
export function dimsOf(
  x: Tensor,
  s: readonly number[] | null,
  dim: readonly number[] | null,
): { dims: number[]; sizes: number[] } {
  let dims: number[];
  if (dim !== null) {
    dims = dim.map((d) => dimOf(x, d));
    if (new Set(dims).size !== dims.length) throw new RuntimeError('FFT dims must be unique');
    if (s !== null && s.length !== dims.length)
      throw new RuntimeError('When given, dim and shape arguments must have the same length');
  } else if (s !== null) {
    if (s.length > x.ndim)
      throw new RuntimeError(`Got shape with ${s.length} values but input tensor only has ${x.ndim} dimensions.`);
    dims = s.map((_, i) => x.ndim - s.length + i);
  } else {
    dims = x.shape.map((_, d) => d);
  }
  const sizes = dims.map((d, i) => (s === null || s[i] === -1 ? x.shape[d]! : s[i]!));
  return { dims, sizes };
}
/** The product of sizes: how many elements they hold. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((p, q) => p * q, 1);
}
