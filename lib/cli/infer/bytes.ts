// Bytes of a file or of standard input, unpacked where the file is a .gz, as they are needed.
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CliError, cannotRead } from '../errors.js';

const PIECE = 1 << 20;
/** A record of a text file that is longer than this is taken for a quote that nobody closed, or no text at all. */
const LONGEST = 64 << 20;
const NEWLINE = 10;

/** A stream of bytes, and how many of the file's own have been read. */
export interface ByteStream {
  pieces: AsyncIterable<Uint8Array>;
  /** Bytes of the file that are read so far: packed ones. */
  read(): number;
  close(): void;
}

const isPacked = (file: string): boolean => /\.gz$/i.test(file);

/** The bytes of a file from `offset` on (an offset in the unpacked bytes); `-` is standard input. */
export function openBytes(file: string, offset: number): ByteStream {
  if (file === '-') return { pieces: process.stdin, read: () => 0, close: () => process.stdin.destroy() };
  const packed = isPacked(file);
  const stream: ReadStream = createReadStream(file, { highWaterMark: PIECE, start: packed ? 0 : offset });
  const close = (): void => void stream.destroy();
  if (!packed) return { pieces: stream, read: () => offset + stream.bytesRead, close };
  const unpacked = createGunzip({ chunkSize: 1 << 18 });
  stream.on('error', (error) => unpacked.destroy(error));
  return { pieces: skip(stream.pipe(unpacked), offset), read: () => stream.bytesRead, close };
}

async function* skip(pieces: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of pieces) {
    if (left < piece.length) yield left > 0 ? piece.subarray(left) : piece;
    left = Math.max(0, left - piece.length);
  }
}

/** The size of a file; null for what has none, as a pipe. */
export function sizeOf(file: string): number | null {
  if (file === '-') return null;
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? stat.size : null;
}

/** Tells a file from another and from a later version of itself. */
export function identityOf(file: string): string | null {
  if (file === '-') return null;
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? `${file} ${stat.size} ${stat.mtimeMs}` : null;
}

/** Takes bytes from a stream in pieces of given lengths. */
export class ByteReader {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private piece: Uint8Array = new Uint8Array(0);

  constructor(private readonly stream: ByteStream) {
    this.iterator = stream.pieces[Symbol.asyncIterator]();
  }

  private async fill(): Promise<void> {
    while (this.piece.length === 0) {
      const next = await this.iterator.next();
      if (next.done) throw new CliError('the file ends too early');
      this.piece = next.value;
    }
  }

  /**
   * The next `length` bytes, as a copy.
   * @throws CliError if there are fewer.
   */
  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    for (let filled = 0; filled < length; ) {
      await this.fill();
      const part = this.piece.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.piece = this.piece.subarray(part.length);
    }
    return bytes;
  }

  /** Passes over `length` bytes. */
  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      await this.fill();
      const part = Math.min(left, this.piece.length);
      left -= part;
      this.piece = this.piece.subarray(part);
    }
  }

  async close(): Promise<void> {
    this.stream.close();
    await this.iterator.return?.();
  }
}

/** The part of a text that is in memory: whole lines, each with its line feed, from `at` to `end`. */
export class TextWindow {
  bytes = Buffer.allocUnsafe(2 * PIECE);
  at = 0;
  /** Behind the last line feed. */
  end = 0;
  private filled = 0;
  private finished = false;
  private readonly iterator: AsyncIterator<Uint8Array>;
  private readonly stream: ByteStream;

  /** @param offset where in the unpacked bytes the window starts. */
  constructor(
    private readonly file: string,
    private offset: number,
  ) {
    this.stream = openBytes(file, offset);
    this.iterator = this.stream.pieces[Symbol.asyncIterator]();
  }

  /** Where `at` lies in the unpacked bytes. */
  get position(): number {
    return this.offset + this.at;
  }

  /** Bytes of the file that are used so far; those of a packed file are only known by the piece. */
  get used(): number {
    return isPacked(this.file) ? this.stream.read() : this.position;
  }

  /** Whether there is nothing more than what lies in the window. */
  get last(): boolean {
    return this.finished;
  }

  /**
   * Brings in more; what lies from `at` on stays.
   * @returns whether there was more.
   */
  async more(): Promise<boolean> {
    if (this.finished) return false;
    this.bytes.copyWithin(0, this.at, this.filled);
    this.offset += this.at;
    this.filled -= this.at;
    this.end -= this.at;
    this.at = 0;
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.iterator.next();
    } catch (error) {
      throw cannotRead(this.file, error);
    }
    if (next.done) {
      this.finished = true;
      // The last line may have no line feed; the readers rely on one.
      if (this.filled > this.end) {
        this.reserve(1);
        this.bytes[this.filled++] = NEWLINE;
        this.end = this.filled;
      }
      return this.end > 0;
    }
    const piece = next.value;
    this.reserve(piece.length + 1);
    this.bytes.set(piece, this.filled);
    const newline = this.bytes.lastIndexOf(NEWLINE, this.filled + piece.length - 1);
    this.filled += piece.length;
    if (newline >= this.end) this.end = newline + 1;
    return true;
  }

  private reserve(more: number): void {
    if (this.filled + more <= this.bytes.length) return;
    if (this.filled > LONGEST) throw new CliError(`${this.file}: a line is longer than ${LONGEST >> 20} MiB`);
    const larger = Buffer.allocUnsafe(2 * (this.filled + more));
    this.bytes.copy(larger, 0, 0, this.filled);
    this.bytes = larger;
  }

  async close(): Promise<void> {
    this.stream.close();
    await this.iterator.return?.();
  }
}
