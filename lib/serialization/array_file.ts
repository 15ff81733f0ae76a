// The rows of one array in a file, some at a time, so that the array may be larger than memory.
import type { DType } from '../core/dtype.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { allocateStorageUninitialized, viewStorage, writeStorage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ByteSource, CHUNK, crc32, openSource, readBytes, swapBytes } from './bytes.js';
import { fileKind, named } from './load.js';
import { inflate } from './inflate.js';
import { npzMembers, readFileHeader, readMemberHeader } from './numpy.js';
import { swapWidth } from './numpy_types.js';
import { columnMajorStrides, tensorFromBytes } from './real_tensors.js';
import { readSafetensorsHeader } from './safetensors_header.js';
import { supported, type TorchType } from './torch_types.js';
import { STORED, type ZipEntry, ZipReader } from './zip_reader.js';

/** Where an array's elements lie in a file, and how. */
interface Place {
  readonly type: TorchType;
  readonly shape: readonly number[];
  readonly columnMajor: boolean;
  readonly bigEndian: boolean;
  /** Where the elements start: in the file, or in the unpacked entry. */
  readonly data: number;
  /** The archive and entry that they are in. */
  readonly packed: { readonly zip: ZipReader; readonly entry: ZipEntry } | null;
}

function choose<T>(file: string, found: readonly (readonly [string, T])[], name: string | undefined): [string, T] {
  const names = found.map(([n]) => n);
  const listed = names.slice(0, 20).join(', ') + (names.length > 20 ? ', ...' : '');
  if (found.length === 0) throw new RuntimeError(`${file} holds no arrays`);
  if (name === undefined) {
    if (found.length > 1) throw new RuntimeError(`${file} holds several arrays, name one of them: ${listed}`);
    return [...found[0]!];
  }
  const one = found.find(([n]) => n === name);
  if (!one) throw new RuntimeError(`${file} holds no array '${name}'; it holds ${listed}`);
  return [...one];
}

function findPlace(source: ByteSource, name: string | undefined): [string, Place] {
  switch (fileKind(source)) {
    case 'npy': {
      if (name !== undefined) throw new RuntimeError(`${source.name} holds one array, which has no name`);
      return ['', { ...readFileHeader(source), packed: null }];
    }
    case 'zip': {
      const zip = new ZipReader(source);
      const [found, entry] = choose(source.name, npzMembers(zip), name);
      return [found, { ...readMemberHeader(zip, entry), packed: { zip, entry } }];
    }
    case 'safetensors': {
      const { entries } = readSafetensorsHeader(source);
      const [found, entry] = choose(
        source.name,
        entries.map((e) => [e.name, e] as const),
        name,
      );
      const { type, shape, start } = entry;
      return [found, { type, shape, columnMajor: false, bigEndian: false, data: start, packed: null }];
    }
    default:
      throw new RuntimeError(`${source.name} is neither a .npy, .npz nor safetensors file`);
  }
}

/** `total` bytes from `skip` on, cut into blocks of `size` bytes; the last one may be shorter. */
async function* blocksOf(
  pieces: AsyncIterable<Uint8Array>,
  skip: number,
  size: number,
  total: number,
): AsyncGenerator<Uint8Array> {
  let left = total;
  let block = new Uint8Array(Math.min(size, left));
  let filled = 0;
  let position = 0;
  for await (const piece of pieces) {
    let at = Math.min(Math.max(skip - position, 0), piece.length);
    position += piece.length;
    while (at < piece.length && left > 0) {
      const taken = piece.subarray(at, at + block.length - filled);
      block.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < block.length) continue;
      yield block;
      left -= filled;
      block = new Uint8Array(Math.min(size, left));
      filled = 0;
    }
  }
}

/** An array of an open file, whose first dimension counts rows: `openArray` returns it. Close it in the end. */
export class ArrayFile {
  /** The array's element type. */
  readonly dtype: DType;
  /** [rows, ...sizes of a row]; [] for a single number, which has no rows. */
  readonly shape: readonly number[];
  /** Bytes of a row; of the number where there is only one. */
  readonly rowBytes: number;

  /** @internal Use `openArray`. */
  constructor(
    private readonly source: ByteSource,
    /** The array's name in the file; empty for .npy. */
    readonly name: string,
    private readonly place: Place,
  ) {
    this.dtype = supported(place.type);
    this.shape = place.shape;
    this.rowBytes = place.shape.slice(1).reduce((n, size) => n * size, place.type.itemsize);
  }

  private tensor(bytes: Uint8Array): Tensor {
    const { type, bigEndian, shape } = this.place;
    if (bigEndian) swapBytes(bytes, swapWidth(type));
    return tensorFromBytes(this.dtype, [bytes.length / this.rowBytes, ...shape.slice(1)], bytes, false);
  }

  /** Batches of the rows [first, first + count) of an array that is stored by columns: a piece of each column is read. */
  private *byColumns(base: number, first: number, count: number, batch: number): Generator<Tensor> {
    const { type, bigEndian, shape } = this.place;
    const bytes = new Uint8Array(count * this.rowBytes);
    const piece = count * type.itemsize;
    for (let c = 0; c * piece < bytes.length; c++)
      this.source.read(base + (c * shape[0]! + first) * type.itemsize, bytes.subarray(c * piece, (c + 1) * piece));
    if (bigEndian) swapBytes(bytes, swapWidth(type));
    const storage = allocateStorageUninitialized(bytes.length);
    writeStorage(storage, 0, bytes);
    const stride = columnMajorStrides([count, ...shape.slice(1)]);
    for (let row = 0; row < count; row += batch) {
      const rows = Math.min(batch, count - row);
      yield viewStorage(storage, this.dtype, [rows, ...shape.slice(1)], stride, row);
    }
  }

  /**
   * Reads the whole array; no second copy of it is in memory meanwhile.
   * @returns a tensor of the array's shape and type, column-major where the array is
   * @throws RuntimeError for a file that is damaged
   */
  async read(): Promise<Tensor> {
    const { type, shape, columnMajor, bigEndian, data, packed } = this.place;
    const nbytes = shape.reduce((n, size) => n * size, type.itemsize);
    const storage = allocateStorageUninitialized(nbytes);
    let at = 0;
    for await (const piece of this.bytes(0, CHUNK, nbytes, data, packed)) {
      if (bigEndian) swapBytes(piece, swapWidth(type));
      writeStorage(storage, at, piece);
      at += piece.length;
    }
    const stride = columnMajor ? columnMajorStrides(shape) : columnMajorStrides([...shape].reverse()).reverse();
    return viewStorage(storage, this.dtype, shape, stride, 0);
  }

  /** `total` bytes of the elements from `skip` on in blocks of `size`; compares the checksum if it comes to the end. */
  private async *bytes(
    skip: number,
    size: number,
    total: number,
    data: number,
    packed: Place['packed'],
  ): AsyncGenerator<Uint8Array> {
    if (packed !== null && packed.entry.method !== STORED) {
      yield* blocksOf(inflate(packed.zip, packed.entry), data + skip, size, total);
      return;
    }
    const base = data + (packed?.entry.data ?? 0);
    let crc = packed && skip === 0 ? crc32(readBytes(this.source, packed.entry.data, data)) : null;
    for (let at = 0; at < total; at += size) {
      const bytes = readBytes(this.source, base + skip + at, Math.min(size, total - at));
      if (crc !== null) crc = crc32(bytes, crc);
      yield bytes;
    }
    if (crc !== null) packed!.zip.checkCrc(packed!.entry, crc);
  }

  /**
   * Reads the array from a row on, some rows at a time.
   * @param batch how many rows a tensor gets, at least 1; the last one may have fewer
   * @param start the first row (default 0)
   * @returns tensors [batch, ...sizes of a row], one after the other
   * @throws RangeError for a batch below 1 or a start beyond the array
   * @throws RuntimeError for a file that is damaged, a single number, and a compressed array that is stored by columns. The
   *   checksum of an array in an .npz archive is compared when its last row has been read from the first on
   */
  async *rows(batch: number, start = 0): AsyncGenerator<Tensor> {
    if (this.shape.length === 0) throw new RuntimeError(`${this.source.name} holds a single number, no rows`);
    const total = this.shape[0]!;
    if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`rows(): batch must be 1 or more, not ${batch}`);
    if (!Number.isInteger(start) || start < 0 || start > total)
      throw new RangeError(`rows(): start must be from 0 to ${total}, not ${start}`);
    if (this.rowBytes === 0) {
      for (let row = start; row < total; row += batch)
        yield tensorFromBytes(
          this.dtype,
          [Math.min(batch, total - row), ...this.shape.slice(1)],
          new Uint8Array(0),
          false,
        );
      return;
    }
    const { packed, data } = this.place;
    const { columnMajor, shape } = this.place;
    if (columnMajor && shape.length > 1) {
      if (packed !== null && packed.entry.method !== STORED)
        throw new RuntimeError(
          `${this.source.name}: '${this.name}' is compressed and stored by columns (fortran_order): its rows cannot be read one after the other`,
        );
      // Columns are read in longer pieces than a batch, or small batches would mean many short reads.
      const many = Math.max(1, Math.floor((4 * CHUNK) / (batch * this.rowBytes))) * batch;
      const base = data + (packed?.entry.data ?? 0);
      for (let row = start; row < total; row += many)
        yield* this.byColumns(base, row, Math.min(many, total - row), batch);
      return;
    }
    const skip = start * this.rowBytes;
    const wanted = total * this.rowBytes - skip;
    for await (const block of this.bytes(skip, batch * this.rowBytes, wanted, data, packed)) yield this.tensor(block);
  }

  /** Closes the file; tensors that came from it stay. */
  close(): void {
    this.source.close();
  }
}

/**
 * Opens an array of a .npy, .npz or safetensors file, to read its rows some at a time: for arrays larger than memory.
 * @param file a path, or a file URL
 * @param name which array of an .npz or safetensors file (default: the only one)
 * @returns the open array: `shape`, `dtype`, `rows(batch)`, `read()`, `close()`
 * @throws RuntimeError for a file that is damaged, of none of these formats, without that array, or with several and no `name`
 * @throws TypeError for wrong arguments; Node's own error if the file cannot be opened
 */
export function openArray(file: string | URL, name?: string): ArrayFile {
  if (name !== undefined && typeof name !== 'string')
    throw new TypeError(`openArray(): argument 'name' must be str, not ${kindOf(name)}`);
  const source = openSource(file, 'openArray()');
  try {
    return new ArrayFile(source, ...findPlace(source, name));
  } catch (error) {
    source.close();
    throw named(error, source);
  }
}
