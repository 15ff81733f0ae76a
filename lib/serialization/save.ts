// torch.save: PyTorch's zip format, and the one before it.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { kindOf } from '../core/errors.js';
import { filePath } from './bytes.js';
import { wholePieces } from './elements.js';
import { MAGIC, VERSION } from './legacy_format.js';
import { checkFlag, checkOptions } from './options.js';
import { PROTOCOLS } from './pickle_output.js';
import { PickleWriter } from './pickle_writer.js';
import { type Pieces, writeFileAtomically, writeToMemory } from './sink.js';
import { type Storage, StorageTable } from './storage_table.js';
import { ZipWriter } from './zip_writer.js';

/** What torch 2.13 writes beside the data. */
const FORMAT_VERSION = '1';
const STORAGE_ALIGNMENT = '64';
const ARCHIVE_VERSION = '3\n';
/** As PyTorch's. */
const DEFAULT_PROTOCOL = 2;

/** Options of `torch.save`. */
export interface SaveOptions {
  /**
   * Python's pickle protocol, 2 to 5; default 2, as PyTorch's. `torch.load(weights_only=True)` of PyTorch reads protocol 2
   * only.
   */
  pickleProtocol?: number;
  /** Whether the file is a zip archive (default true) or has the format before PyTorch 1.6. */
  zip?: boolean;
  /** PyTorch's own name of `zip`. */
  _useNewZipfileSerialization?: boolean;
}

interface Settings {
  readonly protocol: number;
  readonly zip: boolean;
}

const OPTIONS = new Set(['pickleProtocol', 'zip', '_useNewZipfileSerialization']);

/** @throws TypeError for an unknown option or one of the wrong kind, RangeError for a protocol that is not there. */
function readOptions(caller: string, options: SaveOptions): Settings {
  checkOptions(caller, options, OPTIONS);
  const { pickleProtocol = DEFAULT_PROTOCOL, zip, _useNewZipfileSerialization: newZip } = options;
  checkFlag(caller, 'zip', zip);
  checkFlag(caller, '_useNewZipfileSerialization', newZip);
  if (zip !== undefined && newZip !== undefined && zip !== newZip) {
    throw new TypeError(`${caller}: options 'zip' and '_useNewZipfileSerialization' contradict each other`);
  }
  if (typeof pickleProtocol !== 'number' || !Number.isInteger(pickleProtocol)) {
    throw new TypeError(`${caller}: argument 'pickleProtocol' must be int, not ${kindOf(pickleProtocol)}`);
  }
  if (!(PROTOCOLS as readonly number[]).includes(pickleProtocol)) {
    throw new RangeError(`${caller}: pickle protocol must be 2, 3, 4 or 5, not ${pickleProtocol}`);
  }
  return { protocol: pickleProtocol, zip: zip ?? newZip ?? true };
}

/** A value whose pickle is written, while the bytes of its tensors are still where they were. */
export interface Prepared {
  readonly storages: readonly Storage[];
  /** The pieces of the file, with the bytes of the storages as they are in these. */
  pieces(storages: readonly Storage[]): Pieces;
}

function prepareArchive(value: unknown, folder: string, protocol: number): Prepared {
  const table = new StorageTable();
  const pickle = new PickleWriter(protocol, table, 'zip').dump(value);
  return {
    storages: [...table],
    *pieces(storages) {
      const zip = new ZipWriter();
      const text = (name: string, content: string): Pieces => zip.add(`${folder}/${name}`, Buffer.from(content));
      yield* zip.add(`${folder}/data.pkl`, pickle);
      yield* text('.format_version', FORMAT_VERSION);
      yield* text('.storage_alignment', STORAGE_ALIGNMENT);
      yield* text('byteorder', 'little');
      for (const { key, nbytes, tensor } of storages) yield* zip.storage(`${folder}/data/${key}`, tensor, nbytes);
      yield* text('version', ARCHIVE_VERSION);
      yield* text('.data/serialization_id', serializationId(pickle));
      yield* zip.finish();
    },
  };
}

/** The format before 1.6: five pickles one after another, then the storages, each behind its number of elements. */
function prepareLegacy(value: unknown, protocol: number): Prepared {
  const table = new StorageTable();
  const dump = (part: unknown): Uint8Array => new PickleWriter(protocol, table, 'legacy').dump(part);
  const pickle = dump(value);
  return {
    storages: [...table],
    *pieces(storages) {
      yield dump(MAGIC);
      yield dump(VERSION);
      yield dump({ protocol_version: VERSION, little_endian: true, type_sizes: { short: 2, int: 4, long: 4 } });
      yield pickle;
      yield dump(storages.map(({ key }) => key));
      for (const { nbytes, itemsize, tensor } of storages) {
        const count = new DataView(new ArrayBuffer(8));
        count.setBigUint64(0, BigInt(nbytes / itemsize), true);
        yield new Uint8Array(count.buffer);
        yield* wholePieces(tensor, nbytes);
      }
    },
  };
}

function prepare(value: unknown, folder: string, { zip, protocol }: Settings): Prepared {
  return zip ? prepareArchive(value, folder, protocol) : prepareLegacy(value, protocol);
}

/** As PyTorch: the archive's folder is called like the file, without its extension. */
function folderFor(file: string): string {
  return path.parse(file).name || 'archive';
}

function pathOf(caller: string, file: unknown): string {
  if (typeof file !== 'string' && !(file instanceof URL)) {
    throw new TypeError(`${caller}: argument 'file' must be a path, not ${kindOf(file)}`);
  }
  return filePath(file);
}

/** A value as the pieces of a file with the name. */
export function* archivePieces(value: unknown, file: string): Pieces {
  const prepared = prepareArchive(value, folderFor(file), DEFAULT_PROTOCOL);
  yield* prepared.pieces(prepared.storages);
}

/** Forty digits that tell two files apart: from the pickle, so that equal values give equal files. */
function serializationId(pickle: Uint8Array): string {
  const digest = createHash('sha256').update(pickle).digest('hex');
  return BigInt(`0x${digest}`).toString().slice(-40).padStart(40, '0');
}

/**
 * Saves a value so that PyTorch and `torch.load` read it. The file is replaced as a whole: after an error or a crash the old one
 * is still there. Tensors that share a storage share it in the file, and storages are saved whole: clone a small view of a large
 * tensor first.
 *
 * A plain object or a Map becomes a dict, a `StateDict` an OrderedDict with its `_metadata`, an array a list, a `Tuple` a tuple,
 * a Set a set, a Uint8Array bytes, a number an int if it is whole and safe and else a float (one that was loaded as a float stays
 * one), a bigint an int. A module of `torch.nn` becomes PyTorch's own with its whole state, so that
 * `torch.load(weights_only=False)` gives a model; a class of the caller's must have a Python name, given with
 * `torch.serialization.addSafeGlobals`.
 * @param value what to save; containers may contain each other and themselves
 * @param file a path or file URL
 * @param options `pickleProtocol`, 2 to 5 (default 2), and `zip`: a zip archive (default true) or the format before PyTorch 1.6
 * @throws TypeError for a value without a Python form, naming its place, and for wrong options; Node's own error if the file
 *   cannot be written
 * @throws RangeError for another pickle protocol
 */
export function save(value: unknown, file: string | URL, options: SaveOptions = {}): void {
  const settings = readOptions('save()', options);
  const name = pathOf('save()', file);
  const prepared = prepare(value, folderFor(name), settings);
  writeFileAtomically(name, prepared.pieces(prepared.storages));
}

/**
 * As `save`, prepared for writing later.
 * @returns the file's path beside what will be written.
 */
export function prepareSave(
  caller: string,
  value: unknown,
  file: string | URL,
  options: SaveOptions,
): [string, Prepared] {
  const settings = readOptions(caller, options);
  const name = pathOf(caller, file);
  return [name, prepare(value, folderFor(name), settings)];
}

/**
 * As `save`, but to memory.
 * @param value what to save
 * @param options `pickleProtocol` (default 2) and `zip` (default true), as for `save`
 * @returns the bytes of the file
 * @throws TypeError and RangeError as `save`
 */
export function saveToBytes(value: unknown, options: SaveOptions = {}): Uint8Array {
  const settings = readOptions('saveToBytes()', options);
  const prepared = prepare(value, 'archive', settings);
  return writeToMemory(prepared.pieces(prepared.storages));
}
