// Norms of vectors and matrices, and condition numbers.
import { type DType, float32 } from '../core/dtype.js';
import { inWords, RuntimeError } from '../core/errors.js';
import { div, mul } from '../ops/arithmetic.js';
import { fnOp } from '../ops/define.js';
import { amax, amin, sum } from '../ops/reduce.js';
import { abs } from '../ops/unary.js';
import { movedim, select, unsqueeze } from '../ops/view.js';
import { type Tensor, wrapDim } from '../tensor/tensor.js';
import { batchSizes, checkFloat, checkMatrix, checkSquare, zerosOf } from './common.js';
import { inverseOf } from './solve.js';
import { svdvals } from './svd.js';
import { cast } from '../ops/internal/cast.js';
import { select3 as where } from '../ops/internal/select.js';
import { vectorNormOf } from '../ops/internal/vector_norm.js';
import { anyTrue } from '../ops/internal/truth.js';

/** @throws RuntimeError unless a norm can be computed in `dtype`. */
function checkNormType(name: string, x: Tensor, dtype: DType | null): void {
  checkFloat(name, x, true);
  if (dtype === null) return;
  if (!dtype.isFloatingPoint && !dtype.isComplex) {
    throw new RuntimeError(`${name}: dtype should be floating point or complex, but got ${dtype.scalarName}`);
  }
  if (x.dtype.isComplex !== dtype.isComplex) {
    const kind = x.dtype.isComplex ? 'complex' : 'real';
    throw new RuntimeError(`${name}: dtype should be ${kind} for ${kind} inputs, but got ${dtype.scalarName}`);
  }
  if (dtype.itemsize < x.dtype.itemsize) {
    throw new RuntimeError(
      `${name}: the dtype of the input (${x.dtype.scalarName}) should be convertible without narrowing to the specified dtype (${dtype.scalarName})`,
    );
  }
}
function vectorNormChecked(
  x: Tensor,
  p: number,
  dim: readonly number[] | null,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const name = 'linalg.vector_norm';
  checkNormType(name, x, dtype);
  const dims = dim ?? [];
  const reduced = dims.length === 0 ? x.shape : dims.map((d) => x.shape[wrapDim(d, x.ndim)] ?? 1);
  if ((p < 0 || p === Infinity) && reduced.some((n) => n === 0)) {
    const order = p === Infinity ? 'inf' : p === -Infinity ? '-inf' : String(p);
    const where0 =
      dims.length === 0
        ? 'an empty tensor'
        : `the dimension ${dims.find((d) => x.shape[wrapDim(d, x.ndim)] === 0)} because this dimension is empty and`;
    throw new RuntimeError(
      `linalg.vector_norm cannot compute the ${order} norm on ${where0}${dims.length === 0 ? ' because' : ''} the operation does not have an identity`,
    );
  }
  const over = dims.length === 0 ? null : dims;
  // Powers of halves overflow soon: they are summed in float32.
  if ((dtype ?? x.dtype).itemsize === 2) return cast(vectorNormOf(x, p, over, keepdim, float32), dtype ?? x.dtype);
  return vectorNormOf(x, p, over, keepdim, dtype);
}
/**
 * The p-norm of elements along dimensions, (sum |x|^p)^(1/p). Halves are summed in float32.
 * @param x any shape; float or complex
 * @param ord p, any number (default 2): Infinity is the largest, -Infinity the smallest absolute value, 0 counts what is not zero
 * @param dim the dimensions to take the norm over (default null, and []: all)
 * @param keepdim keep those dimensions at size one (default false)
 * @param dtype the type to convert to first, not narrower than x's (default null: x's)
 * @returns x's shape without `dim`; real, also for complex input
 * @throws RuntimeError for integers, for a `dtype` that is narrower or changes real to complex, and if an order below 0 or
 *   Infinity meets no elements
 */
export const vectorNorm = fnOp(
  'vectorNorm(Tensor x, float ord=2, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  vectorNormChecked,
);

type Order = number | string;
const ORDERS: readonly Order[] = ['fro', 'nuc', Infinity, -Infinity, 1, -1, 2, -2];

function matrixNormOf(a: Tensor, ord: Order, dim: readonly number[], keepdim: boolean, dtype: DType | null): Tensor {
  const name = 'linalg.matrix_norm';
  checkMatrix(name, a);
  checkNormType(name, a, dtype);
  if (!ORDERS.includes(ord)) {
    throw new RuntimeError(`${name}: Order ${ord} not supported.`);
  }
  if (dim.length !== 2) throw new RuntimeError(`${name}: dim must be a 2-tuple. Got ${dim.join(', ')}`);
  const dims = dim.map((d) => wrapDim(d, a.ndim));
  if (dims[0] === dims[1]) throw new RuntimeError(`${name}: dims must be different. Got (${dim.join(', ')})`);
  if (ord === 'fro') return vectorNormChecked(a, 2, dims, keepdim, dtype);
  const x = dtype === null ? a : cast(a, dtype);
  if (ord === 'nuc' || ord === 2 || ord === -2) {
    const s = svdvals.impl(movedim.impl(x, dims, [-2, -1]), null);
    const y =
      ord === 'nuc'
        ? sum.impl(s, [-1], false, null)
        : ord === 2
          ? amax.impl(s, [-1], false)
          : amin.impl(s, [-1], false);
    if (!keepdim) return y;
    return unsqueeze.impl(unsqueeze.impl(y, Math.min(...dims)), Math.max(...dims));
  }
  const [summed, compared] = Math.abs(ord as number) === 1 ? dims : [dims[1]!, dims[0]!];
  const sums = vectorNormChecked(x, 1, [summed!], true, null);
  const y = (ord as number) > 0 ? amax.impl(sums, [compared!], true) : amin.impl(sums, [compared!], true);
  return keepdim ? y : y.squeeze(dims);
}
function orderOf(name: string, ord: unknown): Order {
  if (typeof ord === 'number' || typeof ord === 'string') return ord;
  throw new TypeError(`${name}(): argument 'ord' must be a number or a string`);
}
/**
 * A norm of matrices: 'fro' sqrt(sum |a|^2), 'nuc' the sum of the singular values, 2 and -2 the largest and the smallest of them,
 * 1 and -1 the largest and smallest sum of absolute values of a column, Infinity and -Infinity of a row.
 * @param a [.., m, n], float or complex; 'nuc' and ±2 take no halves
 * @param ord the norm (default 'fro')
 * @param dim the two dimensions of the matrices, rows first (default [-2, -1])
 * @param keepdim keep those dimensions at size one (default false)
 * @param dtype the type to convert to first, not narrower than a's (default null: a's)
 * @returns a's shape without `dim`; real, also for complex input
 * @throws RuntimeError if `ord` is another, `dim` is not two different dimensions, or the types are none that `vectorNorm` takes
 * @throws TypeError if `ord` is neither a number nor a string
 */
export const matrixNorm = fnOp(
  "matrixNorm(Tensor a, any ord='fro', int[] dim=[], bool keepdim=False, ScalarType? dtype=None)",
  (a: Tensor, ord: unknown, dim: readonly number[], keepdim: boolean, dtype: DType | null): Tensor =>
    matrixNormOf(a, orderOf('matrixNorm', ord), dim.length === 0 ? [-2, -1] : dim, keepdim, dtype),
);
/**
 * A norm of vectors or of matrices. Without `ord` it is the 2-norm of all elements along `dim`; with one, a single dimension
 * makes it `vectorNorm` and two make it `matrixNorm` (without `dim`: those of an input of one or two dimensions).
 * @param a float or complex; any shape without `ord`
 * @param ord an order of `vectorNorm` or `matrixNorm` (default null: 2 over all of `dim`, without singular values)
 * @param dim one or two dimensions (default null: all)
 * @param keepdim keep those dimensions at size one (default false)
 * @param dtype the type to convert to first, not narrower than a's (default null: a's)
 * @returns a's shape without `dim`; real, also for complex input
 * @throws RuntimeError if `dim` has neither one nor two dimensions; if `ord` comes without `dim` and the input has neither; as
 *   `vectorNorm` and `matrixNorm`
 */
export const norm = fnOp(
  'norm(Tensor a, any ord=None, int[]? dim=None, bool keepdim=False, ScalarType? dtype=None)',
  (a: Tensor, ord: unknown, dim: readonly number[] | null, keepdim: boolean, dtype: DType | null): Tensor => {
    const matrices = (order: Order): Tensor => matrixNormOf(a, order, dim ?? [-2, -1], keepdim, dtype);
    if (dim !== null && dim.length !== 1 && dim.length !== 2 && ord !== null) {
      throw new RuntimeError(`linalg.norm: If dim is specified, it must be of length 1 or 2. Got [${dim.join(', ')}]`);
    }
    if (dim === null && ord !== null && a.ndim !== 1 && a.ndim !== 2) {
      throw new RuntimeError(
        `linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ${a.ndim}D.`,
      );
    }
    if (ord === null) {
      if (dim !== null && dim.length !== 1 && dim.length !== 2) {
        throw new RuntimeError(
          `linalg.norm: If dim is specified, it must be of length 1 or 2. Got [${dim.join(', ')}]`,
        );
      }
      return vectorNormChecked(a, 2, dim, keepdim, dtype);
    }
    const order = orderOf('norm', ord);
    if (typeof order === 'string' || (dim === null ? a.ndim === 2 : dim.length === 2)) return matrices(order);
    return vectorNormChecked(a, order, dim, keepdim, dtype);
  },
);

/**
 * The condition number norm(A) norm(A^-1) of matrices in a norm; Infinity for a singular matrix that is not zero.
 * @param a [.., m, n], float or complex of 32 or 64 bits a part; square unless p is null, 2 or -2
 * @param p an order of `matrixNorm` (default null: as 2, the largest by the smallest singular value; -2 the reverse)
 * @returns [..], real; 0 for empty matrices
 * @throws RuntimeError if `p` is no such order, or matrices are not square where they must be
 */
export const cond = fnOp('cond(Tensor a, any p=None)', (a: Tensor, p: unknown): Tensor => {
  checkFloat('linalg.svd', a, true);
  if (a.ndim < 2) throw new RuntimeError('linalg.cond: The input tensor must have at least 2 dimensions.');
  if (p !== null && !ORDERS.includes(p as Order))
    throw new RuntimeError(`linalg.cond got an invalid norm type: ${inWords(p)}`);
  if (p === null || p === 2 || p === -2) {
    const s = svdvals.impl(a, null);
    if (a.numel() === 0) return zerosOf(s, batchSizes(a));
    const [largest, smallest] = [select.impl(s, -1, 0), select.impl(s, -1, -1)];
    return p === -2 ? div.impl(smallest, largest, null) : div.impl(largest, smallest, null);
  }
  checkSquare(`linalg.cond(ord=${p === Infinity ? 'inf' : p === -Infinity ? '-inf' : String(p)})`, a);
  if (a.numel() === 0) return zerosOf(abs(a), batchSizes(a));
  const [inverse, info] = inverseOf(a);
  const singular = unsqueeze.impl(unsqueeze.impl(info.ne(0), -1), -1);
  const other = anyTrue(info.ne(0)) ? where(singular, Infinity, inverse) : inverse;
  const order = p as Order;
  return mul.impl(matrixNormOf(a, order, [-2, -1], false, null), matrixNormOf(other, order, [-2, -1], false, null));
});
