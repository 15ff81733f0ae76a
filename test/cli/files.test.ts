// flambeau inspect, convert, diff, verify: files of tensors.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { nn, type Tensor } from 'flambeau';
import { flambeau, Folder, lines, model, type Result } from './run';

const folder = new Folder();
const fixture = (name: string): string => path.join(__dirname, '..', 'fixtures', 'serialization', name);

/** The output of a command that must succeed. */
function good(...args: string[]): string {
  const { status, stdout, stderr } = flambeau(args);
  expect([args, status, status === 0 ? '' : stderr]).toEqual([args, 0, '']);
  return stdout;
}
const json = <T>(...args: string[]): T => JSON.parse(flambeau([...args, '--json']).stdout) as T;

const state = (): Map<string, Tensor> => {
  torch.manualSeed(1);
  return new nn.Sequential(new nn.Linear(3, 2), new nn.BatchNorm1d(2)).stateDict() as Map<string, Tensor>;
};

/** An index and its two files. */
function sharded(second: Record<string, Tensor> = { b: torch.ones(2) }): string {
  torch.safetensors.saveFile({ a: torch.zeros(2, 3) }, folder.at('part-1.safetensors'));
  torch.safetensors.saveFile(second, folder.at('part-2.safetensors'));
  const index = { metadata: {}, weight_map: { a: 'part-1.safetensors', b: 'part-2.safetensors' } };
  return folder.write('model.safetensors.index.json', JSON.stringify(index));
}

describe('inspect', () => {
  test('shows a tree of keys with types, shapes and sizes, shared storages, and other values', () => {
    const weight = torch.zeros(2, 3);
    torch.save({ epoch: 3, model: { in: { weight }, out: { weight, bias: torch.ones(2) } } }, folder.at('tree.pt'));
    const [head, ...rest] = lines(good('inspect', folder.at('tree.pt')));
    expect(head).toMatch(/tree\.pt: pytorch, \d\.\d\d KiB$/);
    expect(rest).toEqual([
      '',
      'key           dtype    shape   bytes',
      'model',
      '├─ in',
      '│  └─ weight  float32  [2, 3]  24 B',
      '└─ out',
      '   ├─ weight  float32  [2, 3]  24 B',
      '   └─ bias    float32  [2]     8 B',
      '',
      'shared storages',
      '  model.in.weight = model.out.weight',
      '',
      'epoch  3',
      '',
      '3 tensors, 14 parameters, 32 B',
    ]);
  });

  test('--stats tells of finite elements, and counts the others', () => {
    const t = torch.tensor([1, 2, 3, 6, 0, NaN, Infinity, -Infinity]);
    torch.safetensors.saveFile(
      { t, none: torch.zeros(0), whole: torch.tensor([true, false]) },
      folder.at('s.safetensors'),
    );
    const { tensors } = json<{ tensors: { key: string; stats: unknown }[] }>(
      'inspect',
      '--stats',
      folder.at('s.safetensors'),
    );
    const stats = Object.fromEntries(tensors.map((row) => [row.key, row.stats]));
    expect(stats['t']).toEqual({
      ...{
        min: 0,
        max: 6,
        mean: expect.closeTo(2.4, 12) as number,
        std: expect.closeTo(Math.sqrt(21.2 / 5), 12) as number,
      },
      ...{ zeros: 1, nan: 1, inf: 2 },
    });
    expect(stats['none']).toEqual({ min: null, max: null, mean: null, std: null, zeros: 0, nan: 0, inf: 0 });
    expect(stats['whole']).toMatchObject({ min: 0, max: 1, mean: 0.5, zeros: 1 });
    expect(good('inspect', '--stats', folder.at('s.safetensors'))).toMatch(
      / t +float32 +\[8\] +32 B +0 +6 +2\.4 +2\.0591 +1 zero, 1 nan, 2 inf\n|^t +float32/m,
    );
    // A tensor of more elements than are looked at together.
    const large = torch.arange(0, 3_000_000).to(torch.float64);
    torch.safetensors.saveFile({ large }, folder.at('l.safetensors'));
    const [row] = json<{ tensors: { stats: { mean: number; std: number } }[] }>(
      'inspect',
      '--stats',
      folder.at('l.safetensors'),
    ).tensors;
    expect(row!.stats.mean).toBeCloseTo(1_499_999.5, 6);
    expect(row!.stats.std / Math.sqrt((3e6 ** 2 - 1) / 12)).toBeCloseTo(1, 12);
  });

  test('--json, of every format', () => {
    torch.safetensors.saveFile({ a: torch.zeros(2, 2, { dtype: torch.float16 }) }, folder.at('i.safetensors'));
    expect(json('inspect', folder.at('i.safetensors'))).toMatchObject({
      format: 'safetensors',
      tensors: [{ key: 'a', dtype: 'float16', shape: [2, 2], bytes: 8 }],
      shared: [],
      parameters: 4,
      bytes: 8,
    });
    for (const [file, format] of [
      [fixture('checkpoint_legacy.pt'), 'pytorch (legacy)'],
      [fixture('torchscript.pt'), 'torchscript'],
      [fixture('deflated.npz'), 'npz'],
      [fixture('matrix.npy'), 'npy'],
      [sharded(), 'sharded'],
    ] as const)
      expect(json<{ format: string }>('inspect', file).format).toBe(format);
    expect(json('inspect', sharded())).toMatchObject({ tensors: [{ key: 'a' }, { key: 'b' }], bytes: 32 });
  });

  test('of whole modules, sparse and quantized tensors', () => {
    torch.save(new nn.Sequential(new nn.Linear(2, 2)), folder.at('module.pt'));
    const { tensors } = json<{ tensors: { key: string; stats?: unknown }[] }>(
      'inspect',
      '--stats',
      folder.at('module.pt'),
    );
    expect(tensors.every((t) => t.stats !== undefined)).toBe(true);
    for (const name of ['sparse.pt', 'quantized.pt']) {
      const { tensors } = json<{ tensors: { layout: string; stats?: unknown }[] }>('inspect', '--stats', fixture(name));
      expect(tensors.length).toBeGreaterThan(0);
      for (const t of tensors) expect([typeof t.layout, typeof t.stats]).toEqual(['string', 'object']);
    }
  });

  test('a file that is missing or none of the formats ends in one message', () => {
    for (const file of [folder.at('nowhere.pt'), folder.write('text.pt', 'just text'), folder.at()]) {
      const { status, stderr } = flambeau(['inspect', file]);
      expect([status, stderr]).toEqual([3, expect.stringMatching(/^flambeau: cannot read .*\n$/)]);
    }
  });
});

describe('convert', () => {
  const check = (file: string, wanted: Map<string, Tensor>): void => {
    torch.save(wanted, folder.at('wanted.pt'));
    expect(good('diff', folder.at('wanted.pt'), file)).toBe('no difference in 7 tensors\n');
  };

  test('any format into any other, and back', () => {
    const wanted = state();
    torch.save(state(), folder.at('0.pt'));
    let from = folder.at('0.pt');
    const steps = [
      'npz',
      'safetensors',
      'legacy',
      'safetensors',
      'pt',
      'npz',
      'pt',
      'legacy',
      'npz',
      'legacy',
      'pt',
      'safetensors',
    ];
    for (const [i, to] of steps.entries()) {
      const next = folder.at(`${i + 1}.${to === 'legacy' ? 'pt' : to}`);
      good('convert', from, next, ...(to === 'legacy' ? ['--to', 'legacy'] : []));
      expect(torch.inspectFile(next).format).toBe({ legacy: 'pytorch (legacy)', pt: 'pytorch' }[to] ?? to);
      check(next, wanted);
      from = next;
    }
    // Tensors by name are a state dict again.
    expect(torch.load(folder.at('11.pt'))).toBeInstanceOf(torch.StateDict);
  }, 120_000);

  test('--dtype casts floating-point tensors, and those that are tied stay tied', () => {
    const weight = torch.randn(2, 3);
    torch.save({ a: weight, b: weight, n: torch.arange(0, 3), epoch: 3 }, folder.at('tied.pt'));
    good('convert', folder.at('tied.pt'), folder.at('half.pt'), '--dtype', 'bfloat16');
    const { a, b, n, epoch } = torch.load<Record<string, Tensor>>(folder.at('half.pt'));
    expect([a!.dtype, n!.dtype, epoch, a!.dataPtr() === b!.dataPtr()]).toEqual([torch.bfloat16, torch.int64, 3, true]);
    expect(torch.equal(a!, weight.to(torch.bfloat16))).toBe(true);
  });

  test('--key takes a part, --tensors-only leaves out what is none', () => {
    const source = fixture('checkpoint.pt');
    const refused = flambeau(['convert', source, folder.at('c.safetensors')]);
    expect([refused.status, refused.stderr]).toEqual([
      3,
      expect.stringContaining('there are other values: epoch, best'),
    ]);
    expect(folder.exists('c.safetensors')).toBe(false);
    good('convert', source, folder.at('c.safetensors'), '--key', 'model');
    expect(Object.keys(torch.safetensors.loadFile(folder.at('c.safetensors')))).toContain('fc1.weight');
    const { status, stderr } = flambeau(['convert', source, folder.at('d.npz'), '--tensors-only']);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/left out \d+ values that are no tensors/)]);
    good('convert', source, folder.at('e.npy'), '--key', 'model.fc1.weight');
    expect([...torch.fromNumpy(readFileSync(folder.at('e.npy'))).shape]).toEqual([6, 4]);
    for (const [message, ...args] of [
      ["there is no 'nothing'; at the top are epoch", source, folder.at('x.pt'), '--key', 'nothing'],
      ['a .npy file holds one array, but there are 9', source, folder.at('x.npy'), '--key', 'model'],
      ['NumPy has no type for torch.bfloat16', source, folder.at('x.npz'), '--key', 'model', '--dtype', 'bfloat16'],
      ['is a sparse tensor, which the format cannot hold', fixture('sparse.pt'), folder.at('x.safetensors')],
      ['it holds a program', fixture('torchscript.pt'), folder.at('x.pt')],
    ] as const) {
      const { status, stderr } = flambeau(['convert', ...args]);
      expect([status, stderr]).toEqual([3, expect.stringContaining(message)]);
    }
    expect(flambeau(['convert', source, folder.at('x.unknown')]).status).toBe(2);
  });

  test('keeps what safetensors carry along, joins shards, and keeps sparse and quantized tensors in .pt', () => {
    torch.safetensors.saveFile({ a: torch.zeros(2) }, folder.at('m.safetensors'), {
      format: 'pt',
      licence: 'x'.repeat(200),
    });
    good('convert', folder.at('m.safetensors'), folder.at('n.safetensors'), '--dtype', 'float64');
    expect(torch.safetensors.loadMetadata(folder.at('n.safetensors'))).toEqual({
      format: 'pt',
      licence: 'x'.repeat(200),
    });
    good('convert', sharded(), folder.at('joined.safetensors'));
    expect(Object.keys(torch.safetensors.loadFile(folder.at('joined.safetensors'))).sort()).toEqual(['a', 'b']);
    for (const name of ['sparse.pt', 'quantized.pt']) {
      good('convert', fixture(name), folder.at(name), '--dtype', 'float16');
      good('diff', fixture(name), folder.at(name));
    }
  });
});

describe('diff', () => {
  const one = { a: torch.tensor([1, 2, NaN]), b: torch.zeros(2, 2), n: torch.arange(0, 2), epoch: 3, list: [1, 'x'] };
  const save = (name: string, value: unknown): string => {
    torch.save(value, folder.at(name));
    return folder.at(name);
  };
  const diff = (second: unknown, ...args: string[]): Result =>
    flambeau(['diff', save('one.pt', one), save('two.pt', second), ...args]);

  test('of equal files ends with 0', () => {
    const { status, stdout } = diff({ ...one, a: one.a.clone() });
    expect([status, stdout]).toEqual([0, 'no difference in 3 tensors\n']);
  });

  test('of others ends with 1 and names every difference, the largest first', () => {
    const { status, stdout } = diff({
      ...{ a: torch.tensor([1, 2.5, 0]), b: torch.full([2, 2], 0.25), n: torch.arange(0, 2).to(torch.int32) },
      ...{ epoch: 4, list: [1, 'x'], extra: torch.ones(1) },
    });
    expect(status).toBe(1);
    expect(lines(stdout)).toEqual([
      'n      dtype            int64 -> int32',
      'extra  only in second   float32 [1]',
      'epoch  value            3 -> 4',
      'a      2 of 3 elements  largest Infinity, relative Infinity',
      'b      4 of 4 elements  largest 0.25, relative 1',
      '',
      '5 differences',
    ]);
    const shapes = diff({ ...one, a: torch.zeros(2), b: one.b.reshape(4) }, '--json');
    expect(JSON.parse(shapes.stdout)).toMatchObject({
      same: false,
      tensors: 3,
      differences: [
        { key: 'a', kind: 'shape', first: [3], second: [2] },
        { key: 'b', kind: 'shape', first: [2, 2], second: [4] },
      ],
    });
  });

  test('allows what --atol and --rtol allow', () => {
    const near = { ...one, a: torch.tensor([1.001, 2, NaN]), b: torch.full([2, 2], 1e-4) };
    expect(diff(near).status).toBe(1);
    expect(diff(near, '--atol', '1e-4').stdout).toMatch(
      /^a +1 of 3 elements +largest 0\.00\d+, relative 0\.00\d+\n\n1 diff/,
    );
    expect(diff(near, '--atol', '1.1e-4', '--rtol', '0.01').status).toBe(0);
  });

  test('compares parts, and files of other formats', () => {
    save('nested.pt', { model: state(), epoch: 1 });
    torch.safetensors.saveFile(state(), folder.at('flat.safetensors'));
    good('convert', folder.at('nested.pt'), folder.at('part.pt'), '--key', 'model');
    expect(flambeau(['diff', folder.at('part.pt'), folder.at('flat.safetensors')]).status).toBe(0);
    expect(flambeau(['diff', folder.at('nested.pt'), folder.at('nested.pt'), '--key', 'model']).status).toBe(0);
    const missing = flambeau(['diff', folder.at('flat.safetensors'), folder.at('nowhere.pt')]);
    expect([missing.status, missing.stderr]).toEqual([
      3,
      expect.stringMatching(/^flambeau: cannot read .*nowhere\.pt/),
    ]);
  });
});

describe('verify', () => {
  test('tells whole files from damaged ones', () => {
    const bytes = new Uint8Array(readFileSync(fixture('checkpoint.pt')));
    bytes[bytes.length >> 1]! ^= 1;
    const bad = folder.write('bad.pt', bytes);
    const files = [fixture('checkpoint.pt'), fixture('tensors.safetensors'), fixture('deflated.npz'), sharded()];
    expect(lines(good('verify', ...files)).map((line) => line.slice(0, 6))).toEqual(Array(4).fill('whole '));
    const { status, stdout } = flambeau(['verify', fixture('matrix.npy'), bad]);
    expect([status, lines(stdout)]).toEqual([
      1,
      [expect.stringMatching(/^whole /), expect.stringMatching(/^damaged /)],
    ]);
    expect(json('verify', fixture('matrix.npy'), bad)).toMatchObject([
      { whole: true, format: 'npy' },
      { whole: false },
    ]);
    expect(flambeau(['verify', folder.at('nowhere.pt')]).status).toBe(3);
  });

  test('finds shards that are missing, damaged, or not what the index says', () => {
    const problem = (index: string): string => {
      const { status, stdout } = flambeau(['verify', index]);
      expect([status, stdout]).toEqual([1, expect.stringMatching(/^damaged /)]);
      return stdout;
    };
    expect(problem(sharded({ c: torch.ones(2) }))).toMatch(/part-2\.safetensors lacks/);
    const index = sharded();
    const part = readFileSync(folder.at('part-2.safetensors'));
    folder.write('part-2.safetensors', part.subarray(0, part.length - 1));
    problem(index);
    folder.write('model.safetensors.index.json', '{"weight_map":{"a":"part-1.safetensors","b":"gone.safetensors"}}');
    expect(problem(index)).toMatch(/gone\.safetensors/);
  });
});

test('infer takes a whole module, and shards as weights', () => {
  const net = new nn.Sequential(new nn.Linear(3, 2), new nn.ReLU());
  torch.save(net, folder.at('whole.pt'));
  const input = folder.write('rows.csv', '1,2,3\n4,5,6\n');
  const args = ['infer', '--model', folder.at('whole.pt'), '--input', input, '--output', folder.at('out.npy')];
  expect(flambeau(args)).toMatchObject({ status: 0 });
  const found = torch.fromNumpy(readFileSync(folder.at('out.npy')));
  const wanted = torch.noGrad(() =>
    net(
      torch
        .tensor([
          [1, 2, 3],
          [4, 5, 6],
        ])
        .to(torch.float32),
    ),
  ) as Tensor;
  expect(torch.allclose(found, wanted)).toBe(true);
  torch.save(net.stateDict(), folder.at('weights.pt'));
  const weights = flambeau(['infer', '--model', folder.at('weights.pt'), ...args.slice(3)]);
  expect([weights.status, weights.stderr]).toEqual([
    3,
    expect.stringContaining('holds no whole module; if it holds weights, name'),
  ]);

  torch.safetensors.saveFile({ 'fc.weight': torch.ones(2, 3) }, folder.at('part-1.safetensors'));
  torch.safetensors.saveFile({ 'fc.bias': torch.ones(2) }, folder.at('part-2.safetensors'));
  const map = { 'fc.weight': 'part-1.safetensors', 'fc.bias': 'part-2.safetensors' };
  const index = folder.write('fc.safetensors.index.json', JSON.stringify({ weight_map: map }));
  const given = [
    '--model',
    model('linear.cjs'),
    '--checkpoint',
    index,
    '--input',
    input,
    '--output',
    folder.at('out.npy'),
  ];
  expect(flambeau(['infer', ...given])).toMatchObject({ status: 0 });
  expect(torch.fromNumpy(readFileSync(folder.at('out.npy'))).tolist()).toEqual([
    [7, 7],
    [16, 16],
  ]);
});
