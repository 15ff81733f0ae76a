// The thread pool: its size, work from several JavaScript threads at once, and a process that ends.
import torch from 'flambeau';
import { output, runCode } from './process';

test('the environment sets how many threads there are', () => {
  expect(output('console.log(torch().getNumThreads())', { FLAMBEAU_NUM_THREADS: '3' })).toBe('3');
  expect(Number(output('console.log(torch().getNumThreads())'))).toBeGreaterThanOrEqual(1);
});
test.each(['0', '-2', 'many', '1e9', ''])('FLAMBEAU_NUM_THREADS=%p leaves a working pool', (value) => {
  const n = Number(
    output('const t = torch(); t.randn(700, 700).mm(t.randn(700, 700)); console.log(t.getNumThreads())', {
      FLAMBEAU_NUM_THREADS: value,
    }),
  );
  expect(n).toBeGreaterThanOrEqual(1);
  expect(n).toBeLessThanOrEqual(1024);
});
test.each([0, -1, 1025, 1.5, NaN, Infinity])('setNumThreads(%p) is refused', (n) => {
  const before = torch.getNumThreads();
  expect(() => torch.setNumThreads(n)).toThrow(torch.RuntimeError);
  expect(torch.getNumThreads()).toBe(before);
});
test('the number of threads grows and shrinks between calls', () => {
  const code = `
    const t = torch();
    const a = t.randn(300, 300), b = t.randn(300, 300);
    const expected = a.mm(b);
    for (const n of [1, 2, 7, 3, 16, 1, 5]) {
      t.setNumThreads(n);
      for (let i = 0; i < 20; i++) if (!t.equal(a.mm(b), expected)) throw new Error('another result with ' + n + ' threads');
      if (t.getNumThreads() !== n) throw new Error('not ' + n + ' threads');
    }
    console.log('ok');`;
  expect(output(code)).toBe('ok');
});
const LIBRARY = JSON.stringify(require.resolve('flambeau'));
test('several JavaScript threads compute at once, and each gets its own results', () => {
  const code = `
    const work = (t, seed) => {
      t.manualSeed(seed);
      for (let i = 0; i < 40; i++) {
        const a = t.randn(120, 90), b = t.randn(90, 110);
        if (!t.allclose(a.mm(b).double(), a.double().mm(b.double()), { atol: 1e-4 })) throw new Error('a wrong product');
        if (t.ones(200000).mul(2).sum().item() !== 400000) throw new Error('a wrong sum');
      }
    };
    const { Worker } = require('node:worker_threads');
    let left = 3;
    for (let seed = 2; seed < 5; seed++) {
      const worker = new Worker('(' + work + ')(require(' + JSON.stringify(${LIBRARY}) + '), ' + seed + ')', { eval: true });
      worker.on('error', (e) => { console.error(e); process.exit(1); });
      worker.on('exit', (status) => { if (status) process.exit(1); if (--left === 0) console.log('ok'); });
    }
    work(torch(), 1);`;
  expect(output(code)).toBe('ok');
});
test('a process with idle threads ends at once, and a worker can be stopped in the middle of its work', () => {
  const code = `
    const { Worker } = require('node:worker_threads');
    const w = new Worker('const t = require(' + JSON.stringify(${LIBRARY}) + '); const a = t.randn(200, 200); require("node:worker_threads").parentPort.postMessage(1); for (;;) a.mm(a);', { eval: true });
    w.on('message', () => setTimeout(() => w.terminate().then(() => {
      const t = torch();
      console.log(t.ones(100000).sum().item());
    }), 50));`;
  const { status, signal, out, err } = runCode(code, {}, 30);
  expect([status, signal, out, err]).toEqual([0, null, '100000', '']);
});
