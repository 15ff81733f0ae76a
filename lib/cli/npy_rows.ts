// The rows of a .npy file, read piece by piece.
import { type FileHandle, open } from 'node:fs/promises';
import torch from '../index.js';
import { CliError, messageOf } from './errors.js';
import type { RowBatch, RowOptions } from './rows.js';

interface Header {
  /** The header up to the shape and from it on, to be written with another one. */
  before: string;
  after: string;
  shape: number[];
  itemsize: number;
  /** Where the data begins. */
  offset: number;
}

const MAGIC = '\x93NUMPY';

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new CliError('the file ends too early');
    done += bytesRead;
  }
  return buffer;
}

/** Reads what the rows need of the header; the library checks it when it reads the first piece. */
async function readHeader(handle: FileHandle): Promise<Header> {
  const start = await readExactly(handle, 0, 12);
  if (start.toString('latin1', 0, 6) !== MAGIC) throw new CliError('it is not a .npy file');
  const wide = start[6]! > 1;
  const length = wide ? start.readUInt32LE(8) : start.readUInt16LE(8);
  if (length > 1 << 20) throw new CliError('its header is too long');
  const offset = (wide ? 12 : 10) + length;
  const text = (await readExactly(handle, wide ? 12 : 10, length)).toString('latin1');
  const shape = /^(.*'shape'\s*:\s*\()([\d\s,L]*)(\).*)$/s.exec(text);
  const type = /'descr'\s*:\s*'[<>|=]?[a-z?](\d*)'/.exec(text);
  if (!shape || !type) throw new CliError('its header names no plain numbers and shape');
  if (/'fortran_order'\s*:\s*True/.test(text))
    throw new CliError('it is stored by columns (fortran_order); save it by rows');
  const sizes = (shape[2]!.match(/\d+/g) ?? []).map(Number);
  return { before: shape[1]!, after: shape[3]!, shape: sizes, itemsize: Number(type[1] || 1), offset };
}

/** A whole .npy file of some rows. */
function pieceOf(header: Header, rows: number, data: Buffer): Buffer {
  const shape = [rows, ...header.shape.slice(1)];
  const text = `${header.before}${shape.join(', ')}${shape.length === 1 ? ',' : ''}${header.after.trimEnd()}`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const start = Buffer.alloc(10);
  start.write(MAGIC, 'latin1');
  start[6] = 1;
  start.writeUInt16LE(length, 8);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1'), data]);
}

/** As `readRows`, for .npy: the first dimension counts rows. */
export async function* npyRows(file: string, options: RowOptions): AsyncGenerator<RowBatch> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(file);
    const header = await readHeader(handle);
    if (header.shape.length === 0) throw new CliError('it holds a single number, no rows');
    const [total, ...shape] = header.shape as [number, ...number[]];
    const width = shape.reduce((a, b) => a * b, 1);
    const rowBytes = width * header.itemsize;
    for (let row = 0; row < total; row += options.batchSize) {
      const rows = Math.min(options.batchSize, total - row);
      const data = await readExactly(handle, header.offset + row * rowBytes, rows * rowBytes);
      const t = torch.fromNumpy(pieceOf(header, rows, data));
      if (!(t instanceof torch.Tensor)) throw new CliError('it holds no array of numbers');
      if (t.dtype.isComplex) throw new CliError('it holds complex numbers');
      yield select(t.to(torch.float64).toTypedArray() as Float64Array, rows, shape.length === 0 ? [1] : shape, options);
    }
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`);
  } finally {
    await handle?.close();
  }
}

function select(values: Float64Array, rows: number, shape: readonly number[], options: RowOptions): RowBatch {
  if (options.columns === null) return { values, rows, shape };
  if (shape.length !== 1) throw new CliError('--columns needs an array of two dimensions');
  const width = shape[0]!;
  const columns = options.columns.map((c) => {
    if (typeof c === 'string') throw new CliError(`--columns names '${c}', but a .npy file has no names`);
    if (c >= width) throw new CliError(`a row has ${width} values, but column ${c} is asked for`);
    return c;
  });
  const out = new Float64Array(rows * columns.length);
  for (let r = 0; r < rows; r++) columns.forEach((c, i) => (out[r * columns.length + i] = values[r * width + c]!));
  return { values: out, rows, shape: [columns.length] };
}
