// JSON lines: an array of numbers, nested or not, or an object per line.
import { CliError } from '../errors.js';
import type { RowOptions } from './batch.js';
import { scanJsonArray } from './numbers.js';
import type { Parsed, TextFormat } from './text.js';

/** The numbers in nested arrays, row-major, and their shape. */
function flatten(value: unknown): Parsed {
  const shape: number[] = [];
  for (let v = value; Array.isArray(v); v = v[0] as unknown) shape.push(v.length);
  const row: number[] = [];
  const walk = (v: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof v !== 'number') throw new CliError(`${JSON.stringify(v)?.slice(0, 40)} is not a number`);
      row.push(v);
      return;
    }
    if (!Array.isArray(v) || v.length !== shape[depth]) throw new CliError('the arrays are of uneven lengths');
    for (const item of v) walk(item, depth + 1);
  };
  walk(value, 0);
  return { row, shape };
}

/** The part of a line's value that the columns name. */
function select(value: unknown, columns: readonly (number | string)[] | null): unknown {
  if (Array.isArray(value)) {
    if (columns === null) return value;
    return columns.map((c) => {
      if (typeof c === 'string') throw new CliError(`--columns names '${c}', but the line is an array`);
      if (c >= value.length) throw new CliError(`it has ${value.length} values, but column ${c} is asked for`);
      return value[c] as unknown;
    });
  }
  if (typeof value !== 'object' || value === null) throw new CliError('it is neither an array nor an object');
  if (columns === null) return Object.values(value);
  return columns.map((c) => {
    if (!Object.hasOwn(value, c)) throw new CliError(`it has no '${c}'`);
    return (value as Record<string, unknown>)[c];
  });
}

/** The reader of one file of JSON lines. */
export function jsonlFormat({ columns }: RowOptions): TextFormat {
  return {
    header: false,
    names() {},
    fast: (bytes, at, out, to, width) => (columns === null ? scanJsonArray(bytes, at, out, to, width) : -1),
    recordEnd: (bytes, at) => bytes.indexOf(10, at) + 1,
    parse(text) {
      if (text.trim() === '') return null;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        throw new CliError('it is not JSON');
      }
      return flatten(select(value, columns));
    },
  };
}
