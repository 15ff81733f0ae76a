// Hooks on tensors: registering them, and hooks that wait for several gradients.
import { inWords, RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { currentTask, willRun } from './engine.js';
import { accumulatorOf, edgeOf } from './graph.js';
import { RemovableHandle } from './handle.js';
import { metaOf } from './meta.js';
import { extraOf, type TensorHook } from './node.js';

/**
 * @internal Calls `hook` with every gradient of `t` that a backward pass computes; what it returns replaces that.
 * @throws RuntimeError for a tensor that requires no gradient.
 */
export function registerHook(t: Tensor, hook: TensorHook): RemovableHandle {
  const node = edgeOf(t);
  if (node === null) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
  if (typeof hook !== 'function')
    throw new TypeError(`registerHook(): the hook must be a function, not ${typeof hook}`);
  const hooks = extraOf(node).tensorHooks;
  const handle = new RemovableHandle(hooks);
  hooks.set(handle.id, [t._ad!.outputNr, hook]);
  return handle;
}

/** @internal Calls `hook` with the leaf each time its `.grad` is complete. */
export function registerPostAccumulateGradHook(t: Tensor, hook: (leaf: Tensor) => void): RemovableHandle {
  if (edgeOf(t) === null) throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
  if (t._ad!.gradFn !== null)
    throw new RuntimeError('post accumulate grad hooks cannot be registered on non-leaf tensors');
  return new RemovableHandle(extraOf(accumulatorOf(t)).postAccumulate, hook);
}

/** @internal Keeps the gradient of a tensor that is not a leaf in its `.grad`. */
export function retainGrad(t: Tensor): void {
  const node = edgeOf(t);
  if (node === null) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
  const meta = metaOf(t);
  if (meta.gradFn === null || meta.retainsGrad) return;
  meta.retainsGrad = true;
  extraOf(node).retained.push([meta.outputNr, t]);
}

/**
 * Calls a hook when gradients of several tensors have been computed in one backward pass.
 * @param tensors what to wait for; all require a gradient
 * @param hook in mode 'all' takes the list of gradients (null for tensors without one) once all that will come are there; in mode
 *   'any' the first gradient. What it returns is not used
 * @param options.mode 'all' (default) or 'any'; also positionally
 * @returns a handle that removes the hook
 * @throws RuntimeError for another mode and for a tensor that requires no gradient
 */
export function registerMultiGradHook(
  tensors: readonly Tensor[],
  hook: ((gradients: (Tensor | null)[]) => void) | ((gradient: Tensor) => void),
  options: { mode?: 'all' | 'any' } | 'all' | 'any' = 'all',
): RemovableHandle {
  const mode = typeof options === 'string' ? options : (options.mode ?? 'all');
  if (mode !== 'all' && mode !== 'any') {
    throw new RuntimeError(`Expects mode to be one of ('all', 'any') but got ${inWords(mode)}`);
  }
  const nodes = tensors.map((t) => edgeOf(t)!);
  if (nodes.includes(null as never))
    throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
  let task = -1;
  let expected = 0;
  let seen = 0;
  let gradients: (Tensor | null)[] = [];
  const handles = tensors.map((t, i) =>
    registerHook(t, (g) => {
      if (task !== currentTask()) {
        task = currentTask();
        expected = nodes.filter(willRun).length;
        seen = 0;
        gradients = tensors.map(() => null);
      }
      seen++;
      if (mode === 'any') {
        if (seen === 1) (hook as (gradient: Tensor) => void)(g);
        return;
      }
      gradients[i] = g;
      if (seen !== expected) return;
      const complete = gradients;
      gradients = [];
      (hook as (list: (Tensor | null)[]) => void)(complete);
    }),
  );
  return new HandleGroup(handles);
}

/** Removes several hooks at once. */
class HandleGroup extends RemovableHandle {
  constructor(private readonly handles: readonly RemovableHandle[]) {
    super(new Map());
  }

  override remove(): void {
    for (const handle of this.handles) handle.remove();
  }
}
