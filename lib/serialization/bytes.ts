// Where bytes come from: a file that is read in pieces, or memory.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { getSystemErrorMap, types } from 'node:util';
import zlib from 'node:zlib';
import { kindOf, RuntimeError } from '../core/errors.js';
import { release } from '../tensor/memory.js';
import { writeStorage } from '../tensor/storage.js';
import { mapFile, readStorageFromFile } from '../tensor/storage_file.js';
import type { Tensor } from '../tensor/tensor.js';

/** Bytes at known positions, read only where asked. */
export interface ByteSource {
  readonly size: number;
  /** What error messages call it. */
  readonly name: string;
  /** Fills `dst` from `offset` on; throws RuntimeError where the source is too short. */
  read(offset: number, dst: Uint8Array): void;
  /** Fills the storage of `base` with its first `nbytes` bytes from `offset` on; returns their CRC-32. */
  fill(offset: number, base: Tensor, nbytes: number): number;
  /**
   * The whole source as a storage on the pages of the file, private to this process.
   * @throws RuntimeError where there is no file.
   */
  map(): Tensor;
  close(): void;
}

/** A path or bytes, as the loading functions take them. */
export type FileLike = string | URL | Uint8Array | ArrayBuffer;

/** Pieces that large data travel in: large enough to be read at full speed, small enough not to matter. */
export const CHUNK = 1 << 20;

class FileSource implements ByteSource {
  readonly size: number;
  private readonly fd: number;
  private mapped: Tensor | null = null;

  constructor(readonly name: string) {
    this.fd = fs.openSync(name, 'r');
    const stat = fs.fstatSync(this.fd);
    if (!stat.isFile()) {
      fs.closeSync(this.fd);
      throw new RuntimeError(`${name} is not a regular file`);
    }
    this.size = stat.size;
  }

  read(offset: number, dst: Uint8Array): void {
    let done = 0;
    while (done < dst.length) {
      const n = fs.readSync(this.fd, dst, done, dst.length - done, offset + done);
      if (n === 0) throw tooShort(this, offset + dst.length);
      done += n;
    }
  }

  fill(offset: number, base: Tensor, nbytes: number): number {
    const outcome = readStorageFromFile(this.fd, offset, base, 0, nbytes);
    if (Number.isNaN(outcome)) throw tooShort(this, offset + nbytes);
    return checkOutcome(outcome, 'read', this.name);
  }

  map(): Tensor {
    this.mapped ??= mapFile(this.fd);
    return this.mapped;
  }

  close(): void {
    fs.closeSync(this.fd);
    // Storages on parts of it keep the pages.
    if (this.mapped) release(this.mapped);
  }
}

/**
 * The checksum that reading from or writing to a file gave.
 * @throws Node's own kind of error where it failed instead.
 */
export function checkOutcome(outcome: number, syscall: string, file: string): number {
  if (outcome >= 0) return outcome;
  const [code, text] = getSystemErrorMap().get(outcome) ?? ['UNKNOWN', 'unknown error'];
  const message = `${code}: ${text}, ${syscall} '${file}'`;
  throw Object.assign(new Error(message), { errno: outcome, code, syscall, path: file });
}

class MemorySource implements ByteSource {
  constructor(
    private readonly bytes: Uint8Array,
    readonly name: string,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, dst: Uint8Array): void {
    if (offset < 0 || offset + dst.length > this.bytes.length) throw tooShort(this, offset + dst.length);
    dst.set(this.bytes.subarray(offset, offset + dst.length));
  }

  fill(offset: number, base: Tensor, nbytes: number): number {
    const bytes = this.bytes.subarray(offset, offset + nbytes);
    if (bytes.length !== nbytes) throw tooShort(this, offset + nbytes);
    writeStorage(base, 0, bytes);
    return crc32(bytes);
  }

  map(): Tensor {
    throw new RuntimeError(`${this.name} is no file and cannot be mapped`);
  }

  close(): void {}
}

function tooShort(source: ByteSource, needed: number): RuntimeError {
  return new RuntimeError(`${source.name} ends early: ${source.size} bytes, at least ${needed} expected`);
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array, name = 'the data'): ByteSource {
  return new MemorySource(bytes, name);
}

/**
 * Opens what a loading function was given.
 * @throws TypeError for anything but a path, a file URL or bytes; Node's own error if the file cannot be opened.
 */
export function openSource(file: FileLike, caller: string): ByteSource {
  if (typeof file === 'string') return new FileSource(file);
  if (file instanceof URL) return new FileSource(filePath(file));
  if (types.isUint8Array(file)) return new MemorySource(file, 'the buffer');
  if (types.isArrayBuffer(file)) return new MemorySource(new Uint8Array(file), 'the buffer');
  throw new TypeError(`${caller}: argument 'file' must be a path or bytes, not ${kindOf(file)}`);
}

/** The path that a file URL names. */
export function filePath(file: string | URL): string {
  return typeof file === 'string' ? file : fileURLToPath(file);
}

/** A copy of `length` bytes at `offset`. */
export function readBytes(source: ByteSource, offset: number, length: number): Uint8Array {
  if (offset < 0 || length < 0 || offset + length > source.size) throw tooShort(source, offset + length);
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
}

/** Hands the bytes [offset, offset + length) on in pieces; `at` counts from 0. The piece is reused: copy to keep. */
export function forEachChunk(
  source: ByteSource,
  offset: number,
  length: number,
  use: (piece: Uint8Array, at: number) => void,
): void {
  const buffer = new Uint8Array(Math.min(length, CHUNK));
  for (let at = 0; at < length; at += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, length - at));
    source.read(offset + at, piece);
    use(piece, at);
  }
}

type Crc32 = (bytes: Uint8Array, value?: number) => number;

/** zlib.crc32 is absent from Node before 20.15. */
const native = (zlib as { crc32?: Crc32 }).crc32;

const table = new Uint32Array(native ? 0 : 256).map((_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** The CRC-32 of zip archives, continued from `value`. */
export const crc32: Crc32 =
  native ??
  ((bytes, value = 0) => {
    let c = ~value;
    for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
    return ~c >>> 0;
  });

/** Little-endian numbers of a small block of bytes whose length the caller has checked. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A 64-bit unsigned number as a JavaScript number.
 * @throws RuntimeError beyond 2^53 - 1: no real file has such a size.
 */
export function u64(view: DataView, at: number, what: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RuntimeError(`${what} is out of range: ${value}`);
  return Number(value);
}

/** Reverses the bytes of every element of `width` bytes, in place. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}
