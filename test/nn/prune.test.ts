// Pruning. The values were recorded from PyTorch 2.13.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, names, ramp, thrown } from './module_support';

const { prune } = nn.utils;
const keys = (module: nn.Module) => [...module.stateDict().keys()];
const at = (module: nn.Module, name: string) => (module as unknown as Record<string, Tensor>)[name]!;
const mask = (module: nn.Module, name = 'weight') => at(module, `${name}_mask`).reshape(-1).tolist();
const linear = () => fill(new nn.Linear(4, 3));

describe('one tensor', () => {
  test('is replaced by the original, a mask and their product; further methods prune what is left', () => {
    const m = linear();
    const { weight } = m;
    expect(prune.l1Unstructured(m, 'weight', 0.4)).toBe(m);
    expect(keys(m)).toEqual(['bias', 'weight_orig', 'weight_mask']);
    expect(names(m.namedParameters())).toEqual(['bias', 'weight_orig']);
    expect(String(m)).toBe('Linear(in_features=4, out_features=3, bias=True)');
    expect(mask(m)).toEqual([1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0]);
    expect(m.weight).not.toBeInstanceOf(nn.Parameter);
    prune.lnStructured(m, 'weight', 1, 2, 0);
    expect(mask(m)).toEqual([1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0]);
    prune.l1Unstructured(m, 'weight', 2);
    expect(mask(m)).toEqual([1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
    prune.l1Unstructured(m, 'bias', 1);
    expect(mask(m, 'bias')).toEqual([0, 1, 1]);
    expect(keys(m)).toEqual(['weight_orig', 'bias_orig', 'weight_mask', 'bias_mask']);
    expect(m._forwardPreHooks.size).toBe(2);

    const y = m(ramp(2, 4));
    expectTensor(y, [2, 3], [0.09093, 1.287415, 0.650288, 0.791237, 1.299588, 0.650288]);
    y.sum().backward();
    expectTensor(at(m, 'weight_orig').grad, [3, 4], [0.4, 0.6, 0, 0, 0.4, 0, 0, 1, 0, 0, 0, 0]);

    expect(prune.isPruned(new nn.Sequential(m))).toBe(true);
    prune.remove(m, 'weight');
    expect(keys(m)).toEqual(['bias_orig', 'weight', 'bias_mask']);
    expect(m.weight).toBe(weight);
    expectTensor(m.weight, [3, 4], [0.841471, 0.909297, 0, 0, -0.958924, 0, 0, 0.989358, 0, 0, 0, 0]);
    prune.remove(m, 'bias');
    expect(prune.isPruned(m)).toBe(false);
    expect(keys(m)).toEqual(['weight', 'bias']);
    expect(thrown(() => prune.remove(m, 'bias'))).toEqual({
      type: 'RuntimeError',
      message:
        "Parameter 'bias' of module Linear(in_features=4, out_features=3, bias=True) has to be pruned before pruning can be removed",
    });
  });

  test('the forward after an update uses the new values', () => {
    const m = prune.l1Unstructured(linear(), 'weight', 4);
    torch.noGrad(() => at(m, 'weight_orig').mul_(2));
    const x = ramp(1, 4);
    expectTensor(
      m(x),
      [1, 3],
      torch
        .addmm(m.bias!, x, at(m, 'weight_orig').mul(at(m, 'weight_mask')).t())
        .reshape(-1)
        .tolist() as number[],
    );
  });

  test('random methods draw what PyTorch draws', () => {
    torch.manualSeed(3);
    expect(mask(prune.randomUnstructured(linear(), 'weight', 5))).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1]);
    torch.manualSeed(3);
    expect(mask(prune.randomStructured(linear(), 'weight', 0.5, 1))).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
  });

  test('norms, scores, masks', () => {
    const conv = prune.lnStructured(fill(new nn.Conv2d(2, 4, 2)), 'weight', 0.5, 1, 0);
    expect(at(conv, 'weight_mask').sum([1, 2, 3]).tolist()).toEqual([8, 0, 8, 0]);
    const scored = prune.lnStructured(linear(), 'weight', 2, Infinity, -1, { importanceScores: ramp(3, 4) });
    expect(mask(scored)).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
    expect(mask(prune.l1Unstructured(linear(), 'weight', 10, ramp(3, 4)))).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
    ]);
    const given = torch.tensor([1, 0, 1]);
    expect(mask(prune.customFromMask(linear(), 'bias', given), 'bias')).toEqual([1, 0, 1]);
    expect(mask(prune.identity(linear(), 'bias'), 'bias')).toEqual([1, 1, 1]);
  });

  test('a share is rounded to the even neighbour', () => {
    const pruned = (n: number) => {
      const left = new prune.L1Unstructured(0.5).computeMask(ramp(n), torch.ones(n));
      return n - Number(left.sum().item());
    };
    expect([1, 3, 5, 7].map(pruned)).toEqual([0, 2, 2, 4]);
  });

  test('a tensor of no module', () => {
    const t = torch.tensor([3, -1, 2, -4], { dtype: torch.float32 });
    expectTensor(new prune.L1Unstructured({ amount: 2 }).prune(t), [4], [3, 0, 0, -4]);
    expect(thrown(() => new prune.Identity().prune(t, null, torch.ones(2)))?.message).toBe(
      'importance_scores should have the same shape as tensor t, got torch.Size([2]) vs torch.Size([4])',
    );
  });

  test("a method of one's own", () => {
    class EveryOther extends prune.BasePruningMethod {
      static override PRUNING_TYPE = 'unstructured' as const;
      override computeMask(_t: Tensor, defaultMask: Tensor): Tensor {
        const every = defaultMask.reshape(-1).clone();
        every.index(torch.slice(0, null, 2)).zero_();
        return every.reshape([...defaultMask.shape]);
      }
    }
    const m = linear();
    expect(EveryOther.apply(m, 'bias')).toBeInstanceOf(EveryOther);
    expect(mask(m, 'bias')).toEqual([0, 1, 0]);
    const both = EveryOther.apply(m, 'bias');
    expect(both).toBeInstanceOf(prune.PruningContainer);
    expect([...(both as InstanceType<typeof prune.PruningContainer>)]).toHaveLength(2);
    expect(mask(m, 'bias')).toEqual([0, 0, 0]);
  });

  test.each([
    [-1, 'RuntimeError', 'amount=-1 should either be a float in the range [0, 1] or a non-negative integer'],
    [1.5, 'RuntimeError', 'amount=1.5 should either be a float in the range [0, 1] or a non-negative integer'],
    [100, 'RuntimeError', 'amount=100 should be smaller than the number of parameters to prune=12'],
    ['x', 'TypeError', 'Invalid type for amount: x. Must be int or float.'],
  ])('refuses the amount %p', (amount, type, message) => {
    const m = linear();
    expect(thrown(() => prune.l1Unstructured(m, 'weight', amount as number))).toEqual({ type, message });
    expect(keys(m)).toEqual(['weight', 'bias']);
  });

  test('an error leaves earlier pruning as it was', () => {
    const m = prune.l1Unstructured(linear(), 'weight', 4);
    const before = mask(m);
    expect(thrown(() => prune.lnStructured(m, 'weight', 1, 2, 2))).toEqual({
      type: 'RangeError',
      message: 'Index is out of bounds for tensor with dimensions 2',
    });
    expect(thrown(() => prune.lnStructured(linear(), 'weight', 1, 2, 2))?.message).toBe(
      'Invalid index 2 for tensor of size torch.Size([3, 4])',
    );
    expect(mask(m)).toEqual(before);
    expect(m._forwardPreHooks.size).toBe(1);
    expect(thrown(() => prune.lnStructured(linear(), 'bias', 1, 2, 0))?.message).toBe(
      'Structured pruning can only be applied to multidimensional tensors. Found tensor of shape torch.Size([3]) with 1 dims',
    );
    expect(thrown(() => prune.l1Unstructured(linear(), 'weight', 1, torch.ones(2, 2)))?.message).toBe(
      'importance_scores should have the same shape as parameter weight of Linear(in_features=4, out_features=3, bias=True), ' +
        'got torch.Size([2, 2]) vs torch.Size([3, 4])',
    );
  });
});

describe('globalUnstructured', () => {
  const pair = () => {
    const a = fill(new nn.Linear(2, 3));
    const b = fill(new nn.Linear(3, 2));
    return {
      a,
      b,
      list: [
        [a, 'weight'],
        [b, 'weight'],
      ] as [nn.Module, string][],
    };
  };

  test('prunes the least of all, again and again', () => {
    const { a, b, list } = pair();
    prune.globalUnstructured(list, prune.L1Unstructured, { amount: 0.5 });
    expect([mask(a), mask(b)]).toEqual([
      [1, 1, 0, 0, 1, 0],
      [1, 1, 0, 0, 1, 0],
    ]);
    prune.globalUnstructured(list, prune.L1Unstructured, { amount: 3 });
    expect([mask(a), mask(b)]).toEqual([
      [0, 1, 0, 0, 1, 0],
      [0, 0, 0, 0, 1, 0],
    ]);
  });

  test('by scores', () => {
    const { a, b, list } = pair();
    prune.globalUnstructured(list, prune.L1Unstructured, {
      amount: 3,
      importanceScores: [[[a, 'weight'], ramp(3, 2).sub(0.5)]],
    });
    expect(mask(b)).toEqual([1, 1, 0, 1, 1, 1]);
    expect(mask(a)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  test('refuses structured methods and what is no list', () => {
    const { list } = pair();
    expect(thrown(() => prune.globalUnstructured(list, prune.LnStructured, { amount: 1, n: 2 }))).toEqual({
      type: 'TypeError',
      message:
        'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method LnStructured of type structured',
    });
    expect(thrown(() => prune.globalUnstructured(3 as unknown as [], prune.L1Unstructured))?.message).toBe(
      'global_unstructured(): parameters is not an Iterable',
    );
  });
});
