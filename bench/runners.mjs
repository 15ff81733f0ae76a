// The processes that are timed; see serve.mjs for what they understand.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { driver, lacksDriver } from './drivers/build.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
const python = process.env.FLAMBEAU_PYTHON;
const installed = (name) => existsSync(path.join(here, 'peers', 'node_modules', ...name.split('/')));

/** Each side: the command that starts it, and what must be there for it. */
const SIDES = {
  ours: { command: () => [process.execPath, path.join(here, 'runner.mjs')], missing: () => null },
  pytorch: {
    command: () => [python, path.join(here, 'pytorch', 'runner.py')],
    missing: () => (python ? null : 'FLAMBEAU_PYTHON does not name a Python with torch'),
  },
  tfjs: {
    command: () => [process.execPath, path.join(here, 'peers', 'tfjs.mjs')],
    missing: () => (installed('@tensorflow/tfjs-backend-wasm') ? null : 'npm install in bench/peers'),
  },
  onnxruntime: {
    command: () => [process.execPath, path.join(here, 'peers', 'onnxruntime.mjs')],
    missing: () => (installed('onnxruntime-node') ? null : 'npm install in bench/peers'),
  },
  openblas: { command: () => [driver('openblas')], missing: () => lacksDriver('openblas') },
  onednn: { command: () => [driver('onednn')], missing: () => lacksDriver('onednn') },
};

export const peerNames = Object.keys(SIDES).filter((side) => side !== 'ours');

/** What a peer lacks to be timed, null when it is there. */
export const lacks = (side) => SIDES[side].missing();

/** What is compared, for the head of a report. */
export function versions(peers) {
  const found = { node: process.version };
  if (peers.includes('pytorch')) {
    const torch = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
    if (torch.status !== 0) throw new Error(`${python} has no torch: ${torch.stderr || torch.error}`);
    found.pytorch = torch.stdout.trim();
  }
  return found;
}

export class Runner {
  #process;
  #lines;

  /** @param {keyof SIDES} side */
  static async start(side, threads) {
    const command = SIDES[side].command();
    // One thread: all sides on the same core, which they use in turn.
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

  async #ask(request, what) {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#answer(what);
  }

  /**
   * Repeats a row's work for about `ms` milliseconds, or runs it once.
   * @returns {Promise<{ wall: number, cpu: number, calls: number } | null>} microseconds per call; null where the side
   *   has nothing of the kind
   */
  async time({ name, kind, args, inner = 1, once = false }, ms) {
    const answer = await this.#ask({ name, kind, args, inner, ms: once ? 0 : ms }, name);
    return answer.missing ? null : answer;
  }

  /** The limits of the machine; this library's side only. */
  peaks(ms) {
    return this.#ask({ peaks: ms }, 'the peaks');
  }

  /** The highest resident set of the process so far, in bytes. */
  async memory() {
    return (await this.#ask({ memory: true }, 'the memory')).peak;
  }

  stop() {
    this.#process.stdin.end();
  }
}
