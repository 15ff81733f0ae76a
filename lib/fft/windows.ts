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

/** Half of 1 - cos: zero at the ends. */
export const hannWindow = fnOp(
  `hannWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('hann_window', n, periodic, options, (x) => cosines(x, 0.5, 0.5, 0)),
);
/** alpha - beta cos. */
export const hammingWindow = fnOp(
  `hammingWindow(int windowLength, bool periodic=True, float alpha=0.54, float beta=0.46, ${OPTIONS})`,
  (n: number, periodic: boolean, alpha: number, beta: number, ...options: Options): Tensor =>
    windowOf('hamming_window', n, periodic, options, (x) => cosines(x, alpha, beta, 0)),
);
/** 0.42 - 0.5 cos + 0.08 cos of twice the angle. */
export const blackmanWindow = fnOp(
  `blackmanWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('blackman_window', n, periodic, options, (x) => cosines(x, 0.42, 0.5, 0.08)),
);
/** A triangle with zeros at the ends. */
export const bartlettWindow = fnOp(
  `bartlettWindow(int windowLength, bool periodic=True, ${OPTIONS})`,
  (n: number, periodic: boolean, ...options: Options): Tensor =>
    windowOf('bartlett_window', n, periodic, options, (x) => x.mul(2).sub(1).abs().neg().add(1)),
);
/** I0(beta sqrt(1 - (2 x - 1)^2)) / I0(beta). */
export const kaiserWindow = fnOp(
  `kaiserWindow(int windowLength, bool periodic=True, float beta=12, ${OPTIONS})`,
  (n: number, periodic: boolean, beta: number, ...options: Options): Tensor =>
    windowOf('kaiser_window', n, periodic, options, (x) => {
      const off = x.mul(2).sub(1);
      const inside = off.mul(off).neg().add(1).clamp(0, null).sqrt().mul(beta);
      return i0.impl(inside).div(i0.impl(inside.mul(0).add(beta)));
    }),
);
