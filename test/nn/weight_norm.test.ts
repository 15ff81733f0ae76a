// The older weight norm and spectral norm, by hooks. The values were recorded from PyTorch 2.13.
import torch, { nn, type StateDict, type Tensor } from 'flambeau';
import { expectTensor, fill, names, ramp, thrown } from './module_support';

const { weightNorm, removeWeightNorm, spectralNorm, removeSpectralNorm } = nn.utils;
const keys = (module: nn.Module) => [...module.stateDict().keys()];
const at = (module: nn.Module, name: string) => (module as unknown as Record<string, Tensor>)[name]!;

describe('weightNorm', () => {
  test('splits the weight into a length and a direction', () => {
    const m = weightNorm(fill(new nn.Linear(3, 2)));
    expect(keys(m)).toEqual(['bias', 'weight_g', 'weight_v']);
    expect(names(m.namedParameters())).toEqual(['bias', 'weight_g', 'weight_v']);
    expectTensor(at(m, 'weight_g'), [2, 1], [1.24692, 1.25314]);
    expectTensor(at(m, 'weight_v'), [2, 3], [0.841471, 0.909297, 0.14112, -0.756802, -0.958924, -0.279415]);
    torch.noGrad(() => at(m, 'weight_g').mul_(2));
    const y = m(ramp(2, 3).requiresGrad_());
    expectTensor(y, [2, 2], [0.895294, 0.685807, 2.030427, -0.511278]);
    y.sum().backward();
    expectTensor(at(m, 'weight_g').grad, [2, 1], [0.646292, -0.719867]);
    expectTensor(at(m, 'weight_v').grad, [2, 3], [-0.272286, 0.057404, 1.253712, -0.269491, -0.10171, 1.078979]);
    expect(removeWeightNorm(m)).toBe(m);
    expect(keys(m)).toEqual(['bias', 'weight']);
    expectTensor(m.weight, [2, 3], [1.682942, 1.818595, 0.28224, -1.513605, -1.917849, -0.558831]);
    expect(m._forwardPreHooks.size).toBe(0);
  });

  test('other dimensions', () => {
    expectTensor(at(weightNorm(fill(new nn.Conv1d(2, 3, 2)), { dim: 1 }), 'weight_g'), [1, 2, 1], [1.731561, 1.814116]);
    expectTensor(at(weightNorm(fill(new nn.Linear(3, 2)), 'weight', null), 'weight_g'), [], [1.767815]);
    expectTensor(at(weightNorm(fill(new nn.Linear(3, 2)), 'bias'), 'bias_g'), [2], [0.656987, 0.989358]);
  });

  test('refuses a second one, and removing none', () => {
    const m = weightNorm(new nn.Linear(2, 2));
    expect(thrown(() => weightNorm(m))?.message).toBe(
      'Cannot register two weight_norm hooks on the same parameter weight',
    );
    expect(thrown(() => removeWeightNorm(new nn.Linear(2, 2)))?.message).toBe(
      "weight_norm of 'weight' not found in Linear(in_features=2, out_features=2, bias=True)",
    );
    expect(thrown(() => weightNorm(new nn.LazyLinear(2)))?.message).toContain("can't have uninitialized parameters");
  });
});

describe('spectralNorm', () => {
  test('divides by the largest singular value', () => {
    torch.manualSeed(5);
    const m = spectralNorm(fill(new nn.Linear(3, 2)));
    expect(keys(m)).toEqual(['bias', 'weight_orig', 'weight_u', 'weight_v']);
    expect([...m.stateDict()._metadata!]).toEqual([['', { version: 1, spectral_norm: { 'weight.version': 1 } }]]);
    expectTensor(at(m, 'weight_u'), [2], [-0.101094, 0.994877]);
    expectTensor(at(m, 'weight_v'), [3], [-0.816838, -0.444378, 0.367838]);
    const y = m(ramp(2, 3));
    expectTensor(y, [2, 2], [0.724646, 0.903175, 1.046928, 0.563304]);
    y.sum().backward();
    expectTensor(at(m, 'weight_u'), [2], [-0.70267, 0.711516]);
    expectTensor(at(m, 'weight_orig').grad, [2, 3], [0.183667, 0.300538, 0.402126, 0.156864, 0.267084, 0.392779]);
    const value = [0.477813, 0.516327, 0.080132, -0.429736, -0.544507, -0.158661];
    expectTensor(m.weight, [2, 3], value);
    removeSpectralNorm(m);
    expect(keys(m)).toEqual(['bias', 'weight']);
    expectTensor(m.weight, [2, 3], value);
    expect([m._forwardPreHooks.size, m._stateDictHooks.size, m._loadStateDictPreHooks.size]).toEqual([0, 0, 0]);
    expect(thrown(() => removeSpectralNorm(m))?.message).toBe(
      "spectral_norm of 'weight' not found in Linear(in_features=3, out_features=2, bias=True)",
    );
  });

  test('loads its own state, and files of before there was a version', () => {
    const m = spectralNorm(fill(new nn.Linear(2, 3)));
    for (let i = 0; i < 20; i++) m(ramp(1, 2));
    const state = m.stateDict() as StateDict<Tensor>;
    const other = spectralNorm(new nn.Linear(2, 3));
    other.loadStateDict(state);
    expect(at(other, 'weight_v').equal(at(m, 'weight_v'))).toBe(true);

    const old: Record<string, Tensor> = Object.fromEntries([...state].filter(([name]) => name !== 'weight_v'));
    old.weight = m.weight.detach().clone();
    const again = spectralNorm(new nn.Linear(2, 3)).eval();
    again.loadStateDict(old);
    expectTensor(at(again, 'weight_v'), [2], at(m, 'weight_v').tolist() as number[], 4);
    const x = ramp(1, 2);
    expectTensor(again(x), [1, 3], m.eval()(x).reshape(-1).tolist() as number[], 4);
    expect(thrown(() => again.loadStateDict({ bias: old.bias, weight: old.weight }))?.message).toBe(
      'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "weight_orig", "weight_u", "weight_orig", ' +
        '"weight_u", "weight_v". \n\tUnexpected key(s) in state_dict: "weight". ',
    );
  });

  test('transposed convolutions have their outputs second', () => {
    const m = spectralNorm(new nn.ConvTranspose1d(2, 3, 2));
    expect([[...at(m, 'weight_u').shape], [...at(m, 'weight_v').shape]]).toEqual([[3], [4]]);
    expect(thrown(() => spectralNorm(m))?.message).toBe(
      'Cannot register two spectral_norm hooks on the same parameter weight',
    );
    expect(thrown(() => spectralNorm(new nn.Linear(2, 2), { nPowerIterations: 0 }))?.message).toBe(
      'Expected n_power_iterations to be positive, but got n_power_iterations=0',
    );
    expect(thrown(() => spectralNorm(new nn.Linear(2, 2, false), 'bias'))?.message).toBe(
      '`SpectralNorm` cannot be applied as parameter `bias` is None',
    );
  });
});
