// The parametrizations of one tensor, and the cache of what they compute.
import { ModeGuard, noGrad } from '../../autograd/mode.js';
import { kindOf, RuntimeError } from '../../core/errors.js';
import { restoring } from '../../core/restoring.js';
import { Parameter } from '../../tensor/parameter.js';
import { Tensor } from '../../tensor/tensor.js';
import { ModuleList } from '../containers/module_list.js';
import type { Module } from '../module.js';
import { pySize } from '../printing.js';
import { attribute, tensorAttribute } from './named_tensor.js';

/** What a parametrization throws whose `rightInverse` exists but does not apply: registering goes on without it. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

/** One tensor, or the several that a parametrization computes its tensor from. */
type Originals = Tensor | readonly Tensor[];

/** A module that computes a tensor; `rightInverse`, if it has one, gives what it is computed from. */
export interface Parametrization extends Module {
  rightInverse?(value: Tensor): Originals;
}

/** The module's `rightInverse`, or null. */
export function inverseOf(module: Module): ((value: Tensor) => unknown) | null {
  const { rightInverse } = module as Parametrization;
  return typeof rightInverse === 'function' ? (value) => rightInverse.call(module, value) : null;
}

/** Registers a tensor as what it is: a parameter or a buffer. */
export function registerTensor(module: Module, name: string, value: Tensor): void {
  if (value instanceof Parameter) module.registerParameter(name, value);
  else module.registerBuffer(name, value);
}

// ---- Caching

let cacheDepth = 0;
/** Parametrized tensors by the list that computes them. */
const cache = new Map<ParametrizationList, Tensor>();

/**
 * Computes every parametrized tensor once only while it holds, for models that read one several times in a forward.
 * @param fn what to run so (default: nothing); without it, caching holds until the returned guard is disposed:
 *   `using _ = cached()`.
 * @returns what `fn` returns. A promise keeps the cache until it settles.
 * @throws TypeError unless `fn` is a function.
 */
export function cached(): ModeGuard;
export function cached<T>(fn: () => T): T;
export function cached<T>(fn?: () => T): T | ModeGuard {
  if (fn !== undefined && typeof fn !== 'function') {
    throw new TypeError(`cached(): argument 'fn' must be a function, not ${kindOf(fn)}`);
  }
  cacheDepth++;
  const restore = (): void => {
    if (--cacheDepth === 0) cache.clear();
  };
  if (fn === undefined) return new ModeGuard(restore);
  return restoring(fn, restore);
}

/** The parametrized tensor, from the cache while there is one. */
export function compute(list: ParametrizationList): Tensor {
  if (cacheDepth === 0) return list();
  let value = cache.get(list);
  if (value === undefined) {
    value = list();
    cache.set(list, value);
  }
  return value;
}

// ---- The list

/**
 * The parametrizations of one tensor, in the order in which they are applied, and what the first of them takes: `original`,
 * or `original0`, `original1` ... when its `rightInverse` gives several tensors.
 */
export class ParametrizationList extends ModuleList {
  /** The tensor that the first parametrization takes, if it takes one. */
  declare original: Tensor;
  /** Whether there is one original, not several. */
  declare isTensor: boolean;
  /** How many originals there are. */
  declare ntensors: number;
  /** Whether the result may have another shape or type. */
  declare unsafe: boolean;

  /**
   * @param modules the parametrizations, at least one.
   * @param original the tensor before; it keeps its identity where it stays a single one.
   * @param unsafe whether the result is left unchecked; default false. Also as `{ unsafe }`.
   * @throws RuntimeError if there is no module, or if a module changes the shape or the type.
   */
  constructor(modules: readonly Module[], original: Tensor, unsafe: boolean | { unsafe?: boolean } = false) {
    if (modules.length === 0) throw new RuntimeError('ParametrizationList requires one or more modules.');
    super(modules);
    this.unsafe = typeof unsafe === 'boolean' ? unsafe : (unsafe.unsafe ?? false);
    const { shape, dtype } = original;
    const found = noGrad(() => this._invertAll(original));
    if (!(found instanceof Tensor) && !Array.isArray(found)) {
      throw new RuntimeError(
        `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got ${kindOf(found)}`,
      );
    }
    this.isTensor = found instanceof Tensor;
    this.ntensors = found instanceof Tensor ? 1 : found.length;
    if (found instanceof Tensor) this._keepOriginal(original, found);
    else this._keepOriginals(original, found as unknown[]);
    if (this.unsafe) return;
    const result: unknown = (this as unknown as () => unknown)();
    if (!(result instanceof Tensor)) {
      throw new RuntimeError(`A parametrization must return a tensor. Got ${kindOf(result)}.`);
    }
    const refuse = (what: string, before: string, after: string): never => {
      throw new RuntimeError(
        `Registering a parametrization may not change the ${what} of the tensor, unless \`unsafe\` flag is enabled.\n` +
          `unparametrized ${what}: ${before}\nparametrized ${what}: ${after}`,
      );
    };
    if (result.dtype !== dtype) refuse('dtype', String(dtype), String(result.dtype));
    if (result.ndim !== shape.length || result.shape.some((n, d) => n !== shape[d])) {
      refuse('shape', pySize(shape), pySize(result.shape));
    }
  }

  /** @internal The originals that give `value`; parametrizations without a `rightInverse` are passed over. */
  _invertAll(value: Tensor): unknown {
    let found: unknown = value;
    for (const module of [...this].reverse()) {
      try {
        found = inverseOf(module)?.(found as Tensor) ?? found;
      } catch (error) {
        if (!(error instanceof NotImplementedError)) throw error;
      }
    }
    return found;
  }

  /** @internal */
  _keepOriginal(original: Tensor, found: Tensor): void {
    const refuse = (what: string, before: string, after: string): never => {
      throw new RuntimeError(
        `When \`right_inverse\` outputs one tensor, it may not change the ${what}.\noriginal.${what}: ${before}\n` +
          `right_inverse(original).${what}: ${after}`,
      );
    };
    if (original.dtype !== found.dtype) refuse('dtype', String(original.dtype), String(found.dtype));
    if (String(original.device) !== String(found.device)) {
      refuse('device', String(original.device), String(found.device));
    }
    // The object stays, so that an optimizer made before goes on with it.
    noGrad(() => original.set_(found));
    registerTensor(this, 'original', original);
  }

  /** @internal */
  _keepOriginals(original: Tensor, found: readonly unknown[]): void {
    found.forEach((value, i) => {
      if (!(value instanceof Tensor)) {
        throw new RuntimeError(
          "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element " +
            `${i} of the sequence with type ${kindOf(value)}.`,
        );
      }
      const own = original instanceof Parameter ? new Parameter(value, original.requiresGrad) : value;
      own.requiresGrad_(original.requiresGrad);
      registerTensor(this, `original${i}`, own);
    });
  }

  /**
   * Sets the originals so that the parametrized tensor becomes `value`.
   * @throws RuntimeError for a parametrization without `rightInverse`, or one that gives other types or numbers of tensors.
   */
  rightInverse(value: Tensor): void {
    noGrad(() => {
      let found: unknown = value;
      for (const module of [...this].reverse()) {
        const inverse = inverseOf(module);
        if (inverse === null) {
          throw new RuntimeError(`parametrization ${module._getName()} does not implement right_inverse.`);
        }
        found = inverse(found as Tensor);
      }
      if (this.isTensor) this._takeOne(found);
      else this._takeSeveral(found);
    });
  }

  /** @internal */
  _takeOne(found: unknown): void {
    if (!(found instanceof Tensor)) {
      throw new RuntimeError(`\`right_inverse\` should return a tensor. Got ${kindOf(found)}`);
    }
    if (found.dtype !== this.original.dtype) {
      throw new RuntimeError(
        `The tensor returned by \`right_inverse\` has dtype ${found.dtype} while \`original\` has dtype ${this.original.dtype}`,
      );
    }
    this.original.set_(found);
  }

  /** @internal */
  _takeSeveral(found: unknown): void {
    if (!Array.isArray(found)) {
      throw new RuntimeError(`'right_inverse' must return a sequence of tensors. Got ${kindOf(found)}.`);
    }
    if (found.length !== this.ntensors) {
      throw new RuntimeError(
        `'right_inverse' must return a sequence of tensors of length ${this.ntensors}. Got a sequence of length ${found.length}.`,
      );
    }
    const values: unknown[] = found;
    // All are looked at before the first is taken: an error leaves the originals as they were.
    values.forEach((t, i) => {
      if (!(t instanceof Tensor)) {
        throw new RuntimeError(
          "'right_inverse' must return a sequence of tensors or reference-type opaques. Got element " +
            `${i} of type ${kindOf(t)}.`,
        );
      }
      const { dtype } = tensorAttribute(this, `original${i}`);
      if (t.dtype === dtype) return;
      throw new RuntimeError(
        `Tensor ${i} returned by \`right_inverse\` has dtype ${t.dtype} while \`original${i}\` has dtype ${dtype}`,
      );
    });
    values.forEach((t, i) => {
      tensorAttribute(this, `original${i}`).set_(t as Tensor);
    });
  }

  /** The parametrized tensor. */
  override forward(): Tensor {
    const [first, ...rest] = this;
    const originals = this.isTensor
      ? [this.original]
      : Array.from({ length: this.ntensors }, (_, i) => attribute(this, `original${i}`));
    return rest.reduce<Tensor>((x, module) => module(x) as Tensor, first!(...originals) as Tensor);
  }
}

/** Drops what the cache holds of a list that is no longer used. */
export function forget(list: ParametrizationList): void {
  cache.delete(list);
}
