// A reader of zip archives that trusts nothing in them: every offset and size is checked against the file, the local
// header of an entry against the directory, and entries may neither overlap nor share a name (PKWARE's APPNOTE 6.3).
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ByteSource, crc32, dataView, forEachChunk, readBytes, u64 } from './bytes.js';
import { loadStorage, mappedStorage } from './storage_loader.js';
import { decodeUtf8 } from './text.js';

export const STORED = 0;
export const DEFLATED = 8;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes after unpacking, as the archive says. */
  readonly size: number;
  /** Where the local header starts. */
  readonly header: number;
  /** Where the data start. */
  readonly data: number;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const DESCRIPTOR = 0x08074b50;

const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
const END64_SIZE = 56;
const LOCATOR64_SIZE = 20;

const ENCRYPTED = 1;
const HAS_DESCRIPTOR = 8;
const ZIP64_FIELD = 1;

function damaged(source: ByteSource, what: string): RuntimeError {
  return new RuntimeError(`${source.name}: the zip archive is damaged: ${what}`);
}

/** Finds the end record, which may be followed by a comment, and the directory it points to. */
function findDirectory(source: ByteSource): Directory {
  const tail = Math.min(source.size, END_SIZE + 0xffff);
  const bytes = readBytes(source, source.size - tail, tail);
  const view = dataView(bytes);
  for (let at = tail - END_SIZE; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_SIZE + view.getUint16(at + 20, true) !== tail) continue;
    const end = source.size - tail + at;
    const classic = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    if (view.getUint16(at + 4, true) !== 0 || view.getUint16(at + 6, true) !== 0) {
      throw damaged(source, 'it spans several disks');
    }
    const zip64 = end >= LOCATOR64_SIZE ? findDirectory64(source, end) : null;
    const found = zip64 ?? classic;
    const limit = zip64 ? zip64.end : end;
    if (found.offset + found.size !== limit) throw damaged(source, 'its directory is not where the end record says');
    if (found.count * CENTRAL_SIZE > found.size)
      throw damaged(source, `a directory of ${found.count} entries is too short`);
    return found;
  }
  throw damaged(source, 'it has no end record (a download that was cut short?)');
}

function findDirectory64(source: ByteSource, end: number): (Directory & { end: number }) | null {
  const locator = dataView(readBytes(source, end - LOCATOR64_SIZE, LOCATOR64_SIZE));
  if (locator.getUint32(0, true) !== LOCATOR64) return null;
  const at = u64(locator, 8, 'the zip64 end record');
  if (at + END64_SIZE > end - LOCATOR64_SIZE) throw damaged(source, 'its zip64 end record lies outside');
  const record = dataView(readBytes(source, at, END64_SIZE));
  if (record.getUint32(0, true) !== END64) throw damaged(source, 'its zip64 end record is not where the locator says');
  return {
    count: u64(record, 32, 'the number of zip entries'),
    size: u64(record, 40, 'the size of the zip directory'),
    offset: u64(record, 48, 'the offset of the zip directory'),
    end: at,
  };
}

/** The 64-bit values of an extra field, for those 32-bit values that are saturated, in the order the format fixes. */
function widen(source: ByteSource, extra: DataView, values: number[]): number[] {
  if (!values.includes(0xffffffff)) return values;
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const id = extra.getUint16(at, true);
    const size = extra.getUint16(at + 2, true);
    if (at + 4 + size > extra.byteLength) break;
    if (id === ZIP64_FIELD) {
      let next = at + 4;
      return values.map((v) => {
        if (v !== 0xffffffff) return v;
        if (next + 8 > at + 4 + size) throw damaged(source, 'a zip64 field is too short');
        next += 8;
        return u64(extra, next - 8, 'a size in the zip directory');
      });
    }
    at += 4 + size;
  }
  return values;
}

/** An open archive: its entries by name, in the order of the directory. */
export class ZipReader {
  readonly entries = new Map<string, ZipEntry>();
  /** PyTorch can leave checksums out (`torch.serialization.set_crc32_options(False)`); then all of them are 0. */
  readonly checked: boolean;

  /** @throws RuntimeError for an archive that is damaged or self-contradictory. */
  constructor(readonly source: ByteSource) {
    const directory = findDirectory(source);
    const bytes = readBytes(source, directory.offset, directory.size);
    const view = dataView(bytes);
    let at = 0;
    for (let i = 0; i < directory.count; i++) at = this.readEntry(view, bytes, at, directory.offset);
    if (at !== directory.size) throw damaged(source, 'its directory is longer than its entries');
    this.checkOverlap(directory.offset);
    this.checked = [...this.entries.values()].some((e) => e.crc !== 0);
  }

  private readEntry(view: DataView, bytes: Uint8Array, at: number, limit: number): number {
    const { source } = this;
    if (at + CENTRAL_SIZE > bytes.length || view.getUint32(at, true) !== CENTRAL)
      throw damaged(source, 'a bad directory entry');
    const nameSize = view.getUint16(at + 28, true);
    const extraSize = view.getUint16(at + 30, true);
    const next = at + CENTRAL_SIZE + nameSize + extraSize + view.getUint16(at + 32, true);
    if (next > bytes.length) throw damaged(source, 'a directory entry is cut short');
    const rawName = bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameSize);
    const name = decodeUtf8(rawName);
    const extra = dataView(bytes.subarray(at + CENTRAL_SIZE + nameSize, at + CENTRAL_SIZE + nameSize + extraSize));
    const [size, packed, header] = widen(source, extra, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]) as [number, number, number];
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    if (flags & ENCRYPTED) throw damaged(source, `${name} is encrypted`);
    if (method !== STORED && method !== DEFLATED)
      throw damaged(source, `${name} is packed by an unknown method (${method})`);
    if (method === STORED && size !== packed) throw damaged(source, `${name} has two sizes`);
    if (this.entries.has(name)) throw damaged(source, `it has two entries called ${name}`);
    const crc = view.getUint32(at + 16, true);
    const data = this.checkLocal({ name, method, crc, packed, size, header, data: 0 }, rawName, flags, limit);
    this.entries.set(name, { name, method, crc, packed, size, header, data });
    return next;
  }

  /** Compares the local header with the directory's entry; returns where the data start. */
  private checkLocal(entry: ZipEntry, rawName: Uint8Array, flags: number, limit: number): number {
    const { source } = this;
    const { name, header } = entry;
    if (header + LOCAL_SIZE > limit) throw damaged(source, `${name} lies outside`);
    const fixed = dataView(readBytes(source, header, LOCAL_SIZE));
    if (fixed.getUint32(0, true) !== LOCAL) throw damaged(source, `${name} has no local header`);
    const nameSize = fixed.getUint16(26, true);
    const extraSize = fixed.getUint16(28, true);
    const data = header + LOCAL_SIZE + nameSize + extraSize;
    if (data + entry.packed > limit) throw damaged(source, `${name} reaches beyond its place`);
    const rest = readBytes(source, header + LOCAL_SIZE, nameSize + extraSize);
    if (Buffer.compare(rest.subarray(0, nameSize), rawName) !== 0) {
      throw damaged(source, `${name} has another name in its local header`);
    }
    const localFlags = fixed.getUint16(6, true);
    if (fixed.getUint16(8, true) !== entry.method || ((localFlags ^ flags) & (ENCRYPTED | HAS_DESCRIPTOR)) !== 0) {
      throw damaged(source, `${name} has two descriptions`);
    }
    const [size, packed] = widen(source, dataView(rest.subarray(nameSize)), [
      fixed.getUint32(22, true),
      fixed.getUint32(18, true),
    ]) as [number, number];
    const told = [fixed.getUint32(14, true), packed, size];
    // With a descriptor behind the data the header's numbers may be left zero; the descriptor then has to agree.
    if (localFlags & HAS_DESCRIPTOR) this.checkDescriptor(entry, data, limit);
    const real = [entry.crc, entry.packed, entry.size];
    for (const [i, value] of told.entries()) {
      if (value !== real[i] && !(value === 0 && localFlags & HAS_DESCRIPTOR)) {
        throw damaged(source, `${name} has two sizes or checksums`);
      }
    }
    return data;
  }

  private checkDescriptor(entry: ZipEntry, data: number, limit: number): void {
    const at = data + entry.packed;
    const bytes = readBytes(this.source, at, Math.min(24, limit - at));
    const view = dataView(bytes);
    const base = bytes.length >= 4 && view.getUint32(0, true) === DESCRIPTOR ? 4 : 0;
    const narrow =
      bytes.length >= base + 12 &&
      view.getUint32(base, true) === entry.crc &&
      view.getUint32(base + 4, true) === entry.packed &&
      view.getUint32(base + 8, true) === entry.size;
    const wide =
      bytes.length >= base + 20 &&
      view.getUint32(base, true) === entry.crc &&
      view.getBigUint64(base + 4, true) === BigInt(entry.packed) &&
      view.getBigUint64(base + 12, true) === BigInt(entry.size);
    if (!narrow && !wide) throw damaged(this.source, `${entry.name} has two sizes or checksums`);
  }

  private checkOverlap(limit: number): void {
    const sorted = [...this.entries.values()].sort((a, b) => a.header - b.header);
    sorted.forEach((entry, i) => {
      const next = sorted[i + 1];
      if (entry.data + entry.packed > (next ? next.header : limit)) {
        throw damaged(this.source, `${entry.name} overlaps ${next ? next.name : 'the directory'}`);
      }
    });
  }

  /** The entry of a name, or undefined. */
  find(name: string): ZipEntry | undefined {
    return this.entries.get(name);
  }

  private needStored(entry: ZipEntry): void {
    if (entry.method !== STORED) {
      throw new RuntimeError(
        `${this.source.name}: ${entry.name} is compressed; PyTorch stores its records uncompressed`,
      );
    }
  }

  /**
   * A storage with the bytes of a stored entry, whose checksum is compared.
   * @throws RuntimeError for an entry that is packed or whose checksum differs.
   */
  load(entry: ZipEntry): Tensor {
    this.needStored(entry);
    const { base, crc } = loadStorage(this.source, entry.data, entry.packed);
    this.checkCrc(entry, crc);
    return base;
  }

  /**
   * As `load`, but on the pages of the file, and without comparing the checksum, which would read all of it. Null for an
   * entry whose elements are not aligned there.
   */
  map(entry: ZipEntry, itemsize: number): Tensor | null {
    this.needStored(entry);
    return mappedStorage(this.source, entry.data, entry.packed, itemsize);
  }

  /**
   * Reads a stored entry without keeping it, and compares its checksum.
   * @throws RuntimeError for an entry that is packed or whose checksum differs.
   */
  verify(entry: ZipEntry): void {
    this.needStored(entry);
    let crc = 0;
    forEachChunk(this.source, entry.data, entry.packed, (piece) => (crc = crc32(piece, crc)));
    this.checkCrc(entry, crc);
  }

  /** Compares a checksum with the entry's. */
  checkCrc(entry: ZipEntry, crc: number): void {
    if (this.checked && crc !== entry.crc) throw damaged(this.source, `the checksum of ${entry.name} does not match`);
  }

  /**
   * All bytes of a stored entry, whose checksum is compared.
   * @throws RuntimeError for an entry that is packed or whose checksum differs.
   */
  read(entry: ZipEntry): Uint8Array {
    this.needStored(entry);
    const bytes = readBytes(this.source, entry.data, entry.packed);
    this.checkCrc(entry, crc32(bytes));
    return bytes;
  }
}
