// Adagrad.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { fullLike } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, numberState, realView, retain } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an Adagrad group. */
export type AdagradOptions = {
  lr: number;
  lrDecay: number;
  eps: number;
  weightDecay: number;
  initialAccumulatorValue: number;
  foreach: boolean | null;
  maximize: boolean;
  differentiable: boolean;
  fused: boolean | null;
};

const TEXT =
  'Adagrad(any? params, float lr=0.01, float lrDecay=0, float weightDecay=0, float initialAccumulatorValue=0, float eps=1e-10, bool? foreach=None, bool maximize=False, bool differentiable=False, bool? fused=None)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<AdagradOptions>,
  lr: number,
  lrDecay: number,
  weightDecay: number,
  initialAccumulatorValue: number,
  eps: number,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
  fused: boolean | null,
];

/**
 * Steps scaled by the sum of all squared gradients so far: s += g^2, p -= lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps) at step
 * t, where g = grad + weightDecay p. State, from the start: `step`, `sum` (s). (Duchi et al., "Adaptive Subgradient Methods for
 * Online Learning and Stochastic Optimization", 2011, https://jmlr.org/papers/v12/duchi11a.html)
 */
export class Adagrad extends TensorOptimizer<AdagradOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.01), at least 0
   * @param lrDecay how fast the rate falls (default 0)
   * @param weightDecay the L2 penalty (default 0)
   * @param initialAccumulatorValue where the sums start (default 0)
   * @param eps added to the denominator (default 1e-10)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @param fused as foreach (default null); not both true
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, lrDecay, weightDecay, initialAccumulatorValue, eps, foreach, maximize, differentiable, fused] =
      bind(SIGNATURE, args) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(lrDecay >= 0, `Invalid lr_decay value: ${pyFloat(lrDecay)}`);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    check(initialAccumulatorValue >= 0, `Invalid initial_accumulator_value value: ${pyFloat(initialAccumulatorValue)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    checkModes('Adagrad', { foreach, differentiable, fused });
    super(params, { lr, lrDecay, eps, weightDecay, initialAccumulatorValue, foreach, maximize, differentiable, fused });
    // As in PyTorch, a state dict lists the sums before the first step.
    for (const group of this.paramGroups) for (const p of group.params) this.state.set(p, this.initialState(p));
  }

  protected override initialState(p: Tensor): ParameterState {
    const start = this.defaults.initialAccumulatorValue;
    const value = p.dtype.isComplex ? { re: start, im: start } : start;
    return { step: numberState(0), sum: retain(fullLike(p.detach(), value)) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<AdagradOptions>): void {
    const step = countStep(state);
    const g = realView(group.weightDecay === 0 ? grad : grad.add(p, { alpha: group.weightDecay }));
    const sum = realView(state['sum'] as Tensor);
    sum.addcmul_(g, g);
    realView(p).addcdiv_(g, sum.sqrt().add_(group.eps), { value: -group.lr / (1 + (step - 1) * group.lrDecay) });
  }
}
