// What the files of linear algebra share: checks with PyTorch's messages, adjoints, batches.
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { diagEmbed } from '../ops/index_triangle.js';
import { conj } from '../ops/unary.js';
import { diagonal, expand, transpose } from '../ops/view.js';
import { nativeOp } from '../native/addon.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';

const ZEROS = nativeOp('zeros');

/** @throws RuntimeError unless the tensor holds matrices. */
export function checkMatrix(name: string, a: Tensor, what = 'A'): void {
  if (a.ndim < 2) throw new RuntimeError(`${name}: The input tensor ${what} must have at least 2 dimensions.`);
}
/** @throws RuntimeError unless the tensor holds square matrices. */
export function checkSquare(name: string, a: Tensor): void {
  checkMatrix(name, a);
  const [m, n] = matrixSizes(a);
  if (m !== n)
    throw new RuntimeError(`${name}: A must be batches of square matrices, but they are ${m} by ${n} matrices`);
}
/** @throws RuntimeError unless the elements are float32, float64, complex64 or complex128 (`low` also allows halves). */
export function checkFloat(name: string, a: Tensor, low = false): void {
  const { dtype } = a;
  if (!dtype.isFloatingPoint && !dtype.isComplex) {
    throw new RuntimeError(`${name}: Expected a floating point or complex tensor as input. Got ${dtype.scalarName}`);
  }
  if (!low && dtype.itemsize === 2) {
    throw new RuntimeError(`${name}: Low precision dtypes not supported. Got ${dtype.scalarName}`);
  }
}
/** @throws RuntimeError unless two tensors have one type. */
export function checkSameType(name: string, a: Tensor, b: Tensor, names: readonly [string, string] = ['A', 'B']): void {
  if (a.dtype === b.dtype) return;
  throw new RuntimeError(
    `${name}: Expected ${names[0]} and ${names[1]} to have the same dtype, but found ${names[0]} of type ` +
      `${a.dtype.scalarName} and ${names[1]} of type ${b.dtype.scalarName} instead`,
  );
}

/** The rows and columns of matrices. */
export function matrixSizes(a: Tensor): [rows: number, columns: number] {
  return [a.shape[a.ndim - 2]!, a.shape[a.ndim - 1]!];
}
/** The sizes of the leading dimensions: all but the last `trailing`. */
export function batchSizes(a: Tensor, trailing = 2): readonly number[] {
  return a.shape.slice(0, a.ndim - trailing);
}
export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
/**
 * The sizes that two shapes broadcast to.
 * @throws RuntimeError if they do not.
 */
export function broadcastSizes(a: readonly number[], b: readonly number[]): number[] {
  const n = Math.max(a.length, b.length);
  return Array.from({ length: n }, (_, i) => {
    const x = a[i - (n - a.length)] ?? 1;
    const y = b[i - (n - b.length)] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new RuntimeError(
        `The size of tensor a (${x}) must match the size of tensor b (${y}) at non-singleton dimension ${i}`,
      );
    }
    return x === 1 ? y : x;
  });
}
/** Matrices (or vectors, with one trailing dimension) repeated over a batch, without a copy. */
export function overBatch(a: Tensor, batch: readonly number[], trailing = 2): Tensor {
  if (sameSizes(batchSizes(a, trailing), batch)) return a;
  return expand.impl(a, [...batch, ...a.shape.slice(a.ndim - trailing)]);
}

/** The transposes of matrices. */
export function turned(a: Tensor): Tensor {
  return transpose.impl(a, -2, -1);
}
/** The conjugate transposes of matrices. */
export function adjoint(a: Tensor): Tensor {
  return conj.impl(transpose.impl(a, -2, -1));
}
/** The main diagonals of matrices, as a view: [.., min(m, n)]. */
export function diagonals(a: Tensor): Tensor {
  return diagonal.impl(a, 0, -2, -1);
}
/** Diagonal matrices. */
export function diagonalMatrices(d: Tensor): Tensor {
  return diagEmbed.impl(d, 0, -2, -1);
}
/** Identity matrices [.., n, n], one for the whole batch. */
export function identityLike(a: Tensor, n: number): Tensor {
  const eye = invoke(ZEROS, [n, n], a.dtype, a);
  eye.diagonal().fill_(1);
  return eye;
}
/** Fresh zeros with the type of `a`. */
export function zerosOf(a: Tensor, shape: readonly number[]): Tensor {
  return invoke(ZEROS, shape, a.dtype, a);
}

/**
 * Looks for the first matrix that an algorithm reported (info is not 0).
 * @param info int32 [..]
 * @returns its code and '' or '(Batch element i): '; null if there is none.
 */
export function firstFailure(info: Tensor): { code: number; where: string } | null {
  if (info.isMeta) return null;
  const codes = info.toTypedArray();
  for (let i = 0; i < codes.length; i++) {
    const code = Number(codes[i]);
    if (code !== 0) return { code, where: info.ndim === 0 ? '' : `(Batch element ${i}): ` };
  }
  return null;
}

/** The distance from 1 to the next number of a type (or of a complex type's parts). */
export function epsilonOf(dtype: DType): number {
  return dtype.toReal().itemsize === 8 ? 2 ** -52 : 2 ** -23;
}
