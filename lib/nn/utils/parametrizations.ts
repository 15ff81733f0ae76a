// torch.nn.utils.parametrizations: weights that are orthogonal, normalized, or divided by their largest singular value.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { div } from '../../ops/arithmetic.js';
import { bind, signature } from '../../ops/signature.js';
import { mv, vdot } from '../../ops/matmul.js';
import { Tensor } from '../../tensor/tensor.js';
import { normalize } from '../functional/distance.js';
import { Module } from '../module.js';
import { _Orthogonal, type OrthogonalMap } from './orthogonal.js';
import { attribute, neededModule } from './named_tensor.js';
import { registerParametrization } from './parametrize.js';
import { outputDim, randomDirection, type SpectralNormOptions } from './spectral_norm.js';
import { normExceptDim, scaledDirection } from './weight_norm.js';

function weightOf(module: Module, name: string): Tensor {
  const weight = attribute(module, name);
  if (weight instanceof Tensor) return weight;
  throw new RuntimeError(`Module '${String(module)}' has no parameter or buffer with name '${name}'`);
}

// ---- Orthogonal

const orthogonalArguments = signature(
  "orthogonal(any module, str name='weight', str? orthogonalMap=None, bool useTrivialization=True)",
);

/** The named arguments of `orthogonal`. */
interface OrthogonalOptions {
  orthogonalMap?: OrthogonalMap | null;
  useTrivialization?: boolean;
}

/**
 * Keeps a matrix (or a batch of them) orthogonal: with columns of length one at right angles, or rows if it is wide
 * (Lezcano-Casado 2019, https://arxiv.org/abs/1909.09501).
 * @param module what has the matrix
 * @param args name (default 'weight'): the tensor, [.., m, n]; orthogonalMap (default null: 'matrix_exp' for square and complex
 *   matrices, else 'householder'): 'matrix_exp' and 'cayley' map a skew matrix A to exp(A) and (I - A/2)^-1 (I + A/2),
 *   'householder' takes a product of reflections; useTrivialization (default true): whether the matrix starts from its
 *   orthogonal part now, kept in the buffer `base`, so that it can be assigned to. By position or by name.
 * @returns the module.
 * @throws RuntimeError if there is no such tensor, it is no matrix, or the map is unknown or not for complex ones.
 */
export function orthogonal<M extends Module>(
  module: M,
  ...args:
    | [options: OrthogonalOptions & { name?: string }]
    | [name: string, options: OrthogonalOptions]
    | [name?: string, orthogonalMap?: OrthogonalMap | null, options?: { useTrivialization?: boolean }]
): M {
  const given = bind(orthogonalArguments, [module, ...args]) as [unknown, string, string | null, boolean];
  const [, name, , useTrivialization] = given;
  const weight = weightOf(module, name);
  if (weight.ndim < 2) {
    throw new RuntimeError(`Expected a matrix or batch of matrices. Got a tensor of ${weight.ndim} dimensions.`);
  }
  const square = weight.size(-2) === weight.size(-1);
  const map = given[2] ?? (square || weight.dtype.isComplex ? 'matrix_exp' : 'householder');
  if (map !== 'matrix_exp' && map !== 'cayley' && map !== 'householder') {
    throw new RuntimeError(`orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ${map}`);
  }
  return registerParametrization(module, name, new _Orthogonal(weight, map, useTrivialization), true);
}

// ---- Weight norm

/** @internal w = g v / |v|. */
class _WeightNorm extends Module {
  dim: number;

  constructor(dim: number | null) {
    super();
    this.dim = dim ?? -1;
  }

  override forward(g: Tensor, v: Tensor): Tensor {
    return scaledDirection(v, g, this.dim);
  }

  rightInverse(weight: Tensor): [Tensor, Tensor] {
    return [normExceptDim(weight, this.dim), weight];
  }
}

const weightNormArguments = signature("weightNorm(any module, str name='weight', int? dim=0)");

/**
 * Splits a tensor into a length and a direction: w = g v / |v| (Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868).
 * The state dict has both as `original0` and `original1`; one with `<name>_g` and `<name>_v` of the older form loads too.
 * @param module what has the tensor
 * @param args name (default 'weight'): the tensor; dim (default 0): the dimension along which every slice has a length of its
 *   own, null for one length of all. By position or by name.
 * @returns the module.
 * @throws RuntimeError if there is no such tensor.
 */
export function weightNorm<M extends Module>(
  module: M,
  ...args:
    | [options: { name?: string; dim?: number | null }]
    | [name: string, options: { dim?: number | null }]
    | [name?: string, dim?: number | null]
): M {
  const [, name, dim] = bind(weightNormArguments, [module, ...args]) as [unknown, string, number | null];
  neededModule('weightNorm', module);
  registerParametrization(module, name, new _WeightNorm(dim), true);
  module._registerLoadStateDictPreHook((state, prefix) => {
    const [g, v] = [`${prefix}${name}_g`, `${prefix}${name}_v`];
    if (!state.has(g) || !state.has(v)) return;
    const originals = [state.get(g), state.get(v)];
    state.delete(g);
    state.delete(v);
    originals.forEach((value, i) => state.set(`${prefix}parametrizations.${name}.original${i}`, value));
  });
  return module;
}

// ---- Spectral norm

/** @internal w / sigma(w), sigma by power iteration. */
class _SpectralNorm extends Module {
  dim: number;
  eps: number;
  nPowerIterations: number;
  declare _u: Tensor;
  declare _v: Tensor;

  constructor(weight: Tensor, nPowerIterations: number, dim: number, eps: number) {
    super();
    const { ndim } = weight;
    if (dim >= ndim || dim < -ndim) {
      throw new RangeError(
        `Dimension out of range (expected to be in range of [-${ndim}, ${ndim - 1}] but got ${dim})`,
      );
    }
    if (nPowerIterations <= 0) {
      throw new RuntimeError(
        `Expected n_power_iterations to be positive, but got n_power_iterations=${nPowerIterations}`,
      );
    }
    this.dim = dim >= 0 ? dim : dim + ndim;
    this.eps = eps;
    this.nPowerIterations = nPowerIterations;
    if (ndim < 2) return;
    const matrix = this._asMatrix(weight.detach());
    const [rows, columns] = matrix.shape as [number, number];
    const u = randomDirection(weight, rows, eps);
    const v = randomDirection(weight, columns, eps);
    this.registerBuffer('_u', u);
    this.registerBuffer('_v', v);
    // Enough steps for a good start: later ones only follow the weight.
    this._powerMethod(matrix, 15);
  }

  /** @internal [size of `dim`, all the others] */
  _asMatrix(weight: Tensor): Tensor {
    return (this.dim === 0 ? weight : weight.movedim(this.dim, 0)).flatten(1);
  }

  /** @internal Improves the singular vectors, in place. */
  _powerMethod(matrix: Tensor, steps: number): void {
    noGrad(() => {
      const adjoint = matrix.dtype.isComplex ? matrix.t().conj() : matrix.t();
      for (let i = 0; i < steps; i++) {
        this._u.copy_(normalize.impl(mv(matrix, this._v), 2, [0], this.eps));
        this._v.copy_(normalize.impl(mv(adjoint, this._u), 2, [0], this.eps));
      }
    });
  }

  override forward(weight: Tensor): Tensor {
    // The largest singular value of a vector is its length.
    if (weight.ndim === 1) return normalize.impl(weight, 2, [0], this.eps);
    const matrix = this._asMatrix(weight);
    if (this.training) this._powerMethod(matrix, this.nPowerIterations);
    // Copies: backward needs these values, and the next forward will change the buffers.
    const sigma = vdot(this._u.clone(), mv(matrix, this._v.clone()));
    return div.impl(weight, sigma, null);
  }

  rightInverse(value: Tensor): Tensor {
    return value;
  }
}

const spectralNormArguments = signature(
  "spectralNorm(any module, str name='weight', int nPowerIterations=1, float eps=1e-12, int? dim=None)",
);

/**
 * Divides a tensor by its largest singular value (Miyato et al. 2018, https://arxiv.org/abs/1802.05957), which power
 * iteration finds: 15 steps now, `nPowerIterations` at every forward in training. The singular vectors
 * are the buffers `_u`, `_v`.
 * @param module what has the tensor
 * @param args name (default 'weight'): the tensor, seen as a matrix [size of dim, all others]; nPowerIterations (default 1), eps
 *   (default 1e-12): the least length of a vector; dim (default null: 0, for transposed convolutions 1): the dimension of the
 *   outputs. By position or by name.
 * @returns the module.
 * @throws RuntimeError if there is no such tensor or nPowerIterations is not positive; RangeError if
 *   the dimension is out of range.
 */
export function spectralNorm<M extends Module>(
  module: M,
  ...args:
    | [options: SpectralNormOptions & { name?: string }]
    | [name: string, options: SpectralNormOptions]
    | [name?: string, nPowerIterations?: number, eps?: number, dim?: number | null]
): M {
  const [, name, steps, eps, dim] = bind(spectralNormArguments, [module, ...args]) as [
    unknown,
    string,
    number,
    number,
    number | null,
  ];
  const parametrization = new _SpectralNorm(weightOf(module, name), steps, dim ?? outputDim(module), eps);
  return registerParametrization(module, name, parametrization);
}
