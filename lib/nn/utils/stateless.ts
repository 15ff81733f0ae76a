// torch.nn.utils.stateless: calling a module with other parameters and buffers than its own.
import type { Module } from '../module.js';
import { callWith, readFunctionalCall, type TensorsByName } from './functional_call.js';

export type { TensorsByName } from './functional_call.js';

/** The named arguments of `functionalCall`. */
export interface FunctionalCallOptions {
  /** Whether a value for one name of a tied tensor holds for its other names too; default true. */
  tieWeights?: boolean;
  /** Whether the tensors must be exactly those of the module; default false. */
  strict?: boolean;
}

/**
 * Calls a module with other tensors in the place of its parameters and buffers: `torch.func.functionalCall` for one mapping.
 * @param module the module; it is as before afterwards.
 * @param parametersAndBuffers tensors by path; the module's own stay where none is given.
 * @param args the argument of the call, or an array of them (default none).
 * @param kwargs the call's trailing options (default none).
 * @param options `tieWeights` (default true): whether a value for one name of a tied tensor holds for its other names too;
 *   `strict` (default false): whether the tensors must be exactly those of the module.
 * @returns what the call returns.
 * @throws RuntimeError for a path that leads nowhere, different values of a tied tensor, and with `strict` for other names;
 *   TypeError for what is no module.
 */
export function functionalCall(
  module: Module,
  parametersAndBuffers: TensorsByName,
  args?: unknown,
  kwargs?: Record<string, unknown> | FunctionalCallOptions | null,
  options?: FunctionalCallOptions,
): unknown {
  const given = [module, parametersAndBuffers, args, kwargs, options];
  while (given.length > 2 && given[given.length - 1] === undefined) given.pop();
  const [target, tensors, list, tieWeights, strict] = readFunctionalCall(given);
  return callWith(target, tensors as TensorsByName, list, tieWeights, strict);
}
