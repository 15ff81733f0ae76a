// Questions about one tensor, and names of `torch` for what tensors do by themselves.
import { DType } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor, type TypedArray } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { cast } from './internal/cast.js';
import { dtypeOfTensorType, tensorTypeName } from './internal/type_names.js';
import type { TensorOrScalar } from './signature.js';
import { vectorNormOf } from './internal/vector_norm.js';

/**
 * Whether the one element of a tensor is not zero.
 * @throws RuntimeError unless there is exactly one
 */
export const isNonzero = op('isNonzero(Tensor input)', (input: Tensor): boolean => {
  const n = input.numel();
  if (n !== 1)
    throw new RuntimeError(
      `Boolean value of Tensor with ${n === 0 ? 'no values' : 'more than one value'} is ambiguous`,
    );
  return input.ne(0).item() as boolean;
});
/** Whether the type has negative numbers: all but uint8 and bool. */
export const isSigned = fnOp('isSigned(Tensor input)', (input: Tensor): boolean => input.dtype.isSigned);
/** The tensor as a dense one: itself, since all tensors are. */
export const toDense = methodOp('toDense(Tensor input)', (input: Tensor): Tensor => input);
/**
 * The elements as a typed array (a copy), as `toTypedArray` gives them.
 * @param input a tensor
 * @param force whether to leave history out of account instead of refusing it (default false)
 * @returns the elements in row-major order
 * @throws RuntimeError for a tensor that requires a gradient; TypeError for one of the meta device
 */
export const numpy = methodOp('numpy(Tensor input, bool force=False)', (input: Tensor, force: boolean): TypedArray => {
  if (input.requiresGrad && !force) {
    throw new RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  }
  if (input.isMeta) {
    throw new TypeError(
      "can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
    );
  }
  return input.detach().toTypedArray();
});
/**
 * Refuses, as there is no such device here.
 * @param input a tensor
 * @param device any (default null)
 * @returns never
 * @throws RuntimeError always: tensors of this build live on the CPU
 */
export const cuda = methodOp('cuda(Tensor input, any device=None)', (_input: Tensor): Tensor => {
  throw new RuntimeError("device 'cuda' is not available in this build; tensors live on the CPU");
});

/** The same elements without history: a view that requires no gradient. */
export const detach = fnOp('detach(Tensor input)', (input: Tensor): Tensor => input.detach());
/** Cuts the tensor off from its history, in place. Returns the tensor itself. */
export const detach_ = fnOp('detach_(Tensor input)', (input: Tensor): Tensor => input.detach_());
/**
 * A tensor of the same sizes and type with one value.
 * @param input gives sizes and type
 * @param value a number, or a 0-d tensor, which gets the summed gradient
 * @returns input's shape and type
 * @throws RuntimeError if `value` has dimensions, or the number does not fit the type
 */
export const fill = fnOp(
  'fill(Tensor input, Tensor|Scalar value)',
  (input: Tensor, value: TensorOrScalar): Tensor => input.clone().fill_(value),
);
/**
 * The square root of the sum of squares of magnitudes along dimensions.
 * @param input floating point or complex
 * @param dim the dimensions; an empty list means all
 * @param keepdim whether to keep them at size one (default false)
 * @returns input's shape without `dim`, real
 * @throws RuntimeError for integers and bools; RangeError if a dimension is out of range
 */
export const frobeniusNorm = fnOp(
  'frobeniusNorm(Tensor input, int[] dim, bool keepdim=False)',
  (input: Tensor, dim: readonly number[], keepdim: boolean): Tensor => vectorNormOf(input, 2, dim, keepdim, null),
);

Object.defineProperties(Tensor.prototype, {
  type: {
    configurable: true,
    writable: true,
    value(this: Tensor, dtype?: DType | string | null): Tensor | string {
      if (dtype === undefined || dtype === null) return tensorTypeName(this.dtype, this.device.type);
      if (typeof dtype === 'string') return cast(this, dtypeOfTensorType(dtype));
      if (!(dtype instanceof DType))
        throw new TypeError(`type(): argument 'dtype' must be a torch.dtype or a string, not ${kindOf(dtype)}`);
      return cast(this, dtype);
    },
  },
  isCpu: {
    configurable: true,
    get(this: Tensor) {
      return !this.isMeta;
    },
  },
  isCuda: { configurable: true, get: () => false },
});
declare module '../tensor/tensor.js' {
  interface Tensor {
    /** Whether the elements are in the memory of the CPU. */
    readonly isCpu: boolean;
    /** Whether the elements are on a GPU: never, in this build. */
    readonly isCuda: boolean;
    /** PyTorch's older name of the tensor's type: `'torch.FloatTensor'`. */
    type(): string;
    /**
     * The tensor in another type; itself if it has that already.
     * @param dtype the type, or its older name
     * @param nonBlocking has no effect (default false)
     * @throws RuntimeError for a name that PyTorch does not have for tensors on the CPU; TypeError for what is no type
     */
    type(dtype: DType | string, nonBlocking?: boolean): Tensor;
  }
}
