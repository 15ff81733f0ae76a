// Lists of tensors brought to common sizes, and their combinations.
import { int64 } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp } from './define.js';
import { gather } from './gather.js';
import { indexSelect } from './index_along.js';
import { triuIndices } from './index_triangle.js';
import { stack } from './join.js';
import { atLeast, commonShape, tensorList } from './join_util.js';
import { fromNested } from './nested.js';
import { isOptions } from './signature.js';
import { expand, flatten, select } from './view.js';
import { reshaped } from './internal/view.js';

type Tensors = [tensors: readonly Tensor[]] | Tensor[];

/**
 * The shape that shapes broadcast to: aligned at their ends, sizes of one give way to others.
 * @param shapes arrays of sizes; a number is a shape of one dimension
 * @returns an array of sizes
 * @throws RuntimeError if they do not fit, or are not integers of at least 0
 */
export function broadcastShapes(...shapes: (number | readonly number[])[]): number[] {
  const list = shapes.map((s) => {
    const shape = typeof s === 'number' ? [s] : s;
    if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n))) {
      throw new RuntimeError(
        `Input shapes should be of type ints, a tuple of ints, or a list of ints, got ${inWords(s)}`,
      );
    }
    return shape as readonly number[];
  });
  const out = new Array<number>(Math.max(0, ...list.map((shape) => shape.length))).fill(1);
  list.forEach((shape, index) => {
    for (let back = 1; back <= shape.length; back++) {
      const n = shape[shape.length - back]!;
      const at = out.length - back;
      if (n < 0) throw new RuntimeError('Attempting to broadcast a dimension with negative length!');
      if (n !== 1 && n !== out[at] && out[at] !== 1) {
        throw new RuntimeError(
          `Attempting to broadcast a dimension of length ${n} at -${back}! Mismatching argument at index ${index} had ` +
            `${typeof shapes[index] === 'number' ? `(${n},)` : `[${shape.join(', ')}]`}; but expected shape should be broadcastable to [${out.join(', ')}]`,
        );
      }
      if (n !== 1) out[at] = n;
    }
  });
  return out;
}
/**
 * Views of tensors, expanded to their common shape.
 * @param tensors one by one or as a list
 * @returns as many views
 * @throws RuntimeError if the shapes do not fit; TypeError for anything but tensors
 */
export function broadcastTensors(...tensors: Tensors): Tensor[] {
  const list = tensorList('broadcastTensors', tensors);
  const shape = commonShape(list.map((t) => t.shape));
  return list.map((t) => expand.impl(t, shape));
}

function each(name: string, n: 1 | 2 | 3) {
  function atleast(tensor: Tensor): Tensor;
  function atleast(tensors: readonly Tensor[]): Tensor[];
  function atleast(...tensors: [Tensor, Tensor, ...Tensor[]]): Tensor[];
  function atleast(...args: unknown[]): Tensor | Tensor[] {
    if (args.length === 1 && args[0] instanceof Tensor) return atLeast(args[0], n);
    return tensorList(name, args).map((t) => atLeast(t, n));
  }
  return atleast;
}
/** Views with at least one dimension, [1] of a number: one of one tensor, an array of several or of a list. */
export const atleast1d = each('atleast1d', 1);
/** Views with at least two dimensions, numbers and vectors as rows: one of one tensor, an array of several or of a list. */
export const atleast2d = each('atleast2d', 2);
/**
 * Views with at least three dimensions; a vector of n becomes [1, n, 1], a matrix [n, m, 1]. One of one tensor, an array
 * of several or of a list.
 */
export const atleast3d = each('atleast3d', 3);

/** How `meshgrid` orders dimensions. */
export interface MeshgridOptions {
  /** 'ij' (default): one dimension per tensor, in their order; 'xy': the first two swapped. */
  indexing?: 'ij' | 'xy';
}
/**
 * The coordinates of a grid: views of vectors, expanded so that the i-th varies along dimension i.
 * @param tensors vectors of one type, one by one or as a list; numbers count as vectors of one element. Options may follow:
 *   { indexing: 'xy' } swaps the first two dimensions (default 'ij')
 * @returns as many views of the sizes of all vectors
 * @throws RuntimeError if there are none, types differ, one has more dimensions, or for another `indexing`
 * @throws TypeError for another option or anything but tensors
 */
export function meshgrid(
  ...tensors: [...Tensors] | [...Tensor[], MeshgridOptions] | [readonly Tensor[], MeshgridOptions]
): Tensor[] {
  const args: unknown[] = [...tensors];
  const options = isOptions(args.at(-1)) ? (args.pop() as MeshgridOptions) : {};
  for (const key of Object.keys(options)) {
    if (key !== 'indexing') throw new TypeError(`meshgrid() got an unexpected keyword argument '${key}'`);
  }
  const indexing: string = options.indexing ?? 'ij';
  const list = tensorList('meshgrid', args);
  if (list.length === 0) throw new RuntimeError('meshgrid expects a non-empty TensorList');
  for (const t of list) {
    if (t.ndim > 1)
      throw new RuntimeError(`torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ${String(t.ndim)}D`);
    if (t.dtype !== list[0]!.dtype) throw new RuntimeError('torch.meshgrid expects all tensors to have the same dtype');
  }
  if (indexing !== 'ij' && indexing !== 'xy') {
    throw new RuntimeError(`torch.meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`);
  }
  const swap = indexing === 'xy' && list.length > 1;
  const order = swap ? [list[1]!, list[0]!, ...list.slice(2)] : list;
  const shape = order.map((t) => t.numel());
  const grids = order.map((t, i) => {
    const own = new Array<number>(order.length).fill(1);
    own[i] = shape[i]!;
    return expand.impl(reshaped(t, own), shape);
  });
  return swap ? [grids[1]!, grids[0]!, ...grids.slice(2)] : grids;
}

/**
 * All ways to take one element of each vector, as rows; the last vector varies fastest.
 * @param tensors vectors of one type, one by one or as a list
 * @returns [product of sizes, number of vectors]; of one vector the vector itself
 * @throws RuntimeError if there are none, types differ or one is no vector
 */
export function cartesianProd(...tensors: Tensors): Tensor {
  const list = tensorList('cartesianProd', tensors);
  if (list.length === 0) throw new RuntimeError('meshgrid expects a non-empty TensorList');
  for (const t of list)
    if (t.ndim !== 1) throw new RuntimeError(`Expect a 1D vector, but got shape [${t.shape.join(', ')}]`);
  if (list.length === 1) return list[0]!;
  return stack(
    meshgrid(list).map((g) => flatten(g)),
    1,
  );
}

/** The ways to choose r of n elements (or of n - 1 + r with replacement), as rows of positions in ascending order. */
function choices(n: number, r: number, withReplacement: boolean): number[] {
  const rows: number[] = [];
  const row: number[] = [];
  const step = withReplacement ? 0 : 1;
  const extend = (from: number): void => {
    if (row.length === r) {
      for (const i of row) rows.push(i);
      return;
    }
    for (let i = from; i < n; i++) {
      row.push(i);
      extend(i + step);
      row.pop();
    }
  };
  extend(0);
  return rows;
}
/**
 * All ways to choose r elements of a vector, in order.
 * @param input [n]
 * @param r how many, at least 0 (default 2)
 * @param withReplacement whether an element may be chosen more than once (default false)
 * @returns [number of ways, r]: n! / (r! (n - r)!) ways, with replacement those of n + r - 1; [0] for r = 0
 * @throws RuntimeError if input is no vector or r is negative
 */
export const combinations = fnOp(
  'combinations(Tensor input, int r=2, bool withReplacement=False)',
  (input: Tensor, r: number, withReplacement: boolean): Tensor => {
    if (input.ndim !== 1) throw new RuntimeError(`Expect a 1D vector, but got shape [${input.shape.join(', ')}]`);
    if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`);
    if (r === 0) return input.newEmpty([0]);
    const n = input.shape[0]!;
    if (r === 2) {
      const pairs = triuIndices(n, n, withReplacement ? 0 : 1);
      return stack([indexSelect(input, 0, select(pairs, 0, 0)), indexSelect(input, 0, select(pairs, 0, 1))], 1);
    }
    const places = choices(n, r, withReplacement);
    return reshaped(gather(input, 0, fromNested(places, int64)), [places.length / r, r]);
  },
);
