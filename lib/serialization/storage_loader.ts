// Storages of a file, brought into memory once each.
import { Device, type DeviceLike, device as deviceOf } from '../core/device.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { entriesOf } from './python.js';
import { allocateStorageUninitialized, storageBytes, writeStorage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { swapBytes } from './bytes.js';
import { swapWidth } from './numpy_types.js';
import type { TorchType } from './torch_types.js';

/**
 * Where loaded storages go: one device for all, a device for each of the file's (`{ 'cuda:0': 'cpu' }`), or a function of
 * the storage (a uint8 tensor in main memory) and the file's device that returns a device, a storage or null.
 */
export type MapLocation =
  | DeviceLike
  | Record<string, DeviceLike>
  | ReadonlyMap<string, DeviceLike>
  | ((storage: Tensor, location: string) => Tensor | DeviceLike | null | undefined)
  | null;

/** The part of a tensor's methods that device back ends add. */
interface Movable {
  to?(device: Device): Tensor;
}

function move(base: Tensor, target: DeviceLike): Tensor {
  const device = deviceOf(target);
  if (device.equals(base.device) || device.type === base.device.type) return base;
  if (device.type === 'meta' || typeof (base as Movable).to !== 'function') {
    throw new RuntimeError(`load(): storages cannot be mapped to ${String(device)}`);
  }
  return (base as Movable).to!(device);
}

/**
 * Puts a storage where `mapLocation` says. Without it every storage goes to main memory, wherever it was saved from.
 * @throws TypeError for a mapLocation of the wrong kind.
 */
export function mapStorage(base: Tensor, location: string, mapLocation: MapLocation | undefined): Tensor {
  if (mapLocation === undefined || mapLocation === null) return base;
  if (typeof mapLocation === 'string' || mapLocation instanceof Device) return move(base, mapLocation as DeviceLike);
  if (typeof mapLocation === 'function') {
    const result = mapLocation(base, location);
    if (result === undefined || result === null) return base;
    if (!(result instanceof Tensor)) return move(base, result);
    if (storageBytes(result) !== storageBytes(base)) {
      throw new RuntimeError('load(): the function mapLocation returned a storage of another size');
    }
    return result;
  }
  if (typeof mapLocation !== 'object') {
    throw new TypeError(
      `load(): option 'mapLocation' must be a device, a mapping or a function, not ${kindOf(mapLocation)}`,
    );
  }
  const found = entriesOf(mapLocation as Record<string, DeviceLike>).find(([from]) => from === location);
  return found ? move(base, found[1]) : base;
}

/**
 * A new storage of `nbytes`, filled piece by piece.
 * @param fill hands each piece of the data and its position to the function it is given.
 * @param swapped the type whose bytes are in big-endian order, or null.
 */
export function loadStorage(
  nbytes: number,
  swapped: TorchType | null,
  fill: (put: (piece: Uint8Array, at: number) => void) => void,
): Tensor {
  const base = allocateStorageUninitialized(nbytes);
  fill((piece, at) => {
    if (swapped) swapBytes(piece, swapWidth(swapped));
    writeStorage(base, at, piece);
  });
  return base;
}
