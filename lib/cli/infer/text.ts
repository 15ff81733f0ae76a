// Rows from a text file with a record per line.
import { CliError } from '../errors.js';
import { type RowBatch, type RowOptions, type RowSource, type SourcePosition, START } from './batch.js';
import { identityOf, sizeOf, TextWindow } from './bytes.js';
import { Collector } from './collector.js';
import type { Numbers } from './numbers.js';

/** A record that runs on over more than this without an end has none. */
const LONGEST_RECORD = 4 << 20;

/** What a row's text comes to. */
export interface Parsed {
  row: ArrayLike<number>;
  shape: readonly number[];
}

/** How the records of a text format are read. */
export interface TextFormat {
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** Takes the record that names the columns. */
  names(text: string): void;
  /**
   * The short way: reads the record at `at` as a row of `width` numbers.
   * @returns where the next record starts; -1 where the record must go the long way.
   */
  fast(bytes: Buffer, at: number, out: Numbers, to: number, width: number): number;
  /** Where the record that starts at `at` ends, behind its line feed; -1 if that is not before `end`. */
  recordEnd(bytes: Buffer, at: number, end: number): number;
  /**
   * The long way.
   * @returns the row; null for a blank line.
   * @throws CliError for anything that is no row.
   */
  parse(text: string): Parsed | null;
}

function countLines(bytes: Buffer, from: number, to: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

/** The records of a text file, one after the other. */
class Records {
  readonly window: TextWindow;
  /** Lines that are read. */
  line: number;

  constructor(
    readonly file: string,
    private readonly format: TextFormat,
    from: SourcePosition,
  ) {
    this.window = new TextWindow(file, from.offset);
    this.line = from.line;
  }

  /** Sees to it that a whole line is there; false at the end of the file. */
  async fill(): Promise<boolean> {
    const { window } = this;
    while (window.at === window.end) if (!(await window.more())) return false;
    return true;
  }

  /** Skips the mark that some programs put at the start of a file. */
  async skipMark(): Promise<void> {
    const { window } = this;
    if ((await this.fill()) && window.bytes.readUIntBE(window.at, Math.min(3, window.end - window.at)) === 0xefbbbf)
      window.at += 3;
  }

  /** The next record's text, without its end. A record that has no end is its first line. */
  async next(): Promise<string> {
    const { window, format } = this;
    let end = format.recordEnd(window.bytes, window.at, window.end);
    while (end < 0 && window.end - window.at < LONGEST_RECORD && (await window.more()))
      end = format.recordEnd(window.bytes, window.at, window.end);
    if (end < 0) end = window.bytes.indexOf(10, window.at) + 1;
    const start = window.at;
    window.at = end;
    this.line += countLines(window.bytes, start, end);
    return window.bytes.toString('utf8', start, end).replace(/\r?\n$/, '');
  }
}

/** Reads the names at the top of a file of which the rest is read later. */
async function readNames(file: string, format: TextFormat): Promise<void> {
  const records = new Records(file, format, START);
  try {
    await records.skipMark();
    if (await records.fill()) format.names(await records.next());
  } finally {
    await records.window.close();
  }
}

/** A text file as a source of rows. */
export class TextSource implements RowSource {
  readonly units: number | null;
  readonly bytes: number | null;
  readonly identity: string | null;

  /**
   * @param name the file, or `-` for standard input.
   * @param format makes the format's reader; it may keep what it learns of the file.
   */
  constructor(
    readonly name: string,
    private readonly format: () => TextFormat,
    private readonly options: RowOptions,
  ) {
    this.units = this.bytes = sizeOf(name);
    this.identity = identityOf(name);
  }

  async *batches(from: SourcePosition): AsyncGenerator<RowBatch> {
    const { name, options } = this;
    const format = this.format();
    if (format.header && from.offset > 0) await readNames(name, format);
    const records = new Records(name, format, from);
    const { window } = records;
    const collector = new Collector(options.batchSize, options.dtype, from.shape);
    let { row } = from;
    const batch = (): RowBatch =>
      collector.take(
        { row, offset: window.position, line: records.line },
        Math.min(window.used, this.units ?? Infinity),
      );
    const reject = (error: unknown, line: number): void => {
      if (!(error instanceof CliError)) throw error;
      if (!options.tolerant) throw new CliError(`${name}: line ${line}: ${error.message}`);
      collector.reject({ file: name, row, line, message: error.message });
    };
    try {
      if (from.offset === 0) {
        await records.skipMark();
        if (format.header && (await records.fill())) {
          try {
            format.names(await records.next());
          } catch (error) {
            throw error instanceof CliError ? new CliError(`${name}: ${error.message}`) : error;
          }
        }
      }
      while (await records.fill()) {
        if (collector.flat) {
          while (window.at < window.end && !collector.full) {
            const next = format.fast(window.bytes, window.at, collector.values, collector.at, collector.width);
            if (next < 0) break;
            window.at = next;
            records.line++;
            try {
              collector.commit(row, records.line);
            } catch (error) {
              reject(error, records.line);
            }
            row++;
          }
          if (collector.full) {
            yield batch();
            continue;
          }
          if (window.at === window.end) continue;
        }
        const line = records.line + 1;
        try {
          const parsed = format.parse(await records.next());
          if (parsed === null) continue;
          collector.add(parsed.row, parsed.shape, row, line);
        } catch (error) {
          reject(error, line);
        }
        row++;
        if (collector.full) yield batch();
      }
      if (!collector.empty) yield batch();
    } finally {
      await window.close();
    }
  }
}
