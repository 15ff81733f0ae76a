// flambeau bench: what this machine can do, and what the main kernels make of it.
import { cpus } from 'node:os';
import { Command } from 'commander';
import torch, { type Tensor } from '../../index.js';
import { table } from '../format.js';
import { positive, positiveInteger } from '../options.js';

interface BenchOptions {
  seconds: number;
  threads?: number;
  json?: boolean;
}

/** A kernel on a size where its speed has levelled off. */
interface Work {
  name: string;
  /** What a call takes: operations, or bytes to and from memory. */
  amount: number;
  unit: 'operations' | 'bytes';
  make: () => () => Tensor;
}

const million = 1 << 20;

/** Multiply-adds count as two operations; bytes are those of the operands and the result. */
const WORKS: readonly Work[] = [
  {
    name: 'matmul 1024 x 1024 x 1024',
    amount: 2 * 1024 ** 3,
    unit: 'operations',
    make: () => {
      const [a, b] = [torch.randn(1024, 1024), torch.randn(1024, 1024)];
      return () => torch.matmul(a, b);
    },
  },
  {
    name: 'linear 64 x 1024 to 1024',
    amount: 2 * 64 * 1024 ** 2,
    unit: 'operations',
    make: () => {
      const [x, w] = [torch.randn(64, 1024), torch.randn(1024, 1024)];
      return () => torch.F.linear(x, w);
    },
  },
  {
    name: 'conv2d 8 x 64 x 56 x 56, 64 of 3 x 3',
    amount: 2 * 8 * 64 * 56 * 56 * 64 * 9,
    unit: 'operations',
    make: () => {
      const [x, w] = [torch.randn(8, 64, 56, 56), torch.randn(64, 64, 3, 3)];
      return () => torch.F.conv2d(x, w, { padding: 1 });
    },
  },
  {
    name: 'attention 8 x 8 x 512 x 64',
    amount: 4 * 64 * 512 * 512 * 64,
    unit: 'operations',
    make: () => {
      const [q, k, v] = [0, 1, 2].map(() => torch.randn(8, 8, 512, 64)) as [Tensor, Tensor, Tensor];
      return () => torch.F.scaledDotProductAttention(q, k, v);
    },
  },
  {
    name: 'softmax 4096 x 4096',
    amount: 2 * 4 * 16 * million,
    unit: 'bytes',
    make: () => {
      const x = torch.randn(4096, 4096);
      return () => x.softmax(1);
    },
  },
  {
    name: 'layer norm 4096 x 4096',
    amount: 2 * 4 * 16 * million,
    unit: 'bytes',
    make: () => {
      const x = torch.randn(4096, 4096);
      return () => torch.F.layerNorm(x, [4096]);
    },
  },
  {
    name: 'add of 16 million',
    amount: 3 * 4 * 16 * million,
    unit: 'bytes',
    make: () => {
      const [a, b] = [torch.randn(16 * million), torch.randn(16 * million)];
      return () => a.add(b);
    },
  },
  {
    name: 'gelu of 16 million',
    amount: 2 * 4 * 16 * million,
    unit: 'bytes',
    make: () => {
      const x = torch.randn(16 * million);
      return () => torch.F.gelu(x);
    },
  },
  {
    name: 'sum of 16 million',
    amount: 4 * 16 * million,
    unit: 'bytes',
    make: () => {
      const x = torch.randn(16 * million);
      return () => x.sum();
    },
  },
];

/** The median duration of a call in seconds, over about `seconds`. */
function median(seconds: number, call: () => Tensor): number {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  call().dispose();
  do {
    const start = performance.now();
    const result = call();
    times.push((performance.now() - start) / 1000);
    result.dispose();
  } while (performance.now() < end);
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

interface Result {
  name: string;
  seconds: number;
  rate: number;
  unit: string;
  /** Of what the machine can do at most. */
  share: number;
}

/** 1.234e9 as '1.23 G'. */
function scaled(n: number): string {
  for (const [size, prefix] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
  ] as const)
    if (n >= size) return `${(n / size).toPrecision(3)} ${prefix}`;
  return `${n.toPrecision(3)} `;
}

const time = (s: number): string =>
  s >= 1 ? `${s.toFixed(2)} s` : s >= 1e-3 ? `${(s * 1e3).toPrecision(3)} ms` : `${(s * 1e6).toPrecision(3)} us`;

function bench(options: BenchOptions): void {
  if (options.threads !== undefined) torch.setNumThreads(options.threads);
  torch.manualSeed(0);
  const peaks = torch.backends.cpu.measurePeaks(options.seconds * 1000);
  const results = WORKS.map(({ name, amount, unit, make }): Result => {
    const seconds = torch.inferenceMode(() => median(options.seconds, make()));
    const rate = amount / seconds;
    // What a kernel writes is not read before, as in a copy; what it only reads is no copy, but may not be faster by much.
    const peak = unit === 'operations' ? peaks.float32 : Math.max(peaks.copy, peaks.triad);
    return { name, seconds, rate, unit, share: rate / peak };
  });
  const machine = {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: peaks.threads,
    instructionSet: torch.backends.cpu.getCpuCapability(),
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...machine, peaks, kernels: results }, null, 2)}\n`);
    return;
  }
  const limits: string[][] = [
    ['float32 multiply-adds in registers', `${scaled(peaks.float32)}FLOP/s`],
    ...(peaks.bfloat16 > 0 ? [['bfloat16 products in registers', `${scaled(peaks.bfloat16)}FLOP/s`]] : []),
    ['reading memory', `${scaled(peaks.read)}B/s`],
    ['copying memory', `${scaled(peaks.copy)}B/s`],
    ['y = x + 3 z in memory', `${scaled(peaks.triad)}B/s`],
  ];
  const lines = results.map(({ name, seconds, rate, unit, share }) => [
    name,
    time(seconds),
    `${scaled(rate)}${unit === 'operations' ? 'FLOP/s' : 'B/s'}`,
    `${(100 * share).toFixed(0)} %`,
  ]);
  process.stdout.write(
    `${machine.processor}, ${machine.threads} thread${machine.threads === 1 ? '' : 's'}, ${machine.instructionSet} kernels\n\n` +
      `${table(limits)}\n\n${table([['kernel', 'time', 'rate', 'of the limit'], ...lines])}\n`,
  );
}

/** `flambeau bench`. */
export function benchCommand(): Command {
  return new Command('bench')
    .description(
      "Measure this machine's limits (multiply-adds, memory traffic) and how near the main kernels come to them.",
    )
    .option('--seconds <s>', 'time for each figure', positive, 0.5)
    .option('--threads <n>', 'threads to compute with (default: one per core)', positiveInteger)
    .option('--json', 'as JSON')
    .action(bench);
}
