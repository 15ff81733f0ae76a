// PyTorch's first files (before 0.2): a tar archive of `storages`, `tensors` and `pickle`.
import { Tuple } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { type ByteSource, dataView, readBytes, u64 } from './bytes.js';
import { createEnvironment } from './globals.js';
import { classOf } from './legacy_format.js';
import { isList } from './nodes.js';
import { PickleInput } from './pickle_input.js';
import { type PickleEnvironment, PickleReader } from './pickle_reader.js';
import { loadStorage, mapStorage } from './storage_loader.js';
import { readGeometry, StorageClass, StorageRef } from './tensor_builder.js';
import { latin1 } from './text.js';
import type { ReadOptions } from './zip_format.js';

const BLOCK = 512;
const NO_FLAGS = { conj: false, neg: false };

/** Whether a file starts with a header block of a tar archive. */
export function isTar(source: ByteSource): boolean {
  return source.size >= BLOCK && latin1(readBytes(source, 257, 5)) === 'ustar';
}

interface Member {
  readonly start: number;
  readonly end: number;
}

/** The regular files of the archive, by name. */
function members(source: ByteSource): Map<string, Member> {
  const found = new Map<string, Member>();
  for (let at = 0; at + BLOCK <= source.size; ) {
    const block = readBytes(source, at, BLOCK);
    if (block.every((byte) => byte === 0)) break;
    let sum = 0;
    for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
    const field = (from: number, to: number): string => latin1(block.subarray(from, to)).replace(/\0.*$/s, '').trim();
    const size = /^[0-7]+$/.test(field(124, 136)) ? parseInt(field(124, 136), 8) : NaN;
    if (parseInt(field(148, 156), 8) !== sum || !(at + BLOCK + size <= source.size)) {
      throw new RuntimeError(`${source.name}: the tar archive is damaged`);
    }
    const name = field(0, 100);
    if (found.has(name)) throw new RuntimeError(`${source.name}: the tar archive has two members called ${name}`);
    if (block[156] === 0 || block[156] === 0x30) found.set(name, { start: at + BLOCK, end: at + BLOCK + size });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return found;
}

/** A count or a key as the pickles of this format hold it. */
function key(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return String(value);
  throw new RuntimeError('the tar archive holds a malformed key');
}

function tuple(value: unknown, length: number): readonly unknown[] {
  if (!(value instanceof Tuple) || value.length !== length)
    throw new RuntimeError('the tar archive holds a malformed record');
  return value;
}

/** Reads the oldest format. */
export function readTarFormat(source: ByteSource, options: ReadOptions): unknown {
  const files = members(source);
  const open = (name: string): PickleInput => {
    const member = files.get(name);
    if (!member)
      throw new RuntimeError(`${source.name} is a tar archive without a member '${name}': not a file of torch.save`);
    return new PickleInput(source, member.start, member.end);
  };
  const storages = new Map<string, StorageRef>();
  const tensors = new Map<string, object>();
  const environment = (persistent: (id: unknown) => unknown): PickleEnvironment =>
    createEnvironment({
      builder: options.builder,
      persistent,
      weightsOnly: options.weightsOnly,
      userGlobals: !options.skipData,
      onUnsafe: options.onUnsafe,
    });
  const plain = environment(() => {
    throw new RuntimeError('the tar archive refers to an object before it is there');
  });
  // The records of `storages` and `tensors` hold classes and numbers that are no values of their own.
  const record = (input: PickleInput): unknown => new PickleReader(input, plain).loadRaw();
  const count = (input: PickleInput): number => {
    const n = record(input);
    if (typeof n !== 'number' || n < 0 || n > input.remaining)
      throw new RuntimeError('the tar archive holds a malformed count');
    return n;
  };

  const storageInput = open('storages');
  for (let left = count(storageInput); left > 0; left--) {
    const [name, location, cls] = tuple(record(storageInput), 3);
    if (!(cls instanceof StorageClass) || !cls.type || typeof location !== 'string') {
      throw new RuntimeError('the tar archive holds a storage of an unknown class');
    }
    const nbytes = u64(dataView(storageInput.take(8)), 0, 'the size of a storage') * cls.type.itemsize;
    const at = storageInput.position;
    storageInput.skip(nbytes);
    const base = options.skipData
      ? null
      : mapStorage(loadStorage(source, at, nbytes).base, location, options.mapLocation);
    storages.set(key(name), new StorageRef(key(name), cls.type, nbytes, location, base));
  }
  const views = record(storageInput);
  if (!isList(views)) throw new RuntimeError('the tar archive holds a malformed list of views');
  for (const view of views) {
    const [target, rootKey, offset, size] = tuple(view, 4);
    const root = storages.get(key(rootKey));
    const [start, nbytes] = [offset, size].map((n) => Number(n) * (root?.type?.itemsize ?? 1)) as [number, number];
    if (!root || !(start >= 0) || !(nbytes >= 0) || !(start + nbytes <= root.nbytes)) {
      throw new RuntimeError('the tar archive holds a malformed view');
    }
    storages.set(key(target), new StorageRef(root.key, root.type, nbytes, root.location, root.base, start));
  }

  const tensorInput = open('tensors');
  for (let left = count(tensorInput); left > 0; left--) {
    const [name, storageKey] = tuple(record(tensorInput), 3);
    const storage = storages.get(key(storageKey));
    if (!storage) throw new RuntimeError('the tar archive holds a tensor without a storage');
    // The number of dimensions takes eight bytes, of which PyTorch reads four.
    const ndim = tensorInput.i32();
    tensorInput.u32();
    const numbers = dataView(tensorInput.take(ndim < 0 ? -1 : 16 * ndim + 8));
    const read = (i: number): number => u64(numbers, 8 * i, 'a size of a tensor');
    const size = Array.from({ length: ndim }, (_, d) => read(d));
    const stride = Array.from({ length: ndim }, (_, d) => read(ndim + d));
    const geometry = readGeometry(storage, storage.type!, read(2 * ndim), size, stride);
    tensors.set(key(name), options.builder.tensor(storage, geometry, false, NO_FLAGS));
  }

  const objects = environment((id) => {
    // A module's class, with its source.
    if (id instanceof Tuple && id.length === 3) return classOf(id[0]);
    const found = tensors.get(key(id)) ?? storages.get(key(id));
    if (!found) throw new RuntimeError('the tar archive refers to a tensor that is not there');
    return found;
  });
  return new PickleReader(open('pickle'), objects).load();
}
