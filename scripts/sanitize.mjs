// Builds the addon with sanitizers and runs the tests on it (GCC or Clang on Linux). A finding ends the process it is made
// in, so the test fails. Ends with `N passed, N failed`.
//
//   npm run test:sanitize -- [address,undefined | thread] [--fuzz 1..10] [jest arguments ...]
//
// --fuzz runs the fuzzer of the ops with these seeds instead of the tests.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildNative, root } from './native.mjs';

const given = process.argv.slice(2);
const named = /^(address|undefined|thread|leak)(,|$)/.test(given[0] ?? '');
const sanitize = named ? given.shift() : 'address,undefined';
const fuzzAt = given.indexOf('--fuzz');
const seeds = fuzzAt < 0 ? null : given.splice(fuzzAt, 2)[1];

/** Tests that say nothing about a sanitized binary, with the reason. */
const LEFT_OUT = {
  'test/memory/growth.test.ts': 'freed memory is kept back to find late uses of it, so the process grows',
  'test/architecture/build.test.ts': 'it reads the objects of the plain build',
  'test/fuzz/ops.test.ts': 'the fuzzer runs by itself, with --fuzz',
};
/** What the thread sanitizer is for: the pool, workers, writing in the background, and what computes in several threads. */
const THREADED =
  'test/(native/threads|memory/(worker|packed|shared)|random|optim|serialization/async|nn/(attention|rnn|joined)|ops/(matmul|conv|reduce|random|pool|softmax|norm|sort|pointwise|gather|indexing))';

if (!buildNative({ sanitize })) process.exit(1);

// Node itself is not sanitized, so the run-time library must be loaded before it.
const library = sanitize.includes('thread') ? 'libtsan.so' : 'libasan.so';
const preload = spawnSync(process.env.CXX ?? 'c++', [`-print-file-name=${library}`], {
  encoding: 'utf8',
}).stdout.trim();
const env = {
  ...process.env,
  LD_PRELOAD: preload,
  FLAMBEAU_PREBUILD: path.join(root, 'build', `sanitize-${sanitize.replace(/,/g, '-')}`),
  // V8 keeps what it allocates until the process ends; it catches signals itself; and a request for more memory than there
  // is must come back empty, as without the sanitizer.
  ASAN_OPTIONS: 'detect_leaks=0:handle_segv=1:abort_on_error=1:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  FLAMBEAU_TEST_PATIENCE: '20',
  // Node's own threads take locks that nobody saw them take.
  TSAN_OPTIONS: 'allocator_may_return_null=1:halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1',
};
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });

// Lists the names of the library by loading it, so it needs the binary and what the binary needs.
if (run([path.join(root, 'scripts', 'build.mjs'), '--ts']).status !== 0) process.exit(1);

if (seeds !== null) {
  const { status } = run(['test/fuzz/ops.mjs', '--seeds', seeds, '--seconds', '3600', ...given]);
  process.exit(status ?? 1);
}

const report = path.join(root, 'build', 'sanitize.json');
mkdirSync(path.dirname(report), { recursive: true });
rmSync(report, { force: true });
const whole = given.length === 0;
for (const [file, why] of Object.entries(LEFT_OUT)) console.log(`left out: ${file} (${why})`);
const { status } = run([
  path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
  ...['--config', 'jest.config.cjs', '--runInBand', '--forceExit', '--silent', '--reporters=default'],
  // Checked code takes ten times as long.
  ...['--testTimeout', '1200000', '--json', `--outputFile=${report}`],
  // An option that takes a list takes what follows it: the patterns go before.
  ...(whole && sanitize.includes('thread') ? [THREADED] : given),
  ...['--testPathIgnorePatterns', ...Object.keys(LEFT_OUT)],
]);
const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null;
const passed = counts?.numPassedTests ?? 0;
const failed = counts === null ? 1 : counts.numFailedTests + counts.numRuntimeErrorTestSuites;
console.log(`\n${passed} passed, ${failed} failed, with the ${sanitize.replace(',', ' and ')} sanitizer`);
process.exitCode = status === 0 && failed === 0 && passed > 0 ? 0 : 1;
