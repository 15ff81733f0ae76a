// What backward and grad compute, and what they refuse.
import torch, { type Tensor } from 'flambeau';
import { expectValues, flat, FREED, leaf, ramp } from './support';

const { autograd } = torch;

describe('backward', () => {
  test('gradients add up, in place, until they are cleared', () => {
    const x = leaf([1, 2]);
    expect(x.grad).toBeNull();
    x.mul(x).sum().backward();
    expectValues(x.grad, [2, 4]);
    const once = x.grad!.clone();
    x.mul(3).sum().backward();
    const same = x.grad;
    expectValues(same, [5, 7]);
    x.mul(1).sum().backward();
    expect(x.grad).toBe(same);
    expectValues(x.grad, [6, 8]);
    expectValues(once, [2, 4]);
    x.grad = null;
    x.mul(1).sum().backward();
    expectValues(x.grad, [1, 1]);
    expect(x.grad).not.toBe(same);
  });

  test('the graph is freed unless it is retained', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x).sum();
    y.backward();
    expect(() => y.backward()).toThrow(new torch.RuntimeError(FREED));
    const z = x.mul(x).sum();
    z.backward({ retainGraph: true });
    z.backward();
    expectValues(x.grad, [6, 12]);
  });

  test('an operation that saved nothing can run twice', () => {
    const x = leaf([1, 2]);
    const y = x.add(x);
    y.backward(torch.ones(2));
    y.backward(torch.ones(2));
    expectValues(x.grad, [4, 4]);
  });

  test('only a scalar needs no gradient', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    expect(() => y.backward()).toThrow('grad can be implicitly created only for scalar outputs');
    y.backward(torch.tensor([1, 10]));
    expectValues(x.grad, [2, 20]);
    expect(() => x.mul(2).backward(torch.ones(3))).toThrow(
      'Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2]).',
    );
    expect(() => x.mul(2).backward(3 as unknown as Tensor)).toThrow(
      new TypeError('gradients can be either Tensors or None, but got number'),
    );
  });

  test('a gradient of another floating-point type is converted', () => {
    const x = leaf([1, 2]);
    x.mul(2).backward(torch.ones(2, { dtype: torch.float64 }));
    expect(x.grad!.dtype).toBe(torch.float32);
    expectValues(x.grad, [2, 2]);
  });

  test('complex numbers and real ones do not mix, and complex scalars need a gradient', () => {
    const x = leaf([1, 2]);
    expect(() => x.mul(2).backward(torch.ones(2, { dtype: torch.complex64 }))).toThrow(
      'For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: ' +
        'grad_output[0] has a dtype of torch.complex64 and output[0] has a dtype of torch.float32.',
    );
    const z = torch.ones(2, { dtype: torch.complex64, requiresGrad: true });
    expect(() => z.mul(2).sum().backward()).toThrow(
      'grad can be implicitly created only for real scalar outputs but got torch.complex64',
    );
  });

  test('tensors without history are refused', () => {
    expect(() => torch.ones(1).backward()).toThrow(
      'element 0 of tensors does not require grad and does not have a grad_fn',
    );
    const x = leaf([1]);
    expect(() => autograd.backward([x.sum(), torch.ones(1)])).toThrow(
      'element 1 of tensors does not require grad and does not have a grad_fn',
    );
    const y = torch.noGrad(() => x.mul(2));
    expect(() => y.sum().backward()).toThrow('element 0 of tensors does not require grad');
  });

  test('several roots, one below the other', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x);
    const z = y.mul(3).sum();
    autograd.backward([z, y], [null, torch.tensor([10, 100])]);
    // d/dx (3 x^2) + d/dx (w x^2) with w = [10, 100]
    expectValues(x.grad, [26, 412]);
  });

  test('inputs restrict where gradients are accumulated', () => {
    const x = leaf([1, 2]);
    const w = leaf([3, 4]);
    const y = x.mul(w);
    y.sum().backward({ inputs: [x] });
    expectValues(x.grad, [3, 4]);
    expect(w.grad).toBeNull();
    const h = x.mul(w);
    h.mul(2).sum().backward({ inputs: h });
    expectValues(h.grad, [2, 2]);
    expectValues(x.grad, [3, 4]);
    expect(() => x.sum().backward({ inputs: [] })).toThrow('`inputs` argument to `backward()` cannot be empty.');
    expect(() => x.sum().backward({ inputs: [torch.ones(1)] })).toThrow(
      "can't retain_grad on Tensor that has requires_grad=False",
    );
  });

  test('broadcasting is undone', () => {
    const a = ramp(2, 1, 3).requiresGrad_();
    const b = ramp(4, 1).add(1).requiresGrad_();
    const c = leaf(2);
    a.mul(b).add(c.div(b)).sum().backward();
    expectValues(a.grad, [4.6, 4.6, 4.6, 4.6, 4.6, 4.6]);
    expectValues(b.grad, [-10.5, -8.417355, -6.833333, -5.600592]);
    expectValues(c.grad, [21.069931]);
    expect(c.grad!.shape).toEqual([]);
  });

  test('an unknown option, and one given twice', () => {
    const x = leaf([1]);
    expect(() => x.sum().backward({ retain: true } as object)).toThrow(
      new TypeError("backward(): unknown argument 'retain'"),
    );
    expect(() => x.sum().backward(null, 1 as unknown as boolean)).toThrow(
      new TypeError("backward(): argument 'retainGraph' must be a boolean, not number"),
    );
  });
});

describe('grad', () => {
  test('returns gradients and leaves .grad alone', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x);
    const [gx, gy] = autograd.grad(y.sum(), [x, y]);
    expectValues(gx, [2, 4]);
    expectValues(gy, [1, 1]);
    expect(x.grad).toBeNull();
  });

  test('unused inputs', () => {
    const x = leaf([1, 2]);
    const other = leaf([1, 1]);
    expect(() => autograd.grad(x.sum(), other)).toThrow(
      'The differentiated Tensor at index 0 appears to not have been used in the graph. Set allow_unused=True if this is ' +
        'the desired behavior.',
    );
    expect(autograd.grad(x.sum(), other, { allowUnused: true })).toEqual([null]);
    expectValues(autograd.grad(x.sum(), other, { materializeGrads: true })[0], [0, 0]);
    expect(() => autograd.grad(x.sum(), other, { materializeGrads: true, allowUnused: false })).toThrow(
      'Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.',
    );
    expect(() => autograd.grad(x.sum(), torch.ones(2))).toThrow(
      'One of the differentiated Tensors does not require grad',
    );
    expect(() => autograd.grad(x.mul(2), x)).toThrow('grad can be implicitly created only for scalar outputs');
    expect(() => autograd.grad(3 as unknown as Tensor, x)).toThrow(TypeError);
  });

  test('a batch of gradients', () => {
    const x = leaf([1, 2]);
    const [g] = autograd.grad(x.mul(x), x, { gradOutputs: torch.eye(2), isGradsBatched: true });
    expect(g!.shape).toEqual([2, 2]);
    expectValues(g, [2, 0, 0, 4]);
  });

  test('an edge of the graph in place of a tensor', () => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    const edge = autograd.graph.getGradientEdge(y);
    expect(edge.node).toBe(y.gradFn);
    expect(edge.outputNr).toBe(0);
    expectValues(autograd.grad(y.mul(y).sum(), edge)[0], [6, 12]);
    expect(() => autograd.graph.getGradientEdge(torch.ones(1))).toThrow(torch.RuntimeError);
  });

  test('of one of several results', () => {
    const x = leaf([3, 1, 2]);
    const [, second] = x.unbind(0);
    expectValues(autograd.grad(second!.mul(5), x)[0], [0, 5, 0]);
    const { values } = x.max(0);
    expectValues(autograd.grad(values, x)[0], [1, 0, 0]);
  });
});

describe('the engine', () => {
  test('a chain of 100,000 operations', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.mul(1);
    y.sum().backward();
    expectValues(x.grad, [1]);
  });

  test('a lattice, in which the paths are many more than the nodes', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 40; i++) y = y.add(y);
    y.sum().backward();
    expect(flat(x.grad)).toEqual([2 ** 40]);
  });

  test('backward inside a hook, over the same graph', () => {
    const x = leaf([1]);
    const y = x.mul(x);
    let nested = false;
    y.registerHook(() => {
      if (nested) return;
      nested = true;
      torch.enableGrad(() => y.sum().backward({ retainGraph: true }));
    });
    y.mul(3).sum().backward();
    // 3 * 2x from the outer pass and 2x from the inner one
    expectValues(x.grad, [8]);
  });

  test('a hook that throws leaves everything usable', () => {
    const x = leaf([1, 2]);
    const y = x.mul(x);
    const handle = y.registerHook(() => {
      throw new Error('no');
    });
    const z = y.mul(y).sum();
    expect(() => z.backward({ retainGraph: true })).toThrow('no');
    expect(torch.isGradEnabled()).toBe(true);
    handle.remove();
    z.backward();
    expectValues(x.grad, [4, 32]);
  });

  test('gradients of leaves share no memory', () => {
    const x = leaf([1, 2, 3, 4]);
    const y = torch.ones(2, 2, { requiresGrad: true });
    x.view(2, 2).add(y).sum().backward();
    x.grad!.mul_(5);
    expectValues(y.grad, [1, 1, 1, 1]);
    expectValues(x.grad, [5, 5, 5, 5]);
  });

  test('the gradient of a caller is copied', () => {
    const x = leaf([1, 2]);
    const g = torch.ones(2);
    x.add(0).backward(g);
    x.grad!.mul_(7);
    expectValues(g, [1, 1]);
  });

  test('what backward makes is freed with it', () => {
    const x = torch.ones(1000, { requiresGrad: true });
    const step = (): void => {
      x.grad = null;
      x.mul(x).exp().mul(0.001).sum().backward();
    };
    for (let i = 0; i < 5; i++) step();
    const before = torch.memoryStats(true);
    for (let i = 0; i < 50; i++) step();
    const after = torch.memoryStats(true);
    expect(after.tensors).toBeLessThanOrEqual(before.tensors);
    expect(after.bytes).toBeLessThanOrEqual(before.bytes);
  });
});

describe('the graph', () => {
  test('nodes know their name, their inputs and their place', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2).add(x);
    const node = y.gradFn!;
    expect(node.name()).toBe('AddBackward0');
    expect(String(node)).toBe('<AddBackward0>');
    expect(node.nextFunctions.map(([next, nr]) => [String(next), nr])).toEqual([
      ['<MulBackward0>', 0],
      ['<AccumulateGrad>', 0],
    ]);
    expect(x.gradFn).toBeNull();
    node.metadata['note'] = 1;
    expect(y.gradFn!.metadata).toEqual({ note: 1 });
  });

  test('leaves and flags', () => {
    const x = torch.ones(2, { requiresGrad: true });
    const y = x.mul(2);
    const z = torch.ones(2);
    expect([x.isLeaf, y.isLeaf, z.isLeaf]).toEqual([true, false, true]);
    expect([y.requiresGrad, z.add(x).requiresGrad, z.add(z).requiresGrad]).toEqual([true, true, false]);
    expect(x.gt(0).requiresGrad).toBe(false);
    expect(x.argmax().requiresGrad).toBe(false);
    expect(() => torch.ones(2, { dtype: torch.int64, requiresGrad: true })).toThrow(
      'Only Tensors of floating point and complex dtype can require gradients',
    );
    expect(() => torch.ones(2, { dtype: torch.int64 }).requiresGrad_()).toThrow(
      'only Tensors of floating point dtype can require gradients',
    );
    const cannot =
      'you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph ' +
      "that doesn't require differentiation use var_no_grad = var.detach().";
    expect(() => y.requiresGrad_(false)).toThrow(cannot);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow(cannot);
    expect(y.requiresGrad_()).toBe(y);
    expect(y.detach().requiresGrad).toBe(false);
  });

  test('detach shares the memory and stops the gradient', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const d = y.detach();
    d.select(0, 0).fill_(100);
    x.mul(d).sum().backward();
    expectValues(y, [100, 4]);
    expectValues(x.grad, [100, 4]);
    expect([d.requiresGrad, d.isLeaf]).toEqual([false, true]);
    const cut = x.mul(2);
    expect(cut.detach_()).toBe(cut);
    expect([cut.requiresGrad, cut.gradFn]).toEqual([false, null]);
  });

  test('.grad takes only what fits', () => {
    const x = leaf([1, 2]);
    const set = (value: unknown) => () => {
      x.grad = value as Tensor;
    };
    expect(set(3)).toThrow(new TypeError('assigned grad expected to be a Tensor or None but got grad of type number'));
    expect(set(torch.ones(3))).toThrow(
      "attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure that the gradient and the " +
        'tensor are the same size',
    );
    expect(set(torch.ones(2, { dtype: torch.float64 }))).toThrow('attempting to assign a gradient with dtype');
    expect(set(x)).toThrow("can't assign Variable as its own grad");
    const g = torch.ones(2);
    x.grad = g;
    expect(x.grad).toBe(g);
  });

  test('.data gives and takes the memory without history', () => {
    const x = leaf([1, 2]);
    expect(x.data.requiresGrad).toBe(false);
    const version = x._version;
    x.data.add_(1);
    expect(x._version).toBe(version);
    x.detach().mul_(1);
    expect(x._version).toBe(version + 1);
    expectValues(x, [2, 3]);
    x.data = torch.ones(3);
    expect(x.shape).toEqual([3]);
    x.mul(2).sum().backward();
    expectValues(x.grad, [2, 2, 2]);
    expect(() => {
      x.data = torch.ones(2, { dtype: torch.int64 });
    }).toThrow('data set to a tensor that requires gradients must be floating point or complex dtype');
    expect(() => {
      x.data = 5 as unknown as Tensor;
    }).toThrow(new TypeError('Variable data has to be a tensor, but got number'));
  });

  test('a second-hand result keeps its history after its own was cut', () => {
    const x = leaf([0.5, -0.3]);
    const y = x.exp();
    const [g] = autograd.grad(y.sum(), x, { createGraph: true });
    y.detach_();
    expectValues(autograd.grad(g!.sum(), x)[0], [Math.exp(0.5), Math.exp(-0.3)]);
  });
});
