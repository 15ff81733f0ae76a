// Covariance, correlation, differences, numerical derivatives and integrals.
import torch, { type Tensor } from 'flambeau';

const { float64 } = torch;
const f64 = (data: unknown): Tensor => torch.tensor(data, { dtype: float64 });
const leaf = (...shape: number[]): Tensor => torch.rand(shape, { dtype: float64 }).requiresGrad_();
const close = (a: Tensor, b: Tensor): boolean => torch.allclose(a, b, { rtol: 1e-12, atol: 1e-12 });
const gradcheck = (f: (...t: Tensor[]) => Tensor | Tensor[], ...inputs: Tensor[]): boolean =>
  torch.autograd.gradcheck((...args: unknown[]) => f(...(args as Tensor[])) as Tensor, inputs);

describe('cov', () => {
  const x = f64([
    [1, 2, 4, 8],
    [3, 1, 0, 2],
    [5, 5, 6, 5],
  ]);
  const centred = x.sub(x.mean(1, true));

  test('sums products of deviations over the observations less the correction', () => {
    expect(close(torch.cov(x), centred.matmul(centred.t()).div(3))).toBe(true);
    expect(close(torch.cov(x, { correction: 0 }), centred.matmul(centred.t()).div(4))).toBe(true);
    expect(close(x.cov().diagonal(), x.var(1))).toBe(true);
  });

  test('frequencies count an observation several times', () => {
    const f = torch.tensor([1n, 3n, 0n, 2n]);
    expect(close(torch.cov(x, { fweights: f }), torch.cov(x.repeatInterleave(f, 1)))).toBe(true);
  });

  test('reliability weights only weigh', () => {
    const w = f64([0.5, 1, 2, 0.25]);
    const mean = x.mul(w).sum(1, true).div(w.sum());
    const d = x.sub(mean);
    const plain = d.mul(w).matmul(d.t());
    expect(close(torch.cov(x, { correction: 0, aweights: w }), plain.div(w.sum()))).toBe(true);
    const total = w.sum();
    expect(close(torch.cov(x, { aweights: w }), plain.div(total.sub(w.square().sum().div(total))))).toBe(true);
    expect(close(torch.cov(x, { aweights: w }), torch.cov(x, { aweights: w.mul(10) }))).toBe(true);
  });

  test('a vector is one variable, a number has no spread', () => {
    expect(torch.cov(torch.tensor([1n, 2n, 3n])).item()).toBe(1);
    expect(torch.cov(f64(3)).item()).toBeNaN();
    expect(torch.cov(torch.rand(2, 3), 3).tolist()).toEqual([
      [Infinity, expect.anything()],
      [expect.anything(), Infinity],
    ]);
  });

  test('complex deviations are conjugated', () => {
    const z = torch.complex(
      f64([
        [1, 2, 0],
        [0, 1, 1],
      ]),
      f64([
        [0, 1, 1],
        [2, 0, 1],
      ]),
    );
    const c = torch.cov(z);
    expect(close(c, c.conj().t())).toBe(true);
    expect(close(torch.viewAsReal(c).select(-1, 0).diagonal(), z.var(1))).toBe(true);
  });

  test('weights that do not fit are refused', () => {
    expect(() => torch.cov(torch.rand(2, 2, 2))).toThrow(
      'expected input to have two or fewer dimensions but got an input with 3 dimensions',
    );
    expect(() => torch.cov(torch.ones(2, 2).to(torch.bool))).toThrow('bool dtype is not supported for input');
    expect(() => torch.cov(x, { fweights: torch.rand(4) })).toThrow('expected fweights to have integral dtype');
    expect(() => torch.cov(x, { aweights: torch.ones(4).to(torch.int64) })).toThrow(
      'expected aweights to have floating point dtype',
    );
    expect(() => torch.cov(x, { fweights: torch.tensor([1n, -1n, 1n, 1n]) })).toThrow('fweights cannot be negative');
    expect(() => torch.cov(x, { aweights: torch.zeros(4) })).toThrow("weights sum to zero, can't be normalized");
    expect(() => torch.cov(x, { aweights: torch.ones(3) })).toThrow(
      'to have the same numel as there are observations in the input but got 3 != 4',
    );
    expect(() => torch.cov(x, { aweights: torch.ones(1, 4) })).toThrow(
      'to have one or fewer dimensions but got aweights with 2 dimensions',
    );
  });

  test('gradient', () => {
    expect(gradcheck((t) => torch.cov(t), leaf(2, 4))).toBe(true);
    expect(
      gradcheck(
        (t) => torch.cov(t, { aweights: f64([1, 2, 3, 1]), fweights: torch.tensor([1n, 2n, 1n, 1n]) }),
        leaf(2, 4),
      ),
    ).toBe(true);
  });
});

describe('corrcoef', () => {
  test('is the covariance of standardised variables', () => {
    const x = torch.rand(3, 6, { dtype: float64 });
    const standard = x.sub(x.mean(1, true)).div(x.std(1).unsqueeze(1));
    expect(close(torch.corrcoef(x), torch.cov(standard))).toBe(true);
    expect(torch.corrcoef(torch.rand(5)).item()).toBe(1);
    expect(
      torch
        .corrcoef(
          torch.tensor([
            [1, 2, 3],
            [6, 4, 2],
          ]),
        )
        .tolist(),
    ).toEqual([
      [1, -1],
      [-1, 1],
    ]);
  });
});

describe('diff', () => {
  test('takes differences n times along a dimension', () => {
    const x = torch.tensor([1n, 4n, 9n, 16n]);
    expect(torch.diff(x).tolist()).toEqual([3, 5, 7]);
    expect(x.diff(2).tolist()).toEqual([2, 2]);
    expect(x.diff({ n: 9 }).shape).toEqual([0]);
    expect(
      torch
        .diff(
          torch.tensor([
            [1, 2],
            [5, 9],
          ]),
          { dim: 0 },
        )
        .tolist(),
    ).toEqual([[4, 7]]);
    expect(torch.diff(torch.tensor([true, false, false])).tolist()).toEqual([true, false]);
    const same = x.diff(0);
    expect([same.tolist(), same === x]).toEqual([x.tolist(), false]);
  });
  test('with values before and after', () => {
    const x = torch.tensor([4, 9]);
    expect(x.diff({ prepend: torch.tensor([1]), append: torch.tensor([16, 0]) }).tolist()).toEqual([3, 5, 7, -16]);
    expect(() => torch.rand(3).diff({ prepend: torch.rand(1, 1) })).toThrow(
      'diff expects prepend or append to be the same dimension as input',
    );
    expect(() => torch.rand(3, 2).diff({ prepend: torch.rand(2, 3) })).toThrow(
      'input.size(0) = 3, but got tensor.size(0) = 2',
    );
    expect(() => torch.diff(torch.tensor(1))).toThrow('diff expects input to be at least one-dimensional');
    expect(() => x.diff(-1)).toThrow('order must be non-negative but got -1');
  });
  test('gradient', () => expect(gradcheck((t) => t.diff({ n: 2, dim: 0 }), leaf(4, 2))).toBe(true));
});

describe('gradient', () => {
  const x = torch.linspace(0, 2, 9, { dtype: float64 });
  const uneven = f64([0, 0.25, 1, 1.125, 2, 3.5]);

  test('is exact for parabolas, at the ends with edgeOrder 2', () => {
    const [slope] = torch.gradient(x.square(), 0.25, { edgeOrder: 2 }) as [Tensor];
    expect(close(slope, x.mul(2))).toBe(true);
    const [other] = torch.gradient(uneven.square().sub(uneven), { spacing: [uneven], edgeOrder: 2 }) as [Tensor];
    expect(close(other, uneven.mul(2).sub(1))).toBe(true);
  });

  test('is one-sided at the ends with edgeOrder 1', () => {
    const [slope] = torch.gradient(torch.tensor([1n, 2n, 4n, 8n])) as [Tensor];
    expect(slope.tolist()).toEqual([1, 1.5, 3, 4]);
    const [other] = torch.gradient(uneven.square(), { spacing: [uneven] }) as [Tensor];
    const found = other.tolist() as number[];
    expect([found[0], found[5]]).toEqual([0.25, 5.5]);
    expect(found.slice(1, 5).map((v) => v.toFixed(10))).toEqual([0.5, 2, 2.25, 4].map((v) => v.toFixed(10)));
  });

  test('one result per dimension, each with its spacing', () => {
    const f = torch.tensor([
      [1, 2, 4],
      [3, 6, 12],
    ]);
    const [down, right] = torch.gradient(f, { spacing: [2, 0.5] }) as [Tensor, Tensor];
    expect(down.tolist()).toEqual([
      [1, 2, 4],
      [1, 2, 4],
    ]);
    expect(right.tolist()).toEqual([
      [2, 3, 4],
      [6, 9, 12],
    ]);
    expect(torch.gradient(f, { dim: -1 }).length).toBe(1);
    expect(torch.gradient(torch.tensor(1))).toEqual([]);
  });

  test('what cannot be differentiated is refused', () => {
    expect(() => torch.gradient(torch.rand(2), { edgeOrder: 2 })).toThrow(
      'each dimension size to be at least edge_order+1',
    );
    expect(() => torch.gradient(torch.rand(4), { edgeOrder: 3 })).toThrow(
      'only supports edge_order=1 and edge_order=2.',
    );
    expect(() => torch.gradient(torch.rand(4), { spacing: [1, 2] })).toThrow(
      "a list of length equal to 'self.dim() = 1'",
    );
    expect(() => torch.gradient(torch.rand(4, 4), { dim: [0, 0] })).toThrow(
      'dim 0 appears multiple times in the list of dims',
    );
    expect(() => torch.gradient(torch.ones(4).to(torch.uint8))).toThrow('does not support uint8 input.');
    expect(() => torch.gradient(torch.rand(4), { spacing: [torch.rand(2, 2)] })).toThrow('to have one dimension');
  });

  test('gradient of the gradient', () => {
    expect(gradcheck((t) => torch.gradient(t, { spacing: [uneven], edgeOrder: 2 })[0]!, leaf(6))).toBe(true);
  });
});

describe('trapezoid', () => {
  test('with a step, and with points', () => {
    const y = torch.tensor([1n, 3n, 2n]);
    expect(torch.trapezoid(y).item()).toBe(4.5);
    expect(torch.trapz(y, { dx: 0.5 }).item()).toBe(2.25);
    expect(torch.trapezoid(y, torch.tensor([0, 1, 4])).item()).toBe(9.5);
    expect(torch.cumulativeTrapezoid(y, torch.tensor([0, 1, 4])).tolist()).toEqual([2, 9.5]);
  });
  test('along any dimension, points for all or for each', () => {
    const y = torch.rand(3, 4, { dtype: float64 });
    const x = torch.rand(3, { dtype: float64 }).cumsum(0);
    const columns = y.unbind(1).map((c) => torch.trapezoid(c, x));
    expect(close(torch.trapezoid(y, x, { dim: 0 }), torch.stack(columns))).toBe(true);
    expect(close(torch.trapezoid(y, x.unsqueeze(1).expand(3, 4), { dim: 0 }), torch.stack(columns))).toBe(true);
    expect(close(torch.cumulativeTrapezoid(y, { dim: 0 }).select(0, -1), torch.trapezoid(y, { dim: 0 }))).toBe(true);
  });
  test('of fewer than two points is zero', () => {
    expect(torch.trapezoid(torch.rand(1)).item()).toBe(0);
    expect(torch.trapezoid(torch.rand(2, 0)).tolist()).toEqual([0, 0]);
    expect(torch.cumulativeTrapezoid(torch.rand(2, 1)).shape).toEqual([2, 0]);
  });
  test('what does not fit is refused', () => {
    expect(() => torch.trapezoid(torch.rand(3), torch.rand(4))).toThrow(
      'trapezoid: There must be one `x` value for each sample point',
    );
    expect(() => torch.trapezoid(torch.tensor([true, false]))).toThrow(
      'received a bool input for `y`, but bool is not supported',
    );
    expect(() => torch.trapezoid(torch.tensor(1))).toThrow(RangeError);
  });
  test('gradient', () => {
    expect(gradcheck((y, x) => torch.cumulativeTrapezoid(y, x), leaf(2, 4), leaf(4))).toBe(true);
  });
});
