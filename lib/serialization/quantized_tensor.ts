// Quantized tensors: integers q that stand for (q - zero point) * scale, one pair for all or one per slice.
import { float32, int8, int32, uint8 } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';
import { elementsText } from '../tensor/print.js';
import { fromBytes, viewStorage } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { OpaqueTensor } from './opaque_tensor.js';
import { INDENT, sizeText } from './stored_tensor.js';
import type { Geometry } from './tensor_builder.js';
import { dtypeOf } from './torch_types.js';

/** How integers become numbers. */
export type Quantizer =
  | { readonly scheme: 'per_tensor_affine'; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly scheme: 'per_channel_affine' | 'per_channel_affine_float_qparams';
      /** [size of `axis`] */
      readonly scales: Tensor;
      /** [size of `axis`] */
      readonly zeroPoints: Tensor;
      readonly axis: number;
    };

const CARRIERS: Record<string, typeof uint8> = { quint8: uint8, qint8: int8, qint32: int32 };

/** Python's repr of a float. */
function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/**
 * A tensor of `quint8`, `qint8`, `qint32` or packed integers of 4 or 2 bits (`quint4x2`, `quint2x4`), with the scales and zero
 * points that its integers are read by. `torch.load` makes them; they are saved as what they are.
 */
export class QuantizedTensor extends OpaqueTensor {
  /** @internal */
  readonly _quantizer: Quantizer;

  /**
   * @internal
   * @throws RuntimeError for scales and zero points that do not fit the shape.
   */
  constructor(base: Tensor, geometry: Geometry, quantizer: Quantizer) {
    super(base, geometry, dtypeOf(geometry.type), 'quantized tensor', '; call dequantize() for its numbers');
    this._quantizer = quantizer;
    if (quantizer.scheme === 'per_tensor_affine') return;
    // Files name both schemes alike; the type of the zero points tells them apart.
    if (quantizer.zeroPoints.isFloatingPoint()) {
      this._quantizer = { ...quantizer, scheme: 'per_channel_affine_float_qparams' };
    }
    const { scales, zeroPoints, axis } = quantizer;
    const n = geometry.shape[axis];
    if (n === undefined || scales.numel() !== n || zeroPoints.numel() !== n) {
      throw new RuntimeError(
        `a quantized tensor of size ${sizeText(geometry.shape)} has ${scales.numel()} scales and ${zeroPoints.numel()} zero ` +
          `points along axis ${axis}`,
      );
    }
  }

  /** Always true: PyTorch's name. */
  get isQuantized(): true {
    return true;
  }

  /** The kind of quantization, as `'torch.per_tensor_affine'`. */
  qscheme(): string {
    return `torch.${this._quantizer.scheme}`;
  }

  /**
   * The one scale.
   * @throws RuntimeError if there is one per channel.
   */
  qScale(): number {
    return this.perTensor('q_scale').scale;
  }

  /**
   * The one zero point.
   * @throws RuntimeError if there is one per channel.
   */
  qZeroPoint(): number {
    return this.perTensor('q_zero_point').zeroPoint;
  }

  /**
   * The scales, one for each slice along `qPerChannelAxis()`.
   * @throws RuntimeError if there is one for all.
   */
  qPerChannelScales(): Tensor {
    return this.perChannel('q_per_channel_scales').scales;
  }

  /**
   * The zero points, one for each slice along `qPerChannelAxis()`.
   * @throws RuntimeError if there is one for all.
   */
  qPerChannelZeroPoints(): Tensor {
    return this.perChannel('q_per_channel_zero_points').zeroPoints;
  }

  /**
   * The dimension whose slices have a scale and zero point each.
   * @throws RuntimeError if there is one for all.
   */
  qPerChannelAxis(): number {
    return this.perChannel('q_per_channel_axis').axis;
  }

  private perTensor(name: string): Extract<Quantizer, { scheme: 'per_tensor_affine' }> {
    if (this._quantizer.scheme !== 'per_tensor_affine') {
      throw new RuntimeError(`${name}() is for per-tensor quantization, but the tensor has ${this.qscheme()}`);
    }
    return this._quantizer;
  }

  private perChannel(name: string): Exclude<Quantizer, { scheme: 'per_tensor_affine' }> {
    if (this._quantizer.scheme === 'per_tensor_affine') {
      throw new RuntimeError(`${name}() is for per-channel quantization, but the tensor has ${this.qscheme()}`);
    }
    return this._quantizer;
  }

  /**
   * The integers q, on the same memory.
   * @returns uint8, int8 or int32 of the tensor's shape; for packed types their bytes, uint8 [ceil(elements / elements per byte)]
   */
  intRepr(): Tensor {
    const { type, numel, offset } = this._geometry;
    const carrier = CARRIERS[type.name];
    if (carrier) return this._as(carrier);
    const perByte = type.perByte!;
    // PyTorch's own int_repr of a packed tensor gives the bytes as they are.
    return viewStorage(this._memory, uint8, [Math.ceil(numel / perByte)], [1], Math.floor(offset / perByte));
  }

  /**
   * The numbers that the integers stand for: (q - zero point) * scale.
   * @returns float32 of the tensor's shape, packed integers one by one
   */
  dequantize(): Tensor {
    const q = this._geometry.type.perByte === undefined ? this.intRepr() : this.unpack();
    const quantizer = this._quantizer;
    if (quantizer.scheme === 'per_tensor_affine') {
      return q.to(float32).sub(quantizer.zeroPoint).mul(Math.fround(quantizer.scale));
    }
    // PyTorch computes with the type of the scales, float64 where the zero points are integers, and rounds once.
    const { scales, axis } = quantizer;
    const along = this.shape.map((_, d) => (d === axis ? -1 : 1));
    const type = scales.dtype;
    const centred = q.to(type).sub(quantizer.zeroPoints.to(type).reshape(along));
    return centred.mul(scales.reshape(along)).to(float32);
  }

  /** Packed integers one by one: the first of a byte is in its lowest bits. */
  private unpack(): Tensor {
    const { shape, numel, type } = this._geometry;
    const perByte = type.perByte!;
    const width = 8 / perByte;
    const bytes = this.intRepr().toTypedArray() as Uint8Array;
    const out = new Uint8Array(numel);
    for (let i = 0; i < numel; i++) {
      out[i] = (bytes[Math.floor(i / perByte)]! >> (width * (i % perByte))) & (2 ** width - 1);
    }
    return fromBytes(uint8, shape, out);
  }

  override toTypedArray(): ReturnType<Tensor['toTypedArray']> {
    return this.intRepr().toTypedArray();
  }

  override tolist(): ReturnType<Tensor['tolist']> {
    return this.dequantize().tolist();
  }

  override toString(): string {
    const suffixes = [
      `size=${sizeText(this.shape)}`,
      `dtype=${String(this.dtype)}`,
      `quantization_scheme=${this.qscheme()}`,
    ];
    const quantizer = this._quantizer;
    if (quantizer.scheme === 'per_tensor_affine') {
      suffixes.push(`scale=${floatText(quantizer.scale)}`, `zero_point=${quantizer.zeroPoint}`);
    } else {
      const { scales, zeroPoints, axis } = quantizer;
      suffixes.push(`scale=${String(scales)}`, `zero_point=${String(zeroPoints)}`, `axis=${axis}`);
    }
    const text = this.isMeta ? '...' : this.numel() === 0 ? '[]' : elementsText(this.dequantize(), INDENT);
    return this.printed(text, suffixes);
  }
}
