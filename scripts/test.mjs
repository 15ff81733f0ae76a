// Everything that must hold, on a fresh clone too: installs, builds, lints, type-checks, runs the tests, and runs the
// tests of the ops again on each lesser instruction set that this processor has. Ends with `N passed, N failed`.
//
//   node scripts/test.mjs [--jest-only] [jest arguments ...]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root } from './native.mjs';
import { installPackages } from './setup.mjs';

const counts = { passed: 0, failed: 0 };
const asked = process.argv.slice(2).filter((a) => a !== '--jest-only');
const jestOnly = process.argv.includes('--jest-only');

function node(args, env = {}) {
  return (
    spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
  );
}

function bin(name) {
  const { bin: bins } = JSON.parse(readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8'));
  return path.join(root, 'node_modules', name, typeof bins === 'string' ? bins : Object.values(bins)[0]);
}

function finish() {
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
  process.exit(counts.failed || !counts.passed ? 1 : 0);
}

/** A step that either holds or does not. Those marked `needed` end the run when they fail. */
function step(title, work, needed = false) {
  console.log(`\n== ${title}`);
  const ok = work();
  counts[ok ? 'passed' : 'failed']++;
  if (!ok) console.log(`FAILED: ${title}`);
  if (!ok && needed) finish();
}

/** Runs jest and adds its counts. A file that does not even load counts as one failure. */
function jest(title, args, env = {}) {
  console.log(`\n== ${title}`);
  const report = path.join(root, 'build', 'jest.json');
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const ok = node(
    [bin('jest'), '--config', 'jest.config.cjs', '--forceExit', '--json', `--outputFile=${report}`, ...args],
    env,
  );
  if (!existsSync(report)) {
    counts.failed++;
    return;
  }
  const r = JSON.parse(readFileSync(report, 'utf8'));
  counts.passed += r.numPassedTests;
  counts.failed += r.numFailedTests + r.numRuntimeErrorTestSuites;
  if (!ok && !r.numFailedTests && !r.numRuntimeErrorTestSuites) counts.failed++;
}

/** The instruction sets below the best one that this processor has. */
function lesserSets() {
  if (process.arch !== 'x64') return ['scalar'];
  const cpuinfo = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const has = (flag) => new RegExp(`\\b${flag}\\b`).test(cpuinfo);
  return ['avx512f', 'avx512bw', 'avx512dq', 'avx512vl'].every(has) ? ['scalar', 'avx2'] : ['scalar'];
}

if (!jestOnly) {
  step('packages', installPackages, true);
  step('build', () => node(['scripts/build.mjs']), true);
  step('lint', () => node([bin('@biomejs/biome'), 'lint', '--error-on-warnings']));
  step('types of tests, examples and benchmarks', () => node([bin('typescript'), '--noEmit', '-p', 'tsconfig.json']));
}
jest('tests', asked);
if (!asked.length) {
  for (const set of lesserSets()) jest(`ops on ${set}`, ['--testPathPatterns', 'test/ops/'], { FLAMBEAU_ISA: set });
}
finish();
