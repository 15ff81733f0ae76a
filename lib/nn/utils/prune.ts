// torch.nn.utils.prune: removing weights by masks.
import { kindOf, RuntimeError } from '../../core/errors.js';
import { onesLike } from '../../ops/creation.js';
import { cat } from '../../ops/join.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { neededModule, ownedHooks, tensorAttribute } from './named_tensor.js';
import { BasePruningMethod, PruningContainer, pruningType } from './prune_base.js';
import {
  CustomFromMask,
  Identity,
  L1Unstructured,
  LnStructured,
  type NormOrder,
  RandomStructured,
  RandomUnstructured,
} from './prune_methods.js';

export { BasePruningMethod, PruningContainer } from './prune_base.js';
export {
  CustomFromMask,
  Identity,
  L1Unstructured,
  LnStructured,
  RandomStructured,
  RandomUnstructured,
} from './prune_methods.js';

/** The importance of every weight, beside its own magnitude. */
interface Scores {
  importanceScores?: Tensor | null;
}

/**
 * Gives a tensor the names of a pruned one, `<name>_orig` and `<name>_mask` (ones), without removing anything.
 * @param module what has the tensor
 * @param name its name
 * @returns the module
 * @throws RuntimeError if there is no such tensor
 */
export function identity<M extends Module>(module: M, name: string): M {
  Identity.apply(module, name);
  return module;
}

/**
 * Prunes weights of a tensor at random.
 * @param module what has the tensor
 * @param name its name
 * @param amount how many: a whole number, or a share between 0 and 1
 * @returns the module
 * @throws RuntimeError for an amount out of range or if there is no such tensor; TypeError unless the amount is a number
 */
export function randomUnstructured<M extends Module>(module: M, name: string, amount: number): M {
  RandomUnstructured.apply(module, name, amount);
  return module;
}

/**
 * Prunes the weights of a tensor that are smallest in magnitude.
 * @param module what has the tensor
 * @param name its name
 * @param amount how many: a whole number, or a share between 0 and 1
 * @param importanceScores of the tensor's shape: what to compare in the place of the weights (default null: the weights). Also as
 *   `{ importanceScores }`.
 * @returns the module
 * @throws RuntimeError for an amount out of range, scores of another shape or if there is no such tensor
 */
export function l1Unstructured<M extends Module>(
  module: M,
  name: string,
  amount: number,
  importanceScores: Tensor | null | Scores = null,
): M {
  L1Unstructured.apply(module, name, amount, importanceScores);
  return module;
}

/**
 * Prunes whole slices of a tensor along a dimension at random.
 * @param module what has the tensor
 * @param name its name
 * @param amount how many slices: a whole number, or a share between 0 and 1
 * @param dim the dimension of the slices
 * @returns the module
 * @throws RuntimeError for an amount out of range, a vector or if there is no such tensor; RangeError
 *   if the dimension is out of range
 */
export function randomStructured<M extends Module>(module: M, name: string, amount: number, dim: number): M {
  RandomStructured.apply(module, name, amount, dim);
  return module;
}

/**
 * Prunes the slices of a tensor along a dimension that have the smallest norms.
 * @param module what has the tensor
 * @param name its name
 * @param amount how many slices: a whole number, or a share between 0 and 1
 * @param n the norm's order, as for `torch.norm`
 * @param dim the dimension of the slices
 * @param importanceScores of the tensor's shape: what to compare in the place of the weights (default null: the weights). Also as
 *   `{ importanceScores }`.
 * @returns the module
 * @throws RuntimeError for an amount out of range, a vector or if there is no such tensor; RangeError
 *   if the dimension is out of range
 */
export function lnStructured<M extends Module>(
  module: M,
  name: string,
  amount: number,
  n: NormOrder,
  dim: number,
  importanceScores: Tensor | null | Scores = null,
): M {
  LnStructured.apply(module, name, amount, n, dim, importanceScores);
  return module;
}

/**
 * Prunes a tensor by a mask, on top of what is pruned already.
 * @param module what has the tensor
 * @param name its name
 * @param mask ones and zeros, of the tensor's shape
 * @returns the module
 * @throws RuntimeError for a mask of another shape or if there is no such tensor
 */
export function customFromMask<M extends Module>(module: M, name: string, mask: Tensor): M {
  CustomFromMask.apply(module, name, mask);
  return module;
}

/** A module and the name of one of its tensors. */
export type NamedTensor = readonly [module: Module, name: string];

/** Importance scores by tensor: a Map, or pairs, whose keys are `[module, name]`. */
export type ScoresByTensor = ReadonlyMap<NamedTensor, Tensor> | readonly (readonly [NamedTensor, Tensor])[];

/**
 * Prunes several tensors as if they were one: what is least important among all of them goes.
 * @param parameters the tensors, as `[module, name]` pairs.
 * @param pruningMethod a class of an unstructured method, as `L1Unstructured`.
 * @param options `importanceScores` (default null: the weights): what to compare in their place, by tensor; the others are
 *   arguments of the method, as `{ amount: 0.2 }` (default none).
 * @throws TypeError if `parameters` cannot be iterated or the method is structured.
 */
export function globalUnstructured(
  parameters: Iterable<NamedTensor>,
  pruningMethod: new (options: never) => BasePruningMethod,
  options: { importanceScores?: ScoresByTensor | null } & Record<string, unknown> = {},
): void {
  if (typeof (parameters as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError('global_unstructured(): parameters is not an Iterable');
  }
  if (typeof pruningMethod !== 'function')
    throw new TypeError(`globalUnstructured(): argument 'pruningMethod' must be a class, not ${kindOf(pruningMethod)}`);
  const { importanceScores, ...rest } = options;
  const list = [...parameters];
  if (importanceScores != null && !(importanceScores instanceof Map) && !Array.isArray(importanceScores)) {
    throw new TypeError('global_unstructured(): importance_scores must be of type dict');
  }
  const scores = [...((importanceScores ?? []) as Iterable<readonly [NamedTensor, Tensor]>)];
  const scoreOf = (module: Module, name: string): Tensor =>
    scores.find(([[m, n]]) => m === module && n === name)?.[1] ?? tensorAttribute(module, name);
  const maskOf = (module: Module, name: string): Tensor =>
    (tensorAttribute(module, `${name}_mask`) as Tensor | undefined) ?? onesLike(tensorAttribute(module, name));
  const vector = (of: (module: Module, name: string) => Tensor): Tensor =>
    cat(list.map(([module, name]) => of(module, name).detach().reshape(-1)));

  const container = new PruningContainer();
  container._tensorName = 'temp';
  const method = new pruningMethod(rest as never);
  method._tensorName = 'temp';
  const type = pruningType(method);
  if (type !== 'unstructured') {
    throw new TypeError(
      `Only "unstructured" PRUNING_TYPE supported for the \`pruning_method\`. Found method ${pruningMethod.name} of type ${type}`,
    );
  }
  container.addPruningMethod(method);
  const mask = container.computeMask(vector(scoreOf), vector(maskOf));
  let at = 0;
  for (const [module, name] of list) {
    const param = tensorAttribute(module, name);
    customFromMask(module, name, mask.narrow(0, at, param.numel()).viewAs(param));
    at += param.numel();
  }
}

/**
 * Makes pruning permanent: the tensor is a parameter again, with zeros where it was pruned.
 * @param module what has the tensor
 * @param name its name
 * @returns the module
 * @throws RuntimeError if the tensor is not pruned.
 */
export function remove<M extends Module>(module: M, name: string): M {
  neededModule('remove', module);
  for (const [id, method] of ownedHooks(module, BasePruningMethod)) {
    if (method._tensorName !== name) continue;
    method.remove(module);
    module._forwardPreHooks.delete(id);
    return module;
  }
  throw new RuntimeError(
    `Parameter '${name}' of module ${String(module)} has to be pruned before pruning can be removed`,
  );
}

/**
 * Whether the module, or one below it, has a pruned tensor.
 * @param module the module
 * @returns whether there is one
 */
export function isPruned(module: Module): boolean {
  neededModule('isPruned', module);
  for (const part of module.modules()) if (ownedHooks(part, BasePruningMethod).length > 0) return true;
  return false;
}
