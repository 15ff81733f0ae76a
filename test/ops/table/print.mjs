// Prints the table as JSON: { file: rows with their titles and fingerprints }. Used when PyTorch's values are recorded.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import swc from '@swc/core';

const folder = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const loaded = new Map();

/** The exports of a file of the table, which imports nothing but its neighbours. */
function load(name) {
  if (!loaded.has(name)) {
    const { code } = swc.transformSync(readFileSync(path.join(folder, `${name}.ts`), 'utf8'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const module = { exports: {} };
    loaded.set(name, module);
    const require = (target) =>
      target.startsWith('./') ? load(target.slice(2)) : createRequire(import.meta.url)(target);
    new Function('module', 'exports', 'require', code)(module, module.exports, require);
  }
  return loaded.get(name).exports;
}

const { fingerprint, title } = load('row');
const table = {};
for (const file of readdirSync(folder)) {
  const name = file.replace(/\.ts$/, '');
  if (name === file || name === 'row') continue;
  const rows = load(name).rows;
  if (rows) table[name] = rows.map((row) => ({ title: title(row), fingerprint: fingerprint(row), ...row }));
}
const encode = (_key, v) =>
  typeof v === 'number' && !Number.isFinite(v) ? { number: String(v) } : Object.is(v, -0) ? { number: '-0' } : v;
process.stdout.write(JSON.stringify(table, encode));
