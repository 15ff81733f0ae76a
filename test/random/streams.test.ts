import fs from 'node:fs';
import path from 'node:path';
import torch, { nn, type Tensor } from 'flambeau';

interface Call {
  fn: string;
  size: number[];
  args?: number[];
  step: number;
  values: (number | boolean | string)[];
}

interface Recorded {
  extras: { state: string; following: number[]; linear: { weight: number[][]; bias: number[] } };
  cases: { name: string; dtype: string; seed: number; calls: Call[] }[];
}

const recorded = JSON.parse(fs.readFileSync(path.join(__dirname, 'streams.json'), 'utf8')) as Recorded;
const dtypeOf = (name: string) => (torch as unknown as Record<string, typeof torch.float32>)[name]!;

function draw(call: Call, dtype: typeof torch.float32): Tensor {
  const [a, b] = call.args ?? [];
  switch (call.fn) {
    case 'rand':
      return torch.rand(call.size, { dtype });
    case 'randn':
      return torch.randn(call.size, { dtype });
    case 'randint':
      return torch.randint(a!, b!, call.size, { dtype });
    case 'randperm':
      return torch.randperm(a!, { dtype });
  }
  const t = torch.empty(call.size, { dtype });
  switch (call.fn) {
    case 'uniform_':
      return t.uniform_(a!, b!);
    case 'normal_':
      return t.normal_(a!, b!);
    case 'exponential_':
      return t.exponential_(a!);
    case 'cauchy_':
      return t.cauchy_(a!, b!);
    case 'log_normal_':
      return t.logNormal_(a!, b!);
    case 'random_':
      return t.random_();
    case 'bernoulli_':
      return t.bernoulli_(a!);
    case 'geometric_':
      return t.geometric_(a!);
    default:
      throw new Error(call.fn);
  }
}

// What goes through log, sin, cos or tan may differ in the last bits: relative to the value, or to 1 where it is small.
const ROUNDED = /^(randn|normal_|exponential_|cauchy_|log_normal_)$/;
const UNIT: Record<string, number> = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };

function expectValues(call: Call, t: Tensor, dtype: string): void {
  const flat = t.tolist() as (number | boolean | bigint)[];
  const got = flat.filter((_, i) => i % call.step === 0);
  expect(got).toHaveLength(call.values.length);
  got.forEach((value, i) => {
    const want = call.values[i]!;
    if (!ROUNDED.test(call.fn)) {
      expect(String(value)).toBe(String(want));
      return;
    }
    const [g, w] = [Number(value), Number(want === 'inf' ? Infinity : want === '-inf' ? -Infinity : want)];
    if (g === w) return;
    expect(Math.abs(g - w)).toBeLessThanOrEqual(
      4 * UNIT[dtype]! * Math.max(1, Math.abs(w)) * (call.fn === 'cauchy_' ? 8 : 1),
    );
  });
}

describe('the streams are those of PyTorch', () => {
  test.each(recorded.cases.map((c) => [`${c.name} ${c.dtype} seed ${c.seed}`, c] as const))('%s', (_, c) => {
    torch.manualSeed(c.seed);
    for (const call of c.calls) expectValues(call, draw(call, dtypeOf(c.dtype)), c.dtype);
  });

  test('a linear layer starts with the same weights', () => {
    torch.manualSeed(0);
    const { weight, bias } = recorded.extras.linear;
    const linear = new nn.Linear(4, 3);
    expect(linear.weight.tolist()).toEqual(weight);
    expect(linear.bias!.tolist()).toEqual(bias);
  });
});

describe('the state', () => {
  const saved = () => torch.tensor(Uint8Array.from(Buffer.from(recorded.extras.state, 'hex')));

  test('has the bytes of PyTorch', () => {
    torch.manualSeed(7);
    torch.randn([3]);
    const state = torch.getRngState();
    expect(state.dtype).toBe(torch.uint8);
    expect(Buffer.from(state.toTypedArray() as Uint8Array).toString('hex')).toBe(recorded.extras.state);
  });

  test('of PyTorch continues its stream', () => {
    torch.setRngState(saved());
    const got = torch.randn([40]).tolist() as number[];
    got.forEach((g, i) => expect(Math.abs(g - recorded.extras.following[i]!)).toBeLessThanOrEqual(2 ** -20));
  });

  test('replays what followed it', () => {
    torch.manualSeed(3);
    torch.rand([1001]);
    const state = torch.getRngState();
    const first = torch.randn([7]).tolist();
    torch.rand([700]);
    torch.setRngState(state);
    expect(torch.randn([7]).tolist()).toEqual(first);
  });

  test('that is damaged is refused and changes nothing', () => {
    torch.manualSeed(11);
    const before = torch.getRngState().tolist();
    const broken = (at: number, value: number) => {
      const bytes = torch.getRngState().toTypedArray() as Uint8Array;
      bytes[at] = value;
      return torch.tensor(bytes);
    };
    // Bytes 8 to 11 count what is left, 16 to 23 what was taken: together they must make a position inside the state.
    expect(() => torch.setRngState(broken(8, 200))).toThrow();
    expect(() => torch.setRngState(broken(18, 1))).toThrow();
    expect(() => torch.setRngState(torch.getRngState().narrow(0, 0, 5000))).toThrow();
    expect(() => torch.setRngState(torch.zeros([5056], { dtype: torch.uint8 }))).toThrow();
    expect(() => torch.setRngState(torch.zeros([5056]))).toThrow();
    expect(torch.getRngState().tolist()).toEqual(before);
  });
});

describe('statistics', () => {
  const n = 200_000;

  test.each([0, 0.1, 0.5, 0.9, 1])('bernoulli of %d', (p) => {
    torch.manualSeed(1);
    const share = torch.empty([n]).bernoulli_(p).mean().item() as number;
    expect(Math.abs(share - p)).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / n));
  });

  test('bernoulli of one probability per element', () => {
    torch.manualSeed(2);
    const p = torch.rand([n]);
    const drawn = torch.bernoulli(p);
    expect(Math.abs(drawn.sub(p).mean().item() as number)).toBeLessThan(5 * Math.sqrt(1 / 6 / n));
    // Elements of probability p are 1 in the share p: what is above 0.9 is 1 in 95 of 100 cases.
    const high = drawn.index(p.gt(0.9)).mean().item() as number;
    expect(Math.abs(high - 0.95)).toBeLessThan(0.01);
  });

  test.each([0.2, 0.5])('dropout of %d scales what it keeps', (p) => {
    torch.manualSeed(4);
    const y = torch.nn.functional.dropout(torch.ones([n]), p).toTypedArray() as Float32Array;
    const kept = y.filter((v) => v !== 0);
    expect(kept.every((v) => v === Math.fround(1 / (1 - p)))).toBe(true);
    expect(Math.abs(kept.length / n - (1 - p))).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
  });

  test('normal values have the mean and the spread asked for', () => {
    torch.manualSeed(5);
    const x = torch.empty([n], { dtype: torch.float64 }).normal_(3, 2);
    expect(Math.abs((x.mean().item() as number) - 3)).toBeLessThan((5 * 2) / Math.sqrt(n));
    expect(Math.abs((x.std().item() as number) - 2)).toBeLessThan((5 * 2) / Math.sqrt(2 * n));
  });

  test('half types stay below the upper bound', () => {
    torch.manualSeed(6);
    for (const dtype of [torch.float16, torch.bfloat16]) {
      const x = torch.rand([n], { dtype });
      expect(x.max().item()).toBeLessThan(1);
      expect(x.min().item()).toBeGreaterThanOrEqual(0);
    }
  });

  test('a permutation holds each number once', () => {
    torch.manualSeed(8);
    const p = torch.randperm(5000).toTypedArray() as BigInt64Array;
    expect(Array.from(p, Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });
});
