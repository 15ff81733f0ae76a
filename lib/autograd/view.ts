// Views and in-place operations: a change of a view enters the history of its base, and the other views of that base
// take their history from it again when they are next used.
import { RuntimeError } from '../core/errors.js';
import { release, resumeScope, suspendScope } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import { anomalyEnabled, forwardTrace } from './anomaly.js';
import { attach, connect, describe, requires, save, storageOf } from './graph.js';
import { INFERENCE, type Meta, metaOf } from './meta.js';
import { gradMode, inferenceEnabled, quiet, setGradMode, setQuiet } from './mode.js';
import { type Backward, extraOf, type Gradients, type Needs, nextSequence, Node, type Saved } from './node.js';
import { shortName } from './saved.js';

/** Applies the view to another tensor with the geometry of its base. */
export type Replay = (base: Tensor) => Tensor;

/** How a view came about: only DEFAULT ones may be changed in place while gradients are recorded. */
export enum Creation {
  DEFAULT,
  NO_GRAD,
  MULTIPLE,
  INFERENCE,
  CUSTOM,
}

/** One tensor's view of another. */
export class View {
  /** @internal */
  constructor(
    /** The tensor at the root: itself no view. */
    readonly base: Tensor,
    /** The view that this one was taken of; null if it was the base itself. */
    readonly parent: View | null,
    readonly replay: Replay,
    public creation: Creation,
    /** The base's count of in-place operations that the view's history knows of. */
    public generation: number,
  ) {}

  /** Applies the whole chain of views to `t`. */
  apply(t: Tensor): Tensor {
    const steps: Replay[] = [];
    for (let view: View | null = this; view !== null; view = view.parent) steps.push(view.replay);
    let result = t;
    for (let i = steps.length - 1; i >= 0; i--) {
      const next = steps[i]!(result);
      if (result !== t && result !== next) release(result);
      result = next;
    }
    return result;
  }
}

/** What `recordView` may be told about a view. */
export interface ViewOptions {
  /** One of several results of the same operation, as of `unbind`. */
  multiple?: boolean;
  /** Made by a custom Function. */
  custom?: boolean;
}

/**
 * Notes that `out` is a view of `self`; called for every view, whether or not it was recorded.
 * @param replay applies the view to another tensor with the geometry of `self`.
 */
export function recordView(out: Tensor, self: Tensor, replay: Replay, options?: ViewOptions): void {
  if (quiet) return;
  const source = self._ad;
  if (source !== null && source.inference) {
    if (out._ad === null) out._ad = INFERENCE;
    return;
  }
  if (out._ad === INFERENCE) out._ad = null;
  const parent = source === null ? null : source.view;
  const base = parent === null ? self : parent.base;
  let creation = Creation.DEFAULT;
  if (inferenceEnabled) creation = Creation.INFERENCE;
  else if (!gradMode) creation = Creation.NO_GRAD;
  else if (options !== undefined) {
    creation = options.custom ? Creation.CUSTOM : options.multiple ? Creation.MULTIPLE : Creation.DEFAULT;
  }
  if (parent !== null && parent.creation !== Creation.DEFAULT) creation = parent.creation;
  metaOf(out).view = new View(base, parent, replay, creation, base._ad === null ? 0 : base._ad.generation);
}

const OF_WHAT: Record<Creation, string> = {
  [Creation.DEFAULT]: '',
  [Creation.NO_GRAD]:
    ' Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both ' +
    "the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or " +
    'both outside (if you want the inplace to be tracked).',
  [Creation.MULTIPLE]:
    ' This view is the output of a function that returns multiple views. Such functions do not allow the output views ' +
    'to be modified inplace. You should replace the inplace operation by an out-of-place one.',
  [Creation.INFERENCE]:
    ' Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both ' +
    "the view and the inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) " +
    'or both outside (if you want the inplace to be tracked).',
  [Creation.CUSTOM]:
    ' This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to ' +
    'handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect ' +
    'gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.',
};

/** The error for a change of a view that may not be changed, `indirect` if the change went through its base. */
function forbidden(meta: Meta, view: View, indirect: boolean): RuntimeError {
  const changed = indirect ? 'its base or another view of its base has been' : 'is being';
  const node = meta.gradFn;
  const what =
    node !== null
      ? `Output ${meta.outputNr} of ${shortName(node._name)} is a view and ${changed} modified inplace.`
      : view.creation === Creation.INFERENCE
        ? `A view was created in inference mode and ${changed} modified inplace in normal mode.`
        : `A view was created in no_grad mode and ${changed} modified inplace with grad mode enabled.`;
  return new RuntimeError(what + OF_WHAT[view.creation]);
}

function isStale(view: View): boolean {
  const base = view.base._ad;
  return base !== null && base.generation !== view.generation;
}

/** @internal Brings the history of a view up to date with that of its base. */
export function refreshView(meta: Meta): void {
  const view = meta.view!;
  if (!isStale(view)) return;
  if (view.creation !== Creation.DEFAULT) {
    // Using it is an error, which `checkFresh` reports once its history is asked for.
    meta.requiresGrad = true;
    return;
  }
  const mode = gradMode;
  const wasQuiet = quiet;
  const scope = suspendScope();
  setGradMode(true);
  setQuiet(false);
  try {
    const again = view.apply(view.base);
    const node = again._ad?.gradFn ?? null;
    meta.gradFn = node;
    meta.outputNr = node === null ? 0 : again._ad!.outputNr;
    meta.requiresGrad = node !== null;
    // PyTorch takes any view of the base by its strides here.
    if (node !== null) node._name = 'AsStridedBackward0';
    view.generation = view.base._ad!.generation;
    if (again !== view.base) release(again);
  } finally {
    resumeScope(scope);
    setQuiet(wasQuiet);
    setGradMode(mode);
  }
}

/** @internal Throws for a view whose history cannot follow a change of its base. */
export function checkFresh(meta: Meta): void {
  const view = meta.view!;
  if (view.creation !== Creation.DEFAULT && isStale(view)) throw forbidden(meta, view, true);
}

/**
 * Checks that `self` may be changed in place; called before every in-place operation, recorded or not.
 * @param recorded whether the operation will be recorded: `needsGrad` of `self` and the other inputs.
 * @throws RuntimeError for leaves and views of leaves that require a gradient, views whose history cannot be changed,
 *   and inference tensors outside inference mode.
 */
export function checkInPlace(self: Tensor, recorded: boolean): void {
  const meta = self._ad;
  if (meta === null) return;
  if (meta.inference && !inferenceEnabled) {
    throw new RuntimeError(
      'Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal ' +
        'tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.',
    );
  }
  if (!gradMode) return;
  const view = meta.view;
  if (view !== null && (recorded || requires(view.base))) {
    if (view.creation !== Creation.DEFAULT) throw forbidden(meta, view, false);
    if (requires(self) && (view.base._ad?.gradFn ?? null) === null) {
      throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
    }
  }
  if (recorded && meta.requiresGrad && meta.gradFn === null) {
    throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
  }
}

/** Tensors whose `.grad` is kept want that of the changed values from now on. */
function moveRetained(t: Tensor, meta: Meta, node: Node): void {
  const old = meta.gradFn?.extra;
  if (!meta.retainsGrad || !old) return;
  old.retained = old.retained.filter(([, tensor]) => tensor !== t);
  extraOf(node).retained.push([0, t]);
}

/** @internal Makes `node` the origin of `t`, whose elements it has changed. */
export function rebase(t: Tensor, node: Node): void {
  const meta = metaOf(t);
  moveRetained(t, meta, node);
  attach(t, node, 0);
  meta.generation++;
}

/**
 * An operand of an in-place operation, as backward may read it: where it is the changed tensor itself, another object that
 * keeps the place in the graph which the tensor had before. To be called before the operation runs.
 */
export function operand<T>(value: T, self: Tensor): T | Tensor {
  if ((value as unknown) !== self) return value;
  const before = arithmetic.alias(self, true);
  const node = self._ad?.gradFn ?? null;
  if (node !== null) attach(before, node, self._ad!.outputNr);
  return before;
}

/** Saved operands in the memory of the changed tensor: what they held is gone, and a backward that reads them must say so. */
function expireOperands(node: Node, self: Tensor): void {
  if (node.versions === null || node.saved.length === 0) return;
  let storage = -1;
  node.versions = node.versions.map((version, i) => {
    const t = node.saved[i] ?? null;
    if (t === null || t === self) return version;
    if (storage < 0) storage = storageOf(self);
    return storageOf(t) === storage ? version - 1 : version;
  });
}

/**
 * Enters an in-place operation into the graph, after it ran; to be called only if `needsGrad(self, ...)` holds.
 * @param self the changed tensor; also `inputs[0]`.
 * @param inputs, saved, backward as for `record`. A saved `self` has the changed elements; an operand that may be the same
 *   tensor is saved as `operand` gives it.
 */
export function recordInPlace<const S extends Saved>(
  name: string,
  self: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: S,
  backward: (g: Tensor, saved: S, needs: Needs) => Gradients,
): Node {
  if (inputs[0] !== self)
    throw new RuntimeError(`${name}: the first input of an in-place operation is the tensor itself`);
  const view = self._ad?.view ?? null;
  const target = view === null ? self : view.base;
  describe(target);
  const fn: Backward = view === null ? backward : copySlices(view, backward);
  const label = view === null ? name : 'CopySlices';
  const node = new Node(label, nextSequence(), fn, saved, target._shape!, target._dtype!);
  connect(node, view === null ? inputs : [target, ...inputs.slice(1)]);
  rebase(target, node);
  save(node, view === null ? self : null);
  expireOperands(node, self);
  if (anomalyEnabled) extraOf(node).trace = forwardTrace();
  return node;
}

/**
 * @internal Enters a custom Function's change of a view into the history of its base.
 * @param node the Function's node, whose only result is the view; its backward function is filled in later.
 * @param at which of its inputs the view is.
 */
export function rebaseBase(self: Tensor, view: View, node: Node, at: number): void {
  const base = view.base;
  describe(base);
  const run = (g: Tensor, _saved: never, needs: Needs): Gradients => {
    const order = (list: Needs): boolean[] => [...list.slice(1, at + 1), list[0]!, ...list.slice(at + 1)];
    const gradients = node.fn!([g] as never, [] as never, order(needs));
    return [gradients[at] ?? null, ...gradients.slice(0, at), ...gradients.slice(at + 1)];
  };
  const slices = new Node('CopySlices', nextSequence(), copySlices(view, run), [], base._shape!, base._dtype!);
  extraOf(slices).userCode = true;
  const edges = node.edges.filter((_, i) => i !== at);
  const nrs = node.edges.map((_, i) => node.nrs?.[i] ?? 0).filter((_, i) => i !== at);
  connect(slices, [base]);
  slices.edges = [slices.edges[0]!, ...edges];
  slices.nrs = [slices.nrs?.[0] ?? 0, ...nrs];
  rebase(base, slices);
  // The view takes its history from the base when it is next used.
  metaOf(self).gradFn = null;
}

/**
 * The gradient of a change of a part of the base. With g: gradient of the changed base, part(g): the view's part of it,
 * the base's own gradient is g with part(g) replaced by the operation's gradient for its old values.
 */
function copySlices(view: View, backward: (g: Tensor, saved: never, needs: Needs) => Gradients): Backward {
  return (g: Tensor, saved: never, needs: Needs): Gradients => {
    const whole = arithmetic.clone(g);
    const part = view.apply(whole);
    const [old, ...others] = backward(arithmetic.clone(part), saved, needs);
    if (!needs[0]) return [null, ...others];
    arithmetic.copyInPlace(part, old ?? arithmetic.zeros(part.shape, part.dtype, part));
    return [whole, ...others];
  };
}
