// Where results go: a file that grows, or standard output.
import { type FileHandle, open } from 'node:fs/promises';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { CliError } from '../errors.js';

/** Takes bytes one after the other. */
export interface Output {
  /** Bytes that were written, whether or not they are on the disk. */
  readonly length: number;
  write(data: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const ENOUGH = 1 << 18;

/** A file under its name for the time being. */
export class PartialFile implements Output {
  private pending: Buffer[] = [];
  private waiting = 0;
  private written: number;
  private closed = false;

  private constructor(
    private readonly handle: FileHandle,
    start: number,
  ) {
    this.written = start;
  }

  /**
   * Opens a file and cuts off what lies behind `length`.
   * @throws CliError if the file is shorter.
   */
  static async open(name: string, length: number): Promise<PartialFile> {
    const handle = await open(name, length > 0 ? 'r+' : 'w+');
    const { size } = await handle.stat();
    if (size < length) {
      await handle.close();
      throw new CliError(
        `${name} is shorter than it was: the interrupted job cannot go on. Start anew without --resume`,
      );
    }
    await handle.truncate(length);
    return new PartialFile(handle, length);
  }

  get length(): number {
    return this.written + this.waiting;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes =
      typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.pending.push(bytes);
    this.waiting += bytes.length;
    if (this.waiting >= ENOUGH) await this.flush();
  }

  /** Replaces bytes that were written before. */
  async patch(bytes: Uint8Array, position: number): Promise<void> {
    await this.flush();
    await writeAll(this.handle, bytes, position);
  }

  private async flush(): Promise<void> {
    if (this.waiting === 0) return;
    const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending);
    await writeAll(this.handle, bytes, this.written);
    this.pending = [];
    this.written += this.waiting;
    this.waiting = 0;
  }

  /** Brings all to the disk. */
  async sync(): Promise<void> {
    await this.flush();
    await this.handle.datasync();
  }

  /** The bytes of the file in pieces; nothing may be written meanwhile. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    await this.flush();
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let at = 0; at < this.written; ) {
      const { bytesRead } = await this.handle.read(buffer, 0, Math.min(buffer.length, this.written - at), at);
      if (bytesRead === 0) throw new CliError('a partial file has become shorter');
      at += bytesRead;
      yield Buffer.from(buffer.subarray(0, bytesRead));
    }
  }

  /** Brings all to the disk and closes the file. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.flush();
      await this.handle.sync();
    } finally {
      await this.handle.close();
    }
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Standard output, or something that is no regular file, as a pipe: written as it comes. */
export class StreamOutput implements Output {
  length = 0;
  private readonly stream: WriteStream | NodeJS.WriteStream;
  private failure: Error | null = null;

  /** @param file the path, or `-` for standard output. */
  constructor(private readonly file: string) {
    this.stream = file === '-' ? process.stdout : createWriteStream(file);
    this.stream.on('error', (error: Error) => {
      this.failure = error;
    });
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.length += data.length;
    if (!this.stream.write(data)) await once(this.stream, 'drain');
  }

  async close(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.file === '-') return;
    await new Promise<void>((done, failed) => {
      this.stream.once('error', failed);
      this.stream.end(done);
    });
  }
}
