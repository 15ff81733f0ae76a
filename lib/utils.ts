// torch.utils
export * as checkpoint from './utils/checkpoint.js';
export * as data from './data/index.js';
