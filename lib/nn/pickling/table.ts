// PyTorch's classes of torch.nn: where each is defined, and the settings that its objects have beside parameters, buffers and
// submodules, in the order of its constructor. This is the one place that names them.
import * as containers from '../containers/index.js';
import { Module } from '../module.js';
import * as layers from '../modules/index.js';
import { NonDynamicallyQuantizableLinear } from '../modules/linear.js';
import { type Attribute, attributes } from './kinds.js';

/** A class that can be rebuilt. */
export interface Row {
  /** The full name in Python. */
  readonly name: string;
  readonly Class: { readonly name: string; readonly prototype: Module };
  readonly attributes: readonly Attribute[];
}

const INPLACE = 'inplace bool=False';
const CONV =
  'in_channels int, out_channels int, kernel_size tuple, stride tuple, padding padding, dilation tuple, transposed bool, ' +
  "output_padding tuple, groups int, padding_mode str='zeros'";
const NORM = 'num_features int, eps float, momentum float?, affine bool, track_running_stats bool=True';
const MAX_POOL =
  'kernel_size ints, stride ints, padding ints=0, dilation ints=1, return_indices bool=False, ceil_mode bool=False';
const AVG_POOL = 'kernel_size ints, stride ints, padding ints=0, ceil_mode bool=False, count_include_pad bool=True';
const AVG_POOL_ND = `${AVG_POOL}, divisor_override int?=None`;
const UNPOOL = 'kernel_size tuple, stride tuple, padding tuple';
const LP_POOL = 'norm_type float, kernel_size ints, stride ints?, ceil_mode bool';
const FRACTIONAL = 'kernel_size tuple, return_indices bool, output_size tuple?, output_ratio floats?';
const ADAPTIVE = 'output_size ints?';
const ADAPTIVE_MAX = `${ADAPTIVE}, return_indices bool`;
const PAD = 'padding tuple';
const CONSTANT_PAD = 'padding tuple, value float';
const ZERO_PAD = 'padding tuple, value float';
const LOSS = "reduction str='mean'";
const RNN =
  'mode str, input_size int, hidden_size int, num_layers int, bias bool, batch_first bool, dropout float, ' +
  'bidirectional bool, proj_size int=0';
const CELL = 'input_size int, hidden_size int, bias bool';
const UPSAMPLE =
  'size ints?, scale_factor floats?, mode str, align_corners bool?=None, recompute_scale_factor bool?=None';
const DROPOUT = `p float, ${INPLACE}`;
const TRANSFORMER_LAYER = 'norm_first bool=False, activation function';

/** Settings by the module of PyTorch that defines the class, and the class's name. */
const SETTINGS: Record<string, Record<string, string>> = {
  module: { Module: '' },
  container: { Sequential: '', ModuleList: '', ModuleDict: '', ParameterList: '', ParameterDict: '' },
  linear: {
    Identity: '',
    Linear: 'in_features int, out_features int',
    NonDynamicallyQuantizableLinear: 'in_features int, out_features int',
    LazyLinear: 'in_features int, out_features int',
    Bilinear: 'in1_features int, in2_features int, out_features int',
  },
  conv: {
    Conv1d: CONV,
    Conv2d: CONV,
    Conv3d: CONV,
    ConvTranspose1d: CONV,
    ConvTranspose2d: CONV,
    ConvTranspose3d: CONV,
    LazyConv1d: CONV,
    LazyConv2d: CONV,
    LazyConv3d: CONV,
    LazyConvTranspose1d: CONV,
    LazyConvTranspose2d: CONV,
    LazyConvTranspose3d: CONV,
  },
  batchnorm: {
    BatchNorm1d: NORM,
    BatchNorm2d: NORM,
    BatchNorm3d: NORM,
    SyncBatchNorm: `${NORM}, process_group nothing?=None`,
    LazyBatchNorm1d: NORM,
    LazyBatchNorm2d: NORM,
    LazyBatchNorm3d: NORM,
  },
  instancenorm: {
    InstanceNorm1d: NORM,
    InstanceNorm2d: NORM,
    InstanceNorm3d: NORM,
    LazyInstanceNorm1d: NORM,
    LazyInstanceNorm2d: NORM,
    LazyInstanceNorm3d: NORM,
  },
  normalization: {
    LayerNorm: 'normalized_shape tuple, eps float, elementwise_affine bool',
    RMSNorm: 'normalized_shape tuple, eps float?, elementwise_affine bool',
    GroupNorm: 'num_groups int, num_channels int, eps float, affine bool',
    LocalResponseNorm: 'size int, alpha float, beta float, k float',
    CrossMapLRN2d: 'size int, alpha float, beta float, k float',
  },
  activation: {
    Threshold: `threshold float, value float, ${INPLACE}`,
    ReLU: INPLACE,
    RReLU: `lower float, upper float, ${INPLACE}`,
    Hardtanh: `min_val float, max_val float, ${INPLACE}`,
    ReLU6: `min_val float=0, max_val float=6, ${INPLACE}`,
    Sigmoid: '',
    Hardsigmoid: INPLACE,
    Tanh: '',
    SiLU: INPLACE,
    Mish: INPLACE,
    Hardswish: INPLACE,
    ELU: `alpha float, ${INPLACE}`,
    CELU: `alpha float, ${INPLACE}`,
    SELU: INPLACE,
    GLU: 'dim int',
    GELU: "approximate str='none'",
    Hardshrink: 'lambd float',
    LeakyReLU: `negative_slope float, ${INPLACE}`,
    LogSigmoid: '',
    Softplus: 'beta float, threshold float',
    Softshrink: 'lambd float',
    MultiheadAttention:
      'embed_dim int, kdim int, vdim int, num_heads int, dropout float, batch_first bool=False, head_dim int, add_zero_attn bool',
    PReLU: 'num_parameters int, init float=0.25',
    Softsign: '',
    Tanhshrink: '',
    Softmin: 'dim int?=None',
    Softmax: 'dim int?=None',
    Softmax2d: '',
    LogSoftmax: 'dim int?=None',
  },
  adaptive: {
    AdaptiveLogSoftmaxWithLoss:
      'in_features int, n_classes int, cutoffs list, div_value float, head_bias bool, shortlist_size int, n_clusters int, ' +
      'head_size int',
  },
  dropout: {
    Dropout: DROPOUT,
    Dropout1d: DROPOUT,
    Dropout2d: DROPOUT,
    Dropout3d: DROPOUT,
    AlphaDropout: DROPOUT,
    FeatureAlphaDropout: DROPOUT,
  },
  pooling: {
    MaxPool1d: MAX_POOL,
    MaxPool2d: MAX_POOL,
    MaxPool3d: MAX_POOL,
    MaxUnpool1d: UNPOOL,
    MaxUnpool2d: UNPOOL,
    MaxUnpool3d: UNPOOL,
    AvgPool1d: AVG_POOL,
    AvgPool2d: AVG_POOL_ND,
    AvgPool3d: AVG_POOL_ND,
    FractionalMaxPool2d: FRACTIONAL,
    FractionalMaxPool3d: FRACTIONAL,
    LPPool1d: LP_POOL,
    LPPool2d: LP_POOL,
    LPPool3d: LP_POOL,
    AdaptiveMaxPool1d: ADAPTIVE_MAX,
    AdaptiveMaxPool2d: ADAPTIVE_MAX,
    AdaptiveMaxPool3d: ADAPTIVE_MAX,
    AdaptiveAvgPool1d: ADAPTIVE,
    AdaptiveAvgPool2d: ADAPTIVE,
    AdaptiveAvgPool3d: ADAPTIVE,
  },
  padding: {
    CircularPad1d: PAD,
    CircularPad2d: PAD,
    CircularPad3d: PAD,
    ConstantPad1d: CONSTANT_PAD,
    ConstantPad2d: CONSTANT_PAD,
    ConstantPad3d: CONSTANT_PAD,
    ReflectionPad1d: PAD,
    ReflectionPad2d: PAD,
    ReflectionPad3d: PAD,
    ReplicationPad1d: PAD,
    ReplicationPad2d: PAD,
    ReplicationPad3d: PAD,
    ZeroPad1d: ZERO_PAD,
    ZeroPad2d: ZERO_PAD,
    ZeroPad3d: ZERO_PAD,
  },
  sparse: {
    Embedding:
      'num_embeddings int, embedding_dim int, padding_idx int?, max_norm float?, norm_type float, scale_grad_by_freq bool, ' +
      'sparse bool',
    EmbeddingBag:
      'num_embeddings int, embedding_dim int, max_norm float?, norm_type float, scale_grad_by_freq bool, ' +
      'padding_idx int?=None, mode str, sparse bool, include_last_offset bool=False',
  },
  rnn: {
    RNNBase: RNN,
    RNN: `nonlinearity str='tanh', ${RNN}`,
    LSTM: RNN,
    GRU: RNN,
    RNNCellBase: CELL,
    RNNCell: `${CELL}, nonlinearity str='tanh'`,
    LSTMCell: CELL,
    GRUCell: CELL,
  },
  transformer: {
    Transformer: 'd_model int, nhead int, batch_first bool=False',
    TransformerEncoder:
      'num_layers int, enable_nested_tensor bool=True, use_nested_tensor bool=False, mask_check bool=True',
    TransformerDecoder: 'num_layers int',
    TransformerEncoderLayer: TRANSFORMER_LAYER,
    TransformerDecoderLayer: TRANSFORMER_LAYER,
  },
  flatten: { Flatten: 'start_dim int, end_dim int', Unflatten: 'dim sizes, unflattened_size sizes' },
  fold: {
    Fold: 'output_size ints, kernel_size ints, dilation ints, padding ints, stride ints',
    Unfold: 'kernel_size ints, dilation ints, padding ints, stride ints',
  },
  pixelshuffle: { PixelShuffle: 'upscale_factor int', PixelUnshuffle: 'downscale_factor int' },
  channelshuffle: { ChannelShuffle: 'groups int' },
  upsampling: { Upsample: UPSAMPLE, UpsamplingNearest2d: UPSAMPLE, UpsamplingBilinear2d: UPSAMPLE },
  distance: { PairwiseDistance: 'norm float, eps float, keepdim bool', CosineSimilarity: 'dim int, eps float' },
  loss: {
    L1Loss: LOSS,
    NLLLoss: `${LOSS}, ignore_index int`,
    NLLLoss2d: `${LOSS}, ignore_index int`,
    PoissonNLLLoss: `${LOSS}, log_input bool, full bool, eps float`,
    GaussianNLLLoss: `${LOSS}, full bool, eps float`,
    KLDivLoss: `${LOSS}, log_target bool=False`,
    MSELoss: LOSS,
    BCELoss: LOSS,
    BCEWithLogitsLoss: LOSS,
    HingeEmbeddingLoss: `${LOSS}, margin float`,
    MultiLabelMarginLoss: LOSS,
    SmoothL1Loss: `${LOSS}, beta float=1`,
    HuberLoss: `${LOSS}, delta float`,
    SoftMarginLoss: LOSS,
    CrossEntropyLoss: `${LOSS}, ignore_index int, label_smoothing float=0`,
    MultiLabelSoftMarginLoss: LOSS,
    CosineEmbeddingLoss: `${LOSS}, margin float`,
    MarginRankingLoss: `${LOSS}, margin float`,
    MultiMarginLoss: `${LOSS}, p int, margin float`,
    TripletMarginLoss: `${LOSS}, margin float, p float, eps float, swap bool`,
    TripletMarginWithDistanceLoss: `${LOSS}, distance_function! function, margin float, swap bool`,
    CTCLoss: `${LOSS}, blank int, zero_infinity bool`,
  },
};

interface Rows {
  readonly byName: ReadonlyMap<string, Row>;
  readonly byPrototype: ReadonlyMap<object, Row>;
}

let rows: Rows | undefined;

/** The rows as maps, made when the first file asks for them: loading the library need not wait. */
function read(): Rows {
  const all = { ...containers, ...layers, NonDynamicallyQuantizableLinear, Module };
  const classes = all as unknown as Record<string, Row['Class']>;
  const byName = new Map<string, Row>();
  const byPrototype = new Map<object, Row>();
  for (const [file, settings] of Object.entries(SETTINGS)) {
    for (const [className, text] of Object.entries(settings)) {
      const Class = classes[className]!;
      const row: Row = { name: `torch.nn.modules.${file}.${className}`, Class, attributes: attributes(text) };
      byPrototype.set(Class.prototype, row);
      byName.set(row.name, row);
    }
  }
  const attentionOutput = byPrototype.get(NonDynamicallyQuantizableLinear.prototype)!;
  // Its name until version 1.8.
  byName.set('torch.nn.modules.linear._LinearWithBias', attentionOutput);
  return { byName, byPrototype };
}

/** All rows by their name in Python, older names included. */
export function rowsByName(): ReadonlyMap<string, Row> {
  return (rows ??= read()).byName;
}

/** All rows by their class's prototype. */
export function rowsByPrototype(): ReadonlyMap<object, Row> {
  return (rows ??= read()).byPrototype;
}

/** The row of a module's class, or of the nearest class above it that has one. */
export function rowOf(prototype: object): Row {
  const known = rowsByPrototype();
  for (let at: object | null = prototype; at; at = Object.getPrototypeOf(at) as object | null) {
    const row = known.get(at);
    if (row) return row;
  }
  return known.get(Module.prototype)!;
}
