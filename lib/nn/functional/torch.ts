// The functions of this folder that are functions of `torch` as well.
export { celu_, rrelu, rrelu_, selu_, threshold_ } from './activation.js';
export { ctcLoss } from './ctc.js';
export { cosineSimilarity, pairwiseDistance, pdist } from './distance.js';
export { bilinear, convTbc } from './linear.js';
export { rmsNorm } from './normalization.js';
export { channelShuffle, nativeChannelShuffle, pixelShuffle, pixelUnshuffle } from './vision.js';
