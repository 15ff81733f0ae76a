// What autograd adds to tensors.
import { kindOf, RuntimeError } from '../core/errors.js';
import { addon } from '../native/addon.js';
import { beginScope, endScope, keepTensor } from '../tensor/memory.js';
import { alive, DISPOSED, SCOPED, Tensor } from '../tensor/tensor.js';
import { flag, named } from './arguments.js';
import { arithmetic } from './arithmetic.js';
import { type BackwardOptions, type OneOrMore, type Root, runBackward } from './backward.js';
import { edgeOf, requires, versionOf } from './graph.js';
import type { RemovableHandle } from './handle.js';
import { registerHook, registerPostAccumulateGradHook, retainGrad } from './hooks.js';
import { INFERENCE, metaOf } from './meta.js';
import { inferenceEnabled } from './mode.js';
import type { Node, TensorHook } from './node.js';

declare module '../tensor/tensor.js' {
  interface Tensor {
    /**
     * Whether operations on the tensor are recorded. Can be set for leaves of floating-point or complex type.
     * @throws RuntimeError when set on another type, or cleared on a tensor that is not a leaf.
     */
    requiresGrad: boolean;
    /**
     * Sets `requiresGrad`.
     * @param requiresGrad whether operations on the tensor are recorded (default true)
     * @returns the tensor itself
     * @throws RuntimeError for another type than floating-point or complex, when cleared on a tensor that is not a leaf, and for
     *   an inference tensor outside inference mode
     */
    requiresGrad_(requiresGrad?: boolean | { requiresGrad?: boolean }): this;
    /**
     * The gradient that backward passes have added up, of the tensor's shape and type; null if there is none. Only leaves get
     * one, and tensors that `retainGrad` was called for. Can be set.
     * @throws TypeError when set to anything but a tensor or null
     * @throws RuntimeError when set to the tensor itself, or to one of another shape or type
     */
    grad: Tensor | null;
    /** The node of the operation that computed the tensor; null for a leaf. */
    readonly gradFn: Node | null;
    /** Whether the tensor was not computed by a recorded operation. */
    readonly isLeaf: boolean;
    /** Which result of `gradFn` the tensor is. */
    readonly outputNr: number;
    /** Whether `retainGrad` was called for a tensor that is not a leaf. */
    readonly retainsGrad: boolean;
    /**
     * A tensor on the same memory without history; in-place changes of it go unnoticed by autograd, unlike those of `detach()`.
     * When set, the tensor takes the memory, shape and type of the new value and keeps its place in the graph.
     * @throws RuntimeError when set to integers for a tensor that requires a gradient, or between the meta device and another
     * @throws TypeError when set to anything but a tensor
     */
    data: Tensor;
    /** The tensor that this one is a view of; null if it is no view. */
    readonly _base: Tensor | null;
    /**
     * How often the elements were changed in place.
     * @throws RuntimeError for an inference tensor, which does not count.
     */
    readonly _version: number;
    /** Whether the tensor is a view of another one. */
    _isView(): boolean;
    /** Whether the tensor was made in inference mode. */
    isInference(): boolean;
    /**
     * Computes the gradients of the tensor and adds them to the `.grad` of leaves.
     * @param gradient the gradient of the tensor itself, of its shape (default null: one, for a tensor with one element)
     * @param retainGraph keep what backward needs, so that it can run again (default: createGraph)
     * @param createGraph record the computation, so that gradients can be differentiated (default false)
     * @param inputs accumulate into these tensors only (default null: all leaves)
     * @throws RuntimeError if the tensor has no history, `gradient` does not fit or is missing, the graph was freed, or a saved
     *   tensor was changed in place
     */
    backward(
      gradient?: Tensor | null,
      retainGraph?: boolean | null,
      createGraph?: boolean,
      inputs?: OneOrMore<Root> | null,
    ): void;
    backward(gradient: Tensor | null, options: BackwardOptions): void;
    backward(options: BackwardOptions & { gradient?: Tensor | null }): void;
    /**
     * Calls `hook(grad)` with the tensor's gradient in every backward pass, before it goes on.
     * @param hook what it returns, a tensor of the gradient's shape and type, replaces the gradient; nothing leaves it
     * @returns a handle that removes the hook
     * @throws RuntimeError if the tensor requires no gradient
     * @throws TypeError if the hook is no function
     */
    registerHook(hook: TensorHook): RemovableHandle;
    /**
     * Calls `hook(tensor)` each time the `.grad` of a leaf is complete: an optimizer step can be taken there.
     * @returns a handle that removes the hook
     * @throws RuntimeError if the tensor requires no gradient or is not a leaf
     */
    registerPostAccumulateGradHook(hook: (leaf: Tensor) => void): RemovableHandle;
    /**
     * Lets backward keep the gradient of a tensor that is not a leaf in its `.grad`.
     * @throws RuntimeError if the tensor requires no gradient
     */
    retainGrad(): void;
    /** A view of the same memory without history, which requires no gradient; both see changes in place and count them. */
    detach(): Tensor;
    /**
     * Cuts the tensor off from its history: it becomes a leaf that requires no gradient.
     * @returns the tensor itself
     * @throws RuntimeError for a view
     */
    detach_(): this;
  }
}

const NOT_A_LEAF =
  'you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that ' +
  "doesn't require differentiation use var_no_grad = var.detach().";

function setRequiresGrad(t: Tensor, wanted: boolean, typeError: string): void {
  alive(t);
  const meta = t._ad;
  if (meta !== null && meta.gradFn !== null) {
    if (!wanted) throw new RuntimeError(NOT_A_LEAF);
    return;
  }
  if (wanted && !t.dtype.isFloatingPoint && !t.dtype.isComplex) throw new RuntimeError(typeError);
  if (wanted && meta !== null && meta.inference && !inferenceEnabled) {
    throw new RuntimeError('Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.');
  }
  if (meta !== null && meta !== INFERENCE) meta.requiresGrad = wanted;
  else if (wanted) metaOf(t).requiresGrad = true;
}

let warnedNonLeafGrad = false;

function getGrad(t: Tensor): Tensor | null {
  const meta = t._ad;
  if (meta === null) return null;
  if (meta.grad !== null) meta.gradSeen = true;
  else if (meta.gradFn !== null && !meta.retainsGrad && !warnedNonLeafGrad) {
    warnedNonLeafGrad = true;
    process.emitWarning(
      'The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. It is not populated during backward(); ' +
        'call .retainGrad() on the tensor if it should be.',
      'UserWarning',
    );
  }
  return meta.grad;
}

function setGrad(t: Tensor, value: unknown): void {
  if (value === null || value === undefined) {
    if (t._ad !== null) t._ad.grad = null;
    return;
  }
  if (!(value instanceof Tensor)) {
    throw new TypeError(`assigned grad expected to be a Tensor or None but got grad of type ${kindOf(value)}`);
  }
  if (value === t) throw new RuntimeError("can't assign Variable as its own grad");
  if (value.dtype !== t.dtype) {
    throw new RuntimeError(
      `attempting to assign a gradient with dtype '${value.dtype.name}' to a tensor with grad_dtype ` +
        `'${t.dtype.scalarName}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype).`,
    );
  }
  const a = value.shape;
  const b = t.shape;
  if (a.length !== b.length || a.some((n, d) => n !== b[d])) {
    throw new RuntimeError(
      `attempting to assign a gradient of size '[${a.join(', ')}]' to a tensor of size '[${b.join(', ')}]'. Please ensure ` +
        'that the gradient and the tensor are the same size',
    );
  }
  const meta = metaOf(t);
  meta.grad = keepTensor(value);
  meta.gradSeen = true;
}

/** Gives `t` the memory of `value`; its place in the graph stays. */
function setData(t: Tensor, value: unknown): void {
  if (!(value instanceof Tensor)) throw new TypeError(`Variable data has to be a tensor, but got ${kindOf(value)}`);
  if (requires(t) && !value.dtype.isFloatingPoint && !value.dtype.isComplex) {
    throw new RuntimeError('data set to a tensor that requires gradients must be floating point or complex dtype');
  }
  if (t.isMeta !== value.isMeta) {
    throw new RuntimeError(
      'Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.',
    );
  }
  // Inside a scope nothing but the new object refers to the handle, which can then go over to `t`.
  const outer = beginScope();
  let handle: number;
  try {
    const replacement = arithmetic.alias(value, false);
    handle = replacement._h;
    replacement._h = 0;
    replacement._own = DISPOSED;
  } finally {
    endScope(outer);
  }
  if (t._h !== 0) addon.free(t._h);
  t._h = handle;
  t._shape = undefined;
  t._dtype = undefined;
  if (t._own !== SCOPED) addon.track(handle, t);
}

function detachInPlace(t: Tensor): void {
  const meta = t._ad;
  if (meta === null) return;
  if (meta.view !== null) {
    throw new RuntimeError(
      "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and " +
        'gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called ' +
        'on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in ' +
        'torch/optim/optimizer.py as the solution.',
    );
  }
  meta.gradFn = null;
  meta.outputNr = 0;
  meta.requiresGrad = false;
  meta.retainsGrad = false;
}

/** Lets a view follow the history of its base. */
function bringUpToDate(t: Tensor): void {
  if (t._ad !== null && t._ad.view !== null) edgeOf(t);
}

const methods: ThisType<Tensor> & Partial<Tensor> = {
  requiresGrad_(requiresGrad: boolean | { requiresGrad?: boolean } = true) {
    const value = typeof requiresGrad === 'object' && requiresGrad !== null ? requiresGrad.requiresGrad : requiresGrad;
    const wanted = flag('requiresGrad_', 'requiresGrad', value, true);
    setRequiresGrad(this, wanted, 'only Tensors of floating point dtype can require gradients');
    return this;
  },
  backward(...args: unknown[]) {
    const given = named('backward', ['gradient', 'retainGraph', 'createGraph', 'inputs'] as const, args);
    runBackward(this, { ...given, gradTensors: given.gradient === undefined ? null : [given.gradient] });
  },
  registerHook(hook: TensorHook) {
    return registerHook(this, hook);
  },
  registerPostAccumulateGradHook(hook: (leaf: Tensor) => void) {
    return registerPostAccumulateGradHook(this, hook);
  },
  retainGrad() {
    retainGrad(this);
  },
  detach() {
    const out = arithmetic.alias(this, true);
    // What shares the memory of an inference tensor is one too, and nothing else is.
    out._ad = this._ad !== null && this._ad.inference ? INFERENCE : null;
    return out;
  },
  detach_() {
    detachInPlace(this);
    return this;
  },
  _isView() {
    return this._ad !== null && this._ad.view !== null;
  },
  isInference() {
    return this._ad !== null && this._ad.inference;
  },
};

for (const [name, method] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, { value: method, writable: true, configurable: true });
}

function accessor<K extends keyof Tensor>(
  name: K,
  get: (t: Tensor) => Tensor[K],
  set?: (t: Tensor, value: unknown) => void,
): void {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    set:
      set &&
      function (this: Tensor, value: unknown) {
        set(this, value);
      },
    configurable: true,
  });
}

accessor('requiresGrad', requires, (t, value) => {
  if (typeof value !== 'boolean') throw new TypeError('requires_grad must be a bool');
  setRequiresGrad(t, value, 'only Tensors of floating point and complex dtype can require gradients');
});
accessor('grad', getGrad, setGrad);
accessor('gradFn', (t) => {
  bringUpToDate(t);
  return t._ad === null ? null : t._ad.gradFn;
});
accessor('isLeaf', (t) => {
  bringUpToDate(t);
  return t._ad === null || t._ad.gradFn === null;
});
accessor('outputNr', (t) => {
  bringUpToDate(t);
  return t._ad === null ? 0 : t._ad.outputNr;
});
accessor('_version', (t) => {
  alive(t);
  if (t._ad !== null && t._ad.inference) throw new RuntimeError('Inference tensors do not track version counter.');
  return versionOf(t);
});
accessor('retainsGrad', (t) => t._ad !== null && t._ad.retainsGrad);
accessor('_base', (t) => (t._ad === null || t._ad.view === null ? null : t._ad.view.base));
accessor('data', (t) => arithmetic.alias(t, false), setData);
