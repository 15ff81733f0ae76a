// Instruction sets: one is chosen at load, any that the processor has can be forced, and all compute the same.
import { output, runCode } from './process';

const available = ['scalar', 'avx2', 'avx512', 'neon'].filter(
  (set) => runCode('addon()', { FLAMBEAU_ISA: set }).status === 0,
);

const SAMPLE = `
  const t = torch();
  t.manualSeed(1);
  const x = t.randn(37, 53), w = t.randn(53, 29), image = t.randn(2, 6, 11, 13), kernel = t.randn(4, 6, 3, 3);
  const wide = t.randn(1000).mul(20);
  const results = [x.mm(w), x.softmax(1), wide.exp(), wide.tanh(), wide.erf(), wide.sin(), wide.abs().log(), x.sum(0), x.var(1), x.cumsum(1), x.max(1).values,
    t.conv2d(image, kernel, null, 1, 1), t.F.avgPool2d(image, 2), t.layerNorm(x, [53]), x.half().add(1).float(), x.long().mul(7), x.gt(0), x.double().mm(w.double())];
  console.log(JSON.stringify(results.map((r) => Array.from(r.double().toTypedArray()))));
`;

test('the default is the widest set that the processor has', () => {
  expect(available).toContain('scalar');
  const chosen = output('console.log(addon().instructionSet())', { FLAMBEAU_ISA: '' });
  expect(chosen).toBe(['avx512', 'neon', 'avx2', 'scalar'].find((set) => available.includes(set)));
});
test.each(available)('%s is what runs when it is forced', (set) => {
  expect(output('console.log(torch().instructionSet())', { FLAMBEAU_ISA: set })).toBe(set);
});
test('an unknown set is an error that names those that there are', () => {
  const { status, err } = runCode('addon()', { FLAMBEAU_ISA: 'sse9' });
  expect(status).not.toBe(0);
  expect(err).toContain('FLAMBEAU_ISA=sse9');
});
test('all sets compute the same up to rounding', () => {
  const reference = JSON.parse(output(SAMPLE, { FLAMBEAU_ISA: 'scalar' })) as (number | null)[][];
  for (const set of available.filter((name) => name !== 'scalar')) {
    const found = JSON.parse(output(SAMPLE, { FLAMBEAU_ISA: set })) as (number | null)[][];
    reference.forEach((values, k) => {
      const largest = Math.max(...values.map((v) => (v === null ? 0 : Math.abs(v))).filter(Number.isFinite));
      const off = values.findIndex(
        (v, i) =>
          v !== found[k]![i] &&
          !(Math.abs(v! - found[k]![i]!) <= 2e-6 * Math.max(largest > 1e30 ? Math.abs(v!) : largest, 1e-6)),
      );
      expect([set, k, off, values[off], found[k]![off]]).toEqual([set, k, -1, undefined, undefined]);
    });
  }
});
