// Normalisations. First derivatives are one native pass; when they must be differentiated again, the same formula is
// composed of recorded ops.
import { needsGrad, record } from '../autograd/graph.js';
import { gradMode } from '../autograd/mode.js';
import { float32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { fnOp } from './define.js';
import { mean as meanOf, sum } from './reduce.js';
import { rsqrt, square } from './unary.js';
import { reshaped } from './internal/view.js';

const ROW_NORM = nativeOp('row_norm');
const ROW_NORM_BACKWARD = nativeOp('row_norm_backward');
const CHANNEL_STATS = nativeOp('channel_stats');
const CHANNEL_AFFINE = nativeOp('channel_affine');
const CHANNEL_BACKWARD = nativeOp('channel_backward');

/** x: rows of n elements; parameters as native/kernels/norm.h (RowNorm) numbers them. */
interface Rows {
  rows: number;
  groups: number;
  inner: number;
}

/** The gradients of y = (x - mean) rstd w + b over rows, of recorded ops. */
function rowGradients(g: Tensor, x: Tensor, w: Tensor | null, at: Rows, eps: number): (Tensor | null)[] {
  const n = at.rows === 0 ? at.groups * at.inner * (w?.numel() ?? 1) : x.numel() / at.rows;
  const flat = reshaped(x, [at.rows, n]);
  const centred = sub(flat, meanOf(flat, [1], true));
  const rstd = rsqrt(add(meanOf(square(centred), [1], true), eps));
  const xhat = mul(centred, rstd);
  const gRows = reshaped(g, [at.rows, n]);
  // Parameters as [1, groups, n / inner, 1] against rows as [rows / groups, groups, n / inner, inner].
  const four = [at.rows / at.groups, at.groups, n / at.inner, at.inner];
  const scaled =
    w === null
      ? gRows
      : reshaped(mul(reshaped(gRows, four), reshaped(w, [1, at.groups, n / at.inner, 1])), [at.rows, n]);
  const gx = mul(sub(sub(scaled, meanOf(scaled, [1], true)), mul(xhat, meanOf(mul(scaled, xhat), [1], true))), rstd);
  const gw = sum(reshaped(mul(gRows, xhat), four), [0, 3]);
  return [
    reshaped(gx, x.shape),
    w === null ? null : reshaped(gw, w.shape),
    w === null ? null : reshaped(sum(reshaped(gRows, four), [0, 3]), w.shape),
  ];
}

function rowNorm(node: string, x: Tensor, w: Tensor | null, b: Tensor | null, at: Rows, eps: number): Tensor {
  const [y, mu, rstd] = invokeMany(ROW_NORM, x, w, b, at.rows, at.groups, at.inner, eps);
  if (needsGrad(x, w, b)) {
    record(
      node,
      y!,
      [x, w, b],
      [x, w, mu!, rstd!],
      (g, [x0, w0, m, r], needs) => {
        if (gradMode) {
          const [gx, gw, gb] = rowGradients(g, x0!, w0, at, eps);
          return [gx!, gw!, needs[2] ? (gb ?? biasSums(g, b!, at)) : null];
        }
        const [gx, gw, gb] = invokeMany(ROW_NORM_BACKWARD, g, x0!, m!, r!, w0, at.rows, at.groups, at.inner);
        // No row tells how long the bias is.
        const bias = (): Tensor => (at.rows === 0 ? g.newZeros(b!.shape) : reshaped(gb!, b!.shape));
        return [gx!, needs[1] ? reshaped(gw!, w0!.shape) : null, needs[2] ? bias() : null];
      },
      { temporaries: [mu!, rstd!] },
    );
  }
  return y!;
}
function biasSums(g: Tensor, b: Tensor, at: Rows): Tensor {
  const n = g.numel() / at.rows;
  return reshaped(sum(reshaped(g, [at.rows / at.groups, at.groups, n / at.inner, at.inner]), [0, 3]), b.shape);
}

/**
 * Parameters have the input's type; those of an input of a half type may instead be of float32, all of them.
 * @throws RuntimeError for other mixtures.
 */
function checkTypes(input: Tensor, ...given: readonly (Tensor | null)[]): void {
  const params = given.filter((p) => p !== null);
  const other = params.find((p) => p.dtype !== input.dtype);
  if (other === undefined) return;
  if (params[0]!.dtype === input.dtype) {
    throw new RuntimeError(`expected scalar type ${input.dtype.scalarName} but found ${other.dtype.scalarName}`);
  }
  if (params.some((p) => p.dtype !== float32))
    throw new RuntimeError('mixed dtype (CPU): expect parameter to have scalar type of Float');
  if (!input.dtype.isFloatingPoint || input.dtype.itemsize !== 2)
    throw new RuntimeError('mixed dtype (CPU): all inputs must share same datatype.');
}

/**
 * Layer normalisation over the last dimensions: (x - mean) / sqrt(var + eps) * weight + bias with the mean and the biased
 * variance of each row (https://arxiv.org/abs/1607.06450).
 * @param input [.., normalizedShape], floating point
 * @param normalizedShape the sizes of the dimensions to normalise over, at least one
 * @param weight of shape normalizedShape (default null: ones)
 * @param bias of shape normalizedShape (default null: zeros)
 * @param eps what is added to the variance (default 1e-5)
 * @param cudnnEnable has no effect (default true)
 * @returns input's shape and type
 * @throws RuntimeError if shapes or types do not fit: parameters have input's type, or float32 beside a half type
 */
export const layerNorm = fnOp(
  'layerNorm(Tensor input, int[] normalizedShape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnnEnable=True)',
  (
    input: Tensor,
    normalizedShape: readonly number[],
    weight: Tensor | null,
    bias: Tensor | null,
    eps: number,
  ): Tensor => {
    const k = normalizedShape.length;
    if (k === 0)
      throw new RuntimeError(
        `Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []`,
      );
    const tail = input.shape.slice(Math.max(0, input.ndim - k));
    if (tail.join() !== normalizedShape.join()) {
      throw new RuntimeError(
        `Given normalized_shape=[${normalizedShape.join(', ')}], expected input with shape [*, ${normalizedShape.join(', ')}], but got input of size[${input.shape.join(', ')}]`,
      );
    }
    for (const [what, p] of [
      ['weight', weight],
      ['bias', bias],
    ] as const) {
      if (p !== null && p.shape.join() !== normalizedShape.join()) {
        throw new RuntimeError(
          `Expected ${what} to be of same shape as normalized_shape, but got ${what} of shape [${p.shape.join(', ')}] and normalized_shape = [${normalizedShape.join(', ')}]`,
        );
      }
    }
    checkTypes(input, weight, bias);
    const rows = input.shape.slice(0, input.ndim - k).reduce((a, b) => a * b, 1);
    return rowNorm('NativeLayerNormBackward0', input, weight, bias, { rows, groups: 1, inner: 1 }, eps);
  },
);

/**
 * Group normalisation: (x - mean) / sqrt(var + eps) * weight + bias with the mean and the biased variance of each group of
 * channels of each sample (https://arxiv.org/abs/1803.08494).
 * @param input [N, C, ..], floating point
 * @param numGroups how many groups, a divisor of C
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param eps what is added to the variance (default 1e-5)
 * @param cudnnEnabled has no effect (default true)
 * @returns input's shape and type
 * @throws RuntimeError if C cannot be divided by the number of groups, or shapes or types do not fit
 */
export const groupNorm = fnOp(
  'groupNorm(Tensor input, int numGroups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnnEnabled=True)',
  (input: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, eps: number): Tensor => {
    if (input.ndim < 2)
      throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${input.ndim}`);
    const [n, c] = input.shape as [number, number];
    if (groups <= 0) throw new RuntimeError('num groups must be greater than 0');
    if (c % groups !== 0) {
      throw new RuntimeError(
        `Expected number of channels in input to be divisible by num_groups, but got input of shape [${input.shape.join(', ')}] and num_groups=${groups}`,
      );
    }
    for (const [what, p] of [
      ['weight', weight],
      ['bias', bias],
    ] as const) {
      if (p !== null && (p.ndim !== 1 || p.shape[0] !== c)) {
        throw new RuntimeError(
          `Expected ${what} to be a vector of size equal to the number of channels in input, but got ${what} of shape [${p.shape.join(', ')}] and input of shape [${input.shape.join(', ')}]`,
        );
      }
    }
    checkTypes(input, weight, bias);
    const inner = input.shape.slice(2).reduce((a, b) => a * b, 1);
    return rowNorm(
      'NativeGroupNormBackward0',
      input,
      weight,
      bias,
      { rows: n * groups, groups, inner: Math.max(1, inner) },
      eps,
    );
  },
);

/** [C] as [1, C, 1, ..]. */
function perChannel(v: Tensor, ndim: number): Tensor {
  return ndim === 1 ? v : reshaped(v, [1, v.shape[0]!, ...new Array<number>(ndim - 2).fill(1)]);
}
function channelDims(ndim: number): number[] {
  return [0, ...Array.from({ length: Math.max(0, ndim - 2) }, (_, i) => i + 2)];
}
/** The gradients of y = (x - mean) invstd w + b per channel, of recorded ops. */
function channelGradients(
  g: Tensor,
  x: Tensor,
  w: Tensor | null,
  mu: Tensor,
  invstd: Tensor,
  training: boolean,
  eps: number,
): (Tensor | null)[] {
  const dims = channelDims(x.ndim);
  const centred = sub(x, training ? meanOf(x, dims, true) : perChannel(mu, x.ndim));
  const scale = training ? rsqrt(add(meanOf(square(centred), dims, true), eps)) : perChannel(invstd, x.ndim);
  const xhat = mul(centred, scale);
  const gs = w === null ? g : mul(g, perChannel(w, x.ndim));
  const inner = training ? sub(sub(gs, meanOf(gs, dims, true)), mul(xhat, meanOf(mul(gs, xhat), dims, true))) : gs;
  return [mul(inner, scale), sum(mul(g, xhat), dims), sum(g, dims)];
}

/**
 * Refuses vectors that are not of one element per channel, and running statistics that cannot be written: nothing may fail
 * once the first of them has moved.
 */
function checkChannels(
  c: number,
  vectors: readonly (readonly [what: string, vector: Tensor | null])[],
  moving: readonly (Tensor | null)[],
): void {
  for (const [what, p] of vectors) {
    if (p === null) continue;
    if (p.numel() !== c) throw new RuntimeError(`${what} should contain ${c} elements not ${p.numel()}`);
    if (p.ndim !== 1) throw new RuntimeError(`${what} should be a vector, got ${p.ndim} dimensions`);
  }
  for (const running of moving) {
    if (running === null) continue;
    if (!running.dtype.isFloatingPoint)
      throw new RuntimeError(`expected running statistics of a floating-point type, got ${running.dtype.scalarName}`);
    if (c > 1 && running.stride(0) === 0) {
      throw new RuntimeError(
        'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
      );
    }
  }
}

/** Moves the running statistics in place towards those of the batch; `n` elements per channel. */
function updateRunning(running: Tensor, batch: Tensor, momentum: number): void {
  running
    .detach()
    .mul_(1 - momentum)
    .add_(batch, { alpha: momentum });
}

/**
 * Batch normalisation: (x - mean) / sqrt(var + eps) * weight + bias for each channel, with the mean and the biased variance
 * of the batch in training, else with the running ones (https://arxiv.org/abs/1502.03167). In training the running statistics
 * move in place: r = (1 - momentum) r + momentum batch, with the unbiased variance.
 * @param input [N, C, ..], floating point
 * @param runningMean [C], or null in training
 * @param runningVar [C], or null in training
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param training whether to use the batch's statistics (default false)
 * @param momentum how far the running statistics move (default 0.1)
 * @param eps what is added to the variance (default 1e-5)
 * @param cudnnEnabled has no effect (default true)
 * @returns input's shape and type
 * @throws RuntimeError if a vector has not C elements or not input's type (float32 is taken beside a half type), and if running
 *   statistics are missing in evaluation or cannot be written
 */
export const batchNorm = fnOp(
  'batchNorm(Tensor input, Tensor? runningMean, Tensor? runningVar, Tensor? weight=None, Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05, bool cudnnEnabled=True)',
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
    const c = input.shape[1] ?? 1;
    checkChannels(
      c,
      [
        ['running_mean', runningMean],
        ['running_var', runningVar],
        ['weight', weight],
        ['bias', bias],
      ],
      training ? [runningMean, runningVar] : [],
    );
    if (!training && (runningMean === null || runningVar === null)) {
      throw new RuntimeError(
        `${runningMean === null ? 'running_mean' : 'running_var'} must be defined in evaluation mode`,
      );
    }
    checkTypes(input, weight, bias, runningMean, runningVar);
    const n = c === 0 ? 0 : input.numel() / c;
    const [mu, variance] = training
      ? (invokeMany(CHANNEL_STATS, input) as [Tensor, Tensor])
      : [runningMean!.detach(), runningVar!.detach()];
    const invstd = rsqrt(add(variance, eps));
    const scale = weight === null ? invstd : mul(invstd, weight.detach());
    const shift = sub(bias === null ? mul(mu, 0) : bias.detach(), mul(mu, scale));
    const y = invoke(CHANNEL_AFFINE, input, scale, shift);
    if (training && runningMean !== null) updateRunning(runningMean, mu, momentum);
    if (training && runningVar !== null) updateRunning(runningVar, mul(variance, n / (n - 1)), momentum);
    if (needsGrad(input, weight, bias)) {
      record(
        'NativeBatchNormBackward0',
        y,
        [input, weight, bias],
        [input, weight, mu, invstd],
        (g, [x0, w0, m, s], needs) => {
          if (gradMode) {
            const [gx, gw, gb] = channelGradients(g, x0!, w0, m!, s!, training, eps);
            return [gx!, needs[1] ? gw! : null, needs[2] ? gb! : null];
          }
          const [gx, gw, gb] = invokeMany(CHANNEL_BACKWARD, g, x0!, m!, s!, w0, training);
          return [gx!, needs[1] ? gw! : null, needs[2] ? gb! : null];
        },
      );
    }
    return y;
  },
);

/**
 * Instance normalisation: (x - mean) / sqrt(var + eps) * weight + bias with the mean and the biased variance of each channel
 * of each sample (https://arxiv.org/abs/1607.08022). Running statistics move towards the batch's means of these.
 * @param input [N, C, ..], floating point
 * @param runningMean [C] (default null)
 * @param runningVar [C] (default null)
 * @param weight [C] (default null: ones)
 * @param bias [C] (default null: zeros)
 * @param useInputStats false takes the running statistics instead, as `batchNorm` in evaluation (default true)
 * @param momentum how far the running statistics move (default 0.1)
 * @param eps what is added to the variance (default 1e-5)
 * @param cudnnEnabled has no effect (default true)
 * @returns input's shape and type
 * @throws RuntimeError if input has fewer than two dimensions, a vector has not C elements or running statistics are missing
 */
export const instanceNorm = fnOp(
  'instanceNorm(Tensor input, Tensor? runningMean=None, Tensor? runningVar=None, Tensor? weight=None, Tensor? bias=None, bool useInputStats=True, float momentum=0.1, float eps=1e-05, bool cudnnEnabled=True)',
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
    if (input.ndim < 2)
      throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${input.ndim}`);
    if (!useInputStats) return batchNorm(input, runningMean, runningVar, weight, bias, false, momentum, eps);
    const [n, c] = input.shape as [number, number];
    const inner = input.shape.slice(2).reduce((a, b) => a * b, 1);
    checkChannels(
      c,
      [
        ['running_mean', runningMean],
        ['running_var', runningVar],
        ['weight', weight],
        ['bias', bias],
      ],
      [runningMean, runningVar],
    );
    const y = rowNorm(
      'NativeBatchNormBackward0',
      input,
      weight,
      bias,
      { rows: n * c, groups: c, inner: Math.max(1, inner) },
      eps,
    );
    if (runningMean !== null || runningVar !== null) {
      const flat = reshaped(input.detach(), [1, n * c, inner]);
      const [mu, variance] = invokeMany(CHANNEL_STATS, flat) as [Tensor, Tensor];
      if (runningMean !== null) updateRunning(runningMean, meanOf(reshaped(mu, [n, c]), [0]), momentum);
      if (runningVar !== null)
        updateRunning(runningVar, meanOf(reshaped(mul(variance, inner / (inner - 1)), [n, c]), [0]), momentum);
    }
    return y;
  },
);
