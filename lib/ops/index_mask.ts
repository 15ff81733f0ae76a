// Selecting, filling and replacing by masks, and finding what is not zero.
import { needsGrad, record } from '../autograd/graph.js';
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invoke1, invokeVoid } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { fnOp, methodOp, op } from './define.js';
import { change } from './index_change.js';
import { overloadedMethod } from './index_methods.js';
import { cat } from './join.js';
import { commonShape } from './join_util.js';
import { unbind } from './join_split.js';
import { sum } from './reduce.js';
import type { TensorOrScalar } from './signature.js';
import { expand } from './view.js';
import { select3 } from './internal/select.js';

const MASKED_SELECT = nativeOp('masked_select');
const MASKED_FILL_ = nativeOp('masked_fill_');
const MASKED_SCATTER_ = nativeOp('masked_scatter_');
const NONZERO = nativeOp('nonzero');
const ZEROS = nativeOp('zeros');

/**
 * The elements where the mask is true, in row-major order; input and mask are broadcast together.
 * @param input any shape
 * @param mask bool
 * @returns [count], a copy
 * @throws RuntimeError if the mask is not of bool or the shapes do not broadcast
 */
export const maskedSelect = op('maskedSelect(Tensor input, Tensor mask)', (input: Tensor, mask: Tensor): Tensor => {
  const y = invoke(MASKED_SELECT, input, mask);
  if (needsGrad(input)) {
    const shape = commonShape([input.shape, mask.shape]);
    record('MaskedSelectBackward0', y, [input], [mask], (g, [m]) => [
      maskedScatter(invoke(ZEROS, shape, g.dtype, g), m, g),
    ]);
  }
  return y;
});

function fillMasked(self: Tensor, inPlace: boolean, mask: Tensor, value: TensorOrScalar): Tensor {
  const t = value instanceof Tensor ? value : null;
  if (t !== null && t.ndim !== 0) {
    throw new RuntimeError(
      `masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ${t.ndim} dimension(s).`,
    );
  }
  if (t?.dtype.isComplex && !self.dtype.isComplex)
    throw new RuntimeError(`value cannot be converted to type ${self.dtype.name} without overflow`);
  return change(
    'MaskedFillBackward0',
    self,
    inPlace,
    [t],
    [mask],
    (target) => invokeVoid(MASKED_FILL_, target, mask, value),
    (g, [m], needs) => [
      needs[0] ? maskedFill(g, m, 0) : null,
      needs[1] ? sum.impl(select3(m, g, 0), null, false, null) : null,
    ],
  );
}
/**
 * One value where the mask is true.
 * @param self what is written to
 * @param mask bool, broadcast to self's shape
 * @param value a number, converted to self's type, or a 0-d tensor
 * @returns self
 * @throws RuntimeError if the mask is not of bool or does not broadcast, or the value has dimensions
 */
export const maskedFill_ = methodOp(
  'maskedFill_(Tensor self, Tensor mask, Tensor|Scalar value)',
  (self: Tensor, mask: Tensor, value: TensorOrScalar): Tensor => fillMasked(self, true, mask, value),
);
/**
 * As `maskedFill_`, on a copy; tensor and mask are broadcast together.
 * @param input what is copied
 * @param mask bool
 * @param value a number, converted to input's type, or a 0-d tensor
 * @returns the broadcast shape, input's type
 * @throws RuntimeError if the mask is not of bool or does not broadcast, or the value has dimensions
 */
export const maskedFill = op(
  'maskedFill(Tensor input, Tensor mask, Tensor|Scalar value)',
  (input: Tensor, mask: Tensor, value: TensorOrScalar): Tensor => fillMasked(over(input, mask), false, mask, value),
);
/** A tensor expanded so that the mask broadcasts to it. */
function over(input: Tensor, mask: Tensor): Tensor {
  const shape = commonShape([input.shape, mask.shape]);
  return shape.length === input.ndim && shape.every((n, d) => n === input.shape[d]) ? input : expand.impl(input, shape);
}

function scatterMasked(self: Tensor, inPlace: boolean, mask: Tensor, source: Tensor): Tensor {
  const shape = source.shape;
  return change(
    'MaskedScatterBackward0',
    self,
    inPlace,
    [source],
    [mask],
    (target) => invokeVoid(MASKED_SCATTER_, target, mask, source),
    (g, [m], needs) => [needs[0] ? maskedFill(g, m, 0) : null, needs[1] ? sourceGradient(g, m, shape) : null],
  );
}
/** The gradient of a source of which only the first elements were taken. */
function sourceGradient(whole: Tensor, mask: Tensor, shape: readonly number[]): Tensor {
  if (whole.isMeta) return whole.newEmpty(shape);
  const g = maskedSelect(whole, mask);
  const missing = shape.reduce((a, b) => a * b, 1) - g.numel();
  return (missing === 0 ? g : cat([g, g.newZeros([missing])])).reshape(shape);
}
/**
 * The elements of `source` in order where the mask is true.
 * @param self what is written to
 * @param mask bool, broadcast to self's shape
 * @param source at least as many elements as the mask has true ones, of self's type
 * @returns self
 * @throws RuntimeError if there are too few elements, or types or shapes do not fit
 */
export const maskedScatter_ = methodOp(
  'maskedScatter_(Tensor self, Tensor mask, Tensor source)',
  (self: Tensor, mask: Tensor, source: Tensor): Tensor => scatterMasked(self, true, mask, source),
);
/**
 * As `maskedScatter_`, on a copy; tensor and mask are broadcast together.
 * @param input what is copied
 * @param mask bool
 * @param source at least as many elements as the mask has true ones, of input's type
 * @returns the broadcast shape, input's type
 * @throws RuntimeError if there are too few elements, or types or shapes do not fit
 */
export const maskedScatter = op(
  'maskedScatter(Tensor input, Tensor mask, Tensor source)',
  (input: Tensor, mask: Tensor, source: Tensor): Tensor => scatterMasked(over(input, mask), false, mask, source),
);

function nonzeroTuple(input: Tensor): Tensor[] {
  const x = input.ndim === 0 ? input.reshape(1) : input;
  return unbind(invoke1(NONZERO, x), 1);
}
const NONZERO_ROW = op(
  'nonzero(Tensor input, bool asTuple=False)',
  (input: Tensor, asTuple: boolean): Tensor | Tensor[] => (asTuple ? nonzeroTuple(input) : invoke1(NONZERO, input)),
);
function nonzeroOf(input: Tensor): Tensor;
function nonzeroOf(input: Tensor, asTuple: false | { asTuple?: false }): Tensor;
function nonzeroOf(input: Tensor, asTuple: true | { asTuple: true }): Tensor[];
function nonzeroOf(...args: Parameters<typeof NONZERO_ROW>): Tensor | Tensor[] {
  return NONZERO_ROW(...args);
}
/**
 * The places of the elements that are not zero, in row-major order.
 * @param input any shape
 * @param asTuple whether to give a vector of positions for each dimension instead (default false)
 * @returns [count, ndim] of int64, or an array of ndim tensors [count], one for a 0-d tensor
 */
export const nonzero = Object.assign(nonzeroOf, { home: 'function' as const });
overloadedMethod('nonzero', nonzero);
/** The places of the elements that are not zero, in row-major order: [count, ndim] of int64. */
export const argwhere = op('argwhere(Tensor input)', (input: Tensor): Tensor => invoke1(NONZERO, input));
/**
 * The first `size` rows of `nonzero`, with rows of `fillValue` for those that are missing.
 * @param input any shape
 * @param size how many rows
 * @param fillValue what missing rows hold (default -1)
 * @returns [size, ndim] of int64
 * @throws RuntimeError if `size` is negative
 */
export const nonzeroStatic = op(
  'nonzeroStatic(Tensor input, int size, int fillValue=-1)',
  (input: Tensor, size: number, fillValue: number): Tensor => {
    if (size < 0) throw new RuntimeError("nonzero_static: 'size' must be an non-negative integer");
    if (input.isMeta) return input.newEmpty([size, input.ndim], { dtype: int64 });
    const found = invoke1(NONZERO, input);
    const n = Math.min(size, found.shape[0]!);
    const out = found.newFull([size, input.ndim], fillValue);
    out.narrow(0, 0, n).copy_(found.narrow(0, 0, n));
    return out;
  },
);

function choose(condition: Tensor): Tensor[];
function choose(condition: Tensor, input: TensorOrScalar, other: TensorOrScalar): Tensor;
function choose(condition: Tensor, input?: TensorOrScalar, other?: TensorOrScalar): Tensor | Tensor[] {
  if (input === undefined && other === undefined) return nonzeroTuple(WHERE_ONE(condition));
  return WHERE(condition, input as TensorOrScalar, other as TensorOrScalar);
}
const WHERE_ONE = fnOp('where(Tensor condition)', (condition: Tensor): Tensor => condition);
const WHERE = fnOp(
  'where(Tensor condition, Tensor|Scalar input, Tensor|Scalar other)',
  (condition: Tensor, input: TensorOrScalar, other: TensorOrScalar): Tensor => select3(condition, input, other),
);
/**
 * `input` where the condition holds, `other` elsewhere; all are broadcast together.
 * With the condition alone, the places where it holds.
 * @param condition bool; alone, any tensor that is read as not zero
 * @param input a tensor or a number
 * @param other a tensor or a number
 * @returns the broadcast shape in the promoted type; for the condition alone an array of vectors of int64, one per dimension
 * @throws RuntimeError if the condition is not of bool or the shapes do not broadcast
 */
export const where = Object.assign(choose, { home: 'function' as const });

// As a method, the tensor is what is chosen where the condition holds.
const WHERE_METHOD = methodOp(
  'where(Tensor input, Tensor condition, Tensor|Scalar other)',
  (input: Tensor, condition: Tensor, other: TensorOrScalar): Tensor => select3(condition, input, other),
);
overloadedMethod('where', WHERE_METHOD);
