// The command line, as a program: what it writes, and how it fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import torch, { nn } from 'flambeau';

const main = path.join(__dirname, '..', '..', 'dist', 'cli', 'main.js');
const models = path.join(__dirname, 'models');
let folder: string;
const at = (name: string): string => path.join(folder, name);
const write = (name: string, text: string | Uint8Array): string => {
  writeFileSync(at(name), text);
  return at(name);
};

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'flambeau-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}
function flambeau(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
/** `flambeau infer` on one input; the lines of its output. */
function infer(model: string, input: string, ...args: string[]): Record<string, unknown>[] {
  const output = at('out.jsonl');
  const { status, stderr } = flambeau(
    'infer',
    '--model',
    path.join(models, model),
    '--input',
    input,
    '--output',
    output,
    ...args,
  );
  expect(stderr).toMatch(/^\d+ rows in \d+\.\d\d s, \d+ rows\/s\n$/);
  expect(status).toBe(0);
  return readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
/** A run that must fail with one message and leave no output. */
function refused(message: string | RegExp, ...args: string[]): void {
  const output = at('refused.jsonl');
  const { status, stderr } = flambeau('infer', ...args, '--output', output);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^flambeau: /);
  expect(stderr).not.toMatch(/\n {4}at /);
  expect(status).toBe(1);
  expect(existsSync(output)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
}
const linear = path.join(models, 'linear.cjs');
const sum = path.join(models, 'sum.cjs');

/** A checkpoint whose model answers [a + b, c]. */
function checkpoint(name: string, wrap: (state: unknown) => unknown = (s) => s): string {
  const state = new Map([
    [
      'fc.weight',
      torch.tensor(
        [
          [1, 1, 0],
          [0, 0, 1],
        ],
        { dtype: torch.float32 },
      ),
    ],
    ['fc.bias', torch.zeros(2)],
  ]);
  torch.save(wrap(state), at(name));
  return at(name);
}

describe('infer', () => {
  const rows = '1,2,0.5\n-1,0,4\n0,0,0.25\n';

  test('writes a line per row, in order, for any batch size', () => {
    const input = write('rows.csv', rows);
    const wanted = [
      { row: 0, prediction: 0, output: [3, 0.5] },
      { row: 1, prediction: 1, output: [-1, 4] },
      { row: 2, prediction: 1, output: [0, 0.25] },
    ];
    for (const size of ['1', '2', '256']) {
      expect(infer('linear.cjs', input, '--checkpoint', checkpoint('model.pt'), '--batch-size', size)).toEqual(wanted);
    }
  });

  test('takes weights from a training checkpoint and from safetensors', () => {
    const input = write('rows.csv', rows);
    const nested = checkpoint('training.pt', (state) => ({ epoch: 3, model_state_dict: state }));
    expect(infer('linear.cjs', input, '--checkpoint', nested)[0]).toEqual({ row: 0, prediction: 0, output: [3, 0.5] });
    torch.safetensors.saveFile({ 'fc.weight': torch.ones(2, 3), 'fc.bias': torch.zeros(2) }, at('model.safetensors'));
    expect(infer('linear.cjs', input, '--checkpoint', at('model.safetensors'))[0]!['output']).toEqual([3.5, 3.5]);
  });

  test('--softmax and --top-k', () => {
    const input = write('rows.csv', rows);
    const [line] = infer('linear.cjs', input, '--checkpoint', checkpoint('model.pt'), '--softmax', '--top-k', '1');
    const top = 1 / (1 + Math.exp(-2.5));
    expect(line).toEqual({ row: 0, prediction: 0, top: [{ index: 0, value: expect.closeTo(top, 6) as number }] });
  });

  test('reads headers, quotes, blank lines and columns by name, number and range', () => {
    const input = write('named.csv', '\uFEFFid,"a",b,c\r\n7,1,"2",3\r\n\r\n8,4,5,6e0\r\n');
    expect(infer('sum.cjs', input, '--header', '--columns', 'c,a').map((l) => l['output'])).toEqual([4, 10]);
    expect(infer('sum.cjs', input, '--header', '--columns', '1-3').map((l) => l['output'])).toEqual([6, 15]);
    expect(infer('sum.cjs', input, '--header').map((l) => l['output'])).toEqual([13, 23]);
  });

  test('reads JSON lines: arrays, nested arrays and objects', () => {
    expect(infer('sum.cjs', write('a.jsonl', '[1, 2.5]\n[3, 4]\n')).map((l) => l['output'])).toEqual([3.5, 7]);
    expect(infer('sum.cjs', write('b.jsonl', '[[1, 2], [3, 4]]\n')).map((l) => l['output'])).toEqual([10]);
    const objects = write('c.jsonl', '{"x": 1, "y": 2, "name": "p"}\n{"y": 5, "x": 3}\n');
    expect(infer('sum.cjs', objects, '--columns', 'y,x').map((l) => l['output'])).toEqual([3, 8]);
  });

  test.each(['float32', 'float64', 'int64', 'uint8'] as const)('reads .npy of %s piece by piece', (dtype) => {
    const t = torch.arange(0, 21).reshape(7, 3).to(torch[dtype]);
    const input = write('t.npy', torch.toNumpy(t));
    expect(infer('sum.cjs', input, '--batch-size', '2').map((l) => l['output'])).toEqual([3, 12, 21, 30, 39, 48, 57]);
    expect(infer('sum.cjs', input, '--columns', '2,0').map((l) => l['output'])).toEqual([2, 8, 14, 20, 26, 32, 38]);
  });

  test('results in arrays and objects keep their form', () => {
    expect(infer('pair.mjs', write('p.csv', '1,2\n3,0\n'))).toEqual([
      { row: 0, output: { twice: [2, 4], least: 1 } },
      { row: 1, output: { twice: [6, 0], least: 0 } },
    ]);
  });

  test('--dtype converts rows and model; - writes to standard output', () => {
    const input = write('d.csv', '0.1,0.2,0.3\n');
    const run = (dtype: string): string => {
      const args = [
        '--model',
        linear,
        '--checkpoint',
        checkpoint('model.pt'),
        '--input',
        input,
        '--output',
        '-',
        '--dtype',
        dtype,
      ];
      return flambeau('infer', ...args).stdout;
    };
    expect(JSON.parse(run('float64'))).toEqual({ row: 0, prediction: 0, output: [0.1 + 0.2, 0.3] });
    expect(JSON.parse(run('float32'))).toEqual({ row: 0, prediction: 0, output: [0.3, 0.3] });
  });

  test('a file of the same name is replaced only by a whole one', () => {
    const output = write('kept.jsonl', 'before\n');
    const input = write('late.csv', `${'1,2,3\n'.repeat(1000)}1,2,x\n`);
    const failed = flambeau('infer', '--model', sum, '--input', input, '--output', output, '--batch-size', '10');
    expect(failed.status).toBe(1);
    expect(readFileSync(output, 'utf8')).toBe('before\n');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('mistakes in the rows end in one message', () => {
    const from = (text: string, name = 'bad.csv'): string[] => ['--model', sum, '--input', write(name, text)];
    refused('line 2, column 1: "two" is not a number', ...from('1,2\n1,two\n'));
    refused('line 2 has 1 values, the rows before have 2', ...from('1,2\n1\n'));
    refused('column 1: "" is not a number', ...from('1,\n'));
    refused('holds no rows', ...from(''));
    refused('Invalid Opening Quote', ...from('1,2"3"\n'));
    refused("has no column 'z'; it has a, b", ...from('a,b\n1,2\n'), '--header', '--columns', 'z');
    refused("--columns names 'z', but", ...from('1,2\n'), '--columns', 'z');
    refused('but column 7 is asked for', ...from('1,2\n'), '--columns', '7');
    refused('line 2 is not JSON', ...from('[1]\n{x\n', 'bad.jsonl'));
    refused('line 1: "a" is not a number', ...from('["a"]\n', 'bad.jsonl'));
    refused('arrays are of uneven lengths', ...from('[[1], [2, 3]]\n', 'bad.jsonl'));
    refused('line 1 is neither an array nor an object', ...from('3\n', 'bad.jsonl'));
    refused('it is not a .npy file', ...from('not numpy at all', 'bad.npy'));
    refused('the input must be a .csv, .jsonl or .npy file', ...from('1', 'bad.txt'));
    refused('no such file', '--model', sum, '--input', at('nowhere.csv'));
    refused('no such file', '--model', sum, '--input', at('nowhere.jsonl'));
    refused('no such file', '--model', sum, '--input', at('nowhere.npy'));
    const cut = torch.toNumpy(torch.ones(4, 3));
    refused('the file ends too early', '--model', sum, '--input', write('cut.npy', cut.subarray(0, cut.length - 5)));
  });

  test('mistakes in models and checkpoints end in one message', () => {
    const input = write('three.csv', '1,2,3\n');
    refused('no such file', '--model', at('nowhere.js'), '--input', input);
    refused('exports no model', '--model', path.join(models, 'none.cjs'), '--input', input);
    refused('this file is broken', '--model', path.join(models, 'broken.cjs'), '--input', input);
    refused('the first size must be that of the rows', '--model', path.join(models, 'mean.cjs'), '--input', input);
    refused(
      'the model does not take rows of this shape ([1, 2])',
      '--model',
      linear,
      '--input',
      write('two.csv', '1,2\n'),
    );
    refused('no such file', '--model', linear, '--checkpoint', at('nowhere.pt'), '--input', input);
    torch.save(new nn.Linear(3, 2).stateDict(), at('other.pt'));
    refused(
      /does not fit the model: .*Missing key\(s\) in state_dict: "fc.weight"/s,
      '--model',
      linear,
      '--checkpoint',
      at('other.pt'),
      '--input',
      input,
    );
    refused(
      'cannot read the checkpoint',
      '--model',
      linear,
      '--checkpoint',
      write('junk.pt', 'junk'),
      '--input',
      input,
    );
    refused('--top-k needs results of shape [rows, classes]', '--model', sum, '--input', input, '--top-k', '2');
    const nowhere = path.join(folder, 'no', 'folder.jsonl');
    const { status, stderr } = flambeau('infer', '--model', sum, '--input', input, '--output', nowhere);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^flambeau: cannot write .*no such file or folder\n$/)]);
  });

  test('wrong usage is told with the way to help', () => {
    for (const args of [
      ['infer'],
      ['infer', '--model', sum, '--input', 'x.csv', '--output', 'y', '--batch-size', '0'],
      ['nothing'],
    ]) {
      const { status, stderr } = flambeau(...args);
      expect(status).toBe(1);
      expect(stderr).toMatch(/error: /);
    }
    expect(flambeau('--help').status).toBe(0);
    expect(flambeau('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('inspect', () => {
  test('lists keys, types, shapes, bytes and values', () => {
    torch.save({ epoch: 3, model: new nn.Linear(3, 2).stateDict() }, at('inspect.pt'));
    const { status, stdout } = flambeau('inspect', at('inspect.pt'));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /key +dtype +shape +bytes\nmodel\.weight +float32 +\[2, 3\] +24 B\nmodel\.bias +float32 +\[2\] +8 B\n/,
    );
    expect(stdout).toMatch(/\nepoch +3\n/);
    expect(stdout).toMatch(/\n2 tensors, 8 parameters, 32 B\n$/);
  });

  test('--json', () => {
    torch.safetensors.saveFile({ a: torch.zeros(2, 2, { dtype: torch.float16 }) }, at('inspect.safetensors'));
    const report = JSON.parse(flambeau('inspect', '--json', at('inspect.safetensors')).stdout) as Record<
      string,
      unknown
    >;
    expect(report).toMatchObject({
      format: 'safetensors',
      tensors: [{ key: 'a', dtype: 'float16', shape: [2, 2], bytes: 8 }],
      parameters: 4,
      bytes: 8,
    });
  });

  test('a file that is missing or none of the formats ends in one message', () => {
    for (const file of [at('nowhere.pt'), write('text.pt', 'just text')]) {
      const { status, stderr } = flambeau('inspect', file);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^flambeau: cannot read .*\n$/);
    }
  });
});
