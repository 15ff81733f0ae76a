// The end of every function that makes a tensor.
import { device as deviceOf, type DeviceLike } from '../../core/device.js';
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Checks the device and sets requiresGrad. */
export function finish(t: Tensor, device: DeviceLike | null, requiresGrad: boolean): Tensor {
  if (device !== null) checkCpu(device);
  if (requiresGrad && !t.dtype.isFloatingPoint && !t.dtype.isComplex) {
    throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
  }
  return requiresGrad ? t.requiresGrad_(true) : t;
}
function checkCpu(device: DeviceLike): void {
  const d = deviceOf(device);
  if (d.type !== 'cpu')
    throw new RuntimeError(`device '${String(d)}' is not available in this build; tensors live on the CPU`);
}
