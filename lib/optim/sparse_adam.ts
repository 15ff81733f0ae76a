// Adam for gradients that are mostly zero.
import { RuntimeError } from '../core/errors.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, readBetas, zeroState } from './state.js';
import { TensorOptimizer } from './tensor_optimizer.js';
import { pyFloat } from '../nn/printing.js';

/** The options of a SparseAdam group. */
export type SparseAdamOptions = {
  lr: number;
  betas: [number, number];
  eps: number;
  maximize: boolean;
};

const TEXT = 'SparseAdam(any? params, float lr=0.001, float[]? betas=None, float eps=1e-8, bool maximize=False)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<SparseAdamOptions>,
  lr: number,
  betas: readonly number[] | null,
  eps: number,
  maximize: boolean,
];

/**
 * Adam that touches only the rows with a gradient: the rows of an embedding that a batch did not look up keep their
 * values and their averages. Gradients are dense here, so a row without gradient is one of zeros. State: `step`, `exp_avg`,
 * `exp_avg_sq`. (Kingma and Ba, https://arxiv.org/abs/1412.6980)
 */
export class SparseAdam extends TensorOptimizer<SparseAdamOptions> {
  /**
   * @param params tensors, `[name, tensor]` pairs, or groups `{ params, ...options }` with options of their own; rows are
   *   counted along the first dimension; not complex
   * @param lr the learning rate (default 0.001), above 0
   * @param betas the coefficients of both averages (default [0.9, 0.999]), below 1
   * @param eps added to the denominator (default 1e-8), above 0
   * @param maximize whether to go up the gradient, not down (default false)
   * @throws RuntimeError for a value out of its range, or a complex parameter
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, betas, eps, maximize] = bind(SIGNATURE, args) as Full;
    check(lr > 0, `Invalid learning rate: ${pyFloat(lr)}`);
    check(eps > 0, `Invalid epsilon value: ${pyFloat(eps)}`);
    super(params, { lr, betas: readBetas(betas), eps, maximize });
    for (const group of this.paramGroups) {
      if (group.params.some((p) => p.dtype.isComplex)) {
        throw new RuntimeError('SparseAdam does not support complex parameters');
      }
    }
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, exp_avg: zeroState(p), exp_avg_sq: zeroState(p) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<SparseAdamOptions>): void {
    const before = state['step'] as number | Tensor;
    const step = (typeof before === 'number' ? before : Number(before.item())) + 1;
    state['step'] = step;
    if (grad.numel() === 0) return;
    const [beta1, beta2] = group.betas;
    const rows = grad.ndim === 0 ? grad.reshape(1, 1) : grad.reshape(grad.size(0), -1);
    const touched = (rows.ne(0).any(1).nonzero() as Tensor).reshape(-1);
    if (touched.numel() === 0) return;
    const g = grad.ndim === 0 ? grad.reshape(1) : grad.indexSelect(0, touched);
    const flat = (t: Tensor): Tensor => (t.ndim === 0 ? t.view(1) : t);
    const average = flat(state['exp_avg'] as Tensor);
    const square = flat(state['exp_avg_sq'] as Tensor);
    const newAverage = average.indexSelect(0, touched).lerp_(g, 1 - beta1);
    const newSquare = square.indexSelect(0, touched).lerp_(g.square(), 1 - beta2);
    average.indexCopy_(0, touched, newAverage);
    square.indexCopy_(0, touched, newSquare);
    const size = (group.lr * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
    const change = newAverage.div(newSquare.sqrt_().add_(group.eps)).mul_(-size);
    flat(p).indexAdd_(0, touched, change);
  }
}
