// In-place forms of ops that are not elementwise: what their out-of-place forms give, in the tensor itself.
import torch, { type Tensor } from 'flambeau';
import { LAYOUTS } from './layouts';
import { expectSame, functionOf, methodOf } from './support';

const matrix = (): Tensor => torch.arange(12).reshape([3, 4]).float().sub(5).clone();
const truths = torch.arange(12).reshape([3, 4]).remainder(3).eq(0);
const rows = torch.tensor([2, 0, 2], { dtype: torch.int64 });
const order = torch.tensor([2, 0, 1], { dtype: torch.int64 });
const source = torch.arange(12).reshape([3, 4]).float().mul(0.5);

const FORMS: readonly (readonly [name: string, ...args: unknown[]])[] = [
  ['cumsum_', 1],
  ['cumprod_', 0],
  ['tril_', -1],
  ['triu_', 1],
  ['maskedFill_', truths, 7],
  ['maskedScatter_', truths, source],
  ['indexAdd_', 0, rows, source],
  ['indexCopy_', 0, order, source],
  ['indexFill_', 1, rows, 3],
  ['indexReduce_', 0, rows, source, 'amax'],
  ['scatterAdd_', 0, truths.long(), source],
  ['scatterReduce_', 0, truths.long(), source, 'prod'],
  ['put_', rows, torch.tensor([1, 2, 3]).float(), true],
];

describe.each(FORMS.map(([name, ...args]) => [name, args] as const))('%s', (name, args) => {
  const run = (x: Tensor): unknown => methodOf(x, name)(...args);
  const expected = (): Tensor => functionOf(name.slice(0, -1))(matrix(), ...args) as Tensor;
  test('gives the values of its out-of-place form and counts a version', () => {
    const x = matrix();
    const version = x._version;
    expect(run(x)).toBe(x);
    expectSame(x, expected());
    expect(x._version).toBeGreaterThan(version);
  });
  test.each(LAYOUTS)('writes a tensor with %s', (_layout, layout) => {
    const x = layout(matrix());
    run(x);
    expectSame(x, expected());
  });
  test('refuses a leaf that requires a gradient', () => {
    const leaf = matrix().requiresGrad_();
    expect(() => run(leaf)).toThrow('a leaf Variable that requires grad is being used in an in-place operation.');
    expectSame(leaf.detach(), matrix());
  });
});
test('fillDiagonal_ writes the diagonal, and wraps around tall matrices if asked', () => {
  expect(torch.zeros(3, 2).fillDiagonal_(5).tolist()).toEqual([
    [5, 0],
    [0, 5],
    [0, 0],
  ]);
  expect(torch.zeros(5, 2).fillDiagonal_(5, true).tolist()).toEqual([
    [5, 0],
    [0, 5],
    [0, 0],
    [5, 0],
    [0, 5],
  ]);
  expect(() => torch.zeros(3).fillDiagonal_(1)).toThrow(torch.RuntimeError);
});
