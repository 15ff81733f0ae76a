// torch.nn.functional
export {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from '../../ops/conv.js';
export {
  celu,
  celu_,
  elu,
  elu_,
  gelu,
  glu,
  gumbelSoftmax,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  hardtanh_,
  leakyRelu,
  leakyRelu_,
  logSoftmax,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu6,
  relu_,
  rrelu,
  rrelu_,
  selu,
  selu_,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
  threshold_,
} from './activation.js';
export { scaledDotProductAttention } from './attention.js';
export { ctcLoss } from './ctc.js';
export { cosineSimilarity, normalize, pairwiseDistance, pdist } from './distance.js';
export {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from './dropout.js';
export { embedding, embeddingBag, oneHot } from './embedding.js';
export { fold, unfold } from './fold.js';
export { affineGrid, gridSample } from './grid_sample.js';
export { interpolate, upsample, upsampleBilinear, upsampleNearest } from './interpolate.js';
export { bilinear, convTbc, linear } from './linear.js';
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  gaussianNllLoss,
  klDiv,
  multilabelSoftMarginLoss,
  poissonNllLoss,
  softMarginLoss,
} from './loss_binary.js';
export { crossEntropy, linearCrossEntropy, nllLoss } from './loss_class.js';
export { huberLoss, l1Loss, mseLoss, smoothL1Loss } from './loss_difference.js';
export {
  cosineEmbeddingLoss,
  type Distance,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multiMarginLoss,
  multilabelMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from './loss_margin.js';
export { multiHeadAttentionForward } from './multi_head.js';
export { batchNorm, groupNorm, instanceNorm, layerNorm, localResponseNorm, rmsNorm } from './normalization.js';
export { pad } from './padding.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3d,
  fractionalMaxPool3dWithIndices,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from './pooling.js';
export type { Reduction } from './reduction.js';
export { channelShuffle, nativeChannelShuffle, pixelShuffle, pixelUnshuffle } from './vision.js';
