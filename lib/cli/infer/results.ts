// What a model returns, as columns that have a value for each row.
import torch, { type Tensor } from '../../index.js';
import { CliError } from '../errors.js';

/** How results are written. */
export interface ResultOptions {
  /** Only the k largest values of each row. */
  topK?: number;
  /** Probabilities in place of the outputs. */
  softmax?: boolean;
}

/** A tensor of results [rows, ...]. */
export interface Leaf {
  kind: 'leaf';
  tensor: Tensor;
}
/** Results by name, as in an object or (under 0, 1, 2 ...) an array. */
export interface Group {
  kind: 'object' | 'array';
  entries: readonly (readonly [string, ResultNode])[];
}
/** Tensors [rows, k], of which an element each makes one of k objects. */
export interface Zipped {
  kind: 'zipped';
  entries: readonly (readonly [string, Leaf])[];
}
export type ResultNode = Leaf | Group | Zipped;

const leaf = (tensor: Tensor): Leaf => ({ kind: 'leaf', tensor });
const sizes = (t: Tensor): string => `[${t.shape.join(', ')}]`;

/** A tensor of results with the batch's rows as its first dimension. */
function checkRows(t: Tensor, rows: number): Tensor {
  if (t.ndim === 0 || t.shape[0] !== rows) {
    throw new CliError(
      `the model gave a result of shape ${sizes(t)} for ${rows} rows; the first size must be that of the rows`,
    );
  }
  return t;
}

function nodeOf(value: unknown, rows: number): ResultNode {
  if (value instanceof torch.Tensor) return leaf(checkRows(value, rows));
  if (value !== null && typeof value === 'object') {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    if (entries.length === 0) throw new CliError('the model returned nothing');
    return {
      kind: Array.isArray(value) ? 'array' : 'object',
      entries: entries.map(([key, v]) => [String(key), nodeOf(v, rows)] as const),
    };
  }
  throw new CliError(`the model must return tensors, not ${value === null ? 'null' : typeof value}`);
}

/**
 * The columns of a batch: for a tensor [rows, classes] the position of the largest output as `prediction`, then `output`, or
 * `top` for the k largest; for other results `output` alone, arrays and objects in their form.
 * @param value what the model returned.
 * @param rows the number of rows in the batch.
 * @throws CliError for a value that is no result for these rows, or cannot be treated as asked.
 */
export function columnsOf(value: unknown, rows: number, options: ResultOptions): [string, ResultNode][] {
  if (!(value instanceof torch.Tensor)) {
    if (options.topK !== undefined || options.softmax)
      throw new CliError('--top-k and --softmax need a model that returns one tensor');
    return [['output', nodeOf(value, rows)]];
  }
  let output = checkRows(value, rows);
  if (options.softmax) {
    if (output.ndim < 2 || !output.dtype.isFloatingPoint)
      throw new CliError(`--softmax needs results with classes, but they have the shape ${sizes(output)}`);
    output = output.softmax(-1);
  }
  const { dtype } = output;
  const scores = output.ndim === 2 && output.shape[1]! > 1 && !dtype.isComplex && dtype !== torch.bool;
  const columns: [string, ResultNode][] = scores ? [['prediction', leaf(output.argmax(1))]] : [];
  if (options.topK === undefined) return [...columns, ['output', leaf(output)]];
  if (!scores)
    throw new CliError(`--top-k needs results of shape [rows, classes], but they have the shape ${sizes(output)}`);
  const [values, indices] = output.topk(Math.min(options.topK, output.shape[1]!), 1);
  const entries = [['index', leaf(indices)] as const, ['value', leaf(values)] as const];
  return [...columns, ['top', { kind: 'zipped', entries }]];
}

/** All tensors of the columns, by their path: `output`, `output.twice`, `top.index`. */
export function leavesOf(columns: readonly (readonly [string, ResultNode])[], prefix = ''): [string, Tensor][] {
  return columns.flatMap(([name, node]): [string, Tensor][] =>
    node.kind === 'leaf' ? [[prefix + name, node.tensor]] : leavesOf(node.entries, `${prefix}${name}.`),
  );
}
