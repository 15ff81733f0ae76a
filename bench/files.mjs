// Times saving and mapping a large state dict against writing as many bytes with dd, and measures the memory that takes.
//
//   node bench/files.mjs [--mib 1024] [--rounds 5] [--folder /tmp] [--json file]
//
// The works take turns, A B A B ..., and the medians are printed. dd runs with conv=fsync: like save, it ends when the bytes are
// on the disk. The memory is what the resident set rose above its size before, at its highest.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './units.mjs';

const torch = createRequire(import.meta.url)('flambeau');
const { values: options } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: os.tmpdir() },
    json: { type: 'string' },
  },
});
const mib = Number(options.mib);
const folder = fs.mkdtempSync(path.join(options.folder, 'flambeau-files-'));
const at = (name) => path.join(folder, name);
const state = Object.fromEntries(
  Array.from({ length: 16 }, (_, i) => [`layer${i}.weight`, torch.randn(mib / 16, 2 ** 18)]),
);
const file = at('state.pt');

/** The highest resident set since the last call, in bytes; where the system does not tell, NaN. */
function peak() {
  if (process.platform !== 'linux') return NaN;
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'latin1'));
  fs.writeFileSync('/proc/self/clear_refs', '5');
  return 1024 * Number(kib);
}

const works = {
  dd() {
    const { status, stderr } = spawnSync('dd', [
      'if=/dev/zero',
      `of=${at('dd.bin')}`,
      'bs=1M',
      `count=${mib}`,
      'conv=fsync',
    ]);
    if (status !== 0) throw new Error(String(stderr));
  },
  save: () => torch.save(state, file),
  'saveAsync, copy: false': () => torch.saveAsync(state, file, { copy: false }),
  'load, mmap': () => torch.load(file, { mmap: true }),
};
/** What a work leaves is gone before the next one starts, so that none pays for another's. */
const clear = () => {
  for (const name of ['dd.bin', 'state.pt']) fs.rmSync(at(name), { force: true });
};

const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
const memory = Object.fromEntries(Object.keys(works).map((name) => [name, 0]));
for (let round = 0; round < Number(options.rounds); round++) {
  // Each work comes first, second ... in turn: a disk that has just been written to is slower.
  const names = Object.keys(works);
  for (let i = 0; i < names.length; i++) {
    const name = names[(i + round) % names.length];
    const work = works[name];
    clear();
    if (name.startsWith('load')) torch.save(state, file);
    // What the system and the disk still have to do for the work before is not this one's.
    spawnSync('sync');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    peak();
    const { rss } = process.memoryUsage();
    const start = performance.now();
    await work();
    times[name].push(performance.now() - start);
    memory[name] = Math.max(memory[name], peak() - rss);
  }
}
fs.rmSync(folder, { recursive: true });
const results = Object.keys(works).map((name) => ({
  name,
  milliseconds: median(times[name]),
  // Above 1: faster than dd.
  ratio: median(times[name].map((t, i) => times.dd[i] / t)),
  mib: memory[name] / 2 ** 20,
}));
for (const { name, milliseconds, ratio, mib: taken } of results) {
  const more = name === 'dd' ? '' : `${ratio.toFixed(2).padStart(9)} x dd   ${taken.toFixed(1).padStart(6)} MiB`;
  console.log(`${name.padEnd(24)} ${milliseconds.toFixed(1).padStart(9)} ms${more}`);
}
if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
