// Factorizations and systems: what they multiply back to, over types, sizes on both sides of every block, and batches.
import torch, { type Tensor } from 'flambeau';
import { expectClose, expectOrthonormal, eye, hermitian, like, positive, random, size, TYPES } from './support';

const L = torch.linalg;
// Panels of LU have 8 columns, triangles are direct up to 24, reflections go in blocks of 32.
const SIZES = [1, 2, 7, 8, 9, 24, 25, 33, 70];
const cases = TYPES.flatMap((dtype) => SIZES.map((n) => [String(dtype), n, dtype] as const));

beforeAll(() => {
  torch.manualSeed(7);
});

describe('square matrices', () => {
  test.each(cases)('LU of %s, n = %i', (_name, n, dtype) => {
    const a = random(dtype, n, n);
    const { P, L: l, U } = L.lu(a);
    expectClose(P.matmul(l).matmul(U), a);
    expectClose(l.tril(-1).add(eye(n, dtype)), l, 0);
    expectClose(U.triu(), U, 0);
    expect(size(l)).toBeLessThanOrEqual(dtype.isComplex ? Math.SQRT2 + 1e-6 : 1);
    const b = random(dtype, n, 3);
    const { LU, pivots } = L.luFactor(a);
    const scale = 1000 * n;
    expectClose(a.matmul(L.luSolve(LU, pivots, b)), b, scale * 10);
    expectClose(a.mH.matmul(L.luSolve(LU, pivots, b, { adjoint: true })), b, scale * 10);
    expectClose(L.luSolve(LU, pivots, b.mH, { left: false }).matmul(a), b.mH, scale * 10);
  });

  test.each(cases)('Cholesky and triangular systems of %s, n = %i', (_name, n, dtype) => {
    const a = positive(dtype, n, n);
    const l = L.cholesky(a);
    expectClose(l.matmul(l.mH), a);
    expectClose(l.tril(), l, 0);
    // Only one triangle is read.
    const u = L.cholesky(a.triu(), { upper: true });
    expectClose(u.mH.matmul(u), a);
    const b = random(dtype, n, 5);
    expectClose(l.matmul(L.solveTriangular(l, b, { upper: false })), b);
    expectClose(u.matmul(L.solveTriangular(u, b, { upper: true })), b);
    expectClose(L.solveTriangular(l, b.mH, { upper: false, left: false }).matmul(l), b.mH);
    const unit = l.tril(-1).div(n).add(eye(n, dtype));
    expectClose(unit.matmul(L.solveTriangular(unit.add(eye(n, dtype)), b, { upper: false, unitriangular: true })), b);
    expectClose(a.matmul(torch.choleskySolve(b, l)), b, 3000);
    expectClose(a.matmul(torch.choleskyInverse(u, true)), eye(n, dtype), 3000);
  });

  test.each(cases)('LDL of %s, n = %i', (_name, n, dtype) => {
    const b = random(dtype, n, 2);
    const symmetric = random(dtype, n, n);
    const plain = symmetric.add(symmetric.mT);
    const { LD, pivots } = L.ldlFactor(plain);
    expectClose(plain.matmul(L.ldlSolve(LD, pivots, b)), b, 1e4 * n);
    expect(torch.equal(L.ldlSolve(LD, pivots.to(torch.int64), b), L.ldlSolve(LD, pivots, b))).toBe(true);
    const h = hermitian(symmetric);
    const f = L.ldlFactor(h, { hermitian: true });
    expectClose(h.matmul(L.ldlSolve(f.LD, f.pivots, b, { hermitian: true })), b, 1e4 * n);
  });

  test.each(cases)('solve and inv of %s, n = %i', (_name, n, dtype) => {
    const a = random(dtype, n, n).add(eye(n, dtype).mul(2 * Math.sqrt(n)));
    const b = random(dtype, n, 3);
    expectClose(a.matmul(L.solve(a, b)), b, 3000);
    expectClose(L.solve(a, b.mT, { left: false }).matmul(a), b.mT, 3000);
    expectClose(a.matmul(L.solve(a, b.select(1, 0))), b.select(1, 0), 3000);
    expectClose(a.matmul(L.inv(a)), eye(n, dtype), 3000);
  });
});

describe('rectangular matrices', () => {
  const shapes = [
    [3, 8],
    [8, 3],
    [40, 33],
    [33, 40],
    [100, 10],
    [10, 100],
    [64, 64],
    [5, 1],
    [1, 5],
  ] as const;
  const rectangles = TYPES.flatMap((dtype) => shapes.map(([m, n]) => [String(dtype), m, n, dtype] as const));

  test.each(rectangles)('LU and QR of %s, %i x %i', (_name, m, n, dtype) => {
    const a = random(dtype, m, n);
    const { P, L: l, U } = L.lu(a);
    expectClose(P.matmul(l).matmul(U), a);
    for (const mode of ['reduced', 'complete']) {
      const { Q, R } = L.qr(a, mode);
      expect(Q.shape).toEqual([m, mode === 'complete' ? m : Math.min(m, n)]);
      expectOrthonormal(Q);
      expectClose(Q.matmul(R), a);
      expectClose(R.triu(), R, 0);
    }
    expectClose(L.qr(a, 'r').R, L.qr(a).R, 0);
  });

  test.each(rectangles)('reflections of %s, %i x %i', (_name, m, n, dtype) => {
    const a = random(dtype, m, n);
    const k = Math.min(m, n);
    const { a: f, tau } = torch.geqrf(a);
    const q = L.qr(a, 'complete').Q;
    const head = f.narrow(1, 0, k);
    expectClose(L.householderProduct(head, tau), q.narrow(1, 0, k));
    const c = random(dtype, m, 4);
    expectClose(torch.ormqr(head, tau, c), q.matmul(c));
    expectClose(torch.ormqr(head, tau, c, { transpose: true }), q.mH.matmul(c));
    expectClose(torch.ormqr(head, tau, c.mT, { left: false }), c.mT.matmul(q));
    expectClose(torch.ormqr(head, tau, c.mT, { left: false, transpose: true }), c.mT.matmul(q.mH));
  });

  test.each(rectangles)('least squares of %s, %i x %i', (_name, m, n, dtype) => {
    const a = random(dtype, m, n);
    const b = random(dtype, m, 2);
    const expected = L.pinv(a).matmul(b);
    for (const driver of ['gels', 'gelsy', 'gelsd', 'gelss']) {
      const { solution, residuals, rank, singularValues } = L.lstsq(a, b, { driver });
      expectClose(solution, expected, 1e4);
      expect(rank.tolist()).toEqual(driver === 'gels' ? [] : Math.min(m, n));
      expect(residuals.shape).toEqual([m > n && driver !== 'gelsy' ? 2 : 0]);
      expect(singularValues.shape).toEqual([driver === 'gelsd' || driver === 'gelss' ? Math.min(m, n) : 0]);
      if (residuals.numel() > 0) expectClose(residuals, a.matmul(solution).sub(b).abs().square().sum(0), 1e4);
    }
  });
});

describe('batches', () => {
  test('of matrices are done one by one', () => {
    const a = random(torch.float64, 3, 2, 5, 5);
    const whole: [Tensor, (x: Tensor) => Tensor][] = [
      [L.inv(a), (x) => L.inv(x)],
      [L.det(a), (x) => L.det(x)],
      [L.matrixExp(a), (x) => L.matrixExp(x)],
      [L.svdvals(a), (x) => L.svdvals(x)],
      [L.eigvalsh(a), (x) => L.eigvalsh(x)],
      [L.qr(a).Q, (x) => L.qr(x).Q],
    ];
    for (const [all, one] of whole) {
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 2; j++) expectClose(all.index(i, j), one(a.index(i, j)), 20);
      }
    }
  });

  test('broadcast, and empty ones keep their shapes', () => {
    const a = random(torch.float64, 1, 4, 4);
    const b = random(torch.float64, 3, 1, 4, 2);
    const x = L.solve(a, b);
    expect(x.shape).toEqual([3, 1, 4, 2]);
    expectClose(a.matmul(x), b, 1e5);
    expect(L.solve(torch.zeros(0, 3, 3), torch.zeros(0, 3, 2)).shape).toEqual([0, 3, 2]);
    expect(L.inv(torch.zeros(2, 0, 0)).shape).toEqual([2, 0, 0]);
    expect(L.svd(torch.zeros(2, 0, 3)).Vh.shape).toEqual([2, 3, 3]);
    expect(L.det(torch.zeros(0, 0)).item()).toBe(1);
    expect(L.eigvals(torch.zeros(0, 0)).dtype).toBe(torch.complex64);
  });

  test('of transposed and sliced views', () => {
    const a = random(torch.float64, 9, 9);
    const view = a.index(torch.slice(1, null, 2), torch.slice(0, 8, 2)).mT;
    expectClose(L.inv(view), L.inv(view.contiguous().clone()), 0);
    expectClose(L.svdvals(view), L.svdvals(view.contiguous().clone()), 0);
  });
});

test('large matrices go through the blocked products', () => {
  for (const dtype of [torch.float64, torch.complex128]) {
    const a = random(dtype, 300, 300);
    const { P, L: l, U } = L.lu(a);
    expectClose(P.matmul(l).matmul(U), a);
    const { Q, R } = L.qr(a);
    expectOrthonormal(Q);
    expectClose(Q.matmul(R), a);
    const p = positive(dtype, 300, 300);
    const c = L.cholesky(p);
    expectClose(c.matmul(c.mH), p);
    const { U: u, S, Vh } = L.svd(a);
    expectClose(u.mul(like(S, u)).matmul(Vh), a, 3000);
  }
});

test.each(['triangularSolve', 'choleskySolve'] as const)('%s names types that differ', (name) => {
  const solve = torch[name] as unknown as (b: Tensor, a: Tensor) => unknown;
  expect(() => solve(torch.ones([2, 1], { dtype: torch.float64 }), torch.eye(2))).toThrow(
    'Expected b and A to have the same dtype, but found b of type Double and A of type Float instead.',
  );
});
