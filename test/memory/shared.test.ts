// Tensors that worker threads see.
import torch, { nn, type Tensor } from 'flambeau';
import { ask, worker } from './in_worker';

test('sharing marks the memory, of views too', () => {
  const t = torch.ones(2, 3);
  expect([t.isShared(), t.shareMemory_() === t, t.isShared(), t.select(0, 1).isShared()]).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(torch.ones(2).isShared()).toBe(false);
  const m = new nn.BatchNorm1d(2);
  expect(m.shareMemory()).toBe(m);
  expect([...m.stateDict().values()].every((x) => x.isShared())).toBe(true);
});

test('a worker reads and writes the same memory', async () => {
  const w = worker(`
    parentPort.on('message', (shared) => {
      const t = torch.openShared(shared);
      const seen = { values: t.tolist(), shape: [...t.shape], dtype: t.dtype.name, requiresGrad: t.requiresGrad };
      torch.noGrad(() => t.mul_(10));
      parentPort.postMessage(seen);
    });`);
  const whole = torch.arange(12).reshape(3, 4);
  const part = whole.t().index(torch.slice(1, 3));
  const seen = await ask(w, torch.shareTensor(part));
  expect(seen).toEqual({
    values: [
      [1, 5, 9],
      [2, 6, 10],
    ],
    shape: [2, 3],
    dtype: 'int64',
    requiresGrad: false,
  });
  expect(whole.tolist()).toEqual([
    [0, 10, 20, 3],
    [4, 50, 60, 7],
    [8, 90, 100, 11],
  ]);
  const leaf = torch.tensor([1.5], { dtype: torch.bfloat16 }).requiresGrad_();
  expect(await ask(w, torch.shareTensor(leaf))).toMatchObject({ dtype: 'bfloat16', requiresGrad: true });
  expect(leaf.tolist()).toEqual([15]);
});

test('a model trains on what a worker sees', async () => {
  const w = worker(`
    let model;
    parentPort.on('message', (state) => {
      if (state !== null) {
        model = torch.device('meta', () => new torch.nn.Linear(2, 1));
        const tensors = Object.entries(state).map(([name, shared]) => [name, torch.openShared(shared)]);
        model.loadStateDict(Object.fromEntries(tensors), { assign: true });
      }
      parentPort.postMessage(model(torch.ones(1, 2)).item());
    });`);
  const model = new nn.Linear(2, 1).shareMemory();
  const state = Object.fromEntries([...model.stateDict()].map(([name, t]) => [name, torch.shareTensor(t as Tensor)]));
  expect(await ask(w, state)).toBe(model(torch.ones(1, 2)).item());
  torch.noGrad(() => model.weight.fill_(3));
  expect(await ask(w, null)).toBe(model(torch.ones(1, 2)).item());
});

test('the memory lives while any thread is on it', async () => {
  const w = worker(`
    let t;
    parentPort.on('message', (shared) => {
      if (shared !== null) t = torch.openShared(shared);
      parentPort.postMessage(t.sum().item());
    });`);
  const t = torch.ones(2 ** 20);
  expect(await ask(w, torch.shareTensor(t))).toBe(2 ** 20);
  const held = torch.memoryStats().bytes;
  t.dispose();
  for (let i = 0; i < 4; i++) torch.zeros(2 ** 20).dispose();
  expect(await ask(w, null)).toBe(2 ** 20);
  expect(torch.memoryStats().bytes).toBeGreaterThanOrEqual(4 * 2 ** 20);
  await w.terminate();
  expect(torch.memoryStats(true).bytes).toBeLessThanOrEqual(held - 3 * 2 ** 20);
});

test('what is gone or wrong is an error', () => {
  const gone = torch.ones(4);
  const name = torch.shareTensor(gone);
  gone.dispose();
  expect(() => torch.openShared(name)).toThrow('the shared memory is gone');
  const t = torch.ones(4);
  const good = torch.shareTensor(t);
  expect(torch.openShared(good).tolist()).toEqual([1, 1, 1, 1]);
  expect(() => torch.openShared({ ...good, shape: [5] })).toThrow('out of bounds for storage of size 16');
  expect(() => torch.openShared({ ...good, storageOffset: 1 })).toThrow('out of bounds');
  expect(() => torch.openShared({ ...good, dtype: 'float64' })).toThrow('out of bounds');
  for (const sharedStorage of [0, -1, 2 ** 40])
    expect(() => torch.openShared({ ...good, sharedStorage })).toThrow('gone');
  const secret = torch.ones(4);
  expect(() => torch.openShared({ ...good, sharedStorage: secret.storage().dataPtr() })).toThrow('gone');
  for (const bad of [null, 3, {}, { ...good, dtype: 'x' }])
    expect(() => torch.openShared(bad as never)).toThrow(TypeError);
  expect(() => torch.shareTensor(3 as never)).toThrow(TypeError);
  expect(() => torch.shareTensor(torch.ones(1).requiresGrad_().mul(2))).toThrow(
    'Cowardly refusing to serialize non-leaf',
  );
  expect(() => torch.ones(1, { device: 'meta' }).shareMemory_()).toThrow('not implemented for the meta device');
  expect(() => t.resize_(100)).toThrow('Trying to resize storage that is not resizable');
  expect([t.shape, t.tolist(), t.resize_(2).tolist()]).toEqual([[4], [1, 1, 1, 1], [1, 1]]);
});
