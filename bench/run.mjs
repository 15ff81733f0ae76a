// Times this library and its peers on the same work, side by side in one run.
//
//   node bench/run.mjs [--only add16,mlp_step] [--group training] [--peers pytorch,onnxruntime] [--rounds 7] [--ms 400]
//                      [--threads 1] [--memory] [--json results.json] [--list]
//
// All sides stay alive and take turns, A B A B ..., so that a busy neighbour or a warm processor meets them alike. One more
// process takes its turn with them and measures the limits of the machine: multiply-adds in registers, memory traffic beyond
// the caches. Of each turn the mean time per call is kept; printed are the medians over the turns, and the medians of the
// turns' shares of the limit and of their ratios. With one thread all sides run on one core and the time is processor
// time, which a busy neighbour does not change; with more it is wall time. `--memory` starts the sides anew for each row
// and also tells the highest resident set. Peers: PyTorch where FLAMBEAU_PYTHON names a Python that has it,
// TensorFlow.js and onnxruntime where peers/ is installed, OpenBLAS and oneDNN where a compiler finds them (drivers/).
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { rows } from './rows/index.mjs';
import { lacks, peerNames, Runner, versions } from './runners.mjs';
import { startUp } from './startup.mjs';
import { median, show } from './units.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    group: { type: 'string', default: '' },
    peers: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '400' },
    threads: { type: 'string', default: '1' },
    memory: { type: 'boolean', default: false },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const ms = Number(options.ms);
const threads = Number(options.threads);
const asked = options.only.split(',').filter(Boolean);
const wanted = ({ name, group }) =>
  asked.length ? asked.includes(name) : !options.group || group.startsWith(options.group);
const STARTUP = { name: 'startup', group: 'start', about: 'a fresh process: load the library, add two tensors' };

function refuse(message) {
  console.error(message);
  process.exit(2);
}
for (const name of asked) {
  if (![...rows, STARTUP].some((row) => row.name === name)) refuse(`there is no '${name}'; --list tells what there is`);
}
if (options.list) {
  for (const { name, group, about } of [...rows, STARTUP]) console.log(`${name.padEnd(32)} ${group}: ${about}`);
  process.exit(0);
}
const named = options.peers?.split(',').filter(Boolean);
for (const peer of named ?? []) {
  if (!peerNames.includes(peer)) refuse(`there is no peer '${peer}'; there are: ${peerNames.join(', ')}`);
  if (lacks(peer)) refuse(`${peer}: ${lacks(peer)}`);
}
const peers = named ?? peerNames.filter((peer) => !lacks(peer));
// What a side does before its turns count: so much work that just-in-time compilation has settled and memory that is in use
// now and then has been touched, unless that takes too long.
// Milliseconds for each limit of the machine in a turn.
const TURN = 10;
const WARM_UP = { ms: 500, calls: 30, most: 5000 };
const basis = threads === 1 ? 'cpu' : 'wall';
const results = [];
const environment = { ...versions(peers), cpu: os.cpus()[0]?.model ?? '', threads, rounds, ms };

/** Starts all sides, this library's first. */
const start = (others) => Promise.all(['ours', ...others].map((side) => Runner.start(side, threads)));

/** Whether the side can do the work. */
async function warmUp(row, side) {
  const start = performance.now();
  let calls = 0;
  do {
    const t = await side.time(row, Math.max(ms, WARM_UP.ms));
    if (!t) return false;
    calls += t.calls;
  } while (!row.once && calls < WARM_UP.calls && performance.now() - start < WARM_UP.most);
  return true;
}

/** What the machine could do of the row's work, per microsecond; null for work without a limit. */
function limitOf({ flops, bytes, peak = 'float32', reads }, limits) {
  if (flops) return limits[peak] / flops / 1e6;
  return bytes ? (reads ? limits.read : Math.max(limits.copy, limits.triad)) / bytes / 1e6 : null;
}

/** The times of each side and the limits of the machine, turn by turn. */
async function turns(row, sides) {
  const times = [];
  const limits = [];
  for (const side of sides) times.push((await warmUp(row, side)) ? [] : null);
  for (let round = 0; round < rounds; round++) {
    for (const [i, side] of sides.entries()) times[i]?.push((await side.time(row, ms))[basis]);
    if (row.flops || row.bytes) limits.push(limitOf(row, await prober.peaks(TURN)));
  }
  return { times, limits };
}

function report(row, { times: [ours, ...theirs], limits }, memory) {
  const time = median(ours);
  const share = limits.length ? median(limits.map((limit, k) => 1 / ours[k] / limit)) : null;
  const result = { ...row, basis: basis === 'cpu' ? 'processor time' : 'wall time', us: time, share, peers: {} };
  let line = `${row.name.padEnd(32)} ${show(time).padStart(12)}  ${share ? `${(100 * share).toFixed(0).padStart(4)}%` : '     '}`;
  for (const [i, peer] of peers.entries()) {
    if (!theirs[i]?.length) continue;
    // Above 1 this library is the faster one.
    const ratio = median(theirs[i].map((t, k) => t / ours[k]));
    result.peers[peer] = { us: median(theirs[i]), ratio };
    line += `  ${peer} ${show(median(theirs[i])).padStart(12)} ${ratio.toFixed(2)}x`;
  }
  if (memory) {
    result.memory = Object.fromEntries(['ours', ...peers].map((side, i) => [side, memory[i]]));
    line += `  MiB ${memory.map((m) => (m / 2 ** 20).toFixed(0)).join(' ')}`;
  }
  results.push(result);
  console.log(line);
}

for (const [key, value] of Object.entries(environment)) console.log(`${key}: ${value}`);
const [prober] = await start([]);
const limits = await prober.peaks(200);
let sides = await start(peers);
console.log(
  `limits: float32 ${(limits.float32 / 1e9).toFixed(0)} Gflop/s, bfloat16 ${(limits.bfloat16 / 1e9).toFixed(0)} Gflop/s, ` +
    `read ${(limits.read / 1e9).toFixed(1)} GB/s, copy ${(limits.copy / 1e9).toFixed(1)} GB/s, ` +
    `triad ${(limits.triad / 1e9).toFixed(1)} GB/s`,
);
try {
  for (const row of rows.filter(wanted)) {
    if (options.memory) {
      for (const side of sides) side.stop();
      sides = await start(peers);
    }
    const found = await turns(row, sides);
    report(row, found, options.memory ? await Promise.all(sides.map((side) => side.memory())) : null);
  }
} finally {
  for (const side of [prober, ...sides]) side.stop();
}
if (wanted(STARTUP)) {
  const { bare, ours, theirs } = startUp(rounds, peers.includes('pytorch') ? process.env.FLAMBEAU_PYTHON : null);
  const times = [ours, ...peers.map((peer) => (peer === 'pytorch' ? theirs : []))];
  report(STARTUP, { times, limits: [] }, null);
  results.at(-1).bareNode = median(bare);
  console.log(`${'  of it Node alone'.padEnd(32)} ${show(median(bare)).padStart(12)}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ environment, limits, results }, null, 2)}\n`);
