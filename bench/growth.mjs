// How time and memory grow with size, beside PyTorch: one curve for each size, with the exponent fitted.
//
//   node bench/growth.mjs [--rounds 5] [--ms 100] [--json growth.json]      writes docs/performance.md's part on growth
//
// Each point has processes of its own. Memory is what the resident set gained at its highest over what it was before the
// work was made. The exponent e of t = c n^e is fitted by least squares to the logarithms of the four largest sizes: below
// them it is calls and caches that count.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { curves, markdown, writeBetween } from './charts.mjs';
import { lacks, Runner } from './runners.mjs';
import { median, show } from './units.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '100' },
    json: { type: 'string' },
  },
});
const [rounds, ms] = [Number(options.rounds), Number(options.ms)];
const sides = ['ours', ...['pytorch'].filter((peer) => !lacks(peer))];
const doubled = (from, to) => Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i);

/** What grows: its sizes, and the work of one size. */
const GROWTHS = [
  {
    name: 'product',
    about: 'product of two n x n matrices',
    size: 'n',
    sizes: doubled(64, 2048),
    work: (n) => ['matmul', { m: n, n, k: n }],
  },
  {
    name: 'attention',
    about: 'attention, 12 heads of 64, forward and backward',
    size: 'length',
    sizes: doubled(128, 4096),
    work: (length) => ['attention', { batch: 1, heads: 12, length, width: 64, backward: true }],
  },
  {
    name: 'batch',
    about: 'four linear layers of width 256, forward and backward',
    size: 'batch',
    sizes: doubled(1, 4096),
    work: (batch) => ['chain', { layers: 4, width: 256, batch }],
  },
  {
    name: 'parameters',
    about: 'a step of AdamW',
    size: 'parameters',
    sizes: doubled(32, 2048).map((width) => 4 * (width * width + width)),
    work: (count) => {
      const width = Math.round(Math.sqrt(count / 4 + 0.25) - 0.5);
      return ['optimizer', { name: 'AdamW', options: {}, width, layers: 4 }];
    },
  },
  {
    name: 'modules',
    about: 'linear layers of width 8 one after another, batch 1, forward and backward',
    size: 'modules',
    sizes: doubled(4, 2048),
    work: (layers) => ['chain', { layers, width: 8, batch: 1 }],
  },
  {
    name: 'threads',
    about: 'product of two 2048 x 2048 matrices, wall time',
    size: 'threads',
    sizes: Array.from({ length: os.availableParallelism() }, (_, i) => i + 1),
    work: () => ['matmul', { m: 2048, n: 2048, k: 2048 }],
    threads: (n) => n,
  },
];

/** The slope of the logarithms. */
function exponent(points) {
  const logs = points.slice(-4).map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (of) => logs.reduce((sum, p) => sum + of(p), 0) / logs.length;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  return mean(([x, y]) => (x - mx) * (y - my)) / mean(([x]) => (x - mx) ** 2);
}

/** Microseconds per call and bytes gained, of each side in turn. */
async function measure(growth, n) {
  const [kind, args] = growth.work(n);
  const row = { name: `${growth.name} ${n}`, kind, args };
  const threads = growth.threads?.(n) ?? 1;
  const running = await Promise.all(sides.map((side) => Runner.start(side, threads)));
  try {
    const before = await Promise.all(running.map((r) => r.memory()));
    const times = running.map(() => []);
    for (let round = -1; round < rounds; round++) {
      for (const [i, runner] of running.entries()) {
        const t = await runner.time(row, round < 0 ? Math.max(ms, 300) : ms);
        if (round >= 0) times[i].push(growth.threads ? t.wall : t.cpu);
      }
    }
    const after = await Promise.all(running.map((r) => r.memory()));
    return sides.map((side, i) => ({ side, us: median(times[i]), bytes: after[i] - before[i] }));
  } finally {
    for (const runner of running) runner.stop();
  }
}

const parts = [];
const lines = [];
const measured = [];
for (const growth of GROWTHS) {
  const points = sides.map(() => ({ time: [], memory: [] }));
  for (const n of growth.sizes) {
    const found = await measure(growth, n);
    for (const [i, { us, bytes }] of found.entries()) {
      points[i].time.push([n, us / 1e3]);
      points[i].memory.push([n, Math.max(bytes, 2 ** 16) / 2 ** 20]);
    }
    console.log(
      `${growth.name} ${n}: ${found.map((f) => `${f.side} ${show(f.us)} ${(f.bytes / 2 ** 20).toFixed(1)} MiB`)}`,
    );
  }
  const named = (side) => (side === 'ours' ? 'flambeau' : 'PyTorch');
  const series = (what) => sides.map((side, i) => ({ name: named(side), points: points[i][what] }));
  curves(`growth-${growth.name}-time.svg`, growth.about, [growth.size, 'milliseconds'], series('time'));
  parts.push(`![Time](performance/growth-${growth.name}-time.svg)`);
  if (!growth.threads) {
    curves(
      `growth-${growth.name}-memory.svg`,
      `${growth.about}: memory`,
      [growth.size, 'MiB gained'],
      series('memory'),
    );
    parts.push(`![Memory](performance/growth-${growth.name}-memory.svg)`);
  }
  const of = (what, at) => points.map((p) => at(p[what]));
  lines.push([
    growth.about,
    `${growth.sizes[0]} to ${growth.sizes.at(-1)}`,
    ...of('time', (p) => show(p.at(-1)[1] * 1e3)),
    ...of('time', (p) => (growth.threads ? '' : exponent(p).toFixed(2))),
    ...of('memory', (p) => `${p.at(-1)[1].toFixed(1)} MiB`),
    ...of('memory', (p) => (growth.threads ? '' : exponent(p).toFixed(2))),
  ]);
  measured.push({ name: growth.name, points });
}
const columns = ['time', 'its exponent', 'memory', 'its exponent'];
const sideNames = sides.map((side) => (side === 'ours' ? '' : ', PyTorch'));
const head = ['work', 'sizes', ...columns.flatMap((column) => sideNames.map((side) => `${column}${side}`))];
writeBetween('growth', [markdown(head, lines, 2), ...parts].join('\n\n'));
if (options.json) writeFileSync(options.json, `${JSON.stringify(measured, null, 2)}\n`);
