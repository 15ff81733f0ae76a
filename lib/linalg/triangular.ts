// Systems with triangular matrices.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { fnOp } from '../ops/define.js';
import { tril, triu } from '../ops/index_triangle.js';
import { matmul } from '../ops/matmul.js';
import { neg } from '../ops/unary.js';
import { invoke } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  broadcastSizes,
  checkMatrix,
  checkSameType,
  checkSquare,
  matrixSizes,
  overBatch,
  turned,
} from './common.js';

const SOLVE_TRIANGULAR = nativeOp('linalg_solve_triangular');

/** @throws RuntimeError unless the sizes of A X = B, or X A = B, agree. */
export function checkSystem(name: string, a: Tensor, b: Tensor, left: boolean, columns = b.shape[b.ndim - 1]!): void {
  const n = a.shape[a.ndim - 1]!;
  const [rows, width] =
    b.ndim >= 2 && columns === b.shape[b.ndim - 1] ? matrixSizes(b) : [b.shape[b.ndim - 1]!, columns];
  if ((left ? rows : width) === n) return;
  throw new RuntimeError(
    `${name}: Incompatible shapes of A and B for the equation ${left ? 'AX' : 'XA'} = B (${n}x${n} and ${rows}x${width})`,
  );
}

/** A^-1 B; `a` may be broadcast. */
function solveLeft(a: Tensor, b: Tensor, upper: boolean, unit: boolean): Tensor {
  const batch = broadcastSizes(batchSizes(a), batchSizes(b));
  const x = invoke(SOLVE_TRIANGULAR, overBatch(a, batch), overBatch(b, batch), upper, unit);
  if (needsGrad(a, b)) {
    record('LinalgSolveTriangularBackward0', x, [a, b], [a, x], (g, [t, y], needs) => {
      // gB = A^-H g, gA = -gB X^H in the triangle.
      const gb = solveLeft(adjoint(t), g, !upper, unit);
      if (!needs[0]) return [null, gb];
      const ga = neg(matmul.impl(gb, adjoint(y)));
      return [upper ? triu.impl(ga, unit ? 1 : 0) : tril.impl(ga, unit ? -1 : 0), needs[1] ? gb : null];
    });
  }
  return x;
}

/** @internal A^-1 B, or B A^-1 unless `left`, for triangular A: matrices that fit. */
export function solveTriangle(a: Tensor, b: Tensor, upper: boolean, left = true, unit = false): Tensor {
  // X A = B is A^T X^T = B^T.
  return left ? solveLeft(a, b, upper, unit) : turned(solveLeft(turned(a), turned(b), !upper, unit));
}

/**
 * The X with A X = B for triangular A, by substitution. A zero on the diagonal is no error: it gives infinities or NaN.
 * @param a [.., n, n], float or complex of 32 or 64 bits a part; only one triangle is read
 * @param b [.., n, k], or [.., k, n] for X A = B, of a's type; batches broadcast
 * @param upper whether A is upper triangular; required, it has no default
 * @param left solve A X = B (default true) or X A = B
 * @param unitriangular take A's diagonal as ones, without reading it (default false)
 * @returns X, of B's shape with the broadcast batch
 * @throws RuntimeError if sizes or types disagree, or the type is an integer or a half
 * @throws TypeError without `upper`
 */
export const solveTriangular = fnOp(
  'solveTriangular(Tensor a, Tensor b, bool? upper=None, bool left=True, bool unitriangular=False)',
  (a: Tensor, b: Tensor, upper: boolean | null, left: boolean, unitriangular: boolean): Tensor => {
    if (upper === null) throw new TypeError("solveTriangular() missing a required argument: 'upper'");
    checkSameType('linalg.solve_triangular', a, b);
    checkSquare('linalg.solve_triangular', a);
    checkMatrix('linalg.solve_triangular', b, 'B');
    checkSystem('linalg.solve_triangular', a, b, left);
    return solveTriangle(a, b, upper, left, unitriangular);
  },
);
