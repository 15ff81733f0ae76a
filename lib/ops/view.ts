// Views: new sizes and strides on the same memory. The gradient of a view is the inverse placement of the gradient.
import { needsGrad } from '../autograd/graph.js';
import { checkInPlace, recordInPlace } from '../autograd/view.js';
import { DType, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke1, invokeVoid } from '../tensor/invoke.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { methodOp, op } from './define.js';
import { asView, placed, reshaped, sliceDim, t2, transposed, viewSizes } from './internal/view.js';

const VIEW_DTYPE = nativeOp('view_dtype');
const EXPAND = nativeOp('expand');
const PERMUTE = nativeOp('permute');
const TRANSPOSE = nativeOp('transpose');
const SELECT = nativeOp('select');
const SQUEEZE = nativeOp('squeeze');
const UNSQUEEZE = nativeOp('unsqueeze');
const DIAGONAL = nativeOp('diagonal');
const UNFOLD = nativeOp('unfold');
const AS_STRIDED = nativeOp('as_strided');
const SET_GEOMETRY = nativeOp('set_geometry');
const ZEROS = nativeOp('zeros');
const CONTIGUOUS = nativeOp('contiguous');
const ARANGE = nativeOp('arange');

const VIEW_SIZES = methodOp('view(Tensor input, int... shape)', viewSizes);
function viewType(input: Tensor, dtype: DType): Tensor {
  const out = invoke(VIEW_DTYPE, input, dtype);
  if (needsGrad(input) && dtype !== input.dtype) {
    throw new RuntimeError('view(dtype): the bits of a tensor that requires grad cannot be read as another type');
  }
  return out;
}
/**
 * A view with other sizes, or, given a dtype, of the bytes as another type.
 * view(shape): numbers or one array of them, as many elements; one may be -1. view(dtype): the last size is scaled by the
 * ratio of the types' sizes.
 * @throws RuntimeError if the layout or the sizes do not allow it; `reshape` copies then
 */
export const view = Object.assign(
  (...args: Parameters<typeof VIEW_SIZES> | [input: Tensor, dtype: DType]): Tensor =>
    args[1] instanceof DType ? viewType(args[0], args[1]) : VIEW_SIZES(...(args as Parameters<typeof VIEW_SIZES>)),
  { home: 'method' as const },
);
/**
 * A view with the sizes of another tensor.
 * @param input any shape
 * @param other a tensor with as many elements
 * @returns a view of other's shape
 * @throws RuntimeError if the layout or the number of elements does not allow it
 */
export const viewAs = methodOp(
  'viewAs(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => viewSizes(input, other.shape),
);
/**
 * The elements with other sizes.
 * @param input any shape
 * @param shape numbers or one array of them, as many elements; one may be -1
 * @returns a view if the layout allows it, else a copy
 * @throws RuntimeError if the number of elements differs
 */
export const reshape = op('reshape(Tensor input, int... shape)', reshaped);
/**
 * The elements in the shape of another tensor.
 * @param input any shape
 * @param other a tensor with as many elements
 * @returns a view if the layout allows it, else a copy
 * @throws RuntimeError if the number of elements differs
 */
export const reshapeAs = methodOp(
  'reshapeAs(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => reshaped(input, other.shape),
);

/**
 * Dimensions startDim to endDim as one.
 * @param input any shape; a 0-d tensor becomes [1]
 * @param startDim the first (default 0)
 * @param endDim the last, itself included (default -1)
 * @returns a view if the layout allows it, else a copy; input itself if there is nothing to merge
 * @throws RuntimeError if the first comes after the last; RangeError if one is out of range
 */
export const flatten = op(
  'flatten(Tensor input, int startDim=0, int endDim=-1)',
  (input: Tensor, startDim: number, endDim: number): Tensor => {
    const start = wrapDim(startDim, input.ndim);
    const end = wrapDim(endDim, input.ndim);
    if (start > end) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim');
    if (input.ndim === 0) return reshaped(input, [1]);
    if (start === end) return input;
    const shape = input.shape;
    const merged = shape.slice(start, end + 1).reduce((a, b) => a * b, 1);
    return reshaped(input, [...shape.slice(0, start), merged, ...shape.slice(end + 1)]);
  },
);
/** All elements in one dimension: a view if the layout allows it, else a copy. */
export const ravel = op('ravel(Tensor input)', (input: Tensor): Tensor => reshaped(input, [-1]));
/**
 * One dimension as several.
 * @param input any shape
 * @param dim the dimension
 * @param sizes at least one size, whose product is that of the dimension; one may be -1
 * @returns a view
 * @throws RuntimeError if the sizes do not multiply up; RangeError if the dimension is out of range
 */
export const unflatten = op(
  'unflatten(Tensor input, int dim, int[] sizes)',
  (input: Tensor, dim: number, sizes: readonly number[]): Tensor => {
    const d = wrapDim(dim, input.ndim);
    const n = input.shape[d] ?? 1;
    const known = sizes.reduce((a, b) => (b === -1 ? a : a * b), 1);
    if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty');
    if (sizes.includes(-1) ? known === 0 || n % known !== 0 : known !== n) {
      throw new RuntimeError(
        `unflatten: Provided sizes [${sizes.join(', ')}] don't multiply up to the size of dim ${d} (${n}) in the input tensor`,
      );
    }
    return viewSizes(input, [...input.shape.slice(0, d), ...sizes, ...input.shape.slice(d + 1)]);
  },
);

/**
 * A view in which dimensions of size one are repeated without a copy.
 * @param input any shape
 * @param size numbers or one array of them, new dimensions in front; -1 keeps a size
 * @returns a view of `size`, whose elements share memory
 * @throws RuntimeError if a size other than one would change or there are too few
 */
export const expand = methodOp(
  'expand(Tensor input, int... size)',
  (input: Tensor, size: readonly number[]): Tensor =>
    asView(
      'ExpandBackward0',
      invoke(EXPAND, input, size),
      input,
      (t) => expand(t, size),
      (g) => g,
    ),
);
/**
 * A view broadcast to the shape of another tensor, as `expand`.
 * @param input any shape
 * @param other gives the shape
 * @returns a view of other's shape
 * @throws RuntimeError if the shapes do not fit
 */
export const expandAs = methodOp(
  'expandAs(Tensor input, Tensor other)',
  (input: Tensor, other: Tensor): Tensor => expand(input, other.shape),
);
/**
 * A view broadcast to a shape, as `expand`.
 * @param input any shape
 * @param size an array of sizes
 * @returns a view of `size`
 * @throws RuntimeError if the shapes do not fit
 */
export const broadcastTo = op(
  'broadcastTo(Tensor input, int[] size)',
  (input: Tensor, size: readonly number[]): Tensor => expand(input, size),
);

function inverse(dims: readonly number[], n: number): number[] {
  const out = new Array<number>(n);
  dims.forEach((d, i) => {
    out[d < 0 ? d + n : d] = i;
  });
  return out;
}
/**
 * A view with the dimensions in another order.
 * @param input any shape
 * @param dims all dimensions, numbers or one array of them
 * @returns a view whose size i is that of dimension dims[i]
 * @throws RuntimeError if a dimension is missing or occurs twice; RangeError if one is out of range
 */
export const permute = op(
  'permute(Tensor input, int... dims)',
  (input: Tensor, dims: readonly number[]): Tensor =>
    asView(
      'PermuteBackward0',
      invoke(PERMUTE, input, dims),
      input,
      (t) => permute(t, dims),
      (g): Tensor => permute(g, inverse(dims, dims.length)),
    ),
);
/**
 * A view with two dimensions swapped.
 * @param input any shape
 * @param dim0 one dimension
 * @param dim1 the other
 * @returns a view
 * @throws RangeError if a dimension is out of range
 */
export const transpose = op('transpose(Tensor input, int dim0, int dim1)', transposed);
export { transpose as swapaxes, transpose as swapdims };
function needMatrix(name: string, x: Tensor): void {
  if (x.ndim > 2) throw new RuntimeError(`${name}() expects a tensor with <= 2 dimensions, but self is ${x.ndim}D`);
}
/**
 * A view of a matrix transposed; vectors and numbers are returned as they are.
 * @throws RuntimeError if input has more than two dimensions
 */
export const t = op('t(Tensor input)', (input: Tensor): Tensor => {
  needMatrix('t', input);
  return input.ndim < 2 ? input : t2(input);
});
/**
 * The last two dimensions swapped, and conjugated: a view of a real tensor, a copy of a complex one; of a tensor without
 * dimensions its conjugate.
 * @throws RuntimeError for a vector
 */
export const adjoint = op('adjoint(Tensor input)', (input: Tensor): Tensor => {
  if (input.ndim === 1)
    throw new RuntimeError('tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.');
  return (input.ndim === 0 ? input : transposed(input, -2, -1)).conj();
});
/**
 * A view with dimensions moved to other places; the rest keep their order.
 * @param input any shape
 * @param source the dimensions, a number or an array
 * @param destination as many places
 * @returns a view
 * @throws RuntimeError if they differ in number or one occurs twice; RangeError if one is out of range
 */
export const movedim = op(
  'movedim(Tensor input, int[] source, int[] destination)',
  (input: Tensor, source: readonly number[], destination: readonly number[]): Tensor => {
    const n = input.ndim;
    if (source.length !== destination.length) {
      throw new RuntimeError(
        `movedim: Invalid source or destination dims: source ([${source.join(', ')}] dims) should contain the same number of dims as destination ([${destination.join(', ')}] dims)`,
      );
    }
    const from = source.map((d) => wrapDim(d, n));
    const to = destination.map((d) => wrapDim(d, n));
    if (new Set(from).size !== from.length)
      throw new RuntimeError(`movedim: repeated dim in \`source\` ([${source.join(', ')}])`);
    if (new Set(to).size !== to.length)
      throw new RuntimeError(`movedim: repeated dim in \`destination\` ([${destination.join(', ')}])`);
    const order = new Array<number>(n).fill(-1);
    to.forEach((d, i) => {
      order[d] = from[i]!;
    });
    const rest = Array.from({ length: n }, (_, d) => d).filter((d) => !from.includes(d));
    return n === 0
      ? input
      : permute(
          input,
          order.map((d) => (d < 0 ? rest.shift()! : d)),
        );
  },
);
export { movedim as moveaxis };

/**
 * A view of one place along a dimension, which goes away.
 * @param input at least one dimension
 * @param dim the dimension
 * @param index the place; negative ones count from the end
 * @returns a view of input's shape without `dim`
 * @throws RangeError if the dimension or the place is out of range
 */
export const select = op(
  'select(Tensor input, int dim, int index)',
  (input: Tensor, dim: number, index: number): Tensor => {
    const shape = input.shape;
    return asView(
      'SelectBackward0',
      invoke(SELECT, input, dim, index),
      input,
      (x) => select(x, dim, index),
      (g) => placed(g, shape, (whole) => select(whole, dim, index)),
    );
  },
);
/**
 * A view of consecutive places along a dimension.
 * @param input at least one dimension
 * @param dim the dimension
 * @param start the first place; negative ones count from the end
 * @param length how many
 * @returns a view of input's shape with `length` places in `dim`
 * @throws RuntimeError if they reach beyond the end; RangeError if the dimension or the start is out of range
 */
export const narrow = op(
  'narrow(Tensor input, int dim, int start, int length)',
  (input: Tensor, dim: number, start: number, length: number): Tensor => {
    if (input.ndim === 0) throw new RuntimeError('narrow() cannot be applied to a 0-dim tensor.');
    if (length < 0) throw new RuntimeError('narrow(): length must be non-negative.');
    const n = input.shape[wrapDim(dim, input.ndim)]!;
    if (start < -n || start > n)
      throw new RangeError(`start out of range (expected to be in range of [${-n}, ${n}], but got ${start})`);
    const from = start < 0 ? start + n : start;
    if (from + length > n)
      throw new RuntimeError(`start (${from}) + length (${length}) exceeds dimension size (${n}).`);
    return sliceDim(input, dim, from, from + length, 1);
  },
);
/**
 * `narrow` as a copy instead of a view.
 * @param input at least one dimension
 * @param dim the dimension
 * @param start the first place; negative ones count from the end
 * @param length how many
 * @returns input's shape with `length` places in `dim`
 * @throws RuntimeError if they reach beyond the end; RangeError if the dimension or the start is out of range
 */
export const narrowCopy = op(
  'narrowCopy(Tensor input, int dim, int start, int length)',
  (input: Tensor, dim: number, start: number, length: number): Tensor => narrow(input, dim, start, length).clone(),
);

function squeezed(input: Tensor, dims: readonly number[]): Tensor {
  const shape = input.shape;
  return asView(
    'SqueezeBackward1',
    invoke(SQUEEZE, input, dims),
    input,
    (x) => squeezed(x, dims),
    (g) => reshaped(g, shape),
  );
}
/**
 * A view without dimensions of size one.
 * @param input any shape
 * @param dim the dimensions to drop if their size is one (default null: all)
 * @returns a view
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice
 */
export const squeeze = op(
  'squeeze(Tensor input, int[]? dim=None)',
  (input: Tensor, dim: readonly number[] | null): Tensor => squeezed(input, dim ?? input.shape.map((_, d) => d)),
);
/**
 * A view with a new dimension of size one.
 * @param input any shape
 * @param dim where it stands in the result; negative ones count from its end
 * @returns a view
 * @throws RangeError if the dimension is out of range
 */
export const unsqueeze = op('unsqueeze(Tensor input, int dim)', (input: Tensor, dim: number): Tensor => {
  const shape = input.shape;
  return asView(
    'UnsqueezeBackward0',
    invoke(UNSQUEEZE, input, dim),
    input,
    (x) => unsqueeze(x, dim),
    (g) => reshaped(g, shape),
  );
});

/**
 * A view of a diagonal of two dimensions, which becomes the last dimension.
 * @param input at least two dimensions
 * @param offset which diagonal: above the main one if positive, below if negative (default 0)
 * @param dim1 the dimension of rows (default 0)
 * @param dim2 the dimension of columns (default 1)
 * @returns a view of input's shape without both, and the diagonal's length
 * @throws RuntimeError if both dimensions are the same; RangeError if one is out of range
 */
export const diagonal = op(
  'diagonal(Tensor input, int offset=0, int dim1=0, int dim2=1)',
  (input: Tensor, offset: number, dim1: number, dim2: number): Tensor => {
    const shape = input.shape;
    return asView(
      'DiagonalBackward0',
      invoke(DIAGONAL, input, offset, dim1, dim2),
      input,
      (x) => diagonal(x, offset, dim1, dim2),
      (g) => placed(g, shape, (whole) => diagonal(whole, offset, dim1, dim2)),
    );
  },
);
/**
 * A view of windows along a dimension.
 * @param input any shape
 * @param dimension the dimension
 * @param size how many places a window has
 * @param step the distance of neighbouring windows, at least 1
 * @returns a view [.., floor((n - size) / step) + 1, .., size], whose windows may overlap
 * @throws RuntimeError if `size` exceeds the dimension or `step` is not positive; RangeError if the dimension is out of range
 */
export const unfold = methodOp(
  'unfold(Tensor input, int dimension, int size, int step)',
  (input: Tensor, dimension: number, size: number, step: number): Tensor => {
    const shape = input.shape;
    return asView(
      'UnfoldBackward0',
      invoke(UNFOLD, input, dimension, size, step),
      input,
      (x) => unfold(x, dimension, size, step),
      (g) => spread(g, shape, (whole) => unfold(whole, dimension, size, step)),
    );
  },
);

/** The gradient of a view whose elements may overlap: every element adds to the place that it views. */
function spread(g: Tensor, shape: readonly number[], again: (t: Tensor) => Tensor): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const places = n === 0 ? null : invoke(ARANGE, 0, 1, n, int64, g);
  if (places === null) return invoke(ZEROS, shape, g.dtype, g);
  const index = again(viewSizes(places, shape)).reshape(-1);
  return invoke(ZEROS, [n], g.dtype, g)
    .indexAdd(0, index, g.reshape(-1))
    .view(...shape);
}
/**
 * A view with any sizes and distances inside the storage.
 * @param input the tensor whose memory is viewed
 * @param size the sizes
 * @param stride as many distances of neighbours, in elements, not negative
 * @param storageOffset where it starts in the storage, in elements (default null: input's offset)
 * @returns a view of `size`, whose elements may overlap
 * @throws RuntimeError if it reaches outside of the storage, or sizes and strides differ in number
 */
export const asStrided = op(
  'asStrided(Tensor input, int[] size, int[] stride, int? storageOffset=None)',
  (input: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number | null): Tensor => {
    const shape = input.shape;
    const strides = input.stride();
    const at = storageOffset ?? input.storageOffset();
    const base = input.storageOffset();
    return asView(
      'AsStridedBackward0',
      invoke(AS_STRIDED, input, size, stride, storageOffset),
      input,
      (x) => asStrided(x, size, stride, storageOffset),
      (g) => stridedGradient(g, shape, strides, base, size, stride, at),
    );
  },
);
/** As PyTorch: the gradient is laid out in a buffer like the storage, then read with the geometry of the input. */
function stridedGradient(
  g: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  base: number,
  size: readonly number[],
  stride: readonly number[],
  at: number,
): Tensor {
  const reach = (s: readonly number[], st: readonly number[]): number =>
    s.reduce((a, n, d) => a + Math.max(n - 1, 0) * st[d]!, 1);
  const shift = Math.min(base, at);
  const room = Math.max(base - shift + reach(shape, strides), at - shift + reach(size, stride));
  const places = invoke(ARANGE, 0, 1, room, int64, g);
  const index = invoke1(CONTIGUOUS, invoke(AS_STRIDED, places, size, stride, at - shift)).view(-1);
  const buffer = invoke(ZEROS, [room], g.dtype, g).indexAdd(0, index, g.reshape(-1));
  return asStrided(buffer, shape, strides, base - shift).clone();
}

/** Gives a tensor the geometry of a view of itself, in place. `back` places the gradient in the old geometry. */
function inPlaceView(node: string, self: Tensor, make: (x: Tensor) => Tensor, back: (g: Tensor) => Tensor): Tensor {
  const recorded = needsGrad(self);
  checkInPlace(self, recorded);
  if (recorded && self._isView()) {
    throw new RuntimeError(
      `${node}: a view that requires grad cannot change its own geometry in place; use the out-of-place form`,
    );
  }
  invokeVoid(SET_GEOMETRY, self, make(self));
  self._shape = undefined;
  if (recorded) recordInPlace(node, self, [self], [], (g) => [back(g)]);
  return self;
}
/**
 * Exchanges two dimensions of the tensor itself.
 * @param self the tensor
 * @param dim0 one dimension
 * @param dim1 the other
 * @returns self
 * @throws RangeError if a dimension is out of range
 */
export const transpose_ = methodOp(
  'transpose_(Tensor self, int dim0, int dim1)',
  (self: Tensor, dim0: number, dim1: number): Tensor =>
    inPlaceView(
      'TransposeBackward0',
      self,
      (x) => invoke(TRANSPOSE, x, dim0, dim1),
      (g) => transposed(g, dim0, dim1),
    ),
);
export { transpose_ as swapaxes_, transpose_ as swapdims_ };
/**
 * Transposes the tensor itself, a matrix; vectors and numbers stay. Returns it.
 * @throws RuntimeError for a tensor of more dimensions
 */
export const t_ = methodOp('t_(Tensor self)', (self: Tensor): Tensor => {
  needMatrix('t_', self);
  return self.ndim < 2 ? self : inPlaceView('TBackward0', self, (x) => invoke(TRANSPOSE, x, 0, 1), t2);
});
/**
 * Drops dimensions of size one from the tensor itself.
 * @param self the tensor
 * @param dim the dimensions to drop if their size is one (default null: all)
 * @returns self
 * @throws RangeError if a dimension is out of range; RuntimeError if one occurs twice
 */
export const squeeze_ = methodOp(
  'squeeze_(Tensor self, int[]? dim=None)',
  (self: Tensor, dim: readonly number[] | null): Tensor => {
    const shape = self.shape;
    return inPlaceView(
      'SqueezeBackward1',
      self,
      (x) => invoke(SQUEEZE, x, dim ?? shape.map((_, d) => d)),
      (g) => reshaped(g, shape),
    );
  },
);
/**
 * Gives the tensor itself a dimension of size one.
 * @param self the tensor
 * @param dim where it stands then; negative ones count from the end
 * @returns self
 * @throws RangeError if the dimension is out of range
 */
export const unsqueeze_ = methodOp('unsqueeze_(Tensor self, int dim)', (self: Tensor, dim: number): Tensor => {
  const shape = self.shape;
  return inPlaceView(
    'UnsqueezeBackward0',
    self,
    (x) => invoke(UNSQUEEZE, x, dim),
    (g) => reshaped(g, shape),
  );
});
/**
 * Gives the tensor itself other sizes and distances on its memory.
 * @param self the tensor
 * @param size the sizes
 * @param stride as many distances of neighbours, in elements, not negative
 * @param storageOffset where it starts in the storage, in elements (default null: its own offset)
 * @returns self
 * @throws RuntimeError if it reaches outside of the storage, or sizes and strides differ in number
 */
export const asStrided_ = methodOp(
  'asStrided_(Tensor self, int[] size, int[] stride, int? storageOffset=None)',
  (self: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number | null): Tensor => {
    const shape = self.shape;
    const strides = self.stride();
    const base = self.storageOffset();
    return inPlaceView(
      'AsStridedBackward0',
      self,
      (x) => invoke(AS_STRIDED, x, size, stride, storageOffset),
      (g) => stridedGradient(g, shape, strides, base, size, stride, storageOffset ?? base),
    );
  },
);
