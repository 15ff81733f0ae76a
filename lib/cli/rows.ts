// Rows of numbers from a file, batch by batch.
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse';
import { CliError, messageOf } from './errors.js';
import { npyRows } from './npy_rows.js';

/** Some rows, one after the other, and the shape that each has. */
export interface RowBatch {
  /** [rows * width] */
  values: Float64Array;
  rows: number;
  /** The shape of one row: `[64]`. */
  shape: readonly number[];
}

/** How to read the rows. */
export interface RowOptions {
  batchSize: number;
  /** Which columns, and in which order: numbers, or names; null for all. */
  columns: readonly (number | string)[] | null;
  /** Whether the first line of a CSV file names the columns. */
  header: boolean;
}

/** `0-63,70` or `width,height` as a list. */
export function parseColumns(text: string): (number | string)[] {
  return text.split(',').flatMap((part) => {
    const item = part.trim();
    if (item === '') throw new CliError(`--columns: empty item in '${text}'`);
    const range = /^(\d+)-(\d+)$/.exec(item);
    if (range) {
      const [from, to] = [Number(range[1]), Number(range[2])];
      if (from > to) throw new CliError(`--columns: the range ${item} runs backwards`);
      if (to - from > 1_000_000) throw new CliError(`--columns: the range ${item} is too long`);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }
    return /^\d+$/.test(item) ? Number(item) : item;
  });
}

/** Collects rows into batches and sees to it that all have one shape. */
class Collector {
  private values = new Float64Array(0);
  private rows = 0;
  private width = 0;
  private shape: readonly number[] | null = null;

  constructor(
    private readonly file: string,
    private readonly batchSize: number,
  ) {}

  /** @returns a batch when this row completes one. */
  add(row: ArrayLike<number>, shape: readonly number[], where: string): RowBatch | null {
    if (this.shape === null) {
      if (row.length === 0) throw new CliError(`${this.file}: ${where} has no values`);
      this.shape = shape;
      this.width = row.length;
      this.values = new Float64Array(this.batchSize * this.width);
    } else if (shape.length !== this.shape.length || shape.some((n, i) => n !== this.shape![i])) {
      const expected = this.shape;
      throw new CliError(
        expected.length === 1 && shape.length === 1
          ? `${this.file}: ${where} has ${shape[0]} values, the rows before have ${expected[0]}`
          : `${this.file}: ${where} has the shape [${shape.join(', ')}], the rows before have [${expected.join(', ')}]`,
      );
    }
    this.values.set(row, this.rows * this.width);
    return ++this.rows === this.batchSize ? this.take() : null;
  }

  /** What is there, as a batch; null if that is nothing. */
  take(): RowBatch | null {
    if (this.rows === 0) return null;
    const batch = { values: this.values.slice(0, this.rows * this.width), rows: this.rows, shape: this.shape! };
    this.rows = 0;
    return batch;
  }
}

const WORDS: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
};
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that a field of text is; undefined if it is none. */
export function readNumber(text: string): number | undefined {
  if (text === '0') return 0;
  // Number() is faster than the pattern, but also takes blanks and hexadecimal for numbers: those go the long way.
  const n = Number(text);
  if (n !== 0 && Number.isFinite(n) && text.charCodeAt(0) > 32 && !(text.charCodeAt(1) > 57)) return n;
  const trimmed = text.trim();
  return NUMBER.test(trimmed) ? Number(trimmed) : WORDS[trimmed.toLowerCase()];
}

function columnPositions(
  columns: readonly (number | string)[],
  names: readonly string[] | null,
  file: string,
): readonly number[] {
  return columns.map((c) => {
    if (typeof c === 'number') return c;
    if (names === null) throw new CliError(`--columns names '${c}', but ${file} has no header (add --header)`);
    const at = names.indexOf(c);
    if (at < 0) throw new CliError(`${file} has no column '${c}'; it has ${names.join(', ')}`);
    return at;
  });
}

async function* csvRows(file: string, options: RowOptions): AsyncGenerator<RowBatch> {
  const collector = new Collector(file, options.batchSize);
  const stream = createReadStream(file);
  const parser = parse({ bom: true, relax_column_count: true, skip_empty_lines: true, info: true });
  stream.on('error', (error) => parser.destroy(error));
  let names: string[] | null = null;
  let positions: readonly number[] | null = null;
  try {
    for await (const { record, info } of stream.pipe(parser) as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      const where = `line ${info.lines}`;
      if (options.header && names === null) {
        names = record.map((n) => n.trim());
        continue;
      }
      if (options.columns !== null) positions ??= columnPositions(options.columns, names, file);
      const width = positions?.length ?? record.length;
      const row = new Float64Array(width);
      for (let i = 0; i < width; i++) {
        const column = positions === null ? i : positions[i]!;
        const text = record[column];
        if (text === undefined)
          throw new CliError(`${file}: ${where} has ${record.length} values, but column ${column} is asked for`);
        const value = readNumber(text);
        if (value === undefined) {
          throw new CliError(
            `${file}: ${where}, column ${column}: ${JSON.stringify(text.slice(0, 40))} is not a number` +
              (info.lines === 1 && !options.header ? ' (if it is a name, add --header)' : ''),
          );
        }
        row[i] = value;
      }
      const batch = collector.add(row, [width], where);
      if (batch !== null) yield batch;
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  } finally {
    stream.destroy();
  }
  const last = collector.take();
  if (last !== null) yield last;
}

/** The numbers in nested arrays, row-major, and their shape. */
function flattenJson(value: unknown, where: string): { row: number[]; shape: number[] } {
  const shape: number[] = [];
  for (let v = value; Array.isArray(v); v = v[0] as unknown) shape.push(v.length);
  const row: number[] = [];
  const walk = (v: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof v !== 'number') throw new CliError(`${where}: ${JSON.stringify(v)?.slice(0, 40)} is not a number`);
      row.push(v);
      return;
    }
    if (!Array.isArray(v) || v.length !== shape[depth])
      throw new CliError(`${where}: the arrays are of uneven lengths`);
    for (const item of v) walk(item, depth + 1);
  };
  walk(value, 0);
  return { row, shape };
}

/** The part of a line's value that the columns name. */
function selectJson(value: unknown, columns: readonly (number | string)[] | null, where: string): unknown {
  if (Array.isArray(value)) {
    if (columns === null) return value;
    return columns.map((c) => {
      if (typeof c === 'string') throw new CliError(`--columns names '${c}', but ${where} is an array`);
      if (c >= value.length) throw new CliError(`${where} has ${value.length} values, but column ${c} is asked for`);
      return value[c] as unknown;
    });
  }
  if (typeof value !== 'object' || value === null) throw new CliError(`${where} is neither an array nor an object`);
  if (columns === null) return Object.values(value);
  return columns.map((c) => {
    if (!Object.hasOwn(value, c)) throw new CliError(`${where} has no '${c}'`);
    return (value as Record<string, unknown>)[c];
  });
}

/** The lines of a text file, without their ends. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function* jsonlRows(file: string, options: RowOptions): AsyncGenerator<RowBatch> {
  const collector = new Collector(file, options.batchSize);
  let number = 0;
  try {
    for await (const line of linesOf(file)) {
      number++;
      const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
      if (text.trim() === '') continue;
      const where = `line ${number}`;
      const place = `${file}: ${where}`;
      const { row, shape } = flattenJson(selectJson(parseJson(text, place), options.columns, place), place);
      const batch = collector.add(row, shape, where);
      if (batch !== null) yield batch;
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  }
  const last = collector.take();
  if (last !== null) yield last;
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${place} is not JSON`);
  }
}

/**
 * The rows of a .csv, .jsonl or .npy file, in order; at most `batchSize` rows are in memory.
 * @throws CliError for a file that cannot be read, a row that is none, or rows of different shapes.
 */
export function readRows(file: string, options: RowOptions): AsyncGenerator<RowBatch> {
  switch (path.extname(file).toLowerCase()) {
    case '.csv':
      return csvRows(file, options);
    case '.jsonl':
    case '.ndjson':
      return jsonlRows(file, options);
    case '.npy':
      return npyRows(file, options);
    default:
      throw new CliError(`${file}: the input must be a .csv, .jsonl or .npy file`);
  }
}
