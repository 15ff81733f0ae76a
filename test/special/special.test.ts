// torch.special against values of forty digits (values.json, written by record.py), and what the functions do at the
// edges of their domains.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { special, type Tensor } from 'flambeau';

type Row = { points: number[][]; values: number[] };
const recorded = JSON.parse(readFileSync(path.join(__dirname, 'values.json'), 'utf8')) as Record<string, Row>;
type Call = (...args: unknown[]) => Tensor;
const functions = special as unknown as Record<string, Call>;
const { float32, float64 } = torch;

const list = (t: Tensor): number[] => t.tolist() as number[];
const column = (row: Row, i: number): number[] => row.points.map((p) => p[i]!);

/** The function at all recorded points, in a type. */
function computed(name: string, row: Row, dtype: torch.DType): number[] {
  const x = torch.tensor(column(row, 0), { dtype });
  if (row.points[0]!.length === 1) return list(functions[name]!(x));
  if (name === 'polygamma')
    return row.points.map(([n, at]) => special.polygamma(n!, torch.tensor(at, { dtype })).item() as number);
  if (name === 'multigammaln')
    return row.points.map(([at, p]) => special.multigammaln(torch.tensor(at, { dtype }), p!).item() as number);
  return list(functions[name]!(x, torch.tensor(column(row, 1), { dtype })));
}

/** How far the result may be off when its argument is off by half a unit of the last place. */
function sensitivity(name: string, v: number, x: number): number {
  // The phase of oscillating functions is as uncertain as their argument; between zeros they are of order one.
  const oscillates = /^(bessel|airy|spherical)/.test(name) && (name !== 'airyAi' || x < 0);
  if (oscillates) return Math.max(Math.abs(v), 0.2 * Math.sqrt(1 + Math.abs(x)));
  // exp(-600) is as uncertain as the 600.
  return v === 0 ? 0 : Math.abs(v) * Math.max(1, Math.abs(Math.log(Math.abs(v))) / 100);
}

describe.each(Object.entries(recorded))('%s', (name, row) => {
  test('float64 is right to 13 digits', () => {
    const found = computed(name, row, float64);
    const off = row.points.flatMap((p, i) => {
      const v = row.values[i]!;
      const allowed = 1e-13 * sensitivity(name, v, p[0]!) + (/Polynomial/.test(name) ? 1e-12 : 0) + 1e-300;
      return Math.abs(found[i]! - v) <= allowed ? [] : [`at ${p.join()}: ${found[i]} instead of ${v}`];
    });
    expect(off).toEqual([]);
  });

  test('float32 gives the same at points that it can hold', () => {
    const exact = row.points
      .map((p, i) => ({ p, v: row.values[i]! }))
      .filter(({ p, v }) => p.every((x) => Math.fround(x) === x) && Math.abs(v) < 1e30);
    const few = { points: exact.map((e) => e.p), values: exact.map((e) => e.v) };
    expect(few.points.length).toBeGreaterThan(10);
    const found = computed(name, few, float32);
    const off = few.points.flatMap((p, i) => {
      const v = few.values[i]!;
      const allowed =
        1e-6 * sensitivity(name, v, p[0]!) + (/Polynomial/.test(name) ? 2e-4 * Math.max(1, Math.abs(v)) : 0) + 1e-38;
      return Math.abs(found[i]! - v) <= allowed ? [] : [`at ${p.join()}: ${found[i]} instead of ${v}`];
    });
    expect(off).toEqual([]);
  });
});

describe('types and shapes', () => {
  test.each(['besselJ0', 'airyAi', 'modifiedBesselK1', 'sphericalBesselJ0'])('%s takes integers as float32', (name) => {
    const y = functions[name]!(torch.tensor([1n, 2n]));
    expect(y.dtype).toBe(float32);
    expect(list(y)).toEqual(list(functions[name]!(torch.tensor([1, 2]))));
  });

  test('every length and a strided view give what single elements give', () => {
    for (let n = 0; n <= 34; n++) {
      const x = torch
        .linspace(0.1, 9, 2 * n, { dtype: float64 })
        .reshape(n, 2)
        .select(1, 1);
      const whole = list(special.besselJ0(x));
      expect(whole).toEqual(
        (x.tolist() as number[]).map((v) => special.besselJ0(torch.tensor(v, { dtype: float64 })).item()),
      );
    }
  });

  test('polynomials broadcast, take numbers on either side and truncate the degree', () => {
    const x = torch.tensor([[0.25], [0.5]], { dtype: float64 });
    const n = torch.tensor([2.9, -1, -0.5], { dtype: float64 });
    expect(special.legendrePolynomialP(x, n).tolist()).toEqual([
      [-0.40625, 0, 1],
      [-0.125, 0, 1],
    ]);
    expect(list(special.chebyshevPolynomialT(0.5, torch.tensor([0n, 1n, 2n])))).toEqual([1, 0.5, -0.5]);
    expect(list(special.hermitePolynomialH(torch.tensor([0.5]), 3))).toEqual([-5]);
  });

  test('degrees without end do not hang', () => {
    const x = torch.tensor([0.5, 3], { dtype: float64 });
    for (const name of [
      'legendrePolynomialP',
      'laguerrePolynomialL',
      'hermitePolynomialHe',
      'chebyshevPolynomialT',
      'chebyshevPolynomialW',
    ]) {
      expect(list(functions[name]!(x, 1e18)).length).toBe(2);
    }
    expect(list(special.chebyshevPolynomialT(torch.tensor([1, -1]), 1e18))).toEqual([1, 1]);
  });

  test.each([
    ['igamma_', torch.igamma, [torch.tensor([0.5, 2, 3.25])]],
    ['igammac_', torch.igammac, [torch.tensor([0.5, 2, 3.25])]],
    ['mvlgamma_', torch.mvlgamma, [2]],
  ] as const)('%s overwrites its tensor with what the function gives', (name, fn, rest) => {
    const x = torch.tensor([0.75, 1.5, 4]);
    const expected = (fn as unknown as Call)(x, ...rest);
    expect((x as unknown as Record<string, (...args: readonly unknown[]) => Tensor>)[name]!(...rest)).toBe(x);
    expect([x.equal(expected), x._version]).toEqual([true, 1]);
  });

  test('names of the same functions', () => {
    expect(special.expit).toBe(torch.sigmoid);
    expect(special.gammaln).toBe(torch.lgamma);
    expect(special.psi).toBe(special.digamma);
    expect(special.gammaincc).toBe(torch.igammac);
  });
});

describe('edges', () => {
  const at = (f: Call, v: number): number => f(torch.tensor(v, { dtype: float64 })).item() as number;
  test.each([
    ['besselY0', 0, -Infinity],
    ['besselY1', -1, NaN],
    ['besselJ0', NaN, NaN],
    ['modifiedBesselK0', 0, Infinity],
    ['modifiedBesselK1', -2, NaN],
    ['modifiedBesselK0', 1000, 0],
    ['scaledModifiedBesselK1', Infinity, 0],
    ['sphericalBesselJ0', 0, 1],
    ['sphericalBesselJ0', -Infinity, 0],
    ['airyAi', 110, 0],
    ['airyAi', NaN, NaN],
  ])('%s(%d) is %d', (name, x, y) => {
    expect(at(functions[name]!, x)).toBe(y);
  });

  test.each([
    [0, 1, 1],
    [0, 0, NaN],
    [2, 0, 0],
    [-1, 1, NaN],
    [1, -1, NaN],
    [Infinity, 1, 0],
    [1, Infinity, 1],
    [Infinity, Infinity, NaN],
    [NaN, 1, NaN],
  ])('gammainc(%d, %d) is %d, and gammaincc the rest', (a, x, p) => {
    const [s, t] = [torch.tensor(a, { dtype: float64 }), torch.tensor(x, { dtype: float64 })];
    expect(special.gammainc(s, t).item()).toBe(p);
    expect(special.gammaincc(s, t).item()).toBe(1 - p);
  });

  test('polygamma at its poles, for negative orders and as a method', () => {
    expect(list(special.polygamma(3, torch.tensor([0, -1])))).toEqual([Infinity, Infinity]);
    expect(list(special.polygamma(2, torch.tensor([0])))).toEqual([-Infinity]);
    expect(() => special.polygamma(-1, torch.tensor([1]))).toThrow('polygamma(n, x) does not support negative n.');
    const x = torch.tensor([0.5, 2]);
    expect(list(x.polygamma(1))).toEqual(list(special.polygamma(1, x)));
    expect(list(x.clone().polygamma_(1))).toEqual(list(special.polygamma(1, x)));
  });

  test('zeta far below zero sums from the near end', () => {
    const z = special.zeta(torch.tensor(2, { dtype: float64 }), torch.tensor([-1e12 + 0.5, -3], { dtype: float64 }));
    expect(list(z)[0]).toBeCloseTo(Math.PI ** 2, 10);
    expect(list(z)[1]).toBe(Infinity);
  });

  test('multigammaln needs a dimension of at least one', () => {
    expect(() => special.multigammaln(torch.tensor([3]), 0)).toThrow('p has to be greater than or equal to 1');
  });
});

describe('gradients', () => {
  const leaf = (...v: number[]): Tensor => torch.tensor(v, { dtype: float64, requiresGrad: true });
  test('polygamma, multigammaln and the second argument of gammainc', () => {
    expect(torch.autograd.gradcheck((x) => special.polygamma(2, x as Tensor), [leaf(0.5, 1.5, 4)])).toBe(true);
    expect(torch.autograd.gradgradcheck((x) => special.polygamma(0, x as Tensor), [leaf(0.5, 1.5, 4)])).toBe(true);
    expect(torch.autograd.gradcheck((x) => special.multigammaln(x as Tensor, 3), [leaf(2.5, 4)])).toBe(true);
    const a = torch.tensor([0.5, 2, 9], { dtype: float64 });
    expect(torch.autograd.gradcheck((x) => special.gammainc(a, x as Tensor), [leaf(0.25, 2, 8)])).toBe(true);
    expect(torch.autograd.gradcheck((x) => special.gammaincc(a, x as Tensor), [leaf(0.25, 2, 8)])).toBe(true);
  });

  test('the first argument of gammainc has none', () => {
    expect(() =>
      special
        .gammainc(leaf(1), torch.tensor([1], { dtype: float64 }))
        .sum()
        .backward(),
    ).toThrow("the derivative for 'igamma: input' is not implemented.");
  });

  test('Bessel functions and polynomials do not take part', () => {
    expect(special.besselJ0(leaf(1)).requiresGrad).toBe(false);
    expect(special.chebyshevPolynomialT(leaf(1), 2).requiresGrad).toBe(false);
  });
});

describe('frexp', () => {
  test('mantissas and exponents', () => {
    const { mantissa, exponent } = torch.frexp(torch.tensor([0, -1, 3, 1e-40, -Infinity]));
    expect(exponent.dtype).toBe(torch.int32);
    expect(list(exponent)).toEqual([0, 1, 2, -132, 0]);
    expect(list(mantissa.ldexp(exponent)).map(Math.fround)).toEqual([0, -1, 3, Math.fround(1e-40), -Infinity]);
    expect(() => torch.frexp(torch.tensor([1n]))).toThrow('torch.frexp() only supports floating-point dtypes');
  });

  test('the gradient scales back', () => {
    const x = torch.tensor([3, 0.3], { dtype: float64, requiresGrad: true });
    torch.frexp(x).mantissa.sum().backward();
    expect(list(x.grad!)).toEqual([0.25, 2]);
  });
});
