// Modules: names, registration, modes, conversions, copies, printing. The programs are those of scripts/semantics/module.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, names, ramp } from '../nn/module_support';
import { error, kind, leaf, programs } from './support';

class Net extends nn.Module {
  b = new nn.Linear(2, 2);
  a = new nn.Linear(2, 2, { bias: false });
  again = this.b;
  scale: nn.Parameter;
  norm: nn.BatchNorm1d;

  constructor() {
    super();
    this.a.weight = this.b.weight;
    this.scale = new nn.Parameter(torch.ones(1));
    this.registerBuffer('mean', torch.zeros(2));
    this.registerBuffer('temporary', torch.zeros(1), { persistent: false });
    this.registerBuffer('nothing', null);
    this.registerParameter('absent', null);
    this.norm = new nn.BatchNorm1d(2);
  }

  override _getName(): string {
    return '_Net';
  }
}

/** A module as a bag of attributes. */
type Bag = nn.Module & Record<string, unknown>;
const bag = (): Bag => new nn.Module() as Bag;
const count = (items: Iterable<unknown>): number => [...items].length;
const parameter = (...shape: number[]): nn.Parameter => new nn.Parameter(torch.ones(shape));
const types = (net: nn.Module): [string, string][] => [...net.stateDict()].map(([k, t]) => [k, t.dtype.name]);
const training = (net: nn.Module): boolean[] => [...net.modules()].map((m) => m.training);

programs('module', {
  namesAndSharing() {
    const net = new Net();
    return {
      parameters: names(net.namedParameters()),
      every: names(net.namedParameters({ removeDuplicate: false })),
      buffers: names(net.namedBuffers()),
      modules: names(net.namedModules()),
      everyModule: names(net.namedModules({ removeDuplicate: false })),
      children: names(net.namedChildren()),
      prefixed: names(net.namedParameters({ prefix: 'net' })),
      direct: names(net.namedParameters({ recurse: false })),
      directBuffers: names(net.namedBuffers({ prefix: 'p', recurse: false })),
      state: [...net.stateDict().keys()],
      prefixedState: [...net.stateDict({ prefix: 'p.' }).keys()],
      counts: [net.parameters(), net.modules(), net.buffers(), net.children()].map(count),
    };
  },

  registrationErrors() {
    const m = bag();
    m.taken = 5;
    m.registerBuffer('buf', torch.ones(1));
    const lin = new nn.Linear(2, 1) as nn.Linear & Bag;
    const set = (target: Bag, name: string, value: unknown) => () => {
      (target as Record<string, unknown>)[name] = value;
    };
    return {
      dot: error(() => m.addModule('a.b', new nn.Linear(1, 1))),
      empty: error(() => m.addModule('', new nn.Linear(1, 1))),
      taken: error(() => m.addModule('taken', new nn.Linear(1, 1))),
      parameterDot: error(() => m.registerParameter('a.b', null)),
      parameterEmpty: error(() => m.registerParameter('', null)),
      parameterTaken: error(() => m.registerParameter('taken', null)),
      parameterNot: error(() => m.registerParameter('p', torch.ones(1) as never)),
      nonLeaf: error(() => m.registerParameter('p', parameter(1).mul(2) as never)),
      bufferTaken: error(() => m.registerBuffer('taken', torch.ones(1))),
      bufferDot: error(() => m.registerBuffer('a.b', null)),
      bufferOverParameter: error(() => lin.registerBuffer('weight', torch.ones(1))),
      parameterOverBuffer: error(() => m.registerParameter('buf', null)),
      moduleOverParameter: error(() => lin.addModule('weight', new nn.Identity())),
      assignTensor: error(set(lin, 'weight', torch.ones(1, 2))),
      kinds: [
        kind(() => m.addModule('x', 5 as never)),
        kind(() => m.registerBuffer('q', 5 as never)),
        kind(set(lin, 'weight', 3)),
        kind(set(m, 'buf', 3)),
        kind(() => lin.registerParameter('weight', parameter(1))),
      ],
      sameKindAgain: [
        kind(() => m.registerBuffer('buf', torch.zeros(2))),
        kind(() => m.addModule('c', null)),
        kind(() => m.addModule('c', new nn.Identity())),
      ],
      buf: m.buf,
    };
  },

  assignment() {
    const m = bag();
    m.x = parameter(1);
    const first = names(m.namedParameters());
    m.x = null;
    const afterNone = names(m.namedParameters());
    const state = [...m.stateDict().keys()];
    m.x = parameter(2);
    const back = names(m.namedParameters());
    m.y = new nn.Linear(1, 1);
    m.y = new nn.Identity();
    m.z = torch.ones(1);
    m.w = parameter(1);
    Reflect.deleteProperty(m, 'w');
    m.registerBuffer('v', torch.ones(1));
    m.v = torch.zeros(3);
    m.y = null;
    const childrenNone = names(m.namedChildren());
    m.y = new nn.ReLU();
    m.y = parameter(1);
    return {
      first,
      afterNone,
      state,
      back,
      childrenNone,
      children: names(m.namedChildren()),
      buffers: names(m.namedBuffers()),
      parameters: names(m.namedParameters()),
      v: m.v,
      deleted: 'w' in m,
    };
  },

  buffers() {
    class Counter extends nn.Module {
      declare n: Tensor;
      kept: Tensor | null = new nn.Buffer(torch.ones(2));
      loose = new nn.Buffer(torch.ones(2), { persistent: false });
      constructor() {
        super();
        this.registerBuffer('n', torch.zeros(1, { dtype: torch.int64 }));
      }
      override forward(x: number): number {
        this.n = this.n.add(1);
        this.kept = this.kept!.mul(x);
        return x;
      }
    }
    const m = new Counter();
    m(2);
    m(3);
    m.double();
    const order = ['n', 'kept', 'loose']; // fields come before what the constructor adds
    const sorted = <T>(entries: Iterable<readonly [string, T]>): [string, T][] =>
      [...entries].map(([k, v]): [string, T] => [k, v]).sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
    const before = sorted(m.namedBuffers());
    const state = sorted(m.stateDict());
    m.kept = null;
    return {
      state,
      buffers: before.map(([k]) => k),
      types: before.map(([, b]) => String(b.dtype)),
      requires: before.map(([, b]) => b.requiresGrad),
      setNone: sorted(m.namedBuffers()).map(([k]) => k),
    };
  },

  parametersAreLeaves() {
    const p = parameter(2);
    const frozen = new nn.Parameter(torch.ones(2), { requiresGrad: false });
    const inside = torch.noGrad(() => parameter(2));
    const x = leaf([1, 2]);
    const ofResult = new nn.Parameter(x.mul(2));
    const integers = torch.ones(2, { dtype: torch.int64 });
    ofResult.data.zero_();
    return {
      leaf: [p.isLeaf, frozen.isLeaf, ofResult.isLeaf],
      requires: [p.requiresGrad, frozen.requiresGrad, inside.requiresGrad],
      detached: p.detach() instanceof nn.Parameter,
      cloned: p.clone() instanceof nn.Parameter,
      integer: error(() => new nn.Parameter(integers)),
      frozenInteger: new nn.Parameter(integers, false),
      text: String(p),
      shares: x,
    };
  },

  modes() {
    const net = new nn.Sequential(new nn.Dropout(0.5), new nn.Sequential(new nn.BatchNorm1d(1)));
    const a = training(net);
    net.eval();
    const b = training(net);
    net.at(1)!.train();
    return {
      a,
      b,
      c: training(net),
      same: net.train() === net,
      // PyTorch has a ValueError for what is a matter of types.
      kind: kind(() => net.train('yes' as never)) === 'TypeError' ? 'RuntimeError' : null,
    };
  },

  freezing() {
    const net = fill(new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1)));
    const missing = (): boolean[] => [...net.parameters()].map((p) => p.grad === null);
    net.at(0)!.requiresGrad_(false);
    const x = ramp(3, 2);
    (net(x) as Tensor).sum().backward();
    const none = missing();
    net.requiresGrad_();
    net.zeroGrad();
    const cleared = missing();
    (net(x) as Tensor).sum().backward();
    net.zeroGrad({ setToNone: false });
    return { none, cleared, zeros: [...net.parameters()].map((p) => p.grad) };
  },

  applyOrder() {
    const log: string[] = [];
    const first = new nn.Linear(1, 1);
    const net = new nn.Sequential(first, new nn.Sequential(new nn.ReLU(), new nn.Tanh()));
    const same = net.apply((m) => void log.push(m._getName())) === net;
    net.apply((m) => {
      if (!(m instanceof nn.Linear)) return;
      nn.init.constant_(m.weight, 3);
      m.bias!.data.fill_(1);
    });
    return { log, same, weight: first.weight, bias: first.bias };
  },

  conversions() {
    const first = new nn.Linear(1, 1);
    const norm = new nn.BatchNorm1d(1);
    const net = new nn.Sequential(first, norm);
    const p = first.weight;
    const b = norm.running_mean;
    (net(torch.ones(2, 1)) as Tensor).sum().backward();
    net.double();
    const double = types(net);
    const same = [first.weight === p, norm.running_mean === b, String(p.grad!.dtype)];
    net.to(torch.float16);
    const half = types(net);
    net.bfloat16();
    const bfloat = types(net)[0];
    net.float();
    net.to(torch.ones(1, { dtype: torch.float64 }));
    const like = types(net)[0];
    net.type(torch.float32);
    return {
      double,
      half,
      bfloat,
      like,
      type: types(net),
      same,
      int: error(() => net.to(torch.int32)),
      cpu: net.cpu() === net,
      halfAgain: (net.half(), String(first.weight.dtype)),
    };
  },

  paths() {
    const inner = new nn.Sequential([
      ['b', new nn.Linear(1, 2)],
      ['n', new nn.BatchNorm1d(2)],
    ]);
    const net = new nn.Sequential([['a', inner]]);
    (net.getSubmodule('a.b') as Bag).note = 5;
    const found: Record<string, unknown> = {
      type: net.getSubmodule('a.b')._getName(),
      self: net.getSubmodule('') === net,
      parameter: net.getParameter('a.b.weight').shape,
      buffer: net.getBuffer('a.n.num_batches_tracked'),
      missing: error(() => net.getSubmodule('a.c')),
      deep: error(() => net.getSubmodule('a.c.d')),
      missingParameter: error(() => net.getParameter('a.b.gamma')),
      notBuffer: error(() => net.getBuffer('a.b.weight')),
      notParameter: error(() => net.getParameter('a.n.running_mean')),
      notModule: error(() => net.getSubmodule('a.b.weight')),
      attribute: error(() => net.getSubmodule('a.b.note')),
    };
    net.setSubmodule('a.b', new nn.Identity());
    found.set = net.getSubmodule('a.b')._getName();
    found.setEmpty = error(() => net.setSubmodule('', new nn.Identity()));
    found.setMissing = error(() => net.setSubmodule('x.y', new nn.Identity()));
    net.setSubmodule('a.fresh', new nn.ReLU());
    found.names = names(net.namedModules());
    found.strict = error(() => net.setSubmodule('a.other', new nn.ReLU(), { strict: true }));
    return found;
  },

  deepCopy() {
    const pair = (net: nn.Module): nn.Linear[] => [...net.children()] as nn.Linear[];
    const net = fill(new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)));
    const [first, second] = pair(net);
    second!.weight = first!.weight;
    first!.weight.requiresGrad_(false);
    second!.eval();
    (net(torch.ones(1, 2)) as Tensor).sum().backward();
    const copy = torch.deepcopy(net);
    const [c0, c1] = pair(copy);
    torch.noGrad(() => c0!.weight.zero_());
    return {
      original: first!.weight,
      tied: c0!.weight === c1!.weight,
      copy: c1!.weight,
      requires: [...copy.parameters()].map((p) => p.requiresGrad),
      training: training(copy),
      grad: [...copy.parameters()].map((p) => p.grad),
      ownGrad: c1!.bias!.grad === second!.bias!.grad,
      nonLeaf: error(() => torch.deepcopy(second!.bias!.mul(2))),
    };
  },

  forwardMissing() {
    class Empty extends nn.Module {}
    const call = (m: nn.Module) => error(() => (m as unknown as (x: number) => unknown)(1));
    return { error: call(new Empty()), plain: call(new nn.Module()) };
  },

  printing() {
    class Scale extends nn.Module {
      inner = new nn.Linear(1, 1);
      constructor(readonly n: number) {
        super();
        this.n = n;
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
    class Named extends nn.Module {
      override _getName(): string {
        return 'Other';
      }
    }
    const linear = (n: number): nn.Linear => new nn.Linear(n, 1);
    const reserved = bag();
    reserved.none = null;
    reserved.addModule('gone', null);
    return {
      withChild: String(new Scale(3)),
      twoLines: String(new Long()),
      nested: String(new nn.Sequential(new Scale(1), new Long(), new nn.Sequential())),
      named: String(new nn.Sequential(new Named())),
      repeated: String(new nn.ModuleList([linear(1), linear(1), new nn.ReLU(), linear(2)])),
      plain: String(new nn.Module()),
      reserved: String(reserved),
      net: String(new Net()),
      dict: String(new nn.ModuleDict({ x: new nn.ModuleDict() })),
    };
  },

  lazy() {
    const m = new nn.LazyLinear(3);
    const before = [
      String(m),
      [...m.stateDict().keys()],
      m.hasUninitializedParams(),
      (m.weight as object).constructor.name,
    ];
    const shape = kind(() => m.weight.shape);
    m(torch.ones(2, 5));
    const other = new nn.LazyLinear(3);
    other.loadStateDict(m.stateDict());
    const loaded = [other.weight.shape, other._getName(), other.hasUninitializedParams()];
    other(torch.ones(1, 5));
    const net = new nn.Sequential(
      new nn.LazyConv2d(4, 3),
      new nn.LazyBatchNorm2d(),
      new nn.Flatten(),
      new nn.LazyLinear(2),
    );
    net(torch.ones(2, 3, 5, 5));
    return {
      before,
      shape,
      after: String(m),
      weight: m.weight.shape,
      loaded,
      other: other._getName(),
      net: String(net),
      count: kind(() => [...new nn.LazyLinear(3).parameters()].map((p) => p.numel())),
    };
  },

  tiedWeights() {
    class Tied extends nn.Module {
      inside = new nn.Linear(2, 3, { bias: false });
      outside = new nn.Linear(3, 2, { bias: false });
      third = new nn.Linear(2, 3, { bias: false });
      constructor() {
        super();
        this.outside.weight = new nn.Parameter(this.inside.weight.t().contiguous());
        this.third.weight = this.inside.weight;
      }
      override forward(x: Tensor): Tensor {
        return this.third(this.outside(this.inside(x)));
      }
    }
    const m = fill(new Tied());
    m(ramp(2, 2)).sum().backward();
    return {
      names: names(m.namedParameters()),
      state: [...m.stateDict().keys()],
      same: m.inside.weight.grad === m.third.weight.grad,
      grad: m.inside.weight.grad,
    };
  },
});

// PyTorch has an AttributeError for assignments before Module.__init__(); here the language itself refuses them.
test('nothing is assigned before super()', () => {
  class Early extends nn.Module {
    a: nn.Linear;
    // biome-ignore lint/correctness/noUnreachableSuper: this is what is tested
    constructor() {
      const linear = new nn.Linear(1, 1);
      // @ts-expect-error: 'super' must be called first
      this.a = linear;
      super();
    }
  }
  expect(() => new Early()).toThrow(ReferenceError);
});
