// Zip archives as PyTorch writes them: entries stored, their data aligned by padding in an extra field, sizes and checksums
// in a descriptor behind the data and in the directory, zip64 records always at the end.
import { crc32, dataView } from './bytes.js';
import type { Sink } from './sink.js';

/** PyTorch aligns every record, so that a mapped file can be used in place. */
const ALIGNMENT = 64;
const FLAGS = 0x0808; // a descriptor follows the data; names are UTF-8
const LIMIT = 0xffffffff;
const PAD_BYTE = 0x5a;

interface Written {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly header: number;
}

/** Little-endian fields of 2, 4 or 8 bytes. */
function fields(...parts: readonly (readonly [2 | 4 | 8, number])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, [width]) => n + width, 0));
  const view = dataView(bytes);
  let at = 0;
  for (const [width, value] of parts) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
}

/** The extra field that holds 64-bit numbers, those of them that 32 bits cannot hold. */
function zip64Field(...values: number[]): Uint8Array {
  const large = values.filter((value) => value >= LIMIT);
  if (large.length === 0) return new Uint8Array(0);
  return fields([2, 1], [2, 8 * large.length], ...large.map((value) => [8, value] as const));
}

/** Writes an archive to a sink from its first byte on. */
export class ZipWriter {
  private readonly entries: Written[] = [];

  constructor(private readonly sink: Sink) {}

  /** Adds bytes as an entry. */
  add(name: string, bytes: Uint8Array): void {
    this.stream(name, bytes.length, (write) => write(bytes));
  }

  /** Adds an entry of `size` bytes that come in pieces. */
  stream(name: string, size: number, produce: (write: (piece: Uint8Array) => void) => void): void {
    const { sink } = this;
    const rawName = Buffer.from(name, 'utf8');
    const header = sink.position;
    const wide = zip64Field(size, size);
    const fixed = header + 30 + rawName.length + wide.length + 4;
    const padding = (ALIGNMENT - (fixed % ALIGNMENT)) % ALIGNMENT;
    const extra = wide.length + 4 + padding;
    sink.write(
      fields(
        [4, 0x04034b50],
        [2, 0],
        [2, FLAGS],
        [2, 0],
        [4, 0],
        [4, 0],
        [4, 0],
        [4, 0],
        [2, rawName.length],
        [2, extra],
      ),
    );
    sink.write(rawName);
    sink.write(wide);
    sink.write(fields([2, 0x4246], [2, padding]));
    sink.write(new Uint8Array(padding).fill(PAD_BYTE));
    let crc = 0;
    let written = 0;
    produce((piece) => {
      crc = crc32(piece, crc);
      written += piece.length;
      sink.write(piece);
    });
    if (written !== size) throw new Error(`zip entry ${name}: ${written} bytes instead of ${size}`);
    const width = size >= LIMIT ? 8 : 4;
    sink.write(fields([4, 0x08074b50], [4, crc], [width, size], [width, size]));
    this.entries.push({ name: rawName, size, crc, header });
  }

  /** Writes the directory; nothing can be added after. */
  finish(): void {
    const { sink } = this;
    const start = sink.position;
    for (const { name, size, crc, header } of this.entries) {
      const wide = zip64Field(size, size, header);
      const small = Math.min(size, LIMIT);
      sink.write(
        fields(
          ...([
            [4, 0x02014b50],
            [2, 0],
            [2, 0],
            [2, FLAGS],
            [2, 0],
            [4, 0],
            [4, crc],
            [4, small],
            [4, small],
          ] as const),
          ...([
            [2, name.length],
            [2, wide.length],
            [2, 0],
            [2, 0],
            [2, 0],
            [4, 0],
            [4, Math.min(header, LIMIT)],
          ] as const),
        ),
      );
      sink.write(name);
      sink.write(wide);
    }
    const end = sink.position;
    const count = this.entries.length;
    const size = end - start;
    sink.write(
      fields(
        [4, 0x06064b50],
        [8, 44],
        [2, 0x031e],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, count],
        [8, count],
        [8, size],
        [8, start],
      ),
    );
    sink.write(fields([4, 0x07064b50], [4, 0], [8, end], [4, 1]));
    const few = Math.min(count, 0xffff);
    sink.write(
      fields(
        [4, 0x06054b50],
        [2, 0],
        [2, 0],
        [2, few],
        [2, few],
        [4, Math.min(size, LIMIT)],
        [4, Math.min(start, LIMIT)],
        [2, 0],
      ),
    );
  }
}
