// Writes docs/performance.md's tables and charts from the JSON files of run.mjs.
//
//   node bench/report.mjs one.json [memory.json two.json ...]
//
// The tables go between the marks of docs/performance.md, the charts to docs/performance/. Charts need `npm install` in
// peers/.
import { readFileSync } from 'node:fs';
import { bars, markdown, writeBetween } from './charts.mjs';
import { goals } from './goals.mjs';
import { reason } from './reasons.mjs';
import { show } from './units.mjs';

const files = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
/** A run for each number of threads: the rows of a later file take the place of an earlier one's. */
const runs = [...new Set(files.map(({ environment }) => environment.threads))].map((threads) => {
  const same = files.filter(({ environment }) => environment.threads === threads);
  const rows = new Map(same.flatMap(({ results }) => results).map((row) => [row.name, row]));
  return { ...same[0], results: [...rows.values()] };
});
if (!files.length) throw new Error('usage: node bench/report.mjs results.json ...');

const percent = (share) => (share === null ? '' : `${(100 * share).toFixed(0)}%`);
const mark = (reached) => (reached === null ? '' : reached ? 'yes' : 'no');

/** What a row reaches: [against the limit, against the best peer], null where nothing is asked. */
function reached({ name, group, share, peers }) {
  const goal = goals(name, group);
  const compared = Object.entries(peers);
  const slower = compared.filter(([peer, { ratio }]) => ratio < (goal[peer] ?? goal.ratio)).map(([peer]) => peer);
  return {
    goal,
    share: goal.share === undefined || share === null ? null : share >= goal.share,
    ratio: goal.ratio === undefined || !compared.length ? null : slower.length === 0,
    slower,
  };
}

function table(run, group) {
  const rows = run.results.filter((row) => row.group === group);
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const sides = rows.some((row) => row.memory) ? ['ours', ...peers] : [];
  const memory = sides.map((side) => (side === 'ours' ? 'memory' : `memory, ${side}`));
  const head = [
    'work',
    'what it is',
    'time',
    'of the limit',
    ...peers.flatMap((p) => [p, 'ratio']),
    ...memory,
    'reached',
  ];
  const lines = rows.map((row) => {
    const { share, ratio, goal, slower } = reached(row);
    const asked = [
      goal.share === undefined ? null : `limit ${percent(goal.share)}: ${mark(share)}`,
      goal.ratio === undefined
        ? null
        : `${goal.ratio} x: ${mark(ratio)}${slower.length ? ` (${slower.join(', ')})` : ''}`,
    ];
    const cells = peers.flatMap((p) =>
      row.peers[p] ? [show(row.peers[p].us), row.peers[p].ratio.toFixed(2)] : ['', ''],
    );
    const held = sides.map((side) => (row.memory?.[side] ? `${(row.memory[side] / 2 ** 20).toFixed(0)} MiB` : ''));
    return [row.name, row.about, show(row.us), percent(row.share), ...cells, ...held, asked.filter(Boolean).join(', ')];
  });
  return markdown(head, lines, 2);
}

/** The rows of a group that miss an aim, by the reason that their profile gives. */
function missed(run, group) {
  const why = new Map();
  for (const row of run.results.filter((row) => row.group === group)) {
    const { share, ratio } = reached(row);
    if (share !== false && ratio !== false) continue;
    const text = reason(row.name, group) ?? 'not profiled';
    why.set(text, [...(why.get(text) ?? []), `\`${row.name}\``]);
  }
  return [...why].map(([text, names]) => `- ${names.join(', ')}: ${text}`).join('\n');
}

/** The convolutions of a group as one row: a network runs them all. */
function withSum(run, group) {
  const rows = run.results.filter((row) => row.group === group);
  if (!group.startsWith('convolutions') || rows.length < 2) return;
  const total = (of) => rows.reduce((sum, row) => sum + of(row), 0);
  const us = total((row) => row.us);
  const peers = Object.keys(rows[0].peers).filter((peer) => rows.every((row) => row.peers[peer]));
  const sums = peers.map((peer) => [peer, total((row) => row.peers[peer].us)]);
  run.results.push({
    name: `sum_${rows[0].name.split('_').slice(-2).join('_')}`,
    group,
    about: 'all of them, one after another',
    us,
    share: total((row) => row.flops) / us / (run.limits.float32 / 1e6),
    peers: Object.fromEntries(sums.map(([peer, time]) => [peer, { us: time, ratio: time / us }])),
  });
}

const parts = [];
for (const run of runs) {
  for (const group of new Set(run.results.map((row) => row.group))) withSum(run, group);
  const { cpu, threads, node, pytorch, rounds, ms } = run.environment;
  const { limits, results } = run;
  const many = threads === 1 ? 'one thread' : `${threads} threads`;
  const giga = (x) => (x / 1e9).toFixed(0);
  parts.push(
    `## ${many[0].toUpperCase()}${many.slice(1)}`,
    `${cpu}, Node ${node.slice(1)}, PyTorch ${pytorch ?? 'not at hand'}; ${rounds} turns of ${ms} ms. Limits measured in the same run: ` +
      `${giga(limits.float32)} Gflop/s float32, ${limits.bfloat16 ? `${giga(limits.bfloat16)} Gflop/s bfloat16, ` : ''}` +
      `${limits.read ? `${(limits.read / 1e9).toFixed(1)} GB/s reading, ` : ''}${(limits.copy / 1e9).toFixed(1)} GB/s copying, ${(limits.triad / 1e9).toFixed(1)} GB/s triad.`,
  );
  const shared = results.filter((row) => row.share !== null);
  const compared = results.filter((row) => Object.keys(row.peers).length);
  if (shared.length) {
    const file = `limit-${threads}.svg`;
    const values = shared.map((row) => Number((100 * row.share).toFixed(1)));
    bars(
      file,
      `Share of the machine's limit, ${many} (%)`,
      shared.map((row) => row.name),
      { name: 'flambeau', values },
      { at: 100, max: 130 },
    );
    parts.push(`![Share of the limit](performance/${file})`);
  }
  for (const peer of [...new Set(compared.flatMap((row) => Object.keys(row.peers)))]) {
    const rows = compared.filter((row) => row.peers[peer]);
    const file = `${peer}-${threads}.svg`;
    const values = rows.map((row) => Number(row.peers[peer].ratio.toFixed(2)));
    bars(
      file,
      `Times as fast as ${peer}, ${many}`,
      rows.map((row) => row.name),
      { name: 'ratio', values },
      { at: 1, max: 8 },
    );
    parts.push(`![Ratio to ${peer}](performance/${file})`);
  }
  for (const group of [...new Set(results.map((row) => row.group))]) {
    parts.push(`### ${group[0].toUpperCase()}${group.slice(1)}`, table(run, group));
    const list = missed(run, group);
    if (list) parts.push('Not reached:', list);
  }
}

writeBetween('tables', parts.join('\n\n'));
