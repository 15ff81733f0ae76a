// einsum against its definition: a loop over all values of all labels.
import torch, { type Tensor } from 'flambeau';
import { randomSource } from './support';

const { float64, einsum } = torch;

/** The definition, for equations with single letters and an explicit result. */
function naive(equation: string, operands: readonly Tensor[]): { shape: number[]; values: number[] } {
  const [left, out] = equation.split('->') as [string, string];
  const inputs = left.split(',');
  const sizes = new Map<string, number>();
  inputs.forEach((labels, i) => {
    [...labels].forEach((l, d) => {
      const n = operands[i]!.shape[d]!;
      if (n !== 1 || !sizes.has(l)) sizes.set(l, n);
    });
  });
  const letters = [...new Set(left.replace(/,/g, ''))];
  const shape = [...out].map((l) => sizes.get(l)!);
  const values = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0);
  const data = operands.map((t) => Array.from(t.toTypedArray() as Float64Array));
  const at = new Map<string, number>();
  const place = (labels: string, dims: readonly number[]): number =>
    [...labels].reduce((p, l, d) => p * dims[d]! + (dims[d] === 1 ? 0 : at.get(l)!), 0);
  const visit = (k: number): void => {
    if (k === letters.length) {
      const term = inputs.reduce((p, labels, i) => p * data[i]![place(labels, operands[i]!.shape)]!, 1);
      values[place(out, shape)]! += term;
      return;
    }
    for (let i = 0; i < sizes.get(letters[k]!)!; i++) {
      at.set(letters[k]!, i);
      visit(k + 1);
    }
  };
  if (shape.every((n) => n > 0)) visit(0);
  return { shape, values };
}

const SIZES: Record<string, number> = { a: 2, b: 3, c: 4, d: 2, e: 3, f: 1, z: 0 };
function operandsOf(equation: string, seed: number): Tensor[] {
  const next = randomSource(seed);
  return equation
    .split('->')[0]!
    .split(',')
    .map((labels) => {
      const shape = [...labels].map((l) => SIZES[l]!);
      const n = shape.reduce((a, b) => a * b, 1);
      return torch.tensor(Float64Array.from({ length: n }, () => next() * 2 - 1)).reshape(shape);
    });
}
function check(equation: string, operands: readonly Tensor[], found: Tensor): void {
  const { shape, values } = naive(equation, operands);
  expect([...found.shape]).toEqual(shape);
  const flat = Array.from(found.detach().toTypedArray() as Float64Array);
  const off = values.filter((v, i) => !(Math.abs(flat[i]! - v) <= 1e-12 * (1 + Math.abs(v))));
  expect(off).toEqual([]);
}

test.each([
  'ab->ba',
  'ab->',
  'ab->a',
  'aa->a',
  'aa->',
  'aba->b',
  'aabb->ab',
  'ab,bc->ac',
  'ab,bc->ca',
  'ab,ab->',
  'ab,ab->ab',
  'a,b->ba',
  'abc,acd->abd',
  'abc,abd->dcab',
  'abc,bd->a',
  'ab,cb,b->ac',
  'ab,bc,cd->ad',
  'ab,bc,cd,de->ae',
  'ab,bc,cd,de,ea->',
  'a,a,a,a,a,a->a',
  'ab,bc,cd,da,ac,bd->abcd',
  'abf,fc->ac',
  'af,fb->ab',
  'az,zb->ab',
  'az,zb->abz',
  'aab,bcc->ac',
  'abcde->ecabd',
  ',ab->ab',
  'ab,->b',
])('%s', (equation) => {
  const operands = operandsOf(equation, equation.length);
  check(equation, operands, einsum(equation, ...operands));
  check(equation, operands, einsum(equation, operands));
});

test('a hundred random products of up to five operands', () => {
  const next = randomSource(5);
  const pick = (n: number): number => Math.floor(next() * n);
  for (let round = 0; round < 100; round++) {
    const inputs = Array.from({ length: 1 + pick(5) }, () =>
      Array.from({ length: pick(4) }, () => 'abcde'[pick(5)]!).join(''),
    );
    const letters = [...new Set(inputs.join(''))].filter(() => next() < 0.5);
    const equation = `${inputs.join()}->${letters.join('')}`;
    const operands = operandsOf(equation, round);
    check(equation, operands, einsum(equation, ...operands));
  }
});

test('sizes of one are broadcast, also against summed dimensions', () => {
  const [x, y] = [torch.arange(3, { dtype: float64 }).reshape(1, 3), torch.arange(6, { dtype: float64 }).reshape(2, 3)];
  check('ab,ab->a', [x, y], einsum('ab,ab->a', x, y));
  const column = torch.tensor([[1], [2]], { dtype: float64 });
  expect(einsum('ab,ab->', column, y).item()).toBe(column.mul(y).sum().item());
});

test('without an arrow labels that occur once stay, capitals first', () => {
  const [x, y] = operandsOf('ab,bc->', 3) as [Tensor, Tensor];
  check('ab,bc->ac', [x, y], einsum('ab,bc', x, y));
  expect(torch.equal(einsum('bA', x), x.t())).toBe(true);
  expect(einsum('ii', torch.eye(3)).item()).toBe(3);
});

test('an ellipsis stands for the other dimensions, broadcast', () => {
  const x = torch.rand(5, 1, 2, 3);
  const y = torch.rand(4, 3, 2);
  expect(torch.allclose(einsum('...ij,...jk->...ik', x, y), x.matmul(y))).toBe(true);
  expect(torch.allclose(einsum('...ij,...jk', x, y), x.matmul(y))).toBe(true);
  expect(torch.allclose(einsum('i...->...', x), x.sum(0))).toBe(true);
  expect(torch.allclose(einsum('i...->', x), x.sum())).toBe(true);
  expect(torch.equal(einsum(' i ... j -> j ... i ', x), x.transpose(0, 3))).toBe(true);
});

test('labels as lists of numbers', () => {
  const [x, y] = operandsOf('ab,bc->', 4) as [Tensor, Tensor];
  expect(torch.equal(einsum(x, [0, 1], y, [1, 2], [2, 0]), einsum('ab,bc->ca', x, y))).toBe(true);
  expect(torch.equal(einsum(x, [0, 1], y, [1, 2]), einsum('ab,bc', x, y))).toBe(true);
  expect(() => einsum(x, [0, 52])).toThrow(
    'einsum(): subscript in subscript list is not within the valid range [0, 52)',
  );
});

test('gradients, and gradients of gradients', () => {
  const leaves = operandsOf('ab,bc,cc->ab', 6).map((t) => t.requiresGrad_());
  const f = (...args: unknown[]): Tensor => einsum('ab,bc,cc->ac', ...(args as Tensor[]));
  expect(torch.autograd.gradcheck(f, leaves)).toBe(true);
  expect(torch.autograd.gradgradcheck(f, leaves)).toBe(true);
});

test('the order of multiplications follows the sizes, not the equation', () => {
  // From the left the first product would have 10^12 elements.
  const [u, v] = [torch.ones(2 ** 20), torch.ones(2 ** 20).mul(2)];
  expect(einsum('a,b,a,b->', u, v, u, v).item()).toBe(2 ** 42);
  expect(einsum('a,b,a,b,a,b->', u, v, u, v, u, v).item()).toBe(2 ** 43);
});

test("what does not fit is refused in PyTorch's words", () => {
  const x = torch.rand(2, 3);
  const cases: [string, Tensor[], string][] = [
    ['ij,jk', [x], 'einsum(): fewer operands were provided than specified in the equation'],
    ['ij', [x, x], 'einsum(): more operands were provided than specified in the equation'],
    [
      'ij,jk->il',
      [x, torch.rand(3, 4)],
      'einsum(): output subscript l does not appear in the equation for any input operand',
    ],
    [
      'ij,jk',
      [x, torch.rand(4, 4)],
      'einsum(): subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3',
    ],
    ['ii', [x], "einsum(): subscript i is repeated for operand 0 but the sizes don't match, 3 != 2"],
    ['i->ii', [torch.rand(2)], 'einsum(): output subscript i appears more than once in the output'],
    ['i.j', [x], "einsum(): found '.' for operand 0 that is not part of any ellipsis"],
    ['...i...', [x], "einsum(): found '.' for operand 0 for which an ellipsis was already found"],
    ['i1', [x], 'einsum(): invalid subscript given at index 1 in the equation string, subscripts must be in [a-zA-Z]'],
    [
      'ij->->',
      [x],
      'einsum(): invalid subscript given at index 4 in the equation string, subscripts must be in [a-zA-Z]',
    ],
    [
      'ij',
      [torch.rand(2)],
      'einsum(): the number of subscripts in the equation (2) does not match the number of dimensions (1) for operand 0 and no ellipsis was given',
    ],
  ];
  for (const [equation, operands, message] of cases) expect(() => einsum(equation, ...operands)).toThrow(message);
  expect(() => einsum('ij', [1] as never)).toThrow(TypeError);
});
