// Fails if an object of native/kernels has a weak symbol. The same kernels are compiled once per instruction set; of a
// weak symbol (an inline function, a template, an inline variable) the linker keeps one copy for all sets, and where
// that is the AVX-512 one, older processors crash.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './native.mjs';

const objectsIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((f) => path.join(folder, String(f)))
    .filter((f) => f.endsWith('.o'));

/**
 * The weak symbols that an object defines or refers to (W, w, V, v), and GNU's unique ones (u).
 * @param {string} object path of an object file
 * @returns {string[]} their names, demangled
 */
export function weakSymbols(object) {
  const nm = spawnSync('nm', ['-C', object], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (nm.status !== 0) throw new Error(`nm ${object}: ${nm.stderr || nm.error}`);
  return nm.stdout
    .split('\n')
    .map((line) => /^[0-9a-f]*\s+([WwVvu]) (.*)$/.exec(line)?.[2])
    .filter((name) => name !== undefined);
}

/** @returns {{ object: string, symbols: string[] }[]} one entry per object of kernels/ in the build folder */
export function checkKernels(build = path.join(root, 'build')) {
  const files = path.join(build, 'CMakeFiles');
  if (!existsSync(files)) return [];
  return readdirSync(files)
    .filter((f) => /^kernels_\w+\.dir$/.test(f))
    .flatMap((f) => objectsIn(path.join(files, f)))
    .map((object) => ({ object: path.relative(root, object), symbols: weakSymbols(object) }));
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const objects = checkKernels();
  const bad = objects.filter((o) => o.symbols.length);
  for (const { object, symbols } of bad) console.error(`${object}:\n${symbols.map((s) => `  ${s}`).join('\n')}`);
  console.log(`${objects.length} objects of kernels/, ${bad.length} with weak symbols`);
  process.exitCode = bad.length || !objects.length ? 1 : 0;
}
