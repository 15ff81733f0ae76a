// Joining, indexing, sorting and searching against what PyTorch gave (fixtures/ops/indexing.py): values, gradients, and
// which calls are errors, on operands that are row-major, permuted in memory, or have gaps.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as torch from 'flambeau';

type Recorded = [dtype: string, shape: number[], values: (number | boolean | string)[]];
interface Case {
  call: string;
  given: Record<string, unknown>;
  out?: Recorded[];
  grads?: Record<string, Recorded | null>;
  error?: boolean;
}

const cases = JSON.parse(readFileSync(path.join(__dirname, '../fixtures/ops/indexing.json'), 'utf8')) as Case[];
const dtypes = torch as unknown as Record<string, torch.DType>;
const numberOf = (v: number | boolean | string): number | boolean =>
  typeof v === 'string' ? Number(v.replace('inf', 'Infinity')) : v;

function fromRecorded([dtype, shape, values]: Recorded): torch.Tensor {
  return torch.tensor(values.map(numberOf), { dtype: dtypes[dtype]! }).reshape(shape);
}
function laidOut(t: torch.Tensor, layout: number[] | 'gaps' | null): torch.Tensor {
  if (layout === null) return t;
  if (layout !== 'gaps') {
    return t
      .permute(layout)
      .contiguous()
      .permute(layout.map((_, d) => layout.indexOf(d)));
  }
  let part = torch.zeros(
    t.shape.map((n) => 2 * n),
    { dtype: t.dtype },
  );
  t.shape.forEach((_, d) => {
    part = part.index(...t.shape.slice(0, d).map(() => torch.slice()), torch.slice(null, null, 2));
  });
  return part.copy_(t);
}
function operand(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('t' in given)) return given;
  const { t, layout } = given as { t: Recorded; layout: number[] | 'gaps' | null };
  const x = laidOut(fromRecorded(t), layout).detach();
  return x.dtype.isFloatingPoint ? x.requiresGrad_() : x;
}
function flatten(value: unknown): torch.Tensor[] {
  return value instanceof torch.Tensor ? [value] : (value as unknown[]).flatMap(flatten);
}
function expectSame(found: torch.Tensor, [dtype, shape, values]: Recorded): void {
  expect(found.dtype.name).toBe(dtype);
  expect([...found.shape]).toEqual(shape);
  const got = found.detach().flatten().tolist() as (number | boolean)[];
  got.forEach((v, i) => {
    const want = numberOf(values[i]!);
    if (typeof want === 'boolean' || Number.isNaN(want)) expect(v).toEqual(want);
    else expect(Math.abs(Number(v) - want)).toBeLessThanOrEqual(1e-9 + 1e-9 * Math.abs(want));
  });
}

test.each(cases.map((c, i) => [`${i} ${c.call}`, c] as const))('%s', (_, c) => {
  const names = Object.keys(c.given);
  const operands = names.map((name) => operand(c.given[name]));
  const call = new Function('torch', ...names, `return ${c.call}`) as (...args: unknown[]) => unknown;
  if (c.error) {
    expect(() => call(torch, ...operands)).toThrow(/^.{10,}/);
    return;
  }
  const out = flatten(call(torch, ...operands));
  expect(out.length).toBe(c.out!.length);
  out.forEach((t, i) => {
    expectSame(t, c.out![i]!);
  });
  if (!c.grads) return;
  const losses = out
    .filter((t) => t.requiresGrad)
    .map((t) => {
      const weight = torch.arange(t.numel(), { dtype: torch.float64 }).add(1).sin().reshape(t.shape);
      return t.mul(t).mul(weight).sum();
    });
  torch.stack(losses).sum().backward();
  for (const [name, grad] of Object.entries(c.grads)) {
    const leaf = operands[names.indexOf(name)] as torch.Tensor;
    if (grad === null) expect(leaf.grad === null || Number(leaf.grad.abs().sum().item()) === 0).toBe(true);
    else expectSame(leaf.grad!, grad);
  }
});
