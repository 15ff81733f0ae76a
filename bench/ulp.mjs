// Measures how far the elementary functions are from the true values, in units in the last place (ulp), on every
// instruction set of this machine, next to PyTorch.
//
//   FLAMBEAU_PYTHON=... node bench/ulp.mjs [--only exp,erf] [--points 4000] [--sets avx512,avx2,scalar] [--json file]
//
// The arguments cover each function's range: half of them evenly, half evenly in the logarithm, plus the ends. The true
// values are computed by mpmath with 60 digits; the Python that FLAMBEAU_PYTHON names must have it and torch.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { functions } from './ulp-functions.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    points: { type: 'string', default: '4000' },
    sets: { type: 'string', default: 'avx512,avx2,scalar' },
    json: { type: 'string' },
  },
});
const python = process.env.FLAMBEAU_PYTHON;
if (!python) {
  console.error('FLAMBEAU_PYTHON must name a Python with torch and mpmath');
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const only = options.only.split(',').filter(Boolean);
const sets = options.sets.split(',');
const scratch = mkdtempSync(path.join(os.tmpdir(), 'ulp-'));

function must({ status, stderr }) {
  if (status === 0) return;
  console.error(String(stderr));
  process.exit(1);
}

const results = [];
try {
  const cases = functions.filter((f) => !only.length || only.includes(f.name));
  writeFileSync(path.join(scratch, 'cases.json'), JSON.stringify({ cases, points: Number(options.points) }));
  for (const set of sets) {
    const env = { ...process.env, FLAMBEAU_ISA: set };
    must(spawnSync(process.execPath, [path.join(here, 'ulp-values.mjs'), scratch, set], { env, encoding: 'utf8' }));
  }
  must(spawnSync(python, [path.join(here, 'ulp.py'), scratch, ...sets], { encoding: 'utf8' }));
  results.push(...JSON.parse(readFileSync(path.join(scratch, 'errors.json'), 'utf8')));
} finally {
  rmSync(scratch, { recursive: true });
}

const figure = (x) => (x === null ? '-' : x < 1000 ? x.toFixed(2) : x.toExponential(1)).padStart(9);
console.log(
  `${'function'.padEnd(12)}${'type'.padEnd(9)}${[...sets, 'PyTorch'].map((s) => s.padStart(9)).join('')}  worst at`,
);
for (const r of results) {
  const columns = [...sets.map((s) => r.ours[s]), r.pytorch].map(figure).join('');
  console.log(`${r.name.padEnd(12)}${r.dtype.padEnd(9)}${columns}  ${r.at}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
