// Einstein summation: products of tensors written by the labels of their dimensions.
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { contractionOrder } from './einsum_order.js';
import { type Equation, parseEquation, parseSublists } from './einsum_parse.js';
import { bmm } from './matmul.js';
import { sum } from './reduce.js';
import { diagonal, permute } from './view.js';
import { reshaped } from './internal/view.js';

/** Where each dimension of an operand goes, and how many places there are: the results' first, then the summed ones. */
interface Places {
  of: Map<string, number>;
  ellipsis: { at: number; count: number };
  kept: number;
  total: number;
}

function placesOf(equation: Equation, ellipsisDims: number): Places {
  const of = new Map<string, number>();
  let at = 0;
  let ellipsis = { at: 0, count: 0 };
  for (const label of equation.output) {
    if (label === '...') {
      ellipsis = { at, count: ellipsisDims };
      at += ellipsisDims;
    } else {
      of.set(label, at++);
    }
  }
  const kept = at;
  if (!equation.output.includes('...')) {
    ellipsis = { at, count: ellipsisDims };
    at += ellipsisDims;
  }
  for (const labels of equation.inputs) {
    for (const label of labels) if (label !== '...' && !of.has(label)) of.set(label, at++);
  }
  return { of, ellipsis, kept, total: at };
}

/** The operand with its repeated labels on the diagonal and one dimension (of size one if need be) for every place. */
function spread(operand: Tensor, labels: readonly string[], places: Places, index: number): Tensor {
  let x = operand;
  const found: number[] = [];
  let d = 0;
  for (const label of labels) {
    if (label === '...') {
      const extra = operand.ndim - (labels.length - 1);
      // Fewer dimensions than the longest ellipsis stand for its last ones.
      for (let i = 0; i < extra; i++) found.push(places.ellipsis.at + places.ellipsis.count - extra + i);
      d += extra;
      continue;
    }
    const place = places.of.get(label)!;
    const earlier = found.indexOf(place);
    if (earlier < 0) {
      found.push(place);
      d++;
      continue;
    }
    const [n, m] = [x.shape[d]!, x.shape[earlier]!];
    if (n !== m) {
      throw new RuntimeError(
        `einsum(): subscript ${label} is repeated for operand ${index} but the sizes don't match, ${n} != ${m}`,
      );
    }
    // The diagonal becomes the last dimension; it takes the earlier one's place.
    x = diagonal.impl(x, 0, earlier, d);
    const order = Array.from({ length: x.ndim - 1 }, (_, i) => i);
    order.splice(earlier, 0, x.ndim - 1);
    x = permute.impl(x, order);
  }
  const order = found.map((_, i) => i).sort((a, b) => found[a]! - found[b]!);
  const shape = new Array<number>(places.total).fill(1);
  found.forEach((place, i) => {
    shape[place] = x.shape[i]!;
  });
  return reshaped(permute.impl(x, order), shape);
}

function checkSizes(operands: readonly Tensor[], places: Places): void {
  const seen = new Array<number>(places.total).fill(1);
  const names = new Array<string>(places.total).fill('...');
  for (const [label, at] of places.of) names[at] = label;
  operands.forEach((x, i) => {
    x.shape.forEach((n, d) => {
      if (n === 1) return;
      if (seen[d] !== 1 && seen[d] !== n) {
        throw new RuntimeError(
          `einsum(): subscript ${names[d]} has size ${n} for operand ${i} which does not broadcast with previously seen size ${seen[d]}`,
        );
      }
      seen[d] = n;
    });
  });
}

/**
 * The product of two tensors with a dimension for every place, summed over `dims`, as one batch of matrix products.
 * Dimensions that both have and that stay are the batch; those of one alone are the rows and the columns.
 */
function contract(a: Tensor, b: Tensor, dims: ReadonlySet<number>): Tensor {
  let left = a;
  let right = b;
  const [batch, rows, columns, summed]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let d = 0; d < a.ndim; d++) {
    const inLeft = a.shape[d] !== 1;
    const inRight = b.shape[d] !== 1;
    if (!dims.has(d)) (inLeft && inRight ? batch : inLeft ? rows : columns).push(d);
    else if (inLeft && inRight) summed.push(d);
    else if (inLeft) left = sum.impl(left, [d], true, null);
    else if (inRight) right = sum.impl(right, [d], true, null);
  }
  if (summed.length === 0) return mul.impl(left, right);
  // Dimensions of size one that are summed belong to no group; they go along with the columns.
  const rest = a.shape.map((_, d) => d).filter((d) => dims.has(d) && !summed.includes(d));
  const count = (t: Tensor, group: readonly number[]): number => group.reduce((n, d) => n * t.shape[d]!, 1);
  const sizes = [count(left, batch), count(left, rows), count(left, summed), count(right, columns)] as const;
  const x = reshaped(permute.impl(left, [...batch, ...rows, ...summed, ...columns, ...rest]), [
    sizes[0],
    sizes[1],
    sizes[2],
  ]);
  const y = reshaped(permute.impl(right, [...batch, ...summed, ...columns, ...rows, ...rest]), [
    sizes[0],
    sizes[2],
    sizes[3],
  ]);
  const order = [...batch, ...rows, ...columns, ...summed, ...rest];
  const shape = order.map((d) =>
    dims.has(d) ? 1 : batch.includes(d) || rows.includes(d) ? left.shape[d]! : right.shape[d]!,
  );
  const back = new Array<number>(order.length);
  order.forEach((d, i) => {
    back[d] = i;
  });
  return permute.impl(reshaped(bmm.impl(x, y), shape), back);
}

function evaluate(equation: Equation, operands: readonly Tensor[]): Tensor {
  const extra = operands.map((x, i) => x.ndim - (equation.inputs[i]!.length - 1));
  const ellipsisDims = Math.max(0, ...equation.inputs.map((labels, i) => (labels.includes('...') ? extra[i]! : 0)));
  const places = placesOf(equation, ellipsisDims);
  let list = operands.map((x, i) => spread(x, equation.inputs[i]!, places, i));
  checkSizes(list, places);
  for (const [i, j] of contractionOrder(
    list.map((x) => x.shape),
    places.kept,
  )) {
    const a = list[i]!;
    const b = list[j]!;
    const others = list.filter((_, k) => k !== i && k !== j);
    // A dimension can be summed once no other operand has it.
    const dims = new Set<number>();
    for (let d = places.kept; d < places.total; d++) if (others.every((x) => x.shape[d] === 1)) dims.add(d);
    list = [...others, contract(a, b, dims)];
  }
  const y = list[0]!;
  const left = Array.from({ length: places.total - places.kept }, (_, i) => places.kept + i);
  if (left.length === 0) return y;
  // One operand alone is summed, integers as int64, be there but one element to sum.
  const alone = operands.length === 1;
  const total = alone || left.some((d) => y.shape[d] !== 1) ? sum.impl(y, left, true, null) : y;
  return reshaped(total, total.shape.slice(0, places.kept));
}

type EinsumArgs =
  | [equation: string, ...operands: Tensor[]]
  | [equation: string, operands: readonly Tensor[]]
  | [operand: Tensor, sublist: readonly number[], ...rest: (Tensor | readonly number[])[]];

/**
 * Sums products of elements over the dimensions whose labels the result leaves out: `einsum('ij,jk->ik', a, b)` is the
 * matrix product. Several operands are multiplied two at a time in the order that takes the fewest multiplications.
 * @param args an equation and its operands, one by one or as a list. The equation names their dimensions by labels [a-zA-Z],
 *   separated by commas; a label twice in one operand takes its diagonal, `...` stands for the other dimensions. After `->` the
 *   result's labels follow; without it those that occur once, in alphabetical order. Or, instead of an equation, each operand is
 *   followed by the list of its labels as numbers 0 to 51, and the result's may come last
 * @returns a tensor with a dimension for each label of the result
 * @throws RuntimeError for an equation that is malformed or does not fit the operands, and for operands of several types
 * @throws TypeError if an operand is no tensor, or there is none
 */
export function einsum(...args: EinsumArgs): Tensor {
  const first = args[0] as unknown;
  if (typeof first !== 'string') {
    const { equation, operands } = parseSublists(args);
    return evaluate(equation, operands);
  }
  const given: readonly unknown[] =
    args.length === 2 && Array.isArray(args[1]) ? (args[1] as unknown[]) : args.slice(1);
  for (const [i, x] of given.entries()) {
    if (!(x instanceof Tensor)) throw new TypeError(`einsum(): operand ${i} must be a Tensor`);
  }
  const operands = given as readonly Tensor[];
  return evaluate(parseEquation(first, operands), operands);
}
