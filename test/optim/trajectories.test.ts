// All optimizers against what PyTorch's did with the same gradients.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import torch, { nn, optim, type Tensor } from 'flambeau';

interface Recorded {
  shape: number[];
  dtype: string;
  values: number[];
}
interface Case {
  optimizer: keyof typeof optim & string;
  options: Record<string, unknown>;
  dtype: 'float32' | 'float64' | 'complex128';
  shapes: number[][];
  params: number[][];
  state_dict: { state: Record<string, Record<string, Recorded | number>>; param_groups: Record<string, unknown>[] };
  text: string;
}
const cases = JSON.parse(readFileSync(path.join(__dirname, '..', 'fixtures', 'optimizers.json'), 'utf8')) as Case[];
const STEPS = 6;

const camel = (key: string): string => key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
const camelOptions = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([k, v]) => [camel(k), v]));
const flat = (t: Tensor): number[] =>
  Array.from((t.dtype.isComplex ? torch.viewAsReal(t) : t).reshape(-1).toTypedArray(), Number);

/** The gradients of the recording: sin(1.3 step + 0.7 i + which). */
function wave(shape: number[], which: number, step: number, dtype: Case['dtype']): Tensor {
  const n = shape.reduce((a, b) => a * b, 1) * (dtype === 'complex128' ? 2 : 1);
  const x = torch.tensor(Float64Array.from({ length: n }, (_, i) => Math.sin(1.3 * step + 0.7 * i + which)));
  return dtype === 'complex128' ? torch.viewAsComplex(x.reshape([...shape, 2])) : x.reshape(shape).to(torch[dtype]);
}

function expectClose(found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(wanted[i]!)));
  }
}

/** A new optimizer of the case, after some of its steps. */
function run(
  c: Case,
  steps: number,
  params?: nn.Parameter[],
  from = 0,
): { params: nn.Parameter[]; opt: optim.Optimizer<object> } {
  const list = params ?? c.shapes.map((s, j) => new nn.Parameter(wave(s, j, -1, c.dtype)));
  const Class = optim[c.optimizer] as unknown as new (p: nn.Parameter[], options: object) => optim.Optimizer<object>;
  const opt = new Class(list, camelOptions(c.options));
  advance(c, opt, list, from, steps);
  return { params: list, opt };
}

function advance(c: Case, opt: optim.Optimizer<object>, params: nn.Parameter[], from: number, to: number): void {
  for (let step = from; step < to; step++) {
    params.forEach((p, j) => {
      p.grad = j === 1 && step === 2 ? null : wave([...p.shape], j, step, c.dtype);
    });
    opt.step();
  }
}

describe.each(cases.map((c) => [`${c.optimizer} ${JSON.stringify(c.options)} ${c.dtype}`, c] as const))(
  '%s',
  (_, c) => {
    // Muon computes in bfloat16, where another order of additions shows.
    const tolerance = c.optimizer === 'Muon' ? 5e-3 : c.dtype === 'float32' ? 3e-6 : 1e-12;

    test('takes the same steps', () => {
      const { params } = run(c, STEPS);
      params.forEach((p, j) => expectClose(flat(p.detach()), c.params[j]!, tolerance));
    });

    test('has the same state dict: keys, order and values', () => {
      const { opt } = run(c, STEPS);
      const dict = opt.stateDict();
      expect(Object.keys(dict)).toEqual(['state', 'param_groups']);
      expect([...dict.state.keys()].map(String)).toEqual(Object.keys(c.state_dict.state));
      for (const [number, wanted] of Object.entries(c.state_dict.state)) {
        const found = dict.state.get(Number(number))!;
        expect(Object.keys(found)).toEqual(Object.keys(wanted));
        for (const [key, value] of Object.entries(wanted)) {
          const t = found[key] as Tensor;
          expect(String(t.dtype)).toBe(`torch.${(value as Recorded).dtype}`);
          expect([...t.shape]).toEqual((value as Recorded).shape);
          expectClose(flat(t), (value as Recorded).values, tolerance);
        }
      }
      dict.param_groups.forEach((group, i) => {
        expect(Object.keys(group)).toEqual(Object.keys(c.state_dict.param_groups[i]!));
        expect(JSON.parse(JSON.stringify(group))).toEqual(c.state_dict.param_groups[i]);
      });
    });

    test('prints the same', () => {
      expect(String(run(c, 0).opt)).toBe(c.text);
    });

    test('goes on from a state dict as if it had not stopped', () => {
      const straight = run(c, STEPS);
      const { params, opt } = run(c, 3);
      const again = run(c, 3, params, 3);
      again.opt.loadStateDict(opt.stateDict());
      advance(c, again.opt, params, 3, STEPS);
      params.forEach((p, j) => expect(flat(p.detach())).toEqual(flat(straight.params[j]!.detach())));
    });
  },
);
