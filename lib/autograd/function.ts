// Operations with a hand-written gradient: classes with static forward and backward.
import { dtypes } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { arithmetic } from './arithmetic.js';
import { attach, connect, describe, requires, save } from './graph.js';
import { metaOf } from './meta.js';
import { gradMode, setGradMode } from './mode.js';
import { extraOf, type Gradients, type Needs, nextSequence, Node } from './node.js';
import { unpack } from './saved.js';
import { Creation, rebase, rebaseBase, recordView } from './view.js';
import { anomalyEnabled, forwardTrace } from './anomaly.js';

/** What forward and backward of one call share. Any further property can be set on it. */
export class FunctionContext {
  [key: string]: unknown;

  /** For each argument of `apply`, whether it is a tensor that wants a gradient. */
  needsInputGrad: boolean[] = [];
  /** @internal */ _saved: readonly (Tensor | null)[] = [];
  /** @internal */ _dirty: readonly Tensor[] = [];
  /** @internal */ _nonDifferentiable: readonly Tensor[] = [];
  /** @internal */ _materialize = true;
  /** @internal */ _node: Node | null = null;

  /**
   * Keeps tensors for backward, where `savedTensors` returns them; unlike other properties of the context they are freed with the
   * graph and checked for changes in place.
   * @param tensors inputs or outputs of forward, or null
   * @throws TypeError for anything else
   */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    tensors.forEach((t, i) => {
      if (t !== null && !(t instanceof Tensor)) {
        throw new TypeError(`save_for_backward can only save variables, but argument ${i} is of type ${kindOf(t)}`);
      }
    });
    this._saved = tensors;
  }

  /**
   * The tensors that `saveForBackward` was given, in its order.
   * @throws RuntimeError if the graph was freed, or a tensor was changed in place since
   */
  get savedTensors(): Tensor[] {
    return (this._node === null ? this._saved : unpack(this._node)) as Tensor[];
  }

  /**
   * Says which inputs forward changed in place, so that what was recorded of them is known to be out of date.
   * @param tensors all of them must be among the outputs; otherwise `apply` throws a RuntimeError
   */
  markDirty(...tensors: Tensor[]): void {
    this._dirty = tensors;
  }

  /**
   * Says which outputs have no gradient: they will not require one. Outputs of integer types never do.
   * @param tensors outputs of forward
   */
  markNonDifferentiable(...tensors: Tensor[]): void {
    this._nonDifferentiable = tensors;
  }

  /**
   * Says what backward gets for outputs that no gradient arrived at.
   * @param materialize true (as it is without this call) for zeros, false for null
   */
  setMaterializeGrads(materialize: boolean): void {
    this._materialize = materialize;
  }
}

/** A class with a context-style forward. */
interface WithContext<A extends unknown[], R> {
  name: string;
  forward(ctx: FunctionContext, ...args: A): R;
}

/** A class whose forward knows no context. */
interface WithSetup<A extends unknown[], R> {
  name: string;
  forward(...args: A): R;
  setupContext(ctx: FunctionContext, inputs: A, output: R): void;
}

/** What the machinery reads from any such class. */
interface AnyFunction {
  name: string;
  forward(...args: unknown[]): unknown;
  backward(ctx: FunctionContext, ...gradients: (Tensor | null)[]): unknown;
  setupContext?(ctx: FunctionContext, inputs: unknown[], output: unknown): void;
}

/**
 * An operation with a gradient of its own. Subclasses have a static `forward(ctx, ...args)` and a static `backward(ctx,
 * ...gradOutputs)`; alternatively `forward(...args)` and `setupContext(ctx, inputs, output)`. Call it with `apply`. The namespace
 * shows the class as `autograd.Function`.
 */
export class CustomFunction {
  /**
   * Computes the outputs: a tensor, or an array whose tensors are results. Gradients are not recorded in it.
   * @throws RuntimeError unless a subclass overrides it
   */
  static forward(..._args: never[]): unknown {
    throw new RuntimeError('You must implement the forward function for custom autograd.Function.');
  }

  /**
   * Computes the gradients of forward's arguments from those of its outputs: an array of one gradient per argument (a single one
   * need not be in an array), of the argument's shape or one that broadcasting makes of it; null for arguments that are no
   * tensors.
   * @throws RuntimeError unless a subclass overrides it
   */
  static backward(_ctx: FunctionContext, ..._gradients: never[]): unknown {
    throw new RuntimeError(
      'You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.',
    );
  }

  /**
   * Runs forward without recording and enters the call as one node into the graph, if recording is on and a tensor among the
   * arguments requires a gradient. Only tensors that are arguments themselves are seen, not those within arrays or objects.
   * @param args what forward takes, without the context
   * @returns what forward returns; an input that is handed on unchanged is returned as a view of it
   * @throws RuntimeError if a tensor marked as dirty is not returned or is a leaf that requires a gradient; in backward, if the
   *   number or kind of the gradients is not that of the arguments
   */
  static apply<A extends unknown[], R>(this: WithSetup<A, R>, ...args: A): R;
  static apply<A extends unknown[], R>(this: WithContext<A, R>, ...args: A): R;
  static apply(this: unknown, ...args: unknown[]): unknown {
    return applyFunction(this as AnyFunction, args);
  }
}

function applyFunction(cls: AnyFunction, args: unknown[]): unknown {
  const ctx = new FunctionContext();
  const needs = args.map((arg) => arg instanceof Tensor && requires(arg));
  ctx.needsInputGrad = needs;
  const recorded = gradMode && needs.includes(true);
  const outer = gradMode;
  setGradMode(false);
  let result: unknown;
  try {
    if (typeof cls.setupContext === 'function') {
      result = cls.forward(...args);
      cls.setupContext(ctx, args, result);
    } else result = cls.forward(ctx, ...args);
  } finally {
    setGradMode(outer);
  }
  const isList = Array.isArray(result);
  const outputs: unknown[] = isList ? [...(result as unknown[])] : [result];
  for (const t of ctx._dirty) {
    if (!outputs.includes(t)) {
      throw new RuntimeError(
        'Some elements marked as dirty during the forward method were not returned as output. The inputs that are ' +
          'modified inplace must all be outputs of the Function.',
      );
    }
  }
  // Also for changes that were not counted, through `data` for one.
  for (const t of ctx._dirty) arithmetic.bump(t);
  new Recording(cls, ctx, args, outputs, recorded).finish();
  if (!isList) return outputs[0];
  // A caller's array type (a tuple of a certain class, say) stays what it is.
  const list = result as unknown[];
  if (outputs.every((value, i) => value === list[i])) return list;
  return outputs;
}

/** Turns the outputs of forward into results of a node. */
class Recording {
  private readonly inputs: Tensor[];
  private readonly seen = new Map<Tensor, Tensor>();
  private readonly node: Node | null;

  constructor(
    private readonly cls: AnyFunction,
    private readonly ctx: FunctionContext,
    private readonly args: readonly unknown[],
    /** Replaced in place. */
    private readonly outputs: unknown[],
    recorded: boolean,
  ) {
    this.inputs = args.filter((arg): arg is Tensor => arg instanceof Tensor);
    this.node = recorded ? this.newNode() : null;
  }

  private newNode(): Node {
    const saved = this.ctx._saved;
    const node = new Node(`${this.cls.name}Backward`, nextSequence(), null, saved, [], dtypes[0]!);
    node.many = true;
    connect(node, this.inputs);
    const extra = extraOf(node);
    extra.userCode = true;
    extra.runsOnNull = this.ctx._materialize;
    if (anomalyEnabled) extra.trace = forwardTrace();
    return node;
  }

  finish(): void {
    const { outputs, node, ctx } = this;
    const originals = outputs.filter((value): value is Tensor => value instanceof Tensor);
    let nr = 0;
    outputs.forEach((value, i) => {
      if (!(value instanceof Tensor)) return;
      outputs[i] = this.seen.get(value) ?? this.wrap(value, nr);
      this.seen.set(value, outputs[i] as Tensor);
      nr++;
    });
    if (node === null) return;
    node.saved = ctx._saved;
    const results = outputs.filter((value): value is Tensor => value instanceof Tensor);
    // An output that was saved is the node's result under the object that the caller got.
    node.saved = ctx._saved.map((t) => {
      const at = t === null ? -1 : originals.indexOf(t);
      return at >= 0 && !this.inputs.includes(originals[at]!) ? results[at]! : t;
    });
    save(node, results);
    node.fn = backwardOf(this.cls, ctx, this.args, outputs, node);
    ctx._node = node;
  }

  /** Output number `nr` as the caller gets it. */
  private wrap(value: Tensor, nr: number): Tensor {
    const { node, ctx } = this;
    const dirty = ctx._dirty.includes(value);
    const input = this.inputs.includes(value);
    // An input that is handed on is a result of its own: a view of the input.
    const out = input && !dirty ? viewOf(value) : value;
    if (out._ad !== null && out._ad.view !== null && !dirty) out._ad.view.creation = Creation.CUSTOM;
    if (node === null) return out;
    describe(out);
    const extra = extraOf(node);
    extra.shapes.push(out._shape!);
    extra.dtypes.push(out._dtype!);
    const differentiable = out._dtype!.isFloatingPoint || out._dtype!.isComplex;
    if (!differentiable || ctx._nonDifferentiable.includes(value)) return out;
    if (!dirty) attach(out, node, nr);
    else if (input) this.rebaseInput(out, node, nr);
    else attach(out, node, nr);
    return out;
  }

  /** An input that was changed in place goes on with a new history. */
  private rebaseInput(t: Tensor, node: Node, nr: number): void {
    const meta = metaOf(t);
    if (meta.view === null) {
      if (meta.requiresGrad && meta.gradFn === null) {
        throw new RuntimeError('a leaf Variable that requires grad has been used in an in-place operation.');
      }
      rebase(t, node);
      meta.outputNr = nr;
      return;
    }
    if (this.outputs.length > 1) {
      throw new RuntimeError(
        'If your Function modifies a view inplace, it must return only that view: a change of a view and other results ' +
          'cannot be differentiated together.',
      );
    }
    if (requires(meta.view.base) && meta.view.base._ad!.gradFn === null) {
      throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
    }
    rebaseBase(t, meta.view, node, this.inputs.indexOf(t));
  }
}

/** The input under a new object, as `viewAs(self)` gives it. */
function viewOf(t: Tensor): Tensor {
  const again = arithmetic.alias(t, true);
  recordView(again, t, (base) => arithmetic.alias(base, true), { custom: true });
  return again;
}

/** The node's backward function: calls the class's, checks what it returns. */
function backwardOf(
  cls: AnyFunction,
  ctx: FunctionContext,
  args: readonly unknown[],
  outputs: readonly unknown[],
  node: Node,
): Node['fn'] {
  const isTensorArg = args.map((arg) => arg instanceof Tensor);
  // The sizes outlive the tensors; positions that held no tensor get null.
  const positions: number[] = [];
  let nr = 0;
  for (const value of outputs) positions.push(value instanceof Tensor ? nr++ : -1);
  const { shapes, dtypes: types } = extraOf(node);
  const places = outputs.filter((value) => value instanceof Tensor).map((t) => t.device);
  return (grads: readonly (Tensor | null)[], _saved: never, _needs: Needs): Gradients => {
    const given = positions.map((p) => {
      if (p < 0) return null;
      const g = grads[p] ?? null;
      return g === null && ctx._materialize ? arithmetic.zeros(shapes[p]!, types[p]!, places[p]!) : g;
    });
    const returned = cls.backward(ctx, ...given);
    return checkedGradients(cls.name, returned, isTensorArg);
  };
}

function checkedGradients(name: string, returned: unknown, isTensorArg: readonly boolean[]): Gradients {
  const list: unknown[] = Array.isArray(returned) ? [...(returned as unknown[])] : [returned];
  const expected = isTensorArg.length;
  while (list.length > expected && (list.at(-1) === null || list.at(-1) === undefined)) list.pop();
  if (list.length !== expected) {
    throw new RuntimeError(
      `function ${name}Backward returned an incorrect number of gradients (expected ${expected}, got ${list.length})`,
    );
  }
  const gradients: (Tensor | null)[] = [];
  list.forEach((g, i) => {
    const value = g ?? null;
    if (value !== null && !isTensorArg[i]) {
      throw new RuntimeError(
        `function ${name}Backward returned a gradient different than None at position ${i + 1}, but the corresponding ` +
          'forward input was not a Variable',
      );
    }
    if (value !== null && !(value instanceof Tensor)) {
      throw new RuntimeError(`expected Variable or None (got ${kindOf(value)})`);
    }
    if (isTensorArg[i]) gradients.push(value as Tensor | null);
  });
  return gradients;
}

/**
 * Wraps a backward function that cannot be differentiated itself: differentiating its result is an error instead of a silent
 * zero. `static override backward = onceDifferentiable((ctx, g) => ...)`.
 * @param backward runs without recording
 * @returns a backward function
 * @throws RuntimeError when its result is differentiated, if a gradient that it was computed from requires one
 */
export function onceDifferentiable<A extends (Tensor | null)[], R>(
  backward: (ctx: FunctionContext, ...gradients: A) => R,
): (ctx: FunctionContext, ...gradients: A) => R {
  return (ctx, ...gradients) => {
    const recording = gradMode;
    setGradMode(false);
    let result: R;
    try {
      result = backward(ctx, ...gradients);
    } finally {
      setGradMode(recording);
    }
    if (!recording || !gradients.some((g) => g !== null && requires(g))) return result;
    const poison = (t: unknown): unknown => (t instanceof Tensor ? poisoned(t) : t);
    return (Array.isArray(result) ? result.map(poison) : poison(result)) as R;
  };
}

function poisoned(t: Tensor): Tensor {
  const out = arithmetic.alias(t, true);
  describe(out);
  const fail = (): Gradients => {
    throw new RuntimeError('trying to differentiate twice a function that was marked with @once_differentiable');
  };
  const node = new Node('DelayedErrorBackward', nextSequence(), fail, [], out._shape!, out._dtype!);
  attach(out, node, 0);
  return out;
}

export { CustomFunction as Function };
