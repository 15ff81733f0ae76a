// What goes wrong on the command line, and the exit codes (docs/cli.md).

/** How a command ends; beside these, 128 + n if the signal n ended it. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Done, and the answer is no: files differ, a file is damaged, rows were left out. */
  no: 1,
  /** The command line itself is wrong; nothing was begun. */
  usage: 2,
  /** A file, a row or the model made it impossible. */
  failed: 3,
} as const;

/** A mistake of the user's, or of a file, that one message explains. */
export class CliError extends Error {
  readonly exitCode: number = EXIT.failed;
}

/** A mistake in the options. */
export class UsageError extends CliError {
  override readonly exitCode: number = EXIT.usage;
}

/** The job was ended by a signal. */
export class Interrupted extends CliError {
  override readonly exitCode: number;

  /** @param signal the signal's number. */
  constructor(message: string, signal: number) {
    super(message);
    this.exitCode = 128 + signal;
  }
}

/** What to tell about anything thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) return `${path}: no such file or folder`;
  if (code === 'EISDIR') return `${path ?? 'the path'} is a folder, not a file`;
  if ((code === 'EACCES' || code === 'EPERM') && path !== undefined) return `${path}: permission denied`;
  if (code === 'ENOSPC') return 'no space is left on the disk';
  return error.message;
}

/** An error of reading a file, as one that names the file. */
export function cannotRead(file: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  const message = messageOf(error);
  return new CliError(message.startsWith(file) ? `cannot read ${message}` : `cannot read ${file}: ${message}`);
}
