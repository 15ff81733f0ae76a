// Triangles and diagonals of matrices, and writing into parts of a copy.
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { type DeviceLike, home } from '../core/device.js';
import * as D from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { scatter } from './gather.js';
import { change } from './index_change.js';
import { sum } from './reduce.js';
import { diagonal, flatten, select, unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { sliceDim } from './internal/view.js';
import { anyTrue } from './internal/truth.js';

const TRIL = nativeOp('tril');
const TRIU = nativeOp('triu');
const TRIL_INDICES = nativeOp('tril_indices');
const TRIU_INDICES = nativeOp('triu_indices');
const ZEROS = nativeOp('zeros');
const COPY_ = nativeOp('copy_');
const FILL_ = nativeOp('fill_');
const AS_STRIDED = nativeOp('as_strided');

function triangle(id: number, node: string, input: Tensor, k: number): Tensor {
  const y = invoke(id, input, k);
  if (needsGrad(input)) record(node, y, [input], [], (g) => [triangle(id, node, g, k)]);
  return y;
}
function triangle_(id: number, node: string, self: Tensor, k: number): Tensor {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  invokeVoid(COPY_, self, invoke(id, self, k));
  if (recorded) recordInPlace(node, self, [self], [], (g) => [triangle(id, node, g, k)]);
  return self;
}
/**
 * The lower triangles of matrices; the rest is zero.
 * @param input [.., n, m]
 * @param diagonal the last diagonal that is kept: 0 the main one, positive above it, negative below (default 0)
 * @returns input's shape and type
 * @throws RuntimeError if input has fewer than two dimensions
 */
export const tril = op(
  'tril(Tensor input, int diagonal=0)',
  (input: Tensor, k: number): Tensor => triangle(TRIL, 'TrilBackward0', input, k),
);
/**
 * The upper triangles of matrices; the rest is zero.
 * @param input [.., n, m]
 * @param diagonal the first diagonal that is kept: 0 the main one, positive above it, negative below (default 0)
 * @returns input's shape and type
 * @throws RuntimeError if input has fewer than two dimensions
 */
export const triu = op(
  'triu(Tensor input, int diagonal=0)',
  (input: Tensor, k: number): Tensor => triangle(TRIU, 'TriuBackward0', input, k),
);
/**
 * Zeros above a diagonal of matrices, in place.
 * @param self [.., n, m]
 * @param diagonal the last diagonal that is kept (default 0: the main one)
 * @returns self
 * @throws RuntimeError if self has fewer than two dimensions
 */
export const tril_ = methodOp(
  'tril_(Tensor self, int diagonal=0)',
  (self: Tensor, k: number): Tensor => triangle_(TRIL, 'TrilBackward0', self, k),
);
/**
 * Zeros below a diagonal of matrices, in place.
 * @param self [.., n, m]
 * @param diagonal the first diagonal that is kept (default 0: the main one)
 * @returns self
 * @throws RuntimeError if self has fewer than two dimensions
 */
export const triu_ = methodOp(
  'triu_(Tensor self, int diagonal=0)',
  (self: Tensor, k: number): Tensor => triangle_(TRIU, 'TriuBackward0', self, k),
);

const INDICES = 'int row, int col, int offset=0, ScalarType? dtype=None, Device? device=None, any layout=None';
const triangleIndices = (name: string, id: number) =>
  fnOp(
    `${name}(${INDICES})` as `x(${typeof INDICES})`,
    (row: number, col: number, offset: number, dtype: D.DType | null, device: DeviceLike | null): Tensor => {
      const type = dtype ?? D.int64;
      if (type !== D.int64 && type !== D.int32) {
        throw new RuntimeError(`"${name}" not implemented for '${type.name}'`);
      }
      return cast(invoke(id, row, col, offset, home(device)), type);
    },
  );
/**
 * The places of the lower triangle of a row x col matrix, row by row.
 * @param row how many rows
 * @param col how many columns
 * @param offset the last diagonal that belongs to it (default 0: the main one)
 * @param dtype int64 or int32 (default int64)
 * @param device where they live (default: the default device)
 * @param layout has no effect (default null)
 * @returns [2, n]: rows and columns
 * @throws RuntimeError for a negative size or another type
 */
export const trilIndices = triangleIndices('trilIndices', TRIL_INDICES);
/**
 * The places of the upper triangle of a row x col matrix, row by row.
 * @param row how many rows
 * @param col how many columns
 * @param offset the first diagonal that belongs to it (default 0: the main one)
 * @param dtype int64 or int32 (default int64)
 * @param device where they live (default: the default device)
 * @param layout has no effect (default null)
 * @returns [2, n]: rows and columns
 * @throws RuntimeError for a negative size or another type
 */
export const triuIndices = triangleIndices('triuIndices', TRIU_INDICES);

/**
 * Matrices of zeros with the last dimension of the input on a diagonal.
 * @param input [.., n]
 * @param offset which diagonal: above the main one if positive, below if negative (default 0)
 * @param dim1 where the rows stand in the result (default -2)
 * @param dim2 where the columns stand in the result (default -1)
 * @returns input's shape without its last size and with two of n + |offset|
 * @throws RuntimeError if both dimensions are the same; RangeError if one is out of range
 */
export const diagEmbed = op(
  'diagEmbed(Tensor input, int offset=0, int dim1=-2, int dim2=-1)',
  (input: Tensor, offset: number, dim1: number, dim2: number): Tensor => {
    const ndim = input.ndim + 1;
    const a = wrapDim(dim1, ndim);
    const b = wrapDim(dim2, ndim);
    if (a === b) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
    const n = input.shape[input.ndim - 1]! + Math.abs(offset);
    const shape = input.shape.slice(0, -1);
    shape.splice(Math.min(a, b), 0, n);
    shape.splice(Math.max(a, b), 0, n);
    const y = invoke(ZEROS, shape, input.dtype, input);
    invokeVoid(COPY_, diagonal.impl(y, offset, a, b), input);
    if (needsGrad(input)) record('DiagEmbedBackward0', y, [input], [], (g) => [diagonal.impl(g, offset, a, b)]);
    return y;
  },
);
/**
 * A vector as a diagonal matrix, or the diagonal of a matrix (a copy).
 * @param input [n] or [n, m]
 * @param diagonal which diagonal: above the main one if positive, below if negative (default 0)
 * @returns [n + |diagonal|, n + |diagonal|] of a vector, [length] of a matrix
 * @throws RuntimeError if input has another number of dimensions
 */
export const diag = op('diag(Tensor input, int diagonal=0)', (input: Tensor, k: number): Tensor => {
  if (input.ndim !== 1 && input.ndim !== 2) {
    throw new RuntimeError(`diag(): Supports 1D or 2D tensors. Got ${input.ndim}D`);
  }
  return input.ndim === 1 ? diagEmbed.impl(input, k, -2, -1) : diagonal.impl(input, k, 0, 1).clone();
});
/**
 * The flattened tensor as a diagonal matrix.
 * @param input n elements in any shape
 * @param offset which diagonal: above the main one if positive, below if negative (default 0)
 * @returns [n + |offset|, n + |offset|]
 */
export const diagflat = op(
  'diagflat(Tensor input, int offset=0)',
  (input: Tensor, offset: number): Tensor => diagEmbed.impl(flatten(input), offset, -2, -1),
);
/**
 * Fills the main diagonal, of a matrix or of a tensor with equal sizes.
 * @param self at least two dimensions
 * @param fillValue a number
 * @param wrap whether the diagonal of a tall matrix starts again below, after one empty row (default false)
 * @returns self
 * @throws RuntimeError if self has fewer than two dimensions, or more of different sizes
 */
export const fillDiagonal_ = methodOp(
  'fillDiagonal_(Tensor self, Scalar fillValue, bool wrap=False)',
  (self: Tensor, fillValue: Scalar, wrap: boolean): Tensor => {
    if (self.ndim < 2) throw new RuntimeError('dimensions must larger than 1');
    const shape = self.shape;
    if (self.ndim > 2 && shape.some((n) => n !== shape[0]))
      throw new RuntimeError('all dimensions of input must be of equal length');
    const [rows, columns] = [shape[0]!, shape[1]!];
    const n = Math.min(...shape);
    // Wrapped, the diagonal starts again after one empty row: row r has its element at column r mod (columns + 1).
    const starts =
      wrap && self.ndim === 2
        ? Array.from({ length: Math.ceil(rows / (columns + 1)) }, (_, k) => k * (columns + 1))
        : [0];
    const put = (t: Tensor, value: Scalar): void => {
      const strides = t.stride();
      const step = strides.reduce((a, b) => a + b, 0);
      for (const row of starts) {
        const count = self.ndim === 2 ? Math.min(rows - row, columns) : n;
        invokeVoid(FILL_, invoke(AS_STRIDED, t, [count], [step], t.storageOffset() + row * strides[0]!), value);
      }
    };
    return change(
      'FillDiagonalBackward0',
      self,
      true,
      [],
      [],
      (t) => put(t, fillValue),
      (g) => {
        const rest = g.clone();
        put(rest, 0);
        return [rest];
      },
    );
  },
);
/**
 * The sum of the diagonal of a matrix [n, m]: a 0-d tensor, int64 for integers.
 * @throws RuntimeError if input is no matrix
 */
export const trace = op('trace(Tensor input)', (input: Tensor): Tensor => {
  if (input.ndim !== 2) throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${input.ndim}`);
  return sum.impl(diagonal.impl(input, 0, 0, 1), null, false, null);
});

/** A copy of `input` in which `part`, a view of it, is overwritten by `src`. */
function scattered(node: string, input: Tensor, src: Tensor, part: (t: Tensor) => Tensor): Tensor {
  const where = part(input).shape;
  if (where.length !== src.ndim || where.some((n, d) => n !== src.shape[d])) {
    throw new RuntimeError(
      `expected src to have a size equal to the slice of self. src size = [${src.shape.join(', ')}], slice size = [${where.join(', ')}]`,
    );
  }
  return change(
    node,
    input,
    false,
    [src],
    [],
    (target) => invokeVoid(COPY_, part(target), src),
    (g, _saved, needs) => [
      needs[0] ? scattered(node, g, invoke(ZEROS, src.shape, g.dtype, g), part) : null,
      needs[1] ? part(g) : null,
    ],
  );
}
/**
 * A copy of `input` with `src` in the place of a diagonal.
 * @param input at least two dimensions
 * @param src of the shape that `diagonal` gives
 * @param offset which diagonal: above the main one if positive, below if negative (default 0)
 * @param dim1 the dimension of rows (default 0)
 * @param dim2 the dimension of columns (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if `src` has other sizes; RangeError if a dimension is out of range
 */
export const diagonalScatter = op(
  'diagonalScatter(Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1)',
  (input: Tensor, src: Tensor, offset: number, dim1: number, dim2: number): Tensor =>
    scattered('DiagonalScatterBackward0', input, src, (t) => diagonal.impl(t, offset, dim1, dim2)),
);
/**
 * A copy of `input` with `src` in one place of a dimension.
 * @param input at least one dimension
 * @param src input's shape without `dim`
 * @param dim the dimension
 * @param index the place; negative ones count from the end
 * @returns input's shape and type
 * @throws RuntimeError if `src` has other sizes; RangeError if the dimension or the place is out of range
 */
export const selectScatter = op(
  'selectScatter(Tensor input, Tensor src, int dim, int index)',
  (input: Tensor, src: Tensor, dim: number, index: number): Tensor =>
    scattered('SelectScatterBackward0', input, src, (t) => select.impl(t, dim, index)),
);
/**
 * A copy of `input` with `src` in the places start, start + step, ... before end of a dimension.
 * @param input at least one dimension
 * @param src input's shape with that many places in `dim`
 * @param dim the dimension (default 0)
 * @param start the first place; negative ones count from the end (default null: 0)
 * @param end the place to stop before (default null: the end)
 * @param step the distance, at least 1 (default 1)
 * @returns input's shape and type
 * @throws RuntimeError if `src` has other sizes or `step` is not positive; RangeError if `dim` is out of range
 */
export const sliceScatter = op(
  'sliceScatter(Tensor input, Tensor src, int dim=0, int? start=None, int? end=None, int step=1)',
  (input: Tensor, src: Tensor, dim: number, start: number | null, end: number | null, step: number): Tensor =>
    scattered('SliceScatterBackward0', input, src, (t) => sliceDim(t, dim, start, end, step)),
);

/**
 * Classes as rows of zeros with a single one.
 * @param tensor [..] of int64, not negative
 * @param numClasses how many classes there are (default -1: one more than the largest)
 * @returns [.., numClasses] of int64
 * @throws RuntimeError for another type, or classes outside of [0, numClasses)
 */
export const oneHot = fnOp('oneHot(Tensor tensor, int numClasses=-1)', (tensor: Tensor, numClasses: number): Tensor => {
  if (tensor.dtype !== D.int64)
    throw new RuntimeError('one_hot is only applicable to index tensor of type LongTensor.');
  if (tensor.numel() === 0) {
    if (numClasses <= 0) throw new RuntimeError('Can not infer total number of classes from empty tensor.');
    return invoke(ZEROS, [...tensor.shape, numClasses], D.int64, tensor);
  }
  if (anyTrue(tensor.lt(0))) throw new RuntimeError('Class values must be non-negative.');
  if (numClasses !== -1 && numClasses < 1) throw new RuntimeError('num_classes should be positive');
  if (numClasses !== -1 && anyTrue(tensor.ge(numClasses)))
    throw new RuntimeError('Class values must be smaller than num_classes.');
  const classes = numClasses === -1 ? Number(tensor.max().item()) + 1 : numClasses;
  return scatter(invoke(ZEROS, [...tensor.shape, classes], D.int64, tensor), -1, unsqueeze(tensor, -1), 1);
});
