// torch.func: gradients, products, Jacobians. The values were recorded from PyTorch 2.13.
import torch, { type Tensor } from 'flambeau';
import { expectTensor, ramp, thrown } from '../nn/module_support';

const { grad, gradAndValue, vjp, jvp, jacrev, jacfwd, hessian } = torch.func;
const x = ramp(3).add(0.5);
const y = ramp(3).add(1);
const f = (a: Tensor, b: Tensor): Tensor => a.sin().mul(b.pow(2)).sum();
const pair = (a: Tensor): Tensor => torch.stack([a.select(0, 0).mul(a.select(0, 1)), a.select(0, 2).pow(2)]);
const DX = [0.877583, 0.998656, 1.101373];
const DY = [0.958851, 1.242213, 1.546122];

describe('grad', () => {
  test('of one argument and of several', () => {
    expectTensor(grad(f)(x, y), [3], DX);
    expectTensor(grad(f, -1)(x, y), [3], DY);
    const [dy, dx] = grad(f, { argnums: [1, 0] })(x, y);
    expectTensor(dy, [3], DY);
    expectTensor(dx, [3], DX);
  });

  test('of nested arguments', () => {
    const found = grad((p: { w: Tensor; b: [Tensor] }) => p.w.mul(p.b[0]).sum())({ w: x, b: [y] });
    expectTensor(found.w, [3], [1, 1.1, 1.2]);
    expectTensor(found.b[0], [3], [0.5, 0.6, 0.7]);
  });

  test('with the value and more', () => {
    const [g, [value, aux]] = gradAndValue((a: Tensor): [Tensor, Tensor] => [a.pow(2).sum(), a.add(1)], {
      hasAux: true,
    })(x);
    expectTensor(g, [3], [1, 1.2, 1.4]);
    expectTensor(value, [], [1.1]);
    expectTensor(aux, [3], [1.5, 1.6, 1.7]);
    expect([g, value, aux].map((t) => t.requiresGrad)).toEqual([false, false, false]);
    const [onlyGradient, more] = grad((a: Tensor): [Tensor, string] => [a.sum(), 'as it is'], 0, true)(x);
    expectTensor(onlyGradient, [3], [1, 1, 1]);
    expect(more).toBe('as it is');
    expectTensor(gradAndValue(f)(x, y)[1], [], [f(x, y).item() as number]);
  });

  test('can be differentiated again', () => {
    expectTensor(grad((a: Tensor) => grad((z: Tensor) => z.pow(4).sum())(a).sum())(x), [3], [3, 4.32, 5.88]);
    // d/da d/db (a b^2) = 2b, the inner function seeing the outer variable.
    const mixed = grad((a: Tensor) => grad((b: Tensor) => a.mul(b.pow(2)).sum())(y).sum())(x);
    expectTensor(mixed, [3], [2, 2.2, 2.4]);
  });

  test('works together with recorded computation around it', () => {
    const w = torch.tensor([2], { dtype: torch.float32, requiresGrad: true });
    const g = grad((a: Tensor) => w.mul(a.pow(2)).sum())(x);
    expect(g.requiresGrad).toBe(true);
    g.sum().backward();
    expectTensor(w.grad, [1], [3.6]);
    expect(grad((a: Tensor) => a.pow(2).sum())(x).requiresGrad).toBe(false);
    const leaf = x.clone().requiresGrad_(true);
    grad((a: Tensor) => a.pow(3).sum())(leaf)
      .sum()
      .backward();
    expectTensor(leaf.grad, [3], [3, 3.6, 4.2]);
    const quiet = torch.noGrad(() => grad((a: Tensor) => w.mul(a).sum())(x));
    expect(quiet.requiresGrad).toBe(false);
    expectTensor(quiet, [3], [2, 2, 2]);
  });

  test('gives zeros where the function does not look', () => {
    expectTensor(grad((_a: Tensor, b: Tensor) => b.sum())(x, y), [3], [0, 0, 0]);
    expectTensor(grad((_a: Tensor) => torch.tensor(1))(x), [3], [0, 0, 0]);
  });

  test.each<[string, () => unknown, string]>([
    [
      'a vector',
      () => grad((a: Tensor) => a)(x),
      'grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with 1 dims. Maybe you wanted to use the vjp or jacrev APIs instead?',
    ],
    ['a number', () => grad(() => 3 as unknown as Tensor)(), 'Got argnum=0, but only 0 positional inputs'],
    [
      'a number as result',
      () => grad((_a: Tensor) => 3 as unknown as Tensor)(x),
      'grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got number',
    ],
    ['a position too far', () => grad(f, 2)(x, y), 'Got argnum=2, but only 2 positional inputs'],
    ['no position', () => grad(f, [])(x, y), 'argnums must be non-empty'],
    ['a position twice', () => grad(f, [0, 0])(x, y), 'argnums elements must be unique, got (0, 0)'],
    [
      'an argument that is no tensor',
      () => grad(f)(3 as unknown as Tensor, y),
      'Thing passed to transform API must be Tensor, got number',
    ],
    [
      'no pair with hasAux',
      () => grad(((a: Tensor) => a.sum()) as unknown as (a: Tensor) => [Tensor, Tensor], { hasAux: true })(x),
      'grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True',
    ],
    ['integers', () => grad(f)(torch.arange(3), y), 'only Tensors of floating point dtype can require gradients'],
  ])('refuses %s', (_what, fn, message) => {
    expect(thrown(fn)).toEqual({ type: 'RuntimeError', message });
  });
});

describe('products', () => {
  test('vjp', () => {
    const [output, pull] = vjp(pair, x);
    expectTensor(output, [2], [0.3, 0.49]);
    expect(output.requiresGrad).toBe(false);
    expectTensor(pull(torch.tensor([1, 2], { dtype: torch.float32 })), [3], [0.6, 0.5, 2.8]);
    // It can be called again.
    expectTensor(pull(torch.tensor([0, 1], { dtype: torch.float32 })), [3], [0, 0, 1.4]);
    const [, both] = vjp((a: Tensor, b: Tensor) => a.mul(b), x, y);
    const [da, db] = both(torch.ones(3));
    expectTensor(da, [3], [1, 1.1, 1.2]);
    expectTensor(db, [3], [0.5, 0.6, 0.7]);
    const [, , aux] = vjp((a: Tensor): [Tensor, number] => [a.sum(), 7], x, { hasAux: true });
    expect(aux).toBe(7);
  });

  test('jvp', () => {
    const [output, product] = jvp(pair, [x], [y]);
    expectTensor(output, [2], [0.3, 0.49]);
    expectTensor(product, [2], [1.15, 1.68]);
    expect(product.requiresGrad).toBe(false);
    const [, constant] = jvp((_a: Tensor) => y, [x], [x]);
    expectTensor(constant, [3], [0, 0, 0]);
    // A gradient through a product: d/dt (2 x t) = 2 x.
    expectTensor(grad((t: Tensor) => jvp((a: Tensor) => a.pow(2), [x], [t])[1].sum())(y), [3], [1, 1.2, 1.4]);
  });

  test.each<[() => unknown, string]>([
    [
      () => jvp(f, x as unknown as [Tensor, Tensor], [x, y]),
      'jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals).',
    ],
    [
      () => jvp(f, [x, y], [y] as unknown as [Tensor, Tensor]),
      'Expected primals and tangents to have the same python structure.',
    ],
    [
      () => jvp((_a: Tensor) => y.sum(), [x], [x], { strict: true }),
      'The output of f is independent of the inputs. This is not allowed with strict=True.',
    ],
    [() => vjp((_a: Tensor) => null, x), 'vjp(f, *primals): Expected f to be a function that has non-empty output'],
    [
      () => vjp((a: Tensor) => a.int(), x),
      'vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype torch.int32',
    ],
    [
      () => vjp(pair, x)[1]([x, x] as unknown as Tensor),
      'Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function.',
    ],
  ])('refuse what does not fit (%#)', (fn, message) => {
    const found = thrown(fn);
    expect(found?.type).toBe('RuntimeError');
    expect(found?.message).toContain(message);
  });
});

describe('Jacobians', () => {
  test.each([
    ['jacrev', jacrev],
    ['jacfwd', jacfwd],
  ])('%s', (_name, jacobian) => {
    expectTensor(jacobian(pair)(x), [2, 3], [0.6, 0.5, 0, 0, 0, 1.4]);
    const [da, db] = jacobian((a: Tensor, b: Tensor) => a.mul(b), [0, 1])(x, y);
    expectTensor(da!, [3, 3], [1, 0, 0, 0, 1.1, 0, 0, 0, 1.2]);
    expectTensor(db!, [3, 3], [0.5, 0, 0, 0, 0.6, 0, 0, 0, 0.7]);
    const found = jacobian((a: Tensor) => ({ square: a.pow(2), all: a.sum() }))(ramp(2)) as {
      square: Tensor;
      all: Tensor;
    };
    expectTensor(found.square, [2, 2], [0, 0, 0, 0.2]);
    expectTensor(found.all, [2], [1, 1]);
    const [matrix, aux] = jacobian((a: Tensor): [Tensor, Tensor] => [a.mul(2), a], { hasAux: true })(ramp(2, 1));
    expectTensor(matrix, [2, 1, 2, 1], [2, 0, 0, 2]);
    expectTensor(aux, [2, 1], [0, 0.1]);
    expectTensor(jacobian((a: Tensor) => a.narrow(0, 0, 0))(x), [0, 3], []);
  });

  test('jacrev inside jacfwd and the other way round', () => {
    const diagonal = x.pow(2).mul(12).tolist() as number[];
    const wanted = [diagonal[0]!, 0, 0, 0, diagonal[1]!, 0, 0, 0, diagonal[2]!];
    const quartic = (a: Tensor): Tensor => a.pow(4).sum();
    expectTensor(jacfwd(jacrev(quartic) as (a: Tensor) => Tensor)(x), [3, 3], wanted);
    expectTensor(jacrev(jacfwd(quartic) as (a: Tensor) => Tensor)(x), [3, 3], wanted);
  });

  test('hessian', () => {
    expectTensor(hessian(f)(x, y), [3, 3], [-0.479426, 0, 0, 0, -0.683217, 0, 0, 0, -0.927673]);
    const [[xx, xy], [yx, yy]] = hessian(f, [0, 1])(x, y) as [[Tensor, Tensor], [Tensor, Tensor]];
    expectTensor(xx, [3, 3], [-0.479426, 0, 0, 0, -0.683217, 0, 0, 0, -0.927673]);
    expectTensor(xy, [3, 3], [1.755165, 0, 0, 0, 1.815738, 0, 0, 0, 1.835621]);
    expect(yx.allclose(xy.t())).toBe(true);
    expectTensor(yy, [3, 3], [0.958851, 0, 0, 0, 1.129285, 0, 0, 0, 1.288435]);
  });

  test('refuse complex tensors and chunks of nothing', () => {
    expect(thrown(() => jacrev(f)(torch.complex(x, y), y))?.message).toBe(
      'jacrev: Expected all inputs to be real but received complex tensor at flattened input idx: 0',
    );
    expect(thrown(() => jacrev(f, { chunkSize: 0 }))?.message).toBe('jacrev: `chunk_size` should be greater than 0.');
  });
});
