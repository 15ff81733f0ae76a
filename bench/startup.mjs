// How long a fresh process takes until the first result: it starts, loads the library, and adds two tensors.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OURS = `const torch = require('flambeau'); torch.ones(2).add(torch.ones(2));`;
const PYTORCH = 'import torch; torch.ones(2).add(torch.ones(2))';

function wall(command, args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return (performance.now() - start) * 1000;
}

/** @returns {{ ours: number[], theirs: number[] }} microseconds of each fresh process, the first of each not counted */
export function startUp(rounds, python) {
  const ours = [];
  const theirs = [];
  for (let round = -1; round < rounds; round++) {
    const a = wall(process.execPath, ['-e', OURS]);
    const b = python ? wall(python, ['-c', PYTORCH]) : 0;
    if (round < 0) continue;
    ours.push(a);
    if (python) theirs.push(b);
  }
  return { ours, theirs };
}
