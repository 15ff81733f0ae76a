// The addon takes whatever JavaScript gives it: malformed calls throw, nothing crashes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { output, runCode } from './process';

/** Code that needs an initialised addon: `a` is the addon, `s` the scratch buffer, `id` finds an op, `put` writes arguments. */
const READY = `
  const a = addon();
  class RuntimeError extends Error {}
  const s = new Float64Array(4096);
  a.init(s.buffer, RuntimeError);
  const names = a.ops();
  const id = (name) => { const i = names.indexOf(name); if (i < 0) throw new Error('no op ' + name); return i; };
  const put = (...v) => { s.fill(0, 2, 400); s.set(v, 2); s[1] = 2 + v.length; };
  const caught = (f) => { try { f(); return 'nothing'; } catch (e) { return (e instanceof RuntimeError ? 'RuntimeError' : e.constructor.name) + ': ' + e.message; } };
  const say = (...v) => console.log(...v);
  const ones = () => { put(7, 2, 2, 3, 2, 1, 9, 6); return a.call(id('full')); };
`;
const lines = (code: string): string[] => output(READY + code).split('\n');

test('the ops have names, each once', () => {
  const names = JSON.parse(output('console.log(JSON.stringify(addon().ops()))')) as string[];
  expect(names.length).toBeGreaterThan(200);
  expect(new Set(names).size).toBe(names.length);
});
test('a call before init, or with wrong arguments to any export, throws', () => {
  const code = `
    const a = addon();
    const values = [undefined, null, -1, 0, 1, 1.5, NaN, Infinity, 2 ** 32, 2 ** 53, 'x', {}, [], () => 1, Symbol('s'), 1n, true, new Uint8Array(4), new Float64Array(4), new ArrayBuffer(8), new ArrayBuffer(0)];
    let thrown = 0;
    for (const name of Object.keys(a)) {
      if (name === 'setNumThreads') continue;
      for (const x of values) for (const y of [undefined, null, 3, 'x', {}, new Uint8Array(2)]) for (const z of [undefined, -1, new Uint8Array(3)]) {
        try { a[name](x, y, z); } catch (e) { if (!(e instanceof Error)) throw e; thrown++; }
      }
      try { a[name](); } catch (e) { thrown++; }
    }
    console.log(thrown > 1000);`;
  expect(output(code)).toBe('true');
});
test('handles that name no tensor are refused', () => {
  expect(
    lines(`
      const h = ones();
      a.free(h);
      for (const bad of [h, 0, 1, 2 ** 24 - 1, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) { put(1, bad); say(caught(() => a.call(id('neg')))); }
      say(caught(() => a.describe(h)), caught(() => a.read(h, new Uint8Array(24))), caught(() => a.write(h, new Uint8Array(24))));
      a.free(h); a.free(12345); a.track(h, {});
      const again = ones();
      say(again !== h);
      put(1, h); say(caught(() => a.call(id('neg'))));`),
  ).toEqual([
    ...new Array<string>(7).fill('RuntimeError: the tensor was disposed and cannot be used any more'),
    new Array<string>(3).fill('RuntimeError: the tensor was disposed and cannot be used any more').join(' '),
    'true',
    'RuntimeError: the tensor was disposed and cannot be used any more',
  ]);
});
test('ops that do not exist and counts outside the buffer are refused', () => {
  expect(
    lines(`
      for (const op of [names.length, 2 ** 31, 2 ** 32 - 1]) say(caught(() => a.call(op)));
      for (const count of [NaN, -1, 0, 1, 4097, 1e300, Infinity]) { s[1] = count; say(caught(() => a.call(id('neg')))); }
      s[1] = 2.5; say(caught(() => a.call(id('neg'))) !== 'nothing');`),
  ).toEqual([
    ...['TypeError: no such native op', 'TypeError: no such native op', 'TypeError: no such native op'].map(
      (t) => expect.stringContaining(t) as unknown as string,
    ),
    ...new Array<string>(7).fill('TypeError: malformed arguments'),
    'true',
  ]);
});
test('lists that are longer than what was given are refused without being made', () => {
  expect(
    lines(`
      const h = ones();
      for (const n of [5, 1e6, 2e9, 2 ** 40, 2 ** 53, -1, NaN, 1.5]) {
        put(7, n); say(caught(() => a.call(id('zeros'))) !== 'nothing');
        put(8, n, h, h); say(caught(() => a.call(id('cat'))) !== 'nothing');
        put(1, h, 7, n, 0, 1); say(caught(() => a.call(id('permute'))) !== 'nothing');
      }
      s[4094] = 7; s[1] = 4095; s.fill(7, 2, 4096); s[1] = 4096; say(caught(() => a.call(id('cat'))) !== 'nothing');`),
  ).toEqual(new Array<string>(25).fill('true'));
});
test('bytes of a wrong length or kind, and ranges outside a storage, are refused', () => {
  expect(
    lines(`
      const h = ones();
      for (const bytes of [new Uint8Array(23), new Uint8Array(25), new Uint8Array(0), new Float32Array(6), new ArrayBuffer(24), null, undefined, 24]) {
        say(caught(() => a.read(h, bytes)) !== 'nothing', caught(() => a.write(h, bytes)) !== 'nothing');
      }
      for (const offset of [-1, 1e9, NaN, Infinity, -Infinity, 2 ** 63]) {
        say(caught(() => a.readStorage(h, offset, new Uint8Array(24))) !== 'nothing', caught(() => a.writeStorage(h, offset, new Uint8Array(24))) !== 'nothing');
      }
      const out = new Uint8Array(24); a.read(h, out); say(new Float32Array(out.buffer).join());`),
  ).toEqual([...new Array<string>(14).fill('true true'), '1,1,1,1,1,1']);
});

const FUZZ = `
  let state = SEED >>> 0;
  const random = () => { state = (state + 0x6d2b79f5) >>> 0; let t = Math.imul(state ^ (state >>> 15), 1 | state); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32; };
  const pick = (list) => list[Math.floor(random() * list.length)];
  // No size between the small and the absurd: what is refused must be refused before memory is touched.
  const numbers = [0, 1, 2, 3, 4, -1, -2, -3, 5, 0.5, -0, NaN, Infinity, -Infinity, -(2 ** 31), 2 ** 40, 2 ** 52, -(2 ** 52), 2 ** 53, 1e300, -1e300];
  const skip = new Set(['set_default_dtype']);
  const fs = require('node:fs');
  const trace = process.env.TRACE ? fs.openSync(process.env.TRACE, 'w') : 0;
  let handles = [];
  const remake = () => {
    for (const h of handles) a.free(h);
    handles = [];
    for (const dtype of [0, 3, 4, 5, 6, 7, 8, 10, 11]) for (const shape of [[], [0], [3], [2, 3], [2, 2, 3], [1, 2, 3, 3], [1, 1, 3, 2, 2]]) {
      put(7, shape.length, ...shape, 2, 1, 9, dtype); handles.push(a.call(id('full')));
    }
    put(1, handles[3], 2, 0, 2, 1); handles.push(a.call(id('transpose')));
    put(7, 2, 4, 3, 2, 1, 9, 6); const wide = a.call(id('full')); put(1, wide, 2, 0, 2, 1, 2, 4, 2, 2); handles.push(a.call(id('slice')));
    put(7, 2, 1, 3, 2, 1, 9, 6); const one = a.call(id('full')); put(1, one, 7, 2, 4, 3); handles.push(a.call(id('expand')));
  };
  const write = (at) => {
    switch (Math.floor(random() * 14)) {
      case 0: case 1: case 2: case 3: case 4: s[at] = 1; s[at + 1] = random() < 0.03 ? pick(numbers) : pick(handles); return at + 2;
      case 5: case 6: s[at] = 2; s[at + 1] = pick(numbers); return at + 2;
      case 7: s[at] = 3; s[at + 1] = pick(numbers); return at + 2;
      case 8: s[at] = 4; s[at + 1] = random() < 0.5 ? 1 : 0; return at + 2;
      case 9: s[at] = 9; s[at + 1] = Math.floor(random() * 13); return at + 2;
      case 10: case 11: { s[at] = 7; const n = s[at + 1] = Math.floor(random() * 5); for (let i = 0; i < n; i++) s[at + 2 + i] = pick(numbers.slice(0, random() < 0.8 ? 9 : 22)); return at + 2 + n; }
      case 12: { s[at] = 8; const n = s[at + 1] = Math.floor(random() * 4); for (let i = 0; i < n; i++) s[at + 2 + i] = pick(handles); return at + 2 + n; }
      default: s[at] = pick([0, 0, 0, 5, 6, 8, 7, 42]); s[at + 1] = pick(numbers); s[at + 2] = pick(numbers); return at + 1 + Math.floor(random() * 3);
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 200 === 0) remake();
    const op = Math.floor(random() * names.length);
    if (skip.has(names[op])) continue;
    let at = 2;
    const n = Math.floor(random() * 8);
    for (let i = 0; i < n; i++) at = write(at);
    s[1] = at;
    if (trace) fs.writeSync(trace, (names[op] + '(' + Array.from(s.subarray(2, at)).join(' ') + ')').padEnd(400), 0);
    try {
      a.call(op);
      const made = s[1];
      for (let i = 0; i < made && i < 8; i++) if (Number.isInteger(s[2 + i])) if (handles.length < 120 && random() < 0.3) handles.push(s[2 + i]); else a.free(s[2 + i]);
    } catch (e) { if (!(e instanceof Error)) throw e; }
  }
  console.log('ok');
`;
test.each([1, 2, 3])('random arguments to random native ops throw at worst (seed %d)', (seed) => {
  const code = READY + FUZZ.replace('SEED', String(seed)).replace('ROUNDS', '6000');
  const { status, signal, out, err } = runCode(code);
  if (status !== 0) {
    // Once more, slower, to say which call it was.
    const trace = path.join(os.tmpdir(), `flambeau-fuzz-${process.pid}-${seed}`);
    runCode(code, { TRACE: trace });
    const last = fs.readFileSync(trace, 'utf8').trim();
    fs.rmSync(trace);
    throw new Error(`${signal ?? status} in ${last}\n${err}`);
  }
  expect([out, err]).toEqual(['ok', '']);
});
