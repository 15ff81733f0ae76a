// flambeau infer: the formats of results, and bad rows.
import { readFileSync } from 'node:fs';
import torch, { type Tensor } from 'flambeau';
import { DONE, flambeau, Folder, lines, model, records, type Result } from './run';

const folder = new Folder();
const rows = '1,2\n3,0\n-1,0.5\n';

function infer(name: string, output: string, ...args: string[]): Result {
  const input = folder.write('rows.csv', rows);
  return flambeau([
    'infer',
    '--model',
    model(name),
    '--input',
    input,
    '--output',
    output,
    '--batch-size',
    '2',
    ...args,
  ]);
}
/** The content of an output that must come about. */
function written(name: string, output: string, ...args: string[]): Buffer {
  const { status, stderr } = infer(name, folder.at(output), ...args);
  expect([stderr, status]).toEqual([expect.stringMatching(DONE), 0]);
  return readFileSync(folder.at(output));
}
const values = (t: Tensor): unknown => t.tolist();

describe('--output', () => {
  test('.csv is a table with a heading', () => {
    expect(lines(written('show.cjs', 'a.csv').toString())).toEqual([
      'row,prediction,output_0,output_1',
      '0,1,1,2',
      '1,0,3,0',
      '2,1,-1,0.5',
    ]);
    expect(lines(written('pair.mjs', 'b.csv').toString())).toEqual([
      'row,output_twice_0,output_twice_1,output_least',
      '0,2,4,1',
      '1,6,0,0',
      '2,-2,1,-1',
    ]);
    expect(lines(written('show.cjs', 'c.csv', '--top-k', '1', '--std', '3').toString())).toEqual([
      'row,prediction,top_index_0,top_value_0',
      '0,1,1,0.6666667',
      '1,0,0,1',
      '2,1,1,0.16666667',
    ]);
    expect(lines(written('log.cjs', 'd.csv').toString())).toEqual([
      'row,prediction,output_0,output_1',
      '0,1,0,0.6931472',
      '1,0,1.0986123,-inf',
      '2,0,nan,-0.6931472',
    ]);
  });

  test('.npy is the array of all outputs', () => {
    const t = torch.fromNumpy(written('show.cjs', 'a.npy'));
    expect([t.dtype, values(t)]).toEqual([
      torch.float32,
      [
        [1, 2],
        [3, 0],
        [-1, 0.5],
      ],
    ]);
    const halves = torch.fromNumpy(written('show.cjs', 'b.npy', '--dtype', 'float16'));
    expect([halves.dtype, values(halves)]).toEqual([torch.float16, values(t)]);
    const sums = torch.fromNumpy(written('sum.cjs', 'c.npy', '--dtype', 'float64'));
    expect([sums.dtype, values(sums)]).toEqual([torch.float64, [3, 3, -0.5]]);
  });

  test('.safetensors holds every result by name', () => {
    const one = torch.safetensors.load(written('show.cjs', 'a.safetensors'));
    expect(Object.fromEntries(Object.entries(one).map(([k, t]) => [k, values(t)]))).toEqual({
      prediction: [1, 0, 1],
      output: [
        [1, 2],
        [3, 0],
        [-1, 0.5],
      ],
    });
    const pair = torch.safetensors.load(written('pair.mjs', 'b.safetensors', '--dtype', 'bfloat16'));
    expect(pair['output.twice']!.dtype).toBe(torch.bfloat16);
    expect([values(pair['output.twice']!), values(pair['output.least']!)]).toEqual([
      [
        [2, 4],
        [6, 0],
        [-2, 1],
      ],
      [1, 0, -1],
    ]);
    const top = torch.safetensors.load(written('show.cjs', 'c.safetensors', '--top-k', '2'));
    expect([values(top['top.index']!), values(top['top.value']!)]).toEqual([
      [
        [1, 0],
        [0, 1],
        [1, 0],
      ],
      [
        [2, 1],
        [3, 0],
        [0.5, -1],
      ],
    ]);
  });

  test('numbers read back as the same float32, with as few digits as that takes', () => {
    const exact = [
      0.1,
      1 / 3,
      16777216,
      1e-7,
      123456.79,
      3.4028235e38,
      1.1754944e-38,
      1e-45,
      -0.000123,
      999999.94,
      1e21,
      5e5,
    ];
    folder.write('numbers.csv', `${exact.join(',')}\n`);
    const args = ['infer', '--model', model('show.cjs'), '--input', folder.at('numbers.csv'), '--output', '-'];
    const { stdout } = flambeau(args);
    const output = records(stdout)[0]!['output'] as number[];
    expect(output.map(Math.fround)).toEqual(exact.map(Math.fround));
    expect(stdout).toMatch(
      /"output":\[0\.1,0\.33333334,16777216,1e-7,123456\.79,3\.4028235e\+38,1\.1754944e-38,1e-45,-0\.000123,999999\.94,1e\+21,500000\]/,
    );
  });

  test('what a format cannot hold is refused', () => {
    for (const [message, name, output, ...args] of [
      ['a .npy file holds one array, but there are output.twice, output.least', 'pair.mjs', 'x.npy'],
      ['the results cannot be written as .npy', 'show.cjs', 'x.npy', '--dtype', 'bfloat16'],
      ['the results have another form', 'growing.cjs', 'x.npy', '--batch-size', '1'],
      ['the results have another form', 'growing.cjs', 'x.safetensors', '--batch-size', '1'],
      ['the results have another form than those before; a table', 'growing.cjs', 'x.csv', '--batch-size', '1'],
      ['complex numbers; lines of text cannot hold them', 'complex.cjs', 'x.jsonl'],
      ['the model must return tensors, not string', 'word.cjs', 'x.jsonl'],
    ] as const) {
      const { status, stderr } = infer(name, folder.at(output), ...args);
      expect([message, status, stderr]).toEqual([message, 3, expect.stringContaining(message)]);
      expect(folder.exists(output)).toBe(false);
    }
  });
});

describe('--errors', () => {
  const bad = '1,2\n1,two\n3,4\n5\n"a\n6,7\n8,9,10\n\n11,12\n';
  const wanted = [
    { row: 1, line: 2, message: 'column 1: "two" is not a number' },
    { row: 3, line: 4, message: 'it has 1 values, the rows before have 2' },
    { row: 4, line: 5, message: expect.stringMatching(/Quote Not Closed/) as string },
    { row: 6, line: 7, message: 'it has 3 values, the rows before have 2' },
  ];

  test('takes the bad rows with their lines and leaves the others', () => {
    const input = folder.write('bad.csv', bad);
    for (const size of ['1', '2', '64']) {
      const args = [
        '--model',
        model('sum.cjs'),
        '--input',
        input,
        '--output',
        folder.at('o.jsonl'),
        '--batch-size',
        size,
      ];
      const { status, stderr } = flambeau(['infer', ...args, '--errors', folder.at('e.jsonl')]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^4 rows in .*; 4 bad rows in .*e\.jsonl\n$/)]);
      expect(records(folder.read('o.jsonl'))).toEqual([
        { row: 0, output: 3 },
        { row: 2, output: 7 },
        { row: 5, output: 13 },
        { row: 7, output: 23 },
      ]);
      expect(records(folder.read('e.jsonl'))).toEqual(wanted.map((e) => ({ file: input, ...e })));
      expect([...folder.partial('o.'), ...folder.partial('e.')]).toEqual([]);
    }
  });

  test('takes bad lines of JSON, and keeps the numbers of rows in arrays', () => {
    const input = folder.write('bad.jsonl', '[1, 2]\n{"a": 1}\n[1, "x"]\nnonsense\n[3, 4]\n');
    const args = ['infer', '--model', model('sum.cjs'), '--input', input, '--errors', folder.at('e.jsonl')];
    const { status } = flambeau([...args, '--output', folder.at('o.safetensors')]);
    expect(status).toBe(1);
    const { output, row } = torch.safetensors.loadFile(folder.at('o.safetensors'));
    expect([values(output!), values(row!)]).toEqual([
      [3, 7],
      [0, 4],
    ]);
    expect(records(folder.read('e.jsonl')).map(({ line, message }) => [line, message])).toEqual([
      [2, 'it has 1 values, the rows before have 2'],
      [3, '"x" is not a number'],
      [4, 'it is not JSON'],
    ]);
  });

  test('takes rows that the model refuses, unless it refuses all', () => {
    const input = folder.write('picky.csv', '1,2\n-1,2\n3,4\n5,-6\n');
    const run = (file: string): Result =>
      flambeau([
        ...['infer', '--model', model('picky.cjs'), '--input', file, '--output', folder.at('o.jsonl')],
        ...['--errors', folder.at('e.jsonl')],
      ]);
    expect(run(input).status).toBe(1);
    expect(records(folder.read('o.jsonl')).map(({ row }) => row)).toEqual([0, 2]);
    expect(records(folder.read('e.jsonl'))).toEqual([
      { file: input, line: 2, row: 1, message: 'a negative number' },
      { file: input, line: 4, row: 3, message: 'a negative number' },
    ]);
    const none = run(folder.write('none.csv', '-1,2\n-3,4\n'));
    expect([none.status, none.stderr]).toEqual([3, expect.stringContaining('a negative number')]);
  });

  test('is empty where all rows are good, and goes beside standard output', () => {
    const { status, stdout, stderr } = infer('sum.cjs', '-', '--errors', folder.at('none.jsonl'));
    expect([status, stderr]).toEqual([0, expect.stringMatching(DONE)]);
    expect([records(stdout).length, folder.read('none.jsonl')]).toEqual([3, '']);
  });
});
