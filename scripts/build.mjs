// Builds the package: the native addon (build/Release), the CommonJS modules with their types (dist), and the ESM entry
// that re-exports them by name. Incremental.
//
//   node scripts/build.mjs [--native | --ts | --clean]
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buildNative, root } from './native.mjs';

const require = createRequire(import.meta.url);
const at = (...parts) => path.join(root, ...parts);

/** Removes what dist/ holds of modules that lib/ no longer has: it would be packed and shipped. */
function prune(folder = '') {
  for (const entry of readdirSync(at('dist', folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (existsSync(at('lib', name))) prune(name);
      else rmSync(at('dist', name), { recursive: true });
    } else if (/\.(js|d\.ts)$/.test(name) && !existsSync(at('lib', name.replace(/\.(js|d\.ts)$/, '.ts')))) {
      rmSync(at('dist', name));
    }
  }
}

const writeIfChanged = (file, text) => {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
};

/** The ESM entry. Node finds a CommonJS module's names by reading its text, which misses computed ones: list them. */
function writeEsmEntry() {
  const names = Object.keys(require(at('dist', 'index.js'))).filter((n) => n !== 'default' && n !== '__esModule');
  const simple = names.filter((n) => /^[A-Za-z_$][\w$]*$/.test(n)).sort();
  writeIfChanged(
    at('dist', 'index.mjs'),
    `import cjs from './index.js';\n\nexport default cjs.default;\n${simple
      .map((n, i) => `const $${i} = cjs[${JSON.stringify(n)}];\n`)
      .join('')}export {\n${simple.map((n, i) => `  $${i} as ${n},\n`).join('')}};\n`,
  );
  writeIfChanged(
    at('dist', 'index.d.mts'),
    `import torch from './index.js';\n\nexport default torch;\nexport * from './index.js';\n`,
  );
}

/** @returns {boolean} whether it succeeded */
export function buildTypeScript() {
  const info = at('build', 'lib.tsbuildinfo');
  // The build info outlives dist/ when someone deletes that by hand; tsc would then write nothing.
  if (!existsSync(at('dist', 'index.js'))) rmSync(info, { force: true });
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const done = spawnSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit', cwd: root });
  if (done.status !== 0) return false;
  prune();
  writeEsmEntry();
  return true;
}

const flag = (name) => process.argv.includes(`--${name}`);
if (flag('clean')) {
  for (const folder of ['build', 'dist']) rmSync(at(folder), { recursive: true, force: true });
} else {
  const native = flag('ts') || buildNative();
  if (!native || !(flag('native') || buildTypeScript())) process.exitCode = 1;
}
