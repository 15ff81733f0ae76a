// Storages and open files: mapped, read and written without a copy in JavaScript.
import { addon, nativeOp } from '../native/addon.js';
import { invoke, invokeNumbers } from './invoke.js';
import { alive, type Tensor } from './tensor.js';

const MAP = nativeOp('map_file');
const PART = nativeOp('storage_part');
const WRITE = nativeOp('write_file');
const READ = nativeOp('read_file');

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

/** Writes bytes [offset, offset + nbytes) of the storage of `t` at the file's current position. */
export function writeStorageToFile(fd: number, t: Tensor, offset: number, nbytes: number): FileOutcome {
  return invokeNumbers(WRITE, fd, t, offset, nbytes)[0]!;
}

/** As `writeStorageToFile`, on a thread of Node's pool. The storage stays alive meanwhile. */
export function writeStorageInBackground(fd: number, t: Tensor, offset: number, nbytes: number): Promise<FileOutcome> {
  return addon.writeInBackground(fd, alive(t), offset, nbytes);
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
