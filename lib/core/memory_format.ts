// The order of dimensions in memory that PyTorch calls a memory format.
import { inWords, RuntimeError } from './errors.js';

/** How many dimensions a tensor must have whose channels come last in memory. */
const RANKS: Readonly<Record<string, number>> = { channelsLast: 4, channelsLast3d: 5 };
const OTHERS: readonly unknown[] = ['contiguousFormat', 'preserveFormat'];

/** Whether a value is one of `torch.contiguousFormat`, `torch.channelsLast` ... */
export function isMemoryFormat(value: unknown): value is string {
  return typeof value === 'string' && (Object.hasOwn(RANKS, value) || OTHERS.includes(value));
}

/** @throws TypeError for something that is no memory format. */
function checked(format: unknown): string {
  if (!isMemoryFormat(format))
    throw new TypeError(`memoryFormat must be a memory format of torch, not ${inWords(format)}`);
  return format;
}

/**
 * The dimensions of a format, outermost first.
 * @throws RuntimeError unless the format has as many.
 */
export function orderOf(ndim: number, format: unknown): number[] {
  const all = Array.from({ length: ndim }, (_, d) => d);
  const rank = RANKS[checked(format)];
  if (rank === undefined) return all;
  if (ndim !== rank) {
    throw new RuntimeError(
      `required rank ${rank} tensor to use ${rank === 4 ? 'channels_last' : 'channels_last_3d'} format`,
    );
  }
  return [0, ...all.slice(2), 1];
}

/** Whether the tensor's own layout serves: no format, or that it be preserved. */
export function keepsFormat(format: unknown): boolean {
  return format === null || format === undefined || checked(format) === 'preserveFormat';
}

/**
 * The strides of a dense tensor in a format other than `preserveFormat`.
 * @throws RuntimeError unless the format has as many dimensions.
 */
export function formatStrides(shape: readonly number[], format: unknown): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (const d of orderOf(shape.length, format).reverse()) {
    strides[d] = step;
    step *= Math.max(1, shape[d]!);
  }
  return strides;
}

/** Whether strides describe elements that fill memory without gaps in the order of a format. */
export function fitsFormat(shape: readonly number[], strides: readonly number[], format: unknown): boolean {
  const name = checked(format);
  if (name === 'preserveFormat')
    throw new RuntimeError('preserve memory format is unsupported by the contiguous operator');
  if (name in RANKS && shape.length !== RANKS[name]) return false;
  if (name === 'contiguousFormat' && shape.includes(0)) return true;
  let expected = 1;
  for (const d of orderOf(shape.length, name).reverse()) {
    if (shape[d] === 1) continue;
    if (strides[d] !== expected) return false;
    expected *= shape[d]!;
  }
  return true;
}
