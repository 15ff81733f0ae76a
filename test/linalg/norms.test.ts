// Norms, condition numbers, determinants, powers and products by known values; messages of errors.
import torch, { type Tensor } from 'flambeau';
import { expectClose, eye, random } from './support';

const L = torch.linalg;
const f64 = { dtype: torch.float64 };
const value = (t: Tensor): number => Number(t.item());
const a = torch.tensor(
  [
    [3, -4],
    [1, 2],
  ],
  f64,
);

describe('norms', () => {
  test('of vectors', () => {
    const x = torch.tensor(
      [
        [3, -4],
        [0, 2],
      ],
      f64,
    );
    expect(value(L.vectorNorm(x))).toBeCloseTo(Math.sqrt(29), 14);
    expect(L.vectorNorm(x, 1, 1).tolist()).toEqual([7, 2]);
    expect(L.vectorNorm(x, Infinity, 0).tolist()).toEqual([3, 4]);
    expect(L.vectorNorm(x, -Infinity, { dim: 1, keepdim: true }).tolist()).toEqual([[3], [0]]);
    expect(value(L.vectorNorm(x, 0))).toBe(3);
    expect(value(L.vectorNorm(x, 3))).toBeCloseTo((27 + 64 + 8) ** (1 / 3), 14);
    expect(L.vectorNorm(x.float(), { dtype: torch.float64 }).dtype).toBe(torch.float64);
    expect(value(L.vectorNorm(torch.fullLike(x, 200).half(), 3))).toBeCloseTo(317.5, 0);
    expect(value(L.norm(x))).toBeCloseTo(Math.sqrt(29), 14);
    expect(value(L.norm(x.reshape(4), 1))).toBe(9);
    expect(L.norm(x, 1, 0).tolist()).toEqual([3, 6]);
  });

  test('of matrices', () => {
    // A A^T = [25, -5; -5, 5] has the eigenvalues 15 +- 5 sqrt(5).
    const large = Math.sqrt(15 + 5 * Math.sqrt(5));
    const small = Math.sqrt(15 - 5 * Math.sqrt(5));
    const orders: [number | string, number][] = [
      ['fro', Math.sqrt(30)],
      ['nuc', large + small],
      [1, 6],
      [-1, 4],
      [Infinity, 7],
      [-Infinity, 3],
      [2, large],
      [-2, small],
    ];
    for (const [ord, expected] of orders) {
      expect(value(L.matrixNorm(a, ord))).toBeCloseTo(expected, 13);
      expect(value(L.norm(a, ord))).toBeCloseTo(expected, 13);
      const stack = a.unsqueeze(1).expand(2, 3, 2);
      const kept = L.matrixNorm(stack, ord, [0, 2], true);
      expect(kept.shape).toEqual([1, 3, 1]);
      expect(value(kept.index(0, 2, 0))).toBeCloseTo(expected, 13);
      expect(value(L.matrixNorm(a.mT, ord, [1, 0]))).toBeCloseTo(expected, 13);
    }
    expect(value(L.cond(a))).toBeCloseTo(large / small, 13);
    expect(value(L.cond(a, -2))).toBeCloseTo(small / large, 13);
    expect(value(L.cond(a, 1))).toBeCloseTo(6 * 0.7, 13);
    expect(value(torch.nuclearNorm(a))).toBeCloseTo(large + small, 13);
    expect(
      L.cond(
        torch.tensor(
          [
            [1, 2],
            [2, 4],
          ],
          f64,
        ),
        1,
      ).item(),
    ).toBe(Infinity);
    expect(L.cond(torch.zeros(2, 0, 0)).tolist()).toEqual([0, 0]);
  });

  test('errors', () => {
    const x = torch.ones(2, 2, 2);
    expect(() => L.norm(x, 2)).toThrow(
      'linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.',
    );
    expect(() => L.norm(x, { dim: [0, 1, 2] })).toThrow(
      'linalg.norm: If dim is specified, it must be of length 1 or 2.',
    );
    expect(() => L.matrixNorm(a, 3)).toThrow('linalg.matrix_norm: Order 3 not supported.');
    expect(() => L.matrixNorm(a, 'max')).toThrow('linalg.matrix_norm: Order max not supported.');
    expect(() => L.matrixNorm(a, 'fro', [0, -2])).toThrow('linalg.matrix_norm: dims must be different. Got (0, -2)');
    expect(() => L.vectorNorm(torch.zeros(0), Infinity)).toThrow(
      'linalg.vector_norm cannot compute the inf norm on an empty tensor',
    );
    expect(() => L.vectorNorm(torch.ones(2, { dtype: torch.int64 }))).toThrow(
      'Expected a floating point or complex tensor as input. Got Long',
    );
    expect(() => L.vectorNorm(a, { dtype: torch.float32 })).toThrow(
      'should be convertible without narrowing to the specified dtype (Float)',
    );
    expect(() => L.cond(a, 3)).toThrow('linalg.cond got an invalid norm type: 3');
    expect(() => L.cond(torch.ones(2, 3), 1)).toThrow('linalg.cond(ord=1): A must be batches of square matrices');
  });
});

describe('determinants', () => {
  test('have the sign of the permutation', () => {
    expect(value(L.det(a))).toBeCloseTo(10, 14);
    expect(
      value(
        L.det(
          torch.tensor(
            [
              [0, 1, 0],
              [0, 0, 1],
              [1, 0, 0],
            ],
            f64,
          ),
        ),
      ),
    ).toBe(1);
    expect(
      value(
        L.det(
          torch.tensor(
            [
              [0, 1, 0],
              [1, 0, 0],
              [0, 0, 1],
            ],
            f64,
          ),
        ),
      ),
    ).toBe(-1);
    expect(L.det(torch.complex(a, a)).tolist()).toEqual([expect.closeTo(0, 12), expect.closeTo(20, 12)]);
  });

  test('beyond the range of numbers as sign and logarithm', () => {
    const big = eye(40, torch.float64).mul(-1e20);
    const { sign, logabsdet } = L.slogdet(big);
    expect(sign.item()).toBe(1);
    expect(value(logabsdet)).toBeCloseTo(40 * Math.log(1e20), 9);
    const singular = L.slogdet(torch.zeros(2, 2));
    expect([singular.sign.item(), singular.logabsdet.item()]).toEqual([0, -Infinity]);
    expect(value(torch.logdet(a))).toBeCloseTo(Math.log(10), 14);
    expect(torch.logdet(torch.zeros(2, 2)).item()).toBe(-Infinity);
    expect(torch.logdet(eye(3, torch.float64).neg()).item()).toBeNaN();
  });
});

describe('powers and products', () => {
  test('the exponential', () => {
    const turn = torch.tensor(
      [
        [0, -1],
        [1, 0],
      ],
      f64,
    );
    for (const angle of [1e-3, 0.3, 1, 2.5, 30]) {
      const found = L.matrixExp(turn.mul(angle)).tolist() as number[][];
      expect(found[0]![0]).toBeCloseTo(Math.cos(angle), 12);
      expect(found[1]![0]).toBeCloseTo(Math.sin(angle), 12);
    }
    const nilpotent = torch.tensor([
      [0, 1, 2],
      [0, 0, 3],
      [0, 0, 0],
    ]);
    expectClose(
      L.matrixExp(nilpotent),
      torch.tensor([
        [1, 1, 3.5],
        [0, 1, 3],
        [0, 0, 1],
      ]),
      4,
    );
    expect(L.matrixExp(torch.zeros(2, 3, 3)).equal(torch.eye(3).expand(2, 3, 3))).toBe(true);
    expect(
      L.matrixExp(torch.tensor([[Infinity]]))
        .isnan()
        .item(),
    ).toBe(true);
    expect(L.matrixExp(torch.zeros(2, 2).half()).dtype).toBe(torch.float16);
    // exp(A) of a diagonalizable matrix from its eigenvalues.
    const x = random(torch.float64, 20, 20);
    const { eigenvalues: w, eigenvectors: v } = L.eig(x);
    expectClose(L.matrixExp(x).to(torch.complex128), L.solve(v, v.mul(w.exp()), { left: false }), 1e6);
  });

  test('integer powers', () => {
    const x = torch.tensor(
      [
        [1, 1],
        [0, 2],
      ],
      { dtype: torch.int64 },
    );
    expect(L.matrixPower(x, 5).tolist()).toEqual([
      [1, 31],
      [0, 32],
    ]);
    expect(L.matrixPower(x, 0).tolist()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expectClose(L.matrixPower(a, -3), L.inv(a.matmul(a).matmul(a)));
    const one = L.matrixPower(a, 1);
    expect(one.equal(a)).toBe(true);
    expect(one.dataPtr()).not.toBe(a.dataPtr());
  });

  test('chains, vectors and powers of elements', () => {
    const m = [
      random(torch.float64, 4),
      random(torch.float64, 4, 30),
      random(torch.float64, 30, 2),
      random(torch.float64, 2),
    ];
    expectClose(L.multiDot(m), m[0]!.matmul(m[1]!).matmul(m[2]!).matmul(m[3]!));
    const z = torch.complex(torch.tensor([1, 2]), torch.tensor([0, 1]));
    expect(L.vecdot(z, z).tolist()).toEqual([6, 0]);
    expect(L.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0])).tolist()).toEqual([0, 0, 1]);
    expect(L.vander(torch.tensor([2, 3]), 3).tolist()).toEqual([
      [1, 2, 4],
      [1, 3, 9],
    ]);
    expect(L.diagonal(torch.arange(8).reshape(2, 2, 2)).tolist()).toEqual([
      [0, 3],
      [4, 7],
    ]);
    const t = random(torch.float64, 2, 3, 6);
    const inverse = L.tensorinv(t);
    const b = random(torch.float64, 2, 3);
    expectClose(torch.tensordot(inverse, b, 2), L.tensorsolve(t, b), 1e5);
  });
});

describe('errors', () => {
  const x = torch.ones(2, 2);
  const square = 'A must be batches of square matrices, but they are 2 by 3 matrices';
  const cases: [() => unknown, string][] = [
    [() => L.inv(torch.ones(2, 3)), `linalg.inv: ${square}`],
    [() => L.inv(torch.ones(3)), 'linalg.inv: The input tensor A must have at least 2 dimensions.'],
    [
      () => L.inv(torch.ones([2, 2], { dtype: torch.int64 })),
      'linalg.inv: Expected a floating point or complex tensor as input. Got Long',
    ],
    [() => L.inv(x.half()), 'linalg.inv: Low precision dtypes not supported. Got Half'],
    [
      () => L.inv(x),
      'linalg.inv: The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular.',
    ],
    [() => L.inv(torch.zeros(3, 2, 2)), 'linalg.inv: (Batch element 0): The diagonal element 1 is zero'],
    [() => L.solve(x, torch.ones(2)), 'torch.linalg.solve: The solver failed because the input matrix is singular.'],
    [
      () => L.solve(x, torch.ones(3, 3)),
      'linalg.solve: Incompatible shapes of A and B for the equation AX = B (2x2 and 3x3)',
    ],
    [() => L.solve(x, torch.ones(2, 3), { left: false }), 'for the equation XA = B (2x2 and 2x3)'],
    [
      () => L.solve(x, torch.ones([2], f64)),
      'linalg.solve: Expected A and B to have the same dtype, but found A of type Float and B of type Double',
    ],
    [
      () => L.solveTriangular(x, torch.ones(3, 3), { upper: true }),
      'linalg.solve_triangular: Incompatible shapes of A and B',
    ],
    [() => L.solveTriangular(x, x), "missing a required argument: 'upper'"],
    [
      () => L.cholesky(x.neg()),
      'linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of order 1 is not positive-definite).',
    ],
    [
      () => torch.cholesky(torch.diag(torch.tensor([1, -1]))),
      'cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of order 2',
    ],
    [
      () => L.luFactor(x),
      'torch.linalg.lu_factor: U[2,2] is zero and using it on lu_solve would result in a division by zero.',
    ],
    [() => L.lu(x, false), 'linalg.lu_factor: LU without pivoting is not implemented on the CPU'],
    [
      () => L.luSolve(x, torch.ones([2], { dtype: torch.int64 }), x),
      'linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32',
    ],
    [
      () => L.luSolve(x, torch.tensor([1, 3], { dtype: torch.int32 }), x),
      'Pivots given to lu_solve must all be greater or equal to 1',
    ],
    [
      () => torch.luUnpack(x, torch.tensor([0, 1], { dtype: torch.int32 })),
      'Did you properly pass the result of lu_factor?',
    ],
    [() => L.ldlSolve(x, torch.ones(2), x), 'torch.linalg.ldl_solve: Expected pivots to be integers. Got Float'],
    [
      () => L.ldlSolve(x, torch.tensor([5, -9], { dtype: torch.int32 }), x),
      'torch.linalg.ldl_solve: pivot 5 is not a row of the matrix',
    ],
    [
      () => L.qr(x, 'full'),
      "qr received unrecognized mode 'full' but expected one of 'reduced' (default), 'r', or 'complete'",
    ],
    [() => L.eigh(x, 'X'), "Expected UPLO argument to be 'L' or 'U', but got X"],
    [
      () => L.householderProduct(torch.ones(2, 3), torch.ones(2)),
      'input.shape[-2] must be greater than or equal to input.shape[-1]',
    ],
    [
      () => L.householderProduct(torch.ones(3, 2), torch.ones(3)),
      'input.shape[-1] must be greater than or equal to tau.shape[-1]',
    ],
    [
      () => torch.ormqr(torch.ones(3, 2), torch.ones(2), x),
      'torch.ormqr: other.shape[-2] must be equal to input.shape[-2]',
    ],
    [
      () => L.lstsq(torch.ones(3, 2), torch.ones(2, 2)),
      'torch.linalg.lstsq: input.size(-2) should match other.size(-2)',
    ],
    [() => L.lstsq(x, x, { driver: 'none' }), 'parameter `driver` should be one of (gels, gelsy, gelsd, gelss)'],
    [() => L.multiDot([x]), 'multi_dot(): expected at least 2 tensors but got 1'],
    [
      () => L.multiDot([x, torch.ones(3, 2)]),
      'multi_dot(): tensors 0 and 1 with shapes [2, 2] and [3, 2] cannot be multiplied',
    ],
    [() => L.tensorinv(x, 0), "Expected a strictly positive integer for 'ind', but got 0"],
    [() => L.vander(torch.ones(2), 1), 'N must be greater than 1.'],
    [
      () => L.pinv(torch.ones([2, 2], { dtype: torch.int64 })),
      'linalg.pinv(Long{[2, 2]}): expected a tensor with 2 or more dimensions',
    ],
    [() => L.svd(x, { driver: 'gesvd' }), 'keyword argument `driver=` is only supported on CUDA inputs'],
  ];
  test.each(cases.map(([f, message]) => ({ f, message })))('$message', ({ f, message }) => {
    expect(f).toThrow(message);
  });

  test('are told in info instead on request', () => {
    expect(L.invEx(x).info.item()).toBe(2);
    expect(L.solveEx(x, x).info.item()).toBe(2);
    expect(L.luFactorEx(torch.zeros(2, 3, 3)).info.tolist()).toEqual([1, 1]);
    expect(L.choleskyEx(torch.stack([torch.eye(2), x.neg()])).info.tolist()).toEqual([0, 1]);
    expect(L.ldlFactorEx(torch.zeros(2, 2)).info.item()).toBe(1);
    for (const f of [L.invEx, L.luFactorEx, L.choleskyEx] as const) {
      expect(() => f(torch.zeros(2, 2), { checkErrors: true })).toThrow();
    }
  });
});
