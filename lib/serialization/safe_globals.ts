// Python classes and functions that the caller allows in pickles, each with a JavaScript class or function to stand for it.
import { kindOf, RuntimeError } from '../core/errors.js';
import { restoring } from '../core/restoring.js';
import { nameOfFunction } from './class_codecs.js';

/** A class, whose instances get a pickled object's attributes, or a function that rebuilds a value from its arguments. */
export type SafeGlobal = ((...args: never[]) => unknown) | { readonly name: string; readonly prototype: object };

/**
 * A class or function with the full Python name it stands for. Alone, a class of `torch.nn` or a function of
 * `torch.nn.functional` stands for PyTorch's own, any other for `__main__.<its name>`.
 */
export type SafeGlobalEntry = SafeGlobal | readonly [SafeGlobal, string];

/** As PyTorch's: nothing of these modules can be allowed. */
const BLOCKED = new Set(['sys', 'os', 'posix', 'nt']);

const byName = new Map<string, SafeGlobal>();

function named(entry: SafeGlobalEntry): [string, SafeGlobal] {
  const [fn, name] = Array.isArray(entry) ? (entry as readonly [SafeGlobal, string]) : [entry as SafeGlobal, undefined];
  if (typeof fn !== 'function')
    throw new TypeError(`addSafeGlobals(): expected a class or function, got ${kindOf(fn)}`);
  if (name !== undefined && typeof name !== 'string') {
    throw new TypeError(`addSafeGlobals(): expected a full Python name as a string, got ${kindOf(name)}`);
  }
  const full = name ?? nameOfFunction(fn) ?? `__main__.${fn.name}`;
  if (!/^\w+(\.\w+)+$/u.test(full))
    throw new TypeError(`addSafeGlobals(): '${full}' is no full Python name, as 'module.Class'`);
  return [full, fn];
}

/**
 * Allows Python classes or functions in the files that `torch.load` reads from now on. An object of an allowed class becomes an
 * instance of the JavaScript class, made without running its constructor; the pickled attributes become its properties, or go to
 * its method `setState(state)` if it has one; of a subclass of `nn.Module`, parameters, buffers and submodules are registered.
 * `torch.save` writes such instances as the same Python class. An allowed function is called with the pickled arguments.
 * @param entries classes or functions, alone (standing for PyTorch's own, or for `__main__.<name>`) or as `[Class,
 *   'python.module.Class']`
 * @throws TypeError for anything else, and for a name that is no full Python name
 * @throws RuntimeError for a name in a module that is never allowed (`os`, `sys`, `posix`, `nt`)
 */
export function addSafeGlobals(entries: readonly SafeGlobalEntry[]): void {
  for (const [name, fn] of entries.map(named)) {
    if (BLOCKED.has(name.split('.')[0]!)) throw new RuntimeError(`addSafeGlobals(): the module of ${name} is blocked`);
    byName.set(name, fn);
  }
}

/**
 * The classes and functions allowed now.
 * @returns pairs `[Class, 'python.module.Class']`, in the order in which they were allowed
 */
export function getSafeGlobals(): [SafeGlobal, string][] {
  return [...byName].map(([name, fn]) => [fn, name]);
}

/** Takes back all that `addSafeGlobals` allowed. */
export function clearSafeGlobals(): void {
  byName.clear();
}

/**
 * Allows classes or functions while a function runs, beside those allowed already: until it ends, or the promise that it
 * returned settles.
 * @param entries as for `addSafeGlobals`
 * @param fn what to run so
 * @returns what `fn` returns
 * @throws TypeError and RuntimeError as `addSafeGlobals`
 */
export function safeGlobals<T>(entries: readonly SafeGlobalEntry[], fn: () => T): T {
  const before = new Map(byName);
  addSafeGlobals(entries);
  return restoring(fn, () => {
    byName.clear();
    for (const [name, value] of before) byName.set(name, value);
  });
}

/** The class or function of a full Python name. */
export function findSafeGlobal(name: string): SafeGlobal | undefined {
  return byName.get(name);
}

/** The full Python name that a class or function was allowed under. */
export function safeNameOf(fn: unknown): string | undefined {
  for (const [name, known] of byName) if (known === fn) return name;
  return undefined;
}

/** Whether a function must be called with `new`. */
export function isClass(fn: SafeGlobal): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}
