// What torch.save writes: read again here, and by PyTorch where a Python with it is at hand (FLAMBEAU_PYTHON).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import torch, { nn, type Tensor } from 'flambeau';
import { cases, elements, fixture, Matcher, storageOf } from './match';

const { serialization } = torch;
const again = <T>(value: T): T => torch.load<T>(serialization.saveToBytes(value));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-save-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const readable = cases.filter(({ file, content }) => file.endsWith('.pt') && content !== undefined);

test.each(readable.map((c) => [c.file, c] as const))(
  '%s is the same after saving it again',
  (file, { content, geometry }) => {
    new Matcher(geometry).match(again(torch.load(fixture(file))), content!);
  },
);

test.each([3, 4, 5])('pickle protocol %d keeps every value', (pickleProtocol) => {
  for (const { file, content, geometry } of readable) {
    const bytes = serialization.saveToBytes(torch.load(fixture(file)), { pickleProtocol });
    new Matcher(geometry).match(torch.load(bytes), content!);
  }
});

test('the legacy format keeps every value but tensors of newer types', () => {
  for (const { file, content, geometry } of readable) {
    const save = (): Uint8Array =>
      serialization.saveToBytes(torch.load(fixture(file)), { _useNewZipfileSerialization: false });
    if (file === 'element_types.pt') expect(save).toThrow(/legacy format has no tensors of type torch.uint16/);
    else new Matcher(geometry).match(torch.load(save()), content!);
  }
  const shared = torch.zeros(4);
  expect(() => serialization.saveToBytes([shared, shared.view(torch.int32)], { zip: false })).toThrow(
    'Cannot save multiple tensors or storages that view the same data as different types',
  );
});

test('wrong options are named', () => {
  const save = (options: object) => () => serialization.saveToBytes(1, options);
  expect(save({ pickleProtokol: 2 })).toThrow(
    new TypeError("saveToBytes() got an unexpected keyword argument 'pickleProtokol'"),
  );
  expect(save({ pickleProtocol: 1 })).toThrow(RangeError);
  expect(save({ pickleProtocol: 6 })).toThrow(/pickle protocol must be 2, 3, 4 or 5, not 6/);
  expect(save({ pickleProtocol: '2' })).toThrow(TypeError);
  expect(save({ zip: 1 })).toThrow(TypeError);
  expect(save({ zip: true, _useNewZipfileSerialization: false })).toThrow(/contradict/);
});

test('JavaScript values keep their kind', () => {
  const value = {
    array: [1, 2.5, -0, 2 ** 40, true, null, 'text', 10n, 2n ** 70n, -(2n ** 63n)],
    tuple: torch.Tuple.of<unknown>(1, torch.Tuple.of('a')),
    map: new Map<unknown, unknown>([
      [1, 'one'],
      ['k', new Map()],
    ]),
    set: new Set([1, 'a']),
    bytes: Uint8Array.of(0, 128, 255),
    size: torch.Size.from([2, 3]),
    dtype: torch.bfloat16,
    device: torch.device('cuda', 2),
  };
  const found = again(value);
  expect(found.array).toEqual([1, 2.5, -0, 2 ** 40, true, null, 'text', 10, 2n ** 70n, -(2n ** 63n)]);
  expect(found.tuple).toBeInstanceOf(torch.Tuple);
  expect(found.tuple[1]).toBeInstanceOf(torch.Tuple);
  expect([...found.map.keys()]).toEqual([1, 'k']);
  expect([...found.set]).toEqual([1, 'a']);
  expect([...found.bytes]).toEqual([0, 128, 255]);
  expect(found.size).toBeInstanceOf(torch.Size);
  expect(found.dtype).toBe(torch.bfloat16);
  expect(String(found.device)).toBe('cuda:2');
});

test('a state dict keeps its order and metadata', () => {
  const dict = new torch.StateDict<Tensor>([
    ['b', torch.tensor([1, 2])],
    ['1', torch.tensor(3)],
    ['a', torch.zeros(0)],
  ]);
  dict._metadata = new Map([['', { version: 1 }]]);
  const found = again(dict);
  expect(found).toBeInstanceOf(torch.StateDict);
  expect([...found.keys()]).toEqual(['b', '1', 'a']);
  expect(found._metadata?.get('')).toEqual({ version: 1 });
  expect(found._metadata).toBeInstanceOf(torch.StateDict);
});

test('views share memory again, and storages are saved once', () => {
  const base = torch.arange(1000).view(10, 100);
  const saved = { base, column: base.narrow(1, 5, 1), transposed: base.t(), base2: base };
  const bytes = serialization.saveToBytes(saved);
  expect(bytes.length).toBeLessThan(8000 + 4000);
  const found = torch.load<typeof saved>(bytes);
  expect(found.base2).toBe(found.base);
  expect(storageOf(found.column)).toBe(storageOf(found.base));
  expect(found.column.stride()).toEqual([100, 1]);
  expect(found.column.storageOffset()).toBe(5);
  expect(found.transposed.stride()).toEqual([1, 100]);
  expect(elements(found.transposed)).toBe(elements(base.t()));
});

test('parameters and leaves keep what they are', () => {
  const weight = new nn.Parameter(torch.tensor([1, 2]));
  const frozen = new nn.Parameter(torch.tensor([3]), false);
  const leaf = torch.tensor([4]).requiresGrad_(true);
  const found = again([weight, frozen, leaf, weight]);
  expect(found.map((t) => [t instanceof nn.Parameter, t.requiresGrad])).toEqual([
    [true, true],
    [true, false],
    [false, true],
    [true, true],
  ]);
  expect(found[3]).toBe(found[0]);
});

test.each([true, false])('tensors of the device meta keep sizes, strides and type (zip %p)', (zip) => {
  const { t, p } = torch.load<{ t: Tensor; p: Tensor }>(
    serialization.saveToBytes(
      {
        t: torch.empty([2, 3], { device: 'meta', dtype: torch.int16 }).t(),
        p: new nn.Parameter(torch.empty([2], { device: 'meta' })),
      },
      { zip },
    ),
  );
  expect([t.isMeta, t.shape, t.stride(), t.dtype, t.requiresGrad]).toEqual([true, [3, 2], [1, 3], torch.int16, false]);
  expect([p instanceof nn.Parameter, p.isMeta, p.requiresGrad]).toEqual([true, true, true]);
});

test('cycles and shared containers survive', () => {
  const list: unknown[] = [];
  const tuple = torch.Tuple.of<unknown>(1, list);
  const value: Record<string, unknown> = { list, tuple };
  list.push(value, list, tuple);
  const found = again(value) as { list: unknown[]; tuple: unknown[] };
  expect(found.list[0]).toBe(found);
  expect(found.list[1]).toBe(found.list);
  expect(found.list[2]).toBe(found.tuple);
  expect(found.tuple[1]).toBe(found.list);
});

test('long lists, dicts and nested values', () => {
  const long = Array.from({ length: 2500 }, (_, i) => i * 1000);
  expect(again(long)).toEqual(long);
  const object = Object.fromEntries(long.map((n) => [`k${n}`, n]));
  expect(again(object)).toEqual(object);
  let deep: unknown = 'bottom';
  for (let i = 0; i < 900; i++) deep = [deep];
  let found: unknown = again(deep);
  for (let i = 0; i < 900; i++) found = (found as unknown[])[0];
  expect(found).toBe('bottom');
  for (let i = 0; i < 200; i++) deep = [deep];
  expect(() => serialization.saveToBytes(deep)).toThrow(/nested more than 1000 deep/);
  const own = torch.Tuple.of<unknown>(1);
  own.push(own);
  expect(() => serialization.saveToBytes(own)).toThrow(/contains itself/);
});

test('a value without a Python form is named with its place', () => {
  class Config {}
  const bad: [unknown, RegExp][] = [
    [{ model: { f: () => 1 } }, /cannot save the function f \(at model.f\)/],
    [[1, undefined], /undefined, which has no form in Python; use null \(at 1\)/],
    [{ config: new Config() }, /an object of class Config.*addSafeGlobals \(at config\)/],
    [{ data: new Float32Array(2) }, /an object of class Float32Array; make it a tensor/],
    [new Map([['date', new Date()]]), /an object of class Date/],
    [Symbol('s'), /Symbol/],
  ];
  for (const [value, message] of bad) {
    expect(() => serialization.saveToBytes(value)).toThrow(TypeError);
    expect(() => serialization.saveToBytes(value)).toThrow(message);
  }
});

test('equal values give equal files', () => {
  const make = (): unknown => ({ w: torch.arange(5), epoch: 3 });
  expect(Buffer.compare(serialization.saveToBytes(make()), serialization.saveToBytes(make()))).toBe(0);
});

test('every record starts at a multiple of 64 bytes', () => {
  const bytes = Buffer.from(serialization.saveToBytes({ a: torch.arange(7), b: torch.zeros(3) }));
  let starts = 0;
  for (let at = bytes.indexOf('PK\x03\x04'); at !== -1; at = bytes.indexOf('PK\x03\x04', at + 1)) {
    expect((at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28)) % 64).toBe(0);
    starts++;
  }
  expect(starts).toBe(8);
});

describe('the file on the disk', () => {
  test('replaces an old one as a whole, or not at all', () => {
    const file = path.join(folder, 'model.v1.pt');
    torch.save({ version: 1 }, file);
    fs.chmodSync(file, 0o640);
    torch.save({ version: 2 }, file);
    expect(torch.load(file)).toEqual({ version: 2 });
    expect(fs.statSync(file).mode & 0o777).toBe(0o640);
    expect(() => torch.save({ version: 3, bad: () => 0 }, file)).toThrow(TypeError);
    expect(torch.load(file)).toEqual({ version: 2 });
    expect(fs.readdirSync(folder)).toEqual(['model.v1.pt']);
    expect(fs.readFileSync(file).includes('model.v1/data.pkl')).toBe(true);
  });

  test('a link is followed, and a file URL taken', () => {
    const target = path.join(folder, 'target.pt');
    const link = path.join(folder, 'link.pt');
    torch.save(1, target);
    fs.symlinkSync(target, link);
    torch.save(2, new URL(`file://${link}`));
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(torch.load(target)).toBe(2);
  });

  test('a folder that is not there and a wrong path', () => {
    expect(() => torch.save(1, path.join(folder, 'none', 'file.pt'))).toThrow(/ENOENT/);
    expect(() => torch.save(1, folder)).toThrow(/EISDIR/);
    expect(() => torch.save(1, null as unknown as string)).toThrow(TypeError);
  });
});

const python = process.env['FLAMBEAU_PYTHON'];
if (python) {
  const run = (script: string, ...args: string[]): string =>
    execFileSync(python, [path.join(__dirname, script), ...args], { encoding: 'utf8' });

  test('PyTorch reads what we saved in every format, protocol 2 with weights_only, as it reads its own files', () => {
    const legacy = { zip: false, pickleProtocol: 2 };
    const protocols = [2, 3, 4, 5].map((pickleProtocol) => ({ zip: true, pickleProtocol }));
    const triples = [...protocols, legacy, { ...legacy, pickleProtocol: 5 }].flatMap((options, i) =>
      readable
        // PyTorch's legacy format has no tensors of the newer types.
        .filter(({ file }) => options.zip || file !== 'element_types.pt')
        .map(({ file }) => {
          const copy = path.join(folder, `again-${i}-${file}`);
          torch.save(torch.load(fixture(file)), copy, options);
          return [fixture(file), copy, options.pickleProtocol === 2];
        }),
    );
    expect(run('compare_files.py', JSON.stringify(triples)).trim()).toBe(`${triples.length} equal`);
  });

  test('PyTorch reads values that JavaScript made', () => {
    const file = path.join(folder, 'made.pt');
    const base = torch.arange(6);
    const bits = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8], { dtype: torch.uint8 });
    torch.save(
      {
        base,
        rows: base.view(2, 3),
        tuple: torch.Tuple.of<unknown>(1n << 70n, 0.5),
        bits,
        same: new Set([1]),
        meta: torch.empty([2, 3], { device: 'meta' }).t(),
      },
      file,
    );
    expect(run('describe_file.py', file).trim()).toBe(
      "{'base': [0, 1, 2, 3, 4, 5], 'rows': [[0, 1, 2], [3, 4, 5]], 'tuple': (1180591620717411303424, 0.5), " +
        "'bits': [1, 2, 3, 4, 5, 6, 7, 8], 'same': {1}, 'meta': tensor(..., device='meta', size=(3, 2))} shared True",
    );
  });
} else {
  console.warn('FLAMBEAU_PYTHON is not set: PyTorch itself does not read the files of this run');
}
