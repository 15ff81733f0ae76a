import { once } from 'node:events';
import torch from 'flambeau';
import { endWorkers, LIBRARY, worker } from './in_worker';

const MIB = 2 ** 20;

test('a worker has tensors of its own, and its exit frees them', async () => {
  const before = torch.memoryStats(true);
  const w = worker(`
    globalThis.held = Array.from({ length: 32 }, () => torch.ones(2 ** 18));
    parentPort.postMessage({ tensors: torch.memoryStats().tensors, sum: held[31].sum().item() });
    parentPort.once('message', () => process.exit(0));`);
  const [message] = (await once(w, 'message')) as [{ tensors: number; sum: number }];
  expect(message.sum).toBe(2 ** 18);
  expect(message.tensors).toBeGreaterThanOrEqual(32);
  // Bytes are counted for the whole process, tensors for the thread.
  const during = torch.memoryStats(true);
  expect(during.tensors).toBeLessThanOrEqual(before.tensors);
  w.postMessage('go');
  await once(w, 'exit');
  const after = torch.memoryStats(true);
  expect(during.bytes - after.bytes).toBeGreaterThanOrEqual(32 * MIB);
  expect(after.bytes - before.bytes).toBeLessThan(MIB);
});

test('a worker that is ended in the middle of its work frees its tensors', async () => {
  const before = torch.memoryStats(true).bytes;
  const w = worker(`
    const w = torch.ones(2 ** 16, { requiresGrad: true });
    parentPort.postMessage('running');
    for (;;) { w.grad = null; w.mul(2).exp().sum().backward(); }`);
  await once(w, 'message');
  await w.terminate();
  expect(torch.memoryStats(true).bytes - before).toBeLessThan(MIB / 8);
});

test('workers compute at the same time without disturbing each other', async () => {
  const script = (seed: number) => `
    const generator = new torch.Generator();
    generator.manualSeed(${seed});
    const w = torch.zeros(64, 64, { requiresGrad: true });
    const x = torch.randn(64, 64, { generator });
    for (let i = 0; i < 300; i++) {
      w.grad = null;
      w.matmul(x).sub(x).pow(2).mean().backward();
      torch.noGrad(() => w.sub_(w.grad.mul(1)));
    }
    parentPort.postMessage(w.sum().item());`;
  const run = async (seed: number) => {
    const w = worker(script(seed));
    const [sum] = (await once(w, 'message')) as [number];
    await w.terminate();
    return sum;
  };
  const together = await Promise.all([1, 2, 1].map(run));
  expect(together[0]).toBe(together[2]);
  expect(together[0]).not.toBe(together[1]);
  expect(await run(2)).toBe(together[1]);
});

test('a process that ends with workers and tensors alive ends cleanly', async () => {
  const { spawnSync } = await import('node:child_process');
  const script = `
    const torch = require(${LIBRARY});
    const { Worker } = require('node:worker_threads');
    globalThis.held = torch.ones(1000);
    const code = 'const torch = require(' + JSON.stringify(${LIBRARY}) + ');' +
      'globalThis.held = torch.ones(1000); require("node:worker_threads").parentPort.postMessage(1); setInterval(() => {}, 1000);';
    new Worker(code, { eval: true }).on('message', () => { console.log('done'); process.exit(0); });`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: 'done\n', stderr: '' });
});

test('workers that load the library at the same moment all get it', async () => {
  for (let round = 0; round < 10; round++) {
    const messages = Array.from({ length: 4 }, () =>
      once(worker('parentPort.postMessage(torch.ones(3).sum().item());'), 'message'),
    );
    expect(await Promise.all(messages)).toEqual([[3], [3], [3], [3]]);
    await endWorkers();
  }
});
