// One tensor of a safetensors file at a time.
import type { DeviceLike } from '../core/device.js';
import { kindOf, RuntimeError } from '../core/errors.js';
import { viewStorage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ByteSource, type FileLike, openSource } from './bytes.js';
import { named } from './load.js';
import { checkMapping, checkOptions } from './options.js';
import { plainObject } from './python.js';
import { type SafetensorsEntry, type SafetensorsHeader, readSafetensorsHeader } from './safetensors_header.js';
import { loadStorage, type MapLocation, mappedStorage, mapStorage } from './storage_loader.js';
import { supported } from './torch_types.js';

/** Where tensors go, and whether they lie on the pages of the file. */
interface Placing {
  readonly device: MapLocation | undefined;
  readonly mmap: boolean;
}

/** @throws RuntimeError for a type that no tensor here can have. */
export function checkType(source: ByteSource, { name, type }: SafetensorsEntry): void {
  if (!type.dtype)
    throw new RuntimeError(`${source.name}: '${name}' is of type torch.${type.name}, which is not supported`);
}

/** The tensor of an entry. */
export function placeEntry(source: ByteSource, entry: SafetensorsEntry, { device, mmap }: Placing): Tensor {
  const { shape, start } = entry;
  const dtype = supported(entry.type);
  const nbytes = entry.end - start;
  const mapped = mmap ? mappedStorage(source, start, nbytes, dtype.itemsize) : null;
  const base = mapped ?? loadStorage(source, start, nbytes).base;
  let step = 1;
  const stride = shape.map(() => 0);
  for (let d = shape.length - 1; d >= 0; d--) {
    stride[d] = step;
    step *= Math.max(shape[d]!, 1);
  }
  return viewStorage(mapStorage(base, 'cpu', device), dtype, shape, stride, 0);
}

/** Options of `safetensors.safeOpen`. */
export interface SafeOpenOptions {
  /** Taken for the reference implementation's sake: only 'pt' (the default) has tensors here. */
  framework?: string;
  /** Where the tensors go; default: main memory. */
  device?: DeviceLike;
  /** Whether tensors lie on the pages of the file instead of being read (default false), as with `torch.load`. */
  mmap?: boolean;
}

const OPTIONS = new Set(['framework', 'device', 'mmap']);

/** Part of a tensor's methods; they lie above this layer. */
interface Indexable {
  index(...items: unknown[]): Tensor;
}

/** Places of the first dimension, from `first` to before `end`. */
interface Rows {
  readonly first: number;
  readonly end: number;
}

/** What `torch.slice` makes, which lies above this layer. */
interface Bounds {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}
function isBounds(item: unknown): item is Bounds {
  return (
    typeof item === 'object' && item !== null && ['start', 'stop', 'step'].every((key) => Object.hasOwn(item, key))
  );
}

/**
 * The rows that an index into the first dimension, of `size` places, asks for, and the same index counted from the first of
 * them; null for an index that may ask for any row, or for none that exists.
 */
function rowsOf(item: unknown, size: number): [Rows, number | Bounds] | null {
  if (typeof item === 'number') {
    const first = item < 0 ? item + size : item;
    return Number.isInteger(item) && first >= 0 && first < size ? [{ first, end: first + 1 }, 0] : null;
  }
  if (!isBounds(item) || (item.step ?? 1) <= 0) return null;
  const at = (v: number | null, otherwise: number): number =>
    Math.min(Math.max(v === null ? otherwise : v < 0 ? v + size : v, 0), size);
  const first = at(item.start, 0);
  const end = Math.max(at(item.stop, size), first);
  const make = item.constructor as new (start: number, stop: number, step: number | null) => Bounds;
  return [{ first, end }, new make(0, end - first, item.step)];
}

/** The part of an entry that holds some of its rows. */
function rowsEntry(entry: SafetensorsEntry, { first, end }: Rows): SafetensorsEntry {
  const [size, ...rest] = entry.shape as [number, ...number[]];
  const bytes = (entry.end - entry.start) / size;
  return {
    ...entry,
    shape: [end - first, ...rest],
    start: entry.start + first * bytes,
    end: entry.start + end * bytes,
  };
}

/** A tensor of an open file that has not been read. */
export class SafetensorsSlice {
  /** @internal Use `getSlice`. */
  constructor(
    private readonly entry: SafetensorsEntry,
    private readonly place: (entry: SafetensorsEntry) => Tensor,
    private readonly mmap: boolean,
  ) {}

  /** The sizes of the whole tensor. */
  getShape(): number[] {
    return [...this.entry.shape];
  }

  /** The format's name of the element type, as `'F32'`. */
  getDtype(): string {
    return this.entry.typeName;
  }

  /**
   * A part of the tensor. Of a file opened with `mmap` only the pages of the part are read; otherwise the rows from the first to
   * the last that a number or a slice in the first place asks for, and of other items the whole tensor. A view keeps the memory of
   * all that was read.
   * @param items what `Tensor.index` takes: `slice.index(torch.slice(0, 10), 3)`
   * @returns what `Tensor.index` returns for the whole tensor: a view of its memory where the items are numbers and slices
   * @throws RuntimeError if the file has been closed
   */
  index(...items: unknown[]): Tensor {
    const { entry, mmap } = this;
    const [first, ...others] = items;
    const rows = mmap || !entry.shape[0] ? null : rowsOf(first, entry.shape[0]);
    const [part, rest] = rows === null ? [entry, items] : [rowsEntry(entry, rows[0]), [rows[1], ...others]];
    return (this.place(part) as unknown as Indexable).index(...rest);
  }
}

/** An open safetensors file. Close it, or declare it with `using`; tensors that came from it stay. */
export class SafetensorsFile {
  private readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  private readonly header: SafetensorsHeader;
  private open = true;

  /** @internal Use `safeOpen`. */
  constructor(
    private readonly source: ByteSource,
    private readonly placing: Placing,
  ) {
    this.header = readSafetensorsHeader(source);
    this.entries = new Map(this.header.entries.map((entry) => [entry.name, entry]));
  }

  /** The names of all tensors, sorted. */
  keys(): string[] {
    return [...this.entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** @internal The names of all tensors, in the order of the header. */
  headerKeys(): string[] {
    return [...this.entries.keys()];
  }

  /** The names of all tensors, in the order of their data in the file. */
  offsetKeys(): string[] {
    return [...this.header.entries].sort((a, b) => a.start - b.start || a.end - b.end).map(({ name }) => name);
  }

  /** The text pairs beside the tensors as a plain object, or null. */
  metadata(): Record<string, string> | null {
    return this.header.metadata && plainObject(this.header.metadata);
  }

  private entry(name: string): SafetensorsEntry {
    const { source } = this;
    if (!this.open) throw new RuntimeError(`${source.name} has been closed`);
    if (typeof name !== 'string') {
      throw new TypeError(`getTensor(): argument 'name' must be str, not ${kindOf(name)}`);
    }
    const entry = this.entries.get(name);
    if (!entry) throw new RuntimeError(`File does not contain tensor ${name}`);
    checkType(source, entry);
    return entry;
  }

  /**
   * Reads one tensor, and nothing else of the file. Of a file opened with `mmap`, tensors of the same name share memory.
   * @param name one of `keys()`
   * @returns the tensor, row-major, on the device that the file was opened for
   * @throws RuntimeError for a name that the file does not have, a type that is not supported, or a closed file
   * @throws TypeError unless `name` is a string
   */
  getTensor(name: string): Tensor {
    return this.placed(this.entry(name));
  }

  private placed(entry: SafetensorsEntry): Tensor {
    try {
      return placeEntry(this.source, entry, this.placing);
    } catch (error) {
      throw named(error, this.source);
    }
  }

  /**
   * A tensor to read parts of; nothing is read yet.
   * @param name one of `keys()`
   * @throws RuntimeError and TypeError as `getTensor`
   */
  getSlice(name: string): SafetensorsSlice {
    const place = (part: SafetensorsEntry): Tensor => {
      this.entry(name);
      return this.placed(part);
    };
    return new SafetensorsSlice(this.entry(name), place, this.placing.mmap);
  }

  /** Closes the file; closing it again does nothing. */
  close(): void {
    if (this.open) this.source.close();
    this.open = false;
  }

  /** Closes the file, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Opens a file on a source that the result closes. */
export function openSafetensors(source: ByteSource, placing: Placing): SafetensorsFile {
  try {
    return new SafetensorsFile(source, placing);
  } catch (error) {
    source.close();
    throw named(error, source);
  }
}

/**
 * Opens a safetensors file to read single tensors of it. Only the header is read and checked; with `mmap` opening takes no longer
 * for a larger file, and tensors are read where they are used.
 * @param file a path, a file URL or the bytes of a file
 * @param options `framework` (default 'pt', the only one), `device` (default: main memory) and `mmap` (default false); or
 *   `framework` positionally, as in the reference implementation
 * @param device where the tensors go, if the options do not say (default: main memory)
 * @returns the open file: `keys()`, `getTensor(name)`, `getSlice(name)`, `metadata()`, `close()`
 * @throws RuntimeError for a file whose header is malformed in any way
 * @throws TypeError for wrong arguments; Node's own error if the file cannot be opened
 */
export function safeOpen(file: FileLike, options: SafeOpenOptions | string = {}, device?: DeviceLike): SafetensorsFile {
  const given: SafeOpenOptions = typeof options === 'string' ? { framework: options } : options;
  checkOptions('safetensors.safeOpen()', given, OPTIONS);
  const { framework = 'pt', mmap = false } = given;
  if (framework !== 'pt' && framework !== 'torch' && framework !== 'pytorch') {
    throw new TypeError(`safetensors.safeOpen(): argument 'framework' must be 'pt', not '${String(framework)}'`);
  }
  checkMapping('safetensors.safeOpen()', file, mmap);
  return openSafetensors(openSource(file, 'safetensors.safeOpen()'), { device: given.device ?? device, mmap });
}
