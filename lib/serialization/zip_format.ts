// PyTorch's files since 1.6: a zip archive with one folder, in it `data.pkl` and a record per storage.
import { RuntimeError } from '../core/errors.js';
import { memorySource } from './bytes.js';
import { createEnvironment } from './globals.js';
import { PickleInput } from './pickle_input.js';
import { PickleReader } from './pickle_reader.js';
import { readStorageId } from './rebuild.js';
import { goesToMeta, mapStorage, type MapLocation, metaStorage, swapStorage } from './storage_loader.js';
import { StorageRef, type TensorBuilder } from './tensor_builder.js';
import { latin1 } from './text.js';
import type { TorchType } from './torch_types.js';
import type { ZipReader, ZipEntry } from './zip_reader.js';

/** How a file is read. */
export interface ReadOptions {
  readonly builder: TensorBuilder;
  readonly weightsOnly: boolean;
  readonly mapLocation?: MapLocation | undefined;
  /** Leave the data of tensors on the disk: for a listing. */
  readonly skipData: boolean;
  /** Told of every name that loading with weightsOnly would refuse. */
  readonly onUnsafe?: ((name: string) => void) | undefined;
  /** Put tensors on the pages of the file. */
  readonly mmap?: boolean;
}

/** The newest file format of PyTorch that is known (torch/csrc: kMaxSupportedFileFormatVersion). */
const NEWEST_VERSION = 10;
const MAX_SMALL_RECORD = 1024;

/** The archive's one folder, and what lies in it by its name there. */
export class TorchArchive {
  readonly records = new Map<string, ZipEntry>();
  readonly folder: string;

  constructor(readonly zip: ZipReader) {
    const names = [...zip.entries.keys()];
    const { name: file } = zip.source;
    if (names.length === 0) throw new RuntimeError(`${file}: the archive is empty`);
    this.folder = names[0]!.slice(0, names[0]!.indexOf('/') + 1);
    for (const [name, entry] of zip.entries) {
      if (this.folder === '' || !name.startsWith(this.folder)) {
        throw new RuntimeError(`${file}: the archive's entry ${name} is not in the folder of the others`);
      }
      this.records.set(name.slice(this.folder.length), entry);
    }
  }

  /** The text of a short record, or null. */
  text(name: string): string | null {
    const entry = this.records.get(name);
    if (!entry) return null;
    if (entry.size > MAX_SMALL_RECORD)
      throw new RuntimeError(`${this.zip.source.name}: the record ${name} is malformed`);
    return latin1(this.zip.read(entry));
  }

  /** The bytes of a record that must be there. */
  bytes(name: string): Uint8Array {
    const entry = this.records.get(name);
    if (!entry) throw new RuntimeError(`${this.zip.source.name}: no ${name} in the archive: not a file of torch.save`);
    return this.zip.read(entry);
  }

  /** @throws RuntimeError for a format that is newer than this library. */
  checkVersion(): void {
    const text = this.text('version');
    if (text !== null && !(/^\d+\n?$/.test(text) && Number(text) >= 1 && Number(text) <= NEWEST_VERSION)) {
      throw new RuntimeError(
        `${this.zip.source.name}: unknown version of the file format: ${text.trim().slice(0, 20)}`,
      );
    }
  }

  /** Whether the storages are in big-endian order. */
  isBigEndian(): boolean {
    const order = this.text('byteorder');
    if (order !== null && order !== 'little' && order !== 'big') {
      throw new RuntimeError(`${this.zip.source.name}: unknown byte order: ${order.slice(0, 20)}`);
    }
    return order === 'big';
  }
}

/** Reads the pickle `<name>.pkl` of an archive; its storages are records of the folder `<prefix>`. */
export function readArchivePickle(
  archive: TorchArchive,
  pickle: string,
  prefix: string,
  options: ReadOptions,
): unknown {
  const { zip } = archive;
  const bigEndian = archive.isBigEndian();
  const loaded = new Map<string, StorageRef>();

  const loadRecord = (entry: ZipEntry, type: TorchType | null, location: string): StorageRef['base'] => {
    if (options.skipData) return null;
    if (goesToMeta(location, options.mapLocation)) return metaStorage(entry.size);
    if (bigEndian && !type) throw new RuntimeError(`${zip.source.name}: an untyped storage in big-endian order`);
    const mapped = options.mmap && !bigEndian ? zip.map(entry, type?.itemsize ?? 1) : null;
    const base = mapped ?? zip.load(entry);
    if (bigEndian) swapStorage(base, type!);
    return mapStorage(base, location, options.mapLocation);
  };

  const persistent = (id: unknown): StorageRef => {
    const { type, key, location, nbytes } = readStorageId(id);
    const entry = archive.records.get(prefix + key);
    if (!entry) throw new RuntimeError(`${zip.source.name}: the storage ${key.slice(0, 40)} is not in the archive`);
    if (entry.size !== nbytes) {
      throw new RuntimeError(
        `${zip.source.name}: the storage ${key} has ${entry.size} bytes, the pickle says ${nbytes}`,
      );
    }
    const known = loaded.get(key);
    if (known) return known.type === type ? known : new StorageRef(key, type, nbytes, location, known.base);
    const storage = new StorageRef(key, type, nbytes, location, loadRecord(entry, type, location));
    loaded.set(key, storage);
    return storage;
  };

  const environment = createEnvironment({
    builder: options.builder,
    persistent,
    weightsOnly: options.weightsOnly,
    userGlobals: !options.skipData,
    onUnsafe: options.onUnsafe,
  });
  const bytes = archive.bytes(pickle);
  return new PickleReader(new PickleInput(memorySource(bytes, zip.source.name)), environment).load();
}

/** Reads what `torch.save` wrote. */
export function readZipFormat(zip: ZipReader, options: ReadOptions): unknown {
  const archive = new TorchArchive(zip);
  if (archive.records.has('constants.pkl')) {
    throw new RuntimeError(
      `${zip.source.name} is a TorchScript archive, not a file of torch.save: load it with torch.jit.load`,
    );
  }
  archive.checkVersion();
  return readArchivePickle(archive, 'data.pkl', 'data/', options);
}
