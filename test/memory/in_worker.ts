// Workers that end with their test.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** The library's path, as source text. */
export const LIBRARY = JSON.stringify(require.resolve('flambeau'));

const workers: Worker[] = [];
/** Ends all workers of a test. */
export async function endWorkers(): Promise<void> {
  for (const w of workers.splice(0)) await w.terminate();
}
afterEach(endWorkers);

/** Runs a script in a worker with `torch` and `parentPort` at hand. */
export function worker(script: string): Worker {
  const head = `const torch = require(${LIBRARY}); const { parentPort } = require('node:worker_threads');`;
  const w = new Worker(`${head}\n${script}`, { eval: true });
  workers.push(w);
  return w;
}

/** Sends a message and waits for the answer. */
export async function ask(w: Worker, message: unknown): Promise<unknown> {
  w.postMessage(message);
  return ((await once(w, 'message')) as [unknown])[0];
}
