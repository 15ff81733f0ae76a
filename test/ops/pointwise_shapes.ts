// Elementwise ops over shapes and memory layouts: the result for an element depends on nothing but its operands.
import torch from 'flambeau';
import { LAYOUTS } from './layouts';
import { applied, columns, operands, type Records, samplesFor } from './pointwise_values';
import { expectSame, fromValues, numbers, recordOf, type Tensor } from './support';
import { type Pointwise, title } from './table/row';

/** Longer than twice the widest vector (16 floats) by one. */
const LONGEST = 33;

/** The types that a row is tried in: one for each kind of kernel. */
export function kinds(row: Pointwise, records: Records): string[] {
  const { dtypes } = recordOf(records, title(row), row);
  return ['float64', 'float32', 'int64', 'complex64', 'float16', 'uint8'].filter(
    (type) => dtypes[type] !== null && samplesFor(row, type) !== null,
  );
}
/** n elements per operand, going round the samples. */
export function cycled(row: Pointwise, type: string, n: number): Tensor[] {
  const lists = columns<unknown>(samplesFor(row, type)! as readonly (readonly unknown[])[]) as never[][];
  return operands(
    row,
    lists.map((list) => Array.from({ length: n }, (_, i) => list[(i * 7) % list.length]!)),
    type,
  );
}

export function checkLengths(row: Pointwise, records: Records): void {
  const fn = applied(row);
  test(`gives the same for every length up to ${LONGEST}, wherever it starts`, () => {
    for (const type of kinds(row, records)) {
      const whole = cycled(row, type, LONGEST + 3);
      const expected = fn(...whole);
      for (let n = 0; n <= LONGEST; n++) {
        for (const start of n % 4 === 0 ? [0, 1, 3] : [n % 3]) {
          expectSame(fn(...whole.map((t) => t.narrow(0, start, n))), expected.narrow(0, start, n));
        }
      }
    }
  });
}

export function checkShapes(row: Pointwise, records: Records): void {
  const fn = applied(row);
  test('keeps the shapes of 0-d tensors and of tensors without elements', () => {
    for (const type of kinds(row, records)) {
      const some = cycled(row, type, 1);
      expect(fn(...some.map((t) => t.reshape([]))).shape).toEqual([]);
      expectSame(fn(...some.map((t) => t.reshape([]))).reshape([1]), fn(...some));
      const none = cycled(row, type, 0).map((t) => t.reshape([2, 0, 3]));
      expect(fn(...none).shape).toEqual([2, 0, 3]);
    }
  });
  test.each(LAYOUTS)('reads tensors with %s', (_name, layout) => {
    for (const type of kinds(row, records)) {
      const plain = cycled(row, type, 24).map((t) => t.reshape([2, 3, 4]));
      const expected = fn(...plain);
      // Every operand in turn, then all of them.
      for (let mask = 1; mask < 2 ** row.arity; mask++) {
        expectSame(fn(...plain.map((t, k) => ((mask >> k) & 1 ? layout(t) : t))), expected);
      }
    }
  });
  test('reads expanded tensors', () => {
    for (const type of kinds(row, records)) {
      const plain = cycled(row, type, 4).map((t) => t.reshape([1, 4]));
      const wide = plain.map((t) => t.expand(3, 4));
      expectSame(fn(...wide), fn(...wide.map((t) => t.clone({ memoryFormat: 'contiguousFormat' }))));
    }
  });
  test('leaves its operands as they are', () => {
    for (const type of kinds(row, records)) {
      const given = cycled(row, type, 9);
      const before = given.map((t) => numbers(t));
      const versions = given.map((t) => t._version);
      fn(...given);
      expect(given.map((t) => numbers(t))).toEqual(before);
      expect(given.map((t) => t._version)).toEqual(versions);
    }
  });
  if (row.arity > 1) {
    test('broadcasts', () => {
      for (const type of kinds(row, records)) {
        const small = [[3, 1], [4], [2, 1, 1]];
        const given = cycled(row, type, 4).map((t, k) =>
          t
            .narrow(
              0,
              0,
              small[k]!.reduce((a, b) => a * b, 1),
            )
            .reshape(small[k]!),
        );
        const shape = row.arity === 2 ? [3, 4] : [2, 3, 4];
        const wide = given.map((t) => t.expand(shape).clone({ memoryFormat: 'contiguousFormat' }));
        expectSame(fn(...given), fn(...wide));
        // A 0-d operand and one without elements.
        const scalars = given.map((t, k) => (k === 0 ? t : t.reshape([-1]).narrow(0, 0, 1).reshape([])));
        const spread = scalars.map((t) => t.expand(3, 1).clone({ memoryFormat: 'contiguousFormat' }));
        expectSame(fn(...scalars), fn(...spread));
        const none = [given[0]!.narrow(0, 0, 0), ...given.slice(1)];
        expect(fn(...none).numel()).toBe(0);
      }
    });
    test('refuses shapes that do not broadcast, in the words of PyTorch', () => {
      const type = row.real ? 'float64' : 'int64';
      const given = cycled(row, type, 6).map((t, k) => t.reshape(k === 0 ? [2, 3] : [3, 2]));
      expect(() => fn(...given)).toThrow(torch.RuntimeError);
      expect(() => fn(...given)).toThrow(
        /^The size of tensor a \([23]\) must match the size of tensor b \([23]\) at non-singleton dimension 1$/,
      );
    });
  }
}

/** JavaScript numbers as operands are what a tensor of that value in the type of the other operand is. */
export function checkNumbers(row: Pointwise): void {
  if (row.arity !== 2 || row.numbers === undefined) return;
  const fn = applied(row);
  const type = row.real ? 'float64' : 'int64';
  const value = row.ints !== undefined && !row.real ? 3 : 0.5;
  const filled = (like: Tensor): Tensor => fromValues(new Array<number>(like.numel()).fill(value), like.shape, type);
  if (row.numbers === 'none') {
    test('takes no numbers as operands', () => {
      const [a, b] = cycled(row, type, 5) as [Tensor, Tensor];
      expect(() => fn(a, value)).toThrow(TypeError);
      expect(() => fn(value, b)).toThrow(TypeError);
    });
    return;
  }
  test('takes a number as its second operand', () => {
    const [a] = cycled(row, type, 19) as [Tensor, Tensor];
    expectSame(fn(a, value), fn(a, filled(a)));
  });
  if (row.numbers === 'either') {
    test('takes a number as its first operand', () => {
      const b = cycled(row, type, 19)[1]!;
      expectSame(fn(value, b), fn(filled(b), b));
    });
  } else {
    test('takes no number as its first operand', () => {
      const b = cycled(row, type, 5)[1]!;
      expect(() => fn(value, b)).toThrow(TypeError);
    });
  }
}
