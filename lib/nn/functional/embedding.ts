// Rows of a table: single ones, and sums, means or maxima of bags of them.
import { noGrad } from '../../autograd/mode.js';
import { bool, int32, int64 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { div, mul } from '../../ops/arithmetic.js';
import { eq } from '../../ops/comparison.js';
import { fnOp } from '../../ops/define.js';
import { embedding as rowsOf, indexSelect } from '../../ops/index_along.js';
import { fromNested } from '../../ops/nested.js';
import { unique } from '../../ops/sort_unique.js';
import { asNumbers, type Tensor } from '../../tensor/tensor.js';
import { cast } from '../../ops/internal/cast.js';
import { checkedName } from '../../ops/internal/type_names.js';
import { reshaped } from '../../ops/internal/view.js';

export { oneHot } from '../../ops/index_triangle.js';

function checkIndices(indices: Tensor, which: number, fn: string): void {
  if (indices.dtype === int64 || indices.dtype === int32) return;
  throw new RuntimeError(
    `Expected tensor for argument #${which} 'indices' to have one of the following scalar types: Long, Int; but got ` +
      `${checkedName(indices.dtype)} instead (while checking arguments for ${fn})`,
  );
}

/** Scales the rows that are used so that their norm is at most maxNorm, in place and unrecorded. */
function renormalise(weight: Tensor, input: Tensor, maxNorm: number, normType: number): void {
  if (weight.ndim !== 2) {
    throw new RuntimeError(
      `Expected 2-dimensional tensor, but got ${weight.ndim}-dimensional tensor for argument #1 'self' (while checking ` +
        'arguments for embedding_renorm_)',
    );
  }
  checkIndices(input, 2, 'embedding_renorm_');
  if (!weight.dtype.isFloatingPoint && !weight.dtype.isComplex) {
    throw new RuntimeError(
      `norm(): input dtype should be either floating point or complex. Got ${weight.dtype.scalarName} instead.`,
    );
  }
  if (input.numel() === 0 || input.isMeta) return;
  noGrad(() => {
    const table = weight.detach();
    const used = unique(reshaped(input, [-1])) as Tensor;
    const rows = indexSelect.impl(table, 0, used);
    const norms = rows.norm(normType, [1], true);
    const scale = norms.add(1e-7).reciprocal_().mul_(maxNorm);
    const scaled = rows.mul(scale.where(norms.gt(maxNorm), 1));
    table.indexCopy_(0, cast(used, int64), scaled);
  });
}

function paddingRow(paddingIdx: number | null, rows: number): number {
  if (paddingIdx === null) return -1;
  if (paddingIdx >= rows || paddingIdx < -rows) throw new RuntimeError('Padding_idx must be within num_embeddings');
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

/**
 * Rows of a table by their indices.
 * @param input [..], int64 or int32: indices
 * @param weight [V, D]
 * @param paddingIdx the row that gets no gradient; negative counts from the end (default null: none)
 * @param maxNorm rows that are used are scaled down to this norm, in place (default null: they are not)
 * @param normType which norm (default 2)
 * @param scaleGradByFreq whether a row's gradient is divided by how often its index occurs (default false)
 * @param sparse accepted for compatibility (default false): gradients are dense
 * @returns [.., D], of weight's type
 * @throws RangeError for an index out of range, RuntimeError for a `paddingIdx` out of range
 */
export const embedding = fnOp(
  'embedding(Tensor input, Tensor weight, int? paddingIdx=None, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, bool sparse=False)',
  (
    input: Tensor,
    weight: Tensor,
    paddingIdx: number | null,
    maxNorm: number | null,
    normType: number,
    scaleGradByFreq: boolean,
    _sparse: boolean,
  ): Tensor => {
    const padding = paddingRow(paddingIdx, weight.shape[0] ?? 0);
    if (maxNorm !== null) renormalise(weight, input, maxNorm, normType);
    return rowsOf.impl(weight, input, padding, scaleGradByFreq);
  },
);

/** Where each bag begins and ends, by its `offsets`. */
function bagBounds(offsets: Tensor, n: number, includeLastOffset: boolean): number[] {
  // Offsets that nobody knows: empty bags have the right sizes.
  const at = offsets.isMeta ? new Array<number>(offsets.numel()).fill(0) : Array.from(asNumbers(offsets), Number);
  if (includeLastOffset && at.length === 0) throw new RuntimeError('include_last_offset: numBags should be at least 1');
  if (at.length > 0 && at[0] !== 0) {
    throw new RuntimeError(
      `offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${at[0]}`,
    );
  }
  if (at.length > 0 && at[at.length - 1]! > n) {
    throw new RuntimeError(
      `offsets[-1] can not be greater than input's length(${n}) but got offsets[-1] of ${at[at.length - 1]}`,
    );
  }
  at.forEach((v, i) => {
    if (i > 0 && v < at[i - 1]!) throw new RuntimeError('offsets must not decrease');
  });
  return includeLastOffset ? at : [...at, n];
}

/** The bags' maxima, elementwise; a bag without rows gives zeros. rows: [n, D] */
function bagMaxima(rows: Tensor, bounds: readonly number[], kept: readonly boolean[]): Tensor {
  const bags = Math.max(0, bounds.length - 1);
  const members = Array.from({ length: bags }, (_, b) => {
    const out: number[] = [];
    for (let i = bounds[b]!; i < bounds[b + 1]!; i++) if (kept[i]) out.push(i);
    return out;
  });
  const longest = Math.max(1, ...members.map((m) => m.length));
  const width = rows.shape[1]!;
  if (rows.shape[0] === 0 || bags === 0) return rows.newZeros([bags, width]);
  // A short bag repeats its first row, which changes no maximum: ties go to the first place.
  const at = members.map((m) => Array.from({ length: longest }, (_, i) => m[i] ?? m[0] ?? 0));
  const all = reshaped(indexSelect.impl(rows, 0, reshaped(fromNested(at, int64), [-1])), [bags, longest, width]);
  const best = all.max(1).values;
  const empty = members.map((m) => [m.length === 0]);
  return best.maskedFill(rows.newTensor(empty, { dtype: bool }), 0);
}

/**
 * Sums, means or maxima of bags of rows of a table; an empty bag gives zeros.
 * @param input [n] with `offsets`, or [B, n], which is B bags of n; int64 or int32
 * @param weight [V, D]
 * @param offsets [B]: where each bag begins (default null, for a 2-D input); with `includeLastOffset` the last one is the end
 * @param maxNorm rows that are used are scaled down to this norm, in place (default null: they are not)
 * @param normType which norm (default 2)
 * @param scaleGradByFreq whether a row's gradient is divided by how often its index occurs (default false); not for 'max'
 * @param mode 'mean' (default), 'sum' or 'max'
 * @param sparse accepted for compatibility (default false): gradients are dense; not for 'max'
 * @param perSampleWeights of the input's shape: a weight for each row, for 'sum' alone (default null: ones)
 * @param includeLastOffset whether the last offset ends the last bag (default false)
 * @param paddingIdx a row that counts in no bag; negative counts from the end (default null: none)
 * @returns [B, D], of weight's type
 * @throws RuntimeError for sizes or arguments that do not fit together, RangeError for an index out of range
 */
export const embeddingBag = fnOp(
  "embeddingBag(Tensor input, Tensor weight, Tensor? offsets=None, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, str mode='mean', bool sparse=False, Tensor? perSampleWeights=None, bool includeLastOffset=False, int? paddingIdx=None)",
  (
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | null,
    maxNorm: number | null,
    normType: number,
    scaleGradByFreq: boolean,
    mode: string,
    sparse: boolean,
    perSampleWeights: Tensor | null,
    includeLastOffset: boolean,
    paddingIdx: number | null,
  ): Tensor => {
    if (perSampleWeights !== null && perSampleWeights.shape.join() !== input.shape.join()) {
      throw new RuntimeError(
        `embedding_bag: If per_sample_weights (torch.Size([${perSampleWeights.shape.join(', ')}])) is not None, then it must have the same shape as the input (torch.Size([${input.shape.join(', ')}]))`,
      );
    }
    if (weight.ndim !== 2)
      throw new RuntimeError(`weight has to be a 2D Tensor, but got Tensor of dimension ${weight.ndim}`);
    let bounds: number[];
    if (input.ndim === 2) {
      if (offsets !== null) {
        throw new RuntimeError(
          'if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type Tensor',
        );
      }
      const [bags, n] = input.shape as [number, number];
      bounds = Array.from({ length: bags + 1 }, (_, b) => b * n);
    } else if (input.ndim === 1) {
      if (offsets === null) throw new RuntimeError('offsets has to be a 1D Tensor but got None');
      if (offsets.ndim !== 1) throw new RuntimeError('offsets has to be a 1D Tensor');
      bounds = bagBounds(offsets, input.shape[0]!, includeLastOffset);
    } else throw new RuntimeError(`input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.ndim}`);
    if (mode !== 'sum' && mode !== 'mean' && mode !== 'max')
      throw new RuntimeError('mode has to be one of sum, mean or max');
    if (mode === 'max' && scaleGradByFreq) {
      throw new RuntimeError('max mode does not support scaling the gradient by the frequency');
    }
    if (mode === 'max' && sparse) throw new RuntimeError('max mode does not support sparse weights');
    if (perSampleWeights !== null && mode !== 'sum') {
      throw new RuntimeError(
        `embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='${mode}'). Please open a feature request on GitHub.`,
      );
    }
    if (maxNorm !== null) renormalise(weight, input, maxNorm, normType);
    for (const t of [input, offsets]) if (t !== null) checkIndices(t, 1, 'embedding_bag');
    if (!weight.dtype.isFloatingPoint) {
      throw new RuntimeError(
        "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, Double; " +
          `but got ${checkedName(weight.dtype)} instead (while checking arguments for embedding_bag)`,
      );
    }
    if (perSampleWeights !== null && perSampleWeights.dtype !== weight.dtype) {
      throw new RuntimeError(
        "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but " +
          `type ${checkedName(weight.dtype)} does not equal ${checkedName(perSampleWeights.dtype)} (while checking arguments ` +
          'for embedding_bag)',
      );
    }
    const flat = reshaped(input, [-1]);
    const n = flat.shape[0]!;
    const padding = paddingRow(paddingIdx, weight.shape[0]!);
    let rows = rowsOf.impl(weight, flat, padding, scaleGradByFreq);
    const padded = padding < 0 ? null : eq.impl(flat, padding);
    const kept =
      padded === null || padded.isMeta
        ? new Array<boolean>(n).fill(true)
        : Array.from(asNumbers(padded), (v) => Number(v) === 0);
    if (mode === 'max') return bagMaxima(rows, bounds, kept);
    if (perSampleWeights !== null) rows = mul.impl(rows, reshaped(perSampleWeights, [n, 1]));
    if (padded !== null) rows = rows.maskedFill(padded.unsqueeze(1), 0);
    const bags = Math.max(0, bounds.length - 1);
    const bagOf = new Array<number>(n).fill(bags);
    const counts = new Array<number>(bags).fill(0);
    for (let b = 0; b < bags; b++) {
      for (let i = bounds[b]!; i < bounds[b + 1]!; i++) {
        bagOf[i] = b;
        if (kept[i]) counts[b]!++;
      }
    }
    // Rows behind the last bag go to one more, which is cut off.
    const home = reshaped(fromNested(bagOf, int64), [n]);
    const sums = rows
      .newZeros([bags + 1, weight.shape[1]!])
      .indexAdd(0, home, rows)
      .narrow(0, 0, bags);
    if (mode === 'sum' || bags === 0) return sums;
    const sizes = weight.newTensor(counts.map((c) => [Math.max(1, c)]));
    return div.impl(sums, sizes, null);
  },
);
