// Deflated entries of zip archives, unpacked piece by piece.
import zlib from 'node:zlib';
import { RuntimeError } from '../core/errors.js';
import { CHUNK, crc32, readBytes } from './bytes.js';
import type { ZipEntry, ZipReader } from './zip_reader.js';

/**
 * The unpacked bytes of a deflated entry; a few pieces at a time are in memory.
 * @throws RuntimeError if they are damaged, more or fewer than the archive says, or have another checksum.
 */
export async function* inflate(zip: ZipReader, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const unpacker = zlib.createInflateRaw({ chunkSize: 1 << 18 });
  const feed = (at: number): void => {
    if (at >= entry.packed) return void unpacker.end();
    const piece = readBytes(zip.source, entry.data + at, Math.min(CHUNK, entry.packed - at));
    // The callback comes when the piece is used up, so that one piece at a time is in memory.
    unpacker.write(piece, (error) => {
      if (error) return;
      try {
        feed(at + piece.length);
      } catch (cause) {
        unpacker.destroy(cause as Error);
      }
    });
  };
  feed(0);
  let crc = 0;
  let size = 0;
  try {
    for await (const piece of unpacker as AsyncIterable<Uint8Array>) {
      size += piece.length;
      if (size > entry.size) break;
      crc = crc32(piece, crc);
      yield piece;
    }
  } catch (error) {
    throw new RuntimeError(`${zip.source.name}: ${entry.name} cannot be unpacked: ${(error as Error).message}`);
  }
  if (size !== entry.size) {
    throw new RuntimeError(`${zip.source.name}: ${entry.name} does not unpack to the ${entry.size} bytes it should`);
  }
  zip.checkCrc(entry, crc);
}
