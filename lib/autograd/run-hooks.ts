// Calling hooks during a backward pass, and checking what they return.
import { kindOf, RuntimeError } from '../core/errors.js';
import { keep, keepTensor } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import { asUser } from './engine.js';
import { metaOf } from './meta.js';
import type { AccumulateGrad, Gradients, HookResult, Node, NodeExtra } from './node.js';

interface RunningTask {
  readonly made: Tensor[] | null;
  readonly createGraph: boolean;
}

/** The gradients of the node's results, as a list. */
function bufferOf(node: Node, extra: NodeExtra): (Tensor | null)[] {
  return node.many ? (node.grads ?? extra.shapes.map(() => null)) : [node.grad];
}

function setBuffer(node: Node, nr: number, g: Tensor | null): void {
  if (!node.many) node.grad = g;
  else {
    node.grads ??= node.extra!.shapes.map(() => null);
    node.grads[nr] = g;
  }
}

/** Puts what user code gave in the place of a gradient. */
function replace(node: Node, nr: number, old: Tensor | null, value: Tensor | null): void {
  // The old one was shown to user code and is no longer the library's to free.
  if (old !== value) setBuffer(node, nr, value);
}

/** A hook's replacement must be like the gradient that it replaces. */
function checkResult(name: string, old: Tensor | null, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) throw new TypeError(`expected Variable, but hook returned '${kindOf(value)}'`);
  if (old === null) throw new RuntimeError("can't replace a None gradient with a non-None value");
  if (value.dtype !== old.dtype) {
    throw new RuntimeError(
      `hook '${name}' has changed the type of value (was torch.${old.dtype.scalarName}Tensor got ` +
        `torch.${value.dtype.scalarName}Tensor)`,
    );
  }
  const a = value.shape;
  const b = old.shape;
  if (a.length !== b.length || a.some((size, i) => size !== b[i])) {
    throw new RuntimeError(`hook '${name}' has changed the size of value`);
  }
}

function nameOf(hook: (...args: never[]) => unknown): string {
  return hook.name || '<lambda>';
}

/** @internal Runs the hooks of the node's result tensors, then keeps the gradients of those that retain them. */
export function runTensorHooks(task: RunningTask, node: Node, extra: NodeExtra): void {
  if (extra.tensorHooks.size > 0) {
    for (const [nr, hook] of [...extra.tensorHooks.values()]) {
      const g = node.many ? (node.grads?.[nr] ?? null) : node.grad;
      if (g === null) continue;
      const result = asUser(task, [g], () => hook(g));
      if (result === undefined || result === null) continue;
      checkResult(nameOf(hook), g, result);
      replace(node, nr, g, result);
    }
  }
  for (const [nr, t] of extra.retained) {
    const g = node.many ? (node.grads?.[nr] ?? null) : node.grad;
    if (g === null) continue;
    const meta = metaOf(t);
    const total = meta.grad === null ? arithmetic.clone(g) : arithmetic.add(meta.grad, g);
    keep(total);
    keepTensor(total);
    meta.grad = total;
    meta.gradSeen = true;
  }
}

/** @internal Runs the hooks registered before the node. */
export function runPreHooks(task: RunningTask, node: Node, extra: NodeExtra): void {
  if (extra.pre.size === 0) return;
  for (const hook of [...extra.pre.values()]) {
    const grads = [...bufferOf(node, extra)];
    const result = asList(
      asUser(task, grads, () => hook(grads.slice())),
      grads.length,
      nameOf(hook),
    );
    if (result === null) continue;
    result.forEach((g, nr) => {
      const old = grads[nr]!;
      if (g !== null) checkResult(nameOf(hook), old, g);
      replace(node, nr, old, g);
    });
  }
}

/** @internal Runs the hooks registered behind the node. @returns its gradients, perhaps replaced. */
export function runPostHooks(task: RunningTask, extra: NodeExtra, results: Gradients, gradients: Gradients): Gradients {
  let current = results;
  for (const hook of [...extra.post.values()]) {
    const before = Array.from(current, (g) => g ?? null);
    const shown = [...before, ...gradients];
    const result = asList(
      asUser(task, shown, () => hook(before.slice(), gradients.slice())),
      before.length,
      nameOf(hook),
    );
    if (result === null) continue;
    result.forEach((g, i) => {
      if (g !== null) checkResult(nameOf(hook), before[i] ?? null, g);
    });
    current = result;
  }
  return current;
}

/** What a hook returned, as a list; null if nothing. */
function asList(result: HookResult, expected: number, name: string): (Tensor | null)[] | null {
  if (result === undefined || result === null) return null;
  const list = result instanceof Tensor ? [result] : Array.from(result as Gradients);
  if (list.length !== expected) {
    throw new RuntimeError(
      `hook '${name}' has returned an incorrect number of values (got ${list.length}, but expected ${expected})`,
    );
  }
  return list;
}

/** @internal Runs the hooks that wait for a leaf's `.grad` to be complete. */
export function runPostAccumulateHooks(task: RunningTask, node: AccumulateGrad, extra: NodeExtra): void {
  for (const hook of [...extra.postAccumulate.values()]) asUser(task, [], () => void hook(node.variable));
}
