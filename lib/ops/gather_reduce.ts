// scatterReduce and indexReduce with their gradients.
import { tableOf } from '../core/table.js';
import { arithmetic } from '../autograd/arithmetic.js';
import type { Needs } from '../autograd/node.js';
import { RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import { div, mul } from './arithmetic.js';
import { eq } from './comparison.js';
import { gather, scatter, scatterAdd } from './gather.js';
import { change } from './index_change.js';
import { maskedFill } from './index_mask.js';
import { cast } from './internal/cast.js';
import { select3 } from './internal/select.js';
import { sliceDim } from './internal/view.js';

const SCATTER_ = nativeOp('scatter_');
const ZEROS = nativeOp('zeros');
const FULL = nativeOp('full');

// How an element meets what is there: the native enum Meet.
const REDUCTIONS: Record<string, number> = tableOf({ sum: 1, prod: 2, mean: 1, amax: 3, amin: 4 });

/** Reduces `src` into places of `self`, or of a copy, and records that. */
export function reduceInto(
  self: Tensor,
  inPlace: boolean,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: string,
  includeSelf: boolean,
): Tensor {
  const mode = REDUCTIONS[reduce];
  if (mode === undefined) {
    throw new RuntimeError(`reduce argument must be either sum, prod, mean, amax or amin, got ${reduce}`);
  }
  const shape = src.shape;
  const saved = (): Tensor[] => [inPlace ? arithmetic.clone(self) : self, index, src];
  return change(
    'ScatterReduceBackward0',
    self,
    inPlace,
    [src],
    saved,
    (target) => invokeVoid(SCATTER_, target, dim, index, src, mode, reduce === 'mean', includeSelf),
    (g, [x, at, s], needs) => {
      if (at!.numel() === 0) return [g, needs[1] ? invoke(ZEROS, shape, g.dtype, g) : null];
      const part = covered(s!, at!.shape);
      const [gx, gs] = reduceGradient(g, x!, dim, at!, part, reduce, includeSelf, needs);
      return [gx, gs === null ? null : placedIn(gs, shape)];
    },
  );
}
/** Zeros of a shape whose first places hold t. */
export function placedIn(t: Tensor, shape: readonly number[]): Tensor {
  if (t.ndim !== shape.length) return t.reshape(shape);
  if (t.shape.every((n, d) => n === shape[d])) return t;
  let part = invoke(ZEROS, shape, t.dtype, t);
  const whole = part;
  t.shape.forEach((n, d) => {
    part = sliceDim(part, d, 0, n, 1);
  });
  part.copy_(t);
  return whole;
}

/** The part of a source that the index covers. */
function covered(src: Tensor, shape: readonly number[]): Tensor {
  let part = src;
  if (part.ndim !== shape.length) return part.reshape(shape);
  shape.forEach((n, d) => {
    if (n !== part.shape[d]) part = sliceDim(part, d, 0, n, 1);
  });
  return part;
}

/** What the places that no position names keep of `t`; the others are zero. */
function untouched(t: Tensor, dim: number, index: Tensor, includeSelf: boolean): Tensor {
  return includeSelf ? t : scatter(t, dim, index, 0);
}
function ones(like: Tensor): Tensor {
  return invoke(FULL, like.shape, 1, like.dtype, like);
}

/**
 * The gradients of y = x with `src` (of the index's sizes) reduced into it, for x and for src, as PyTorch defines
 * them: extremes share the gradient among all elements that reach them.
 */
export function reduceGradient(
  g: Tensor,
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: string,
  includeSelf: boolean,
  needs: Needs,
): [Tensor | null, Tensor | null] {
  const at = (t: Tensor): Tensor => gather.impl(t, dim, index, false);
  if (reduce === 'sum') {
    return [needs[0] ? untouched(g, dim, index, includeSelf) : null, needs[1] ? at(g) : null];
  }
  if (reduce === 'mean') {
    const own = includeSelf ? ones(g) : invoke(ZEROS, g.shape, g.dtype, g);
    const touched = scatterAdd.impl(own, dim, index, ones(cast(src, g.dtype)));
    const share = div(g, maskedFill(touched, eq(touched, 0), 1));
    return [needs[0] ? untouched(share, dim, index, includeSelf) : null, needs[1] ? at(share) : null];
  }
  const y = reduceInto(x, false, dim, index, src, reduce, includeSelf);
  if (reduce === 'prod') return productGradient(g, x, dim, index, src, y, includeSelf, needs);
  // Ties share: each of the n elements that equal the result gets 1/n.
  const fromSelf = cast(eq(x, y), g.dtype);
  const fromSrc = cast(eq(src, at(y)), g.dtype);
  const ties = scatterAdd.impl(fromSelf, dim, index, fromSrc);
  const share = div(g, maskedFill(ties, eq(ties, 0), 1));
  return [
    needs[0] ? untouched(mul(fromSelf, share), dim, index, includeSelf) : null,
    needs[1] ? mul(fromSrc, at(share)) : null,
  ];
}

/** d prod / d factor = prod / factor; where factors are zero, from the product of the others. */
function productGradient(
  g: Tensor,
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  y: Tensor,
  includeSelf: boolean,
  needs: Needs,
): [Tensor | null, Tensor | null] {
  const at = (t: Tensor): Tensor => gather.impl(t, dim, index, false);
  const selfFilled = maskedFill(x, eq(x, 0), 1);
  const ofFilled = reduceInto(selfFilled, false, dim, index, src, 'prod', includeSelf);
  const gx = needs[0] ? untouched(div(mul(g, ofFilled), selfFilled), dim, index, includeSelf) : null;
  if (!needs[1]) return [gx, null];
  const zero = eq(src, 0);
  const zeros = scatterAdd.impl(invoke(ZEROS, g.shape, g.dtype, g), dim, index, cast(zero, g.dtype));
  const single = zero.logicalAnd(eq(at(zeros), 1));
  const srcFilled = maskedFill(src, zero, 1);
  const without = reduceInto(x, false, dim, index, srcFilled, 'prod', includeSelf);
  return [gx, select3(single, at(mul(g, without)), div(at(mul(g, y)), srcFilled))];
}
