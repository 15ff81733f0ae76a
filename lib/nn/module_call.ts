// Calling a module: nothing but `forward` when no hook is registered, the hooks around it otherwise.
import { inWords, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { forwardError } from './forward_errors.js';
import {
  type BackwardHook,
  type BackwardPreHook,
  type ForwardEntry,
  type ForwardHook,
  type ForwardHookWithKwargs,
  type ForwardPreHook,
  type ForwardPreHookWithKwargs,
  globalBackwardHooks,
  globalBackwardPreHooks,
  globalForwardHooks,
  globalForwardPreHooks,
  type Kwargs,
} from './hooks.js';
import { BackwardHooks } from './module_backward.js';
import type { Module } from './module.js';
import { typeName } from './printing.js';
import { warn } from './warn.js';

/**
 * Calls a module.
 * @param raw the function behind the proxy: what is read here is read without a trap.
 * @param module the proxy: what `forward` and the hooks see.
 */
export function callModule(raw: Module, module: Module, args: unknown[]): unknown {
  if (raw._compiledCall !== null) return raw._compiledCall(raw, module, args);
  return callDirect(raw, module, args);
}

// Local names: the call path reads them on every call, and an imported binding is looked up each time.
const preHooksOfAll = globalForwardPreHooks;
const hooksOfAll = globalForwardHooks;
const backwardPreHooksOfAll = globalBackwardPreHooks;
const backwardHooksOfAll = globalBackwardHooks;

function hasNoHooks(raw: Module): boolean {
  return (
    raw._forwardPreHooks.size === 0 &&
    raw._forwardHooks.size === 0 &&
    raw._backwardHooks.size === 0 &&
    raw._backwardPreHooks.size === 0 &&
    preHooksOfAll.size === 0 &&
    hooksOfAll.size === 0 &&
    backwardHooksOfAll.size === 0 &&
    backwardPreHooksOfAll.size === 0
  );
}

function callDirect(raw: Module, module: Module, args: unknown[]): unknown {
  if (hasNoHooks(raw)) {
    try {
      return raw.forward.apply(module, args);
    } catch (error) {
      throw forwardError(module, args, error);
    }
  }
  return new HookedCall(raw, module, args).run();
}

/** Whether calling the module is nothing but running `forward`: nobody would see a difference between the two. */
export function callsForwardAlone(module: Module): boolean {
  return module._compiledCall === null && hasNoHooks(module);
}

/** A call of a module that has hooks. */
export type ModuleCall = (raw: Module, module: Module, args: unknown[]) => unknown;
export { callDirect };

function isPlainObject(value: unknown): value is Kwargs {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

class HookedCall {
  private args: unknown[];
  /** The trailing plain object, which stands for Python's keyword arguments; null if the call has none. */
  private kwargs: Kwargs | null = null;
  private result: unknown = null;
  /** The hooks with `alwaysCall` that the regular way has reached. */
  private readonly reached = new Set<number>();

  constructor(
    private readonly raw: Module,
    private readonly module: Module,
    args: unknown[],
  ) {
    this.args = args;
    const last = args[args.length - 1];
    if (isPlainObject(last)) {
      this.kwargs = last;
      this.args = args.slice(0, -1);
    }
  }

  run(): unknown {
    const { args } = this;
    try {
      return this.regular();
    } catch (error) {
      this.runAlways(hooksOfAll, 'global module');
      this.runAlways(this.raw._forwardHooks, 'module');
      throw forwardError(this.module, this.kwargs === null ? args : [...args, this.kwargs], error);
    }
  }

  private regular(): unknown {
    const { raw, module } = this;
    // Lists of hooks are copied before they run: a hook may remove itself or add others, which count from the next call.
    const preHooks: BackwardPreHook[] = [...backwardPreHooksOfAll.values(), ...raw._backwardPreHooks.values()];
    const hooks: BackwardHook[] = [...backwardHooksOfAll.values(), ...raw._backwardHooks.values()];
    this.runPreHooks();
    const backward = hooks.length + preHooks.length > 0 ? new BackwardHooks(module, hooks, preHooks) : null;
    if (backward !== null) this.args = backward.wrapInputs(this.args);
    const given = this.kwargs === null ? this.args : [...this.args, this.kwargs];
    this.result = raw.forward.apply(module, given);
    for (const [id, entry] of [...hooksOfAll, ...raw._forwardHooks]) {
      if (entry.alwaysCall) this.reached.add(id);
      this.result = this.runForwardHook(entry) ?? this.result;
    }
    if (backward !== null) {
      if (!(this.result instanceof Tensor) && !Array.isArray(this.result)) {
        warn(
          'For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received ' +
            typeName(this.result),
        );
      }
      this.result = backward.wrapOutputs(this.result);
    }
    return this.result;
  }

  private runPreHooks(): void {
    for (const { hook, withKwargs } of [...preHooksOfAll.values(), ...this.raw._forwardPreHooks.values()]) {
      if (withKwargs) {
        const changed = (hook as ForwardPreHookWithKwargs)(this.module, this.args, this.kwargs ?? {});
        if (changed === null || changed === undefined) continue;
        if (
          !Array.isArray(changed) ||
          changed.length !== 2 ||
          !Array.isArray(changed[0]) ||
          !isPlainObject(changed[1])
        ) {
          throw new RuntimeError(
            `forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got ${inWords(changed)}.`,
          );
        }
        this.args = changed[0] as unknown[];
        this.kwargs = this.kwargs === null && Object.keys(changed[1]).length === 0 ? null : changed[1];
      } else {
        const changed = (hook as ForwardPreHook)(this.module, this.args);
        if (changed === null || changed === undefined) continue;
        this.args = Array.isArray(changed) ? (changed as unknown[]) : [changed];
      }
    }
  }

  private runForwardHook({ hook, withKwargs }: ForwardEntry): unknown {
    return withKwargs
      ? (hook as ForwardHookWithKwargs)(this.module, this.args, this.kwargs ?? {}, this.result)
      : (hook as ForwardHook)(this.module, this.args, this.result);
  }

  /** After an error: the hooks that asked to run in any case. Their own errors must not hide the first one. */
  private runAlways(hooks: ReadonlyMap<number, ForwardEntry>, whose: string): void {
    for (const [id, entry] of [...hooks]) {
      if (!entry.alwaysCall || this.reached.has(id)) continue;
      try {
        this.result = this.runForwardHook(entry) ?? this.result;
      } catch (error) {
        warn(
          `${whose} forward hook with \`\`always_call=True\`\` raised an exception that was silenced as another error was ` +
            `raised in forward: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
