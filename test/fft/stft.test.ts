// The short-time Fourier transform, its inverse, and windows.
import torch, { type Tensor } from 'flambeau';

const { gradcheck } = torch.autograd;

beforeAll(() => {
  torch.manualSeed(9);
});

const signal = (...shape: number[]): Tensor => torch.randn(shape, { dtype: torch.float64 });
const hann = (n: number): Tensor => torch.hannWindow(n, { dtype: torch.float64 });
function expectClose(found: Tensor, expected: Tensor): void {
  expect(found.shape).toEqual(expected.shape);
  expect(found.sub(expected).abs().max().item()).toBeLessThan(1e-12);
}

test('each frame is the transform of a windowed part of the signal', () => {
  const x = signal(40);
  const window = hann(8);
  const found = torch.stft(x, 8, { hopLength: 3, window, center: false, returnComplex: true });
  expect(found.shape).toEqual([5, 11]);
  for (let t = 0; t < 11; t++) expectClose(found.select(1, t), torch.fft.rfft(x.narrow(0, 3 * t, 8).mul(window)));
  const whole = torch.stft(x, 8, {
    hopLength: 3,
    window,
    center: false,
    onesided: false,
    normalized: true,
    returnComplex: true,
  });
  for (let t = 0; t < 11; t++)
    expectClose(whole.select(1, t), torch.fft.fft(x.narrow(0, 3 * t, 8).mul(window), { norm: 'ortho' }));
});

test('a shorter window stands in the middle of the frame, or at its start', () => {
  const x = signal(30);
  const window = hann(4);
  const middle = torch.cat([
    torch.zeros([2], { dtype: torch.float64 }),
    window,
    torch.zeros([2], { dtype: torch.float64 }),
  ]);
  const options = { hopLength: 2, winLength: 4, window, center: false, returnComplex: true };
  expectClose(
    torch.stft(x, 8, options),
    torch.stft(x, 8, { hopLength: 2, window: middle, center: false, returnComplex: true }),
  );
  const aligned = torch.stft(x, 8, { ...options, alignToWindow: true });
  expect(aligned.shape).toEqual([5, 14]);
  expect(aligned.select(0, 0).select(0, 3).real.item()).toBeCloseTo(
    x.narrow(0, 6, 4).mul(window).sum().item() as number,
    12,
  );
});

test('a centred signal is padded', () => {
  const x = signal(2, 20);
  const padded: Record<string, (t: Tensor) => Tensor> = {
    reflect: (t) => torch.cat([t.narrow(1, 1, 4).flip(1), t, t.narrow(1, 15, 4).flip(1)], 1),
    constant: (t) => torch.cat([torch.zerosLike(t.narrow(1, 0, 4)), t, torch.zerosLike(t.narrow(1, 0, 4))], 1),
    replicate: (t) => torch.cat([t.narrow(1, 0, 1).expand(2, 4), t, t.narrow(1, 19, 1).expand(2, 4)], 1),
    circular: (t) => torch.cat([t.narrow(1, 16, 4), t, t.narrow(1, 0, 4)], 1),
  };
  for (const [padMode, pad] of Object.entries(padded)) {
    const found = torch.stft(x, 8, { padMode, returnComplex: true });
    expect(found.shape).toEqual([2, 5, 11]);
    expectClose(found, torch.stft(pad(x), 8, { center: false, returnComplex: true }));
  }
});

test('real pairs on request, and complex signals', () => {
  const x = signal(20);
  const pairs = torch.stft(x, 8, { returnComplex: false });
  expect(pairs.shape).toEqual([5, 11, 2]);
  expectClose(torch.viewAsComplex(pairs.contiguous()), x.stft(8, { returnComplex: true }));
  const z = torch.complex(signal(20), signal(20));
  expect(torch.stft(z, 8).shape).toEqual([8, 11]);
});

test('the inverse gives the signal back', () => {
  for (const [center, hopLength, winLength] of [
    [true, 2, 8],
    [true, 3, 6],
    [false, 2, 8],
  ] as const) {
    const window = hann(winLength).add(0.1);
    const x = signal(2, 37);
    const options = { hopLength, winLength, window, center };
    for (const normalized of [false, true]) {
      const z = torch.stft(x, 8, { ...options, normalized, returnComplex: true });
      const covered = (z.shape[2]! - 1) * hopLength + (center ? 0 : 8);
      expectClose(torch.istft(z, 8, { ...options, normalized }), x.narrow(1, 0, covered));
      expectClose(torch.istft(z, 8, { ...options, normalized, length: 20 }), x.narrow(1, 0, 20));
      const whole = torch.stft(x, 8, { ...options, normalized, onesided: false, returnComplex: true });
      expectClose(torch.istft(whole, 8, { ...options, normalized, onesided: false }), x.narrow(1, 0, covered));
    }
  }
  const z = torch.complex(signal(30), signal(30));
  expectClose(torch.istft(torch.stft(z, 8), 8, { returnComplex: true, onesided: false, length: 30 }), z);
  const long = torch.istft(torch.stft(signal(20), 8, { returnComplex: true }), 8, { length: 30 });
  expect(long.shape).toEqual([30]);
});

test('gradients', () => {
  const x = signal(12).requiresGrad_(true);
  const window = hann(6).add(0.2).requiresGrad_(true);
  expect(
    gradcheck(
      (a: Tensor, w: Tensor) => torch.stft(a, 6, { window: w, hopLength: 2, returnComplex: true }),
      [x, window],
    ),
  ).toBe(true);
  const z = torch
    .stft(x.detach(), 6, { window: window.detach(), hopLength: 2, returnComplex: true })
    .requiresGrad_(true);
  expect(gradcheck((a: Tensor, w: Tensor) => torch.istft(a, 6, { window: w, hopLength: 2 }), [z, window])).toBe(true);
});

test('errors', () => {
  const x = torch.ones(20);
  const z = torch.stft(x, 8, { returnComplex: true });
  expect(() => torch.stft(x, 8)).toThrow('stft requires the return_complex parameter be given for real inputs');
  expect(() => torch.stft(x, 30, { center: false, returnComplex: true })).toThrow(
    'stft(torch.FloatTensor[20], n_fft=30, hop_length=7, win_length=30, window=None, normalized=0, onesided=None, return_complex=1, align_to_window=None) : expected 0 < n_fft < 20, but got n_fft=30',
  );
  expect(() => torch.stft(x, 8, { hopLength: 0, returnComplex: true })).toThrow(
    'expected hop_length > 0, but got hop_length=0',
  );
  expect(() => torch.stft(x, 8, { winLength: 9, returnComplex: true })).toThrow(
    'expected 0 < win_length <= n_fft, but got win_length=9',
  );
  expect(() => torch.stft(x, 8, { window: torch.ones(7), returnComplex: true })).toThrow(
    'expected a 1D window tensor of size equal to win_length=8',
  );
  expect(() => torch.stft(x, 8, { alignToWindow: true, returnComplex: true })).toThrow(
    'align_to_window should only be set when center = false',
  );
  expect(() => torch.stft(torch.ones(3), 8, { returnComplex: true })).toThrow(
    'Padding size should be less than the corresponding input dimension',
  );
  expect(() => torch.istft(x.reshape(5, 4), 8)).toThrow('istft requires a complex-valued input tensor');
  expect(() => torch.istft(z, 8, { hopLength: 9 })).toThrow('expected 0 < hop_length <= win_length');
  expect(() => torch.istft(z, 8, { onesided: false })).toThrow('to match n_fft when onesided=False, but got 5');
  expect(() => torch.istft(z, 8, { window: torch.zeros(8) })).toThrow('window overlap add min: 1');
});

test('windows: symmetric ones end where they began, periodic ones one point later', () => {
  const makers = [
    torch.hannWindow,
    torch.hammingWindow,
    torch.blackmanWindow,
    torch.bartlettWindow,
    torch.kaiserWindow,
  ] as const;
  for (const make of makers) {
    const even = make(8, false, { dtype: torch.float64 });
    expectClose(even, even.flip(0));
    expectClose(make(7, { dtype: torch.float64 }), even.narrow(0, 0, 7));
    expect(make(0).shape).toEqual([0]);
    expect(make(1).tolist()).toEqual([1]);
    expect(make(3).dtype).toBe(torch.float32);
    expect(() => make(-1)).toThrow('requires non-negative window_length, got window_length=-1');
    expect(() => make(3, { dtype: torch.int64 })).toThrow('expects floating point dtypes');
  }
  const near = (t: Tensor, expected: number[]): void =>
    expected.forEach((value, i) => expect((t.tolist() as number[])[i]).toBeCloseTo(value, 12));
  const type = { dtype: torch.float64 };
  near(torch.hannWindow(4, type), [0, 0.5, 1, 0.5]);
  near(torch.hammingWindow(4, type), [0.08, 0.54, 1, 0.54]);
  near(torch.hammingWindow(4, true, 0.6, 0.3, type), [0.3, 0.6, 0.9, 0.6]);
  near(torch.blackmanWindow(4, type), [0, 0.34, 1, 0.34]);
  near(torch.bartlettWindow(5, false, type), [0, 0.5, 1, 0.5, 0]);
  // 1 / I0(12) at the ends
  near(torch.kaiserWindow(3, false, type), [1 / 18948.92534929631, 1, 1 / 18948.92534929631]);
});
