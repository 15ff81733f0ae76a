// Indexing as square brackets do it: what is a view, assignment, and what is refused.
import * as torch from 'flambeau';

const range = (...shape: number[]): torch.Tensor =>
  torch
    .arange(
      shape.reduce((a, b) => a * b, 1),
      { dtype: torch.float64 },
    )
    .reshape(shape);

describe('index', () => {
  test('gives views for integers, slices, new axes and the ellipsis', () => {
    const x = range(3, 4);
    const views = [x.index(1), x.index('...', -1), x.index(torch.slice(1), null), x.index(torch.tensor(2n)), x.index()];
    x.add_(100);
    expect(views.map((v) => v.tolist())).toEqual([
      [104, 105, 106, 107],
      [103, 107, 111],
      [[[104, 105, 106, 107]], [[108, 109, 110, 111]]],
      [108, 109, 110, 111],
      [
        [100, 101, 102, 103],
        [104, 105, 106, 107],
        [108, 109, 110, 111],
      ],
    ]);
  });

  test('copies for masks, index tensors and lists', () => {
    const x = range(3, 2);
    const copies = [
      x.index([0, 2]),
      x.index(x.gt(2)),
      x.index(torch.tensor([1n], { dtype: torch.int32 })),
      x.index([true, false, true]),
    ];
    x.zero_();
    expect(copies.map((c) => c.tolist())).toEqual([
      [
        [0, 1],
        [4, 5],
      ],
      [3, 4, 5],
      [[2, 3]],
      [
        [0, 1],
        [4, 5],
      ],
    ]);
  });

  test('places the dimensions of neighbouring indices where they were, of separate ones in front', () => {
    const x = torch.zeros(2, 3, 4, 5);
    const i = torch.zeros(6, { dtype: torch.int64 });
    expect([...x.index(torch.slice(), i, i).shape]).toEqual([2, 6, 5]);
    expect([...x.index(torch.slice(), i, torch.slice(), i).shape]).toEqual([6, 2, 4]);
    expect([...x.index(0, torch.slice(), i).shape]).toEqual([3, 6, 5]);
    expect([...x.index(i.reshape(2, 3), '...', i.reshape(2, 3)).shape]).toEqual([2, 3, 3, 4]);
    expect([...x.index(true, false).shape]).toEqual([0, 2, 3, 4, 5]);
  });

  test.each([
    ['an integer out of range', [3], RangeError, 'index 3 is out of bounds for dimension 0 with size 3'],
    [
      'a position out of range',
      [torch.slice(), [0, -5]],
      RangeError,
      'index -5 is out of bounds for dimension 1 with size 4',
    ],
    ['too many items', [0, 0, 0], RangeError, 'too many indices for tensor of dimension 2'],
    ['two ellipses', ['...', '...'], RangeError, "an index can only have a single ellipsis ('...')"],
    ['a backward slice', [torch.slice(null, null, -1)], RangeError, 'step must be greater than zero'],
    [
      'a mask of another size',
      [[true, false]],
      RangeError,
      'The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 4] at index 0',
    ],
    [
      'a tensor of floats',
      [torch.zeros(2)],
      RangeError,
      'tensors used as indices must be long, int, byte or bool tensors',
    ],
    [
      'shapes that do not broadcast',
      [
        [0, 1],
        [0, 1, 2],
      ],
      RangeError,
      'shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]',
    ],
    ['a fraction', [0.5], TypeError, 'valid indices (got 0.5)'],
    ['a list with a fraction', [[0, 0.5]], TypeError, 'a list of positions must hold integers only'],
    ['a string', ['..'], TypeError, 'valid indices (got string)'],
  ] as [string, torch.IndexItem[], ErrorConstructor, string][])('refuses %s', (_, items, kind, message) => {
    const call = (): unknown => range(3, 4).index(...items);
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  });

  test('slice refuses what is no integer', () => {
    expect(() => torch.slice(0.5)).toThrow(TypeError);
    expect(() => torch.slice(0, 'a' as never)).toThrow("argument 'stop' must be an integer or null");
    expect(String(torch.slice(1, null, 2))).toBe('slice(1, null, 2)');
  });

  test('differentiates twice', () => {
    const x = range(3, 4).requiresGrad_();
    const i = torch.tensor([0n, 2n, 0n]);
    expect(torch.autograd.gradgradcheck((a: torch.Tensor) => a.index(i, torch.slice(1)).pow(3), [x])).toBe(true);
    expect(torch.autograd.gradgradcheck((a: torch.Tensor) => a.index(a.detach().gt(4.5)).pow(3), [x])).toBe(true);
  });
});

describe('indexPut_', () => {
  test('indexPut writes to a copy, whose gradient goes to the values where they were written', () => {
    const x = torch.ones(3).requiresGrad_();
    const values = torch.tensor([5, 7]).requiresGrad_();
    const y = x.indexPut([torch.tensor([2n, 0n])], values);
    expect(y.tolist()).toEqual([7, 1, 5]);
    expect(x.tolist()).toEqual([1, 1, 1]);
    y.backward(torch.tensor([1, 2, 3]));
    expect([x.grad!.tolist(), values.grad!.tolist()]).toEqual([
      [0, 2, 0],
      [3, 1],
    ]);
    expect(
      torch
        .zeros(2)
        .indexPut([torch.tensor([1n, 1n])], torch.tensor([2, 3]), true)
        .tolist(),
    ).toEqual([0, 5]);
  });

  test('writes to slices, masks and positions, broadcasting and converting', () => {
    const x = torch.zeros(2, 3);
    x.indexPut_([0, torch.slice(1)], torch.tensor([1n, 2n]));
    x.indexPut_([1, [0, 2]], 5);
    x.indexPut_([x.eq(0)], -1);
    expect(x.tolist()).toEqual([
      [-1, 1, 2],
      [5, -1, 5],
    ]);
    x.indexPut_(['...'], torch.tensor([[[7, 8, 9]]]));
    expect(x.tolist()).toEqual([
      [7, 8, 9],
      [7, 8, 9],
    ]);
  });

  test('counts a position twice when it accumulates, and lets the last value win when it does not', () => {
    const at = torch.tensor([1n, 1n, 0n]);
    expect(
      torch
        .zeros(2)
        .indexPut_([at], torch.tensor([1, 2, 4]), { accumulate: true })
        .tolist(),
    ).toEqual([4, 3]);
    expect(
      torch
        .zeros(2)
        .indexPut_([at], torch.tensor([1, 2, 4]))
        .tolist(),
    ).toEqual([4, 2]);
    expect(torch.zeros(2).indexPut_([torch.slice()], 3, true).tolist()).toEqual([3, 3]);
  });

  test('changes nothing if one position of many is wrong', () => {
    const x = range(4);
    expect(() => x.indexPut_([torch.tensor([0n, 1n, 9n])], 7)).toThrow(
      'index 9 is out of bounds for dimension 0 with size 4',
    );
    expect(() => x.indexPut_([[0, 1]], torch.zeros(3))).toThrow('cannot be broadcast to indexing result of shape [2]');
    expect(x.tolist()).toEqual([0, 1, 2, 3]);
  });

  test('reads values that share its memory before it writes', () => {
    const x = range(5);
    x.indexPut_([[1, 2, 3, 4]], x.index(torch.slice(0, 4)));
    expect(x.tolist()).toEqual([0, 0, 1, 2, 3]);
  });

  test('refuses another dtype where all indices are tensors, and memory that is one element', () => {
    expect(() => torch.zeros(2).indexPut_([torch.tensor([0n])], torch.tensor([1n]))).toThrow(
      'Index put requires the source and destination dtypes match',
    );
    expect(() =>
      torch
        .zeros(1)
        .expand(3)
        .indexPut_([[0]], 1),
    ).toThrow('more than one element of the written-to tensor');
    expect(() => torch.zeros(2).indexPut_(0 as never, 1)).toThrow(TypeError);
    expect(() => torch.zeros(2).indexPut_([0], 1, { accumulated: true } as never)).toThrow(
      "unexpected keyword argument 'accumulated'",
    );
  });

  test('enters the history of the tensor that it changes', () => {
    const x = range(3).requiresGrad_();
    const v = torch.tensor([2], { dtype: torch.float64 }).requiresGrad_();
    const y = x.mul(2);
    y.indexPut_([torch.slice(1, 2)], v);
    y.indexPut_([[0]], v.mul(3));
    y.pow(2).sum().backward();
    expect(x.grad!.tolist()).toEqual([0, 0, 16]);
    expect(v.grad!.tolist()).toEqual([4 + 36]);
    expect(() => x.indexPut_([0], 1)).toThrow(
      'a view of a leaf Variable that requires grad is being used in an in-place operation.',
    );
  });
});

describe('where', () => {
  test('chooses, finds, and is a method of what it chooses', () => {
    const c = torch.tensor([true, false, true]);
    expect(torch.where(c, 1, torch.tensor([5, 6, 7])).tolist()).toEqual([1, 6, 1]);
    expect(torch.tensor([5, 6, 7]).where(c, 0).tolist()).toEqual([5, 0, 7]);
    expect(torch.where(c).map((t) => t.tolist())).toEqual([[0, 2]]);
    expect(() => torch.where(torch.zeros(3), 1, c)).toThrow('where expected condition to be a boolean tensor');
  });
});

describe('large selections', () => {
  test('equal a loop over the elements', () => {
    torch.manualSeed(1);
    const x = torch.randn(300, 200);
    const at = torch.randint(-300, 300, [500]);
    const flat = x.toTypedArray() as Float32Array;
    const rows = (at.tolist() as number[]).map((i) => (i < 0 ? i + 300 : i));
    const taken = x.index(at).toTypedArray() as Float32Array;
    expect(rows.every((row, r) => [0, 77, 199].every((c) => taken[r * 200 + c] === flat[row * 200 + c]))).toBe(true);
    const sums = new Float64Array(300 * 200);
    rows.forEach((row, r) => {
      for (let c = 0; c < 200; c++) sums[row * 200 + c]! += taken[r * 200 + c]!;
    });
    const y = torch.zeros(300, 200).indexAdd_(0, torch.tensor(rows.map(BigInt)), x.index(at));
    const worst = (y.toTypedArray() as Float32Array).reduce((m, v, i) => Math.max(m, Math.abs(v - sums[i]!)), 0);
    expect(worst).toBeLessThan(1e-4);
    expect(x.index(x.gt(0)).numel()).toBe(flat.filter((v) => v > 0).length);
    expect(x.gt(0).nonzero().index(torch.slice(), 1).tolist()).toEqual(
      [...flat.keys()].filter((i) => flat[i]! > 0).map((i) => i % 200),
    );
  });
});
