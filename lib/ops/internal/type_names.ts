// The names of types in PyTorch's messages: the older ones, which were classes of tensors once, and those of C++.
import { type DType, dtypes } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';

const NAMES: Readonly<Record<string, string>> = {
  float32: 'Float',
  float64: 'Double',
  float16: 'Half',
  bfloat16: 'BFloat16',
  uint8: 'Byte',
  int8: 'Char',
  int16: 'Short',
  int32: 'Int',
  int64: 'Long',
  bool: 'Bool',
  complex64: 'ComplexFloat',
  complex128: 'ComplexDouble',
};

/** The older name of a kind of tensor: `torch.FloatTensor`, `torch.meta.FloatTensor`. */
export function tensorTypeName(dtype: DType, device: string): string {
  return `torch.${device === 'cpu' ? '' : `${device}.`}${NAMES[dtype.name] ?? dtype.name}Tensor`;
}

/** The name of a tensor on the CPU in checks of arguments: the older one, for types that are not younger than such names. */
export function checkedName(dtype: DType): string {
  const young = dtype.isComplex || dtype.name === 'bool' || dtype.name === 'bfloat16';
  return young ? `CPU${NAMES[dtype.name]}Type` : tensorTypeName(dtype, 'cpu');
}

/**
 * The type that an older name stands for.
 * @throws RuntimeError for a name that is none of a tensor on the CPU.
 */
export function dtypeOfTensorType(name: string): DType {
  const found = dtypes.find((d) => tensorTypeName(d, 'cpu') === name);
  if (found === undefined) throw new RuntimeError(`invalid type: '${name}'`);
  return found;
}

const CPP_NAMES: Readonly<Record<string, string>> = {
  float32: 'float',
  float64: 'double',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  uint8: 'unsigned char',
  int8: 'signed char',
  int16: 'short int',
  int32: 'int',
  int64: 'long int',
  complex64: 'c10::complex<float>',
  complex128: 'c10::complex<double>',
};
/** What C++ calls the elements of a tensor: `long int`. */
export function cppName(dtype: DType): string {
  return CPP_NAMES[dtype.name] ?? dtype.name;
}

/**
 * What a kernel for fractions alone says to other types.
 * @throws RuntimeError if the tensor is not of floating point.
 */
export function checkFloating(kernel: string, x: Tensor): void {
  if (!x.dtype.isFloatingPoint) throw new RuntimeError(`"${kernel}" not implemented for '${x.dtype.scalarName}'`);
}
