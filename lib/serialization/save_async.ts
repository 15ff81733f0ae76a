// torch.saveAsync: writing while JavaScript goes on.
import path from 'node:path';
import { RuntimeError } from '../core/errors.js';
import { keepTensor, release } from '../tensor/memory.js';
import { copyStorage, wholeStorage } from '../tensor/storage_file.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFlag, checkOptions } from './options.js';
import { prepareSave, type SaveOptions } from './save.js';
import { writeFileInBackground } from './sink.js';

/** Options of `torch.saveAsync`. */
export interface SaveAsyncOptions extends SaveOptions {
  /**
   * Whether the tensors' memory is copied before the call returns (default true), so that training can go on changing them.
   * With false no copy is made, and a change before the file is written makes the promise reject; what autograd's version
   * counters do not see (`.data`) must not be changed.
   */
  copy?: boolean;
}

const OPTIONS = new Set(['copy', 'pickleProtocol', 'zip', '_useNewZipfileSerialization']);

/** Tensors have a version as soon as autograd is loaded, which lies above this layer. */
interface Versioned {
  readonly _version: number;
}

/** The last writing of each path: files are replaced in the order of the calls. */
const writing = new Map<string, Promise<void>>();

/** Runs `write` when all earlier calls for the file are done, however they ended. */
async function inTurn(file: string, write: () => Promise<void>): Promise<void> {
  const before = writing.get(file) ?? Promise.resolve();
  const turn = before.then(write, write);
  writing.set(file, turn);
  try {
    await turn;
  } finally {
    if (writing.get(file) === turn) writing.delete(file);
  }
}

/**
 * As `save`, without holding the program up: checksums and writing are done on threads of Node's pool. The file holds the value
 * as it is at the call; like PyTorch's `async_save`, the memory of its tensors is copied first unless `copy` is false. The file
 * is replaced as a whole when all of it is on disk, in the order of the calls for the same path. A process that ends before
 * leaves the old file, and maybe a temporary one beside it (`.name.*.tmp`).
 * @param value what to save, as for `save`
 * @param file a path or file URL
 * @param options those of `save`, and `copy` (default true)
 * @returns a promise that is fulfilled when the new file is in its place. It rejects with what `save` throws, and with
 *   RuntimeError if a tensor was changed meanwhile with `copy: false`
 */
export async function saveAsync(value: unknown, file: string | URL, options: SaveAsyncOptions = {}): Promise<void> {
  // No await before the copy: the file holds the value as it is at the call.
  checkOptions('saveAsync()', options, OPTIONS);
  const { copy = true, ...rest } = options;
  checkFlag('saveAsync()', 'copy', copy);
  const [name, prepared] = prepareSave('saveAsync()', value, file, rest);
  const tensors = prepared.storages.map(({ tensor }) => tensor);
  const versions = tensors.map((t) => (t as unknown as Versioned)._version);
  // Kept from a tidy around the call, which may end before the file is written.
  const held = tensors.map((t): Tensor => keepTensor(copy ? copyStorage(t) : wholeStorage(t)));
  const pieces = prepared.pieces(prepared.storages.map((storage, i) => ({ ...storage, tensor: held[i]! })));
  const unchanged = (): void => {
    if (!copy && held.some((t, i) => (t as unknown as Versioned)._version !== versions[i])) {
      throw new RuntimeError('saveAsync(): a tensor was changed in place while it was being saved without a copy');
    }
  };
  await inTurn(path.resolve(name), async () => {
    try {
      await writeFileInBackground(name, pieces, unchanged);
    } finally {
      for (const t of held) release(t);
    }
  });
}
