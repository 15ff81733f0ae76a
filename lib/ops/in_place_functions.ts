// The functions of `torch` that change their first argument in place: `torch.relu_(x)` is `x.relu_()`.
import type { Tensor } from '../tensor/tensor.js';
import { relu, sigmoid, tanh } from './activation.js';
import { gcd, lcm, ldexp, xlogy } from './arithmetic.js';
import { clamp } from './comparison.js';
import { boundCall } from './define.js';
import { inPlaceSignature, type Signature } from './signature.js';
import { logit, nanToNum } from './special.js';
import * as u from './unary.js';

interface Row {
  readonly signature: Signature;
  readonly inPlace: (...args: never[]) => Tensor;
}
type Arguments<R> = R extends (...args: infer A) => unknown ? A : never;
type Change<R> = ((...args: Arguments<R>) => Tensor) & { readonly home: 'function' };

/** The in-place form of a row as a function. */
function change<R extends Row>(row: R): Change<R> {
  const signature = inPlaceSignature(row.signature);
  const call = boundCall(signature, row.inPlace as unknown as (...args: unknown[]) => unknown);
  Object.defineProperty(call, 'name', { value: signature.name });
  return Object.assign(call, { home: 'function' as const, signature }) as unknown as Change<R>;
}

export const abs_ = change(u.abs);
export const acos_ = change(u.acos);
export const acosh_ = change(u.acosh);
export const asin_ = change(u.asin);
export const asinh_ = change(u.asinh);
export const atan_ = change(u.atan);
export const atanh_ = change(u.atanh);
export {
  acos_ as arccos_,
  acosh_ as arccosh_,
  asin_ as arcsin_,
  asinh_ as arcsinh_,
  atan_ as arctan_,
  atanh_ as arctanh_,
};
export const ceil_ = change(u.ceil);
export const clamp_ = change(clamp);
export { clamp_ as clip_ };
export const cos_ = change(u.cos);
export const cosh_ = change(u.cosh);
export const erf_ = change(u.erf);
export const erfc_ = change(u.erfc);
export const exp_ = change(u.exp);
export const exp2_ = change(u.exp2);
export const expm1_ = change(u.expm1);
export const floor_ = change(u.floor);
export const frac_ = change(u.frac);
export const gcd_ = change(gcd);
export const i0_ = change(u.i0);
export const lcm_ = change(lcm);
export const ldexp_ = change(ldexp);
export const log_ = change(u.log);
export const log10_ = change(u.log10);
export const log1p_ = change(u.log1p);
export const log2_ = change(u.log2);
export const logit_ = change(logit);
export const nanToNum_ = change(nanToNum);
export const neg_ = change(u.neg);
export { neg_ as negative_ };
export const reciprocal_ = change(u.reciprocal);
export const relu_ = change(relu);
export const round_ = change(u.round);
export const rsqrt_ = change(u.rsqrt);
export const sigmoid_ = change(sigmoid);
export const sin_ = change(u.sin);
export const sinc_ = change(u.sinc);
export const sinh_ = change(u.sinh);
export const sqrt_ = change(u.sqrt);
export const square_ = change(u.square);
export const tan_ = change(u.tan);
export const tanh_ = change(tanh);
export const trunc_ = change(u.trunc);
export { trunc_ as fix_ };
export const xlogy_ = change(xlogy);
