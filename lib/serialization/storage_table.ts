// The storages of the tensors in a value that is saved: each is written once, however many tensors share it.
import { storageBytes, storageId } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { storageClassOf } from './torch_types.js';

/** How a tensor's pickle refers to its storage. */
export interface StorageEntry {
  /** The name of the record. */
  readonly key: string;
  /** PyTorch's class of the storage, as `'FloatStorage'`. */
  readonly className: string;
  readonly elements: number;
  readonly location: string;
  /** Whether it must be named as bytes: its size or another tensor's type does not fit a typed storage. */
  readonly untyped: boolean;
}

/** Collects storages in the order they are met. */
export class StorageTable {
  private readonly known = new Map<number, { key: string; type: string; nbytes: number; tensor: Tensor }>();

  /** The storage below a tensor. */
  add(t: Tensor): StorageEntry {
    const id = storageId(t);
    const { dtype } = t;
    const nbytes = storageBytes(t);
    let storage = this.known.get(id);
    if (!storage) {
      // PyTorch reads a storage by the class it is first named with: once as bytes, always as bytes.
      const type = nbytes % dtype.itemsize === 0 ? dtype.name : 'bytes';
      storage = { key: String(this.known.size), type, nbytes, tensor: t };
      this.known.set(id, storage);
    }
    const untyped = storage.type !== dtype.name;
    return {
      key: storage.key,
      className: storageClassOf(dtype),
      elements: untyped ? nbytes : nbytes / dtype.itemsize,
      location: String(t.device),
      untyped,
    };
  }

  /** All storages: the record's name, its size and a tensor on the memory. */
  *[Symbol.iterator](): IterableIterator<{ key: string; nbytes: number; tensor: Tensor }> {
    yield* this.known.values();
  }
}
