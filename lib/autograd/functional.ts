// Jacobians, Hessians and their products with vectors, as torch.autograd.functional.
import { inWords, kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { flag, named } from './arguments.js';
import { arithmetic } from './arithmetic.js';
import { grad, type OneOrMore } from './backward.js';
import { requires } from './graph.js';
import { metaOf } from './meta.js';
import { gradMode, setGradMode } from './mode.js';

/** A function of tensors that returns one tensor or several. */
export type TensorFunction = (...inputs: Tensor[]) => OneOrMore<Tensor>;

/**
 * Options of the functions of torch.autograd.functional. `vectorize` is accepted too, without effect, and of `strategy`
 * 'reverse-mode' alone.
 */
export interface FunctionalOptions {
  /** Record the computation, so that the result can be differentiated; default false. */
  createGraph?: boolean;
  /** Throw if an output does not depend on an input, instead of giving zeros; default false. */
  strict?: boolean;
}

/** One tensor, or a list if that is what the caller gave. */
function pack(list: readonly Tensor[], single: boolean): OneOrMore<Tensor> {
  return single ? list[0]! : [...list];
}

function tensors(name: string, what: string, value: unknown): Tensor[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  list.forEach((t, i) => {
    if (t instanceof Tensor) return;
    throw new TypeError(
      `The ${what} given to ${name} must be either a Tensor or a tuple of Tensors but the value at index ${i} has type ` +
        `${kindOf(t)}.`,
    );
  });
  return list as Tensor[];
}

/** The inputs under new objects that require a gradient; with `createGraph` they stay connected to the caller's. */
function prepare(inputs: readonly Tensor[], createGraph: boolean): Tensor[] {
  return inputs.map((t) => {
    if (createGraph && requires(t)) return arithmetic.reshape(t, t.shape);
    if (!t.dtype.isFloatingPoint && !t.dtype.isComplex) {
      throw new RuntimeError('only Tensors of floating point dtype can require gradients');
    }
    const leaf = arithmetic.alias(t, true);
    metaOf(leaf).requiresGrad = true;
    return leaf;
  });
}

function recording<T>(fn: () => T): T {
  const outer = gradMode;
  setGradMode(true);
  try {
    return fn();
  } finally {
    setGradMode(outer);
  }
}

function zerosFor(t: Tensor): Tensor {
  return arithmetic.zeros(t.shape, t.dtype, t);
}

const NOT_ALLOWED = 'This is not allowed in strict mode';

/** What strict mode says of the tensor at `i` that does not depend on the inputs. */
const CONSTANT = {
  output: (i: number) =>
    `Output ${i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable ` +
    'manner from the input when running in strict mode.',
  gradient: (i: number) =>
    `The gradient with respect to input ${i} is independent of the inputs of the user-provided function. ${NOT_ALLOWED}.`,
  jacobian: (i: number) =>
    'While computing the hessian, found that the jacobian of the user-provided function with respect to input ' +
    `${i} is independent of the input. This is not allowed in strict mode. You should ensure that your function is twice ` +
    'differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example).',
};

/** In strict mode, throws for the first tensor that does not lead back to the inputs. */
function checkDepends(list: readonly (Tensor | null)[], what: keyof typeof CONSTANT, strict: boolean): void {
  if (!strict) return;
  list.forEach((t, i) => {
    if (t === null) throw new RuntimeError(independent('The output', i));
    if (!requires(t)) throw new RuntimeError(CONSTANT[what](i));
  });
}

function independent(what: string, i: number): string {
  return `${what} of the user-provided function is independent of input ${i}. ${NOT_ALLOWED}.`;
}

/** Gradients, null where there are none; outputs without history have no part in them. */
function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  starts: readonly Tensor[],
  createGraph: boolean,
): (Tensor | null)[] {
  const used = outputs.map((out, i) => [out, starts[i]!] as const).filter(([out]) => requires(out));
  if (used.length === 0) return inputs.map(() => null);
  return grad(
    used.map(([out]) => out),
    inputs,
    { gradOutputs: used.map(([, g]) => g), createGraph, retainGraph: true, allowUnused: true },
  );
}

/** Gradients by name of what they were taken of: zeros where there are none, in strict mode an error. */
function filled(
  list: readonly (Tensor | null)[],
  inputs: readonly Tensor[],
  what: string,
  createGraph: boolean,
  strict: boolean,
): Tensor[] {
  return list.map((g, i) => {
    if (g === null) {
      if (strict) throw new RuntimeError(independent(what, i));
      return zerosFor(inputs[i]!);
    }
    if (strict && createGraph && !requires(g)) {
      throw new RuntimeError(
        `The jacobian of the user-provided function is independent of input ${i}. ${NOT_ALLOWED} when create_graph=True.`,
      );
    }
    return g;
  });
}

/** As PyTorch does outside strict mode: gradients that are missing count as zeros. */
function orZeros(list: readonly (Tensor | null)[], inputs: readonly Tensor[]): Tensor[] {
  return list.map((g, i) => g ?? zerosFor(inputs[i]!));
}

/** Results without history, unless the caller wants to differentiate them. */
function finish(list: readonly Tensor[], createGraph: boolean): Tensor[] {
  return createGraph ? [...list] : list.map((t) => (requires(t) ? arithmetic.alias(t, true) : t));
}

function readOptions(name: string, args: readonly unknown[]): { createGraph: boolean; strict: boolean } {
  const given = named(name, ['createGraph', 'strict', 'vectorize', 'strategy'] as const, args);
  if (given.strategy !== undefined && given.strategy !== 'reverse-mode') {
    throw new RuntimeError(`${name}: only strategy 'reverse-mode' is supported, got ${inWords(given.strategy)}`);
  }
  flag(name, 'vectorize', given.vectorize, false);
  return {
    createGraph: flag(name, 'createGraph', given.createGraph, false),
    strict: flag(name, 'strict', given.strict, false),
  };
}

/** The vector of a product; may be left out for a single element. */
function vector(name: string, v: unknown, like: readonly Tensor[], what: string): Tensor[] {
  if (v === null || v === undefined) {
    if (like.length !== 1 || like[0]!.numel() !== 1) {
      throw new RuntimeError(`The vector v can only be None if ${what} or Tensor with a single element`);
    }
    return [arithmetic.onesLike(like[0]!)];
  }
  const list = tensors(name, 'v', v);
  if (list.length !== like.length) {
    throw new RuntimeError(`v is a tuple of invalid length: should be ${like.length} but got ${list.length}.`);
  }
  list.forEach((t, i) => {
    const wanted = like[i]!.shape;
    if (t.shape.join() !== wanted.join()) {
      throw new RuntimeError(
        `Entry ${i} in v has invalid size: should be torch.Size([${wanted.join(', ')}]) but got ` +
          `torch.Size([${t.shape.join(', ')}]).`,
      );
    }
  });
  return list;
}

/** Whether the trailing arguments start with a vector. */
function splitVector(args: readonly unknown[]): [unknown, readonly unknown[]] {
  const first = args[0];
  const isVector = first instanceof Tensor || Array.isArray(first) || first === null || first === undefined;
  return isVector ? [first, args.slice(1)] : [null, args];
}

type Nested = OneOrMore<OneOrMore<Tensor>>;

/**
 * The Jacobian of a function, J[i, j] = d out_i / d in_j, by one backward pass per element of the outputs.
 * @param func takes the inputs as arguments, returns a tensor or an array of tensors
 * @param inputs a tensor or an array of tensors, floating-point or complex; they need not require a gradient
 * @param options `createGraph` (record, so that the result can be differentiated; default false) and `strict` (throw if an output
 *   does not depend on an input, instead of zeros; default false), in this order or by name
 * @param args the options that follow, if they are given in order
 * @returns a tensor [...output, ...input]; an array over the inputs if they are an array, and around that one over the outputs if
 *   `func` returns an array
 * @throws RuntimeError in strict mode, if an output does not depend on an input
 * @throws TypeError if inputs or outputs are anything but tensors
 */
export function jacobian(
  func: TensorFunction,
  inputs: Tensor,
  options?: FunctionalOptions | boolean,
  ...args: unknown[]
): Tensor;
export function jacobian(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): Nested;
export function jacobian(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): Nested {
  const { createGraph, strict } = readOptions('jacobian', args);
  return recording(() => {
    const from = prepare(tensors('jacobian', 'inputs', inputs), createGraph);
    const result = func(...from);
    const outputs = tensors('jacobian', 'outputs', result);
    checkDepends(outputs, 'output', strict);
    const rows = outputs.map((out, row) => {
      const n = out.numel();
      const perElement = Array.from({ length: n }, (_, i) => {
        const start = new Float64Array(n * (out.dtype.isComplex ? 2 : 1));
        start[out.dtype.isComplex ? 2 * i : i] = 1;
        const g = arithmetic.fromNumbers(start, out.shape, out.dtype, out);
        return filled(gradients([out], from, [g], createGraph), from, `Output ${row}`, createGraph, strict);
      });
      const columns = from.map((input, k) => {
        const shape = [...out.shape, ...input.shape];
        if (n === 0) return arithmetic.zeros(shape, out.dtype, out);
        return arithmetic.reshape(arithmetic.stack(perElement.map((row) => row[k]!)), shape);
      });
      return pack(finish(columns, createGraph), !Array.isArray(inputs));
    });
    return Array.isArray(result) ? (rows as OneOrMore<Tensor>[]) : rows[0]!;
  });
}

/** Checks that `func` gives one scalar. */
function scalarOf(name: string, result: OneOrMore<Tensor>): Tensor {
  if (!(result instanceof Tensor))
    throw new RuntimeError(`The function given to ${name} should return a single Tensor`);
  if (result.numel() !== 1 || result.ndim > 1) {
    throw new RuntimeError(`The Tensor returned by the function given to ${name} should contain a single element`);
  }
  return result.ndim === 0 ? result : arithmetic.reshape(result, []);
}

/**
 * The Hessian of a scalar function, H[i, j] = d^2 out / d in_i d in_j: the Jacobian of its gradient, by one backward pass per
 * element of the inputs.
 * @param func takes the inputs as arguments, returns a tensor with one element
 * @param inputs a tensor or an array of tensors, floating-point or complex
 * @param options `createGraph` (record, so that the result can be differentiated; default false) and `strict` (throw where the
 *   function or its gradient does not depend on an input, instead of zeros; default false), in this order or by name
 * @param args the options that follow, if they are given in order
 * @returns a tensor [...input, ...input]; for an array of inputs an array of arrays, [i][j] of shape [...input i, ...input j]
 * @throws RuntimeError if `func` returns several tensors or elements, and in strict mode
 * @throws TypeError if inputs are anything but tensors
 */
export function hessian(
  func: TensorFunction,
  inputs: Tensor,
  options?: FunctionalOptions | boolean,
  ...args: unknown[]
): Tensor;
export function hessian(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): Nested;
export function hessian(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): Nested {
  const { createGraph, strict } = readOptions('hessian', args);
  const gradient: TensorFunction = (...x) => {
    const out = scalarOf('hessian', func(...x));
    checkDepends([out], 'output', strict);
    const first = gradients([out], x, [arithmetic.onesLike(out)], true);
    checkDepends(first, 'jacobian', strict);
    return pack(orZeros(first, x), !Array.isArray(inputs));
  };
  return jacobian(gradient, inputs, { createGraph, strict });
}

/**
 * The product v^T J of a vector and the Jacobian of a function, by one backward pass.
 * @param func takes the inputs as arguments, returns a tensor or an array of tensors
 * @param inputs a tensor or an array of tensors, floating-point or complex
 * @param args `v`, shaped as the outputs (default null: one, if there is a single output with one element); then `createGraph`
 *   (record; default false) and `strict` (throw instead of zeros where an output does not depend on an input; default false), in
 *   this order or by name
 * @returns [what `func` returned, the product: shaped as the inputs]
 * @throws RuntimeError if `v` is missing or does not fit, and in strict mode
 * @throws TypeError if inputs, outputs or `v` are anything but tensors
 */
export function vjp(
  func: TensorFunction,
  inputs: OneOrMore<Tensor>,
  ...args: unknown[]
): [OneOrMore<Tensor>, OneOrMore<Tensor>] {
  const [v, rest] = splitVector(args);
  const { createGraph, strict } = readOptions('vjp', rest);
  return recording(() => {
    const from = prepare(tensors('vjp', 'inputs', inputs), createGraph);
    const result = func(...from);
    const outputs = tensors('vjp', 'outputs', result);
    const start = vector('vjp', v, outputs, 'the user-provided function returns a single Tensor');
    checkDepends(outputs, 'output', strict);
    const product = filled(gradients(outputs, from, start, createGraph), from, 'The output', createGraph, strict);
    return [
      pack(finish(outputs, createGraph), !Array.isArray(result)),
      pack(finish(product, createGraph), !Array.isArray(inputs)),
    ];
  });
}

/** Dummy gradients of which the vector-Jacobian product is linear: its own gradient is the Jacobian-vector product. */
function dummies(outputs: readonly Tensor[]): Tensor[] {
  return outputs.map((out) => {
    const t = zerosFor(out);
    metaOf(t).requiresGrad = true;
    return t;
  });
}

/**
 * The product J v of the Jacobian of a function and a vector, by differentiating v^T J with respect to v: two backward passes.
 * `torch.func.jvp` computes the same.
 * @param func takes the inputs as arguments, returns a tensor or an array of tensors; its operations must be twice differentiable
 * @param inputs a tensor or an array of tensors, floating-point or complex
 * @param args `v`, shaped as the inputs (default null: one, if there is a single input with one element); then `createGraph`
 *   (record; default false) and `strict` (throw instead of zeros where an output does not depend on an input; default false), in
 *   this order or by name
 * @returns [what `func` returned, the product: shaped as the outputs]
 * @throws RuntimeError if `v` is missing or does not fit, and in strict mode
 * @throws TypeError if inputs, outputs or `v` are anything but tensors
 */
export function jvp(
  func: TensorFunction,
  inputs: OneOrMore<Tensor>,
  ...args: unknown[]
): [OneOrMore<Tensor>, OneOrMore<Tensor>] {
  const [v, rest] = splitVector(args);
  const { createGraph, strict } = readOptions('jvp', rest);
  return recording(() => {
    const given = tensors('jvp', 'inputs', inputs);
    const start = vector('jvp', v, given, 'the input to the user-provided function is a single Tensor');
    const from = prepare(given, createGraph);
    const result = func(...from);
    const outputs = tensors('jvp', 'outputs', result);
    checkDepends(outputs, 'output', strict);
    const weights = dummies(outputs);
    const linear = gradients(outputs, from, weights, true);
    checkDepends(linear, 'gradient', strict);
    const product = orZeros(gradients(orZeros(linear, from), weights, start, createGraph), weights);
    const single = !Array.isArray(result);
    return [pack(finish(outputs, createGraph), single), pack(finish(product, createGraph), single)];
  });
}

/**
 * The product v^T H of a vector and the Hessian of a scalar function, by differentiating its gradient: two backward passes.
 * @param func takes the inputs as arguments, returns a tensor with one element
 * @param inputs a tensor or an array of tensors, floating-point or complex
 * @param args `v`, shaped as the inputs (default null: one, if there is a single input with one element); then `createGraph`
 *   (record; default false) and `strict` (throw instead of zeros where something does not depend on an input; default false), in
 *   this order or by name
 * @returns [the value of `func`, the product: shaped as the inputs]
 * @throws RuntimeError if `func` returns several tensors or elements, `v` is missing or does not fit, and in strict mode
 * @throws TypeError if inputs or `v` are anything but tensors
 */
export function vhp(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): [Tensor, OneOrMore<Tensor>] {
  const [v, rest] = splitVector(args);
  const { createGraph, strict } = readOptions('vhp', rest);
  return recording(() => {
    const given = tensors('vhp', 'inputs', inputs);
    const start = vector('vhp', v, given, 'the input to the user-provided function is a single Tensor');
    const from = prepare(given, createGraph);
    const out = func(...from);
    const scalar = scalarOf('vhp', out);
    checkDepends([scalar], 'output', strict);
    const first = gradients([scalar], from, [arithmetic.onesLike(scalar)], true);
    checkDepends(first, 'jacobian', strict);
    const second = gradients(orZeros(first, from), from, start, createGraph);
    const product = filled(second, from, 'The jacobian', createGraph, strict);
    return [finish([out as Tensor], createGraph)[0]!, pack(finish(product, createGraph), !Array.isArray(inputs))];
  });
}

/**
 * The product H v of the Hessian of a scalar function and a vector, without relying on H's symmetry: three backward passes, where
 * `vhp` needs two for the same numbers.
 * @param func takes the inputs as arguments, returns a tensor with one element
 * @param inputs a tensor or an array of tensors, floating-point or complex
 * @param args `v`, shaped as the inputs (default null: one, if there is a single input with one element); then `createGraph`
 *   (record; default false) and `strict` (throw instead of zeros where something does not depend on an input; default false), in
 *   this order or by name
 * @returns [the value of `func`, the product: shaped as the inputs]
 * @throws RuntimeError if `func` returns several tensors or elements, `v` is missing or does not fit, and in strict mode
 * @throws TypeError if inputs or `v` are anything but tensors
 */
export function hvp(func: TensorFunction, inputs: OneOrMore<Tensor>, ...args: unknown[]): [Tensor, OneOrMore<Tensor>] {
  const [v, rest] = splitVector(args);
  const { createGraph, strict } = readOptions('hvp', rest);
  return recording(() => {
    const given = tensors('hvp', 'inputs', inputs);
    const start = vector('hvp', v, given, 'the input to the user-provided function is a single Tensor');
    const from = prepare(given, createGraph);
    const out = func(...from);
    const scalar = scalarOf('hvp', out);
    checkDepends([scalar], 'output', strict);
    const first = gradients([scalar], from, [arithmetic.onesLike(scalar)], true);
    checkDepends(first, 'jacobian', strict);
    const known = orZeros(first, from);
    const weights = dummies(known);
    const linear = orZeros(gradients(known, from, weights, true), from);
    const product = orZeros(gradients(linear, weights, start, createGraph), weights);
    return [finish([out as Tensor], createGraph)[0]!, pack(finish(product, createGraph), !Array.isArray(inputs))];
  });
}
