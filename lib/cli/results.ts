// The lines that a model's results become.
import torch, { type Tensor } from '../index.js';
import { CliError } from './errors.js';

/** How results are written. */
export interface ResultOptions {
  /** Only the k largest values of each row. */
  topK?: number;
  /** Probabilities in place of the outputs. */
  softmax?: boolean;
}

/** The shortest decimal number that a float32 reads back from. */
function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** The rows of a result as JSON values. JSON has no infinities and no NaN: they become null. */
function rowsOf(t: Tensor): unknown[] {
  const list = t.tolist() as unknown[];
  if (t.dtype !== torch.float32) return list;
  const shorten = (v: unknown): unknown => (Array.isArray(v) ? v.map(shorten) : shortest(v as number));
  return list.map(shorten);
}

/** A tensor of results with the batch's rows as its first dimension. */
function checkRows(t: Tensor, rows: number): Tensor {
  if (t.ndim === 0 || t.shape[0] !== rows) {
    throw new CliError(
      `the model gave a result of shape [${t.shape.join(', ')}] for ${rows} rows; the first size must be that of the rows`,
    );
  }
  return t;
}

/** Arrays and objects of tensors, turned into one value per row. */
function nestedRows(value: unknown, rows: number): unknown[] {
  if (value instanceof torch.Tensor) return rowsOf(checkRows(value, rows));
  if (Array.isArray(value)) {
    const columns = value.map((v) => nestedRows(v, rows));
    return Array.from({ length: rows }, (_, i) => columns.map((c) => c[i]));
  }
  if (value !== null && typeof value === 'object') {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    const columns = entries.map(([key, v]): [string, unknown[]] => [String(key), nestedRows(v, rows)]);
    return Array.from({ length: rows }, (_, i) => Object.fromEntries(columns.map(([key, c]) => [key, c[i]])));
  }
  throw new CliError(`the model must return tensors, not ${value === null ? 'null' : typeof value}`);
}

/** What a line holds of a single result, by key. */
function columnsOf(result: Tensor, options: ResultOptions): [string, unknown[]][] {
  const columns: [string, unknown[]][] = [];
  let output = result;
  if (options.softmax) {
    if (output.ndim < 2 || !output.dtype.isFloatingPoint) {
      throw new CliError(`--softmax needs results with classes, but they have the shape [${output.shape.join(', ')}]`);
    }
    output = output.softmax(-1);
  }
  const scores = output.ndim === 2 && output.shape[1]! > 1;
  if (scores) columns.push(['prediction', output.argmax(1).tolist() as number[]]);
  if (options.topK === undefined) return [...columns, ['output', rowsOf(output)]];
  if (!scores)
    throw new CliError(
      `--top-k needs results of shape [rows, classes], but they have the shape [${output.shape.join(', ')}]`,
    );
  const [values, indices] = output.topk(Math.min(options.topK, output.shape[1]!), 1);
  const positions = indices.tolist() as number[][];
  const top = (rowsOf(values) as number[][]).map((row, i) =>
    row.map((value, k) => ({ index: positions[i]![k], value })),
  );
  return [...columns, ['top', top]];
}

/**
 * The lines of a batch: `{"row": 0, "prediction": 7, "output": [...]}` for a tensor [rows, classes] (the prediction is
 * the position of the largest output); without a prediction for other tensors; arrays and objects of tensors keep
 * their form under `output`.
 * @param result what the model returned.
 * @param first the number of the batch's first row.
 * @param rows the number of rows in the batch.
 */
export function resultLines(result: unknown, first: number, rows: number, options: ResultOptions): string {
  let columns: [string, unknown[]][];
  if (result instanceof torch.Tensor) columns = columnsOf(checkRows(result, rows), options);
  else if (options.topK !== undefined || options.softmax) {
    throw new CliError('--top-k and --softmax need a model that returns one tensor');
  } else columns = [['output', nestedRows(result, rows)]];
  let text = '';
  for (let i = 0; i < rows; i++) {
    const line: Record<string, unknown> = { row: first + i };
    for (const [key, values] of columns) line[key] = values[i];
    text += `${JSON.stringify(line)}\n`;
  }
  return text;
}
