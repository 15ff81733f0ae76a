// torch.backends: what the processor offers and what it can do at most.
import { inWords } from './core/errors.js';
import { addon, nativeOp } from './native/addon.js';
import { empty } from './ops/creation.js';
import { invokeNumbers, invokeVoid } from './tensor/invoke.js';
import type { Tensor } from './tensor/tensor.js';
import { getNumThreads } from './torch.js';

/** The limits of the machine, all threads in use together, per second. */
export interface Peaks {
  /** The threads that took part. */
  threads: number;
  /** float32 operations, a multiply-add counting as two. */
  float32: number;
  /** bfloat16 operations accumulated in float32; 0 where the processor has no instruction for them. */
  bfloat16: number;
  /** Bytes read by summing memory beyond the caches. */
  read: number;
  /** Bytes read and written by copying memory beyond the caches. */
  copy: number;
  /** Bytes read and written by y = x + 3 z beyond the caches. */
  triad: number;
}

// Beyond the last cache of today's servers when two or three of them are in use.
const STREAM = 1 << 26;

/** The best rate of several turns of about `ms` milliseconds in all; `work` returns how much it did. */
function rate(ms: number, clock: () => number, work: () => number): number {
  work(); // warms up
  let best = 0;
  const end = performance.now() + ms;
  do {
    const start = clock();
    const done = work();
    best = Math.max(best, done / (clock() - start));
  } while (performance.now() < end);
  return best;
}

// With one thread processor time, which a busy machine disturbs little; with more the time on the wall. In seconds.
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const wallSeconds = (): number => performance.now() / 1e3;

export const cpu = {
  /**
   * The instruction set that the kernels in use were compiled for.
   * @returns `'AVX512'`, `'AVX2'`, `'NEON'` or `'DEFAULT'`.
   */
  getCpuCapability(): string {
    const set = addon.instructionSet();
    return set === 'scalar' ? 'DEFAULT' : set.toUpperCase();
  },

  /**
   * Measures what the machine can do at most with `torch.getNumThreads()` threads: multiply-adds in registers and
   * memory traffic beyond the caches, as McCalpin's STREAM counts it. Takes about five times `ms`, and 768 MiB of memory.
   * @param ms milliseconds for each of the figures (default 200)
   * @returns per second: float32 and bfloat16 operations, bytes read, bytes copied, bytes of y = x + 3 z; and the threads that took part
   * @throws RangeError if `ms` is not positive
   */
  measurePeaks(ms = 200): Peaks {
    if (!(ms > 0)) throw new RangeError(`measurePeaks(): expected ms to be positive, got ${inWords(ms)}`);
    const threads = getNumThreads();
    const clock = threads === 1 ? cpuSeconds : wallSeconds;
    const multiplyAdd = nativeOp('peak_multiply_add');
    const operations = (bfloat16: boolean) => invokeNumbers(multiplyAdd, 20_000, bfloat16)[0]!;
    const [x, z, y] = [0, 1, 2].map(() => empty(STREAM).fill_(1)) as [Tensor, Tensor, Tensor];
    try {
      return {
        threads,
        float32: rate(ms, clock, () => operations(false)),
        bfloat16: operations(true) > 0 ? rate(ms, clock, () => operations(true)) : 0,
        read: rate(ms, clock, () => {
          invokeNumbers(nativeOp('peak_read'), x);
          return 4 * STREAM;
        }),
        copy: rate(ms, clock, () => {
          invokeVoid(nativeOp('peak_copy'), x, y);
          return 8 * STREAM;
        }),
        triad: rate(ms, clock, () => {
          invokeVoid(nativeOp('peak_triad'), x, z, y);
          return 12 * STREAM;
        }),
      };
    } finally {
      for (const t of [x, z, y]) t.dispose();
    }
  },
};
