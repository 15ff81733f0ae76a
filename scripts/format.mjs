// Formats TypeScript with Biome and C++ with clang-format (where one is installed).
//
//   node scripts/format.mjs [--check]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './native.mjs';

const check = process.argv.includes('--check');
const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' });

const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
let ok = run(process.execPath, [biome, 'format', ...(check ? [] : ['--write'])]).status === 0;

const sources = readdirSync(path.join(root, 'native'), { recursive: true })
  .map((f) => path.join('native', String(f)))
  .filter((f) => /\.(cc|h)$/.test(f));
const clang = run('clang-format', [...(check ? ['--dry-run', '-Werror'] : ['-i']), ...sources]);
if (clang.error) console.log('clang-format is not installed: native/ was left as it is');
else ok = clang.status === 0 && ok;
process.exitCode = ok ? 0 : 1;
