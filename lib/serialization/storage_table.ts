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

/** What a tensor shows of its storage: a tensor on the memory, and the type of its elements. */
export interface StorageView {
  readonly memory: Tensor;
  readonly type: string;
  readonly itemsize: number;
}

/** A storage that a file will hold. */
export interface Storage {
  readonly key: string;
  /** The element type that it is first named with; 'bytes' where that does not fit. */
  readonly type: string;
  readonly itemsize: number;
  readonly nbytes: number;
  /** A tensor on the memory. */
  readonly tensor: Tensor;
}

/** Collects storages in the order they are met. */
export class StorageTable {
  private readonly known = new Map<number, Storage>();

  /** The storage below a tensor. */
  add({ memory, type, itemsize }: StorageView): StorageEntry {
    const id = storageId(memory);
    const nbytes = storageBytes(memory);
    const className = storageClassOf(type);
    let storage = this.known.get(id);
    if (!storage) {
      // PyTorch reads a storage by the class it is first named with: once as bytes, always as bytes.
      const typed = className !== undefined && nbytes % itemsize === 0;
      storage = {
        key: String(this.known.size),
        type: typed ? type : 'bytes',
        itemsize: typed ? itemsize : 1,
        nbytes,
        tensor: memory,
      };
      this.known.set(id, storage);
    }
    const untyped = storage.type !== type;
    return {
      key: storage.key,
      className: className ?? 'UntypedStorage',
      elements: untyped ? nbytes : nbytes / itemsize,
      location: String(memory.device),
      untyped,
    };
  }

  /** All storages in their order. */
  *[Symbol.iterator](): IterableIterator<Storage> {
    yield* this.known.values();
  }
}
