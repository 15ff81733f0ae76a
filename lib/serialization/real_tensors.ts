// What pickled tensors become when a file is loaded: views of storages in memory.
import type { DType } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { Parameter } from '../tensor/parameter.js';
import {
  allocateStorageUninitialized,
  fromBytes,
  readStorage,
  storageBytes,
  viewStorage,
  writeStorage,
} from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import type { Geometry, StorageRef, TensorBuilder } from './tensor_builder.js';
import { supported, torchTypes, type TorchType } from './torch_types.js';

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

/** A copy of the storage of `t`, viewed alike, with the sign of some elements or imaginary parts turned. */
function withTurnedSigns(t: Tensor, { type, shape, stride, offset }: Geometry, conj: boolean, neg: boolean): Tensor {
  const dtype = supported(type);
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
  return viewStorage(copy, dtype, shape, stride, offset);
}

/** Builds tensors in memory. */
export const realTensors: TensorBuilder = {
  tensor(storage: StorageRef, geometry, requiresGrad, { conj, neg }) {
    const dtype = supported(geometry.type);
    const offset = storage.start / dtype.itemsize + geometry.offset;
    if (!Number.isInteger(offset)) throw new RuntimeError('a tensor in the pickle is not aligned to its elements');
    let tensor = viewStorage(storage.base!, dtype, geometry.shape, geometry.stride, offset);
    if (conj || neg) tensor = withTurnedSigns(tensor, { ...geometry, offset }, conj, neg);
    return requiresGrad ? (tensor as unknown as GradTensor).requiresGrad_(true) : tensor;
  },
  parameter: (data, requiresGrad) => new Parameter(data as Tensor, requiresGrad),
  setRequiresGrad: (tensor, flag) => (tensor as GradTensor).requiresGrad_(flag),
  typeOf: (tensor) => torchTypes.get((tensor as Tensor).dtype.name)!,
  array: (type: TorchType, shape, bytes, columnMajor) => tensorFromBytes(supported(type), shape, bytes, columnMajor),
  special(kind) {
    throw new RuntimeError(`the file holds a ${kind.replace('_', ' ')} tensor, which is not supported`);
  },
  isTensor: (value): value is object => value instanceof Tensor,
};
