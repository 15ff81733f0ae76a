// The resident set of fresh processes that train in one synchronous loop. `npm run memory` runs all 100,000 steps.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

interface Measured {
  where: string;
  bytes: number;
  growth: number;
  tensors: number;
}

function measure(...options: string[]): { status: number | null; results: Measured[] } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'memory-'));
  const file = path.join(folder, 'results.json');
  try {
    const { status, stderr } = spawnSync(process.execPath, ['bench/memory.mjs', '--json', file, ...options], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return { status, results: JSON.parse(fs.readFileSync(file, 'utf8')) as Measured[] };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const MIB = 2 ** 20;

test.each(['main', 'worker'])(
  'training that never disposes does not grow (%s thread)',
  (where) => {
    const small = measure('--where', where, '--bytes', '64,262144', '--steps', '6000');
    const large = measure('--where', where, '--bytes', '4194304', '--steps', '1500');
    for (const { growth, tensors, bytes } of [...small.results, ...large.results]) {
      expect([bytes, growth < 128 * MIB]).toEqual([bytes, true]);
      // 4,096 tensors are what may wait for one collection; the ages of the sweep hold a few times that.
      expect(tensors).toBeLessThan(40_000);
    }
    expect([small.results.length, large.results.length]).toEqual([2, 1]);
    expect([small.status, large.status]).toEqual([0, 0]);
  },
  240_000,
);

test('a program that holds on to its tensors is seen to grow', () => {
  const { status, results } = measure('--where', 'main', '--bytes', '65536', '--steps', '2500', '--hold');
  expect(results[0]!.growth).toBeGreaterThan(64 * MIB);
  expect(status).toBe(1);
}, 120_000);
