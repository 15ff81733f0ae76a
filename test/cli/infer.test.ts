// flambeau infer over single files: rows, models, checkpoints, mistakes.
import { existsSync, readFileSync } from 'node:fs';
import torch, { nn } from 'flambeau';
import { DONE, flambeau, Folder, model, records, type Result } from './run';

const folder = new Folder();
const write = (name: string, text: string | Uint8Array): string => folder.write(name, text);
const at = (name: string): string => folder.at(name);

/** `flambeau infer` on one input; the lines of its output. */
function infer(name: string, input: string, ...args: string[]): Record<string, unknown>[] {
  const output = at('out.jsonl');
  const { status, stderr } = flambeau(['infer', '--model', model(name), '--input', input, '--output', output, ...args]);
  expect(stderr).toMatch(DONE);
  expect(status).toBe(0);
  return records(readFileSync(output, 'utf8'));
}
/** A run that must fail with one message and leave nothing. */
function refused(message: string | RegExp, ...args: string[]): void {
  const output = at('refused.jsonl');
  const { status, stderr } = flambeau(['infer', ...args, '--output', output]);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^flambeau: /);
  expect(stderr).not.toMatch(/\n {4}at /);
  expect(status).toBe(3);
  expect(existsSync(output)).toBe(false);
  expect(folder.partial()).toEqual([]);
}
const linear = model('linear.cjs');
const sum = model('sum.cjs');

/** A checkpoint whose model answers [a + b, c]. */
function checkpoint(name: string, wrap: (state: unknown) => unknown = (s) => s): string {
  const weight = torch
    .tensor([
      [1, 1, 0],
      [0, 0, 1],
    ])
    .to(torch.float32);
  const state = new Map([
    ['fc.weight', weight],
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
      const args = ['--model', linear, '--checkpoint', checkpoint('model.pt'), '--input', input, '--output', '-'];
      return flambeau(['infer', ...args, '--dtype', dtype]).stdout;
    };
    expect(JSON.parse(run('float64'))).toEqual({ row: 0, prediction: 0, output: [0.1 + 0.2, 0.3] });
    expect(JSON.parse(run('float32'))).toEqual({ row: 0, prediction: 0, output: [0.3, 0.3] });
  });

  test('a file of the same name is replaced only by a whole one', () => {
    const output = write('kept.jsonl', 'before\n');
    const input = write('late.csv', `${'1,2,3\n'.repeat(1000)}1,2,x\n`);
    const args = ['infer', '--model', sum, '--input', input, '--output', output, '--batch-size', '10'];
    const failed = flambeau(args);
    expect([failed.status, failed.stderr]).toEqual([3, expect.stringContaining('line 1001: column 2: "x" is not')]);
    expect(failed.stderr).toContain('1000 rows are kept in');
    expect(readFileSync(output, 'utf8')).toBe('before\n');
    expect(folder.partial()).toEqual(['kept.jsonl.partial', 'kept.jsonl.partial.json']);
    write('late.csv', '1,2,3\n'.repeat(3));
    const again = flambeau(args);
    expect([again.status, again.stderr]).toEqual([
      0,
      expect.stringContaining('1000 rows of an interrupted job are dropped'),
    ]);
    expect(records(readFileSync(output, 'utf8'))).toHaveLength(3);
    expect(folder.partial()).toEqual([]);
  });

  test('mistakes in the rows end in one message', () => {
    const from = (text: string, name = 'bad.csv'): string[] => ['--model', sum, '--input', write(name, text)];
    refused('line 2: column 1: "two" is not a number', ...from('1,2\n1,two\n'));
    refused('line 2: it has 1 values, the rows before have 2', ...from('1,2\n1\n'));
    refused('column 1: "" is not a number', ...from('1,\n'));
    refused('there are no rows', ...from(''));
    refused('Invalid Opening Quote', ...from('1,2"3"\n'));
    refused("bad.csv: there is no column 'z'; there are a, b", ...from('a,b\n1,2\n'), '--header', '--columns', 'z');
    refused('but column 7 is asked for', ...from('1,2\n'), '--columns', '7');
    refused('line 2: it is not JSON', ...from('[1]\n{x\n', 'bad.jsonl'));
    refused('line 1: "a" is not a number', ...from('["a"]\n', 'bad.jsonl'));
    refused('arrays are of uneven lengths', ...from('[[1], [2, 3]]\n', 'bad.jsonl'));
    refused('line 1: it is neither an array nor an object', ...from('3\n', 'bad.jsonl'));
    refused('bad.npy is neither a .npy, .npz nor safetensors file', ...from('not numpy at all', 'bad.npy'));
    refused('no such file', '--model', sum, '--input', at('nowhere.csv'));
    refused('no such file', '--model', sum, '--input', at('nowhere.jsonl'));
    refused('no such file', '--model', sum, '--input', at('nowhere.npy'));
    const cut = torch.toNumpy(torch.ones(4, 3));
    refused(
      'cut.npy: the .npy file ends early',
      '--model',
      sum,
      '--input',
      write('cut.npy', cut.subarray(0, cut.length - 5)),
    );
  });

  test('mistakes in models and checkpoints end in one message', () => {
    const input = write('three.csv', '1,2,3\n');
    refused('no such file', '--model', at('nowhere.js'), '--input', input);
    refused('exports no model', '--model', model('none.cjs'), '--input', input);
    refused('this file is broken', '--model', model('broken.cjs'), '--input', input);
    refused('the first size must be that of the rows', '--model', model('mean.cjs'), '--input', input);
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
    refused('cannot read', '--model', linear, '--checkpoint', write('junk.pt', 'junk'), '--input', input);
    refused('--top-k needs results of shape [rows, classes]', '--model', sum, '--input', input, '--top-k', '2');
    const nowhere = folder.at('no', 'folder.jsonl');
    const { status, stderr } = flambeau(['infer', '--model', sum, '--input', input, '--output', nowhere]);
    expect([status, stderr]).toEqual([3, expect.stringMatching(/^flambeau: cannot write .*no such file or folder\n$/)]);
  });

  test('wrong usage is told with the way to help, and begins nothing', () => {
    const some = ['--model', sum, '--input', write('u.csv', '1,2\n'), '--output', at('u.jsonl')];
    const told = (args: string[]): Result => {
      const result = flambeau(args);
      expect([args, result.status]).toEqual([args, 2]);
      return result;
    };
    for (const args of [
      ['infer'],
      ['nothing'],
      ['infer', ...some, '--batch-size', '0'],
      ['infer', ...some, '--shape', '0'],
    ])
      expect(told(args).stderr).toMatch(/error: .*\(add --help for usage\)\n$/s);
    for (const [message, ...args] of [
      ["--columns names 'z', but without --header there are no names", ...some, '--columns', 'z'],
      [
        'the format is not known by the name',
        '--model',
        sum,
        '--input',
        write('u.txt', '1'),
        '--output',
        at('u.jsonl'),
      ],
      ['results are written as', '--model', sum, '--input', at('u.csv'), '--output', at('u.parquet')],
      ['npy needs an --output that is a file', ...some.slice(0, 4), '--output', '-', '--output-format', 'npy'],
      ['--resume needs an --output and an --input', ...some.slice(0, 4), '--output', '-', '--resume'],
      ['--errors and --output are the same file', ...some, '--errors', at('u.jsonl')],
      ['--device cuda', ...some, '--device', 'cuda'],
      ['--std must not be 0', ...some, '--std', '0'],
      ['--mean and --std need a floating-point --dtype', ...some, '--mean', '1', '--dtype', 'int64'],
      [
        '--input - reads standard input, which needs --input-format',
        '--model',
        sum,
        '--input',
        '-',
        '--output',
        at('u.jsonl'),
      ],
    ] as const) {
      const { stderr } = told(['infer', ...args]);
      expect(stderr).toMatch(/^flambeau: /);
      expect(stderr).toContain(message);
    }
    expect([folder.exists('u.jsonl'), folder.partial()]).toEqual([false, []]);
  });

  test('help is everywhere', () => {
    for (const args of [
      [],
      ...['infer', 'inspect', 'convert', 'diff', 'verify', 'summary', 'bench'].map((name) => [name]),
    ]) {
      const { status, stdout } = flambeau([...args, '--help']);
      expect([args, status, stdout]).toEqual([args, 0, expect.stringMatching(/^Usage: flambeau /)]);
    }
    expect(flambeau(['--help']).stdout).toMatch(/Exit codes: 0 done; 1 done, and the answer is no/);
    expect(flambeau(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
