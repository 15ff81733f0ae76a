// Arithmetic of three operands: products and quotients added to a tensor, and interpolation.
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { needsGrad, record } from '../autograd/graph.js';
import { checkInPlace, operand, recordInPlace } from '../autograd/view.js';
import { add, div, mul, sub } from './arithmetic.js';
import { resultType } from './convert.js';
import { op } from './define.js';
import { withInPlace } from './rows.js';
import type { TensorOrScalar } from './signature.js';
import { conj, neg } from './unary.js';
import { realFactor } from './internal/factors.js';
import { cppName } from './internal/type_names.js';

const ADDCMUL = nativeOp('addcmul');
const ADDCMUL_ = nativeOp('addcmul_');
const ADDCDIV = nativeOp('addcdiv');
const ADDCDIV_ = nativeOp('addcdiv_');
const LERP = nativeOp('lerp');
const LERP_ = nativeOp('lerp_');

type Ternary = (g: Tensor, s: readonly (Tensor | null)[], needs: readonly boolean[]) => (Tensor | null)[];
function ternary(
  id: number,
  node: string,
  a: Tensor,
  b: Tensor,
  c: TensorOrScalar,
  tail: Scalar[],
  saved: (Tensor | null)[],
  backward: Ternary,
): Tensor {
  const y = invoke(id, a, b, c, ...tail);
  const third = c instanceof Tensor ? c : null;
  if (needsGrad(a, b, third)) record(node, y, [a, b, third], saved, backward);
  return y;
}
function ternary_(
  id: number,
  node: string,
  a: Tensor,
  b: Tensor,
  c: TensorOrScalar,
  tail: Scalar[],
  saved: (b: Tensor, c: Tensor | null) => (Tensor | null)[],
  backward: Ternary,
): Tensor {
  const third = c instanceof Tensor ? c : null;
  const recorded = needsGrad(a, b, third);
  checkInPlace(a, recorded);
  const second = recorded ? operand(b, a) : b;
  const last = recorded && third !== null ? operand(third, a) : third;
  invokeVoid(id, a, b, c, ...tail);
  if (recorded) recordInPlace(node, a, [a, second, last], saved(second, last), backward);
  return a;
}

/** input + value * combine(tensor1, tensor2). Kernels take real factors alone: complex ones go through the parts. */
function sumOp(
  name: string,
  [id, inPlaceId]: readonly [number, number],
  combine: (tensor1: Tensor, tensor2: Tensor) => Tensor,
  slopes: (g: Tensor, b: Tensor, c: Tensor, needs: readonly boolean[]) => (Tensor | null)[],
) {
  const node = `${name[0]!.toUpperCase()}${name.slice(1)}Backward0`;
  const backward =
    (value: Scalar): Ternary =>
    (g, [b, c], needs) => [g, ...(needs[1] || needs[2] ? slopes(mul(g, value), b!, c!, needs) : [null, null])];
  const term = (input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar): Tensor => {
    const combined = combine(tensor1, tensor2);
    return mul(combined, realFactor(value, resultType(input, combined)));
  };
  const text = `${name}(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value=1)`;
  return withInPlace(
    op(
      text as 'sum(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value=1)',
      (input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar): Tensor =>
        typeof value === 'object'
          ? add(input, term(input, tensor1, tensor2, value))
          : ternary(id, node, input, tensor1, tensor2, [value], [tensor1, tensor2], backward(value)),
    ),
    (self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar): Tensor =>
      typeof value === 'object'
        ? self.add_(term(self, tensor1, tensor2, value))
        : ternary_(inPlaceId, node, self, tensor1, tensor2, [value], (b, c) => [b, c], backward(value)),
  );
}

/**
 * input + value * tensor1 * tensor2, elementwise; all three broadcast.
 * @param value the factor of the product (default 1)
 * @returns the broadcast shape in the promoted type
 */
export const addcmul = sumOp('addcmul', [ADDCMUL, ADDCMUL_], mul, (g, b, c, needs) => [
  needs[1] ? mul(g, conj(c)) : null,
  needs[2] ? mul(g, conj(b)) : null,
]);
/**
 * input + value * tensor1 / tensor2, elementwise; arguments as for `addcmul`.
 * @throws RuntimeError for integers: divide first, with the rounding that is meant
 */
export const addcdiv = sumOp('addcdiv', [ADDCDIV, ADDCDIV_], div, (g, b, c, needs) => [
  needs[1] ? div(g, conj(c)) : null,
  needs[2] ? neg(div(mul(g, conj(b)), conj(mul(c, c)))) : null,
]);
function checkLerp(input: Tensor, end: Tensor, weight: TensorOrScalar): void {
  const type = cppName(input.dtype);
  const differs = (name: string, other: Tensor): never => {
    throw new RuntimeError(`expected dtype ${type} for \`${name}\` but got dtype ${cppName(other.dtype)}`);
  };
  if (end.dtype !== input.dtype) differs('end', end);
  if (!(weight instanceof Tensor)) realFactor(weight, input.dtype);
  else if (weight.ndim > 0 && weight.dtype !== input.dtype) differs('weight', weight);
  if (!input.dtype.isFloatingPoint && !input.dtype.isComplex) {
    throw new RuntimeError(`"lerp_kernel_scalar" not implemented for '${input.dtype.scalarName}'`);
  }
}
const lerpBackward =
  (weight: TensorOrScalar): Ternary =>
  (g, [a, b, w], needs) => [
    needs[0] ? mul(g, w ? conj(sub(1, w)) : 1 - Number(weight)) : null,
    needs[1] ? mul(g, w ? conj(w) : Number(weight)) : null,
    needs[2] ? mul(g, conj(sub(b!, a!))) : null,
  ];
const lerpSaved = (a: Tensor, b: Tensor, weight: TensorOrScalar | null): (Tensor | null)[] => {
  if (!(weight instanceof Tensor)) return [null, null, null];
  return needsGrad(weight) ? [a, b, weight] : [null, null, weight];
};
/**
 * Linear interpolation, elementwise: input + weight (end - input); all broadcast.
 * @param end of input's type
 * @param weight a number or a tensor, of input's type unless it has no dimensions: 0 gives input, 1 end
 * @returns the broadcast shape
 * @throws RuntimeError if the types differ, or are not floating-point or complex ones
 */
export const lerp = withInPlace(
  op(
    'lerp(Tensor input, Tensor end, Tensor|Scalar weight)',
    (input: Tensor, end: Tensor, weight: TensorOrScalar): Tensor => {
      checkLerp(input, end, weight);
      return ternary(
        LERP,
        'LerpBackward0',
        input,
        end,
        weight,
        [],
        lerpSaved(input, end, weight),
        lerpBackward(weight),
      );
    },
  ),
  (self: Tensor, end: Tensor, weight: TensorOrScalar): Tensor => {
    checkLerp(self, end, weight);
    const before = weight instanceof Tensor && needsGrad(weight) ? self.clone() : self;
    return ternary_(
      LERP_,
      'LerpBackward0',
      self,
      end,
      weight,
      [],
      (b, c) => lerpSaved(before, b, c),
      lerpBackward(weight),
    );
  },
);
