// The nodes of the graph that backward walks.
import type { DType } from '../core/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { RemovableHandle } from './handle.js';
import type { PackedSaved } from './saved.js';

/** Which inputs want a gradient. */
export type Needs = readonly boolean[];
/** One gradient per input; null for none. */
export type Gradients = readonly (Tensor | null)[];
export type Saved = readonly (Tensor | null)[];

/** A backward function as nodes keep it: `g` is a tensor, or a list where the operation has a list of results. */
export type Backward = (g: never, saved: never, needs: Needs) => Gradients;

/** What a hook may return: replacements, a single one if there is one value, or nothing. */
export type HookResult = Gradients | Tensor | null | undefined | void;
export type PreHook = (gradOutputs: (Tensor | null)[]) => HookResult;
export type PostHook = (gradInputs: (Tensor | null)[], gradOutputs: (Tensor | null)[]) => HookResult;
export type TensorHook = (grad: Tensor) => Tensor | null | undefined | void;

/** What few nodes have: kept apart so that nodes stay small and one look tells that there is nothing. */
export class NodeExtra {
  /** Hooks of the result tensors: `[nr, hook]`. */
  readonly tensorHooks = new Map<number, [number, TensorHook]>();
  /** The result tensors whose `.grad` is kept: `[nr, tensor]`. */
  retained: [number, Tensor][] = [];
  readonly pre = new Map<number, PreHook>();
  readonly post = new Map<number, PostHook>();
  /** Of accumulators: run when the leaf's `.grad` is complete. */
  readonly postAccumulate = new Map<number, (leaf: Tensor) => void>();
  /** Several results: their sizes and types. */
  shapes: (readonly number[])[] = [];
  dtypes: DType[] = [];
  /** Run even if no gradient arrived. */
  runsOnNull = false;
  /** The node calls user code: what it is given and what it makes belongs to the garbage collector. */
  userCode = false;
  /** What a custom Function saved is gone; it may still run if it does not ask for it. */
  released = false;
  /** Where the operation was called, if anomaly detection was on. */
  trace: string | null = null;
  /** Saved tensors that hooks packed. */
  packed: PackedSaved | null = null;
  readonly metadata: Record<string, unknown> = {};
}

/** Sequence numbers: backward runs the youngest node first. */
let sequence = 0;
/** Accumulators come before everything else that is ready. */
const FIRST_OF_ALL = Number.MAX_SAFE_INTEGER;

const NONE: readonly null[] = [];

/** An operation that was recorded. Its inputs' nodes are its edges, along which its gradients travel. */
export class Node {
  /** @internal */ _name: string;
  /** @internal Position in the order of recording. */ readonly seq: number;
  /** @internal The nodes that gradients go to, one per input. */ edges: readonly (Node | null)[] = NONE;
  /** @internal Which result of each edge's node the input was; null if all are the first. */
  nrs: readonly number[] | null = null;
  /** @internal Null once the saved tensors were freed. */ fn: Backward | null;
  /** @internal */ saved: Saved;
  /** @internal The version of each saved tensor when it was saved. */ versions: readonly number[] | null = null;
  /** @internal For saved results of this very node: which result; -1 for the others. Null if there are none. */
  savedNrs: readonly number[] | null = null;
  /** @internal Saved tensors that nothing else can use. */ temporaries: readonly Tensor[] | null = null;
  /** @internal Sizes and type of the result, which its gradient must have. */ shape: readonly number[];
  /** @internal */ dtype: DType;
  /** @internal The results are a list, and so are the gradients given to `fn`. */ many = false;
  /** @internal */ extra: NodeExtra | null = null;

  // Scratch of the backward pass that visits the node; meaningful only while `task` is that pass.
  /** @internal */ task = 0;
  /** @internal How many gradients are still to come. */ pending = 0;
  /** @internal The gradient so far. */ grad: Tensor | null = null;
  /** @internal The gradients so far, if `many`. */ grads: (Tensor | null)[] | null = null;
  /** @internal Leads to what the pass is for. */ needed = false;

  /** @internal Use `record`. */
  constructor(name: string, seq: number, fn: Backward | null, saved: Saved, shape: readonly number[], dtype: DType) {
    this._name = name;
    this.seq = seq;
    this.fn = fn;
    this.saved = saved;
    this.shape = shape;
    this.dtype = dtype;
  }

  /** The operation's name, as `'AddBackward0'`; the nodes of autograd itself have PyTorch's full name. */
  name(): string {
    return OF_AUTOGRAD.has(this._name) ? `torch::autograd::${this._name}` : this._name;
  }

  /** For each input the node that its gradient goes to (null for none) and which of that node's results it is. */
  get nextFunctions(): [Node | null, number][] {
    return this.edges.map((edge, i) => [edge, this.nrs?.[i] ?? 0]);
  }

  /** A place for whatever user code wants to remember about the node; empty at first. */
  get metadata(): Record<string, unknown> {
    return extraOf(this).metadata;
  }

  /** Position in the order of recording; backward runs the nodes that are ready from the highest down. */
  _sequenceNr(): number {
    return this.seq;
  }

  /**
   * Calls `hook(gradInputs, gradOutputs)` in every backward pass after the node ran.
   * @param hook takes the gradients that the node computed, one per input, and those that it was given; what it returns (an
   *   array, or the tensor if there is one) replaces `gradInputs`, nothing leaves them
   * @returns a handle that removes the hook
   * @throws TypeError unless `hook` is a function
   */
  registerHook(hook: PostHook): RemovableHandle {
    return new RemovableHandle(extraOf(this).post, hook);
  }

  /**
   * Calls `hook(gradOutputs)` in every backward pass before the node runs.
   * @param hook takes the gradients of the node's results; what it returns (an array, or the tensor if there is one) replaces
   *   them, nothing leaves them
   * @returns a handle that removes the hook
   * @throws TypeError unless `hook` is a function
   */
  registerPrehook(hook: PreHook): RemovableHandle {
    return new RemovableHandle(extraOf(this).pre, hook);
  }

  /** The name in angle brackets: `<AddBackward0>`. */
  toString(): string {
    return `<${this._name}>`;
  }

  /** How console.log shows the node: as `toString`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const OF_AUTOGRAD = new Set(['AccumulateGrad', 'CopyBackwards', 'CopySlices']);

/** The end of the graph at a leaf: adds what arrives to the leaf's `.grad`. */
export class AccumulateGrad extends Node {
  // The leaf's handle and sizes when it was last seen to be row-major, which saves looking again at every step.
  /** @internal */ rowMajorHandle = 0;
  /** @internal */ rowMajorShape: readonly number[] | null = null;

  /** @internal */
  constructor(
    /** The leaf. */
    readonly variable: Tensor,
  ) {
    super('AccumulateGrad', FIRST_OF_ALL, null, NONE, variable.shape, variable.dtype);
  }
}

/** @internal The node's rare parts, made if there are none. */
export function extraOf(node: Node): NodeExtra {
  return (node.extra ??= new NodeExtra());
}

/** @internal */
export function nextSequence(): number {
  return sequence++;
}
