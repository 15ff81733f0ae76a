// Comma-separated values.
import { parse } from 'csv-parse/sync';
import { CliError, messageOf, UsageError } from '../errors.js';
import type { RowOptions } from './batch.js';
import { type Numbers, readNumber, scanColumns, scanLine } from './numbers.js';
import type { Parsed, TextFormat } from './text.js';

const QUOTE = 34;
const COMMA = 44;
const NEWLINE = 10;

/** Where the record ends: at the first line feed that is not within quotes (RFC 4180). */
function recordEnd(bytes: Buffer, start: number, end: number): number {
  let quoted = false;
  let fieldStart = true;
  for (let at = start; at < end; at++) {
    const c = bytes[at]!;
    if (quoted) {
      if (c !== QUOTE) continue;
      if (bytes[at + 1] === QUOTE) at++;
      else quoted = false;
    } else if (c === NEWLINE) return at + 1;
    else if (c === QUOTE && fieldStart) quoted = true;
    fieldStart = !quoted && c === COMMA;
  }
  return -1;
}

/** The fields of a record. */
function fieldsOf(text: string): string[] {
  if (!text.includes('"')) return text.split(',');
  let records: string[][];
  try {
    records = parse(text, { relax_column_count: true });
  } catch (error) {
    // The library counts lines from the record's first one.
    throw new CliError(messageOf(error).replace(/ (at|on) line \d+/g, ''));
  }
  if (records.length !== 1) throw new CliError('its quotes do not match');
  return records[0]!;
}

class CsvFormat implements TextFormat {
  readonly header: boolean;
  readonly recordEnd = recordEnd;
  /** The numbers of the wanted columns; null for all. */
  private columns: readonly number[] | null = null;
  /** For each column of the file its first place in the row, or -1, and the other places as [from, to]. */
  private slots = new Int32Array(0);
  private repeated: [number, number][] = [];
  private rows = 0;

  constructor(private readonly options: RowOptions) {
    const { header, columns } = options;
    this.header = header;
    if (header || columns === null) return;
    const name = columns.find((c) => typeof c === 'string');
    if (name !== undefined) throw new UsageError(`--columns names '${name}', but without --header there are no names`);
    this.columns = columns as readonly number[];
  }

  names(text: string): void {
    const wanted = this.options.columns;
    if (wanted === null) return;
    const names = fieldsOf(text).map((name) => name.trim());
    this.columns = wanted.map((c) => {
      if (typeof c === 'number') return c;
      const at = names.indexOf(c);
      if (at < 0) throw new CliError(`there is no column '${c}'; there are ${names.join(', ')}`);
      return at;
    });
  }

  fast(bytes: Buffer, at: number, out: Numbers, to: number, width: number): number {
    if (this.columns === null) return scanLine(bytes, at, out, to, width);
    const next = scanColumns(bytes, at, out, to, this.slots);
    if (next >= 0) for (const [from, copy] of this.repeated) out[to + copy] = out[to + from]!;
    return next;
  }

  parse(text: string): Parsed | null {
    if (text.trim() === '') return null;
    const fields = fieldsOf(text);
    const first = this.rows++ === 0;
    const width = this.columns?.length ?? fields.length;
    const row = new Float64Array(width);
    for (let i = 0; i < width; i++) {
      const column = this.columns?.[i] ?? i;
      const field = fields[column];
      if (field === undefined) throw new CliError(`it has ${fields.length} values, but column ${column} is asked for`);
      const value = readNumber(field);
      if (value === undefined) {
        const hint = first && !this.header ? ' (if it is a name, add --header)' : '';
        throw new CliError(`column ${column}: ${JSON.stringify(field.slice(0, 40))} is not a number${hint}`);
      }
      row[i] = value;
    }
    if (this.columns !== null && this.slots.length === 0) this.place(this.columns);
    return { row, shape: [width] };
  }

  private place(columns: readonly number[]): void {
    this.slots = new Int32Array(Math.max(...columns) + 1).fill(-1);
    columns.forEach((column, i) => {
      const slot = this.slots[column]!;
      if (slot < 0) this.slots[column] = i;
      else this.repeated.push([slot, i]);
    });
  }
}

/** The reader of one CSV file. */
export function csvFormat(options: RowOptions): TextFormat {
  return new CsvFormat(options);
}
