// Tables of vectors.
import { noGrad } from '../../autograd/mode.js';
import { RuntimeError } from '../../core/errors.js';
import { bind, isOptions, signature } from '../../ops/signature.js';
import { embedding as rowsOf } from '../../ops/index_along.js';
import type { Tensor } from '../../tensor/tensor.js';
import { embedding, embeddingBag } from '../functional/embedding.js';
import { normal_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { pyBool, pyFloat, pyString } from '../printing.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

/** A padding index counted from the front. */
function wrapPadding(padding: number | null, rows: number, name: string): number | null {
  if (padding === null) return null;
  if (padding >= rows || padding < -rows) throw new RuntimeError(`${name} must be within num_embeddings`);
  return padding < 0 ? padding + rows : padding;
}

function checkWeight(weight: Tensor, rows: number, width: number): Tensor {
  if (weight.ndim !== 2 || weight.shape[0] !== rows || weight.shape[1] !== width) {
    throw new RuntimeError('Shape of weight does not match num_embeddings and embedding_dim');
  }
  return weight;
}

/** Draws from N(0, 1); the padding row is zero. */
function resetTable(weight: Parameter, padding: number | null): void {
  normal_(weight);
  if (padding !== null) noGrad(() => weight.select(0, padding).fill_(0));
}

const embeddingSettings = settings<
  [
    numEmbeddings: number,
    embeddingDim: number,
    paddingIdx: number | null,
    maxNorm: number | null,
    normType: number,
    scaleGradByFreq: boolean,
    sparse: boolean,
    weight: Tensor | null,
    freeze: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'Embedding(int numEmbeddings, int embeddingDim, int? paddingIdx=None, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, bool sparse=False, Tensor? Weight=None, bool Freeze=False, Device? device=None, ScalarType? dtype=None)',
);
const pretrained = signature(
  'fromPretrained(Tensor embeddings, bool freeze=True, int? paddingIdx=None, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, bool sparse=False)',
);
type Pretrained = [
  embeddings: Tensor,
  freeze: boolean,
  paddingIdx: number | null,
  maxNorm: number | null,
  normType: number,
  scaleGradByFreq: boolean,
  sparse: boolean,
];
/** Settings of `Embedding.fromPretrained` by name; freeze is true by default, the others as for `Embedding`. */
export interface PretrainedOptions {
  freeze?: boolean;
  paddingIdx?: number | null;
  maxNorm?: number | null;
  normType?: number;
  scaleGradByFreq?: boolean;
  sparse?: boolean;
}

/**
 * Rows of a table by their indices: [..], int64 or int32, to [.., embeddingDim].
 * Parameter: `weight` [numEmbeddings, embeddingDim] from N(0, 1), with zeros at `paddingIdx`.
 */
export class Embedding extends Module {
  numEmbeddings: number;
  embeddingDim: number;
  paddingIdx: number | null;
  maxNorm: number | null;
  normType: number;
  scaleGradByFreq: boolean;
  sparse: boolean;
  declare weight: Parameter;

  /**
   * @param args numEmbeddings, embeddingDim: rows and their length; paddingIdx (default null): a row that starts from zeros and
   *   gets no gradient, negative from the end; maxNorm (default null): rows that are looked up are scaled down to this norm, in
   *   place; normType (default 2): which norm; scaleGradByFreq (default false): divides a row's gradient by how often it was
   *   looked up; sparse (default false; accepted, gradients are dense); Weight (default null): the table to use, shared; Freeze
   *   (default false): whether the table requires no gradient; device, dtype (default null: the default ones).
   * @throws RuntimeError for a paddingIdx out of range or a Weight of another shape; TypeError for arguments that do not fit. The
   *   call throws RangeError for an index out of range.
   */
  constructor(...args: ArgumentsOf<typeof embeddingSettings>) {
    super();
    const [rows, width, padding, maxNorm, normType, scale, sparse, weight, freeze, device, dtype] =
      embeddingSettings(args);
    this.numEmbeddings = rows;
    this.embeddingDim = width;
    this.paddingIdx = wrapPadding(padding, rows, 'Padding_idx');
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scale;
    this.sparse = sparse;
    if (weight !== null) this.weight = new Parameter(checkWeight(weight, rows, width), !freeze);
    else {
      this.weight = newParameter([rows, width], device, dtype).requiresGrad_(!freeze) as Parameter;
      this.resetParameters();
    }
  }

  /** Draws the table anew from N(0, 1); the row at paddingIdx becomes zero. */
  resetParameters(): void {
    resetTable(this.weight, this.paddingIdx);
  }

  override forward(input: Tensor): Tensor {
    const { weight, paddingIdx, maxNorm } = this;
    if (maxNorm === null) return rowsOf.impl(weight, input, paddingIdx ?? -1, this.scaleGradByFreq);
    return embedding.impl(input, weight, paddingIdx, maxNorm, this.normType, this.scaleGradByFreq, this.sparse);
  }

  override extraRepr(): string {
    let text = `${this.numEmbeddings}, ${this.embeddingDim}`;
    if (this.paddingIdx !== null) text += `, padding_idx=${this.paddingIdx}`;
    if (this.maxNorm !== null) text += `, max_norm=${pyFloat(this.maxNorm)}`;
    if (this.normType !== 2) text += `, norm_type=${pyFloat(this.normType)}`;
    if (this.scaleGradByFreq) text += `, scale_grad_by_freq=${pyBool(true)}`;
    if (this.sparse) text += ', sparse=True';
    return text;
  }

  /**
   * An embedding with given rows.
   * @param embeddings [numEmbeddings, embeddingDim]: its memory is shared.
   * @param args freeze (default true: the table requires no gradient), paddingIdx (null), maxNorm (null), normType (2),
   *   scaleGradByFreq (false), sparse (false): as for the constructor, all but the first two by name alone.
   * @returns the layer
   * @throws RuntimeError unless the tensor is a matrix.
   */
  static fromPretrained(
    embeddings: Tensor,
    ...args: [freeze?: boolean, paddingIdx?: number | null] | [options: PretrainedOptions]
  ): Embedding {
    const [t, freeze, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse] = bind(pretrained, [
      embeddings,
      ...args,
    ]) as unknown as Pretrained;
    if (t.ndim !== 2) throw new RuntimeError('Embeddings parameter is expected to be 2-dimensional');
    const [rows, width] = t.shape as [number, number];
    return new Embedding(rows, width, {
      paddingIdx,
      maxNorm,
      normType,
      scaleGradByFreq,
      sparse,
      Weight: t,
      Freeze: freeze,
    });
  }
}

const bagSettings = settings<
  [
    numEmbeddings: number,
    embeddingDim: number,
    maxNorm: number | null,
    normType: number,
    scaleGradByFreq: boolean,
    mode: string,
    sparse: boolean,
    weight: Tensor | null,
    includeLastOffset: boolean,
    paddingIdx: number | null,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  "EmbeddingBag(int numEmbeddings, int embeddingDim, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, str mode='mean', bool sparse=False, Tensor? Weight=None, bool includeLastOffset=False, int? paddingIdx=None, Device? device=None, ScalarType? dtype=None)",
);
const pretrainedBag = signature(
  "fromPretrained(Tensor embeddings, bool freeze=True, float? maxNorm=None, float normType=2, bool scaleGradByFreq=False, str mode='mean', bool sparse=False, bool includeLastOffset=False, int? paddingIdx=None)",
);
/** Settings of `EmbeddingBag.fromPretrained` by name; freeze is true by default, the others as for `EmbeddingBag`. */
export interface PretrainedBagOptions extends PretrainedOptions {
  mode?: 'mean' | 'sum' | 'max';
  includeLastOffset?: boolean;
}
/** What a bag's forward takes by name. */
interface BagOptions {
  offsets?: Tensor | null;
  perSampleWeights?: Tensor | null;
}

/**
 * Sums, means or maxima of bags of rows of a table: [n] with offsets [B], or [B, n], to [B, embeddingDim]; an empty bag gives
 * zeros. Parameter: `weight` [numEmbeddings, embeddingDim] from N(0, 1), with zeros at `paddingIdx`.
 */
export class EmbeddingBag extends Module {
  numEmbeddings: number;
  embeddingDim: number;
  maxNorm: number | null;
  normType: number;
  scaleGradByFreq: boolean;
  mode: string;
  sparse: boolean;
  includeLastOffset: boolean;
  paddingIdx: number | null;
  declare weight: Parameter;

  /**
   * @param args numEmbeddings, embeddingDim: rows and their length; maxNorm (default null): rows that are looked up are scaled
   *   down to this norm, in place; normType (default 2): which norm; scaleGradByFreq (default false): divides a row's gradient by
   *   how often it was looked up; mode (default 'mean'; 'sum', 'max'); sparse (default false; accepted, gradients are dense);
   *   Weight (default null): the table to use, shared; includeLastOffset (default false): whether the last offset is the end;
   *   paddingIdx (default null): a row that counts in no bag; device, dtype (default null: the default ones).
   * @throws RuntimeError for a paddingIdx out of range or a Weight of another shape; TypeError for arguments that do not fit.
   */
  constructor(...args: ArgumentsOf<typeof bagSettings>) {
    super();
    const [rows, width, maxNorm, normType, scale, mode, sparse, weight, includeLast, padding, device, dtype] =
      bagSettings(args);
    this.numEmbeddings = rows;
    this.embeddingDim = width;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scale;
    this.paddingIdx = wrapPadding(padding, rows, 'padding_idx');
    this.mode = mode;
    this.sparse = sparse;
    this.includeLastOffset = includeLast;
    if (weight !== null) this.weight = new Parameter(checkWeight(weight, rows, width));
    else {
      this.weight = newParameter([rows, width], device, dtype);
      this.resetParameters();
    }
  }

  /** Draws the table anew from N(0, 1); the row at paddingIdx becomes zero. */
  resetParameters(): void {
    resetTable(this.weight, this.paddingIdx);
  }

  /**
   * @param input [n] with offsets, or [B, n]: indices, int64 or int32
   * @param offsets [B]: where each bag begins in a 1-D input; default null. By position or as `{ offsets, perSampleWeights }`.
   * @param perSampleWeights of the input's shape, for mode 'sum'; default null: ones.
   * @returns [B, embeddingDim]
   * @throws RuntimeError for arguments that do not fit together, RangeError for an index out of range.
   */
  override forward(
    input: Tensor,
    offsets: Tensor | BagOptions | null = null,
    perSampleWeights: Tensor | BagOptions | null = null,
  ): Tensor {
    let [at, weights] = [offsets, perSampleWeights] as [Tensor | null, Tensor | null];
    if (isOptions(perSampleWeights)) weights = (perSampleWeights as BagOptions).perSampleWeights ?? null;
    if (isOptions(offsets))
      [at, weights] = [(offsets as BagOptions).offsets ?? null, (offsets as BagOptions).perSampleWeights ?? null];
    const { weight, maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx } = this;
    return embeddingBag.impl(
      input,
      weight,
      at,
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      sparse,
      weights,
      includeLastOffset,
      paddingIdx,
    );
  }

  override extraRepr(): string {
    let text = `${this.numEmbeddings}, ${this.embeddingDim}`;
    if (this.maxNorm !== null) text += `, max_norm=${pyFloat(this.maxNorm)}`;
    if (this.normType !== 2) text += `, norm_type=${pyFloat(this.normType)}`;
    if (this.scaleGradByFreq) text += `, scale_grad_by_freq=${pyBool(true)}`;
    text += `, mode=${pyString(this.mode)}`;
    if (this.paddingIdx !== null) text += `, padding_idx=${this.paddingIdx}`;
    return text;
  }

  /**
   * Bags of given rows.
   * @param embeddings [numEmbeddings, embeddingDim]: its memory is shared.
   * @param args freeze (default true: the table requires no gradient), maxNorm (null), normType (2), scaleGradByFreq (false),
   *   mode ('mean'), sparse (false), includeLastOffset (false), paddingIdx (null): as for the constructor, all but the first by
   *   name alone.
   * @returns the layer
   * @throws RuntimeError unless the tensor is a matrix.
   */
  static fromPretrained(
    embeddings: Tensor,
    ...args: [freeze?: boolean] | [options: PretrainedBagOptions]
  ): EmbeddingBag {
    const [t, freeze, maxNorm, normType, scaleGradByFreq, mode, sparse, includeLastOffset, paddingIdx] = bind(
      pretrainedBag,
      [embeddings, ...args],
    ) as [Tensor, boolean, number | null, number, boolean, string, boolean, boolean, number | null];
    if (t.ndim !== 2) throw new RuntimeError('Embeddings parameter is expected to be 2-dimensional');
    const [rows, width] = t.shape as [number, number];
    const bag = new EmbeddingBag(rows, width, {
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      sparse,
      includeLastOffset,
      paddingIdx,
      Weight: t,
    });
    bag.weight.requiresGrad_(!freeze);
    return bag;
  }
}
