// The gradients of activations: one native pass each, itself recorded, with the second derivative composed.
import { needsGrad, record } from '../../autograd/graph.js';
import { nativeOp } from '../../native/addon.js';
import { invoke, type Scalar } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';
import { mul } from '../arithmetic.js';
import { conj } from '../unary.js';

/** A gradient pass: (g, at) -> g f'(at), where `at` is the operand of f, or its result. */
export type Pass = (g: Tensor, at: Tensor) => Tensor;

export type Params = readonly Scalar[];

/**
 * Declares the gradient passes of a row with parameters, one for each choice of them.
 * @param second gives f''(at) (the slope of f' by `at`); null where it is zero almost everywhere.
 */
export function passes(
  native: string,
  second: ((at: Tensor, params: Params) => Tensor) | null,
): (params: Params) => Pass {
  const id = nativeOp(native);
  const node = `${native[0]!.toUpperCase()}${native.slice(1).replace(/_(.)/g, (_, c: string) => c.toUpperCase())}Backward0`;
  const run = (g: Tensor, at: Tensor, params: Params): Tensor => {
    const y = invoke(id, g, at, ...params);
    if (needsGrad(g, at)) {
      // Of complex operands: y = g conj(f'(at)) depends on the conjugate of `at`.
      record(node, y, [g, at], [g, at], (gg, [g0, x], needs) => [
        needs[0] ? conj(run(conj(gg), x, params)) : null,
        needs[1] && second !== null ? mul(mul(conj(gg), g0), conj(second(x, params))) : null,
      ]);
    }
    return y;
  };
  return (params) => (g, at) => run(g, at, params);
}

/** Declares the gradient pass of a row whose parameters are always the same. */
export function pass(native: string, params: Params, second: ((at: Tensor) => Tensor) | null): Pass {
  return passes(native, second)(params);
}

/** The gradient that passes where ReLU gave more than 0. */
export const reluPass = pass('threshold_backward', [0], null);
