// What a layer says when it was called with arguments that it cannot take. Layers do not look at their arguments before they
// compute: only once a call has failed are the arguments held against what its `forward` takes, so that the error names the
// layer and the argument instead of whatever went wrong inside.
import { bind, type Signature, signature } from '../ops/signature.js';
import type { Module } from './module.js';

/** What a `forward` takes. */
interface Taken {
  readonly arguments: (args: readonly unknown[]) => Signature;
  /** Parameters that the layer cannot do without, by the start of their names; '' for none. */
  readonly weights: readonly string[];
}

const known = new WeakMap<object, Taken>();

/**
 * Says what the `forward` of a class takes; classes that inherit it take the same.
 * @param forward the method
 * @param parameters as in a signature, `'Tensor input, Tensor target'`, or a function that finds them by the arguments
 * @param weights the names, or their beginnings, of parameters that may not be null
 */
export function forwardTakes(
  forward: object,
  parameters: string | ((args: readonly unknown[]) => Signature),
  weights: readonly string[] = [],
): void {
  const one = typeof parameters === 'string' ? signature(`forward(${parameters})`) : null;
  known.set(forward, { arguments: one === null ? (parameters as Taken['arguments']) : () => one, weights });
}

/**
 * The error of a call that failed.
 * @param module the module that was called
 * @param args what it was called with
 * @param error what was thrown
 * @returns a TypeError that names the first argument that does not fit, or what was thrown, if all do
 */
export function forwardError(module: Module, args: readonly unknown[], error: unknown): unknown {
  const taken = known.get(module.forward);
  if (taken === undefined) return error;
  const name = `${module._getName()}.forward`;
  try {
    bind({ ...taken.arguments(args), name }, args);
  } catch (refusal) {
    return Object.assign(refusal as Error, { cause: error });
  }
  for (const [weight, value] of module._parameters) {
    if (value === null && taken.weights.some((start) => weight.startsWith(start)))
      return new TypeError(`${name}(): argument '${weight}' must be Tensor, not null`, { cause: error });
  }
  return error;
}
