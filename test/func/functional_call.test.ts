// Modules as functions of their parameters. The values were recorded from PyTorch 2.13.
import torch, { nn, type Tensor } from 'flambeau';
import { expectTensor, fill, ramp, thrown } from '../nn/module_support';

const { functionalCall, stackModuleState, grad, vmap } = torch.func;
const x = ramp(3).add(0.5);
const model = () => fill(new nn.Sequential(new nn.Linear(3, 2), new nn.Tanh()));
const detached = (m: nn.Module) =>
  Object.fromEntries([...m.namedParameters()].map(([name, p]) => [name, p.detach()])) as Record<string, Tensor>;

class Tied extends nn.Module {
  a = new nn.Linear(2, 2, { bias: false });
  b = new nn.Linear(2, 2, { bias: false });
  constructor() {
    super();
    this.b.weight = this.a.weight;
  }
  override forward(input: Tensor): Tensor {
    return this.b(this.a(input));
  }
}

describe('functionalCall', () => {
  test("uses the given tensors and puts the module's own back", () => {
    const m = model();
    const before = [...m.parameters()];
    const g = grad((p: Record<string, Tensor>) => functionalCall(m, p, x).sum())(detached(m));
    expectTensor(g['0.weight']!, [2, 3], [0.059971, 0.071966, 0.08396, 0.487417, 0.584901, 0.682384]);
    expectTensor(g['0.bias']!, [2], [0.119943, 0.974834]);
    const part = functionalCall(m, new Map([['0.bias', torch.zeros(2)]]), [x]);
    expectTensor(part, [2], torch.tanh(m.getParameter('0.weight').mv(x)).tolist() as number[]);
    expect([...m.parameters()].every((p, i) => p === before[i])).toBe(true);
    expect(thrown(() => functionalCall(m, detached(m), torch.ones(5)))).not.toBeNull();
    expect([...m.parameters()].every((p, i) => p === before[i])).toBe(true);
    expect(functionalCall(m, { '0.nope': x }, x).equal(m(x))).toBe(true);
    expect(m.get(0)).not.toHaveProperty('nope');
  });

  test('several mappings, buffers, and keyword arguments', () => {
    const bn = fill(new nn.BatchNorm1d(2));
    const state = { running_mean: torch.zeros(2), running_var: torch.ones(2), num_batches_tracked: torch.tensor(0n) };
    functionalCall(bn, state, ramp(3, 2));
    expectTensor(state.running_mean, [2], [0.02, 0.03]);
    expectTensor(state.running_var, [2], [0.904, 0.904]);
    expect(state.num_batches_tracked.item()).toBe(1);
    expectTensor(bn.running_mean, [2], [0, 0]);
    const m = model();
    const p = detached(m);
    expect(functionalCall(m, [{ '0.weight': p['0.weight']! }, { '0.bias': p['0.bias']! }], x).equal(m(x))).toBe(true);
    class Scaled extends nn.Module {
      w = new nn.Parameter(torch.ones(1));
      override forward(input: Tensor, options: { by?: number } = {}): Tensor {
        return input.mul(this.w).mul(options.by ?? 1);
      }
    }
    expectTensor(functionalCall(new Scaled(), { w: torch.full([1], 2) }, x, { by: 3 }), [3], [3, 3.6, 4.2]);
  });

  test('tied tensors', () => {
    const t = new Tied();
    const row = ramp(1, 2);
    expectTensor(functionalCall(t, { 'a.weight': torch.eye(2).mul(2) }, row), [1, 2], [0, 0.4]);
    const two = { 'a.weight': torch.eye(2), 'b.weight': torch.ones(2, 2) };
    expect(thrown(() => functionalCall(t, two, row))?.message).toBe(
      "functional_call got multiple values for keys ['a.weight', 'b.weight'], which are tied. Consider using tie_weights=False",
    );
    expectTensor(functionalCall(t, two, row, { tieWeights: false }), [1, 2], [0.1, 0.1]);
    expectTensor(
      nn.utils.stateless.functionalCall(t, two, row, null, { tieWeights: false }) as Tensor,
      [1, 2],
      [0.1, 0.1],
    );
    expect(t.a.weight).toBe(t.b.weight);
    expect(Object.keys(nn.utils.stateless)).toEqual(['functionalCall']);
  });

  test('parametrized modules', () => {
    const m = nn.utils.parametrizations.weightNorm(fill(new nn.Linear(2, 2)));
    const doubled = m.stateDict().get('parametrizations.weight.original0')!.mul(2);
    const found = functionalCall(m, { 'parametrizations.weight.original0': doubled, bias: torch.zeros(2) }, ramp(1, 2));
    expectTensor(found, [1, 2], ramp(1, 2).mm(m.weight.t()).mul(2).reshape(-1).tolist() as number[]);
  });

  test.each<[() => unknown, string]>([
    [
      () => functionalCall(model(), { '0.nope': x }, x, { strict: true }),
      "Error(s) in reparametrizing for Sequential:\n\tUnexpected key(s): '0.nope'.\n\tMissing key(s): '0.bias', '0.weight'.",
    ],
    [
      () => functionalCall(model(), [detached(model()), detached(model())], x),
      "['0.weight', '0.bias'] appeared in multiple dictionaries; behavior of functional call is ambiguous",
    ],
    [
      () => functionalCall(model(), 3 as unknown as [], x),
      'Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got number',
    ],
    [
      () => functionalCall(model(), [3] as unknown as [], x),
      'Expected all elements of parameter_and_buffer_dicts to be dictionaries',
    ],
    [() => functionalCall(model(), { '5.w': x }, x), 'Sequential has no attribute `5`'],
  ])('refuses what does not fit (%#)', (fn, message) => {
    expect(thrown(fn)).toEqual({ type: 'RuntimeError', message });
  });
});

describe('stackModuleState', () => {
  test('makes an ensemble of models', () => {
    const models = [1, 2, 3].map((k) => {
      const m = fill(new nn.Linear(2, 2));
      torch.noGrad(() => m.weight.mul_(k));
      return m;
    });
    const [params, buffers] = stackModuleState(models);
    expect(Object.entries(params).map(([k, v]) => [k, [...v.shape], v.requiresGrad, v.isLeaf])).toEqual([
      ['weight', [3, 2, 2], true, true],
      ['bias', [3, 2], true, true],
    ]);
    expect(buffers).toEqual({});
    const input = ramp(2);
    const run = (p: Record<string, Tensor>, b: Record<string, Tensor>, row: Tensor): Tensor =>
      functionalCall(models[0]!, [p, b], row);
    const out = vmap(run, { inDims: [0, 0, null] })(params, buffers, input);
    expectTensor(
      out,
      [3, 2],
      models.flatMap((m) => m(input).tolist() as number[]),
    );
    expect(Object.keys(stackModuleState(new nn.ModuleList([new nn.BatchNorm1d(2), new nn.BatchNorm1d(2)]))[1])).toEqual(
      ['running_mean', 'running_var', 'num_batches_tracked'],
    );
  });

  test.each<[() => nn.Module[], string]>([
    [() => [], 'stack_module_state: Expected at least one model, got 0.'],
    [() => [new nn.Linear(2, 2), new nn.ReLU()], 'stack_module_state: Expected all models to be of the same class.'],
    [
      () => [new nn.ReLU(), new nn.ReLU().eval()],
      'stack_module_state: Expected all models to have the same training/eval mode.',
    ],
    [
      () => [new nn.Linear(2, 2), new nn.Linear(2, 2).requiresGrad_(false)],
      'Expected weight from each model to have the same .requires_grad',
    ],
  ])('refuses models that differ (%#)', (models, message) => {
    expect(thrown(() => stackModuleState(models()))).toEqual({ type: 'RuntimeError', message });
  });
});

test('torch.nn.modules has the hooks of all modules', () => {
  const calls: string[] = [];
  const handle = nn.modules.registerModuleForwardHook((module: nn.Module) => {
    calls.push(module._getName());
  });
  model()(x);
  handle.remove();
  model()(x);
  expect(calls).toEqual(['Linear', 'Tanh', 'Sequential']);
  expect(nn.modules.Linear).toBe(nn.Linear);
});
