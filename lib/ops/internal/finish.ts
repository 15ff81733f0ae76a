// The end of every function that makes a tensor.
import type { Device } from '../../core/device.js';
import { RuntimeError } from '../../core/errors.js';
import { nativeOp } from '../../native/addon.js';
import { invoke } from '../../tensor/invoke.js';
import type { Tensor } from '../../tensor/tensor.js';

const TO_DEVICE = nativeOp('to_device');

/** Sets requiresGrad of a fresh tensor. */
export function finish(t: Tensor, requiresGrad: boolean): Tensor {
  if (requiresGrad && !t.dtype.isFloatingPoint && !t.dtype.isComplex) {
    throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
  }
  return requiresGrad ? t.requiresGrad_(true) : t;
}

/** A tensor made on the CPU, where it belongs (see `home`). */
export function brought(t: Tensor, place: Device | null): Tensor {
  return place === null ? t : invoke(TO_DEVICE, t, place);
}
