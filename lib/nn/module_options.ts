// Arguments of Module's methods: by position or by name, checked as those of ops are.
import { bind, isOptions, signature } from '../ops/signature.js';

/** Which members `namedParameters` and `namedBuffers` give. */
export interface MemberOptions {
  /** Put before every name; default ''. */
  prefix?: string;
  /** Whether those of submodules count; default true. */
  recurse?: boolean;
  /** Whether a shared one comes once only; default true. */
  removeDuplicate?: boolean;
}
export type MemberArguments =
  | [options: MemberOptions]
  | [prefix?: string, recurse?: boolean, removeDuplicate?: boolean];

/** One optional flag, by position or by its name. */
export type Flag<Name extends string> = [value?: boolean] | [options: { [K in Name]?: boolean }];

/** A function that lines arguments up with a signature; see `signature` in lib/ops for its language. */
function binder<T extends readonly unknown[]>(text: string): (args: ArrayLike<unknown>) => T {
  const sig = signature(text);
  return (args) => bind(sig, args) as unknown as T;
}

type Members = [prefix: string, recurse: boolean, removeDuplicate: boolean];
type Hook = (...args: never[]) => unknown;

export const bound = {
  parameters: binder<[boolean]>('parameters(bool recurse=True)'),
  namedParameters: binder<Members>("namedParameters(str prefix='', bool recurse=True, bool removeDuplicate=True)"),
  buffers: binder<[boolean]>('buffers(bool recurse=True)'),
  namedBuffers: binder<Members>("namedBuffers(str prefix='', bool recurse=True, bool removeDuplicate=True)"),
  modules: binder<[boolean]>('modules(bool removeDuplicate=True)'),
  zeroGrad: binder<[boolean]>('zeroGrad(bool setToNone=True)'),
  loadStateDict: binder<[boolean, boolean]>('loadStateDict(bool strict=True, bool assign=False)'),
  persistent: binder<[boolean]>('registerBuffer(bool persistent=True)'),
  strict: binder<[boolean]>('setSubmodule(bool strict=False)'),
  forwardPreHook: binder<[Hook, boolean, boolean]>(
    'registerForwardPreHook(function hook, bool prepend=False, bool withKwargs=False)',
  ),
  forwardHook: binder<[Hook, boolean, boolean, boolean]>(
    'registerForwardHook(function hook, bool prepend=False, bool withKwargs=False, bool alwaysCall=False)',
  ),
  moduleForwardHook: binder<[Hook, boolean, boolean]>(
    'registerModuleForwardHook(function hook, bool withKwargs=False, bool alwaysCall=False)',
  ),
  fullBackwardPreHook: binder<[Hook, boolean]>('registerFullBackwardPreHook(function hook, bool prepend=False)'),
  fullBackwardHook: binder<[Hook, boolean]>('registerFullBackwardHook(function hook, bool prepend=False)'),
};

/**
 * Checks an object of named arguments for functions that have no other form.
 * @throws TypeError for something else and for an unknown name.
 */
export function checkOptions(fn: string, options: unknown, names: readonly string[]): void {
  if (!isOptions(options)) throw new TypeError(`${fn}() takes its arguments by name, in one object`);
  for (const key of Object.keys(options)) {
    if (!names.includes(key)) throw new TypeError(`${fn}() got an unexpected keyword argument '${key}'`);
  }
}
