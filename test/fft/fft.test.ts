// The transforms against their definition, for every kind of length, layout and normalization.
import torch, { type DType, type Tensor } from 'flambeau';

const { fft } = torch;
const { gradcheck, gradgradcheck } = torch.autograd;

beforeAll(() => {
  torch.manualSeed(5);
});

function complex(dtype: DType, ...shape: number[]): Tensor {
  const type = { dtype: dtype.toReal() };
  return torch.complex(torch.randn(shape, type), torch.randn(shape, type));
}
/** exp(-2 pi i j k / n), or its conjugate, in double precision. */
function definition(n: number, forward: boolean): Tensor {
  const at = torch.arange(n, { dtype: torch.float64 });
  const turns = torch.remainder(torch.outer(at, at), n);
  const angle = turns.mul(((forward ? -2 : 2) * Math.PI) / n);
  return torch.complex(angle.cos(), angle.sin());
}
const byDefinition = (x: Tensor, forward = true): Tensor =>
  x.to(torch.complex128).matmul(definition(x.shape[x.ndim - 1]!, forward));
function expectClose(found: Tensor, expected: Tensor, factor = 30): void {
  expect(found.shape).toEqual(expected.shape);
  if (found.numel() === 0) return;
  const eps = found.dtype.toReal() === torch.float64 ? 2 ** -52 : 2 ** -23;
  const wide = (t: Tensor): Tensor => t.to(torch.complex128);
  const off = wide(found).sub(wide(expected)).abs().max().item() as number;
  expect(off).toBeLessThanOrEqual(factor * eps * Math.max(1, expected.abs().max().item() as number));
}

// Powers of every radix, mixtures, primes that have a pass of their own (to 13) and primes that need a convolution.
const LENGTHS = [
  ...Array.from({ length: 40 }, (_, i) => i + 1),
  ...[49, 60, 64, 81, 97, 100, 101, 121, 125, 127, 128, 143, 169, 211, 243, 256, 360, 1000, 1009, 1024],
];

describe.each(['float32', 'float64'] as const)('%s', (name) => {
  const dtype = torch[name];

  test.each(LENGTHS)('all transforms of %i points', (n) => {
    const lines = n > 2000 ? 2 : 3;
    const z = complex(dtype, lines, n);
    const whole = byDefinition(z);
    expectClose(fft.fft(z), whole);
    expectClose(fft.ifft(z), byDefinition(z, false).div(n));
    expectClose(fft.ifft(fft.fft(z)), z);

    const x = torch.randn([lines, n], { dtype });
    const half = Math.floor(n / 2) + 1;
    const spectrum = byDefinition(x);
    expectClose(fft.rfft(x), spectrum.narrow(1, 0, half));
    expectClose(fft.fft(x), spectrum);
    expectClose(fft.ihfft(x), spectrum.narrow(1, 0, half).conj().div(n));
    expectClose(fft.irfft(fft.rfft(x), n), x);
    expectClose(fft.hfft(fft.ihfft(x), n), x);
    expect(fft.irfft(fft.rfft(x), n).dtype).toBe(dtype);
  });

  test('any number of lines side by side', () => {
    for (const n of [12, 17]) {
      for (let lines = 1; lines <= 40; lines += 3) {
        const z = complex(dtype, lines, n);
        expectClose(fft.fft(z), byDefinition(z));
        const x = z.real.clone();
        expectClose(fft.rfft(x), byDefinition(x).narrow(1, 0, Math.floor(n / 2) + 1));
      }
    }
  });
});

test('lines are independent: what is not a number stays in its line', () => {
  for (const n of [16, 15, 17]) {
    const x = torch.randn([4, n], { dtype: torch.float64 });
    const expected = fft.rfft(x);
    x.select(0, 2).select(0, 1).fill_(NaN);
    const found = fft.rfft(x);
    for (const line of [0, 1, 3]) expect(found.select(0, line).equal(expected.select(0, line))).toBe(true);
    expect(found.select(0, 2).isnan().any().item()).toBe(true);
  }
});

test('dimensions, also of strided views', () => {
  const z = complex(torch.float64, 4, 6, 5);
  for (const dim of [0, 1, 2, -2]) {
    expectClose(fft.fft(z, { dim }), byDefinition(z.movedim(dim, -1)).movedim(-1, dim));
    const x = z.real;
    expectClose(fft.rfft(x, { dim }), fft.fft(x.contiguous(), { dim }).narrow(dim, 0, Math.floor(x.size(dim) / 2) + 1));
    expectClose(fft.irfft(fft.rfft(x, { dim }), { n: x.size(dim), dim }), x);
  }
  const view = z.permute(2, 0, 1).index('...', torch.slice(1, 5, 2));
  expectClose(fft.fftn(view), fft.fftn(view.contiguous().clone()), 1);
});

test('several dimensions are one after the other', () => {
  const z = complex(torch.float64, 3, 4, 5);
  const two = fft.fft(fft.fft(z, { dim: 0 }), { dim: 2 });
  expectClose(fft.fftn(z, { dim: [0, 2] }), two);
  expectClose(fft.fft2(z), fft.fftn(z, { dim: [1, 2] }));
  expectClose(fft.ifftn(fft.fftn(z)), z);
  expectClose(fft.ifft2(z), fft.ifft(fft.ifft(z, { dim: 1 }), { dim: 2 }));
  expectClose(fft.ifft2(fft.fft2(z, { dim: [0, 1] }), { dim: [0, 1] }), z);
  const x = z.real.contiguous();
  expectClose(fft.rfftn(x), fft.fftn(x).narrow(-1, 0, 3));
  expectClose(fft.irfftn(fft.rfftn(x), { s: [3, 4, 5] }), x);
  expectClose(fft.irfft2(fft.rfft2(x), { s: [4, 5] }), x);
  expectClose(fft.hfftn(fft.ihfftn(x), { s: [3, 4, 5] }), x);
  expectClose(fft.hfft2(fft.ihfft2(x), { s: [4, 5] }), x);
  expectClose(fft.fftn(z, { dim: [] }), z, 0);
});

test('sizes cut the input or follow it with zeros', () => {
  const z = complex(torch.float64, 2, 6);
  expectClose(fft.fft(z, 4), fft.fft(z.narrow(1, 0, 4)));
  expectClose(fft.fft(z, 9), fft.fft(torch.cat([z, torch.zeros([2, 3], { dtype: torch.complex128 })], 1)));
  expectClose(fft.fftn(z, { s: [-1, 4] }), fft.fftn(z.narrow(1, 0, 4)));
  expect(fft.irfft(z).shape).toEqual([2, 10]);
  expect(fft.irfft(z, 5).shape).toEqual([2, 5]);
});

test.each([
  ['backward', 1, 1 / 12],
  ['ortho', 1 / Math.sqrt(12), 1 / Math.sqrt(12)],
  ['forward', 1 / 12, 1],
])('norm %s', (norm, forward, inverse) => {
  const z = complex(torch.float64, 3, 4);
  const plain = fft.fftn(z);
  expectClose(fft.fftn(z, { norm }), plain.mul(forward));
  expectClose(fft.ifftn(plain, { norm }), z.mul(12 * inverse));
  const x = z.real.contiguous();
  expectClose(fft.rfftn(x, { norm }), fft.rfftn(x).mul(forward));
  expectClose(fft.irfftn(fft.rfftn(x), { s: [3, 4], norm }), x.mul(12 * inverse));
  expectClose(
    fft.hfftn(x, { norm }),
    fft
      .hfftn(x)
      .mul(fft.hfftn(x).numel() === 18 ? { backward: 1, ortho: 1 / Math.sqrt(18), forward: 1 / 18 }[norm]! : NaN),
  );
});

test('imaginary parts that conjugate symmetry rules out are not looked at', () => {
  const z = complex(torch.float64, 5);
  const clean = z.clone();
  for (const k of [0, 4]) clean.imag.select(0, k).fill_(0);
  expectClose(fft.irfft(z), fft.irfft(clean), 0);
});

test('integers are computed as floats; halves are refused', () => {
  const whole = torch.tensor([1, 2, 3, 4], { dtype: torch.int64 });
  expect(fft.fft(whole).dtype).toBe(torch.complex64);
  expect(fft.fft(whole).tolist()).toEqual([
    [10, 0],
    [-2, 2],
    [-2, 0],
    [-2, -2],
  ]);
  expect(() => fft.fft(torch.ones(3).half())).toThrow('Unsupported dtype Half');
});

test('errors', () => {
  const x = torch.ones(3, 3);
  const z = complex(torch.float32, 3, 3);
  expect(() => fft.fft(torch.tensor(1))).toThrow(
    new RangeError('Dimension specified as -1 but tensor has no dimensions'),
  );
  expect(() => fft.fft(x, 0)).toThrow('Invalid number of data points (0) specified');
  expect(() => fft.fft(torch.zeros(0))).toThrow('Invalid number of data points (0) specified');
  expect(() => fft.irfft(torch.zeros(1))).toThrow('Invalid number of data points (0) specified');
  expect(() => fft.fft(x, { norm: 'none' })).toThrow('Invalid normalization mode: "none"');
  expect(() => fft.rfft(z)).toThrow('rfft expects a real input tensor, but got ComplexFloat');
  expect(() => fft.rfftn(z)).toThrow('rfftn expects a real-valued input tensor, but got ComplexFloat');
  expect(() => fft.fftn(x, { s: [2], dim: [0, 1] })).toThrow(
    'When given, dim and shape arguments must have the same length',
  );
  expect(() => fft.fftn(x, { s: [2, 2, 2] })).toThrow(
    'Got shape with 3 values but input tensor only has 2 dimensions.',
  );
  expect(() => fft.fftn(x, { dim: [0, -2] })).toThrow('FFT dims must be unique');
  expect(() => fft.rfftn(torch.tensor(1))).toThrow('rfftn must transform at least one axis');
  expect(() => fft.fft(x, { dim: 2 })).toThrow(RangeError);
  expect(() => fft.fftfreq(4, { dtype: torch.int64 })).toThrow('fftfreq requires a floating point or complex dtype');
  expect(fft.fft(torch.zeros(0, 3)).shape).toEqual([0, 3]);
});

test.each([4, 5])('gradients, %i points', (n) => {
  const z = (): Tensor => complex(torch.float64, 2, n).requiresGrad_(true);
  const x = (): Tensor => torch.randn([2, n], { dtype: torch.float64, requiresGrad: true });
  for (const norm of ['backward', 'ortho', 'forward']) {
    for (const f of [fft.fft, fft.ifft] as const) {
      expect(gradcheck((t: Tensor) => f(t, { norm }), [z()])).toBe(true);
      expect(gradcheck((t: Tensor) => f(t, { norm, n: 3 }), [x()])).toBe(true);
    }
    for (const f of [fft.rfft, fft.ihfft] as const) expect(gradcheck((t: Tensor) => f(t, { norm }), [x()])).toBe(true);
    for (const f of [fft.irfft, fft.hfft] as const) {
      expect(gradcheck((t: Tensor) => f(t, { norm }), [z()])).toBe(true);
      expect(gradcheck((t: Tensor) => f(t, { norm, n: 7 }), [z()])).toBe(true);
    }
  }
  expect(gradcheck((t: Tensor) => fft.rfft2(t), [x()])).toBe(true);
  expect(gradcheck((t: Tensor) => fft.irfft2(t, { s: [2, 6] }), [z()])).toBe(true);
  expect(gradgradcheck((t: Tensor) => fft.rfft(t), [x()])).toBe(true);
  expect(gradgradcheck((t: Tensor) => fft.irfft(t), [z()])).toBe(true);
  expect(gradgradcheck((t: Tensor) => fft.fftn(t), [z()])).toBe(true);
});

test('frequencies and shifts', () => {
  expect(fft.fftfreq(5, 0.5).tolist()).toEqual([0, 0.4, 0.8, -0.8, -0.4].map((v) => Math.fround(v)));
  expect(fft.fftfreq(4, { dtype: torch.float64 }).tolist()).toEqual([0, 0.25, -0.5, -0.25]);
  expect(fft.rfftfreq(5, { dtype: torch.float64 }).tolist()).toEqual([0, 0.2, 0.4]);
  expect(fft.rfftfreq(4).tolist()).toEqual([0, 0.25, 0.5]);
  for (const n of [4, 5]) {
    const order = fft.fftshift(fft.fftfreq(n)).tolist() as number[];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(fft.ifftshift(fft.fftshift(torch.arange(n))).equal(torch.arange(n))).toBe(true);
  }
  const grid = torch.arange(6).reshape(2, 3);
  expect(fft.fftshift(grid).tolist()).toEqual([
    [5, 3, 4],
    [2, 0, 1],
  ]);
  expect(fft.fftshift(grid, 1).tolist()).toEqual([
    [2, 0, 1],
    [5, 3, 4],
  ]);
});
