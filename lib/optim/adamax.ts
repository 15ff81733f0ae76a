// Adamax: Adam with the infinity norm.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, type CommonOptions, numberState, readBetas, realView, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an Adamax group. */
export type AdamaxOptions = CommonOptions & {
  betas: [number, number];
  eps: number;
  weightDecay: number;
};

const TEXT =
  'Adamax(any? params, float lr=0.002, float[]? betas=None, float eps=1e-8, float weightDecay=0, bool? foreach=None, bool maximize=False, bool differentiable=False, bool capturable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<AdamaxOptions>,
  lr: number,
  betas: readonly number[] | null,
  eps: number,
  weightDecay: number,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
  capturable: boolean,
];

/**
 * Adam with the running maximum of the gradient in place of the average of its square: m = beta1 m + (1 - beta1) g,
 * u = max(beta2 u, |g| + eps), p -= lr / (1 - beta1^t) m / u at step t, where g = grad + weightDecay p. State: `step`, `exp_avg`
 * (m), `exp_inf` (u). (Kingma and Ba, https://arxiv.org/abs/1412.6980)
 */
export class Adamax extends TensorOptimizer<AdamaxOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.002), at least 0
   * @param betas the coefficients of the average and of the maximum (default [0.9, 0.999]), below 1
   * @param eps added to the gradient's size (default 1e-8)
   * @param weightDecay the L2 penalty (default 0)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, betas, eps, weightDecay, foreach, maximize, differentiable, capturable] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    const both = readBetas(betas);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    checkModes('Adamax', { differentiable, capturable });
    super(params, { lr, betas: both, eps, weightDecay, foreach, maximize, differentiable, capturable });
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: numberState(0), exp_avg: zeroState(p), exp_inf: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<AdamaxOptions>): void {
    const step = countStep(state);
    const [beta1, beta2] = group.betas;
    const g = realView(group.weightDecay === 0 ? grad : grad.add(p, { alpha: group.weightDecay }));
    const average = realView(state['exp_avg'] as Tensor);
    const norm = realView(state['exp_inf'] as Tensor);
    average.lerp_(g, 1 - beta1);
    norm.copy_(norm.mul(beta2).maximum(g.abs().add_(group.eps)));
    realView(p).addcdiv_(average, norm, { value: -group.lr / (1 - beta1 ** step) });
  }
}
