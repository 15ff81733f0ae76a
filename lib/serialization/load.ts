// torch.load: whatever torch.save of any version wrote.
import { types } from 'node:util';
import { Device } from '../core/device.js';
import { RuntimeError } from '../core/errors.js';
import { type ByteSource, type FileLike, openSource, readBytes } from './bytes.js';
import { readLegacyFormat } from './legacy_format.js';
import { checkFlag, checkMapping, checkOptions } from './options.js';
import { realTensors } from './real_tensors.js';
import type { MapLocation } from './storage_loader.js';
import { isTar, readTarFormat } from './tar_format.js';
import { latin1 } from './text.js';
import { readZipFormat, type ReadOptions } from './zip_format.js';
import { ZipReader } from './zip_reader.js';

/** Options of `torch.load`. */
export interface LoadOptions {
  /** Where storages go; default: main memory, wherever they were saved from. */
  mapLocation?: MapLocation;
  /**
   * Whether classes and functions outside the list of known ones are refused (default true), modules among them. With false,
   * modules of `torch.nn` are rebuilt, and objects of other classes are inert `PythonObject`s. Nothing in a file is ever run,
   * either way.
   */
  weightsOnly?: boolean;
  /**
   * Whether tensors lie on the pages of the file instead of being read (default false): nothing is read before it is used,
   * so that opening takes no longer for a larger file, and checksums of tensors are not compared. Changing a tensor in place
   * does not change the file. The file must not be changed or cut short while tensors use it (replacing it, as `save` does,
   * is harmless). Only for paths to zip archives; storages that are not aligned or in big-endian order are read.
   */
  mmap?: boolean;
}

const OPTIONS = new Set(['mapLocation', 'weightsOnly', 'mmap']);

/** Which of the formats a file has, by its first bytes. */
export function fileKind(source: ByteSource): 'zip' | 'tar' | 'npy' | 'safetensors' | 'pickle' {
  if (source.size === 0) throw new RuntimeError(`${source.name} is empty`);
  const head = latin1(readBytes(source, 0, Math.min(16, source.size)));
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return 'zip';
  if (head.startsWith('\x93NUMPY')) return 'npy';
  if (/^.{6}\0\0\{/s.test(head)) return 'safetensors';
  return isTar(source) ? 'tar' : 'pickle';
}

/** Reads any file of torch.save. */
export function readTorchFile(source: ByteSource, options: ReadOptions): unknown {
  const kind = fileKind(source);
  if (options.mmap && (kind === 'tar' || kind === 'pickle')) {
    throw new RuntimeError(
      'mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True)`, please torch.save ' +
        'your checkpoint with this option in order to use mmap.',
    );
  }
  if (kind === 'zip') return readZipFormat(new ZipReader(source), options);
  if (kind === 'tar') return readTarFormat(source, options);
  if (kind === 'npy') throw new RuntimeError(`${source.name} is a NumPy file: read it with torch.fromNumpy`);
  if (kind === 'safetensors') {
    throw new RuntimeError(`${source.name} is a safetensors file: read it with torch.safetensors.loadFile`);
  }
  return readLegacyFormat(source, options);
}

const MAX_MESSAGE = 2000;

/** An error of reading a source, as one that names it. */
export function named(error: unknown, source: ByteSource): unknown {
  // A file can only cause these through numbers or nesting that no sound file has. By name: in another context (a test
  // runner's) the engine throws that context's own class.
  if (types.isNativeError(error) && error.name === 'RangeError') {
    return new RuntimeError(`${source.name} is damaged: ${error.message}`);
  }
  if (error instanceof RuntimeError) {
    if (!error.message.includes(source.name)) error.message = `${source.name}: ${error.message}`;
    // Names in a file may be as long as the file.
    if (error.message.length > MAX_MESSAGE) error.message = `${error.message.slice(0, MAX_MESSAGE)}...`;
  }
  return error;
}

/** Runs a reader on an open source and closes it; an error of JavaScript's own becomes one that names the file. */
export function withSource<T>(source: ByteSource, read: (source: ByteSource) => T): T {
  try {
    return read(source);
  } catch (error) {
    throw named(error, source);
  } finally {
    source.close();
  }
}

/**
 * Loads what `torch.save` wrote, in PyTorch or here: zip archives, and the legacy formats. A dict with string keys is a plain
 * object, any other dict a Map, an OrderedDict a `StateDict`, a tuple an array that knows it is one, bytes a Uint8Array, an int
 * beyond 2^53 - 1 a bigint. Tensors that shared memory share it again.
 * @param file a path, a file URL or the bytes of a file
 * @param options see `LoadOptions` (default none); or `mapLocation` positionally: a device for all storages, a mapping of the
 *   file's devices, or a function (default null: main memory, wherever they were saved from)
 * @param weightsOnly refuse classes and functions outside the list of known ones (default true); false rebuilds modules of
 *   `torch.nn` and gives inert objects for others. Nothing in a file is ever run
 * @param mmap leave tensors on the pages of the file instead of reading them (default false); only for paths to zip archives
 * @returns the value. Its type is the caller's claim: the file decides
 * @throws RuntimeError for a file that is damaged, unsafe or holds what has no form here, and for a device that this build lacks
 * @throws TypeError for wrong arguments; Node's own error if the file cannot be read
 */
export function load<T = unknown>(
  file: FileLike,
  options: LoadOptions | MapLocation = {},
  weightsOnly?: boolean,
  mmap?: boolean,
): T {
  const given = isOptions(options) ? options : ({ mapLocation: options } as LoadOptions);
  const all: LoadOptions = {
    ...given,
    weightsOnly: given.weightsOnly ?? weightsOnly ?? true,
    mmap: given.mmap ?? mmap ?? false,
  };
  checkFlag('load()', 'weightsOnly', all.weightsOnly);
  checkMapping('load()', file, all.mmap);
  return withSource(openSource(file, 'load()'), (source) =>
    readTorchFile(source, {
      builder: realTensors,
      weightsOnly: all.weightsOnly!,
      mapLocation: all.mapLocation,
      skipData: false,
      mmap: all.mmap!,
    }),
  ) as T;
}

/** Tells an options object from a mapping of devices in its place: the keys of a mapping are devices. */
function isOptions(value: LoadOptions | MapLocation): value is LoadOptions {
  if (value === null || typeof value !== 'object' || types.isMap(value) || value instanceof Device) return false;
  const mapping = Object.keys(value).some((key) => /^(cpu|cuda|meta|mps|xpu)(:\d+)?$/.test(key));
  if (!mapping) checkOptions('load()', value, OPTIONS);
  return !mapping;
}
