// Rows of numbers, gathered into batches.
import torch, { type Tensor } from '../../index.js';
import { CliError } from '../errors.js';
import type { BadRow, RowBatch, RowType, SourcePosition } from './batch.js';
import type { Numbers } from './numbers.js';

/** Bad rows that are handed on at once at the latest, so that they do not pile up. */
const MANY_BAD = 1024;

/** The bounds of the integer types; int64 ends where JavaScript's numbers are no longer exact. */
const BOUNDS: Partial<Record<RowType, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
};

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** Collects rows of one source into batches and sees to it that all have one shape. */
export class Collector {
  /** [batch size * width]; the next row goes to `at`. */
  values: Numbers = new Float32Array(0);
  width = 0;
  private shape: readonly number[] | null = null;
  private rows = 0;
  private index: number[] = [];
  private lines: number[] = [];
  private bad: BadRow[] = [];
  private readonly bounds: readonly [number, number] | undefined;

  constructor(
    private readonly batchSize: number,
    private readonly dtype: RowType,
    shape: readonly number[] | null,
  ) {
    this.bounds = BOUNDS[dtype];
    if (shape !== null) this.setShape(shape);
  }

  /** Whether it is known that rows have one dimension; then also how long they are. */
  get flat(): boolean {
    return this.shape?.length === 1;
  }

  /** Where the next row goes. */
  get at(): number {
    return this.rows * this.width;
  }

  /** Whether there is a batch to take. */
  get full(): boolean {
    return this.rows === this.batchSize || this.bad.length >= MANY_BAD;
  }

  /**
   * Takes over the row that was written to `values` at `at`.
   * @throws CliError if it does not fit the type.
   */
  commit(index: number, line: number): void {
    if (this.bounds) this.checkBounds(this.bounds);
    this.rows++;
    this.index.push(index);
    this.lines.push(line);
  }

  /**
   * Adds a row.
   * @throws CliError if its shape is another than that of the rows before, or a value does not fit the type.
   */
  add(row: ArrayLike<number>, shape: readonly number[], index: number, line: number): void {
    if (this.shape === null) {
      if (row.length === 0) throw new CliError('it has no values');
      this.setShape(shape);
    } else if (!sameShape(shape, this.shape)) {
      const expected = this.shape;
      throw new CliError(
        expected.length === 1 && shape.length === 1
          ? `it has ${shape[0]} values, the rows before have ${expected[0]}`
          : `it has the shape [${shape.join(', ')}], the rows before have [${expected.join(', ')}]`,
      );
    }
    this.values.set(row, this.at);
    this.commit(index, line);
  }

  /** Keeps a bad row for the next batch. */
  reject(row: BadRow): void {
    this.bad.push(row);
  }

  /** What is there, as a batch. */
  take(at: Omit<SourcePosition, 'shape'>, done: number): RowBatch {
    const { rows, index, lines, bad } = this;
    const next = { ...at, shape: this.shape };
    const input = rows === 0 ? null : this.tensor();
    this.rows = 0;
    this.index = [];
    this.lines = [];
    this.bad = [];
    return { input, rows, index, lines, files: null, bad, next, done };
  }

  /** Whether anything is there. */
  get empty(): boolean {
    return this.rows === 0 && this.bad.length === 0;
  }

  private setShape(shape: readonly number[]): void {
    this.shape = shape;
    this.width = shape.reduce((a, b) => a * b, 1);
    // Numbers are rounded once, from the double to the type.
    const Values = this.dtype === 'float32' ? Float32Array : Float64Array;
    if (this.width * this.batchSize > 2 ** 31)
      throw new CliError(`${this.batchSize} rows of ${this.width} values do not fit into memory; lower --batch-size`);
    this.values = new Values(this.batchSize * this.width);
  }

  private tensor(): Tensor {
    return torch
      .tensor(this.values.subarray(0, this.at))
      .to(torch[this.dtype])
      .reshape([this.rows, ...this.shape!]);
  }

  private checkBounds([least, most]: readonly [number, number]): void {
    const from = this.at;
    for (let i = from; i < from + this.width; i++) {
      const value = this.values[i]!;
      if (!(Number.isInteger(value) && value >= least && value <= most))
        throw new CliError(`column ${i - from}: ${value} is no ${this.dtype}`);
    }
  }
}
