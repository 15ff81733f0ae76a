// Limiting gradients before a step.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { stack } from '../../ops/join.js';
import { fnOp } from '../../ops/define.js';
import { tensor } from '../../ops/creation.js';
import { Tensor } from '../../tensor/tensor.js';
import { pyFloat } from '../printing.js';
import { warn } from '../warn.js';
import { vectorNormOf } from '../../ops/internal/vector_norm.js';

type Tensors = Tensor | Iterable<Tensor>;

function gradientsOf(parameters: Tensors): Tensor[] {
  const list = parameters instanceof Tensor ? [parameters] : [...parameters];
  return list.map((p) => p.grad).filter((g): g is Tensor => g !== null);
}

function totalNorm(tensors: readonly Tensor[], normType: number, errorIfNonfinite: boolean): Tensor {
  if (tensors.length === 0) return tensor(0);
  const norms = tensors.map((t) => vectorNormOf(t, normType, null, false, null));
  const total = vectorNormOf(stack(norms), normType, null, false, null);
  if (errorIfNonfinite && total.isfinite().item() === false) {
    throw new RuntimeError(
      `The total norm of order ${pyFloat(normType)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To ` +
        'disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`',
    );
  }
  return total;
}

/**
 * The norm of all tensors together, as if they were one vector: (sum |x|^p)^(1/p).
 * @param tensors a tensor or an iterable of them, floating-point or complex
 * @param normType the order p (default 2); Infinity gives the largest magnitude
 * @param errorIfNonfinite whether a norm that is not finite is an error (default false)
 * @param foreach accepted for PyTorch's sake (default null)
 * @returns [], 0 for no tensors
 * @throws RuntimeError if the norm is not finite and `errorIfNonfinite` is set
 */
export const getTotalNorm = fnOp(
  'getTotalNorm(Tensor|Tensor[] tensors, float normType=2, bool errorIfNonfinite=False, bool? foreach=None)',
  (tensors: Tensors, normType: number, errorIfNonfinite: boolean): Tensor =>
    totalNorm(tensors instanceof Tensor ? [tensors] : [...tensors], normType, errorIfNonfinite),
);

function scaleDown(grads: readonly Tensor[], maxNorm: number, total: Tensor): void {
  // Clamped to one instead of asking whether the norm is too large: no value has to be read back.
  const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
  for (const g of grads) g.mul_(factor.to(g.dtype));
}

/**
 * Scales gradients in place by min(1, maxNorm / (totalNorm + 1e-6)), for a norm that is known.
 * @param parameters a tensor or an iterable of them; those without a gradient are passed over
 * @param maxNorm the largest norm that is allowed
 * @param totalNorm [], the gradients' norm, as `getTotalNorm` gives it
 * @param foreach accepted for PyTorch's sake (default null)
 */
export const clipGradsWithNorm_ = fnOp(
  'clipGradsWithNorm_(Tensor|Tensor[] parameters, float maxNorm, Tensor totalNorm, bool? foreach=None)',
  (parameters: Tensors, maxNorm: number, total: Tensor): void =>
    noGrad(() => scaleDown(gradientsOf(parameters), maxNorm, total)),
);

/**
 * Scales the gradients of all parameters in place by min(1, maxNorm / (norm + 1e-6)), so that their norm, as one vector, does not
 * exceed `maxNorm` (https://arxiv.org/abs/1211.5063).
 * @param parameters a tensor or an iterable of them; those without a gradient are passed over
 * @param maxNorm the largest norm that is allowed
 * @param normType the order p (default 2); Infinity for the largest magnitude
 * @param errorIfNonfinite whether a norm that is not finite is an error (default false)
 * @param foreach accepted for PyTorch's sake (default null)
 * @returns [], the total norm before
 * @throws RuntimeError if the norm is not finite and `errorIfNonfinite` is set
 */
export const clipGradNorm_ = fnOp(
  'clipGradNorm_(Tensor|Tensor[] parameters, float maxNorm, float normType=2, bool errorIfNonfinite=False, bool? foreach=None)',
  (parameters: Tensors, maxNorm: number, normType: number, errorIfNonfinite: boolean): Tensor =>
    noGrad(() => {
      const grads = gradientsOf(parameters);
      const total = totalNorm(grads, normType, errorIfNonfinite);
      scaleDown(grads, maxNorm, total);
      return total;
    }),
);

/**
 * The older name of `clipGradNorm_`, with a warning.
 * @param parameters a tensor or an iterable of them
 * @param maxNorm the largest norm that is allowed
 * @param normType the order p (default 2)
 * @param errorIfNonfinite whether a norm that is not finite is an error (default false)
 * @param foreach accepted for PyTorch's sake (default null)
 * @returns [], the total norm before
 * @throws RuntimeError if the norm is not finite and `errorIfNonfinite` is set
 */
export const clipGradNorm = fnOp(
  'clipGradNorm(Tensor|Tensor[] parameters, float maxNorm, float normType=2, bool errorIfNonfinite=False, bool? foreach=None)',
  (parameters: Tensors, maxNorm: number, normType: number, errorIfNonfinite: boolean): Tensor => {
    warn('`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.');
    return clipGradNorm_.impl(parameters, maxNorm, normType, errorIfNonfinite);
  },
);

/**
 * Limits every element of the gradients to [-clipValue, clipValue], in place.
 * @param parameters a tensor or an iterable of them; those without a gradient are passed over
 * @param clipValue the largest magnitude that is allowed
 * @param foreach accepted for PyTorch's sake (default null)
 */
export const clipGradValue_ = fnOp(
  'clipGradValue_(Tensor|Tensor[] parameters, float clipValue, bool? foreach=None)',
  (parameters: Tensors, clipValue: number): void =>
    noGrad(() => {
      for (const g of gradientsOf(parameters)) g.clamp_(-clipValue, clipValue);
    }),
);
