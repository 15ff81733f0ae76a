// Covariance and correlation.
import { bool } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { div, mul, sub } from './arithmetic.js';
import { clamp } from './comparison.js';
import { complex, imag, real } from './complex.js';
import { op } from './define.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { conj, sqrt } from './unary.js';
import { diagonal, squeeze } from './view.js';
import { reshaped, t2 } from './internal/view.js';
import { anyTrue } from './internal/truth.js';

function checkWeights(name: 'fweights' | 'aweights', w: Tensor, observations: number): void {
  const fits =
    name === 'fweights' ? !w.dtype.isFloatingPoint && !w.dtype.isComplex && w.dtype !== bool : w.dtype.isFloatingPoint;
  if (w.ndim > 1) {
    throw new RuntimeError(
      `cov(): expected ${name} to have one or fewer dimensions but got ${name} with ${w.ndim} dimensions`,
    );
  }
  if (!fits) {
    const kind = name === 'fweights' ? 'integral' : 'floating point';
    throw new RuntimeError(`cov(): expected ${name} to have ${kind} dtype but got ${name} with ${w.dtype.name} dtype`);
  }
  if (w.numel() !== observations) {
    throw new RuntimeError(
      `cov(): expected ${name} to have the same numel as there are observations in the input but got ${w.numel()} != ${observations}`,
    );
  }
  if (observations > 0 && anyTrue(w.lt(0))) throw new RuntimeError(`cov(): ${name} cannot be negative`);
}

function covariance(
  name: string,
  input: Tensor,
  correction: number,
  fweights: Tensor | null,
  aweights: Tensor | null,
): Tensor {
  if (input.ndim > 2) {
    throw new RuntimeError(
      `${name}(): expected input to have two or fewer dimensions but got an input with ${input.ndim} dimensions`,
    );
  }
  if (input.dtype === bool) throw new RuntimeError(`${name}(): bool dtype is not supported for input`);
  // x: [variables, observations]
  let x = input.ndim < 2 ? reshaped(input, [1, input.numel()]) : input;
  const n = x.shape[1]!;
  if (fweights !== null) checkWeights('fweights', fweights, n);
  if (aweights !== null) checkWeights('aweights', aweights, n);
  const given = fweights === null ? aweights : aweights === null ? fweights : mul.impl(fweights, aweights);
  const w = given === null ? null : reshaped(given, [n]);
  const total = w === null ? null : sum.impl(w, null, false, null);
  if (total !== null && anyTrue(total.eq(0))) throw new RuntimeError("cov(): weights sum to zero, can't be normalized");
  const weighted = (t: Tensor): Tensor => (w === null ? t : mul.impl(t, w));
  const mean = div.impl(sum.impl(weighted(x), [1], true, null), total ?? n, null);
  x = sub.impl(x, mean, 1);
  let freedom: Tensor | number;
  if (w === null || total === null) freedom = n - correction;
  else if (aweights === null || correction === 0) freedom = sub.impl(total, correction, 1);
  else {
    // The effective number of observations of reliability weights.
    const squares = sum.impl(mul.impl(w, reshaped(aweights, [n])), null, false, null);
    freedom = sub.impl(total, mul.impl(div.impl(squares, total, null), correction), 1);
  }
  const factor = typeof freedom === 'number' ? Math.max(0, freedom) : clamp.impl(freedom, 0, null);
  const products = matmul.impl(x, conj.impl(t2(weighted(x))));
  return squeeze.impl(div.impl(products, factor, null), null);
}

/**
 * The covariance matrix of variables: the sum over observations of (x_i - mean_i) conj(x_j - mean_j), over n - correction.
 * @param input [variables, observations], or [observations] of a single variable; integers give the default float type
 * @param correction what the number of observations is lessened by (default 1)
 * @param fweights how often each observation was made: integers [observations], not negative (default null: once)
 * @param aweights how much each counts: floats [observations], not negative (default null: all the same)
 * @returns [variables, variables]; a 0-d tensor for a single one
 * @throws RuntimeError for more than two dimensions, bool, or weights that do not fit or sum to zero
 */
export const cov = op(
  'cov(Tensor input, int correction=1, Tensor? fweights=None, Tensor? aweights=None)',
  (input: Tensor, correction: number, fweights: Tensor | null, aweights: Tensor | null): Tensor =>
    covariance('cov', input, correction, fweights, aweights),
);

/**
 * Pearson's correlation coefficients of variables, which are the rows: c_ij / sqrt(c_ii c_jj) of their covariances c.
 * @param input [variables, observations], or [observations] of a single variable
 * @returns [variables, variables] in [-1, 1]; a 0-d tensor for a single one
 * @throws RuntimeError for more than two dimensions, or bool
 */
export const corrcoef = op('corrcoef(Tensor input)', (input: Tensor): Tensor => {
  const c = covariance('corrcoef', input, 1, null, null);
  if (c.ndim === 0) return div.impl(c, c, null);
  const variances = diagonal.impl(c, 0, 0, 1);
  const deviation = sqrt.impl(variances.dtype.isComplex ? real.impl(variances) : variances);
  const y = div.impl(div.impl(c, reshaped(deviation, [-1, 1]), null), reshaped(deviation, [1, -1]), null);
  if (!y.dtype.isComplex) return clamp.impl(y, -1, 1);
  return complex.impl(clamp.impl(real.impl(y), -1, 1), clamp.impl(imag.impl(y), -1, 1));
});
