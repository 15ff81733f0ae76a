// biome-ignore-all lint/complexity/noArguments: counting arguments without an array is what the quick path is for
// Declaring an op: one row gives the function, the method, their types and their argument checks.
import type { Tensor } from '../tensor/tensor.js';
import { bind, type CallArguments, inPlaceSignature, type Param, type Signature, signature } from './signature.js';

/** Where an op can be called: as `torch.name(x)`, as `x.name()`, or both. */
export type OpHome = 'both' | 'function' | 'method';

/** A declared op: a function that checks and completes its arguments. */
export interface Op<S extends string, F extends (...args: never[]) => unknown, H extends OpHome> {
  (...args: CallArguments<S, Parameters<F>>): ReturnType<F>;
  /** @internal */
  readonly home: H;
  /** @internal The op's names, kinds and defaults. */
  readonly signature: Signature;
  /** @internal The implementation, which takes every argument, checked and complete. */
  readonly impl: F;
}

function declare<S extends string, F extends (...args: never[]) => unknown, H extends OpHome>(
  text: S,
  home: H,
  impl: F,
): Op<S, F, H> {
  const sig = signature(text);
  const fn = boundCall(sig, impl as unknown as Callable);
  Object.defineProperty(fn, 'name', { value: sig.name });
  return Object.assign(fn, { home, signature: sig, impl }) as unknown as Op<S, F, H>;
}

/**
 * Declares an op that is a function of `torch` and a method of Tensor.
 * @param text the signature (see `signature`), in camelCase.
 * @param impl gets all arguments, checked, with defaults filled in.
 */
export function op<const S extends string, F extends (...args: never[]) => unknown>(
  text: S,
  impl: F,
): Op<S, F, 'both'> {
  return declare(text, 'both', impl);
}

/** Declares an op that is only a function. */
export function fnOp<const S extends string, F extends (...args: never[]) => unknown>(
  text: S,
  impl: F,
): Op<S, F, 'function'> {
  return declare(text, 'function', impl);
}

/** Declares an op that is only a method of Tensor: in-place forms, for one. */
export function methodOp<const S extends string, F extends (...args: never[]) => unknown>(
  text: S,
  impl: F,
): Op<S, F, 'method'> {
  return declare(text, 'method', impl);
}

type Tail<A> = A extends [unknown, ...infer R] ? R : never;

/** The in-place forms `name_` of rows that have them. */
type InPlaceMethodsOf<M> = {
  [K in keyof M as M[K] extends { readonly inPlace: unknown } ? `${K & string}_` : never]: M[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: Tail<A>) => R
    : never;
};

/** The methods of Tensor that a module of ops gives. */
export type MethodsOf<M> = InPlaceMethodsOf<M> & {
  [K in keyof M as M[K] extends { readonly home: 'both' | 'method' } ? K : never]: M[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: Tail<A>) => R
    : never;
};

/** Puts the methods of a module of ops on Tensor's prototype. */
export function installMethods(prototype: Tensor, ops: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(ops)) {
    const o = value as Partial<Op<string, (...args: never[]) => unknown, OpHome>>;
    if (typeof value !== 'function' || (o.home !== 'both' && o.home !== 'method')) continue;
    define(prototype, name, value as Callable, o.signature);
    const inPlace = (value as Partial<{ inPlace: Callable }>).inPlace;
    if (inPlace !== undefined)
      define(prototype, `${name}_`, boundCall(inPlaceSignature(o.signature!), inPlace), o.signature);
  }
}

type Callable = (...args: unknown[]) => unknown;

/**
 * The function that checks arguments and calls `run`. Arguments that can be passed on as they are take a path without
 * arrays, by number of parameters: it costs some 20 ns, going through `bind` some 300.
 */
export function boundCall(sig: Signature, run: Callable): Callable {
  const slow = (args: ArrayLike<unknown>): unknown => run(...bind(sig, args));
  if (sig.rest >= 0) return (...args) => slow(args);
  const [p, q, r, s] = sig.params;
  const ok = (param: Param, v: unknown): boolean => (v === undefined ? !param.required : param.quick(v));
  // A list is copied: what the caller does to it later must not reach the gradient.
  const value = sig.params.some((param) => param.kind.endsWith('[]'))
    ? (param: Param, v: unknown): unknown => (v === undefined ? param.fallback : Array.isArray(v) ? v.slice() : v)
    : (param: Param, v: unknown): unknown => (v === undefined ? param.fallback : v);
  switch (sig.params.length) {
    case 1:
      return function (a) {
        return arguments.length === 1 && p!.quick(a) ? run(value(p!, a)) : slow(arguments);
      };
    case 2:
      return function (a, b) {
        return arguments.length <= 2 && ok(p!, a) && ok(q!, b) ? run(value(p!, a), value(q!, b)) : slow(arguments);
      };
    case 3:
      return function (a, b, c) {
        return arguments.length <= 3 && ok(p!, a) && ok(q!, b) && ok(r!, c)
          ? run(value(p!, a), value(q!, b), value(r!, c))
          : slow(arguments);
      };
    case 4:
      return function (a, b, c, d) {
        return arguments.length <= 4 && ok(p!, a) && ok(q!, b) && ok(r!, c) && ok(s!, d)
          ? run(value(p!, a), value(q!, b), value(r!, c), value(s!, d))
          : slow(arguments);
      };
    default:
      return (...args) => slow(args);
  }
}

function define(prototype: Tensor, name: string, call: Callable, sig: Signature | undefined): void {
  if (name in prototype) throw new Error(`two ops give Tensor the method '${name}'`);
  const method = {
    // The commonest argument counts avoid spreading an array.
    [name](this: Tensor, ...args: unknown[]) {
      return args.length === 0 ? call(this) : args.length === 1 ? call(this, args[0]) : call(this, ...args);
    },
  }[name];
  // What the method's arguments are called, for whoever lists the methods.
  Object.defineProperty(method, 'signature', { value: sig });
  Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
}
