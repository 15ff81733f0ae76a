// RMSprop.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, type CommonOptions, numberState, realView, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an RMSprop group. */
export type RMSpropOptions = CommonOptions & {
  momentum: number;
  alpha: number;
  eps: number;
  centered: boolean;
  weightDecay: number;
};

const TEXT =
  'RMSprop(any? params, float lr=0.01, float alpha=0.99, float eps=1e-8, float weightDecay=0, float momentum=0, bool centered=False, bool capturable=False, bool? foreach=None, bool maximize=False, bool differentiable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<RMSpropOptions>,
  lr: number,
  alpha: number,
  eps: number,
  weightDecay: number,
  momentum: number,
  centered: boolean,
  capturable: boolean,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
];

/**
 * Steps scaled by a running average of the squared gradient: v = alpha v + (1 - alpha) g^2, p -= lr g / (sqrt(v) + eps), where
 * g = grad + weightDecay p; with a momentum b = momentum b + g / (sqrt(v) + eps), p -= lr b; centered, v - a^2 takes the place
 * of v, a being the average of g. State: `step`, `square_avg` (v), `momentum_buffer` (b), `grad_avg` (a).
 * (Hinton, lecture 6 of "Neural Networks for Machine Learning", 2012; centered: Graves, https://arxiv.org/abs/1308.0850)
 */
export class RMSprop extends TensorOptimizer<RMSpropOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.01), at least 0
   * @param alpha the coefficient of the average (default 0.99)
   * @param eps added to the denominator (default 1e-8)
   * @param weightDecay the L2 penalty (default 0)
   * @param momentum how much of the last update goes on (default 0)
   * @param centered whether to divide by an estimate of the gradient's variance (default false)
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, alpha, eps, weightDecay, momentum, centered, capturable, foreach, maximize, differentiable] =
      bind(SIGNATURE, args) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    check(momentum >= 0, `Invalid momentum value: ${pyFloat(momentum)}`);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    check(alpha >= 0, `Invalid alpha value: ${pyFloat(alpha)}`);
    checkModes('RMSprop', { differentiable, capturable });
    super(params, { lr, momentum, alpha, eps, centered, weightDecay, capturable, foreach, maximize, differentiable });
  }

  protected override initialState(p: Tensor, _grad: Tensor, group: Group<RMSpropOptions>): ParameterState {
    const state: ParameterState = { step: numberState(0), square_avg: zeroState(p) };
    if (group.momentum > 0) state['momentum_buffer'] = zeroState(p);
    if (group.centered) state['grad_avg'] = zeroState(p);
    return state;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<RMSpropOptions>): void {
    countStep(state);
    const { alpha, momentum } = group;
    const g = realView(group.weightDecay === 0 ? grad : grad.add(p, { alpha: group.weightDecay }));
    const square = realView(state['square_avg'] as Tensor);
    square.mul_(alpha).addcmul_(g, g, { value: 1 - alpha });
    let root: Tensor;
    if (group.centered) {
      // Both options may be switched on in a running optimizer, whose states lack the buffers.
      const mean = realView((state['grad_avg'] ??= zeroState(p)) as Tensor);
      mean.lerp_(g, 1 - alpha);
      root = square.addcmul(mean, mean, { value: -1 }).sqrt_();
    } else {
      root = square.sqrt();
    }
    root.add_(group.eps);
    if (momentum > 0) {
      const buffer = realView((state['momentum_buffer'] ??= zeroState(p)) as Tensor);
      buffer.mul_(momentum).addcdiv_(g, root);
      realView(p).add_(buffer, { alpha: -group.lr });
    } else {
      realView(p).addcdiv_(g, root, { value: -group.lr });
    }
  }
}
