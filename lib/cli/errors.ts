// What goes wrong on the command line.

/** A mistake of the user's, or of a file, that one message explains. */
export class CliError extends Error {}

/** What to tell about anything thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path !== undefined) return `${path}: no such file or folder`;
  if (code === 'EISDIR') return `${path ?? 'the path'} is a folder, not a file`;
  if ((code === 'EACCES' || code === 'EPERM') && path !== undefined) return `${path}: permission denied`;
  return error.message;
}
