// What a file holds, without the data of its tensors.
import { Device } from '../core/device.js';
import { DType } from '../core/dtype.js';
import { Size, Tuple } from '../core/containers.js';
import { type ByteSource, type FileLike, openSource } from './bytes.js';
import { ListedTensor, listedTensors, type TensorListing } from './listed_tensors.js';
import { fileKind, readTorchFile, withSource } from './load.js';
import type { NpyHeader } from './npy_header.js';
import { npzMembers, readFileHeader, readMemberHeader } from './numpy.js';
import { Complex, entriesOf, isPlainObject, PythonGlobal, PythonObject } from './python.js';
import { readSafetensorsHeader } from './safetensors_header.js';
import { readArchivePickle, TorchArchive } from './zip_format.js';
import { ZipReader } from './zip_reader.js';

/** The formats that `inspectFile` knows. */
export type FileFormat = 'pytorch' | 'pytorch (legacy)' | 'torchscript' | 'safetensors' | 'npy' | 'npz';

/** What a file holds. */
export interface FileListing {
  /** What kind of file it is. */
  format: FileFormat;
  /** The file's size in bytes. */
  size: number;
  /** All tensors by the path of keys that leads to them (`model.fc1.weight`; the empty path for a lone tensor). */
  tensors: (TensorListing & { name: string })[];
  /** Everything else by its path, as a short text: `['epoch', '17']`. */
  values: [name: string, text: string][];
  /** Bytes of all tensors, memory that several share counted once. */
  bytes: number;
}

const MAX_TEXT = 80;
const MAX_VALUES = 10_000;

function shortText(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof PythonObject || value instanceof PythonGlobal) return `an object of ${value.className}`;
  if (value instanceof Size) return `torch.Size([${value.join(', ')}])`;
  if (value instanceof Tuple) return '()';
  if (Array.isArray(value)) return '[]';
  if (value instanceof Map) return '{}';
  if (value instanceof DType || value instanceof Device || value instanceof Complex) return String(value);
  return value !== null && typeof value === 'object' ? '{}' : String(value);
}

/** The children of a container by the name in their path; null for a value without children. */
function children(value: unknown): [string, unknown][] | null {
  if (value === null || typeof value !== 'object' || value instanceof Size) return null;
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(([key, item]) => [String(key), item]);
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item]);
  if (value instanceof PythonObject) {
    const parts = moduleParts(value.state);
    if (parts) return parts;
    // Attributes stand for themselves; the rest says what it is.
    const rest: [string, unknown][] = [
      ['args', value.args],
      ['items', value.items],
      ['entries', value.entries],
    ];
    return [...(children(value.state) ?? []), ...rest.filter(([, part]) => children(part)?.length)];
  }
  return isPlainObject(value) ? entriesOf(value) : null;
}

/** What a pickled module holds, by the names that its state dict has; its settings, but no hooks and registries that are empty. */
function moduleParts(state: unknown): [string, unknown][] | null {
  if (state === null || typeof state !== 'object' || !isPlainObject(state)) return null;
  if (!('_parameters' in state) || !('_modules' in state)) return null;
  const registered = ['_parameters', '_buffers', '_modules'].flatMap((name) => children(state[name]) ?? []);
  return [...registered, ...entriesOf(state).filter(([name]) => !name.startsWith('_'))];
}

/** Walks the graph of a value, each container once and in order. */
function list(root: unknown): Pick<FileListing, 'tensors' | 'values' | 'bytes'> {
  const tensors: FileListing['tensors'] = [];
  const values: FileListing['values'] = [];
  const seen = new Set<object>();
  const work: [string, unknown][] = [['', root]];
  for (let next = work.pop(); next; next = work.pop()) {
    const [name, value] = next;
    if (value instanceof ListedTensor) {
      tensors.push({ name, ...value.listing });
      continue;
    }
    const parts = children(value);
    if (parts === null || parts.length === 0) {
      if (values.length < MAX_VALUES) values.push([name, shortText(value)]);
      continue;
    }
    if (seen.has(value as object)) continue;
    seen.add(value as object);
    for (const [key, item] of parts.reverse()) work.push([name === '' ? key : `${name}.${key}`, item]);
  }
  return { tensors, values, bytes: totalBytes(tensors) };
}

/** Views count as what they show, but no storage as more than once its largest view. */
function totalBytes(tensors: FileListing['tensors']): number {
  const shared = new Map<string, number>();
  let sum = 0;
  for (const { storage, bytes } of tensors) {
    if (storage === undefined) sum += bytes;
    else shared.set(storage, Math.max(bytes, shared.get(storage) ?? 0));
  }
  for (const bytes of shared.values()) sum += bytes;
  return sum;
}

function fromNpy({ type, shape, nbytes }: NpyHeader, name: string): FileListing['tensors'][number] {
  return { name, dtype: type.name, shape, bytes: nbytes };
}

const OPTIONS = { builder: listedTensors, weightsOnly: false, skipData: true } as const;

function listZip(source: ByteSource): Omit<FileListing, 'size'> {
  const zip = new ZipReader(source);
  if ([...zip.entries.keys()].every((name) => name.endsWith('.npy')) && zip.entries.size > 0) {
    const tensors = npzMembers(zip).map(([name, entry]) => fromNpy(readMemberHeader(zip, entry), name));
    return { format: 'npz', tensors, values: [], bytes: totalBytes(tensors) };
  }
  const archive = new TorchArchive(zip);
  if (!archive.records.has('constants.pkl')) return { format: 'pytorch', ...list(readTorchFile(source, OPTIONS)) };
  const prefix = [...archive.records.keys()].some((name) => name.startsWith('data/')) ? 'data/' : 'tensors/';
  return { format: 'torchscript', ...list(readArchivePickle(archive, 'data.pkl', prefix, OPTIONS)) };
}

function listSource(source: ByteSource): Omit<FileListing, 'size'> {
  switch (fileKind(source)) {
    case 'zip':
      return listZip(source);
    case 'npy': {
      const header = readFileHeader(source);
      return { format: 'npy', tensors: [fromNpy(header, '')], values: [], bytes: header.nbytes };
    }
    case 'safetensors': {
      const { entries, metadata } = readSafetensorsHeader(source);
      const tensors = entries.map(({ name, type, shape, start, end }) => ({
        name,
        dtype: type.name,
        shape,
        bytes: end - start,
      }));
      const values = [...(metadata ?? [])].map(([key, value]): [string, string] => [
        `__metadata__.${key}`,
        shortText(value),
      ]);
      return { format: 'safetensors', tensors, values, bytes: totalBytes(tensors) };
    }
    default:
      return { format: 'pytorch (legacy)', ...list(readTorchFile(source, OPTIONS)) };
  }
}

/**
 * The names of classes and functions in a file of `torch.save` that `torch.load` with `weightsOnly` would refuse: those neither
 * on its own list nor allowed with `addSafeGlobals`. Nothing of them is run.
 * @param file a path, a file URL or the bytes of a file
 * @returns full Python names, each once, in the order in which the file has them
 * @throws RuntimeError for a file that is damaged or not of this format
 * @throws TypeError for anything but a path, a URL or bytes
 */
export function getUnsafeGlobalsInCheckpoint(file: FileLike): string[] {
  const names = new Set<string>();
  withSource(openSource(file, 'getUnsafeGlobalsInCheckpoint()'), (source) =>
    readTorchFile(source, { ...OPTIONS, onUnsafe: (name) => names.add(name) }),
  );
  return [...names];
}

/**
 * Lists what a file holds without reading the data of its tensors: files of torch.save of any version, TorchScript archives,
 * safetensors, .npy and .npz. Objects of unknown classes are listed too; nothing of them is run.
 * @param file a path, a file URL or the bytes of a file
 * @returns `format`, the file's `size`, `tensors` by path with type, shape and bytes, all other `values` as short texts, and the
 *   `bytes` of all tensors, shared memory counted once
 * @throws RuntimeError for a file that is damaged or of none of these formats
 * @throws TypeError for anything but a path, a URL or bytes; Node's own error if the file cannot be read
 */
export function inspectFile(file: FileLike): FileListing {
  return withSource(openSource(file, 'inspectFile()'), (source) => ({ size: source.size, ...listSource(source) }));
}
