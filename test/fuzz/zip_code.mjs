// Zip archives as lists of entries, and archives that lie about them.
import zlib from 'node:zlib';

/** CRC-32; zlib has it from Node 20.15 on. */
export function crc32(bytes) {
  if (zlib.crc32) return zlib.crc32(bytes);
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return ~c >>> 0;
}

/** The entries of a sound archive: name, method, unpacked and packed bytes. */
export function readZip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const entries = [];
  for (let at = bytes.readUInt32LE(end + 16); at + 46 <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50; ) {
    const method = bytes.readUInt16LE(at + 10);
    const size = bytes.readUInt32LE(at + 20);
    const [name, extra, comment] = [28, 30, 32].map((o) => bytes.readUInt16LE(at + o));
    const header = bytes.readUInt32LE(at + 42);
    const data = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
    const packed = bytes.subarray(data, data + size);
    entries.push({ name: bytes.subarray(at + 46, at + 46 + name), method, data: method === 8 ? zlib.inflateRawSync(packed) : packed });
    at += 46 + name + extra + comment;
  }
  return entries;
}

/**
 * An archive of entries.
 * @param lie called for every field that is written, with its place and value; what it returns is written instead.
 */
export function writeZip(entries, { align = 0, lie = (_place, value) => value } = {}) {
  const parts = [];
  const directory = [];
  let at = 0;
  const fields = (place, ...list) => {
    const bytes = Buffer.alloc(list.reduce((n, [width]) => n + width, 0));
    let to = 0;
    list.forEach(([width, value], i) => {
      const told = Number(lie(`${place}.${i}`, value));
      const held = BigInt.asUintN(8 * width, BigInt(told));
      if (width === 8) bytes.writeBigUInt64LE(held, to);
      else bytes.writeUIntLE(Number(held), to, width);
      to += width;
    });
    return bytes;
  };
  for (const { name, method, data } of entries) {
    const packed = method === 8 ? zlib.deflateRawSync(data) : data;
    const crc = crc32(data);
    const padding = align ? (align - ((at + 30 + name.length + 4) % align)) % align : 0;
    const extra = align ? Buffer.concat([fields('extra', [2, 0x4246], [2, padding]), Buffer.alloc(padding)]) : Buffer.alloc(0);
    const sizes = [[4, crc], [4, packed.length], [4, data.length], [2, name.length]];
    const local = fields('local', [4, 0x04034b50], [2, 20], [2, 0], [2, method], [4, 0], ...sizes, [2, extra.length]);
    parts.push(local, name, extra, packed);
    directory.push(fields('central', [4, 0x02014b50], [2, 20], [2, 20], [2, 0], [2, method], [4, 0], ...sizes, [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), name);
    at += local.length + name.length + extra.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const count = entries.length;
  const end64 = fields('end64', [4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, list.length], [8, at]);
  const locator = fields('locator', [4, 0x07064b50], [4, 0], [8, at + list.length], [4, 1]);
  const end = fields('end', [4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, list.length], [4, at], [2, 0]);
  return Buffer.concat([...parts, list, end64, locator, end]);
}

const NAMES = ['../data.pkl', '/data.pkl', 'a/../data.pkl', '', 'a', 'a/', 'a/data/0', 'a/data/1', 'a/version', 'a/byteorder', 'a/constants.pkl', 'x.npy', '__proto__.npy', 'a\0/b', 'archive/data.pkl'].map((s) => Buffer.from(s));
const LIES = [0, 1, 2, 8, 12, 0xffff, 0x7fffffff, 0xffffffff, 2 ** 33, 2 ** 53, 2 ** 63];

/** A changed archive: entries renamed, doubled, left out, packed, with other data; or fields that lie. */
export function mutateZip(random, entries, mutateData) {
  const out = entries.map((entry) => ({ ...entry }));
  const lies = new Map();
  for (let n = 1 + random.below(2); n > 0 && out.length > 0; n--) {
    const at = random.below(out.length);
    const entry = out[at];
    switch (random.below(10)) {
      case 0:
        entry.name = random.chance(0.5) ? random.pick(NAMES) : out[random.below(out.length)].name;
        break;
      case 1:
        out.splice(at, 1);
        break;
      case 2:
        out.splice(random.below(out.length + 1), 0, { ...entry });
        break;
      case 3:
        entry.method = random.pick([0, 8, 8, 12, 99]);
        if (entry.method === 8 && random.chance(0.5)) entry.data = Buffer.alloc(random.pick([1 << 16, 1 << 22]));
        break;
      case 4: {
        const place = `${random.pick(['local', 'central', 'central', 'end', 'end64', 'locator', 'extra'])}.${random.below(15)}`;
        const skip = random.below(out.length);
        lies.set(place, { value: random.pick(LIES), skip, add: random.chance(0.5) });
        break;
      }
      default:
        entry.data = mutateData(entry);
    }
  }
  const lie = (place, value) => {
    const found = lies.get(place);
    if (!found || found.skip-- > 0) return value;
    lies.delete(place);
    return found.add ? value + random.pick([-1, 1, -8, 64]) + 2 ** 64 * (value === 0 ? 1 : 0) : found.value;
  };
  return writeZip(out, { align: random.pick([0, 64]), lie });
}
