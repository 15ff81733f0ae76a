// Applying a function to every slice of its arguments.
import { inWords, kindOf, RuntimeError } from '../core/errors.js';
import { pyRepr } from '../nn/printing.js';
import { zeros } from '../ops/creation.js';
import { stack } from '../ops/join.js';
import { getRngState, setRngState } from '../ops/random_generator.js';
import { bind, signature } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';
import { flatten, spread, type Tree } from './tree.js';

type AnyFunction = (...args: unknown[]) => unknown;

/** A dimension, null for none, or these nested as the arguments or results are. */
export type Dims = number | null | readonly Dims[] | { readonly [key: string]: Dims };

/** The named arguments of `vmap`. */
export interface VmapOptions {
  /** Which dimension of the arguments is mapped over: one for all, or nested as they are; null for none. Default 0. */
  inDims?: Dims;
  /** Where the mapped dimension is in the results; default 0. */
  outDims?: Dims;
  /** What random operations do: throw, draw for every slice, or draw the same for all. Default 'error'. */
  randomness?: 'error' | 'different' | 'same';
  /** At least 1; slices are computed one at a time, whatever it says. */
  chunkSize?: number | null;
}

const vmapArguments = signature(
  "vmap(function func, any? inDims=0, any? outDims=0, str randomness='error', int? chunkSize=None)",
);

const RANDOM_CALLED =
  "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness " +
  'flags on vmap or perform the randomness operation out of vmap';

/** The mapped arguments: their leaves, the dimension of each, how many slices there are. */
interface Batch {
  tree: Tree;
  dims: (number | null)[];
  size: number;
}

function readBatch(name: string, inDims: Dims, args: unknown[]): Batch {
  const call = `vmap(${name}, in_dims=${pyRepr(inDims)}, ...)(<inputs>)`;
  if (typeof inDims !== 'number' && !Array.isArray(inDims)) {
    throw new RuntimeError(
      `${call}: expected \`in_dims\` to be int or a (potentially nested) tuple matching the structure of inputs, got: ${kindOf(inDims)}.`,
    );
  }
  if (args.length === 0) {
    throw new RuntimeError(
      `vmap(${name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with ` +
        'no inputs. The latter is unsupported.',
    );
  }
  const tree = flatten(args);
  const wanted = spread(inDims, args);
  if (wanted === null) {
    throw new RuntimeError(
      `${call}: in_dims is not compatible with the structure of \`inputs\`. in_dims has structure ${flatten(inDims).shape} ` +
        `but inputs has structure ${tree.shape}.`,
    );
  }
  const sizes: number[] = [];
  const dims = wanted.map((dim, i) => {
    if (dim === null) return null;
    if (!Number.isInteger(dim)) {
      throw new RuntimeError(
        `${call}: Got in_dim=${pyRepr(dim)} for an input but in_dim must be either an integer dimension or None.`,
      );
    }
    const leaf = tree.leaves[i];
    if (!(leaf instanceof Tensor)) {
      throw new RuntimeError(
        `${call}: Got in_dim=${inWords(dim)} for an input but the input is of type ${kindOf(leaf)}. We cannot vmap over ` +
          'non-Tensor arguments, please use None as the respective in_dim',
      );
    }
    const d = dim as number;
    if (d < -leaf.ndim || d >= leaf.ndim) {
      throw new RuntimeError(
        `${call}: Got in_dim=${d} for some input, but that input is a Tensor of dimensionality ${leaf.ndim} so expected ` +
          `in_dim to satisfy -${leaf.ndim} <= in_dim < ${leaf.ndim}.`,
      );
    }
    const at = d < 0 ? d + leaf.ndim : d;
    sizes.push(leaf.shape[at]!);
    return at;
  });
  if (sizes.length === 0) throw new RuntimeError('vmap: Expected at least one Tensor to vmap over');
  if (sizes.some((n) => n !== sizes[0])) {
    throw new RuntimeError(
      'vmap: Expected all tensors to have the same size in the mapped dimension, got sizes ' +
        `[${sizes.join(', ')}] for the mapped dimension`,
    );
  }
  return { tree, dims, size: sizes[0]! };
}

/** The arguments of one call. */
function slice({ tree, dims }: Batch, i: number): unknown[] {
  const leaves = tree.leaves.map((leaf, k) => {
    const dim = dims[k];
    return dim === null || dim === undefined ? leaf : (leaf as Tensor).select(dim, i);
  });
  return tree.build(leaves) as unknown[];
}

/** Arguments as a slice has them, where there is no slice: zeros tell the results' sizes and types. */
function emptySlice({ tree, dims }: Batch): unknown[] {
  const leaves = tree.leaves.map((leaf, k) => {
    const dim = dims[k];
    if (dim === null || dim === undefined) return leaf;
    const t = leaf as Tensor;
    return zeros(
      t.shape.filter((_, d) => d !== dim),
      { dtype: t.dtype, device: t.device },
    );
  });
  return tree.build(leaves) as unknown[];
}

/** Calls the function for every slice, with random numbers as wanted. */
function runAll(func: AnyFunction, batch: Batch, randomness: string): unknown[] {
  const before = randomness === 'different' ? null : getRngState();
  const results = Array.from({ length: batch.size }, (_, i) => {
    if (randomness === 'same' && i > 0) setRngState(before!);
    return func(...slice(batch, i));
  });
  if (randomness === 'error' && !getRngState().equal(before!)) {
    setRngState(before!);
    throw new RuntimeError(RANDOM_CALLED);
  }
  return results;
}

/** One result of all calls, joined along a new dimension. */
function join(name: string, values: readonly unknown[], dim: unknown, empty: boolean): unknown {
  const [first] = values;
  if (dim === null) {
    const same = (v: unknown): boolean =>
      v === first || (v instanceof Tensor && first instanceof Tensor && v.dtype === first.dtype && v.equal(first));
    if (first instanceof Tensor && !values.every(same)) {
      throw new RuntimeError(`vmap(${name}, ...): \`${name}\` can not return a BatchedTensor when out_dim is None`);
    }
    return first;
  }
  for (const value of values) {
    if (value instanceof Tensor) continue;
    throw new RuntimeError(
      `vmap(${name}, ...): \`${name}\` must only return Tensors, got type ${kindOf(value)}. Did you mean to set out_dims= to ` +
        'None for output?',
    );
  }
  const joined = stack(values as Tensor[], dim as number);
  return empty ? joined.narrow(dim as number, 0, 0) : joined;
}

function checkOutDims(name: string, outDims: Dims): void {
  for (const dim of flatten(outDims).leaves) {
    if (dim === null || Number.isInteger(dim)) continue;
    throw new RuntimeError(
      `vmap(${name}, ..., out_dims=${pyRepr(outDims)}): \`out_dims\` must be an int, None or a python collection of ints ` +
        'representing where in the outputs the vmapped dimension should appear.',
    );
  }
}

/**
 * A function that applies `func` to every slice of its arguments and joins the results along a new dimension. The slices are
 * computed one after another: it saves writing the loop and stays differentiable, but is no faster than the loop.
 * @param func takes tensors (or nested arrays, maps and objects of them) without the mapped dimension, and returns such
 * @param args by position or by name in a last object (see VmapOptions): `inDims`, the dimension to map over, one for all
 *   arguments or nested as they are, null for none (default 0); `outDims`, where it is in the results (default 0); `randomness`,
 *   what drawing random numbers does: 'error' (default), 'different' for every slice, or the 'same'; `chunkSize` (default null;
 *   no effect)
 * @returns the function of the whole arguments; its results have the dimension of size N at `outDims`, also for N = 0
 * @throws RuntimeError for another `randomness` and a `chunkSize` that is not positive; from the returned function, for
 *   dimensions that do not fit, sizes that differ, results that are no tensors, and random numbers drawn with `randomness`
 *   'error'
 */
export function vmap<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  ...args:
    | [options: VmapOptions]
    | [inDims?: Dims, outDims?: Dims, randomness?: 'error' | 'different' | 'same', chunkSize?: number | null]
    | [inDims: Dims, options: VmapOptions]
    | [inDims: Dims, outDims: Dims, options: VmapOptions]
): (...args: A) => O;
export function vmap(...given: unknown[]): AnyFunction {
  const [func, inDims, outDims, randomness, chunkSize] = bind(vmapArguments, given) as [
    AnyFunction,
    Dims,
    Dims,
    string,
    number | null,
  ];
  if (randomness !== 'error' && randomness !== 'different' && randomness !== 'same') {
    throw new RuntimeError(`Only allowed values for randomness are 'error', 'different', or 'same'. Got ${randomness}`);
  }
  if (chunkSize !== null && chunkSize <= 0) {
    throw new RuntimeError(`vmap: chunk_size should be None or greater than 0. (got ${chunkSize})`);
  }
  const name = func.name === '' ? '<lambda>' : func.name;
  return (...args) => {
    checkOutDims(name, outDims);
    const batch = readBatch(name, inDims, args);
    const empty = batch.size === 0;
    const results = (empty ? [func(...emptySlice(batch))] : runAll(func, batch, randomness)).map(flatten);
    const [first] = results as [Tree];
    const value = first.build(first.leaves);
    const prefix =
      value instanceof Tensor && Array.isArray(outDims) && outDims.length === 1 ? (outDims[0] as Dims) : outDims;
    const dims = spread(prefix, value);
    if (dims === null) {
      throw new RuntimeError(
        `vmap(${name}, ..., out_dims=${pyRepr(outDims)})(<inputs>): out_dims is not compatible with the structure of \`outputs\`. ` +
          `out_dims has structure ${flatten(outDims).shape} but outputs has structure ${first.shape}.`,
      );
    }
    for (const { shape } of results) {
      if (shape === first.shape) continue;
      throw new RuntimeError(`vmap(${name}, ...): the results are nested differently: ${first.shape} and ${shape}`);
    }
    return first.build(
      first.leaves.map((_, k) =>
        join(
          name,
          results.map((r) => r.leaves[k]),
          dims[k],
          empty,
        ),
      ),
    );
  };
}
