// Poolings that are made of others: power-average, unpooling, fractional; the rest is in lib/ops.
import { int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { mul } from '../../ops/arithmetic.js';
import { ge, logicalOr, lt } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { gather, scatter } from '../../ops/gather.js';
import {
  type AdaptiveSize,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from '../../ops/pool.js';
import { rand } from '../../ops/random.js';
import { relu } from '../../ops/activation.js';
import { abs, neg, sign } from '../../ops/unary.js';
import { asNumbers, type Tensor } from '../../tensor/tensor.js';
import { reshaped } from '../../ops/internal/view.js';

export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
} from '../../ops/pool.js';
import { anyTrue } from '../../ops/internal/truth.js';

/** One number per spatial dimension. */
export function perDim(name: string, what: string, v: readonly number[], nd: number): readonly number[] {
  if (v.length === nd) return v;
  if (v.length === 1) return new Array<number>(nd).fill(v[0]!);
  throw new RuntimeError(`${name}: ${what} must either be a single int, or a tuple of ${nd} ints`);
}

type AdaptiveText = 'x(Tensor input, int|int?[] outputSize)';
const ADAPTIVE_MAX = [adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d];
const adaptiveWithIndices = (nd: number) =>
  fnOp(
    `adaptiveMaxPool${nd}dWithIndices(Tensor input, int|int?[] outputSize, bool returnIndices=True)` as AdaptiveText,
    (input: Tensor, size: AdaptiveSize): [values: Tensor, indices: Tensor] =>
      ADAPTIVE_MAX[nd - 1]!.impl(input, size, true) as unknown as [Tensor, Tensor],
  );
/**
 * The maxima of as many windows as asked for, and where they were found; window i of n goes from floor(i L / n) to before
 * ceil((i + 1) L / n).
 * @param input [N, C, L] or [C, L]
 * @param outputSize n: a number or an array of it, in which null keeps the input's size
 * @param returnIndices without meaning here (default true)
 * @returns [values [N, C, n], indices [N, C, n], int64 places in their planes], without N as the input
 * @throws RuntimeError for shapes or sizes that do not fit
 */
export const adaptiveMaxPool1dWithIndices = adaptiveWithIndices(1);
/**
 * `adaptiveMaxPool2d` of [N, C, H, W] or [C, H, W] with the maxima's places (h W + w, int64); arguments as
 * `adaptiveMaxPool1dWithIndices`, outputSize being one number or [height, width].
 */
export const adaptiveMaxPool2dWithIndices = adaptiveWithIndices(2);
/**
 * `adaptiveMaxPool3d` of [N, C, D, H, W] or [C, D, H, W] with the maxima's places ((d H + h) W + w, int64); arguments as
 * `adaptiveMaxPool1dWithIndices`, outputSize being one number or [depth, height, width].
 */
export const adaptiveMaxPool3dWithIndices = adaptiveWithIndices(3);

const MAX = [maxPool1d, maxPool2d, maxPool3d];
function average(
  nd: number,
  x: Tensor,
  kernel: readonly number[],
  stride: readonly number[] | null,
  ceil: boolean,
): Tensor {
  const pad = [0];
  if (nd === 1) return avgPool1d.impl(x, kernel, stride, pad, ceil, true, null);
  return (nd === 2 ? avgPool2d : avgPool3d).impl(x, kernel, stride, pad, ceil, true, null);
}

type LpText = 'x(Tensor input, float normType, int[] kernelSize, int[]? stride=None, bool ceilMode=False)';
const lpPool = (nd: number) =>
  fnOp(
    `lpPool${nd}d(Tensor input, float normType, int[] kernelSize, int[]? stride=None, bool ceilMode=False)` as LpText,
    (
      input: Tensor,
      p: number,
      kernelSize: readonly number[],
      stride: readonly number[] | null,
      ceilMode: boolean,
    ): Tensor => {
      const kernel = perDim(`lp_pool${nd}d`, 'kernel_size', kernelSize, nd);
      if (p === Infinity) return MAX[nd - 1]!.impl(abs.impl(input), kernel, stride, [0], [1], ceilMode, false);
      if (p === -Infinity) {
        return neg.impl(MAX[nd - 1]!.impl(neg.impl(abs.impl(input)), kernel, stride, [0], [1], ceilMode, false));
      }
      const mean = average(nd, input.pow(p), kernel, stride, ceilMode);
      // As PyTorch computes it: the sign is kept, so that the root of a negative sum of odd powers is NaN.
      const positive = mul.impl(sign.impl(mean), relu.impl(abs.impl(mean)));
      return mul
        .impl(
          positive,
          kernel.reduce((a, b) => a * b, 1),
        )
        .pow(1 / p);
    },
  );
/**
 * The power average (sum of x^p)^(1/p) over windows; NaN where the sum is negative, as that of an odd power may be.
 * @param input [N, C, L] or [C, L]
 * @param normType p; Infinity gives the largest |x|, -Infinity the smallest
 * @param kernelSize the window
 * @param stride its step (default null: the kernel)
 * @param ceilMode whether a last window that is not full is kept (default false)
 * @returns [N, C, L'] or [C, L'], L' = floor((L - kernelSize) / stride) + 1 (rounded up with `ceilMode`)
 * @throws RuntimeError for shapes or sizes that do not fit
 */
export const lpPool1d = lpPool(1);
/**
 * (sum of x^p)^(1/p) over windows of [N, C, H, W] or [C, H, W]; arguments as `lpPool1d`, sizes one number or [height, width].
 */
export const lpPool2d = lpPool(2);
/**
 * (sum of x^p)^(1/p) over windows of [N, C, D, H, W] or [C, D, H, W]; arguments as `lpPool1d`, sizes one number or three.
 */
export const lpPool3d = lpPool(3);

/** The sizes before pooling: those asked for if they are possible. */
function unpooledSize(
  input: Tensor,
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  asked: readonly number[] | null,
): readonly number[] {
  const nd = kernel.length;
  const usual = kernel.map((k, d) => (input.shape[input.ndim - nd + d]! - 1) * stride[d]! + k - 2 * padding[d]!);
  let size: readonly number[] = usual;
  if (asked !== null) {
    size = asked.length === nd + 2 ? asked.slice(2) : asked;
    if (size.length !== nd) {
      throw new RuntimeError(
        `output_size should be a sequence containing ${nd} or ${nd + 2} elements, but it has a length of '${size.length}'`,
      );
    }
    size.forEach((n, d) => {
      const [min, max] = [usual[d]! - stride[d]!, usual[d]! + stride[d]!];
      if (!(min < n && n < max)) {
        throw new RuntimeError(
          `invalid output_size "[${size.join(', ')}]" (dim ${d} must be between ${min} and ${max})`,
        );
      }
    });
  }
  size.forEach((n, d) => {
    if (n < 0) {
      throw new RuntimeError(
        `max_unpooling: output_size must contain non-negative spatial dimensions, but got output_size[${d}]=${n}`,
      );
    }
  });
  return size;
}

function flatPlanes(x: Tensor, nd: number): Tensor {
  return reshaped(x, [...x.shape.slice(0, -nd), x.shape.slice(-nd).reduce((a, b) => a * b, 1)]);
}

type UnpoolText =
  'x(Tensor input, Tensor indices, int[] kernelSize, int[]? stride=None, int[] padding=0, int[]? outputSize=None)';
const maxUnpool = (nd: number) =>
  fnOp(
    `maxUnpool${nd}d(Tensor input, Tensor indices, int[] kernelSize, int[]? stride=None, int[] padding=0, int[]? outputSize=None)` as UnpoolText,
    (
      input: Tensor,
      indices: Tensor,
      kernelSize: readonly number[],
      stride: readonly number[] | null,
      padding: readonly number[],
      outputSize: readonly number[] | null,
    ): Tensor => {
      const name = `max_unpool${nd}d`;
      const kernel = perDim(name, 'kernel_size', kernelSize, nd);
      const step = stride === null ? kernel : perDim(name, 'stride', stride, nd);
      // Strides and paddings that default arrive as numbers, not as lists.
      const pad = perDim(name, 'padding', typeof padding === 'number' ? [padding as number] : padding, nd);
      if (indices.dtype !== int64) {
        throw new RuntimeError(`elements in indices should be type int64 but got: ${indices.dtype.name}`);
      }
      if (input.ndim !== nd + 1 && input.ndim !== nd + 2) {
        throw new RuntimeError(
          `Input to ${name} should be a ${nd + 1}d or ${nd + 2}d Tensor, but got tensor with dimension: ${input.ndim}`,
        );
      }
      if (indices.shape.join() !== input.shape.join()) {
        throw new RuntimeError(
          `Expected shape of indices to be same as that of the input tensor ([${input.shape.join(', ')}]) but got indices tensor with shape: [${indices.shape.join(', ')}]`,
        );
      }
      const size = unpooledSize(input, kernel, step, pad, outputSize);
      const volume = size.reduce((a, b) => a * b, 1);
      if (anyTrue(logicalOr.impl(lt.impl(indices, 0), ge.impl(indices, volume)))) {
        throw new RuntimeError(`Found an invalid max index (output volumes are of size ${size.join('x')})`);
      }
      const lead = input.shape.slice(0, -nd);
      const flat = scatter(input.newZeros([...lead, volume]), -1, flatPlanes(indices, nd), flatPlanes(input, nd));
      return reshaped(flat, [...lead, ...size]);
    },
  );
/**
 * Undoes max pooling: puts the elements at the places where the maxima were, zeros elsewhere.
 * @param input [N, C, L] or [C, L]: maxima
 * @param indices of input's shape, int64: what `maxPool1d(.., { returnIndices: true })` gave
 * @param kernelSize that of the pooling
 * @param stride that of the pooling (default null: the kernel)
 * @param padding that of the pooling (default 0)
 * @param outputSize the sizes before pooling, [.., L'] or [L'], where several would have given this input (default null:
 *   L' = (L - 1) stride + kernelSize - 2 padding)
 * @returns [N, C, L'] or [C, L']
 * @throws RuntimeError for sizes that do not fit or places out of range
 */
export const maxUnpool1d = maxUnpool(1);
/**
 * Puts the maxima of `maxPool2d` back to their places: [N, C, H, W] or [C, H, W]; arguments as `maxUnpool1d`, sizes one number or
 * [height, width].
 */
export const maxUnpool2d = maxUnpool(2);
/**
 * Puts the maxima of `maxPool3d` back to their places: [N, C, D, H, W] or [C, D, H, W]; arguments as `maxUnpool1d`, sizes one
 * number or [depth, height, width].
 */
export const maxUnpool3d = maxUnpool(3);

/** Where windows start along one dimension: steps of a random sequence (https://arxiv.org/abs/1412.6071). */
function windowStarts(sample: number, n: number, out: number, kernel: number, round: (v: number) => number): number[] {
  const starts: number[] = [];
  const alpha = out > 1 ? round((n - kernel) / (out - 1)) : 0;
  for (let i = 0; i < out - 1; i++) {
    starts.push(Math.trunc(round(round(i + sample) * alpha)) - Math.trunc(round(sample * alpha)));
  }
  if (out > 0) starts.push(n - kernel);
  return starts;
}

/** Flat places of the elements of all windows of a plane: [prod(out) * prod(kernel)]. */
function windowPlaces(starts: readonly number[][], sizes: readonly number[], kernel: readonly number[]): number[] {
  let places = [0];
  let offsets = [0];
  sizes.forEach((n, d) => {
    places = places.flatMap((at) => starts[d]!.map((s) => at * n + s));
    offsets = offsets.flatMap((at) => Array.from({ length: kernel[d]! }, (_, k) => at * n + k));
  });
  return places.flatMap((at) => offsets.map((offset) => at + offset));
}

type FractionalText =
  'x(Tensor input, int[] kernelSize, int[]? outputSize=None, float[]? outputRatio=None, bool returnIndices=False, Tensor? RandomSamples=None)';

function fractionalBoth(
  nd: number,
  input: Tensor,
  kernelSize: readonly number[],
  outputSize: readonly number[] | null,
  outputRatio: readonly number[] | null,
  randomSamples: Tensor | null,
): [values: Tensor, indices: Tensor] {
  const name = `fractional_max_pool${nd}d`;
  if (outputSize === null && outputRatio === null) {
    throw new RuntimeError(`${name} requires specifying either an output_size or an output_ratio`);
  }
  if (input.ndim !== nd + 1 && input.ndim !== nd + 2) {
    throw new RuntimeError(`${name}: Expected ${nd + 1}D or ${nd + 2}D tensor, but got: [${input.shape.join(', ')}]`);
  }
  const kernel = perDim(name, 'kernel_size', kernelSize, nd);
  const sizes = input.shape.slice(-nd);
  const ratios = outputRatio === null ? null : perDim(name, 'output_ratio', outputRatio, nd);
  const out =
    outputSize === null
      ? sizes.map((n, d) => Math.trunc(n * ratios![d]!))
      : perDim(name, 'output_size', outputSize, nd);
  out.forEach((n, d) => {
    if (n + kernel[d]! - 1 > sizes[d]!) {
      throw new RuntimeError(`${name}: pool size (${kernel[d]}) too large relative to input size (${sizes[d]})`);
    }
  });
  const batch = input.ndim === nd + 1 ? 1 : input.shape[0]!;
  const channels = input.shape[input.ndim - nd - 1]!;
  const samples = randomSamples ?? rand([batch, channels, nd], { dtype: input.dtype, device: input.device });
  const [sets, perSet, perPlane] = samples.shape;
  if (samples.ndim !== 3) throw new RuntimeError(`Expect _random_samples to have 3 dimensions, got ${samples.ndim}`);
  if (sets! < batch) throw new RuntimeError('Expect _random_samples.size(0) no less then input batch size.');
  if (perSet !== channels) throw new RuntimeError('Expect _random_samples.size(1) equals to input channel size.');
  if (perPlane !== nd) throw new RuntimeError(`Expect _random_samples.size(2) equals to ${nd}; got ${perPlane}.`);
  const round = input.dtype.itemsize === 8 ? (v: number) => v : Math.fround;
  // Where nothing is drawn, any windows have the right sizes.
  const values = samples.isMeta ? new Array<number>(samples.numel()).fill(0) : Array.from(asNumbers(samples), Number);
  const planes = batch * channels;
  const places: number[][] = [];
  for (let p = 0; p < planes; p++) {
    // In two dimensions the first sample is that of the width.
    const starts = sizes.map((n, d) =>
      windowStarts(values[p * nd + (nd === 2 ? 1 - d : d)]!, n, out[d]!, kernel[d]!, round),
    );
    places.push(windowPlaces(starts, sizes, kernel));
  }
  const volume = out.reduce((a, b) => a * b, 1);
  const window = kernel.reduce((a, b) => a * b, 1);
  const at = reshaped(input.newTensor(places, { dtype: int64 }), [planes, volume * window]);
  const picked = gather.impl(reshaped(input, [planes, sizes.reduce((a, b) => a * b, 1)]), 1, at, false);
  const best = reshaped(picked, [planes, volume, window]).max(-1, true);
  const shape = [...input.shape.slice(0, -nd), ...out];
  const indices = gather.impl(reshaped(at, [planes, volume, window]), -1, best.indices, false);
  return [reshaped(best.values, shape), reshaped(indices, shape)];
}
const FRACTIONAL_ARGS =
  'Tensor input, int[] kernelSize, int[]? outputSize=None, float[]? outputRatio=None, bool returnIndices=False, Tensor? RandomSamples=None';
const fractional = (nd: number) =>
  fnOp(
    `fractionalMaxPool${nd}d(${FRACTIONAL_ARGS})` as FractionalText,
    (
      input: Tensor,
      kernelSize: readonly number[],
      outputSize: readonly number[] | null,
      outputRatio: readonly number[] | null,
      returnIndices: boolean,
      randomSamples: Tensor | null,
    ): Tensor => {
      const both = fractionalBoth(nd, input, kernelSize, outputSize, outputRatio, randomSamples);
      return returnIndices ? (both as unknown as Tensor) : both[0];
    },
  );
const fractionalWithIndices = (nd: number) =>
  fnOp(
    `fractionalMaxPool${nd}dWithIndices(${FRACTIONAL_ARGS})` as FractionalText,
    (
      input: Tensor,
      kernelSize: readonly number[],
      outputSize: readonly number[] | null,
      outputRatio: readonly number[] | null,
      _returnIndices: boolean,
      randomSamples: Tensor | null,
    ): [values: Tensor, indices: Tensor] =>
      fractionalBoth(nd, input, kernelSize, outputSize, outputRatio, randomSamples),
  );
/**
 * The maxima of windows that start at random places, whose steps average to a fraction (https://arxiv.org/abs/1412.6071).
 * @param input [N, C, H, W] or [C, H, W]
 * @param kernelSize the window, one number or [height, width]
 * @param outputSize the result's sizes (default null), or
 * @param outputRatio their share of the input's (default null); where both are given, outputSize counts
 * @param returnIndices whether to give [values, int64 places in their planes] (default false)
 * @param RandomSamples [N, C, 2] of numbers in [0, 1) in the place of drawn ones (default null)
 * @returns [N, C, H', W'] or [C, H', W'], sizes as given or floor(size ratio)
 * @throws RuntimeError if neither size nor ratio is given, and for sizes that do not fit
 */
export const fractionalMaxPool2d = fractional(2);
/**
 * The maxima of windows at random places of [N, C, D, H, W] or [C, D, H, W]; arguments as `fractionalMaxPool2d`, RandomSamples
 * being [N, C, 3].
 */
export const fractionalMaxPool3d = fractional(3);
/** `fractionalMaxPool2d` as [values, int64 places in their planes]; arguments as there. */
export const fractionalMaxPool2dWithIndices = fractionalWithIndices(2);
/** `fractionalMaxPool3d` as [values, int64 places in their planes]; arguments as there. */
export const fractionalMaxPool3dWithIndices = fractionalWithIndices(3);
