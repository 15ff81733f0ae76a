// Builds the addon with sanitizers and runs the tests on it (GCC or Clang on Linux).
//
//   node scripts/sanitize.mjs [address,undefined | thread] [jest arguments ...]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildNative, root } from './native.mjs';

const [first = '', ...rest] = process.argv.slice(2);
const named = /^(address|undefined|thread|leak)(,|$)/.test(first);
const sanitize = named ? first : 'address,undefined';
const jestArguments = named ? rest : process.argv.slice(2);

if (!buildNative({ sanitize })) process.exit(1);

// Node itself is not sanitized, so the run-time library must be loaded before it.
const library = sanitize.includes('thread') ? 'libtsan.so' : 'libasan.so';
const found = spawnSync(process.env.CXX ?? 'c++', [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout.trim();
const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--config',
    'jest.config.cjs',
    '--runInBand',
    ...jestArguments,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      LD_PRELOAD: found,
      FLAMBEAU_PREBUILD: path.join(root, 'build', `sanitize-${sanitize.replace(/,/g, '-')}`),
      // V8 keeps what it allocates until the process ends; and the sanitizer must not claim the signals Node uses.
      ASAN_OPTIONS: 'detect_leaks=0:handle_segv=1:abort_on_error=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  },
);
process.exitCode = status ?? 1;
