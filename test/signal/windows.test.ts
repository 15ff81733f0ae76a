// torch.signal.windows: shapes of the windows by formula, and what is refused.
import torch, { signal } from 'flambeau';

const { windows } = signal;
const { float64 } = torch;
const f64 = { dtype: float64 };
type Name =
  | 'bartlett'
  | 'blackman'
  | 'cosine'
  | 'generalHamming'
  | 'hamming'
  | 'hann'
  | 'kaiser'
  | 'nuttall'
  | 'gaussian'
  | 'exponential';
const NAMES: Name[] = [
  'bartlett',
  'blackman',
  'cosine',
  'generalHamming',
  'hamming',
  'hann',
  'kaiser',
  'nuttall',
  'gaussian',
  'exponential',
];
const list = (t: torch.Tensor): number[] => t.tolist() as number[];

test.each(NAMES)('%s is symmetric, peaks at 1 and is periodic without its last point', (name) => {
  for (const m of [2, 5, 8, 31]) {
    const w = list(windows[name](m, f64));
    expect(w.length).toBe(m);
    w.forEach((v, i) => expect(v).toBeCloseTo(w[m - 1 - i]!, 12));
    const periodic = list(windows[name](m, { ...f64, sym: false }));
    expect(periodic).toEqual(list(windows[name](m + 1, f64)).slice(0, m));
  }
  expect(list(windows[name](9, f64))[4]).toBeCloseTo(1, 12);
  expect(windows[name](0).shape).toEqual([0]);
  expect(list(windows[name](1))).toEqual([1]);
});

test('formulas', () => {
  const n = Array.from({ length: 7 }, (_, i) => i);
  const t = n.map((i) => (2 * Math.PI * i) / 6);
  const expected: [torch.Tensor, number[]][] = [
    [windows.hann(7, f64), t.map((a) => 0.5 - 0.5 * Math.cos(a))],
    [windows.hamming(7, f64), t.map((a) => 0.54 - 0.46 * Math.cos(a))],
    [windows.generalHamming(7, { ...f64, alpha: 0.6 }), t.map((a) => 0.6 - 0.4 * Math.cos(a))],
    [windows.blackman(7, f64), t.map((a) => 0.42 - 0.5 * Math.cos(a) + 0.08 * Math.cos(2 * a))],
    [windows.generalCosine(7, [0.3, 0.5, 0.2], f64), t.map((a) => 0.3 - 0.5 * Math.cos(a) + 0.2 * Math.cos(2 * a))],
    [windows.bartlett(7, f64), n.map((i) => 1 - Math.abs(i - 3) / 3)],
    [windows.cosine(7, f64), n.map((i) => Math.sin((Math.PI * (i + 0.5)) / 7))],
    [windows.gaussian(7, { ...f64, std: 2 }), n.map((i) => Math.exp(-((i - 3) ** 2) / 8))],
    [windows.exponential(7, { ...f64, tau: 2 }), n.map((i) => Math.exp(-Math.abs(i - 3) / 2))],
    [windows.exponential(7, { ...f64, center: 1, sym: false }), n.map((i) => Math.exp(-Math.abs(i - 1)))],
  ];
  for (const [w, values] of expected) list(w).forEach((v, i) => expect(v).toBeCloseTo(values[i]!, 14));
  const ends = torch.special
    .i0(torch.tensor(0, f64))
    .div(torch.special.i0(torch.tensor(5, f64)))
    .item() as number;
  expect(list(windows.kaiser(7, { ...f64, beta: 5 }))[0]).toBeCloseTo(ends, 14);
});

test('types, and gradients on request', () => {
  expect(windows.hann(4).dtype).toBe(torch.float32);
  expect(windows.hann(4, { requiresGrad: true }).requiresGrad).toBe(true);
});

test('what makes no window is refused', () => {
  expect(() => windows.hann(-1)).toThrow('requires non-negative window length, got M=-1');
  expect(() => windows.hann(4, { dtype: torch.int64 })).toThrow('expects float32 or float64 dtypes, got: torch.int64');
  expect(() => windows.hann(4, { dtype: torch.float16 })).toThrow(RangeError);
  expect(() => windows.gaussian(4, { std: 0 })).toThrow('Standard deviation must be positive, got: 0 instead.');
  expect(() => windows.exponential(4, { tau: -1 })).toThrow('Tau must be positive, got: -1 instead.');
  expect(() => windows.exponential(4, { center: 1 })).toThrow('Center must be None for symmetric windows');
  expect(() => windows.generalCosine(4, [])).toThrow('Coefficients cannot be empty');
  expect(() => windows.kaiser(4, { beta: -1 })).toThrow('beta must be non-negative, got: -1 instead.');
});
