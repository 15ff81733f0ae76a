// A job's files: they grow under other names, with a note of how far they are, and take their own names when they are whole.
//
// OUTPUT.partial        what is written so far
// OUTPUT.partial.1 ...  further arrays, where the format keeps them apart
// ERRORS.partial        bad rows so far
// OUTPUT.partial.json   the note: the job's options, how long each file is and where in the input that was
//
// The note is replaced as a whole, after what it speaks of is on the disk. Whatever lies behind the noted lengths is cut off
// when the job goes on, so that a kill at any moment neither loses a row nor repeats one.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { CliError, messageOf } from '../errors.js';
import type { SourcePosition } from './batch.js';
import { PartialFile } from './output.js';

const VERSION = 1;
const ERRORS = '--errors';

const partialName = (final: string, part = 0): string => `${final}.partial${part === 0 ? '' : `.${part}`}`;

/** How far a job is. */
export interface Progress {
  /** The source that is being read, and where. */
  source: number;
  position: SourcePosition;
  /** How much of the source's units is read. */
  done: number;
  /** Rows in the sources before, bad ones counted. */
  base: number;
  /** Rows that are written, and that are bad. */
  rows: number;
  bad: number;
  /** What the writer needs to go on. */
  writer: unknown;
}

interface Note {
  version: number;
  /** What must be the same for the job to go on, by the option that sets it. */
  options: Record<string, unknown>;
  owner: { pid: number; started: string | null; host: string };
  /** Lengths of the partial files by their name; null until something is worth keeping. */
  lengths: Record<string, number> | null;
  progress: Progress | null;
  /** Whether the files are whole and only have to be renamed. */
  finished: boolean;
}

/** When a process was started, in the system's own units; null where that is not known. */
function startOf(pid: number): string | null {
  try {
    // The name in parentheses may hold anything; the 22nd field is the 20th behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive({ pid, started, host }: Note['owner']): boolean {
  if (host !== hostname() || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return started === null || startOf(pid) === started;
}

function readNote(file: string): Note | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  }
  try {
    const note = JSON.parse(text) as Note;
    return note.version === VERSION ? note : null;
  } catch {
    return null;
  }
}

/** Makes a renaming survive a power failure, where the system lets a folder be synchronised. */
function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Some file systems have nothing to synchronise in a folder.
  }
}

/** The files of a job whose output is a file of its own. */
export class Job {
  private readonly files = new Map<string, PartialFile>();
  private readonly noteFile: string;
  private readonly owner = { pid: process.pid, started: startOf(process.pid), host: hostname() };
  private lengths: Record<string, number> = {};
  private progress: Progress | null = null;

  private constructor(
    private readonly output: string,
    private readonly errors: string | null,
    private readonly options: Record<string, unknown>,
  ) {
    this.noteFile = `${output}.partial.json`;
  }

  /**
   * Begins a job, or takes up one that was interrupted.
   * @param output the final name of its output.
   * @param errors the final name of the file of bad rows, if there is to be one.
   * @param options what must be the same for a job to go on.
   * @param resume whether to take up a job that was interrupted; else its files are removed.
   * @returns the job and how far it is; `done` if all that was left to do was to rename the files.
   * @throws CliError if another process is at it, or the interrupted job was another one.
   */
  static open(
    output: string,
    errors: string | null,
    options: Record<string, unknown>,
    resume: boolean,
  ): { job: Job; progress: Progress | null; done: boolean; discarded: number } {
    const job = new Job(output, errors, options);
    const note = readNote(job.noteFile);
    if (note !== null && isAlive(note.owner))
      throw new CliError(`process ${note.owner.pid} is writing ${output}; if not, remove ${job.noteFile}`);
    if (note === null || !resume) {
      job.removePartial();
      job.writeNote(false);
      return { job, progress: null, done: false, discarded: note?.progress?.rows ?? 0 };
    }
    // Bad rows that are noted in one file cannot go on in another.
    const bad = note.progress?.bad ?? 0;
    job.compare({ ...note.options, ...(bad === 0 ? { [ERRORS]: errors } : {}) });
    if (note.lengths === null || note.progress === null) {
      job.removePartial();
      job.writeNote(false);
      return { job, progress: null, done: false, discarded: 0 };
    }
    job.lengths = note.lengths;
    job.progress = note.progress;
    if (note.finished) job.rename();
    else job.writeNote(false);
    return { job, progress: note.progress, done: note.finished, discarded: 0 };
  }

  private compare(before: Record<string, unknown>): void {
    for (const [key, value] of Object.entries({ ...this.options, [ERRORS]: this.errors })) {
      if (JSON.stringify(before[key] ?? null) !== JSON.stringify(value ?? null))
        throw new CliError(
          `the interrupted job cannot go on: ${key} is not what it was. Without --resume the job starts anew`,
        );
    }
  }

  private finals(): string[] {
    return this.errors === null ? [this.output] : [this.errors, this.output];
  }

  /** Removes what an interrupted job left, but for its note. */
  private removePartial(): void {
    for (const final of this.finals()) rmSync(partialName(final), { force: true });
    let part = 1;
    while (existsSync(partialName(this.output, part))) part++;
    // The last one first: a kill in between leaves none behind a gap.
    while (--part > 0) rmSync(partialName(this.output, part), { force: true });
  }

  /**
   * Opens one of the job's partial files where the job left it.
   * @param final the name it has when it is whole.
   * @param part the number of a further file; 0 for the file itself.
   */
  async file(final: string, part = 0): Promise<PartialFile> {
    const name = partialName(final, part);
    const file = await PartialFile.open(name, this.lengths[name] ?? 0);
    this.files.set(name, file);
    return file;
  }

  /** Notes how far the job is; what is written until now belongs to it. */
  mark(progress: Progress): void {
    this.progress = progress;
    for (const [name, file] of this.files) this.lengths[name] = file.length;
  }

  /** Brings all up to the last mark to the disk, then the note of it. */
  async save(): Promise<void> {
    for (const file of this.files.values()) await file.sync();
    this.writeNote(false);
  }

  private writeNote(finished: boolean): void {
    const note: Note = {
      version: VERSION,
      options: { ...this.options, [ERRORS]: this.errors },
      owner: this.owner,
      lengths: this.progress === null ? null : this.lengths,
      progress: this.progress,
      finished,
    };
    const temporary = `${this.noteFile}.tmp`;
    const fd = openSync(temporary, 'w');
    try {
      writeSync(fd, JSON.stringify(note));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, this.noteFile);
  }

  /** Gives the files their names. */
  async finish(): Promise<void> {
    for (const file of this.files.values()) await file.close();
    this.writeNote(true);
    this.rename();
  }

  private rename(): void {
    for (const final of this.finals()) if (existsSync(partialName(final))) renameSync(partialName(final), final);
    for (const folder of new Set(this.finals().map((final) => path.dirname(final)))) syncFolder(folder);
    this.removePartial();
    rmSync(this.noteFile, { force: true });
  }

  /**
   * Ends the job early.
   * @param keep whether what is done is kept for --resume; nothing is left otherwise, or if that is nothing.
   * @returns how many rows are kept.
   */
  async stop(keep: boolean): Promise<number> {
    const rows = keep ? (this.progress?.rows ?? 0) : 0;
    if (rows > 0) {
      try {
        await this.save();
      } catch {
        // The disk may be full; then the last note that was written holds.
      }
    }
    for (const file of this.files.values()) await file.close().catch(() => {});
    if (rows === 0) {
      this.removePartial();
      rmSync(this.noteFile, { force: true });
    }
    return rows;
  }
}
