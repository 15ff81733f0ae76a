// Shows that memory stays flat: training steps in one synchronous loop that never awaits and never disposes, with
// tensors of several sizes, in the main thread and in a worker, each in a fresh process.
//
//   node bench/memory.mjs [--steps 100000] [--bytes 64,262144,4194304] [--where main,worker] [--json file] [--hold]
//
// Printed is how far the resident set grew from step 1,000 to the end (the highest of 1,000 readings on the way). Fails if
// that is 128 MiB or more. `--hold` keeps every loss and gradient on purpose: a run that must fail.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

// At both ends up to 64 MiB of old tensors and as much of new ones may wait for a collection.
export const LIMIT = 128 * 2 ** 20;
const STEPS = fileURLToPath(new URL('memory-steps.mjs', import.meta.url));

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    bytes: { type: 'string', default: '64,262144,4194304' },
    where: { type: 'string', default: 'main,worker' },
    json: { type: 'string' },
    hold: { type: 'boolean', default: false },
  },
});

const mib = (bytes) => (bytes / 2 ** 20).toFixed(1).padStart(7);
const results = [];
for (const where of options.where.split(',')) {
  for (const bytes of options.bytes.split(',').map(Number)) {
    const request = JSON.stringify({ where, bytes, steps: Number(options.steps), hold: options.hold });
    const run = spawnSync(process.execPath, [STEPS, request], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (run.status !== 0) process.exit(1);
    const result = JSON.parse(run.stdout);
    results.push(result);
    console.log(
      `${where.padEnd(6)} ${String(bytes).padStart(8)} B  ${result.steps} steps, ${result.tensors} tensors  ` +
        `${mib(result.start)} MiB at step 1000, at most ${mib(result.peak)} MiB, ${mib(result.end)} MiB at the end  ` +
        `${result.microseconds.toFixed(1)} us a step${result.growth < LIMIT ? '' : '  GREW'}`,
    );
  }
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
process.exitCode = results.some((r) => r.growth >= LIMIT) ? 1 : 0;
