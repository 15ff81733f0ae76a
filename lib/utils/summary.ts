// torch.utils.summary: what a model is made of, what comes out of its layers, and what it costs to run.
import { noGrad } from '../autograd/mode.js';
import { type Device, device as deviceOf, type DeviceLike, home } from '../core/device.js';
import type { DType } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { addon } from '../native/addon.js';
import type { RemovableHandle } from '../autograd/handle.js';
import { isLazy } from '../nn/parameter.js';
import { Module } from '../nn/module.js';
import { zeros } from '../ops/index.js';
import { Tensor } from '../tensor/tensor.js';
import { bytesText, countText, table } from './summary_table.js';

/** Sizes of the tensors in a value, nested as the value is. */
export type Shapes = readonly number[] | readonly Shapes[] | { readonly [name: string]: Shapes } | null;

/** One module of a summarised model. Numbers are those of the module itself, without the modules below it. */
export interface SummaryRow {
  /** The path of the module, as in `namedModules`; '' for the model. */
  name: string;
  /** The name of its class. */
  type: string;
  /** How far below the model it is. */
  depth: number;
  /** The sizes of what its last call was given and returned; null if it was not called. */
  inputShape: Shapes;
  outputShape: Shapes;
  /** How often it was called; 0 if never. */
  calls: number;
  /** Elements of its parameters; one that several modules share counts for the first. */
  parameters: number;
  /** Those of them that require a gradient. */
  trainable: number;
  /** Multiply-adds of the matrix products, convolutions and attention in its calls. */
  multiplyAdds: number;
  /** Bytes of its parameters and buffers. */
  bytes: number;
  /** Bytes of the tensors that its last call returned. */
  outputBytes: number;
}

export interface SummaryOptions {
  /** The type of inputs that are given as shapes, one for all or one each; default the default float type. */
  dtype?: DType | readonly DType[];
  /** Where to run: on `'meta'` (default) nothing is computed, on `'cpu'` everything is. */
  device?: DeviceLike;
  /** The mode to run in: `'eval'` (default), `'train'`, or `'same'` as the model is in. */
  mode?: 'eval' | 'train' | 'same';
  /** How many levels of modules the printed table has; deeper ones count for the last that is shown. Default all. */
  depth?: number;
  /** A last argument of the call: its options by name. */
  kwargs?: Readonly<Record<string, unknown>>;
}

/** What `summary` finds; `String(...)` and `console.log` show it as a table. */
export class Summary {
  /** Elements of all parameters. */
  readonly parameters: number;
  /** Those of them that require a gradient. */
  readonly trainable: number;
  /** Multiply-adds of the call. */
  readonly multiplyAdds: number;
  /** Bytes of all parameters and buffers. */
  readonly bytes: number;
  /** Bytes of what modules without modules below them returned. */
  readonly outputBytes: number;

  /** @internal */
  constructor(
    /** A row for every module, parents before children. */
    readonly rows: readonly SummaryRow[],
    /** Bytes of the inputs. */
    readonly inputBytes: number,
    private readonly depth: number,
  ) {
    const total = (field: 'parameters' | 'trainable' | 'multiplyAdds' | 'bytes'): number =>
      rows.reduce((sum, row) => sum + row[field], 0);
    this.parameters = total('parameters');
    this.trainable = total('trainable');
    this.multiplyAdds = total('multiplyAdds');
    this.bytes = total('bytes');
    this.outputBytes = rows
      .filter((row, i) => (rows[i + 1]?.depth ?? 0) <= row.depth)
      .reduce((sum, row) => sum + row.outputBytes, 0);
  }

  /** The table: a line for every module with its output's sizes, parameters, multiply-adds and bytes, and the totals below. */
  toString(): string {
    const frozen = this.parameters - this.trainable;
    return table(this.rows, this.depth, [
      `Parameters: ${countText(this.parameters)} (${countText(this.trainable)} trainable, ${countText(frozen)} not)`,
      `Multiply-adds: ${countText(this.multiplyAdds)}`,
      `Memory: ${bytesText(this.bytes)} parameters and buffers, ${bytesText(this.inputBytes)} inputs, ${bytesText(this.outputBytes)} outputs of layers`,
    ]);
  }

  /** How console.log shows it: the table. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Calls `visit` with all tensors in a value: in arrays, maps and plain objects. */
function eachTensor(value: unknown, visit: (t: Tensor) => void): void {
  if (value instanceof Tensor) visit(value);
  else if (value instanceof Map || Array.isArray(value)) for (const v of value.values()) eachTensor(v, visit);
  else if (typeof value === 'object' && value !== null) for (const v of Object.values(value)) eachTensor(v, visit);
}
function shapesOf(value: unknown): Shapes {
  if (value instanceof Tensor) return [...value.shape];
  if (value instanceof Map) return shapesOf(Object.fromEntries(value as Map<string, unknown>));
  if (Array.isArray(value)) return value.map(shapesOf).filter((s) => s !== null);
  if (typeof value !== 'object' || value === null) return null;
  const found = Object.entries(value)
    .map(([k, v]) => [k, shapesOf(v)] as const)
    .filter(([, s]) => s !== null);
  return found.length === 0 ? null : Object.fromEntries(found);
}
function bytesOf(value: unknown): number {
  let bytes = 0;
  eachTensor(value, (t) => {
    bytes += t.nbytes;
  });
  return bytes;
}

function rowsOf(model: Module): Map<Module, SummaryRow> {
  const seen = new Set<Tensor>();
  const once = (tensors: Iterable<Tensor | null>): Tensor[] =>
    [...tensors].filter((t): t is Tensor => {
      if (t === null || seen.has(t)) return false;
      seen.add(t);
      return true;
    });
  const rows = new Map<Module, SummaryRow>();
  for (const [name, module] of model.namedModules()) {
    const own = once(module._parameters.values());
    const count = (list: readonly Tensor[]): number => list.reduce((n, t) => n + t.numel(), 0);
    rows.set(module, {
      name,
      type: module._getName(),
      depth: name === '' ? 0 : name.split('.').length,
      inputShape: null,
      outputShape: null,
      calls: 0,
      parameters: count(own),
      trainable: count(own.filter((t) => t.requiresGrad)),
      multiplyAdds: 0,
      bytes: bytesOf([...own, ...once(module._buffers.values())]),
      outputBytes: 0,
    });
  }
  return rows;
}

/** Hooks that fill the rows while the model runs. */
function watch(rows: ReadonlyMap<Module, SummaryRow>): RemovableHandle[] {
  // What was counted before each call that is running, and what the calls inside it have counted.
  const running: { start: number; below: number }[] = [];
  return [...rows].flatMap(([module, row]) => [
    module.registerForwardPreHook(() => void running.push({ start: addon.multiplyAdds(), below: 0 })),
    module.registerForwardHook((_module, args: unknown, output: unknown) => {
      const { start, below } = running.pop()!;
      const all = addon.multiplyAdds() - start;
      const outer = running.at(-1);
      if (outer !== undefined) outer.below += all;
      row.calls++;
      row.multiplyAdds += all - below;
      row.inputShape = shapesOf(args);
      row.outputShape = shapesOf(output);
      row.outputBytes = bytesOf(output);
    }),
  ]);
}

/** Puts tensors of another device in the place of all parameters and buffers; returns what puts them back. */
function moveState(modules: Iterable<Module>, place: Device): () => void {
  const moved = new Map<Tensor, Tensor>();
  const undo: (() => void)[] = [];
  for (const module of modules) {
    for (const registry of [module._parameters, module._buffers] as Map<string, Tensor | null>[]) {
      for (const [name, t] of [...registry]) {
        if (t === null) continue;
        const there = moved.get(t) ?? t.detach().to(place);
        moved.set(t, there);
        registry.set(name, there);
        undo.push(() => registry.set(name, t));
      }
    }
  }
  return () => {
    for (const back of undo) back();
  };
}

const isShape = (v: unknown): v is readonly number[] => Array.isArray(v) && v.every((n) => typeof n === 'number');

/** The arguments of the call, on the device where it runs. */
function argumentsOf(inputs: unknown, dtype: SummaryOptions['dtype'], place: Device): unknown[] {
  const list: readonly unknown[] = inputs instanceof Tensor || isShape(inputs) ? [inputs] : (inputs as unknown[]);
  if (!Array.isArray(list))
    throw new TypeError(`summary(): argument 'inputs' must be shapes or tensors, not ${kindOf(inputs)}`);
  const types = dtype === undefined ? [] : Array.isArray(dtype) ? (dtype as readonly DType[]) : list.map(() => dtype);
  return list.map((input, i) => {
    if (input instanceof Tensor) return input.detach().to(place);
    if (isShape(input)) return zeros([...input], { dtype: (types[i] as DType | undefined) ?? null, device: place });
    return moveTensors(input, place);
  });
}
/** A value with all tensors in it on a device. */
function moveTensors(value: unknown, place: Device): unknown {
  if (value instanceof Tensor) return value.detach().to(place);
  if (Array.isArray(value)) return value.map((v) => moveTensors(v, place));
  return value;
}

const MODES: readonly unknown[] = ['eval', 'train', 'same'];
const NAMES = ['dtype', 'device', 'mode', 'depth', 'kwargs'];

function checkOptions(options: SummaryOptions): void {
  for (const key of Object.keys(options))
    if (!NAMES.includes(key)) throw new TypeError(`summary() got an unexpected keyword argument '${key}'`);
  const { mode, depth } = options;
  if (mode !== undefined && !MODES.includes(mode))
    throw new TypeError(`summary(): option 'mode' must be 'eval', 'train' or 'same', not ${String(mode)}`);
  if (depth !== undefined && !(depth >= 0)) throw new TypeError(`summary(): option 'depth' must not be negative`);
}

/**
 * What a model is made of and what it costs: a row for every module with its output's sizes, parameters, multiply-adds and bytes,
 * found by running it once, without gradients. By default it runs on the meta device, where nothing is computed and no activation
 * takes memory; the model is not changed.
 * @param model the module. Lazy ones must have been called once
 * @param inputs what to call it with: a shape with its batch dimension, an array of shapes and tensors, or a tensor
 * @param options `dtype` of inputs given as shapes (default: the default type), one for all or one each; `device`: `'meta'`
 *   (default) or `'cpu'`; `mode`: `'eval'` (default), `'train'` or `'same'`; `depth` of the printed table (default: all levels);
 *   `kwargs`: options of the call (default none)
 * @returns rows and totals, which print as a table. A multiply-add is counted as one, so that PyTorch's count of floating-point
 *   operations (torch.utils.flop_counter) is twice as much
 * @throws TypeError for arguments of a wrong kind
 * @throws RuntimeError for a lazy model that was not called, and for one that looks at values (run it with `device: 'cpu'`);
 *   besides, whatever the model throws
 */
export function summary(model: Module, inputs: unknown, options: SummaryOptions = {}): Summary {
  if (!(model instanceof Module))
    throw new TypeError(`summary(): argument 'model' must be a module, not ${kindOf(model)}`);
  checkOptions(options);
  const modules = [...model.modules()];
  if (modules.some((m) => [...m._parameters.values(), ...m._buffers.values()].some((t) => isLazy(t)))) {
    throw new RuntimeError('summary(): a lazy module has parameters without a shape; call the model once before');
  }
  const place = deviceOf(options.device ?? 'meta');
  const onMeta = home(place) !== null;
  const { mode = 'eval', dtype, kwargs, depth = Infinity } = options;
  const given = argumentsOf(inputs, dtype, place);
  if (kwargs !== undefined)
    given.push(Object.fromEntries(Object.entries(kwargs).map(([k, v]) => [k, moveTensors(v, place)])));

  const rows = rowsOf(model);
  const before = modules.map((m) => m.training);
  const restore = onMeta ? moveState(modules, place) : null;
  const handles = watch(rows);
  try {
    if (mode !== 'same') model.train(mode === 'train');
    noGrad(() => deviceOf(place, () => void model(...given)));
  } catch (error) {
    if (onMeta && error instanceof RuntimeError && /\bmeta\b/.test(error.message)) {
      throw new RuntimeError(
        `summary(): the model looks at values, which the meta device does not have (${error.message}). Compute it with ` +
          "{ device: 'cpu' }.",
      );
    }
    throw error;
  } finally {
    for (const handle of handles) handle.remove();
    restore?.();
    modules.forEach((m, i) => {
      m.training = before[i]!;
    });
  }
  return new Summary([...rows.values()], bytesOf(given), depth);
}
