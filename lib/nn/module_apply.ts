// Changing every tensor of a module at once: other types, other devices.
import { noGrad } from '../autograd/mode.js';
import { Device, type DeviceLike, device as toDevice } from '../core/device.js';
import { computable, DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { isLazy, UninitializedBuffer, UninitializedParameter } from './parameter.js';
import { warn } from './warn.js';

/** The named arguments of `Module.to`. */
export interface ToOptions {
  device?: DeviceLike | null;
  dtype?: DType | null;
  /** Whether copies between devices may overlap with the host's work; default false. */
  nonBlocking?: boolean;
  /** The order in memory of 4-D and 5-D parameters and buffers. */
  memoryFormat?: unknown;
}

/** Whether a tensor object can take over the other's data: a meta tensor, which has none, cannot. */
function compatible(a: Tensor, b: Tensor): boolean {
  return (a.device.type === 'meta') === (b.device.type === 'meta');
}

/**
 * Replaces every parameter, gradient and buffer by `fn` of it. Parameters and gradients keep their identity, so that an
 * optimizer made before goes on with them.
 */
export function applyToTensors(module: Module, fn: (t: Tensor) => Tensor, recurse: boolean): void {
  const outer = replaced;
  replaced ??= new Map();
  try {
    if (recurse) for (const child of module.children()) child._apply(fn);
    applyToOwn(module, fn, replaced);
  } finally {
    replaced = outer;
  }
}

/** Parameters that the outermost call has put in the place of others: what was one parameter stays one. */
let replaced: Map<Parameter, Parameter> | null = null;

function applyToOwn(module: Module, fn: (t: Tensor) => Tensor, replacements: Map<Parameter, Parameter>): void {
  for (const [name, param] of [...module._parameters]) {
    if (param === null) continue;
    const known = replacements.get(param);
    if (known !== undefined) {
      module._parameters.set(name, known);
      continue;
    }
    const { grad } = param;
    // Both are made before either is put in place: an error leaves the parameter as it was.
    const [applied, gradApplied] = noGrad(() => [fn(param), grad === null ? null : fn(grad)] as const);
    let out = param;
    if (compatible(param, applied)) {
      // A gradient must have its parameter's type at every moment, so it is away while both change.
      if (grad !== null) param.grad = null;
      param.data = applied;
    } else {
      out = isLazy(param)
        ? new UninitializedParameter({ requiresGrad: param.requiresGrad, device: applied.device, dtype: applied.dtype })
        : new Parameter(applied, param.requiresGrad);
      replacements.set(param, out);
      module._parameters.set(name, out);
    }
    if (grad === null || gradApplied === null) continue;
    if (compatible(grad, gradApplied)) {
      grad.data = gradApplied;
      out.grad = grad;
    } else {
      out.grad = gradApplied.requiresGrad_(grad.requiresGrad);
    }
  }
  for (const [name, buffer] of [...module._buffers]) {
    if (buffer !== null) module._buffers.set(name, appliedBuffer(buffer, fn));
  }
}

function appliedBuffer(buffer: Tensor, fn: (t: Tensor) => Tensor): Tensor {
  const applied = fn(buffer);
  if (!(buffer instanceof UninitializedBuffer) || applied === buffer) return applied;
  const { device, dtype } = applied;
  return new UninitializedBuffer({ persistent: buffer.persistent, device, dtype });
}

/** Reads the forms of `to`: `(device, dtype, nonBlocking)`, `(dtype, nonBlocking)`, `(tensor, nonBlocking)`, `(options)`. */
function parseTo(args: readonly unknown[]): { device: Device | null; dtype: DType | null; rest: ToOptions } {
  const positional = [...args];
  const last = positional[positional.length - 1];
  let options: ToOptions = {};
  if (typeof last === 'object' && last !== null && Object.getPrototypeOf(last) === Object.prototype) {
    options = positional.pop() as ToOptions;
    for (const key of Object.keys(options)) {
      if (!['device', 'dtype', 'nonBlocking', 'memoryFormat'].includes(key)) {
        throw new TypeError(`to() got an unexpected keyword argument '${key}'`);
      }
    }
  }
  let device: Device | null = options.device == null ? null : toDevice(options.device);
  let dtype: DType | null = options.dtype ?? null;
  const [first] = positional;
  let used = 1;
  if (first instanceof Tensor) {
    device = first.device;
    dtype = first.dtype;
  } else if (first instanceof DType) {
    dtype = first;
  } else if (typeof first === 'string' || first instanceof Device) {
    device = toDevice(first);
  } else if (first !== undefined && first !== null) {
    throw new TypeError(`to() received an invalid combination of arguments - got (${typeof first})`);
  }
  if (
    !(first instanceof Tensor) &&
    !(first instanceof DType) &&
    positional.length > 1 &&
    typeof positional[1] !== 'boolean'
  ) {
    const second = positional[1];
    if (second !== null && second !== undefined && !(second instanceof DType)) {
      throw new TypeError(
        `to() received an invalid combination of arguments - got (${typeof first}, ${typeof second})`,
      );
    }
    dtype = second ?? dtype;
    used = 2;
  }
  const nonBlocking = (positional[used] as boolean | undefined) ?? options.nonBlocking;
  return { device, dtype, rest: { nonBlocking, memoryFormat: options.memoryFormat } };
}

/**
 * The conversion that `Module.to` applies to every tensor.
 * @throws TypeError for a dtype that is neither floating-point nor complex.
 */
export function conversion(args: readonly unknown[]): (t: Tensor) => Tensor {
  const { device, dtype, rest } = parseTo(args);
  if (dtype !== null && !dtype.isFloatingPoint && !dtype.isComplex) {
    throw new TypeError(
      `nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=${String(dtype)}`,
    );
  }
  if (dtype !== null) computable(dtype);
  if (dtype?.isComplex) {
    warn(
      'Complex modules are a new feature under active development whose design may change, and some modules might not ' +
        'work as expected when using complex tensors as parameters or buffers.',
    );
  }
  return (t) => {
    const target = dtype !== null && (t.isFloatingPoint() || t.isComplex()) ? dtype : null;
    const format = rest.memoryFormat != null && !isLazy(t) && (t.ndim === 4 || t.ndim === 5) ? rest.memoryFormat : null;
    if (device === null && target === null && format === null) return t;
    if (t.isMeta && device !== null && device.type !== 'meta') {
      throw new RuntimeError(
        'Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() ' +
          'when moving module from meta to a different device.',
      );
    }
    return t.to(device, target, rest.nonBlocking ?? false, false, format);
  };
}
