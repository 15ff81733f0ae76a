// Modules as functions of their parameters.
import { kindOf, RuntimeError } from '../core/errors.js';
import type { Module } from '../nn/module.js';
import { pyList } from '../nn/printing.js';
import { callWith, namedTensors, readFunctionalCall, type TensorsByName } from '../nn/utils/functional_call.js';
import type { FunctionalCallOptions } from '../nn/utils/stateless.js';
import { isOptions } from '../ops/signature.js';
import { stack } from '../ops/join.js';
import type { Tensor } from '../tensor/tensor.js';

function isDict(value: unknown): value is TensorsByName {
  return value instanceof Map || isOptions(value);
}

/** One mapping of several, which must have no key in common. */
function merged(dicts: unknown): TensorsByName {
  if (isDict(dicts)) return dicts;
  if (!Array.isArray(dicts)) {
    throw new RuntimeError(
      `Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got ${kindOf(dicts)}`,
    );
  }
  if (!dicts.every(isDict)) {
    throw new RuntimeError('Expected all elements of parameter_and_buffer_dicts to be dictionaries');
  }
  const entries = dicts.flatMap(namedTensors);
  const counts = new Map<string, number>();
  for (const [name] of entries) counts.set(name, (counts.get(name) ?? 0) + 1);
  const repeated = [...counts].filter(([, n]) => n > 1).map(([name]) => name);
  if (repeated.length > 0) {
    throw new RuntimeError(
      `${pyList(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous`,
    );
  }
  return new Map(entries);
}

/**
 * Calls a module with other tensors in the place of its parameters and buffers, as a function of them.
 * @param module the module; it is as before afterwards
 * @param parameterAndBufferDicts tensors by path, in a plain object or a Map, or an array of such; the module's own stay where
 *   none is given. New values of buffers that `forward` assigns are put in a single object or Map
 * @param args the argument of the call, or an array of them (default: none)
 * @param kwargs the call's trailing options (default null: none); may be left out before `options`
 * @param options `tieWeights` (default true): a value for one name of a tied tensor holds for its other names too; `strict`
 *   (default false): the tensors must be exactly those of the module
 * @returns what the call returns
 * @throws RuntimeError for paths that lead nowhere, keys that come twice, and with `strict` missing and unexpected keys
 */
export function functionalCall<M extends Module>(
  module: M,
  parameterAndBufferDicts: TensorsByName | readonly TensorsByName[],
  args?: unknown,
  kwargs?: Record<string, unknown> | FunctionalCallOptions | null,
  options?: FunctionalCallOptions,
): ReturnType<M['forward']> {
  const given = [module, parameterAndBufferDicts, args, kwargs, options];
  while (given.length > 2 && given[given.length - 1] === undefined) given.pop();
  const [target, dicts, list, tieWeights, strict] = readFunctionalCall(given);
  return callWith(target, merged(dicts), list, tieWeights, strict) as ReturnType<M['forward']>;
}

function stackLeaf(name: string, tensors: readonly Tensor[]): Tensor {
  const wanting = tensors.filter((t) => t.requiresGrad).length;
  if (wanting !== 0 && wanting !== tensors.length) {
    throw new RuntimeError(`Expected ${name} from each model to have the same .requires_grad`);
  }
  const stacked = stack(tensors);
  return wanting === 0 ? stacked : stacked.detach().requiresGrad_(true);
}

/** Every entry of the first model, stacked with those of the others. */
function stackEntries(all: readonly ReadonlyMap<string, Tensor>[]): Record<string, Tensor> {
  const entries = [...all[0]!.keys()].map((name): [string, Tensor] => [
    name,
    stackLeaf(
      name,
      all.map((one) => one.get(name)!),
    ),
  ]);
  return Object.fromEntries(entries);
}

/**
 * The parameters and the buffers of several models of one class, each stacked along a new first dimension: an ensemble for
 * `vmap` and `functionalCall`.
 * @param models at least one; all of one class, all in training or all in evaluation mode.
 * @returns `[parameters, buffers]` by path. Stacked parameters are leaves that require a gradient where the models' do.
 * @throws RuntimeError if the models differ in class, mode, or in what requires a gradient.
 */
export function stackModuleState(
  models: Iterable<Module>,
): [parameters: Record<string, Tensor>, buffers: Record<string, Tensor>] {
  const list = [...models];
  const [first] = list;
  if (first === undefined) throw new RuntimeError('stack_module_state: Expected at least one model, got 0.');
  if (list.some((m) => m.training !== first.training)) {
    throw new RuntimeError('stack_module_state: Expected all models to have the same training/eval mode.');
  }
  if (list.some((m) => m.constructor !== first.constructor)) {
    throw new RuntimeError('stack_module_state: Expected all models to be of the same class.');
  }
  return [
    stackEntries(list.map((m) => new Map<string, Tensor>(m.namedParameters()))),
    stackEntries(list.map((m) => new Map<string, Tensor>(m.namedBuffers()))),
  ];
}
