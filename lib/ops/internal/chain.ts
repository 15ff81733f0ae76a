// The product of a chain of matrices.
import type { Tensor } from '../../tensor/tensor.js';
import { mm } from '../matmul.js';

/** Matrix-chain order by dynamic programming (Cormen et al., Introduction to Algorithms, 15.2). */
export function bestChain(matrices: readonly Tensor[]): Tensor {
  const n = matrices.length;
  const sizes = [matrices[0]!.shape[0]!, ...matrices.map((m) => m.shape[1]!)];
  const cost: number[][] = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const cut: number[][] = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let span = 1; span < n; span++) {
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      cost[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const c = cost[i]![k]! + cost[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (c < cost[i]![j]!) {
          cost[i]![j] = c;
          cut[i]![j] = k;
        }
      }
    }
  }
  const multiply = (i: number, j: number): Tensor =>
    i === j ? matrices[i]! : mm(multiply(i, cut[i]![j]!), multiply(cut[i]![j]! + 1, j));
  return multiply(0, n - 1);
}
