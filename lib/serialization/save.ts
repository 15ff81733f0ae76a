// torch.save: PyTorch's zip format, and the one before it.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { kindOf } from '../core/errors.js';
import { readStorage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { CHUNK, filePath } from './bytes.js';
import { MAGIC, VERSION } from './legacy_format.js';
import { checkFlag, checkOptions } from './options.js';
import { PROTOCOLS } from './pickle_output.js';
import { PickleWriter } from './pickle_writer.js';
import { type Sink, writeFileAtomically, writeToMemory } from './sink.js';
import { StorageTable } from './storage_table.js';
import { ZipWriter } from './zip_writer.js';

/** What torch 2.13 writes beside the data. */
const FORMAT_VERSION = '1';
const STORAGE_ALIGNMENT = '64';
const ARCHIVE_VERSION = '3\n';

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
  const { pickleProtocol = 2, zip, _useNewZipfileSerialization: newZip } = options;
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

/** Hands the bytes of a storage on in pieces. */
function writeStorageBytes(tensor: Tensor, nbytes: number, write: (piece: Uint8Array) => void): void {
  const buffer = new Uint8Array(Math.min(CHUNK, nbytes));
  for (let at = 0; at < nbytes; at += CHUNK) {
    const piece = buffer.subarray(0, Math.min(CHUNK, nbytes - at));
    readStorage(tensor, at, piece);
    write(piece);
  }
}

function writeArchive(value: unknown, sink: Sink, folder: string, protocol: number): void {
  const storages = new StorageTable();
  const pickle = new PickleWriter(protocol, storages, 'zip').dump(value);
  const zip = new ZipWriter(sink);
  const text = (name: string, content: string): void => zip.add(`${folder}/${name}`, Buffer.from(content));
  zip.add(`${folder}/data.pkl`, pickle);
  text('.format_version', FORMAT_VERSION);
  text('.storage_alignment', STORAGE_ALIGNMENT);
  text('byteorder', 'little');
  for (const { key, nbytes, tensor } of storages) {
    zip.stream(`${folder}/data/${key}`, nbytes, (write) => writeStorageBytes(tensor, nbytes, write));
  }
  text('version', ARCHIVE_VERSION);
  text('.data/serialization_id', serializationId(pickle));
  zip.finish();
}

/** The format before 1.6: five pickles one after another, then the storages, each behind its number of elements. */
function writeLegacy(value: unknown, sink: Sink, protocol: number): void {
  const storages = new StorageTable();
  const dump = (part: unknown): Uint8Array => new PickleWriter(protocol, storages, 'legacy').dump(part);
  const pickle = dump(value);
  sink.write(dump(MAGIC));
  sink.write(dump(VERSION));
  sink.write(dump({ protocol_version: VERSION, little_endian: true, type_sizes: { short: 2, int: 4, long: 4 } }));
  sink.write(pickle);
  sink.write(dump([...storages].map(({ key }) => key)));
  const count = new DataView(new ArrayBuffer(8));
  for (const { nbytes, itemsize, tensor } of storages) {
    count.setBigUint64(0, BigInt(nbytes / itemsize), true);
    sink.write(new Uint8Array(count.buffer));
    writeStorageBytes(tensor, nbytes, (piece) => sink.write(piece));
  }
}

function write(value: unknown, sink: Sink, folder: string, { zip, protocol }: Settings): void {
  if (zip) writeArchive(value, sink, folder, protocol);
  else writeLegacy(value, sink, protocol);
}

/** Forty digits that tell two files apart: from the pickle, so that equal values give equal files. */
function serializationId(pickle: Uint8Array): string {
  const digest = createHash('sha256').update(pickle).digest('hex');
  return BigInt(`0x${digest}`).toString().slice(-40).padStart(40, '0');
}

/**
 * Saves a value so that PyTorch and `torch.load` read it. The file is replaced as a whole: after an error or a crash the old
 * one is still there.
 * A plain object becomes a dict, a Map a dict, a `StateDict` an OrderedDict with its `_metadata`, an array a list, a `Tuple` a
 * tuple, a Set a set, a Uint8Array bytes, a number an int if it is whole and safe and else a float (one that was loaded as a
 * float stays one), a bigint an int. Tensors that share a storage share it in the file, and storages are saved whole: clone
 * a small view of a large tensor first.
 * @param value what to save; containers may contain each other and themselves.
 * A module of `torch.nn` becomes PyTorch's own with its whole state, so that `torch.load(weights_only=False)` gives a model; a
 * class of the caller's must have a Python name, given with `torch.serialization.addSafeGlobals`.
 * @param file a path or file URL.
 * @param options see `SaveOptions`.
 * @throws TypeError for a value without a Python form, naming its place; Node's own error if the file cannot be written.
 */
export function save(value: unknown, file: string | URL, options: SaveOptions = {}): void {
  const settings = readOptions('save()', options);
  if (typeof file !== 'string' && !(file instanceof URL)) {
    throw new TypeError(`save(): argument 'file' must be a path, not ${kindOf(file)}`);
  }
  const name = filePath(file);
  // As PyTorch: the archive's folder is called like the file, without its extension.
  const folder = path.parse(name).name || 'archive';
  writeFileAtomically(name, (sink) => write(value, sink, folder, settings));
}

/**
 * As `save`, but to memory.
 * @param options see `SaveOptions`.
 * @returns the bytes of the file.
 */
export function saveToBytes(value: unknown, options: SaveOptions = {}): Uint8Array {
  const settings = readOptions('saveToBytes()', options);
  return writeToMemory((sink) => write(value, sink, 'archive', settings));
}
