// Tensors of element types that the library has no arithmetic for: kept as bytes.
import type { Device } from '../core/device.js';
import { type DType, int16, int32, int64, uint8 } from '../core/dtype.js';
import { allocateStorageUninitialized, viewStorage, writeStorage } from '../tensor/storage.js';
import type { Tensor, TypedArray } from '../tensor/tensor.js';
import { sizeText, StoredTensor } from './stored_tensor.js';
import type { Geometry } from './tensor_builder.js';

/** Integers of each width, to carry elements of other types. */
const CARRIERS: Record<number, DType> = { 1: uint8, 2: int16, 4: int32, 8: int64 };

/**
 * A tensor of `uint16`, `uint32`, `uint64`, `complex32` or a float of 8 or 4 bits. Its bytes are kept, and saved again as
 * they were; tensors that shared memory in a file share it again.
 */
export class OpaqueTensor extends StoredTensor {
  /** @internal The whole storage, as uint8. */
  readonly _memory: Tensor;
  /** @internal */
  readonly _geometry: Geometry;

  /** @internal */
  constructor(
    base: Tensor,
    geometry: Geometry,
    dtype: DType,
    what = `tensor of type torch.${geometry.type.name}`,
    advice = '',
  ) {
    super(what, dtype, geometry.shape, advice);
    this._memory = base;
    this._geometry = geometry;
  }

  override get device(): Device {
    return this._memory.device;
  }

  override storageOffset(): number {
    return this._geometry.offset;
  }

  override dataPtr(): number {
    return this.bits().dataPtr();
  }

  /** @internal */
  override _describe(which: 0 | 1): number[] {
    return [...(which === 0 ? this._geometry.shape : this._geometry.stride)];
  }

  /** The elements' bits as integers of the same width (uint8, int16, int32 or int64), on the same memory. */
  bits(): Tensor {
    return this._as(CARRIERS[this._geometry.type.itemsize]!);
  }

  /** @internal The same memory under a type of the same width. */
  _as(dtype: DType): Tensor {
    const { shape, stride, offset } = this._geometry;
    return viewStorage(this._memory, dtype, shape, stride, offset);
  }

  /**
   * A contiguous copy of the elements: Uint16Array, Uint32Array or BigUint64Array for the unsigned integers, the raw bits for
   * the other types (Uint8Array for floats of 8 bits, Uint16Array of interleaved pairs for complex32).
   */
  override toTypedArray(): TypedArray {
    const { buffer } = this.bits().toTypedArray();
    const { name, itemsize } = this._geometry.type;
    const found =
      itemsize === 1
        ? new Uint8Array(buffer)
        : itemsize === 2 || name === 'complex32'
          ? new Uint16Array(buffer)
          : itemsize === 4
            ? new Uint32Array(buffer)
            : new BigUint64Array(buffer);
    return found as unknown as TypedArray;
  }

  /** The elements as nested arrays: of numbers for the unsigned integers, of bits for the other types. */
  override tolist(): ReturnType<Tensor['tolist']> {
    const flat = this.toTypedArray();
    const pairs = this._geometry.type.name === 'complex32';
    let at = 0;
    const element = (): number | bigint | [number, number] => {
      if (pairs) return [Number(flat[at++]), Number(flat[at++])];
      const value = flat[at++]!;
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    };
    const nest = (dim: number): ReturnType<Tensor['tolist']> =>
      dim === this.shape.length ? element() : Array.from({ length: this.shape[dim]! }, () => nest(dim + 1));
    return nest(0);
  }

  override toString(): string {
    return this.printed('...', [`size=${sizeText(this.shape)}`, `dtype=${String(this.dtype)}`]);
  }
}

// A method of lib/ops in other tensors.
Object.defineProperty(OpaqueTensor.prototype, 'contiguous', {
  value(this: OpaqueTensor) {
    if (this.isContiguous()) return this;
    const { buffer } = this.bits().toTypedArray();
    const base = allocateStorageUninitialized(buffer.byteLength);
    writeStorage(base, 0, new Uint8Array(buffer));
    let step = 1;
    const stride = [...this.shape].reverse().map((size) => {
      step *= size;
      return step / size;
    });
    return new OpaqueTensor(base, { ...this._geometry, stride: stride.reverse(), offset: 0 }, this.dtype);
  },
  writable: true,
  configurable: true,
});
