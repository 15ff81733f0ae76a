// torch.safetensors: the format for tensors alone, without pickles.
import { Device, type DeviceLike } from '../core/device.js';
import { kindOf } from '../core/errors.js';
import { Tensor } from '../tensor/tensor.js';
import { type FileLike, filePath, openSource } from './bytes.js';
import { elementPieces } from './elements.js';
import { withSource } from './load.js';
import { checkMapping, checkOptions } from './options.js';
import { entriesOf, plainObject } from './python.js';
import { readSafetensorsHeader, safetensorsTypeName } from './safetensors_header.js';
import { checkType, placeEntry } from './safetensors_open.js';
import { type Pieces, writeFileAtomically, writeToMemory } from './sink.js';

/** Tensors by name, as a plain object or a Map (a state dict). */
export type NamedTensors = Record<string, Tensor> | ReadonlyMap<string, Tensor>;

/** Options of `safetensors.loadFile`. */
export interface SafetensorsLoadOptions {
  /** Where the tensors go; default: main memory. */
  device?: DeviceLike;
  /**
   * Whether tensors lie on the pages of the file instead of being read (default false), as with `torch.load`. Only for paths;
   * tensors that are not aligned to their elements are read.
   */
  mmap?: boolean;
}

const LOAD_OPTIONS = new Set(['device', 'mmap']);

/**
 * Loads the tensors of a safetensors file.
 * @param file a path, a file URL or the bytes of a file
 * @param options `device`: where the tensors go (default: main memory), also positionally; `mmap`: leave them on the pages of the
 *   file, only for paths (default false)
 * @returns the tensors by name, in the order of the file's header
 * @throws RuntimeError for a file that is malformed in any way, or holds a type that is not supported
 * @throws TypeError for wrong arguments; Node's own error if the file cannot be read
 */
export function loadFile(file: FileLike, options: SafetensorsLoadOptions | DeviceLike = {}): Record<string, Tensor> {
  const given = typeof options === 'string' || options instanceof Device ? { device: options } : options;
  checkOptions('safetensors.loadFile()', given, LOAD_OPTIONS);
  const { device, mmap = false } = given as SafetensorsLoadOptions;
  checkMapping('safetensors.loadFile()', file, mmap);
  return withSource(openSource(file, 'safetensors.loadFile()'), (source) => {
    const { entries } = readSafetensorsHeader(source);
    for (const entry of entries) checkType(source, entry);
    return plainObject(entries.map((entry) => [entry.name, placeEntry(source, entry, { device, mmap })] as const));
  });
}

/**
 * As `loadFile`, from the bytes of a file.
 * @param bytes the whole file; the tensors have memory of their own
 * @returns the tensors by name, in the order of the file's header
 * @throws RuntimeError for bytes that are malformed in any way, or hold a type that is not supported
 */
export function load(bytes: Uint8Array | ArrayBuffer): Record<string, Tensor> {
  return loadFile(bytes);
}

/**
 * The text pairs that a safetensors file carries beside its tensors; only the header is read.
 * @param file a path, a file URL or the bytes of a file
 * @returns a plain object, or null if the file has none
 * @throws RuntimeError for a file whose header is malformed in any way
 */
export function loadMetadata(file: FileLike): Record<string, string> | null {
  return withSource(openSource(file, 'safetensors.loadMetadata()'), (source) => {
    const { metadata } = readSafetensorsHeader(source);
    return metadata && plainObject(metadata);
  });
}

/** The reference implementation's order: larger elements first, so that all are aligned, then by name. */
function inFileOrder(tensors: NamedTensors): [string, Tensor][] {
  const entries = entriesOf(tensors as Record<string, Tensor>);
  for (const [name, t] of entries) {
    if (!(t instanceof Tensor))
      throw new TypeError(`safetensors.saveFile(): '${name}' is not a Tensor but ${kindOf(t)}`);
    if (name === '__metadata__') throw new TypeError("safetensors.saveFile(): no tensor can be called '__metadata__'");
  }
  const rank = (t: Tensor): number => ORDER.indexOf(safetensorsTypeName(t.dtype));
  return entries.sort(([a, s], [b, t]) => rank(t) - rank(s) || Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** The order of the reference implementation's types, smallest first. */
const ORDER = ['BOOL', 'U8', 'I8', 'I16', 'F16', 'BF16', 'I32', 'F32', 'C64', 'F64', 'I64'];

/** A file's pieces. */
export function* safetensorsPieces(tensors: NamedTensors, metadata: Record<string, string> | null): Pieces {
  const entries = inFileOrder(tensors);
  const header = new Map<string, unknown>();
  if (metadata) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value !== 'string')
        throw new TypeError(`safetensors.saveFile(): the metadata '${key}' is no string but ${kindOf(value)}`);
    }
    header.set('__metadata__', metadata);
  }
  let at = 0;
  for (const [name, t] of entries) {
    const { nbytes } = t;
    header.set(name, { dtype: safetensorsTypeName(t.dtype), shape: [...t.shape], data_offsets: [at, at + nbytes] });
    at += nbytes;
  }
  const json = `{${[...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = Buffer.from(json);
  // Spaces behind the header align the data.
  const padding = (8 - (text.length % 8)) % 8;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length + padding), true);
  yield length;
  yield text;
  yield new Uint8Array(padding).fill(0x20);
  for (const [, t] of entries) yield* elementPieces(t);
}

/**
 * Saves tensors in the safetensors format. The file is replaced as a whole. A tensor that is not contiguous is written row-major,
 * and tensors that share memory are each written in full.
 * @param tensors tensors by name: a plain object, a Map or a state dict
 * @param file a path or file URL
 * @param metadata text pairs to carry along, as `{ format: 'pt' }` (default null: none)
 * @throws TypeError for a value that is no tensor, a type the format lacks (complex128), or metadata that are no strings; Node's
 *   own error if the file cannot be written
 */
export function saveFile(
  tensors: NamedTensors,
  file: string | URL,
  metadata: Record<string, string> | null = null,
): void {
  writeFileAtomically(filePath(file), safetensorsPieces(tensors, metadata));
}

/**
 * As `saveFile`, but to memory.
 * @param tensors tensors by name: a plain object, a Map or a state dict
 * @param metadata text pairs to carry along (default null: none)
 * @returns the bytes of the file
 * @throws TypeError as `saveFile`
 */
export function save(tensors: NamedTensors, metadata: Record<string, string> | null = null): Uint8Array {
  return writeToMemory(safetensorsPieces(tensors, metadata));
}

export { safeOpen, type SafeOpenOptions, type SafetensorsFile, type SafetensorsSlice } from './safetensors_open.js';
