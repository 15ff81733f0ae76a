// torch.special: functions of mathematics beyond the elementary ones.
export { sigmoid as expit } from '../ops/activation.js';
export { xlogy } from '../ops/arithmetic.js';
export { igamma as gammainc, igammac as gammaincc, mvlgamma as multigammaln, polygamma } from '../ops/gamma.js';
export { logsumexp } from '../ops/reduce.js';
export { logSoftmax, softmax } from '../ops/softmax.js';
export { entr, erfcx, i0e, i1, i1e, logit, logNdtr, ndtr, ndtri, xlog1py, zeta } from '../ops/special.js';
export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  exp2,
  expm1,
  i0,
  lgamma as gammaln,
  log1p,
  round,
  sinc,
} from '../ops/unary.js';
export * from './bessel.js';
export * from './polynomials.js';
