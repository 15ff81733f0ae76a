// Full backward hooks. Identity nodes around a module mark where gradients enter and leave it: the node on the outputs
// sees gradOutput first (and lets the pre-hooks change it), the node on the inputs sees gradInput last.
import { Function as AutogradFunction, type FunctionContext } from '../autograd/function.js';
import type { Node } from '../autograd/node.js';
import { gradMode } from '../autograd/mode.js';
import { RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import type { BackwardHook, BackwardPreHook, Gradients } from './hooks.js';
import type { Module } from './module.js';
import { warn } from './warn.js';

class BackwardHookFunction extends AutogradFunction {
  static override forward(ctx: FunctionContext, ...args: Tensor[]): Tensor[] {
    ctx.markNonDifferentiable(...args.filter((t) => !t.requiresGrad));
    return args;
  }

  static override backward(_ctx: FunctionContext, ...grads: (Tensor | null)[]): (Tensor | null)[] {
    return grads;
  }
}

/** Replaces items of an array, keeping its class and the names that its items have beside their numbers. */
function replaceItems(values: unknown[], at: readonly number[], items: readonly unknown[]): unknown[] {
  const out = Object.setPrototypeOf(values.slice(), Object.getPrototypeOf(values) as object) as unknown[];
  const replaced = new Map<unknown, unknown>();
  at.forEach((index, i) => {
    replaced.set(values[index], items[i]);
    out[index] = items[i];
  });
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(values))) {
    if (key === 'length' || key in out) continue;
    if ('value' in descriptor && replaced.has(descriptor.value)) descriptor.value = replaced.get(descriptor.value);
    Object.defineProperty(out, key, descriptor);
  }
  return out;
}

/** What a hook returned as a list of gradients; a single tensor stands for a list of one. */
function asGradients(returned: Gradients | Tensor | null | undefined | void): Gradients | null {
  if (returned === null || returned === undefined) return null;
  return returned instanceof Tensor ? [returned] : (returned as Gradients);
}

const NO_INPUT_GRADIENTS =
  'Full backward hook is firing when gradients are computed with respect to module outputs since no inputs require ' +
  'gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.' +
  'register_full_backward_hook for more details.';

/** The full backward hooks of one call of a module. */
export class BackwardHooks {
  /** The gradients of the outputs, from the moment they arrive until those of the inputs are known. */
  private gradOutputs: Gradients | null = null;
  private inputCount = 0;
  private outputCount = 0;
  /** Which inputs and outputs are tensors on the identity nodes; null if there is no node. */
  private inputsAt: readonly number[] | null = null;
  private outputsAt: readonly number[] | null = null;

  constructor(
    private readonly module: Module,
    private readonly hooks: readonly BackwardHook[],
    private readonly preHooks: readonly BackwardPreHook[],
  ) {}

  /** Sends the tensors among the positional arguments through an identity node that runs the hooks. */
  wrapInputs(args: unknown[]): unknown[] {
    this.inputCount = args.length;
    const wrapped = this.throughIdentity(args);
    if (wrapped === null) return args;
    this.inputsAt = wrapped.at;
    wrapped.node.registerHook((gradInputs: Gradients) => this.onInputs(gradInputs));
    return wrapped.values;
  }

  /** Sends a tensor, or the tensors of an array, through an identity node that collects their gradients. */
  wrapOutputs(result: unknown): unknown {
    const values: unknown[] = Array.isArray(result) ? (result as unknown[]) : [result];
    this.outputCount = values.length;
    const wrapped = this.throughIdentity(values);
    if (wrapped === null) return result;
    this.outputsAt = wrapped.at;
    wrapped.node.registerHook((_: Gradients, gradOutputs: Gradients) => this.onOutputs(gradOutputs));
    return Array.isArray(result) ? wrapped.values : wrapped.values[0];
  }

  private throughIdentity(values: unknown[]): { values: unknown[]; at: number[]; node: Node } | null {
    const at: number[] = [];
    const tensors: Tensor[] = [];
    values.forEach((value, i) => {
      if (!(value instanceof Tensor)) return;
      at.push(i);
      tensors.push(value);
    });
    if (!gradMode || !tensors.some((t) => t.requiresGrad)) return null;
    const identical = BackwardHookFunction.apply(...tensors) as Tensor[];
    const node = identical.find((t) => t.gradFn !== null)?.gradFn;
    if (!node) throw new RuntimeError('Error while setting up backward hooks: no output of the module has a gradFn');
    return { values: replaceItems(values, at, identical), at, node };
  }

  private onOutputs(gradOutputs: Gradients): Gradients {
    let grads = spread(this.outputsAt!, gradOutputs, this.outputCount);
    for (const hook of this.preHooks) {
      const changed = asGradients(hook(this.module, grads));
      if (changed === null) continue;
      if (changed.length !== grads.length) {
        throw new RuntimeError(
          `Backward pre hook returned an invalid number of grad_output, got ${changed.length}, but expected ${grads.length}`,
        );
      }
      grads = changed;
    }
    // Without a node on the inputs there is no later moment: the hooks run now, with null for every input.
    if (this.inputsAt === null) this.runWithoutInputs(grads);
    else this.gradOutputs = grads;
    return this.outputsAt!.map((i) => grads[i] ?? null);
  }

  private runWithoutInputs(gradOutputs: Gradients): void {
    warn(NO_INPUT_GRADIENTS);
    const gradInputs = new Array<null>(this.inputCount).fill(null);
    for (const hook of this.hooks) {
      const returned = asGradients(hook(this.module, gradInputs, gradOutputs));
      if (returned === null || (Array.isArray(returned) && returned.every((g) => g === null))) continue;
      throw new RuntimeError(
        'Backward hook for Modules where no input requires gradient should always return None or None for all gradients.',
      );
    }
  }

  private onInputs(gradInputs: Gradients): Gradients | undefined {
    // Reached although no gradient came in through the outputs: forward leaked an input some other way.
    const { gradOutputs } = this;
    if (gradOutputs === null) return undefined;
    let grads = spread(this.inputsAt!, gradInputs, this.inputCount);
    for (const hook of this.hooks) {
      const changed = asGradients(hook(this.module, grads, gradOutputs));
      if (changed === null) continue;
      if (changed.length !== grads.length) {
        throw new RuntimeError(
          `Backward hook returned an invalid number of grad_input, got ${changed.length}, but expected ${grads.length}`,
        );
      }
      grads = changed;
    }
    this.gradOutputs = null;
    return this.inputsAt!.map((i) => grads[i] ?? null);
  }
}

/** Gradients of the tensors among `count` values, at the places of those tensors. */
function spread(at: readonly number[], grads: Gradients, count: number): Gradients {
  const out = new Array<Tensor | null>(count).fill(null);
  at.forEach((index, i) => {
    out[index] = grads[i] ?? null;
  });
  return out;
}
