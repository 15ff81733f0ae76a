// torch.autograd.backward and grad.
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { flag, named } from './arguments.js';
import { arithmetic } from './arithmetic.js';
import { execute, type Target } from './engine.js';
import { edgeOf } from './graph.js';
import { retainGrad } from './hooks.js';
import { gradMode, setGradMode } from './mode.js';
import { Node } from './node.js';

/**
 * A place in the graph: result number `outputNr` of the operation `node`. As a root or an input it serves where a tensor does.
 */
export interface GradientEdge {
  readonly node: Node;
  readonly outputNr: number;
}

export type Root = Tensor | GradientEdge;
export type OneOrMore<T> = T | readonly T[];

export interface BackwardOptions {
  /** Keep what backward needs, so that it can run again; default: the value of `createGraph`. */
  retainGraph?: boolean | null;
  /** Record the computation of the gradients, so that they can be differentiated; default false. */
  createGraph?: boolean;
  /** Accumulate into these tensors only; default all leaves. */
  inputs?: OneOrMore<Root> | null;
}

export interface GradOptions {
  /** Gradients of the outputs; null for ones, which scalar outputs can do without. */
  gradOutputs?: OneOrMore<Tensor | null> | null;
  /** Keep what backward needs, so that it can run again; default: the value of `createGraph`. */
  retainGraph?: boolean | null;
  /** Record the computation of the gradients, so that they can be differentiated; default false. */
  createGraph?: boolean;
  /** Has no effect, as in PyTorch. */
  onlyInputs?: boolean;
  /** Return null for inputs that the outputs do not depend on instead of throwing; default: the value of `materializeGrads`. */
  allowUnused?: boolean | null;
  /**
   * `gradOutputs` has a further first dimension; one pass is run for each of its entries, and the gradients are stacked. Default
   * false.
   */
  isGradsBatched?: boolean;
  /** Return zeros for inputs that the outputs do not depend on; default false. */
  materializeGrads?: boolean;
}

function isEdge(value: unknown): value is GradientEdge {
  return typeof value === 'object' && value !== null && (value as Partial<GradientEdge>).node instanceof Node;
}

function roots(name: string, argument: string, value: unknown): Root[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const item of list) {
    if (!(item instanceof Tensor) && !isEdge(item)) {
      throw new TypeError(
        `${name}(): argument '${argument}' must be a Tensor or an array of Tensors, not ${kindOf(item)}`,
      );
    }
  }
  return list as Root[];
}

function size(shape: readonly number[]): string {
  return `torch.Size([${shape.join(', ')}])`;
}

/** The gradient to start from at output `i`; null for the ones that the engine makes. */
function startingGradient(out: Root, g: unknown, i: number): Tensor | null {
  if (g === null || g === undefined) {
    if (!(out instanceof Tensor)) throw new RuntimeError('grad can be implicitly created only for scalar outputs');
    // A tensor without history is reported below.
    if (edgeOf(out) === null) return null;
    if (out.shape.some((n) => n !== 1))
      throw new RuntimeError('grad can be implicitly created only for scalar outputs');
    if (!out.dtype.isFloatingPoint) {
      throw new RuntimeError(`grad can be implicitly created only for real scalar outputs but got ${out.dtype}`);
    }
    return null;
  }
  if (!(g instanceof Tensor)) throw new TypeError(`gradients can be either Tensors or None, but got ${kindOf(g)}`);
  if (!(out instanceof Tensor)) return g;
  if (g.shape.length !== out.shape.length || g.shape.some((n, d) => n !== out.shape[d])) {
    throw new RuntimeError(
      `Mismatch in shape: grad_output[${i}] has a shape of ${size(g.shape)} and output[${i}] has a shape of ${size(out.shape)}.`,
    );
  }
  if (g.dtype.isComplex !== out.dtype.isComplex) {
    throw new RuntimeError(
      'For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: ' +
        `grad_output[${i}] has a dtype of ${g.dtype} and output[${i}] has a dtype of ${out.dtype}.`,
    );
  }
  return g;
}

/** Starts a pass from `outputs`. */
function run(
  outputs: readonly Root[],
  gradients: readonly unknown[],
  targets: readonly Target[] | null,
  keepGraph: boolean,
  createGraph: boolean,
  accumulate: boolean,
): (Tensor | null)[] {
  if (gradients.length !== outputs.length) {
    throw new RuntimeError(`got ${outputs.length} tensors and ${gradients.length} gradients`);
  }
  const start = outputs.map((out, i) => startingGradient(out, gradients[i], i));
  const nodes: Node[] = [];
  const nrs: number[] = [];
  outputs.forEach((out, i) => {
    const node = out instanceof Tensor ? edgeOf(out) : out.node;
    if (node === null)
      throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`);
    nodes.push(node);
    nrs.push(out instanceof Tensor ? out._ad!.outputNr : out.outputNr);
  });
  return execute({
    roots: nodes,
    nrs,
    gradients: start,
    outputs: outputs as readonly Tensor[],
    keepGraph,
    createGraph,
    targets,
    accumulate,
  });
}

/**
 * Computes the gradients of the sum of `tensors`, weighted with `gradTensors`, and adds them to the `.grad` of leaves. The graph
 * is freed on the way unless it is to be kept.
 * @param tensors a tensor or gradient edge, or several: where to start
 * @param gradTensors the gradient of each tensor, of its shape (default null: ones, for tensors with one element); options by
 *   name may stand here or at any later place
 * @param args `retainGraph` (default: createGraph), `createGraph` (default false), `gradVariables` (must be null) and `inputs`
 *   (default null: all leaves), in this order or by name in a last object; see BackwardOptions
 * @throws RuntimeError for tensors without history, gradients that do not fit or are missing, a graph that was freed, and saved
 *   tensors that were changed in place
 * @throws TypeError for anything but tensors and for unknown options
 */
export function backward(
  tensors: OneOrMore<Root>,
  gradTensors?: OneOrMore<Tensor | null> | null | (BackwardOptions & { gradTensors?: OneOrMore<Tensor | null> | null }),
  ...args: unknown[]
): void;
export function backward(tensors: OneOrMore<Root>, ...args: unknown[]): void {
  const order = ['gradTensors', 'retainGraph', 'createGraph', 'gradVariables', 'inputs'] as const;
  const given = named('backward', order, args);
  if (given.gradVariables != null) throw new RuntimeError("'gradVariables' is deprecated. Use 'gradTensors' instead.");
  runBackward(tensors, given);
}

/** @internal `backward` with sorted arguments. */
export function runBackward(
  tensors: OneOrMore<Root>,
  given: { gradTensors?: unknown; retainGraph?: unknown; createGraph?: unknown; inputs?: unknown },
): void {
  const outputs = roots('backward', 'tensors', tensors);
  const createGraph = flag('backward', 'createGraph', given.createGraph, false);
  const keepGraph = flag('backward', 'retainGraph', given.retainGraph, createGraph);
  let targets: Target[] | null = null;
  if (given.inputs !== undefined && given.inputs !== null) {
    const inputs = roots('backward', 'inputs', given.inputs);
    if (inputs.length === 0) throw new RuntimeError('`inputs` argument to `backward()` cannot be empty.');
    targets = inputs.map((input) => {
      if (input instanceof Tensor) retainGrad(input);
      return targetOf(input);
    });
  }
  run(outputs, gradientList(given.gradTensors, outputs.length), targets, keepGraph, createGraph, true);
}

function gradientList(value: unknown, n: number): readonly unknown[] {
  if (value === null || value === undefined) return new Array<null>(n).fill(null);
  return Array.isArray(value) ? value : [value];
}

function targetOf(input: Root): Target {
  if (!(input instanceof Tensor)) return { node: input.node, nr: input.outputNr };
  const node = edgeOf(input);
  if (node === null) throw new RuntimeError('One of the differentiated Tensors does not require grad');
  return { node, nr: input._ad!.outputNr };
}

/**
 * Computes the gradients of the sum of `outputs`, weighted with `gradOutputs`, with respect to `inputs`. It changes no `.grad`
 * and runs only what leads to the inputs.
 * @param outputs a tensor or gradient edge, or several: where to start
 * @param inputs a tensor or gradient edge, or several: what to differentiate by; they need not be leaves
 * @param options `gradOutputs` (default null: ones, for outputs with one element), `retainGraph` (default: createGraph),
 *   `createGraph` (default false), `onlyInputs` (no effect), `allowUnused` (default: materializeGrads), `isGradsBatched` (default
 *   false), `materializeGrads` (default false), in this order or by name in a last object; see GradOptions
 * @returns an array, one gradient per input, of the input's shape and type; null for unused inputs if that is allowed
 * @throws RuntimeError as `backward`; for an input that requires no gradient, or that the outputs do not depend on unless
 *   `allowUnused` or `materializeGrads` is set
 * @throws TypeError for anything but tensors and for unknown options
 */
export function grad(
  outputs: OneOrMore<Root>,
  inputs: OneOrMore<Root>,
  options: GradOptions & { allowUnused: true; materializeGrads?: false },
): (Tensor | null)[];
export function grad(
  outputs: OneOrMore<Root>,
  inputs: OneOrMore<Root>,
  gradOutputs?: OneOrMore<Tensor | null> | null | GradOptions,
  ...args: unknown[]
): Tensor[];
export function grad(outputs: OneOrMore<Root>, inputs: OneOrMore<Root>, ...args: unknown[]): (Tensor | null)[] {
  const order = [
    'gradOutputs',
    'retainGraph',
    'createGraph',
    'onlyInputs',
    'allowUnused',
    'isGradsBatched',
    'materializeGrads',
  ] as const;
  const given = named('grad', order, args);
  const starts = roots('grad', 'outputs', outputs);
  const wanted = roots('grad', 'inputs', inputs);
  const createGraph = flag('grad', 'createGraph', given.createGraph, false);
  const keepGraph = flag('grad', 'retainGraph', given.retainGraph, createGraph);
  const materialize = flag('grad', 'materializeGrads', given.materializeGrads, false);
  const allow = flag('grad', 'allowUnused', given.allowUnused, null);
  if (materialize && allow === false) {
    throw new RuntimeError(
      'Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.',
    );
  }
  const gradients = gradientList(given.gradOutputs, starts.length);
  const targets = wanted.map(targetOf);
  const found = flag('grad', 'isGradsBatched', given.isGradsBatched, false)
    ? runBatched(starts, gradients, targets, keepGraph, createGraph)
    : run(starts, gradients, targets, keepGraph, createGraph, false);
  found.forEach((g, i) => {
    if (g !== null) return;
    const input = wanted[i]!;
    if (materialize && input instanceof Tensor) found[i] = arithmetic.zeros(input.shape, input.dtype, input);
    else if (!(allow ?? materialize)) {
      throw new RuntimeError(
        `The differentiated Tensor at index ${i} appears to not have been used in the graph. Set allow_unused=True if ` +
          'this is the desired behavior.',
      );
    }
  });
  return found;
}

/** One pass per entry of the gradients' first dimension. */
function runBatched(
  outputs: readonly Root[],
  gradients: readonly unknown[],
  targets: readonly Target[],
  keepGraph: boolean,
  createGraph: boolean,
): (Tensor | null)[] {
  const rows = gradients.map((g) => (g instanceof Tensor ? arithmetic.unbind(g) : null));
  const n = rows.find((list) => list !== null)?.length ?? 0;
  if (rows.some((list) => list === null || list.length !== n) || n === 0) {
    throw new RuntimeError(
      'grad(): with isGradsBatched every output needs a gradient with the same first size, at least 1',
    );
  }
  const results: (Tensor | null)[][] = [];
  for (let k = 0; k < n; k++) {
    const last = k === n - 1;
    results.push(
      run(
        outputs,
        rows.map((list) => list![k]!),
        targets,
        keepGraph || !last,
        createGraph,
        false,
      ),
    );
  }
  const outer = gradMode;
  setGradMode(createGraph);
  try {
    return targets.map((_, i) => {
      const list = results.map((row) => row[i]!);
      return list.some((g) => g === null) ? null : arithmetic.stack(list);
    });
  } finally {
    setGradMode(outer);
  }
}

/**
 * The place in the graph that a tensor's gradient arrives at. It serves as a root and as an input of `grad` and
 * `backward`, also when the tensor itself is gone.
 * @param tensor a tensor that requires a gradient
 * @returns its node (for a leaf the one that adds to its `.grad`) and which of the node's results it is
 * @throws RuntimeError for a tensor that requires no gradient
 */
export function getGradientEdge(tensor: Tensor): GradientEdge {
  const node = edgeOf(tensor);
  if (node === null)
    throw new RuntimeError('It is not possible to get the gradient edge for a Tensor that does not require gradients');
  return { node, outputNr: tensor._ad!.outputNr };
}
