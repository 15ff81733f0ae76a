// The one door to native code: the loaded addon, and the scratch buffer that arguments and results travel in.
import path from 'node:path';
import nodeGypBuild from 'node-gyp-build';
import { RuntimeError } from '../core/errors.js';

/** What the addon exports. Tensors are named by uint32 handles; everything else goes through the scratch buffer. */
interface Addon {
  /** Hands over the scratch buffer (again after it grew) and the constructor of the errors native code throws. */
  init(scratch: ArrayBuffer, runtimeError: new (message: string) => Error): void;
  /** The names of all native ops; an op's id is its index. */
  ops(): string[];
  /**
   * Runs an op on the arguments in the scratch buffer. Leaves the results there and returns the first one's handle (0 if
   * there is none). With `wrapper`, the single result is freed some time after that object died.
   */
  call(op: number, wrapper?: object): number;
  /** From now on the tensor is freed some time after `wrapper` died. */
  track(handle: number, wrapper: object): void;
  /** The object that `track` named, if it is still alive. */
  wrapper(handle: number): object | undefined;
  /** Frees tensors at once. A handle that is not alive is passed over. */
  free(handle: number): void;
  /** Looks for dead wrappers among young tensors (all of them if `full`) and frees their tensors. */
  sweep(full: boolean): void;
  /**
   * Writes [dtype, device, offset, numel, storage id, storage bytes, version, ndim, sizes, strides, users of the
   * storage] of a tensor.
   */
  describe(handle: number): void;
  /** Copies the elements in row-major order; `bytes` must have exactly numel * itemsize bytes. */
  read(handle: number, bytes: Uint8Array): void;
  write(handle: number, bytes: Uint8Array): void;
  /** Copies raw bytes of the tensor's storage from or to `offset`. */
  readStorage(handle: number, offset: number, bytes: Uint8Array): void;
  writeStorage(handle: number, offset: number, bytes: Uint8Array): void;
  /** Writes bytes of the tensor's storage to an open file on another thread: the CRC-32 continued from `crc`, or minus errno. */
  writeInBackground(fd: number, handle: number, offset: number, bytes: number, crc: number): Promise<number>;
  /** Counters: [live tensors, live bytes, cached bytes, bytes of packed forms]. */
  memory(): void;
  /** How many multiply-adds the thread's matrix products, convolutions and attention have asked for so far. */
  multiplyAdds(): number;
  instructionSet(): string;
  numThreads(): number;
  setNumThreads(n: number): void;
}

export const addon = nodeGypBuild(path.join(__dirname, '..', '..')) as Addon;

// Element 0 is the collection flag, 1 the number of results; results or arguments start at 2.
export const PRESSURE = 0;
export const COUNT = 1;
export const FIRST = 2;

/** Arguments on the way in, results on the way out. Replaced by `grow`: never keep a copy of this binding. */
export let scratch = new Float64Array(new ArrayBuffer(8 * 1024));
addon.init(scratch.buffer as ArrayBuffer, RuntimeError);

/** Makes room for `slots` numbers, keeping what is there. */
export function grow(slots: number): void {
  if (slots <= scratch.length) return;
  const larger = new Float64Array(new ArrayBuffer(8 * Math.max(slots, 2 * scratch.length)));
  larger.set(scratch);
  scratch = larger;
  addon.init(scratch.buffer as ArrayBuffer, RuntimeError);
}

const ids = new Map(addon.ops().map((name, id) => [name, id]));

/**
 * The id of a native op, looked up once at load.
 * @throws RuntimeError if the addon has no such op: TypeScript and native code are of different versions.
 */
export function nativeOp(name: string): number {
  const id = ids.get(name);
  if (id === undefined) throw new RuntimeError(`the native addon has no op '${name}'; rebuild it (npm run compile)`);
  return id;
}
