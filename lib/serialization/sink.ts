// Where files are written: to memory, or to disk so that either the old or the whole new file is there, never half of one.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** Takes bytes one piece after another. */
export interface Sink {
  /** Bytes written so far. */
  readonly position: number;
  write(bytes: Uint8Array): void;
}

class FileSink implements Sink {
  position = 0;

  constructor(private readonly fd: number) {}

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.fd, bytes, done, bytes.length - done);
    this.position += bytes.length;
  }
}

class MemorySink implements Sink {
  position = 0;
  private readonly parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    // Not slice(): a Buffer's shares the memory, and callers reuse theirs.
    this.parts.push(new Uint8Array(bytes));
    this.position += bytes.length;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.position);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** What `produce` writes. */
export function writeToMemory(produce: (sink: Sink) => void): Uint8Array {
  const sink = new MemorySink();
  produce(sink);
  return sink.bytes();
}

/**
 * Writes a file as a whole: a temporary file in the same folder is filled, brought to disk and renamed. A link is followed,
 * the mode of a file that is replaced is kept, and something other than a regular file (a pipe) is written to directly.
 * If anything fails, the file that was there is untouched and no temporary file is left.
 */
export function writeFileAtomically(file: string, produce: (sink: Sink) => void): void {
  const old = fs.statSync(file, { throwIfNoEntry: false });
  if (old && !old.isFile()) {
    const fd = fs.openSync(file, 'w');
    try {
      produce(new FileSink(fd));
    } finally {
      fs.closeSync(fd);
    }
    return;
  }
  const target = old ? fs.realpathSync(file) : file;
  const folder = path.dirname(target);
  const temporary = path.join(folder, `.${path.basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  const fd = fs.openSync(temporary, 'wx');
  let open = true;
  try {
    produce(new FileSink(fd));
    if (old) fs.fchmodSync(fd, old.mode & 0o7777);
    fs.fsyncSync(fd);
    open = false;
    fs.closeSync(fd);
    fs.renameSync(temporary, target);
  } catch (error) {
    if (open) fs.closeSync(fd);
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
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
    // Some file systems have nothing to synchronise in a folder.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
