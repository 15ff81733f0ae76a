// Tensors on the pages of a file: the same values as when read, private to the process, alive as long as they are used.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import torch, { type Tensor } from 'flambeau';
import { runCode } from '../native/process';
import { entriesOf, zip } from './archive';
import { cases, fixture, Matcher, storageOf } from './match';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-mmap-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

const zipped = cases.filter(
  ({ file, content }) => content !== undefined && fs.readFileSync(fixture(file)).toString('latin1', 0, 2) === 'PK',
);
const loadable = zipped.filter(({ file }) => file.endsWith('.pt'));

test.each(loadable.map((c) => [c.file, c] as const))('%s mapped is %s read', (file, { content, geometry }) => {
  new Matcher(geometry).match(torch.load(fixture(file), { mmap: true }), content!);
});

test('storages that are not aligned to their elements are read', () => {
  const { content, geometry } = cases.find(({ file }) => file === 'dtypes.pt')!;
  // Without the padding between entries every storage starts at an odd place.
  fs.writeFileSync(at('packed.pt'), zip(entriesOf(fs.readFileSync(fixture('dtypes.pt')))));
  new Matcher(geometry).match(torch.load(at('packed.pt'), { mmap: true }), content!);
});

test('a change in place stays in memory, and is seen by tensors that share it', () => {
  const w = torch.arange(6).float();
  torch.save({ w, row: w.view(2, 3).select(0, 1) }, at('private.pt'));
  const before = fs.readFileSync(at('private.pt'));
  const first = torch.load<{ w: Tensor; row: Tensor }>(at('private.pt'), { mmap: true });
  const second = torch.load<{ w: Tensor }>(at('private.pt'), { mmap: true });
  first.w.mul_(10);
  expect(first.row.tolist()).toEqual([30, 40, 50]);
  expect(storageOf(first.row)).toBe(storageOf(first.w));
  expect(second.w.tolist()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(fs.readFileSync(at('private.pt')).equals(before)).toBe(true);
});

test('tensors outlive the file, its replacement and one another', () => {
  torch.save({ a: torch.arange(1000), b: torch.ones(1000) }, at('gone.pt'));
  const kept = torch.load<{ a: Tensor; b: Tensor }>(at('gone.pt'), { mmap: true });
  torch.save({ a: kept.a.add(1), b: kept.b }, at('gone.pt'));
  const next = torch.load<{ a: Tensor; b: Tensor }>(at('gone.pt'), { mmap: true });
  fs.rmSync(at('gone.pt'));
  kept.b.dispose();
  torch.memoryStats(true);
  expect(kept.a.sum().item()).toBe(499500);
  expect(next.a.sum().item()).toBe(500500);
  expect(next.b.sum().item()).toBe(1000);
});

test('mapped memory does not count as taken', () => {
  torch.save(torch.zeros(1 << 20), at('large.pt'));
  const before = torch.memoryStats(true).bytes;
  const t = torch.load<Tensor>(at('large.pt'), { mmap: true });
  expect(torch.memoryStats().bytes - before).toBeLessThan(1 << 16);
  expect(t.numel()).toBe(1 << 20);
});

test('mapLocation is asked as when reading', () => {
  const seen: string[] = [];
  const mapLocation = (storage: Tensor, location: string): Tensor => {
    seen.push(location);
    return storage.clone();
  };
  const value = torch.load<Map<string, Tensor>>(fixture('state_dict.pt'), { mmap: true, mapLocation });
  expect([value.size, seen.length]).toEqual([9, 9]);
});

test("a file URL is a path; bytes and the formats before zip archives are refused in PyTorch's words", () => {
  const scalar = torch.load<Tensor>(fixture('top_level_scalar.pt'));
  expect(torch.load<Tensor>(pathToFileURL(fixture('top_level_scalar.pt')), { mmap: true }).item()).toBe(scalar.item());
  expect(() => torch.load(fs.readFileSync(fixture('dtypes.pt')), { mmap: true })).toThrow(
    new TypeError("load(): argument 'file' must be a file path in order to use the mmap argument"),
  );
  for (const file of ['dtypes_legacy.pt', 'first_versions.tar.pt']) {
    expect(() => torch.load(fixture(file), { mmap: true })).toThrow(/mmap can only be used with files saved with/);
    expect(() => torch.load(fixture(file), { mmap: true })).toThrow(torch.RuntimeError);
  }
});

describe('a file that is cut short while it is mapped', () => {
  const run = (use: string): string[] => {
    torch.save({ w: torch.ones(1 << 20) }, at('cut.pt'));
    const code = `
      const t = torch();
      const { w } = t.load(${JSON.stringify(at('cut.pt'))}, { mmap: true });
      const say = (f) => { try { console.log(f()); } catch (e) { console.log(e instanceof t.RuntimeError, e.message); } };
      say(() => w.narrow(0, 0, 100).sum().item());
      require('fs').truncateSync(${JSON.stringify(at('cut.pt'))}, 5000);
      ${use}`;
    const { status, signal, out } = runCode(code);
    expect([status, signal]).toEqual([0, null]);
    return out.split('\n');
  };
  const lost = 'true a file that tensors are mapped to was cut short or cannot be read any more: data are lost';

  test.each([
    ['an op', 'w.sum().item()'],
    ['an op in place', 'w.add_(1).numel()'],
    ['a copy to JavaScript', 'w.toTypedArray().length'],
  ])('%s throws, and the process goes on', (_, use) => {
    expect(run(`say(() => ${use}); say(() => t.ones(3).sum().item());`)).toEqual(['100', lost, '3']);
  });

  test('whichever thread comes upon the end first', () => {
    // Twenty files, because the order of the threads is the system's.
    const copies = `Array.from({ length: 20 }, (_, i) => ${JSON.stringify(at('cut'))} + i + '.pt')`;
    const out = run(`
      t.setNumThreads(4);
      for (const file of ${copies}) {
        t.save({ w: t.ones(1 << 20) }, file);
        const v = t.load(file, { mmap: true }).w;
        require('fs').truncateSync(file, 5000);
        say(() => v.add_(1).numel());
      }`);
    expect(out.slice(1)).toEqual(Array(20).fill(lost));
  });

  test('saving throws and leaves no file', () => {
    const target = JSON.stringify(at('copy.pt'));
    const out = run(`say(() => t.save({ w }, ${target})); say(() => require('fs').existsSync(${target}));`);
    expect(out).toEqual(['100', lost, 'false']);
  });
});
