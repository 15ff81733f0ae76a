// torch.nn.utils
export * as rnn from './rnn.js';
export { skipInit } from '../init_skip.js';
export { clipGradNorm, clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip_grad.js';
export { parametersToVector, vectorToParameters } from './convert_parameters.js';
export { fuseConvBnEval, fuseConvBnWeights, fuseLinearBnEval, fuseLinearBnWeights } from './fusion.js';
export { convertConv2dWeightMemoryFormat, convertConv3dWeightMemoryFormat } from './memory_format.js';
export * as parametrizations from './parametrizations.js';
export * as parametrize from './parametrize.js';
export * as prune from './prune.js';
export { removeSpectralNorm, spectralNorm } from './spectral_norm.js';
export * as stateless from './stateless.js';
export { removeWeightNorm, weightNorm } from './weight_norm.js';
