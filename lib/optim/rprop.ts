// Rprop: resilient backpropagation.
import { bind, type CallArguments, signature } from '../ops/signature.js';
import { fullLike } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, checkModes, type CommonOptions, numberState, realView, retain, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of an Rprop group. */
export type RpropOptions = CommonOptions & {
  etas: [number, number];
  stepSizes: [number, number];
};

const TEXT =
  'Rprop(any? params, float lr=0.01, float[]? etas=None, float[]? stepSizes=None, bool capturable=False, bool? foreach=None, bool maximize=False, bool differentiable=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<RpropOptions>,
  lr: number,
  etas: readonly number[] | null,
  stepSizes: readonly number[] | null,
  capturable: boolean,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
];

/**
 * A step size for each element, by which it moves against the sign of its gradient: the size grows while the gradient keeps its
 * sign and shrinks when it changes, in which case the gradient counts as zero once. For whole batches. State: `step`, `prev` (the
 * gradient before), `step_size`.
 * (Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993)
 */
export class Rprop extends TensorOptimizer<RpropOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the first step size (default 0.01), at least 0
   * @param etas by which step sizes shrink and grow (default [0.5, 1.2]), below and above 1
   * @param stepSizes the smallest and the largest step size (default [1e-6, 50])
   * @param capturable refused where true (default false): the CPU captures no graphs
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @param differentiable refused where true (default false): steps are not recorded
   * @throws RuntimeError for a value out of its range, an option that is refused, and parameters as for `Optimizer`
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, etas, stepSizes, capturable, foreach, maximize, differentiable] = bind(SIGNATURE, args) as Full;
    const [minus, plus] = etas ?? [0.5, 1.2];
    const [smallest, largest] = stepSizes ?? [1e-6, 50];
    check(lr >= 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(0 < minus! && minus! < 1 && 1 < plus!, `Invalid eta values: ${minus}, ${plus}`);
    check(smallest! <= largest!, `Invalid step sizes: ${smallest}, ${largest}`);
    checkModes('Rprop', { differentiable, capturable });
    super(params, {
      lr,
      etas: [minus!, plus!],
      stepSizes: [smallest!, largest!],
      foreach,
      maximize,
      differentiable,
      capturable,
    });
  }

  protected override initialState(p: Tensor, grad: Tensor, group: Group<RpropOptions>): ParameterState {
    const start = p.dtype.isComplex ? { re: group.lr, im: group.lr } : group.lr;
    return { step: numberState(0), prev: zeroState(p), step_size: retain(fullLike(grad.detach(), start)) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<RpropOptions>): void {
    countStep(state);
    const [minus, plus] = group.etas;
    const g = realView(grad);
    const previous = realView(state['prev'] as Tensor);
    const size = realView(state['step_size'] as Tensor);
    const agreement = g.mul(previous);
    const turned = agreement.lt(0);
    // Where the sign changed, the step is taken back in size only: the gradient counts as zero this time.
    const factor = fullLike(agreement, 1).maskedFill_(agreement.gt(0), plus).maskedFill_(turned, minus);
    size.mul_(factor).clamp_(group.stepSizes[0], group.stepSizes[1]);
    const used = g.maskedFill(turned, 0);
    realView(p).addcmul_(used.sign(), size, { value: -1 });
    previous.copy_(used);
  }
}
