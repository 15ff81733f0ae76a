// How far float32 exp, log, tanh, erf and GELU are from the true values, over every float there is, on every instruction
// set of this machine; the other elementary functions on every 17th float.
//
//   npm run bench:ulp [-- --only exp,erf] [--whole] [--sets avx512,avx2,scalar] [--threads 2] [--check] [--json file]
//
// Builds and runs bench/ulp/sweep.cc. --whole takes every float for all functions (an hour on two cores), --check measures
// instead how far the true values, which are the C library's in double, are from those in long double. Fails when one of the
// five is more than two floats away from the correctly rounded result.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { buildNative, root } from '../scripts/native.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    whole: { type: 'boolean', default: false },
    sets: { type: 'string', default: '' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    check: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const PROMISED = ['exp', 'log', 'tanh', 'erf', 'gelu', 'gelu_tanh'];
const OTHERS = [
  ...['gelu_backward', 'gelu_tanh_backward', 'expm1', 'log1p', 'sigmoid', 'silu', 'softplus', 'sin', 'cos'],
  ...['exp2', 'log2', 'log10', 'sqrt', 'rsqrt', 'erfc', 'pow'],
];
const STEPS = 2;
const STRIDE = 17;

const asked = options.only.split(',').filter(Boolean);
const unknown = asked.find((name) => ![...PROMISED, ...OTHERS].includes(name));
if (unknown) {
  console.error(`there is no '${unknown}'; there are: ${[...PROMISED, ...OTHERS].join(', ')}`);
  process.exit(2);
}
if (!buildNative({ target: 'ulp' })) process.exit(1);

/** @returns {AsyncGenerator<object>} a result per function */
async function* sweep(names, stride) {
  const wanted = names.filter((name) => !asked.length || asked.includes(name));
  if (!wanted.length) return;
  const args = ['--only', wanted.join(','), '--stride', String(stride), '--threads', options.threads];
  if (options.sets) args.push('--sets', options.sets);
  if (options.check) args.push('--check');
  const child = spawn(path.join(root, 'build', 'ulp'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  for await (const line of readline.createInterface({ input: child.stdout })) yield JSON.parse(line);
  if ((await ended) !== 0) throw new Error('the sweep has failed');
}

/** What stands in one column: the largest error in ulp, and the distance from the rounded result in floats. */
function column({ ulp, steps, wrong }) {
  return `${ulp.toFixed(2)} (${steps})${wrong ? ` ${wrong} wrong` : ''}`.padStart(14);
}

const results = [];
let failed = false;
async function report(names, stride) {
  for await (const result of sweep(names, stride)) {
    results.push({ ...result, stride });
    if (options.check) {
      const { reference } = result;
      console.log(
        `${result.name.padEnd(20)}${reference === null ? 'no wider type' : `${reference.toFixed(2)} ulp of double`}`,
      );
      continue;
    }
    if (results.length === 1) {
      const heads = Object.keys(result.sets).map((set) => set.padStart(14));
      console.log(`${'largest ulp (floats)'.padEnd(20)}${heads.join('')}  arguments`);
    }
    const sets = Object.values(result.sets);
    console.log(`${result.name.padEnd(20)}${sets.map(column).join('')}  ${result.arguments}`);
    if (names === PROMISED && sets.some((s) => s.steps > STEPS || s.wrong > 0)) failed = true;
  }
}
await report(PROMISED, 1);
await report(OTHERS, options.whole ? 1 : STRIDE);
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
if (failed) {
  console.error(`a result is more than ${STEPS} floats away from the correctly rounded one`);
  process.exitCode = 1;
}
