// Adafactor.
import { bfloat16, type DType, float16, float64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { zeros } from '../ops/creation.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, numberState, retain, zeroState } from './state.js';
import { countStep, TensorOptimizer } from './tensor_optimizer.js';

/** The options of an Adafactor group. */
export type AdafactorOptions = {
  lr: number;
  beta2Decay: number;
  eps: [number | null, number];
  d: number;
  weightDecay: number;
  foreach: boolean | null;
  maximize: boolean;
};

const TEXT =
  'Adafactor(any? params, float lr=0.01, float beta2Decay=-0.8, any[]? eps=None, float d=1, float weightDecay=0, bool? foreach=None, bool maximize=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<AdafactorOptions>,
  lr: number,
  beta2Decay: number,
  eps: [number | null, number] | null,
  d: number,
  weightDecay: number,
  foreach: boolean | null,
  maximize: boolean,
];

/** The distance from 1 to the next number of a type. */
function epsilonOf(dtype: DType): number {
  return dtype === float64 ? 2 ** -52 : dtype === float16 ? 2 ** -10 : dtype === bfloat16 ? 2 ** -7 : 2 ** -23;
}

function norm(t: Tensor): number {
  return Number(t.norm().item());
}

/**
 * Adaptive steps that remember a row and a column for each matrix, not all of its squares: with the averages r and c of g^2 over
 * columns and rows, v = r c / mean(r) and u = g / sqrt(v), p -= a u / max(1, rms(u) / d), where
 * a = max(eps2, rms(p)) min(lr, 1 / sqrt(t)) at step t. Tensors of one dimension keep v. State: `step`, `row_var` and `col_var`,
 * or `variance`. (Shazeer and Stern, https://arxiv.org/abs/1804.04235)
 */
export class Adafactor extends TensorOptimizer<AdafactorOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own; not complex
   * @param lr the learning rate (default 0.01), at least 0; early steps use less
   * @param beta2Decay step t averages squares with the weight t^beta2Decay (default -0.8), at most 0
   * @param eps lower bounds of the squared update (null: the type's epsilon) and of the parameter's scale (default [null, 0.001])
   * @param d the update's size is clipped to it (default 1), at least 1
   * @param weightDecay decoupled from the gradient, p -= lr weightDecay p (default 0)
   * @param foreach accepted for PyTorch's sake (default null): parameters are updated one after the other
   * @param maximize whether to go up the gradient, not down (default false)
   * @throws RuntimeError for a value out of its range and parameters as for `Optimizer`; the step
   *   throws it for a complex parameter
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, beta2Decay, eps, d, weightDecay, foreach, maximize] = bind(SIGNATURE, args) as Full;
    const [eps1, eps2] = eps ?? [null, 1e-3];
    check(lr >= 0, `Learning rate should be >= 0 but is: ${lr}`);
    check(beta2Decay <= 0, `beta2_decay should be <= 0 but is: ${beta2Decay}`);
    check(eps1 === null || eps1 >= 0, `epsilon1 should be >= 0 but is: ${eps1}`);
    check(eps2 >= 0, `epsilon2 should be >= 0 but is: ${eps2}`);
    check(d >= 1, `Clipping threshold d should be >= 1 but is: ${d}`);
    check(weightDecay >= 0, `weight_decay should be >= 0 but is: ${weightDecay}`);
    super(params, { lr, beta2Decay, eps: [eps1, eps2], d, weightDecay, foreach, maximize });
  }

  protected override initialState(p: Tensor, grad: Tensor): ParameterState {
    if (p.dtype.isComplex) throw new RuntimeError('Adafactor does not support complex parameters');
    if (grad.ndim <= 1) return { step: numberState(0), variance: zeroState(grad) };
    const rows = [...grad.shape.slice(0, -1), 1];
    const columns = [...grad.shape.slice(0, -2), 1, grad.size(-1)];
    return {
      step: numberState(0),
      row_var: retain(zeros(rows, { dtype: grad.dtype })),
      col_var: retain(zeros(columns, { dtype: grad.dtype })),
    };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<AdafactorOptions>): void {
    const step = countStep(state);
    const { lr, weightDecay } = group;
    const eps1 = group.eps[0] ?? epsilonOf(p.dtype);
    const weight = step ** group.beta2Decay;
    const size = Math.sqrt(p.numel());
    const alpha = Math.max(group.eps[1], norm(p) / size) * Math.min(lr, 1 / Math.sqrt(step));
    if (weightDecay !== 0) p.mul_(1 - lr * weightDecay);
    let estimate: Tensor;
    if (grad.ndim > 1) {
      const row = state['row_var'] as Tensor;
      const column = state['col_var'] as Tensor;
      row.lerp_(grad.square().mean(-1, true), weight);
      column.lerp_(grad.square().mean(-2, true), weight);
      estimate = row.matmul(column).div_(row.mean(-2, true).clamp_({ min: eps1 }));
    } else {
      const variance = state['variance'] as Tensor;
      variance.lerp_(grad.square(), weight);
      estimate = variance.clone();
    }
    const update = estimate
      .clamp_({ min: eps1 * eps1 })
      .rsqrt_()
      .mul_(grad);
    const clip = Math.max(1, norm(update) / (size * group.d));
    p.add_(update, { alpha: -alpha / clip });
  }

  protected override floatOption(name: string): boolean {
    return name === 'weightDecay' || super.floatOption(name);
  }
}
