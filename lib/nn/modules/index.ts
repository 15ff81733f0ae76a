// The layers of torch.nn.
export {
  Hardsigmoid,
  Hardswish,
  LogSigmoid,
  Mish,
  ReLU,
  SELU,
  SiLU,
  Sigmoid,
  Softsign,
  Tanh,
  Tanhshrink,
} from './activation.js';
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  PReLU,
  RReLU,
  ReLU6,
  Softmax,
  Softmax2d,
  Softmin,
  Softplus,
  Softshrink,
  Threshold,
} from './activation_parametric.js';
export { AdaptiveLogSoftmaxWithLoss } from './adaptive_softmax.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './batchnorm.js';
export { SyncBatchNorm } from './sync_batchnorm.js';
export { Conv1d, Conv2d, Conv3d } from './conv.js';
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './conv_transpose.js';
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout } from './dropout.js';
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from './instancenorm.js';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyConv1d,
  LazyConv2d,
  LazyConv3d,
  LazyConvTranspose1d,
  LazyConvTranspose2d,
  LazyConvTranspose3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
} from './lazy.js';
export { Bilinear, Identity, LazyLinear, Linear } from './linear.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MultiLabelSoftMarginLoss,
  NLLLoss,
  NLLLoss2d,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
} from './loss.js';
export {
  CTCLoss,
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiMarginLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './loss_margin.js';
export { MultiheadAttention } from './multihead_attention.js';
export { CrossMapLRN2d, GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm } from './normalization.js';
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from './padding.js';
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  LPPool1d,
  LPPool2d,
  LPPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
} from './pooling.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  FractionalMaxPool2d,
  FractionalMaxPool3d,
} from './pooling_adaptive.js';
export { GRU, LSTM, RNN, RNNBase } from './rnn.js';
export { GRUCell, LSTMCell, RNNCell, RNNCellBase } from './rnn_cell.js';
export {
  ChannelShuffle,
  CosineSimilarity,
  Flatten,
  Fold,
  PairwiseDistance,
  PixelShuffle,
  PixelUnshuffle,
  Unflatten,
  Unfold,
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from './shape.js';
export { Embedding, EmbeddingBag } from './sparse.js';
export { Transformer, TransformerDecoder, TransformerEncoder } from './transformer.js';
export { TransformerDecoderLayer, TransformerEncoderLayer } from './transformer_layers.js';
