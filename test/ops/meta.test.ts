// Every row of the table on the meta device: the sizes and types of the CPU's results, or a proper refusal.
import torch, { Tensor } from 'flambeau';
import { fromSpec } from './support';
import { run } from './structured';
import { rows as activation } from './table/activation';
import { rows as arrange } from './table/arrange';
import { rows as binary } from './table/binary';
import { rows as creation } from './table/creation';
import { rows as layers } from './table/layers';
import { rows as matmul } from './table/matmul';
import { rows as reduce } from './table/reduce';
import { type Case, type Pointwise, type Spec, type Structured, title } from './table/row';
import { rows as unary } from './table/unary';
import { rows as view } from './table/view';

const onMeta = (spec: Spec): Tensor => fromSpec(spec).to('meta');

/** Sizes and types of all tensors in a result, in order; other values as they are. */
function outline(value: unknown): unknown {
  if (value instanceof Tensor) return `${value.dtype.name}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) return value.map(outline);
  return value;
}
function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsOf) : [];
}
/** What a call gives, or the error's message. */
function outcome(fn: () => unknown): { value: unknown } | { error: string } {
  try {
    return { value: fn() };
  } catch (e) {
    return { error: (e as Error).message };
  }
}

/** What ops say that cannot do without elements. */
const REFUSED = /meta/;

/** Backward through a result: the sizes of the gradients of all leaves. */
function gradients(call: (make: (spec: Spec) => Tensor) => unknown, make: (spec: Spec) => Tensor): unknown {
  const leaves: Tensor[] = [];
  const value = call((spec) => {
    const t = make(spec);
    if (t.isFloatingPoint() || t.isComplex()) leaves.push(t.requiresGrad_());
    return t;
  });
  const roots = tensorsOf(value).filter((t) => t.gradFn !== null);
  torch.autograd.backward(
    roots,
    roots.map((t) => torch.onesLike(t)),
  );
  return leaves.map(({ grad }) => outline(grad));
}

/** The rows that need elements, with the number of their cases that are refused. */
const refused = new Map<string, number>();
let served = 0;

function check(row: Pointwise | Structured, call: (make: (spec: Spec) => Tensor) => unknown): void {
  const here = outcome(() => call(fromSpec));
  const there = outcome(() => call(onMeta));
  if ('error' in here) {
    expect('error' in there && (there.error === here.error || REFUSED.test(there.error))).toBe(true);
    return;
  }
  if ('error' in there) {
    expect(there.error).toMatch(REFUSED);
    refused.set(title(row), (refused.get(title(row)) ?? 0) + 1);
    return;
  }
  served++;
  expect(outline(there.value)).toEqual(outline(here.value));
  const made = tensorsOf(there.value);
  const given = JSON.stringify(row).includes('"tensor":true') || 'arity' in row;
  if (given) expect(made.filter((t) => !t.isMeta)).toEqual([]);
  const slopes = outcome(() => gradients(call, fromSpec));
  if ('value' in slopes) expect(outcome(() => gradients(call, onMeta))).toEqual(slopes);
}

const structured = [...arrange, ...layers, ...matmul, ...reduce, ...view];
describe.each(structured.map((row) => [title(row), row] as const))('%s', (_name, row) => {
  test.each(row.cases.map((one, i) => [i, one] as const))('call %i', (_i, one: Case) => {
    check(row, (make) => run(row, one, make));
  });
});

const samples = (row: Pointwise): Spec[][] => {
  const kinds = [
    [row.real, 'float32', 1],
    [row.real, 'bfloat16', 1],
    [row.ints, 'int32', 1],
    [row.complex, 'complex64', 2],
  ] as const;
  return kinds.flatMap(([values, dtype, parts]) =>
    values === undefined
      ? []
      : [
          Array.from({ length: row.arity }, (_, k): Spec => {
            const shape = k === 0 ? [2, 3] : k === 1 ? [3] : [2, 1];
            const type = row.masked && k === 0 ? 'bool' : dtype;
            const n = shape.reduce((a, b) => a * b, 1) * (type === 'bool' ? 1 : parts);
            return { tensor: true, dtype: type, shape, values: new Array<number>(n).fill(type === 'int32' ? 1 : 0.5) };
          }),
        ],
  );
};
describe.each([...unary, ...activation, ...binary].map((row) => [title(row), row] as const))('%s', (_name, row) => {
  test.each(samples(row).map((specs) => [specs.map((s) => s.dtype).join(), specs] as const))('%s', (_types, specs) => {
    const extra = row.extra ?? [];
    const one: Case = { args: [...specs, ...extra], ...(row.options && { options: row.options }) };
    check(row, (make) => run({ ...row, cases: [] } as Structured, one, make));
  });
});

test.each(creation.map((row) => [title(row), row] as const))('%s takes the device', (_name, row) => {
  for (const one of row.cases) {
    const here = outcome(() => run(row, one));
    if ('error' in here || !(here.value instanceof Tensor)) continue;
    const there = outcome(() => torch.device('meta', () => run(row, one, onMeta)));
    expect(outline((there as { value: unknown }).value)).toEqual(outline(here.value));
    expect((there as { value: Tensor }).value.isMeta).toBe(true);
  }
});

test('how many serve', () => {
  // Results whose size depends on values, and answers that are no tensors.
  expect(Object.fromEntries(refused)).toEqual({
    allclose: 4,
    argwhere: 2,
    bincount: 3,
    equal: 3,
    maskedSelect: 1,
    oneHot: 1,
    repeatInterleave: 1,
    unique: 1,
  });
  expect(served).toBeGreaterThan(900);
});
