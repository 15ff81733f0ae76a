// PyTorch's older names of types, which were classes of tensors once.
import { type DType, dtypes } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';

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

/**
 * The type that an older name stands for.
 * @throws RuntimeError for a name that is none of a tensor on the CPU.
 */
export function dtypeOfTensorType(name: string): DType {
  const found = dtypes.find((d) => tensorTypeName(d, 'cpu') === name);
  if (found === undefined) throw new RuntimeError(`invalid type: '${name}'`);
  return found;
}
