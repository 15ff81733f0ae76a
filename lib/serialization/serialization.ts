// torch.serialization: what PyTorch keeps under that name, and saving to memory.
export { addSafeGlobals, clearSafeGlobals, getSafeGlobals, safeGlobals } from './safe_globals.js';
export type { SafeGlobal, SafeGlobalEntry } from './safe_globals.js';
export { Complex, PythonGlobal, PythonObject } from './python.js';
export { type ArrayFile, openArray } from './array_file.js';
export { type FileReport, verifyFile } from './verify.js';
export { saveNumpy } from './numpy.js';
export { OpaqueTensor } from './opaque_tensor.js';
export { QuantizedTensor } from './quantized_tensor.js';
export { type SaveOptions, saveToBytes } from './save.js';
export { type CompressedLayout, SparseCompressedTensor, SparseTensor } from './sparse_tensor.js';
export { StoredTensor } from './stored_tensor.js';
export { getUnsafeGlobalsInCheckpoint, inspectFile } from './inspect.js';
export type { FileFormat, FileListing } from './inspect.js';
export type { TensorListing } from './listed_tensors.js';
export { load, type LoadOptions } from './load.js';
export { save } from './save.js';
export type { MapLocation } from './storage_loader.js';
export type { FileLike } from './bytes.js';
