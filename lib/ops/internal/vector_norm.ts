// The p-norm of vectors, which `norm`, `dist` and linear algebra share.
import { needsGrad, record } from '../../autograd/graph.js';
import * as D from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { div, mul } from '../arithmetic.js';
import { eq, logicalOr } from '../comparison.js';
import { amax, amin, sum } from '../reduce.js';
import { abs, sgn, sqrt } from '../unary.js';
import { cast } from './cast.js';
import { type Dims, spreadOver } from './reduction.js';
import { select3 as where } from './select.js';

const SUM_SQUARES = nativeOp('sum_squares');
const SUM_ABS = nativeOp('sum_abs');
const MAX_ABS = nativeOp('max_abs');
const TO_DTYPE = nativeOp('to_dtype');
const NO_DIMS: readonly number[] = [];

const NORMS: Record<string, { id: number; finish: (t: Tensor) => Tensor }> = {
  1: { id: SUM_ABS, finish: (t) => t },
  2: { id: SUM_SQUARES, finish: (t) => sqrt.impl(t) },
  Infinity: { id: MAX_ABS, finish: (t) => t },
};
/** The p-norm along dimensions, in `dtype` if given. */
export function vectorNormOf(input: Tensor, p: number, dim: Dims, keepdim: boolean, dtype: D.DType | null): Tensor {
  const x = dtype === null ? input : cast(input, dtype);
  if (!x.dtype.isFloatingPoint && !x.dtype.isComplex) {
    throw new RuntimeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${x.dtype.name}`,
    );
  }
  const y = normValue(x.detach(), p, dim, keepdim);
  if (needsGrad(x))
    record('LinalgVectorNormBackward0', y, [x], [x, y], (g, [at, n]) => [
      p === 0 ? null : normGradient(g, at, n, p, dim),
    ]);
  return y;
}
function normValue(x: Tensor, p: number, dim: Dims, keepdim: boolean): Tensor {
  const dims = dim ?? NO_DIMS;
  if (x.dtype.itemsize === 2) return cast(normValue(invoke(TO_DTYPE, x, D.float32), p, dim, keepdim), x.dtype);
  const direct = x.dtype.isComplex ? undefined : NORMS[p];
  if (direct !== undefined && x.numel() > 0) return direct.finish(invoke(direct.id, x, dims, keepdim, x.dtype));
  const size = abs(x);
  if (p === Infinity) return amax(size, dims, keepdim);
  if (p === -Infinity) return amin(size, dims, keepdim);
  if (p === 0) return cast(sum(cast(size.ne(0), size.dtype), dim, keepdim), size.dtype);
  return sum(size.pow(p), dim, keepdim).pow(1 / p);
}
function normGradient(g: Tensor, x: Tensor, y: Tensor, p: number, dim: Dims): Tensor {
  const n = spreadOver(y, x.shape, dim);
  const gs = spreadOver(g, x.shape, dim);
  if (p === 1) return mul(sgn(x), gs);
  if (p === 2) return where(eq(n, 0), 0, div(mul(x, gs), n));
  const size = abs(x);
  if (Math.abs(p) === Infinity) {
    const at = eq(size, n);
    return mul(
      mul(sgn(x), gs),
      div(cast(at, size.dtype), spreadOver(sum(cast(at, size.dtype), dim, true), x.shape, dim)),
    );
  }
  // Of the slopes at zero, which may be infinite, the one that is zero.
  const scale = where(logicalOr(eq(n, 0), eq(size, 0)), 0, div(size.pow(p - 1), n.pow(p - 1)));
  return mul(mul(sgn(x), scale), gs);
}

type NuclearNorm = (input: Tensor, dim: Dims, keepdim: boolean) => Tensor;
let nuclear: NuclearNorm | null = null;
/** Gives `norm` its order 'nuc', which takes singular values: linear algebra is a room above. */
export function installNuclearNorm(compute: NuclearNorm): void {
  nuclear = compute;
}
/** The sum of the singular values of matrices, if linear algebra is loaded. */
export function nuclearNorm(): NuclearNorm | null {
  return nuclear;
}
