// Gradient mode, inference mode, hooks on saved tensors, anomaly detection.
import torch, { type Tensor } from 'flambeau';
import { expectValues, flat, leaf } from './support';

const { autograd } = torch;

describe('gradient modes', () => {
  test('noGrad records nothing and is restored', async () => {
    const x = leaf([1]);
    expect(torch.noGrad(() => x.mul(2).requiresGrad)).toBe(false);
    expect(torch.noGrad(() => torch.enableGrad(() => x.mul(2).requiresGrad))).toBe(true);
    expect(() =>
      torch.noGrad(() => {
        throw new Error('x');
      }),
    ).toThrow('x');
    expect(torch.isGradEnabled()).toBe(true);
    const pending = torch.noGrad(async () => {
      await Promise.resolve();
      return torch.isGradEnabled();
    });
    expect(await pending).toBe(false);
    expect(torch.isGradEnabled()).toBe(true);
  });

  test('a guard restores at the end of its block', () => {
    {
      using _ = torch.noGrad();
      expect(torch.isGradEnabled()).toBe(false);
      {
        using __ = torch.enableGrad();
        expect(torch.isGradEnabled()).toBe(true);
      }
      expect(torch.isGradEnabled()).toBe(false);
    }
    expect(torch.isGradEnabled()).toBe(true);
  });

  test('setGradEnabled', () => {
    torch.setGradEnabled(false);
    expect(torch.isGradEnabled()).toBe(false);
    torch.setGradEnabled(true);
    expect(torch.setGradEnabled(false, () => torch.isGradEnabled())).toBe(false);
    expect(torch.isGradEnabled()).toBe(true);
    expect(() => torch.setGradEnabled(1 as unknown as boolean)).toThrow(TypeError);
    expect(() => torch.noGrad(5 as unknown as () => void)).toThrow(TypeError);
    expect(torch.isGradEnabled()).toBe(true);
  });

  test('views under noGrad do not require gradients', () => {
    const x = leaf([1, 2]);
    expect(torch.noGrad(() => x.narrow(0, 0, 1)).requiresGrad).toBe(false);
  });

  test('inference tensors stay out of the graph', () => {
    const x = torch.ones(2, { requiresGrad: true });
    const t = torch.inferenceMode(() => {
      expect([torch.isInferenceModeEnabled(), torch.isGradEnabled()]).toEqual([true, false]);
      return torch.ones(2).mul(3).add_(1);
    });
    expect([t.isInference(), x.isInference(), torch.isInferenceModeEnabled()]).toEqual([true, false, false]);
    expect(() => t.add_(1)).toThrow('Inplace update to inference tensor outside InferenceMode is not allowed.');
    expect(() => t.mul(x)).toThrow('Inference tensors cannot be saved for backward.');
    expect(() => t.requiresGrad_()).toThrow(
      'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
    );
    expect(t.add(x).requiresGrad).toBe(true);
    expect(t.clone().isInference()).toBe(false);
    expect(torch.inferenceMode(() => torch.inferenceMode(false, () => torch.ones(1).isInference()))).toBe(false);
  });
});

describe('hooks on saved tensors', () => {
  test('pack and unpack each saved tensor', () => {
    const w = torch.ones(2, { requiresGrad: true });
    const packed: string[] = [];
    const unpacked: string[] = [];
    const pack = (t: Tensor): { value: Tensor; name: string } => {
      packed.push(String(t.gradFn));
      return { value: t, name: String(packed.length) };
    };
    const unpack = (p: { value: Tensor; name: string }): Tensor => {
      unpacked.push(p.name);
      return p.value;
    };
    const [y, z] = autograd.graph.savedTensorsHooks(pack, unpack, () => [w.exp(), w.mul(w)] as const);
    expect(packed.length).toBe(3);
    y.sum().backward();
    expect(unpacked).toEqual(['1']);
    expectValues(w.grad, [Math.E, Math.E]);
    const [g] = autograd.grad(z.sum(), w, { createGraph: true });
    expectValues(autograd.grad(g!.sum(), w)[0], [2, 2]);
    w.mul(w);
    expect(packed.length).toBe(3);
  });

  test('a copy in another place gives the same gradients', () => {
    const x = leaf([0.5, -0.25]);
    const f = (): Tensor => x.exp().mul(x).sum();
    const [plain] = autograd.grad(f(), x);
    const [hooked] = autograd.grad(
      autograd.graph.savedTensorsHooks(
        (t) => [Array.from(t.toTypedArray() as Float32Array), t.shape] as const,
        ([values, shape]) => torch.tensor(values).reshape([...shape]),
        f,
      ),
      x,
    );
    expectValues(hooked, flat(plain)!);
  });

  test('what hooks must not do', () => {
    const { savedTensorsHooks, disableSavedTensorsHooks } = autograd.graph;
    const w = leaf([1, 2]);
    const y = savedTensorsHooks(
      () => 5,
      (v) => v as unknown as Tensor,
      () => w.exp(),
    );
    expect(() => y.sum().backward()).toThrow(
      new TypeError('Output of saved tensor unpack_hook expected to be a Tensor but got result of type number'),
    );
    expect(() =>
      savedTensorsHooks(
        (t) => t.add_(1),
        (t) => t,
        () => w.mul(w),
      ),
    ).toThrow('A saved tensor pack hook is modifying its input in place.');
    expect(() =>
      disableSavedTensorsHooks('not here', () =>
        savedTensorsHooks(
          (t) => t,
          (t) => t,
        ),
      ),
    ).toThrow('not here');
    expect(() =>
      savedTensorsHooks(
        (t) => t,
        (t) => t,
      )[Symbol.dispose](),
    ).not.toThrow();
  });
});

describe('anomaly detection', () => {
  test('NaN in a gradient is an error that names the operation', () => {
    const x = torch.zeros(2, { requiresGrad: true });
    const warnings: string[] = [];
    const original = process.emitWarning;
    process.emitWarning = ((text: string) => void warnings.push(text)) as typeof process.emitWarning;
    try {
      autograd.detectAnomaly(() => {
        expect(autograd.isAnomalyEnabled()).toBe(true);
        expect(() => x.div(x).sum().backward()).toThrow(
          /^Function 'DivBackward0' returned nan values in its [01]th output\.$/,
        );
      });
      expect(warnings.length).toBe(1);
      expect(warnings[0]).toContain('Error detected in DivBackward0. Traceback of forward call that caused the error:');
      expect(warnings[0]).toContain('modes.test');
      autograd.detectAnomaly(() => x.div(x).sum().backward(), { checkNan: false });
      expect(warnings.length).toBe(1);
    } finally {
      process.emitWarning = original;
    }
    expect(autograd.isAnomalyEnabled()).toBe(false);
    using _ = autograd.setDetectAnomaly(true);
    expect(autograd.isAnomalyEnabled()).toBe(true);
  });
});
