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

/** `alias`, as a copy instead of a view. */
export const aliasCopy = fnOp('aliasCopy(Tensor input)', copy);
/** A copy without history. */
export const detachCopy = fnOp('detachCopy(Tensor input)', (input: Tensor): Tensor => copy(input.detach()));
/** `asStrided`, as a copy instead of a view. */
export const asStridedCopy = fnOp(
  'asStridedCopy(Tensor input, int[] size, int[] stride, int? storageOffset=None)',
  (input: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number | null): Tensor =>
    copy(asStrided.impl(input, size, stride, storageOffset)),
);
/** `diagonal`, as a copy instead of a view. */
export const diagonalCopy = fnOp(
  'diagonalCopy(Tensor input, int offset=0, int dim1=0, int dim2=1)',
  (input: Tensor, offset: number, dim1: number, dim2: number): Tensor => copy(diagonal.impl(input, offset, dim1, dim2)),
);
/** `expand`, as a copy instead of a view. */
export const expandCopy = fnOp(
  'expandCopy(Tensor input, int[] size)',
  (input: Tensor, size: readonly number[]): Tensor => copy(expand.impl(input, size)),
);
/** `permute`, as a copy instead of a view. */
export const permuteCopy = fnOp(
  'permuteCopy(Tensor input, int[] dims)',
  (input: Tensor, dims: readonly number[]): Tensor => copy(permute.impl(input, dims)),
);
/** `select`, as a copy instead of a view. */
export const selectCopy = fnOp(
  'selectCopy(Tensor input, int dim, int index)',
  (input: Tensor, dim: number, index: number): Tensor => copy(select.impl(input, dim, index)),
);
/** `slice`, as a copy instead of a view. */
export const sliceCopy = fnOp(
  'sliceCopy(Tensor input, int dim=0, int? start=None, int? end=None, int step=1)',
  (input: Tensor, dim: number, start: number | null, end: number | null, step: number): Tensor =>
    copy(sliceDim(input, dim, start, end, step)),
);
/** `squeeze`, as a copy instead of a view. */
export const squeezeCopy = fnOp(
  'squeezeCopy(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: readonly number[] | null): Tensor => copy(squeeze.impl(input, dim)),
);
/** `t`, as a copy instead of a view. */
export const tCopy = fnOp('tCopy(Tensor input)', (input: Tensor): Tensor => copy(t.impl(input)));
/** `transpose`, as a copy instead of a view. */
export const transposeCopy = fnOp(
  'transposeCopy(Tensor input, int dim0, int dim1)',
  (input: Tensor, dim0: number, dim1: number): Tensor => copy(transpose.impl(input, dim0, dim1)),
);
/** `unfold`, as a copy instead of a view. */
export const unfoldCopy = fnOp(
  'unfoldCopy(Tensor input, int dimension, int size, int step)',
  (input: Tensor, dimension: number, size: number, step: number): Tensor =>
    copy(unfold.impl(input, dimension, size, step)),
);
/** `unsqueeze`, as a copy instead of a view. */
export const unsqueezeCopy = fnOp(
  'unsqueezeCopy(Tensor input, int dim)',
  (input: Tensor, dim: number): Tensor => copy(unsqueeze.impl(input, dim)),
);
/** `viewAsComplex`, as a copy instead of a view. */
export const viewAsComplexCopy = fnOp(
  'viewAsComplexCopy(Tensor input)',
  (input: Tensor): Tensor => copy(viewAsComplex.impl(input)),
);
/** `viewAsReal`, as a copy instead of a view. */
export const viewAsRealCopy = fnOp(
  'viewAsRealCopy(Tensor input)',
  (input: Tensor): Tensor => copy(viewAsReal.impl(input)),
);
/** A copy with other sizes, or of the bytes as another type. */
export function viewCopy(input: Tensor, shapeOrDtype: readonly number[] | DType): Tensor {
  return copy((view as (x: Tensor, to: readonly number[] | DType) => Tensor)(input, shapeOrDtype));
}

/** A copy of `input` in which the elements that the strided view names are those of `src`. */
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
 * @param physicalLayout the dimensions from the outermost to the innermost.
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
