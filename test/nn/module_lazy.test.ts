// Lazy modules before and after their first call.
import torch, { nn } from 'flambeau';
import { thrown } from './module_support';

test('the first call gives shapes and the ordinary class', () => {
  const m = new nn.LazyLinear(3);
  expect(String(m)).toBe('LazyLinear(in_features=0, out_features=3, bias=True)');
  expect([...m.stateDict().keys()]).toEqual(['weight', 'bias']);
  expect(m.hasUninitializedParams()).toBe(true);
  expect(thrown(() => m.weight.shape)!.message).toMatch(
    /^Can't access the shape of an uninitialized parameter or buffer\./,
  );
  expect(String(m.weight)).toBe('<UninitializedParameter>');
  const { weight } = m;
  m(torch.ones(2, 5));
  expect(String(m)).toBe('Linear(in_features=5, out_features=3, bias=True)');
  expect(m.weight).toBe(weight);
  expect([...weight.shape]).toEqual([3, 5]);
  expect([weight.constructor, weight.requiresGrad, m instanceof nn.LazyLinear]).toEqual([nn.Parameter, true, false]);
  expect([m._forwardPreHooks.size, m._loadStateDictPreHooks.size]).toEqual([0, 0]);
});

test('loading a state dict gives shapes, the next call the class', () => {
  const source = new nn.Linear(5, 3);
  const m = new nn.LazyLinear(3);
  m.loadStateDict(source.stateDict());
  expect([...m.weight.shape]).toEqual([3, 5]);
  expect(m._getName()).toBe('LazyLinear');
  const x = torch.ones(2, 5);
  expect(torch.equal(m(x), source(x))).toBe(true);
  expect(m._getName()).toBe('Linear');
});

test('a copy made before is lazy itself', () => {
  const m = new nn.LazyLinear(3);
  const copy = torch.deepcopy(m);
  m(torch.ones(2, 5));
  expect(copy.hasUninitializedParams()).toBe(true);
  copy(torch.ones(2, 4));
  copy(torch.ones(2, 4));
  expect([[...m.weight.shape], [...copy.weight.shape]]).toEqual([
    [3, 5],
    [3, 4],
  ]);
});

test('conversions before the first call hold after it', () => {
  const m = new nn.LazyLinear(3).double();
  m(torch.ones(2, 5, { dtype: torch.float64 }));
  expect(m.weight.dtype).toBe(torch.float64);
});

test('an initialised module cannot be loaded from one that is not', () => {
  const message = thrown(() => new nn.Linear(5, 3).loadStateDict(new nn.LazyLinear(3).stateDict()))!.message;
  expect(message).toMatch(/^Can't access the shape of an uninitialized parameter or buffer\./);
});

describe('a tensor without a shape', () => {
  const parameter = () => new nn.UninitializedParameter();
  const refused: Record<string, [call: () => unknown, message: string]> = {
    'nn.init': [() => nn.init.normal_(parameter()), 'Attempted to use an uninitialized parameter in normal_.'],
    zeros: [() => nn.init.zeros_(parameter()), 'Attempted to use an uninitialized parameter in zero_.'],
    fans: [
      () => nn.init.kaimingNormal_(parameter()),
      "Can't access the shape of an uninitialized parameter or buffer.",
    ],
    'in place': [() => parameter().add_(1), 'Attempted to use an uninitialized parameter in add_.'],
    'in place, without gradients': [
      () => torch.noGrad(() => parameter().fill_(1)),
      'Attempted to use an uninitialized parameter in fill_.',
    ],
    'out of place': [() => parameter().clone(), 'Attempted to use an uninitialized parameter in clone.'],
    'a method of linalg': [() => parameter().det(), 'Attempted to use an uninitialized parameter in det.'],
    'a buffer': [
      () => new nn.UninitializedBuffer().zero_(),
      'explicitly manipulating `torch.nn.parameter.UninitializedBuffer` objects',
    ],
    sharing: [
      () => new nn.LazyLinear(3).shareMemory(),
      "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before " +
        'calling `module.share_memory()`.',
    ],
  };
  test.each(Object.keys(refused))('refuses %s', (what) => {
    const [call, message] = refused[what]!;
    expect(call).toThrow(torch.RuntimeError);
    expect(call).toThrow(message);
  });
  test('can be moved and converted, and is an ordinary one after materialize', () => {
    const p = parameter();
    expect([p.to('cpu'), p.data.dtype, p.isFloatingPoint()].map(String)).toEqual([
      '<UninitializedParameter>',
      'torch.float32',
      'true',
    ]);
    p.materialize([2]);
    torch.noGrad(() => p.fill_(3).add_(1));
    expect(p.tolist()).toEqual([4, 4]);
    const layer = new nn.LazyLinear(2).double();
    expect(layer(torch.ones([1, 3], { dtype: torch.float64 })).shape).toEqual([1, 2]);
  });
});
