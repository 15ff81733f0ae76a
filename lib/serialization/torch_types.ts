// Every element type PyTorch may name in a file. Those the library cannot compute with can still be listed by `inspect`.
import { DType, dtypes, NO_CODE } from '../core/dtype.js';
import { RuntimeError } from '../core/errors.js';

/** An element type by PyTorch's name; `dtype` is null for one that no tensor here can have. */
export interface TorchType {
  readonly name: string;
  readonly itemsize: number;
  readonly dtype: DType | null;
  /** How many elements share a byte, for types of less than a byte. */
  readonly perByte?: number;
}

const FOREIGN: readonly [name: string, itemsize: number, perByte?: number][] = [
  ['uint16', 2],
  ['uint32', 4],
  ['uint64', 8],
  ['complex32', 4],
  ['float8_e4m3fn', 1],
  ['float8_e5m2', 1],
  ['float8_e4m3fnuz', 1],
  ['float8_e5m2fnuz', 1],
  ['float8_e8m0fnu', 1],
  ['float4_e2m1fn_x2', 1],
  ['quint8', 1],
  ['qint8', 1],
  ['qint32', 4],
  ['quint4x2', 1, 2],
  ['quint2x4', 1, 4],
  ['bits8', 1],
  ['bits16', 2],
  ['bits1x8', 1],
  ['bits2x4', 1],
  ['bits4x2', 1],
];

/** By name, as `'float32'`. */
export const torchTypes: ReadonlyMap<string, TorchType> = new Map<string, TorchType>([
  ...dtypes.map((d): [string, TorchType] => [d.name, { name: d.name, itemsize: d.itemsize, dtype: d }]),
  ...FOREIGN.map(([name, itemsize, perByte]): [string, TorchType] => [
    name,
    { name, itemsize, dtype: null, ...(perByte !== undefined && { perByte }) },
  ]),
]);

const foreign = new Map<string, DType>();

/** The one DType object of a type that no op computes with: a value that can be compared, printed and saved. */
export function dtypeOf(type: TorchType): DType {
  if (type.dtype) return type.dtype;
  const { name, itemsize } = type;
  const known = foreign.get(name);
  if (known) return known;
  const isComplex = name.startsWith('complex');
  const isFloat = name.startsWith('float');
  const made = new DType(name, NO_CODE, itemsize, isFloat, isComplex, isFloat || isComplex || name.startsWith('q'));
  foreign.set(name, made);
  return made;
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
