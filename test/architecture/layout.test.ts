import fs from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

/** All files below `folder` with one of the endings. */
function filesIn(folder: string, endings: RegExp): string[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((f) => endings.test(f))
    .map((f) => path.join(folder, f));
}

const read = (file: string) => fs.readFileSync(path.join(root, file), 'utf8');

const sources = filesIn('lib', /\.ts$/);

// A room may import from itself and from the rooms named here.
const BASE = ['core', 'native', 'tensor', 'autograd', 'ops', 'nn'];
const upTo = (room: string) => BASE.slice(0, BASE.indexOf(room) + 1);
// The namespaces of ops beside torch itself; nn may use them.
const NAMESPACES = ['linalg', 'fft', 'special', 'signal', 'masked'];
const ROOMS: Record<string, readonly string[]> = {
  ...Object.fromEntries(BASE.map((room) => [room, upTo(room)])),
  ...Object.fromEntries(NAMESPACES.map((room) => [room, [...upTo('ops'), ...NAMESPACES]])),
  // Modules say how they are saved and loaded; the file formats know no modules.
  nn: [...BASE, ...NAMESPACES, 'serialization'],
  serialization: ['core', 'tensor'],
  // The command line is a user like any other.
  cli: ['index'],
};
const ABOVE = new Set(['optim', 'data', 'fx', 'jit', 'quantization', 'distributed', 'profiler', 'utils', 'func']);

const roomOf = (file: string) => {
  const [, first = ''] = file.split(path.sep);
  return first.replace(/\.ts$/, '');
};

/** The files of lib/ that a file imports, types included. */
function importsOf(file: string): string[] {
  const found = [...read(file).matchAll(/(?:from|import|import\(|require\()\s*'(\.[^']*)'/g)];
  return found.map(([, target]) => path.normalize(path.join(path.dirname(file), target!)).replace(/\.js$/, '.ts'));
}

describe('imports', () => {
  test.each(sources)('%s points one way', (file) => {
    const room = roomOf(file);
    const isTop = file.split(path.sep).length === 2; // lib/index.ts and its neighbours gather the public names
    const allowed = ROOMS[room];
    for (const target of importsOf(file)) {
      const to = roomOf(target);
      if (isTop || to === room) continue;
      if (allowed) expect([file, allowed.includes(to), to]).toEqual([file, true, to]);
      else {
        expect([room, ABOVE.has(room)]).toEqual([room, true]);
        expect([file, ['cli', 'index'].includes(to)]).toEqual([file, false]);
      }
    }
  });

  test('are found by the pattern that looks for them', () => {
    const all = sources.flatMap(importsOf);
    expect(all.length).toBeGreaterThan(sources.length);
    for (const target of all) expect([target, fs.existsSync(path.join(root, target))]).toEqual([target, true]);
  });

  test('of Node in autograd and core are none: they compute', () => {
    for (const file of sources.filter((f) => /^lib.(core|autograd)/.test(f))) {
      expect([file, /from 'node:(fs|child_process|worker_threads)'/.test(read(file))]).toEqual([file, false]);
    }
  });
});

describe('native includes', () => {
  const native = filesIn('native', /\.(cc|h)$/);
  const includes = (file: string) => [...read(file).matchAll(/#include "([^"]+)"/g)].map(([, target]) => target!);

  test.each(native)('%s points one way', (file) => {
    const room = file.split(path.sep)[1]!;
    for (const target of includes(file)) {
      const to = target.split('/')[0]!;
      // kernels/ and simd/ are compiled once per instruction set and must not pull in code that is compiled once.
      if (room === 'kernels' || room === 'simd')
        expect([file, ['kernels', 'simd', 'core', 'parallel'].includes(to), to]).toEqual([file, true, to]);
      if (room === 'core') expect([file, to]).toEqual([file, 'core']);
      if (room !== 'binding') expect([file, to === 'binding']).toEqual([file, false]);
    }
  });

  test('of the containers and algorithms of the standard library stay out of kernels/ and simd/', () => {
    const forbidden =
      /#include <(vector|string|map|unordered_map|algorithm|functional|memory|iostream|sstream|numeric|optional|array)>/;
    for (const file of native.filter((f) => /^native.(kernels|simd)/.test(f))) {
      expect([file, forbidden.test(read(file))]).toEqual([file, false]);
    }
  });
});

describe('files', () => {
  const all = [
    ...sources,
    ...filesIn('native', /\.(cc|h|def)$/),
    ...filesIn('test', /\.ts$/),
    ...filesIn('scripts', /\.(mjs|py)$/),
  ];

  test('have at most 600 lines', () => {
    const long = all.map((f) => [f, read(f).split('\n').length - 1] as const).filter(([, lines]) => lines > 600);
    expect(long).toEqual([]);
  });

  test('leave nothing marked as unfinished', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
    expect(all.filter((f) => marks.test(read(f)))).toEqual([]);
  });

  test('switch no test off', () => {
    const off = new RegExp(
      `\\b(it|test|describe)\\.(${['sk' + 'ip', 'on' + 'ly', 'to' + 'do'].join('|')})\\b|\\bx(it|test|describe)\\(`,
    );
    expect(all.filter((f) => /^test/.test(f) && off.test(read(f)))).toEqual([]);
  });
});
