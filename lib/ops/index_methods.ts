// Methods with several forms, whose types no single signature gives.
import type { ValuesIndices } from './results.js';
import type { TensorOrScalar } from './signature.js';
import { Tensor } from '../tensor/tensor.js';

/** What more `unique` and `uniqueConsecutive` give, and of what. */
export interface UniqueOptions {
  /** Also which of the unique elements each element is. */
  returnInverse?: boolean;
  /** Also how often each occurs. */
  returnCounts?: boolean;
  /** Slices along this dimension instead of elements. */
  dim?: number | null;
}
/** The unique elements alone, or a list with the inverse and the counts that were asked for. */
export type Unique<O> = O extends { returnInverse: true } | { returnCounts: true } ? Tensor[] : Tensor;

/**
 * Makes a function with overloads a method of Tensor as well.
 * @param call takes the tensor as its first argument.
 */
export function overloadedMethod(name: string, call: (...args: never[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, {
    value: function (this: Tensor, ...rest: unknown[]): unknown {
      return (call as (...args: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** The elements where the condition holds, those of `other` elsewhere. */
    where(condition: Tensor, other: TensorOrScalar): Tensor;
    /** The places of the elements that are not zero: [count, ndim]. */
    nonzero(asTuple?: false | { asTuple?: false }): Tensor;
    /** The places of the elements that are not zero: a tensor of positions for each dimension. */
    nonzero(asTuple: true | { asTuple: true }): Tensor[];
    /** The lower of the two middle elements. */
    median(): Tensor;
    /** The lower of the two middle elements along a dimension, and where it is. */
    median(dim: number, keepdim?: boolean | { keepdim?: boolean }): ValuesIndices;
    median(options: { dim: number; keepdim?: boolean }): ValuesIndices;
    /** As `median`, of the elements that are not NaN. */
    nanmedian(): Tensor;
    nanmedian(dim: number, keepdim?: boolean | { keepdim?: boolean }): ValuesIndices;
    nanmedian(options: { dim: number; keepdim?: boolean }): ValuesIndices;
    /** The different elements in ascending order, or the different slices along `dim`. */
    unique<const O extends UniqueOptions & { sorted?: boolean } = object>(options?: O): Unique<O>;
    unique(sorted: boolean, returnInverse?: boolean, returnCounts?: boolean, dim?: number | null): Tensor | Tensor[];
    /** Elements (or slices) without those that equal their predecessor. */
    uniqueConsecutive<const O extends UniqueOptions = object>(options?: O): Unique<O>;
    uniqueConsecutive(returnInverse: boolean, returnCounts?: boolean, dim?: number | null): Tensor | Tensor[];
  }
}
