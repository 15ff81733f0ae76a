// Containers of modules and parameters. The programs are those of scripts/semantics/containers.py.
import torch, { nn, type Tensor } from 'flambeau';
import { fill, names, ramp } from '../nn/module_support';
import { error, kind, programs } from './support';

const types = (modules: Iterable<nn.Module>): string[] => Array.from(modules, (m) => m._getName());
const children = (m: nn.Module): string[] => names(m.namedChildren());
const parameter = (...shape: number[]): nn.Parameter => new nn.Parameter(torch.ones(shape));
const wrong = (value: unknown): never => value as never;

programs('containers', {
  sequential() {
    const s = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1));
    const named = new nn.Sequential([
      ['in', new nn.Linear(2, 3)],
      ['act', new nn.Tanh()],
    ]);
    const found: Record<string, unknown> = {
      len: s.length,
      last: s.at(-1)!._getName(),
      slice: types(s.slice(1)),
      sliceClass: s.slice(0, 2)._getName(),
      shared: s.slice(0, 2).at(0) === s.at(0),
      namedSlice: children(named.slice(1)),
      named: children(named),
      out: error(() => s.get(5)),
      negative: error(() => s.get(-4)),
      iterated: types(s),
      empty: new nn.Sequential()(wrong(3)),
    };
    s.set(1, new nn.Sigmoid());
    s.set(-1, new nn.Linear(3, 2));
    found.set = types(s);
    s.delete(0);
    found.deleted = [children(s), types(s)];
    s.append(new nn.Identity()).insert(0, new nn.Tanh());
    found.inserted = [children(s), types(s)];
    s.extend([new nn.ReLU(), new nn.ELU()]);
    found.popped = [s.pop(0)._getName(), s.pop(-1)._getName(), children(s)];
    s.delete(2);
    s.delete(1);
    found.rest = types(s);
    found.errors = [
      error(() => s.insert(9, new nn.ReLU())),
      kind(() => s.append(wrong(3))),
      kind(() => new nn.Sequential(new nn.ReLU(), wrong(3))),
      kind(() => s.pop(9)),
    ];
    return found;
  },

  sequentialArithmetic() {
    const a = new nn.Sequential(new nn.ReLU());
    const b = new nn.Sequential(new nn.Tanh(), new nn.ELU());
    const [c, d] = [a.concat(b), b.repeat(2)];
    a.extend(b);
    b.extend([...b]);
    return {
      sum: [types(c), children(c)],
      product: [types(d), d.at(0) === d.at(2)],
      grown: types(a),
      doubled: types(b),
      errors: [
        // What is not a Sequential is of the wrong kind, where Python's operator has a ValueError.
        kind(() => a.concat(wrong(3))) && 'RuntimeError',
        kind(() => a.repeat(1.5)),
        kind(() => a.repeat(0)),
        kind(() => new nn.Sequential(new nn.ReLU()).repeat(wrong(new nn.ReLU()))),
      ],
    };
  },

  nestedSequential() {
    const body = new nn.Sequential(new nn.Linear(2, 2), new nn.Tanh());
    const net = fill(
      new nn.Sequential([
        ['body', body],
        ['head', new nn.Linear(2, 1)],
      ]),
    );
    const again = (net as unknown as { body: nn.Sequential }).body;
    return {
      y: net(ramp(2, 2)),
      names: names(net.namedModules()),
      state: [...net.stateDict().keys()],
      attribute: again.at(1)!._getName(),
      text: String(net),
    };
  },

  moduleList() {
    const m = new nn.ModuleList<nn.Module>([new nn.Linear(1, 1), new nn.ReLU()]);
    m.append(new nn.Tanh()).extend([new nn.ELU(), new nn.Sigmoid()]);
    m.insert(1, new nn.Identity());
    const found: Record<string, unknown> = {
      types: types(m),
      names: children(m),
      len: m.length,
      slice: [m.slice(1, 3)._getName(), types(m.slice(1, 3))],
      last: m.at(-1)!._getName(),
      contains: [...m].includes(m.get(0)),
      state: [...m.stateDict().keys()],
    };
    m.set(0, new nn.Linear(2, 2));
    const popped = m.pop(1)._getName();
    m.delete(-1);
    found.later = [types(m), children(m), popped];
    m.delete(2);
    m.delete(0);
    found.everySecond = types(m);
    const joined = new nn.ModuleList([...m, new nn.ReLU()]);
    m.append(new nn.Softmax(0));
    found.joined = [types(joined), types(m), children(joined)];
    found.errors = [
      error(() => m.get(9)),
      error(() => m.get(-9)),
      kind(() => m.append(wrong(1))),
      kind(() => m.extend(wrong(3))),
      kind(() => (m as unknown as (x: number) => unknown)(1)),
      error(() => m.pop(7)),
    ];
    return found;
  },

  moduleDict() {
    const d = new nn.ModuleDict<nn.Module>({ b: new nn.Linear(1, 1), a: new nn.ReLU() });
    d.set('c', new nn.Linear(1, 2));
    d.update({ z: new nn.Tanh(), y: new nn.Identity() });
    d.update([['x', new nn.Sigmoid()]]);
    d.update(new nn.ModuleDict({ w: new nn.ELU() }));
    const popped = d.pop('a')._getName();
    d.delete('z');
    const found: Record<string, unknown> = {
      keys: [...d.keys()],
      types: types(d.values()),
      items: names(d.items()),
      len: d.size,
      contains: [d.has('b'), d.has('z')],
      iterated: [...d].map(([key]) => key),
      state: [...d.stateDict().keys()],
      missing: kind(() => d.get('nope')),
      popped,
      popMissing: kind(() => d.pop('nope')),
      repr: String(d),
      badKey: kind(() => d.set(wrong(3), new nn.ReLU())),
      badValue: kind(() => d.set('q', wrong(3))),
      attribute: (d as unknown as { b: nn.Module }).b._getName(),
      call: kind(() => (d as unknown as (x: number) => unknown)(1)),
      updateNumber: kind(() => d.update(wrong(3))),
      updatePair: kind(() => d.update(wrong([['x']]))),
      dotted: error(() => d.set('p.q', new nn.ReLU())),
      taken: error(() => d.set('keys', new nn.ReLU())),
    };
    d.set('b', new nn.ReLU());
    found.replaced = [[...d.keys()], d.get('b')._getName()];
    d.clear();
    found.cleared = [d.size, [...d.stateDict().keys()]];
    return found;
  },

  parameterList() {
    const p = new nn.ParameterList<unknown>([parameter(2), new nn.Parameter(torch.zeros(1, 3))]);
    const at = (i: number): Tensor => p.get(i) as Tensor;
    p.append(parameter(1));
    p.extend([new nn.Parameter(torch.ones(2, 2), { requiresGrad: false })]);
    const keys = [...p.stateDict().keys()];
    p.set(0, new nn.Parameter(torch.ones(2).mul(5)));
    const found: Record<string, unknown> = {
      keys,
      len: p.length,
      names: names(p.namedParameters()),
      value: at(0),
      repr: String(p),
      last: at(-1).shape.join() === '2,2',
      slice: [p.slice(1, 3)._getName(), p.slice(1, 3).length],
      errors: [
        kind(() => p.get(9)),
        kind(() => (p as unknown as (x: number) => unknown)(1)),
        kind(() => p.extend(wrong(3))),
        kind(() => p.set(9, at(0))),
      ],
      iterated: [...p].map((q) => (q as Tensor).shape),
    };
    p.append(torch.ones(1));
    found.tensor = [at(4) instanceof nn.Parameter, [...p.parameters()].length];
    p.append('text');
    found.other = [p.get(5), p.length, [...p.parameters()].length];
    p.extend([parameter(7)]);
    found.grown = at(-1).shape;
    return found;
  },

  parameterDict() {
    const d = new nn.ParameterDict<unknown>({ right: parameter(2), left: new nn.Parameter(torch.zeros(1)) });
    const at = (key: string): Tensor => d.get(key) as Tensor;
    d.set('new', parameter(3));
    const popped = d.pop('left');
    d.setdefault('new', parameter(9));
    d.setdefault('other', parameter(1));
    const found: Record<string, unknown> = {
      keys: [...d.keys()],
      state: [...d.stateDict().keys()],
      len: d.size,
      popped,
      contains: [d.has('new'), d.has('left')],
      shape: at('new').shape,
      repr: String(d),
      missing: kind(() => d.pop('nope')),
      get: [d.get('nope'), d.get('nope', 5), at('new').shape],
      items: names(d.items()),
      call: kind(() => (d as unknown as (x: number) => unknown)(1)),
    };
    d.update({ b: parameter(1), a: torch.ones(2) });
    found.updated = [[...d.keys()], at('a') instanceof nn.Parameter];
    found.poppedItem = d.popitem()[0];
    found.fromKeys = [...d.fromkeys(['p', 'q'], parameter(1)).keys()];
    const copied = d.copy();
    found.copied = [[...copied.keys()], copied.get('new') === d.get('new')];
    d.clear();
    found.cleared = d.size;
    return found;
  },

  dynamicUse() {
    class Dynamic extends nn.Module {
      linears = new nn.ModuleList(Array.from({ length: 3 }, () => new nn.Linear(2, 2)));
      acts = new nn.ModuleDict({ relu: new nn.ReLU(), lrelu: new nn.LeakyReLU() });
      final = new nn.Linear(2, 1);
      scales = new nn.ParameterList([torch.tensor([1]).float(), torch.tensor([2]).float()]);

      override forward(x: Tensor, act: 'relu' | 'lrelu'): Tensor {
        let h = x;
        for (const linear of this.linears) h = (this.acts.get(act) as nn.ReLU)(linear(h)).mul(this.scales.get(0));
        return this.final(h).mul(this.scales.get(1));
      }
    }
    const net = fill(new Dynamic());
    const x = ramp(2, 2);
    net(x, 'lrelu').sum().backward();
    return {
      relu: net(x, 'relu'),
      lrelu: net(x, 'lrelu'),
      names: names(net.namedParameters()),
      grads: [...net.parameters()].slice(-2).map((p) => p.grad),
      text: String(net),
    };
  },
});
