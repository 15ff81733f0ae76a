// How a pruning method is applied to a tensor of a module, and how several are combined.
import { inWords, kindOf, RuntimeError } from '../../core/errors.js';
import { onesLike } from '../../ops/creation.js';
import { isOptions } from '../../ops/signature.js';
import type { Parameter } from '../../tensor/parameter.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { pySize } from '../printing.js';
import {
  addOwnedHook,
  deleteAttribute,
  neededTensor,
  ownedHooks,
  type PreForward,
  setAttribute,
  tensorAttribute,
} from './named_tensor.js';

/** What a method may look at: single weights, slices along a dimension, or everything. */
export type PruningType = 'unstructured' | 'structured' | 'global';

/** A method's `PRUNING_TYPE`, which a class may have as a static or as an ordinary field. */
export function pruningType(method: BasePruningMethod): PruningType {
  return method.PRUNING_TYPE ?? (method.constructor as typeof BasePruningMethod).PRUNING_TYPE!;
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.ndim === b.ndim && a.shape.every((n, d) => n === b.shape[d]);
}

/**
 * The base class of pruning methods. A subclass has `PRUNING_TYPE` and `computeMask`:
 *
 *     class EveryOther extends prune.BasePruningMethod {
 *       static override PRUNING_TYPE = 'unstructured' as const;
 *       computeMask(t: Tensor, defaultMask: Tensor) { ... }
 *     }
 *     EveryOther.apply(module, 'weight');
 */
export abstract class BasePruningMethod implements PreForward {
  static PRUNING_TYPE?: PruningType;
  declare PRUNING_TYPE?: PruningType;
  /** @internal The tensor that the method prunes. */
  declare _tensorName: string;

  /**
   * The mask to prune a tensor with, on top of what is pruned already.
   * @param t the importance of the weights: the tensor itself, or scores of its shape.
   * @param defaultMask of t's shape, the mask so far: ones where nothing is pruned.
   * @returns of t's shape: ones for what stays, zeros for what goes
   */
  abstract computeMask(t: Tensor, defaultMask: Tensor): Tensor;

  /** @internal */
  beforeForward(module: Module): void {
    setAttribute(module, this._tensorName, this.applyMask(module));
  }

  /**
   * The original tensor times the mask, both read from the module.
   * @param module what has the pruned tensor
   * @returns of the tensor's shape and type
   * @throws RuntimeError if the method was not applied to a tensor
   */
  applyMask(module: Module): Tensor {
    if (this._tensorName === undefined) throw new RuntimeError(`Module ${String(module)} has to be pruned`);
    const mask = tensorAttribute(module, `${this._tensorName}_mask`);
    const original = tensorAttribute(module, `${this._tensorName}_orig`);
    return mask.to(original.dtype).mul(original);
  }

  /**
   * Prunes a tensor of a module: the parameter becomes `<name>_orig`, a buffer `<name>_mask` is added, and before every
   * forward the attribute is set to their product. A tensor that is pruned already is pruned further.
   * @param module what has the tensor
   * @param name its name
   * @param args what the class's constructor takes; in a last plain object also `importanceScores`, a tensor to compute
   *   the mask from in the place of the weights (default null).
   * @returns the method, or the container that combines it with earlier ones.
   * @throws RuntimeError if there is no such tensor or for scores of another shape; TypeError for what is no module.
   */
  static apply(module: Module, name: string, ...args: unknown[]): BasePruningMethod {
    const given = [...args];
    let scores: Tensor | null = null;
    const last = given[given.length - 1];
    if (isOptions(last)) {
      const { importanceScores, ...rest } = last;
      scores = (importanceScores as Tensor | null | undefined) ?? null;
      given.pop();
      if (Object.keys(rest).length > 0) given.push(rest);
    }
    const make = this as unknown as new (...values: unknown[]) => BasePruningMethod;
    return applyMethod(module, name, new make(...given), scores);
  }

  /**
   * Prunes a tensor that belongs to no module.
   * @param t any shape
   * @param defaultMask of t's shape, the mask so far (default null: ones).
   * @param importanceScores of t's shape: what to compute the mask from (default null: the tensor).
   * @returns a pruned copy.
   * @throws RuntimeError for scores of another shape.
   */
  prune(t: Tensor, defaultMask: Tensor | null = null, importanceScores: Tensor | null = null): Tensor {
    if (importanceScores !== null && !sameShape(importanceScores, t)) {
      throw new RuntimeError(
        `importance_scores should have the same shape as tensor t, got ${pySize(importanceScores.shape)} vs ${pySize(t.shape)}`,
      );
    }
    return t.mul(this.computeMask(importanceScores ?? t, defaultMask ?? onesLike(t)));
  }

  /**
   * Makes pruning permanent; `prune.remove` also ends the hook.
   * @param module what has the pruned tensor
   * @throws RuntimeError if the method was not applied to a tensor
   */
  remove(module: Module): void {
    const name = this._tensorName;
    if (name === undefined) {
      throw new RuntimeError(`Module ${String(module)} has to be pruned before pruning can be removed`);
    }
    const weight = this.applyMask(module);
    deleteAttribute(module, name);
    const original = tensorAttribute(module, `${name}_orig`);
    original.data = weight.data;
    module._parameters.delete(`${name}_orig`);
    module._buffers.delete(`${name}_mask`);
    setAttribute(module, name, original);
  }
}

/** The method that prunes a tensor now, with the number of its hook. */
function methodOn(module: Module, name: string): [id: number, method: BasePruningMethod] | null {
  const found = ownedHooks(module, BasePruningMethod).filter(([, method]) => method._tensorName === name);
  if (found.length > 1) {
    throw new RuntimeError(
      `Avoid adding multiple pruning hooks to the same tensor ${name} of module ${String(module)}. Use a PruningContainer.`,
    );
  }
  return found[0] ?? null;
}

function applyMethod(module: Module, name: string, next: BasePruningMethod, scores: Tensor | null): BasePruningMethod {
  const original = neededTensor('prune', module, name);
  if (scores !== null && !sameShape(scores, original)) {
    throw new RuntimeError(
      `importance_scores should have the same shape as parameter ${name} of ${String(module)}, got ` +
        `${pySize(scores.shape)} vs ${pySize(original.shape)}`,
    );
  }
  next._tensorName = name;
  const before = methodOn(module, name);
  let method = next;
  let soFar: Tensor;
  if (before === null) {
    soFar = onesLike(original);
  } else {
    // A new container: an error in computing the mask leaves the old one as it was.
    const [, old] = before;
    method = new PruningContainer(...(old instanceof PruningContainer ? old : [old]), next);
    soFar = tensorAttribute(module, `${name}_mask`).detach().clone();
  }
  const mask = method.computeMask((scores ?? original).detach(), soFar);
  if (before === null) {
    module.registerParameter(`${name}_orig`, original as Parameter);
    module._parameters.delete(name);
  } else {
    module._forwardPreHooks.delete(before[0]);
  }
  module.registerBuffer(`${name}_mask`, mask);
  setAttribute(module, name, method.applyMask(module));
  addOwnedHook(module, method);
  return method;
}

/**
 * Several pruning methods on one tensor, one after another: each acts on what those before it left. `apply` makes it where a
 * tensor is pruned again. Iterating gives the methods.
 */
export class PruningContainer extends BasePruningMethod {
  /** @internal */ readonly _pruningMethods: BasePruningMethod[] = [];

  /** @param methods methods that act on the same tensor. */
  constructor(...methods: BasePruningMethod[]) {
    super();
    if (methods.length > 0) this._tensorName = methods[0]!._tensorName;
    for (const method of methods) this.addPruningMethod(method);
  }

  /**
   * Adds a method behind the others.
   * @param method one that acts on the same tensor
   * @throws TypeError for something that is no method, RuntimeError for one that acts on another tensor.
   */
  addPruningMethod(method: BasePruningMethod): void {
    if (!(method instanceof BasePruningMethod)) {
      throw new TypeError(`${kindOf(method)} is not a BasePruningMethod subclass`);
    }
    if (method._tensorName !== this._tensorName) {
      throw new RuntimeError(
        `Can only add pruning methods acting on the parameter named '${this._tensorName}' to PruningContainer. Found ` +
          `'${method._tensorName}'`,
      );
    }
    this._pruningMethods.push(method);
  }

  /** How many methods there are. */
  get length(): number {
    return this._pruningMethods.length;
  }

  /** The method at a position, or undefined; negative positions count from the end. */
  at(index: number): BasePruningMethod | undefined {
    return this._pruningMethods.at(index);
  }

  /** The methods, in the order in which they were added. */
  [Symbol.iterator](): IterableIterator<BasePruningMethod> {
    return this._pruningMethods[Symbol.iterator]();
  }

  /** The mask so far, with what the last method prunes among the weights that are left. */
  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    const method = this._pruningMethods.at(-1)!;
    const mask = defaultMask.to(t.dtype);
    const type = pruningType(method);
    if (type === 'unstructured') {
      const kept = mask.eq(1);
      const partial = method.computeMask(t.maskedSelect(kept), mask.maskedSelect(kept));
      return mask.maskedScatter(kept, partial.to(mask.dtype));
    }
    if (type === 'structured') {
      const along = (method as BasePruningMethod & { dim?: number }).dim;
      if (along === undefined) {
        throw new RuntimeError(
          'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.',
        );
      }
      const dim = along < 0 ? t.ndim + along : along;
      if (dim < 0 || dim >= t.ndim) throw new RangeError(`Index is out of bounds for tensor with dimensions ${t.ndim}`);
      const others = Array.from({ length: t.ndim }, (_, d) => d).filter((d) => d !== dim);
      const kept = mask.sum(others).ne(0).nonzero().reshape(-1);
      const partial = method.computeMask(t.indexSelect(dim, kept), mask.indexSelect(dim, kept));
      return mask.indexCopy(dim, kept, partial.to(mask.dtype));
    }
    if (type === 'global') return method.computeMask(t, mask).to(mask.dtype);
    throw new RuntimeError(`Unrecognized PRUNING_TYPE ${inWords(type)}`);
  }
}
