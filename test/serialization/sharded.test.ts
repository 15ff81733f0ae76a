// Checkpoints spread over several files with a JSON index, and single tensors of safetensors files.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import torch, { type Tensor } from 'flambeau';
import { fixture } from './match';

const { safetensors, loadSharded } = torch;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-sharded-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

let made = 0;
/** A fresh folder with some files in it. */
function folderWith(files: Record<string, string | Uint8Array | object>): string {
  const into = path.join(folder, String(made++));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(into, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    fs.writeFileSync(file, raw ? content : JSON.stringify(content));
  }
  return into;
}

const a = torch.arange(6).float().view(2, 3);
const b = torch.ones(4).mul(0.5);
const c = torch.tensor([1, 2, 3], { dtype: torch.int64 });
const bytes = (tensors: Record<string, Tensor>): Record<'safetensors' | 'bin', Uint8Array> => ({
  safetensors: safetensors.save(tensors, { format: 'pt' }),
  bin: torch.serialization.saveToBytes(tensors),
});
const indexOf = (ending: string): object => ({
  metadata: { total_size: 64 },
  weight_map: { b: `m-00002-of-00002.${ending}`, a: `m-00001-of-00002.${ending}`, c: `m-00001-of-00002.${ending}` },
});
const NAMES = { safetensors: 'model.safetensors.index.json', bin: 'pytorch_model.bin.index.json' } as const;
const sound = (kind: 'safetensors' | 'bin', changes: Record<string, string | Uint8Array | object> = {}): string =>
  folderWith({
    [NAMES[kind]]: indexOf(kind),
    [`m-00001-of-00002.${kind}`]: bytes({ a, c })[kind],
    [`m-00002-of-00002.${kind}`]: bytes({ b })[kind],
    ...changes,
  });
const asLists = (tensors: Record<string, Tensor>): [string, unknown][] =>
  Object.entries(tensors).map(([name, t]) => [name, t.tolist()]);

describe.each(['safetensors', 'bin'] as const)('shards of %s', (kind) => {
  test.each([false, true])('are loaded in the order of the index (mmap: %s)', (mmap) => {
    const into = sound(kind);
    const expected = [
      ['b', b.tolist()],
      ['a', a.tolist()],
      ['c', [1, 2, 3]],
    ];
    expect(asLists(loadSharded(into, { mmap }))).toEqual(expected);
    expect(asLists(loadSharded(path.join(into, NAMES[kind]), { mmap }))).toEqual(expected);
    expect(asLists(loadSharded(pathToFileURL(into), { mmap }))).toEqual(expected);
  });

  test('that are not wanted are not opened', () => {
    const into = sound(kind, { [`m-00001-of-00002.${kind}`]: 'not a checkpoint' });
    expect(asLists(loadSharded(into, { keys: ['b'] }))).toEqual([['b', b.tolist()]]);
    expect(asLists(loadSharded(into, { keys: new Set(['b']), mmap: true }))).toEqual([['b', b.tolist()]]);
    expect(asLists(loadSharded(into, { keys: (name) => name > 'a' && name < 'c' }))).toEqual([['b', b.tolist()]]);
    expect(loadSharded(into, { keys: () => false })).toEqual({});
    expect(() => loadSharded(into)).toThrow(torch.RuntimeError);
  });

  test('part of one can be wanted', () => {
    expect(Object.keys(loadSharded(sound(kind), { keys: ['c', 'b'] }))).toEqual(['b', 'c']);
    expect(() => loadSharded(sound(kind), { keys: ['c', 'd', 'e'] })).toThrow(/holds no tensor called 'd', 'e'/);
  });

  test('that are missing are all named', () => {
    const into = folderWith({ [NAMES[kind]]: indexOf(kind) });
    expect(() => loadSharded(into)).toThrow(
      `names files that are missing: 'm-00002-of-00002.${kind}', 'm-00001-of-00002.${kind}'`,
    );
  });

  test('must hold what the index says, no less and no more', () => {
    const less = sound(kind, { [`m-00001-of-00002.${kind}`]: bytes({ a })[kind] });
    expect(() => loadSharded(less)).toThrow(/lacks what .* says it holds: 'c'/);
    const more = sound(kind, { [`m-00002-of-00002.${kind}`]: bytes({ b, a })[kind] });
    expect(() => loadSharded(more)).toThrow(/holds what .* does not say: 'a'/);
  });
});

test('a single file is a checkpoint too', () => {
  const into = folderWith({ 'model.safetensors': bytes({ a, b }).safetensors });
  expect(asLists(loadSharded(into))).toEqual(asLists({ a, b }));
  expect(asLists(loadSharded(path.join(into, 'model.safetensors'), { keys: ['a'] }))).toEqual(asLists({ a }));
  expect(() => loadSharded(into, { keys: ['x'] })).toThrow(/no tensor called 'x'/);
  const plain = folderWith({ 'pytorch_model.bin': bytes({ a }).bin });
  expect(asLists(loadSharded(plain, { mapLocation: 'cpu' }))).toEqual(asLists({ a }));
  const other = folderWith({ 'weights.index.json': { weight_map: { a: 'x/y.bin' } }, 'x/y.bin': bytes({ a }).bin });
  expect(asLists(loadSharded(other))).toEqual(asLists({ a }));
});

test('a state dict with its metadata is one', () => {
  const model = new torch.nn.Linear(2, 1);
  const into = folderWith({ 'pytorch_model.bin': torch.serialization.saveToBytes(model.stateDict()) });
  expect(asLists(loadSharded(into))).toEqual([
    ['weight', model.weight.tolist()],
    ['bias', model.bias!.tolist()],
  ]);
});

test.each([
  ['../outside.bin'],
  ['/etc/passwd'],
  ['x/../../y.bin'],
  ['./y.bin'],
  ['x//y.bin'],
  ['..\\y.bin'],
  ['y.bin\0.json'],
  [''],
])('an index that names %j leads out of its folder', (name) => {
  const into = folderWith({ [NAMES.bin]: { weight_map: { a: name } } });
  expect(() => loadSharded(into)).toThrow(/names a file outside its folder/);
});

test.each([
  ['no JSON', '{', /not valid JSON/],
  ['a name twice', '{"weight_map":{"a":"x.bin","a":"y.bin"}}', /names 'a' twice/],
  ['no weight_map', '{"metadata":{}}', /has no object 'weight_map'/],
  ['a list', '[]', /has no object 'weight_map'/],
  ['a number for a file', '{"weight_map":{"a":1}}', /names no file for 'a'/],
  ['nesting without end', `{"weight_map":${'['.repeat(100_000)}`, /nested too deeply/],
  ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0xfe), /not UTF-8/],
])('an index with %s is refused', (_, content, message) => {
  const into = folderWith({ [NAMES.bin]: content });
  expect(() => loadSharded(into)).toThrow(message);
  expect(() => loadSharded(into)).toThrow(torch.RuntimeError);
});

test('keys are only keys', () => {
  const tensors = JSON.parse('{"__proto__":0,"constructor":0}') as Record<string, unknown>;
  const values = new Map(Object.keys(tensors).map((name) => [name, a]));
  const into = folderWith({
    [NAMES.bin]: '{"weight_map":{"__proto__":"x.bin","constructor":"x.bin"}}',
    'x.bin': torch.serialization.saveToBytes(values),
  });
  const found = loadSharded(into);
  expect(Object.keys(found)).toEqual(['__proto__', 'constructor']);
  expect(Object.hasOwn({}, 'tolist') || 'tolist' in {}).toBe(false);
});

test('a folder without a checkpoint, or with several, says so', () => {
  expect(() => loadSharded(folderWith({ 'x.txt': '' }))).toThrow(/holds no checkpoint/);
  const two = folderWith({ 'a.index.json': '{}', 'b.index.json': '{}' });
  expect(() => loadSharded(two)).toThrow(/several checkpoints, name the index of one: a.index.json, b.index.json/);
  expect(() => loadSharded(path.join(folder, 'nothing'))).toThrow(/ENOENT/);
});

test('wrong arguments and files of other kinds are named', () => {
  const into = sound('bin');
  expect(() => loadSharded(5 as unknown as string)).toThrow(TypeError);
  expect(() => loadSharded(into, { key: [] } as object)).toThrow(/unexpected keyword argument 'key'/);
  expect(() => loadSharded(into, { keys: 'a' })).toThrow(/'keys' must be names or a function/);
  expect(() => loadSharded(into, { mmap: 1 } as object)).toThrow(/'mmap' must be bool/);
  const list = folderWith({ 'pytorch_model.bin': torch.serialization.saveToBytes([a]) });
  expect(() => loadSharded(list)).toThrow(/holds no state dict/);
  const nested = folderWith({ 'pytorch_model.bin': torch.serialization.saveToBytes({ model: { a } }) });
  expect(() => loadSharded(nested)).toThrow(/is no state dict: 'model'/);
});

describe('safetensors.safeOpen', () => {
  const file = path.join(folder, 'open.safetensors');
  beforeAll(() => safetensors.saveFile({ c, a, b, none: torch.zeros(0, 3) }, file, { format: 'pt' }));

  test.each([false, true])('reads one tensor at a time (mmap: %s)', (mmap) => {
    const open = safetensors.safeOpen(file, { mmap });
    expect(open.keys()).toEqual(['a', 'b', 'c', 'none']);
    expect(open.offsetKeys()).toEqual(['c', 'a', 'b', 'none']);
    expect(open.metadata()).toEqual({ format: 'pt' });
    expect(open.getTensor('c').tolist()).toEqual([1, 2, 3]);
    expect(open.getTensor('none').shape).toEqual([0, 3]);
    const slice = open.getSlice('a');
    expect([slice.getShape(), slice.getDtype()]).toEqual([[2, 3], 'F32']);
    expect(slice.index(torch.slice(null, null), 1).tolist()).toEqual([1, 4]);
    const kept = open.getTensor('a');
    kept.add_(1);
    // The tensors of one mapping share its memory.
    expect(open.getTensor('a').tolist()).toEqual((mmap ? kept : a).tolist());
    expect(() => open.getTensor('x')).toThrow(/File does not contain tensor x/);
    open.close();
    open.close();
    expect(kept.tolist()).toEqual(a.add(1).tolist());
    expect(() => open.getTensor('a')).toThrow(/has been closed/);
    expect(() => slice.index(0)).toThrow(/has been closed/);
  });

  test.each([false, true])('reads the rows that an index asks for (mmap: %s)', (mmap) => {
    const rows = path.join(folder, 'rows.safetensors');
    const t = torch.arange(24).reshape(6, 2, 2);
    safetensors.saveFile({ t, single: torch.tensor([5, 6]), scalar: torch.tensor(3) }, rows);
    using open = safetensors.safeOpen(rows, { mmap });
    const slice = open.getSlice('t');
    const s = torch.slice;
    for (const index of [
      [2],
      [-1],
      [s(1, 4)],
      [s(null, null, 2)],
      [s(-3, null), 1],
      [s(4, 2)],
      [s(3, 99), '...', 0],
      [s(1, 6, 3), s(0, 1)],
      [1, null, s(0, 1)],
      ['...', 1],
      [null, 2],
      [torch.tensor([4n, 0n])],
      [],
    ] as unknown as Parameters<Tensor['index']>[]) {
      expect([index, slice.index(...index).tolist()]).toEqual([index, t.index(...index).tolist()]);
    }
    for (const outside of [6, -7]) expect(() => slice.index(outside)).toThrow(RangeError);
    expect(() => slice.index(0.5)).toThrow();
    expect(() => open.getSlice('scalar').index(0)).toThrow();
    expect(open.getSlice('single').index(1).item()).toBe(6);
    // Two rows of eight, in memory of their own; a mapping is the whole file.
    if (!mmap) expect(slice.index(s(3, 5)).storage().nbytes()).toBe(2 * 4 * 8);
  });

  test('takes bytes, and the arguments of the reference implementation', () => {
    expect(safetensors.safeOpen(fs.readFileSync(file)).getTensor('b').tolist()).toEqual(b.tolist());
    expect(safetensors.safeOpen(file, 'pt', 'cpu').getTensor('b').tolist()).toEqual(b.tolist());
    expect(() => safetensors.safeOpen(file, 'np')).toThrow(/'framework' must be 'pt'/);
    expect(() => safetensors.safeOpen(fs.readFileSync(file), { mmap: true })).toThrow(/must be a file path/);
    expect(() => safetensors.safeOpen(file, { map: true } as object)).toThrow(/unexpected keyword argument 'map'/);
    expect(() => safetensors.safeOpen(fixture('dtypes.pt'))).toThrow(torch.RuntimeError);
  });

  test('knows tensors of types that cannot be read', () => {
    const open = safetensors.safeOpen(fixture('unsigned.safetensors'));
    const [name] = open.keys();
    expect(() => open.getTensor(name!)).toThrow(/torch.uint16, which is not supported/);
    open.close();
  });

  test('a mapped file that is not aligned is read', () => {
    const name = path.join(folder, 'odd.safetensors');
    const header = '{"x":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}} ';
    const bytes = Buffer.alloc(8 + header.length + 8);
    bytes.writeBigUInt64LE(BigInt(header.length), 0);
    bytes.write(header, 8);
    bytes.writeDoubleLE(2.5, 8 + header.length);
    expect((8 + header.length) % 8).not.toBe(0);
    fs.writeFileSync(name, bytes);
    expect(safetensors.loadFile(name, { mmap: true })['x']!.tolist()).toEqual([2.5]);
  });
});

describe('saveSharded', () => {
  const { saveSharded } = torch;
  const fresh = (): string => path.join(folder, String(made++), 'nested');
  const state = { 'x.weight': torch.arange(100).float(), 'a.bias': torch.ones(10), 'x.bias': torch.zeros(100).half() };
  const names = (paths: string[]): string[] => paths.map((file) => path.basename(file));

  test.each([
    ['safetensors', 'model', 'safetensors'],
    ['pytorch', 'pytorch_model', 'bin'],
  ] as const)('%s: what it writes is what loads', (format, name, ending) => {
    const into = fresh();
    expect(names(saveSharded(state, into, { format }))).toEqual([`${name}.${ending}`]);
    expect(asLists(loadSharded(into)).sort()).toEqual(asLists(state).sort());
    const files = names(saveSharded(state, into, { format, maxShardSize: 440 }));
    const shards = [1, 2].map((n) => `${name}-0000${n}-of-00002.${ending}`);
    expect(files).toEqual([...shards, `${name}.${ending}.index.json`]);
    // The file of the checkpoint before is gone.
    expect(fs.readdirSync(into).sort()).toEqual([...files].sort());
    expect(JSON.parse(fs.readFileSync(path.join(into, files[2]!), 'utf8'))).toEqual({
      metadata: { total_size: 640 },
      weight_map: { 'x.weight': shards[0], 'a.bias': shards[0], 'x.bias': shards[1] },
    });
    expect(asLists(loadSharded(into, { mmap: true }))).toEqual(asLists(state));
  });

  test('a tensor larger than the limit has a file of its own; an empty dict has one file', () => {
    const into = fresh();
    expect(names(saveSharded(state, into, { maxShardSize: 1, name: 'm' }))).toHaveLength(4);
    expect(asLists(loadSharded(path.join(into, 'm.safetensors.index.json')))).toEqual(asLists(state));
    expect(names(saveSharded({}, into))).toEqual(['model.safetensors']);
    expect(loadSharded(path.join(into, 'model.safetensors'))).toEqual({});
  });

  test('sizes are numbers or texts', () => {
    const count = (maxShardSize: number | string): number => saveSharded(state, fresh(), { maxShardSize }).length;
    expect([count('0.44KB'), count('440 B'), count('1KiB'), count('5GB'), count(Infinity)]).toEqual([3, 3, 1, 1, 1]);
    for (const wrong of ['5', 'GB', '-1GB', '5gb', 0, NaN, null]) {
      expect(() => count(wrong as number)).toThrow(TypeError);
    }
  });

  test('tensors that share a storage share it again in files of torch.save, and are whole in safetensors files', () => {
    const base = torch.arange(100).float();
    const tied = { first: base, other: torch.ones(100), again: base, part: base.narrow(0, 50, 10) };
    const into = fresh();
    saveSharded(tied, into, { format: 'pytorch', maxShardSize: 500 });
    const found = loadSharded(into);
    expect(asLists(found)).toEqual(asLists(tied));
    found['first']!.fill_(7);
    expect([found['again']!.sum().item(), found['part']!.sum().item()]).toEqual([700, 70]);
    const other = fresh();
    saveSharded(tied, other, { maxShardSize: 500 });
    expect(asLists(loadSharded(other))).toEqual(asLists(tied));
  });

  test('metadata go into the index and the headers; keys are only keys', () => {
    const into = fresh();
    const odd = new Map([
      ['__proto__', torch.ones(2)],
      ['7', torch.zeros(2)],
      ['x', torch.ones(1)],
    ]);
    const [first, , , index] = saveSharded(odd, into, { maxShardSize: 8, metadata: { license: 'none' } });
    expect(safetensors.loadMetadata(first!)).toEqual({ format: 'pt', license: 'none' });
    const text = fs.readFileSync(index!, 'utf8');
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['metadata', 'weight_map']);
    expect(text).toContain('"license": "none"');
    expect(asLists(loadSharded(into))).toHaveLength(3);
    expect(Object.hasOwn(loadSharded(into), '__proto__')).toBe(true);
  });

  test('an error leaves the old checkpoint as it was', () => {
    const into = fresh();
    saveSharded(state, into, { maxShardSize: 440 });
    const before = fs.readdirSync(into).map((file) => [file, fs.readFileSync(path.join(into, file)).toString('hex')]);
    const bad = { a: torch.ones(200), z: torch.zeros(2, { dtype: torch.complex128 }) };
    expect(() => saveSharded(bad, into, { maxShardSize: 440 })).toThrow(/torch.complex128/);
    expect(fs.readdirSync(into).map((file) => [file, fs.readFileSync(path.join(into, file)).toString('hex')])).toEqual(
      before,
    );
  });

  test('wrong arguments are named', () => {
    expect(() => saveSharded({ a: 1 as unknown as Tensor }, fresh())).toThrow(/'a' is not a Tensor but number/);
    expect(() => saveSharded(state, fresh(), { format: 'zip' as 'pytorch' })).toThrow(/'format' must be/);
    expect(() => saveSharded(state, fresh(), { name: '../x' })).toThrow(/'name'/);
    expect(() => saveSharded(state, fresh(), { metadata: { n: 1 as unknown as string } })).toThrow(/metadata 'n'/);
    expect(() => saveSharded(state, fresh(), { size: 1 } as object)).toThrow(/unexpected keyword argument 'size'/);
    expect(() => saveSharded(state, 5 as unknown as string)).toThrow(/'folder' must be a path/);
  });
});
