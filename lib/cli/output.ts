// Output that stands under its name only when it is whole.
import { closeSync, createWriteStream, fsyncSync, openSync, renameSync, rmSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';

/** A text file written next to its place and renamed at the end, or standard output for `-`. */
export class AtomicOutput {
  private readonly temporary: string | null;
  private readonly stream: WriteStream | NodeJS.WriteStream;
  private failure: Error | null = null;
  private readonly onExit = (): void => this.remove();

  /** @param file the final name, or `-`. */
  constructor(private readonly file: string) {
    if (file === '-') {
      this.temporary = null;
      this.stream = process.stdout;
    } else {
      this.temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
      // Opened here, so that a folder that is not there or not ours is told before any work is done.
      this.stream = createWriteStream(this.temporary, { fd: openSync(this.temporary, 'wx') });
      process.on('exit', this.onExit);
    }
    this.stream.on('error', (error: Error) => {
      this.failure = error;
    });
  }

  /** Writes text; waits while the file is behind. */
  async write(text: string): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (!this.stream.write(text)) await once(this.stream, 'drain');
  }

  /** Puts the file in its place. */
  async finish(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    if (this.temporary === null) return;
    await new Promise<void>((done, failed) => {
      this.stream.once('error', failed);
      (this.stream as WriteStream).end(done);
    });
    const fd = openSync(this.temporary, 'r');
    fsyncSync(fd);
    closeSync(fd);
    renameSync(this.temporary, this.file);
    process.off('exit', this.onExit);
  }

  /** Takes back what was written. */
  abort(): void {
    if (this.temporary === null) return;
    (this.stream as WriteStream).destroy();
    this.remove();
    process.off('exit', this.onExit);
  }

  private remove(): void {
    if (this.temporary !== null) rmSync(this.temporary, { force: true });
  }
}
