// Warnings go through Node's own channel, so that `--no-warnings` and `process.on('warning')` apply to them.

const shown = new Set<string>();

/** Emits a warning, each text once per process. */
export function warn(message: string): void {
  if (shown.has(message)) return;
  shown.add(message);
  process.emitWarning(message, 'UserWarning');
}
