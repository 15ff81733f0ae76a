// Products of tensors beyond the matrix product.
import { complex128, float64, int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Tensor, wrapDim } from '../tensor/tensor.js';
import type { Scalar } from '../tensor/invoke.js';
import { mul, pow } from './arithmetic.js';
import { fnOp, op } from './define.js';
import { cat } from './join.js';
import { mm } from './matmul.js';
import { sum } from './reduce.js';
import { cumprod } from './scan.js';
import { withInPlace } from './rows.js';
import type { TensorOrScalar } from './signature.js';
import { expand, permute, unsqueeze } from './view.js';
import { cast } from './internal/cast.js';
import { reshaped } from './internal/view.js';
import { crossProduct } from './internal/cross.js';

/** The pairs of dimensions to sum: a count, two lists, or a tensor [2, n] of them. */
function contractedDims(a: Tensor, b: Tensor, given: unknown): [number[], number[]] {
  const dims = given instanceof Tensor ? (given.tolist() as unknown) : given;
  if (typeof dims === 'number') {
    if (!Number.isInteger(dims) || dims < 0)
      throw new RuntimeError(`tensordot expects dims >= 0, but got dims=${dims}`);
    if (dims > Math.min(a.ndim, b.ndim)) {
      throw new RuntimeError(`tensordot expects dims < ndim_a or ndim_b, but got dims=${dims}`);
    }
    return [Array.from({ length: dims }, (_, i) => i - dims), Array.from({ length: dims }, (_, i) => i)];
  }
  const list = (v: unknown): number[] => (Array.isArray(v) ? (v as number[]) : [v as number]);
  if (
    !Array.isArray(dims) ||
    dims.length !== 2 ||
    ![...list(dims[0]), ...list(dims[1])].every((d) => Number.isInteger(d))
  ) {
    throw new TypeError("tensordot(): argument 'dims' must be an int or two lists of ints");
  }
  const pair: [number[], number[]] = [list(dims[0]), list(dims[1])];
  if (pair[0].length !== pair[1].length) throw new RuntimeError('both dimension lists should have same length');
  return pair;
}

/**
 * Sums products over pairs of dimensions; a dimension of size one is broadcast to its partner.
 * @param a any shape
 * @param b any shape, of the same type
 * @param dims how many dimensions, the last of `a` with the first of `b` (default 2), or the lists [dimsA, dimsB], or a tensor
 *   [2, n] of them
 * @returns the other dimensions of `a`, then those of `b`
 * @throws RuntimeError if sizes do not match, the lists differ in length or a dimension is listed twice
 * @throws TypeError if `dims` is nothing of this; RangeError if a dimension is out of range
 */
export const tensordot = fnOp(
  'tensordot(Tensor a, Tensor b, any dims=2)',
  (a: Tensor, b: Tensor, dims: unknown): Tensor => {
    const [dimsA, dimsB] = contractedDims(a, b, dims);
    let [x, y] = [a, b];
    dimsA.forEach((da, i) => {
      const db = dimsB[i]!;
      const [n, m] = [a.shape[wrapDim(da, a.ndim)]!, b.shape[wrapDim(db, b.ndim)]!];
      // A dimension of size one is broadcast: the other is summed by itself.
      if (n === 1 && m !== 1) y = sum.impl(y, [db], true, y.dtype);
      else if (m === 1 && n !== 1) x = sum.impl(x, [da], true, x.dtype);
      else if (n !== m) {
        throw new RuntimeError(
          `contracted dimensions need to match, but first has size ${n} in dim ${da} and second has size ${m} in dim ${db}`,
        );
      }
    });
    const [inA, inB] = [dimsA.map((d) => wrapDim(d, a.ndim)), dimsB.map((d) => wrapDim(d, b.ndim))];
    for (const list of [inA, inB]) {
      list.forEach((d, i) => {
        if (list.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
      });
    }
    const outA = a.shape.map((_, d) => d).filter((d) => !inA.includes(d));
    const outB = b.shape.map((_, d) => d).filter((d) => !inB.includes(d));
    const count = (t: Tensor, list: readonly number[]): number => list.reduce((n, d) => n * t.shape[d]!, 1);
    const inner = count(x, inA);
    const left = reshaped(permute.impl(x, [...outA, ...inA]), [count(x, outA), inner]);
    const right = reshaped(permute.impl(y, [...inB, ...outB]), [inner, count(y, outB)]);
    return reshaped(mm.impl(left, right), [...outA.map((d) => a.shape[d]!), ...outB.map((d) => b.shape[d]!)]);
  },
);

/**
 * The Kronecker product: every element of `input` times all of `other`, as blocks.
 * @param input any shape; the shorter shape is thought with ones in front
 * @param other any shape
 * @returns sizes multiplied dimension by dimension, in the promoted type
 */
export const kron = op('kron(Tensor input, Tensor other)', (input: Tensor, other: Tensor): Tensor => {
  const n = Math.max(input.ndim, other.ndim);
  const padded = (t: Tensor): number[] => [...new Array<number>(n - t.ndim).fill(1), ...t.shape];
  const [a, b] = [padded(input), padded(other)];
  const outer = mul.impl(
    reshaped(
      input,
      a.flatMap((size) => [size, 1]),
    ),
    reshaped(
      other,
      b.flatMap((size) => [1, size]),
    ),
  );
  return reshaped(
    outer,
    a.map((size, d) => size * b[d]!),
  );
});

/**
 * The cross product of vectors of three elements.
 * @param input vectors along `dim`
 * @param other as many dimensions, broadcast with input
 * @param dim where the vectors lie (default null: the first dimension of size 3)
 * @returns the broadcast shape
 * @throws RuntimeError if the dimension has another size, there is none, or the numbers of dimensions differ
 * @throws RangeError if `dim` is out of range
 */
export const cross = op(
  'cross(Tensor input, Tensor other, int? dim=None)',
  (input: Tensor, other: Tensor, dim: number | null): Tensor => {
    const d = dim ?? input.shape.indexOf(3);
    if (d === -1 && dim === null) throw new RuntimeError('no dimension of size 3 in input');
    return crossProduct(input, other, d);
  },
);

/**
 * The powers of the elements of a vector as rows: the Vandermonde matrix.
 * @param x [m]
 * @param n how many powers, from 0 on (default null: m)
 * @param increasing whether they increase from left to right (default false)
 * @returns [m, n]; integers give int64
 * @throws RuntimeError if x is no vector or n is negative
 */
export const vander = fnOp(
  'vander(Tensor x, int? n=None, bool increasing=False)',
  (x: Tensor, n: number | null, increasing: boolean): Tensor => {
    if (x.ndim !== 1) throw new RuntimeError('x must be a one-dimensional tensor.');
    const count = n ?? x.shape[0]!;
    if (count < 0) throw new RuntimeError('N must be non-negative.');
    const base = x.dtype.isFloatingPoint || x.dtype.isComplex ? x : cast(x, int64);
    if (count === 0) return base.newEmpty([x.shape[0]!, 0]);
    const ones = base.newOnes([x.shape[0]!, 1]);
    if (count === 1) return ones;
    const powers = cumprod.impl(expand.impl(unsqueeze.impl(base, 1), [x.shape[0]!, count - 1]), 1, null);
    const rows = cat.impl([ones, powers], 1);
    return increasing ? rows : rows.flip([1]);
  },
);

function isComplexOperand(v: TensorOrScalar): boolean {
  return v instanceof Tensor ? v.dtype.isComplex : typeof v === 'object';
}
function floatPowerOf(input: TensorOrScalar, exponent: TensorOrScalar): Tensor {
  const dtype = isComplexOperand(input) || isComplexOperand(exponent) ? complex128 : float64;
  const wide = (v: TensorOrScalar): TensorOrScalar =>
    v instanceof Tensor ? cast(v, dtype) : typeof v === 'object' ? v : Number(v);
  return pow.impl(wide(input), wide(exponent));
}
const NAMES: Record<string, string> = {
  float16: 'Half',
  bfloat16: 'BFloat16',
  float32: 'Float',
  float64: 'Double',
  complex64: 'ComplexFloat',
  complex128: 'ComplexDouble',
  int8: 'Char',
  uint8: 'Byte',
  int16: 'Short',
  int32: 'Int',
  int64: 'Long',
  bool: 'Bool',
};
/**
 * input to the power of exponent in double precision, elementwise; shapes broadcast.
 * @param input a tensor or a number
 * @param exponent a tensor or a number
 * @returns float64, or complex128 if either is complex
 * @throws RuntimeError in place if self is not of that type already
 */
export const floatPower = withInPlace(
  op('floatPower(Tensor|Scalar input, Tensor|Scalar exponent)', floatPowerOf),
  (self: Tensor, exponent: TensorOrScalar): Tensor => {
    const dtype = isComplexOperand(self) || isComplexOperand(exponent) ? complex128 : float64;
    if (self.dtype !== dtype) {
      throw new RuntimeError(
        `the base given to float_power_ has dtype ${NAMES[self.dtype.name]} but the operation's result requires dtype ${NAMES[dtype.name]}`,
      );
    }
    return (pow.inPlace as (a: Tensor, b: TensorOrScalar | Scalar) => Tensor)(self, exponent);
  },
);
