// flambeau infer: everything that rows can come from.
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { spawnSync } from 'node:child_process';
import type Sharp from 'sharp';
import torch from 'flambeau';
import { DONE, flambeau, Folder, model, records, type RunOptions } from './run';

const folder = new Folder();

/** The lines that a model gives for inputs. */
function infer(name: string, inputs: readonly string[], args: readonly string[] = [], options: RunOptions = {}) {
  const given = ['infer', '--model', model(name), '--input', ...inputs, '--output', '-', ...args];
  const { status, stdout, stderr } = flambeau(given, options);
  expect([stderr, status]).toEqual([expect.stringMatching(DONE), 0]);
  return records(stdout);
}
const outputs = (...args: Parameters<typeof infer>): unknown[] => infer(...args).map((line) => line['output']);

const rows = torch.arange(0, 12).reshape(6, 2).to(torch.float32);
const sums = [1, 5, 9, 13, 17, 21];
const csv = '0,1\n2,3\n4,5\n6,7\n8,9\n10,11\n';

/** An idx file of bytes or big-endian int16. */
function idx(type: 8 | 11, shape: readonly number[], values: readonly number[]): Buffer {
  const head = Buffer.from([0, 0, type, shape.length]);
  const sizes = Buffer.alloc(4 * shape.length);
  shape.forEach((n, i) => sizes.writeUInt32BE(n, 4 * i));
  const width = type === 8 ? 1 : 2;
  const data = Buffer.alloc(width * values.length);
  values.forEach((v, i) => (width === 1 ? data.writeUInt8(v, i) : data.writeInt16BE(v, 2 * i)));
  return Buffer.concat([head, sizes, data]);
}

describe('formats', () => {
  test('of arrays: .npz, .safetensors, idx; one of several by name', () => {
    const several = { other: torch.zeros(3), rows };
    const npz = folder.write('a.npz', torch.toNumpy(several));
    const safetensors = folder.write('a.safetensors', torch.safetensors.save(several));
    const one = folder.write('one.npz', torch.toNumpy({ rows }));
    const deflated = path.join(__dirname, '..', 'fixtures', 'serialization', 'deflated.npz');
    const members = torch.fromNumpy<Record<string, typeof rows>>(readFileSync(deflated));
    const [name, matrix] = Object.entries(members).find(([, t]) => t.ndim === 2)!;
    expect(outputs('sum.cjs', [npz], ['--array', 'rows', '--batch-size', '4'])).toEqual(sums);
    expect(outputs('sum.cjs', [safetensors], ['--array', 'rows', '--columns', '1'])).toEqual([1, 3, 5, 7, 9, 11]);
    expect(outputs('sum.cjs', [one])).toEqual(sums);
    expect(outputs('sum.cjs', [deflated], ['--array', name, '--dtype', 'float64'])).toEqual(
      matrix.to(torch.float64).sum(1).tolist(),
    );
  });

  test('of MNIST, plain and packed', () => {
    const bytes = idx(8, [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 250, 251, 252, 253]);
    const packed = folder.write('t10k-images-idx3-ubyte.gz', gzipSync(bytes));
    const wanted = [10, 26, 1006];
    expect(outputs('sum.cjs', [folder.write('images.idx', bytes)], ['--batch-size', '2'])).toEqual(wanted);
    expect(outputs('sum.cjs', [packed], ['--shape', '1,2,2'])).toEqual(wanted);
    expect(outputs('sum.cjs', [folder.write('short.idx', idx(11, [2, 2], [-1, 300, 2, -32768]))])).toEqual([
      299, -32766,
    ]);
  });

  test('of text, packed, from standard input, or under another name', () => {
    const packed = folder.write('a.csv.gz', gzipSync(csv));
    expect(outputs('sum.cjs', [packed], ['--batch-size', '4'])).toEqual(sums);
    expect(outputs('sum.cjs', ['-'], ['--input-format', 'csv'], { input: csv })).toEqual(sums);
    expect(outputs('sum.cjs', ['-'], ['--input-format', 'jsonl'], { input: '[1, 2]\n[3, 4]' })).toEqual([3, 7]);
    expect(outputs('sum.cjs', [folder.write('a.txt', csv)], ['--input-format', 'csv'])).toEqual(sums);
  });
});

describe('text', () => {
  const odd: [what: string, text: string, wanted: number[]][] = [
    ['spaces, signs, zeros and points', ' 1 , +2\n007,.5\n3.,-0\n', [3, 7.5, 3]],
    [
      'exponents and words',
      '1e2,1E-2\n-1.5e+1,INF\nnan,1\n',
      [100.01, null as unknown as number, null as unknown as number],
    ],
    ['no line feed at the end', '1,2\n3,4', [3, 7]],
    ['carriage returns and blank lines', '1,2\r\n\r\n  \r\n3,4\r\n', [3, 7]],
    ['quoted numbers and lines within quotes', '"1","2"\n3,"\n4\n"\n5,6\n', [3, 7, 11]],
    ['many digits', '0.1234567890123456789,1\n12345678901234567890,0\n', [1.1234567890123457, 12345678901234567000]],
  ];
  test.each(odd)('with %s', (_, text, wanted) => {
    const file = folder.write('odd.csv', text);
    for (const size of ['1', '64'])
      expect(outputs('sum.cjs', [file], ['--dtype', 'float64', '--batch-size', size])).toEqual(wanted);
  });

  test('with names, quoted text and columns that are not asked for, or asked for twice', () => {
    const text = 'id,x,note,y\n1,2,plain,3\n2,4,"a, b",5\n3,6,"line\nfeed",7\n4,8,,9\n';
    const file = folder.write('named.csv', text);
    expect(outputs('sum.cjs', [file], ['--header', '--columns', 'x,y'])).toEqual([5, 9, 13, 17]);
    expect(outputs('sum.cjs', [file], ['--header', '--columns', 'y,y,id'])).toEqual([7, 12, 17, 22]);
    expect(outputs('sum.cjs', [file], ['--header', '--columns', '0,1,0'])).toEqual([4, 8, 12, 16]);
  });

  test('that is longer than what is read at once', () => {
    const count = 40_000;
    const text = Array.from({ length: count }, (_, i) => `${i},${i % 7 === 0 ? `"${i}"` : i},0.5\n`).join('');
    expect(text.length).toBeGreaterThan(500_000);
    const found = infer('sum.cjs', [folder.write('long.csv', text)], ['--batch-size', '100', '--dtype', 'float64']);
    expect(found).toHaveLength(count);
    expect(found.every(({ row, output }, i) => row === i && output === 2 * i + 0.5)).toBe(true);
    const json = Array.from({ length: count }, (_, i) => `[${i}, ${i},${' '.repeat(i % 40)}0.5]\n`).join('');
    const same = infer('sum.cjs', [folder.write('long.jsonl', json)], ['--batch-size', '100', '--dtype', 'float64']);
    expect(same).toEqual(found);
  });

  test('takes whole numbers as they are, and refuses what a type cannot hold', () => {
    const file = folder.write('ints.csv', '9007199254740991,0\n-5,1\n');
    expect(outputs('sum.cjs', [file], ['--dtype', 'int64'])).toEqual([9007199254740991, -4]);
    for (const [dtype, text] of [
      ['int64', '9007199254740993,0\n'],
      ['int64', '1,2\n1.5,0\n'],
      ['int32', '2147483648,0\n'],
      ['int8', '1,2\n-129,0\n'],
      ['uint8', '-1,0\n'],
    ] as const) {
      const given = ['--input', folder.write('bad.csv', text), '--output', '-', '--dtype', dtype];
      const { status, stderr } = flambeau(['infer', '--model', model('sum.cjs'), ...given]);
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(new RegExp(`line [12]: column 0: .* is no ${dtype}`)),
      ]);
    }
  });
});

describe('several files', () => {
  test('follow one another, each named in the lines; patterns match in order', () => {
    folder.write('part-2.csv', '4,5\n6,7\n8,9\n10,11\n');
    folder.write('part-1.csv', '0,1\n2,3\n');
    const wanted = sums.map((output, row) => ({
      row,
      file: folder.at(row < 2 ? 'part-1.csv' : 'part-2.csv'),
      output,
    }));
    expect(infer('sum.cjs', [folder.at('part-1.csv'), folder.at('part-2.csv')])).toEqual(wanted);
    expect(infer('sum.cjs', ['part-*.csv'], [], { cwd: folder.at() })).toEqual(
      wanted.map((line) => ({ ...line, file: path.basename(line.file) })),
    );
    expect(outputs('sum.cjs', [folder.at('part-1.csv'), folder.write('b.npy', torch.toNumpy(rows))])).toEqual([
      1,
      5,
      ...sums,
    ]);
  });

  test('that are not there are told', () => {
    for (const [input, message] of [
      ['nothing-*.csv', 'no file matches nothing-*.csv'],
      ['nothing.csv', 'nothing.csv: no such file or folder'],
      ['empty', 'the folder empty holds no pictures'],
    ] as const) {
      mkdirSync(folder.at('empty'), { recursive: true });
      const args = ['infer', '--model', model('sum.cjs'), '--input', input, '--output', '-'];
      const { status, stderr } = flambeau(args, { cwd: folder.at() });
      expect([status, stderr]).toEqual([3, expect.stringContaining(`flambeau: ${message}`)]);
    }
  });
});

describe('what the model gets', () => {
  test('--shape, --mean and --std, one for all or one per channel', () => {
    const file = folder.write('eight.csv', '1,2,3,4,5,6,7,8\n');
    const show = (...args: string[]): unknown => infer('show.cjs', [file], args)[0]!['output'];
    expect(show('--shape', '2,-1')).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(show('--mean', '1', '--std', '2')).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    expect(show('--shape', '2,4', '--mean', '1,5', '--std', '1,10')).toEqual([
      [0, 1, 2, 3],
      [0, 0.1, 0.2, 0.3],
    ]);
    const refused = (...args: string[]): string =>
      flambeau(['infer', '--model', model('show.cjs'), '--input', file, '--output', '-', ...args]).stderr;
    expect(refused('--shape', '3,3')).toContain('rows of shape [8] cannot take the --shape 3,3');
    expect(refused('--mean', '1,2')).toContain('--mean has 2 numbers, but rows have the shape [8]');
  });
});

describe('pictures', () => {
  // An optional package; where it is not installed the message that says so is what is tested.
  const sharp = ((): typeof Sharp | null => {
    try {
      return require('sharp') as typeof Sharp;
    } catch {
      return null;
    }
  })();
  const red = [255, 0, 51] as const;

  /** A folder of pictures of one colour each: a.png, b.jpg and sub/c.png (grey). */
  async function draw(): Promise<string> {
    const create = (name: string, [r, g, b]: readonly number[], height: number, width: number) =>
      sharp!({ create: { height, width, channels: 3, background: { r: r!, g: g!, b: b! } } }).toFile(
        folder.at('pictures', name),
      );
    mkdirSync(folder.at('pictures', 'sub'), { recursive: true });
    await create('a.png', red, 4, 6);
    await create('b.jpg', [128, 128, 128], 4, 6);
    const grey = sharp!({ create: { height: 4, width: 6, channels: 3, background: { r: 51, g: 51, b: 51 } } });
    await grey.grayscale().toFile(folder.at('pictures', 'sub', 'c.png'));
    folder.write('pictures/notes.txt', 'no picture');
    return folder.at('pictures');
  }

  test('of a folder are rows [3, height, width] from 0 to 1, each with its file', async () => {
    if (sharp === null) {
      mkdirSync(folder.at('bare'), { recursive: true });
      folder.write('bare/a.png', 'anything');
      const { status, stderr } = flambeau([
        'infer',
        '--model',
        model('show.cjs'),
        '--input',
        folder.at('bare'),
        '--output',
        '-',
      ]);
      expect([status, stderr]).toEqual([3, expect.stringContaining("the package 'sharp'")]);
      return;
    }
    const pictures = await draw();
    const all = infer('show.cjs', [pictures], ['--batch-size', '2']);
    expect(all.map(({ row, file }) => [row, file])).toEqual([
      [0, `${pictures}/a.png`],
      [1, `${pictures}/b.jpg`],
      [2, `${pictures}/sub/c.png`],
    ]);
    const filled = (value: number): number[][] => Array.from({ length: 4 }, () => Array<number>(6).fill(value));
    expect(all[0]!['output']).toEqual([filled(1), filled(0), filled(0.2)]);
    expect(all[2]!['output']).toEqual([filled(0.2), filled(0.2), filled(0.2)]);
    const mean = (t: unknown): number =>
      torch
        .tensor(t as number[][][])
        .mean()
        .item() as number;
    expect(mean(all[1]!['output'])).toBeCloseTo(128 / 255, 2);

    const small = infer('show.cjs', [pictures], ['--image-size', '2x1', '--grayscale', '--mean', '0.2']);
    expect(small.map(({ output }) => (output as number[][][]).map((c) => c.map((r) => r.length)))).toEqual(
      Array(3).fill([[1, 1]]),
    );
    expect(small[2]!['output']).toEqual([[[0], [0]]]);
  });

  test('of other sizes or none at all are bad rows', async () => {
    if (sharp === null) return expect(sharp).toBeNull();
    const pictures = await draw();
    await sharp({ create: { height: 5, width: 6, channels: 3, background: 'white' } }).toFile(`${pictures}/d.png`);
    folder.write('pictures/e.png', 'no picture');
    const args = ['infer', '--model', model('sum.cjs'), '--input', pictures, '--output', '-'];
    const stopped = flambeau(args);
    expect([stopped.status, stopped.stderr]).toEqual([
      3,
      expect.stringContaining('d.png: it has 5 x 6 pixels, those before have 4 x 6 (see --image-size)'),
    ]);
    const errors = folder.at('bad.jsonl');
    const { status, stdout } = flambeau([...args, '--errors', errors]);
    expect(status).toBe(1);
    expect(records(stdout).map(({ row }) => row)).toEqual([0, 1, 4]);
    expect(records(readFileSync(errors, 'utf8'))).toMatchObject([
      { file: `${pictures}/d.png`, row: 2 },
      { file: `${pictures}/e.png`, row: 3, message: expect.stringContaining('it cannot be decoded') as string },
    ]);
    expect(flambeau([...args, '--dtype', 'int64']).stderr).toContain('pictures have values from 0 to 1');
  });

  test('say what is missing where sharp is not installed', () => {
    const root = path.join(__dirname, '..', '..');
    const copy = folder.at('installed');
    cpSync(path.join(root, 'dist'), path.join(copy, 'dist'), { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'));
    symlinkSync(path.join(root, 'build'), path.join(copy, 'build'));
    mkdirSync(path.join(copy, 'node_modules'));
    const { dependencies } = JSON.parse(readFileSync(path.join(copy, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(dependencies))
      symlinkSync(path.join(root, 'node_modules', name), path.join(copy, 'node_modules', name));
    folder.write('installed/a.png', 'anything');
    folder.write('installed/model.cjs', readFileSync(model('show.cjs')));
    const args = ['dist/cli/main.js', 'infer', '--model', 'model.cjs', '--input', 'a.png', '--output', '-'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
    expect([status, stderr]).toEqual([3, "flambeau: reading pictures takes the package 'sharp': npm install sharp\n"]);
  });
});
