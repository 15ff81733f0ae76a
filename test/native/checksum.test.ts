// The checksum of what is read from and written to files, by every instruction set, against its definition.
import { runCode } from './process';

const CODE = `
  const fs = require('fs'), os = require('os'), path = require('path');
  const a = addon();
  const s = new Float64Array(4096);
  a.init(s.buffer, Error);
  const id = (name) => a.ops().indexOf(name);
  const INT = 2, TENSOR = 1, INTS = 7, DTYPE = 9, UINT8 = 0;
  const call = (name, ...v) => { s.set(v, 2); s[1] = 2 + v.length; const h = a.call(id(name)); return h || s[2]; };
  const empty = (n) => call('empty', INTS, 1, n, DTYPE, UINT8);
  const bytes = new Uint8Array(20000);
  for (let i = 0, x = 7; i < bytes.length; i++) bytes[i] = (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) >>> 24;
  const reference = (p) => { let c = ~0; for (const b of p) { c ^= b; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; } return ~c >>> 0; };
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'flambeau-crc-')), 'x');
  const t = empty(bytes.length);
  a.writeStorage(t, 0, bytes);
  const cases = [];
  for (let n = 0; n <= 300; n++) cases.push([n % 67, n]);
  for (const n of [511, 512, 513, 4095, 4096, 4097, 10000, 19999]) cases.push([1, n]);
  const fd = fs.openSync(file, 'w+');
  const wrong = [];
  let position = 0;
  for (const [from, n] of cases) {
    const expected = reference(bytes.subarray(from, from + n));
    const half = n >> 1;
    const first = call('write_file', INT, fd, TENSOR, t, INT, from, INT, half, INT, 0);
    const wrote = call('write_file', INT, fd, TENSOR, t, INT, from + half, INT, n - half, INT, first);
    const target = empty(n + 3);
    const read = call('read_file', INT, fd, INT, position, TENSOR, target, INT, 2, INT, n);
    const back = new Uint8Array(n);
    a.readStorage(target, 2, back);
    if (wrote !== expected || read !== expected || Buffer.compare(back, bytes.subarray(from, from + n))) wrong.push([from, n, expected, wrote, read]);
    position += n;
  }
  const past = call('read_file', INT, fd, INT, position - 1, TENSOR, t, INT, 0, INT, 2);
  fs.closeSync(fd);
  const closed = call('write_file', INT, fd, TENSOR, t, INT, 0, INT, 1, INT, 0);
  console.log(a.instructionSet(), JSON.stringify({ cases: cases.length, wrong, past: String(past), closed: closed === -os.constants.errno.EBADF }));
  fs.rmSync(path.dirname(file), { recursive: true });
`;

test.each(['scalar', 'avx2', 'avx512', 'neon'])('%s, where the processor has it', (set) => {
  const { status, out, err } = runCode(CODE, { FLAMBEAU_ISA: set });
  if (status !== 0) expect(err).toMatch(/this processor lacks the instruction set|that this build has/);
  else expect(out).toBe(`${set} {"cases":309,"wrong":[],"past":"NaN","closed":true}`);
});
