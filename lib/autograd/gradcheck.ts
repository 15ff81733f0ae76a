// Comparing gradients with finite differences, in double precision.
import { complex128, float64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { addon } from '../native/addon.js';
import { alive, Tensor } from '../tensor/tensor.js';
import { flag, named, number } from './arguments.js';
import { arithmetic } from './arithmetic.js';
import { grad, type OneOrMore } from './backward.js';
import { metaOf } from './meta.js';

/** A function under test: takes the inputs, returns one tensor or several. */
export type CheckedFunction<A extends unknown[] = never[]> = (...inputs: A) => unknown;

export interface GradcheckOptions {
  /** Step of the finite differences; default 1e-6. */
  eps?: number;
  /** Absolute tolerance; default 1e-5. */
  atol?: number;
  /** Relative tolerance; default 1e-3. */
  rtol?: number;
  /** Throw at a mismatch (default) instead of returning false. */
  raiseException?: boolean;
  /** How much two runs of backward may differ; default 0. */
  nondetTol?: number;
}

const ORDER = ['eps', 'atol', 'rtol', 'raiseException', 'nondetTol'] as const;

interface Settings {
  eps: number;
  atol: number;
  rtol: number;
  raise: boolean;
  nondetTol: number;
}

function settings(name: string, args: readonly unknown[]): Settings {
  const given = named(name, ORDER, args);
  return {
    eps: number(name, 'eps', given.eps, 1e-6),
    atol: number(name, 'atol', given.atol, 1e-5),
    rtol: number(name, 'rtol', given.rtol, 1e-3),
    raise: flag(name, 'raiseException', given.raiseException, true),
    nondetTol: number(name, 'nondetTol', given.nondetTol, 0),
  };
}

/** What a check found to be wrong: a RuntimeError of its own, so that other errors of the function under test are told apart. */
export class GradcheckError extends RuntimeError {
  override name = 'GradcheckError';
}

/** A real matrix, row-major: how the real parts and imaginary parts of an output depend on those of an input. */
interface Jacobian {
  rows: number;
  columns: number;
  values: Float64Array;
}

type Numbers = Float64Array | Float32Array;

/** The elements as real numbers; a complex one counts twice. */
function realParts(t: Tensor): Numbers {
  return t.toTypedArray() as Numbers;
}

function isDifferentiable(t: unknown): t is Tensor {
  return t instanceof Tensor && (t.dtype.isFloatingPoint || t.dtype.isComplex);
}

function outputsOf(value: unknown): Tensor[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter(isDifferentiable);
}

/** Overwrites the elements of `t` without a trace in the graph. */
function write(t: Tensor, values: Numbers): void {
  addon.write(alive(t), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** (f(x + eps e_j) - f(x - eps e_j)) / 2 eps for every real element e_j of the input; one matrix per output. */
function numericalJacobians(call: () => Tensor[], input: Tensor, eps: number): Jacobian[] {
  const original = realParts(input);
  const columns = original.length;
  const evaluate = (j: number, step: number): Numbers[] => {
    const changed = original.slice();
    changed[j]! += step;
    write(input, changed);
    return call().map(realParts);
  };
  let result: Jacobian[] = [];
  try {
    if (columns === 0)
      return call().map((out) => ({ rows: realParts(out).length, columns, values: new Float64Array() }));
    for (let j = 0; j < columns; j++) {
      const above = evaluate(j, eps);
      const below = evaluate(j, -eps);
      if (j === 0) {
        result = above.map((out) => ({ rows: out.length, columns, values: new Float64Array(out.length * columns) }));
      }
      above.forEach((out, o) => {
        const { values } = result[o]!;
        for (let i = 0; i < out.length; i++) values[i * columns + j] = (out[i]! - below[o]![i]!) / (2 * eps);
      });
    }
  } finally {
    write(input, original);
  }
  return result;
}

/** A unit vector in the shape of `like`, whose element `at` (counting real and imaginary parts) is one. */
function unit(like: Tensor, at: number, length: number): Tensor {
  const values = new Float64Array(length);
  values[at] = 1;
  return arithmetic.fromNumbers(values, like.shape, like.dtype, like);
}

/**
 * One backward pass per real element of the output. For a complex input the gradient is dL/dRe + i dL/dIm, and the
 * output's gradient 1 (or i) asks for L = Re (or Im) of that element: a row of the real matrix in both cases.
 */
function analyticalJacobians(out: Tensor, inputs: readonly Tensor[]): Jacobian[] {
  const rows = realParts(out).length;
  const sizes = inputs.map((input) => realParts(input).length);
  const result = sizes.map((columns): Jacobian => ({ rows, columns, values: new Float64Array(rows * columns) }));
  if (!out.requiresGrad) return result;
  for (let i = 0; i < rows; i++) {
    const gradients = grad(out, inputs, { gradOutputs: unit(out, i, rows), retainGraph: true, allowUnused: true });
    gradients.forEach((g, k) => {
      if (g === null) return;
      if (g.dtype !== inputs[k]!.dtype || g.shape.join() !== inputs[k]!.shape.join()) {
        throw new GradcheckError('Analytical gradient has incorrect size or type');
      }
      result[k]!.values.set(realParts(g), i * sizes[k]!);
    });
  }
  return result;
}

function show(j: Jacobian): string {
  return String(arithmetic.fromNumbers(j.values, [j.rows, j.columns], float64, null));
}

function checkInputs(inputs: readonly unknown[]): Tensor[] {
  const wanted = inputs.filter((t): t is Tensor => isDifferentiable(t) && t.requiresGrad);
  if (wanted.length === 0) {
    throw new RuntimeError(
      'gradcheck expects at least one tensor that requires gradient, but none of the them have requires_grad=True.',
    );
  }
  wanted.forEach((t, i) => {
    if (t.dtype !== float64 && t.dtype !== complex128) {
      process.emitWarning(
        `Input #${i} requires gradient and is not a double precision floating point or complex. This check will ` +
          'likely fail if all the inputs are not of double precision floating point or complex.',
        'UserWarning',
      );
    }
    if (t.stride().some((s, d) => s === 0 && t.shape[d]! > 1)) {
      throw new RuntimeError(
        `The ${i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be ` +
          'able to compute the numerical gradients correctly. You should call .contiguous on the input before passing ' +
          'it to gradcheck.',
      );
    }
  });
  return wanted;
}

function check(fn: (...inputs: never[]) => unknown, inputs: readonly unknown[], s: Settings): void {
  const wanted = checkInputs(inputs);
  const call = (): Tensor[] => outputsOf(fn(...(inputs as never[])));
  const numerical = wanted.map((input) => numericalJacobians(call, input, s.eps));
  const outputs = call();
  if (outputs.length === 0)
    throw new RuntimeError('gradcheck expects all the outputs to be differentiable, but there are none');
  outputs.forEach((out, o) => {
    const analytical = analyticalJacobians(out, wanted);
    const again = analyticalJacobians(out, wanted);
    wanted.forEach((input, k) => {
      const a = analytical[k]!;
      const n = numerical[k]![o]!;
      for (let i = 0; i < a.values.length; i++) {
        const found = a.values[i]!;
        const expected = n.values[i]!;
        const equal = found === expected || (Number.isNaN(found) && Number.isNaN(expected));
        if (!equal && !(Math.abs(found - expected) <= s.atol + s.rtol * Math.abs(expected))) {
          const parts = input.dtype.isComplex || out.dtype.isComplex ? ' (real and imaginary parts interleaved)' : '';
          throw new GradcheckError(
            `Jacobian mismatch for output ${o} with respect to input ${k}${parts},\n` +
              `numerical:${show(n)}\nanalytical:${show(a)}\n`,
          );
        }
        if (Math.abs(found - again[k]!.values[i]!) > s.nondetTol) {
          throw new GradcheckError(
            'Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives ' +
              'different values, although analytical gradient matches numerical gradient. The tolerance for nondeterminism ' +
              `was ${s.nondetTol}.`,
          );
        }
      }
    });
  });
}

/** Runs a check; a failure is an error or `false`. */
function outcome(raise: boolean, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (raise || !(error instanceof GradcheckError)) throw error;
    return false;
  }
}

/**
 * Compares the gradients of a function with central finite differences, (f(x + eps) - f(x - eps)) / 2 eps, for every element of
 * its inputs and outputs; real and imaginary parts count separately. They agree if |found - expected| <= atol + rtol |expected|.
 * @param fn takes `inputs`, returns a tensor or an array of tensors; must give the same result for the same inputs
 * @param inputs the arguments; the tensors among them that require a gradient are checked. They should be float64 or complex128
 *   (a warning says if not); a tensor alone is taken as the only argument
 * @param options `eps` (the step; default 1e-6), `atol` (default 1e-5), `rtol` (default 1e-3), `raiseException` (default true)
 *   and `nondetTol` (how far two runs of backward may differ; default 0), in this order or by name; see GradcheckOptions
 * @param args the options that follow, if they are given in order
 * @returns true if all agree, false if not and `raiseException` is false
 * @throws GradcheckError (a RuntimeError) at a mismatch, unless `raiseException` is false
 * @throws RuntimeError if no input requires a gradient, or elements of one share memory
 */
export function gradcheck<A extends unknown[]>(
  fn: CheckedFunction<A>,
  inputs: readonly [...A] | Tensor,
  options?: GradcheckOptions | number,
  ...args: unknown[]
): boolean;
export function gradcheck(fn: CheckedFunction, inputs: readonly unknown[] | Tensor, ...args: unknown[]): boolean {
  const s = settings('gradcheck', args);
  return outcome(s.raise, () => check(fn, inputs instanceof Tensor ? [inputs] : inputs, s));
}

/** Numbers in [-1, 1) that look random, the same in every run: the check must not advance the random generator. */
function arbitrary(like: Tensor, seed: number): Tensor {
  const n = like.numel() * (like.dtype.isComplex ? 2 : 1);
  let state = (seed * 2654435761 + 12345) >>> 0;
  const values = Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const t = arithmetic.fromNumbers(values, like.shape, like.dtype, like);
  metaOf(t).requiresGrad = true;
  return t;
}

/**
 * Compares the gradients of the gradients of a function with central finite differences, as `gradcheck` those of the function.
 * @param fn as for `gradcheck`; its operations must be twice differentiable
 * @param inputs as for `gradcheck`
 * @param gradOutputs gradients of the outputs to start from, one per output that requires a gradient (default null: arbitrary
 *   numbers that are the same in every run); the options may stand here
 * @param args as the options of `gradcheck`, with the same defaults
 * @returns true if all agree, false if not and `raiseException` is false
 * @throws GradcheckError (a RuntimeError) at a mismatch, unless `raiseException` is false
 */
export function gradgradcheck<A extends unknown[]>(
  fn: CheckedFunction<A>,
  inputs: readonly [...A] | Tensor,
  gradOutputs?: OneOrMore<Tensor> | null | GradcheckOptions,
  ...args: unknown[]
): boolean;
export function gradgradcheck(fn: CheckedFunction, inputs: readonly unknown[] | Tensor, ...args: unknown[]): boolean {
  const list = inputs instanceof Tensor ? [inputs] : [...inputs];
  const first = args[0];
  const explicit = first instanceof Tensor || Array.isArray(first);
  const s = settings('gradgradcheck', explicit || first === null ? args.slice(1) : args);
  const call = fn as unknown as (...inputs: unknown[]) => unknown;
  const outputs = outputsOf(call(...list)).filter((out) => out.requiresGrad);
  const starts = explicit
    ? ([] as Tensor[]).concat(first as Tensor | Tensor[])
    : outputs.map((out, i) => arbitrary(out, i + 1));
  const gradients = (...all: unknown[]): Tensor[] => {
    const args2 = all.slice(0, list.length);
    const wanted = args2.filter((t): t is Tensor => isDifferentiable(t) && t.requiresGrad);
    const outs = outputsOf(call(...args2)).filter((out) => out.requiresGrad);
    const gradOutputs = all.slice(list.length) as Tensor[];
    return grad(outs, wanted, { gradOutputs, createGraph: true, allowUnused: true, materializeGrads: true });
  };
  return outcome(s.raise, () => check(gradients as never, [...list, ...starts], s));
}
