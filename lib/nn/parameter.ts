// Tensors that mean something to the module they are assigned to.
import type { Device, DeviceLike } from '../core/device.js';
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { empty } from '../ops/index.js';
import { aliasAs, Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';

export { Parameter } from '../tensor/parameter.js';

/**
 * A tensor that becomes a buffer of the module it is assigned to: state that moves and is saved with it, but is no parameter.
 * It shares the memory of `data`.
 */
export class Buffer extends Tensor {
  /** Whether it is part of the module's state dict. */
  declare persistent: boolean;

  /**
   * @param data the values (default an empty tensor).
   * @param options `persistent` (default true): whether the state dict has it.
   * @throws TypeError unless `data` is a tensor and the options are such an object.
   */
  constructor(data: Tensor = empty([0]), options: { persistent?: boolean } = {}) {
    if (!(data instanceof Tensor))
      throw new TypeError(`Buffer(): argument 'data' must be a Tensor, not ${typeof data}`);
    if (typeof options !== 'object' || options === null)
      throw new TypeError("Buffer(): argument 'persistent' is given by name: { persistent }");
    super(0);
    const buffer = aliasAs(data.detach(), new.target.prototype as Buffer);
    buffer.requiresGrad_(data.requiresGrad);
    buffer.persistent = options.persistent ?? true;
    // biome-ignore lint/correctness/noConstructorReturn: the object is an alias that native code made
    return buffer;
  }
}

/** Where and of which type a tensor without a shape will be made. */
interface LazyOptions {
  device?: DeviceLike | null;
  dtype?: DType | null;
}

const NO_SHAPE =
  "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when " +
  'trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before ' +
  'accessing their attributes.';

/** What counting the elements of a tensor without a shape says; a zero would pass for an answer. */
function notYet(kind: string): never {
  throw new RuntimeError(
    'Attempted to use an uninitialized parameter in numel. This error happens when you are using a `LazyModule` or ' +
      `explicitly manipulating \`torch.nn.parameter.${kind}\` objects. When using LazyModules Call \`forward\` with a dummy ` +
      'batch to initialize the parameters before calling torch functions',
  );
}

/** Gives a tensor without a shape its memory; from then on it is an ordinary one of class `prototype`. */
function materialize(t: Tensor, prototype: object, shape: readonly number[], options: LazyOptions): void {
  const { device, dtype } = options;
  const made = empty([...shape], { device: device ?? t.device, dtype: dtype ?? t.dtype });
  t.data = made;
  Object.setPrototypeOf(t, prototype);
}

/**
 * A parameter whose shape is not known yet: that of a lazy module before its first forward. It can be moved and converted; what
 * needs its shape or its elements throws RuntimeError.
 */
export class UninitializedParameter extends Parameter {
  /**
   * @param options `requiresGrad` (default true), `device`, `dtype` (default null: the default ones):
   *   what the parameter will have.
   */
  constructor(options: LazyOptions & { requiresGrad?: boolean } = {}) {
    super(empty([0], { device: options.device, dtype: options.dtype }), options.requiresGrad ?? true);
  }

  /** @throws RuntimeError always: there is no shape yet. */
  override get shape(): readonly number[] {
    throw new RuntimeError(NO_SHAPE);
  }

  /**
   * Gives the parameter its shape and memory (not initialised); it becomes a plain Parameter.
   * @param shape its sizes.
   * @param options `device`, `dtype`: default those it was made with.
   */
  materialize(shape: readonly number[], options: { device?: Device; dtype?: DType } = {}): void {
    materialize(this, Parameter.prototype, shape, options);
  }

  /** @throws RuntimeError always: there is no shape yet. */
  override numel(): number {
    return notYet('UninitializedParameter');
  }

  override toString(): string {
    return '<UninitializedParameter>';
  }
}

/** A buffer whose shape is not known yet, as `UninitializedParameter`. */
export class UninitializedBuffer extends Buffer {
  /**
   * @param options `persistent` (default true), `device`, `dtype` (default null: the default ones): what the buffer will have.
   */
  constructor(options: LazyOptions & { persistent?: boolean } = {}) {
    super(empty([0], { device: options.device, dtype: options.dtype }), { persistent: options.persistent });
  }

  /** @throws RuntimeError always: there is no shape yet. */
  override get shape(): readonly number[] {
    throw new RuntimeError(NO_SHAPE);
  }

  /**
   * Gives the buffer its shape and memory (not initialised); it becomes a plain tensor.
   * @param shape its sizes.
   * @param options `device`, `dtype`: default those it was made with.
   */
  materialize(shape: readonly number[], options: { device?: Device; dtype?: DType } = {}): void {
    materialize(this, Tensor.prototype, shape, options);
  }

  /** @throws RuntimeError always: there is no shape yet. */
  override numel(): number {
    return notYet('UninitializedBuffer');
  }

  override toString(): string {
    return '<UninitializedBuffer>';
  }
}

/** Whether a tensor still waits for its shape. */
export function isLazy(value: unknown): value is UninitializedParameter | UninitializedBuffer {
  return value instanceof UninitializedParameter || value instanceof UninitializedBuffer;
}
