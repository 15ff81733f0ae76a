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

/** Uniform values in [0, 1). */
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
/** Values of the standard normal distribution; of a complex type, both parts have variance 1/2. */
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
/** As `rand`, with the sizes and the type of another tensor. */
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
/** As `randn`, with the sizes and the type of another tensor. */
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
 * Random integers: randint(high, size) in [0, high), randint(low, high, size) in [low, high).
 * @returns int64 unless `dtype` says otherwise.
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
/** As `randint`, with the sizes and the type of another tensor. */
export function randintLike(input: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(input: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(...args: unknown[]): Tensor {
  const row = typeof args[2] === 'number' ? RANDINT_LIKE_FROM : RANDINT_LIKE;
  return (row as unknown as (...a: unknown[]) => Tensor)(...args);
}
/** The numbers 0 to n - 1 in random order. */
export const randperm = fnOp(
  `randperm(int n, ${TAIL})`,
  (n: number, generator: Source, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(RANDPERM, sourceOf('randperm', generator), n, dtype ?? D.int64, home(device)), requiresGrad),
);

/** Overwrites with uniform values in [from, to). */
export const uniform_ = methodOp(
  'uniform_(Tensor self, float from=0, float to=1, any generator=None)',
  (self: Tensor, from: number, to: number, generator: Source): Tensor =>
    draw('UniformBackward0', self, UNIFORM_, sourceOf('uniform_', generator), from, to),
);
/** Overwrites with normal values. */
export const normal_ = methodOp(
  'normal_(Tensor self, float mean=0, float std=1, any generator=None)',
  (self: Tensor, mean: number, std: number, generator: Source): Tensor =>
    draw('NormalBackward0', self, NORMAL_, sourceOf('normal_', generator), mean, std),
);
/** Overwrites with integers: random_() over all that the type holds exactly, random_(to), random_(from, to). */
export const random_ = methodOp(
  'random_(Tensor self, int? from=None, int? to=None, any generator=None)',
  (self: Tensor, from: number | null, to: number | null, generator: Source): Tensor => {
    const source = sourceOf('random_', generator);
    if (from === null && to === null) return draw('RandomBackward0', self, RANDOM_, source, false);
    const [low, high] = to === null ? [0, from!] : [from ?? 0, to];
    return draw('RandomBackward0', self, RANDOM_FROM_TO_, source, low, high);
  },
);
/** Overwrites with values of the exponential distribution of rate lambd. */
export const exponential_ = methodOp(
  'exponential_(Tensor self, float lambd=1, any generator=None)',
  (self: Tensor, lambd: number, generator: Source): Tensor =>
    draw('ExponentialBackward0', self, EXPONENTIAL_, sourceOf('exponential_', generator), lambd),
);
/** Overwrites with the number of trials (from 1) up to the first success of probability p. */
export const geometric_ = methodOp(
  'geometric_(Tensor self, float p, any generator=None)',
  (self: Tensor, p: number, generator: Source): Tensor =>
    draw('GeometricBackward0', self, GEOMETRIC_, sourceOf('geometric_', generator), p),
);
/** Overwrites with values of the Cauchy distribution. */
export const cauchy_ = methodOp(
  'cauchy_(Tensor self, float median=0, float sigma=1, any generator=None)',
  (self: Tensor, median: number, sigma: number, generator: Source): Tensor =>
    draw('CauchyBackward0', self, CAUCHY_, sourceOf('cauchy_', generator), median, sigma),
);
/** Overwrites with exp of normal values. */
export const logNormal_ = methodOp(
  'logNormal_(Tensor self, float mean=1, float std=2, any generator=None)',
  (self: Tensor, mean: number, std: number, generator: Source): Tensor =>
    draw('LogNormalBackward0', self, LOG_NORMAL_, sourceOf('logNormal_', generator), mean, std),
);
/** Overwrites with ones of probability p (a number, or a tensor that broadcasts) and zeros. */
export const bernoulli_ = methodOp(
  'bernoulli_(Tensor self, Tensor|Scalar p=0.5, any generator=None)',
  (self: Tensor, p: TensorOrScalar, generator: Source): Tensor => {
    const source = sourceOf('bernoulli_', generator);
    if (p instanceof Tensor) return draw('BernoulliBackward0', self, BERNOULLI_EACH_, source, p);
    return draw('BernoulliBackward0', self, BERNOULLI_, source, Number(p));
  },
);
/** Ones and zeros: one with the probability that each element gives, or p for all. */
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
