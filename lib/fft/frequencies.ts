// The frequencies of a transform's elements, and their order.
import type { DeviceLike } from '../core/device.js';
import { type DType, float64, getDefaultDtype } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { arange } from '../ops/creation.js';
import { fnOp } from '../ops/define.js';
import { cat, roll } from '../ops/join.js';
import type { Tensor } from '../tensor/tensor.js';
import { dimOf } from './transform.js';
import { cast } from '../ops/internal/cast.js';
import { finish } from '../ops/internal/finish.js';

const OPTIONS = 'float d=1, ScalarType? dtype=None, any layout=None, Device? device=None, bool requiresGrad=False';

const places = (start: number, end: number, device: DeviceLike | null): Tensor =>
  arange(start, end, 1, { dtype: float64, device });

function frequencies(
  name: string,
  at: Tensor,
  n: number,
  d: number,
  dtype: DType | null,
  requiresGrad: boolean,
): Tensor {
  const type = dtype ?? getDefaultDtype();
  if (!type.isFloatingPoint && !type.isComplex)
    throw new RuntimeError(`${name} requires a floating point or complex dtype`);
  return finish(cast(at.mul(1 / (n * d)), type), requiresGrad);
}
/**
 * The frequencies of `fft`'s elements: [0, 1, ..., -2, -1] / (n d).
 * @param n the number of points
 * @param d the distance of two samples (default 1)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout has no effect (default null)
 * @param device where they live (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [n], in cycles per unit of d
 * @throws RuntimeError for a type of integers
 */
export const fftfreq = fnOp(
  `fftfreq(int n, ${OPTIONS})`,
  (
    n: number,
    d: number,
    dtype: DType | null,
    _layout: unknown,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    const half = Math.ceil(n / 2);
    const all = cat.impl([places(0, half, device), places(half - n, 0, device)], 0);
    return frequencies('fftfreq', all, n, d, dtype, requiresGrad);
  },
);
/**
 * The frequencies of `rfft`'s elements: [0, 1, ..., floor(n / 2)] / (n d).
 * @param n the number of points of the real input
 * @param d the distance of two samples (default 1)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param layout has no effect (default null)
 * @param device where they live (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [floor(n / 2) + 1], in cycles per unit of d
 * @throws RuntimeError for a type of integers
 */
export const rfftfreq = fnOp(
  `rfftfreq(int n, ${OPTIONS})`,
  (
    n: number,
    d: number,
    dtype: DType | null,
    _layout: unknown,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => frequencies('rfftfreq', places(0, Math.floor(n / 2) + 1, device), n, d, dtype, requiresGrad),
);

function shifted(input: Tensor, dim: readonly number[] | null, by: (n: number) => number): Tensor {
  const dims = dim === null ? input.shape.map((_, d) => d) : dim.map((d) => dimOf(input, d));
  return dims.length === 0
    ? input.clone()
    : roll.impl(
        input,
        dims.map((d) => by(input.shape[d]!)),
        dims,
      );
}
/**
 * Moves frequency 0 to the middle: element 0 of each dimension goes to place floor(n / 2).
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @returns input's shape, in memory of its own
 * @throws RangeError if a dimension is out of range
 */
export const fftshift = fnOp(
  'fftshift(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: readonly number[] | null): Tensor => shifted(input, dim, (n) => Math.floor(n / 2)),
);
/**
 * The inverse of `fftshift`: moves the middle to place 0.
 * @param input any shape
 * @param dim the dimensions (default null: all)
 * @returns input's shape, in memory of its own
 * @throws RangeError if a dimension is out of range
 */
export const ifftshift = fnOp(
  'ifftshift(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: readonly number[] | null): Tensor => shifted(input, dim, (n) => Math.ceil(n / 2)),
);
