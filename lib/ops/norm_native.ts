// Normalisations that also return the statistics they used: PyTorch's native_batch_norm and its relatives.
import { float32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { fnOp } from './define.js';
import { batchNorm, groupNorm, layerNorm } from './norm.js';
import { varMean } from './reduce.js';
import { rsqrt } from './unary.js';
import { cast } from './internal/cast.js';
import { reshaped } from './internal/view.js';

/** Mean and 1 / sqrt(variance + eps) of the rows of x: [rows, n], in at least float32. */
function statistics(x: Tensor, eps: number): [mean: Tensor, rstd: Tensor] {
  const wide = x.dtype.itemsize === 2 ? cast(x, float32) : x;
  const [variance, mean] = varMean(wide, 1, { correction: 0 }) as [Tensor, Tensor];
  return [mean, rsqrt.impl(variance.add(eps))];
}
/** Statistics are as wide as the parameters: a half-type input alone keeps its own type. */
function stored(t: Tensor, input: Tensor, weight: Tensor | null): Tensor {
  return weight !== null && weight.dtype !== input.dtype ? t : cast(t, input.dtype);
}

/**
 * Layer normalisation over the last dimensions.
 * @returns the result, and the mean and 1 / standard deviation of every row, [.., 1, ..], which have no gradients.
 */
export const nativeLayerNorm = fnOp(
  'nativeLayerNorm(Tensor input, int[] normalizedShape, Tensor? weight, Tensor? bias, float eps)',
  (
    input: Tensor,
    normalizedShape: readonly number[],
    weight: Tensor | null,
    bias: Tensor | null,
    eps: number,
  ): Tensor[] => {
    const y = layerNorm.impl(input, normalizedShape, weight, bias, eps);
    const lead = input.shape.slice(0, input.ndim - normalizedShape.length);
    const rows = lead.reduce((a, b) => a * b, 1);
    const n = normalizedShape.reduce((a, b) => a * b, 1);
    const shape = [...lead, ...normalizedShape.map(() => 1)];
    return [
      y,
      ...statistics(reshaped(input.detach(), [rows, n]), eps).map((t) => reshaped(stored(t, input, weight), shape)),
    ];
  },
);

/**
 * Group normalisation.
 * @param input N * C * HxW elements.
 * @returns the result, and the mean and 1 / standard deviation of every group, [N, group], with gradients.
 */
export const nativeGroupNorm = fnOp(
  'nativeGroupNorm(Tensor input, Tensor? weight, Tensor? bias, int n, int c, int hxW, int group, float eps)',
  (
    input: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    n: number,
    c: number,
    inner: number,
    group: number,
    eps: number,
  ): Tensor[] => {
    if (n * c * inner !== input.numel())
      throw new RuntimeError('Expected N * C * HxW to be the number of elements of the input');
    const y = groupNorm.impl(input, group, weight, bias, eps);
    const rows = reshaped(input, [n * group, group === 0 ? 0 : (c / group) * inner]);
    return [y, ...statistics(rows, eps).map((t) => reshaped(stored(t, input, weight), [n, group]))];
  },
);

type BatchArgs = [
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  training: boolean,
  momentum: number,
  eps: number,
];
function batchStatistics(...[input, weight, bias, mean, variance, training, momentum, eps]: BatchArgs): Tensor[] {
  const y = batchNorm.impl(input, mean, variance, weight, bias, training, momentum, eps);
  if (!training) {
    const none = (): Tensor => stored(input.newEmpty([0], { dtype: float32 }), input, weight);
    return [y, none(), none()];
  }
  const channels = input.shape[1] ?? 1;
  const rows = input
    .detach()
    .transpose(0, 1)
    .reshape(channels, channels === 0 ? 0 : input.numel() / channels);
  return [y, ...statistics(rows, eps).map((t) => stored(t, input, weight))];
}
/**
 * Batch normalisation of [N, C, ..]; moves the running statistics in training.
 * @returns the result, and in training the batch's mean and 1 / standard deviation, [C].
 */
export const nativeBatchNorm = fnOp(
  'nativeBatchNorm(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, bool training, float momentum, float eps)',
  batchStatistics,
);
/** `nativeBatchNorm` under the name that PyTorch gives to its form without aliasing. */
export const _native_batch_norm_legit = fnOp(
  '_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, bool training, float momentum, float eps)',
  batchStatistics,
);
