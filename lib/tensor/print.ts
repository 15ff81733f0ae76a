// Tensors as text, laid out as PyTorch lays them out: one number format per tensor, chosen from its values (of a tensor
// beyond `threshold` elements, from those at the edges, which alone are read), lines of at most `linewidth` characters.
import { bool, type DType, float64, getDefaultDtype, complex64, complex128, int64 } from '../core/dtype.js';
import { kindOf } from '../core/errors.js';
import { fixed, scientific } from './format.js';
import { Parameter } from './parameter.js';
import { viewStorage } from './storage.js';
import { asNumbers, Tensor } from './tensor.js';

/** How tensors are printed. */
export interface PrintOptions {
  /** Decimals of floating-point numbers; 4 by default. */
  precision: number;
  /** With more elements than this only the edges are shown; 1000 by default. */
  threshold: number;
  /** How many elements are shown at each edge of a summarized dimension; 3 by default. */
  edgeitems: number;
  /** The length that lines are broken at; 80 by default. */
  linewidth: number;
  /** Scientific notation: always, never, or (null, the default) where the values ask for it. */
  sciMode: boolean | null;
}

const PROFILES: Record<string, Omit<PrintOptions, 'sciMode'>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Infinity, edgeitems: 3, linewidth: 80 },
};

const options: PrintOptions = { ...PROFILES.default!, sciMode: null };

/** What `setPrintoptions` takes: any of the options, and a profile that they refine. */
export type PrintSettings = Partial<PrintOptions> & { profile?: 'default' | 'short' | 'full' | null };

const NAMES = ['precision', 'threshold', 'edgeitems', 'linewidth', 'profile', 'sciMode'] as const;
// toFixed ends at 100 digits, of which the rounding of ties needs 30.
const LIMITS = {
  precision: 70,
  threshold: Infinity,
  edgeitems: Number.MAX_SAFE_INTEGER,
  linewidth: Number.MAX_SAFE_INTEGER,
};

/**
 * Sets how tensors are printed. What is not named stays, except `sciMode`, which goes back to automatic.
 * @param precision decimals of floating-point numbers, 0 to 70; or all settings as one object (at the start 4; default: as it is)
 * @param threshold the number of elements beyond which only the edges are shown (at the start 1000; default: as it is)
 * @param edgeitems elements shown at each edge (at the start 3; default: as it is)
 * @param linewidth characters per line (at the start 80; default: as it is)
 * @param profile 'default' (as at the start), 'short' (2 decimals, 2 edge items) or 'full' (never summarized), applied first
 *   (default null: none)
 * @param sciMode scientific notation: always (true), never (false) or by the values (null, the default)
 * @throws TypeError for an unknown option or a value of the wrong kind
 * @throws RangeError for a number out of range
 */
export function setPrintoptions(
  precision?: number | null | PrintSettings,
  threshold?: number | null,
  edgeitems?: number | null,
  linewidth?: number | null,
  profile?: PrintSettings['profile'],
  sciMode?: boolean | null,
): void {
  const given: Record<string, unknown> =
    typeof precision === 'object' && precision !== null
      ? { ...precision }
      : { precision, threshold, edgeitems, linewidth, profile, sciMode };
  for (const name of Object.keys(given)) {
    if (!(NAMES as readonly string[]).includes(name)) {
      throw new TypeError(`setPrintoptions() got an unexpected keyword argument '${name}'`);
    }
  }
  const next: PrintOptions = { ...options, sciMode: null };
  if (given.profile != null) {
    const chosen =
      typeof given.profile === 'string' && Object.hasOwn(PROFILES, given.profile) && PROFILES[given.profile];
    if (!chosen)
      throw new TypeError(
        `setPrintoptions(): argument 'profile' must be default, short or full, not ${String(given.profile)}`,
      );
    Object.assign(next, chosen);
  }
  for (const name of ['precision', 'threshold', 'edgeitems', 'linewidth'] as const) {
    const value = given[name];
    if (value == null) continue;
    if (typeof value !== 'number') {
      throw new TypeError(`setPrintoptions(): argument '${name}' must be a number, not ${kindOf(value)}`);
    }
    if (!(value >= 0 && value <= LIMITS[name]) || (name !== 'threshold' && !Number.isInteger(value))) {
      throw new RangeError(`setPrintoptions(): argument '${name}' is out of range: ${value}`);
    }
    next[name] = value;
  }
  if (given.sciMode != null) {
    if (typeof given.sciMode !== 'boolean') {
      throw new TypeError(
        `setPrintoptions(): argument 'sciMode' must be a boolean or null, not ${kindOf(given.sciMode)}`,
      );
    }
    next.sciMode = given.sciMode;
  }
  Object.assign(options, next);
}

/**
 * The options in force, to be handed to `setPrintoptions` to restore them.
 * @returns a copy of `precision`, `threshold`, `edgeitems`, `linewidth` and `sciMode`
 */
export function getPrintoptions(): PrintOptions {
  return { ...options };
}

type Value = number | bigint;

/** The one format that all numbers of a tensor (or all real, or all imaginary parts) share. */
class Formatter {
  width = 1;
  private intMode = true;
  private sciMode = false;

  constructor(
    private readonly dtype: DType,
    values: readonly Value[],
  ) {
    if (!dtype.isFloatingPoint) {
      for (const v of values) this.width = Math.max(this.width, this.plain(v).length);
      return;
    }
    const finite = (values as readonly number[]).filter((v) => Number.isFinite(v) && v !== 0);
    if (finite.length === 0) return;
    let least = Infinity;
    let most = 0;
    for (const v of finite) {
      least = Math.min(least, Math.abs(v));
      most = Math.max(most, Math.abs(v));
      if (!Number.isInteger(v)) this.intMode = false;
    }
    this.sciMode = options.sciMode ?? (most / least > 1000 || most > 1e8 || least < 1e-4);
    for (const v of finite) {
      const length = this.number(v).length + (this.intMode && !this.sciMode ? 1 : 0);
      this.width = Math.max(this.width, length);
    }
  }

  /** `value`, padded on the left to the common width. */
  format(value: Value): string {
    if (!this.dtype.isFloatingPoint) return this.plain(value).padStart(this.width);
    const point = this.intMode && !this.sciMode && Number.isFinite(value) ? '.' : '';
    return (this.number(value as number) + point).padStart(this.width);
  }

  private number(v: number): string {
    if (this.sciMode) return scientific(v, options.precision);
    return fixed(v, this.intMode ? 0 : options.precision);
  }

  private plain(v: Value): string {
    return this.dtype === bool ? (v ? 'True' : 'False') : String(v);
  }
}

/** What is shown of a tensor: its elements in row-major order, of a summarized dimension those at the edges. */
interface Shown {
  /** Elements shown per dimension. */
  shape: readonly number[];
  /** Whether the middle of a dimension is left out. */
  cut: readonly boolean[];
  values: readonly Value[];
}

/** Copies the block of `t` that starts at `start` and has the size `shape`. */
function readBlock(t: Tensor, start: readonly number[], shape: readonly number[]): ArrayLike<Value> {
  const stride = t.stride();
  const offset = start.reduce((sum, s, d) => sum + s * stride[d]!, t.storageOffset());
  const view = viewStorage(t, t.dtype, shape, stride, offset);
  try {
    return asNumbers(view);
  } finally {
    view.dispose();
  }
}

/** Reads what is shown of a tensor that is summarized: at most two blocks along each dimension. */
function readEdges(t: Tensor): Shown {
  const edge = options.edgeitems;
  const full = t.shape;
  const cut = full.map((n) => n > 2 * edge);
  const shape = full.map((n, d) => (cut[d] ? 2 * edge : n));
  const parts = t.dtype.isComplex ? 2 : 1;
  const values = new Array<Value>(shape.reduce((a, b) => a * b, parts));
  if (values.length === 0) return { shape, cut, values };

  const start: number[] = []; // of the block, in the tensor
  const place: number[] = []; // of the block, in what is shown
  const size: number[] = [];
  const copyInto = (block: ArrayLike<Value>): void => {
    let from = 0;
    const copy = (dim: number, to: number): void => {
      if (dim === shape.length) {
        for (let p = 0; p < parts; p++) values[to * parts + p] = block[from++]!;
        return;
      }
      for (let i = 0; i < size[dim]!; i++) copy(dim + 1, to * shape[dim]! + place[dim]! + i);
    };
    copy(0, 0);
  };
  const visit = (dim: number): void => {
    if (dim === full.length) {
      copyInto(readBlock(t, start, size));
      return;
    }
    const blocks = cut[dim] ? [0, full[dim]! - edge] : [0];
    for (const [i, at] of blocks.entries()) {
      start[dim] = at;
      place[dim] = i * edge;
      size[dim] = cut[dim] ? edge : full[dim]!;
      visit(dim + 1);
    }
  };
  visit(0);
  return { shape, cut, values };
}

function readShown(t: Tensor): Shown {
  if (t.numel() > options.threshold) return readEdges(t);
  return { shape: t.shape, cut: t.shape.map(() => false), values: Array.from(asNumbers(t)) };
}

/** @internal The brackets and numbers, without the name before and the suffixes behind; `indent` is the column of the bracket. */
export function elementsText(t: Tensor, indent: number): string {
  const { shape, cut, values } = readShown(t);
  const complex = t.dtype.isComplex;
  const part = t.dtype.toReal();
  const pick = (which: number): Value[] => values.filter((_, i) => i % 2 === which);
  const real = new Formatter(part, complex ? pick(0) : values);
  const imag = complex ? new Formatter(part, pick(1)) : null;
  const element = (at: number): string => {
    if (!imag) return real.format(values[at]!);
    const im = `${imag.format(values[2 * at + 1]!)}j`.trimStart();
    return real.format(values[2 * at]!) + (/^[+-]/.test(im) ? im : `+${im}`);
  };
  if (shape.length === 0) return element(0);

  const elementWidth = real.width + 2 + (imag ? imag.width + 1 : 0);
  const last = shape.length - 1;
  const vector = (at: number, column: number): string => {
    const items = Array.from({ length: shape[last]! }, (_, i) => element(at * shape[last]! + i));
    if (cut[last]) items.splice(items.length / 2, 0, items.length ? ' ...' : '...');
    const perLine = Math.max(1, Math.floor((options.linewidth - column) / elementWidth));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(column + 1)}`)}]`;
  };
  const block = (dim: number, at: number, column: number): string => {
    if (dim === last) return vector(at, column);
    const items = Array.from({ length: shape[dim]! }, (_, i) => block(dim + 1, at * shape[dim]! + i, column + 1));
    if (cut[dim]) items.splice(items.length / 2, 0, '...');
    return `[${items.join(`,${'\n'.repeat(last - dim)}${' '.repeat(column + 1)}`)}]`;
  };
  return block(0, 0, indent);
}

/** Sizes as Python writes a tuple. */
function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

/** What autograd adds to a tensor, as far as it is printed. */
interface Differentiable {
  requiresGrad?: boolean;
  gradFn?: { name(): string } | null;
}

function gradSuffix(t: Tensor): string | null {
  const { requiresGrad, gradFn } = t as Differentiable;
  // Without the namespace that nodes of autograd itself have in messages.
  if (gradFn) return `grad_fn=<${gradFn.name().split('::').at(-1)!}>`;
  return requiresGrad ? 'requires_grad=True' : null;
}

function describeDisposed(name: string): string {
  return `${name}(<disposed>)`;
}

/** @internal Whether a type is not named when a tensor is printed: the default types, int64 and bool. */
export function isOrdinary(dtype: DType): boolean {
  const base = getDefaultDtype();
  return [base, base === float64 ? complex128 : complex64, int64, bool].includes(dtype);
}

/** @internal A printed tensor's end: what is said of it, as much to a line as fits, and the closing parenthesis. */
export function withSuffixes(text: string, suffixes: readonly string[], indent: number, newLine = false): string {
  let out = text;
  let column = out.length - out.lastIndexOf('\n') + 1;
  let broken = !newLine;
  for (const suffix of suffixes) {
    if (!broken || column + suffix.length + 2 > options.linewidth) {
      out += `,\n${' '.repeat(indent)}${suffix}`;
      column = indent + suffix.length;
      broken = true;
    } else {
      out += `, ${suffix}`;
      column += suffix.length + 2;
    }
  }
  return `${out})`;
}

/**
 * A tensor's printed form: values, then what differs from the ordinary (device, size, dtype, gradient).
 * @param t any tensor; one that was disposed prints as such
 * @returns PyTorch's text, as `tensor([1., 2.], requires_grad=True)`; a parameter's has `Parameter containing:` above
 */
function formatTensor(t: Tensor): string {
  const isParameter = t instanceof Parameter;
  const Class = t.constructor as { name: string };
  const plain = Class === (Tensor as unknown) || Class === (Parameter as unknown);
  const name = plain ? 'tensor' : Class.name;
  if (t._h === 0) return describeDisposed(name);

  const indent = name.length + 1;
  const { dtype, shape } = t;
  const base = getDefaultDtype();
  const suffixes: string[] = [];
  const isMeta = t.device.type === 'meta';
  let text = '[]';
  if (t.device.type !== 'cpu') suffixes.push(`device='${t.device.toString()}'`);
  if (isMeta) {
    text = '...';
    suffixes.push(`size=${tuple(shape)}`);
    if (dtype !== base) suffixes.push(`dtype=${dtype.toString()}`);
  } else if (t.numel() === 0) {
    if (shape.length !== 1) suffixes.push(`size=${tuple(shape)}`);
    if (dtype !== base) suffixes.push(`dtype=${dtype.toString()}`);
  } else {
    if (options.edgeitems === 0) suffixes.push(`size=${tuple(shape)}`);
    if (!isOrdinary(dtype)) suffixes.push(`dtype=${dtype.toString()}`);
    text = elementsText(t, indent);
  }
  const grad = gradSuffix(t);
  if (grad) suffixes.push(grad);

  const out = withSuffixes(`${name}(${text}`, suffixes, indent);
  if (!isParameter) return out;
  return plain ? `Parameter containing:\n${out}` : `Parameter containing:\nParameter(${out})`;
}

Object.defineProperty(Tensor.prototype, 'toString', {
  value(this: Tensor) {
    return formatTensor(this);
  },
  writable: true,
  configurable: true,
});
Object.defineProperty(Tensor.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Tensor) {
    return this.toString();
  },
  writable: true,
  configurable: true,
});
