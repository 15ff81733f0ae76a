// What the tests of linear algebra share.
import torch, { type DType, type Tensor } from 'flambeau';

export const TYPES: readonly DType[] = [torch.float32, torch.float64, torch.complex64, torch.complex128];

/** Random elements of any of the four types. */
export function random(dtype: DType, ...shape: number[]): Tensor {
  const part = (): Tensor => torch.randn(shape, { dtype: dtype.toReal() });
  return dtype.isComplex ? torch.complex(part(), part()) : part();
}
/** A random leaf in double precision. */
export function leaf(complex: boolean, ...shape: number[]): Tensor {
  return random(complex ? torch.complex128 : torch.float64, ...shape).requiresGrad_(true);
}
/** Hermitian and positive-definite matrices with eigenvalues of at least one. */
export function positive(dtype: DType, ...shape: number[]): Tensor {
  const n = shape[shape.length - 1]!;
  const a = random(dtype, ...shape);
  return a.matmul(a.mH).div(n).add(torch.eye(n, { dtype }));
}
export const hermitian = (a: Tensor): Tensor => a.add(a.mH).mul(0.5);

/** The largest absolute value. */
export function size(t: Tensor): number {
  return t.numel() === 0 ? 0 : Number(t.detach().abs().max().item());
}
/** Expects a difference of a few hundred rounding errors at most, relative to the largest element. */
export function expectClose(found: Tensor, expected: Tensor, factor = 300): void {
  expect(found.shape).toEqual(expected.shape);
  expect(found.dtype).toBe(expected.dtype);
  const eps = found.dtype.toReal() === torch.float64 ? 2 ** -52 : 2 ** -23;
  const off = size(found.sub(expected)) / Math.max(size(expected), 1);
  expect(off).toBeLessThanOrEqual(factor * eps);
}
export const eye = (n: number, dtype: DType): Tensor => torch.eye(n, { dtype });
/** Expects orthonormal columns. */
export function expectOrthonormal(q: Tensor): void {
  const n = q.shape[q.ndim - 1]!;
  const found = q.mH.matmul(q);
  expectClose(found, eye(n, q.dtype).expand(found.shape));
}
/** A real result in the type of a complex one. */
export const like = (t: Tensor, other: Tensor): Tensor => t.to(other.dtype);
