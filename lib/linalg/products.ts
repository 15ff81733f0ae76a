// Products of vectors and matrices, powers and the exponential.
import { needsGrad, record } from '../autograd/graph.js';
import { float32 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { mul } from '../ops/arithmetic.js';
import { clone } from '../ops/convert.js';
import { fnOp } from '../ops/define.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { cumprod } from '../ops/scan.js';
import { conj } from '../ops/unary.js';
import { diagonal as diagonalOf, expand, narrow, unsqueeze } from '../ops/view.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  checkFloat,
  checkSameType,
  checkSquare,
  identityLike,
  overBatch,
  zerosOf,
} from './common.js';
import { checkedInverse } from './solve.js';
import { cast } from '../ops/internal/cast.js';
import { bestChain } from '../ops/internal/chain.js';
import { crossProduct } from '../ops/internal/cross.js';
import { reshaped } from '../ops/internal/view.js';

const MATRIX_EXP = nativeOp('linalg_matrix_exp');

export { matmul } from '../ops/matmul.js';

/** exp(A), whose gradient is the upper right block of exp([A^H, G; 0, A^H]) (Najfeld and Havel 1995). */
function exponential(a: Tensor): Tensor {
  const y = invoke(MATRIX_EXP, a);
  if (needsGrad(a)) {
    record('LinalgMatrixExpBackward0', y, [a], [a], (g, [x]) => {
      const n = x.shape[x.ndim - 1]!;
      const h = adjoint(x);
      const block = cat.impl([cat.impl([h, g], -1), cat.impl([zerosOf(x, x.shape), h], -1)], -2);
      return [narrow.impl(narrow.impl(exponential(block), -2, 0, n), -1, n, n)];
    });
  }
  return y;
}
/**
 * The exponential of square matrices, sum of A^k / k!, by scaling and squaring with Padé approximants (Higham 2005). The gradient
 * is a block of the exponential of [A^H, G; 0, A^H] (Najfeld and Havel 1995).
 * @param a [.., n, n], float or complex; halves are computed in float32
 * @returns [.., n, n] of a's type; NaN where a matrix is not finite
 * @throws RuntimeError if matrices are not square or integers
 */
export const matrixExp = fnOp('matrixExp(Tensor a)', (a: Tensor): Tensor => {
  checkSquare('linalg.matrix_exp', a);
  checkFloat('linalg.matrix_exp', a, true);
  return a.dtype.itemsize === 2 ? cast(exponential(cast(a, float32)), a.dtype) : exponential(a);
});

/**
 * Square matrices to an integer power, by repeated squaring.
 * @param a [.., n, n], of any type that `matmul` takes
 * @param n the power: 0 gives identities, a negative one the powers of the inverse (float or complex of 32 or 64 bits a part
 *   only)
 * @returns [.., n, n] of a's type
 * @throws RuntimeError if matrices are not square, or if `n` is negative and a matrix is singular
 */
export const matrixPower = fnOp('matrixPower(Tensor a, int n)', (a: Tensor, n: number): Tensor => {
  checkSquare('linalg.matrix_power', a);
  if (n === 0) return clone.impl(a, null).copy_(overBatch(identityLike(a, a.shape[a.ndim - 1]!), batchSizes(a)));
  let square = n < 0 ? checkedInverse('linalg.inv', a) : a;
  let result: Tensor | null = null;
  for (let rest = Math.abs(n); ; rest = Math.floor(rest / 2), square = matmul.impl(square, square)) {
    if (rest % 2 === 1) result = result === null ? square : matmul.impl(result, square);
    if (rest <= 1) break;
  }
  return result === a ? a.clone() : result!;
});

/**
 * The product of two or more matrices in the order that needs the fewest multiplications, found by dynamic programming.
 * @param tensors matrices [n_i, n_i+1] of one type; the first and the last may be vectors, taken as a row and as a column
 * @returns [n_0, n_k], without the dimension of a vector at that end
 * @throws RuntimeError if there are fewer than two, or if sizes, dimensions or types do not fit
 */
export const multiDot = fnOp('multiDot(Tensor[] tensors)', (tensors: readonly Tensor[]): Tensor => {
  const n = tensors.length;
  if (n < 2) throw new RuntimeError(`multi_dot(): expected at least 2 tensors but got ${n}`);
  tensors.forEach((t, i) => {
    const edge = i === 0 || i === n - 1;
    if (edge && t.ndim !== 1 && t.ndim !== 2) {
      throw new RuntimeError(
        `multi_dot(): the ${i === 0 ? 'first' : 'last'} tensor must be 1D or 2D but got ${t.ndim}D`,
      );
    }
    if (!edge && t.ndim !== 2) throw new RuntimeError(`multi_dot(): tensor ${i} must be 2D but got ${t.ndim}D`);
    if (t.dtype !== tensors[0]!.dtype) {
      throw new RuntimeError('multi_dot(): all tensors must have be the same dtype');
    }
  });
  const row = tensors[0]!.ndim === 1;
  const column = tensors[n - 1]!.ndim === 1;
  const chain = tensors.map((t, i) => (t.ndim === 2 ? t : unsqueeze.impl(t, i === 0 ? 0 : -1)));
  for (let i = 0; i + 1 < n; i++) {
    if (chain[i]!.shape[1] === chain[i + 1]!.shape[0]) continue;
    const shape = (t: Tensor): string => `[${t.shape.join(', ')}]`;
    throw new RuntimeError(
      `multi_dot(): tensors ${i} and ${i + 1} with shapes ${shape(chain[i]!)} and ${shape(chain[i + 1]!)} cannot be multiplied`,
    );
  }
  const y = bestChain(chain);
  return reshaped(y, [...(row ? [] : [y.shape[0]!]), ...(column ? [] : [y.shape[1]!])]);
});

/**
 * The dot products sum(conj(x) * y) of vectors along a dimension.
 * @param x float or complex
 * @param y of x's type; the other dimensions broadcast
 * @param dim the vectors' dimension, after broadcasting (default -1)
 * @returns the broadcast shape without `dim`
 * @throws RuntimeError for integers, different types, or sizes that do not broadcast (two vectors must be of one size)
 */
export const vecdot = fnOp('vecdot(Tensor x, Tensor y, int dim=-1)', (x: Tensor, y: Tensor, dim: number): Tensor => {
  checkFloat('linalg.vecdot', x, true);
  checkSameType('linalg.vecdot', x, y, ['x', 'y']);
  if (x.ndim === 1 && y.ndim === 1 && x.shape[0] !== y.shape[0]) {
    throw new RuntimeError(
      `inconsistent tensor size, expected tensor [${x.shape[0]}] and src [${y.shape[0]}] to have the same number of elements, but got ${x.shape[0]} and ${y.shape[0]} elements respectively`,
    );
  }
  return sum.impl(mul.impl(conj.impl(x), y), [dim], false, null);
});
/**
 * The cross products of vectors of three elements, (a x b)_i = a_i+1 b_i+2 - a_i+2 b_i+1.
 * @param input any number of dimensions, size 3 along `dim`
 * @param other as many dimensions, size 3 along `dim`; the other sizes broadcast
 * @param dim the vectors' dimension (default -1)
 * @returns the broadcast shape
 * @throws RuntimeError if the numbers of dimensions differ or a size along `dim` is not 3
 */
export const cross = fnOp(
  'cross(Tensor input, Tensor other, int dim=-1)',
  (input: Tensor, other: Tensor, dim: number): Tensor => crossProduct(input, other, dim),
);
/**
 * The diagonals a[.., i, i + offset] of matrices: a view.
 * @param a at least two dimensions
 * @param offset 0 (default) the main diagonal, above it if positive, below if negative
 * @param dim1 the rows' dimension (default -2)
 * @param dim2 the columns' dimension (default -1)
 * @returns a view, a's shape without both dimensions and the diagonal's length at the end
 * @throws RangeError if a dimension is out of range
 * @throws RuntimeError if both are the same
 */
export const diagonal = fnOp(
  'diagonal(Tensor a, int offset=0, int dim1=-2, int dim2=-1)',
  (a: Tensor, offset: number, dim1: number, dim2: number): Tensor => diagonalOf.impl(a, offset, dim1, dim2),
);
/**
 * The Vandermonde matrices of powers x^0 .. x^(n - 1) of each element, ascending along the last dimension.
 * @param x [.., m]; a scalar counts as [1]
 * @param n the number of powers (default null: m)
 * @returns [.., m, n] of x's type; int64 for integers
 * @throws RuntimeError if `n` is less than 2
 */
export const vander = fnOp('vander(Tensor x, int? n=None)', (given: Tensor, n: number | null): Tensor => {
  const x = given.ndim === 0 ? unsqueeze.impl(given, 0) : given;
  const count = n ?? x.shape[x.ndim - 1]!;
  if (count <= 1) throw new RuntimeError('N must be greater than 1.');
  const powers = cumprod.impl(expand.impl(unsqueeze.impl(x, -1), [...x.shape, count - 1]), -1, null);
  const ones = zerosOf(powers, [...x.shape, 1]).fill_(1);
  return cat.impl([ones, powers], -1);
});
