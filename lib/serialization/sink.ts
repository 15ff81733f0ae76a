// What a file is made of, piece by piece, and writing it: to memory, or to disk so that either the old or the whole new file is
// there, never half of one.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { readStorage } from '../tensor/storage.js';
import { writeStorageInBackground, writeStorageToFile } from '../tensor/storage_file.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOutcome, crc32 } from './bytes.js';

/** Bytes [offset, offset + nbytes) of the storage of a tensor, which are written without a copy. */
export interface StorageRange {
  readonly tensor: Tensor;
  readonly offset: number;
  readonly nbytes: number;
  /** The CRC-32 of what came before in the same record. */
  readonly crc: number;
}

/**
 * The pieces of a file in their order. Whoever writes them answers a range of a storage with its CRC-32. Bytes may be used again
 * after the next step.
 */
export type Pieces = Generator<Uint8Array | StorageRange, void, number>;

/** Less than this is gathered before it is written. */
const BLOCK = 1 << 18;

/** The same pieces with the small ones gathered into blocks. */
function* gathered(pieces: Pieces): Pieces {
  const block = new Uint8Array(BLOCK);
  let filled = 0;
  for (let step = pieces.next(0); !step.done; ) {
    const piece = step.value;
    const size = piece instanceof Uint8Array ? piece.length : piece.nbytes;
    if (filled > 0 && filled + size > BLOCK) {
      yield block.subarray(0, filled);
      filled = 0;
    }
    let crc = 0;
    if (size > BLOCK) {
      crc = yield piece;
    } else {
      const into = block.subarray(filled, filled + size);
      if (piece instanceof Uint8Array) into.set(piece);
      else {
        readStorage(piece.tensor, piece.offset, into);
        crc = crc32(into, piece.crc);
      }
      filled += size;
    }
    step = pieces.next(crc);
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** The bytes of a file. */
export function writeToMemory(pieces: Pieces): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  let crc = 0;
  for (let step = pieces.next(0); !step.done; step = pieces.next(crc)) {
    const piece = step.value;
    // Not slice(): a Buffer's shares the memory.
    const bytes = piece instanceof Uint8Array ? new Uint8Array(piece) : new Uint8Array(piece.nbytes);
    if (!(piece instanceof Uint8Array)) {
      readStorage(piece.tensor, piece.offset, bytes);
      crc = crc32(bytes, piece.crc);
    }
    parts.push(bytes);
    size += bytes.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function writeBytes(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done, bytes.length - done);
}

function writePieces(fd: number, file: string, pieces: Pieces): void {
  const all = gathered(pieces);
  let crc = 0;
  for (let step = all.next(0); !step.done; step = all.next(crc)) {
    const piece = step.value;
    if (piece instanceof Uint8Array) writeBytes(fd, piece);
    else {
      const { tensor, offset, nbytes } = piece;
      crc = checkOutcome(writeStorageToFile(fd, tensor, offset, nbytes, piece.crc), 'write', file);
    }
  }
}

/** As `writePieces`, with the writing on threads of Node's pool. */
async function writePiecesInBackground(handle: fs.promises.FileHandle, file: string, pieces: Pieces): Promise<void> {
  const all = gathered(pieces);
  let crc = 0;
  for (let step = all.next(0); !step.done; step = all.next(crc)) {
    const piece = step.value;
    if (piece instanceof Uint8Array) {
      for (let done = 0; done < piece.length; ) {
        done += (await handle.write(piece, done, piece.length - done)).bytesWritten;
      }
    } else {
      const { tensor, offset, nbytes } = piece;
      const outcome = await writeStorageInBackground(handle.fd, tensor, offset, nbytes, piece.crc);
      crc = checkOutcome(outcome, 'write', file);
    }
  }
}

/** Where a file is written until it is whole. */
interface Place {
  /** The file that is replaced, links followed. */
  readonly target: string;
  readonly temporary: string;
  /** The mode that the file has now; null if there is none. */
  readonly mode: number | null;
}

/** Null for something other than a regular file (a pipe), which is written to directly. */
function placeFor(file: string): Place | null {
  const old = fs.statSync(file, { throwIfNoEntry: false });
  if (old && !old.isFile()) return null;
  const target = old ? fs.realpathSync(file) : file;
  const name = `.${path.basename(target)}.${randomBytes(6).toString('hex')}.tmp`;
  return { target, temporary: path.join(path.dirname(target), name), mode: old ? old.mode & 0o7777 : null };
}

/** Fills a temporary file and brings it to disk; it is removed if that fails. */
function fill({ temporary, mode, target }: Place, pieces: Pieces): void {
  const fd = fs.openSync(temporary, 'wx');
  let open = true;
  try {
    writePieces(fd, target, pieces);
    if (mode !== null) fs.fchmodSync(fd, mode);
    fs.fsyncSync(fd);
    open = false;
    fs.closeSync(fd);
  } catch (error) {
    if (open) fs.closeSync(fd);
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes a file as a whole: a temporary file in the same folder is filled, brought to disk and renamed. A link is followed,
 * the mode of a file that is replaced is kept, and something other than a regular file (a pipe) is written to directly.
 * If anything fails, the file that was there is untouched and no temporary file is left.
 */
export function writeFileAtomically(file: string, pieces: Pieces): void {
  writeFilesAtomically([[file, pieces]]);
}

/**
 * Writes several files as `writeFileAtomically` does one. All of them are on disk before the first takes its name, in the order
 * given: if writing fails, all that was there is untouched.
 */
export function writeFilesAtomically(files: readonly (readonly [file: string, pieces: Pieces])[]): void {
  const filled: Place[] = [];
  try {
    for (const [file, pieces] of files) {
      const place = placeFor(file);
      if (place) {
        fill(place, pieces);
        filled.push(place);
        continue;
      }
      const fd = fs.openSync(file, 'w');
      try {
        writePieces(fd, file, pieces);
      } finally {
        fs.closeSync(fd);
      }
    }
    for (const { temporary, target } of filled) fs.renameSync(temporary, target);
  } catch (error) {
    for (const { temporary } of filled) fs.rmSync(temporary, { force: true });
    throw error;
  }
  for (const folder of new Set(filled.map(({ target }) => path.dirname(target)))) syncFolder(folder);
}

/**
 * As `writeFileAtomically`, without holding JavaScript up: what takes long is done on threads of Node's pool.
 * @param ready called when all is written and before the file takes its name; may throw.
 */
export async function writeFileInBackground(file: string, pieces: Pieces, ready: () => void): Promise<void> {
  const place = placeFor(file);
  const handle = await open(place?.temporary ?? file, place ? 'wx' : 'w');
  try {
    await writePiecesInBackground(handle, file, pieces);
    if (place) {
      if (place.mode !== null) await handle.chmod(place.mode);
      await handle.sync();
    }
    await handle.close();
    ready();
    if (place) await fs.promises.rename(place.temporary, place.target);
  } catch (error) {
    // A handle that is closed already closes again without harm.
    await handle.close();
    if (place) await fs.promises.rm(place.temporary, { force: true });
    throw error;
  }
  if (place) await syncFolderInBackground(path.dirname(place.target));
}

/** Whether an error of synchronising a folder says that the file system has nothing to synchronise there. */
function isHarmless(error: unknown): boolean {
  return ['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Makes the renaming itself survive a power failure, where the system lets a folder be synchronised. */
function syncFolder(folder: string): void {
  let fd: number;
  try {
    fd = fs.openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    if (!isHarmless(error)) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

async function syncFolderInBackground(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  try {
    await handle?.sync();
  } catch (error) {
    if (!isHarmless(error)) throw error;
  } finally {
    await handle?.close();
  }
}
