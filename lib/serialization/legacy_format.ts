// PyTorch's files before 1.6: five pickles one after another, then the bytes of the storages.
import { RuntimeError } from '../core/errors.js';
import { type ByteSource, dataView, readBytes, u64 } from './bytes.js';
import { createEnvironment } from './globals.js';
import { listedTensors } from './listed_tensors.js';
import { Global, isList } from './nodes.js';
import { PickleInput } from './pickle_input.js';
import { type PickleEnvironment, PickleReader } from './pickle_reader.js';
import { PythonGlobal } from './python.js';
import { readStorageId } from './rebuild.js';
import { goesToMeta, loadStorage, mapStorage, metaStorage } from './storage_loader.js';
import { StorageRef, type TensorBuilder } from './tensor_builder.js';
import type { TorchType } from './torch_types.js';
import type { ReadOptions } from './zip_format.js';
import type { Tensor } from '../tensor/tensor.js';
import { Tuple } from '../core/containers.js';

/** What the format starts with, and its version. */
export const MAGIC = 0x1950a86a20f9469cfc6cn;
export const VERSION = 1001;

/** A storage as the object's pickle declares it. */
interface Declared {
  readonly type: TorchType | null;
  readonly nbytes: number;
  readonly location: string;
  base: Tensor | null;
}

/** The environment of the pickles that hold plain numbers and strings only. */
const nothing: PickleEnvironment = {
  resolve(module, name) {
    throw new RuntimeError(`its header names ${module}.${name}`);
  },
  persistent() {
    throw new RuntimeError('its header refers to storages');
  },
  stateSetter: () => null,
};

/** The class in a persistent id. */
export function classOf(value: unknown): Global | PythonGlobal {
  if (value instanceof Global || value instanceof PythonGlobal) return value;
  throw new RuntimeError('the pickle names a class that is none');
}

function environment(
  storages: Map<string, Declared>,
  builder: TensorBuilder,
  { weightsOnly, onUnsafe }: Pick<ReadOptions, 'weightsOnly' | 'onUnsafe'>,
  total: number,
  userGlobals: boolean,
): PickleEnvironment {
  let bytes = 0;
  const persistent = (id: unknown): unknown => {
    // A module's class comes with its source, which PyTorch compares with its own and this library ignores.
    if (id instanceof Tuple && id[0] === 'module' && id.length === 4) return classOf(id[1]);
    const { type, key, location, nbytes, view } = readStorageId(id);
    let declared = storages.get(key);
    if (!declared) {
      bytes += nbytes;
      if (bytes > total) throw new RuntimeError('the pickle names storages that are larger than the file');
      storages.set(key, (declared = { type, nbytes, location, base: null }));
    }
    if (declared.type !== type || declared.nbytes !== nbytes) {
      throw new RuntimeError(`the pickle names the storage ${key} with two types or sizes`);
    }
    if (view === null || view === undefined) return new StorageRef(key, type, nbytes, location, declared.base);
    // A storage inside a storage: (its key, the offset in elements, the number of elements).
    const [, offset, size] = view instanceof Tuple && view.length === 3 ? view : [];
    const width = type?.itemsize ?? 1;
    const valid = [offset, size].every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);
    if (!valid || ((offset as number) + (size as number)) * width > nbytes) {
      throw new RuntimeError(`the pickle names a malformed part of the storage ${key}`);
    }
    return new StorageRef(key, type, (size as number) * width, location, declared.base, (offset as number) * width);
  };
  return createEnvironment({ builder, persistent, weightsOnly, userGlobals, onUnsafe });
}

/**
 * Reads a stream of pickles. The object comes before the data of its tensors, so its pickle is read twice: once to learn
 * the storages and where the data start, once to build the object on storages that are filled.
 */
export function readLegacyFormat(source: ByteSource, options: ReadOptions): unknown {
  const input = new PickleInput(source);
  const header = (): unknown => new PickleReader(input, nothing).load();
  let magic: unknown;
  try {
    magic = header();
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new RuntimeError(`${source.name} is not a file of torch.save: ${error.message}`);
  }
  if (magic !== MAGIC) throw new RuntimeError(`${source.name} is not a file of torch.save (wrong magic number)`);
  const protocol = header();
  if (protocol !== VERSION)
    throw new RuntimeError(`${source.name} has an unknown version of the legacy format: ${String(protocol)}`);
  header();

  const start = input.position;
  const storages = new Map<string, Declared>();
  const { onUnsafe } = options;
  const survey = environment(storages, listedTensors, { weightsOnly: false, onUnsafe }, source.size, false);
  const listing = new PickleReader(input, survey).load();

  const keys = header();
  if (!isList(keys)) throw new RuntimeError(`${source.name}: the list of storages is malformed`);
  let at = input.position;
  const filled = new Set<string>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || filled.has(key as string))
      throw new RuntimeError(`${source.name}: the list of storages is malformed`);
    filled.add(key as string);
    const end = checkStorage(source, at, storage.nbytes, storage.type?.itemsize ?? 1);
    if (!options.skipData) fillStorage(source, at, storage, options);
    at = end;
  }
  for (const key of storages.keys()) {
    if (!filled.has(key)) throw new RuntimeError(`${source.name}: the data of the storage ${key} are missing`);
  }
  if (options.skipData) return listing;
  const real = environment(storages, options.builder, options, source.size, true);
  return new PickleReader(new PickleInput(source, start), real).load();
}

/** Reads one storage, an element count and the elements, at `at`. */
function fillStorage(source: ByteSource, at: number, storage: Declared, options: ReadOptions): void {
  if (goesToMeta(storage.location, options.mapLocation)) {
    storage.base = metaStorage(storage.nbytes);
    return;
  }
  const { base } = loadStorage(source, at + 8, storage.nbytes);
  storage.base = mapStorage(base, storage.location, options.mapLocation);
}

/** Compares a storage's own count with the expected size; returns where it ends. */
function checkStorage(source: ByteSource, at: number, nbytes: number, itemsize: number): number {
  const count = u64(dataView(readBytes(source, at, 8)), 0, 'the size of a storage');
  if (count * itemsize !== nbytes) {
    throw new RuntimeError(`${source.name}: a storage has ${count} elements, the pickle says ${nbytes / itemsize}`);
  }
  if (at + 8 + nbytes > source.size)
    throw new RuntimeError(`${source.name} ends early: the data of a storage are cut short`);
  return at + 8 + nbytes;
}
