// Adam and AdamW.
import { peekGrad } from '../autograd/accumulate.js';
import { nativeOp } from '../native/addon.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { invokeVoid } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import { Optimizer, type ParameterState } from './optimizer.js';
import { check, checkModes, numberState, readBetas, zeroState } from './state.js';
import { pyFloat } from '../nn/printing.js';

const STEP = nativeOp('adam_step');

/** The options of an Adam or AdamW group. */
export type AdamOptions = {
  lr: number;
  betas: [number, number];
  eps: number;
  weightDecay: number;
  amsgrad: boolean;
  maximize: boolean;
  foreach: boolean | null;
  capturable: boolean;
  differentiable: boolean;
  fused: boolean | null;
  decoupledWeightDecay: boolean;
};

const ADAM =
  'Adam(any? params, float lr=0.001, float[]? betas=None, float eps=1e-8, float weightDecay=0, bool amsgrad=False, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False, bool? fused=None, bool decoupledWeightDecay=False)';
const ADAMW =
  'AdamW(any? params, float lr=0.001, float[]? betas=None, float eps=1e-8, float weightDecay=0.01, bool amsgrad=False, bool maximize=False, bool? foreach=None, bool capturable=False, bool differentiable=False, bool? fused=None)';
const ADAM_SIGNATURE = signature(ADAM);
const ADAMW_SIGNATURE = signature(ADAMW);

type Start = [
  params: Params<AdamOptions>,
  lr: number,
  betas: readonly number[] | null,
  eps: number,
  weightDecay: number,
  amsgrad: boolean,
];
type AdamFull = [
  ...Start,
  foreach: boolean | null,
  maximize: boolean,
  capturable: boolean,
  differentiable: boolean,
  fused: boolean | null,
  decoupledWeightDecay: boolean,
];
type AdamWFull = [
  ...Start,
  maximize: boolean,
  foreach: boolean | null,
  capturable: boolean,
  differentiable: boolean,
  fused: boolean | null,
];

interface AdamState extends ParameterState {
  step: Tensor;
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
  max_exp_avg_sq?: Tensor;
}

/**
 * Steps scaled by running averages of the gradient and its square: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
 * p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) at step t, where g = grad + weightDecay p. State: `step`,
 * `exp_avg` (m), `exp_avg_sq` (v), with amsgrad `max_exp_avg_sq`.
 * (Kingma and Ba, https://arxiv.org/abs/1412.6980; AMSGrad: Reddi et al., https://openreview.net/forum?id=ryQu7f-RZ)
 */
export class Adam extends Optimizer<AdamOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.001), at least 0
   * @param betas the coefficients of both averages (default [0.9, 0.999]), below 1
   * @param eps added to the denominator (default 1e-8)
   * @param weightDecay the L2 penalty (default 0)
   * @param amsgrad whether to divide by the largest v so far (default false)
   * @param foreach accepted for PyTorch's sake (default null): all parameters of a group are updated in one native call
   * @param maximize whether to go up the gradient, not down (default false)
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param differentiable refused where true (default false): steps are not recorded
   * @param fused as foreach (default null); not both true
   * @param decoupledWeightDecay whether the decay is AdamW's, p -= lr weightDecay p, not part of g (default false)
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof ADAM, AdamFull>) {
    const [
      params,
      lr,
      betas,
      eps,
      weightDecay,
      amsgrad,
      foreach,
      maximize,
      capturable,
      differentiable,
      fused,
      decoupled,
    ] = bind(ADAM_SIGNATURE, args) as AdamFull;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps >= 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    const bothBetas = readBetas(betas);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    checkModes('Adam', { foreach, differentiable, fused, capturable });
    super(params, {
      lr,
      betas: bothBetas,
      eps,
      weightDecay,
      amsgrad,
      maximize,
      foreach,
      capturable,
      differentiable,
      fused,
      decoupledWeightDecay: decoupled,
    });
  }

  protected override _update(): void {
    const groups = this.paramGroups;
    for (let i = 0; i < groups.length; i++) this.updateGroup(groups[i]!);
  }

  private updateGroup(group: Group<AdamOptions>): void {
    const all = group.params;
    const params: Tensor[] = [];
    const grads: Tensor[] = [];
    const averages: Tensor[] = [];
    const squares: Tensor[] = [];
    const maxima: Tensor[] = [];
    const steps: Tensor[] = [];
    for (let k = 0; k < all.length; k++) {
      const p = all[k]!;
      const grad = peekGrad(p);
      if (grad === null) continue;
      const state = (this.state.get(p) as AdamState | undefined) ?? this.start(p);
      params.push(p);
      grads.push(grad);
      averages.push(state.exp_avg);
      squares.push(state.exp_avg_sq);
      // Made when first needed: the option can be switched on in a running optimizer.
      if (group.amsgrad) maxima.push((state.max_exp_avg_sq ??= zeroState(p)));
      steps.push(state.step);
    }
    if (params.length === 0) return;
    invokeVoid(
      STEP,
      params,
      grads,
      averages,
      squares,
      maxima,
      steps,
      group.lr,
      group.betas[0],
      group.betas[1],
      group.eps,
      group.weightDecay,
      group.maximize,
      group.decoupledWeightDecay,
    );
  }

  private start(p: Tensor): AdamState {
    const state: AdamState = { step: numberState(0), exp_avg: zeroState(p), exp_avg_sq: zeroState(p) };
    this.state.set(p, state);
    return state;
  }
}

/**
 * Adam with weight decay apart from the gradient: p -= lr weightDecay p before the step; everything else as `Adam`.
 * (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101)
 */
export class AdamW extends Adam {
  /**
   * @param args as for `Adam`: params; lr (default 0.001), betas ([0.9, 0.999]), eps (1e-8), weightDecay (0.01), amsgrad (false),
   *   maximize (false), foreach (null), capturable (false), differentiable (false), fused (null).
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof ADAMW, AdamWFull>) {
    const [params, lr, betas, eps, weightDecay, amsgrad, maximize, foreach, capturable, differentiable, fused] = bind(
      ADAMW_SIGNATURE,
      args,
    ) as AdamWFull;
    super(params, lr, betas, eps, weightDecay, amsgrad, foreach, maximize, capturable, differentiable, fused, true);
  }
}
