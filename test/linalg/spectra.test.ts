// Eigenvalues and singular values: residuals, orthogonality, order, and matrices that are hard for the iterations.
import torch, { type Tensor } from 'flambeau';
import { expectClose, expectOrthonormal, eye, hermitian, like, random, size, TYPES } from './support';

const L = torch.linalg;
const SIZES = [1, 2, 3, 4, 10, 33, 80];
const cases = TYPES.flatMap((dtype) => SIZES.map((n) => [String(dtype), n, dtype] as const));

beforeAll(() => {
  torch.manualSeed(11);
});

const numbers = (t: Tensor): number[] => Array.from(t.to(torch.float64).toTypedArray() as Float64Array);
function expectSorted(t: Tensor, descending: boolean): void {
  const values = numbers(t);
  expect(values).toEqual([...values].sort((a, b) => (descending ? b - a : a - b)));
}

describe('symmetric and Hermitian', () => {
  test.each(cases)('%s, n = %i', (_name, n, dtype) => {
    const a = hermitian(random(dtype, 2, n, n));
    for (const uplo of ['L', 'U']) {
      const { eigenvalues: w, eigenvectors: v } = L.eigh(uplo === 'L' ? a.tril() : a.triu(), uplo);
      expect(w.dtype).toBe(dtype.toReal());
      expectSorted(w.index(0), false);
      expectOrthonormal(v);
      expectClose(v.mul(like(w.unsqueeze(-2), v)).matmul(v.mH), a, 1000);
      expectClose(L.eigvalsh(a, { uplo }), w, 100);
    }
  });

  test('repeated and zero eigenvalues, and huge and tiny matrices', () => {
    for (const a of [
      eye(6, torch.float64),
      torch.zeros([5, 5], { dtype: torch.float64 }),
      torch.ones([7, 7], { dtype: torch.float64 }),
      torch.diag(torch.tensor([3, 1, 3, 1, 2], { dtype: torch.float64 })),
      hermitian(random(torch.float64, 8, 8)).mul(1e300),
      hermitian(random(torch.float64, 8, 8)).mul(1e-300),
    ]) {
      const { eigenvalues: w, eigenvectors: v } = L.eigh(a);
      expectOrthonormal(v);
      const scale = size(a) || 1;
      expectClose(v.mul(w.div(scale)).matmul(v.mH), a.div(scale), 1000);
    }
  });

  test('an element that is not finite is refused', () => {
    expect(() =>
      L.eigh(
        torch.tensor([
          [NaN, 0],
          [0, 1],
        ]),
      ),
    ).toThrow('linalg.eigh: The algorithm failed to converge');
    expect(() => L.eigh(torch.fullLike(torch.zeros(2, 2, 2), Infinity))).toThrow('(Batch element ');
  });
});

describe('general', () => {
  const check = (a: Tensor, factor = 3000): void => {
    const { eigenvalues: w, eigenvectors: v } = L.eig(a);
    const c = a.to(w.dtype);
    const scale = size(a) || 1;
    expectClose(c.div(scale).matmul(v), v.mul(w.unsqueeze(-2)).div(scale), factor);
    expectClose(v.abs().square().sum(-2), torch.onesLike(w.real), 100);
    const only = L.eigvals(a);
    expect(only.dtype).toBe(w.dtype);
    expectClose(only.sum(-1).div(scale), w.sum(-1).div(scale), 3000);
  };

  test.each(cases)('%s, n = %i', (_name, n, dtype) => {
    check(random(dtype, 2, n, n), 1e4);
  });

  test('a real matrix has real eigenvalues and conjugate pairs exactly', () => {
    const { eigenvalues: w, eigenvectors: v } = L.eig(random(torch.float64, 31, 31));
    const values = w.tolist() as [number, number][];
    expect(values.some(([, im]) => im === 0)).toBe(true);
    values.forEach(([re, im], k) => {
      if (im === 0) return expect(size(v.index('...', k).imag)).toBe(0);
      if (im < 0) return;
      expect(values[k + 1]).toEqual([re, -im]);
      expect(
        v
          .index('...', k + 1)
          .conj()
          .equal(v.index('...', k)),
      ).toBe(true);
    });
  });

  test('matrices that are hard for the iteration', () => {
    const shift = torch.zeros([6, 6], { dtype: torch.float64 });
    for (let i = 0; i < 6; i++)
      shift
        .index(i)
        .index((i + 1) % 6)
        .fill_(1);
    check(shift);
    check(torch.triu(random(torch.float64, 9, 9)));
    check(torch.tril(random(torch.float64, 9, 9)), 1e6);
    check(torch.zeros([4, 4], { dtype: torch.float64 }));
    check(eye(4, torch.complex128));
    check(
      torch.tensor(
        [
          [0, 1],
          [-1, 0],
        ],
        { dtype: torch.float64 },
      ),
    );
    check(
      torch.tensor(
        [
          [1, 1e5],
          [1e-5, 1],
        ],
        { dtype: torch.float64 },
      ),
      1e7,
    );
    check(random(torch.float64, 5, 5).mul(1e250));
    check(random(torch.complex128, 5, 5).mul(1e-250));
    // Rows and columns of very different sizes are balanced first.
    const d = torch.logspace(-6, 6, 6, { dtype: torch.float64 });
    const even = random(torch.float64, 6, 6);
    const w = L.eigvals(even.mul(d.unsqueeze(1)).div(d));
    const sorted = (t: Tensor): number[] => numbers(t.abs()).sort((a, b) => a - b);
    sorted(w).forEach((value, i) => expect(value).toBeCloseTo(sorted(L.eigvals(even))[i]!, 9));
  });

  test('a defective matrix gives vectors of length one', () => {
    const jordan = torch.tensor(
      [
        [2, 1, 0],
        [0, 2, 1],
        [0, 0, 2],
      ],
      { dtype: torch.float64 },
    );
    const { eigenvalues, eigenvectors } = L.eig(jordan);
    expect(numbers(eigenvalues.real)).toEqual([2, 2, 2]);
    expectClose(eigenvectors.abs().square().sum(0), torch.ones([3], { dtype: torch.float64 }));
    check(jordan);
  });

  test('an element that is not finite is refused', () => {
    expect(() => L.eig(torch.tensor([[NaN]]))).toThrow(
      'torch.linalg.eig: input tensor should not contain infs or NaNs.',
    );
  });
});

describe('singular values', () => {
  const check = (a: Tensor, factor = 1000): void => {
    const scale = size(a) || 1;
    for (const fullMatrices of [true, false]) {
      const { U, S, Vh } = L.svd(a, fullMatrices);
      const k = S.shape[S.ndim - 1]!;
      expectOrthonormal(U);
      expectOrthonormal(Vh.mH);
      const product = U.narrow(-1, 0, k)
        .mul(like(S.unsqueeze(-2), U).div(scale))
        .matmul(Vh.narrow(-2, 0, k));
      expectClose(product, a.div(scale), factor);
      if (S.ndim === 1) expectSorted(S, true);
      expect(numbers(S).every((s) => s >= 0)).toBe(true);
      expectClose(L.svdvals(a).div(scale), S.div(scale), 100);
    }
  };
  const shapes = [
    [1, 1],
    [4, 3],
    [3, 4],
    [40, 7],
    [7, 40],
    [33, 33],
    [1, 9],
    [9, 1],
    [70, 60],
  ] as const;
  test.each(TYPES.flatMap((dtype) => shapes.map(([m, n]) => [String(dtype), m, n, dtype] as const)))(
    '%s, %i x %i',
    (_name, m, n, dtype) => {
      check(random(dtype, m, n));
      check(random(dtype, 2, m, n));
    },
  );

  test('of singular, graded, huge and tiny matrices', () => {
    const thin = random(torch.float64, 9, 2);
    const zeroInside = torch
      .diag(torch.tensor([1, 0, 2, 3], { dtype: torch.float64 }))
      .add(torch.diag(torch.ones([3], { dtype: torch.float64 }), 1));
    for (const a of [
      torch.zeros([5, 3], { dtype: torch.float64 }),
      torch.ones([6, 6], { dtype: torch.float64 }),
      thin.matmul(thin.mT),
      eye(5, torch.complex128),
      zeroInside,
      zeroInside.mT,
      torch.diag(torch.logspace(0, -30, 12, { dtype: torch.float64 })),
      random(torch.float64, 6, 5).mul(1e300),
      random(torch.complex128, 5, 6).mul(1e-300),
    ]) {
      check(a);
    }
    expect(numbers(L.svdvals(torch.diag(torch.tensor([1e-200, 1, 1e-20], { dtype: torch.float64 }))))).toEqual([
      1, 1e-20, 1e-200,
    ]);
    expect(L.matrixRank(thin.matmul(thin.mT)).item()).toBe(2);
  });

  test('an element that is not finite is refused', () => {
    expect(() => L.svd(torch.tensor([[NaN, 1]]))).toThrow(
      'linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.',
    );
  });

  test('pseudoinverses satisfy the conditions of Moore and Penrose', () => {
    for (const dtype of [torch.float64, torch.complex128]) {
      const low = random(dtype, 7, 3).matmul(random(dtype, 3, 5));
      for (const a of [random(dtype, 6, 4), random(dtype, 4, 6), low]) {
        const p = L.pinv(a);
        expectClose(a.matmul(p).matmul(a), a, 1e4);
        expectClose(p.matmul(a).matmul(p), p, 1e4);
        expectClose(a.matmul(p).mH, a.matmul(p), 1e4);
        expectClose(p.matmul(a).mH, p.matmul(a), 1e4);
      }
      const h = hermitian(random(dtype, 5, 5));
      expectClose(L.pinv(h, { hermitian: true }), L.inv(h), 1e5);
    }
    expect(L.pinv(torch.zeros(0, 3)).shape).toEqual([3, 0]);
  });

  test('tolerances of rank and pseudoinverse', () => {
    const a = torch.diag(torch.tensor([4, 1, 0.5, 0]));
    expect(L.matrixRank(a).item()).toBe(3);
    expect(L.matrixRank(a, { atol: 0.7 }).item()).toBe(2);
    expect(L.matrixRank(a, { rtol: 0.3 }).item()).toBe(1);
    expect(L.matrixRank(a, 0.7).item()).toBe(2);
    expect(L.matrixRank(a, { hermitian: true }).item()).toBe(3);
    expect(L.matrixRank(a.expand(2, 4, 4), { atol: torch.tensor([0.7, 2]) }).tolist()).toEqual([2, 1]);
    expect(numbers(L.pinv(a, { atol: 0.7 }).diagonal())).toEqual([0.25, 1, 0, 0]);
    expect(L.matrixRank(torch.zeros(2, 0, 3)).tolist()).toEqual([0, 0]);
  });
});

test('approximate decompositions of matrices of low rank', () => {
  const a = random(torch.float64, 40, 3).matmul(random(torch.float64, 3, 20));
  for (const x of [a, a.mT]) {
    const { U, S, V } = torch.svdLowrank(x, 5);
    expectClose(U.mul(S).matmul(V.mH), x, 1e4);
    expectClose(S.narrow(0, 0, 3), L.svdvals(x).narrow(0, 0, 3), 1e4);
  }
  const { U, S, V } = torch.pcaLowrank(a, { q: 4 });
  expectClose(U.mul(S).matmul(V.mT), a.sub(a.mean(0, true)), 1e4);
});
