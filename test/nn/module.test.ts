// Registration, names, iteration and printing of modules.
import { inspect } from 'node:util';
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, names, thrown } from './module_support';

class Net extends nn.Module {
  declare again: nn.Linear;
  declare mean: Tensor;
  b = new nn.Linear(2, 2);
  a = new nn.Linear(2, 2, { bias: false });
  scale: nn.Parameter;
  norm: nn.BatchNorm1d;

  constructor() {
    super();
    this.again = this.b;
    this.a.weight = this.b.weight;
    this.scale = new nn.Parameter(torch.ones(1));
    this.registerBuffer('mean', torch.zeros(2));
    this.registerBuffer('temporary', torch.zeros(1), { persistent: false });
    this.registerBuffer('nothing', null);
    this.registerParameter('absent', null);
    this.norm = new nn.BatchNorm1d(2);
  }

  override forward(x: Tensor): Tensor {
    return this.norm(this.again(this.a(this.b(x)))).mul(this.scale);
  }
}

describe('names and sharing', () => {
  const net = new Net();
  const own = ['scale', 'b.weight', 'b.bias', 'norm.weight', 'norm.bias'];

  test('parameters come once, the module before its children', () => {
    expect(names(net.namedParameters())).toEqual(own);
    expect(names(net.namedParameters({ prefix: 'net' }))).toEqual(own.map((n) => `net.${n}`));
    expect(names(net.namedParameters('net', false))).toEqual(['net.scale']);
    expect(names(net.namedParameters({ recurse: false }))).toEqual(['scale']);
    expect([...net.parameters()]).toHaveLength(5);
    expect([...net.parameters(false)]).toEqual([net.scale]);
  });

  test('without removing duplicates every path is there', () => {
    expect(names(net.namedParameters({ removeDuplicate: false }))).toEqual([
      'scale',
      'b.weight',
      'b.bias',
      'a.weight',
      'again.weight',
      'again.bias',
      'norm.weight',
      'norm.bias',
    ]);
    expect(names(net.namedModules({ removeDuplicate: false }))).toEqual(['', 'b', 'a', 'again', 'norm']);
  });

  test('buffers, modules and children', () => {
    expect(names(net.namedBuffers())).toEqual([
      'mean',
      'temporary',
      'norm.running_mean',
      'norm.running_var',
      'norm.num_batches_tracked',
    ]);
    expect(names(net.namedModules())).toEqual(['', 'b', 'a', 'norm']);
    expect(names(net.namedModules(new Set([net.b]), 'x'))).toEqual(['x', 'x.a', 'x.norm']);
    expect(names(net.namedChildren())).toEqual(['b', 'a', 'norm']);
    expect([...net.modules()]).toHaveLength(4);
    expect([...net.buffers(false)]).toEqual([net.mean, net._buffers.get('temporary')]);
  });

  test('an iterator is an iterator', () => {
    const params = net.namedParameters();
    expect(params.next().value![0]).toBe('scale');
    expect(new Map(params).size).toBe(4);
  });

  test('an unknown option is refused', () => {
    expect(() => net.namedParameters({ recursive: true } as never)).toThrow(
      "namedParameters() got an unexpected keyword argument 'recursive'",
    );
    expect(() => net.namedParameters(3 as never)).toThrow(TypeError);
    expect(() => net.stateDict({ keep_vars: true } as never)).toThrow("unexpected keyword argument 'keep_vars'");
  });
});

describe('registration', () => {
  const make = (): { m: nn.Module; lin: nn.Linear } => {
    const m = new nn.Module();
    (m as nn.Module & { taken: number }).taken = 5;
    m.registerBuffer('buf', torch.ones(1));
    return { m, lin: new nn.Linear(2, 1) };
  };
  const set = (m: nn.Module, name: string, value: unknown): void => {
    (m as unknown as Record<string, unknown>)[name] = value;
  };

  test.each<[string, (m: nn.Module, lin: nn.Linear) => unknown, string, string]>([
    ['dot', (m) => m.addModule('a.b', new nn.Linear(1, 1)), 'RuntimeError', 'module name can\'t contain ".", got: a.b'],
    ['empty', (m) => m.addModule('', new nn.Linear(1, 1)), 'RuntimeError', 'module name can\'t be empty string ""'],
    ['taken', (m) => m.addModule('taken', new nn.Linear(1, 1)), 'RuntimeError', "attribute 'taken' already exists"],
    ['method', (m) => m.addModule('train', new nn.Linear(1, 1)), 'RuntimeError', "attribute 'train' already exists"],
    ['not a module', (m) => m.addModule('x', 5 as never), 'TypeError', 'number is not a Module subclass'],
    ['not a name', (m) => m.addModule(5 as never, null), 'TypeError', 'module name should be a string. Got number'],
    ['parameter dot', (m) => m.registerParameter('a.b', null), 'RuntimeError', 'parameter name can\'t contain "."'],
    [
      'parameter not',
      (m) => m.registerParameter('p', torch.ones(1) as never),
      'TypeError',
      "cannot assign 'torch.FloatTensor' object to parameter 'p' (torch.nn.Parameter or None required)",
    ],
    [
      'buffer taken',
      (m) => m.registerBuffer('taken', torch.ones(1)),
      'RuntimeError',
      "attribute 'taken' already exists",
    ],
    [
      'buffer not',
      (m) => m.registerBuffer('q', 5 as never),
      'TypeError',
      "cannot assign 'number' object to buffer 'q' (torch Tensor or None required)",
    ],
    [
      'assign tensor',
      (_, lin) => set(lin, 'weight', torch.ones(1, 2)),
      'TypeError',
      "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)",
    ],
    [
      'assign number',
      (_, lin) => set(lin, 'weight', 3),
      'TypeError',
      "cannot assign 'number' as parameter 'weight' (torch.nn.Parameter or None expected)",
    ],
    [
      'assign buffer',
      (m) => set(m, 'buf', 3),
      'TypeError',
      "cannot assign 'number' as buffer 'buf' (torch.nn.Buffer, torch.Tensor or None expected)",
    ],
  ])('%s', (_, act, type, message) => {
    const { m, lin } = make();
    expect(thrown(() => act(m, lin))).toEqual({ type, message });
  });

  test('a refused assignment changes nothing', () => {
    const { lin } = make();
    const before = lin.weight;
    expect(() => set(lin, 'weight', 3)).toThrow(TypeError);
    expect(lin.weight).toBe(before);
    expect(lin.getParameter('weight')).toBe(before);
  });

  test('a field without a value says what to write instead', () => {
    class Base extends nn.Module {
      weight = new nn.Parameter(torch.ones(1));
    }
    class Derived extends Base {
      // @ts-expect-error a field without a value is what TypeScript also warns of
      weight: nn.Parameter;
    }
    expect(() => new Derived()).toThrow('write `declare weight: ...` to declare the type of a field only');
  });

  test('what becomes of a name when values of several kinds are assigned to it', () => {
    const m = new nn.Module();
    set(m, 'x', new nn.Parameter(torch.ones(1)));
    expect(names(m.namedParameters())).toEqual(['x']);
    set(m, 'x', null);
    expect(names(m.namedParameters())).toEqual([]);
    expect([...m.stateDict().keys()]).toEqual([]);
    expect(m._parameters.has('x')).toBe(true);
    set(m, 'y', new nn.Linear(1, 1));
    set(m, 'y', new nn.Identity());
    set(m, 'z', torch.ones(1));
    set(m, 'w', new nn.Parameter(torch.ones(1)));
    expect(Reflect.deleteProperty(m, 'w')).toBe(true);
    expect(names(m.namedChildren())).toEqual(['y']);
    expect(names(m.namedBuffers())).toEqual([]);
    expect(names(m.namedParameters())).toEqual([]);
    expect('w' in m).toBe(false);
  });

  test('a parameter takes the place of a plain attribute, a module that of a parameter', () => {
    class Layer extends nn.Module {
      bias: nn.Parameter | nn.Module | null = null;
    }
    const layer = new Layer();
    expect(Object.keys(layer)).toContain('bias');
    layer.bias = new nn.Parameter(torch.ones(3));
    expect(names(layer.namedParameters())).toEqual(['bias']);
    const inner = new nn.Identity();
    expect(() => {
      layer.bias = inner;
    }).toThrow("cannot assign 'Identity' as parameter 'bias'");
    Reflect.deleteProperty(layer, 'bias');
    layer.bias = inner;
    expect(names(layer.namedChildren())).toEqual(['bias']);
    layer.bias = new nn.Parameter(torch.ones(3));
    expect(names(layer.namedChildren())).toEqual([]);
    expect(names(layer.namedParameters())).toEqual(['bias']);
  });

  test('a tensor assigned to a buffer becomes the buffer; Buffer registers itself', () => {
    class Stats extends nn.Module {
      mean: Tensor = new nn.Buffer(torch.zeros(2));
      cache: Tensor | null = new nn.Buffer(torch.zeros(1), { persistent: false });
    }
    const stats = new Stats();
    const next = torch.ones(2);
    stats.mean = next;
    expect(stats.getBuffer('mean')).toBe(next);
    expect(names(stats.namedBuffers())).toEqual(['mean', 'cache']);
    expect([...stats.stateDict().keys()]).toEqual(['mean']);
    stats.cache = null;
    expect(stats._buffers.get('cache')).toBeNull();
    expect([...stats._nonPersistentBuffersSet]).toEqual(['cache']);
  });

  test('changes of the registries show in the attributes', () => {
    const lin = new nn.Linear(2, 1);
    lin._parameters.delete('bias');
    expect('bias' in lin).toBe(false);
    const bias = new nn.Parameter(torch.ones(1));
    lin._parameters.set('bias', bias);
    expect(lin.bias).toBe(bias);
  });

  test('names that JavaScript gives to functions and methods are free for children', () => {
    const m = new nn.Module();
    set(m, 'name', 'first');
    expect(m.name).toBe('first');
    m.addModule('length', new nn.Identity());
    m.addModule('toString', new nn.Identity());
    m.addModule('constructor', new nn.Identity());
    m.addModule('__proto__', new nn.Identity());
    expect(names(m.namedChildren())).toEqual(['length', 'toString', 'constructor', '__proto__']);
    expect(m.getSubmodule('toString')).toBeInstanceOf(nn.Identity);
    expect(m.getSubmodule('__proto__')).toBeInstanceOf(nn.Identity);
    expect(String(m).startsWith('Module(\n  (length): Identity()')).toBe(true);
    expect(Object.getPrototypeOf(m)).toBe(nn.Module.prototype);
  });

  test('registration hooks see and replace what is registered', () => {
    const log: string[] = [];
    const replacement = new nn.Parameter(torch.zeros(1));
    const handles = [
      nn.modules.registerModuleParameterRegistrationHook((_, name) => {
        log.push(`parameter ${name}`);
        return replacement;
      }),
      nn.modules.registerModuleBufferRegistrationHook((_, name) => {
        log.push(`buffer ${name}`);
      }),
      nn.modules.registerModuleModuleRegistrationHook((_, name, child) => {
        log.push(`module ${name} ${child?._getName()}`);
      }),
    ];
    const m = new nn.Module();
    try {
      set(m, 'p', new nn.Parameter(torch.ones(1)));
      m.registerBuffer('b', torch.ones(1));
      set(m, 'c', new nn.Identity());
      m.addModule('d', new nn.Identity());
    } finally {
      for (const handle of handles) handle.remove();
    }
    set(m, 'q', new nn.Parameter(torch.ones(1)));
    expect(log).toEqual(['parameter p', 'buffer b', 'module c Identity', 'module d Identity']);
    expect(m.getParameter('p')).toBe(replacement);
    expect((m as nn.Module & { p: nn.Parameter }).p).toBe(replacement);
  });
});

describe('paths', () => {
  const net = new nn.Sequential([['a', new nn.Sequential([['b', new nn.Linear(1, 2)]])]]);

  test('getSubmodule, getParameter, getBuffer', () => {
    expect(net.getSubmodule('a.b')).toBeInstanceOf(nn.Linear);
    expect(net.getSubmodule('')).toBe(net);
    expect([...net.getParameter('a.b.weight').shape]).toEqual([2, 1]);
    expect(thrown(() => net.getSubmodule('a.c'))).toEqual({
      type: 'RuntimeError',
      message: 'Sequential has no attribute `c`',
    });
    expect(() => net.getSubmodule('a.training')).toThrow('`training` is not an nn.Module');
    expect(() => net.getParameter('a.b.gamma')).toThrow('Linear has no attribute `gamma`');
    expect(() => net.getParameter('a.b')).toThrow('`b` is not an nn.Parameter');
    expect(() => net.getBuffer('a.b.weight')).toThrow('`weight` is not a buffer');
  });

  test('setSubmodule', () => {
    const model = new nn.Sequential(new nn.Sequential(new nn.Linear(1, 1)));
    const relu = new nn.ReLU();
    model.setSubmodule('0.0', relu);
    expect(model.getSubmodule('0.0')).toBe(relu);
    model.setSubmodule('0.extra', new nn.Tanh());
    expect(names(model.getSubmodule('0').namedChildren())).toEqual(['0', 'extra']);
    expect(() => model.setSubmodule('', relu)).toThrow('Cannot set the submodule without a target name!');
    expect(() => model.setSubmodule('0.other', relu, { strict: true })).toThrow('Sequential has no attribute `other`');
    expect(() => model.setSubmodule('0.training', relu)).toThrow('`training` is not an nn.Module');
    expect(() => model.setSubmodule('0.0', 5 as never)).toThrow('`module` is not an nn.Module, found number');
  });
});

describe('modes and conversions', () => {
  test('train and eval reach everything below', () => {
    const net = new nn.Sequential(new nn.Dropout(), new nn.Sequential(new nn.Dropout()));
    expect(net.eval()).toBe(net);
    expect([...net.modules()].map((m) => m.training)).toEqual([false, false, false, false]);
    net.train();
    expect([...net.modules()].map((m) => m.training)).toEqual([true, true, true, true]);
    expect(() => net.train(1 as never)).toThrow('training mode is expected to be boolean');
  });

  test('apply visits children before the parent', () => {
    const log: string[] = [];
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.Sequential(new nn.ReLU(), new nn.Tanh()));
    expect(net.apply((m) => log.push(m._getName()))).toBe(net);
    expect(log).toEqual(['Linear', 'ReLU', 'Tanh', 'Sequential', 'Sequential']);
  });

  test('only floating-point parameters and buffers change type, and parameters stay the same objects', () => {
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.BatchNorm1d(1));
    const { weight } = net[0] as nn.Linear;
    const dtypes = (): string[] => [...net.stateDict().values()].map((t) => t.dtype.name);
    net.double();
    expect(dtypes()).toEqual([...Array<string>(6).fill('float64'), 'int64']);
    net.to(torch.float16);
    expect(dtypes()).toEqual([...Array<string>(6).fill('float16'), 'int64']);
    net.to({ dtype: torch.float32 }).bfloat16();
    expect(dtypes()).toEqual([...Array<string>(6).fill('bfloat16'), 'int64']);
    net.to(torch.ones(1, { dtype: torch.float64 }));
    expect(dtypes()).toEqual([...Array<string>(6).fill('float64'), 'int64']);
    expect((net[0] as nn.Linear).weight).toBe(weight);
    expect(weight.requiresGrad).toBe(true);
    expect(thrown(() => net.to(torch.int32))).toEqual({
      type: 'TypeError',
      message: 'nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int32',
    });
    expect(() => net.to({ dytpe: torch.float32 } as never)).toThrow("to() got an unexpected keyword argument 'dytpe'");
  });

  test('gradients are converted too', () => {
    const lin = fill(new nn.Linear(2, 1));
    lin(torch.ones(1, 2)).sum().backward();
    const { grad } = lin.weight;
    lin.double();
    expect(lin.weight.grad).toBe(grad);
    expect(grad!.dtype).toBe(torch.float64);
    expectTensor(grad, [1, 2], [1, 1]);
    lin(torch.ones(1, 2, { dtype: torch.float64 }))
      .sum()
      .backward();
    expectTensor(lin.weight.grad, [1, 2], [2, 2]);
  });

  test('requiresGrad_ and zeroGrad', () => {
    const lin = fill(new nn.Linear(2, 1));
    lin(torch.ones(1, 2)).sum().backward();
    lin.zeroGrad(false);
    expectTensor(lin.weight.grad, [1, 2], [0, 0]);
    lin.zeroGrad();
    expect(lin.weight.grad).toBeNull();
    lin(torch.ones(1, 2)).sum().backward();
    lin.zeroGrad({ setToNone: true });
    expect(lin.bias!.grad).toBeNull();
    lin.requiresGrad_(false);
    expect([...lin.parameters()].map((p) => p.requiresGrad)).toEqual([false, false]);
  });
});

describe('calling', () => {
  test('a module is a function of its class', () => {
    const net = new Net();
    expect(typeof net).toBe('function');
    expect(net).toBeInstanceOf(Net);
    expect(net).toBeInstanceOf(nn.Module);
    expect([...net(torch.ones(3, 2)).shape]).toEqual([3, 2]);
    expect([...net.call(null, torch.ones(3, 2)).shape]).toEqual([3, 2]);
    expect([torch.ones(3, 2)].map(net as (x: Tensor) => Tensor)).toHaveLength(1);
  });

  test('forward sees the module itself', () => {
    class Self extends nn.Module {
      readonly #secret = 41;
      override forward(add: number, twice = 1): [unknown, number] {
        return [this, (this.#secret + add) * twice];
      }
    }
    const self = new Self();
    const [found, value] = self(1, 2);
    expect(found).toBe(self);
    expect(value).toBe(84);
  });

  test('a class without forward says so', () => {
    class Empty extends nn.Module {}
    expect(thrown(() => new Empty()(1))).toEqual({
      type: 'RuntimeError',
      message: 'Module [Empty] is missing the required "forward" function',
    });
  });

  test('compile hands the call over', () => {
    const lin = fill(new nn.Linear(2, 1));
    let calls = 0;
    lin.compile({
      backend: (call) => (raw, module, args) => {
        calls++;
        return call(raw, module, args);
      },
    });
    lin(torch.ones(1, 2));
    lin.compile();
    lin(torch.ones(1, 2));
    expect(calls).toBe(1);
  });
});

describe('printing', () => {
  class Scale extends nn.Module {
    inner = new nn.Linear(1, 1);
    constructor(readonly n: number) {
      super();
    }
    override extraRepr(): string {
      return `n=${this.n}`;
    }
  }
  class Long extends nn.Module {
    override extraRepr(): string {
      return 'a\nb';
    }
  }

  test('settings and children', () => {
    expect(String(new Scale(3))).toBe('Scale(\n  n=3\n  (inner): Linear(in_features=1, out_features=1, bias=True)\n)');
    expect(String(new Long())).toBe('Long(\n  a\n  b\n)');
    expect(String(new nn.Sequential(new Scale(1), new Long()))).toBe(
      'Sequential(\n  (0): Scale(\n    n=1\n    (inner): Linear(in_features=1, out_features=1, bias=True)\n  )\n' +
        '  (1): Long(\n    a\n    b\n  )\n)',
    );
  });

  test('blank lines and reserved names', () => {
    class M extends nn.Module {
      constructor() {
        super();
        this.addModule('n', null);
      }
      override extraRepr(): string {
        return 'x\n\ny';
      }
    }
    expect(String(new M())).toBe('M(\n  x\n  \n  y\n  (n): None\n)');
    expect(String(new nn.Sequential(new nn.ModuleList([new M(), new M()])))).toBe(
      'Sequential(\n  (0): ModuleList(\n    (0-1): 2 x M(\n      x\n\n      y\n      (n): None\n    )\n  )\n)',
    );
  });

  test('console.log and JSON show the same', () => {
    const net = new nn.Sequential(new nn.ReLU());
    expect(inspect(net)).toBe('Sequential(\n  (0): ReLU()\n)');
    expect(JSON.parse(JSON.stringify({ net }))).toEqual({ net: 'Sequential(\n  (0): ReLU()\n)' });
  });
});

describe('deep copies', () => {
  test('a copy is independent and keeps ties inside itself', () => {
    const net = fill(new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)));
    (net[1] as nn.Linear).weight = (net[0] as nn.Linear).weight;
    const copy = torch.deepcopy(net);
    const [first, second] = [...copy] as [nn.Linear, nn.Linear];
    torch.noGrad(() => first.weight.zero_());
    expectTensor((net[0] as nn.Linear).weight, [2, 2], [0.841471, 0.909297, 0.14112, -0.756802]);
    expect(first.weight).toBe(second.weight);
    expectTensor(second.weight, [2, 2], [0, 0, 0, 0]);
    expect(copy).toBeInstanceOf(nn.Sequential);
    expect(copy.length).toBe(2);
    copy.append(new nn.ReLU());
    expect([copy.length, net.length]).toEqual([3, 2]);
  });

  test('hooks, settings and modes travel along', () => {
    class Counter extends nn.Module {
      seen: number[] = [];
      override forward(x: number): number {
        this.seen.push(x);
        return x;
      }
    }
    const original = new Counter().eval();
    original.registerForwardHook((_, __, out) => out + 1);
    original(1);
    const copy = torch.deepcopy(original);
    expect(copy(5)).toBe(6);
    expect([copy.seen, original.seen, copy.training]).toEqual([[1, 5], [1], false]);
  });

  test('a tensor with a history cannot be copied', () => {
    const x = torch.ones(2).requiresGrad_();
    expect(torch.deepcopy(x).requiresGrad).toBe(true);
    expect(() => torch.deepcopy({ y: x.mul(2) })).toThrow('Only Tensors created explicitly by the user (graph leaves)');
  });
});
