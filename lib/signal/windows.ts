// torch.signal.windows: functions of M points that fall off towards both ends.
import { cpu, type DeviceLike, device as deviceOf, home } from '../core/device.js';
import { inWords } from '../core/errors.js';
import { type DType, float32, float64, getDefaultDtype } from '../core/dtype.js';
import { arange, linspace } from '../ops/creation.js';
import { fnOp } from '../ops/define.js';
import { div } from '../ops/arithmetic.js';
import { exp, i0, neg, sin, sqrt, square } from '../ops/unary.js';
import type { Tensor } from '../tensor/tensor.js';
import { brought, finish } from '../ops/internal/finish.js';

const OPTIONS = 'bool sym=True, ScalarType? dtype=None, any layout=None, Device? device=None, bool requiresGrad=False';
type Options = [sym: boolean, dtype: DType | null, layout: unknown, device: DeviceLike | null, requiresGrad: boolean];

/**
 * Checks what all windows check, gives the trivial ones, and makes the others in double precision.
 * @param points the number of points to compute: one more than wanted of a periodic window, whose last one is left out.
 */
function windowOf(name: string, m: number, options: Options, make: (points: number) => Tensor): Tensor {
  const [sym, dtype, layout, device, requiresGrad] = options;
  const type = dtype ?? getDefaultDtype();
  if (m < 0) throw new RangeError(`${name} requires non-negative window length, got M=${m}`);
  if (layout !== null && layout !== 'strided')
    throw new RangeError(`${name} is implemented for strided tensors only, got: ${inWords(layout)}`);
  if (type !== float32 && type !== float64)
    throw new RangeError(`${name} expects float32 or float64 dtypes, got: ${String(type)}`);
  const points = sym ? m : m + 1;
  const all = deviceOf(cpu, () =>
    m === 1 ? arange(1, 2, 1, { dtype: float64 }) : m === 0 ? arange(0, 0, 1, { dtype: float64 }) : make(points),
  );
  return finish(brought(all.narrow(0, 0, m).to(type, { copy: true }), home(device)), requiresGrad);
}
/** `points` values evenly from start to end. */
function even(start: number, end: number, points: number): Tensor {
  return linspace(start, end, points, { dtype: float64 });
}
/** The sum of (-1)^k a_k cos(2 pi k n / (N - 1)). */
function cosines(a: readonly number[], points: number): Tensor {
  const angle = even(0, 2 * Math.PI, points);
  return a
    .map((c, k) =>
      angle
        .mul(k)
        .cos()
        .mul(k % 2 === 0 ? c : -c),
    )
    .reduce((x, y) => x.add(y));
}
const fixed = (name: string, a: readonly number[]) =>
  fnOp(
    `${name}(int m, ${OPTIONS})` as `x(int m, ${typeof OPTIONS})`,
    (m: number, ...options: Options): Tensor => windowOf(name, m, options, (points) => cosines(a, points)),
  );

/**
 * A triangle with zeros at both ends: 1 - |2 n / (M - 1) - 1|.
 * @param m the number of points M, at least 0; one point is 1
 * @param sym whether the window is symmetric; else it is periodic: one of M + 1 points without the last (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, or for another type or layout
 */
export const bartlett = fnOp(
  `bartlett(int m, ${OPTIONS})`,
  (m: number, ...options: Options): Tensor =>
    windowOf('bartlett', m, options, (points) => even(-1, 1, points).abs().neg().add(1)),
);
/** 0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1)); arguments and errors as of `bartlett`. */
export const blackman = fixed('blackman', [0.42, 0.5, 0.08]);
/**
 * Half a wave: sin(pi (n + 1/2) / M).
 * @param m the number of points M, at least 0
 * @param sym whether the window is symmetric; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, or for another type or layout
 */
export const cosine = fnOp(
  `cosine(int m, ${OPTIONS})`,
  (m: number, ...options: Options): Tensor =>
    windowOf('cosine', m, options, (points) =>
      sin.impl(
        arange(points, { dtype: float64 })
          .add(0.5)
          .mul(Math.PI / points),
      ),
    ),
);
/**
 * exp(-|n - center| / tau).
 * @param m the number of points M, at least 0
 * @param center where the largest value is (default null: (M - 1) / 2, or M / 2 of a periodic window)
 * @param tau how slowly it falls, above 0 (default 1)
 * @param sym whether the window is symmetric, which does not go with `center`; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, `tau` is not positive, a symmetric window gets a center, or for another type or layout
 */
export const exponential = fnOp(
  `exponential(int m, float? center=None, float tau=1, ${OPTIONS})`,
  (m: number, center: number | null, tau: number, ...options: Options): Tensor => {
    if (tau <= 0) throw new RangeError(`Tau must be positive, got: ${tau} instead.`);
    if (options[0] && center !== null) throw new RangeError('Center must be None for symmetric windows');
    return windowOf('exponential', m, options, (points) =>
      exp.impl(
        arange(points, { dtype: float64 })
          .sub(center ?? (points - 1) / 2)
          .abs()
          .div(-tau),
      ),
    );
  },
);
/**
 * exp(-(n / std)^2 / 2), n counted from the middle.
 * @param m the number of points M, at least 0
 * @param std the standard deviation in points, above 0 (default 1)
 * @param sym whether the window is symmetric; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, `std` is not positive, or for another type or layout
 */
export const gaussian = fnOp(
  `gaussian(int m, float std=1, ${OPTIONS})`,
  (m: number, std: number, ...options: Options): Tensor => {
    if (std <= 0) throw new RangeError(`Standard deviation must be positive, got: ${std} instead.`);
    return windowOf('gaussian', m, options, (points) =>
      exp.impl(
        neg.impl(
          square.impl(
            arange(points, { dtype: float64 })
              .sub((points - 1) / 2)
              .div(std * Math.SQRT2),
          ),
        ),
      ),
    );
  },
);
/**
 * A sum of cosines with alternating signs: the sum over k of (-1)^k a_k cos(2 pi k n / (M - 1)).
 * @param m the number of points M, at least 0
 * @param a the weights of the constant, the cosine, that of twice the angle, ...; at least one
 * @param sym whether the window is symmetric; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, there are no weights, or for another type or layout
 */
export const generalCosine = fnOp(
  `generalCosine(int m, float[] a, ${OPTIONS})`,
  (m: number, a: readonly number[], ...options: Options): Tensor => {
    if (a.length === 0) throw new RangeError('Coefficients cannot be empty');
    return windowOf('general_cosine', m, options, (points) => cosines(a, points));
  },
);
/**
 * alpha - (1 - alpha) cos(2 pi n / (M - 1)).
 * @param m the number of points M, at least 0
 * @param alpha the constant's weight (default 0.54)
 * @param sym whether the window is symmetric; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M is negative, or for another type or layout
 */
export const generalHamming = fnOp(
  `generalHamming(int m, float alpha=0.54, ${OPTIONS})`,
  (m: number, alpha: number, ...options: Options): Tensor =>
    windowOf('general_hamming', m, options, (points) => cosines([alpha, 1 - alpha], points)),
);
/** 0.54 - 0.46 cos(2 pi n / (M - 1)); arguments and errors as of `bartlett`. */
export const hamming = fixed('hamming', [0.54, 0.46]);
/** A raised cosine, zero at both ends: (1 - cos(2 pi n / (M - 1))) / 2; arguments and errors as of `bartlett`. */
export const hann = fixed('hann', [0.5, 0.5]);
/**
 * I0(beta sqrt(1 - x^2)) / I0(beta), x from -1 to 1, with the modified Bessel function I0.
 * @param m the number of points M, at least 0
 * @param beta how narrow it is, at least 0 (default 12)
 * @param sym whether the window is symmetric; else it is periodic (default true)
 * @param dtype float32 or float64 (default: the default float type)
 * @param layout null or 'strided' (default null)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [M]
 * @throws RangeError if M or `beta` is negative, or for another type or layout
 */
export const kaiser = fnOp(
  `kaiser(int m, float beta=12, ${OPTIONS})`,
  (m: number, beta: number, ...options: Options): Tensor => {
    if (beta < 0) throw new RangeError(`beta must be non-negative, got: ${beta} instead.`);
    return windowOf('kaiser', m, options, (points) => {
      const argument = sqrt.impl(even(-1, 1, points).square().neg().add(1).clamp(0)).mul(beta);
      return div.impl(i0.impl(argument), i0.impl(arange(1, { dtype: float64 }).add(beta)), null);
    });
  },
);
/**
 * Nuttall's sum of four cosines with a continuous first derivative, weights 0.3635819, 0.4891775, 0.1365995 and 0.0106411
 * (see `generalCosine`); arguments and errors as of `bartlett`.
 */
export const nuttall = fixed('nuttall', [0.3635819, 0.4891775, 0.1365995, 0.0106411]);
