// Random tensors whose distribution differs from element to element, and draws by weight.
import { needsGrad, record } from '../autograd/graph.js';
import { type DeviceLike, home } from '../core/device.js';
import * as D from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { add, mul } from './arithmetic.js';
import { fnOp, op } from './define.js';
import { commonShape } from './join_util.js';
import { fresh, type RandomOptions, type Source, TAIL } from './random_fill.js';
import { sourceOf } from './random_generator.js';
import { argmax } from './reduce.js';
import type { TensorOrScalar } from './signature.js';
import { topk } from './sort.js';
import { expand } from './view.js';
import { cast } from './internal/cast.js';
import { drawDropout } from './internal/dropout.js';
import { finish } from './internal/finish.js';

const ZEROS = nativeOp('zeros');
const NORMAL_ = nativeOp('normal_');
const EXPONENTIAL_ = nativeOp('exponential_');
const POISSON = nativeOp('poisson');
const BINOMIAL = nativeOp('binomial');
const MULTINOMIAL = nativeOp('multinomial');

function normalOf(mean: TensorOrScalar, std: TensorOrScalar, source: Tensor | null): Tensor {
  const m = mean instanceof Tensor ? mean : null;
  const s = std instanceof Tensor ? std : null;
  const dtype = (m ?? s)!.dtype;
  if (s?.dtype.isComplex) throw new RuntimeError('normal expects standard deviation to be non-complex');
  if (s !== null && s.numel() > 0 && !s.isMeta && Number(s.detach().min().item()) < 0) {
    throw new RuntimeError('normal expects all elements of std >= 0.0');
  }
  if (s === null && Number(std) < 0) throw new RuntimeError(`normal expects std >= 0.0, but found std ${String(std)}`);
  const shape = commonShape([m?.shape ?? [], s?.shape ?? []]);
  const noise = fresh(NORMAL_, source, shape, dtype, m ?? s, 0, 1);
  const y = add(mul(noise, s?.detach() ?? Number(std)), m?.detach() ?? Number(mean));
  if (needsGrad(m, s)) {
    // As PyTorch, the draw cuts the graph: gradients of mean and std are zero.
    record('NormalBackward0', y, [m, s], [], (g, _saved, needs) => {
      const zero = (t: Tensor | null, wanted: unknown): Tensor | null =>
        t !== null && wanted ? invoke(ZEROS, t.shape, g.dtype, g) : null;
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
      fresh(NORMAL_, sourceOf('normal', generator), size, dtype ?? D.getDefaultDtype(), home(device), mean, std),
      requiresGrad,
    ),
);
/**
 * Normal values: normal(mean, std) with a tensor of means or of standard deviations (or both, which broadcast), or
 * normal(mean, std, size) with numbers. Gradients of mean and std are zero.
 * @param mean the means, a tensor or a number
 * @param std the standard deviations, at least 0, a tensor or a number (default 1 after a tensor)
 * @param options generator (default null: the default one); with a size also dtype, device and requiresGrad (default false)
 * @returns the broadcast shape in the tensors' type, or a tensor of the size in the default float type
 * @throws RuntimeError if a standard deviation is negative or complex; TypeError for two numbers without a size
 */
export function normal(
  mean: Tensor,
  std?: Tensor | number | { std?: Tensor | number; generator?: unknown },
  options?: { generator?: unknown },
): Tensor;
export function normal(mean: number, std: Tensor, options?: { generator?: unknown }): Tensor;
export function normal(mean: number, std: number, size: readonly number[], options?: RandomOptions): Tensor;
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

/**
 * Numbers of events: from Poisson distributions of the given rates, elementwise. The gradient is zero.
 * @param input rates of at least 0, floating point
 * @param generator the source (default null: the default generator)
 * @returns input's shape and type
 * @throws RuntimeError if a rate is negative, or for integers
 */
export const poisson = op('poisson(Tensor input, any generator=None)', (input: Tensor, generator: Source): Tensor => {
  const y = invoke(POISSON, sourceOf('poisson', generator), input);
  if (needsGrad(input)) record('PoissonBackward0', y, [input], [], (g) => [invoke(ZEROS, g.shape, g.dtype, g)]);
  return y;
});
/**
 * Numbers of successes among `count` trials of probability `prob`, elementwise. The gradients are zero.
 * @param count how many trials, at least 0, floating point
 * @param prob the probability of success in [0, 1], of the same type, broadcast with `count`
 * @param generator the source (default null: the default generator)
 * @returns the broadcast shape in that type
 * @throws RuntimeError if the types differ, are not of floating point, or a number is out of its range
 */
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
        invoke(ZEROS, g.shape, g.dtype, g),
        invoke(ZEROS, g.shape, g.dtype, g),
      ]);
    }
    return y;
  },
);

/**
 * Positions drawn by weight; without replacement by the race of Efraimidis and Spirakis (2006).
 * @param input weights [n] or [rows, n], floating point, not negative; they need not sum to one
 * @param numSamples how many draws, at least 1, without replacement at most n
 * @param replacement whether a position can be drawn again (default false)
 * @param generator the source (default null: the default generator)
 * @returns [numSamples] or [rows, numSamples] of int64
 * @throws RuntimeError for another number of dimensions or type, weights that are negative, not finite or all zero, or too
 *   many draws
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
    if (p.numel() > 0 && !p.isMeta) {
      if (!(Number(p.min().item()) >= 0 && Number(p.max().item()) < Number.POSITIVE_INFINITY)) {
        throw new RuntimeError('probability tensor contains either `inf`, `nan` or element < 0');
      }
      if (p.sum(-1).eq(0).any().item() === true)
        throw new RuntimeError('invalid multinomial distribution (sum of probabilities <= 0)');
    }
    if (replacement && numSamples > 1) return invoke(MULTINOMIAL, source, p, numSamples);
    // The largest of p / q with exponential q is drawn with probability p, and so on down: Efraimidis and Spirakis (2006).
    const q = fresh(EXPONENTIAL_, source, p.shape, p.dtype, p, 1);
    const race = p.div(q);
    return numSamples === 1 ? argmax(race, -1, true) : topk(race, numSamples).indices;
  },
);

/**
 * Zeroes elements with probability p and scales the others by 1 / (1 - p) (https://arxiv.org/abs/1207.0580).
 * @param input floating point
 * @param p the probability, in [0, 1]
 * @param train false leaves the elements as they are (default true, which null means too)
 * @returns [result, mask]: the mask of bool is true where an element was kept
 * @throws RuntimeError if p is out of its range
 */
export const nativeDropout = fnOp(
  'nativeDropout(Tensor input, float p, bool? train=True)',
  (input: Tensor, p: number, train: boolean | null): Tensor[] => {
    if (train === false || p === 0) {
      const mask = cast(input.newOnes(input.shape), D.bool);
      return [mul(input, 1), mask];
    }
    return drawDropout(input, p, p === 1 ? 0 : 1 / (1 - p), 'NativeDropoutBackward0');
  },
);
