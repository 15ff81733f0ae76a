// The tensor that a module registers by itself.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from './tensor.js';

/** Makes a tensor object of class `Class` on the memory of `source`; installed by lib/ops, which has `alias`. */
let alias: (source: Tensor) => Tensor;

/** @internal */
export function installAlias(fn: (source: Tensor) => Tensor): void {
  alias = fn;
}

/** @internal Turns a fresh alias of `source` into an object of another tensor class. */
export function aliasAs<T extends Tensor>(source: Tensor, prototype: T): T {
  const t = alias(source);
  return Object.setPrototypeOf(t, prototype) as T;
}

/** A tensor that becomes a parameter of the module it is assigned to: a leaf on the memory of another tensor. */
export class Parameter extends Tensor {
  /**
   * @param data the values, of any shape; their memory is shared, their history is not
   * @param requiresGrad whether backward computes a gradient for it (default true). Also as `{ requiresGrad }`
   * @throws TypeError unless `data` is a tensor
   * @throws RuntimeError if it is to require a gradient and is neither floating-point nor complex
   */
  constructor(data: Tensor, requiresGrad: boolean | { requiresGrad?: boolean } = true) {
    if (!(data instanceof Tensor))
      throw new TypeError(`Parameter(): argument 'data' must be a Tensor, not ${typeof data}`);
    super(0);
    const wanted = typeof requiresGrad === 'boolean' ? requiresGrad : (requiresGrad.requiresGrad ?? true);
    if (wanted && !data.dtype.isFloatingPoint && !data.dtype.isComplex) {
      throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
    }
    const t = aliasAs(data, new.target.prototype as Parameter);
    (t as unknown as { requiresGrad_(flag: boolean): unknown }).requiresGrad_(wanted);
    // biome-ignore lint/correctness/noConstructorReturn: the object is an alias that native code made
    return t;
  }
}
