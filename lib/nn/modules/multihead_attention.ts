// Attention of several heads.
import { RuntimeError } from '../../core/errors.js';
import { bind, signature } from '../../ops/signature.js';
import type { Tensor } from '../../tensor/tensor.js';
import { multiHead } from '../functional/multi_head.js';
import { constant_, xavierNormal_, xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';
import { NonDynamicallyQuantizableLinear } from './linear.js';

const attentionSettings = settings<
  [
    embedDim: number,
    numHeads: number,
    dropout: number,
    bias: boolean,
    addBiasKv: boolean,
    addZeroAttn: boolean,
    kdim: number | null,
    vdim: number | null,
    batchFirst: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'MultiheadAttention(int embedDim, int numHeads, float dropout=0, bool bias=True, bool addBiasKv=False, bool addZeroAttn=False, int? kdim=None, int? vdim=None, bool batchFirst=False, Device? device=None, ScalarType? dtype=None)',
);

const forwardSignature = signature(
  'forward(Tensor query, Tensor key, Tensor value, Tensor? keyPaddingMask=None, bool needWeights=True, Tensor? attnMask=None, bool averageAttnWeights=True, bool isCausal=False)',
);
/** What attention takes beside its inputs, by name. */
export interface AttentionOptions {
  /** [N, S] or [S]: true (or minus infinity) where a key is to be ignored. */
  keyPaddingMask?: Tensor | null;
  /** Whether the weights are a result too; default true. Without them it is faster. */
  needWeights?: boolean;
  /** [L, S] or [N heads, L, S]: true where attending is not allowed, or numbers that are added to the scores. */
  attnMask?: Tensor | null;
  /** Whether the weights are the mean over the heads; default true. */
  averageAttnWeights?: boolean;
  /** A hint that attnMask is the causal mask; default false. */
  isCausal?: boolean;
}
type AttentionArguments =
  | [options?: AttentionOptions]
  | [
      keyPaddingMask: Tensor | null,
      needWeights?: boolean,
      attnMask?: Tensor | null,
      averageAttnWeights?: boolean,
      isCausal?: boolean,
    ]
  | [keyPaddingMask: Tensor | null, options: AttentionOptions];

/**
 * Attention of several heads (https://arxiv.org/abs/1706.03762): each head attends with projections of query, key and value of
 * its own, softmax(q k^T / sqrt(E / heads)) v; the heads are joined and projected once more.
 * Input query [L, N, E], key [S, N, kdim], value [S, N, vdim] ([N, L, E] .. with `batchFirst`, or without N), E = embedDim, to
 * output [L, N, E] and the weights (see `forward`).
 * Parameters: `in_proj_weight` [3 E, E] (with another kdim or vdim `q_proj_weight` [E, E], `k_proj_weight` [E, kdim] and
 * `v_proj_weight` [E, vdim] instead), `in_proj_bias` [3 E], `bias_k`, `bias_v` [1, 1, E] with `addBiasKv`; Glorot's
 * initial values, biases 0. Module: `out_proj`, a linear layer of E to E features.
 */
export class MultiheadAttention extends Module {
  embedDim: number;
  numHeads: number;
  dropout: number;
  addZeroAttn: boolean;
  kdim: number;
  vdim: number;
  batchFirst: boolean;
  headDim: number;
  declare in_proj_weight: Parameter | null;
  declare q_proj_weight: Parameter | null;
  declare k_proj_weight: Parameter | null;
  declare v_proj_weight: Parameter | null;
  declare in_proj_bias: Parameter | null;
  declare bias_k: Parameter | null;
  declare bias_v: Parameter | null;
  declare out_proj: NonDynamicallyQuantizableLinear;

  /**
   * @param args embedDim, numHeads: E, and how many heads share it; dropout (default 0): the probability of dropping a weight, in
   *   training; bias (default true): of all projections; addBiasKv (default false): adds a learned place to keys and values;
   *   addZeroAttn (default false): adds a place of zeros to them; kdim, vdim (default null: embedDim); batchFirst (default
   *   false): whether the batch comes first; device, dtype (default null: the default ones): of the parameters.
   * @throws RuntimeError unless both are positive and numHeads divides embedDim; TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof attentionSettings>) {
    const [embedDim, numHeads, dropout, bias, addBiasKv, addZeroAttn, kdim, vdim, batchFirst, device, dtype] =
      attentionSettings(args);
    if (embedDim <= 0 || numHeads <= 0) {
      throw new RuntimeError(
        `embed_dim and num_heads must be greater than 0, got embed_dim=${embedDim} and num_heads=${numHeads} instead`,
      );
    }
    super();
    this.embedDim = embedDim;
    this.kdim = kdim ?? embedDim;
    this.vdim = vdim ?? embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.headDim = Math.floor(embedDim / numHeads);
    if (this.headDim * numHeads !== embedDim) throw new RuntimeError('embed_dim must be divisible by num_heads');
    if (this.kdim !== embedDim || this.vdim !== embedDim) {
      this.q_proj_weight = newParameter([embedDim, embedDim], device, dtype);
      this.k_proj_weight = newParameter([embedDim, this.kdim], device, dtype);
      this.v_proj_weight = newParameter([embedDim, this.vdim], device, dtype);
      this.registerParameter('in_proj_weight', null);
    } else {
      this.in_proj_weight = newParameter([3 * embedDim, embedDim], device, dtype);
      for (const name of ['q_proj_weight', 'k_proj_weight', 'v_proj_weight']) this.registerParameter(name, null);
    }
    this.registerParameter('in_proj_bias', bias ? newParameter([3 * embedDim], device, dtype) : null);
    this.out_proj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, device, dtype });
    for (const name of ['bias_k', 'bias_v']) {
      this.registerParameter(name, addBiasKv ? newParameter([1, 1, embedDim], device, dtype) : null);
    }
    this.addZeroAttn = addZeroAttn;
    this._resetParameters();
  }

  /** @internal */
  _resetParameters(): void {
    const weights = [this.in_proj_weight, this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
    for (const weight of weights) if (weight !== null) xavierUniform_(weight);
    if (this.in_proj_bias !== null) {
      constant_(this.in_proj_bias, 0);
      constant_(this.out_proj.bias!, 0);
    }
    if (this.bias_k !== null) xavierNormal_(this.bias_k);
    if (this.bias_v !== null) xavierNormal_(this.bias_v);
  }

  /**
   * @param query [L, N, E]
   * @param key [S, N, kdim]
   * @param value [S, N, vdim]; all three with N first with `batchFirst`, or without it.
   * @param args keyPaddingMask (default null; [N, S] or [S]: true where a key is ignored, or numbers added to its scores);
   *   needWeights (default true); attnMask (default null; [L, S] or [N heads, L, S]: true where attending is not allowed, or
   *   numbers added to the scores); averageAttnWeights (default true); isCausal (default false): a hint that attnMask is causal.
   * @returns [output [L, N, E], weights [N, L, S] ([N, heads, L, S] if they are not averaged; null without `needWeights`)].
   * @throws RuntimeError for sizes or masks that do not fit, and for `isCausal` without an attnMask.
   */
  override forward(query: Tensor, key: Tensor, value: Tensor, ...args: AttentionArguments): [Tensor, Tensor | null] {
    const [, , , keyPaddingMask, needWeights, attnMask, averageWeights, isCausal] = bind(forwardSignature, [
      query,
      key,
      value,
      ...args,
    ]) as [Tensor, Tensor, Tensor, Tensor | null, boolean, Tensor | null, boolean, boolean];
    const turn = this.batchFirst && query.ndim === 3;
    const q = turn ? query.transpose(0, 1) : query;
    // The same tensor stays the same one: its projections are then one product.
    const k = key === query ? q : turn ? key.transpose(0, 1) : key;
    const v = value === key ? k : value === query ? q : turn ? value.transpose(0, 1) : value;
    const separate = this.in_proj_weight === null ? [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight] : null;
    const [out, weights] = multiHead(q, k, v, {
      embedDim: this.embedDim,
      heads: this.numHeads,
      inProjWeight: this.in_proj_weight,
      inProjBias: this.in_proj_bias,
      biasK: this.bias_k,
      biasV: this.bias_v,
      addZeroAttn: this.addZeroAttn,
      dropout: this.dropout,
      outWeight: this.out_proj.weight,
      outBias: this.out_proj.bias,
      training: this.training,
      keyPaddingMask,
      needWeights,
      attnMask,
      separate,
      staticK: null,
      staticV: null,
      averageWeights,
      isCausal,
    });
    return [turn ? out.transpose(0, 1) : out, weights];
  }
}
