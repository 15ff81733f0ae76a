// Modules in a row that one native call computes: a convolution, ReLU, and max pooling if it follows. They are joined only
// where nobody can tell: no class derived from theirs, no `forward` of somebody's own, nothing that watches calls, saved
// tensors or the operations that fail, and a result, and a graph, that are those of the single calls bit by bit.
import { anomalyEnabled } from '../../autograd/anomaly.js';
import { savedHooks } from '../../autograd/saved.js';
import { convRelu } from '../../ops/internal/conv_relu.js';
import { Tensor } from '../../tensor/tensor.js';
import { Conv2d } from '../modules/conv.js';
import { ReLU } from '../modules/activation.js';
import { MaxPool2d, type Size } from '../modules/pooling.js';
import type { Module } from '../module.js';
import { callsForwardAlone } from '../module_call.js';

const FORWARDS = new Map<object, unknown>(
  [Conv2d, ReLU, MaxPool2d].map((type) => [type.prototype, type.prototype.forward]),
);

/** Whether the module is of that very class, and its call what the class says. */
function isPlain<M extends Module>(module: Module | undefined, type: { readonly prototype: M }): module is M {
  if (module === undefined || Object.getPrototypeOf(module) !== type.prototype) return false;
  return module.forward === FORWARDS.get(type.prototype) && callsForwardAlone(module);
}

const pair = (v: Size): readonly number[] => (typeof v === 'number' ? [v, v] : v.length === 1 ? [v[0]!, v[0]!] : v);
const all = (v: Size, value: number): boolean => (typeof v === 'number' ? v === value : v.every((n) => n === value));

/** The window of pooling that takes windows side by side; null for any other. */
function windowOf(pool: MaxPool2d): readonly number[] | null {
  const { kernelSize, stride, padding, dilation, returnIndices, ceilMode } = pool;
  if (returnIndices || ceilMode || !all(padding, 0) || !all(dilation, 1)) return null;
  const window = pair(kernelSize);
  const step = pair(stride);
  if (window.length !== 2 || window.some((n, i) => !Number.isInteger(n) || n < 1 || n !== step[i])) return null;
  return window;
}

/** What joined modules gave, and how many they were. */
interface Joined {
  value: Tensor;
  count: number;
}

/**
 * Runs the modules from position `i` on together.
 * @returns null where they are to be called one by one
 */
export function runJoined(modules: readonly Module[], i: number, x: unknown): Joined | null {
  const conv = modules[i];
  if (!isPlain(conv, Conv2d) || !(x instanceof Tensor) || savedHooks !== null || anomalyEnabled) return null;
  const activation = modules[i + 1];
  if (!isPlain(activation, ReLU)) return null;
  const { weight, bias, stride, padding, dilation, groups } = conv;
  if (!Array.isArray(padding) || conv.paddingMode !== 'zeros' || x.ndim !== 4 || x.dtype !== weight.dtype) return null;
  if (bias !== null && bias.dtype !== x.dtype) return null;
  const pool = modules[i + 2];
  const window = isPlain(pool, MaxPool2d) ? windowOf(pool) : null;
  // In place, ReLU leaves a tensor that was changed once.
  if (window === null && activation.inplace) return null;
  let value: Tensor | null;
  try {
    value = convRelu(x, weight, bias, { stride, padding, dilation, groups }, window);
  } catch {
    return null; // the module that it comes from says what is wrong, and names itself
  }
  return value === null ? null : { value, count: window === null ? 2 : 3 };
}
