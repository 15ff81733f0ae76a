// Operations with a hand-written gradient.
import torch, { type Tensor } from 'flambeau';
import { expectValues, flat, FREED, leaf, leaf64 } from './support';

const { autograd } = torch;
type Context = InstanceType<typeof autograd.FunctionContext>;

class Scale extends autograd.Function {
  static override forward(ctx: Context, x: Tensor, k: number): Tensor {
    ctx.saveForBackward(x);
    ctx['k'] = k;
    return x.mul(k);
  }

  static override backward(ctx: Context, g: Tensor): unknown {
    return [g.mul(ctx['k'] as number), null];
  }
}

describe('autograd.Function', () => {
  test('forward runs without recording, backward once per call', () => {
    const modes: boolean[] = [];
    let same = false;
    class Observed extends Scale {
      static override forward(ctx: Context, x: Tensor, k: number): Tensor {
        modes.push(torch.isGradEnabled());
        same = x === input;
        return super.forward(ctx, x, k);
      }
    }
    const input = leaf([1, 2]);
    const y = Observed.apply(input, 3);
    expect(String(y.gradFn)).toBe('<ObservedBackward>');
    expect(y.gradFn!.nextFunctions.length).toBe(1);
    y.sum().backward();
    expectValues(input.grad, [3, 3]);
    expect([modes, same]).toEqual([[false], true]);
  });

  test('without gradients nothing is recorded', () => {
    expect(Scale.apply(torch.ones(2), 3).requiresGrad).toBe(false);
    const x = leaf([1]);
    expect(torch.noGrad(() => Scale.apply(x, 3)).gradFn).toBeNull();
  });

  test('saved tensors are checked and freed', () => {
    class Square extends autograd.Function {
      static override forward(ctx: Context, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.mul(x);
      }
      static override backward(ctx: Context, g: Tensor): Tensor {
        return g.mul(ctx.savedTensors[0]!).mul(2);
      }
    }
    const x = leaf([1, 2]);
    const y = Square.apply(x).sum();
    y.backward();
    expect(() => y.backward()).toThrow(FREED);
    const w = x.mul(1);
    const z = Square.apply(w).sum();
    w.add_(1);
    expect(() => z.backward()).toThrow('has been modified by an inplace operation');
    // One that does not ask for what it saved can run again.
    const s = Scale.apply(x, 2).sum();
    s.backward();
    s.backward();
  });

  test('the number and the kind of gradients', () => {
    const failing = (returned: (g: Tensor) => unknown): (() => void) => {
      class Wrong extends Scale {
        static override backward(_ctx: Context, g: Tensor): unknown {
          return returned(g);
        }
      }
      return () =>
        Wrong.apply(leaf([1, 2]), 2)
          .sum()
          .backward();
    };
    expect(failing((g) => g)).toThrow(
      'function WrongBackward returned an incorrect number of gradients (expected 2, got 1)',
    );
    expect(failing((g) => [g, null, g])).toThrow(
      'function WrongBackward returned an incorrect number of gradients (expected 2, got 3)',
    );
    expect(failing((g) => [g, null, null])).not.toThrow();
    expect(failing(() => [5, null])).toThrow('expected Variable or None (got number)');
    expect(failing(() => [torch.ones(7), null])).toThrow(
      'Function WrongBackward returned an invalid gradient at index 0 - got [7] but expected shape compatible with [2]',
    );
    expect(failing((g) => [g, g])).toThrow(
      'function WrongBackward returned a gradient different than None at position 2, but the corresponding forward input ' +
        'was not a Variable',
    );
  });

  test('outputs of several kinds', () => {
    const seen: unknown[] = [];
    class Many extends autograd.Function {
      static override forward(ctx: Context, x: Tensor): [Tensor, Tensor, Tensor, number] {
        const third = x.mul(3);
        ctx.markNonDifferentiable(third);
        return [x.mul(2), x.gt(0), third, 5];
      }
      static override backward(_ctx: Context, ...gs: (Tensor | null)[]): Tensor | null {
        seen.push(gs.map(flat));
        return gs[0] ?? null;
      }
    }
    const x = leaf([1, 2]);
    const [a, b, c, d] = Many.apply(x);
    expect([a.requiresGrad, b.requiresGrad, c.requiresGrad, d]).toEqual([true, false, false, 5]);
    a.sum().backward();
    expect(seen).toEqual([[[1, 1], [0, 0], [0, 0], null]]);
    expectValues(x.grad, [1, 1]);
  });

  test('missing gradients are zeros, or null on request', () => {
    const seen: unknown[] = [];
    class Two extends autograd.Function {
      static override forward(ctx: Context, x: Tensor, materialize: boolean): [Tensor, Tensor] {
        ctx.setMaterializeGrads(materialize);
        return [x.mul(2), x.mul(3)];
      }
      static override backward(_ctx: Context, ...gs: (Tensor | null)[]): [Tensor | null, null] {
        seen.push(gs.map(flat));
        return [gs[0] ?? null, null];
      }
    }
    const x = leaf([1, 2]);
    Two.apply(x, true)[0].sum().backward();
    Two.apply(x, false)[0].sum().backward();
    expect(seen).toEqual([
      [
        [1, 1],
        [0, 0],
      ],
      [[1, 1], null],
    ]);
  });

  test('an input changed in place', () => {
    class AddOne extends autograd.Function {
      static override forward(ctx: Context, x: Tensor): Tensor {
        x.add_(1);
        ctx.markDirty(x);
        return x;
      }
      static override backward(_ctx: Context, g: Tensor): Tensor {
        return g.mul(7);
      }
    }
    const x = leaf([1, 2]);
    const y = x.mul(1);
    expect(AddOne.apply(y)).toBe(y);
    expect(String(y.gradFn)).toBe('<AddOneBackward>');
    y.sum().backward();
    expectValues(x.grad, [7, 7]);
    expect(() => AddOne.apply(x)).toThrow('a leaf Variable that requires grad has been used in an in-place operation.');
    x.grad = null;
    const base = x.mul(1);
    AddOne.apply(base.narrow(0, 0, 1));
    base.sum().backward();
    expectValues(x.grad, [7, 1]);
    class Forgotten extends AddOne {
      static override forward(ctx: Context, x: Tensor): Tensor {
        ctx.markDirty(x);
        return x.mul(1);
      }
    }
    expect(() => Forgotten.apply(x.mul(1))).toThrow(
      'Some elements marked as dirty during the forward method were not returned as output.',
    );
  });

  test('an input that is returned becomes a view', () => {
    class Same extends autograd.Function {
      static override forward(_ctx: Context, x: Tensor): Tensor {
        return x;
      }
      static override backward(_ctx: Context, g: Tensor): Tensor {
        return g.mul(2);
      }
    }
    const x = leaf([1, 2]);
    const y = Same.apply(x);
    expect(y).not.toBe(x);
    expect([x.isLeaf, y._isView()]).toEqual([true, true]);
    y.sum().backward();
    expectValues(x.grad, [2, 2]);
    expect(() => y.mul_(2)).toThrow(
      'Output 0 of Same is a view and is being modified inplace. This view was created inside a custom Function',
    );
  });

  test('setupContext', () => {
    class Cube extends autograd.Function {
      static override forward(x: Tensor): Tensor {
        return x.mul(x).mul(x);
      }
      static setupContext(ctx: Context, [x]: [Tensor], output: Tensor): void {
        ctx.saveForBackward(x, output);
      }
      static override backward(ctx: Context, g: Tensor): Tensor {
        const [x, y] = ctx.savedTensors;
        return g.mul(x!).mul(x!).mul(3).add(y!.mul(0));
      }
    }
    const x = leaf64([0.4, -0.7]);
    expect(autograd.gradcheck((t: Tensor) => Cube.apply(t), [x])).toBe(true);
    expect(autograd.gradgradcheck((t: Tensor) => Cube.apply(t), [x])).toBe(true);
  });

  test('needsInputGrad', () => {
    let needs: boolean[] = [];
    class Product extends autograd.Function {
      static override forward(ctx: Context, a: Tensor, b: Tensor, _k: number): Tensor {
        ctx.saveForBackward(a, b);
        needs = ctx.needsInputGrad;
        return a.mul(b);
      }
      static override backward(ctx: Context, g: Tensor): unknown {
        const [a, b] = ctx.savedTensors;
        return [ctx.needsInputGrad[0] ? g.mul(b!) : null, ctx.needsInputGrad[1] ? g.mul(a!) : null, null];
      }
    }
    const a = leaf([2]);
    Product.apply(a, torch.tensor([5]), 1).backward();
    expect(needs).toEqual([true, false, false]);
    expectValues(a.grad, [5]);
  });

  test('onceDifferentiable', () => {
    class Double extends autograd.Function {
      static override forward(_ctx: Context, x: Tensor): Tensor {
        return x.mul(2);
      }
      static override backward = autograd.onceDifferentiable((_ctx: Context, g: Tensor) => g.mul(2));
    }
    const x = leaf([1, 2]);
    const y = Double.apply(x);
    const [g] = autograd.grad(y.mul(y).sum(), x, { createGraph: true });
    expectValues(g, [8, 16]);
    expect(() => g!.sum().backward()).toThrow(
      'trying to differentiate twice a function that was marked with @once_differentiable',
    );
  });

  test('what is missing', () => {
    const x = leaf([1]);
    expect(() => (autograd.Function as unknown as typeof Scale).apply(x, 1)).toThrow(
      'You must implement the forward function for custom autograd.Function.',
    );
    class Forward extends autograd.Function {
      static override forward(_ctx: Context, t: Tensor): Tensor {
        return t.mul(1);
      }
    }
    expect(() => Forward.apply(x).sum().backward()).toThrow(
      'You must implement either the backward or vjp method for your custom autograd.Function',
    );
    class Saves extends autograd.Function {
      static override forward(ctx: Context, t: Tensor): Tensor {
        ctx.saveForBackward(3 as unknown as Tensor);
        return t;
      }
    }
    expect(() => Saves.apply(x)).toThrow(
      new TypeError('save_for_backward can only save variables, but argument 0 is of type number'),
    );
  });
});
