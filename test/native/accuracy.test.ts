// GELU, SiLU and their gradients in float32 on every instruction set, against float64: two floats away at most, also far
// out, where a sum of terms near one would have cancelled, and where results are denormal.
import { output, runCode } from './process';

const SETS = ['scalar', 'avx2', 'avx512', 'neon'].filter(
  (set) => runCode('addon()', { FLAMBEAU_ISA: set }).status === 0,
);

// Prints the largest distance between the float32 results and the float64 ones, in floats of the larger of the result and
// `size(x)`, which stands for the terms that a slope is the difference of.
const MEASURE = `
  const t = torch();
  const x64 = t.cat([t.linspace(-14.5, 14.5, 60001), t.logspace(-44, 1, 20000), t.logspace(-44, 1, 20000).neg()]).float().double();
  const functions = {
    gelu: (x) => t.F.gelu(x),
    geluTanh: (x) => t.F.gelu(x, { approximate: 'tanh' }),
    silu: (x) => t.F.silu(x),
  };
  const slope = (f) => (x) => { const at = x.detach().requiresGrad_(); return t.autograd.grad(f(at).sum(), at)[0]; };
  const spacing = (v) => 2 ** Math.max(Math.floor(Math.log2(v)) - 23, -149);
  const report = {};
  for (const [name, f] of Object.entries(functions)) {
    for (const [kind, g] of [['value', f], ['slope', slope(f)]]) {
      const exact = g(x64).tolist(), found = g(x64.float()).tolist(), arguments_ = x64.tolist();
      let worst = 0, at = 0;
      exact.forEach((v, i) => {
        const x = arguments_[i];
        const size = kind === 'slope' && Math.abs(x) < 5 ? Math.max(Math.abs(v), 0.25 * Math.exp(-x * x / 2)) : Math.abs(v);
        const off = Math.abs(found[i] - v) / spacing(size || 1e-45);
        if (off > worst) [worst, at] = [off, x];
      });
      report[name + ' ' + kind] = [worst, at];
    }
  }
  console.log(JSON.stringify(report));
`;

test.each(SETS)('%s', (set) => {
  const report = JSON.parse(output(MEASURE, { FLAMBEAU_ISA: set })) as Record<string, [number, number]>;
  for (const [name, [worst, at]] of Object.entries(report)) {
    const limit = name.endsWith('value') ? 2.5 : 6;
    expect([name, at, worst < limit ? 'close' : worst]).toEqual([name, at, 'close']);
  }
});
