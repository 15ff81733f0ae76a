// The copying twins of views: the same elements in a tensor with memory of its own.
import { type DeviceLike, home } from '../core/device.js';
import { type DType, getDefaultDtype } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { viewAsComplex, viewAsReal } from './complex.js';
import { fnOp, op } from './define.js';
import {
  asStrided,
  diagonal,
  expand,
  permute,
  select,
  squeeze,
  t,
  transpose,
  unfold,
  unsqueeze,
  view,
} from './view.js';
import { finish } from './internal/finish.js';
import { sliceDim } from './internal/view.js';

const copy = (x: Tensor): Tensor => x.clone('contiguousFormat');

/** A row-major copy on memory of its own. */
export const aliasCopy = fnOp('aliasCopy(Tensor input)', copy);
/** A row-major copy on memory of its own, without history. */
export const detachCopy = fnOp('detachCopy(Tensor input)', (input: Tensor): Tensor => copy(input.detach()));
/**
 * `asStrided` as a row-major copy instead of a view.
 * @param input the tensor whose memory is read
 * @param size the result's sizes
 * @param stride the distance in memory of neighbours in each dimension, in elements
 * @param storageOffset where to start in the storage, in elements (default null: input's offset)
 * @returns a tensor of `size`
 * @throws RuntimeError if sizes and strides differ in number or reach outside of the storage
 */
export const asStridedCopy = fnOp(
  'asStridedCopy(Tensor input, int[] size, int[] stride, int? storageOffset=None)',
  (input: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number | null): Tensor =>
    copy(asStrided.impl(input, size, stride, storageOffset)),
);
/**
 * `diagonal` as a row-major copy instead of a view.
 * @param input at least two dimensions
 * @param offset which diagonal: above the main one if positive, below if negative (default 0)
 * @param dim1 the dimension of rows (default 0)
 * @param dim2 the dimension of columns (default 1)
 * @returns input's shape without dim1 and dim2, and the diagonal's length as the last size
 * @throws RuntimeError if both dimensions are the same; RangeError if one is out of range
 */
export const diagonalCopy = fnOp(
  'diagonalCopy(Tensor input, int offset=0, int dim1=0, int dim2=1)',
  (input: Tensor, offset: number, dim1: number, dim2: number): Tensor => copy(diagonal.impl(input, offset, dim1, dim2)),
);
/**
 * `expand` as a copy whose repeated elements have memory of their own.
 * @param input any shape
 * @param size the result's sizes; -1 keeps one
 * @returns a tensor of `size`
 * @throws RuntimeError if a size other than one would change
 */
export const expandCopy = fnOp(
  'expandCopy(Tensor input, int[] size)',
  (input: Tensor, size: readonly number[]): Tensor => copy(expand.impl(input, size)),
);
/**
 * `permute` as a row-major copy instead of a view.
 * @param input any shape
 * @param dims all of input's dimensions in their new order
 * @returns input's sizes in that order
 * @throws RuntimeError if a dimension is missing or occurs twice; RangeError if one is out of range
 */
export const permuteCopy = fnOp(
  'permuteCopy(Tensor input, int[] dims)',
  (input: Tensor, dims: readonly number[]): Tensor => copy(permute.impl(input, dims)),
);
/**
 * `select` as a row-major copy instead of a view.
 * @param input at least one dimension
 * @param dim the dimension to take one place of
 * @param index the place; negative ones count from the end
 * @returns input's shape without `dim`
 * @throws RangeError if the dimension or the place is out of range
 */
export const selectCopy = fnOp(
  'selectCopy(Tensor input, int dim, int index)',
  (input: Tensor, dim: number, index: number): Tensor => copy(select.impl(input, dim, index)),
);
/**
 * The places start, start + step, ... before end of one dimension, as a row-major copy.
 * @param input at least one dimension
 * @param dim the dimension (default 0)
 * @param start the first place; negative ones count from the end (default null: 0)
 * @param end the place to stop before; larger ones mean the end (default null: the end)
 * @param step the distance, at least 1 (default 1)
 * @returns input's shape with fewer places in `dim`
 * @throws RuntimeError if `step` is not positive; RangeError if `dim` is out of range
 */
export const sliceCopy = fnOp(
  'sliceCopy(Tensor input, int dim=0, int? start=None, int? end=None, int step=1)',
  (input: Tensor, dim: number, start: number | null, end: number | null, step: number): Tensor =>
    copy(sliceDim(input, dim, start, end, step)),
);
/**
 * `squeeze` as a row-major copy instead of a view.
 * @param input any shape
 * @param dim the dimensions to drop if their size is one (default null: all)
 * @returns input's shape without them
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice
 */
export const squeezeCopy = fnOp(
  'squeezeCopy(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: readonly number[] | null): Tensor => copy(squeeze.impl(input, dim)),
);
/**
 * `t` as a row-major copy instead of a view: the transpose of a tensor of at most two dimensions.
 * @throws RuntimeError if it has more
 */
export const tCopy = fnOp('tCopy(Tensor input)', (input: Tensor): Tensor => copy(t.impl(input)));
/**
 * `transpose` as a row-major copy instead of a view.
 * @param input any shape
 * @param dim0 one dimension
 * @param dim1 the one that it is swapped with
 * @returns input's shape with both sizes swapped
 * @throws RangeError if a dimension is out of range
 */
export const transposeCopy = fnOp(
  'transposeCopy(Tensor input, int dim0, int dim1)',
  (input: Tensor, dim0: number, dim1: number): Tensor => copy(transpose.impl(input, dim0, dim1)),
);
/**
 * `unfold` as a row-major copy instead of a view: the windows of a dimension.
 * @param input any shape
 * @param dimension the dimension that windows are taken of
 * @param size how many places a window has
 * @param step the distance of neighbouring windows, at least 1
 * @returns input's shape with the number of windows in `dimension`, and `size` as the last dimension
 * @throws RuntimeError if `size` exceeds the dimension or `step` is not positive
 */
export const unfoldCopy = fnOp(
  'unfoldCopy(Tensor input, int dimension, int size, int step)',
  (input: Tensor, dimension: number, size: number, step: number): Tensor =>
    copy(unfold.impl(input, dimension, size, step)),
);
/**
 * `unsqueeze` as a row-major copy instead of a view.
 * @param input any shape
 * @param dim where the new dimension stands in the result; negative ones count from its end
 * @returns input's shape with a one inserted
 * @throws RangeError if the dimension is out of range
 */
export const unsqueezeCopy = fnOp(
  'unsqueezeCopy(Tensor input, int dim)',
  (input: Tensor, dim: number): Tensor => copy(unsqueeze.impl(input, dim)),
);
/** `viewAsComplex` as a copy instead of a view: pairs [.., 2] to complex numbers [..]. */
export const viewAsComplexCopy = fnOp(
  'viewAsComplexCopy(Tensor input)',
  (input: Tensor): Tensor => copy(viewAsComplex.impl(input)),
);
/** `viewAsReal` as a copy instead of a view: complex numbers [..] to pairs [.., 2]. */
export const viewAsRealCopy = fnOp(
  'viewAsRealCopy(Tensor input)',
  (input: Tensor): Tensor => copy(viewAsReal.impl(input)),
);
/**
 * `view` as a copy: the elements with other sizes, or their bytes as another type.
 * @param input any shape
 * @param shapeOrDtype sizes with as many elements, one of which may be -1, or a type
 * @returns the sizes given, or input's with the last one scaled by the ratio of the types' sizes
 * @throws RuntimeError if sizes, types or strides do not fit
 */
export function viewCopy(input: Tensor, shapeOrDtype: readonly number[] | DType): Tensor {
  return copy((view as (x: Tensor, to: readonly number[] | DType) => Tensor)(input, shapeOrDtype));
}

/**
 * A copy of `input` in which the elements that the strided view names are those of `src`.
 * @param input what is copied
 * @param src a tensor of `size`
 * @param size the view's sizes
 * @param stride its distances in memory, in elements
 * @param storageOffset where it starts, in elements (default null: input's offset)
 * @returns input's shape and type
 * @throws RuntimeError if `src` has other sizes or the view reaches outside of the storage
 */
export const asStridedScatter = op(
  'asStridedScatter(Tensor input, Tensor src, int[] size, int[] stride, int? storageOffset=None)',
  (
    input: Tensor,
    src: Tensor,
    size: readonly number[],
    stride: readonly number[],
    storageOffset: number | null,
  ): Tensor => {
    const y = input.clone();
    const place = asStrided.impl(y, size, stride, storageOffset);
    if (place.shape.join() !== src.shape.join()) {
      throw new RuntimeError(
        `expected src to have a size equal to the slice of self. src size = [${src.shape.join(', ')}], slice size = [${place.shape.join(', ')}]`,
      );
    }
    place.copy_(src);
    return y;
  },
);

const EMPTY_STRIDED = nativeOp('empty_strided');
/**
 * A tensor whose elements are not set, with its dimensions laid out in memory in a given order.
 * @param size the sizes
 * @param physicalLayout all dimensions, not negative, from the outermost in memory to the innermost
 * @param dtype the type (default: the default float type)
 * @param device where it lives (default: the default device)
 * @param requiresGrad whether operations on it are recorded (default false)
 * @returns a tensor of `size`, dense, with strides in that order
 * @throws RuntimeError if the order has too few or too many dimensions or one twice; RangeError if one is out of range
 */
export const emptyPermuted = fnOp(
  'emptyPermuted(int[] size, int[] physicalLayout, ScalarType? dtype=None, Device? device=None, bool requiresGrad=False)',
  (
    size: readonly number[],
    layout: readonly number[],
    dtype: DType | null,
    device: DeviceLike | null,
    requiresGrad: boolean,
  ): Tensor => {
    if (size.length !== layout.length) {
      throw new RuntimeError(
        `Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ${size.length} is not equal to len(physical_layout) = ${layout.length}`,
      );
    }
    const strides = new Array<number>(size.length).fill(0);
    const seen = new Set<number>();
    let step = 1;
    for (let i = layout.length - 1; i >= 0; i--) {
      const d = layout[i]!;
      if (d < 0 || d >= size.length) {
        throw new RangeError(
          `Dimension out of range (expected to be between 0 and ${size.length - 1}, but got ${d} at index ${i}).  NB: negative dims not currently supported.`,
        );
      }
      if (seen.has(d)) throw new RuntimeError('Duplicate dim not allowed');
      seen.add(d);
      strides[d] = step;
      step *= Math.max(1, size[d]!);
    }
    return finish(invoke(EMPTY_STRIDED, size, strides, dtype ?? getDefaultDtype(), home(device)), requiresGrad);
  },
);
