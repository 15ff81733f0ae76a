// Weights divided by their largest singular value (Miyato et al. 2018, https://arxiv.org/abs/1802.05957), by a forward
// pre-hook.
import { noGrad } from '../../autograd/mode.js';
import type { ModuleMetadata, StateDict } from '../../core/containers.js';
import { RuntimeError } from '../../core/errors.js';
import { pinv } from '../../linalg/pinv.js';
import { div } from '../../ops/arithmetic.js';
import { empty } from '../../ops/creation.js';
import { fnOp } from '../../ops/define.js';
import { dot, mv } from '../../ops/matmul.js';
import type { Tensor } from '../../tensor/tensor.js';
import { normalize } from '../functional/distance.js';
import type { Module } from '../module.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/index.js';
import { isLazy, Parameter } from '../parameter.js';
import {
  addOwnedHook,
  deleteAttribute,
  neededModule,
  ownedHooks,
  setAttribute,
  tensorAttribute,
} from './named_tensor.js';

/** A vector of length one in a random direction. */
export function randomDirection(like: Tensor, n: number, eps: number): Tensor {
  return normalize.impl(empty([n], { dtype: like.dtype, device: like.device }).normal_(0, 1), 2, [0], eps);
}

/** Where a layer's outputs are in its weight: transposed convolutions have them second. */
export function outputDim(module: Module): number {
  const second = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((kind) => module instanceof kind);
  return second ? 1 : 0;
}

/** A weight as a matrix [size of `dim`, all the others]. */
function asMatrix(weight: Tensor, dim: number): Tensor {
  const first = dim === 0 ? weight : weight.movedim(dim, 0);
  return first.reshape(first.shape[0]!, -1);
}

/** @internal One weight that is recomputed before every forward. */
export class SpectralNorm {
  /** The version of the state dict's entries. */
  static readonly version = 1;
  /** The numbers of the state dict hooks, by which removing finds them, in deep copies too. */
  stateDictHook = 0;
  loadHook = 0;

  constructor(
    readonly name: string,
    readonly nPowerIterations: number,
    readonly dim: number,
    readonly eps: number,
  ) {
    if (nPowerIterations <= 0) {
      throw new RuntimeError(
        `Expected n_power_iterations to be positive, but got n_power_iterations=${nPowerIterations}`,
      );
    }
  }

  beforeForward(module: Module): void {
    setAttribute(module, this.name, this.compute(module, module.training));
  }

  /** @param iterate whether the singular vectors are improved first; they are buffers, changed in place. */
  compute(module: Module, iterate: boolean): Tensor {
    const weight = tensorAttribute(module, `${this.name}_orig`);
    let u = tensorAttribute(module, `${this.name}_u`);
    let v = tensorAttribute(module, `${this.name}_v`);
    const matrix = asMatrix(weight, this.dim);
    if (iterate) {
      noGrad(() => {
        for (let i = 0; i < this.nPowerIterations; i++) {
          v.copy_(normalize.impl(mv(matrix.t(), u), 2, [0], this.eps));
          u.copy_(normalize.impl(mv(matrix, v), 2, [0], this.eps));
        }
      });
      // Backward needs these values, and the next forward will change the buffers.
      u = u.clone();
      v = v.clone();
    }
    return div.impl(weight, dot(u, mv(matrix, v)), null);
  }

  /** Files without `_v` and of no version: v is what makes u W v the sigma that the weight was divided by. */
  load(state: StateDict, prefix: string, metadata: ModuleMetadata, strict: boolean, missing: string[]): void {
    const versions = metadata.spectral_norm as Record<string, number> | undefined;
    const version = versions?.[`${this.name}.version`] ?? null;
    if (version !== null && version >= 1) return;
    const key = prefix + this.name;
    if (version === null && ['_orig', '_u', '_v'].every((end) => state.has(key + end)) && !state.has(key)) return;
    const absent = ['_orig', '', '_u'].map((end) => key + end).filter((k) => !state.has(k));
    if (absent.length > 0) {
      if (strict) missing.push(...absent);
      return;
    }
    noGrad(() => {
      const original = state.get(`${key}_orig`) as Tensor;
      const weight = state.get(key) as Tensor;
      state.delete(key);
      const sigma = original.div(weight).mean();
      const matrix = asMatrix(original, this.dim);
      const u = state.get(`${key}_u`) as Tensor;
      const v = mv(pinv(matrix.t().mm(matrix)), mv(matrix.t(), u));
      state.set(`${key}_v`, v.mul(sigma.div(dot(u, mv(matrix, v)))));
    });
  }
}

/** @internal Makes `owner` recompute its weight before every forward, and mark and read the state dict's entries. */
export function attachSpectralNorm(module: Module, owner: SpectralNorm): void {
  addOwnedHook(module, owner);
  owner.stateDictHook = module._registerStateDictHook((_module, _state, _prefix, metadata) => {
    const versions = ((metadata.spectral_norm as Record<string, number> | undefined) ??= {});
    const key = `${owner.name}.version`;
    if (key in versions) throw new RuntimeError(`Unexpected key in metadata['spectral_norm']: ${key}`);
    versions[key] = SpectralNorm.version;
  }).id;
  owner.loadHook = module._registerLoadStateDictPreHook((state, prefix, metadata, strict, missing) => {
    owner.load(state, prefix, metadata, strict, missing);
  }).id;
}

/**
 * Divides a parameter by its largest singular value (https://arxiv.org/abs/1802.05957): `<name>_orig` is the parameter, the
 * buffers `<name>_u` and `<name>_v` are the singular vectors, which power iteration improves at every forward in training.
 * `parametrizations.spectralNorm` is the newer form.
 * @param module what has the parameter
 * @param name the parameter (default 'weight'), seen as a matrix [size of dim, all others]
 * @param nPowerIterations steps per forward (default 1), positive
 * @param eps the least length of a vector (default 1e-12)
 * @param dim the dimension of the outputs (default null: 0, for transposed convolutions 1)
 * @returns the module.
 * @throws RuntimeError if the weight has it already, is null, or has no shape yet.
 */
export const spectralNorm = fnOp(
  "spectralNorm(any module, str name='weight', int nPowerIterations=1, float eps=1e-12, int? dim=None)",
  <M extends Module>(module: M, name: string, nPowerIterations: number, eps: number, dim: number | null): M => {
    neededModule('spectralNorm', module);
    if (ownedHooks(module, SpectralNorm).some(([, other]) => other.name === name)) {
      throw new RuntimeError(`Cannot register two spectral_norm hooks on the same parameter ${name}`);
    }
    const owner = new SpectralNorm(name, nPowerIterations, dim ?? outputDim(module), eps);
    const weight = module._parameters.get(name);
    if (weight === undefined) throw new RuntimeError(`'${name}'`);
    if (weight === null) {
      throw new RuntimeError(`\`SpectralNorm\` cannot be applied as parameter \`${name}\` is None`);
    }
    if (isLazy(weight)) {
      throw new RuntimeError(
        "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy forward before " +
          'applying spectral normalization',
      );
    }
    const [rows, columns] = asMatrix(weight.detach(), owner.dim).shape as [number, number];
    const u = randomDirection(weight, rows, eps);
    const v = randomDirection(weight, columns, eps);
    module._parameters.delete(name);
    module.registerParameter(`${name}_orig`, weight);
    // Not a parameter any more: the attribute is a plain tensor until the first forward computes it.
    setAttribute(module, name, weight.data);
    module.registerBuffer(`${name}_u`, u);
    module.registerBuffer(`${name}_v`, v);
    attachSpectralNorm(module, owner);
    return module;
  },
) as <M extends Module>(
  module: M,
  ...args:
    | [options: SpectralNormOptions & { name?: string }]
    | [name: string, options: SpectralNormOptions]
    | [name?: string, nPowerIterations?: number, eps?: number, dim?: number | null]
) => M;

/** The named arguments of `spectralNorm`. */
export interface SpectralNormOptions {
  nPowerIterations?: number;
  eps?: number;
  dim?: number | null;
}

/**
 * Makes a weight that `spectralNorm` normalizes an ordinary parameter again, with the value that it has now.
 * @param module what has the parameter
 * @param name the parameter; default 'weight'.
 * @returns the module.
 * @throws RuntimeError if the weight is not normalized.
 */
export function removeSpectralNorm<M extends Module>(module: M, name = 'weight'): M {
  neededModule('removeSpectralNorm', module);
  for (const [id, owner] of ownedHooks(module, SpectralNorm)) {
    if (owner.name !== name) continue;
    const weight = noGrad(() => owner.compute(module, false));
    for (const end of ['', '_u', '_v', '_orig']) deleteAttribute(module, name + end);
    module.registerParameter(name, new Parameter(weight.detach()));
    module._forwardPreHooks.delete(id);
    module._stateDictHooks.delete(owner.stateDictHook);
    module._loadStateDictPreHooks.delete(owner.loadHook);
    return module;
  }
  throw new RuntimeError(`spectral_norm of '${name}' not found in ${String(module)}`);
}
