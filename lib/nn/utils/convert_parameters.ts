// All parameters as one vector, and back.
import { noGrad } from '../../autograd/mode.js';
import { kindOf } from '../../core/errors.js';
import { isIterable } from '../containers/list.js';
import { cat } from '../../ops/join.js';
import { Tensor } from '../../tensor/tensor.js';

function listOf(fn: string, parameters: unknown): Tensor[] {
  const list = isIterable(parameters) && !(parameters instanceof Tensor) ? [...parameters] : null;
  const other = list === null ? parameters : list.find((p) => !(p instanceof Tensor));
  if (list === null || list.some((p) => !(p instanceof Tensor)))
    throw new TypeError(
      `${fn}(): argument 'parameters' must be an iterable of Tensors, not ${list === null ? '' : 'of '}${kindOf(other)}`,
    );
  return list as Tensor[];
}

/**
 * The elements of all parameters, one after the other. Differentiable.
 * @param parameters any iterable of tensors, at least one
 * @returns [total]
 * @throws RuntimeError for no parameters; TypeError for anything but an iterable of tensors
 */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat(listOf('parametersToVector', parameters).map((p) => p.reshape(-1)));
}

/**
 * Sets the parameters to consecutive pieces of a vector, whose memory they share from then on.
 * @param vec [total] or longer: what is left over is not used
 * @param parameters any iterable of parameters, as for `parametersToVector`
 * @throws TypeError unless `vec` is a tensor and `parameters` tensors; RuntimeError if it has too few elements, RangeError if it
 *   has no dimension.
 */
export function vectorToParameters(vec: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vec instanceof Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${kindOf(vec)}`);
  const list = listOf('vectorToParameters', parameters);
  if (vec.ndim === 0) throw new RangeError('slice() cannot be applied to a 0-dim tensor.');
  noGrad(() => {
    const length = vec.shape[0]!;
    let at = 0;
    // All pieces first: a vector that is too short must leave every parameter as it was.
    const pieces = list.map((p) => {
      const from = Math.min(at, length);
      at += p.numel();
      return vec
        .narrow(0, from, Math.min(at, length) - from)
        .viewAs(p)
        .detach();
    });
    list.forEach((p, i) => {
      p.data = pieces[i]!;
    });
  });
}
