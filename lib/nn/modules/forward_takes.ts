// What the layers take, for the errors of calls that failed (see forward_errors.ts). The transformers and MultiheadAttention
// are not here: their many optional arguments make them look before they compute.
import { type Signature, signature } from '../../ops/signature.js';
import { forwardTakes } from '../forward_errors.js';
import type { Module } from '../module.js';
import { PackedSequence } from '../utils/rnn.js';
import * as layers from './index.js';

const packed = new Map<string, Signature>();
/** A recurrent layer takes a tensor or a PackedSequence. */
const sequence = (state: string) => {
  const padded = signature(`forward(Tensor input, ${state} hx=None)`);
  packed.set(state, signature(`forward(any input, ${state} hx=None)`));
  return (args: readonly unknown[]): Signature => (args[0] instanceof PackedSequence ? packed.get(state)! : padded);
};
const PAIR = 'Tensor input, Tensor target';
const VECTORS = 'Tensor x1, Tensor x2';
const TRIPLET = 'Tensor anchor, Tensor positive, Tensor negative';
const UNPOOL = 'Tensor input, Tensor indices, any[]? outputSize=None';
const TRANSPOSED = 'Tensor input, any[]? outputSize=None';

type Takes = string | ((args: readonly unknown[]) => Signature);
const OTHERS: Partial<Record<keyof typeof layers, Takes>> = {
  ...{ Bilinear: 'Tensor input1, Tensor input2', CosineSimilarity: VECTORS, PairwiseDistance: VECTORS },
  ...{ L1Loss: PAIR, MSELoss: PAIR, SmoothL1Loss: PAIR, HuberLoss: PAIR, NLLLoss: PAIR, CrossEntropyLoss: PAIR },
  ...{ BCELoss: PAIR, BCEWithLogitsLoss: PAIR, MultiLabelSoftMarginLoss: PAIR, KLDivLoss: PAIR, SoftMarginLoss: PAIR },
  ...{ HingeEmbeddingLoss: PAIR, MultiLabelMarginLoss: PAIR, MultiMarginLoss: PAIR, AdaptiveLogSoftmaxWithLoss: PAIR },
  PoissonNLLLoss: 'Tensor logInput, Tensor target',
  GaussianNLLLoss: 'Tensor input, Tensor target, Tensor|Scalar variance',
  MarginRankingLoss: 'Tensor input1, Tensor input2, Tensor target',
  CosineEmbeddingLoss: 'Tensor input1, Tensor input2, Tensor target',
  ...{ TripletMarginLoss: TRIPLET, TripletMarginWithDistanceLoss: TRIPLET },
  CTCLoss: 'Tensor logProbs, Tensor targets, any inputLengths, any targetLengths',
  ...{ MaxUnpool1d: UNPOOL, MaxUnpool2d: UNPOOL, MaxUnpool3d: UNPOOL },
  ...{ ConvTranspose1d: TRANSPOSED, ConvTranspose2d: TRANSPOSED, ConvTranspose3d: TRANSPOSED },
  EmbeddingBag: 'Tensor input, Tensor? offsets=None, Tensor? perSampleWeights=None',
  ...{ RNN: sequence('Tensor?'), GRU: sequence('Tensor?'), LSTM: sequence('Tensor[]?') },
  ...{ RNNCell: 'Tensor input, Tensor? hx=None', GRUCell: 'Tensor input, Tensor? hx=None' },
  LSTMCell: 'Tensor input, Tensor[]? hx=None',
  Identity: 'any input',
};
/** Layers that look themselves, or that have no `forward`. */
const LOOK_THEMSELVES = /^Transformer|^MultiheadAttention$|Base$/;
/** Layers that compute with their weight whatever it is; normalisation can do without. */
const WEIGHTED = /Linear|Conv|Embedding|PReLU|RNN|GRU|LSTM/;

for (const [name, { prototype }] of Object.entries(layers) as [keyof typeof layers, { prototype: Module }][]) {
  // What a class inherits is said where it is written, if that class is a layer too.
  const { forward } = prototype;
  const own = Object.hasOwn(prototype, 'forward') || !(Object.getPrototypeOf(prototype).constructor.name in layers);
  if (!own || LOOK_THEMSELVES.test(name)) continue;
  forwardTakes(forward, OTHERS[name] ?? 'Tensor input', WEIGHTED.test(name) ? ['weight'] : []);
}
