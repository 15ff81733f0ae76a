// State tensors, and the checks that optimizers share.
import { noGrad } from '../autograd/mode.js';
import { float32, float64, getDefaultDtype } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { full, zerosLike } from '../ops/creation.js';
import { keep, keepTensor } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './optimizer.js';

/** Lets a tensor outlive the scope and the `tidy` that it was made in. */
export function retain(t: Tensor): Tensor {
  keep(t);
  return keepTensor(t);
}

/** A state tensor of zeros with the shape, type and layout of `like`. */
export function zeroState(like: Tensor): Tensor {
  return retain(noGrad(() => zerosLike(like)));
}

/** A 0-d state tensor: a step counter, or another number of its own. */
export function numberState(value: number): Tensor {
  return retain(full([], value, { dtype: getDefaultDtype() === float64 ? float64 : float32 }));
}

/** A state as loaded: tensors in the parameter's type, counters as 0-d tensors. */
export function castState(p: Tensor, entries: readonly [string, unknown][]): ParameterState {
  const state: ParameterState = {};
  for (const [key, value] of entries) state[key] = castValue(p, key, value);
  return state;
}

/** States that are numbers of their own, and keep their type whatever that of the parameter is. */
const NUMBERS: ReadonlySet<string> = new Set(['step', 'mu_product', 'eta', 'mu']);

function castValue(p: Tensor, key: string, value: unknown): unknown {
  if (value instanceof Tensor) {
    if (NUMBERS.has(key) || !p.dtype.isFloatingPoint || value.dtype === p.dtype) return value;
    return retain(value.to(p.dtype));
  }
  // Checkpoints of old versions count in plain numbers.
  if (key === 'step' && typeof value === 'number') return numberState(value);
  if (Array.isArray(value)) return value.map((v) => castValue(p, '', v));
  return value;
}

/** The options that most optimizers have. */
export type CommonOptions = {
  lr: number;
  maximize: boolean;
  foreach: boolean | null;
  capturable: boolean;
  differentiable: boolean;
};

/**
 * Refuses what has no meaning on a CPU or is not offered.
 * @param name the optimizer, for the message.
 */
export function checkModes(name: string, options: Partial<CommonOptions> & { fused?: boolean | null }): void {
  if (options.differentiable) {
    throw new RuntimeError(
      `${name}: differentiable=true is not supported: steps are not recorded. Write the update with out-of-place operations to differentiate through it.`,
    );
  }
  if (options.fused && options.foreach) throw new RuntimeError('`fused` and `foreach` cannot be `True` together.');
  if (options.capturable) {
    throw new RuntimeError(
      `${name}: capturable=true needs parameters on a device that captures graphs, which the CPU does not`,
    );
  }
}

/** Checks a number from a constructor. */
export function check(ok: boolean, message: string): void {
  if (!ok) throw new RuntimeError(message);
}

/** Checks and completes the two coefficients of running averages. */
export function readBetas(betas: readonly number[] | null): [number, number] {
  const [beta1, beta2] = betas ?? [0.9, 0.999];
  if (betas !== null && betas.length !== 2) throw new RuntimeError(`betas must be two numbers, got ${betas.length}`);
  check(beta1! >= 0 && beta1! < 1, `Invalid beta parameter at index 0: ${beta1}`);
  check(beta2! >= 0 && beta2! < 1, `Invalid beta parameter at index 1: ${beta2}`);
  return [beta1!, beta2!];
}

/** A complex tensor as pairs of real numbers; any other as it is. */
export function realView(t: Tensor): Tensor {
  return t.dtype.isComplex ? t.viewAsReal() : t;
}

/** What the averages of gradients and of their squares depend on. */
interface MomentOptions {
  lr: number;
  weightDecay: number;
  decoupledWeightDecay: boolean;
  betas: readonly [number, number];
}

/**
 * Decays a parameter, or adds the decay to its gradient, and brings the running averages of the gradient and of its square up to
 * date.
 * @returns the gradient and both averages, complex ones as pairs of real numbers
 */
export function countMoments(
  p: Tensor,
  grad: Tensor,
  state: ParameterState,
  { lr, weightDecay, decoupledWeightDecay, betas: [beta1, beta2] }: MomentOptions,
): { g: Tensor; average: Tensor; square: Tensor } {
  let g = grad;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) p.mul_(1 - lr * weightDecay);
    else g = grad.add(p, { alpha: weightDecay });
  }
  g = realView(g);
  const average = realView(state['exp_avg'] as Tensor);
  const square = realView(state['exp_avg_sq'] as Tensor);
  average.lerp_(g, 1 - beta1);
  square.mul_(beta2).addcmul_(g, g, { value: 1 - beta2 });
  return { g, average, square };
}
