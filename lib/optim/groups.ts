// Parameter groups: reading what callers give, and their form in a state dict.
import { Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { typeName } from '../nn/printing.js';
import { warn } from '../nn/warn.js';
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';

/** Tensors, or `[name, tensor]` pairs as `module.namedParameters()` gives them. */
export type ParameterList = Tensor | Iterable<Tensor> | Iterable<readonly [string, Tensor]>;

/** Parameters with options of their own, for the options that differ from the optimizer's. */
export type ParameterGroup<O> = { params: ParameterList } & Partial<O>;

/** What an optimizer takes: parameters, or groups of them. */
export type Params<O> = Iterable<Tensor> | Iterable<readonly [string, Tensor]> | Iterable<ParameterGroup<O>>;

/** What schedulers leave in a group. */
export type ScheduledOptions = {
  initialLr?: number;
  maxLr?: number;
  minLr?: number;
  swaLr?: number;
  baseMomentum?: number;
  maxMomentum?: number;
};

const SCHEDULED: ReadonlySet<string> = new Set([
  'initialLr',
  'maxLr',
  'minLr',
  'swaLr',
  'baseMomentum',
  'maxMomentum',
  'paramNames',
]);

/** A group as the optimizer keeps it: every option has a value. */
export type Group<O> = O & ScheduledOptions & { params: Tensor[]; paramNames?: string[] };

/** An option's key in a state dict: `weightDecay` is `weight_decay`. */
export function dataKey(option: string): string {
  return option.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}

/** The option of a key in a state dict. */
export function optionKey(key: string): string {
  return key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
}

/** Whether a value can hold named options: a plain object or a Map with string keys. */
export function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([k, v]) => [String(k), v]);
  if (isOptions(value)) return Object.entries(value);
  throw new TypeError(`${what} must be an object or a Map, not ${typeName(value)}`);
}

function isIterable(v: unknown): v is Iterable<unknown> {
  return v !== null && typeof v === 'object' && Symbol.iterator in v;
}

/** Sorts what an optimizer was given into groups. */
export function readParams<O>(params: Params<O>): ParameterGroup<O>[] {
  if (params instanceof Tensor || !isIterable(params)) {
    throw new TypeError(
      `params argument given to the optimizer should be an iterable of Tensors or dicts, but got ${typeName(params)}`,
    );
  }
  const items = [...(params as Iterable<unknown>)];
  if (items.length === 0) throw new RuntimeError('optimizer got an empty parameter list');
  if (isOptions(items[0])) return items as ParameterGroup<O>[];
  return [{ params: items as Tensor[] }] as unknown as ParameterGroup<O>[];
}

/**
 * Completes a group: lists its tensors and fills in the options it leaves out.
 * @param defaults the options of the optimizer.
 * @param others the groups that the optimizer already has.
 * @throws TypeError for what is no group or no tensor, and for an option in the spelling of state dicts; RuntimeError for tensors that cannot be optimized here.
 */
export function completeGroup<O extends object>(
  group: ParameterGroup<O>,
  defaults: O,
  others: readonly Group<O>[],
): Group<O> {
  if (!isOptions(group)) throw new TypeError(`paramGroup must be an object, but got ${typeName(group)}`);
  if (!('params' in group)) throw new TypeError("paramGroup must have the key 'params'");
  const { tensors, names } = readList(group.params);
  for (const p of tensors) {
    if (!p.isLeaf && !p.retainsGrad) throw new RuntimeError("can't optimize a non-leaf Tensor");
  }
  // Key by key: a state dict keeps this order, with the keys that the group brought first.
  const complete: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(group)) {
    if (key === 'params') complete['params'] = tensors;
    else if (key !== optionKey(key) && (optionKey(key) in defaults || SCHEDULED.has(optionKey(key)))) {
      // A key that no optimizer knows is kept, as PyTorch keeps it; one in PyTorch's spelling would be kept and never read.
      throw new TypeError(`a parameter group got an unexpected key '${key}': write '${optionKey(key)}'`);
    } else if (value !== undefined) complete[key] = numberLike(defaults[key as keyof O], value);
  }
  if (names !== null) complete['paramNames'] = names;
  for (const [key, value] of Object.entries(defaults)) if (!(key in complete)) complete[key] = value;

  const own = new Set(tensors);
  if (own.size !== tensors.length) {
    warn('optimizer contains a parameter group with duplicate parameters; in future, this will cause an error');
  }
  for (const other of others) {
    if ((names !== null) !== (other.paramNames !== undefined)) {
      throw new RuntimeError(
        'all optimizer param groups should be with/without names. cannot add param group ' +
          `${names !== null ? 'with names' : 'without names'} to the optimizer`,
      );
    }
    if (other.params.some((p) => own.has(p))) {
      throw new RuntimeError('some parameters appear in more than one parameter group');
    }
  }
  return complete as Group<O>;
}

function readList(params: ParameterList): { tensors: Tensor[]; names: string[] | null } {
  if (params instanceof Tensor) return { tensors: [params], names: null };
  if (params instanceof Set) {
    throw new TypeError(
      'optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will ' +
        'change between runs. Please use a list instead.',
    );
  }
  if (!isIterable(params))
    throw new TypeError(`params must be a Tensor or an iterable of Tensors, not ${typeName(params)}`);
  const tensors: Tensor[] = [];
  const names: string[] = [];
  for (const item of params as Iterable<unknown>) {
    const named = Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
    const p = named ? (item[1] as unknown) : item;
    if (!(p instanceof Tensor)) {
      throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${typeName(p)}`);
    }
    if (named) names.push(item[0] as string);
    tensors.push(p);
  }
  if (names.length !== 0 && names.length !== tensors.length) {
    throw new RuntimeError('all optimizer params should be with/without names. Some param names are missing');
  }
  return { tensors, names: names.length === 0 ? null : names };
}

/** A 0-d tensor as a number where the option is one: steps compute with numbers. */
function numberLike(known: unknown, value: unknown): unknown {
  return typeof known === 'number' && value instanceof Tensor && value.ndim === 0 ? Number(value.item()) : value;
}

/** A value of an option as a state dict holds it: lists are tuples, as in PyTorch. */
function dataValue(key: string, value: unknown): unknown {
  return Array.isArray(value) && key !== 'paramNames' ? Tuple.from(value as unknown[]) : value;
}

/**
 * A group as a state dict holds it: PyTorch's keys, and numbers in place of the parameters.
 * @param numbers the number of each parameter.
 */
export function packGroup<O>(group: Group<O>, numbers: ReadonlyMap<Tensor, number>): Record<string, unknown> {
  const packed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(group)) {
    if (key !== 'params') packed[dataKey(key)] = dataValue(key, value);
  }
  packed['params'] = group.params.map((p) => numbers.get(p)!);
  return packed;
}

/** Reads a group of a state dict; its tensors and, where the dict has none, its names are those of `group`. */
export function unpackGroup<O>(entries: readonly [string, unknown][], group: Group<O>): Group<O> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    if (key === 'params') continue;
    const own = (group as Record<string, unknown>)[optionKey(key)];
    result[optionKey(key)] = Array.isArray(value) ? [...(value as unknown[])] : numberLike(own, value);
  }
  if (group.paramNames !== undefined && result['paramNames'] === undefined) result['paramNames'] = group.paramNames;
  return { params: group.params, ...result } as unknown as Group<O>;
}
