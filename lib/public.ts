// Everything that the package exports by name.
import './ops/install.js';
import './ops/properties.js';
import './tensor/print.js';

export * as backends from './backends.js';
export * as autograd from './autograd/index.js';
export {
  enableGrad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
  setGradEnabled,
} from './autograd/mode.js';
export { Size, StateDict, Tuple } from './core/containers.js';
export { Device, type DeviceLike, device } from './core/device.js';
export {
  bfloat16,
  bool,
  complex64,
  complex64 as cfloat,
  complex128,
  complex128 as cdouble,
  DType,
  float16,
  float16 as half,
  float32,
  float32 as float,
  float64,
  float64 as double,
  getDefaultDtype,
  int8,
  int16,
  int16 as short,
  int32,
  int32 as int,
  int64,
  int64 as long,
  uint8,
} from './core/dtype.js';
export {
  bits1x8,
  bits2x4,
  bits4x2,
  bits8,
  bits16,
  complex32,
  complex32 as chalf,
  float4_e2m1fn_x2,
  float4_e2m1fn_x2 as float4E2m1fnX2,
  float8_e4m3fn,
  float8_e4m3fn as float8E4m3fn,
  float8_e4m3fnuz,
  float8_e4m3fnuz as float8E4m3fnuz,
  float8_e5m2,
  float8_e5m2 as float8E5m2,
  float8_e5m2fnuz,
  float8_e5m2fnuz as float8E5m2fnuz,
  float8_e8m0fnu,
  float8_e8m0fnu as float8E8m0fnu,
  qint8,
  qint32,
  quint2x4,
  quint4x2,
  quint8,
  int1,
  int2,
  int3,
  int4,
  int5,
  int6,
  int7,
  uint1,
  uint2,
  uint3,
  uint4,
  uint5,
  uint6,
  uint7,
  uint16,
  uint32,
  uint64,
} from './core/dtype_foreign.js';
export { RuntimeError } from './core/errors.js';
export * as fft from './fft/index.js';
export * from './fft/stft.js';
export * from './fft/windows.js';
export * as linalg from './linalg/index.js';
export * from './linalg/names.js';
export * as func from './func/index.js';
export { vmap } from './func/index.js';
export * as nn from './nn/index.js';
export { deepcopy } from './nn/module_copy.js';
export * as F from './nn/functional/index.js';
export * as masked from './masked/index.js';
export * from './nn/functional/torch.js';
export * from './nn/functional/torch_forms.js';
export * from './nn/functional/torch_losses.js';
export * from './nn/functional/torch_recurrent.js';
export * from './ops/functions.js';
export { openShared, type SharedTensor, shareTensor } from './ops/shared.js';
export * as optim from './optim/index.js';
export {
  fromNumpy,
  inspectFile,
  load,
  loadSharded,
  safetensors,
  save,
  saveAsync,
  saveSharded,
  serialization,
  toNumpy,
} from './serialization/index.js';
export * from './settings.js';
export * as signal from './signal/index.js';
export * as special from './special/index.js';
export type { ComplexNumber, Scalar } from './tensor/invoke.js';
export { keepTensor as keep, type MemoryStats, memoryStats, tidy } from './tensor/memory.js';
export { getPrintoptions, setPrintoptions } from './tensor/print.js';
export { type NestedArray, Tensor, type TypedArray } from './tensor/tensor.js';
export * from './torch.js';
export * as utils from './utils.js';
export { summary } from './utils/summary.js';
// Behind all that gives tensors methods.
import './nn/uninitialized.js';
