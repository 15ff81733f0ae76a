// gather, scatter and the ops along one dimension: safety, types, and large operands.
import * as torch from 'flambeau';

const long = (values: number[]): torch.Tensor => torch.tensor(values.map(BigInt));

describe('positions', () => {
  test.each([
    ['gather', (x: torch.Tensor) => x.gather(0, long([0, 3]))],
    ['scatter_', (x: torch.Tensor) => x.scatter_(0, long([0, 3]), 9)],
    ['scatterAdd_', (x: torch.Tensor) => x.scatterAdd_(0, long([0, -1]), torch.ones(2))],
    ['scatterReduce_', (x: torch.Tensor) => x.scatterReduce_(0, long([0, 3]), torch.ones(2), 'amax')],
    ['indexSelect', (x: torch.Tensor) => x.indexSelect(0, long([0, 3]))],
    ['indexAdd_', (x: torch.Tensor) => x.indexAdd_(0, long([0, 3]), torch.ones(2))],
    ['indexCopy_', (x: torch.Tensor) => x.indexCopy_(0, long([0, 3]), torch.ones(2))],
    ['indexFill_', (x: torch.Tensor) => x.indexFill_(0, long([0, 3]), 9)],
    ['indexReduce_', (x: torch.Tensor) => x.indexReduce_(0, long([0, 3]), torch.ones(2), 'prod')],
    ['put_', (x: torch.Tensor) => x.put_(long([0, 3]), torch.ones(2))],
    ['take', (x: torch.Tensor) => x.take(long([0, -4]))],
    ['embedding', (x: torch.Tensor) => torch.embedding(x.reshape(3, 1), long([0, 3]))],
  ])('out of range are an error of %s, which leaves the tensor alone', (_, call) => {
    const x = torch.tensor([1, 2, 3]);
    expect(() => call(x)).toThrow(RangeError);
    expect(x.tolist()).toEqual([1, 2, 3]);
  });

  test('of a wrong type or size are errors', () => {
    const x = torch.zeros(2, 2);
    expect(() => x.gather(0, torch.zeros(1, 1))).toThrow('gather(): Expected dtype int32/int64 for index');
    expect(() => x.gather(0, long([0]))).toThrow(
      'Index tensor must have the same number of dimensions as input tensor',
    );
    expect(() => x.gather(0, torch.zeros(1, 3, { dtype: torch.int64 }))).toThrow('Size does not match at dimension 1');
    expect(() => x.gather(2, torch.zeros(1, 1, { dtype: torch.int64 }))).toThrow(RangeError);
    expect(() => x.scatter(0, torch.zeros(1, 2, { dtype: torch.int64 }), torch.zeros(1, 1))).toThrow(
      'to be no larger size than src',
    );
    expect(() =>
      x.scatter(0, torch.zeros(1, 1, { dtype: torch.int64 }), torch.zeros(1, 1, { dtype: torch.float64 })),
    ).toThrow('Expected self.dtype to be equal to src.dtype');
    expect(() => x.scatterReduce(0, torch.zeros(1, 1, { dtype: torch.int64 }), x, 'median')).toThrow(
      'reduce argument must be either',
    );
    expect(() => x.indexAdd(0, long([0]), torch.zeros(1, 3))).toThrow('excluding the specified dimension');
    expect(() => x.indexSelect(0, torch.zeros(1, 1, { dtype: torch.int64 }))).toThrow(
      'Index is supposed to be a vector',
    );
  });

  test('may be int32 and lie in any layout', () => {
    const x = torch.arange(6).reshape(2, 3);
    const at = torch
      .tensor(
        [
          [2n, 0n],
          [1n, 1n],
        ],
        { dtype: torch.int32 },
      )
      .t();
    expect(x.gather(1, at).tolist()).toEqual([
      [2, 1],
      [3, 4],
    ]);
  });
});

describe('memory', () => {
  test('that source and target share is read before it is written', () => {
    const x = torch.tensor([1, 2, 3, 4]);
    x.index(torch.slice(1)).indexAdd_(0, long([0, 1, 2]), x.index(torch.slice(0, 3)));
    expect(x.tolist()).toEqual([1, 3, 5, 7]);
    const i = long([2, 0, 1]);
    i.scatter_(0, i, i.clone());
    expect(i.tolist()).toEqual([0, 1, 2]);
  });

  test('of an expanded tensor cannot be written', () => {
    const x = torch.zeros(1, 2).expand(3, 2);
    expect(() => x.indexFill_(0, long([0]), 1)).toThrow('more than one element of the written-to tensor');
    expect(() => x.scatter_(0, torch.zeros(1, 1, { dtype: torch.int64 }), 1)).toThrow('more than one element');
    expect(() => x.maskedFill_(x.eq(0), 1)).toThrow('more than one element');
  });

  test('with gaps is changed only where it belongs to the tensor', () => {
    const whole = torch.zeros(4, 4);
    const part = whole.index(torch.slice(null, null, 2), torch.slice(1, null, 2));
    part.scatterAdd_(
      1,
      torch.tensor([
        [0n, 0n],
        [1n, 1n],
      ]),
      torch.ones(2, 2),
    );
    part.maskedFill_(part.eq(0), -1);
    expect(whole.tolist()).toEqual([
      [0, 2, 0, -1],
      [0, 0, 0, 0],
      [0, -1, 0, 2],
      [0, 0, 0, 0],
    ]);
  });
});

describe('types', () => {
  const types = [
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.float64,
  ];
  test.each(types.map((t) => [t.name, t] as const))('%s sums, multiplies and finds extremes', (name, dtype) => {
    const x = torch.tensor([1, 2, 3]).to(dtype);
    const at = long([0, 0, 2]);
    const src = torch.tensor([5, 7, 2]).to(dtype);
    const all = ['sum', 'prod', 'amax', 'amin', 'mean'].map((reduce) =>
      x.scatterReduce(0, at, src, reduce).double().tolist(),
    );
    const whole = !dtype.isFloatingPoint;
    const third = 13 / 3;
    expect(all.slice(0, 4)).toEqual([
      [13, 2, 5],
      [35, 2, 6],
      [7, 2, 3],
      [1, 2, 2],
    ]);
    const mean = all[4] as number[];
    expect(mean[0]).toBeCloseTo(whole ? 4 : third, name.endsWith('16') && !whole ? 1 : 5);
    expect(mean.slice(1)).toEqual([2, whole ? 2 : 2.5]);
    expect(x.scatterReduce(0, at, src, 'amax', { includeSelf: false }).double().tolist()).toEqual([7, 2, 2]);
  });

  test('integers wrap, bool is or, NaN wins', () => {
    const bytes = torch.tensor([250, 1]).to(torch.uint8);
    expect(bytes.indexAdd(0, long([0]), torch.tensor([10]).to(torch.uint8)).tolist()).toEqual([4, 1]);
    expect(
      torch
        .tensor([false, true])
        .scatterAdd(0, long([0, 0]), torch.tensor([true, true]))
        .tolist(),
    ).toEqual([true, true]);
    expect(
      torch
        .tensor([1, 2])
        .scatterReduce(0, long([0]), torch.tensor([Number.NaN]), 'amin')
        .tolist(),
    ).toEqual([Number.NaN, 2]);
  });

  test('half types accumulate in single precision', () => {
    const many = torch.ones(4096, { dtype: torch.float16 });
    const sum = torch
      .zeros(1, { dtype: torch.float16 })
      .scatterAdd_(0, torch.zeros(4096, { dtype: torch.int64 }), many);
    expect(sum.item()).toBe(4096);
  });
});

describe('large operands', () => {
  test.each([0, 1])('scatterAdd undoes gather along dimension %i', (dim) => {
    torch.manualSeed(dim);
    const x = torch.randn(257, 129, { dtype: torch.float64 });
    const at = torch.rand(257, 129).argsort(dim);
    const y = x.gather(dim, at);
    expect(torch.zerosLike(x).scatterAdd(dim, at, y).equal(x)).toBe(true);
    expect(torch.zerosLike(x).scatter(dim, at, y).equal(x)).toBe(true);
  });
});

describe('gradients', () => {
  const x = torch
    .tensor(
      [
        [0.5, -1, 2],
        [3, 0, 1],
      ],
      { dtype: torch.float64 },
    )
    .requiresGrad_();
  const at = torch.tensor([
    [0n, 2n, 2n, 1n],
    [1n, 1n, 0n, 2n],
  ]);
  const src = torch
    .tensor(
      [
        [1, -2, 0, 0],
        [0, 3, 4, 5],
      ],
      { dtype: torch.float64 },
    )
    .requiresGrad_();
  test.each(['sum', 'mean', 'prod'])(
    'of scatterReduce %s are those of finite differences, zeros included',
    (reduce) => {
      for (const includeSelf of [true, false]) {
        expect(
          torch.autograd.gradcheck(
            (a: torch.Tensor, b: torch.Tensor) => a.scatterReduce(1, at, b, reduce, { includeSelf }),
            [x, src],
          ),
        ).toBe(true);
      }
    },
  );
  test('are differentiable', () => {
    expect(torch.autograd.gradgradcheck((a: torch.Tensor) => a.gather(1, at).pow(3), [x])).toBe(true);
    expect(
      torch.autograd.gradgradcheck((a: torch.Tensor, b: torch.Tensor) => a.scatterAdd(1, at, b).pow(3), [x, src]),
    ).toBe(true);
    expect(torch.autograd.gradgradcheck((a: torch.Tensor) => a.indexSelect(1, long([2, 0, 2])).pow(3), [x])).toBe(true);
    expect(torch.autograd.gradgradcheck((w: torch.Tensor) => torch.embedding(w, at.clamp(0, 1), 1).pow(3), [x])).toBe(
      true,
    );
  });
});
