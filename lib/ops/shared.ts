// Tensors that several threads of the process see: shared with shareMemory_, handed over with shareTensor and openShared.
import { DType, dtypes } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, invokeNumbers, invokeVoid } from '../tensor/invoke.js';
import { storageId, viewStorage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { methodOp } from './define.js';

const SHARE = nativeOp('share_memory');
const IS_SHARED = nativeOp('is_shared');
const OPEN = nativeOp('open_shared');

/**
 * Lets other threads open the tensor's memory, which can no longer grow.
 * @returns the tensor itself
 */
export const shareMemory_ = methodOp('shareMemory_(Tensor self)', (self: Tensor): Tensor => {
  invokeVoid(SHARE, self);
  return self;
});
/** Whether other threads may open the tensor's memory. */
export const isShared = methodOp(
  'isShared(Tensor input)',
  (input: Tensor): boolean => invokeNumbers(IS_SHARED, input)[0] === 1,
);

/** What names a shared tensor: a plain object, which `postMessage` copies. */
export interface SharedTensor {
  /** The number of the memory within the process. */
  readonly sharedStorage: number;
  /** The type's name, such as 'float32'. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The distances of neighbours in memory, in elements. */
  readonly stride: readonly number[];
  /** Where the tensor starts in the memory, in elements. */
  readonly storageOffset: number;
  readonly requiresGrad: boolean;
}

/**
 * Shares a tensor's memory with the other threads of the process and names it for them: `worker.postMessage(shareTensor(t))`.
 * The memory lives while a tensor of any thread is on it, so keep `t` until the other thread has opened it. Changes are
 * seen by all at once, in no order that could be relied on: writers and readers agree by messages or `Atomics`.
 * @param t a tensor of the CPU without history; its gradient is not shared
 * @returns a plain object for `openShared`
 * @throws RuntimeError for a tensor with history, or of the meta device; TypeError for anything else
 */
export function shareTensor(t: Tensor): SharedTensor {
  if (!(t instanceof Tensor)) throw new TypeError(`shareTensor(): expected a tensor, not ${kindOf(t)}`);
  if (t.requiresGrad && !t.isLeaf) {
    throw new RuntimeError(
      'Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing ' +
        'process boundaries.  If you just want to transfer the data, call detach() on the tensor before serializing ' +
        '(e.g., putting it on the queue).',
    );
  }
  invokeVoid(SHARE, t);
  return {
    sharedStorage: storageId(t),
    dtype: t.dtype.name,
    shape: [...t.shape],
    stride: t.stride(),
    storageOffset: t.storageOffset(),
    requiresGrad: t.requiresGrad,
  };
}

/**
 * A tensor on memory that another thread has shared.
 * @param shared what `shareTensor` gave there
 * @returns a tensor of that shape, type and geometry, a leaf that requires a gradient if the other one does
 * @throws TypeError for something else; RuntimeError if the memory is gone, or is not as large as it says
 */
export function openShared(shared: SharedTensor): Tensor {
  const dtype = typeof shared === 'object' && shared !== null ? dtypes.find((d) => d.name === shared.dtype) : undefined;
  if (!(dtype instanceof DType) || !Array.isArray(shared.shape) || !Array.isArray(shared.stride))
    throw new TypeError('openShared(): expected what shareTensor() gives');
  const storage = invoke(OPEN, shared.sharedStorage);
  const t = viewStorage(storage, dtype, shared.shape, shared.stride, shared.storageOffset);
  return shared.requiresGrad ? t.requiresGrad_(true) : t;
}
