// The loop of the optimizers that are written with tensor operations.
import { peekGrad } from '../autograd/accumulate.js';
import { noGrad } from '../autograd/mode.js';
import { scoped } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Group } from './groups.js';
import { Optimizer, type ParameterState } from './optimizer.js';

/** An optimizer whose update is written with tensor operations, parameter by parameter. */
export abstract class TensorOptimizer<O extends object> extends Optimizer<O> {
  /** The state of a parameter that gets its first gradient. */
  protected abstract initialState(p: Tensor, grad: Tensor, group: Group<O>): ParameterState;

  /** Changes `p` and `state` in place. Nothing is recorded, and temporaries are freed at the end. */
  protected abstract update(p: Tensor, grad: Tensor, state: ParameterState, group: Group<O>): void;

  protected override _update(): void {
    noGrad(() => {
      for (const group of this.paramGroups) for (const p of group.params) this.updateOne(p, group);
    });
  }

  private updateOne(p: Tensor, group: Group<O>): void {
    const grad = peekGrad(p);
    if (grad === null) return;
    let state = this.state.get(p);
    if (state === undefined) {
      state = this.initialState(p, grad, group);
      this.state.set(p, state);
    }
    const s = state;
    scoped(() => {
      const g = (group as { maximize?: boolean }).maximize ? grad.neg() : grad;
      this.update(p, g, s, group);
    });
  }
}

/** Counts a step and returns its number. */
export function countStep(state: ParameterState): number {
  const step = state['step'] as Tensor;
  step.add_(1);
  return Number(step.item());
}
