// Joining and splitting: types, empty tensors, views, errors.
import * as torch from 'flambeau';

test('a block diagonal of nothing', () => {
  expect([[...torch.blockDiag().shape], torch.blockDiag().dtype]).toEqual([[1, 0], torch.float32]);
});

describe('cat and stack', () => {
  test('promote, and pass over empty vectors', () => {
    const y = torch.cat([torch.tensor([1n]), torch.tensor([2.5]), torch.tensor([true])]);
    expect(y.dtype).toBe(torch.float32);
    expect(y.tolist()).toEqual([1, 2.5, 1]);
    expect([...torch.cat([torch.zeros(0), torch.zeros(2, 3)], 1).shape]).toEqual([2, 3]);
    expect([...torch.cat([torch.zeros(0), torch.zeros(0)]).shape]).toEqual([0]);
    expect(torch.stack([torch.tensor(1n), torch.tensor(2.5)]).tolist()).toEqual([1, 2.5]);
  });

  test.each([
    [() => torch.cat([]), 'torch.cat(): expected a non-empty list of Tensors'],
    [() => torch.cat([torch.tensor(1)]), 'zero-dimensional tensor (at position 0) cannot be concatenated'],
    [() => torch.cat([torch.zeros(2, 3), torch.zeros(2)]), 'Tensors must have same number of dimensions: got 2 and 1'],
    [
      () => torch.cat([torch.zeros(2, 3), torch.zeros(1, 3)], 1),
      'Sizes of tensors must match except in dimension 1. Expected size 2 but got size 1 for tensor number 1 in the list.',
    ],
    [() => torch.cat([torch.zeros(2)], 1), 'Dimension out of range (expected to be in range of [-1, 0], but got 1)'],
    [() => torch.cat(torch.zeros(2) as never), "cat(): argument 'tensors' must be Tensor[]"],
    [() => torch.stack([]), 'stack expects a non-empty TensorList'],
    [
      () => torch.stack([torch.zeros(2), torch.zeros(3)]),
      'stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1',
    ],
    [() => torch.meshgrid(torch.zeros(2, 2)), 'Expected 0D or 1D tensor'],
    [() => torch.zeros(2).repeat(), 'Number of dimensions of repeat dims can not be smaller'],
    [() => torch.zeros(2).flip(0, 0), 'dim 0 appears multiple times'],
    [() => torch.zeros(2).roll([1, 2], [0]), 'shifts and dimensions must align'],
    [() => torch.zeros(3).split(0), 'split_size can only be 0 if dimension size is 0, but got dimension size of 3'],
    [() => torch.zeros(3).split([1, 1]), 'split_with_sizes expects split_sizes to sum exactly to 3'],
    [() => torch.zeros(3).chunk(0), 'chunk expects `chunks` to be greater than 0, got: 0'],
    [() => torch.zeros(3).hsplit(2), 'is not divisible by the split_size 2'],
    [() => torch.zeros(2).repeatInterleave(torch.tensor([1n, -1n])), 'repeats can not be negative'],
    [
      () => torch.broadcastTensors(torch.zeros(2), torch.zeros(3)),
      'The size of tensor a (2) must match the size of tensor b (3)',
    ],
  ])('refuse what does not fit (%#)', (call, message) => {
    expect(call).toThrow(message as string);
  });

  test('join many parts as one copy does', () => {
    torch.manualSeed(0);
    const x = torch.randn(64, 1000);
    expect(torch.cat(x.split(7, 1), 1).equal(x)).toBe(true);
    expect(torch.cat(x.split([60, 0, 4])).equal(x)).toBe(true);
    expect(torch.stack(x.unbind(1), 1).equal(x)).toBe(true);
    expect(torch.cat(x.t().tensorSplit(5)).equal(x.t())).toBe(true);
  });
});

describe('parts', () => {
  test('are views', () => {
    const x = torch.zeros(4, 2);
    const [a, b] = x.split([1, 3]) as [torch.Tensor, torch.Tensor];
    a.fill_(1);
    (b.unbind(1)[1] as torch.Tensor).fill_(2);
    expect(x.tolist()).toEqual([
      [1, 1],
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
    expect(
      torch
        .zeros(5)
        .split(2)
        .map((t) => t.numel()),
    ).toEqual([2, 2, 1]);
    expect(
      torch
        .zeros(0)
        .split(2)
        .map((t) => t.numel()),
    ).toEqual([0]);
    expect(
      torch
        .zeros(0)
        .chunk(3)
        .map((t) => t.numel()),
    ).toEqual([0, 0, 0]);
  });

  test('of one result cannot be changed in place while gradients are recorded', () => {
    const x = torch.ones(4).requiresGrad_().mul(2);
    expect(() => (x.split(2)[0] as torch.Tensor).mul_(2)).toThrow(
      'is the output of a function that returns multiple views',
    );
  });

  test('that were not used have zero gradients', () => {
    const x = torch.ones(5).requiresGrad_();
    const [, b] = x.split([2, 3]) as [torch.Tensor, torch.Tensor];
    b.mul(2).sum().backward();
    expect(x.grad!.tolist()).toEqual([0, 0, 2, 2, 2]);
  });
});

test('results with names are arrays and have fields', () => {
  const x = torch.tensor([3, 1, 2]);
  const sorted = x.sort();
  const [values, indices] = sorted;
  expect(Array.isArray(sorted)).toBe(true);
  expect(sorted.values).toBe(values);
  expect(sorted.indices).toBe(indices);
  expect(sorted.map((t) => t.tolist())).toEqual([
    [1, 2, 3],
    [1, 2, 0],
  ]);
  expect(Object.keys(sorted)).toEqual(['0', '1']);
});

test('joins are differentiable twice', () => {
  const a = torch
    .tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: torch.float64 },
    )
    .requiresGrad_();
  const b = torch.tensor([[5, 6]], { dtype: torch.float64 }).requiresGrad_();
  const check = (fn: (...x: torch.Tensor[]) => unknown): boolean => torch.autograd.gradgradcheck(fn, [a, b]);
  expect(check((x, y) => torch.cat([x!, y!]).pow(3))).toBe(true);
  expect(check((x, y) => torch.stack([x!.index(0), y!.index(0)], 1).pow(3))).toBe(true);
  expect(check((x, y) => x!.repeat(2, 1, 2).mul(y!.tile(2).roll(1, 1)).pow(2))).toBe(true);
  expect(check((x, y) => x!.split(1, 1)[1]!.mul(y!.flip(1)).pow(2))).toBe(true);
});
