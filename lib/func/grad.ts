// Gradients of scalar functions, as functions.
import { arithmetic } from '../autograd/arithmetic.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { bind, signature } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';
import { type Argnums, choose, Level, orZeros, pullBack, recording, splitAux } from './level.js';

/** The type of the arguments that `argnums` names: one argument's, or a list. */
export type ChosenArguments<A extends readonly unknown[], N> = [Argnums] extends [N] // left to the default
  ? A[0]
  : N extends number
    ? `${N}` extends keyof A
      ? A[`${N}`]
      : A[number]
    : N extends readonly number[]
      ? { -readonly [I in keyof N]: ChosenArguments<A, N[I]> }
      : A[0];

/** The named arguments of `grad` and `gradAndValue`. */
export interface GradSettings<N extends Argnums = Argnums, X extends boolean = boolean> {
  /** Which arguments to differentiate with respect to; default 0, the first. */
  argnums?: N;
  /** Whether the function returns `[output, aux]`, with `aux` passed through; default false. */
  hasAux?: X;
}

const gradArguments = signature('grad(function func, any argnums=0, bool hasAux=False)');
const gradAndValueArguments = signature('gradAndValue(function func, any argnums=0, bool hasAux=False)');

type AnyFunction = (...args: unknown[]) => unknown;
type Run = (args: readonly unknown[]) => [gradient: unknown, value: Tensor, aux: unknown];

function differentiated(func: AnyFunction, argnums: Argnums, hasAux: boolean): Run {
  return (args) => {
    const name = 'grad_and_value(f)(*args)';
    const level = new Level();
    const chosen = choose(level, args, argnums);
    return recording(() => {
      const [output, aux] = splitAux(name, hasAux, func(...chosen.args));
      if (!(output instanceof Tensor)) {
        throw new RuntimeError(`${name}: Expected f(*args) to return a Tensor, got ${kindOf(output)}`);
      }
      if (output.ndim !== 0) {
        throw new RuntimeError(
          `${name}: Expected f(*args) to return a scalar Tensor, got tensor with ${output.ndim} dims. Maybe you wanted to ` +
            'use the vjp or jacrev APIs instead?',
        );
      }
      const found = pullBack([output], chosen.variables, [arithmetic.onesLike(output)], level.mustRecord([output]));
      const gradient = chosen.tree.build(orZeros(found, chosen.variables));
      return [level.release(gradient), level.release(output), level.release(aux)];
    });
  };
}

/**
 * The gradient of a scalar function, as a function of the same arguments, by reverse mode. It can be differentiated again.
 * @param func takes tensors (or nested arrays, maps and objects of them) and returns a scalar tensor
 * @param argnums which arguments to differentiate with respect to: a position, negative ones from the end, or an array of
 *   positions (default 0). Also as `{ argnums, hasAux }`
 * @param hasAux whether `func` returns `[output, aux]` (default false)
 * @returns a function that returns the gradient, nested as the argument (an array for several positions) and of its tensors'
 *   shapes and types; `[gradient, aux]` with `hasAux`
 * @throws RuntimeError from that function if `func` returns no scalar tensor, there are fewer arguments, or an argument is not of
 *   floating-point or complex type
 */
export function grad<A extends readonly unknown[], const N extends Argnums = 0>(
  func: (...args: A) => Tensor,
  argnums?: N | GradSettings<N, false>,
  hasAux?: false,
): (...args: A) => ChosenArguments<A, N>;
export function grad<A extends readonly unknown[], X, const N extends Argnums = 0>(
  func: (...args: A) => readonly [Tensor, X],
  argnums: N | GradSettings<N, true>,
  hasAux?: true,
): (...args: A) => [gradient: ChosenArguments<A, N>, aux: X];
export function grad(...given: unknown[]): AnyFunction {
  const [func, argnums, hasAux] = bind(gradArguments, given) as [AnyFunction, Argnums, boolean];
  const run = differentiated(func, argnums, hasAux);
  return (...args) => {
    const [gradient, , aux] = run(args);
    return hasAux ? [gradient, aux] : gradient;
  };
}

/**
 * The gradient of a scalar function together with its value, as a function of the same arguments.
 * @param func takes tensors (or nested arrays, maps and objects of them) and returns a scalar tensor
 * @param argnums which arguments to differentiate with respect to: a position, or an array of positions (default 0). Also as `{
 *   argnums, hasAux }`
 * @param hasAux whether `func` returns `[output, aux]` (default false)
 * @returns a function that returns `[gradient, value]`, or `[gradient, [value, aux]]` with `hasAux`
 * @throws RuntimeError from that function, as `grad`
 */
export function gradAndValue<A extends readonly unknown[], const N extends Argnums = 0>(
  func: (...args: A) => Tensor,
  argnums?: N | GradSettings<N, false>,
  hasAux?: false,
): (...args: A) => [gradient: ChosenArguments<A, N>, value: Tensor];
export function gradAndValue<A extends readonly unknown[], X, const N extends Argnums = 0>(
  func: (...args: A) => readonly [Tensor, X],
  argnums: N | GradSettings<N, true>,
  hasAux?: true,
): (...args: A) => [gradient: ChosenArguments<A, N>, value: [value: Tensor, aux: X]];
export function gradAndValue(...given: unknown[]): AnyFunction {
  const [func, argnums, hasAux] = bind(gradAndValueArguments, given) as [AnyFunction, Argnums, boolean];
  const run = differentiated(func, argnums, hasAux);
  return (...args) => {
    const [gradient, value, aux] = run(args);
    return [gradient, hasAux ? [value, aux] : value];
  };
}
