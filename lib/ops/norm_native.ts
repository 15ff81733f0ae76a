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
 * Layer normalisation over the last dimensions, with its statistics; see `layerNorm`.
 * @param input [.., normalizedShape], floating point
 * @param normalizedShape the sizes of the dimensions to normalise over
 * @param weight of shape normalizedShape, or null
 * @param bias of shape normalizedShape, or null
 * @param eps what is added to the variance
 * @returns [result, mean, rstd]: mean and 1 / sqrt(var + eps) of every row are [.., 1, ..] and have no gradients
 * @throws RuntimeError as `layerNorm`
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
 * Group normalisation with its statistics; see `groupNorm`.
 * @param input [N, C, ..] of N * C * HxW elements
 * @param weight [C], or null
 * @param bias [C], or null
 * @param n the batch size N
 * @param c the number of channels C
 * @param hxW the number of elements of a channel
 * @param group how many groups, a divisor of C
 * @param eps what is added to the variance
 * @returns [result, mean, rstd]: mean and 1 / sqrt(var + eps) of every group are [N, group] and have gradients
 * @throws RuntimeError if the sizes do not multiply up to the number of elements, and as `groupNorm`
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
 * Batch normalisation with its statistics; moves the running ones in training. See `batchNorm`.
 * @param input [N, C, ..], floating point
 * @param weight [C], or null
 * @param bias [C], or null
 * @param runningMean [C], or null in training
 * @param runningVar [C], or null in training
 * @param training whether to use the batch's statistics
 * @param momentum how far the running statistics move
 * @param eps what is added to the variance
 * @returns [result, mean, rstd]: the batch's mean and 1 / sqrt(var + eps), [C], without gradients; [0] in evaluation
 * @throws RuntimeError as `batchNorm`
 */
export const nativeBatchNorm = fnOp(
  'nativeBatchNorm(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, bool training, float momentum, float eps)',
  batchStatistics,
);
/**
 * `nativeBatchNorm` under the name that PyTorch gives to its form without aliasing.
 * @param args input [N, C, ..], floating point; weight [C], or null; bias [C], or null; runningMean and runningVar [C], or null
 *   in training, or both left out; training: whether to use the batch's statistics; momentum: how far the running statistics
 *   move; eps: what is added to the variance
 * @returns [result, mean, rstd], as `nativeBatchNorm`
 * @throws RuntimeError as `batchNorm`
 */
export function _native_batch_norm_legit(...args: BatchArgs | ArgsWithoutStatistics): Tensor[] {
  if (typeof args[3] !== 'boolean') return legit(...(args as BatchArgs));
  return legitWithoutStatistics(...(args as ArgsWithoutStatistics));
}
const legit = fnOp(
  '_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, bool training, float momentum, float eps)',
  batchStatistics,
);
type ArgsWithoutStatistics = [
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  training: boolean,
  momentum: number,
  eps: number,
];
const legitWithoutStatistics = fnOp(
  '_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps)',
  (...[input, weight, bias, training, momentum, eps]: ArgsWithoutStatistics): Tensor[] =>
    batchStatistics(input, weight, bias, null, null, training, momentum, eps),
);
