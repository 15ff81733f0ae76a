// Weights as a length times a direction (Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868), by a forward pre-hook.
import { RuntimeError } from '../../core/errors.js';
import { div, mul } from '../../ops/arithmetic.js';
import { fnOp } from '../../ops/define.js';
import { norm } from '../../ops/reduce.js';
import { type Tensor, wrapDim } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { isLazy, Parameter } from '../parameter.js';
import { warn } from '../warn.js';
import {
  addOwnedHook,
  deleteAttribute,
  neededModule,
  neededTensor,
  ownedHooks,
  setAttribute,
  tensorAttribute,
} from './named_tensor.js';

/**
 * The 2-norms of the slices along `dim`, which keeps its size; all other sizes become one.
 * @param dim -1 gives the norm of the whole tensor: [].
 */
export function normExceptDim(v: Tensor, dim: number): Tensor {
  if (dim === -1) return norm.impl(v, 2, null, false, null);
  const kept = wrapDim(dim, v.ndim);
  const others = Array.from({ length: v.ndim }, (_, d) => d).filter((d) => d !== kept);
  // An empty list of dimensions would mean all of them.
  return others.length === 0 ? v.abs() : norm.impl(v, 2, others, true, null);
}

/** v g / |v|, the norm as in `normExceptDim`. */
export function scaledDirection(v: Tensor, g: Tensor, dim: number): Tensor {
  return mul.impl(v, div.impl(g, normExceptDim(v, dim), null));
}

/** @internal One weight that is recomputed before every forward. */
export class WeightNorm {
  constructor(
    readonly name: string,
    readonly dim: number,
  ) {}

  beforeForward(module: Module): void {
    setAttribute(module, this.name, this.compute(module));
  }

  compute(module: Module): Tensor {
    return scaledDirection(
      tensorAttribute(module, `${this.name}_v`),
      tensorAttribute(module, `${this.name}_g`),
      this.dim,
    );
  }
}

/**
 * Replaces a parameter w by g v / |v| (https://arxiv.org/abs/1602.07868): `<name>_g` is its length, `<name>_v` its direction.
 * Before every forward the weight is computed from both. `parametrizations.weightNorm` is the newer form.
 * @param module what has the parameter
 * @param name the parameter (default 'weight')
 * @param dim the dimension along which every slice has a length of its own (default 0), null for one length of all
 * @returns the module.
 * @throws RuntimeError if the weight has it already, or if its shape is not known yet.
 */
export const weightNorm = fnOp(
  "weightNorm(any module, str name='weight', int? dim=0)",
  <M extends Module>(module: M, name: string, dim: number | null): M => {
    warn('`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.');
    neededModule('weightNorm', module);
    if (ownedHooks(module, WeightNorm).some(([, other]) => other.name === name)) {
      throw new RuntimeError(`Cannot register two weight_norm hooks on the same parameter ${name}`);
    }
    const weight = neededTensor('weightNorm', module, name);
    if (isLazy(weight)) {
      throw new RuntimeError(
        "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward before " +
          'applying weight normalization',
      );
    }
    const owner = new WeightNorm(name, dim ?? -1);
    module._parameters.delete(name);
    module.registerParameter(`${name}_g`, new Parameter(normExceptDim(weight.detach(), owner.dim)));
    module.registerParameter(`${name}_v`, new Parameter(weight.data));
    setAttribute(module, name, owner.compute(module));
    addOwnedHook(module, owner);
    return module;
  },
) as <M extends Module>(
  module: M,
  ...args:
    | [options: { name?: string; dim?: number | null }]
    | [name: string, options: { dim?: number | null }]
    | [name?: string, dim?: number | null]
) => M;

/**
 * Makes a weight that `weightNorm` split a parameter again, with the value that it has now.
 * @param module what has the parameter
 * @param name the parameter; default 'weight'.
 * @returns the module.
 * @throws RuntimeError if the weight was not split.
 */
export function removeWeightNorm<M extends Module>(module: M, name = 'weight'): M {
  neededModule('removeWeightNorm', module);
  for (const [id, owner] of ownedHooks(module, WeightNorm)) {
    if (owner.name !== name) continue;
    const weight = owner.compute(module);
    deleteAttribute(module, name);
    module._parameters.delete(`${name}_g`);
    module._parameters.delete(`${name}_v`);
    setAttribute(module, name, new Parameter(weight.data));
    module._forwardPreHooks.delete(id);
    return module;
  }
  throw new RuntimeError(`weight_norm of '${name}' not found in ${String(module)}`);
}
