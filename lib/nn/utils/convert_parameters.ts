// All parameters as one vector, and back.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { cat } from '../../ops/join.js';
import { Tensor } from '../../tensor/tensor.js';

/**
 * The elements of all parameters, one after the other. Differentiable.
 * @param parameters any iterable of tensors, at least one
 * @returns [total]
 * @throws RuntimeError for no parameters
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat([...parameters].map((p) => p.reshape(-1)));
}

/**
 * Sets the parameters to consecutive pieces of a vector, whose memory they share from then on.
 * @param vec [total]
 * @param parameters any iterable of parameters, as for `parametersToVector`
 * @throws TypeError unless `vec` is a tensor; RuntimeError if it has another number of elements.
 */
export function vectorToParameters(vec: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vec instanceof Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${typeof vec}`);
  const list = [...parameters];
  const total = list.reduce((n, p) => n + p.numel(), 0);
  if (vec.ndim !== 1 || vec.numel() !== total) {
    throw new RuntimeError(
      `vectorToParameters(): expected a vector of ${total} elements, got [${vec.shape.join(', ')}]`,
    );
  }
  noGrad(() => {
    let at = 0;
    for (const p of list) {
      const n = p.numel();
      p.data = vec.narrow(0, at, n).viewAs(p).detach();
      at += n;
    }
  });
}
