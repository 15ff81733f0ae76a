// Transformers: stacks of layers, and the whole (https://arxiv.org/abs/1706.03762).
import { getDefaultDtype } from '../../core/dtype.js';
import { RuntimeError } from '../../core/errors.js';
import { full } from '../../ops/creation.js';
import { eq } from '../../ops/comparison.js';
import { bind, signature } from '../../ops/signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ModuleList } from '../containers/module_list.js';
import { additiveMask } from '../functional/multi_head.js';
import { xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import { deepcopy } from '../module_copy.js';
import { warn } from '../warn.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, settings } from './arguments.js';
import { LayerNorm } from './normalization.js';
import { encodePacked, packedLengths, packingObstacle } from './transformer_packed.js';
import {
  type Activation,
  type DecoderLayerOptions,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
} from './transformer_layers.js';

/** [n, n]: minus infinity above the diagonal, so that no place attends to a later one. */
function subsequentMask(n: number, dtype: DTypeSetting, device: DeviceSetting): Tensor {
  return full([n, n], -Infinity, { dtype: dtype ?? getDefaultDtype(), device }).triu(1);
}

/** Whether a mask is the causal one: as told, or found out. */
function isCausalMask(mask: Tensor | null, told: boolean | null, length: number): boolean {
  if (told !== null || mask === null) return told === true;
  if (mask.isMeta) return false;
  const causal = subsequentMask(length, mask.dtype.isFloatingPoint ? mask.dtype : null, mask.device);
  return mask.shape.join() === causal.shape.join() && eq.impl(mask, causal).all().item() === true;
}

/** The length of the sequences of [L, N, E], [N, L, E] or [L, E]. */
function lengthOf(x: Tensor, batchFirst: boolean): number {
  return x.shape[x.ndim === 2 ? 0 : batchFirst ? 1 : 0]!;
}

function batchFirstOf(layers: ModuleList): boolean {
  const { self_attn: attention } = layers.get(0) as TransformerEncoderLayer;
  return attention.batchFirst;
}

function copies(layer: Module, n: number): ModuleList {
  return new ModuleList(Array.from({ length: n }, () => deepcopy(layer)));
}

const encoderSettings = settings<
  [
    encoderLayer: TransformerEncoderLayer,
    numLayers: number,
    norm: Module | null,
    enableNestedTensor: boolean,
    maskCheck: boolean,
  ]
>()(
  'TransformerEncoder(function encoderLayer, int numLayers, function? norm=None, bool enableNestedTensor=True, bool maskCheck=True)',
);
const encoderForward = signature(
  'forward(Tensor src, Tensor? mask=None, Tensor? srcKeyPaddingMask=None, bool? isCausal=None)',
);
/** What an encoder takes by name; masks as for its layers, null by default. */
export interface EncoderOptions {
  mask?: Tensor | null;
  srcKeyPaddingMask?: Tensor | null;
  /** Whether the mask is the causal one; null finds out. */
  isCausal?: boolean | null;
}

/**
 * A stack of copies of an encoder layer, and a normalisation (https://arxiv.org/abs/1706.03762).
 * Input [S, N, E] ([N, S, E] or [S, E], as the layer takes it) to the same shape. Modules: `layers`, `norm`.
 */
export class TransformerEncoder extends Module {
  declare layers: ModuleList;
  numLayers: number;
  declare norm: Module | null;
  enableNestedTensor: boolean;
  /** Whether padded places may be left out: as asked for, and the layer is of a kind that allows it. */
  useNestedTensor: boolean;
  maskCheck: boolean;

  /**
   * @param args encoderLayer (copied), numLayers; norm (default null: a module for the end); enableNestedTensor (default true):
   *   in evaluation, without gradients and with srcKeyPaddingMask alone, padded places are left out of the work and are zero
   *   in the result (before the norm); maskCheck (default true): only where all padding is at the end.
   * @throws TypeError for arguments that do not fit; it warns where the layer does not allow enableNestedTensor.
   */
  constructor(...args: ArgumentsOf<typeof encoderSettings>) {
    super();
    const [layer, numLayers, norm, enableNestedTensor, maskCheck] = encoderSettings(args);
    this.layers = copies(layer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
    this.enableNestedTensor = enableNestedTensor;
    this.useNestedTensor = enableNestedTensor;
    const obstacle = packingObstacle(layer);
    if (enableNestedTensor && obstacle !== '') {
      warn(`enable_nested_tensor is True, but self.use_nested_tensor is False because ${obstacle}`);
      this.useNestedTensor = false;
    }
    this.maskCheck = maskCheck;
  }

  /**
   * @param src [S, N, E] ([N, S, E] or [S, E], as the layers take it)
   * @param args mask ([S, S] or [N heads, S, S]), srcKeyPaddingMask ([N, S] or [S]), both null by default; isCausal (default
   *   null: found out from the mask).
   * @returns src's shape
   * @throws RuntimeError for sizes or masks that do not fit.
   */
  override forward(
    src: Tensor,
    ...args:
      | [mask?: Tensor | null, srcKeyPaddingMask?: Tensor | null, isCausal?: boolean | null]
      | [options: EncoderOptions]
  ): Tensor {
    const [, given, givenPadding, told] = bind(encoderForward, [src, ...args]) as [
      Tensor,
      Tensor | null,
      Tensor | null,
      boolean | null,
    ];
    const srcKeyPaddingMask = additiveMask(givenPadding, 'src_key_padding_mask', given, 'mask', src);
    const srcMask = additiveMask(given, 'mask', null, '', src);
    const isCausal = isCausalMask(srcMask, told, lengthOf(src, batchFirstOf(this.layers)));
    const lengths =
      this.useNestedTensor && srcMask === null && srcKeyPaddingMask !== null
        ? packedLengths(this.layers, src, srcKeyPaddingMask, this.maskCheck)
        : null;
    let x = src;
    if (lengths !== null) x = encodePacked(this.layers, src, lengths);
    else {
      for (const layer of this.layers) {
        x = (layer as TransformerEncoderLayer)(x, { srcMask, isCausal, srcKeyPaddingMask });
      }
    }
    return this.norm === null ? x : (this.norm(x) as Tensor);
  }
}

const decoderSettings = settings<[decoderLayer: TransformerDecoderLayer, numLayers: number, norm: Module | null]>()(
  'TransformerDecoder(function decoderLayer, int numLayers, function? norm=None)',
);
const decoderForward = signature(
  'forward(Tensor tgt, Tensor memory, Tensor? tgtMask=None, Tensor? memoryMask=None, Tensor? tgtKeyPaddingMask=None, Tensor? memoryKeyPaddingMask=None, bool? tgtIsCausal=None, bool memoryIsCausal=False)',
);
/** What a decoder takes by name. */
export interface DecoderOptions extends Omit<DecoderLayerOptions, 'tgtIsCausal'> {
  /** Whether tgtMask is the causal one; null finds out. */
  tgtIsCausal?: boolean | null;
}

/**
 * A stack of copies of a decoder layer, and a normalisation (https://arxiv.org/abs/1706.03762).
 * Input tgt [T, N, E] and memory [S, N, E] (laid out as the layer takes them) to tgt's shape. Modules: `layers`, `norm`.
 */
export class TransformerDecoder extends Module {
  declare layers: ModuleList;
  numLayers: number;
  declare norm: Module | null;

  /**
   * @param args decoderLayer (copied), numLayers; norm (default null: a module for the end).
   * @throws TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof decoderSettings>) {
    super();
    const [layer, numLayers, norm] = decoderSettings(args);
    this.layers = copies(layer, numLayers);
    this.numLayers = numLayers;
    this.norm = norm;
  }

  /**
   * @param tgt [T, N, E] ([N, T, E] or [T, E], as the layers take it)
   * @param memory the encoder's result, [S, N, E] laid out alike.
   * @param args tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask (default null): as for `TransformerDecoderLayer`;
   *   tgtIsCausal (default null: found out from tgtMask), memoryIsCausal (default false).
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
          tgtIsCausal?: boolean | null,
          memoryIsCausal?: boolean,
        ]
      | [options: DecoderOptions]
  ): Tensor {
    const [, , tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, told, memoryIsCausal] = bind(
      decoderForward,
      [tgt, memory, ...args],
    ) as [Tensor, Tensor, Tensor | null, Tensor | null, Tensor | null, Tensor | null, boolean | null, boolean];
    const tgtIsCausal = isCausalMask(tgtMask, told, lengthOf(tgt, batchFirstOf(this.layers)));
    const options = { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, tgtIsCausal, memoryIsCausal };
    let x = tgt;
    for (const layer of this.layers) x = (layer as TransformerDecoderLayer)(x, memory, options);
    return this.norm === null ? x : (this.norm(x) as Tensor);
  }
}

const transformerSettings = settings<
  [
    dModel: number,
    nhead: number,
    numEncoderLayers: number,
    numDecoderLayers: number,
    dimFeedforward: number,
    dropout: number,
    activation: Activation,
    customEncoder: Module | null,
    customDecoder: Module | null,
    layerNormEps: number,
    batchFirst: boolean,
    normFirst: boolean,
    bias: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  "Transformer(int dModel=512, int nhead=8, int numEncoderLayers=6, int numDecoderLayers=6, int dimFeedforward=2048, float dropout=0.1, any activation='relu', function? customEncoder=None, function? customDecoder=None, float layerNormEps=1e-05, bool batchFirst=False, bool normFirst=False, bool bias=True, Device? device=None, ScalarType? dtype=None)",
);
const transformerForward = signature(
  'forward(Tensor src, Tensor tgt, Tensor? srcMask=None, Tensor? tgtMask=None, Tensor? memoryMask=None, Tensor? srcKeyPaddingMask=None, Tensor? tgtKeyPaddingMask=None, Tensor? memoryKeyPaddingMask=None, bool? srcIsCausal=None, bool? tgtIsCausal=None, bool memoryIsCausal=False)',
);
/** What a transformer takes by name: a decoder's options, and the masks of the encoder. */
export interface TransformerOptions extends DecoderOptions {
  srcMask?: Tensor | null;
  srcKeyPaddingMask?: Tensor | null;
  srcIsCausal?: boolean | null;
}

/**
 * An encoder and a decoder, each a stack of layers with a normalisation behind it (https://arxiv.org/abs/1706.03762).
 * Input src [S, N, dModel] and tgt [T, N, dModel] ([N, S, dModel] .. with `batchFirst`, or without N) to tgt's shape.
 * Modules: `encoder`, `decoder`. Parameters of more than one dimension start from Glorot's uniform distribution.
 */
export class Transformer extends Module {
  declare encoder: Module;
  declare decoder: Module;
  dModel: number;
  nhead: number;
  batchFirst: boolean;

  /**
   * @param args dModel (default 512): features; nhead (default 8); numEncoderLayers, numDecoderLayers (default 6); dimFeedforward
   *   (default 2048), dropout (0.1), activation ('relu'), layerNormEps (1e-5), batchFirst (false), normFirst (false), bias
   *   (true): as for `TransformerEncoderLayer`; customEncoder, customDecoder (default null): modules in the places of both
   *   stacks; device, dtype (default null: the default ones). By position customEncoder and customDecoder come before
   *   layerNormEps.
   * @throws RuntimeError for an unknown activation or an nhead that does not divide dModel; TypeError
   *   for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof transformerSettings>) {
    super();
    const [dModel, nhead, encoders, decoders, dimFeedforward, dropout, activation, encoder, decoder, eps, ...rest] =
      transformerSettings(args);
    const [batchFirst, normFirst, bias, device, dtype] = rest;
    const options = {
      dimFeedforward,
      dropout,
      activation,
      layerNormEps: eps,
      batchFirst,
      normFirst,
      bias,
      device,
      dtype,
    };
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps, bias, device, dtype });
    if (encoder !== null) this.encoder = encoder;
    else {
      const layer = new TransformerEncoderLayer(dModel, nhead, options);
      this.encoder = new TransformerEncoder(layer, encoders, norm());
    }
    if (decoder !== null) this.decoder = decoder;
    else {
      const layer = new TransformerDecoderLayer(dModel, nhead, options);
      this.decoder = new TransformerDecoder(layer, decoders, norm());
    }
    this._resetParameters();
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = batchFirst;
  }

  /** @internal */
  _resetParameters(): void {
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform_(p);
  }

  /**
   * @param src [S, N, dModel] ([N, S, dModel] with `batchFirst`, or [S, dModel])
   * @param tgt [T, N, dModel] laid out alike
   * @param args srcMask, tgtMask, memoryMask, srcKeyPaddingMask, tgtKeyPaddingMask, memoryKeyPaddingMask (default null): as for
   *   the layers; srcIsCausal, tgtIsCausal (default null: found out from the masks), memoryIsCausal (default false).
   * @returns tgt's shape
   * @throws RuntimeError for batches, features or masks that do not fit.
   */
  override forward(
    src: Tensor,
    tgt: Tensor,
    ...args:
      | [
          srcMask?: Tensor | null,
          tgtMask?: Tensor | null,
          memoryMask?: Tensor | null,
          srcKeyPaddingMask?: Tensor | null,
          tgtKeyPaddingMask?: Tensor | null,
          memoryKeyPaddingMask?: Tensor | null,
          srcIsCausal?: boolean | null,
          tgtIsCausal?: boolean | null,
          memoryIsCausal?: boolean,
        ]
      | [options: TransformerOptions]
  ): Tensor {
    const [, , srcMask, tgtMask, memoryMask, srcKeyPaddingMask, tgtKeyPaddingMask, memoryKeyPaddingMask, ...causal] =
      bind(transformerForward, [src, tgt, ...args]) as [
        Tensor,
        Tensor,
        Tensor | null,
        Tensor | null,
        Tensor | null,
        Tensor | null,
        Tensor | null,
        Tensor | null,
        boolean | null,
        boolean | null,
        boolean,
      ];
    const [srcIsCausal, tgtIsCausal, memoryIsCausal] = causal;
    const batch = this.batchFirst ? 0 : 1;
    if (src.ndim === 3 && src.size(batch) !== tgt.size(batch)) {
      throw new RuntimeError('the batch number of src and tgt must be equal');
    }
    if (src.size(-1) !== this.dModel || tgt.size(-1) !== this.dModel) {
      throw new RuntimeError('the feature number of src and tgt must be equal to d_model');
    }
    const memory = this.encoder(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal }) as Tensor;
    return this.decoder(tgt, memory, {
      tgtMask,
      memoryMask,
      tgtKeyPaddingMask,
      memoryKeyPaddingMask,
      tgtIsCausal,
      memoryIsCausal,
    }) as Tensor;
  }

  /**
   * A mask that lets no place attend to a later one.
   * @param n its size.
   * @param options `device`, `dtype`: default null, the default device and float type.
   * @returns [n, n]: minus infinity above the diagonal, 0 elsewhere.
   */
  static generateSquareSubsequentMask(
    n: number,
    options: { device?: DeviceSetting; dtype?: DTypeSetting } = {},
  ): Tensor {
    return subsequentMask(n, options.dtype ?? null, options.device ?? null);
  }
}
