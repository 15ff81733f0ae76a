// Zip archives as PyTorch writes them: entries stored, their data aligned by padding in an extra field, sizes and checksums
// in a descriptor behind the data and in the directory, zip64 records always at the end.
import { crc32, dataView } from './bytes.js';
import type { Tensor } from '../tensor/tensor.js';
import { wholePieces } from './elements.js';
import type { Pieces } from './sink.js';

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

/** One piece. */
function* single(bytes: Uint8Array): Pieces {
  yield bytes;
}

/** Gives the pieces of an archive from its first byte on. */
export class ZipWriter {
  private readonly entries: Written[] = [];
  private position = 0;

  private *put(...parts: Uint8Array[]): Pieces {
    for (const part of parts) {
      this.position += part.length;
      yield part;
    }
  }

  /** Adds bytes as an entry. */
  *add(name: string, bytes: Uint8Array): Pieces {
    yield* this.stream(name, bytes.length, single(bytes));
  }

  /** Adds the storage of a tensor as an entry. */
  *storage(name: string, tensor: Tensor, nbytes: number): Pieces {
    yield* this.stream(name, nbytes, wholePieces(tensor, nbytes));
  }

  /** Adds an entry of `size` bytes that come in pieces. */
  *stream(name: string, size: number, pieces: Pieces): Pieces {
    const rawName = Buffer.from(name, 'utf8');
    const header = this.position;
    const wide = zip64Field(size, size);
    const fixed = header + 30 + rawName.length + wide.length + 4;
    const padding = (ALIGNMENT - (fixed % ALIGNMENT)) % ALIGNMENT;
    const extra = wide.length + 4 + padding;
    const local = fields(
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
    );
    yield* this.put(local, rawName, wide, fields([2, 0x4246], [2, padding]), new Uint8Array(padding).fill(PAD_BYTE));
    let crc = 0;
    let written = 0;
    for (let step = pieces.next(0); !step.done; step = pieces.next(crc)) {
      const piece = step.value;
      if (piece instanceof Uint8Array) {
        crc = crc32(piece, crc);
        written += piece.length;
        yield piece;
      } else {
        written += piece.nbytes;
        crc = yield { ...piece, crc };
      }
    }
    if (written !== size) throw new Error(`zip entry ${name}: ${written} bytes instead of ${size}`);
    this.position += size;
    const width = size >= LIMIT ? 8 : 4;
    yield* this.put(fields([4, 0x08074b50], [4, crc], [width, size], [width, size]));
    this.entries.push({ name: rawName, size, crc, header });
  }

  /** The directory; nothing can be added after. */
  *finish(): Pieces {
    const start = this.position;
    for (const { name, size, crc, header } of this.entries) {
      const wide = zip64Field(size, size, header);
      const small = Math.min(size, LIMIT);
      yield* this.put(
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
      yield* this.put(name);
      yield* this.put(wide);
    }
    const end = this.position;
    const count = this.entries.length;
    const size = end - start;
    yield* this.put(
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
    yield* this.put(fields([4, 0x07064b50], [4, 0], [8, end], [4, 1]));
    const few = Math.min(count, 0xffff);
    yield* this.put(
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
