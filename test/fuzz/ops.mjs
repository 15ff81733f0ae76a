// Calls every op of torch and every method of Tensor with random arguments: shapes, dtypes, strides, NaN, huge and negative
// numbers, wrong kinds. Only JavaScript exceptions are allowed: the calls run in a child process, and a crash or a hang is
// reported with its seed and the call that did it.
//
//   node test/fuzz/ops.mjs [--seeds 1..20] [--rounds 3000] [--only name] [--library dist/index.js]
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const root = path.join(path.dirname(self), '..', '..');

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

/** mulberry32. */
function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// What these do is meant: they end up outside the tensors, or change the whole process.
const LEFT_OUT = new Set([
  'save', 'load', 'inspectFile', 'toNumpy', 'fromNumpy', 'setDefaultDtype', 'setNumThreads', 'setNumInteropThreads', 'setPrintoptions', 'noGrad',
  'enableGrad', 'setGradEnabled', 'inferenceMode', 'useDeterministicAlgorithms', 'dispose', 'keep', 'tidy', 'memoryStats', 'setDefaultDevice',
]);

function child() {
  const torch = createRequire(import.meta.url)(path.resolve(root, option('library', 'dist/index.js')));
  const seed = Number(option('seed', '1'));
  const rounds = Number(option('rounds', '3000'));
  const only = option('only', null);
  // Proves that a crash is noticed.
  const crashAt = Number(option('crash-at', '-1'));
  const trace = openSync(option('trace', os.devNull), 'w');
  const random = randomSource(seed);
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const DTYPES = ['uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'bfloat16', 'float32', 'float64', 'complex64', 'complex128', 'bool'].map((n) => torch[n]);
  // Small, or so large that it must be refused before memory is touched: nothing between.
  const ODD = [-1, -2, -100, 0.5, -0.5, NaN, Infinity, -Infinity, -0, -(2 ** 31) - 1, 2 ** 40, 2 ** 53, -(2 ** 53), 1e300, Number.MIN_VALUE];
  const WRONG = [undefined, null, '', 'x', 'same', 'mean', 'sum', true, false, {}, [], [[]], [NaN], 'ij,jk->ik', () => 1, Symbol.iterator, 5n, -(2n ** 63n), 2n ** 70n, new Date(0), new Float32Array(3), { re: 1, im: -2 }];

  const number = () => (random() < 0.8 ? below(5) - 1 : pick(ODD));
  const list = () => Array.from({ length: below(5) }, () => (random() < 0.93 ? below(5) - (random() < 0.2 ? 2 : 0) : pick(ODD)));
  const shape = () => Array.from({ length: below(6) }, () => (random() < 0.08 ? 0 : 1 + below(4)));
  function tensor() {
    const dtype = random() < 0.6 ? torch.float32 : pick(DTYPES);
    const sizes = shape();
    let t = torch.randint(-3, 9, sizes).to(dtype);
    if (dtype.isFloatingPoint && random() < 0.2 && t.numel()) t.view(-1).narrow(0, below(t.numel()), 1).fill_(pick([NaN, Infinity, -Infinity, 1e30]));
    if (t.ndim > 1 && random() < 0.3) t = t.transpose(0, t.ndim - 1);
    if (t.ndim > 0 && random() < 0.2) t = t.unfold(0, Math.min(1, t.size(0)), 2).squeeze(-1);
    if (random() < 0.1) t = t.expand(...[2, ...t.shape]);
    if ((dtype.isFloatingPoint || dtype.isComplex) && random() < 0.3) t = random() < 0.5 ? t.detach().requiresGrad_() : t.clone().requiresGrad_().mul(1);
    return t;
  }
  function argument() {
    const r = random();
    if (r < 0.45) return tensor();
    if (r < 0.65) return number();
    if (r < 0.8) return list();
    if (r < 0.84) return Array.from({ length: below(4) }, tensor);
    if (r < 0.87) return pick(DTYPES);
    if (r < 0.89) return random() < 0.5;
    return pick(WRONG);
  }
  /** An argument of the kind that a signature asks for, most of the time. */
  function wanted(kind) {
    if (random() < 0.12) return argument();
    switch (kind) {
      case 'Tensor':
        return tensor();
      case 'Tensor|Scalar':
        return random() < 0.5 ? tensor() : number();
      case 'Tensor[]':
        return Array.from({ length: 1 + below(3) }, tensor);
      case 'Scalar':
      case 'int':
      case 'float':
        return number();
      case 'int[]':
      case 'int...':
      case 'float[]':
        return list();
      case 'bool':
        return random() < 0.5;
      case 'ScalarType':
        return pick(DTYPES);
      case 'str':
        return pick(['none', 'mean', 'sum', 'tanh', 'floor', 'trunc', 'linear', 'nearest', 'amax', 'prod', 'x']);
      default:
        return argument();
    }
  }
  const shown = (v) => {
    if (v instanceof torch.Tensor) return `${v.dtype.name}[${v.shape}]${v.isContiguous() ? '' : `/${v.stride()}`}${v.requiresGrad ? 'g' : ''}`;
    if (Array.isArray(v)) return `[${v.map(shown).join(', ')}]`;
    if (typeof v === 'object' && v !== null) return `{ ${Object.entries(v).map(([k, x]) => `${k}: ${shown(x)}`).join(', ')} }`;
    return typeof v === 'bigint' ? `${v}n` : String(v);
  };

  const targets = [];
  const spaces = { '': torch, 'F.': torch.F, 'linalg.': torch.linalg, 'fft.': torch.fft, 'special.': torch.special, 'signal.': torch.signal, 'masked.': torch.masked };
  for (const [prefix, space] of Object.entries(spaces)) {
    for (const [name, value] of Object.entries(space ?? {})) {
      if (typeof value !== 'function' || LEFT_OUT.has(name) || /^[A-Z]/.test(name)) continue;
      targets.push({ name: prefix + name, call: (args) => value(...args), signature: value.signature });
    }
  }
  for (const [name, d] of Object.entries(Object.getOwnPropertyDescriptors(torch.Tensor.prototype))) {
    if (LEFT_OUT.has(name) || name === 'constructor' || typeof d.value !== 'function') continue;
    const row = torch[name.replace(/_$/, '')];
    targets.push({ name: `x.${name}`, method: true, call: ([self, ...rest]) => d.value.call(self, ...rest), signature: row?.signature });
  }
  const chosen = only === null ? targets : targets.filter((t) => t.name === only || t.name.endsWith(`.${only}`));
  let returned = 0;
  for (let round = 0; round < rounds; round++) {
    const target = chosen[round < chosen.length ? round : below(chosen.length)];
    const params = target.signature?.params;
    const args = params
      ? params.filter((p) => p.required || random() < 0.4).map((p) => wanted(p.kind))
      : Array.from({ length: below(5) }, argument);
    if (params && random() < 0.1) args.push(argument());
    if (random() < 0.1 && params?.length) args.push({ [pick(params).name]: argument() });
    if (target.method && !(args[0] instanceof torch.Tensor)) args.unshift(tensor());
    writeSync(trace, `${target.name}(${args.map(shown).join(', ')})`.slice(0, 1999).padEnd(2000), 0);
    if (round === crashAt) process.kill(process.pid, 'SIGSEGV');
    let result;
    try {
      result = target.call(args);
      returned++;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // An error of the engine itself means that an argument was not looked at.
      if (/Cannot read propert|is not a function|is not iterable|undefined/.test(error.message) && !/argument/.test(error.message)) {
        process.stdout.write(`careless: ${target.name}(${args.map(shown).join(', ')}): ${error.message.split('\n')[0]}\n`);
      }
      continue;
    }
    // Results are read whole, so that memory outside of a storage would be touched here; gradients are asked for.
    for (const t of [result].flat(2)) {
      if (!(t instanceof torch.Tensor)) continue;
      try {
        if (t.numel() < 1e6) t.toTypedArray();
        if (t.requiresGrad && random() < 0.5) t.sum().backward();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }
  }
  process.stdout.write(`returned: ${returned} of ${rounds}\n`);
}

function runSeed(seed, folder) {
  const trace = path.join(folder, String(seed));
  const pass = ['--seed', seed, '--trace', trace, '--rounds', option('rounds', '3000'), '--library', option('library', 'dist/index.js')];
  for (const name of ['only', 'crash-at']) if (option(name, null)) pass.push(`--${name}`, option(name, null));
  const started = spawn(process.execPath, [self, '--child', ...pass.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve) => {
    let out = '';
    let err = '';
    const clock = setTimeout(() => started.kill('SIGKILL'), 1000 * Number(option('seconds', '120')));
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

async function main() {
  const [from, to] = option('seeds', '1..5').split('..').map(Number);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'flambeau-fuzz-'));
  let failed = 0;
  for (let seed = from; seed <= (to ?? from); seed++) {
    const { status, signal, out, err, last } = await runSeed(seed, folder);
    const careless = out.split('\n').filter((line) => line.startsWith('careless'));
    if (process.argv.includes('--careless')) for (const line of careless) console.log(`seed ${seed}: ${line}`);
    if (status === 0) continue;
    failed++;
    console.log(`seed ${seed}: ended with ${signal ?? status} in ${last}\n${err.split('\n').slice(0, 12).join('\n')}`);
  }
  rmSync(folder, { recursive: true });
  console.log(failed === 0 ? 'no crash' : `${failed} seeds crashed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv.includes('--child')) child();
else await main();
