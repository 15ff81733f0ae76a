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
  'Adam(any params, float lr=0.001, float[]? betas=None, float eps=1e-8, float weightDecay=0, bool amsgrad=False, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False, bool? fused=None, bool decoupledWeightDecay=False)';
const ADAMW =
  'AdamW(any params, float lr=0.001, float[]? betas=None, float eps=1e-8, float weightDecay=0.01, bool amsgrad=False, bool maximize=False, bool? foreach=None, bool capturable=False, bool differentiable=False, bool? fused=None)';
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
 * Adam: steps scaled by running averages of the gradient and its square.
 * (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014; AMSGrad: Reddi et al., 2018)
 */
export class Adam extends Optimizer<AdamOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups with options of their own.
   * @param lr the learning rate, default 0.001.
   * @param betas the coefficients of both averages, default [0.9, 0.999].
   * @param eps added to the denominator, default 1e-8.
   * @param weightDecay the L2 penalty, default 0.
   * @param amsgrad divides by the largest average so far, default false.
   * @param maximize default false: minimise.
   * @param decoupledWeightDecay AdamW's weight decay, default false.
   * @param foreach, fused accepted for PyTorch's sake: all parameters of a group are always updated in one native call.
   * @throws RuntimeError for a value out of its range.
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
 * Adam with weight decay apart from the gradient: `p -= lr weightDecay p`.
 * (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2017)
 */
export class AdamW extends Adam {
  /** @param args as Adam's, but with a weight decay of 0.01 by default and no `decoupledWeightDecay`. */
  constructor(...args: CallArguments<typeof ADAMW, AdamWFull>) {
    const [params, lr, betas, eps, weightDecay, amsgrad, maximize, foreach, capturable, differentiable, fused] = bind(
      ADAMW_SIGNATURE,
      args,
    ) as AdamWFull;
    super(params, lr, betas, eps, weightDecay, amsgrad, foreach, maximize, capturable, differentiable, fused, true);
  }
}
