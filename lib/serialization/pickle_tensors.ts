// How tensors are written: calls of PyTorch's own rebuild functions (torch/_utils.py), in the shapes that it writes.
import { Size } from '../core/containers.js';
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import type { Tensor } from '../tensor/tensor.js';
import { OpaqueTensor } from './opaque_tensor.js';
import { OP, PickleOutput } from './pickle_output.js';
import { QuantizedTensor } from './quantized_tensor.js';
import { SparseCompressedTensor, SparseTensor } from './sparse_tensor.js';
import type { StorageEntry, StorageTable, StorageView } from './storage_table.js';
import { StoredTensor } from './stored_tensor.js';

/** What autograd adds to tensors; it lies above this layer. */
interface GradTensor {
  readonly requiresGrad?: boolean;
}

/** Which of PyTorch's two formats the pickle is part of: storages are named differently. */
export type Container = 'zip' | 'legacy';

function viewOf(t: Tensor): StorageView {
  if (t instanceof OpaqueTensor) {
    const { type } = t._geometry;
    return { memory: t._memory, type: type.name, itemsize: type.itemsize };
  }
  return { memory: t, type: t.dtype.name, itemsize: t.dtype.itemsize };
}

/** Writes tensors; their storages are collected in a table. */
export abstract class PickleTensors extends PickleOutput {
  constructor(
    protocol: number,
    private readonly storages: StorageTable,
    private readonly container: Container,
  ) {
    super(protocol);
  }

  /** Writes a value inside a tensor's arguments. */
  protected abstract save(value: unknown): void;

  protected tensor(t: Tensor): void {
    const isParameter = t instanceof StoredTensor ? t.isParameter : t instanceof Parameter;
    const requiresGrad = (t as GradTensor).requiresGrad ?? false;
    if (isParameter) {
      this.global('torch._utils', '_rebuild_parameter');
      this.bytes(OP.mark);
      this.data(t, false);
      this.boolean(requiresGrad);
      this.emptyOrderedDict();
      this.bytes(OP.tuple, OP.reduce);
    } else {
      this.data(t, requiresGrad);
    }
    this.put(t);
  }

  private data(t: Tensor, requiresGrad: boolean): void {
    if (t instanceof SparseTensor) this.sparse(t, [t._indices(), t._values()], [t.isCoalesced()]);
    else if (t instanceof SparseCompressedTensor) this.sparse(t, [...t._parts(), t.values()], []);
    else if (t instanceof QuantizedTensor) this.quantized(t, requiresGrad);
    else if (t.isMeta) this.meta(t, requiresGrad);
    else this.strided(t, requiresGrad);
  }

  /** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`; v3 has the type as well. */
  private strided(t: Tensor, requiresGrad: boolean): void {
    const storage = this.storages.add(viewOf(t));
    this.global('torch._utils', storage.untyped ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2');
    this.bytes(OP.mark);
    this.geometry(t, storage);
    this.boolean(requiresGrad);
    this.emptyOrderedDict();
    if (storage.untyped) this.global('torch', t.dtype.name);
    this.bytes(OP.tuple, OP.reduce);
  }

  /** `_rebuild_meta_tensor_no_storage(type, size, stride, requires_grad)`. */
  private meta(t: Tensor, requiresGrad: boolean): void {
    this.global('torch._utils', '_rebuild_meta_tensor_no_storage');
    this.bytes(OP.mark);
    this.global('torch', t.dtype.name);
    this.numbers(t.shape);
    this.numbers(t.stride());
    this.boolean(requiresGrad);
    this.bytes(OP.tuple, OP.reduce);
  }

  /** A storage and where a tensor lies in it. */
  private geometry(t: Tensor, storage: StorageEntry): void {
    const legacy = this.container === 'legacy';
    if (legacy && storage.untyped) {
      // PyTorch writes the first of these in its legacy format and cannot read it; the second it refuses to write.
      throw new RuntimeError(
        storage.className === 'UntypedStorage'
          ? `save(): the legacy format has no tensors of type ${String(t.dtype)}; use the zip format`
          : 'Cannot save multiple tensors or storages that view the same data as different types',
      );
    }
    this.bytes(OP.mark);
    this.string('storage');
    if (storage.untyped) this.global('torch.storage', 'UntypedStorage');
    else this.global('torch', storage.className);
    this.string(storage.key);
    this.string(storage.location);
    this.number(storage.elements);
    if (legacy) this.bytes(OP.none);
    this.bytes(OP.tuple, OP.persistent);
    this.number(t.storageOffset());
    this.numbers(t.shape);
    this.numbers(t.stride());
  }

  /** `_rebuild_sparse_tensor(layout, (parts..., size, flags...))`. */
  private sparse(t: SparseTensor | SparseCompressedTensor, parts: readonly Tensor[], flags: readonly boolean[]): void {
    this.global('torch._utils', '_rebuild_sparse_tensor');
    this.global('torch.serialization', '_get_layout');
    this.string(t.layout);
    this.bytes(0x85, OP.reduce, OP.mark);
    for (const part of parts) this.save(part);
    this.size(t.shape);
    for (const flag of flags) this.boolean(flag);
    this.bytes(OP.tuple, 0x86, OP.reduce);
  }

  /** `_rebuild_qtensor(storage, offset, size, stride, (scheme, ...), requires_grad, hooks)`. */
  private quantized(t: QuantizedTensor, requiresGrad: boolean): void {
    const storage = this.storages.add(viewOf(t));
    if (storage.untyped) {
      throw new RuntimeError('Cannot save multiple tensors or storages that view the same data as different types');
    }
    this.global('torch._utils', '_rebuild_qtensor');
    this.bytes(OP.mark);
    this.geometry(t, storage);
    this.bytes(OP.mark);
    const quantizer = t._quantizer;
    if (quantizer.scheme === 'per_tensor_affine') {
      this.global('torch', quantizer.scheme);
      this.float(quantizer.scale);
      this.number(quantizer.zeroPoint);
    } else {
      // As PyTorch: the type of the zero points tells the two schemes apart.
      this.global('torch', 'per_channel_affine');
      this.save(quantizer.scales);
      this.save(quantizer.zeroPoints);
      this.number(quantizer.axis);
    }
    this.bytes(OP.tuple);
    this.boolean(requiresGrad);
    this.emptyOrderedDict();
    this.bytes(OP.tuple, OP.reduce);
  }

  protected size(shape: readonly number[]): void {
    this.global('torch', 'Size');
    this.numbers(shape);
    this.bytes(0x85, OP.reduce);
    if (shape instanceof Size) this.put(shape);
  }
}
