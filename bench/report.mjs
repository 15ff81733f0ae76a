// Writes docs/performance.md's tables and charts from the JSON files of run.mjs.
//
//   node bench/report.mjs one.json [two.json ...]
//
// The tables go between the marks of docs/performance.md, the charts to docs/performance/. Charts need `npm install` in
// peers/.
import { readFileSync } from 'node:fs';
import { bars, markdown, writeBetween } from './charts.mjs';
import { goals } from './goals.mjs';
import { show } from './units.mjs';

const runs = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
if (!runs.length) throw new Error('usage: node bench/report.mjs results.json ...');

const percent = (share) => (share === null ? '' : `${(100 * share).toFixed(0)}%`);
const mark = (reached) => (reached === null ? '' : reached ? 'yes' : 'no');

/** What a row reaches: [against the limit, against the best peer], null where nothing is asked. */
function reached({ name, group, share, peers }) {
  const goal = goals(name, group);
  const compared = Object.entries(peers).map(([peer, { ratio }]) => ratio >= (goal[peer] ?? goal.ratio));
  return {
    goal,
    share: goal.share === undefined || share === null ? null : share >= goal.share,
    ratio: goal.ratio === undefined || !compared.length ? null : compared.every(Boolean),
  };
}

function table(run, group) {
  const rows = run.results.filter((row) => row.group === group);
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))];
  const head = ['work', 'what it is', 'time', 'of the limit', ...peers.flatMap((p) => [p, 'ratio']), 'reached'];
  const lines = rows.map((row) => {
    const { share, ratio, goal } = reached(row);
    const asked = [
      goal.share === undefined ? null : `limit ${percent(goal.share)}: ${mark(share)}`,
      goal.ratio === undefined ? null : `${goal.ratio} x: ${mark(ratio)}`,
    ];
    const cells = peers.flatMap((p) =>
      row.peers[p] ? [show(row.peers[p].us), row.peers[p].ratio.toFixed(2)] : ['', ''],
    );
    return [row.name, row.about, show(row.us), percent(row.share), ...cells, asked.filter(Boolean).join(', ')];
  });
  return markdown(head, lines, 2);
}

const parts = [];
for (const run of runs) {
  const { cpu, threads, node, pytorch, rounds, ms } = run.environment;
  const { limits, results } = run;
  const many = threads === 1 ? 'one thread' : `${threads} threads`;
  const giga = (x) => (x / 1e9).toFixed(0);
  parts.push(
    `## ${many[0].toUpperCase()}${many.slice(1)}`,
    `${cpu}, Node ${node.slice(1)}, PyTorch ${pytorch ?? 'not at hand'}; ${rounds} turns of ${ms} ms. Limits measured in the same run: ` +
      `${giga(limits.float32)} Gflop/s float32, ${limits.bfloat16 ? `${giga(limits.bfloat16)} Gflop/s bfloat16, ` : ''}` +
      `${(limits.copy / 1e9).toFixed(1)} GB/s copying, ${(limits.triad / 1e9).toFixed(1)} GB/s triad.`,
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
  }
}

writeBetween('tables', parts.join('\n\n'));
