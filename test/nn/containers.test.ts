// Containers of modules and parameters.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, names, thrown } from './module_support';

const types = (modules: Iterable<nn.Module>): string[] => [...modules].map((m) => m._getName());

describe('Sequential', () => {
  test('calls its modules in a row', () => {
    const seq = fill(new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU(), new nn.Linear(2, 1)));
    const x = torch.ones(3, 2);
    const [a, b, c] = [...seq] as [nn.Linear, nn.ReLU, nn.Linear];
    expect(torch.equal(seq(x), c(b(a(x))))).toBe(true);
  });

  test.each<[string, nn.Sequential]>([
    ['modules', new nn.Sequential(new nn.ReLU(), new nn.Tanh())],
    ['an array of modules', new nn.Sequential([new nn.ReLU(), new nn.Tanh()])],
    ['an iterator', new nn.Sequential(new Set([new nn.ReLU(), new nn.Tanh()]))],
  ])('made from %s', (_, seq) => {
    expect(names(seq.namedChildren())).toEqual(['0', '1']);
    expect(types(seq)).toEqual(['ReLU', 'Tanh']);
    expect(seq.length).toBe(2);
    expect(seq[1]).toBe(seq.get(-1));
    expect(seq[2]).toBeUndefined();
  });

  test.each<[string, nn.Sequential]>([
    [
      'pairs',
      new nn.Sequential([
        ['act', new nn.ReLU()],
        ['out', new nn.Tanh()],
      ]),
    ],
    [
      'a Map',
      new nn.Sequential(
        new Map<string, nn.Module>([
          ['act', new nn.ReLU()],
          ['out', new nn.Tanh()],
        ]),
      ),
    ],
  ])('named, made from %s', (_, seq) => {
    expect(names(seq.namedChildren())).toEqual(['act', 'out']);
    expect((seq as nn.Sequential & { out: nn.Module }).out).toBe(seq.get(1));
    expect(seq[0]).toBe(seq.get(0));
    const relu6 = new nn.ReLU6();
    seq[0] = relu6;
    expect(names(seq.namedChildren())).toEqual(['act', 'out']);
    expect(seq.getSubmodule('act')).toBe(relu6);
  });

  test('a ModuleList is one module', () => {
    expect(types(new nn.Sequential(new nn.ModuleList([new nn.ReLU()])))).toEqual(['ModuleList']);
    expect(thrown(() => new nn.Sequential(5 as never))).toEqual({
      type: 'TypeError',
      message: 'number is not a Module subclass',
    });
  });

  test('changing it', () => {
    const seq = new nn.Sequential(new nn.ReLU());
    expect(seq.append(new nn.Tanh()).extend([new nn.Sigmoid(), new nn.GELU()])).toBe(seq);
    seq.insert(1, new nn.Identity());
    seq.insert(-1, new nn.ELU());
    expect(types(seq)).toEqual(['ReLU', 'Identity', 'Tanh', 'Sigmoid', 'ELU', 'GELU']);
    expect(seq.pop(1)._getName()).toBe('Identity');
    expect(seq.pop()._getName()).toBe('GELU');
    seq.delete(0);
    seq[0] = new nn.SiLU();
    expect(types(seq)).toEqual(['SiLU', 'Sigmoid', 'ELU']);
    expect(names(seq.namedChildren())).toEqual(['0', '1', '2']);
    expect(seq.length).toBe(3);
    expect([seq[2]!._getName(), seq[3]]).toEqual(['ELU', undefined]);
  });

  test('deleting by position moves those behind up', () => {
    const three = () => [new nn.Linear(1, 1), new nn.ReLU(), new nn.Tanh()];
    const lists: (nn.Sequential | nn.ModuleList)[] = [
      new nn.Sequential(...three()),
      new nn.ModuleList(three()),
      new nn.Sequential(three().map((m, i) => [`layer${i}`, m] as const)),
    ];
    for (const list of lists) {
      delete list[0];
      expect(names(list.namedChildren())).toEqual(['0', '1']);
      list.append(new nn.GELU());
      expect(types(list)).toEqual(['ReLU', 'Tanh', 'GELU']);
      expect(list[2]).toBe(list.get(2));
      expect(list[3]).toBeUndefined();
      expect(() => delete list[3]).toThrow(new RangeError('index 3 is out of range'));
    }
    const named = new nn.Sequential(three().map((m, i) => [`layer${i}`, m] as const));
    Reflect.deleteProperty(named, 'layer1');
    expect(names(named.namedChildren())).toEqual(['layer0', 'layer2']);
    const values = new nn.ParameterList([torch.ones(1), torch.ones(2)]);
    expect(() => delete values[0]).toThrow("'ParameterList' object doesn't support item deletion");
    expect(values.length).toBe(2);
  });

  test('parts, sums and repetitions', () => {
    const seq = new nn.Sequential([
      ['a', new nn.ReLU()],
      ['b', new nn.Tanh()],
      ['c', new nn.GELU()],
    ]);
    const part = seq.slice(1);
    expect(part).toBeInstanceOf(nn.Sequential);
    expect(names(part.namedChildren())).toEqual(['b', 'c']);
    expect(part.get(0)).toBe(seq.get(1));
    expect(types(seq.slice(null, null, -2))).toEqual(['GELU', 'ReLU']);
    expect(types(seq.slice(-5, -1))).toEqual(['ReLU', 'Tanh']);
    expect(types(part.concat(part))).toEqual(['Tanh', 'GELU', 'Tanh', 'GELU']);
    expect(names(part.repeat(2).namedModules({ removeDuplicate: false }))).toEqual(['', '0', '1', '2', '3']);
    expect(thrown(() => seq.repeat(0))).toEqual({
      type: 'RuntimeError',
      message: 'Non-positive multiplication factor 0 for Sequential',
    });
    expect(() => seq.concat(5 as never)).toThrow(
      'add operator supports only objects of Sequential class, but number is given.',
    );
  });

  test('positions out of range', () => {
    const seq = new nn.Sequential(new nn.ReLU());
    const at = (type: string, message: string): unknown => ({ type, message });
    expect(thrown(() => seq.get(7))).toEqual(at('RangeError', 'index 7 is out of range'));
    expect(thrown(() => seq.get(0.5))).toEqual(at('TypeError', 'an index must be an integer, got 0.5'));
    expect(thrown(() => seq.insert(9, new nn.ReLU()))).toEqual(at('RangeError', 'Index out of range: 9'));
    expect(thrown(() => (seq[1] = new nn.ReLU()))).toEqual(at('RangeError', 'index 1 is out of range'));
    expect(thrown(() => (seq[0] = 5 as never))).toEqual(
      at('TypeError', "cannot assign 'number' as child module '0' (torch.nn.Module or None expected)"),
    );
    expect(() => seq.insert(0, 5 as never)).toThrow(TypeError);
  });

  test('a subclass may have fields beside', () => {
    class Block extends nn.Sequential {
      readonly gain = 2;
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(this.gain);
      }
    }
    const block = new Block(new nn.ReLU());
    expectTensor(block(torch.ones(1)), [1], [2]);
    expect(block.slice(0, 1)).toBeInstanceOf(Block);
  });

  test('a child may have the name of a method that PyTorch has not', () => {
    const seq = new nn.Sequential([
      ['get', new nn.ReLU()],
      ['length', new nn.Tanh()],
    ]);
    expect([...seq.getSubmodule('get').children()]).toEqual([]);
    expect(seq.get(0)._getName()).toBe('ReLU');
    expect(seq.length).toBe(2);
    expect(() => new nn.Sequential([['forward', new nn.ReLU()]])).toThrow("attribute 'forward' already exists");
  });
});

describe('ModuleList', () => {
  test('is a list', () => {
    const list = new nn.ModuleList([new nn.Linear(1, 2), new nn.Linear(2, 3)]);
    expect(list.length).toBe(2);
    expect(list[1]!.inFeatures).toBe(2);
    expect(list.get(-1)).toBe(list[1]);
    let x = torch.ones(1, 1);
    for (const layer of list) x = layer(x);
    expect([...x.shape]).toEqual([1, 3]);
    expect(names(list.namedParameters())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias']);
  });

  test('changing it', () => {
    const list = new nn.ModuleList<nn.Module>([new nn.ReLU()]);
    expect(list.append(new nn.Tanh()).extend(new Set([new nn.GELU()]))).toBe(list);
    list.insert(1, new nn.Identity());
    expect(types(list)).toEqual(['ReLU', 'Identity', 'Tanh', 'GELU']);
    expect(list.pop(0)._getName()).toBe('ReLU');
    list.set(-1, new nn.SiLU());
    list[0] = new nn.ELU();
    list.delete(1);
    expect(types(list)).toEqual(['ELU', 'SiLU']);
    expect(names(list.namedChildren())).toEqual(['0', '1']);
    expect(types(list.slice(1))).toEqual(['SiLU']);
    expect(types(list.concat([new nn.ReLU()]))).toEqual(['ELU', 'SiLU', 'ReLU']);
    expect(list.at(5)).toBeUndefined();
  });

  test('what it refuses', () => {
    const list = new nn.ModuleList<nn.Module>([new nn.ReLU()]);
    const at = (type: string, message: string): unknown => ({ type, message });
    expect(thrown(() => list.get(1))).toEqual(at('RangeError', 'index 1 is out of range'));
    expect(thrown(() => (list[4] = new nn.ReLU()))).toEqual(at('RangeError', 'index 4 is out of range'));
    expect(thrown(() => list.extend(5 as never))).toEqual(
      at('TypeError', 'ModuleList.extend should be called with an iterable, but got number'),
    );
    expect(thrown(() => new nn.ModuleList([5 as never]))).toEqual(at('TypeError', 'number is not a Module subclass'));
    expect(thrown(() => (list as unknown as () => void)())).toEqual(
      at('RuntimeError', 'Module [ModuleList] is missing the required "forward" function'),
    );
  });

  test('equal neighbours print once', () => {
    const list = new nn.ModuleList<nn.Module>();
    expect(String(list)).toBe('ModuleList()');
    for (let i = 0; i < 4; i++) list.append(new nn.Linear(2, 2));
    list.extend([new nn.ReLU(), new nn.ReLU()]);
    expect(String(list)).toBe(
      'ModuleList(\n  (0-3): 4 x Linear(in_features=2, out_features=2, bias=True)\n  (4-5): 2 x ReLU()\n)',
    );
  });
});

describe('ModuleDict', () => {
  test('is a dict', () => {
    const d = new nn.ModuleDict<nn.Module>({ b: new nn.Linear(1, 1), a: new nn.ReLU() });
    d.set('c', new nn.Linear(1, 2));
    d.update({ z: new nn.Tanh(), y: new nn.Identity() });
    d.update([['x', new nn.Sigmoid()]]);
    expect(d.pop('a')._getName()).toBe('ReLU');
    d.delete('z');
    expect([...d.keys()]).toEqual(['b', 'c', 'y', 'x']);
    expect([...d]).toEqual(['b', 'c', 'y', 'x']);
    expect(types(d.values())).toEqual(['Linear', 'Linear', 'Identity', 'Sigmoid']);
    expect(names(d.items())).toEqual(names(d.entries()));
    expect([d.length, d.size, d.has('b'), d.has('z')]).toEqual([4, 4, true, false]);
    expect([...d.stateDict().keys()]).toEqual(['b.weight', 'b.bias', 'c.weight', 'c.bias']);
    expect(String(d)).toBe(
      'ModuleDict(\n  (b): Linear(in_features=1, out_features=1, bias=True)\n' +
        '  (c): Linear(in_features=1, out_features=2, bias=True)\n  (y): Identity()\n  (x): Sigmoid()\n)',
    );
    expect((d as nn.ModuleDict & { b: nn.Module }).b).toBe(d.get('b'));
    const copy = new nn.ModuleDict(d);
    d.clear();
    expect([d.length, copy.length]).toEqual([0, 4]);
  });

  test('what it refuses', () => {
    const d = new nn.ModuleDict<nn.Module>();
    expect(thrown(() => d.get('nope'))).toEqual({
      type: 'RuntimeError',
      message: "ModuleDict has no module under the key 'nope'",
    });
    expect(() => d.pop('x')).toThrow(torch.RuntimeError);
    expect(() => d.set(3 as never, new nn.ReLU())).toThrow(TypeError);
    expect(() => d.set('a', 5 as never)).toThrow('number is not a Module subclass');
    expect(() => d.set('type', new nn.ReLU())).toThrow("attribute 'type' already exists");
    expect(() => d.update(5 as never)).toThrow(
      'ModuleDict.update should be called with an iterable of key/value pairs, but got number',
    );
    expect(() => d.update([[1, 2, 3]] as never)).toThrow(
      'ModuleDict update sequence element #0 has length 3; 2 is required',
    );
  });

  test('keys of every kind', () => {
    const d = new nn.ModuleDict({ get: new nn.ReLU(), size: new nn.Tanh(), __proto: new nn.ReLU() });
    d.set('__proto__', new nn.GELU());
    expect([...d.keys()]).toEqual(['get', 'size', '__proto', '__proto__']);
    expect([d.get('get')._getName(), d.size, d.get('__proto__')._getName()]).toEqual(['ReLU', 4, 'GELU']);
  });
});

describe('ParameterList', () => {
  test('is a list', () => {
    const p = new nn.ParameterList([new nn.Parameter(torch.ones(2)), new nn.Parameter(torch.zeros(1, 3))]);
    p.append(torch.ones(1));
    p.extend([new nn.Parameter(torch.ones(2, 2), { requiresGrad: false })]);
    expect([...p.stateDict().keys()]).toEqual(['0', '1', '2', '3']);
    p[0] = new nn.Parameter(torch.ones(2).mul(5));
    expectTensor(p[0], [2], [5, 5]);
    p.set(1, torch.zeros(1, 3) as never);
    expect(p[1]).toBeInstanceOf(nn.Parameter);
    expect(names(p.namedParameters())).toEqual(['0', '1', '2', '3']);
    expect([p.length, [...p].length, p.at(-1) === p.get(3)]).toEqual([4, 4, true]);
    expect(String(p)).toBe(
      'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2]\n' +
        '    (1): Parameter containing: [torch.float32 of size 1x3]\n    (2): Parameter containing: [torch.float32 of size 1]\n' +
        '    (3): Parameter containing: [torch.float32 of size 2x2]\n)',
    );
    expect(String(p.slice(0, 1))).toBe('ParameterList(  (0): Parameter containing: [torch.float32 of size 2])');
    expect(String(new nn.ParameterList<unknown>([torch.ones(2), 5]))).toBe(
      'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2]\n    (1): Object of type: int\n)',
    );
  });

  test('what it refuses', () => {
    const p = new nn.ParameterList();
    expect(() => p.get(9)).toThrow(RangeError);
    expect(() => (p[0] = new nn.Parameter(torch.ones(1)))).toThrow('index 0 is out of range');
    expect(() => p.extend(torch.ones(2) as never)).toThrow(
      'ParameterList.extend should be called with an iterable, but got torch.FloatTensor',
    );
    expect(thrown(() => p())).toEqual({ type: 'RuntimeError', message: 'ParameterList should not be called.' });
    expect(p.length).toBe(0);
  });
});

describe('ParameterDict', () => {
  test('is a dict', () => {
    const d = new nn.ParameterDict({ right: new nn.Parameter(torch.ones(2)), left: new nn.Parameter(torch.zeros(1)) });
    expect([...d]).toEqual(['left', 'right']);
    d.set('new', torch.ones(3));
    expectTensor(d.pop('left'), [1], [0]);
    d.setdefault('new', torch.ones(9));
    d.setdefault('other', torch.ones(1));
    expect([...d.keys()]).toEqual(['right', 'new', 'other']);
    expect([...d.stateDict().keys()]).toEqual(['right', 'new', 'other']);
    expect([d.length, d.has('new'), [...d.get('new')!.shape]]).toEqual([3, true, [3]]);
    expect(String(d)).toBe(
      'ParameterDict(\n    (right): Parameter containing: [torch.FloatTensor of size 2]\n' +
        '    (new): Parameter containing: [torch.FloatTensor of size 3]\n' +
        '    (other): Parameter containing: [torch.FloatTensor of size 1]\n)',
    );
    const copy = d.copy();
    expect(copy.get('new')).toBe(d.get('new'));
    expect(copy.popitem()[0]).toBe('other');
    d.clear();
    expect([d.length, copy.length]).toEqual([0, 2]);
  });

  test('a Map keeps its order, other values are kept as they are', () => {
    const d = new nn.ParameterDict<unknown>(
      new Map<string, unknown>([
        ['z', torch.ones(1)],
        ['a', 'text'],
      ]),
    );
    expect([...d.keys()]).toEqual(['z', 'a']);
    expect([...d.stateDict().keys()]).toEqual(['z']);
    expect(String(d)).toContain('(a): Object of type: str');
    expect([d.get('a'), d.get('nope'), d.get('nope', 3)]).toEqual(['text', null, 3]);
    expect([...new nn.ParameterDict<unknown>().fromkeys(['x', 'y'], 0).items()]).toEqual([
      ['x', 0],
      ['y', 0],
    ]);
  });

  test('what it refuses', () => {
    const d = new nn.ParameterDict();
    expect(() => d.delete('nope')).toThrow("'ParameterDict' object has no attribute 'nope'");
    expect(() => d.pop('nope')).toThrow(torch.RuntimeError);
    expect(() => d.popitem()).toThrow(torch.RuntimeError);
    expect(() => d.set(3 as never, torch.ones(1))).toThrow(TypeError);
    expect(() => d.update(5 as never)).toThrow(
      'ParametersDict.update should be called with an iterable of key/value pairs, but got number',
    );
    expect(() => d()).toThrow('ParameterDict should not be called.');
  });
});
