// Changed files of every format: single bytes, lengths and ranges of any of them, and changes that keep the outer form sound
// (checksums, counts, alignment) so that what lies inside is reached.
import { disassemble, mutateCode } from './pickle_code.mjs';
import { mutateZip, readZip } from './zip_code.mjs';

const LIMIT = 1 << 20;
const EDGES = [0n, 1n, 2n, 7n, 8n, 0x7fn, 0x80n, 0xffn, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 40n, 1n << 53n, (1n << 63n) - 1n, (1n << 64n) - 1n];

/** Bytes changed without regard to what they mean. */
export function mutateBytes(random, original, others = [original]) {
  let bytes = Buffer.from(original);
  for (let n = 1 + random.below(5); n > 0; n--) {
    if (bytes.length === 0) return bytes;
    const at = random.below(bytes.length);
    const length = Math.min(1 + random.below(random.pick([4, 64, 4096])), bytes.length - at);
    switch (random.below(9)) {
      case 0:
        bytes[at] ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, random.below(256)]);
        break;
      case 2: {
        const width = random.pick([2, 4, 8]);
        const value = BigInt.asUintN(8 * width, random.pick(EDGES));
        for (let i = 0; i < width && at + i < bytes.length; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 255n);
        break;
      }
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, random.pick([0, 0xff, 0x5a])), bytes.subarray(at)]);
        break;
      case 6:
        bytes = bytes.subarray(0, at);
        break;
      case 7: {
        const other = random.pick(others);
        const from = random.below(other.length);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(at)]);
        break;
      }
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length).reverse(), bytes.subarray(at + length)]);
    }
    if (bytes.length > LIMIT) bytes = bytes.subarray(0, LIMIT);
  }
  return bytes;
}

/** One pickle of a stream of them, changed; the others and what follows stay. */
function mutateStream(random, bytes, codes) {
  if (bytes.length > 1 << 17) return mutateBytes(random, bytes);
  const starts = [];
  for (let at = 0; at < bytes.length; ) {
    const found = disassemble(bytes, at);
    if (!found) break;
    starts.push([at, found]);
    at = found.end;
  }
  if (starts.length === 0) return mutateBytes(random, bytes);
  const [start, { code, end }] = random.chance(0.5) ? starts[Math.min(3, starts.length - 1)] : random.pick(starts);
  return Buffer.concat([bytes.subarray(0, start), mutateCode(random, code, codes), bytes.subarray(end)]);
}

const WORDS = ['0', '-1', '-0', '1e3', '1.5', '9007199254740991', '9007199254740993', '1e999', 'null', 'true', '[]', '{}', '""', '[[[[[[[[[]]]]]]]]]', '"F64"', '"I4"', '"__proto__"', '"constructor"', '"__metadata__"', '[2,2]', '[0,8]', '"../x"', '"/x"'];

/** JSON changed by its pieces; strings, numbers and brackets are kept whole. */
export function mutateJson(random, text) {
  const parts = text.match(/"(?:[^"\\]|\\.)*"|[-+.\w]+|[^\w"]/g) ?? [''];
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(parts.length);
    switch (random.below(6)) {
      case 0:
        parts.splice(at, 1 + random.below(4));
        break;
      case 1:
        parts[at] = random.pick(WORDS);
        break;
      case 2:
        parts.splice(at, 0, random.pick(WORDS));
        break;
      case 3:
        parts.splice(random.below(parts.length), 0, ...parts.slice(at, at + 1 + random.below(12)));
        break;
      case 4: {
        const i = parts.findIndex((p, k) => k >= at && /^\d+$/.test(p));
        if (i >= 0) parts[i] = String(Number(parts[i]) + random.pick([-8, -1, 1, 8, 2 ** 32, 2 ** 52]));
        break;
      }
      default: {
        const repeated = parts.slice(at, at + 1 + random.below(6));
        for (let i = random.pick([8, 64, 1024]); i > 0 && parts.length < 20_000; i--) parts.splice(at, 0, ...repeated);
      }
    }
    if (parts.length === 0) parts.push('');
  }
  return parts.join('');
}

/** A safetensors file whose header is changed as JSON, with the right length before it. */
function mutateSafetensors(random, bytes) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = Buffer.from(mutateJson(random, bytes.toString('utf8', 8, 8 + length)));
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([count, header, bytes.subarray(8 + length)]);
}

/** A .npy file whose header is changed as text, with the right length before it. */
function mutateNpy(random, bytes) {
  const start = bytes[6] === 1 ? 10 : 12;
  const length = start === 10 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const header = Buffer.from(mutateJson(random, bytes.toString('latin1', start, start + length).replace(/'/g, '"')).replace(/"/g, "'"), 'latin1').subarray(0, 60_000);
  const head = Buffer.from(bytes.subarray(0, start));
  if (start === 10) head.writeUInt16LE(header.length, 8);
  else head.writeUInt32LE(header.length, 8);
  return Buffer.concat([head, header, bytes.subarray(start + length)]);
}

/** A tar archive with a member's pickles changed and the sums made right. */
function mutateTar(random, bytes, codes) {
  const members = [];
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    members.push({ header: Buffer.from(bytes.subarray(at, at + 512)), data: bytes.subarray(at + 512, at + 512 + size) });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const member = random.pick(members);
  member.data = random.chance(0.6) ? mutateStream(random, member.data, codes) : mutateBytes(random, member.data);
  if (random.chance(0.1)) random.pick(members).header = Buffer.from(random.pick(members).header);
  const parts = members.flatMap(({ header, data }) => {
    header.write(data.length.toString(8).padStart(11, '0'), 124, 'latin1');
    let sum = 8 * 32;
    for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += header[i];
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** What a file's first bytes say it is. */
export function formatOf(name, bytes) {
  if (name.endsWith('.index.json')) return 'index';
  if (name.endsWith('.safetensors')) return 'safetensors';
  if (name.endsWith('.npy')) return 'npy';
  if (name.endsWith('.npz')) return 'npz';
  if (name.endsWith('.tar.pt')) return 'tar';
  return bytes.toString('latin1', 0, 2) === 'PK' ? 'zip' : 'legacy';
}

/** Makes the mutator of a set of good files: (random, file) => bytes. */
export function mutatorOf(files) {
  const codes = [];
  for (const file of files) {
    if (file.format === 'zip' || file.format === 'npz') {
      file.entries = readZip(file.bytes);
      for (const { name, data } of file.entries) if (name.toString().endsWith('.pkl')) codes.push(disassemble(data)?.code);
    } else if (file.format === 'legacy') {
      for (let at = 0, found; (found = disassemble(file.bytes, at)); at = found.end) codes.push(found.code);
    }
  }
  const known = codes.filter((code) => code && code.length > 3);
  const inside = (random, file) => {
    switch (file.format) {
      case 'zip':
        return mutateZip(random, file.entries, ({ name, data }) =>
          name.toString().endsWith('.pkl') && random.chance(0.9) ? mutateStream(random, data, known) : mutateBytes(random, data));
      case 'npz':
        return mutateZip(random, file.entries, ({ data }) => (random.chance(0.7) ? mutateNpy(random, data) : mutateBytes(random, data)));
      case 'legacy':
        return mutateStream(random, file.bytes, known);
      case 'tar':
        return mutateTar(random, file.bytes, known);
      case 'safetensors':
        return mutateSafetensors(random, file.bytes);
      case 'npy':
        return mutateNpy(random, file.bytes);
      default:
        return Buffer.from(mutateJson(random, file.bytes.toString('utf8')));
    }
  };
  const alike = (file) => files.filter((other) => other.format === file.format).map((other) => other.bytes);
  return (random, file) => {
    // Some cases are changed twice: once inside, once anywhere.
    const bytes = random.chance(0.7) ? inside(random, file) : file.bytes;
    return bytes === file.bytes || random.chance(0.1) ? mutateBytes(random, bytes, alike(file)) : bytes;
  };
}
