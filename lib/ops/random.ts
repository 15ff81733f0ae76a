// Random tensors. All take `generator` by name; without it they draw from the default generator.
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import type { DeviceLike } from '../core/device.js';
import * as D from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany, invokeVoid, type NativeArgument } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { add, mul } from './arithmetic.js';
import { cast } from './convert.js';
import { finish } from './creation.js';
import { fnOp, methodOp, op } from './define.js';
import { argmax } from './reduce.js';
import { commonShape } from './join_util.js';
import { sourceOf } from './random_generator.js';
import type { TensorOrScalar } from './signature.js';
import { topk } from './sort.js';
import { expand } from './view.js';

const EMPTY = nativeOp('empty');
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
const POISSON = nativeOp('poisson');
const BINOMIAL = nativeOp('binomial');
const MULTINOMIAL = nativeOp('multinomial');
const DROPOUT = nativeOp('dropout');

export { Generator } from './random_generator.js';

type Source = unknown;

/** Fills self with random values; what was there before gets no gradient. */
function draw(node: string, self: Tensor, id: number, source: Tensor | null, ...args: NativeArgument[]): Tensor {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  invokeVoid(id, source, self, ...args);
  if (recorded) recordInPlace(node, self, [self], [], (g) => [invoke(ZEROS, g.shape, g.dtype)]);
  return self;
}
/** A fresh tensor with random values. */
function fresh(
  id: number,
  source: Tensor | null,
  shape: readonly number[],
  dtype: D.DType,
  ...args: NativeArgument[]
): Tensor {
  const t = invoke(EMPTY, shape, dtype);
  invokeVoid(id, source, t, ...args);
  return t;
}

const TAIL =
  'any generator=None, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any layout=None, bool pinMemory=False';
const LIKE =
  'ScalarType? dtype=None, Device? device=None, bool requiresGrad=False, any memoryFormat=None, any generator=None, any layout=None';

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
      fresh(UNIFORM_, sourceOf('rand', generator), size, dtype ?? D.getDefaultDtype(), 0, 1),
      device,
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
      fresh(NORMAL_, sourceOf('randn', generator), size, dtype ?? D.getDefaultDtype(), 0, 1),
      device,
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
    _format: unknown,
    generator: Source,
  ): Tensor =>
    finish(
      fresh(UNIFORM_, sourceOf('randLike', generator), input.shape, dtype ?? input.dtype, 0, 1),
      device,
      requiresGrad,
    ),
);
/** As `randn`, with the sizes and the type of another tensor. */
export const randnLike = fnOp(
  `randnLike(Tensor input, ${LIKE})`,
  (
    input: Tensor,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
    _format: unknown,
    generator: Source,
  ): Tensor =>
    finish(
      fresh(NORMAL_, sourceOf('randnLike', generator), input.shape, dtype ?? input.dtype, 0, 1),
      device,
      requiresGrad,
    ),
);

/** Integers in [low, high) of the given sizes. */
function integers(
  name: string,
  low: number,
  high: number,
  size: readonly number[],
  dtype: D.DType,
  generator: Source,
): Tensor {
  if (low >= high)
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${low} >= to=${high}`);
  return fresh(RANDOM_FROM_TO_, sourceOf(name, generator), size, dtype, low, high);
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
  ): Tensor => finish(integers('randint', low, high, size, dtype ?? D.int64, generator), device, requiresGrad),
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
  ): Tensor => finish(integers('randint', 0, high, size, dtype ?? D.int64, generator), device, requiresGrad),
);
/** Options of `randint` beside its numbers. */
export interface RandintOptions {
  generator?: unknown;
  dtype?: D.DType | null;
  device?: DeviceLike | null;
  requiresGrad?: boolean;
}
/**
 * Random integers: randint(high, size) in [0, high), randint(low, high, size) in [low, high).
 * @returns int64 unless `dtype` says otherwise.
 */
export function randint(high: number, size: readonly number[], options?: RandintOptions): Tensor;
export function randint(low: number, high: number, size: readonly number[], options?: RandintOptions): Tensor;
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
    _format: unknown,
    generator: Source,
  ): Tensor =>
    finish(integers('randintLike', 0, high, input.shape, dtype ?? input.dtype, generator), device, requiresGrad),
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
    _format: unknown,
    generator: Source,
  ): Tensor =>
    finish(integers('randintLike', low, high, input.shape, dtype ?? input.dtype, generator), device, requiresGrad),
);
/** As `randint`, with the sizes and the type of another tensor. */
export function randintLike(input: Tensor, high: number, options?: RandintOptions): Tensor;
export function randintLike(input: Tensor, low: number, high: number, options?: RandintOptions): Tensor;
export function randintLike(...args: unknown[]): Tensor {
  const row = typeof args[2] === 'number' ? RANDINT_LIKE_FROM : RANDINT_LIKE;
  return (row as unknown as (...a: unknown[]) => Tensor)(...args);
}
/** The numbers 0 to n - 1 in random order. */
export const randperm = fnOp(
  `randperm(int n, ${TAIL})`,
  (n: number, generator: Source, dtype: D.DType | null, device: DeviceLike | null, requiresGrad: boolean): Tensor =>
    finish(invoke(RANDPERM, sourceOf('randperm', generator), n, dtype ?? D.int64), device, requiresGrad),
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
        ? fresh(BERNOULLI_EACH_, source, input.shape, input.dtype, input)
        : fresh(BERNOULLI_, source, input.shape, input.dtype, p);
    if (needsGrad(input)) record('BernoulliBackward0', y, [input], [], (g) => [invoke(ZEROS, g.shape, g.dtype)]);
    return y;
  },
);

function normalOf(mean: TensorOrScalar, std: TensorOrScalar, source: Tensor | null): Tensor {
  const m = mean instanceof Tensor ? mean : null;
  const s = std instanceof Tensor ? std : null;
  const dtype = (m ?? s)!.dtype;
  if (s?.dtype.isComplex) throw new RuntimeError('normal expects standard deviation to be non-complex');
  if (s !== null && s.numel() > 0 && Number(s.detach().min().item()) < 0) {
    throw new RuntimeError('normal expects all elements of std >= 0.0');
  }
  if (s === null && Number(std) < 0) throw new RuntimeError(`normal expects std >= 0.0, but found std ${String(std)}`);
  const shape = commonShape([m?.shape ?? [], s?.shape ?? []]);
  const noise = fresh(NORMAL_, source, shape, dtype, 0, 1);
  const y = add(mul(noise, s?.detach() ?? Number(std)), m?.detach() ?? Number(mean));
  if (needsGrad(m, s)) {
    // As PyTorch, the draw cuts the graph: gradients of mean and std are zero.
    record('NormalBackward0', y, [m, s], [], (g, _saved, needs) => {
      const zero = (t: Tensor | null, wanted: unknown): Tensor | null =>
        t !== null && wanted ? invoke(ZEROS, t.shape, g.dtype) : null;
      return [zero(m, needs[0]), zero(s, needs[1])];
    });
  }
  return y;
}
const NORMAL = fnOp(
  'normal(Tensor|Scalar mean, Tensor|Scalar std=1, any generator=None)',
  (mean: TensorOrScalar, std: TensorOrScalar, generator: Source): Tensor =>
    normalOf(mean, std, sourceOf('normal', generator)),
);
const NORMAL_SIZED = fnOp(
  `normal(float mean, float std, int[] size, ${TAIL})`,
  (
    mean: number,
    std: number,
    size: readonly number[],
    generator: Source,
    dtype: D.DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor =>
    finish(
      fresh(NORMAL_, sourceOf('normal', generator), size, dtype ?? D.getDefaultDtype(), mean, std),
      device,
      requiresGrad,
    ),
);
/** Normal values: with a mean and a standard deviation for each element, or normal(mean, std, size). */
export function normal(
  mean: Tensor,
  std?: Tensor | number | { std?: Tensor | number; generator?: unknown },
  options?: { generator?: unknown },
): Tensor;
export function normal(mean: number, std: Tensor, options?: { generator?: unknown }): Tensor;
export function normal(mean: number, std: number, size: readonly number[], options?: RandintOptions): Tensor;
export function normal(...args: unknown[]): Tensor {
  const last = args.at(-1);
  const sized =
    Array.isArray(args[2]) ||
    (typeof last === 'object' && last !== null && !(last instanceof Tensor) && 'size' in last);
  if (!sized && !(args[0] instanceof Tensor) && !(args[1] instanceof Tensor)) {
    const named = typeof last === 'object' && last !== null && Object.values(last).some((v) => v instanceof Tensor);
    if (!named) throw new TypeError("normal() missing a required argument: 'size'");
  }
  return ((sized ? NORMAL_SIZED : NORMAL) as unknown as (...a: unknown[]) => Tensor)(...args);
}

/** Numbers of events: from Poisson distributions of the given rates. */
export const poisson = op('poisson(Tensor input, any generator=None)', (input: Tensor, generator: Source): Tensor => {
  const y = invoke(POISSON, sourceOf('poisson', generator), input);
  if (needsGrad(input)) record('PoissonBackward0', y, [input], [], (g) => [invoke(ZEROS, g.shape, g.dtype)]);
  return y;
});
/** Numbers of successes among `count` trials of probability `prob`; the two are broadcast together. */
export const binomial = fnOp(
  'binomial(Tensor count, Tensor prob, any generator=None)',
  (count: Tensor, prob: Tensor, generator: Source): Tensor => {
    if (count.dtype !== prob.dtype) {
      throw new RuntimeError(`Found dtype ${prob.dtype.name} but expected ${count.dtype.name}`);
    }
    const shape = commonShape([count.shape, prob.shape]);
    const y = invoke(
      BINOMIAL,
      sourceOf('binomial', generator),
      expand.impl(count.detach(), shape),
      expand.impl(prob.detach(), shape),
    );
    if (needsGrad(count, prob)) {
      record('BinomialBackward0', y, [count, prob], [], (g) => [
        invoke(ZEROS, g.shape, g.dtype),
        invoke(ZEROS, g.shape, g.dtype),
      ]);
    }
    return y;
  },
);

/**
 * Positions drawn by weight: input [n] or [rows, n] to [numSamples] or [rows, numSamples], int64.
 * @param replacement whether a position can be drawn again.
 */
export const multinomial = op(
  'multinomial(Tensor input, int numSamples, bool replacement=False, any generator=None)',
  (input: Tensor, numSamples: number, replacement: boolean, generator: Source): Tensor => {
    const source = sourceOf('multinomial', generator);
    const p = input.detach();
    if (p.ndim !== 1 && p.ndim !== 2) throw new RuntimeError('prob_dist must be 1 or 2 dim');
    if (!p.dtype.isFloatingPoint) {
      throw new RuntimeError(`multinomial only supports floating-point dtypes for input, got: ${p.dtype.name}`);
    }
    if (numSamples <= 0) throw new RuntimeError('cannot sample n_sample <= 0 samples');
    const n = p.shape[p.ndim - 1]!;
    if (!replacement && numSamples > n) {
      throw new RuntimeError('cannot sample n_sample > prob_dist.size(-1) samples without replacement');
    }
    if (p.numel() > 0) {
      if (!(Number(p.min().item()) >= 0 && Number(p.max().item()) < Number.POSITIVE_INFINITY)) {
        throw new RuntimeError('probability tensor contains either `inf`, `nan` or element < 0');
      }
      if (p.sum(-1).eq(0).any().item() === true)
        throw new RuntimeError('invalid multinomial distribution (sum of probabilities <= 0)');
    }
    if (replacement && numSamples > 1) return invoke(MULTINOMIAL, source, p, numSamples);
    // The largest of p / q with exponential q is drawn with probability p, and so on down: Efraimidis and Spirakis (2006).
    const q = fresh(EXPONENTIAL_, source, p.shape, p.dtype, 1);
    const race = p.div(q);
    return numSamples === 1 ? argmax(race, -1, true) : topk(race, numSamples).indices;
  },
);

/**
 * Zeroes elements with probability p and scales the others by 1 / (1 - p).
 * @returns the result, and the mask of the elements that were kept.
 */
export const nativeDropout = fnOp(
  'nativeDropout(Tensor input, float p, bool? train=True)',
  (input: Tensor, p: number, train: boolean | null): Tensor[] => {
    if (train === false || p === 0) {
      const mask = cast(input.newOnes(input.shape), D.bool);
      return [mul(input, 1), mask];
    }
    const [y, mask] = invokeMany(DROPOUT, null, input, 1 - p) as [Tensor, Tensor];
    if (needsGrad(input)) {
      const scale = p === 1 ? 0 : 1 / (1 - p);
      record('NativeDropoutBackward0', y, [input], [mask], (g, [m]) => [mul(mul(g, m), scale)]);
    }
    return [y, mask];
  },
);
