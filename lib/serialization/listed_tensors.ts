// What pickled tensors become when a file is only listed: their descriptions.
import type { Geometry, StorageRef, TensorBuilder } from './tensor_builder.js';
import { countElements } from './tensor_builder.js';
import type { TorchType } from './torch_types.js';

/** A tensor in a file, without its elements. */
export interface TensorListing {
  /** Type by PyTorch's name, as `'float32'`; also types that cannot be loaded here, as `'float8_e4m3fn'`. */
  dtype: string;
  /** The sizes of all dimensions. */
  shape: readonly number[];
  /** Bytes of the elements. */
  bytes: number;
  /** The key of the storage in the file: tensors of equal keys share memory. */
  storage?: string;
  /** Whether the file says that it requires a gradient; absent where the format or layout does not say. */
  requiresGrad?: boolean;
  /** True for an `nn.Parameter`; absent otherwise. */
  parameter?: boolean;
  /** `'sparse_coo'`, `'quantized'` and the like; absent for a plain tensor. */
  layout?: string;
}

/** A tensor's description in the graph of loaded values. */
export class ListedTensor {
  constructor(
    readonly type: TorchType | null,
    readonly listing: TensorListing,
  ) {}
}

function listed(type: TorchType | null, shape: readonly number[], more: Partial<TensorListing>): ListedTensor {
  const bytes = type ? countElements(shape) * type.itemsize : 0;
  return new ListedTensor(type, { dtype: type?.name ?? 'unknown', shape, bytes, ...more });
}

/** Describes tensors. */
export const listedTensors: TensorBuilder = {
  tensor: (storage: StorageRef, { type, shape }: Geometry, requiresGrad) =>
    listed(type, shape, { storage: storage.key, requiresGrad }),
  parameter(data, requiresGrad) {
    const { type, listing } = data as ListedTensor;
    return new ListedTensor(type, { ...listing, requiresGrad, parameter: true });
  },
  setRequiresGrad(tensor, requiresGrad) {
    const { type, listing } = tensor as ListedTensor;
    return new ListedTensor(type, { ...listing, requiresGrad });
  },
  typeOf: (tensor) => (tensor as ListedTensor).type!,
  array: (type, shape) => listed(type, shape, {}),
  sparse(layout, parts, shape) {
    // The elements of a sparse tensor are its last part; the parts together are what it takes in the file.
    const tensors = parts as ListedTensor[];
    const bytes = tensors.reduce((n, part) => n + part.listing.bytes, 0);
    return listed(tensors[tensors.length - 1]!.type, shape, { layout, bytes });
  },
  quantized: (storage, { type, shape }, _parameters, requiresGrad) =>
    listed(type, shape, { layout: 'quantized', storage: storage.key, requiresGrad }),
  meta: (type, shape, _stride, requiresGrad) => listed(type, shape, { layout: 'meta', bytes: 0, requiresGrad }),
  isTensor: (value): value is object => value instanceof ListedTensor,
};
