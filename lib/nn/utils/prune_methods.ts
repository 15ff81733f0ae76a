// The pruning methods.
import { inWords, RuntimeError } from '../../core/errors.js';
import { zerosLike } from '../../ops/creation.js';
import { rand, randLike } from '../../ops/random.js';
import { norm } from '../../ops/reduce.js';
import { bind, isOptions, signature } from '../../ops/signature.js';
import { type Tensor, wrapDim } from '../../tensor/tensor.js';
import type { Module } from '../module.js';
import { pySize } from '../printing.js';
import { BasePruningMethod, type PruningType } from './prune_base.js';

/** The order of a norm, as `torch.norm` takes it. */
export type NormOrder = number | 'fro' | 'nuc';

/** A share between 0 and 1, or a whole number of weights or slices. */
function checkAmount(amount: unknown): void {
  if (typeof amount !== 'number')
    throw new TypeError(`Invalid type for amount: ${inWords(amount)}. Must be int or float.`);
  if (!(Number.isInteger(amount) ? amount >= 0 : amount > 0 && amount < 1)) {
    throw new RuntimeError(`amount=${amount} should either be a float in the range [0, 1] or a non-negative integer`);
  }
}

/** How many of `total` to prune. */
function countOf(amount: number, total: number): number {
  if (Number.isInteger(amount)) {
    if (amount > total) {
      throw new RuntimeError(`amount=${amount} should be smaller than the number of parameters to prune=${total}`);
    }
    return amount;
  }
  // Halves go to the even neighbour, as Python rounds.
  const share = amount * total;
  const below = Math.floor(share);
  if (share - below !== 0.5) return Math.round(share);
  return below % 2 === 0 ? below : below + 1;
}

function checkStructured(t: Tensor, dim: number): void {
  if (t.ndim <= 1) {
    throw new RuntimeError(
      `Structured pruning can only be applied to multidimensional tensors. Found tensor of shape ${pySize(t.shape)} with ${t.ndim} dims`,
    );
  }
  if (dim >= t.ndim) throw new RangeError(`Invalid index ${dim} for tensor of size ${pySize(t.shape)}`);
}

/** A method's last argument: scores, or an object that has them. */
function scoresOf(value: Tensor | null | { importanceScores?: Tensor | null }): { importanceScores: Tensor | null } {
  const scores = isOptions(value) ? (value as { importanceScores?: Tensor | null }).importanceScores : value;
  return { importanceScores: (scores as Tensor | null | undefined) ?? null };
}

/** A copy of the mask with zeros at flat positions. */
function without(mask: Tensor, positions: Tensor): Tensor {
  return mask
    .reshape(-1)
    .indexFill(0, positions, 0)
    .reshape([...mask.shape]);
}

/** Prunes nothing: gives a tensor the names of a pruned one, `<name>_orig` and `<name>_mask`. */
export class Identity extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'unstructured';

  override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
    return defaultMask;
  }

  static override apply(module: Module, name: string): BasePruningMethod {
    return super.apply(module, name);
  }
}

const randomUnstructuredArguments = signature('RandomUnstructured(any amount)');

/** Prunes single weights at random: as many of those left as asked for. */
export class RandomUnstructured extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'unstructured';
  readonly amount: number;

  /**
   * @param args amount: a whole number, or a share between 0 and 1.
   * @throws RuntimeError for an amount out of range, TypeError for what is no number.
   */
  constructor(...args: [amount: number] | [options: { amount: number }]) {
    super();
    [this.amount] = bind(randomUnstructuredArguments, args) as [number];
    checkAmount(this.amount);
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    const count = countOf(this.amount, t.numel());
    if (count === 0) return defaultMask.clone();
    return without(defaultMask, randLike(t).reshape(-1).topk(count).indices);
  }

  static override apply(module: Module, name: string, amount: number): BasePruningMethod {
    return super.apply(module, name, amount);
  }
}

const l1UnstructuredArguments = signature('L1Unstructured(any amount)');

/** Prunes the single weights that are smallest in magnitude (or importance), as many of those left as asked for. */
export class L1Unstructured extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'unstructured';
  readonly amount: number;

  /**
   * @param args amount: a whole number, or a share between 0 and 1.
   * @throws RuntimeError for an amount out of range, TypeError for what is no number.
   */
  constructor(...args: [amount: number] | [options: { amount: number }]) {
    super();
    [this.amount] = bind(l1UnstructuredArguments, args) as [number];
    checkAmount(this.amount);
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    const count = countOf(this.amount, t.numel());
    if (count === 0) return defaultMask.clone();
    return without(defaultMask, t.abs().reshape(-1).topk(count, { largest: false }).indices);
  }

  static override apply(
    module: Module,
    name: string,
    amount: number,
    importanceScores: Tensor | null | { importanceScores?: Tensor | null } = null,
  ): BasePruningMethod {
    return super.apply(module, name, amount, scoresOf(importanceScores));
  }
}

const randomStructuredArguments = signature('RandomStructured(any amount, int dim=-1)');

/**
 * Prunes whole slices along a dimension at random, as many of those left as asked for. Only for more than one dimension.
 */
export class RandomStructured extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'structured';
  readonly amount: number;
  readonly dim: number;

  /**
   * @param args amount: a whole number of slices, or a share between 0 and 1; dim (default -1): their dimension.
   * @throws RuntimeError for an amount out of range, TypeError for what is no number.
   */
  constructor(
    ...args:
      | [amount: number, dim?: number]
      | [amount: number, options: { dim?: number }]
      | [options: { amount: number; dim?: number }]
  ) {
    super();
    [this.amount, this.dim] = bind(randomStructuredArguments, args) as [number, number];
    checkAmount(this.amount);
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    checkStructured(t, this.dim);
    const dim = wrapDim(this.dim, t.ndim);
    const slices = t.shape[dim]!;
    const count = countOf(this.amount, slices);
    if (count === 0) return defaultMask;
    const drawn = rand(slices, { device: t.device });
    const kept = drawn.gt(drawn.kthvalue(count).values);
    const shape = t.shape.map((n, d) => (d === dim ? n : 1));
    return kept.to(t.dtype).reshape(shape).mul(defaultMask.to(t.dtype));
  }

  static override apply(module: Module, name: string, amount: number, dim = -1): BasePruningMethod {
    return super.apply(module, name, amount, dim);
  }
}

const lnStructuredArguments = signature('LnStructured(any amount, any n, int dim=-1)');

/**
 * Prunes the whole slices along a dimension that have the smallest norms, as many of those left as asked for. Only for more than
 * one dimension.
 */
export class LnStructured extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'structured';
  readonly amount: number;
  readonly n: NormOrder;
  readonly dim: number;

  /**
   * @param args amount: a whole number of slices, or a share between 0 and 1; n: the norm's order; dim
   *   (default -1): their dimension.
   * @throws RuntimeError for an amount out of range, TypeError for what is no number.
   */
  constructor(
    ...args:
      | [amount: number, n: NormOrder, dim?: number]
      | [amount: number, n: NormOrder, options: { dim?: number }]
      | [options: { amount: number; n: NormOrder; dim?: number }]
  ) {
    super();
    [this.amount, this.n, this.dim] = bind(lnStructuredArguments, args) as [number, NormOrder, number];
    checkAmount(this.amount);
  }

  override computeMask(t: Tensor, defaultMask: Tensor): Tensor {
    checkStructured(t, this.dim);
    const dim = wrapDim(this.dim, t.ndim);
    const slices = t.shape[dim]!;
    const count = countOf(this.amount, slices);
    if (count === 0) return defaultMask;
    const others = Array.from({ length: t.ndim }, (_, d) => d).filter((d) => d !== dim);
    const kept = norm(t, this.n, others).topk(slices - count).indices;
    return zerosLike(t).indexFill(dim, kept, 1).mul(defaultMask.to(t.dtype));
  }

  static override apply(
    module: Module,
    name: string,
    amount: number,
    n: NormOrder,
    dim: number,
    importanceScores: Tensor | null | { importanceScores?: Tensor | null } = null,
  ): BasePruningMethod {
    return super.apply(module, name, amount, n, dim, scoresOf(importanceScores));
  }
}

const customFromMaskArguments = signature('CustomFromMask(any mask)');

/** Prunes by a given mask, on top of what is pruned already. */
export class CustomFromMask extends BasePruningMethod {
  static override PRUNING_TYPE: PruningType = 'global';
  readonly mask: Tensor;

  /** @param args mask: ones and zeros, with the tensor's shape. */
  constructor(...args: [mask: Tensor] | [options: { mask: Tensor }]) {
    super();
    [this.mask] = bind(customFromMaskArguments, args) as [Tensor];
  }

  override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
    if (String(defaultMask.shape) !== String(this.mask.shape)) {
      throw new RuntimeError(
        `default_mask shape ${pySize(defaultMask.shape)} must match self.mask shape ${pySize(this.mask.shape)}`,
      );
    }
    return defaultMask.mul(this.mask.to(defaultMask.dtype));
  }

  static override apply(module: Module, name: string, mask: Tensor): BasePruningMethod {
    return super.apply(module, name, mask);
  }
}
