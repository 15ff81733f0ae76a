// Dropout: elements or whole channels set to zero at random, the rest scaled so that the mean stays.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { add, mul } from '../../ops/arithmetic.js';
import { emptyLike, onesLike } from '../../ops/creation.js';
import { type Op, fnOp } from '../../ops/define.js';
import { dropped } from '../../ops/internal/dropout.js';
import { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';

/** @internal Throws unless p is a probability. */
export function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${p}`);
}

/** Whether a draw is needed at all. */
function isActive(input: Tensor, p: number, training: boolean): boolean {
  // Where nothing is drawn nothing else would look at the input.
  if (!(input instanceof Tensor))
    throw new TypeError(`dropout(): argument 'input' must be Tensor, not ${kindOf(input)}`);
  return training && p > 0 && input.numel() > 0;
}

/** @internal `dropout` in training, out of place. */
export function dropoutOf(input: Tensor, p: number): Tensor {
  if (p === 0) return input;
  return p === 1 ? mul.impl(input, 0) : dropped(input, p);
}

/** A mask of zeros and ones for [N, C, ..] with one draw per channel. */
function channelMask(input: Tensor, keep: number): Tensor {
  if (input.ndim < 2) throw new RuntimeError('Feature dropout requires at least 2 dimensions in the input');
  const shape = input.shape.map((n, d) => (d < 2 ? n : 1));
  return input.detach().newEmpty(shape).bernoulli_(keep);
}

function featureDropout(input: Tensor, p: number, training: boolean, inplace: boolean): Tensor {
  if (!isActive(input, p, training)) return input;
  const mask = p === 1 ? null : channelMask(input, 1 - p).div_(1 - p);
  return inplace ? input.mul_(mask ?? 0) : mul.impl(input, mask ?? 0);
}

/** -scale * alpha of SELU: what a unit that saturates below gives. */
const SATURATED = 1.7580993408473766;

/** Sets to the value that SELU saturates at, then keeps mean and variance (https://arxiv.org/abs/1706.02515). */
function alphaDropoutOf(input: Tensor, p: number, training: boolean, inplace: boolean, perChannel: boolean): Tensor {
  if (!isActive(input, p, training)) return input;
  if (p === 1) return inplace ? input.mul_(0) : mul.impl(input, 0);
  const mask = perChannel ? channelMask(input, 1 - p) : emptyLike(input.detach()).bernoulli_(1 - p);
  const a = 1 / Math.sqrt((SATURATED * SATURATED * p + 1) * (1 - p));
  const shift = mask
    .add(-1)
    .mul_(SATURATED * a)
    .add_(SATURATED * a * p);
  mask.mul_(a);
  return inplace ? input.mul_(mask).add_(shift) : add.impl(mul.impl(input, mask), shift, 1);
}

type Text = 'x(Tensor input, float p=0.5, bool training=True, bool inplace=False)';
type Dropout = Op<Text, (input: Tensor, p: number, training: boolean, inplace: boolean) => Tensor, 'function'>;

function dropoutRow(
  name: string,
  training: 'True' | 'False',
  run: (input: Tensor, p: number, training: boolean, inplace: boolean) => Tensor,
): Dropout {
  return fnOp(
    `${name}(Tensor input, float p=0.5, bool training=${training}, bool inplace=False)` as Text,
    (input: Tensor, p: number, isTraining: boolean, inplace: boolean): Tensor => {
      checkProbability(p);
      return run(input, p, isTraining, inplace);
    },
  );
}

/**
 * Sets elements to zero with probability p and scales the others by 1 / (1 - p) (https://arxiv.org/abs/1207.0580).
 * @param input any shape
 * @param p the probability of an element being dropped (default 0.5)
 * @param training whether to do it at all (default true)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape; the input itself where nothing is dropped
 * @throws RuntimeError unless p is between 0 and 1
 */
export const dropout = dropoutRow('dropout', 'True', (input, p, training, inplace) => {
  if (!isActive(input, p, training)) return input;
  if (!inplace) return dropoutOf(input, p);
  return input.mul_(p === 1 ? 0 : dropoutOf(onesLike(input.detach()), p));
});

/**
 * Dropout for networks of SELU: elements become -1.7581, the value that SELU saturates at, with probability p, and all are mapped
 * so that mean 0 and variance 1 stay (https://arxiv.org/abs/1706.02515).
 * @param input any shape
 * @param p the probability of an element being dropped (default 0.5)
 * @param training whether to do it at all (default false)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape; the input itself where nothing is dropped
 * @throws RuntimeError unless p is between 0 and 1
 */
export const alphaDropout = dropoutRow('alphaDropout', 'False', (input, p, training, inplace) =>
  alphaDropoutOf(input, p, training, inplace, false),
);
/**
 * `alphaDropout` of whole channels of [N, C, ..]; arguments and result as there, training default false.
 * @throws RuntimeError unless p is between 0 and 1, and for fewer than two dimensions
 */
export const featureAlphaDropout = dropoutRow('featureAlphaDropout', 'False', (input, p, training, inplace) =>
  alphaDropoutOf(input, p, training, inplace, true),
);

/** Runs on [N, C, ..] what may come as [C, ..]. */
function batched(input: Tensor, ndim: number, run: (x: Tensor) => Tensor, inplace: boolean): Tensor {
  if (input.ndim === ndim) return run(input);
  const y = run(input.unsqueeze(0));
  return inplace ? input : y.squeeze(0);
}

/**
 * Sets whole channels to zero with probability p and scales the others by 1 / (1 - p) (https://arxiv.org/abs/1411.4280).
 * @param input [N, C, L] or [C, L]
 * @param p the probability of a channel being dropped (default 0.5)
 * @param training whether to do it at all (default true)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape
 * @throws RuntimeError for another number of dimensions, and unless p is between 0 and 1
 */
export const dropout1d = dropoutRow('dropout1d', 'True', (input, p, training, inplace) => {
  if (input.ndim !== 2 && input.ndim !== 3) {
    throw new RuntimeError(
      `dropout1d: Expected 2D or 3D input, but received a ${input.ndim}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).`,
    );
  }
  return batched(input, 3, (x) => featureDropout(x, p, training, inplace), inplace);
});

function warnDims(name: string, ndim: number, spatial: number): void {
  warn(
    `${name}: Received a ${ndim}-D input to ${name}, which is deprecated and will result in an error in a future release. To retain the behavior and silence this warning, please use dropout instead. Note that ${name} exists to provide channel-wise dropout on inputs with ${spatial} spatial dimensions, a channel dimension, and an optional batch dimension (i.e. ${spatial + 1}D or ${spatial + 2}D inputs).`,
  );
}
/**
 * `dropout1d` for [N, C, H, W]; [N, C, L] is taken as `dropout1d` takes it, with a warning. Arguments as there.
 * @throws RuntimeError unless p is between 0 and 1, and for fewer than two dimensions
 */
export const dropout2d = dropoutRow('dropout2d', 'True', (input, p, training, inplace) => {
  if (input.ndim !== 3 && input.ndim !== 4) warnDims('dropout2d', input.ndim, 2);
  if (input.ndim === 3) {
    warn(
      'dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.',
    );
  }
  return featureDropout(input, p, training, inplace);
});
/**
 * `dropout1d` for [N, C, D, H, W] or [C, D, H, W]; other numbers of dimensions warn. Arguments as there.
 * @throws RuntimeError unless p is between 0 and 1
 */
export const dropout3d = dropoutRow('dropout3d', 'True', (input, p, training, inplace) => {
  if (input.ndim !== 4 && input.ndim !== 5) warnDims('dropout3d', input.ndim, 3);
  return batched(input, 5, (x) => featureDropout(x, p, training, inplace), inplace);
});
