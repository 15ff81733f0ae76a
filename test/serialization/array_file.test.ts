// Rows of arrays in files, some at a time; and files that are only checked.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import torch, { type Tensor } from 'flambeau';

const { openArray, verifyFile } = torch.serialization;
const fixtures = path.join(__dirname, '..', 'fixtures', 'serialization');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'flambeau-arrays-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, bytes: Uint8Array): string => {
  writeFileSync(path.join(folder, name), bytes);
  return path.join(folder, name);
};

/** The CRC-32 of zip archives, bit by bit. */
function crc(bytes: Uint8Array): number {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return ~c >>> 0;
}

/** A little archive with deflated members, as numpy.savez_compressed writes them. */
function deflatedNpz(members: Record<string, Uint8Array>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(members)) {
    const packed = zlib.deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, rest, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}

async function collect(file: string, name: string | undefined, batch: number, start = 0): Promise<Tensor[]> {
  const array = openArray(file, name);
  try {
    const parts: Tensor[] = [];
    for await (const part of array.rows(batch, start)) parts.push(part);
    return parts;
  } finally {
    array.close();
  }
}

const big = torch.arange(0, 300_000).reshape(1000, 300).to(torch.float32);
/** [what it shows, a file, the array's name, all of its rows] */
const arrays = (): [string, string, string | undefined, Tensor][] => {
  const fixture = (name: string): string => path.join(fixtures, name);
  const npy = (name: string): [string, undefined, Tensor] => [
    fixture(name),
    undefined,
    torch.fromNumpy(readFileSync(fixture(name))),
  ];
  const npz = (name: string, key: string): [string, string, Tensor] => [
    fixture(name),
    key,
    torch.fromNumpy<Record<string, Tensor>>(readFileSync(fixture(name)))[key]!,
  ];
  const columns = big.t().contiguous();
  return [
    ['a .npy file', ...npy('matrix.npy')],
    ['columns', ...npy('column_major.npy')],
    ['big-endian numbers', ...npy('big_endian.npy')],
    ['no rows', write('none.npy', torch.toNumpy(torch.zeros(0, 3))), undefined, torch.zeros(0, 3)],
    ['rows without elements', write('thin.npy', torch.toNumpy(torch.zeros(4, 0))), undefined, torch.zeros(4, 0)],
    ['a stored member', write('a.npz', torch.toNumpy({ x: torch.ones(2), big })), 'big', big],
    ['a deflated member', write('d.npz', deflatedNpz({ 'big.npy': torch.toNumpy(big) })), undefined, big],
    ['many columns', write('c.npy', byColumns(columns)), undefined, big],
    ['a safetensors file', write('s.safetensors', torch.safetensors.save({ big, x: torch.ones(2) })), 'big', big],
    ...Object.keys(torch.fromNumpy<Record<string, Tensor>>(readFileSync(fixture('deflated.npz'))))
      .filter((key) => npz('deflated.npz', key)[2].ndim > 0)
      .map((key): [string, string, string, Tensor] => [`deflated ${key}`, ...npz('deflated.npz', key)]),
  ];
};

/** A .npy file whose elements are stored by columns: those of the transposed tensor by rows. */
function byColumns(t: Tensor): Uint8Array {
  const bytes = Buffer.from(torch.toNumpy(t));
  const text = bytes.toString('latin1', 0, 128);
  const shape = `(${t.shape.join(', ')})`;
  const turned = text
    .replace("'fortran_order': False", "'fortran_order': True ")
    .replace(shape, `(${[...t.shape].reverse().join(', ')})`);
  bytes.write(turned, 'latin1');
  return bytes;
}

describe('openArray', () => {
  test('gives the rows of every kind of file, from any row on, in batches of any size', async () => {
    for (const [what, file, name, wanted] of arrays()) {
      const total = wanted.shape[0]!;
      for (const batch of [1, 3, 64, 5000]) {
        if (batch === 1 && total > 100) continue;
        for (const start of new Set([0, Math.min(2, total), Math.floor(total / 2), total])) {
          const parts = await collect(file, name, batch, start);
          expect([what, batch, start, parts.map((p) => p.shape[0])]).toEqual([
            what,
            batch,
            start,
            Array.from({ length: Math.ceil((total - start) / batch) }, (_, i) =>
              Math.min(batch, total - start - i * batch),
            ),
          ]);
          if (parts.length === 0) continue;
          const all = torch.cat(parts, 0);
          expect([what, all.dtype, all.shape]).toEqual([what, wanted.dtype, [total - start, ...wanted.shape.slice(1)]]);
          expect([what, torch.equal(all, wanted.narrow(0, start, total - start))]).toEqual([what, true]);
        }
      }
    }
  });

  test('gives whole arrays as well', async () => {
    const scalar = write('scalar.npy', torch.toNumpy(torch.tensor(3)));
    const columns = write('f.npz', deflatedNpz({ 'x.npy': byColumns(big.t().contiguous()) }));
    const more: ReturnType<typeof arrays> = [
      ['a single number', scalar, undefined, torch.tensor(3)],
      ['compressed columns', columns, 'x', big],
    ];
    for (const [what, file, name, wanted] of [...arrays(), ...more]) {
      const array = openArray(file, name);
      const t = await array.read();
      array.close();
      expect([what, t.dtype, t.shape, torch.equal(t, wanted)]).toEqual([what, wanted.dtype, wanted.shape, true]);
    }
    await expect(collect(scalar, undefined, 1)).rejects.toThrow('holds a single number, no rows');
    await expect(collect(columns, 'x', 1)).rejects.toThrow('is compressed and stored by columns');
  });

  test('says what it opened', () => {
    const array = openArray(write('a.npz', torch.toNumpy({ x: torch.ones(2, 3), y: torch.ones(1) })), 'x');
    expect([array.name, array.dtype, [...array.shape], array.rowBytes]).toEqual(['x', torch.float32, [2, 3], 12]);
    array.close();
  });

  test('refuses what it cannot read, by name', () => {
    const npz = write('a.npz', torch.toNumpy({ x: torch.ones(2), y: torch.ones(1) }));
    const whole = torch.toNumpy(torch.ones(4, 3));
    for (const [message, file, name] of [
      ['holds several arrays, name one of them: x, y', npz, undefined],
      ["holds no array 'z'; it holds x, y", npz, 'z'],
      ['holds one array, which has no name', write('whole.npy', whole), 'x'],
      ['cut.npy: the .npy file ends early', write('cut.npy', whole.subarray(0, whole.length - 5)), undefined],
      ['are not supported', path.join(fixtures, 'unsigned.npy'), undefined],
      ['is neither a .npy, .npz nor safetensors file', path.join(fixtures, 'checkpoint_legacy.pt'), undefined],
    ] as const) {
      expect(() => openArray(file, name)).toThrow(torch.RuntimeError);
      expect(() => openArray(file, name)).toThrow(message);
    }
    expect(() => openArray(npz, 3 as unknown as string)).toThrow(TypeError);
    expect(() => openArray(path.join(folder, 'nowhere.npy'))).toThrow('ENOENT');
  });

  test('refuses rows that are not there', async () => {
    const file = write('b.npy', torch.toNumpy(torch.ones(4, 3)));
    for (const [batch, start] of [
      [0, 0],
      [1.5, 0],
      [1, 5],
      [1, -1],
    ] as const) {
      await expect(collect(file, undefined, batch, start)).rejects.toThrow(RangeError);
    }
  });

  test('finds damage in an archive by its checksum', async () => {
    const good = { stored: torch.toNumpy({ big }), deflated: deflatedNpz({ 'big.npy': torch.toNumpy(big) }) };
    for (const [name, bytes] of Object.entries(good)) {
      const bad = new Uint8Array(bytes);
      bad[Math.floor(bad.length / 2)]! ^= 1;
      const file = write(`bad-${name}.npz`, bad);
      await expect(collect(file, undefined, 64)).rejects.toThrow(/checksum|cannot be unpacked|does not unpack/);
      await expect(verifyFile(file)).rejects.toThrow(torch.RuntimeError);
    }
  });
});

describe('verifyFile', () => {
  const files = [
    ['checkpoint.pt', 'pytorch', true],
    ['checkpoint_legacy.pt', 'pytorch (legacy)', false],
    ['matrix.npy', 'npy', false],
    ['deflated.npz', 'npz', true],
    ['stored.npz', 'npz', true],
    ['tensors.safetensors', 'safetensors', false],
    ['torchscript.pt', 'torchscript', true],
    ['no_checksums.pt', 'pytorch', false],
  ] as const;

  test.each(files)('%s is whole, and is not when it is cut short', async (name, format, checked) => {
    const bytes = readFileSync(path.join(fixtures, name));
    const report = await verifyFile(path.join(fixtures, name));
    expect([report.format, report.size, report.checksums > 0]).toEqual([format, bytes.length, checked]);
    for (const missing of [1, 7, Math.floor(bytes.length / 2), bytes.length - 1, bytes.length]) {
      await expect(verifyFile(bytes.subarray(0, bytes.length - missing))).rejects.toThrow(torch.RuntimeError);
    }
  });

  test('finds a changed bit in the data where there are checksums', async () => {
    const bytes = new Uint8Array(readFileSync(path.join(fixtures, 'checkpoint.pt')));
    const name = Buffer.from('/data/0');
    const at = Buffer.from(bytes).indexOf(name);
    bytes[at + name.length + 100]! ^= 1;
    await expect(verifyFile(bytes)).rejects.toThrow('checksum');
  });
});
