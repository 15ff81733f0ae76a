// Hooks on tensors and nodes.
import torch, { type Tensor } from 'flambeau';
import { expectValues, flat, leaf } from './support';

const { autograd } = torch;

describe('tensor hooks', () => {
  test('a tensor without gradient takes none', () => {
    const x = torch.ones(2);
    expect(() => x.registerHook((g) => g)).toThrow("cannot register a hook on a tensor that doesn't require gradient");
    expect(() => x.retainGrad()).toThrow("can't retain_grad on Tensor that has requires_grad=False");
    expect(() => x.registerPostAccumulateGradHook(() => {})).toThrow(
      "cannot register a hook on a tensor that doesn't require gradient",
    );
    expect(() =>
      leaf([1])
        .mul(2)
        .registerPostAccumulateGradHook(() => {}),
    ).toThrow('post accumulate grad hooks cannot be registered on non-leaf tensors');
  });

  test('the order of all kinds', () => {
    const log: unknown[] = [];
    const x = torch.ones(2, { requiresGrad: true });
    const y = x.mul(2);
    y.registerHook((g) => {
      log.push(['first', flat(g)]);
      return g.mul(2);
    });
    y.retainGrad();
    y.registerHook((g) => {
      log.push(['second', flat(g)]);
      return g.mul(3);
    });
    y.gradFn!.registerPrehook((gs) => {
      log.push(['pre', gs.map(flat)]);
    });
    y.gradFn!.registerHook((gi, go) => {
      log.push(['post', flat(gi[0]), go.map(flat)]);
    });
    x.registerHook((g) => {
      log.push(['leaf', flat(g)]);
      return g.mul(10);
    });
    y.sum().backward();
    expect(log).toEqual([
      ['first', [1, 1]],
      ['second', [2, 2]],
      ['pre', [[6, 6]]],
      ['post', [12, 12], [[6, 6]]],
      ['leaf', [12, 12]],
    ]);
    expectValues(y.grad, [6, 6]);
    expectValues(x.grad, [120, 120]);
  });

  test('a handle removes its hook', () => {
    const x = leaf([1]);
    const seen: number[] = [];
    const handle = x.registerHook(() => void seen.push(1));
    x.registerHook(() => void seen.push(2));
    x.mul(2).sum().backward();
    handle.remove();
    handle.remove();
    x.mul(2).sum().backward();
    expect(seen).toEqual([1, 2, 2]);
  });

  test('a replacement must be like the gradient', () => {
    const run = (replacement: unknown): void => {
      const y = leaf([1, 2]).mul(2);
      y.registerHook(() => replacement as Tensor);
      y.sum().backward();
    };
    expect(() => run(torch.ones(5))).toThrow('has changed the size of value');
    expect(() => run(torch.ones(2, { dtype: torch.float64 }))).toThrow(
      'has changed the type of value (was torch.FloatTensor got torch.DoubleTensor)',
    );
    expect(() => run(3)).toThrow(new TypeError("expected Variable, but hook returned 'number'"));
  });

  test('hooks of captured tensors', () => {
    const x = torch.ones(2, { requiresGrad: true });
    const y = x.mul(2);
    y.registerHook((g) => g.mul(2));
    x.registerHook((g) => g.mul(10));
    const z = y.mul(3).sum();
    const both = autograd.grad(z, [x, y], { retainGraph: true });
    expectValues(both[0], [120, 120]);
    expectValues(both[1], [3, 3]);
    expectValues(autograd.grad(z, y, { retainGraph: true })[0], [6, 6]);
    expectValues(autograd.grad(z, x, { retainGraph: true })[0], [120, 120]);
  });

  test('a hook registered before an in-place operation sees the gradient of the old values', () => {
    const x = torch.ones(2, { requiresGrad: true });
    const y = x.mul(2);
    const seen: (number[] | null)[] = [];
    y.registerHook((g) => void seen.push(flat(g)));
    y.retainGrad();
    y.mul_(3);
    y.sum().backward();
    expect(seen).toEqual([[3, 3]]);
    expectValues(y.grad, [1, 1]);
  });

  test('the gradient that a hook keeps stays what it was', () => {
    const x = leaf([1, 2]);
    let kept: Tensor | null = null;
    const y = x.mul(2);
    y.registerHook((g) => {
      kept = g;
    });
    y.mul(torch.tensor([5, 7]))
      .sum()
      .backward();
    for (let i = 0; i < 20; i++) x.mul(3).exp().sum().backward();
    expectValues(kept, [5, 7]);
  });

  test('post-accumulate hooks see the finished gradient', () => {
    const x = leaf([1, 2]);
    const seen: (number[] | null)[] = [];
    x.registerPostAccumulateGradHook((p) => void seen.push(flat(p.grad)));
    x.mul(2).sum().backward();
    x.mul(3).sum().backward();
    expect(seen).toEqual([
      [2, 2],
      [5, 5],
    ]);
  });

  test('a post-accumulate hook may clear the gradient', () => {
    const x = leaf([1, 2]);
    x.registerPostAccumulateGradHook((p) => {
      p.grad = null;
    });
    x.mul(2).sum().backward();
    expect(x.grad).toBeNull();
  });

  test('hooks of several tensors', () => {
    const a = torch.ones(2, { requiresGrad: true });
    const b = torch.ones(2, { requiresGrad: true });
    const c = torch.ones(2, { requiresGrad: true });
    const all: unknown[] = [];
    const any: unknown[] = [];
    const { registerMultiGradHook } = autograd.graph;
    registerMultiGradHook([a, b, c], (gs: (Tensor | null)[]) => void all.push(gs.map(flat)));
    const handle = registerMultiGradHook([a, b, c], (g: Tensor) => void any.push(flat(g)), { mode: 'any' });
    a.mul(b).sum().backward();
    expect(all).toEqual([[[1, 1], [1, 1], null]]);
    expect(any).toEqual([[1, 1]]);
    handle.remove();
    a.mul(b).mul(c).sum().backward();
    expect(all.length).toBe(2);
    expect(any.length).toBe(1);
  });

  test('gradients are recorded inside hooks only with createGraph', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x);
    const modes: boolean[] = [];
    y.registerHook(() => void modes.push(torch.isGradEnabled()));
    y.sum().backward({ retainGraph: true });
    y.sum().backward({ createGraph: true });
    expect(modes).toEqual([false, true]);
    expect(x.grad!.requiresGrad).toBe(true);
    x.grad = null;
  });
});
