// Small files that ask for much: copies of copies, keys that collide, names and errors without end. They are refused early, and
// what only looks alike loads.
import torch, { type Tensor } from 'flambeau';
import { zip } from './archive';
import { storageOf } from './match';

type Piece = string | Uint8Array;
const bytes = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));
const file = (pickle: readonly Piece[], more: [string, Uint8Array][] = []): Buffer =>
  zip([['a/data.pkl', bytes(pickle)], ...more]);
const times = (piece: Piece, n: number): Buffer => bytes(Array<Piece>(n).fill(piece));
const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const ints = (n: number): Buffer => bytes(Array.from({ length: n }, (_, i) => bytes(['J', u32(i)])));
/** An integer of 96 bits whose upper 32 are `high`; the others are all alike. */
const wide = (high: number): Buffer => bytes(['\x8a\x0c', new Uint8Array(8).fill(7), u32(high)]);
const data = (n: number): Uint8Array => new Uint8Array(n).fill(65);

/** Pushes a callable, its arguments (both into the memo), and calls it `n` times into a list. */
const calls = (callable: string, args: readonly Piece[], n: number): Buffer =>
  file([`${callable}q\x000`, ...args, 'q\x010](', times('h\x00h\x01R', n), 'e.']);

test.each([
  ['sets of one list', calls('c__builtin__\nset\n', ['(', ints(1000), 'l\x85'], 600)],
  ['frozensets of one list', calls('cbuiltins\nfrozenset\n', ['(', ints(1000), 'l\x85'], 600)],
  ['OrderedDicts of one list', calls('ccollections\nOrderedDict\n', ['(', times('NN\x86', 2000), 'l\x85'], 600)],
  [
    'Counters of one dict',
    calls(
      'ccollections\nCounter\n',
      [
        '}(',
        times(bytes([ints(1), 'N']), 1),
        ...Array.from({ length: 2000 }, (_, i) => bytes(['J', u32(i), 'N'])),
        'u\x85',
      ],
      1000,
    ),
  ],
  ['copies of bytes', calls('cbuiltins\nbytearray\n', ['B', u32(50_000), data(50_000), '\x85'], 500)],
  [
    'encodings of one text',
    calls('c_codecs\nencode\n', ['X', u32(50_000), data(50_000), 'X\x06\x00\x00\x00latin1\x86'], 500),
  ],
  [
    'NumPy arrays of the same bytes',
    calls(
      'cnumpy.core.numeric\n_frombuffer\n',
      [
        '(B',
        u32(50_000),
        data(50_000),
        'cnumpy\ndtype\n(X\x02\x00\x00\x00u1\x89\x88tR(J',
        u32(50_000),
        'tX\x01\x00\x00\x00Ct',
      ],
      500,
    ),
  ],
  [
    'states of one dict',
    file([
      '}(',
      ...Array.from({ length: 5000 }, (_, i) => bytes(['X', u32(8), String(i).padStart(8), 'N'])),
      'uq\x010ccollections\nOrderedDict\nq\x000](',
      times('h\x00)Rh\x01b', 3000),
      'e.',
    ]),
  ],
  [
    'integers that collide as keys',
    file(['}(', ...Array.from({ length: 5000 }, (_, i) => bytes([wide(i), 'N'])), 'u.']),
  ],
])('%s are refused', (_, hostile) => {
  for (const read of [
    () => torch.load(hostile),
    () => torch.load(hostile, { weightsOnly: false }),
    () => torch.inspectFile(hostile),
  ]) {
    expect(read).toThrow(/asks for far more work than its size accounts for/);
    expect(read).toThrow(torch.RuntimeError);
  }
});

test('what Python writes is far from the limit', () => {
  const set = calls('c__builtin__\nset\n', ['(', ints(50_000), 'l\x85'], 1);
  expect(torch.load<Set<number>[]>(set)[0]!.size).toBe(50_000);
  const ten = calls('c_codecs\nencode\n', ['X', u32(5000), data(5000), 'X\x06\x00\x00\x00latin1\x86'], 10);
  expect(torch.load<Uint8Array[]>(ten).map((b) => b.length)).toEqual(Array(10).fill(5000));
  const random = Array.from({ length: 5000 }, (_, i) => bytes(['\x8a\x10', data(11), u32(i), '\x01N']));
  const keys = Array.from({ length: 5000 }, (_, i) => bytes(['\x8a\x10', u32(i), data(11), '\x01N']));
  expect(() => torch.load(file(['}(', ...random, 'u.']))).toThrow(/far more work/);
  expect(torch.load<Map<bigint, null>>(file(['}(', ...keys, 'u.'])).size).toBe(5000);
  // The same wide integer over and over is one key.
  expect(torch.load<unknown[]>(file(['](', times(wide(1), 20_000), 'e.'])).length).toBe(20_000);
});

test('views of a storage with turned signs share one copy of it', () => {
  const rebuild = 'ctorch._utils\n_rebuild_tensor_v2\nq\x000';
  const view = bytes([
    '((X\x07\x00\x00\x00storagectorch\nComplexFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ',
    u32(8192),
    'tQ',
    'K\x00(K\x01t(K\x01t\x89ccollections\nOrderedDict\n)R}X\x04\x00\x00\x00conj\x88st',
  ]);
  const many = file([rebuild, view, 'q\x010](', times('h\x00h\x01R', 300), 'e.'], [['a/data/0', data(65_536)]]);
  const before = torch.memoryStats(true).bytes;
  const found = torch.load<Tensor[]>(many);
  expect(torch.memoryStats().bytes - before).toBeLessThan(4 * 65_536);
  expect(storageOf(found[0]!)).toBe(storageOf(found[299]!));
});

test.each([
  ['a global', file(['c', data(300_000), '\nx\n.'])],
  [
    'a storage',
    file([
      '(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX',
      u32(300_000),
      data(300_000),
      'X\x03\x00\x00\x00cpuK\x01tQ.',
    ]),
  ],
  ['a device', file(['ctorch\ndevice\nX', u32(300_000), data(300_000), '\x85R.'])],
  ['a NumPy type', file(['cnumpy\ndtype\nX', u32(300_000), data(300_000), '\x89\x88\x87R.'])],
  ['an entry', zip([['x'.repeat(60_000), data(1)]])],
  ['a number', file(['ctorch\nSize\n(\x8b', u32(100_000), data(100_000), 't\x85R.'])],
])('the name of %s does not make an error endless', (_, hostile) => {
  let message = '';
  try {
    torch.load(hostile);
  } catch (error) {
    expect(error).toBeInstanceOf(torch.RuntimeError);
    ({ message } = error as Error);
  }
  expect(message.length).toBeGreaterThan(8);
  expect(message.length).toBeLessThan(2100);
});
