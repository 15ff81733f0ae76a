// Random tensors. All take `generator` by name; without it they draw from the default generator.
import { needsGrad, record } from '../autograd/graph.js';
import { type Device, type DeviceLike, home } from '../core/device.js';
import * as D from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { draw, fresh, freshLike, LIKE, type RandomOptions, type Source, TAIL } from './random_fill.js';
import { sourceOf } from './random_generator.js';
import type { TensorOrScalar } from './signature.js';
import { finish } from './internal/finish.js';

const ZEROS = nativeOp('zeros');
const UNIFORM_ = nativeOp('uniform_');
const NORMAL_ = nativeOp('normal_');
const RANDOM_ = nativeOp('random_');
const RANDOM_FROM_TO_ = nativeOp('random_from_to_');
const RANDPERM = nativeOp('randperm');
const BERNOULLI_ = nativeOp('bernoulli_');
const BERNOULLI_EACH_ = nativeOp('bernoulli_each_');
const EXPONENTIAL_ = nativeOp('exponential_');
const GEOMETRIC_ = nativeOp('geometric_');
const CAUCHY_ = nativeOp('cauchy_');
const LOG_NORMAL_ = nativeOp('log_normal_');

/**
 * Uniform values in [0, 1).
 * @param size numbers or one array of them
 * @param generator the source (default null: the default generator)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param device where they live (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 * @throws RuntimeError for a type of integers or a negative size; TypeError for a generator that is none
 */
export const rand = fnOp(
  `rand(int... size, ${TAIL})`,
  (
    size: readonly number[],
    generator: Source,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor =>
    finish(
      fresh(UNIFORM_, sourceOf('rand', generator), size, dtype ?? D.getDefaultDtype(), home(device), 0, 1),
      requiresGrad,
    ),
);
/**
 * Values of the standard normal distribution; of a complex type, both parts have variance 1/2.
 * @param size numbers or one array of them
 * @param generator the source (default null: the default generator)
 * @param dtype a floating-point or complex type (default: the default float type)
 * @param device where they live (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`
 * @throws RuntimeError for a type of integers or a negative size; TypeError for a generator that is none
 */
export const randn = fnOp(
  `randn(int... size, ${TAIL})`,
  (
    size: readonly number[],
    generator: Source,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor =>
    finish(
      fresh(NORMAL_, sourceOf('randn', generator), size, dtype ?? D.getDefaultDtype(), home(device), 0, 1),
      requiresGrad,
    ),
);
/**
 * Uniform values in [0, 1) in the shape of another tensor.
 * @param input gives the shape and the defaults
 * @param dtype a floating-point or complex type (default: input's)
 * @param device where they live (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's)
 * @param generator the source (default null: the default generator)
 * @returns input's shape
 * @throws RuntimeError for a type of integers
 */
export const randLike = fnOp(
  `randLike(Tensor input, ${LIKE})`,
  (
    input: Tensor,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
    generator: Source,
  ): Tensor =>
    finish(freshLike(UNIFORM_, sourceOf('randLike', generator), input, dtype, device, format, 0, 1), requiresGrad),
);
/**
 * Values of the standard normal distribution in the shape of another tensor.
 * @param input gives the shape and the defaults
 * @param dtype a floating-point or complex type (default: input's)
 * @param device where they live (default: input's)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @param memoryFormat the order in memory (default: input's)
 * @param generator the source (default null: the default generator)
 * @returns input's shape
 * @throws RuntimeError for a type of integers
 */
export const randnLike = fnOp(
  `randnLike(Tensor input, ${LIKE})`,
  (
    input: Tensor,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
    generator: Source,
  ): Tensor =>
    finish(freshLike(NORMAL_, sourceOf('randnLike', generator), input, dtype, device, format, 0, 1), requiresGrad),
);

/** Integers in [low, high) of the given sizes. */
function integers(
  name: string,
  low: number,
  high: number,
  size: readonly number[],
  dtype: D.DType,
  place: Device | null,
  generator: Source,
): Tensor {
  checkRange(low, high);
  return fresh(RANDOM_FROM_TO_, sourceOf(name, generator), size, dtype, place, low, high);
}
function integersLike(
  low: number,
  high: number,
  input: Tensor,
  dtype: D.DType | null,
  device: DeviceLike | null,
  format: unknown,
  generator: Source,
): Tensor {
  checkRange(low, high);
  return freshLike(RANDOM_FROM_TO_, sourceOf('randintLike', generator), input, dtype, device, format, low, high);
}
function checkRange(low: number, high: number): void {
  if (low >= high)
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
}
const RANDINT_FROM = fnOp(
  `randint(int low, int high, int[] size, ${TAIL})`,
  (
    low: number,
    high: number,
    size: readonly number[],
    generator: Source,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(integers('randint', low, high, size, dtype ?? D.int64, home(device), generator), requiresGrad),
);
const RANDINT = fnOp(
  `randint(int high, int[] size, ${TAIL})`,
  (
    high: number,
    size: readonly number[],
    generator: Source,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => finish(integers('randint', 0, high, size, dtype ?? D.int64, home(device), generator), requiresGrad),
);
/**
 * Uniform integers: randint(high, size) in [0, high), randint(low, high, size) in [low, high).
 * @param high the bound, itself left out
 * @param size an array of sizes
 * @param options generator (default null: the default one), dtype (default int64), device, requiresGrad (default false)
 * @returns a tensor of `size`
 * @throws RuntimeError if `low` is not less than `high`
 */
export function randint(high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(low: number, high: number, size: readonly number[], options?: RandomOptions): Tensor;
export function randint(...args: unknown[]): Tensor {
  const row = Array.isArray(args[1]) || args.length < 2 || typeof args[1] === 'object' ? RANDINT : RANDINT_FROM;
  const last = args.at(-1);
  const named = row === RANDINT && typeof last === 'object' && last !== null && 'low' in last;
  return ((named ? RANDINT_FROM : row) as unknown as (...a: unknown[]) => Tensor)(...args);
}
const RANDINT_LIKE = fnOp(
  `randintLike(Tensor input, int high, ${LIKE})`,
  (
    input: Tensor,
    high: number,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
    generator: Source,
  ): Tensor => finish(integersLike(0, high, input, dtype, device, format, generator), requiresGrad),
);
const RANDINT_LIKE_FROM = fnOp(
  `randintLike(Tensor input, int low, int high, ${LIKE})`,
  (
    input: Tensor,
    low: number,
    high: number,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    format: unknown,
    generator: Source,
  ): Tensor => finish(integersLike(low, high, input, dtype, device, format, generator), requiresGrad),
);
/**
 * Uniform integers in the shape of another tensor: randintLike(input, high) or randintLike(input, low, high).
 * @param input gives shape, type and device
 * @param high the bound, itself left out; the numbers start at 0, or at `low`
 * @param options dtype, device, requiresGrad (default false), memoryFormat, generator (default null: the default one)
 * @returns input's shape, input's type unless `dtype` says otherwise
 * @throws RuntimeError if `low` is not less than `high`
 */
export function randintLike(input: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(input: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(...args: unknown[]): Tensor {
  const row = typeof args[2] === 'number' ? RANDINT_LIKE_FROM : RANDINT_LIKE;
  return (row as unknown as (...a: unknown[]) => Tensor)(...args);
}
/**
 * The numbers 0 to n - 1 in random order.
 * @param n how many, at least 0
 * @param generator the source (default null: the default generator)
 * @param dtype the type (default int64)
 * @param device where they live (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns [n]
 * @throws RuntimeError if n is negative
 */
export const randperm = fnOp(
  `randperm(int n, ${TAIL})`,
  (n: number, generator: Source, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(RANDPERM, sourceOf('randperm', generator), n, dtype ?? D.int64, home(device)), requiresGrad),
);

/**
 * Overwrites with uniform values in [from, to).
 * @param self of floating point or complex
 * @param from the lower bound (default 0)
 * @param to the upper bound (default 1)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if `from` exceeds `to`, or for integers
 */
export const uniform_ = methodOp(
  'uniform_(Tensor self, float from=0, float to=1, any generator=None)',
  (self: Tensor, from: number, to: number, generator: Source): Tensor =>
    draw('UniformBackward0', self, UNIFORM_, sourceOf('uniform_', generator), from, to),
);
/**
 * Overwrites with values of a normal distribution.
 * @param self of floating point or complex
 * @param mean the mean (default 0)
 * @param std the standard deviation, at least 0 (default 1)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if `std` is negative, or for integers
 */
export const normal_ = methodOp(
  'normal_(Tensor self, float mean=0, float std=1, any generator=None)',
  (self: Tensor, mean: number, std: number, generator: Source): Tensor =>
    draw('NormalBackward0', self, NORMAL_, sourceOf('normal_', generator), mean, std),
);
/**
 * Overwrites with uniform integers: random_() over all from 0 that the type holds exactly, random_(to) in [0, to),
 * random_(from, to) in [from, to).
 * @param self a real tensor
 * @param from the lower bound, or alone the upper one (default null)
 * @param to the upper bound, itself left out (default null)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if `from` is not less than `to`
 */
export const random_ = methodOp(
  'random_(Tensor self, int? from=None, int? to=None, any generator=None)',
  (self: Tensor, from: number | null, to: number | null, generator: Source): Tensor => {
    const source = sourceOf('random_', generator);
    if (from === null && to === null) return draw('RandomBackward0', self, RANDOM_, source, false);
    const [low, high] = to === null ? [0, from!] : [from ?? 0, to];
    return draw('RandomBackward0', self, RANDOM_FROM_TO_, source, low, high);
  },
);
/**
 * Overwrites with values of the exponential distribution of density lambd exp(-lambd x), x > 0.
 * @param self of floating point
 * @param lambd the rate, above 0 (default 1)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if the rate is not positive, or for integers
 */
export const exponential_ = methodOp(
  'exponential_(Tensor self, float lambd=1, any generator=None)',
  (self: Tensor, lambd: number, generator: Source): Tensor =>
    draw('ExponentialBackward0', self, EXPONENTIAL_, sourceOf('exponential_', generator), lambd),
);
/**
 * Overwrites with numbers of trials up to the first success: k = 1, 2, ... with probability (1 - p)^(k - 1) p.
 * @param self a real tensor
 * @param p the probability of success, in (0, 1)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if p is out of its range
 */
export const geometric_ = methodOp(
  'geometric_(Tensor self, float p, any generator=None)',
  (self: Tensor, p: number, generator: Source): Tensor =>
    draw('GeometricBackward0', self, GEOMETRIC_, sourceOf('geometric_', generator), p),
);
/**
 * Overwrites with values of the Cauchy distribution of density 1 / (pi sigma (1 + ((x - median) / sigma)^2)).
 * @param self of floating point
 * @param median its middle (default 0)
 * @param sigma half its width at half its height, above 0 (default 1)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if `sigma` is not positive, or for integers
 */
export const cauchy_ = methodOp(
  'cauchy_(Tensor self, float median=0, float sigma=1, any generator=None)',
  (self: Tensor, median: number, sigma: number, generator: Source): Tensor =>
    draw('CauchyBackward0', self, CAUCHY_, sourceOf('cauchy_', generator), median, sigma),
);
/**
 * Overwrites with exp of normal values.
 * @param self of floating point
 * @param mean the mean of the logarithms (default 1)
 * @param std the standard deviation of the logarithms, above 0 (default 2)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if `std` is not positive, or for integers
 */
export const logNormal_ = methodOp(
  'logNormal_(Tensor self, float mean=1, float std=2, any generator=None)',
  (self: Tensor, mean: number, std: number, generator: Source): Tensor =>
    draw('LogNormalBackward0', self, LOG_NORMAL_, sourceOf('logNormal_', generator), mean, std),
);
/**
 * Overwrites with ones of probability p and zeros.
 * @param self what is overwritten, of any real type
 * @param p a number in [0, 1], or a floating-point tensor of them that broadcasts to self (default 0.5)
 * @param generator the source (default null: the default generator)
 * @returns self
 * @throws RuntimeError if a probability is out of its range
 */
export const bernoulli_ = methodOp(
  'bernoulli_(Tensor self, Tensor|Scalar p=0.5, any generator=None)',
  (self: Tensor, p: TensorOrScalar, generator: Source): Tensor => {
    const source = sourceOf('bernoulli_', generator);
    if (p instanceof Tensor) return draw('BernoulliBackward0', self, BERNOULLI_EACH_, source, p);
    return draw('BernoulliBackward0', self, BERNOULLI_, source, Number(p));
  },
);
/**
 * Ones and zeros: one with the probability that each element gives, or p for all. The gradient is zero.
 * @param input probabilities in [0, 1] of floating point; with p only its shape and type count
 * @param p the probability of a one (default null: the elements)
 * @param generator the source (default null: the default generator)
 * @returns input's shape and type
 * @throws RuntimeError if a probability is out of its range, or input holds integers and p is not given
 */
export const bernoulli = op(
  'bernoulli(Tensor input, float? p=None, any generator=None)',
  (input: Tensor, p: number | null, generator: Source): Tensor => {
    const source = sourceOf('bernoulli', generator);
    const y =
      p === null
        ? freshLike(BERNOULLI_EACH_, source, input, null, null, null, input)
        : freshLike(BERNOULLI_, source, input, null, null, null, p);
    if (needsGrad(input)) record('BernoulliBackward0', y, [input], [], (g) => [invoke(ZEROS, g.shape, g.dtype, g)]);
    return y;
  },
);
