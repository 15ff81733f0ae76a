// Averaged stochastic gradient descent.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, type CommonOptions, numberState, realView, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an ASGD group. */
export type ASGDOptions = CommonOptions & {
  lambd: number;
  alpha: number;
  t0: number;
  weightDecay: number;
};

const TEXT =
  'ASGD(any? params, float lr=0.01, float lambd=1e-4, float alpha=0.75, float t0=1e6, float weightDecay=0, bool? foreach=None, bool maximize=False, bool differentiable=False, bool capturable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<ASGDOptions>,
  lr: number,
  lambd: number,
  alpha: number,
  t0: number,
  weightDecay: number,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
  capturable: boolean,
];

/**
 * Gradient descent whose state also holds the average of the parameters: p = (1 - lambd eta) p - eta g, ax += mu (p - ax), with
 * eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0) after t steps, where g = grad + weightDecay p. State: `step`,
 * `eta`, `mu`, `ax`.
 * (Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992)
 */
export class ASGD extends TensorOptimizer<ASGDOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.01), at least 0
   * @param lambd the decay term (default 1e-4)
   * @param alpha the power by which the rate falls (default 0.75)
   * @param t0 the step at which averaging starts (default 1e6)
   * @param weightDecay the L2 penalty (default 0)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, lambd, alpha, t0, weightDecay, foreach, maximize, differentiable, capturable] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    checkModes('ASGD', { differentiable, capturable });
    super(params, { lr, lambd, alpha, t0, weightDecay, foreach, maximize, differentiable, capturable });
  }

  protected override initialState(p: Tensor, _grad: Tensor, group: Group<ASGDOptions>): ParameterState {
    return { step: numberState(0), eta: numberState(group.lr), mu: numberState(1), ax: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<ASGDOptions>): void {
    const step = countStep(state);
    const { lr, lambd } = group;
    const eta = state['eta'] as Tensor;
    const mu = state['mu'] as Tensor;
    const rate = Number(eta.item());
    const weight = Number(mu.item());
    const g = realView(group.weightDecay === 0 ? grad : grad.add(p, { alpha: group.weightDecay }));
    const real = realView(p);
    const average = realView(state['ax'] as Tensor);
    real.mul_(1 - lambd * rate).add_(g, { alpha: -rate });
    if (weight === 1) average.copy_(real);
    else average.add_(real.sub(average), { alpha: weight });
    eta.fill_(lr / (1 + lambd * lr * step) ** group.alpha);
    mu.fill_(1 / Math.max(1, step - group.t0));
  }
}
