// How operations enter the graph.
import { type DType, dtypes } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { addon, FIRST, scratch } from '../native/addon.js';
import { keep, keepTensor } from '../tensor/memory.js';
import { alive, SCOPED, type Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import { anomalyEnabled, forwardTrace } from './anomaly.js';
import { type Meta, metaOf } from './meta.js';
import { gradMode } from './mode.js';
import {
  AccumulateGrad,
  type Backward,
  extraOf,
  type Gradients,
  type Needs,
  nextSequence,
  Node,
  type Saved,
} from './node.js';
import { packAll, savedHooks } from './saved.js';
import { checkFresh, refreshView } from './view.js';

export type { Gradients, Needs, Saved } from './node.js';

/** Whether an operation on these tensors must be recorded. */
export function needsGrad(...tensors: readonly (Tensor | null | undefined)[]): boolean {
  return gradMode && anyNeedsGrad(tensors);
}

/** `needsGrad` for a list. */
export function anyNeedsGrad(tensors: readonly (Tensor | null | undefined)[]): boolean {
  if (!gradMode) return false;
  for (let i = 0; i < tensors.length; i++) {
    const t = tensors[i];
    if (t !== null && t !== undefined && t._ad !== null && requires(t)) return true;
  }
  return false;
}

/** @internal Whether a gradient can flow to the tensor, whatever the mode. */
export function requires(t: Tensor): boolean {
  const meta = t._ad;
  if (meta === null) return false;
  if (meta.view !== null) refreshView(meta);
  return meta.requiresGrad;
}

/** @internal Reads sizes, type and version of a tensor in one crossing; the rest stays in the scratch buffer. */
export function describe(t: Tensor): void {
  addon.describe(alive(t));
  const s = scratch;
  t._dtype = dtypes[s[FIRST]!]!;
  if (t._shape === undefined) {
    const n = s[FIRST + 7]!;
    const shape = new Array<number>(n);
    for (let i = 0; i < n; i++) shape[i] = s[FIRST + 8 + i]!;
    t._shape = shape;
  }
}

/** @internal How often the tensor's elements were changed in place. */
export function versionOf(t: Tensor): number {
  addon.describe(alive(t));
  return scratch[FIRST + 6]!;
}

/** @internal Identifies the memory of the tensor's elements: equal for tensors that share it. */
export function storageOf(t: Tensor): number {
  addon.describe(alive(t));
  return scratch[FIRST + 4]!;
}

/** @internal The leaf's accumulator, made if there is none and brought up to date with the leaf's geometry. */
export function accumulatorOf(t: Tensor): AccumulateGrad {
  const meta = metaOf(t);
  const known = meta.accumulator;
  if (known === null) return (meta.accumulator = new AccumulateGrad(t));
  if (known.shape !== t._shape) {
    known.shape = t.shape;
    known.dtype = t.dtype;
  }
  return known;
}

/** @internal Where the gradient of a tensor goes (with `_ad.outputNr`); null if it needs none. */
export function edgeOf(t: Tensor): Node | null {
  const meta = t._ad;
  if (meta === null) return null;
  if (meta.view !== null) {
    refreshView(meta);
    checkFresh(meta);
  }
  return meta.gradFn ?? (meta.requiresGrad ? accumulatorOf(t) : null);
}

/** @internal Connects the node to the nodes of its inputs. */
export function connect(node: Node, inputs: readonly (Tensor | null)[]): void {
  const n = inputs.length;
  const edges = new Array<Node | null>(n);
  let nrs: number[] | null = null;
  for (let i = 0; i < n; i++) {
    const t = inputs[i]!;
    const edge = t === null ? null : edgeOf(t);
    edges[i] = edge;
    if (edge !== null && t._ad!.outputNr !== 0) {
      nrs ??= new Array<number>(n).fill(0);
      nrs[i] = t._ad!.outputNr;
    }
  }
  node.edges = edges;
  node.nrs = nrs;
}

const INFERENCE_SAVED =
  'Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation ' +
  'tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or ' +
  'use `torch.no_grad()` instead of `torch.inference_mode()`.';

/**
 * @internal Notes the versions of the saved tensors and sees to it that they live as long as the node.
 * @param out the node's results: those among the saved ones belong to the node, not to an input.
 */
export function save(node: Node, out: Tensor | readonly Tensor[] | null): void {
  const saved = node.saved;
  const n = saved.length;
  if (n === 0) return;
  const mayOwn = savedHooks === null && !(node.extra !== null && node.extra.userCode);
  let own: (Tensor | null)[] | null = null;
  let versions: number[] | null = null;
  let nrs: number[] | null = null;
  for (let i = 0; i < n; i++) {
    const t = saved[i];
    if (t === null || t === undefined) continue;
    versions ??= new Array<number>(n).fill(0);
    if (t._ad !== null && t._ad.inference) throw new RuntimeError(INFERENCE_SAVED);
    versions[i] = versionOf(t);
    const bytes = scratch[FIRST + 5]!;
    const nr = t === out ? 0 : Array.isArray(out) ? (out as readonly Tensor[]).indexOf(t) : -1;
    if (nr >= 0) {
      nrs ??= new Array<number>(n).fill(-1);
      nrs[i] = nr;
    }
    const kept = bytes >= LARGE && t._ad?.gradFn && mayOwn ? ownName(node, t) : t;
    if (kept !== t) {
      own ??= saved.slice();
      own[i] = kept;
    }
    // A scope would free it at its end, though the node still needs it.
    if (kept._own === SCOPED) keep(kept);
    keepTensor(kept);
  }
  if (own !== null) node.saved = own;
  node.versions = versions;
  node.savedNrs = nrs;
  if (savedHooks !== null && versions !== null) packAll(node);
}

/** Bytes of a storage whose earlier end is worth a second name for it. */
const LARGE = 2 ** 18;

/**
 * The node's own name for memory that backward needs. JavaScript does not say when the program drops the name that it was
 * given; the collector finds that out once in a while, for what lived through a whole forward pass late. This one ends with
 * the node's work, so that at large sizes a step needs no more memory than where references are counted.
 */
function ownName(node: Node, t: Tensor): Tensor {
  const own = arithmetic.alias(t, true);
  own._shape = t._shape;
  own._dtype = t._dtype;
  // A view leads to its base, which would live as long.
  if (t._ad!.view === null) own._ad = t._ad;
  else attach(own, edgeOf(t)!, t._ad!.outputNr);
  node.temporaries = node.temporaries === null ? [own] : [...node.temporaries, own];
  return own;
}

/** What few operations say when they are recorded. */
export interface RecordOptions {
  /** Saved tensors that nothing but this node can use: freed as soon as backward is done with them. */
  temporaries?: readonly Tensor[];
  /** Run even if no gradient arrived, as a custom Function does that wants zeros. */
  runsOnNull?: boolean;
}

/** @internal Makes `t` the node's result number `nr`. */
export function attach(t: Tensor, node: Node, nr: number): Meta {
  const meta = metaOf(t);
  meta.gradFn = node;
  meta.outputNr = nr;
  meta.requiresGrad = true;
  return meta;
}

/**
 * Enters an operation into the graph; to be called only if `needsGrad(...)` of its inputs holds.
 * @param name the node's name in PyTorch, as `'MulBackward0'`.
 * @param out the result, or the list of results; those of integer or bool type get no gradient.
 * @param inputs the tensors that gradients go to (null for an absent one).
 * @param saved what backward needs: inputs, results and values of the operation's own.
 * @param backward gives one gradient (or null) per input from the gradient of the result (a list, null for unused ones,
 *   if `out` is a list), the saved tensors, and which inputs want one. A gradient may have broadcast sizes or another
 *   floating-point type; the engine sums and converts it. Written with recorded operations, it can be differentiated.
 */
export function record<const S extends Saved>(
  name: string,
  out: Tensor,
  inputs: readonly (Tensor | null)[],
  saved: S,
  backward: (g: Tensor, saved: S, needs: Needs) => Gradients,
  options?: RecordOptions,
): Node;
export function record<const S extends Saved>(
  name: string,
  out: readonly Tensor[],
  inputs: readonly (Tensor | null)[],
  saved: S,
  backward: (g: readonly (Tensor | null)[], saved: S, needs: Needs) => Gradients,
  options?: RecordOptions,
): Node;
export function record(
  name: string,
  out: Tensor | readonly Tensor[],
  inputs: readonly (Tensor | null)[],
  saved: Saved,
  backward: Backward,
  options?: RecordOptions,
): Node {
  let node: Node;
  if (Array.isArray(out)) {
    node = new Node(name, nextSequence(), backward, saved, NO_SHAPE, dtypes[0]!);
    connect(node, inputs);
    recordMany(node, out);
  } else {
    const t = out as Tensor;
    describe(t);
    node = new Node(name, nextSequence(), backward, saved, t._shape!, t._dtype!);
    connect(node, inputs);
    attach(t, node, 0);
  }
  save(node, out);
  if (options !== undefined) applyOptions(node, options);
  if (anomalyEnabled) extraOf(node).trace = forwardTrace();
  return node;
}

/**
 * Enters an operation whose result only the next operation sees, so that there is no tensor for it.
 * @param shape the result's sizes
 * @param dtype the result's type
 * @param before the node whose result is the operand; or null, and the operands are `inputs`
 */
export function recordUnseen<const S extends Saved>(
  name: string,
  shape: readonly number[],
  dtype: DType,
  before: Node | null,
  inputs: readonly (Tensor | null)[],
  saved: S,
  backward: (g: Tensor, saved: S, needs: Needs) => Gradients,
): Node {
  const node = new Node(name, nextSequence(), backward, saved, shape, dtype);
  if (before === null) connect(node, inputs);
  else node.edges = [before];
  save(node, null);
  return node;
}

/** `record` for an operation on the result of `before`, for which there is no tensor. */
export function recordAfter<const S extends Saved>(
  before: Node,
  name: string,
  out: Tensor,
  saved: S,
  backward: (g: Tensor, saved: S, needs: Needs) => Gradients,
  options?: RecordOptions,
): Node {
  const node = record(name, out, [], saved, backward, options);
  node.edges = [before];
  return node;
}

function applyOptions(node: Node, options: RecordOptions): void {
  const { temporaries } = options;
  if (temporaries !== undefined) node.temporaries = [...(node.temporaries ?? []), ...temporaries];
  if (options.runsOnNull) extraOf(node).runsOnNull = true;
}

const NO_SHAPE: readonly number[] = [];

function recordMany(node: Node, out: readonly Tensor[]): void {
  const extra = extraOf(node);
  node.many = true;
  for (let nr = 0; nr < out.length; nr++) {
    const t = out[nr]!;
    describe(t);
    extra.shapes.push(t._shape!);
    extra.dtypes.push(t._dtype!);
    if (t._dtype!.isFloatingPoint || t._dtype!.isComplex) attach(t, node, nr);
  }
}
