// Joins the rooms at load: gives autograd its arithmetic, Parameter its aliasing, and Tensor its methods and printing.
import { installArithmetic } from '../autograd/arithmetic.js';
import { complex128, float64 } from '../core/dtype.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeVoid } from '../tensor/invoke.js';
import { installAlias } from '../tensor/parameter.js';
import { fromBytes } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { add } from './arithmetic.js';
import * as ops from './all.js';
import { clone, copy_ } from './convert.js';
import { installMethods, type MethodsOf } from './define.js';
import { stack } from './join.js';
import { unbind } from './join_split.js';
import { real } from './complex.js';
import { cast } from './internal/cast.js';
import { sumTo } from './internal/reduction.js';
import { brought } from './internal/finish.js';
import { reshaped } from './internal/view.js';

const ALIAS = nativeOp('alias');
const ADD_ = nativeOp('add_');
const ZEROS = nativeOp('zeros');
const BUMP = nativeOp('bump');
const FULL = nativeOp('full');
const EMPTY_STRIDED = nativeOp('empty_strided');

/** Whether strides describe memory without gaps or overlaps. */
function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  const order = shape.map((_, d) => d).filter((d) => shape[d] !== 1);
  order.sort((a, b) => strides[a]! - strides[b]!);
  let expected = 1;
  for (const d of order) {
    if (strides[d] !== expected) return false;
    expected *= shape[d]!;
  }
  return true;
}

installArithmetic({
  add: (a, b) => add.impl(a, b, 1),
  addInPlace: (a, b) => invokeVoid(ADD_, a, b),
  clone: (t) => t.contiguous().clone(),
  cloneLike(t, like) {
    const strides = like.stride();
    if (t.numel() === 0 || !isDense(t.shape, strides)) return clone(t);
    return copy_(invoke(EMPTY_STRIDED, t.shape, strides, t.dtype, t), t);
  },
  copyInPlace: (target, source) => void copy_(target, source),
  sumTo,
  cast: (t, dtype) => (t.dtype.isComplex && !dtype.isComplex ? cast(real(t), dtype) : cast(t, dtype)),
  onesLike: (t) => invoke(FULL, t.shape, 1, t.dtype, t),
  zeros: (shape, dtype, place) => invoke(ZEROS, shape, dtype, place),
  alias: (t, shareVersion) => invoke(ALIAS, t, !shareVersion),
  bump: (t) => invokeVoid(BUMP, t),
  hasNan: (t) => t.isnan().any().item() === true,
  stack: (list) => stack(list, 0),
  unbind: (t) => [...unbind(t, 0)],
  reshape: reshaped,
  fromNumbers(values, shape, dtype, beside) {
    const wide = Float64Array.from(values);
    const name = dtype.isComplex ? complex128 : float64;
    const made = cast(fromBytes(name, shape, new Uint8Array(wide.buffer)), dtype);
    return beside?.isMeta ? brought(made, beside.device) : made;
  },
});
installAlias((source) => invoke(ALIAS, source, true));
installMethods(Tensor.prototype, ops);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsOf<typeof ops> {}
}
