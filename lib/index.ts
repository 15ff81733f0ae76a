// The public index: `import torch, { nn, optim, F } from 'flambeau'`.
import * as torch from './public.js';

export * from './public.js';
/** Everything in one object, as PyTorch's `torch`. */
export default torch;
