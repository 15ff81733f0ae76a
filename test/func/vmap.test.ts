// torch.func.vmap. The values and messages were recorded from PyTorch 2.13.
import torch, { type Tensor } from 'flambeau';
import { expectTensor, ramp, thrown } from '../nn/module_support';

const { vmap, grad } = torch.func;
const dot = (a: Tensor, b: Tensor): Tensor => a.dot(b);
const x = ramp(3).add(0.5);
const y = ramp(3).add(1);

test('maps over the first dimension of everything', () => {
  expectTensor(vmap(dot)(ramp(2, 3), ramp(2, 3).add(1)), [2], [0.35, 1.7]);
});

test('maps over chosen dimensions, nested as arguments and results are', () => {
  expectTensor(vmap(dot, { inDims: [0, null] })(ramp(2, 3), y), [2], [0.35, 1.34]);
  expectTensor(vmap(dot, [1, -1])(ramp(3, 2), ramp(3, 2)), [2], [0.2, 0.35]);
  const [copies, sums] = vmap((a: Tensor) => [a, a.sum()] as const, { outDims: [1, 0] })(ramp(2, 3));
  expectTensor(copies, [3, 2], [0, 0.3, 0.1, 0.4, 0.2, 0.5]);
  expectTensor(sums, [2], [0.3, 1.2]);
  const named = vmap((p: { a: Tensor; b: Tensor }) => ({ out: p.a.mul(p.b) }), { inDims: [{ b: null, a: 0 }] });
  expectTensor(named({ a: ramp(2, 3), b: y }).out, [2, 3], [0, 0.11, 0.24, 0.3, 0.44, 0.6]);
  const [constant] = vmap((_a: Tensor) => [y], { outDims: null })(ramp(2, 3));
  expect(constant).toBe(y);
});

test('is differentiable, inside and outside', () => {
  const f = (a: Tensor, b: Tensor): Tensor => a.sin().mul(b.pow(2)).sum();
  expectTensor(vmap(grad(f), [0, null])(ramp(2, 3), y), [2, 3], [1, 1.203955, 1.411296, 0.955337, 1.114484, 1.263719]);
  const outer = grad((a: Tensor) => vmap((row: Tensor) => row.pow(2).sum())(a).sum())(ramp(2, 2));
  expectTensor(outer, [2, 2], [0, 0.2, 0.4, 0.6]);
});

test('no slices at all', () => {
  const [a, b] = vmap((row: Tensor) => [row.mul(2), row.sum()] as const, { outDims: [1, 0] })(torch.zeros(0, 3));
  expect([[...a.shape], [...b.shape]]).toEqual([[3, 0], [0]]);
});

test('random numbers', () => {
  const noisy = (a: Tensor): Tensor => a.add(torch.rand([]));
  const error =
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness " +
    'flags on vmap or perform the randomness operation out of vmap';
  const before = torch.getRngState();
  expect(thrown(() => vmap(noisy)(x))?.message).toBe(error);
  expect(torch.getRngState().equal(before)).toBe(true);
  const same = vmap(noisy, { randomness: 'same' })(torch.zeros(3)).tolist() as number[];
  expect(new Set(same).size).toBe(1);
  const different = vmap(noisy, { randomness: 'different' })(torch.zeros(3)).tolist() as number[];
  expect(new Set(different).size).toBe(3);
});

const many = dot as unknown as (...args: unknown[]) => Tensor;
test.each<[() => unknown, string]>([
  [
    () => vmap(dot)(ramp(2, 3), ramp(3, 3)),
    'vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [2, 3] for the mapped dimension',
  ],
  [
    () => vmap(many)(),
    'vmap(dot)(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no inputs. The latter is unsupported.',
  ],
  [
    () => vmap(dot, [0])(x, y),
    'vmap(dot, in_dims=(0,), ...)(<inputs>): in_dims is not compatible with the structure of `inputs`. in_dims has structure [*] but inputs has structure [*, *].',
  ],
  [
    () => vmap(dot, 2)(x, y),
    'vmap(dot, in_dims=2, ...)(<inputs>): Got in_dim=2 for some input, but that input is a Tensor of dimensionality 1 so expected in_dim to satisfy -1 <= in_dim < 1.',
  ],
  [
    () => vmap(many)(x, 2),
    'vmap(dot, in_dims=0, ...)(<inputs>): Got in_dim=0 for an input but the input is of type number. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim',
  ],
  [
    () => vmap(dot, null)(x, y),
    'vmap(dot, in_dims=None, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, got: null.',
  ],
  [() => vmap(dot, [null, null])(x, y), 'vmap: Expected at least one Tensor to vmap over'],
  [
    () => vmap((_a: Tensor) => 3)(x),
    'vmap(<lambda>, ...): `<lambda>` must only return Tensors, got type number. Did you mean to set out_dims= to None for output?',
  ],
  [
    () => vmap((a: Tensor) => a, { outDims: null })(x),
    'vmap(<lambda>, ...): `<lambda>` can not return a BatchedTensor when out_dim is None',
  ],
  [
    () => vmap(dot, { randomness: 'no' as 'same' }),
    "Only allowed values for randomness are 'error', 'different', or 'same'. Got no",
  ],
  [() => vmap(dot, { chunkSize: 0 }), 'vmap: chunk_size should be None or greater than 0. (got 0)'],
])('refuses what does not fit (%#)', (fn, message) => {
  expect(thrown(fn)).toEqual({ type: 'RuntimeError', message });
});
