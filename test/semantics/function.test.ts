// Operations with a gradient of their own, and recomputation. The programs are those of scripts/semantics/function.py.
import torch, { autograd, nn, type Tensor } from 'flambeau';
import { fill, ramp } from '../nn/module_support';
import { error, kind, leaf, programs } from './support';

const { Function, onceDifferentiable } = autograd;
const { checkpoint, checkpointSequential } = torch.utils.checkpoint;
type Context = InstanceType<typeof autograd.FunctionContext>;
type Gradients = (Tensor | null)[];

const gradients = (net: nn.Module): (Tensor | null)[] => [...net.parameters()].map((p) => p.grad);
const plain = { useReentrant: false };

/** A function of one tensor under a name. */
function custom(
  name: string,
  forward: (ctx: Context, x: Tensor) => Tensor,
  backward: (ctx: Context, g: Tensor) => Tensor,
) {
  class Custom extends Function {
    static override forward(ctx: Context, x: Tensor): Tensor {
      return forward(ctx, x);
    }
    static override backward(ctx: Context, g: Tensor): Tensor {
      return backward(ctx, g);
    }
  }
  Object.defineProperty(Custom, 'name', { value: name });
  return Custom;
}

programs('function', {
  plain() {
    class Scale extends Function {
      static override forward(ctx: Context, x: Tensor, k: number): [Tensor, boolean] {
        ctx.saveForBackward(x);
        ctx.k = k;
        return [x.mul(k), torch.isGradEnabled()];
      }
      static override backward(ctx: Context, g: Tensor): Gradients {
        expect(ctx.savedTensors).toHaveLength(1);
        return [g.mul((ctx.k as number) * 10), null];
      }
    }
    const x = leaf([1, 2]);
    const [y, enabled] = Scale.apply(x, 3) as [Tensor, boolean];
    y.sum().backward();
    return { y, grad: x.grad, enabled, name: y.gradFn!.name(), leaf: y.isLeaf };
  },

  unusedInNoGrad() {
    const Twice = custom(
      'Twice',
      (_, x) => x.mul(2),
      (_, g) => g.mul(2),
    );
    return {
      requires: torch.noGrad(() => Twice.apply(leaf([1]))).requiresGrad,
      constant: Twice.apply(torch.ones(1)).requiresGrad,
    };
  },

  savedTensorsAreGuarded() {
    const Square = custom(
      'Square',
      (ctx, x) => {
        ctx.saveForBackward(x);
        return x.mul(x);
      },
      (ctx, g) => ctx.savedTensors[0]!.mul(2).mul(g),
    );
    const x = leaf([1, 2]);
    const a = x.mul(1);
    const y = Square.apply(a);
    a.add_(1);
    const changed = error(() => y.sum().backward());
    const z = Square.apply(x);
    z.sum().backward();
    const again = error(() => z.sum().backward());
    const [g] = autograd.grad(Square.apply(x).sum(), x, { createGraph: true });
    return { changed, again, second: autograd.grad(g!.sum(), x) };
  },

  savedOutput() {
    const Exp = custom(
      'Exp',
      (ctx, x) => {
        const y = x.exp();
        ctx.saveForBackward(y);
        return y;
      },
      (ctx, g) => g.mul(ctx.savedTensors[0]!),
    );
    const x = leaf([0.5]);
    const [g] = autograd.grad(Exp.apply(x), x, { createGraph: true });
    const [gg] = autograd.grad(g!, x, { createGraph: true });
    const z = Exp.apply(x);
    z.mul_(2);
    return { first: g, second: gg, changed: error(() => z.backward()) };
  },

  wrongGradients() {
    const apply = (x: Tensor, result: (g: Tensor) => unknown): Tensor => {
      class Wrong extends Function {
        static override forward(_ctx: Context, t: Tensor, k: number): Tensor {
          return t.mul(k);
        }
        static override backward(_ctx: Context, g: Tensor): unknown {
          return result(g);
        }
      }
      return Wrong.apply(x, 2) as Tensor;
    };
    const run = (result: (g: Tensor) => unknown) =>
      error(() =>
        apply(leaf([1, 2]), result)
          .sum()
          .backward(),
      );
    const x = leaf([1, 2]);
    apply(x, () => [null, null])
      .sum()
      .backward();
    const y = leaf([1, 2]);
    apply(y, (g) => [g, null, null])
      .sum()
      .backward();
    return {
      few: run((g) => g),
      many: run((g) => [g, null, g]),
      number: run((g) => [g, g]),
      shape: run(() => [torch.ones(3), null]),
      broadcast: run(() => [torch.ones(1), null]),
      none: x.grad === null,
      trailing: y.grad,
      kind: kind(() => apply(leaf([1]), () => [5, null]).backward()),
    };
  },

  severalOutputs() {
    const seen: (Tensor | null)[][] = [];
    const split = (materialize: boolean, t: Tensor) => {
      class Split extends Function {
        static override forward(ctx: Context, x: Tensor): [Tensor, Tensor, Tensor, Tensor, string] {
          ctx.setMaterializeGrads(materialize);
          const sign = x.sign();
          ctx.markNonDifferentiable(sign);
          return [x.mul(2), x.mul(3), sign, torch.tensor([3n]), 'text'];
        }
        static override backward(_ctx: Context, ...grads: Gradients): Tensor {
          seen.push(grads.map((g) => g && g.clone()));
          return grads[0]!.mul(2);
        }
      }
      return Split.apply(t) as [Tensor, Tensor, Tensor, Tensor, string];
    };
    const x = leaf([1, -2]);
    const [a, b, sign, count, text] = split(true, x);
    const flags = [a, b, sign, count].map((t) => t.requiresGrad);
    a.sum().backward();
    split(false, x)[0].sum().backward();
    return { flags, text, seen, grad: x.grad };
  },

  inputChangedInPlace() {
    const Double = custom(
      'Double_',
      (ctx, x) => {
        x.mul_(2);
        ctx.markDirty(x);
        return x;
      },
      (_, g) => g.mul(20),
    );
    const Forgotten = custom(
      'Forgotten',
      (ctx, x) => {
        ctx.markDirty(x);
        return x.mul(2);
      },
      (_, g) => g,
    );
    const x = leaf([1, 2]);
    const a = x.mul(1);
    const y = Double.apply(a);
    y.sum().backward();
    const b = torch.ones(2);
    Double.apply(b);
    return {
      same: y === a,
      y,
      grad: x.grad,
      leaf: error(() => Double.apply(leaf([1]))),
      constant: b,
      version: [a._version, b._version],
      forgotten: error(() => Forgotten.apply(leaf([1]).mul(1))),
    };
  },

  inputReturned() {
    const Same = custom(
      'Same',
      (_, x) => x,
      (_, g) => g.mul(7),
    );
    const View = custom(
      'View',
      (_, x) => x.view(-1),
      (_, g) => g.view(1, 2),
    );
    const x = leaf([1, 2]);
    const y = Same.apply(x);
    y.sum().backward();
    const v = View.apply(leaf([[1, 2]]).mul(1));
    return {
      same: y === x,
      grad: x.grad,
      view: y._isView(),
      change: error(() => Same.apply(leaf([1]).mul(1)).add_(1)),
      changedView: error(() => v.add_(1)),
    };
  },

  needsInputGrad() {
    const seen: boolean[][] = [];
    class Product extends Function {
      static override forward(ctx: Context, a: Tensor, k: number, b: Tensor): Tensor {
        seen.push([...ctx.needsInputGrad]);
        return a.mul(b).mul(k);
      }
      static override backward(ctx: Context, g: Tensor): Gradients {
        seen.push([...ctx.needsInputGrad]);
        return [ctx.needsInputGrad[0] ? g : null, null, ctx.needsInputGrad[2] ? g.mul(2) : null];
      }
    }
    const apply = (p: Tensor, q: Tensor): Tensor => Product.apply(p, 2, q) as Tensor;
    const [a, b] = [leaf([1]), leaf([2])];
    apply(a, b).backward();
    apply(a, torch.ones(1)).backward();
    autograd.grad(apply(a, b), b);
    return { seen, a: a.grad, b: b.grad };
  },

  setUpApart() {
    class Power extends Function {
      static override forward(x: Tensor, n: number): [Tensor, Tensor] {
        return [x.pow(n), x.mul(2)];
      }
      static setupContext(ctx: Context, [x, n]: [Tensor, number], output: [Tensor, Tensor]): void {
        ctx.n = n;
        ctx.saveForBackward(x, output[0]);
      }
      static override backward(ctx: Context, g: Tensor, h: Tensor): Gradients {
        const [x, y] = ctx.savedTensors;
        return [
          g
            .mul(ctx.n as number)
            .mul(y!)
            .div(x!)
            .add(h.mul(2)),
          null,
        ];
      }
    }
    const x = leaf([2, 3]);
    const [a, b] = Power.apply(x, 3);
    a.add(b).sum().backward();
    return { a, grad: x.grad };
  },

  differentiableOnce() {
    class Once extends Function {
      static override forward(ctx: Context, x: Tensor): Tensor {
        ctx.saveForBackward(x);
        return x.pow(2);
      }
      static override backward = onceDifferentiable((ctx: Context, g: Tensor | null) =>
        ctx.savedTensors[0]!.mul(2).mul(g!),
      );
    }
    const x = leaf([3]);
    const [g] = autograd.grad(Once.apply(x) as Tensor, x, { createGraph: true });
    return { g, requires: g!.requiresGrad, again: error(() => g!.backward()) };
  },

  missingParts() {
    class Empty extends Function {}
    class NoBackward extends Function {
      static override forward(_ctx: Context, x: Tensor): Tensor {
        return x.mul(2);
      }
    }
    return {
      forward: kind(() => (Empty as unknown as typeof NoBackward).apply(torch.ones(1))),
      backward: error(() => NoBackward.apply(leaf([1])).backward()),
      fine: NoBackward.apply(torch.ones(1)),
    };
  },

  straightThrough() {
    const Round = custom(
      'Round',
      (_, x) => x.round(),
      (_, g) => g,
    );
    const net = fill(new nn.Sequential(new nn.Linear(2, 2), new nn.Tanh()));
    Round.apply((net(ramp(3, 2)) as Tensor).mul(4))
      .sum()
      .backward();
    return { grads: gradients(net) };
  },

  recomputed() {
    const run = (useReentrant: boolean): unknown[] => {
      const net = fill(new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 2)));
      const x = ramp(2, 3).requiresGrad_();
      let calls = 0;
      net.at(0)!.registerForwardHook(() => void calls++);
      const y = checkpoint(net, x, { useReentrant }) as Tensor;
      const before = calls;
      y.sum().backward();
      return [before, calls, y, x.grad, gradients(net)];
    };
    return { plain: run(false), reentrant: run(true) };
  },

  recomputedWithDropout() {
    const drop = new nn.Dropout(0.5);
    const x = torch.ones(50, { requiresGrad: true });
    const y = checkpoint(drop, x, plain) as Tensor;
    const state = torch.getRngState();
    y.sum().backward();
    const stream = torch.equal(state, torch.getRngState());
    const fresh = torch.ones(50, { requiresGrad: true });
    const z = checkpoint((t: Tensor) => drop(t).mul(t), fresh, { useReentrant: true }) as Tensor;
    z.sum().backward();
    return { same: torch.equal(x.grad!, y), stream, reentrant: torch.equal(fresh.grad!, z.mul(2)) };
  },

  recomputedParts() {
    const x = ramp(3).add(1).requiresGrad_();
    const calls: number[] = [];
    const f = (t: Tensor, { k = 1 } = {}): [Tensor, Tensor, number] => {
      calls.push(k);
      return [t.sin().mul(k), t.exp(), 5];
    };
    const [a, b, five] = checkpoint(f, x, { k: 3, ...plain });
    a.mul(b).sum().backward();
    const first = x.grad!.clone();
    x.grad = null;
    const outer = checkpoint((t: Tensor) => checkpoint(torch.exp, t.sin(), plain).mul(t), x, plain);
    outer.sum().backward();
    const nested = x.grad!.clone();
    const cubed = checkpoint((t: Tensor) => t.pow(3).sin(), x, plain);
    const [g] = autograd.grad(cubed.sum(), x, { createGraph: true });
    return { calls, five, first, nested, second: autograd.grad(g!.sum(), x) };
  },

  recomputedTwice() {
    const x = ramp(3).requiresGrad_();
    let calls = 0;
    const f = (t: Tensor): Tensor => {
      calls++;
      return t.exp().sin();
    };
    const y = checkpoint(f, x, plain).sum();
    y.backward({ retainGraph: true });
    y.backward();
    return { calls, grad: x.grad, third: kind(() => y.backward()) };
  },

  recomputedDifferently() {
    const run = (g: (t: Tensor, n: number) => Tensor): string | null => {
      let n = 0;
      const x = ramp(4).requiresGrad_();
      const failed = error(() =>
        checkpoint((t: Tensor) => g(t, ++n), x, plain)
          .sum()
          .backward(),
      );
      return failed && failed.message.split('\n')[0]!;
    };
    return {
      more: run((t, n) => (n === 1 ? t.exp() : t.sin().exp().sin())),
      fewer: run((t, n) => (n === 1 ? t.exp().sin() : t.mul(2))),
      size: run((t, n) => (n === 1 ? t.exp() : t.narrow(0, 0, 2).exp())),
      same: run((t) => t.exp()),
    };
  },

  recomputedSequence() {
    const net = fill(
      new nn.Sequential(new nn.Linear(3, 3), new nn.Tanh(), new nn.Linear(3, 3), new nn.Sigmoid(), new nn.Linear(3, 1)),
    );
    const calls: number[] = [];
    [...net.children()].forEach((m, i) => void m!.registerForwardHook(() => void calls.push(i)));
    const x = ramp(2, 3).requiresGrad_();
    const y = checkpointSequential(net, 2, x, plain);
    y.sum().backward();
    return { calls, y, x: x.grad, grads: gradients(net) };
  },
});
