// Builds the package: the native addon (build/Release), the library as one CommonJS file with its types (dist), and the
// ESM entry that re-exports it by name. Incremental.
//
//   node scripts/build.mjs [--native | --ts | --clean]
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleLibrary, writeIfChanged } from './bundle.mjs';
import { buildNative, root } from './native.mjs';

const require = createRequire(import.meta.url);
const at = (...parts) => path.join(root, ...parts);

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

/** The declarations go to dist/, the modules to build/lib. @returns {boolean} whether it succeeded */
export function buildTypeScript() {
  const modules = at('build', 'lib');
  // The build info outlives what tsc wrote when someone deletes that by hand; tsc would then write nothing.
  const complete = existsSync(path.join(modules, 'index.js')) && existsSync(at('dist', 'index.d.ts'));
  if (!complete) rmSync(at('build', 'lib.tsbuildinfo'), { force: true });
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const done = spawnSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit', cwd: root });
  if (!existsSync(path.join(modules, 'index.js'))) return false;
  bundleLibrary(at('lib'), modules, at('dist'));
  if (done.status !== 0) return false;
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
