// Writes the arguments and this library's values for ulp.mjs: <folder>/<function>-<type>.x and <folder>/<set>-... .y
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import torch from 'flambeau';

const [folder, set] = process.argv.slice(2);
const { cases, points } = JSON.parse(readFileSync(path.join(folder, 'cases.json'), 'utf8'));

/** Points of [from, to], the same in every process. */
function range({ from, to }) {
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const inside = (x) => Math.min(to, Math.max(from, x));
  const largest = Math.max(Math.abs(from), Math.abs(to));
  // Down to a tiny argument where 0 is inside, otherwise to the nearer end.
  const smallest = from <= 0 && to >= 0 ? 1e-12 : Math.min(Math.abs(from), Math.abs(to));
  const out = [from, to];
  while (out.length < points) {
    out.push(from + (to - from) * random());
    const size = smallest * (largest / smallest) ** random();
    out.push(inside(from < 0 && random() < 0.5 ? -size : size));
  }
  return out;
}

for (const f of cases) {
  const x = range(f);
  for (const dtype of ['float32', 'float64']) {
    const t = torch.tensor(x, { dtype: torch[dtype] });
    const y = f.functional ? torch.nn.functional[f.name](t) : torch[f.name](t);
    const bytes = (value) => Buffer.from(value.toTypedArray().buffer);
    writeFileSync(path.join(folder, `${f.name}-${dtype}.x`), bytes(t));
    writeFileSync(path.join(folder, `${set}-${f.name}-${dtype}.y`), bytes(y));
  }
}
