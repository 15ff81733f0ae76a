// Every element type PyTorch may name in a file. Those the library cannot compute with can still be listed by `inspect`.
import { type DType, dtypes } from '../core/dtype.js';
import { foreignTypes } from '../core/dtype_foreign.js';
import { RuntimeError } from '../core/errors.js';

/** An element type by PyTorch's name; `dtype` is null for one that no tensor here can have. */
export interface TorchType {
  readonly name: string;
  readonly itemsize: number;
  readonly dtype: DType | null;
  /** How many elements share a byte, for types of less than a byte. */
  readonly perByte?: number;
}

/** How many elements share a byte, of those that are smaller. */
const PER_BYTE: ReadonlyMap<string, number> = new Map([
  ['quint4x2', 2],
  ['quint2x4', 4],
]);

/** By name, as `'float32'`. */
export const torchTypes: ReadonlyMap<string, TorchType> = new Map<string, TorchType>([
  ...dtypes.map((d): [string, TorchType] => [d.name, { name: d.name, itemsize: d.itemsize, dtype: d }]),
  ...foreignTypes.map(({ name, itemsize }): [string, TorchType] => {
    const perByte = PER_BYTE.get(name);
    return [name, { name, itemsize, dtype: null, ...(perByte !== undefined && { perByte }) }];
  }),
]);

const foreign: ReadonlyMap<string, DType> = new Map(foreignTypes.map((type) => [type.name, type]));

/** The one DType object of a type, also of one that no op computes with: a value that can be compared, printed and saved. */
export function dtypeOf(type: TorchType): DType {
  return type.dtype ?? foreign.get(type.name)!;
}

const STORAGE_CLASSES: Record<string, string> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexFloatStorage: 'complex64',
  ComplexDoubleStorage: 'complex128',
  QUInt8Storage: 'quint8',
  QInt8Storage: 'qint8',
  QInt32Storage: 'qint32',
  QUInt4x2Storage: 'quint4x2',
  QUInt2x4Storage: 'quint2x4',
};

/** The element type of a storage class, as `'FloatStorage'`. */
export const storageClasses: ReadonlyMap<string, TorchType> = new Map(
  Object.entries(STORAGE_CLASSES).map(([name, type]) => [name, torchTypes.get(type)!]),
);

const CLASS_OF = new Map(Object.entries(STORAGE_CLASSES).map(([name, type]) => [type, name]));

/** The storage class that PyTorch writes for an element type, as `'FloatStorage'`; undefined for one that it writes as bytes. */
export function storageClassOf(type: string): string | undefined {
  return CLASS_OF.get(type);
}

/**
 * The library's own type.
 * @throws RuntimeError for one it lacks.
 */
export function supported(type: TorchType): DType {
  if (!type.dtype) throw new RuntimeError(`tensors of type torch.${type.name} are not supported`);
  return type.dtype;
}
