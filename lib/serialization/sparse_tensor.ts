// Sparse tensors: the elements that are not zero, with their places.
import type { Device } from '../core/device.js';
import { int64 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { isOrdinary } from '../tensor/print.js';
import { fromBytes } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { INDENT, nested, sizeText, StoredTensor } from './stored_tensor.js';

/** Layouts that compress the places along one dimension. */
export type CompressedLayout = 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc';

const ADVICE = '; call toDense() for an ordinary one';
const NAMES: Record<string, string> = {
  sparse_coo: 'Sparse',
  sparse_csr: 'SparseCsr',
  sparse_csc: 'SparseCsc',
  sparse_bsr: 'SparseBsr',
  sparse_bsc: 'SparseBsc',
};

function fail(layout: string, what: string): never {
  throw new RuntimeError(`a ${layout} tensor ${what}`);
}

/** The least and the largest element of a tensor of integers; [0, -1] of one that has none. */
function range(t: Tensor): [number, number] {
  return t.numel() === 0 || t.isMeta ? [0, -1] : [t.min().item() as number, t.max().item() as number];
}

function checkIndices(layout: string, what: string, indices: Tensor, end: number): void {
  const [least, largest] = range(indices);
  if (least < 0 || largest >= end) {
    fail(layout, `has ${what} from ${least} to ${largest}, outside the size ${end}`);
  }
}

/** What sparse tensors of all layouts share. */
abstract class Sparse extends StoredTensor {
  /** @internal */
  protected constructor(
    /** PyTorch's name of the layout, as `'sparse_coo'`. */
    readonly layoutName: string,
    protected readonly elements: Tensor,
    size: readonly number[],
  ) {
    super(`${layoutName.replace('_', ' ')} tensor`, elements.dtype, size, ADVICE);
  }

  /** The layout, as `'torch.sparse_coo'`. */
  get layout(): string {
    return `torch.${this.layoutName}`;
  }

  override get device(): Device {
    return this.elements.device;
  }

  /** The elements that are stored. */
  values(): Tensor {
    return this.elements;
  }

  /** @internal */
  abstract _dense(): Tensor;

  override tolist(): ReturnType<Tensor['tolist']> {
    return this._dense().tolist();
  }

  /** @internal There are no strides; sizes alone are described. */
  override _describe(which: 0 | 1): number[] {
    if (which === 1) throw new RuntimeError('Sparse tensors do not have strides');
    return [...this.shape];
  }

  override isContiguous(): boolean {
    return false;
  }

  override storageOffset(): number {
    return 0;
  }

  /** @internal A line for each part, then size, count and layout. */
  protected describeParts(parts: readonly string[], newLine: boolean): string {
    const suffixes = [`size=${sizeText(this.shape)}`, `nnz=${this._nnz()}`];
    if (!isOrdinary(this.dtype)) suffixes.push(`dtype=${String(this.dtype)}`);
    return this.printed(parts.join(`,\n${' '.repeat(INDENT)}`), [...suffixes, `layout=${this.layout}`], newLine);
  }

  /** How many elements, or blocks, are stored (in each matrix of a batch). */
  abstract _nnz(): number;

  /** @internal */
  protected wrong(method: string, expected: string): never {
    throw new RuntimeError(`${method} expected sparse ${expected} tensor layout but got ${NAMES[this.layoutName]!}`);
  }
}

// A method of lib/ops in other tensors: an ordinary tensor of the same size, zero where nothing is stored.
Object.defineProperty(Sparse.prototype, 'toDense', {
  value(this: Sparse) {
    return this._dense();
  },
  writable: true,
  configurable: true,
});

/**
 * A sparse tensor in coordinate form (COO): a column of indices for each stored element; the others are zero. Elements of equal
 * places count as their sum.
 */
export class SparseTensor extends Sparse {
  private readonly places: Tensor;
  private readonly coalesced: boolean;

  /**
   * @param indices int64 [sparse dimensions, n]
   * @param values [n, ...dense dimensions]
   * @param size the sizes of all dimensions: those of the sparse ones, then of the dense ones
   * @param isCoalesced whether the columns are sorted and each place occurs once (default false); not checked
   * @throws RuntimeError for indices outside the size, and for shapes that do not fit
   */
  constructor(indices: Tensor, values: Tensor, size: readonly number[], isCoalesced = false) {
    super('sparse_coo', values, size);
    if (indices.dtype !== int64 || indices.ndim !== 2) fail('sparse_coo', 'needs int64 indices of two dimensions');
    const [dims, n] = indices.shape as [number, number];
    const shape = [n, ...size.slice(dims)];
    if (dims > size.length || values.ndim !== shape.length || values.shape.some((s, d) => s !== shape[d])) {
      fail(
        'sparse_coo',
        `of size ${sizeText(size)} has indices of size ${sizeText(indices.shape)} and values of size ${sizeText(values.shape)}`,
      );
    }
    for (let d = 0; d < dims; d++)
      checkIndices('sparse_coo', `indices of dimension ${d}`, indices.select(0, d), size[d]!);
    this.places = indices;
    this.coalesced = isCoalesced;
  }

  /** Always true: PyTorch's name. */
  get isSparse(): true {
    return true;
  }

  /** Whether the columns of indices are sorted and each place occurs once. */
  isCoalesced(): boolean {
    return this.coalesced;
  }

  /**
   * The places, int64 [sparse dimensions, n].
   * @throws RuntimeError for an uncoalesced tensor, where a place may occur twice; `_indices` gives them as they are.
   */
  indices(): Tensor {
    if (!this.coalesced) {
      throw new RuntimeError('Cannot get indices on an uncoalesced tensor, please call .coalesce() first');
    }
    return this.places;
  }

  /**
   * The elements, [n, ...dense dimensions].
   * @throws RuntimeError for an uncoalesced tensor; `_values` gives them as they are.
   */
  override values(): Tensor {
    if (!this.coalesced) {
      throw new RuntimeError('Cannot get values on an uncoalesced tensor, please call .coalesce() first');
    }
    return this.elements;
  }

  /** The places as they are stored, [sparse dimensions, n]. */
  _indices(): Tensor {
    return this.places;
  }

  /** The elements as they are stored, [n, ...dense dimensions]. */
  _values(): Tensor {
    return this.elements;
  }

  override _nnz(): number {
    return this.places.shape[1]!;
  }

  /** How many dimensions the indices name. */
  sparseDim(): number {
    return this.places.shape[0]!;
  }

  /** How many dimensions each stored element has. */
  denseDim(): number {
    return this.ndim - this.sparseDim();
  }

  /** @internal */
  override _dense(): Tensor {
    const { elements, places } = this;
    if (this.sparseDim() === 0) return elements.sum(0).reshape([...this.shape]);
    const dense = elements.newZeros([...this.shape]);
    return dense.indexPut_([...places.unbind(0)], elements, true);
  }

  /**
   * The same tensor with sorted columns, the elements of equal places added up.
   * @returns a tensor of its own, or this one if it is coalesced
   * @throws RuntimeError if the sparse dimensions have more than 2^53 - 1 places
   */
  coalesce(): SparseTensor {
    if (this.coalesced) return this;
    const { elements, places, shape } = this;
    const dims = this.sparseDim();
    const total = shape.slice(0, dims).reduce((a, b) => a * b, 1);
    if (!Number.isSafeInteger(total)) fail('sparse_coo', 'is too large to coalesce');
    // One number for each place, in row-major order.
    let keys = places.newZeros([this._nnz()]);
    for (let d = 0; d < dims; d++) keys = keys.mul(shape[d]!).add(places.select(0, d));
    const [unique, inverse] = keys.unique(true, true) as unknown as [Tensor, Tensor];
    const values = elements.newZeros([unique.shape[0]!, ...shape.slice(dims)]).indexAdd(0, inverse, elements);
    const rows: Tensor[] = [];
    let rest = unique;
    for (let d = dims - 1; d >= 0; d--) {
      rows.unshift(rest.remainder(shape[d]!));
      rest = rest.div(shape[d]!, { roundingMode: 'floor' });
    }
    const indices = rows.length > 0 ? stack(rows) : places.newZeros([0, unique.shape[0]!]);
    return new SparseTensor(indices, values, [...shape], true);
  }

  /** @throws RuntimeError always: that is for compressed layouts. */
  crowIndices(): never {
    return this.wrong('crow_indices', 'row compressed');
  }

  override toString(): string {
    return this.describeParts([nested('indices', this.places), nested('values', this.elements)], true);
  }
}

/** Rows of equal length as a matrix. */
function stack(rows: readonly Tensor[]): Tensor {
  const out = rows[0]!.newZeros([rows.length, ...rows[0]!.shape]);
  rows.forEach((row, i) => void out.select(0, i).copy_(row));
  return out;
}

/**
 * A sparse matrix, or a batch of them, whose rows (CSR, BSR) or columns (CSC, BSC) are found through an array of starts. In BSR
 * and BSC the elements are blocks.
 */
export class SparseCompressedTensor extends Sparse {
  private readonly starts: Tensor;
  private readonly plain: Tensor;

  /**
   * @param layout 'sparse_csr', 'sparse_csc', 'sparse_bsr' or 'sparse_bsc'.
   * @param compressed [..., rows + 1] (columns for CSC and BSC; of blocks for BSR and BSC): where each one's elements start.
   * @param plain [..., n]: the column (row) of each element.
   * @param values [..., n, ...block, ...dense dimensions].
   * @param size the sizes of all dimensions.
   * @throws RuntimeError for indices that do not fit the size, and for shapes that do not fit.
   */
  constructor(layout: CompressedLayout, compressed: Tensor, plain: Tensor, values: Tensor, size: readonly number[]) {
    super(layout, values, size);
    this.starts = compressed;
    this.plain = plain;
    const batch = compressed.ndim - 1;
    const [lines, across] = this.lines();
    const n = plain.shape[plain.ndim - 1]!;
    const fits =
      batch >= 0 &&
      plain.ndim === batch + 1 &&
      values.ndim === batch + 1 + (this.blocked ? 2 : 0) + Math.max(size.length - batch - 2, 0) &&
      size.length >= batch + 2 &&
      compressed.shape[batch] === lines + 1 &&
      values.shape[batch] === n &&
      size.slice(0, batch).every((s, d) => [compressed, plain, values].every((t) => t.shape[d] === s)) &&
      Number.isInteger(lines) &&
      Number.isInteger(across);
    const integers = [compressed, plain].every((t) => t.dtype.name === 'int64' || t.dtype.name === 'int32');
    if (!fits || !integers) fail(layout, `of size ${sizeText(size)} has parts that do not fit it`);
    checkIndices(layout, 'indices', plain, across);
    if (compressed.numel() === 0 || compressed.isMeta) return;
    const counts = compressed.narrow(-1, 1, lines).sub(compressed.narrow(-1, 0, lines));
    const starts = range(compressed.select(-1, 0)).every((v) => v === 0);
    const ends = range(compressed.select(-1, lines)).every((v) => v === n);
    if (!starts || !ends || range(counts)[0] < 0) fail(layout, 'has malformed starts');
  }

  /** @internal Whether elements are blocks. */
  private get blocked(): boolean {
    return this.layoutName === 'sparse_bsr' || this.layoutName === 'sparse_bsc';
  }

  /** @internal Whether rows are compressed, not columns. */
  private get byRow(): boolean {
    return this.layoutName === 'sparse_csr' || this.layoutName === 'sparse_bsr';
  }

  /** @internal How many lines are compressed, and how long each is, in blocks. */
  private lines(): [lines: number, across: number] {
    const batch = this.starts.ndim - 1;
    const [rows, columns] = [this.shape[batch]!, this.shape[batch + 1]!];
    const block = this.blocked ? this.elements.shape.slice(batch + 1, batch + 3) : [1, 1];
    const [r, c] = [rows / block[0]!, columns / block[1]!];
    return this.byRow ? [r, c] : [c, r];
  }

  override _nnz(): number {
    return this.plain.shape[this.plain.ndim - 1]!;
  }

  /**
   * Where the elements of each row start.
   * @throws RuntimeError where columns are compressed.
   */
  crowIndices(): Tensor {
    return this.byRow ? this.starts : this.wrong('crow_indices', 'row compressed');
  }

  /**
   * The column of each element.
   * @throws RuntimeError where columns are compressed.
   */
  colIndices(): Tensor {
    return this.byRow ? this.plain : this.wrong('col_indices', 'row compressed');
  }

  /**
   * Where the elements of each column start.
   * @throws RuntimeError where rows are compressed.
   */
  ccolIndices(): Tensor {
    return this.byRow ? this.wrong('ccol_indices', 'column compressed') : this.starts;
  }

  /**
   * The row of each element.
   * @throws RuntimeError where rows are compressed.
   */
  rowIndices(): Tensor {
    return this.byRow ? this.wrong('row_indices', 'column compressed') : this.plain;
  }

  /** @internal The parts as PyTorch saves them: starts, places. */
  _parts(): [compressed: Tensor, plain: Tensor] {
    return [this.starts, this.plain];
  }

  /** @internal */
  override _dense(): Tensor {
    const { elements, starts, plain, shape } = this;
    const batch = starts.ndim - 1;
    const [lines, across] = this.lines();
    const count = shape.slice(0, batch).reduce((a, b) => a * b, 1);
    const n = this._nnz();
    const block = this.blocked ? elements.shape.slice(batch + 1, batch + 3) : [];
    const rest = elements.shape.slice(batch + 1 + block.length);
    const [rows, columns] = this.byRow ? [lines, across] : [across, lines];
    // [batch, block rows, block columns, rows in a block, columns in a block, ...]: one place for each stored element.
    const dense = elements.newZeros([count, rows, columns, ...block, ...rest]);
    const [flatStarts, flatPlain] = [starts.reshape(count, lines + 1), plain.reshape(count, n)];
    const flat = elements.reshape(count, n, ...block, ...rest);
    for (let b = 0; b < count; b++) {
      const line = lineOf(flatStarts.select(0, b), n);
      const other = flatPlain.select(0, b).to(int64);
      dense.select(0, b).indexPut_(this.byRow ? [line, other] : [other, line], flat.select(0, b));
    }
    const ordered = this.blocked ? dense.transpose(2, 3) : dense;
    return ordered.reshape([...shape]);
  }

  override toString(): string {
    const [first, second] = this.byRow ? ['crow_indices', 'col_indices'] : ['ccol_indices', 'row_indices'];
    const parts = [nested(first!, this.starts), nested(second!, this.plain), nested('values', this.elements)];
    return this.describeParts(parts, false);
  }
}

/** The line of each of `n` elements, from where the lines start: int64 [n]. */
function lineOf(starts: Tensor, n: number): Tensor {
  const at = Array.from(starts.toTypedArray() as ArrayLike<number | bigint>, Number);
  const out = new BigInt64Array(n);
  for (let line = 0; line + 1 < at.length; line++) out.fill(BigInt(line), at[line]!, at[line + 1]!);
  return fromBytes(int64, [n], new Uint8Array(out.buffer));
}
