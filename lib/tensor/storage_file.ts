// Storages and open files: mapped, read and written without a copy in JavaScript.
import { uint8 } from '../core/dtype.js';
import { addon, nativeOp } from '../native/addon.js';
import { invoke, invokeNumbers } from './invoke.js';
import { storageBytes, viewStorage } from './storage.js';
import { alive, type Tensor } from './tensor.js';

const MAP = nativeOp('map_file');
const PART = nativeOp('storage_part');
const WRITE = nativeOp('write_file');
const READ = nativeOp('read_file');
const CLONE = nativeOp('clone');

/**
 * The whole of a regular file as a tensor of uint8 [size] on its pages. They are private: changes stay in memory. The
 * descriptor may be closed afterwards.
 * @throws RuntimeError for what cannot be mapped.
 */
export function mapFile(fd: number): Tensor {
  return invoke(MAP, fd);
}

/**
 * Bytes [offset, offset + nbytes) of the storage of `t` as a storage of their own, which keeps the first alive.
 * @throws RangeError if they lie outside.
 */
export function storagePart(t: Tensor, offset: number, nbytes: number): Tensor {
  return invoke(PART, t, offset, nbytes);
}

/**
 * What reading or writing gives: the CRC-32 of the bytes, minus the system's error number, or NaN where the file ends
 * before.
 */
export type FileOutcome = number;

/** Writes bytes [offset, offset + nbytes) of the storage of `t` at the file's current position; the CRC goes on from `crc`. */
export function writeStorageToFile(fd: number, t: Tensor, offset: number, nbytes: number, crc: number): FileOutcome {
  return invokeNumbers(WRITE, fd, t, offset, nbytes, crc)[0]!;
}

/** As `writeStorageToFile`, on a thread of Node's pool. The storage stays alive meanwhile. */
export function writeStorageInBackground(
  fd: number,
  t: Tensor,
  offset: number,
  nbytes: number,
  crc: number,
): Promise<FileOutcome> {
  return addon.writeInBackground(fd, alive(t), offset, nbytes, crc);
}

/** Reads `nbytes` at `position` of the file over the storage of `t`, from its byte `offset` on. */
export function readStorageFromFile(
  fd: number,
  position: number,
  t: Tensor,
  offset: number,
  nbytes: number,
): FileOutcome {
  return invokeNumbers(READ, fd, position, t, offset, nbytes)[0]!;
}

/** Another tensor on the same storage: uint8 [bytes of the storage]. */
export function wholeStorage(t: Tensor): Tensor {
  return viewStorage(t, uint8, [storageBytes(t)], [1], 0);
}

/** A copy of the storage of `t`, as uint8 [bytes]. */
export function copyStorage(t: Tensor): Tensor {
  return invoke(CLONE, wholeStorage(t));
}
