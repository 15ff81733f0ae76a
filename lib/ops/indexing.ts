// Indexing as Python's square brackets do it: numbers, slices, new axes, '...', masks, tensors and lists of positions.
import { int64 } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { nativeOp } from '../native/addon.js';
import { invoke, isComplexNumber, type Scalar } from '../tensor/invoke.js';
import { Tensor } from '../tensor/tensor.js';
import { indexAt, putAt } from './index_at.js';
import { maskedFill_, maskedSelect } from './index_mask.js';
import { flatten, fromNested } from './nested.js';
import { select, unsqueeze } from './view.js';
import { asView, reshaped, sliceDim } from './internal/view.js';

/** A Python slice: places start, start + step, ... before stop; null stands for the end that the step comes from or goes to. */
export class Slice {
  /** Use `torch.slice`. */
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {}

  /** The bounds and the step, as in `slice(1, 3, null)`. */
  toString(): string {
    return `slice(${this.start}, ${this.stop}, ${this.step})`;
  }
}

function bound(name: string, value: unknown): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Tensor && value.ndim === 0 && !value.dtype.isFloatingPoint && !value.dtype.isComplex)
    return Number(value.item());
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new TypeError(
      `slice(): argument '${name}' must be an integer or null, not ${typeof value === 'number' ? value : kindOf(value)}`,
    );
  }
  return value;
}

/**
 * A slice to index with: `x.index(torch.slice(1, 3))` is Python's `x[1:3]`.
 * @param start the first place; negative ones count from the end (default null: the beginning)
 * @param stop the place before which to stop (default null: the end)
 * @param step a positive number of places (default null: 1)
 * @returns what `index`, `indexPut` and `indexPut_` take
 * @throws TypeError for a bound that is neither an integer nor null
 */
export function slice(start: number | null = null, stop: number | null = null, step: number | null = null): Slice {
  return new Slice(bound('start', start), bound('stop', stop), bound('step', step));
}

/** A list of positions, or a nested list that becomes an index tensor or a mask. */
export type IndexList = readonly (number | boolean | bigint | IndexList)[];
/** What can stand between the brackets. */
export type IndexItem = number | bigint | boolean | null | '...' | Slice | Tensor | IndexList;

/** Where views led, and what tensors index of it. */
interface Place {
  view: Tensor;
  dims: number[];
  at: Tensor[];
  /** The one mask that covers the view's dimensions from the first on, if that is all there is. */
  mask: Tensor | null;
}

const ALIAS = nativeOp('alias');

function isMask(t: Tensor): boolean {
  return t.dtype.name === 'bool' || t.dtype.name === 'uint8';
}

/** Lists become tensors; everything else that is no index is an error. */
function readItem(item: unknown): Exclude<IndexItem, IndexList | bigint> {
  if (item === null || item === undefined) return null;
  if (typeof item === 'boolean' || item === '...' || item instanceof Slice) return item;
  if (typeof item === 'bigint') return Number(item);
  if (typeof item === 'number' && Number.isInteger(item)) return item;
  if (item instanceof Tensor) {
    const name = item.dtype.name;
    if (!isMask(item) && name !== 'int64' && name !== 'int32') {
      throw new RangeError('tensors used as indices must be long, int, byte or bool tensors');
    }
    return item;
  }
  if (Array.isArray(item))
    return readItem(item.length === 0 ? fromNested([], int64) : fromNested(item, integerType(item)));
  throw new TypeError(
    `only integers, slices, '...', null, booleans and integer or boolean tensors are valid indices (got ${typeof item === 'number' ? item : kindOf(item)})`,
  );
}
/** Lists of numbers are positions, lists of booleans masks. */
function integerType(list: readonly unknown[]): typeof int64 | null {
  const { values } = flatten(list);
  const first = values[0];
  if (first instanceof Tensor) return null;
  if (typeof first === 'number' && !values.every((v) => Number.isInteger(v) || typeof v === 'bigint')) {
    throw new TypeError('a list of positions must hold integers only');
  }
  return typeof first === 'boolean' ? null : int64;
}

/** The dimensions that an item uses up. */
function width(item: Exclude<IndexItem, IndexList | bigint>): number {
  if (item === null || typeof item === 'boolean' || item === '...') return 0;
  return item instanceof Tensor && isMask(item) ? item.ndim : 1;
}

function checkMask(mask: Tensor, x: Tensor, dim: number): void {
  mask.shape.forEach((n, i) => {
    if (n !== x.shape[dim + i]) {
      throw new RangeError(
        `The shape of the mask [${mask.shape.join(', ')}] at index ${i} does not match the shape of the indexed tensor [${x.shape.join(', ')}] at index ${dim + i}`,
      );
    }
  });
}

const NONZERO = nativeOp('nonzero');
const SELECT = nativeOp('select');

/** The positions of a mask's true elements, a tensor for each dimension. */
function positionsOf(mask: Tensor): Tensor[] {
  const all = invoke(NONZERO, mask);
  return mask.shape.map((_, d) => invoke(SELECT, all, 1, d));
}

/** Applies everything that gives views and collects the tensors. */
function locate(x: Tensor, given: readonly unknown[]): Place {
  const items = given.map(readItem);
  const used = items.reduce((n: number, item) => n + width(item), 0);
  if (used > x.ndim) {
    const [only] = items;
    if (x.ndim === 0 && items.length === 1 && typeof only === 'number') {
      throw new RangeError(
        'invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim ' +
          'tensor to a number',
      );
    }
    if (x.ndim === 0 && items.length === 1 && only instanceof Slice)
      throw new RangeError('slice() cannot be applied to a 0-dim tensor.');
    throw new RangeError(`too many indices for tensor of dimension ${x.ndim}`);
  }
  if (items.filter((item) => item === '...').length > 1)
    throw new RangeError("an index can only have a single ellipsis ('...')");
  let view = x;
  let dim = 0;
  let position = 0; // the dimension of x that comes next, for messages
  const dims: number[] = [];
  const at: Tensor[] = [];
  const only =
    items.length === 1 && items[0] instanceof Tensor && items[0].ndim > 0 && isMask(items[0]) ? items[0] : null;
  for (const item of items) {
    if (item === '...') {
      dim += x.ndim - used;
      position += x.ndim - used;
    } else if (item === null) {
      view = unsqueeze(view, dim++);
    } else if (typeof item === 'boolean') {
      view = unsqueeze(view, dim);
      dims.push(dim++);
      at.push(fromNested(item ? [0] : [], int64));
    } else if (typeof item === 'number') {
      view = selectChecked(view, dim, item, position++);
    } else if (item instanceof Slice) {
      const { start, stop, step } = item;
      if (step !== null && step <= 0) throw new RangeError('step must be greater than zero');
      if ((start !== null && start !== 0) || stop !== null || (step ?? 1) !== 1)
        view = sliceDim(view, dim, start, stop, step ?? 1);
      dim++;
      position++;
    } else if (isMask(item)) {
      if (item.ndim === 0) {
        view = unsqueeze(view, dim);
        dims.push(dim++);
        at.push(fromNested(item.item() ? [0] : [], int64));
        continue;
      }
      checkMask(item, view, dim);
      if (only === null) {
        for (const places of positionsOf(item)) {
          dims.push(dim++);
          at.push(places);
        }
      }
      position += item.ndim;
    } else if (item.ndim === 0) {
      view = selectChecked(view, dim, Number(item.item()), position++);
    } else {
      dims.push(dim++);
      at.push(item);
      position++;
    }
  }
  return { view, dims, at, mask: only };
}

function selectChecked(view: Tensor, dim: number, i: number, position: number): Tensor {
  const n = view.shape[dim]!;
  if (i < -n || i >= n) throw new RangeError(`index ${i} is out of bounds for dimension ${position} with size ${n}`);
  return select(view, dim, i);
}

function aliasOf(x: Tensor): Tensor {
  return asView('AliasBackward0', invoke(ALIAS, x, false), x, aliasOf, (g) => g);
}

function indexed(x: Tensor, items: readonly unknown[]): Tensor {
  const { view, dims, at, mask } = locate(x, items);
  if (mask !== null) {
    if (mask.ndim === view.ndim && mask.dtype.name === 'bool') return maskedSelect(view, mask);
    return indexAt(
      view,
      mask.shape.map((_, d) => d),
      positionsOf(mask),
    );
  }
  if (at.length > 0) return indexAt(view, dims, at);
  return view === x ? aliasOf(x) : view;
}

/**
 * Python's square brackets: `x.index(0, torch.slice(1, 3), '...')` is `x[0, 1:3, ...]`.
 * @param items integers, slices (`torch.slice`), `'...'`, null (a new axis), booleans, masks, integer tensors or lists.
 * @returns a view, unless a mask, an integer tensor or a list takes part.
 * @throws RangeError for a place that does not exist or too many items, TypeError for what is no index.
 */
export const index = Object.assign((input: Tensor, ...items: IndexItem[]): Tensor => indexed(input, items), {
  home: 'method' as const,
});

function asValue(value: Tensor | Scalar, self: Tensor): Tensor {
  return value instanceof Tensor ? value : fromNested(value, self.dtype);
}

/** Leading dimensions of size one that a value has too many. */
function withoutLeadingOnes(value: Tensor, ndim: number): Tensor {
  let extra = 0;
  while (value.ndim - extra > ndim && value.shape[extra] === 1) extra++;
  return extra === 0 ? value : reshaped(value, value.shape.slice(extra));
}

function assign(self: Tensor, items: readonly unknown[], values: Tensor | Scalar, accumulate: boolean): Tensor {
  if (
    values instanceof Tensor &&
    values.dtype !== self.dtype &&
    items.length > 0 &&
    items.every((item) => item instanceof Tensor || item === null)
  ) {
    throw new RuntimeError(
      `Index put requires the source and destination dtypes match, got ${self.dtype.scalarName} for the destination and ${values.dtype.scalarName} for the source.`,
    );
  }
  const { view, dims, at, mask } = locate(self, items);
  if (mask !== null) {
    const single = !(values instanceof Tensor) || values.ndim === 0;
    if (single && !accumulate && mask.dtype.name === 'bool') {
      const trailing = new Array<number>(view.ndim - mask.ndim).fill(1);
      maskedFill_(view, reshaped(mask, [...mask.shape, ...trailing]), values as never);
    } else {
      putAt(
        view,
        true,
        mask.shape.map((_, d) => d),
        positionsOf(mask),
        asValue(values, self),
        accumulate,
      );
    }
  } else if (at.length > 0) {
    putAt(view, true, dims, at, asValue(values, self), accumulate);
  } else {
    const value = withoutLeadingOnes(asValue(values, self), view.ndim);
    if (accumulate) view.add_(value);
    else view.copy_(value);
  }
  return self;
}

/**
 * Assignment to Python's square brackets: `x.indexPut_([0, torch.slice(1, 3)], v)` is `x[0, 1:3] = v`.
 * @param indices a list of what `index` takes
 * @param values a tensor that broadcasts to the indexed part, or a number
 * @param accumulate whether to add to what is there; positions that occur twice then count twice (default false)
 * @returns the tensor itself
 * @throws RuntimeError if the values do not broadcast or, where tensors index, are of another type
 * @throws RangeError for a place that does not exist or too many items; TypeError for what is no index or no value
 */
export const indexPut_ = Object.assign(
  (
    self: Tensor,
    indices: readonly IndexItem[],
    values: Tensor | Scalar,
    accumulate: boolean | { accumulate?: boolean } = false,
  ): Tensor =>
    assign(
      checkedTensor('indexPut_', self),
      checkedList('indexPut_', indices),
      checkedValues('indexPut_', values),
      flagOf('indexPut_', accumulate),
    ),
  { home: 'method' as const },
);

/**
 * As `indexPut_`, on a copy; the arguments are the same.
 * @returns a new tensor of input's shape and type
 */
export const indexPut = Object.assign(
  (
    input: Tensor,
    indices: readonly IndexItem[],
    values: Tensor | Scalar,
    accumulate: boolean | { accumulate?: boolean } = false,
  ): Tensor => {
    return assign(
      checkedTensor('indexPut', input).clone(),
      checkedList('indexPut', indices),
      checkedValues('indexPut', values),
      flagOf('indexPut', accumulate),
    );
  },
  { home: 'both' as const },
);

function checkedTensor(name: string, input: unknown): Tensor {
  if (!(input instanceof Tensor))
    throw new TypeError(`${name}(): argument 'input' must be Tensor, not ${kindOf(input)}`);
  return input;
}
function checkedList(name: string, indices: unknown): readonly unknown[] {
  if (!Array.isArray(indices))
    throw new TypeError(`${name}(): argument 'indices' must be a list, not ${kindOf(indices)}`);
  return indices as unknown[];
}
function checkedValues(name: string, values: unknown): Tensor | Scalar {
  if (values instanceof Tensor) return values;
  if (typeof values === 'number' || typeof values === 'boolean' || typeof values === 'bigint') return values;
  if (isComplexNumber(values)) return values;
  throw new TypeError(`${name}(): argument 'values' must be a Tensor or a number, not ${kindOf(values)}`);
}
function flagOf(name: string, given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  if (typeof given === 'object' && given !== null) {
    for (const [key, value] of Object.entries(given)) {
      if (key !== 'accumulate') throw new TypeError(`${name}() got an unexpected keyword argument '${key}'`);
      if (value !== undefined && typeof value !== 'boolean')
        throw new TypeError(`${name}(): argument 'accumulate' must be bool, not ${kindOf(value)}`);
    }
    return (given as { accumulate?: boolean }).accumulate ?? false;
  }
  throw new TypeError(`${name}(): argument 'accumulate' must be bool, not ${kindOf(given)}`);
}
