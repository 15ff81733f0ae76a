// Jacobians and Hessians, as functions.
import { kindOf, RuntimeError } from '../core/errors.js';
import { bind, signature } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';
import {
  type Argnums,
  checkOutputs,
  choose,
  Level,
  oneHot,
  orZeros,
  pullBack,
  recording,
  splitAux,
  stacked,
} from './level.js';
import { linearize, pushForward } from './products.js';
import { flatten } from './tree.js';

type AnyFunction = (...args: unknown[]) => unknown;
/** Tensors nested as an output, and in each of them tensors nested as the inputs. */
export type Nested = Tensor | readonly Nested[] | { readonly [key: string]: Nested } | ReadonlyMap<string, Nested>;

/** What a Jacobian looks like: one tensor for one output and one argument. */
type JacobianOf<O, N> = O extends Tensor
  ? [Argnums] extends [N]
    ? Tensor
    : N extends readonly number[]
      ? Tensor[]
      : Tensor
  : Nested;

function checkReal(name: string, what: string, values: unknown): void {
  flatten(values).leaves.forEach((leaf, i) => {
    if (leaf instanceof Tensor && leaf.dtype.isComplex) {
      throw new RuntimeError(
        `${name}: Expected all ${what} to be real but received complex tensor at flattened input idx: ${i}`,
      );
    }
  });
}

/** The named arguments of `jacrev`. */
export interface JacrevSettings<N extends Argnums = Argnums, X extends boolean = boolean> {
  /** Which arguments to differentiate with respect to; default 0, the first. */
  argnums?: N;
  /** Whether the function returns `[output, aux]`, with `aux` passed through; default false. */
  hasAux?: X;
  /** At least 1; rows are computed one at a time, whatever it says. */
  chunkSize?: number | null;
}

const jacrevArguments = signature('jacrev(function func, any argnums=0, bool hasAux=False, int? chunkSize=None)');

/**
 * The Jacobian of a function by reverse mode, one backward pass per element of the outputs: best for fewer outputs than inputs.
 * @param func takes real tensors (or nested arrays, maps and objects of them) and returns such
 * @param argnums which arguments to differentiate with respect to: a position, or an array of positions (default 0). Also as `{
 *   argnums, hasAux, chunkSize }`, where `chunkSize` has no effect
 * @param hasAux whether `func` returns `[output, aux]` (default false)
 * @returns a function that returns tensors [...output, ...input], nested as the output and in it as the argument; `[jacobian,
 *   aux]` with `hasAux`
 * @throws RuntimeError if `chunkSize` is not positive; from the returned function, for complex tensors and outputs that are no
 *   tensors
 */
export function jacrev<A extends readonly unknown[], O, const N extends Argnums = 0>(
  func: (...args: A) => O,
  argnums?: N | JacrevSettings<N, false>,
  hasAux?: false,
): (...args: A) => JacobianOf<O, N>;
export function jacrev<A extends readonly unknown[], O, X, const N extends Argnums = 0>(
  func: (...args: A) => readonly [O, X],
  argnums: N | JacrevSettings<N, true>,
  hasAux?: true,
): (...args: A) => [jacobian: JacobianOf<O, N>, aux: X];
export function jacrev(...given: unknown[]): AnyFunction {
  const [func, argnums, hasAux, chunkSize] = bind(jacrevArguments, given) as [
    AnyFunction,
    Argnums,
    boolean,
    number | null,
  ];
  if (chunkSize !== null && chunkSize <= 0) throw new RuntimeError('jacrev: `chunk_size` should be greater than 0.');
  return (...args) => {
    checkReal('jacrev', 'inputs', args);
    const level = new Level();
    const chosen = choose(level, args, argnums);
    return recording(() => {
      const [output, aux] = splitAux('vjp(f, *primals)', hasAux, func(...chosen.args));
      const tree = flatten(output);
      const outputs = checkOutputs('vjp(f, *primals)', tree);
      checkReal('jacrev', 'outputs', output);
      const record = level.mustRecord(outputs);
      const blocks = outputs.map((out) => {
        const rows = Array.from({ length: out.numel() }, (_, i) =>
          orZeros(pullBack([out], chosen.variables, [oneHot(out, i)], record), chosen.variables),
        );
        return chosen.tree.build(
          chosen.variables.map((x, k) =>
            stacked(
              rows.map((row) => row[k]!),
              [...out.shape, ...x.shape],
              x,
            ),
          ),
        );
      });
      const jacobian = level.release(tree.build(blocks));
      return hasAux ? [jacobian, level.release(aux)] : jacobian;
    });
  };
}

/** The named arguments of `jacfwd`. */
export interface JacfwdSettings<N extends Argnums = Argnums, X extends boolean = boolean> {
  /** Which arguments to differentiate with respect to; default 0, the first. */
  argnums?: N;
  /** Whether the function returns `[output, aux]`, with `aux` passed through; default false. */
  hasAux?: X;
  /** Accepted for PyTorch's sake: the function runs once, so random draws are the same for all columns. */
  randomness?: 'error' | 'different' | 'same';
}

const jacfwdArguments = signature("jacfwd(function func, any argnums=0, bool hasAux=False, str randomness='error')");

/**
 * The Jacobian of a function column by column, one Jacobian-vector product (see `jvp`) per element of the inputs: best for fewer
 * inputs than outputs.
 * @param func takes real tensors (or nested arrays, maps and objects of them) and returns such
 * @param argnums which arguments to differentiate with respect to: a position, or an array of positions (default 0). Also as `{
 *   argnums, hasAux, randomness }`, where `randomness` has no effect: the function runs once
 * @param hasAux whether `func` returns `[output, aux]` (default false)
 * @returns a function that returns tensors [...output, ...input], nested as the output and in it as the argument; `[jacobian,
 *   aux]` with `hasAux`
 * @throws RuntimeError from the returned function, for complex tensors and outputs that are no tensors
 */
export function jacfwd<A extends readonly unknown[], O, const N extends Argnums = 0>(
  func: (...args: A) => O,
  argnums?: N | JacfwdSettings<N, false>,
  hasAux?: false,
): (...args: A) => JacobianOf<O, N>;
export function jacfwd<A extends readonly unknown[], O, X, const N extends Argnums = 0>(
  func: (...args: A) => readonly [O, X],
  argnums: N | JacfwdSettings<N, true>,
  hasAux?: true,
): (...args: A) => [jacobian: JacobianOf<O, N>, aux: X];
export function jacfwd(...given: unknown[]): AnyFunction {
  const [func, argnums, hasAux] = bind(jacfwdArguments, given) as [AnyFunction, Argnums, boolean];
  return (...args) => {
    checkReal('jacfwd', 'inputs', args);
    const level = new Level();
    const chosen = choose(level, args, argnums);
    return recording(() => {
      const [output, aux] = splitAux('jvp(f, primals, tangents)', hasAux, func(...chosen.args));
      const tree = flatten(output);
      const outputs = checkOutputs('jvp(f, primals, tangents)', tree);
      checkReal('jacfwd', 'outputs', output);
      const record = level.mustRecord(outputs);
      const map = linearize(outputs, chosen.variables);
      const blocks = chosen.variables.map((x, k) => {
        const columns = Array.from({ length: x.numel() }, (_, i) =>
          pushForward(
            map,
            chosen.variables.map((_v, j) => (j === k ? oneHot(x, i) : null)),
            record,
          ),
        );
        return outputs.map((out, o) => {
          const flat = stacked(
            columns.map((column) => column[o]!),
            [x.numel(), ...out.shape],
            out,
          );
          return flat.movedim(0, -1).reshape([...out.shape, ...x.shape]);
        });
      });
      const jacobian = level.release(tree.build(outputs.map((_, o) => chosen.tree.build(blocks.map((b) => b[o])))));
      return hasAux ? [jacobian, level.release(aux)] : jacobian;
    });
  };
}

const hessianArguments = signature('hessian(function func, any argnums=0)');

/** What a Hessian looks like: one tensor for one argument, rows of tensors for several. */
type HessianOf<N> = [Argnums] extends [N] ? Tensor : N extends readonly number[] ? Tensor[][] : Tensor;

/**
 * The Hessian of a function: the Jacobian of its Jacobian, both by reverse mode.
 * @param func takes real tensors; usually returns a scalar, for other outputs there is a Hessian per element
 * @param argnums which arguments to differentiate with respect to: a position, or an array of positions (default 0). Also as `{
 *   argnums }`
 * @returns a function that returns tensors [...output, ...input, ...input], for several positions one per pair
 * @throws RuntimeError for other `argnums`; from the returned function as `jacrev`
 */
export function hessian<A extends readonly unknown[], const N extends Argnums = 0>(
  func: (...args: A) => Tensor,
  argnums?: N | { argnums?: N },
): (...args: A) => HessianOf<N>;
export function hessian(...given: unknown[]): AnyFunction {
  const [func, argnums] = bind(hessianArguments, given) as [(...args: unknown[]) => Tensor, Argnums];
  if (typeof argnums !== 'number' && !Array.isArray(argnums)) {
    throw new RuntimeError(`argnums must be int or Tuple[int, ...], got: ${kindOf(argnums)}`);
  }
  return jacrev(jacrev(func, argnums) as AnyFunction, argnums) as AnyFunction;
}
