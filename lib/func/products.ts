// Products of Jacobians with vectors.
import { requires } from '../autograd/graph.js';
import { gradMode } from '../autograd/mode.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { isOptions } from '../ops/signature.js';
import { Tensor } from '../tensor/tensor.js';
import { checkOutputs, choose, dependsOn, Level, orZeros, pullBack, recording, splitAux, zerosLike } from './level.js';
import { flatten } from './tree.js';

type AnyFunction = (...args: unknown[]) => unknown;

/** How `vjp` and `jvp` treat the function. */
interface ProductOptions {
  /** Whether the function returns `[output, aux]`, with `aux` passed through; default false. */
  hasAux?: boolean;
}

/** Takes a trailing object of options off the arguments, if there is one that names nothing else. */
function takeOptions(args: unknown[], names: readonly string[]): Record<string, unknown> {
  const last = args[args.length - 1];
  if (!isOptions(last)) return {};
  const keys = Object.keys(last);
  if (keys.length === 0 || !keys.every((key) => names.includes(key))) return {};
  args.pop();
  return last;
}

/** Gradients of a function's inputs from gradients of its outputs. */
export type VjpFunction<I, O> = (cotangents: O, retainGraph?: boolean, createGraph?: boolean | null) => I;

/**
 * Runs a function and returns its output with v^T J, the product of vectors and its Jacobian, as a function of the vectors.
 * @param func takes tensors (or nested arrays, maps and objects of them) and returns such
 * @param args the function's arguments; then, optionally, `{ hasAux }` (default false): `func` returns `[output, aux]`
 * @returns `[output, vjpFn]`, and with `hasAux` the third `aux`. `vjpFn(cotangents, retainGraph = true, createGraph = null)`
 *   takes gradients nested as the output and returns those of the arguments: of the one argument, or an array. With `createGraph`
 *   null they can be differentiated where something outside asks for it
 * @throws RuntimeError for outputs that are no floating-point or complex tensors; from `vjpFn`, for cotangents nested in another
 *   way
 */
export function vjp<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  ...args: A
): [output: O, vjpFn: VjpFunction<A extends readonly [infer One] ? One : A, O>];
export function vjp<A extends readonly unknown[], O, X>(
  func: (...args: A) => readonly [O, X],
  ...args: [...A, ProductOptions]
): [output: O, vjpFn: VjpFunction<A extends readonly [infer One] ? One : A, O>, aux: X];
export function vjp(func: (...args: never[]) => unknown, ...args: unknown[]): unknown[] {
  const primals = [...args];
  const hasAux = takeOptions(primals, ['hasAux']).hasAux === true;
  const name = 'vjp(f, *primals)';
  const level = new Level();
  const chosen = choose(level, primals, primals.length === 1 ? 0 : null);
  const [output, aux] = recording(() => splitAux(name, hasAux, (func as AnyFunction)(...chosen.args)));
  const tree = flatten(output);
  const outputs = checkOutputs(name, tree);
  for (const { dtype } of outputs) {
    if (dtype.isFloatingPoint || dtype.isComplex) continue;
    throw new RuntimeError(
      `vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype ${dtype}`,
    );
  }
  const vjpFn = (cotangents: unknown, retainGraph = true, createGraph: boolean | null = null): unknown => {
    const given = flatten(cotangents);
    if (given.shape !== tree.shape) {
      throw new RuntimeError(
        'Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. ' +
          `cotangents: ${given.shape}, primal output: ${tree.shape}`,
      );
    }
    const starts = checkTensors(name, 'cotangents', given.leaves);
    // Called inside another transformation, the product is part of what that one differentiates.
    const record = createGraph ?? (gradMode && (level.mustRecord(outputs) || starts.some(requires)));
    const found = pullBack(outputs, chosen.variables, starts, record, retainGraph);
    return level.release(chosen.tree.build(orZeros(found, chosen.variables)));
  };
  const result = [level.release(output), vjpFn];
  return hasAux ? [...result, level.release(aux)] : result;
}

function checkTensors(name: string, what: string, leaves: readonly unknown[]): Tensor[] {
  if (leaves.length === 0) throw new RuntimeError(`${name}: Expected ${what} to contain at least one Tensor.`);
  for (const leaf of leaves) {
    if (leaf instanceof Tensor) continue;
    throw new RuntimeError(`${name}: Expected ${what} to only contain Tensors, got ${kindOf(leaf)}`);
  }
  return leaves as Tensor[];
}

/**
 * The outputs of a function with a linear map whose gradient is the Jacobian-vector product: the vector-Jacobian product as a
 * function of weights of the outputs, whose own Jacobian is the transpose.
 */
export interface Linearized {
  /** Weights, one per output; their values do not matter. */
  weights: Tensor[];
  /** What the map gives: one tensor per variable, null where nothing flows. */
  values: (Tensor | null)[];
}

/** The inputs' gradients as linear functions of weights on the outputs, to be differentiated by these. */
export function linearize(outputs: readonly Tensor[], variables: readonly Tensor[]): Linearized {
  const weights = outputs.map((out) => zerosLike(out).requiresGrad_(true));
  return { weights, values: pullBack(outputs, variables, weights, true) };
}

/** The product of the Jacobian with tangents (null for zeros): one tensor per output. */
export function pushForward(map: Linearized, tangents: readonly (Tensor | null)[], createGraph: boolean): Tensor[] {
  const used = map.values.flatMap((value, i) => {
    const tangent = tangents[i] ?? null;
    return value === null || tangent === null ? [] : [[value, tangent] as const];
  });
  const found = pullBack(
    used.map(([value]) => value),
    map.weights,
    used.map(([, tangent]) => tangent),
    createGraph,
  );
  return orZeros(found, map.weights);
}

/**
 * Runs a function and returns its output with J v, the product of its Jacobian and a vector, computed by differentiating the
 * vector-Jacobian product, at about twice the cost of a backward pass.
 * @param func takes tensors (or nested arrays, maps and objects of them) and returns such; twice differentiable
 * @param primals the array of the function's arguments
 * @param tangents the vector, nested as `primals`
 * @param options `strict` (default false): an output that depends on no argument is an error, not zeros; `hasAux` (default
 *   false): `func` returns `[output, aux]`
 * @returns `[output, product]`, the product nested as the output, and with `hasAux` the third `aux`
 * @throws RuntimeError if `primals` is no array, `tangents` is nested in another way or holds something else than tensors, and
 *   with `strict`
 */
export function jvp<A extends readonly unknown[], O>(
  func: (...args: A) => O,
  primals: readonly [...A],
  tangents: readonly [...A],
  options?: { strict?: boolean; hasAux?: false },
): [output: O, product: O];
export function jvp<A extends readonly unknown[], O, X>(
  func: (...args: A) => readonly [O, X],
  primals: readonly [...A],
  tangents: readonly [...A],
  options: { strict?: boolean; hasAux: true },
): [output: O, product: O, aux: X];
export function jvp(
  func: (...args: never[]) => unknown,
  primals: unknown,
  tangents: unknown,
  options: { strict?: boolean; hasAux?: boolean } = {},
): unknown[] {
  const name = 'jvp(f, primals, tangents)';
  const { strict = false, hasAux = false } = options;
  if (!Array.isArray(primals)) {
    throw new RuntimeError(`${name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals).`);
  }
  const before = flatten(primals);
  const given = flatten(tangents);
  if (before.shape !== given.shape) {
    throw new RuntimeError(
      `${name}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 ` +
        `tensors, tangents also must be. Got primals with structure ${before.shape} and tangents with structure ${given.shape}`,
    );
  }
  checkTensors(name, 'primals', before.leaves);
  const starts = checkTensors(name, 'tangents', given.leaves);
  const level = new Level();
  const chosen = choose(level, primals as unknown[], null);
  return recording(() => {
    const [output, aux] = splitAux(name, hasAux, (func as AnyFunction)(...chosen.args));
    const tree = flatten(output);
    const outputs = checkOutputs(name, tree);
    if (strict && outputs.some((out) => !dependsOn(out, chosen.variables))) {
      throw new RuntimeError(
        'jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with strict=True.',
      );
    }
    const product = pushForward(
      linearize(outputs, chosen.variables),
      starts,
      level.mustRecord([...outputs, ...starts]),
    );
    const result = [level.release(output), level.release(tree.build(product))];
    return hasAux ? [...result, level.release(aux)] : result;
  });
}
