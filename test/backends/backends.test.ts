// What the processor offers. The figures themselves are for benchmarks; here only that they are figures.
import torch from 'flambeau';

const { cpu } = torch.backends;

test('the capability is the instruction set of the kernels', () => {
  expect(['DEFAULT', 'AVX2', 'AVX512', 'NEON']).toContain(cpu.getCpuCapability());
});

test('peaks are measured for the threads in use', () => {
  const before = torch.getNumThreads();
  torch.setNumThreads(2);
  try {
    const peaks = cpu.measurePeaks(1);
    expect(peaks.threads).toBe(2);
    for (const figure of [peaks.float32, peaks.copy, peaks.triad]) expect(figure).toBeGreaterThan(1e6);
    expect(peaks.bfloat16).toBeGreaterThanOrEqual(0);
  } finally {
    torch.setNumThreads(before);
  }
});

test.each([0, -1, Number.NaN])('a time of %s is refused', (ms) => {
  expect(() => cpu.measurePeaks(ms)).toThrow(new RangeError(`measurePeaks(): expected ms to be positive, got ${ms}`));
});
