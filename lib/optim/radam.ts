// RAdam: Adam with a rectified warm-up.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import {
  check,
  checkModes,
  type CommonOptions,
  countMoments,
  numberState,
  readBetas,
  realView,
  zeroState,
} from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an RAdam group. */
export type RAdamOptions = CommonOptions & {
  betas: [number, number];
  eps: number;
  weightDecay: number;
  decoupledWeightDecay: boolean;
};

const TEXT =
  'RAdam(any? params, float lr=0.001, float[]? betas=None, float eps=1e-8, float weightDecay=0, bool decoupledWeightDecay=False, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<RAdamOptions>,
  lr: number,
  betas: readonly number[] | null,
  eps: number,
  weightDecay: number,
  decoupledWeightDecay: boolean,
  foreach: boolean | null,
  maximize: boolean,
  capturable: boolean,
  differentiable: boolean,
];

/**
 * Adam that adapts its steps only once the average of squares rests on enough of them: with m and v as in `Adam`,
 * n = 2 / (1 - beta2) - 1 and n_t = n - 2 t beta2^t / (1 - beta2^t), p -= lr m / (1 - beta1^t) as long as n_t is at most 5, then
 * that times sqrt((n_t - 4)(n_t - 2) n / ((n - 4)(n - 2) n_t)) sqrt(1 - beta2^t) / (sqrt(v) + eps).
 * State: `step`, `exp_avg` (m), `exp_avg_sq` (v). (Liu et al., https://arxiv.org/abs/1908.03265)
 */
export class RAdam extends TensorOptimizer<RAdamOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.001), at least 0
   * @param betas the coefficients of both averages (default [0.9, 0.999]), below 1
   * @param eps added to the denominator (default 1e-8)
   * @param weightDecay the L2 penalty (default 0)
   * @param decoupledWeightDecay whether the decay is AdamW's, p -= lr weightDecay p, not part of g (default false)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param differentiable refused where true (default false): steps are not recorded
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, betas, eps, weightDecay, decoupledWeightDecay, foreach, maximize, capturable, differentiable] =
      bind(SIGNATURE, args) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    const both = readBetas(betas);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    checkModes('RAdam', { differentiable, capturable });
    super(params, {
      lr,
      betas: both,
      eps,
      weightDecay,
      maximize,
      foreach,
      capturable,
      decoupledWeightDecay,
      differentiable,
    });
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: numberState(0), exp_avg: zeroState(p), exp_avg_sq: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<RAdamOptions>): void {
    const step = countStep(state);
    const { lr } = group;
    const [beta1, beta2] = group.betas;
    const { average, square } = countMoments(p, grad, state, group);
    const correction2 = 1 - beta2 ** step;
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * step * beta2 ** step) / correction2;
    const update = average.div(1 - beta1 ** step).mul_(lr);
    if (length > 5) {
      const rectified = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length));
      update.div_(square.sqrt().add_(group.eps)).mul_(Math.sqrt(correction2) * rectified);
    }
    realView(p).sub_(update);
  }
}
