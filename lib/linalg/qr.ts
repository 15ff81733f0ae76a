// QR factorizations and products of Householder reflections.
import { needsGrad, record } from '../autograd/graph.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { mul, sub } from '../ops/arithmetic.js';
import { fnOp } from '../ops/define.js';
import { tril, triu } from '../ops/index_triangle.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/results.js';
import { conj, neg } from '../ops/unary.js';
import { narrow, select, unsqueeze } from '../ops/view.js';
import { invoke, invokeMany } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  adjoint,
  batchSizes,
  checkFloat,
  checkMatrix,
  identityLike,
  matrixSizes,
  overBatch,
  sameSizes,
  zerosOf,
} from './common.js';
import { solveTriangle } from './triangular.js';

const GEQRF = nativeOp('linalg_geqrf');
const MAKE_Q = nativeOp('linalg_make_q');
const ORMQR = nativeOp('linalg_ormqr');

const COMPLETE = "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.";
const R_ONLY =
  "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, " +
  "mode='reduced') if you are going to differentiate through linalg.qr.";

/** X + X^H with the diagonal's real part counted once. */
function hermitianPart(x: Tensor): Tensor {
  const twice = x.add(adjoint(x));
  return tril
    .impl(twice, -1)
    .add(mul.impl(triu.impl(tril.impl(twice, 0), 0), 0.5))
    .add(triu.impl(twice, 1));
}

/**
 * The gradient of A from those of Q and R. With M = gR R^H - Q^H gQ:
 * m >= n: gA = (gQ + Q hermitian(triu(M))) R^-H. m < n, R = [R1 R2] with a square R1:
 * gA = [Q (gR1 + tril(M^H - M) R1^-H), Q gR2], the diagonal of M^H - M halved (Roberts and Roberts 2020).
 */
function qrGradient(gq: Tensor | null, gr: Tensor | null, q: Tensor, r: Tensor): Tensor | null {
  if (gq === null && gr === null) return null;
  const [m, n] = matrixSizes(r);
  const product = (a: Tensor, b: Tensor): Tensor => matmul.impl(a, b);
  let part: Tensor | null = gr === null ? null : product(gr, adjoint(r));
  if (gq !== null) {
    const other = product(adjoint(q), gq);
    part = part === null ? neg(other) : sub.impl(part, other, 1);
  }
  if (q.shape[q.ndim - 2]! >= n) {
    let left = product(q, hermitianPart(triu.impl(part!, 0)));
    if (gq !== null) left = left.add(gq);
    return solveTriangle(adjoint(r), left, false, false);
  }
  // tril(N - N^H) with half of the diagonal, which is imaginary, for N = -M.
  const skew = sub.impl(adjoint(part!), part!, 1);
  const lower = tril.impl(skew, -1).add(mul.impl(triu.impl(tril.impl(skew, 0), 0), 0.5));
  const r1 = narrow.impl(r, -1, 0, m);
  const square = solveTriangle(adjoint(r1), product(q, lower), false, false);
  const g1 = gr === null ? square : square.add(product(q, narrow.impl(gr, -1, 0, m)));
  const rest = gr === null ? zerosOf(r, [...batchSizes(r), m, n - m]) : product(q, narrow.impl(gr, -1, m, n - m));
  return cat.impl([g1, rest], -1);
}

/** @internal Q [.., m, k] (or m by m) and R of matrices. */
export function factorQr(a: Tensor, complete: boolean): [q: Tensor, r: Tensor] {
  const [m, n] = matrixSizes(a);
  const k = Math.min(m, n);
  const [qr, tau] = invokeMany(GEQRF, a) as [Tensor, Tensor];
  const columns = complete ? m : k;
  const q = invoke(MAKE_Q, qr, tau, columns);
  const r = triu.impl(complete ? qr : narrow.impl(qr, -2, 0, k), 0);
  if (needsGrad(a)) {
    record('LinalgQrBackward0', [q, r], [a], [q, r], (g, [q0, r0]) => {
      if (columns > k) throw new RuntimeError(COMPLETE);
      return [qrGradient(g[0] ?? null, g[1] ?? null, q0, r0)];
    });
  }
  return [q, r];
}
/**
 * The factorization A = Q R by Householder reflections: Q with orthonormal columns, R upper triangular (its diagonal may be
 * negative). Differentiable for 'reduced', and for 'complete' if m <= n, while the first k columns of A are independent (for m <
 * n: Roberts and Roberts, https://arxiv.org/abs/2009.10071).
 * @param a [.., m, n], float or complex of 32 or 64 bits a part; k = min(m, n)
 * @param mode 'reduced' (default: Q [.., m, k], R [.., k, n]), 'complete' (Q [.., m, m], R [.., m, n]) or 'r' (Q empty, R [.., k,
 *   n])
 * @returns `Q` and `R` of a's type
 * @throws RuntimeError if `mode` is another, for fewer than two dimensions, integers and halves; in backward, for 'r', and for
 *   'complete' with m > n
 */
export const qr = fnOp(
  "qr(Tensor a, str mode='reduced')",
  (a: Tensor, mode: string): NamedTuple<readonly ['Q', 'R']> => {
    checkMatrix('linalg.qr', a);
    checkFloat('linalg.qr', a);
    if (mode === 'r') {
      const [m, n] = matrixSizes(a);
      const [f] = invokeMany(GEQRF, a) as [Tensor, Tensor];
      const r = triu.impl(narrow.impl(f, -2, 0, Math.min(m, n)), 0);
      if (needsGrad(a)) {
        record('LinalgQrBackward0', r, [a], [], () => {
          throw new RuntimeError(R_ONLY);
        });
      }
      return namedTuple(['Q', 'R'], [zerosOf(a, [0]), r]);
    }
    if (mode !== 'reduced' && mode !== 'complete') {
      throw new RuntimeError(
        `qr received unrecognized mode '${mode}' but expected one of 'reduced' (default), 'r', or 'complete'`,
      );
    }
    return namedTuple(['Q', 'R'], factorQr(a, mode === 'complete'));
  },
);

/** @internal R and reflections as LAPACK's geqrf gives them, without a gradient. */
export function reflections(a: Tensor): [a: Tensor, tau: Tensor] {
  return invokeMany(GEQRF, a) as [Tensor, Tensor];
}

/** The vector of reflection k: ones on the diagonal, zeros above; and its factor, over whole matrices. */
function reflector(a: Tensor, tau: Tensor, k: number): [v: Tensor, factor: Tensor] {
  const m = a.shape[a.ndim - 2]!;
  const below = narrow.impl(narrow.impl(a, -1, k, 1), -2, k + 1, m - k - 1);
  const head = zerosOf(a, [...batchSizes(a), k + 1, 1]);
  select.impl(select.impl(head, -1, 0), -1, k).fill_(1);
  const factor = unsqueeze.impl(unsqueeze.impl(select.impl(tau, -1, k), -1), -1);
  return [cat.impl([head, below], -2), factor];
}
/** (I - factor v v^H) c with recorded operations. */
function reflected(c: Tensor, v: Tensor, factor: Tensor): Tensor {
  return sub.impl(c, matmul.impl(mul.impl(v, factor), matmul.impl(adjoint(v), c)), 1);
}
/** Q c or Q^H c with gradients for the reflections too: one reflection after another. */
function applyRecorded(a: Tensor, tau: Tensor, c: Tensor, adjointProduct: boolean): Tensor {
  const k = tau.shape[tau.ndim - 1]!;
  let y = c;
  for (let step = 0; step < k; step++) {
    const i = adjointProduct ? step : k - 1 - step;
    const [v, factor] = reflector(a, tau, i);
    y = reflected(y, v, adjointProduct ? conj.impl(factor) : factor);
  }
  return y;
}

function checkReflections(name: string, input: Tensor, tau: Tensor): void {
  if (input.ndim < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (tau.ndim !== input.ndim - 1) {
    throw new RuntimeError(
      `${name}: Expected tau to have one dimension less than input, but got tau.ndim equal to ${tau.ndim} and input.ndim is equal to ${input.ndim}`,
    );
  }
  if (!sameSizes(batchSizes(tau, 1), batchSizes(input))) {
    throw new RuntimeError(
      `${name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got [${batchSizes(tau, 1).join(', ')}]`,
    );
  }
  if (tau.dtype !== input.dtype) {
    throw new RuntimeError(`${name}: tau dtype ${tau.dtype.name} does not match input dtype ${input.dtype.name}`);
  }
}
/**
 * The first n columns of H_1 H_2 .. H_k with H_i = I - tau_i v_i v_i^H: Q out of what `geqrf` gives (LAPACK's orgqr).
 * @param input [.., m, n] with m >= n; column i holds v_i below its diagonal, where a one is implied
 * @param tau [.., k] of input's type, k <= n
 * @returns [.., m, n]
 * @throws RuntimeError if sizes or types disagree, m < n or n < k, or the type is an integer or a half
 */
export const householderProduct = fnOp(
  'householderProduct(Tensor input, Tensor tau)',
  (input: Tensor, tau: Tensor): Tensor => {
    const name = 'torch.linalg.householder_product';
    if (input.ndim < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
    const [m, n] = matrixSizes(input);
    if (m < n) throw new RuntimeError(`${name}: input.shape[-2] must be greater than or equal to input.shape[-1]`);
    checkReflections(name, input, tau);
    if (n < tau.shape[tau.ndim - 1]!)
      throw new RuntimeError(`${name}: input.shape[-1] must be greater than or equal to tau.shape[-1]`);
    checkFloat('linalg.householder_product', input);
    if (!needsGrad(input, tau) || tau.numel() === 0) {
      const q = invoke(MAKE_Q, input, tau, n);
      // Without reflections the result does not depend on anything.
      if (needsGrad(input, tau)) record('LinalgHouseholderProductBackward0', q, [input, tau], [], () => [null, null]);
      return q;
    }
    const eye = narrow.impl(identityLike(input, m), -1, 0, n);
    return applyRecorded(input, tau, overBatch(eye, batchSizes(input)), false);
  },
);

/** @internal Q c, Q^H c, c Q or c Q^H for the Q of `householderProduct` without cutting off columns. */
export function multiplyByQ(input: Tensor, tau: Tensor, other: Tensor, left: boolean, transpose: boolean): Tensor {
  const name = 'torch.ormqr';
  if (input.ndim < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (other.ndim < 2) throw new RuntimeError(`${name}: other must have at least 2 dimensions.`);
  const side = left ? -2 : -1;
  const across = other.shape[other.ndim + side]!;
  const k = tau.shape[tau.ndim - 1] ?? 0;
  const [m, n] = matrixSizes(input);
  if (across < k)
    throw new RuntimeError(`${name}: other.shape[${side}] must be greater than or equal to tau.shape[-1]`);
  if (across !== m) throw new RuntimeError(`${name}: other.shape[${side}] must be equal to input.shape[-2]`);
  if (k > Math.min(across, n))
    throw new RuntimeError(`${name}: tau.shape[-1] must be equal to min(other.shape[${side}], input.shape[-1])`);
  checkReflections(name, input, tau);
  if (other.ndim !== input.ndim || !sameSizes(batchSizes(other), batchSizes(input))) {
    throw new RuntimeError(
      `${name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got [${batchSizes(other).join(', ')}]`,
    );
  }
  if (other.dtype !== input.dtype) {
    throw new RuntimeError(
      `${name}: Expected input and other to have the same dtype, but input has dtype ${input.dtype.name} and other has dtype ${other.dtype.name}`,
    );
  }
  if (needsGrad(input, tau)) {
    return left
      ? applyRecorded(input, tau, other, transpose)
      : adjoint(applyRecorded(input, tau, adjoint(other), !transpose));
  }
  const y = invoke(ORMQR, input, tau, other, left, transpose);
  if (needsGrad(other)) {
    record('OrmqrBackward0', y, [other], [input, tau], (g, [a, t]) => [multiplyByQ(a, t, g, left, !transpose)]);
  }
  return y;
}
