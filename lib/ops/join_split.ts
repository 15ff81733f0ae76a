// Tensors cut into views of their parts, and lists of tensors brought to common sizes.
import { needsGrad, record } from '../autograd/graph.js';
import { recordView } from '../autograd/view.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import { int64 } from '../core/dtype.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import { fnOp, op } from './define.js';
import { cat, stack } from './join.js';
import { select } from './view.js';
import { sliceDim } from './internal/view.js';

const SELECT = nativeOp('select');
const SLICE = nativeOp('slice');

/** Views of consecutive parts along a dimension; their sizes add up to that of the dimension. */
function parts(node: string, input: Tensor, dim: number, sizes: readonly number[]): Tensor[] {
  let at = 0;
  const starts = sizes.map((n) => (at += n) - n);
  const out: Tensor[] = [];
  for (let i = 0; i < sizes.length; i++) out.push(invoke(SLICE, input, dim, starts[i]!, starts[i]! + sizes[i]!, 1));
  if (needsGrad(input)) {
    const shape = input.shape;
    record(node, out, [input], [], (gs) => {
      const some = gs.find((g) => g !== null)!;
      const whole = gs.map((g, i) => g ?? some.newZeros(shape.map((n, d) => (d === dim ? sizes[i]! : n))));
      return [cat.impl(whole, dim)];
    });
  }
  for (let i = 0; i < out.length; i++) {
    recordView(out[i]!, input, (x) => sliceDim(x, dim, starts[i]!, starts[i]! + sizes[i]!, 1), { multiple: true });
  }
  return out;
}

/** A list of more tensors than this does not fit into the memory that JavaScript has, which would end the process. */
const MOST_PARTS = 2 ** 24;
function checkCount(op: string, count: number): number {
  if (count > MOST_PARTS) throw new RuntimeError(`${op}(): ${count} parts are more tensors than memory holds`);
  return count;
}

/** A list of integers that an argument of several kinds may be. */
function integers(op: string, name: string, value: unknown): readonly number[] {
  if (!Array.isArray(value) || !value.every((n) => Number.isInteger(n))) {
    throw new TypeError(`${op}(): argument '${name}' must be an integer or a list of integers`);
  }
  return value as number[];
}

function splitBySize(input: Tensor, splitSize: number, dim: number): Tensor[] {
  if (input.ndim === 0) throw new RuntimeError('split expects at least a 1-dimensional tensor');
  const d = wrapDim(dim, input.ndim);
  if (splitSize < 0)
    throw new RuntimeError(`split expects split_size be non-negative, but got split_size=${splitSize}`);
  const n = input.shape[d]!;
  if (splitSize === 0 && n !== 0)
    throw new RuntimeError(`split_size can only be 0 if dimension size is 0, but got dimension size of ${n}`);
  const count = splitSize === 0 ? 1 : Math.max(1, Math.ceil(n / splitSize));
  const sizes = Array.from({ length: checkCount('split', count) }, (_, i) => Math.min(splitSize, n - i * splitSize));
  return parts('SplitBackward0', input, d, sizes);
}
function splitBySizes(input: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  if (input.ndim === 0) throw new RuntimeError('split_with_sizes expects at least a 1-dimensional tensor');
  const d = wrapDim(dim, input.ndim);
  const n = input.shape[d]!;
  const shown = `[${sizes.join(', ')}]`;
  if (sizes.some((size) => size < 0)) {
    throw new RuntimeError(
      `split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=${shown}`,
    );
  }
  if (sizes.reduce((a, b) => a + b, 0) !== n) {
    throw new RuntimeError(
      `split_with_sizes expects split_sizes to sum exactly to ${n} (input tensor's size at dimension ${d}), but got split_sizes=${shown}`,
    );
  }
  return parts('SplitWithSizesBackward0', input, d, sizes);
}
/**
 * Views of consecutive parts along a dimension.
 * @param input at least one dimension
 * @param splitSize the size of each part (the last may be smaller), or a list of sizes
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if the sizes are negative, zero or do not add up; RangeError if `dim` is out of range
 * @throws TypeError if `splitSize` is neither an integer nor a list of them
 */
export const split = op(
  'split(Tensor input, any splitSize, int dim=0)',
  (input: Tensor, splitSize: number | readonly number[], dim: number): Tensor[] => {
    if (typeof splitSize === 'number' && Number.isInteger(splitSize)) return splitBySize(input, splitSize, dim);
    return splitBySizes(input, integers('split', 'splitSize', splitSize), dim);
  },
);
/**
 * Views of consecutive parts of given sizes along a dimension.
 * @param input at least one dimension
 * @param splitSizes the sizes, which add up to the dimension's
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if the sizes are negative or do not add up; RangeError if `dim` is out of range
 */
export const splitWithSizes = op('splitWithSizes(Tensor input, int[] splitSizes, int dim=0)', splitBySizes);

/**
 * Views of consecutive parts along a dimension, of equal size but for the last.
 * @param input at least one dimension
 * @param chunks how many parts, at least 1
 * @param dim the dimension (default 0)
 * @returns an array of views of ceil(n / chunks) places: fewer than `chunks` if these suffice
 * @throws RuntimeError if `chunks` is not positive or input has no dimensions; RangeError if `dim` is out of range
 */
export const chunk = op(
  'chunk(Tensor input, int chunks, int dim=0)',
  (input: Tensor, chunks: number, dim: number): Tensor[] => {
    if (input.ndim === 0) throw new RuntimeError('chunk expects at least a 1-dimensional tensor');
    if (chunks <= 0) throw new RuntimeError(`chunk expects \`chunks\` to be greater than 0, got: ${chunks}`);
    const d = wrapDim(dim, input.ndim);
    const n = input.shape[d]!;
    const size = Math.ceil(n / chunks);
    return size === 0
      ? parts('SplitWithSizesBackward0', input, d, new Array<number>(checkCount('chunk', chunks)).fill(0))
      : splitBySize(input, size, d);
  },
);

function tensorSplitBy(
  name: string,
  input: Tensor,
  indicesOrSections: number | readonly number[] | Tensor,
  dim: number,
): Tensor[] {
  if (input.ndim === 0)
    throw new RuntimeError(`${name} expected at least a 1-dimensional tensor, but got a tensor with 0 dims`);
  const d = wrapDim(dim, input.ndim);
  const n = input.shape[d]!;
  let given = indicesOrSections;
  if (given instanceof Tensor) {
    if (given.dtype !== int64 || given.ndim > 1) {
      throw new RuntimeError(
        `${name} expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional int64 tensor, but got a tensor with ${given.ndim} dims`,
      );
    }
    given = given.ndim === 0 ? Number(given.item()) : (given.tolist() as number[]);
  }
  if (typeof given === 'number' && Number.isInteger(given)) {
    if (given <= 0) throw new RuntimeError(`number of sections must be larger than 0, got ${given}`);
    const [least, larger] = [Math.floor(n / given), n % given];
    const ends = Array.from({ length: checkCount(name, given) }, (_, i) => (i + 1) * least + Math.min(i + 1, larger));
    return ends.map((end, i) => sliceDim(input, d, i === 0 ? 0 : ends[i - 1]!, end, 1));
  }
  const ends = [...integers(name, 'indicesOrSections', given), null];
  return ends.map((end, i) => sliceDim(input, d, i === 0 ? 0 : ends[i - 1]!, end, 1));
}
/**
 * Views of consecutive parts along a dimension.
 * @param input at least one dimension
 * @param indicesOrSections a number of parts, whose sizes differ by at most one, or the places to cut at: a list, or a
 *   tensor of int64
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if the number of parts is not positive or input has no dimensions; RangeError if `dim` is out of range
 * @throws TypeError if `indicesOrSections` is nothing of this
 */
export const tensorSplit = op(
  'tensorSplit(Tensor input, any indicesOrSections, int dim=0)',
  (input: Tensor, indicesOrSections: number | readonly number[] | Tensor, dim: number): Tensor[] =>
    tensorSplitBy('tensor_split', input, indicesOrSections, dim),
);
/** A split into equal parts, or at places, along a dimension that only has to exist. */
function evenSplit(
  name: string,
  input: Tensor,
  least: number,
  dim: number,
  indicesOrSections: number | readonly number[],
): Tensor[] {
  if (input.ndim < least) {
    throw new RuntimeError(
      `torch.${name} requires a tensor with at least ${least} dimension${least > 1 ? 's' : ''}, but got a tensor with ${input.ndim} dimensions!`,
    );
  }
  const n = input.shape[dim]!;
  if (typeof indicesOrSections === 'number' && (indicesOrSections <= 0 || n % indicesOrSections !== 0)) {
    throw new RuntimeError(
      `torch.${name} attempted to split along dimension ${dim}, but the size of the dimension ${n} is not divisible by the split_size ${indicesOrSections}!`,
    );
  }
  return tensorSplitBy(name, input, indicesOrSections, dim);
}
/**
 * Views of parts along dimension 1, of a vector along dimension 0.
 * @param input at least one dimension
 * @param indicesOrSections a number of equal parts, or the places to cut at
 * @returns an array of views
 * @throws RuntimeError if the size cannot be divided by the number, or input has too few dimensions
 */
export const hsplit = op(
  'hsplit(Tensor input, any indicesOrSections)',
  (input: Tensor, indicesOrSections: number | readonly number[]): Tensor[] =>
    evenSplit('hsplit', input, 1, input.ndim === 1 ? 0 : 1, indicesOrSections),
);
/**
 * Views of parts along dimension 0.
 * @param input at least two dimensions
 * @param indicesOrSections a number of equal parts, or the places to cut at
 * @returns an array of views
 * @throws RuntimeError if the size cannot be divided by the number, or input has too few dimensions
 */
export const vsplit = op(
  'vsplit(Tensor input, any indicesOrSections)',
  (input: Tensor, indicesOrSections: number | readonly number[]): Tensor[] =>
    evenSplit('vsplit', input, 2, 0, indicesOrSections),
);
/**
 * Views of parts along dimension 2.
 * @param input at least three dimensions
 * @param indicesOrSections a number of equal parts, or the places to cut at
 * @returns an array of views
 * @throws RuntimeError if the size cannot be divided by the number, or input has too few dimensions
 */
export const dsplit = op(
  'dsplit(Tensor input, any indicesOrSections)',
  (input: Tensor, indicesOrSections: number | readonly number[]): Tensor[] =>
    evenSplit('dsplit', input, 3, 2, indicesOrSections),
);

/**
 * Views of the slices along a dimension, which they do not have.
 * @param input at least one dimension
 * @param dim the dimension (default 0)
 * @returns an array with a view for each place
 * @throws RangeError if `dim` is out of range or input has no dimensions
 */
export const unbind = op('unbind(Tensor input, int dim=0)', (input: Tensor, dim: number): Tensor[] => {
  if (input.ndim === 0) throw new RangeError('Dimension specified as 0 but tensor has no dimensions');
  const d = wrapDim(dim, input.ndim);
  const count = checkCount('unbind', input.shape[d]!);
  const out: Tensor[] = [];
  for (let i = 0; i < count; i++) out.push(invoke(SELECT, input, d, i));
  if (out.length > 0 && needsGrad(input)) {
    record('UnbindBackward0', out, [input], [], (gs) => {
      const some = gs.find((g) => g !== null)!;
      return [
        stack.impl(
          gs.map((g) => g ?? some.newZeros(some.shape)),
          d,
        ),
      ];
    });
  }
  for (let i = 0; i < count; i++) recordView(out[i]!, input, (x) => select(x, d, i), { multiple: true });
  return out;
});

/**
 * The parts of `split` as copies.
 * @param input at least one dimension
 * @param splitSize the size of each part; the last may be smaller
 * @param dim the dimension (default 0)
 * @returns an array of tensors
 * @throws RuntimeError if the size is negative or zero; RangeError if `dim` is out of range
 */
export const splitCopy = fnOp(
  'splitCopy(Tensor input, int splitSize, int dim=0)',
  (input: Tensor, splitSize: number, dim: number): Tensor[] => splitBySize(input, splitSize, dim).map((t) => t.clone()),
);
/**
 * The parts of `splitWithSizes` as copies.
 * @param input at least one dimension
 * @param splitSizes the sizes, which add up to the dimension's
 * @param dim the dimension (default 0)
 * @returns an array of tensors
 * @throws RuntimeError if the sizes are negative or do not add up; RangeError if `dim` is out of range
 */
export const splitWithSizesCopy = fnOp(
  'splitWithSizesCopy(Tensor input, int[] splitSizes, int dim=0)',
  (input: Tensor, splitSizes: readonly number[], dim: number): Tensor[] =>
    splitBySizes(input, splitSizes, dim).map((t) => t.clone()),
);
/**
 * The slices of `unbind` as copies.
 * @param input at least one dimension
 * @param dim the dimension (default 0)
 * @returns an array with a tensor for each place
 * @throws RangeError if `dim` is out of range or input has no dimensions
 */
export const unbindCopy = fnOp('unbindCopy(Tensor input, int dim=0)', (input: Tensor, dim: number): Tensor[] =>
  unbind.impl(input, dim).map((t) => t.clone()),
);

// PyTorch's unsafe forms leave out the checks on changing the parts in place; here they are the safe ones.
/**
 * As `chunk`, which it only differs from in PyTorch.
 * @param input at least one dimension
 * @param chunks how many parts, at least 1
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if `chunks` is not positive; RangeError if `dim` is out of range
 */
export const unsafeChunk = op('unsafeChunk(Tensor input, int chunks, int dim=0)', chunk.impl);
/**
 * As `split` with one size, which it only differs from in PyTorch.
 * @param input at least one dimension
 * @param splitSize the size of each part; the last may be smaller
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if the size is negative or zero; RangeError if `dim` is out of range
 */
export const unsafeSplit = op('unsafeSplit(Tensor input, int splitSize, int dim=0)', splitBySize);
/**
 * As `splitWithSizes`, which it only differs from in PyTorch.
 * @param input at least one dimension
 * @param splitSizes the sizes, which add up to the dimension's
 * @param dim the dimension (default 0)
 * @returns an array of views
 * @throws RuntimeError if the sizes are negative or do not add up; RangeError if `dim` is out of range
 */
export const unsafeSplitWithSizes = op('unsafeSplitWithSizes(Tensor input, int[] splitSizes, int dim=0)', splitBySizes);
