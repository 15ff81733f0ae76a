// Runs a piece of code in a process of its own, where it may crash or read its environment anew.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

export const root = path.join(__dirname, '..', '..');
const LIBRARY = JSON.stringify(require.resolve('flambeau'));
/** The addon itself, without the library around it. */
const ADDON = `require('node-gyp-build')(require('node:path').join(require('node:path').dirname(${LIBRARY}), '..'))`;

export interface Ended {
  status: number | null;
  signal: string | null;
  out: string;
  err: string;
}
/** How many times longer a process may take than said: checked code is slow. */
const patience = Number(process.env.FLAMBEAU_TEST_PATIENCE ?? 1);

/** `torch` is the library; `addon()` loads the addon alone. */
export function runCode(code: string, env: Record<string, string> = {}, seconds = 60): Ended {
  const prelude = `const torch = () => require(${LIBRARY}); const addon = () => ${ADDON};`;
  const done = spawnSync(process.execPath, ['-e', `${prelude}\n${code}`], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: seconds * 1000 * patience,
  });
  // A sanitizer remarks on memory that nobody could have; that it is refused is what the code makes sure of.
  const err = done.stderr.replace(/^==\d+==WARNING: (Address|Thread)Sanitizer failed to allocate .*\n?/gm, '');
  return { status: done.status, signal: done.signal, out: done.stdout.trim(), err: err.trim() };
}
/** Runs code that must end well, and gives what it printed. */
export function output(code: string, env: Record<string, string> = {}, seconds = 60): string {
  const { status, signal, out, err } = runCode(code, env, seconds);
  if (status !== 0) throw new Error(`the process ended with ${signal ?? status}\n${out}\n${err}`);
  return out;
}
