// One layer of a transformer's encoder or decoder.
import { RuntimeError } from '../../core/errors.js';
import { add } from '../../ops/arithmetic.js';
import { bind, signature } from '../../ops/signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { gelu, relu } from '../functional/activation.js';
import { additiveMask } from '../functional/multi_head.js';
import { Module } from '../module.js';
import { ReLU } from './activation.js';
import { GELU } from './activation_parametric.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, settings } from './arguments.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { MultiheadAttention } from './multihead_attention.js';
import { LayerNorm } from './normalization.js';

/** 'relu', 'gelu', or any function of a tensor (a module, too). */
export type Activation = string | ((x: Tensor) => Tensor);

function activationOf(activation: Activation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return relu;
  if (activation === 'gelu') return gelu;
  throw new RuntimeError(`activation should be relu/gelu, not ${activation}`);
}

/** Whether it is relu or gelu, by name, function or module. */
function isReluOrGelu(activation: Activation): boolean {
  return (
    activation === 'relu' ||
    activation === 'gelu' ||
    activation === (relu as unknown) ||
    activation === (gelu as unknown) ||
    activation instanceof ReLU ||
    activation instanceof GELU
  );
}

type LayerArguments = [
  dModel: number,
  nhead: number,
  dimFeedforward: number,
  dropout: number,
  activation: Activation,
  layerNormEps: number,
  batchFirst: boolean,
  normFirst: boolean,
  bias: boolean,
  device: DeviceSetting,
  dtype: DTypeSetting,
];
type LayerText =
  "Layer(int dModel, int nhead, int dimFeedforward=2048, float dropout=0.1, any activation='relu', float layerNormEps=1e-05, bool batchFirst=False, bool normFirst=False, bool bias=True, Device? device=None, ScalarType? dtype=None)";
const layerSettings = (name: string) =>
  settings<LayerArguments>()(
    `${name}(int dModel, int nhead, int dimFeedforward=2048, float dropout=0.1, any activation='relu', float layerNormEps=1e-05, bool batchFirst=False, bool normFirst=False, bool bias=True, Device? device=None, ScalarType? dtype=None)` as LayerText,
  );
export type TransformerLayerArgumentList = ArgumentsOf<ReturnType<typeof layerSettings>>;

const encoderForward = signature(
  'forward(Tensor src, Tensor? srcMask=None, Tensor? srcKeyPaddingMask=None, bool isCausal=False)',
);
/** What an encoder layer takes by name. */
export interface EncoderLayerOptions {
  /** [S, S] or [N heads, S, S]: true (or minus infinity) where attending is not allowed. */
  srcMask?: Tensor | null;
  /** [N, S] or [S]: true (or minus infinity) where the source is to be ignored. */
  srcKeyPaddingMask?: Tensor | null;
  /** A hint that srcMask is the causal mask. */
  isCausal?: boolean;
}

/** An activation that is a function is a plain attribute; one that is a module is a submodule. */
type Call = (x: Tensor) => Tensor;

/**
 * Self-attention, then a feed-forward network of two linear layers, each with a residual and a normalisation
 * (https://arxiv.org/abs/1706.03762): x = norm1(x + attend(x)), y = norm2(x + linear2(activation(linear1(x)))); with `normFirst`
 * x = x + attend(norm1(x)), y = x + feed(norm2(x)). Dropout acts on every part in training.
 * Input [S, N, dModel] ([N, S, dModel] with `batchFirst`, or [S, dModel]) to the same shape.
 * Modules: `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`, `dropout`, `dropout1`, `dropout2`.
 */
export class TransformerEncoderLayer extends Module {
  declare self_attn: MultiheadAttention;
  declare linear1: Linear;
  declare dropout: Dropout;
  declare linear2: Linear;
  declare norm1: LayerNorm;
  declare norm2: LayerNorm;
  declare dropout1: Dropout;
  declare dropout2: Dropout;
  normFirst: boolean;
  declare activation: Call;

  /**
   * @param args dModel: features; nhead: heads of the attention; dimFeedforward (default 2048): features between the linear
   *   layers; dropout (default 0.1); activation (default 'relu'; 'gelu', or a function or module); layerNormEps (default 1e-5);
   *   batchFirst (default false): whether the batch comes first; normFirst (default false); bias (default true): of linear
   *   layers and normalisations; device, dtype (default null: the default ones): of the parameters.
   * @throws RuntimeError for an unknown activation or an nhead that does not divide dModel; TypeError
   *   for arguments that do not fit.
   */
  constructor(...args: TransformerLayerArgumentList) {
    super();
    const [dModel, nhead, width, p, activation, eps, batchFirst, normFirst, bias, device, dtype] =
      layerSettings('TransformerEncoderLayer')(args);
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst, device, dtype });
    this.linear1 = new Linear(dModel, width, { bias, device, dtype });
    this.dropout = new Dropout(p);
    this.linear2 = new Linear(width, dModel, { bias, device, dtype });
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, bias, device, dtype });
    this.norm2 = new LayerNorm(dModel, { eps, bias, device, dtype });
    this.dropout1 = new Dropout(p);
    this.dropout2 = new Dropout(p);
    this.activation = activationOf(activation);
  }

  /** @internal Whether the activation is relu or gelu, which an encoder's fast path wants. */
  get reluOrGelu(): boolean {
    return isReluOrGelu(this.activation as unknown as Activation);
  }

  /**
   * @param src [S, N, dModel] ([N, S, dModel] with `batchFirst`, or [S, dModel])
   * @param args srcMask (default null; [S, S] or [N heads, S, S]: true where attending is not allowed, or numbers added to the
   *   scores), srcKeyPaddingMask (default null; [N, S] or [S]: true where a place is ignored), isCausal (default false).
   * @returns src's shape
   * @throws RuntimeError for sizes or masks that do not fit.
   */
  override forward(
    src: Tensor,
    ...args:
      | [srcMask?: Tensor | null, srcKeyPaddingMask?: Tensor | null, isCausal?: boolean]
      | [options: EncoderLayerOptions]
  ): Tensor {
    const [, srcMask, srcPadding, isCausal] = bind(encoderForward, [src, ...args]) as [
      Tensor,
      Tensor | null,
      Tensor | null,
      boolean,
    ];
    const padding = additiveMask(srcPadding, 'src_key_padding_mask', srcMask, 'src_mask', src);
    const mask = additiveMask(srcMask, 'src_mask', null, '', src);
    if (this.normFirst) {
      const x = add.impl(src, this._attend(this.norm1(src), mask, padding, isCausal), 1);
      return add.impl(x, this._feed(this.norm2(x)), 1);
    }
    const x = this.norm1(add.impl(src, this._attend(src, mask, padding, isCausal), 1));
    return this.norm2(add.impl(x, this._feed(x), 1));
  }

  /** @internal */
  _attend(x: Tensor, attnMask: Tensor | null, keyPaddingMask: Tensor | null, isCausal: boolean): Tensor {
    return this.dropout1(this.self_attn(x, x, x, { attnMask, keyPaddingMask, needWeights: false, isCausal })[0]);
  }

  /** @internal */
  _feed(x: Tensor): Tensor {
    return this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

const decoderForward = signature(
  'forward(Tensor tgt, Tensor memory, Tensor? tgtMask=None, Tensor? memoryMask=None, Tensor? tgtKeyPaddingMask=None, Tensor? memoryKeyPaddingMask=None, bool tgtIsCausal=False, bool memoryIsCausal=False)',
);
/** What a decoder layer takes by name; masks as for the encoder. */
export interface DecoderLayerOptions {
  tgtMask?: Tensor | null;
  memoryMask?: Tensor | null;
  tgtKeyPaddingMask?: Tensor | null;
  memoryKeyPaddingMask?: Tensor | null;
  tgtIsCausal?: boolean;
  memoryIsCausal?: boolean;
}

/**
 * Self-attention, attention to the encoder's result and a feed-forward network, each with a residual and a normalisation, after
 * or (with `normFirst`) before it (https://arxiv.org/abs/1706.03762).
 * Input tgt [T, N, dModel] and memory [S, N, dModel] ([N, T, dModel] .. with `batchFirst`, or without N) to tgt's shape.
 * Modules: `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1` to `norm3`, `dropout`, `dropout1` to `dropout3`.
 */
export class TransformerDecoderLayer extends Module {
  declare self_attn: MultiheadAttention;
  declare multihead_attn: MultiheadAttention;
  declare linear1: Linear;
  declare dropout: Dropout;
  declare linear2: Linear;
  declare norm1: LayerNorm;
  declare norm2: LayerNorm;
  declare norm3: LayerNorm;
  declare dropout1: Dropout;
  declare dropout2: Dropout;
  declare dropout3: Dropout;
  normFirst: boolean;
  declare activation: Call;

  /**
   * @param args as for `TransformerEncoderLayer`: dModel, nhead; dimFeedforward (default 2048), dropout (0.1), activation
   *   ('relu'), layerNormEps (1e-5), batchFirst (false), normFirst (false), bias (true), device, dtype (null).
   * @throws RuntimeError for an unknown activation or an nhead that does not divide dModel; TypeError
   *   for arguments that do not fit.
   */
  constructor(...args: TransformerLayerArgumentList) {
    super();
    const [dModel, nhead, width, p, activation, eps, batchFirst, normFirst, bias, device, dtype] =
      layerSettings('TransformerDecoderLayer')(args);
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst, device, dtype });
    this.multihead_attn = new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst, device, dtype });
    this.linear1 = new Linear(dModel, width, { bias, device, dtype });
    this.dropout = new Dropout(p);
    this.linear2 = new Linear(width, dModel, { bias, device, dtype });
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps, bias, device, dtype });
    this.norm2 = new LayerNorm(dModel, { eps, bias, device, dtype });
    this.norm3 = new LayerNorm(dModel, { eps, bias, device, dtype });
    this.dropout1 = new Dropout(p);
    this.dropout2 = new Dropout(p);
    this.dropout3 = new Dropout(p);
    this.activation = activationOf(activation);
  }

  /**
   * @param tgt [T, N, dModel] ([N, T, dModel] with `batchFirst`, or [T, dModel])
   * @param memory the encoder's result, [S, N, dModel] laid out alike.
   * @param args tgtMask ([T, T] or [N heads, T, T]), memoryMask ([T, S] or [N heads, T, S]), tgtKeyPaddingMask ([N, T]),
   *   memoryKeyPaddingMask ([N, S]), all null by default: true where attending is not allowed, or numbers added to the scores;
   *   tgtIsCausal, memoryIsCausal (default false): hints that the masks are causal.
   * @returns tgt's shape
   * @throws RuntimeError for sizes or masks that do not fit.
   */
  override forward(
    tgt: Tensor,
    memory: Tensor,
    ...args:
      | [
          tgtMask?: Tensor | null,
          memoryMask?: Tensor | null,
          tgtKeyPaddingMask?: Tensor | null,
          memoryKeyPaddingMask?: Tensor | null,
          tgtIsCausal?: boolean,
          memoryIsCausal?: boolean,
        ]
      | [options: DecoderLayerOptions]
  ): Tensor {
    const [, , tgtMask, memoryMask, tgtPadding, memoryPadding, tgtCausal, memoryCausal] = bind(decoderForward, [
      tgt,
      memory,
      ...args,
    ]) as [Tensor, Tensor, Tensor | null, Tensor | null, Tensor | null, Tensor | null, boolean, boolean];
    const own = (x: Tensor): Tensor =>
      this.dropout1(
        this.self_attn(x, x, x, {
          attnMask: tgtMask,
          keyPaddingMask: tgtPadding,
          needWeights: false,
          isCausal: tgtCausal,
        })[0],
      );
    const other = (x: Tensor): Tensor =>
      this.dropout2(
        this.multihead_attn(x, memory, memory, {
          attnMask: memoryMask,
          keyPaddingMask: memoryPadding,
          needWeights: false,
          isCausal: memoryCausal,
        })[0],
      );
    const feed = (x: Tensor): Tensor => this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
    if (this.normFirst) {
      const a = add.impl(tgt, own(this.norm1(tgt)), 1);
      const b = add.impl(a, other(this.norm2(a)), 1);
      return add.impl(b, feed(this.norm3(b)), 1);
    }
    const a = this.norm1(add.impl(tgt, own(tgt), 1));
    const b = this.norm2(add.impl(a, other(a), 1));
    return this.norm3(add.impl(b, feed(b), 1));
  }
}
