// Reads files that were changed at random: bytes, lengths, opcodes of pickles, records of zip archives, headers, indices. The
// only thing that may come of it is a value or the library's own error, within a second and 64 MiB of memory above the
// file's size. The cases run in child processes; a crash, a hang or a broken promise is reported with its case, which can
// be run again alone.
//
//   node test/fuzz/files.mjs [--cases 200000] [--seed 1] [--only zip] [--case 1234] [--keep folder] [--library dist/index.js]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatOf, mutatorOf } from './file_mutations.mjs';
import { Random } from './random.mjs';

const self = fileURLToPath(import.meta.url);
const root = path.join(path.dirname(self), '..', '..');
const FIXTURES = path.join(root, 'test', 'fixtures', 'serialization');
const MEMORY = 64 * 2 ** 20;
const SECONDS = 1;
/** Cases that one child runs: few enough that what a crash ends is soon repeated. */
const BLOCK = 5000;

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    case: { type: 'string' },
    keep: { type: 'string' },
    library: { type: 'string', default: 'dist/index.js' },
    // Makes a case misbehave, so that a test can see that it is noticed.
    plant: { type: 'string' },
    child: { type: 'string' },
    folder: { type: 'string' },
  },
});

/** The good files, and checkpoints of several files as [index, shards]. */
function goodFiles(torch) {
  const files = fs
    .readdirSync(FIXTURES)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => ({ name, bytes: fs.readFileSync(path.join(FIXTURES, name)) }));
  const shards = { 'm-1.safetensors': torch.safetensors.save({ a: torch.ones(2, 3) }), 'm-2.bin': torch.serialization.saveToBytes({ b: torch.ones(4) }) };
  const index = { metadata: { total_size: 40 }, weight_map: { a: 'm-1.safetensors', b: 'm-2.bin' } };
  files.push({ name: 'model.index.json', bytes: Buffer.from(JSON.stringify(index)), shards });
  for (const file of files) file.format = formatOf(file.name, file.bytes);
  return files.filter(({ format }) => options.only === undefined || format === options.only);
}

// ------------------------------------------------------------------------------------------------------- the child

/** The process's resident memory and its highest value since the last call, in bytes. */
function memoryMeter() {
  if (process.platform !== 'linux') {
    let highest = 0;
    return () => {
      const rss = process.memoryUsage().rss;
      const peak = process.resourceUsage().maxRSS * 1024;
      const since = peak > highest ? peak : rss;
      highest = peak;
      return { rss, peak: since };
    };
  }
  const reset = fs.openSync('/proc/self/clear_refs', 'w');
  const status = fs.openSync('/proc/self/status', 'r');
  const buffer = Buffer.alloc(4096);
  return () => {
    const text = buffer.toString('latin1', 0, fs.readSync(status, buffer, 0, buffer.length, 0));
    const read = (name) => 1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)[1]);
    fs.writeSync(reset, '5');
    return { rss: read('VmRSS'), peak: read('VmHWM') };
  };
}

/** Reads what a loaded value holds, tensors to their last element. */
function touch(torch, value) {
  const seen = new Set();
  const work = [value];
  for (let n = 0; work.length > 0 && n < 5000; n++) {
    const next = work.pop();
    if (next === null || typeof next !== 'object' || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof torch.Tensor) {
      const numel = next.numel();
      if (numel > 0 && numel <= 1 << 16) String(next);
    } else if (next instanceof Map || next instanceof Set) {
      for (const [key, item] of next.entries()) work.push(key, item);
    } else if (!ArrayBuffer.isView(next)) {
      for (const key of Object.keys(next).slice(0, 1000)) work.push(next[key]);
    }
  }
}

/** Everything that reads a file of a format; each entry may throw the library's error. */
function readers(torch, file, bytes, place) {
  const onDisk = () => {
    fs.writeFileSync(place, bytes);
    return place;
  };
  switch (file.format) {
    case 'safetensors':
      return [
        () => torch.safetensors.load(bytes),
        () => torch.safetensors.loadFile(onDisk(), { mmap: true }),
        () => {
          const open = torch.safetensors.safeOpen(bytes);
          return open.keys().map((name) => open.getTensor(name));
        },
        () => torch.inspectFile(bytes),
      ];
    case 'npy':
    case 'npz':
      return [() => torch.fromNumpy(bytes), () => torch.inspectFile(bytes), () => torch.serialization.verifyFile(bytes)];
    case 'index': {
      const folder = path.dirname(place);
      const index = path.join(folder, file.name);
      fs.writeFileSync(index, bytes);
      for (const [name, content] of Object.entries(file.shards)) {
        if (!fs.existsSync(path.join(folder, name))) fs.writeFileSync(path.join(folder, name), content);
      }
      return [() => torch.loadSharded(index), () => torch.loadSharded(index, { mmap: true, keys: ['a'] })];
    }
    default:
      return [
        () => torch.load(bytes),
        () => torch.load(bytes, { weightsOnly: false }),
        () => torch.load(onDisk(), { mmap: file.format === 'zip' }),
        () => torch.inspectFile(bytes),
        () => torch.serialization.verifyFile(bytes),
      ];
  }
}

/** Prototypes that no key of a file may reach. */
const PROTOTYPES = [Object, Array, Map, Set, Function, Uint8Array, Promise, RegExp, Error].map((c) => c.prototype);
const shape = () => PROTOTYPES.map((p) => Object.getOwnPropertyNames(p).length).join();

/** Runs one case; returns what is wrong with how it ended, or null. */
async function runCase(torch, files, mutate, meter, place, number) {
  const random = new Random(Math.imul(Number(options.seed), 0x9e3779b1) + number);
  const file = random.pick(files);
  const bytes = mutate(random, file);
  if (options.keep !== undefined) fs.writeFileSync(path.join(options.keep, `${number}-${file.name}`), bytes);
  const read = random.pick(readers(torch, file, bytes, place));
  if (options.plant === `crash@${number}`) process.kill(process.pid, 'SIGSEGV');
  const names = shape();
  const { rss } = meter();
  const start = process.cpuUsage();
  let fault = null;
  let returned = false;
  try {
    if (options.plant === `throw@${number}`) throw new TypeError('planted');
    if (options.plant === `memory@${number}`) Buffer.alloc(100 << 20, 1);
    if (options.plant === `prototype@${number}`) Object.prototype.planted = true;
    if (options.plant === `time@${number}`) for (const from = process.cpuUsage(); process.cpuUsage(from).user < 1.1e6; );
    touch(torch, await read());
    returned = true;
  } catch (error) {
    if (!(error instanceof torch.RuntimeError) || error.message.length < 8) fault = `threw ${error?.stack ?? error}`;
    else if (error.message.length > 4096) fault = `an error of ${error.message.length} characters`;
  }
  const { user, system } = process.cpuUsage(start);
  const { peak } = meter();
  if ((user + system) / 1e6 > SECONDS) fault ??= `took ${(user + system) / 1e6} s`;
  if (peak - rss > MEMORY + bytes.length) fault ??= `took ${((peak - rss) / 2 ** 20).toFixed(1)} MiB for ${bytes.length} bytes`;
  if (shape() !== names) fault ??= 'changed a prototype';
  delete Object.prototype.planted;
  const stats = { returned, seconds: (user + system) / 1e6, memory: peak - rss };
  return { fault: fault && `${file.name} (${bytes.length} bytes): ${fault}`, stats };
}

async function child() {
  const torch = createRequire(import.meta.url)(path.resolve(root, options.library));
  const files = goodFiles(torch);
  const mutate = mutatorOf(files);
  const meter = memoryMeter();
  const place = path.join(options.folder, 'changed');
  const [from, to] = options.child.split('..').map(Number);
  // Warm: what the library keeps from its first use of each format is not the cases'.
  for (const file of files) {
    for (const read of readers(torch, file, file.bytes, place)) {
      try {
        touch(torch, await read());
      } catch (error) {
        if (!(error instanceof torch.RuntimeError)) throw error;
      }
    }
  }
  const total = { returned: 0, seconds: 0, memory: 0 };
  const trace = fs.openSync(path.join(options.folder, 'case'), 'w');
  for (let number = from; number < to; number++) {
    fs.writeSync(trace, String(number).padEnd(12), 0);
    const { fault, stats } = await runCase(torch, files, mutate, meter, place, number);
    if (fault) process.stdout.write(`${JSON.stringify({ number, fault })}\n`);
    total.returned += stats.returned ? 1 : 0;
    total.seconds = Math.max(total.seconds, stats.seconds);
    total.memory = Math.max(total.memory, stats.memory);
  }
  process.stdout.write(`${JSON.stringify({ total })}\n`);
}

// ------------------------------------------------------------------------------------------------------ the parent

/** Runs cases [from, to) in a child; returns what it said and where it stopped, if it did not reach the end. */
function runChild(from, to, folder) {
  const pass = ['--seed', options.seed, '--library', options.library, '--child', `${from}..${to}`, '--folder', folder];
  for (const name of ['only', 'keep', 'plant']) if (options[name] !== undefined) pass.push(`--${name}`, options[name]);
  // A small heap shows in the memory of a case what a large one would hide as garbage of the cases before.
  const node = ['--max-old-space-size=256', '--max-semi-space-size=2'];
  const started = spawn(process.execPath, [...node, self, ...pass], { stdio: ['ignore', 'pipe', 'pipe'] });
  const trace = path.join(folder, 'case');
  fs.rmSync(trace, { force: true });
  /** The case that runs; null before the first. */
  const at = () => {
    const text = fs.existsSync(trace) ? fs.readFileSync(trace, 'latin1').trim() : '';
    return text === '' ? null : Number(text);
  };
  return new Promise((resolve) => {
    let out = '';
    let err = '';
    let last = { number: null, since: Date.now() };
    const clock = setInterval(() => {
      const number = at();
      if (number !== last.number) last = { number, since: Date.now() };
      // Generous, since a case is held to its processor time: only what never ends is stopped here.
      else if (Date.now() - last.since > 60_000) started.kill('SIGKILL');
    }, 1000);
    started.stdout.on('data', (d) => (out += d));
    started.stderr.on('data', (d) => (err += d));
    started.on('close', (status, signal) => {
      clearInterval(clock);
      const lines = out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
      const stopped = status === 0 ? null : { number: at(), how: `ended with ${signal ?? status}: ${err.trim().split('\n').slice(0, 6).join(' | ')}` };
      resolve({ faults: lines.filter((l) => l.fault), total: lines.find((l) => l.total)?.total, stopped });
    });
  });
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-fuzz-files-'));
  if (options.keep !== undefined) fs.mkdirSync(options.keep, { recursive: true });
  const first = Number(options.case ?? 0);
  const end = options.case === undefined ? Number(options.cases) : first + 1;
  const highest = { returned: 0, seconds: 0, memory: 0 };
  let failed = 0;
  const report = (number, what) => {
    failed++;
    console.log(`case ${number} of seed ${options.seed}: ${what}`);
  };
  for (let from = first; from < end; ) {
    const to = Math.min(from + BLOCK, end);
    const { faults, total, stopped } = await runChild(from, to, folder);
    for (const { number, fault } of faults) report(number, fault);
    if (stopped && stopped.number === null) throw new Error(`no case could be run: ${stopped.how}`);
    if (stopped) report(stopped.number, stopped.how);
    if (total) {
      highest.returned += total.returned;
      highest.seconds = Math.max(highest.seconds, total.seconds);
      highest.memory = Math.max(highest.memory, total.memory);
    }
    from = stopped ? stopped.number + 1 : to;
    if (process.stdout.isTTY) console.error(`${from} of ${end}`);
  }
  fs.rmSync(folder, { recursive: true });
  const figures = `${end - first} cases, ${highest.returned} gave a value; at most ${highest.seconds.toFixed(2)} s and ${(highest.memory / 2 ** 20).toFixed(1)} MiB`;
  console.log(failed === 0 ? `sound: ${figures}` : `${failed} faults: ${figures}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (options.child !== undefined) await child();
else await main();
