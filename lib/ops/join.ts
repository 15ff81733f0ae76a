// Joining tensors and repeating or rearranging their parts.
import { anyNeedsGrad, needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { zeros } from './creation.js';
import { fnOp, op } from './define.js';
import { indexSelect } from './index_along.js';
import { atLeast, tensorList } from './join_util.js';
import { sum } from './reduce.js';
import { expand, flatten, select, transpose, unsqueeze } from './view.js';
import { reshaped, sliceDim } from './internal/view.js';

const CAT = nativeOp('cat');
const STACK = nativeOp('stack');
const REPEAT = nativeOp('repeat');
const REPEAT_INTERLEAVE = nativeOp('repeat_interleave');
const ROLL = nativeOp('roll');
const FLIP = nativeOp('flip');

/** Whether `cat` passes a tensor over: a 1-D tensor without elements joins with anything. */
function isSkipped(t: Tensor): boolean {
  return t.ndim === 1 && t.shape[0] === 0;
}

function catenate(tensors: readonly Tensor[], dim: number): Tensor {
  const y = invoke(CAT, tensors, dim);
  if (anyNeedsGrad(tensors)) {
    const d = wrapDim(dim, y.ndim);
    const sizes = tensors.map((t) => (isSkipped(t) ? -1 : t.shape[d]!));
    record('CatBackward0', y, tensors, [], (g, _s, needs) => {
      let at = 0;
      return sizes.map((n, i) => {
        if (n < 0) return needs[i] ? g.newZeros([0]) : null;
        at += n;
        return needs[i] ? sliceDim(g, d, at - n, at, 1) : null;
      });
    });
  }
  return y;
}
/**
 * Tensors joined along a dimension, in memory of their own.
 * @param tensors at least one, of equal sizes in all other dimensions; vectors without elements are passed over
 * @param dim the dimension (default 0)
 * @returns their sizes, summed in `dim`, in the type that all promote to
 * @throws RuntimeError if there are none or the sizes do not fit; RangeError if `dim` is out of range
 */
export const cat = fnOp('cat(Tensor[] tensors, int dim=0)', catenate);
/**
 * Another name of `cat`.
 * @param tensors at least one, of equal sizes in all other dimensions
 * @param dim the dimension (default 0)
 * @returns their sizes, summed in `dim`, in the type that all promote to
 * @throws RuntimeError if there are none or the sizes do not fit; RangeError if `dim` is out of range
 */
export const concat = fnOp('concat(Tensor[] tensors, int dim=0)', catenate);
/**
 * Another name of `cat`.
 * @param tensors at least one, of equal sizes in all other dimensions
 * @param dim the dimension (default 0)
 * @returns their sizes, summed in `dim`, in the type that all promote to
 * @throws RuntimeError if there are none or the sizes do not fit; RangeError if `dim` is out of range
 */
export const concatenate = fnOp('concatenate(Tensor[] tensors, int dim=0)', catenate);

function stacked(tensors: readonly Tensor[], dim: number): Tensor {
  const y = invoke(STACK, tensors, dim);
  if (anyNeedsGrad(tensors)) {
    const d = wrapDim(dim, y.ndim);
    record('StackBackward0', y, tensors, [], (g, _s, needs) => needs.map((need, i) => (need ? select(g, d, i) : null)));
  }
  return y;
}
/**
 * Tensors of equal sizes along a new dimension, in memory of their own.
 * @param tensors at least one
 * @param dim where the new dimension stands in the result; negative ones count from its end (default 0)
 * @returns their shape with their number inserted, in the type that all promote to
 * @throws RuntimeError if there are none or the sizes differ; RangeError if `dim` is out of range
 */
export const stack = fnOp('stack(Tensor[] tensors, int dim=0)', stacked);

/**
 * Tensors side by side: `cat` along dimension 1, of vectors and numbers along dimension 0.
 * @throws RuntimeError if there are none or the sizes do not fit
 */
export const hstack = fnOp('hstack(Tensor[] tensors)', (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) throw new RuntimeError('hstack expects a non-empty TensorList');
  const list = tensors.map((t) => atLeast(t, 1));
  return catenate(list, list[0]!.ndim === 1 ? 0 : 1);
});
function stackRows(name: string, tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 0) throw new RuntimeError(`${name} expects a non-empty TensorList`);
  return catenate(
    tensors.map((t) => atLeast(t, 2)),
    0,
  );
}
/**
 * Tensors one below the other: `cat` along dimension 0, with vectors and numbers as rows.
 * @throws RuntimeError if there are none or the sizes do not fit
 */
export const vstack = fnOp(
  'vstack(Tensor[] tensors)',
  (tensors: readonly Tensor[]): Tensor => stackRows('vstack', tensors),
);
/**
 * Another name of `vstack`.
 * @throws RuntimeError if there are none or the sizes do not fit
 */
export const rowStack = fnOp(
  'rowStack(Tensor[] tensors)',
  (tensors: readonly Tensor[]): Tensor => stackRows('row_stack', tensors),
);
/**
 * Tensors one behind the other: `cat` along dimension 2 of what `atleast3d` makes of them.
 * @throws RuntimeError if there are none or the sizes do not fit
 */
export const dstack = fnOp('dstack(Tensor[] tensors)', (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) throw new RuntimeError('dstack expects a non-empty TensorList');
  return catenate(
    tensors.map((t) => atLeast(t, 3)),
    2,
  );
});
/**
 * Tensors side by side: `cat` along dimension 1, with vectors and numbers as columns.
 * @throws RuntimeError if there are none or the sizes do not fit
 */
export const columnStack = fnOp('columnStack(Tensor[] tensors)', (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) throw new RuntimeError('column_stack expects a non-empty TensorList');
  return catenate(
    tensors.map((t) => (t.ndim <= 1 ? reshaped(t, [t.numel(), 1]) : t)),
    1,
  );
});

function repeated(input: Tensor, repeats: readonly number[]): Tensor {
  const y = invoke(REPEAT, input, repeats);
  if (needsGrad(input)) {
    const extra = repeats.length - input.ndim;
    const shape = input.shape;
    const pairs = repeats.flatMap((n, d) => [n, d < extra ? 1 : shape[d - extra]!]);
    const copies = repeats.map((_, d) => 2 * d);
    record('RepeatBackward0', y, [input], [], (g) => [
      repeats.length === 0 ? g : reshaped(sum.impl(reshaped(g, pairs), copies, false, null), shape),
    ]);
  }
  return y;
}
/**
 * Copies of the whole tensor along each dimension.
 * @param input any shape
 * @param repeats how often, numbers or one array of them; more numbers than dimensions add dimensions in front
 * @returns each size times its number, in memory of its own
 * @throws RuntimeError if there are fewer numbers than dimensions, or one is negative
 */
export const repeat = op('repeat(Tensor input, int... repeats)', repeated);
/**
 * As `repeat`, but missing numbers in front count as 1.
 * @param input any shape
 * @param dims how often in each of the last dimensions, numbers or one array of them
 * @returns each size times its number, in memory of its own
 * @throws RuntimeError if a number is negative
 */
export const tile = op('tile(Tensor input, int... dims)', (input: Tensor, dims: readonly number[]): Tensor => {
  const missing = Math.max(0, input.ndim - dims.length);
  return repeated(input, [...new Array<number>(missing).fill(1), ...dims]);
});

/**
 * Every element, or every slice along `dim`, several times in a row.
 * @param input any shape
 * @param repeats how often: a number, or integers [n], one for each element or slice. Without it (default null), `input`
 *   holds the numbers and the result is the list of positions
 * @param dim the dimension (default null: input is flattened)
 * @param outputSize the size that results, which is checked (default null)
 * @returns input's shape with more places in `dim`, or a vector; positions are int64
 * @throws RuntimeError if a number is negative, the numbers do not fit the size, or `outputSize` is another one
 * @throws RangeError if `dim` is out of range; TypeError for a number that is not whole
 */
export const repeatInterleave = op(
  'repeatInterleave(Tensor input, Tensor|Scalar? repeats=None, int? dim=None, int? outputSize=None)',
  (input: Tensor, repeats: Tensor | number | null, dim: number | null, outputSize: number | null): Tensor => {
    if (repeats === null) return checkedSize(invoke(REPEAT_INTERLEAVE, input), 0, outputSize);
    const x = dim === null ? flatten(input, 0, -1) : input;
    const d = wrapDim(dim ?? 0, x.ndim);
    if (typeof repeats === 'number') {
      if (!Number.isInteger(repeats))
        throw new TypeError("repeatInterleave(): argument 'repeats' must be an integer or a tensor");
      if (repeats < 0) throw new RuntimeError('Repeats must be non-negative');
      const lifted = atLeast(x, 1);
      const shape = [...lifted.shape.slice(0, d + 1), repeats, ...lifted.shape.slice(d + 1)];
      const copies = expand(unsqueeze(lifted, d + 1), shape).clone();
      return checkedSize(flatten(copies, d, d + 1), d, outputSize);
    }
    const n = x.shape[d]!;
    const counts =
      repeats.ndim === 0 || (repeats.ndim === 1 && repeats.shape[0] === 1)
        ? expand(reshaped(repeats, [1]), [n])
        : repeats;
    if (counts.ndim !== 1) throw new RuntimeError('repeats must be 0-dim or 1-dim tensor');
    if (counts.shape[0] !== n) {
      throw new RuntimeError(
        `repeats must have the same size as input along dim, but got repeats.size(0) = ${counts.shape[0]} and input.size(${d}) = ${n}`,
      );
    }
    return checkedSize(indexSelect(x, d, invoke(REPEAT_INTERLEAVE, counts)), d, outputSize);
  },
);
function checkedSize(y: Tensor, dim: number, size: number | null): Tensor {
  if (size !== null && size !== y.shape[dim]) throw new RuntimeError('allocated size does not match required size');
  return y;
}

/**
 * Elements shifted along dimensions; what leaves at the end comes in at the start.
 * @param input any shape
 * @param shifts how many places, one number for each of `dims`; negative ones go to the start
 * @param dims the dimensions (default null: input is flattened, shifted and given its shape again)
 * @returns input's shape, in memory of its own
 * @throws RuntimeError if shifts and dimensions differ in number; RangeError if a dimension is out of range
 */
export const roll = op(
  'roll(Tensor input, int[] shifts, int[]? dims=None)',
  (input: Tensor, shifts: readonly number[], dims: readonly number[] | null): Tensor => {
    if (shifts.length === 0) throw new RuntimeError('`shifts` required');
    if (dims === null || dims.length === 0) {
      if (shifts.length !== 1) {
        throw new RuntimeError(`shifts and dimensions must align. shifts: ${shifts.length}, dims:0`);
      }
      return reshaped(rolled(flatten(input, 0, -1), shifts, [0]), input.shape);
    }
    if (input.ndim === 0) throw new RangeError(`Dimension specified as ${dims[0]} but tensor has no dimensions`);
    return rolled(input, shifts, dims);
  },
);
function rolled(input: Tensor, shifts: readonly number[], dims: readonly number[]): Tensor {
  const y = invoke(ROLL, input, shifts, dims);
  if (needsGrad(input)) {
    record('RollBackward0', y, [input], [], (g) => [
      rolled(
        g,
        shifts.map((s) => -s),
        dims,
      ),
    ]);
  }
  return y;
}

function flipped(input: Tensor, dims: readonly number[]): Tensor {
  const y = invoke(FLIP, input, dims);
  if (needsGrad(input)) record('FlipBackward0', y, [input], [], (g) => [flipped(g, dims)]);
  return y;
}
/**
 * The order along dimensions reversed, in memory of its own.
 * @param input any shape
 * @param dims the dimensions, numbers or one array of them
 * @returns input's shape
 * @throws RuntimeError if a dimension occurs twice; RangeError if one is out of range
 */
export const flip = op('flip(Tensor input, int... dims)', flipped);
/**
 * The columns (dimension 1) in reverse order, in memory of their own.
 * @throws RuntimeError if input has fewer than two dimensions
 */
export const fliplr = op('fliplr(Tensor input)', (input: Tensor): Tensor => {
  if (input.ndim < 2) throw new RuntimeError('Input must be >= 2-d.');
  return flipped(input, [1]);
});
/**
 * The rows (dimension 0) in reverse order, in memory of their own.
 * @throws RuntimeError if input has no dimensions
 */
export const flipud = op('flipud(Tensor input)', (input: Tensor): Tensor => {
  if (input.ndim < 1) throw new RuntimeError('Input must be >= 1-d.');
  return flipped(input, [0]);
});
/**
 * Turned k times by 90 degrees in the plane of two dimensions, from the first towards the second.
 * @param input at least two dimensions
 * @param k how often; negative numbers turn the other way (default 1)
 * @param dims the two dimensions (default null: [0, 1])
 * @returns input's shape, with both sizes swapped if k is odd, in memory of its own
 * @throws RuntimeError if there are not two different dimensions; RangeError if one is out of range
 */
export const rot90 = op(
  'rot90(Tensor input, int k=1, int[]? dims=None)',
  (input: Tensor, k: number, dims: readonly number[] | null): Tensor => {
    const plane = dims ?? [0, 1];
    if (plane.length !== 2) throw new RuntimeError(`expected total rotation dims == 2, but got dims = ${plane.length}`);
    if (input.ndim < 2) throw new RuntimeError(`expected total dims >= 2, but got total dims = ${input.ndim}`);
    const a = wrapDim(plane[0]!, input.ndim);
    const b = wrapDim(plane[1]!, input.ndim);
    if (a === b)
      throw new RuntimeError(
        `expected rotation dims to be different, but got dim0 = ${plane[0]} and dim1 = ${plane[1]}`,
      );
    switch (((k % 4) + 4) % 4) {
      case 1:
        return transpose(flipped(input, [b]), a, b);
      case 2:
        return flipped(input, [a, b]);
      case 3:
        return transpose(flipped(input, [a]), a, b);
      default:
        return input.clone();
    }
  },
);

/**
 * Tensors as blocks on the diagonal of a matrix of zeros.
 * @param tensors matrices, one by one or as a list; vectors are rows, numbers 1 x 1
 * @returns [sum of rows, sum of columns], in the type that all promote to
 * @throws RuntimeError if there are none, or one has more than two dimensions; TypeError for anything but tensors
 */
export function blockDiag(...tensors: (Tensor | readonly Tensor[])[]): Tensor {
  const list = tensorList('blockDiag', tensors);
  if (list.length === 0) return zeros([1, 0]);
  const blocks = list.map((t, i) => {
    if (t.ndim > 2)
      throw new RuntimeError(
        `torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ${i} has ${t.ndim} dimensions`,
      );
    return atLeast(t, 2);
  });
  const columns = blocks.reduce((n, t) => n + t.shape[1]!, 0);
  let at = 0;
  const rows = blocks.map((t) => {
    const [n, m] = [t.shape[0]!, t.shape[1]!];
    const parts = [t.newZeros([n, at]), t, t.newZeros([n, columns - at - m])];
    at += m;
    return catenate(parts, 1);
  });
  return catenate(rows, 0);
}
