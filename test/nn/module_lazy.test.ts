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
