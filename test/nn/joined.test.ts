// Convolution, ReLU and max pooling in a row: the joined call against the single ones, bit by bit.
import torch, { type Tensor } from 'flambeau';

const { nn } = torch;
type Module = torch.nn.Module;

const bytes = (t: Tensor): string => {
  const a = t.detach().contiguous().toTypedArray() as Float32Array;
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).toString('hex');
};
const oneByOne =
  (seq: Iterable<Module>) =>
  (x: Tensor): Tensor =>
    [...seq].reduce((v, m) => (m as unknown as (x: Tensor) => Tensor)(v), x);
/** How many tensors a call without gradients makes: one where three modules are joined. */
function made(f: (x: Tensor) => Tensor, x: Tensor): number {
  return torch.noGrad(() => {
    f(x);
    const before = torch.memoryStats(true).tensors;
    const y = f(x);
    const after = torch.memoryStats().tensors;
    y.dispose();
    return after - before;
  });
}
const names = (y: Tensor): string[] => {
  const found: string[] = [];
  for (let node = y.gradFn; node; node = node.nextFunctions[0]?.[0] ?? null) found.push(node.name());
  return found;
};

const weightOf = (seq: torch.nn.Sequential): Tensor => (seq[0] as torch.nn.Conv2d).weight;

interface Layer {
  c: number;
  o: number;
  k: number;
  size: [number, number, number];
  stride?: number;
  padding?: number;
  groups?: number;
  pool?: number | number[] | null;
}
const LAYERS: Layer[] = [
  { c: 1, o: 16, k: 3, size: [5, 28, 28], pool: 2 },
  { c: 16, o: 32, k: 3, size: [4, 13, 13], pool: 2 },
  { c: 3, o: 32, k: 3, size: [3, 15, 17], padding: 1, pool: 3 },
  { c: 3, o: 16, k: 5, size: [2, 20, 20], padding: 2, pool: [2, 3] },
  { c: 4, o: 32, k: 3, size: [2, 9, 12], padding: 1, groups: 2, pool: null },
  { c: 8, o: 40, k: 3, size: [2, 30, 30], padding: 1, pool: 2 },
  { c: 20, o: 16, k: 3, size: [2, 21, 23], stride: 2, pool: [3, 2] },
  { c: 24, o: 64, k: 3, size: [1, 40, 40], padding: 1, pool: 2 }, // several bands of rows
  // These are called one by one.
  { c: 3, o: 5, k: 3, size: [2, 14, 14], pool: 2 },
  { c: 24, o: 32, k: 1, size: [2, 8, 8], pool: 2 },
  { c: 40, o: 64, k: 3, size: [1, 20, 20], padding: 1, pool: 2 },
  { c: 6, o: 32, k: 3, size: [8, 6, 6], pool: 2 },
  { c: 3, o: 16, k: 3, size: [1, 6, 300], pool: 2 },
];

/** The layers with their input: of ordinary numbers, and with the others among them. */
function layers(
  { c, o, k, size, stride = 1, padding = 0, groups = 1, pool = 2 }: Layer,
  dtype: torch.DType,
  special = false,
): { seq: torch.nn.Sequential; x: Tensor } {
  torch.manualSeed(3);
  const modules: Module[] = [new nn.Conv2d(c, o, k, { stride, padding, groups, dtype }), new nn.ReLU()];
  if (pool !== null) modules.push(new nn.MaxPool2d(pool));
  const x = torch.randn(size[0], c, size[1], size[2], { dtype });
  if (special) {
    x.view(-1).narrow(0, 7, 1).fill_(Number.NaN);
    x.view(-1).narrow(0, 50, 1).fill_(Number.POSITIVE_INFINITY);
    x.view(-1).narrow(0, 71, 1).fill_(Number.NEGATIVE_INFINITY);
  }
  return { seq: new nn.Sequential(...modules), x };
}

/** The result and all gradients of a call, as bytes. */
function results(seq: Module, f: (x: Tensor) => Tensor, given: Tensor): string[] {
  seq.zeroGrad();
  const x = given.clone().requiresGrad_();
  const y = f(x);
  torch.manualSeed(4);
  y.backward(torch.randn(...y.shape, { dtype: y.dtype }));
  return [...names(y), bytes(y), bytes(x.grad!), ...[...seq.parameters()].map((p) => bytes(p.grad!))];
}

describe.each([torch.float32, torch.float64])('in %s', (dtype) => {
  test.each(LAYERS)('%j: values, gradients and graph', (layer) => {
    for (const special of [false, true]) {
      const { seq, x } = layers(layer, dtype, special);
      expect(bytes(torch.noGrad(() => seq(x)))).toBe(bytes(torch.noGrad(() => oneByOne(seq)(x))));
      expect(results(seq, (v) => seq(v), x)).toEqual(results(seq, oneByOne(seq), x));
    }
  });
});

const plain: Layer = { c: 4, o: 16, k: 3, size: [2, 13, 14], pool: 2 };

test('three modules are one call', () => {
  const { seq, x } = layers(plain, torch.float32);
  expect(made((v) => seq(v), x)).toBe(1);
  expect(made(oneByOne(seq), x)).toBe(3);
  expect(made((v) => new nn.Sequential(seq[0]!, new nn.ReLU(true), seq[2]!)(v), x)).toBe(1);
});

test('zeros of both signs', () => {
  const { seq, x } = layers(plain, torch.float32);
  torch.noGrad(() => {
    for (const p of seq.parameters()) p.fill_(-0);
    x.mul_(-0);
  });
  expect(bytes(torch.noGrad(() => seq(x)))).toBe(bytes(torch.noGrad(() => oneByOne(seq)(x))));
  expect(results(seq, (v) => seq(v), x)).toEqual(results(seq, oneByOne(seq), x));
});

describe('whoever looks sees the single calls', () => {
  class Doubled extends nn.ReLU {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Named extends nn.Conv2d {}
  const conv = () => new nn.Conv2d(4, 16, 3);
  const relu = () => new nn.ReLU();
  const pool = () => new nn.MaxPool2d(2);
  const own = (m: Module): Module => {
    const { forward } = m;
    m.forward = (x: Tensor): Tensor => forward.call(m, x) as Tensor;
    return m;
  };
  const x = torch.randn(2, 4, 13, 14);
  test.each<[string, () => Module[]]>([
    ['a subclass with a forward', () => [conv(), new Doubled(), pool()]],
    ['a subclass without one', () => [new Named(4, 16, 3), relu(), pool()]],
    ['a forward of its own', () => [own(conv()), relu(), pool()]],
    ['padding by reflection', () => [new nn.Conv2d(4, 16, 3, { padding: 1, paddingMode: 'reflect' }), relu(), pool()]],
    ['padding by name', () => [new nn.Conv2d(4, 16, 3, { padding: 'same' }), relu(), pool()]],
    ['another activation', () => [conv(), new nn.Tanh(), pool()]],
  ])('%s', (_what, build) => {
    const seq = new nn.Sequential(...build());
    expect(made((v) => seq(v), x)).toBeGreaterThanOrEqual(3);
    expect(results(seq, (v) => seq(v), x)).toEqual(results(seq, oneByOne(seq), x));
  });

  test.each<[string, () => Module]>([
    ['windows that overlap', () => new nn.MaxPool2d(3, { stride: 2 })],
    ['padding', () => new nn.MaxPool2d(2, { padding: 1 })],
    ['ceilMode', () => new nn.MaxPool2d(2, { ceilMode: true })],
    ['dilation', () => new nn.MaxPool2d(2, { dilation: 2 })],
  ])('a pool with %s', (_what, build) => {
    const seq = new nn.Sequential(conv(), relu(), build());
    expect(results(seq, (v) => seq(v), x)).toEqual(results(seq, oneByOne(seq), x));
  });

  test('hooks of a module and of all modules, and weights that hooks make', () => {
    for (const at of [0, 1, 2]) {
      const { seq, x } = layers(plain, torch.float32);
      const seen: number[][] = [];
      const handle = seq[at]!.registerForwardHook((_m, _in, out) => {
        seen.push((out as Tensor).shape.slice());
      });
      seq(x);
      expect(seen).toHaveLength(1);
      handle.remove();
      const grads: number[] = [];
      const back = seq[at]!.registerFullBackwardHook(() => {
        grads.push(at);
      });
      seq(x.clone().requiresGrad_()).sum().backward();
      expect(grads).toEqual([at]);
      back.remove();
    }
    const { seq, x } = layers(plain, torch.float32);
    const all: string[] = [];
    const handle = nn.modules.registerModuleForwardHook((m: Module) => {
      all.push(m._getName());
    });
    seq(x);
    handle.remove();
    expect(all).toEqual(['Conv2d', 'ReLU', 'MaxPool2d', 'Sequential']);
    nn.utils.parametrizations.weightNorm(seq[0]!);
    expect(bytes(seq(x))).toBe(bytes(oneByOne(seq)(x)));
  });

  test('hooks on saved tensors, and anomaly detection', () => {
    const { seq, x } = layers(plain, torch.float32);
    const packed = (f: (x: Tensor) => Tensor): string[] => {
      const seen: string[] = [];
      torch.autograd.graph.savedTensorsHooks(
        (t: Tensor) => {
          seen.push(`${t.dtype} ${t.shape}`);
          return t;
        },
        (t: Tensor) => t,
        () => f(x),
      );
      return seen;
    };
    expect(packed((v) => seq(v))).toEqual(packed(oneByOne(seq)));
    torch.autograd.detectAnomaly(() => {
      expect(results(seq, (v) => seq(v), x)).toEqual(results(seq, oneByOne(seq), x));
    });
  });

  test('hooks on the nodes of the graph', () => {
    for (const depth of [0, 1, 2]) {
      const run = (f: (x: Tensor) => Tensor): string[] => {
        const seen: string[] = [];
        const { seq, x } = layers(plain, torch.float32);
        const list = results(
          seq,
          (v) => {
            const y = f === joined ? seq(v) : oneByOne(seq)(v);
            let node = y.gradFn!;
            for (let i = 0; i < depth; i++) node = node.nextFunctions[0]![0]!;
            node.registerHook((ins, outs) => {
              seen.push(...[...ins, ...outs].map((g) => (g === null ? '' : bytes(g))));
              return ins.map((g) => g && g.add(1));
            });
            return y;
          },
          x,
        );
        return [...list, ...seen];
      };
      const joined = (v: Tensor): Tensor => v;
      expect(run(joined)).toEqual(run((v) => v.clone()));
    }
  });

  test('gradients of gradients', () => {
    const run = (single: boolean): string[] => {
      const { seq, x } = layers(plain, torch.float64);
      const v = x.clone().requiresGrad_();
      const y = single ? oneByOne(seq)(v) : seq(v);
      const [g] = torch.autograd.grad(y.square().sum(), [v], { createGraph: true });
      g!.square().sum().backward();
      return [bytes(g!), bytes(v.grad!), ...[...seq.parameters()].map((p) => bytes(p.grad!))];
    };
    expect(run(false)).toEqual(run(true));
  });
});

test('a graph that is kept, freed, or whose weights change', () => {
  const { seq, x } = layers(plain, torch.float32);
  const y = seq(x);
  y.sum().backward({ retainGraph: true });
  const first = bytes(weightOf(seq).grad!);
  seq.zeroGrad();
  const loss = y.sum();
  loss.backward();
  expect(bytes(weightOf(seq).grad!)).toBe(first);
  expect(() => y.sum().backward()).toThrow('backward through the graph a second time');
  // The result may be overwritten: pooling keeps places, not values.
  const z = seq(x);
  z.add_(1);
  z.sum().backward();
  const changed = seq(x);
  torch.noGrad(() => weightOf(seq).add_(1));
  expect(() => changed.sum().backward()).toThrow('modified by an inplace operation');
});

test('gradients of some operands alone', () => {
  for (const frozen of [['0.weight'], ['0.bias'], ['0.weight', '0.bias']]) {
    const run = (single: boolean): (string | null)[] => {
      const { seq, x } = layers(plain, torch.float32);
      for (const [name, p] of seq.namedParameters()) p.requiresGrad_(!frozen.includes(name));
      const v = x.clone().requiresGrad_(frozen.length === 2);
      (single ? oneByOne(seq)(v) : seq(v)).sum().backward();
      return [v, ...seq.parameters()].map((t) => (t.grad === null ? null : bytes(t.grad)));
    };
    expect(run(false)).toEqual(run(true));
  }
});

test('errors are those of the single calls', () => {
  const cases: [Module[], Tensor][] = [
    [[new nn.Conv2d(3, 16, 3), new nn.ReLU(), new nn.MaxPool2d(2)], torch.randn(1, 4, 8, 8)],
    [[new nn.Conv2d(3, 16, 3), new nn.ReLU(), new nn.MaxPool2d(9)], torch.randn(1, 3, 8, 8)],
    [[new nn.Conv2d(3, 16, 9), new nn.ReLU(), new nn.MaxPool2d(2)], torch.randn(1, 3, 8, 8)],
    [[new nn.Conv2d(3, 16, 3), new nn.ReLU()], torch.randn(1, 3, 8, 8, { dtype: torch.float64 })],
    [[new nn.Conv2d(3, 16, 3), new nn.ReLU()], torch.randn(8, 8)],
  ];
  for (const [modules, x] of cases) {
    const seq = new nn.Sequential(...modules);
    const message = (f: (x: Tensor) => Tensor): string => {
      try {
        f(x);
      } catch (error) {
        return String(error);
      }
      return '';
    };
    expect(message((v) => seq(v))).toBe(message(oneByOne(seq)));
    expect(message((v) => seq(v))).not.toBe('');
  }
});

test('no image, one image without a batch, and the meta device', () => {
  const { seq, x } = layers(plain, torch.float32);
  expect(seq(x.narrow(0, 0, 0)).shape).toEqual([0, 16, 5, 6]);
  expect(bytes(seq(x.index(0)))).toBe(bytes(oneByOne(seq)(x.index(0))));
  const meta = seq.to('meta')(x.to('meta'));
  expect(meta.shape).toEqual([2, 16, 5, 6]);
});
