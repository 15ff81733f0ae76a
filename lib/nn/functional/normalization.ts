// Normalisations with PyTorch's checks, and those that are made of others.
import { needsGrad, record } from '../../autograd/graph.js';
import { gradMode, unrecorded } from '../../autograd/mode.js';
import { float32 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { add, div, mul, sub } from '../../ops/arithmetic.js';
import { fnOp } from '../../ops/define.js';
import * as ops from '../../ops/norm.js';
import { avgPool2d, avgPool3d } from '../../ops/pool.js';
import { mean } from '../../ops/reduce.js';
import { rsqrt, square } from '../../ops/unary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { padConstant } from './padding.js';
import { sizeText } from './reduction.js';
import { cast } from '../../ops/internal/cast.js';
import { sumTo } from '../../ops/internal/reduction.js';
import { reshaped } from '../../ops/internal/view.js';

export { layerNorm } from '../../ops/norm.js';

/** Throws if each channel has one value only, whose variance would be nothing. */
function checkBatchSize(shape: readonly number[]): void {
  let n = shape[0]!;
  for (let d = 2; d < shape.length; d++) n *= shape[d]!;
  if (n === 1) {
    throw new RuntimeError(
      `Expected more than 1 value per channel when training, got input size torch.Size([${shape.join(', ')}])`,
    );
  }
}

/** Nothing to normalise: no statistics are looked at, and the parameters stay in the graph. */
function emptyBatch(input: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  let y = input.clone();
  if (weight !== null && weight.numel() > 0) y = mul.impl(y, weight.select(0, 0));
  if (bias !== null && bias.numel() > 0) y = add.impl(y, bias.select(0, 0), 1);
  return y;
}

/**
 * Normalises each channel over the batch: y = (x - mean) / sqrt(var + eps) weight + bias (https://arxiv.org/abs/1502.03167).
 * @param input [N, C, ..]
 * @param runningMean [C] or null: moves in place in training, is used otherwise
 * @param runningVar [C] or null: likewise (by the unbiased variance)
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param training whether the batch's own mean and (biased) variance are used (default false)
 * @param momentum how far running statistics move (default 0.1): running = (1 - momentum) running + momentum batch
 * @param eps added to the variance (default 1e-5), in training positive
 * @returns input's shape
 * @throws RuntimeError for sizes that do not fit, one value per channel in training, or a negative eps
 */
export const batchNorm = fnOp(
  'batchNorm(Tensor input, Tensor? runningMean, Tensor? runningVar, Tensor? weight=None, Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05)',
  (
    input: Tensor,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    weight: Tensor | null,
    bias: Tensor | null,
    training: boolean,
    momentum: number,
    eps: number,
  ): Tensor => {
    if (training) {
      checkBatchSize(input.shape);
      if (eps <= 0) throw new RuntimeError(`batch_norm eps must be positive during training, but got ${eps}`);
    } else if (eps < 0) throw new RuntimeError(`batch_norm eps must be non-negative, but got ${eps}`);
    if (input.numel() === 0) return emptyBatch(input, weight, bias);
    return ops.batchNorm.impl(input, runningMean, runningVar, weight, bias, training, momentum, eps);
  },
);

/**
 * Normalises each channel of each sample: y = (x - mean) / sqrt(var + eps) weight + bias (https://arxiv.org/abs/1607.08022).
 * @param input [N, C, L, ..]
 * @param runningMean [C] (default null): moves in place with `useInputStats`, is used otherwise
 * @param runningVar [C] (default null): likewise
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param useInputStats whether the sample's own statistics are used, not the running ones (default true)
 * @param momentum how far running statistics move (default 0.1)
 * @param eps added to the variance (default 1e-5)
 * @returns input's shape
 * @throws RuntimeError for sizes that do not fit, and with `useInputStats` for a single place per channel
 */
export const instanceNorm = fnOp(
  'instanceNorm(Tensor input, Tensor? runningMean=None, Tensor? runningVar=None, Tensor? weight=None, Tensor? bias=None, bool useInputStats=True, float momentum=0.1, float eps=1e-05)',
  (
    input: Tensor,
    runningMean: Tensor | null,
    runningVar: Tensor | null,
    weight: Tensor | null,
    bias: Tensor | null,
    useInputStats: boolean,
    momentum: number,
    eps: number,
  ): Tensor => {
    if (useInputStats && input.shape.slice(2).reduce((a, b) => a * b, 1) === 1) {
      throw new RuntimeError(`Expected more than 1 spatial element when training, got input size ${sizeText(input)}`);
    }
    return ops.instanceNorm.impl(input, runningMean, runningVar, weight, bias, useInputStats, momentum, eps);
  },
);

/**
 * Normalises groups of channels of each sample: y = (x - mean) / sqrt(var + eps) weight + bias, with mean and variance over the
 * channels of a group and all places (https://arxiv.org/abs/1803.08494).
 * @param input [N, C, ..]
 * @param numGroups how many groups; it divides C
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param eps added to the variance (default 1e-5)
 * @returns input's shape
 * @throws RuntimeError for fewer than two dimensions, sizes that do not fit, or one value per group in a batch of one
 */
export const groupNorm = fnOp(
  'groupNorm(Tensor input, int numGroups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05)',
  (input: Tensor, numGroups: number, weight: Tensor | null, bias: Tensor | null, eps: number): Tensor => {
    if (input.ndim < 2) {
      throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${input.ndim}`);
    }
    const [n, c, ...spatial] = input.shape as [number, number, ...number[]];
    checkBatchSize([Math.floor((n * c) / numGroups), numGroups, ...spatial]);
    return ops.groupNorm.impl(input, numGroups, weight, bias, eps);
  },
);

/** The smallest number that makes a difference when added to one. */
function machineEpsilon(name: string): number {
  return { float64: 2 ** -52, float16: 2 ** -10, bfloat16: 2 ** -7 }[name] ?? 2 ** -23;
}

function scaled(x: Tensor, r: Tensor, weight: Tensor | null): Tensor {
  const unit = mul.impl(x, r);
  return weight === null ? unit : mul.impl(unit, weight);
}

/** y = x r w with r = 1 / sqrt(mean(x^2) + eps): gx = r (gw - x r^2 mean(gw x)) with gw = g w. */
function rmsNode(x: Tensor, weight: Tensor | null, dims: readonly number[], eps: number): Tensor {
  const scaleOf = (t: Tensor): Tensor => rsqrt.impl(add.impl(mean.impl(square.impl(t), dims, true, null), eps, 1));
  const r = unrecorded(scaleOf, x);
  const y = unrecorded(scaled, x, r, weight);
  if (needsGrad(x, weight)) {
    record('FusedRmsNormBackward0', y, [x, weight], [x, weight, r], (g, [x0, w, saved], needs) => {
      const scale = gradMode ? scaleOf(x0!) : saved!;
      const gw = w === null ? g : mul.impl(g, w);
      const unit = mul.impl(x0!, scale);
      const gx = needs[0]
        ? mul.impl(sub.impl(gw, mul.impl(unit, mean.impl(mul.impl(gw, unit), dims, true, null)), 1), scale)
        : null;
      return [gx, needs[1] ? sumTo(mul.impl(g, unit), w!.shape) : null];
    });
  }
  return y;
}

/**
 * Divides by the root of the mean square over the last dimensions: y = x / sqrt(mean(x^2) + eps) weight
 * (https://arxiv.org/abs/1910.07467). Half types are computed in float32.
 * @param input [.., ...normalizedShape], floating-point or complex
 * @param normalizedShape the last sizes
 * @param weight of shape normalizedShape (default null: ones)
 * @param eps added to the mean square (default null: the machine epsilon of input's type)
 * @returns input's shape and type
 * @throws RuntimeError if the input does not end in that shape, and for a weight of another one
 */
export const rmsNorm = fnOp(
  'rmsNorm(Tensor input, int[] normalizedShape, Tensor? weight=None, float? eps=None)',
  (input: Tensor, normalizedShape: readonly number[], weight: Tensor | null, eps: number | null): Tensor => {
    const k = normalizedShape.length;
    const text = normalizedShape.join(', ');
    if (k === 0) {
      throw new RuntimeError(
        'Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []',
      );
    }
    if (weight !== null && weight.shape.join(', ') !== text) {
      throw new RuntimeError(
        `Expected weight to be of same shape as normalized_shape, but got weight of shape [${weight.shape.join(', ')}] and normalized_shape = [${text}]`,
      );
    }
    if (input.ndim < k || input.shape.slice(input.ndim - k).join(', ') !== text) {
      throw new RuntimeError(
        `Given normalized_shape=[${text}], expected input with shape [*, ${text}], but got input of size[${input.shape.join(', ')}]`,
      );
    }
    const dims = Array.from({ length: k }, (_, i) => i - k);
    const e = eps ?? machineEpsilon(input.dtype.name);
    if (input.dtype.isComplex) {
      const unit = mul.impl(input, rsqrt.impl(add.impl(mean.impl(square.impl(input), dims, true, null), e, 1)));
      return weight === null ? unit : cast(mul.impl(unit, weight), input.dtype);
    }
    // Half types are computed in float32 and rounded once.
    if (input.dtype.itemsize !== 2) return cast(rmsNode(input, weight, dims, e), input.dtype);
    const wide = rmsNode(cast(input, float32), weight === null ? null : cast(weight, float32), dims, e);
    return cast(wide, input.dtype);
  },
);

/**
 * Divides by what neighbouring channels say: x_c / (k + alpha mean of x^2 over `size` channels around c)^beta, channels beyond
 * the ends being zero (Krizhevsky et al., 2012).
 * @param input [N, C, d1, ..]
 * @param size how many channels
 * @param alpha the weight of the mean (default 1e-4)
 * @param beta the exponent (default 0.75)
 * @param k added to the mean (default 1)
 * @returns input's shape
 * @throws RuntimeError for fewer than 3 dimensions
 */
export const localResponseNorm = fnOp(
  'localResponseNorm(Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1)',
  (input: Tensor, size: number, alpha: number, beta: number, k: number): Tensor => {
    if (input.ndim < 3) {
      throw new RuntimeError(`Expected 3D or higher dimensionality input (got ${input.ndim} dimensions)`);
    }
    if (input.numel() === 0) return input;
    const before = Math.floor(size / 2);
    const after = Math.floor((size - 1) / 2);
    const squares = square.impl(input);
    let means: Tensor;
    if (input.ndim === 3) {
      const padded = padConstant(squares.unsqueeze(1), [0, 0, before, after], 0);
      means = avgPool2d.impl(padded, [size, 1], [1], [0], false, true, null).squeeze(1);
    } else {
      const [n, c, h] = input.shape as [number, number, number];
      const rest = input.shape.slice(3).reduce((a, b) => a * b, 1);
      const padded = padConstant(reshaped(squares, [n, 1, c, h, rest]), [0, 0, 0, 0, before, after], 0);
      means = reshaped(avgPool3d.impl(padded, [size, 1, 1], [1], [0], false, true, null), input.shape);
    }
    return div.impl(input, add.impl(mul.impl(means, alpha), k, 1).pow(beta), null);
  },
);
