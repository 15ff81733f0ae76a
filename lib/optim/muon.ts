// Muon: momentum, orthogonalised.
import { bfloat16 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { addmm } from '../ops/matmul.js';
import { bind, type CallArguments, signature } from '../ops/signature.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group, Params } from './groups.js';
import type { ParameterState } from './optimizer.js';
import { check, zeroState } from './state.js';
import { TensorOptimizer } from './tensor_optimizer.js';

/** How Muon scales the learning rate by a matrix's shape. */
export type AdjustLr = 'original' | 'match_rms_adamw';

/** The options of a Muon group. */
export type MuonOptions = {
  lr: number;
  weightDecay: number;
  momentum: number;
  nesterov: boolean;
  nsCoefficients: [number, number, number];
  eps: number;
  nsSteps: number;
  adjustLrFn: AdjustLr | null;
};

const TEXT =
  'Muon(any? params, float lr=0.001, float weightDecay=0.1, float momentum=0.95, bool nesterov=True, float[]? nsCoefficients=None, float eps=1e-7, int nsSteps=5, str? adjustLrFn=None)';
const SIGNATURE = signature(TEXT);
type Full = [
  params: Params<MuonOptions>,
  lr: number,
  weightDecay: number,
  momentum: number,
  nesterov: boolean,
  nsCoefficients: readonly number[] | null,
  eps: number,
  nsSteps: number,
  adjustLrFn: AdjustLr | null,
];

/** The quintic of the Newton-Schulz iteration that the method's author proposes. */
const COEFFICIENTS: [number, number, number] = [3.4445, -4.775, 2.0315];

/**
 * The orthogonal matrix next to g [A, B], roughly: singular values become about 1. In bfloat16, as the method has it.
 * X <- a X + (b XX' + c XX'XX') X
 */
function orthogonalize(g: Tensor, group: MuonOptions): Tensor {
  const [a, b, c] = group.nsCoefficients;
  const tall = g.size(0) > g.size(1);
  let x = g.to(bfloat16);
  if (tall) x = x.t();
  x = x.div(x.norm().clamp({ min: group.eps }));
  for (let i = 0; i < group.nsSteps; i++) {
    const gram = x.matmul(x.t());
    x = addmm(x, addmm(gram, gram, gram, { beta: b, alpha: c }), x, { beta: a });
  }
  return tall ? x.t() : x;
}

/**
 * Momentum whose update is made orthogonal, for the matrices of hidden layers; other parameters go to another optimizer:
 * b = momentum b + (1 - momentum) g, u = the orthogonal matrix next to b (with Nesterov to (1 - momentum) g + momentum b), found
 * by Newton-Schulz iterations X = a X + (b X X^T + c (X X^T)^2) X in bfloat16, p = (1 - lr weightDecay) p - lr scale u.
 * State: `momentum_buffer`.
 * (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, https://kellerjordan.github.io/posts/muon/)
 */
export class Muon extends TensorOptimizer<MuonOptions> {
  /**
   * @param params matrices, `[name, matrix]` pairs, or groups `{ params, ...options }` with options of their own
   * @param lr the learning rate (default 0.001), at least 0
   * @param weightDecay decoupled from the gradient (default 0.1)
   * @param momentum how much of the average stays (default 0.95)
   * @param nesterov whether to look ahead along the momentum (default true)
   * @param nsCoefficients [a, b, c] of the iteration (default null: [3.4445, -4.775, 2.0315])
   * @param eps the least norm that is divided by (default 1e-7)
   * @param nsSteps how many iterations (default 5), fewer than 100
   * @param adjustLrFn the scale for a matrix [A, B]: 'original' (default null means it) sqrt(max(1, A / B)), 'match_rms_adamw'
   *   0.2 sqrt(max(A, B))
   * @throws RuntimeError for a value out of its range, or a parameter that is no real matrix
   */
  constructor(...args: CallArguments<typeof TEXT, Full>) {
    const [params, lr, weightDecay, momentum, nesterov, coefficients, eps, nsSteps, adjustLrFn] = bind(
      SIGNATURE,
      args,
    ) as Full;
    check(lr >= 0, `Learning rate should be >= 0 but is: ${lr}`);
    check(momentum >= 0, `momentum should be >= 0 but is: ${momentum}`);
    check(weightDecay >= 0, `weight decay should be >= 0 but is: ${weightDecay}`);
    check(
      adjustLrFn === null || adjustLrFn === 'original' || adjustLrFn === 'match_rms_adamw',
      `Adjust learning rate function ${adjustLrFn} is not supported`,
    );
    check(nsSteps < 100, 'Number of steps must be less than 100 for computational efficiency');
    check(coefficients === null || coefficients.length === 3, 'Coefficients must be a tuple of exactly 3 values');
    const nsCoefficients = (coefficients ?? COEFFICIENTS) as [number, number, number];
    super(params, { lr, weightDecay, momentum, nesterov, nsCoefficients, eps, nsSteps, adjustLrFn });
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        check(
          p.ndim === 2,
          `Muon only supports 2D parameters whereas we found a parameter with size: torch.Size([${p.shape.join(', ')}])`,
        );
        if (p.dtype.isComplex) throw new RuntimeError('Muon does not support complex parameters');
      }
    }
  }

  protected override initialState(_p: Tensor, grad: Tensor): ParameterState {
    return { momentum_buffer: zeroState(grad) };
  }

  protected override update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<MuonOptions>): void {
    const { lr, momentum } = group;
    const buffer = state['momentum_buffer'] as Tensor;
    buffer.lerp_(grad, 1 - momentum);
    const update = orthogonalize(group.nesterov ? grad.lerp(buffer, momentum) : buffer, group);
    const [a, b] = [p.size(0), p.size(1)];
    const scale =
      group.adjustLrFn === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(a, b)) : Math.sqrt(Math.max(1, a / b));
    p.mul_(1 - lr * group.weightDecay);
    p.add_(update, { alpha: -lr * scale });
  }
}
