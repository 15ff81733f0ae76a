// Times this library against PyTorch on the same work, side by side in one run.
//
//   node bench/run.mjs [--only add16,mlp_step] [--rounds 7] [--ms 400] [--threads 1] [--json results.json] [--list]
//
// Both sides stay alive and take turns, A B A B ..., so that a busy neighbour or a warm processor meets both alike. Of each
// turn the mean time per call is kept; printed are the medians over the turns, and the median of the ratios of the pairs.
// With one thread both sides run on one core and the time is processor time, which a busy neighbour does not change;
// with more it is wall time. FLAMBEAU_PYTHON names a Python that has torch; without one only this library is timed.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { Runner, versions } from './runners.mjs';
import { startUp } from './startup.mjs';
import { median, show } from './units.mjs';
import { works } from './works/index.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '400' },
    threads: { type: 'string', default: '1' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const ms = Number(options.ms);
const threads = Number(options.threads);
const asked = options.only.split(',').filter(Boolean);
const wanted = (name) => !asked.length || asked.includes(name);
const known = [...works.map((w) => w.name), 'startup'];
for (const name of asked.filter((n) => !known.includes(n))) {
  console.error(`there is no '${name}'; there are: ${known.join(', ')}`);
  process.exit(2);
}
if (options.list) {
  for (const { name, about } of works) console.log(`${name.padEnd(20)} ${about}`);
  process.exit(0);
}

const python = process.env.FLAMBEAU_PYTHON;
const environment = { ...versions(python), threads, cpu: os.cpus()[0]?.model ?? '', rounds, ms };
console.log(
  Object.entries(environment)
    .map(([k, v]) => `${k}: ${v}`)
    .join('\n'),
);

const results = [];
function report(name, about, ours, theirs) {
  const row = {
    name,
    about,
    unit: 'us',
    basis: threads === 1 ? 'processor time' : 'wall time',
    ours: median(ours),
    pytorch: theirs.length ? median(theirs) : null,
    // Above 1 this library is the faster one.
    ratio: theirs.length ? median(theirs.map((t, i) => t / ours[i])) : null,
  };
  results.push(row);
  const other = row.pytorch === null ? '' : `  PyTorch ${show(row.pytorch).padStart(14)}  ${row.ratio.toFixed(2)}x`;
  console.log(`${name.padEnd(20)} ${show(row.ours).padStart(14)}${other}`);
}

const us = await Runner.start('ours', threads);
const them = python ? await Runner.start('pytorch', threads, python) : null;
try {
  for (const { name, about, flops, once } of works.filter((w) => wanted(w.name))) {
    const ours = [];
    const theirs = [];
    // The first turn of each side warms caches and compilers up and is not counted.
    for (let round = -1; round < rounds; round++) {
      const a = await us.time(name, ms, once);
      const b = them ? await them.time(name, ms, once) : null;
      if (round < 0) continue;
      ours.push(threads === 1 ? a.cpu : a.wall);
      if (b) theirs.push(threads === 1 ? b.cpu : b.wall);
    }
    report(name, about, ours, theirs);
    if (flops) results[results.length - 1].gflops = flops / median(ours) / 1000;
  }
} finally {
  us.stop();
  them?.stop();
}
if (wanted('startup')) {
  const { bare, ours, theirs } = startUp(rounds, python);
  report('startup', 'a fresh process: load the library, add two tensors', ours, theirs);
  Object.assign(results[results.length - 1], { basis: 'processor time', bareNode: median(bare) });
  console.log(`${'  of it Node alone'.padEnd(20)} ${show(median(bare)).padStart(14)}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ environment, results }, null, 2)}\n`);
