// torch.fromNumpy and torch.toNumpy: NumPy's .npy files, and .npz archives of them.
import { types } from 'node:util';
import zlib from 'node:zlib';
import { kindOf, RuntimeError } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { type ByteSource, crc32, filePath, memorySource, readBytes, swapBytes } from './bytes.js';
import { elementPieces } from './elements.js';
import { withSource } from './load.js';
import { NPY_HEADER_BOUND, type NpyHeader, readNpyHeader, writeNpyHeader } from './npy_header.js';
import { numpyTypeName, swapWidth } from './numpy_types.js';
import { entriesOf, plainObject } from './python.js';
import { tensorFromBytes } from './real_tensors.js';
import type { NamedTensors } from './safetensors.js';
import { type Pieces, writeFileAtomically, writeToMemory } from './sink.js';
import { supported } from './torch_types.js';
import { DEFLATED, STORED, type ZipEntry, ZipReader } from './zip_reader.js';
import { ZipWriter } from './zip_writer.js';

function tensorOf(header: NpyHeader, bytes: Uint8Array): Tensor {
  checkEnd(header, bytes.length);
  const { data, nbytes, type, shape, columnMajor, bigEndian } = header;
  // A copy only where the bytes must be changed: the caller's stay as they are.
  const content = bigEndian ? new Uint8Array(bytes.subarray(data, data + nbytes)) : bytes.subarray(data, data + nbytes);
  if (bigEndian) swapBytes(content, swapWidth(type));
  return tensorFromBytes(supported(type), shape, content, columnMajor);
}

/**
 * The header of a member, from no more of its packed bytes than that takes.
 * @throws RuntimeError if it is malformed, or the member has more or fewer bytes than it says.
 */
export function readMemberHeader(zip: ZipReader, entry: ZipEntry): NpyHeader {
  const packed = readBytes(zip.source, entry.data, Math.min(entry.packed, NPY_HEADER_BOUND));
  const header = readNpyHeader(
    entry.method === STORED ? packed : unpack(zip, entry, packed, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  );
  const expected = header.data + header.nbytes;
  if (entry.size !== expected) {
    throw new RuntimeError(`${zip.source.name}: ${entry.name} has ${entry.size} bytes, its header says ${expected}`);
  }
  return header;
}

/**
 * The header of a .npy file.
 * @throws RuntimeError if it is malformed, or the file is shorter than it says.
 */
export function readFileHeader(source: ByteSource): NpyHeader {
  const header = readNpyHeader(readBytes(source, 0, Math.min(source.size, NPY_HEADER_BOUND)));
  checkEnd(header, source.size);
  return header;
}

function checkEnd({ data, nbytes }: NpyHeader, size: number): void {
  if (data + nbytes > size)
    throw new RuntimeError(`the .npy file ends early: ${nbytes} bytes of data expected, ${size - data} found`);
}

function unpack(zip: ZipReader, entry: ZipEntry, packed: Uint8Array, options: zlib.ZlibOptions): Uint8Array {
  try {
    return zlib.inflateRawSync(packed, options);
  } catch (error) {
    throw new RuntimeError(`${zip.source.name}: ${entry.name} cannot be unpacked: ${(error as Error).message}`);
  }
}

/** A member's tensor. The memory taken is what the header asks for, however large a bomb unpacks to. */
function readMember(zip: ZipReader, entry: ZipEntry): Tensor {
  const header = readMemberHeader(zip, entry);
  const expected = header.data + header.nbytes;
  if (entry.method === STORED) return tensorOf(header, zip.read(entry));
  if (entry.method !== DEFLATED)
    throw new RuntimeError(`${zip.source.name}: ${entry.name} is packed by an unknown method`);
  const packed = readBytes(zip.source, entry.data, entry.packed);
  const bytes = unpack(zip, entry, packed, { maxOutputLength: Math.max(expected, 1) });
  zip.checkCrc(entry, crc32(bytes));
  return tensorOf(header, bytes);
}

/** The members of a .npz archive by their array's name. */
export function npzMembers(zip: ZipReader): [string, ZipEntry][] {
  return [...zip.entries].map(([name, entry]) => {
    if (!name.endsWith('.npy'))
      throw new RuntimeError(`${zip.source.name}: the archive's entry ${name} is no .npy file`);
    return [name.slice(0, -'.npy'.length), entry];
  });
}

function read(source: ByteSource, bytes: Uint8Array): Tensor | Record<string, Tensor> {
  if (bytes[0] !== 0x50) return tensorOf(readNpyHeader(bytes.subarray(0, NPY_HEADER_BOUND)), bytes);
  const zip = new ZipReader(source);
  return plainObject(npzMembers(zip).map(([name, entry]) => [name, readMember(zip, entry)] as const));
}

/**
 * Reads the bytes of a .npy file as a tensor, or those of a .npz archive as a plain object of tensors by name. A column-major
 * array becomes a tensor with such strides; big-endian elements are turned.
 * @param bytes the whole file; the tensors have memory of their own
 * @returns a Tensor; for .npz say so: `fromNumpy<Record<string, Tensor>>(bytes)`
 * @throws RuntimeError for a file that is damaged or holds other than numbers and booleans (objects, strings, dates, records,
 *   unsigned integers of more than 8 bits)
 * @throws TypeError unless `bytes` are bytes
 */
export function fromNumpy<T extends Tensor | Record<string, Tensor> = Tensor>(bytes: Uint8Array | ArrayBuffer): T {
  if (!types.isUint8Array(bytes) && !types.isArrayBuffer(bytes)) {
    throw new TypeError(`fromNumpy(): argument 'bytes' must be the bytes of a .npy or .npz file, not ${kindOf(bytes)}`);
  }
  const view = types.isUint8Array(bytes) ? bytes : new Uint8Array(bytes);
  return withSource(memorySource(view, 'the NumPy data'), (source) => read(source, view)) as T;
}

function* arrayPieces(t: Tensor): Pieces {
  yield writeNpyHeader(numpyTypeName(t.dtype), t.shape);
  yield* elementPieces(t);
}

function* archivePieces(tensors: NamedTensors): Pieces {
  const zip = new ZipWriter();
  for (const [name, t] of entriesOf(tensors as Record<string, Tensor>)) {
    if (!(t instanceof Tensor)) throw new TypeError(`toNumpy(): '${name}' is not a Tensor but ${kindOf(t)}`);
    const size = writeNpyHeader(numpyTypeName(t.dtype), t.shape).length + t.nbytes;
    yield* zip.stream(`${name}.npy`, size, arrayPieces(t));
  }
  yield* zip.finish();
}

function checkValue(caller: string, value: unknown): void {
  if (value === null || typeof value !== 'object') {
    throw new TypeError(`${caller}: argument 'value' must be a Tensor or tensors by name, not ${kindOf(value)}`);
  }
}

const piecesOf = (value: Tensor | NamedTensors): Pieces =>
  value instanceof Tensor ? arrayPieces(value) : archivePieces(value);

/**
 * A tensor's elements, row-major, as a .npy file, or several tensors as an uncompressed .npz archive.
 * @param value a tensor, or tensors by name as a plain object or Map
 * @returns the bytes of the file
 * @throws TypeError for anything else, and for bfloat16, which NumPy lacks
 */
export function toNumpy(value: Tensor | NamedTensors): Uint8Array {
  checkValue('toNumpy()', value);
  return writeToMemory(piecesOf(value));
}

/**
 * As `toNumpy`, but to a file, which is replaced as a whole and never in memory as a whole.
 * @param value a tensor, or tensors by name as a plain object or Map
 * @param file a path or file URL
 * @throws TypeError as `toNumpy`; Node's own error if the file cannot be written
 */
export function saveNumpy(value: Tensor | NamedTensors, file: string | URL): void {
  checkValue('saveNumpy()', value);
  writeFileAtomically(filePath(file), piecesOf(value));
}
