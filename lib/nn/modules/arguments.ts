// Constructor arguments of layers: one text states their names, kinds and defaults, as for ops.
import type { DeviceLike } from '../../core/device.js';
import type { DType } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { bind, type CallArguments, signature } from '../../ops/signature.js';
import { empty } from '../../ops/index.js';
import { Parameter } from '../parameter.js';

/** Lines a constructor's arguments up with its settings, defaults filled in. */
export interface Settings<S extends string, A extends readonly unknown[]> {
  (given: ArrayLike<unknown>): A;
  /** @internal The types alone. */
  readonly text?: S;
}

/** The argument lists that a constructor with these settings takes: by position, or by name in a last object. */
export type ArgumentsOf<T> = T extends Settings<infer S, infer A> ? CallArguments<S, A> : never;

/**
 * Declares a constructor's settings: `settings<[inFeatures: number, ...]>()('Linear(int inFeatures, ...)')`.
 * @returns a function that throws TypeError, naming class and argument, for arguments that do not fit.
 */
export function settings<A extends readonly unknown[]>() {
  return <const S extends string>(text: S): Settings<S, A> => {
    const sig = signature(text);
    return (given) => bind(sig, given) as unknown as A;
  };
}

/** Where parameters are made and of which type; null for the defaults. */
export type DeviceSetting = DeviceLike | null;
export type DTypeSetting = DType | null;

/** A parameter whose values are still whatever the memory holds. */
export function newParameter(shape: readonly number[], device: DeviceSetting, dtype: DTypeSetting): Parameter {
  return new Parameter(empty([...shape], { device, dtype }));
}

/** One number per spatial dimension. */
export function perDim(what: string, v: number | readonly number[], nd: number): number[] {
  if (typeof v === 'number') return new Array<number>(nd).fill(v);
  if (v.length === nd) return [...v];
  if (v.length === 1) return new Array<number>(nd).fill(v[0]!);
  throw new RuntimeError(`${what} must be a single int or ${nd} ints, got [${v.join(', ')}]`);
}

/** As `perDim`, for settings that PyTorch repeats only when they are single numbers. */
export function repeated<T>(v: T | readonly T[], n: number): T[] {
  return Array.isArray(v) ? [...(v as readonly T[])] : new Array<T>(n).fill(v as T);
}
