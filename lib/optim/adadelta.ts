// Adadelta.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, type CommonOptions, numberState, realView, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an Adadelta group. */
export type AdadeltaOptions = CommonOptions & {
  rho: number;
  eps: number;
  weightDecay: number;
};

const TEXT =
  'Adadelta(any? params, float lr=1, float rho=0.9, float eps=1e-6, float weightDecay=0, bool? foreach=None, bool capturable=False, bool maximize=False, bool differentiable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<AdadeltaOptions>,
  lr: number,
  rho: number,
  eps: number,
  weightDecay: number,
  foreach: boolean | null,
  capturable: boolean,
  maximize: boolean,
  differentiable: boolean,
];

/**
 * Steps of the size of past steps, relative to past gradients; it needs no learning rate: v = rho v + (1 - rho) g^2,
 * s = sqrt(u + eps) / sqrt(v + eps) g, u = rho u + (1 - rho) s^2, p -= lr s, where g = grad + weightDecay p.
 * State: `step`, `square_avg` (v), `acc_delta` (u). (Zeiler, https://arxiv.org/abs/1212.5701)
 */
export class Adadelta extends TensorOptimizer<AdadeltaOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr a factor of the step (default 1), at least 0
   * @param rho the coefficient of both averages of squares (default 0.9), from 0 to 1
   * @param eps added below both square roots (default 1e-6)
   * @param weightDecay the L2 penalty (default 0)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, rho, eps, weightDecay, foreach, capturable, maximize, differentiable] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(rho >= 0 && rho <= 1, `Invalid rho value: ${pyFloat(rho)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    checkModes('Adadelta', { differentiable, capturable });
    super(params, { lr, rho, eps, weightDecay, maximize, capturable, foreach, differentiable });
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: numberState(0), square_avg: zeroState(p), acc_delta: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<AdadeltaOptions>): void {
    countStep(state);
    const { rho, eps } = group;
    const g = realView(group.weightDecay === 0 ? grad : grad.add(p, { alpha: group.weightDecay }));
    const square = realView(state['square_avg'] as Tensor);
    const past = realView(state['acc_delta'] as Tensor);
    square.mul_(rho).addcmul_(g, g, { value: 1 - rho });
    const delta = past.add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(g);
    past.mul_(rho).addcmul_(delta, delta, { value: 1 - rho });
    realView(p).add_(delta, { alpha: -group.lr });
  }
}
