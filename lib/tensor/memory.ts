// Who frees what, and when. A synchronous loop gives Node no chance to run finalizers, so the library looks for dead
// tensors itself: when native code has seen enough new bytes or tensors it raises a flag, and the next op starts with a
// minor collection (0.1 to 0.3 ms) and a sweep over the weak references of young tensors. docs/memory.md has the figures.
import v8 from 'node:v8';
import vm from 'node:vm';
import { kindOf, RuntimeError } from '../core/errors.js';
import { addon, FIRST, scratch } from '../native/addon.js';
import { DISPOSED, SCOPED, Tensor, TRACKED } from './tensor.js';

type Collector = (options?: { type: 'minor' }) => void;

/**
 * V8's own collector, reached without starting Node with --expose-gc; the flag is set back at once. The flag belongs to the
 * process: another thread that loads the library may take it back in between, and then this one tries again.
 */
const gc: Collector = (() => {
  const exposed = (globalThis as { gc?: Collector }).gc;
  if (exposed) return exposed;
  for (let attempt = 0; attempt < 1000; attempt++) {
    v8.setFlagsFromString('--expose-gc');
    const found = vm.runInNewContext('globalThis.gc') as Collector | undefined;
    v8.setFlagsFromString('--no-expose-gc');
    if (found) return found;
  }
  throw new RuntimeError("V8's garbage collector cannot be reached");
})();

/** Frees tensors that JavaScript no longer refers to. Flag 1 asks for a minor, 2 for a major collection. */
export function collect(): void {
  const full = scratch[0] === 2;
  // Node 20 reads every object but `{ type: 'minor' }` as a wish for a minor collection.
  if (full) gc();
  else gc({ type: 'minor' });
  addon.sweep(full);
}

/** Memory that tensors hold now. */
export interface MemoryStats {
  /** Tensors alive, views among them. */
  tensors: number;
  /** Bytes in storages alive. */
  bytes: number;
  /** Bytes kept by the allocator for reuse. */
  cachedBytes: number;
  /** Bytes of weights kept in the layout that products read, beside the weights themselves. */
  packedBytes: number;
}

/**
 * Counts what tensors hold now.
 * @param collectFirst run a full garbage collection before, so that what nothing refers to does not count (default false)
 * @returns `tensors` alive, `bytes` of their storages (shared ones once), `cachedBytes` that the allocator keeps for reuse
 */
export function memoryStats(collectFirst = false): MemoryStats {
  if (collectFirst) {
    gc();
    addon.sweep(true);
  }
  addon.memory();
  return {
    tensors: scratch[FIRST]!,
    bytes: scratch[FIRST + 1]!,
    cachedBytes: scratch[FIRST + 2]!,
    packedBytes: scratch[FIRST + 3]!,
  };
}

/** The tensors made inside the innermost internal scope; null outside. They have no weak reference. */
export let scope: Tensor[] | null = null;

/** Handles of tensors made inside a `tidy`; null outside. */
export let tidyHandles: number[] | null = null;

/**
 * Opens an internal scope: new tensors belong to it alone. For library code that makes temporaries and calls no user
 * code before `endScope`, to which the returned value must be handed.
 */
export function beginScope(): Tensor[] | null {
  const outer = scope;
  scope = [];
  return outer;
}

/**
 * Closes a scope: frees its tensors except those whose `_own` is no longer SCOPED (see `keep`).
 * @param outer what beginScope returned.
 */
export function endScope(outer: Tensor[] | null): void {
  const made = scope!;
  scope = outer;
  for (let i = 0; i < made.length; i++) {
    const t = made[i]!;
    if (t._own === SCOPED) release(t);
  }
}

/** Suspends scopes while user code runs (a hook inside backward); hand the result to `resumeScope`. */
export function suspendScope(): Tensor[] | null {
  const outer = scope;
  scope = null;
  return outer;
}

/** Goes on with the scope that `suspendScope` put aside. */
export function resumeScope(outer: Tensor[] | null): void {
  scope = outer;
}

/** @internal Hands a scoped tensor, or one that gradient buffers own, to the outer scope or to the garbage collector. */
export function keep(t: Tensor, outer: Tensor[] | null = null): void {
  if (t._own === TRACKED || t._own === DISPOSED) return;
  if (outer !== null) {
    t._own = SCOPED;
    outer.push(t);
    return;
  }
  t._own = TRACKED;
  addon.track(t._h, t);
}

/** Frees a tensor that user code cannot have seen. */
export function release(t: Tensor): void {
  if (t._h !== 0) addon.free(t._h);
  t._h = 0;
  t._own = DISPOSED;
}

/** Runs library code whose temporaries are freed at once; the tensor it returns (or null) is kept. */
export function scoped<T extends Tensor | readonly Tensor[] | null | void>(fn: () => T): T {
  const outer = beginScope();
  try {
    const result = fn();
    if (result instanceof Tensor) keep(result, outer);
    else if (Array.isArray(result)) for (const t of result) keep(t as Tensor, outer);
    return result;
  } finally {
    endScope(outer);
  }
}

/** Handles that `tidy` must leave alone: saved for backward, or kept by the caller. */
const kept = new Set<number>();

/**
 * Saves a tensor from the `tidy` calls around: for a value that is stored somewhere and not returned. In the package it is
 * `torch.keep`; outside of `tidy` it does nothing.
 * @param t any tensor
 * @returns the tensor itself
 */
export function keepTensor<T extends Tensor>(t: T): T {
  if (tidyHandles !== null) kept.add(t._h);
  return t;
}

/**
 * Runs a function and frees every tensor made inside at once, except those in its result (looked for in arrays, maps, sets and
 * objects), those that a graph still alive needs for backward, and those given to `torch.keep`.
 * @param fn takes nothing; it must not be async
 * @returns what `fn` returns
 * @throws TypeError if `fn` is no function, or returns a promise: tensors made after the first await would be missed
 */
export function tidy<T>(fn: () => T): T {
  if (typeof fn !== 'function') throw new TypeError(`tidy(): argument 'fn' must be function, not ${kindOf(fn)}`);
  const outer = tidyHandles;
  const made: number[] = [];
  tidyHandles = made;
  let result: T | undefined;
  const spared = new Set<number>();
  try {
    result = fn();
    if (result instanceof Promise) throw new TypeError('tidy(): the function must not be async');
    markResult(result, spared, new Set());
    return result;
  } finally {
    tidyHandles = outer;
    for (const handle of made) {
      const survives = spared.has(handle) || kept.has(handle);
      if (!survives) disposeHandle(handle);
      else if (outer !== null) outer.push(handle);
      if (outer === null) kept.delete(handle);
    }
  }
}

/** Frees a tensor and lets its object, if there still is one, forget the handle, which later names another tensor. */
function disposeHandle(handle: number): void {
  const t = addon.wrapper(handle) as Tensor | undefined;
  if (t === undefined) addon.free(handle);
  else t.dispose();
}

function markResult(value: unknown, into: Set<number>, seen: Set<object>): void {
  if (value === null || typeof value !== 'object' || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Tensor) into.add(value._h);
  else if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    for (const item of value.values()) markResult(item, into, seen);
  } else for (const item of Object.values(value)) markResult(item, into, seen);
}
