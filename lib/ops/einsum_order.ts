// In which order to multiply the operands of an einsum.

type Shape = readonly number[];
type Pair = [number, number];

/** Up to so many operands all orders are tried; beyond, the cheapest pair is taken at each step. */
const EXHAUSTIVE = 5;

/** The shape of the product of two operands and its multiplications; a summed place that no other has becomes 1. */
function joined(a: Shape, b: Shape, others: readonly Shape[], kept: number): { shape: number[]; cost: number } {
  let cost = 1;
  const shape = a.map((n, d) => {
    const size = n === 1 ? b[d]! : n;
    cost *= size;
    return d >= kept && others.every((o) => o[d] === 1) ? 1 : size;
  });
  return { shape, cost };
}

interface Plan {
  cost: number;
  pairs: Pair[];
}

function cheapest(shapes: readonly Shape[], kept: number, bound: number): Plan | null {
  if (shapes.length < 2) return { cost: 0, pairs: [] };
  let best: Plan | null = null;
  for (let i = 0; i < shapes.length; i++) {
    for (let j = i + 1; j < shapes.length; j++) {
      const others = shapes.filter((_, k) => k !== i && k !== j);
      const { shape, cost } = joined(shapes[i]!, shapes[j]!, others, kept);
      const limit = best?.cost ?? bound;
      if (cost > limit) continue;
      const rest = cheapest([...others, shape], kept, limit - cost);
      if (rest !== null && (best === null || cost + rest.cost < best.cost)) {
        best = { cost: cost + rest.cost, pairs: [[i, j], ...rest.pairs] };
      }
    }
  }
  return best;
}

/**
 * The pairs to multiply, one after the other: each takes two operands out of the list and appends their product.
 * @param shapes one size per place for every operand, 1 where it lacks the place.
 * @param kept how many places, the first ones, the result keeps.
 */
export function contractionOrder(shapes: readonly Shape[], kept: number): Pair[] {
  const pairs: Pair[] = [];
  let list = [...shapes];
  while (list.length > EXHAUSTIVE) {
    let best: { pair: Pair; cost: number; shape: number[] } | null = null;
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const { shape, cost } = joined(
          list[i]!,
          list[j]!,
          list.filter((_, k) => k !== i && k !== j),
          kept,
        );
        if (best === null || cost < best.cost) best = { pair: [i, j], cost, shape };
      }
    }
    const { pair, shape } = best!;
    pairs.push(pair);
    list = [...list.filter((_, k) => k !== pair[0] && k !== pair[1]), shape];
  }
  return [...pairs, ...(cheapest(list, kept, Infinity)?.pairs ?? [])];
}
