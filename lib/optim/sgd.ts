// Stochastic gradient descent.
import { peekGrad } from '../autograd/accumulate.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { nativeOp } from '../native/addon.js';
import { invokeVoid } from '../tensor/invoke.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Params } from './groups.js';
import { Optimizer } from './optimizer.js';
import { check, checkModes, zeroState } from './state.js';
import { pyFloat } from '../nn/printing.js';

const STEP = nativeOp('sgd_step');

/** The options of an SGD group. */
export type SGDOptions = {
  lr: number;
  momentum: number;
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
  maximize: boolean;
  foreach: boolean | null;
  differentiable: boolean;
  fused: boolean | null;
};

const TEXT =
  'SGD(any? params, float lr=0.001, float momentum=0, float dampening=0, float weightDecay=0, bool nesterov=False, bool maximize=False, bool? foreach=None, bool differentiable=False, bool? fused=None)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<SGDOptions>,
  lr: number,
  momentum: number,
  dampening: number,
  weightDecay: number,
  nesterov: boolean,
  maximize: boolean,
  foreach: boolean | null,
  differentiable: boolean,
  fused: boolean | null,
];

/**
 * Stochastic gradient descent, with momentum as PyTorch has it: g = grad + weightDecay p; b = momentum b + (1 - dampening) g
 * (b = g at first); p -= lr b, or p -= lr (g + momentum b) with Nesterov. State: `momentum_buffer`, b, with a momentum.
 * (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013)
 */
export class SGD extends Optimizer<SGDOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.001), at least 0
   * @param momentum how much of the last update goes on (default 0)
   * @param dampening how much less the gradient counts in the momentum (default 0)
   * @param weightDecay the L2 penalty (default 0)
   * @param nesterov whether to look ahead along the momentum (default false); needs a momentum and no dampening
   * @param maximize whether to go up the gradient, not down (default false)
   * @param foreach accepted for PyTorch's sake (default null): all parameters of a group are updated in one native call
   * @param differentiable refused where true (default false): steps are not recorded
   * @param fused as foreach (default null); not both true
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, momentum, dampening, weightDecay, nesterov, maximize, foreach, differentiable, fused] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(momentum >= 0, `Invalid momentum value: ${pyFloat(momentum)}`);
    check(weightDecay >= 0, `Invalid weight_decay value: ${pyFloat(weightDecay)}`);
    check(!nesterov || (momentum > 0 && dampening === 0), 'Nesterov momentum requires a momentum and zero dampening');
    checkModes('SGD', { foreach, differentiable, fused });
    super(params, { lr, momentum, dampening, weightDecay, nesterov, maximize, foreach, differentiable, fused });
  }

  protected override _update(): void {
    const groups = this.paramGroups;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      if (group.momentum === 0) this.updatePlain(group);
      else this.updateWithMomentum(group);
    }
  }

  private updatePlain(group: SGDOptions & { params: Tensor[] }): void {
    const all = group.params;
    const params: Tensor[] = [];
    const grads: Tensor[] = [];
    for (let k = 0; k < all.length; k++) {
      const grad = peekGrad(all[k]!);
      if (grad === null) continue;
      params.push(all[k]!);
      grads.push(grad);
    }
    run(group, params, grads, [], false);
  }

  private updateWithMomentum(group: SGDOptions & { params: Tensor[] }): void {
    const all = group.params;
    const params: Tensor[] = [];
    const grads: Tensor[] = [];
    const buffers: Tensor[] = [];
    const fresh: Tensor[] = [];
    for (let k = 0; k < all.length; k++) {
      const p = all[k]!;
      const grad = peekGrad(p);
      if (grad === null) continue;
      const buffer = this.state.get(p)?.['momentum_buffer'];
      if (buffer === undefined || buffer === null) {
        fresh.push(p);
        continue;
      }
      params.push(p);
      grads.push(grad);
      buffers.push(buffer as Tensor);
    }
    run(group, params, grads, buffers, false);
    if (fresh.length > 0) this.startMomentum(group, fresh);
  }

  /** The first step of a parameter sets its buffer to the gradient, without dampening. */
  private startMomentum(group: SGDOptions, params: Tensor[]): void {
    const buffers = params.map((p) => zeroState(p));
    run(
      group,
      params,
      params.map((p) => peekGrad(p)!),
      buffers,
      true,
    );
    params.forEach((p, i) => this.state.set(p, { momentum_buffer: buffers[i] }));
  }
}

function run(group: SGDOptions, params: Tensor[], grads: Tensor[], buffers: Tensor[], first: boolean): void {
  if (params.length === 0) return;
  invokeVoid(
    STEP,
    params,
    grads,
    buffers,
    group.lr,
    group.momentum,
    group.dampening,
    group.weightDecay,
    group.nesterov,
    group.maximize,
    first,
  );
}
