// Values in files: PyTorch's own format, safetensors and NumPy's.
export { load, type LoadOptions } from './load.js';
export { loadSharded, type LoadShardedOptions } from './load_sharded.js';
export { save, type SaveOptions } from './save.js';
export { saveAsync, type SaveAsyncOptions } from './save_async.js';
export { saveSharded, type SaveShardedOptions } from './save_sharded.js';
export { fromNumpy, toNumpy } from './numpy.js';
export { inspectFile } from './inspect.js';
export type { FileFormat, FileListing } from './inspect.js';
export type { TensorListing } from './listed_tensors.js';
export * as safetensors from './safetensors.js';
export * as serialization from './serialization.js';
