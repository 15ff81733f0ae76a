// Values to bins: searchsorted, bucketize, bincount and histograms.
import { int32, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { div, sub } from './arithmetic.js';
import { ge, le, logicalAnd } from './comparison.js';
import { linspace } from './creation.js';
import { fnOp, op } from './define.js';
import { gather } from './gather.js';
import { fromNested } from './nested.js';
import { type NamedTuple, namedTuple } from './results.js';
import type { TensorOrScalar } from './signature.js';
import { select } from './view.js';
import { cast } from './internal/cast.js';
import { select3 } from './internal/select.js';
import { reshaped, sliceDim } from './internal/view.js';

const SEARCHSORTED = nativeOp('searchsorted');
const BINCOUNT = nativeOp('bincount');
const HISTC = nativeOp('histc');
const INDEX_PUT_ = nativeOp('index_put_');
const ZEROS = nativeOp('zeros');

/** A number as a tensor of the boundaries' type. */
function asTensor(value: TensorOrScalar, like: Tensor): Tensor {
  return value instanceof Tensor
    ? value
    : fromNested(value, like.dtype.isFloatingPoint || Number.isInteger(Number(value)) ? like.dtype : null);
}
function search(name: string, sorted: Tensor, values: TensorOrScalar, outInt32: boolean, right: boolean): Tensor {
  if (values instanceof Tensor && values.dtype !== sorted.dtype) {
    throw new RuntimeError(
      `torch.${name}(): boundary tensor and input value tensor should have same dtype, but got boundary tensor dtype ${sorted.dtype.name} and input value tensor dtype ${values.dtype.name}`,
    );
  }
  const places = invoke(SEARCHSORTED, sorted, asTensor(values, sorted), right);
  return outInt32 ? cast(places, int32) : places;
}
/**
 * Where values would have to be inserted to keep a sequence sorted, found by bisection.
 * @param sortedSequence [n], or [.., n] with the leading sizes of `input`, ascending
 * @param input a number (for one sequence), or a tensor of the same type
 * @param outInt32 whether places are int32 instead of int64 (default false)
 * @param right whether places are behind equal elements instead of before them (default false)
 * @param side 'left' or 'right': another way to say `right` (default null)
 * @param sorter int64 positions that sort the sequence, if it is not sorted itself (default null)
 * @returns places in [0, n], in input's shape
 * @throws RuntimeError if types or shapes do not fit, or `side` is unknown or contradicts `right`
 */
export const searchsorted = fnOp(
  'searchsorted(Tensor sortedSequence, Tensor|Scalar input, bool outInt32=False, bool right=False, str? side=None, Tensor? sorter=None)',
  (
    sortedSequence: Tensor,
    input: TensorOrScalar,
    outInt32: boolean,
    right: boolean,
    side: string | null,
    sorter: Tensor | null,
  ): Tensor => {
    if (side !== null && side !== 'left' && side !== 'right') {
      throw new RuntimeError(`torch.searchsorted(): side can only be 'left' or 'right' but got ${side}`);
    }
    if (right && side === 'left') {
      throw new RuntimeError(
        "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True",
      );
    }
    if (!(input instanceof Tensor) && sortedSequence.ndim !== 1) {
      throw new RuntimeError(
        `torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(${sortedSequence.ndim}) and input value's dim(0) numel(1)`,
      );
    }
    if (sorter !== null && (sorter.dtype !== int64 || sorter.shape.join() !== sortedSequence.shape.join())) {
      throw new RuntimeError(
        'torch.searchsorted(): sorter must be a tensor of long dtype with the same size as the sorted sequence',
      );
    }
    const sorted = sorter === null ? sortedSequence : gather.impl(sortedSequence.detach(), -1, sorter, false);
    return search('searchsorted', sorted, input, outInt32, right || side === 'right');
  },
);
/**
 * The bins of values between sorted boundaries b: i where b[i - 1] < v <= b[i], or with `right` b[i - 1] <= v < b[i].
 * @param input a number or a tensor of the boundaries' type
 * @param boundaries [n], ascending
 * @param outInt32 whether bins are int32 instead of int64 (default false)
 * @param right which end belongs to a bin (default false: the upper one)
 * @returns bins in [0, n], in input's shape
 * @throws RuntimeError if the boundaries are no vector or the types differ
 */
export const bucketize = fnOp(
  'bucketize(Tensor|Scalar input, Tensor boundaries, bool outInt32=False, bool right=False)',
  (input: TensorOrScalar, boundaries: Tensor, outInt32: boolean, right: boolean): Tensor => {
    if (boundaries.ndim !== 1)
      throw new RuntimeError(`bucketize(): boundaries tensor must be 1 dimension, but got dim(${boundaries.ndim})`);
    return search('bucketize', boundaries, input, outInt32, right);
  },
);

/**
 * How often each of 0, 1, 2, ... occurs in a vector, or the sum of the weights of its occurrences.
 * @param input [n] of integers, not negative
 * @param weights [n], what each occurrence counts (default null: one)
 * @param minlength the least length of the result (default 0)
 * @returns [max(largest + 1, minlength)]: int64, or with weights their type if it is float32, else float64
 * @throws RuntimeError for negative numbers, another type, or shapes that do not fit
 */
export const bincount = op(
  'bincount(Tensor input, Tensor? weights=None, int minlength=0)',
  (input: Tensor, weights: Tensor | null, minlength: number): Tensor => invoke(BINCOUNT, input, weights, minlength),
);
/**
 * Counts elements in equal bins; the last bin includes its upper edge, what lies outside is not counted.
 * @param input a floating-point tensor of any shape
 * @param bins how many bins, at least 1 (default 100)
 * @param min the lower edge of the first bin (default 0)
 * @param max the upper edge of the last bin (default 0; if both are equal, the range of the elements)
 * @returns [bins], of input's type
 * @throws RuntimeError if `bins` is not positive, `min` exceeds `max`, or input is not of a floating-point type
 */
export const histc = op(
  'histc(Tensor input, int bins=100, Scalar min=0, Scalar max=0)',
  (input: Tensor, bins: number, min: Scalar, max: Scalar): Tensor =>
    invoke(HISTC, input, bins, Number(min), Number(max)),
);

/** Edges of equal bins. */
function edgesOf(values: Tensor, bins: number, range: readonly [number, number] | null): Tensor {
  if (bins <= 0) throw new RuntimeError(`torch.histogramdd(): number of bins must be positive, but got ${bins}`);
  let [low, high] =
    range ?? (values.numel() === 0 ? [0, 1] : [Number(values.min().item()), Number(values.max().item())]);
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    throw new RuntimeError(`torch.histogramdd(): dimension 0's range [${low}, ${high}] is not finite`);
  }
  if (low > high)
    throw new RuntimeError(
      `torch.histogramdd(): min should not exceed max, but got min ${low} max ${high} for dimension 0`,
    );
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  return linspace(low, high, bins + 1, { dtype: values.dtype, device: values.device });
}
/** The bin of each value, and whether it lies in any; the last bin includes its upper edge. */
function binsOf(values: Tensor, edges: Tensor): { bin: Tensor; inside: Tensor } {
  const last = edges.shape[0]! - 1;
  const inside = logicalAnd(ge(values, select(edges, 0, 0)), le(values, select(edges, 0, last)));
  const place = sub(invoke(SEARCHSORTED, edges, values.contiguous(), true), 1);
  return { bin: place.clamp(0, last - 1), inside };
}
/** values: [n, d] to counts over d dimensions of bins. */
function histogramOf(values: Tensor, edges: readonly Tensor[], weight: Tensor | null, density: boolean): Tensor {
  const n = values.shape[0]!;
  const places = edges.map((e, d) => binsOf(select(values, 1, d), e));
  let weights = weight === null ? values.newOnes([n]) : reshaped(weight, [n]);
  for (const { inside } of places) weights = select3(inside, weights, 0);
  const counts = invoke(
    ZEROS,
    edges.map((e) => e.shape[0]! - 1),
    values.dtype,
    values,
  );
  invokeVoid(
    INDEX_PUT_,
    counts,
    edges.map((_, d) => d),
    places.map((p) => p.bin),
    weights,
    true,
  );
  if (!density) return counts;
  let result = div(counts, counts.sum());
  edges.forEach((e, d) => {
    const m = e.shape[0]! - 1;
    const widths = sub(sliceDim(e, 0, 1, null, 1), sliceDim(e, 0, 0, m, 1));
    result = div(
      result,
      reshaped(
        widths,
        edges.map((_, k) => (k === d ? m : 1)),
      ),
    );
  });
  return result;
}

function rangesOf(range: unknown, count: number): [number, number][] | null {
  if (range === null) return null;
  if (!Array.isArray(range) || range.length !== 2 * count || !range.every((v) => typeof v === 'number')) {
    throw new RuntimeError(
      `torch.histogramdd(): for a ${count}-dimensional histogram range should have ${2 * count} elements`,
    );
  }
  return Array.from({ length: count }, (_, d) => [range[2 * d] as number, range[2 * d + 1] as number]);
}
function checkedEdges(edges: Tensor, values: Tensor): Tensor {
  if (edges.ndim !== 1) throw new RuntimeError('torch.histogramdd(): bins tensor should have one dimension');
  if (edges.dtype !== values.dtype)
    throw new RuntimeError('torch.histogramdd(): input tensor and bins tensors should have the same dtype');
  return edges;
}
function checkFloat(input: Tensor): void {
  if (!input.dtype.isFloatingPoint) throw new RuntimeError(`"histogramdd" not implemented for '${input.dtype.name}'`);
}

/**
 * Counts elements in bins; the last bin includes its upper edge, what lies outside is not counted.
 * @param input floating point, any shape
 * @param bins a number of equal bins, or their edges [n + 1], ascending, of input's type
 * @param range [low, high] of equal bins (default null: that of the elements)
 * @param weight what each element counts, of input's shape (default null: one)
 * @param density whether to divide by the sum and by the widths, so that the histogram integrates to one (default false)
 * @returns { hist, binEdges }: [n] and [n + 1], of input's type
 * @throws RuntimeError if input is not of floating point, or bins, range or weights do not fit
 */
export const histogram = op(
  'histogram(Tensor input, any bins, float[]? range=None, Tensor? weight=None, bool density=False)',
  (
    input: Tensor,
    bins: number | Tensor,
    range: readonly number[] | null,
    weight: Tensor | null,
    density: boolean,
  ): NamedTuple<readonly ['hist', 'binEdges']> => {
    checkFloat(input);
    const values = reshaped(input.detach(), [input.numel(), 1]);
    const edges =
      bins instanceof Tensor ? checkedEdges(bins, input) : edgesOf(values, bins, rangesOf(range, 1)?.[0] ?? null);
    return namedTuple(['hist', 'binEdges'], [histogramOf(values, [edges], weight?.detach() ?? null, density), edges]);
  },
);
/**
 * Counts points in bins of several dimensions; each last bin includes its upper edge.
 * @param input points [.., d], floating point
 * @param bins a number of equal bins for all dimensions or for each, or the edges for each
 * @param range low and high for each dimension, one after the other (default null: those of the points)
 * @param weight what each point counts, [..] (default null: one)
 * @param density whether to divide by the sum and by the widths, so that the histogram integrates to one (default false)
 * @returns [hist, binEdges]: the counts with a dimension of bins for each of d, and the list of edges
 * @throws RuntimeError if input is not of floating point, or bins, range or weights do not fit
 */
export const histogramdd = fnOp(
  'histogramdd(Tensor input, any bins, float[]? range=None, Tensor? weight=None, bool density=False)',
  (
    input: Tensor,
    bins: number | readonly number[] | readonly Tensor[],
    range: readonly number[] | null,
    weight: Tensor | null,
    density: boolean,
  ): [hist: Tensor, binEdges: Tensor[]] => {
    checkFloat(input);
    if (input.ndim < 2) throw new RuntimeError('torch.histogramdd(): input tensor should have at least 2 dimensions');
    const d = input.shape[input.ndim - 1]!;
    const values = reshaped(input.detach(), [-1, d]);
    const list: readonly (number | Tensor)[] = typeof bins === 'number' ? new Array<number>(d).fill(bins) : bins;
    if (list.length !== d) {
      throw new RuntimeError(
        `torch.histogramdd(): expected ${d} sequences of bin edges for a ${d}-dimensional histogram but got ${list.length}`,
      );
    }
    const ranges = rangesOf(range, d);
    const edges = list.map((b, k) =>
      b instanceof Tensor ? checkedEdges(b, input) : edgesOf(select(values, 1, k), b, ranges?.[k] ?? null),
    );
    return [histogramOf(values, edges, weight?.detach() ?? null, density), edges];
  },
);
