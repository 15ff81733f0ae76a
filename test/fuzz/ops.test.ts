// A short run of the fuzzer, and that it would notice a crash.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

function fuzz(...args: string[]): { status: number | null; out: string } {
  const library = path.relative(path.join(__dirname, '..', '..'), require.resolve('flambeau'));
  const done = spawnSync(process.execPath, [path.join(__dirname, 'ops.mjs'), '--library', library, ...args], {
    encoding: 'utf8',
  });
  return { status: done.status, out: done.stdout.trim() + done.stderr.trim() };
}

test('random calls of every op throw at worst', () => {
  const { status, out } = fuzz('--seeds', '1..2', '--rounds', '2500', '--seconds', '150');
  expect(out).toMatch(/^\d+ calls of \d+ functions: \d+ returned .*\nonly exceptions$/);
  expect(status).toBe(0);
  const [, calls, functions, returned] = /^(\d+) calls of (\d+) functions: (\d+) returned/.exec(out)!.map(Number);
  expect([calls! > 4900, functions! > 1300, returned! > 2000]).toEqual([true, true, true]);
}, 360_000);
test('a process that ends badly is reported with its seed and the call', () => {
  const { status, out } = fuzz('--seeds', '7..7', '--rounds', '20', '--crash-at', '12');
  expect(status).toBe(1);
  expect(out).toMatch(/^seed 7: ended with SIG[A-Z]+ in [\w.]+\(/);
});
