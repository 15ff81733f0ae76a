// NAdam: Adam with Nesterov momentum.
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

/** The options of an NAdam group. */
export type NAdamOptions = CommonOptions & {
  betas: [number, number];
  eps: number;
  weightDecay: number;
  momentumDecay: number;
  decoupledWeightDecay: boolean;
};

const TEXT =
  'NAdam(any? params, float lr=0.002, float[]? betas=None, float eps=1e-8, float weightDecay=0, float momentumDecay=0.004, bool decoupledWeightDecay=False, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<NAdamOptions>,
  lr: number,
  betas: readonly number[] | null,
  eps: number,
  weightDecay: number,
  momentumDecay: number,
  decoupledWeightDecay: boolean,
  foreach: boolean | null,
  maximize: boolean,
  capturable: boolean,
  differentiable: boolean,
];

/**
 * Adam that looks ahead along its momentum: with m and v as in `Adam`, mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2) and M_t the
 * product of mu_1 to mu_t, p -= lr ((1 - mu_t) g / (1 - M_t) + mu_(t+1) m / (1 - M_(t+1))) / (sqrt(v / (1 - beta2^t)) + eps).
 * State: `step`, `mu_product` (M_t), `exp_avg` (m), `exp_avg_sq` (v).
 * (Dozat, "Incorporating Nesterov Momentum into Adam", 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)
 */
export class NAdam extends TensorOptimizer<NAdamOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.002), at least 0
   * @param betas the coefficients of both averages (default [0.9, 0.999]), below 1
   * @param eps added to the denominator (default 1e-8)
   * @param weightDecay the L2 penalty (default 0)
   * @param momentumDecay how fast the momentum warms up (default 0.004)
   * @param decoupledWeightDecay whether the decay is AdamW's, p -= lr weightDecay p, not part of g (default false)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param differentiable refused where true (default false): steps are not recorded
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [
      params,
      lr,
      betas,
      eps,
      weightDecay,
      momentumDecay,
      decoupledWeightDecay,
      foreach,
      maximize,
      capturable,
      differentiable,
    ] = bind(SIGNATURE, args) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    const both = readBetas(betas);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    check(momentumDecay >= 0, `Invalid momentum_decay value: ${pyFloat(momentumDecay)}`);
    checkModes('NAdam', { differentiable, capturable });
    super(params, {
      lr,
      betas: both,
      eps,
      weightDecay,
      momentumDecay,
      decoupledWeightDecay,
      maximize,
      foreach,
      capturable,
      differentiable,
    });
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: numberState(0), mu_product: numberState(1), exp_avg: zeroState(p), exp_avg_sq: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<NAdamOptions>): void {
    const step = countStep(state);
    const { lr, momentumDecay } = group;
    const [beta1, beta2] = group.betas;
    const { g, average, square } = countMoments(p, grad, state, group);
    const product = state['mu_product'] as Tensor;
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const muNext = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay));
    product.mul_(mu);
    const muProduct = Number(product.item());
    const denominator = square
      .div(1 - beta2 ** step)
      .sqrt_()
      .add_(group.eps);
    const real = realView(p);
    real.addcdiv_(g, denominator, { value: (-lr * (1 - mu)) / (1 - muProduct) });
    real.addcdiv_(average, denominator, { value: (-lr * muNext) / (1 - muProduct * muNext) });
  }
}
