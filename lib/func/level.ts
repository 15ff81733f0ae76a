// One level of differentiation: variables of its own, and results that know nothing of them.
//
// A transformed function may run inside another one, or inside an ordinary recorded computation. Its variables are therefore
// new objects; they stay connected to the caller's tensors where those require a gradient. A result keeps its history only
// if that leads to something outside.
import { arithmetic } from '../autograd/arithmetic.js';
import { grad } from '../autograd/backward.js';
import { edgeOf, requires } from '../autograd/graph.js';
import { gradMode, setGradMode } from '../autograd/mode.js';
import { AccumulateGrad, type Node } from '../autograd/node.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { flatten, mapTree, type Tree } from './tree.js';

/** One transform that is running: what it records, and how the levels around it are left alone. */
export class Level {
  /** Whether the caller records. */
  readonly #outer = gradMode;
  /** The ends of the graph that belong to this level. */
  readonly #own = new Set<Node>();
  /** Nodes that lead to nothing outside. */
  readonly #closed = new Set<Node>();

  /** The tensor as a variable of this level. */
  variable(t: unknown): Tensor {
    if (!(t instanceof Tensor)) {
      throw new RuntimeError(`Thing passed to transform API must be Tensor, got ${kindOf(t)}`);
    }
    if (this.#outer && requires(t)) return recording(() => arithmetic.reshape(t, t.shape));
    const leaf = arithmetic.alias(t, true);
    leaf.requiresGrad_(true);
    this.#own.add(edgeOf(leaf)!);
    return leaf;
  }

  /** Whether a gradient can flow from the tensor to something outside. */
  reachesOutside(t: Tensor): boolean {
    const start = requires(t) ? edgeOf(t) : null;
    if (start === null) return false;
    return reaches(start, this.#closed, (node) => node instanceof AccumulateGrad && !this.#own.has(node));
  }

  /** Whether gradients must be computed so that the caller can differentiate them. */
  mustRecord(tensors: readonly Tensor[]): boolean {
    return this.#outer && tensors.some((t) => this.reachesOutside(t));
  }

  /** Everything in a result as the caller sees it. */
  release<T>(value: T): T {
    return mapTree(value, (leaf) => {
      if (!(leaf instanceof Tensor) || !requires(leaf)) return leaf;
      return this.#outer && this.reachesOutside(leaf) ? leaf : arithmetic.alias(leaf, true);
    }) as T;
  }
}

/** Whether some node that `start` leads to is wanted. Nodes that were searched in vain are added to `closed`. */
function reaches(start: Node, closed: Set<Node>, wanted: (node: Node) => boolean): boolean {
  const seen = new Set<Node>([start]);
  const waiting = [start];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (wanted(node)) return true;
    for (const next of node.edges) {
      if (next === null || seen.has(next) || closed.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  for (const node of seen) closed.add(node);
  return false;
}

/** Whether a tensor was computed from one of the variables. */
export function dependsOn(t: Tensor, variables: readonly Tensor[]): boolean {
  if (!requires(t)) return false;
  const ends = new Set(variables.map(edgeOf));
  return reaches(edgeOf(t)!, new Set(), (node) => ends.has(node));
}

/** Runs with recording on. */
export function recording<T>(fn: () => T): T {
  const outer = gradMode;
  setGradMode(true);
  try {
    return fn();
  } finally {
    setGradMode(outer);
  }
}

/** @internal Zeros of the tensor's shape, type and device. */
export function zerosLike(t: Tensor): Tensor {
  return arithmetic.zeros(t.shape, t.dtype, t);
}

/** The sum of the outputs' gradients, weighted by `starts`, for every input; null where nothing flows. */
export function pullBack(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  starts: readonly Tensor[],
  createGraph: boolean,
  retainGraph = true,
): (Tensor | null)[] {
  const used = outputs.map((out, i) => [out, starts[i]!] as const).filter(([out]) => requires(out));
  if (used.length === 0 || inputs.length === 0) return inputs.map(() => null);
  return grad(
    used.map(([out]) => out),
    inputs,
    { gradOutputs: used.map(([, g]) => g), createGraph, retainGraph, allowUnused: true },
  );
}

/** Zeros where there is no gradient. */
export function orZeros(found: readonly (Tensor | null)[], like: readonly Tensor[]): Tensor[] {
  return found.map((g, i) => g ?? zerosLike(like[i]!));
}

/** @internal A tensor of zeros with a one at a flat position, of the shape, type and device of another. */
export function oneHot(t: Tensor, i: number): Tensor {
  const values = new Float64Array(t.numel() * (t.dtype.isComplex ? 2 : 1));
  values[t.dtype.isComplex ? 2 * i : i] = 1;
  return arithmetic.fromNumbers(values, t.shape, t.dtype, t);
}

/** Columns [numel, ..] as a tensor [..shape]. */
export function stacked(parts: readonly Tensor[], shape: readonly number[], like: Tensor): Tensor {
  if (parts.length === 0) return arithmetic.zeros(shape, like.dtype, like);
  return arithmetic.reshape(arithmetic.stack(parts), shape);
}

/** Which arguments to differentiate with respect to: one, or several. */
export type Argnums = number | readonly number[];

/** The positions that `argnums` names, counted from the front. */
export function positions(argnums: Argnums, count: number): number[] {
  if (typeof argnums !== 'number' && !Array.isArray(argnums)) {
    throw new RuntimeError(`argnums must be int or Tuple[int, ...], got: ${kindOf(argnums)}`);
  }
  const list = typeof argnums === 'number' ? [argnums] : [...(argnums as readonly number[])];
  if (list.length === 0) throw new RuntimeError('argnums must be non-empty');
  const wrapped = list.map((n) => {
    if (!Number.isInteger(n)) throw new RuntimeError(`argnum must be int, got: ${kindOf(n)}`);
    if (n < -count || n >= count) throw new RuntimeError(`Got argnum=${n}, but only ${count} positional inputs`);
    return n < 0 ? n + count : n;
  });
  if (new Set(wrapped).size !== wrapped.length) {
    throw new RuntimeError(`argnums elements must be unique, got (${list.join(', ')})`);
  }
  return wrapped;
}

/** The chosen arguments as variables of a level. */
export interface Chosen {
  /** All arguments, with the variables in their places. */
  args: unknown[];
  variables: Tensor[];
  /** The chosen arguments' structure: one argument's own, or an array of several. */
  tree: Tree;
}

/** Makes variables of the tensors in the chosen arguments; null chooses all. */
export function choose(level: Level, args: readonly unknown[], argnums: Argnums | null): Chosen {
  const at = argnums === null ? args.map((_, i) => i) : positions(argnums, args.length);
  const tree = flatten(typeof argnums === 'number' ? args[at[0]!] : at.map((i) => args[i]));
  const variables = tree.leaves.map((leaf) => level.variable(leaf));
  const built = tree.build(variables);
  const all = [...args];
  at.forEach((i, k) => {
    all[i] = typeof argnums === 'number' ? built : (built as unknown[])[k];
  });
  return { args: all, variables, tree };
}

/** Splits what a function with `hasAux` returned. */
export function splitAux(name: string, hasAux: boolean, result: unknown): [output: unknown, aux: unknown] {
  if (!hasAux) return [result, undefined];
  if (!Array.isArray(result) || result.length !== 2) {
    throw new RuntimeError(`${name}: output of function f should be a tuple: (output, aux) if has_aux is True`);
  }
  return result as [unknown, unknown];
}

/** @throws RuntimeError unless there are outputs and all are tensors. */
export function checkOutputs(name: string, tree: Tree): Tensor[] {
  const { leaves } = tree;
  if (leaves.length === 0 || (leaves.length === 1 && leaves[0] == null)) {
    throw new RuntimeError(
      `${name}: Expected f to be a function that has non-empty output (got output = ${tree.shape})`,
    );
  }
  for (const leaf of leaves) {
    if (leaf instanceof Tensor) continue;
    throw new RuntimeError(
      `${name}: expected f(*primals) to return only tensors, got unsupported type ${kindOf(leaf)}`,
    );
  }
  return leaves as Tensor[];
}
