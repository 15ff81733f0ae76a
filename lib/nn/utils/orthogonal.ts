// The maps from all matrices to orthogonal ones.
import { noGrad } from '../../autograd/mode.js';
import { float64, complex128 } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { matrixExp } from '../../linalg/products.js';
import { householderProduct, reflections } from '../../linalg/qr.js';
import { solve } from '../../linalg/solve.js';
import { eye, zeros } from '../../ops/creation.js';
import { cat } from '../../ops/join.js';
import { matmul } from '../../ops/matmul.js';
import { randn } from '../../ops/random.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { pySize } from '../printing.js';
import { NotImplementedError } from './parametrization_list.js';

/** How a matrix becomes orthogonal. */
export type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder';

function transposed(a: Tensor): Tensor {
  return a.transpose(-2, -1);
}
function adjoint(a: Tensor): Tensor {
  return a.dtype.isComplex ? transposed(a).conj() : transposed(a);
}
function diagonals(a: Tensor): Tensor {
  return a.diagonal(0, -2, -1);
}

/** Whether Q^H Q is the identity up to rounding. */
function isOrthogonal(q: Tensor): boolean {
  const eps = q.dtype === float64 || q.dtype === complex128 ? 2 ** -52 : 2 ** -23;
  const identity = eye(q.size(-1), { dtype: q.dtype, device: q.device });
  const product = matmul(adjoint(q), q);
  return product.allclose(identity.expand([...product.shape]), { atol: 10 * q.size(-2) * eps });
}

/** The Q of A = Q R with signs such that R has a positive diagonal, which makes it unique. */
function orthogonalPart(a: Tensor): Tensor {
  const [factors, tau] = reflections(a);
  return householderProduct(factors, tau).mul(diagonals(factors).sgn().unsqueeze(-2));
}

/** @internal A parametrization whose results are orthogonal: [.., m, n]. */
export class _Orthogonal extends Module {
  shape: readonly number[];
  orthogonalMap: OrthogonalMap;
  /** What the result is multiplied by from the left, with trivialization. */
  declare base: Tensor | null;

  constructor(weight: Tensor, map: OrthogonalMap, useTrivialization: boolean) {
    super();
    // Its reflections have real factors, which reach only a part of the unitary matrices.
    if (weight.dtype.isComplex && map === 'householder') {
      throw new RuntimeError('The householder parametrization does not support complex tensors.');
    }
    this.shape = [...weight.shape];
    this.orthogonalMap = map;
    if (useTrivialization) this.registerBuffer('base', null);
  }

  override forward(input: Tensor): Tensor {
    const wide = input.size(-2) < input.size(-1);
    const x = wide ? transposed(input) : input;
    let q = this.orthogonalMap === 'householder' ? this._reflect(x) : this._rotate(x);
    if (this._buffers.has('base')) q = matmul(this.base!, q);
    return wide ? transposed(q) : q;
  }

  /** @internal exp(A) or (I - A/2)^-1 (I + A/2) of the skew-hermitian A below whose diagonal is x: [.., n, k], n >= k. */
  _rotate(x: Tensor): Tensor {
    const [n, k] = [x.size(-2), x.size(-1)];
    let lower = x.tril();
    if (n !== k) {
      lower = cat([lower, zeros([...x.shape.slice(0, -2), n, n - k], { dtype: x.dtype, device: x.device })], -1);
    }
    const a = lower.sub(adjoint(lower));
    let q: Tensor;
    if (this.orthogonalMap === 'matrix_exp') {
      q = matrixExp(a);
    } else {
      const identity = eye(n, { dtype: x.dtype, device: x.device });
      q = solve(identity.add(a.mul(-0.5)), identity.add(a.mul(0.5)));
    }
    return n === k ? q : q.narrow(-1, 0, k);
  }

  /** @internal A product of reflections with the vectors below the diagonal of x, the columns' signs on it. */
  _reflect(x: Tensor): Tensor {
    const a = x.tril(-1);
    const tau = a.mul(a).sum(-2).add(1).reciprocal().mul(2);
    return householderProduct(a, tau).mul(diagonals(x).int().unsqueeze(-2));
  }

  rightInverse(value: Tensor): Tensor {
    return noGrad(() => {
      if (String(value.shape) !== String(this.shape)) {
        throw new RuntimeError(
          `Expected a matrix or batch of matrices of shape ${pySize(this.shape)}. Got a tensor of shape ${pySize(value.shape)}.`,
        );
      }
      const wide = value.size(-2) < value.size(-1);
      const q = wide ? transposed(value) : value;
      return this._buffers.has('base') ? this._restart(value, q) : this._reflectionsOf(q, wide);
    });
  }

  /** @internal Takes the orthogonal part of q: [.., n, k] as the base, which the map of -I then leaves as it is. */
  _restart(value: Tensor, q: Tensor): Tensor {
    const [n, k] = [q.size(-2), q.size(-1)];
    if (n === k) {
      this.base = isOrthogonal(q) ? q.clone() : orthogonalPart(q);
    } else {
      const more = randn([...q.shape.slice(0, -2), n, n - k], { dtype: q.dtype, device: q.device });
      this.base = orthogonalPart(cat([q, more], -1));
    }
    const start = zeros([...value.shape], { dtype: value.dtype, device: value.device });
    diagonals(start).fill_(-1);
    return start;
  }

  /** @internal The reflections whose product has the columns q. */
  _reflectionsOf(q: Tensor, wide: boolean): Tensor {
    if (this.orthogonalMap !== 'householder') {
      throw new NotImplementedError(
        'It is not possible to assign to the matrix exponential or the Cayley parametrizations when use_trivialization=False.',
      );
    }
    const [factors, tau] = reflections(q);
    // A column that is right already has no reflection (tau = 0); LAPACK leaves its sign, other columns get the opposite one.
    const sign = diagonals(factors).sign();
    diagonals(factors).copy_(sign.mul(tau.eq(0).to(sign.dtype).mul(-2).add(1)));
    return wide ? transposed(factors) : factors;
  }
}
