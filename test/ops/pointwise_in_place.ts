// The in-place forms: the same values, written where they belong, with everything that autograd must know.
import torch from 'flambeau';
import { LAYOUTS, roomOf } from './layouts';
import { applied, extraOf, type Records } from './pointwise_values';
import { cycled, kinds } from './pointwise_shapes';
import { type Callable, expectSame, fromValues, functionOf, methodOf, numbers, recordOf, type Tensor } from './support';
import { grid, type Pointwise, title } from './table/row';

/** Ranks of types for what may be stored in place: bool, integers, floats, complex. */
function category(type: string): number {
  return type === 'bool' ? 0 : type.startsWith('complex') ? 3 : /float/.test(type) ? 2 : 1;
}

/** The in-place form: a method, or what a function of nn.functional does when asked to. */
function inPlaceOf(self: unknown, op: string): Callable {
  if (typeof (self as Record<string, unknown>)[`${op}_`] === 'function') return methodOf(self, `${op}_`);
  return (...rest) => functionOf(op)(self, ...rest, { inplace: true });
}

export function checkInPlace(row: Pointwise, records: Records): void {
  const fn = applied(row);
  const run = (self: unknown, ...rest: unknown[]): Tensor =>
    inPlaceOf(self, row.op)(...rest, ...extraOf(row)) as Tensor;
  if (!row.inPlace) return;
  const record = () => recordOf(records, title(row), row);

  test('in place gives the same values in the same tensor and counts a version', () => {
    for (const type of kinds(row, records)) {
      const [self, ...rest] = cycled(row, type, 19) as [Tensor, ...Tensor[]];
      const expected = fn(self, ...rest);
      if (category(expected.dtype.name) > category(type)) continue;
      const version = self._version;
      expect(run(self, ...rest)).toBe(self);
      expect(self._version).toBe(version + 1);
      expectSame(self, expected.to(self.dtype));
    }
  });
  for (const alias of row.variant === undefined ? (row.aliases ?? []) : []) {
    test(`in place is also ${alias}_`, () => {
      const [self, ...rest] = cycled(row, kinds(row, records)[0]!, 19) as [Tensor, ...Tensor[]];
      const [expected, version] = [fn(self, ...rest), self._version];
      const [native, wanted] = [category(self.dtype.name), category(expected.dtype.name)];
      if (wanted > native) throw new Error('the first type of a row must hold its results');
      expect(methodOf(self, `${alias}_`)(...rest, ...extraOf(row))).toBe(self);
      expect(self._version).toBe(version + 1);
      expectSame(self, expected.to(self.dtype));
    });
  }
  test.each(LAYOUTS)('in place writes tensors with %s, and nothing beside them', (_name, layout) => {
    for (const type of kinds(row, records)) {
      const [plain, ...rest] = cycled(row, type, 24).map((t) => t.reshape([2, 3, 4])) as [Tensor, ...Tensor[]];
      const expected = fn(plain, ...rest);
      if (category(expected.dtype.name) > category(type)) continue;
      const self = layout(plain);
      run(self, ...rest.map(layout));
      expectSame(self, expected.to(self.dtype));
      // The places of the room that the view does not cover hold the zeros that they were made with.
      const room = roomOf(self);
      const covered = torch.zeros(room.numel(), { dtype: torch.bool });
      covered.asStrided([...self.shape], [...self.stride()], self.storageOffset()).fill_(true);
      expect(room.ne(0).logicalAnd(covered.logicalNot()).any().item()).toBe(false);
    }
  });
  test('in place refuses a result that the type cannot hold, and changes nothing', () => {
    const { dtypes } = record();
    for (const type of ['int64', 'uint8', 'bool']) {
      const result = dtypes[type];
      if (!result || category(result) <= category(type)) continue;
      const ones = Array.from({ length: row.arity }, () => fromValues([1, 1, 1], [3], type));
      const version = ones[0]!._version;
      expect(() => run(...(ones as [Tensor]))).toThrow(torch.RuntimeError);
      expect(() => run(...(ones as [Tensor]))).toThrow("can't be cast to the desired output type");
      expect([...numbers(ones[0]!), ones[0]!._version]).toEqual([1, 1, 1, version]);
    }
  });
  if (row.arity > 1) {
    test('in place refuses to grow, and takes what broadcasts to it', () => {
      for (const type of kinds(row, records)) {
        const [self, ...rest] = cycled(row, type, 3) as [Tensor, ...Tensor[]];
        const wide = rest.map((t) => t.reshape([3, 1]).expand(3, 3));
        expect(() => run(self.clone(), ...wide)).toThrow(torch.RuntimeError);
        const expected = fn(self.reshape([3, 1]).expand(3, 3), ...rest);
        if (category(expected.dtype.name) > category(type)) continue;
        expectSame(
          run(self.reshape([3, 1]).expand(3, 3).clone({ memoryFormat: 'contiguousFormat' }), ...rest),
          expected.to(self.dtype),
        );
      }
    });
    test('in place works when an operand is the tensor itself', () => {
      for (const type of kinds(row, records)) {
        const self = cycled(row, type, 19)[row.arity - 1]!;
        const same = Array.from({ length: row.arity }, () => self.clone());
        let expected: Tensor;
        try {
          expected = fn(...same);
        } catch {
          continue; // a sample that is no operand on that side: a division by zero
        }
        if (category(expected.dtype.name) > category(type)) continue;
        run(self, ...new Array<Tensor>(row.arity - 1).fill(self));
        expectSame(self, expected.to(self.dtype));
      }
    });
  }
  if (row.slopes === undefined || row.slopes[0] === null || !row.real) return;
  const ranges = row.slopes;
  const inputs = (): Tensor[] =>
    ranges.map((range, k) =>
      fromValues(
        grid([5], ...(range ?? [2, 3]), { seed: k + 1, avoid: row.kinks ?? [] }).values,
        [5],
        'float64',
      ).requiresGrad_(range !== null),
    );
  test('in place has the same derivative', () => {
    torch.autograd.gradcheck(
      ((self: Tensor, ...rest: Tensor[]) => run(self.mul(1), ...rest)) as never,
      inputs() as never,
    );
  });
  test('in place refuses a leaf that requires a gradient', () => {
    const [leaf, ...rest] = inputs() as [Tensor, ...Tensor[]];
    const before = numbers(leaf);
    expect(() => run(leaf, ...rest)).toThrow(
      'a leaf Variable that requires grad is being used in an in-place operation.',
    );
    expect(numbers(leaf)).toEqual(before);
  });
}
