// Finding the operation whose gradient goes wrong: where it was called, and whether it gave a NaN.
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import type { ModeGuard } from './mode.js';
import type { Gradients, Node } from './node.js';
import { finish } from './saved.js';

/** @internal Whether operations remember where they were called. */
export let anomalyEnabled = false;
let checkNan = true;

/**
 * Whether anomaly detection is on.
 * @returns true between `setDetectAnomaly(true)`, or `detectAnomaly`, and their end
 */
export function isAnomalyEnabled(): boolean {
  return anomalyEnabled;
}

/**
 * Whether anomaly detection looks for NaN in gradients.
 * @returns the `checkNan` that was set last; true at the start
 */
export function isAnomalyCheckNanEnabled(): boolean {
  return checkNan;
}

/**
 * Looks for the operation that makes backward fail: if its backward throws, or returns gradients with a NaN (which is an error
 * then), a warning shows where the operation was called. Forward must run so too, or the warning cannot say where; both get
 * slower.
 * @param fn what to run so; without it, detection is on until the returned guard is disposed
 * @param options.checkNan make NaN in a gradient an error (default true)
 * @returns what `fn` returns (a promise keeps detection on until it settles), or a guard: `using _ = detectAnomaly()`
 * @throws RuntimeError in backward, if an operation returns a NaN
 */
export function detectAnomaly(options?: { checkNan?: boolean }): ModeGuard;
export function detectAnomaly<T>(fn: () => T, options?: { checkNan?: boolean }): T;
export function detectAnomaly<T>(
  fn?: (() => T) | { checkNan?: boolean },
  options?: { checkNan?: boolean },
): T | ModeGuard {
  const body = typeof fn === 'function' ? fn : undefined;
  const settings = options ?? (typeof fn === 'object' ? fn : undefined);
  return switchTo(true, settings?.checkNan ?? true, body);
}

/**
 * Switches anomaly detection on or off, as `detectAnomaly`; it stays so unless the returned guard is disposed.
 * @param mode true for on
 * @param options.checkNan make NaN in a gradient an error (default true)
 * @returns a guard that restores what held before
 * @throws TypeError unless `mode` is a boolean
 */
export function setDetectAnomaly(mode: boolean, options?: { checkNan?: boolean }): ModeGuard {
  if (typeof mode !== 'boolean')
    throw new TypeError(`setDetectAnomaly(): argument 'mode' must be a boolean, not ${typeof mode}`);
  return switchTo(mode, options?.checkNan ?? true, undefined) as ModeGuard;
}

function switchTo<T>(mode: boolean, nan: boolean, fn: (() => T) | undefined): T | ModeGuard {
  const outer = anomalyEnabled;
  const outerNan = checkNan;
  anomalyEnabled = mode;
  checkNan = nan;
  return finish(() => {
    anomalyEnabled = outer;
    checkNan = outerNan;
  }, fn);
}

/** @internal The calls that lead to here, without the library's own. */
export function forwardTrace(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  const lines = stack.split('\n').slice(1);
  const own = lines.findIndex((line) => !line.includes(LIBRARY));
  return lines.slice(Math.max(own, 0)).join('\n');
}

// The folder that holds the library's compiled rooms.
const LIBRARY = __dirname.replace(/autograd$/, '');

/** @internal Warns where the failing node's operation was called. */
export function reportAnomaly(node: Node): void {
  const trace = node.extra?.trace;
  const where =
    trace == null
      ? 'No forward pass information available. Enable detect anomaly during forward pass for more information.'
      : `Traceback of forward call that caused the error:\n${trace}`;
  process.emitWarning(`Error detected in ${node.name()}. ${where}`, 'UserWarning');
}

/** @internal Throws if a gradient that the node gave has a NaN. */
export function checkForNan(node: Node, gradients: Gradients): void {
  if (!checkNan) return;
  gradients.forEach((g: Tensor | null | undefined, i) => {
    if (g != null && arithmetic.hasNan(g)) {
      throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`);
    }
  });
}
