// Whether operations are recorded. Hot code reads the exported variables directly.
import { restoring } from '../core/restoring.js';
import { setFreshMeta } from '../tensor/tensor.js';
import { INFERENCE } from './meta.js';

/** @internal Whether operations on tensors that require a gradient are recorded. */
export let gradMode = true;

/** @internal Whether new tensors are inference tensors. */
export let inferenceEnabled = false;

/**
 * @internal True while the library's own backward code runs and nothing is recorded: no user code can see the tensors
 * made, so views need no link to their base.
 */
export let quiet = false;

/** @internal */
export function setGradMode(enabled: boolean): void {
  gradMode = enabled;
}

/** @internal */
export function setQuiet(enabled: boolean): void {
  quiet = enabled;
}

function setInference(enabled: boolean): void {
  inferenceEnabled = enabled;
  setFreshMeta(enabled ? INFERENCE : null);
}

/**
 * Whether gradients are recorded now.
 * @returns true unless `noGrad`, `inferenceMode` or `setGradEnabled(false)` holds
 */
export function isGradEnabled(): boolean {
  return gradMode;
}

/**
 * Whether inference mode is on.
 * @returns true inside `inferenceMode`
 */
export function isInferenceModeEnabled(): boolean {
  return inferenceEnabled;
}

/** Restores a mode when its block ends: `using _ = torch.noGrad()`. */
export class ModeGuard implements Disposable {
  private done = false;

  /** @internal */
  constructor(private readonly restore: () => void) {}

  /** Restores the mode that held before. Calling it again does nothing. */
  [Symbol.dispose](): void {
    if (this.done) return;
    this.done = true;
    this.restore();
  }
}

/** Switches both modes, runs `fn` if there is one and restores: at its end, or when the promise it returned settles. */
function during<T>(name: string, grad: boolean, inference: boolean, fn: (() => T) | undefined): T | ModeGuard {
  const outerGrad = gradMode;
  const outerInference = inferenceEnabled;
  const restore = (): void => {
    gradMode = outerGrad;
    if (inferenceEnabled !== outerInference) setInference(outerInference);
  };
  if (fn !== undefined && typeof fn !== 'function') {
    throw new TypeError(`${name}(): argument 'fn' must be a function, not ${fn === null ? 'null' : typeof fn}`);
  }
  gradMode = grad;
  if (inferenceEnabled !== inference) setInference(inference);
  if (fn === undefined) return new ModeGuard(restore);
  return restoring(fn, restore);
}

/**
 * Records nothing: results do not require a gradient, and nothing is kept for backward.
 * @param fn what to run so; without it, the mode holds until the returned guard is disposed
 * @returns what `fn` returns (a promise keeps the mode until it settles), or a guard: `using _ = torch.noGrad()`
 * @throws TypeError if `fn` is no function
 */
export function noGrad(): ModeGuard;
export function noGrad<T>(fn: () => T): T;
export function noGrad<T>(fn?: () => T): T | ModeGuard {
  return during('noGrad', false, inferenceEnabled, fn);
}

/**
 * @internal Calls `fn` with `args` and records nothing: `noGrad` without a closure, which would capture its tensors for all
 * closures of the same function, a backward function among them.
 */
export function unrecorded<A extends readonly unknown[], T>(fn: (...args: A) => T, ...args: A): T {
  return noGrad(() => fn(...args));
}

/**
 * Records again inside `noGrad` (inside `inferenceMode` tensors stay inference tensors).
 * @param fn what to run so; without it, the mode holds until the returned guard is disposed
 * @returns what `fn` returns (a promise keeps the mode until it settles), or a guard
 * @throws TypeError if `fn` is no function
 */
export function enableGrad(): ModeGuard;
export function enableGrad<T>(fn: () => T): T;
export function enableGrad<T>(fn?: () => T): T | ModeGuard {
  return during('enableGrad', true, inferenceEnabled, fn);
}

/**
 * Switches recording on or off.
 * @param enabled whether to record
 * @param fn what to run so; without it the mode is set at once and stays, unless the returned guard is disposed
 * @returns what `fn` returns (a promise keeps the mode until it settles), or a guard
 * @throws TypeError unless `enabled` is a boolean and `fn`, if given, a function
 */
export function setGradEnabled(enabled: boolean): ModeGuard;
export function setGradEnabled<T>(enabled: boolean, fn: () => T): T;
export function setGradEnabled<T>(enabled: boolean, fn?: () => T): T | ModeGuard {
  if (typeof enabled !== 'boolean') {
    throw new TypeError(`setGradEnabled(): argument 'mode' must be a boolean, not ${typeof enabled}`);
  }
  return during('setGradEnabled', enabled, inferenceEnabled, fn);
}

/**
 * Records nothing and marks the tensors made as inference tensors, which can never take part in a recorded computation and do not
 * count their changes in place.
 * @param mode false leaves inference mode inside it (default true); may be left out before `fn`
 * @param fn what to run so; without it, the mode holds until the returned guard is disposed
 * @returns what `fn` returns (a promise keeps the mode until it settles), or a guard
 * @throws TypeError if `fn` is no function
 */
export function inferenceMode(mode?: boolean): ModeGuard;
export function inferenceMode<T>(fn: () => T): T;
export function inferenceMode<T>(mode: boolean, fn: () => T): T;
export function inferenceMode<T>(mode?: boolean | (() => T), fn?: () => T): T | ModeGuard {
  const enabled = typeof mode === 'boolean' ? mode : true;
  const body = typeof mode === 'function' ? mode : fn;
  return during('inferenceMode', !enabled, enabled, body);
}
