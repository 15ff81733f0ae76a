// Values, types and gradients of elementwise ops.
import torch from 'flambeau';
import {
  ALL_TYPES,
  type Callable,
  decode,
  dtype,
  expectClose,
  expectSame,
  fromValues,
  functionOf,
  isComplexName,
  isFloatName,
  methodOf,
  numbers,
  type PointwiseRecord,
  recordOf,
  rounded,
  show,
  type Tensor,
  ulp,
} from './support';
import { argument } from './support';
import { type ComplexSpec, grid, type Pointwise, title } from './table/row';

export type Records = Record<string, PointwiseRecord>;

/** The op with the row's further arguments. */
export function applied(row: Pointwise, name = row.op): (...operands: unknown[]) => Tensor {
  const extra = (row.extra ?? []).map((a) => argument(a));
  if (row.options) extra.push(Object.fromEntries(Object.entries(row.options).map(([k, v]) => [k, argument(v)])));
  const fn: Callable = functionOf(name);
  return (...operands) => fn(...operands, ...extra) as Tensor;
}
export function extraOf(row: Pointwise): unknown[] {
  const extra = (row.extra ?? []).map((a) => argument(a));
  return row.options ? [...extra, row.options] : extra;
}

/** All combinations of the operands' samples, a list per operand. */
export function columns<T>(samples: readonly (readonly T[])[]): T[][] {
  let rows: T[][] = [[]];
  for (const list of samples) rows = rows.flatMap((row) => list.map((v) => [...row, v]));
  return samples.map((_, k) => rows.map((row) => row[k]!));
}
const truth = (v: number | ComplexSpec): number => (typeof v === 'object' || v > 0 ? 1 : 0);
/** The operands of a row in a type. */
export function operands(
  row: Pointwise,
  lists: readonly (readonly (number | ComplexSpec)[])[],
  type: string,
): Tensor[] {
  return lists.map((list, k) => {
    if (row.masked && k === 0) return fromValues(list.map(truth), [list.length], 'bool');
    const flat = list.flatMap((v) => (typeof v === 'object' ? [v.re, v.im] : isComplexName(type) ? [v, 0] : [v]));
    return fromValues(flat, [list.length], type);
  });
}
/** The samples of a row that suit a type; null if it has none. */
export function samplesFor(row: Pointwise, type: string): readonly (readonly (number | ComplexSpec)[])[] | null {
  if (isComplexName(type)) return row.complex ?? null;
  if (isFloatName(type)) return row.real ?? null;
  if (row.ints === undefined) return null;
  return type === 'uint8' || type === 'bool'
    ? row.ints.map((list) => list.filter((v) => v >= 0 && (type === 'uint8' || v <= 1)))
    : row.ints;
}

function label(lists: readonly (readonly (number | ComplexSpec)[])[], perElement: number): (i: number) => string {
  return (i) => {
    const at = Math.floor(i / perElement);
    return `f(${lists.map((list) => (typeof list[at] === 'object' ? JSON.stringify(list[at]) : show(list[at] as number))).join(', ')})`;
  };
}

/** PyTorch's values, in each type for which they are recorded or follow. */
export function checkValues(row: Pointwise, records: Records): void {
  const fn = applied(row);
  const record = (): PointwiseRecord => recordOf(records, title(row), row);
  const ulps = row.ulps ?? 4;
  const signed = !row.anyZero;
  /** What loses its digits below the smallest normal number, and what the row allows near zeros. */
  const absolute = (type: string): number =>
    (row.absolute ?? 0) * ulp(1, type) + (type === 'float32' ? 1e-42 : ulp(0, type));
  const corrected = (values: number[], inputs: readonly number[]): number[] =>
    values.map((v, i) => row.instead?.find(([input]) => Object.is(input, inputs[i]))?.[1] ?? v);
  if (row.real) {
    test('gives the values of PyTorch in float64', () => {
      const lists = columns(row.real!);
      const found = fn(...operands(row, lists, 'float64'));
      const expected = corrected(record().values.float64!.map(decode), lists[0]!);
      expectClose(
        numbers(found),
        expected,
        'float64',
        { ulps: 4 * ulps, absolute: absolute('float64'), signed },
        label(lists, found.dtype.isComplex ? 2 : 1),
      );
    });
    test.each(['float32', 'float16', 'bfloat16'])('rounds the same values to %s', (type) => {
      const { values, dtypes } = record();
      if (dtypes[type] === null && !row.more?.[type])
        return void expect(() => fn(...operands(row, columns(row.real!), type))).toThrow(torch.RuntimeError);
      // Inputs that the type cannot hold are left out.
      const all = columns(row.real!);
      const kept = all[0]!
        .map((_, i) => i)
        .filter((i) => all.every((list) => Number.isNaN(list[i]!) || rounded(list[i]!, type) === list[i]));
      const lists = all.map((list) => kept.map((i) => list[i]!));
      const result = fn(...operands(row, lists, type));
      const per = result.dtype.isComplex ? 2 : 1;
      const reference = corrected(values[row.perType ? type : 'float64']!.map(decode), all[0]!);
      const to = type === 'float16' && result.dtype.isComplex ? 'float32' : type;
      const expected = kept.flatMap((i) =>
        Array.from({ length: per }, (_, p) =>
          rounded(reference[i * per + p]!, result.dtype === torch.bool ? 'float64' : to),
        ),
      );
      const found = numbers(result);
      // A half type is rounded once from float32, so only a neighbour may come out.
      expectClose(
        found,
        expected,
        to,
        { ulps: type === 'float32' ? ulps : 1, absolute: absolute(to), signed },
        label(lists, per),
      );
    });
  }
  if (row.complex) {
    test.each([
      ['complex128', 1e-14],
      ['complex64', 4e-6],
    ] as const)('gives the values of PyTorch in %s', (type, relative) => {
      const lists = columns(row.complex!);
      const found = fn(...operands(row, lists, type));
      const expected = record().values.complex128!.map(decode);
      const per = found.dtype.isComplex ? 2 : 1;
      const values = numbers(found);
      // Each number is judged by its own size.
      for (let i = 0; i < expected.length; i += per) {
        expectClose(
          values.slice(i, i + per),
          expected.slice(i, i + per),
          type,
          { relative: relative * (ulps / 4), signed: false },
          () => label(lists, per)(i),
        );
      }
      expect(values.length).toBe(expected.length);
    });
  }
  if (row.ints) {
    test.each(['int8', 'int16', 'int32', 'int64', 'uint8'])('gives the values of PyTorch in %s', (type) => {
      const { values, dtypes } = record();
      const lists = columns(samplesFor(row, type)!);
      if (dtypes[type] === null) return void expect(() => fn(...operands(row, lists, type))).toThrow();
      const found = fn(...operands(row, lists, type));
      const float = isFloatName(found.dtype.name);
      const allowed = float ? { ulps: 2 * ulps, absolute: absolute('float32'), signed } : {};
      expectClose(numbers(found), values[type]!.map(decode), found.dtype.name, allowed, label(lists, 1));
    });
  }
}

/** Which types are taken, and the types of the results. */
export function checkDtypes(row: Pointwise, records: Records): void {
  const fn = applied(row);
  test('takes the types that PyTorch takes and gives results of the same types', () => {
    const { dtypes } = recordOf(records, title(row), row);
    const found = Object.fromEntries(
      ALL_TYPES.map((type) => {
        const ones = Array.from({ length: row.arity }, (_, k) =>
          torch.ones(2, { dtype: dtype(row.masked && k === 0 ? 'bool' : type) }),
        );
        try {
          return [type, fn(...ones).dtype.name];
        } catch (error) {
          if (error instanceof torch.RuntimeError || error instanceof TypeError) return [type, null];
          throw error;
        }
      }),
    );
    expect(found).toEqual({ ...dtypes, ...row.more });
  });
  for (const alias of row.variant === undefined ? (row.aliases ?? []) : []) {
    test(`is also ${alias}`, () => {
      const type = row.real ? 'float64' : 'int64';
      const args = operands(row, columns(samplesFor(row, type)!), type);
      expectSame(applied(row, alias)(...args), fn(...args));
      expectSame(methodOf(args[0], alias)(...args.slice(1), ...extraOf(row)) as Tensor, fn(...args));
    });
  }
}

function slopeInputs(row: Pointwise, type: string, shape: readonly number[] = [5]): unknown[] {
  return row.slopes!.map((range, k) => {
    if (row.masked && k === 0)
      return fromValues(
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % 2),
        shape,
        'bool',
      );
    const [low, high] = range ?? [2, 3];
    const { values } = grid(shape, low, high, { seed: k + 1, dtype: type, avoid: row.kinks ?? [] });
    const t = fromValues(values, shape, type);
    return range === null ? t : t.requiresGrad_();
  });
}
/** First and second derivatives against finite differences. */
export function checkGradients(row: Pointwise): void {
  const fn = applied(row);
  if (row.slopes === undefined) return;
  if (row.real) {
    test('has the derivative that finite differences give', () => {
      torch.autograd.gradcheck(fn as never, slopeInputs(row, 'float64') as never);
    });
    test('has the second derivative that finite differences give', () => {
      torch.autograd.gradgradcheck(fn as never, slopeInputs(row, 'float64') as never);
    });
    if (row.arity > 1) {
      test('sums the gradient of a broadcast operand', () => {
        const shapes = [[2, 3], [3], [2, 1]];
        const inputs = row.slopes!.map((_, k) => slopeInputs(row, 'float64', shapes[k]!)[k]);
        torch.autograd.gradcheck(fn as never, inputs as never);
      });
    }
  }
  if (row.complex && row.complexSlopes !== false) {
    test('has the complex derivative that finite differences give', () => {
      torch.autograd.gradcheck(fn as never, slopeInputs(row, 'complex128', [3]) as never);
    });
    test('has the second complex derivative that finite differences give', () => {
      torch.autograd.gradgradcheck(fn as never, slopeInputs(row, 'complex128', [2]) as never);
    });
  }
}
