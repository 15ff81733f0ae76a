// What pickled tensors become when a file is loaded: views of storages in memory.
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import {
  allocateStorageUninitialized,
  fromBytes,
  metaTensor,
  readStorage,
  storageBytes,
  viewStorage,
  writeStorage,
} from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { OpaqueTensor } from './opaque_tensor.js';
import { QuantizedTensor, type Quantizer } from './quantized_tensor.js';
import { type CompressedLayout, SparseCompressedTensor, SparseTensor } from './sparse_tensor.js';
import { StoredTensor } from './stored_tensor.js';
import type { Geometry, StorageRef, TensorBuilder } from './tensor_builder.js';
import { dtypeOf, supported, torchTypes, type TorchType } from './torch_types.js';

/** What autograd adds to tensors; it lies above this layer. */
interface GradTensor {
  requiresGrad_(flag: boolean): Tensor;
}

/** Strides of a column-major array. */
export function columnMajorStrides(shape: readonly number[]): number[] {
  let step = 1;
  return shape.map((size) => {
    const stride = step;
    step *= Math.max(size, 1);
    return stride;
  });
}

/** A tensor of `shape` on a copy of `bytes`, row-major or column-major. */
export function tensorFromBytes(
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array,
  columnMajor: boolean,
): Tensor {
  if (!columnMajor || shape.length < 2) return fromBytes(dtype, shape, bytes);
  const base = allocateStorageUninitialized(bytes.length);
  writeStorage(base, 0, bytes);
  return viewStorage(base, dtype, shape, columnMajorStrides(shape), 0);
}

/** Copies of storages with turned signs, by what was turned: views that shared memory share it again. */
const turned = new WeakMap<Tensor, Map<string, Tensor>>();

/** A view of a copy of the storage `base` in which the sign of some elements or imaginary parts is turned. */
function withTurnedSigns(base: Tensor, geometry: Geometry, conj: boolean, neg: boolean): Tensor {
  const { shape, stride, offset } = geometry;
  const dtype = supported(geometry.type);
  const copies = turned.get(base) ?? new Map<string, Tensor>();
  turned.set(base, copies);
  const key = `${dtype.name} ${conj} ${neg}`;
  let copy = copies.get(key);
  if (!copy) copies.set(key, (copy = turnSigns(base, dtype, conj, neg)));
  return viewStorage(copy, dtype, shape, stride, offset);
}

function turnSigns(t: Tensor, dtype: DType, conj: boolean, neg: boolean): Tensor {
  if (!dtype.isFloatingPoint && !dtype.isComplex) {
    throw new RuntimeError(`a tensor in the pickle is conjugated or negated, but of type ${String(dtype)}`);
  }
  const bytes = new Uint8Array(storageBytes(t));
  readStorage(t, 0, bytes);
  const part = dtype.isComplex ? dtype.itemsize / 2 : dtype.itemsize;
  // The sign is the highest bit of a little-endian element's last byte. For complex types: real part, imaginary part.
  const turn = (first: number, step: number): void => {
    for (let at = first + part - 1; at < bytes.length; at += step) bytes[at]! ^= 0x80;
  };
  if (neg) turn(0, part);
  if (conj && dtype.isComplex) turn(part, 2 * part);
  const copy = allocateStorageUninitialized(bytes.length);
  writeStorage(copy, 0, bytes);
  return copy;
}

/** Where a view starts in the memory of its storage, in elements. */
function offsetIn(storage: StorageRef, { type, offset }: Geometry): number {
  const start = storage.start / type.itemsize + offset;
  if (!Number.isInteger(start)) throw new RuntimeError('a tensor in the pickle is not aligned to its elements');
  return start;
}

/** Builds tensors in memory. */
export const realTensors: TensorBuilder = {
  tensor(storage: StorageRef, geometry, requiresGrad, { conj, neg }) {
    const { type } = geometry;
    const offset = offsetIn(storage, geometry);
    if (type.dtype === null) {
      if (conj || neg)
        throw new RuntimeError(`a tensor of type torch.${type.name} in the pickle is conjugated or negated`);
      const opaque = new OpaqueTensor(storage.base!, { ...geometry, offset }, dtypeOf(type));
      opaque.requiresGrad = requiresGrad;
      return opaque;
    }
    const { dtype } = type;
    let tensor = viewStorage(storage.base!, dtype, geometry.shape, geometry.stride, offset);
    if (conj || neg) tensor = withTurnedSigns(storage.base!, { ...geometry, offset }, conj, neg);
    return requiresGrad ? (tensor as unknown as GradTensor).requiresGrad_(true) : tensor;
  },
  parameter(data, requiresGrad) {
    if (!(data instanceof StoredTensor)) return new Parameter(data as Tensor, requiresGrad);
    data.isParameter = true;
    data.requiresGrad = requiresGrad;
    return data;
  },
  setRequiresGrad(tensor, flag) {
    if (!(tensor instanceof StoredTensor)) return (tensor as GradTensor).requiresGrad_(flag);
    tensor.requiresGrad = flag;
    return tensor;
  },
  typeOf: (tensor) => torchTypes.get((tensor as Tensor).dtype.name)!,
  array: (type: TorchType, shape, bytes, columnMajor) => tensorFromBytes(supported(type), shape, bytes, columnMajor),
  sparse(layout, parts, shape, isCoalesced) {
    const tensors = parts as Tensor[];
    if (tensors.some((part) => part instanceof StoredTensor)) {
      throw new RuntimeError('a sparse tensor in the pickle is made of tensors that are not supported');
    }
    if (layout === 'sparse_coo') return new SparseTensor(tensors[0]!, tensors[1]!, shape, isCoalesced);
    const [compressed, plain, values] = tensors as [Tensor, Tensor, Tensor];
    return new SparseCompressedTensor(layout as CompressedLayout, compressed, plain, values, shape);
  },
  quantized(storage, geometry, parameters, requiresGrad) {
    const { type } = geometry;
    if (!type.name.startsWith('q')) {
      throw new RuntimeError(`a quantized tensor in the pickle has elements of type torch.${type.name}`);
    }
    // Parts of storages exist in files that are older than packed types.
    const offset = offsetIn(storage, geometry);
    const tensor = new QuantizedTensor(storage.base!, { ...geometry, offset }, parameters as Quantizer);
    tensor.requiresGrad = requiresGrad;
    return tensor;
  },
  meta(type, shape, stride, requiresGrad) {
    const tensor = metaTensor(supported(type), shape, stride);
    return requiresGrad ? (tensor as unknown as GradTensor).requiresGrad_(true) : tensor;
  },
  isTensor: (value): value is object => value instanceof Tensor,
};
