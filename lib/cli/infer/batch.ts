// What a reader of rows is asked for and gives.
import type { Tensor } from '../../index.js';
import { CliError } from '../errors.js';

/** The types that rows can have. */
export const DTYPES = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
] as const;
export type RowType = (typeof DTYPES)[number];

/** How to read the rows of all inputs. */
export interface RowOptions {
  batchSize: number;
  dtype: RowType;
  /** Which columns, and in which order: numbers, or names; null for all. */
  columns: readonly (number | string)[] | null;
  /** Whether the first line of a CSV file names the columns. */
  header: boolean;
  /** The array in files that hold several. */
  array?: string;
  /** Whether bad rows are handed on instead of ending the job. */
  tolerant: boolean;
  images: ImageOptions;
}

/** How pictures are decoded. */
export interface ImageOptions {
  /** [height, width] to resize to; null to keep each picture's own. */
  size: readonly [number, number] | null;
  grayscale: boolean;
}

/** Where reading goes on within one source. */
export interface SourcePosition {
  /** The number of the next row, bad ones counted. */
  row: number;
  /** For text: the place of the next line in the (unpacked) file, and its number from 0 on. */
  offset: number;
  line: number;
  /** The shape of the rows before; null if there were none. */
  shape: readonly number[] | null;
}

export const START: SourcePosition = { row: 0, offset: 0, line: 0, shape: null };

/** A row that could not be read. */
export interface BadRow {
  file: string;
  /** Its number in the source. */
  row: number;
  /** The number of its line from 1 on, in a text file. */
  line?: number;
  message: string;
}

/** Some rows of one source, one after the other. */
export interface RowBatch {
  /** [rows, ...sizes of a row]; null if all were bad. */
  input: Tensor | null;
  rows: number;
  /** For each row its number in the source; the numbers of bad rows are absent. */
  index: readonly number[];
  /** For each row the number of its line from 1 on; null where there are no lines. */
  lines: readonly number[] | null;
  /** For each row its file, where a row is a file. */
  files: readonly string[] | null;
  bad: readonly BadRow[];
  /** Where reading goes on after these rows. */
  next: SourcePosition;
  /** How much of the source's `units` has been read. */
  done: number;
}

/** Something that rows come from. */
export interface RowSource {
  /** What messages call it. */
  readonly name: string;
  /** How much there is to read, in units of the source's own; null if that is unknown. */
  readonly units: number | null;
  /** Bytes of its files; null for a stream. */
  readonly bytes: number | null;
  /** Tells this input from another, or from a later version of itself; null where it cannot be told. */
  readonly identity: string | null;
  /** The rows from a position on. */
  batches(from: SourcePosition): AsyncGenerator<RowBatch>;
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
