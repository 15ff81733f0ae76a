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
  expect(fuzz('--seeds', '1..2', '--rounds', '2500', '--seconds', '50')).toEqual({ status: 0, out: 'no crash' });
}, 120_000);
test('a process that ends badly is reported with its seed and the call', () => {
  const { status, out } = fuzz('--seeds', '7..7', '--rounds', '20', '--crash-at', '12');
  expect(status).toBe(1);
  expect(out).toMatch(/^seed 7: ended with SIG[A-Z]+ in [\w.]+\(/);
});
