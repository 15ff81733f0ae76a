// Gradients against finite differences, of first and second order, real and complex.
import torch, { type Tensor } from 'flambeau';
import { eye, hermitian, leaf, random } from './support';

const L = torch.linalg;
const { gradcheck, gradgradcheck } = torch.autograd;

beforeAll(() => {
  torch.manualSeed(3);
});

type Case = [name: string, f: (...inputs: Tensor[]) => unknown, shapes: number[][], second?: boolean];
/** Well away from singular, and its singular values apart. */
function spread(a: Tensor): Tensor {
  const n = Math.min(a.shape[a.ndim - 2]!, a.shape[a.ndim - 1]!);
  const d = torch.zeros(a.shape.slice(-2) as number[], { dtype: torch.float64 });
  for (let i = 0; i < n; i++)
    d.index(i)
      .index(i)
      .fill_(2 + 1.5 * i);
  return a.mul(0.3).add(d);
}
const posdef = (a: Tensor): Tensor => a.matmul(a.mH).add(eye(a.shape[a.ndim - 1]!, a.dtype));

const smooth: Case[] = [
  ['det', (a) => L.det(spread(a!)), [[2, 3, 3]]],
  ['slogdet', (a) => L.slogdet(spread(a!)).logabsdet, [[2, 3, 3]]],
  ['inv', (a) => L.inv(spread(a!)), [[2, 3, 3]]],
  [
    'solve',
    (a, b) => L.solve(spread(a!), b!),
    [
      [3, 3],
      [2, 3, 2],
    ],
  ],
  [
    'solve from the right',
    (a, b) => L.solve(spread(a!), b!, { left: false }),
    [
      [3, 3],
      [2, 3],
    ],
  ],
  [
    'solve with a vector',
    (a, b) => L.solve(spread(a!), b!),
    [
      [2, 3, 3],
      [2, 3],
    ],
  ],
  [
    'solveTriangular',
    (a, b) => L.solveTriangular(spread(a!), b!, { upper: true }),
    [
      [3, 3],
      [3, 2],
    ],
  ],
  [
    'solveTriangular, unit, from the right',
    (a, b) => L.solveTriangular(a!, b!, { upper: false, left: false, unitriangular: true }),
    [
      [3, 3],
      [2, 3],
    ],
  ],
  ['cholesky', (a) => L.cholesky(posdef(a!)), [[2, 3, 3]]],
  ['cholesky, upper', (a) => L.cholesky(posdef(a!), true), [[3, 3]]],
  ['luFactor', (a) => L.luFactor(spread(a!)).LU, [[3, 3]]],
  ['lu of wide matrices', (a) => L.lu(spread(a!)).slice(1), [[2, 3, 5]]],
  ['lu of tall matrices', (a) => L.lu(spread(a!)).slice(1), [[5, 3]]],
  [
    'luSolve',
    (a, b) => {
      const { LU, pivots } = L.luFactor(spread(a!));
      return [
        L.luSolve(LU, pivots, b!),
        L.luSolve(LU, pivots, b!, { adjoint: true }),
        L.luSolve(LU, pivots, b!.mT, { left: false }),
      ];
    },
    [
      [3, 3],
      [3, 2],
    ],
  ],
  ['qr', (a) => [...L.qr(spread(a!))], [[2, 4, 3]]],
  ['qr of wide matrices', (a) => [...L.qr(spread(a!))], [[3, 5]]],
  ['householderProduct', (a, t) => L.householderProduct(a!, t!), [[4, 3], [2]]],
  ['ormqr', (a, t, c) => torch.ormqr(a!, t!, c!), [[4, 3], [3], [4, 2]]],
  [
    'ormqr, from the right',
    (a, t, c) => torch.ormqr(a!, t!, c!, { left: false, transpose: true }),
    [[4, 3], [3], [2, 4]],
  ],
  ['svdvals', (a) => L.svdvals(spread(a!)), [[3, 4]]],
  ['pinv', (a) => L.pinv(spread(a!)), [[4, 3]]],
  ['pinv of wide matrices', (a) => L.pinv(spread(a!)), [[2, 2, 3]]],
  [
    'lstsq',
    (a, b) => L.lstsq(spread(a!), b!).solution,
    [
      [4, 3],
      [4, 2],
    ],
  ],
  [
    'lstsq residuals',
    (a, b) => L.lstsq(spread(a!), b!, { driver: 'gels' }).residuals,
    [
      [4, 2],
      [4, 2],
    ],
  ],
  ['matrixExp', (a) => L.matrixExp(a!), [[2, 3, 3]]],
  ['matrixPower', (a) => [L.matrixPower(spread(a!), -2), L.matrixPower(a!, 3)], [[3, 3]]],
  ['multiDot', (a, b, c) => L.multiDot([a!, b!, c!]), [[2, 3], [3, 4], [4]]],
  [
    'tensorinv',
    (a) => L.tensorinv(a!.add(torch.eye(6, { dtype: torch.float64 }).mul(4).reshape(2, 3, 6)), 2),
    [[2, 3, 6]],
  ],
  ['vander', (a) => L.vander(a!, 4), [[3]]],
  [
    'vecdot',
    (a, b) => L.vecdot(a!, b!),
    [
      [2, 3],
      [2, 3],
    ],
  ],
  [
    'cross',
    (a, b) => L.cross(a!, b!),
    [
      [2, 3],
      [2, 3],
    ],
  ],
  ['nuclear norm', (a) => torch.norm(spread(a!), 'nuc'), [[3, 4]]],
  ['norm of order 2', (a) => L.matrixNorm(spread(a!), 2), [[3, 4]]],
  ['norm of order 1', (a) => L.matrixNorm(a!, 1), [[3, 4]], false],
  ['cond', (a) => L.cond(spread(a!)), [[3, 3]]],
  ['cond of order fro', (a) => L.cond(spread(a!), 'fro'), [[3, 3]]],
  ['eigvalsh', (a) => L.eigvalsh(hermitian(spread(a!))), [[3, 3]]],
  ['eigvals', (a) => L.eigvals(spread(a!)).abs(), [[3, 3]]],
  ['choleskySolve', (b) => torch.choleskySolve(b!, torch.eye(3, { dtype: b!.dtype }).mul(2)), [[3, 2]]],
];

describe.each([
  ['real', false],
  ['complex', true],
])('%s', (_name, complex) => {
  // The fourth entry says whether there are second derivatives.
  test.each(smooth.map(([name, f, shapes, second = true]) => ({ name, f, shapes, second })))(
    '$name',
    ({ f, shapes, second }) => {
      const inputs = shapes.map((shape) => leaf(complex, ...shape));
      expect(gradcheck(f, inputs)).toBe(true);
      if (second) expect(gradgradcheck(f, inputs)).toBe(true);
    },
  );

  // Vectors are given up to a factor of absolute value one: these functions of them do not depend on it.
  test('eigh and its vectors', () => {
    const f = (a: Tensor): Tensor[] => {
      const { eigenvalues: w, eigenvectors: v } = L.eigh(hermitian(spread(a)));
      return [w, v.abs()];
    };
    expect(gradcheck(f, [leaf(complex, 3, 3)])).toBe(true);
    expect(gradgradcheck(f, [leaf(complex, 3, 3)])).toBe(true);
  });
  test('eig and its vectors', () => {
    const f = (a: Tensor): Tensor[] => {
      const { eigenvalues: w, eigenvectors: v } = L.eig(spread(a));
      return [w.abs(), v.abs()];
    };
    expect(gradcheck(f, [leaf(complex, 3, 3)])).toBe(true);
    expect(gradgradcheck(f, [leaf(complex, 3, 3)])).toBe(true);
  });
  test.each([[[3, 3]], [[4, 3]], [[3, 4]]])('svd and its vectors, %j', (shape) => {
    const f = (a: Tensor): Tensor[] => {
      const { U, S, Vh } = L.svd(spread(a), false);
      return [S, U.abs(), Vh.abs(), U.narrow(-1, 0, 1).matmul(Vh.narrow(-2, 0, 1))];
    };
    expect(gradcheck(f, [leaf(complex, ...shape)])).toBe(true);
    expect(gradgradcheck(f, [leaf(complex, ...shape)])).toBe(true);
  });
});

test('only U, or only Vh, or full matrices', () => {
  const parts: ((a: Tensor) => Tensor)[] = [
    (a) => L.svd(spread(a), false).U.abs(),
    (a) => L.svd(spread(a), false).Vh.abs(),
    (a) => L.svd(spread(a), true).S,
  ];
  for (const f of parts) expect(gradcheck(f, [leaf(false, 4, 3)])).toBe(true);
});

test('the gradient of a determinant at a singular matrix is that of its cofactors', () => {
  const a = torch.tensor(
    [
      [1, 2],
      [2, 4],
    ],
    { dtype: torch.float64, requiresGrad: true },
  );
  L.det(a).backward();
  const found = a.grad!.tolist() as number[][];
  [
    [4, -2],
    [-2, 1],
  ].forEach((row, i) => row.forEach((value, j) => expect(found[i]![j]).toBeCloseTo(value, 12)));
});

test('the gradient of a Cholesky factor in a system is that of all elements', () => {
  const l = torch.tensor(
    [
      [2, 0],
      [1, 3],
    ],
    { dtype: torch.float64, requiresGrad: true },
  );
  const b = torch.tensor([[1], [1]], { dtype: torch.float64 });
  torch.choleskySolve(b, l).sum().backward();
  // x = A^-1 b with A = L L^T; d sum(x) = -x^T (dL L^T + L dL^T) x.
  const x = L.solve(l.detach().matmul(l.detach().mT), b);
  const expected = x.matmul(x.mT).matmul(l.detach()).mul(-2);
  expect(torch.allclose(l.grad!, expected)).toBe(true);
});

test('what depends on the phase of complex vectors has no gradient', () => {
  const a = random(torch.complex128, 3, 3).requiresGrad_(true);
  expect(() => L.eigh(hermitian(a)).eigenvectors.real.sum().backward()).toThrow('linalg_eigh_backward');
  expect(() => L.eig(a).eigenvectors.imag.sum().backward()).toThrow('linalg_eig_backward');
  expect(() => L.svd(a).U.real.sum().backward()).toThrow('svd_backward');
});

test('decompositions that leave out what the gradient needs say so', () => {
  const a = torch.randn([4, 3], { requiresGrad: true });
  expect(() => L.qr(a, 'r').R.sum().backward()).toThrow("mode='r'");
  expect(() => L.qr(a, 'complete').Q.sum().backward()).toThrow("mode='complete' and nrows > ncols");
  expect(() => torch.geqrf(a)).toThrow("the derivative for 'geqrf' is not implemented");
});
