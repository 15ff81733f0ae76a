// Compiles the C++ peers into build/bench, once per change of their sources.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here, '..', '..', 'build', 'bench');
/** Each driver: the header that its library must have installed, and the library. */
const DRIVERS = {
  openblas: { header: 'cblas.h', library: 'openblas', packages: 'libopenblas-dev' },
  onednn: { header: 'dnnl.hpp', library: 'dnnl', packages: 'libdnnl-dev' },
};
const compiler = process.env.CXX ?? 'c++';

/** What a driver lacks to be built, null when it is there. */
export function lacksDriver(name) {
  const { header, packages } = DRIVERS[name];
  const { status } = spawnSync(compiler, ['-E', '-x', 'c++', '-', '-o', '/dev/null'], {
    input: `#include <${header}>\n`,
  });
  return status === 0 ? null : `${packages} is not installed`;
}

/** @returns the path of the program */
export function driver(name) {
  const program = path.join(folder, name);
  const sources = [`${name}.cc`, 'serve.h'].map((file) => path.join(here, file));
  const changed = (file) => statSync(file).mtimeMs > statSync(program).mtimeMs;
  if (!existsSync(program) || sources.some(changed)) {
    mkdirSync(folder, { recursive: true });
    const flags = ['-std=c++17', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, sources[0]];
    const { status } = spawnSync(compiler, [...flags, `-l${DRIVERS[name].library}`], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${name}.cc did not compile`);
  }
  return program;
}
