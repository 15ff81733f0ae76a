// Sorting and choosing by rank, compared with plain JavaScript on lengths around the change of algorithm.
import * as torch from 'flambeau';

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

/** The order of a stable sort: NaN is greater than every number. */
function order(values: number[], descending: boolean): number[] {
  const less = (a: number, b: number): number =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b;
  return [...values.keys()].sort(
    (i, j) => (descending ? less(values[j]!, values[i]!) : less(values[i]!, values[j]!)) || i - j,
  );
}

describe('sort', () => {
  test.each(types.map((t) => [t.name, t] as const))('orders %s stably at every length', (name, dtype) => {
    torch.manualSeed(3);
    for (const n of [0, 1, 2, 15, 16, 17, 33, 255, 256, 257, 3000]) {
      const x = torch.randint(name === 'uint8' ? 0 : -60, 60, [n]).to(dtype);
      const values = x.double().tolist() as number[];
      for (const descending of [false, true]) {
        const sorted = x.sort({ descending });
        const want = order(values, descending);
        expect(sorted.indices.tolist()).toEqual(want);
        expect(sorted.values.double().tolist()).toEqual(want.map((i) => values[i]));
        expect(sorted.values.dtype).toBe(dtype);
      }
    }
  });

  test.each([10, 1000])('keeps the sign of zeros and puts NaN last (length %i)', (n) => {
    const special = [Number.NaN, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -1];
    const values = Array.from({ length: n }, (_, i) => special[(i * i) % special.length]!);
    for (const dtype of [torch.float16, torch.float32, torch.float64]) {
      const { values: y, indices } = torch.tensor(values, { dtype }).sort();
      expect(indices.tolist()).toEqual(order(values, false));
      expect((y.double().tolist() as number[]).map((v) => Object.is(v, -0))).toEqual(
        order(values, false).map((i) => Object.is(values[i], -0)),
      );
    }
  });

  test('sorts wide integers exactly', () => {
    const big = [2n ** 62n, -(2n ** 62n), 2n ** 62n + 1n, 0n, -(2n ** 63n), 2n ** 63n - 1n];
    expect(torch.tensor(big).argsort().tolist()).toEqual([4, 1, 3, 0, 2, 5]);
    expect(
      torch
        .tensor([...big, ...new Array<bigint>(300).fill(7n)])
        .sort()
        .values.index(-1)
        .itemBigInt(),
    ).toBe(2n ** 63n - 1n);
  });

  test('works along every dimension of strided tensors', () => {
    torch.manualSeed(4);
    const x = torch.randn(5, 300, 4).permute(2, 0, 1);
    for (const dim of [0, 1, 2]) {
      const { values, indices } = x.sort(dim);
      expect(x.gather(dim, indices).equal(values)).toBe(true);
      const n = x.shape[dim]!;
      expect(
        values
          .narrow(dim, 1, n - 1)
          .ge(values.narrow(dim, 0, n - 1))
          .all()
          .item(),
      ).toBe(true);
    }
  });

  test('refuses complex numbers and wrong dimensions', () => {
    expect(() => torch.zeros(2, { dtype: torch.complex64 }).sort()).toThrow(
      'Sort does not support complex dtypes on CPU',
    );
    expect(() => torch.zeros(2).sort(1)).toThrow(RangeError);
    expect(() => torch.zeros(2).topk(3)).toThrow('selected index k out of range');
    expect(() => torch.zeros(2).topk(-1)).toThrow('selected index k out of range');
    expect(() => torch.zeros(2).kthvalue(0)).toThrow('kthvalue(): selected number k out of range for dimension 0');
    expect(() => torch.zeros(0, 2).median(0)).toThrow(RangeError);
    expect(() => torch.zeros(2).median({ keepdim: true } as never)).toThrow(
      "median() missing a required argument: 'dim'",
    );
    expect(() => torch.zeros(2).quantile(1.5)).toThrow('quantile() q must be in the range [0, 1] but got 1.5');
  });
});

describe('ranks', () => {
  test.each([1, 5, 64, 65, 700])('topk, kthvalue and median agree with sort (length %i)', (n) => {
    torch.manualSeed(n);
    const x = torch.randn(3, n);
    const sorted = x.sort(1).values;
    for (const k of new Set([1, Math.ceil(n / 80), Math.ceil(n / 2), n])) {
      const top = x.topk(k);
      expect(top.values.equal(sorted.flip(1).index(torch.slice(), torch.slice(0, k)))).toBe(true);
      expect(x.gather(1, top.indices).equal(top.values)).toBe(true);
      expect(
        x
          .topk(k, { largest: false, sorted: false })
          .values.sort(1)
          .values.equal(sorted.index(torch.slice(), torch.slice(0, k))),
      ).toBe(true);
      expect(x.kthvalue(k, 1).values.equal(sorted.index(torch.slice(), k - 1))).toBe(true);
    }
    expect(x.median(1).values.equal(sorted.index(torch.slice(), (n - 1) >> 1))).toBe(true);
  });

  test('mode is the smallest of the commonest', () => {
    expect(torch.tensor([3n, 1n, 3n, 1n, 2n]).mode().values.item()).toBe(1);
    expect(
      torch
        .tensor([[5, 5, 4]])
        .mode(1, true)
        .values.tolist(),
    ).toEqual([[5]]);
  });

  test('medians treat NaN as asked', () => {
    const x = torch.tensor([1, Number.NaN, 3, 2]);
    expect(x.median().item()).toBeNaN();
    expect(x.median(0).indices.item()).toBe(1);
    expect(x.nanmedian().item()).toBe(2);
    expect(torch.tensor([Number.NaN]).nanmedian().item()).toBeNaN();
  });

  test('gradients reach the chosen elements, ties share those of a whole median', () => {
    const x = torch.tensor([2, 1, 2, 3], { dtype: torch.float64 }).requiresGrad_();
    x.median().backward();
    expect(x.grad!.tolist()).toEqual([0.5, 0, 0.5, 0]);
    const y = torch
      .tensor(
        [
          [0.3, -1, 2],
          [4, 0.1, 0.2],
        ],
        { dtype: torch.float64 },
      )
      .requiresGrad_();
    expect(torch.autograd.gradgradcheck((a: torch.Tensor) => a.sort(1).values.pow(3), [y])).toBe(true);
    expect(
      torch.autograd.gradcheck(
        (a: torch.Tensor) => a.quantile(torch.tensor([0.2, 0.9], { dtype: torch.float64 }), 0),
        [y],
      ),
    ).toBe(true);
    expect(torch.autograd.gradcheck((a: torch.Tensor) => a.kthvalue(2, 0, true).values, [y])).toBe(true);
  });
});

describe('sets', () => {
  test('unique gives groups that rebuild the input', () => {
    torch.manualSeed(5);
    const x = torch.randint(-20, 20, [40, 50]);
    const [values, inverse, counts] = x.unique({ returnInverse: true, returnCounts: true }) as [
      torch.Tensor,
      torch.Tensor,
      torch.Tensor,
    ];
    expect(values.index(inverse).equal(x)).toBe(true);
    expect(
      values
        .index(torch.slice(1))
        .gt(values.index(torch.slice(0, -1)))
        .all()
        .item(),
    ).toBe(true);
    expect(counts.equal(inverse.flatten().bincount())).toBe(true);
    const rows = torch.randint(0, 2, [100, 3]);
    const [slices, of] = rows.unique({ dim: 0, returnInverse: true }) as [torch.Tensor, torch.Tensor];
    expect(slices.index(of).equal(rows)).toBe(true);
    expect(slices.shape[0]).toBe(8);
  });

  test('uniqueConsecutive joins only neighbours, of all elements or along a dimension', () => {
    const x = torch.tensor([3, 3, 1, 1, 1, 3]);
    const [values, inverse, counts] = x.uniqueConsecutive({
      returnInverse: true,
      returnCounts: true,
    }) as torch.Tensor[];
    expect([values!.tolist(), inverse!.tolist(), counts!.tolist()]).toEqual([
      [3, 1, 3],
      [0n, 0n, 1n, 1n, 1n, 2n].map(Number),
      [2n, 3n, 1n].map(Number),
    ]);
    const columns = torch.tensor([
      [1, 1, 2],
      [4, 4, 4],
    ]);
    expect((columns.uniqueConsecutive({ dim: 1 }) as torch.Tensor).tolist()).toEqual([
      [1, 2],
      [4, 4],
    ]);
    expect((columns.uniqueConsecutive() as torch.Tensor).tolist()).toEqual([1, 2, 4]);
  });

  test('unique has no derivative, and says so only when it is asked for', () => {
    const y = torch.tensor([1, 1, 2]).requiresGrad_().unique();
    expect(y.tolist()).toEqual([1, 2]);
    expect(() => y.sum().backward()).toThrow("the derivative for '_unique2' is not implemented.");
  });

  test('NaN equals nothing', () => {
    expect(torch.tensor([Number.NaN, 1, Number.NaN]).unique().tolist()).toEqual([1, Number.NaN, Number.NaN]);
    expect(torch.isin(torch.tensor([1, Number.NaN]), torch.tensor([Number.NaN, 1])).tolist()).toEqual([true, false]);
  });

  test('searchsorted counts what is smaller', () => {
    torch.manualSeed(6);
    const edges = torch.randint(0, 50, [101]).sort().values;
    const x = torch.randint(-5, 60, [500]);
    const list = edges.tolist() as number[];
    const below = (x.tolist() as number[]).map((v) => list.filter((e) => e < v).length);
    const upTo = (x.tolist() as number[]).map((v) => list.filter((e) => e <= v).length);
    expect(torch.searchsorted(edges, x).tolist()).toEqual(below);
    expect(torch.bucketize(x, edges, { right: true }).tolist()).toEqual(upTo);
    expect(torch.searchsorted(torch.zeros(0), torch.zeros(2)).tolist()).toEqual([0, 0]);
    expect(() => torch.searchsorted(edges, x, { right: true, side: 'left' })).toThrow(
      "side and right can't be set to opposites",
    );
    expect(() => torch.searchsorted(edges, x.float())).toThrow('should have same dtype');
  });

  test('histograms count every element inside once', () => {
    const x = torch.tensor([0, 0.5, 1, 2, 3, 9]);
    expect(torch.histc(x, 3, 0, 3).tolist()).toEqual([2, 1, 2]);
    const { hist, binEdges } = torch.histogram(x, 3, { range: [0, 3] });
    expect(hist.tolist()).toEqual([2, 1, 2]);
    expect(binEdges.tolist()).toEqual([0, 1, 2, 3]);
    expect(
      torch
        .histogram(x, torch.tensor([0, 1, 10]), { density: true })
        .hist.mul(torch.tensor([1, 9]))
        .sum()
        .item(),
    ).toBeCloseTo(1);
    expect(() => torch.histc(x, 0)).toThrow('bins must be > 0');
    expect(() => torch.tensor([-1n]).bincount()).toThrow('bincount only supports 1-d non-negative integral inputs.');
  });
});
