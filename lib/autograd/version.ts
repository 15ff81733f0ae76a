// Telling autograd of changes that it did not see.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';

/**
 * Counts a change in place that no operation of this library made, so that backward refuses values that were saved before.
 * @param tensor a tensor or an iterable of them
 * @throws RuntimeError for anything else
 */
export function incrementVersion(tensor: Tensor | Iterable<Tensor>): void {
  const iterable = typeof tensor === 'object' && tensor !== null && Symbol.iterator in tensor;
  if (!(tensor instanceof Tensor) && !iterable)
    throw new RuntimeError('increment_version expect a Iterable[Tensor] as input');
  const list: unknown[] = tensor instanceof Tensor ? [tensor] : [...tensor];
  if (!list.every((t) => t instanceof Tensor))
    throw new RuntimeError('increment_version expects each element of the iterable to be a tensor');
  for (const t of list as Tensor[]) arithmetic.bump(t);
}
