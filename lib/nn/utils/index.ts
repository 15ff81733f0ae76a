// torch.nn.utils
export * as rnn from './rnn.js';
export { skipInit } from '../init_skip.js';
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip_grad.js';
export { parametersToVector, vectorToParameters } from './convert_parameters.js';
