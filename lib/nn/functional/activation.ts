// Activations as functions: each takes `inplace` and, where PyTorch has it, exists as `name_` too.
import type { DType } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { checkInPlace } from '../../autograd/view.js';
import { needsGrad } from '../../autograd/graph.js';
import * as ops from '../../ops/activation.js';
import { add, div, mul, sub } from '../../ops/arithmetic.js';
import { le } from '../../ops/comparison.js';
import { type Op, fnOp } from '../../ops/define.js';
import { scatter } from '../../ops/gather.js';
import type { InPlace } from '../../ops/rows.js';
import { logSoftmax as logSoftmaxOp, softmax as softmaxOp } from '../../ops/softmax.js';
import { log, neg } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { warn } from '../warn.js';
import { cast } from '../../ops/internal/cast.js';

export {
  gelu,
  hardshrink,
  logsigmoid,
  prelu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
} from '../../ops/activation.js';
export { sigmoid, tanh } from '../../ops/activation.js';

/** The in-place form of a row, with its further arguments. */
export function inPlaceOf(row: InPlace): (self: Tensor, ...params: number[]) => Tensor {
  return row.inPlace as unknown as (self: Tensor, ...params: number[]) => Tensor;
}

type Plain = { readonly impl: (input: Tensor) => Tensor } & InPlace;
type PlainText = 'x(Tensor input, bool inplace=False)';

/** A function of one tensor with `inplace`. */
function plain(name: string, row: Plain): Op<PlainText, (input: Tensor, inplace: boolean) => Tensor, 'function'> {
  const change = inPlaceOf(row);
  return fnOp(
    `${name}(Tensor input, bool inplace=False)` as PlainText,
    (input: Tensor, inplace: boolean): Tensor => (inplace ? change(input) : row.impl(input)),
  );
}
/** The `name_` of such a function. */
function plain_(name: string, row: Plain): Op<'x(Tensor input)', (input: Tensor) => Tensor, 'function'> {
  const change = inPlaceOf(row);
  return fnOp(`${name}(Tensor input)` as 'x(Tensor input)', (input: Tensor): Tensor => change(input));
}

/** max(x, 0), elementwise, of any real type. `inplace` (default false) overwrites the input. */
export const relu = plain('relu', ops.relu);
/**
 * `relu` in place: overwrites and returns its input. RuntimeError for a leaf that requires a gradient, as for all these forms.
 */
export const relu_ = plain_('relu_', ops.relu);
/**
 * min(max(x, 0), 6), elementwise, of any real type (Krizhevsky, 2010). `inplace` (default false) overwrites the input.
 */
export const relu6 = plain('relu6', ops.relu6);
/**
 * The self-normalising exponential unit (https://arxiv.org/abs/1706.02515), elementwise, floating-point:
 * scale (max(x, 0) + min(0, alpha (exp(x) - 1))) with alpha = 1.67326.., scale = 1.05070... `inplace` (default false) overwrites
 * the input.
 */
export const selu = plain('selu', ops.selu);
/** `selu` in place: overwrites and returns its input. */
export const selu_ = plain_('selu_', ops.selu);
/**
 * x sigmoid(x), or swish, elementwise, floating-point (https://arxiv.org/abs/1606.08415). `inplace` (default false) overwrites
 * the input.
 */
export const silu = plain('silu', ops.silu);
/**
 * x tanh(softplus(x)), elementwise, floating-point (https://arxiv.org/abs/1908.08681). `inplace`
 * (default false) overwrites the input.
 */
export const mish = plain('mish', ops.mish);
/**
 * x relu6(x + 3) / 6, elementwise, floating-point (https://arxiv.org/abs/1905.02244). `inplace`
 * (default false) overwrites the input.
 */
export const hardswish = plain('hardswish', ops.hardswish);
/**
 * relu6(x + 3) / 6, elementwise, floating-point: 0 below -3, 1 above 3. `inplace` (default false) overwrites the input.
 */
export const hardsigmoid = plain('hardsigmoid', ops.hardsigmoid);

const eluInPlace = inPlaceOf(ops.elu);
/**
 * The exponential linear unit: x where x > 0, else alpha (exp(x) - 1), elementwise (https://arxiv.org/abs/1511.07289).
 * @param input any shape, floating-point
 * @param alpha minus the limit below (default 1)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 * @throws RuntimeError for integers
 */
export const elu = fnOp(
  'elu(Tensor input, float alpha=1, bool inplace=False)',
  (input: Tensor, alpha: number, inplace: boolean): Tensor =>
    inplace ? eluInPlace(input, alpha) : ops.elu.impl(input, alpha),
);
/**
 * `elu` in place: x where x > 0, else alpha (exp(x) - 1).
 * @param input any shape, floating-point; it is overwritten
 * @param alpha minus the limit below (default 1)
 * @returns the input
 * @throws RuntimeError for a leaf that requires a gradient
 */
export const elu_ = fnOp(
  'elu_(Tensor input, float alpha=1)',
  (input: Tensor, alpha: number): Tensor => eluInPlace(input, alpha),
);

const celuInPlace = inPlaceOf(ops.celu);
/**
 * The exponential linear unit with a continuous slope: x where x > 0, else alpha (exp(x / alpha) - 1), elementwise
 * (https://arxiv.org/abs/1704.07483).
 * @param input any shape, floating-point
 * @param alpha minus the limit below (default 1), not 0
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 * @throws RuntimeError for integers and for an alpha of 0
 */
export const celu = fnOp(
  'celu(Tensor input, float alpha=1, bool inplace=False)',
  (input: Tensor, alpha: number, inplace: boolean): Tensor =>
    inplace ? celuInPlace(input, alpha) : ops.celu.impl(input, alpha),
);
/**
 * `celu` in place: x where x > 0, else alpha (exp(x / alpha) - 1).
 * @param input any shape, floating-point; it is overwritten
 * @param alpha minus the limit below (default 1), not 0
 * @returns the input
 * @throws RuntimeError for an alpha of 0 and for a leaf that requires a gradient
 */
export const celu_ = fnOp(
  'celu_(Tensor input, float alpha=1)',
  (input: Tensor, alpha: number): Tensor => celuInPlace(input, alpha),
);

const leakyInPlace = inPlaceOf(ops.leakyRelu);
/**
 * x where x > 0, else negativeSlope x, elementwise.
 * @param input any shape, floating-point
 * @param negativeSlope the slope below 0 (default 0.01)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 * @throws RuntimeError for integers
 */
export const leakyRelu = fnOp(
  'leakyRelu(Tensor input, float negativeSlope=0.01, bool inplace=False)',
  (input: Tensor, slope: number, inplace: boolean): Tensor =>
    inplace ? leakyInPlace(input, slope) : ops.leakyRelu.impl(input, slope),
);
/**
 * `leakyRelu` in place: x where x > 0, else negativeSlope x.
 * @param input any shape, floating-point; it is overwritten
 * @param negativeSlope the slope below 0 (default 0.01)
 * @returns the input
 * @throws RuntimeError for a leaf that requires a gradient
 */
export const leakyRelu_ = fnOp(
  'leakyRelu_(Tensor input, float negativeSlope=0.01)',
  (input: Tensor, slope: number): Tensor => leakyInPlace(input, slope),
);

const hardtanhInPlace = inPlaceOf(ops.hardtanh);
/**
 * min(max(x, minVal), maxVal), elementwise.
 * @param input any shape
 * @param minVal the lower limit (default -1)
 * @param maxVal the upper limit (default 1)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 * @throws RuntimeError if minVal is above maxVal
 */
export const hardtanh = fnOp(
  'hardtanh(Tensor input, float minVal=-1, float maxVal=1, bool inplace=False)',
  (input: Tensor, min: number, max: number, inplace: boolean): Tensor => {
    if (min > max) throw new RuntimeError('min_val cannot be greater than max_val');
    return inplace ? hardtanhInPlace(input, min, max) : ops.hardtanh.impl(input, min, max);
  },
);
/**
 * `hardtanh` in place: min(max(x, minVal), maxVal).
 * @param input any shape; it is overwritten
 * @param minVal the lower limit (default -1)
 * @param maxVal the upper limit (default 1)
 * @returns the input
 * @throws RuntimeError if minVal is above maxVal, and for a leaf that requires a gradient
 */
export const hardtanh_ = fnOp(
  'hardtanh_(Tensor input, float minVal=-1, float maxVal=1)',
  (input: Tensor, min: number, max: number): Tensor => hardtanh.impl(input, min, max, true),
);

const thresholdInPlace = inPlaceOf(ops.threshold);
/**
 * x where x > threshold, else value, elementwise.
 * @param input any shape
 * @param threshold what elements have to exceed
 * @param value what the others become
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 */
export const threshold = fnOp(
  'threshold(Tensor input, float threshold, float value, bool inplace=False)',
  (input: Tensor, limit: number, value: number, inplace: boolean): Tensor =>
    inplace ? thresholdInPlace(input, limit, value) : ops.threshold.impl(input, limit, value),
);
/**
 * `threshold` in place: x where x > threshold, else value.
 * @param input any shape; it is overwritten
 * @param threshold what elements have to exceed
 * @param value what the others become
 * @returns the input
 * @throws RuntimeError for a leaf that requires a gradient
 */
export const threshold_ = fnOp(
  'threshold_(Tensor input, float threshold, float value)',
  (input: Tensor, limit: number, value: number): Tensor => thresholdInPlace(input, limit, value),
);

/**
 * The gated linear unit a sigmoid(b), where a and b are the first and the second half of a dimension
 * (https://arxiv.org/abs/1612.08083).
 * @param input [.., 2 n, ..]
 * @param dim the dimension that is halved (default -1)
 * @returns [.., n, ..]
 * @throws RuntimeError for a scalar, an odd size and integers; RangeError if the dimension is out of range
 */
export const glu = fnOp('glu(Tensor input, int dim=-1)', (input: Tensor, dim: number): Tensor => {
  if (input.ndim === 0) throw new RuntimeError('glu does not support scalars because halving size must be even');
  return ops.glu.impl(input, dim);
});

/** The slopes of a randomised leaky ReLU: 1 above 0, from U(lower, upper) below. */
function randomSlopes(input: Tensor, lower: number, upper: number): Tensor {
  const below = le.impl(input.detach(), 0);
  if (input.isMeta) return input.newOnes([...input.shape]);
  const n = Number(below.sum().item());
  // As in PyTorch, numbers are drawn for these elements alone, in double precision.
  const drawn = input.detach().newEmpty([n]).double().uniform_(lower, upper);
  return input
    .detach()
    .newOnes([...input.shape])
    .maskedScatter(below, cast(drawn, input.dtype));
}

/**
 * Randomised leaky ReLU: x where x > 0, else a x, with a slope a for each element from U(lower, upper) in training, else
 * a = (lower + upper) / 2 (https://arxiv.org/abs/1505.00853).
 * @param input any shape, floating-point
 * @param lower the least slope (default 1/8)
 * @param upper the greatest slope (default 1/3)
 * @param training whether slopes are drawn (default false)
 * @param inplace whether to overwrite the input (default false)
 * @returns input's shape and type
 * @throws RuntimeError if lower is above upper, and for integers
 */
export const rrelu = fnOp(
  'rrelu(Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False, bool inplace=False)',
  (input: Tensor, lower: number, upper: number, training: boolean, inplace: boolean): Tensor => {
    if (lower > upper) {
      throw new RuntimeError(
        `Lower bound should be less than or equal to the upper bound. Got: lower=${lower} and upper=${upper}`,
      );
    }
    if (!training) return leakyRelu.impl(input, (lower + upper) / 2, inplace);
    const slopes = randomSlopes(input, lower, upper);
    if (!inplace) return mul.impl(input, slopes);
    checkInPlace(input, needsGrad(input));
    return input.mul_(slopes);
  },
);
/**
 * `rrelu` in place: x where x > 0, else x times a slope.
 * @param input any shape, floating-point; it is overwritten
 * @param lower the least slope (default 1/8)
 * @param upper the greatest slope (default 1/3)
 * @param training whether slopes are drawn, not (lower + upper) / 2 (default false)
 * @returns the input
 * @throws RuntimeError if lower is above upper, and for a leaf that requires a gradient
 */
export const rrelu_ = fnOp(
  'rrelu_(Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False)',
  (input: Tensor, lower: number, upper: number, training: boolean): Tensor =>
    rrelu.impl(input, lower, upper, training, true),
);

/** The dimension of a softmax that names none: PyTorch's older choice, with its warning. */
export function implicitDim(name: string, ndim: number): number {
  warn(`Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`);
  return ndim === 0 || ndim === 1 || ndim === 3 ? 0 : 1;
}

const SOFTMAX_ARGS = 'Tensor input, int? dim=None, int Stacklevel=3, ScalarType? dtype=None';
type SoftmaxText = 'x(Tensor input, int? dim=None, int Stacklevel=3, ScalarType? dtype=None)';
type SoftmaxCall = (input: Tensor, dim: number | null, level: number, dtype: DType | null) => Tensor;

function softmaxLike(
  name: string,
  python: string,
  run: (input: Tensor, dim: number, dtype: DType | null) => Tensor,
): Op<SoftmaxText, SoftmaxCall, 'function'> {
  return fnOp(
    `${name}(${SOFTMAX_ARGS})` as SoftmaxText,
    (input: Tensor, dim: number | null, _level: number, dtype: DType | null): Tensor =>
      run(input, dim ?? implicitDim(python, input.ndim), dtype),
  );
}

/**
 * exp(x_i) / sum_j exp(x_j) along `dim`: elements from 0 to 1 that sum to one.
 * @param input any shape, floating-point unless `dtype` is given
 * @param dim the dimension (default null: 0 for 0, 1 or 3 dimensions, else 1, with a warning)
 * @param Stacklevel without meaning here (default 3)
 * @param dtype what the input is converted to first (default null: its own type)
 * @returns input's shape
 * @throws RangeError if the dimension is out of range; RuntimeError for integers
 */
export const softmax = softmaxLike('softmax', 'softmax', softmaxOp.impl);
/** log(softmax(x)) along `dim`, computed as x_i - log(sum_j exp(x_j)); arguments, result and errors as for `softmax`. */
export const logSoftmax = softmaxLike('logSoftmax', 'log_softmax', logSoftmaxOp.impl);
/** softmax(-x) along `dim`: small elements get much; arguments, result and errors as for `softmax`. */
export const softmin = softmaxLike('softmin', 'softmin', (input, dim, dtype) =>
  softmaxOp.impl(neg.impl(input), dim, dtype),
);

/**
 * A sample of categorical distributions that is differentiable: softmax((logits + g) / tau), g drawn from Gumbel's distribution
 * (https://arxiv.org/abs/1611.01144).
 * @param logits [.., C], floating-point: log probabilities, not necessarily normalised
 * @param tau the temperature (default 1): the lower, the nearer to one-hot
 * @param hard whether the result is one-hot, though differentiated as the soft sample (default false)
 * @param eps deprecated, without effect (default 1e-10)
 * @param dim the dimension of the classes (default -1)
 * @returns logits' shape; sums to one along `dim`
 * @throws RuntimeError for integers; RangeError if the dimension is out of range
 */
export const gumbelSoftmax = fnOp(
  'gumbelSoftmax(Tensor logits, float tau=1, bool hard=False, float eps=1e-10, int dim=-1)',
  (logits: Tensor, tau: number, hard: boolean, eps: number, dim: number): Tensor => {
    if (eps !== 1e-10) warn('`eps` parameter is deprecated and has no effect.');
    const noise = neg.impl(
      log.impl(
        logits
          .detach()
          .newEmpty([...logits.shape])
          .exponential_(),
      ),
    );
    const soft = softmaxOp.impl(div.impl(add.impl(logits, noise, 1), tau, null), dim, null);
    if (!hard) return soft;
    const at = soft.detach().max(dim, true).indices;
    const oneHot = scatter(soft.detach().newZeros([...soft.shape]), dim, at, 1);
    return add.impl(sub.impl(oneHot, soft.detach(), 1), soft, 1);
  },
);
