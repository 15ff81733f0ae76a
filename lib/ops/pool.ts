// Pooling over one to three spatial dimensions: [N, C, ..] or [C, ..].
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { fnOp } from './define.js';
import { scatterPlanes } from './internal/scatter_planes.js';

const MAX_POOL = nativeOp('max_pool');
const AVG_POOL = nativeOp('avg_pool');
const AVG_POOL_BACKWARD = nativeOp('avg_pool_backward');
const ADAPTIVE_AVG = nativeOp('adaptive_avg_pool');
const ADAPTIVE_AVG_BACKWARD = nativeOp('adaptive_avg_pool_backward');
const ADAPTIVE_MAX = nativeOp('adaptive_max_pool');

/** As `scatterPlanes` with the roles exchanged: x at the places of `indices`. */
function recordMax(node: string, x: Tensor, values: Tensor, indices: Tensor, nd: number): void {
  if (!needsGrad(x)) return;
  const shape = x.shape;
  record(node, values, [x], [indices], (g, [at]) => [scatterPlanes(g, at, shape, nd)]);
}

type Both = [values: Tensor, indices: Tensor];
type MaxArgs = [
  kernel: readonly number[],
  stride: readonly number[] | null,
  padding: readonly number[],
  dilation: readonly number[],
  ceil: boolean,
];
const maxPoolNative = (nd: number, input: Tensor, args: MaxArgs, withIndices: boolean): Tensor[] => {
  const [kernel, stride, padding, dilation, ceil] = args;
  const step = stride === null || stride.length === 0 ? kernel : stride;
  return invokeMany(MAX_POOL, input, nd, kernel, step, padding, dilation, ceil, withIndices);
};
function maxPoolBoth(nd: number, input: Tensor, ...args: MaxArgs): Both {
  const [values, indices] = maxPoolNative(nd, input, args, true);
  recordMax(`MaxPool${nd}DWithIndicesBackward0`, input, values!, indices!, nd);
  return [values!, indices!];
}
const MAX_ARGS =
  'Tensor input, int[] kernelSize, int[]? stride=None, int[] padding=0, int[] dilation=1, bool ceilMode=False';
type MaxText =
  'x(Tensor input, int[] kernelSize, int[]? stride=None, int[] padding=0, int[] dilation=1, bool ceilMode=False)';
type MaxFlagText =
  'x(Tensor input, int[] kernelSize, int[]? stride=None, int[] padding=0, int[] dilation=1, bool ceilMode=False, bool returnIndices=False)';
const maxPool = (nd: number) =>
  fnOp(
    `maxPool${nd}d(${MAX_ARGS}, bool returnIndices=False)` as MaxFlagText,
    (
      input: Tensor,
      kernel: readonly number[],
      stride: readonly number[] | null,
      padding: readonly number[],
      dilation: readonly number[],
      ceil: boolean,
      returnIndices: boolean,
    ): Tensor => {
      // Finding where a maximum lies takes longer than finding it.
      if (!returnIndices && !needsGrad(input))
        return maxPoolNative(nd, input, [kernel, stride, padding, dilation, ceil], false)[0]!;
      const both = maxPoolBoth(nd, input, kernel, stride, padding, dilation, ceil);
      return returnIndices ? (both as unknown as Tensor) : both[0];
    },
  );
const maxPoolWithIndices = (nd: number) =>
  fnOp(
    `maxPool${nd}dWithIndices(${MAX_ARGS}, bool returnIndices=True)` as MaxText,
    (
      input: Tensor,
      kernel: readonly number[],
      stride: readonly number[] | null,
      padding: readonly number[],
      dilation: readonly number[],
      ceil: boolean,
    ): Both => maxPoolBoth(nd, input, kernel, stride, padding, dilation, ceil),
  );
/**
 * The largest element of each window; NaN wins. Padding counts as -Infinity.
 * @param input [N, C, L] or [C, L]
 * @param kernelSize the window's length
 * @param stride the distance of neighbouring windows (default null: kernelSize)
 * @param padding how many places are thought at each end, at most half of a window (default 0)
 * @param dilation the distance between a window's elements (default 1)
 * @param ceilMode whether a last window that begins inside may reach beyond the end (default false)
 * @param returnIndices whether to return [values, indices] (default false)
 * @returns [N, C, floor((L + 2 padding - dilation (kernelSize - 1) - 1) / stride) + 1], with ceil for floor in ceilMode;
 *   indices are int64 places in the flattened plane
 * @throws RuntimeError for another number of dimensions, settings out of their range, or if no window fits
 */
export const maxPool1d = maxPool(1);
/** The maxima of windows of [N, C, H, W] or [C, H, W]; arguments (one number or one per dimension) as for `maxPool1d`. */
export const maxPool2d = maxPool(2);
/**
 * The maxima of windows of [N, C, D, H, W] or [C, D, H, W]; arguments (one number or one per dimension) as for `maxPool1d`.
 */
export const maxPool3d = maxPool(3);
/** As `maxPool1d`, but always [values, indices], with int64 places in the flattened plane. */
export const maxPool1dWithIndices = maxPoolWithIndices(1);
/** As `maxPool2d`, but always [values, indices], with int64 places in the flattened plane H x W. */
export const maxPool2dWithIndices = maxPoolWithIndices(2);
/** As `maxPool3d`, but always [values, indices], with int64 places in the flattened volume D x H x W. */
export const maxPool3dWithIndices = maxPoolWithIndices(3);

/** The gradient of average pooling is linear; its own gradient is the pooling itself. */
function avgBackward(g: Tensor, x: Tensor, nd: number, args: AvgArgs): Tensor {
  const y = invoke(AVG_POOL_BACKWARD, g, x, nd, ...args);
  if (needsGrad(g)) record('AvgPoolBackwardBackward0', y, [g], [], (gg) => [avgForward(gg, nd, args)]);
  return y;
}
type AvgArgs = [
  kernel: readonly number[],
  stride: readonly number[],
  padding: readonly number[],
  ceil: boolean,
  countPad: boolean,
  divisor: number | null,
];
function avgForward(input: Tensor, nd: number, args: AvgArgs): Tensor {
  const y = invoke(AVG_POOL, input, nd, ...args);
  if (needsGrad(input))
    record(`AvgPool${nd}DBackward0`, y, [input], [input], (g, [x]) => [avgBackward(g, x, nd, args)]);
  return y;
}
type AvgText =
  'x(Tensor input, int[] kernelSize, int[]? stride=None, int[] padding=0, bool ceilMode=False, bool countIncludePad=True, int? divisorOverride=None)';
const avgPool = (nd: number) =>
  fnOp(
    `avgPool${nd}d(Tensor input, int[] kernelSize, int[]? stride=None, int[] padding=0, bool ceilMode=False, bool countIncludePad=True${nd === 1 ? '' : ', int? divisorOverride=None'})` as AvgText,
    (
      input: Tensor,
      kernel: readonly number[],
      stride: readonly number[] | null,
      padding: readonly number[],
      ceil: boolean,
      countPad: boolean,
      divisor: number | null,
    ): Tensor =>
      avgForward(input, nd, [
        kernel,
        stride === null || stride.length === 0 ? kernel : stride,
        padding,
        ceil,
        countPad,
        divisor ?? null,
      ]),
  );
/**
 * The mean of each window. Padding counts as 0.
 * @param input [N, C, L] or [C, L]
 * @param kernelSize the window's length
 * @param stride the distance of neighbouring windows (default null: kernelSize)
 * @param padding how many places are thought at each end, at most half of a window (default 0)
 * @param ceilMode whether a last window that begins inside may reach beyond the end (default false)
 * @param countIncludePad whether padding counts in the number that a sum is divided by (default true)
 * @returns [N, C, floor((L + 2 padding - kernelSize) / stride) + 1], with ceil for floor in ceilMode
 * @throws RuntimeError for another number of dimensions, settings out of their range, or if no window fits
 */
export const avgPool1d = avgPool(1);
/**
 * The means of windows of [N, C, H, W] or [C, H, W]; arguments (one number or one per dimension) as for `avgPool1d`.
 * @param divisorOverride what sums are divided by instead of the number of elements, not 0 (default null)
 */
export const avgPool2d = avgPool(2);
/**
 * The means of windows of [N, C, D, H, W] or [C, D, H, W]; arguments (one number or one per dimension) as for `avgPool1d`.
 * @param divisorOverride what sums are divided by instead of the number of elements, not 0 (default null)
 */
export const avgPool3d = avgPool(3);

/** The output's sizes: one number for all dimensions or one for each; null in their list keeps the input's. */
export type AdaptiveSize = number | readonly (number | null)[];

/** Output sizes with null (as the input) filled in. */
function outputSize(name: string, input: Tensor, size: AdaptiveSize, nd: number): number[] {
  const given = typeof size === 'number' ? new Array<number>(nd).fill(size) : size;
  if (given.length !== nd) throw new RuntimeError(`${name}: output_size must be ${nd}`);
  return given.map((n, i) => n ?? input.shape[input.ndim - nd + i]!);
}
function adaptiveAvgBackward(g: Tensor, x: Tensor, nd: number, size: readonly number[]): Tensor {
  const y = invoke(ADAPTIVE_AVG_BACKWARD, g, x, nd);
  if (needsGrad(g)) record('AdaptiveAvgPoolBackwardBackward0', y, [g], [], (gg) => [adaptiveAvgForward(gg, nd, size)]);
  return y;
}
function adaptiveAvgForward(input: Tensor, nd: number, size: readonly number[]): Tensor {
  const y = invoke(ADAPTIVE_AVG, input, nd, size);
  if (needsGrad(input))
    record(`AdaptiveAvgPool${nd}DBackward0`, y, [input], [input], (g, [x]) => [adaptiveAvgBackward(g, x, nd, size)]);
  return y;
}
const adaptiveAvg = (nd: number) =>
  fnOp(
    `adaptiveAvgPool${nd}d(Tensor input, int|int?[] outputSize)` as 'x(Tensor input, int|int?[] outputSize)',
    (input: Tensor, size: AdaptiveSize): Tensor =>
      adaptiveAvgForward(input, nd, outputSize(`adaptive_avg_pool${nd}d`, input, size, nd)),
  );
/**
 * The means of as many windows as the output has places: place i of n takes floor(i L / n) to ceil((i + 1) L / n).
 * @param input [N, C, L] or [C, L]
 * @param outputSize the number of places n, or an array with it, in which null keeps L
 * @returns [N, C, n]
 * @throws RuntimeError for another number of dimensions or a negative size; TypeError for a size that is not whole
 */
export const adaptiveAvgPool1d = adaptiveAvg(1);
/**
 * The means of as many windows of [N, C, H, W] or [C, H, W] as the output has places, chosen as by `adaptiveAvgPool1d`.
 * @param outputSize a number for both dimensions, or an array of two, in which null keeps a size
 * @returns [N, C, H', W']
 */
export const adaptiveAvgPool2d = adaptiveAvg(2);
/**
 * The means of as many windows of [N, C, D, H, W] or [C, D, H, W] as the output has places, chosen as by `adaptiveAvgPool1d`.
 * @param outputSize a number for all dimensions, or an array of three, in which null keeps a size
 * @returns [N, C, D', H', W']
 */
export const adaptiveAvgPool3d = adaptiveAvg(3);

function adaptiveMaxBoth(nd: number, input: Tensor, size: AdaptiveSize): Both {
  const [values, indices] = invokeMany(ADAPTIVE_MAX, input, nd, outputSize(`adaptive_max_pool${nd}d`, input, size, nd));
  recordMax(`AdaptiveMaxPool${nd}DBackward0`, input, values!, indices!, nd);
  return [values!, indices!];
}
const adaptiveMax = (nd: number) =>
  fnOp(
    `adaptiveMaxPool${nd}d(Tensor input, int|int?[] outputSize, bool returnIndices=False)` as 'x(Tensor input, int|int?[] outputSize, bool returnIndices=False)',
    (input: Tensor, size: AdaptiveSize, returnIndices: boolean): Tensor => {
      const both = adaptiveMaxBoth(nd, input, size);
      return returnIndices ? (both as unknown as Tensor) : both[0];
    },
  );
/**
 * The maxima of as many windows as the output has places, chosen as by `adaptiveAvgPool1d`.
 * @param input [N, C, L] or [C, L]
 * @param outputSize the number of places n, or an array with it, in which null keeps L
 * @param returnIndices whether to return [values, indices], with int64 places in the flattened plane (default false)
 * @returns [N, C, n]
 * @throws RuntimeError for another number of dimensions or a negative size; TypeError for a size that is not whole
 */
export const adaptiveMaxPool1d = adaptiveMax(1);
/**
 * The maxima of as many windows of [N, C, H, W] or [C, H, W] as the output has places; arguments as for `adaptiveMaxPool1d`.
 * @param outputSize a number for both dimensions, or an array of two, in which null keeps a size
 * @returns [N, C, H', W'], or [values, indices]
 */
export const adaptiveMaxPool2d = adaptiveMax(2);
/**
 * The maxima of as many windows of [N, C, D, H, W] or [C, D, H, W] as the output has places; arguments as for
 * `adaptiveMaxPool1d`.
 * @param outputSize a number for all dimensions, or an array of three, in which null keeps a size
 * @returns [N, C, D', H', W'], or [values, indices]
 */
export const adaptiveMaxPool3d = adaptiveMax(3);
