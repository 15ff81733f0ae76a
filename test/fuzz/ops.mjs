// Calls every op of torch, nn.functional, nn.init, linalg, fft, special, signal.windows and masked and every method of Tensor with
// random arguments: shapes, dtypes, strides, NaN, huge and negative numbers, wrong kinds; and with those of valid calls,
// spoiled. Only errors that the library throws on purpose are allowed, and they must leave the arguments as they were. The
// calls run in a child process, and a crash or a hang is reported with its seed and the call that did it.
//
//   node test/fuzz/ops.mjs [--seeds 1..20] [--rounds 5000] [--only name] [--library dist/index.js] [--never]
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { calls } from './calls.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '..', '..');

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

/** Valid calls: those of calls.mjs and of the tables that the ops are tested from. */
function validCalls() {
  const printed = spawnSync(process.execPath, [path.join(here, '..', 'ops', 'table', 'print.mjs')], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (printed.status !== 0) throw new Error(printed.stderr);
  const { errors, ...table } = JSON.parse(printed.stdout);
  const f = (...shape) => ({ tensor: 'f', shape });
  const found = [...calls];
  for (const row of Object.values(table).flat()) {
    if (row.cases) found.push(...row.cases.map((one) => ({ name: row.op, ...one })));
    else found.push({ name: row.op, args: [...Array.from({ length: row.arity }, () => (row.real ? f(2, 3) : { tensor: row.ints ? 'i' : 'c', low: -3, high: 9, shape: [2, 3] })), ...(row.extra ?? [])], options: row.options });
  }
  const functional = JSON.parse(readFileSync(path.join(here, '..', 'nn', 'functional.json'), 'utf8'));
  const shapeOf = (v) => (Array.isArray(v) ? [v.length, ...shapeOf(v[0])] : []);
  const asData = (v) => {
    if (v?.randn) return f(...v.randn);
    if (v?.values === undefined) return Array.isArray(v) ? v.map(asData) : v;
    return { tensor: true, dtype: v.dtype ?? 'float32', shape: shapeOf(v.values), values: [v.values].flat(9) };
  };
  for (const { fn, args, options } of functional) {
    found.push({ name: `F.${fn}`, args: args.map(asData), options: options && Object.fromEntries(Object.entries(options).map(([k, v]) => [k, asData(v)])) });
  }
  return found;
}

function runSeed(seed, folder) {
  const trace = path.join(folder, String(seed));
  const pass = ['--seed', seed, '--trace', trace, '--calls', path.join(folder, 'calls.json'), '--rounds', option('rounds', '5000')];
  pass.push('--library', path.resolve(root, option('library', 'dist/index.js')));
  for (const name of ['only', 'crash-at']) if (option(name, null)) pass.push(`--${name}`, option(name, null));
  const started = spawn(process.execPath, [path.join(here, 'child.mjs'), ...pass.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  return new Promise((resolve) => {
    let out = '';
    let err = '';
    const clock = setTimeout(() => started.kill('SIGKILL'), 1000 * Number(option('seconds', '300')));
    started.stdout.on('data', (d) => (out += d));
    started.stderr.on('data', (d) => (err += d));
    started.on('close', (status, signal) => {
      clearTimeout(clock);
      let last = '';
      try {
        last = readFileSync(trace, 'utf8').trim();
      } catch {}
      resolve({ status, signal, out, err, last });
    });
  });
}

const [from, to] = option('seeds', '1..5').split('..').map(Number);
const folder = mkdtempSync(path.join(os.tmpdir(), 'flambeau-fuzz-'));
writeFileSync(path.join(folder, 'calls.json'), JSON.stringify(validCalls()));
const total = {};
let crashed = 0;
let failed = 0;
let ops = 0;
let never = null;
for (let seed = from; seed <= (to ?? from); seed++) {
  const { status, signal, out, err, last } = await runSeed(seed, folder);
  if (status !== 0) {
    crashed++;
    console.log(`seed ${seed}: ended with ${signal ?? status} in ${last}\n${err.split('\n').slice(0, 40).join('\n')}`);
    continue;
  }
  const report = JSON.parse(out);
  ops = report.ops;
  for (const [name, n] of Object.entries(report.counts)) total[name] = (total[name] ?? 0) + n;
  for (const failure of report.failures) console.log(`seed ${seed}: ${failure}`);
  failed += report.failures.length;
  never = never === null ? new Set(report.never) : new Set(report.never.filter((name) => never.has(name)));
}
rmSync(folder, { recursive: true });
const { calls: called = 0, returned = 0, backward = 0, ...errors } = total;
if (process.argv.includes('--never')) console.log(`never returned: ${[...(never ?? [])].join(' ')}`);
console.log(`${called} calls of ${ops} functions: ${returned} returned (${backward} with gradients), ${Object.entries(errors).map(([name, n]) => `${n} ${name}`).join(', ')}`);
console.log(crashed + failed === 0 ? 'only exceptions' : `${crashed} seeds crashed, ${failed} calls failed`);
process.exitCode = crashed + failed === 0 ? 0 : 1;
