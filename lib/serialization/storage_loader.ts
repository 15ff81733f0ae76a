// Storages of a file, brought into memory once each.
import { Device, type DeviceLike, device as deviceOf } from '../core/device.js';
import { uint8 } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { entriesOf } from './python.js';
import {
  allocateStorageUninitialized,
  metaTensor,
  readStorage,
  storageBytes,
  writeStorage,
} from '../tensor/storage.js';
import { storagePart } from '../tensor/storage_file.js';
import { Tensor } from '../tensor/tensor.js';
import { type ByteSource, CHUNK, swapBytes } from './bytes.js';
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

/**
 * Whether a storage goes to the device meta, which has no elements: then none need to be read. A function is asked when the
 * storage is there.
 */
export function goesToMeta(location: string, mapLocation: MapLocation | undefined): boolean {
  if (mapLocation === undefined || mapLocation === null || typeof mapLocation === 'function') return false;
  const target =
    typeof mapLocation === 'string' || mapLocation instanceof Device
      ? (mapLocation as DeviceLike)
      : entriesOf(mapLocation as Record<string, DeviceLike>).find(([from]) => from === location)?.[1];
  return target !== undefined && deviceOf(target).type === 'meta';
}

/** A storage of the device meta. */
export function metaStorage(nbytes: number): Tensor {
  return metaTensor(uint8, [nbytes], [1]);
}

function move(base: Tensor, target: DeviceLike): Tensor {
  const device = deviceOf(target);
  if (device.equals(base.device) || device.type === base.device.type) return base;
  if (device.type === 'meta') return metaStorage(storageBytes(base));
  if (typeof (base as Movable).to !== 'function') {
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

/** A storage, and the CRC-32 of its bytes. */
export interface LoadedStorage {
  readonly base: Tensor;
  readonly crc: number;
}

/** A new storage with the bytes [offset, offset + nbytes) of a source. */
export function loadStorage(source: ByteSource, offset: number, nbytes: number): LoadedStorage {
  const base = allocateStorageUninitialized(nbytes);
  return { base, crc: source.fill(offset, base, nbytes) };
}

/**
 * A storage on the pages of the file: nothing is read before it is used, and changes stay in memory. Null where elements
 * of `itemsize` bytes would not be aligned, as in files that were not written to be mapped.
 */
export function mappedStorage(source: ByteSource, offset: number, nbytes: number, itemsize: number): Tensor | null {
  // Complex elements are pairs: no element needs more than eight bytes.
  return offset % Math.min(itemsize, 8) === 0 ? storagePart(source.map(), offset, nbytes) : null;
}

/** Turns the bytes of every element of a storage, which is in big-endian order. */
export function swapStorage(base: Tensor, type: TorchType): void {
  const nbytes = storageBytes(base);
  const buffer = new Uint8Array(Math.min(CHUNK, nbytes));
  for (let at = 0; at < nbytes; at += CHUNK) {
    const piece = buffer.subarray(0, Math.min(CHUNK, nbytes - at));
    readStorage(base, at, piece);
    swapBytes(piece, swapWidth(type));
    writeStorage(base, at, piece);
  }
}
