// torch.saveAsync: the same files as torch.save, of the values at the call, whole or not at all.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import torch, { nn, type Tensor } from 'flambeau';
import { runCode } from '../native/process';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-async-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);
/** What lies in the folder beside whole files. */
const leftovers = (): string[] => fs.readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/** Small tensors travel in blocks, large ones from their own memory. */
const value = (): Record<string, Tensor> => ({
  small: torch.arange(5),
  large: torch.arange(300_000).float(),
  view: torch.arange(200_000).view(2, 100_000).select(0, 1),
  empty: torch.zeros(0),
});

test.each([{}, { copy: false }, { pickleProtocol: 4 }, { zip: false }])(
  'writes the file that save writes (%j)',
  async (options) => {
    const { copy: _, ...rest } = options as { copy?: boolean };
    const state = value();
    torch.save(state, at('same.pt'), rest);
    const expected = fs.readFileSync(at('same.pt'));
    fs.rmSync(at('same.pt'));
    await torch.saveAsync(state, at('same.pt'), options);
    expect(fs.readFileSync(at('same.pt')).equals(expected)).toBe(true);
    expect(leftovers()).toEqual([]);
  },
);

test('the file holds the values at the call', async () => {
  const state = value();
  const saved = torch.saveAsync(state, pathToFileURL(at('then.pt')));
  for (const t of Object.values(state)) t.fill_(-1);
  delete state['small'];
  await saved;
  const found = torch.load<Record<string, Tensor>>(at('then.pt'));
  expect([found['small']!.tolist(), found['large']!.double().sum().item()]).toEqual([[0, 1, 2, 3, 4], 44999850000]);
});

test('tensors may be freed meanwhile, also by tidy', async () => {
  for (const copy of [true, false]) {
    const saved = torch.tidy(() => {
      const t = torch.ones(300_000);
      return { promise: torch.saveAsync({ t }, at('freed.pt'), { copy }) };
    });
    torch.memoryStats(true);
    await saved.promise;
    expect(torch.load<{ t: Tensor }>(at('freed.pt')).t.sum().item()).toBe(300_000);
  }
});

test('nothing is kept afterwards', async () => {
  const state = value();
  await torch.saveAsync(state, at('kept.pt'));
  const before = torch.memoryStats(true);
  for (let i = 0; i < 5; i++) await torch.saveAsync(state, at('kept.pt'));
  await torch.saveAsync(state, path.join(folder, 'no', 'folder.pt')).catch(() => {});
  const after = torch.memoryStats(true);
  expect(after.tensors).toBeLessThanOrEqual(before.tensors);
  expect(after.bytes).toBeLessThanOrEqual(before.bytes);
});

test('without a copy a change before the end rejects, and the old file stays', async () => {
  torch.save({ old: true }, at('changed.pt'));
  const state = value();
  const saved = torch.saveAsync(state, at('changed.pt'), { copy: false });
  state['large']!.add_(1);
  await expect(saved).rejects.toThrow(/changed in place while it was being saved/);
  await expect(saved).rejects.toBeInstanceOf(torch.RuntimeError);
  expect(torch.load(at('changed.pt'))).toEqual({ old: true });
  expect(leftovers()).toEqual([]);
});

test.each([
  ['in memory', 't.ones(20_000_000)'],
  ['of a mapped file', 't.load(path, { mmap: true })'],
])(
  'a tensor %s that grows meanwhile leaves the writer the memory it reads',
  (_kind, make) => {
    const folder = fs.mkdtempSync(at('grown-'));
    torch.save(torch.ones(20_000_000), path.join(folder, 'from.pt'));
    const code = `
    const t = torch();
    const fs = require('node:fs');
    const path = ${JSON.stringify(path.join(folder, 'from.pt'))};
    const underWay = () => fs.readdirSync(${JSON.stringify(folder)}).some((name) => {
      try {
        return name.endsWith('.tmp') && fs.statSync(${JSON.stringify(folder)} + '/' + name).size > 1 << 20;
      } catch {
        return false;
      }
    });
    (async () => {
      const held = [];
      for (let round = 0; round < 4; round++) {
        const w = ${make};
        let done = false;
        const saved = t.saveAsync(w, path + '2', { copy: false }).then(() => 'saved', (e) => e.message);
        saved.then(() => (done = true));
        while (!done && !underWay()) await new Promise(setImmediate);
        const before = t.memoryStats().bytes;
        if (!done) w.resize_(20_000_001);
        held.push(Math.round((t.memoryStats().bytes - before) / 80_000_000));
        // Whoever is given the old block writes to it.
        for (let k = 0; k < 8; k++) t.zeros(20_000_000).dispose();
        console.log(await saved, w.narrow(0, 0, 20_000_000).sum().item(), t.memoryStats(true).bytes);
        w.dispose();
      }
      console.log(Math.max(...held));
    })();`;
    const { status, signal, out, err } = runCode(code);
    expect([status, signal, err]).toEqual([0, null, '']);
    const lines = out.split('\n');
    expect(lines.pop()).toBe('1'); // the new block beside the old one, which is not counted for a file
    const changed = 'saveAsync(): a tensor was changed in place while it was being saved without a copy';
    expect(lines.every((line) => [changed, 'saved'].some((end) => line.startsWith(`${end} 20000000 `)))).toBe(true);
    expect(lines).toContain(`${changed} 20000000 80000004`);
    fs.rmSync(folder, { recursive: true });
  },
  60_000,
);

test('files of one path come in the order of the calls', async () => {
  const large = { step: 1, t: torch.zeros(4_000_000) };
  const first = torch.saveAsync(large, at('latest.pt'));
  const second = torch.saveAsync({ step: 2 }, at('latest.pt'));
  const bad = torch.saveAsync({ step: 3, t: () => 1 }, at('latest.pt'));
  const last = torch.saveAsync({ step: 4 }, at('latest.pt'));
  await expect(bad).rejects.toThrow(TypeError);
  await Promise.all([first, second, last]);
  expect(torch.load(at('latest.pt'))).toEqual({ step: 4 });
});

test('a state dict with shared memory, the mode of the file and a link to it survive', async () => {
  const model = new nn.Sequential(new nn.Linear(3, 3), new nn.BatchNorm1d(3));
  fs.writeFileSync(at('mode.pt'), '', { mode: 0o640 });
  fs.symlinkSync('mode.pt', at('link.pt'));
  await torch.saveAsync({ model: model.stateDict(), again: model.stateDict() }, at('link.pt'));
  expect(fs.lstatSync(at('link.pt')).isSymbolicLink()).toBe(true);
  expect(fs.statSync(at('mode.pt')).mode & 0o777).toBe(0o640);
  const found = torch.load<{ model: Map<string, Tensor>; again: Map<string, Tensor> }>(at('mode.pt'));
  found.model.get('0.weight')!.fill_(3);
  expect(found.again.get('0.weight')!.sum().item()).toBe(27);
});

test('errors reject', async () => {
  await expect(torch.saveAsync({ f: () => 1 }, at('x.pt'))).rejects.toThrow(TypeError);
  await expect(torch.saveAsync(1, 5 as unknown as string)).rejects.toThrow(
    /saveAsync\(\): argument 'file' must be a path/,
  );
  await expect(torch.saveAsync(1, at('x.pt'), { copy: 1 } as object)).rejects.toThrow(/'copy' must be bool/);
  await expect(torch.saveAsync(1, at('x.pt'), { wait: true } as object)).rejects.toThrow(
    /unexpected keyword argument 'wait'/,
  );
  await expect(torch.saveAsync(1, path.join(folder, 'no', 'x.pt'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(fs.existsSync(at('x.pt'))).toBe(false);
  expect(leftovers()).toEqual([]);
});

test('a full disk rejects and leaves nothing', async () => {
  if (!fs.existsSync('/dev/full')) return;
  await expect(torch.saveAsync({ t: torch.ones(300_000) }, '/dev/full')).rejects.toMatchObject({
    code: 'ENOSPC',
    syscall: 'write',
  });
  expect(() => torch.save({ t: torch.ones(300_000) }, '/dev/full')).toThrow(/ENOSPC: no space left on device, write/);
});

test('a process waits for what it saves; a worker that ends does not crash it', () => {
  const file = JSON.stringify(at('last.pt'));
  const code = `
    const { Worker, isMainThread } = require('node:worker_threads');
    const t = torch();
    t.saveAsync({ t: t.ones(3_000_000) }, ${file});
    const w = new Worker(\`require(\${JSON.stringify(require.resolve(${JSON.stringify(require.resolve('flambeau'))}))}).saveAsync({ x: 1 }, ${JSON.stringify(at('worker.pt')).replace(/"/g, "'")}); process.exit(0)\`, { eval: true });
    w.on('exit', () => console.log('worker gone'));
    w.on('error', (e) => console.log(e));`;
  const { status, signal, out } = runCode(code);
  expect([status, signal, out]).toEqual([0, null, 'worker gone']);
  expect(torch.load<{ t: Tensor }>(at('last.pt')).t.numel()).toBe(3_000_000);
});
