// Windows of `torch`: periodic by default, in any floating-point type.
import type { DeviceLike } from '../core/device.js';
import { type DType, float64, getDefaultDtype } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { arange } from '../ops/creation.js';
import { fnOp } from '../ops/define.js';
import { i0 } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from '../ops/internal/cast.js';
import { finish } from '../ops/internal/finish.js';

const OPTIONS = 'ScalarType? dtype=None, any layout=None, Device? device=None, bool requiresGrad=False';
type Options = [dtype: DType | null, layout: unknown, device: DeviceLike | null, requiresGrad: boolean];

/**
 * Checks what all windows check, gives the trivial ones, and makes the others in double precision.
 * @param make the values at places x: 0 to 1 over the whole window.
 */
function windowOf(name: string, n: number, periodic: boolean, options: Options, make: (x: Tensor) => Tensor): Tensor {
  const [dtype, layout, device, requiresGrad] = options;
  const type = dtype ?? getDefaultDtype();
  if (!type.isFloatingPoint && !type.isComplex)
    throw new RuntimeError(`${name} expects floating point dtypes, got: ${String(type)}`);
  if (layout !== null && layout !== 'strided')
    throw new RuntimeError(`${name} is not implemented for sparse types, got: ${inWords(layout)}`);
  if (n < 0) throw new RuntimeError(`${name} requires non-negative window_length, got window_length=${n}`);
  const places = arange(n, { dtype: float64, device });
  const values = n <= 1 ? places.add(1) : make(places.div(periodic ? n : n - 1));
  return finish(cast(values, type), requiresGrad);
}
/** a - b cos(2 pi x) + c cos(4 pi x). */
function cosines(x: Tensor, a: number, b: number, c: number): Tensor {
  const angle = x.mul(2 * Math.PI);
  const values = angle.cos().mul(-b).add(a);
  return c === 0 ? values : values.add(angle.mul(2).cos().mul(c));
}

/**
 * (1 - cos(2 pi n / N)) / 2: zero at the ends.
 * @param windowLength the number of points, at least 0; one point is 1
 * @param periodic whether N is windowLength; else the window is symmetric, with N one less (default true)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [windowLength]
 * @throws RuntimeError if the length is negative, or for another type or layout
 */
export const hannWindow = fnOp(
  `hannWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('hann_window', n, periodic, options, (x) => cosines(x, 0.5, 0.5, 0)),
);
/**
 * alpha - beta cos(2 pi n / N).
 * @param windowLength the number of points, at least 0; one point is 1
 * @param periodic whether N is windowLength; else the window is symmetric, with N one less (default true)
 * @param alpha the constant's weight (default 0.54)
 * @param beta the cosine's weight (default 0.46)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [windowLength]
 * @throws RuntimeError if the length is negative, or for another type or layout
 */
export const hammingWindow = fnOp(
  `hammingWindow(int windowLength, bool periodic=True, float alpha=0.54, float beta=0.46, ${OPTIONS})`,
  (n: number, periodic: boolean, alpha: number, beta: number, ...options: Options): Tensor =>
    windowOf('hamming_window', n, periodic, options, (x) => cosines(x, alpha, beta, 0)),
);
/**
 * 0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N).
 * @param windowLength the number of points, at least 0; one point is 1
 * @param periodic whether N is windowLength; else the window is symmetric, with N one less (default true)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [windowLength]
 * @throws RuntimeError if the length is negative, or for another type or layout
 */
export const blackmanWindow = fnOp(
  `blackmanWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('blackman_window', n, periodic, options, (x) => cosines(x, 0.42, 0.5, 0.08)),
);
/**
 * A triangle with zeros at the ends: 1 - |2 n / N - 1|.
 * @param windowLength the number of points, at least 0; one point is 1
 * @param periodic whether N is windowLength; else the window is symmetric, with N one less (default true)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [windowLength]
 * @throws RuntimeError if the length is negative, or for another type or layout
 */
export const bartlettWindow = fnOp(
  `bartlettWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('bartlett_window', n, periodic, options, (x) => x.mul(2).sub(1).abs().neg().add(1)),
);
/**
 * I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), with the modified Bessel function I0.
 * @param windowLength the number of points, at least 0; one point is 1
 * @param periodic whether N is windowLength; else the window is symmetric, with N one less (default true)
 * @param beta how narrow it is (default 12)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [windowLength]
 * @throws RuntimeError if the length is negative, or for another type or layout
 */
export const kaiserWindow = fnOp(
  `kaiserWindow(int windowLength, bool periodic=True, float beta=12, ${OPTIONS})`,
  (n: number, periodic: boolean, beta: number, ...options: Options): Tensor =>
    windowOf('kaiser_window', n, periodic, options, (x) => {
      const off = x.mul(2).sub(1);
      const inside = off.mul(off).neg().add(1).clamp(0, null).sqrt().mul(beta);
      return i0.impl(inside).div(i0.impl(inside.mul(0).add(beta)));
    }),
);
