// Targets that are classes: what fits, what counts, and the gradient of what they pick.
import { unrecorded } from '../../autograd/mode.js';
import { type DType, int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { div, mul } from '../../ops/arithmetic.js';
import { eq } from '../../ops/comparison.js';
import { scatter_ } from '../../ops/gather.js';
import { indexSelect } from '../../ops/index_along.js';
import { sum } from '../../ops/reduce.js';
import { neg } from '../../ops/unary.js';
import { asNumbers, type Tensor } from '../../tensor/tensor.js';
import type { Reduction } from './reduction.js';
import { cast } from '../../ops/internal/cast.js';
import { select3 } from '../../ops/internal/select.js';
import { reshaped } from '../../ops/internal/view.js';
import { anyTrue } from '../../ops/internal/truth.js';

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** Checks sizes as PyTorch's nll_loss does for each number of dimensions; gives the number of classes. */
export function checkClassSizes(input: Tensor, target: Tensor, weight: Tensor | null): number {
  const n = input.ndim;
  if (n === 0) throw new RuntimeError('Expected 1 or more dimensions (got 0)');
  const shape = input.shape;
  const classes = shape[n === 1 ? 0 : 1]!;
  if (n !== 1 && target.ndim > 0 && shape[0] !== target.shape[0]) {
    throw new RuntimeError(`Expected input batch_size (${shape[0]}) to match target batch_size (${target.shape[0]}).`);
  }
  if (n <= 2 && target.ndim > 1) {
    throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
  }
  if (n === 1 && target.numel() !== 1) {
    throw new RuntimeError(`size mismatch (got input: ${show(shape)}, target: ${show(target.shape)})`);
  }
  if (n === 4 && target.ndim !== 3) {
    throw new RuntimeError(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.ndim}`,
    );
  }
  const wanted = n === 1 ? target.shape : [shape[0]!, ...shape.slice(2)];
  if (show(wanted) !== show(target.shape)) {
    throw new RuntimeError(`Expected target size ${show(wanted)}, got ${show(target.shape)}`);
  }
  if (weight !== null && (weight.ndim !== 1 || weight.shape[0] !== classes)) {
    throw new RuntimeError(
      `weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${show(weight.shape)}`,
    );
  }
  return classes;
}

/** The first class that no input has. */
export function outOfBounds(target: Tensor, classes: number, ignoreIndex: number): number | null {
  for (const value of Array.from(asNumbers(target), Number)) {
    if ((value < 0 || value >= classes) && value !== ignoreIndex) return value;
  }
  return null;
}

/** Where the targets are, and how much each counts. */
export interface Places {
  /** Target positions that are never out of range, with a dimension of one in the place of the classes. */
  at: Tensor;
  /** Each target's weight; null where all are one. */
  weights: Tensor | null;
  /** Which targets do not count; null if all do. */
  ignored: Tensor | null;
}

/**
 * @param target [N, ..] (or [])
 * @param ndim of the input: [N, C, ..] (or [C])
 * @param dtype of the input
 */
export function placesOf(
  target: Tensor,
  weight: Tensor | null,
  ignoreIndex: number,
  ndim: number,
  dtype: DType,
): Places {
  const index = target.dtype === int64 ? target : cast(target, int64);
  const ignored = eq.impl(index, ignoreIndex);
  const some = anyTrue(ignored);
  const safe = some ? select3(ignored, 0, index) : index;
  const at = ndim === 1 ? reshaped(safe, [1]) : safe.unsqueeze(1);
  let weights: Tensor | null = null;
  if (weight !== null) weights = reshaped(indexSelect.impl(weight, 0, reshaped(safe, [-1])), target.shape);
  if (some) weights = select3(ignored, 0, weights ?? cast(ignored.logicalNot(), dtype));
  return { at, weights, ignored: some ? ignored : null };
}

/** The sum of the weights of the targets that count, which a mean is over; null where it is their number. */
export function totalOf(weights: Tensor | null, reduction: Reduction): Tensor | null {
  return weights === null || reduction !== 'mean' ? null : unrecorded(sum.impl, weights, null, false, null);
}

/**
 * The gradient of the log probabilities, of sizes `shape`, from that of the reduced loss.
 * @param counts sizes of the targets
 */
export function nllGradient(
  g: Tensor,
  { at, weights, ignored }: Places,
  total: Tensor | null,
  shape: readonly number[],
  counts: readonly number[],
  reduction: Reduction,
): Tensor {
  const number = counts.reduce((a, b) => a * b, 1);
  let each = neg.impl(reduction === 'mean' ? div.impl(g, total ?? number, null) : g);
  if (weights !== null) each = mul.impl(each, weights);
  // Where nothing counts the mean is 0 / 0; its gradient still is none.
  if (ignored !== null) each = select3(ignored, 0, each);
  return scatter_(g.newZeros(shape), shape.length === 1 ? 0 : 1, at, reshaped(each.expand(counts), at.shape));
}

/** The name in PyTorch's graph of picking from log probabilities of `ndim` dimensions. */
export const nllNode = (ndim: number): string => (ndim === 4 ? 'NllLoss2DBackward0' : 'NllLossBackward0');
