// Saved tensors on their way back to a backward function: freed? changed in place? packed by hooks?
import { kindOf, RuntimeError } from '../core/errors.js';
import { restoring } from '../core/restoring.js';
import { release, resumeScope, suspendScope } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import { accumulatorOf, attach, versionOf } from './graph.js';
import { metaOf } from './meta.js';
import { gradMode, ModeGuard, quiet, setGradMode, setQuiet } from './mode.js';
import { AccumulateGrad, extraOf, type Node, type Saved } from './node.js';

const FREED =
  'Trying to backward through the graph a second time (or directly access saved tensors after they have already been ' +
  'freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify ' +
  'retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors ' +
  'after calling backward.';

/** @internal What to say when the saved tensors of a node are gone. */
function freedError(): RuntimeError {
  return new RuntimeError(FREED);
}

/** @internal A node's name as PyTorch's messages have it: `Mul` for `MulBackward0`. */
export function shortName(name: string): string {
  return name.replace(/Backward\d*$/, '');
}

function modifiedError(node: Node, i: number, t: Tensor, found: number): RuntimeError {
  const ownNr = node.savedNrs?.[i] ?? -1;
  const source = ownNr >= 0 ? node : (t._ad?.gradFn ?? null);
  const nr = ownNr >= 0 ? ownNr : (t._ad?.outputNr ?? 0);
  const origin = source === null ? '' : `, which is output ${nr} of ${shortName(source.name())},`;
  return new RuntimeError(
    'one of the variables needed for gradient computation has been modified by an inplace operation: ' +
      `[torch.${t.dtype.scalarName}Tensor [${t.shape.join(', ')}]]${origin} is at version ${found}; expected version ` +
      `${node.versions![i]} instead. Hint: enable anomaly detection to find the operation that failed to compute its ` +
      'gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).',
  );
}

/**
 * @internal The saved tensors, ready for backward.
 * @throws RuntimeError if they were freed or changed in place.
 */
export function unpack(node: Node): Saved {
  if (node.fn === null || (node.extra !== null && node.extra.released)) throw freedError();
  const saved = node.saved;
  const versions = node.versions;
  if (versions === null) return saved;
  if (node.extra !== null && node.extra.packed !== null) return unpackAll(node.extra.packed);
  for (let i = 0; i < versions.length; i++) {
    const t = saved[i];
    if (t === null || t === undefined) continue;
    const version = versionOf(t);
    if (version !== versions[i]) throw modifiedError(node, i, t, version);
  }
  return gradMode && node.savedNrs !== null ? withHistory(node, node.savedNrs) : saved;
}

/** Saved results lead back to the node even if their own history was cut or replaced since. */
function withHistory(node: Node, nrs: readonly number[]): Saved {
  return node.saved.map((t, i) => {
    const nr = nrs[i]!;
    if (t === null || nr < 0 || t._ad?.gradFn === node || !(t.dtype.isFloatingPoint || t.dtype.isComplex)) return t;
    const again = arithmetic.alias(t, true);
    attach(again, node, nr);
    return again;
  });
}

/** @internal Frees what the node saved; a node that saved nothing can run again. */
export function releaseSaved(node: Node): void {
  if (node.versions === null) return;
  if (node.extra !== null && node.extra.userCode) node.extra.released = true;
  else node.fn = null;
  node.versions = null;
  node.saved = NONE;
  if (node.extra !== null) node.extra.packed = null;
  const temporaries = node.temporaries;
  if (temporaries === null) return;
  node.temporaries = null;
  for (let i = 0; i < temporaries.length; i++) release(temporaries[i]!);
}

const NONE: Saved = [];

export type PackHook = (t: Tensor) => unknown;
export type UnpackHook = (packed: never) => Tensor;

interface Hooks {
  pack: PackHook;
  unpack: UnpackHook;
}

/** What `unpack` needs to give a packed tensor its place in the graph again. */
interface Packed {
  value: unknown;
  hooks: Hooks;
  /** The node that computed the tensor (the saving node itself for its results), or the leaf's accumulator. */
  edge: Node | null;
  nr: number;
}

/** @internal */
export type PackedSaved = readonly (Packed | null)[];

/** @internal The innermost hooks; null if there are none. */
export let savedHooks: Hooks | null = null;
let disabled: string | null = null;

/** @internal Runs user code without gradient recording and outside the library's memory scopes. */
function guarded<T>(fn: () => T): T {
  const scope = suspendScope();
  const mode = gradMode;
  const wasQuiet = quiet;
  const outerHooks = savedHooks;
  setGradMode(false);
  setQuiet(false);
  savedHooks = null;
  try {
    return fn();
  } finally {
    savedHooks = outerHooks;
    setGradMode(mode);
    setQuiet(wasQuiet);
    resumeScope(scope);
  }
}

/** @internal Hands the saved tensors of a node to the pack hook. */
export function packAll(node: Node): void {
  const hooks = savedHooks!;
  const packed = node.saved.map((t, i): Packed | null => {
    if (t === null) return null;
    const nr = node.savedNrs?.[i] ?? -1;
    const meta = t._ad;
    const leaf = meta !== null && meta.requiresGrad && meta.gradFn === null;
    const edge = nr >= 0 ? node : leaf ? accumulatorOf(t) : (meta?.gradFn ?? null);
    const shown = nr >= 0 ? guarded(() => arithmetic.alias(t, true)) : t;
    const version = versionOf(t);
    const value = guarded(() => hooks.pack(shown));
    if (versionOf(t) !== version) {
      throw new RuntimeError(
        'A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be ' +
          'modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you ' +
          'need to perform in-place operations on the input to a pack hook.',
      );
    }
    return { value, hooks, edge, nr: nr >= 0 ? nr : (meta?.outputNr ?? 0) };
  });
  extraOf(node).packed = packed;
  node.saved = NONE;
}

function unpackAll(packed: PackedSaved): Saved {
  return packed.map((entry) => {
    if (entry === null) return null;
    const scope = suspendScope();
    const wasQuiet = quiet;
    setQuiet(false);
    let value: Tensor;
    try {
      value = entry.hooks.unpack(entry.value as never);
    } finally {
      setQuiet(wasQuiet);
      resumeScope(scope);
    }
    if (!(value instanceof Tensor)) {
      throw new TypeError(
        `Output of saved tensor unpack_hook expected to be a Tensor but got result of type ${kindOf(value)}`,
      );
    }
    if (entry.edge === null || !gradMode || !(value.dtype.isFloatingPoint || value.dtype.isComplex)) return value;
    if (value._ad?.gradFn === entry.edge) return value;
    const again = arithmetic.alias(value, true);
    const meta = metaOf(again);
    meta.requiresGrad = true;
    if (entry.edge instanceof AccumulateGrad) meta.accumulator = entry.edge;
    else attach(again, entry.edge, entry.nr);
    return again;
  });
}

/**
 * Packs every tensor that operations save for backward, and unpacks it when backward needs it: to keep it on disk, say.
 * @param pack takes the tensor, returns anything. It must not change the tensor
 * @param unpack takes what `pack` returned, returns a tensor of the same contents
 * @param fn what to run so; without it, the hooks hold until the returned guard is disposed. Inner hooks replace outer ones
 * @returns what `fn` returns (a promise keeps the hooks until it settles), or a guard
 * @throws TypeError unless both are functions; in backward, if `unpack` returns no tensor
 * @throws RuntimeError if `disableSavedTensorsHooks` holds; in an operation, if `pack` changes the tensor in place
 */
export function savedTensorsHooks<P>(pack: (t: Tensor) => P, unpack: (packed: P) => Tensor): ModeGuard;
export function savedTensorsHooks<P, T>(pack: (t: Tensor) => P, unpack: (packed: P) => Tensor, fn: () => T): T;
export function savedTensorsHooks<P, T>(
  pack: (t: Tensor) => P,
  unpack: (packed: P) => Tensor,
  fn?: () => T,
): T | ModeGuard {
  if (typeof pack !== 'function' || typeof unpack !== 'function') {
    throw new TypeError('savedTensorsHooks(): pack and unpack must be functions');
  }
  if (disabled !== null) throw new RuntimeError(disabled);
  const outer = savedHooks;
  savedHooks = { pack, unpack: unpack as UnpackHook };
  return finish(() => {
    savedHooks = outer;
  }, fn);
}

/**
 * Makes `savedTensorsHooks` throw, for code that hooks would break. Hooks that hold already stay.
 * @param message what the error says
 * @param fn what to run so; without it, it holds until the returned guard is disposed
 * @returns what `fn` returns, or a guard
 */
export function disableSavedTensorsHooks(message: string): ModeGuard;
export function disableSavedTensorsHooks<T>(message: string, fn: () => T): T;
export function disableSavedTensorsHooks<T>(message: string, fn?: () => T): T | ModeGuard {
  const outer = disabled;
  disabled = message;
  return finish(() => {
    disabled = outer;
  }, fn);
}

/** @internal Runs `fn` and restores, or returns the guard that restores. */
export function finish<T>(restore: () => void, fn: (() => T) | undefined): T | ModeGuard {
  if (fn === undefined) return new ModeGuard(restore);
  return restoring(fn, restore);
}
