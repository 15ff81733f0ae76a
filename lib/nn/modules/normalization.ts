// Normalisations without running statistics.
import { RuntimeError } from '../../core/errors.js';
import { layerNorm } from '../../ops/norm.js';
import type { Tensor } from '../../tensor/tensor.js';
import { groupNorm, localResponseNorm, rmsNorm } from '../functional/normalization.js';
import { padConstant } from '../functional/padding.js';
import { asNode } from '../functional/reduction.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { None, pyBool, pyFloat, pyTuple } from '../printing.js';
import { type ArgumentsOf, type DeviceSetting, type DTypeSetting, newParameter, settings } from './arguments.js';

const layerNormSettings = settings<
  [
    normalizedShape: readonly number[],
    eps: number,
    elementwiseAffine: boolean,
    bias: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'LayerNorm(int[] normalizedShape, float eps=1e-05, bool elementwiseAffine=True, bool bias=True, Device? device=None, ScalarType? dtype=None)',
);

/**
 * Normalises over the last dimensions: y = (x - mean) / sqrt(var + eps) weight + bias, with the biased variance
 * (https://arxiv.org/abs/1607.06450). Input [.., ...normalizedShape] to the same shape.
 * Parameters with `elementwiseAffine`: `weight`, `bias` of shape normalizedShape, ones and zeros at first (else null).
 */
export class LayerNorm extends Module {
  normalizedShape: number[];
  eps: number;
  elementwiseAffine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  /**
   * @param args normalizedShape: the input's last sizes, or a number for the last one; eps (default 1e-5): added to the variance;
   *   elementwiseAffine (default true): whether there are parameters; bias (default true): whether there is one among them;
   *   device, dtype (default null: the default ones): of the parameters.
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for an input that does not end in
   *   normalizedShape.
   */
  constructor(...args: ArgumentsOf<typeof layerNormSettings>) {
    super();
    const [shape, eps, affine, bias, device, dtype] = layerNormSettings(args);
    this.normalizedShape = [...shape];
    this.eps = eps;
    this.elementwiseAffine = affine;
    if (affine) this.weight = newParameter(shape, device, dtype);
    else this.registerParameter('weight', null);
    if (affine && bias) this.bias = newParameter(shape, device, dtype);
    else this.registerParameter('bias', null);
    this.resetParameters();
  }

  /** Sets weights to 1 and biases to 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    return layerNorm.impl(input, this.normalizedShape, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return `${pyTuple(this.normalizedShape)}, eps=${pyFloat(this.eps)}, elementwise_affine=${pyBool(this.elementwiseAffine)}, bias=${pyBool(this.bias !== null)}`;
  }
}

const groupNormSettings = settings<
  [
    numGroups: number,
    numChannels: number,
    eps: number,
    affine: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
    bias: boolean,
  ]
>()(
  'GroupNorm(int numGroups, int numChannels, float eps=1e-05, bool affine=True, Device? device=None, ScalarType? dtype=None, bool bias=True)',
);

/**
 * Normalises groups of channels of each sample: y = (x - mean) / sqrt(var + eps) weight + bias, with mean and biased variance
 * over the C / numGroups channels of a group and all places (https://arxiv.org/abs/1803.08494). Input
 * [N, C, ..] to the same shape.
 * Parameters with `affine`: `weight`, `bias` [C], ones and zeros at first (else null).
 */
export class GroupNorm extends Module {
  numGroups: number;
  numChannels: number;
  eps: number;
  affine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  /**
   * @param args numGroups: how many groups; numChannels: C; eps (default 1e-5): added to the variance; affine (default true):
   *   whether there are parameters; device, dtype (default null: the default ones); bias (default true): whether there is one.
   * @throws TypeError for arguments that do not fit; RuntimeError if numGroups does not divide numChannels. The call throws
   *   RuntimeError for other channels and for one value per group.
   */
  constructor(...args: ArgumentsOf<typeof groupNormSettings>) {
    super();
    const [groups, channels, eps, affine, device, dtype, bias] = groupNormSettings(args);
    if (channels % groups !== 0) {
      throw new RuntimeError(`num_channels (${channels}) must be divisible by num_groups (${groups})`);
    }
    this.numGroups = groups;
    this.numChannels = channels;
    this.eps = eps;
    this.affine = affine;
    if (affine) this.weight = newParameter([channels], device, dtype);
    else this.registerParameter('weight', null);
    if (affine && bias) this.bias = newParameter([channels], device, dtype);
    else this.registerParameter('bias', null);
    this.resetParameters();
  }

  /** Sets weights to 1 and biases to 0. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  override forward(input: Tensor): Tensor {
    return groupNorm.impl(input, this.numGroups, this.weight, this.bias, this.eps);
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${pyFloat(this.eps)}, affine=${pyBool(this.affine)}, bias=${pyBool(this.bias !== null)}`;
  }
}

const rmsNormSettings = settings<
  [
    normalizedShape: readonly number[],
    eps: number | null,
    elementwiseAffine: boolean,
    device: DeviceSetting,
    dtype: DTypeSetting,
  ]
>()(
  'RMSNorm(int[] normalizedShape, float? eps=None, bool elementwiseAffine=True, Device? device=None, ScalarType? dtype=None)',
);

/**
 * Divides by the root of the mean square over the last dimensions: y = x / sqrt(mean(x^2) + eps) weight
 * (https://arxiv.org/abs/1910.07467). Input [.., ...normalizedShape] to the same shape.
 * Parameter with `elementwiseAffine`: `weight` of shape normalizedShape, ones at first (else null).
 */
export class RMSNorm extends Module {
  normalizedShape: number[];
  eps: number | null;
  elementwiseAffine: boolean;
  declare weight: Parameter | null;

  /**
   * @param args normalizedShape: the input's last sizes, or a number for the last one; eps (default null: the machine epsilon of
   *   the input's type); elementwiseAffine (default true): whether there is a weight; device, dtype
   *   (default null: the default ones).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for an input that does not end in
   *   normalizedShape.
   */
  constructor(...args: ArgumentsOf<typeof rmsNormSettings>) {
    super();
    const [shape, eps, affine, device, dtype] = rmsNormSettings(args);
    this.normalizedShape = [...shape];
    this.eps = eps;
    this.elementwiseAffine = affine;
    if (affine) this.weight = newParameter(shape, device, dtype);
    else this.registerParameter('weight', null);
    this.resetParameters();
  }

  /** Sets weights to 1. */
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
  }

  override forward(input: Tensor): Tensor {
    return rmsNorm.impl(input, this.normalizedShape, this.weight, this.eps);
  }

  override extraRepr(): string {
    const eps = this.eps === null ? None : pyFloat(this.eps);
    return `${pyTuple(this.normalizedShape)}, eps=${eps}, elementwise_affine=${pyBool(this.elementwiseAffine)}`;
  }
}

const localSettings = (name: string) =>
  settings<[size: number, alpha: number, beta: number, k: number]>()(
    `${name}(int size, float alpha=0.0001, float beta=0.75, float k=1)` as 'X(int size, float alpha=0.0001, float beta=0.75, float k=1)',
  );
const localResponseSettings = localSettings('LocalResponseNorm');
type LocalArgumentList = ArgumentsOf<typeof localResponseSettings>;

/**
 * Divides by what neighbouring channels say at the same place: y_c = x_c / (k + alpha mean of x^2 over `size` channels around
 * c)^beta, channels beyond the ends being zero (Krizhevsky et al., 2012). Input [N, C, d1, ..] to the same shape.
 */
export class LocalResponseNorm extends Module {
  size: number;
  alpha: number;
  beta: number;
  k: number;

  /**
   * @param args size: how many channels; alpha (default 1e-4): their weight; beta (default 0.75): the exponent; k (default 1).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError for fewer than 3 dimensions.
   */
  constructor(...args: LocalArgumentList) {
    super();
    [this.size, this.alpha, this.beta, this.k] = localResponseSettings(args);
  }

  override forward(input: Tensor): Tensor {
    return localResponseNorm.impl(input, this.size, this.alpha, this.beta, this.k);
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${pyFloat(this.alpha)}, beta=${pyFloat(this.beta)}, k=${pyFloat(this.k)}`;
  }
}

const crossMapSettings = localSettings('CrossMapLRN2d');

/**
 * x / (k + alpha / size * sums)^beta, where the sums of squares run over channels c - reach .. c + reach. As in PyTorch, whose
 * running sum never lets go of the first channel, that channel counts everywhere; and gradients come from windows that lie
 * one channel further back.
 */
function crossMap(x: Tensor, size: number, alpha: number, beta: number, k: number): Tensor {
  const channels = x.shape[1]!;
  const ahead = Math.trunc((size - 1) / 2 + 1);
  const window = (t: Tensor, before: number, after: number): Tensor =>
    padConstant(t, [0, 0, 0, 0, before, after], 0)
      .unfold(1, before + after + 1, 1)
      .sum(-1);
  const scaleOf = (t: Tensor): Tensor => {
    const squares = t.square();
    const sums = window(squares, ahead - 1, ahead - 1);
    const first = squares.narrow(1, 0, 1);
    const kept =
      channels > ahead ? padConstant(first.expand([-1, channels - ahead, -1, -1]), [0, 0, 0, 0, ahead, 0], 0) : null;
    return (kept === null ? sums : sums.add(kept)).mul(alpha / size).add(k);
  };
  const back = Math.trunc(size - (size - 1) / 2);
  return asNode(
    'CrossMapLRN2dBackward',
    [x],
    ([t]) => t.mul(scaleOf(t).pow(-beta)),
    (g, [x0]) => {
      const scale = scaleOf(x0);
      const power = scale.pow(-beta);
      const ratio = g.mul(x0).mul(power).div(scale);
      const sums = window(ratio, back, size - 1 - back);
      return [power.mul(g).sub(x0.mul(sums).mul((2 * alpha * beta) / size))];
    },
  );
}

/**
 * As `LocalResponseNorm`, for [N, C, H, W] alone, with windows that lie one channel further back for even sizes; the first
 * channel counts in all windows, as in PyTorch.
 */
export class CrossMapLRN2d extends Module {
  size: number;
  alpha: number;
  beta: number;
  k: number;

  /**
   * @param args size: how many channels; alpha (default 1e-4): their weight; beta (default 0.75): the exponent; k (default 1).
   * @throws TypeError for arguments that do not fit. The call throws RuntimeError unless the input has 4 dimensions.
   */
  constructor(...args: LocalArgumentList) {
    super();
    [this.size, this.alpha, this.beta, this.k] = crossMapSettings(args);
  }

  override forward(input: Tensor): Tensor {
    if (input.ndim !== 4) throw new RuntimeError(`CrossMapLRN2d: Expected input to be 4D, got ${input.ndim}D instead.`);
    return crossMap(input, this.size, this.alpha, this.beta, this.k);
  }

  override extraRepr(): string {
    // An `int` default in PyTorch prints as one.
    const k = Number.isInteger(this.k) ? String(this.k) : pyFloat(this.k);
    return `${this.size}, alpha=${pyFloat(this.alpha)}, beta=${pyFloat(this.beta)}, k=${k}`;
  }
}
