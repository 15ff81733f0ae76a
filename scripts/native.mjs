// Builds build/Release/flambeau.node from source: CMake.js with the headers of node-api-headers, nothing downloaded.
//
//   node scripts/native.mjs [--gyp | --sanitize=address,undefined]
//
// FLAMBEAU_WERROR=1 treats compiler warnings as errors: for development, where the compiler is known. A sanitized binary
// goes to build/sanitize-<names>/build/Release; FLAMBEAU_PREBUILD=build/sanitize-<names> loads it. `--gyp` says that
// node-gyp calls, whose own Makefile lies in build/: CMake then works in a folder below.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** The addon that `buildNative()` makes. */
export const binary = path.join(root, 'build', 'Release', 'flambeau.node');
const require = createRequire(import.meta.url);

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e.code === 'EPERM';
  }
};

/** Runs `work` while no other process builds in `folder`: two Ninjas in one folder destroy each other's objects. */
function locked(folder, work) {
  mkdirSync(folder, { recursive: true });
  const lock = path.join(folder, '.lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (e) {
      if (e.code !== 'EEXIST') throw e;
      let owner = 0;
      try {
        owner = Number(readFileSync(lock, 'utf8'));
      } catch {
        continue; // released just now
      }
      if (owner && !alive(owner)) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * Configures when needed and builds what is out of date.
 * @param {{ sanitize?: string, folder?: string, target?: string }} options sanitizers to build with; the folder, from
 *   build/; what to build instead of the addon
 * @returns {boolean} whether it succeeded
 */
export function buildNative({ sanitize = '', folder = '', target = '' } = {}) {
  const out = sanitize
    ? path.join(root, 'build', `sanitize-${sanitize.replace(/,/g, '-')}`, 'build')
    : path.join(root, 'build', folder);
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  const wanted = { FLAMBEAU_SANITIZE: sanitize };
  // Unasked, it stays as it is: a change of flags compiles everything again.
  if (process.env.FLAMBEAU_WERROR) wanted.FLAMBEAU_WERROR = process.env.FLAMBEAU_WERROR === '1' ? 'ON' : 'OFF';
  const run = (command) =>
    spawnSync(
      process.execPath,
      [
        cmakeJs,
        command,
        '-d',
        root,
        '-O',
        out,
        '-l',
        'warn',
        ...(target && command === 'build' ? ['-T', target] : []),
        ...Object.entries(wanted).map(([k, v]) => `--CD${k}=${v}`),
      ],
      {
        stdio: 'inherit',
        cwd: root,
        env: { CMAKE_BUILD_PARALLEL_LEVEL: String(os.availableParallelism()), ...process.env },
      },
    ).status === 0;
  return locked(out, () => {
    const cache = path.join(out, 'CMakeCache.txt');
    const had = existsSync(cache) ? readFileSync(cache, 'utf8') : '';
    const moved = had && !had.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`);
    if (moved)
      for (const name of ['CMakeCache.txt', 'CMakeFiles'])
        rmSync(path.join(out, name), { recursive: true, force: true });
    const same = !moved && Object.entries(wanted).every(([k, v]) => new RegExp(`^${k}:[A-Z]+=${v}$`, 'm').test(had));
    // `build` and not `compile`: the latter answers every compile error by deleting all objects and starting again.
    return (same || run('configure')) && run('build');
  });
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const sanitize = process.argv.find((a) => a.startsWith('--sanitize='))?.slice('--sanitize='.length);
  const gyp = process.argv.includes('--gyp');
  const ok = buildNative({ sanitize, folder: gyp ? 'gyp' : '' });
  if (ok && gyp) {
    mkdirSync(path.dirname(binary), { recursive: true });
    copyFileSync(path.join(root, 'build', 'gyp', 'Release', path.basename(binary)), binary);
  }
  process.exitCode = ok ? 0 : 1;
}
