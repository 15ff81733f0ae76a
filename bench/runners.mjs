// The two processes that are timed: each reads one JSON request per line and answers with one JSON line.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

/** What is compared, for the head of a report. */
export function versions(python) {
  const torch = python && spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  if (python && torch.status !== 0) throw new Error(`${python} has no torch: ${torch.stderr || torch.error}`);
  return { node: process.version, pytorch: torch ? torch.stdout.trim() : 'not measured (FLAMBEAU_PYTHON is not set)' };
}

export class Runner {
  #process;
  #lines;

  /** @param {'ours' | 'pytorch'} side */
  static async start(side, threads, python) {
    const command =
      side === 'ours' ? [process.execPath, path.join(here, 'runner.mjs')] : [python, path.join(here, 'runner.py')];
    // One thread: both sides on the same core, which they use in turn.
    const pinned = threads === 1 && hasTaskset ? ['taskset', '-c', '0', ...command] : command;
    const runner = new Runner();
    const env = { ...process.env, BENCH_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
    runner.#process = spawn(pinned[0], pinned.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env });
    runner.#lines = readline.createInterface({ input: runner.#process.stdout })[Symbol.asyncIterator]();
    await runner.#answer(side);
    return runner;
  }

  async #answer(what) {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process that runs ${what} has ended`);
    return JSON.parse(value);
  }

  /**
   * Repeats a work for about `ms` milliseconds, or runs it once.
   * @returns {Promise<{ wall: number, cpu: number, calls: number }>} microseconds per call
   */
  async time(work, ms, once = false) {
    this.#process.stdin.write(`${JSON.stringify({ work, ms: once ? 0 : ms })}\n`);
    return this.#answer(work);
  }

  stop() {
    this.#process.stdin.end();
  }
}
