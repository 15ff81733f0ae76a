// Zip archives made by hand.
import zlib from 'node:zlib';

/** A stored zip entry after another, and the directory. */
export function zip(entries: [string, Uint8Array][], method = 0): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of entries) {
    const packed = method === 8 ? zlib.deflateRawSync(content) : Buffer.from(content);
    const fixed = Buffer.alloc(30);
    fixed.writeUInt32LE(0x04034b50, 0);
    fixed.writeUInt16LE(method, 8);
    fixed.writeUInt32LE(crc(content), 14);
    fixed.writeUInt32LE(packed.length, 18);
    fixed.writeUInt32LE(content.length, 22);
    fixed.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    fixed.copy(entry, 6, 4, 30);
    entry.writeUInt32LE(at, 42);
    parts.push(fixed, Buffer.from(name), packed);
    directory.push(Buffer.concat([entry, Buffer.from(name)]));
    at += 30 + name.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

export function crc(bytes: Uint8Array): number {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return ~c >>> 0;
}

/** The stored entries of an archive that this library or PyTorch wrote. */
export function entriesOf(archive: Buffer): [string, Buffer][] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries: [string, Buffer][] = [];
  for (let at = archive.readUInt32LE(end + 16); archive.readUInt32LE(at) === 0x02014b50; ) {
    const [size, name, extra, comment] = [
      archive.readUInt32LE(at + 24),
      ...[28, 30, 32].map((o) => archive.readUInt16LE(at + o)),
    ] as [number, number, number, number];
    const header = archive.readUInt32LE(at + 42);
    const data = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
    entries.push([archive.toString('utf8', at + 46, at + 46 + name), archive.subarray(data, data + size)]);
    at += 46 + name + extra + comment;
  }
  return entries;
}
