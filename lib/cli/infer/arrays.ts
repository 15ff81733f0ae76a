// Rows of arrays: .npy, .npz, safetensors and idx files.
import torch, { type Tensor } from '../../index.js';
import { CliError, cannotRead, UsageError } from '../errors.js';
import type { RowBatch, RowOptions, RowSource, SourcePosition } from './batch.js';
import { ByteReader, identityOf, openBytes, sizeOf } from './bytes.js';

/** The columns of [rows, columns] that are asked for. */
function select(t: Tensor, columns: RowOptions['columns']): Tensor {
  if (columns === null) return t;
  if (t.ndim !== 2) throw new CliError('--columns needs an array of two dimensions');
  const width = t.shape[1]!;
  const wanted = columns.map((c) => {
    if (typeof c === 'string') throw new CliError(`--columns names '${c}', but the columns of an array have no names`);
    if (c >= width) throw new CliError(`a row has ${width} values, but column ${c} is asked for`);
    return c;
  });
  return t.indexSelect(1, torch.tensor(wanted, { dtype: torch.int64 }));
}

/** Rows of tensors, whose numbers follow one another, as batches. */
async function* batchesOf(
  tensors: AsyncIterable<Tensor>,
  from: SourcePosition,
  options: RowOptions,
): AsyncGenerator<RowBatch> {
  let { row } = from;
  for await (const piece of tensors) {
    if (piece.dtype.isComplex) throw new CliError('it holds complex numbers');
    const rows = piece.shape[0]!;
    const input = select(piece.ndim === 1 ? piece.unsqueeze(1) : piece, options.columns).to(torch[options.dtype]);
    const index = Array.from({ length: rows }, (_, i) => row + i);
    row += rows;
    yield { input, rows, index, lines: null, files: null, bad: [], next: { ...from, row }, done: row };
  }
}

/** An array of a .npy, .npz or safetensors file; the first dimension counts rows. */
export class ArraySource implements RowSource {
  readonly identity: string | null;
  readonly units: number | null;
  readonly bytes: number | null;

  /** @throws CliError for a file that cannot be read, or holds no such array. */
  constructor(
    readonly name: string,
    private readonly options: RowOptions,
  ) {
    this.identity = identityOf(name);
    this.bytes = sizeOf(name);
    const array = this.open();
    array.close();
    if (array.shape.length === 0) throw new CliError(`${name} holds a single number, no rows`);
    this.units = array.shape[0]!;
  }

  async *batches(from: SourcePosition): AsyncGenerator<RowBatch> {
    const array = this.open();
    try {
      yield* batchesOf(array.rows(this.options.batchSize, from.row), from, this.options);
    } catch (error) {
      throw cannotRead(this.name, error);
    } finally {
      array.close();
    }
  }

  private open(): ReturnType<typeof torch.serialization.openArray> {
    try {
      return torch.serialization.openArray(this.name, this.options.array);
    } catch (error) {
      throw cannotRead(this.name, error);
    }
  }
}

/** The element types of idx files, by their code: name and bytes (http://yann.lecun.com/exdb/mnist/). */
const IDX_TYPES: Readonly<
  Record<number, readonly ['uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64', number]>
> = {
  8: ['uint8', 1],
  9: ['int8', 1],
  11: ['int16', 2],
  12: ['int32', 4],
  13: ['float32', 4],
  14: ['float64', 8],
};

/** The pieces of an idx file from row `start` on. */
async function* idxTensors(
  file: string,
  batch: number,
  start: number,
  told: (units: number) => void,
): AsyncGenerator<Tensor> {
  const reader = new ByteReader(openBytes(file, 0));
  try {
    const head = await reader.take(4);
    const found = head.readUInt16BE(0) === 0 ? IDX_TYPES[head[2]!] : undefined;
    if (!found) throw new CliError('it is not an idx file');
    const [type, itemsize] = found;
    const dims = head[3]!;
    if (dims === 0) throw new CliError('it holds a single number, no rows');
    const sizes = await reader.take(4 * dims);
    const [total, ...shape] = Array.from({ length: dims }, (_, d) => sizes.readUInt32BE(4 * d)) as [
      number,
      ...number[],
    ];
    const rowBytes = shape.reduce((a, b) => a * b, itemsize);
    if (rowBytes === 0 || rowBytes > 2 ** 31) throw new CliError(`its rows have the shape [${shape.join(', ')}]`);
    told(total);
    await reader.skip(start * rowBytes);
    for (let row = start; row < total; row += batch) {
      const rows = Math.min(batch, total - row);
      const bytes = await reader.take(rows * rowBytes);
      if (itemsize === 2) bytes.swap16();
      else if (itemsize === 4) bytes.swap32();
      else if (itemsize === 8) bytes.swap64();
      yield torch.frombuffer(bytes, { dtype: torch[type] }).reshape([rows, ...shape]);
    }
  } finally {
    await reader.close();
  }
}

/** An idx file, as MNIST comes in; plain or packed (.gz). */
export class IdxSource implements RowSource {
  readonly identity: string | null;
  units: number | null = null;
  readonly bytes: number | null;

  constructor(
    readonly name: string,
    private readonly options: RowOptions,
  ) {
    this.identity = identityOf(name);
    this.bytes = sizeOf(name);
    if (options.array !== undefined)
      throw new UsageError('--array names an array, but an idx file holds one without a name');
  }

  async *batches(from: SourcePosition): AsyncGenerator<RowBatch> {
    const told = (units: number): void => void (this.units = units);
    try {
      yield* batchesOf(idxTensors(this.name, this.options.batchSize, from.row, told), from, this.options);
    } catch (error) {
      throw cannotRead(this.name, error);
    }
  }
}
