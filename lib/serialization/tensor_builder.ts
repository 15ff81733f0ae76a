// Tensors as a pickle describes them: a storage, and a view of it. Nothing is built before its reach has been checked.
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { Internal } from './nodes.js';
import type { TorchType } from './torch_types.js';

/** A storage that a pickle names by its key. */
export class StorageRef extends Internal {
  override readonly description: string = 'a bare storage';

  constructor(
    readonly key: string,
    /** The element type of the storage's class; null for an untyped one, whose elements are bytes. */
    readonly type: TorchType | null,
    readonly nbytes: number,
    readonly location: string,
    /** A tensor on the memory; null where the data are not read. */
    readonly base: Tensor | null,
    /** Where it starts in the memory of `base`, in bytes: legacy files know storages inside storages. */
    readonly start = 0,
  ) {
    super();
  }
}

/** The class of a storage, the first part of its persistent id. `type` is null for an untyped one. */
export class StorageClass extends Internal {
  override readonly description = 'a storage class';

  constructor(readonly type: TorchType | null) {
    super();
  }
}

/** A view of a storage, checked: all of it lies inside. */
export interface Geometry {
  readonly type: TorchType;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly numel: number;
}

/** What a pickle says of a quantized tensor's numbers; scales and zero points are tensors, or lists of numbers. */
export type QuantizerParameters =
  | { readonly scheme: 'per_tensor_affine'; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly scheme: 'per_channel_affine' | 'per_channel_affine_float_qparams';
      readonly scales: object;
      readonly zeroPoints: object;
      readonly axis: number;
    };

/** What a pickle's tensors become: real ones, or descriptions where a file is only listed. */
export interface TensorBuilder {
  tensor(
    storage: StorageRef,
    geometry: Geometry,
    requiresGrad: boolean,
    flags: { conj: boolean; neg: boolean },
  ): object;
  parameter(data: object, requiresGrad: boolean): object;
  /** The same tensor, with or without a gradient wanted. */
  setRequiresGrad(tensor: object, requiresGrad: boolean): object;
  /** The type of a tensor of this builder. */
  typeOf(tensor: object): TorchType;
  /** A tensor on a copy of `bytes`, row-major or column-major. */
  array(type: TorchType, shape: readonly number[], bytes: Uint8Array, columnMajor: boolean): object;
  /** A sparse tensor: coordinates, elements; or starts, coordinates, elements. */
  sparse(layout: string, parts: readonly object[], shape: readonly number[], isCoalesced: boolean): object;
  /** A quantized tensor. */
  quantized(storage: StorageRef, geometry: Geometry, parameters: QuantizerParameters, requiresGrad: boolean): object;
  /** A tensor without memory. */
  meta(type: TorchType, shape: readonly number[], stride: readonly number[], requiresGrad: boolean): object;
  /** Whether a value is one of this builder's tensors. */
  isTensor(value: unknown): value is object;
}

/** As PyTorch's and the native library's limit. */
const MAX_DIMS = 64;

function integers(value: unknown, what: string): number[] {
  if (!Array.isArray(value) || value.length > MAX_DIMS) {
    throw new RuntimeError(`a tensor in the pickle has a malformed ${what}`);
  }
  return value.map((item: unknown) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0) {
      throw new RuntimeError(`a tensor in the pickle has a ${what} out of range: ${String(item)}`);
    }
    return item;
  });
}

/** The sizes of a tensor in a pickle. */
export function readShape(value: unknown): number[] {
  const shape = integers(value, 'size');
  let numel = 1;
  for (const size of shape) numel *= Math.max(size, 1);
  if (numel > Number.MAX_SAFE_INTEGER)
    throw new RuntimeError(`a tensor in the pickle is too large: [${shape.join(', ')}]`);
  return shape;
}

/** The strides of a tensor in a pickle. */
export function readStride(value: unknown): number[] {
  return integers(value, 'stride');
}

/** The number of elements of a shape that readShape has passed. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

/**
 * Checks a view against the storage below it.
 * @throws RuntimeError if a number is malformed or an element would lie outside.
 */
export function readGeometry(
  storage: StorageRef,
  type: TorchType,
  offset: unknown,
  size: unknown,
  stride: unknown,
): Geometry {
  const shape = readShape(size);
  const strides = integers(stride, 'stride');
  const [start] = integers([offset], 'storage offset') as [number];
  if (strides.length !== shape.length)
    throw new RuntimeError('a tensor in the pickle has as many sizes as strides, not more or fewer');
  const numel = countElements(shape);
  let last = start;
  for (const [d, n] of shape.entries()) if (numel > 0) last += (n - 1) * strides[d]!;
  const needed = numel > 0 ? last + 1 : start;
  if (needed > Math.floor(storage.nbytes / type.itemsize) * (type.perByte ?? 1)) {
    throw new RuntimeError(
      `a tensor in the pickle reaches beyond its storage: sizes [${shape.join(', ')}], strides [${strides.join(', ')}], ` +
        `offset ${start} on ${Math.floor(storage.nbytes / type.itemsize)} elements`,
    );
  }
  return { type, shape, stride: strides, offset: start, numel };
}
