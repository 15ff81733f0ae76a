// Damaged and hostile files: a clear error, or exactly what was saved; never a crash, a hang or memory without bounds.
import { readFileSync } from 'node:fs';
import torch from 'flambeau';
import { zip } from './archive';
import { fixture, Matcher, cases } from './match';

const read = (file: string, bytes: Uint8Array): unknown =>
  file.endsWith('.safetensors')
    ? torch.safetensors.load(bytes)
    : /\.np[yz]$/.test(file)
      ? torch.fromNumpy(bytes)
      : torch.load(bytes);

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What comes of a file: its value, or an error that must be one of the library's own. */
function attempt(file: string, bytes: Uint8Array): { value: unknown } | null {
  try {
    return { value: read(file, bytes) };
  } catch (error) {
    if (!(error instanceof torch.RuntimeError) || error.message.length < 8) throw error;
    return null;
  }
}

const files = [
  'checkpoint.pt',
  'views_legacy.pt',
  'values_protocol0.pt',
  'values_legacy_protocol5.pt',
  'values_protocol4.pt',
  'first_versions.tar.pt',
  'odd_names.safetensors',
  'column_major.npy',
  'deflated.npz',
  'stored.npz',
  'numpy_values.pt',
  'sparse.pt',
  'quantized.pt',
  'element_types.pt',
];

test.each(files)('%s cut short is refused', (file) => {
  const bytes = readFileSync(fixture(file));
  const next = sequence(1);
  // What follows the last member of a tar archive is padding, and legacy files end with the data of the last storage.
  const end = file.includes('tar') ? bytes.length - 10240 : bytes.length;
  for (let i = 0; i < 60; i++) expect(attempt(file, bytes.subarray(0, next(end)))).toBeNull();
});

test.each(files)('%s with changed bytes gives a clear error or a value', (file) => {
  const original = readFileSync(fixture(file));
  const next = sequence(2);
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(original);
    for (let n = next(4); n >= 0; n--) bytes[next(bytes.length)]! ^= 1 << next(8);
    attempt(file, bytes);
  }
});

test('a changed byte of a zip file with checksums is found, or changes nothing', () => {
  const { content } = cases.find(({ file }) => file === 'dtypes.pt')!;
  const original = readFileSync(fixture('dtypes.pt'));
  let refused = 0;
  for (let at = 0; at < original.length; at++) {
    const bytes = Buffer.from(original);
    bytes[at]! ^= 0x10;
    const found = attempt('dtypes.pt', bytes);
    if (found) new Matcher().match(found.value, content!);
    else refused++;
  }
  expect(refused).toBeGreaterThan(original.length / 3);
});

// ------------------------------------------------------------------------------------------------ pickles by hand

/** A file of torch.save around a pickle. */
const pickled = (pickle: string | Uint8Array, more: [string, Uint8Array][] = []): Buffer =>
  zip([['a/data.pkl', typeof pickle === 'string' ? Buffer.from(pickle, 'latin1') : pickle], ...more]);

test('the files made by hand are sound', () => {
  expect(torch.load(pickled('\x80\x02K\x05.'))).toBe(5);
  expect(torch.load(pickled('\x80\x02}X\x01\x00\x00\x00aK\x01s.'))).toEqual({ a: 1 });
});

test.each([
  ['os.system', 'cos\nsystem\n(X\x04\x00\x00\x00echotR.'],
  ['builtins.eval through the memo', 'c__builtin__\neval\nq\x00h\x00(X\x01\x00\x00\x001tR.'],
  ['a class instance of protocol 0', '(ios\nsystem\n.'],
  ['an extension', '\x82\x01.'],
  ['a constructor', 'c__proto__\nconstructor\n)R.'],
  ['a method of a known name', 'ccollections\nOrderedDict.fromkeys\n)R.'],
  ['state for a tensor type', 'ctorch\nSize\n(K\x01t\x85R}X\x04\x00\x00\x00pushK\x01sb.'],
  ['the call of a type', 'ctorch\nfloat32\n)R.'],
  ['the call of a storage class', 'ctorch\nFloatStorage\n)R.'],
  ['a tensor class', 'ctorch\nTensor\n)\x81.'],
  ['a rebuild function without arguments', 'ctorch._utils\n_rebuild_tensor_v2\n)R.'],
  ['a bare storage class', 'ctorch\nFloatStorage\n.'],
  ['an unhashable key', '}]K\x01s.'],
  ['a set of lists', 'c__builtin__\nset\n(]]a\x85tR.'],
  ['a pop without an item', '0.'],
  ['bytes that are not latin1', 'c_codecs\nencode\n(X\x03\x00\x00\x00\xe4\xb8\xadX\x06\x00\x00\x00latin1tR.'],
  ['a NumPy object array', 'cnumpy\ndtype\n(X\x02\x00\x00\x00O8I00\nI01\ntR.'],
  ['a string that is not UTF-8', 'X\x02\x00\x00\x00\xff\xfe.'],
])('%s is refused', (_, pickle) => {
  expect(() => torch.load(pickled(`\x80\x02${pickle}`))).toThrow(torch.RuntimeError);
  expect(attempt('x.pt', pickled(`\x80\x02${pickle}`))).toBeNull();
  // Neither does anything happen without the list of known names.
  try {
    torch.load(pickled(`\x80\x02${pickle}`), { weightsOnly: false });
  } catch (error) {
    expect(error).toBeInstanceOf(torch.RuntimeError);
  }
});

test('nesting costs no stack, floods cost no memory', () => {
  const deep = Buffer.concat([Buffer.from(']'.repeat(200_000)), Buffer.from('a'.repeat(199_999)), Buffer.from('.')]);
  let value: unknown = torch.load(pickled(deep));
  let depth = 0;
  for (; Array.isArray(value) && value.length > 0; depth++) value = value[0];
  expect(depth).toBe(199_999);
  const flood = `(${'2'.repeat(300_000)}`;
  expect(attempt('x.pt', pickled(`\x80\x02N${flood}.`))).toBeNull();
  expect(attempt('x.pt', pickled(`\x80\x02X\xff\xff\xff\x7fabc.`))).toBeNull();
  expect(attempt('x.pt', pickled(`\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.`))).toBeNull();
});

test('archives that contradict themselves are refused', () => {
  const pickle = Buffer.from('\x80\x02K\x05.', 'latin1');
  const message = (bytes: Uint8Array): string => {
    try {
      torch.load(bytes);
    } catch (error) {
      return (error as Error).message;
    }
    return 'loaded';
  };
  expect(
    message(
      zip([
        ['a/data.pkl', pickle],
        ['a/data.pkl', pickle],
      ]),
    ),
  ).toMatch(/two entries/);
  expect(
    message(
      zip([
        ['a/data.pkl', pickle],
        ['b/version', pickle],
      ]),
    ),
  ).toMatch(/not in the folder/);
  expect(message(zip([['data.pkl', pickle]]))).toMatch(/not in the folder/);
  expect(message(zip([['a/other.pkl', pickle]]))).toMatch(/no data.pkl/);
  expect(message(zip([['a/data.pkl', pickle]], 8))).toMatch(/compressed/);
  expect(
    message(
      zip([
        ['a/data.pkl', pickle],
        ['a/byteorder', Buffer.from('middle')],
      ]),
    ),
  ).toMatch(/byte order/);
  expect(
    message(
      zip([
        ['a/data.pkl', pickle],
        ['a/version', Buffer.from('99\n')],
      ]),
    ),
  ).toMatch(/version/);
  expect(message(zip([]))).toMatch(/empty/);
  expect(message(Buffer.concat([zip([['a/data.pkl', pickle]]), Buffer.from('x')]))).toMatch(/no end record/);
});

test('a bomb in a .npz archive takes no more memory than its header asks for', () => {
  const header = Buffer.from(torch.toNumpy(torch.tensor([1, 2, 3, 4])));
  const bomb = zip([['a.npy', Buffer.concat([header, Buffer.alloc(64 << 20)])]], 8);
  const before = process.memoryUsage().rss;
  expect(() => torch.fromNumpy(bomb)).toThrow(/its header says/);
  expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20);
});

test('safetensors headers that do not add up are refused', () => {
  const file = (header: string, data = 16): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
  };
  const entry = '"dtype":"F32","shape":[4],"data_offsets":[0,16]';
  expect(Object.keys(torch.safetensors.load(file(`{"w":{${entry}}}`)))).toEqual(['w']);
  for (const header of [
    `{"w":{${entry}},"w":{${entry}}}`,
    `{"w":{${entry},"dtype":"F32"}}`,
    `{"w":{${entry},"more":1}}`,
    `{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16.5]}}`,
    `{"w":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}`,
    `{"w":{"dtype":"toString","shape":[4],"data_offsets":[0,16]}}`,
    `{"w":{${entry}}} x`,
    `{"w":{${entry}}`,
    `{"w\n":{${entry}}}`,
    `{"__metadata__":{"a":1},"w":{${entry}}}`,
    `{"w":{"dtype":"F32","shape":[${'[['.repeat(50)}4]}}`,
    '[]',
    '',
  ]) {
    expect(attempt('x.safetensors', file(header))).toBeNull();
  }
  expect(attempt('x.safetensors', file(`{"w":{${entry}}}`, 17))).toBeNull();
  expect(attempt('x.safetensors', file(`{"w":{${entry}}}`, 15))).toBeNull();
});
