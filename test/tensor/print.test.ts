import fs from 'node:fs';
import path from 'node:path';
import util from 'node:util';
import torch, { type Tensor } from 'flambeau';

interface Case {
  name: string;
  dtype: string;
  shape: number[];
  data: string;
  text: string;
  options?: Record<string, number | boolean | string>;
  grad?: boolean;
  parameter?: boolean;
}

const cases = JSON.parse(fs.readFileSync(path.join(__dirname, 'print_cases.json'), 'utf8')) as Case[];
const dtypeOf = (name: string) => (torch as unknown as Record<string, typeof torch.float32>)[name]!;

function tensorOf(c: Case): Tensor {
  const complex = c.dtype.startsWith('complex');
  const dtype = complex ? (c.dtype === 'complex64' ? torch.float32 : torch.float64) : dtypeOf(c.dtype);
  const shape = complex ? [...c.shape, 2] : c.shape;
  const bytes = Uint8Array.from(Buffer.from(c.data, 'base64'));
  const t = bytes.length ? torch.frombuffer(bytes, { dtype }).reshape(shape) : torch.zeros(shape, { dtype });
  return complex ? torch.viewAsComplex(t) : t;
}

const settings = (options: Case['options'] = {}) => {
  const { sci_mode, ...rest } = options;
  return sci_mode === undefined ? rest : { ...rest, sciMode: sci_mode };
};

test('a gradient function is named without its namespace, but in messages', () => {
  const x = torch.ones(3, { requiresGrad: true });
  const part = x.mul(2);
  part.select(0, 0).fill_(1);
  const copy = torch.zeros(3);
  copy.copy_(x);
  expect([part, copy].map(String)).toEqual([
    'tensor([1., 2., 2.], grad_fn=<CopySlices>)',
    'tensor([1., 1., 1.], grad_fn=<CopyBackwards>)',
  ]);
  expect([part, copy].map((t) => t.gradFn!.name())).toEqual([
    'torch::autograd::CopySlices',
    'torch::autograd::CopyBackwards',
  ]);
  for (const t of [part, copy]) {
    const y = t.sin();
    t.copy_(x);
    expect(() => y.sum().backward()).toThrow('which is output 0 of torch::autograd::CopyBackwards, is at version');
  }
});

describe('printing', () => {
  afterEach(() => torch.setPrintoptions({ profile: 'default' }));

  test.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    let t = tensorOf(c);
    if (c.parameter) t = new torch.nn.Parameter(t, { requiresGrad: Boolean(c.grad) });
    else if (c.grad) t.requiresGrad_(true);
    torch.setPrintoptions(settings(c.options));
    expect(String(t)).toBe(c.text);
  });

  test('the history of a result', () => {
    const x = torch.tensor([1, 2], { requiresGrad: true });
    expect(String(x.mul(2).add(1))).toBe('tensor([3., 5.], grad_fn=<AddBackward0>)');
  });

  test('views print what they show, not what they share', () => {
    const x = torch.arange(12).reshape([3, 4]);
    expect(String(x.t())).toBe(
      'tensor([[ 0,  4,  8],\n        [ 1,  5,  9],\n        [ 2,  6, 10],\n        [ 3,  7, 11]])',
    );
    expect(String(x.index(torch.slice(1, 3), torch.slice(null, null, 2)))).toBe(
      'tensor([[ 4,  6],\n        [ 8, 10]])',
    );
    const big = torch.arange(4000).reshape([2, 2000]).t();
    expect(String(big)).toBe(
      'tensor([[   0, 2000],\n        [   1, 2001],\n        [   2, 2002],\n        ...,\n' +
        '        [1997, 3997],\n        [1998, 3998],\n        [1999, 3999]])',
    );
    expect(String(torch.ones([1]).expand([2000]))).toBe('tensor([1., 1., 1.,  ..., 1., 1., 1.])');
  });

  test('console.log and template strings', () => {
    const x = torch.tensor([1.5, 2]);
    expect(util.inspect(x)).toBe('tensor([1.5000, 2.0000])');
    expect(`${x}`).toBe('tensor([1.5000, 2.0000])');
  });

  test('the default dtype is not named', () => {
    torch.setDefaultDtype(torch.float64);
    try {
      expect(String(torch.ones([2]))).toBe('tensor([1., 1.])');
      expect(String(torch.ones([2], { dtype: torch.float32 }))).toBe('tensor([1., 1.], dtype=torch.float32)');
    } finally {
      torch.setDefaultDtype(torch.float32);
    }
  });

  test('a tensor that was disposed can still be printed', () => {
    const x = torch.ones([2]);
    x.dispose();
    expect(String(x)).toBe('tensor(<disposed>)');
  });

  test('a summary reads the edges only', () => {
    const before = torch.memoryStats().bytes;
    const x = torch.zeros([1]).expand([1 << 20, 1 << 20]);
    expect(String(x).split('\n')).toHaveLength(7);
    expect(torch.memoryStats().bytes - before).toBeLessThan(1 << 20);
  });
});

describe('setPrintoptions', () => {
  afterEach(() => torch.setPrintoptions({ profile: 'default' }));

  test('takes positions and names alike', () => {
    torch.setPrintoptions(2, null, 1);
    expect(torch.getPrintoptions()).toEqual({
      precision: 2,
      threshold: 1000,
      edgeitems: 1,
      linewidth: 80,
      sciMode: null,
    });
    torch.setPrintoptions({ precision: 3, sciMode: true });
    expect(torch.getPrintoptions()).toEqual({
      precision: 3,
      threshold: 1000,
      edgeitems: 1,
      linewidth: 80,
      sciMode: true,
    });
  });

  test('forgets the scientific mode unless it is named again', () => {
    torch.setPrintoptions({ sciMode: true });
    torch.setPrintoptions({ precision: 4 });
    expect(String(torch.tensor([1.5]))).toBe('tensor([1.5000])');
  });

  test('refuses what it does not know and changes nothing then', () => {
    const before = torch.getPrintoptions();
    const set = torch.setPrintoptions as (o: unknown) => void;
    expect(() => set({ precission: 2 })).toThrow(TypeError);
    expect(() => set({ edgeitems: 2, precision: 'two' })).toThrow(TypeError);
    expect(() => set({ edgeitems: 2, profile: 'long' })).toThrow(TypeError);
    expect(() => set({ edgeitems: 2, precision: -1 })).toThrow(RangeError);
    expect(() => set({ edgeitems: 2, sciMode: 1 })).toThrow(TypeError);
    expect(torch.getPrintoptions()).toEqual(before);
  });
});
