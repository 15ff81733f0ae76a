// Second derivatives, functional derivatives and the gradient checker.
import torch, { type Tensor } from 'flambeau';
import { expectValues, flat, leaf, leaf64 } from './support';

const { autograd } = torch;

describe('double backward', () => {
  test('backward with createGraph leaves a gradient that can be differentiated', () => {
    const x = leaf([1, 2]);
    x.pow(4).sum().backward({ createGraph: true });
    const first = x.grad!;
    x.grad = null;
    first.pow(2).sum().backward();
    expectValues(first, [4, 32]);
    expectValues(x.grad, [96, 3072]);
  });

  test('third derivatives', () => {
    const x = leaf64([0.3, -0.7]);
    let y = x.exp().mul(x).sum();
    for (let i = 0; i < 3; i++) y = autograd.grad(y, x, { createGraph: true })[0]!.sum();
    // (x e^x)''' = (x + 3) e^x
    const expected = [0.3, -0.7].map((v) => (v + 3) * Math.exp(v)).reduce((a, b) => a + b);
    expectValues(y, [expected]);
  });

  test('what broadcasting sums, and converts, can be differentiated again', () => {
    const a = leaf64([[1, 2, 3]]);
    const b = leaf64([[0.5], [-1.5]]);
    const f = (x: Tensor, y: Tensor): Tensor => x.mul(y).mul(x);
    expect(autograd.gradcheck(f, [a, b])).toBe(true);
    expect(autograd.gradgradcheck(f, [a, b])).toBe(true);
  });
});

describe('functional', () => {
  const F = autograd.functional;
  const f = (x: Tensor): Tensor =>
    x
      .pow(3)
      .sum()
      .add(x.select(0, 0).mul(x.select(0, 1)));
  const g = (x: Tensor): Tensor => torch.stack([x.select(0, 0).mul(x.select(0, 1)), x.select(0, 1).exp(), x.sum()]);
  const x = torch.tensor([1, 2, 3]);
  const v = torch.tensor([1, -1, 0.5]);
  const e2 = Math.exp(2);

  test('jacobian and hessian', () => {
    const j = F.jacobian(g, x);
    expect(j.shape).toEqual([3, 3]);
    expectValues(j, [2, 1, 0, 0, e2, 0, 1, 1, 1]);
    expectValues(F.hessian(f, x), [6, 1, 0, 1, 12, 0, 0, 0, 18]);
  });

  test('products with vectors', () => {
    const value = [2, e2, 6];
    const checks: [[unknown, unknown], number[], number[]][] = [
      [F.vjp(g, x, v), value, [2.5, 1.5 - e2, 0.5]],
      [F.jvp(g, x, v), value, [1, -e2, 0.5]],
      [F.hvp(f, x, v), [38], [5, -11, 9]],
      [F.vhp(f, x, v), [38], [5, -11, 9]],
    ];
    for (const [[out, product], expectedOut, expected] of checks) {
      expectValues(out as Tensor, expectedOut);
      expectValues(product as Tensor, expected);
      expect([(out as Tensor).requiresGrad, (product as Tensor).requiresGrad]).toEqual([false, false]);
    }
  });

  test('several inputs and outputs', () => {
    const a = torch.tensor([1, 2]);
    const b = torch.tensor([3, 4]);
    const j = F.jacobian((p, q) => [p.mul(q), q.sum()], [a, b]) as Tensor[][];
    expect(j.map((row) => row.map((t) => t.shape))).toEqual([
      [
        [2, 2],
        [2, 2],
      ],
      [[2], [2]],
    ]);
    expectValues(j[0]![0], [3, 0, 0, 4]);
    expectValues(j[0]![1], [1, 0, 0, 2]);
    expectValues(j[1]![0], [0, 0]);
    expectValues(j[1]![1], [1, 1]);
    expect(() => F.jacobian((p, q) => [p.mul(q), q.sum()], [a, b], { strict: true })).toThrow(torch.RuntimeError);
    expect(() => F.vjp(g, x, torch.ones(2))).toThrow(
      'Entry 0 in v has invalid size: should be torch.Size([3]) but got torch.Size([2]).',
    );
  });

  test('createGraph keeps results differentiable', () => {
    const p = leaf([1, 2, 3]);
    const j = F.jacobian((t) => t.mul(t), p, { createGraph: true });
    expectValues(autograd.grad(j.sum(), p)[0], [2, 2, 2]);
  });
});

describe('gradcheck', () => {
  class Wrong extends autograd.Function {
    static override forward(_ctx: unknown, x: Tensor): Tensor {
      return x.mul(2);
    }
    static override backward(_ctx: unknown, g: Tensor): Tensor {
      return g.mul(3);
    }
  }

  test('finds a wrong gradient', () => {
    const x = leaf64([1, 2]);
    expect(autograd.gradcheck((t: Tensor) => t.exp().mul(t), [x])).toBe(true);
    expect(() => autograd.gradcheck((t: Tensor) => Wrong.apply(t), [x])).toThrow(
      'Jacobian mismatch for output 0 with respect to input 0',
    );
    expect(() => autograd.gradcheck((t: Tensor) => Wrong.apply(t), [x])).toThrow(autograd.GradcheckError);
    expect(autograd.gradcheck((t: Tensor) => Wrong.apply(t), [x], { raiseException: false })).toBe(false);
    expect(flat(x)).toEqual([1, 2]);
  });

  test('finds a gradient whose own gradient is wrong', () => {
    class Detached extends autograd.Function {
      static override forward(ctx: InstanceType<typeof autograd.FunctionContext>, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.mul(x);
      }
      static override backward(ctx: InstanceType<typeof autograd.FunctionContext>, g: Tensor): Tensor {
        return g.mul(ctx.savedTensors[0]!.detach()).mul(2);
      }
    }
    const x = leaf64([1, 2]);
    expect(autograd.gradcheck((t: Tensor) => Detached.apply(t), [x])).toBe(true);
    expect(() => autograd.gradgradcheck((t: Tensor) => Detached.apply(t), [x])).toThrow('Jacobian mismatch');
  });

  test('complex inputs and outputs', () => {
    const z = torch.tensor(new Float64Array([0.5, -0.25])).requiresGrad_();
    const c = torch.complex(torch.tensor(new Float64Array([0.5, 1])), torch.tensor(new Float64Array([-1, 2])));
    c.requiresGrad_();
    expect(autograd.gradcheck((a: Tensor, b: Tensor) => a.mul(b).mul(b), [z, c])).toBe(true);
    expect(autograd.gradcheck((b: Tensor) => torch.viewAsReal(b.mul(b)), [c])).toBe(true);
  });

  test('tells what it cannot check', () => {
    expect(() => autograd.gradcheck((t: Tensor) => t, [torch.ones(2)])).toThrow(
      'gradcheck expects at least one tensor that requires gradient',
    );
    expect(() => autograd.gradcheck((t: Tensor) => t.gt(0), [leaf64([1])])).toThrow(torch.RuntimeError);
    let calls = 0;
    class Unsteady extends autograd.Function {
      static override forward(_ctx: unknown, x: Tensor): Tensor {
        return x.mul(1);
      }
      static override backward(_ctx: unknown, g: Tensor): Tensor {
        return g.mul(1 + 1e-7 * calls++);
      }
    }
    expect(() => autograd.gradcheck((t: Tensor) => Unsteady.apply(t), [leaf64([1])])).toThrow(
      'Backward is not reentrant',
    );
    expect(autograd.gradcheck((t: Tensor) => Unsteady.apply(t), [leaf64([1])], { nondetTol: 1e-5 })).toBe(true);
  });
});

test.each(['jacobian', 'hessian', 'vjp', 'jvp', 'vhp', 'hvp'] as const)('%s refuses integers', (name) => {
  const call = autograd.functional[name] as unknown as (...args: unknown[]) => unknown;
  const x = torch.ones([3], { dtype: torch.int64 });
  const vectors = /^(jacobian|hessian)$/.test(name) ? [] : [x];
  expect(() => call((t: Tensor) => t.sum(), x, ...vectors)).toThrow(
    'only Tensors of floating point dtype can require gradients',
  );
});
