// How much processor time a fresh process takes until the first result: it starts, loads the library, adds two tensors.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const TIME = 'const { user, system } = process.cpuUsage(); console.log(user + system);';
const BARE = TIME;
const OURS = `const torch = require('flambeau'); torch.ones(2).add(torch.ones(2)); ${TIME}`;
const PYTORCH = 'import time, torch; torch.ones(2).add(torch.ones(2)); print(time.process_time() * 1e6)';

function cpuOf(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/**
 * @returns {{ bare: number[], ours: number[], theirs: number[] }} microseconds of each fresh process, of which `bare` is Node
 *   alone; the first of each is not counted
 */
export function startUp(rounds, python) {
  const times = { bare: [], ours: [], theirs: [] };
  for (let round = -1; round < rounds; round++) {
    const bare = cpuOf(process.execPath, ['-e', BARE]);
    const ours = cpuOf(process.execPath, ['-e', OURS]);
    const theirs = python ? cpuOf(python, ['-c', PYTORCH]) : 0;
    if (round < 0) continue;
    times.bare.push(bare);
    times.ours.push(ours);
    if (python) times.theirs.push(theirs);
  }
  return times;
}
