// Calls that must fail: as PyTorch fails, and leaving everything as it was.
import torch from 'flambeau';
import { run } from './structured';
import { fixtures, fromSpec, numbers, recordOf, type Tensor } from './support';
import { rows } from './table/errors';
import { title } from './table/row';

interface Refusals {
  fingerprint: string;
  cases: { kind: string | null; message: string }[];
}
const records = fixtures<Refusals>('errors');

const CLASSES: Record<string, new (message: string) => Error> = { IndexError: RangeError, TypeError };

/** What PyTorch says here is about its own insides; the class of the error counts alone. */
const INSIDES = [
  /^lambda must be in range/,
  /^setStorage:/,
  /^expected m1 and m2/,
  /^The expanded size of the tensor \(2\) must match the existing size \(3\)/,
];
/** Messages that name PyTorch's kernels say only what they are about. */
function essence(message: string): string {
  const kernel = /^"\w+" (not implemented for '\w+')$/.exec(message);
  return kernel ? kernel[1]! : message.replace(/^permute\(sparse_coo\)/, 'permute(input.dim())').replace(/[ .]+$/, '');
}

describe.each(rows.map((row) => [title(row), row] as const))('%s', (_name, row) => {
  const cases = recordOf(records, title(row), row).cases.map(
    (refusal, i) => [refusal.message.slice(0, 70), refusal, row.cases[i]!] as const,
  );
  test.each(cases)('refuses: %s', (_message, { kind, message }, one) => {
    const made: [Tensor, number, number[]][] = [];
    let thrown: unknown;
    try {
      run(row, one, (spec) => {
        const t = fromSpec(spec);
        made.push([t, t._version, numbers(t)]);
        return t;
      });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    // An index out of range is a RangeError throughout; PyTorch says so for most ops and RuntimeError for some.
    const right = /^index -?\d+ is out of bounds/.test(message) ? RangeError : (CLASSES[kind!] ?? torch.RuntimeError);
    expect((thrown as Error).constructor.name).toBe(right.name);
    if (!INSIDES.some((words) => words.test(message)))
      expect(essence((thrown as Error).message)).toBe(essence(message));
    for (const [t, version, before] of made) expect([t._version, numbers(t)]).toEqual([version, before]);
  });
});

describe('an in-place op on', () => {
  const MESSAGE = 'a leaf Variable that requires grad is being used in an in-place operation.';
  test('a leaf that requires a gradient', () => {
    const leaf = torch.ones(3, { requiresGrad: true });
    for (const change of [
      () => leaf.add_(1),
      () => leaf.exp_(),
      () => leaf.zero_(),
      () => leaf.fill_(2),
      () => leaf.copy_(torch.zeros(3)),
      () => leaf.clamp_(0, 1),
    ]) {
      expect(change).toThrow(MESSAGE);
    }
    expect(leaf.tolist()).toEqual([1, 1, 1]);
    torch.noGrad(() => leaf.add_(1));
    expect(leaf.tolist()).toEqual([2, 2, 2]);
  });
  test('a view of such a leaf', () => {
    const leaf = torch.ones([2, 3], { requiresGrad: true });
    expect(() => leaf.select(0, 1).mul_(2)).toThrow(`a view of ${MESSAGE}`);
    expect(() => torch.ones(4).view(2, 2).requiresGrad_().exp_()).toThrow(`a view of ${MESSAGE}`);
  });
  test('an expanded tensor, which has several elements in one place', () => {
    const wide = torch.ones([1, 3]).expand(2, 3);
    expect(() => wide.add_(1)).toThrow(
      'unsupported operation: more than one element of the written-to tensor refers to a single memory location.',
    );
    expect(() => wide.uniform_()).toThrow(torch.RuntimeError);
    expect(wide.fill_(5).tolist()).toEqual([
      [5, 5, 5],
      [5, 5, 5],
    ]);
    expect(() => wide.copy_(torch.zeros([2, 3]))).toThrow(torch.RuntimeError);
  });
  test('memory that partly overlaps its operand', () => {
    const x = torch.arange(6).float();
    expect(() => x.narrow(0, 1, 5).add_(x.narrow(0, 0, 5))).toThrow(
      'unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location.',
    );
    expect(x.tolist()).toEqual([0, 1, 2, 3, 4, 5]);
  });
  test('a disposed tensor', () => {
    const x = torch.ones(2);
    x.dispose();
    for (const use of [
      () => x.add(1),
      () => x.shape,
      () => x.tolist(),
      () => torch.ones(2).add(x),
      () => torch.cat([x]),
      () => x.add_(1),
    ]) {
      expect(use).toThrow('the tensor was disposed and cannot be used any more');
    }
  });
});

test('sizes beyond memory are refused', () => {
  for (const make of [
    () => torch.zeros(2 ** 40, 2 ** 20),
    () => torch.empty([2 ** 31, 2 ** 31, 2 ** 31]),
    () => torch.ones(Number.MAX_SAFE_INTEGER),
    () => torch.arange(0, 1e18),
    () =>
      torch
        .ones(1)
        .expand(2 ** 40)
        .clone(),
    () => torch.ones([2, 1]).repeat(2 ** 30, 2 ** 30),
    () => torch.eye(2 ** 30),
  ]) {
    expect(make).toThrow(torch.RuntimeError);
  }
});
