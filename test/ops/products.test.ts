// Products beyond the matrix product, and the in-place forms of those within.
import torch, { type Tensor } from 'flambeau';

const { float64 } = torch;
const leaf = (...shape: number[]): Tensor => torch.rand(shape, { dtype: float64 }).requiresGrad_();
const gradcheck = (f: (...t: Tensor[]) => Tensor, ...inputs: Tensor[]): boolean =>
  torch.autograd.gradcheck((...args: unknown[]) => f(...(args as Tensor[])), inputs);

describe('tensordot', () => {
  test('sums the last dimensions of one with the first of the other', () => {
    const [a, b] = [torch.rand(2, 3, 4), torch.rand(3, 4, 5)];
    expect(torch.allclose(torch.tensordot(a, b), torch.einsum('abc,bcd->ad', a, b))).toBe(true);
    expect(torch.tensordot(a, b, 0).shape).toEqual([2, 3, 4, 3, 4, 5]);
  });

  test('sums the pairs of two lists, negative dimensions too', () => {
    const [a, b] = [torch.rand(2, 3, 4), torch.rand(4, 5, 2)];
    const expected = torch.einsum('abc,cda->bd', a, b);
    expect(
      torch.allclose(
        torch.tensordot(a, b, {
          dims: [
            [2, 0],
            [0, 2],
          ],
        }),
        expected,
      ),
    ).toBe(true);
    expect(
      torch.allclose(
        torch.tensordot(a, b, [
          [-1, -3],
          [-3, -1],
        ]),
        expected,
      ),
    ).toBe(true);
    expect(
      torch.allclose(
        torch.tensordot(
          a,
          b,
          torch.tensor([
            [2n, 0n],
            [0n, 2n],
          ]),
        ),
        expected,
      ),
    ).toBe(true);
  });

  test('a dimension of size one is broadcast', () => {
    const [a, b] = [torch.rand(2, 1), torch.rand(3, 4)];
    expect(torch.allclose(torch.tensordot(a, b, 1), a.matmul(b.sum(0, true)))).toBe(true);
  });

  test('what does not fit is refused', () => {
    const [a, b] = [torch.rand(2, 3), torch.rand(4, 3)];
    expect(() => torch.tensordot(a, b, 1)).toThrow(
      'contracted dimensions need to match, but first has size 3 in dim -1 and second has size 4 in dim 0',
    );
    expect(() => torch.tensordot(a, b, -1)).toThrow('tensordot expects dims >= 0, but got dims=-1');
    expect(() => torch.tensordot(a, torch.rand(3), 2)).toThrow(
      'tensordot expects dims < ndim_a or ndim_b, but got dims=2',
    );
    expect(() => torch.tensordot(a, b, [[1, 0], [0]])).toThrow('both dimension lists should have same length');
    expect(() =>
      torch.tensordot(a, a, [
        [0, 0],
        [0, 0],
      ]),
    ).toThrow('appears multiple times');
  });

  test('gradient', () => {
    expect(
      gradcheck(
        (a, b) =>
          torch.tensordot(a, b, [
            [0, 2],
            [1, 0],
          ]),
        leaf(2, 3, 2),
        leaf(2, 2, 3),
      ),
    ).toBe(true);
  });
});

describe('kron', () => {
  test('every element times the other matrix, as blocks', () => {
    const y = torch.kron(
      torch.tensor([
        [1, 2],
        [3, 4],
      ]),
      torch.tensor([
        [0, 1],
        [1, 1],
      ]),
    );
    expect(y.tolist()).toEqual([
      [0, 1, 0, 2],
      [1, 1, 2, 2],
      [0, 3, 0, 4],
      [3, 3, 4, 4],
    ]);
  });
  test('fewer dimensions count as ones in front', () => {
    expect(torch.kron(torch.tensor(2), torch.tensor([1, 3])).tolist()).toEqual([2, 6]);
    expect(torch.rand(2, 3, 2).kron(torch.rand(4)).shape).toEqual([2, 3, 8]);
  });
  test('gradient', () => expect(gradcheck((a, b) => torch.kron(a, b), leaf(2, 2), leaf(3))).toBe(true));
});

describe('cross', () => {
  const [x, y, z] = [torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1])];
  test('follows the right hand', () => {
    expect(torch.cross(x, y).tolist()).toEqual(z.tolist());
    expect(y.cross(x).tolist()).toEqual([0, 0, -1]);
    expect(torch.cross(torch.tensor([1n, 2n, 3n]), torch.tensor([4n, 5n, 6n])).tolist()).toEqual([-3, 6, -3]);
  });
  test('is orthogonal to both along any dimension, the others broadcast', () => {
    const [a, b] = [torch.rand(2, 3, 4, { dtype: float64 }), torch.rand(1, 3, 4, { dtype: float64 })];
    const c = torch.cross(a, b, 1);
    expect(c.shape).toEqual([2, 3, 4]);
    expect(Number(c.mul(a).sum(1).abs().max().item())).toBeLessThan(1e-14);
    expect(torch.equal(torch.cross(torch.rand(2, 3).mul(0), torch.rand(2, 3)), torch.zeros(2, 3))).toBe(true);
  });
  test('needs a dimension of size three', () => {
    expect(() => torch.cross(torch.rand(2, 2), torch.rand(2, 2))).toThrow('no dimension of size 3 in input');
    expect(() => torch.cross(torch.rand(2, 3), torch.rand(2, 2), 1)).toThrow(
      'linalg.cross: inputs dimension 1 must have length 3. Got 3 and 2',
    );
    expect(() => torch.cross(torch.rand(3), torch.rand(2, 3), 0)).toThrow(
      'linalg.cross: inputs must have the same number of dimensions.',
    );
  });
  test('gradient', () => expect(gradcheck((a, b) => torch.cross(a, b), leaf(3, 2), leaf(3, 2))).toBe(true));
});

describe('vander', () => {
  test('powers from left to right or from right to left', () => {
    const x = torch.tensor([1n, 2n, 3n]);
    expect(torch.vander(x).tolist()).toEqual([
      [1, 1, 1],
      [4, 2, 1],
      [9, 3, 1],
    ]);
    expect(torch.vander(x, 4, true).tolist()).toEqual([
      [1, 1, 1, 1],
      [1, 2, 4, 8],
      [1, 3, 9, 27],
    ]);
    expect(torch.vander(x, { n: 1 }).tolist()).toEqual([[1], [1], [1]]);
    expect(torch.vander(x, 0).shape).toEqual([3, 0]);
    expect(() => torch.vander(x, -1)).toThrow('N must be non-negative.');
    expect(() => torch.vander(torch.rand(2, 2))).toThrow('x must be a one-dimensional tensor.');
  });
});

describe('floatPower', () => {
  test('computes in double precision', () => {
    const y = torch.floatPower(torch.tensor([2n, 3n]), 0.5);
    expect([y.dtype, ...(y.tolist() as number[])]).toEqual([float64, Math.SQRT2, Math.sqrt(3)]);
    expect(torch.floatPower(2, torch.tensor([3])).item()).toBe(8);
    expect(torch.floatPower(torch.tensor([2]), { re: 0, im: 1 }).dtype).toBe(torch.complex128);
  });
  test('in place only on doubles', () => {
    expect(torch.tensor([3], { dtype: float64 }).floatPower_(2).item()).toBe(9);
    expect(() => torch.tensor([3]).floatPower_(2)).toThrow(
      "the base given to float_power_ has dtype Float but the operation's result requires dtype Double",
    );
  });
});

describe('in-place products', () => {
  const [a, b] = [torch.rand(2, 3), torch.rand(3, 4)];
  const options = { beta: 0.5, alpha: 2 };
  test.each([
    ['addmm_', [2, 4], a, b],
    ['addmv_', [2], a, torch.rand(3)],
    ['addr_', [2, 3], torch.rand(2), torch.rand(3)],
    ['addbmm_', [2, 4], torch.rand(5, 2, 3), torch.rand(5, 3, 4)],
    ['baddbmm_', [5, 2, 4], torch.rand(5, 2, 3), torch.rand(5, 3, 4)],
  ] as const)('%s gives what the op gives', (name, shape, x, y) => {
    const self = torch.rand([...shape]);
    const expected = self[name.slice(0, -1) as 'addmm'](x, y, options);
    const before = self._version;
    expect(self[name](x, y, options)).toBe(self);
    expect(torch.equal(self, expected)).toBe(true);
    expect(self._version).toBe(before + 1);
  });

  test('a result of other sizes is refused and nothing changes', () => {
    const self = torch.ones(4);
    expect(() => self.addmm_(a, b)).toThrow("output with shape [4] doesn't match the broadcast shape [2, 4]");
    expect(self.tolist()).toEqual([1, 1, 1, 1]);
  });

  test('gradients flow to the old value and the operands', () => {
    const [s, x, y] = [leaf(2, 2), leaf(2, 3), leaf(3, 2)];
    expect(gradcheck((u, v, w) => u.clone().addmm_(v, w, { beta: 0.5 }), s, x, y)).toBe(true);
    expect(gradcheck((u) => u.clone().cumprod_(0), s)).toBe(true);
    expect(() => s.addmm_(x, y)).toThrow('a leaf Variable that requires grad is being used in an in-place operation.');
  });
});

describe('functions that end in an underscore', () => {
  test.each(['abs_', 'neg_', 'sqrt_', 'exp_', 'relu_', 'sigmoid_', 'trunc_', 'square_'] as const)(
    'torch.%s is the method',
    (name) => {
      const x = torch.tensor([0.25, 4]);
      const y = x.clone();
      expect(torch[name](y)).toBe(y);
      expect(y.tolist()).toEqual(x.clone()[name]().tolist());
    },
  );
  test('with further arguments', () => {
    expect(torch.clamp_(torch.tensor([-2, 5]), 0, { max: 1 }).tolist()).toEqual([0, 1]);
    expect(torch.xlogy_(torch.tensor([0, 1]), torch.tensor([0, 1])).tolist()).toEqual([0, 0]);
    expect(torch.tensor([1, 9]).clampMax_(4).tolist()).toEqual([1, 4]);
    expect(() => torch.abs_(1 as never)).toThrow(TypeError);
  });
});
