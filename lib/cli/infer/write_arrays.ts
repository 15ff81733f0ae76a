// Results as arrays: .npy for one, safetensors for several. Rows come batch by batch and how many there will be is not known,
// so the headers keep room for the number and are filled in at the end.
import torch, { type Tensor } from '../../index.js';
import { CliError } from '../errors.js';
import type { PartialFile } from './output.js';
import { leavesOf, type ResultNode } from './results.js';
import type { BatchPlace, ResultWriter } from './writer.js';

/** Room for the digits of a size. */
const DIGITS = 20;

/** An array that grows by rows. */
interface Growing {
  name: string;
  dtype: string;
  itemsize: number;
  /** [...sizes of a row] */
  shape: readonly number[];
}

interface State {
  arrays: Growing[];
  rows: number;
}

const bytesOf = (t: Tensor): Uint8Array => {
  const { buffer, byteOffset, byteLength } = t.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
};

const growing = (name: string, t: Tensor): Growing => ({
  name,
  dtype: t.dtype.toString().replace('torch.', ''),
  itemsize: t.dtype.itemsize,
  shape: [...t.shape.slice(1)],
});

function checkSame(before: readonly Growing[], now: readonly Growing[]): void {
  if (JSON.stringify(before) === JSON.stringify(now)) return;
  const text = (arrays: readonly Growing[]): string =>
    arrays.map((a) => `${a.name} ${a.dtype} [rows, ${a.shape.join(', ')}]`).join('; ');
  throw new CliError(`the results have another form (${text(now)}) than those before (${text(before)})`);
}

function zeroRows(a: Growing): Tensor {
  return torch.zeros([0, ...a.shape], { dtype: torch[a.dtype as 'float32'] });
}

/** One array: the outputs of all rows. */
export class NpyWriter implements ResultWriter {
  private array: Growing | null;
  private rows: number;

  constructor(
    private readonly output: PartialFile,
    state: unknown,
  ) {
    const before = state as State | null;
    this.array = before?.arrays[0] ?? null;
    this.rows = before?.rows ?? 0;
  }

  get state(): State {
    return { arrays: this.array ? [this.array] : [], rows: this.rows };
  }

  async write(columns: readonly (readonly [string, ResultNode])[], rows: number): Promise<void> {
    // The position of the largest is not part of the array.
    const leaves = leavesOf(columns.filter(([name]) => name !== 'prediction'));
    if (leaves.length !== 1)
      throw new CliError(
        `a .npy file holds one array, but there are ${leaves.map(([name]) => name).join(', ')}; use .safetensors`,
      );
    const [name, tensor] = leaves[0]!;
    const array = growing(name, tensor);
    if (this.array) checkSame([this.array], [array]);
    else await this.output.write(header(array, 0));
    this.array = array;
    this.rows += rows;
    await this.output.write(bytesOf(tensor));
  }

  async finish(): Promise<void> {
    // Without a single good row neither the type nor the shape of a result is known.
    if (this.array) await this.output.patch(header(this.array, this.rows), 0);
    else await this.output.write(torch.toNumpy(torch.zeros(0)));
  }
}

/** The library's own header, with another number of rows; its length does not depend on the number. */
function header(array: Growing, rows: number): Uint8Array {
  let npy: Buffer;
  try {
    npy = Buffer.from(torch.toNumpy(zeroRows(array)));
  } catch (error) {
    throw new CliError(`the results cannot be written as .npy: ${(error as Error).message}; use .safetensors`);
  }
  const dict = npy.toString('latin1', 10).trimEnd();
  const length = Math.ceil((10 + dict.length + DIGITS + 1) / 64) * 64 - 10;
  const text = dict.replace(/'shape': \(0,/, `'shape': (${rows},`).padEnd(length - 1);
  npy.writeUInt16LE(length, 8);
  return Buffer.concat([npy.subarray(0, 10), Buffer.from(`${text}\n`, 'latin1')]);
}

/** All arrays by name; with the numbers of the rows where some may be left out. */
export class SafetensorsWriter implements ResultWriter {
  private arrays: Growing[];
  private rows: number;
  private readonly parts: PartialFile[] = [];

  /** @param openPart opens a further file for an array's bytes; they are joined at the end. */
  constructor(
    private readonly output: PartialFile,
    private readonly openPart: (part: number) => Promise<PartialFile>,
    private readonly numbered: boolean,
    state: unknown,
  ) {
    const before = state as State | null;
    this.arrays = before?.arrays ?? [];
    this.rows = before?.rows ?? 0;
  }

  get state(): State {
    return { arrays: this.arrays, rows: this.rows };
  }

  private async openParts(): Promise<void> {
    while (this.parts.length < this.arrays.length)
      this.parts.push(this.parts.length === 0 ? this.output : await this.openPart(this.parts.length));
  }

  async write(columns: readonly (readonly [string, ResultNode])[], rows: number, place: BatchPlace): Promise<void> {
    const leaves = leavesOf(columns);
    if (this.numbered) {
      const numbers = BigInt64Array.from({ length: rows }, (_, i) => BigInt(place.row(i)));
      leaves.push(['row', torch.tensor(numbers)]);
    }
    // Larger elements first: each array then starts at a multiple of its elements' size.
    leaves.sort(([, a], [, b]) => b.dtype.itemsize - a.dtype.itemsize);
    const arrays = leaves.map(([name, t]) => growing(name, t));
    if (this.arrays.length > 0) checkSame(this.arrays, arrays);
    const first = this.arrays.length === 0;
    this.arrays = arrays;
    if (first) await this.output.write(this.header());
    await this.openParts();
    this.rows += rows;
    for (const [i, [, t]] of leaves.entries()) await this.parts[i]!.write(bytesOf(t));
  }

  async finish(): Promise<void> {
    if (this.arrays.length === 0) {
      await this.output.write(torch.safetensors.save({}));
      return;
    }
    await this.openParts();
    for (const part of this.parts.slice(1)) for await (const piece of part.pieces()) await this.output.write(piece);
    await this.output.patch(this.header(), 0);
  }

  /** The header for the rows so far, filled up with blanks to a length that does not depend on their number. */
  private header(): Uint8Array {
    const entries: string[] = [];
    let at = 0;
    for (const array of this.arrays) {
      const bytes = array.shape.reduce((a, b) => a * b, array.itemsize) * this.rows;
      const place = { dtype: codeOf(array), shape: [this.rows, ...array.shape], data_offsets: [at, at + bytes] };
      entries.push(`${JSON.stringify(array.name)}:${JSON.stringify(place)}`);
      at += bytes;
    }
    const text = Buffer.from(`{${entries.join(',')}}`);
    const room = this.arrays.reduce((n, a) => n + JSON.stringify(a).length + 64 + 3 * DIGITS, 64);
    const length = Math.ceil(room / 64) * 64;
    const bytes = Buffer.alloc(8 + length, ' ');
    bytes.writeBigUInt64LE(BigInt(length), 0);
    text.copy(bytes, 8);
    return bytes;
  }
}

/** The format's name of an element type, from a header that the library writes. */
function codeOf(array: Growing): string {
  const bytes = Buffer.from(torch.safetensors.save({ x: zeroRows(array) }));
  const text = bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)));
  return (JSON.parse(text) as { x: { dtype: string } }).x.dtype;
}
