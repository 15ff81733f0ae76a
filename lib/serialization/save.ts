// torch.save: PyTorch's zip format, so that torch.load(weights_only=True) reads it.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { kindOf } from '../core/errors.js';
import { readStorage } from '../tensor/storage.js';
import { CHUNK, filePath } from './bytes.js';
import { PickleWriter } from './pickle_writer.js';
import { type Sink, writeFileAtomically, writeToMemory } from './sink.js';
import { StorageTable } from './storage_table.js';
import { ZipWriter } from './zip_writer.js';

/** What torch 2.13 writes beside the data. */
const FORMAT_VERSION = '1';
const STORAGE_ALIGNMENT = '64';
const ARCHIVE_VERSION = '3\n';

function writeArchive(value: unknown, sink: Sink, folder: string): void {
  const storages = new StorageTable();
  const pickle = new PickleWriter(storages).dump(value);
  const zip = new ZipWriter(sink);
  const text = (name: string, content: string): void => zip.add(`${folder}/${name}`, Buffer.from(content));
  zip.add(`${folder}/data.pkl`, pickle);
  text('.format_version', FORMAT_VERSION);
  text('.storage_alignment', STORAGE_ALIGNMENT);
  text('byteorder', 'little');
  const buffer = new Uint8Array(CHUNK);
  for (const { key, nbytes, tensor } of storages) {
    zip.stream(`${folder}/data/${key}`, nbytes, (write) => {
      for (let at = 0; at < nbytes; at += CHUNK) {
        const piece = buffer.subarray(0, Math.min(CHUNK, nbytes - at));
        readStorage(tensor, at, piece);
        write(piece);
      }
    });
  }
  text('version', ARCHIVE_VERSION);
  text('.data/serialization_id', serializationId(pickle));
  zip.finish();
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
 * @param file a path or file URL.
 * @throws TypeError for a value without a Python form, naming its place; Node's own error if the file cannot be written.
 */
export function save(value: unknown, file: string | URL): void {
  if (typeof file !== 'string' && !(file instanceof URL)) {
    throw new TypeError(`save(): argument 'file' must be a path, not ${kindOf(file)}`);
  }
  const name = filePath(file);
  // As PyTorch: the archive's folder is called like the file, without its extension.
  const folder = path.parse(name).name || 'archive';
  writeFileAtomically(name, (sink) => writeArchive(value, sink, folder));
}

/**
 * As `save`, but to memory.
 * @returns the bytes of the file.
 */
export function saveToBytes(value: unknown): Uint8Array {
  return writeToMemory((sink) => writeArchive(value, sink, 'archive'));
}
