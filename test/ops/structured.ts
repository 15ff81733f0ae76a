// What follows from the rows of ops that are listed call by call.
import torch from 'flambeau';
import { LAYOUTS } from './layouts';
import {
  ALL_TYPES,
  argument,
  decode,
  dtype,
  expectClose,
  fixtures,
  fromSpec,
  functionOf,
  isComplexName,
  isFloatName,
  isSpec,
  methodOf,
  numbers,
  type Outcome,
  type Recorded,
  recordOf,
  type StructuredRecord,
  Tensor,
} from './support';
import { type Case, type Spec, type Structured, title } from './table/row';

/** Calls the op of a row; `tensorOf` makes the tensors among the arguments. */
export function run(row: Structured, one: Case, tensorOf: (spec: Spec) => Tensor = fromSpec, name = row.op): unknown {
  const args = one.args.map((a) => argument(a, tensorOf));
  if (one.options)
    args.push(Object.fromEntries(Object.entries(one.options).map(([k, v]) => [k, argument(v, tensorOf)])));
  return functionOf(name)(...args);
}

function expectOutcome(found: unknown, expected: Outcome, tolerance: number, where: string): void {
  if (Array.isArray(expected)) {
    expect([where, (found as unknown[]).length]).toEqual([where, expected.length]);
    for (let i = 0; i < expected.length; i++)
      expectOutcome((found as unknown[])[i], expected[i]!, tolerance, `${where}[${i}]`);
  } else if (typeof expected === 'object') {
    expectTensor(found as Tensor, expected, tolerance, where);
  } else expect([where, found]).toEqual([where, expected]);
}
function expectTensor(found: Tensor, expected: Recorded, tolerance: number, where: string): void {
  expect([where, found.dtype.name, ...found.shape]).toEqual([where, expected.dtype, ...expected.shape]);
  const exact = !isFloatName(expected.dtype) && !isComplexName(expected.dtype);
  const relative = exact ? 0 : expected.dtype === 'float64' || expected.dtype === 'complex128' ? tolerance : 3e-7;
  expectClose(
    numbers(found),
    expected.values.map(decode),
    expected.dtype,
    { relative, absolute: exact ? 0 : 1e-15, ulps: exact ? 0 : 4 },
    (i) => `${where}, element ${i}`,
  );
}

/** A call as a title. */
function shown(one: Case): string {
  const arg = (v: unknown): string =>
    isSpec(v)
      ? `${v.dtype}[${v.shape.join(', ')}]`
      : Array.isArray(v)
        ? `[${v.map(arg).join(', ')}]`
        : v === null
          ? 'null'
          : typeof v === 'object'
            ? JSON.stringify(v)
            : String(v);
  const options = Object.entries(one.options ?? {}).map(([k, v]) => `${k}: ${arg(v)}`);
  return [...one.args.map(arg), ...(options.length ? [`{ ${options.join(', ')} }`] : [])].join(', ');
}

/** Where a tensor stands: an argument, or an element of one that is a list. */
type Place = readonly [argument: number, element?: number];

/** The differentiable tensors among the positional arguments. */
function differentiable(one: Case, type: (name: string) => boolean): Place[] {
  const fits = (a: unknown): boolean =>
    isSpec(a) && type(a.dtype) && a.values.length > 0 && a.values.every(Number.isFinite);
  return one.args.flatMap((a, i): Place[] => {
    if (Array.isArray(a)) return a.flatMap((b, k): Place[] => (fits(b) ? [[i, k]] : []));
    return fits(a) ? [[i]] : [];
  });
}
/** Those of them that a row wants checked. */
function checked(row: Structured, one: Case, type: (name: string) => boolean): Place[] {
  const wanted = row.grad ?? true;
  if (typeof wanted !== 'object') return wanted === true ? differentiable(one, type) : [];
  return differentiable(one, type).filter(([i]) => wanted.includes(i));
}
/** The op as a function of its differentiable arguments, and those. */
function asFunction(row: Structured, one: Case, places: readonly Place[]): [fn: never, inputs: never] {
  const inputs = places.map(([i, k]) => {
    const a = one.args[i];
    return fromSpec((k === undefined ? a : (a as readonly unknown[])[k]) as Spec).requiresGrad_();
  });
  const rest = one.args.map((a) => argument(a));
  const options = one.options && Object.fromEntries(Object.entries(one.options).map(([k, v]) => [k, argument(v)]));
  const call = functionOf(row.op);
  const fn = (...given: Tensor[]): unknown => {
    const args = rest.map((a) => (Array.isArray(a) ? [...a] : a));
    places.forEach(([i, k], at) => {
      if (k === undefined) args[i] = given[at];
      else (args[i] as unknown[])[k] = given[at];
    });
    return call(...args, ...(options ? [options] : []));
  };
  return [fn as never, inputs as never];
}
/** Whether any tensor among the results carries a gradient. */
function recordsGradient(value: unknown): boolean {
  return value instanceof Tensor ? value.requiresGrad : Array.isArray(value) && value.some(recordsGradient);
}

/** Declares the tests of a file of the table. */
export function checkFile(file: string, rows: readonly Structured[]): void {
  const records = fixtures<StructuredRecord>(file);
  describe.each(rows.map((row) => [title(row), row] as const))('%s', (_name, row) => {
    const record = (): StructuredRecord => recordOf(records, title(row), row);
    test.each(row.cases.map((one, i) => [shown(one), one, i] as const))(
      '(%s) gives the values of PyTorch',
      (name, one, i) => {
        expectOutcome(run(row, one), record().cases[i]!, row.tolerance ?? 1e-13, name);
      },
    );
    if (row.types !== false) checkTypes(row, record);
    if (row.layouts !== false) checkLayouts(row, record);
    checkGradients(row);
    for (const alias of row.aliases ?? []) {
      test(`is also ${alias}`, () => {
        row.cases.forEach((one, i) =>
          expectOutcome(run(row, one, fromSpec, alias), record().cases[i]!, row.tolerance ?? 1e-13, alias),
        );
      });
    }
    test('is a method too, if it is a method of PyTorch', () => {
      const [first] = row.cases;
      const self = argument(first!.args[0]!);
      if (!(self instanceof Tensor) || typeof (self as unknown as Record<string, unknown>)[row.op] !== 'function') {
        return void expect(functionOf(row.op).name).not.toBe('');
      }
      const rest = first!.args.slice(1).map((a) => argument(a));
      const options = first!.options
        ? [Object.fromEntries(Object.entries(first!.options).map(([k, v]) => [k, argument(v)]))]
        : [];
      expectOutcome(methodOf(self, row.op)(...rest, ...options), record().cases[0]!, row.tolerance ?? 1e-13, 'method');
    });
  });
}

function checkTypes(row: Structured, record: () => StructuredRecord): void {
  const first = row.cases[0]!;
  const inType = (type: string): unknown =>
    run(row, first, (spec) => fromSpec(spec, spec.dtype === 'float64' ? type : spec.dtype));
  const names = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.map((v: Tensor) => v.dtype.name)
      : value instanceof Tensor
        ? [value.dtype.name]
        : ['bool'];
  test('takes the types that PyTorch takes and gives results of the same types', () => {
    const found = Object.fromEntries(
      ALL_TYPES.map((type) => {
        try {
          return [type, names(inType(type))];
        } catch (error) {
          if (error instanceof torch.RuntimeError || error instanceof TypeError) return [type, null];
          throw error;
        }
      }),
    );
    for (const type of row.more ?? []) {
      expect([type, found[type]]).not.toEqual([type, null]);
      found[type] = null;
    }
    expect(found).toEqual(record().dtypes);
  });
  test.each([
    ['float32', 2e-6],
    ['float16', 1e-2],
    ['bfloat16', 8e-2],
  ] as const)('gives in %s what float64 gives, rounded', (type, relative) => {
    if (!record().dtypes![type] && !row.more?.includes(type)) return void expect(() => inType(type)).toThrow();
    // The same inputs in float64: what the type cannot hold is rounded first.
    const held = (spec: Spec): Tensor => fromSpec(spec, spec.dtype === 'float64' ? type : spec.dtype);
    const wide = run(row, first, (spec) => (spec.dtype === 'float64' ? held(spec).to(torch.float64) : fromSpec(spec)));
    const compare = (a: unknown, b: unknown): void => {
      if (Array.isArray(b)) b.forEach((v, i) => compare((a as unknown[])[i], v));
      else if (b instanceof Tensor) {
        expect((a as Tensor).shape).toEqual(b.shape);
        const exact = !b.dtype.isFloatingPoint && !b.dtype.isComplex;
        expectClose(numbers(a as Tensor), numbers(b), type, exact ? {} : { relative, ulps: 2 });
      } else expect(a).toBe(b);
    };
    compare(inType(type), wide);
  });
}

function checkLayouts(row: Structured, record: () => StructuredRecord): void {
  test.each(LAYOUTS)('reads tensors with %s', (_name, layout) => {
    row.cases.forEach((one, i) => {
      expectOutcome(
        run(row, one, (spec) => layout(fromSpec(spec))),
        record().cases[i]!,
        row.tolerance ?? 1e-13,
        shown(one),
      );
    });
  });
  test('leaves its arguments as they are', () => {
    for (const one of row.cases) {
      const made: [Tensor, number, number[]][] = [];
      run(row, one, (spec) => {
        const t = fromSpec(spec);
        made.push([t, t._version, numbers(t)]);
        return t;
      });
      for (const [t, version, before] of made) expect([t._version, numbers(t)]).toEqual([version, before]);
    }
  });
}

function checkGradients(row: Structured): void {
  const floating = (name: string): boolean => name === 'float64' || isComplexName(name);
  const constant = row.grad === false ? row.cases.filter((one) => differentiable(one, floating).length > 0) : [];
  if (constant.length > 0) {
    test('has results without a gradient', () => {
      for (const one of constant) {
        const [fn, inputs] = asFunction(row, one, differentiable(one, floating));
        if (recordsGradient((fn as (...a: unknown[]) => unknown)(...(inputs as unknown[]))))
          throw new Error(`the result of (${shown(one)}) carries a gradient, which the row says nothing of`);
      }
    });
  }
  for (const [kind, holds] of [
    ['', (name: string) => name === 'float64'],
    ['complex ', isComplexName],
  ] as const) {
    const cases = row.cases
      .map((one) => [shown(one), one, checked(row, one, holds)] as const)
      .filter(([, , places]) => places.length > 0);
    if (cases.length === 0) continue;
    test.each(cases)(`(%s) has the ${kind}derivatives that finite differences give`, (_name, one, places) => {
      const [fn, inputs] = asFunction(row, one, places);
      if (!recordsGradient((fn as (...a: unknown[]) => unknown)(...(inputs as unknown[]))))
        throw new Error('the result carries no gradient');
      torch.autograd.gradcheck(fn, inputs);
      torch.autograd.gradgradcheck(fn, inputs);
    });
  }
}

/** A type by name, for tests beside the table. */
export { dtype };
